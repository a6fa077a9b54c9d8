/* The frames by example in the manual, read from the comment itself: a daemon
 * sends just these bytes and accepts them, and never a part of them. */
#include "link_rig.h"

#ifndef MANUAL
#define MANUAL "pyro.h" /* tests run in the folder it is in */
#endif

/* ------------------------------------------------------------------------
 * The dumps
 * ------------------------------------------------------------------------ */

struct dump {
    char     name[24];
    uint32_t n;
    uint8_t  bytes[256];
};

static struct dump dumps[32];
static unsigned    n_dumps;

/* A line of them: a name, or blanks in its place, then bytes. */
static void read_dump(char *line)
{
    size_t       name = strspn(line, "abcdefghijklmnopqrstuvwxyz-");
    struct dump *d;

    line[strcspn(line, "\n")] = '\0';
    if (name > 0) {
        assert_true(n_dumps < PYRO_COUNT(dumps) && name < sizeof d->name);
        memcpy(dumps[n_dumps++].name, line, name);
    }
    assert_true(n_dumps > 0);
    d = &dumps[n_dumps - 1];
    d->n += (uint32_t)test_hex(d->bytes + d->n, sizeof d->bytes - d->n,
                               line + name);
}

static int read_manual(void **state)
{
    FILE *file = fopen(MANUAL, "r");
    char  line[200];
    bool  inside = false;

    (void)state;
    if (file == NULL)
        fail_msg("cannot open the manual: %s", MANUAL);
    memset(dumps, 0, sizeof dumps);
    n_dumps = 0;
    while (fgets(line, sizeof line, file) != NULL
           && strcmp(line, " */\n") != 0) {
        if (inside && strncmp(line, " *   ", 5) == 0)
            read_dump(line + 5);
        inside = inside || strstr(line, "Frames by example") != NULL;
    }
    fclose(file);
    return 0;
}

static const struct dump *dump(const char *name)
{
    unsigned i;

    for (i = 0; i < n_dumps; i++) {
        if (strcmp(dumps[i].name, name) == 0)
            return &dumps[i];
    }
    fail_msg("the manual has no dump: %s", name);
    return NULL;
}

static void feed_dump(int32_t raw, const char *name)
{
    raw_feed(raw, dump(name)->bytes, dump(name)->n);
}

/* The test has got these bytes and no others. */
#define expect_dump(raw, name) expect_dump_(raw, name, __FILE__, __LINE__)

static void expect_dump_(int32_t raw, const char *name, const char *file,
                         int line)
{
    settle();
    raw_take(raw);
    test_same_(name, rig.got, rig.got_n, dump(name)->bytes, dump(name)->n,
               file, line);
}

/* ------------------------------------------------------------------------
 * The object calc of the dumps
 * ------------------------------------------------------------------------ */

static struct desk {
    int     ran;
    char    logged[16];
    int32_t calls;
    char    label[16];
} desk;

static void desk_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    ((struct desk *)self)->ran++;
    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

static void desk_div(void *self, pyro_call *call)
{
    ((struct desk *)self)->ran++;
    pyro_raise(call, "ZeroDivisionError", "division by zero");
}

static void desk_log(void *self, pyro_call *call)
{
    struct desk *d = (struct desk *)self;
    uint32_t     n;
    const char  *text = pyro_get_str(&call->args, &n);

    d->ran++;
    snprintf(d->logged, sizeof d->logged, "%.*s", (int)n, text);
}

static void desk_watch(void *self, pyro_call *call)
{
    pyro_proxy to;
    pyro_uri   uri;

    ((struct desk *)self)->ran++;
    pyro_get_uri(&call->args, &uri);
    assert_int_equal(pyro_proxy_from(&to, call, &uri), PYRO_OK);
    (void)pyro_invoke(&to, "changed", PYRO_NO_ARGS, pyro_to_none());
    pyro_proxy_close(&to);
}

static const pyro_method desk_methods[] = {
    { "add", desk_add, "a:i b:i", "i", 0 },
    { "div", desk_div, "a:i b:i", "d", 0 },
    { "log", desk_log, "text:s", "", PYRO_ONEWAY },
    { "watch", desk_watch, "listener:U", "", 0 },
};
static const pyro_attr desk_attrs[] = {
    PYRO_ATTR_I32(struct desk, calls, PYRO_READONLY),
    PYRO_ATTR_STR(struct desk, label, 0),
};
static const pyro_class desk_class = { "Calc", PYRO_METHODS(desk_methods),
                                       PYRO_ATTRS(desk_attrs), NULL, 0 };

/* Node a serves it in place of the rig's own calc. */
static void open_desk(void)
{
    memset(&desk, 0, sizeof desk);
    strcpy(desk.label, "bench 3");
    open_a();
    assert_int_equal(pyro_withdraw(&rig.a, &rig.calc), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &desk_class, &desk, "calc"), PYRO_OK);
}

/* ------------------------------------------------------------------------
 * A daemon sends them
 * ------------------------------------------------------------------------ */

TEST(a_daemon_answers_in_the_bytes_of_the_manual)
{
    int32_t raw;

    open_desk();
    raw = raw_connect();
    feed_dump(raw, "connect");
    expect_dump(raw, "connectok");
    feed_dump(raw, "add-request");
    expect_dump(raw, "add-reply");
    feed_dump(raw, "add-keywords");
    raw_expect("keywords", raw, "'PY' 65 00 00 02 00 01 05");
    feed_dump(raw, "log-oneway");
    raw_expect("oneway", raw, "");
    assert_string_equal(desk.logged, "hello");
    feed_dump(raw, "get-request");
    expect_dump(raw, "get-reply");
    feed_dump(raw, "set-request");
    expect_dump(raw, "set-reply");
    assert_string_equal(desk.label, "bench 4");
    feed_dump(raw, "div-request");
    expect_dump(raw, "div-exception");
    feed_dump(raw, "ping");
    expect_dump(raw, "ping-answer");
    feed_dump(raw, "ping-answer");
    raw_expect("nobody answers an answer", raw, "");
    test_eq("frames", rig.a.stats.bad, 0);
}

TEST(a_link_that_is_idle_sends_the_ping_of_the_manual)
{
    int32_t raw;

    open_desk();
    raw = raw_connect();
    feed_dump(raw, "connect");
    expect_dump(raw, "connectok");
    pass(PYRO_DEAD_MS / 3 + 500);
    expect_dump(raw, "ping");
}

TEST(a_checksum_is_the_one_of_the_manual)
{
    int32_t raw;

    open_desk();
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 1, 60000, 0);
    raw_expect_type("greeting", raw, CONNECTOK);
    feed_dump(raw, "add-checksum");
    raw_expect("reply", raw, "'PY' 65 10 00 01 00 01 05 d5 a7 7e 47");
}

TEST(a_connection_too_many_is_refused_in_the_bytes_of_the_manual)
{
    int32_t  raw;
    unsigned i;

    open_desk();
    for (i = 0; i + 1 < rig.a.room_.n_links; i++)
        raw_client();
    raw = raw_connect();
    feed_dump(raw, "connect");
    expect_dump(raw, "connectfail");
}

/* The caller of watch, while its listener is waited for: calls, is refused,
 * and then answers as the listener. */
struct caller {
    int32_t raw;
    int     step;
};

static void call_meanwhile(void *user, const pyro_port *port, pyro_item *list,
                           int32_t ms)
{
    struct caller *caller = (struct caller *)user;
    uint8_t        frame[64];

    (void)port;
    if (loop_look(&rig.net, list) || caller->step == 2)
        return;
    if (loop_pending(&rig.net, caller->raw) == 0) {
        loop_advance(&rig.net, ms > 0 ? (uint32_t)ms : 1);
        return;
    }
    raw_take(caller->raw);
    if (caller->step++ == 0) {
        test_same_hex("callback", rig.got, rig.got_n,
                      "'PY' 64 00 00 01 00 14 "
                      "94 a8 'listener' a7 'changed' 90 80");
        memcpy(frame, dump("add-request")->bytes, dump("add-request")->n);
        frame[5] = 6;
        raw_feed(caller->raw, frame, dump("add-request")->n);
    } else {
        test_same("busy-reply", rig.got, rig.got_n, dump("busy-reply")->bytes,
                  dump("busy-reply")->n);
        raw_send(caller->raw, RESULT, 0, 1, "c0");
    }
}

TEST(a_call_that_is_refused_gets_the_busy_reply_of_the_manual)
{
    struct caller caller;

    rig.conf_a.serve_while_waiting = PYRO_SERVE_NONE;
    open_desk();
    caller.raw = raw_client();
    caller.step = 0;
    rig.net.on_wait = call_meanwhile;
    rig.net.user = &caller;
    feed_dump(caller.raw, "watch-request");
    raw_expect("watch", caller.raw, "'PY' 65 00 00 07 00 01 c0");
    test_eq("steps", caller.step, 2);
    test_eq("handlers", desk.ran, 1);
}

/* ------------------------------------------------------------------------
 * A client sends them
 * ------------------------------------------------------------------------ */

/* The server that the test plays while the client waits: each frame it gets
 * has to be the one of its row, and is answered by the next. */
struct talk {
    const char *get;    /* name of a dump */
    const char *answer; /* the same, or hex with a quote in it; NULL: none */
};

static struct server {
    int32_t            listener;
    int32_t            raw;
    const struct talk *talk;
    size_t             left;
} server;

static void answer_next(void)
{
    const struct talk *talk = server.talk;
    uint8_t            bytes[64];
    uint32_t           n = dump(talk->get)->n;

    rig.got_n = loop_take(&rig.net, server.raw, rig.got, n);
    test_same(talk->get, rig.got, rig.got_n, dump(talk->get)->bytes, n);
    server.talk++;
    server.left--;
    if (talk->answer == NULL)
        return;
    if (strchr(talk->answer, '\'') == NULL)
        feed_dump(server.raw, talk->answer);
    else
        raw_feed(server.raw, bytes,
                 (uint32_t)test_hex(bytes, sizeof bytes, talk->answer));
}

static void serve_talk(void *user, const pyro_port *port, pyro_item *list,
                       int32_t ms)
{
    (void)user;
    (void)port;
    if (server.raw < 0)
        server.raw = loop_accept(&rig.port_raw, server.listener);
    while (server.left > 0 && loop_pending(&rig.net, server.raw) > 0)
        answer_next();
    if (ms > 0 && !loop_look(&rig.net, list))
        loop_advance(&rig.net, (uint32_t)ms);
}

static void open_talk(const struct talk *talk, size_t n)
{
    server.listener = raw_listen();
    server.raw = -1;
    server.talk = talk;
    server.left = n;
    open_b();
    rig.net.on_wait = serve_talk;
}

/* add(a=2, b=3); returns the result. */
static int32_t add_keywords(pyro_proxy *calc)
{
    struct ask ask;

    ask.result = -1;
    assert_int_equal(pyro_begin(&ask.rq, calc, "add"), PYRO_OK);
    pyro_put_kwargs(&ask.rq, 2);
    pyro_put_str(&ask.rq.args, "a");
    pyro_put_int(&ask.rq.args, 2);
    pyro_put_str(&ask.rq.args, "b");
    pyro_put_int(&ask.rq.args, 3);
    assert_int_equal(pyro_send(&ask.rq, pyro_to_i32(&ask.result), NULL, NULL),
                     PYRO_OK);
    assert_int_equal(pyro_wait(&ask.rq), PYRO_OK);
    return ask.result;
}

#define INVOKE_OF(proxy, method, a, b, slot) \
    pyro_invoke(proxy, method, PYRO_ARGS(pyro_int(a), pyro_int(b)), slot)

static void check_exception(const pyro_proxy *calc)
{
    const pyro_exc *e = pyro_exception(calc);

    assert_string_equal(e->type, "ZeroDivisionError");
    assert_string_equal(e->message, "division by zero");
    assert_string_equal(e->traceback, "calc.div on pyro");
}

TEST(a_client_calls_in_the_bytes_of_the_manual)
{
    static const struct talk talk[] = {
        { "connect", "connectok" },
        { "add-request", "add-reply" },
        { "add-keywords", "'PY' 65 00 00 02 00 01 05" },
        { "get-request", "get-reply" },
        { "set-request", "set-reply" },
        { "log-oneway", NULL },
        { "div-request", "div-exception" },
    };
    pyro_proxy calc;
    int32_t    sum = 0;
    double     quotient = 7;
    char       label[16] = "";

    open_talk(talk, PYRO_COUNT(talk));
    assert_int_equal(pyro_proxy_open(&calc, &rig.b, CALC), PYRO_OK);
    assert_int_equal(INVOKE_OF(&calc, "add", 2, 3, pyro_to_i32(&sum)), 0);
    test_eq("add", sum, 5);
    test_eq("keywords", add_keywords(&calc), 5);
    assert_int_equal(pyro_getattr(&calc, "label",
                                  pyro_to_str(label, sizeof label)),
                     0);
    assert_string_equal(label, "bench 3");
    assert_int_equal(pyro_setattr(&calc, "label", pyro_str("bench 4")), 0);
    assert_int_equal(pyro_oneway(&calc, "log", PYRO_ARGS(pyro_str("hello"))),
                     0);
    assert_int_equal(INVOKE_OF(&calc, "div", 1, 0, pyro_to_f64(&quotient)),
                     PYRO_ERR_REMOTE);
    check_exception(&calc);
    assert_true(quotient > 6); /* untouched */
    test_eq("frames that did not come", server.left, 0);
    pyro_proxy_close(&calc);
}

TEST(a_client_with_checksums_calls_in_the_bytes_of_the_manual)
{
    int32_t    listener = raw_listen();
    int32_t    raw;
    pyro_proxy calc;
    struct ask ask;

    rig.conf_b.checksum = 1;
    open_b();
    assert_int_equal(pyro_proxy_open(&calc, &rig.b, CALC), PYRO_OK);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_expect_type("greeting", raw, CONNECT);
    raw_greet_with(raw, CONNECTOK, 1, 60000, 0);
    expect_dump(raw, "add-checksum");
    pyro_proxy_close(&calc);
}

/* A call of b that is waited for. */
struct waiting {
    pyro_proxy   calc;
    pyro_request rq;
    uint8_t      result[64];
    pyro_blob    blob;
};

enum { UNTOUCHED = 999 };

/* Calls, all but the last answered, so that this has number `seq`. */
static int32_t open_call(struct waiting *w, unsigned seq)
{
    int32_t  listener = raw_listen();
    int32_t  raw = -1;
    unsigned i;

    open_b();
    w->blob.data = w->result;
    w->blob.size = sizeof w->result;
    assert_int_equal(pyro_proxy_open(&w->calc, &rig.b, CALC), PYRO_OK);
    for (i = 1;; i++) {
        w->blob.used = UNTOUCHED;
        assert_int_equal(pyro_begin(&w->rq, &w->calc, "any"), PYRO_OK);
        assert_int_equal(pyro_send(&w->rq, pyro_to_raw(&w->blob), NULL, NULL),
                         PYRO_OK);
        if (raw < 0)
            raw = raw_server(listener);
        raw_expect_type("call", raw, INVOKE);
        test_eq("call", pyroi_load16(rig.got + 4), i);
        if (i == seq)
            return raw;
        raw_send(raw, RESULT, 0, i, "05");
        settle();
        assert_true(pyro_done(&w->rq));
    }
}

TEST(an_object_of_the_caller_has_the_bytes_of_the_manual)
{
    struct waiting w;
    pyro_request   rq;
    int32_t        raw = open_call(&w, 6);

    assert_int_equal(pyro_export(&rig.b, &desk_class, &desk, "listener"), 0);
    assert_int_equal(pyro_begin(&rq, &w.calc, "watch"), PYRO_OK);
    pyro_put_here(&rq.args, "listener");
    assert_int_equal(pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_OK);
    expect_dump(raw, "watch-request");
    pyro_proxy_close(&w.calc);
}

TEST(a_busy_reply_is_known_as_what_was_not_executed)
{
    struct waiting w;

    feed_dump(open_call(&w, 6), "busy-reply");
    settle();
    assert_true(pyro_done(&w.rq));
    assert_int_equal(pyro_result(&w.rq), PYRO_ERR_BUSY);
    pyro_proxy_close(&w.calc);
}

TEST(a_uri_has_the_bytes_of_the_manual)
{
    static const char  text[] = "PYRO://10.0.0.7:7766/calc";
    const struct dump *d = dump("uri-value");
    uint8_t            bytes[128];
    char               again[PYRO_URI_BYTES];
    pyro_writer        out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader        in = pyro_reader_of(d->bytes, d->n);
    pyro_uri           uri;

    assert_int_equal(pyro_uri_parse(&uri, text, strlen(text), NULL), 0);
    pyro_put_uri(&out, &uri);
    assert_int_equal(pyro_writer_end(&out), PYRO_OK);
    test_same("uri-value", bytes, (size_t)(out.at - bytes), d->bytes, d->n);
    pyro_get_uri(&in, &uri);
    assert_int_equal(in.err, PYRO_OK);
    assert_int_equal(pyro_uri_print(&uri, again, sizeof again), PYRO_OK);
    assert_string_equal(again, text);
}

/* ------------------------------------------------------------------------
 * All of it is accepted, and less never
 * ------------------------------------------------------------------------ */

/* Each takes the first n bytes of a dump and returns whether they had the
 * effect that the dump has; so does the peer's hanging up after them not. */
typedef bool taker(const struct dump *d, uint32_t n);

static bool answers(int32_t raw, const struct dump *d, uint32_t n)
{
    int ran = desk.ran;

    raw_feed(raw, d->bytes, n);
    rig.net.clock = LOOP_CLOCK_RUNS; /* watch gives up waiting */
    settle();
    if (raw_take(raw) > 0 || desk.ran > ran)
        return true;
    raw_hang_up(raw);
    settle();
    return desk.ran > ran;
}

static bool a_greets(const struct dump *d, uint32_t n)
{
    open_desk();
    return answers(raw_connect(), d, n);
}

static bool a_serves(const struct dump *d, uint32_t n)
{
    open_desk();
    return answers(raw_client(), d, n);
}

static bool a_serves_with_checksum(const struct dump *d, uint32_t n)
{
    int32_t raw;

    open_desk();
    raw = raw_connect();
    raw_greet_with(raw, CONNECT, 1, 60000, 0);
    raw_expect_type("greeting", raw, CONNECTOK);
    return answers(raw, d, n);
}

/* What has no effect: the next byte has to begin a frame. */
static bool a_takes(const struct dump *d, uint32_t n)
{
    int32_t     raw;
    pyroi_link *link;

    open_desk();
    raw = raw_client();
    raw_feed(raw, d->bytes, n);
    settle();
    link = link_of(&rig.a);
    return link->rx == PYROI_RX_HEAD && link->n_head == 0
        && rig.a.stats.bad == 0;
}

static bool b_is_refused(const struct dump *d, uint32_t n)
{
    int32_t    listener = raw_listen();
    int32_t    raw;
    pyro_proxy calc;
    struct ask ask;

    open_b();
    assert_int_equal(pyro_proxy_open(&calc, &rig.b, CALC), PYRO_OK);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_expect_type("greeting", raw, CONNECT);
    raw_feed(raw, d->bytes, n);
    settle();
    raw_hang_up(raw);
    settle();
    assert_true(pyro_done(&ask.rq));
    pyro_proxy_close(&calc);
    return pyro_result(&ask.rq) == PYRO_ERR_DENIED;
}

static bool b_is_greeted(const struct dump *d, uint32_t n)
{
    int32_t    listener = raw_listen();
    int32_t    raw;
    pyro_proxy calc;
    struct ask ask;
    bool       calls;

    open_b();
    assert_int_equal(pyro_proxy_open(&calc, &rig.b, CALC), PYRO_OK);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_accept(listener);
    raw_expect_type("greeting", raw, CONNECT);
    raw_feed(raw, d->bytes, n);
    settle();
    calls = raw_take(raw) > 0;
    raw_hang_up(raw);
    settle();
    ask_ended(d->name, &ask, PYRO_ERR_CLOSED);
    test_eq(d->name, pyro_request_sent(&ask.rq), calls);
    pyro_proxy_close(&calc);
    return calls;
}

/* A reply; it says itself which number the call has. */
static bool b_gets(const struct dump *d, uint32_t n)
{
    struct waiting w;
    int32_t        raw = open_call(&w, d->bytes[5]);

    raw_feed(raw, d->bytes, n);
    settle();
    raw_hang_up(raw);
    settle();
    assert_true(pyro_done(&w.rq));
    pyro_proxy_close(&w.calc);
    if (pyro_result(&w.rq) != PYRO_OK)
        test_eq(d->name, w.blob.used, UNTOUCHED);
    return pyro_result(&w.rq) != PYRO_ERR_CLOSED;
}

static bool is_a_uri(const struct dump *d, uint32_t n)
{
    pyro_reader in = pyro_reader_of(test_fenced(d->bytes, n), n);
    pyro_uri    uri;

    pyro_get_uri(&in, &uri);
    return in.err == PYRO_OK && !pyro_more(&in);
}

static const struct {
    const char *name;
    taker      *accepts;
} takers[] = {
    { "connect", a_greets },
    { "connectok", b_is_greeted },
    { "connectfail", b_is_refused },
    { "add-request", a_serves },
    { "add-reply", b_gets },
    { "add-keywords", a_serves },
    { "add-checksum", a_serves_with_checksum },
    { "log-oneway", a_serves },
    { "get-request", a_serves },
    { "get-reply", b_gets },
    { "set-request", a_serves },
    { "set-reply", b_gets },
    { "div-request", a_serves },
    { "div-exception", b_gets },
    { "busy-reply", b_gets },
    { "watch-request", a_serves },
    { "uri-value", is_a_uri },
    { "ping", a_serves },
    { "ping-answer", a_takes },
};

TEST(every_dump_of_the_manual_is_known_here)
{
    unsigned i;

    for (i = 0; i < PYRO_COUNT(takers); i++)
        (void)dump(takers[i].name);
    test_eq("dumps", n_dumps, PYRO_COUNT(takers));
}

TEST(a_dump_is_accepted_whole_and_never_cut)
{
    const struct dump *d;
    uint32_t           n;
    unsigned           i;
    char               row[64];

    for (i = 0; i < PYRO_COUNT(takers); i++) {
        d = dump(takers[i].name);
        for (n = 1; n <= d->n; n++) {
            rig_setup(NULL);
            snprintf(row, sizeof row, "%s, the first %u bytes", d->name, n);
            test_eq(row, takers[i].accepts(d, n), n == d->n);
            rig_teardown(NULL);
        }
    }
    rig_setup(NULL);
}

/* The end was lost on the way and the same frame follows once more: what the
 * two make together is not run. */
TEST(a_dump_with_a_checksum_is_not_made_whole_by_what_follows)
{
    const struct dump *d = dump("add-checksum");
    struct dump        both;
    uint32_t           n;
    char               row[64];

    for (n = 0; n < d->n; n++) {
        both = *d;
        memcpy(both.bytes + n, d->bytes, d->n);
        rig_setup(NULL);
        snprintf(row, sizeof row, "%u bytes, then all", n);
        (void)a_serves_with_checksum(&both, n + d->n);
        test_eq(row, desk.ran, n == 0);
        rig_teardown(NULL);
    }
    rig_setup(NULL);
}

static const struct CMUnitTest tests[] = {
    RIG_TEST(every_dump_of_the_manual_is_known_here),
    RIG_TEST(a_daemon_answers_in_the_bytes_of_the_manual),
    RIG_TEST(a_link_that_is_idle_sends_the_ping_of_the_manual),
    RIG_TEST(a_checksum_is_the_one_of_the_manual),
    RIG_TEST(a_connection_too_many_is_refused_in_the_bytes_of_the_manual),
    RIG_TEST(a_call_that_is_refused_gets_the_busy_reply_of_the_manual),
    RIG_TEST(a_client_calls_in_the_bytes_of_the_manual),
    RIG_TEST(a_client_with_checksums_calls_in_the_bytes_of_the_manual),
    RIG_TEST(an_object_of_the_caller_has_the_bytes_of_the_manual),
    RIG_TEST(a_busy_reply_is_known_as_what_was_not_executed),
    RIG_TEST(a_uri_has_the_bytes_of_the_manual),
    RIG_TEST(a_dump_is_accepted_whole_and_never_cut),
    RIG_TEST(a_dump_with_a_checksum_is_not_made_whole_by_what_follows)
};

int main(int argc, char **argv)
{
    static const uint32_t clocks[] = { 0, 0xFFFFFF00, 0x7FFFFF00 };
    int                   failed = 0;
    unsigned              i;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    for (i = 0; i < PYRO_COUNT(clocks); i++) {
        rig_clock = clocks[i];
        failed += cmocka_run_group_tests(tests, read_manual, NULL);
    }
    return failed;
}
