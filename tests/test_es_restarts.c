/* Events between processes that are killed, stopped and started again: what
 * every subscriber gets has no holes but those that it is told of. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#define PYRO_ES_AWAY_MS  3000
#define PYRO_ES_AGAIN_MS 50
#include "../pyro.h"
#include "../pyro_es.h"

#include "pyro_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SUBS = 6,
    EVENTS = 100000,
    STUCK_MS = 200, /* the deadline of one that takes nothing */
    DEAD_MS = 600   /* silence that ends a link */
};

/* What a subscriber's process tells, over all its lives. */
struct slot {
    uint32_t events;
    uint32_t lost;
    uint32_t returned; /* to the same service */
    uint32_t value;    /* of the last event */
    bool     ended;    /* has seen the last one */
    char     bad[100];
};

static struct slot *slots; /* shared */
static char         path[60], uri[120];
static pid_t        service_pid, sub_pids[SUBS];

static PYRO_ROOM(SUBS + 3, 24, 2048, 4) room;
static pyro_daemon node;
static pyro_config config = { .dead_ms = DEAD_MS };
static pyro_es     es;

/* --- the service's process --- */

static PYRO_ES_ROOM(SUBS * 8, SUBS * 8, 65536) events;
static pyro_es_service       service;
static pyro_es_config        service_config = { .stuck_ms = STUCK_MS };
static volatile sig_atomic_t stop;

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

/* Ends with 0 when all its memory was in order. */
static void serve(void)
{
    char     address[80];
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), &config);

    signal(SIGTERM, on_term);
    snprintf(address, sizeof address, "unix:%s", path);
    if (!err)
        err = pyro_listen(&node, pyro_posix(), address);
    if (!err)
        err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events),
                            &service_config);
    while (!err && !stop) {
        err = pyro_poll(&node, 20);
        if (pyro_es_check(&service) != NULL || pyro_check(&node) != NULL)
            _exit(3);
    }
    _exit(err != PYRO_OK);
}

/* --- a subscriber's process --- */

static struct slot *mine;

static struct {
    uint32_t n, lost, session, again, when;
    int32_t  value;
} before;

/* One after the other, but for those that were lost in between. A service that
 * has started again counts from 1. */
static void on_event(void *user, const pyro_es_event *event)
{
    int32_t  value = pyro_get_i32(event->message);
    uint32_t missed = event->lost - before.lost;
    uint32_t now = pyro_now(&node);
    bool     forgotten = event->n == 1 && es.again != before.again
                  && now - before.when > PYRO_ES_AWAY_MS;

    (void)user;
    if (es.session_ != before.session || forgotten) {
        missed = event->lost;
        if (event->n != 1 && mine->bad[0] == 0)
            snprintf(mine->bad, sizeof mine->bad, "begins with n %u",
                     (unsigned)event->n);
    } else if (event->n != before.n + 1
               || value != before.value + 1 + (int32_t)missed) {
        snprintf(mine->bad, sizeof mine->bad,
                 "n %u after %u, value %d after %d, lost %u after %u",
                 (unsigned)event->n, (unsigned)before.n, (int)value,
                 (int)before.value, (unsigned)event->lost,
                 (unsigned)before.lost);
    } else if (es.again != before.again) {
        mine->returned++;
    }
    mine->events++;
    mine->lost += missed;
    mine->value = (uint32_t)value;
    mine->ended = strcmp(event->subject, "n.end") == 0;
    before.n = event->n;
    before.lost = event->lost;
    before.session = es.session_;
    before.again = es.again;
    before.when = now;
    before.value = value;
}

static void subscribe(unsigned i)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), &config);

    mine = &slots[i];
    if (!err)
        err = pyro_es_open(&es, &node, uri, on_event, NULL);
    if (!err)
        (void)pyro_es_subscribe(&es, "n.*", 0); /* it tries again itself */
    while (!err)
        err = pyro_poll(&node, -1);
    _exit(1);
}

/* --- the test --- */

static pid_t begin(void (*run)(unsigned i), unsigned i)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    alarm(100); /* whatever happens to the test */
    if (run == NULL)
        serve();
    else
        run(i);
    _exit(parent == 0);
}

static void finish(pid_t *pid)
{
    kill(*pid, SIGKILL);
    assert_int_equal(waitpid(*pid, NULL, 0), *pid);
    *pid = 0;
}

static uint32_t dice(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* Publishes one event, and now and then waits until the service has taken it;
 * while there is no service it waits for that. */
static bool publish(const char *subject, int32_t value)
{
    pyro_err err = value % 40 == 0
                     ? pyro_es_publish_wait(&es, subject, pyro_int(value))
                     : pyro_es_publish(&es, subject, pyro_int(value));

    if (err != PYRO_OK)
        pyro_poll(&node, 5);
    return err == PYRO_OK;
}

/* Who is stopped, since when, and for how long: so many milliseconds, and so
 * many events more than ring and pipe hold. */
static struct {
    bool     is;
    unsigned i;
    uint32_t since;
    uint32_t ms;
    int32_t  until;
} stopped;

static void hold(unsigned i, uint32_t ms, int32_t published)
{
    stopped.is = true;
    stopped.i = i;
    stopped.since = pyro_now(&node);
    stopped.ms = ms;
    stopped.until = published + 15000;
    kill(sub_pids[i], SIGSTOP);
}

/* Before it is forgotten, in any case: this machine may be slow. */
static void let_go(int32_t published)
{
    uint32_t ms = pyro_now(&node) - stopped.since;

    if (stopped.is
        && ((published >= stopped.until && ms >= stopped.ms)
            || ms > PYRO_ES_AWAY_MS * 2 / 3)) {
        kill(sub_pids[stopped.i], SIGCONT);
        stopped.is = false;
    }
}

/* Something bad happens to somebody. */
static void strike(uint32_t *state, int32_t published, unsigned *restarts)
{
    unsigned i = dice(state) % SUBS;
    unsigned what = dice(state) % 5;

    if (what == 0) {
        finish(&service_pid);
        service_pid = begin(NULL, 0);
        ++*restarts;
    } else if (what <= 2 && !(stopped.is && stopped.i == i)) {
        finish(&sub_pids[i]);
        sub_pids[i] = begin(subscribe, i);
    } else if (!stopped.is) {
        hold(i, what == 3 ? STUCK_MS / 2 : 2 * STUCK_MS, published);
    }
}

static bool all_ended(void)
{
    for (unsigned i = 0; i < SUBS; i++)
        if (!slots[i].ended)
            return false;
    return true;
}

/* Until all have seen a last event; again and again, as the service may lose
 * some before a subscriber is back. */
static void end_of(int32_t value)
{
    uint32_t start = pyro_now(&node);

    for (; !all_ended() && pyro_now(&node) - start < 20000; value++) {
        let_go(INT32_MAX);
        (void)publish("n.end", value);
        pyro_poll(&node, 20);
    }
    for (unsigned i = 0; i < SUBS; i++)
        if (!slots[i].ended)
            fail_msg("subscriber %u has not seen the end: value %u of %d, "
                     "%u events",
                     i, (unsigned)slots[i].value, (int)value,
                     (unsigned)slots[i].events);
}

static void open_all(void)
{
    snprintf(path, sizeof path, "build/es_restarts.%ld", (long)getpid());
    snprintf(uri, sizeof uri, "PYRO://[unix:%s]/" PYRO_ES_NAME, path);
    memset(slots, 0, SUBS * sizeof *slots);
    memset(&stopped, 0, sizeof stopped);
    service_pid = begin(NULL, 0);
    assert_int_equal(pyro_open(&node, PYRO_ROOM_OF(room), &config), PYRO_OK);
    assert_int_equal(pyro_es_open(&es, &node, uri, NULL, NULL), PYRO_OK);
    while (pyro_es_publish_wait(&es, "first", pyro_nil()) != PYRO_OK)
        usleep(10000);
}

/* The service ends by itself, and says that all was in order. */
static void close_all(void)
{
    int status = -1;

    kill(service_pid, SIGTERM);
    assert_int_equal(waitpid(service_pid, &status, 0), service_pid);
    service_pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    pyro_es_close(&es);
    pyro_close(&node);
    unlink(path);
}

static void run(uint32_t seed)
{
    uint32_t state = seed;
    uint32_t lost = 0, seen = 0, returned = 0;
    unsigned restarts = 0;
    int32_t  published = 0, value = 0;

    open_all();
    for (unsigned i = 0; i < SUBS; i++)
        sub_pids[i] = begin(subscribe, i);
    /* One that is held before it has subscribed loses nothing. */
    for (unsigned i = 0; i < 500 && slots[0].events == 0; i++, value++) {
        (void)publish("n.1", value);
        pyro_poll(&node, 10);
    }
    for (; published < EVENTS; value++) {
        if (!publish("n.1", value))
            continue;
        let_go(++published);
        if (published == 1000)
            hold(0, 2 * STUCK_MS, published);
        else if (published % 3000 == 0 && (!stopped.is || restarts > 0))
            strike(&state, published, &restarts);
    }
    end_of(value);
    for (unsigned i = 0; i < SUBS; i++) {
        finish(&sub_pids[i]);
        if (slots[i].bad[0] != 0)
            fail_msg("subscriber %u: %s", i, slots[i].bad);
        seen += slots[i].events;
        lost += slots[i].lost;
        returned += slots[i].returned;
    }
    close_all();
    print_message("seed %u: %u events seen, %u lost, service restarted %u "
                  "times, %u times one came back after it was dropped\n",
                  (unsigned)seed, (unsigned)seen, (unsigned)lost, restarts,
                  (unsigned)returned);
    assert_true(restarts > 0);
    assert_true(returned > 0);
    assert_true(lost >= 1000);
    assert_true(seen >= EVENTS);
}

TEST(a_hundred_thousand_events_have_no_holes_but_those_that_are_told)
{
    run(1);
}

TEST(nor_have_they_when_others_are_struck)
{
    run(4);
}

/* --- a subscriber that listens itself, as Pyro 3's do --- */

static void listener_event(void *self, pyro_call *call)
{
    struct slot *s = (struct slot *)self;

    s->events = (uint32_t)pyro_get_u64(&call->args);
    s->lost = (uint32_t)pyro_get_u64(&call->args);
    pyro_skip(&call->args);
    pyro_skip(&call->args);
    s->value = (uint32_t)pyro_get_i32(&call->args);
}

static const pyro_method listener_methods[] = {
    { "event", listener_event, "n:q lost:q subject:s time:v message:v", "",
      PYRO_ONEWAY },
};
static const pyro_class listener_class = { "Listener",
                                           PYRO_METHODS(listener_methods),
                                           PYRO_NO_ATTRS, NULL, 0 };

/* Subscribes by its own URI and gives the connection it did so by back: it
 * can only be reached by a new one. */
static void listen_at(unsigned i)
{
    char         text[PYRO_URI_BYTES];
    pyro_proxy   proxy;
    pyro_request rq;
    pyro_uri     own;
    pyro_err     err = pyro_open(&node, PYRO_ROOM_OF(room), &config);

    if (!err)
        err = pyro_listen(&node, pyro_posix(), "127.0.0.1:0");
    if (!err)
        err = pyro_export(&node, &listener_class, &slots[i], "ear");
    if (!err)
        err = pyro_uri_of(&node, 0, "ear", text, sizeof text);
    if (!err)
        err = pyro_uri_parse(&own, text, strlen(text), NULL);
    if (!err)
        err = pyro_proxy_open(&proxy, &node, uri);
    if (!err)
        err = pyro_begin(&rq, &proxy, "subscribe");
    if (!err) {
        pyro_put_str(&rq.args, "n.*");
        pyro_put_uri(&rq.args, &own);
        err = pyro_send(&rq, pyro_to_none(), NULL, NULL);
    }
    if (!err)
        err = pyro_wait(&rq);
    slots[i].ended = !err;
    pyro_proxy_close(&proxy);
    while (!err)
        err = pyro_poll(&node, -1);
    _exit(1);
}

/* Subscribers that the service knows, and how many of them are here. */
static uint32_t known(uint32_t *here)
{
    uint8_t     bytes[2000];
    pyro_blob   blob = { bytes, sizeof bytes, 0 };
    pyro_reader in;
    uint32_t    n;

    assert_int_equal(pyro_invoke(pyro_es_proxy(&es), "statistics",
                                 PYRO_NO_ARGS, pyro_to_raw(&blob)),
                     PYRO_OK);
    in = pyro_reader_of(blob.data, blob.used);
    (void)pyro_get_list(&in, 3);
    pyro_skip(&in);
    pyro_skip(&in);
    n = pyro_get_list(&in, 100);
    *here = 0;
    for (uint32_t i = 0; i < n; i++) {
        (void)pyro_get_list(&in, 6);
        for (unsigned k = 0; k < 5; k++)
            pyro_skip(&in);
        *here += pyro_get_bool(&in);
    }
    assert_int_equal(in.err, PYRO_OK);
    return n;
}

/* Polls until so many subscribers are known and here; milliseconds it took. */
static uint32_t until(uint32_t n, uint32_t here, uint32_t most)
{
    uint32_t start = pyro_now(&node);
    uint32_t is;

    while ((known(&is) != n || is != here)
           && pyro_now(&node) - start < most + 5000)
        pyro_poll(&node, 20);
    assert_true(pyro_now(&node) - start < most + 5000);
    return pyro_now(&node) - start;
}

static void pass(uint32_t ms)
{
    uint32_t start = pyro_now(&node);

    while (pyro_now(&node) - start < ms)
        pyro_poll(&node, 20);
}

/* Publishes and waits until the slot has it. */
static void reaches(unsigned i, int32_t value)
{
    assert_int_equal(pyro_es_publish_wait(&es, "n.1", pyro_int(value)),
                     PYRO_OK);
    for (unsigned k = 0; k < 500 && slots[i].value != (uint32_t)value; k++)
        pyro_poll(&node, 10);
    assert_int_equal(slots[i].value, value);
}

/* Slot 0 listens and slot 1 subscribes as others do. */
static void open_listener(void)
{
    open_all();
    sub_pids[0] = begin(listen_at, 0);
    sub_pids[1] = begin(subscribe, 1);
    (void)until(2, 2, 0);
    reaches(0, 1);
    reaches(1, 2);
}

TEST(a_listening_subscriber_is_called_by_its_uri_and_kept_alive)
{
    open_listener();
    pass(3 * DEAD_MS); /* nothing but the keep-alive */
    reaches(0, 3);
    assert_int_equal(slots[0].events, 3); /* n: over the same connection */
    assert_int_equal(slots[0].lost, 0);
    finish(&sub_pids[0]);
    finish(&sub_pids[1]);
    close_all();
}

TEST(one_that_falls_silent_is_gone_in_time_and_others_do_not_notice)
{
    uint32_t ms;

    for (unsigned i = 0; i < 2; i++) { /* the listening one, then the other */
        open_listener();
        kill(sub_pids[i], SIGSTOP); /* its kernel still takes bytes */
        ms = until(2, 1, DEAD_MS);
        assert_true(ms >= DEAD_MS / 3);
        reaches(1 - i, 3);
        ms = until(1, 1, PYRO_ES_AWAY_MS);
        assert_true(ms >= PYRO_ES_AWAY_MS / 3);
        reaches(1 - i, 4);
        assert_int_equal(slots[1 - i].lost, 0);
        finish(&sub_pids[0]);
        finish(&sub_pids[1]);
        close_all();
    }
}

TEST(one_that_is_killed_is_gone_at_once)
{
    for (unsigned i = 0; i < 2; i++) {
        open_listener();
        finish(&sub_pids[i]);
        assert_true(until(2, 1, 0) < DEAD_MS);
        reaches(1 - i, 3);
        (void)until(1, 1, PYRO_ES_AWAY_MS);
        finish(&sub_pids[1 - i]);
        close_all();
    }
}

static int setup(void **state)
{
    (void)state;
    slots = mmap(NULL, SUBS * sizeof *slots, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return slots == MAP_FAILED;
}

/* After a test that failed, too, nothing runs on. */
static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SUBS; i++)
        if (sub_pids[i] > 0)
            kill(sub_pids[i], SIGKILL);
    if (service_pid > 0)
        kill(service_pid, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    unlink(path);
    return munmap(slots, SUBS * sizeof *slots);
}

#define ES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ES_TEST(
            a_hundred_thousand_events_have_no_holes_but_those_that_are_told),
        ES_TEST(nor_have_they_when_others_are_struck),
        ES_TEST(a_listening_subscriber_is_called_by_its_uri_and_kept_alive),
        ES_TEST(
            one_that_falls_silent_is_gone_in_time_and_others_do_not_notice),
        ES_TEST(one_that_is_killed_is_gone_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
