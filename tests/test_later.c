/* Deferred replies: finished, failed, expired, too late, out of buffers. */
#include "call_rig.h"

static pyro_later laters[4];
static unsigned   n_laters;
static uint32_t   defer_ms;

static void act_defer(pyro_call *call)
{
    assert_true(n_laters < PYRO_COUNT(laters));
    pyro_defer(call, &laters[n_laters++], defer_ms);
}

static void start_deferring(uint32_t ms)
{
    memset(laters, 0, sizeof laters);
    n_laters = 0;
    defer_ms = ms;
    start();
    obj.act = act_defer;
}

/* o.m was called, and nothing has come yet. */
static void call_deferred(const char *row)
{
    send_call(0, "m", "90", "80");
    raw_expect(row, caller, "");
    test_eq(row, runs(), 1);
    all_free(&rig.a); /* what is deferred holds no buffer */
}

/* ------------------------------------------------------------------------
 * The usual ways.
 * ------------------------------------------------------------------------ */

TEST(a_deferred_call_is_answered_when_it_is_finished)
{
    start_deferring(1000);
    call_deferred("call");
    assert_true(pyro_later_open(&laters[0]));
    pass(900);
    raw_expect("not yet", caller, "");
    pyro_put_int(pyro_finish(&laters[0]), 5);
    check(&rig.a);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("finished");
    expect_result("finished", "05");
    assert_false(pyro_later_open(&laters[0]));
    pass(2000);
    raw_expect("nothing more", caller, "");
}

TEST(a_deferred_call_may_fail)
{
    start_deferring(1000);
    call_deferred("call");
    assert_int_equal(pyro_fail(&laters[0], "IOError", "flash is worn"),
                     PYRO_OK);
    take_reply("failed");
    expect_raised_says("failed", "IOError", "flash is worn");
    assert_false(pyro_later_open(&laters[0]));
    assert_int_equal(pyro_fail(&laters[0], "IOError", "again"),
                     PYRO_ERR_CLOSED);
    raw_expect("once", caller, "");
}

TEST(a_deferred_call_that_puts_nothing_answers_nil)
{
    start_deferring(1000);
    call_deferred("call");
    pyro_finish(&laters[0]);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("nil");
    expect_nil("nil");
}

TEST(a_container_can_be_put_into_a_deferred_reply)
{
    pyro_writer *out;

    start_deferring(1000);
    call_deferred("call");
    out = pyro_finish(&laters[0]);
    pyro_put_map(out, 1);
    pyro_put_str(out, "mean");
    pyro_put_list(out, 2);
    pyro_put_f64(out, 1.5);
    pyro_put_bool(out, true);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("map");
    expect_result("map", "81 a4 'mean' 92 cb 3ff8000000000000 c3");
}

TEST(others_are_served_while_a_call_is_deferred)
{
    start_deferring(1000);
    call_deferred("first");
    raw_works("calc", caller);
    call_deferred("second");
    call_deferred("third");
    /* answered in another order, each to its own number */
    pyro_put_int(pyro_finish(&laters[1]), 12);
    assert_int_equal(pyro_reply(&laters[1]), PYRO_OK);
    raw_expect("second", caller, "'PY' 65 00 00 02 00 01 0c");
    pyro_put_int(pyro_finish(&laters[2]), 13);
    assert_int_equal(pyro_reply(&laters[2]), PYRO_OK);
    raw_expect("third", caller, "'PY' 65 00 00 03 00 01 0d");
    pyro_put_int(pyro_finish(&laters[0]), 11);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    raw_expect("first", caller, "'PY' 65 00 00 01 00 01 0b");
}

static void act_defer_and_finish(pyro_call *call)
{
    act_defer(call);
    pyro_put_int(pyro_finish(&laters[0]), 9);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
}

TEST(a_call_may_be_finished_in_its_own_handler)
{
    start_deferring(1000);
    obj.act = act_defer_and_finish;
    call("at once", "90", "80");
    expect_result("at once", "09");
}

static void act_put_and_defer(pyro_call *call)
{
    pyro_put_list(&call->result, 3);
    act_defer(call);
    pyro_put_int(&call->result, 1);
}

static void act_defer_and_raise(pyro_call *call)
{
    act_defer(call);
    pyro_raise(call, "ValueError", "too late for that");
}

TEST(what_a_handler_does_beside_deferring_does_not_count)
{
    start_deferring(1000);
    obj.act = act_put_and_defer;
    call_deferred("put");
    pyro_put_int(pyro_finish(&laters[0]), 1);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("put");
    expect_result("put", "01");
    obj.act = act_defer_and_raise;
    call_deferred("raise");
    pyro_put_int(pyro_finish(&laters[1]), 2);
    assert_int_equal(pyro_reply(&laters[1]), PYRO_OK);
    take_reply("raise");
    expect_result("raise", "02");
}

static void act_raise_and_defer(pyro_call *call)
{
    pyro_raise(call, "ValueError", "first");
    act_defer(call);
}

TEST(a_call_that_has_raised_cannot_be_deferred)
{
    start_deferring(1000);
    memset(&laters[0], 0xFF, sizeof laters[0]);
    obj.act = act_raise_and_defer;
    call("raised", "90", "80");
    expect_raised_says("raised", "ValueError", "first");
    assert_false(pyro_later_open(&laters[0]));
    pyro_put_int(pyro_finish(&laters[0]), 1);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    raw_expect("once", caller, "");
}

/* ------------------------------------------------------------------------
 * Expiry.
 * ------------------------------------------------------------------------ */

TEST(a_deferred_call_expires_by_itself)
{
    start_deferring(1000);
    call_deferred("call");
    loop_advance(&rig.net, 999);
    raw_expect("not yet", caller, "");
    assert_true(pyro_later_open(&laters[0]));
    loop_advance(&rig.net, 1);
    take_reply("expired");
    expect_raised("expired", "TimeoutError");
    assert_false(pyro_later_open(&laters[0]));
    pyro_put_int(pyro_finish(&laters[0]), 5);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    raw_expect("once", caller, "");
}

TEST(without_a_time_the_default_timeout_counts)
{
    rig.conf_a.timeout_ms = 700;
    start_deferring(0);
    call_deferred("call");
    loop_advance(&rig.net, 699);
    raw_expect("not yet", caller, "");
    loop_advance(&rig.net, 1);
    take_reply("expired");
    expect_raised("expired", "TimeoutError");
}

TEST(each_deferred_call_has_a_time_of_its_own)
{
    start_deferring(3000);
    call_deferred("first");
    defer_ms = 1000;
    call_deferred("second");
    defer_ms = 2000;
    call_deferred("third");
    loop_advance(&rig.net, 1000);
    last_seq = 2;
    take_reply("second");
    expect_raised("second", "TimeoutError");
    loop_advance(&rig.net, 1000);
    last_seq = 3;
    take_reply("third");
    expect_raised("third", "TimeoutError");
    loop_advance(&rig.net, 1000);
    last_seq = 1;
    take_reply("first");
    expect_raised("first", "TimeoutError");
}

/* The time to answer is known to whoever runs the loop. */
TEST(the_next_deadline_is_that_of_the_deferred_call)
{
    start_deferring(400);
    settle();
    call_deferred("call");
    assert_int_equal(pyro_next_ms(&rig.a), 400);
    loop_advance(&rig.net, 150);
    assert_int_equal(pyro_next_ms(&rig.a), 250);
    pyro_finish(&laters[0]);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    raw_expect("nil", caller, "'PY' 65 00 00 01 00 01 c0");
}

/* ------------------------------------------------------------------------
 * Without a buffer.
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(4, 2, 128, 2) pair_room;

static int32_t holder;

/* Two buffers are all there is; another caller's half call holds both. */
static void start_without_buffers(uint32_t ms)
{
    memset(laters, 0, sizeof laters);
    n_laters = 0;
    defer_ms = ms;
    start_in(PYRO_ROOM_OF(pair_room));
    obj.act = act_defer;
    holder = raw_client();
    call_deferred("call");
    raw_feed(holder, "\x50\x59\x64\x00\x00\x01\x00\x0e\x94", 9);
    settle();
    assert_int_equal(rig.a.n_[PYROI_SPARE], 0);
}

/* The rest of add(2, 3); no deadline or lost link stirs anything up. */
static void let_go(void)
{
    uint8_t rest[16];
    size_t  n = test_hex(rest, sizeof rest, CALC_ADD_2_3);

    raw_feed(holder, rest + 1, (uint32_t)n - 1);
    raw_expect("add", holder, "'PY' 65 00 00 01 00 01 05");
    assert_int_equal(rig.a.n_[PYROI_SPARE], 2);
}

TEST(without_a_buffer_finishing_can_be_tried_again)
{
    pyro_writer *out;

    start_without_buffers(1000);
    out = pyro_finish(&laters[0]);
    assert_int_equal(out->err, PYRO_ERR_NOSPACE);
    pyro_put_int(out, 5);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_NOSPACE);
    assert_true(pyro_later_open(&laters[0]));
    assert_int_equal(pyro_fail(&laters[0], "E", "text"), PYRO_ERR_NOSPACE);
    assert_true(pyro_later_open(&laters[0]));
    check(&rig.a);
    let_go();
    pyro_put_int(pyro_finish(&laters[0]), 6);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("again");
    expect_result("again", "06");
}

TEST(without_a_buffer_expiry_is_tried_again)
{
    start_without_buffers(500);
    loop_advance(&rig.net, 500);
    raw_expect("no buffer", caller, "");
    loop_advance(&rig.net, 50);
    raw_expect("still none", caller, "");
    assert_true(pyro_later_open(&laters[0]));
    let_go();
    loop_advance(&rig.net, 1);
    take_reply("expired");
    expect_raised("expired", "TimeoutError");
    assert_false(pyro_later_open(&laters[0]));
}

TEST(a_reply_without_finish_is_an_error_of_the_program)
{
    start_deferring(1000);
    call_deferred("call");
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_STATE);
    assert_true(pyro_later_open(&laters[0]));
    pyro_put_int(pyro_finish(&laters[0]), 1);
    pyro_put_int(pyro_finish(&laters[0]), 2); /* begins anew */
    check(&rig.a);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("second");
    expect_result("second", "02");
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
}

TEST(a_reply_begun_may_fail_instead)
{
    start_deferring(1000);
    call_deferred("call");
    pyro_put_list(pyro_finish(&laters[0]), 2);
    assert_int_equal(pyro_fail(&laters[0], "ValueError", "half way"), PYRO_OK);
    take_reply("failed");
    expect_raised_says("failed", "ValueError", "half way");
}

/* ------------------------------------------------------------------------
 * Malformed and too long.
 * ------------------------------------------------------------------------ */

TEST(a_malformed_deferred_result_becomes_a_type_error)
{
    pyro_writer *out;

    start_deferring(1000);
    call_deferred("two values");
    out = pyro_finish(&laters[0]);
    pyro_put_int(out, 1);
    pyro_put_int(out, 2);
    pyro_reply(&laters[0]);
    take_reply("two values");
    expect_raised("two values", "TypeError");
    call_deferred("half a list");
    pyro_put_list(pyro_finish(&laters[1]), 1);
    pyro_reply(&laters[1]);
    take_reply("half a list");
    expect_raised("half a list", "TypeError");
    call_deferred("no UTF-8");
    pyro_put_str(pyro_finish(&laters[2]), "\xff");
    pyro_reply(&laters[2]);
    take_reply("no UTF-8");
    expect_raised("no UTF-8", "TypeError");
    assert_false(pyro_later_open(&laters[0]));
    assert_false(pyro_later_open(&laters[1]));
    assert_false(pyro_later_open(&laters[2]));
}

static void finish_with(unsigned i, size_t bytes)
{
    static const uint8_t zeros[1000];

    pyro_put_bin(pyro_finish(&laters[i]), zeros,
                 bytes - (bytes > 0xFF + 2 ? 3 : 2));
    pyro_reply(&laters[i]);
}

TEST(a_deferred_result_too_long_is_a_memory_error)
{
    start_deferring(1000);
    call_deferred("n-1");
    finish_with(0, RIG_MAX - 1);
    take_reply("n-1");
    assert_false(reply.raised);
    call_deferred("n");
    finish_with(1, RIG_MAX);
    take_reply("n");
    assert_false(reply.raised);
    assert_int_equal(reply.n, RIG_MAX);
    call_deferred("n+1");
    finish_with(2, RIG_MAX + 1);
    take_reply("n+1");
    expect_raised("n+1", "MemoryError");
}

TEST(a_deferred_result_too_long_for_the_caller_is_none)
{
    start_deferring(1000);
    raw_hang_up(caller);
    caller = raw_connect();
    raw_greet_with(caller, CONNECT, 0, 100, 0);
    raw_expect_type("greeting", caller, CONNECTOK);
    call_deferred("n");
    finish_with(0, 100);
    take_reply("n");
    assert_false(reply.raised);
    call_deferred("n+1");
    finish_with(1, 101);
    take_reply("n+1");
    expect_raised("n+1", "MemoryError");
    assert_true(reply.n <= 100);
    call_deferred("failed");
    assert_int_equal(pyro_fail(&laters[2], "ValueError",
                               "a text of more than sixty bytes, which is "
                               "too long for this caller to accept"),
                     PYRO_OK);
    take_reply("failed");
    expect_raised("failed", "ValueError");
    assert_true(reply.n <= 100);
}

TEST(a_failure_too_long_for_the_buffer_is_cut)
{
    char text[600];

    memset(text, 'x', 599);
    text[599] = '\0';
    start_deferring(1000);
    call_deferred("call");
    assert_int_equal(pyro_fail(&laters[0], "ValueError", text), PYRO_OK);
    take_reply("cut");
    expect_raised_says("cut", "ValueError", "...");
}

/* ------------------------------------------------------------------------
 * Oneway, twice, and in use.
 * ------------------------------------------------------------------------ */

TEST(deferring_a_oneway_call_leaves_nothing_to_answer)
{
    start_deferring(1000);
    send_call(F_ONEWAY, "m", "90", "80");
    raw_expect("oneway", caller, "");
    assert_int_equal(runs(), 1);
    assert_int_equal(n_laters, 1);
    assert_false(pyro_later_open(&laters[0]));
    all_free(&rig.a);
    pyro_put_int(pyro_finish(&laters[0]), 5);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_fail(&laters[0], "E", "text"), PYRO_ERR_CLOSED);
    pass(2000);
    raw_expect("nothing", caller, "");
    assert_int_equal(rig.a.stats.lost_oneway, 0);
}

static void act_defer_twice(pyro_call *call)
{
    pyro_defer(call, &laters[0], 1000);
    pyro_defer(call, &laters[0], 5000);
}

TEST(deferring_a_call_twice_is_the_same_as_once)
{
    start_deferring(2000);
    n_laters = 1;
    call_deferred("another");
    obj.act = act_defer_twice;
    call_deferred("twice");
    assert_true(pyro_later_open(&laters[0]));
    assert_true(pyro_later_open(&laters[1]));
    loop_advance(&rig.net, 1000);
    take_reply("twice");
    expect_raised("twice", "TimeoutError");
    assert_false(pyro_later_open(&laters[0]));
    loop_advance(&rig.net, 1000);
    last_seq = 1;
    take_reply("another");
    expect_raised("another", "TimeoutError");
}

static void act_defer_two(pyro_call *call)
{
    act_defer(call);
    act_defer(call);
}

TEST(of_two_deferrals_of_one_call_the_second_is_void)
{
    start_deferring(1000);
    obj.act = act_defer_two;
    call_deferred("call");
    assert_true(pyro_later_open(&laters[0]));
    assert_false(pyro_later_open(&laters[1]));
    pyro_finish(&laters[0]);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    take_reply("nil");
    expect_nil("nil");
}

static void act_defer_first(pyro_call *call)
{
    pyro_defer(call, &laters[0], defer_ms);
}

/* The object has one pyro_later, and a second caller comes. The first call's
 * is not to be lost, and the second one's caller is told. */
TEST(a_later_in_use_is_not_given_to_another_call)
{
    start_deferring(1000);
    obj.act = act_defer_first;
    call_deferred("first");
    call("second", "90", "80");
    assert_true(reply.raised);
    assert_int_equal(runs(), 1);
    assert_true(pyro_later_open(&laters[0]));
    pyro_put_int(pyro_finish(&laters[0]), 1);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_OK);
    last_seq = 1;
    take_reply("first");
    expect_result("first", "01");
    last_seq = 2;
    call_deferred("third");
    pass(2000);
    take_reply("third");
    expect_raised("third", "TimeoutError");
}

/* ------------------------------------------------------------------------
 * The caller is gone.
 * ------------------------------------------------------------------------ */

TEST(a_reply_for_a_caller_that_has_gone_is_an_error)
{
    start_deferring(1000);
    call_deferred("first");
    call_deferred("second");
    call_deferred("third");
    raw_hang_up(caller);
    settle();
    assert_false(pyro_later_open(&laters[0]));
    assert_int_equal(pyro_finish(&laters[0])->err, PYRO_ERR_CLOSED);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_fail(&laters[1], "E", "text"), PYRO_ERR_CLOSED);
    check(&rig.a);
    pass(2000); /* the third expires, unheard */
    assert_false(pyro_later_open(&laters[2]));
    assert_null(rig.a.calls_);
    caller = raw_client();
    raw_works("others", caller);
    assert_int_equal(pyro_reply(&laters[2]), PYRO_ERR_CLOSED);
}

TEST(a_reply_begun_for_one_who_goes_gives_its_buffer_back)
{
    start_deferring(1000);
    call_deferred("call");
    pyro_put_int(pyro_finish(&laters[0]), 5);
    assert_int_equal(rig.a.n_[PYROI_SPARE], RIG_BUFFERS - 1);
    raw_hang_up(caller);
    settle();
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    all_free(&rig.a);
    assert_int_equal(rig.a.stats.unsent, 1);
}

/* The new connection has the same place in the table, and a call with the
 * same number open. */
TEST(a_reply_never_goes_to_another_link)
{
    start_deferring(1000);
    call_deferred("old");
    raw_hang_up(caller);
    settle();
    caller = raw_client();
    last_seq = 0;
    call_deferred("new");
    pyro_put_int(pyro_finish(&laters[0]), 1);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    raw_expect("nothing", caller, "");
    pyro_put_int(pyro_finish(&laters[1]), 2);
    assert_int_equal(pyro_reply(&laters[1]), PYRO_OK);
    take_reply("new");
    expect_result("new", "02");
}

/* A pipe keeps its handle when its peer starts anew. */
TEST(a_reply_never_goes_to_the_next_session_of_a_pipe)
{
    uint8_t frame[64];

    start_deferring(1000);
    raw_hang_up(caller);
    settle();
    caller = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(caller);
    call_deferred("old");
    call_deferred("begun");
    pyro_put_int(pyro_finish(&laters[1]), 2);
    raw_feed(caller, frame,
             raw_greeting(frame, CONNECT, 0, RAW_SESSION + 1, 60000, 0));
    raw_expect_type("restart", caller, CONNECTOK);
    last_seq = 0;
    assert_int_equal(pyro_reply(&laters[1]), PYRO_ERR_CLOSED);
    call_deferred("new");
    pyro_put_int(pyro_finish(&laters[0]), 1);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    raw_expect("nothing", caller, "");
    pyro_put_int(pyro_finish(&laters[2]), 3);
    assert_int_equal(pyro_reply(&laters[2]), PYRO_OK);
    take_reply("new");
    expect_result("new", "03");
    loop_close(&rig.port_raw, caller);
}

TEST(closing_the_daemon_ends_what_is_deferred)
{
    start_deferring(1000);
    call_deferred("call");
    call_deferred("begun");
    pyro_put_int(pyro_finish(&laters[1]), 5);
    close_a();
    assert_false(pyro_later_open(&laters[0]));
    assert_false(pyro_later_open(&laters[1]));
    assert_int_equal(pyro_finish(&laters[0])->err, PYRO_ERR_CLOSED);
    assert_int_equal(pyro_reply(&laters[0]), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_reply(&laters[1]), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_fail(&laters[1], "E", "text"), PYRO_ERR_CLOSED);
}

/* ------------------------------------------------------------------------
 * By a proxy of another daemon.
 * ------------------------------------------------------------------------ */

static void finish_soon(void *user, pyro_daemon *node)
{
    (void)node;
    pyro_put_str(pyro_finish((pyro_later *)user), "done");
    assert_int_equal(pyro_reply((pyro_later *)user), PYRO_OK);
}

TEST(a_blocking_call_waits_for_a_deferred_reply)
{
    pyro_proxy proxy;
    pyro_timer timer = { NULL, finish_soon, &laters[0], 0 };
    char       text[8] = "";
    uint32_t   since;

    start_deferring(0);
    open_b();
    let_b_wait();
    assert_int_equal(pyro_proxy_open(&proxy, &rig.b, "PYRO://board:7766/o"),
                     PYRO_OK);
    pyro_timer_set(&rig.a, &timer, 400);
    since = rig.net.clock_ms;
    assert_int_equal(pyro_invoke(&proxy, "m", PYRO_NO_ARGS,
                                 pyro_to_str(text, sizeof text)),
                     PYRO_OK);
    assert_string_equal(text, "done");
    assert_true(rig.net.clock_ms - since >= 400);
    defer_ms = 100;
    assert_int_equal(pyro_invoke(&proxy, "m", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&proxy)->type, "TimeoutError");
    pyro_proxy_close(&proxy);
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(a_deferred_call_is_answered_when_it_is_finished),
    CALL_TEST(a_deferred_call_may_fail),
    CALL_TEST(a_deferred_call_that_puts_nothing_answers_nil),
    CALL_TEST(a_container_can_be_put_into_a_deferred_reply),
    CALL_TEST(others_are_served_while_a_call_is_deferred),
    CALL_TEST(a_call_may_be_finished_in_its_own_handler),
    CALL_TEST(what_a_handler_does_beside_deferring_does_not_count),
    CALL_TEST(a_call_that_has_raised_cannot_be_deferred),
    CALL_TEST(a_deferred_call_expires_by_itself),
    CALL_TEST(without_a_time_the_default_timeout_counts),
    CALL_TEST(each_deferred_call_has_a_time_of_its_own),
    CALL_TEST(the_next_deadline_is_that_of_the_deferred_call),
    CALL_TEST(without_a_buffer_finishing_can_be_tried_again),
    CALL_TEST(without_a_buffer_expiry_is_tried_again),
    CALL_TEST(a_reply_without_finish_is_an_error_of_the_program),
    CALL_TEST(a_reply_begun_may_fail_instead),
    CALL_TEST(a_malformed_deferred_result_becomes_a_type_error),
    CALL_TEST(a_deferred_result_too_long_is_a_memory_error),
    CALL_TEST(a_deferred_result_too_long_for_the_caller_is_none),
    CALL_TEST(a_failure_too_long_for_the_buffer_is_cut),
    CALL_TEST(deferring_a_oneway_call_leaves_nothing_to_answer),
    CALL_TEST(deferring_a_call_twice_is_the_same_as_once),
    CALL_TEST(of_two_deferrals_of_one_call_the_second_is_void),
    CALL_TEST(a_later_in_use_is_not_given_to_another_call),
    CALL_TEST(a_reply_for_a_caller_that_has_gone_is_an_error),
    CALL_TEST(a_reply_begun_for_one_who_goes_gives_its_buffer_back),
    CALL_TEST(a_reply_never_goes_to_another_link),
    CALL_TEST(a_reply_never_goes_to_the_next_session_of_a_pipe),
    CALL_TEST(closing_the_daemon_ends_what_is_deferred),
    CALL_TEST(a_blocking_call_waits_for_a_deferred_reply)
};

RIG_MAIN(tests)
