/* nodes.h - up to four daemons in one program, on the loopback port.
 *
 * A blocking call needs the other side to go on. Node 0 runs in the test
 * itself; each other one is a coroutine with a stack of its own, so any of
 * them may block in any handler. The turn passes on in the port's wait: when
 * node 0 waits, every other node goes on until it waits itself. When a whole
 * turn moved no byte, the clock goes one step on, so deadlines do come.
 *
 *     rig_init(1);
 *     node_open(0, 4);                 node 0, 4 buffers
 *     node_open(1, 4);                 listens at "*:7701"
 *     node_run(1);
 *     node_proxy(0, &proxy, 1);        for the object "thing" of node 1
 *     err = pyro_invoke(&proxy, "add", ...);
 *     rig_end();                       closes all, checks that nothing leaked
 *
 * pyro_check is called at every wait of every node; a finding ends a test. */
#ifndef NODES_H
#define NODES_H

#include "loopback.h"
#include "pyro_test.h"

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define NODES_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NODES_ASAN 1
#endif
#endif
#ifdef NODES_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    NODES = 4,
    NODE_LINKS = 6,
    NODE_POOL = 24, /* largest pool */
    NODE_BYTES = 256,
    NODE_OBJECTS = 4,
    NODE_LATERS = 4
};

#ifndef NODE_STACK
#define NODE_STACK (512 * 1024)
#endif

struct node;
struct thing;

typedef void (*thing_fn)(struct thing *thing, pyro_call *call);

/* The object that every node exports as "thing". */
struct thing {
    struct node *node;
    int32_t      count; /* attributes */
    char         label[12];
    thing_fn     fn;   /* what its method "run" does */
    pyro_proxy  *next; /* where "hop" goes on */
    uint32_t     ran;  /* handlers entered, of all methods */
    uint32_t     hops; /* deepest "hop" that was on the stack */
    uint32_t     depth;
    uint32_t     notes; /* "note" calls */
    int32_t      last_note;
    bool         spoilt; /* an argument changed while its handler ran */
    pyro_later   laters[NODE_LATERS];
    int32_t      later_values[NODE_LATERS];
    unsigned     n_laters; /* "later" calls so far */
};

struct node {
    pyro_daemon  d;
    pyro_port    port;
    pyro_config  config; /* may be set between rig_init and node_open */
    struct thing thing;
    PYRO_ROOM(NODE_LINKS, NODE_POOL, NODE_BYTES, NODE_OBJECTS) room;
    char uri[40];

    void (*job)(struct node *node); /* done once, between two polls */
    bool open;
    bool runs; /* its coroutine has begun and not ended */
    bool stop;

    ucontext_t  context;
    void       *fake; /* of ASan */
    const void *bottom;
    size_t      size;
};

static struct rig {
    struct loop_net net;
    struct node     n[NODES];
    struct node    *current;
    uint32_t        step;   /* of the clock, when nothing moves */
    bool            frozen; /* the clock stands still */
    const char     *wrong;  /* what pyro_check found */
    unsigned        wrong_node;
} rig;

static uint8_t node_stacks[NODES][NODE_STACK];

/* ------------------------------------------------------------------------
 * Turns
 * ------------------------------------------------------------------------ */

static inline void node_check(const struct node *node)
{
    const char *wrong = pyro_check(&node->d);

    if (wrong == NULL || rig.wrong != NULL)
        return;
    rig.wrong = wrong;
    rig.wrong_node = (unsigned)(node - rig.n);
    print_error("pyro_check of node %u: %s\n", rig.wrong_node, wrong);
}

static inline void node_switch(struct node *from, struct node *to)
{
    rig.current = to;
#ifdef NODES_ASAN
    __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
    swapcontext(&from->context, &to->context);
#ifdef NODES_ASAN
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

static inline void node_main(void)
{
    struct node *me = rig.current;

#ifdef NODES_ASAN
    __sanitizer_finish_switch_fiber(NULL, &rig.n[0].bottom, &rig.n[0].size);
#endif
    while (!me->stop) {
        void (*job)(struct node *) = me->job;

        me->job = NULL;
        if (job != NULL)
            job(me);
        pyro_poll(&me->d, 1000);
        node_check(me);
    }
    me->runs = false;
    rig.current = &rig.n[0];
#ifdef NODES_ASAN
    __sanitizer_start_switch_fiber(NULL, rig.n[0].bottom, rig.n[0].size);
#endif
    setcontext(&rig.n[0].context);
}

/* Every other node goes on until it waits. */
static inline void rig_turn(void)
{
    for (unsigned i = 1; i < NODES; i++)
        if (rig.n[i].runs)
            node_switch(&rig.n[0], &rig.n[i]);
}

static inline void rig_wait(void *user, const pyro_port *port, pyro_item *list,
                            int32_t ms)
{
    struct node *me = rig.current;
    uint32_t     moved = rig.net.moved;

    (void)user;
    if (port != &me->port) {
        rig.wrong = "a node waits with another's port";
        return;
    }
    node_check(me);
    if (me != &rig.n[0]) {
        node_switch(me, &rig.n[0]);
        return;
    }
    rig_turn();
    if (rig.net.moved == moved && ms != 0 && !rig.frozen
        && !loop_look(&rig.net, list))
        rig.net.clock_ms += rig.step;
}

/* ------------------------------------------------------------------------
 * The object
 * ------------------------------------------------------------------------ */

static inline void thing_add(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    int32_t       a = pyro_get_i32(&call->args);
    int32_t       b = pyro_get_i32(&call->args);

    t->ran++;
    pyro_put_int(&call->result, (int64_t)a + b);
}

static inline void thing_echo(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    uint32_t      n;
    const void   *data = pyro_get_raw(&call->args, &n);

    t->ran++;
    pyro_put_raw(&call->result, data, n);
}

static inline void thing_note(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;

    t->ran++;
    t->notes++;
    t->last_note = pyro_get_i32(&call->args);
}

static inline void thing_raise(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    char          texts[2][201];

    t->ran++;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t    n;
        const char *text = pyro_get_str(&call->args, &n);

        n = n > 200 ? 200 : n;
        memcpy(texts[i], text, n);
        texts[i][n] = 0;
    }
    pyro_raise(call, texts[0], texts[1]);
}

/* Is answered when the test wants it: see thing_answer. */
static inline void thing_later(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    unsigned      i = t->n_laters++ % NODE_LATERS;

    t->ran++;
    t->later_values[i] = pyro_get_i32(&call->args);
    pyro_defer(call, &t->laters[i], 60000);
}

static inline void thing_run(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;

    t->ran++;
    if (t->fn != NULL)
        t->fn(t, call);
}

/* Calls the same method of the next object n times over, and then looks
 * whether its own argument is still what it was. Returns how deep it went. */
static inline void thing_hop(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    int32_t       n = pyro_get_i32(&call->args);
    uint32_t      size;
    const void   *data = pyro_get_bin(&call->args, &size);
    uint8_t       copy[64];
    int32_t       below = 0;
    pyro_err      err = PYRO_OK;

    t->ran++;
    t->depth++;
    if (t->depth > t->hops)
        t->hops = t->depth;
    memset(copy, n, sizeof copy);
    if (size > sizeof copy || memcmp(data, copy, size) != 0)
        t->spoilt = true;
    memset(copy, n - 1, sizeof copy);
    if (n > 0)
        err = pyro_invoke(t->next, "hop",
                          PYRO_ARGS(pyro_int(n - 1), pyro_bin(copy, size)),
                          pyro_to_i32(&below));
    memset(copy, n, sizeof copy);
    if (memcmp(data, copy, size) != 0)
        t->spoilt = true;
    t->depth--;
    if (err != PYRO_OK)
        pyro_reraise(call, t->next);
    else
        pyro_put_int(&call->result, below + 1);
}

#ifndef PYRO_NO_URI
/* Calls "add" of an object it is given, over this connection. */
static inline void thing_back(void *self, pyro_call *call)
{
    struct thing *t = (struct thing *)self;
    pyro_uri      uri;
    pyro_proxy    caller;
    int32_t       sum = 0;
    pyro_err      err;

    t->ran++;
    pyro_get_uri(&call->args, &uri);
    if (pyro_proxy_from(&caller, call, &uri) != PYRO_OK) {
        pyro_raise(call, "RuntimeError", "no proxy for the caller");
        return;
    }
    err = pyro_invoke(&caller, "add", PYRO_ARGS(pyro_int(20), pyro_int(1)),
                      pyro_to_i32(&sum));
    if (err != PYRO_OK)
        pyro_reraise(call, &caller);
    else
        pyro_put_int(&call->result, sum * 2);
    pyro_proxy_close(&caller);
}
#endif

static const pyro_method thing_methods[] = {
    { "add", thing_add, "a:i b:i", "i", 0 },
    { "echo", thing_echo, "v", "v", 0 },
    { "note", thing_note, "i", "", PYRO_ONEWAY },
    { "raise", thing_raise, "s s", "", 0 },
    { "later", thing_later, "i", "i", 0 },
    { "run", thing_run, "?v v", "v", 0 },
    { "hop", thing_hop, "i y", "i", 0 },
#ifndef PYRO_NO_URI
    { "back", thing_back, "U", "i", 0 },
#endif
};

static const pyro_attr thing_attrs[] = { PYRO_ATTR_I32(struct thing, count, 0),
                                         PYRO_ATTR_STR(struct thing, label,
                                                       PYRO_READONLY) };

static const pyro_class thing_class = { "Thing", PYRO_METHODS(thing_methods),
                                        PYRO_ATTRS(thing_attrs), NULL, 0 };

/* Answers the i-th "later" call with the value it brought. From a job. */
static inline pyro_err thing_answer(struct thing *t, unsigned i)
{
    pyro_put_int(pyro_finish(&t->laters[i]), t->later_values[i]);
    return pyro_reply(&t->laters[i]);
}

/* ------------------------------------------------------------------------
 * Nodes
 * ------------------------------------------------------------------------ */

/* Bit i: node i is called in Pyro5. */
static unsigned rig_pyro5;

static inline void rig_init(uint32_t seed)
{
    static const char *const names[NODES] = { "A", "B", "C", "D" };

    memset(&rig, 0, sizeof rig);
    loop_init(&rig.net, seed);
    rig.net.on_wait = rig_wait;
    rig.current = &rig.n[0];
    rig.step = 1;
    for (unsigned i = 0; i < NODES; i++) {
        struct node *node = &rig.n[i];

        node->port = loop_port(&rig.net);
        node->config.port = &node->port;
        node->config.name = names[i];
        node->thing.node = node;
        strcpy(node->thing.label, "label");
        snprintf(node->uri, sizeof node->uri,
                 (rig_pyro5 >> i & 1) != 0 ? "PYRO:thing@board:770%u"
                                           : "PYRO://board:770%u/thing",
                 i);
        node->bottom = node_stacks[i];
        node->size = NODE_STACK;
    }
}

/* Opens a daemon and exports nothing. 0 links: all there are. */
static inline pyro_daemon *node_open_bare(unsigned i, unsigned buffers,
                                          unsigned links)
{
    struct node *node = &rig.n[i];
    pyro_room    room = PYRO_ROOM_OF(node->room);

    room.n_buffers = (uint16_t)buffers;
    if (links != 0)
        room.n_links = (uint16_t)(links + 1);
    assert_int_equal(pyro_open(&node->d, room, &node->config), PYRO_OK);
    node->open = true;
    return &node->d;
}

/* Opens a daemon that listens and exports "thing". */
static inline pyro_daemon *node_open(unsigned i, unsigned buffers)
{
    struct node *node = &rig.n[i];
    char         address[16];

    node_open_bare(i, buffers, 0);
    snprintf(address, sizeof address, "*:770%u", i);
    assert_int_equal(pyro_listen(&node->d, &node->port, address), PYRO_OK);
    assert_int_equal(pyro_export(&node->d, &thing_class, &node->thing,
                                 "thing"),
                     PYRO_OK);
    return &node->d;
}

static inline void node_run(unsigned i)
{
    struct node *node = &rig.n[i];

    assert_true(i > 0 && node->open && !node->runs);
    node->stop = false;
    node->runs = true;
    getcontext(&node->context);
    node->context.uc_stack.ss_sp = node_stacks[i];
    node->context.uc_stack.ss_size = NODE_STACK;
    makecontext(&node->context, node_main, 0);
}

/* A proxy of node i for the object of node `to`. */
static inline void node_proxy(unsigned i, pyro_proxy *proxy, unsigned to)
{
    assert_int_equal(pyro_proxy_open(proxy, &rig.n[i].d, rig.n[to].uri),
                     PYRO_OK);
}

/* Polls node 0 so many times; the clock does not move. */
static inline void rig_spin(unsigned rounds)
{
    while (rounds-- > 0) {
        assert_int_equal(pyro_poll(&rig.n[0].d, 0), PYRO_OK);
        node_check(&rig.n[0]);
    }
    if (rig.wrong != NULL)
        fail_msg("node %u: %s", rig.wrong_node, rig.wrong);
}

/* Polls node 0 until nothing moves any more. */
static inline void rig_settle(void)
{
    uint32_t moved;
    unsigned quiet = 0;

    for (unsigned i = 0; i < 10000 && quiet < 3; i++) {
        moved = rig.net.moved;
        rig_spin(1);
        quiet = rig.net.moved == moved ? quiet + 1 : 0;
    }
    assert_true(quiet == 3);
}

/* Polls node 0 while the clock goes on by ms. */
static inline void rig_pass(uint32_t ms)
{
    uint32_t start = rig.net.clock_ms;

    while (rig.net.clock_ms - start < ms) {
        assert_int_equal(pyro_poll(&rig.n[0].d, 1), PYRO_OK);
        node_check(&rig.n[0]);
    }
    rig_spin(1);
}

/* Has a node do something between two of its polls. */
static inline void node_do(unsigned i, void (*job)(struct node *))
{
    assert_true(rig.n[i].runs);
    rig.n[i].job = job;
    loop_advance(&rig.net, 0);
    for (unsigned n = 0; n < 5000 && rig.n[i].job != NULL; n++)
        pyro_poll(&rig.n[0].d, 1);
    assert_null(rig.n[i].job);
    rig_settle();
}

static inline void node_stop(unsigned i)
{
    struct node *node = &rig.n[i];

    node->stop = true;
    for (unsigned n = 0; n < 200000 && node->runs; n++) {
        rig_turn();
        rig.net.clock_ms += rig.step;
    }
    assert_false(node->runs);
}

/* Ends a node: its buffers must be back before. */
static inline void node_close(unsigned i)
{
    struct node *node = &rig.n[i];

    if (!node->open)
        return;
    if (node->runs)
        node_stop(i);
    node_check(node);
    pyro_close(&node->d);
    node->open = false;
}

static inline void node_all_back(unsigned i)
{
    if (rig.n[i].open)
        test_eq(rig.n[i].config.name, rig.n[i].d.n_[PYROI_SPARE],
                rig.n[i].d.room_.n_buffers);
}

/* All buffers are back, all is closed, nothing was misused. */
static inline void rig_end(void)
{
    rig_settle();
    for (unsigned i = 0; i < NODES; i++)
        node_all_back(i);
    for (unsigned i = NODES; i-- > 0;)
        node_close(i);
    if (rig.wrong != NULL)
        fail_msg("node %u: %s", rig.wrong_node, rig.wrong);
    test_eq("port calls with a closed handle", rig.net.misuse, 0);
    test_eq("handles left open", loop_open_handles(&rig.net), 0);
    for (unsigned i = 0; i < NODES; i++)
        assert_false(rig.n[i].thing.spoilt);
}

/* ------------------------------------------------------------------------
 * A peer played by the test, at "board:7703": the listener comes first, then
 * node 0 begins a call, then peer_greet accepts and takes the call's frame.
 * ------------------------------------------------------------------------ */

static struct {
    int32_t  listener;
    int32_t  handle;
    uint8_t  frame[300];
    uint32_t n;
    uint32_t seq; /* of the last INVOKE */
} peer;

static inline void peer_listen(void)
{
    memset(&peer, 0, sizeof peer);
    peer.listener = loop_listen(&rig.n[3].port, "*:7703");
    assert_true(peer.listener >= 0);
}

static inline void peer_close(void)
{
    loop_close(&rig.n[3].port, peer.handle);
    loop_close(&rig.n[3].port, peer.listener);
}

static inline void peer_send(unsigned kind, unsigned flags, uint32_t seq,
                             const void *body, uint32_t n)
{
    uint8_t  frame[300];
    uint8_t *at = frame + PYROI_BODY;
    uint8_t *head;

    memcpy(at, body, n);
    head = pyroi_put_header(at, PYROI_WHAT(kind, flags), seq, n);
    if ((flags & PYROI_CHECKSUM) != 0) {
        pyroi_store32(at + n, pyro_crc32(0, head, 8 + n));
        n += 4;
    }
    assert_int_equal(loop_feed(&rig.net, peer.handle, head, 8 + n), 8 + n);
}

static inline void peer_greet(void)
{
    static const uint8_t ok[] = { 0x96, 6,    0,    0xCE, 0,    0,
                                  0,    9,    0xCE, 0,    0,    1,
                                  0,    0xCD, 0x4E, 0x20, 0xC4, 0 };
    uint8_t              hello[64];

    rig_spin(2);
    peer.handle = loop_accept(&rig.n[3].port, peer.listener);
    assert_true(peer.handle >= 0);
    assert_int_equal(loop_take(&rig.net, peer.handle, hello, sizeof hello),
                     30);
    peer_send(PYROI_CONNECTOK, PYROI_CHECKSUM, 0, ok, sizeof ok);
    rig_settle();
    peer.n = loop_take(&rig.net, peer.handle, peer.frame, sizeof peer.frame);
    assert_true(peer.n >= 8);
    peer.seq = pyroi_load16(peer.frame + 4);
}

#endif /* NODES_H */
