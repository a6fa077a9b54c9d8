/* loopback.h - the port of the tests: byte pipes in memory, a clock that
 * stands still, and a plan of faults.
 *
 * All state is in a struct loop_net of the test (static: it is large). Every
 * daemon gets a port of its own over the same net:
 *
 *     static struct loop_net net;
 *     pyro_port a, b;
 *
 *     loop_init(&net, 1);                 seed of the random bytes and counts
 *     a = loop_port(&net);
 *     b = loop_port(&net);
 *     pyro_listen(&server, &a, "*:7766");
 *     pyro_proxy_open(&proxy, &client, "PYRO://board:7766/calc");
 *
 * Addresses are any texts; a listener "*:7766" takes every "host:7766".
 * loop_pair makes two handles that are simply there, for pyro_adopt; one end
 * of it can also be played by the test, with loop_feed and loop_take.
 *
 * All ports are on one machine, 127.0.0.1, until they are given addresses:
 * loop_at(&net, &a, 0x0A000007, 0xFFFFFF00) puts a on 10.0.0.7/24. From then
 * on "10.0.0.7:7766" and "127.0.0.1:7766" are those of that machine alone,
 * and its own addresses are told as a system tells them ("*" is 0.0.0.0).
 * Datagrams go where their address says; a broadcast, directed or limited,
 * to all on the sender's network that opened this number with ip 0.
 *
 * What makes life hard, all zero (easy) after loop_init:
 *     net.chunk = 3;            a send or recv moves at most 3 bytes
 *     net.shorten = true;       ... and a random number of them
 *     net.capacity = 20;        bytes each direction holds, for new pipes
 *     net.more = true;          recv says PYRO_PORT_MORE when bytes are left
 *     net.block_percent = 30;   so many sends and recvs say "not now"
 *     net.block_send = 2;       the next two sends do (block_recv as well)
 *     net.connect_ms = 50;      connecting takes so long
 *     net.refuse_late = true;   an address nobody listens at is noticed by
 *                               the first send or recv, not by connect
 *     net.udp_lose = 30;        so many percent of datagrams do not arrive
 *     net.udp_twice = 30;       ... arrive twice
 *     net.udp_spoil = 30;       ... arrive with a bit turned over
 *     net.udp_block = 2;        the next two cannot be sent
 *     loop_fault(&net, 0, LOOP_TO_LISTENER, LOOP_CUT, 17, 0);
 *
 * and the clock: loop_advance moves it; with net.clock = LOOP_CLOCK_RUNS wait
 * moves it by the time it was asked for, else it stands.
 *
 * After a test: net.misuse is the number of calls with a handle that was not
 * open (a defect), loop_open_handles what was not closed, net.calls how often
 * each function was called. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "../pyro.h"

#include <stdio.h>
#include <string.h>

#ifndef LOOP_CONNS
#define LOOP_CONNS 48 /* connections and pipes at once */
#endif
#ifndef LOOP_BYTES
#define LOOP_BYTES 4096 /* most that a direction can hold */
#endif
#ifndef LOOP_SOCKETS
#define LOOP_SOCKETS 24 /* handles for datagrams */
#endif
#define LOOP_LISTENERS 16
#define LOOP_FAULTS    16
#define LOOP_ADDRESS   96
#define LOOP_HOSTS     16  /* ports with addresses of their own */
#define LOOP_QUEUE     8   /* datagrams each holds; more are lost */
#define LOOP_DATAGRAM  512 /* longest one */
#define LOOP_LOCALHOST 0x7F000001u

/* The directions of a connection, each named by the end that receives. The
 * two ends of a pipe from loop_pair are [0] (as a connector) and [1]. */
enum { LOOP_TO_LISTENER, LOOP_TO_CONNECTOR };

/* What can happen at byte k of a direction; bytes count from 0, as sent. */
enum {
    LOOP_CUT = 1, /* k bytes arrive, then both ends are gone, and what was
                     under way is lost */
    LOOP_SHUT,    /* k bytes can be sent, then the sender's end is gone; the
                     other end receives these k first */
    LOOP_FLIP,    /* byte k arrives exclusive-or `value` */
    LOOP_DROP,    /* byte k does not arrive */
    LOOP_INSERT,  /* a byte `value` arrives before byte k */
    LOOP_GAP,     /* `value` bytes from k on are lost, and the port says so:
                     PYRO_PORT_GAP */
    LOOP_STALL    /* nothing arrives from byte k on, until the fault is taken
                     out of the plan (kind = 0) */
};

struct loop_fault {
    uint32_t conn; /* number of the connection or pipe, in order of birth */
    uint8_t  way;
    uint8_t  kind; /* 0: none, or spent */
    uint8_t  value;
    uint32_t at;
};

struct loop_way {
    uint8_t  bytes[LOOP_BYTES];
    uint32_t first;
    uint32_t used;
    uint32_t capacity;
    uint32_t taken; /* bytes sent so far */
    uint32_t given; /* of these, received or lost */
    uint32_t lose;  /* bytes still to be lost in a gap */
    bool     gap;   /* to be reported */
};

struct loop_conn {
    struct loop_way way[2];   /* by what end [0] and end [1] sends */
    bool            open[2];  /* a handle is out for this end */
    bool            gone[2];  /* ... and answers PYRO_PORT_GONE */
    bool            pipe;     /* made by loop_pair: has no address */
    int32_t         listener; /* where it waits to be accepted, or -1 */
    uint32_t        number;
    uint32_t        up_at; /* when connecting ends */
    uint32_t        from;  /* address of who connects */
    uint16_t        gen;
    char            address[LOOP_ADDRESS]; /* as connect got it */
};

struct loop_listener {
    char     address[LOOP_ADDRESS];
    uint32_t host;
    uint16_t gen;
    bool     open;
};

struct loop_host {
    const pyro_port *port;
    uint32_t         ip;
    uint32_t         mask;
};

struct loop_datagram {
    pyro_udp from;
    uint32_t n;
    uint8_t  bytes[LOOP_DATAGRAM];
};

struct loop_socket {
    struct loop_datagram queue[LOOP_QUEUE];
    uint32_t             first;
    uint32_t             used;
    struct loop_host     host;
    pyro_udp             at; /* ip 0: all */
    uint32_t             born;
    uint16_t             gen;
    bool                 open;
};

struct loop_calls {
    uint32_t now, random, listen, accept, connect, send, recv, close, wait;
    uint32_t udp_send, udp_recv;
};

enum { LOOP_CLOCK_STANDS, LOOP_CLOCK_RUNS };

struct loop_net {
    uint32_t clock_ms; /* the time */
    uint32_t seed;
    uint32_t chunk;
    uint32_t capacity;
    uint32_t connect_ms;
    uint32_t block_send;
    uint32_t block_recv;
    uint32_t udp_block;
    uint8_t  udp_lose;
    uint8_t  udp_twice;
    uint8_t  udp_spoil;
    uint8_t  block_percent;
    uint8_t  clock;
    bool     shorten;
    bool     more;
    bool     refuse_late;

    struct loop_calls calls;
    uint32_t          misuse;
    uint32_t          moved;    /* bytes sent and received, all together */
    uint32_t          born;     /* connections and pipes so far */
    uint32_t          udp_born; /* handles for datagrams so far */
    uint32_t          forever;  /* waits without limit for what never came */

    /* Called first in every send and recv. May be NULL. */
    void (*on_call)(void *user, const pyro_port *port);
    /* Called by wait in place of all it does (it may call loop_look, and let
     * others run); when it returns, wait looks and returns. May be NULL. */
    void (*on_wait)(void *user, const pyro_port *port, pyro_item *list,
                    int32_t ms);
    /* Sees all bytes as they are sent. May be NULL. */
    void (*on_send)(void *user, int32_t handle, const void *data, uint32_t n);
    void *user; /* first argument of these */

    struct loop_fault    faults[LOOP_FAULTS];
    uint32_t             n_faults;
    struct loop_listener listeners[LOOP_LISTENERS];
    struct loop_conn     conns[LOOP_CONNS];
    struct loop_host     hosts[LOOP_HOSTS];
    struct loop_socket   sockets[LOOP_SOCKETS];
};

/* A number that is never 0 (xorshift32); the whole net draws from one row. */
static inline uint32_t loop_rand(struct loop_net *net)
{
    uint32_t x = net->seed;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    net->seed = x;
    return x;
}

static inline void loop_init(struct loop_net *net, uint32_t seed)
{
    memset(net, 0, sizeof *net);
    net->seed = seed * 2654435761u + 1u; /* neighbours shall differ */
    if (net->seed == 0)
        net->seed = 1;
    net->capacity = LOOP_BYTES;
    for (int i = 0; i < LOOP_CONNS; i++)
        net->conns[i].listener = -1;
}

static inline void loop_advance(struct loop_net *net, uint32_t ms)
{
    net->clock_ms += ms;
}

/* Gives a port an address, or another one. Before it is used. */
static inline void loop_at(struct loop_net *net, const pyro_port *port,
                           uint32_t ip, uint32_t mask)
{
    unsigned i = 0;

    while (i < LOOP_HOSTS && net->hosts[i].port != NULL
           && net->hosts[i].port != port)
        i++;
    if (i == LOOP_HOSTS)
        return;
    net->hosts[i].port = port;
    net->hosts[i].ip = ip;
    net->hosts[i].mask = mask;
}

/* The machine that a port is on. */
static inline struct loop_host loop_host_of(const pyro_port *port)
{
    const struct loop_net *net = (const struct loop_net *)port->user;
    struct loop_host       host = { port, LOOP_LOCALHOST, 0xFF000000u };

    for (unsigned i = 0; i < LOOP_HOSTS; i++)
        if (net->hosts[i].port == port)
            host = net->hosts[i];
    return host;
}

/* Plans a fault. Any number up to LOOP_FAULTS, in any order; of several for
 * the same byte the first planned happens first. */
static inline void loop_fault(struct loop_net *net, uint32_t conn, int way,
                              int kind, uint32_t at, uint8_t value)
{
    struct loop_fault *f;

    if (net->n_faults == LOOP_FAULTS)
        return;
    f = &net->faults[net->n_faults++];
    f->conn = conn;
    f->way = (uint8_t)way;
    f->kind = (uint8_t)kind;
    f->at = at;
    f->value = value;
}

/* No faults from here on, the end of a gap included. */
static inline void loop_heal(struct loop_net *net)
{
    net->n_faults = 0;
    for (unsigned i = 0; i < LOOP_CONNS; i++)
        net->conns[i].way[0].lose = net->conns[i].way[1].lose = 0;
}

/* ------------------------------------------------------------------------
 * Handles: 16 bits generation, 16 bits index, never 0; ends come first, two
 * for each connection, then the listeners, then handles for datagrams.
 * ------------------------------------------------------------------------ */

static inline int32_t loop_handle(unsigned gen, unsigned index)
{
    return (int32_t)((gen & 0x7FFFu) << 16 | (index + 1u));
}

static inline int32_t loop_end_handle(const struct loop_net  *net,
                                      const struct loop_conn *c, unsigned end)
{
    return loop_handle(c->gen, 2u * (unsigned)(c - net->conns) + end);
}

/* The connection of an open handle and which end it is, or NULL. */
static inline struct loop_conn *loop_find(struct loop_net *net, int32_t handle,
                                          unsigned *end)
{
    unsigned          index = ((unsigned)handle & 0xFFFFu) - 1u;
    struct loop_conn *c;

    if (index >= 2u * LOOP_CONNS)
        return NULL;
    c = &net->conns[index / 2u];
    *end = index % 2u;
    if (handle != loop_end_handle(net, c, *end) || !c->open[*end])
        return NULL;
    return c;
}

static inline struct loop_listener *loop_find_listener(struct loop_net *net,
                                                       int32_t          handle)
{
    unsigned index = ((unsigned)handle & 0xFFFFu) - 1u - 2u * LOOP_CONNS;

    if (index >= LOOP_LISTENERS || !net->listeners[index].open)
        return NULL;
    if (handle
        != loop_handle(net->listeners[index].gen, index + 2u * LOOP_CONNS))
        return NULL;
    return &net->listeners[index];
}

static inline struct loop_socket *loop_find_socket(struct loop_net *net,
                                                   int32_t          handle)
{
    unsigned base = 2u * LOOP_CONNS + LOOP_LISTENERS;
    unsigned index = ((unsigned)handle & 0xFFFFu) - 1u - base;

    if (index >= LOOP_SOCKETS || !net->sockets[index].open
        || handle != loop_handle(net->sockets[index].gen, index + base))
        return NULL;
    return &net->sockets[index];
}

/* Handles that are open: 0 when all was closed. */
static inline unsigned loop_open_handles(const struct loop_net *net)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LOOP_CONNS; i++)
        n += (unsigned)net->conns[i].open[0] + net->conns[i].open[1];
    for (unsigned i = 0; i < LOOP_LISTENERS; i++)
        n += net->listeners[i].open;
    for (unsigned i = 0; i < LOOP_SOCKETS; i++)
        n += net->sockets[i].open;
    return n;
}

/* A new connection without open ends, or NULL when all are in use. */
static inline struct loop_conn *loop_new(struct loop_net *net)
{
    for (unsigned i = 0; i < LOOP_CONNS; i++) {
        struct loop_conn *c = &net->conns[i];
        uint16_t          gen = (uint16_t)(c->gen + 1u);

        if (c->open[0] || c->open[1] || c->listener >= 0)
            continue;
        memset(c, 0, offsetof(struct loop_conn, address));
        c->address[0] = 0;
        c->gen = gen;
        c->listener = -1;
        c->number = net->born++;
        c->up_at = net->clock_ms;
        c->way[0].capacity = net->capacity;
        c->way[1].capacity = net->capacity;
        return c;
    }
    return NULL;
}

/* Two handles that are simply there. Returns the number of the pipe, for
 * loop_fault. */
static inline uint32_t loop_pair(struct loop_net *net, int32_t handles[2])
{
    struct loop_conn *c = loop_new(net);

    handles[0] = handles[1] = -1;
    if (c == NULL)
        return UINT32_MAX;
    c->pipe = true;
    c->open[0] = c->open[1] = true;
    handles[0] = loop_end_handle(net, c, 0);
    handles[1] = loop_end_handle(net, c, 1);
    return c->number;
}

/* From now on this handle answers PYRO_PORT_GONE (the adapter was pulled);
 * the other end of it reads what is there, then the same. */
static inline void loop_gone(struct loop_net *net, int32_t handle)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);

    if (c != NULL)
        c->gone[end] = true;
}

/* ------------------------------------------------------------------------
 * Faults. They happen as bytes arrive, so that all else can be written as if
 * there were none; only LOOP_SHUT happens as they leave.
 * ------------------------------------------------------------------------ */

/* The fault planned for the place `at` of a direction, or NULL. */
static inline struct loop_fault *loop_planned(struct loop_net        *net,
                                              const struct loop_conn *c,
                                              unsigned way, uint32_t at)
{
    for (uint32_t i = 0; i < net->n_faults; i++) {
        struct loop_fault *f = &net->faults[i];

        if (f->kind != 0 && f->conn == c->number && f->way == way
            && f->at == at)
            return f;
    }
    return NULL;
}

static inline void loop_pop(struct loop_way *w, uint32_t n)
{
    w->first = (w->first + n) % LOOP_BYTES;
    w->used -= n;
    w->given += n;
}

/* Faults that need no byte to happen: they are due when a direction has come
 * to their place. */
static inline void loop_touch(struct loop_net *net, struct loop_conn *c)
{
    for (unsigned way = 0; way < 2 && net->n_faults > 0; way++) {
        struct loop_way   *w = &c->way[way];
        struct loop_fault *f = loop_planned(net, c, way, w->given);

        if (f != NULL && f->kind == LOOP_CUT) {
            f->kind = 0;
            c->gone[0] = c->gone[1] = true;
        } else if (f != NULL && f->kind == LOOP_GAP) {
            f->kind = 0;
            w->gap = true;
            w->lose += f->value;
        }
        f = loop_planned(net, c, way, w->taken);
        if (f != NULL && f->kind == LOOP_SHUT) {
            f->kind = 0;
            c->gone[way] = true;
        }
    }
    for (unsigned way = 0; way < 2; way++) {
        struct loop_way *w = &c->way[way];
        uint32_t         n = w->lose < w->used ? w->lose : w->used;

        if (n > 0) {
            loop_pop(w, n);
            w->lose -= n;
        }
    }
}

/* Whether a receiver would get a byte now. */
static inline bool loop_flows(struct loop_net *net, const struct loop_conn *c,
                              unsigned way)
{
    const struct loop_fault *f;

    if (c->way[way].used == 0)
        return false;
    f = loop_planned(net, c, way, c->way[way].given);
    return f == NULL || f->kind != LOOP_STALL;
}

/* Moves up to n bytes out of a direction, through the faults. */
static inline uint32_t loop_move(struct loop_net *net, struct loop_conn *c,
                                 unsigned way, uint8_t *to, uint32_t n)
{
    struct loop_way *w = &c->way[way];
    uint32_t         done = 0;

    loop_touch(net, c);
    while (done < n && !c->gone[1u - way] && !w->gap
           && loop_flows(net, c, way)) {
        struct loop_fault *f = loop_planned(net, c, way, w->given);
        int                kind = f == NULL ? 0 : f->kind;

        if (f != NULL)
            f->kind = 0;
        if (kind == LOOP_INSERT) {
            to[done++] = f->value;
        } else {
            if (kind != LOOP_DROP)
                to[done++] = (uint8_t)(w->bytes[w->first]
                                       ^ (kind == LOOP_FLIP ? f->value : 0));
            loop_pop(w, 1);
        }
        loop_touch(net, c);
    }
    return done;
}

/* Whether nothing more can come from this end. An end that nobody accepted
 * yet is alive. */
static inline bool loop_dead(const struct loop_conn *c, unsigned end)
{
    if (end == 1 && c->listener >= 0)
        return false;
    return !c->open[end] || c->gone[end];
}

/* What an open handle is ready for: PYRO_IN, PYRO_OUT. */
static inline unsigned loop_ready(struct loop_net *net, int32_t handle)
{
    unsigned          end;
    unsigned          ready = 0;
    struct loop_conn *c = loop_find(net, handle, &end);

    if (c == NULL) {
        struct loop_listener *l = loop_find_listener(net, handle);
        struct loop_socket   *s = loop_find_socket(net, handle);

        for (unsigned i = 0; l != NULL && i < LOOP_CONNS; i++)
            if (net->conns[i].listener == (int32_t)(l - net->listeners))
                return PYRO_IN;
        if (s != NULL)
            return s->used > 0 ? PYRO_IN | PYRO_OUT : PYRO_OUT;
        return 0;
    }
    loop_touch(net, c);
    if (c->gone[end])
        return PYRO_IN | PYRO_OUT;
    if ((int32_t)(net->clock_ms - c->up_at) < 0)
        return 0;
    if (loop_flows(net, c, 1u - end) || c->way[1u - end].gap
        || (c->way[1u - end].used == 0 && loop_dead(c, 1u - end)))
        ready |= PYRO_IN;
    if (c->way[end].used < c->way[end].capacity || loop_dead(c, 1u - end))
        ready |= PYRO_OUT;
    return ready;
}

/* How many of n bytes one call moves; 0 is "not now". */
static inline uint32_t loop_count(struct loop_net *net, uint32_t n,
                                  uint32_t *block)
{
    if (*block > 0) {
        (*block)--;
        return 0;
    }
    if (net->block_percent > 0 && loop_rand(net) % 100u < net->block_percent)
        return 0;
    if (net->chunk > 0 && n > net->chunk)
        n = net->chunk;
    if (net->shorten && n > 1)
        n = 1u + loop_rand(net) % n;
    return n;
}

/* ------------------------------------------------------------------------
 * A peer played by the test: these use the open handle as its owner would,
 * without chunks, blocking or counting; planned faults do happen.
 * ------------------------------------------------------------------------ */

static inline void loop_push(struct loop_way *w, const void *data, uint32_t n)
{
    const uint8_t *from = data;

    for (uint32_t i = 0; i < n; i++)
        w->bytes[(w->first + w->used++) % LOOP_BYTES] = from[i];
}

/* Sends bytes; returns how many the pipe took. */
static inline uint32_t loop_feed(struct loop_net *net, int32_t handle,
                                 const void *data, uint32_t n)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);
    struct loop_way  *w;

    if (c == NULL || c->gone[end])
        return 0;
    w = &c->way[end];
    if (n > w->capacity - w->used)
        n = w->capacity - w->used;
    w->taken += n;
    loop_push(w, data, n);
    return n;
}

/* Damages what an end has sent and the other has not received: the byte
 * `back` before the end of it, exclusive-or `value`. For use in on_send. */
static inline void loop_spoil(struct loop_net *net, int32_t handle,
                              uint32_t back, uint8_t value)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);
    struct loop_way  *w;

    if (c == NULL || back == 0 || back > c->way[end].used)
        return;
    w = &c->way[end];
    w->bytes[(w->first + w->used - back) % LOOP_BYTES] ^= value;
}

/* Receives up to n bytes; returns how many. A gap is passed over. */
static inline uint32_t loop_take(struct loop_net *net, int32_t handle,
                                 void *to, uint32_t n)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);

    if (c == NULL)
        return 0;
    loop_touch(net, c);
    c->way[1u - end].gap = false;
    return loop_move(net, c, 1u - end, to, n);
}

/* Bytes on their way to this handle. */
static inline uint32_t loop_pending(struct loop_net *net, int32_t handle)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);

    return c == NULL ? 0 : c->way[1u - end].used;
}

/* Whether the other end has closed, or this one is gone. */
static inline bool loop_ended(struct loop_net *net, int32_t handle)
{
    unsigned          end;
    struct loop_conn *c = loop_find(net, handle, &end);

    if (c == NULL)
        return true;
    loop_touch(net, c);
    return c->gone[end] || loop_dead(c, 1u - end);
}

/* ------------------------------------------------------------------------
 * The functions of the port.
 * ------------------------------------------------------------------------ */

static inline uint32_t loop_now(const pyro_port *port)
{
    struct loop_net *net = port->user;

    net->calls.now++;
    return net->clock_ms;
}

static inline bool loop_random(const pyro_port *port, void *to, size_t n)
{
    struct loop_net *net = port->user;

    net->calls.random++;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)(loop_rand(net) >> 11);
    return true;
}

static inline int32_t loop_listen(const pyro_port *port, const char *address)
{
    struct loop_net *net = port->user;
    unsigned         free_one = LOOP_LISTENERS;
    uint32_t         host = loop_host_of(port).ip;

    net->calls.listen++;
    for (unsigned i = 0; i < LOOP_LISTENERS; i++) {
        if (!net->listeners[i].open)
            free_one = i;
        else if (net->listeners[i].host == host
                 && strcmp(net->listeners[i].address, address) == 0)
            return -1; /* address in use */
    }
    if (free_one == LOOP_LISTENERS || strlen(address) >= LOOP_ADDRESS)
        return -1;
    strcpy(net->listeners[free_one].address, address);
    net->listeners[free_one].host = host;
    net->listeners[free_one].open = true;
    net->listeners[free_one].gen++;
    return loop_handle(net->listeners[free_one].gen,
                       free_one + 2u * LOOP_CONNS);
}

static inline int32_t loop_accept(const pyro_port *port, int32_t listener)
{
    struct loop_net      *net = port->user;
    struct loop_listener *l = loop_find_listener(net, listener);
    struct loop_conn     *oldest = NULL;

    net->calls.accept++;
    if (l == NULL) {
        net->misuse++;
        return -1;
    }
    for (unsigned i = 0; i < LOOP_CONNS; i++) {
        struct loop_conn *c = &net->conns[i];

        if (c->listener == (int32_t)(l - net->listeners)
            && (oldest == NULL || c->number < oldest->number))
            oldest = c;
    }
    if (oldest == NULL)
        return -1;
    oldest->listener = -1;
    oldest->open[1] = true;
    return loop_end_handle(net, oldest, 1);
}

/* The machine that an address is one of, or 0: any. */
static inline uint32_t loop_target(const pyro_port *port, const char *address)
{
    const struct loop_net *net = (const struct loop_net *)port->user;
    unsigned               b[4];
    uint32_t               ip;

    if (sscanf(address, "%3u.%3u.%3u.%3u", &b[0], &b[1], &b[2], &b[3]) != 4)
        return 0;
    ip = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    if (b[0] == 127)
        return loop_host_of(port).ip;
    for (unsigned i = 0; i < LOOP_HOSTS; i++)
        if (net->hosts[i].port != NULL && net->hosts[i].ip == ip)
            return ip;
    return 0;
}

/* The listener for an address, or -1. */
static inline int32_t loop_listener_of(const pyro_port *port,
                                       const char      *address)
{
    const struct loop_net *net = (const struct loop_net *)port->user;
    const char            *colon = strrchr(address, ':');
    uint32_t               host = loop_target(port, address);

    for (int32_t i = 0; i < LOOP_LISTENERS; i++) {
        const struct loop_listener *l = &net->listeners[i];

        if (!l->open || (host != 0 && l->host != host))
            continue;
        if (strcmp(l->address, address) == 0)
            return i;
        if (l->address[0] == '*' && colon != NULL
            && strcmp(l->address + 1, colon) == 0)
            return i;
    }
    return -1;
}

static inline int32_t loop_connect(const pyro_port *port, const char *address)
{
    struct loop_net  *net = port->user;
    int32_t           listener = loop_listener_of(port, address);
    struct loop_conn *c;

    net->calls.connect++;
    if (listener < 0 && !net->refuse_late)
        return -1;
    if (strlen(address) >= LOOP_ADDRESS || (c = loop_new(net)) == NULL)
        return -1;
    strcpy(c->address, address);
    c->from = loop_host_of(port).ip;
    c->open[0] = true;
    c->listener = listener;
    c->up_at = net->clock_ms + net->connect_ms;
    return loop_end_handle(net, c, 0);
}

static inline int32_t loop_send(const pyro_port *port, int32_t handle,
                                const void *data, uint32_t n)
{
    struct loop_net   *net = port->user;
    unsigned           end;
    struct loop_conn  *c;
    struct loop_way   *w;
    struct loop_fault *f;

    net->calls.send++;
    if (net->on_call != NULL)
        net->on_call(net->user, port);
    c = loop_find(net, handle, &end);
    if (c == NULL) {
        net->misuse++;
        return PYRO_PORT_GONE;
    }
    loop_touch(net, c);
    if ((int32_t)(net->clock_ms - c->up_at) < 0 && !c->gone[end])
        return 0;
    if (c->gone[end] || loop_dead(c, 1u - end))
        return PYRO_PORT_GONE;
    w = &c->way[end];
    if (n > w->capacity - w->used)
        n = w->capacity - w->used;
    n = loop_count(net, n, &net->block_send);
    for (uint32_t i = 0; i < n; i++) {
        f = loop_planned(net, c, end, w->taken);
        if (f != NULL && f->kind == LOOP_SHUT)
            n = i;
        else
            w->taken++;
    }
    loop_push(w, data, n);
    net->moved += n;
    if (net->on_send != NULL && n > 0)
        net->on_send(net->user, handle, data, n);
    return (int32_t)n;
}

static inline int32_t loop_recv(const pyro_port *port, int32_t handle,
                                void *ahead, void *to, uint32_t n)
{
    struct loop_net  *net = port->user;
    unsigned          end;
    unsigned          way;
    struct loop_conn *c;

    (void)ahead;
    net->calls.recv++;
    if (net->on_call != NULL)
        net->on_call(net->user, port);
    c = loop_find(net, handle, &end);
    if (c == NULL) {
        net->misuse++;
        return PYRO_PORT_GONE;
    }
    way = 1u - end;
    loop_touch(net, c);
    if (c->gone[end])
        return PYRO_PORT_GONE;
    if ((int32_t)(net->clock_ms - c->up_at) < 0)
        return 0;
    if (c->way[way].gap) {
        c->way[way].gap = false;
        return PYRO_PORT_GAP;
    }
    if (c->way[way].used == 0)
        return loop_dead(c, way) ? PYRO_PORT_GONE : 0;
    n = loop_count(net, n, &net->block_recv);
    n = loop_move(net, c, way, to, n);
    net->moved += n;
    if (n > 0 && net->more && !c->gone[end]
        && (loop_flows(net, c, way) || c->way[way].gap))
        return (int32_t)(n + PYRO_PORT_MORE);
    return (int32_t)n;
}

static inline void loop_close(const pyro_port *port, int32_t handle)
{
    struct loop_net      *net = port->user;
    unsigned              end;
    struct loop_conn     *c = loop_find(net, handle, &end);
    struct loop_listener *l = loop_find_listener(net, handle);
    struct loop_socket   *s = loop_find_socket(net, handle);

    net->calls.close++;
    if (s != NULL) {
        s->open = false;
    } else if (c != NULL) {
        c->open[end] = false;
    } else if (l != NULL) {
        l->open = false;
        for (unsigned i = 0; i < LOOP_CONNS; i++)
            if (net->conns[i].listener == (int32_t)(l - net->listeners))
                net->conns[i].listener = -1;
    } else {
        net->misuse++;
    }
}

static inline void loop_wait(const pyro_port *port, pyro_item *list,
                             int32_t ms);

/* Sets `ready` of all items of these ports by the state of the pipes, and
 * returns whether any is. */
static inline bool loop_look(struct loop_net *net, pyro_item *list)
{
    bool any = false;

    for (pyro_item *i = list; i != NULL; i = i->next) {
        if (i->port->wait != loop_wait)
            continue;
        i->ready = (uint8_t)(loop_ready(net, i->handle) & i->want);
        any = any || i->ready != 0;
    }
    return any;
}

static inline void loop_wait(const pyro_port *port, pyro_item *list,
                             int32_t ms)
{
    struct loop_net *net = port->user;

    net->calls.wait++;
    if (net->on_wait != NULL)
        net->on_wait(net->user, port, list, ms);
    else if (loop_look(net, list))
        return;
    else if (ms < 0)
        net->forever++;
    else if (net->clock == LOOP_CLOCK_RUNS)
        net->clock_ms += (uint32_t)ms;
    loop_look(net, list);
}

static inline void loop_print(char to[24], uint32_t ip, unsigned number)
{
    snprintf(to, 24, "%u.%u.%u.%u:%u", (unsigned)(ip >> 24),
             (unsigned)(ip >> 16 & 0xFFu), (unsigned)(ip >> 8 & 0xFFu),
             (unsigned)(ip & 0xFFu), number);
}

/* What the end of a connection that connected is called. */
static inline void loop_print_from(char to[24], const struct loop_conn *c)
{
    unsigned number = 40000u + c->number % 20000u;

    if (c->from == LOOP_LOCALHOST)
        snprintf(to, 24, "connector:%u", number);
    else
        loop_print(to, c->from, number);
}

static inline bool loop_address(const pyro_port *port, int32_t handle,
                                bool peer, char *to, size_t size)
{
    struct loop_net      *net = port->user;
    unsigned              end;
    struct loop_conn     *c = loop_find(net, handle, &end);
    struct loop_listener *l = loop_find_listener(net, handle);
    struct loop_socket   *s = loop_find_socket(net, handle);
    char                  made[LOOP_ADDRESS + 8];
    const char           *text = made;

    if (s != NULL && !peer)
        loop_print(made, s->at.ip, s->at.port);
    else if (l != NULL && !peer && l->address[0] == '*'
             && l->host != LOOP_LOCALHOST)
        snprintf(made, sizeof made, "0.0.0.0%s", l->address + 1);
    else if (l != NULL && !peer)
        text = l->address;
    else if (c == NULL || c->pipe)
        return false;
    else if ((end == 0) == peer)
        text = c->address;
    else
        loop_print_from(made, c);
    if (strlen(text) >= size)
        return false;
    strcpy(to, text);
    return true;
}

/* ------------------------------------------------------------------------
 * Datagrams
 * ------------------------------------------------------------------------ */

static inline int32_t loop_udp_open(const pyro_port *port, uint32_t ip,
                                    uint16_t number)
{
    struct loop_net    *net = port->user;
    struct loop_socket *s = net->sockets;
    struct loop_host    host = loop_host_of(port);
    uint16_t            gen;

    if (ip != 0 && ip != host.ip && ip != LOOP_LOCALHOST)
        return -1;
    while (s < net->sockets + LOOP_SOCKETS && s->open)
        s++;
    if (s == net->sockets + LOOP_SOCKETS)
        return -1;
    gen = (uint16_t)(s->gen + 1u);
    memset(s, 0, sizeof *s);
    s->gen = gen;
    s->open = true;
    s->host = host;
    s->born = net->udp_born++;
    s->at.ip = ip;
    s->at.port = number != 0 ? number : (uint16_t)(60000u + s->born % 5000u);
    return loop_handle(gen, 2u * LOOP_CONNS + LOOP_LISTENERS
                                + (unsigned)(s - net->sockets));
}

static inline bool loop_is_broadcast(const struct loop_host *host, uint32_t ip)
{
    return ip == UINT32_MAX
        || (host->mask != UINT32_MAX && ip == (host->ip | ~host->mask));
}

/* Whether a datagram from one socket to an address is for another. */
static inline bool loop_hears(const struct loop_socket *s,
                              const struct loop_socket *from,
                              const pyro_udp           *to)
{
    if (!s->open || s->at.port != to->port)
        return false;
    if (loop_is_broadcast(&s->host, to->ip))
        return s->at.ip == 0
            && ((s->host.ip ^ from->host.ip) & s->host.mask) == 0;
    if (s->at.ip != 0 && s->at.ip != to->ip)
        return false;
    return to->ip >> 24 == 127 ? s->host.ip == from->host.ip
                               : s->host.ip == to->ip;
}

static inline bool loop_chance(struct loop_net *net, unsigned percent)
{
    return percent > 0 && loop_rand(net) % 100u < percent;
}

/* One copy arrives, or is lost. */
static inline void loop_arrive(struct loop_net *net, struct loop_socket *s,
                               const pyro_udp *from, const void *data,
                               uint32_t n)
{
    struct loop_datagram *d;

    if (s->used == LOOP_QUEUE || loop_chance(net, net->udp_lose))
        return;
    d = &s->queue[(s->first + s->used++) % LOOP_QUEUE];
    d->from = *from;
    d->n = n;
    if (n > 0)
        memcpy(d->bytes, data, n);
    if (n > 0 && loop_chance(net, net->udp_spoil))
        d->bytes[loop_rand(net) % n] ^= (uint8_t)(1u << loop_rand(net) % 8u);
    net->moved += n + 1u;
}

/* Of several that share a number on a machine the last one opened gets what
 * is no broadcast, as with Linux. */
static inline void loop_deliver(struct loop_net          *net,
                                const struct loop_socket *from,
                                const pyro_udp *to, const void *data,
                                uint32_t n)
{
    struct loop_socket *last = NULL;
    pyro_udp            source = from->at;

    source.ip = to->ip >> 24 == 127 ? LOOP_LOCALHOST : from->host.ip;
    for (unsigned i = 0; i < LOOP_SOCKETS; i++) {
        struct loop_socket *s = &net->sockets[i];

        if (!loop_hears(s, from, to))
            continue;
        if (loop_is_broadcast(&s->host, to->ip))
            loop_arrive(net, s, &source, data, n);
        else if (last == NULL || s->born > last->born)
            last = s;
    }
    if (last != NULL)
        loop_arrive(net, last, &source, data, n);
}

static inline bool loop_udp_send(const pyro_port *port, int32_t handle,
                                 const pyro_udp *to, const void *data,
                                 uint32_t n)
{
    struct loop_net    *net = port->user;
    struct loop_socket *s = loop_find_socket(net, handle);

    net->calls.udp_send++;
    if (s == NULL) {
        net->misuse++;
        return false;
    }
    if (net->udp_block > 0) {
        net->udp_block--;
        return false;
    }
    if (n > LOOP_DATAGRAM || to->port == 0 || to->ip == 0)
        return false;
    loop_deliver(net, s, to, data, n);
    if (loop_chance(net, net->udp_twice))
        loop_deliver(net, s, to, data, n);
    return true;
}

static inline int32_t loop_udp_recv(const pyro_port *port, int32_t handle,
                                    void *to, uint32_t n, pyro_udp *from)
{
    struct loop_net      *net = port->user;
    struct loop_socket   *s = loop_find_socket(net, handle);
    struct loop_datagram *d;

    net->calls.udp_recv++;
    if (s == NULL) {
        net->misuse++;
        return -1;
    }
    if (s->used == 0)
        return -1;
    d = &s->queue[s->first];
    s->first = (s->first + 1u) % LOOP_QUEUE;
    s->used--;
    if (d->n < n)
        n = d->n;
    if (n > 0)
        memcpy(to, d->bytes, n);
    *from = d->from;
    net->moved += n + 1u;
    return (int32_t)d->n;
}

/* Loopback, and where the port was put. */
static inline bool loop_net_of(const pyro_port *port, unsigned index,
                               pyro_net *net)
{
    struct loop_host host = loop_host_of(port);

    if (index > 1 || (index == 1 && host.ip == LOOP_LOCALHOST))
        return false;
    net->ip = index == 0 ? LOOP_LOCALHOST : host.ip;
    net->mask = index == 0 ? 0xFF000000u : host.mask;
    net->broadcast =
        index == 0 || host.mask == UINT32_MAX ? 0 : host.ip | ~host.mask;
    return true;
}

static inline bool loop_wake_open(const pyro_port *port, int32_t handles[2])
{
    return loop_pair(port->user, handles) != UINT32_MAX;
}

static inline void loop_wake(const pyro_port *port, int32_t handle)
{
    loop_feed(port->user, handle, "w", 1);
}

/* A port over the net. The test may change it (flags, random = NULL) before a
 * daemon uses it. */
static inline pyro_port loop_port(struct loop_net *net)
{
    pyro_port port;

    memset(&port, 0, sizeof port);
    port.now = loop_now;
    port.random = loop_random;
    port.listen = loop_listen;
    port.accept = loop_accept;
    port.connect = loop_connect;
    port.send = loop_send;
    port.recv = loop_recv;
    port.close = loop_close;
    port.wait = loop_wait;
    port.address = loop_address;
    port.wake_open = loop_wake_open;
    port.wake = loop_wake;
    port.udp_open = loop_udp_open;
    port.udp_send = loop_udp_send;
    port.udp_recv = loop_udp_recv;
    port.net = loop_net_of;
    port.user = net;
    return port;
}

#endif /* LOOPBACK_H */
