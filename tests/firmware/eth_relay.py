#!/usr/bin/env python3
"""A bad network between two boards: loses, doubles and turns frames round.

usage: eth_relay.py A B SEED [PER_CENT]

A and B are ports on 127.0.0.1, each where one board's QEMU receives its
frames, one datagram each (-nic socket,udp=...); the relay takes what they
send at A + 1 and B + 1. PER_CENT (1) of the frames are lost, as many
doubled, as many held back behind the next one, by a generator that begins
with SEED. Ends with a line of counts when it gets SIGTERM, or after five
minutes."""
import random
import select
import signal
import socket
import sys
import time

HOLD_S = 0.02  # longest that a frame is held back, if no other follows


class Way:
    """Frames of one direction."""

    def __init__(self, from_port, to_port):
        self.taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.taken.bind(("127.0.0.1", from_port))
        self.to = ("127.0.0.1", to_port)
        self.held = None
        self.until = 0.0

    def put(self, frame):
        self.taken.sendto(frame, self.to)

    def free(self):
        if self.held is not None:
            self.put(self.held)
            self.held = None

    def step(self, dice, part, counts):
        frame = self.taken.recv(65536)
        fate = dice.random()
        counts["frames"] += 1
        if fate < part:
            counts["lost"] += 1
        elif fate < 3 * part and fate >= 2 * part and self.held is None:
            counts["turned"] += 1
            self.held = frame
            self.until = time.monotonic() + HOLD_S
            return
        else:
            self.put(frame)
            if fate < 2 * part:
                counts["doubled"] += 1
                self.put(frame)
        self.free()


def main():
    if len(sys.argv) not in (4, 5):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    a, b, seed = (int(text) for text in sys.argv[1:4])
    part = float(sys.argv[4] if len(sys.argv) > 4 else 1) / 100
    counts = {"frames": 0, "lost": 0, "doubled": 0, "turned": 0}
    dice = random.Random(seed)
    ways = [Way(a + 1, b), Way(b + 1, a)]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    until = time.monotonic() + 300
    print("eth_relay: ready", flush=True)
    try:
        while time.monotonic() < until:
            ready = select.select([way.taken for way in ways], [], [], HOLD_S)
            for way in ways:
                if way.taken in ready[0]:
                    way.step(dice, part, counts)
                if way.held is not None and time.monotonic() > way.until:
                    way.free()
    finally:
        print("eth_relay: " + ", ".join(
            f"{n} {what}" for what, n in counts.items()), flush=True)


main()
