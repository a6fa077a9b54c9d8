/* Processes that call each other over TCP, IPv6 and Unix sockets, and what
 * happens to the others when one is killed, stops, starts anew or is pelted
 * with signals. The test is one of them and forks the rest; each of those
 * ends by itself after KID_SECONDS. */
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { KIDS = 4, KID_SECONDS = 15, TEST_SECONDS = 100, TIMEOUT_MS = 2000 };

/* What a client sends until it has its answer, and a server: a greeting each
 * and add(2, 3). */
enum { GREETING = 30, CLIENT_SENDS = 51, SERVER_SENDS = 39 };

/* The object "svc" of every process. */
static struct service {
    unsigned   ran;
    pid_t      caller; /* "outlive" waits for its end */
    pyro_later later;
} svc;

static pyro_daemon node;
static PYRO_ROOM(4, 6, 512, 2) room;
static pyro_config           config;
static pyro_proxy            P;
static pid_t                 kids[KIDS];
static char                  uri[3][PYRO_URI_BYTES]; /* of servers */
static char                  unix_paths[3][64];
static volatile sig_atomic_t ticks;
static pyro_ring             ring;
static uintptr_t             ring_values[8];
static unsigned              rung; /* values that came by the ring */
static bool                  in_order;
static volatile sig_atomic_t posts;

/* ------------------------------------------------------------------------
 * The object
 * ------------------------------------------------------------------------ */

static void svc_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    ((struct service *)self)->ran++;
    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

/* "uri uri ...": asks the first to ask the rest. The last one that is asked
 * answers with its process number. */
static void svc_via(void *self, pyro_call *call)
{
    char        first[PYRO_URI_BYTES];
    uint32_t    n;
    const char *all = pyro_get_str(&call->args, &n);
    const char *blank = memchr(all, ' ', n);
    size_t      m = blank != NULL ? (size_t)(blank - all) : n;
    size_t      rest = blank != NULL ? m + 1 : n;
    pyro_proxy  next;
    int32_t     pid = 0;

    ((struct service *)self)->ran++;
    if (n == 0) {
        pyro_put_int(&call->result, getpid());
        return;
    }
    memcpy(first, all, m);
    first[m] = '\0';
    if (pyro_proxy_open(&next, call->node, first) != PYRO_OK)
        pyro_raise(call, "ValueError", first);
    else if (pyro_invoke(&next, "via",
                         PYRO_ARGS(pyro_strn(all + rest, n - rest)),
                         pyro_to_i32(&pid))
             != PYRO_OK)
        pyro_reraise(call, &next);
    else
        pyro_put_int(&call->result, pid);
    pyro_proxy_close(&next);
}

/* Calls the caller's object over the caller's connection. */
static void svc_back(void *self, pyro_call *call)
{
    pyro_uri   its;
    pyro_proxy caller;
    int32_t    sum = 0;

    (void)self;
    pyro_get_uri(&call->args, &its);
    if (pyro_proxy_from(&caller, call, &its) != PYRO_OK)
        return;
    if (pyro_invoke(&caller, "add", PYRO_ARGS(pyro_int(20), pyro_int(1)),
                    pyro_to_i32(&sum))
        != PYRO_OK)
        pyro_reraise(call, &caller);
    else
        pyro_put_int(&call->result, 2 * sum);
    pyro_proxy_close(&caller);
}

/* Does to its own process what a signal does. */
static void svc_signal(void *self, pyro_call *call)
{
    (void)self;
    kill(getpid(), (int)pyro_get_i32(&call->args));
}

static void svc_note(void *self, pyro_call *call)
{
    (void)call;
    ((struct service *)self)->ran++;
}

static void svc_outlive(void *self, pyro_call *call)
{
    struct service *s = (struct service *)self;

    (void)call;
    s->ran++;
    waitpid(s->caller, NULL, 0);
}

static void svc_later(void *self, pyro_call *call)
{
    struct service *s = (struct service *)self;

    s->ran++;
    pyro_defer(call, &s->later, 60000);
}

static const pyro_method svc_methods[] = {
    { "add", svc_add, "ii", "i", 0 },
    { "via", svc_via, "s", "i", 0 },
    { "back", svc_back, "U", "i", 0 },
    { "signal", svc_signal, "i", "", 0 },
    { "note", svc_note, "y", "", PYRO_ONEWAY },
    { "outlive", svc_outlive, "", "", 0 },
    { "later", svc_later, "", "i", 0 }
};
static const pyro_class svc_class = { "Service", PYRO_METHODS(svc_methods),
                                      PYRO_NO_ATTRS, NULL, 0 };

/* ------------------------------------------------------------------------
 * A port that takes its process with it: after `mortal_bytes` the next byte
 * to be sent kills it.
 * ------------------------------------------------------------------------ */

static uint32_t mortal_bytes = UINT32_MAX;

static int32_t mortal_send(const pyro_port *port, int32_t handle,
                           const void *data, uint32_t n)
{
    int32_t sent;

    if (mortal_bytes == 0)
        kill(getpid(), SIGKILL);
    if (n > mortal_bytes)
        n = mortal_bytes;
    sent = pyro_posix()->send(port, handle, data, n);
    if (sent > 0)
        mortal_bytes -= (uint32_t)sent;
    return sent;
}

static const pyro_port *mortal_port(void)
{
    static pyro_port port;

    port = *pyro_posix();
    port.send = mortal_send;
    return &port;
}

/* ------------------------------------------------------------------------
 * Processes
 * ------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Forks. Returns true in the child, which has no other descriptor than `keep`
 * (or -1), and no trace of what the test had open. */
static bool spawn(unsigned kid, int keep)
{
    assert_int_equal(kids[kid], 0);
    fflush(NULL);
    kids[kid] = fork();
    assert_true(kids[kid] >= 0);
    if (kids[kid] != 0)
        return false;
    alarm(KID_SECONDS);
    for (int fd = 3; fd < 256; fd++)
        if (fd != keep)
            close(fd);
    memset(&node, 0, sizeof node);
    memset(&svc, 0, sizeof svc);
    return true;
}

/* Waits until a child has ended, for as long as it may live. */
static int reap(unsigned kid)
{
    int status = -1;

    while (waitpid(kids[kid], &status, 0) < 0 && errno == EINTR)
        continue;
    kids[kid] = 0;
    return status;
}

static void slay(unsigned kid)
{
    assert_true(kids[kid] > 0);
    kill(kids[kid], SIGKILL);
    reap(kid);
}

static bool ended_well(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void tick(int signal)
{
    (void)signal;
    if (++ticks > 100000)
        _exit(9); /* in place of the alarm, which is the same timer */
}

/* A signal five thousand times a second, none of which restarts anything. */
static void storm(void)
{
    struct sigaction act;
    struct itimerval every = { { 0, 200 }, { 0, 200 } };

    memset(&act, 0, sizeof act);
    act.sa_handler = tick;
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/* A server, until it is killed: tells its address and serves. */
static void serve(const char *address, int to, bool stormy)
{
    char text[80] = "";

    if (stormy)
        storm();
    if (pyro_open(&node, PYRO_ROOM_OF(room), &config) != PYRO_OK
        || pyro_listen(&node, mortal_port(), address) != PYRO_OK
        || pyro_export(&node, &svc_class, &svc, "svc") != PYRO_OK
        || pyro_listening(&node, 0, text, sizeof text) != PYRO_OK
        || write(to, text, sizeof text) != sizeof text)
        _exit(1);
    close(to);
    while (pyro_poll(&node, 1000) == PYRO_OK)
        continue;
    _exit(1);
}

static void set_uri(unsigned kid, const char *address)
{
    bool path = strncmp(address, "unix:", 5) == 0;

    snprintf(uri[kid], sizeof uri[kid],
             path ? "PYRO://[%s]/svc" : "PYRO://%s/svc", address);
}

/* Starts a server; uri[kid] is where its object is. */
static void start_as(unsigned kid, const char *address, bool stormy)
{
    char text[80];
    int  fds[2];

    assert_int_equal(pipe(fds), 0);
    if (spawn(kid, fds[1]))
        serve(address, fds[1], stormy);
    close(fds[1]);
    test_eq(address, read(fds[0], text, sizeof text), sizeof text);
    close(fds[0]);
    set_uri(kid, text);
}

static void start(unsigned kid, const char *address)
{
    start_as(kid, address, false);
}

/* The test's own daemon; in children too. */
static pyro_err open_node(void)
{
    return pyro_open(&node, PYRO_ROOM_OF(room), &config);
}

/* ... with the object of a server to call, and one to be called back. */
static void open_client(const char *text)
{
    assert_int_equal(open_node(), PYRO_OK);
    assert_int_equal(pyro_export(&node, &svc_class, &svc, "svc"), PYRO_OK);
    assert_int_equal(pyro_proxy_open(&P, &node, text), PYRO_OK);
}

/* ... listening; uri[0] is where its object is. */
static void open_server(const char *address)
{
    char text[80];

    assert_int_equal(open_node(), PYRO_OK);
    assert_int_equal(pyro_export(&node, &svc_class, &svc, "svc"), PYRO_OK);
    assert_int_equal(pyro_listen(&node, pyro_posix(), address), PYRO_OK);
    assert_int_equal(pyro_listening(&node, 0, text, sizeof text), PYRO_OK);
    set_uri(0, text);
}

static pyro_err add(int32_t *sum)
{
    return pyro_invoke(&P, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                       pyro_to_i32(sum));
}

/* The proxy works, after whatever happened. */
static void works(const char *row)
{
    int32_t sum = 0;

    test_eq(row, add(&sum), PYRO_OK);
    test_eq(row, sum, 5);
}

/* An error, with what is known of the call, in no more than `ms`. */
static void fails(const char *row, pyro_err want, bool sent, int32_t ms)
{
    int64_t start_ms = now_ms();
    int32_t sum = -1;

    test_eq(row, add(&sum), want);
    test_eq(row, sum, -1);
    test_eq(row, pyro_sent(&P), sent);
    assert_in_range(now_ms() - start_ms, 0, ms);
}

/* Polls until all buffers are back and nobody is connected, or too long. */
static void come_to_rest(void)
{
    int64_t end = now_ms() + 5000;

    while ((node.n_links_ > 0 || node.n_[PYROI_SPARE] < node.room_.n_buffers)
           && now_ms() < end)
        assert_int_equal(pyro_poll(&node, 10), PYRO_OK);
    assert_null(pyro_check(&node));
    assert_int_equal(node.n_links_, 0);
    assert_int_equal(node.n_[PYROI_SPARE], node.room_.n_buffers);
}

static void close_node(void)
{
    assert_null(pyro_check(&node));
    pyro_close(&node);
    assert_int_equal(node.n_[PYROI_SPARE], node.room_.n_buffers);
    memset(&node, 0, sizeof node);
}

static int setup(void **state)
{
    (void)state;
    memset(&svc, 0, sizeof svc);
    memset(&node, 0, sizeof node);
    memset(&config, 0, sizeof config);
    config.timeout_ms = TIMEOUT_MS;
    config.greet_ms = 1000;
    mortal_bytes = UINT32_MAX;
    rung = 0;
    in_order = true;
    posts = 0;
    ticks = 0;
    alarm(TEST_SECONDS);
    return 0;
}

/* Whatever a test did: no buffer is missing, no child is left. */
static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KIDS; i++)
        if (kids[i] > 0)
            slay(i);
    if (node.room_.n_buffers > 0)
        close_node();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    alarm(0);
    return 0;
}

static bool has_ipv6(void)
{
    const pyro_port *port = pyro_posix();
    int32_t          handle = port->listen(port, "[::1]:0");

    if (handle < 0)
        return false;
    port->close(port, handle);
    return true;
}

/* ------------------------------------------------------------------------
 * Calls in circles
 * ------------------------------------------------------------------------ */

static void there_and_back(const char *b)
{
    int32_t got = 0;

    start(1, b);
    open_client(uri[1]);
    test_eq(b,
            pyro_invoke(&P, "back", PYRO_ARGS(pyro_here("svc")),
                        pyro_to_i32(&got)),
            PYRO_OK);
    test_eq(b, got, 42);
    test_eq(b, svc.ran, 1);
}

TEST(a_calls_b_calls_a_over_tcp)
{
    there_and_back("127.0.0.1:0");
}

TEST(a_calls_b_calls_a_over_ipv6)
{
    if (!has_ipv6())
        skip();
    there_and_back("[::1]:0");
}

TEST(a_calls_b_calls_a_over_a_unix_socket)
{
    there_and_back(unix_paths[1]);
}

/* By three connections; A is called while it waits for B. */
static void round_trip(const char *a, const char *b, const char *c)
{
    char    way[2 * PYRO_URI_BYTES];
    int32_t pid = 0;

    start(1, b);
    start(2, c);
    open_server(a);
    assert_int_equal(pyro_proxy_open(&P, &node, uri[1]), PYRO_OK);
    snprintf(way, sizeof way, "%s %s", uri[2], uri[0]);
    test_eq(b,
            pyro_invoke(&P, "via", PYRO_ARGS(pyro_str(way)),
                        pyro_to_i32(&pid)),
            PYRO_OK);
    test_eq(b, pid, getpid());
    test_eq(b, svc.ran, 1);
}

TEST(a_calls_b_calls_c_calls_a_over_tcp)
{
    round_trip("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
}

TEST(a_calls_b_calls_c_calls_a_over_ipv6)
{
    if (!has_ipv6())
        skip();
    round_trip("[::1]:0", "[::1]:0", "[::1]:0");
}

TEST(a_calls_b_calls_c_calls_a_over_unix_sockets)
{
    round_trip(unix_paths[0], unix_paths[1], unix_paths[2]);
}

TEST(a_circle_may_go_over_different_kinds_of_sockets)
{
    round_trip("*:0", unix_paths[1], "127.0.0.1:0");
}

/* ------------------------------------------------------------------------
 * Killed and stopped
 * ------------------------------------------------------------------------ */

/* In its greeting the call was not sent, after it the call was. */
static void kill_servers(const char *address)
{
    char row[80];

    for (uint32_t k = 0; k < SERVER_SENDS; k++) {
        snprintf(row, sizeof row, "%s: a server that sends %u bytes", address,
                 (unsigned)k);
        mortal_bytes = k;
        start(1, address);
        mortal_bytes = UINT32_MAX;
        open_client(uri[1]);
        fails(row, PYRO_ERR_CLOSED, k >= GREETING, TIMEOUT_MS);
        test_eq(row, WTERMSIG(reap(1)), SIGKILL);
        come_to_rest();
        start(1, address); /* and nothing is left of it */
        pyro_proxy_close(&P);
        assert_int_equal(pyro_proxy_open(&P, &node, uri[1]), PYRO_OK);
        works(row);
        slay(1);
        close_node();
    }
}

TEST(a_server_killed_at_any_byte_of_its_answer_ends_the_call)
{
    kill_servers("127.0.0.1:0");
}

TEST(so_does_one_with_a_unix_socket)
{
    kill_servers(unix_paths[1]);
}

/* A client: 0 for a call that worked. */
static void call_once(uint32_t bytes)
{
    int32_t sum = 0;

    mortal_bytes = bytes;
    config.port = mortal_port();
    if (open_node() != PYRO_OK || pyro_proxy_open(&P, &node, uri[0]) != PYRO_OK
        || add(&sum) != PYRO_OK || sum != 5)
        _exit(1);
    pyro_close(&node);
    _exit(0);
}

/* Serves until a child has ended and is gone. */
static int serve_until_end(unsigned kid)
{
    int64_t end = now_ms() + 5000;
    int     status = -1;
    pid_t   ended = 0;

    while (ended == 0 && now_ms() < end) {
        assert_int_equal(pyro_poll(&node, 1), PYRO_OK);
        ended = waitpid(kids[kid], &status, WNOHANG);
    }
    test_eq("child ended", ended, kids[kid]);
    kids[kid] = 0;
    come_to_rest();
    return status;
}

static void kill_clients(const char *address)
{
    char row[80];

    open_server(address);
    for (uint32_t k = 0; k <= CLIENT_SENDS; k++) {
        int status;

        snprintf(row, sizeof row, "%s: a client that sends %u bytes", address,
                 (unsigned)k);
        svc.ran = 0;
        if (spawn(1, -1))
            call_once(k);
        status = serve_until_end(1);
        test_eq(row, svc.ran, k == CLIENT_SENDS);
        if (k == CLIENT_SENDS)
            test_eq(row, ended_well(status), true);
        else
            test_eq(row, WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
    }
}

TEST(a_client_killed_at_any_byte_of_its_call_runs_nothing)
{
    kill_clients("127.0.0.1:0");
}

TEST(nor_does_one_with_a_unix_socket)
{
    kill_clients(unix_paths[0]);
}

TEST(a_server_killed_in_a_handler_ends_the_call_as_closed)
{
    int64_t start_ms = now_ms();

    start(1, "127.0.0.1:0");
    open_client(uri[1]);
    works("before");
    assert_int_equal(pyro_invoke(&P, "signal", PYRO_ARGS(pyro_int(SIGKILL)),
                                 pyro_to_none()),
                     PYRO_ERR_CLOSED);
    assert_true(pyro_sent(&P));
    assert_true(now_ms() - start_ms < TIMEOUT_MS);
    assert_int_equal(WTERMSIG(reap(1)), SIGKILL);
}

TEST(a_server_that_stops_costs_the_timeout_and_no_more)
{
    int64_t start_ms;

    start(1, "127.0.0.1:0");
    open_client(uri[1]);
    works("before");
    P.timeout_ms = 200;
    start_ms = now_ms();
    assert_int_equal(pyro_invoke(&P, "signal", PYRO_ARGS(pyro_int(SIGSTOP)),
                                 pyro_to_none()),
                     PYRO_ERR_TIMEOUT);
    assert_true(pyro_sent(&P));
    assert_in_range(now_ms() - start_ms, 200, 1200);
    fails("stopped", PYRO_ERR_TIMEOUT, true, 1200);
    kill(kids[1], SIGCONT);
    P.timeout_ms = TIMEOUT_MS;
    works("goes on");
}

/* Its connections are made, by the system, and nobody ever speaks. */
TEST(a_server_that_never_greets_ends_the_call_as_not_sent)
{
    const pyro_port *port = pyro_posix();
    char             text[80];
    int32_t          handle = port->listen(port, "127.0.0.1:0");

    assert_true(handle >= 0);
    assert_true(port->address(port, handle, false, text, sizeof text));
    set_uri(1, text);
    open_client(uri[1]);
    P.timeout_ms = 300;
    fails("shorter than greet_ms", PYRO_ERR_TIMEOUT, false, 1300);
    port->close(port, handle);
    P.timeout_ms = TIMEOUT_MS;
    fails("nobody listens", PYRO_ERR_CLOSED, false, TIMEOUT_MS);
}

/* ------------------------------------------------------------------------
 * Started anew
 * ------------------------------------------------------------------------ */

static void restart(const char *address)
{
    char    same[80];
    int32_t sum;

    start(1, address);
    open_client(uri[1]);
    works(address);
    snprintf(same, sizeof same, "%.*s", (int)(strlen(uri[1]) - 11),
             uri[1] + 7); /* without PYRO:// and /svc */
    if (same[0] == '[' && same[1] == 'u')
        snprintf(same, sizeof same, "%s", address);
    slay(1);
    test_eq(address, add(&sum), PYRO_ERR_CLOSED); /* sent or not, as it is */
    start(1, same);
    works(address);
    slay(1);
    start(1, same);
    assert_int_equal(pyro_poll(&node, 100), PYRO_OK); /* notices */
    works(address);
}

TEST(a_proxy_connects_anew_when_its_server_is_back)
{
    restart("127.0.0.1:0");
}

TEST(and_over_a_unix_socket)
{
    restart(unix_paths[1]);
}

/* ------------------------------------------------------------------------
 * Signals
 * ------------------------------------------------------------------------ */

/* 0: lived through a server's death without SIGPIPE. */
static void talk_to_the_dead(pid_t server)
{
    uint8_t bytes[100];
    int32_t sum = 0;

    memset(bytes, 0, sizeof bytes);
    signal(SIGPIPE, SIG_DFL);
    if (open_node() != PYRO_OK || pyro_proxy_open(&P, &node, uri[1]) != PYRO_OK
        || add(&sum) != PYRO_OK)
        _exit(1);
    kill(server, SIGKILL);
    for (unsigned i = 0; i < 20; i++) {
        pyro_oneway(&P, "note", PYRO_ARGS(pyro_bin(bytes, sizeof bytes)));
        pyro_flush(&node);
        usleep(1000);
    }
    _exit(add(&sum) == PYRO_ERR_CLOSED ? 0 : 2);
}

static void no_sigpipe(const char *address)
{
    int status;

    start(1, address);
    if (spawn(2, -1))
        talk_to_the_dead(kids[1]);
    status = reap(2);
    test_eq(address, WIFSIGNALED(status) ? WTERMSIG(status) : 0, 0);
    test_eq(address, WEXITSTATUS(status), 0);
    reap(1);
}

TEST(a_connection_that_breaks_never_kills_who_sends)
{
    no_sigpipe("127.0.0.1:0");
    no_sigpipe(unix_paths[1]);
}

/* 0: a thousand calls, in the storm. */
static void call_in_storm(void)
{
    int32_t sum;

    storm();
    if (open_node() != PYRO_OK
        || pyro_proxy_open(&P, &node, uri[1]) != PYRO_OK)
        _exit(1);
    for (unsigned i = 0; i < 1000 || ticks < 20; i++) {
        sum = 0;
        if (add(&sum) != PYRO_OK || sum != 5)
            _exit(2);
    }
    _exit(0);
}

TEST(a_thousand_calls_get_through_a_storm_of_signals)
{
    start_as(1, "127.0.0.1:0", true);
    if (spawn(2, -1))
        call_in_storm();
    assert_true(ended_well(reap(2)));
}

static void on_value(void *user, uintptr_t value)
{
    (void)user;
    if (value != ++rung)
        in_order = false;
}

static void open_ring(void)
{
    assert_int_equal(open_node(), PYRO_OK);
    assert_int_equal(pyro_listen(&node, pyro_posix(), "127.0.0.1:0"), PYRO_OK);
    memset(&ring, 0, sizeof ring);
    ring.fn = on_value;
    ring.values = ring_values;
    ring.size = (uint8_t)PYRO_COUNT(ring_values);
    pyro_ring_add(&node, &ring);
    assert_int_equal(pyro_wake_open(&node), PYRO_OK);
}

/* Polls that would wait ten seconds, until a value has come. */
static void await_value(unsigned number)
{
    for (unsigned polls = 0; rung < number && polls < 3; polls++)
        assert_int_equal(pyro_poll(&node, 10000), PYRO_OK);
    assert_int_equal(rung, number);
    assert_true(in_order);
}

static void on_usr1(int signal)
{
    (void)signal;
    posts++;
    pyro_post(&ring, (uintptr_t)posts);
    pyro_wake(&node);
}

/* Sends a signal for each byte it gets. */
static void pelt(int from, pid_t whom)
{
    char byte;

    while (read(from, &byte, 1) == 1) {
        usleep(2000); /* it shall wait by then; it need not */
        kill(whom, SIGUSR1);
    }
    _exit(0);
}

TEST(a_signal_handler_may_post_and_wake)
{
    int64_t start_ms;
    int     fds[2];
    pid_t   me = getpid();

    assert_int_equal(pipe(fds), 0);
    signal(SIGUSR1, on_usr1);
    open_ring();
    if (spawn(1, fds[0]))
        pelt(fds[0], me);
    close(fds[0]);
    start_ms = now_ms();
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(write(fds[1], "x", 1), 1);
        await_value(i);
    }
    assert_true(now_ms() - start_ms < 9000);
    close(fds[1]);
    assert_true(ended_well(reap(1)));
    signal(SIGUSR1, SIG_DFL);
}

static void *post_and_wake(void *user)
{
    const int *from = (const int *)user;
    char       byte;

    for (uintptr_t i = 1; read(*from, &byte, 1) == 1; i++) {
        usleep(2000);
        pyro_post(&ring, i);
        pyro_wake(&node);
    }
    return NULL;
}

TEST(another_thread_may_post_and_wake)
{
    pthread_t thread;
    int64_t   start_ms;
    int       fds[2];

    assert_int_equal(pipe(fds), 0);
    open_ring();
    assert_int_equal(pthread_create(&thread, NULL, post_and_wake, &fds[0]), 0);
    start_ms = now_ms();
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(write(fds[1], "x", 1), 1);
        await_value(i);
    }
    assert_true(now_ms() - start_ms < 9000);
    close(fds[1]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(fds[0]);
}

/* ------------------------------------------------------------------------
 * Nobody left to answer
 * ------------------------------------------------------------------------ */

/* Sends a call and ends without waiting for it. */
static void call_and_go(const char *method)
{
    pyro_request rq;
    int64_t      end = now_ms() + 5000;

    if (open_node() != PYRO_OK || pyro_proxy_open(&P, &node, uri[0]) != PYRO_OK
        || pyro_begin(&rq, &P, method) != PYRO_OK
        || pyro_send(&rq, pyro_to_none(), NULL, NULL) != PYRO_OK)
        _exit(1);
    while (!pyro_request_sent(&rq) && now_ms() < end)
        pyro_poll(&node, 10);
    _exit(pyro_request_sent(&rq) ? 0 : 2);
}

/* The server can still serve somebody else. */
static void serves(void)
{
    svc.ran = 0;
    if (spawn(2, -1))
        call_once(UINT32_MAX);
    assert_true(ended_well(serve_until_end(2)));
    assert_int_equal(svc.ran, 1);
}

static void serve_calls(unsigned n)
{
    int64_t end = now_ms() + 5000;

    while (svc.ran < n && now_ms() < end)
        assert_int_equal(pyro_poll(&node, 100), PYRO_OK);
    assert_int_equal(svc.ran, n);
}

static void outlive(const char *address)
{
    open_server(address);
    if (spawn(1, -1))
        call_and_go("outlive");
    svc.caller = kids[1];
    serve_calls(1); /* its handler waits until the client has ended */
    kids[1] = 0;
    come_to_rest();
    serves();
    close_node();
    svc.ran = 0;
}

TEST(a_reply_after_the_client_is_gone_hurts_nobody)
{
    outlive("127.0.0.1:0");
    outlive(unix_paths[0]);
}

TEST(a_deferred_reply_after_the_client_is_gone_is_an_error)
{
    open_server("127.0.0.1:0");
    if (spawn(1, -1))
        call_and_go("later");
    serve_calls(1);
    assert_true(ended_well(reap(1)));
    come_to_rest();
    assert_false(pyro_later_open(&svc.later));
    pyro_put_int(pyro_finish(&svc.later), 1);
    assert_int_equal(pyro_reply(&svc.later), PYRO_ERR_CLOSED);
    serves();
}

/* ------------------------------------------------------------------------ */

#define PROCESS_TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, teardown)

static void name_paths(void)
{
    mkdir("build", 0777);
    for (unsigned i = 0; i < 3; i++)
        snprintf(unix_paths[i], sizeof unix_paths[i],
                 "unix:build/process.%ld.%u", (long)getpid(), i);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PROCESS_TEST(a_calls_b_calls_a_over_tcp),
        PROCESS_TEST(a_calls_b_calls_a_over_ipv6),
        PROCESS_TEST(a_calls_b_calls_a_over_a_unix_socket),
        PROCESS_TEST(a_calls_b_calls_c_calls_a_over_tcp),
        PROCESS_TEST(a_calls_b_calls_c_calls_a_over_ipv6),
        PROCESS_TEST(a_calls_b_calls_c_calls_a_over_unix_sockets),
        PROCESS_TEST(a_circle_may_go_over_different_kinds_of_sockets),
        PROCESS_TEST(a_server_killed_at_any_byte_of_its_answer_ends_the_call),
        PROCESS_TEST(so_does_one_with_a_unix_socket),
        PROCESS_TEST(a_client_killed_at_any_byte_of_its_call_runs_nothing),
        PROCESS_TEST(nor_does_one_with_a_unix_socket),
        PROCESS_TEST(a_server_killed_in_a_handler_ends_the_call_as_closed),
        PROCESS_TEST(a_server_that_stops_costs_the_timeout_and_no_more),
        PROCESS_TEST(a_server_that_never_greets_ends_the_call_as_not_sent),
        PROCESS_TEST(a_proxy_connects_anew_when_its_server_is_back),
        PROCESS_TEST(and_over_a_unix_socket),
        PROCESS_TEST(a_connection_that_breaks_never_kills_who_sends),
        PROCESS_TEST(a_thousand_calls_get_through_a_storm_of_signals),
        PROCESS_TEST(a_signal_handler_may_post_and_wake),
        PROCESS_TEST(another_thread_may_post_and_wake),
        PROCESS_TEST(a_reply_after_the_client_is_gone_hurts_nobody),
        PROCESS_TEST(a_deferred_reply_after_the_client_is_gone_is_an_error)
    };
    int failed;

    name_paths();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (unsigned i = 0; i < 3; i++)
        unlink(unix_paths[i] + 5);
    return failed;
}
