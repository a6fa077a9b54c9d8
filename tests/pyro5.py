"""The wire of Pyro5 (version 502) a second time, for tests where Pyro5 itself
is not installed: as strict with its peer as an unmodified one. It has the names
of Pyro5.api that the tests and examples use; standin/Pyro5 makes them a package.
"""
import builtins, json, marshal, re, socket, struct, threading, uuid
try:
    import serpent
except ImportError:
    serpent = None
try:
    import msgpack
except ImportError:
    msgpack = None

VERSION, MAGIC = 502, 0x4dc5
CONNECT, CONNECTOK, CONNECTFAIL, INVOKE, RESULT, PING = range(1, 7)
F_EXCEPTION, F_COMPRESSED, F_ONEWAY, F_BATCH, F_STREAM = 1, 2, 4, 8, 16
F_CORR_ID = 64
HEADER = struct.Struct("!4sHBBHHII16sHH")
LARGEST = 1 << 30

class config:
    SERIALIZER = "serpent"
    COMMTIMEOUT = 10.0
    NS_HOST, NS_PORT, NS_BCPORT = "localhost", 9090, 9091

# --- errors, by the names that travel -------------------------------------

class PyroError(Exception):
    pass
class CommunicationError(PyroError):
    pass
class ConnectionClosedError(CommunicationError):
    pass
class TimeoutError(CommunicationError):
    pass
class ProtocolError(CommunicationError):
    pass
class NamingError(PyroError):
    pass
class DaemonError(PyroError):
    pass
class SerializeError(PyroError):
    pass

ERRORS = {c.__name__: c for c in (
    PyroError, CommunicationError, ConnectionClosedError, TimeoutError,
    ProtocolError, NamingError, DaemonError, SerializeError)}

# --- values ---------------------------------------------------------------

class URI:
    def __init__(self, text):
        if isinstance(text, URI):
            text = str(text)
        m = re.match(r"(PYRO|PYRONAME):([^\s@]+)(?:@([^\s:]+|\[[^\s]+\])"
                     r"(?::(\d+))?)?$", text)
        if not m or (m[1] == "PYRO" and not m[4]):
            raise PyroError("invalid uri: " + text)
        self.protocol, self.object, self.host = m[1], m[2], m[3]
        self.port = int(m[4]) if m[4] else None
        self.sockname = None
    def __str__(self):
        return "%s:%s" % (self.protocol, self.object) + (
            "@%s:%d" % (self.host, self.port) if self.host else "")
    def __eq__(self, other):
        return str(self) == str(other)

class _ExceptionWrapper:
    def __init__(self, exception):
        self.exception = exception

def to_dict(v):
    """What travels for a value that no serializer knows."""
    if isinstance(v, URI):
        return {"__class__": "Pyro5.core.URI", "state": (
            v.protocol, v.object, v.sockname, v.host, v.port)}
    if isinstance(v, Proxy):
        return {"__class__": "Pyro5.client.Proxy", "state": (
            str(v._pyroUri), tuple(v._pyroOneway), tuple(v._pyroMethods),
            tuple(v._pyroAttrs), "hello", v._pyroSerializer)}
    if isinstance(v, _ExceptionWrapper):
        return {"__class__": "Pyro5.core._ExceptionWrapper",
                "exception": to_literal(v.exception)}
    if isinstance(v, BaseException):
        module = "Pyro5.errors" if type(v).__name__ in ERRORS else \
            type(v).__module__
        return {"__class__": module + "." + type(v).__name__,
                "__exception__": True, "args": to_literal(v.args),
                "attributes": to_literal(vars(v))}
    if getattr(v, "_pyroDaemon", None):     # a registered object
        return to_dict(Proxy(v._pyroDaemon.uriFor(v)))
    raise SerializeError("cannot serialize " + repr(v))

def to_literal(v):
    if v is None or isinstance(v, (bool, int, float, str, bytes)):
        return v
    if isinstance(v, (list, tuple)):
        return type(v)(map(to_literal, v))
    if isinstance(v, (set, frozenset)):
        return {to_literal(x) for x in v}
    if isinstance(v, dict):
        return {to_literal(k): to_literal(x) for k, x in v.items()}
    return to_dict(v)

def from_dict(d):
    name = d["__class__"]
    if name == "Pyro5.core.URI":
        protocol, obj, _, host, port = d["state"]
        return URI("%s:%s@%s:%d" % (protocol, obj, host, port))
    if name == "Pyro5.client.Proxy":
        p = Proxy(d["state"][0])
        p._pyroOneway, p._pyroMethods, p._pyroAttrs = map(
            set, d["state"][1:4])
        return p
    if name == "Pyro5.core._ExceptionWrapper":
        ex = d["exception"]
        return _ExceptionWrapper(from_dict(ex) if isinstance(ex, dict)
                                 else ex)
    short = name.split(".")[-1]
    if "." in name and not name.startswith(("builtins.", "Pyro5.errors.",
                                            "exceptions.")):
        raise SerializeError("unsupported serialized class: " + name)
    cls = ERRORS.get(short) or getattr(builtins, short, None)
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        raise SerializeError("unsupported serialized class: " + name)
    ex = cls(*d["args"])
    for k, v in d.get("attributes", {}).items():
        setattr(ex, k, v)
    return ex

def from_literal(v):
    if isinstance(v, (list, tuple, set)):
        return type(v)(map(from_literal, v))
    if isinstance(v, dict):
        if "__class__" in v and v["__class__"] != "float":
            return from_dict(v)
        return {k: from_literal(x) for k, x in v.items()}
    return v

def float_class(v):   # how serpent writes nan
    if isinstance(v, dict) and v.get("__class__") == "float":
        return float(v["value"])
    if isinstance(v, (list, tuple)):
        return type(v)(map(float_class, v))
    return {k: float_class(x) for k, x in v.items()} \
        if isinstance(v, dict) else v

def lists(v):    # json has no sets
    if isinstance(v, (list, tuple, set, frozenset)):
        return [lists(x) for x in v]
    return {k: lists(x) for k, x in v.items()} if isinstance(v, dict) else v

def msgpack_loads(data):
    return msgpack.unpackb(data, raw=False)

# name: (id, dumps, loads), of literals
SERIALIZERS = {
    "marshal": (2, lambda v: marshal.dumps(v), marshal.loads),
    "json": (3, lambda v: json.dumps(lists(v), ensure_ascii=False).encode(),
             lambda b: json.loads(b.decode()))}
if serpent:
    SERIALIZERS["serpent"] = (1, serpent.dumps,
                              lambda b: float_class(serpent.loads(b)))
if msgpack:
    SERIALIZERS["msgpack"] = (
        4, lambda v: msgpack.packb(lists(v), use_bin_type=True),
        msgpack_loads)
BY_ID = {SERIALIZERS[s][0]: s for s in SERIALIZERS}

def dumps(name, value):
    return SERIALIZERS[name][1](to_literal(value))

def loads(name, data):
    return from_literal(SERIALIZERS[name][2](data))

def dumps_call(name, obj, method, args, kwargs):
    if name == "json":
        return dumps(name, {"object": obj, "method": method, "params": args,
                            "kwargs": kwargs})
    return dumps(name, (obj, method, args, kwargs))

def loads_call(name, data):
    v = loads(name, data)
    if name == "json":
        return v["object"], v["method"], v["params"], v["kwargs"]
    obj, method, args, kwargs = v
    return obj, method, args, kwargs

# --- messages -------------------------------------------------------------

def send(sock, kind, serializer, flags, seq, data, corr=None):
    annotations = b""
    if corr:
        flags |= F_CORR_ID
    sock.sendall(HEADER.pack(
        b"PYRO", VERSION, kind, serializer, flags, seq, len(data),
        len(annotations), corr.bytes if corr else bytes(16), 0, MAGIC) +
        annotations + data)

def take(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(min(n - len(data), 65536))
        if not more:
            raise ConnectionClosedError("receiving: connection lost")
        data += more
    return data

class Message:
    """One message, every field of its header checked."""
    def __init__(self, sock, accepted):
        head = take(sock, 6)
        if head[:4] != b"PYRO" or struct.unpack("!H", head[4:])[0] != VERSION:
            raise ProtocolError("invalid data or protocol version")
        (_, _, self.type, self.serializer, self.flags, self.seq, size, extra,
         self.corr, _, magic) = HEADER.unpack(head + take(sock, 34))
        if magic != MAGIC:
            raise ProtocolError("message corrupt (magic number)")
        if self.type not in accepted:
            raise ProtocolError("invalid msg type %d received" % self.type)
        if size + extra > LARGEST:
            raise ProtocolError("message too large")
        annotations, self.annotations = take(sock, extra), {}
        while annotations:
            key, n = struct.unpack("!4sI", annotations[:8])
            if len(annotations) < 8 + n:
                raise ProtocolError("annotations cut")
            self.annotations[key.decode("ascii")] = annotations[8:8 + n]
            annotations = annotations[8 + n:]
        self.data = take(sock, size)
        if self.flags & F_COMPRESSED:
            raise ProtocolError("compressed, which nobody asked for")

# --- client ---------------------------------------------------------------

class Method:
    def __init__(self, proxy, name):
        self.proxy, self.name = proxy, name
    def __call__(self, *args, **kwargs):
        return self.proxy._pyroInvoke(self.name, args, kwargs)

class Proxy:
    def __init__(self, uri):
        v = self.__dict__
        v["_pyroUri"], v["_pyroConnection"] = URI(uri), None
        v["_pyroSeq"], v["_pyroSerializer"] = 0, None
        v["_pyroMethods"], v["_pyroOneway"] = set(), set()
        v["_pyroAttrs"], v["_pyroLock"] = set(), threading.RLock()
        v["_pyroTimeout"], v["_pyroHandshake"] = config.COMMTIMEOUT, "hello"
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self._pyroRelease()
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if not self._pyroMethods and not self._pyroAttrs:
            self._pyroBind()
        if name in self._pyroAttrs:
            return self._pyroInvoke("__getattr__", (name,), None)
        if name not in self._pyroMethods:
            raise AttributeError("remote object '%s' has no exposed attribute"
                                 " or method '%s'" % (self._pyroUri, name))
        return Method(self, name)
    def __setattr__(self, name, value):
        if name in self.__dict__:
            self.__dict__[name] = value
            return
        if not self._pyroMethods and not self._pyroAttrs:
            self._pyroBind()
        if name not in self._pyroAttrs:
            raise AttributeError("remote object '%s' has no exposed attribute"
                                 " '%s'" % (self._pyroUri, name))
        self._pyroInvoke("__setattr__", (name, value), None)
    def _pyroRelease(self):
        if self._pyroConnection:
            self._pyroConnection.close()
        self._pyroConnection = None
    def _pyroBind(self):
        if self._pyroConnection:
            return False
        uri = resolve(self._pyroUri)
        name = self._pyroSerializer or config.SERIALIZER
        try:
            sock = socket.create_connection((uri.host, uri.port),
                                            self._pyroTimeout)
        except OSError as e:
            raise CommunicationError("cannot connect to (%s, %d): %s" % (
                uri.host, uri.port, e))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = SERIALIZERS[name][0]
        send(sock, CONNECT, number, 0, self._pyroSeq, dumps(name, {
            "handshake": self._pyroHandshake, "object": uri.object}),
            uuid.uuid4())
        m = self._pyroReceive(sock, (CONNECTOK, CONNECTFAIL))
        if m.serializer not in BY_ID:
            raise ProtocolError("serializer %d in a reply" % m.serializer)
        answer = loads(BY_ID[m.serializer], m.data)
        if m.type == CONNECTFAIL:
            sock.close()
            raise CommunicationError("connection to (%s, %d) rejected: %s" % (
                uri.host, uri.port, answer))
        self._pyroConnection, meta = sock, answer["meta"]
        if meta:
            self._pyroMetadata(meta)
        else:
            self._pyroMetadata(self._pyroInvoke(
                "get_metadata", (uri.object,), {}, "Pyro.Daemon"))
        return True
    def _pyroMetadata(self, meta):
        self._pyroMethods = set(meta["methods"])
        self._pyroOneway = set(meta["oneway"])
        self._pyroAttrs = set(meta["attrs"])
        if not self._pyroMethods and not self._pyroAttrs:
            raise PyroError("remote object doesn't expose any methods or "
                            "attributes")
    def _pyroReceive(self, sock, accepted):
        try:
            m = Message(sock, accepted)
        except socket.timeout:
            self._pyroRelease()
            raise TimeoutError("receiving: timeout")
        if m.seq != self._pyroSeq:
            raise ProtocolError("reply sequence out of sync: got %d, expected"
                                " %d" % (m.seq, self._pyroSeq))
        return m
    def _pyroInvoke(self, method, args, kwargs, obj=None, flags=0):
        with self._pyroLock:
            self._pyroBind()
            name = self._pyroSerializer or config.SERIALIZER
            number = SERIALIZERS[name][0]
            obj = obj or resolve(self._pyroUri).object
            if method in self._pyroOneway:
                flags |= F_ONEWAY
            self._pyroSeq = self._pyroSeq + 1 & 0xffff
            try:
                send(self._pyroConnection, INVOKE, number, flags,
                     self._pyroSeq, dumps_call(name, obj, method, args,
                                               kwargs), uuid.uuid4())
                if flags & F_ONEWAY:
                    return None
                m = self._pyroReceive(self._pyroConnection, (RESULT,))
                if m.serializer != number:
                    raise ProtocolError("invalid serializer in reply: %d" %
                                        m.serializer)
            except (CommunicationError, OSError):
                self._pyroRelease()
                raise
            if m.flags & F_STREAM:
                raise ProtocolError("an item stream")
            value = loads(name, m.data)
            if m.flags & F_EXCEPTION:
                raise value
            return value

class BatchProxy:
    def __init__(self, proxy):
        self._proxy, self._calls = proxy, []
    def __getattr__(self, name):
        return lambda *args, **kw: self._calls.append((name, args, kw))
    def __call__(self, oneway=False):
        calls, self._calls = self._calls, []
        v = self._proxy._pyroInvoke("<batch>", calls, None, flags=F_BATCH | (
            F_ONEWAY if oneway else 0))
        return None if oneway else self._results(v)
    def _results(self, values):
        for v in values:
            if isinstance(v, _ExceptionWrapper):
                raise v.exception
            yield v

# --- daemon ---------------------------------------------------------------

def expose(thing):
    if isinstance(thing, property):
        for f in (thing.fget, thing.fset):
            if f:
                f._pyroExposed = True
    else:
        thing._pyroExposed = True
    return thing

def oneway(method):
    method._pyroOneway = True
    return method

def callback(method):
    return method

def metadata(obj):
    methods, ways, attrs = set(), set(), set()
    whole = vars(type(obj)).get("_pyroExposed")
    for name in dir(type(obj)):
        if name.startswith("_"):
            continue
        v = getattr(type(obj), name)
        if isinstance(v, property):
            if whole or getattr(v.fget, "_pyroExposed", False):
                attrs.add(name)
        elif callable(v) and (whole or getattr(v, "_pyroExposed", False)):
            methods.add(name)
            if getattr(v, "_pyroOneway", False):
                ways.add(name)
    return {"methods": methods, "oneway": ways, "attrs": attrs}

@expose
class DaemonObject:
    def __init__(self, daemon):
        self.daemon = daemon
    def get_metadata(self, objectId):
        if objectId not in self.daemon.objects:
            raise DaemonError("unknown object")
        return metadata(self.daemon.objects[objectId])
    def ping(self):
        pass
    def registered(self):
        return list(self.daemon.objects)
    def info(self):
        return "a stand-in for Pyro5 at " + self.daemon.locationStr

class Daemon:
    def __init__(self, host="127.0.0.1", port=0, natport=0):
        self.sock = socket.create_server((host, port))
        self.locationStr = "%s:%d" % self.sock.getsockname()[:2]
        self.objects = {"Pyro.Daemon": DaemonObject(self)}
        self.over = threading.Event()
        self.refuse = ()      # names of serializers that are "not installed"
    def register(self, obj, objectId=None, force=False):
        name = objectId or "obj_" + uuid.uuid4().hex
        if name in self.objects and not force:
            raise DaemonError("an object or class is already registered with"
                              " that id")
        self.objects[name] = obj
        obj._pyroDaemon, obj._pyroId = self, name
        return self.uriFor(obj)
    def uriFor(self, obj):
        name = obj if isinstance(obj, str) else obj._pyroId
        return URI("PYRO:%s@%s" % (name, self.locationStr))
    def requestLoop(self):
        self.sock.settimeout(0.1)
        while not self.over.is_set():
            try:
                sock, _ = self.sock.accept()
            except socket.timeout:
                continue
            sock.settimeout(None)
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()
    def shutdown(self):
        self.over.set()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.close()
    def close(self):
        self.over.set()
        self.sock.close()
    def serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            try:
                if self.handshake(sock):
                    while self.request(sock):
                        pass
            except (CommunicationError, OSError):
                pass       # closed silently, as the real one
    def handshake(self, sock):
        try:
            m = Message(sock, range(256))
        except ConnectionClosedError:
            raise
        except ProtocolError as e:
            send(sock, CONNECTFAIL, 2, 0, 0, marshal.dumps(str(e)))
            return False
        name = BY_ID.get(m.serializer)
        if name is None or name in self.refuse:
            return False
        failure, body = None, None
        if m.type != CONNECT:
            failure = "invalid msg type %d received (expected: 1)" % m.type
        else:
            body = loads(name, m.data)
            for key in "handshake", "object":
                if key not in body:
                    failure = failure or repr(key)
            if not failure and body["object"] not in self.objects:
                failure = "unknown object"
        if failure:
            send(sock, CONNECTFAIL, m.serializer, 0, m.seq,
                 dumps(name, failure))
            return False
        send(sock, CONNECTOK, m.serializer, 0, m.seq, dumps(name, {
            "handshake": "hello",
            "meta": metadata(self.objects[body["object"]])}))
        return True
    def request(self, sock):
        m = Message(sock, (INVOKE, PING))
        if m.type == PING:
            send(sock, PING, m.serializer, 0, m.seq, b"pong")
            return True
        name = BY_ID.get(m.serializer)
        if name is None or name in self.refuse:
            return False
        flags = 0
        try:
            obj, method, args, kwargs = loads_call(name, m.data)
            result = self.call(obj, method, args, kwargs, m.flags)
            if m.flags & F_BATCH:
                flags |= F_BATCH
        except Exception as e:
            e._pyroTraceback = ["Traceback (most recent call last):\n",
                                "  in the stand-in\n"] * 8
            flags, result = F_EXCEPTION, e
        if not m.flags & F_ONEWAY:
            corr = uuid.UUID(bytes=m.corr) if m.flags & F_CORR_ID else \
                uuid.uuid4()
            send(sock, RESULT, m.serializer, flags, m.seq,
                 dumps(name, result), corr)
        return True
    def call(self, name, method, args, kwargs, flags):
        if name not in self.objects:
            raise DaemonError("unknown object")
        obj = self.objects[name]
        meta = metadata(obj)
        if flags & F_BATCH:
            results = []
            for method, args, kwargs in args:
                try:
                    results.append(self.one(obj, meta, method, args, kwargs))
                except Exception as e:
                    results.append(_ExceptionWrapper(e))
                    break
            return results
        if method in ("__getattr__", "__setattr__"):
            if args[0] not in meta["attrs"]:
                raise AttributeError("attempt to access unexposed attribute '"
                                     + args[0] + "'")
            return getattr(obj, args[0]) if method == "__getattr__" else \
                setattr(obj, *args)
        return self.one(obj, meta, method, args, kwargs)
    def one(self, obj, meta, method, args, kwargs):
        if method not in meta["methods"]:
            raise AttributeError("attempt to access unexposed or unknown "
                                 "remote method '%s'" % method)
        if not isinstance(kwargs, dict):
            raise TypeError("kwargs must be a map")
        return getattr(obj, method)(*args, **kwargs)

# --- names ----------------------------------------------------------------

NAMESERVER = "Pyro.NameServer"

@expose
class NameServer:
    def __init__(self):
        self.names, self.lock = {}, threading.Lock()
    def count(self):
        return len(self.names)
    def ping(self):
        pass
    def lookup(self, name, return_metadata=False):
        if name not in self.names:
            raise NamingError("unknown name: " + name)
        uri, meta = self.names[name]
        return (URI(uri), meta) if return_metadata else URI(uri)
    def register(self, name, uri, safe=False, metadata=None):
        if not isinstance(name, str) or not isinstance(uri, (str, URI)):
            raise TypeError("only URIs or strings can be registered")
        if safe and name in self.names:
            raise NamingError("name already registered: " + name)
        self.names[name] = str(URI(uri)), set(metadata or ())
    def set_metadata(self, name, metadata):
        self.names[name] = self.lookup(name) and self.names[name][0], \
            set(metadata)
    def remove(self, name=None, prefix=None, regex=None):
        gone = [n for n in self.names if n != NAMESERVER and (
            n == name or (prefix and n.startswith(prefix)) or
            (regex and re.match(regex + "$", n)))]
        for n in gone:
            del self.names[n]
        return len(gone)
    def list(self, prefix=None, regex=None, return_metadata=False):
        return {n: v if return_metadata else v[0]
                for n, v in self.names.items()
                if n.startswith(prefix or "") and
                (not regex or re.match(regex + "$", n))}
    def yplookup(self, meta_all=None, meta_any=None, return_metadata=True):
        return {n: v if return_metadata else v[0]
                for n, v in self.names.items()
                if (meta_all and set(meta_all) <= v[1]) or
                (meta_any and set(meta_any) & v[1])}

def start_ns(host="127.0.0.1", port=0):
    """A daemon with a name server: run its requestLoop."""
    daemon, server = Daemon(host, port), NameServer()
    uri = daemon.register(server, NAMESERVER)
    server.register(NAMESERVER, uri, metadata={
        "class:Pyro5.nameserver.NameServer"})
    return uri, daemon

def broadcast_ns():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.settimeout(0.7)
        for _ in range(3):
            for to in "<broadcast>", "255.255.255.255":
                try:
                    sock.sendto(b"GET_NSURI", 0, (to, config.NS_BCPORT))
                    data, _ = sock.recvfrom(100)
                    return data.decode("iso-8859-1")
                except OSError:
                    pass
    return None

def locate_ns(host="", port=None, broadcast=True):
    """The host if there is one; else this machine, then by broadcast."""
    for h in [host] if host else ["localhost", "127.0.1.1"]:
        proxy = Proxy("PYRO:%s@%s:%d" % (NAMESERVER, h,
                                         port or config.NS_PORT))
        proxy._pyroTimeout = 2
        try:
            proxy._pyroBind()
            return proxy
        except PyroError as e:
            error = e
    text = broadcast_ns() if broadcast and not host else None
    if text is None:
        raise NamingError("Failed to locate the nameserver: %s" % error)
    proxy = Proxy(text)
    proxy._pyroBind()
    return proxy

def resolve(uri):
    uri = URI(uri)
    if uri.protocol == "PYRO":
        return uri
    with locate_ns(uri.host or "", uri.port) as ns:
        return ns.lookup(uri.object)
