/* The life of a link: sequence numbers, keep-alive, deadlines, pipes whose
 * ends come and go, hooks. */
#include "link_rig.h"

#define PING_FRAME "'PY' 66 00 00 00 00 00"
#define PONG_FRAME "'PY' 66 00 00 00 00 01 c0"

/* ------------------------------------------------------------------------
 * Sequence numbers
 * ------------------------------------------------------------------------ */

/* b has a proxy of a server that the test plays. */
static struct calling {
    pyro_proxy calc;
    int32_t    listener;
    int32_t    raw;
} calling;

static void call_raw(void)
{
    static struct ask first;

    calling.listener = raw_listen();
    open_b();
    assert_int_equal(pyro_proxy_open(&calling.calc, &rig.b, CALC), 0);
    ask_add(&first, &calling.calc, 0, 0);
    calling.raw = raw_server(calling.listener);
    raw_take(calling.raw);
    raw_send(calling.raw, RESULT, 0, 1, "00");
    settle();
    ask_ended("first", &first, PYRO_OK);
    link_of(&rig.b)->seq = 0; /* as if it had not been */
}

/* The number of the call that has come. */
static unsigned seq_of_call(void)
{
    raw_expect_type("call", calling.raw, INVOKE);
    return pyroi_load16(rig.got + 4);
}

TEST(calls_count_up_from_1_and_oneways_have_number_0)
{
    static struct ask ask[3];

    call_raw();
    ask_add(&ask[0], &calling.calc, 2, 3);
    test_eq("first", seq_of_call(), 1);
    pyro_oneway(&calling.calc, "note", PYRO_ARGS(pyro_int(7)));
    raw_expect("oneway", calling.raw, "'PY' 64 04 00 00 00 0e " CALC_NOTE_7);
    ask_add(&ask[1], &calling.calc, 2, 3);
    test_eq("second", seq_of_call(), 2);
    ask_add(&ask[2], &calling.calc, 2, 3);
    test_eq("third", seq_of_call(), 3);
    pyro_proxy_close(&calling.calc);
}

TEST(answers_may_come_in_any_order)
{
    static struct ask ask[3];
    int               i;

    call_raw();
    for (i = 0; i < 3; i++)
        ask_add(&ask[i], &calling.calc, 2, 3);
    raw_send(calling.raw, RESULT, 0, 2, "0b");
    settle();
    ask_open("first", &ask[0]);
    ask_ended("second", &ask[1], PYRO_OK);
    raw_send(calling.raw, RESULT, 0, 3, "0c");
    raw_send(calling.raw, RESULT, 0, 1, "0a");
    settle();
    for (i = 0; i < 3; i++)
        test_eq("result", ask[i].result, 10 + i);
    pyro_proxy_close(&calling.calc);
}

TEST(numbers_still_open_are_skipped_when_the_counter_comes_round)
{
    static struct ask ask[5];

    call_raw();
    ask_add(&ask[0], &calling.calc, 2, 3);
    ask_add(&ask[1], &calling.calc, 2, 3);
    settle();
    raw_take(calling.raw);
    link_of(&rig.b)->seq = 65534;
    ask_add(&ask[2], &calling.calc, 2, 3);
    test_eq("last", seq_of_call(), 65535);
    ask_add(&ask[3], &calling.calc, 2, 3);
    test_eq("0, 1 and 2 are skipped", seq_of_call(), 3);
    raw_send(calling.raw, RESULT, 0, 2, "0b");
    raw_send(calling.raw, RESULT, 0, 65535, "0c");
    settle();
    test_eq("2", ask[1].result, 11);
    test_eq("65535", ask[2].result, 12);
    ask_open("1", &ask[0]);
    pyro_proxy_close(&calling.calc);
}

TEST(a_late_reply_is_counted_and_never_reaches_another_call)
{
    static struct ask ask[2];

    call_raw();
    ask_add(&ask[0], &calling.calc, 2, 3);
    pass(3100);
    ask_ended("given up", &ask[0], PYRO_ERR_TIMEOUT);
    assert_true(pyro_request_sent(&ask[0].rq));
    ask_add(&ask[1], &calling.calc, 2, 3);
    settle();
    raw_send(calling.raw, RESULT, 0, 1, "63");
    settle();
    ask_open("next", &ask[1]);
    test_eq("late", rig.b.stats.late, 1);
    test_eq("slot", ask[0].result, -1);
    raw_send(calling.raw, RESULT, 0, 2, "05");
    settle();
    ask_ended("next", &ask[1], PYRO_OK);
    test_eq("next", ask[1].result, 5);
    test_eq("timeouts", rig.b.stats.timeouts, 1);
    pyro_proxy_close(&calling.calc);
}

/* At every byte of a reply its call is given up, and another one begun. */
TEST(a_call_can_be_given_up_while_its_reply_comes_in)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, RESULT, 0, 1, "d2 7f ff ff ff");
    uint32_t k;

    call_raw();
    for (k = 0; k <= n; k++) {
        static struct ask ask[2];

        link_of(&rig.b)->seq = 0;
        ask_add(&ask[0], &calling.calc, 2, 3);
        settle();
        raw_feed(calling.raw, bytes, k);
        settle();
        test_eq("not sent", pyro_cancel(&ask[0].rq), false);
        ask_add(&ask[1], &calling.calc, 2, 3);
        raw_feed(calling.raw, bytes + k, n - k);
        raw_send(calling.raw, RESULT, 0, 2, "05");
        settle();
        test_eq("slot", ask[0].result, k < n ? -1 : 0x7FFFFFFF);
        ask_ended("next", &ask[1], PYRO_OK);
        test_eq("next", ask[1].result, 5);
        test_eq("late", rig.b.stats.late, k < n ? k + 1 : n);
        raw_take(calling.raw);
    }
    pyro_proxy_close(&calling.calc);
}

TEST(a_number_given_up_is_not_used_again_on_the_same_connection)
{
    static struct ask ask[3];
    int32_t           old;

    call_raw();
    old = calling.raw;
    ask_add(&ask[0], &calling.calc, 2, 3);
    settle();
    pyro_cancel(&ask[0].rq);
    link_of(&rig.b)->seq = 65534;
    ask_add(&ask[1], &calling.calc, 2, 3);
    settle();
    raw_take(old);
    test_eq("65535", pyroi_load16(rig.got + rig.got_n - 18), 65535);
    ask_add(&ask[2], &calling.calc, 4, 5);
    assert_true(raw_closed(old));
    ask_ended("what was open", &ask[1], PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask[1].rq));
    calling.raw = raw_server(calling.listener);
    test_eq("connected anew", seq_of_call(), 1);
    raw_send(calling.raw, RESULT, 0, 1, "09");
    settle();
    ask_ended("next", &ask[2], PYRO_OK);
    pyro_proxy_close(&calling.calc);
}

TEST(a_number_given_up_and_answered_late_is_used_again)
{
    static struct ask ask[2];

    call_raw();
    ask_add(&ask[0], &calling.calc, 2, 3);
    settle();
    pyro_cancel(&ask[0].rq);
    raw_send(calling.raw, RESULT, 0, 1, "05");
    settle();
    raw_take(calling.raw);
    link_of(&rig.b)->seq = 65535;
    ask_add(&ask[1], &calling.calc, 4, 5);
    test_eq("used again", seq_of_call(), 1);
    raw_send(calling.raw, RESULT, 0, 1, "09");
    settle();
    ask_ended("next", &ask[1], PYRO_OK);
    pyro_proxy_close(&calling.calc);
}

/* On a pipe the peer is greeted again. What was given up before that is
 * forgotten: it does not end the pipe a second time. */
TEST(a_pipe_greets_again_before_a_number_given_up_would_be_used)
{
    pyro_link         link;
    int32_t           raw;
    static struct ask ask[3];

    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    raw_greet(raw);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask[0], &calling.calc, 2, 3);
    raw_expect_type("call", raw, INVOKE);
    pyro_cancel(&ask[0].rq);
    link_of(&rig.b)->seq = 65535;
    ask_add(&ask[1], &calling.calc, 2, 3);
    raw_expect_type("greets", raw, CONNECT);
    raw_greet_with(raw, CONNECTOK, 0, 60000, 0);
    raw_expect_type("call", raw, INVOKE);
    raw_send(raw, RESULT, 0, pyroi_load16(rig.got + 4), "05");
    settle();
    ask_ended("call", &ask[1], PYRO_OK);
    link_of(&rig.b)->seq = 65535;
    ask_add(&ask[2], &calling.calc, 2, 3);
    raw_expect_type("no greeting", raw, INVOKE);
    pyro_proxy_close(&calling.calc);
}

TEST(a_peer_that_greets_anew_frees_the_numbers_given_up)
{
    static struct ask ask[2];
    pyro_link         link;
    int32_t           raw;

    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    raw_greet(raw);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask[0], &calling.calc, 2, 3);
    raw_expect_type("call", raw, INVOKE);
    pyro_cancel(&ask[0].rq);
    raw_greet(raw);
    link_of(&rig.b)->seq = 65535;
    ask_add(&ask[1], &calling.calc, 2, 3);
    raw_expect_type("no greeting", raw, INVOKE);
    test_eq("used again", pyroi_load16(rig.got + 4), 1);
}

/* One call stays open while the counter goes round. */
TEST(a_call_survives_seventy_thousand_others_on_its_connection)
{
    static pyro_proxy calc;
    static struct ask first;
    static struct ask ask;
    long              i;

    open_a();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    pyro_begin(&first.rq, &calc, "later");
    pyro_deadline(&first.rq, 60000);
    pyro_send(&first.rq, pyro_to_i32(&first.result), NULL, NULL);
    settle();
    for (i = 0; i < 70000; i++) {
        int polls = 0;

        ask_add(&ask, &calc, (int32_t)i, 1);
        while (!pyro_done(&ask.rq) && ++polls < 10) {
            pyro_poll(&rig.a, 0);
            pyro_poll(&rig.b, 0);
        }
        ask_ended("other", &ask, PYRO_OK);
        test_eq("other", ask.result, i + 1);
    }
    ask_open("first", &first);
    test_eq("went round", link_of(&rig.b)->seq, 70000 - 65535 + 2);
    pyro_put_int(pyro_finish(&rig.calc.later), 4711);
    pyro_reply(&rig.calc.later);
    settle();
    ask_ended("first", &first, PYRO_OK);
    test_eq("first", first.result, 4711);
    pyro_proxy_close(&calc);
}

/* ------------------------------------------------------------------------
 * Keep-alive
 * ------------------------------------------------------------------------ */

/* A greeted peer of a that announces this dead_ms. */
static int32_t raw_mortal(unsigned dead)
{
    int32_t raw = raw_connect();

    raw_greet_with(raw, CONNECT, 0, 60000, dead);
    raw_expect_type("greeting", raw, CONNECTOK);
    return raw;
}

TEST(after_a_third_of_dead_ms_in_silence_a_link_is_asked)
{
    int32_t raw;

    rig.conf_a.dead_ms = 3000;
    open_a();
    raw = raw_mortal(3000);
    pass(990);
    raw_expect("not yet", raw, "");
    pass(20);
    raw_expect("ping", raw, PING_FRAME);
    raw_send(raw, PING, 0, 0, "c0");
    pass(970);
    raw_expect("an answer is not answered", raw, "");
    pass(40);
    raw_expect("ping", raw, PING_FRAME);
}

TEST(a_link_that_speaks_is_not_asked)
{
    int32_t raw;
    int     i;

    rig.conf_a.dead_ms = 3000;
    open_a();
    raw = raw_mortal(3000);
    for (i = 0; i < 10; i++) {
        pass(900);
        raw_works("busy", raw);
    }
}

TEST(a_question_is_answered_with_nil)
{
    int32_t raw;

    open_a();
    raw = raw_client();
    raw_send(raw, PING, 0, 0, "");
    raw_expect("answer", raw, PONG_FRAME);
    raw_send(raw, PING, 0, 0, "c0");
    raw_send(raw, PING, 0, 0, "c3");
    raw_send(raw, PING, 0, 99, "a3 'abc'");
    raw_expect("whatever has a body is an answer", raw, "");
    raw_works("link", raw);
}

TEST(silence_longer_than_dead_ms_ends_a_link)
{
    int32_t raw;

    rig.conf_a.dead_ms = 3000;
    open_a();
    raw = raw_mortal(3000);
    pass(2950);
    assert_false(raw_closed(raw));
    pass(1050);
    assert_true(raw_closed(raw));
    test_eq("dead", rig.a.stats.dead, 1);
    assert_true(rig.a.why.is >= 3000);
    test_eq("limit", rig.a.why.limit, 3000);
}

TEST(the_larger_dead_ms_of_both_sides_counts)
{
    int32_t raw[2];

    rig.conf_a.dead_ms = 1500;
    open_a();
    raw[0] = raw_mortal(6000);
    raw[1] = raw_mortal(100);
    pass(1400);
    assert_false(raw_closed(raw[1]));
    pass(700);
    assert_true(raw_closed(raw[1]));
    pass(3800);
    assert_false(raw_closed(raw[0]));
    pass(700);
    assert_true(raw_closed(raw[0]));
}

TEST(silence_ends_the_calls_of_a_link_with_closed)
{
    static struct ask ask;

    rig.conf_b.dead_ms = 3000;
    rig.conf_b.timeout_ms = 60000;
    calling.listener = raw_listen();
    open_b();
    pyro_proxy_open(&calling.calc, &rig.b, CALC);
    ask_add(&ask, &calling.calc, 2, 3);
    calling.raw = raw_accept(calling.listener);
    raw_greet_with(calling.raw, CONNECTOK, 0, 60000, 3000);
    pass(2900);
    ask_open("call", &ask);
    pass(1200);
    ask_ended("call", &ask, PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask.rq));
    pyro_proxy_close(&calling.calc);
}

TEST(never_on_either_side_is_no_keep_alive)
{
    static const uint16_t dead[][2] = { { PYRO_NEVER, 1000 },
                                        { 1000, PYRO_NEVER },
                                        { 1000, 0 } };
    size_t                i;

    for (i = 0; i < PYRO_COUNT(dead); i++) {
        int32_t raw;

        rig.conf_a.dead_ms = dead[i][0];
        open_a();
        raw = raw_mortal(dead[i][1]);
        pass(200000);
        raw_expect("nothing is asked", raw, "");
        assert_false(raw_closed(raw));
        raw_works("link", raw);
        close_a();
    }
}

TEST(two_idle_daemons_keep_their_link_with_few_bytes)
{
    static pyro_proxy calc;
    static struct ask ask;
    uint32_t          moved;

    rig.conf_a.dead_ms = 1000;
    rig.conf_b.dead_ms = 3000;
    open_a();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask, &calc, 2, 3);
    settle();
    moved = rig.net.moved;
    for (int i = 0; i < 60; i++)
        pass(1000);
    test_eq("born", rig.net.born, 1);
    test_eq("dead", rig.a.stats.dead + rig.b.stats.dead, 0);
    /* Each question and answer is 17 bytes, sent and received. */
    assert_in_range(rig.net.moved - moved, 60 * 34, 200 * 34);
    pyro_proxy_close(&calc);
}

TEST(a_peer_is_not_dead_while_its_bytes_lie_here_unread)
{
    int32_t raw;
    int     i;

    rig.conf_a.dead_ms = 3000;
    open_a();
    raw = raw_mortal(3000);
    raw_send(raw, PING, 0, 0, "c0");
    loop_advance(&rig.net, 10000);
    settle();
    assert_false(raw_closed(raw));
    /* More than one poll works off, and nothing heard since. */
    for (i = 0; i < 150; i++)
        raw_send(raw, INVOKE, F_ONEWAY, 0, CALC_NOTE_7);
    loop_advance(&rig.net, 10000);
    settle();
    assert_false(raw_closed(raw));
    test_eq("all came", rig.calc.notes, 150);
    test_eq("dead", rig.a.stats.dead, 0);
}

/* ... nor while there was no time to look at them. */
TEST(a_peer_is_not_dead_while_others_take_all_the_frames_of_a_poll)
{
    int32_t raw[4];
    int     i;
    int     j;

    rig.conf_a.dead_ms = 3000;
    rig.net.more = true;
    open_a();
    for (i = 0; i < 4; i++)
        raw[i] = raw_mortal(3000);
    for (i = 0; i < 3; i++)
        for (j = 0; j < 120; j++)
            raw_send(raw[i], INVOKE, F_ONEWAY, 0, CALC_NOTE_7);
    poll_of(&rig.a); /* they stand in the queue now */
    raw_send(raw[3], PING, 0, 0, "c0");
    loop_advance(&rig.net, 10000);
    poll_of(&rig.a);
    assert_in_range(rig.calc.notes, PYRO_POLL_FRAMES, 300);
    settle();
    for (i = 0; i < 4; i++)
        test_eq("alive", raw_closed(raw[i]), false);
}

/* ------------------------------------------------------------------------
 * Deadlines
 * ------------------------------------------------------------------------ */

/* The frame is left off at each byte. */
TEST(a_frame_that_stops_half_way_ends_the_link_after_frame_ms)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, 0, 1, CALC_ADD_2_3);
    uint32_t k;

    rig.conf_a.frame_ms = 500;
    open_a();
    for (k = 1; k < n; k++) {
        int32_t raw = raw_client();

        raw_feed(raw, bytes, k);
        pass(490);
        test_eq("before", raw_closed(raw), false);
        pass(20);
        test_eq("after", raw_closed(raw), true);
        test_eq("dead", rig.a.stats.dead, k);
        raw_hang_up(raw);
        settle();
    }
    test_eq("links", rig.a.n_links_, 0);
}

TEST(bytes_that_dribble_in_do_not_move_the_deadline_of_a_frame)
{
    uint8_t bytes[64];
    int32_t raw;
    int     i;

    rig.conf_a.frame_ms = 500;
    open_a();
    raw = raw_client();
    raw_frame_of(bytes, INVOKE, 0, 1, CALC_ADD_2_3);
    for (i = 0; i < 12; i++) {
        raw_feed(raw, bytes + i, 1);
        pass(40);
    }
    assert_false(raw_closed(raw));
    raw_feed(raw, bytes + i, 1);
    pass(30);
    assert_true(raw_closed(raw));
}

TEST(a_frame_just_in_time_leaves_no_deadline_behind)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, 0, 1, CALC_ADD_2_3);
    int32_t  raw;

    rig.conf_a.frame_ms = 500;
    open_a();
    raw = raw_client();
    raw_feed(raw, bytes, 5);
    pass(490);
    raw_feed(raw, bytes + 5, n - 5);
    raw_expect_type("reply", raw, RESULT);
    pass(1500);
    raw_works("long after", raw);
    test_eq("dead", rig.a.stats.dead, 0);
}

/* A call stalls because we are in pyro_yield: the delay is ours. */
TEST(the_deadline_of_a_frame_stands_while_it_waits_for_us)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, 0, 1, CALC_ADD_2_3);
    int32_t  raw;
    int      i;

    rig.conf_a.frame_ms = 500;
    open_a();
    raw = raw_client();
    raw_feed(raw, bytes, 4);
    poll_of(&rig.a); /* the deadline runs */
    raw_feed(raw, bytes + 4, 8);
    for (i = 0; i < 20; i++) {
        pyro_yield(&rig.a);
        check(&rig.a);
        loop_advance(&rig.net, 200);
    }
    assert_false(loop_ended(&rig.net, raw));
    pass(490); /* the rest of the frame has all its time */
    raw_feed(raw, bytes + 12, n - 12);
    raw_expect_type("reply", raw, RESULT);
}

TEST(a_frame_that_had_to_wait_for_room_leaves_no_deadline_behind)
{
    int32_t raw;
    int     i;

    rig.conf_a.frame_ms = 500;
    open_a();
    raw = raw_client();
    for (i = 0; i < 2; i++) {
        rig.net.block_send = 3;
        raw_send(raw, PING, 0, 0, "");
        raw_expect("answer", raw, PONG_FRAME);
        pass(1000);
        rig.net.block_send = 3;
        raw_works("reply", raw);
        pass(1000);
    }
    assert_false(raw_closed(raw));
    test_eq("dead", rig.a.stats.dead, 0);
}

TEST(a_reply_nobody_reads_ends_the_link_after_frame_ms)
{
    int32_t raw;

    rig.conf_a.frame_ms = 500;
    rig.net.capacity = 64;
    open_a();
    raw = raw_client();
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cd 01 00 80");
    pass(490);
    assert_false(raw_closed(raw));
    pass(20);
    assert_true(raw_closed(raw));
    test_eq("dead", rig.a.stats.dead, 1);
    test_eq("unsent", rig.a.stats.unsent, 1);
}

TEST(a_request_nobody_reads_ends_the_link_after_eight_times_that)
{
    static struct ask ask[2];

    rig.conf_b.frame_ms = 500;
    rig.conf_b.timeout_ms = 60000;
    rig.net.capacity = 64;
    call_raw();
    ask_add(&ask[0], &calling.calc, 2, 3);
    raw_expect_type("call", calling.raw, INVOKE);
    pyro_begin(&ask[1].rq, &calling.calc, "size");
    pyro_put_bin(&ask[1].rq.args, rig.got, 200);
    pyro_send(&ask[1].rq, pyro_to_i32(&ask[1].result), NULL, NULL);
    pass(3990);
    ask_open("before", &ask[1]);
    pass(20);
    ask_ended("sent", &ask[0], PYRO_ERR_CLOSED);
    ask_ended("half sent", &ask[1], PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask[0].rq));
    assert_true(pyro_request_sent(&ask[1].rq));
    pyro_proxy_close(&calling.calc);
}

/* What the test has read in pieces of 10 bytes, all together. */
static uint32_t read_in_pieces(int32_t raw, uint8_t *to)
{
    uint32_t n = 0;
    uint32_t got;

    do {
        settle();
        got = loop_take(&rig.net, raw, to + n, 10);
        n += got;
    } while (got > 0);
    return n;
}

TEST(a_link_nobody_uses_any_more_closes_though_its_peer_does_not_read)
{
    static const uint8_t zeros[200];

    rig.conf_b.frame_ms = 500;
    rig.net.capacity = 64;
    call_raw();
    pyro_oneway(&calling.calc, "size",
                PYRO_ARGS(pyro_bin(zeros, sizeof zeros)));
    pyro_proxy_close(&calling.calc);
    pass(8 * 500 - 10); /* as long as any call has to leave */
    assert_false(raw_closed(calling.raw));
    pass(20);
    assert_true(raw_closed(calling.raw));
    test_eq("links", rig.b.n_links_, 0);
    test_eq("lost", rig.b.stats.lost_oneway, 1);
}

TEST(a_link_nobody_uses_any_more_sends_what_it_has_and_closes)
{
    static const uint8_t zeros[200];
    uint8_t              all[1024];

    rig.net.capacity = 64;
    call_raw();
    pyro_oneway(&calling.calc, "size",
                PYRO_ARGS(pyro_bin(zeros, sizeof zeros)));
    pyro_proxy_close(&calling.calc);
    test_eq("all", read_in_pieces(calling.raw, all), 223);
    assert_true(raw_closed(calling.raw));
}

TEST(a_request_partly_sent_when_it_times_out_still_leaves_whole)
{
    uint8_t           all[1024];
    uint32_t          n;
    static struct ask ask[3];

    rig.net.capacity = 64;
    call_raw();
    pyro_begin(&ask[0].rq, &calling.calc, "size");
    pyro_put_bin(&ask[0].rq.args, all, 200);
    pyro_deadline(&ask[0].rq, 100);
    pyro_send(&ask[0].rq, pyro_to_i32(&ask[0].result), NULL, NULL);
    ask_add(&ask[1], &calling.calc, 2, 3);
    pass(150);
    ask_ended("half sent", &ask[0], PYRO_ERR_TIMEOUT);
    assert_true(pyro_request_sent(&ask[0].rq));
    test_eq("not begun", pyro_cancel(&ask[1].rq), true);
    ask_add(&ask[2], &calling.calc, 4, 5);
    n = read_in_pieces(calling.raw, all);
    /* size(200 bytes): 8 + 1 + 5 + 5 + 1 + 2 + 200 + 1, then add(4, 5). */
    test_eq("all", n, 223 + 22);
    test_same_hex("first", all, 8, "'PY' 64 00 00 01 00 d7");
    test_same_hex("next", all + 223, 22,
                  "'PY' 64 00 00 03 00 0e " CALC_ADD_4_5);
    raw_send(calling.raw, RESULT, 0, 3, "09");
    settle();
    ask_ended("next", &ask[2], PYRO_OK);
    pyro_proxy_close(&calling.calc);
}

TEST(a_request_that_never_began_to_leave_is_certainly_not_sent)
{
    uint8_t           all[1024];
    static struct ask ask[2];

    rig.net.capacity = 64;
    call_raw();
    pyro_begin(&ask[0].rq, &calling.calc, "size");
    pyro_put_bin(&ask[0].rq.args, all, 200);
    pyro_send(&ask[0].rq, pyro_to_i32(&ask[0].result), NULL, NULL);
    ask_add(&ask[1], &calling.calc, 2, 3);
    pass(2900);
    pass(200);
    ask_ended("half sent", &ask[0], PYRO_ERR_TIMEOUT);
    ask_ended("not begun", &ask[1], PYRO_ERR_TIMEOUT);
    assert_true(pyro_request_sent(&ask[0].rq));
    assert_false(pyro_request_sent(&ask[1].rq));
    test_eq("read", read_in_pieces(calling.raw, all), 223);
    pyro_proxy_close(&calling.calc);
}

TEST(a_clock_that_stands_ends_waits_with_an_error)
{
    int32_t  result = -1;
    uint32_t waits;
    int      stuck = 0;
    int      i;

    call_raw();
    waits = rig.net.calls.wait;
    test_eq("call",
            pyro_invoke(&calling.calc, "add",
                        PYRO_ARGS(pyro_int(2), pyro_int(3)),
                        pyro_to_i32(&result)),
            PYRO_ERR_STATE);
    assert_in_range(rig.net.calls.wait - waits, PYRO_STUCK_POLLS,
                    PYRO_STUCK_POLLS + 10);
    test_eq("result", result, -1);
    check(&rig.b);
    for (i = 0; i <= PYRO_STUCK_POLLS; i++)
        stuck += pyro_poll(&rig.b, 10) == PYRO_ERR_STATE;
    assert_true(stuck > 0);
    loop_advance(&rig.net, 1);
    test_eq("it goes on", pyro_poll(&rig.b, 10), PYRO_OK);
    pyro_proxy_close(&calling.calc);
}

TEST(a_blocking_call_ends_when_its_time_is_over)
{
    int32_t  result = -1;
    uint32_t start;

    rig.net.clock = LOOP_CLOCK_RUNS;
    call_raw();
    start = rig.net.clock_ms;
    test_eq("call",
            pyro_invoke(&calling.calc, "add",
                        PYRO_ARGS(pyro_int(2), pyro_int(3)),
                        pyro_to_i32(&result)),
            PYRO_ERR_TIMEOUT);
    test_eq("time", rig.net.clock_ms - start, PYRO_TIMEOUT_MS);
    assert_true(pyro_sent(&calling.calc));
    pyro_proxy_close(&calling.calc);
}

TEST(a_blocking_call_works_while_the_other_daemon_is_polled)
{
    static pyro_proxy calc;
    int32_t           result = -1;
    int               i;

    open_a();
    open_b();
    let_b_wait();
    pyro_proxy_open(&calc, &rig.b, CALC);
    for (i = 0; i < 20; i++) {
        rig.net.chunk = (uint32_t)i;
        test_eq("call",
                pyro_invoke(&calc, "add", PYRO_ARGS(pyro_int(i), pyro_int(3)),
                            pyro_to_i32(&result)),
                PYRO_OK);
        test_eq("result", result, i + 3);
    }
    pyro_proxy_close(&calc);
}

/* ------------------------------------------------------------------------
 * Pipes
 * ------------------------------------------------------------------------ */

/* a and b at the two ends of a pipe, each with a proxy of the other. */
static struct piped {
    int32_t    ends[2];
    pyro_link  link_a;
    pyro_link  link_b;
    pyro_proxy of_a; /* b's */
    pyro_proxy of_b; /* a's */
} piped;

static void adopt_a(void)
{
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_adopt(&rig.a, &rig.port_a, piped.ends[0],
                                &piped.link_a),
                     0);
    pyro_proxy_at(&piped.of_b, &rig.a, piped.link_a, "calc", 4);
}

static void adopt_b(void)
{
    open_b();
    serve(&rig.b);
    assert_int_equal(pyro_adopt(&rig.b, &rig.port_b, piped.ends[1],
                                &piped.link_b),
                     0);
    pyro_proxy_at(&piped.of_a, &rig.b, piped.link_b, "calc", 4);
}

static void open_pipe(void)
{
    loop_pair(&rig.net, piped.ends);
    adopt_a();
    adopt_b();
}

static void pipe_works(const char *row)
{
    static struct ask ask[2];

    ask_add(&ask[0], &piped.of_a, 2, 3);
    settle();
    ask_ended(row, &ask[0], PYRO_OK);
    ask_add(&ask[1], &piped.of_b, 4, 5);
    settle();
    ask_ended(row, &ask[1], PYRO_OK);
    test_eq(row, ask[0].result, 5);
    test_eq(row, ask[1].result, 9);
}

TEST(either_end_of_a_pipe_may_call_first)
{
    open_pipe();
    pipe_works("b first");
    test_eq("restarts", rig.a.stats.restarts + rig.b.stats.restarts, 0);
}

/* In pieces of `chunk` bytes: greetings cross half way. */
static void greet_at_once(uint32_t boot_a, uint32_t boot_b, uint32_t chunk)
{
    static struct ask ask[2];

    rig.conf_a.boot = boot_a;
    rig.conf_b.boot = boot_b;
    rig.net.chunk = chunk;
    open_pipe();
    ask_add(&ask[0], &piped.of_a, 2, 3);
    ask_add(&ask[1], &piped.of_b, 4, 5);
    settle();
    ask_ended("b", &ask[0], PYRO_OK);
    ask_ended("a", &ask[1], PYRO_OK);
    pipe_works("after");
    test_eq("restarts", rig.a.stats.restarts + rig.b.stats.restarts, 0);
    test_eq("bad", rig.a.stats.bad + rig.b.stats.bad, 0);
    close_a();
    close_b();
}

TEST(both_ends_of_a_pipe_may_greet_at_once)
{
    static const uint32_t boots[][2] = {
        { 1, 2 }, { 2, 1 },          { 7, 7 },
        { 0, 0 }, { 0, 0xFFFFFFFF }, { 0x80000000, 0x7FFFFFFF }
    };
    size_t   i;
    uint32_t chunk;

    for (i = 0; i < PYRO_COUNT(boots); i++)
        for (chunk = 0; chunk < 32; chunk += 1 + chunk / 2)
            greet_at_once(boots[i][0], boots[i][1], chunk);
}

/* Our greeting is half out when the other's has come whole. */
TEST(a_greeting_half_sent_is_finished_before_the_answer_to_the_other)
{
    static struct ask ask;
    pyro_link         link;
    int32_t           raw;
    uint32_t          n;
    uint8_t           all[256];

    rig.net.capacity = 40;
    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask, &calling.calc, 2, 3);
    rig.net.chunk = 13;
    poll_of(&rig.b); /* two sends */
    test_eq("half sent", loop_pending(&rig.net, raw), 26);
    rig.net.block_send = 20;
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    for (n = 0; n < 6; n++)
        poll_of(&rig.b);
    rig.net.block_send = 0;
    rig.net.chunk = 0;
    n = read_in_pieces(raw, all);
    test_eq("greeting, answer, call", n, 30 + 30 + 22);
    test_same_hex("greeting", all, 3, "'PY' 61");
    test_same_hex("answer", all + 30, 3, "'PY' 62");
    test_same_hex("call", all + 60, 3, "'PY' 64");
}

TEST(a_greeting_never_leaves_behind_the_answer_to_the_other)
{
    static struct ask ask;
    pyro_link         link;
    int32_t           raw;
    uint8_t           all[256];
    uint32_t          n;

    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    rig.net.block_send = 1000;
    ask_add(&ask, &calling.calc, 2, 3);
    settle();
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    settle();
    rig.net.block_send = 0;
    n = read_in_pieces(raw, all);
    assert_in_range(n, 30 + 22, 30 + 30 + 22);
    test_same_hex("answer", all + n - 52, 3, "'PY' 62");
    test_same_hex("call", all + n - 22, 3, "'PY' 64");
}

TEST(a_refusal_of_something_older_does_not_stop_a_greeting)
{
    static struct ask ask;
    pyro_link         link;
    int32_t           raw;

    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask, &calling.calc, 2, 3);
    raw_expect_type("greets", raw, CONNECT);
    raw_send(raw, CONNECTFAIL, F_CHECKSUM, 0, "92 04 ad 'not connected'");
    raw_expect("goes on waiting", raw, "");
    ask_open("call", &ask);
    raw_greet_with(raw, CONNECTOK, 0, 60000, 0);
    raw_expect_type("calls", raw, INVOKE);
}

TEST(a_pipe_closed_while_it_waits_for_us_is_listened_to_again)
{
    pyro_link link;
    int32_t   raw;
    int       i;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, &link);
    raw_greet(raw);
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    for (i = 0; i < 5; i++)
        pyro_yield(&rig.a); /* the call stalls */
    pyro_link_close(&rig.a, link);
    settle();
    raw_take(raw);
    pass(3000); /* what is left of the call is no frame */
    raw_greet(raw);
    raw_works("works", raw);
}

TEST(of_two_that_greet_the_smaller_session_answers)
{
    static const struct {
        uint32_t session;
        unsigned answer;
    } rows[] = { { 0x01020303, 0 },
                 { 1, 0 },
                 { 0x01020304, CONNECTOK },
                 { 0x01020305, CONNECTOK },
                 { 0xFFFFFFFF, CONNECTOK } };
    uint8_t bytes[64];
    size_t  i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        pyro_link         link;
        int32_t           raw;
        static struct ask ask;

        open_b();
        raw = raw_pipe(&rig.b, &rig.port_b, &link);
        pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
        ask_add(&ask, &calling.calc, 2, 3);
        raw_expect_type("greets", raw, CONNECT);
        raw_feed(raw, bytes,
                 raw_greeting(bytes, CONNECT, 0, rows[i].session, 999, 0));
        settle();
        test_eq("answer", raw_take(raw) > 0, rows[i].answer != 0);
        if (rows[i].answer == 0) {
            raw_greet_with(raw, CONNECTOK, 0, 999, 0);
            raw_expect_type("then the call", raw, INVOKE);
        } else {
            test_eq("answer", rig.got[2] & 15, rows[i].answer);
            test_eq("and the call", rig.got[32] & 15, INVOKE);
        }
        close_b();
    }
}

TEST(a_greeting_that_is_not_answered_is_repeated_until_the_call_ends)
{
    pyro_link         link;
    int32_t           raw;
    static struct ask ask;
    int               i;

    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask, &calling.calc, 2, 3);
    raw_expect_type("greets", raw, CONNECT);
    for (i = 0; i < 11; i++) {
        pass(240);
        raw_expect("not yet", raw, "");
        pass(10);
        raw_expect_type("again", raw, CONNECT);
    }
    pass(250);
    raw_take(raw);
    ask_ended("call", &ask, PYRO_ERR_TIMEOUT);
    assert_false(pyro_request_sent(&ask.rq));
    pass(1000);
    raw_take(raw);
    pass(1000);
    raw_expect("quiet", raw, "");
    raw_greet(raw);
    test_eq("session", pyro_link_session(&rig.b, link), RAW_SESSION);
}

TEST(a_call_made_before_the_other_end_is_there_goes_when_it_comes)
{
    static struct ask ask;

    loop_pair(&rig.net, piped.ends);
    adopt_b();
    ask_add(&ask, &piped.of_a, 2, 3);
    pass(1000);
    ask_open("nobody there", &ask);
    adopt_a();
    pass(300);
    ask_ended("there", &ask, PYRO_OK);
    pipe_works("after");
    assert_true(rig.calc.ran == 3);
}

/* The daemon of a is gone without a word, as with its power. */
static void a_loses_power(void)
{
    rig.conf_a.boot++;
    memset(&rig.a, 0, sizeof rig.a);
    adopt_a();
}

TEST(an_end_that_restarts_is_noticed_by_the_next_call)
{
    static struct ask ask;

    open_pipe();
    pipe_works("before");
    a_loses_power();
    ask_add(&ask, &piped.of_a, 2, 3);
    settle();
    ask_ended("call", &ask, PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask.rq));
    assert_int_equal(rig.calc.ran, 2);
    pipe_works("after");
    test_eq("session", pyro_link_session(&rig.b, piped.link_b),
            rig.conf_a.boot);
}

TEST(an_end_that_restarts_and_greets_ends_what_waits_for_it)
{
    static struct ask ask[2];

    open_pipe();
    pipe_works("before");
    pyro_begin(&ask[0].rq, &piped.of_a, "later");
    pyro_send(&ask[0].rq, pyro_to_i32(&ask[0].result), NULL, NULL);
    settle();
    a_loses_power();
    ask_add(&ask[1], &piped.of_b, 4, 5);
    settle();
    ask_ended("of the old one", &ask[0], PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask[0].rq));
    ask_ended("of the new one", &ask[1], PYRO_OK);
    test_eq("restarts", rig.b.stats.restarts, 1);
    pipe_works("after");
}

static void b_loses_power(uint32_t boot)
{
    rig.conf_b.boot = boot;
    memset(&rig.b, 0, sizeof rig.b);
    adopt_b();
}

/* The same the other way round, the end that greeted first; its new session is
 * smaller or larger than that of the end that waits. */
TEST(so_does_the_end_that_greeted_first)
{
    static const uint32_t boots[] = { 1, 0xFFFFFFFF };
    size_t                i;

    for (i = 0; i < PYRO_COUNT(boots); i++) {
        static struct ask ask[2];

        rig.conf_b.boot = 0x01020304;
        open_pipe();
        pipe_works("before");
        pyro_begin(&ask[0].rq, &piped.of_b, "later");
        pyro_send(&ask[0].rq, pyro_to_i32(&ask[0].result), NULL, NULL);
        settle();
        b_loses_power(boots[i]);
        memset(&rig.calc.later, 0, sizeof rig.calc.later);
        ask_add(&ask[1], &piped.of_a, 4, 5);
        settle();
        ask_ended("of the old one", &ask[0], PYRO_ERR_CLOSED);
        assert_true(pyro_request_sent(&ask[0].rq));
        ask_ended("of the new one", &ask[1], PYRO_OK);
        test_eq("restarts", rig.a.stats.restarts, 1);
        pipe_works("after");
        close_a();
        close_b();
    }
}

TEST(a_restart_tells_the_calls_that_left_from_those_that_did_not)
{
    static struct ask ask[3];
    pyro_link         link;
    int32_t           raw;
    uint8_t           all[1024];
    uint32_t          n;

    rig.net.capacity = 64;
    open_b();
    raw = raw_pipe(&rig.b, &rig.port_b, &link);
    raw_greet(raw);
    pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
    ask_add(&ask[0], &calling.calc, 2, 3);
    raw_expect_type("first", raw, INVOKE);
    pyro_begin(&ask[1].rq, &calling.calc, "size");
    pyro_put_bin(&ask[1].rq.args, all, 200);
    pyro_send(&ask[1].rq, pyro_to_i32(&ask[1].result), NULL, NULL);
    ask_add(&ask[2], &calling.calc, 2, 3);
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    settle();
    ask_ended("sent", &ask[0], PYRO_ERR_CLOSED);
    ask_ended("half sent", &ask[1], PYRO_ERR_CLOSED);
    ask_ended("not sent", &ask[2], PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask[0].rq));
    assert_true(pyro_request_sent(&ask[1].rq));
    assert_false(pyro_request_sent(&ask[2].rq));
    n = read_in_pieces(raw, all);
    test_eq("64 of the old, then the answer", n, 64 + 30);
    test_same_hex("answer", all + 64, 3, "'PY' 62");
}

TEST(a_deferred_reply_of_the_old_session_never_reaches_the_new_one)
{
    int32_t raw;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw);
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a5 'later' 90 80");
    raw_expect("deferred", raw, "");
    assert_true(pyro_later_open(&rig.calc.later));
    raw_greet(raw);
    assert_false(pyro_later_open(&rig.calc.later));
    pyro_put_int(pyro_finish(&rig.calc.later), 1);
    test_eq("reply", pyro_reply(&rig.calc.later), PYRO_ERR_CLOSED);
    raw_expect("nothing", raw, "");
    raw_works("link", raw);
}

static int32_t hook_raw;

/* A handler while which the caller starts anew. */
static void restart_caller(pyro_call *call)
{
    int i;

    raw_greet_with(hook_raw, CONNECT, 0, 60000, 0);
    for (i = 0; i < 8; i++) {
        pyro_yield(call->node);
        check(call->node);
    }
    pyro_put_int(&call->result, 99);
}

TEST(the_reply_of_a_handler_that_ran_never_reaches_the_new_session)
{
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    hook_raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(hook_raw);
    rig.calc.hook = restart_caller;
    raw_send(hook_raw, INVOKE, 0, 1, "94 a4 'calc' a4 'hook' 90 80");
    raw_expect_type("greeted, no result", hook_raw, CONNECTOK);
    test_eq("unsent", rig.a.stats.unsent, 1);
    raw_works("link", hook_raw);
}

TEST(a_reply_still_queued_never_reaches_the_new_session)
{
    int32_t raw;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw);
    rig.net.block_send = 1000;
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    raw_expect("stuck", raw, "");
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    settle();
    rig.net.block_send = 0;
    raw_expect_type("greeted, no result", raw, CONNECTOK);
    test_eq("unsent", rig.a.stats.unsent, 1);
}

TEST(a_pipe_pulled_out_is_gone_with_its_calls)
{
    static struct ask ask;

    open_pipe();
    pipe_works("before");
    pyro_begin(&ask.rq, &piped.of_a, "later");
    pyro_send(&ask.rq, pyro_to_i32(&ask.result), NULL, NULL);
    settle();
    loop_gone(&rig.net, piped.ends[1]);
    settle();
    ask_ended("call", &ask, PYRO_ERR_CLOSED);
    test_eq("no link", pyro_link_session(&rig.b, piped.link_b), 0);
    test_eq("begin", pyro_begin(&ask.rq, &piped.of_a, "add"), PYRO_ERR_CLOSED);
    test_eq("links", rig.b.n_links_, 0);
    test_eq("nor there", rig.a.n_links_, 0);
}

TEST(a_pipe_closed_by_its_owner_greets_again_for_the_next_call)
{
    open_pipe();
    pipe_works("before");
    pyro_link_close(&rig.b, piped.link_b);
    test_eq("down", pyro_link_session(&rig.b, piped.link_b), 0);
    pipe_works("after");
    test_eq("a met a restart", rig.a.stats.restarts, 1);
}

/* ------------------------------------------------------------------------
 * Bytes lost, as the port says
 * ------------------------------------------------------------------------ */

/* The pipe of a is the first one: number 0; a receives as end [0]. */
static void lose(uint32_t at, unsigned n)
{
    loop_fault(&rig.net, 0, LOOP_TO_CONNECTOR, LOOP_GAP, at, (uint8_t)n);
}

TEST(after_a_gap_in_a_frame_the_next_byte_begins_a_new_one)
{
    uint8_t  bytes[64];
    uint32_t n = raw_frame_of(bytes, INVOKE, 0, 1, CALC_ADD_2_3);
    uint32_t k;

    for (k = 0; k < n; k++) {
        int32_t raw;

        loop_init(&rig.net, 1);
        rig.net.clock_ms = rig_clock;
        open_a_in(PYRO_ROOM_OF(rig_room_a));
        raw = raw_pipe(&rig.a, &rig.port_a, NULL);
        raw_greet(raw);
        lose(30 + k, n - k);
        raw_feed(raw, bytes, k);
        raw_expect("cut", raw, "");
        raw_feed(raw, bytes + k, n - k);
        raw_send(raw, INVOKE, 0, 2, CALC_ADD_2_3);
        raw_expect("next", raw, "'PY' 65 00 00 02 00 01 05");
        test_eq("gaps", rig.a.stats.gaps, 1);
        test_eq("bad", rig.a.stats.bad, 0);
        pass(5000);
        raw_works("no deadline left", raw);
        close_a();
    }
}

TEST(after_a_gap_in_a_body_that_is_skipped_frames_go_on)
{
    static uint8_t bytes[1000];
    uint8_t        body[700] = { 0x94 };
    int32_t        raw;

    raw_frame(bytes, INVOKE, 0, 1, body, sizeof body);
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw);
    lose(30 + 400, 100);
    raw_feed(raw, bytes, 400);
    raw_expect("too long, but not whole", raw, "");
    raw_feed(raw, bytes, 100);
    raw_works("next", raw);
    test_eq("buffers", rig.a.n_[PYROI_SPARE], RIG_BUFFERS);
}

TEST(after_a_gap_in_a_greeting_the_next_one_works)
{
    uint8_t  bytes[64];
    uint32_t n = raw_greeting(bytes, CONNECT, 0, RAW_SESSION, 60000, 0);
    uint32_t k;

    for (k = 0; k < n; k++) {
        int32_t raw;

        loop_init(&rig.net, 1);
        rig.net.clock_ms = rig_clock;
        open_a_in(PYRO_ROOM_OF(rig_room_a));
        raw = raw_pipe(&rig.a, &rig.port_a, NULL);
        lose(k, n - k);
        raw_feed(raw, bytes, k);
        raw_expect("cut", raw, "");
        raw_feed(raw, bytes + k, n - k);
        raw_expect("lost", raw, "");
        raw_greet(raw);
        raw_works("next", raw);
        close_a();
    }
}

/* The answer to our greeting is lost: we greet again. */
TEST(a_gap_in_the_answer_to_a_greeting_costs_a_repetition)
{
    uint8_t  bytes[64];
    uint32_t n = raw_greeting(bytes, CONNECTOK, 0, RAW_SESSION, 60000, 0);
    uint32_t k;

    for (k = 0; k < n; k++) {
        pyro_link         link;
        static struct ask ask;
        int32_t           raw;

        loop_init(&rig.net, 1);
        rig.net.clock_ms = rig_clock;
        open_b();
        raw = raw_pipe(&rig.b, &rig.port_b, &link);
        pyro_proxy_at(&calling.calc, &rig.b, link, "calc", 4);
        ask_add(&ask, &calling.calc, 2, 3);
        raw_expect_type("greets", raw, CONNECT);
        lose(k, n - k);
        raw_feed(raw, bytes, k);
        settle();
        raw_feed(raw, bytes + k, n - k);
        pass(300);
        raw_expect_type("greets again", raw, CONNECT);
        raw_feed(raw, bytes, n);
        raw_expect_type("calls", raw, INVOKE);
        close_b();
    }
}

/* ------------------------------------------------------------------------
 * Hooks
 * ------------------------------------------------------------------------ */

static struct hooked {
    pyro_hook  hook;
    pyro_hook *drop;  /* taken off the list by the hook */
    bool       close; /* the link is closed by the hook */
    char       events[32];
    pyro_link  link;
} hooked[2];

static void hook_fn(void *user, pyro_daemon *node, pyro_link link,
                    pyro_event event)
{
    struct hooked *h = (struct hooked *)user;
    size_t         n = strlen(h->events);

    check(node);
    if (n + 1 < sizeof h->events)
        h->events[n] = "UGW"[event];
    h->link = link;
    if (h->drop != NULL)
        pyro_hook_drop(node, h->drop);
    if (h->close)
        pyro_link_close(node, link);
}

static void add_hook(struct hooked *h)
{
    memset(h, 0, sizeof *h);
    h->hook.fn = hook_fn;
    h->hook.user = h;
    pyro_hook_add(&rig.a, &h->hook);
}

#define hook_saw(row, h, text)                                 \
    test_same(row, (h)->events, strlen((h)->events) + 1, text, \
              strlen(text) + 1)

TEST(a_hook_hears_once_of_each_link_up_and_gone)
{
    int32_t raw;

    open_a();
    add_hook(&hooked[0]);
    raw = raw_connect();
    hook_saw("connected", &hooked[0], "");
    raw_greet(raw);
    hook_saw("greeted", &hooked[0], "U");
    test_eq("session", pyro_link_session(&rig.a, hooked[0].link), RAW_SESSION);
    raw_works("works", raw);
    raw_hang_up(raw);
    settle();
    hook_saw("gone", &hooked[0], "UG");
    test_eq("session", pyro_link_session(&rig.a, hooked[0].link), 0);
    pass(3000);
    hook_saw("nothing more", &hooked[0], "UG");
}

TEST(a_hook_does_not_hear_of_what_was_never_up)
{
    int32_t raw;

    open_a();
    add_hook(&hooked[0]);
    raw = raw_connect();
    raw_hang_up(raw);
    settle();
    raw = raw_connect();
    raw_feed(raw, "garbage!", 8);
    settle();
    raw_hang_up(raw);
    raw = raw_connect();
    pass(2100);
    hook_saw("never up", &hooked[0], "");
}

TEST(a_restart_on_a_pipe_is_gone_and_up)
{
    int32_t raw;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    add_hook(&hooked[0]);
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw);
    raw_greet(raw);
    hook_saw("restart", &hooked[0], "UGU");
    pass(100);
    hook_saw("nothing more", &hooked[0], "UGU");
}

TEST(a_hook_hears_once_that_there_is_room_again)
{
    int32_t raw;
    int     i;

    rig.net.capacity = 64;
    open_a();
    add_hook(&hooked[0]);
    raw = raw_client();
    for (i = 0; i < 2; i++) {
        hooked[0].events[0] = 0;
        raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cc c6 80");
        settle();
        hook_saw("stuck", &hooked[0], "");
        raw_take(raw);
        settle();
        hook_saw("still stuck", &hooked[0], "");
        while (raw_take(raw) > 0)
            settle();
        hook_saw("room", &hooked[0], "W");
        hooked[0].events[0] = 0;
        hooked[0].events[1] = 0;
    }
}

TEST(no_hook_is_called_while_a_handler_yields)
{
    int32_t raw;

    rig.net.capacity = 64;
    open_a();
    add_hook(&hooked[0]);
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    for (int i = 0; i < 5; i++)
        pyro_yield(&rig.a);
    hook_saw("greeted", &hooked[0], "");
    raw_take(raw);
    test_eq("answered", rig.got_n, 30);
    settle();
    hook_saw("later", &hooked[0], "U");
    raw_hang_up(raw);
    for (int i = 0; i < 5; i++)
        pyro_yield(&rig.a);
    hook_saw("gone", &hooked[0], "U");
    settle();
    hook_saw("later", &hooked[0], "UG");
}

TEST(a_hook_does_not_hear_of_room_on_a_link_that_is_gone)
{
    int32_t raw;

    rig.net.capacity = 64;
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    add_hook(&hooked[0]);
    raw = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw);
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cc c6 80");
    settle();
    while (raw_take(raw) > 0)
        pyro_yield(&rig.a); /* sends the rest, and tells nobody yet */
    pyro_link_close(&rig.a, hooked[0].link);
    settle();
    hook_saw("closed", &hooked[0], "UG");
}

TEST(a_hook_may_take_itself_and_others_off)
{
    open_a();
    add_hook(&hooked[1]);
    add_hook(&hooked[0]); /* is called first */
    hooked[0].drop = &hooked[1].hook;
    raw_client();
    hook_saw("first", &hooked[0], "U");
    hook_saw("taken off", &hooked[1], "");
    hooked[0].drop = &hooked[0].hook;
    raw_client();
    raw_client();
    hook_saw("first", &hooked[0], "UU");
}

TEST(a_hook_may_close_the_link_that_came_up)
{
    int32_t raw;

    open_a();
    add_hook(&hooked[0]);
    hooked[0].close = true;
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    assert_true(raw_closed(raw));
    hook_saw("closed", &hooked[0], "UG");
    hooked[0].close = false;
    raw_works("the next", raw_client());
}

TEST(closing_a_link_ends_its_calls_at_the_next_poll_and_not_before)
{
    static struct ask ask;
    char              address[64];

    call_raw();
    ask_add(&ask, &calling.calc, 2, 3);
    settle();
    assert_int_equal(pyro_link_address(&rig.b, calling.calc.link_, true,
                                       address, sizeof address),
                     PYRO_OK);
    assert_string_equal(address, "board:7766");
    pyro_link_close(&rig.b, calling.calc.link_);
    ask_open("closed", &ask);
    test_eq("address",
            pyro_link_address(&rig.b, calling.calc.link_, true, address,
                              sizeof address),
            PYRO_ERR_CLOSED);
    settle();
    ask_ended("polled", &ask, PYRO_ERR_CLOSED);
    assert_true(pyro_request_sent(&ask.rq));
    pyro_link_close(&rig.b, calling.calc.link_); /* again does no harm */
    pyro_proxy_close(&calling.calc);
}

static const struct CMUnitTest tests[] = {
    RIG_TEST(calls_count_up_from_1_and_oneways_have_number_0),
    RIG_TEST(answers_may_come_in_any_order),
    RIG_TEST(numbers_still_open_are_skipped_when_the_counter_comes_round),
    RIG_TEST(a_late_reply_is_counted_and_never_reaches_another_call),
    RIG_TEST(a_call_can_be_given_up_while_its_reply_comes_in),
    RIG_TEST(a_number_given_up_is_not_used_again_on_the_same_connection),
    RIG_TEST(a_number_given_up_and_answered_late_is_used_again),
    RIG_TEST(a_pipe_greets_again_before_a_number_given_up_would_be_used),
    RIG_TEST(a_peer_that_greets_anew_frees_the_numbers_given_up),
    RIG_TEST(a_call_survives_seventy_thousand_others_on_its_connection),
    RIG_TEST(after_a_third_of_dead_ms_in_silence_a_link_is_asked),
    RIG_TEST(a_link_that_speaks_is_not_asked),
    RIG_TEST(a_question_is_answered_with_nil),
    RIG_TEST(silence_longer_than_dead_ms_ends_a_link),
    RIG_TEST(the_larger_dead_ms_of_both_sides_counts),
    RIG_TEST(silence_ends_the_calls_of_a_link_with_closed),
    RIG_TEST(never_on_either_side_is_no_keep_alive),
    RIG_TEST(two_idle_daemons_keep_their_link_with_few_bytes),
    RIG_TEST(a_peer_is_not_dead_while_its_bytes_lie_here_unread),
    RIG_TEST(a_peer_is_not_dead_while_others_take_all_the_frames_of_a_poll),
    RIG_TEST(a_frame_that_stops_half_way_ends_the_link_after_frame_ms),
    RIG_TEST(bytes_that_dribble_in_do_not_move_the_deadline_of_a_frame),
    RIG_TEST(a_frame_just_in_time_leaves_no_deadline_behind),
    RIG_TEST(the_deadline_of_a_frame_stands_while_it_waits_for_us),
    RIG_TEST(a_frame_that_had_to_wait_for_room_leaves_no_deadline_behind),
    RIG_TEST(a_reply_nobody_reads_ends_the_link_after_frame_ms),
    RIG_TEST(a_request_nobody_reads_ends_the_link_after_eight_times_that),
    RIG_TEST(a_link_nobody_uses_any_more_closes_though_its_peer_does_not_read),
    RIG_TEST(a_link_nobody_uses_any_more_sends_what_it_has_and_closes),
    RIG_TEST(a_request_partly_sent_when_it_times_out_still_leaves_whole),
    RIG_TEST(a_request_that_never_began_to_leave_is_certainly_not_sent),
    RIG_TEST(a_clock_that_stands_ends_waits_with_an_error),
    RIG_TEST(a_blocking_call_ends_when_its_time_is_over),
    RIG_TEST(a_blocking_call_works_while_the_other_daemon_is_polled),
    RIG_TEST(either_end_of_a_pipe_may_call_first),
    RIG_TEST(both_ends_of_a_pipe_may_greet_at_once),
    RIG_TEST(a_greeting_half_sent_is_finished_before_the_answer_to_the_other),
    RIG_TEST(a_greeting_never_leaves_behind_the_answer_to_the_other),
    RIG_TEST(a_refusal_of_something_older_does_not_stop_a_greeting),
    RIG_TEST(a_pipe_closed_while_it_waits_for_us_is_listened_to_again),
    RIG_TEST(of_two_that_greet_the_smaller_session_answers),
    RIG_TEST(a_greeting_that_is_not_answered_is_repeated_until_the_call_ends),
    RIG_TEST(a_call_made_before_the_other_end_is_there_goes_when_it_comes),
    RIG_TEST(an_end_that_restarts_is_noticed_by_the_next_call),
    RIG_TEST(an_end_that_restarts_and_greets_ends_what_waits_for_it),
    RIG_TEST(so_does_the_end_that_greeted_first),
    RIG_TEST(a_restart_tells_the_calls_that_left_from_those_that_did_not),
    RIG_TEST(a_deferred_reply_of_the_old_session_never_reaches_the_new_one),
    RIG_TEST(the_reply_of_a_handler_that_ran_never_reaches_the_new_session),
    RIG_TEST(a_reply_still_queued_never_reaches_the_new_session),
    RIG_TEST(a_pipe_pulled_out_is_gone_with_its_calls),
    RIG_TEST(a_pipe_closed_by_its_owner_greets_again_for_the_next_call),
    RIG_TEST(after_a_gap_in_a_frame_the_next_byte_begins_a_new_one),
    RIG_TEST(after_a_gap_in_a_body_that_is_skipped_frames_go_on),
    RIG_TEST(after_a_gap_in_a_greeting_the_next_one_works),
    RIG_TEST(a_gap_in_the_answer_to_a_greeting_costs_a_repetition),
    RIG_TEST(a_hook_hears_once_of_each_link_up_and_gone),
    RIG_TEST(a_hook_does_not_hear_of_what_was_never_up),
    RIG_TEST(a_restart_on_a_pipe_is_gone_and_up),
    RIG_TEST(a_hook_hears_once_that_there_is_room_again),
    RIG_TEST(no_hook_is_called_while_a_handler_yields),
    RIG_TEST(a_hook_does_not_hear_of_room_on_a_link_that_is_gone),
    RIG_TEST(a_hook_may_take_itself_and_others_off),
    RIG_TEST(a_hook_may_close_the_link_that_came_up),
    RIG_TEST(closing_a_link_ends_its_calls_at_the_next_poll_and_not_before)
};

RIG_MAIN(tests)
