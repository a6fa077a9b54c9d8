/* The name server as Pyro5 and Pyro4 use it: object "Pyro.NameServer", and
 * their broadcast. Node 1 serves, node 0 asks. Arguments and results are
 * written as JSON. */
#define PYRO_IMPLEMENTATION
#define PYRO_EXCEPTION_BYTES 240
#define PYRO_MAX_NAME        48
#include "../pyro.h"
#include "../pyro_ns.h"
#include "../examples/lib/json.h"

#include "nodes.h"

enum { ME = 0x0A000001, ASKER = 0x0A000007, STRANGER = 0x0B000001 };

#define NET 0xFFFFFF00u

static PYRO_NS_ROOM(24, 1200) names;
static pyro_ns_server        server;
static pyro_ns_server_config config;
static pyro_proxy            ns;   /* of node 0, for "Pyro.NameServer" */
static pyro_proxy            ours; /* and for ":Pyro.NameServer" */
static pyro_port             asker;
static int32_t               udp;

static int setup(void **state)
{
    (void)state;
    rig_init(1);
    memset(&config, 0, sizeof config);
    config.pyro5 = true;
    node_open(0, 4);
    loop_at(&rig.net, &rig.n[1].port, ME, NET);
    node_open(1, 4);
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d,
                                   PYRO_NS_ROOM_OF(names), &config),
                     PYRO_OK);
    node_run(1);
    assert_int_equal(pyro_proxy_open(&ns, &rig.n[0].d,
                                     "PYRO://board:7701/Pyro.NameServer"),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&ours, &rig.n[0].d,
                                     "PYRO://board:7701/" PYRO_NS_NAME),
                     PYRO_OK);
    return 0;
}

static int teardown(void **state)
{
    const char *wrong = pyro_ns_check(&server);

    (void)state;
    if (wrong != NULL)
        fail_msg("pyro_ns_check: %s", wrong);
    pyro_proxy_close(&ns);
    pyro_proxy_close(&ours);
    node_stop(1);
    pyro_ns_stop(&server);
    rig_end();
    return 0;
}

/* --- calls --- */

static pyro_reader json_in(uint8_t *to, size_t size, const char *text)
{
    char        copy[400];
    pyro_writer out = pyro_writer_of(to, size, 1);

    snprintf(copy, sizeof copy, "%s", text);
    if (pyro_json_put(&out, copy, NULL) != PYRO_OK)
        fail_msg("no JSON: %s", text);
    return pyro_reader_of(to, (size_t)(out.at - to));
}

/* What a call gives, as JSON, or as "Type: message". */
static const char *call(const char *method, const char *args, const char *kw)
{
    static char  is[1000];
    uint8_t      bytes[400];
    uint8_t      result[400];
    pyro_blob    blob = { result, sizeof result, 0 };
    pyro_request rq;
    pyro_reader  in;
    uint32_t     n;
    uint32_t     size;
    const void  *raw;
    pyro_err     err;

    assert_int_equal(pyro_begin(&rq, &ns, method), PYRO_OK);
    in = json_in(bytes, sizeof bytes, args);
    for (n = pyro_get_list(&in, 15); n > 0; n--) {
        raw = pyro_get_raw(&in, &size);
        pyro_put_raw(&rq.args, raw, size);
    }
    in = json_in(bytes, sizeof bytes, kw);
    n = pyro_get_map(&in, 15);
    if (n > 0)
        pyro_put_kwargs(&rq, n);
    for (n *= 2; n > 0; n--) {
        raw = pyro_get_raw(&in, &size);
        pyro_put_raw(&rq.args, raw, size);
    }
    err = pyro_send(&rq, pyro_to_raw(&blob), NULL, NULL);
    if (err == PYRO_OK)
        err = pyro_wait(&rq);
    if (err == PYRO_ERR_REMOTE) {
        snprintf(is, sizeof is, "%s: %s", pyro_exception(&ns)->type,
                 pyro_exception(&ns)->message);
        return is;
    }
    assert_int_equal(err, PYRO_OK);
    in = pyro_reader_of(result, blob.used);
    assert_int_equal(pyro_json_get(&in, is, sizeof is), PYRO_OK);
    return is;
}

struct row {
    const char *method;
    const char *args;
    const char *kw;
    const char *want;
};

static void check(const struct row *rows, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const char *is = call(rows[i].method, rows[i].args, rows[i].kw);

        if (strcmp(is, rows[i].want) != 0)
            fail_msg("%u: %s%s%s gives %s, should give %s", (unsigned)i,
                     rows[i].method, rows[i].args, rows[i].kw, is,
                     rows[i].want);
    }
}

#define CHECK(rows) check(rows, PYRO_COUNT(rows))

#define URI_OF(object, host, port)                                    \
    "{\"__class__\":\"Pyro5.core.URI\",\"state\":[\"PYRO\",\"" object \
    "\",null,\"" host "\"," port "]}"
#define NO_KW   "{}"
#define ID      "obj_0123456789abcdef0123456789abcdef"
#define UNKNOWN "TypeError: unknown or repeated keyword argument"

TEST(names_are_registered_found_and_removed_by_position_and_keyword)
{
    static const struct row rows[] = {
        { "ping", "[]", NO_KW, "null" },
        { "count", "[]", NO_KW, "1" },
        { "register", "[\"one\",\"PYRO:" ID "@10.0.0.9:99\"]", NO_KW, "null" },
        { "register",
          "[\"two\"," URI_OF("calc", "10.0.0.9", "98") ",true,[\"x\"]]", NO_KW,
          "null" },
        { "register", "[]",
          "{\"name\":\"three\",\"uri\":\"PYRO:c@[fe80::1]:97\","
          "\"metadata\":[\"x\",\"y\"]}",
          "null" },
        { "register", "[\"four\"]",
          "{\"uri\":\"PYROLOC://10.0.0.9:96/d\",\"safe\":false}", "null" },
        { "count", "[]", NO_KW, "5" },
        { "lookup", "[\"one\"]", NO_KW, URI_OF(ID, "10.0.0.9", "99") },
        { "lookup", "[\"two\",false]", NO_KW,
          URI_OF("calc", "10.0.0.9", "98") },
        { "lookup", "[\"two\"]", "{\"return_metadata\":true}",
          "[" URI_OF("calc", "10.0.0.9", "98") ",[\"x\"]]" },
        { "lookup", "[]", "{\"return_metadata\":true,\"name\":\"one\"}",
          "[" URI_OF(ID, "10.0.0.9", "99") ",[]]" },
        { "lookup", "[\"four\"]", NO_KW, URI_OF("d", "10.0.0.9", "96") },
        { "list", "[]", "{\"prefix\":\"t\"}",
          "{\"two\":\"PYRO:calc@10.0.0.9:98\","
          "\"three\":\"PYRO:c@[fe80::1]:97\"}" },
        { "list", "[\"three\",null,true]", NO_KW,
          "{\"three\":[\"PYRO:c@[fe80::1]:97\",[\"x\",\"y\"]]}" },
        { "list", "[]", "{\"prefix\":\"two\",\"return_metadata\":true}",
          "{\"two\":[\"PYRO:calc@10.0.0.9:98\",[\"x\"]]}" },
        { "list", "[\"none\"]", NO_KW, "{}" },
        { "set_metadata", "[\"one\",[\"z\"]]", NO_KW, "null" },
        { "yplookup", "[[\"z\"]]", NO_KW,
          "{\"one\":[\"PYRO:" ID "@10.0.0.9:99\",[\"z\"]]}" },
        { "yplookup", "[]",
          "{\"meta_any\":[\"z\",\"y\"],\"return_metadata\":false}",
          "{\"one\":\"PYRO:" ID "@10.0.0.9:99\","
          "\"three\":\"PYRO:c@[fe80::1]:97\"}" },
        { "yplookup", "[[\"x\",\"y\"],null,false]", NO_KW,
          "{\"three\":\"PYRO:c@[fe80::1]:97\"}" },
        { "list", "[null,null,[\"x\",\"y\"]]", NO_KW,
          "{\"three\":\"PYRO:c@[fe80::1]:97\"}" },
        { "list", "[]", "{\"metadata_any\":[\"z\"]}",
          "{\"one\":\"PYRO:" ID "@10.0.0.9:99\"}" },
        { "register", "[\"one\",\"PYRO:new@10.0.0.9:1\"]", NO_KW, "null" },
        { "lookup", "[\"one\"]", NO_KW, URI_OF("new", "10.0.0.9", "1") },
        { "remove", "[\"one\"]", NO_KW, "1" },
        { "remove", "[\"one\"]", NO_KW, "0" },
        { "remove", "[]", "{\"prefix\":\"t\"}", "2" },
        { "remove", "[]", NO_KW, "0" },
        { "remove", "[\"Pyro.NameServer\"]", NO_KW, "0" },
        { "remove", "[null,\"Pyro\"]", NO_KW, "0" },
        { "count", "[]", NO_KW, "2" },
    };

    CHECK(rows);
}

TEST(what_cannot_be_done_is_said_by_the_names_that_python_knows)
{
    static const struct row rows[] = {
        { "register", "[\"a\",\"PYRO:a@10.0.0.9:1\"]", NO_KW, "null" },
        { "lookup", "[\"b\"]", NO_KW, "NamingError: unknown name: b" },
        { "set_metadata", "[\"b\",[]]", NO_KW,
          "NamingError: unknown name: b" },
        { "register", "[\"a\",\"PYRO:a@10.0.0.9:2\",true]", NO_KW,
          "NamingError: name already registered: a" },
        { "register", "[\"a.b\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: an object has a part of this name: :Default.a.b" },
        { "register", "[\"c d\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: invalid character(s) in name" },
        { "register", "[\"\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: invalid name" },
        { "register", "[\":\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: invalid name" },
        { "register", "[\"c\",\"PYRO:a\"]", NO_KW,
          "NamingError: invalid URI" },
        { "register", "[\"c\",5]", NO_KW,
          "TypeError: only URIs can be registered" },
        { "register", "[\"c\"]", NO_KW,
          "TypeError: only URIs can be registered" },
        { "register", "[5,\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "TypeError: a str is missing" },
        { "register", "[\"c\",\"PYRO:a@10.0.0.9:2\",false,[1]]", NO_KW,
          "TypeError: metadata is no list or set of str" },
        { "register", "[\"c\",\"PYRO:a@10.0.0.9:2\",false,\"x\"]", NO_KW,
          "TypeError: metadata is no list or set of str" },
        { "register",
          "[\"c\",\"PYRO:a@10.0.0.9:2\",false,"
          "[\"0123456789012345678901234567890123456789012345678901234567\","
          "\"0123456\"]]",
          NO_KW, "NamingError: metadata is too long, raise PYRO_NS_MAX_META" },
        { "register", "[\"Pyro.NameServer\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: is a group, or the name server itself: "
          ":Pyro.NameServer" },
        { "register", "[\":Pyro\",\"PYRO:a@10.0.0.9:2\"]", NO_KW,
          "NamingError: is a group, or the name server itself: :Pyro" },
        { "set_metadata", "[\"Pyro.NameServer\",[]]", NO_KW,
          "NamingError: has no metadata: :Pyro.NameServer" },
        { "lookup", "[]", NO_KW, "TypeError: a str is missing" },
        { "lookup", "[\"a\"]", "{\"name\":\"a\"}", UNKNOWN },
        { "lookup", "[\"a\"]", "{\"x\":1}", UNKNOWN },
        { "list", "[]", "{\"regex\":\".*\"}",
          "NamingError: no regular expressions here, use a prefix" },
        { "remove", "[]", "{\"regex\":\".*\"}",
          "NamingError: no regular expressions here, use a prefix" },
        { "list", "[5]", NO_KW, "TypeError: a str is missing" },
        { "list", "[]", "{\"metadata_all\":\"x\"}",
          "TypeError: metadata is no list or set" },
        { "yplookup", "[]", NO_KW,
          "ValueError: specify meta_all or meta_any" },
        { "lookup", "[1,2,3]", NO_KW,
          "TypeError: arguments given: 3, expected: 2" },
        { "count", "[]", NO_KW, "2" },
    };

    CHECK(rows);
}

TEST(both_kinds_of_client_see_the_same_names)
{
    char                    uri[PYRO_URI_BYTES];
    static const struct row rows[] = {
        { "register", "[\"lab.x.calc\",\"PYRO:calc@10.0.0.9:1\"]", NO_KW,
          "null" },
        { "lookup", "[\":lab.calc\"]", NO_KW,
          URI_OF("calc", "10.0.0.9", "2") },
        { "register", "[\":lab.more\",\"PYRO:more@10.0.0.9:3\"]", NO_KW,
          "null" },
        { "list", "[\":lab\"]", NO_KW,
          "{\":lab.calc\":\"PYRO:calc@10.0.0.9:2\","
          "\":lab.more\":\"PYRO:more@10.0.0.9:3\"}" },
        { "list", "[\"Pyro\",null,true]", NO_KW,
          "{\"Pyro.NameServer\":[\"PYRO:Pyro.NameServer@board:7701\","
          "[\"class:Pyro5.nameserver.NameServer\"]]}" },
        { "lookup", "[\"Pyro.NameServer\"]", NO_KW,
          URI_OF("Pyro.NameServer", "board", "7701") },
        { "lookup", "[\":meta\",true]", NO_KW,
          "[" URI_OF("m", "10.0.0.9", "4") ",[]]" },
        { "lookup", "[\":unix\"]", NO_KW, URI_OF("u", "unix:/run/x", "0") },
        { "list", "[\":unix\"]", NO_KW, "{\":unix\":\"PYRO:u@./u:/run/x\"}" },
    };

    assert_int_equal(pyro_invoke(&ours, "createGroup",
                                 PYRO_ARGS(pyro_str(":lab")), pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ours, "register",
                                 PYRO_ARGS(pyro_str(":lab.calc"),
                                           pyro_str("PYRO://10.0.0.9:2/calc")),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ours, "register",
                                 PYRO_ARGS(pyro_str(":meta"),
                                           pyro_str("PYRO://10.0.0.9:4/m")),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ours, "setMeta",
                                 PYRO_ARGS(pyro_str(":meta"), pyro_int(7)),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ours, "register",
                                 PYRO_ARGS(pyro_str(":unix"),
                                           pyro_str("PYRO://[unix:/run/x]/u")),
                                 pyro_to_none()),
                     PYRO_OK);
    check(rows, 1);
    assert_int_equal(pyro_invoke(&ours, "resolve",
                                 PYRO_ARGS(pyro_str("lab.x.calc")),
                                 pyro_to_str(uri, sizeof uri)),
                     PYRO_OK);
    assert_string_equal(uri, "PYRO:calc@10.0.0.9:1");
    check(rows + 1, PYRO_COUNT(rows) - 1);
}

TEST(a_list_that_does_not_fit_a_message_is_an_exception)
{
    char        args[80];
    const char *is;
    unsigned    i;

    for (i = 0; i < 9; i++) {
        snprintf(args, sizeof args, "[\"name%u\",\"PYRO:o@10.0.0.9:%u\"]", i,
                 i + 1);
        assert_string_equal(call("register", args, NO_KW), "null");
    }
    is = call("list", "[]", NO_KW);
    if (strncmp(is, "MemoryError: ", 13) != 0)
        fail_msg("%s", is);
    assert_string_equal(call("list", "[\"name7\"]", NO_KW),
                        "{\"name7\":\"PYRO:o@10.0.0.9:8\"}");
}

static bool nobody(void *user, pyro_call *c, pyro_ns_op op, const char *name)
{
    (void)user;
    (void)c;
    (void)op;
    return strstr(name, "mine") == NULL;
}

TEST(who_may_not_change_a_name_is_refused)
{
    static const struct row rows[] = {
        { "register", "[\"mine\",\"PYRO:o@10.0.0.9:1\"]", NO_KW,
          "NamingError: not allowed: :Default.mine" },
        { "register", "[\"a\",\"PYRO:o@10.0.0.9:1\"]", NO_KW, "null" },
        { "register", "[\"a2\",\"PYRO:o@10.0.0.9:1\"]", NO_KW, "null" },
        { "remove", "[]", "{\"prefix\":\"a\"}", "2" },
        { "count", "[]", NO_KW, "1" },
    };

    config.may = nobody;
    CHECK(rows);
    config.may = NULL;
}

/* --- their broadcast --- */

static void ask(uint32_t ip, const char *question)
{
    pyro_udp to = { ME, PYRO_NS_PORT5 };

    asker = loop_port(&rig.net);
    loop_at(&rig.net, &asker, ip, NET);
    udp = loop_udp_open(&asker, 0, 5000);
    assert_true(udp >= 0);
    assert_true(
        loop_udp_send(&asker, udp, &to, question, (uint32_t)strlen(question)));
}

/* What is answered, "" for nothing. */
static const char *answer(void)
{
    static char text[200];
    pyro_udp    from;
    int32_t     n;
    unsigned    i;

    for (i = 0; i < 20; i++) {
        assert_int_equal(pyro_poll(&rig.n[0].d, 1), PYRO_OK);
        n = loop_udp_recv(&asker, udp, text, sizeof text - 1, &from);
        if (n < 0)
            continue;
        assert_true(from.ip == ME);
        text[n] = 0;
        return text;
    }
    return "";
}

TEST(their_broadcast_is_answered_on_our_own_networks_only)
{
    ask(ASKER, "GET_NSURI");
    assert_string_equal(answer(), "PYRO:Pyro.NameServer@10.0.0.1:7701");
    loop_close(&asker, udp);
    ask(ASKER, "GET_NSURI ");
    assert_string_equal(answer(), "");
    loop_close(&asker, udp);
    ask(ASKER, "");
    assert_string_equal(answer(), "");
    loop_close(&asker, udp);
    ask(STRANGER, "GET_NSURI");
    assert_string_equal(answer(), "");
    loop_close(&asker, udp);
    assert_int_equal(server.answerer5.answered, 1);
    assert_int_equal(server.answerer5.ignored, 3);
}

TEST(their_broadcast_is_answered_five_times_a_second)
{
    unsigned i;

    for (i = 0; i < 7; i++) {
        ask(ASKER, "GET_NSURI");
        while (server.answerer5.answered + server.answerer5.limited <= i)
            assert_int_equal(pyro_poll(&rig.n[0].d, 0), PYRO_OK);
        loop_close(&asker, udp);
    }
    assert_int_equal(server.answerer5.answered, 5);
    assert_int_equal(server.answerer5.limited, 2);
}

static unsigned listed;

static void list_one(void *user, const char *name, uint32_t n, bool is_group)
{
    (void)user;
    (void)is_group;
    listed += n == 4 && memcmp(name, "mine", 4) == 0;
}

TEST(a_daemon_of_ours_registers_as_with_a_server_of_theirs)
{
    static pyro_ns        client;
    static pyro_ns_config conf;
    pyro_daemon          *d = &rig.n[0].d;
    char                  uri[PYRO_URI_BYTES] = "";
    pyro_proxy            thing;

    conf.hosts = "PYRO:Pyro.NameServer@board:7701";
    assert_int_equal(pyro_ns_open(&client, d, &conf), PYRO_OK);
    assert_int_equal(pyro_ns_register(&client, "mine", "thing"), PYRO_OK);
    assert_int_equal(pyro_ns_resolve(&client, "mine", uri, sizeof uri),
                     PYRO_OK);
    assert_memory_equal(uri, "PYRO:thing@", 11);
    assert_int_equal(pyro_ns_resolve(&client, "nobody", uri, sizeof uri),
                     PYRO_ERR_NAMING);
    assert_int_equal(pyro_ns_list(&client, "mi", list_one, NULL), PYRO_OK);
    assert_int_equal(listed, 1);
    assert_int_equal(pyro_proxy_open(&thing, d, "PYRONAME:mine@board:7701"),
                     PYRO_OK);
    assert_int_equal(
        pyro_invoke(&thing, "nothing", PYRO_NO_ARGS, pyro_to_none()),
        PYRO_ERR_REMOTE); /* it was found: there is no such object */
    assert_non_null(strstr(pyro_exception(&thing)->message, "thing"));
    pyro_proxy_close(&thing);
    assert_int_equal(pyro_ns_unregister(&client, "mine"), PYRO_OK);
    assert_int_equal(pyro_ns_resolve(&client, "mine", uri, sizeof uri),
                     PYRO_ERR_NAMING);
    pyro_ns_close(&client);
}

TEST(a_name_server_of_theirs_is_found_by_their_broadcast)
{
    static pyro_ns_locator loc;
    static pyro_ns_config  conf;
    pyro_daemon           *d = &rig.n[0].d;

    loop_at(&rig.net, &rig.n[0].port, ASKER, NET);
    conf.udp_port = 1; /* where nobody answers ours */
    conf.pyro5_port = PYRO_NS_PORT5;
    assert_int_equal(pyro_ns_locate(&loc, d, &conf, NULL), PYRO_OK);
    assert_string_equal(loc.uri, "PYRO:Pyro.NameServer@10.0.0.1:7701");
}

#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NS_TEST(
            names_are_registered_found_and_removed_by_position_and_keyword),
        NS_TEST(what_cannot_be_done_is_said_by_the_names_that_python_knows),
        NS_TEST(both_kinds_of_client_see_the_same_names),
        NS_TEST(a_list_that_does_not_fit_a_message_is_an_exception),
        NS_TEST(who_may_not_change_a_name_is_refused),
        NS_TEST(their_broadcast_is_answered_on_our_own_networks_only),
        NS_TEST(their_broadcast_is_answered_five_times_a_second),
        NS_TEST(a_daemon_of_ours_registers_as_with_a_server_of_theirs),
        NS_TEST(a_name_server_of_theirs_is_found_by_their_broadcast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
