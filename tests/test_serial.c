/* The serial port of examples/lib/serial.h: packets on a line that loses,
 * alters and invents bytes. First the two ends by themselves, then daemons. */
#define _GNU_SOURCE 1 /* posix_openpt */
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../examples/lib/serial.h"

#include "pyro_test.h"

enum { LINE = 8192, MESSAGE = 400 };

/* A line in one direction, with two ports on it: what one sends the other
 * receives, after the test has spoilt it. */
static struct line {
    uint8_t  bytes[LINE];
    uint32_t n;
    uint32_t at;
    uint32_t room;  /* bytes that send takes, before it says "not now" */
    uint32_t chunk; /* most bytes of one recv */
    bool     gap;   /* to be reported by the next recv */
} line;

static pyro_port   base;
static pyro_serial tx, rx;

static int32_t line_send(const pyro_port *port, int32_t handle,
                         const void *data, uint32_t n)
{
    (void)port;
    (void)handle;
    if (n > line.room)
        n = line.room;
    assert_true(line.n + n <= LINE);
    memcpy(line.bytes + line.n, data, n);
    line.n += n;
    line.room -= n;
    return (int32_t)n;
}

static int32_t line_recv(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    (void)port;
    (void)handle;
    (void)ahead;
    if (line.gap) {
        line.gap = false;
        return PYRO_PORT_GAP;
    }
    if (n > line.chunk)
        n = line.chunk;
    if (n > line.n - line.at)
        n = line.n - line.at;
    memcpy(to, line.bytes + line.at, n);
    line.at += n;
    return (int32_t)n;
}

static void begin(void)
{
    memset(&line, 0, sizeof line);
    line.room = UINT32_MAX;
    line.chunk = 1000;
    base.send = line_send;
    base.recv = line_recv;
    pyro_serial_open(&tx, &base);
    pyro_serial_open(&rx, &base);
}

/* A message of pyro.h's wire with n bytes in all: an INVOKE, or a CONNECT,
 * which is what a side begins with. Its bytes tell messages apart. */
enum { CONNECT = 0x61, INVOKE = 0x64 };

static uint32_t make(uint8_t *to, uint32_t n, unsigned type, uint8_t fill)
{
    static const uint8_t head[8] = { 'P', 'Y', 0, 0x10, 0, 0, 0, 0 };
    uint32_t             i;

    memcpy(to, head, 8);
    to[2] = (uint8_t)type;
    to[6] = (uint8_t)((n - 12) >> 8);
    to[7] = (uint8_t)(n - 12);
    for (i = 8; i < n; i++)
        to[i] = (uint8_t)(fill == 0 ? 0 : fill + i);
    return n;
}

/* Sends all of a message as the library does: what is left, again and
 * again. */
static void send_all(const uint8_t *message, uint32_t n)
{
    uint32_t at = 0;
    int      turns = 0;

    while (at < n) {
        int32_t sent = tx.port.send(&tx.port, 1, message + at, n - at);

        assert_true(sent >= 0 && (uint32_t)sent <= n - at);
        at += (uint32_t)sent;
        if (sent == 0)
            line.room = 3;
        assert_true(turns++ < 2000);
    }
}

/* What has come: bytes as the library sees them, cut into messages by what
 * the port says: good ones, and begun ones that ended in a gap. */
static struct got {
    uint8_t  bytes[LINE];
    uint32_t n;      /* bytes since the last gap */
    uint32_t before; /* most bytes that a gap has thrown away */
    uint32_t gaps;
} got;

static void receive(void)
{
    memset(&got, 0, sizeof got);
    for (int turns = 0;; turns++) {
        int32_t n = rx.port.recv(&rx.port, 1, NULL, got.bytes + got.n, 7);

        assert_true(turns < 20000);
        if (n == PYRO_PORT_GAP) {
            got.gaps++;
            if (got.n > got.before)
                got.before = got.n;
            got.n = 0;
        } else {
            assert_true(n >= 0);
            got.n += (uint32_t)(n & ~PYRO_PORT_MORE);
            if ((n & PYRO_PORT_MORE) == 0)
                return;
        }
    }
}

/* Takes k bytes out of the line at `at`, puts n others there. */
static void replace(uint32_t at, uint32_t k, const void *in, uint32_t n)
{
    memmove(line.bytes + at + n, line.bytes + at + k, line.n - at - k);
    memcpy(line.bytes + at, in, n);
    line.n = line.n - k + n;
}

static uint8_t one[MESSAGE], two[MESSAGE];

TEST(messages_of_any_length_arrive_as_they_were_sent)
{
    (void)state;
    for (uint32_t n = 12; n <= MESSAGE; n++) {
        begin();
        line.chunk = n % 5 + 1;
        send_all(one, make(one, n, INVOKE, (uint8_t)(n % 3)));
        receive();
        test_same("message", got.bytes, got.n, one, n);
        test_eq("gaps", got.gaps, 0);
        test_eq("packets", rx.packets,
                (n + PYRO_SERIAL_BYTES - 1) / PYRO_SERIAL_BYTES);
        test_eq("bad", rx.bad + rx.lost, 0);
    }
}

TEST(the_bytes_on_the_line_are_as_documented)
{
    (void)state;
    begin();
    send_all(one, make(one, 12, INVOKE, 0));
    /* 00, code, 80, 'P' 'Y' 64 10 and eight zeros, CRC-32, 00 */
    test_same_hex("packet", line.bytes, line.n,
                  "00 06 80 'PY' 64 10 01 01 01 01 01 01 01 05"
                  "e4 5a 3c 43 00");
}

TEST(a_line_that_takes_a_byte_at_a_time_loses_none)
{
    (void)state;
    for (uint32_t room = 0; room < 90; room++) {
        begin();
        line.room = room;
        send_all(one, make(one, 200, INVOKE, 1));
        receive();
        test_same("message", got.bytes, got.n, one, 200);
    }
}

TEST(gathered_messages_are_packed_one_by_one)
{
    uint8_t all[300];

    (void)state;
    begin();
    make(all, 100, INVOKE, 1);
    make(all + 100, 30, INVOKE, 0);
    make(all + 130, 170, INVOKE, 2);
    send_all(all, sizeof all);
    receive();
    test_same("messages", got.bytes, got.n, all, sizeof all);
    test_eq("packets", rx.packets, 2 + 1 + 3);
}

TEST(long_messages_have_a_longer_header)
{
    uint32_t n = 300;

    (void)state;
    begin();
    make(one, n, INVOKE, 1);
    one[3] = 0x40;
    test_hex(one + 6, 4, "00 00 01 22");
    send_all(one, n);
    receive();
    test_same("message", got.bytes, got.n, one, n);
}

/* The first message was spoilt, the second was not: it must be there, whole;
 * of the first all or nothing. */
static void expect_second(const char *row, uint32_t at, uint32_t n1,
                          uint32_t n2)
{
    char text[60];

    snprintf(text, sizeof text, "%s at byte %u", row, (unsigned)at);
    receive();
    if (got.n == n1 + n2)
        test_same(text, got.bytes, n1, one, n1);
    else
        test_eq(text, got.n, n2);
    test_same(text, got.bytes + got.n - n2, n2, two, n2);
    test_eq(text, got.before < n1, true);
}

enum { CUT, LOSE, TWICE, FLIP, ZERO, INSERT, GAP, WAYS };

/* Sends two messages and spoils the first at byte `at`; returns whether there
 * is such a byte. */
static bool spoil(unsigned way, uint32_t at, unsigned bit)
{
    uint32_t end;
    uint8_t  byte;

    begin();
    send_all(one, 150);
    end = line.n;
    send_all(two, 70);
    if (at >= end)
        return false;
    byte = line.bytes[at];
    switch (way) {
    case CUT:
        replace(at, end - at, "", 0);
        break;
    case LOSE:
        replace(at, 1, "", 0);
        break;
    case TWICE:
        replace(at, 0, &byte, 1);
        break;
    case FLIP:
        line.bytes[at] ^= (uint8_t)(1u << bit);
        break;
    case ZERO:
        line.bytes[at] = 0;
        break;
    default:
        byte = (uint8_t)(17 * bit);
        replace(at, 0, &byte, 1);
        break;
    }
    return true;
}

TEST(a_message_spoilt_anywhere_takes_no_other_along)
{
    static const char *const rows[] = { "cut",  "lost", "twice",
                                        "flip", "zero", "inserted" };
    uint32_t                 at, spoilt = 0;

    (void)state;
    make(one, 150, INVOKE, 1);
    make(two, 70, INVOKE, 3);
    for (unsigned way = CUT; way < GAP; way++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            for (at = 0; spoil(way, at, bit); at++) {
                expect_second(rows[way], at, 150, 70);
                spoilt++;
            }
        }
    }
    assert_true(spoilt > 6 * 8 * 150);
}

TEST(packets_that_change_places_or_come_twice_are_no_message)
{
    (void)state;
    make(one, 150, INVOKE, 1);
    make(two, 70, INVOKE, 3);
    for (unsigned from = 0; from < 3; from++) {
        uint8_t  packet[100];
        uint32_t n = from == 2 ? 29 : 71, at = 1 + 71 * from;

        begin();
        send_all(one, 150);
        send_all(two, 70);
        memcpy(packet, line.bytes + at, n);
        replace(at, 0, packet, n);
        expect_second("twice", at, 150, 70);
        test_eq("noticed", rx.lost + rx.gaps > 0, true);
        begin();
        send_all(one, 150);
        send_all(two, 70);
        memcpy(packet, line.bytes + at, n);
        replace(at, n, "", 0);
        replace(at == 1 ? 72 : 1, 0, packet, n);
        expect_second("changed", at, 150, 70);
    }
}

TEST(numbers_come_round_and_a_gap_shows_anywhere)
{
    (void)state;
    make(one, 150, INVOKE, 1);
    make(two, 70, INVOKE, 3);
    for (unsigned lost = 0; lost < 300; lost++) {
        begin();
        tx.tx_seq_ = rx.rx_seq_ = (uint8_t)(lost & 127);
        send_all(one, 150);
        replace(72, 71, "", 0); /* the second packet */
        send_all(two, 70);
        expect_second("middle", lost, 150, 70);
        test_eq("gaps", got.gaps, 1);
        test_eq("gap of", got.before, 64);
    }
}

TEST(noise_between_messages_costs_none_of_them)
{
    uint32_t seed = 7;

    (void)state;
    make(two, 70, INVOKE, 3);
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t  noise[300];
        uint32_t n = test_random(&seed) % sizeof noise;

        begin();
        for (uint32_t i = 0; i < n; i++)
            noise[i] = (uint8_t)test_random(&seed);
        replace(0, 0, noise, n);
        send_all(two, 70);
        receive();
        test_same("message", got.bytes, got.n, two, 70);
        test_eq("packets", rx.packets, 2);
    }
}

TEST(a_message_given_up_half_sent_ends_in_a_gap_before_the_greeting)
{
    (void)state;
    make(one, 150, INVOKE, 1);
    make(two, 34, CONNECT, 3);
    for (uint32_t room = 1; room < 171; room++) {
        uint32_t at = 0;
        int32_t  sent;

        begin();
        line.room = room;
        while ((sent = tx.port.send(&tx.port, 1, one + at, 150 - at)) > 0)
            at += (uint32_t)sent;
        send_all(two, 34);
        expect_second("given up", room, 150, 34);
        test_eq("a gap if bytes had come", got.gaps, got.before > 0);
    }
}

TEST(a_peer_that_starts_anew_in_a_message_is_heard)
{
    (void)state;
    make(one, 150, INVOKE, 1);
    make(two, 34, CONNECT, 3);
    for (uint32_t at = 0; at < 171; at++) {
        for (uint8_t seq = 0; seq < 4; seq++) {
            begin();
            send_all(one, 150);
            replace(at, line.n - at, "", 0);
            pyro_serial_open(&tx, &base);
            tx.tx_seq_ = seq;
            send_all(two, 34);
            receive();
            test_same("greeting", got.bytes, got.n, two, 34);
        }
    }
}

/* A packet with a right checksum that this code would not make. */
static void forge(unsigned head, const void *payload, uint32_t n)
{
    uint8_t *p = line.bytes + line.n;

    p[1] = (uint8_t)head;
    memcpy(p + 2, payload, n);
    pyroi_serial_put_sum(p + 1, 1 + n);
    pyroi_serial_stuff(p, n + 5);
    p[n + 6] = 0;
    line.n += n + 7;
}

TEST(packets_that_are_right_and_make_no_sense_give_nothing)
{
    (void)state;
    make(one, 20, INVOKE, 1);
    begin();
    forge(0x80, one, 5);  /* too short for a header */
    forge(0x80, one, 24); /* longer than its message */
    forge(0x00, one, 20); /* the middle of nothing */
    forge(0x80, "XYd\0\0\0\0\0\0\0\0\0", 12);
    forge(0x80, "PY\x64\x40\0\0\xff\xff\xff\xff\0\0", 12);
    forge(0x80, "PY\x64\x40\0\0\0\0", 8);
    test_eq("stuffed", line.n < LINE, true);
    receive();
    test_eq("bytes", got.n, 0);
    test_eq("gaps", got.gaps, 0);
    test_eq("lost", rx.lost, 6);
    forge(0x80, one, 16);
    forge(0x01, one, 5); /* one byte more than its message */
    receive();
    test_eq("bytes", got.n, 0);
    test_eq("gap of", got.before, 16);
}

TEST(bytes_that_the_line_says_are_lost_spoil_their_packet)
{
    (void)state;
    make(one, 40, INVOKE, 1);
    begin();
    send_all(one, 40);
    line.chunk = 10;
    for (int i = 0; i < 3; i++) {
        uint8_t to[8];

        line.n = 20;
        (void)rx.port.recv(&rx.port, 1, NULL, to, sizeof to);
        line.n = 48;
    }
    line.gap = true;
    send_all(one, 40);
    receive();
    test_eq("bad", rx.bad, 1);
    test_same("message", got.bytes, got.n, one, 40);
}

TEST(one_recv_takes_a_bounded_part_of_endless_noise)
{
    uint8_t to[8];

    (void)state;
    begin();
    memset(line.bytes, 0xA5, LINE);
    line.n = LINE;
    test_eq("more", rx.port.recv(&rx.port, 1, NULL, to, 8), PYRO_PORT_MORE);
    test_eq("taken", line.at, PYROI_SERIAL_READS * PYRO_SERIAL_RAW);
    while (line.at < line.n)
        (void)rx.port.recv(&rx.port, 1, NULL, to, 8);
    test_eq("packets", rx.packets, 0);
}

/* ------------------------------------------------------------------------
 * Daemons, over a terminal
 * ------------------------------------------------------------------------ */

#include <fcntl.h>
#include <termios.h>

typedef PYRO_ROOM(1, 4, 256, 2) test_serial_room;
static test_serial_room rooms[2];
static pyro_daemon      nodes[2];
static pyro_serial      lines[2];
static pyro_link        links[2];

static void double_it(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_int(&call->result, 2 * pyro_get_i32(&call->args));
}

static const pyro_method methods[] = { { "double", double_it, "i", "i", 0 } };
static const pyro_class  class_ = {
     "T", PYRO_METHODS(methods), NULL, 0, NULL, 0
};

TEST(two_daemons_call_each_other_over_a_terminal)
{
    int     fds[2] = { posix_openpt(O_RDWR | O_NOCTTY), -1 };
    int32_t value = 0;

    (void)state;
    assert_true(fds[0] >= 0 && grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0);
    test_eq("no such speed", pyro_serial_tty(ptsname(fds[0]), 12345), -1);
    test_eq("no such file", pyro_serial_tty("/dev/no-such-tty", 9600), -1);
    fds[1] = pyro_serial_tty(ptsname(fds[0]), 115200);
    assert_true(fds[1] >= 0);
    for (int i = 0; i < 2; i++) {
        pyro_serial_open(&lines[i], pyro_posix());
        test_eq("open", pyro_open(&nodes[i], PYRO_ROOM_OF(rooms[i]), NULL), 0);
        test_eq("export", pyro_export(&nodes[i], &class_, &nodes[i], "o"), 0);
        test_eq("adopt",
                pyro_adopt(&nodes[i], &lines[i].port, fds[i], &links[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        pyro_proxy   proxy;
        pyro_request rq;

        test_eq("proxy",
                pyro_proxy_at(&proxy, &nodes[i & 1], links[i & 1], "o", 1), 0);
        test_eq("begin", pyro_begin(&rq, &proxy, "double"), 0);
        pyro_put_int(&rq.args, i);
        test_eq("send", pyro_send(&rq, pyro_to_i32(&value), NULL, NULL), 0);
        while (!pyro_done(&rq)) {
            pyro_poll(&nodes[0], 1);
            pyro_poll(&nodes[1], 1);
        }
        test_eq("call", pyro_result(&rq), 0);
        test_eq("result", value, 2 * i);
        pyro_proxy_close(&proxy);
    }
    test_eq("bad", lines[0].bad + lines[1].bad, 0);
    pyro_close(&nodes[0]);
    pyro_close(&nodes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_length_arrive_as_they_were_sent),
        cmocka_unit_test(the_bytes_on_the_line_are_as_documented),
        cmocka_unit_test(a_line_that_takes_a_byte_at_a_time_loses_none),
        cmocka_unit_test(gathered_messages_are_packed_one_by_one),
        cmocka_unit_test(long_messages_have_a_longer_header),
        cmocka_unit_test(a_message_spoilt_anywhere_takes_no_other_along),
        cmocka_unit_test(
            packets_that_change_places_or_come_twice_are_no_message),
        cmocka_unit_test(numbers_come_round_and_a_gap_shows_anywhere),
        cmocka_unit_test(noise_between_messages_costs_none_of_them),
        cmocka_unit_test(
            a_message_given_up_half_sent_ends_in_a_gap_before_the_greeting),
        cmocka_unit_test(a_peer_that_starts_anew_in_a_message_is_heard),
        cmocka_unit_test(
            packets_that_are_right_and_make_no_sense_give_nothing),
        cmocka_unit_test(bytes_that_the_line_says_are_lost_spoil_their_packet),
        cmocka_unit_test(one_recv_takes_a_bounded_part_of_endless_noise),
        cmocka_unit_test(two_daemons_call_each_other_over_a_terminal)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
