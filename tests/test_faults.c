/* Every byte of every exchange, once as the last that arrives and once
 * damaged. For each place a table says what the caller may be told, how often
 * the handler runs, and what a handler that called back is told. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#define LOOP_CONNS 4
#define LOOP_BYTES 1024
#include "nodes.h"

#include <time.h>

enum {
    TIMEOUT_MS = 200,
    GREET_MS = 100,
    FRAME_MS = 50,
    STEP_MS = 5,
    LONGEST_MS = 8 * FRAME_MS + TIMEOUT_MS /* any deadline has passed */
};

/* The ways to damage a byte: each of its bits flipped, all, or lost. */
enum { ALL_BITS = 8, DROPPED, DAMAGES };

/* A new stack for each case costs a millisecond with ASan: fewer cases. */
#ifdef NODES_ASAN
#define SPARSE true
#else
#define SPARSE false
#endif

/* The frames of an exchange, in the order in which they leave, each of which
 * answers the one before: the first two are the greeting, the third is the
 * call, and where the server calls back, that is the fourth. */
struct exchange {
    const char *label;
    pyro_err (*run)(void); /* node 0 does it */
    pyro_err    ok;        /* what it returns when nothing is damaged */
    const char *frames;    /* direction and type of each */
    unsigned    pool_a;    /* fewest buffers of the client */
    unsigned    pool_b;    /* ... and of the server */
    bool        serves;    /* the client is a daemon, too */
};

/* What came of it. */
struct outcome {
    pyro_err err;
    bool     sent;
    unsigned ran;      /* handlers of the server */
    unsigned ran_back; /* handlers of the client */
    pyro_err inner;    /* of the server's own call, if it made one */
};

/* How far it came. */
struct place {
    unsigned arrived; /* frames that arrived whole */
    bool     begun;   /* some of the next one was sent */
};

static struct tape {
    uint8_t  bytes[2][512];
    uint32_t used[2];
    uint32_t seen[2]; /* up to here, frames are known */
    struct {
        unsigned way;
        uint32_t from;
        uint32_t to;
    } frames[8];
    unsigned n_frames;
    char     text[40];
} tape;

static pyro_proxy P;
static char       label[120]; /* of the case, for failures */

static struct {
    bool     made;
    bool     sent;
    pyro_err err;
    int32_t  sum;
} inner; /* the call that the server's handler made */

static struct thing *thing(unsigned i)
{
    return &rig.n[i].thing;
}

/* ------------------------------------------------------------------------
 * The exchanges
 * ------------------------------------------------------------------------ */

static pyro_err run_call(void)
{
    int32_t  sum = -1;
    pyro_err err = pyro_invoke(&P, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                               pyro_to_i32(&sum));

    test_eq(label, sum, err == PYRO_OK ? 5 : -1);
    return err;
}

static pyro_err run_oneway(void)
{
    pyro_err err = pyro_oneway(&P, "note", PYRO_ARGS(pyro_int(7)));

    rig_pass(LONGEST_MS); /* what was begun ends, one way or the other */
    return err;
}

/* The server's main loop: answers the deferred call when there is one. */
static void answer(struct node *node)
{
    if (node->thing.n_laters == 0
        || thing_answer(&node->thing, 0) == PYRO_ERR_NOSPACE)
        node->job = answer;
}

static pyro_err run_deferred(void)
{
    int32_t  got = -1;
    pyro_err err;

    rig.n[1].job = answer;
    err =
        pyro_invoke(&P, "later", PYRO_ARGS(pyro_int(300)), pyro_to_i32(&got));
    test_eq(label, got, err == PYRO_OK ? 300 : -1);
    rig.n[1].job = NULL;
    return err;
}

static pyro_err run_exception(void)
{
    pyro_err err =
        pyro_invoke(&P, "raise",
                    PYRO_ARGS(pyro_str("ValueError"), pyro_str("no")),
                    pyro_to_none());

    if (err == PYRO_ERR_REMOTE) {
        assert_string_equal(pyro_exception(&P)->type, "ValueError");
        assert_string_equal(pyro_exception(&P)->message, "no");
    }
    return err;
}

/* In the server: asks the caller's object, over the caller's connection. */
static void ask_back(struct thing *t, pyro_call *call)
{
    pyro_uri   uri;
    pyro_proxy caller;

    (void)t;
    pyro_get_uri(&call->args, &uri);
    inner.err = pyro_proxy_from(&caller, call, &uri);
    if (inner.err != PYRO_OK)
        return;
    inner.made = true;
    inner.sum = -1;
    inner.err =
        pyro_invoke(&caller, "add", PYRO_ARGS(pyro_int(20), pyro_int(1)),
                    pyro_to_i32(&inner.sum));
    inner.sent = pyro_sent(&caller);
    if (inner.err == PYRO_OK)
        pyro_put_int(&call->result, inner.sum);
    else
        pyro_reraise(call, &caller);
    pyro_proxy_close(&caller);
}

static pyro_err run_callback(void)
{
    int32_t  sum = -1;
    pyro_err err;

    thing(1)->fn = ask_back;
    err = pyro_invoke(&P, "run", PYRO_ARGS(pyro_here("thing")),
                      pyro_to_i32(&sum));
    test_eq(label, sum, err == PYRO_OK ? 21 : -1);
    return err;
}

static pyro_err run_attribute(void)
{
    return pyro_setattr(&P, "count", pyro_int(77));
}

static const struct exchange a_call = { "call", run_call, PYRO_OK, ">1<2>4<5",
                                        1,      2,        false };
static const struct exchange a_oneway = { "oneway", run_oneway, PYRO_OK,
                                          ">1<2>4", 1,          2,
                                          false };
static const struct exchange a_deferred = {
    "deferred", run_deferred, PYRO_OK, ">1<2>4<5", 1, 2, false
};
static const struct exchange an_exception = {
    "exception", run_exception, PYRO_ERR_REMOTE, ">1<2>4<5", 1, 2, false
};
static const struct exchange a_callback = {
    "callback", run_callback, PYRO_OK, ">1<2>4<4>5<5", 3, 3, true
};
static const struct exchange an_attribute = {
    "attribute", run_attribute, PYRO_OK, ">1<2>4<5", 1, 2, false
};

/* ------------------------------------------------------------------------
 * One case
 * ------------------------------------------------------------------------ */

static void begin(const struct exchange *x, unsigned extra, bool checksum)
{
    rig_init(1);
    memset(&inner, 0, sizeof inner);
    rig.step = STEP_MS;
    for (unsigned i = 0; i < 2; i++) {
        rig.n[i].config.timeout_ms = TIMEOUT_MS;
        rig.n[i].config.greet_ms = GREET_MS;
        rig.n[i].config.frame_ms = FRAME_MS;
        rig.n[i].config.checksum = checksum;
    }
    if (x->serves)
        node_open(0, x->pool_a + extra);
    else
        node_open_bare(0, x->pool_a + extra, 0);
    node_open(1, x->pool_b + extra);
    node_run(1);
    node_proxy(0, &P, 1);
}

static struct outcome look(pyro_err err)
{
    struct outcome o;

    o.err = err;
    o.sent = pyro_sent(&P);
    o.ran = thing(1)->ran + (unsigned)(thing(1)->count == 77);
    o.ran_back = thing(0)->ran;
    o.inner = inner.err;
    return o;
}

/* Whatever happened: in the end all buffers are back, and the same pair works
 * on a second connection. */
static void end(void)
{
    int32_t  sum = 0;
    uint32_t before;

    rig_pass(LONGEST_MS);
    node_all_back(0);
    node_all_back(1);
    before = thing(1)->ran;
    test_eq(label,
            pyro_invoke(&P, "add", PYRO_ARGS(pyro_int(4), pyro_int(5)),
                        pyro_to_i32(&sum)),
            PYRO_OK);
    test_eq(label, sum, 9);
    test_eq(label, thing(1)->ran, before + 1);
    test_eq(label, rig.net.born, 2);
    pyro_proxy_close(&P);
    rig_end();
}

/* ------------------------------------------------------------------------
 * The tape: the undisturbed exchange, which says where its frames are
 * ------------------------------------------------------------------------ */

static void record(void *user, int32_t handle, const void *data, uint32_t n)
{
    unsigned       way = 0;
    const uint8_t *head;
    uint32_t       size;

    (void)user;
    assert_non_null(loop_find(&rig.net, handle, &way));
    assert_true(tape.used[way] + n <= sizeof tape.bytes[0]);
    memcpy(tape.bytes[way] + tape.used[way], data, n);
    tape.used[way] += n;
    head = tape.bytes[way] + tape.seen[way];
    size = 8 + pyroi_load16(head + 6) + ((head[3] & PYROI_CHECKSUM) ? 4 : 0);
    if (tape.used[way] - tape.seen[way] < 8
        || tape.used[way] - tape.seen[way] < size)
        return;
    assert_true(tape.n_frames < PYRO_COUNT(tape.frames));
    strcat(tape.text, way == 0 ? ">" : "<");
    strncat(tape.text, &"0123456789abcdef"[head[2] & 15], 1);
    tape.frames[tape.n_frames].way = way;
    tape.frames[tape.n_frames].from = tape.seen[way];
    tape.seen[way] += size;
    tape.frames[tape.n_frames++].to = tape.seen[way];
}

/* Runs it with nothing in the way, and checks that it is what it says. */
static void play(const struct exchange *x, unsigned extra, bool checksum)
{
    struct outcome o;

    snprintf(label, sizeof label, "%s, undisturbed", x->label);
    memset(&tape, 0, sizeof tape);
    begin(x, extra, checksum);
    rig.net.on_send = record;
    o = look(x->run());
    rig.net.on_send = NULL;
    assert_string_equal(tape.text, x->frames);
    test_eq(label, tape.seen[0] + tape.seen[1], tape.used[0] + tape.used[1]);
    test_eq(label, o.err, x->ok);
    test_eq(label, o.sent, true);
    test_eq(label, o.ran, 1);
    test_eq(label, o.ran_back, x->serves);
    rig.net.conns[0].gone[0] = true; /* so that `end` connects anew */
    end();
}

/* What has arrived when a direction ends before byte k. */
static struct place place_of(unsigned way, uint32_t k)
{
    struct place p = { 0, false };

    for (unsigned f = 0; f < tape.n_frames; f++) {
        if (tape.frames[f].way != way || k <= tape.frames[f].from)
            continue;
        p.begun = k < tape.frames[f].to;
        p.arrived = p.begun ? f : f + 1;
    }
    return p;
}

/* ------------------------------------------------------------------------
 * What has to come of it
 * ------------------------------------------------------------------------ */

static const unsigned lost = 1u << PYRO_ERR_CLOSED;
static const unsigned spoilt = 1u << PYRO_ERR_CLOSED | 1u << PYRO_ERR_PROTOCOL
                             | 1u << PYRO_ERR_TIMEOUT
                             | 1u << PYRO_ERR_NOSPACE; /* a larger length */

static void check_err(const char *what, pyro_err err, bool ok, pyro_err is_ok,
                      unsigned errors)
{
    bool right = ok ? err == is_ok : (errors >> err & 1) != 0;

    if (!right)
        fail_msg("%s: %s %s: %s", label, what, ok ? "should be fine" : "is",
                 pyro_err_text(err));
}

/* The rule of all exchanges: a handler ran if its call arrived, a caller knows
 * that nothing was sent if nothing was, and has the answer if it arrived. */
static void check_outcome(const struct exchange *x, struct outcome o,
                          struct place p, unsigned errors)
{
    bool oneway = x->run == run_oneway;
    bool done = oneway || p.arrived == tape.n_frames;

    if (p.arrived < 2 && errors == spoilt)
        errors |= 1u << PYRO_ERR_DENIED; /* another version, it seemed */
    if (inner.made && o.inner != PYRO_OK && errors == spoilt)
        errors |= 1u << PYRO_ERR_REMOTE; /* the server could still say so */
    check_err("the call", o.err, done, x->ok, errors);
    test_eq(label, o.ran, p.arrived >= 3);
    if (!oneway)
        test_eq(label, o.sent, p.arrived >= 3 || (p.arrived == 2 && p.begun));
    if (!x->serves)
        return;
    test_eq(label, o.ran_back, p.arrived >= 4);
    test_eq(label, inner.made, p.arrived >= 3);
    if (inner.made) {
        check_err("the call back", o.inner, p.arrived >= 5, PYRO_OK, errors);
        test_eq(label, inner.sum, p.arrived >= 5 ? 21 : -1);
        test_eq(label, inner.sent, p.arrived >= 4 || p.begun);
    }
}

/* A oneway call that never left is counted, for its caller is not told. One
 * that left in part may be. */
static void check_counts(const struct exchange *x, struct place p)
{
    uint32_t oneways = rig.n[0].d.stats.lost_oneway;

    if (x->run != run_oneway)
        return;
    if (p.arrived == 2 && p.begun)
        assert_in_range(oneways, 0, 1);
    else
        test_eq(label, oneways, p.arrived < 3);
}

static void run_case(const struct exchange *x, struct place p, unsigned errors)
{
    struct outcome o;
    bool           sent;

    o.err = x->run();
    sent = pyro_sent(&P);
    rig_settle(); /* the server may have been busy with it */
    o = look(o.err);
    test_eq(label, o.sent, sent);
    test_eq(label, rig.net.faults[0].kind, 0); /* it did happen */
    check_outcome(x, o, p, errors);
    check_counts(x, p);
    end();
}

static void cut(const struct exchange *x, unsigned extra, uint32_t chunk,
                int kind)
{
    for (unsigned way = 0; way < 2; way++) {
        for (uint32_t k = 0; k <= tape.used[way]; k++) {
            snprintf(label, sizeof label,
                     "%s, %u more buffers, chunks of %u, %s %s at byte %u",
                     x->label, extra, (unsigned)chunk,
                     kind == LOOP_CUT ? "cut" : "shut",
                     way == 0 ? "to the server" : "to the client",
                     (unsigned)k);
            begin(x, extra, false);
            rig.net.chunk = chunk;
            loop_fault(&rig.net, 0, (int)way, kind, k, 0);
            run_case(x, place_of(way, k), lost);
        }
    }
}

static void every_cut(const struct exchange *x)
{
    for (unsigned extra = 0; extra <= 5; extra += 5) {
        play(x, extra, false);
        for (uint32_t chunk = 0; chunk <= 3; chunk += 3) {
            if (SPARSE && (chunk == 0) != (extra == 0))
                continue;
            cut(x, extra, chunk, LOOP_CUT);
            cut(x, extra, chunk, LOOP_SHUT);
        }
    }
}

static void plan_damage(unsigned way, uint32_t k, int how)
{
    if (how == DROPPED)
        loop_fault(&rig.net, 0, (int)way, LOOP_DROP, k, 0);
    else
        loop_fault(&rig.net, 0, (int)way, LOOP_FLIP, k,
                   (uint8_t)(how == ALL_BITS ? 0xFFu : 1u << how));
}

static void damage(const struct exchange *x, unsigned extra, unsigned way,
                   uint32_t k)
{
    struct place p = place_of(way, k + 1);

    if (!p.begun) {
        p.arrived--; /* it is the last byte of its frame */
        p.begun = true;
    }
    for (int how = 0; how < DAMAGES; how++) {
        if (SPARSE && how != (int)(k % 8) && how != DROPPED)
            continue;
        snprintf(label, sizeof label,
                 "%s, %u more buffers, byte %u %s damaged in way %d", x->label,
                 extra, (unsigned)k,
                 way == 0 ? "to the server" : "to the client", how);
        begin(x, extra, true);
        plan_damage(way, k, how);
        run_case(x, p, spoilt);
    }
}

static void every_damage(const struct exchange *x)
{
    for (unsigned extra = 0; extra <= 5; extra += 5) {
        play(x, extra, true);
        for (unsigned way = 0; way < 2; way++)
            for (uint32_t k = 0; k < tape.used[way]; k++)
                damage(x, extra, way, k);
    }
}

/* ------------------------------------------------------------------------ */

TEST(a_call_cut_at_any_byte_ran_once_or_not_at_all)
{
    every_cut(&a_call);
}

TEST(a_oneway_call_cut_at_any_byte_ran_once_or_not_at_all)
{
    every_cut(&a_oneway);
}

TEST(a_deferred_call_cut_at_any_byte_ran_once_or_not_at_all)
{
    every_cut(&a_deferred);
}

TEST(a_call_that_raises_cut_at_any_byte_ran_once_or_not_at_all)
{
    every_cut(&an_exception);
}

TEST(a_call_back_cut_at_any_byte_ran_once_or_not_at_all_on_both_sides)
{
    every_cut(&a_callback);
}

TEST(an_attribute_cut_at_any_byte_was_set_or_not)
{
    every_cut(&an_attribute);
}

TEST(a_call_damaged_at_any_byte_never_gets_a_wrong_value)
{
    every_damage(&a_call);
}

TEST(a_oneway_call_damaged_at_any_byte_does_not_run)
{
    every_damage(&a_oneway);
}

TEST(a_deferred_call_damaged_at_any_byte_never_gets_a_wrong_value)
{
    every_damage(&a_deferred);
}

TEST(an_exception_damaged_at_any_byte_is_not_raised)
{
    every_damage(&an_exception);
}

TEST(a_call_back_damaged_at_any_byte_never_gets_a_wrong_value)
{
    every_damage(&a_callback);
}

TEST(an_attribute_damaged_at_any_byte_is_not_set)
{
    every_damage(&an_attribute);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_cut_at_any_byte_ran_once_or_not_at_all),
        cmocka_unit_test(a_oneway_call_cut_at_any_byte_ran_once_or_not_at_all),
        cmocka_unit_test(
            a_deferred_call_cut_at_any_byte_ran_once_or_not_at_all),
        cmocka_unit_test(
            a_call_that_raises_cut_at_any_byte_ran_once_or_not_at_all),
        cmocka_unit_test(
            a_call_back_cut_at_any_byte_ran_once_or_not_at_all_on_both_sides),
        cmocka_unit_test(an_attribute_cut_at_any_byte_was_set_or_not),
        cmocka_unit_test(a_call_damaged_at_any_byte_never_gets_a_wrong_value),
        cmocka_unit_test(a_oneway_call_damaged_at_any_byte_does_not_run),
        cmocka_unit_test(
            a_deferred_call_damaged_at_any_byte_never_gets_a_wrong_value),
        cmocka_unit_test(an_exception_damaged_at_any_byte_is_not_raised),
        cmocka_unit_test(
            a_call_back_damaged_at_any_byte_never_gets_a_wrong_value),
        cmocka_unit_test(an_attribute_damaged_at_any_byte_is_not_set)
    };

    alarm(400);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
