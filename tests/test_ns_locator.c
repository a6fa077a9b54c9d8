/* Datagrams, and the search for a name server. Node 0 asks, or answers; the
 * test plays everybody else with sockets of its own, unless a host is to be
 * asked over a connection: that is node 1. */
#define PYRO_NS_HOST_MS 5200 /* more tries for a buffer than 255 */
#define PYRO_GREET_MS   5300
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../pyro_ns.h"

#include "nodes.h"

enum { SOCKETS = 12, ME = 0x0A000009 };

#define NET 0xFFFFFF00u

#define NONCE "0123456789abcdef"

/* A machine with one socket, played by the test. */
struct host {
    pyro_port port;
    int32_t   udp;
};

static struct host     hosts[SOCKETS];
static unsigned        n_hosts;
static pyro_ns_config  config;
static pyro_ns_locator loc;
static unsigned        ended; /* searches that told so */

static struct host *host(uint32_t ip, uint16_t number)
{
    struct host *h = &hosts[n_hosts++];

    h->port = loop_port(&rig.net);
    loop_at(&rig.net, &h->port, ip, NET);
    h->udp = loop_udp_open(&h->port, 0, number);
    assert_true(h->udp >= 0);
    return h;
}

static void begin(void)
{
    rig_init(1);
    n_hosts = 0;
    ended = 0;
    memset(&config, 0, sizeof config);
    memset(&loc, 0, sizeof loc);
    loop_at(&rig.net, &rig.n[0].port, ME, NET);
    node_open(0, 6);
}

static void end(void)
{
    for (unsigned i = 0; i < n_hosts; i++)
        loop_close(&hosts[i].port, hosts[i].udp);
    rig_end();
}

static void on_end(void *user, pyro_ns_locator *l)
{
    assert_ptr_equal(user, &config);
    assert_ptr_equal(l, &loc);
    assert_true(l->err != PYRO_ERR_BUSY);
    ended++;
}

static void look_for(const char *name)
{
    assert_int_equal(pyro_ns_look(&loc, &rig.n[0].d, &config, name, on_end,
                                  &config),
                     PYRO_OK);
    test_eq("begun", loc.err, PYRO_ERR_BUSY);
    rig_spin(2);
}

static int32_t take(struct host *h, void *to, uint32_t n, pyro_udp *from)
{
    return loop_udp_recv(&h->port, h->udp, to, n, from);
}

/* Datagrams that wait at a host; takes them all. */
static unsigned drain(struct host *h)
{
    char     q[256];
    pyro_udp from;
    unsigned n = 0;

    while (take(h, q, sizeof q, &from) >= 0)
        n++;
    return n;
}

/* Who asks, as the last question at this host has it. */
static pyro_udp asker;
static char     question[300];

static void take_question(struct host *h)
{
    int32_t n = -1;
    int32_t m;

    while ((m = take(h, question, sizeof question, &asker)) >= 0)
        n = m;
    assert_true(n > 0);
    question[n] = 0;
}

static void tell(struct host *h, const void *data, size_t n)
{
    assert_true(loop_udp_send(&h->port, h->udp, &asker, data, (uint32_t)n));
    rig_spin(2);
}

/* Answers the question taken last with this address and object. */
static void answer(struct host *h, const char *text)
{
    char a[300];

    snprintf(a, sizeof a, "PYRO! %.16s %s", question + 6, text);
    tell(h, a, strlen(a));
}

/* ------------------------------------------------------------------------
 * Questions
 * ------------------------------------------------------------------------ */

TEST(a_question_goes_out_to_all_and_to_the_subnet_in_64_bytes)
{
    struct host *h;
    pyro_udp     from;
    char         q[2][300];
    char         want[64];

    begin();
    h = host(0x0A000005, 9090);
    look_for(NULL);
    memset(q, 0, sizeof q);
    test_eq("to all", take(h, q[0], sizeof q[0], &from), 64);
    test_eq("from", from.ip, ME);
    test_eq("to the subnet", take(h, q[1], sizeof q[1], &from), 64);
    test_eq("no more", take(h, q[1], 0, &from), -1);
    memset(want, 0, sizeof want);
    memcpy(want, "PYRO? ", 6);
    memcpy(want + 6, q[0] + 6, 16);
    memcpy(want + 22, " :Pyro.NameServer", 17);
    test_same("question", q[0], 64, want, 64);
    test_same("both are the same", q[1], 64, want, 64);
    for (unsigned i = 6; i < 22; i++)
        assert_non_null(strchr("0123456789abcdef", q[0][i]));
    pyro_ns_look_stop(&loc);
    look_for(NULL);
    take_question(h);
    assert_memory_not_equal(question + 6, q[0] + 6, 16);
    pyro_ns_look_stop(&loc);
    test_eq("told", ended, 0);
    end();
}

/* Where there is no network, those of this machine are reached all the same:
 * loopback has a broadcast address, too. */
TEST(a_question_goes_to_this_machine_as_well)
{
    struct host *h;

    begin();
    h = host(ME, 9090);
    look_for(NULL);
    test_eq("to all, the subnet, this machine", drain(h), 3);
    pyro_ns_look_stop(&loc);
    end();
}

TEST(a_configured_address_is_the_only_one_asked)
{
    struct host *h;
    struct host *other;

    begin();
    h = host(0x0A000005, 9090);
    other = host(0x0A000006, 9090);
    config.udp_ip = 0x0A000005;
    look_for(NULL);
    test_eq("there", drain(h), 1);
    test_eq("elsewhere", drain(other), 0);
    pyro_ns_look_stop(&loc);
    end();
}

TEST(any_other_name_is_asked_for_in_128_bytes_and_at_nobody_else)
{
    struct host *h;
    pyro_udp     from;
    char         q[300];
    char         name[PYRO_NS_MAX_NAME + 2];

    begin();
    h = host(0x0A000005, 7000);
    config.udp_port = 7000;
    config.tries = 1;
    memset(name, 'n', sizeof name);
    name[0] = ':';
    name[PYRO_NS_MAX_NAME + 1] = 0;
    test_eq("too long",
            pyro_ns_look(&loc, &rig.n[0].d, &config, name, NULL, NULL),
            PYRO_ERR_NAMING);
    name[PYRO_NS_MAX_NAME] = 0;
    look_for(name);
    test_eq("size", take(h, q, sizeof q, &from), 128);
    assert_string_equal(q + 23, name);
    for (size_t i = 23 + strlen(name); i < 128; i++)
        assert_int_equal(q[i], 0);
    rig_pass(PYRO_NS_WAIT_MS);
    test_eq("ended", loc.err, PYRO_ERR_NAMING);
    test_eq("told", ended, 1);
    test_eq("connections", rig.net.calls.connect, 0);
    assert_string_equal(loc.tried, "broadcast to UDP port 7000: no answer");
    end();
}

TEST(it_asks_three_times_ever_more_slowly_then_this_host_then_localhost)
{
    struct host *h;
    uint32_t     start;

    begin();
    h = host(0x0A000005, 9090);
    look_for(NULL);
    start = rig.net.clock_ms;
    test_eq("first", drain(h), 2);
    rig_pass(PYRO_NS_WAIT_MS - 1);
    test_eq("not yet", drain(h), 0);
    rig_pass(1);
    test_eq("second", drain(h), 2);
    rig_pass(2 * PYRO_NS_WAIT_MS - 1);
    test_eq("not yet", drain(h), 0);
    rig_pass(1);
    test_eq("third", drain(h), 2);
    rig_pass(4 * PYRO_NS_WAIT_MS - 1);
    test_eq("under way", loc.err, PYRO_ERR_BUSY);
    test_eq("connections", rig.net.calls.connect, 0);
    rig_pass(1);
    rig_spin(4);
    test_eq("ended", loc.err, PYRO_ERR_NAMING);
    test_eq("after", rig.net.clock_ms - start, 7 * PYRO_NS_WAIT_MS);
    test_eq("connections", rig.net.calls.connect, 2);
    test_eq("told", ended, 1);
    test_eq("no more", drain(h), 0);
    assert_string_equal(loc.tried,
                        "broadcast to UDP port 9090: no answer; "
                        "10.0.0.9:9090: no connection, or connection lost; "
                        "localhost:9090: no connection, or c...");
    end();
}

TEST(many_tries_do_not_wait_forever)
{
    struct host *h;
    unsigned     asked = 0;

    begin();
    config.tries = 255;
    h = host(0x0A000005, 9090);
    look_for(NULL);
    rig.step = 100;
    for (unsigned i = 0; i < 400; i++) {
        rig_pass(1000);
        asked += drain(h) / 2;
    }
    assert_true(asked > 10);
    test_eq("under way", loc.err, PYRO_ERR_BUSY);
    pyro_ns_look_stop(&loc);
    test_eq("stopped", loc.err, PYRO_ERR_NAMING);
    end();
}

/* ------------------------------------------------------------------------
 * Answers
 * ------------------------------------------------------------------------ */

TEST(an_answer_of_the_same_subnet_is_taken_after_a_moment)
{
    struct host *h;

    begin();
    h = host(0x0A000005, 9090);
    look_for(NULL);
    take_question(h);
    answer(h, ":9091 :Pyro.NameServer");
    rig_pass(PYRO_NS_WAIT_MS / 4 - 1);
    test_eq("waits for a better one", loc.err, PYRO_ERR_BUSY);
    rig_pass(1);
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.5:9091/:Pyro.NameServer");
    test_eq("told", ended, 1);
    test_eq("ignored", loc.ignored, 0);
    end();
}

TEST(an_answer_that_names_its_host_is_believed)
{
    static const char *const rows[][2] = {
        { "192.168.7.1:9090 :Pyro.NameServer",
          "PYRO://192.168.7.1:9090/:Pyro.NameServer" },
        { "box:1 x", "PYRO://box:1/x" },
        { "[fe80::1]:65535 0123456789abcdef0123456789abcdef",
          "PYRO://[fe80::1]:65535/0123456789abcdef0123456789abcdef" },
    };
    struct host *h;

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        begin();
        h = host(0x0A000005, 9090);
        look_for(NULL);
        take_question(h);
        answer(h, rows[i][0]);
        rig_pass(PYRO_NS_WAIT_MS / 4);
        test_eq(rows[i][0], loc.err, PYRO_OK);
        assert_string_equal(loc.uri, rows[i][1]);
        end();
    }
}

TEST(the_best_answer_wins_and_one_of_this_host_ends_it_at_once)
{
    struct host *far, *near, *near2, *here;
    pyro_udp     one = { 0x7F000001, 0 };

    begin();
    far = host(0x0A010005, 9090);
    near = host(0x0A000005, 9090);
    near2 = host(0x0A000006, 9090);
    here = host(ME, 9090);
    look_for(NULL);
    take_question(near);
    answer(far, ":1 far");
    answer(near, ":2 near");
    answer(near2, ":3 second");
    answer(far, ":4 late");
    assert_string_equal(loc.uri, "PYRO://10.0.0.5:2/near");
    test_eq("under way", loc.err, PYRO_ERR_BUSY);
    answer(here, ":5 here");
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:5/here");
    test_eq("told", ended, 1);
    assert_false(loop_udp_recv(&near->port, near->udp, question, 0, &one)
                 == 0);
    answer(near, ":6 too.late");
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:5/here");
    look_for(NULL);
    take_question(near);
    answer(far, ":1 far");
    rig_pass(PYRO_NS_WAIT_MS / 4);
    test_eq("only one", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.1.0.5:1/far");
    end();
}

/* What is registered there gets the address from which it was called. */
TEST(an_address_that_others_reach_as_well_is_better_than_loopback)
{
    struct host *near, *here;
    uint32_t     ip;

    begin();
    near = host(0x0A000005, 9090);
    here = host(ME, 9090);
    look_for(NULL);
    take_question(near);
    ip = asker.ip;
    answer(near, ":1 near");
    asker.ip = LOOP_LOCALHOST;
    answer(here, ":2 loopback");
    assert_string_equal(loc.uri, "PYRO://127.0.0.1:2/loopback");
    test_eq("under way", loc.err, PYRO_ERR_BUSY);
    asker.ip = ip;
    answer(here, ":3 here");
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:3/here");
    look_for(NULL);
    take_question(near);
    asker.ip = LOOP_LOCALHOST;
    answer(here, ":2 loopback");
    rig_pass(PYRO_NS_WAIT_MS / 4);
    test_eq("better than none", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://127.0.0.1:2/loopback");
    end();
}

static void expect_ignored(struct host *h, const char *row, const void *data,
                           size_t n)
{
    uint32_t before = loc.ignored;

    tell(h, data, n);
    test_eq(row, loc.ignored, before + 1);
    test_eq(row, loc.err, PYRO_ERR_BUSY);
    test_eq(row, loc.uri[0], 0);
}

/* %s is where the digits of the question go. */
TEST(what_is_no_answer_to_the_question_is_counted_and_changes_nothing)
{
    static const char *const rows[] = {
        "",
        "P",
        "PYRO! %s",
        "PYRO! %s ",
        "PYRO! %s :",
        "PYRO! %s :9090",
        "PYRO! %s :9090 ",
        "PYRO! %s 10.0.0.1:9090/x",
        "PYRO! %s :9090  x",
        "PYRO! %s :9090 x y",
        "PYRO! %s :9090 x\n",
        "PYRO! %s :0 x",
        "PYRO! %s :65536 x",
        "PYRO! %s :99999999999999999999 x",
        "PYRO! %s :-1 x",
        "PYRO! %s : x",
        "PYRO! %s 10.0.0.1 x",
        "PYRO! %s [::1:9090 x",
        "PYRO! %s a b:9090 x",
        "PYRO! %s a\x01:9090 x",
        "PYRO! %s :9090 \xC3\xA9",
        "PYRO! %s 0123456789012345678901234567890123456789012345678901234567"
        "89012345678901234567890:1 x",
        "PYRO! %s :9090 abcdefghijklmnopqrstuvwxyzabcdefghijk",
        "PYRO! 0000000000000000 :9090 x",
        "PYRO? %s :9090 x",
        "PYRO!  %s :9090 x",
        "pyro! %s :9090 x",
        "PYRO! %s\t:9090 x",
    };
    char         a[400];
    struct host *h;

    begin();
    h = host(0x0A000005, 9090);
    look_for(NULL);
    take_question(h);
    question[22] = 0;
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        /* clang-format off */
        const char *at = strstr(rows[i], "%s");
        int         head = at != NULL ? (int)(at - rows[i]) : 0;

        snprintf(a, sizeof a, "%.*s%s%s", head, rows[i],
                 at != NULL ? question + 6 : "",
                 at != NULL ? at + 2 : rows[i]);
        /* clang-format on */
        expect_ignored(h, rows[i], a, strlen(a));
    }
    snprintf(a, sizeof a, "PYRO! %s :9090 x", question + 6);
    expect_ignored(h, "a zero byte behind", a, strlen(a) + 1);
    memset(a + strlen(a), 'y', sizeof a - strlen(a));
    for (size_t n = 80; n < sizeof a; n++)
        expect_ignored(h, "long", a, n);
    snprintf(a, sizeof a, "PYRO! %s :9090 x", question + 6);
    tell(h, a, strlen(a));
    assert_string_equal(loc.uri, "PYRO://10.0.0.5:9090/x");
    pyro_ns_look_stop(&loc);
    end();
}

TEST(answers_of_any_bytes_and_any_size_are_harmless)
{
    uint32_t     seed = 7;
    uint8_t      a[300];
    struct host *h;

    begin();
    h = host(0x0A000005, 9090);
    look_for(NULL);
    take_question(h);
    for (unsigned i = 0; i < 3000; i++) {
        size_t n = test_random(&seed) % sizeof a;

        for (size_t k = 0; k < n; k++)
            a[k] = (uint8_t)test_random(&seed);
        if (n > 23 && i % 2 == 0) {
            memcpy(a, question, 23);
            a[4] = '!';
        }
        tell(h, a, n);
        if (loc.err != PYRO_ERR_BUSY)
            look_for(NULL);
        drain(h);
    }
    assert_true(loc.ignored > 2000);
    pyro_ns_look_stop(&loc);
    end();
}

/* ------------------------------------------------------------------------
 * Hosts: node 1 has an object that answers as a name server does.
 * ------------------------------------------------------------------------ */

static const char *resolved; /* what it answers; NULL: raises */
static unsigned    pings;

static void fake_ping(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
    pings++;
}

static void fake_resolve(void *self, pyro_call *call)
{
    uint32_t n;

    (void)self;
    (void)pyro_get_str(&call->args, &n);
    if (resolved == NULL)
        pyro_raise(call, "NamingError", "name not found: calc");
    else
        pyro_put_str(&call->result, resolved);
}

static const pyro_method fake_methods[] = {
    { "ping", fake_ping, "", "", 0 }, { "resolve", fake_resolve, "s", "s", 0 }
};
static const pyro_class fake_class = { "NameServer",
                                       PYRO_METHODS(fake_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void server_at(uint32_t ip, const char *address)
{
    pings = 0;
    resolved = NULL;
    loop_at(&rig.net, &rig.n[1].port, ip, NET);
    node_open(1, 6);
    assert_int_equal(pyro_listen(&rig.n[1].d, &rig.n[1].port, address),
                     PYRO_OK);
    assert_int_equal(pyro_export(&rig.n[1].d, &fake_class, &pings,
                                 PYRO_NS_NAME),
                     PYRO_OK);
    node_run(1);
}

static void finish(void)
{
    for (unsigned i = 0; i < 20000 && loc.err == PYRO_ERR_BUSY; i++)
        rig_pass(1);
    test_eq("told", ended, 1);
}

TEST(a_list_of_hosts_is_asked_in_order_and_by_connection_only)
{
    static const struct {
        const char *hosts, *uri;
    } rows[] = {
        { "10.0.0.5", "PYRO://10.0.0.5:9090/:Pyro.NameServer" },
        { "  10.0.0.5  ", "PYRO://10.0.0.5:9090/:Pyro.NameServer" },
        { "box", "PYRO://box:9090/:Pyro.NameServer" },
        { "box:9090 box:1", "PYRO://box:9090/:Pyro.NameServer" },
        { "box:1 box:2 [::1]:9090", "PYRO://[::1]:9090/:Pyro.NameServer" },
        { "[fe80::1]", "PYRO://[fe80::1]:9090/:Pyro.NameServer" },
        { "PYRO://box:7701/:Pyro.NameServer",
          "PYRO://box:7701/:Pyro.NameServer" },
        { "PYROLOC://box:7701/:Pyro.NameServer",
          "PYROLOC://box:7701/:Pyro.NameServer" },
        { "10.0.0.5:7701", "PYRO://10.0.0.5:7701/:Pyro.NameServer" },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        begin();
        server_at(0x0A000005, "*:9090");
        config.hosts = rows[i].hosts;
        look_for(NULL);
        finish();
        test_eq(rows[i].hosts, loc.err, PYRO_OK);
        assert_string_equal(loc.uri, rows[i].uri);
        test_eq("asked", pings, 1);
        test_eq("datagrams", rig.net.calls.udp_send, 0);
        end();
    }
}

TEST(hosts_that_are_none_are_told_and_passed_over)
{
    static const char *const rows[][2] = {
        { "PYRONAME://x", "host PYRONAME://x: not a URI" },
        { "::1", "::1:" },
        { "a:b:c", "a:b:c" },
        { "box:0", "box:0" },
        { "box:", "box:" },
        { "box:99999", "box:99999" },
        { "[::1", "[::1" },
        { "a@b", "a@b" },
        { "PYRO://box:1/x", "PYRO://box:1/x: no connection, or" },
        { "PYRO://box:7701/thing", "PYRO://box:7701/thing: " },
        { "PYRO://aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee:9090/"
          "ffffffffffgggggggggghhhhhhhhhh000011112222333344445555666677778888",
          "host PYRO://aaaaaaaaaabbbbbbbbbbcccccccccc" },
        { "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
          "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff",
          "host aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd: not a URI" },
        { "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
          "gggggggggg",
          "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd" },
    };
    char list[200];

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        begin();
        server_at(0x0A000005, "*:9090");
        snprintf(list, sizeof list, "%s", rows[i][0]);
        config.hosts = list;
        look_for(NULL);
        finish();
        test_eq(rows[i][0], loc.err, PYRO_ERR_NAMING);
        if (strstr(loc.tried, rows[i][1]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", rows[i][1], loc.tried);
        snprintf(list, sizeof list, "%s box", rows[i][0]);
        ended = 0;
        look_for(NULL);
        finish();
        test_eq(list, loc.err, PYRO_OK);
        end();
    }
}

TEST(a_list_without_hosts_ends_at_once)
{
    static const char *const rows[] = { "", " ", "    " };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        begin();
        config.hosts = rows[i];
        look_for(NULL);
        finish();
        test_eq("ended", loc.err, PYRO_ERR_NAMING);
        assert_string_equal(loc.tried, "");
        test_eq("connections", rig.net.calls.connect, 0);
        end();
    }
}

TEST(a_host_that_is_silent_is_given_up_after_its_time)
{
    uint32_t start;

    begin();
    server_at(0x0A000005, "*:9090");
    peer_listen(); /* accepts, and says nothing */
    config.hosts = "box:7703 box";
    look_for(NULL);
    start = rig.net.clock_ms;
    finish();
    test_eq("found", loc.err, PYRO_OK);
    assert_true(rig.net.clock_ms - start >= PYRO_NS_HOST_MS);
    assert_true(rig.net.clock_ms - start < PYRO_NS_HOST_MS + 50);
    assert_string_equal(loc.tried, "box:7703: no answer in time");
    loop_close(&rig.n[3].port, peer.listener);
    end();
}

TEST(without_broadcast_only_this_host_is_asked)
{
    begin();
    loop_at(&rig.net, &rig.n[1].port, ME, NET);
    server_at(ME, "*:9090");
    config.no_broadcast = true;
    look_for(NULL);
    finish();
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:9090/:Pyro.NameServer");
    test_eq("datagrams", rig.net.calls.udp_send, 0);
    test_eq("sockets", rig.net.udp_born, 0);
    end();
}

TEST(a_port_without_datagrams_or_interfaces_asks_localhost)
{
    begin();
    rig.n[0].port.udp_open = NULL;
    rig.n[0].port.udp_send = NULL;
    rig.n[0].port.udp_recv = NULL;
    rig.n[0].port.net = NULL;
    server_at(0x0A000005, "*:9090");
    look_for(NULL);
    finish();
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://localhost:9090/:Pyro.NameServer");
    assert_string_equal(loc.tried,
                        "broadcast to UDP port 9090: not possible here");
    end();
}

TEST(a_network_that_takes_no_datagram_leads_to_this_host)
{
    begin();
    server_at(0x0A000005, "*:9090");
    rig.net.udp_block = 1000;
    look_for(NULL);
    finish();
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://localhost:9090/:Pyro.NameServer");
    end();
}

TEST(the_name_server_of_a_host_is_asked_for_a_name)
{
    begin();
    server_at(0x0A000005, "*:9090");
    config.hosts = "box";
    resolved = "PYRO://10.0.0.7:7766/calc";
    look_for(":lab.calc");
    finish();
    test_eq("found", loc.err, PYRO_OK);
    assert_string_equal(loc.uri, resolved);
    end();
}

TEST(a_name_that_its_server_does_not_know_is_not_found)
{
    static const char *const rows[][2] = {
        { NULL, "box:9090: name not found: calc" },
        { "", "box:9090: " },
        { "nonsense", "box:9090: " },
        { "PYRO://0123456789012345678901234567890123456789012345678901234567"
          "8901234567890123456789012345678901234567890123456789:1/x",
          "box:9090: " },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        begin();
        server_at(0x0A000005, "*:9090");
        config.hosts = "box";
        resolved = rows[i][0];
        look_for(":lab.calc");
        finish();
        test_eq("not found", loc.err, PYRO_ERR_NAMING);
        if (strncmp(loc.tried, rows[i][1], strlen(rows[i][1])) != 0)
            fail_msg("%s", loc.tried);
        end();
    }
}

TEST(a_host_that_refuses_every_call_is_not_it)
{
    begin();
    node_open(1, 6); /* listens, has no such object */
    node_run(1);
    config.hosts = "box:7701";
    look_for(NULL);
    finish();
    test_eq("not it", loc.err, PYRO_ERR_NAMING);
    assert_non_null(strstr(loc.tried, "box:7701: "));
    end();
}

/* Node 0 has 3 buffers: a call that is deferred leaves none for another. */
TEST(without_a_buffer_it_tries_again_until_there_is_one)
{
    pyro_request held[4];
    pyro_proxy   proxy;
    unsigned     n = 0;

    begin();
    node_close(0);
    node_open(0, 3);
    server_at(0x0A000005, "*:9090");
    node_proxy(0, &proxy, 1);
    while (n < PYRO_COUNT(held)
           && pyro_begin(&held[n], &proxy, "later") == PYRO_OK) {
        pyro_put_int(&held[n].args, 7);
        pyro_deadline(&held[n], 300);
        n++;
    }
    assert_true(n > 0 && n < PYRO_COUNT(held));
    config.hosts = "box";
    look_for(NULL);
    test_eq("waits", loc.err, PYRO_ERR_BUSY);
    test_eq("asked", pings, 0);
    while (n > 0)
        pyro_cancel(&held[--n]);
    finish();
    test_eq("found", loc.err, PYRO_OK);
    test_eq("asked", pings, 1);
    pyro_proxy_close(&proxy);
    end();
}

TEST(without_a_buffer_for_good_it_ends)
{
    pyro_request held[4];
    pyro_proxy   proxy;
    unsigned     n = 0;
    uint32_t     start;

    begin();
    node_close(0);
    node_open(0, 3);
    server_at(0x0A000005, "*:9090");
    node_proxy(0, &proxy, 1);
    while (n < PYRO_COUNT(held)
           && pyro_begin(&held[n], &proxy, "later") == PYRO_OK)
        n++;
    config.hosts = "box";
    start = rig.net.clock_ms;
    look_for(NULL);
    finish();
    test_eq("ended", loc.err, PYRO_ERR_NAMING);
    assert_true(rig.net.clock_ms - start <= PYRO_NS_HOST_MS + 50);
    while (n > 0)
        pyro_cancel(&held[--n]);
    pyro_proxy_close(&proxy);
    end();
}

/* ------------------------------------------------------------------------
 * Beginning, waiting, stopping
 * ------------------------------------------------------------------------ */

TEST(without_a_port_there_is_nothing_to_look_with)
{
    static PYRO_ROOM(1, 3, 128, 0) room;
    static pyro_daemon node;

    memset(&loc, 0, sizeof loc);
    assert_int_equal(pyro_open(&node, PYRO_ROOM_OF(room), NULL), PYRO_OK);
    test_eq("look", pyro_ns_look(&loc, &node, NULL, NULL, NULL, NULL),
            PYRO_ERR_STATE);
    test_eq("locate", pyro_ns_locate(&loc, &node, NULL, NULL), PYRO_ERR_STATE);
    pyro_ns_look_stop(&loc);
    pyro_close(&node);
}

TEST(a_search_that_waits_serves_meanwhile_and_says_what_it_found)
{
    begin();
    server_at(0x0A000005, "*:9090");
    config.hosts = "box:1 box";
    test_eq("found", pyro_ns_locate(&loc, &rig.n[0].d, &config, NULL),
            PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://box:9090/:Pyro.NameServer");
    config.hosts = "box:1 box:2";
    test_eq("none", pyro_ns_locate(&loc, &rig.n[0].d, &config, NULL),
            PYRO_ERR_NAMING);
    assert_string_equal(loc.tried, "box:1: no connection, or connection lost; "
                                   "box:2: no connection, or connection lost");
    node_close(1);
    test_eq("by broadcast", pyro_ns_locate(&loc, &rig.n[0].d, NULL, NULL),
            PYRO_ERR_NAMING);
    end();
}

TEST(a_clock_that_stands_still_ends_a_search_that_waits)
{
    begin();
    rig.frozen = true;
    test_eq("ended", pyro_ns_locate(&loc, &rig.n[0].d, NULL, NULL),
            PYRO_ERR_STATE);
    test_eq("stopped", loc.err, PYRO_ERR_NAMING);
    rig.frozen = false;
    end();
}

TEST(a_search_can_be_stopped_at_any_time_and_leaves_nothing)
{
    for (unsigned at = 0; at < 240; at++) {
        begin();
        server_at(0x0A000005, "*:9090");
        peer_listen();
        config.hosts = at % 2 == 0 ? "box:1 box:7703 box:2 box" : NULL;
        assert_int_equal(pyro_ns_look(&loc, &rig.n[0].d, &config, NULL, on_end,
                                      &config),
                         PYRO_OK);
        rig.step = 3;
        for (unsigned i = 0; i < at * 2 && loc.err == PYRO_ERR_BUSY; i++)
            pyro_poll(&rig.n[0].d, 1);
        pyro_ns_look_stop(&loc);
        if (ended == 0) {
            test_eq("stopped", loc.err, PYRO_ERR_NAMING);
            rig_pass(PYRO_NS_HOST_MS);
            test_eq("told", ended, 0);
        }
        pyro_ns_look_stop(&loc);
        loop_close(&rig.n[3].port, peer.listener);
        end();
    }
}

static void look_again(void *user, pyro_ns_locator *l)
{
    (void)user;
    if (++ended < 3)
        assert_int_equal(pyro_ns_look(l, &rig.n[0].d, &config, NULL,
                                      look_again, NULL),
                         PYRO_OK);
}

TEST(whoever_is_told_may_look_again_at_once)
{
    begin();
    server_at(0x0A000005, "*:9090");
    config.hosts = "box";
    assert_int_equal(pyro_ns_look(&loc, &rig.n[0].d, &config, NULL, look_again,
                                  NULL),
                     PYRO_OK);
    test_eq("not before a poll", ended, 0);
    rig_pass(20);
    test_eq("told", ended, 3);
    test_eq("asked", pings, 3);
    test_eq("found", loc.err, PYRO_OK);
    end();
}

TEST(a_daemon_that_is_closed_ends_a_search_in_silence)
{
    begin();
    server_at(0x0A000005, "*:9090");
    config.hosts = "box:9090";
    assert_int_equal(pyro_ns_look(&loc, &rig.n[0].d, &config, NULL, NULL,
                                  NULL),
                     PYRO_OK);
    rig_spin(1);
    node_close(0);
    pyro_ns_look_stop(&loc);
    end();
}

/* ------------------------------------------------------------------------
 * Who answers: node 0
 * ------------------------------------------------------------------------ */

static pyro_ns_answerer who;
static const char      *object_of; /* NULL: not ours */
static char             asked_name[PYRO_NS_MAX_NAME + 1];
static uint32_t         refused_ip;

static bool find(void *user, uint32_t ip, const char *name, char object[33])
{
    assert_ptr_equal(user, &who);
    strcpy(asked_name, name);
    if (object_of == NULL || ip == refused_ip)
        return false;
    strcpy(object, object_of);
    return true;
}

static void answers(const char *listener)
{
    rig_init(1);
    n_hosts = 0;
    object_of = PYRO_NS_NAME;
    refused_ip = 0;
    loop_at(&rig.net, &rig.n[0].port, ME, NET);
    node_open_bare(0, 6, 0);
    if (listener != NULL)
        assert_int_equal(pyro_listen(&rig.n[0].d, &rig.n[0].port, listener),
                         PYRO_OK);
    assert_int_equal(pyroi_ns_answerer_open(&who, &rig.n[0].d, 0, 9090, find,
                                            &who),
                     PYRO_OK);
}

static void answers_end(void)
{
    pyroi_ns_answerer_close(&who);
    end();
}

/* Sends a question to node 0 and takes the answer: its size, or -1. */
static int32_t put_to(struct host *h, const void *q, size_t n, char *a,
                      uint32_t size)
{
    pyro_udp to = { ME, 9090 };
    int32_t  got;

    assert_true(loop_udp_send(&h->port, h->udp, &to, q, (uint32_t)n));
    rig_spin(1);
    got = take(h, a, size, &to);
    if (got >= 0 && (uint32_t)got < size)
        a[got] = 0;
    return got;
}

/* A question for `name` in n bytes. */
static char *asks(const char *name, size_t n)
{
    static char q[300];

    assert_true(n < sizeof q);
    memset(q, 0, sizeof q);
    snprintf(q, sizeof q, "PYRO? %s %s", NONCE, name);
    return q;
}

TEST(a_question_is_answered_with_port_and_object)
{
    struct host *h;
    char         a[200];

    answers("*:7766");
    h = host(0x0A000005, 0);
    test_eq("size", put_to(h, asks(PYRO_NS_NAME, 64), 64, a, sizeof a), 45);
    assert_string_equal(a, "PYRO! " NONCE " :7766 :Pyro.NameServer");
    assert_string_equal(asked_name, PYRO_NS_NAME);
    test_eq("answered", who.answered, 1);
    test_eq("ignored", who.ignored, 0);
    object_of = "0123456789abcdef0123456789abcdef";
    put_to(h, asks(":a", 100), 100, a, sizeof a);
    assert_string_equal(a, "PYRO! " NONCE
                           " :7766 0123456789abcdef0123456789abcdef");
    assert_string_equal(asked_name, ":a");
    answers_end();
}

TEST(the_host_is_named_when_only_one_address_is_listened_at)
{
    static const struct {
        const char *listener;
        const char *near, *here; /* answers; NULL: none */
    } rows[] = {
        { "*:7766", " :7766 x", " :7766 x" },
        { "0.0.0.0:7766", " :7766 x", " :7766 x" },
        { "[::]:7766", " :7766 x", " :7766 x" },
        { "10.0.1.9:7766", " 10.0.1.9:7766 x", " 10.0.1.9:7766 x" },
        { "127.0.0.1:7766", NULL, " 127.0.0.1:7766 x" },
        { "[::1]:7766", NULL, " [::1]:7766 x" },
        { "unix:/run/x", NULL, NULL },
        { "nothing", NULL, NULL },
        { NULL, NULL, NULL },
    };
    char a[200];

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        struct host *near, *here;
        const char  *row = rows[i].listener != NULL ? rows[i].listener : "-";

        answers(rows[i].listener);
        near = host(0x0A000005, 0);
        here = host(ME, 0);
        object_of = "x";
        test_eq(row, put_to(near, asks("y", 64), 64, a, sizeof a) >= 0,
                rows[i].near != NULL);
        if (rows[i].near != NULL)
            assert_string_equal(a + 22, rows[i].near);
        test_eq(row, put_to(here, asks("y", 64), 64, a, sizeof a) >= 0,
                rows[i].here != NULL);
        if (rows[i].here != NULL)
            assert_string_equal(a + 22, rows[i].here);
        test_eq(row, who.answered + who.ignored, 2);
        answers_end();
    }
}

TEST(an_answer_is_never_longer_than_the_question)
{
    struct host *h;
    char         a[200];

    for (size_t n = 24; n < 64; n++) {
        answers("*:7766");
        h = host(0x0A000005, 0);
        test_eq("answered", put_to(h, asks(":", n), n, a, sizeof a),
                n < 45 ? -1 : 45);
        test_eq("counted", who.ignored, n < 45);
        answers_end();
    }
}

TEST(every_byte_of_a_question_counts)
{
    struct host *h;
    char         a[200];
    char         q[64];
    unsigned     counted = 0;

    answers("*:7766");
    h = host(0x0A000005, 0);
    for (unsigned at = 0; at < 64; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool digit = at >= 6 && at < 22;
            bool name = at >= 23 && at < 39;

            memcpy(q, asks(PYRO_NS_NAME, 64), 64);
            q[at] = (char)(q[at] ^ 1 << bit);
            object_of = strcmp(q + 23, PYRO_NS_NAME) == 0 ? "x" : NULL;
            rig.net.clock_ms += 1000;
            if (digit && strchr("0123456789abcdef", q[at]) != NULL) {
                assert_true(put_to(h, q, 64, a, sizeof a) > 0);
                assert_memory_equal(a + 6, q + 6, 16);
                continue;
            }
            (void)name;
            test_eq("answer", put_to(h, q, 64, a, sizeof a), -1);
            test_eq("ignored", who.ignored, ++counted);
        }
    }
    answers_end();
}

TEST(questions_of_any_size_and_content_are_harmless)
{
    struct host *h;
    uint32_t     seed = 3;
    uint32_t     n_sent = 0;
    uint8_t      q[300];
    char         a[400];

    answers("*:7766");
    h = host(0x0A000005, 0);
    for (size_t n = 0; n < sizeof q; n++) {
        for (unsigned form = 0; form < 3; form++) {
            for (size_t k = 0; k < n; k++)
                q[k] = (uint8_t)(form == 0 ? test_random(&seed) : 'x');
            if (form == 2 && n > 23)
                memcpy(q, asks("", 64), 23);
            rig.net.clock_ms += 1000;
            assert_true(put_to(h, q, n, a, sizeof a) <= (int32_t)n);
            n_sent++;
        }
    }
    test_eq("all counted", who.answered + who.ignored, n_sent);
    /* form 2 is a question while the name has 1 to PYRO_NS_MAX_NAME bytes */
    assert_true(who.answered > 0 && who.answered <= PYRO_NS_MAX_NAME);
    answers_end();
}

TEST(no_more_than_so_many_answers_a_second_go_to_one_address)
{
    struct host *a_host, *b_host;
    char         a[200];

    answers("*:7766");
    a_host = host(0x0A000005, 0);
    b_host = host(0x0A000006, 0);
    for (unsigned second = 0; second < 3; second++) {
        for (unsigned i = 0; i < PYRO_NS_ANSWERS; i++)
            assert_true(put_to(a_host, asks("x", 64), 64, a, sizeof a) > 0);
        rig.net.clock_ms += 999;
        test_eq("one more", put_to(a_host, asks("x", 64), 64, a, sizeof a),
                -1);
        test_eq("limited", who.limited, second + 1);
        assert_true(put_to(b_host, asks("x", 64), 64, a, sizeof a) > 0);
        rig.net.clock_ms += 1;
    }
    test_eq("answered", who.answered, 3 * (PYRO_NS_ANSWERS + 1));
    answers_end();
}

TEST(more_addresses_than_can_be_told_apart_are_not_answered)
{
    struct host *h[PYRO_NS_ASKERS + 1];
    char         a[200];

    answers("*:7766");
    for (unsigned i = 0; i <= PYRO_NS_ASKERS; i++)
        h[i] = host(0x0A000010 + i, 0);
    for (unsigned i = 0; i <= PYRO_NS_ASKERS; i++)
        test_eq("answered", put_to(h[i], asks("x", 64), 64, a, sizeof a) > 0,
                i < PYRO_NS_ASKERS);
    test_eq("limited", who.limited, 1);
    assert_true(put_to(h[0], asks("x", 64), 64, a, sizeof a) > 0);
    rig.net.clock_ms += 1000;
    assert_true(put_to(h[PYRO_NS_ASKERS], asks("x", 64), 64, a, sizeof a) > 0);
    answers_end();
}

TEST(addresses_may_be_left_unanswered)
{
    struct host *a_host, *b_host;
    char         a[200];

    answers("*:7766");
    a_host = host(0x0A000005, 0);
    b_host = host(0x0A000006, 0);
    refused_ip = 0x0A000005;
    test_eq("refused", put_to(a_host, asks("x", 64), 64, a, sizeof a), -1);
    assert_true(put_to(b_host, asks("x", 64), 64, a, sizeof a) > 0);
    test_eq("ignored", who.ignored, 1);
    object_of = NULL;
    test_eq("not ours", put_to(b_host, asks("x", 64), 64, a, sizeof a), -1);
    test_eq("ignored", who.ignored, 2);
    answers_end();
}

TEST(an_answer_that_cannot_be_sent_is_counted)
{
    struct host *h;
    pyro_udp     to = { ME, 9090 };
    char         a[200];

    answers("*:7766");
    h = host(0x0A000005, 0);
    assert_true(loop_udp_send(&h->port, h->udp, &to, asks("x", 64), 64));
    rig.net.udp_block = 1;
    rig_spin(1);
    test_eq("none", take(h, a, sizeof a, &to), -1);
    test_eq("ignored", who.ignored, 1);
    answers_end();
}

TEST(a_udp_port_that_cannot_be_opened_is_told)
{
    begin();
    rig.n[0].port.udp_open = NULL;
    memset(&who, 0xAA, sizeof who);
    test_eq("open",
            pyroi_ns_answerer_open(&who, &rig.n[0].d, 0, 9090, find, &who),
            PYRO_ERR_DAEMON);
    assert_string_equal(rig.n[0].d.why.text, "cannot open the UDP port");
    test_eq("number", rig.n[0].d.why.is, 9090);
    pyroi_ns_answerer_close(&who);
    end();
}

/* A poll takes a few datagrams at most; the rest is for the next. */
TEST(a_flood_of_datagrams_does_not_hold_a_poll)
{
    struct host *h;
    pyro_udp     to = { ME, 9090 };
    uint32_t     before;

    answers("*:7766");
    h = host(0x0A000005, 0);
    for (unsigned i = 0; i < LOOP_QUEUE; i++)
        assert_true(loop_udp_send(&h->port, h->udp, &to, "flood", 5));
    before = rig.net.calls.udp_recv;
    pyro_poll(&rig.n[0].d, 0);
    assert_true(rig.net.calls.udp_recv - before <= 8);
    rig_spin(4);
    test_eq("all were counted", who.ignored, LOOP_QUEUE);
    answers_end();
}

/* The two halves together, on two machines. */
TEST(who_asks_and_who_answers_find_each_other)
{
    begin();
    loop_at(&rig.net, &rig.n[1].port, 0x0A000005, NET);
    node_open(1, 6);
    object_of = PYRO_NS_NAME;
    refused_ip = 0;
    assert_int_equal(pyroi_ns_answerer_open(&who, &rig.n[1].d, 0, 9090, find,
                                            &who),
                     PYRO_OK);
    node_run(1);
    test_eq("found", pyro_ns_locate(&loc, &rig.n[0].d, NULL, NULL), PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.5:7701/:Pyro.NameServer");
    rig.net.udp_lose = 30;
    for (unsigned i = 0; i < 20; i++) {
        rig_pass(1000);
        if (pyro_ns_locate(&loc, &rig.n[0].d, NULL, NULL) == PYRO_OK)
            ended++;
    }
    assert_true(ended >= 15);
    node_stop(1);
    pyroi_ns_answerer_close(&who);
    end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_question_goes_out_to_all_and_to_the_subnet_in_64_bytes),
        cmocka_unit_test(a_question_goes_to_this_machine_as_well),
        cmocka_unit_test(
            any_other_name_is_asked_for_in_128_bytes_and_at_nobody_else),
        cmocka_unit_test(
            it_asks_three_times_ever_more_slowly_then_this_host_then_localhost),
        cmocka_unit_test(many_tries_do_not_wait_forever),
        cmocka_unit_test(an_answer_of_the_same_subnet_is_taken_after_a_moment),
        cmocka_unit_test(an_answer_that_names_its_host_is_believed),
        cmocka_unit_test(
            the_best_answer_wins_and_one_of_this_host_ends_it_at_once),
        cmocka_unit_test(
            an_address_that_others_reach_as_well_is_better_than_loopback),
        cmocka_unit_test(
            what_is_no_answer_to_the_question_is_counted_and_changes_nothing),
        cmocka_unit_test(answers_of_any_bytes_and_any_size_are_harmless),
        cmocka_unit_test(
            a_list_of_hosts_is_asked_in_order_and_by_connection_only),
        cmocka_unit_test(hosts_that_are_none_are_told_and_passed_over),
        cmocka_unit_test(a_list_without_hosts_ends_at_once),
        cmocka_unit_test(a_host_that_is_silent_is_given_up_after_its_time),
        cmocka_unit_test(a_configured_address_is_the_only_one_asked),
        cmocka_unit_test(without_broadcast_only_this_host_is_asked),
        cmocka_unit_test(
            a_port_without_datagrams_or_interfaces_asks_localhost),
        cmocka_unit_test(a_network_that_takes_no_datagram_leads_to_this_host),
        cmocka_unit_test(the_name_server_of_a_host_is_asked_for_a_name),
        cmocka_unit_test(a_name_that_its_server_does_not_know_is_not_found),
        cmocka_unit_test(a_host_that_refuses_every_call_is_not_it),
        cmocka_unit_test(without_a_buffer_it_tries_again_until_there_is_one),
        cmocka_unit_test(without_a_buffer_for_good_it_ends),
        cmocka_unit_test(without_a_port_there_is_nothing_to_look_with),
        cmocka_unit_test(
            a_search_that_waits_serves_meanwhile_and_says_what_it_found),
        cmocka_unit_test(a_clock_that_stands_still_ends_a_search_that_waits),
        cmocka_unit_test(
            a_search_can_be_stopped_at_any_time_and_leaves_nothing),
        cmocka_unit_test(whoever_is_told_may_look_again_at_once),
        cmocka_unit_test(a_daemon_that_is_closed_ends_a_search_in_silence),
        cmocka_unit_test(a_question_is_answered_with_port_and_object),
        cmocka_unit_test(
            the_host_is_named_when_only_one_address_is_listened_at),
        cmocka_unit_test(an_answer_is_never_longer_than_the_question),
        cmocka_unit_test(every_byte_of_a_question_counts),
        cmocka_unit_test(questions_of_any_size_and_content_are_harmless),
        cmocka_unit_test(
            no_more_than_so_many_answers_a_second_go_to_one_address),
        cmocka_unit_test(
            more_addresses_than_can_be_told_apart_are_not_answered),
        cmocka_unit_test(addresses_may_be_left_unanswered),
        cmocka_unit_test(an_answer_that_cannot_be_sent_is_counted),
        cmocka_unit_test(a_udp_port_that_cannot_be_opened_is_told),
        cmocka_unit_test(a_flood_of_datagrams_does_not_hold_a_poll),
        cmocka_unit_test(who_asks_and_who_answers_find_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
