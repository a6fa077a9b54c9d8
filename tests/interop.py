#!/usr/bin/env python3
"""Peers in Python of interop_server and interop_client.

usage: interop.py API calls SERIALIZER HOST:PORT   calls all that board has
       interop.py API callbacks SERIALIZER HOST:PORT   is called back by it
       interop.py API refused SERIALIZER HOST:PORT it is told why it cannot
       interop.py API serve [SERIALIZER...]        a daemon with object meter,
                                 that lacks these serializers, until killed
       interop.py API rate SERIALIZER OBJECT@HOST:PORT SECONDS
                                 calls of add in a second, as long
       interop.py API server                       a name server, until killed
       interop.py API names SERIALIZER HOST:PORT UDP_PORT
                                 uses a name server of ours

API is Pyro5 (that of PYRO5_DIR, if set, else the stand-in of tests/) or Pyro4.
What calls prints "N passed, N failed" last; the status is 0 if none failed.
"""
import math, os, sys, threading, time
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
passed = failed = 0

def verdict(good, text):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED: " + text)

def check(want, function, *args, **kw):
    """Calls, and compares what comes with what should; types too."""
    what = "%s%r%s" % (getattr(function, "name", getattr(
        function, "_RemoteMethod__name", getattr(
            function, "__name__", "?"))), args, kw or "")
    try:
        is_ = function(*args, **kw)
    except Exception as e:
        is_ = e
    if isinstance(want, type) and issubclass(want, Exception):
        good = type(is_).__name__ == want.__name__
    elif isinstance(want, float) and math.isnan(want):
        good = isinstance(is_, float) and math.isnan(is_)
    else:
        good = type(is_) is type(want) and is_ == want
    verdict(good, "%s is %r, should be %r" % (what[:200], is_, want))
    return is_

class Api:
    """What differs between Pyro5 and Pyro4."""
    def __init__(self, name):
        self.four = name == "Pyro4"
        if self.four:
            import Pyro4
            import Pyro4.naming
            self.lib, self.errors = Pyro4, Pyro4.errors
            self.batch = Pyro4.batch
            Pyro4.config.SERIALIZERS_ACCEPTED = {
                "serpent", "json", "marshal", "msgpack"}
        else:
            sys.path.insert(0, os.environ.get("PYRO5_DIR") or
                            os.path.join(HERE, "standin"))
            import Pyro5.api, Pyro5.errors
            self.lib, self.errors = Pyro5.api, Pyro5.errors
            self.batch = Pyro5.api.BatchProxy
            self.config = Pyro5.config
        self.config = self.lib.config
        self.config.COMMTIMEOUT = 10.0

# --- a client of board ----------------------------------------------------

TEXT = "\u00fcn\u00efc\u00f6de \u20ac \U0001f600 ' \" \\ \n \t \x00 \x7f"
VALUES = [None, True, False, 0, -1, 127, -129, 2 ** 31, -2 ** 31, 2 ** 63 - 1,
          -2 ** 63, 2 ** 64 - 1, 0.0, -0.5, 0.1, 1e300, 5e-324, 1e16, 1e-7,
          123456.789, 1 / 3, "", "a", "x" * 31, "x" * 32, "x" * 300, TEXT,
          [], [1], [1, 2.5, "a", None, [True, []]], list(range(40)), {},
          {"a": 1, "b": {"c": [1, 2]}}, {"k%d" % i: i for i in range(20)}]

def listed(v):
    """As it comes back: lists for what JSON or MessagePack have not."""
    if isinstance(v, (list, tuple)):
        return [listed(x) for x in v]
    return {k: listed(x) for k, x in v.items()} if isinstance(v, dict) else v

def echoes(api, p, serializer):
    for v in VALUES:
        check(v, p.echo, v)
    for v in (float("inf"), float("-inf"), float("nan")):
        check(v, p.echo, v)
    check([1, [2, "x"]], lambda v: listed(p.echo(v)), (1, (2, "x")))
    if serializer == "serpent":
        import serpent
        for v in (b"", b"\x00", b"\x00\xff", bytes(range(256))):
            check(v, lambda v: serpent.tobytes(p.echo(v)), v)
        check([1, 2, 3], lambda v: sorted(p.echo(v)), {1, 2, 3})
        check({1: 2, "a": [3]}, p.echo, {1: 2, "a": (3,)})
    elif serializer == "msgpack":
        for v in (b"", b"\x00\xff", bytes(range(256))):
            check(v, p.echo, v)

def exceptions(api, p):
    e = check(ZeroDivisionError, p.div, 1, 0)
    verdict(str(e) == "division by zero", "message: %r" % e)
    trace = getattr(e, "_pyroTraceback", None)
    verdict(trace and "board.div" in "".join(trace), "traceback: %r" % trace)
    check(TypeError, p.add, 1, "x")
    check(TypeError, p.add, 1)
    check(TypeError, p.add, 1, 2, 3)
    check(TypeError, p.add, 1, c=2)
    check(AttributeError, lambda: p.nothing)
    check(AttributeError, p._pyroInvoke, "nothing", (), {})
    check(AttributeError, p._pyroInvoke, "__getattr__", ("nothing",), None)

def attributes(api, p):
    check("bench 3", lambda: p.label)
    check(21.5, lambda: p.temperature)
    check(False, lambda: p.led)
    p.label, p.led, p.temperature = "bench \u20ac", True, 22
    check("bench \u20ac", lambda: p.label)
    check(True, lambda: p.led)
    check(22.0, lambda: p.temperature)
    check(AttributeError, setattr, p, "calls", 7)
    check(TypeError, setattr, p, "led", "no")
    p.label, p.led, p.temperature = "bench 3", False, 21.5

def metadata(api, p):
    verdict(p._pyroMethods == {"add", "div", "echo", "log", "sum", "where",
                               "whose", "notify"}, "methods")
    verdict(p._pyroOneway == {"log"}, "oneway")
    verdict(p._pyroAttrs == {"calls", "temperature", "led", "label"}, "attrs")

def calls_and_oneways(api, p):
    check(7, p.add, 3, 4)
    check(70005, p.add, a=5, b=70000)
    check(70005, p.add, 5, b=70000)
    check(2 ** 40 - 1, p.add, 2 ** 40, -1)
    check(1 / 3, p.div, 1, 3)
    check(5050, p.sum, list(range(101)))
    before = p.calls
    check(None, p.log, "logged")
    check("logged", lambda: p.label)
    check(before + 1, lambda: p.calls)
    p.label = "bench 3"

def batches(api, p):
    b = api.batch(p)
    for i in range(5):
        b.add(i, 1)
    check([1, 2, 3, 4, 5], lambda: list(b()))
    b.add(1, 1)
    b.div(1, 0)
    b.add(2, 2)
    results = b()
    check(2, lambda: next(iter(results)))
    def rest():
        for v in results:
            pass
    check(ZeroDivisionError, rest)
    before = p.calls
    b.add(1, 1)
    b.add(2, 2)
    check(None, b, oneway=True)
    check(before + 2, lambda: p.calls)

def uris(api, p, where):
    u = check("board", lambda: p.where().object)
    u = p.where()
    verdict(u.host + ":" + str(u.port) == where, "where: %s" % u)
    with api.lib.Proxy(u) as q:
        check(3, q.add, 1, 2)
    text = "PYRO:calc@10.0.0.7:7766"
    check(text, p.whose, api.lib.URI("PYRO:calc@10.0.0.7:7766"))
    check(text, p.whose, api.lib.Proxy("PYRO:calc@10.0.0.7:7766"))
    check("calc", lambda: p.echo(
        api.lib.URI("PYRO:calc@10.0.0.7:7766")).object)

def daemon_object(api, where):
    with api.lib.Proxy("PYRO:Pyro.Daemon@" + where) as d:
        check(None, d.ping)
        check(True, lambda: "board" in d.registered())
        verdict(isinstance(d.info(), str), "info")
        check("Board", lambda: d.describe("board")["class"])
        verdict(set(d.get_metadata("board")["oneway"]) == {"log"},
                "get_metadata")
    nobody = api.lib.Proxy("PYRO:nobody@" + where)
    check(api.errors.CommunicationError, nobody._pyroBind)

def too_long(api, p):
    try:
        p.echo("x" * 5000)
        verdict(False, "5000 bytes were taken")
    except Exception as e:
        verdict("5" in str(e), "too long: %r" % e)
    check(7, p.add, 3, 4)

class Listener:
    def __init__(self):
        self.seen = []
    def changed(self, label, i):
        self.seen.append((label, i))
        if label == "raise":
            raise KeyError("listener")
        return 10 * i

def callbacks(api, serializer, where):
    """An object of ours is called by the board, over its own connection."""
    api.config.SERIALIZER = serializer
    listener = Listener()
    with api.lib.Daemon(host="127.0.0.1") as d, \
            api.lib.Proxy("PYRO:board@" + where) as p:
        threading.Thread(target=d.requestLoop, daemon=True).start()
        api.lib.expose(Listener)
        d.register(listener)
        check(20, p.notify, listener, 3)
        verdict(listener.seen == [("bench 3", i) for i in range(3)],
                "seen: %r" % listener.seen)
        p.label = "raise"
        check(KeyError, p.notify, listener, 1)
        p.label = "bench 3"
        d.shutdown()

def calls(api, serializer, where):
    api.config.SERIALIZER = serializer
    with api.lib.Proxy("PYRO:board@" + where) as p:
        p._pyroBind()
        metadata(api, p)
        calls_and_oneways(api, p)
        attributes(api, p)
        exceptions(api, p)
        echoes(api, p, serializer)
        batches(api, p)
        uris(api, p, where)
        daemon_object(api, where)
        too_long(api, p)
        with api.lib.Proxy("PYRO:board@" + where) as q: # a second connection
            check(7, q.add, 3, 4)
            check(8, p.add, 4, 4)

def names(api, serializer, where, udp_port):
    """A name server of ours, as theirs is used."""
    api.config.SERIALIZER = serializer
    host, port = where.split(":")
    locate = api.lib.locateNS if api.four else api.lib.locate_ns
    ns, naming = locate(host, int(port)), "NamingError"
    error = api.errors.NamingError
    def fails(text, function, *args, **kw):
        e = check(error, function, *args, **kw)
        verdict(text in str(e), "%r, should say %r" % (e, text))
    check(None, ns.ping)
    before = ns.count()
    verdict("Pyro.NameServer" in ns.list(), "it lists itself")
    verdict(ns.lookup("Pyro.NameServer").object == "Pyro.NameServer",
            "it finds itself")
    check(["class:Pyro5.nameserver.NameServer"], lambda: list(ns.lookup(
        "Pyro.NameServer", return_metadata=True)[1]))
    uri = api.lib.URI("PYRO:obj_0123456789abcdef0123456789abcdef@10.0.0.7:99")
    check(None, ns.register, "test.one", uri)
    check(None, ns.register, "test.two", "PYRO:two@10.0.0.7:98", safe=True,
          metadata=["red", "blue"])
    check(None, ns.register, name="test.three", uri=str(uri), safe=False,
          metadata={"red"})
    check(None, ns.register, "other", str(uri), False, None)
    check(before + 4, ns.count)
    check(str(uri), lambda: str(ns.lookup("test.one")))
    check("PYRO:two@10.0.0.7:98", lambda: str(ns.lookup(name="test.two")))
    u, meta = ns.lookup("test.two", return_metadata=True)
    verdict(str(u) == "PYRO:two@10.0.0.7:98" and
            sorted(meta) == ["blue", "red"], "%s %r" % (u, meta))
    fails("unknown name: nobody", ns.lookup, "nobody")
    fails("test.two", ns.register, "test.two", uri, safe=True)
    fails("part of this name", ns.register, "other.x", uri)
    check(TypeError, ns.register, "bad", 7)
    check(TypeError, ns.register, "bad")
    check(TypeError, ns.lookup, "other", nothing=1)
    check(TypeError, ns.lookup, 5)
    check({"test.one": str(uri), "test.two": "PYRO:two@10.0.0.7:98",
           "test.three": str(uri)}, lambda: dict(ns.list(prefix="test.")))
    check({"test.one": str(uri)}, lambda: dict(ns.list("test.o")))
    both = ns.list(prefix="test.t", return_metadata=True)
    verdict({k: (v[0], sorted(v[1])) for k, v in both.items()} == {
        "test.two": ("PYRO:two@10.0.0.7:98", ["blue", "red"]),
        "test.three": (str(uri), ["red"])}, "with metadata: %r" % both)
    check({}, lambda: dict(ns.list(prefix="nothing")))
    fails("prefix", ns.list, regex="test.*")
    tagged = (lambda all_=None, any_=None: sorted(ns.list(
        metadata_all=all_, metadata_any=any_))) if api.four else (
        lambda all_=None, any_=None: sorted(ns.yplookup(
            meta_all=all_, meta_any=any_, return_metadata=False)))
    check(["test.three", "test.two"], tagged, ["red"])
    check(["test.two"], tagged, ["red", "blue"])
    check(["test.three", "test.two"], tagged, None, ["blue", "red"])
    check([], tagged, ["green"])
    check(None, ns.set_metadata, "test.one", ["green"])
    check(["test.one"], tagged, ["green"])
    fails("unknown name: nobody", ns.set_metadata, "nobody", [])
    check(None, ns.register, "test.one", "PYRO:one@10.0.0.8:1")
    check("PYRO:one@10.0.0.8:1", lambda: str(ns.lookup("test.one")))
    check(1, ns.remove, "test.one")
    check(0, ns.remove, "test.one")
    check(0, ns.remove, "Pyro.NameServer")
    check(2, ns.remove, prefix="test.")
    check(1, ns.remove, name="other")
    check(before, ns.count)
    found(api, host, port, int(udp_port), locate)

def found(api, host, port, udp_port, locate):
    """By their broadcast, when nobody is at the usual port."""
    api.config.NS_PORT, api.config.NS_BCPORT = 1, udp_port
    ns = locate()
    uri = ns._pyroUri
    verdict((uri.object, uri.port) == ("Pyro.NameServer", int(port)),
            "by broadcast: %s" % uri)
    check(None, ns.ping)
    api.config.NS_HOST, api.config.NS_PORT = host, int(port)
    ns = locate()   # directly, at the host and port that are configured
    check(None, ns.ping)

def pyroname(api, serializer, where, name):
    """An object of ours is found by a name that it has registered itself."""
    api.config.SERIALIZER = serializer
    with api.lib.Proxy("PYRONAME:%s@%s" % (name, where)) as p:
        check(7, p.add, 3, 4)

# --- a daemon -------------------------------------------------------------

class Meter:
    def __init__(self):
        self._value, self.text = 1.5, ""
    def add(self, a, b=1):
        return a + b
    def div(self, a, b):
        return a / b
    def echo(self, value):
        return value
    def log(self, text):
        self.text = text
    def logged(self):
        return self.text
    def deep(self, n):
        """Fails with a traceback as long as wanted."""
        return self.deep(n - 1) if n > 0 else self.add(None, 1)
    def me(self):
        return self
    def uri(self):
        return self._pyroDaemon.uriFor(self)
    def call(self, board, n):
        """Calls an object of the caller's node back."""
        with type(self).api.lib.Proxy(board) as p:
            return p.add(n, 1)
    @property
    def value(self):
        return self._value
    @value.setter
    def value(self, v):
        self._value = v

def serve(api, *lacking):
    Meter.api, Meter.log = api, api.lib.oneway(Meter.log)
    api.lib.expose(Meter)
    d = api.lib.Daemon(host="127.0.0.1")
    if api.four:
        api.config.SERIALIZERS_ACCEPTED -= set(lacking)
    elif hasattr(d, "refuse"):
        d.refuse = lacking
    else: # as if they had never been installed
        import Pyro5.serializers as known
        for name in lacking:
            known.serializers_by_id.pop(
                known.serializers.pop(name).serializer_id)
    d.register(Meter(), "meter")
    print("meter is at", d.locationStr, flush=True)
    d.requestLoop()

def server(api):
    if api.four:
        uri, d, _ = api.lib.naming.startNS("127.0.0.1", 0,
                                           enableBroadcast=False)
    else:
        uri, d = api.lib.start_ns("127.0.0.1", 0)[:2]
    print("names are at %s:%d" % (uri.host, uri.port), flush=True)
    d.requestLoop()

def rate(api, serializer, where, seconds):
    api.config.SERIALIZER = serializer
    with api.lib.Proxy("PYRO:" + where) as p:
        p.add(1, 2)
        n, start = 0, time.monotonic()
        while (took := time.monotonic() - start) < float(seconds):
            p.add(n, 2)
            n += 1
    print("%.0f calls/s" % (n / took))
    verdict(n > 100, "hardly any calls")

def refused(api, serializer, where):
    """A daemon without its serializer says so in words."""
    api.config.SERIALIZER = serializer
    try:
        api.lib.Proxy("PYRO:board@" + where)._pyroBind()
        verdict(False, "connected in spite of its serializer")
    except api.errors.CommunicationError as e:
        print(e)
        verdict("msgpack" in str(e) and "SERIALIZER" in str(e), repr(e))

def main(args):
    commands = {"calls": calls, "callbacks": callbacks, "names": names,
                "pyroname": pyroname, "refused": refused, "serve": serve,
                "server": server, "rate": rate}
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if len(args) < 2 or args[1] not in commands:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        commands[args[1]](Api(args[0]), *args[2:])
    except Exception as e:
        verdict(False, "%s: %s" % (type(e).__name__, e))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0

sys.exit(main(sys.argv[1:]))
