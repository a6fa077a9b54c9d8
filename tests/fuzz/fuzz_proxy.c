/* fuzz_proxy.c - a client with several requests in flight, over connections
 * and a pipe, answered by peers that do what the input says.
 *
 * The input: two bytes for the daemon (see fuzz_open), one for what the client
 * has beside its proxies and whether peers greet; then steps. Whatever
 * comes, every call ends by its deadline, a result is written to its slot
 * once and only on success, and never after a cancel. */
#include "fuzz.h"

enum { PROXIES = 4, REQUESTS = 4, SLOT = 24, UNTOUCHED = 0xEE };

struct flight {
    pyro_request rq;
    uint8_t      slot[SLOT];
    uint8_t      blob_bytes[SLOT];
    pyro_blob    blob;
    bool         flies;    /* sent, and its end not seen yet */
    unsigned     ended;    /* callbacks */
    bool         callback; /* one is to come */
};

static struct fuzz   fuzz;
static pyro_proxy    proxies[PROXIES];
static bool          is_open[PROXIES];
static struct flight flights[REQUESTS];
static pyro_link     pipe_link;
static int32_t       server; /* where the peers listen */
static int           object;

static bool any(void *self, pyro_call *call)
{
    (void)self;
    fuzz_look(&fuzz);
    if (call->method[0] == 'p')
        pyro_yield(call->node);
    return call->method[0] != 'n';
}

static const pyro_class any_class = { "Any", PYRO_NO_METHODS, PYRO_NO_ATTRS,
                                      any, 0 };

static pyro_err resolve(void *user, pyro_daemon *node, const pyro_uri *name,
                        char *to, size_t size)
{
    static const char *const answers[] = { "PYRO://board:7766/calc", "?",
                                           "PYRONAME://name",
                                           "PYRO://board:7766/other" };

    (void)user;
    (void)node;
    (void)name;
    if (fuzz.net.clock_ms % 3 == 0)
        return PYRO_ERR_BUSY;
    FUZZ_CHECK(size >= 32, "no room for a URI");
    strcpy(to, answers[fuzz.net.clock_ms & 3]);
    return PYRO_OK;
}

/* 0xFF is in no text: one that shows up was never written there. */
static void poison(pyro_proxy *proxy)
{
    memset(proxy->text_, 0xFF, sizeof proxy->text_ - 1);
    proxy->text_[sizeof proxy->text_ - 1] = '\0';
}

static void check_exception(const pyro_proxy *proxy)
{
    const pyro_exc *e = pyro_exception(proxy);

    FUZZ_CHECK(strchr(e->type, 0xFF) == NULL
                   && strchr(e->message, 0xFF) == NULL
                   && strchr(e->traceback, 0xFF) == NULL,
               "a text of an exception is not what came");
}

static void done(void *user, pyro_request *rq, pyro_err err,
                 pyro_reader *result)
{
    struct flight *fl = user;

    FUZZ_CHECK(rq == &fl->rq && fl->flies && fl->callback,
               "a callback nobody waits for");
    FUZZ_CHECK(pyro_done(rq) && pyro_result(rq) == err, "done and yet not");
    fl->callback = false;
    fl->ended++;
    if (err == PYRO_OK && rq->slot_.as_ == NULL) {
        pyro_skip(result);
        FUZZ_CHECK(result->err == PYRO_OK && !pyro_more(result),
                   "a callback got something that is no value");
    } else {
        FUZZ_CHECK(result->err != PYRO_OK, "a result where there is none");
    }
    fuzz_look(&fuzz);
}

static pyro_slot slot_of(struct flight *fl, unsigned how)
{
    memset(fl->slot, UNTOUCHED, SLOT);
    memset(fl->blob_bytes, UNTOUCHED, SLOT);
    fl->blob.data = fl->blob_bytes;
    fl->blob.size = SLOT;
    fl->blob.used = UNTOUCHED;
    switch (how % 9) {
    case 0:
        return pyro_to_i32((int32_t *)(void *)fl->slot);
    case 1:
        return pyro_to_i64((int64_t *)(void *)fl->slot);
    case 2:
        return pyro_to_u64((uint64_t *)(void *)fl->slot);
    case 3:
        return pyro_to_f32((float *)(void *)fl->slot);
    case 4:
        return pyro_to_f64((double *)(void *)fl->slot);
    case 5:
        return pyro_to_str((char *)fl->slot, SLOT);
    case 6:
        return pyro_to_bin(&fl->blob);
    case 7:
        return pyro_to_raw(&fl->blob);
    default:
        return pyro_to_none();
    }
}

static void check_untouched(const struct flight *fl)
{
    unsigned i;

    for (i = 0; i < SLOT; i++)
        FUZZ_CHECK(fl->slot[i] == UNTOUCHED && fl->blob_bytes[i] == UNTOUCHED,
                   "a slot was written without success");
    FUZZ_CHECK(fl->blob.used == UNTOUCHED, "a blob was used without success");
}

/* Looks at the requests after every poll. */
static void check_flights(void)
{
    unsigned i;

    for (i = 0; i < REQUESTS; i++) {
        struct flight *fl = &flights[i];

        if (!fl->flies)
            continue;
        if (!pyro_done(&fl->rq)) {
            check_untouched(fl);
            continue;
        }
        FUZZ_CHECK(!fl->callback, "a request is done without its callback");
        if (pyro_result(&fl->rq) != PYRO_OK)
            check_untouched(fl);
        fl->flies = false;
    }
}

static void poll(struct fuzz *f, int32_t ms)
{
    fuzz_poll(f, ms);
    check_flights();
}

/* A connection of the current peer, if somebody has connected; else nothing.
 * It may be called in a wait: none of this is the library's. */
static void dial(struct fuzz *f, unsigned how)
{
    struct fuzz_peer *p = f->peer;
    int32_t           handle = f->other.accept(&f->other, server);

    (void)how;
    if (handle < 0)
        return;
    memset(p, 0, sizeof *p);
    p->stream = true;
    p->handle = handle;
}

static void open_proxy(unsigned i)
{
    static const char *const uris[] = { "PYRO://board:7766/calc",
                                        "PYROLOC://board:7766/thing",
                                        "PYRONAME://name" };
    pyro_err                 err;

    if (is_open[i])
        return;
    if (i < PYRO_COUNT(uris))
        err = pyro_proxy_open(&proxies[i], &fuzz.node, uris[i]);
    else
        err = pyro_proxy_at(&proxies[i], &fuzz.node, pipe_link, "o", 1);
    is_open[i] = err == PYRO_OK;
    if (is_open[i]) {
        proxies[i].timeout_ms = 100;
        poison(&proxies[i]);
    }
}

static void put_arguments(pyro_request *rq, unsigned how)
{
    static const uint8_t zeros[256];

    switch (how & 7) {
    case 0:
        break;
    case 1:
        pyro_put_int(&rq->args, how);
        pyro_put_str(&rq->args, "argument");
        break;
    case 2:
        pyro_put_list(&rq->args, 2);
        pyro_put_nil(&rq->args);
        if (how != 2)
            pyro_put_nil(&rq->args);
        break;
    case 3:
        pyro_put_bin(&rq->args, zeros, how); /* may be too long */
        break;
    case 4:
        pyro_put_int(&rq->args, 1);
        pyro_put_kwargs(rq, 1);
        pyro_put_str(&rq->args, "b");
        pyro_put_int(&rq->args, 2);
        break;
    case 5:
        pyro_put_kwargs(rq, 2); /* which never come */
        break;
    default:
        pyro_put_here(&rq->args, "any");
    }
}

/* Begins a request and sends it, as a call or as a oneway. */
static void launch(struct fuzz *f, unsigned which)
{
    struct flight *fl = &flights[which % REQUESTS];
    pyro_proxy    *proxy = &proxies[which / REQUESTS % PROXIES];
    unsigned       how = fuzz_u8(&f->in);
    unsigned       args = fuzz_u8(&f->in);

    if (!is_open[proxy - proxies] || fl->flies)
        return;
    poison(proxy);
    if (pyro_begin(&fl->rq, proxy, "method") != PYRO_OK)
        return;
    put_arguments(&fl->rq, args);
    if ((how & 64) != 0)
        pyro_deadline(&fl->rq, 1 + (how & 31) * 40);
    if ((how & 128) != 0) {
        (void)pyro_send_oneway(&fl->rq);
        return;
    }
    fl->callback = (how & 32) != 0;
    fl->flies = pyro_send(&fl->rq, slot_of(fl, how & 15),
                          fl->callback ? done : NULL, fl)
             == PYRO_OK;
    if (!fl->flies)
        FUZZ_CHECK(pyro_done(&fl->rq), "not sent and not done");
}

static void cancel(unsigned which)
{
    struct flight *fl = &flights[which % REQUESTS];

    if (!fl->flies)
        return;
    fl->callback = false; /* none may come */
    (void)pyro_cancel(&fl->rq);
    FUZZ_CHECK(pyro_done(&fl->rq), "cancelled and not done");
    fl->flies = false;
    check_untouched(fl);
}

static void blocking(struct fuzz *f, unsigned how)
{
    pyro_proxy *proxy = &proxies[how % PROXIES];
    int32_t     i = 77;
    bool        has = false;
    pyro_err    err = PYRO_OK;

    if (!is_open[proxy - proxies])
        return;
    poison(proxy);
    switch (how >> 2 & 3) {
    case 0:
        err = pyro_invoke(proxy, "m", PYRO_ARGS(pyro_int(5), pyro_nil()),
                          pyro_to_i32(&i));
        FUZZ_CHECK(err == PYRO_OK || i == 77, "a slot was written");
        break;
    case 1:
        err = pyro_getattr(proxy, "label", pyro_to_i32(&i));
        break;
    case 2:
        err = pyro_setattr(proxy, "label", pyro_str("new"));
        break;
    default:
        err = pyro_hasattr(proxy, "label", &has);
        FUZZ_CHECK(err == PYRO_OK || !has, "a bool was written");
    }
    (void)f;
    if (err == PYRO_ERR_REMOTE)
        check_exception(proxy);
    FUZZ_CHECK(err != PYRO_ERR_BUSY || !pyro_sent(proxy)
                   || proxy->err_ == PYRO_ERR_BUSY,
               "busy and not of this call");
}

static void close_proxy(unsigned i)
{
    unsigned k;

    if (!is_open[i])
        return;
    for (k = 0; k < REQUESTS; k++)
        if (flights[k].flies && flights[k].rq.proxy_ == &proxies[i])
            flights[k].callback = false;
    pyro_proxy_close(&proxies[i]);
    is_open[i] = false;
    for (k = 0; k < REQUESTS; k++)
        FUZZ_CHECK(!flights[k].flies || flights[k].rq.proxy_ != &proxies[i]
                       || pyro_done(&flights[k].rq),
                   "a proxy is closed and its requests are not");
    check_flights();
}

/* What the program around the proxies does between polls. */
static void inside(struct fuzz *f, unsigned op)
{
    unsigned n = fuzz_u8(&f->in);
    unsigned i;

    switch (op & 7) {
    case 0:
    case 1:
        launch(f, n);
        break;
    case 2:
        blocking(f, n);
        break;
    case 3:
        cancel(n);
        break;
    case 4:
        if ((n & 4) != 0 && is_open[n % PROXIES])
            pyro_release(&proxies[n % PROXIES]);
        else
            close_proxy(n % PROXIES);
        break;
    case 5:
        open_proxy(n % PROXIES);
        break;
    case 6:
        if (n < 128 && flights[n % REQUESTS].flies)
            (void)pyro_wait(&flights[n % REQUESTS].rq);
        for (i = 0; i < (n & 15) && n >= 128 && is_open[n >> 4 & 3]; i++)
            (void)pyro_oneway(&proxies[n >> 4 & 3], "tell",
                              PYRO_ARGS(pyro_int((int64_t)n)));
        if (n == 127)
            pyro_yield(&f->node);
        break;
    default:
        poll(f, (n & 1) != 0 ? (int32_t)(n >> 1) : 0);
    }
    fuzz_look(f);
    check_flights();
}

static void start(struct fuzz *f)
{
    int32_t  ends[2];
    unsigned how = fuzz_u8(&f->in);
    unsigned i;

    memset(flights, 0, sizeof flights);
    memset(is_open, 0, sizeof is_open);
    f->dial = dial;
    pyro_resolver(&f->node, resolve, NULL);
    f->greets = (uint8_t)how;
    f->net.refuse_late = (how & 64) != 0;
    f->net.connect_ms = (how & 32) != 0 ? 10 : 0;
    server = f->other.listen(&f->other, "*:7766");
    loop_pair(&f->net, ends);
    FUZZ_CHECK(pyro_adopt(&f->node, &f->port, ends[0], &pipe_link) == PYRO_OK,
               "pyro_adopt failed");
    f->peers[0].handle = ends[1];
    if ((how & 128) != 0)
        (void)pyro_export(&f->node, &any_class, &object, "any");
    for (i = 0; i < PROXIES; i++)
        open_proxy(i);
}

/* Nobody answers any more: every call ends by its deadline. */
static void finish(struct fuzz *f)
{
    unsigned i;

    f->steps = 0;
    for (i = 0; i < 6; i++) {
        loop_advance(&f->net, 400);
        poll(f, 0);
    }
    for (i = 0; i < REQUESTS; i++)
        FUZZ_CHECK(!flights[i].flies, "a call has not ended");
    for (i = 0; i < PROXIES; i++)
        close_proxy(i);
    f->other.close(&f->other, server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(&fuzz, data, size, 1);
    start(&fuzz);
    fuzz_steps(&fuzz, inside, poll);
    finish(&fuzz);
    fuzz_end(&fuzz);
    return 0;
}
