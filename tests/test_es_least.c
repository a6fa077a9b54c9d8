/* The event service of the smallest build: subscribers are objects of their
 * own connection, subscriptions have no flags, what is refused is named.
 * Node 1 serves, nodes 0 and 2 publish and subscribe. */
#define PYRO_NO_URI
#define PYRO_NO_CONFIG
#define PYRO_NO_DENIALS
#define PYRO_NO_KWARGS
#define PYRO_NO_INTROSPECTION
#define PYRO_NO_TEXTS
#define PYRO_NO_STATS
#define PYRO_NO_GATHER
#define PYRO_NO_PYRO5
#define PYRO_ES_NO_REGEX
#define PYRO_ES_NO_FLAGS
#define PYRO_EXCEPTION_BYTES 120
#define PYRO_ES_AWAY_MS      5000
#define PYRO_ES_BURST        16
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../pyro_es.h"

#include "nodes.h"

#define URI "PYRO://board:7701/" PYRO_ES_NAME

static PYRO_ES_ROOM(2, 4, 1024) room;
static pyro_es_service service;

enum { SEEN = 200 };

static struct seen {
    pyro_es  es;
    int32_t  values[SEEN];
    uint32_t n[SEEN];
    uint32_t lost[SEEN];
    unsigned count;
} seen[NODES];

static void on_event(void *user, const pyro_es_event *event)
{
    struct seen *s = (struct seen *)user;

    assert_true(s->count < SEEN);
    s->n[s->count] = event->n;
    s->lost[s->count] = event->lost;
    s->values[s->count++] = pyro_get_i32(event->message);
}

static void open_client(unsigned i)
{
    assert_int_equal(pyro_es_open(&seen[i].es, &rig.n[i].d, URI, on_event,
                                  &seen[i]),
                     PYRO_OK);
}

static int setup(void **state)
{
    static const pyro_es_config config = { 0, 100000, NULL, 0, NULL, NULL };

    (void)state;
    rig_init(1);
    memset(seen, 0, sizeof seen);
    node_open(1, 12);
    assert_int_equal(pyro_es_serve(&service, &rig.n[1].d,
                                   PYRO_ES_ROOM_OF(room), &config),
                     PYRO_OK);
    node_run(1);
    node_open(0, 8);
    open_client(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_settle();
    assert_null(pyro_es_check(&service));
    for (unsigned i = NODES; i-- > 0;) {
        if (rig.n[i].runs)
            node_stop(i);
        if (seen[i].es.node_ != NULL)
            pyro_es_close(&seen[i].es);
        if (i == 1)
            pyro_es_stop(&service);
    }
    rig_end();
    return 0;
}

#define LEAST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void publish(const char *subject, int32_t v)
{
    assert_int_equal(pyro_es_publish(&seen[0].es, subject, pyro_int(v)),
                     PYRO_OK);
}

static void subscribe(const char *subject)
{
    assert_int_equal(pyro_es_subscribe(&seen[0].es, subject, 0), PYRO_OK);
}

static void job_subscribe(struct node *node)
{
    unsigned i = (unsigned)(node - rig.n);

    assert_int_equal(pyro_es_subscribe(&seen[i].es, "n", 0), PYRO_OK);
}

/* What is raised, to the client of node 0. */
static void expect_refused(pyro_err err, const char *type, const char *text)
{
    const pyro_exc *e = pyro_exception(pyro_es_proxy(&seen[0].es));

    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(e->type, type);
    assert_string_equal(e->message, text);
}

TEST(events_reach_whoever_subscribed_to_their_subject_by_name_or_wildcard)
{
    subscribe("Stock.IBM");
    subscribe("sensor.*.temp");
    publish("stock.ibm", 1);
    publish("stock.sun", 2);
    publish("SENSOR.3.temp", 3);
    publish("sensor.3.4.temp", 4);
    rig_settle();
    assert_int_equal(seen[0].count, 2);
    assert_int_equal(seen[0].values[0], 1);
    assert_int_equal(seen[0].values[1], 3);
    assert_int_equal(seen[0].n[1], 2);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "stock.ibm"), PYRO_OK);
    assert_int_equal(pyro_es_unsubscribe(&seen[0].es, "Stock.IBM"), PYRO_OK);
    assert_int_equal(pyro_es_publish_wait(&seen[0].es, "stock.ibm",
                                          pyro_int(5)),
                     PYRO_OK);
    publish("sensor.x.temp", 6);
    rig_settle();
    assert_int_equal(seen[0].count, 3);
    assert_int_equal(seen[0].values[2], 6);
}

TEST(a_subscriber_that_is_lapped_knows_how_many_it_missed)
{
    rig.net.capacity = 200;
    node_open(2, 6);
    open_client(2);
    node_run(2);
    node_do(2, job_subscribe);
    subscribe("n");
    rig.n[2].runs = false;
    for (int32_t i = 0; i < 150; i++) {
        publish("n", i);
        rig_settle();
    }
    assert_int_equal(seen[0].count, 150);
    assert_int_equal(seen[0].lost[149], 0);
    rig.n[2].runs = true;
    rig_settle();
    publish("n", 150);
    rig_settle();
    assert_true(seen[2].es.lost > 0);
    for (unsigned i = 0; i < seen[2].count; i++) {
        test_eq("n", seen[2].n[i], i + 1);
        test_eq("value", seen[2].values[i],
                (int32_t)(seen[2].n[i] - 1 + seen[2].lost[i]));
    }
    assert_int_equal(seen[2].values[seen[2].count - 1], 150);
}

TEST(subscriptions_come_back_with_the_connection)
{
    subscribe("n");
    publish("n", 1);
    rig_settle();
    pyro_link_close(&rig.n[0].d, seen[0].es.link_);
    for (unsigned i = 0; i < 5; i++)
        rig_settle();
    assert_int_equal(seen[0].es.again, 1);
    publish("n", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 2);
    assert_int_equal(seen[0].n[1], 2);
    assert_int_equal(seen[0].lost[1], 0);
}

TEST(flags_are_refused_and_what_was_subscribed_stays)
{
    subscribe("n");
    for (unsigned flag = 1; flag <= PYRO_ES_OTHERS; flag *= 2) {
        expect_refused(pyro_es_subscribe(&seen[0].es, "m", flag), "ValueError",
                       "PYRO_ES_NO_FLAGS");
        assert_int_equal(seen[0].es.n_own_, 1);
    }
    publish("m", 1);
    publish("n", 2);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(seen[0].values[0], 2);
}

TEST(what_there_is_no_room_for_is_refused_by_the_name_of_the_limit)
{
    static char              long_text[PYRO_ES_MAX_SUBJECT + 2];
    static const char *const texts[] = { "a", "b", "c", "d" };

    memset(long_text, 'a', PYRO_ES_MAX_SUBJECT + 1);
    expect_refused(pyro_es_subscribe(&seen[0].es, long_text, 0), "ValueError",
                   "PYRO_ES_MAX_SUBJECT");
    expect_refused(pyro_es_subscribe(&seen[0].es, "", 0), "ValueError",
                   "subject");
    expect_refused(pyro_es_publish_wait(&seen[0].es, long_text, pyro_nil()),
                   "ValueError", "PYRO_ES_MAX_SUBJECT");
    for (unsigned i = 0; i < PYRO_COUNT(texts); i++)
        subscribe(texts[i]);
    expect_refused(pyro_es_subscribe(&seen[0].es, "e", 0), "ValueError",
                   "PYRO_ES_ROOM");
}

/* One byte of it after the other is another. */
TEST(a_subscriber_is_named_in_the_form_of_this_connection_and_no_other)
{
    uint8_t    here[64];
    pyro_value is = pyroi_es_here("es", here);
    pyro_args  args;
    pyro_value values[2];

    values[0] = pyro_str("n");
    values[1] = is;
    args.values = values;
    args.count = 2;
    for (unsigned i = 0; i < is.n_; i++) {
        bool name = i > PYROI_ES_BEFORE && i < is.n_ - PYROI_ES_BEHIND;

        here[i] ^= 1;
        if (!name)
            assert_true(pyro_invoke(pyro_es_proxy(&seen[0].es), "subscribe",
                                    args, pyro_to_none())
                        != PYRO_OK);
        here[i] ^= 1;
    }
    assert_int_equal(room.subs[0].state, PYROI_ES_FREE);
    assert_int_equal(pyro_invoke(pyro_es_proxy(&seen[0].es), "subscribe", args,
                                 pyro_to_none()),
                     PYRO_OK);
    publish("n", 1);
    rig_settle();
    assert_int_equal(seen[0].count, 1);
    values[1] = pyro_str("PYRO://board:7701/es");
    expect_refused(pyro_invoke(pyro_es_proxy(&seen[0].es), "subscribe", args,
                               pyro_to_none()),
                   "TypeError", "");
}

static const struct CMUnitTest tests[] = {
    LEAST_TEST(
        events_reach_whoever_subscribed_to_their_subject_by_name_or_wildcard),
    LEAST_TEST(a_subscriber_that_is_lapped_knows_how_many_it_missed),
    LEAST_TEST(subscriptions_come_back_with_the_connection),
    LEAST_TEST(flags_are_refused_and_what_was_subscribed_stays),
    LEAST_TEST(what_there_is_no_room_for_is_refused_by_the_name_of_the_limit),
    LEAST_TEST(
        a_subscriber_is_named_in_the_form_of_this_connection_and_no_other),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
