/* call_rig.h - what the tests of serving share, on top of link_rig.h: an
 * object "o" whose one method "m" has the signature and does what the test
 * wants, a raw caller, and its last reply taken apart.
 *
 *     start();                          a serves "o"; the test has connected
 *     obj.signature = "a:i b:i";
 *     call("sum", "92 01 02", "80");    o.m(1, 2)
 *     expect_nil("sum");
 *     expect_raised("sum", "TypeError");
 *
 * After every test all buffers of a and b are free. */
#ifndef CALL_RIG_H
#define CALL_RIG_H

#define PYRO_EXCEPTION_BYTES 240 /* for a chain of nodes */
#include "link_rig.h"

static struct obj {
    char signature[128];
    void (*act)(pyro_call *call); /* what the method does, or NULL */
    int       ran;
    uint8_t   args[1024]; /* as the last call had them */
    size_t    n_args;
    char      object[PYRO_MAX_NAME + 1];
    char      method[PYRO_MAX_NAME + 1];
    pyro_link link;
    bool      oneway;
    bool      known; /* what `any` answers */
} obj;

static struct reply {
    uint8_t  frame[4096];
    uint32_t n; /* of the body */
    bool     raised;
    char     type[128];
    char     message[200];
    char     trace[256]; /* its lines, each with a '\n' */
    unsigned seq;
} reply;

static int32_t  caller; /* handle of the raw peer */
static unsigned always; /* flags of all frames it sends */
static unsigned last_seq;

static inline void record(pyro_call *call)
{
    obj.ran++;
    obj.n_args = (size_t)(call->args.end - call->args.at);
    assert_true(obj.n_args <= sizeof obj.args);
    if (obj.n_args > 0)
        memcpy(obj.args, call->args.at, obj.n_args);
    assert_true(strlen(call->object) <= PYRO_MAX_NAME);
    assert_true(strlen(call->method) <= PYRO_MAX_NAME);
    strcpy(obj.object, call->object);
    strcpy(obj.method, call->method);
    obj.link = call->link;
    obj.oneway = call->oneway;
}

static inline void obj_m(void *self, pyro_call *call)
{
    assert_ptr_equal(self, &obj);
    record(call);
    if (obj.act != NULL)
        obj.act(call);
}

/* The signature may change from call to call; for pyro it is const. */
static const pyro_method obj_methods[] = {
    { "m", obj_m, obj.signature, "v", 0 },
    { "tell", obj_m, obj.signature, "", PYRO_ONEWAY }
};
static const pyro_class obj_class = { "Obj", PYRO_METHODS(obj_methods),
                                      PYRO_NO_ATTRS, NULL, 0 };

static inline int call_setup(void **state)
{
    memset(&obj, 0, sizeof obj);
    memset(&reply, 0, sizeof reply);
    last_seq = always = 0;
    return rig_setup(state);
}

static inline void all_free(const pyro_daemon *node)
{
    check(node);
    assert_int_equal(node->n_[PYROI_SPARE], node->room_.n_buffers);
}

static inline int call_teardown(void **state)
{
    rig.net.on_wait = NULL;
    settle();
    if (rig.open_a)
        all_free(&rig.a);
    if (rig.open_b)
        all_free(&rig.b);
    return rig_teardown(state);
}

#define CALL_TEST(name) \
    cmocka_unit_test_setup_teardown(name, call_setup, call_teardown)

static inline void export_obj(pyro_daemon *node)
{
    assert_int_equal(pyro_export(node, &obj_class, &obj, "o"), PYRO_OK);
}

static inline void start_in(pyro_room room)
{
    open_a_in(room);
    listen_a();
    export_obj(&rig.a);
    caller = raw_client();
}

static inline void start(void)
{
    start_in(PYRO_ROOM_OF(rig_room_a));
}

/* ------------------------------------------------------------------------
 * Calls of the raw peer.
 * ------------------------------------------------------------------------ */

/* Sends the call of a body, without waiting for anything. */
static inline void send_body(unsigned flags, const char *hex)
{
    last_seq = (flags & F_ONEWAY) != 0 ? 0 : last_seq % 0xFFFF + 1;
    raw_send(caller, INVOKE, flags | always, last_seq, hex);
}

static inline void send_call(unsigned flags, const char *method,
                             const char *args, const char *kwargs)
{
    char hex[3000];

    snprintf(hex, sizeof hex, "94 a1 'o' %02x '%s' %s %s",
             0xA0 + (unsigned)strlen(method), method, args, kwargs);
    send_body(flags, hex);
}

/* Zero-terminated copy of the next str. */
static inline void copy_str(const char *row, pyro_reader *in, char *to,
                            size_t size)
{
    uint32_t    n;
    const char *text = pyro_get_str(in, &n);

    if (in->err != PYRO_OK || n >= size) {
        fail_msg("%s: not a str under %u bytes", row, (unsigned)size);
        return; /* never: the compiler does not know that */
    }
    memcpy(to, text, n);
    to[n] = '\0';
}

static inline void expect_key(const char *row, pyro_reader *in,
                              const char *key)
{
    char text[32];

    copy_str(row, in, text, sizeof text);
    assert_string_equal(text, key);
}

/* An exception is the map of four entries, or of three, in this order. */
static inline void parse_exception(const char *row, pyro_reader *in)
{
    uint32_t n = pyro_get_map(in, 4);
    uint32_t lines;

    test_eq(row, n == 3 || n == 4, true);
    expect_key(row, in, "__class__");
    copy_str(row, in, reply.type, sizeof reply.type);
    expect_key(row, in, "__exception__");
    test_eq(row, pyro_get_bool(in), true);
    expect_key(row, in, "args");
    test_eq(row, pyro_get_list(in, 1), 1);
    copy_str(row, in, reply.message, sizeof reply.message);
    reply.trace[0] = '\0';
    if (n == 3)
        return;
    expect_key(row, in, "attributes");
    test_eq(row, pyro_get_map(in, 1), 1);
    expect_key(row, in, "_pyroTraceback");
    for (lines = pyro_get_list(in, 8); lines > 0; lines--) {
        size_t at = strlen(reply.trace);

        copy_str(row, in, reply.trace + at, sizeof reply.trace - at - 2);
        strcat(reply.trace, "\n");
    }
}

/* Takes one reply to the last call, and nothing else. */
static inline void take_reply(const char *row)
{
    pyro_reader in;

    raw_expect_type(row, caller, RESULT);
    memcpy(reply.frame, rig.got, rig.got_n);
    reply.n = pyroi_load16(reply.frame + 6);
    reply.seq = pyroi_load16(reply.frame + 4);
    test_eq(row, reply.seq, last_seq);
    test_eq(row, reply.frame[3] & ~F_CHECKSUM & ~F_EXCEPTION, 0);
    reply.raised = (reply.frame[3] & F_EXCEPTION) != 0;
    in = pyro_reader_of(reply.frame + 8, reply.n);
    if (reply.raised)
        parse_exception(row, &in);
    else
        pyro_skip(&in);
    test_eq(row, in.err, PYRO_OK);
    test_eq(row, in.end - in.at, 0);
}

static inline void call_body(const char *row, const char *hex)
{
    send_body(0, hex);
    take_reply(row);
}

/* o.m with args and kwargs in hex. */
static inline void call(const char *row, const char *args, const char *kwargs)
{
    send_call(0, "m", args, kwargs);
    take_reply(row);
}

#define expect_result(row, hex) expect_result_(row, hex, __FILE__, __LINE__)

static inline void expect_result_(const char *row, const char *hex,
                                  const char *file, int line)
{
    if (reply.raised) {
        print_error("%s: raised %s: %s\n", row, reply.type, reply.message);
        _fail(file, line);
    }
    test_same_hex_(row, reply.frame + 8, reply.n, hex, file, line);
}

#define expect_nil(row) expect_result(row, "c0")

#define expect_raised(row, type) \
    expect_raised_(row, type, NULL, __FILE__, __LINE__)

/* ... with a message that contains a text. */
#define expect_raised_says(row, type, text) \
    expect_raised_(row, type, text, __FILE__, __LINE__)

static inline void expect_raised_(const char *row, const char *type,
                                  const char *text, const char *file, int line)
{
    if (reply.raised && strcmp(reply.type, type) == 0
        && (text == NULL || strstr(reply.message, text) != NULL))
        return;
    print_error("%s: %s %s: \"%s\", should be %s: \"%s\"\n", row,
                reply.raised ? "raised" : "a result", reply.type,
                reply.message, type, text != NULL ? text : "...");
    _fail(file, line);
}

/* How often the method ran since it was asked last. */
static inline int runs(void)
{
    int n = obj.ran;

    obj.ran = 0;
    return n;
}

#endif /* CALL_RIG_H */
