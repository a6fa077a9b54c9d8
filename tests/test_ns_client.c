/* The client of the name server. Node 0 is the client, in the test itself;
 * nodes 1 and 2 are name servers, alone or a pair, node 3 is anybody else. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../pyro_ns.h"

#include "nodes.h"

#define NET 0xFFFFFF00u

enum { FAR_IP = 0x0A000005, TTL = 6000 };

static PYRO_NS_ROOM(60, 6000) rooms[NODES];
static pyro_ns_server        servers[NODES];
static pyro_ns_server_config server_configs[NODES];
static pyro_ns_config        configs[NODES];
static pyro_ns               clients[NODES];
static pyro_err              result; /* of a job */

#define ns (&clients[0])
#define me (&rig.n[0].d)

/* What the client told, in order: "F R:calc ". */
static char told[600];

static void on_event(void *user, pyro_ns_event event, const char *text)
{
    static const char letters[] = "FLRX";

    assert_ptr_equal(user, told);
    assert_non_null(text);
    snprintf(told + strlen(told), sizeof told - strlen(told), "%c:%s ",
             letters[event], text);
}

static uint32_t ip_of(unsigned i)
{
    return 0x0A000001u + i;
}

static void begin(void)
{
    rig_init(1);
    memset(servers, 0, sizeof servers);
    memset(server_configs, 0, sizeof server_configs);
    memset(clients, 0, sizeof clients);
    memset(configs, 0, sizeof configs);
    told[0] = 0;
    for (unsigned i = 0; i < NODES; i++) {
        loop_at(&rig.net, &rig.n[i].port, ip_of(i), NET);
        configs[i].ttl_ms = TTL;
    }
    configs[0].event = on_event;
    configs[0].user = told;
    node_open(0, 6);
}

static void serve(unsigned i)
{
    node_open(i, 8);
    assert_int_equal(pyro_ns_serve(&servers[i], &rig.n[i].d,
                                   PYRO_NS_ROOM_OF(rooms[i]),
                                   &server_configs[i]),
                     PYRO_OK);
    node_run(i);
}

static void pair(void)
{
    server_configs[1].twin = "PYRO://10.0.0.3:7702/:Pyro.NameServer";
    server_configs[2].twin = "PYRO://10.0.0.2:7701/:Pyro.NameServer";
    server_configs[1].role = 1;
    server_configs[2].role = 2;
    serve(1);
    serve(2);
}

static void unserve(unsigned i)
{
    if (rig.n[i].runs)
        node_stop(i);
    if (servers[i].node_ != NULL) {
        assert_null(pyro_ns_check(&servers[i]));
        pyro_ns_stop(&servers[i]);
    }
    servers[i].node_ = NULL;
    node_close(i);
}

static void end(void)
{
    pyro_ns_close(ns);
    for (unsigned i = 1; i < NODES; i++) {
        if (rig.n[i].runs)
            node_stop(i);
        if (clients[i].node_ != NULL)
            pyro_ns_close(&clients[i]);
        if (servers[i].node_ != NULL)
            unserve(i);
    }
    rig_end();
}

static pyro_err open_ns(void)
{
    return pyro_ns_open(ns, me, &configs[0]);
}

/* The URI of a name at a server, or NULL. */
static const char *at_server(unsigned i, const char *name)
{
    static char uri[PYRO_URI_BYTES];
    const char *found;
    unsigned    at = 0;

    while (pyro_ns_walk(&servers[i], &at, &found, uri))
        if (strcmp(found, name) == 0)
            return uri;
    return NULL;
}

static void expect_told(const char *want)
{
    assert_string_equal(told, want);
    told[0] = 0;
}

/* Has the name server itself do something: a call by this client. */
static pyro_err at_ns(const char *method, pyro_args args)
{
    return pyro_invoke(pyro_ns_proxy(ns), method, args, pyro_to_none());
}

/* An exception's text: server's words, then what they are about. */
static void expect_words(const char *text, const char *words)
{
    if (strncmp(text, words, strlen(words)) != 0)
        fail_msg("\"%s\" should begin with \"%s\"", text, words);
}

static const char *words(void)
{
    return pyro_exception(pyro_ns_proxy(ns))->message;
}

#define ME    "PYRO://10.0.0.1:7700/thing"
#define ONE   "PYRO://10.0.0.2:7701/:Pyro.NameServer"
#define TWO   "PYRO://10.0.0.3:7702/:Pyro.NameServer"
#define OTHER "PYRO://10.0.0.4:7703/thing"

/* ------------------------------------------------------------------------
 * Registering
 * ------------------------------------------------------------------------ */

TEST(a_name_is_registered_with_the_address_that_others_reach)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    expect_told("F:" ONE " ");
    test_eq("register", pyro_ns_register(ns, "calc", "thing"), PYRO_OK);
    expect_told("R:calc ");
    assert_string_equal(at_server(1, ":Default.calc"), ME);
    assert_string_equal(pyro_ns_tried(ns), "");
    end();
}

TEST(names_are_kept_alive_while_the_daemon_is_polled)
{
    uint32_t calls;

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, ":b", "thing"), PYRO_OK);
    calls = rig.n[1].d.stats.calls;
    rig.step = 10;
    rig_pass(10 * TTL);
    assert_non_null(at_server(1, ":Default.a"));
    assert_non_null(at_server(1, ":b"));
    test_eq("expired", servers[1].stats.expired, 0);
    calls = rig.n[1].d.stats.calls - calls; /* three times per lease */
    assert_true(calls >= 2 * 29 && calls <= 2 * 31);
    pyro_ns_close(ns);
    rig_pass(TTL + 1100);
    assert_null(at_server(1, ":Default.a"));
    assert_null(at_server(1, ":b"));
    test_eq("expired", servers[1].stats.expired, 2);
    end();
}

TEST(a_lease_has_a_default_and_is_never_too_short)
{
    uint32_t calls;

    begin();
    serve(1);
    test_eq("open", pyro_ns_open(ns, me, NULL), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    calls = rig.n[1].d.stats.calls;
    rig.step = 10;
    rig_pass(PYRO_NS_TTL_MS + 100);
    test_eq("refreshes", rig.n[1].d.stats.calls - calls, 3);
    pyro_ns_close(ns);
    rig_pass(PYRO_NS_TTL_MS + 1000);
    test_eq("expired", servers[1].stats.expired, 1);
    configs[0].ttl_ms = 1;
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    calls = rig.n[1].d.stats.calls;
    rig_pass(10100);
    test_eq("refreshes", rig.n[1].d.stats.calls - calls, 10);
    test_eq("expired", servers[1].stats.expired, 1);
    end();
}

TEST(a_name_that_is_taken_is_refused_and_not_kept)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("other",
            at_ns("register", PYRO_ARGS(pyro_str("calc"), pyro_str(OTHER))),
            PYRO_OK);
    told[0] = 0;
    test_eq("register", pyro_ns_register(ns, "calc", "thing"),
            PYRO_ERR_REMOTE);
    expect_words(words(), "name already exists: ");
    expect_words(told, "X:name already exists: ");
    told[0] = 0;
    test_eq("refused", ns->refused, 1);
    rig.step = 10;
    rig_pass(2 * TTL);
    expect_told("");
    assert_string_equal(at_server(1, ":Default.calc"), OTHER);
    end();
}

TEST(what_the_name_server_refuses_is_told_in_its_words)
{
    static const char *const rows[][2] = {
        { ":no.calc", "(parent)group not found: " },
        { ":Default", "name already exists: " },
    };

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        test_eq(rows[i][0], pyro_ns_register(ns, rows[i][0], "thing"),
                PYRO_ERR_REMOTE);
        expect_words(words(), rows[i][1]);
    }
    end();
}

TEST(what_is_no_name_is_not_sent)
{
    static const char *const rows[][2] = {
        { "a b", "invalid character(s) in name" },
        { "a..b", "invalid name" },
        { "a\\b", "invalid character(s) in name" },
        { "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk",
          "name too long" },
    };
    char     uri[PYRO_URI_BYTES];
    uint32_t calls;

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(10);
    calls = rig.n[1].d.stats.calls;
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        const char *name = rows[i][0];

        test_eq(name, pyro_ns_register(ns, name, "thing"), PYRO_ERR_NAMING);
        assert_string_equal(me->why.text, rows[i][1]);
        test_eq(name, pyro_ns_unregister(ns, name), PYRO_ERR_NAMING);
        test_eq(name, pyro_ns_resolve(ns, name, uri, sizeof uri),
                PYRO_ERR_NAMING);
        test_eq(name, pyro_ns_list(ns, name, NULL, NULL), PYRO_ERR_NAMING);
        assert_string_equal(me->why.text, rows[i][1]);
    }
    test_eq("calls", rig.n[1].d.stats.calls, calls);
    end();
}

TEST(an_object_that_nobody_could_reach_is_refused)
{
    begin();
    serve(1);
    node_close(0);
    node_open_bare(0, 6, 0);
    test_eq("open", open_ns(), PYRO_OK);
    expect_told("F:" ONE " ");
    test_eq("register", pyro_ns_register(ns, "calc", "thing"),
            PYRO_ERR_DAEMON);
    expect_told("X:nothing is listened on ");
    test_eq("refused", ns->refused, 1);
    end();
}

TEST(more_names_than_there_is_room_for_are_refused)
{
    static char names[PYRO_NS_OWN + 1][8];

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    for (unsigned i = 0; i <= PYRO_NS_OWN; i++) {
        snprintf(names[i], sizeof names[i], "n%u", i);
        test_eq(names[i], pyro_ns_register(ns, names[i], "thing"),
                i < PYRO_NS_OWN ? PYRO_OK : PYRO_ERR_NOSPACE);
    }
    assert_string_equal(me->why.text, "too many names: raise PYRO_NS_OWN");
    test_eq("is", me->why.is, PYRO_NS_OWN);
    test_eq("the same again", pyro_ns_register(ns, names[3], "thing"),
            PYRO_OK);
    test_eq("unregister", pyro_ns_unregister(ns, names[3]), PYRO_OK);
    test_eq("room", pyro_ns_register(ns, names[PYRO_NS_OWN], "thing"),
            PYRO_OK);
    rig.step = 10;
    rig_pass(2 * TTL);
    assert_null(at_server(1, ":Default.n3"));
    assert_non_null(at_server(1, ":Default.n0"));
    assert_non_null(at_server(1, ":Default.n8"));
    end();
}

TEST(a_registration_ends_when_the_clock_stands_still)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(10);
    rig.n[1].runs = false;
    rig.frozen = true;
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_ERR_STATE);
    rig.frozen = false;
    rig.n[1].runs = true;
    rig_pass(50);
    told[0] = 0;
    rig_pass(TTL);
    expect_told("");
    end();
}

TEST(a_name_that_is_unregistered_is_gone_and_stays_so)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "calc", "thing"), PYRO_OK);
    test_eq("unregister", pyro_ns_unregister(ns, "calc"), PYRO_OK);
    assert_null(at_server(1, ":Default.calc"));
    rig.step = 10;
    rig_pass(2 * TTL);
    assert_null(at_server(1, ":Default.calc"));
    test_eq("again", pyro_ns_unregister(ns, "calc"), PYRO_ERR_REMOTE);
    expect_words(words(), "name not found: ");
    end();
}

TEST(a_name_given_up_while_it_is_being_registered_is_not_kept)
{
    unsigned i = 0;

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "b", "thing"), PYRO_OK);
    unserve(1);
    serve(1);
    while (pyro_done(&ns->rq_) || ns->at_ != 0) {
        assert_true(++i < 1000);
        rig_spin(1);
    }
    told[0] = 0;
    test_eq("given up", pyro_ns_unregister(ns, "a"), PYRO_OK);
    rig_pass(100);
    assert_null(at_server(1, ":Default.a"));
    assert_string_equal(at_server(1, ":Default.b"), ME);
    expect_told("");
    end();
}

TEST(a_name_that_gets_another_object_while_it_is_registered_stands_for_that)
{
    static const char other[] = "PYRO://10.0.0.1:7700/other";
    static int        object;
    unsigned          i = 0;
    pyro_err          err;

    begin();
    serve(1);
    assert_int_equal(pyro_export(me, &thing_class, &object, "other"), PYRO_OK);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    unserve(1);
    serve(1);
    while (pyro_done(&ns->rq_) || ns->at_ != 0) {
        assert_true(++i < 1000);
        rig_spin(1);
    }
    err = pyro_ns_register(ns, "a", "other");
    test_eq("other", err == PYRO_OK,
            strcmp(at_server(1, ":Default.a"), other) == 0);
    end();
}

/* Taken from behind: by a call of this client as if it were another. */
TEST(a_name_lost_to_another_is_told_once_and_comes_back_when_it_is_free)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "calc", "thing"), PYRO_OK);
    test_eq("drop", at_ns("unregister", PYRO_ARGS(pyro_str("calc"))), PYRO_OK);
    test_eq("take",
            at_ns("register", PYRO_ARGS(pyro_str("calc"), pyro_str(OTHER))),
            PYRO_OK);
    told[0] = 0;
    rig.step = 10;
    rig_pass(3 * TTL);
    expect_words(told, "X:name already exists: ");
    assert_null(strstr(told + 1, "X:")); /* once */
    told[0] = 0;
    test_eq("refused", ns->refused, 1);
    assert_string_equal(at_server(1, ":Default.calc"), OTHER);
    test_eq("drop", at_ns("unregister", PYRO_ARGS(pyro_str("calc"))), PYRO_OK);
    rig_pass(TTL / 3 + 20);
    expect_told("R:calc ");
    assert_string_equal(at_server(1, ":Default.calc"), ME);
    end();
}

/* ------------------------------------------------------------------------
 * Name servers that come and go
 * ------------------------------------------------------------------------ */

TEST(without_a_name_server_it_is_open_and_registers_when_there_is_one)
{
    begin();
    test_eq("open", open_ns(), PYRO_ERR_NAMING);
    assert_string_equal(me->why.text, "no name server found, see "
                                      "pyro_ns_tried");
    assert_non_null(strstr(pyro_ns_tried(ns), "UDP port 9090: no answer"));
    test_eq("register", pyro_ns_register(ns, "calc", "thing"),
            PYRO_ERR_NAMING);
    test_eq("ping", at_ns("ping", PYRO_NO_ARGS), PYRO_ERR_NAMING);
    expect_told("");
    serve(1);
    rig_pass(PYRO_NS_PAUSE_MS + 100);
    expect_told("F:" ONE " R:calc ");
    assert_string_equal(at_server(1, ":Default.calc"), ME);
    test_eq("lost", ns->lost, 0);
    end();
}

TEST(a_name_server_that_starts_anew_gets_the_names_at_once)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "b", "thing"), PYRO_OK);
    unserve(1);
    serve(1);
    assert_null(at_server(1, ":Default.a"));
    rig_pass(50);
    assert_string_equal(at_server(1, ":Default.a"), ME);
    assert_string_equal(at_server(1, ":Default.b"), ME);
    test_eq("lost", ns->lost, 0);
    end();
}

TEST(a_name_server_that_is_gone_for_long_is_found_again)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    told[0] = 0;
    unserve(1);
    rig_pass(50);
    expect_told("L:" ONE " ");
    rig.step = 10;
    rig_pass(60000);
    expect_told("");
    test_eq("lost", ns->lost, 1);
    serve(1);
    rig_pass(PYRO_NS_PAUSE_MS + 2000);
    expect_told("F:" ONE " ");
    assert_string_equal(at_server(1, ":Default.a"), ME);
    end();
}

TEST(a_name_server_that_has_moved_is_found_again)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    told[0] = 0;
    unserve(1);
    serve(2);
    rig_pass(100);
    expect_told("L:" ONE " F:" TWO " ");
    assert_string_equal(at_server(2, ":Default.a"), ME);
    end();
}

/* Its machine stops: nothing is closed, nothing answers. */
TEST(a_name_server_that_falls_silent_is_lost_at_the_next_refresh)
{
    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    told[0] = 0;
    rig.n[1].runs = false;
    serve(2);
    rig.step = 5;
    rig_pass(TTL / 3 + PYRO_TIMEOUT_MS + 200);
    expect_told("L:" ONE " F:" TWO " ");
    assert_string_equal(at_server(2, ":Default.a"), ME);
    rig.n[1].runs = true;
    end();
}

TEST(the_other_of_a_pair_is_asked_first_and_without_broadcast)
{
    uint32_t sent;

    begin();
    configs[0].hosts = "10.0.0.2:7701";
    pair();
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    rig.step = 10;
    rig_pass(PYRO_NS_PAIR_MS + 1000);
    assert_string_equal(at_server(2, ":Default.a"), ME);
    told[0] = 0;
    sent = rig.net.calls.udp_send;
    unserve(1);
    rig.step = 1;
    rig_pass(100);
    expect_told("L:" ONE " F:" TWO " ");
    test_eq("datagrams", rig.net.calls.udp_send, sent);
    rig.step = 10;
    rig_pass(3 * TTL);
    assert_string_equal(at_server(2, ":Default.a"), ME);
    expect_told("");
    serve(1);
    rig_pass(2 * PYRO_NS_PAIR_MS);
    assert_string_equal(at_server(1, ":Default.a"), ME);
    told[0] = 0;
    unserve(2); /* and back */
    rig_pass(100);
    expect_told("L:" TWO " F:" ONE " ");
    end();
}

TEST(when_both_of_a_pair_are_gone_it_looks_by_broadcast_again)
{
    begin();
    pair();
    configs[0].hosts = "10.0.0.2:7701";
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(50);
    configs[0].hosts = NULL;
    told[0] = 0;
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    unserve(1);
    unserve(2);
    rig_pass(1);
    server_configs[1].twin = NULL;
    serve(1);
    rig_pass(1000);
    assert_string_equal(at_server(1, ":Default.a"), ME);
    end();
}

static int32_t no_connection(const pyro_port *port, const char *address)
{
    (void)port;
    (void)address;
    return -1;
}

/* It answers datagrams, but connections are refused. */
TEST(a_name_server_that_cannot_be_reached_is_not_asked_without_a_pause)
{
    uint32_t sent;

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    rig.n[0].port.connect = no_connection;
    pyro_link_close(me, pyro_proxy_link(pyro_ns_proxy(ns)));
    sent = rig.net.calls.udp_send;
    rig.step = 10;
    rig_pass(10 * PYRO_NS_PAUSE_MS);
    assert_true(ns->lost >= 8 && ns->lost <= 12);
    assert_true(rig.net.calls.udp_send - sent <= 12 * 3 * 2);
    rig.n[0].port.connect = loop_connect;
    told[0] = 0;
    rig_pass(2 * PYRO_NS_PAUSE_MS);
    expect_told("F:" ONE " ");
    assert_string_equal(at_server(1, ":Default.a"), ME);
    end();
}

/* ------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------ */

TEST(names_are_resolved_relative_to_the_default_group)
{
    char uri[PYRO_URI_BYTES];
    char small[8];

    begin();
    serve(1);
    configs[0].group = ":lab";
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("group", at_ns("createGroup", PYRO_ARGS(pyro_str(":lab"))),
            PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "calc", "thing"), PYRO_OK);
    assert_string_equal(at_server(1, ":lab.calc"), ME);
    test_eq("relative", pyro_ns_resolve(ns, "calc", uri, sizeof uri), PYRO_OK);
    assert_string_equal(uri, ME);
    test_eq("absolute", pyro_ns_resolve(ns, ":lab.calc", uri, sizeof uri),
            PYRO_OK);
    strcpy(uri, "untouched");
    test_eq("unknown", pyro_ns_resolve(ns, "x", uri, sizeof uri),
            PYRO_ERR_REMOTE);
    expect_words(words(), "name not found: ");
    assert_string_equal(uri, "untouched");
    test_eq("small", pyro_ns_resolve(ns, "calc", small, sizeof small),
            PYRO_ERR_NOSPACE);
    end();
}

TEST(a_call_finds_the_next_name_server_when_the_first_has_gone)
{
    char uri[PYRO_URI_BYTES];

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(10);
    unserve(1);
    serve(2);
    test_eq("resolve", pyro_ns_resolve(ns, PYRO_NS_NAME, uri, sizeof uri),
            PYRO_OK);
    assert_string_equal(uri, TWO);
    unserve(2);
    test_eq("none", pyro_ns_resolve(ns, PYRO_NS_NAME, uri, sizeof uri),
            PYRO_ERR_NAMING);
    end();
}

static char     listed[2000];
static unsigned n_listed;

static void on_list(void *user, const char *name, uint32_t n, bool is_group)
{
    assert_ptr_equal(user, listed);
    n_listed++;
    snprintf(listed + strlen(listed), sizeof listed - strlen(listed),
             "%.*s%s ", (int)n, name, is_group ? "/" : "");
}

static pyro_err list(const char *group)
{
    listed[0] = 0;
    n_listed = 0;
    return pyro_ns_list(ns, group, on_list, listed);
}

TEST(a_group_is_listed_page_by_page)
{
    char name[24];

    begin();
    serve(1);
    test_eq("open", open_ns(), PYRO_OK);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "a-name-%u", i);
        test_eq("register",
                at_ns("register", PYRO_ARGS(pyro_str(name), pyro_str(OTHER))),
                PYRO_OK);
    }
    test_eq("group", at_ns("createGroup", PYRO_ARGS(pyro_str("sub"))),
            PYRO_OK);
    test_eq("list", list(NULL), PYRO_OK);
    test_eq("names", n_listed, 41);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "a-name-%u ", i);
        assert_non_null(strstr(listed, name));
    }
    assert_non_null(strstr(listed, "sub/ "));
    test_eq("the same", list(""), PYRO_OK);
    test_eq("names", n_listed, 41);
    test_eq("root", list(":"), PYRO_OK);
    assert_non_null(strstr(listed, "Pyro/ "));
    test_eq("empty", list("sub"), PYRO_OK);
    assert_string_equal(listed, "");
    test_eq("no group", list("a-name-1"), PYRO_ERR_REMOTE);
    expect_words(words(), "is no group: ");
    end();
}

/* ------------------------------------------------------------------------
 * PYRONAME
 * ------------------------------------------------------------------------ */

static pyro_proxy proxy;

static pyro_err add(pyro_proxy *p)
{
    int32_t  sum = 0;
    pyro_err err = pyro_invoke(p, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                               pyro_to_i32(&sum));

    if (err == PYRO_OK)
        test_eq("sum", sum, 5);
    return err;
}

/* Node 3 has the object of the name "calc". */
static void with_calc(void)
{
    begin();
    serve(1);
    node_open(3, 6);
    node_run(3);
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("register",
            at_ns("register", PYRO_ARGS(pyro_str("calc"), pyro_str(OTHER))),
            PYRO_OK);
}

TEST(proxies_take_names)
{
    static const char *const rows[] = {
        "PYRONAME://calc",
        "PYRONAME://:Default.calc",
        "PYRONAME:calc",
        "PYRONAME://10.0.0.2:7701/calc",
    };

    with_calc();
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        assert_int_equal(pyro_proxy_open(&proxy, me, rows[i]), PYRO_OK);
        test_eq(rows[i], add(&proxy), PYRO_OK);
        test_eq(rows[i], add(&proxy), PYRO_OK);
        pyro_proxy_close(&proxy);
    }
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://" PYRO_NS_NAME),
                     PYRO_OK);
    test_eq("the name server's",
            pyro_invoke(&proxy, "ping", PYRO_NO_ARGS, pyro_to_none()),
            PYRO_OK);
    pyro_proxy_close(&proxy);
    end();
}

TEST(names_that_lead_nowhere_are_errors)
{
    static const struct {
        const char *uri;
        pyro_err    err;
        const char *why;
    } rows[] = {
        { "PYRONAME://x", PYRO_ERR_NAMING, "name not found" },
        { "PYRONAME://a..b", PYRO_ERR_NAMING, "invalid name" },
        { "PYRONAME://10.0.0.2:7701/x", PYRO_ERR_NAMING, "name not found" },
        { "PYRONAME://10.0.0.2:7999/calc", PYRO_ERR_CLOSED, NULL },
        { "PYRONAME://10.0.0.2/calc", PYRO_ERR_CLOSED, NULL },
    };

    with_calc();
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        assert_int_equal(pyro_proxy_open(&proxy, me, rows[i].uri), PYRO_OK);
        test_eq(rows[i].uri, add(&proxy), rows[i].err);
        if (rows[i].why != NULL)
            assert_string_equal(me->why.text, rows[i].why);
        pyro_proxy_close(&proxy);
    }
    test_eq("still known", ns->lost, 0);
    end();
}

/* A name with the same text at another name server is another one. */
TEST(a_name_at_another_host_is_asked_for_there)
{
    with_calc();
    serve(2);
    assert_int_equal(pyro_proxy_open(&proxy, me,
                                     "PYRONAME://10.0.0.3:7702/calc"),
                     PYRO_OK);
    test_eq("not there", add(&proxy), PYRO_ERR_NAMING);
    pyro_proxy_close(&proxy);
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    test_eq("here", add(&proxy), PYRO_OK);
    pyro_proxy_close(&proxy);
    end();
}

TEST(the_same_name_at_two_hosts_is_asked_for_at_both)
{
    pyro_proxy   other;
    pyro_request rq;

    with_calc();
    serve(2);
    assert_int_equal(pyro_proxy_open(&proxy, me,
                                     "PYRONAME://10.0.0.2:7701/calc"),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&other, me,
                                     "PYRONAME://10.0.0.3:7702/calc"),
                     PYRO_OK);
    test_eq("asked", pyro_begin(&rq, &proxy, "add"), PYRO_ERR_BUSY);
    rig_spin(10);
    test_eq("not the first one's", pyro_begin(&rq, &other, "add"),
            PYRO_ERR_BUSY);
    test_eq("first", add(&proxy), PYRO_OK);
    test_eq("second", add(&other), PYRO_ERR_NAMING);
    pyro_proxy_close(&proxy);
    pyro_proxy_close(&other);
    end();
}

TEST(begin_is_busy_until_the_name_is_there_and_never_waits)
{
    pyro_request rq;
    unsigned     busy = 0;
    pyro_err     err;
    int32_t      sum = 0;

    with_calc();
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    while ((err = pyro_begin(&rq, &proxy, "add")) == PYRO_ERR_BUSY) {
        assert_true(++busy < 100);
        rig_spin(1);
    }
    test_eq("begun", err, PYRO_OK);
    assert_true(busy > 0);
    pyro_put_int(&rq.args, 2);
    pyro_put_int(&rq.args, 3);
    assert_int_equal(pyro_send(&rq, pyro_to_i32(&sum), NULL, NULL), PYRO_OK);
    test_eq("done", pyro_wait(&rq), PYRO_OK);
    test_eq("sum", sum, 5);
    pyro_proxy_close(&proxy);
    end();
}

TEST(several_names_are_asked_for_one_after_the_other)
{
    pyro_proxy   proxies[4];
    pyro_request rq;
    char         names[4][24];
    char         uris[4][40];
    bool         done[4] = { false, false, false, false };
    unsigned     n = 0;

    with_calc();
    for (unsigned i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "calc%u", i);
        snprintf(uris[i], sizeof uris[i], "PYRONAME://calc%u", i);
        test_eq("register",
                at_ns("register",
                      PYRO_ARGS(pyro_str(names[i]), pyro_str(OTHER))),
                PYRO_OK);
        assert_int_equal(pyro_proxy_open(&proxies[i], me, uris[i]), PYRO_OK);
    }
    for (unsigned round = 0; round < 200 && n < 4; round++) {
        for (unsigned k = 0; k < 4; k++) {
            unsigned i = round % 2 == 0 ? k : 3 - k; /* any order */

            if (done[i] || pyro_begin(&rq, &proxies[i], "add") != PYRO_OK)
                continue;
            pyro_cancel(&rq);
            done[i] = true;
            n++;
        }
        rig_spin(1);
    }
    test_eq("all", n, 4);
    for (unsigned i = 0; i < 4; i++)
        pyro_proxy_close(&proxies[i]);
    end();
}

TEST(an_answer_that_nobody_fetched_is_not_used_later)
{
    pyro_request rq;
    pyro_proxy   other;

    with_calc();
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    test_eq("asked", pyro_begin(&rq, &proxy, "add"), PYRO_ERR_BUSY);
    rig_spin(20);
    assert_int_equal(pyro_proxy_open(&other, me, "PYRONAME://calc"), PYRO_OK);
    pyro_proxy_close(&other);
    test_eq("moved", at_ns("unregister", PYRO_ARGS(pyro_str("calc"))),
            PYRO_OK);
    rig_pass(PYRO_NS_HOST_MS);
    test_eq("asked anew", add(&proxy), PYRO_ERR_NAMING);
    pyro_proxy_close(&proxy);
    end();
}

TEST(a_proxy_follows_its_name_to_another_address)
{
    with_calc();
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    test_eq("first", add(&proxy), PYRO_OK);
    node_close(3);
    node_open(2, 6);
    node_run(2);
    test_eq("drop", at_ns("unregister", PYRO_ARGS(pyro_str("calc"))), PYRO_OK);
    test_eq("moved",
            at_ns("register",
                  PYRO_ARGS(pyro_str("calc"), pyro_str("PYRO://10.0.0.3:7702/"
                                                       "thing"))),
            PYRO_OK);
    test_eq("second", add(&proxy), PYRO_OK);
    test_eq("ran there", rig.n[2].thing.ran, 1);
    pyro_proxy_close(&proxy);
    end();
}

TEST(names_are_found_again_after_the_name_server_was_gone)
{
    with_calc();
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    unserve(1);
    test_eq("gone", add(&proxy), PYRO_ERR_NAMING);
    assert_string_equal(me->why.text,
                        "no name server found, see pyro_ns_tried");
    serve(1);
    rig_pass(PYRO_NS_PAUSE_MS + 100);
    test_eq("back",
            at_ns("register", PYRO_ARGS(pyro_str("calc"), pyro_str(OTHER))),
            PYRO_OK);
    test_eq("found", add(&proxy), PYRO_OK);
    pyro_proxy_close(&proxy);
    end();
}

/* The name server is lost while it is asked: who waits goes on with the next
 * one that is found. */
TEST(a_name_that_is_being_asked_for_survives_the_loss_of_its_server)
{
    pyro_proxy second;

    with_calc();
    serve(2);
    assert_int_equal(pyro_proxy_open(&second, me, TWO), PYRO_OK);
    test_eq("register",
            pyro_invoke(&second, "register",
                        PYRO_ARGS(pyro_str("calc"), pyro_str(OTHER)),
                        pyro_to_none()),
            PYRO_OK);
    if (strcmp(ns->server_, TWO) == 0)
        unserve(2);
    else
        unserve(1);
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://calc"), PYRO_OK);
    test_eq("found", add(&proxy), PYRO_OK);
    test_eq("lost", ns->lost, 1);
    pyro_proxy_close(&proxy);
    pyro_proxy_close(&second);
    end();
}

TEST(a_name_at_a_host_is_found_while_no_name_server_is)
{
    uint32_t sent;

    begin();
    server_configs[1].no_broadcast = true;
    serve(1);
    test_eq("open", open_ns(), PYRO_ERR_NAMING);
    assert_int_equal(pyro_proxy_open(&proxy, me,
                                     "PYRONAME://10.0.0.2:7701/" PYRO_NS_NAME),
                     PYRO_OK);
    sent = rig.net.calls.udp_send;
    rig.net.connect_ms = 70;
    for (unsigned i = 0; i < 40; i++) {
        rig_pass(PYRO_NS_PAUSE_MS / 13);
        pyro_release(&proxy);
        test_eq("found",
                pyro_invoke(&proxy, "ping", PYRO_NO_ARGS, pyro_to_none()),
                PYRO_OK);
    }
    assert_true(rig.net.calls.udp_send - sent > 10); /* and it still looks */
    pyro_proxy_close(&proxy);
    end();
}

/* ------------------------------------------------------------------------
 * Without a name server
 * ------------------------------------------------------------------------ */

static void alone(unsigned i, const char *name)
{
    if (i != 0)
        node_open(i, 6);
    configs[i].serverless = true;
    assert_int_equal(pyro_ns_open(&clients[i], &rig.n[i].d, &configs[i]),
                     PYRO_OK);
    if (name != NULL)
        test_eq(name, pyro_ns_register(&clients[i], name, "thing"), PYRO_OK);
    if (i != 0)
        node_run(i);
}

TEST(three_nodes_find_each_other_without_a_name_server)
{
    char uri[PYRO_URI_BYTES];

    begin();
    alone(0, "a");
    alone(1, ":lab.b");
    alone(2, "c");
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://:lab.b"),
                     PYRO_OK);
    test_eq("b", add(&proxy), PYRO_OK);
    test_eq("ran there", rig.n[1].thing.ran, 1);
    pyro_proxy_close(&proxy);
    assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://c"), PYRO_OK);
    test_eq("c", add(&proxy), PYRO_OK);
    test_eq("ran there", rig.n[2].thing.ran, 1);
    pyro_proxy_close(&proxy);
    test_eq("resolve", pyro_ns_resolve(ns, "c", uri, sizeof uri), PYRO_OK);
    assert_string_equal(uri, "PYRO://10.0.0.3:7702/thing");
    test_eq("own", pyro_ns_resolve(ns, "a", uri, sizeof uri), PYRO_OK);
    assert_string_equal(uri, ME);
    test_eq("small", pyro_ns_resolve(ns, "a", uri, strlen(ME)),
            PYRO_ERR_NOSPACE);
    test_eq("nobody's", pyro_ns_resolve(ns, "d", uri, sizeof uri),
            PYRO_ERR_NAMING);
    assert_string_equal(me->why.text, "name not found");
    assert_true(clients[1].answerer.answered > 0);
    expect_told("");
    end();
}

TEST(a_name_that_is_dropped_is_not_answered_for_any_more)
{
    char uri[PYRO_URI_BYTES];

    begin();
    alone(0, "a");
    test_eq("own", pyro_ns_resolve(ns, "a", uri, sizeof uri), PYRO_OK);
    test_eq("drop", pyro_ns_unregister(ns, "a"), PYRO_OK);
    test_eq("gone", pyro_ns_resolve(ns, "a", uri, sizeof uri),
            PYRO_ERR_NAMING);
    test_eq("list", list(NULL), PYRO_ERR_NAMING);
    end();
}

TEST(a_long_object_name_is_answered_as_its_id)
{
    char uri[PYRO_URI_BYTES];
    char id[33];
    char want[PYRO_URI_BYTES];

    begin();
    alone(0, NULL);
    test_eq("register",
            pyro_ns_register(ns, "a",
                             "nothing.of.that.name.is."
                             "exported.at.all"),
            PYRO_OK);
    test_eq("not there", pyro_ns_resolve(ns, "a", uri, sizeof uri),
            PYRO_ERR_NAMING);
    assert_int_equal(pyro_object_id(me, &rig.n[0].thing, id), PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "b", id), PYRO_OK);
    test_eq("by its id", pyro_ns_resolve(ns, "b", uri, sizeof uri), PYRO_OK);
    snprintf(want, sizeof want, "PYRO://10.0.0.1:7700/%s", id);
    assert_string_equal(uri, want);
    end();
}

TEST(serverless_without_datagrams_is_an_error)
{
    char uri[PYRO_URI_BYTES];

    begin();
    configs[0].serverless = true;
    rig.n[0].port.udp_open = NULL;
    test_eq("open", open_ns(), PYRO_ERR_DAEMON);
    configs[0].no_broadcast = true;
    test_eq("open", open_ns(), PYRO_OK);
    test_eq("resolve", pyro_ns_resolve(ns, "a", uri, sizeof uri),
            PYRO_ERR_NAMING);
    test_eq("datagrams", rig.net.calls.udp_send, 0);
    end();
}

/* ------------------------------------------------------------------------
 * Opening, closing, and servers that misbehave
 * ------------------------------------------------------------------------ */

TEST(a_client_needs_a_port_and_an_absolute_group)
{
    static PYRO_ROOM(1, 3, 128, 0) room;
    static pyro_daemon node;

    assert_int_equal(pyro_open(&node, PYRO_ROOM_OF(room), NULL), PYRO_OK);
    test_eq("no port", pyro_ns_open(ns, &node, NULL), PYRO_ERR_STATE);
    pyro_ns_close(ns);
    pyro_close(&node);
    begin();
    configs[0].group = "lab";
    test_eq("group", open_ns(), PYRO_ERR_STATE);
    pyro_ns_close(ns);
    node_close(0);
    node_open_bare(0, 1, 0);
    configs[0].group = NULL;
    assert_int_equal(pyro_ns_open(ns, me, &configs[0]), PYRO_ERR_NAMING);
    pyro_ns_close(ns);
    node_close(0);
    node_open(0, 2); /* enough for a server alone */
    assert_int_equal(pyro_ns_open(ns, me, &configs[0]), PYRO_ERR_NOSPACE);
    end();
}

TEST(a_client_can_be_closed_at_any_time_and_leaves_nothing)
{
    for (unsigned at = 0; at < 60; at++) {
        begin();
        serve(1);
        test_eq("open", open_ns(), PYRO_OK);
        ns->own_[0].name = "a";
        ns->own_[0].object = "thing";
        assert_int_equal(pyro_proxy_open(&proxy, me, "PYRONAME://a"), PYRO_OK);
        for (unsigned i = 0; i < at; i++) {
            pyro_request rq;

            if (i == at / 2)
                unserve(1);
            if (pyro_begin(&rq, &proxy, "add") == PYRO_OK)
                pyro_cancel(&rq);
            pyro_poll(me, 1);
        }
        pyro_ns_close(ns);
        told[0] = 0;
        rig_pass(500);
        expect_told("");
        pyro_release(&proxy);
        test_eq("unresolved", add(&proxy), PYRO_ERR_NAMING);
        pyro_proxy_close(&proxy);
        pyro_ns_close(ns);
        end();
    }
}

static void close_client(void *user, pyro_daemon *node)
{
    (void)user;
    (void)node;
    pyro_ns_close(ns);
}

/* From a timer, as a handler would that runs while a call waits. */
TEST(a_client_can_be_closed_while_a_call_of_it_waits)
{
    static pyro_timer timer;
    char              uri[PYRO_URI_BYTES];
    unsigned          done = 0;

    for (unsigned at = 0; at < 300; at++) {
        begin();
        if (at % 3 != 0)
            serve(1);
        configs[0].serverless = at % 3 == 2;
        timer.fn = close_client;
        pyro_timer_set(me, &timer, at / 3);
        loop_advance(&rig.net, 0);
        rig.net.block_percent = 70; /* all takes its time */
        if (at % 3 == 1)
            configs[0].hosts = "10.0.0.2:7701";
        (void)open_ns();
        if (ns->node_ != NULL)
            (void)pyro_ns_register(ns, "a", "thing");
        if (ns->node_ != NULL)
            (void)pyro_ns_resolve(ns, "b", uri, sizeof uri);
        for (unsigned i = 0; i < 30 && ns->node_ != NULL; i++) {
            (void)list(NULL);
            done++;
        }
        rig_pass(100);
        assert_null(ns->node_);
        rig.net.block_percent = 0;
        pyro_timer_stop(me, &timer);
        end();
    }
    assert_true(done > 0);
}

/* Everything about a name server that a fake one can get wrong. */
static struct {
    const void *twin; /* raw value, NULL: nil */
    uint32_t    twin_n;
    const void *page;
    uint32_t    page_n;
} fake;

static void fake_nothing(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

static void fake_twin(void *self, pyro_call *call)
{
    (void)self;
    if (fake.twin != NULL)
        pyro_put_raw(&call->result, fake.twin, fake.twin_n);
}

static void fake_list(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_raw(&call->result, fake.page, fake.page_n);
}

static unsigned registrations;

static void fake_register(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
    registrations++;
}

static const pyro_method fake_methods[] = {
    { "ping", fake_nothing, "", "", 0 },
    { "twin", fake_twin, "", "v", 0 },
    { "register", fake_register, "s s q b", "", 0 },
    { "list", fake_list, "s q", "v", 0 },
};
static const pyro_class fake_class = { "NameServer",
                                       PYRO_METHODS(fake_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void with_fake(void)
{
    memset(&fake, 0, sizeof fake);
    registrations = 0;
    begin();
    node_open(1, 6);
    assert_int_equal(pyro_export(&rig.n[1].d, &fake_class, &fake,
                                 PYRO_NS_NAME),
                     PYRO_OK);
    node_run(1);
    configs[0].hosts = "10.0.0.2:7701";
}

TEST(a_twin_that_is_no_uri_does_no_harm)
{
    static const struct {
        const char *value;
        uint32_t    n;
    } rows[] = {
        { "\xC0", 1 },
        { "\x05", 1 },
        { "\x90", 1 },
        { "\xA0", 1 },
        { "\xA3PYR", 4 },
        { "\xAEPYRONAME://a/b", 15 }, /* to be found by whom? */
        { "\xACPYRONAME://b", 13 },
        { "\xD9\xC8"
          "0123456789012345678901234567890123456789012345678901234567890123456"
          "7890123456789012345678901234567890123456789012345678901234567890123"
          "456789012345678901234567890123456789012345678901234567890123456789",
          202 },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        with_fake();
        fake.twin = rows[i].value;
        fake.twin_n = rows[i].n;
        test_eq("open", open_ns(), PYRO_OK);
        rig_pass(50);
        assert_true(strlen(ns->twin_) < sizeof ns->twin_);
        test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
        node_close(1);
        told[0] = 0;
        rig_pass(100);
        expect_told("L:" ONE " ");
        end();
    }
}

TEST(pages_that_are_none_end_a_list_with_an_error)
{
    static const struct {
        const char *value;
        uint32_t    n;
        pyro_err    err;
    } rows[] = {
        { "\x92\x00\x90", 3, PYRO_OK },
        { "\x92\x00\x91\x92\xA1x\x01", 7, PYRO_OK },
        { "\x92\x05\x90", 3, PYRO_ERR_DATA }, /* the same page for ever */
        { "\xC0", 1, PYRO_ERR_TYPE },
        { "\x92\xA1x\x90", 4, PYRO_ERR_TYPE },
        { "\x92\x00\x91\x05", 4, PYRO_ERR_TYPE },
        { "\x92\x00\x91\x92\x05\x05", 6, PYRO_ERR_TYPE },
        { "\x92\xFF\x90", 3, PYRO_ERR_TYPE },
        { "\x91\x00", 2, PYRO_ERR_DATA },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        with_fake();
        fake.page = rows[i].value;
        fake.page_n = rows[i].n;
        test_eq("open", open_ns(), PYRO_OK);
        test_eq("list", list(NULL) != PYRO_OK, rows[i].err != PYRO_OK);
        test_eq("listed", n_listed <= 1, 1);
        end();
    }
}

/* Requests that are begun and not sent, so that no buffer is left. */
static pyro_request held[NODE_POOL];
static unsigned     n_held;

static void hold(pyro_proxy *p)
{
    n_held = 0;
    while (pyro_begin(&held[n_held], p, "add") == PYRO_OK)
        n_held++;
    assert_true(n_held > 0);
}

static void let_go(void *user, pyro_daemon *node)
{
    (void)user;
    (void)node;
    while (n_held > 0)
        pyro_cancel(&held[--n_held]);
}

TEST(a_registration_waits_for_a_buffer)
{
    static pyro_timer timer;

    with_fake();
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(10);
    node_proxy(0, &proxy, 1);
    hold(&proxy);
    timer.fn = let_go;
    pyro_timer_set(me, &timer, 300);
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_OK);
    test_eq("all were let go", n_held, 0);
    test_eq("calls", registrations, 1);
    pyro_proxy_close(&proxy);
    end();
}

TEST(a_registration_without_a_buffer_for_good_ends)
{
    uint32_t start;

    with_fake();
    test_eq("open", open_ns(), PYRO_OK);
    rig_pass(10);
    node_proxy(0, &proxy, 1);
    hold(&proxy);
    start = rig.net.clock_ms;
    test_eq("register", pyro_ns_register(ns, "a", "thing"), PYRO_ERR_NAMING);
    assert_true(rig.net.clock_ms - start <= 2 * PYRO_TIMEOUT_MS + 100);
    test_eq("calls", registrations, 0);
    let_go(NULL, me);
    rig_pass(100);
    test_eq("calls", registrations, 1);
    expect_told("F:" ONE " R:a ");
    pyro_proxy_close(&proxy);
    end();
}

/* Jobs of node 3, a client of its own. */
static void job_open(struct node *node)
{
    result = pyro_ns_open(&clients[3], &node->d, &configs[3]);
}

static void job_register(struct node *node)
{
    (void)node;
    result = pyro_ns_register(&clients[3], "calc", "thing");
}

TEST(of_two_clients_with_one_name_the_second_waits_for_its_turn)
{
    begin();
    serve(1);
    node_open(3, 6);
    node_run(3);
    test_eq("open", open_ns(), PYRO_OK);
    node_do(3, job_open);
    test_eq("open", result, PYRO_OK);
    test_eq("register", pyro_ns_register(ns, "calc", "thing"), PYRO_OK);
    node_do(3, job_register);
    test_eq("taken", result, PYRO_ERR_REMOTE);
    test_eq("refused", clients[3].refused, 1);
    test_eq("drop", pyro_ns_unregister(ns, "calc"), PYRO_OK);
    node_do(3, job_register);
    test_eq("free", result, PYRO_OK);
    assert_string_equal(at_server(1, ":Default.calc"), OTHER);
    end();
}

/* Name servers come and go at random; when it is quiet again the names are
 * there. */
TEST(whatever_happens_to_name_servers_the_names_come_back)
{
    uint32_t seed = 11;

    begin();
    test_eq("open", open_ns(), PYRO_ERR_NAMING);
    pyro_ns_register(ns, "a", "thing");
    pyro_ns_register(ns, "b", "thing");
    rig.step = 7;
    for (unsigned i = 0; i < 60; i++) {
        unsigned k = 1 + test_random(&seed) % 2;

        if (rig.n[k].open)
            unserve(k);
        else
            serve(k);
        rig_pass(test_random(&seed) % 3000);
    }
    if (!rig.n[1].open)
        serve(1);
    if (rig.n[2].open)
        unserve(2);
    rig_pass(PYRO_NS_PAUSE_MS + 3000);
    assert_string_equal(at_server(1, ":Default.a"), ME);
    assert_string_equal(at_server(1, ":Default.b"), ME);
    assert_true(ns->lost > 5);
    end();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_name_is_registered_with_the_address_that_others_reach),
    cmocka_unit_test(names_are_kept_alive_while_the_daemon_is_polled),
    cmocka_unit_test(a_lease_has_a_default_and_is_never_too_short),
    cmocka_unit_test(a_name_that_is_taken_is_refused_and_not_kept),
    cmocka_unit_test(what_the_name_server_refuses_is_told_in_its_words),
    cmocka_unit_test(what_is_no_name_is_not_sent),
    cmocka_unit_test(an_object_that_nobody_could_reach_is_refused),
    cmocka_unit_test(more_names_than_there_is_room_for_are_refused),
    cmocka_unit_test(a_registration_ends_when_the_clock_stands_still),
    cmocka_unit_test(a_name_that_is_unregistered_is_gone_and_stays_so),
    cmocka_unit_test(a_name_given_up_while_it_is_being_registered_is_not_kept),
    cmocka_unit_test(
        a_name_that_gets_another_object_while_it_is_registered_stands_for_that),
    cmocka_unit_test(
        a_name_lost_to_another_is_told_once_and_comes_back_when_it_is_free),
    cmocka_unit_test(
        without_a_name_server_it_is_open_and_registers_when_there_is_one),
    cmocka_unit_test(a_name_server_that_starts_anew_gets_the_names_at_once),
    cmocka_unit_test(a_name_server_that_is_gone_for_long_is_found_again),
    cmocka_unit_test(a_name_server_that_has_moved_is_found_again),
    cmocka_unit_test(
        a_name_server_that_falls_silent_is_lost_at_the_next_refresh),
    cmocka_unit_test(the_other_of_a_pair_is_asked_first_and_without_broadcast),
    cmocka_unit_test(when_both_of_a_pair_are_gone_it_looks_by_broadcast_again),
    cmocka_unit_test(
        a_name_server_that_cannot_be_reached_is_not_asked_without_a_pause),
    cmocka_unit_test(names_are_resolved_relative_to_the_default_group),
    cmocka_unit_test(
        a_call_finds_the_next_name_server_when_the_first_has_gone),
    cmocka_unit_test(a_group_is_listed_page_by_page),
    cmocka_unit_test(proxies_take_names),
    cmocka_unit_test(names_that_lead_nowhere_are_errors),
    cmocka_unit_test(a_name_at_another_host_is_asked_for_there),
    cmocka_unit_test(the_same_name_at_two_hosts_is_asked_for_at_both),
    cmocka_unit_test(begin_is_busy_until_the_name_is_there_and_never_waits),
    cmocka_unit_test(several_names_are_asked_for_one_after_the_other),
    cmocka_unit_test(an_answer_that_nobody_fetched_is_not_used_later),
    cmocka_unit_test(a_proxy_follows_its_name_to_another_address),
    cmocka_unit_test(names_are_found_again_after_the_name_server_was_gone),
    cmocka_unit_test(
        a_name_that_is_being_asked_for_survives_the_loss_of_its_server),
    cmocka_unit_test(a_name_at_a_host_is_found_while_no_name_server_is),
    cmocka_unit_test(three_nodes_find_each_other_without_a_name_server),
    cmocka_unit_test(a_name_that_is_dropped_is_not_answered_for_any_more),
    cmocka_unit_test(a_long_object_name_is_answered_as_its_id),
    cmocka_unit_test(serverless_without_datagrams_is_an_error),
    cmocka_unit_test(a_client_needs_a_port_and_an_absolute_group),
    cmocka_unit_test(a_client_can_be_closed_at_any_time_and_leaves_nothing),
    cmocka_unit_test(a_client_can_be_closed_while_a_call_of_it_waits),
    cmocka_unit_test(a_twin_that_is_no_uri_does_no_harm),
    cmocka_unit_test(pages_that_are_none_end_a_list_with_an_error),
    cmocka_unit_test(a_registration_waits_for_a_buffer),
    cmocka_unit_test(a_registration_without_a_buffer_for_good_ends),
    cmocka_unit_test(
        of_two_clients_with_one_name_the_second_waits_for_its_turn),
    cmocka_unit_test(whatever_happens_to_name_servers_the_names_come_back),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
