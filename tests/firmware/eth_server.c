/* eth_server.c - a board on Ethernet with name server, event service and an
 * object, all in one daemon.
 *
 * usage: eth_server ADDRESS BOOT     its IP address; a number of its own for
 *                                    each start */
#include "eth_board.h"

#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#include "../../pyro_ns.h"
#include "../../pyro_es.h"
#include "../../examples/lib/lwip.h"

#include <stdio.h>

/* As lwip.h says. */
typedef char socket_bytes[sizeof(pyro_lwip_socket) == 24 ? 1 : -1];

static PYRO_ROOM(6, 8, 512, 4) room; /* links, buffers, bytes, objects */
static PYRO_NS_ROOM(16, 1000) names;
static PYRO_ES_ROOM(4, 8, 2048) events;
static pyro_lwip        net;
static pyro_lwip_socket sockets[10]; /* listener, 7 links, 2 for datagrams */
static pyro_daemon      node;
static pyro_config      config;
static pyro_ns_server   server;
static pyro_es_service  service;
static pyro_ns          ns;
static pyro_ns_config   ns_config;

static void bench_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    ++*(int32_t *)self;
    pyro_put_int(&call->result, (int64_t)a + b);
}

static void bench_echo(void *self, pyro_call *call)
{
    uint32_t    n;
    const void *bytes = pyro_get_bin(&call->args, &n);

    ++*(int32_t *)self;
    pyro_put_bin(&call->result, bytes, n);
}

/* Questions for the name server that came as datagrams. */
static void bench_answered(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_int(&call->result, (int64_t)server.answerer.answered);
}

static const pyro_method methods[] = {
    { "add", bench_add, "ii", "q", 0 },
    { "echo", bench_echo, "y", "y", 0 },
    { "answered", bench_answered, "", "i", 0 },
};
static const pyro_class bench_class = { "Bench", PYRO_METHODS(methods),
                                        PYRO_NO_ATTRS, NULL, 0 };
static int32_t          calls;

/* The board asks itself for its names, at its address: lwIP gives a broadcast
 * to others only. */
static pyro_err serve(const char *address)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), &config);

    ns_config.hosts = address;
    if (!err)
        err = pyro_listen(&node,
                          pyro_lwip_open(&net, sockets, PYRO_COUNT(sockets)),
                          "*:9090");
    if (!err)
        err = pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), NULL);
    if (!err)
        err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events), NULL);
    if (!err)
        err = pyro_export(&node, &bench_class, &calls, "bench");
    if (!err)
        err = pyro_ns_open(&ns, &node, &ns_config);
    if (!err)
        err = pyro_ns_register(&ns, ":bench", "bench");
    if (!err)
        err = pyro_ns_register(&ns, PYRO_ES_NAME, PYRO_ES_NAME);
    return err;
}

int main(int argc, char **argv)
{
    pyro_err err;

    if (argc != 3)
        return 2;
    config.boot = (uint32_t)atoi(argv[2]);
    net.poll = eth_poll;
    eth_open(argv[1], config.boot);
    err = serve(argv[1]);
    if (!err)
        puts("eth_server: ready");
    while (!err)
        err = pyro_poll(&node, 1000);
    fputs("eth_server: ", stdout);
    puts(pyro_err_text(err));
    return 1;
}
