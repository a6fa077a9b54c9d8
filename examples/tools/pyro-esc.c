/* pyro-esc: publishes events, listens to them, and shows what an event
 * service does. */
#define TOOL "pyro-esc"

#define PYRO_ES_MAX_SUBJECT 200
#define PYRO_ES_OWN         100
#include "tool_ns.h"
#include "tool_server.h"

#include "../../pyro_es.h"

#include <time.h>
#include <unistd.h>

#define ROOM_BYTES (TOOL_BYTES + PYRO_FRAME_EXTRA)

static PYRO_ROOM(3, 4, ROOM_BYTES, 4) room;
static pyro_daemon node;
static tool_ns     ns;
static pyro_es     es;
static const char *uri;
static bool        as_json, regex, newest, wait_for_me, last_first, loud;
static long        count, every = 1;
static uint8_t     value[TOOL_BYTES]; /* a message, or statistics */
static char        json[PYRO_JSON_BYTES(TOOL_BYTES)];

static const pyro_option table[] = {
    TOOL_NS_OPTIONS(ns),
    PYRO_OPTION_TEXT('u', "uri", "URI", &uri,
                     "the event service itself, without a name\n"
                     "server: PYRO://host:7766/" PYRO_ES_NAME),
    PYRO_OPTION_FLAG('j', "json", &as_json, "print lines of JSON"),
    PYRO_OPTION_FLAG('r', "regex", &regex,
                     "listen: patterns are regular expressions"),
    PYRO_OPTION_FLAG('l', "last", &last_first,
                     "listen: begin with the last values"),
    PYRO_OPTION_FLAG(0, "newest", &newest,
                     "listen: when late, only the newest of a subject"),
    PYRO_OPTION_FLAG('b', "block", &wait_for_me,
                     "listen: publishers wait for us"),
    PYRO_OPTION_NUMBER('q', "count", "N", &count, 1, 1000000000,
                       "listen, stats: end after so many"),
    PYRO_OPTION_NUMBER('i', "interval", "S", &every, 1, 3600,
                       "stats: seconds between two (1)"),
    PYRO_OPTION_FLAG('v', NULL, &loud, "say where the name server is"),
};
static pyro_options options = {
    TOOL,
    "[options] COMMAND [ARGUMENT...]",
    "  publish SUBJECT JSON...   an event for each value; options stand\n"
    "                            before it\n"
    "  listen PATTERN...         prints events; * stands for what has no\n"
    "                            dot, ** for anything\n"
    "  stats                     subscribers, rates, what was lost\n"
    "Status: 0 done, 1 failed, 2 wrong usage.",
    table,
    PYRO_COUNT(table),
    1,
    -1,
    false,
    NULL,
    NULL
};

/* ------------------------------------------------------------------------
 * publish
 * ------------------------------------------------------------------------ */

/* Puts the text's value into `value`: its bytes in *n. -1, or a status. */
static int read_value(unsigned number, char *text, size_t *n)
{
    char          what[160];
    pyro_json_why why = { "", 0 };
    pyro_writer   out = pyro_writer_of(value, sizeof value, 1);

    if (pyro_json_put(&out, text, &why) == PYRO_OK) {
        *n = (size_t)(out.at - value);
        return -1;
    }
    snprintf(what, sizeof what,
             "value %u is no JSON: %s, at byte %lu; a text is '\"text\"'",
             number, why.text, (unsigned long)why.at);
    return pyro_options_wrong(&options, what, NULL);
}

/* A call has failed: if there is no service, that is what to say. */
static int failed(const char *what, pyro_err err)
{
    return tool_call_failed(&node, pyro_es_proxy(&es),
                            err == PYRO_ERR_CLOSED ? uri : what, err);
}

/* All texts are looked at before the first is published. */
static int publish(int argc, char **argv)
{
    int      status = -1;
    int      i;
    size_t   n;
    pyro_err err;

    for (i = 1; i < argc && status < 0; i++) {
        snprintf(json, sizeof json, "%s", argv[i]); /* which is changed */
        status = read_value((unsigned)i, json, &n);
    }
    for (i = 1; i < argc && status < 0; i++) {
        status = read_value((unsigned)i, argv[i], &n);
        if (status >= 0) break;
        err = pyro_es_publish_wait(&es, argv[0], pyro_raw(value, n));
        if (err) status = failed(argv[0], err);
    }
    return status < 0 ? TOOL_GOOD : status;
}

/* ------------------------------------------------------------------------
 * listen
 * ------------------------------------------------------------------------ */

/* What was seen so far. */
static struct {
    long     events;
    uint32_t lost;
    uint32_t again;
    bool     failed;
} seen;

/* The service's milliseconds: of day and year, or since it was started. */
static void print_time(uint64_t ms)
{
    time_t     s = (time_t)(ms / 1000);
    char       text[40] = "";
    struct tm *tm =
        ms > 1000000000000u && ms >> 48 == 0 ? localtime(&s) : NULL;

    if (tm != NULL) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", tm);
    if (tm == NULL)
        snprintf(text, sizeof text, "%llu", (unsigned long long)(ms / 1000));
    printf("%s.%03u", text, (unsigned)(ms % 1000));
}

/* {"subject": ..., "time": ..., "n": ..., "lost": ..., "message": ...} */
static void print_as_json(const pyro_es_event *event)
{
    uint8_t     bytes[PYRO_ES_MAX_SUBJECT + 8];
    char        subject[PYRO_JSON_BYTES(sizeof bytes)];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;

    pyro_put_str(&out, event->subject);
    in = pyro_reader_of(bytes, (size_t)(out.at - bytes));
    (void)pyro_json_get(&in, subject, sizeof subject);
    printf("{\"subject\":%s,\"time\":%llu,\"n\":%lu,\"lost\":%lu,"
           "\"message\":%s}\n",
           subject, (unsigned long long)event->time, (unsigned long)event->n,
           (unsigned long)event->lost, json);
}

static void on_event(void *user, const pyro_es_event *event)
{
    pyro_err err = pyro_json_get(event->message, json, sizeof json);

    (void)user;
    if (count > 0 && seen.events == count) return;
    if (err) {
        seen.failed = true;
        (void)tool_failed(&node, event->subject, err);
        return;
    }
    if (as_json) {
        print_as_json(event);
    } else {
        print_time(event->time);
        fputs("  ", stdout);
        tool_text(stdout, event->subject, strlen(event->subject));
        printf("  %s\n", json);
    }
    fflush(stdout);
    if (event->lost > seen.lost)
        fprintf(stderr, TOOL ": %lu events were lost\n",
                (unsigned long)(event->lost - seen.lost));
    seen.lost = event->lost;
    seen.events++;
}

static int listen_to(int argc, char **argv)
{
    unsigned flags = (regex ? PYRO_ES_MATCH : 0u)
                   | (newest ? PYRO_ES_LATEST : 0u)
                   | (wait_for_me ? PYRO_ES_BLOCK : 0u)
                   | (last_first ? PYRO_ES_LAST : 0u);
    pyro_err err = PYRO_OK;
    int      i;

    for (i = 0; i < argc && !err; i++) {
        err = pyro_es_subscribe(&es, argv[i], flags);
        if (err) return failed(argv[i], err);
    }
    fputs(TOOL ": listening\n", stderr);
    while (!err && tool_stop == 0 && (count == 0 || seen.events < count)) {
        err = pyro_poll(&node, -1);
        if (es.again != seen.again)
            fputs(TOOL ": the connection was lost, subscribing anew\n",
                  stderr);
        seen.again = es.again;
        if (ferror(stdout)) return TOOL_FAILED;
    }
    if (err) return tool_failed(&node, "listening", err);
    return seen.failed ? TOOL_FAILED : TOOL_GOOD;
}

/* ------------------------------------------------------------------------
 * stats
 * ------------------------------------------------------------------------ */

enum { TOTALS = 6, MOST = 1000 };

static const char *const totals_names[TOTALS] = { "published", "sent",
                                                  "lost",      "refused",
                                                  "too_long",  "dropped" };

typedef struct subscriber {
    char    who[PYRO_URI_BYTES];
    char    address[256];
    int64_t n;
    int64_t lost;
    int64_t lag;
    bool    here;
} subscriber;

/* Two samples, of which one is the older. */
typedef struct sample {
    int64_t    totals[TOTALS];
    subscriber subs[MOST];
    uint32_t   n;
    uint32_t   ms; /* when */
} sample;

static sample samples[2];

static void take_text(pyro_reader *in, char *to, size_t size)
{
    uint32_t    n;
    const char *text = pyro_get_str(in, &n);

    if (n >= size) in->err = PYRO_ERR_DATA;
    if (in->err) n = 0;
    memcpy(to, text, n);
    to[n] = 0;
}

/* Takes a page into the sample. Returns where the next begins, or -1. */
static int32_t take_page(sample *s, const pyro_blob *page)
{
    pyro_reader in = pyro_reader_of(page->data, page->used);
    bool        fits = pyro_get_list(&in, 3) == 3;
    int32_t     next = pyro_get_i32(&in);
    uint32_t    n;
    unsigned    i;

    fits = fits && pyro_get_list(&in, TOTALS) == TOTALS;
    for (i = 0; i < TOTALS && fits; i++) s->totals[i] = pyro_get_i64(&in);
    n = pyro_get_list(&in, MOST - s->n);
    for (; n > 0 && fits && !in.err; n--) {
        subscriber *sub = &s->subs[s->n++];

        fits = pyro_get_list(&in, 6) == 6;
        take_text(&in, sub->who, sizeof sub->who);
        take_text(&in, sub->address, sizeof sub->address);
        sub->n = pyro_get_i64(&in);
        sub->lost = pyro_get_i64(&in);
        sub->lag = pyro_get_i64(&in);
        sub->here = pyro_get_bool(&in);
    }
    return in.err || !fits ? -1 : next;
}

static int take_sample(sample *s)
{
    pyro_blob page = { value, sizeof value, 0 };
    int32_t   from = 0;
    int32_t   at;
    pyro_err  err;

    memset(s, 0, sizeof *s);
    do {
        at = from;
        err = pyro_invoke(pyro_es_proxy(&es), "statistics",
                          PYRO_ARGS(pyro_int(from)), pyro_to_raw(&page));
        if (err) return failed("statistics", err);
        from = take_page(s, &page);
    } while (from > at);
    s->ms = pyro_now(&node);
    return from == 0 ? -1 : tool_failed(&node, "statistics", PYRO_ERR_DATA);
}

/* How much a number grew in a second: `of` may have started again. */
static long rate(const sample *s, const sample *old, int64_t now, int64_t then)
{
    uint32_t ms = s->ms - old->ms;

    if (old->ms == 0 || ms == 0 || now < then) return 0;
    return (long)((now - then) * 1000 / ms);
}

static const subscriber *before(const sample *old, const subscriber *sub)
{
    static const subscriber nobody;
    uint32_t                i;

    for (i = 0; i < old->n; i++)
        if (strcmp(old->subs[i].who, sub->who) == 0
            && strcmp(old->subs[i].address, sub->address) == 0)
            return &old->subs[i];
    return &nobody;
}

static void print_stats(const sample *s, const sample *old)
{
    uint32_t i;

    if (isatty(1)) fputs("\033[H\033[J", stdout);
    for (i = 0; i < TOTALS; i++)
        printf("%s%s %lld", i > 0 ? "   " : "", totals_names[i],
               (long long)s->totals[i]);
    printf("\nrates: %ld published, %ld sent, %ld lost a second\n",
           rate(s, old, s->totals[0], old->totals[0]),
           rate(s, old, s->totals[1], old->totals[1]),
           rate(s, old, s->totals[2], old->totals[2]));
    printf("%-32s %10s %10s %8s %8s\n", "subscriber", "sent", "a second",
           "lost", "lag");
    for (i = 0; i < s->n; i++) {
        const subscriber *sub = &s->subs[i];
        char              who[sizeof sub->who + sizeof sub->address];

        snprintf(who, sizeof who, "%s%s%s", sub->who,
                 *sub->address != 0 ? " " : "", sub->address);
        tool_text(stdout, who, strlen(who));
        printf("%*s %10lld %10ld %8lld %8lld%s\n",
               strlen(who) < 32 ? 32 - (int)strlen(who) : 0, "",
               (long long)sub->n, rate(s, old, sub->n, before(old, sub)->n),
               (long long)sub->lost, (long long)sub->lag,
               sub->here ? "" : "  away");
    }
}

/* {"published": ..., ..., "subscribers": [{"who": ..., ...}, ...]} */
static int print_stats_as_json(const sample *s)
{
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    pyro_reader in;
    pyro_err    err;
    uint32_t    i;

    pyro_put_map(&out, TOTALS + 1);
    for (i = 0; i < TOTALS; i++) {
        pyro_put_str(&out, totals_names[i]);
        pyro_put_int(&out, s->totals[i]);
    }
    pyro_put_str(&out, "subscribers");
    pyro_put_list(&out, s->n);
    for (i = 0; i < s->n; i++) {
        pyro_put_map(&out, 6);
        pyro_put_str(&out, "who");
        pyro_put_str(&out, s->subs[i].who);
        pyro_put_str(&out, "address");
        pyro_put_str(&out, s->subs[i].address);
        pyro_put_str(&out, "sent");
        pyro_put_int(&out, s->subs[i].n);
        pyro_put_str(&out, "lost");
        pyro_put_int(&out, s->subs[i].lost);
        pyro_put_str(&out, "lag");
        pyro_put_int(&out, s->subs[i].lag);
        pyro_put_str(&out, "here");
        pyro_put_bool(&out, s->subs[i].here);
    }
    in = pyro_reader_of(value, (size_t)(out.at - value));
    err = pyro_writer_end(&out);
    if (!err) err = pyro_json_get(&in, json, sizeof json);
    if (err) return tool_failed(&node, "JSON", err);
    puts(json);
    return -1;
}

/* Polls for the interval, or until a signal comes. */
static pyro_err pause_between(void)
{
    uint32_t start = pyro_now(&node);
    uint32_t ms = (uint32_t)every * 1000u;
    pyro_err err = PYRO_OK;

    while (!err && tool_stop == 0 && pyro_now(&node) - start < ms)
        err = pyro_poll(&node, (int32_t)(ms - (pyro_now(&node) - start)));
    return err;
}

static int stats(int argc, char **argv)
{
    long     i;
    int      status = -1;
    pyro_err err = PYRO_OK;

    (void)argc;
    (void)argv;
    for (i = 0; (count == 0 || i < count) && !err && tool_stop == 0; i++) {
        sample *s = &samples[i % 2];

        if (i > 0) err = pause_between();
        if (err || tool_stop != 0) break;
        status = take_sample(s);
        if (status < 0 && as_json) status = print_stats_as_json(s);
        if (status >= 0) return status;
        if (!as_json) print_stats(s, &samples[(i + 1) % 2]);
        if (fflush(stdout) != 0) return TOOL_FAILED;
    }
    return err ? tool_failed(&node, "waiting", err) : TOOL_GOOD;
}

/* ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int         least; /* arguments */
    int         most;  /* < 0: any number */
    int (*run)(int argc, char **argv);
    const char *usage; /* said when there are other numbers of arguments */
} commands[] = {
    { "publish", 2, -1, publish, "publish needs a subject and values" },
    { "listen", 1, PYRO_ES_OWN, listen_to, "listen needs 1 to 100 patterns" },
    { "stats", 0, 0, stats, "stats needs no arguments" },
};

/* Returns -1, or a status. */
static int open_client(bool listens)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    int      status = -1;

    if (!err) err = tool_catch_signals(&node);
    if (err) return tool_failed(&node, "starting", err);
    ns.loud = loud;
    if (uri == NULL) {
        uri = "PYRONAME://" PYRO_ES_NAME;
        status = tool_ns_open(&ns, &node);
    }
    if (status >= 0) return status;
    err = pyro_es_open(&es, &node, uri, listens ? on_event : NULL, NULL);
    return err ? tool_failed(&node, uri, err) : -1;
}

/* Whether a word stands on the command line before all other commands. */
static bool is_command(const char *name, int argc, char **argv)
{
    size_t k = 0;
    int    i = 1;

    for (; i < argc; i++)
        for (k = 0; k < PYRO_COUNT(commands); k++)
            if (strcmp(commands[k].name, argv[i]) == 0)
                return strcmp(name, argv[i]) == 0;
    return false;
}

int main(int argc, char **argv)
{
    int    status;
    size_t i = 0;

    options.first = is_command("publish", argc, argv); /* -1 is a value */
    status = pyro_options_read(&options, &argc, argv);
    if (status >= 0) return status;
    while (i < PYRO_COUNT(commands) && strcmp(commands[i].name, argv[1]) != 0)
        i++;
    if (i == PYRO_COUNT(commands))
        return pyro_options_wrong(&options, "unknown command ", argv[1]);
    if (argc - 2 < commands[i].least
        || (commands[i].most >= 0 && argc - 2 > commands[i].most))
        return pyro_options_wrong(&options, commands[i].usage, NULL);
    if (uri != NULL && (ns.host != NULL || ns.port != 0))
        return pyro_options_wrong(&options, "-u goes without -n and -p", NULL);
    if (commands[i].run != listen_to
        && (regex || newest || wait_for_me || last_first))
        return pyro_options_wrong(&options,
                                  "-r, -l, --newest and -b are for listen",
                                  NULL);
    status = open_client(commands[i].run == listen_to);
    if (status < 0) status = commands[i].run(argc - 2, argv + 2);
    pyro_close(&node);
    return tool_printed(status);
}
