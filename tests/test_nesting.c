/* Calls inside of calls: back to the caller, round in a circle, as deep as
 * may be and one more; deadlines, policies and pyro_yield while a handler
 * runs. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "nodes.h"

static pyro_proxy P;
static pyro_proxy next[NODES];

static struct thing *thing(unsigned i)
{
    return &rig.n[i].thing;
}

static pyro_daemon *node(unsigned i)
{
    return &rig.n[i].d;
}

/* n nodes in a ring: each one's "next" is the object of the one behind it. */
static void ring(unsigned n, unsigned buffers)
{
    for (unsigned i = 0; i < n; i++)
        node_open(i, buffers);
    for (unsigned i = 1; i < n; i++)
        node_run(i);
    for (unsigned i = 0; i < n; i++) {
        node_proxy(i, &next[i], (i + 1) % n);
        thing(i)->next = &next[i];
    }
}

static pyro_err hop(pyro_proxy *proxy, int32_t hops, int32_t *depth)
{
    uint8_t bytes[24];

    memset(bytes, hops, sizeof bytes);
    *depth = -1;
    return pyro_invoke(proxy, "hop",
                       PYRO_ARGS(pyro_int(hops), pyro_bin(bytes, 24)),
                       pyro_to_i32(depth));
}

static void has_text(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text ? text : "", part);
}

/* Whether the exception says so; Pyro5 has no name for it. */
static bool was_busy(const pyro_proxy *proxy)
{
    const pyro_exc *exc = pyro_exception(proxy);

    return strcmp(exc->type, "BusyError") == 0
        || (rig_pyro5 != 0 && strcmp(exc->type, "PyroError") == 0
            && strncmp(exc->message, "BusyError: busy", 9) == 0);
}

/* ------------------------------------------------------------------------
 * Round and round
 * ------------------------------------------------------------------------ */

TEST(a_calls_b_calls_a)
{
    int32_t depth;

    for (unsigned buffers = 5; buffers <= 16; buffers++) {
        rig_init(1);
        ring(2, buffers);
        for (int i = 0; i < 3; i++) {
            test_eq("hop", hop(&next[0], 1, &depth), PYRO_OK);
            test_eq("depth", depth, 2);
        }
        test_eq("ran in A", thing(0)->ran, 3);
        test_eq("ran in B", thing(1)->ran, 3);
        rig_end();
    }
}

TEST(a_calls_b_calls_c_calls_a)
{
    int32_t depth;

    for (unsigned buffers = 5; buffers <= 16; buffers++) {
        rig_init(1);
        ring(3, buffers);
        for (int i = 0; i < 3; i++) {
            test_eq("hop", hop(&next[0], 2, &depth), PYRO_OK);
            test_eq("depth", depth, 3);
        }
        for (unsigned i = 0; i < 3; i++)
            test_eq("ran", thing(i)->ran, 3);
        rig_end();
    }
}

/* Each node serves one call and makes one: the formula says 2 + 1. */
TEST(a_circle_works_with_the_smallest_pools)
{
    int32_t depth;

    for (unsigned n = 2; n <= NODES; n++) {
        rig_init(n);
        rig.net.chunk = 7;
        ring(n, 3);
        test_eq("hop", hop(&next[0], (int32_t)n - 1, &depth), PYRO_OK);
        test_eq("depth", depth, n);
        rig_end();
    }
}

/* Back over the connection the call came by. */
TEST(a_callback_goes_over_the_connection_of_its_call)
{
    int32_t value;

    for (unsigned buffers = 3; buffers <= 8; buffers++) {
        rig_init(1);
        node_open(0, buffers);
        node_open(1, buffers);
        node_run(1);
        node_proxy(0, &P, 1);
        for (int i = 0; i < 3; i++) {
            test_eq("back",
                    pyro_invoke(&P, "back", PYRO_ARGS(pyro_here("thing")),
                                pyro_to_i32(&value)),
                    PYRO_OK);
            test_eq("value", value, 42);
        }
        test_eq("connections", rig.net.calls.connect, 1);
        test_eq("ran in A", thing(0)->ran, 3);
        rig_end();
    }
}

/* ------------------------------------------------------------------------
 * Depth
 * ------------------------------------------------------------------------ */

/* In a ring of two the hops from 1 on run in B, A, B, A ...: with h hops A
 * has h / 2 handlers on its stack, B the rest. */
TEST(calls_nest_to_the_limit_and_one_more_is_busy_all_the_way)
{
    int32_t depth;
    int32_t most = 2 * PYRO_MAX_NESTING; /* handlers on both stacks */

    for (unsigned pool = 0; pool < 2; pool++) {
        /* the formula, for the deepest case; or plenty */
        unsigned buffers = pool == 0 ? 2 * PYRO_MAX_NESTING + 1 + 1 : 24;

        for (int32_t hops = 1; hops <= most + 2; hops++) {
            bool     fits = hops <= most;
            pyro_err err;

            rig_init(1);
            ring(2, buffers);
            err = hop(&next[0], hops - 1, &depth);
            test_eq("hop", err, fits ? PYRO_OK : PYRO_ERR_REMOTE);
            test_eq("depth", depth, fits ? hops : -1);
            test_eq("deepest in A", thing(0)->hops,
                    fits ? hops / 2 : PYRO_MAX_NESTING);
            test_eq("deepest in B", thing(1)->hops,
                    fits ? (hops + 1) / 2 : PYRO_MAX_NESTING);
            if (!fits) {
                test_eq("refused", node(1)->stats.busy, 1);
                assert_true(was_busy(&next[0]));
            }
            test_eq("afterwards", hop(&next[0], 0, &depth), PYRO_OK);
            rig_end();
        }
    }
}

/* As many buffers as the formula says and fewer: never stuck, never lost. */
TEST(with_any_pool_a_deep_call_ends_and_says_busy_if_it_did_not_run)
{
    int32_t depth;

    for (unsigned buffers = 3; buffers <= 2 * PYRO_MAX_NESTING + 2;
         buffers++) {
        for (int32_t hops = 1; hops <= 2 * PYRO_MAX_NESTING; hops++) {
            uint32_t start;
            pyro_err err;

            rig_init(buffers);
            ring(2, buffers);
            start = rig.net.clock_ms;
            err = hop(&next[0], hops - 1, &depth);
            if (err == PYRO_OK)
                test_eq("depth", depth, hops);
            else if (err == PYRO_ERR_REMOTE)
                assert_true(
                    was_busy(&next[0])
                    || strcmp(pyro_exception(&next[0])->type, "MemoryError")
                           == 0);
            else
                test_eq("error", err, PYRO_ERR_BUSY);
            assert_in_range(rig.net.clock_ms - start, 0, 10);
            if (buffers >= 2 * ((unsigned)hops / 2 + 1) + 2)
                test_eq("with so many buffers", err, PYRO_OK);
            test_eq("afterwards", hop(&next[0], 0, &depth), PYRO_OK);
            rig_end();
        }
    }
}

static const pyro_class alone_class = { "Alone", PYRO_METHODS(thing_methods),
                                        PYRO_NO_ATTRS, NULL, PYRO_EXCLUSIVE };

TEST(an_exclusive_object_is_not_entered_while_it_waits)
{
    int32_t      depth;
    struct thing alone;

    rig_init(1);
    ring(2, 12);
    memset(&alone, 0, sizeof alone);
    alone.next = &next[1];
    assert_int_equal(pyro_export(node(1), &alone_class, &alone, "alone"),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&P, node(0), "PYRO://board:7701/alone"),
                     PYRO_OK);
    test_eq("called in a row", hop(&P, 0, &depth), PYRO_OK);
    thing(0)->next = &P;
    test_eq("once", hop(&P, 1, &depth), PYRO_OK);
    test_eq("again while it waits", hop(&P, 2, &depth), PYRO_ERR_REMOTE);
    assert_true(was_busy(&P));
    test_eq("refused", node(1)->stats.busy, 1);
    test_eq("deepest", alone.hops, 1);
    thing(0)->next = &next[0];
    test_eq("another object", hop(&next[0], 2, &depth), PYRO_OK);
    test_eq("afterwards", hop(&P, 1, &depth), PYRO_OK);
    assert_false(alone.spoilt);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Deadlines
 * ------------------------------------------------------------------------ */

static struct {
    pyro_err err;
    uint32_t took;
} inner;

/* Calls something that is never answered. */
static void waits_in_vain(struct thing *t, pyro_call *call)
{
    uint32_t start = rig.net.clock_ms;

    inner.err =
        pyro_invoke(t->next, "later", PYRO_ARGS(pyro_int(1)), pyro_to_none());
    inner.took = rig.net.clock_ms - start;
    pyro_put_int(&call->result, 1);
}

static void b_calls_run_of_a(struct node *n)
{
    pyro_invoke(n->thing.next, "run", PYRO_NO_ARGS, pyro_to_none());
}

TEST(a_nested_wait_ends_with_the_waits_below_it)
{
    static const struct {
        uint32_t outer;
        uint32_t inner;
    } rows[] = { { 100, 1000 }, { 100, 100 }, { 1000, 100 } };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        uint32_t start;
        uint32_t least =
            rows[i].outer < rows[i].inner ? rows[i].outer : rows[i].inner;

        rig_init(1);
        ring(2, 8);
        node_proxy(0, &P, 1);
        memset(&inner, 0, sizeof inner);
        thing(0)->fn = waits_in_vain;
        P.timeout_ms = rows[i].outer;
        next[0].timeout_ms = rows[i].inner;
        next[1].timeout_ms = 5000;
        rig.n[1].job = b_calls_run_of_a;
        start = rig.net.clock_ms;
        test_eq("outer",
                pyro_invoke(&P, "later", PYRO_ARGS(pyro_int(1)),
                            pyro_to_none()),
                PYRO_ERR_TIMEOUT);
        test_eq("outer took", rig.net.clock_ms - start, rows[i].outer);
        test_eq("inner", inner.err, PYRO_ERR_TIMEOUT);
        assert_in_range(inner.took, least - 3, least);
        rig_settle();
        rig_end();
    }
}

/* B's call to A, whose handler calls B: B's own deadline is none of A's
 * business, A's is kept, and nobody writes to a slot that is gone. */
TEST(a_caller_that_gives_up_leaves_the_handler_to_its_own_deadline)
{
    rig_init(1);
    ring(2, 8);
    memset(&inner, 0, sizeof inner);
    thing(0)->fn = waits_in_vain;
    next[0].timeout_ms = 300;
    next[1].timeout_ms = 50;
    rig.n[1].job = b_calls_run_of_a;
    rig_pass(400);
    test_eq("inner", inner.err, PYRO_ERR_TIMEOUT);
    test_eq("took", inner.took, 300);
    test_eq("late at B", node(1)->stats.late, 1);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Who is served while a call waits
 * ------------------------------------------------------------------------ */

static struct {
    pyro_err err;
    int32_t  value;
    bool     ended;
} other;

static void c_calls_add_of_a(struct node *n)
{
    other.err =
        pyro_invoke(n->thing.next, "add", PYRO_ARGS(pyro_int(1), pyro_int(1)),
                    pyro_to_i32(&other.value));
    other.ended = true;
}

/* A waits for B, which calls A back over the same connection ("back"), while
 * C calls A. Returns what B's callback got. */
static pyro_err policy_run(uint8_t policy)
{
    int32_t  value = -1;
    pyro_err err;

    rig_init(1);
    rig.n[0].config.serve_while_waiting = policy;
    node_open(0, 8);
    node_open(1, 8);
    node_open(2, 8);
    node_run(1);
    node_run(2);
    node_proxy(0, &P, 1);
    node_proxy(2, &next[2], 0);
    thing(2)->next = &next[2];
    memset(&other, 0, sizeof other);
    /* the link of C is there before, at rest */
    node_do(2, c_calls_add_of_a);
    test_eq("C alone", other.err, PYRO_OK);
    memset(&other, 0, sizeof other);
    thing(0)->ran = 0;
    rig.n[2].job = c_calls_add_of_a;
    err = pyro_invoke(&P, "back", PYRO_ARGS(pyro_here("thing")),
                      pyro_to_i32(&value));
    if (err == PYRO_OK)
        test_eq("value", value, 42);
    for (unsigned i = 0; i < 50 && !other.ended; i++)
        rig_spin(1);
    assert_true(other.ended);
    return err;
}

TEST(everybody_is_served_while_a_call_waits)
{
    test_eq("callback", policy_run(PYRO_SERVE_ALL), PYRO_OK);
    test_eq("C", other.err, PYRO_OK);
    test_eq("ran in A", thing(0)->ran, 2);
    rig_end();
}

TEST(or_only_the_link_that_is_waited_for)
{
    test_eq("callback", policy_run(PYRO_SERVE_LINK), PYRO_OK);
    test_eq("C", other.err, PYRO_ERR_BUSY);
    test_eq("ran in A", thing(0)->ran, 1);
    rig_end();
}

TEST(or_nobody)
{
    test_eq("callback", policy_run(PYRO_SERVE_NONE), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&P)->type, "BusyError");
    test_eq("C", other.err, PYRO_ERR_BUSY);
    test_eq("ran in A", thing(0)->ran, 0);
    test_eq("refused", node(0)->stats.busy, 2);
    rig_end();
}

static unsigned resolves;

static pyro_err resolve(void *user, pyro_daemon *d, const pyro_uri *name,
                        char *to, size_t size)
{
    (void)user;
    (void)d;
    (void)name;
    (void)size;
    if (++resolves < 20)
        return PYRO_ERR_BUSY;
    strcpy(to, rig.n[1].uri);
    return PYRO_OK;
}

/* No link is waited for yet, so none is the one. */
TEST(while_a_name_is_resolved_no_link_is_the_one_waited_for)
{
    int32_t sum = 0;

    rig_init(1);
    rig.n[0].config.serve_while_waiting = PYRO_SERVE_LINK;
    node_open(0, 8);
    pyro_resolver(node(0), resolve, NULL);
    node_open(1, 8);
    node_open(2, 8);
    node_run(1);
    node_run(2);
    node_proxy(2, &next[2], 0);
    thing(2)->next = &next[2];
    node_do(2, c_calls_add_of_a); /* the first link of A */
    test_eq("C alone", other.err, PYRO_OK);
    memset(&other, 0, sizeof other);
    rig.n[2].job = c_calls_add_of_a;
    resolves = 0;
    assert_int_equal(pyro_proxy_open(&P, node(0), "PYRONAME://x"), PYRO_OK);
    test_eq("call",
            pyro_invoke(&P, "add", PYRO_ARGS(pyro_int(1), pyro_int(2)),
                        pyro_to_i32(&sum)),
            PYRO_OK);
    test_eq("C", other.err, PYRO_ERR_BUSY);
    rig_end();
}

/* ------------------------------------------------------------------------
 * In a handler: yield, poll, be busy
 * ------------------------------------------------------------------------ */

static struct {
    bool     yields;
    bool     polls;
    uint32_t ran; /* of others, meanwhile */
    uint32_t hooks;
    uint32_t ups; /* of hooks, all the time */
    uint32_t callbacks;
    uint32_t rounds;
} busy;

/* Runs for a time; the rest of the world goes on. The test's own node is A,
 * so this is a handler of A, called by B. */
static void is_busy(struct thing *t, pyro_call *call)
{
    uint32_t ran = t->ran;

    for (uint32_t i = 0; i < busy.rounds; i++) {
        rig_turn(); /* the others, whose bytes nobody here takes */
        loop_advance(&rig.net, 10);
        if (busy.yields)
            pyro_yield(&t->node->d);
        if (busy.polls)
            assert_int_equal(pyro_poll(&t->node->d, 0), PYRO_OK);
        node_check(t->node);
    }
    busy.ran = t->ran - ran;
    pyro_put_int(&call->result, 5);
}

static pyro_err busy_err;
static int32_t  busy_value;

static void b_calls_busy_a(struct node *n)
{
    busy_value = -1;
    busy_err = pyro_invoke(n->thing.next, "run", PYRO_NO_ARGS,
                           pyro_to_i32(&busy_value));
}

static void busy_begin(bool yields, bool polls, uint32_t rounds)
{
    memset(&busy, 0, sizeof busy);
    busy.yields = yields;
    busy.polls = polls;
    busy.rounds = rounds;
    rig_init(1);
}

/* A handler is busy for 5 s; who is silent for 2 s is dead. */
TEST(a_busy_handler_stays_alive_if_it_yields_and_else_is_given_up)
{
    for (unsigned yields = 0; yields < 2; yields++) {
        busy_begin(yields, false, 500);
        rig.n[0].config.dead_ms = 2000;
        rig.n[1].config.dead_ms = 2000;
        rig.n[1].config.timeout_ms = 10000;
        ring(2, 6);
        thing(0)->fn = is_busy;
        rig.n[1].job = b_calls_busy_a;
        rig_pass(3);
        for (unsigned i = 0; i < 100 && node(1)->waits_ != NULL; i++)
            rig_spin(1);
        if (yields) {
            test_eq("with pyro_yield", busy_err, PYRO_OK);
            test_eq("value", busy_value, 5);
            test_eq("dead", node(1)->stats.dead, 0);
        } else {
            test_eq("without", busy_err, PYRO_ERR_CLOSED);
            has_text(node(1)->why.text, "silent");
            test_eq("dead", node(1)->stats.dead, 1);
        }
        assert_in_range(rig.net.clock_ms, 5000, 5100);
        rig_settle();
        test_eq("unsent", node(0)->stats.unsent, yields ? 0 : 1);
        test_eq("dead here", node(0)->stats.dead, 0);
        node_do(1, b_calls_busy_a);
        rig_end();
    }
}

static void c_notes(struct node *n)
{
    other.err = pyro_oneway(n->thing.next, "note", PYRO_ARGS(pyro_int(3)));
    other.ended = true;
}

static void count_hook(void *user, pyro_daemon *d, pyro_link link,
                       pyro_event event)
{
    (void)user;
    (void)d;
    (void)link;
    busy.hooks++;
    busy.ups += event == PYRO_LINK_UP;
}

static void count_timer(void *user, pyro_daemon *d)
{
    (void)user;
    (void)d;
    busy.callbacks++;
}

static void count_done(void *user, pyro_request *rq, pyro_err err,
                       pyro_reader *result)
{
    (void)user;
    (void)rq;
    (void)err;
    (void)result;
    busy.callbacks++;
}

static uint32_t seen_in_yield;

/* Has everything come in that there is, and looks that nothing of it ran. */
static void yields_on_all(struct thing *t, pyro_call *call)
{
    uint32_t ran = t->ran;

    busy.hooks = busy.callbacks = 0;
    for (uint32_t i = 0; i < 300; i++) {
        rig_turn();
        loop_advance(&rig.net, 1);
        pyro_yield(&t->node->d);
        node_check(t->node);
    }
    seen_in_yield = busy.hooks + busy.callbacks + (t->ran - ran);
    pyro_put_int(&call->result, 5);
}

/* Frames of which a part has come before the handler began, too: the net
 * moves few bytes at a time. */
TEST(in_a_yield_no_handler_no_callback_and_no_hook_runs)
{
    for (uint32_t chunk = 1; chunk < 60; chunk += chunk < 24 ? 1 : 7) {
        pyro_request rq;
        pyro_hook    hook;
        pyro_timer   timer;
        int32_t      value = -1;

        busy_begin(true, false, 0);
        rig.net.chunk = chunk;
        node_open(0, 12);
        node_open(1, 8);
        node_open(2, 8);
        node_run(1);
        node_run(2);
        node_proxy(0, &P, 2);
        for (unsigned i = 1; i < 3; i++) {
            node_proxy(i, &next[i], 0);
            thing(i)->next = &next[i];
        }
        thing(0)->fn = yields_on_all;
        hook.fn = count_hook;
        hook.user = NULL;
        pyro_hook_add(node(0), &hook);
        timer.fn = count_timer;
        timer.user = NULL;
        pyro_timer_set(node(0), &timer, 100);
        if (chunk % 2 != 0) { /* C is reached only in the yield */
            node_do(1, c_calls_add_of_a);
            rig.net.connect_ms = 50;
        }
        busy.callbacks = 0;
        /* A calls C, B calls A's handler that yields, C tells A something */
        assert_int_equal(pyro_begin(&rq, &P, "add"), PYRO_OK);
        pyro_put_int(&rq.args, 1);
        pyro_put_int(&rq.args, 2);
        pyro_send(&rq, pyro_to_i32(&value), count_done, NULL);
        seen_in_yield = UINT32_MAX;
        rig.n[1].job = b_calls_busy_a;
        rig.n[2].job = c_calls_add_of_a;
        for (unsigned i = 0; i < 3000 && seen_in_yield == UINT32_MAX; i++)
            rig_spin(1);
        test_eq("ran in pyro_yield", seen_in_yield, 0);
        for (unsigned i = 0; i < 3000 && (node(2)->waits_ || node(1)->waits_);
             i++)
            rig_spin(1);
        rig_settle();
        test_eq("callback", busy.callbacks, 2);
        test_eq("value", value, 3);
        test_eq("B", busy_value, 5);
        test_eq("C", other.value, 2);
        test_eq("links", busy.ups, 3);
        pyro_timer_stop(node(0), &timer);
        pyro_hook_drop(node(0), &hook);
        rig_end();
    }
}

/* A pipe that breaks the protocol is down, and its hook is told. */
static int32_t pipe_handles[2];

static void loses_the_pipe(struct thing *t, pyro_call *call)
{
    static const uint8_t unknown[8] = { 'P', 'Y', 0x6F };

    (void)call;
    busy.hooks = 0;
    assert_int_equal(loop_feed(&rig.net, pipe_handles[1], unknown, 8), 8);
    for (uint32_t i = 0; i < 5; i++)
        pyro_yield(&t->node->d);
    seen_in_yield = busy.hooks;
}

TEST(what_hooks_missed_in_a_yield_they_are_told_after_it)
{
    pyro_hook hook;
    pyro_link link;

    busy_begin(true, false, 0);
    ring(2, 8);
    assert_true(loop_pair(&rig.net, pipe_handles) != UINT32_MAX);
    assert_int_equal(pyro_adopt(node(0), &rig.n[0].port, pipe_handles[0],
                                &link),
                     PYRO_OK);
    assert_int_equal(pyro_adopt(node(1), &rig.n[1].port, pipe_handles[1],
                                NULL),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_at(&P, node(0), link, "thing", 5), PYRO_OK);
    test_eq("over the pipe", pyro_setattr(&P, "count", pyro_int(1)), PYRO_OK);
    hook.fn = count_hook;
    hook.user = NULL;
    thing(0)->fn = loses_the_pipe;
    rig.n[1].job = b_calls_busy_a;
    pyro_hook_add(node(0), &hook);
    seen_in_yield = UINT32_MAX;
    for (unsigned i = 0; i < 100 && seen_in_yield == UINT32_MAX; i++)
        rig_spin(1);
    test_eq("in the yield", seen_in_yield, 0);
    rig_settle();
    test_eq("after it", busy.hooks, 1);
    pyro_hook_drop(node(0), &hook);
    rig_end();
}

static void polls_in_a_handler(struct thing *t, pyro_call *call)
{
    uint32_t notes = t->notes;

    rig.n[2].job = c_notes;
    for (unsigned i = 0; i < 50 && t->notes == notes; i++) {
        rig_turn();
        assert_int_equal(pyro_poll(&t->node->d, 0), PYRO_OK);
        node_check(t->node);
    }
    pyro_put_int(&call->result, (int64_t)(t->notes - notes));
}

TEST(a_handler_may_poll_and_others_are_served_meanwhile)
{
    busy_begin(false, true, 0);
    ring(3, 6);
    node_proxy(2, &P, 0);
    thing(2)->next = &P;
    thing(0)->fn = polls_in_a_handler;
    node_proxy(1, &next[3], 0);
    thing(1)->next = &next[3];
    node_do(1, b_calls_busy_a);
    test_eq("B", busy_err, PYRO_OK);
    test_eq("notes meanwhile", busy_value, 1);
    rig_end();
}

/* ------------------------------------------------------------------------
 * Things that go while a handler runs
 * ------------------------------------------------------------------------ */

static void b_gives_up(struct node *n)
{
    n->thing.next->timeout_ms = 5;
    busy_err = pyro_invoke(n->thing.next, "hop",
                           PYRO_ARGS(pyro_int(1), pyro_bin("\1\1\1\1", 4)),
                           pyro_to_none());
    pyro_link_close(&n->d, n->thing.next->link_);
}

static void takes_its_time(struct thing *t, pyro_call *call)
{
    uint32_t    n;
    const char *before = (const char *)pyro_get_raw(&call->args, &n);
    char        copy[64];

    assert_true(n > 0 && n <= sizeof copy);
    memcpy(copy, before, n);
    for (unsigned i = 0; i < 30; i++) {
        rig_turn();
        loop_advance(&rig.net, 10);
        assert_int_equal(pyro_poll(&t->node->d, 0), PYRO_OK);
        node_check(t->node);
    }
    if (memcmp(before, copy, n) != 0)
        t->spoilt = true;
    pyro_put_raw(&call->result, before, n);
}

static void b_calls_and_is_lost(struct node *n)
{
    n->thing.next->timeout_ms = 50;
    busy_err = pyro_invoke(n->thing.next, "run",
                           PYRO_ARGS(pyro_str("what stays what it is")),
                           pyro_to_none());
    pyro_link_close(&n->d, n->thing.next->link_);
}

/* Meanwhile C calls, again and again: the freed buffers are used anew. */
static void c_calls_often(struct node *n)
{
    for (int i = 0; i < 20; i++)
        pyro_invoke(n->thing.next, "add", PYRO_ARGS(pyro_int(i), pyro_int(1)),
                    pyro_to_none());
    other.ended = true;
}

TEST(arguments_stay_when_their_caller_has_gone)
{
    for (unsigned buffers = 5; buffers <= 9; buffers++) {
        busy_begin(false, true, 0);
        ring(3, buffers);
        node_proxy(1, &next[3], 0);
        thing(1)->next = &next[3];
        thing(0)->fn = takes_its_time;
        memset(&other, 0, sizeof other);
        busy_err = PYRO_OK;
        rig.n[1].job = b_calls_and_is_lost;
        rig.n[2].job = c_calls_often;
        for (unsigned i = 0; i < 3000 && !other.ended; i++)
            rig_spin(1);
        rig_pass(100);
        test_eq("B", busy_err, PYRO_ERR_TIMEOUT);
        test_eq("unsent", node(0)->stats.unsent, 1);
        assert_false(thing(0)->spoilt);
        rig_end();
    }
}

/* The caller's link breaks while the handler waits for a call of its own. */
TEST(a_handler_ends_well_when_its_caller_has_gone)
{
    rig_init(1);
    ring(2, 8);
    thing(1)->next = &next[1];
    rig.n[1].job = b_gives_up;
    next[0].timeout_ms = 200;
    for (unsigned i = 0; i < 300; i++)
        rig_pass(1);
    test_eq("B", busy_err, PYRO_OK);
    rig_end();
}

static pyro_proxy *closing;

static void closes_the_proxy(struct thing *t, pyro_call *call)
{
    (void)t;
    (void)call;
    if (closing == NULL)
        return;
    pyro_proxy_close(closing);
#ifdef NODES_ASAN
    __asan_poison_memory_region(closing, sizeof *closing);
#else
    memset(closing, 0xA5, sizeof *closing);
#endif
}

/* B calls A back, whose handler closes the proxy that A waits through. */
static void calls_run_of_caller(struct thing *t, pyro_call *call)
{
    pyro_invoke(t->next, "run", PYRO_NO_ARGS, pyro_to_none());
    (void)call;
}

TEST(a_proxy_may_be_closed_while_its_call_waits)
{
    static pyro_proxy proxy;
    int32_t           value = 7;

    rig_init(1);
    ring(2, 8);
    node_proxy(0, &proxy, 1);
    thing(1)->fn = calls_run_of_caller;
    thing(0)->fn = closes_the_proxy;
    closing = &proxy;
    test_eq("call",
            pyro_invoke(&proxy, "run", PYRO_NO_ARGS, pyro_to_i32(&value)),
            PYRO_ERR_CLOSED);
    test_eq("slot", value, 7);
#ifdef NODES_ASAN
    __asan_unpoison_memory_region(&proxy, sizeof proxy);
#else
    for (unsigned i = 0; i < sizeof proxy; i++)
        assert_int_equal(((uint8_t *)&proxy)[i], 0xA5);
#endif
    rig_end();
}

TEST(an_object_may_be_withdrawn_by_its_own_handler)
{
    int32_t depth;

    rig_init(1);
    ring(2, 8);
    test_eq("hop", hop(&next[0], 1, &depth), PYRO_OK);
    assert_int_equal(pyro_withdraw(node(0), thing(0)), PYRO_OK);
    test_eq("hop", hop(&next[0], 1, &depth), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&next[0])->type, "NamingError");
    test_eq("export again",
            pyro_export(node(0), &thing_class, thing(0), "thing"), PYRO_OK);
    test_eq("hop", hop(&next[0], 1, &depth), PYRO_OK);
    rig_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calls_b_calls_a),
        cmocka_unit_test(a_calls_b_calls_c_calls_a),
        cmocka_unit_test(a_circle_works_with_the_smallest_pools),
        cmocka_unit_test(a_callback_goes_over_the_connection_of_its_call),
        cmocka_unit_test(
            calls_nest_to_the_limit_and_one_more_is_busy_all_the_way),
        cmocka_unit_test(
            with_any_pool_a_deep_call_ends_and_says_busy_if_it_did_not_run),
        cmocka_unit_test(an_exclusive_object_is_not_entered_while_it_waits),
        cmocka_unit_test(a_nested_wait_ends_with_the_waits_below_it),
        cmocka_unit_test(
            a_caller_that_gives_up_leaves_the_handler_to_its_own_deadline),
        cmocka_unit_test(everybody_is_served_while_a_call_waits),
        cmocka_unit_test(or_only_the_link_that_is_waited_for),
        cmocka_unit_test(or_nobody),
        cmocka_unit_test(
            while_a_name_is_resolved_no_link_is_the_one_waited_for),
        cmocka_unit_test(
            a_busy_handler_stays_alive_if_it_yields_and_else_is_given_up),
        cmocka_unit_test(in_a_yield_no_handler_no_callback_and_no_hook_runs),
        cmocka_unit_test(what_hooks_missed_in_a_yield_they_are_told_after_it),
        cmocka_unit_test(a_handler_may_poll_and_others_are_served_meanwhile),
        cmocka_unit_test(arguments_stay_when_their_caller_has_gone),
        cmocka_unit_test(a_handler_ends_well_when_its_caller_has_gone),
        cmocka_unit_test(a_proxy_may_be_closed_while_its_call_waits),
        cmocka_unit_test(an_object_may_be_withdrawn_by_its_own_handler)
    };

    const struct CMUnitTest pyro5[] = {
        cmocka_unit_test(a_calls_b_calls_a),
        cmocka_unit_test(a_calls_b_calls_c_calls_a),
        cmocka_unit_test(a_circle_works_with_the_smallest_pools),
        cmocka_unit_test(
            calls_nest_to_the_limit_and_one_more_is_busy_all_the_way),
        cmocka_unit_test(
            with_any_pool_a_deep_call_ends_and_says_busy_if_it_did_not_run),
        cmocka_unit_test(an_exclusive_object_is_not_entered_while_it_waits),
        cmocka_unit_test(a_nested_wait_ends_with_the_waits_below_it),
        cmocka_unit_test(
            a_caller_that_gives_up_leaves_the_handler_to_its_own_deadline),
        cmocka_unit_test(a_handler_may_poll_and_others_are_served_meanwhile),
        cmocka_unit_test(arguments_stay_when_their_caller_has_gone),
        cmocka_unit_test(a_handler_ends_well_when_its_caller_has_gone),
        cmocka_unit_test(a_proxy_may_be_closed_while_its_call_waits),
        cmocka_unit_test(an_object_may_be_withdrawn_by_its_own_handler)
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    rig_pyro5 = 15; /* everybody calls everybody in Pyro5 */
    failed += cmocka_run_group_tests(pyro5, NULL, NULL);
    rig_pyro5 = 2; /* only B is called so */
    return failed + cmocka_run_group_tests(pyro5, NULL, NULL);
}
