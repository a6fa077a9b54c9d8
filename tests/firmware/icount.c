/* icount.c - what calls cost on a Cortex-M3, counted in instructions (QEMU's
 * -icount shift=0: one instruction takes one nanosecond, SysTick counts 25
 * million ticks a second) and in bytes of stack (painted before, read after).
 *
 * The setting: a server with four links open and eight objects; the object
 * that is called is the last of them and the method the last of its class. The
 * port is memory: connections are rings. The client's wait lets the server
 * poll, so that both sides of a call are on one stack and in one count.
 *
 * Prints lines "name number". Ends with 0 if all results were right. */
#define PYRO_MAX_NESTING 8
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#ifndef PYRO_NO_ASYNC /* what events are built on */
#include "../../pyro_es.h"
#endif

#include "../bench/message.h"

#include <string.h>

#ifndef TURNS
#define TURNS 1000u /* what is counted is done so often */
#endif

enum {
    LINKS = 4,
    SUBSCRIBERS = 8,
    RING = 1024,
    CONNECTIONS = LINKS + SUBSCRIBERS,
    PAINTED = 6000, /* bytes of stack */
    LEVELS = 4,     /* handlers nested on one node */
    PEER = 0        /* the connection whose other end is played */
};

#define INLINE static inline __attribute__((always_inline))

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define PER_TICK 40u /* instructions */

/* ------------------------------------------------------------------------
 * The port. A handle is 2 * connection + end; end 1 is the server's, which
 * the listener LISTENER hands out in order.
 * ------------------------------------------------------------------------ */

enum { LISTENER = 2 * CONNECTIONS };

struct ring {
    uint8_t *in, *out; /* where the next byte goes in, and comes out */
};

/* By the end that receives; those who wait for the listener are in its own. */
static uint8_t     bytes[LISTENER + 1][RING];
static struct ring rings[LISTENER + 1];
static int32_t     connected, accepted;

static pyro_daemon server, client;
static uint32_t    server_ticks; /* spent in the server's poll */

static uint32_t clock_ms;

static uint32_t port_now(const pyro_port *port)
{
    (void)port;
    return clock_ms;
}

static int32_t port_listen(const pyro_port *port, const char *address)
{
    (void)port;
    (void)address;
    rings[LISTENER].in = rings[LISTENER].out = bytes[LISTENER];
    return LISTENER;
}

static int32_t port_accept(const pyro_port *port, int32_t listener)
{
    (void)port;
    if (accepted == connected)
        return -1;
    rings[listener].out++;
    return 2 * accepted++ + 1;
}

static int32_t port_connect(const pyro_port *port, const char *address)
{
    (void)port;
    (void)address;
    if (connected == CONNECTIONS)
        return -1;
    rings[LISTENER].in++;
    return 2 * connected++;
}

/* By words, as memcpy is where it is not made for size. */
INLINE void move(uint8_t *to, const uint8_t *from, uint32_t n)
{
    for (uint32_t words = n / 4; words > 0; words--, to += 4, from += 4)
        memcpy(to, from, 4);
    for (n %= 4; n > 0; n--)
        *to++ = *from++;
}

static int32_t port_send(const pyro_port *port, int32_t handle,
                         const void *data, uint32_t n)
{
    struct ring *r = &rings[handle ^= 1];
    uint32_t     room;

    (void)port;
    if (r->in == r->out)
        r->in = r->out = bytes[handle];
    room = (uint32_t)(bytes[handle] + RING - r->in);
    if (n > room)
        n = room;
    move(r->in, data, n);
    r->in += n;
    return (int32_t)n;
}

static int32_t port_recv(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    struct ring *r = &rings[handle];
    uint32_t     there = (uint32_t)(r->in - r->out);

    (void)port;
    (void)ahead;
    if (n >= there)
        n = there;
    move(to, r->out, n);
    r->out += n;
    return (int32_t)(n < there ? n | PYRO_PORT_MORE : n);
}

static void port_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    (void)handle;
}

static void look(pyro_item *list)
{
    for (; list != NULL; list = list->next) {
        const struct ring *r = &rings[list->handle];

        list->ready = list->want;
        if (r->in == r->out)
            list->ready &= (uint8_t)~PYRO_IN;
    }
}

static void play(void);

static void server_wait(const pyro_port *port, pyro_item *list, int32_t ms)
{
    (void)port;
    if (ms != 0)
        play();
    look(list);
}

static void client_wait(const pyro_port *port, pyro_item *list, int32_t ms)
{
    uint32_t begin = SYST_CVR;

    (void)port;
    if (ms != 0)
        pyro_poll(&server, 0);
    server_ticks += (begin - SYST_CVR) & 0xFFFFFFu;
    look(list);
}

static pyro_port server_port = {
    port_now,  NULL,       port_listen, port_accept, NULL, port_send,
    port_recv, port_close, server_wait, NULL,        NULL, NULL,
    NULL,      NULL,       NULL,        NULL,        NULL, 0
};
static pyro_port client_port = {
    port_now,  NULL,       NULL,        NULL, port_connect, port_send,
    port_recv, port_close, client_wait, NULL, NULL,         NULL,
    NULL,      NULL,       NULL,        NULL, NULL,         0
};

/* ------------------------------------------------------------------------
 * Objects
 * ------------------------------------------------------------------------ */

static const char *handler_sp[LEVELS]; /* by level */

static void nothing(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

static void add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

static pyro_proxy up, down; /* server to the peer, client to server */
static unsigned   depth;    /* handlers "nest" on the stack */
static bool       called[LEVELS + 1];

/* Calls the peer, which calls "nest" before it answers. */
static void nest(void *self, pyro_call *call)
{
    char here;

    (void)self;
    handler_sp[depth++] = &here;
    if (depth < LEVELS) {
        if (depth == 1)
            need(pyro_proxy_at(&up, &server, call->link, "x", 1) == PYRO_OK,
                 "proxy");
        need(pyro_invoke(&up, "f", PYRO_NO_ARGS, pyro_to_none()) == PYRO_OK,
             "nested call");
    }
    depth--;
}

/* The peer: while the server waits in a handler it calls "nest", once at each
 * level, then answers. The server numbers its calls from 1. */
static void play(void)
{
    static const char body[] = "\x94\xa4"
                               "calc"
                               "\xa4"
                               "nest"
                               "\x90\x80";
    uint8_t frame[40] = { 'P', 'Y', 0x64, 0, 0, 0, 0, sizeof body - 1 };

    rings[2 * PEER].out = rings[2 * PEER].in;
    frame[5] = (uint8_t)(100 + depth);
    memcpy(frame + 8, body, sizeof body - 1);
    if (depth > 0 && called[depth]) {
        frame[2] = 0x65;
        frame[5] = (uint8_t)depth;
        frame[7] = 1;
        frame[8] = 0xC0;
    }
    called[depth] = true;
    port_send(&server_port, 2 * PEER, frame, 8u + frame[7]);
}

static const pyro_method methods[] = {
    { "start", nothing, "", "", 0 },  { "stop", nothing, "", "", 0 },
    { "read", nothing, "", "", 0 },   { "write", nothing, "", "", 0 },
    { "status", nothing, "", "", 0 }, { "reset", nothing, "", "", 0 },
    { "nest", nest, "", "", 0 },      { "add", add, "a:i b:i", "i", 0 },
};
static const pyro_class  thing = { "Thing", PYRO_METHODS(methods),
                                   NULL,    0,
                                   NULL,    0 };
static const char *const names[8] = { "lamp", "door",  "pump", "fan",
                                      "lock", "meter", "gate", "calc" };

/* ------------------------------------------------------------------------
 * Counting
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(CONNECTIONS, 12, 256, 12) server_room;
static PYRO_ROOM(LINKS, 12, 256, 2) client_room;
static pyro_config server_config, client_config;

static uint32_t count_from;

static void count(void)
{
    count_from = SYST_CVR;
}

static void counted(const char *name)
{
    uint32_t ticks = (count_from - SYST_CVR) & 0xFFFFFFu;

    printf("%s %u\n", name, (unsigned)(ticks * PER_TICK / TURNS));
}

static void call_add(void)
{
    int32_t  sum = 0;
    pyro_err err =
        pyro_invoke(&down, "add", PYRO_ARGS(pyro_int(2), pyro_int(40)),
                    pyro_to_i32(&sum));

    need(err == PYRO_OK && sum == 42, "add");
}

/* Opens both sides, with four links between them. */
static void begin(void)
{
    static pyro_proxy        others[LINKS];
    static const char *const uris[LINKS] = { "PYRO://a:1/calc",
                                             "PYRO://b:1/calc",
                                             "PYRO://c:1/calc",
                                             "PYRO://d:1/calc" };
    pyro_err                 err;

    server_config.boot = 1;
    client_config.boot = 2;
    client_config.port = &client_port;
    server_config.port = &server_port;
    err = pyro_open(&server, PYRO_ROOM_OF(server_room), &server_config);
    if (!err)
        err = pyro_listen(&server, &server_port, "*:1");
    for (int i = 0; i < 8 && !err; i++)
        err = pyro_export(&server, &thing, &server, names[i]);
    if (!err)
        err = pyro_open(&client, PYRO_ROOM_OF(client_room), &client_config);
    if (!err)
        err = pyro_export(&client, &thing, &client, "calc");
    for (int i = 0; i < LINKS && !err; i++) {
        int32_t sum;

        err = pyro_proxy_open(&others[i], &client, uris[i]);
        if (!err)
            err = pyro_invoke(&others[i], "add",
                              PYRO_ARGS(pyro_int(1), pyro_int(1)),
                              pyro_to_i32(&sum));
    }
    if (!err)
        err = pyro_proxy_open(&down, &client, uris[LINKS - 1]);
    need(err == PYRO_OK, "begin");
    call_add();
}

static void calls(void)
{
    server_ticks = 0;
    count();
    for (int i = 0; i < (int)TURNS; i++)
        call_add();
    counted("loop");
    printf("dispatch %u\n", (unsigned)(server_ticks * PER_TICK / TURNS));
}

static void codec(void)
{
    count();
    for (int i = 0; i < (int)TURNS; i++)
        encode_mine(&sent);
    counted("encode");
    count();
    for (int i = 0; i < (int)TURNS; i++)
        decode_mine(&got);
    counted("decode");
}

/* ------------------------------------------------------------------------
 * Stack
 * ------------------------------------------------------------------------ */

/* Runs fn and returns how many bytes below this frame it has written. */
static __attribute__((noinline)) uint32_t stack_of(void (*fn)(void))
{
    uint8_t *top = (uint8_t *)__builtin_frame_address(0);
    uint8_t *p = top - PAINTED;

    /* Below everything that this function itself keeps. */
    for (volatile uint8_t *q = p; q < top - 64; q++)
        *q = 0xA5;
    fn();
    while (*p == 0xA5)
        p++;
    return (uint32_t)(top - p);
}

static void nothing_at_all(void)
{
}

static void stack_of_call(void)
{
    printf("stack_both %u\n",
           (unsigned)(stack_of(call_add) - stack_of(nothing_at_all)));
}

#ifndef PYRO_NO_ASYNC
static void poll_server(void)
{
    pyro_poll(&server, 0);
}

static void stack_of_server(void)
{
    static pyro_request rq;
    uint32_t            none = stack_of(nothing_at_all);
    int32_t             got_sum = 0;

    need(pyro_begin(&rq, &down, "add") == PYRO_OK, "begin");
    pyro_put_int(&rq.args, 2);
    pyro_put_int(&rq.args, 40);
    need(pyro_send(&rq, pyro_to_i32(&got_sum), NULL, NULL) == PYRO_OK, "send");
    printf("stack_server %u\n", (unsigned)(stack_of(poll_server) - none));
    need(pyro_wait(&rq) == PYRO_OK && got_sum == 42, "wait");
}
#endif

/* One more handler on a node's stack, its own frame not counted: what is
 * between two of them, less what the second one keeps itself. */
static void nesting(void)
{
    play();
    pyro_poll(&server, 0);
    need(called[LEVELS - 1] && handler_sp[LEVELS - 1] != NULL, "nesting");
    printf("stack_level %u\n",
           (unsigned)(handler_sp[LEVELS - 2] - handler_sp[LEVELS - 1]));
}

/* ------------------------------------------------------------------------
 * Events
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_ASYNC
static PYRO_ROOM(1, 4, 256, 2) subscriber_rooms[SUBSCRIBERS];
static PYRO_ES_ROOM(SUBSCRIBERS, SUBSCRIBERS, 2048) es_room;
static pyro_daemon     subscribers[SUBSCRIBERS];
static pyro_es         es[SUBSCRIBERS];
static pyro_es_service service;
static pyro_config     subscriber_configs[SUBSCRIBERS];
static uint32_t        events;

static void on_event(void *user, const pyro_es_event *e)
{
    (void)user;
    (void)e;
    events++;
}

static void subscribe(void)
{
    pyro_err err =
        pyro_es_serve(&service, &server, PYRO_ES_ROOM_OF(es_room), NULL);

    for (int i = 0; i < SUBSCRIBERS && !err; i++) {
        subscriber_configs[i].port = &client_port;
        subscriber_configs[i].boot = 10u + (uint32_t)i;
        err = pyro_open(&subscribers[i], PYRO_ROOM_OF(subscriber_rooms[i]),
                        &subscriber_configs[i]);
        if (!err)
            err = pyro_es_open(&es[i], &subscribers[i],
                               "PYRO://s:1/" PYRO_ES_NAME, on_event, NULL);
        if (!err)
            err = pyro_es_subscribe(&es[i], "sensor.3.temp", 0);
        for (int turn = 0; turn < 20 && !err; turn++) {
            pyro_poll(&subscribers[i], 0);
            pyro_poll(&server, 0);
            clock_ms += 10;
        }
    }
    need(err == PYRO_OK, "subscribe");
}

/* What the publisher's own node does for one event: post, and the polls in
 * which it leaves on all links. */
static void publish(void)
{
    uint32_t ticks = 0;

    subscribe();
    for (uint32_t i = 0; i < TURNS; i++) {
        count();
        need(pyro_es_post(&service, "sensor.3.temp", pyro_int(i)) == PYRO_OK,
             "publish");
        for (int polls = 0; polls < 3 && events < (i + 1) * SUBSCRIBERS;
             polls++) {
            pyro_poll(&server, 0);
            ticks += (count_from - SYST_CVR) & 0xFFFFFFu;
            for (int k = 0; k < SUBSCRIBERS; k++)
                pyro_poll(&subscribers[k], 0);
            count();
        }
        need(events == (i + 1) * SUBSCRIBERS, "an event is missing");
    }
    printf("publish %u\n", (unsigned)(ticks * PER_TICK / TURNS));
}
#endif

int main(void)
{
    SYST_RVR = 0xFFFFFFu;
    SYST_CVR = 0;
    SYST_CSR = 5;
    begin();
    calls();
#ifndef CALLS_ONLY
    codec();
    stack_of_call();
#ifndef PYRO_NO_ASYNC
    stack_of_server();
    publish();
#endif
    nesting();
#endif
    return 0;
}
