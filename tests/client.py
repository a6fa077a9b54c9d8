#!/usr/bin/env python3
"""The wire of Pyro for C a second time, written from its manual alone.

usage: client.py [-h]
       client.py [--checksum] HOST:PORT   a scenario with python_server
       client.py [--vectors FILE]         the frames in the manual (pyro.h)

The last line is "N passed, N failed"; the status is 0 when all passed.
"""
import os, re, select, socket, struct, sys, time, zlib

CONNECT, CONNECTOK, CONNECTFAIL, INVOKE, RESULT, PING = range(1, 7)
EXCEPTION, ONEWAY, CHECKSUM, LONG = 0x01, 0x04, 0x10, 0x40
DAEMON = "c0000000011000001000000010000001"
GREETING = struct.Struct(">BBBBIBIBHBB")  # its codes and its fields in turn
LARGEST, DEAD_MS = 0xffff, 800            # what this side tells of itself

class WireError(Exception):
    """The peer, or a file, does not keep to the manual."""

class RemoteError(Exception):
    """An exception of the other side: type, message, traceback (lines)."""
    def __init__(self, value):
        self.type, self.args = value["__class__"], tuple(value["args"])
        self.message = str(self.args[0]) if self.args else ""
        self.traceback = value.get("attributes", {}).get("_pyroTraceback", [])
    def __str__(self):
        return self.type + ": " + self.message

def sized(n, fix, below, code, sizes):
    """A length or a number, with `code` or the next ones for each size."""
    if n < below:
        return bytes([fix + n])
    for i, size in enumerate(sizes):
        if n < 256 ** size:
            return bytes([code + i]) + n.to_bytes(size, "big")
    raise WireError("%d is too large" % n)

def pack(v):
    if v is None or v is True or v is False:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[v]
    if isinstance(v, int) and v >= -32:
        return sized(v, 0, 128, 0xcc, (1, 2, 4, 8)) if v >= 0 \
            else bytes([256 + v])
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
    def number(self, n, signed=False):
        return int.from_bytes(self.take(n), "big", signed=signed)
    def value(self, depth=32):
        c = self.number(1)
        if depth == 0:
            raise WireError("nested too deep")
        if c < 0x80 or c >= 0xe0:
            return c if c < 0x80 else c - 256
        if c < 0xa0 or 0xdc <= c <= 0xdf:
            n = c & 15 if c < 0xa0 else self.number(4 if c & 1 else 2)
            if 0x90 <= c < 0xa0 or 0xdc <= c <= 0xdd:
                return [self.value(depth - 1) for _ in range(n)]
            return {self.value(depth - 1): self.value(depth - 1)
                    for _ in range(n)}
        if c < 0xc0 or 0xd9 <= c <= 0xdb:
            return self.take(c & 31 if c < 0xc0
                             else self.number(1 << c - 0xd9)).decode()
        if c in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[c]
        if 0xc4 <= c <= 0xc6:
            return self.take(self.number(1 << c - 0xc4))
        if c in (0xca, 0xcb):
            return struct.unpack(*((">f", self.take(4)) if c == 0xca
                                   else (">d", self.take(8))))[0]
        if 0xcc <= c <= 0xd3:
            return self.number(1 << (c & 3), c >= 0xd0)
        raise WireError("%02x begins no value" % c)

def unpack(data):
    reader = Reader(data)
    value = reader.value()
    if reader.at != len(data):
        raise WireError("%d of %d bytes are a value" % (reader.at, len(data)))
    return value

def pack_frame(kind, flags, seq, body):
    flags |= LONG if len(body) > 0xffff else 0
    frame = struct.pack(">2sBBHI" if flags & LONG else ">2sBBHH", b"PY",
                        6 << 4 | kind, flags, seq, len(body)) + body
    crc = struct.pack(">I", zlib.crc32(frame)) if flags & CHECKSUM else b""
    return frame + crc

def read_frame(take):
    """(type, flags, sequence number, body); take(n) gives n bytes."""
    head = take(8)
    if head[:2] != b"PY" or head[2] >> 4 != 6:
        raise WireError("no frame of version 6: " + head.hex(" "))
    kind, flags, seq = head[2] & 15, head[3], int.from_bytes(head[4:6], "big")
    if not CONNECT <= kind <= PING or flags & 0xaa:
        raise WireError("reserved type or flag: " + head.hex(" "))
    if kind <= CONNECTFAIL and (seq != 0 or not flags & CHECKSUM):
        raise WireError("no greeting: " + head.hex(" "))
    head += take(2) if flags & LONG else b""
    body = take(int.from_bytes(head[6:], "big"))
    if flags & CHECKSUM and take(4) != \
            zlib.crc32(head + body).to_bytes(4, "big"):
        raise WireError("wrong checksum")
    return kind, flags & ~LONG, seq, body

def pack_greeting(features, session, largest, dead_ms):
    return GREETING.pack(0x96, 6, features, 0xce, session, 0xce, largest,
                         0xcd, dead_ms, 0xc4, 0)

def read_greeting(body):
    """(features, session id, largest body, dead_ms)"""
    if len(body) < GREETING.size:
        raise WireError("%d bytes are no greeting" % len(body))
    f = GREETING.unpack_from(body)
    if f[0:2] + f[3:10:2] != (0x96, 6, 0xce, 0xce, 0xcd, 0xc4) or \
            len(body) != GREETING.size + f[10]:
        raise WireError("no greeting: " + body.hex(" "))
    return f[2], f[4], f[6], f[8]

class Link:
    """A connection. It serves self.objects (by name) whenever it reads."""
    def __init__(self, address, checksum, seconds=5):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), seconds)
        self.seconds, self.seq, self.flags = seconds, 0, CHECKSUM
        self.open, self.results, self.objects = set(), {}, {}
        self.asked = self.answered = 0    # PINGs of the peer, and to ours
        self.until = time.monotonic() + seconds
        session = int.from_bytes(os.urandom(4), "big")
        self.send(CONNECT, 0, 0,
                  pack_greeting(int(checksum), session, LARGEST, DEAD_MS))
        kind, _, _, body = read_frame(self.take)
        if kind != CONNECTOK:
            raise WireError("refused: %d %r" % (kind, body))
        self.features, _, self.largest, dead = read_greeting(body)
        self.dead_ms = max(dead, DEAD_MS)
        if checksum and not self.features & 1:
            raise WireError("checksums were asked for and not agreed")
        self.flags = CHECKSUM if self.features & 1 else 0
    def send(self, kind, flags, seq, body):
        self.socket.sendall(pack_frame(kind, flags | self.flags, seq, body))
    def take(self, n):
        data = b""
        while len(data) < n:
            self.socket.settimeout(max(self.until - time.monotonic(), 1e-3))
            more = self.socket.recv(n - len(data))
            if not more:
                raise WireError("the peer closed the connection")
            data += more
        return data
    def receive(self):
        kind, flags, seq, body = read_frame(self.take)
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
            self.results[seq] = (flags & EXCEPTION, unpack(body))
        else:
            raise WireError("unexpected: type %d, number %d" % (kind, seq))
    def serve(self, flags, seq, name, method, args, kw):
        try:
            answer = getattr(self.objects[name], method)(*args, **kw)
        except Exception as e:
            answer = {"__class__": type(e).__name__, "__exception__": True,
                      "args": [str(e)], "attributes":
                      {"_pyroTraceback": ["%s.%s in Python" % (name, method)]}}
            flags |= EXCEPTION
        if not flags & ONEWAY:
            self.send(RESULT, flags & EXCEPTION, seq, pack(answer))
    def idle(self, seconds):
        ends = time.monotonic() + seconds
        while select.select([self.socket], [], [],
                            max(ends - time.monotonic(), 0))[0]:
            self.until = time.monotonic() + self.seconds
            self.receive()
    def oneway(self, name, method, *args, **kw):
        self.send(INVOKE, ONEWAY, 0, pack([name, method, args, kw]))
    def call(self, name, method, *args, **kw):
        return self.call_body(pack([name, method, args, kw]))
    def call_body(self, body):
        self.seq = self.seq % 0xffff + 1
        while self.seq in self.open:
            self.seq = self.seq % 0xffff + 1
        seq = self.seq
        self.open.add(seq)
        self.send(INVOKE, 0, seq, body)
        self.until = time.monotonic() + self.seconds
        while seq not in self.results:
            self.receive()
        self.open.remove(seq)
        failed, value = self.results.pop(seq)
        if failed:
            raise RemoteError(value)
        return value
