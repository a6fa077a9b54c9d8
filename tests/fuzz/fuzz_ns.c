/* fuzz_ns.c - a name server that peers call as the input says: every method
 * with every kind of name and URI, alone, with a journal that may fail, and as
 * one of a pair.
 *
 * The input: two bytes for the daemon (see fuzz_open), one for the name server
 * and how the first peer comes; then steps. After each the tables are walked.
 * A name server that is stopped and begins again from its journal knows what
 * it knew. */
#include "fuzz_ns.h"

static struct fuzz fuzz;
static int32_t     twin; /* where the other of the pair listens */

static bool may(void *user, pyro_call *call, pyro_ns_op op, const char *name)
{
    (void)user;
    FUZZ_CHECK(call->link != 0, "a caller without a link");
    FUZZ_CHECK(name == NULL || name[0] == ':', "a name that is not full");
    return op != PYRO_NS_UNREGISTER || name[1] != 'l';
}

static void shut(void *user)
{
    ++*(unsigned *)user;
}

/* A connection of the current peer: by a pipe or by the listener, or as the
 * other of a pair that is being told something. */
static void dial(struct fuzz *f, unsigned how)
{
    struct fuzz_peer *p = f->peer;
    int32_t           ends[2];
    int32_t           handle = f->other.accept(&f->other, twin);

    memset(p, 0, sizeof *p);
    if (handle >= 0) {
        p->stream = true;
        p->handle = handle;
        return;
    }
    p->stream = how % 2 == 0;
    if (p->stream) {
        p->handle = f->other.connect(&f->other, "board:9090");
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

static void put_name(struct fuzz *f, pyro_writer *w)
{
    fuzz_word(f, w, ns_names, PYRO_COUNT(ns_names));
}

static void put_register(struct fuzz *f, pyro_writer *w)
{
    unsigned how = fuzz_u8(&f->in);

    pyro_put_list(w, 2 + (how & 3) % 3);
    put_name(f, w);
    fuzz_word(f, w, ns_uris, PYRO_COUNT(ns_uris));
    if ((how & 3) % 3 > 0)
        pyro_put_int(w, (how & 4) != 0 ? (int)how * 70 : (int)how << 23);
    if ((how & 3) % 3 > 1)
        pyro_put_bool(w, (how & 8) != 0);
}

static void put_sync(struct fuzz *f, pyro_writer *w)
{
    unsigned how = fuzz_u8(&f->in);
    unsigned n = how >> 6;

    pyro_put_list(w, 3);
    pyro_put_uint(w, 2 + (how & 3)); /* boot: of the role, or of the other */
    pyro_put_uint(w, how >> 2 & 15);
    pyro_put_list(w, n);
    while (n-- > 0)
        ns_put_entry(f, w);
}

/* Arguments as the method has them. */
static void put_arguments(struct fuzz *f, pyro_writer *w, const char *method)
{
    unsigned    how;
    const char *last = strchr("lf", method[0]);

    if (method[0] == '_' && method[2] == 'y') {
        put_sync(f, w);
    } else if (strcmp(method, "register") == 0) {
        put_register(f, w);
    } else if (strcmp(method, "setMeta") == 0) {
        pyro_put_list(w, 2);
        put_name(f, w);
        how = fuzz_u8(&f->in);
        pyro_put_strn(w, "metadata too long", how % 18);
    } else if (last != NULL) {
        how = fuzz_u8(&f->in);
        pyro_put_list(w, (how & 1) + (method[0] == 'l'));
        if (method[0] == 'l')
            put_name(f, w);
        if ((how & 1) != 0)
            pyro_put_int(w, (int)how - 20);
    } else if (strchr("pt_", method[0]) != NULL
               || strcmp(method, "resync") == 0) {
        pyro_put_list(w, 0);
    } else {
        pyro_put_list(w, 1);
        put_name(f, w);
    }
}

/* An argument as Pyro5 gives them. */
static void put_value5(struct fuzz *f, pyro_writer *w)
{
    unsigned how = fuzz_u8(&f->in);
    unsigned n;

    switch (how & 7) {
    case 0:
    case 1:
        put_name(f, w);
        break;
    case 2:
    case 3:
        fuzz_word(f, w, ns_uris, PYRO_COUNT(ns_uris));
        break;
    case 4:
        pyro_put_bool(w, how > 127);
        break;
    case 5:
        pyro_put_nil(w);
        break;
    default:
        n = how >> 3 & 3;
        pyro_put_list(w, n);
        while (n-- > 0)
            pyro_put_strn(w, "redblue", fuzz_u8(&f->in) % 8);
    }
}

/* A call of the object that Pyro5 knows: some arguments by position, and some
 * by keyword. */
static void invoke_body5(struct fuzz *f, pyro_writer *w)
{
    static const char *const methods[] = { "register", "lookup",      "list",
                                           "remove",   "yplookup",    "count",
                                           "ping",     "set_metadata" };
    static const char *const keys[] = {
        "name",     "uri",      "safe",           "metadata",
        "prefix",   "regex",    "metadata_all",   "metadata_any",
        "meta_all", "meta_any", "return_metadata"
    };
    unsigned how = fuzz_u8(&f->in);
    unsigned n = how >> 3 & 3;

    *w->at++ = 0x94;
    pyro_put_str(w, "Pyro.NameServer");
    pyro_put_str(w, methods[how & 7]);
    pyro_put_list(w, n);
    while (n-- > 0)
        put_value5(f, w);
    n = how >> 5 & 3;
    pyro_put_map(w, n);
    while (n-- > 0) {
        fuzz_word(f, w, keys, PYRO_COUNT(keys));
        put_value5(f, w);
    }
}

static void invoke_body(struct fuzz *f, pyro_writer *w)
{
    static const char *const methods[] = {
        "resolve",       "register",    "unregister",  "list",    "flatlist",
        "createGroup",   "deleteGroup", "setMeta",     "getMeta", "ping",
        "getSystemMeta", "resync",      "twin",        "_sync",   "_shutdown",
        "register",      "register",    "createGroup",
    };
    unsigned which = fuzz_u8(&f->in);

    if (which >= 0xE0) {
        fuzz_invoke_body(f, w); /* of any object */
        return;
    }
    if (which >= 0xD0) {
        invoke_body5(f, w);
        return;
    }
    *w->at++ = 0x94;
    pyro_put_str(w, PYRO_NS_NAME);
    pyro_put_str(w, methods[which % PYRO_COUNT(methods)]);
    if (which >= 0xC0)
        fuzz_tail(f, w);
    else
        put_arguments(f, w, methods[which % PYRO_COUNT(methods)]);
    pyro_put_map(w, 0);
}

/* What the pair answers: the number of its last _sync, and who it is. */
static void result_body(struct fuzz *f, pyro_writer *w)
{
    unsigned how = fuzz_u8(&f->in);

    if (how >= 0xC0) {
        fuzz_tail(f, w);
        return;
    }
    pyro_put_list(w, 2);
    pyro_put_uint(w, how >> 2 & 15);
    pyro_put_uint(w, 2 + (how & 3));
}

static void serve(struct fuzz *f)
{
    pyro_err err = pyro_ns_serve(&ns_server, &f->node,
                                 PYRO_NS_ROOM_OF(ns_room), &ns_config);

    ns_serves = err == PYRO_OK;
    FUZZ_CHECK(ns_serves || (ns_config.storage != NULL && ns_journal.failed)
                   || (ns_config.storage != NULL && err == PYRO_ERR_NOSPACE),
               "the name server does not begin");
}

/* Whether nobody waits for an answer: a name server that stops while the
 * daemon has no buffer for one leaves it behind. */
static bool all_answered(struct fuzz *f)
{
    unsigned i;
    bool     none = true;

    for (i = 0; i < 3; i++)
        fuzz_poll(f, 0);
    for (i = 0; i < PYRO_NS_PENDING; i++)
        none = none && ns_server.laters_[i].call_.node == NULL;
    return none;
}

static void stop(struct fuzz *f)
{
    unsigned i;

    for (i = 0; i < 100 && !all_answered(f); i++)
        loop_advance(&f->net, 100);
    pyro_ns_stop(&ns_server);
    ns_serves = false;
}

/* Stops and begins again. All that was acknowledged is in the journal. */
static void restart(struct fuzz *f)
{
    uint32_t names;

    if (ns_serves) {
        if (!all_answered(f))
            return;
        stop(f);
        names = ns_server.stats.names;
        fuzz_look(f);
        serve(f);
        FUZZ_CHECK(!ns_serves || ns_config.storage == NULL || ns_journal.failed
                       || ns_server.stats.names == names,
                   "the journal does not say what was known");
        return;
    }
    serve(f);
}

/* What the program around the name server does between polls. */
static void inside(struct fuzz *f, unsigned op)
{
    unsigned n = fuzz_u8(&f->in);

    switch (op & 7) {
    case 0:
        restart(f);
        break;
    case 1:
        ns_journal.fails = n & 7;
        break;
    case 2:
        ns_journal.most = n * (NS_JOURNAL / 255);
        if (ns_journal.most < ns_journal.n[0])
            ns_journal.most = ns_journal.n[0];
        break;
    case 3:
        pyro_yield(&f->node);
        break;
    case 4:
        loop_advance(&f->net, n * 100);
        break;
    default:
        fuzz_poll(f, (n & 1) != 0 ? (int32_t)(n >> 1) : 0);
    }
    fuzz_look(f);
    if (ns_serves)
        ns_walk();
}

static void start(struct fuzz *f, unsigned how, unsigned *shuts)
{
    memset(&ns_config, 0, sizeof ns_config);
    memset(&ns_journal, 0, sizeof ns_journal);
    ns_journal.most = NS_JOURNAL;
    ns_config.no_broadcast = true;
    ns_config.pyro5 = true;
    ns_config.user = shuts;
    if ((how & 1) != 0)
        ns_config.storage = &ns_storage;
    if ((how & 2) != 0) {
        ns_config.twin = "PYRO://board:9091/" PYRO_NS_NAME;
        ns_config.role = (uint8_t)(1 + (how >> 2 & 1));
    }
    if ((how & 8) != 0) {
        ns_config.may = may;
        ns_config.group = ":lab";
        ns_config.shutdown = shut;
    }
    f->dial = dial;
    f->invoke = invoke_body;
    f->result = result_body;
    f->greets = 1;
    twin = f->other.listen(&f->other, "*:9091");
    f->check = ns_check;
    FUZZ_CHECK(pyro_listen(&f->node, &f->port, "*:9090") == PYRO_OK,
               "pyro_listen failed");
    serve(f);
    dial(f, how >> 4);
    if ((how & 32) == 0) {
        fuzz_greet(f, CONNECT, how >> 4, FUZZ_RIGHT);
        fuzz_poll(f, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned shuts = 0;

    ns_serves = false;
    fuzz_open(&fuzz, data, size, 4);
    start(&fuzz, fuzz_u8(&fuzz.in), &shuts);
    fuzz_steps(&fuzz, inside, fuzz_poll);
    FUZZ_CHECK(shuts == 0 || ns_config.shutdown != NULL, "shutdown refused");
    fuzz.steps = 0;
    if (ns_serves)
        stop(&fuzz);
    fuzz.other.close(&fuzz.other, twin);
    fuzz_end(&fuzz);
    return 0;
}
