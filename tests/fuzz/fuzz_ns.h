/* fuzz_ns.h - what the targets of pyro_ns.h share: words, and a journal in
 * memory that fails when it is told to. */
#ifndef FUZZ_NS_H
#define FUZZ_NS_H

#define PYRO_NS_MAX_NAME 24
#define PYRO_NS_MAX_META 12
#define PYRO_NS_PENDING  2
#define PYRO_NS_OWN      2
#define PYRO_NS_ANSWERS  3
#define PYRO_NS_ASKERS   2
#include "fuzz.h"

#include "../../pyro_ns.h"

static const char *const ns_names[] = {
    "a",
    ":g",
    ":g.b",
    ":g.h",
    ":g.h.c",
    "",
    ":",
    ":Pyro",
    ":lab",
    ":Pyro.NameServer",
    ":lab.x",
    "b.c",
    ":g..b",
    "a b",
    "no:where",
    ":g.b.c",
    "012345678901234567890123",
    "aa",
    "ab",
    "ac",
};

static const char *const ns_uris[] = {
    "PYRO://10.0.0.5:7766/one",
    "PYRO://0.0.0.0:7766/two",
    "PYRO://localhost:1/x",
    "PYROLOC://box/thing",
    "PYRONAME://other",
    "PYRO:id@[::1]:9",
    "",
    "PYRO://[::]:7766/three",
    "not a URI",
    "PYRO://10.0.0.6:7766/one",
};

enum { NS_JOURNAL = 3000 };

/* Two journals: the one that counts, and the one that is to replace it. */
struct ns_journal {
    uint8_t  bytes[2][NS_JOURNAL];
    uint32_t n[2];
    uint32_t most;  /* bytes that it can hold */
    unsigned fails; /* the next so many changes do */
    bool     failed;
    bool     blind; /* it cannot be read */
};

static struct ns_journal ns_journal;

static int32_t ns_journal_read(void *user, uint32_t at, void *to, uint32_t n)
{
    const struct ns_journal *j = &ns_journal;

    (void)user;
    if (j->blind)
        return -1;
    if (at >= j->n[0])
        return 0;
    if (n > j->n[0] - at)
        n = j->n[0] - at;
    memcpy(to, j->bytes[0] + at, n);
    return (int32_t)n;
}

static bool ns_journal_put(unsigned which, const void *data, uint32_t n)
{
    struct ns_journal *j = &ns_journal;

    if (j->fails > 0 || n > j->most - j->n[which]) {
        j->fails -= j->fails > 0;
        j->failed = true;
        return false;
    }
    if (n > 0)
        memcpy(j->bytes[which] + j->n[which], data, n);
    j->n[which] += n;
    return true;
}

static bool ns_journal_append(void *user, const void *data, uint32_t n)
{
    (void)user;
    return ns_journal_put(0, data, n);
}

static bool ns_journal_replace(void *user, const void *data, uint32_t n)
{
    struct ns_journal *j = &ns_journal;
    bool               ok = ns_journal_put(1, data, n);

    (void)user;
    if (ok && n == 0) {
        memcpy(j->bytes[0], j->bytes[1], j->n[1]);
        j->n[0] = j->n[1];
    }
    if (!ok || n == 0)
        j->n[1] = 0;
    return ok;
}

static const pyro_ns_storage ns_storage = { NULL, ns_journal_read,
                                            ns_journal_append,
                                            ns_journal_replace };

static PYRO_NS_ROOM(12, 420) ns_room;
static pyro_ns_server        ns_server;
static pyro_ns_server_config ns_config;
static bool                  ns_serves;

static const char *ns_check(void)
{
    return ns_serves ? pyro_ns_check(&ns_server) : NULL;
}

/* Every name and URI there is must be one. */
static inline void ns_walk(void)
{
    const char *name;
    char        uri[PYRO_URI_BYTES];
    char        full[PYRO_NS_MAX_NAME + 1];
    pyro_uri    parts;
    unsigned    at = 0;
    uint32_t    n = 0;

    while (pyro_ns_walk(&ns_server, &at, &name, uri)) {
        n++;
        FUZZ_CHECK(pyro_ns_expand(NULL, name, strlen(name), full) == NULL
                       && strcmp(full, name) == 0,
                   "a name that is none was taken");
        FUZZ_CHECK(uri[0] == 0 || uri[0] == '.'
                       || pyro_uri_parse(&parts, uri, strlen(uri), NULL)
                              == PYRO_OK,
                   "a URI that is none was taken");
    }
    FUZZ_CHECK(n == ns_server.stats.names, "the walk has missed a name");
}

/* An entry of the journal or the pair: [version, name, uri, seconds, ms left,
 * meta], of parts the input chooses. */
static inline void ns_put_entry(struct fuzz *f, pyro_writer *w)
{
    unsigned how = fuzz_u8(&f->in);

    pyro_put_list(w, 6);
    pyro_put_uint(w, (how & 1) != 0 ? fuzz_u8(&f->in) * 0x1010101u
                                    : fuzz_u8(&f->in));
    fuzz_word(f, w, ns_names, PYRO_COUNT(ns_names));
    if ((how & 2) != 0)
        pyro_put_nil(w);
    else
        fuzz_word(f, w, ns_uris, PYRO_COUNT(ns_uris));
    pyro_put_uint(w, (how & 12) != 0 ? 0 : how * 5000u);
    pyro_put_uint(w, (how & 16) != 0 ? how * 1000u : 0);
    if ((how & 32) != 0)
        pyro_put_str(w, (how & 64) != 0 ? "meta" : "metadata too long");
    else
        pyro_put_nil(w);
}

#endif /* FUZZ_NS_H */
