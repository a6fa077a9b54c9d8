/* The name server: names, groups, lists, metadata, leases, who may do what,
 * and the tables behind it. Node 1 serves, node 0 asks. */
#define PYRO_IMPLEMENTATION
#define PYRO_EXCEPTION_BYTES 240
#include "../pyro.h"
#include "../pyro_ns.h"

#include "nodes.h"

static PYRO_NS_ROOM(24, 1200) names;
static pyro_ns_server        server;
static pyro_ns_server_config config;
static pyro_proxy            ns; /* of node 0, for the name server */

static int setup(void **state)
{
    (void)state;
    rig_init(1);
    memset(&config, 0, sizeof config);
    config.no_broadcast = true;
    node_open(0, 4);
    node_open(1, 4);
    return 0;
}

static void serve(void)
{
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d,
                                   PYRO_NS_ROOM_OF(names), &config),
                     PYRO_OK);
    node_run(1);
    assert_int_equal(pyro_proxy_open(&ns, &rig.n[0].d,
                                     "PYRO://board:7701/" PYRO_NS_NAME),
                     PYRO_OK);
}

static void check_names(void)
{
    const char *wrong = pyro_ns_check(&server);

    if (wrong != NULL)
        fail_msg("pyro_ns_check: %s", wrong);
}

static int teardown(void **state)
{
    (void)state;
    check_names();
    pyro_proxy_close(&ns);
    node_stop(1);
    pyro_ns_stop(&server);
    rig_end();
    return 0;
}

#define NS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- calls --- */

static pyro_err call1(const char *method, const char *a)
{
    pyro_err err =
        pyro_invoke(&ns, method, PYRO_ARGS(pyro_str(a)), pyro_to_none());

    check_names();
    return err;
}

static pyro_err reg(const char *name, const char *uri)
{
    pyro_err err =
        pyro_invoke(&ns, "register", PYRO_ARGS(pyro_str(name), pyro_str(uri)),
                    pyro_to_none());

    check_names();
    return err;
}

static pyro_err lease(const char *name, const char *uri, int32_t ms,
                      bool again)
{
    pyro_err err = pyro_invoke(&ns, "register",
                               PYRO_ARGS(pyro_str(name), pyro_str(uri),
                                         pyro_int(ms), pyro_bool(again)),
                               pyro_to_none());

    check_names();
    return err;
}

static const char *resolve(const char *name)
{
    static char uri[PYRO_URI_BYTES];
    pyro_err    err = pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_str(name)),
                                  pyro_to_str(uri, sizeof uri));

    return err == PYRO_OK ? uri : pyro_exception(&ns)->message;
}

/* The call failed as a NamingError with this text. */
static void expect_naming(pyro_err err, const char *text)
{
    const pyro_exc *exc = pyro_exception(&ns);

    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(exc->type, "NamingError");
    assert_string_equal(exc->message, text);
}

/* All of a list, in pages: rows "name/type " or "name=uri ", sorted. */
static char     listed[4096];
static unsigned pages;

static int by_text(const void *a, const void *b)
{
    return strcmp((const char *)a, (const char *)b);
}

static uint32_t page(pyro_reader *in, char rows[][160], unsigned *n)
{
    uint32_t next = (uint32_t)pyro_get_u64(in);
    uint32_t k = pyro_get_list(in, 100);

    pages++;
    while (k-- > 0) {
        uint32_t    len;
        const char *name;

        assert_int_equal(pyro_get_list(in, 2), 2);
        name = pyro_get_str(in, &len);
        snprintf(rows[*n], 160, "%.*s", (int)len, name);
        if (pyro_peek(in) == PYRO_STR) {
            name = pyro_get_str(in, &len);
            snprintf(rows[*n] + strlen(rows[*n]), 100, "=%.*s", (int)len,
                     name);
        } else {
            snprintf(rows[*n] + strlen(rows[*n]), 100, "/%d",
                     (int)pyro_get_i32(in));
        }
        ++*n;
    }
    return next;
}

static const char *list(const char *group)
{
    static char rows[40][160];
    uint8_t     bytes[300];
    pyro_blob   blob = { bytes, sizeof bytes, 0 };
    unsigned    n = 0;
    uint32_t    from = 0;

    pages = 0;
    listed[0] = 0;
    do {
        pyro_reader in;
        pyro_err    err;

        if (group != NULL)
            err = pyro_invoke(&ns, "list",
                              PYRO_ARGS(pyro_str(group), pyro_uint(from)),
                              pyro_to_raw(&blob));
        else
            err = pyro_invoke(&ns, "flatlist", PYRO_ARGS(pyro_uint(from)),
                              pyro_to_raw(&blob));
        if (err != PYRO_OK)
            return pyro_exception(&ns)->message;
        in = pyro_reader_of(bytes, blob.used);
        assert_int_equal(pyro_get_list(&in, 2), 2);
        from = page(&in, rows, &n);
        assert_int_equal(in.err, PYRO_OK);
        assert_true(pages < 50);
    } while (from != 0);
    qsort(rows, n, sizeof rows[0], by_text);
    for (unsigned i = 0; i < n; i++) {
        strcat(listed, rows[i]);
        strcat(listed, " ");
    }
    return listed;
}

#define URI_A "PYRO://10.0.0.1:7766/a"
#define URI_B "PYRO://10.0.0.2:7766/b"

/* --- names and groups --- */

TEST(a_registered_name_is_resolved)
{
    serve();
    assert_int_equal(reg(":Default.a", URI_A), PYRO_OK);
    assert_string_equal(resolve(":Default.a"), URI_A);
    assert_int_equal(server.stats.names, 5);
}

TEST(relative_names_are_in_the_default_group)
{
    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    assert_string_equal(resolve(":Default.a"), URI_A);
    assert_string_equal(resolve("a"), URI_A);
    assert_string_equal(list(""), "a/1 ");
}

TEST(another_default_group_can_be_configured)
{
    config.group = ":lab";
    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    assert_string_equal(resolve(":lab.a"), URI_A);
}

TEST(the_name_server_is_registered_as_what_the_asker_can_reach)
{
    serve();
    assert_string_equal(resolve(PYRO_NS_NAME),
                        "PYRO://board:7701/" PYRO_NS_NAME);
}

TEST(every_form_of_uri_is_kept)
{
    pyro_uri    uri;
    const char *text = "PYRO:obj@10.0.0.9:1234";

    serve();
    assert_int_equal(reg("a", "PYROLOC://10.0.0.1/x"), PYRO_OK);
    assert_string_equal(resolve("a"), "PYROLOC://10.0.0.1:7766/x");
    assert_int_equal(reg("b", text), PYRO_OK);
    assert_string_equal(resolve("b"), "PYRO:obj@10.0.0.9:1234");
    assert_int_equal(reg("c", "PYRO://[fe80::1]:9/o"), PYRO_OK);
    assert_string_equal(resolve("c"), "PYRO://[fe80::1]:9/o");
    assert_int_equal(pyro_uri_parse(&uri, URI_B, strlen(URI_B), NULL), 0);
    expect_naming(reg("d", "nonsense"), "invalid URI");
    expect_naming(reg("d", "PYRONAME://x"), "invalid URI");
}

TEST(a_uri_value_is_taken_as_well_as_its_text)
{
    static pyro_request rq;
    pyro_uri            uri;

    serve();
    assert_int_equal(pyro_uri_parse(&uri, URI_B, strlen(URI_B), NULL), 0);
    assert_int_equal(call1("ping", "x"), PYRO_ERR_REMOTE); /* connects */
    assert_int_equal(pyro_begin(&rq, &ns, "register"), PYRO_OK);
    pyro_put_str(&rq.args, "b");
    pyro_put_uri(&rq.args, &uri);
    assert_int_equal(pyro_send(&rq, pyro_to_none(), NULL, NULL), PYRO_OK);
    assert_int_equal(pyro_wait(&rq), PYRO_OK);
    assert_string_equal(resolve("b"), URI_B);
}

TEST(a_host_of_no_use_elsewhere_becomes_where_it_came_from)
{
    serve();
    assert_int_equal(reg("a", "PYRO://0.0.0.0:55/o"), PYRO_OK);
    assert_string_equal(resolve("a"), "PYRO://connector:55/o");
    assert_int_equal(reg("b", "PYRO://127.0.0.1:55/o"), PYRO_OK);
    assert_string_equal(resolve("b"), "PYRO://connector:55/o");
    assert_int_equal(reg("c", "PYRO://[::]:55/o"), PYRO_OK);
    assert_string_equal(resolve("c"), "PYRO://connector:55/o");
    assert_int_equal(reg("d", "PYRO://localhost:55/o"), PYRO_OK);
    assert_string_equal(resolve("d"), "PYRO://connector:55/o");
    assert_int_equal(reg("e", "PYRO://10.1.2.3:55/o"), PYRO_OK);
    assert_string_equal(resolve("e"), "PYRO://10.1.2.3:55/o");
}

static const char *came_from;

static bool address_from(const pyro_port *port, int32_t handle, bool other,
                         char *to, size_t size)
{
    if (!other)
        return loop_address(port, handle, false, to, size);
    return snprintf(to, size, "%s", came_from) < (int)size;
}

TEST(who_comes_from_such_a_host_keeps_it)
{
    static const char *const uris[] = {
        "PYRO://0.0.0.0:55/o",
        "PYRO://127.0.0.1:55/o",
        "PYRO://localhost:55/o",
        "PYRO://[::1]:55/o",
    };

    rig.n[1].port.address = address_from;
    came_from = "127.0.0.1:40000";
    serve();
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < PYRO_COUNT(uris); i++) {
            assert_int_equal(reg("a", uris[i]), PYRO_OK);
            assert_string_equal(resolve("a"), uris[i]);
            assert_int_equal(call1("unregister", "a"), PYRO_OK);
        }
        came_from = "[::1]:40000";
    }
}

TEST(without_an_address_such_a_host_is_an_error)
{
    int32_t    handles[2];
    pyro_link  link;
    pyro_proxy pipe;
    pyro_err   err;

    serve();
    loop_pair(&rig.net, handles);
    assert_int_equal(pyro_adopt(&rig.n[1].d, &rig.n[1].port, handles[1], NULL),
                     PYRO_OK);
    assert_int_equal(pyro_adopt(&rig.n[0].d, &rig.n[0].port, handles[0],
                                &link),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_at(&pipe, &rig.n[0].d, link, PYRO_NS_NAME,
                                   sizeof PYRO_NS_NAME - 1),
                     PYRO_OK);
    err =
        pyro_invoke(&pipe, "register",
                    PYRO_ARGS(pyro_str("a"), pyro_str("PYRO://127.0.0.1:5/o")),
                    pyro_to_none());
    assert_int_equal(err, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&pipe)->message,
                        "this link has no address for the URI");
    pyro_proxy_close(&pipe);
}

TEST(groups_are_made_filled_listed_and_deleted_with_all_in_them)
{
    serve();
    assert_int_equal(call1("createGroup", ":lab"), PYRO_OK);
    assert_int_equal(call1("createGroup", ":lab.east"), PYRO_OK);
    assert_int_equal(reg(":lab.a", URI_A), PYRO_OK);
    assert_int_equal(reg(":lab.east.b", URI_B), PYRO_OK);
    assert_int_equal(reg(":laboratory", URI_B), PYRO_OK);
    assert_string_equal(list(":"), "Default/0 Pyro/0 lab/0 laboratory/1 ");
    assert_string_equal(list(":lab"), "a/1 east/0 ");
    assert_string_equal(list(":lab.east"), "b/1 ");
    assert_string_equal(list(":Default"), "");
    assert_int_equal(call1("deleteGroup", ":lab"), PYRO_OK);
    assert_string_equal(list(":"), "Default/0 Pyro/0 laboratory/1 ");
    assert_string_equal(resolve(":lab.east.b"),
                        "(parent)group not found: :lab.east.b");
    assert_int_equal(server.stats.names, 5);
}

TEST(a_flat_list_has_all_objects_with_their_uris)
{
    serve();
    assert_int_equal(call1("createGroup", ":lab"), PYRO_OK);
    assert_int_equal(reg(":lab.a", URI_A), PYRO_OK);
    assert_int_equal(reg(":b", URI_B), PYRO_OK);
    assert_string_equal(list(NULL),
                        ":Pyro.NameServer=PYRO://board:7701/:Pyro.NameServer "
                        ":b=" URI_B " :lab.a=" URI_A " ");
}

TEST(a_list_too_long_for_a_message_comes_in_pages)
{
    char     name[24];
    unsigned i;

    serve();
    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "number-%02u", i);
        assert_int_equal(reg(name, URI_A), PYRO_OK);
    }
    assert_int_equal(strlen(list("")), 20 * strlen("number-00/1 "));
    assert_true(pages > 1);
    (void)list(NULL);
    assert_true(pages > 3);
    assert_non_null(strstr(listed, ":Default.number-19=" URI_A));
}

static const struct {
    const char *method;
    const char *name;
    const char *error;
} refusals[] = {
    { "resolve", "", "attempt to resolve groupname: :Default" },
    { "resolve", "b", "name not found: :Default.b" },
    { "resolve", ":x.b", "(parent)group not found: :x.b" },
    { "resolve", "a.b", "parent is no group: :Default.a.b" },
    { "resolve", ":Pyro", "attempt to resolve groupname: :Pyro" },
    { "resolve", ":", "attempt to resolve groupname: :" },
    { "resolve", "a..b", "invalid name" },
    { "resolve", ".b", "invalid name" },
    { "resolve", "b.", "invalid name" },
    { "resolve", ":a:b", "invalid character(s) in name" },
    { "resolve", "::", "invalid character(s) in name" },
    { "resolve", "a b", "invalid character(s) in name" },
    { "resolve", "a\\b", "invalid character(s) in name" },
    { "resolve", "a\x7f", "invalid character(s) in name" },
    { "resolve", "\xc3\xa4", "invalid character(s) in name" },
    { "resolve",
      ":12345678901234567890123456789012345678901234567890123456789012345",
      "name too long" },
    { "resolve", "12345678901234567890123456789012345678901234567890123456",
      "name too long" },
    { "unregister", "b", "name not found: :Default.b" },
    { "unregister", ":Default", "is a group, not an object: :Default" },
    { "unregister", ":Pyro.NameServer",
      "not allowed to remove the name server: :Pyro.NameServer" },
    { "unregister", "a.b", "parent is no group: :Default.a.b" },
    { "createGroup", ":", "invalid groupname: :" },
    { "createGroup", ":Default", "group already exists: :Default" },
    { "createGroup", "a", "name already exists: :Default.a" },
    { "createGroup", "a.b", "parent is no group: :Default.a.b" },
    { "createGroup", ":x.y", "(parent)group not found: :x.y" },
    { "deleteGroup", ":", "not allowed to delete root group: :" },
    { "deleteGroup", ":Pyro", "not allowed to delete this group: :Pyro" },
    { "deleteGroup", "", "not allowed to delete this group: :Default" },
    { "deleteGroup", "a", "is no group: :Default.a" },
    { "deleteGroup", ":x", "group not found: :x" },
    { "list", ":x", "group not found: :x" },
    { "list", "a", "is no group: :Default.a" },
    { "getMeta", "b", "name not found: :Default.b" },
};

TEST(what_cannot_be_done_is_a_naming_error_that_says_why)
{
    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    for (unsigned i = 0; i < PYRO_COUNT(refusals); i++) {
        pyro_err err = call1(refusals[i].method, refusals[i].name);

        if (err != PYRO_ERR_REMOTE)
            fail_msg("%s(%s): error %d", refusals[i].method, refusals[i].name,
                     err);
        expect_naming(err, refusals[i].error);
    }
    expect_naming(reg("a", URI_B), "name already exists: :Default.a");
    expect_naming(reg("a.b", URI_B), "parent is no group: :Default.a.b");
    expect_naming(reg(":x.b", URI_B), "(parent)group not found: :x.b");
    expect_naming(reg(":", URI_B), "invalid name: :");
    assert_string_equal(resolve("a"), URI_A);
    assert_int_equal(server.stats.names, 5);
}

TEST(a_zero_byte_does_not_end_a_name)
{
    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    expect_naming(pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_strn("a\0b", 3)),
                              pyro_to_none()),
                  "invalid character(s) in name");
    expect_naming(pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_strn("a\0", 2)),
                              pyro_to_none()),
                  "invalid character(s) in name");
    expect_naming(pyro_invoke(&ns, "register",
                              PYRO_ARGS(pyro_strn("b\0c", 3), pyro_str(URI_B)),
                              pyro_to_none()),
                  "invalid character(s) in name");
    assert_int_equal(server.stats.names, 5);
    check_names();
}

TEST(a_name_of_the_greatest_length_is_kept)
{
    char name[PYRO_NS_MAX_NAME + 1];

    serve();
    memset(name, 'x', sizeof name);
    name[0] = ':';
    name[PYRO_NS_MAX_NAME] = 0;
    assert_int_equal(reg(name, URI_A), PYRO_OK);
    assert_string_equal(resolve(name), URI_A);
    assert_int_equal(call1("unregister", name), PYRO_OK);
    assert_int_equal(call1("unregister", name), PYRO_ERR_REMOTE);
    assert_memory_equal(pyro_exception(&ns)->message, "name not found: :xx",
                        19);
}

/* --- metadata --- */

TEST(metadata_is_any_value_and_goes_with_its_name)
{
    char text[16];

    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    assert_int_equal(pyro_invoke(&ns, "getMeta", PYRO_ARGS(pyro_str("a")),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ns, "setMeta",
                                 PYRO_ARGS(pyro_str("a"), pyro_str("bench")),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&ns, "getMeta", PYRO_ARGS(pyro_str("a")),
                                 pyro_to_str(text, sizeof text)),
                     PYRO_OK);
    assert_string_equal(text, "bench");
    assert_string_equal(resolve("a"), URI_A);
    assert_int_equal(call1("unregister", "a"), PYRO_OK);
    assert_int_equal(reg("a", URI_B), PYRO_OK);
    assert_int_equal(pyro_invoke(&ns, "getMeta", PYRO_ARGS(pyro_str("a")),
                                 pyro_to_str(text, sizeof text)),
                     PYRO_ERR_TYPE);
}

TEST(metadata_that_is_too_long_says_what_to_raise)
{
    char long_one[PYRO_NS_MAX_META + 1];

    serve();
    memset(long_one, 'm', sizeof long_one);
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    expect_naming(pyro_invoke(&ns, "setMeta",
                              PYRO_ARGS(pyro_str("a"),
                                        pyro_bin(long_one,
                                                 PYRO_NS_MAX_META - 1)),
                              pyro_to_none()),
                  "metadata is too long, raise PYRO_NS_MAX_META: :Default.a");
    assert_int_equal(pyro_invoke(&ns, "setMeta",
                                 PYRO_ARGS(pyro_str("a"),
                                           pyro_bin(long_one,
                                                    PYRO_NS_MAX_META - 2)),
                                 pyro_to_none()),
                     PYRO_OK);
    check_names();
}

/* --- leases --- */

TEST(a_lease_ends_unless_it_is_refreshed)
{
    serve();
    assert_int_equal(lease("a", URI_A, 5000, false), PYRO_OK);
    assert_int_equal(reg("b", URI_B), PYRO_OK);
    rig_pass(4900);
    assert_string_equal(resolve("a"), URI_A);
    assert_int_equal(lease("a", URI_A, 5000, true), PYRO_OK);
    rig_pass(4900);
    assert_string_equal(resolve("a"), URI_A);
    rig_pass(200);
    assert_string_equal(resolve("a"), "name not found: :Default.a");
    assert_string_equal(resolve("b"), URI_B);
    assert_int_equal(server.stats.expired, 1);
}

TEST(a_refresh_of_what_another_has_is_refused)
{
    serve();
    assert_int_equal(lease("a", URI_A, 5000, true), PYRO_OK);
    expect_naming(lease("a", URI_B, 5000, true),
                  "name already exists: :Default.a");
    expect_naming(lease("a", URI_A, 5000, false),
                  "name already exists: :Default.a");
    expect_naming(lease("c", URI_A, -1, false),
                  "ttl is not 0 to 2^30 ms: :Default.c");
    assert_int_equal(lease("c", URI_A, 1 << 30, false), PYRO_OK);
    expect_naming(lease("d", URI_A, (1 << 30) + 1, false),
                  "ttl is not 0 to 2^30 ms: :Default.d");
}

TEST(the_shortest_of_many_leases_ends_first)
{
    serve();
    assert_int_equal(lease("a", URI_A, 9000, false), PYRO_OK);
    assert_int_equal(lease("b", URI_A, 3000, false), PYRO_OK);
    assert_int_equal(lease("c", URI_A, 6000, false), PYRO_OK);
    rig_pass(3500);
    assert_string_equal(list(""), "a/1 c/1 ");
    rig_pass(3000);
    assert_string_equal(list(""), "a/1 ");
    rig_pass(3000);
    assert_string_equal(list(""), "");
    check_names();
}

/* --- limits --- */

TEST(names_run_out_with_an_error_and_come_back)
{
    char     name[8];
    unsigned n = 0;
    pyro_err err;

    serve();
    do {
        snprintf(name, sizeof name, "n%u", n++);
        err = reg(name, "PYRO://a:1/b");
    } while (err == PYRO_OK);
    expect_naming(err, "out of names, raise PYRO_NS_ROOM");
    assert_int_equal(n - 1, 20); /* of 24, 4 are there from the beginning */
    assert_int_equal(call1("unregister", "n7"), PYRO_OK);
    assert_int_equal(reg("again", URI_A), PYRO_OK);
    assert_string_equal(resolve("n19"), "PYRO://a:1/b");
}

TEST(bytes_run_out_with_an_error_and_holes_are_used_again)
{
    char     name[60];
    unsigned n = 0;
    pyro_err err;

    serve();
    do {
        snprintf(name, sizeof name, "%050u", n++);
        err = reg(name, "PYRO://a-rather-long-host.example.com:1234/object");
    } while (err == PYRO_OK);
    expect_naming(err, "out of bytes, raise PYRO_NS_ROOM");
    for (unsigned i = 0; i + 1 < n; i += 2) {
        snprintf(name, sizeof name, "%050u", i);
        assert_int_equal(call1("unregister", name), PYRO_OK);
    }
    for (unsigned i = 0; i + 1 < n; i += 2) {
        snprintf(name, sizeof name, "%050u", i + 100);
        assert_int_equal(reg(name, "PYRO://another-long-host.example.com:1/o"),
                         PYRO_OK);
    }
    snprintf(name, sizeof name, "%050u", 1u);
    assert_string_equal(resolve(name),
                        "PYRO://a-rather-long-host.example.com:1234/object");
}

TEST(ten_thousand_random_changes_leave_the_tables_in_order)
{
    uint32_t seed = 7;

    serve();
    for (unsigned i = 0; i < 10000; i++) {
        char     name[40];
        unsigned what;

        seed = seed * 1664525 + 1013904223;
        what = seed >> 24;
        snprintf(name, sizeof name, "%s%u%s", what & 1 ? ":Default." : "",
                 seed >> 8 & 31, what & 2 ? "-long-tail-of-a-name" : "");
        if (what < 140)
            (void)lease(name, what & 4 ? URI_A : "PYRO://h:1/o",
                        what & 8 ? 0 : 1000 + (int32_t)(seed & 4095),
                        (what & 16) != 0);
        else if (what < 200)
            (void)call1("unregister", name);
        else if (what < 230)
            (void)pyro_invoke(&ns, "setMeta",
                              PYRO_ARGS(pyro_str(name), pyro_str(name)),
                              pyro_to_none());
        else
            rig_pass(seed & 255);
    }
    assert_true(server.stats.expired > 50);
}

/* --- who may --- */

static pyro_ns_op last_op;
static char       last_name[PYRO_NS_MAX_NAME + 1];
static bool       answer;
static int        shut_down;

static bool may(void *user, pyro_call *call, pyro_ns_op op, const char *name)
{
    assert_ptr_equal(user, &config);
    assert_true(call->link != 0);
    last_op = op;
    snprintf(last_name, sizeof last_name, "%s", name != NULL ? name : "-");
    return answer;
}

static void stop(void *user)
{
    assert_ptr_equal(user, &config);
    shut_down++;
}

TEST(every_change_passes_the_validator)
{
    config.may = may;
    config.user = &config;
    answer = true;
    serve();
    assert_int_equal(reg("a", URI_A), PYRO_OK);
    assert_int_equal(last_op, PYRO_NS_REGISTER);
    assert_string_equal(last_name, ":Default.a");
    answer = false;
    expect_naming(reg("b", URI_A), "not allowed: :Default.b");
    expect_naming(call1("unregister", "a"), "not allowed: :Default.a");
    assert_int_equal(last_op, PYRO_NS_UNREGISTER);
    expect_naming(call1("createGroup", "g"), "not allowed: :Default.g");
    assert_int_equal(last_op, PYRO_NS_GROUP);
    expect_naming(pyro_invoke(&ns, "setMeta",
                              PYRO_ARGS(pyro_str("a"), pyro_int(1)),
                              pyro_to_none()),
                  "not allowed: :Default.a");
    assert_int_equal(last_op, PYRO_NS_META);
    assert_string_equal(list(""), "a/1 ");
    assert_int_equal(server.stats.refused, 4);
    answer = true;
    assert_int_equal(call1("createGroup", ":g"), PYRO_OK);
    answer = false;
    expect_naming(call1("deleteGroup", ":g"), "not allowed: :g");
}

static const char *shutdown_text(void)
{
    static char text[40];

    assert_int_equal(pyro_invoke(&ns, "_shutdown", PYRO_NO_ARGS,
                                 pyro_to_str(text, sizeof text)),
                     PYRO_OK);
    return text;
}

TEST(shutdown_is_refused_unless_it_is_configured_and_allowed)
{
    serve();
    shut_down = 0;
    config.user = &config;
    assert_string_equal(shutdown_text(), "Shutdown request denied");
    config.shutdown = stop;
    assert_string_equal(shutdown_text(), "Will shut down shortly");
    assert_int_equal(shut_down, 1);
    config.may = may;
    answer = false;
    assert_string_equal(shutdown_text(), "Shutdown request denied");
    assert_int_equal(last_op, PYRO_NS_SHUTDOWN);
    assert_int_equal(shut_down, 1);
}

TEST(without_a_pair_there_is_nothing_to_resync)
{
    serve();
    expect_naming(pyro_invoke(&ns, "resync", PYRO_NO_ARGS, pyro_to_none()),
                  "NS is not running in 'primary' or 'secondary' mode");
    assert_int_equal(pyro_invoke(&ns, "ping", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NS_TEST(a_registered_name_is_resolved),
        NS_TEST(relative_names_are_in_the_default_group),
        NS_TEST(another_default_group_can_be_configured),
        NS_TEST(the_name_server_is_registered_as_what_the_asker_can_reach),
        NS_TEST(every_form_of_uri_is_kept),
        NS_TEST(a_uri_value_is_taken_as_well_as_its_text),
        NS_TEST(a_host_of_no_use_elsewhere_becomes_where_it_came_from),
        NS_TEST(who_comes_from_such_a_host_keeps_it),
        NS_TEST(without_an_address_such_a_host_is_an_error),
        NS_TEST(groups_are_made_filled_listed_and_deleted_with_all_in_them),
        NS_TEST(a_flat_list_has_all_objects_with_their_uris),
        NS_TEST(a_list_too_long_for_a_message_comes_in_pages),
        NS_TEST(what_cannot_be_done_is_a_naming_error_that_says_why),
        NS_TEST(a_zero_byte_does_not_end_a_name),
        NS_TEST(a_name_of_the_greatest_length_is_kept),
        NS_TEST(metadata_is_any_value_and_goes_with_its_name),
        NS_TEST(metadata_that_is_too_long_says_what_to_raise),
        NS_TEST(a_lease_ends_unless_it_is_refreshed),
        NS_TEST(a_refresh_of_what_another_has_is_refused),
        NS_TEST(the_shortest_of_many_leases_ends_first),
        NS_TEST(names_run_out_with_an_error_and_come_back),
        NS_TEST(bytes_run_out_with_an_error_and_holes_are_used_again),
        NS_TEST(ten_thousand_random_changes_leave_the_tables_in_order),
        NS_TEST(every_change_passes_the_validator),
        NS_TEST(shutdown_is_refused_unless_it_is_configured_and_allowed),
        NS_TEST(without_a_pair_there_is_nothing_to_resync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
