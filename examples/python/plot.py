#!/usr/bin/env python3
"""A live plot, in the terminal, of an attribute of an object on a board.

    python3 examples/python/plot.py HOST:PORT OBJECT ATTRIBUTE [SECONDS [N]]

Reads it every SECONDS (0.2), N times or until Ctrl-C. Needs Pyro5 or Pyro4.
"""
import shutil, sys, time
try:
    import Pyro5.api as pyro
except ImportError:
    import Pyro4 as pyro

def chart(values, width, height):
    """The last `width` values as lines of text, the largest on top."""
    values = values[-width:]
    low, high = min(values), max(values)
    step = (high - low) / (height - 1) or 1
    rows = [round((v - low) / step) for v in values]
    return ["%10.4g |%s" % (low + step * y, "".join(
        "*" if row == y else " " for row in rows))
        for y in range(height - 1, -1, -1)]

def main(where, name, attribute, seconds=0.2, n=0):
    seconds, n, values = float(seconds), int(n), []
    with pyro.Proxy("PYRO:%s@%s" % (name, where)) as board:
        while not n or len(values) < n:
            values.append(float(getattr(board, attribute)))
            columns, lines = shutil.get_terminal_size()
            picture = chart(values, columns - 13, max(lines - 3, 2))
            print("\033[H\033[J%s.%s  %g" % (name, attribute, values[-1]))
            print("\n".join(picture), flush=True)
            time.sleep(seconds)

if len(sys.argv) < 4:
    sys.exit(__doc__.strip())
try:
    main(*sys.argv[1:])
except KeyboardInterrupt:
    pass
