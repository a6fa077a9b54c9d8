/* What a daemon serves: exceptions, objects, attributes, the internal object
 * and dispatch, by a raw caller and by a proxy. */
#include "call_rig.h"

static PYRO_ROOM(4, 4, 64, 4) tiny_room; /* the smallest buffers */
static PYRO_ROOM(4, 4, 128, 4) small_room;
static PYRO_ROOM(1, 1, 64, 4) single_room;
static PYRO_ROOM(1, 2, 64, 4) pair_room;

static void say(char *to, char c, size_t n)
{
    memset(to, c, n);
    to[n] = '\0';
}

/* ------------------------------------------------------------------------
 * Exceptions.
 * ------------------------------------------------------------------------ */

static char raise_type[200];
static char raise_message[600];

static void act_raise(pyro_call *call)
{
    pyro_raise(call, raise_type, raise_message);
}

static void will_raise(const char *type, const char *message)
{
    strcpy(raise_type, type);
    strcpy(raise_message, message);
    obj.act = act_raise;
}

#define EXCEPTION_OF(type_n, type, message_n, message)                      \
    " a9 '__class__' " type_n " '" type "' ad '__exception__' c3 a4 'args'" \
    " 91 " message_n " '" message "'"

TEST(an_exception_has_these_bytes)
{
    start();
    will_raise("ValueError", "bad");
    send_call(0, "m", "90", "80");
    raw_expect("frame", caller,
               "'PY' 65 01 00 01 0057 84" EXCEPTION_OF(
                   "aa", "ValueError", "a3",
                   "bad") " aa 'attributes' 81 ae '_pyroTraceback' 91"
                          " ab 'o.m on pyro'");
}

TEST(a_traceback_names_object_method_and_node)
{
    char id[33];
    char want[80];
    char body[100];

    rig.conf_a.name = "bench 3";
    start();
    will_raise("E", "bad");
    call("by name", "90", "80");
    assert_string_equal(reply.trace, "o.m on bench 3\n");
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
    snprintf(body, sizeof body, "94 d9 20 '%s' a1 'm' 90 80", id);
    call_body("by id", body);
    snprintf(want, sizeof want, "%s.m on bench 3\n", id);
    assert_string_equal(reply.trace, want);
    call_body("no object", "94 a1 'x' a1 'm' 90 80");
    assert_string_equal(reply.trace, "x.m on bench 3\n");
    call_body("no method", "94 a1 'o' a1 'x' 90 80");
    assert_string_equal(reply.trace, "o.x on bench 3\n");
}

TEST(a_long_name_of_the_node_is_cut_in_the_traceback_only)
{
    static char name[200];

    say(name, 'n', 190);
    rig.conf_a.name = name;
    start();
    will_raise("E", "bad");
    call("long", "90", "80");
    expect_raised_says("long", "E", "bad");
    assert_int_equal(strncmp(reply.trace, "o.m on nnnnnnnn", 15), 0);
}

static void act_raise_twice(pyro_call *call)
{
    pyro_raise(call, "First", "one");
    pyro_raise(call, "Second", "two");
}

static void act_put_and_raise(pyro_call *call)
{
    pyro_put_list(&call->result, 3);
    pyro_put_str(&call->result, "half");
    pyro_raise(call, "Late", "after putting");
}

static void act_raise_and_put(pyro_call *call)
{
    pyro_raise(call, "Early", "before putting");
    pyro_put_list(&call->result, 3);
    pyro_put_str(&call->result, "half");
}

static void act_raise_from_args(pyro_call *call)
{
    uint32_t    n;
    const char *text = pyro_get_str(&call->args, &n);
    char        copy[32];

    memcpy(copy, text, n);
    copy[n] = '\0';
    pyro_raise(call, copy, copy);
    say(copy, 'x', 31); /* pyro has a copy of its own */
}

TEST(the_first_exception_counts_whatever_else_the_handler_does)
{
    start();
    obj.act = act_raise_twice;
    call("twice", "90", "80");
    expect_raised_says("twice", "First", "one");
    obj.act = act_put_and_raise;
    call("after", "90", "80");
    expect_raised_says("after", "Late", "after putting");
    obj.act = act_raise_and_put;
    call("before", "90", "80");
    expect_raised_says("before", "Early", "before putting");
    strcpy(obj.signature, "s");
    obj.act = act_raise_from_args;
    call("copied", "91 a8 'KeyError'", "80");
    expect_raised_says("copied", "KeyError", "KeyError");
}

/* Its text in three lengths around the one that just fits. */
static void try_cut(size_t type_n, size_t message_n, const char *want_type,
                    const char *want_message, bool traced)
{
    char row[40];

    snprintf(row, sizeof row, "type %u, message %u", (unsigned)type_n,
             (unsigned)message_n);
    say(raise_type, 'T', type_n);
    say(raise_message, 'M', message_n);
    obj.act = act_raise;
    call(row, "90", "80");
    expect_raised_says(row, want_type != NULL ? want_type : raise_type,
                       want_message != NULL ? want_message : raise_message);
    test_eq(row, reply.trace[0] != '\0', traced);
}

/* 114 bytes of body. Without traceback it takes 33 + type + message, their
 * headers 1 byte up to 31, else 2; the traceback takes 40. */
TEST(a_long_exception_loses_traceback_then_message_then_type)
{
    start_in(PYRO_ROOM_OF(small_room));
    try_cut(10, 29, NULL, NULL, true);
    try_cut(10, 30, NULL, NULL, true);
    test_eq("full", reply.n, 114);
    try_cut(10, 31, NULL, NULL, false);
    try_cut(10, 68, NULL, NULL, false);
    try_cut(10, 69, NULL, NULL, false);
    test_eq("no traceback", reply.n, 114);
    try_cut(10, 70, NULL, "...", false);
    try_cut(10, 500, NULL, "...", false);
    try_cut(75, 70, NULL, "...", false);
    try_cut(76, 70, NULL, "...", false);
    test_eq("no message", reply.n, 114);
    reply.type[0] = '\0';
    say(raise_type, 'T', 77);
    call("no type", "90", "80");
    expect_raised_says("no type", "Exception", "...");
    test_eq("no type", reply.n, 46);
}

static void act_add(pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    pyro_put_int(&call->result, a + pyro_get_i32(&call->args));
}

TEST(the_smallest_buffers_do_for_calls_and_exceptions)
{
    start_in(PYRO_ROOM_OF(tiny_room));
    strcpy(obj.signature, "a:i b:i");
    obj.act = act_add;
    call("call", "92 02 03", "80");
    expect_result("call", "05");
    call("by keyword", "90", "82 a1 'b' 02 a1 'a' 03");
    expect_result("by keyword", "05");
    call("type", "92 02 c0", "80");
    expect_raised_says("type", "TypeError", "...");
    call("count", "90", "80");
    expect_raised_says("count", "TypeError", "...");
    call_body("no object", "94 a1 'x' a1 'm' 90 80");
    expect_raised("no object", "NamingError");
    strcpy(obj.signature, "");
    will_raise("E", "ten bytes!");
    call("fits", "90", "80");
    expect_raised_says("fits", "E", "ten bytes!");
    will_raise("ZeroDivisionError", "division by zero");
    call("does not fit", "90", "80");
    expect_raised_says("does not fit", "Exception", "...");
}

TEST(an_exception_that_is_no_utf8_arrives_all_the_same)
{
    start();
    will_raise("E", "bad \xff\xfe text");
    call("message", "90", "80");
    expect_raised("message", "E");
    will_raise("E\xc3", "fine");
    call("type", "90", "80");
    expect_raised("type", "Exception");
    raw_works("link", caller);
}

/* ------------------------------------------------------------------------
 * A chain of nodes: a calls b, b calls c.
 * ------------------------------------------------------------------------ */

static pyro_port   port_c;
static pyro_config conf_c;
static pyro_daemon node_c;
static pyro_proxy  to_b;
static pyro_proxy  to_c;
static PYRO_ROOM(4, 8, 512, 4) room_c;

static void hop(void *self, pyro_call *call)
{
    pyro_proxy *next = (pyro_proxy *)self;

    if (pyro_invoke(next, "m", PYRO_NO_ARGS, pyro_to_none()) != PYRO_OK)
        pyro_reraise(call, next);
}

static const pyro_method hop_methods[] = { { "m", hop, "", "", 0 } };
static const pyro_class  hop_class = { "Hop", PYRO_METHODS(hop_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

/* Who waits lets the next one in the chain go on. */
static void wait_in_chain(void *user, const pyro_port *port, pyro_item *list,
                          int32_t ms)
{
    uint32_t moved = rig.net.moved;

    (void)user;
    if (port == &rig.port_a)
        poll_of(&rig.b);
    else if (port == &rig.port_b)
        poll_of(&node_c);
    if (port != &port_c && rig.net.moved == moved && ms > 0
        && !loop_look(&rig.net, list))
        loop_advance(&rig.net, (uint32_t)ms);
}

static void start_chain(void)
{
    start();
    rig.conf_a.name = "node a";
    open_b();
    rig.conf_b.name = "node b";
    conf_c.name = "node c";
    port_c = rig.port_a;
    assert_int_equal(pyro_open(&node_c, PYRO_ROOM_OF(room_c), &conf_c), 0);
    assert_int_equal(pyro_listen(&rig.b, &rig.port_b, "*:7001"), 0);
    assert_int_equal(pyro_listen(&node_c, &port_c, "*:7002"), 0);
    export_obj(&node_c);
    assert_int_equal(pyro_proxy_open(&to_b, &rig.a, "PYRO://b:7001/middle"),
                     0);
    assert_int_equal(pyro_proxy_open(&to_c, &rig.b, "PYRO://c:7002/o"), 0);
    assert_int_equal(pyro_export(&rig.a, &hop_class, &to_b, "first"), 0);
    assert_int_equal(pyro_export(&rig.b, &hop_class, &to_c, "middle"), 0);
    rig.net.on_wait = wait_in_chain;
}

static void end_chain(void)
{
    pyro_proxy_close(&to_b);
    pyro_proxy_close(&to_c);
    settle();
    all_free(&node_c);
    pyro_close(&node_c);
}

TEST(a_reraised_exception_keeps_its_traceback_over_nodes)
{
    start_chain();
    will_raise("ValueError", "bad");
    call_body("chain", "94 a5 'first' a1 'm' 90 80");
    expect_raised_says("chain", "ValueError", "bad");
    assert_string_equal(reply.trace, "o.m on node c\nmiddle.m on node b\n"
                                     "first.m on node a\n");
    assert_string_equal(pyro_exception(&to_b)->traceback,
                        "o.m on node c\nmiddle.m on node b");
    assert_string_equal(pyro_exception(&to_c)->traceback, "o.m on node c");
    obj.act = NULL;
    call_body("well", "94 a5 'first' a1 'm' 90 80");
    expect_nil("well");
    assert_int_equal(runs(), 2);
    end_chain();
}

/* A failure without an exception gets the name of its error. */
TEST(a_reraised_error_is_an_exception_of_its_name)
{
    start_chain();
    pyro_close(&node_c);
    settle();
    call_body("nobody there", "94 a5 'first' a1 'm' 90 80");
    expect_raised_says("nobody there", "ConnectionClosedError",
                       pyro_err_text(PYRO_ERR_CLOSED));
    assert_string_equal(reply.trace,
                        "middle.m on node b\nfirst.m on node a\n");
    assert_int_equal(pyro_open(&node_c, PYRO_ROOM_OF(room_c), &conf_c), 0);
    assert_int_equal(pyro_listen(&node_c, &port_c, "*:7002"), 0);
    call_body("no object", "94 a5 'first' a1 'm' 90 80");
    expect_raised("no object", "NamingError");
    assert_string_equal(reply.trace, "o.m on node c\nmiddle.m on node b\n"
                                     "first.m on node a\n");
    end_chain();
}

/* ------------------------------------------------------------------------
 * What handlers may do wrong.
 * ------------------------------------------------------------------------ */

static void act_two_values(pyro_call *call)
{
    pyro_put_int(&call->result, 1);
    pyro_put_int(&call->result, 2);
}

static void act_half_list(pyro_call *call)
{
    pyro_put_list(&call->result, 2);
    pyro_put_int(&call->result, 1);
}

static void act_half_map(pyro_call *call)
{
    pyro_put_map(&call->result, 1);
    pyro_put_str(&call->result, "key");
}

static void act_no_utf8(pyro_call *call)
{
    pyro_put_str(&call->result, "\xc3(");
}

static void act_bad_raw(pyro_call *call)
{
    pyro_put_raw(&call->result, "\x92\x01", 2);
}

static void act_no_value(pyro_call *call)
{
    pyro_value v;

    memset(&v, 0, sizeof v);
    pyro_put(&call->result, v);
}

static void act_two_owed(pyro_call *call)
{
    pyro_put_list(&call->result, 1);
    pyro_put_int(&call->result, 1);
    pyro_put_int(&call->result, 1);
}

TEST(a_malformed_result_becomes_a_type_error)
{
    static void (*const acts[])(pyro_call *) = { act_two_values, act_half_list,
                                                 act_half_map,   act_no_utf8,
                                                 act_bad_raw,    act_no_value,
                                                 act_two_owed };
    char   row[16];
    size_t i;

    start();
    call("nothing is nil", "90", "80");
    expect_nil("nothing is nil");
    for (i = 0; i < PYRO_COUNT(acts); i++) {
        snprintf(row, sizeof row, "act %u", (unsigned)i);
        obj.act = acts[i];
        call(row, "90", "80");
        expect_raised(row, "TypeError");
    }
    raw_works("link", caller);
}

static size_t result_bytes; /* of the whole result */

static void act_bytes(pyro_call *call)
{
    static const uint8_t zeros[2000];
    size_t               head = result_bytes > 0xFF + 2 ? 3 : 2;

    pyro_put_bin(&call->result, zeros, result_bytes - head);
}

static void call_for_bytes(const char *row, size_t n)
{
    obj.act = act_bytes;
    result_bytes = n;
    call(row, "90", "80");
}

TEST(a_result_too_long_for_the_buffer_is_a_memory_error)
{
    char number[16];

    start();
    call_for_bytes("n-1", RIG_MAX - 1);
    assert_false(reply.raised);
    assert_int_equal(reply.n, RIG_MAX - 1);
    call_for_bytes("n", RIG_MAX);
    assert_false(reply.raised);
    assert_int_equal(reply.n, RIG_MAX);
    snprintf(number, sizeof number, "%d", RIG_MAX);
    call_for_bytes("n+1", RIG_MAX + 1);
    expect_raised_says("n+1", "MemoryError", number);
    call_for_bytes("n+1000", RIG_MAX + 1000);
    expect_raised("n+1000", "MemoryError");
    assert_int_equal(runs(), 4);
}

/* Another raw caller, which accepts no more than max bytes. */
static void modest_caller(uint32_t max, unsigned features)
{
    raw_hang_up(caller);
    settle();
    caller = raw_connect();
    raw_greet_with(caller, CONNECT, features, max, 0);
    raw_expect_type("greeting", caller, CONNECTOK);
    always = features != 0 ? F_CHECKSUM : 0;
}

TEST(a_result_too_long_for_the_caller_is_a_memory_error)
{
    unsigned features;

    start();
    for (features = 0; features < 2; features++) {
        modest_caller(200, features);
        call_for_bytes("n-1", 199);
        assert_false(reply.raised);
        call_for_bytes("n", 200);
        assert_false(reply.raised);
        assert_int_equal(reply.n, 200);
        call_for_bytes("n+1", 201);
        expect_raised("n+1", "MemoryError");
        assert_true(reply.n <= 200);
        call_for_bytes("n+290", 490);
        expect_raised("n+290", "MemoryError");
        assert_true(reply.n <= 200);
    }
}

/* The caller's maximum cuts an exception just as a buffer does. */
TEST(an_exception_too_long_for_the_caller_is_cut_to_fit)
{
    start();
    modest_caller(87, 0);
    will_raise("ValueError", "bad");
    call("all of it", "90", "80");
    expect_raised_says("all of it", "ValueError", "bad");
    assert_string_equal(reply.trace, "o.m on pyro\n");
    modest_caller(86, 0);
    call("no traceback", "90", "80");
    expect_raised_says("no traceback", "ValueError", "bad");
    assert_string_equal(reply.trace, "");
    modest_caller(50, 1);
    will_raise("ValueError", "a longer text");
    call("no message", "90", "80");
    expect_raised_says("no message", "ValueError", "...");
    will_raise("ZeroDivisionError", "division by zero");
    call("no type", "90", "80");
    expect_raised_says("no type", "Exception", "...");
    modest_caller(50, 0);
    call_for_bytes("result", 51);
    test_eq("result", reply.raised && reply.n <= 50, true);
}

/* Nobody with a legal buffer accepts less than 50 bytes, in which every
 * exception finds room. */
TEST(nothing_longer_than_announced_is_ever_sent)
{
    uint32_t max;
    unsigned features;
    uint32_t at;

    start();
    for (max = 0; max < 52; max++) {
        for (features = 0; features < 2; features++) {
            raw_hang_up(caller);
            caller = raw_connect();
            raw_greet_with(caller, CONNECT, features, max, 0);
            settle();
            raw_take(caller);
            obj.act = act_bytes;
            result_bytes = 46;
            if (loop_ended(&rig.net, caller))
                continue;
            always = features != 0 ? F_CHECKSUM : 0;
            send_call(0, "m", "90", "80");
            settle();
            raw_take(caller);
            for (at = 0; at < rig.got_n;
                 at += 8 + 4 * features + pyroi_load16(rig.got + at + 6))
                test_eq("body", pyroi_load16(rig.got + at + 6) <= max, true);
        }
    }
}

static void act_read_wrong(pyro_call *call)
{
    pyro_get_i32(&call->args);
    pyro_put_int(&call->result, 1);
}

static void act_read_too_many(pyro_call *call)
{
    pyro_get_str(&call->args, &(uint32_t){ 0 });
    pyro_get_i32(&call->args);
}

static void act_raise_after_wrong(pyro_call *call)
{
    pyro_get_i32(&call->args);
    pyro_raise(call, "ValueError", "its own");
}

TEST(reading_what_is_not_there_is_a_type_error)
{
    start();
    strcpy(obj.signature, "v");
    obj.act = act_read_wrong;
    call("wrong", "91 a1 'x'", "80");
    expect_raised("wrong", "TypeError");
    obj.act = act_read_too_many;
    call("too many", "91 a1 'x'", "80");
    expect_raised("too many", "TypeError");
    obj.act = act_raise_after_wrong;
    call("own", "91 a1 'x'", "80");
    expect_raised_says("own", "ValueError", "its own");
    obj.act = NULL;
    call("reads nothing", "91 a1 'x'", "80");
    expect_nil("reads nothing");
}

/* ------------------------------------------------------------------------
 * Oneway.
 * ------------------------------------------------------------------------ */

TEST(a_oneway_call_gets_no_reply_whatever_happens)
{
    start();
    strcpy(obj.signature, "v");
    send_call(F_ONEWAY, "m", "91 01", "80");
    raw_expect("well", caller, "");
    assert_int_equal(runs(), 1);
    assert_true(obj.oneway);
    assert_int_equal(rig.a.stats.lost_oneway, 0);
    obj.act = act_two_values;
    send_call(F_ONEWAY, "tell", "91 01", "80");
    raw_expect("puts", caller, "");
    assert_int_equal(runs(), 1);
    assert_int_equal(rig.a.stats.lost_oneway, 0);
    will_raise("E", "unheard");
    send_call(F_ONEWAY, "m", "91 01", "80");
    raw_expect("raises", caller, "");
    assert_int_equal(runs(), 1);
    assert_int_equal(rig.a.stats.lost_oneway, 1);
    raw_works("link", caller);
}

TEST(a_oneway_call_that_fails_is_counted)
{
    uint32_t *lost = &rig.a.stats.lost_oneway;

    start();
    send_call(F_ONEWAY, "m", "91 01", "80");
    raw_expect("one argument too many", caller, "");
    assert_int_equal(*lost, 1);
    send_call(F_ONEWAY, "nothing", "90", "80");
    raw_expect("no method", caller, "");
    assert_int_equal(*lost, 2);
    send_body(F_ONEWAY, "94 a1 'x' a1 'm' 90 80");
    raw_expect("no object", caller, "");
    assert_int_equal(*lost, 3);
    send_body(F_ONEWAY, "c0");
    raw_expect("no call", caller, "");
    assert_int_equal(*lost, 4);
    assert_int_equal(runs(), 0);
    strcpy(obj.signature, "v");
    obj.act = act_read_wrong;
    send_call(F_ONEWAY, "m", "91 a0", "80");
    raw_expect("reads wrong", caller, "");
    assert_int_equal(*lost, 5);
    raw_works("link", caller);
}

TEST(a_oneway_method_that_is_called_normally_answers_nil)
{
    start();
    send_call(0, "tell", "90", "80");
    take_reply("tell");
    expect_nil("tell");
    assert_false(obj.oneway);
    assert_int_equal(runs(), 1);
    will_raise("ValueError", "heard");
    send_call(0, "tell", "90", "80");
    take_reply("raises");
    expect_raised_says("raises", "ValueError", "heard");
}

/* ------------------------------------------------------------------------
 * Objects.
 * ------------------------------------------------------------------------ */

static void call_id(const char *row, const char *id)
{
    char body[100];

    snprintf(body, sizeof body, "94 d9 20 '%s' a1 'm' 90 80", id);
    call_body(row, body);
}

TEST(an_object_answers_to_its_name_and_to_its_id)
{
    char id[33];

    start();
    call("name", "90", "80");
    expect_nil("name");
    assert_string_equal(obj.object, "o");
    assert_string_equal(obj.method, "m");
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
    call_id("id", id);
    expect_nil("id");
    assert_string_equal(obj.object, id);
    assert_int_equal(runs(), 2);
    assert_int_equal(rig.a.stats.calls, 2);
}

TEST(an_unknown_object_is_a_naming_error_that_names_it)
{
    char id[33];

    start();
    call_body("name", "94 a3 'oho' a1 'm' 90 80");
    expect_raised_says("name", "NamingError", "oho");
    call_body("part of a name", "94 a0 a1 'm' 90 80");
    expect_raised("part of a name", "NamingError");
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
    id[31] = (char)(id[31] == '9' ? '8' : id[31] + 1);
    call_id("generation", id);
    expect_raised_says("generation", "NamingError", id);
    call_id("nobody", "00000000000000000000000000000000");
    expect_raised("nobody", "NamingError");
    assert_int_equal(runs(), 0);
}

TEST(an_unknown_method_is_an_attribute_error_that_names_it)
{
    start();
    send_call(0, "nothing", "90", "80");
    take_reply("name");
    expect_raised_says("name", "AttributeError", "nothing");
    send_call(0, "", "90", "80");
    take_reply("empty");
    expect_raised("empty", "AttributeError");
    send_call(0, "mm", "90", "80");
    take_reply("longer");
    expect_raised("longer", "AttributeError");
    assert_int_equal(runs(), 0);
}

/* The table is full, so its successor gets the same slot. */
TEST(an_id_never_reaches_the_successor_of_a_withdrawn_object)
{
    static int other[4];
    char       old_id[33];
    char       id[33];

    start();
    assert_int_equal(pyro_export(&rig.a, &obj_class, &other[0], "1"), 0);
    assert_int_equal(pyro_export(&rig.a, &obj_class, &other[1], "2"), 0);
    assert_int_equal(pyro_object_id(&rig.a, &obj, old_id), PYRO_OK);
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    call_id("withdrawn", old_id);
    expect_raised("withdrawn", "NamingError");
    call("withdrawn, by name", "90", "80");
    expect_raised("withdrawn, by name", "NamingError");
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_ERR_NAMING);
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_ERR_NAMING);
    export_obj(&rig.a);
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
    assert_string_not_equal(id, old_id);
    call_id("old id", old_id);
    expect_raised("old id", "NamingError");
    call_id("new id", id);
    expect_nil("new id");
    assert_int_equal(runs(), 1);
}

/* One slot used over and over, as for an object per session. */
TEST(ids_do_not_come_round)
{
    char     first[33];
    char     id[33];
    unsigned i;

    start();
    assert_int_equal(pyro_object_id(&rig.a, &obj, first), PYRO_OK);
    for (i = 0; i < 70000; i++) {
        assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
        export_obj(&rig.a);
        assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
        if (strcmp(id, first) == 0)
            fail_msg("after %u exports the first id is in use again", i + 1);
    }
}

struct name_row {
    const char *label;
    const char *name;
    pyro_err    err;
};

TEST(names_of_objects_have_rules)
{
    static const struct name_row rows[] = {
        { "35", "0123456789abcdefghijklmnopqrstuvwxy", PYRO_OK },
        { "36", "0123456789abcdefghijklmnopqrstuvwxyz", PYRO_OK },
        { "37", "0123456789abcdefghijklmnopqrstuvwxyz.", PYRO_ERR_DAEMON },
        { "empty", "", PYRO_ERR_DAEMON },
        { "an id", "0123456789abcdef0123456789abcdef", PYRO_ERR_DAEMON },
        { "an id but for one", "0123456789abcdef0123456789abcdeg", PYRO_OK },
        { "capitals", "0123456789ABCDEF0123456789ABCDEF", PYRO_OK },
        { "31 of an id", "0123456789abcdef0123456789abcde", PYRO_OK },
        { "taken", "o", PYRO_ERR_DAEMON },
        { "other case", "O", PYRO_OK },
        { "blank", "a b", PYRO_ERR_DAEMON },
        { "tab", "a\tb", PYRO_ERR_DAEMON },
        { "newline", "ab\n", PYRO_ERR_DAEMON },
        { "delete", "\x7f", PYRO_ERR_DAEMON },
        { "name of a URI", ":lab.calc/x@y", PYRO_OK },
        { "letters beyond ASCII", "\xc3\xbc", PYRO_OK },
        { "none", NULL, PYRO_OK },
        { "internal", "c0000000011000001000000010000001", PYRO_ERR_DAEMON }
    };
    static int self;
    size_t     i;
    pyro_err   err;

    start();
    for (i = 0; i < PYRO_COUNT(rows); i++) {
        err = pyro_export(&rig.a, &obj_class, &self, rows[i].name);
        test_eq(rows[i].label, err, rows[i].err);
        if (err != PYRO_OK)
            assert_non_null(rig.a.why.text);
        err = pyro_withdraw(&rig.a, &self);
        test_eq(rows[i].label, err == PYRO_OK, rows[i].err == PYRO_OK);
    }
}

TEST(a_full_table_is_an_error_until_an_object_is_withdrawn)
{
    static int  self[4];
    static char names[4][2] = { "1", "2", "3", "4" };
    unsigned    i;

    start(); /* has two of four already */
    for (i = 0; i < 4; i++) {
        pyro_err err = pyro_export(&rig.a, &obj_class, &self[i], names[i]);

        test_eq(names[i], err, i < 2 ? PYRO_OK : PYRO_ERR_NOSPACE);
    }
    assert_int_equal(rig.a.why.is, 4);
    assert_int_equal(rig.a.why.limit, 4);
    assert_int_equal(pyro_withdraw(&rig.a, &self[0]), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &obj_class, &self[2], "3"), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &obj_class, &self[3], "4"),
                     PYRO_ERR_NOSPACE);
}

TEST(serving_needs_two_buffers_or_three_where_calls_are_made)
{
    pyro_proxy proxy;

    assert_int_equal(pyro_open(&rig.a, PYRO_ROOM_OF(single_room), &rig.conf_a),
                     PYRO_OK);
    rig.open_a = true;
    assert_int_equal(pyro_export(&rig.a, &obj_class, &obj, "o"),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.a.why.is, 1);
    assert_int_equal(rig.a.why.limit, 2);
    close_a();
    assert_int_equal(pyro_open(&rig.a, PYRO_ROOM_OF(pair_room), &rig.conf_a),
                     PYRO_OK);
    rig.open_a = true;
    assert_int_equal(pyro_proxy_open(&proxy, &rig.a, CALC), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &obj_class, &obj, "o"),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.a.why.limit, 3);
    pyro_proxy_close(&proxy);
    export_obj(&rig.a);
}

TEST(objects_are_found_and_walked)
{
    pyro_object found = { NULL, NULL, NULL };
    char        id[33];
    unsigned    at = 0;

    start();
    assert_int_equal(pyro_object_id(&rig.a, &obj, id), PYRO_OK);
    assert_false(pyro_find(&rig.a, "oo", 2, &found));
    assert_null(found.cls);
    assert_true(pyro_find(&rig.a, "oo", 1, &found));
    assert_ptr_equal(found.self, &obj);
    found.self = NULL;
    assert_true(pyro_find(&rig.a, id, 32, &found));
    assert_ptr_equal(found.self, &obj);
    assert_ptr_equal(found.cls, &obj_class);
    assert_string_equal(found.name, "o");
    assert_false(pyro_find(&rig.a, id, 31, &found));
    assert_true(pyro_walk(&rig.a, &at, &found));
    assert_string_equal(found.name, "calc");
    assert_true(pyro_walk(&rig.a, &at, &found));
    assert_string_equal(found.name, "o");
    assert_false(pyro_walk(&rig.a, &at, &found));
    assert_int_equal(pyro_withdraw(&rig.a, &rig.calc), PYRO_OK);
    at = 0;
    assert_true(pyro_walk(&rig.a, &at, &found));
    assert_string_equal(found.name, "o");
    assert_false(pyro_walk(&rig.a, &at, &found));
}

static void act_withdraw(pyro_call *call)
{
    static int other;

    assert_int_equal(pyro_withdraw(call->node, &obj), PYRO_OK);
    /* its slot is not free before its handler has ended */
    assert_int_equal(pyro_export(call->node, &obj_class, &other, "next"),
                     PYRO_OK);
    assert_int_equal(pyro_withdraw(call->node, &other), PYRO_OK);
    pyro_put_int(&call->result, 7);
}

TEST(an_object_may_withdraw_itself_in_its_handler)
{
    start();
    obj.act = act_withdraw;
    call("last", "90", "80");
    expect_result("last", "07");
    call("gone", "90", "80");
    expect_raised("gone", "NamingError");
    export_obj(&rig.a);
    obj.act = NULL;
    call("back", "90", "80");
    expect_nil("back");
}

/* ------------------------------------------------------------------------
 * Dispatch.
 * ------------------------------------------------------------------------ */

TEST(names_longer_than_the_limit_are_refused)
{
    static const char name[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    static int        self;
    char              body[120];

    start();
    assert_int_equal(pyro_export(&rig.a, &obj_class, &self, name), PYRO_OK);
    snprintf(body, sizeof body, "94 d9 24 '%s' a1 'x' 90 80", name);
    call_body("object of 36", body);
    expect_raised_says("object of 36", "AttributeError", "x");
    snprintf(body, sizeof body, "94 d9 25 '%s.' a1 'x' 90 80", name);
    call_body("object of 37", body);
    expect_raised("object of 37", "ProtocolError");
    snprintf(body, sizeof body, "94 a1 'o' d9 24 '%s' 90 80", name);
    call_body("method of 36", body);
    expect_raised_says("method of 36", "AttributeError", name);
    snprintf(body, sizeof body, "94 a1 'o' d9 25 '%s.' 90 80", name);
    call_body("method of 37", body);
    expect_raised("method of 37", "ProtocolError");
    raw_works("link", caller);
}

static const test_row malformed_rows[] = {
    { "nothing", "" },
    { "nil", "c0" },
    { "a map", "80" },
    { "a number", "05" },
    { "no tag", "c1" },
    { "empty list", "90" },
    { "three", "93 a1 'o' a1 'm' 90" },
    { "five", "95 a1 'o' a1 'm' 90 80 c0" },
    { "five, as four", "94 a1 'o' a1 'm' 90 80 c0" },
    { "four, three there", "94 a1 'o' a1 'm' 90" },
    { "object nil", "94 c0 a1 'm' 90 80" },
    { "object a number", "94 05 a1 'm' 90 80" },
    { "object bytes", "94 c4 01 'o' a1 'm' 90 80" },
    { "object a list", "94 91 a1 'o' a1 'm' 90 80" },
    { "method nil", "94 a1 'o' c0 90 80" },
    { "method bytes", "94 a1 'o' c4 01 'm' 90 80" },
    { "zero byte in object", "94 a2 'o' 00 a1 'm' 90 80" },
    { "object is a zero byte", "94 a1 00 a1 'm' 90 80" },
    { "zero byte in method", "94 a1 'o' a2 'm' 00 90 80" },
    { "zero byte first", "94 a1 'o' a2 00 'm' 90 80" },
    { "arguments nil", "94 a1 'o' a1 'm' c0 80" },
    { "arguments a map", "94 a1 'o' a1 'm' 80 80" },
    { "arguments a str", "94 a1 'o' a1 'm' a0 80" },
    { "arguments lie", "94 a1 'o' a1 'm' 95 01 80" },
    { "arguments lie much", "94 a1 'o' a1 'm' dd ffffffff 01 80" },
    { "16 arguments", "94 a1 'o' a1 'm' dc 0010 01 01 01 01 01 01 01 01 01 01"
                      " 01 01 01 01 01 01 80" },
    { "argument cut", "94 a1 'o' a1 'v' 91 a5 'x' 80" },
    { "argument without tag", "94 a1 'o' a1 'v' 91 c1 80" },
    { "kwargs a list", "94 a1 'o' a1 'm' 90 90" },
    { "kwargs a str", "94 a1 'o' a1 'm' 90 a0" },
    { "kwargs false", "94 a1 'o' a1 'm' 90 c2" },
    { "kwargs a number", "94 a1 'o' a1 'm' 90 00" },
    { "kwargs ext", "94 a1 'o' a1 'm' 90 c7 00 01" },
    { "kwargs lie", "94 a1 'o' a1 'm' 90 82 a1 'a'" },
    { "trailing byte", "94 a1 'o' a1 'm' 90 80 80" },
    { "trailing bytes", "94 a1 'o' a1 'm' 90 c0 00 00 00 00" },
    { "no UTF-8, object", "94 a1 ff a1 'm' 90 80" },
    { "no UTF-8, method", "94 a1 'o' a1 ff 90 80" },
    { "no UTF-8, argument", "94 a1 'o' a1 'v' 91 a1 ff 80" },
    { "no UTF-8, in a list", "94 a1 'o' a1 'v' 91 91 a2 c3 '(' 80" },
    { "no UTF-8, in a map", "94 a1 'o' a1 'v' 91 81 a1 ff 01 80" },
    { "no UTF-8, for a str", "94 a1 'o' a1 's' 91 a1 ff 80" },
    { "no UTF-8, in a list of str", "94 a1 'o' a1 'S' 91 91 a1 ff 80" },
    { "no UTF-8, key of a map", "94 a1 'o' a1 'Q' 91 81 a1 ff 01 80" },
    { "no UTF-8, URI", "94 a1 'o' a1 'U' 91 a1 ff 80" },
    { "attribute, cut", "94 a1 'o' ab '__getattr__' 91 a5 'x' 80" },
    { "unknown method, cut", "94 a1 'o' a1 'x' 91 a5 'x' 80" }
};

/* Methods by the letter of their parameter. */
static const pyro_method letter_methods[] = {
    { "m", obj_m, "", "", 0 },    { "v", obj_m, "v", "", 0 },
    { "s", obj_m, "s", "", 0 },   { "S", obj_m, "[s]", "", 0 },
    { "Q", obj_m, "{q}", "", 0 }, { "U", obj_m, "U", "", 0 },
    { "k", obj_m, "a:v", "", 0 }
};
static const pyro_class letter_class = { "Letters",
                                         PYRO_METHODS(letter_methods),
                                         PYRO_NO_ATTRS, NULL, 0 };

TEST(a_malformed_body_is_an_error_and_the_link_stays_up)
{
    size_t i;

    start();
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &letter_class, &obj, "o"), PYRO_OK);
    for (i = 0; i < PYRO_COUNT(malformed_rows); i++) {
        const test_row *row = &malformed_rows[i];

        call_body(row->label, row->hex);
        expect_raised(row->label, "ProtocolError");
        test_eq(row->label, rig.a.stats.bad, i + 1);
        test_eq(row->label, runs(), 0);
        send_body(F_ONEWAY, row->hex);
        raw_expect(row->label, caller, "");
        test_eq(row->label, rig.a.stats.lost_oneway, i + 1);
        rig.a.stats.bad = (uint32_t)(i + 1);
        raw_works(row->label, caller);
    }
}

/* Of keyword arguments it may be a TypeError as well, but never a call. */
TEST(malformed_keyword_arguments_never_reach_a_handler)
{
    static const char *const rows[] = {
        "81 a1 'a' a5 'x'", "81 a1 'a' a1 ff", "81 a1 ff 01",
        "81 a1 'a'",        "81 a1 'a' c1",    "81 a1 'a' 91 a1 ff",
        "81 a1 'a' 01 00",  "82 a1 'a' 01",    "82 a1 'a' 01 a1 'b'",
        "81 a9 'a' 01",     "de 0001",         "81 81 a1 'a' 01"
    };
    size_t i;

    start();
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &letter_class, &obj, "o"), PYRO_OK);
    send_call(0, "k", "90", "81 a1 'a' 01");
    take_reply("well-formed");
    expect_nil("well-formed");
    assert_int_equal(runs(), 1);
    for (i = 0; i < PYRO_COUNT(rows); i++) {
        send_call(0, "k", "90", rows[i]);
        take_reply(rows[i]);
        if (strcmp(reply.type, "TypeError") != 0)
            expect_raised(rows[i], "ProtocolError");
        test_eq(rows[i], runs(), 0);
        raw_works(rows[i], caller);
    }
}

/* Every way to cut a body short, and every byte of it replaced. */
TEST(damaged_bodies_get_one_reply_each)
{
    uint8_t  body[64];
    uint8_t  frame[80];
    size_t   n = test_hex(body, sizeof body,
                          "94 a1 'o' a1 'm' 92 05 91 a1 'x' 81 a1 'c' 05");
    size_t   i;
    unsigned byte;

    start();
    strcpy(obj.signature, "a:i b:[s] ?c:v");
    for (i = 0; i < n; i++) {
        raw_feed(caller, frame,
                 raw_frame(frame, INVOKE, 0, ++last_seq, body, (uint32_t)i));
        take_reply("cut");
        test_eq("cut", reply.raised, true);
        for (byte = 0; byte < 256; byte++) {
            uint8_t good = body[i];

            body[i] = (uint8_t)byte;
            raw_feed(caller, frame,
                     raw_frame(frame, INVOKE, 0, ++last_seq, body,
                               (uint32_t)n));
            take_reply("changed");
            body[i] = good;
        }
    }
    raw_works("link", caller);
}

static pyro_link seen_link;

static void act_fields(pyro_call *call)
{
    char address[40];

    seen_link = call->link;
    assert_ptr_equal(call->node, &rig.a);
    assert_int_equal(pyro_link_address(call->node, call->link, true, address,
                                       sizeof address),
                     PYRO_OK);
    pyro_put_str(&call->result, address);
}

TEST(a_call_knows_its_link_object_and_method)
{
    pyro_link first;
    int32_t   other;

    start();
    obj.act = act_fields;
    call("first", "90", "80");
    assert_false(reply.raised);
    assert_memory_equal(reply.frame + 9, "connector:", 10);
    first = seen_link;
    assert_int_not_equal(pyro_link_session(&rig.a, first), 0);
    other = raw_client();
    raw_send(other, INVOKE, 0, 9, "94 a1 'o' a1 'm' 90 80");
    raw_expect_type("other", other, RESULT);
    assert_int_not_equal(seen_link, first);
    assert_string_equal(obj.object, "o");
    assert_string_equal(obj.method, "m");
    assert_false(obj.oneway);
    raw_hang_up(other);
    call("again", "90", "80");
    assert_int_equal(seen_link, first);
}

static void act_close_link(pyro_call *call)
{
    pyro_link_close(call->node, call->link);
    assert_int_equal(call->link, 0);
    pyro_put_int(&call->result, 5);
}

TEST(a_reply_whose_caller_has_gone_is_counted)
{
    start();
    obj.act = act_close_link;
    send_call(0, "m", "90", "80");
    raw_expect("nothing", caller, "");
    assert_int_equal(runs(), 1);
    assert_int_equal(rig.a.stats.unsent, 1);
    assert_true(raw_closed(caller));
    caller = raw_client();
    raw_works("others", caller);
}

/* Calls that have come already are answered by one send. */
TEST(replies_are_gathered_while_calls_are_waiting)
{
    uint32_t sends;

    start();
    rig.net.more = true;
    sends = rig.net.calls.send;
    send_call(0, "m", "90", "80");
    send_body(0, CALC_ADD_2_3);
    send_body(0, CALC_ADD_4_5);
    raw_expect("three", caller,
               "'PY' 65 00 00 01 00 01 c0 'PY' 65 00 00 02 00 01 05"
               "'PY' 65 00 00 03 00 01 09");
    assert_int_equal(rig.net.calls.send - sends, 1);
}

/* ------------------------------------------------------------------------
 * any, and PYRO_EXCLUSIVE.
 * ------------------------------------------------------------------------ */

static bool obj_any(void *self, pyro_call *call)
{
    obj_m(self, call);
    return obj.known;
}

static const pyro_class any_class = { "Any", PYRO_METHODS(obj_methods),
                                      PYRO_NO_ATTRS, obj_any, 0 };

static void start_with(const pyro_class *cls)
{
    start();
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, cls, &obj, "o"), PYRO_OK);
}

TEST(any_takes_what_is_in_no_table)
{
    start_with(&any_class);
    strcpy(obj.signature, "i");
    obj.known = true;
    send_call(0, "bridge", "92 a1 'x' c0", "80");
    take_reply("bridge");
    expect_nil("bridge");
    assert_string_equal(obj.method, "bridge");
    test_same_hex("bridge", obj.args, obj.n_args, "a1 'x' c0");
    assert_int_equal(runs(), 1);
    call("a method still checks", "91 c0", "80");
    expect_raised("a method still checks", "TypeError");
    obj.known = false;
    send_call(0, "bridge", "90", "80");
    take_reply("unknown");
    expect_raised_says("unknown", "AttributeError", "bridge");
    obj.act = act_two_values;
    send_call(0, "bridge", "90", "80");
    take_reply("unknown, and puts");
    expect_raised_says("unknown, and puts", "AttributeError", "bridge");
    obj.known = true;
    obj.act = act_raise_twice;
    send_call(0, "bridge", "90", "80");
    take_reply("raises");
    expect_raised("raises", "First");
    assert_int_equal(runs(), 3);
}

TEST(any_gets_no_keyword_arguments_and_no_malformed_ones)
{
    start_with(&any_class);
    obj.known = true;
    send_call(0, "bridge", "91 05", "c0");
    take_reply("nil");
    expect_nil("nil");
    assert_int_equal(runs(), 1);
    send_call(0, "bridge", "91 05", "81 a1 'a' 01");
    take_reply("keywords");
    assert_true(reply.raised);
    send_call(0, "bridge", "92 05", "80");
    take_reply("cut");
    expect_raised("cut", "ProtocolError");
    send_call(0, "bridge", "91 a1 ff", "80");
    take_reply("no UTF-8");
    expect_raised("no UTF-8", "ProtocolError");
    send_call(0, "__getattr__", "91 a1 'x'", "80");
    take_reply("attribute");
    expect_raised("attribute", "AttributeError");
    assert_int_equal(runs(), 0);
}

static const pyro_class exclusive_class = {
    "Exclusive", PYRO_METHODS(obj_methods), PYRO_NO_ATTRS, NULL, PYRO_EXCLUSIVE
};

static const char busy_frame[] =
    "'PY' 65 01 00 21 00 2f 83 a9 '__class__' a9 'BusyError'"
    " ad '__exception__' c3 a4 'args' 91 a4 'busy'";

static int32_t other;

/* Waits, as a handler that calls out does: others are served meanwhile. */
static void act_wait(pyro_call *call)
{
    int i;

    obj.act = NULL;
    raw_send(other, INVOKE, 0, 0x20, CALC_ADD_2_3);
    raw_send(other, INVOKE, 0, 0x21, "94 a1 'o' a1 'm' 90 80");
    raw_send(other, INVOKE, F_ONEWAY, 0, "94 a1 'o' a1 'm' 90 80");
    for (i = 0; i < 12; i++)
        poll_of(call->node);
    pyro_put_int(&call->result, 5);
}

TEST(an_exclusive_object_is_busy_while_its_handler_waits)
{
    start_with(&exclusive_class);
    other = raw_client();
    obj.act = act_wait;
    send_call(0, "m", "90", "80");
    take_reply("first");
    expect_result("first", "05");
    settle();
    raw_take(other);
    test_same_hex("served", rig.got, 9, "'PY' 65 00 00 20 00 01 05");
    test_same_hex("busy", rig.got + 9, rig.got_n - 9, busy_frame);
    assert_int_equal(runs(), 1);
    assert_int_equal(rig.a.stats.busy, 2);
    assert_int_equal(rig.a.stats.lost_oneway, 1);
    call("after", "90", "80");
    expect_nil("after");
    raw_hang_up(other);
}

TEST(an_object_that_is_not_exclusive_is_entered_again)
{
    start();
    other = raw_client();
    obj.act = act_wait;
    send_call(0, "m", "90", "80");
    take_reply("first");
    expect_result("first", "05");
    raw_expect("others", other,
               "'PY' 65 00 00 20 00 01 05 'PY' 65 00 00 21 00 01 c0");
    assert_int_equal(runs(), 3);
    assert_int_equal(rig.a.stats.busy, 0);
    raw_hang_up(other);
}

/* Its successor is another object, though the handler has not ended. */
static void act_replace(pyro_call *call)
{
    int i;

    obj.act = NULL;
    assert_int_equal(pyro_withdraw(call->node, &obj), PYRO_OK);
    assert_int_equal(pyro_export(call->node, &exclusive_class, &obj, "new"),
                     PYRO_OK);
    raw_send(other, INVOKE, 0, 0x21, "94 a3 'new' a1 'm' 90 80");
    for (i = 0; i < 12; i++)
        poll_of(call->node);
}

TEST(a_successor_is_not_busy_with_its_predecessors_handler)
{
    start_with(&exclusive_class);
    other = raw_client();
    obj.act = act_replace;
    call("old", "90", "80");
    expect_nil("old");
    raw_expect("new", other, "'PY' 65 00 00 21 00 01 c0");
    assert_int_equal(runs(), 2);
    raw_hang_up(other);
}

/* ------------------------------------------------------------------------
 * Attributes.
 * ------------------------------------------------------------------------ */

static struct thing {
    uint8_t  guard_0[4];
    bool     b;
    int32_t  i;
    uint32_t u;
    int64_t  q;
    float    f;
    double   d;
    uint8_t  guard_1[4];
    char     s[8];
    uint8_t  guard_2[4];
    int32_t  r;
} thing;

static const pyro_attr  thing_attrs[] = { PYRO_ATTR_BOOL(struct thing, b, 0),
                                          PYRO_ATTR_I32(struct thing, i, 0),
                                          PYRO_ATTR_U32(struct thing, u, 0),
                                          PYRO_ATTR_I64(struct thing, q, 0),
                                          PYRO_ATTR_F32(struct thing, f, 0),
                                          PYRO_ATTR_F64(struct thing, d, 0),
                                          PYRO_ATTR_STR(struct thing, s, 0),
                                          PYRO_ATTR_I32(struct thing, r,
                                                        PYRO_READONLY) };
static const pyro_class thing_class = { "Thing", PYRO_NO_METHODS,
                                        PYRO_ATTRS(thing_attrs), NULL, 0 };

static void start_thing(void)
{
    start();
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    memset(&thing, 0x5A, sizeof thing);
    thing.b = true;
    thing.i = -5;
    thing.u = 0xFFFFFFFF;
    thing.q = INT64_MIN;
    thing.f = 1.5f;
    thing.d = -2.5;
    strcpy(thing.s, "bench");
    thing.r = 7;
    assert_int_equal(pyro_export(&rig.a, &thing_class, &thing, "o"), 0);
}

static void get_attr(const char *name)
{
    char args[40];

    snprintf(args, sizeof args, "91 a1 '%s'", name);
    send_call(0, "__getattr__", args, "80");
    take_reply(name);
}

static void set_attr(const char *row, const char *name, const char *hex)
{
    char args[100];

    snprintf(args, sizeof args, "92 a1 '%s' %s", name, hex);
    send_call(0, "__setattr__", args, "80");
    take_reply(row);
}

TEST(attributes_of_every_type_can_be_got)
{
    static const char *const rows[] = {
        "b", "c3",          "i", "fb",
        "u", "ce ffffffff", "q", "d3 8000000000000000",
        "f", "ca 3fc00000", "d", "cb c004000000000000",
        "s", "a5 'bench'",  "r", "07"
    };
    size_t i;

    start_thing();
    for (i = 0; i < PYRO_COUNT(rows); i += 2) {
        get_attr(rows[i]);
        expect_result(rows[i], rows[i + 1]);
    }
    memcpy(thing.s, "12345678", 8); /* without its zero byte */
    get_attr("s");
    expect_result("s", "a8 '12345678'");
    thing.s[0] = '\0';
    get_attr("s");
    expect_result("s", "a0");
    memcpy(thing.s, "\xff\xff", 3);
    get_attr("s");
    expect_raised("s, no UTF-8", "TypeError");
}

struct attr_row {
    const char *name;
    const char *set;
    const char *get; /* what it is then; NULL: an error */
};

static const struct attr_row attr_rows[] = {
    { "b", "c2", "c2" },
    { "b", "c3", "c3" },
    { "b", "01", NULL },
    { "b", "c0", NULL },
    { "i", "ce 7fffffff", "ce 7fffffff" },
    { "i", "d2 80000000", "d2 80000000" },
    { "i", "ce 80000000", NULL },
    { "i", "d3 ffffffff7fffffff", NULL },
    { "i", "cb 3ff0000000000000", NULL },
    { "i", "c3", NULL },
    { "u", "00", "00" },
    { "u", "ce ffffffff", "ce ffffffff" },
    { "u", "cf 0000000100000000", NULL },
    { "u", "ff", NULL },
    { "u", "cf ffffffffffffffff", NULL },
    { "q", "d3 8000000000000000", "d3 8000000000000000" },
    { "q", "cf 7fffffffffffffff", "cf 7fffffffffffffff" },
    { "q", "cf 8000000000000000", NULL },
    { "q", "ca 3f800000", NULL },
    { "f", "ca 40200000", "ca 40200000" },
    { "f", "cb 4004000000000000", "ca 40200000" },
    { "f", "03", "ca 40400000" },
    { "f", "a1 '1'", NULL },
    { "f", "cf 8000000000000000", NULL },
    { "d", "cb 4004000000000000", "cb 4004000000000000" },
    { "d", "ca 40200000", "cb 4004000000000000" },
    { "d", "ff", "cb bff0000000000000" },
    { "d", "c0", NULL },
    { "s", "a0", "a0" },
    { "s", "a6 '123456'", "a6 '123456'" },
    { "s", "a7 '1234567'", "a7 '1234567'" },
    { "s", "a8 '12345678'", NULL },
    { "s", "a9 '123456789'", NULL },
    { "s", "d9 02 'ab'", "a2 'ab'" },
    { "s", "a3 'a' 00 'b'", NULL },
    { "s", "c4 01 'a'", NULL },
    { "s", "05", NULL },
    { "s", "91 a1 'x'", NULL },
    { "r", "05", NULL },
    { "r", "c0", NULL }
};

/* A refused value leaves every byte as it was. */
TEST(attributes_take_what_fits_them_and_nothing_else)
{
    struct thing before;
    char         row[40];
    size_t       i;

    start_thing();
    for (i = 0; i < PYRO_COUNT(attr_rows); i++) {
        const struct attr_row *r = &attr_rows[i];

        snprintf(row, sizeof row, "%s = %s", r->name, r->set);
        before = thing;
        set_attr(row, r->name, r->set);
        if (r->get != NULL) {
            expect_nil(row);
            get_attr(r->name);
            expect_result(row, r->get);
        } else {
            test_eq(row, reply.raised, true);
            test_eq(row, strstr(reply.message, r->name) != NULL, true);
            test_same(row, &thing, sizeof thing, &before, sizeof before);
        }
        test_same_hex(row, thing.guard_0, 4, "5a5a5a5a");
        test_same_hex(row, thing.guard_1, 4, "5a5a5a5a");
        test_same_hex(row, thing.guard_2, 4, "5a5a5a5a");
    }
}

TEST(errors_of_attributes_have_types)
{
    start_thing();
    set_attr("type", "i", "c0");
    expect_raised_says("type", "TypeError", "i");
    set_attr("too long", "s", "a8 '12345678'");
    expect_raised_says("too long", "ValueError", "s");
    set_attr("read-only", "r", "05");
    expect_raised_says("read-only", "AttributeError", "r");
    set_attr("unknown", "x", "05");
    expect_raised("unknown", "AttributeError");
    get_attr("x");
    expect_raised("unknown", "AttributeError");
    send_call(0, "__getattr__", "91 a2 'ii'", "80");
    take_reply("longer");
    expect_raised("longer", "AttributeError");
    send_call(0, "__getattr__", "91 a0", "80");
    take_reply("empty");
    expect_raised("empty", "AttributeError");
    assert_int_equal(thing.i, -5);
    assert_int_equal(thing.r, 7);
}

TEST(hasattr_tells_attributes)
{
    static const char *const rows[] = {
        "91 a1 'b'",  "c3",        "91 a1 'r'",    "c3",    "91 a1 's'",
        "c3",         "91 a1 'x'", "c2",           "91 a0", "c2",
        "91 a2 'bb'", "c2",        "91 a2 'b' 00", "c2"
    };
    size_t i;

    start_thing();
    for (i = 0; i < PYRO_COUNT(rows); i += 2) {
        send_call(0, "__hasattr__", rows[i], "80");
        take_reply(rows[i]);
        expect_result(rows[i], rows[i + 1]);
    }
}

TEST(attribute_calls_with_wrong_arguments_are_type_errors)
{
    static const char *const rows[] = {
        "__getattr__", "90",          "__getattr__", "91 05",
        "__getattr__", "91 c0",       "__getattr__", "92 a1 'i' 05",
        "__setattr__", "90",          "__setattr__", "91 a1 'i'",
        "__setattr__", "92 05 05",    "__setattr__", "93 a1 'i' 05 05",
        "__hasattr__", "90",          "__hasattr__", "91 05",
        "__hasattr__", "92 a1 'i' 05"
    };
    char   row[40];
    size_t i;

    start_thing();
    for (i = 0; i < PYRO_COUNT(rows); i += 2) {
        snprintf(row, sizeof row, "%s %s", rows[i], rows[i + 1]);
        send_call(0, rows[i], rows[i + 1], "80");
        take_reply(row);
        expect_raised(row, "TypeError");
        test_eq(row, thing.i, -5);
    }
}

TEST(oneway_attribute_calls_are_done_or_counted)
{
    start_thing();
    send_call(F_ONEWAY, "__setattr__", "92 a1 'i' 09", "80");
    raw_expect("set", caller, "");
    assert_int_equal(thing.i, 9);
    assert_int_equal(rig.a.stats.lost_oneway, 0);
    send_call(F_ONEWAY, "__setattr__", "92 a1 'r' 09", "80");
    raw_expect("read-only", caller, "");
    assert_int_equal(thing.r, 7);
    assert_int_equal(rig.a.stats.lost_oneway, 1);
    send_call(F_ONEWAY, "__getattr__", "91 a1 'i'", "80");
    raw_expect("get", caller, "");
}

/* ------------------------------------------------------------------------
 * The same by a proxy of another daemon.
 * ------------------------------------------------------------------------ */

static void start_proxy(pyro_proxy *proxy)
{
    open_b();
    let_b_wait();
    assert_int_equal(pyro_proxy_open(proxy, &rig.b, "PYRO://board:7766/o"),
                     PYRO_OK);
}

TEST(a_proxy_gets_and_sets_attributes)
{
    pyro_proxy proxy;
    char       text[8] = "before";
    int32_t    i = 0;
    bool       has = false;

    start_thing();
    start_proxy(&proxy);
    assert_int_equal(pyro_getattr(&proxy, "i", pyro_to_i32(&i)), PYRO_OK);
    assert_int_equal(i, -5);
    assert_int_equal(pyro_setattr(&proxy, "s", pyro_str("rack 12")), PYRO_OK);
    assert_string_equal(thing.s, "rack 12");
    assert_int_equal(pyro_getattr(&proxy, "s", pyro_to_str(text, 7)),
                     PYRO_ERR_NOSPACE);
    assert_string_equal(text, "before");
    assert_int_equal(pyro_getattr(&proxy, "s", pyro_to_str(text, 8)), PYRO_OK);
    assert_string_equal(text, "rack 12");
    assert_int_equal(pyro_hasattr(&proxy, "q", &has), PYRO_OK);
    assert_true(has);
    assert_int_equal(pyro_hasattr(&proxy, "z", &has), PYRO_OK);
    assert_false(has);
    assert_int_equal(pyro_setattr(&proxy, "r", pyro_int(1)), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&proxy)->type, "AttributeError");
    assert_int_equal(pyro_setattr(&proxy, "i", pyro_str("x")),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&proxy)->type, "TypeError");
    pyro_proxy_close(&proxy);
}

TEST(a_proxy_shows_what_a_method_raised)
{
    pyro_proxy proxy;
    int32_t    sum = 0;

    rig.conf_a.name = "bench";
    start();
    start_proxy(&proxy);
    strcpy(obj.signature, "a:i b:i");
    obj.act = act_add;
    assert_int_equal(pyro_invoke(&proxy, "m",
                                 PYRO_ARGS(pyro_int(2), pyro_int(3)),
                                 pyro_to_i32(&sum)),
                     PYRO_OK);
    assert_int_equal(sum, 5);
    will_raise("ValueError", "bad");
    assert_int_equal(pyro_invoke(&proxy, "m",
                                 PYRO_ARGS(pyro_int(2), pyro_int(3)),
                                 pyro_to_i32(&sum)),
                     PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&proxy)->type, "ValueError");
    assert_string_equal(pyro_exception(&proxy)->message, "bad");
    assert_string_equal(pyro_exception(&proxy)->traceback, "o.m on bench");
    assert_int_equal(sum, 5);
    pyro_proxy_close(&proxy);
}

static pyro_request busy_rq;

/* Waits while another daemon's call comes. */
static void act_wait_for_b(pyro_call *call)
{
    obj.act = NULL;
    assert_int_equal(pyro_send(&busy_rq, pyro_to_none(), NULL, NULL), 0);
    poll_of(&rig.b);
    poll_of(call->node);
    poll_of(call->node);
}

TEST(a_proxy_takes_busy_for_an_error_of_its_own)
{
    pyro_proxy proxy;

    start_with(&exclusive_class);
    start_proxy(&proxy);
    assert_int_equal(pyro_invoke(&proxy, "m", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_begin(&busy_rq, &proxy, "m"), PYRO_OK);
    obj.act = act_wait_for_b;
    runs();
    call("raw", "90", "80");
    expect_nil("raw");
    assert_true(pyro_done(&busy_rq));
    assert_int_equal(pyro_result(&busy_rq), PYRO_ERR_BUSY);
    assert_int_equal(runs(), 1);
    pyro_proxy_close(&proxy);
}

/* ------------------------------------------------------------------------
 * The internal object.
 * ------------------------------------------------------------------------ */

#define INTERNAL "94 d9 20 'c0000000011000001000000010000001' "

static void act_nothing(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

static const pyro_method full_methods[] = {
    { "go", act_nothing, "speed:d ?brake:b", "i", 0 },
    { "tell", act_nothing, "s", "", PYRO_ONEWAY }
};
static const pyro_class full_class = { "Full", PYRO_METHODS(full_methods),
                                       PYRO_ATTRS(thing_attrs), NULL, 0 };

/* Ids as hex, of calc and of o. */
static char calc_id[33];
static char o_id[33];

static void start_internal(void)
{
    start();
    assert_int_equal(pyro_withdraw(&rig.a, &obj), PYRO_OK);
    assert_int_equal(pyro_export(&rig.a, &full_class, &thing, "o"), 0);
    assert_int_equal(pyro_export(&rig.a, &obj_class, &obj, NULL), 0);
    assert_int_equal(pyro_object_id(&rig.a, &rig.calc, calc_id), PYRO_OK);
    assert_int_equal(pyro_object_id(&rig.a, &thing, o_id), PYRO_OK);
}

TEST(the_daemon_lists_what_is_registered)
{
    char want[200];
    char none_id[33];

    start_internal();
    assert_int_equal(pyro_object_id(&rig.a, &obj, none_id), PYRO_OK);
    snprintf(want, sizeof want,
             "83 d9 20 '%s' a4 'calc' d9 20 '%s' a1 'o' d9 20 '%s' c0",
             calc_id, o_id, none_id);
    call_body("all", INTERNAL "ad 'getRegistered' 90 80");
    expect_result("all", want);
    call_body("from 0", INTERNAL "ad 'getRegistered' 91 00 80");
    expect_result("from 0", want);
    snprintf(want, sizeof want, "82 d9 20 '%s' a1 'o' d9 20 '%s' c0", o_id,
             none_id);
    call_body("from 1", INTERNAL "ad 'getRegistered' 91 01 80");
    expect_result("from 1", want);
    call_body("from 1 by name",
              INTERNAL "ad 'getRegistered' 90 81 a5 'first' 01");
    expect_result("from 1 by name", want);
    call_body("from the end", INTERNAL "ad 'getRegistered' 91 04 80");
    expect_result("from the end", "80");
    call_body("far", INTERNAL "ad 'getRegistered' 91 ce 7fffffff 80");
    expect_raised_says("far", "ValueError", "first");
    call_body("before all", INTERNAL "ad 'getRegistered' 91 ff 80");
    expect_raised_says("before all", "ValueError", "first");
    call_body("no int", INTERNAL "ad 'getRegistered' 91 a0 80");
    expect_raised_says("no int", "TypeError", "first");
}

TEST(the_daemon_resolves_names_and_answers_pings)
{
    char want[80];
    char body[120];

    start_internal();
    snprintf(want, sizeof want, "d9 20 '%s'", o_id);
    call_body("name", INTERNAL "ae 'ResolvePYROLOC' 91 a1 'o' 80");
    expect_result("name", want);
    snprintf(body, sizeof body,
             INTERNAL "ae 'ResolvePYROLOC' 91 d9 20 '%s' 80", o_id);
    call_body("id", body);
    expect_result("id", want);
    call_body("unknown", INTERNAL "ae 'ResolvePYROLOC' 91 a1 'x' 80");
    expect_raised("unknown", "NamingError");
    call_body("nothing", INTERNAL "ae 'ResolvePYROLOC' 90 80");
    expect_raised("nothing", "TypeError");
    call_body("ping", INTERNAL "a4 'ping' 90 80");
    expect_nil("ping");
    call_body("ping with", INTERNAL "a4 'ping' 91 01 80");
    expect_raised("ping with", "TypeError");
    call_body("no method", INTERNAL "a4 'pong' 90 80");
    expect_raised_says("no method", "AttributeError", "pong");
    call_body("attribute", INTERNAL "ab '__getattr__' 91 a1 'x' 80");
    expect_raised("attribute", "AttributeError");
}

TEST(the_daemon_describes_objects)
{
    start_internal();
    call_body("o", INTERNAL "a8 'describe' 91 a1 'o' 80");
    expect_result("o", "83 a5 'class' a4 'Full' a7 'methods' 92"
                       " 94 a2 'go' b0 'speed:d ?brake:b' a1 'i' c2"
                       " 94 a4 'tell' a1 's' a0 c3"
                       " a5 'attrs' 98 93 a1 'b' a1 'b' c2 93 a1 'i' a1 'i' c2"
                       " 93 a1 'u' a1 'u' c2 93 a1 'q' a1 'q' c2"
                       " 93 a1 'f' a1 'f' c2 93 a1 'd' a1 'd' c2"
                       " 93 a1 's' a1 's' c2 93 a1 'r' a1 'i' c3");
    call_body("unknown", INTERNAL "a8 'describe' 91 a1 'x' 80");
    expect_raised("unknown", "NamingError");
    call_body("no str", INTERNAL "a8 'describe' 91 05 80");
    expect_raised_says("no str", "TypeError", "object");
}

TEST(a_description_that_does_not_fit_is_a_memory_error)
{
    start_in(PYRO_ROOM_OF(tiny_room));
    call_body("short", INTERNAL "a8 'describe' 91 a1 'o' 80");
    assert_false(reply.raised);
    strcpy(obj.signature, "a:i b:i ?c:d");
    call_body("long", INTERNAL "a8 'describe' 91 a1 'o' 80");
    expect_raised("long", "MemoryError");
}

/* ------------------------------------------------------------------------
 * URIs of own objects.
 * ------------------------------------------------------------------------ */

static char uri[PYRO_URI_BYTES];

static void expect_uri(const char *row, pyro_link link, const char *want)
{
    pyro_err err = pyro_uri_of(&rig.a, link, "o", uri, sizeof uri);

    test_eq(row, err, PYRO_OK);
    test_same(row, uri, strlen(uri), want, strlen(want));
}

TEST(a_uri_has_the_address_of_the_listener)
{
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_uri_of(&rig.a, 0, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "10.0.0.7:7766"), 0);
    expect_uri("v4", 0, "PYRO://10.0.0.7:7766/o");
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "10.0.0.8:1"), 0);
    expect_uri("the first", 0, "PYRO://10.0.0.7:7766/o");
    close_a();
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "[fe80::1]:99"), 0);
    expect_uri("v6", 0, "PYRO://[fe80::1]:99/o");
    close_a();
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "unix:/run/x"), 0);
    expect_uri("unix", 0, "PYRO://[unix:/run/x]/o");
}

TEST(a_uri_of_everywhere_needs_a_link_or_a_host)
{
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "0.0.0.0:7766"), 0);
    assert_int_equal(pyro_uri_of(&rig.a, 0, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    assert_non_null(rig.a.why.text);
    rig.conf_a.host = "board.lab";
    expect_uri("host", 0, "PYRO://board.lab:7766/o");
    close_a();
    rig.conf_a.host = NULL;
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "[::]:7766"), 0);
    assert_int_equal(pyro_uri_of(&rig.a, 0, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    rig.conf_a.host = "fe80::7";
    expect_uri("host", 0, "PYRO://[fe80::7]:7766/o");
}

static void act_uri(pyro_call *call)
{
    assert_int_equal(pyro_uri_of(call->node, call->link, call->object, uri,
                                 sizeof uri),
                     PYRO_OK);
    pyro_put_str(&call->result, uri);
}

TEST(a_uri_for_a_link_has_the_address_the_peer_came_to)
{
    start();
    obj.act = act_uri;
    call("uri", "90", "80");
    expect_result("uri", "b3 'PYRO://board:7766/o'");
    rig.conf_a.host = "outside";
    call("host", "90", "80");
    expect_result("host", "b5 'PYRO://outside:7766/o'");
}

/* Its own address there is a number that nobody listens at. */
TEST(a_uri_for_a_link_we_made_has_the_listeners_address)
{
    pyro_proxy proxy;

    start();
    start_proxy(&proxy);
    assert_int_equal(pyro_invoke(&proxy, "m", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(pyro_uri_of(&rig.b, proxy.link_, "x", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    assert_int_equal(pyro_listen(&rig.b, &rig.port_b, "10.0.0.9:7001"), 0);
    assert_int_equal(pyro_uri_of(&rig.b, proxy.link_, "x", uri, sizeof uri),
                     PYRO_OK);
    assert_string_equal(uri, "PYRO://10.0.0.9:7001/x");
    pyro_proxy_close(&proxy);
}

static bool (*address_of_link)(const pyro_port *port, int32_t handle,
                               bool peer, char *to, size_t size);
static const char *own_address;

/* The rig's, but for the end of a link that it made: that is own_address. */
static bool address_of(const pyro_port *port, int32_t handle, bool peer,
                       char *to, size_t size)
{
    if (!address_of_link(port, handle, peer, to, size))
        return false;
    if (strncmp(to, "connector:", 10) != 0)
        return true;
    if (own_address == NULL || strlen(own_address) >= size)
        return false;
    strcpy(to, own_address);
    return true;
}

/* What B, listening at an address, tells A over a link it made, from
 * own_address; and that config.host comes before all that. */
static pyro_err uri_of_b(const char *listener)
{
    pyro_proxy proxy;
    pyro_err   err;

    start();
    start_proxy(&proxy);
    address_of_link = rig.port_b.address;
    rig.port_b.address = address_of;
    assert_int_equal(pyro_listen(&rig.b, &rig.port_b, listener), 0);
    assert_int_equal(pyro_invoke(&proxy, "m", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
    rig.conf_b.host = "outside";
    assert_int_equal(pyro_uri_of(&rig.b, proxy.link_, "x", uri, sizeof uri),
                     PYRO_OK);
    assert_string_equal(uri, "PYRO://outside:7001/x");
    rig.conf_b.host = NULL;
    err = pyro_uri_of(&rig.b, proxy.link_, "x", uri, sizeof uri);
    pyro_proxy_close(&proxy);
    return err;
}

/* With the first listener's number; the link's own is nobody's to call. */
TEST(a_uri_of_everywhere_has_the_address_we_made_the_link_from)
{
    static const struct {
        const char *listener, *own, *uri;
    } rows[] = {
        { "0.0.0.0:7001", "10.0.0.9:40001", "PYRO://10.0.0.9:7001/x" },
        { "0.0.0.0:7001", "127.0.0.1:40001", "PYRO://127.0.0.1:7001/x" },
        { "[::]:7001", "10.0.0.9:40001", "PYRO://10.0.0.9:7001/x" },
        { "[::]:7001", "[fe80::9]:40001", "PYRO://[fe80::9]:7001/x" },
        { "0.0.0.0:7001", "[fe80::9]:40001", NULL }, /* not listened at */
        { "[::]:7001", "unix:/run/x", NULL },
        { "[::]:7001", "a@b:1", NULL },
        { "[::]:7001", "", NULL },
        { "[::]:7001", NULL, NULL },
        { "10.0.0.8:7001", "10.0.0.9:40001", "PYRO://10.0.0.8:7001/x" },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        own_address = rows[i].own;
        test_eq(rows[i].listener, uri_of_b(rows[i].listener),
                rows[i].uri != NULL ? PYRO_OK : PYRO_ERR_DAEMON);
        if (rows[i].uri != NULL)
            assert_string_equal(uri, rows[i].uri);
        call_teardown(state);
        call_setup(state);
    }
}

/* A serial line has no address, and listening everywhere gives it none. */
TEST(a_uri_for_a_pipe_is_the_listeners_or_an_error)
{
    int32_t   ends[2];
    pyro_link link;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    loop_pair(&rig.net, ends);
    assert_int_equal(pyro_adopt(&rig.a, &rig.port_a, ends[0], &link), 0);
    assert_int_equal(pyro_uri_of(&rig.a, link, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "0.0.0.0:7766"), 0);
    assert_int_equal(pyro_uri_of(&rig.a, link, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    close_a();
    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "10.0.0.7:7766"), 0);
    loop_pair(&rig.net, ends);
    assert_int_equal(pyro_adopt(&rig.a, &rig.port_a, ends[0], &link), 0);
    expect_uri("pipe", link, "PYRO://10.0.0.7:7766/o");
}

TEST(a_uri_that_does_not_fit_or_cannot_be_is_an_error)
{
    char   small[24];
    size_t n;

    open_a_in(PYRO_ROOM_OF(rig_room_a));
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "10.0.0.7:7766"), 0);
    for (n = 0; n < 23; n++)
        test_eq("short", pyro_uri_of(&rig.a, 0, "o", small, n),
                PYRO_ERR_NOSPACE);
    assert_int_equal(pyro_uri_of(&rig.a, 0, "o", small, 23), PYRO_OK);
    assert_string_equal(small, "PYRO://10.0.0.7:7766/o");
    assert_int_equal(pyro_uri_of(&rig.a, 0, "", uri, sizeof uri),
                     PYRO_ERR_URI);
    assert_int_equal(pyro_uri_of(&rig.a, 0,
                                 "0123456789abcdefghijklmnopqrstuvwxyz.", uri,
                                 sizeof uri),
                     PYRO_ERR_URI);
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(an_exception_has_these_bytes),
    CALL_TEST(a_traceback_names_object_method_and_node),
    CALL_TEST(a_long_name_of_the_node_is_cut_in_the_traceback_only),
    CALL_TEST(the_first_exception_counts_whatever_else_the_handler_does),
    CALL_TEST(a_long_exception_loses_traceback_then_message_then_type),
    CALL_TEST(the_smallest_buffers_do_for_calls_and_exceptions),
    CALL_TEST(an_exception_that_is_no_utf8_arrives_all_the_same),
    CALL_TEST(a_reraised_exception_keeps_its_traceback_over_nodes),
    CALL_TEST(a_reraised_error_is_an_exception_of_its_name),
    CALL_TEST(a_malformed_result_becomes_a_type_error),
    CALL_TEST(a_result_too_long_for_the_buffer_is_a_memory_error),
    CALL_TEST(a_result_too_long_for_the_caller_is_a_memory_error),
    CALL_TEST(an_exception_too_long_for_the_caller_is_cut_to_fit),
    CALL_TEST(nothing_longer_than_announced_is_ever_sent),
    CALL_TEST(reading_what_is_not_there_is_a_type_error),
    CALL_TEST(a_oneway_call_gets_no_reply_whatever_happens),
    CALL_TEST(a_oneway_call_that_fails_is_counted),
    CALL_TEST(a_oneway_method_that_is_called_normally_answers_nil),
    CALL_TEST(an_object_answers_to_its_name_and_to_its_id),
    CALL_TEST(an_unknown_object_is_a_naming_error_that_names_it),
    CALL_TEST(an_unknown_method_is_an_attribute_error_that_names_it),
    CALL_TEST(an_id_never_reaches_the_successor_of_a_withdrawn_object),
    CALL_TEST(ids_do_not_come_round),
    CALL_TEST(names_of_objects_have_rules),
    CALL_TEST(a_full_table_is_an_error_until_an_object_is_withdrawn),
    CALL_TEST(serving_needs_two_buffers_or_three_where_calls_are_made),
    CALL_TEST(objects_are_found_and_walked),
    CALL_TEST(an_object_may_withdraw_itself_in_its_handler),
    CALL_TEST(names_longer_than_the_limit_are_refused),
    CALL_TEST(a_malformed_body_is_an_error_and_the_link_stays_up),
    CALL_TEST(malformed_keyword_arguments_never_reach_a_handler),
    CALL_TEST(damaged_bodies_get_one_reply_each),
    CALL_TEST(a_call_knows_its_link_object_and_method),
    CALL_TEST(a_reply_whose_caller_has_gone_is_counted),
    CALL_TEST(replies_are_gathered_while_calls_are_waiting),
    CALL_TEST(any_takes_what_is_in_no_table),
    CALL_TEST(any_gets_no_keyword_arguments_and_no_malformed_ones),
    CALL_TEST(an_exclusive_object_is_busy_while_its_handler_waits),
    CALL_TEST(an_object_that_is_not_exclusive_is_entered_again),
    CALL_TEST(a_successor_is_not_busy_with_its_predecessors_handler),
    CALL_TEST(attributes_of_every_type_can_be_got),
    CALL_TEST(attributes_take_what_fits_them_and_nothing_else),
    CALL_TEST(errors_of_attributes_have_types),
    CALL_TEST(hasattr_tells_attributes),
    CALL_TEST(attribute_calls_with_wrong_arguments_are_type_errors),
    CALL_TEST(oneway_attribute_calls_are_done_or_counted),
    CALL_TEST(a_proxy_gets_and_sets_attributes),
    CALL_TEST(a_proxy_shows_what_a_method_raised),
    CALL_TEST(a_proxy_takes_busy_for_an_error_of_its_own),
    CALL_TEST(the_daemon_lists_what_is_registered),
    CALL_TEST(the_daemon_resolves_names_and_answers_pings),
    CALL_TEST(the_daemon_describes_objects),
    CALL_TEST(a_description_that_does_not_fit_is_a_memory_error),
    CALL_TEST(a_uri_has_the_address_of_the_listener),
    CALL_TEST(a_uri_of_everywhere_needs_a_link_or_a_host),
    CALL_TEST(a_uri_for_a_link_has_the_address_the_peer_came_to),
    CALL_TEST(a_uri_for_a_link_we_made_has_the_listeners_address),
    CALL_TEST(a_uri_of_everywhere_has_the_address_we_made_the_link_from),
    CALL_TEST(a_uri_for_a_pipe_is_the_listeners_or_an_error),
    CALL_TEST(a_uri_that_does_not_fit_or_cannot_be_is_an_error)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
