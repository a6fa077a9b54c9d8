/* sim_pool.c - shows by simulation that a pool of the smallest size neither
 * deadlocks nor leaks, and that each rule of the pool is needed for that.
 *
 * usage: sim_pool [-h] [-v] [-b] [-x RULE] [FIRST COUNT]
 *   FIRST COUNT  run these seeds only, not the whole test
 *   -b           ... with cut pipes and flipped bits
 *   -x RULE      ... with rule 1, 2, 3 or 5 of the pool switched off
 *   -v           print what each run was
 *
 * A run is 2 to 8 daemons in a line, ring, mesh or star, each a coroutine
 * with a stack of its own, on pipes of 1 to 200 bytes. They call each other
 * in all ways there are: blocking calls, from handlers and callbacks too and
 * back over the connection a call came by; requests in flight; two at once
 * that are waited for; oneway calls; deferred replies. Some serve everybody
 * while they wait, some one link or nobody; some wait in a loop of their own;
 * handlers poll and yield; connections are released and made anew. A seed
 * makes a run, exactly; the whole test is 4000 runs with all rules, 600
 * without each of them and 2000 with faults.
 *
 * The clock STANDS STILL, so no deadline can end what hangs: a run is stuck
 * when every daemon waits, no pipe can move a byte, and a call is not done
 * (or when the daemons go round without moving a byte). Every run checks that
 * each call ends with the right value, was executed exactly once if it says
 * so and never if it says "busy", that pyro_check finds nothing at any wait,
 * and that all buffers are back at the end.
 *
 * With a rule left out some runs must stick: else the simulation could not
 * see what it is there to see.
 *
 * With cuts and flipped bits the clock runs. Then a call may fail, but it
 * ends; none says OK with a wrong value, runs twice, or ran although its
 * caller was told that it did not; nothing leaks; and when the faults are
 * over every connection works again or is known as lost.
 *
 * What daemons may do without deadlock, whatever the library: a frame of the
 * stack waits only for calls begun by itself, and what was deferred is
 * finished by a timer, never by a frame that could be buried under a wait. */

extern unsigned pyro_test_rules; /* bit n: rule n of the pool is on */
unsigned        pyro_test_rules = ~0u;

#define PYRO_IMPLEMENTATION
#define PYRO_TEST_RULES
#define PYRO_STUCK_POLLS 0x7FFFFFFF
#define LOOP_CONNS       80
#define LOOP_BYTES       256
#include "../pyro.h"
#include "loopback.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    NODES = 8,
    LINKS = 24,  /* two to each other node, and some being closed */
    POOL = 12,   /* largest pool */
    BYTES = 160, /* largest buffer */
    CALLS = 530, /* most calls of a run */
    SLOTS = 5,   /* requests in flight per daemon, beside blocking ones */
    LATERS = 3,  /* deferred replies per daemon */
    PAD = 48,    /* most padding of a message */
    FRAMES = 10, /* most of our frames on one stack */
    STACK = 256 * 1024
};

enum { LINE, RING, MESH, STAR, TOPOLOGIES };
static const char *const topology_names[] = { "line", "ring", "mesh", "star" };

/* What a call is; also its method. */
enum { WORK, ECHO, LATE, BACK, NOTE, HELLO, KINDS };
static const char *const kind_names[] = { "work", "echo", "late",
                                          "back", "note", "hello" };

enum { CLIENT = 1, SERVER = 2, BOTH = 3 };

/* One call, as the test knows it: both sides look it up by its number. */
struct call {
    enum { NEW, OPEN, ENDED } state;
    pyro_err  err;
    uint8_t   from;
    uint8_t   to;
    uint8_t   kind;
    uint8_t   depth; /* how deep calls below it may go */
    uint8_t   pad;   /* bytes of padding */
    uint8_t   ran;   /* times its handler was entered */
    bool      oneway;
    bool      raises; /* the handler shall raise */
    bool      raised; /* and did */
    bool      cancelled;
    bool      barred; /* its caller knows that it was not executed */
    bool      reads;  /* its callback reads the result, in its buffer */
    int64_t   value;  /* out-slots */
    pyro_blob blob;
    uint8_t   bytes[PAD];
};

struct route {
    pyro_proxy proxy;
    uint8_t    to;
    bool       lone; /* nobody calls back over its connection uninvited */
};

struct slot {
    pyro_request rq;
    struct call *call; /* NULL: free */
    struct node *node;
};

struct late {
    pyro_later   later;
    struct call *call; /* NULL: free */
};

struct node {
    pyro_daemon d;
    pyro_config config;
    pyro_port   port;
    PYRO_ROOM(LINKS, POOL, BYTES, 2) room;
    pyro_watched kick;
    int32_t      kick_handles[2];
    pyro_timer   timer;
    bool         timer_on;
    uint8_t      role;
    uint8_t      id;
    uint16_t     pool;
    bool         hello[NODES]; /* connections over which we can be called */

    struct route routes[2 * NODES];
    unsigned     n_routes;
    char         uris[NODES][24];
    struct slot  slots[SLOTS];
    struct late  lates[LATERS];

    unsigned      actions;   /* left to start */
    bool          recovered; /* has tried all its routes once more */
    struct call  *refused;   /* could not begin: tried again after a poll */
    struct route *refused_route;
    uint32_t      ran;    /* handlers entered */
    unsigned      frames; /* of ours on the stack, above the main loop */
    bool          idle;   /* the main loop is in its poll */
    bool          closed;

    ucontext_t context;
    enum { CO_READY, CO_WAIT, CO_END } state;
    const pyro_item *items; /* waited for */
    int32_t          ms;
    uint32_t         since;    /* when the wait began */
    bool             own_loop; /* waits by itself, then polls with 0 */
};

/* What happened, added up over runs. */
struct sums {
    unsigned runs, ok, busy, nospace, remote, failed, oneway, lost, deferred,
        nested;
};

static struct world {
    struct loop_net net;
    struct node     nodes[NODES];
    unsigned        n_nodes;
    struct call     calls[CALLS];
    unsigned        n_calls;
    unsigned        max_calls;
    uint32_t        rng;
    uint32_t        events;     /* grows with everything that is progress */
    unsigned        open;       /* calls not ended */
    uint32_t        rest_since; /* nobody has anything to do */
    enum { MIXED, CROWDED, DEEP } load;
    unsigned     forks; /* percent of what is begun; with the next one */
    unsigned     requests;
    unsigned     oneways;
    unsigned     burst; /* most that a main loop begins before it polls */
    unsigned     deep;
    bool         broken;
    bool         spoils; /* bits of headers */
    bool         cancels;
    bool         preempt;
    bool         recovers; /* no faults from here on */
    bool         stop;
    bool         stuck;
    bool         failed;
    char         why[300];
    struct node *running;
    ucontext_t   scheduler;
    struct sums  sums;
} w;

static uint8_t stacks[NODES][STACK];
static bool    verbose;
static char    replay[80];  /* the command that repeats this run */
static char    without[16]; /* " -x RULE" or nothing */

static uint32_t rnd(uint32_t n)
{
    w.rng ^= w.rng << 13;
    w.rng ^= w.rng >> 17;
    w.rng ^= w.rng << 5;
    return (w.rng >> 4) % n;
}

static bool chance(uint32_t percent)
{
    return rnd(100) < percent;
}

/* Ends the run; the first reason is kept. */
static void fail(const char *format, ...)
{
    va_list args;

    if (w.failed)
        return;
    w.failed = true;
    va_start(args, format);
    vsnprintf(w.why, sizeof w.why, format, args);
    va_end(args);
}

/* ------------------------------------------------------------------------
 * Coroutines: a daemon runs until its port waits.
 * ------------------------------------------------------------------------ */

static void leave(struct node *n)
{
    swapcontext(&n->context, &w.scheduler);
}

static void check(struct node *n)
{
    const char *wrong = pyro_check(&n->d);

    if (wrong != NULL)
        fail("pyro_check of node %u: %s", n->id, wrong);
}

static bool any_ready(const pyro_item *list)
{
    for (; list != NULL; list = list->next)
        if ((loop_ready(&w.net, list->handle) & list->want) != 0)
            return true;
    return false;
}

static void wait_for(struct node *n, const pyro_item *list, int32_t ms)
{
    bool ready = any_ready(list);

    if (chance(25))
        check(n);
    if (ready && chance(60) && !w.failed)
        return;
    n->items = list;
    n->ms = ms;
    n->since = w.net.clock_ms;
    n->state = ready || ms == 0 ? CO_READY : CO_WAIT;
    leave(n);
}

static void on_wait(void *user, const pyro_port *port, pyro_item *list,
                    int32_t ms)
{
    (void)user;
    if (port != &w.running->port)
        fail("node %u waits at another node's port", w.running->id);
    wait_for(w.running, list, ms);
}

/* Others may run between any two pieces of a message. */
static void on_call(void *user, const pyro_port *port)
{
    (void)user;
    (void)port;
    if (w.preempt && chance(12)) {
        w.running->state = CO_READY;
        leave(w.running);
    }
}

/* A bit of a header is worth more than one of a body: it may be believed
 * before the checksum is there. */
static void on_send(void *user, int32_t handle, const void *data, uint32_t n)
{
    const uint8_t *p = data;

    (void)user;
    if (w.spoils && n >= 8 && p[0] == 'P' && p[1] == 'Y' && chance(2))
        loop_spoil(&w.net, handle, n - 3u - rnd(5), (uint8_t)(1u << rnd(8)));
}

/* ------------------------------------------------------------------------
 * Calls: what is sent, and what must come of it.
 * ------------------------------------------------------------------------ */

static uint8_t pad_byte(unsigned tag, unsigned i)
{
    return (uint8_t)(tag * 31u + i * 7u + 1u);
}

static unsigned tag_of(const struct call *c)
{
    return (unsigned)(c - w.calls);
}

static int64_t value_of(const struct call *c)
{
    return (int64_t)tag_of(c) * 1000003 + c->to * 7919 + 12345678901;
}

static void fill_pad(const struct call *c, uint8_t *to)
{
    for (unsigned i = 0; i < c->pad; i++)
        to[i] = pad_byte(tag_of(c), i);
}

static bool pad_right(const struct call *c, const uint8_t *pad, uint32_t n)
{
    for (unsigned i = 0; i < n; i++)
        if (pad[i] != pad_byte(tag_of(c), i))
            return false;
    return n == c->pad;
}

/* A new call to a node, or NULL when the run has had enough. */
static struct call *new_call(struct node *n, unsigned to, unsigned depth)
{
    struct call *c;
    uint32_t     dice = rnd(100);

    if (w.n_calls == w.max_calls || w.failed)
        return NULL;
    c = &w.calls[w.n_calls++];
    memset(c, 0, sizeof *c);
    c->from = n->id;
    c->to = (uint8_t)to;
    c->depth = (uint8_t)depth;
    c->kind = dice < 50 ? WORK : dice < 70 ? ECHO : dice < 85 ? LATE : BACK;
    if (c->kind == BACK && n->role != BOTH)
        c->kind = WORK;
    c->pad = (uint8_t)(c->kind == BACK ? 0 : chance(30) ? rnd(PAD) : rnd(8));
    c->raises = chance(5);
    c->blob.data = c->bytes;
    c->blob.size = sizeof c->bytes;
    return c;
}

static void opened(struct call *c)
{
    c->state = OPEN;
    w.open++;
    w.events++;
}

static void check_result(struct call *c)
{
    if (c->ran != 1 || c->raised)
        fail("call %u said OK but ran %u times", tag_of(c), c->ran);
    else if (c->kind == ECHO ? !pad_right(c, c->bytes, c->blob.used)
                             : c->value != value_of(c))
        fail("call %u said OK with a wrong value", tag_of(c));
}

/* A call is over: everything that must hold then. */
static void ended(struct call *c, pyro_err err, bool sent)
{
    if (c->state != OPEN)
        fail("call %u ended, but was not open", tag_of(c));
    c->state = ENDED;
    c->err = err;
    w.open--;
    w.events++;
    if (err == PYRO_OK) {
        w.sums.ok++;
        check_result(c);
    } else if (err == PYRO_ERR_REMOTE) {
        w.sums.remote++;
        /* a damaged length makes a call too long to run, a lost timer or
         * link lets a deferred reply expire */
        if ((c->ran != 1 || !c->raised)
            && !(w.broken && (c->ran == 0 || c->kind == LATE)))
            fail("call %u raised, ran %u times", tag_of(c), c->ran);
    } else if (err == PYRO_ERR_BUSY) {
        w.sums.busy++;
        c->barred = true;
    } else if (err == PYRO_ERR_NOSPACE) {
        w.sums.nospace++; /* before, or the result came with a wrong length */
        c->barred = !w.broken;
    } else if (w.recovers && err == PYRO_ERR_TIMEOUT) {
        fail("call %u of node %u by %u timed out, long after the last fault",
             tag_of(c), c->to, c->from);
    } else {
        w.sums.failed++;
        if (!w.broken && !c->cancelled)
            fail("call %u, %s of node %u by %u, ended with: %s", tag_of(c),
                 kind_names[c->kind], c->to, c->from, pyro_err_text(err));
    }
    c->barred = c->barred || !sent;
    if (c->barred && c->ran > 0)
        fail("call %u ran, its caller was told it did not: %s", tag_of(c),
             pyro_err_text(err));
}

static pyro_slot out_slot(struct call *c)
{
    if (c->reads)
        return pyro_to_none();
    return c->kind == ECHO ? pyro_to_bin(&c->blob) : pyro_to_i64(&c->value);
}

/* The blocking call. */
static void call_out(struct node *n, struct call *c, pyro_proxy *proxy)
{
    uint8_t    pad[PAD];
    pyro_value values[3];
    pyro_args  args = { values, c->kind == BACK ? 3 : 2 };
    pyro_err   err;

    fill_pad(c, pad);
    values[0] = pyro_int(tag_of(c));
    values[1] = pyro_bin(pad, c->pad);
    values[2] = pyro_here("o");
    w.sums.nested += n->frames > 0;
    opened(c);
    n->frames++;
    err = pyro_invoke(proxy, kind_names[c->kind], args, out_slot(c));
    n->frames--;
    ended(c, err, pyro_sent(proxy));
}

static void call_oneway(struct call *c, pyro_proxy *proxy)
{
    uint8_t  pad[PAD];
    pyro_err err;

    c->oneway = true;
    c->kind = chance(50) ? NOTE : WORK;
    fill_pad(c, pad);
    err = pyro_oneway(proxy, kind_names[c->kind],
                      PYRO_ARGS(pyro_int(tag_of(c)), pyro_bin(pad, c->pad)));
    w.events++;
    w.sums.oneway += err == PYRO_OK;
    c->barred = err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY;
    c->err = err;
    if (err != PYRO_OK && !c->barred && !w.broken)
        fail("oneway call: %s", pyro_err_text(err));
}

/* Begins and sends. False: not now, nothing has happened. */
static bool request(struct call *c, pyro_request *rq, pyro_proxy *proxy,
                    pyro_done_fn fn, void *user)
{
    uint8_t  pad[PAD];
    pyro_err err = pyro_begin(rq, proxy, kind_names[c->kind]);

    if (err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY)
        return false;
    opened(c);
    if (err == PYRO_OK) {
        fill_pad(c, pad);
        pyro_put_int(&rq->args, tag_of(c));
        pyro_put_bin(&rq->args, pad, c->pad);
        if (c->kind == BACK)
            pyro_put_here(&rq->args, "o");
        c->reads = fn != NULL && c->kind != ECHO && chance(30);
        err = pyro_send(rq, out_slot(c), fn, user);
    }
    if (err != PYRO_OK) {
        ended(c, err, false);
        return false;
    }
    return true;
}

static struct route *any_route(struct node *n)
{
    return n->n_routes == 0 ? NULL : &n->routes[rnd(n->n_routes)];
}

/* Two requests at once, on this stack; both are waited for. */
static void fork_join(struct node *n, unsigned depth)
{
    pyro_request rq[2];
    struct call *c[2];
    bool         begun[2] = { false, false };

    for (unsigned i = 0; i < 2; i++) {
        struct route *r = any_route(n);

        c[i] = r == NULL ? NULL : new_call(n, r->to, depth);
        begun[i] =
            c[i] != NULL && request(c[i], &rq[i], &r->proxy, NULL, NULL);
    }
    n->frames++;
    for (unsigned i = 0; i < 2; i++) {
        if (!begun[i])
            continue;
        if (w.cancels && chance(20)) {
            bool unsent = pyro_cancel(&rq[i]);

            c[i]->cancelled = true;
            ended(c[i], PYRO_ERR_CLOSED, !unsent);
        } else {
            pyro_err err = pyro_wait(&rq[i]);

            ended(c[i], err, pyro_request_sent(&rq[i]));
        }
    }
    n->frames--;
}

static void start_request(struct node *n, struct slot *s, struct route *r,
                          struct call *c);

/* What a callback does: it begins the next request in the same slot, or it
 * calls out and waits. */
static void go_on(struct node *n, struct slot *s)
{
    struct route *r = any_route(n);
    struct call  *c;

    if (r == NULL || w.stop || n->frames > FRAMES)
        return;
    if (s->call == NULL && chance(25) && (c = new_call(n, r->to, 1)) != NULL)
        start_request(n, s, r, c);
    else if (chance(30) && (c = new_call(n, r->to, 1)) != NULL)
        call_out(n, c, &r->proxy);
    else if (chance(5))
        pyro_poll(&n->d, 0);
}

/* A request is done. Its slot may be used again at once. */
static void on_done(void *user, pyro_request *rq, pyro_err err,
                    pyro_reader *result)
{
    struct slot *s = user;
    struct node *n = s->node;
    struct call *c = s->call;
    bool         sent = pyro_request_sent(rq);
    bool         reads;

    if (c == NULL || rq != &s->rq) {
        fail("callback of a request that is not in flight");
        return;
    }
    s->call = NULL;
    if (c->reads) {
        /* the result stays where it is while the callback calls out */
        go_on(n, s);
        c->value = pyro_get_i64(result);
    }
    reads = c->reads;
    ended(c, err, sent);
    if (!reads)
        go_on(n, s);
}

static void start_request(struct node *n, struct slot *s, struct route *r,
                          struct call *c)
{
    s->node = n;
    s->call = c;
    if (request(c, &s->rq, &r->proxy, on_done, s))
        return;
    s->call = NULL;
    if (c->state == NEW && n->frames == 0 && n->refused == NULL) {
        n->refused = c;
        n->refused_route = r;
    }
}

static struct slot *free_slot(struct node *n)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (n->slots[i].call == NULL)
            return &n->slots[i];
    return NULL;
}

/* One thing to do, at most `depth` calls deep. */
static void act(struct node *n, unsigned depth)
{
    struct route *r = any_route(n);
    struct slot  *s = free_slot(n);
    struct call  *c;
    uint32_t      dice = rnd(100);

    if (r == NULL || n->frames > FRAMES)
        return;
    if (r->lone && !w.cancels && chance(4))
        pyro_release(&r->proxy); /* it connects anew */
    if (dice < w.forks) {
        fork_join(n, depth);
        return;
    }
    c = new_call(n, r->to, depth);
    if (c == NULL)
        return;
    if (dice < w.requests && s != NULL)
        start_request(n, s, r, c);
    else if (dice < w.oneways)
        call_oneway(c, &r->proxy);
    else
        call_out(n, c, &r->proxy);
}

/* ------------------------------------------------------------------------
 * Handlers.
 * ------------------------------------------------------------------------ */

/* Takes the arguments that all methods have, and judges the call. */
static struct call *enter(struct node *n, pyro_call *call, unsigned kind,
                          const uint8_t **pad)
{
    int64_t      tag = pyro_get_i64(&call->args);
    uint32_t     used;
    struct call *c;

    *pad = pyro_get_bin(&call->args, &used);
    n->ran++;
    w.events++;
    if (tag < 0 || tag >= (int64_t)w.n_calls) {
        fail("node %u was called with a wrong argument", n->id);
        return NULL;
    }
    c = &w.calls[tag];
    c->ran++;
    if (c->to != n->id || c->kind != kind || c->oneway != call->oneway
        || !pad_right(c, *pad, used))
        fail("call %u came with wrong arguments", tag_of(c));
    if (c->ran > 1 || c->barred)
        fail("call %u ran %u times%s", tag_of(c), c->ran,
             c->barred ? ", its caller was told it did not" : "");
    return c;
}

/* Calls out as the plan of the call says; then its arguments must still be
 * there. */
static void work(struct node *n, struct call *c, const uint8_t *pad)
{
    n->frames++;
    for (unsigned i = 0; c->depth > 0 && i < 2; i++)
        if (chance(60))
            act(n, c->depth - 1u);
    if (chance(8))
        pyro_yield(&n->d);
    else if (chance(8))
        pyro_poll(&n->d, 0);
    n->frames--;
    if (!pad_right(c, pad, c->pad))
        fail("arguments of call %u changed while it ran", tag_of(c));
}

static void answer(struct call *c, pyro_call *call)
{
    if (c->raises) {
        c->raised = true;
        pyro_raise(call, "ValueError", "asked for");
    } else if (c->kind == ECHO) {
        uint8_t pad[PAD];

        fill_pad(c, pad);
        pyro_put_bin(&call->result, pad, c->pad);
    } else {
        pyro_put_int(&call->result, value_of(c));
    }
}

static void on_work(void *self, pyro_call *call)
{
    const uint8_t *pad;
    struct call   *c = enter(self, call, WORK, &pad);

    if (c == NULL)
        return;
    work(self, c, pad);
    answer(c, call);
}

static void on_echo(void *self, pyro_call *call)
{
    const uint8_t *pad;
    struct call   *c = enter(self, call, ECHO, &pad);

    if (c == NULL)
        return;
    if (chance(20))
        work(self, c, pad);
    answer(c, call);
}

static void on_note(void *self, pyro_call *call)
{
    const uint8_t *pad;
    struct call   *c = enter(self, call, NOTE, &pad);

    if (c != NULL && chance(30))
        work(self, c, pad);
}

/* Finishes what was deferred, some of it later still. */
static void on_timer(void *user, pyro_daemon *d)
{
    struct node *n = user;
    bool         again = false;

    n->timer_on = false;
    for (unsigned i = 0; i < LATERS; i++) {
        struct late *l = &n->lates[i];
        pyro_err     err;

        if (l->call == NULL)
            continue;
        if (chance(40)) {
            again = true;
            continue;
        }
        if (l->call->raises) {
            l->call->raised = true;
            err = pyro_fail(&l->later, "ValueError", "asked for");
        } else {
            pyro_put_int(pyro_finish(&l->later), value_of(l->call));
            err = pyro_reply(&l->later);
        }
        if (err == PYRO_ERR_NOSPACE) {
            again = true;
        } else {
            l->call = NULL;
            w.events++;
            if (err != PYRO_OK && !w.broken && !w.cancels)
                fail("deferred reply: %s", pyro_err_text(err));
        }
    }
    n->timer_on = again;
    if (again)
        pyro_timer_set(d, &n->timer, w.broken ? rnd(40) : 0);
}

static void on_late(void *self, pyro_call *call)
{
    struct node   *n = self;
    const uint8_t *pad;
    struct call   *c = enter(n, call, LATE, &pad);

    for (unsigned i = 0; c != NULL && i < LATERS; i++) {
        if (n->lates[i].call != NULL)
            continue;
        n->lates[i].call = c;
        w.sums.deferred++;
        pyro_defer(call, &n->lates[i].later, 0);
        if (!n->timer_on)
            pyro_timer_set(&n->d, &n->timer, 0);
        n->timer_on = true;
        return;
    }
    if (c != NULL)
        answer(c, call);
}

/* Calls the caller back, over the connection it used. */
static void on_back(void *self, pyro_call *call)
{
    struct node   *n = self;
    const uint8_t *pad;
    struct call   *c = enter(n, call, BACK, &pad);
    struct call   *inner;
    pyro_proxy     proxy;
    pyro_uri       uri;

    if (c == NULL)
        return;
    pyro_get_uri(&call->args, &uri);
    if ((n->role & CLIENT) != 0) {
        pyro_err err = pyro_proxy_from(&proxy, call, &uri);

        if (err != PYRO_OK) {
            fail("proxy for this connection: %s", pyro_err_text(err));
            return;
        }
        inner = new_call(n, c->from, c->depth > 0 ? c->depth - 1u : 0);
        if (inner != NULL)
            call_out(n, inner, &proxy);
        pyro_proxy_close(&proxy);
    }
    answer(c, call);
}

/* The peer of this connection can be called over it from now on. */
static void on_hello(void *self, pyro_call *call)
{
    struct node   *n = self;
    const uint8_t *pad;
    struct call   *c = enter(n, call, HELLO, &pad);
    struct route  *r = &n->routes[n->n_routes];

    if (c == NULL)
        return;
    c->raises = false;
    if (n->n_routes < 2 * NODES && (n->role & CLIENT) != 0
        && pyro_proxy_at(&r->proxy, &n->d, call->link, "o", 1) == PYRO_OK) {
        r->to = c->from;
        n->n_routes++;
    }
    answer(c, call);
}

static const pyro_method methods[] = {
    { "work", on_work, "qy", "q", 0 },
    { "echo", on_echo, "qy", "y", 0 },
    { "late", on_late, "qy", "q", 0 },
    { "back", on_back, "qyU", "q", 0 },
    { "note", on_note, "qy", "", PYRO_ONEWAY },
    { "hello", on_hello, "qy", "q", 0 },
};
static const pyro_class node_class = { "Node", PYRO_METHODS(methods),
                                       PYRO_NO_ATTRS, NULL, 0 };
static const pyro_class exclusive_class = { "Alone", PYRO_METHODS(methods),
                                            PYRO_NO_ATTRS, NULL,
                                            PYRO_EXCLUSIVE };

/* ------------------------------------------------------------------------
 * A daemon's program.
 * ------------------------------------------------------------------------ */

static void say_hello(struct node *n)
{
    unsigned routes = n->n_routes;

    for (unsigned i = 0; i < routes; i++) {
        struct call *c;

        if (!n->hello[n->routes[i].to])
            continue;
        c = new_call(n, n->routes[i].to, 0);
        if (c == NULL)
            return;
        c->kind = HELLO;
        c->pad = 0;
        call_out(n, c, &n->routes[i].proxy);
    }
}

/* After the faults every connection must work again, or be known as lost. */
static void try_all(struct node *n)
{
    unsigned routes = n->n_routes;

    for (unsigned i = 0; i < routes; i++) {
        struct call *c = new_call(n, n->routes[i].to, 0);

        if (c != NULL)
            call_out(n, c, &n->routes[i].proxy);
    }
    n->recovered = true;
}

/* Begins again what could not begin. */
static void try_again(struct node *n)
{
    struct slot *s = free_slot(n);
    struct call *c = n->refused;

    if (s == NULL)
        return;
    n->refused = NULL;
    start_request(n, s, n->refused_route, c);
}

/* Polls; or waits in a loop of its own, as long as the library allows. */
static void poll_node(struct node *n, int32_t ms)
{
    int32_t least;

    if (n->own_loop && ms != 0) {
        least = pyro_next_ms(&n->d);
        wait_for(n, pyro_items(&n->d), least < 0 ? ms : least);
        ms = 0;
    }
    pyro_poll(&n->d, ms);
}

static void node_main(void)
{
    struct node *n = w.running;

    say_hello(n);
    while (!w.stop && !w.failed) {
        if (n->refused != NULL)
            try_again(n);
        else if (w.recovers && !n->recovered)
            try_all(n);
        for (unsigned i = rnd(w.burst) + 1u;
             i > 0 && n->actions > 0 && n->refused == NULL; i--) {
            n->actions--;
            act(n, rnd(w.deep + 1u));
        }
        n->idle = true;
        poll_node(n, n->refused == NULL && n->actions > 0 ? 0
                     : w.broken                           ? 50
                                                          : -1);
        n->idle = false;
        check(n);
    }
    pyro_close(&n->d);
    n->closed = true;
    n->state = CO_END;
    leave(n);
}

static void on_kick(void *user, pyro_daemon *d, unsigned ready)
{
    struct node *n = user;
    uint8_t      byte;

    (void)d;
    (void)ready;
    while (loop_take(&w.net, n->kick_handles[0], &byte, 1) > 0)
        continue;
}

/* ------------------------------------------------------------------------
 * Building a run from its seed.
 * ------------------------------------------------------------------------ */

static void make_node(struct node *n, unsigned id, bool tight)
{
    static const uint16_t smallest[] = { 0, 1, 2, 3 };
    uint32_t              dice = rnd(100);
    pyro_room             room = PYRO_ROOM_OF(n->room);
    char                  address[16];
    pyro_err              err;

    n->id = (uint8_t)id;
    n->role = dice < 70 ? BOTH : dice < 85 ? CLIENT : SERVER;
    n->pool = smallest[n->role];
    if (!tight)
        n->pool = (uint16_t)(n->pool + rnd(chance(70) ? 4 : POOL - 3));
    if (w.load == CROWDED) /* more than one request in flight */
        n->pool = (uint16_t)(smallest[n->role] + 1 + rnd(3));
    if (w.load == DEEP && tight) /* a pair more fits, all but the reserve */
        n->pool = (uint16_t)(smallest[n->role] + rnd(2));
    n->port = loop_port(&w.net);
    n->config.port = &n->port;
    n->config.checksum = w.broken;
    if (w.broken) {
        n->config.timeout_ms = 400;
        n->config.frame_ms = 300;
        n->config.greet_ms = 300;
        n->config.dead_ms = 1500;
    }
    dice = rnd(100);
    n->config.serve_while_waiting = dice < 70 ? PYRO_SERVE_ALL
                                  : dice < 85 ? PYRO_SERVE_LINK
                                              : PYRO_SERVE_NONE;
    room.n_buffers = n->pool;
    room.buffer_bytes = 112 + rnd(BYTES - 112 + 1);
    err = pyro_open(&n->d, room, &n->config);
    if (err == PYRO_OK && (n->role & SERVER) != 0) {
        snprintf(address, sizeof address, "n%u:1", id);
        err = pyro_export(&n->d, chance(15) ? &exclusive_class : &node_class,
                          n, "o");
        if (err == PYRO_OK)
            err = pyro_listen(&n->d, &n->port, address);
    }
    if (err != PYRO_OK)
        fail("node %u of role %u does not open with %u buffers: %s", id,
             n->role, n->pool, pyro_err_text(err));
    n->own_loop = chance(30);
    n->timer.fn = on_timer;
    n->timer.user = n;
    n->kick.fn = on_kick;
    n->kick.user = n;
    loop_pair(&w.net, n->kick_handles);
    pyro_watch(&n->d, &n->kick, &n->port, n->kick_handles[0], PYRO_IN);
    n->actions = (n->role & CLIENT) != 0 ? 3 + rnd(30) : 0;
}

static void add_route(struct node *n, unsigned to, const char *uri,
                      pyro_link link)
{
    struct route *r = &n->routes[n->n_routes];
    pyro_err      err;

    if ((n->role & CLIENT) == 0 || (w.nodes[to].role & SERVER) == 0)
        return;
    if (n->n_routes == 2 * NODES) {
        fail("too many routes");
        return;
    }
    err = uri != NULL ? pyro_proxy_open(&r->proxy, &n->d, uri)
                      : pyro_proxy_at(&r->proxy, &n->d, link, "o", 1);
    if (err != PYRO_OK)
        fail("proxy of node %u: %s", n->id, pyro_err_text(err));
    r->to = (uint8_t)to;
    n->n_routes++;
}

static void add_connection(struct node *a, struct node *b, bool hello)
{
    if ((a->role & CLIENT) == 0 || (b->role & SERVER) == 0)
        return;
    snprintf(a->uris[b->id], sizeof a->uris[0], "PYRO://n%u:1/o", b->id);
    add_route(a, b->id, a->uris[b->id], 0);
    a->hello[b->id] = hello && a->role == BOTH && b->role == BOTH;
    a->routes[a->n_routes - 1u].lone = !a->hello[b->id];
}

static void add_edge(unsigned from, unsigned to, bool twice)
{
    struct node *a = &w.nodes[from];
    struct node *b = &w.nodes[to];
    uint32_t     dice = w.load == CROWDED ? 2 : rnd(3);
    int32_t      handles[2];
    pyro_link    links[2];

    if (twice || dice == 0) {
        add_connection(a, b, false);
        add_connection(b, a, false);
    } else if (dice == 1) {
        add_connection(a, b, true);
    } else {
        loop_pair(&w.net, handles);
        if (pyro_adopt(&a->d, &a->port, handles[0], &links[0])
            || pyro_adopt(&b->d, &b->port, handles[1], &links[1])) {
            fail("adopt");
            return;
        }
        add_route(a, to, NULL, links[0]);
        add_route(b, from, NULL, links[1]);
    }
}

static void make_edges(unsigned topology)
{
    unsigned n = w.n_nodes;

    for (unsigned i = 0; i < n; i++) {
        bool turned = chance(50);

        if (topology == STAR && i > 0)
            add_edge(turned ? i : 0, turned ? 0 : i, chance(20));
        for (unsigned k = i + 1; topology == MESH && k < n; k++)
            add_edge(i, k, true);
        if (topology == LINE && i + 1 < n)
            add_edge(i, i + 1, chance(20));
        if (topology == RING && n > 2)
            add_edge(i, (i + 1) % n, chance(20));
        else if (topology == RING && i == 0)
            add_edge(0, 1, true);
    }
}

static void plan_faults(void)
{
    static const uint8_t kinds[] = { LOOP_CUT,    LOOP_SHUT, LOOP_FLIP,
                                     LOOP_FLIP,   LOOP_FLIP, LOOP_DROP,
                                     LOOP_INSERT, LOOP_GAP,  LOOP_GAP };
    bool                 greetings = chance(40); /* or anything later, too */
    unsigned             n = 1 + rnd(LOOP_FAULTS);

    /* the first connections are those that kick */
    for (unsigned i = 0; i < n; i++)
        loop_fault(&w.net, w.n_nodes + rnd(2 * w.n_nodes), (int)rnd(2),
                   greetings ? kinds[5 + rnd(4)] : kinds[rnd(sizeof kinds)],
                   rnd(greetings ? 34 : 1500), (uint8_t)(1u << rnd(8)));
}

/* What the daemons do most. */
static void make_load(void)
{
    static const uint8_t tiny[] = { 1, 2, 3, 5, 8 };
    uint32_t             dice = rnd(100);

    w.load = dice < 40 ? MIXED : dice < 70 ? CROWDED : DEEP;
    w.net.capacity = chance(20) ? tiny[rnd(5)] : 1 + rnd(200);
    w.forks = rnd(25);
    w.requests = w.forks + (chance(50) ? 25 : 60);
    w.oneways = w.requests + rnd(15);
    w.burst = 1 + rnd(chance(50) ? 2 : 8);
    w.deep = rnd(4);
    if (w.load == CROWDED) {
        w.net.capacity = 1 + rnd(24);
        w.forks = 0;
        w.requests = 80;
        w.oneways = 85;
        w.burst = 8;
        w.deep = rnd(2);
    } else if (w.load == DEEP) {
        w.forks = rnd(10);
        w.requests = w.forks + rnd(20);
        w.oneways = w.requests + 10;
        w.deep = 3;
    }
}

static void make_world(uint32_t seed, bool broken)
{
    struct sums sums = w.sums;
    bool        tight;

    memset(&w, 0, sizeof w);
    w.sums = sums;
    loop_init(&w.net, seed);
    w.rng = (seed + 1u) * 2654435761u | 1u;
    for (int i = 0; i < 4; i++)
        rnd(2);
    w.broken = broken;
    w.net.on_wait = on_wait;
    w.net.on_call = on_call;
    w.net.on_send = on_send;
    w.net.shorten = chance(50);
    w.net.more = chance(50);
    w.net.block_percent = (uint8_t)(chance(25) ? rnd(40) : 0);
    w.preempt = chance(30);
    w.cancels = chance(15);
    make_load();
    w.max_calls = 20 + rnd(chance(70) ? 80 : 380);
    w.n_nodes = 2 + rnd(NODES - 1);
    tight = chance(50);
    for (unsigned i = 0; i < w.n_nodes; i++)
        make_node(&w.nodes[i], i, tight);
    make_edges(seed % TOPOLOGIES);
    w.spoils = broken && chance(50);
    if (broken && !w.spoils)
        plan_faults();
}

static void start(struct node *n)
{
    getcontext(&n->context);
    n->context.uc_stack.ss_sp = stacks[n->id];
    n->context.uc_stack.ss_size = STACK;
    n->context.uc_link = NULL;
    makecontext(&n->context, node_main, 0);
    n->state = CO_READY;
}

/* ------------------------------------------------------------------------
 * The scheduler, and the verdict.
 * ------------------------------------------------------------------------ */

static bool runnable(struct node *n)
{
    if (n->state != CO_WAIT)
        return n->state == CO_READY;
    if (n->ms >= 0 && w.net.clock_ms - n->since >= (uint32_t)n->ms)
        return true;
    return any_ready(n->items);
}

static struct node *pick(void)
{
    unsigned first = rnd(w.n_nodes);

    for (unsigned i = 0; i < w.n_nodes; i++) {
        struct node *n = &w.nodes[(first + i) % w.n_nodes];

        if (runnable(n))
            return n;
    }
    return NULL;
}

static void run_node(struct node *n)
{
    w.running = n;
    swapcontext(&w.scheduler, &n->context);
}

static bool at_rest(const struct node *n)
{
    if (w.recovers && !n->recovered)
        return false;
    return n->closed
        || (n->idle && n->frames == 0 && n->actions == 0
            && n->refused == NULL);
}

static bool all_at_rest(void)
{
    for (unsigned i = 0; i < w.n_nodes; i++)
        if (!at_rest(&w.nodes[i]))
            return false;
    return w.open == 0;
}

/* Wakes main loops: all, or those with a request that could not begin. */
static bool kick(bool all)
{
    bool any = false;

    for (unsigned i = 0; i < w.n_nodes; i++) {
        struct node *n = &w.nodes[i];

        if (n->closed || (!all && n->refused == NULL))
            continue;
        loop_feed(&w.net, n->kick_handles[1], "k", 1);
        any = true;
    }
    return any;
}

/* Lets time pass to the next moment somebody waits for. */
static bool pass_time(void)
{
    uint32_t least = UINT32_MAX;

    for (unsigned i = 0; i < w.n_nodes; i++) {
        struct node *n = &w.nodes[i];
        uint32_t     left;

        if (n->state != CO_WAIT || n->ms < 0)
            continue;
        left = (uint32_t)n->ms - (w.net.clock_ms - n->since);
        if (left < least)
            least = left;
    }
    if (least == UINT32_MAX)
        return false;
    loop_advance(&w.net, least);
    return true;
}

static void stuck(const char *how)
{
    w.stuck = true;
    fail("stuck: %s; %u calls are open", how, w.open);
}

static void check_end_of_node(const struct node *n)
{
    const pyro_stats *s = &n->d.stats;

    if (n->d.n_[PYROI_SPARE] != n->pool)
        fail("node %u has %u of its %u buffers back", n->id,
             n->d.n_[PYROI_SPARE], n->pool);
    if (s->calls != n->ran)
        fail("node %u counted %lu calls, %lu ran", n->id,
             (unsigned long)s->calls, (unsigned long)n->ran);
    if (w.broken)
        return;
    if (s->timeouts != 0 || s->dead != 0 || s->bad != 0 || s->denied != 0
        || (s->unsent != 0 && !w.cancels))
        fail(
            "node %u: %lu timeouts, %lu dead, %lu bad, %lu denied, %lu unsent",
            n->id, (unsigned long)s->timeouts, (unsigned long)s->dead,
            (unsigned long)s->bad, (unsigned long)s->denied,
            (unsigned long)s->unsent);
    if (s->late != 0 && !w.cancels)
        fail("node %u saw %lu late replies", n->id, (unsigned long)s->late);
}

/* All is quiet: nothing may be missing. */
static void check_end(void)
{
    uint32_t missing = 0;
    uint32_t lost = 0;

    for (unsigned i = 0; i < w.n_nodes; i++) {
        check(&w.nodes[i]);
        check_end_of_node(&w.nodes[i]);
        lost += w.nodes[i].d.stats.lost_oneway;
    }
    for (unsigned i = 0; i < w.n_calls; i++) {
        const struct call *c = &w.calls[i];

        if (c->state == OPEN)
            fail("call %u never ended", i);
        /* an exception that nobody is told of is counted as lost, too */
        if (c->oneway && c->err == PYRO_OK && (c->ran == 0 || c->raised))
            missing++;
    }
    w.sums.lost += lost;
    if (!w.broken && missing != lost)
        fail("%lu oneway calls did not run, %lu were counted as lost",
             (unsigned long)missing, (unsigned long)lost);
}

/* With faults, and nobody can run: time passes. When all has been done there
 * are no more faults, and deadlines end what was cut; then all connections
 * are tried; then nothing may be missing. */
static bool after_faults(void)
{
    if (!all_at_rest())
        w.rest_since = w.net.clock_ms;
    if (w.net.clock_ms > 600000)
        stuck("not done after ten minutes");
    if (w.failed || w.net.clock_ms - w.rest_since <= 10000)
        return !w.failed && pass_time();
    w.rest_since = w.net.clock_ms;
    if (w.spoils || w.net.n_faults > 0) {
        loop_heal(&w.net);
        w.spoils = false;
        return pass_time();
    }
    if (w.recovers) {
        check_end();
        w.stop = true;
    }
    w.recovers = true;
    w.max_calls = CALLS;
    return kick(true);
}

/* Nobody can run. Returns whether somebody can now. */
static bool nudge(uint32_t *kicked_at)
{
    if (w.stop)
        return false;
    if (all_at_rest() && !w.broken) {
        check_end();
        w.stop = true;
        return kick(true);
    }
    if (w.broken)
        return after_faults();
    if (*kicked_at != w.events && kick(false)) {
        *kicked_at = w.events;
        return true;
    }
    stuck("all wait and nothing moves");
    return false;
}

static void schedule(void)
{
    uint32_t kicked_at = UINT32_MAX;
    uint32_t moved = 0;
    uint32_t events = 0;
    uint32_t idle_steps = 0;
    uint32_t clock = 0;

    while (!w.failed) {
        struct node *n = pick();

        if (n == NULL) {
            if (!nudge(&kicked_at))
                break;
            continue;
        }
        run_node(n);
        if (w.net.moved != moved || w.events != events
            || w.net.clock_ms != clock)
            idle_steps = 0;
        else
            idle_steps++;
        moved = w.net.moved;
        events = w.events;
        clock = w.net.clock_ms;
        if (idle_steps > 2000u * w.n_nodes)
            stuck("they go round and nothing moves");
    }
}

static void check_closed(void)
{
    for (unsigned i = 0; i < w.n_nodes && !w.failed; i++) {
        struct node *n = &w.nodes[i];

        if (!n->closed)
            fail("node %u was not closed", i);
        loop_close(&n->port, n->kick_handles[0]);
        loop_close(&n->port, n->kick_handles[1]);
    }
    if (!w.failed && loop_open_handles(&w.net) != 0)
        fail("%u handles were left open", loop_open_handles(&w.net));
    if (w.net.misuse != 0)
        fail("%lu port calls with a closed handle",
             (unsigned long)w.net.misuse);
}

static void print_node(const struct node *n)
{
    const pyro_daemon *d = &n->d;

    printf("  node %u: role %u, serves %u, free %u of %u, depth %u, waits %d, "
           "serve %u, asks %d, in %u, replies %u, frames %u, actions %u%s\n",
           n->id, n->role, n->config.serve_while_waiting, d->n_[PYROI_SPARE],
           n->pool, d->depth_, d->waits_ != NULL, d->n_[PYROI_SERVE],
           d->requests_ != NULL, d->n_[PYROI_INCOMING], d->n_[PYROI_REPLYING],
           n->frames, n->actions, n->refused != NULL ? ", refused" : "");
    for (unsigned i = 0; &n->room.links[i] < d->links_end_; i++) {
        const pyroi_link *l = &n->room.links[i];

        if (l->state == 0)
            continue;
        printf("    link %u: state %u, rx %u (%u of %lu), want %u, ready %u, "
               "head %u, expects %u, busy %u from %u, queue %d, flags %x, "
               "to come %lu\n",
               i, l->state, l->rx, (unsigned)l->rx_have,
               (unsigned long)l->rx_len, l->item.want,
               loop_ready(&w.net, l->item.handle), l->n_head, l->expects,
               l->n_busy, l->busy_seq, l->tx != NULL, l->flags,
               (unsigned long)loop_pending(&w.net, l->item.handle));
    }
}

static void print_world(uint32_t seed)
{
    printf("seed %lu: %s of %u, pipes of %lu bytes%s%s, %u calls, pools",
           (unsigned long)seed, topology_names[seed % TOPOLOGIES], w.n_nodes,
           (unsigned long)w.net.capacity, w.preempt ? ", preempted" : "",
           w.cancels ? ", cancels" : "", w.n_calls);
    for (unsigned i = 0; i < w.n_nodes; i++)
        printf(" %u", w.nodes[i].pool);
    printf(": %s\n", w.failed ? w.why : "ok");
    if (!w.failed || !verbose)
        return;
    for (unsigned i = 0; i < w.n_nodes; i++)
        print_node(&w.nodes[i]);
    for (unsigned i = 0; i < w.n_calls; i++) {
        const struct call *c = &w.calls[i];

        if (c->state == OPEN)
            printf("  open: call %u, %s, %u to %u, ran %u\n", i,
                   kind_names[c->kind], c->from, c->to, c->ran);
    }
}

/* One run. True when all was as it must be; see w for what was not. */
static bool run(uint32_t seed, bool broken, bool quiet)
{
    snprintf(replay, sizeof replay, "sim_pool%s%s -v %lu 1",
             broken ? " -b" : "", without, (unsigned long)seed);
    make_world(seed, broken);
    alarm(30); /* a loop that never comes back to the scheduler */
    for (unsigned i = 0; i < w.n_nodes; i++)
        start(&w.nodes[i]);
    schedule();
    check_closed();
    w.sums.runs++;
    if ((w.failed && !quiet) || verbose) {
        print_world(seed);
        if (w.failed && !verbose)
            printf("  again: %s\n", replay);
    }
    return !w.failed;
}

/* ------------------------------------------------------------------------
 * The tests.
 * ------------------------------------------------------------------------ */

static unsigned passed;
static unsigned failed;

static void verdict(bool good, const char *what)
{
    printf("%s: %s\n", good ? "ok" : "FAILED", what);
    if (good)
        passed++;
    else
        failed++;
}

/* Runs of one topology; seeds of it are 4 apart. */
static unsigned runs(uint32_t first, uint32_t step, uint32_t count,
                     bool broken)
{
    unsigned bad = 0;

    memset(&w.sums, 0, sizeof w.sums);
    for (uint32_t i = 0; i < count && (bad < 5 || pyro_test_rules != ~0u); i++)
        bad += !run(first + i * step, broken, false);
    printf("  %u runs, calls: %u ok, %u busy, %u no space, %u raised, "
           "%u failed; %u nested, %u deferred; oneway: %u, %u lost\n",
           w.sums.runs, w.sums.ok, w.sums.busy, w.sums.nospace, w.sums.remote,
           w.sums.failed, w.sums.nested, w.sums.deferred, w.sums.oneway,
           w.sums.lost);
    return bad;
}

/* Enough of everything must have happened for a run to mean something. */
static bool busy_enough(void)
{
    const struct sums *s = &w.sums;

    return s->ok > 5 * s->runs && s->nested > s->runs && s->busy > 0
        && s->remote > 0 && s->deferred > s->runs / 2 && s->oneway > s->runs;
}

static void test_topology(unsigned topology, uint32_t count, bool broken)
{
    char     what[120];
    unsigned bad = runs(topology, TOPOLOGIES, count, broken);

    snprintf(what, sizeof what, "%s, %s", topology_names[topology],
             broken ? "pipes cut and bits flipped: no wrong value, no leak"
                    : "clock stands still: every call ends");
    verdict(bad == 0 && busy_enough(), what);
}

/* Switches a rule off, 0: none. */
static void leave_out(unsigned rule)
{
    pyro_test_rules = rule == 0 ? ~0u : ~(1u << rule);
    without[0] = '\0';
    if (rule != 0)
        snprintf(without, sizeof without, " -x %u", rule);
}

/* Without a rule some of the runs must stick. */
static void test_without(unsigned rule, uint32_t count)
{
    char     what[120];
    unsigned sticks = 0;

    leave_out(rule);
    for (uint32_t seed = 0; seed < count; seed++) {
        run(seed, false, true);
        sticks += w.stuck;
    }
    leave_out(0);
    snprintf(what, sizeof what, "without rule R%u %u of %lu runs stick", rule,
             sticks, (unsigned long)count);
    verdict(sticks > 0, what);
}

static void all_tests(void)
{
    static const uint8_t rules[] = { 1, 2, 3, 5 };

    for (unsigned t = 0; t < TOPOLOGIES; t++)
        test_topology(t, 1000, false);
    for (unsigned i = 0; i < sizeof rules; i++)
        test_without(rules[i], 600);
    for (unsigned t = 0; t < TOPOLOGIES; t++)
        test_topology(t, 500, true);
}

static void on_alarm(int sig)
{
    static const char text[] = "hangs in: ";

    (void)sig;
    if (write(1, text, sizeof text - 1) < 0
        || write(1, replay, strlen(replay)) < 0 || write(1, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

static void usage(int status)
{
    puts("usage: sim_pool [-h] [-v] [-b] [-x RULE] [FIRST COUNT]\n"
         "Simulates the buffer pool; without FIRST COUNT the whole test.\n"
         "  FIRST COUNT  run these seeds only\n"
         "  -b           with cut pipes and flipped bits\n"
         "  -x RULE      without rule 1, 2, 3 or 5 of the pool\n"
         "  -v           print every run");
    exit(status);
}

int main(int argc, char **argv)
{
    bool broken = false;
    int  opt;

    while ((opt = getopt(argc, argv, "hvbx:")) != -1) {
        if (opt == 'v')
            verbose = true;
        else if (opt == 'b')
            broken = true;
        else if (opt == 'x')
            leave_out((unsigned)strtoul(optarg, NULL, 10) & 7u);
        else
            usage(opt == 'h' ? 0 : 2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, on_alarm);
    if (optind == argc)
        all_tests();
    else if (optind + 2 == argc)
        verdict(runs((uint32_t)strtoul(argv[optind], NULL, 10), 1,
                     (uint32_t)strtoul(argv[optind + 1], NULL, 10), broken)
                    == 0,
                "these seeds");
    else
        usage(2);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
