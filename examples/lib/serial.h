/* serial.h - a serial line for pyro.h: packets that are whole or not there
 *
 * A line of bytes (UART, RS-485 pair, tty, socket to an emulator) loses,
 * alters and invents bytes. This is a port that stands on another port, which
 * moves the raw bytes, and adds framing, a checksum, and the notice that
 * something is missing:
 *
 *     static pyro_serial line;
 *
 *     pyro_serial_open(&line, &uart);       uart: your pyro_port, see below
 *     pyro_adopt(&node, &line.port, 0, &link);
 *
 * and on Linux, where pyro_posix() moves the bytes:
 *
 *     fd = pyro_serial_tty("/dev/ttyUSB0", 115200);      or any socket
 *     pyro_serial_open(&line, pyro_posix());
 *     pyro_adopt(&node, &line.port, fd, &link);
 *
 * To call the other end there is pyro_proxy_at, and for its events pyro_es_at.
 *
 * The port below needs `now`, `send`, `recv` and `close`; `random` and `wait`
 * are passed on if there are any. For a UART send and recv are the two ends of
 * rings that its interrupt empties and fills; its recv may report
 * PYRO_PORT_GAP after an overrun. `wait` must not use port->user.
 *
 * PACKETS
 *   00? code head payload crc 00
 *   Coded by COBS, so that 00 stands between packets and nowhere else: code is
 *   the distance to the next zero (or to the end), and each zero is replaced
 *   by such a distance. head is 80 for the first packet of a message, plus a
 *   number that goes up by one with each packet, modulo 128; the payload is
 *   1 to PYRO_SERIAL_BYTES bytes of one message; crc is CRC-32 (pyro_crc32)
 *   over head and payload, big endian. The first packet of a message has a 00
 *   in front, so that noise before it cannot take it along.
 *   A packet that is damaged or out of order ends the message it belongs to;
 *   pyro.h is told (PYRO_PORT_GAP) and nothing more of that message is given.
 *   A message whose packets all arrive is delivered, whatever was on the line
 *   before: when noise has ended the first call is answered, within four
 *   frames (two that greet, call, result). Nothing is sent twice: a call that
 *   lost bytes times out.
 *   Checksums of whole messages are asked for as well (PYRO_PORT_NOISY): they
 *   cover what numbers modulo 128 cannot, a cable that was out for long.
 *
 * COST
 *   RAM: a pyro_serial, 2 * (PYRO_SERIAL_BYTES + 8) + PYRO_SERIAL_RAW bytes
 *   and 108 more where a pointer has 4. Flash: 1.1 KB on a Cortex-M3. (`make
 *   firmware` holds both.) On the line: 7 bytes for each packet, 1 for a
 *   message.
 *   One pass over the bytes for the checksum and one for the zeros.
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_SERIAL_H
#define PYRO_SERIAL_H

#include "../../pyro.h"

/* Most bytes of a message in one packet; the same on both sides, or the larger
 * on the one that receives. Range 16 to 240. Costs it twice. */
#ifndef PYRO_SERIAL_BYTES
#define PYRO_SERIAL_BYTES 64
#endif
#if PYRO_SERIAL_BYTES < 16 || PYRO_SERIAL_BYTES > 240
#error "PYRO_SERIAL_BYTES: 16 to 240"
#endif

/* Bytes taken from the line at once. Range 1 to 255. */
#ifndef PYRO_SERIAL_RAW
#define PYRO_SERIAL_RAW 32
#endif
#if PYRO_SERIAL_RAW < 1 || PYRO_SERIAL_RAW > 255
#error "PYRO_SERIAL_RAW: 1 to 255"
#endif

#define PYRO_SERIAL_PACKET (PYRO_SERIAL_BYTES + 6) /* code, head, crc */

/* One line. Declare it; it is lent to the daemon while that is open, and not
 * to be moved. Only the counters are yours to read. */
typedef struct pyro_serial {
    pyro_port        port; /* for pyro_adopt */
    const pyro_port *base_;

    uint32_t packets; /* good ones received */
    uint32_t bad;     /* damaged, or not made by this code */
    uint32_t lost;    /* good, and of no use without those before */
    uint32_t gaps;    /* messages that were begun and not completed */

    uint32_t tx_left_; /* bytes of the message that are not packed yet */
    uint32_t rx_left_; /* ... that have not come yet; 0: a first one is due */
    uint8_t  tx_seq_;
    uint8_t  rx_seq_; /* expected next */
    uint8_t  tx_n_;   /* payload of the packet that waits to leave */
    uint8_t  tx_at_;
    uint8_t  tx_end_; /* 0: none waits */
    uint8_t  rx_n_;   /* bytes of the packet that arrives; or more than fit */
    uint8_t  rx_at_;  /* payload that was not asked for yet */
    uint8_t  rx_end_;
    uint8_t  raw_at_;
    uint8_t  raw_end_;
    uint8_t  tx_[1 + PYRO_SERIAL_PACKET + 1];
    uint8_t  rx_[PYRO_SERIAL_PACKET];
    uint8_t  raw_[PYRO_SERIAL_RAW];
} pyro_serial;

/* Makes the port of a line that nobody has used yet. base must outlive it. */
PYRO_DEF void pyro_serial_open(pyro_serial *s, const pyro_port *base);

#ifdef PYRO_POSIX
/* Opens a terminal for raw bytes, 8 data bits, no parity, no flow control, at
 * `baud` (1200 to 921600; those that termios has). Returns a handle for
 * pyro_adopt, which closes it with the daemon, or -1 and errno. */
PYRO_DEF int32_t pyro_serial_tty(const char *path, uint32_t baud);
#endif

#endif /* PYRO_SERIAL_H */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_SERIAL_IMPLEMENTED)
#define PYRO_SERIAL_IMPLEMENTED

#include <string.h>

#define PYROI_SERIAL_FIRST 0x80u
#define PYROI_SERIAL_READS 8 /* of the line, for one recv: that is its bound */

/* Bytes of the message, header to checksum, whose first n are at p; 0: none
 * begins so. See "Wire" in pyro.h. */
static uint32_t pyroi_serial_message(const uint8_t *p, uint32_t n)
{
    bool     is_long = n > 3 && (p[3] & 0x40) != 0;
    uint32_t head = is_long ? 10 : 8;
    uint32_t body = 0;
    uint32_t i;

    if (n < head || p[0] != 'P' || p[1] != 'Y' || p[2] >> 4 != 6) return 0;
    for (i = 6; i < head; i++) body = body << 8 | p[i];
    if (body > 0x7FFFFFFF) return 0;
    return head + body + ((p[3] & 0x10) != 0 ? 4u : 0u);
}

/* The library gives up a message half sent only to greet: then it presents one
 * whole CONNECT, CONNECTOK or CONNECTFAIL. */
static bool pyroi_serial_greeting(const uint8_t *p, uint32_t n)
{
    return pyroi_serial_message(p, n) == n && (p[2] & 15) <= 3;
}

/* ------------------------------------------------------------------------
 * Sending. A packet's bytes count as taken when all of it has left; until
 * then the library presents them again.
 * ------------------------------------------------------------------------ */

/* Replaces the zeros of p[1] to p[n] by distances, the first of which is
 * p[0]. n is at most 253, so all distances fit. */
static void pyroi_serial_stuff(uint8_t *p, unsigned n)
{
    unsigned code = 0;
    unsigned i;

    for (i = 1; i <= n; i++) {
        if (p[i] == 0) {
            p[code] = (uint8_t)(i - code);
            code = i;
        }
    }
    p[code] = (uint8_t)(n + 1 - code);
}

static void pyroi_serial_put_sum(uint8_t *p, uint32_t n)
{
    uint32_t crc = pyro_crc32(0, p, n);

    p[n] = (uint8_t)(crc >> 24);
    p[n + 1] = (uint8_t)(crc >> 16);
    p[n + 2] = (uint8_t)(crc >> 8);
    p[n + 3] = (uint8_t)crc;
}

/* Makes a packet of the next bytes of the message, or the first of a new one.
 * tx_ is: 00, code, head, payload, crc, 00. */
static void pyroi_serial_pack(pyro_serial *s, const uint8_t *data, uint32_t n)
{
    bool first =
        s->tx_left_ == 0 || s->tx_left_ > n || pyroi_serial_greeting(data, n);
    uint8_t *head = s->tx_ + 2;

    if (first) s->tx_left_ = pyroi_serial_message(data, n);
    if (n > s->tx_left_) n = s->tx_left_;
    if (n > PYRO_SERIAL_BYTES) n = PYRO_SERIAL_BYTES;
    s->tx_left_ -= n;
    *head = (uint8_t)(s->tx_seq_ | (first ? PYROI_SERIAL_FIRST : 0u));
    s->tx_seq_ = (s->tx_seq_ + 1u) & 0x7Fu;
    memcpy(head + 1, data, n);
    pyroi_serial_put_sum(head, 1 + n);
    pyroi_serial_stuff(s->tx_ + 1, n + 5);
    s->tx_[0] = s->tx_[n + 7] = 0;
    s->tx_n_ = (uint8_t)n;
    s->tx_at_ = first ? 0 : 1;
    s->tx_end_ = (uint8_t)(n + 8);
}

/* Whether the packet that waits was made from these bytes. */
static bool pyroi_serial_same(const pyro_serial *s, const uint8_t *data,
                              uint32_t n)
{
    const uint8_t *code = s->tx_ + 1;
    unsigned       zero = code[0];
    unsigned       i;

    if (n < s->tx_n_) return false;
    for (i = 1; i < 2u + s->tx_n_; i++) {
        uint8_t byte = i == zero ? 0 : code[i];

        if (i == zero) zero += code[i];
        if (i > 1 && byte != data[i - 2]) return false;
    }
    return true;
}

static int32_t pyroi_serial_send(const pyro_port *port, int32_t handle,
                                 const void *from, uint32_t n)
{
    pyro_serial   *s = (pyro_serial *)port->user;
    const uint8_t *data = (const uint8_t *)from;
    uint32_t       taken = 0;
    int32_t        sent;

    if (s->tx_end_ != 0 && !pyroi_serial_same(s, data, n)) {
        s->tx_n_ = 0; /* of a message that was given up */
        s->tx_left_ = 0;
    }
    while (s->tx_end_ != 0 || taken < n) {
        if (s->tx_end_ == 0) pyroi_serial_pack(s, data + taken, n - taken);
        sent = s->base_->send(s->base_, handle, s->tx_ + s->tx_at_,
                              (uint32_t)s->tx_end_ - s->tx_at_);
        if (sent < 0) return sent;
        s->tx_at_ = (uint8_t)(s->tx_at_ + sent);
        if (s->tx_at_ < s->tx_end_) break;
        taken += s->tx_n_;
        s->tx_end_ = 0;
    }
    return (int32_t)taken;
}

/* ------------------------------------------------------------------------
 * Receiving
 * ------------------------------------------------------------------------ */

/* Puts the zeros back. False: the distances do not lead to the end. None is 0,
 * so this ends. */
static bool pyroi_serial_unstuff(uint8_t *p, unsigned n)
{
    unsigned at = 0;

    while (at < n) {
        unsigned next = at + p[at];

        p[at] = 0;
        at = next;
    }
    return at == n;
}

/* Whether the n bytes in rx_ are a packet as it was sent. */
static bool pyroi_serial_whole(pyro_serial *s, unsigned n)
{
    uint8_t  sum[4];
    uint8_t *p = s->rx_ + 1;

    if (n < 7 || n > PYRO_SERIAL_PACKET || !pyroi_serial_unstuff(s->rx_, n))
        return false;
    memcpy(sum, s->rx_ + n - 4, 4);
    pyroi_serial_put_sum(p, n - 5);
    return memcmp(sum, s->rx_ + n - 4, 4) == 0;
}

/* The message that is arriving will not be completed. */
static int32_t pyroi_serial_gap(pyro_serial *s)
{
    if (s->rx_left_ == 0) return 0;
    s->rx_left_ = 0;
    s->gaps++;
    return PYRO_PORT_GAP;
}

/* A packet of n bytes has come. 1: there is payload; 0: nothing to report;
 * PYRO_PORT_GAP: payload, if any, begins a message. */
static int32_t pyroi_serial_packet(pyro_serial *s, unsigned n)
{
    bool     first;
    unsigned seq;
    uint32_t most;
    int32_t  gap = 0;

    if (!pyroi_serial_whole(s, n)) {
        s->bad++;
        return pyroi_serial_gap(s);
    }
    s->packets++;
    first = (s->rx_[1] & PYROI_SERIAL_FIRST) != 0;
    seq = s->rx_[1] & 0x7Fu;
    n -= 6; /* the payload */
    if (first || seq != s->rx_seq_) gap = pyroi_serial_gap(s);
    s->rx_seq_ = (seq + 1u) & 0x7Fu;
    most = first ? pyroi_serial_message(s->rx_ + 2, n) : s->rx_left_;
    if (n > most) {
        s->lost++;
        return gap != 0 ? gap : pyroi_serial_gap(s);
    }
    s->rx_left_ = most - n;
    s->rx_at_ = 2;
    s->rx_end_ = (uint8_t)(2 + n);
    return gap != 0 ? gap : 1;
}

/* One byte of the line: as pyroi_serial_packet. */
static int32_t pyroi_serial_byte(pyro_serial *s, uint8_t byte)
{
    unsigned n = s->rx_n_;

    if (byte != 0) {
        if (n < PYRO_SERIAL_PACKET) s->rx_[n] = byte;
        if (n <= PYRO_SERIAL_PACKET) s->rx_n_ = (uint8_t)(n + 1);
        return 0;
    }
    s->rx_n_ = 0;
    return n == 0 ? 0 : pyroi_serial_packet(s, n);
}

/* Reads the line until there is payload or a gap (not 0), or until it has no
 * more, or has given as much as one recv may take: then *more is set. */
static int32_t pyroi_serial_fill(pyro_serial *s, int32_t handle, void *ahead,
                                 bool *more)
{
    int32_t  got = 0;
    unsigned reads = 0;

    for (;;) {
        while (s->raw_at_ < s->raw_end_) {
            got = pyroi_serial_byte(s, s->raw_[s->raw_at_++]);
            if (got != 0) return got;
        }
        *more = reads++ == PYROI_SERIAL_READS;
        if (*more) return 0;
        got = s->base_->recv(s->base_, handle, ahead, s->raw_, sizeof s->raw_);
        if (got == PYRO_PORT_GAP)
            s->rx_n_ = PYRO_SERIAL_PACKET + 1; /* spoils the packet */
        else if (got < 0)
            return got;
        s->raw_at_ = 0;
        s->raw_end_ = got < 0 ? 0 : (uint8_t)(got & ~PYRO_PORT_MORE);
        if (s->raw_end_ == 0 && got >= 0) return 0;
    }
}

static int32_t pyroi_serial_recv(const pyro_port *port, int32_t handle,
                                 void *ahead, void *to, uint32_t n)
{
    pyro_serial *s = (pyro_serial *)port->user;
    bool         more = false;
    int32_t      got;

    if (s->rx_at_ == s->rx_end_) {
        got = pyroi_serial_fill(s, handle, ahead, &more);
        if (got < 0) return got;
        if (got == 0) return more ? PYRO_PORT_MORE : 0;
    }
    if (n > (uint32_t)s->rx_end_ - s->rx_at_)
        n = (uint32_t)s->rx_end_ - s->rx_at_;
    memcpy(to, s->rx_ + s->rx_at_, n);
    s->rx_at_ = (uint8_t)(s->rx_at_ + n);
    return (int32_t)n | PYRO_PORT_MORE;
}

/* ------------------------------------------------------------------------
 * The rest is what the port below does
 * ------------------------------------------------------------------------ */

static uint32_t pyroi_serial_now(const pyro_port *port)
{
    const pyro_port *base = ((pyro_serial *)port->user)->base_;

    return base->now(base);
}

static bool pyroi_serial_random(const pyro_port *port, void *to, size_t n)
{
    const pyro_port *base = ((pyro_serial *)port->user)->base_;

    return base->random(base, to, n);
}

static void pyroi_serial_close(const pyro_port *port, int32_t handle)
{
    const pyro_port *base = ((pyro_serial *)port->user)->base_;

    base->close(base, handle);
}

PYRO_DEF void pyro_serial_open(pyro_serial *s, const pyro_port *base)
{
    memset(s, 0, sizeof *s);
    s->base_ = base;
    s->port.now = pyroi_serial_now;
    s->port.random = base->random != NULL ? pyroi_serial_random : NULL;
    s->port.send = pyroi_serial_send;
    s->port.recv = pyroi_serial_recv;
    s->port.close = pyroi_serial_close;
    s->port.wait = base->wait;
    s->port.user = s;
    s->port.flags = PYRO_PORT_NOISY;
}

#ifdef PYRO_POSIX

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

static speed_t pyroi_serial_speed(uint32_t baud)
{
    static const struct {
        uint32_t baud;
        speed_t  speed;
    } known[] = {
        { 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },
        { 9600, B9600 },     { 19200, B19200 },   { 38400, B38400 },
#ifdef B57600
        { 57600, B57600 },   { 115200, B115200 },
#endif
#ifdef B921600
        { 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 },
#endif
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(known); i++)
        if (known[i].baud == baud) return known[i].speed;
    return B0;
}

PYRO_DEF int32_t pyro_serial_tty(const char *path, uint32_t baud)
{
    speed_t        speed = pyroi_serial_speed(baud);
    struct termios t;
    int            fd;

    if (speed == B0) {
        errno = EINVAL;
        return -1;
    }
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -1;
    memset(&t, 0, sizeof t);
    t.c_cc[VMIN] = 1; /* nothing there: EAGAIN, not an end */
    t.c_cflag = CS8 | CREAD | CLOCAL;
    if (cfsetispeed(&t, speed) == 0 && cfsetospeed(&t, speed) == 0
        && tcsetattr(fd, TCSANOW, &t) == 0 && tcflush(fd, TCIOFLUSH) == 0)
        return fd;
    close(fd);
    return -1;
}

#endif /* PYRO_POSIX */
#endif /* PYRO_IMPLEMENTATION */
