/* Proxies, requests and calls over the loopback port: what a program that
 * calls others can rely on, whatever happens to its call. */
#define PYRO_IMPLEMENTATION
#define PYRO_STUCK_POLLS 20000
#include "../pyro.h"

#include "nodes.h"

static pyro_proxy P;
static pyro_proxy Q;

/* Node 0 is a client, node 1 a server that runs; P is for its object. */
static void pair(unsigned client_buffers, unsigned server_buffers)
{
    node_open_bare(0, client_buffers, 0);
    node_open(1, server_buffers);
    node_run(1);
    node_proxy(0, &P, 1);
}

static pyro_daemon *node(unsigned i)
{
    return &rig.n[i].d;
}

static struct thing *thing(unsigned i)
{
    return &rig.n[i].thing;
}

static pyro_err add(pyro_proxy *proxy, int a, int b, int32_t *sum)
{
    return pyro_invoke(proxy, "add", PYRO_ARGS(pyro_int(a), pyro_int(b)),
                       pyro_to_i32(sum));
}

/* A call works, with the right result. */
static void works(const char *row, pyro_proxy *proxy)
{
    static int32_t n;
    int32_t        sum = -1;

    n++;
    test_eq(row, add(proxy, n, 1000, &sum), PYRO_OK);
    test_eq(row, sum, n + 1000);
}

/* Memory that nobody may write to from now on: ASan stops who does, and in
 * other builds allow() finds it. */
static int32_t slot;

static void forbid(void)
{
    slot = 0x5A5A5A5A;
#ifdef NODES_ASAN
    __asan_poison_memory_region(&slot, sizeof slot);
#endif
}

static void allow(void)
{
#ifdef NODES_ASAN
    __asan_unpoison_memory_region(&slot, sizeof slot);
#endif
    assert_int_equal(slot, 0x5A5A5A5A);
}

/* What callbacks saw. */
static struct {
    unsigned      calls;
    pyro_err      err;
    pyro_request *order[16];
} seen;

static void saw(void *user, pyro_request *rq, pyro_err err,
                pyro_reader *result)
{
    (void)user;
    seen.order[seen.calls++ % PYRO_COUNT(seen.order)] = rq;
    seen.err = err;
    (void)result;
}

static void begin_later(pyro_request *rq, pyro_proxy *proxy, int32_t value,
                        int32_t *to, pyro_done_fn fn)
{
    assert_int_equal(pyro_begin(rq, proxy, "later"), PYRO_OK);
    pyro_put_int(&rq->args, value);
    assert_int_equal(pyro_send(rq, pyro_to_i32(to), fn, NULL), PYRO_OK);
}

static void begin_add(pyro_request *rq, pyro_proxy *proxy, int a, int b,
                      int32_t *to, pyro_done_fn fn)
{
    assert_int_equal(pyro_begin(rq, proxy, "add"), PYRO_OK);
    pyro_put_int(&rq->args, a);
    pyro_put_int(&rq->args, b);
    assert_int_equal(pyro_send(rq, pyro_to_i32(to), fn, NULL), PYRO_OK);
}

static void answer_first(struct node *n)
{
    assert_int_equal(thing_answer(&n->thing, 0), PYRO_OK);
}

static void has_text(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text ? text : "", part);
}

/* ------------------------------------------------------------------------
 * Links
 * ------------------------------------------------------------------------ */

TEST(proxies_to_one_address_share_a_link_until_the_last_is_released)
{
    rig_init(1);
    pair(4, 4);
    node_proxy(0, &Q, 1);
    works("first", &P);
    works("second", &Q);
    test_eq("links", rig.net.calls.connect, 1);
    pyro_release(&P);
    rig_settle();
    test_eq("one is left", node(1)->n_links_, 1);
    works("second alone", &Q);
    pyro_release(&Q);
    rig_settle();
    test_eq("none is left, here", node(0)->n_links_, 0);
    test_eq("none is left, there", node(1)->n_links_, 0);
    test_eq("links", rig.net.calls.connect, 1);
    rig_end();
}

TEST(closing_the_last_proxy_closes_the_link)
{
    rig_init(1);
    pair(4, 4);
    node_proxy(0, &Q, 1);
    works("first", &P);
    works("second", &Q);
    pyro_proxy_close(&P);
    works("second alone", &Q);
    pyro_proxy_close(&Q);
    rig_settle();
    test_eq("links here", node(0)->n_links_, 0);
    test_eq("links there", node(1)->n_links_, 0);
    rig_end();
}

TEST(a_released_proxy_connects_anew_on_its_next_use)
{
    rig_init(1);
    pair(4, 4);
    for (unsigned i = 1; i <= 5; i++) {
        works("again", &P);
        test_eq("links", rig.net.calls.connect, i);
        pyro_release(&P);
        pyro_release(&P); /* twice is no harm */
    }
    rig_end();
}

/* More would wrap the counters that say when a link is not used any more. */
TEST(a_daemon_has_at_most_65535_proxies)
{
    const char *uri = "PYROLOC://n1:1/thing";

    rig_init(1);
    pair(4, 4);
    node(0)->n_proxies_ = UINT16_MAX; /* no board has the memory for them */
    test_eq("one more", pyro_proxy_open(&Q, node(0), uri), PYRO_ERR_NOSPACE);
    has_text(node(0)->why.text, "too many proxies");
    node(0)->n_proxies_--;
    test_eq("the last", pyro_proxy_open(&Q, node(0), uri), PYRO_OK);
    test_eq("counted", node(0)->n_proxies_, UINT16_MAX);
    pyro_proxy_close(&Q);
    node(0)->n_proxies_ = 1;
    works("all are closed", &P);
    rig_end();
}

TEST(proxies_to_other_addresses_have_links_of_their_own)
{
    rig_init(1);
    pair(4, 4);
    node_open(2, 4);
    node_run(2);
    node_proxy(0, &Q, 2);
    works("B", &P);
    works("C", &Q);
    test_eq("links", rig.net.calls.connect, 2);
    test_eq("ran in B", thing(1)->ran, 1);
    test_eq("ran in C", thing(2)->ran, 1);
    rig_end();
}

TEST(after_a_lost_link_the_next_call_makes_another)
{
    rig_init(1);
    pair(4, 4);
    works("first", &P);
    pyro_link_close(node(0), P.link_);
    works("after it was closed here", &P);
    loop_gone(&rig.net, node(0)->room_.links[P.link_ & 0xFFFF].item.handle);
    rig_settle();
    works("after it was lost", &P);
    test_eq("links", rig.net.calls.connect, 3);
    rig_end();
}

TEST(requests_in_flight_go_on_when_their_proxy_is_released)
{
    pyro_request rq;
    int32_t      value = -1;

    rig_init(1);
    pair(4, 4);
    begin_later(&rq, &P, 77, &value, NULL);
    rig_settle();
    pyro_release(&P);
    rig_settle();
    test_eq("links", node(0)->n_links_, 1);
    node_do(1, answer_first);
    assert_true(pyro_done(&rq));
    test_eq("result", pyro_result(&rq), PYRO_OK);
    test_eq("value", value, 77);
    test_eq("links", node(0)->n_links_, 0);
    rig_end();
}

TEST(requests_of_a_closed_proxy_end_without_callback)
{
    pyro_request rq[2];

    rig_init(1);
    pair(4, 4);
    memset(&seen, 0, sizeof seen);
    node_proxy(0, &Q, 1);
    works("link", &Q);
    begin_later(&rq[0], &P, 1, &slot, saw);
    assert_int_equal(pyro_begin(&rq[1], &P, "add"), PYRO_OK);
    pyro_proxy_close(&P);
    forbid();
    for (unsigned i = 0; i < 2; i++) {
        assert_true(pyro_done(&rq[i]));
        test_eq("result", pyro_result(&rq[i]), PYRO_ERR_CLOSED);
    }
    rig_settle();
    node_do(1, answer_first);
    allow();
    test_eq("callbacks", seen.calls, 0);
    test_eq("late", node(0)->stats.late, 1);
    works("other proxy", &Q);
    test_eq("links", rig.net.calls.connect, 1);
    rig_end();
}

TEST(a_full_link_table_is_an_error_that_says_so)
{
    int32_t sum;

    rig_init(1);
    node_open_bare(0, 4, 1);
    node_open(1, 4);
    node_open(2, 4);
    node_run(1);
    node_run(2);
    node_proxy(0, &P, 1);
    node_proxy(0, &Q, 2);
    works("the one link", &P);
    test_eq("no link", add(&Q, 1, 1, &sum), PYRO_ERR_NOSPACE);
    has_text(node(0)->why.text, "too few links in PYRO_ROOM");
    test_eq("is", node(0)->why.is, 1);
    test_eq("limit", node(0)->why.limit, 1);
    assert_false(pyro_sent(&Q));
    pyro_release(&P);
    works("after one was released", &Q);
    rig_end();
}

TEST(connecting_may_take_longer_than_a_frame)
{
    rig_init(1);
    rig.n[0].config.greet_ms = 8000;
    rig.n[1].config.greet_ms = 8000;
    rig.n[0].config.frame_ms = 500;
    rig.n[0].config.timeout_ms = 9000;
    rig.net.connect_ms = 3000;
    pair(4, 4);
    works("after three seconds", &P);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Time
 * ------------------------------------------------------------------------ */

TEST(a_call_that_times_out_leaves_the_shared_link_alone)
{
    uint32_t start;

    rig_init(1);
    pair(4, 4);
    node_proxy(0, &Q, 1);
    works("link", &Q);
    P.timeout_ms = 50;
    start = rig.net.clock_ms;
    test_eq("nobody answers",
            pyro_invoke(&P, "later", PYRO_ARGS(pyro_int(5)),
                        pyro_to_i32(&slot)),
            PYRO_ERR_TIMEOUT);
    test_eq("took", rig.net.clock_ms - start, 50);
    assert_true(pyro_sent(&P));
    has_text(node(0)->why.text, "may have been executed");
    works("other proxy", &Q);
    forbid();
    node_do(1, answer_first);
    allow();
    test_eq("late", node(0)->stats.late, 1);
    test_eq("timeouts", node(0)->stats.timeouts, 1);
    works("same proxy", &P);
    test_eq("links", rig.net.calls.connect, 1);
    rig_end();
}

TEST(a_timeout_can_be_set_for_one_request)
{
    static const struct {
        uint32_t proxy_ms;
        uint32_t own_ms;
        uint32_t want;
    } rows[] = { { 100, 0, 100 }, { 1000, 20, 20 }, { 20, 300, 300 } };
    pyro_request rq;

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        uint32_t start;

        rig_init(1);
        pair(4, 4);
        works("link", &P);
        P.timeout_ms = rows[i].proxy_ms;
        assert_int_equal(pyro_begin(&rq, &P, "later"), PYRO_OK);
        if (rows[i].own_ms != 0)
            pyro_deadline(&rq, rows[i].own_ms);
        pyro_put_int(&rq.args, 1);
        start = rig.net.clock_ms;
        assert_int_equal(pyro_send(&rq, pyro_to_i32(&slot), NULL, NULL),
                         PYRO_OK);
        test_eq("not done", pyro_result(&rq), PYRO_ERR_STATE);
        test_eq("error", pyro_wait(&rq), PYRO_ERR_TIMEOUT);
        test_eq("took", rig.net.clock_ms - start, rows[i].want);
        assert_true(pyro_request_sent(&rq));
        rig_end();
    }
}

TEST(a_call_that_nobody_lets_out_ends_unsent)
{
    rig_init(1);
    rig.net.connect_ms = 500;
    pair(4, 4);
    P.timeout_ms = 100;
    test_eq("error", add(&P, 1, 2, &slot), PYRO_ERR_TIMEOUT);
    forbid();
    assert_false(pyro_sent(&P));
    has_text(node(0)->why.text, "not executed");
    rig_pass(1000);
    allow();
    test_eq("ran", thing(1)->ran, 0);
    test_eq("late", node(0)->stats.late, 0);
    works("afterwards", &P);
    rig_end();
}

/* ------------------------------------------------------------------------
 * In flight
 * ------------------------------------------------------------------------ */

static void answer_2031(struct node *n)
{
    static const uint8_t order[] = { 2, 0, 3, 1 };

    for (unsigned i = 0; i < PYRO_COUNT(order); i++)
        thing_answer(&n->thing, order[i]);
}

TEST(several_in_flight_may_be_answered_in_any_order)
{
    pyro_request rq[4];
    int32_t      value[4];

    rig_init(1);
    pair(6, 8);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 4; i++)
        begin_later(&rq[i], &P, 100 + i, &value[i], saw);
    rig_settle();
    test_eq("at the server", thing(1)->n_laters, 4);
    node_do(1, answer_2031);
    test_eq("callbacks", seen.calls, 4);
    for (int i = 0; i < 4; i++) {
        test_eq("result", pyro_result(&rq[i]), PYRO_OK);
        test_eq("value", value[i], 100 + i);
    }
    assert_ptr_equal(seen.order[0], &rq[2]);
    assert_ptr_equal(seen.order[1], &rq[0]);
    assert_ptr_equal(seen.order[2], &rq[3]);
    assert_ptr_equal(seen.order[3], &rq[1]);
    rig_end();
}

TEST(requests_can_be_polled_and_waited_for)
{
    pyro_request rq[2];
    int32_t      value[2] = { -1, -1 };

    rig_init(1);
    pair(4, 4);
    begin_add(&rq[0], &P, 1, 2, &value[0], NULL);
    begin_add(&rq[1], &P, 3, 4, &value[1], NULL);
    assert_false(pyro_done(&rq[0]));
    test_eq("waited for", pyro_wait(&rq[1]), PYRO_OK);
    test_eq("value", value[1], 7);
    for (unsigned i = 0; i < 100 && !pyro_done(&rq[0]); i++)
        rig_spin(1);
    test_eq("polled", pyro_result(&rq[0]), PYRO_OK);
    test_eq("value", value[0], 3);
    test_eq("waited for again", pyro_wait(&rq[0]), PYRO_OK);
    rig_end();
}

static unsigned chain_left;

static void chain(void *user, pyro_request *rq, pyro_err err,
                  pyro_reader *result)
{
    int32_t *value = (int32_t *)user;

    (void)result;
    if (err != PYRO_OK || chain_left == 0)
        return;
    chain_left--;
    if (pyro_begin(rq, &P, "add") != PYRO_OK)
        return;
    pyro_put_int(&rq->args, *value);
    pyro_put_int(&rq->args, 1);
    pyro_send(rq, pyro_to_i32(value), chain, user);
}

TEST(a_callback_may_begin_the_next_request_in_the_same_struct)
{
    pyro_request rq;
    int32_t      value = 0;

    for (unsigned buffers = 1; buffers <= 4; buffers += 3) {
        rig_init(1);
        pair(buffers, 2);
        value = 0;
        chain_left = 100;
        assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
        pyro_put_int(&rq.args, 0);
        pyro_put_int(&rq.args, 0);
        pyro_send(&rq, pyro_to_i32(&value), chain, &value);
        rig_settle();
        assert_true(pyro_done(&rq));
        test_eq("left", chain_left, 0);
        test_eq("value", value, 100);
        rig_end();
    }
}

static pyro_err in_callback;

static void blocks(void *user, pyro_request *rq, pyro_err err,
                   pyro_reader *result)
{
    int32_t first = pyro_get_i32(result);
    int32_t sum = -1;

    (void)rq;
    assert_int_equal(err, PYRO_OK);
    in_callback = add(&P, 40, 0, &sum);
    *(int32_t *)user = sum + first;
}

/* Without a slot it reads the result itself, and its buffer is held. */
TEST(a_callback_may_block)
{
    pyro_request rq;
    int32_t      sum = -1;
    int32_t      value = -1;

    for (unsigned buffers = 1; buffers <= 4; buffers++) {
        for (unsigned slotted = 0; slotted < 2; slotted++) {
            rig_init(1);
            pair(buffers, 2);
            value = sum = -1;
            assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
            pyro_put_int(&rq.args, 1);
            pyro_put_int(&rq.args, 1);
            pyro_send(&rq, slotted ? pyro_to_i32(&value) : pyro_to_none(),
                      blocks, &sum);
            rig_settle();
            test_eq("first", value, slotted ? 2 : -1);
            test_eq("in the callback", in_callback,
                    slotted || buffers > 1 ? PYRO_OK : PYRO_ERR_NOSPACE);
            test_eq("sum", sum, slotted ? 40 : buffers > 1 ? 42 : -1 + 2);
            rig_end();
        }
    }
}

static unsigned again_left;

static void again(void *user, pyro_request *rq, pyro_err err,
                  pyro_reader *result)
{
    (void)user;
    (void)err;
    (void)result;
    if (again_left == 0)
        return;
    again_left--;
    if (pyro_begin(rq, &P, "later") != PYRO_OK)
        return;
    pyro_put_int(&rq->args, 1);
    pyro_send(rq, pyro_to_none(), again, NULL);
}

/* A callback that always begins anew must not keep a daemon from closing. */
TEST(a_daemon_closes_although_callbacks_begin_anew)
{
    pyro_request rq;

    rig_init(1);
    pair(4, 4);
    again_left = 100;
    assert_int_equal(pyro_begin(&rq, &P, "later"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_int_equal(pyro_send(&rq, pyro_to_none(), again, NULL), PYRO_OK);
    rig_settle();
    assert_false(pyro_done(&rq));
    pyro_close(node(0));
    rig.n[0].open = false;
    assert_true(pyro_done(&rq));
    assert_in_range(again_left, 99, 100);
    node_close(1);
    test_eq("handles left open", loop_open_handles(&rig.net), 0);
}

TEST(closing_a_daemon_ends_its_requests)
{
    pyro_request rq[2];
    int32_t      value;

    rig_init(1);
    pair(4, 4);
    memset(&seen, 0, sizeof seen);
    begin_later(&rq[0], &P, 1, &value, saw);
    begin_later(&rq[1], &P, 2, &value, saw);
    rig_settle();
    pyro_close(node(0));
    rig.n[0].open = false;
    test_eq("callbacks", seen.calls, 2);
    test_eq("error", seen.err, PYRO_ERR_CLOSED);
    test_eq("result", pyro_result(&rq[0]), PYRO_ERR_CLOSED);
    node_close(1);
    test_eq("handles left open", loop_open_handles(&rig.net), 0);
}

/* ------------------------------------------------------------------------
 * Cancel
 * ------------------------------------------------------------------------ */

/* After a cancel: the slot stays as it is, no callback comes, buffers are
 * back, and the handler ran so often. */
static void cancelled(const char *row, pyro_request *rq, uint32_t ran)
{
    forbid();
    assert_true(pyro_done(rq));
    test_eq(row, pyro_result(rq), PYRO_ERR_CLOSED);
    rig_settle();
    allow();
    test_eq(row, seen.calls, 0);
    test_eq(row, thing(1)->ran, ran);
    test_eq(row, node(0)->stats.late, ran);
    works(row, &P);
    rig_end();
}

static void cancel_begin(void)
{
    memset(&seen, 0, sizeof seen);
    rig_init(1);
    pair(3, 3);
}

TEST(cancel_while_its_arguments_are_put)
{
    pyro_request rq;

    cancel_begin();
    assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_true(pyro_cancel(&rq));
    assert_false(pyro_request_sent(&rq));
    test_eq("building", node(0)->n_[PYROI_SPARE], 3);
    assert_int_equal(pyro_send(&rq, pyro_to_i32(&slot), saw, NULL),
                     PYRO_ERR_STATE);
    cancelled("building", &rq, 0);
}

TEST(cancel_while_it_waits_for_the_greeting)
{
    pyro_request rq;

    cancel_begin();
    begin_add(&rq, &P, 1, 2, &slot, saw);
    assert_true(pyro_cancel(&rq));
    assert_false(pyro_request_sent(&rq));
    test_eq("queued", node(0)->n_[PYROI_SPARE], 3);
    cancelled("queued", &rq, 0);
}

/* The pipe takes the first frame and a part of the second; the third has not
 * begun. */
TEST(cancel_when_a_part_has_left)
{
    static const uint8_t bytes[60];
    pyro_request         rq[3];

    for (unsigned which = 0; which < 3; which++) {
        bool unsent;

        memset(&seen, 0, sizeof seen);
        rig_init(1);
        rig.net.capacity = 120;
        pair(4, 3);
        rig_settle();
        works("link", &P);
        thing(1)->ran = 0;
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(pyro_begin(&rq[i], &P, "echo"), PYRO_OK);
            pyro_put_bin(&rq[i].args, bytes, sizeof bytes);
            pyro_send(&rq[i], pyro_to_none(), saw, NULL);
        }
        unsent = pyro_cancel(&rq[which]);
        test_eq("not sent", unsent, which == 2);
        test_eq("sent", pyro_request_sent(&rq[which]), which != 2);
        test_eq("result", pyro_result(&rq[which]), PYRO_ERR_CLOSED);
        rig_settle();
        test_eq("callbacks", seen.calls, 2);
        test_eq("ran", thing(1)->ran, which == 2 ? 2 : 3);
        test_eq("late", node(0)->stats.late, which == 2 ? 0 : 1);
        works("afterwards", &P);
        test_eq("links", rig.net.calls.connect, 1);
        rig_end();
    }
}

TEST(cancel_when_it_has_left)
{
    pyro_request rq;

    cancel_begin();
    works("link", &P);
    thing(1)->ran = 0;
    begin_add(&rq, &P, 1, 2, &slot, saw);
    assert_false(pyro_cancel(&rq));
    assert_true(pyro_request_sent(&rq));
    cancelled("sent", &rq, 1);
}

TEST(cancel_when_its_answer_is_half_there)
{
    pyro_request rq;

    cancel_begin();
    works("link", &P);
    thing(1)->ran = 0;
    rig.net.chunk = 3;
    begin_add(&rq, &P, 1, 2, &slot, saw);
    for (unsigned i = 0; i < 200 && node(0)->n_[PYROI_INCOMING] == 0; i++)
        rig_spin(1);
    test_eq("half there", node(0)->n_[PYROI_INCOMING], 1);
    assert_false(pyro_cancel(&rq));
    cancelled("half there", &rq, 1);
}

TEST(cancel_of_what_is_done_changes_nothing)
{
    pyro_request rq;
    int32_t      sum = -1;

    memset(&seen, 0, sizeof seen);
    rig_init(1);
    pair(3, 3);
    begin_add(&rq, &P, 1, 2, &sum, saw);
    rig_settle();
    assert_false(pyro_cancel(&rq));
    test_eq("result", pyro_result(&rq), PYRO_OK);
    test_eq("sum", sum, 3);
    test_eq("callbacks", seen.calls, 1);
    assert_false(pyro_cancel(&rq));
    memset(&rq, 0, sizeof rq);
    assert_true(pyro_done(&rq)); /* never begun */
    assert_true(pyro_cancel(&rq));
    rig_end();
}

/* ------------------------------------------------------------------------
 * Out-slots of calls that have ended some other way
 * ------------------------------------------------------------------------ */

enum { BY_CANCEL, BY_TIMEOUT, BY_CUT, BY_CLOSE, WAYS };

/* The frame with the slot is gone when it returns. */
static void in_a_frame(pyro_request *rq, unsigned way)
{
    int32_t volatile guard[8] = { 0 };
    int32_t value = 0x1234;

    begin_later(rq, &P, 99, &value, NULL);
    rig_settle();
    if (way == BY_CANCEL)
        pyro_cancel(rq);
    else if (way == BY_TIMEOUT)
        rig_pass(P.timeout_ms + 1);
    else if (way == BY_CUT)
        pyro_link_close(node(0), P.link_);
    else
        pyro_proxy_close(&P);
    rig_settle();
    assert_true(pyro_done(rq));
    test_eq("slot", value, 0x1234);
    (void)guard;
}

/* With ASan (detect_stack_use_after_return) a write to the frame is found;
 * without it what stands there now is. */
static uint32_t other_frame(bool look)
{
    volatile uint32_t bytes[64];
    uint32_t          changed = 0;

    for (unsigned i = 0; i < 64; i++)
        bytes[i] = 0xC3C3C3C3;
    if (!look)
        return 0;
    rig.n[1].job = answer_first;
    for (unsigned i = 0; i < 50; i++)
        pyro_poll(node(0), 1);
    for (unsigned i = 0; i < 64; i++)
        changed += bytes[i] != 0xC3C3C3C3;
    return changed;
}

static void answer_if_open(struct node *n)
{
    if (pyro_later_open(&n->thing.laters[0]))
        thing_answer(&n->thing, 0);
}

TEST(a_slot_is_never_written_after_its_request_has_ended)
{
    static pyro_request rq;

    for (unsigned way = 0; way < WAYS; way++) {
        rig_init(1);
        pair(4, 4);
        P.timeout_ms = 100;
        node_proxy(0, &Q, 1);
        works("link", &Q);
        in_a_frame(&rq, way);
        if (way == BY_CUT)
            test_eq("frames", other_frame(false), 0);
        else
            test_eq("changed", other_frame(true), 0);
        node_do(1, answer_if_open);
        test_eq("late", node(0)->stats.late, way == BY_CUT ? 0 : 1);
        works("afterwards", &Q);
        rig_end();
    }
}

/* ------------------------------------------------------------------------
 * Results
 * ------------------------------------------------------------------------ */

static struct {
    bool      b;
    int32_t   i32;
    int64_t   i64;
    uint64_t  u64;
    float     f32;
    double    f64;
    char      str[8];
    uint8_t   bytes[8];
    pyro_blob blob;
} out;

static void out_fill(void)
{
    memset(&out, 0, sizeof out);
    out.i32 = out.b = 1;
    out.i64 = 1;
    out.u64 = 1;
    out.f32 = 1;
    out.f64 = 1;
    strcpy(out.str, "x");
    memset(out.bytes, TEST_FILL, sizeof out.bytes);
    out.blob.data = out.bytes;
    out.blob.size = sizeof out.bytes;
    out.blob.used = 1;
}

static pyro_slot out_slot(char type)
{
    switch (type) {
    case 'b':
        return pyro_to_bool(&out.b);
    case 'i':
        return pyro_to_i32(&out.i32);
    case 'q':
        return pyro_to_i64(&out.i64);
    case 'u':
        return pyro_to_u64(&out.u64);
    case 'f':
        return pyro_to_f32(&out.f32);
    case 'd':
        return pyro_to_f64(&out.f64);
    case 's':
        return pyro_to_str(out.str, sizeof out.str);
    case 'y':
        return pyro_to_bin(&out.blob);
    case 'r':
        return pyro_to_raw(&out.blob);
    default:
        return pyro_to_none();
    }
}

static void test_result(const char *row, char type, pyro_value value,
                        pyro_err want)
{
    uint8_t before[sizeof out];

    out_fill();
    memcpy(before, &out, sizeof out);
    test_eq(row, pyro_invoke(&P, "echo", PYRO_ARGS(value), out_slot(type)),
            want);
    if (want != PYRO_OK)
        test_same(row, &out, sizeof out, before, sizeof out);
    assert_true(pyro_sent(&P));
}

TEST(results_arrive_in_slots_of_every_type)
{
    rig_init(1);
    pair(4, 4);
    test_result("bool", 'b', pyro_bool(false), PYRO_OK);
    assert_false(out.b);
    test_result("i32", 'i', pyro_int(INT32_MIN), PYRO_OK);
    assert_true(out.i32 == INT32_MIN);
    test_result("i64", 'q', pyro_int(INT64_MIN), PYRO_OK);
    assert_true(out.i64 == INT64_MIN);
    test_result("u64", 'u', pyro_uint(UINT64_MAX), PYRO_OK);
    assert_true(out.u64 == UINT64_MAX);
    test_result("f32", 'f', pyro_f32(1.5f), PYRO_OK);
    assert_true(out.f32 == 1.5f);
    test_result("f64", 'd', pyro_f64(0.1), PYRO_OK);
    assert_true(out.f64 == 0.1);
    test_result("int as f64", 'd', pyro_int(-3), PYRO_OK);
    assert_true(out.f64 == -3);
    test_result("str", 's', pyro_str("seven c"), PYRO_OK);
    assert_string_equal(out.str, "seven c");
    test_result("no str", 's', pyro_str(""), PYRO_OK);
    assert_string_equal(out.str, "");
    test_result("bin", 'y', pyro_bin("12345678", 8), PYRO_OK);
    test_same("bin", out.bytes, out.blob.used, "12345678", 8);
    test_result("raw", 'r', pyro_int(-1), PYRO_OK);
    test_same_hex("raw", out.bytes, out.blob.used, "ff");
    test_result("none", '-', pyro_str("anything at all"), PYRO_OK);
    rig_end();
}

TEST(a_result_of_another_type_is_an_error_and_touches_nothing)
{
    static const struct {
        char     type;
        uint8_t  bytes[10];
        uint8_t  n;
        pyro_err want;
    } rows[] = {
        { 'b', { 1 }, 1, PYRO_ERR_TYPE },
        { 'b', { 0xC0 }, 1, PYRO_ERR_TYPE },
        { 'i', { 0xC3 }, 1, PYRO_ERR_TYPE },
        { 'i', { 0xCE, 0x80, 0, 0, 0 }, 5, PYRO_ERR_TYPE },
        { 'i',
          { 0xD3, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF },
          9,
          PYRO_ERR_TYPE },
        { 'i', { 0xCA, 0x3F, 0x80, 0, 0 }, 5, PYRO_ERR_TYPE },
        { 'q', { 0xCF, 0x80, 0, 0, 0, 0, 0, 0, 0 }, 9, PYRO_ERR_TYPE },
        { 'u', { 0xFF }, 1, PYRO_ERR_TYPE },
        { 'f', { 0xA1, 'x' }, 2, PYRO_ERR_TYPE },
        { 'd', { 0xC2 }, 1, PYRO_ERR_TYPE },
        { 's', { 0xC4, 1, 'x' }, 3, PYRO_ERR_TYPE },
        { 's', { 0xA1, 0 }, 2, PYRO_ERR_TYPE },
        { 's',
          { 0xA8, 'e', 'i', 'g', 'h', 't', 'c', 'h', 'r' },
          9,
          PYRO_ERR_NOSPACE },
        { 'y', { 0xA1, 'x' }, 2, PYRO_ERR_TYPE },
        { 'y', { 0x90 }, 1, PYRO_ERR_TYPE },
        { 'r',
          { 0xA8, 'e', 'i', 'g', 'h', 't', 'c', 'h', 'r' },
          9,
          PYRO_ERR_NOSPACE }
    };

    rig_init(1);
    pair(4, 4);
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        char row[24];

        snprintf(row, sizeof row, "row %u, slot %c", i, rows[i].type);
        test_result(row, rows[i].type, pyro_raw(rows[i].bytes, rows[i].n),
                    rows[i].want);
    }
    test_result("9 bytes", 'y', pyro_bin("123456789", 9), PYRO_ERR_NOSPACE);
    works("afterwards", &P);
    test_eq("links", rig.net.calls.connect, 1);
    rig_end();
}

TEST(attributes_are_got_set_and_asked_for)
{
    char    label[12] = "";
    int32_t count = -1;
    bool    has = false;

    rig_init(1);
    pair(4, 4);
    thing(1)->count = 17;
    test_eq("get", pyro_getattr(&P, "count", pyro_to_i32(&count)), PYRO_OK);
    test_eq("got", count, 17);
    test_eq("set", pyro_setattr(&P, "count", pyro_int(-5)), PYRO_OK);
    test_eq("there", thing(1)->count, -5);
    test_eq("get", pyro_getattr(&P, "label", pyro_to_str(label, 12)), PYRO_OK);
    assert_string_equal(label, "label");
    test_eq("set", pyro_setattr(&P, "label", pyro_str("other")),
            PYRO_ERR_REMOTE);
    assert_string_equal(thing(1)->label, "label");
    test_eq("set", pyro_setattr(&P, "count", pyro_str("x")), PYRO_ERR_REMOTE);
    test_eq("there", thing(1)->count, -5);
    test_eq("get", pyro_getattr(&P, "none", pyro_to_i32(&count)),
            PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&P)->type, "AttributeError");
    test_eq("has", pyro_hasattr(&P, "count", &has), PYRO_OK);
    assert_true(has);
    test_eq("has", pyro_hasattr(&P, "none", &has), PYRO_OK);
    assert_false(has);
    rig_end();
}

TEST(oneway_calls_arrive_in_order_and_wait_for_nothing)
{
    rig_init(1);
    pair(4, 4);
    for (int i = 1; i <= 20; i++)
        test_eq("oneway", pyro_oneway(&P, "note", PYRO_ARGS(pyro_int(i))),
                PYRO_OK);
    assert_true(pyro_sent(&P));
    works("a call behind them", &P);
    test_eq("arrived", thing(1)->notes, 20);
    test_eq("last", thing(1)->last_note, 20);
    test_eq("lost", node(1)->stats.lost_oneway, 0);
    rig_end();
}

TEST(what_a_oneway_call_raises_is_counted)
{
    rig_init(1);
    pair(4, 4);
    test_eq("oneway",
            pyro_oneway(&P, "raise", PYRO_ARGS(pyro_str("E"), pyro_str("m"))),
            PYRO_OK);
    test_eq("oneway", pyro_oneway(&P, "none", PYRO_NO_ARGS), PYRO_OK);
    rig_settle();
    test_eq("lost", node(1)->stats.lost_oneway, 2);
    works("afterwards", &P);
    rig_end();
}

TEST(encoded_arguments_are_put_as_they_are)
{
    static uint8_t bytes[NODE_BYTES];
    pyro_request   rq;
    int32_t        sum = 0;

    rig_init(1);
    pair(4, 4);
    assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
    pyro_put_encoded(&rq, "\x02\xCD\x03\xE8", 4, 2);
    test_eq("send", pyro_send(&rq, pyro_to_i32(&sum), NULL, NULL), PYRO_OK);
    test_eq("wait", pyro_wait(&rq), PYRO_OK);
    test_eq("sum", sum, 1002);
    assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
    pyro_put_list(&rq.args, 2);
    pyro_put_encoded(&rq, "\x01\x02", 2, 2);
    test_eq("not inside of a list", rq.args.err, PYRO_ERR_STATE);
    pyro_put_encoded(&rq, bytes, sizeof bytes, 1);
    test_eq("the first error stays", rq.args.err, PYRO_ERR_STATE);
    assert_true(pyro_cancel(&rq));
    assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
    pyro_put_encoded(&rq, bytes, 16, PYRO_MAX_ARGS + 1);
    test_eq("too many", rq.args.err, PYRO_ERR_STATE);
    assert_true(pyro_cancel(&rq));
    assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
    pyro_put_encoded(&rq, bytes, sizeof bytes, 1);
    test_eq("too long", rq.args.err, PYRO_ERR_NOSPACE);
    assert_true(pyro_cancel(&rq));
    works("afterwards", &P);
    rig_end();
}

#ifndef PYROI_SMALL
/* Puts notes 1, 2, 3... into one request until it says that there is no room.
 * Gives how many. */
static int put_notes(pyro_request *rq, size_t n)
{
    int i = 1;

    assert_int_equal(pyro_begin(rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq->args, i);
    while (pyro_again(rq, n))
        pyro_put_int(&rq->args, ++i);
    return i;
}

TEST(oneway_calls_of_one_request_fill_its_buffer)
{
    /* header, 94, "thing", "note", list, number, kwargs */
    enum { NOTE = 8 + 1 + 6 + 5 + 1 + 1 + 1 };

    for (unsigned sums = 0; sums < 2; sums++) {
        int          each = NOTE + (sums ? 4 : 0);
        pyro_request rq;
        int          n;

        rig_init(1);
        rig.n[0].config.checksum = (uint8_t)sums;
        pair(4, 4);
        works("link", &P);
        n = put_notes(&rq, 1);
        /* 2 bytes for a longer header, 4 kept back for a checksum */
        test_eq("as many as fit", n, (NODE_BYTES - 2 - (sums ? 0 : 4)) / each);
        test_eq("send", pyro_send_oneway(&rq), PYRO_OK);
        rig_settle();
        test_eq("arrived", thing(1)->notes, n);
        test_eq("last", thing(1)->last_note, n);
        test_eq("lost", node(1)->stats.lost_oneway, 0);
        test_eq("bad", node(1)->stats.bad, 0);
        works("afterwards", &P);
        rig_end();
    }
}

TEST(a_oneway_call_that_cannot_follow_another_says_so_and_changes_nothing)
{
    pyro_request rq;

    rig_init(1);
    pair(4, 4);
    memset(&rq, 0, sizeof rq);
    assert_false(pyro_again(&rq, 1)); /* not begun */
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_false(pyro_again(&rq, 1)); /* before the greeting */
    test_eq("send", pyro_send_oneway(&rq), PYRO_OK);
    works("link", &P);
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_list(&rq.args, 1);
    assert_false(pyro_again(&rq, 1)); /* an element is owed */
    assert_true(pyro_cancel(&rq));
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 2);
    assert_false(pyro_again(&rq, NODE_BYTES));
    assert_false(pyro_again(&rq, SIZE_MAX));
    assert_true(pyro_again(&rq, 2));
    pyro_put_int(&rq.args, 3);
    pyro_put_kwargs(&rq, 0);
    assert_false(pyro_again(&rq, 1)); /* keywords come last */
    test_eq("send", pyro_send_oneway(&rq), PYRO_OK);
    assert_false(pyro_again(&rq, 1)); /* sent */
    rig_settle();
    test_eq("arrived", thing(1)->notes, 3);
    test_eq("last", thing(1)->last_note, 3);
    works("afterwards", &P);
    rig_end();
}

/* The server has smaller buffers and says so when it greets. */
TEST(no_oneway_call_that_the_peer_cannot_take_follows_another)
{
    pyro_room    room = PYRO_ROOM_OF(rig.n[1].room);
    pyro_request rq;
    size_t       most = 128 - PYRO_FRAME_EXTRA - 14; /* see NOTE above */

    rig_init(1);
    node_open_bare(0, 4, 0);
    room.n_buffers = 4;
    room.buffer_bytes = 128;
    assert_int_equal(pyro_open(node(1), room, &rig.n[1].config), PYRO_OK);
    rig.n[1].open = true;
    pyro_listen(node(1), &rig.n[1].port, "*:7701");
    pyro_export(node(1), &thing_class, thing(1), "thing");
    node_run(1);
    node_proxy(0, &P, 1);
    works("link", &P);
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_false(pyro_again(&rq, most + 1));
    assert_true(pyro_again(&rq, most));
    pyro_put_int(&rq.args, 2);
    test_eq("send", pyro_send_oneway(&rq), PYRO_OK);
    rig_settle();
    test_eq("arrived", thing(1)->notes, 2);
    assert_int_equal(pyro_begin(&rq, &P, "echo"), PYRO_OK);
    pyro_put_bin(&rq.args, rig.n[0].room.buffers, 130);
    assert_false(pyro_again(&rq, 1)); /* this one it cannot take itself */
    test_eq("send", pyro_send_oneway(&rq), PYRO_ERR_NOSPACE);
    works("afterwards", &P);
    rig_end();
}

TEST(oneway_calls_of_one_request_go_all_or_none)
{
    pyro_request rq;

    rig_init(1);
    pair(4, 4);
    works("link", &P);
    assert_true(put_notes(&rq, 1) > 1);
    assert_true(pyro_cancel(&rq));
    node_all_back(0);
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_true(pyro_again(&rq, 1));
    pyro_put_int(&rq.args, 1000); /* more than one byte */
    test_eq("send", pyro_send_oneway(&rq), PYRO_ERR_NOSPACE);
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_true(pyro_again(&rq, 1));
    pyro_put_int(&rq.args, 2);
    test_eq("nobody answers several",
            pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_ERR_STATE);
    node_all_back(0);
    rig_settle();
    test_eq("arrived", thing(1)->notes, 0);
    works("afterwards", &P);
    rig_end();
}

#else
TEST(in_a_small_program_each_oneway_call_is_a_request_of_its_own)
{
    pyro_request rq;

    rig_init(1);
    pair(4, 4);
    works("link", &P);
    assert_int_equal(pyro_begin(&rq, &P, "note"), PYRO_OK);
    pyro_put_int(&rq.args, 1);
    assert_false(pyro_again(&rq, 1));
    test_eq("send", pyro_send_oneway(&rq), PYRO_OK);
    rig_settle();
    test_eq("arrived", thing(1)->notes, 1);
    rig_end();
}
#endif

/* It may not vanish without a trace. */
TEST(a_oneway_call_of_a_proxy_that_closes_leaves_or_is_counted)
{
    for (unsigned how = 0; how < 3; how++) {
        rig_init(1);
        rig.net.connect_ms = how == 2 ? 50 : 0;
        pair(4, 4);
        test_eq("oneway", pyro_oneway(&P, "note", PYRO_ARGS(pyro_int(1))),
                PYRO_OK);
        if (how == 0)
            pyro_release(&P);
        else
            pyro_proxy_close(&P);
        rig_pass(100);
        rig_settle();
        test_eq(how == 0 ? "released" : "closed",
                thing(1)->notes + node(0)->stats.lost_oneway, 1);
        rig_end();
    }
}

TEST(oneway_calls_on_a_lost_link_are_counted)
{
    rig_init(1);
    rig.net.capacity = 64;
    pair(6, 4);
    works("link", &P);
    for (int i = 0; i < 6; i++)
        pyro_oneway(&P, "note", PYRO_ARGS(pyro_int(i)));
    pyro_link_close(node(0), P.link_);
    rig_settle();
    assert_in_range(thing(1)->notes, 0, 5);
    assert_in_range(node(0)->stats.lost_oneway, 6 - thing(1)->notes - 1,
                    6 - thing(1)->notes);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------ */

TEST(arguments_that_do_not_fit_are_an_error_that_says_so)
{
    static const uint8_t bytes[NODE_BYTES];
    uint32_t             n;

    rig_init(1);
    pair(4, 4);
    works("link", &P);
    thing(1)->ran = 0;
    /* "thing", "echo", list, header of the bytes, kwargs: 16 bytes of body */
    for (n = 200; n <= NODE_BYTES; n++) {
        bool     fits = n + 16 <= NODE_BYTES - PYRO_FRAME_EXTRA;
        pyro_err err = pyro_invoke(&P, "echo", PYRO_ARGS(pyro_bin(bytes, n)),
                                   pyro_to_none());

        test_eq("fits", err, fits ? PYRO_OK : PYRO_ERR_NOSPACE);
        if (fits)
            continue;
        has_text(node(0)->why.text, "do not fit");
        test_eq("body", node(0)->why.is, NODE_BYTES - PYRO_FRAME_EXTRA);
        test_eq("buffer", node(0)->why.limit, NODE_BYTES);
        assert_false(pyro_sent(&P));
        node_all_back(0);
    }
    test_eq("ran", thing(1)->ran, NODE_BYTES - PYRO_FRAME_EXTRA - 16 - 199);
    works("afterwards", &P);
    rig_end();
}

/* The server has smaller buffers and says so when it greets. */
TEST(a_message_too_long_for_the_peer_fails_here_naming_both_sizes)
{
    static const uint8_t bytes[150];

    for (unsigned greeted = 0; greeted < 2; greeted++) {
        pyro_room room = PYRO_ROOM_OF(rig.n[1].room);

        rig_init(1);
        node_open_bare(0, 4, 0);
        room.n_buffers = 4;
        room.buffer_bytes = 128;
        assert_int_equal(pyro_open(node(1), room, &rig.n[1].config), PYRO_OK);
        rig.n[1].open = true;
        pyro_listen(node(1), &rig.n[1].port, "*:7701");
        pyro_export(node(1), &thing_class, thing(1), "thing");
        node_run(1);
        node_proxy(0, &P, 1);
        if (greeted)
            works("link", &P);
        thing(1)->ran = 0;
        test_eq(greeted ? "greeted" : "before the greeting",
                pyro_invoke(&P, "echo", PYRO_ARGS(pyro_bin(bytes, 150)),
                            pyro_to_none()),
                PYRO_ERR_NOSPACE);
        has_text(node(0)->why.text, "too long for the peer");
        test_eq("is", node(0)->why.is, 150 + 16);
        test_eq("limit", node(0)->why.limit, 128 - PYRO_FRAME_EXTRA);
        assert_false(pyro_sent(&P));
        test_eq("ran", thing(1)->ran, 0);
        works("afterwards", &P);
        test_eq("links", rig.net.calls.connect, 1);
        rig_end();
    }
}

TEST(a_oneway_message_too_long_for_the_peer_is_counted)
{
    static const uint8_t bytes[150];
    pyro_room            room = PYRO_ROOM_OF(rig.n[1].room);

    rig_init(1);
    node_open_bare(0, 4, 0);
    room.n_buffers = 4;
    room.buffer_bytes = 128;
    assert_int_equal(pyro_open(node(1), room, &rig.n[1].config), PYRO_OK);
    rig.n[1].open = true;
    pyro_listen(node(1), &rig.n[1].port, "*:7701");
    pyro_export(node(1), &thing_class, thing(1), "thing");
    node_run(1);
    node_proxy(0, &P, 1);
    test_eq("before the greeting",
            pyro_oneway(&P, "echo", PYRO_ARGS(pyro_bin(bytes, 150))), PYRO_OK);
    rig_settle();
    test_eq("lost", node(0)->stats.lost_oneway, 1);
    test_eq("greeted",
            pyro_oneway(&P, "echo", PYRO_ARGS(pyro_bin(bytes, 150))),
            PYRO_ERR_NOSPACE);
    works("afterwards", &P);
    rig_end();
}

TEST(as_many_arguments_as_promised_and_one_more)
{
    pyro_value many[PYRO_MAX_ARGS + 1];
    pyro_args  args;

    rig_init(1);
    pair(4, 4);
    for (unsigned i = 0; i <= PYRO_MAX_ARGS; i++)
        many[i] = pyro_int(1);
    args.values = many;
    args.count = PYRO_MAX_ARGS;
    test_eq("all", pyro_invoke(&P, "add", args, pyro_to_none()),
            PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&P)->type, "TypeError");
    args.count++;
    test_eq("one more", pyro_invoke(&P, "add", args, pyro_to_none()),
            PYRO_ERR_STATE);
    assert_false(pyro_sent(&P));
    test_eq("one more", pyro_oneway(&P, "add", args), PYRO_ERR_STATE);
    works("afterwards", &P);
    test_eq("ran", thing(1)->ran, 1);
    rig_end();
}

TEST(arguments_half_put_are_an_error_at_send)
{
    pyro_request rq;

    for (unsigned how = 0; how < 6; how++) {
        pyro_err want = how < 2 ? PYRO_ERR_DATA : PYRO_ERR_STATE;

        rig_init(1);
        pair(4, 4);
        assert_int_equal(pyro_begin(&rq, &P, "echo"), PYRO_OK);
        if (how == 0 || how == 4)
            pyro_put_list(&rq.args, 3);
        if (how == 1)
            pyro_put_map(&rq.args, 1);
        if (how < 2)
            pyro_put_int(&rq.args, 1);
        if (how >= 2)
            pyro_put_kwargs(&rq, 1);
        if (how == 2)
            pyro_put_str(&rq.args, "v"); /* and no value */
        for (unsigned i = 0; how == 3 && i < 3; i++)
            pyro_put_str(&rq.args, "v"); /* one too many */
        if (how == 5)
            pyro_put_kwargs(&rq, 1);
        if (how == 2)
            want = PYRO_ERR_DATA;
        test_eq("send", pyro_send(&rq, pyro_to_none(), saw, NULL), want);
        assert_true(pyro_done(&rq));
        test_eq("result", pyro_result(&rq), want);
        assert_false(pyro_request_sent(&rq));
        node_all_back(0);
        test_eq("twice", pyro_send(&rq, pyro_to_none(), saw, NULL),
                PYRO_ERR_STATE);
        test_eq("twice", pyro_send_oneway(&rq), PYRO_ERR_STATE);
        works("afterwards", &P);
        test_eq("ran", thing(1)->ran, 1);
        rig_end();
    }
}

static pyro_err add_by_name(const char *first, const char *second,
                            int32_t *sum)
{
    pyro_request rq;
    pyro_err     err = pyro_begin(&rq, &P, "add");

    if (err != PYRO_OK)
        return err;
    if (first == NULL)
        pyro_put_int(&rq.args, 10);
    pyro_put_kwargs(&rq, first == NULL ? 1 : 2);
    if (first != NULL) {
        pyro_put_str(&rq.args, first);
        pyro_put_int(&rq.args, 10);
    }
    pyro_put_str(&rq.args, second);
    pyro_put_int(&rq.args, 32);
    err = pyro_send(&rq, pyro_to_i32(sum), NULL, NULL);
    return err != PYRO_OK ? err : pyro_wait(&rq);
}

TEST(arguments_can_be_given_by_name)
{
    int32_t sum = 0;

    rig_init(1);
    pair(4, 4);
    test_eq("in order", add_by_name("a", "b", &sum), PYRO_OK);
    test_eq("sum", sum, 42);
    sum = 0;
    test_eq("turned round", add_by_name("b", "a", &sum), PYRO_OK);
    test_eq("sum", sum, 42);
    sum = 0;
    test_eq("one of them", add_by_name(NULL, "b", &sum), PYRO_OK);
    test_eq("sum", sum, 42);
    sum = 0;
    test_eq("given twice", add_by_name(NULL, "a", &sum), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&P)->type, "TypeError");
    test_eq("unknown", add_by_name("a", "c", &sum), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&P)->type, "TypeError");
    test_eq("ran", thing(1)->ran, 3);
    test_eq("sum", sum, 0);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Pools
 * ------------------------------------------------------------------------ */

TEST(the_smallest_pools_are_legal_and_one_less_is_refused)
{
    pyro_daemon *d = node(0);

    rig_init(1);
    pair(1, 2);
    for (int i = 0; i < 5; i++)
        works("client with 1, server with 2", &P);
    rig_end();

    rig_init(1);
    node_open_bare(0, 1, 0);
    test_eq("server with 1", pyro_export(d, &thing_class, thing(0), "thing"),
            PYRO_ERR_NOSPACE);
    has_text(d->why.text, "buffers");
    test_eq("is", d->why.is, 1);
    test_eq("limit", d->why.limit, 2);
    rig_end();

    rig_init(1);
    node_open_bare(0, 2, 0);
    assert_int_equal(pyro_export(d, &thing_class, thing(0), "thing"), PYRO_OK);
    test_eq("both with 2, proxy last", pyro_proxy_open(&P, d, rig.n[1].uri),
            PYRO_ERR_NOSPACE);
    has_text(d->why.text, "buffers");
    test_eq("is", d->why.is, 2);
    test_eq("limit", d->why.limit, 3);
    rig_end();

    rig_init(1);
    node_open_bare(0, 2, 0);
    assert_int_equal(pyro_proxy_open(&P, d, rig.n[1].uri), PYRO_OK);
    test_eq("both with 2, export last",
            pyro_export(d, &thing_class, thing(0), "thing"), PYRO_ERR_NOSPACE);
    test_eq("is", d->why.is, 2);
    test_eq("limit", d->why.limit, 3);
    rig_end();
}

TEST(no_buffers_or_too_small_ones_are_refused)
{
    pyro_room room = PYRO_ROOM_OF(rig.n[0].room);

    rig_init(1);
    room.n_buffers = 0;
    test_eq("none", pyro_open(node(0), room, NULL), PYRO_ERR_NOSPACE);
    room = PYRO_ROOM_OF(rig.n[0].room);
    room.buffer_bytes = 63;
    test_eq("63 bytes", pyro_open(node(0), room, NULL), PYRO_ERR_NOSPACE);
    test_eq("is", node(0)->why.is, 63);
    test_eq("limit", node(0)->why.limit, 64);
    room.buffer_bytes = 64;
    test_eq("64 bytes", pyro_open(node(0), room, NULL), PYRO_OK);
    room.layout++;
    test_eq("other macros", pyro_open(node(0), room, NULL), PYRO_ERR_STATE);
}

TEST(both_roles_work_with_three_buffers)
{
    int32_t value = 0;

    rig_init(1);
    node_open(0, 3);
    node_open(1, 3);
    node_run(1);
    node_proxy(0, &P, 1);
    for (int i = 0; i < 5; i++) {
        works("call", &P);
        test_eq("called back",
                pyro_invoke(&P, "back", PYRO_ARGS(pyro_here("thing")),
                            pyro_to_i32(&value)),
                PYRO_OK);
        test_eq("value", value, 42);
    }
    rig_end();
}

TEST(without_a_buffer_begin_says_so_and_can_be_tried_again)
{
    pyro_request rq[3];

    for (unsigned buffers = 1; buffers <= 2; buffers++) {
        rig_init(1);
        rig.net.connect_ms = 20;
        pair(buffers, 4);
        begin_add(&rq[0], &P, 1, 2, &slot, NULL);
        test_eq("second", pyro_begin(&rq[1], &P, "add"), PYRO_ERR_NOSPACE);
        has_text(node(0)->why.text, "buffer");
        assert_false(pyro_sent(&P));
        assert_true(pyro_done(&rq[1]) || rq[1].state_ == 0);
        test_eq("first", pyro_wait(&rq[0]), PYRO_OK);
        test_eq("now", pyro_begin(&rq[1], &P, "add"), PYRO_OK);
        assert_true(pyro_cancel(&rq[1]));
        rig_end();
    }
}

TEST(a_blocking_call_waits_for_a_buffer_until_its_deadline)
{
    pyro_request rq;
    int32_t      sum = 0;
    uint32_t     start;

    rig_init(1);
    rig.net.connect_ms = 100;
    pair(2, 4);
    start = rig.net.clock_ms;
    begin_add(&rq, &P, 1, 2, &slot, NULL);
    P.timeout_ms = 50;
    test_eq("too late", add(&P, 3, 4, &sum), PYRO_ERR_NOSPACE);
    test_eq("took", rig.net.clock_ms - start, 50);
    assert_false(pyro_sent(&P));
    P.timeout_ms = 1000;
    test_eq("in time", add(&P, 3, 4, &sum), PYRO_OK);
    test_eq("sum", sum, 7);
    assert_in_range(rig.net.clock_ms - start, 100, 110);
    test_eq("the other", pyro_wait(&rq), PYRO_OK);
    test_eq("ran", thing(1)->ran, 2);
    rig_end();
}

/* ------------------------------------------------------------------------
 * A peer played by the test
 * ------------------------------------------------------------------------ */

/* Node 0 has sent "add" to the peer, which has it. */
static void peer_begin(pyro_request *rq, int32_t *to)
{
    memset(&seen, 0, sizeof seen);
    rig_init(1);
    node_open_bare(0, 4, 0);
    peer_listen();
    node_proxy(0, &P, 3);
    begin_add(rq, &P, 2, 3, to, saw);
    peer_greet();
}

static void peer_end(void)
{
    peer_close();
    rig_end();
}

TEST(the_fixed_busy_body_is_the_error_busy_and_no_exception)
{
    static const uint8_t other[] = "\x83\xA9__class__\xA9"
                                   "BusyError\xAD__exception__\xC3\xA4"
                                   "args\x91\xA4"
                                   "Busy";
    pyro_request         rq;

    peer_begin(&rq, &slot);
    peer_send(PYROI_RESULT, PYROI_EXCEPTION, peer.seq, pyroi_busy_body,
              PYROI_BUSY_BYTES);
    rig_settle();
    test_eq("fixed", seen.err, PYRO_ERR_BUSY);
    assert_string_equal(pyro_exception(&P)->type, "");
    begin_add(&rq, &P, 2, 3, &slot, saw);
    peer_send(PYROI_RESULT, PYROI_EXCEPTION, peer.seq + 1, other,
              sizeof other - 1);
    rig_settle();
    test_eq("another", seen.err, PYRO_ERR_REMOTE);
    begin_add(&rq, &P, 2, 3, &slot, saw);
    peer_send(PYROI_RESULT, 0, peer.seq + 2, pyroi_busy_body,
              PYROI_BUSY_BYTES);
    rig_settle();
    test_eq("as a result", seen.err, PYRO_ERR_TYPE);
    peer_end();
}

TEST(a_result_that_is_not_one_value_is_an_error_of_its_call_alone)
{
    static const struct {
        const char *label;
        const char *hex;
    } rows[] = { { "nothing", "" },
                 { "two values", "01 02" },
                 { "half a list", "92 01" },
                 { "no value", "c1" },
                 { "bad text", "a1 ff" } };
    pyro_request rq;
    uint8_t      body[16];

    peer_begin(&rq, &slot);
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        uint32_t n = (uint32_t)test_hex(body, sizeof body, rows[i].hex);

        peer_send(PYROI_RESULT, 0, peer.seq + i, body, n);
        forbid();
        rig_settle();
        allow();
        test_eq(rows[i].label, seen.err, PYRO_ERR_DATA);
        begin_add(&rq, &P, 2, 3, &slot, saw);
    }
    peer_send(PYROI_RESULT, 0, peer.seq + 5, "\x05", 1);
    rig_settle();
    test_eq("good", seen.err, PYRO_OK);
    test_eq("value", slot, 5);
    peer_end();
}

TEST(a_reply_that_nobody_asked_for_is_counted_and_dropped)
{
    pyro_request rq;

    peer_begin(&rq, &slot);
    forbid();
    peer_send(PYROI_RESULT, 0, peer.seq + 1, "\x07", 1);
    peer_send(PYROI_RESULT, 0, 0, "\x07", 1);
    rig_settle();
    allow();
    test_eq("late", node(0)->stats.late, 2);
    test_eq("callbacks", seen.calls, 0);
    peer_send(PYROI_RESULT, 0, peer.seq, "\x09", 1);
    rig_settle();
    test_eq("value", slot, 9);
    peer_send(PYROI_RESULT, 0, peer.seq, "\x0A", 1); /* once more */
    rig_settle();
    test_eq("value", slot, 9);
    test_eq("callbacks", seen.calls, 1);
    test_eq("late", node(0)->stats.late, 3);
    peer_end();
}

TEST(a_result_too_long_for_the_pool_ends_its_call_and_names_both_sizes)
{
    uint8_t      body[NODE_BYTES];
    pyro_request rq;
    uint32_t     n = NODE_BYTES - PYRO_FRAME_EXTRA + 1;

    memset(body, 0, sizeof body);
    body[0] = 0xC4;
    body[1] = (uint8_t)(n - 2);
    peer_begin(&rq, &slot);
    forbid();
    peer_send(PYROI_RESULT, 0, peer.seq, body, n);
    rig_settle();
    allow();
    test_eq("error", seen.err, PYRO_ERR_NOSPACE);
    assert_true(pyro_request_sent(&rq));
    has_text(node(0)->why.text, "result too long");
    test_eq("is", node(0)->why.is, n);
    test_eq("limit", node(0)->why.limit, n - 1);
    begin_add(&rq, &P, 2, 3, &slot, saw);
    peer_send(PYROI_RESULT, 0, peer.seq + 1, "\x05", 1);
    rig_settle();
    test_eq("the next", seen.err, PYRO_OK);
    peer_end();
}

/* The peer answers a call with the call's own number. */
static void answer_number(uint32_t seq)
{
    uint8_t body[3] = { 0xCD, (uint8_t)(seq >> 8), (uint8_t)seq };

    peer_send(PYROI_RESULT, 0, seq, body, sizeof body);
}

/* Until the counter of the link has come round. The first call is given up and
 * never answered, of those behind it every third is given up and answered when
 * the next one waits. */
TEST(a_late_reply_never_reaches_another_call)
{
    pyro_request rq;
    unsigned     connects;
    uint32_t     late = 0;
    uint32_t     n = 0;

    peer_begin(&rq, &slot);
    assert_false(pyro_cancel(&rq));
    connects = rig.net.calls.connect;
    while (rig.net.calls.connect == connects && n < 70000) {
        assert_int_equal(pyro_begin(&rq, &P, "x"), PYRO_OK);
        if (rig.net.calls.connect != connects)
            break;
        assert_int_equal(pyro_send(&rq, pyro_to_i32(&slot), saw, NULL),
                         PYRO_OK);
        assert_true(rq.seq_ != peer.seq);
        peer.n =
            loop_take(&rig.net, peer.handle, peer.frame, sizeof peer.frame);
        if (late != 0)
            answer_number(late);
        late = ++n % 3 == 0 ? rq.seq_ : 0;
        if (late != 0) {
            assert_false(pyro_cancel(&rq));
            continue;
        }
        answer_number(rq.seq_);
        for (unsigned i = 0; i < 5 && !pyro_done(&rq); i++)
            pyro_poll(node(0), 0);
        assert_int_equal(pyro_result(&rq), PYRO_OK);
        test_eq("its own reply", slot, rq.seq_);
    }
    test_eq("calls until the counter came round", n, 65534);
    test_eq("late", node(0)->stats.late, n / 3);
    pyro_cancel(&rq);
    forbid();
    if (!loop_ended(&rig.net, peer.handle))
        peer_send(PYROI_RESULT, 0, peer.seq, "\x07", 1);
    rig_spin(5);
    allow();
    peer_end();
}

/* ------------------------------------------------------------------------
 * Refused, and names
 * ------------------------------------------------------------------------ */

TEST(a_refused_connection_is_denied_with_its_reason)
{
    int32_t occupant;
    int32_t sum;

    rig_init(1);
    node_open_bare(0, 4, 0);
    node_open_bare(1, 4, 1);
    pyro_listen(node(1), &rig.n[1].port, "*:7701");
    pyro_export(node(1), &thing_class, thing(1), "thing");
    node_run(1);
    node_proxy(0, &P, 1);
    occupant = rig.n[3].port.connect(&rig.n[3].port, "board:7701");
    rig_spin(3);
    test_eq("call", add(&P, 1, 2, &sum), PYRO_ERR_DENIED);
    has_text(node(0)->why.text, "busy");
    test_eq("reason", node(0)->why.is, PYRO_DENY_BUSY);
    assert_false(pyro_sent(&P));
    assert_true(node(1)->stats.denied > 0);
    loop_close(&rig.n[3].port, occupant);
    rig_settle();
    works("when the other has gone", &P);
    rig_end();
}

TEST(nobody_there_is_closed_and_not_sent)
{
    int32_t sum;

    for (unsigned late = 0; late < 2; late++) {
        rig_init(1);
        rig.net.refuse_late = late;
        node_open_bare(0, 4, 0);
        node_proxy(0, &P, 1);
        test_eq(late ? "late" : "at once", add(&P, 1, 2, &sum),
                PYRO_ERR_CLOSED);
        assert_false(pyro_sent(&P));
        test_eq("oneway", pyro_oneway(&P, "note", PYRO_ARGS(pyro_int(1))),
                late ? PYRO_OK : PYRO_ERR_CLOSED);
        rig_settle();
        rig_end();
    }
}

TEST(a_pyroloc_is_a_name_at_an_address)
{
    int32_t sum;

    rig_init(1);
    pair(4, 4);
    assert_int_equal(pyro_proxy_open(&Q, node(0),
                                     "PYROLOC://board:7701/thing"),
                     PYRO_OK);
    works("PYROLOC", &Q);
    pyro_proxy_close(&Q);
    assert_int_equal(pyro_proxy_open(&Q, node(0), "PYROLOC://board:7701/none"),
                     PYRO_OK);
    test_eq("no such name", add(&Q, 1, 2, &sum), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&Q)->type, "NamingError");
    test_eq("not a URI", pyro_proxy_open(&Q, node(0), "PYROLOC://:x/y"),
            PYRO_ERR_URI);
    assert_non_null(node(0)->why.text);
    rig_end();
}

/* What the resolver does, step by step; the last step stays. */
static struct {
    pyro_err    err[4];
    const char *uri;
    unsigned    steps;
    unsigned    calls;
    char        name[40];
} resolver;

static pyro_err resolve(void *user, pyro_daemon *d, const pyro_uri *name,
                        char *to, size_t size)
{
    unsigned i = resolver.calls++;

    assert_ptr_equal(user, &resolver);
    assert_ptr_equal(d, node(0));
    assert_int_equal(name->protocol, PYRO_URI_NAME);
    assert_true(size >= PYRO_URI_BYTES);
    snprintf(resolver.name, sizeof resolver.name, "%.*s", name->object_n,
             name->object);
    if (i >= resolver.steps)
        i = resolver.steps - 1;
    if (resolver.err[i] == PYRO_OK)
        strcpy(to, resolver.uri);
    return resolver.err[i];
}

static void resolver_set(const char *uri, pyro_err a, pyro_err b, pyro_err c)
{
    memset(&resolver, 0, sizeof resolver);
    resolver.err[0] = a;
    resolver.err[1] = b;
    resolver.err[2] = c;
    resolver.steps = 3;
    resolver.uri = uri;
}

static void names_begin(void)
{
    rig_init(1);
    pair(4, 4);
    pyro_resolver(node(0), resolve, &resolver);
    assert_int_equal(pyro_proxy_open(&Q, node(0), "PYRONAME://:lab.thing"),
                     PYRO_OK);
}

TEST(a_name_is_resolved_when_its_proxy_connects)
{
    names_begin();
    resolver_set(rig.n[1].uri, PYRO_OK, PYRO_OK, PYRO_OK);
    works("resolved", &Q);
    works("once", &Q);
    test_eq("asked", resolver.calls, 1);
    assert_string_equal(resolver.name, ":lab.thing");
    pyro_release(&Q);
    works("after a release", &Q);
    test_eq("asked", resolver.calls, 2);
    rig_end();
}

TEST(a_call_waits_while_its_name_is_being_resolved)
{
    pyro_request rq;

    names_begin();
    resolver_set(rig.n[1].uri, PYRO_ERR_BUSY, PYRO_ERR_BUSY, PYRO_OK);
    works("busy twice", &Q);
    test_eq("asked", resolver.calls, 3);
    pyro_release(&Q);
    resolver_set(rig.n[1].uri, PYRO_ERR_BUSY, PYRO_OK, PYRO_OK);
    test_eq("begin", pyro_begin(&rq, &Q, "add"), PYRO_ERR_BUSY);
    node_all_back(0);
    test_eq("begin", pyro_begin(&rq, &Q, "add"), PYRO_OK);
    pyro_cancel(&rq);
    rig_end();
}

TEST(a_call_does_not_wait_for_its_name_longer_than_its_deadline)
{
    int32_t  sum;
    uint32_t start;

    names_begin();
    resolver_set(NULL, PYRO_ERR_BUSY, PYRO_ERR_BUSY, PYRO_ERR_BUSY);
    Q.timeout_ms = 40;
    start = rig.net.clock_ms;
    test_eq("call", add(&Q, 1, 2, &sum), PYRO_ERR_BUSY);
    test_eq("took", rig.net.clock_ms - start, 40);
    assert_false(pyro_sent(&Q));
    rig_end();
}

TEST(what_a_resolver_reports_is_the_error_of_the_call)
{
    int32_t sum;

    names_begin();
    resolver_set(NULL, PYRO_ERR_NAMING, PYRO_ERR_NAMING, PYRO_ERR_NAMING);
    test_eq("no such name", add(&Q, 1, 2, &sum), PYRO_ERR_NAMING);
    assert_false(pyro_sent(&Q));
    resolver_set(NULL, PYRO_ERR_CLOSED, PYRO_ERR_CLOSED, PYRO_ERR_CLOSED);
    test_eq("no name server", add(&Q, 1, 2, &sum), PYRO_ERR_CLOSED);
    resolver_set("PYRONAME://other", PYRO_OK, PYRO_OK, PYRO_OK);
    test_eq("a name for a name", add(&Q, 1, 2, &sum), PYRO_ERR_NAMING);
    resolver_set("rubbish", PYRO_OK, PYRO_OK, PYRO_OK);
    test_eq("rubbish", add(&Q, 1, 2, &sum), PYRO_ERR_URI);
    resolver_set(rig.n[1].uri, PYRO_OK, PYRO_OK, PYRO_OK);
    works("and then the right one", &Q);
    rig_end();
}

TEST(a_name_without_a_resolver_is_a_naming_error)
{
    int32_t sum;

    rig_init(1);
    node_open_bare(0, 4, 0);
    assert_int_equal(pyro_proxy_open(&Q, node(0), "PYRONAME://x"), PYRO_OK);
    test_eq("call", add(&Q, 1, 2, &sum), PYRO_ERR_NAMING);
    has_text(node(0)->why.text, "resolve");
    resolver_set("PYRO://x:1/x", PYRO_OK, PYRO_OK, PYRO_OK);
    pyro_resolver(node(0), resolve, &resolver);
    test_eq("found", add(&Q, 1, 2, &sum), PYRO_ERR_CLOSED);
    pyro_resolver(node(0), NULL, NULL);
    test_eq("none again", add(&Q, 1, 2, &sum), PYRO_ERR_NAMING);
    test_eq("asked", resolver.calls, 1);
    rig_end();
}

TEST(a_name_that_moved_is_found_at_its_new_address)
{
    names_begin();
    node_open(2, 4);
    node_run(2);
    resolver_set(rig.n[1].uri, PYRO_OK, PYRO_OK, PYRO_OK);
    works("at B", &Q);
    node_close(1);
    rig_settle();
    resolver_set(rig.n[2].uri, PYRO_OK, PYRO_OK, PYRO_OK);
    works("at C", &Q);
    test_eq("ran at B", thing(1)->ran, 1);
    test_eq("ran at C", thing(2)->ran, 1);
    rig_end();
}

/* A PYRONAME may stand for an object of another name. */
TEST(a_name_may_stand_for_an_object_of_another_name)
{
    names_begin();
    resolver_set("PYRO://board:7701/thing", PYRO_OK, PYRO_OK, PYRO_OK);
    works("by name", &Q);
    assert_string_equal(Q.object_, "thing");
    rig_end();
}

/* ------------------------------------------------------------------------
 * "This connection"
 * ------------------------------------------------------------------------ */

static void returns_itself(struct thing *t, pyro_call *call)
{
    (void)t;
    pyro_put_here(&call->result, "thing");
}

/* Keeps what a result says of an object at the other end. */
static void keep_uri(void *user, pyro_request *rq, pyro_err err,
                     pyro_reader *result)
{
    pyro_uri uri;

    (void)user;
    (void)rq;
    assert_int_equal(err, PYRO_OK);
    pyro_get_uri(result, &uri);
    assert_int_equal(result->err, PYRO_OK);
    assert_int_equal(uri.host_n, 0);
    assert_int_equal(pyro_proxy_at(&Q, node(0), P.link_, uri.object,
                                   uri.object_n),
                     PYRO_OK);
}

static void get_object_of_b(void)
{
    pyro_request rq;

    thing(1)->fn = returns_itself;
    assert_int_equal(pyro_begin(&rq, &P, "run"), PYRO_OK);
    assert_int_equal(pyro_send(&rq, pyro_to_none(), keep_uri, NULL), PYRO_OK);
    assert_int_equal(pyro_wait(&rq), PYRO_OK);
}

TEST(an_object_of_this_connection_can_be_a_result)
{
    int32_t sum;

    rig_init(1);
    pair(4, 4);
    get_object_of_b();
    works("what was returned", &Q);
    test_eq("links", rig.net.calls.connect, 1);
    pyro_proxy_close(&P);
    works("after the first proxy has gone", &Q);
    pyro_link_close(node(0), Q.link_);
    test_eq("dead with its link", add(&Q, 1, 2, &sum), PYRO_ERR_CLOSED);
    has_text(node(0)->why.text, "link");
    assert_false(pyro_sent(&Q));
    rig_end();
}

static pyro_err passed_on;

static void pass_on(struct thing *t, pyro_call *call)
{
    pyro_request rq;
    pyro_uri     uri;

    pyro_get_uri(&call->args, &uri);
    passed_on = pyro_begin(&rq, t->next, "run");
    if (passed_on != PYRO_OK)
        return;
    pyro_put_uri(&rq.args, &uri);
    passed_on = pyro_send(&rq, pyro_to_none(), NULL, NULL);
    pyro_put_uri(&call->result, &uri);
}

TEST(an_object_of_this_connection_cannot_be_passed_on)
{
    pyro_proxy to_c;

    rig_init(1);
    node_open(0, 4);
    node_open(1, 5);
    node_open(2, 4);
    node_run(1);
    node_run(2);
    node_proxy(0, &P, 1);
    node_proxy(1, &to_c, 2);
    thing(1)->next = &to_c;
    thing(1)->fn = pass_on;
    passed_on = PYRO_OK;
    test_eq("call",
            pyro_invoke(&P, "run", PYRO_ARGS(pyro_here("thing")),
                        pyro_to_none()),
            PYRO_ERR_REMOTE);
    test_eq("passed on", passed_on, PYRO_ERR_STATE);
    test_eq("ran in C", thing(2)->ran, 0);
    rig_end();
}

static pyro_err from_a_uri;

static void takes_uri(struct thing *t, pyro_call *call)
{
    pyro_uri   uri;
    pyro_proxy proxy;

    (void)t;
    pyro_get_uri(&call->args, &uri);
    from_a_uri = pyro_proxy_from(&proxy, call, &uri);
    if (from_a_uri == PYRO_OK)
        pyro_proxy_close(&proxy);
}

TEST(a_uri_with_an_address_has_to_be_copied_to_be_used)
{
    pyro_request rq;
    pyro_uri     uri;

    rig_init(1);
    pair(4, 4);
    thing(1)->fn = takes_uri;
    from_a_uri = PYRO_OK;
    pyro_uri_parse(&uri, rig.n[1].uri, strlen(rig.n[1].uri), NULL);
    assert_int_equal(pyro_begin(&rq, &P, "run"), PYRO_OK);
    pyro_put_uri(&rq.args, &uri);
    pyro_send(&rq, pyro_to_none(), NULL, NULL);
    test_eq("call", pyro_wait(&rq), PYRO_OK);
    test_eq("proxy", from_a_uri, PYRO_ERR_STATE);
    has_text(node(1)->why.text, "copy the URI");
    rig_end();
}

TEST(a_proxy_at_a_link_wants_a_link_and_a_name)
{
    char name[PYRO_MAX_NAME + 1];

    rig_init(1);
    pair(4, 4);
    memset(name, 'x', sizeof name);
    test_eq("no link", pyro_proxy_at(&Q, node(0), 0, "x", 1), PYRO_ERR_CLOSED);
    works("link", &P);
    test_eq("no name", pyro_proxy_at(&Q, node(0), P.link_, "", 0),
            PYRO_ERR_URI);
    test_eq("long name",
            pyro_proxy_at(&Q, node(0), P.link_, name, sizeof name),
            PYRO_ERR_URI);
    test_eq("is", node(0)->why.is, PYRO_MAX_NAME + 1);
    test_eq("limit", node(0)->why.limit, PYRO_MAX_NAME);
    test_eq("longest name",
            pyro_proxy_at(&Q, node(0), P.link_, name, PYRO_MAX_NAME), PYRO_OK);
    pyro_proxy_close(&Q);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Sent or not
 * ------------------------------------------------------------------------ */

TEST(a_call_that_was_cut_says_whether_it_had_left)
{
    static const uint8_t bytes[60];
    pyro_request         rq[3];

    rig_init(1);
    rig.net.capacity = 120;
    pair(4, 3);
    works("link", &P);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pyro_begin(&rq[i], &P, "echo"), PYRO_OK);
        pyro_put_bin(&rq[i].args, bytes, sizeof bytes);
        pyro_send(&rq[i], pyro_to_none(), NULL, NULL);
    }
    pyro_link_close(node(0), P.link_);
    rig_settle();
    for (unsigned i = 0; i < 3; i++) {
        assert_true(pyro_done(&rq[i]));
        test_eq("error", pyro_result(&rq[i]), PYRO_ERR_CLOSED);
        test_eq("sent", pyro_request_sent(&rq[i]), i < 2);
    }
    rig_end();
}

/* Asked while it is under way, too: false is a promise. */
TEST(a_request_says_that_it_has_left_before_it_is_done)
{
    pyro_request rq;

    rig_init(1);
    pair(4, 4);
    begin_later(&rq, &P, 1, &slot, NULL);
    rig_settle();
    test_eq("at the server", thing(1)->ran, 1);
    assert_false(pyro_done(&rq));
    assert_true(pyro_request_sent(&rq));
    assert_false(pyro_cancel(&rq));
    rig_end();
}

TEST(an_exception_was_sent)
{
    rig_init(1);
    pair(4, 4);
    test_eq("raise",
            pyro_invoke(&P, "raise", PYRO_ARGS(pyro_str("E"), pyro_str("m")),
                        pyro_to_i32(&slot)),
            PYRO_ERR_REMOTE);
    assert_true(pyro_sent(&P));
    test_eq("no such method",
            pyro_invoke(&P, "none", PYRO_NO_ARGS, pyro_to_none()),
            PYRO_ERR_REMOTE);
    assert_true(pyro_sent(&P));
    works("afterwards", &P);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Several daemons
 * ------------------------------------------------------------------------ */

static int32_t    client_sum;
static pyro_proxy client_proxies[2];

static void client_job(struct node *n)
{
    for (int i = 0; i < 50; i++) {
        int32_t sum = 0;

        assert_ptr_equal(client_proxies[i % 2].node_, &n->d);
        if (add(&client_proxies[i % 2], i, client_sum, &sum) == PYRO_OK)
            client_sum = sum;
    }
}

TEST(two_servers_and_two_clients_live_in_one_process)
{
    int32_t sum = 0;
    int32_t mine = 0;

    rig_init(1);
    pair(4, 4);
    node_open_bare(2, 2, 0);
    node_open(3, 3);
    node_run(2);
    node_run(3);
    node_proxy(0, &Q, 3);
    node_proxy(2, &client_proxies[0], 1);
    node_proxy(2, &client_proxies[1], 3);
    client_sum = 0;
    rig.n[2].job = client_job;
    for (int i = 0; i < 50; i++) {
        test_eq("call", add(i % 2 ? &Q : &P, i, mine, &sum), PYRO_OK);
        mine = sum;
    }
    for (unsigned i = 0; i < 2000 && rig.n[2].d.waits_ != NULL; i++)
        rig_spin(1);
    test_eq("mine", mine, 49 * 50 / 2);
    test_eq("the other's", client_sum, 49 * 50 / 2);
    test_eq("ran", thing(1)->ran, 50);
    test_eq("ran", thing(3)->ran, 50);
    rig_end();
}

/* A clock near its end, and short counts everywhere. */
TEST(calls_work_across_the_end_of_the_clock_on_a_bad_line)
{
    rig_init(7);
    rig.net.clock_ms = 0xFFFFFF00;
    rig.net.chunk = 5;
    rig.net.shorten = true;
    rig.net.block_percent = 30;
    rig.net.capacity = 20;
    rig.step = 7;
    pair(2, 2);
    for (int i = 0; i < 100; i++)
        works("call", &P);
    P.timeout_ms = 100;
    test_eq("timeout",
            pyro_invoke(&P, "later", PYRO_ARGS(pyro_int(1)), pyro_to_none()),
            PYRO_ERR_TIMEOUT);
    assert_in_range(rig.net.clock_ms, 0, 0x7FFFFFFF);
    rig_end();
}

TEST(a_blocking_call_ends_when_the_clock_stands_still)
{
    rig_init(1);
    pair(4, 4);
    works("link", &P);
    rig.frozen = true;
    test_eq("call",
            pyro_invoke(&P, "later", PYRO_ARGS(pyro_int(1)), pyro_to_none()),
            PYRO_ERR_STATE);
    has_text(node(0)->why.text, "clock");
    rig.frozen = false;
    works("when it goes on", &P);
    rig_end();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(
        proxies_to_one_address_share_a_link_until_the_last_is_released),
    cmocka_unit_test(closing_the_last_proxy_closes_the_link),
    cmocka_unit_test(a_released_proxy_connects_anew_on_its_next_use),
    cmocka_unit_test(a_daemon_has_at_most_65535_proxies),
    cmocka_unit_test(proxies_to_other_addresses_have_links_of_their_own),
    cmocka_unit_test(after_a_lost_link_the_next_call_makes_another),
    cmocka_unit_test(requests_in_flight_go_on_when_their_proxy_is_released),
    cmocka_unit_test(requests_of_a_closed_proxy_end_without_callback),
    cmocka_unit_test(a_full_link_table_is_an_error_that_says_so),
    cmocka_unit_test(connecting_may_take_longer_than_a_frame),
    cmocka_unit_test(a_call_that_times_out_leaves_the_shared_link_alone),
    cmocka_unit_test(a_timeout_can_be_set_for_one_request),
    cmocka_unit_test(a_call_that_nobody_lets_out_ends_unsent),
    cmocka_unit_test(several_in_flight_may_be_answered_in_any_order),
    cmocka_unit_test(requests_can_be_polled_and_waited_for),
    cmocka_unit_test(a_callback_may_begin_the_next_request_in_the_same_struct),
    cmocka_unit_test(a_callback_may_block),
    cmocka_unit_test(a_daemon_closes_although_callbacks_begin_anew),
    cmocka_unit_test(closing_a_daemon_ends_its_requests),
    cmocka_unit_test(cancel_while_its_arguments_are_put),
    cmocka_unit_test(cancel_while_it_waits_for_the_greeting),
    cmocka_unit_test(cancel_when_a_part_has_left),
    cmocka_unit_test(cancel_when_it_has_left),
    cmocka_unit_test(cancel_when_its_answer_is_half_there),
    cmocka_unit_test(cancel_of_what_is_done_changes_nothing),
    cmocka_unit_test(a_slot_is_never_written_after_its_request_has_ended),
    cmocka_unit_test(results_arrive_in_slots_of_every_type),
    cmocka_unit_test(a_result_of_another_type_is_an_error_and_touches_nothing),
    cmocka_unit_test(attributes_are_got_set_and_asked_for),
    cmocka_unit_test(oneway_calls_arrive_in_order_and_wait_for_nothing),
    cmocka_unit_test(what_a_oneway_call_raises_is_counted),
    cmocka_unit_test(encoded_arguments_are_put_as_they_are),
#ifndef PYROI_SMALL
    cmocka_unit_test(oneway_calls_of_one_request_fill_its_buffer),
    cmocka_unit_test(
        a_oneway_call_that_cannot_follow_another_says_so_and_changes_nothing),
    cmocka_unit_test(no_oneway_call_that_the_peer_cannot_take_follows_another),
    cmocka_unit_test(oneway_calls_of_one_request_go_all_or_none),
#else
    cmocka_unit_test(
        in_a_small_program_each_oneway_call_is_a_request_of_its_own),
#endif
    cmocka_unit_test(
        a_oneway_call_of_a_proxy_that_closes_leaves_or_is_counted),
    cmocka_unit_test(oneway_calls_on_a_lost_link_are_counted),
    cmocka_unit_test(arguments_that_do_not_fit_are_an_error_that_says_so),
    cmocka_unit_test(
        a_message_too_long_for_the_peer_fails_here_naming_both_sizes),
    cmocka_unit_test(a_oneway_message_too_long_for_the_peer_is_counted),
    cmocka_unit_test(as_many_arguments_as_promised_and_one_more),
    cmocka_unit_test(arguments_half_put_are_an_error_at_send),
    cmocka_unit_test(arguments_can_be_given_by_name),
    cmocka_unit_test(the_smallest_pools_are_legal_and_one_less_is_refused),
    cmocka_unit_test(no_buffers_or_too_small_ones_are_refused),
    cmocka_unit_test(both_roles_work_with_three_buffers),
    cmocka_unit_test(without_a_buffer_begin_says_so_and_can_be_tried_again),
    cmocka_unit_test(a_blocking_call_waits_for_a_buffer_until_its_deadline),
    cmocka_unit_test(the_fixed_busy_body_is_the_error_busy_and_no_exception),
    cmocka_unit_test(
        a_result_that_is_not_one_value_is_an_error_of_its_call_alone),
    cmocka_unit_test(a_reply_that_nobody_asked_for_is_counted_and_dropped),
    cmocka_unit_test(
        a_result_too_long_for_the_pool_ends_its_call_and_names_both_sizes),
    cmocka_unit_test(a_late_reply_never_reaches_another_call),
    cmocka_unit_test(a_refused_connection_is_denied_with_its_reason),
    cmocka_unit_test(nobody_there_is_closed_and_not_sent),
    cmocka_unit_test(a_pyroloc_is_a_name_at_an_address),
    cmocka_unit_test(a_name_is_resolved_when_its_proxy_connects),
    cmocka_unit_test(a_call_waits_while_its_name_is_being_resolved),
    cmocka_unit_test(
        a_call_does_not_wait_for_its_name_longer_than_its_deadline),
    cmocka_unit_test(what_a_resolver_reports_is_the_error_of_the_call),
    cmocka_unit_test(a_name_without_a_resolver_is_a_naming_error),
    cmocka_unit_test(a_name_that_moved_is_found_at_its_new_address),
    cmocka_unit_test(a_name_may_stand_for_an_object_of_another_name),
    cmocka_unit_test(an_object_of_this_connection_can_be_a_result),
    cmocka_unit_test(an_object_of_this_connection_cannot_be_passed_on),
    cmocka_unit_test(a_uri_with_an_address_has_to_be_copied_to_be_used),
    cmocka_unit_test(a_proxy_at_a_link_wants_a_link_and_a_name),
    cmocka_unit_test(a_call_that_was_cut_says_whether_it_had_left),
    cmocka_unit_test(a_request_says_that_it_has_left_before_it_is_done),
    cmocka_unit_test(an_exception_was_sent),
    cmocka_unit_test(two_servers_and_two_clients_live_in_one_process),
    cmocka_unit_test(calls_work_across_the_end_of_the_clock_on_a_bad_line),
    cmocka_unit_test(a_blocking_call_ends_when_the_clock_stands_still)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
