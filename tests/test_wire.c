/* Greeting, frames, checksums, sizes: bytes from and to a peer that the test
 * plays. */
#include "link_rig.h"

#define CONNECT_B                                     \
    "'PY' 61 10 00 00 00 12 96 06 00 ce 01 02 03 04 " \
    "ce 00 00 01 f2 cd 4e 20 c4 00 8b 20 ea 8a"
#define CONNECTOK_A                                   \
    "'PY' 62 10 00 00 00 12 96 06 00 ce 0a 0b 0c 0d " \
    "ce 00 00 01 f2 cd 4e 20 c4 00 12 4a d3 53"
#define CONNECT_RAW                                   \
    "'PY' 61 10 00 00 00 12 96 06 00 ce 77 77 77 77 " \
    "ce 00 00 ea 60 cd 00 00 c4 00 6c 55 7f dc"
#define NOT_CONNECTED \
    "'PY' 63 10 00 00 00 10 92 04 ad 'not connected' 5f 38 91 d5"

enum { GREETING = 30 }; /* bytes of a CONNECT or CONNECTOK */

/* ------------------------------------------------------------------------
 * Greeting
 * ------------------------------------------------------------------------ */

TEST(a_client_greets_and_calls_in_just_these_bytes)
{
    int32_t           listener = raw_listen();
    int32_t           raw;
    static pyro_proxy calc;
    static struct ask ask;

    open_b();
    assert_int_equal(pyro_proxy_open(&calc, &rig.b, CALC), PYRO_OK);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_expect("connect", raw, CONNECT_B);
    raw_greet_with(raw, CONNECTOK, 0, 60000, 0);
    raw_expect("call", raw, "'PY' 64 00 00 01 00 0e " CALC_ADD_2_3);
    test_eq("a call", rig.got_n, 22);
    ask_open("call", &ask);
    raw_send(raw, RESULT, 0, 1, "05");
    settle();
    ask_ended("call", &ask, PYRO_OK);
    test_eq("call", ask.result, 5);
    pyro_proxy_close(&calc);
}

TEST(a_daemon_greets_and_answers_in_just_these_bytes)
{
    int32_t raw;
    uint8_t bytes[64];

    open_a();
    raw = raw_connect();
    raw_expect("who connects speaks first", raw, "");
    raw_feed(raw, bytes, (uint32_t)test_hex(bytes, sizeof bytes, CONNECT_RAW));
    raw_expect("connectok", raw, CONNECTOK_A);
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    raw_expect("reply", raw, "'PY' 65 00 00 01 00 01 05");
    test_eq("a reply", rig.got_n, 9);
    test_eq("handlers", rig.calc.ran, 1);
}

TEST(the_greeting_of_the_rig_is_the_one_above)
{
    uint8_t bytes[64];

    test_same_hex("CONNECT", bytes,
                  raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0),
                  CONNECT_RAW);
}

TEST(a_greeting_cut_at_any_byte_goes_on_where_it_was)
{
    uint8_t  bytes[64];
    uint32_t n = raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
    uint32_t k;

    open_a();
    for (k = 1; k < n; k++) {
        int32_t raw = raw_connect();

        raw_feed(raw, bytes, k);
        raw_expect("cut", raw, "");
        pass(100);
        raw_feed(raw, bytes + k, n - k);
        raw_expect_type("whole", raw, CONNECTOK);
        raw_works("works", raw);
        raw_hang_up(raw);
        settle();
    }
}

TEST(an_answer_cut_at_any_byte_goes_on_where_it_was)
{
    int32_t  listener = raw_listen();
    uint8_t  bytes[64];
    uint32_t n = raw_greeting(bytes, CONNECTOK, 0, RAW_SESSION, 60000, 0);
    uint32_t k;

    open_b();
    for (k = 1; k < n; k++) {
        static pyro_proxy calc;
        static struct ask ask;
        int32_t           raw;

        pyro_proxy_open(&calc, &rig.b, CALC);
        ask_add(&ask, &calc, 2, 3);
        raw = raw_accept(listener);
        raw_expect_type("greets", raw, CONNECT);
        raw_feed(raw, bytes, k);
        raw_expect("cut", raw, "");
        raw_feed(raw, bytes + k, n - k);
        raw_expect_type("whole", raw, INVOKE);
        pyro_proxy_close(&calc);
        raw_hang_up(raw);
        settle();
    }
}

/* Offsets are those of the frame; its checksum is right again. */
static const struct bad_field {
    const char *label;
    uint8_t     at;
    uint8_t     value;
} bad_fields[] = { { "no P", 0, 'p' },
                   { "no Y", 1, 'X' },
                   { "version 5", 2, 0x52 },
                   { "type 0", 2, 0x60 },
                   { "type 7", 2, 0x67 },
                   { "a length too small", 7, 17 },
                   { "a length too large", 7, 65 },
                   { "a list of 5", 8, 0x95 },
                   { "no list", 8, 0x86 },
                   { "version 7 in the body", 9, 7 },
                   { "session no uint32", 11, 0xCD },
                   { "largest message no uint32", 16, 0xD2 },
                   { "dead_ms no uint16", 21, 0xCE },
                   { "nonce no bytes", 24, 0xD9 },
                   { "nonce longer than the body", 25, 1 } };

static uint32_t bad_greeting(uint8_t *to, unsigned type,
                             const struct bad_field *field)
{
    uint32_t n = raw_greeting(to, type, 0, RAW_SESSION, 60000, 0);

    to[field->at] = field->value;
    pyroi_store32(to + n - 4, pyro_crc32(0, to, n - 4));
    return n;
}

TEST(every_malformed_field_of_a_greeting_is_refused)
{
    uint8_t bytes[128] = { 0 };
    size_t  i;

    open_a();
    for (i = 0; i < PYRO_COUNT(bad_fields); i++) {
        const struct bad_field *field = &bad_fields[i];
        int32_t                 raw = raw_connect();
        uint32_t                bad = rig.a.stats.bad;

        /* More than the frame, for a length that is too large. */
        bad_greeting(bytes, CONNECT, field);
        raw_feed(raw, bytes, 80);
        settle();
        test_eq(field->label, raw_take(raw), 0);
        test_eq(field->label, raw_closed(raw), true);
        test_eq(field->label, rig.a.stats.bad, bad + 1);
        raw_hang_up(raw);
        settle();
        test_eq(field->label, rig.a.n_links_, 0);
    }
}

TEST(every_malformed_field_of_an_answer_is_refused)
{
    int32_t listener = raw_listen();
    uint8_t bytes[128] = { 0 };
    size_t  i;

    open_b();
    for (i = 0; i < PYRO_COUNT(bad_fields); i++) {
        static pyro_proxy calc;
        static struct ask ask;
        int32_t           raw;

        pyro_proxy_open(&calc, &rig.b, CALC);
        ask_add(&ask, &calc, 2, 3);
        raw = raw_accept(listener);
        raw_expect_type("greets", raw, CONNECT);
        bad_greeting(bytes, CONNECTOK, &bad_fields[i]);
        raw_feed(raw, bytes, 80);
        settle();
        test_eq(bad_fields[i].label, rig.b.stats.bad, i + 1);
        test_eq(bad_fields[i].label, pyro_done(&ask.rq), true);
        test_eq(bad_fields[i].label, pyro_request_sent(&ask.rq), false);
        test_eq(bad_fields[i].label, raw_closed(raw), true);
        pyro_proxy_close(&calc);
        raw_hang_up(raw);
    }
}

TEST(a_greeting_with_any_bit_flipped_is_not_accepted)
{
    uint8_t  bytes[64];
    uint32_t bit;

    open_a();
    for (bit = 0; bit < GREETING * 8; bit++) {
        int32_t raw = raw_connect();

        raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        raw_feed(raw, bytes, GREETING);
        settle();
        raw_take(raw);
        test_eq("no answer but a refusal",
                rig.got_n == 0 || (rig.got[2] & 15) == CONNECTFAIL, true);
        pass(2100);
        test_eq("closed", raw_closed(raw), true);
        raw_hang_up(raw);
        settle();
    }
    test_eq("links", rig.a.n_links_, 0);
}

TEST(a_greeting_without_a_checksum_is_refused)
{
    uint8_t bytes[64];
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
    bytes[3] = 0;
    raw_feed(raw, bytes, GREETING - 4);
    assert_true(raw_closed(raw));
    raw_expect("nothing said", raw, "");
}

TEST(a_nonce_of_any_length_up_to_46_is_passed_over)
{
    uint8_t  body[18 + 46] = { 0x96, 6,    0, 0xCE, 0, 0, 0,
                               1,    0xCE, 0, 0,    9, 0, 0xCD };
    uint8_t  frame[128];
    unsigned n;

    open_a();
    body[16] = 0xC4;
    for (n = 0; n <= 46; n++) {
        int32_t raw = raw_connect();

        body[17] = (uint8_t)n;
        raw_feed(raw, frame,
                 raw_frame(frame, CONNECT, F_CHECKSUM, 0, body, 18 + n));
        raw_expect_type("nonce", raw, CONNECTOK);
        raw_works("works", raw);
        raw_hang_up(raw);
        settle();
    }
}

TEST(a_peer_must_accept_messages_of_50_bytes)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 0, 49, 0);
    assert_true(raw_closed(raw));
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 0, 50, 0);
    raw_expect_type("accepted", raw, CONNECTOK);
}

TEST(version_7_is_told_which_version_is_spoken)
{
    uint8_t bytes[64];
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
    bytes[2] = 0x71;
    raw_feed(raw, bytes, GREETING);
    raw_expect("refusal", raw,
               "'PY' 63 10 00 00 00 27 92 00 d9 23"
               "'this side speaks protocol version 6' aa 5b 0e 74");
    assert_true(raw_closed(raw));
    test_eq("denied", rig.a.stats.denied, 1);
}

TEST(a_fifth_connection_is_told_that_the_server_is_too_busy)
{
    int32_t raw[5];
    int     i;

    open_a();
    for (i = 0; i < 4; i++)
        raw[i] = raw_client();
    raw[4] = raw_connect();
    raw_greet_with(raw[4], CONNECT, 0, 60000, 0);
    raw_expect("refusal", raw[4],
               "'PY' 63 10 00 00 00 12 92 01 af 'server too busy'"
               "56 cb d6 b8");
    assert_true(raw_closed(raw[4]));
    test_eq("denied", rig.a.stats.denied, 1);
    raw_hang_up(raw[4]);
    for (i = 0; i < 4; i++)
        raw_works("the others", raw[i]);
    raw_hang_up(raw[2]);
    settle();
    raw_works("one more", raw_client());
}

TEST(a_client_refused_gets_denied_with_the_reason)
{
    static pyro_proxy calc;
    static struct ask ask;
    int32_t           raw[4];
    int               i;

    open_a();
    open_b();
    for (i = 0; i < 4; i++)
        raw[i] = raw_client();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask, &calc, 2, 3);
    settle();
    ask_ended("refused", &ask, PYRO_ERR_DENIED);
    test_eq("sent", pyro_request_sent(&ask.rq), false);
    assert_string_equal(rig.b.why.text, "server too busy");
    raw_hang_up(raw[0]);
    settle();
    ask_add(&ask, &calc, 2, 3);
    settle();
    ask_ended("again", &ask, PYRO_OK);
    pyro_proxy_close(&calc);
}

TEST(the_link_too_many_is_not_waited_for_longer_than_200_ms)
{
    int32_t raw;
    int     i;

    open_a();
    for (i = 0; i < 4; i++)
        raw_client();
    raw = raw_connect();
    pass(190);
    assert_false(raw_closed(raw));
    pass(20);
    assert_true(raw_closed(raw));
}

TEST(a_connection_that_stays_silent_is_dropped_after_greet_ms)
{
    int32_t raw;

    rig.conf_a.greet_ms = 700;
    open_a();
    raw = raw_connect();
    pass(690);
    assert_false(raw_closed(raw));
    pass(20);
    assert_true(raw_closed(raw));
    test_eq("dead", rig.a.stats.dead, 1);
    test_eq("links", rig.a.n_links_, 0);
}

TEST(a_greeting_that_dribbles_in_does_not_get_more_time)
{
    uint8_t bytes[64];
    int32_t raw;
    int     i;

    rig.conf_a.greet_ms = 1000;
    open_a();
    raw = raw_connect();
    raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
    for (i = 0; i < 9; i++) {
        raw_feed(raw, bytes + i, 1);
        pass(100);
    }
    assert_false(raw_closed(raw));
    raw_feed(raw, bytes + i, 1);
    pass(110);
    assert_true(raw_closed(raw));
}

TEST(any_frame_before_the_greeting_closes_a_connection)
{
    unsigned type;

    open_a();
    for (type = 0; type < 16; type++) {
        int32_t raw = raw_connect();

        if (type == CONNECT) {
            raw_hang_up(raw);
            continue;
        }
        raw_send(raw, type, 0, 1, CALC_ADD_2_3);
        raw_expect("nothing said", raw, "");
        test_eq("closed", raw_closed(raw), true);
        raw_hang_up(raw);
        settle();
    }
    test_eq("handlers", rig.calc.ran, 0);
    test_eq("bad", rig.a.stats.bad, 15);
}

TEST(a_frame_on_a_pipe_that_is_down_is_told_so_once_a_second)
{
    int32_t raw;
    int     i;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    raw_expect("first", raw, NOT_CONNECTED);
    for (i = 0; i < 9; i++) {
        pass(100);
        raw_send(raw, i % 2 != 0 ? RESULT : PING, 0, 1, "05");
        raw_expect("again", raw, "");
    }
    pass(100);
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    raw_expect("a second later", raw, NOT_CONNECTED);
    test_eq("handlers", rig.calc.ran, 0);
    raw_greet(raw);
    raw_works("greeted", raw);
}

/* Broken frames and refusals in between do not make it faster. */
TEST(nothing_makes_a_pipe_that_is_down_speak_more_often)
{
    int32_t raw;
    int     told = 0;
    int     i;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    for (i = 0; i < 10; i++) {
        if (i % 2 != 0)
            raw_send(raw, CONNECT, F_CHECKSUM, 0, "'no greeting at all'");
        else
            raw_send(raw, CONNECTFAIL, F_CHECKSUM, 0,
                     "92 04 ad 'not connected'");
        settle();
        raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
        settle();
        told += raw_take(raw) > 0;
    }
    test_eq("answers", told, 1);
}

TEST(a_pipe_that_goes_down_anew_says_so_at_once)
{
    pyro_link link;
    int32_t   raw;
    int       i;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, &link);
    for (i = 0; i < 3; i++) {
        raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
        raw_expect("down", raw, NOT_CONNECTED);
        raw_greet(raw);
        pyro_link_close(&rig.a, link);
    }
}

/* The clock goes round twice, nobody says anything. */
TEST(a_pipe_that_was_down_for_months_still_says_so)
{
    int32_t raw;
    int     i;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    for (i = 0; i < 16; i++) {
        pass_days();
        if (i % 5 != 0)
            continue;
        raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
        raw_expect("months later", raw, NOT_CONNECTED);
    }
}

TEST(a_refusal_is_never_answered)
{
    int32_t raw;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_send(raw, CONNECTFAIL, F_CHECKSUM, 0, "92 04 ad 'not connected'");
    raw_expect("down", raw, "");
    raw_greet(raw);
    raw_send(raw, CONNECTFAIL, F_CHECKSUM, 0, "92 04 ad 'not connected'");
    raw_expect("open", raw, "");
    test_eq("down now", link_of(&rig.a)->state, PYROI_DOWN);
}

/* ------------------------------------------------------------------------
 * Other protocols
 * ------------------------------------------------------------------------ */

TEST(pyro_5_is_recognized_where_it_is_not_spoken)
{
    int32_t raw;

    open_a();
    raw = raw_client();
    raw_feed(raw, "PYRO\x01\xf6\x01\x00\x00\x00\x00\x00", 12);
    assert_true(raw_closed(raw));
    assert_non_null(strstr(rig.a.why.text, "Pyro 4 or 5"));
}

TEST(a_daemon_of_pyro_5_is_recognized)
{
    int32_t           listener = raw_listen();
    int32_t           raw;
    static pyro_proxy calc;
    static struct ask ask;

    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_feed(raw, "PYRO\x01\xf6\x01\x00\x00\x00\x00\x00", 12);
    settle();
    ask_ended("call", &ask, PYRO_ERR_PROTOCOL);
    assert_false(pyro_request_sent(&ask.rq));
    assert_non_null(strstr(rig.b.why.text, "Pyro 4 or 5"));
    pyro_proxy_close(&calc);
}

TEST(garbage_closes_a_connection_before_and_after_the_greeting)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_feed(raw, "GET / HTTP/1.1\r\n", 16);
    assert_true(raw_closed(raw));
    raw = raw_client();
    raw_feed(raw, "GET / HTTP/1.1\r\n", 16);
    assert_true(raw_closed(raw));
    test_eq("bad", rig.a.stats.bad, 2);
    raw_works("the next", raw_client());
}

TEST(garbage_on_a_pipe_is_skipped_up_to_the_next_header)
{
    uint8_t  noise[300];
    uint32_t seed = 5;
    unsigned n;
    int32_t  raw;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    for (n = 0; n < sizeof noise; n++) {
        noise[n] = (uint8_t)test_random(&seed);
        if (n % 5 == 0)
            noise[n] = 'P'; /* but never PY */
        else if (noise[n] == 'Y')
            noise[n] = 0;
    }
    for (n = 1; n < sizeof noise; n += 7) {
        raw_feed(raw, noise, n);
        raw_greet(raw);
        raw_feed(raw, noise, n);
        raw_works("after noise", raw);
    }
    test_eq("restarts", rig.a.stats.restarts > 10, true);
    assert_true(rig.a.stats.bad > 100);
}

TEST(frames_of_unknown_type_end_a_link)
{
    static const uint8_t types[] = { 0, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    size_t               i;

    open_a();
    for (i = 0; i < sizeof types; i++) {
        int32_t raw = raw_client();

        raw_send(raw, types[i], 0, 1, "c0");
        raw_expect("nothing said", raw, "");
        test_eq("closed", raw_closed(raw), true);
        raw_hang_up(raw);
        settle();
    }
}

TEST(greetings_on_an_open_connection_end_it)
{
    static const uint8_t types[] = { CONNECT, CONNECTOK, CONNECTFAIL };
    size_t               i;

    open_a();
    for (i = 0; i < sizeof types; i++) {
        int32_t raw = raw_client();

        raw_greet_with(raw, types[i], 0, 60000, 0);
        raw_expect("nothing said", raw, "");
        test_eq("closed", raw_closed(raw), true);
        raw_hang_up(raw);
        settle();
    }
}

/* ------------------------------------------------------------------------
 * Checksums
 * ------------------------------------------------------------------------ */

/* Greets with features as given; returns the features that came back. */
static unsigned features_agreed(int32_t raw, unsigned features)
{
    raw_greet_with(raw, CONNECT, features, 60000, 0);
    return raw_expect_type("answer", raw, CONNECTOK)[2];
}

TEST(checksums_are_agreed_when_either_side_wants_them)
{
    static const struct {
        const char *label;
        uint8_t     config;
        uint8_t     port;
        uint8_t     peer;
        unsigned    agreed;
    } rows[] = { { "nobody", 0, 0, 0, 0 },
                 { "the config", 1, 0, 0, 1 },
                 { "a noisy port", 0, PYRO_PORT_NOISY, 0, 1 },
                 { "the peer", 0, 0, 1, 1 },
                 { "the peer, with features to come", 0, 0, 0xFF, 1 },
                 { "features to come", 0, 0, 0x7E, 0 },
                 { "both", 1, PYRO_PORT_NOISY, 1, 1 } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        int32_t raw;

        rig.conf_a.checksum = rows[i].config;
        rig.port_a.flags = rows[i].port;
        open_a();
        raw = raw_connect();
        test_eq(rows[i].label, features_agreed(raw, rows[i].peer & 0x7F),
                rows[i].agreed);
        raw_send(raw, INVOKE, rows[i].agreed != 0 ? F_CHECKSUM : 0, 1,
                 CALC_ADD_2_3);
        raw_expect_type(rows[i].label, raw, RESULT);
        test_eq(rows[i].label, (rig.got[3] & F_CHECKSUM) != 0, rows[i].agreed);
        close_a();
    }
}

TEST(a_client_asks_for_checksums_and_takes_them_when_asked)
{
    int32_t           listener = raw_listen();
    unsigned          ours;
    unsigned          theirs;
    static pyro_proxy calc;
    static struct ask ask;

    for (ours = 0; ours < 2; ours++) {
        for (theirs = ours; theirs < 2; theirs++) {
            int32_t raw;

            rig.conf_b.checksum = (uint8_t)ours;
            open_b();
            pyro_proxy_open(&calc, &rig.b, CALC);
            ask_add(&ask, &calc, 2, 3);
            raw = raw_accept(listener);
            test_eq("asked", raw_expect_type("c", raw, CONNECT)[2], ours);
            raw_greet_with(raw, CONNECTOK, theirs, 60000, 0);
            raw_expect_type("call", raw, INVOKE);
            test_eq("agreed", (rig.got[3] & F_CHECKSUM) != 0, theirs);
            raw_send(raw, RESULT, theirs != 0 ? F_CHECKSUM : 0, 1, "05");
            settle();
            ask_ended("call", &ask, PYRO_OK);
            close_b();
        }
    }
}

TEST(a_call_with_a_checksum_has_just_these_bytes)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    features_agreed(raw, 1);
    raw_send(raw, INVOKE, F_CHECKSUM, 1, CALC_ADD_2_3);
    raw_expect("reply", raw, "'PY' 65 10 00 01 00 01 05 d5 a7 7e 47");
    raw_send(raw, PING, F_CHECKSUM, 0, "");
    raw_expect("pong", raw, "'PY' 66 10 00 00 00 01 c0 b7 fd 35 80");
}

TEST(a_frame_without_the_checksum_agreed_is_an_error)
{
    static const uint8_t types[] = { INVOKE, RESULT, PING };
    size_t               i;

    open_a();
    for (i = 0; i < sizeof types; i++) {
        int32_t raw = raw_connect();

        features_agreed(raw, 1);
        raw_send(raw, types[i], 0, 1, CALC_ADD_2_3);
        raw_expect("nothing said", raw, "");
        test_eq("closed", raw_closed(raw), true);
        raw_hang_up(raw);
        settle();
    }
    test_eq("handlers", rig.calc.ran, 0);
}

TEST(a_checksum_nobody_asked_for_is_looked_at_all_the_same)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, F_CHECKSUM, 1, CALC_ADD_2_3);
    int32_t  raw;

    open_a();
    raw = raw_client();
    raw_feed(raw, bytes, n);
    raw_expect("right", raw, "'PY' 65 00 00 01 00 01 05");
    bytes[n - 1] ^= 1;
    raw_feed(raw, bytes, n);
    raw_expect("wrong", raw, "");
    assert_true(raw_closed(raw));
    test_eq("handlers", rig.calc.ran, 1);
}

TEST(a_request_with_any_bit_flipped_is_never_delivered)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, F_CHECKSUM, 9, CALC_ADD_2_3);
    uint32_t bit;

    open_a();
    for (bit = 0; bit < n * 8; bit++) {
        int32_t raw = raw_connect();

        features_agreed(raw, 1);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        raw_feed(raw, bytes, n);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        settle();
        raw_take(raw);
        test_eq("handlers", rig.calc.ran, 0);
        test_eq("no result", rig.got_n == 0 || (rig.got[3] & 1) != 0, true);
        raw_hang_up(raw);
        settle();
    }
    test_eq("links", rig.a.n_links_, 0);
}

TEST(a_reply_with_any_bit_flipped_is_never_delivered)
{
    int32_t  listener = raw_listen();
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, RESULT, F_CHECKSUM, 1, "05");
    uint32_t bit;

    open_b();
    for (bit = 0; bit < n * 8; bit++) {
        static pyro_proxy calc;
        static struct ask ask;
        int32_t           raw;

        pyro_proxy_open(&calc, &rig.b, CALC);
        ask_add(&ask, &calc, 2, 3);
        raw = raw_accept(listener);
        raw_expect_type("greets", raw, CONNECT);
        raw_greet_with(raw, CONNECTOK, 1, 60000, 0);
        raw_expect_type("calls", raw, INVOKE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        raw_feed(raw, bytes, n);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        pass(3100);
        test_eq("slot", ask.result, -1);
        test_eq("ended", pyro_done(&ask.rq), true);
        test_eq("sent", pyro_request_sent(&ask.rq), true);
        test_eq("in error", pyro_result(&ask.rq) != PYRO_OK, true);
        pyro_proxy_close(&calc);
        raw_hang_up(raw);
        settle();
    }
}

/* ------------------------------------------------------------------------
 * Sizes
 * ------------------------------------------------------------------------ */

/* Calls size(n bytes) so that the body has `body` bytes. */
static pyro_err ask_size(struct ask *ask, pyro_proxy *calc, uint32_t body)
{
    static const uint8_t zeros[100000];
    uint32_t overhead = 1 + 5 + 5 + 1 + 1; /* list, names, list, kwargs */
    uint32_t n = body - overhead
               - (body > 0xFFFF + 16 ? 5
                  : body > 0xFF + 15 ? 3
                                     : 2);
    pyro_err err = pyro_begin(&ask->rq, calc, "size");

    ask->result = -1;
    assert_int_equal(err, PYRO_OK);
    pyro_put_bin(&ask->rq.args, zeros, n);
    return pyro_send(&ask->rq, pyro_to_i32(&ask->result), NULL, NULL);
}

static PYRO_ROOM(2, 4, 70100, 2) long_room_a;
static PYRO_ROOM(2, 4, 70100, 2) long_room_b;

TEST(messages_over_65535_bytes_go_both_ways)
{
    static pyro_proxy calc;
    static struct ask ask;
    uint8_t           back[70000];
    pyro_blob         blob = { back, sizeof back, 0 };

    open_a_in(PYRO_ROOM_OF(long_room_a));
    listen_a();
    open_b_in(PYRO_ROOM_OF(long_room_b));
    pyro_proxy_open(&calc, &rig.b, CALC);
    assert_int_equal(ask_size(&ask, &calc, 70000), PYRO_OK);
    settle();
    ask_ended("there", &ask, PYRO_OK);
    test_eq("there", ask.result, 70000 - 18);
    assert_int_equal(pyro_begin(&ask.rq, &calc, "big"), PYRO_OK);
    pyro_put_int(&ask.rq.args, 69000);
    assert_int_equal(pyro_send(&ask.rq, pyro_to_bin(&blob), NULL, NULL), 0);
    settle();
    ask_ended("back", &ask, PYRO_OK);
    test_eq("back", blob.used, 69000);
    pyro_proxy_close(&calc);
}

TEST(the_length_has_32_bits_from_65536_on)
{
    int32_t           listener = raw_listen();
    int32_t           raw;
    static pyro_proxy calc;
    static struct ask ask[2];

    open_b_in(PYRO_ROOM_OF(long_room_b));
    pyro_proxy_open(&calc, &rig.b, CALC);
    assert_int_equal(ask_size(&ask[0], &calc, 65535), PYRO_OK);
    raw = raw_accept(listener);
    raw_take(raw);
    raw_greet_with(raw, CONNECTOK, 0, 70000, 0);
    settle();
    raw_take(raw);
    test_same_hex("65535", rig.got, 8, "'PY' 64 00 00 01 ff ff");
    while (settle(), raw_take(raw) > 0) {
    }
    assert_int_equal(ask_size(&ask[1], &calc, 65536), PYRO_OK);
    settle();
    raw_take(raw);
    test_same_hex("65536", rig.got, 10, "'PY' 64 40 00 02 00 01 00 00");
    while (settle(), raw_take(raw) > 0) {
    }
    pyro_proxy_close(&calc);
}

TEST(a_short_message_may_come_with_a_long_header)
{
    uint8_t bytes[64] = { 'P', 'Y', 0x64, F_LONG, 0, 1, 0, 0, 0 };
    int32_t raw;

    bytes[9] = (uint8_t)test_hex(bytes + 10, 50, CALC_ADD_2_3);
    open_a();
    raw = raw_client();
    raw_feed(raw, bytes, 24);
    raw_expect("reply", raw, "'PY' 65 00 00 01 00 01 05");
}

TEST(a_message_of_the_largest_size_arrives)
{
    static pyro_proxy calc;
    static struct ask ask;

    open_a();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    assert_int_equal(ask_size(&ask, &calc, RIG_MAX), PYRO_OK);
    settle();
    ask_ended("largest", &ask, PYRO_OK);
    test_eq("largest", ask.result, RIG_MAX - 16);
    pyro_proxy_close(&calc);
}

TEST(one_byte_more_than_fits_the_own_buffer_is_an_error_with_both_sizes)
{
    static pyro_proxy calc;
    static struct ask ask;

    open_a();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    test_eq("one more", ask_size(&ask, &calc, RIG_MAX + 1), PYRO_ERR_NOSPACE);
    test_eq("limit",
            rig.b.why.limit == RIG_BYTES || rig.b.why.limit == RIG_MAX, true);
    assert_false(pyro_request_sent(&ask.rq));
    ask_add(&ask, &calc, 2, 3);
    settle();
    ask_ended("the next", &ask, PYRO_OK);
    pyro_proxy_close(&calc);
}

/* Before the greeting the limit is not known: `early` is such a call. */
static void too_long_for_the_peer(bool early)
{
    int32_t           listener = raw_listen();
    int32_t           raw;
    static pyro_proxy calc;
    static struct ask ask;

    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    if (early)
        assert_int_equal(ask_size(&ask, &calc, 101), PYRO_OK);
    else
        ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_take(raw);
    raw_greet_with(raw, CONNECTOK, 0, 100, 0);
    settle();
    if (!early) {
        raw_send(raw, RESULT, 0, 1, "05");
        settle();
        test_eq("later", ask_size(&ask, &calc, 101), PYRO_ERR_NOSPACE);
    }
    ask_ended("too long", &ask, PYRO_ERR_NOSPACE);
    assert_non_null(strstr(rig.b.why.text, "too long"));
    test_eq("is", rig.b.why.is, 101);
    test_eq("limit", rig.b.why.limit, 100);
    assert_false(pyro_request_sent(&ask.rq));
    raw_take(raw);
    assert_int_equal(ask_size(&ask, &calc, 100), PYRO_OK);
    raw_expect_type("just fits", raw, INVOKE);
    pyro_proxy_close(&calc);
}

TEST(a_message_too_long_for_the_peer_fails_at_the_sender)
{
    too_long_for_the_peer(false);
}

TEST(a_message_turns_out_too_long_when_the_peer_has_greeted)
{
    too_long_for_the_peer(true);
}

TEST(a_call_longer_than_accepted_gets_an_exception_and_the_link_stays)
{
    static uint8_t frame[2000];
    uint8_t        body[1200] = { 0x94 };
    uint32_t       n;
    int32_t        raw;

    open_a();
    raw = raw_client();
    for (n = RIG_MAX + 1; n <= sizeof body; n += 100) {
        raw_feed(raw, frame, raw_frame(frame, INVOKE, 0, 5, body, n));
        raw_expect_type("too long", raw, RESULT);
        test_eq("exception", rig.got[3], F_EXCEPTION);
        test_eq("seq", rig.got[5], 5);
        assert_true(raw_says("ProtocolError"));
        assert_true(raw_says("accepted: 498"));
        raw_works("link", raw);
    }
    raw_feed(raw, frame, raw_frame(frame, INVOKE, F_ONEWAY, 0, body, 600));
    raw_works("oneway", raw);
    test_eq("lost", rig.a.stats.lost_oneway, 1);
}

TEST(a_call_longer_than_accepted_arrives_in_pieces_and_is_answered_once)
{
    static uint8_t frame[2000];
    uint8_t        body[600] = { 0x94 };
    uint32_t       n = raw_frame(frame, INVOKE, 0, 5, body, sizeof body);
    uint32_t       at;
    uint32_t       got = 0;
    int32_t        raw;

    open_a();
    raw = raw_client();
    for (at = 0; at < n; at += 19) {
        raw_feed(raw, frame + at, n - at < 19 ? n - at : 19);
        settle();
        got += raw_take(raw) > 0;
    }
    test_eq("answers", got, 1);
    raw_works("link", raw);
}

TEST(a_result_longer_than_accepted_ends_its_call_and_the_link_stays)
{
    static uint8_t    frame[2000];
    uint8_t           body[700] = { 0xC5, 0x02, 0xB9 };
    int32_t           listener = raw_listen();
    int32_t           raw;
    static pyro_proxy calc;
    static struct ask ask[2];

    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask[0], &calc, 2, 3);
    ask_add(&ask[1], &calc, 2, 3);
    raw = raw_server(listener);
    raw_feed(raw, frame, raw_frame(frame, RESULT, 0, 1, body, sizeof body));
    settle();
    ask_ended("too long", &ask[0], PYRO_ERR_NOSPACE);
    test_eq("is", rig.b.why.is, 700);
    test_eq("limit", rig.b.why.limit, RIG_MAX);
    assert_true(pyro_request_sent(&ask[0].rq));
    ask_open("the other", &ask[1]);
    raw_send(raw, RESULT, 0, 2, "05");
    settle();
    ask_ended("the other", &ask[1], PYRO_OK);
    pyro_proxy_close(&calc);
}

TEST(a_result_too_long_for_the_caller_becomes_an_exception)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 0, 200, 0);
    raw_expect_type("greeting", raw, CONNECTOK);
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cc c6 80");
    raw_expect_type("198 and 2", raw, RESULT);
    test_eq("fits", rig.got[3], 0);
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cc c7 80");
    raw_expect_type("199 and 2", raw, RESULT);
    test_eq("exception", rig.got[3], F_EXCEPTION);
    assert_true(raw_says("MemoryError"));
    assert_true(raw_says("over 200 bytes"));
}

/* A caller that accepts next to nothing: what it gets is still a frame it
 * can read over, with the checksum that was agreed. */
TEST(an_exception_too_long_for_the_caller_is_still_a_frame)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 1, 50, 0);
    raw_expect_type("greeting", raw, CONNECTOK);
    raw_send(raw, INVOKE, F_CHECKSUM, 1, "94 a4 'calc' a3 'big' 91 cc c6 80");
    raw_expect_type("answer", raw, RESULT);
    test_eq("flags", rig.got[3], F_EXCEPTION | F_CHECKSUM);
    test_eq("checksum", pyroi_load32(rig.got + rig.got_n - 4),
            pyro_crc32(0, rig.got, rig.got_n - 4));
}

TEST(absurd_lengths_end_the_link_and_hold_nothing_up)
{
    static const uint32_t lengths[] = { 0xFFFFFFFF, 0xFFFFFFFC, 0xFFFFFFFB,
                                        0x80000000, 0x7FFFFFFF, 0x7FFFFFFB,
                                        0x01000000 };
    uint8_t               bytes[64] = { 'P', 'Y', 0x64, F_LONG, 0, 1 };
    size_t                i;
    unsigned              type;

    open_a();
    for (i = 0; i < PYRO_COUNT(lengths) * 4; i++) {
        int32_t raw = raw_client();

        for (type = INVOKE; type <= PING; type++) {
            bytes[2] = (uint8_t)(0x60 | type);
            bytes[3] = (i & 1) != 0 ? F_LONG | F_CHECKSUM : F_LONG;
            pyroi_store32(bytes + 6, lengths[i / 4]);
            raw_feed(raw, bytes, sizeof bytes);
            pass(2100);
            test_eq("closed", raw_closed(raw), true);
            raw_hang_up(raw);
            settle();
            raw = raw_client();
        }
        raw_works("the next", raw);
        raw_hang_up(raw);
        settle();
    }
    test_eq("handlers", rig.calc.ran, PYRO_COUNT(lengths) * 4);
}

TEST(a_result_nobody_asked_for_is_skipped_and_counted)
{
    int32_t raw;

    open_a();
    raw = raw_client();
    raw_send(raw, RESULT, 0, 0, "05");
    raw_send(raw, RESULT, 0, 77, "a3 'abc'");
    raw_send(raw, RESULT, F_EXCEPTION, 65535, "c1");
    raw_works("link", raw);
    test_eq("late", rig.a.stats.late, 3);
    test_eq("bad", rig.a.stats.bad, 0);
}

TEST(a_oneway_call_is_not_answered_whatever_happens)
{
    int32_t raw;

    open_a();
    raw = raw_client();
    raw_send(raw, INVOKE, F_ONEWAY, 0, CALC_ADD_2_3);
    raw_send(raw, INVOKE, F_ONEWAY, 0, "94 a4 'calc' a3 'xyz' 90 80");
    raw_send(raw, INVOKE, F_ONEWAY, 0, "c1 c1 c1");
    raw_send(raw, INVOKE, F_ONEWAY, 4711, CALC_NOTE_7);
    raw_expect("oneway", raw, "");
    test_eq("handlers", rig.calc.ran, 2);
    raw_send(raw, INVOKE, 0, 0, CALC_NOTE_7);
    raw_expect("nil", raw, "'PY' 65 00 00 00 00 01 c0");
}

static const struct CMUnitTest tests[] = {
    RIG_TEST(a_client_greets_and_calls_in_just_these_bytes),
    RIG_TEST(a_daemon_greets_and_answers_in_just_these_bytes),
    RIG_TEST(the_greeting_of_the_rig_is_the_one_above),
    RIG_TEST(a_greeting_cut_at_any_byte_goes_on_where_it_was),
    RIG_TEST(an_answer_cut_at_any_byte_goes_on_where_it_was),
    RIG_TEST(every_malformed_field_of_a_greeting_is_refused),
    RIG_TEST(every_malformed_field_of_an_answer_is_refused),
    RIG_TEST(a_greeting_with_any_bit_flipped_is_not_accepted),
    RIG_TEST(a_greeting_without_a_checksum_is_refused),
    RIG_TEST(a_nonce_of_any_length_up_to_46_is_passed_over),
    RIG_TEST(a_peer_must_accept_messages_of_50_bytes),
    RIG_TEST(version_7_is_told_which_version_is_spoken),
    RIG_TEST(a_fifth_connection_is_told_that_the_server_is_too_busy),
    RIG_TEST(a_client_refused_gets_denied_with_the_reason),
    RIG_TEST(the_link_too_many_is_not_waited_for_longer_than_200_ms),
    RIG_TEST(a_connection_that_stays_silent_is_dropped_after_greet_ms),
    RIG_TEST(a_greeting_that_dribbles_in_does_not_get_more_time),
    RIG_TEST(any_frame_before_the_greeting_closes_a_connection),
    RIG_TEST(a_frame_on_a_pipe_that_is_down_is_told_so_once_a_second),
    RIG_TEST(nothing_makes_a_pipe_that_is_down_speak_more_often),
    RIG_TEST(a_pipe_that_goes_down_anew_says_so_at_once),
    RIG_TEST(a_pipe_that_was_down_for_months_still_says_so),
    RIG_TEST(a_refusal_is_never_answered),
    RIG_TEST(pyro_5_is_recognized_where_it_is_not_spoken),
    RIG_TEST(a_daemon_of_pyro_5_is_recognized),
    RIG_TEST(garbage_closes_a_connection_before_and_after_the_greeting),
    RIG_TEST(garbage_on_a_pipe_is_skipped_up_to_the_next_header),
    RIG_TEST(frames_of_unknown_type_end_a_link),
    RIG_TEST(greetings_on_an_open_connection_end_it),
    RIG_TEST(checksums_are_agreed_when_either_side_wants_them),
    RIG_TEST(a_client_asks_for_checksums_and_takes_them_when_asked),
    RIG_TEST(a_call_with_a_checksum_has_just_these_bytes),
    RIG_TEST(a_frame_without_the_checksum_agreed_is_an_error),
    RIG_TEST(a_checksum_nobody_asked_for_is_looked_at_all_the_same),
    RIG_TEST(a_request_with_any_bit_flipped_is_never_delivered),
    RIG_TEST(a_reply_with_any_bit_flipped_is_never_delivered),
    RIG_TEST(messages_over_65535_bytes_go_both_ways),
    RIG_TEST(the_length_has_32_bits_from_65536_on),
    RIG_TEST(a_short_message_may_come_with_a_long_header),
    RIG_TEST(a_message_of_the_largest_size_arrives),
    RIG_TEST(
        one_byte_more_than_fits_the_own_buffer_is_an_error_with_both_sizes),
    RIG_TEST(a_message_too_long_for_the_peer_fails_at_the_sender),
    RIG_TEST(a_message_turns_out_too_long_when_the_peer_has_greeted),
    RIG_TEST(a_call_longer_than_accepted_gets_an_exception_and_the_link_stays),
    RIG_TEST(
        a_call_longer_than_accepted_arrives_in_pieces_and_is_answered_once),
    RIG_TEST(a_result_longer_than_accepted_ends_its_call_and_the_link_stays),
    RIG_TEST(a_result_too_long_for_the_caller_becomes_an_exception),
    RIG_TEST(an_exception_too_long_for_the_caller_is_still_a_frame),
    RIG_TEST(absurd_lengths_end_the_link_and_hold_nothing_up),
    RIG_TEST(a_result_nobody_asked_for_is_skipped_and_counted),
    RIG_TEST(a_oneway_call_is_not_answered_whatever_happens)
};

RIG_MAIN(tests)
