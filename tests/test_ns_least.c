/* The names of the smallest build: no URIs but as text, no groups, no
 * metadata, no texts, a locator that only broadcasts. One daemon serves names
 * and calls itself; the test plays who else is on the network. */
#define PYRO_NO_URI
#define PYRO_NO_ASYNC
#define PYRO_NO_CONFIG
#define PYRO_NO_DENIALS
#define PYRO_NO_TEXTS
#define PYRO_NO_PYRO5
#define PYRO_NS_NO_STORAGE
#define PYRO_NS_NO_GROUPS
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
static pyro_config     config = { .port = &port };
static PYRO_ROOM(3, 6, 300, 2) room;
static pyro_daemon node;
static pyro_proxy  ns;
static PYRO_NS_ROOM(8, 300) names;
static pyro_ns_server server;
static char           text[PYRO_URI_BYTES];

static int setup(void **state)
{
    (void)state;
    loop_init(&net, 1);
    net.clock = LOOP_CLOCK_RUNS;
    port = loop_port(&net);
    other = loop_port(&net);
    loop_at(&net, &port, ME, NET);
    loop_at(&net, &other, ME + 1, NET);
    assert_int_equal(pyro_open(&node, PYRO_ROOM_OF(room), &config), PYRO_OK);
    assert_int_equal(pyro_listen(&node, &port, "*:9090"), PYRO_OK);
    assert_int_equal(pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names),
                                   NULL),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&ns, &node,
                                     "PYRO://10.0.0.9:9090/" PYRO_NS_NAME),
                     PYRO_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_null(pyro_ns_check(&server));
    pyro_proxy_close(&ns);
    pyro_ns_stop(&server);
    pyro_close(&node);
    assert_int_equal(net.misuse, 0);
    assert_int_equal(loop_open_handles(&net), 0);
    return 0;
}

#define LEAST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What of two is raised, or NULL. Without texts that is a name. */
static const char *raised(pyro_err err, const char *type)
{
    assert_null(pyro_ns_check(&server));
    if (err == PYRO_OK)
        return NULL;
    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&ns)->type, type);
    return pyro_exception(&ns)->message;
}

static const char *reg(const char *name, const char *uri, int32_t ms)
{
    return raised(pyro_invoke(&ns, "register",
                              PYRO_ARGS(pyro_str(name), pyro_str(uri),
                                        pyro_int(ms)),
                              pyro_to_none()),
                  "NamingError");
}

static const char *resolve(const char *name)
{
    return raised(pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_str(name)),
                              pyro_to_str(text, sizeof text)),
                  "NamingError");
}

static void names_come_and_go(void **state)
{
    (void)state;
    assert_null(reg("a", "PYRO://10.0.0.7:7766/x", 0));
    assert_null(resolve(":Default.a"));
    assert_string_equal(text, "PYRO://10.0.0.7:7766/x");
    assert_string_equal(reg("a", "PYRO://10.0.0.7:7766/y", 0), ":Default.a");
    assert_null(raised(pyro_invoke(&ns, "unregister", PYRO_ARGS(pyro_str("a")),
                                   pyro_to_none()),
                       "NamingError"));
    assert_string_equal(resolve("a"), ":Default.a");
    assert_string_equal(resolve(":Default"), ":Default");
    assert_string_equal(resolve("a\\"), "");
}

static void a_lease_ends(void **state)
{
    (void)state;
    assert_null(reg(":a", "PYRO://10.0.0.7:7766/x", 2000));
    assert_null(resolve(":a"));
    loop_advance(&net, 2001);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_string_equal(resolve(":a"), ":a");
    assert_int_equal(server.stats.expired, 1);
}

/* How many names a list has. */
static uint32_t listed(const char *method, const char *group)
{
    uint8_t     bytes[200];
    pyro_blob   blob = { bytes, sizeof bytes, 0 };
    pyro_value  value = pyro_str(group != NULL ? group : "");
    pyro_args   args = { &value, group != NULL };
    pyro_reader in;

    assert_int_equal(pyro_invoke(&ns, method, args, pyro_to_raw(&blob)),
                     PYRO_OK);
    in = pyro_reader_of(bytes, blob.used);
    assert_int_equal(pyro_get_list(&in, 2), 2);
    assert_int_equal(pyro_get_i32(&in), 0);
    return pyro_get_list(&in, 100);
}

static void names_are_flat(void **state)
{
    static const char *const methods[] = { "createGroup", "deleteGroup",
                                           "setMeta", "getMeta",
                                           "getSystemMeta" };
    unsigned                 i;

    (void)state;
    for (i = 0; i < PYRO_COUNT(methods); i++)
        assert_non_null(
            raised(pyro_invoke(&ns, methods[i], PYRO_ARGS(pyro_str(":lab")),
                               pyro_to_none()),
                   "AttributeError"));
    assert_null(reg(":lab.a", "PYRO://10.0.0.7:1/x", 0));
    assert_null(reg("a", "PYRO://10.0.0.7:1/x", 0));
    assert_null(reg("a.b", "PYRO://10.0.0.7:1/x", 0));
    assert_string_equal(reg(":", "PYRO://10.0.0.7:1/x", 0), ":");
    assert_int_equal(listed("flatlist", NULL), 4);
    assert_int_equal(listed("list", NULL), 1); /* a */
    assert_int_equal(listed("list", ":lab"), 1);
    assert_int_equal(listed("list", ":Default.a"), 1); /* b */
    assert_int_equal(listed("list", ":"), 0);
    assert_int_equal(listed("list", ":nowhere"), 0);
    assert_null(raised(pyro_invoke(&ns, "unregister", PYRO_ARGS(pyro_str("a")),
                                   pyro_to_none()),
                       "NamingError"));
    assert_null(resolve("a.b"));
}

static void a_uri_is_kept_as_it_is(void **state)
{
    static const char *const good[] = { "PYRO://127.0.0.1:1/x",
                                        "PYRO://0.0.0.0:1/x",
                                        "PYRO://[::1]:1/x/y", "PYRO://a/b" };
    static const char *const bad[] = {
        "",          "x",           "PYRO:/",        "PYRO://",
        "PYRO://a",  "PYRO://a/",   "PYRO:///x",     "PYRO://a b/x",
        "pyro://a/", "PYRO://a/\n", "PYRO://a/\x7F", "PYRONAME://a"
    };
    char     uri[PYRO_URI_BYTES + 1];
    char     name[] = ":a";
    unsigned i;

    (void)state;
    for (i = 0; i < PYRO_COUNT(bad); i++)
        assert_string_equal(reg(":a", bad[i], 0), "");
    for (i = 0; i < PYRO_COUNT(good); i++) {
        name[1] = (char)('a' + i);
        assert_null(reg(name, good[i], 0));
        assert_null(resolve(name));
        assert_string_equal(text, good[i]);
    }
    memset(uri, 'x', sizeof uri - 1);
    memcpy(uri, "PYRO://a/", 9);
    uri[sizeof uri - 1] = 0;
    assert_string_equal(reg(":z", uri, 0), "");
    uri[sizeof uri - 2] = 0;
    assert_null(raised(pyro_invoke(&ns, "unregister",
                                   PYRO_ARGS(pyro_str(":a")), pyro_to_none()),
                       "NamingError"));
    assert_null(reg(":z", uri, 0));
    assert_null(resolve(":z"));
    assert_string_equal(text, uri);
}

static void its_own_uri_is_where_the_call_came_to(void **state)
{
    (void)state;
    assert_null(resolve(PYRO_NS_NAME));
    assert_string_equal(text, "PYRO://10.0.0.9:9090/" PYRO_NS_NAME);
    pyro_proxy_close(&ns);
    assert_int_equal(pyro_proxy_open(&ns, &node,
                                     "PYRO://127.0.0.1:9090/" PYRO_NS_NAME),
                     PYRO_OK);
    assert_null(resolve(PYRO_NS_NAME));
    assert_string_equal(text, "PYRO://127.0.0.1:9090/" PYRO_NS_NAME);
    assert_string_equal(reg(PYRO_NS_NAME, "PYRO://evil:1/x", 0), PYRO_NS_NAME);
    assert_string_equal(raised(pyro_invoke(&ns, "unregister",
                                           PYRO_ARGS(pyro_str(PYRO_NS_NAME)),
                                           pyro_to_none()),
                               "NamingError"),
                        PYRO_NS_NAME);
    assert_string_equal(raised(pyro_invoke(&ns, "unregister",
                                           PYRO_ARGS(pyro_str(":Default")),
                                           pyro_to_none()),
                               "NamingError"),
                        ":Default");
}

static void full_tables_are_errors(void **state)
{
    char name[] = ":a";
    int  n = 0;

    (void)state;
    for (; reg(name, "PYRO://10.0.0.7:1/x", 0) == NULL; name[1]++)
        n++;
    assert_int_equal(n, 7); /* one is its own */
    assert_string_equal(pyro_exception(&ns)->message, "");
}

static void the_locator_asks_by_broadcast(void **state)
{
    static pyro_ns_locator loc;
    static pyro_ns_config  one = { .tries = 1 };
    int32_t                udp = loop_udp_open(&other, 0, PYRO_NS_PORT);
    char                   q[128];
    pyro_udp               from;

    (void)state;
    assert_int_equal(pyro_ns_locate(&loc, &node, NULL, NULL), PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.9:9090/" PYRO_NS_NAME);
    assert_true(server.answerer.answered > 0);
    while (loop_udp_recv(&other, udp, q, sizeof q, &from) >= 0)
        continue;

    /* Another name; what is no URI is not taken for one. */
    assert_int_equal(pyro_ns_look(&loc, &node, &one, ":lamp", NULL, NULL),
                     PYRO_OK);
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(loop_udp_recv(&other, udp, q, sizeof q, &from), 128);
    q[4] = '!';
    memcpy(q + 23, ":1 ", 3); /* no object */
    assert_true(loop_udp_send(&other, udp, &from, q, 26));
    memcpy(q + 23, "a lamp ", 7); /* no port */
    assert_true(loop_udp_send(&other, udp, &from, q, 29));
    assert_int_equal(pyro_poll(&node, 0), PYRO_OK);
    assert_int_equal(loc.ignored, 2);
    memcpy(q + 23, ":1 lamp", 7);
    assert_true(loop_udp_send(&other, udp, &from, q, 30));
    while (loc.err == PYRO_ERR_BUSY)
        assert_int_equal(pyro_poll(&node, -1), PYRO_OK);
    assert_int_equal(loc.err, PYRO_OK);
    assert_string_equal(loc.uri, "PYRO://10.0.0.10:1/lamp");

    assert_int_equal(pyro_ns_locate(&loc, &node, &one, ":nobody"),
                     PYRO_ERR_NAMING);
    loop_close(&other, udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEAST_TEST(names_come_and_go),
        LEAST_TEST(a_lease_ends),
        LEAST_TEST(names_are_flat),
        LEAST_TEST(a_uri_is_kept_as_it_is),
        LEAST_TEST(its_own_uri_is_where_the_call_came_to),
        LEAST_TEST(full_tables_are_errors),
        LEAST_TEST(the_locator_asks_by_broadcast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
