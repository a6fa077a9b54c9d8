/* link_rig.h - what the tests of links and of the wire share: two daemons and
 * a peer played by the test, over the loopback port.
 *
 *     open_a();                        serves "calc" and listens at *:7766
 *     open_b();                        calls out
 *     raw = raw_connect();             ... or the test connects to a, and
 *     raw_greet(raw, "");              sends and takes bytes itself
 *     raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
 *     raw_expect("reply", raw, "50 59 65 00 00 01 00 01 05");
 *
 * All daemons are polled by poll_of, which looks at all invariants each time.
 * Every test runs with several starts of the clock: see RIG_MAIN. */
#ifndef LINK_RIG_H
#define LINK_RIG_H

/* In front of pyro.h: a clock that stands is noticed soon. */
#define PYRO_STUCK_POLLS 1000
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "loopback.h"
#include "pyro_test.h"

enum { CONNECT = 1, CONNECTOK, CONNECTFAIL, INVOKE, RESULT, PING };

enum { F_EXCEPTION = 1, F_ONEWAY = 4, F_CHECKSUM = 16, F_LONG = 64 };

#define CALC "PYRO://board:7766/calc"

/* Bodies. */
#define CALC_ADD_2_3 "94 a4 'calc' a3 'add' 92 02 03 80"
#define CALC_ADD_4_5 "94 a4 'calc' a3 'add' 92 04 05 80"
#define CALC_NOTE_7  "94 a4 'calc' a4 'note' 91 07 80"

enum { RIG_BYTES = 512, RIG_BUFFERS = 8, RIG_MAX = RIG_BYTES - 14 };

/* What the object "calc" counts. */
struct calc {
    int        ran;   /* handlers of any kind */
    int        notes; /* ... of note */
    int32_t    noted[512];
    pyro_later later; /* of the last "later" */
    /* Called by the method "hook". */
    void (*hook)(pyro_call *call);
};

static struct rig {
    struct loop_net net;
    pyro_port       port_a;
    pyro_port       port_b;
    pyro_port       port_raw;
    pyro_config     conf_a;
    pyro_config     conf_b;
    pyro_daemon     a;
    pyro_daemon     b;
    bool            open_a;
    bool            open_b;
    struct calc     calc;
    uint32_t        got_n; /* by raw_take */
    uint8_t         got[16384];
} rig;

static uint32_t rig_clock; /* where the clock of all tests starts */

static PYRO_ROOM(4, RIG_BUFFERS, RIG_BYTES, 4) rig_room_a;
static PYRO_ROOM(4, RIG_BUFFERS, RIG_BYTES, 4) rig_room_b;

/* ------------------------------------------------------------------------
 * The object.
 * ------------------------------------------------------------------------ */

static void calc_add(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;
    int32_t      a = pyro_get_i32(&call->args);

    c->ran++;
    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

static void calc_note(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;

    c->ran++;
    if (c->notes < 512)
        c->noted[c->notes++] = pyro_get_i32(&call->args);
}

/* n bytes. */
static void calc_big(void *self, pyro_call *call)
{
    static const uint8_t zeros[100000];
    struct calc         *c = (struct calc *)self;

    c->ran++;
    pyro_put_bin(&call->result, zeros, (size_t)pyro_get_i32(&call->args));
}

/* How many bytes there were. */
static void calc_size(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;
    uint32_t     n;

    c->ran++;
    pyro_get_bin(&call->args, &n);
    pyro_put_uint(&call->result, n);
}

static void calc_later(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;

    c->ran++;
    pyro_defer(call, &c->later, 60000);
}

static void calc_hook(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;

    c->ran++;
    if (c->hook != NULL)
        c->hook(call);
}

static const pyro_method calc_methods[] = {
    { "add", calc_add, "ii", "i", 0 },
    { "note", calc_note, "i", "", PYRO_ONEWAY },
    { "big", calc_big, "i", "y", 0 },
    { "size", calc_size, "y", "i", 0 },
    { "later", calc_later, "", "i", 0 },
    { "hook", calc_hook, "", "i", 0 }
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(calc_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

/* ------------------------------------------------------------------------
 * Daemons.
 * ------------------------------------------------------------------------ */

static inline int rig_setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    loop_init(&rig.net, 1);
    rig.net.clock_ms = rig_clock;
    rig.port_a = rig.port_b = rig.port_raw = loop_port(&rig.net);
    rig.port_a.random = NULL; /* session ids are the boot counts */
    rig.port_b.random = NULL;
    rig.conf_a.boot = 0x0A0B0C0D;
    rig.conf_b.boot = 0x01020304;
    return 0;
}

static inline void check(const pyro_daemon *node)
{
    const char *wrong = pyro_check(node);

    if (wrong != NULL)
        fail_msg("pyro_check: %s", wrong);
}

static inline void close_a(void)
{
    if (!rig.open_a)
        return;
    rig.open_a = false;
    check(&rig.a);
    pyro_close(&rig.a);
}

static inline void close_b(void)
{
    if (!rig.open_b)
        return;
    rig.open_b = false;
    check(&rig.b);
    pyro_close(&rig.b);
}

/* Whatever a test did, no function of the port met a handle not open, and
 * closing gives all buffers back. */
static inline int rig_teardown(void **state)
{
    (void)state;
    rig.net.on_wait = NULL;
    close_a();
    close_b();
    assert_int_equal(rig.net.misuse, 0);
    if (rig.a.room_.n_buffers != 0)
        assert_int_equal(rig.a.n_[PYROI_SPARE], rig.a.room_.n_buffers);
    if (rig.b.room_.n_buffers != 0)
        assert_int_equal(rig.b.n_[PYROI_SPARE], rig.b.room_.n_buffers);
    return 0;
}

static inline void serve(pyro_daemon *node)
{
    assert_int_equal(pyro_export(node, &calc_class, &rig.calc, "calc"), 0);
}

/* For a room of the test. */
static inline void open_a_in(pyro_room room)
{
    assert_int_equal(pyro_open(&rig.a, room, &rig.conf_a), 0);
    rig.open_a = true;
    serve(&rig.a);
}

static inline void open_b_in(pyro_room room)
{
    rig.conf_b.port = &rig.port_b;
    assert_int_equal(pyro_open(&rig.b, room, &rig.conf_b), 0);
    rig.open_b = true;
}

static inline void listen_a(void)
{
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "*:7766"), 0);
}

static inline void open_a(void)
{
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    listen_a();
}

static inline void open_b(void)
{
    open_b_in(PYRO_ROOM_OF(rig_room_b));
}

/* One poll that does not wait. */
static inline void poll_of(pyro_daemon *node)
{
    check(node);
    assert_int_equal(pyro_poll(node, 0), PYRO_OK);
    check(node);
}

/* Polls whoever is there until nothing moves any more. */
static inline void settle(void)
{
    uint32_t moved;
    int      quiet = 0;
    int      rounds = 0;

    do {
        moved = rig.net.moved;
        if (rig.open_a)
            poll_of(&rig.a);
        if (rig.open_b)
            poll_of(&rig.b);
        quiet = rig.net.moved == moved ? quiet + 1 : 0;
    } while (quiet < 3 && ++rounds < 5000);
    assert_true(rounds < 5000);
}

/* Time passes, as it does: in pieces, everybody polling. */
static inline void pass(uint32_t ms)
{
    uint32_t piece = ms / 20 > 0 ? ms / 20 : 1;

    settle();
    while (ms > 0) {
        if (piece > ms)
            piece = ms;
        loop_advance(&rig.net, piece);
        ms -= piece;
        settle();
    }
}

/* 2^29 ms, six days, at once. The net takes a pipe as not yet connected when
 * the clock has gone half round since. */
static inline void pass_days(void)
{
    unsigned i;

    loop_advance(&rig.net, 0x20000000);
    for (i = 0; i < LOOP_CONNS; i++)
        rig.net.conns[i].up_at = rig.net.clock_ms;
    settle();
}

/* In b's waits a is polled; when nothing moves the clock does, to what is due
 * first on either side. */
static inline void wait_of_b(void *user, const pyro_port *port,
                             pyro_item *list, int32_t ms)
{
    uint32_t moved = rig.net.moved;
    int32_t  next;

    (void)user;
    if (port != &rig.port_b)
        return;
    if (rig.open_a) {
        poll_of(&rig.a);
        next = pyro_next_ms(&rig.a);
        if (next >= 0 && next < ms)
            ms = next;
    }
    if (rig.net.moved == moved && ms > 0 && !loop_look(&rig.net, list))
        loop_advance(&rig.net, (uint32_t)ms);
}

static inline void let_b_wait(void)
{
    rig.net.on_wait = wait_of_b;
}

/* The only link of a node that is in use. */
static inline pyroi_link *link_of(pyro_daemon *node)
{
    pyroi_link *found = NULL;
    unsigned    i;

    for (i = 0; i < node->room_.n_links; i++) {
        if (node->room_.links[i].state == PYROI_FREE)
            continue;
        assert_null(found);
        found = &node->room_.links[i];
    }
    assert_non_null(found);
    return found;
}

/* ------------------------------------------------------------------------
 * The peer that the test plays.
 * ------------------------------------------------------------------------ */

/* A frame, with its checksum where the flags say so. Returns its length. */
static inline uint32_t raw_frame(uint8_t *to, unsigned type, unsigned flags,
                                 unsigned seq, const void *body, uint32_t n)
{
    uint32_t head = n > 0xFFFF ? 10 : 8;
    uint32_t crc;
    uint32_t i;

    to[0] = 'P';
    to[1] = 'Y';
    to[2] = (uint8_t)(0x60 | type);
    to[3] = (uint8_t)(flags | (n > 0xFFFF ? F_LONG : 0));
    to[4] = (uint8_t)(seq >> 8);
    to[5] = (uint8_t)seq;
    for (i = 0; i < head - 6; i++)
        to[6 + i] = (uint8_t)(n >> 8 * (head - 7 - i));
    if (n > 0)
        memcpy(to + head, body, n);
    if ((flags & F_CHECKSUM) == 0)
        return head + n;
    crc = pyro_crc32(0, to, head + n);
    for (i = 0; i < 4; i++)
        to[head + n + i] = (uint8_t)(crc >> 8 * (3 - i));
    return head + n + 4;
}

/* The same with a body in hex. */
static inline uint32_t raw_frame_of(uint8_t *to, unsigned type, unsigned flags,
                                    unsigned seq, const char *hex)
{
    uint8_t body[1024];

    return raw_frame(to, type, flags, seq, body,
                     (uint32_t)test_hex(body, sizeof body, hex));
}

static inline void raw_feed(int32_t raw, const void *bytes, uint32_t n)
{
    assert_int_equal(loop_feed(&rig.net, raw, bytes, n), n);
}

static inline void raw_send(int32_t raw, unsigned type, unsigned flags,
                            unsigned seq, const char *hex)
{
    uint8_t frame[1100];

    raw_feed(raw, frame, raw_frame_of(frame, type, flags, seq, hex));
}

/* Everything that has come for the test. */
static inline uint32_t raw_take(int32_t raw)
{
    rig.got_n = loop_take(&rig.net, raw, rig.got, sizeof rig.got);
    return rig.got_n;
}

#define raw_expect(row, raw, hex) \
    raw_expect_(row, raw, hex, __FILE__, __LINE__)

static inline void raw_expect_(const char *row, int32_t raw, const char *hex,
                               const char *file, int line)
{
    settle();
    raw_take(raw);
    test_same_hex_(row, rig.got, rig.got_n, hex, file, line);
}

/* One frame has come and nothing else; returns its body. */
#define raw_expect_type(row, raw, type) \
    raw_expect_type_(row, raw, type, __FILE__, __LINE__)

static inline const uint8_t *raw_expect_type_(const char *row, int32_t raw,
                                              unsigned type, const char *file,
                                              int line)
{
    unsigned extra;

    settle();
    raw_take(raw);
    if (rig.got_n < 8 || rig.got[0] != 'P' || rig.got[1] != 'Y') {
        print_error("%s: no frame, where type %u should be\n", row, type);
        test_dump("is", rig.got, rig.got_n);
        _fail(file, line);
    }
    extra = (rig.got[3] & F_CHECKSUM) != 0 ? 4 : 0;
    test_eq_(row, "type", rig.got[2] & 15, type, file, line);
    test_eq_(row, "bytes", rig.got_n, 8 + extra + pyroi_load16(rig.got + 6),
             file, line);
    return rig.got + 8;
}

/* Whether what came last contains a text. */
static inline bool raw_says(const char *text)
{
    size_t   n = strlen(text);
    uint32_t i;

    for (i = 0; i + n <= rig.got_n; i++) {
        if (memcmp(rig.got + i, text, n) == 0)
            return true;
    }
    return false;
}

/* Whether the other end has closed, once all is done. */
static inline bool raw_closed(int32_t raw)
{
    settle();
    return loop_ended(&rig.net, raw);
}

static inline void raw_hang_up(int32_t raw)
{
    loop_close(&rig.port_raw, raw);
}

/* A greeting: version, features, session, largest message, dead_ms. */
static inline uint32_t raw_greeting(uint8_t *to, unsigned type,
                                    unsigned features, uint32_t session,
                                    uint32_t max, unsigned dead)
{
    uint8_t body[18] = { 0x96, 6, 0, 0xCE, 0, 0, 0, 0, 0xCE };

    body[2] = (uint8_t)features;
    pyroi_store32(body + 4, session);
    pyroi_store32(body + 9, max);
    body[13] = 0xCD;
    pyroi_store16(body + 14, dead);
    body[16] = 0xC4;
    return raw_frame(to, type, F_CHECKSUM, 0, body, sizeof body);
}

/* What a raw peer greets with unless it matters. */
#define RAW_SESSION 0x77777777u

static inline void raw_greet_with(int32_t raw, unsigned type,
                                  unsigned features, uint32_t max,
                                  unsigned dead)
{
    uint8_t frame[64];

    raw_feed(raw, frame,
             raw_greeting(frame, type, features, RAW_SESSION, max, dead));
}

/* The test connects to a; a has accepted. */
static inline int32_t raw_connect(void)
{
    int32_t raw = loop_connect(&rig.port_raw, "board:7766");

    assert_true(raw >= 0);
    settle();
    return raw;
}

/* ... greets, and takes the answer. */
static inline void raw_greet(int32_t raw)
{
    raw_greet_with(raw, CONNECT, 0, 60000, 0);
    raw_expect_type("greeting", raw, CONNECTOK);
}

static inline int32_t raw_client(void)
{
    int32_t raw = raw_connect();

    raw_greet(raw);
    return raw;
}

/* add(2, 3) works on a greeted connection. */
static inline void raw_works(const char *row, int32_t raw)
{
    raw_send(raw, INVOKE, 0, 0x1234, CALC_ADD_2_3);
    raw_expect(row, raw, "'PY' 65 00 12 34 00 01 05");
}

/* The test listens where b will connect: returns the listener. */
static inline int32_t raw_listen(void)
{
    int32_t listener = loop_listen(&rig.port_raw, "*:7766");

    assert_true(listener >= 0);
    return listener;
}

/* ... accepts b's connection, takes its greeting and answers it. */
static inline int32_t raw_accept(int32_t listener)
{
    int32_t raw;

    settle();
    raw = loop_accept(&rig.port_raw, listener);
    assert_true(raw >= 0);
    return raw;
}

static inline int32_t raw_server(int32_t listener)
{
    int32_t raw = raw_accept(listener);

    raw_expect_type("greeting", raw, CONNECT);
    raw_greet_with(raw, CONNECTOK, 0, 60000, 0);
    settle();
    return raw;
}

/* A pipe: node has one end, the test the other, which is returned. */
static inline int32_t raw_pipe(pyro_daemon *node, const pyro_port *port,
                               pyro_link *link)
{
    int32_t ends[2];

    assert_true(loop_pair(&rig.net, ends) != UINT32_MAX);
    assert_int_equal(pyro_adopt(node, port, ends[0], link), 0);
    return ends[1];
}

/* ------------------------------------------------------------------------
 * Calls of b that do not wait.
 * ------------------------------------------------------------------------ */

struct ask {
    pyro_request rq;
    int32_t      result;
};

static inline void ask_add(struct ask *ask, pyro_proxy *proxy, int32_t a,
                           int32_t b)
{
    ask->result = -1;
    assert_int_equal(pyro_begin(&ask->rq, proxy, "add"), PYRO_OK);
    pyro_put_int(&ask->rq.args, a);
    pyro_put_int(&ask->rq.args, b);
    assert_int_equal(pyro_send(&ask->rq, pyro_to_i32(&ask->result), NULL,
                               NULL),
                     PYRO_OK);
}

/* It is done, with this error. */
#define ask_ended(row, ask, err) ask_ended_(row, ask, err, __FILE__, __LINE__)

static inline void ask_ended_(const char *row, const struct ask *ask,
                              pyro_err err, const char *file, int line)
{
    test_eq_(row, "done", pyro_done(&ask->rq), true, file, line);
    test_eq_(row, "error", pyro_result(&ask->rq), err, file, line);
}

#define ask_open(row, ask) test_eq(row, pyro_done(&(ask)->rq), false)

#define RIG_TEST(name) \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* Runs all tests (those that a pattern fits, if one is given) with the clock
 * at 0, about to wrap, and about to change its sign. */
#define RIG_MAIN(tests)                                            \
    int main(int argc, char **argv)                                \
    {                                                              \
        int failed = 0;                                            \
                                                                   \
        if (argc > 1)                                              \
            cmocka_set_test_filter(argv[1]);                       \
        failed += cmocka_run_group_tests(tests, NULL, NULL);       \
        rig_clock = 0xFFFFFF00;                                    \
        failed += cmocka_run_group_tests(tests, NULL, NULL);       \
        rig_clock = 0x7FFFFF00;                                    \
        return failed + cmocka_run_group_tests(tests, NULL, NULL); \
    }

#endif /* LINK_RIG_H */
