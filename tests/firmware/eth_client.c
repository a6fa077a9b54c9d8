/* eth_client.c - finds eth_server by broadcast and its objects by name, calls
 * one of them, and gets events from it. A second board does that, or with
 * PYRO_POSIX a program on this machine.
 *
 * usage: eth_client ADDRESS BOOT     on a board: see eth_server
 *        eth_client BROADCAST        on this machine: where to ask
 *
 * Prints a line; the status is 0 when every answer was right. */
#ifndef PYRO_POSIX
#include "eth_board.h"
#endif

#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#include "../../pyro_ns.h"
#include "../../pyro_es.h"
#ifndef PYRO_POSIX
#include "../../examples/lib/lwip.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 2000, EVENTS = 200, LONGEST = 400, PATIENCE_MS = 15000 };

static PYRO_ROOM(4, 4, 512, 2) room;
static pyro_daemon    node;
static pyro_config    config;
static pyro_ns        ns;
static pyro_ns_config ns_config;
static pyro_es        es;
static pyro_proxy     bench;

#ifdef PYRO_POSIX
static const pyro_port *platform(int argc, char **argv)
{
    struct in_addr ip;

    if (argc != 2 || inet_pton(AF_INET, argv[1], &ip) != 1)
        exit(2);
    ns_config.udp_ip = ntohl(ip.s_addr);
    return pyro_posix();
}
#else
static const pyro_port *platform(int argc, char **argv)
{
    static pyro_lwip        net;
    static pyro_lwip_socket sockets[6];

    if (argc != 3)
        exit(2);
    config.boot = (uint32_t)atoi(argv[2]);
    net.poll = eth_poll;
    eth_open(argv[1], config.boot);
    return pyro_lwip_open(&net, sockets, PYRO_COUNT(sockets));
}
#endif

static void need(pyro_err err, const char *what)
{
    if (err == PYRO_OK)
        return;
    printf("eth_client: %s: %s", what, pyro_err_text(err));
    if (node.why.text != NULL)
        printf(", %s: %u, limit %u", node.why.text, (unsigned)node.why.is,
               (unsigned)node.why.limit);
    printf("; tried: %s\n", pyro_ns_tried(&ns));
    exit(1);
}

/* The other one may start later. */
static void find(void)
{
    char     uri[PYRO_URI_BYTES];
    pyro_err err = PYRO_ERR_NAMING;
    uint32_t begin = pyro_now(&node);

    while (err && pyro_now(&node) - begin < PATIENCE_MS) {
        pyro_ns_close(&ns);
        err = pyro_ns_open(&ns, &node, &ns_config);
        if (!err)
            err = pyro_ns_resolve(&ns, PYRO_ES_NAME, uri, sizeof uri);
    }
    need(err, "no name server, or no event service");
}

static void wrong(const char *what, unsigned i)
{
    printf("eth_client: call %u: a wrong answer from %s\n", i, what);
    exit(1);
}

static void call(unsigned i)
{
    static uint8_t bytes[LONGEST], back[LONGEST];
    pyro_blob      blob;
    int64_t        sum = 0;
    uint32_t       n = i * 7 % LONGEST;

    if (i % 2 == 0) {
        need(pyro_invoke(&bench, "add",
                         PYRO_ARGS(pyro_int((int32_t)i), pyro_int(1000000)),
                         pyro_to_i64(&sum)),
             "add");
        if (sum != (int64_t)i + 1000000)
            wrong("add", i);
        return;
    }
    memset(bytes, (int)(i & 0xFF), n);
    blob.data = back;
    blob.size = sizeof back;
    need(pyro_invoke(&bench, "echo", PYRO_ARGS(pyro_bin(bytes, n)),
                     pyro_to_bin(&blob)),
         "echo");
    if (blob.used != n || memcmp(back, bytes, n) != 0)
        wrong("echo", i);
}

/* Who gets no answer asks its own address, at which QEMU may listen: to be
 * found that way does not count. */
static void found_by_datagram(void)
{
    int32_t answered = 0;

    need(pyro_invoke(&bench, "answered", PYRO_NO_ARGS, pyro_to_i32(&answered)),
         "answered");
    if (answered == 0)
        need(PYRO_ERR_NAMING, "found, but by no datagram");
}

static void on_event(void *user, const pyro_es_event *event)
{
    unsigned *n = (unsigned *)user;
    int32_t   is = pyro_get_i32(event->message);

    if (is != (int32_t)*n)
        wrong("an event", *n);
    ++*n;
}

static void events(void)
{
    unsigned n = 0;
    uint32_t begin = pyro_now(&node);

    need(pyro_es_open(&es, &node, "PYRONAME://" PYRO_ES_NAME, on_event, &n),
         "events");
    need(pyro_es_subscribe(&es, "eth.*", 0), "subscribe");
    for (int i = 0; i < EVENTS; i++)
        need(pyro_es_publish_wait(&es, "eth.count", pyro_int(i)), "publish");
    while (n < EVENTS && pyro_now(&node) - begin < PATIENCE_MS)
        need(pyro_poll(&node, 10), "poll");
    if (n != EVENTS || es.lost != 0) {
        printf("eth_client: %u events of %u, %u lost\n", n, EVENTS,
               (unsigned)es.lost);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint32_t begin, end;

    config.port = platform(argc, argv);
    config.timeout_ms = PATIENCE_MS; /* frames may be lost */
    config.greet_ms = PATIENCE_MS;
    need(pyro_open(&node, PYRO_ROOM_OF(room), &config), "open");
    find();
    need(pyro_proxy_open(&bench, &node, "PYRONAME://:bench"), "bench");
    begin = pyro_now(&node);
    for (unsigned i = 0; i < CALLS; i++)
        call(i);
    end = pyro_now(&node);
    found_by_datagram();
    events();
    printf("eth_client: %u calls in %u ms, %u events\n", CALLS,
           (unsigned)(end - begin), EVENTS);
    return 0;
}
