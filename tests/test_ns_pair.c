/* Two name servers, each the other's copy: nodes 1 and 2; node 0 is their
 * client. Either is killed and comes back, changes collide, nothing deleted
 * returns. */
#define PYRO_IMPLEMENTATION
#define PYRO_EXCEPTION_BYTES 240
#include "../pyro.h"
#include "../pyro_ns.h"

#include "nodes.h"

enum { NAMES = 1200 };

static struct side {
    PYRO_NS_ROOM(NAMES, 100000) room;
    pyro_ns_server        server;
    pyro_ns_server_config config;
    pyro_proxy            proxy; /* of node 0 */
    bool                  up;
    pyro_ns_storage       storage; /* in memory: outlives the server */
    uint8_t               journal[2][200000];
    uint32_t              n[2];
    unsigned              now; /* which journal stands */
} side[3];                     /* 1 and 2 */

static int32_t mem_read(void *user, uint32_t at, void *to, uint32_t n)
{
    struct side *s = (struct side *)user;
    uint32_t     have = s->n[s->now];

    if (at >= have)
        return 0;
    n = n < have - at ? n : have - at;
    memcpy(to, s->journal[s->now] + at, n);
    return (int32_t)n;
}

static bool mem_add(struct side *s, unsigned which, const void *data,
                    uint32_t n)
{
    assert_true(s->n[which] + n <= sizeof s->journal[which]);
    memcpy(s->journal[which] + s->n[which], data, n);
    s->n[which] += n;
    return true;
}

static bool mem_append(void *user, const void *data, uint32_t n)
{
    struct side *s = (struct side *)user;

    return n == 0 || mem_add(s, s->now, data, n);
}

static bool mem_replace(void *user, const void *data, uint32_t n)
{
    struct side *s = (struct side *)user;

    if (n > 0)
        return mem_add(s, 1 - s->now, data, n);
    s->n[s->now] = 0;
    s->now = 1 - s->now;
    return true;
}

static void remember(unsigned i)
{
    side[i].storage.user = &side[i];
    side[i].storage.read = mem_read;
    side[i].storage.append = mem_append;
    side[i].storage.replace = mem_replace;
    side[i].config.storage = &side[i].storage;
}

static void bring_up_with(unsigned i, unsigned names, uint32_t bytes)
{
    struct side *s = &side[i];
    pyro_ns_room room = PYRO_NS_ROOM_OF(s->room);

    room.n_nodes = (uint16_t)names;
    room.n_bytes = bytes;
    node_open(i, 6);
    assert_int_equal(pyro_ns_serve(&s->server, &rig.n[i].d, room, &s->config),
                     PYRO_OK);
    node_run(i);
    s->up = true;
}

static void bring_up(unsigned i)
{
    bring_up_with(i, NAMES, sizeof side[i].room.bytes);
}

static void bring_down(unsigned i)
{
    struct side *s = &side[i];

    node_stop(i);
    pyro_ns_stop(&s->server);
    node_close(i);
    s->up = false;
}

static const char *const uris[] = { NULL, "PYRO://board:7701/" PYRO_NS_NAME,
                                    "PYRO://board:7702/" PYRO_NS_NAME };

static int setup(void **state)
{
    (void)state;
    rig_init(1);
    memset(side, 0, sizeof side);
    node_open(0, 6);
    for (unsigned i = 1; i < 3; i++) {
        side[i].config.no_broadcast = true;
        side[i].config.role = (uint8_t)i;
        side[i].config.twin = uris[3 - i];
        assert_int_equal(pyro_proxy_open(&side[i].proxy, &rig.n[0].d, uris[i]),
                         PYRO_OK);
        side[i].proxy.timeout_ms = 60000;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 3; i++) {
        pyro_proxy_close(&side[i].proxy);
        if (side[i].up)
            bring_down(i);
    }
    rig_end();
    return 0;
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- calls --- */

static pyro_err reg(unsigned i, const char *name, const char *uri)
{
    return pyro_invoke(&side[i].proxy, "register",
                       PYRO_ARGS(pyro_str(name), pyro_str(uri)),
                       pyro_to_none());
}

static pyro_err lease(unsigned i, const char *name, const char *uri,
                      int32_t ms)
{
    return pyro_invoke(&side[i].proxy, "register",
                       PYRO_ARGS(pyro_str(name), pyro_str(uri), pyro_int(ms),
                                 pyro_bool(true)),
                       pyro_to_none());
}

static pyro_err call1(unsigned i, const char *method, const char *a)
{
    return pyro_invoke(&side[i].proxy, method, PYRO_ARGS(pyro_str(a)),
                       pyro_to_none());
}

static const char *resolve(unsigned i, const char *name)
{
    static char uri[PYRO_URI_BYTES];
    pyro_err    err =
        pyro_invoke(&side[i].proxy, "resolve", PYRO_ARGS(pyro_str(name)),
                    pyro_to_str(uri, sizeof uri));

    return err == PYRO_OK ? uri : "none";
}

/* Time passes until both have said all. */
static void converge(void)
{
    for (unsigned n = 0; n < 40; n++) {
        rig_pass(500);
        for (unsigned i = 1; i < 3; i++) {
            const char *wrong = pyro_ns_check(&side[i].server);

            if (wrong != NULL)
                fail_msg("server %u: %s", i, wrong);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=uri" of all that a server knows but itself, sorted. */
static unsigned dump(unsigned i, char *rows[NAMES], char *text, size_t size)
{
    const char *name;
    char        uri[PYRO_URI_BYTES];
    unsigned    at = 0;
    unsigned    n = 0;
    size_t      used = 0;

    while (pyro_ns_walk(&side[i].server, &at, &name, uri)) {
        if (strcmp(uri, ".") == 0)
            continue;
        rows[n++] = text + used;
        used +=
            (size_t)snprintf(text + used, size - used, "%s=%s", name, uri) + 1;
        assert_true(used < size);
    }
    qsort(rows, n, sizeof rows[0], by_name);
    return n;
}

static void expect_equal(void)
{
    static char  text[3][300000];
    static char *rows[3][NAMES];
    unsigned     n[3];

    for (unsigned i = 1; i < 3; i++)
        n[i] = dump(i, rows[i], text[i], sizeof text[i]);
    for (unsigned k = 0; k < n[1] && k < n[2]; k++)
        assert_string_equal(rows[1][k], rows[2][k]);
    test_eq("both", n[1], n[2]);
}

static unsigned tombs(unsigned i)
{
    unsigned n = 0;

    for (unsigned k = 0; k < side[i].server.room_.n_nodes; k++)
        n += side[i].room.nodes[k].version != 0
          && pyroi_ns_has(&side[i].server, k, PYROI_NS_TOMB);
    return n;
}

/* What a cleanly working pair looks like in the end. */
static void expect_peace(void)
{
    converge();
    expect_equal();
    test_eq("tombstones of 1", tombs(1), 0);
    test_eq("tombstones of 2", tombs(2), 0);
}

#define URI_A "PYRO://10.0.0.1:7766/a"
#define URI_B "PYRO://10.0.0.2:7766/b"

TEST(what_one_is_told_the_other_knows)
{
    bring_up(1);
    bring_up(2);
    converge();
    assert_int_equal(reg(1, "a", URI_A), PYRO_OK);
    assert_int_equal(call1(2, "createGroup", ":g"), PYRO_OK);
    rig_pass(100);
    assert_string_equal(resolve(2, "a"), URI_A);
    assert_int_equal(reg(1, ":g.b", URI_B), PYRO_OK);
    rig_pass(100);
    assert_string_equal(resolve(2, ":g.b"), URI_B);
    assert_int_equal(call1(2, "unregister", "a"), PYRO_OK);
    rig_pass(100);
    assert_string_equal(resolve(1, "a"), "none");
    expect_peace();
}

TEST(each_lists_itself_and_not_the_other)
{
    bring_up(1);
    bring_up(2);
    converge();
    assert_string_equal(resolve(1, PYRO_NS_NAME),
                        "PYRO://board:7701/" PYRO_NS_NAME);
    assert_string_equal(resolve(2, PYRO_NS_NAME),
                        "PYRO://board:7702/" PYRO_NS_NAME);
}

TEST(one_that_starts_later_gets_all)
{
    bring_up(1);
    for (unsigned i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(reg(1, name, URI_A), PYRO_OK);
    }
    bring_up(2);
    expect_peace();
    assert_string_equal(resolve(2, "n99"), URI_A);
}

TEST(one_that_forgot_all_gets_it_again)
{
    bring_up(1);
    bring_up(2);
    assert_int_equal(reg(1, "a", URI_A), PYRO_OK);
    assert_int_equal(reg(2, "b", URI_B), PYRO_OK);
    converge();
    bring_down(1);
    assert_int_equal(call1(2, "unregister", "b"), PYRO_OK);
    bring_up(1);
    expect_peace();
    assert_string_equal(resolve(1, "a"), URI_A);
    assert_string_equal(resolve(1, "b"), "none");
}

TEST(of_two_registrations_the_later_one_wins_on_both_sides)
{
    bring_up(1);
    bring_up(2);
    converge();
    bring_down(2);
    assert_int_equal(reg(1, "x", URI_A), PYRO_OK);
    bring_down(1);
    bring_up(2);
    assert_int_equal(reg(2, "w", URI_B), PYRO_OK);
    assert_int_equal(reg(2, "x", URI_B), PYRO_OK); /* second change: newer */
    bring_up(1);
    assert_int_equal(reg(1, "x", URI_A), PYRO_OK);
    expect_peace();
    assert_string_equal(resolve(1, "x"), URI_B);
    assert_int_equal(side[1].server.stats.lost, 1);
    /* and the loser hears of it when it refreshes */
    assert_int_equal(lease(1, "x", URI_A, 5000), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&side[1].proxy)->message,
                        "name already exists: :Default.x");
}

TEST(a_lease_that_is_refreshed_at_one_lives_on_at_the_other)
{
    bring_up(1);
    bring_up(2);
    converge();
    assert_int_equal(lease(1, "a", URI_A, 6000), PYRO_OK);
    for (unsigned i = 0; i < 6; i++) {
        rig_pass(3000);
        assert_int_equal(lease(i % 2 + 1, "a", URI_A, 6000), PYRO_OK);
    }
    assert_string_equal(resolve(1, "a"), URI_A);
    assert_string_equal(resolve(2, "a"), URI_A);
    rig_pass(8000);
    assert_string_equal(resolve(1, "a"), "none");
    assert_string_equal(resolve(2, "a"), "none");
    expect_peace();
}

TEST(a_deleted_group_goes_with_all_on_both_sides)
{
    char name[32];

    bring_up(1);
    bring_up(2);
    converge();
    assert_int_equal(call1(1, "createGroup", ":g"), PYRO_OK);
    assert_int_equal(call1(1, "createGroup", ":g.h"), PYRO_OK);
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, i % 2 ? ":g.n%u" : ":g.h.n%u", i);
        assert_int_equal(reg(1, name, URI_A), PYRO_OK);
    }
    converge();
    assert_int_equal(call1(2, "deleteGroup", ":g"), PYRO_OK);
    expect_peace();
    assert_string_equal(resolve(1, ":g.n1"), "none");
    test_eq("names", side[1].server.stats.names, 4);
}

TEST(a_name_put_into_a_group_while_the_other_deletes_it_keeps_the_group)
{
    bring_up(1);
    bring_up(2);
    converge();
    assert_int_equal(call1(1, "createGroup", ":g"), PYRO_OK);
    assert_int_equal(reg(1, ":g.old", URI_A), PYRO_OK);
    converge();
    bring_down(2);
    assert_int_equal(reg(1, ":g.new", URI_B), PYRO_OK);
    bring_up(2); /* it forgot all, and deletes before it is told again */
    assert_int_equal(call1(2, "createGroup", ":g"), PYRO_OK);
    (void)call1(2, "deleteGroup", ":g");
    expect_peace();
    assert_string_equal(resolve(1, ":g.new"), resolve(2, ":g.new"));
}

TEST(resync_needs_the_other)
{
    bring_up(1);
    rig_pass(100);
    assert_int_equal(pyro_invoke(&side[1].proxy, "resync", PYRO_NO_ARGS,
                                 pyro_to_none()),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&side[1].proxy)->message,
                        "cannot resync: twin NS is unknown or unreachable");
    bring_up(2);
    converge();
    assert_int_equal(reg(1, "x", URI_A), PYRO_OK);
    assert_int_equal(reg(1, "a", URI_A), PYRO_OK);
    rig_pass(100);
    side[2]
        .room.nodes[pyroi_ns_find(&side[2].server, ":Default.a", 10)]
        .version = 2; /* it has lost its way */
    assert_int_equal(pyro_invoke(&side[1].proxy, "resync", PYRO_NO_ARGS,
                                 pyro_to_none()),
                     PYRO_OK);
    test_eq("told again",
            side[2].room
                    .nodes[pyroi_ns_find(&side[2].server, ":Default.a", 10)]
                    .version
                > 2,
            true);
    expect_peace();
}

TEST(a_resync_ends_with_an_error_when_the_other_goes_meanwhile)
{
    bring_up(1);
    bring_up(2);
    converge();
    rig.n[2].runs = false;
    side[1].proxy.timeout_ms = 20000;
    assert_int_equal(pyro_invoke(&side[1].proxy, "resync", PYRO_NO_ARGS,
                                 pyro_to_none()),
                     PYRO_ERR_REMOTE);
    rig.n[2].runs = true;
    expect_peace();
}

TEST(two_of_the_same_role_do_not_mix)
{
    side[2].config.role = 1;
    bring_up(1);
    bring_up(2);
    assert_int_equal(reg(1, "a", URI_A), PYRO_OK);
    converge();
    assert_string_equal(resolve(2, "a"), "none");
    assert_true(side[1].server.stats.refused > 0);
}

/* A thousand changes at both sides, which collide, while either is killed
 * and comes back. A side that is killed forgets all, so what only it knew is
 * lost: then the other is left alone until it has been told. */
TEST(a_thousand_colliding_changes_with_kills_end_equal)
{
    uint32_t seed = 99;
    char     name[32];
    char     uri[40];

    bring_up(1);
    bring_up(2);
    converge();
    for (unsigned k = 0; k < 1000; k++) {
        unsigned i = 1 + (seed >> 16 & 1);

        seed = seed * 1664525 + 1013904223;
        if (k % 100 == 50)
            bring_down(1 + (k / 100 & 1));
        if (k % 100 == 80)
            bring_up(1 + (k / 100 & 1));
        if (!side[i].up)
            i = 3 - i;
        snprintf(name, sizeof name, "n%u", seed >> 20 & 63);
        snprintf(uri, sizeof uri, "PYRO://10.0.0.%u:1/o%u", i, k);
        if (seed >> 10 & 1)
            (void)call1(i, "unregister", name);
        else
            (void)reg(i, name, uri);
        if (k % 7 == 0)
            rig_pass(seed & 31);
    }
    expect_peace();
    assert_true(side[1].server.stats.names > 10);
}

TEST(a_lease_refreshed_at_one_comes_back_to_the_other_that_was_cut_off)
{
    bring_up(1);
    bring_up(2);
    converge();
    assert_int_equal(lease(1, "a", URI_A, 6000), PYRO_OK);
    converge();
    rig.n[1].runs = false; /* it stands still */
    for (unsigned i = 0; i < 10; i++) {
        rig_pass(3000);
        assert_int_equal(lease(2, "a", URI_A, 60000), PYRO_OK);
    }
    rig.n[1].runs = true;
    converge();
    test_eq("expired", side[1].server.stats.expired, 1);
    assert_string_equal(resolve(1, "a"), URI_A);
    expect_equal();
}

/* --- the other of the pair is played by node 0 --- */

static struct {
    uint64_t sent; /* answered to a _sync */
    unsigned heard;
} fake;

static void fake_sync(void *self, pyro_call *call)
{
    (void)self;
    fake.heard++;
    pyro_put_list(&call->result, 2);
    pyro_put_uint(&call->result, fake.sent);
    pyro_put_uint(&call->result, 0x1003);
}

static const pyro_method fake_methods[] = { { "_sync", fake_sync, "v v v", "v",
                                              0 } };
static const pyro_class  fake_class = { "Fake", PYRO_METHODS(fake_methods),
                                        PYRO_NO_ATTRS, NULL, 0 };

static pyro_err fake_say_uri(uint32_t number, const char *name,
                             const char *uri, uint32_t version)
{
    static pyro_request rq;
    pyro_err            err = pyro_begin(&rq, &side[1].proxy, "_sync");

    assert_int_equal(err, PYRO_OK);
    pyro_put_uint(&rq.args, 0x1003);
    pyro_put_uint(&rq.args, number);
    pyro_put_list(&rq.args, name != NULL);
    if (name != NULL) {
        pyro_put_list(&rq.args, 6);
        pyro_put_uint(&rq.args, version);
        pyro_put_str(&rq.args, name);
        pyro_put_str(&rq.args, uri);
        pyro_put_uint(&rq.args, 0);
        pyro_put_uint(&rq.args, 0);
        pyro_put_nil(&rq.args);
    }
    assert_int_equal(pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_OK);
    return pyro_wait(&rq);
}

static pyro_err fake_say(uint32_t number, const char *name, uint32_t version)
{
    return fake_say_uri(number, name, URI_B, version);
}

TEST(what_was_sent_before_a_deletion_does_not_bring_it_back)
{
    static struct thing nothing;

    memset(&fake, 0, sizeof fake);
    side[1].config.twin = "PYRO://board:7700/fake";
    assert_int_equal(pyro_export(&rig.n[0].d, &fake_class, &nothing, "fake"),
                     PYRO_OK);
    bring_up(1);
    assert_int_equal(fake_say(1, ":Default.x", 3), PYRO_OK);
    assert_string_equal(resolve(1, "x"), URI_B);
    fake.sent = 5; /* numbers 2 to 5 are under way */
    assert_int_equal(call1(1, "unregister", "x"), PYRO_OK);
    converge();
    test_eq("tombstones", tombs(1), 1);
    assert_int_equal(fake_say(4, ":Default.x", 3), PYRO_OK);
    assert_string_equal(resolve(1, "x"), "none");
    converge();
    test_eq("tombstones", tombs(1), 1);
    assert_int_equal(fake_say(5, NULL, 0), PYRO_OK);
    converge();
    test_eq("tombstones", tombs(1), 0);
    assert_int_equal(fake_say(5, ":Default.x", 3), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&side[1].proxy)->message,
                        "came too late");
    assert_string_equal(resolve(1, "x"), "none");
    assert_true(fake.heard > 3);
}

/* A node of its own for each group of the name, and then one for the name. */
TEST(a_name_of_the_other_is_refused_when_its_groups_take_the_last_room)
{
    for (unsigned n = 0; n < 4; n++) {
        bring_up_with(1, 4 + n, sizeof side[1].room.bytes);
        rig_pass(100);
        test_eq("names", fake_say(1, ":a.b.c", 3),
                n < 3 ? PYRO_ERR_REMOTE : PYRO_OK);
        assert_null(pyro_ns_check(&side[1].server));
        bring_down(1);
    }
    for (uint32_t bytes = 100; bytes < 160; bytes++) {
        bring_up_with(1, NAMES, bytes);
        rig_pass(100);
        side[1].room.bytes[bytes] = 0x5A;
        (void)fake_say(1, ":a.b.c", 3);
        test_eq("bytes", side[1].room.bytes[bytes], 0x5A);
        assert_null(pyro_ns_check(&side[1].server));
        bring_down(1);
    }
}

TEST(what_belongs_to_the_server_itself_is_not_the_others_to_change)
{
    static const char *const names[] = { PYRO_NS_NAME, ":Pyro", ":Default" };

    bring_up(1);
    for (unsigned i = 0; i < PYRO_COUNT(names); i++) {
        assert_int_equal(fake_say(2 * i + 1, names[i], 3), PYRO_OK);
        assert_int_equal(fake_say_uri(2 * i + 2, names[i], "", 5), PYRO_OK);
    }
    assert_string_equal(resolve(1, PYRO_NS_NAME), uris[1]);
    assert_int_equal(call1(1, "list", ""), PYRO_OK);
    assert_int_equal(call1(1, "list", ":Pyro"), PYRO_OK);
}

/* The journal has more deletions in it than there is room for tombstones. */
TEST(names_that_came_and_went_need_no_room_after_a_restart)
{
    char name[16];

    for (unsigned i = 1; i < 3; i++) {
        remember(i);
        bring_up_with(i, 8, sizeof side[i].room.bytes);
    }
    converge();
    for (unsigned k = 0; k < 40; k++) {
        for (unsigned i = 1; i < 3; i++) {
            snprintf(name, sizeof name, "n%u_%u", i, k);
            assert_int_equal(reg(i, name, URI_A), PYRO_OK);
            rig_pass(4000);
            assert_int_equal(call1(i, "unregister", name), PYRO_OK);
            rig_pass(8000);
        }
        test_eq("tombstones", tombs(1) + tombs(2), 0);
        for (unsigned i = 1; i < 3; i++) {
            bring_down(i);
            bring_up_with(i, 8, sizeof side[i].room.bytes);
        }
        converge();
    }
    expect_peace();
}

/* What nobody but a broken pair says. */
TEST(malformed_entries_are_refused_and_change_nothing)
{
    static const char *const bad[] = {
        "90",                                /* no entry */
        "96 01 a2':a' a0 00 00 c0",          /* a version of the builtin */
        "96 03 a1':' a0 00 00 c0",           /* the root */
        "96 03 a2'a.' a0 00 00 c0",          /* not a full name */
        "96 03 a4':a..' a0 00 00 c0",        /* not a name */
        "96 03 a2':a' a3'abc' 00 00 c0",     /* not a URI */
        "96 03 a2':a' a0 ce ffffffff 00 c0", /* a lease of 136 years */
        "96 03 a2':a' a0 00 cf ffffffffffffffff c0",
        "96 cf 0000000100000003 a2':a' a0 00 00 c0",
        "95 03 a2':a' a0 00 00",
        "96 a1'x' a2':a' a0 00 00 c0",
    };
    static pyro_request rq;
    uint32_t            number = 1;

    bring_up(1);
    rig_pass(100);
    for (unsigned i = 0; i < PYRO_COUNT(bad); i++) {
        uint8_t bytes[64];
        size_t  n = test_hex(bytes, sizeof bytes, bad[i]);

        assert_int_equal(pyro_begin(&rq, &side[1].proxy, "_sync"), PYRO_OK);
        pyro_put_uint(&rq.args, 0x1003);
        pyro_put_uint(&rq.args, number);
        pyro_put_list(&rq.args, 1);
        pyro_put_raw(&rq.args, bytes, n);
        assert_int_equal(pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_OK);
        test_eq(bad[i], pyro_wait(&rq), PYRO_ERR_REMOTE);
        assert_string_equal(pyro_exception(&side[1].proxy)->message,
                            "what the pair says is malformed");
        assert_null(pyro_ns_check(&side[1].server));
    }
    test_eq("names", side[1].server.stats.names, 4);
}

/* --- both remember: only one is there at a time, then both --- */

enum { ROUNDS = 10, EACH = 25 };

static uint32_t deletions;

/* Side i, alone, registers names of its own and names the other registers as
 * well, and deletes some that both knew. */
static void alone(unsigned i, unsigned round)
{
    char name[32];
    char uri[40];

    for (unsigned k = 0; k < EACH; k++) {
        snprintf(uri, sizeof uri, "PYRO://10.0.0.%u:1/o%u", i, k);
        snprintf(name, sizeof name, "r%u-own%u-%u", round, i, k);
        assert_int_equal(reg(i, name, uri), PYRO_OK);
        snprintf(name, sizeof name, "r%u-both-%u", round, k);
        assert_int_equal(reg(i, name, uri), PYRO_OK);
    }
    if (round == 0)
        return;
    for (unsigned k = 0; k < 5; k++) {
        snprintf(name, sizeof name, "r%u-own%u-%u", round - 1, k % 2 + 1,
                 2 * k + i);
        assert_int_equal(call1(i, "unregister", name), PYRO_OK);
        deletions++;
    }
}

/* Every name is where it has to be; returns how many are there. */
static unsigned account(unsigned round)
{
    unsigned n = 0;
    char     name[32];

    for (unsigned i = 1; i < 3; i++) {
        for (unsigned k = 0; k < EACH; k++) {
            bool deleted = round + 1 < ROUNDS
                        && ((k >= 1 && k <= 9 && (k - 1) % 2 == 0
                             && ((k - 1) / 2) % 2 + 1 == i)
                            || (k >= 2 && k <= 10 && k % 2 == 0
                                && ((k - 2) / 2) % 2 + 1 == i));

            snprintf(name, sizeof name, "r%u-own%u-%u", round, i, k);
            test_eq(name, strcmp(resolve(1, name), "none") == 0, deleted);
            n += !deleted;
        }
    }
    for (unsigned k = 0; k < EACH; k++) {
        snprintf(name, sizeof name, "r%u-both-%u", round, k);
        assert_string_not_equal(resolve(1, name), "none");
        n++;
    }
    return n;
}

TEST(after_a_thousand_registrations_only_losers_are_missing)
{
    unsigned n = 0;
    uint32_t lost = 0;

    remember(1);
    remember(2);
    deletions = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bring_up(1);
        alone(1, round);
        bring_down(1);
        bring_up(2);
        alone(2, round);
        bring_up(1);
        converge();
        expect_equal();
        lost += side[1].server.stats.lost + side[2].server.stats.lost;
        bring_down(1);
        bring_down(2);
    }
    bring_up(1);
    bring_up(2);
    expect_peace();
    for (unsigned round = 0; round < ROUNDS; round++)
        n += account(round);
    test_eq("losers", lost, ROUNDS * EACH);
    test_eq("there", n, ROUNDS * 4 * EACH - lost - deletions);
    test_eq("names", side[2].server.stats.names, n + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(what_one_is_told_the_other_knows),
        PAIR_TEST(each_lists_itself_and_not_the_other),
        PAIR_TEST(one_that_starts_later_gets_all),
        PAIR_TEST(one_that_forgot_all_gets_it_again),
        PAIR_TEST(of_two_registrations_the_later_one_wins_on_both_sides),
        PAIR_TEST(a_lease_that_is_refreshed_at_one_lives_on_at_the_other),
        PAIR_TEST(a_deleted_group_goes_with_all_on_both_sides),
        PAIR_TEST(
            a_name_put_into_a_group_while_the_other_deletes_it_keeps_the_group),
        PAIR_TEST(resync_needs_the_other),
        PAIR_TEST(a_resync_ends_with_an_error_when_the_other_goes_meanwhile),
        PAIR_TEST(two_of_the_same_role_do_not_mix),
        PAIR_TEST(a_thousand_colliding_changes_with_kills_end_equal),
        PAIR_TEST(
            a_lease_refreshed_at_one_comes_back_to_the_other_that_was_cut_off),
        PAIR_TEST(what_was_sent_before_a_deletion_does_not_bring_it_back),
        PAIR_TEST(
            a_name_of_the_other_is_refused_when_its_groups_take_the_last_room),
        PAIR_TEST(
            what_belongs_to_the_server_itself_is_not_the_others_to_change),
        PAIR_TEST(names_that_came_and_went_need_no_room_after_a_restart),
        PAIR_TEST(malformed_entries_are_refused_and_change_nothing),
        PAIR_TEST(after_a_thousand_registrations_only_losers_are_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
