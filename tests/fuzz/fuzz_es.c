/* fuzz_es.c - an event service that peers subscribe to and publish at as the
 * input says: every method, over their own connections and at listening
 * subscribers, with subscribers that take nothing, vanish and come back.
 *
 * The input: two bytes for the daemon (see fuzz_open), one for the service and
 * how the first peer comes; then steps. After each the tables and the ring are
 * walked. */
#define PYRO_ES_MAX_SUBJECT 12
#define PYRO_ES_REGEX       24
#define PYRO_ES_LAST_BYTES  24
#define PYRO_ES_WAITING     2
#define PYRO_ES_AWAY_MS     2000
#define PYRO_ES_BURST       8
#define FUZZ_LEAST_BYTES    96 /* takes an event */
#include "fuzz.h"

#include "../../pyro_es.h"

static struct fuzz fuzz;
static PYRO_ES_ROOM(3, 5, 300) room;
static pyro_es_service service;
static pyro_es_config  config;
static pyro_es_last    last[2];
static bool            serves;
static int32_t         listener; /* of a subscriber with a URI of its own */

static const char *const subjects[] = {
    "a",     "A",    "b.c",   "b.*",       "**", "*",  "b.**", "x*y",  "a|b",
    "[^a]+", "(a)*", "b\\.c", "012345678", "",   "a(", "a*$",  "a.b.c"
};

static const char *check(void)
{
    return serves ? pyro_es_check(&service) : NULL;
}

static void dial(struct fuzz *f, unsigned how)
{
    struct fuzz_peer *p = f->peer;
    int32_t           handle = f->other.accept(&f->other, listener);

    memset(p, 0, sizeof *p);
    p->stream = true;
    if (handle < 0 && how % 4 != 3)
        handle = f->other.connect(&f->other, "board:9090");
    p->handle = handle < 0 ? 0 : handle;
}

/* One subject, or a list of some. */
static void put_subjects(struct fuzz *f, pyro_writer *w, unsigned how)
{
    unsigned n = how & 3;

    if (n == 0) {
        fuzz_word(f, w, subjects, PYRO_COUNT(subjects));
        return;
    }
    pyro_put_list(w, n - 1);
    while (--n > 0)
        fuzz_word(f, w, subjects, PYRO_COUNT(subjects));
}

static void put_subscriber(pyro_writer *w, unsigned how)
{
    static const char *const uris[] = { "PYRO://board:7766/s",
                                        "PYROLOC://board:7766/s",
                                        "PYRONAME://s", "PYRO://nowhere:1/s" };

    if ((how & 1) == 0)
        pyro_put_here(w, (how & 2) != 0 ? "s" : "t");
    else
        pyro_put_str(w, uris[how >> 1 & 3]);
}

static void put_message(struct fuzz *f, pyro_writer *w)
{
    static const uint8_t zeros[256];
    unsigned             n = fuzz_u8(&f->in);

    if (n < 8)
        pyro_put_nil(w);
    else if (n < 200)
        pyro_put_bin(w, zeros, n < 60 ? n & 15 : n);
    else
        fuzz_tail(f, w);
}

static void invoke_body(struct fuzz *f, pyro_writer *w)
{
    static const char *const methods[] = { "subscribe", "subscribeMatch",
                                           "publish",   "publish",
                                           "publish",   "unsubscribe",
                                           "subscribe", "statistics" };
    unsigned                 which = fuzz_u8(&f->in);
    const char              *method = methods[which & 7];
    unsigned                 how;

    if (which >= 0xE0) {
        fuzz_invoke_body(f, w);
        return;
    }
    *w->at++ = 0x94;
    pyro_put_str(w, PYRO_ES_NAME);
    pyro_put_str(w, method);
    how = fuzz_u8(&f->in);
    if (which >= 0xC0) {
        fuzz_tail(f, w);
    } else if (method[0] == 'p') {
        pyro_put_list(w, 2);
        put_subjects(f, w, how);
        put_message(f, w);
    } else if (method[1] == 't') {
        pyro_put_list(w, how & 1);
        if ((how & 1) != 0)
            pyro_put_int(w, (int)(how >> 1) - 3);
    } else {
        pyro_put_list(w, method[0] == 's' ? 3 : 2);
        put_subjects(f, w, how);
        put_subscriber(w, how >> 2);
        if (method[0] == 's')
            pyro_put_int(w, how >> 5);
    }
    pyro_put_map(w, 0);
}

static void serve(struct fuzz *f)
{
    memset(last, 0, sizeof last);
    serves = pyro_es_serve(&service, &f->node, PYRO_ES_ROOM_OF(room), &config)
          == PYRO_OK;
    FUZZ_CHECK(serves, "the service does not begin");
}

static void stop(void)
{
    unsigned i;

    pyro_es_stop(&service);
    serves = false;
    for (i = 0; i < PYRO_COUNT(room.subs); i++)
        FUZZ_CHECK(room.subs[i].state == PYROI_ES_FREE,
                   "a subscriber outlives the service");
}

/* What the program round the service does between polls. */
static void inside(struct fuzz *f, unsigned op)
{
    static const uint8_t zeros[256];
    unsigned             n = fuzz_u8(&f->in);

    switch (op & 7) {
    case 0:
        if (n < 32) {
            stop();
            serve(f);
        }
        break;
    case 1:
    case 2:
        (void)pyro_es_post(&service, subjects[n % PYRO_COUNT(subjects)],
                           pyro_bin(zeros, n));
        break;
    case 3:
        pyro_yield(&f->node);
        break;
    case 4:
        loop_advance(&f->net, n * 20);
        break;
    default:
        fuzz_poll(f, (n & 1) != 0 ? (int32_t)(n >> 1) : 0);
    }
    fuzz_look(f);
}

static void start(struct fuzz *f, unsigned how)
{
    memset(&config, 0, sizeof config);
    config.stuck = (uint16_t)(how & 1);
    config.stuck_ms = (how & 2) != 0 ? 200 : 0;
    if ((how & 4) != 0) {
        config.last = last;
        config.n_last = PYRO_COUNT(last);
    }
    f->dial = dial;
    f->invoke = invoke_body;
    f->check = check;
    f->greets = 1;
    listener = f->other.listen(&f->other, "*:7766");
    (void)pyro_listen(&f->node, &f->port, "*:9090");
    serve(f);
    dial(f, 0);
    fuzz_greet(f, CONNECT, how >> 3, FUZZ_RIGHT);
    fuzz_poll(f, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    serves = false;
    fuzz_open(&fuzz, data, size, 4);
    start(&fuzz, fuzz_u8(&fuzz.in));
    fuzz_steps(&fuzz, inside, fuzz_poll);
    fuzz.steps = 0;
    stop();
    fuzz.other.close(&fuzz.other, listener);
    fuzz_end(&fuzz);
    return 0;
}
