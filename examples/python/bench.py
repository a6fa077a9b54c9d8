#!/usr/bin/env python3
"""At the bench: calls the board of the quickstart, sets an attribute of it, and
is called back by it.

    build/examples/quickstart/server &
    python3 examples/python/bench.py [HOST:PORT]        (127.0.0.1:7766)

There is nothing of ours in it: it needs Pyro5 (pip install Pyro5), or Pyro4
(Debian: python3-pyro4), and no setting of either.
"""
import sys, threading
try:
    import Pyro5.api as pyro
except ImportError:
    import Pyro4 as pyro

class Counter:
    """What the board calls."""
    @pyro.expose
    def tick(self, i):
        print("the board says", i)

where = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7766"
with pyro.Proxy("PYRO:calc@" + where) as calc:
    print("1/3 is", calc.div(1, 3))
    print("by name as well:", calc.div(b=4, a=1))
    try:
        calc.div(1, 0)
    except ZeroDivisionError as e:
        print("an exception of the board:", e)

    print(calc.calls, "calls so far; from now on anew")
    calc.calls = 0
    calc.div(1, 2)
    print(calc.calls, "since then")

    with pyro.Daemon(host="127.0.0.1" if where.startswith("127.") else
                     "0.0.0.0") as here:
        counter = Counter()
        here.register(counter, "counter")
        threading.Thread(target=here.requestLoop, daemon=True).start()
        calc.count(3, counter)
        here.shutdown()
