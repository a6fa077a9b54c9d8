/* The event service: node 1 serves, nodes 0, 2 and 3 publish and subscribe. */
#define PYRO_IMPLEMENTATION
#define PYRO_EXCEPTION_BYTES 160
#define PYRO_ES_AWAY_MS      5000
#define PYRO_ES_BURST        16
#include "../pyro.h"
#include "../pyro_es.h"

#include "nodes.h"

#define URI "PYRO://board:7701/" PYRO_ES_NAME

static PYRO_ES_ROOM(4, 8, 2048) room;
static pyro_es_service service;
static pyro_es_config  config;

enum { SEEN = 4000 };

static struct seen {
    pyro_es  es;
    char     subject[48];
    int32_t  values[SEEN];
    uint32_t n[SEEN];
    uint32_t lost[SEEN];
    unsigned count;
} seen[NODES];

static void on_event(void *user, const pyro_es_event *event)
{
    struct seen *s = (struct seen *)user;

    assert_true(s->count < SEEN);
    snprintf(s->subject, sizeof s->subject, "%s", event->subject);
    s->n[s->count] = event->n;
    s->lost[s->count] = event->lost;
    s->values[s->count++] = pyro_get_i32(event->message);
}

static void check_service(void)
{
    const char *wrong = pyro_es_check(&service);

    if (wrong != NULL)
        fail_msg("pyro_es_check: %s", wrong);
}

static void open_client(unsigned i)
{
    assert_int_equal(pyro_es_open(&seen[i].es, &rig.n[i].d, URI, on_event,
                                  &seen[i]),
                     PYRO_OK);
}

static void serve(void)
{
    node_open(1, 12);
    assert_int_equal(pyro_es_serve(&service, &rig.n[1].d,
                                   PYRO_ES_ROOM_OF(room), &config),
                     PYRO_OK);
    node_run(1);
}

static int setup(void **state)
{
    (void)state;
    rig_init(1);
    memset(seen, 0, sizeof seen);
    memset(&config, 0, sizeof config);
    serve();
    node_open(0, 8);
    open_client(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_settle();
    check_service();
    for (unsigned i = NODES; i-- > 0;) {
        if (i == 1) {
            if (rig.n[1].open) {
                node_stop(1);
                pyro_es_stop(&service);
            }
        } else if (seen[i].es.node_ != NULL) {
            if (rig.n[i].runs)
                node_stop(i);
            pyro_es_close(&seen[i].es);
        }
    }
    rig_end();
    return 0;
}

#define ES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void publish(const char *subject, int32_t v)
{
    assert_int_equal(pyro_es_publish(&seen[0].es, subject, pyro_int(v)),
                     PYRO_OK);
}

/* Node 0 subscribes by itself. */
static void subscribe(const char *subject, unsigned flags)
{
    assert_int_equal(pyro_es_subscribe(&seen[0].es, subject, flags), PYRO_OK);
}

TEST(an_event_reaches_who_subscribed_to_its_subject)
{
    subscribe("Stock.IBM", 0);
    publish("stock.ibm", 7);
    publish("stock.sun", 8);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(seen[0].values[0], 7);
    assert_string_equal(seen[0].subject, "stock.ibm");
    assert_int_equal(seen[0].n[0], 1);
    assert_int_equal(seen[0].lost[0], 0);
}

/* Whatever lies behind it in the ring. */
TEST(letters_of_a_subject_may_be_of_either_case)
{
    static const char *const subjects[] = { "NEWS", "nEws", "News" };
    static const char        other[] = "others.of.many.lengths";

    subscribe("news", 0);
    for (unsigned i = 0; i < 60; i++) {
        publish(other + i % (sizeof other - 1), (int32_t)i);
        publish(subjects[i % PYRO_COUNT(subjects)], (int32_t)i);
        rig_pass(10); /* the time lies behind it */
        assert_int_equal(seen[0].count, i + 1);
        assert_string_equal(seen[0].subject, subjects[i % 3]);
    }
}

static const struct {
    const char *pattern;
    const char *subject;
    bool        fits;
} patterns[] = {
    { "sensor.*.temp", "sensor.3.temp", true },
    { "sensor.*.temp", "SENSOR.3.TEMP", true },
    { "sensor.*.temp", "sensor.3.4.temp", false },
    { "sensor.**.temp", "sensor.3.4.temp", true },
    { "sensor.*.temp", "sensor..temp", true },
    { "sensor.*.temp", "sensor.3.temperature", false },
    { "*", "", true },
    { "*", "abc", true },
    { "*", "a.b", false },
    { "**", "a.b.c", true },
    { "", "", true },
    { "", "a", false },
    { "a*b*c", "aXbYc", true },
    { "a*b*c", "abbbc", true },
    { "a*b*c", "ab.c", false },
    { "**b*c", "a.b.bxc", true },
    { "**x", "a.b.x", true },
    { "**.x*", "a.x.xy", true },
    { "a**", "a", true },
    { "a*", "b", false },
    { "*a**b*c", "xa.y.bzc", true },
    { "*a**b*c", "x.a.y.bzc", false },
    { "**a*b", "a.ab.aab", true },
};

TEST(patterns_match_what_they_say)
{
    for (unsigned i = 0; i < PYRO_COUNT(patterns); i++) {
        const char *s = patterns[i].subject;

        test_eq(patterns[i].pattern,
                pyro_es_match(patterns[i].pattern, s, strlen(s)),
                patterns[i].fits);
    }
}

TEST(a_zero_byte_in_a_subject_fits_no_end_of_a_pattern)
{
    char pattern[] = "a\0b*"; /* of which the first letter is the pattern */

    assert_false(pyro_es_match(pattern, "a\0bc", 4));
    assert_true(pyro_es_match("a*", "a\0bc", 4));
    assert_int_equal(pyro_invoke(pyro_es_proxy(&seen[0].es), "publish",
                                 PYRO_ARGS(pyro_strn("a\0b", 3), pyro_nil()),
                                 pyro_to_none()),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(pyro_es_proxy(&seen[0].es))->message,
                        "subject is empty or has a zero byte");
}

TEST(a_hostile_pattern_ends_soon)
{
    char pattern[100];
    char subject[200];

    for (unsigned i = 0; i < 99; i++)
        pattern[i] = i % 3 == 2 ? 'a' : '*';
    pattern[99] = 0;
    memset(subject, 'a', sizeof subject);
    subject[199] = 'b';
    assert_false(pyro_es_match(pattern, subject, sizeof subject));
    for (unsigned i = 0; i < 99; i++)
        pattern[i] = i % 2 ? '*' : 'a';
    assert_false(pyro_es_match(pattern, subject, sizeof subject));
}

static const struct {
    const char *pattern;
    const char *subject;
    bool        fits;
} expressions[] = {
    { "abc", "abc", true },
    { "abc", "ABCdef", true }, /* from the start, as Pyro does */
    { "abc", "xabc", false },
    { "abc$", "abcdef", false },
    { "abc$", "abc", true },
    { "^abc$", "abc", true },
    { "x^abc", "xabc", false },
    { "", "anything", true },
    { "", "", true },
    { "$", "", true },
    { "$", "a", false },
    { "a.c", "abc", true },
    { "a.c", "ac", false },
    { "a*b", "aaab", true },
    { "a*b", "b", true },
    { "a+b", "b", false },
    { "a+b", "aab", true },
    { "ab?c$", "ac", true },
    { "ab?c$", "abbc", false },
    { "(ab)+c", "ababc", true },
    { "(ab)+c$", "abac", false },
    { "a|bc", "bcd", true },
    { "a|bc", "cd", false },
    { "(a|b|cd)*e$", "abcdae", true },
    { "(a|b|cd)*e$", "abcae", false },
    { "a||b", "zzz", true },
    { "(|a)b", "b", true },
    { "(a*)*b", "aaab", true },
    { "(a*)*$", "aaac", false },
    { "((a?)+)+$", "aaa", true },
    { "[a-c]x", "bx", true },
    { "[a-c]x", "BX", true },
    { "[A-C]x", "bx", true },
    { "[^a-c]x", "bx", false },
    { "[^a-c]x", "dx", true },
    { "[]a]x", "]x", true },
    { "[a-]x", "-x", true },
    { "[\\]]x", "]x", true },
    { "[.*]x", "*x", true },
    { "\\d+\\.\\d", "12.3", true },
    { "\\d+\\.\\d", "12x3", false },
    { "\\D", "1", false },
    { "\\w+ \\w", "ab_9 c", true },
    { "\\s", "\t", true },
    { "\\S", " ", false },
    { "sensor\\.[0-9]+\\.temp$", "Sensor.42.Temp", true },
};

TEST(regular_expressions_match_what_they_do_in_python)
{
    for (unsigned i = 0; i < PYRO_COUNT(expressions); i++) {
        const char *p = expressions[i].pattern;
        const char *s = expressions[i].subject;
        uint8_t     code[PYRO_ES_REGEX];

        test_eq(p, pyro_es_compile(p, strlen(p), code), 0);
        test_eq(p, pyro_es_matches(code, s, strlen(s)), expressions[i].fits);
    }
}

static const struct {
    const char *pattern;
    unsigned    position;
} refusals[] = {
    { "a)", 2 },
    { "(a", 1 },
    { "(", 1 },
    { "a(b|c", 2 },
    { "*a", 1 },
    { "a**", 3 },
    { "a|*", 3 },
    { "+", 1 },
    { "?", 1 },
    { "a{2}", 2 },
    { "(?:a)", 2 },
    { "a*?", 3 },
    { "[a", 1 },
    { "[", 1 },
    { "([a", 2 },
    { "[b-a]", 2 },
    { "x[^", 2 },
    { "\\b", 1 },
    { "a\\1", 2 },
    { "a\\", 3 },
    { "[\\d]", 2 },
    { "^*", 2 },
    { "((((((((((a))))))))))", 9 },
};

TEST(what_a_regular_expression_cannot_take_is_refused_with_its_position)
{
    uint8_t code[PYRO_ES_REGEX];
    char    many[PYRO_ES_REGEX];

    for (unsigned i = 0; i < PYRO_COUNT(refusals); i++) {
        const char *p = refusals[i].pattern;

        test_eq(p, pyro_es_compile(p, strlen(p), code), refusals[i].position);
    }
    memset(many, 'x', sizeof many);
    test_eq("longest", pyro_es_compile(many, (PYRO_ES_REGEX - 1) / 2, code),
            0);
    test_eq("longer", pyro_es_compile(many, (PYRO_ES_REGEX - 1) / 2 + 1, code),
            (PYRO_ES_REGEX - 1) / 2 + 2);
    assert_int_equal(pyro_es_subscribe(&seen[0].es, "a{2}", PYRO_ES_MATCH),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&seen[0].es.proxy_)->message,
                        "regular expression: see position 2");
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
}

TEST(a_regular_expression_takes_no_time_that_explodes)
{
    const char *p = "(a?a?a?a?a?a?a?a?a?)*(a*)*(a|a)*b$";
    uint8_t     code[PYRO_ES_REGEX];
    char        subject[200];

    memset(subject, 'a', sizeof subject);
    assert_int_equal(pyro_es_compile(p, strlen(p), code), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_false(pyro_es_matches(code, subject, sizeof subject));
}

TEST(one_subscriber_gets_one_copy_however_many_subscriptions_match)
{
    subscribe("a.b", 0);
    subscribe("a.*", 0);
    subscribe("**", 0);
    subscribe("a[.]b", PYRO_ES_MATCH);
    publish("a.b", 1);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
}

TEST(subscribing_twice_is_once_and_unsubscribing_ends_it)
{
    subscribe("a", 0);
    subscribe("A", 0);
    publish("a", 1);
    rig_settle();
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "a"), PYRO_OK);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "never"), PYRO_OK);
    publish("a", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
}

TEST(a_subscriber_without_subscriptions_is_gone)
{
    subscribe("a", 0);
    assert_int_equal(room.subs[0].state, PYROI_ES_HERE);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "a"), PYRO_OK);
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
}

TEST(any_value_passes_through_untouched)
{
    static const char *const values[] = {
        "c0",
        "c3",
        "cb 4000000000000000",
        "a3'abc'",
        "c4 02 0001",
        "93 01 a1'x' c0",
        "81 a1'k' 92 01 02",
    };

    for (unsigned i = 0; i < PYRO_COUNT(values); i++) {
        uint8_t bytes[40];
        size_t  n = test_hex(bytes, sizeof bytes, values[i]);

        assert_int_equal(pyro_es_publish(&seen[0].es, "raw",
                                         pyro_raw(bytes, n)),
                         PYRO_OK);
        rig_settle();
        {
            pyroi_es_stored e;
            pyro_reader     in;

            while (service.tail_seq_ + 1 != service.head_seq_)
                assert_true(pyroi_es_evict(&service));
            pyroi_es_load(&service, service.tail_, &e);
            in = pyro_reader_of(e.body, e.head.n);
            pyro_skip(&in);
            pyro_skip(&in);
            test_same(values[i], in.at, (size_t)(in.end - in.at), bytes, n);
        }
    }
}

TEST(a_list_of_subjects_is_one_event_each)
{
    pyro_request rq;

    subscribe("a", 0);
    subscribe("b", 0);
    assert_int_equal(pyro_begin(&rq, &seen[0].es.proxy_, "publish"), PYRO_OK);
    pyro_put_list(&rq.args, 3);
    pyro_put_str(&rq.args, "a");
    pyro_put_str(&rq.args, "c");
    pyro_put_str(&rq.args, "b");
    pyro_put_int(&rq.args, 5);
    assert_int_equal(pyro_send_oneway(&rq), PYRO_OK);
    rig_settle();
    assert_int_equal(seen[0].count, 2);
    assert_int_equal(service.stats.published, 3);
}

/* --- loss --- */

TEST(events_come_in_order_and_whole_however_the_ring_turns)
{
    subscribe("n", 0);
    for (int32_t i = 0; i < 2000; i++) {
        publish("n", i);
        if (i % 13 == 0)
            rig_settle();
    }
    rig_settle();
    assert_int_equal(seen[0].count, 2000);
    for (int32_t i = 0; i < 2000; i++) {
        assert_int_equal(seen[0].values[i], i);
        assert_int_equal(seen[0].n[i], i + 1);
    }
    assert_int_equal(seen[0].lost[1999], 0);
    assert_int_equal(service.stats.lost, 0);
}

/* Node 2 subscribes with a job and stands still when the test wants. */
static const char *job_subject;
static unsigned    job_flags;

static void job_subscribe(struct node *node)
{
    unsigned i = (unsigned)(node - rig.n);

    assert_int_equal(pyro_es_subscribe(&seen[i].es, job_subject, job_flags),
                     PYRO_OK);
}

static void job_subscribe_to(unsigned i, const char *subject, unsigned flags)
{
    job_subject = subject;
    job_flags = flags;
    node_do(i, job_subscribe);
}

static void start_node(unsigned i, const char *subject, unsigned flags)
{
    node_open(i, 6);
    open_client(i);
    node_run(i);
    job_subscribe_to(i, subject, flags);
}

/* What came, what was missed: nothing else happened. */
static void expect_holes_counted(const struct seen *s, int32_t first)
{
    for (unsigned i = 0; i < s->count; i++) {
        test_eq("n", s->n[i], i + 1);
        test_eq("value", s->values[i],
                first + (int32_t)(s->n[i] - 1 + s->lost[i]));
    }
}

TEST(a_subscriber_that_is_lapped_knows_how_many_it_missed)
{
    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", 0);
    subscribe("n", 0);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 1500; i++) {
        publish("n", i);
        if (i % 7 == 0)
            rig_settle();
    }
    rig_settle();
    rig.n[2].runs = true;
    publish("n", 1500);
    rig_settle();
    rig_pass(200);
    assert_int_equal(seen[0].count, 1501);
    assert_int_equal(seen[0].lost[1500], 0);
    assert_true(seen[2].lost[seen[2].count - 1] >= 1000);
    assert_int_equal(seen[2].values[seen[2].count - 1], 1500);
    expect_holes_counted(&seen[2], 0);
    assert_int_equal(service.stats.lost, seen[2].lost[seen[2].count - 1]);
}

TEST(one_stuck_for_too_long_is_dropped_and_comes_back_with_its_count)
{
    config.stuck_ms = 500;
    rig.net.capacity = 200;
    start_node(2, "n", 0);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 600; i++) {
        publish("n", i);
        if (i % 7 == 0)
            rig_settle();
    }
    rig_pass(1000);
    assert_int_equal(service.stats.dropped, 1);
    assert_int_equal(room.subs[0].state, PYROI_ES_AWAY);
    rig.n[2].runs = true;
    rig_pass(3000);
    assert_int_equal(seen[2].es.again, 1);
    assert_int_equal(room.subs[0].state, PYROI_ES_HERE);
    publish("n", 600);
    rig_settle();
    assert_int_equal(seen[2].values[seen[2].count - 1], 600);
    assert_true(seen[2].lost[seen[2].count - 1] > 100);
    expect_holes_counted(&seen[2], 0);
    assert_int_equal(seen[2].es.lost, service.stats.lost);
    check_service();
}

TEST(of_keep_latest_only_the_newest_comes_and_nothing_is_lost)
{
    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", PYRO_ES_LATEST);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 40; i++) {
        publish("n", i);
        rig_settle();
    }
    rig.n[2].runs = true;
    rig_settle();
    rig_pass(100);
    assert_int_equal(seen[2].values[seen[2].count - 1], 39);
    assert_true(seen[2].count < 30);
    assert_int_equal(seen[2].lost[seen[2].count - 1], 0);
}

/* A serial line: no address, and it stays when the connection does not. */
TEST(a_client_at_a_pipe_gets_events_and_subscribes_again)
{
    pyro_es  *es = &seen[3].es; /* of node 0, its second client */
    pyro_link links[2];
    int32_t   ends[2];

    assert_int_equal(pyro_es_at(es, &rig.n[0].d, 0, on_event, &seen[3]),
                     PYRO_ERR_CLOSED);
    assert_true(loop_pair(&rig.net, ends) != UINT32_MAX);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pyro_adopt(&rig.n[i].d, &rig.n[i].port, ends[i],
                                    &links[i]),
                         PYRO_OK);
    assert_int_equal(pyro_es_at(es, &rig.n[0].d, links[0], on_event, &seen[3]),
                     PYRO_OK);
    assert_int_equal(pyro_es_subscribe(es, "line.*", 0), PYRO_OK);
    publish("line.in", 1);
    assert_int_equal(pyro_es_publish_wait(es, "line.out", pyro_int(2)),
                     PYRO_OK);
    rig_settle();
    assert_int_equal(seen[3].count, 2);
    pyro_link_close(&rig.n[0].d, links[0]);
    rig_settle();
    publish("line.in", 3);
    rig_settle();
    assert_int_equal(es->again, 1);
    assert_int_equal(seen[3].count, 3);
    assert_int_equal(seen[3].values[2], 3);
    assert_int_equal(seen[3].n[2], 3);
    assert_int_equal(seen[3].lost[2], 0);
}

TEST(subscriptions_come_back_when_the_service_has_started_again)
{
    subscribe("a", 0);
    subscribe("b.*", 0);
    publish("a", 1);
    rig_settle();
    node_stop(1);
    pyro_es_stop(&service);
    node_close(1);
    rig_pass(2500);
    serve();
    rig_pass(2500);
    publish("a", 2);
    publish("b.x", 3);
    rig_settle();
    assert_int_equal(seen[0].count, 3);
    assert_int_equal(seen[0].values[2], 3);
    assert_int_equal(seen[0].n[1], 1);
}

TEST(a_subscriber_that_vanishes_leaves_nothing_behind)
{
    start_node(2, "n", 0);
    node_stop(2);
    pyro_es_close(&seen[2].es);
    node_close(2);
    seen[2].es.node_ = NULL;
    rig_pass(100);
    assert_int_equal(room.subs[0].state, PYROI_ES_AWAY);
    rig_pass(PYRO_ES_AWAY_MS + 1000);
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
    assert_int_equal(room.subs[0].first, 0);
    check_service();
}

TEST(a_new_subscriber_gets_the_last_values_first_when_it_asks)
{
    static pyro_es_last last[3];

    memset(last, 0, sizeof last);
    config.last = last;
    config.n_last = 3;
    publish("a", 1);
    publish("b", 2);
    publish("A", 3);
    publish("c", 4);
    publish("d", 5); /* the oldest makes room: b */
    rig_settle();
    subscribe("*", PYRO_ES_LAST);
    publish("e", 6);
    rig_settle();
    assert_int_equal(seen[0].count, 4);
    assert_int_equal(seen[0].values[0] + seen[0].values[1] + seen[0].values[2],
                     3 + 4 + 5);
    assert_int_equal(seen[0].values[3], 6);
    assert_int_equal(seen[0].n[3], 4);
    assert_int_equal(seen[0].lost[3], 0);
}

TEST(without_asking_there_are_no_last_values)
{
    static pyro_es_last last[3];

    memset(last, 0, sizeof last);
    config.last = last;
    config.n_last = 3;
    publish("a", 1);
    rig_settle();
    subscribe("*", 0);
    rig_settle();
    assert_int_equal(seen[0].count, 0);
}

/* Node 0 publishes and waits; node 2 stands still, then goes on. */
static void job_go(struct node *node)
{
    (void)node;
    rig.n[2].runs = true;
}

TEST(a_publisher_waits_for_a_blocking_subscriber_and_nothing_is_lost)
{
    int32_t  i;
    pyro_err err = PYRO_OK;

    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", PYRO_ES_BLOCK);
    seen[0].es.proxy_.timeout_ms = 500;
    rig.n[2].runs = false;
    for (i = 0; i < 100 && err == PYRO_OK; i++)
        err = pyro_es_publish_wait(&seen[0].es, "n", pyro_int(i));
    assert_int_equal(err, PYRO_ERR_TIMEOUT);
    assert_true(i > 2 && i < 100);
    node_do(1, job_go);
    rig_settle();
    rig_pass(100);
    for (; i < 300; i++)
        assert_int_equal(pyro_es_publish_wait(&seen[0].es, "n", pyro_int(i)),
                         PYRO_OK);
    rig_settle();
    assert_int_equal(seen[2].count, 300);
    assert_int_equal(seen[2].lost[299], 0);
    assert_int_equal(service.stats.lost, 0);
}

TEST(publishers_that_wait_are_told_that_the_service_stops)
{
    static pyro_request rq;

    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", PYRO_ES_BLOCK);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 20; i++)
        publish("n", i);
    rig_settle();
    assert_int_equal(pyro_begin(&rq, pyro_es_proxy(&seen[0].es), "publish"),
                     PYRO_OK);
    pyro_put_str(&rq.args, "n");
    pyro_put_nil(&rq.args);
    assert_int_equal(pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_OK);
    rig_settle();
    assert_false(pyro_done(&rq));
    node_stop(1);
    pyro_es_stop(&service);
    assert_int_equal(pyro_es_serve(&service, &rig.n[1].d,
                                   PYRO_ES_ROOM_OF(room), &config),
                     PYRO_OK);
    node_run(1);
    rig_settle();
    assert_int_equal(pyro_result(&rq), PYRO_ERR_REMOTE);
    rig.n[2].runs = true;
    rig_settle();
}

TEST(oneways_that_a_blocking_subscriber_leaves_no_room_for_are_refused)
{
    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", PYRO_ES_BLOCK);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 400; i++) {
        publish("n", i);
        if (i % 9 == 0)
            rig_settle();
    }
    rig_settle();
    assert_true(service.stats.refused > 100);
    assert_int_equal(service.stats.published + service.stats.refused, 400);
    assert_int_equal(service.stats.lost, 0);
    rig.n[2].runs = true;
    rig_settle();
    rig_pass(100);
    assert_int_equal(seen[2].count, service.stats.published);
}

/* --- limits --- */

TEST(tables_that_are_full_say_which)
{
    char     subjects[9][4];
    pyro_err err = PYRO_OK;
    unsigned i;

    for (i = 0; i < 8; i++) {
        snprintf(subjects[i], 4, "s%u", i);
        subscribe(subjects[i], 0);
    }
    assert_int_equal(pyro_es_subscribe(&seen[0].es, "x", 0), PYRO_ERR_NOSPACE);
    err = pyro_invoke(&seen[0].es.proxy_, "subscribe",
                      PYRO_ARGS(pyro_str("y"), pyro_here(seen[0].es.object_)),
                      pyro_to_none());
    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&seen[0].es.proxy_)->message,
                        "out of subscriptions, raise PYRO_ES_ROOM");
    publish("s7", 1);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
}

/* Publishes an event of so many bytes: the subject "big" takes 4 of them, a
 * time under 65,536 ms up to 3, the head of the message 2 or 3. */
static pyro_err publish_big(uint32_t size)
{
    static uint8_t big[1200];
    uint32_t       start = pyro_now(&rig.n[1].d) > 0xFF ? 7 : 6;
    uint32_t       n = size - start;

    return pyro_es_publish_wait(&seen[0].es, "big",
                                pyro_bin(big, n - (n > 257 ? 3 : 2)));
}

/* Both sizes are in the exception and in node->why. */
static void expect_too_long(uint32_t size, uint32_t most)
{
    char text[80];

    snprintf(text, sizeof text,
             "event of %u bytes, at most %u: raise PYRO_ES_ROOM, PYRO_ROOM",
             size, most);
    assert_int_equal(publish_big(size), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(pyro_es_proxy(&seen[0].es))->type,
                        "ValueError");
    assert_string_equal(pyro_exception(pyro_es_proxy(&seen[0].es))->message,
                        text);
    assert_string_equal(rig.n[1].d.why.text,
                        "too long: raise PYRO_ES_ROOM, PYRO_ROOM");
    assert_int_equal(rig.n[1].d.why.is, size);
    assert_int_equal(rig.n[1].d.why.limit, most);
}

TEST(the_longest_event_passes_one_byte_more_is_refused_with_both_sizes)
{
    uint32_t most = NODE_BYTES - 35 - PYRO_MAX_NAME; /* as the manual says */

    rig_pass(300); /* times of three bytes */
    subscribe("big", 0);
    assert_int_equal(publish_big(most - 1), PYRO_OK);
    assert_int_equal(publish_big(most), PYRO_OK);
    rig_settle();
    expect_too_long(most + 1, most);
    assert_int_equal(seen[0].es.events, 2);
    assert_int_equal(service.stats.published, 2);
    assert_int_equal(service.stats.refused, 1);
    assert_int_equal(service.stats.too_long, 0);
}

/* The service with a smaller ring. */
static void serve_ring(uint32_t bytes)
{
    pyro_es_room small = PYRO_ES_ROOM_OF(room);

    small.n_bytes = bytes;
    node_stop(1);
    pyro_es_stop(&service);
    assert_int_equal(pyro_es_serve(&service, &rig.n[1].d, small, &config),
                     PYRO_OK);
    node_run(1);
}

TEST(no_event_is_longer_than_half_of_the_ring)
{
    uint32_t most = 200 / 2 - 16;

    serve_ring(200);
    rig_pass(300);
    subscribe("big", 0);
    assert_int_equal(publish_big(most - 1), PYRO_OK);
    assert_int_equal(publish_big(most), PYRO_OK);
    expect_too_long(most + 1, most);
    rig_settle();
    assert_int_equal(seen[0].es.events, 2);
}

TEST(events_of_the_services_own_program_have_the_same_limit)
{
    static uint8_t big[256];
    uint32_t       most = NODE_BYTES - 35 - PYRO_MAX_NAME;

    rig_pass(300);
    assert_int_equal(pyro_es_post(&service, "big", pyro_bin(big, most - 9)),
                     PYRO_OK);
    assert_int_equal(pyro_es_post(&service, "big", pyro_bin(big, most - 8)),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.n[1].d.why.is, most + 1);
    assert_int_equal(rig.n[1].d.why.limit, most);
    assert_int_equal(pyro_es_post(&service, "big", pyro_bin(big, 256)),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(service.stats.published, 1);
}

TEST(a_service_without_room_for_any_event_does_not_start)
{
    pyro_es_service other;
    pyro_es_room    small = PYRO_ES_ROOM_OF(room);

    small.n_bytes = 63;
    assert_int_equal(pyro_es_serve(&other, &rig.n[0].d, small, NULL),
                     PYRO_ERR_NOSPACE);
    small.n_bytes = 64;
    rig.n[0].d.room_.buffer_bytes = 35 + PYRO_MAX_NAME;
    assert_int_equal(pyro_es_serve(&other, &rig.n[0].d, small, NULL),
                     PYRO_ERR_NOSPACE);
    rig.n[0].d.room_.buffer_bytes = NODE_BYTES;
    assert_int_equal(pyro_es_serve(&other, &rig.n[0].d, small, NULL), PYRO_OK);
    pyro_es_stop(&other);
}

/* Fails as a ValueError with this text. */
static void expect_refused(pyro_err err, const char *text)
{
    const pyro_exc *exc = pyro_exception(pyro_es_proxy(&seen[0].es));

    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(exc->type, "ValueError");
    assert_string_equal(exc->message, text);
}

/* Calls subscribe with a URI of the test's own. */
static pyro_err subscribe_uri(const char *object, const char *uri)
{
    pyro_request rq;
    pyro_uri     parsed;
    pyro_err err = pyro_begin(&rq, pyro_es_proxy(&seen[0].es), "subscribe");

    assert_int_equal(err, PYRO_OK);
    pyro_put_str(&rq.args, "a");
    if (object != NULL) {
        pyro_put_here(&rq.args, object);
    } else {
        assert_int_equal(pyro_uri_parse(&parsed, uri, strlen(uri), NULL),
                         PYRO_OK);
        pyro_put_uri(&rq.args, &parsed);
    }
    err = pyro_send(&rq, pyro_to_none(), NULL, NULL);
    return err != PYRO_OK ? err : pyro_wait(&rq);
}

TEST(the_last_subscriber_finds_a_place_and_one_more_does_not)
{
    static const char *const names[] = { "s0", "s1", "s2", "s3", "s4" };

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(subscribe_uri(names[i], NULL), PYRO_OK);
    expect_refused(subscribe_uri(names[4], NULL),
                   "out of subscribers, raise PYRO_ES_ROOM");
    assert_int_equal(subscribe_uri(names[3], NULL), PYRO_OK); /* known */
    assert_int_equal(service.stats.refused, 1);
}

TEST(a_subscriber_that_has_gone_makes_room_for_a_new_one)
{
    static const char *const names[] = { "s0", "s1", "s2" };

    start_node(2, "a", 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(subscribe_uri(names[i], NULL), PYRO_OK);
    node_stop(2);
    pyro_es_close(&seen[2].es);
    node_close(2);
    seen[2].es.node_ = NULL;
    rig_settle();
    assert_int_equal(room.subs[0].state, PYROI_ES_AWAY);
    assert_int_equal(subscribe_uri("s3", NULL), PYRO_OK);
    assert_string_equal(room.subs[0].where, "s3");
    check_service();
}

TEST(a_name_is_no_object_of_this_connection)
{
    assert_int_equal(subscribe_uri(NULL, "PYRONAME://:me"), PYRO_OK);
    assert_string_equal(room.subs[0].where, "PYRONAME://:me");
    publish("a", 1); /* nobody here resolves it */
    rig_settle();
    assert_int_equal(room.subs[0].state, PYROI_ES_AWAY);
    assert_int_equal(service.stats.sent, 0);
}

TEST(a_service_that_has_no_buffers_to_call_with_says_so)
{
    static PYRO_ES_ROOM(1, 1, 200) tiny;
    static pyro_es_service other;

    node_open(3, 2); /* enough to serve */
    assert_int_equal(pyro_es_serve(&other, &rig.n[3].d, PYRO_ES_ROOM_OF(tiny),
                                   NULL),
                     PYRO_OK);
    node_run(3);
    pyro_es_close(&seen[0].es);
    assert_int_equal(pyro_es_open(&seen[0].es, &rig.n[0].d,
                                  "PYRO://board:7703/" PYRO_ES_NAME, on_event,
                                  &seen[0]),
                     PYRO_OK);
    expect_refused(subscribe_uri(NULL, "PYRO://board:7700/me"),
                   "no proxy for the subscriber, see buffers in PYRO_ROOM");
    assert_int_equal(tiny.subs[0].state, PYROI_ES_FREE);
    assert_null(pyro_es_check(&other));
    node_stop(3);
    pyro_es_stop(&other);
}

TEST(the_longest_subject_passes_and_a_longer_one_does_not)
{
    static const char wrong[] =
        "subject of 48 bytes, at most 47: raise PYRO_ES_MAX_SUBJECT";
    char subject[PYRO_ES_MAX_SUBJECT + 2];

    memset(subject, 'a', sizeof subject);
    subject[PYRO_ES_MAX_SUBJECT + 1] = 0;
    expect_refused(pyro_es_publish_wait(&seen[0].es, subject, pyro_nil()),
                   wrong);
    expect_refused(pyro_es_subscribe(&seen[0].es, subject, 0), wrong);
    assert_int_equal(pyro_es_post(&service, subject, pyro_nil()),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.n[1].d.why.is, PYRO_ES_MAX_SUBJECT + 1);
    assert_int_equal(rig.n[1].d.why.limit, PYRO_ES_MAX_SUBJECT);
    subject[PYRO_ES_MAX_SUBJECT] = 0;
    subscribe(subject, 0);
    publish(subject, 1);
    subject[PYRO_ES_MAX_SUBJECT - 1] = 0;
    publish(subject, 2);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(service.stats.published, 2);
}

/* Publishes one event with n subjects in a list. */
static pyro_err publish_list(uint32_t n)
{
    pyro_request rq;
    pyro_err     err = pyro_begin(&rq, pyro_es_proxy(&seen[0].es), "publish");

    assert_int_equal(err, PYRO_OK);
    pyro_put_list(&rq.args, n);
    for (uint32_t i = 0; i < n; i++)
        pyro_put_str(&rq.args, "a");
    pyro_put_nil(&rq.args);
    err = pyro_send(&rq, pyro_to_none(), NULL, NULL);
    return err != PYRO_OK ? err : pyro_wait(&rq);
}

TEST(lists_of_subjects_have_a_limit_and_anything_else_is_refused)
{
    pyro_proxy *proxy = pyro_es_proxy(&seen[0].es);

    assert_int_equal(publish_list(0), PYRO_OK);
    assert_int_equal(publish_list(63), PYRO_OK);
    assert_int_equal(publish_list(64), PYRO_OK);
    assert_int_equal(service.stats.published, 127);
    expect_refused(publish_list(65), "over 64 subjects in one call");
    expect_refused(pyro_invoke(proxy, "publish",
                               PYRO_ARGS(pyro_int(7), pyro_int(1)),
                               pyro_to_none()),
                   "subject is empty or has a zero byte");
    expect_refused(pyro_invoke(proxy, "subscribe",
                               PYRO_ARGS(pyro_nil(), pyro_here("me")),
                               pyro_to_none()),
                   "subject is empty or has a zero byte");
    assert_int_equal(service.stats.published, 127);
    assert_int_equal(service.stats.refused, 3);
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
}

/* Node 2 blocks and stands still; what came before has filled its pipe. */
static void stand_still(void)
{
    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", PYRO_ES_BLOCK);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 20; i++)
        publish("n", i);
    rig_settle();
}

static void publish_later(pyro_request *rq)
{
    assert_int_equal(pyro_begin(rq, pyro_es_proxy(&seen[0].es), "publish"),
                     PYRO_OK);
    pyro_put_str(&rq->args, "n");
    pyro_put_int(&rq->args, 1);
    assert_int_equal(pyro_send(rq, pyro_to_none(), NULL, NULL), PYRO_OK);
    rig_settle();
}

TEST(so_many_publishers_wait_one_more_is_refused_before_it_counts)
{
    static pyro_request rq[PYRO_ES_WAITING + 1];
    unsigned            i;

    stand_still();
    for (i = 0; i < PYRO_ES_WAITING; i++) {
        publish_later(&rq[i]);
        assert_false(pyro_done(&rq[i]));
    }
    assert_int_equal(service.stats.published, 20 + PYRO_ES_WAITING);
    publish_later(&rq[i]);
    assert_true(pyro_done(&rq[i]));
    expect_refused(pyro_result(&rq[i]),
                   "too many publishers wait, raise PYRO_ES_WAITING");
    assert_int_equal(service.stats.published, 20 + PYRO_ES_WAITING);
    rig.n[2].runs = true;
    rig_settle();
    while (i-- > 0)
        assert_int_equal(pyro_result(&rq[i]), PYRO_OK);
    assert_int_equal(seen[2].count, 20 + PYRO_ES_WAITING);
}

static void unsubscribe_n(struct node *node)
{
    unsigned i = (unsigned)(node - rig.n);

    assert_int_equal(pyro_es_unsubscribe(&seen[i].es, "n"), PYRO_OK);
}

TEST(who_no_longer_blocks_holds_up_nobody)
{
    pyro_request rq;

    stand_still();
    publish_later(&rq);
    assert_false(pyro_done(&rq));
    rig.n[2].runs = true;
    rig.n[2].job = unsubscribe_n; /* before it has read them */
    rig_settle();
    assert_int_equal(pyro_result(&rq), PYRO_OK);
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
}

TEST(flags_go_with_the_subscription_that_had_them)
{
    subscribe("a", PYRO_ES_BLOCK);
    subscribe("b", PYRO_ES_LATEST);
    assert_int_equal(room.subs[0].flags, PYRO_ES_BLOCK | PYRO_ES_LATEST);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "a"), PYRO_OK);
    assert_int_equal(room.subs[0].flags, PYRO_ES_LATEST);
    subscribe("b", 0);
    assert_int_equal(room.subs[0].flags, 0);
}

static void publish_2(struct node *node)
{
    (void)node;
    assert_int_equal(pyro_es_publish(&seen[2].es, "n", pyro_int(2)), PYRO_OK);
}

TEST(who_wants_those_of_others_does_not_hear_its_own)
{
    subscribe("n", PYRO_ES_OTHERS);
    start_node(2, "n", 0);
    publish("n", 1);
    node_do(2, publish_2);
    assert_int_equal(pyro_es_post(&service, "n", pyro_int(3)), PYRO_OK);
    rig_settle();
    assert_int_equal(seen[2].count, 3);
    assert_int_equal(seen[0].count, 2);
    assert_int_equal(seen[0].values[0], 2);
    assert_int_equal(seen[0].values[1], 3);
    assert_int_equal(seen[0].lost[1], 0);
    publish("n", 4); /* is in the ring when the connection goes */
    pyro_link_close(&rig.n[0].d, pyro_proxy_link(pyro_es_proxy(&seen[0].es)));
    rig_pass(100);
    assert_int_equal(seen[0].es.again, 1);
    publish("n", 5);
    rig_settle();
    assert_int_equal(seen[0].count, 2);
    subscribe("*", 0); /* another subscription takes them */
    publish("n", 6);
    rig_settle();
    assert_int_equal(seen[0].values[2], 6);
}

/* The statistics from subscriber `from` on, up to the list of them. */
static pyro_reader statistics(pyro_blob *blob, int32_t from, int32_t *next,
                              int32_t totals[6])
{
    pyro_reader in;

    assert_int_equal(pyro_invoke(pyro_es_proxy(&seen[0].es), "statistics",
                                 PYRO_ARGS(pyro_int(from)), pyro_to_raw(blob)),
                     PYRO_OK);
    in = pyro_reader_of(blob->data, blob->used);
    assert_int_equal(pyro_get_list(&in, 3), 3);
    *next = pyro_get_i32(&in);
    assert_int_equal(pyro_get_list(&in, 6), 6);
    for (unsigned i = 0; i < 6; i++)
        totals[i] = pyro_get_i32(&in);
    return in;
}

TEST(statistics_say_what_each_has_got)
{
    uint8_t     bytes[500];
    pyro_blob   blob = { bytes, sizeof bytes, 0 };
    pyro_reader in;
    int32_t     next;
    int32_t     totals[6];
    uint32_t    n;

    subscribe("a", 0);
    publish("a", 1);
    publish("a", 2);
    publish("b", 2);
    rig_settle();
    in = statistics(&blob, 0, &next, totals);
    assert_int_equal(next, 0);
    assert_int_equal(totals[0], 3);
    assert_int_equal(totals[1], 2);
    assert_int_equal(totals[2] + totals[3] + totals[4] + totals[5], 0);
    assert_int_equal(pyro_get_list(&in, 9), 1);
    assert_int_equal(pyro_get_list(&in, 6), 6);
    assert_memory_equal(pyro_get_str(&in, &n), "es", 2);
    assert_int_equal(n, 2);
    pyro_skip(&in);
    assert_int_equal(pyro_get_i32(&in), 2);
    assert_int_equal(pyro_get_i32(&in), 0);
    assert_int_equal(pyro_get_i32(&in), 0);
    assert_true(pyro_get_bool(&in));
    in = statistics(&blob, 77, &next, totals);
    assert_int_equal(pyro_get_list(&in, 9), 0);
    in = statistics(&blob, -1, &next, totals);
    assert_int_equal(pyro_get_list(&in, 9), 0);
}

static pyro_err find_it(void *user, pyro_daemon *node, const pyro_uri *name,
                        char *to, size_t size)
{
    unsigned *asked = (unsigned *)user;

    (void)node;
    (void)name;
    if (++*asked < 4)
        return PYRO_ERR_BUSY;
    return (size_t)snprintf(to, size, "%s", URI) < size ? PYRO_OK
                                                        : PYRO_ERR_NOSPACE;
}

TEST(subscribing_waits_until_the_name_of_the_service_is_resolved)
{
    unsigned asked = 0;

    pyro_es_close(&seen[0].es);
    pyro_resolver(&rig.n[0].d, find_it, &asked);
    assert_int_equal(pyro_es_open(&seen[0].es, &rig.n[0].d,
                                  "PYRONAME://" PYRO_ES_NAME, on_event,
                                  &seen[0]),
                     PYRO_OK);
    subscribe("a", 0);
    assert_int_equal(asked, 4);
    publish("a", 1);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    pyro_resolver(&rig.n[0].d, NULL, NULL);
}

/* Subscribes and unsubscribes from inside of an event. */
static void on_change(void *user, const pyro_es_event *event)
{
    struct seen *s = (struct seen *)user;

    on_event(user, event);
    assert_int_equal(pyro_es_unsubscribe(&s->es, "a"), PYRO_OK);
    assert_int_equal(pyro_es_subscribe(&s->es, "b", 0), PYRO_OK);
}

TEST(a_subscriber_changes_its_subjects_in_an_event)
{
    pyro_es_close(&seen[0].es);
    assert_int_equal(pyro_es_open(&seen[0].es, &rig.n[0].d, URI, on_change,
                                  &seen[0]),
                     PYRO_OK);
    subscribe("a", 0);
    publish("a", 1);
    rig_settle();
    publish("a", 2);
    publish("b", 3);
    rig_settle();
    assert_int_equal(seen[0].count, 2);
    assert_int_equal(seen[0].values[1], 3);
    assert_int_equal(seen[0].es.n_own_, 1);
}

TEST(subscribing_once_more_takes_no_place)
{
    for (unsigned i = 0; i < 2 * PYRO_ES_OWN; i++)
        subscribe("a", 0);
    assert_int_equal(seen[0].es.n_own_, 1);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "a"), PYRO_OK);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "a"), PYRO_OK);
    assert_int_equal(seen[0].es.n_own_, 0);
}

TEST(a_subject_that_is_too_long_for_a_subscriber_is_counted)
{
    uint8_t     bytes[200];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 5);
    char        subject[PYRO_ES_MAX_SUBJECT + 2];
    pyro_call   call;

    memset(subject, 'a', sizeof subject);
    memset(&call, 0, sizeof call);
    pyro_put_int(&out, 1);
    pyro_put_int(&out, 0);
    pyro_put_strn(&out, subject, sizeof subject - 1);
    pyro_put_int(&out, 1000);
    pyro_put_nil(&out);
    assert_int_equal(pyro_writer_end(&out), PYRO_OK);
    call.args = pyro_reader_of(bytes, (size_t)(out.at - bytes));
    pyroi_es_event(&seen[0].es, &call);
    assert_int_equal(seen[0].es.too_long, 1);
    assert_int_equal(seen[0].es.events, 0);
    assert_int_equal(seen[0].count, 0);
}

TEST(last_values_under_way_are_not_cut_off_by_another_subscription)
{
    static pyro_es_last last[8];
    char                subject[8] = "s.0";

    memset(last, 0, sizeof last);
    config.last = last;
    config.n_last = 8;
    for (unsigned i = 0; i < 8; i++) {
        subject[2] = (char)('0' + i);
        publish(subject, (int32_t)i);
    }
    rig_settle();
    subscribe("s.*", PYRO_ES_LAST);
    subscribe("t", 0);
    rig_settle();
    assert_int_equal(seen[0].count, 8);
}

TEST(a_regular_expression_selects_what_is_sent)
{
    assert_int_equal(pyro_es_subscribe(&seen[0].es, "a[0-9]$", PYRO_ES_MATCH),
                     PYRO_OK);
    publish("ab", 1);
    publish("A1", 2);
    publish("a12", 3);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(seen[0].values[0], 2);
}

TEST(an_event_over_a_subscribers_own_maximum_is_counted_as_lost_there)
{
    node_open(2, 6);
    rig.n[2].d.room_.buffer_bytes = 128; /* what it announces */
    open_client(2);
    node_run(2);
    job_subscribe_to(2, "**", 0);
    subscribe("**", 0);
    publish("n", 1);
    assert_int_equal(publish_big(150), PYRO_OK);
    publish("n", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 3);
    assert_int_equal(seen[0].lost[2], 0);
    assert_int_equal(seen[2].count, 2);
    assert_int_equal(seen[2].n[1], 2);
    assert_int_equal(seen[2].lost[1], 1);
    assert_int_equal(service.stats.too_long, 1);
}

/* Where the second takes the last event of a burst, the third is next. */
TEST(a_burst_that_ends_between_two_subscribers_leaves_nobody_waiting)
{
    subscribe("n", 0);
    start_node(2, "n", 0);
    start_node(3, "n", 0);
    for (int32_t i = 0; i < PYRO_ES_BURST / 2; i++)
        assert_int_equal(pyro_es_post(&service, "n", pyro_int(i)), PYRO_OK);
    rig_settle();
    assert_int_equal(seen[0].count, PYRO_ES_BURST / 2);
    assert_int_equal(seen[2].count, PYRO_ES_BURST / 2);
    assert_int_equal(seen[3].count, PYRO_ES_BURST / 2);
}

TEST(of_more_stuck_subscribers_than_may_be_the_oldest_is_dropped)
{
    config.stuck = 1;
    config.stuck_ms = 100000;
    rig.net.capacity = 200;
    start_node(2, "n", 0);
    start_node(3, "n", 0);
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 20; i++)
        publish("n", i);
    rig_settle();
    assert_int_equal(service.stats.dropped, 0);
    rig.n[3].runs = false;
    for (int32_t i = 20; i < 60; i++)
        publish("n", i);
    rig_settle();
    assert_int_equal(service.stats.dropped, 1);
    assert_int_equal(room.subs[0].state, PYROI_ES_AWAY);
    rig.n[2].runs = true;
    rig.n[3].runs = true;
    rig_pass(3000);
    publish("n", 60);
    rig_settle();
    expect_holes_counted(&seen[2], 0);
    expect_holes_counted(&seen[3], 0);
    assert_int_equal(seen[2].values[seen[2].count - 1], 60);
    assert_int_equal(seen[3].values[seen[3].count - 1], 60);
}

static uint64_t noon(void *user)
{
    (void)user;
    return 43200000;
}

static uint64_t time_of_event;

static void on_time(void *user, const pyro_es_event *event)
{
    (void)user;
    time_of_event = event->time;
}

TEST(events_have_the_time_of_the_configs_clock)
{
    config.now = noon;
    pyro_es_close(&seen[0].es);
    assert_int_equal(pyro_es_open(&seen[0].es, &rig.n[0].d, URI, on_time,
                                  NULL),
                     PYRO_OK);
    subscribe("a", 0);
    publish("a", 1);
    rig_settle();
    assert_int_equal(time_of_event, 43200000);
}

TEST(statistics_go_on_where_an_answer_was_full)
{
    static const char *const names[] = { "s0", "s1", "s2", "s3" };
    uint8_t                  bytes[500];
    pyro_blob                blob = { bytes, sizeof bytes, 0 };
    pyro_reader              in;
    int32_t                  from = 0;
    int32_t                  totals[6];
    unsigned                 k = 0;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(subscribe_uri(names[i], NULL), PYRO_OK);
    do {
        int32_t  next;
        uint32_t n;

        in = statistics(&blob, from, &next, totals);
        n = pyro_get_list(&in, 3);
        assert_true(n > 0);
        for (; n > 0; n--) {
            uint32_t    length;
            const char *name;

            assert_int_equal(pyro_get_list(&in, 6), 6);
            name = pyro_get_str(&in, &length);
            assert_int_equal(length, 2);
            assert_memory_equal(name, names[k++], 2);
            for (unsigned i = 0; i < 5; i++)
                pyro_skip(&in);
        }
        assert_true(next == 0 || next > from);
        from = next;
    } while (from != 0);
    assert_int_equal(k, 4);
}

TEST(two_clients_of_one_node_have_objects_of_their_own)
{
    static struct seen second;

    memset(&second, 0, sizeof second);
    assert_int_equal(pyro_es_open(&second.es, &rig.n[0].d, URI, on_event,
                                  &second),
                     PYRO_OK);
    subscribe("a", 0);
    assert_int_equal(pyro_es_subscribe(&second.es, "*", 0), PYRO_OK);
    publish("a", 1);
    publish("b", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(second.count, 2);
    assert_string_equal(second.es.object_, "es1");
    assert_int_equal(pyro_es_unsubscribe(&second.es, "*"), PYRO_OK);
    pyro_es_close(&second.es);
}

TEST(an_event_that_is_too_long_for_a_last_value_is_counted_and_not_kept)
{
    static pyro_es_last last[1];

    memset(last, 0, sizeof last);
    config.last = last;
    config.n_last = 1;
    rig_pass(300);
    assert_int_equal(publish_big(PYRO_ES_LAST_BYTES), PYRO_OK);
    assert_int_equal(service.stats.too_long, 0);
    assert_int_equal(last[0].stamp, 1);
    assert_int_equal(publish_big(PYRO_ES_LAST_BYTES + 1), PYRO_OK);
    assert_int_equal(service.stats.too_long, 1);
    assert_int_equal(last[0].stamp, 1);
}

TEST(what_was_never_subscribed_is_unsubscribed_without_an_error)
{
    pyro_proxy *proxy = pyro_es_proxy(&seen[0].es);
    pyro_args   args = PYRO_ARGS(pyro_str("a"), pyro_here("nobody"));

    assert_int_equal(pyro_invoke(proxy, "unsubscribe", args, pyro_to_none()),
                     PYRO_OK);
    subscribe("a", 0);
    args = PYRO_ARGS(pyro_str("b"), pyro_here(seen[0].es.object_));
    assert_int_equal(pyro_invoke(proxy, "unsubscribe", args, pyro_to_none()),
                     PYRO_OK);
    publish("a", 1);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
}

TEST(a_subscription_that_finds_no_service_is_made_when_it_is_there)
{
    node_stop(1);
    pyro_es_stop(&service);
    node_close(1);
    assert_int_equal(pyro_es_subscribe(&seen[0].es, "a", 0), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_es_subscribe(&seen[0].es, "b", 0), PYRO_ERR_CLOSED);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "b"), PYRO_ERR_CLOSED);
    rig_pass(1500); /* in vain */
    serve();
    rig_pass(1500);
    publish("a", 1);
    publish("b", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(seen[0].values[0], 1);
}

/* What each walk of the tables would find. */
TEST(the_walk_of_the_tables_finds_what_is_wrong)
{
    uint32_t was;

    subscribe("a", 0);
    subscribe("b", 0);
    publish("a", 1);
    rig_settle();
    check_service();
    was = room.subs[0].seq;
    room.subs[0].seq = service.head_seq_ + 1;
    assert_string_equal(pyro_es_check(&service),
                        "a subscriber stands outside of the ring");
    room.subs[0].seq = was;
    was = room.items[room.subs[0].first - 1].next;
    room.items[room.subs[0].first - 1].next = room.subs[0].first;
    assert_string_equal(pyro_es_check(&service), "subscriptions go round");
    room.items[room.subs[0].first - 1].next = 0;
    assert_string_equal(pyro_es_check(&service), "a subscription is missing");
    room.items[room.subs[0].first - 1].next = (uint16_t)was;
    was = room.items[service.free_item_ - 1].next;
    room.items[service.free_item_ - 1].next = service.free_item_;
    assert_string_equal(pyro_es_check(&service),
                        "free subscriptions go round");
    room.items[service.free_item_ - 1].next = (uint16_t)was;
    service.used_--;
    assert_string_equal(pyro_es_check(&service), "events overlap");
    service.used_ += 2;
    assert_string_equal(pyro_es_check(&service),
                        "bytes of the ring are missing");
    service.used_--;
    check_service();
}

static const struct CMUnitTest tests[] = {
    ES_TEST(an_event_reaches_who_subscribed_to_its_subject),
    ES_TEST(letters_of_a_subject_may_be_of_either_case),
    cmocka_unit_test(patterns_match_what_they_say),
    ES_TEST(a_zero_byte_in_a_subject_fits_no_end_of_a_pattern),
    cmocka_unit_test(a_hostile_pattern_ends_soon),
    cmocka_unit_test(regular_expressions_match_what_they_do_in_python),
    ES_TEST(
        what_a_regular_expression_cannot_take_is_refused_with_its_position),
    cmocka_unit_test(a_regular_expression_takes_no_time_that_explodes),
    ES_TEST(one_subscriber_gets_one_copy_however_many_subscriptions_match),
    ES_TEST(subscribing_twice_is_once_and_unsubscribing_ends_it),
    ES_TEST(a_subscriber_without_subscriptions_is_gone),
    ES_TEST(any_value_passes_through_untouched),
    ES_TEST(a_list_of_subjects_is_one_event_each),
    ES_TEST(events_come_in_order_and_whole_however_the_ring_turns),
    ES_TEST(a_subscriber_that_is_lapped_knows_how_many_it_missed),
    ES_TEST(one_stuck_for_too_long_is_dropped_and_comes_back_with_its_count),
    ES_TEST(of_keep_latest_only_the_newest_comes_and_nothing_is_lost),
    ES_TEST(a_client_at_a_pipe_gets_events_and_subscribes_again),
    ES_TEST(subscriptions_come_back_when_the_service_has_started_again),
    ES_TEST(a_subscriber_that_vanishes_leaves_nothing_behind),
    ES_TEST(a_new_subscriber_gets_the_last_values_first_when_it_asks),
    ES_TEST(without_asking_there_are_no_last_values),
    ES_TEST(a_publisher_waits_for_a_blocking_subscriber_and_nothing_is_lost),
    ES_TEST(publishers_that_wait_are_told_that_the_service_stops),
    ES_TEST(oneways_that_a_blocking_subscriber_leaves_no_room_for_are_refused),
    ES_TEST(tables_that_are_full_say_which),
    ES_TEST(the_longest_event_passes_one_byte_more_is_refused_with_both_sizes),
    ES_TEST(no_event_is_longer_than_half_of_the_ring),
    ES_TEST(events_of_the_services_own_program_have_the_same_limit),
    ES_TEST(a_service_without_room_for_any_event_does_not_start),
    ES_TEST(the_last_subscriber_finds_a_place_and_one_more_does_not),
    ES_TEST(a_subscriber_that_has_gone_makes_room_for_a_new_one),
    ES_TEST(a_name_is_no_object_of_this_connection),
    ES_TEST(a_service_that_has_no_buffers_to_call_with_says_so),
    ES_TEST(the_longest_subject_passes_and_a_longer_one_does_not),
    ES_TEST(lists_of_subjects_have_a_limit_and_anything_else_is_refused),
    ES_TEST(so_many_publishers_wait_one_more_is_refused_before_it_counts),
    ES_TEST(who_no_longer_blocks_holds_up_nobody),
    ES_TEST(flags_go_with_the_subscription_that_had_them),
    ES_TEST(who_wants_those_of_others_does_not_hear_its_own),
    ES_TEST(statistics_say_what_each_has_got),
    ES_TEST(subscribing_waits_until_the_name_of_the_service_is_resolved),
    ES_TEST(a_subscriber_changes_its_subjects_in_an_event),
    ES_TEST(subscribing_once_more_takes_no_place),
    ES_TEST(a_subject_that_is_too_long_for_a_subscriber_is_counted),
    ES_TEST(last_values_under_way_are_not_cut_off_by_another_subscription),
    ES_TEST(a_regular_expression_selects_what_is_sent),
    ES_TEST(an_event_over_a_subscribers_own_maximum_is_counted_as_lost_there),
    ES_TEST(a_burst_that_ends_between_two_subscribers_leaves_nobody_waiting),
    ES_TEST(of_more_stuck_subscribers_than_may_be_the_oldest_is_dropped),
    ES_TEST(events_have_the_time_of_the_configs_clock),
    ES_TEST(statistics_go_on_where_an_answer_was_full),
    ES_TEST(two_clients_of_one_node_have_objects_of_their_own),
    ES_TEST(
        an_event_that_is_too_long_for_a_last_value_is_counted_and_not_kept),
    ES_TEST(what_was_never_subscribed_is_unsubscribed_without_an_error),
    ES_TEST(a_subscription_that_finds_no_service_is_made_when_it_is_there),
    ES_TEST(the_walk_of_the_tables_finds_what_is_wrong),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
