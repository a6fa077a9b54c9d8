"""The wire of Pyro for C a second time, from its manual (pyro.h) alone."""
import random, socket, struct, time, zlib

CONNECT, CONNECTOK, CONNECTFAIL, INVOKE, RESULT, PING = range(1, 7)
EXCEPTION, ONEWAY, CHECKSUM, LONG = 0x01, 0x04, 0x10, 0x40
DAEMON = "c0000000011000001000000010000001"
GREETING = struct.Struct(">BBBBIBIBHBB")  # its codes and its fields in turn
LARGEST = 0xffff                          # the longest body accepted here
SIMPLE = {0xc0: None, 0xc2: False, 0xc3: True}

class WireError(Exception):
    """The peer does not keep to the manual."""
class RemoteError(Exception):
    """An exception of the other side: type, message, traceback (lines)."""
    def __init__(self, value):
        self.type, args = value["__class__"], value["args"]
        self.message = str(args[0]) if args else ""
        self.traceback = value.get("attributes", {}).get("_pyroTraceback", [])
        super().__init__(self.type + ": " + self.message)

def sized(n, fix, below, code, sizes):
    """A length or a number in its shortest form, codes ascending from code."""
    if n < below:
        return bytes([fix + n])
    for i, size in enumerate(sizes):
        if n < 256 ** size:
            return bytes([code + i]) + n.to_bytes(size, "big")
    raise WireError("%d is too large" % n)

def pack(v):
    if v is None or isinstance(v, bool):
        return bytes([c for c in SIMPLE if SIMPLE[c] is v])
    if isinstance(v, int) and v >= -32:
        return sized(v, 0, 128, 0xcc, (1, 2, 4, 8)) if v >= 0 else \
            bytes([256 + v])
    if isinstance(v, int):
        i = next(i for i in range(4) if v >= -1 << (8 << i) - 1)
        return bytes([0xd0 + i]) + v.to_bytes(1 << i, "big", signed=True)
    if isinstance(v, float):
        return b"\xcb" + struct.pack(">d", v)
    if isinstance(v, str):
        v = v.encode()
        return sized(len(v), 0xa0, 32, 0xd9, (1, 2, 4)) + v
    if isinstance(v, bytes):
        return sized(len(v), 0, 0, 0xc4, (1, 2, 4)) + v
    if isinstance(v, dict):
        return sized(len(v), 0x80, 16, 0xde, (2, 4)) + \
            b"".join(pack(k) + pack(v[k]) for k in v)
    return sized(len(v), 0x90, 16, 0xdc, (2, 4)) + b"".join(map(pack, v))

class Reader:
    """Bytes that are taken from the front."""
    def __init__(self, data):
        self.data, self.at = data, 0
    def take(self, n):
        self.at += n
        if self.at > len(self.data):
            raise WireError("cut short at %d" % len(self.data))
        return self.data[self.at - n:self.at]
    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)
    def value(self, depth=32):
        c = self.number(1)
        if depth == 0:
            raise WireError("nested too deep")
        if c < 0x80 or c >= 0xe0:
            return c if c < 0x80 else c - 256
        if c < 0xa0 or 0xdc <= c <= 0xdf:
            n = c & 15 if c < 0xa0 else self.number(2 << (c & 1))
            is_list = 0x90 <= c <= 0xdd
            v = [self.value(depth - 1) for _ in range(n if is_list else 2 * n)]
            return v if is_list else dict(zip(v[::2], v[1::2]))
        if c < 0xc0 or 0xd9 <= c <= 0xdb:
            return self.take(c & 31 if c < 0xc0 else
                             self.number(1 << c - 0xd9)).decode()
        if c in SIMPLE:
            return SIMPLE[c]
        if 0xc4 <= c <= 0xc6:
            return self.take(self.number(1 << c - 0xc4))
        if c in (0xca, 0xcb):
            return struct.unpack(*((">f", self.take(4)) if c == 0xca else
                                   (">d", self.take(8))))[0]
        if 0xcc <= c <= 0xd3:
            return self.number(1 << (c & 3), signed=c >= 0xd0)
        raise WireError("%02x begins no value" % c)

def unpack(data):
    reader = Reader(data)
    value = reader.value()
    if reader.at != len(data):
        raise WireError("%d bytes after a value" % (len(data) - reader.at))
    return value

def crc(data):
    return zlib.crc32(data).to_bytes(4, "big")
def pack_frame(kind, flags, seq, body):
    flags |= LONG if len(body) > 0xffff else 0
    frame = struct.pack(">2sBBHI" if flags & LONG else ">2sBBHH", b"PY",
                        6 << 4 | kind, flags, seq, len(body)) + body
    return frame + crc(frame) if flags & CHECKSUM else frame

def read_frame(take):
    """(type, flags, sequence number, body); take(n) gives n bytes."""
    head = take(8)
    kind, flags, seq = head[2] & 15, head[3], int.from_bytes(head[4:6], "big")
    greeting_ok = kind > CONNECTFAIL or (seq == 0 and flags & CHECKSUM)
    if head[:2] != b"PY" or head[2] >> 4 != 6 or flags & 0xaa or \
            not CONNECT <= kind <= PING or not greeting_ok:
        raise WireError("no frame: " + head.hex(" "))
    head += take(2) if flags & LONG else b""
    body = take(int.from_bytes(head[6:], "big"))
    if flags & CHECKSUM and take(4) != crc(head + body):
        raise WireError("wrong checksum")
    return kind, flags & ~LONG, seq, body

def pack_greeting(features, session, largest, dead_ms):
    return GREETING.pack(0x96, 6, features, 0xce, session, 0xce, largest,
                         0xcd, dead_ms, 0xc4, 0)
def read_greeting(body):
    """(features, session id, largest body, dead_ms)"""
    f = GREETING.unpack_from(body.ljust(GREETING.size, b"\0"))
    if f[0:2] + f[3:10:2] != (0x96, 6, 0xce, 0xce, 0xcd, 0xc4) or \
            len(body) != GREETING.size + f[10]:
        raise WireError("no greeting: " + body.hex(" "))
    return f[2], f[4], f[6], f[8]

class Link:
    """A connection. It serves self.objects (by name) whenever it reads."""
    def __init__(self, address, checksum=False, dead_ms=0, seconds=5):
        self.address, (host, port) = address, address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), seconds)
        self.seconds, self.seq, self.flags = seconds, 0, CHECKSUM
        self.open, self.results, self.objects = set(), {}, {}
        self.asked = self.answered = 0    # PINGs of the peer, answers to ours
        self.send(CONNECT, 0, 0, pack_greeting(
            int(checksum), random.getrandbits(32), LARGEST, dead_ms))
        kind, _, _, body = self.frame(time.monotonic() + seconds)
        if kind != CONNECTOK:
            raise WireError("refused: %r" % unpack(body))
        self.features, self.session, self.largest, dead = read_greeting(body)
        self.dead_ms = max(dead, dead_ms)
        if checksum and not self.features & 1:
            raise WireError("checksums were asked for and not agreed")
        self.flags = CHECKSUM if self.features & 1 else 0
    def send(self, kind, flags, seq, body):
        self.socket.sendall(pack_frame(kind, flags | self.flags, seq, body))
    def frame(self, until):
        def take(n):
            data = b""
            while len(data) < n:
                self.socket.settimeout(max(until - time.monotonic(), 1e-3))
                more = self.socket.recv(n - len(data))
                if not more or n > LARGEST:
                    raise WireError("the peer ended, or sends too much")
                data += more
            return data
        return read_frame(take)
    def receive(self, until):
        kind, flags, seq, body = self.frame(until)
        if self.flags & ~flags:
            raise WireError("a frame without a checksum")
        if kind == PING and not body:
            self.asked += 1
            self.send(PING, 0, 0, pack(None))
        elif kind == PING and unpack(body) is None:
            self.answered += 1
        elif kind == INVOKE:
            self.serve(flags, seq, *unpack(body))
        elif kind == RESULT and seq in self.open:
            self.results[seq] = flags & EXCEPTION, unpack(body)
        else:
            raise WireError("unexpected: type %d, number %d" % (kind, seq))
    def serve(self, flags, seq, name, method, args, kw):
        try:
            failed, v = 0, getattr(self.objects[name], method)(*args, **kw)
        except Exception as e:
            trace = {"_pyroTraceback": ["%s.%s in Python" % (name, method)]}
            failed, v = EXCEPTION, dict(
                __class__=type(e).__name__, __exception__=True,
                args=[str(e)], attributes=trace)
        if not flags & ONEWAY:
            self.send(RESULT, failed, seq, pack(v))
    def oneway(self, name, method, *args, **kw):
        self.send(INVOKE, ONEWAY, 0, pack([name, method, args, kw]))
    def call(self, name, method, *args, **kw):
        return self.call_raw(pack([name, method, args, kw]))
    def call_raw(self, body):
        up_and_round = [*range(self.seq + 1, 0x10000), *range(1, self.seq + 1)]
        seq = self.seq = next(n for n in up_and_round if n not in self.open)
        self.open.add(seq)
        self.send(INVOKE, 0, seq, body)
        until = time.monotonic() + self.seconds
        while seq not in self.results:
            self.receive(until)
        self.open.remove(seq)
        failed, v = self.results.pop(seq)
        if failed:
            raise RemoteError(v)
        return v
