/* Threads with a daemon each, which call each other and post to each other
 * over loopback TCP. What is proven here is that they share nothing else:
 * `make tsan` runs this program too. */
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

#include <pthread.h>

enum { CALLS = 2000, POSTS = 10000, TEST_SECONDS = 60, DONE = 0 };

/* A thread and its daemon. What the test reads of it is written before the
 * thread ends. */
struct side {
    pyro_daemon node;
    PYRO_ROOM(4, 6, 512, 1) room;
    pyro_config  config;
    pyro_proxy   other; /* the object of the other side */
    char         uri[PYRO_URI_BYTES];
    struct side *peer;
    pthread_t    thread;
    pyro_ring    ring;
    uintptr_t    values[16];
    unsigned     rung;
    bool         in_order;
    bool         peer_done; /* said so by the ring */
    unsigned     served;
    unsigned     right; /* calls with the right result */
    unsigned     full;  /* posts that found the ring full */
    pyro_err     err;   /* the first of anything */
};

static struct side sides[2];

/* ------------------------------------------------------------------------
 * The object of each side
 * ------------------------------------------------------------------------ */

static void side_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    ((struct side *)self)->served++;
    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

/* Asks the caller's thread, which waits for this very answer. */
static void side_twice(void *self, pyro_call *call)
{
    struct side *s = (struct side *)self;
    int32_t      a = pyro_get_i32(&call->args);
    int32_t      sum = 0;

    s->served++;
    if (pyro_invoke(&s->other, "add", PYRO_ARGS(pyro_int(a), pyro_int(a)),
                    pyro_to_i32(&sum))
        != PYRO_OK)
        pyro_reraise(call, &s->other);
    else
        pyro_put_int(&call->result, sum);
}

static const pyro_method side_methods[] = {
    { "add", side_add, "ii", "i", 0 }, { "twice", side_twice, "i", "i", 0 }
};
static const pyro_class side_class = { "Side", PYRO_METHODS(side_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

/* ------------------------------------------------------------------------
 * Both sides
 * ------------------------------------------------------------------------ */

static void on_value(void *user, uintptr_t value)
{
    struct side *s = (struct side *)user;

    if (value == DONE)
        s->peer_done = true;
    else if (value != ++s->rung)
        s->in_order = false;
}

static void open_side(unsigned i)
{
    struct side *s = &sides[i];
    char         address[64];

    s->peer = &sides[1 - i];
    s->in_order = true;
    s->config.timeout_ms = 20000; /* under TSan, on a busy machine */
    assert_int_equal(pyro_open(&s->node, PYRO_ROOM_OF(s->room), &s->config),
                     PYRO_OK);
    assert_int_equal(pyro_listen(&s->node, pyro_posix(), "127.0.0.1:0"),
                     PYRO_OK);
    assert_int_equal(pyro_export(&s->node, &side_class, s, "side"), PYRO_OK);
    assert_int_equal(pyro_listening(&s->node, 0, address, sizeof address),
                     PYRO_OK);
    snprintf(s->uri, sizeof s->uri, "PYRO://%s/side", address);
    s->ring.fn = on_value;
    s->ring.user = s;
    s->ring.values = s->values;
    s->ring.size = (uint8_t)PYRO_COUNT(s->values);
    pyro_ring_add(&s->node, &s->ring);
    assert_int_equal(pyro_wake_open(&s->node), PYRO_OK);
}

static int setup(void **state)
{
    (void)state;
    memset(sides, 0, sizeof sides);
    for (unsigned i = 0; i < 2; i++)
        open_side(i);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pyro_proxy_open(&sides[i].other, &sides[i].node,
                                         sides[1 - i].uri),
                         PYRO_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_null(pyro_check(&sides[i].node));
        pyro_close(&sides[i].node);
        test_eq("buffers", sides[i].node.n_[PYROI_SPARE],
                sides[i].node.room_.n_buffers);
    }
    return 0;
}

static void keep(struct side *s, pyro_err err)
{
    if (s->err == PYRO_OK)
        s->err = err;
}

/* Into the other thread's ring; while that is full this side serves, since
 * the other may wait for it. */
static void post(struct side *s, uintptr_t value)
{
    while (!pyro_post(&s->peer->ring, value) && s->err == PYRO_OK) {
        s->full++;
        pyro_wake(&s->peer->node);
        keep(s, pyro_poll(&s->node, 1));
    }
    pyro_wake(&s->peer->node);
}

/* Serves until the other thread needs nothing more. */
static void serve_out(struct side *s)
{
    post(s, DONE);
    while (!s->peer_done && s->err == PYRO_OK)
        keep(s, pyro_poll(&s->node, 100));
}

static void call_other(struct side *s, const char *method, int32_t i)
{
    bool    twice = method[0] == 't';
    int32_t got = -1;

    if (twice)
        keep(s, pyro_invoke(&s->other, method, PYRO_ARGS(pyro_int(i)),
                            pyro_to_i32(&got)));
    else
        keep(s, pyro_invoke(&s->other, method,
                            PYRO_ARGS(pyro_int(i), pyro_int(1)),
                            pyro_to_i32(&got)));
    s->right += got == (twice ? 2 * i : i + 1);
}

static void run_both(void *(*fn)(void *))
{
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&sides[i].thread, NULL, fn, &sides[i]),
                         0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(sides[i].thread, NULL), 0);
}

/* ------------------------------------------------------------------------ */

static void *call_a_lot(void *user)
{
    struct side *s = (struct side *)user;

    for (int32_t i = 0; i < CALLS && s->err == PYRO_OK; i++)
        call_other(s, "add", i);
    serve_out(s);
    return NULL;
}

TEST(two_threads_call_each_other_at_once)
{
    run_both(call_a_lot);
    for (unsigned i = 0; i < 2; i++) {
        test_eq("error", sides[i].err, PYRO_OK);
        test_eq("right results", sides[i].right, CALLS);
        test_eq("served", sides[i].served, CALLS);
    }
}

static void *ask_and_be_asked(void *user)
{
    struct side *s = (struct side *)user;

    if (s == &sides[0])
        for (int32_t i = 0; i < CALLS && s->err == PYRO_OK; i++)
            call_other(s, "twice", i);
    serve_out(s);
    return NULL;
}

TEST(a_thread_is_called_back_while_it_waits_for_the_other)
{
    run_both(ask_and_be_asked);
    test_eq("error", sides[0].err, PYRO_OK);
    test_eq("error", sides[1].err, PYRO_OK);
    test_eq("right results", sides[0].right, CALLS);
    test_eq("served by the caller", sides[0].served, CALLS);
    test_eq("served by the other", sides[1].served, CALLS);
}

static void *post_a_lot(void *user)
{
    struct side *s = (struct side *)user;

    for (uintptr_t i = 1; i <= POSTS; i++)
        post(s, i);
    serve_out(s);
    return NULL;
}

/* What finds a ring full is posted again: none is lost, none comes twice. */
TEST(two_threads_post_to_each_other)
{
    run_both(post_a_lot);
    for (unsigned i = 0; i < 2; i++) {
        unsigned lost = sides[1 - i].full < 255 ? sides[1 - i].full : 255;

        test_eq("error", sides[i].err, PYRO_OK);
        test_eq("values", sides[i].rung, POSTS);
        test_eq("in order", sides[i].in_order, true);
        test_eq("found full", sides[i].ring.lost, lost);
    }
}

static void *post_and_call(void *user)
{
    struct side *s = (struct side *)user;

    for (int32_t i = 0; i < CALLS && s->err == PYRO_OK; i++) {
        post(s, (uintptr_t)i + 1);
        call_other(s, "add", i);
    }
    serve_out(s);
    return NULL;
}

TEST(posts_and_calls_between_two_threads_do_not_disturb_each_other)
{
    run_both(post_and_call);
    for (unsigned i = 0; i < 2; i++) {
        test_eq("error", sides[i].err, PYRO_OK);
        test_eq("right results", sides[i].right, CALLS);
        test_eq("values", sides[i].rung, CALLS);
        test_eq("in order", sides[i].in_order, true);
    }
}

/* Waits without a limit; only the other thread can end that. */
static void *wait_to_be_woken(void *user)
{
    struct side *s = (struct side *)user;

    if (s == &sides[0])
        for (unsigned i = 0; i < 20 && s->err == PYRO_OK; i++) {
            keep(s, pyro_poll(&s->node, -1));
            pyro_post(&s->peer->ring, i + 1);
            pyro_wake(&s->peer->node);
        }
    else
        for (unsigned i = 0; i < 20 && s->err == PYRO_OK; i++) {
            pyro_wake(&s->peer->node);
            while (s->rung <= i && s->err == PYRO_OK)
                keep(s, pyro_poll(&s->node, 20000));
        }
    return NULL;
}

TEST(a_thread_that_waits_without_limit_is_woken)
{
    run_both(wait_to_be_woken);
    test_eq("error", sides[0].err, PYRO_OK);
    test_eq("error", sides[1].err, PYRO_OK);
    test_eq("answers", sides[1].rung, 20);
    test_eq("in order", sides[1].in_order, true);
}

#define THREAD_TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        THREAD_TEST(two_threads_call_each_other_at_once),
        THREAD_TEST(a_thread_is_called_back_while_it_waits_for_the_other),
        THREAD_TEST(two_threads_post_to_each_other),
        THREAD_TEST(
            posts_and_calls_between_two_threads_do_not_disturb_each_other),
        THREAD_TEST(a_thread_that_waits_without_limit_is_woken)
    };

    alarm(TEST_SECONDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
