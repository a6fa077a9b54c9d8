/* fuzz_daemon.c - a daemon with objects of all kinds, called by peers that do
 * what the input says.
 *
 * The input: two bytes for the daemon (see fuzz_open), one for how the first
 * peer comes: by a connection, greeted or not, or by a pipe; then steps. */
#include "fuzz.h"

struct thing {
    struct fuzz *fuzz;
    bool         flag;
    int32_t      i;
    uint32_t     u;
    int64_t      q;
    float        f;
    double       d;
    char         s[12];
    char         label[4];
};

enum { LATERS = 3 };

static struct fuzz  fuzz;
static struct thing things[4]; /* calc, one, any, and one without a name */
static pyro_later   laters[LATERS];
static unsigned     next_later;
static unsigned     hooked;

static void add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);
    double  c = pyro_more(&call->args) ? pyro_get_f64(&call->args) : 0;

    (void)self;
    FUZZ_CHECK(call->args.err == PYRO_OK && !pyro_more(&call->args),
               "add was called with other arguments than its signature's");
    pyro_put_f64(&call->result, (double)a + b + c);
}

static void echo(void *self, pyro_call *call)
{
    uint32_t    n;
    const void *raw = pyro_get_raw(&call->args, &n);

    (void)self;
    FUZZ_CHECK(call->args.err == PYRO_OK, "echo was called without a value");
    pyro_put_raw(&call->result, raw, n);
}

/* "b:b q:q ?s:s ?y:y ?u:U ?l:[d] ?m:{q} ?v:v": as many as there are. */
static void all(void *self, pyro_call *call)
{
    pyro_reader *in = &call->args;
    pyro_uri     uri;
    uint32_t     n;
    uint32_t     left;
    bool         good;

    (void)self;
    (void)pyro_get_bool(in);
    (void)pyro_get_i64(in);
    if (pyro_more(in))
        (void)pyro_get_str(in, &n);
    if (pyro_more(in))
        (void)pyro_get_bin(in, &n);
    good = in->err == PYRO_OK;
    FUZZ_CHECK(good, "the signature let a wrong argument pass");
    if (pyro_more(in))
        pyro_get_uri(in, &uri); /* the signature sees only map or str */
    if (in->err != PYRO_OK)
        return;
    if (pyro_more(in))
        for (left = pyro_get_list(in, UINT32_MAX); left > 0; left--)
            (void)pyro_get_f64(in);
    if (pyro_more(in))
        for (left = pyro_get_map(in, UINT32_MAX); left > 0; left--) {
            (void)pyro_get_str(in, &n);
            (void)pyro_get_i64(in);
        }
    if (pyro_more(in))
        pyro_skip(in);
    FUZZ_CHECK(in->err == PYRO_OK && !pyro_more(in),
               "the signature let a wrong argument pass");
    pyro_put_str(&call->result, "all");
}

static void later(void *self, pyro_call *call)
{
    pyro_later *l = &laters[next_later % LATERS];
    int32_t     ms = pyro_get_i32(&call->args);

    (void)self;
    if (pyro_later_open(l)) {
        pyro_raise(call, "RuntimeError", "all of them are in use");
        return;
    }
    if (l->call_.node != NULL)
        pyro_reply(l); /* its caller has gone: give the struct back */
    next_later++;
    pyro_defer(call, l, ms < 0 ? 0u : (uint32_t)ms & 1023);
}

static void note(void *self, pyro_call *call)
{
    ((struct thing *)self)->i += pyro_get_i32(&call->args);
}

static void fail(void *self, pyro_call *call)
{
    char        text[80] = "";
    uint32_t    n;
    const char *view = pyro_get_str(&call->args, &n);

    (void)self;
    if (n < sizeof text)
        memcpy(text, view, n);
    pyro_raise(call, "ValueError", text);
    pyro_raise(call, "SecondError", "does nothing");
}

/* Calls its caller back; what it holds has to stay what it is meanwhile. */
static void call_back(void *self, pyro_call *call)
{
    pyro_proxy  proxy;
    pyro_uri    uri;
    int64_t     v = 0;
    pyro_err    err;
    char        name[PYRO_MAX_NAME];
    const char *text;

    (void)self;
    pyro_get_uri(&call->args, &uri);
    if (call->args.err != PYRO_OK)
        return;
    text = uri.object;
    memcpy(name, text, uri.object_n);
    err = pyro_proxy_from(&proxy, call, &uri);
    if (err != PYRO_OK) {
        pyro_raise(call, "CallError", pyro_err_text(err));
        return;
    }
    proxy.timeout_ms = 60;
    if (uri.object_n % 2 != 0) /* two in flight, beside the one of invoke */
        err = pyro_oneway(&proxy, "told", PYRO_ARGS(pyro_nil()));
    if (err == PYRO_OK)
        err = pyro_invoke(&proxy, "back", PYRO_ARGS(pyro_str("x")),
                          pyro_to_i64(&v));
    FUZZ_CHECK(memcmp(name, text, uri.object_n) == 0,
               "arguments of a running call have changed");
    FUZZ_CHECK(err == PYRO_OK || v == 0, "a slot was written on an error");
    if (err != PYRO_OK)
        pyro_reraise(call, &proxy);
    else
        pyro_put_int(&call->result, v);
    pyro_proxy_close(&proxy);
}

static void yield(void *self, pyro_call *call)
{
    unsigned i;

    (void)self;
    for (i = 0; i < 3; i++) {
        pyro_yield(call->node);
        fuzz_look(&fuzz);
        loop_advance(&fuzz.net, 50);
    }
}

static void poll(void *self, pyro_call *call)
{
    unsigned i;

    (void)self;
    for (i = 0; i < 3; i++) {
        FUZZ_CHECK(pyro_poll(call->node, 5) == PYRO_OK, "poll in a handler");
        fuzz_look(&fuzz);
    }
}

static void twice(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_list(&call->result, 2); /* and one of them is never put */
    pyro_put_bool(&call->result, true);
}

static void big(void *self, pyro_call *call)
{
    char text[310];

    (void)self;
    memset(text, 'x', sizeof text);
    pyro_put_strn(&call->result, text, sizeof text);
}

static void leave(void *self, pyro_call *call)
{
    (void)self;
    pyro_withdraw(call->node, &things[3]);
}

static void cut(void *self, pyro_call *call)
{
    (void)self;
    pyro_link_close(call->node, call->link);
    fuzz_look(&fuzz);
}

static bool any(void *self, pyro_call *call)
{
    (void)self;
    if (call->method[0] == 'n')
        return false;
    if (call->method[0] == 'a')
        pyro_put_here(&call->result, "any");
    else if (pyro_more(&call->args))
        echo(self, call);
    return true;
}

static const pyro_method methods[] = {
    { "add", add, "a:i b:i ?c:d", "d", 0 },
    { "echo", echo, "v", "v", 0 },
    { "all", all, "b:b q:q ?s:s y:y u:U l:[d] m:{q} v:v", "s", 0 },
    { "later", later, "ms:i", "v", 0 },
    { "note", note, "i", "", PYRO_ONEWAY },
    { "fail", fail, "s", "", 0 },
    { "call", call_back, "U", "q", 0 },
    { "yield", yield, "", "", 0 },
    { "poll", poll, "", "", 0 },
    { "twice", twice, "", "v", 0 },
    { "big", big, "", "s", 0 },
    { "leave", leave, "", "", 0 },
    { "cut", cut, "", "", 0 },
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_BOOL(struct thing, flag, 0),
    PYRO_ATTR_I32(struct thing, i, 0),
    PYRO_ATTR_U32(struct thing, u, 0),
    PYRO_ATTR_I64(struct thing, q, 0),
    PYRO_ATTR_F32(struct thing, f, 0),
    PYRO_ATTR_F64(struct thing, d, 0),
    PYRO_ATTR_STR(struct thing, s, 0),
    PYRO_ATTR_STR(struct thing, label, PYRO_READONLY),
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(methods),
                                       PYRO_ATTRS(attrs), NULL, 0 };
static const pyro_class one_class = { "One", PYRO_METHODS(methods),
                                      PYRO_NO_ATTRS, NULL, PYRO_EXCLUSIVE };
static const pyro_class any_class = { "Any", PYRO_NO_METHODS, PYRO_NO_ATTRS,
                                      any, 0 };

static void hook(void *user, pyro_daemon *node, pyro_link link,
                 pyro_event event)
{
    char text[40];

    (void)user;
    hooked++;
    (void)pyro_link_address(node, link, true, text, sizeof text);
    (void)pyro_link_session(node, link);
    fuzz_look(&fuzz);
    if (event == PYRO_LINK_WRITABLE && hooked % 4 == 0)
        pyro_link_close(node, link);
}

static void tick(void *user, pyro_daemon *node)
{
    pyro_timer *timer = user;

    pyro_timer_set(node, timer, 250);
}

/* A connection of the current peer: by a pipe or by the listener. */
static void dial(struct fuzz *f, unsigned how)
{
    struct fuzz_peer *p = f->peer;
    int32_t           ends[2];

    memset(p, 0, sizeof *p);
    p->stream = how % 2 == 0;
    if (p->stream) {
        p->handle = f->other.connect(&f->other, "board:7766");
        if (p->handle < 0)
            p->handle = 0;
        return;
    }
    if (f->waits || loop_pair(&f->net, ends) == UINT32_MAX)
        return;
    if (pyro_adopt(&f->node, &f->port, ends[0], NULL) == PYRO_OK) {
        p->handle = ends[1];
    } else {
        f->other.close(&f->other, ends[0]);
        f->other.close(&f->other, ends[1]);
    }
}

/* What the program around the daemon does between polls. */
static void inside(struct fuzz *f, unsigned op)
{
    unsigned    n = fuzz_u8(&f->in);
    pyro_later *l = &laters[n % LATERS];

    switch (op & 7) {
    case 0:
        if (pyro_later_open(l) && (n & 64) != 0)
            pyro_fail(l, "ValueError", "later");
        if ((n & 128) != 0)
            pyro_put_list(pyro_finish(l), n & 3);
        else
            pyro_put_int(pyro_finish(l), n);
        if (l->call_.node != NULL)
            pyro_reply(l);
        break;
    case 1:
        if (pyro_withdraw(&f->node, &things[n & 3]) != PYRO_OK)
            pyro_export(&f->node, &calc_class, &things[n & 3],
                        (n & 4) != 0 ? "calc" : NULL);
        break;
    case 2:
        pyro_flush(&f->node);
        break;
    case 3:
        pyro_yield(&f->node);
        break;
    case 4:
        FUZZ_CHECK(pyro_next_ms(&f->node) >= -1, "pyro_next_ms");
        break;
    default:
        fuzz_poll(f, (n & 1) != 0 ? (int32_t)(n >> 1) : 0);
    }
    fuzz_look(f);
}

static void open_objects(struct fuzz *f)
{
    static const char *const       names[] = { "calc", "one", "any", NULL };
    static const pyro_class *const classes[] = { &calc_class, &one_class,
                                                 &any_class, &calc_class };
    unsigned                       i;

    memset(things, 0, sizeof things);
    memset(laters, 0, sizeof laters);
    next_later = hooked = 0;
    for (i = 0; i < PYRO_COUNT(things); i++) {
        strcpy(things[i].s, "text");
        FUZZ_CHECK(pyro_export(&f->node, classes[i], &things[i], names[i])
                       == PYRO_OK,
                   "pyro_export failed");
    }
    pyro_object_id(&f->node, &things[3], f->id);
    FUZZ_CHECK(pyro_listen(&f->node, &f->port, "*:7766") == PYRO_OK,
               "pyro_listen failed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_hook  hook_struct = { NULL, hook, NULL };
    pyro_timer timer = { NULL, tick, NULL, 0 };
    unsigned   how;

    fuzz_open(&fuzz, data, size, 2);
    open_objects(&fuzz);
    pyro_hook_add(&fuzz.node, &hook_struct);
    timer.user = &timer;
    pyro_timer_set(&fuzz.node, &timer, 250);
    fuzz.dial = dial;
    how = fuzz_u8(&fuzz.in);
    dial(&fuzz, how);
    if ((how & 2) == 0) {
        fuzz_greet(&fuzz, CONNECT, how >> 2, FUZZ_RIGHT);
        fuzz_poll(&fuzz, 0);
    }
    fuzz_steps(&fuzz, inside, fuzz_poll);
    fuzz_end(&fuzz);
    return 0;
}
