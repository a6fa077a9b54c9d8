#!/usr/bin/env python3
"""A client of Pyro for C in Python, over the wire as in wire.py.

usage: client.py [--checksum] HOST:PORT   calls python_server, all it has
       client.py [--vectors FILE]         checks the frames in the manual
       client.py -h

FILE is ../pyro.h. The last line is "N passed, N failed"; the status is 0 when
nothing failed.
"""
import os, re, select, sys, time
sys.dont_write_bytecode = True
import wire
from wire import RemoteError, WireError

passed = failed = 0

def verdict(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(text if good else "FAILED: " + text)

# --- the frames in the manual --------------------------------------------

def vectors(path):
    """name: bytes, of each dump after "Frames by example"."""
    found, name = {}, None
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("Frames by example", 1)[1].split("*/")[0]
    for line in lines.splitlines()[1:]:
        m = re.fullmatch(r" \*   ([a-z-]*) +((?:[0-9a-f]{2} ?)+)", line)
        if m:
            name = m[1] or name
            found[name] = found.get(name, b"") + bytes.fromhex(m[2])
    return found

def decode(name, data):
    """A tuple for a frame, for a value a list of it."""
    if name.endswith("-value"):
        return [wire.unpack(data)]
    reader = wire.Reader(data)
    kind, flags, seq, body = wire.read_frame(reader.take)
    if reader.at != len(data):
        raise WireError("bytes after the frame")
    if kind in (wire.CONNECT, wire.CONNECTOK):
        return kind, flags, seq, wire.read_greeting(body)
    return kind, flags, seq, wire.unpack(body) if body else ()

def encode(v):
    if isinstance(v, list):
        return wire.pack(v[0])
    kind, flags, seq, value = v
    if kind in (wire.CONNECT, wire.CONNECTOK):
        return wire.pack_frame(kind, flags, seq, wire.pack_greeting(*value))
    return wire.pack_frame(kind, flags, seq,
                           b"" if value == () else wire.pack(value))

def refused(name, data):
    try:
        decode(name, data)
    except WireError:
        return True
    return False

def check_vectors(path):
    found = vectors(path)
    for name, data in found.items():
        value = decode(name, data)
        print("%s: %r" % (name, value))
        verdict(encode(value) == data, "  the same bytes again")
        taken = [n for n in range(len(data)) if not refused(name, data[:n])]
        verdict(not taken, "  accepted when cut to %s" % taken if taken else
                "  refused when cut")
        verdict(refused(name, data + b"\0"), "  refused with a byte more")
    verdict(found, "%d dumps" % len(found))

# --- the scenario --------------------------------------------------------

class Listener:
    """What the server calls back while one of our calls waits for it."""
    def __init__(self, link):
        self.link, self.heard = link, []
    def changed(self, label):
        self.heard.append(label)
        return self.link.call("calc", "add", len(label), 100)
    def broken(self, label):
        raise KeyError(label)

def uri(name):
    return {"__class__": "Pyro5.core.URI",
            "state": ["PYRO", name, None, None, 0]}

class Raises(str):
    pass

def short(v):
    return repr(v) if len(repr(v)) < 60 else repr(v)[:56] + " ..."

def check(want, call, name, method, *args, **kw):
    """want: the result, or Raises with how the RemoteError begins."""
    what = ", ".join([short(a) for a in args] +
                     ["%s=%r" % item for item in kw.items()])
    try:
        got = call(name, method, *args, **kw)
        good, text = want == got and type(want) == type(got), short(got)
    except RemoteError as e:
        good = isinstance(want, Raises) and str(e).startswith(want)
        text = "%s\n    %s" % (e, "\n    ".join(e.traceback))
    text = "%s.%s(%s) -> %s" % (name, method, what, text)
    verdict(good, text if good else "%s\n  wanted %r" % (text, want))

ECHOES = [None, True, False, 0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1,
          2**32, 2**64 - 1, -1, -32, -33, -128, -129, -32768, -32769, -2**31,
          -2**31 - 1, -2**63, 0.0, 0.1, -1e300, "", "x" * 31, "x" * 32,
          "\u00e4\u20ac\U0001f600", "x" * 255, "x" * 256, b"", b"\0\xff",
          bytes(256), [], list(range(15)), list(range(16)), [[[]]], {},
          {"a": [1, {"b": None}]}, {"k%d" % i: i for i in range(16)}]

def wide(v):
    """The longest form of a value, where there is a choice."""
    if isinstance(v, int):
        return b"\xd3" + v.to_bytes(8, "big", signed=True)
    codes = {str: b"\xdb", list: b"\xdd", dict: b"\xdf"}
    parts = v.encode() if isinstance(v, str) else b"".join(
        wide(k) + (wide(v[k]) if isinstance(v, dict) else b"") for k in v)
    return codes[type(v)] + len(v).to_bytes(4, "big") + parts

def idle(link, seconds):
    until = time.monotonic() + seconds
    while select.select([link.socket], [], [],
                        max(until - time.monotonic(), 0))[0]:
        link.receive(until + 5)

def pings(link):
    """Both sides ask; the link outlives dead_ms only when both answer."""
    asked = link.asked
    link.send(wire.PING, 0, 0, b"")
    idle(link, 2 * link.dead_ms / 1000)
    verdict(link.answered == 1, "PING: answered")
    verdict(link.asked > asked, "silent for twice %d ms: answered %d PINGs"
            % (link.dead_ms, link.asked - asked))
    check(5, link.call, "calc", "add", 2, 3)

def attributes(link, call):
    calls = call("calc", "__getattr__", "calls")
    link.oneway("calc", "log", "hello")
    link.oneway("calc", "log", 5)         # a TypeError that nobody hears
    check(calls + 1, call, "calc", "__getattr__", "calls")
    check("bench 3", call, "calc", "__getattr__", "label")
    check(None, call, "calc", "__setattr__", "label", "bench 4")
    check("bench 4", call, "calc", "__getattr__", "label")
    check(None, call, "calc", "__setattr__", "label", "bench 3")
    check(True, call, "calc", "__hasattr__", "label")
    check(False, call, "calc", "__hasattr__", "nothing")
    check(Raises("AttributeError"), call, "calc", "__setattr__", "calls", 0)
    check(Raises("AttributeError"), call, "calc", "__getattr__", "nothing")

def daemon_object(call):
    check(None, call, wire.DAEMON, "ping")
    key = call(wire.DAEMON, "ResolvePYROLOC", "calc")
    verdict(re.fullmatch("[0-9a-f]{32}", key), "ResolvePYROLOC: %r" % key)
    check(5, call, key, "add", 2, 3)
    check({key: "calc"}, call, wire.DAEMON, "getRegistered")
    check({}, call, wire.DAEMON, "getRegistered", first=1)
    told = call(wire.DAEMON, "describe", "calc")
    verdict(told["class"] == "Calc" and ["add", "a:i b:i", "q", False]
            in told["methods"], "describe: %r" % told)
    check(Raises("NamingError"), call, wire.DAEMON, "describe", "nobody")

def too_many(link):
    """Connects until the server says that it is too busy."""
    others, why = [], ""
    try:
        while len(others) < 8:
            others.append(wire.Link(link.address))
    except WireError as e:
        why = str(e)
    verdict(why.startswith("refused: [1, "), "connection %d: %s"
            % (len(others) + 2, why))
    for other in others:
        other.socket.close()

def scenario(link):
    call = link.call
    print("greeted: features %02x, session %08x, largest body %d, dead_ms %d"
          % (link.features, link.session, link.largest, link.dead_ms))
    check(5, call, "calc", "add", 2, 3)
    check(5, call, "calc", "add", a=2, b=3)
    check(5, call, "calc", "add", 2, b=3)
    check(1 / 3, call, "calc", "div", 1, 3)
    check(Raises("ZeroDivisionError: division by zero"),
          call, "calc", "div", 1, 0)
    for args in [(1,), (1, 2, 3), (1, "two"), (1, 2**31)]:
        check(Raises("TypeError"), call, "calc", "add", *args)
    check(Raises("TypeError"), call, "calc", "add", 1, c=2)
    check(Raises("AttributeError"), call, "calc", "nothing")
    check(Raises("NamingError"), call, "nobody", "add", 2, 3)
    attributes(link, call)
    link.objects["listener"] = listener = Listener(link)
    check(107, call, "calc", "watch", uri("listener"))
    verdict(listener.heard == ["bench 3"], "heard: %r" % listener.heard)
    link.objects["listener"].changed = listener.broken
    check(Raises("KeyError"), call, "calc", "watch", uri("listener"))
    check(Raises("KeyError"), call, "calc", "watch", uri("nobody"))
    check(6, call, "calc", "sum", [1, 2, 3])
    check(0, call, "calc", "sum", [])
    check(Raises("TypeError"), call, "calc", "sum", [1, "two"])
    for value in ECHOES:
        check(value, call, "calc", "echo", value)
    body = wide(["calc", "add", [2], {"b": 3}])
    check(5, lambda *_: link.call_raw(body), "calc", "add", "in long forms")
    check(Raises("ProtocolError"), call, "calc", "echo", "x" * link.largest)
    check(5, call, "calc", "add", 2, 3)
    daemon_object(call)
    too_many(link)
    pings(link)

def main(args):
    here = os.path.dirname(os.path.abspath(__file__))
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if not args:
        check_vectors(os.path.join(here, "..", "pyro.h"))
    elif args[0] == "--vectors" and len(args) == 2:
        check_vectors(args[1])
    elif re.search(r":\d+$", args[-1]) and args[:-1] in ([], ["--checksum"]):
        try:
            scenario(wire.Link(args[-1], len(args) == 2, dead_ms=800))
        except (OSError, WireError, RemoteError) as e:
            verdict(False, "%s: %s" % (type(e).__name__, e))
    else:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0

sys.exit(main(sys.argv[1:]))
