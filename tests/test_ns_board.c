/* The names of a board: no configs, no leases and one network, with what else
 * test_ns_least.c leaves out. One daemon serves names and calls itself; the
 * test plays who else is on the network. */
#define PYRO_NO_URI
#define PYRO_NO_ASYNC
#define PYRO_NO_CONFIG
#define PYRO_NO_DENIALS
#define PYRO_NO_TEXTS
#define PYRO_NO_PYRO5
#define PYRO_NO_INTROSPECTION
#define PYRO_NO_IDS
#define PYRO_NO_UTF8
#define PYRO_NS_NO_STORAGE
#define PYRO_NS_NO_GROUPS
#define PYRO_NS_NO_CONFIG
#define PYRO_NS_NO_LEASES
#define PYRO_NS_NO_NETS
#define PYRO_NS_MAX_META     0
#define PYRO_NS_TRIED_BYTES  0
#define PYRO_EXCEPTION_BYTES 120
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../pyro_ns.h"

#include "loopback.h"
#include "pyro_test.h"

#define ME  0x0A000009u
#define NET 0xFFFFFF00u

static struct loop_net net;
static pyro_port       port;
static pyro_port       other; /* another host's */
static int32_t         udp;   /* where that is asked */
static pyro_config     config = { .port = &port };
static PYRO_ROOM(3, 6, 300, 2) room;
static pyro_daemon node;
static pyro_proxy  ns;
static PYRO_NS_ROOM(4, 120) names;
static pyro_ns_server  server;
static pyro_ns_locator loc;
static char            text[PYRO_URI_BYTES];

/* A daemon that listens there, and without `serves` only looks for names. */
static void begin(const char *address, bool serves)
{
    loop_init(&net, 1);
    net.clock = LOOP_CLOCK_RUNS;
    port = loop_port(&net);
    other = loop_port(&net);
    loop_at(&net, &port, ME, NET);
    loop_at(&net, &other, ME + 1, NET);
    udp = loop_udp_open(&other, 0, PYRO_NS_PORT);
    assert_int_equal(pyro_open(&node, PYRO_ROOM_OF(room), &config), PYRO_OK);
    assert_int_equal(pyro_listen(&node, &port, address), PYRO_OK);
    if (!serves)
        return;
    assert_int_equal(pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names),
                                   NULL),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&ns, &node,
                                     "PYRO://10.0.0.9:9090/" PYRO_NS_NAME),
                     PYRO_OK);
}

static void end(void)
{
    if (server.node_ != NULL) {
        assert_null(pyro_ns_check(&server));
        pyro_proxy_close(&ns);
        pyro_ns_stop(&server);
        memset(&server, 0, sizeof server);
    }
    pyro_close(&node);
    loop_close(&other, udp);
    assert_int_equal(net.misuse, 0);
    assert_int_equal(loop_open_handles(&net), 0);
}

/* The message of the exception that is raised, or NULL. */
static const char *raised(pyro_err err, const char *type)
{
    assert_null(pyro_ns_check(&server));
    if (err == PYRO_OK)
        return NULL;
    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&ns)->type, type);
    return pyro_exception(&ns)->message;
}

static const char *reg(const char *name, const char *uri, int32_t ms,
                       bool again)
{
    return raised(pyro_invoke(&ns, "register",
                              PYRO_ARGS(pyro_str(name), pyro_str(uri),
                                        pyro_int(ms), pyro_bool(again)),
                              pyro_to_none()),
                  "NamingError");
}

static const char *resolve(const char *name)
{
    return raised(pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_str(name)),
                              pyro_to_str(text, sizeof text)),
                  "NamingError");
}

static const char *unregister(const char *name)
{
    return raised(pyro_invoke(&ns, "unregister", PYRO_ARGS(pyro_str(name)),
                              pyro_to_none()),
                  "NamingError");
}

/* The next datagram that came to the other host, or -1. */
static int32_t heard(char *q, size_t size, pyro_udp *from)
{
    return loop_udp_recv(&other, udp, q, (uint32_t)size, from);
}

static void a_name_stays_until_it_is_unregistered(void **state)
{
    (void)state;
    begin("*:9090", true);
    assert_null(reg("a", "PYRO://10.0.0.7:7766/x", 1000, false));
    loop_advance(&net, 100000);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_null(resolve("a"));
    assert_string_equal(text, "PYRO://10.0.0.7:7766/x");
    assert_null(reg("a", "PYRO://10.0.0.7:7766/x", -1, true));
    assert_string_equal(reg("a", "PYRO://10.0.0.7:7766/x", 0, false),
                        ":Default.a");
    assert_string_equal(reg("a", "PYRO://10.0.0.7:7766/y", 0, true),
                        ":Default.a");
    assert_string_equal(reg("a", "PYRO://10.0.0.7:7766/xy", 0, true),
                        ":Default.a");
    assert_null(unregister("a"));
    assert_string_equal(resolve("a"), ":Default.a");
    assert_string_equal(unregister("a"), ":Default.a");
    end();
}

/* Texts move when holes are closed; each name keeps its own. */
static void a_full_table_is_an_error_until_one_goes(void **state)
{
    char name[] = ":a";
    char uri[] = "PYRO://10.0.0.7:1/a";
    int  i;

    (void)state;
    begin("*:9090", true);
    for (i = 0; i < 4; i++, name[1]++, uri[18]++)
        assert_null(reg(name, uri, 0, false));
    assert_string_equal(reg(name, uri, 0, false), "");
    for (i = 0; i < 20; i++) {
        name[1] = uri[18] = (char)('a' + i);
        assert_null(unregister(name));
        name[1] = uri[18] = (char)('a' + i + 4);
        assert_null(reg(name, uri, 0, false));
        assert_null(resolve(name));
        assert_string_equal(text, uri);
        name[1] = uri[18] = (char)('a' + i + 2);
        assert_null(resolve(name));
        assert_string_equal(text, uri);
    }
    end();
}

static void its_own_name_is_not_among_the_names(void **state)
{
    uint8_t     bytes[200];
    pyro_blob   blob = { bytes, sizeof bytes, 0 };
    pyro_reader in;
    uint32_t    n;

    (void)state;
    begin("*:9090", true);
    assert_string_equal(resolve(PYRO_NS_NAME), PYRO_NS_NAME);
    assert_null(reg(":a", "PYRO://10.0.0.7:1/x", 0, false));
    assert_int_equal(pyro_invoke(&ns, "flatlist", PYRO_NO_ARGS,
                                 pyro_to_raw(&blob)),
                     PYRO_OK);
    in = pyro_reader_of(bytes, blob.used);
    assert_int_equal(pyro_get_list(&in, 2), 2);
    assert_int_equal(pyro_get_i32(&in), 0);
    assert_int_equal(pyro_get_list(&in, 9), 1);
    assert_int_equal(pyro_get_list(&in, 2), 2);
    assert_memory_equal(pyro_get_str(&in, &n), ":a", 2);
    assert_memory_equal(pyro_get_str(&in, &n), "PYRO://10.0.0.7:1/x", 19);
    assert_int_equal(pyro_invoke(&ns, "ping", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
    assert_non_null(
        raised(pyro_invoke(&ns, "_shutdown", PYRO_NO_ARGS, pyro_to_none()),
               "AttributeError"));
    end();
}

/* Wherever it listens: it is the host that the answer comes from. */
static void an_answer_has_the_port_alone(void **state)
{
    static const char q[64] = "PYRO? 0123456789abcdef :Pyro.NameServer";
    static const char wrong[64] = "PYRO? 0123456789abcdef :Pyro.NameServe";
    pyro_udp          to = { ME, PYRO_NS_PORT };
    char              a[128] = "";

    (void)state;
    begin("10.0.0.9:9090", true);
    assert_true(loop_udp_send(&other, udp, &to, q, sizeof q));
    assert_true(loop_udp_send(&other, udp, &to, wrong, sizeof wrong));
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(heard(a, sizeof a, &to), 45);
    assert_string_equal(a, "PYRO! 0123456789abcdef :9090 :Pyro.NameServer");
    assert_int_equal(heard(a, sizeof a, &to), -1);
    assert_int_equal(server.answerer.answered, 1);
    assert_int_equal(server.answerer.ignored, 1);
    end();
}

static void the_locator_finds_its_own_host(void **state)
{
    (void)state;
    begin("*:9090", true);
    assert_int_equal(pyro_ns_locate(&loc, &node, NULL, NULL), PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:9090/" PYRO_NS_NAME);
    end();
}

static void the_first_answer_ends_the_search(void **state)
{
    char     q[128];
    pyro_udp from;

    (void)state;
    begin("*:9090", false);
    assert_int_equal(pyro_ns_look(&loc, &node, NULL, NULL, NULL, NULL),
                     PYRO_OK);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(heard(q, sizeof q, &from), 64);
    assert_int_equal(heard(q + 64, 64, &from), -1); /* asked once */
    q[4] = '!';
    memcpy(q + 23, ":1 ", 3); /* no object */
    assert_true(loop_udp_send(&other, udp, &from, q, 26));
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(loc.err, PYRO_ERR_BUSY);
    memcpy(q + 23, ":1 a :2 b", 6);
    assert_true(loop_udp_send(&other, udp, &from, q, 27));
    memcpy(q + 23, ":2 b", 4);
    assert_true(loop_udp_send(&other, udp, &from, q, 27));
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.10:1/a");
    assert_int_equal(loc.ignored, 1);
    end();
}

static void forget(void *user, pyro_ns_locator *at)
{
    assert_int_equal(at->err, PYRO_OK);
    assert_string_equal(at->uri, "PYRO://10.0.0.10:1/a");
    memset(at, 0xFF, sizeof *at);
    ++*(int *)user;
}

static void at_its_end_a_locator_is_its_owner_s_again(void **state)
{
    char     q[128];
    pyro_udp from;
    int      ended = 0;

    (void)state;
    begin("*:9090", false);
    assert_int_equal(pyro_ns_look(&loc, &node, NULL, NULL, forget, &ended),
                     PYRO_OK);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(heard(q, sizeof q, &from), 64);
    q[4] = '!';
    memcpy(q + 23, ":1 a", 4);
    assert_true(loop_udp_send(&other, udp, &from, q, 27));
    assert_true(loop_udp_send(&other, udp, &from, q, 27));
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(ended, 1);
    end();
}

static void a_search_in_vain_ends(void **state)
{
    char     q[128];
    pyro_udp from;
    int      questions = 0;

    (void)state;
    begin("*:9090", false);
    assert_int_equal(pyro_ns_locate(&loc, &node, NULL, ":nobody"),
                     PYRO_ERR_NAMING);
    while (heard(q, sizeof q, &from) == 128)
        questions++;
    assert_int_equal(questions, PYRO_NS_TRIES);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_stays_until_it_is_unregistered),
        cmocka_unit_test(a_full_table_is_an_error_until_one_goes),
        cmocka_unit_test(its_own_name_is_not_among_the_names),
        cmocka_unit_test(an_answer_has_the_port_alone),
        cmocka_unit_test(the_locator_finds_its_own_host),
        cmocka_unit_test(the_first_answer_ends_the_search),
        cmocka_unit_test(at_its_end_a_locator_is_its_owner_s_again),
        cmocka_unit_test(a_search_in_vain_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
