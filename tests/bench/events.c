/* events.c: events for many, by the library and by others.
 * Usage: events pyro|slow|relay|zmq SUBSCRIBERS MS
 *        events mosquitto SUBSCRIBERS MS PORT
 *
 * A publisher, what stands between, and a process with all subscribers, each
 * with a connection of its own, over TCP on loopback. An event is 32 bytes:
 * its number first. It is decoded and handed to a function, which wants every
 * number in order: a run that loses an event fails. For that the publisher is
 * never more than AHEAD events before the slowest subscriber, who says so in
 * a pipe; the same for all. What is measured:
 *   pyro       publisher, event service, subscribers: an event has a subject
 *              and the service's time beside the 32 bytes
 *   slow       the same, with one subscriber more, in a process of its own,
 *              which is not waited for: it stands still for half of the frame
 *              deadline and then reads. Its connection holds little, so that
 *              events are lost to it: their number is checked, and must be
 *              1,000 at least
 *   fast       the same, but it never stands still: what to compare with
 *   relay      the least there can be: poll, recv and send of frames with
 *              two bytes of length, as many at once as there are
 *   zmq        ZeroMQ's XPUB and SUB, directly, there is nothing between; its
 *              subject is the first bytes of the 32, in one part: no envelope
 *   mosquitto  the broker at PORT and libmosquitto, QoS 0, a topic beside
 * Buffers are 16 KiB where they can be chosen, nowhere is there a delay, and
 * queues are as long as they have to be. Prints events delivered, by all
 * subscribers together, and seconds. */

#define _DEFAULT_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mosquitto.h>
#include <zmq.h>

#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#define PYRO_LINK_AHEAD 16384
#include "../../pyro.h"

#include "../../pyro_es.h"

enum {
    MANY = 64,
    EVENT = 32,
    AHEAD = 2048,
    AHEAD_SLOW = 256, /* what the ring of the service holds, and no more */
    STEPS = 4,        /* reports of the subscribers in that many events */
    BUFFER = 16384,
    FRAME_MS = 600, /* deadline of a frame, for `slow` */
    SMALL = 4096    /* bytes that the slow one's sockets hold, or twice that */
};

/* Bytes of a ring that loses nothing to those who are waited for: each event
 * takes 57 there. */
#define RING(ahead_) ((ahead_)*5 / 4 * 64)

static const char subject[] = "bench";

static unsigned n_subs;
static unsigned ahead = AHEAD;
static unsigned step = AHEAD / STEPS;
static double   run_ms;
static unsigned seen[MANY]; /* events that each subscriber has got */
static unsigned reached;    /* subscribers that have come to the next report */
static unsigned reports;
static int      report_to;   /* pipe: from subscribers to publisher */
static int      report_from; /* its other end */
static pid_t    children[3];

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- events: the same for all ---- */

static const uint8_t *new_event(uint64_t number)
{
    static uint8_t event[EVENT] = "bench";

    memcpy(event + EVENT - sizeof number, &number, sizeof number);
    return event;
}

static uint64_t number_of(const void *event, size_t n)
{
    uint64_t number;

    need(n == EVENT, "events: size of an event");
    memcpy(&number, (const uint8_t *)event + n - sizeof number, sizeof number);
    return number;
}

static void tell(void)
{
    need(write(report_to, "", 1) == 1, "events: report");
}

/* What every subscriber's function does. */
static void on_event(unsigned who, const void *event, size_t n)
{
    unsigned *have = &seen[who];

    if (number_of(event, n) != *have) {
        fprintf(stderr, "events: subscriber %u: event %lu instead of %u\n",
                who, (unsigned long)number_of(event, n), *have);
        exit(1);
    }
    if (++*have % step == 0 && *have / step == reports + 1
        && ++reached == n_subs) {
        tell();
        reports++;
        reached = 0;
        for (unsigned i = 0; i < n_subs; i++)
            reached += seen[i] / step > reports;
    }
}

/* How a system publishes; idle: does what it has to until the pipe has
 * something to read. */
typedef struct publisher {
    void (*publish)(const uint8_t *event);
    void (*idle)(void);
} publisher;

/* Publishes for the time asked, then waits until all have got all. */
static void publish_all(publisher p)
{
    uint64_t number = 0;
    uint64_t passed = 0;
    double   begin = seconds();
    char     bytes[STEPS];

    for (;;) {
        bool more = number % step != 0 || seconds() < begin + run_ms / 1000;

        if (!more && passed == number)
            break;
        if (more && number - passed < ahead) {
            p.publish(new_event(number++));
            continue;
        }
        p.idle();
        ssize_t got = read(report_from, bytes, sizeof bytes);

        need(got > 0, "events: the subscribers have gone");
        passed += (uint64_t)got * step;
    }
    printf("%lu %.6f\n", (unsigned long)(number * n_subs), seconds() - begin);
}

/* A process of its own; it ends with us. */
static void spawn(unsigned slot, void (*run)(void))
{
    need((children[slot] = fork()) >= 0, "events: fork");
    if (children[slot] != 0)
        return;
    signal(SIGALRM, SIG_DFL);
    alarm(30);
    run();
    _exit(1);
}

static void stop_children(void)
{
    for (unsigned i = 0; i < 3; i++) {
        if (children[i] <= 0)
            continue;
        kill(children[i], SIGTERM);
        waitpid(children[i], NULL, 0);
    }
}

/* A process is there: said by a first report. */
static void wait_for_report(void)
{
    char byte;

    need(read(report_from, &byte, 1) == 1, "events: a process did not start");
}

/* A listening socket of a port that the system chooses. */
static int new_listener(struct sockaddr_in *at)
{
    int       fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof *at;

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    need(fd >= 0 && bind(fd, (struct sockaddr *)at, size) == 0
             && listen(fd, MANY + 1) == 0
             && getsockname(fd, (struct sockaddr *)at, &size) == 0,
         "events: listen");
    return fd;
}

static int new_connection(struct sockaddr_in at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0
             && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
         "events: connect");
    return fd;
}

/* ---- pyro ---- */

typedef struct subscriber {
    pyro_es es;
    char    uri[64];
} subscriber;

static PYRO_ROOM(MANY + 4, 32, BUFFER, MANY + 2) room;
static PYRO_ES_ROOM(MANY + 1, MANY + 1, RING(AHEAD)) events;

static pyro_config     config;
static pyro_port       small_port;
static pyro_daemon     node;
static pyro_es_service service;
static subscriber      subs[MANY + 1];

/* What processes tell each other. */
static struct told {
    char address[2][64];    /* of the service; the second is for the slow */
    volatile uint32_t lost; /* by the slow subscriber */
} * told;

static uint32_t stand_still; /* ms, of the slow subscriber */

static void need_pyro(pyro_err err, const char *what)
{
    if (err == PYRO_OK)
        return;
    fprintf(stderr, "events: %s: %s: %s\n", what, pyro_err_text(err),
            node.why.text != NULL ? node.why.text : "-");
    exit(1);
}

/* A connection that holds little, both ways. */
static int32_t make_small(int32_t fd)
{
    int size = SMALL;

    if (fd >= 0)
        need(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0
                 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size)
                        == 0,
             "events: buffers of a socket");
    return fd;
}

static int32_t connect_small(const pyro_port *port, const char *to)
{
    (void)port;
    return make_small(pyro_posix()->connect(pyro_posix(), to));
}

static int32_t accept_small(const pyro_port *port, int32_t listener)
{
    (void)port;
    return make_small(pyro_posix()->accept(pyro_posix(), listener));
}

static void open_node(void)
{
    config.dead_ms = PYRO_NEVER;
    config.frame_ms = FRAME_MS;
    small_port = *pyro_posix();
    small_port.connect = connect_small;
    small_port.accept = accept_small;
    need_pyro(pyro_open(&node, PYRO_ROOM_OF(room), &config), "open");
}

static void run_service(void)
{
    pyro_es_room ring = PYRO_ES_ROOM_OF(events);

    ring.n_bytes = RING(ahead);
    open_node();
    need_pyro(pyro_listen(&node, pyro_posix(), "0.0.0.0:0"), "listen");
    need_pyro(pyro_listen(&node, &small_port, "0.0.0.0:0"), "listen");
    need_pyro(pyro_es_serve(&service, &node, ring, NULL), "serve");
    for (unsigned i = 0; i < 2; i++)
        need_pyro(pyro_listening(&node, i, told->address[i],
                                 sizeof told->address[i]),
                  "address");
    tell();
    for (;;)
        need_pyro(pyro_poll(&node, -1), "service");
}

static void subscribe(unsigned i, const char *at, pyro_es_fn fn)
{
    subscriber *s = &subs[i];

    snprintf(s->uri, sizeof s->uri, "PYRO://127.0.0.%u%s/%s", i + 1,
             strrchr(at, ':'), PYRO_ES_NAME);
    need_pyro(pyro_es_open(&s->es, &node, s->uri, fn, s), "open");
    if (fn != NULL)
        need_pyro(pyro_es_subscribe(&s->es, subject, 0), "subscribe");
}

static void on_pyro_event(void *user, const pyro_es_event *event)
{
    uint32_t    n;
    const void *bytes = pyro_get_bin(event->message, &n);

    need(event->lost == 0, "events: lost");
    on_event((unsigned)((subscriber *)user - subs), bytes, n);
}

static void run_subscribers(void)
{
    open_node();
    for (unsigned i = 0; i < n_subs; i++)
        subscribe(i, told->address[0], on_pyro_event);
    tell();
    for (;;)
        need_pyro(pyro_poll(&node, -1), "subscribers");
}

/* What it has lost is what is missing, always. */
static void on_slow_event(void *user, const pyro_es_event *event)
{
    static bool     stood;
    static uint64_t first;
    uint32_t        n;
    const void     *bytes = pyro_get_bin(event->message, &n);
    uint64_t        number = number_of(bytes, n);

    (void)user;
    if (event->n == 1)
        first = number - event->lost;
    if (number - first != event->n - 1 + event->lost) {
        fprintf(stderr, "events: %lu events, %lu lost, and now comes %lu\n",
                (unsigned long)event->n, (unsigned long)event->lost,
                (unsigned long)(number - first));
        exit(1);
    }
    told->lost = event->lost;
    if (event->n >= 1000 && !stood) {
        stood = true;
        usleep(stand_still * 1000);
    }
}

static void run_slow(void)
{
    config.port = &small_port;
    open_node();
    subscribe(MANY, told->address[1], on_slow_event);
    tell();
    for (;;)
        need_pyro(pyro_poll(&node, -1), "slow");
}

static void publish_pyro(const uint8_t *event)
{
    need_pyro(pyro_es_publish(&subs[0].es, subject, pyro_bin(event, EVENT)),
              "publish");
}

static void on_report(void *user, pyro_daemon *d, unsigned ready)
{
    (void)d;
    *(bool *)user = ready != 0;
}

static bool         is_reported;
static pyro_watched reported = { .fn = on_report, .user = &is_reported };

static void idle_pyro(void)
{
    pyro_watch(&node, &reported, pyro_posix(), report_from, PYRO_IN);
    for (is_reported = false; !is_reported;)
        need_pyro(pyro_poll(&node, -1), "publisher");
    pyro_unwatch(&node, &reported);
}

static const publisher pyro_publisher = { publish_pyro, idle_pyro };

static void measure_pyro(void)
{
    spawn(0, run_service);
    wait_for_report();
    spawn(1, run_subscribers);
    wait_for_report();
    open_node();
    subscribe(0, told->address[0], NULL);
    publish_all(pyro_publisher);
}

/* With one subscriber more, that may stand still. */
static void measure_pyro_and_one(void)
{
    ahead = AHEAD_SLOW;
    step = AHEAD_SLOW / STEPS;
    spawn(0, run_service);
    wait_for_report();
    spawn(1, run_subscribers);
    wait_for_report();
    spawn(2, run_slow);
    wait_for_report();
    open_node();
    subscribe(0, told->address[0], NULL);
    publish_all(pyro_publisher);
    /* What the ring still has for it tells what it has lost. */
    for (unsigned i = 0; i < 300 && stand_still > 0 && told->lost < 1000; i++)
        usleep(10000);
    if (stand_still > 0 && told->lost < 1000) {
        fprintf(stderr, "events: the slow one lost %lu, 1000 are wanted\n",
                (unsigned long)told->lost);
        exit(1);
    }
}

static void measure_pyro_and_slow(void)
{
    stand_still = FRAME_MS / 2;
    measure_pyro_and_one();
}

/* ---- relay ---- */

typedef struct stream {
    int     fd;
    size_t  n; /* bytes in it */
    uint8_t bytes[BUFFER];
} stream;

static stream        streams[MANY + 1];
static struct pollfd fds[MANY + 1];

static void send_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        need(sent > 0, "events: send");
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void fill(stream *s)
{
    ssize_t got = recv(s->fd, s->bytes + s->n, sizeof s->bytes - s->n, 0);

    if (got == 0)
        pause(); /* the publisher has ended, and will end us */
    need(got > 0, "events: recv");
    s->n += (size_t)got;
}

static int relay_listener;

/* All that comes from the first connection goes to the others, frames or not:
 * a stream of bytes stays one. */
static void run_relay(void)
{
    for (unsigned i = 0; i <= n_subs; i++) {
        int on = 1;

        /* the publisher comes last, when all subscribers are there */
        fds[i].fd = accept(relay_listener, NULL, NULL);
        need(fds[i].fd >= 0
                 && setsockopt(fds[i].fd, IPPROTO_TCP, TCP_NODELAY, &on,
                               sizeof on)
                        == 0,
             "events: accept");
    }
    streams[0].fd = fds[n_subs].fd;
    for (;; streams[0].n = 0) {
        fill(&streams[0]);
        for (unsigned i = 0; i < n_subs; i++)
            send_all(fds[i].fd, streams[0].bytes, streams[0].n);
    }
}

/* Takes frames off the front. */
static void decode(unsigned who, stream *s)
{
    const uint8_t *at = s->bytes;
    const uint8_t *end = s->bytes + s->n;

    while (end - at >= 2) {
        size_t n = (size_t)at[0] << 8 | at[1];

        if ((size_t)(end - at) < 2 + n)
            break;
        on_event(who, at + 2, n);
        at += 2 + n;
    }
    s->n = (size_t)(end - at);
    memmove(s->bytes, at, s->n);
}

static struct sockaddr_in relay_at;

static void run_relay_subscribers(void)
{
    for (unsigned i = 0; i < n_subs; i++) {
        streams[i].fd = fds[i].fd = new_connection(relay_at);
        fds[i].events = POLLIN;
    }
    tell();
    while (n_subs == 1 || poll(fds, n_subs, -1) > 0)
        for (unsigned i = 0; i < n_subs; i++)
            if (n_subs == 1 || fds[i].revents != 0) {
                fill(&streams[i]);
                decode(i, &streams[i]);
            }
}

static stream out;

static void flush_relay(void)
{
    send_all(out.fd, out.bytes, out.n);
    out.n = 0;
}

static void publish_relay(const uint8_t *event)
{
    if (out.n + 2 + EVENT > sizeof out.bytes)
        flush_relay();
    out.bytes[out.n] = 0;
    out.bytes[out.n + 1] = EVENT;
    memcpy(out.bytes + out.n + 2, event, EVENT);
    out.n += 2 + EVENT;
}

static const publisher relay_publisher = { publish_relay, flush_relay };

static void measure_relay(void)
{
    relay_listener = new_listener(&relay_at);
    spawn(0, run_relay);
    spawn(1, run_relay_subscribers);
    wait_for_report();
    out.fd = new_connection(relay_at);
    publish_all(relay_publisher);
}

/* ---- zmq ---- */

static void          *zmq;
static void          *zmq_sockets[MANY + 1];
static zmq_pollitem_t zmq_items[MANY];
static char           zmq_address[64];
static int            zmq_told[2]; /* pipe: the address */

static void *new_zmq(int type)
{
    void *s = zmq_socket(zmq, type);
    int   none = 0;

    need(s != NULL && zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof none) == 0
             && zmq_setsockopt(s, ZMQ_RCVHWM, &none, sizeof none) == 0
             && zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof none) == 0,
         "events: ZeroMQ socket");
    return s;
}

/* Takes all that is there; the first may be waited for. */
static void drain_zmq(unsigned i, int flags)
{
    zmq_msg_t message;

    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, zmq_sockets[i], flags) >= 0) {
        on_event(i, zmq_msg_data(&message), zmq_msg_size(&message));
        flags = ZMQ_DONTWAIT;
    }
    zmq_msg_close(&message);
}

static void run_zmq_subscribers(void)
{
    need(read(zmq_told[0], zmq_address, sizeof zmq_address)
             == sizeof zmq_address,
         "events: no publisher");
    zmq = zmq_ctx_new();
    for (unsigned i = 0; i < n_subs; i++) {
        zmq_sockets[i] = new_zmq(ZMQ_SUB);
        need(zmq_setsockopt(zmq_sockets[i], ZMQ_SUBSCRIBE, subject,
                            strlen(subject))
                     == 0
                 && zmq_connect(zmq_sockets[i], zmq_address) == 0,
             "events: ZeroMQ subscriber");
        zmq_items[i].socket = zmq_sockets[i];
        zmq_items[i].events = ZMQ_POLLIN;
    }
    while (n_subs == 1)
        drain_zmq(0, 0);
    while (zmq_poll(zmq_items, (int)n_subs, -1) > 0)
        for (unsigned i = 0; i < n_subs; i++)
            if (zmq_items[i].revents != 0)
                drain_zmq(i, ZMQ_DONTWAIT);
}

static void publish_zmq(const uint8_t *event)
{
    need(zmq_send(zmq_sockets[MANY], event, EVENT, 0) == EVENT,
         "events: ZeroMQ send");
}

static void idle_zmq(void)
{
    /* it has a thread that sends */
}

static const publisher zmq_publisher = { publish_zmq, idle_zmq };

static void measure_zmq(void)
{
    int    every = 1;
    size_t size = sizeof zmq_address;
    char   subscription[64];

    need(pipe(zmq_told) == 0, "events: pipe");
    spawn(1, run_zmq_subscribers); /* before there are threads */
    zmq = zmq_ctx_new();
    zmq_sockets[MANY] = new_zmq(ZMQ_XPUB);
    need(zmq_setsockopt(zmq_sockets[MANY], ZMQ_XPUB_VERBOSE, &every,
                        sizeof every)
                 == 0
             && zmq_bind(zmq_sockets[MANY], "tcp://127.0.0.1:*") == 0
             && zmq_getsockopt(zmq_sockets[MANY], ZMQ_LAST_ENDPOINT,
                               zmq_address, &size)
                    == 0,
         "events: ZeroMQ publisher");
    need(write(zmq_told[1], zmq_address, sizeof zmq_address)
             == sizeof zmq_address,
         "events: address");
    for (unsigned i = 0; i < n_subs; i++)
        need(zmq_recv(zmq_sockets[MANY], subscription, sizeof subscription, 0)
                 > 0,
             "events: ZeroMQ subscription");
    publish_all(zmq_publisher);
}

/* ---- mosquitto ---- */

static int               broker;
static struct mosquitto *clients[MANY + 1];

static void need_mosquitto(int rc)
{
    if (rc == MOSQ_ERR_SUCCESS)
        return;
    fprintf(stderr, "events: mosquitto: %s\n", mosquitto_strerror(rc));
    exit(1);
}

static void new_client(unsigned i)
{
    clients[i] = mosquitto_new(NULL, true, &seen[i]);
    need(clients[i] != NULL, "events: mosquitto");
    need_mosquitto(mosquitto_int_option(clients[i], MOSQ_OPT_TCP_NODELAY, 1));
    need_mosquitto(mosquitto_connect(clients[i], "127.0.0.1", broker, 600));
}

static void on_message(struct mosquitto *client, void *user,
                       const struct mosquitto_message *message)
{
    (void)client;
    on_event((unsigned)((unsigned *)user - seen), message->payload,
             (size_t)message->payloadlen);
}

static void on_subscribed(struct mosquitto *client, void *user, int id, int n,
                          const int *granted)
{
    (void)client;
    (void)user;
    (void)id;
    (void)n;
    (void)granted;
    if (++reached == n_subs) {
        reached = 0;
        tell();
    }
}

static void run_mosquitto_subscribers(void)
{
    for (unsigned i = 0; i < n_subs; i++) {
        new_client(i);
        mosquitto_message_callback_set(clients[i], on_message);
        mosquitto_subscribe_callback_set(clients[i], on_subscribed);
        need_mosquitto(mosquitto_subscribe(clients[i], NULL, subject, 0));
        fds[i].fd = mosquitto_socket(clients[i]);
        fds[i].events = POLLIN;
    }
    while (poll(fds, n_subs, -1) > 0)
        for (unsigned i = 0; i < n_subs; i++)
            if (fds[i].revents != 0) {
                need_mosquitto(mosquitto_loop_read(clients[i], 1000));
                if (mosquitto_want_write(clients[i]))
                    need_mosquitto(mosquitto_loop_write(clients[i], 1));
            }
}

static void publish_mosquitto(const uint8_t *event)
{
    need_mosquitto(mosquitto_publish(clients[MANY], NULL, subject, EVENT,
                                     event, 0, false));
}

static void idle_mosquitto(void)
{
    while (mosquitto_want_write(clients[MANY]))
        need_mosquitto(mosquitto_loop(clients[MANY], 100, 1));
}

static const publisher mosquitto_publisher = { publish_mosquitto,
                                               idle_mosquitto };

static void measure_mosquitto(void)
{
    mosquitto_lib_init();
    spawn(1, run_mosquitto_subscribers);
    wait_for_report();
    new_client(MANY);
    publish_all(mosquitto_publisher);
}

/* ---- */

static const struct mode {
    const char *name;
    void (*measure)(void);
} modes[] = {
    { "pyro", measure_pyro },         { "slow", measure_pyro_and_slow },
    { "fast", measure_pyro_and_one }, { "relay", measure_relay },
    { "zmq", measure_zmq },           { "mosquitto", measure_mosquitto },
};

int main(int argc, char **argv)
{
    const char *name = argc >= 4 ? argv[1] : "";
    int         ends[2];
    size_t      i = 0;

    while (i < PYRO_COUNT(modes) && strcmp(modes[i].name, name) != 0)
        i++;
    n_subs = argc >= 4 ? (unsigned)atoi(argv[2]) : 0;
    if (i == PYRO_COUNT(modes) || n_subs < 1 || n_subs > MANY) {
        fprintf(stderr, "usage: events pyro|slow|fast|relay|zmq SUBSCRIBERS "
                        "MS\n       events mosquitto SUBSCRIBERS MS PORT\n");
        return 2;
    }
    run_ms = atof(argv[3]);
    broker = argc > 4 ? atoi(argv[4]) : 0;
    need(pipe(ends) == 0, "events: pipe");
    report_from = ends[0];
    report_to = ends[1];
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(told != MAP_FAILED, "events: shared memory");
    alarm(30);
    atexit(stop_children);
    modes[i].measure();
    return 0;
}
