/* The port for sockets, called directly: addresses, bytes, read-ahead and
 * how many system calls it takes, waiting, waking. Loopback and Unix sockets
 * only. */
#include <poll.h>
#include <sys/socket.h>

/* System calls since it was zeroed. The macros below rename the port's
 * member `recv` too, everywhere alike. */
static struct {
    int recvs;
    int recvmsgs;
    int polls;
} made;

static ssize_t counted_recv(int fd, void *to, size_t n, int flags)
{
    made.recvs++;
    return recv(fd, to, n, flags);
}

static ssize_t counted_recvmsg(int fd, struct msghdr *m, int flags)
{
    made.recvmsgs++;
    return recvmsg(fd, m, flags);
}

static int counted_poll(struct pollfd *set, nfds_t n, int ms)
{
    made.polls++;
    return poll(set, n, ms);
}

#define recv    counted_recv
#define recvmsg counted_recvmsg
#define poll    counted_poll
#define PYRO_POSIX
#define PYRO_POSIX_HANDLES 8
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM PYROI_POSIX_ROOM

/* One end of a connection, as the library keeps it. */
struct end {
    pyro_item item;
    uint32_t  ahead[PYRO_LINK_AHEAD / 4 + 1];
};

struct net {
    int32_t    listener;
    struct end server;
    struct end client;
    char       address[128]; /* of the listener */
};

static struct net net;
static char       unix_address[64];
static uint8_t    out[80000];
static uint8_t    in[80000];

static const pyro_port *port(void)
{
    return pyro_posix();
}

static void end_begin(struct end *e, int32_t handle, unsigned want)
{
    memset(e, 0, sizeof *e);
    e->item.port = port();
    e->item.ahead = e->ahead;
    e->item.handle = handle;
    e->item.want = (uint8_t)want;
}

static unsigned wait_for(struct end *e, unsigned want, int32_t ms)
{
    e->item.want = (uint8_t)want;
    e->item.ready = 0x80; /* wait has to replace it */
    port()->wait(port(), &e->item, ms);
    return e->item.ready;
}

static int32_t take(struct end *e, void *to, uint32_t n)
{
    return port()->recv(port(), e->item.handle, e->ahead, to, n);
}

static int32_t give(struct end *e, const void *data, uint32_t n)
{
    return port()->send(port(), e->item.handle, data, n);
}

static bool has_more(int32_t got)
{
    return got >= 0 && (got & PYRO_PORT_MORE) != 0;
}

static int32_t count_of(int32_t got)
{
    return got < 0 ? got : got & ~PYRO_PORT_MORE;
}

/* Lets what was sent arrive, and counts from there. */
static void arrive(const struct end *e)
{
    struct pollfd p = { 0, POLLIN, 0 };

    p.fd = e->item.handle;
    assert_int_equal(1, poll(&p, 1, 2000));
    memset(&made, 0, sizeof made);
}

static int32_t accept_one(int32_t listener)
{
    struct end l;

    end_begin(&l, listener, PYRO_IN);
    l.item.ahead = NULL;
    assert_int_equal(PYRO_IN, wait_for(&l, PYRO_IN, 2000));
    return port()->accept(port(), listener);
}

static void net_open(const char *address)
{
    int32_t handle;

    net.listener = port()->listen(port(), address);
    assert_true(net.listener >= 0);
    assert_true(port()->address(port(), net.listener, false, net.address,
                                sizeof net.address));
    handle = port()->connect(port(), net.address);
    assert_true(handle >= 0);
    end_begin(&net.client, handle, PYRO_OUT);
    handle = accept_one(net.listener);
    assert_true(handle >= 0);
    end_begin(&net.server, handle, PYRO_IN);
    assert_int_equal(PYRO_OUT, wait_for(&net.client, PYRO_OUT, 2000));
}

static void shut(int32_t *handle)
{
    if (*handle >= 0)
        port()->close(port(), *handle);
    *handle = -1;
}

static int tcp_up(void **state)
{
    (void)state;
    net_open("127.0.0.1:0");
    return 0;
}

static int unix_up(void **state)
{
    (void)state;
    net_open(unix_address);
    return 0;
}

static int down(void **state)
{
    (void)state;
    shut(&net.client.item.handle);
    shut(&net.server.item.handle);
    shut(&net.listener);
    unlink(unix_address + 5);
    return 0;
}

static void fill(void)
{
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    memset(in, 0, sizeof in);
}

/* --- addresses --- */

static void texts_that_are_no_address_are_refused(void **state)
{
    static const char *const texts[] = { "",
                                         ":",
                                         "*",
                                         "x",
                                         "1.2.3.4",
                                         "1.2.3.4:",
                                         "1.2.3.4:x",
                                         "127.0.0.1:65536",
                                         "127.0.0.1:100000",
                                         "127.0.0.1:000080",
                                         "127.0.0.1:+1",
                                         "127.0.0.1:-1",
                                         "127.0.0.1: 1",
                                         "127.0.0.1:1 ",
                                         "99999999999999999999",
                                         "::1:7766",
                                         "[::1]",
                                         "[::1:7766",
                                         "::1]:7766",
                                         "[]:1",
                                         "[1.2.3.4]:1",
                                         "[localhost]:1",
                                         "unix:" };

    (void)state;
    for (size_t i = 0; i < PYRO_COUNT(texts); i++) {
        if (port()->listen(port(), texts[i]) >= 0)
            fail_msg("listens at \"%s\"", texts[i]);
        if (port()->connect(port(), texts[i]) >= 0)
            fail_msg("connects to \"%s\"", texts[i]);
    }
}

static void nobody_connects_to_all_interfaces_or_port_0(void **state)
{
    (void)state;
    assert_true(port()->connect(port(), "*:7766") < 0);
    assert_true(port()->connect(port(), "0") < 0);
    assert_true(port()->connect(port(), "127.0.0.1:0") < 0);
    assert_true(port()->connect(port(), "[::1]:0") < 0);
}

static void a_host_or_path_may_be_as_long_as_its_limit(void **state)
{
    char    text[300] = "";
    size_t  path = sizeof((struct sockaddr_un *)0)->sun_path;
    int32_t handle;

    (void)state;
    snprintf(text, sizeof text, "unix:build/%0*d", (int)path - 6, 0);
    assert_true(port()->listen(port(), text) < 0);
    text[strlen(text) - 1] = 0;
    handle = port()->listen(port(), text);
    assert_true(handle >= 0);
    shut(&handle);
    assert_int_equal(0, unlink(text + 5));
    snprintf(text, sizeof text, "%0*d:1", PYRO_MAX_HOST + 1, 0);
    assert_true(port()->listen(port(), text) < 0);
}

static void without_a_host_only_this_machine_is_listened_on(void **state)
{
    static const char *const texts[] = { "0", ":0", "localhost:0",
                                         "127.0.0.1:0" };
    char                     text[64];

    (void)state;
    for (size_t i = 0; i < PYRO_COUNT(texts); i++) {
        int32_t handle = port()->listen(port(), texts[i]);

        assert_true(handle >= 0);
        assert_true(port()->address(port(), handle, false, text, sizeof text));
        assert_int_equal(0, strncmp(text, "127.0.0.1:", 10));
        assert_int_not_equal(0, strtol(text + 10, NULL, 10));
        assert_true(port()->listen(port(), text) < 0); /* it is taken */
        assert_false(port()->address(port(), handle, true, text, sizeof text));
        shut(&handle);
    }
}

/* Connects to the listener's port at `host`; the accepted end sees the peer's
 * address begin with `host`. */
static void reach(int32_t listener, const char *host)
{
    char    text[64], url[96];
    int32_t client, server;

    assert_true(port()->address(port(), listener, false, text, sizeof text));
    snprintf(url, sizeof url, "%s%s", host, strrchr(text, ':'));
    client = port()->connect(port(), url);
    assert_true(client >= 0);
    server = accept_one(listener);
    assert_true(server >= 0);
    assert_true(port()->address(port(), server, true, text, sizeof text));
    assert_int_equal(0, strncmp(text, host, strlen(host)));
    shut(&client);
    shut(&server);
}

static void a_star_is_reached_by_ipv4(void **state)
{
    int32_t listener = port()->listen(port(), "*:0");

    (void)state;
    assert_true(listener >= 0);
    reach(listener, "127.0.0.1");
    shut(&listener);
}

static void a_star_is_reached_by_ipv6(void **state)
{
    int32_t probe = port()->listen(port(), "[::1]:0");
    int32_t listener;

    (void)state;
    if (probe < 0)
        skip();
    shut(&probe);
    listener = port()->listen(port(), "*:0");
    assert_true(listener >= 0);
    reach(listener, "[::1]");
    shut(&listener);
}

static void both_ends_tell_the_same_addresses(void **state)
{
    char a[64], b[64];

    (void)state;
    for (int peer = 0; peer < 2; peer++) {
        assert_true(port()->address(port(), net.client.item.handle, peer == 1,
                                    a, sizeof a));
        assert_true(port()->address(port(), net.server.item.handle, peer == 0,
                                    b, sizeof b));
        assert_string_equal(a, b);
    }
    assert_string_equal(a, net.address);
}

static void an_address_is_given_whole_or_not_at_all(void **state)
{
    char   text[64] = "untouched";
    size_t n = strlen(net.address);

    (void)state;
    assert_false(port()->address(port(), net.listener, false, text, n));
    assert_string_equal("untouched", text);
    assert_true(port()->address(port(), net.listener, false, text, n + 1));
    assert_string_equal(net.address, text);
}

static void the_connecting_end_of_a_unix_socket_has_no_address(void **state)
{
    char text[128];

    (void)state;
    assert_string_equal(unix_address, net.address);
    assert_false(port()->address(port(), net.client.item.handle, false, text,
                                 sizeof text));
    assert_false(port()->address(port(), net.server.item.handle, true, text,
                                 sizeof text));
    assert_true(port()->address(port(), net.client.item.handle, true, text,
                                sizeof text));
    assert_string_equal(unix_address, text);
}

static void a_socket_file_left_over_is_replaced_and_a_used_one_not(void **s)
{
    int32_t first = port()->listen(port(), unix_address);
    int32_t second;

    (void)s;
    assert_true(first >= 0);
    assert_true(port()->listen(port(), unix_address) < 0);
    shut(&first);
    second = port()->listen(port(), unix_address);
    assert_true(second >= 0);
    shut(&second);
    unlink(unix_address + 5);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    int fd = open(unix_address + 5, O_CREAT | O_WRONLY, 0600);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_true(port()->listen(port(), unix_address) < 0);
    assert_int_equal(0, unlink(unix_address + 5));
}

static void no_handle_is_inherited_by_other_programs(void **state)
{
    int32_t handles[5];

    (void)state;
    handles[0] = net.listener;
    handles[1] = net.client.item.handle;
    handles[2] = net.server.item.handle;
    assert_true(port()->wake_open(port(), handles + 3));
    for (int i = 0; i < 5; i++)
        assert_true((fcntl(handles[i], F_GETFD) & FD_CLOEXEC) != 0);
    shut(&handles[3]);
    shut(&handles[4]);
}

/* --- connecting --- */

static void nobody_waiting_is_not_accepted(void **state)
{
    (void)state;
    assert_true(port()->accept(port(), net.listener) < 0);
}

static void a_refused_connection_is_gone(void **state)
{
    struct end c;
    int32_t    handle;
    char       byte;

    (void)state;
    shut(&net.listener);
    handle = port()->connect(port(), net.address);
    if (handle < 0)
        return; /* told at once: just as good */
    end_begin(&c, handle, PYRO_OUT);
    assert_int_equal(PYRO_OUT, wait_for(&c, PYRO_OUT, 2000));
    assert_int_equal(PYRO_PORT_GONE, give(&c, "x", 1));
    assert_int_equal(PYRO_PORT_GONE, take(&c, &byte, 1));
    shut(&handle);
}

/* A full backlog answers nothing, so that connecting takes long. */
static void while_connecting_nothing_is_sent_and_nothing_is_gone(void **state)
{
    int                fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at;
    socklen_t          n = sizeof at;
    int32_t            handles[4];
    struct end         c;
    char               text[32];

    (void)state;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(0, bind(fd, (struct sockaddr *)&at, n));
    assert_int_equal(0, listen(fd, 0));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&at, &n));
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    for (int i = 0; i < 4; i++) {
        handles[i] = port()->connect(port(), text);
        assert_true(handles[i] >= 0);
    }
    end_begin(&c, handles[3], PYRO_OUT);
    assert_int_equal(0, wait_for(&c, PYRO_OUT, 5));
    assert_int_equal(0, give(&c, "x", 1));
    assert_int_equal(0, take(&c, text, 1));
    for (int i = 0; i < 4; i++)
        shut(&handles[i]);
    close(fd);
}

/* --- bytes --- */

static void frame_there(struct end *from, struct end *to, int32_t ms,
                        int polls)
{
    int32_t got;

    assert_int_equal(22, give(from, out, 22));
    memset(&made, 0, sizeof made);
    assert_int_equal(PYRO_IN, wait_for(to, PYRO_IN, ms));
    got = take(to, in, 8);
    assert_int_equal(8 | PYRO_PORT_MORE, got);
    got = take(to, in + 8, 14);
    assert_int_equal(14, got);
    assert_memory_equal(out, in, 22);
    assert_int_equal(polls, made.polls);
    assert_int_equal(1, made.recvs);
    assert_int_equal(0, made.recvmsgs);
}

static void a_small_frame_takes_one_recv_on_each_side(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 3; i++) {
        frame_there(&net.client, &net.server, 40, 1); /* poll, then recv */
        frame_there(&net.server, &net.client, -1, 0); /* recv waits */
    }
}

static void a_long_body_that_is_there_takes_one_call_and_no_copy(void **state)
{
    (void)state;
    fill();
    assert_int_equal(20000, give(&net.client, out, 20000));
    arrive(&net.server);
    assert_int_equal(20000, take(&net.server, in, 20000));
    assert_int_equal(1, made.recvs + made.recvmsgs);
    assert_memory_equal(out, in, 20000);
}

static void what_follows_a_long_body_is_kept(void **state)
{
    (void)state;
    fill();
    assert_int_equal(20010, give(&net.client, out, 20010));
    arrive(&net.server);
    assert_int_equal(20000 | PYRO_PORT_MORE, take(&net.server, in, 20000));
    assert_int_equal(PYRO_PORT_MORE, take(&net.server, in, 0));
    assert_int_equal(10, take(&net.server, in + 20000, 50));
    assert_int_equal(1, made.recvs + made.recvmsgs);
    assert_memory_equal(out, in, 20010);
}

/* Takes all that the other end sent in pieces of up to `ask`, waiting only
 * when the port does not say there is more. */
static void take_all(struct end *e, uint32_t total, uint32_t ask)
{
    uint32_t at = 0;
    int32_t  got;

    for (int rounds = 0; at < total && rounds < 10000; rounds++) {
        assert_int_equal(PYRO_IN, wait_for(e, PYRO_IN, 2000));
        do {
            uint32_t n = total - at < ask ? total - at : ask;

            got = take(e, in + at, n);
            assert_true(got >= 0);
            at += (uint32_t)count_of(got);
        } while (has_more(got) && at < total);
    }
    assert_int_equal(total, at);
    assert_memory_equal(out, in, total);
    assert_int_equal(0, take(e, in, 1));
}

static void nothing_is_lost_around_the_size_of_the_read_ahead(void **state)
{
    (void)state;
    fill();
    for (uint32_t n = ROOM - 2; n <= ROOM + 2; n++) {
        for (uint32_t ask = ROOM - 2; ask <= ROOM + 2; ask++) {
            assert_int_equal(n, give(&net.client, out, n));
            arrive(&net.server);
            take_all(&net.server, n, ask);
        }
    }
}

static void a_read_ahead_that_was_full_means_more(void **state)
{
    uint32_t at = 0;

    (void)state;
    fill();
    assert_int_equal(ROOM + 5, give(&net.client, out, ROOM + 5));
    arrive(&net.server);
    for (; at < ROOM; at += ROOM / 2)
        assert_int_equal((ROOM / 2) | PYRO_PORT_MORE,
                         take(&net.server, in + at, ROOM / 2));
    assert_int_equal(1, made.recvs);
    assert_int_equal(5, take(&net.server, in + at, 50));
    assert_int_equal(2, made.recvs);
    assert_memory_equal(out, in, ROOM + 5);
}

static void a_send_takes_what_has_room_and_goes_on_later(void **state)
{
    uint32_t sent = 0, got = 0;
    int32_t  n;

    (void)state;
    while ((n = give(&net.client, out, sizeof out)) > 0) {
        sent += (uint32_t)n;
        assert_true(sent < 1u << 30);
    }
    assert_int_equal(0, n);
    assert_int_equal(0, wait_for(&net.client, PYRO_OUT, 5));
    while (got < sent) {
        assert_int_equal(PYRO_IN, wait_for(&net.server, PYRO_IN, 2000));
        n = take(&net.server, in, sizeof in);
        assert_true(n > 0);
        got += (uint32_t)count_of(n);
    }
    assert_int_equal(sent, got);
    assert_int_equal(PYRO_OUT, wait_for(&net.client, PYRO_OUT, 2000));
}

static void bytes_before_the_end_are_delivered_first(void **state)
{
    (void)state;
    assert_int_equal(6, give(&net.server, "abcdef", 6));
    shut(&net.server.item.handle);
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(4 | PYRO_PORT_MORE, take(&net.client, in, 4));
    assert_int_equal(2, take(&net.client, in + 4, 4));
    assert_memory_equal("abcdef", in, 6);
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(PYRO_PORT_GONE, take(&net.client, in, 4));
    assert_int_equal(PYRO_PORT_GONE, take(&net.client, in, 4));
}

/* SIGPIPE would end this program. */
static void sending_to_a_peer_that_left_is_gone_and_kills_nobody(void **state)
{
    int32_t n = 0;

    (void)state;
    shut(&net.server.item.handle);
    for (int i = 0; i < 100 && n >= 0; i++) {
        n = give(&net.client, "x", 1);
        poll(NULL, 0, 1);
    }
    assert_int_equal(PYRO_PORT_GONE, n);
    assert_int_equal(PYRO_PORT_GONE, give(&net.client, "x", 1));
}

static void without_read_ahead_a_full_recv_means_more(void **state)
{
    int32_t handle = net.server.item.handle;

    (void)state;
    assert_int_equal(10, give(&net.client, "0123456789", 10));
    arrive(&net.server);
    assert_int_equal(4 | PYRO_PORT_MORE,
                     port()->recv(port(), handle, NULL, in, 4));
    assert_int_equal(6, port()->recv(port(), handle, NULL, in + 4, 8));
    assert_int_equal(0, port()->recv(port(), handle, NULL, in, 8));
    assert_memory_equal("0123456789", in, 10);
}

static void a_pipe_can_be_used_and_its_end_kills_nobody(void **state)
{
    int32_t  n = 1;
    sigset_t set;
    int      fd[2];

    (void)state;
    assert_int_equal(0, pipe(fd));
    assert_int_equal(0, port()->recv(port(), fd[0], NULL, in, 8));
    assert_int_equal(5, port()->send(port(), fd[1], "hello", 5));
    assert_int_equal(3 | PYRO_PORT_MORE,
                     port()->recv(port(), fd[0], NULL, in, 3));
    assert_int_equal(2, port()->recv(port(), fd[0], NULL, in + 3, 3));
    assert_memory_equal("hello", in, 5);
    for (int i = 0; i < 1000 && n > 0; i++)
        n = port()->send(port(), fd[1], out, sizeof out);
    assert_int_equal(0, n); /* full, and it did not block */
    close(fd[0]);
    assert_int_equal(PYRO_PORT_GONE, port()->send(port(), fd[1], "x", 1));
    sigpending(&set);
    assert_int_equal(0, sigismember(&set, SIGPIPE));
    sigprocmask(SIG_BLOCK, NULL, &set);
    assert_int_equal(0, sigismember(&set, SIGPIPE));
    close(fd[1]);
}

static void the_end_of_a_pipe_is_gone(void **state)
{
    struct end e;
    int        fd[2];

    (void)state;
    assert_int_equal(0, pipe(fd));
    assert_int_equal(2, write(fd[1], "ab", 2));
    close(fd[1]);
    assert_int_equal(2, port()->recv(port(), fd[0], NULL, in, 8));
    end_begin(&e, fd[0], PYRO_IN);
    assert_int_equal(PYRO_IN, wait_for(&e, PYRO_IN, 2000));
    assert_int_equal(PYRO_PORT_GONE, port()->recv(port(), fd[0], NULL, in, 8));
    close(fd[0]);
}

static void a_handle_that_is_not_open_is_gone(void **state)
{
    int32_t handle = net.client.item.handle;

    (void)state;
    port()->close(port(), handle);
    assert_true((wait_for(&net.client, PYRO_IN, 2000) & PYRO_IN) != 0);
    assert_int_equal(PYRO_PORT_GONE, take(&net.client, in, 8));
    assert_int_equal(PYRO_PORT_GONE, give(&net.client, "x", 1));
    net.client.item.handle = -1;
}

/* --- waiting --- */

static void bytes_read_ahead_end_a_wait_at_once(void **state)
{
    uint32_t start;

    (void)state;
    assert_int_equal(6, give(&net.client, "abcdef", 6));
    arrive(&net.server);
    assert_int_equal(2 | PYRO_PORT_MORE, take(&net.server, in, 2));
    start = port()->now(port());
    assert_int_equal(PYRO_IN, wait_for(&net.server, PYRO_IN, 5000));
    assert_int_equal(PYRO_IN | PYRO_OUT,
                     wait_for(&net.server, PYRO_IN | PYRO_OUT, 5000));
    assert_int_equal(0, wait_for(&net.server, 0, 1));
    assert_true(port()->now(port()) - start < 4000);
    assert_int_equal(4, take(&net.server, in, 8));
}

static void a_long_time_is_waited_in_recv_and_then_in_poll(void **state)
{
    uint32_t start = port()->now(port());
    uint32_t took;

    (void)state;
    memset(&made, 0, sizeof made);
    assert_int_equal(0, wait_for(&net.client, PYRO_IN, 200));
    took = port()->now(port()) - start;
    assert_true(took >= 190 && took < 2000);
    assert_int_equal(1, made.polls);
    assert_int_equal(1, made.recvs);
}

static void a_short_time_is_waited_by_poll_and_kept(void **state)
{
    uint32_t start = port()->now(port());
    uint32_t took;

    (void)state;
    memset(&made, 0, sizeof made);
    assert_int_equal(0, wait_for(&net.client, PYRO_IN, 20));
    took = port()->now(port()) - start;
    assert_true(took >= 19 && took < 2000);
    assert_int_equal(1, made.polls);
    assert_int_equal(0, made.recvs);
}

static void an_end_met_while_waiting_in_recv_is_not_lost(void **state)
{
    (void)state;
    shut(&net.server.item.handle);
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(PYRO_PORT_GONE, take(&net.client, in, 8));
}

/* Closing with bytes unread resets the connection. */
static void a_reset_met_while_waiting_in_recv_is_not_lost(void **state)
{
    (void)state;
    assert_int_equal(3, give(&net.client, "abc", 3));
    arrive(&net.server);
    shut(&net.server.item.handle);
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(PYRO_IN, wait_for(&net.client, PYRO_IN, -1));
    assert_int_equal(PYRO_PORT_GONE, take(&net.client, in, 8));
}

static void an_adopted_socket_with_o_nonblock_still_waits(void **state)
{
    uint32_t   start;
    struct end e;
    int        fd[2];

    (void)state;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
    assert_int_equal(0, fcntl(fd[0], F_SETFL, O_NONBLOCK));
    end_begin(&e, fd[0], PYRO_IN);
    start = port()->now(port());
    assert_int_equal(0, wait_for(&e, PYRO_IN, 60));
    assert_true(port()->now(port()) - start >= 59);
    close(fd[0]);
    close(fd[1]);
}

/* Pairs of sockets; [i][0] is in the list. */
static struct end many[PYRO_POSIX_HANDLES + 3];
static int        many_fd[PYRO_POSIX_HANDLES + 3][2];

static void many_open(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, many_fd[i]));
        end_begin(&many[i], many_fd[i][0], PYRO_IN);
        if (i > 0)
            many[i - 1].item.next = &many[i].item;
    }
}

static void many_close(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        close(many_fd[i][0]);
        close(many_fd[i][1]);
    }
}

static void handles_over_the_limit_are_tried_without_spinning(void **state)
{
    uint32_t start = port()->now(port());
    size_t   n = PYRO_COUNT(many);

    (void)state;
    many_open(n);
    port()->wait(port(), &many[0].item, 5000);
    start = port()->now(port()) - start;
    assert_true(start >= PYROI_POSIX_RETRY_MS - 1 && start < 4000);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(i < PYRO_POSIX_HANDLES ? 0 : PYRO_IN,
                         many[i].item.ready);
    many[PYRO_POSIX_HANDLES - 1].item.next = NULL; /* exactly the limit */
    port()->wait(port(), &many[0].item, 5);
    for (size_t i = 0; i < PYRO_POSIX_HANDLES; i++)
        assert_int_equal(0, many[i].item.ready);
    many_close(n);
}

static void each_handle_is_told_what_it_wants_and_is_ready_for(void **state)
{
    static const pyro_port other; /* of another wait */

    (void)state;
    many_open(5);
    assert_int_equal(1, send(many_fd[1][1], "x", 1, 0));
    many[0].item.want = PYRO_OUT;
    many[2].item.want = PYRO_IN | PYRO_OUT;
    many[3].item.port = &other;
    many[3].item.ready = 77;
    shutdown(many_fd[4][1], SHUT_RDWR);
    port()->wait(port(), &many[0].item, 2000);
    assert_int_equal(PYRO_OUT, many[0].item.ready);
    assert_int_equal(PYRO_IN, many[1].item.ready);
    assert_int_equal(PYRO_OUT, many[2].item.ready);
    assert_int_equal(77, many[3].item.ready);
    assert_int_equal(PYRO_IN, many[4].item.ready);
    many_close(5);
}

static void a_hangup_nobody_wants_to_know_ends_no_wait(void **state)
{
    uint32_t start;

    (void)state;
    many_open(2);
    shutdown(many_fd[0][1], SHUT_RDWR);
    many[0].item.want = 0;
    many[0].item.ready = PYRO_IN;
    start = port()->now(port());
    port()->wait(port(), &many[0].item, 30);
    assert_true(port()->now(port()) - start >= 29);
    assert_int_equal(0, many[0].item.ready);
    many[0].item.want = PYRO_OUT;
    port()->wait(port(), &many[0].item, 2000);
    assert_int_equal(PYRO_OUT, many[0].item.ready);
    assert_int_equal(PYRO_PORT_GONE, give(&many[0], "x", 1));
    many_close(2);
}

/* --- waking --- */

static int32_t      wakers[2];
static volatile int ticks;
static volatile int spoiled; /* handlers after which errno was another */

static void on_signal(int number)
{
    int error = errno;

    (void)number;
    ticks++;
    errno = EDOM;
    port()->wake(port(), wakers[1]);
    if (errno != EDOM)
        spoiled++;
    errno = error;
}

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static void *wake_later(void *unused)
{
    (void)unused;
    usleep(20000);
    port()->wake(port(), wakers[1]);
    return NULL;
}

static void timer(void (*fn)(int), int first_us, int then_us)
{
    struct sigaction action;
    struct itimerval time;

    memset(&action, 0, sizeof action);
    action.sa_handler = fn;
    sigaction(SIGALRM, &action, NULL);
    memset(&time, 0, sizeof time);
    time.it_value.tv_usec = first_us;
    time.it_interval.tv_usec = then_us;
    setitimer(ITIMER_REAL, &time, NULL);
    ticks = 0;
}

static int wake_up(void **state)
{
    (void)state;
    return port()->wake_open(port(), wakers) ? 0 : -1;
}

static int wake_down(void **state)
{
    (void)state;
    shut(&wakers[0]);
    shut(&wakers[1]);
    return 0;
}

/* Waits for the waker, through waits that a signal cuts short. */
static void woken(void)
{
    uint32_t   start = port()->now(port());
    struct end e;

    end_begin(&e, wakers[0], PYRO_IN);
    e.item.ahead = NULL;
    for (int i = 0; i < 10 && wait_for(&e, PYRO_IN, 5000) == 0; i++)
        continue;
    assert_int_equal(PYRO_IN, e.item.ready);
    assert_true(port()->now(port()) - start < 4000);
    assert_int_equal(1, port()->recv(port(), wakers[0], NULL, in, 16));
    assert_int_equal(0, port()->recv(port(), wakers[0], NULL, in, 16));
}

static void a_thread_ends_a_wait(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(0, pthread_create(&thread, NULL, wake_later, NULL));
    woken();
    assert_int_equal(0, pthread_join(thread, NULL));
}

static void a_signal_handler_ends_a_wait_and_keeps_errno(void **state)
{
    (void)state;
    spoiled = 0;
    timer(on_signal, 20000, 0);
    woken();
    assert_int_equal(1, ticks);
    assert_int_equal(0, spoiled);
}

/* In recv as in poll, even where the handler asks for a call to go on. */
static void only_a_signal_ends_a_wait_without_limit(void **state)
{
    static const int every_us[] = { 200000, 20000 };
    struct sigaction action;

    (void)state;
    for (int i = 0; i < 2; i++) {
        uint32_t start = port()->now(port());

        timer(on_tick, every_us[i], every_us[i]);
        sigaction(SIGALRM, NULL, &action);
        action.sa_flags |= SA_RESTART;
        sigaction(SIGALRM, &action, NULL);
        memset(&made, 0, sizeof made);
        assert_int_equal(0, wait_for(&net.client, PYRO_IN, -1));
        assert_true(port()->now(port()) - start >= (i == 0 ? 190 : 19));
        assert_true(ticks > 0);
        assert_int_equal(1, made.recvs);
    }
    timer(on_tick, 0, 0);
}

static void a_waker_that_is_full_does_not_block(void **state)
{
    int32_t got = PYRO_PORT_MORE;

    (void)state;
    errno = EDOM;
    for (int i = 0; i < 100000; i++)
        port()->wake(port(), wakers[1]);
    assert_int_equal(EDOM, errno);
    for (int i = 0; i < 100000 && has_more(got); i++)
        got = port()->recv(port(), wakers[0], NULL, in, 16);
    assert_true(got >= 0 && !has_more(got));
    assert_int_equal(0, port()->recv(port(), wakers[0], NULL, in, 16));
}

static void a_wake_while_closing_kills_nobody(void **state)
{
    (void)state;
    errno = EDOM;
    shut(&wakers[0]);
    port()->wake(port(), wakers[1]);
    assert_int_equal(EDOM, errno);
}

static void a_storm_of_signals_loses_nothing(void **state)
{
    (void)state;
    fill();
    timer(on_tick, 200, 200);
    for (int i = 0; i < 200; i++) {
        uint32_t at = 0;
        int32_t  got;

        assert_int_equal(9000, give(&net.client, out, 9000));
        for (int rounds = 0; at < 9000 && rounds < 1000; rounds++) {
            if (wait_for(&net.server, PYRO_IN, i & 1 ? -1 : 40) == 0)
                continue;
            got = take(&net.server, in + at, 9000 - at);
            assert_true(got >= 0);
            at += (uint32_t)count_of(got);
        }
        assert_int_equal(9000, at);
        assert_memory_equal(out, in, 9000);
        assert_int_equal(0, wait_for(&net.server, PYRO_IN, 2)); /* cut */
    }
    timer(on_tick, 0, 0);
}

/* --- clock and random bytes --- */

static void the_clock_counts_milliseconds(void **state)
{
    uint32_t start = port()->now(port());

    (void)state;
    poll(NULL, 0, 20);
    start = port()->now(port()) - start;
    assert_true(start >= 19 && start < 2000);
}

static void random_bytes_differ_and_fill_all_they_should(void **state)
{
    uint8_t a[1000], b[1000];

    (void)state;
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    assert_true(port()->random(port(), a, sizeof a));
    assert_true(pyroi_posix_urandom(b, sizeof b)); /* where it is the only */
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < sizeof a; i += 20) { /* 20 zeros: 1 in 2^160 */
        static const uint8_t zeros[20];

        assert_memory_not_equal(zeros, a + i, 20);
        assert_memory_not_equal(zeros, b + i, 20);
    }
}

/* --- datagrams --- */

enum { LOCALHOST = 0x7F000001 };

/* A handle on 127.0.0.1 and where it can be sent to. */
static int32_t udp_at(uint16_t number, pyro_udp *at)
{
    int32_t handle = port()->udp_open(port(), LOCALHOST, number);
    char    text[64];

    assert_true(handle >= 0);
    assert_true(port()->address(port(), handle, false, text, sizeof text));
    at->ip = LOCALHOST;
    at->port = (uint16_t)strtol(strchr(text, ':') + 1, NULL, 10);
    assert_int_not_equal(0, at->port);
    assert_true(number == 0 || number == at->port);
    return handle;
}

static bool udp_to(int32_t handle, const pyro_udp *to, uint32_t n)
{
    return port()->udp_send(port(), handle, to, out, n);
}

/* What is there, waiting for it. */
static int32_t udp_take(int32_t handle, uint32_t n, pyro_udp *from)
{
    struct end e;

    end_begin(&e, handle, PYRO_IN);
    e.item.ahead = NULL;
    assert_int_equal(PYRO_IN, wait_for(&e, PYRO_IN, 2000));
    return port()->udp_recv(port(), handle, in, n, from);
}

static bool udp_none(int32_t handle)
{
    pyro_udp from = { 1, 2 };
    bool     none = port()->udp_recv(port(), handle, in, 10, &from) < 0;

    return none && from.ip == 1 && from.port == 2;
}

static void a_datagram_arrives_whole_and_tells_who_sent_it(void **state)
{
    static const uint32_t sizes[] = { 1, 1400, 60000 };
    pyro_udp              a, b, from;
    int32_t               one = udp_at(0, &a);
    int32_t               two = udp_at(0, &b);

    (void)state;
    assert_int_not_equal(a.port, b.port);
    assert_true((fcntl(one, F_GETFD) & FD_CLOEXEC) != 0);
    for (size_t i = 0; i < PYRO_COUNT(sizes); i++) {
        fill();
        assert_true(udp_to(one, &b, sizes[i]));
        assert_int_equal(sizes[i], udp_take(two, sizes[i], &from));
        assert_memory_equal(in, out, sizes[i]);
        assert_int_equal(LOCALHOST, from.ip);
        assert_int_equal(a.port, from.port);
    }
    assert_true(udp_none(two));
    assert_true(udp_none(one));
    shut(&one);
    shut(&two);
}

static void a_datagram_too_long_for_its_place_is_cut_and_says_so(void **state)
{
    pyro_udp a, b, from;
    int32_t  one = udp_at(0, &a);
    int32_t  two = udp_at(0, &b);

    (void)state;
    fill();
    for (int i = 0; i < 3; i++)
        assert_true(udp_to(one, &b, 50));
    assert_true(udp_take(two, 49, &from) > 49);
    assert_memory_equal(in, out, 49);
    assert_int_equal(0, in[49]);
    assert_true(udp_take(two, 0, &from) > 0);
    assert_int_equal(50, udp_take(two, 50, &from));
    assert_true(udp_none(two)); /* what was cut off is not the next one */
    shut(&one);
    shut(&two);
}

static void an_empty_datagram_is_not_none(void **state)
{
    pyro_udp a, b, from = { 0, 0 };
    int32_t  one = udp_at(0, &a);
    int32_t  two = udp_at(0, &b);

    (void)state;
    assert_true(udp_none(two));
    assert_true(udp_to(one, &b, 0));
    assert_int_equal(0, udp_take(two, 10, &from));
    assert_int_equal(a.port, from.port);
    assert_true(udp_none(two));
    shut(&one);
    shut(&two);
}

/* Nobody listens there: that is noticed later, by another call, or never. */
static void a_datagram_that_met_nobody_does_no_harm(void **state)
{
    pyro_udp a, b, from;
    int32_t  one = udp_at(0, &a);
    int32_t  two = udp_at(0, &b);

    (void)state;
    shut(&two);
    for (int i = 0; i < 3; i++) {
        udp_to(one, &b, 5);
        assert_true(udp_none(one));
    }
    assert_true(udp_to(one, &a, 5)); /* to itself */
    assert_int_equal(5, udp_take(one, 10, &from));
    shut(&one);
}

static void a_datagram_that_cannot_be_sent_is_refused(void **state)
{
    pyro_udp a;
    int32_t  one = udp_at(0, &a);
    int32_t  gone = one;

    (void)state;
    assert_false(udp_to(one, &a, 70000)); /* no datagram is so long */
    a.port = 0;
    assert_false(udp_to(one, &a, 1));
    shut(&one);
    assert_false(udp_to(gone, &a, 1));
    assert_true(udp_none(gone));
    assert_true(port()->udp_open(port(), 0x08080808, 0) < 0); /* not ours */
}

static void programs_of_one_machine_share_a_number(void **state)
{
    pyro_udp a, b, from;
    int32_t  one = udp_at(0, &a);
    int32_t  two, three, got;

    (void)state;
    shut(&one);
    one = udp_at(a.port, &a);
    two = udp_at(a.port, &b);
    three = udp_at(0, &b);
    assert_true(udp_to(three, &a, 7)); /* one of them gets it */
    poll(NULL, 0, 20);
    got = port()->udp_recv(port(), one, in, 10, &from);
    if (got < 0)
        got = port()->udp_recv(port(), two, in, 10, &from);
    assert_int_equal(7, got);
    assert_true(udp_none(one) && udp_none(two));
    shut(&one);
    shut(&two);
    shut(&three);
}

static void a_broadcast_reaches_all_that_share_its_number(void **state)
{
    pyro_udp a, b, from;
    int32_t  three = udp_at(0, &b);
    int32_t  one = udp_at(0, &a);
    int32_t  two;

    (void)state;
    shut(&one);
    one = port()->udp_open(port(), 0, a.port);
    two = port()->udp_open(port(), 0, a.port);
    assert_true(one >= 0 && two >= 0);
    a.ip = 0x7FFFFFFF; /* of 127.0.0.1/8 */
    if (!udp_to(three, &a, 7)) {
        shut(&one);
        shut(&two);
        shut(&three);
        skip(); /* no such broadcast on this system */
    }
    assert_int_equal(7, udp_take(one, 10, &from));
    assert_int_equal(b.port, from.port);
    assert_int_equal(7, udp_take(two, 10, &from));
    shut(&one);
    shut(&two);
    shut(&three);
}

static void the_interfaces_have_loopback_among_them_and_end(void **state)
{
    pyro_net one;
    unsigned n = 0;
    unsigned loopback = 0;

    (void)state;
    memset(&one, 0, sizeof one);
    for (; n < 1000 && port()->net(port(), n, &one); n++) {
        assert_true(one.broadcast == 0
                    || (one.broadcast & one.mask) == (one.ip & one.mask));
        if (one.ip == LOCALHOST) {
            assert_int_equal(0xFF000000, one.mask);
            assert_int_equal(0, one.broadcast);
            loopback++;
        }
    }
    assert_int_equal(1, loopback);
    assert_true(n < 1000);
    one.ip = 7;
    assert_false(port()->net(port(), n, &one));
    assert_false(port()->net(port(), UINT32_MAX, &one));
    assert_int_equal(7, one.ip);
}

static void an_interface_without_a_broadcast_address_gets_the_last(void **s)
{
    struct sockaddr_in ip, mask, all;
    struct ifaddrs     i;
    pyro_net           one;

    (void)s;
    memset(&ip, 0, sizeof ip);
    memset(&i, 0, sizeof i);
    mask = ip;
    ip.sin_addr.s_addr = htonl(0x0A000007);
    mask.sin_addr.s_addr = htonl(0xFFFFFF00);
    i.ifa_addr = (struct sockaddr *)&ip;
    i.ifa_netmask = (struct sockaddr *)&mask;
    i.ifa_flags = IFF_UP | IFF_BROADCAST;
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0x0A0000FF, one.broadcast);
    i.ifa_broadaddr = (struct sockaddr *)&ip; /* as glibc has it then */
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0x0A0000FF, one.broadcast);
    all = ip;
    all.sin_addr.s_addr = htonl(0x0A00003F);
    i.ifa_broadaddr = (struct sockaddr *)&all;
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0x0A00003F, one.broadcast);
    i.ifa_broadaddr = NULL;
    mask.sin_addr.s_addr = htonl(0xFFFFFFFE); /* two that talk to each other */
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0, one.broadcast);
    i.ifa_netmask = NULL;
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0, one.mask);
    assert_int_equal(0, one.broadcast);
    i.ifa_netmask = (struct sockaddr *)&mask;
    i.ifa_flags = IFF_UP; /* a line between two */
    i.ifa_broadaddr = (struct sockaddr *)&ip;
    pyroi_posix_net_of(&i, &one);
    assert_int_equal(0, one.broadcast);
}

static unsigned udp_told;

static void udp_ready(void *user, pyro_daemon *node, unsigned ready)
{
    pyro_udp from;

    (void)node;
    assert_int_equal(PYRO_IN, ready);
    udp_told +=
        (unsigned)port()->udp_recv(port(), *(int32_t *)user, in, 10, &from);
}

static void a_daemon_watches_a_datagram_handle(void **state)
{
    static PYRO_ROOM(1, 1, 128, 0) room;
    static pyro_daemon  node;
    static pyro_watched watched;
    pyro_udp            a;
    int32_t             one = udp_at(0, &a);

    (void)state;
    udp_told = 0;
    assert_int_equal(PYRO_OK, pyro_open(&node, PYRO_ROOM_OF(room), NULL));
    assert_ptr_equal(pyro_posix(), pyro_port_of(&node));
    watched.fn = udp_ready;
    watched.user = &one;
    pyro_watch(&node, &watched, pyro_port_of(&node), one, PYRO_IN);
    assert_int_equal(PYRO_OK, pyro_poll(&node, 10));
    assert_int_equal(0, udp_told);
    assert_true(udp_to(one, &a, 3));
    assert_int_equal(PYRO_OK, pyro_poll(&node, 2000));
    assert_int_equal(3, udp_told);
    pyro_unwatch(&node, &watched);
    pyro_close(&node);
    shut(&one);
}

/* --- the URI of an own object --- */

/* Two daemons of one process; the client, which listens everywhere, too,
 * makes the link. Returns what it would tell the server. */
static const char *uri_for_a_link_made_to(const char *host)
{
    static PYRO_ROOM(2, 3, 128, 0) rooms[2];
    static pyro_daemon  server, client;
    static pyro_proxy   proxy;
    static pyro_request rq;
    static char         uri[PYRO_URI_BYTES];
    char                text[96], own[64];
    char               *number;

    assert_int_equal(PYRO_OK,
                     pyro_open(&server, PYRO_ROOM_OF(rooms[0]), NULL));
    assert_int_equal(PYRO_OK,
                     pyro_open(&client, PYRO_ROOM_OF(rooms[1]), NULL));
    assert_int_equal(PYRO_OK, pyro_listen(&server, port(), "*:0"));
    assert_int_equal(PYRO_OK, pyro_listen(&client, port(), "*:0"));
    assert_int_equal(PYRO_OK, pyro_listening(&server, 0, text, sizeof text));
    snprintf(own, sizeof own, "PYRO://%s%s/x", host, strrchr(text, ':'));
    assert_int_equal(PYRO_OK, pyro_proxy_open(&proxy, &client, own));
    assert_int_equal(PYRO_OK, pyro_begin(&rq, &proxy, "m"));
    assert_int_equal(PYRO_ERR_DAEMON,
                     pyro_uri_of(&client, 0, "o", uri, sizeof uri));
    assert_int_equal(PYRO_OK,
                     pyro_uri_of(&client, proxy.link_, "o", uri, sizeof uri));
    assert_int_equal(PYRO_OK, pyro_listening(&client, 0, text, sizeof text));
    snprintf(own, sizeof own, "%s/o", strrchr(text, ':'));
    number = strstr(uri, own);
    assert_non_null(number); /* of the listener, not of the link */
    *number = 0;
    pyro_cancel(&rq);
    pyro_close(&client);
    pyro_close(&server);
    return uri;
}

static void a_link_made_while_listening_everywhere_tells_its_address(void **s)
{
    int32_t probe = port()->listen(port(), "[::1]:0");

    (void)s;
    assert_string_equal("PYRO://127.0.0.1",
                        uri_for_a_link_made_to("127.0.0.1"));
    if (probe < 0)
        skip();
    shut(&probe);
    assert_string_equal("PYRO://[::1]", uri_for_a_link_made_to("[::1]"));
}

#define TCP(test)  cmocka_unit_test_setup_teardown(test, tcp_up, down)
#define UNIX(test) cmocka_unit_test_setup_teardown(test, unix_up, down)
#define WAKE(test) cmocka_unit_test_setup_teardown(test, wake_up, wake_down)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_that_are_no_address_are_refused),
    cmocka_unit_test(nobody_connects_to_all_interfaces_or_port_0),
    cmocka_unit_test(a_host_or_path_may_be_as_long_as_its_limit),
    cmocka_unit_test(without_a_host_only_this_machine_is_listened_on),
    cmocka_unit_test(a_star_is_reached_by_ipv4),
    cmocka_unit_test(a_star_is_reached_by_ipv6),
    TCP(both_ends_tell_the_same_addresses),
    TCP(an_address_is_given_whole_or_not_at_all),
    UNIX(the_connecting_end_of_a_unix_socket_has_no_address),
    cmocka_unit_test(a_socket_file_left_over_is_replaced_and_a_used_one_not),
    cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
    TCP(no_handle_is_inherited_by_other_programs),
    TCP(nobody_waiting_is_not_accepted),
    TCP(a_refused_connection_is_gone),
    cmocka_unit_test(while_connecting_nothing_is_sent_and_nothing_is_gone),
    TCP(a_small_frame_takes_one_recv_on_each_side),
    UNIX(a_small_frame_takes_one_recv_on_each_side),
    TCP(a_long_body_that_is_there_takes_one_call_and_no_copy),
    TCP(what_follows_a_long_body_is_kept),
    TCP(nothing_is_lost_around_the_size_of_the_read_ahead),
    UNIX(nothing_is_lost_around_the_size_of_the_read_ahead),
    TCP(a_read_ahead_that_was_full_means_more),
    TCP(a_send_takes_what_has_room_and_goes_on_later),
    TCP(bytes_before_the_end_are_delivered_first),
    UNIX(bytes_before_the_end_are_delivered_first),
    TCP(sending_to_a_peer_that_left_is_gone_and_kills_nobody),
    UNIX(sending_to_a_peer_that_left_is_gone_and_kills_nobody),
    TCP(without_read_ahead_a_full_recv_means_more),
    cmocka_unit_test(a_pipe_can_be_used_and_its_end_kills_nobody),
    cmocka_unit_test(the_end_of_a_pipe_is_gone),
    TCP(a_handle_that_is_not_open_is_gone),
    TCP(bytes_read_ahead_end_a_wait_at_once),
    TCP(a_long_time_is_waited_in_recv_and_then_in_poll),
    TCP(only_a_signal_ends_a_wait_without_limit),
    TCP(a_short_time_is_waited_by_poll_and_kept),
    TCP(an_end_met_while_waiting_in_recv_is_not_lost),
    TCP(a_reset_met_while_waiting_in_recv_is_not_lost),
    UNIX(a_reset_met_while_waiting_in_recv_is_not_lost),
    cmocka_unit_test(an_adopted_socket_with_o_nonblock_still_waits),
    cmocka_unit_test(handles_over_the_limit_are_tried_without_spinning),
    cmocka_unit_test(each_handle_is_told_what_it_wants_and_is_ready_for),
    cmocka_unit_test(a_hangup_nobody_wants_to_know_ends_no_wait),
    WAKE(a_thread_ends_a_wait),
    WAKE(a_signal_handler_ends_a_wait_and_keeps_errno),
    WAKE(a_waker_that_is_full_does_not_block),
    WAKE(a_wake_while_closing_kills_nobody),
    TCP(a_storm_of_signals_loses_nothing),
    cmocka_unit_test(the_clock_counts_milliseconds),
    cmocka_unit_test(random_bytes_differ_and_fill_all_they_should),
    cmocka_unit_test(a_datagram_arrives_whole_and_tells_who_sent_it),
    cmocka_unit_test(a_datagram_too_long_for_its_place_is_cut_and_says_so),
    cmocka_unit_test(an_empty_datagram_is_not_none),
    cmocka_unit_test(a_datagram_that_met_nobody_does_no_harm),
    cmocka_unit_test(a_datagram_that_cannot_be_sent_is_refused),
    cmocka_unit_test(programs_of_one_machine_share_a_number),
    cmocka_unit_test(a_broadcast_reaches_all_that_share_its_number),
    cmocka_unit_test(the_interfaces_have_loopback_among_them_and_end),
    cmocka_unit_test(an_interface_without_a_broadcast_address_gets_the_last),
    cmocka_unit_test(a_daemon_watches_a_datagram_handle),
    cmocka_unit_test(a_link_made_while_listening_everywhere_tells_its_address)
};

int main(void)
{
    snprintf(unix_address, sizeof unix_address, "unix:build/posix.%ld.sock",
             (long)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
