/* Pyro5 and Pyro4 on the wire: what their Python implementations send, byte
 * by byte, and what they have to get; bad input; small pools. */
#include "link_rig.h"

enum { SERPENT = 1, MARSHAL, JSON, MSGPACK };
enum {
    F_COMPRESSED = 2,
    F_BATCH = 8,
    F_STREAM = 16,
    F_KEEP = 32,
    F_CORR = 64
};

/* ------------------------------------------------------------------------
 * The peer: as Python, a header and what follows.
 * ------------------------------------------------------------------------ */

/* Which of the two a test speaks: the same bodies go with either. */
static unsigned dialect = 5;

static uint32_t head_bytes(void)
{
    return dialect == 5 ? 40 : 24;
}

static unsigned number_of(unsigned ser)
{
    static const uint8_t four[] = { 0, 1, 3, 2, 6 };

    return dialect == 5 || ser > MSGPACK ? ser : four[ser];
}

/* A header and a body. Returns their length. */
static uint32_t frame5(uint8_t *to, unsigned type, unsigned ser,
                       unsigned flags, unsigned seq, const void *body,
                       uint32_t n)
{
    memset(to, 0, 40);
    memcpy(to, "PYRO", 4);
    ser = number_of(ser);
    pyroi_store16(to + 8, flags);
    pyroi_store16(to + 10, seq);
    pyroi_store32(to + 12, n);
    if (dialect == 5) {
        pyroi_store16(to + 4, 502);
        to[6] = (uint8_t)type;
        to[7] = (uint8_t)ser;
        memcpy(to + 20, "correlation id 0", 16);
        pyroi_store16(to + 36, 0x1234); /* reserved: ignored */
        pyroi_store16(to + 38, 0x4DC5);
    } else {
        pyroi_store16(to + 4, 48);
        pyroi_store16(to + 6, type);
        pyroi_store16(to + 16, ser);
        pyroi_store16(to + 22, 0x34E9 + 48 + type + n + ser + flags + seq);
    }
    if (n > 0)
        memcpy(to + head_bytes(), body, n);
    return head_bytes() + n;
}

static void send5(int32_t raw, unsigned type, unsigned ser, unsigned flags,
                  unsigned seq, const char *hex)
{
    uint8_t  body[2048];
    uint8_t  frame[2100];
    uint32_t n = (uint32_t)test_hex(body, sizeof body, hex);

    raw_feed(raw, frame, frame5(frame, type, ser, flags, seq, body, n));
}

/* One frame has come: of this type, flags, number, serializer and body. */
#define expect5(row, raw, type, ser, flags, seq, hex) \
    expect5_(row, raw, type, ser, flags, seq, hex, __FILE__, __LINE__)

static void expect5_(const char *row, int32_t raw, unsigned type, unsigned ser,
                     unsigned flags, unsigned seq, const char *hex,
                     const char *file, int line)
{
    static uint8_t body[4096];
    static uint8_t want[4200];
    uint32_t       n = (uint32_t)test_hex(body, sizeof body, hex);

    settle();
    raw_take(raw);
    n = frame5(want, type, ser, flags, seq, body, n);
    if (dialect == 5)
        memset(want + 20, 0, 18); /* no id, nothing reserved */
    test_same_(row, rig.got, rig.got_n, want, n, file, line);
}

/* One frame of a type has come. */
static const uint8_t *expect_type5(const char *row, int32_t raw, unsigned type)
{
    settle();
    raw_take(raw);
    if (rig.got_n < head_bytes() || memcmp(rig.got, "PYRO", 4) != 0)
        fail_msg("%s: %u bytes, where type %u should be", row, rig.got_n,
                 type);
    test_eq(row, dialect == 5 ? rig.got[6] : rig.got[7], type);
    test_eq(row, rig.got_n, head_bytes() + pyroi_load32(rig.got + 12));
    return rig.got + head_bytes();
}

#define HELLO "82 a9 'handshake' a5 'hello' a6 'object' a4 'calc'"
#define META4 16 /* Pyro4: metadata is wanted */

/* What the rig's object is, and what its proxy in Python is told. */
#define CALC_META                                                      \
    "82 a9 'handshake' a5 'hello' a4 'meta' 83"                        \
    "a7 'methods' 96 a3 'add' a4 'note' a3 'big' a4 'size' a5 'later'" \
    "a4 'hook' a6 'oneway' 91 a4 'note' a5 'attrs' 90"

static void hello5(int32_t raw)
{
    send5(raw, CONNECT, MSGPACK, dialect == 4 ? META4 : 0, 0, HELLO);
    expect5("greeting", raw, CONNECTOK, MSGPACK, dialect == 4 ? META4 : 0, 0,
            CALC_META);
}

static int32_t client5(void)
{
    int32_t raw = raw_connect();

    hello5(raw);
    return raw;
}

static void works5(const char *row, int32_t raw)
{
    send5(raw, INVOKE, MSGPACK, 0, 0x1234, CALC_ADD_2_3);
    expect5(row, raw, RESULT, MSGPACK, 0, 0x1234, "05");
}

/* The link has been refused with these words, in JSON, and is closed. */
static void refused5(const char *row, int32_t raw, const char *words)
{
    char        text[200];
    const char *body;

    (void)expect_type5(row, raw, CONNECTFAIL);
    body = (const char *)rig.got + head_bytes();
    snprintf(text, sizeof text, "\"%s\"", words);
    test_same(row, body, rig.got_n - head_bytes(), text, strlen(text));
    test_eq(row, dialect == 5 ? rig.got[7] : rig.got[17], number_of(JSON));
    assert_true(raw_closed(raw));
}

/* ------------------------------------------------------------------------
 * As Python sends it
 * ------------------------------------------------------------------------ */

TEST(a_proxy_of_python_is_greeted_with_the_metadata_of_its_object)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    raw_feed(raw, /* as captured */
             "PYRO\x01\xf6\x01\x04\0\0\0\0\0\0\0\x1d\0\0\0\0"
             "0123456789abcdef\0\0\x4d\xc5"
             "\x82\xa9handshake\xa5hello\xa6object\xa4"
             "calc",
             40 + 29);
    expect5("answer", raw, CONNECTOK, MSGPACK, 0, 0, CALC_META);
    test_eq("open", link_of(&rig.a)->state, PYROI_OPEN);
}


/* ------------------------------------------------------------------------
 * An object with all that there is
 * ------------------------------------------------------------------------ */

struct gadget {
    int32_t value;
    char    label[8];
    int32_t ran;
};
static struct gadget gadget;

static void gadget_mul(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    ((struct gadget *)self)->ran++;
    pyro_put_int(&call->result, a * pyro_get_i32(&call->args));
}

static void gadget_fail(void *self, pyro_call *call)
{
    ((struct gadget *)self)->ran++;
    pyro_raise(call, "ZeroDivisionError", "division by zero");
}

/* Raises what it is told, else what only this device knows. */
static void gadget_stick(void *self, pyro_call *call)
{
    char        type[32] = "ValveStuck";
    uint32_t    n;
    const char *name;

    ((struct gadget *)self)->ran++;
    if (pyro_more(&call->args)) {
        name = pyro_get_str(&call->args, &n);
        memcpy(type, name, n);
        type[n] = 0;
    }
    pyro_raise(call, type, "at 30");
}

static void gadget_note(void *self, pyro_call *call)
{
    ((struct gadget *)self)->ran += pyro_get_i32(&call->args);
}

static void gadget_where(void *self, pyro_call *call)
{
    pyro_uri uri;

    (void)self;
    pyro_get_uri(&call->args, &uri);
    pyro_put_uri(&call->result, &uri);
}

static void gadget_here(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_here(&call->result, "gadget");
}

static const pyro_method gadget_methods[] = {
    { "mul", gadget_mul, "a:i b:i", "i", 0 },
    { "fail", gadget_fail, "", "", 0 },
    { "stick", gadget_stick, "?type:s", "", 0 },
    { "note", gadget_note, "i", "", PYRO_ONEWAY },
    { "where", gadget_where, "uri:U", "U", 0 },
    { "here", gadget_here, "", "U", 0 }
};
static const pyro_attr gadget_attrs[] = {
    PYRO_ATTR_I32(struct gadget, value, 0),
    PYRO_ATTR_STR(struct gadget, label, PYRO_READONLY)
};
static const pyro_class gadget_class = { "Gadget",
                                         PYRO_METHODS(gadget_methods),
                                         PYRO_ATTRS(gadget_attrs), NULL, 0 };

/* With the rig's daemon open: it serves the gadget as well. */
static void serve_gadget(void)
{
    memset(&gadget, 0, sizeof gadget);
    gadget.value = 99;
    strcpy(gadget.label, "g1");
    assert_int_equal(pyro_export(&rig.a, &gadget_class, &gadget, "gadget"),
                     PYRO_OK);
}

static int32_t gadget_client(void)
{
    open_a();
    serve_gadget();
    return client5();
}

/* ------------------------------------------------------------------------
 * Calls
 * ------------------------------------------------------------------------ */

#define EXCEPTION(n, name) "84" NAMED(n, name)
#define BARE(n, name)      "83" NAMED(n, name) /* without a traceback */
#define NAMED(n, name) \
    "a9 '__class__' " n " '" name "' ad '__exception__' c3 a4 'args' 91"
#define TRACE(n, line) \
    "aa 'attributes' 81 ae '_pyroTraceback' 91 " n " '" line "'"

/* Messages. */
#define READ_ONLY  "b9 'read-only attribute label'"
#define BATCH_FULL "d9 31 'batch: results fill the buffer after 2 calls of 4'"
#define TOO_LONG   "d9 2a 'message too long: 499 bytes, accepted: 498'"
#define TWO_LINES \
    "aa 'attributes' 81 ae '_pyroTraceback' 92 a3 'l1' 0a a3 'l2' 0a"

TEST(calls_have_positional_and_keyword_arguments)
{
    int32_t raw = gadget_client();

    works5("positional", raw);
    send5(raw, INVOKE, MSGPACK, 0, 7, "94 a4 'calc' a3 'add' 92 02 03 c0");
    expect5("nil for keywords", raw, RESULT, MSGPACK, 0, 7, "05");
    send5(raw, INVOKE, MSGPACK, 0, 8,
          "94 a6 'gadget' a3 'mul' 90 82 a1 'b' 05 a1 'a' ce 00 01 11 70");
    expect5("keywords", raw, RESULT, MSGPACK, 0, 8, "ce 00 05 57 30");
    send5(raw, INVOKE, MSGPACK, dialect == 5 ? F_CORR | 0xFF80 : 0, 9,
          "94 a6 'gadget' a3 'mul' 91 02 81 a1 'b' 05");
    expect5("both, and flags unknown", raw, RESULT, MSGPACK, 0, 9, "0a");
}

/* Has an exception raised by this name, and says whether it stays so. */
static bool is_known(int32_t raw, const char *name)
{
    char hex[128];

    snprintf(hex, sizeof hex, "94 a6 'gadget' a5 'stick' 91 d9 %02x '%s' 80",
             (unsigned)strlen(name), name);
    send5(raw, INVOKE, MSGPACK, 0, 1, hex);
    (void)expect_type5(name, raw, RESULT);
    assert_true(raw_says(name));
    return !raw_says("PyroError") || strcmp(name, "PyroError") == 0;
}

TEST(the_names_of_exceptions_are_those_of_python)
{
    static const char *const known[] = { "ArithmeticError",
                                         "AssertionError",
                                         "AttributeError",
                                         "BlockingIOError",
                                         "BrokenPipeError",
                                         "BufferError",
                                         "CommunicationError",
                                         "ConnectionAbortedError",
                                         "ConnectionClosedError",
                                         "ConnectionError",
                                         "ConnectionRefusedError",
                                         "ConnectionResetError",
                                         "DaemonError",
                                         "EOFError",
                                         "Exception",
                                         "FileExistsError",
                                         "FileNotFoundError",
                                         "FloatingPointError",
                                         "IOError",
                                         "ImportError",
                                         "IndexError",
                                         "InterruptedError",
                                         "IsADirectoryError",
                                         "KeyError",
                                         "KeyboardInterrupt",
                                         "LookupError",
                                         "MemoryError",
                                         "MessageTooLargeError",
                                         "NameError",
                                         "NamingError",
                                         "NotADirectoryError",
                                         "NotImplementedError",
                                         "OSError",
                                         "OverflowError",
                                         "PermissionError",
                                         "ProtocolError",
                                         "PyroError",
                                         "ReferenceError",
                                         "RuntimeError",
                                         "SecurityError",
                                         "SerializeError",
                                         "StopIteration",
                                         "SystemError",
                                         "SystemExit",
                                         "TimeoutError",
                                         "TypeError",
                                         "UnicodeError",
                                         "ValueError",
                                         "ZeroDivisionError" };
    static const char *const unknown[] = { "",           "E",
                                           "Error",      "error",
                                           "ValueErro",  "ValueErrorr",
                                           "valueError", "ValveError" };
    int32_t                  raw = gadget_client();
    size_t                   i;

    for (i = 0; i < PYRO_COUNT(known); i++)
        test_eq(known[i], is_known(raw, known[i]), true);
    for (i = 0; i < PYRO_COUNT(unknown); i++)
        test_eq(unknown[i], is_known(raw, unknown[i]), false);
}

TEST(exceptions_are_what_python_knows)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, 0, 1, "94 a6 'gadget' a4 'fail' 90 80");
    expect5("known", raw, RESULT, MSGPACK, F_EXCEPTION, 1,
            EXCEPTION("b1", "ZeroDivisionError") "b0 'division by zero'" TRACE(
                "b3", "gadget.fail on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 2, "94 a6 'gadget' a5 'stick' 90 80");
    expect5("not known", raw, RESULT, MSGPACK, F_EXCEPTION, 2,
            EXCEPTION("a9", "PyroError") "b1 'ValveStuck: at 30'" TRACE(
                "b4", "gadget.stick on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 3, "94 a4 'calc' a3 'add' 91 01 80");
    expect5("ours", raw, RESULT, MSGPACK, F_EXCEPTION, 3,
            EXCEPTION("a9",
                      "TypeError") "bf"
                                   "'arguments given: 1, expected: 2'" TRACE(
                                       "b0", "calc.add on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 4, "94 a2 'no' a3 'add' 91 01 80");
    expect5(
        "no object", raw, RESULT, MSGPACK, F_EXCEPTION, 4,
        EXCEPTION("ab",
                  "NamingError") "d9 20"
                                 "'no object found by this name: no'" TRACE(
                                     "ae", "no.add on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 5, "94 a4 'calc' a2 'no' 90 80");
    expect5("no method", raw, RESULT, MSGPACK, F_EXCEPTION, 5,
            EXCEPTION("ae", "AttributeError") "b2 'no such method: no'" TRACE(
                "af", "calc.no on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 6, "94 a4 'calc' a3 'add' 91 01");
    expect5("a body that is none", raw, RESULT, MSGPACK, F_EXCEPTION, 6,
            EXCEPTION("ad",
                      "ProtocolError") "bb"
                                       "'invalid request data format'" TRACE(
                                           "b0", "calc.add on pyro"));
    works5("all the same", raw);
}

TEST(a_oneway_call_is_not_answered)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, F_ONEWAY, 3,
          "94 a6 'gadget' a4 'note' 91 07 80");
    raw_expect("oneway", raw, "");
    test_eq("ran", gadget.ran, 7);
    send5(raw, INVOKE, MSGPACK, 0, 4, "94 a6 'gadget' a4 'note' 91 01 80");
    expect5("the long way", raw, RESULT, MSGPACK, 0, 4, "c0");
    send5(raw, INVOKE, MSGPACK, F_ONEWAY, 5, "94 a6 'gadget' a4 'fail' 90 80");
    raw_expect("fails", raw, "");
    test_eq("lost", rig.a.stats.lost_oneway, 1);
    works5("all the same", raw);
}

TEST(attributes_are_got_and_set)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, 0, 1,
          "94 a6 'gadget' ab '__getattr__' 91 a5 'value' c0");
    expect5("get", raw, RESULT, MSGPACK, 0, 1, "63");
    send5(raw, INVOKE, MSGPACK, 0, 2,
          "94 a6 'gadget' ab '__setattr__' 92 a5 'value' 07 c0");
    expect5("set", raw, RESULT, MSGPACK, 0, 2, "c0");
    test_eq("value", gadget.value, 7);
    send5(raw, INVOKE, MSGPACK, 0, 3,
          "94 a6 'gadget' ab '__setattr__' 92 a5 'label' a1 'x' c0");
    expect5("read-only", raw, RESULT, MSGPACK, F_EXCEPTION, 3,
            EXCEPTION("ae", "AttributeError")
                READ_ONLY TRACE("ba", "gadget.__setattr__ on pyro"));
}

/* ------------------------------------------------------------------------
 * Batches
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NO_BATCH

TEST(a_batch_is_refused_in_words)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, F_BATCH, 1,
          "94 a6 'gadget' a7 '<batch>' 91 93 a3 'mul' 92 01 02 80");
    (void)expect_type5("batch", raw, RESULT);
    assert_true(raw_says("ProtocolError"));
    assert_true(raw_says("batches are not accepted"));
    test_eq("ran", gadget.ran, 0);
    works5("the next", raw);
}

#else

TEST(a_batch_gives_the_list_of_its_results)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, F_BATCH, 1,
          "94 a6 'gadget' a7 '<batch>' 93 93 a3 'mul' 92 01 02 80"
          "93 a4 'note' 91 05 80"
          "93 a3 'mul' 90 82 a1 'a' 03 a1 'b' 04 c0");
    expect5("three", raw, RESULT, MSGPACK, F_BATCH, 1, "dc 00 03 02 c0 0c");
    test_eq("ran", gadget.ran, 7);
    send5(raw, INVOKE, MSGPACK, F_BATCH, 2,
          "94 a6 'gadget' a7 '<batch>' 90 c0");
    expect5("none", raw, RESULT, MSGPACK, F_BATCH, 2, "dc 00 00");
    works5("after", raw);
}

#define WRAP5 \
    "82 a9 '__class__' bc 'Pyro5.core._ExceptionWrapper' a9 'exception'"
#define WRAP4 \
    "82 a9 '__class__' bf 'Pyro4.futures._ExceptionWrapper' a9 'exception'"

TEST(a_batch_ends_with_the_first_exception)
{
    int32_t raw = gadget_client();
    char    want[500];

    send5(raw, INVOKE, MSGPACK, F_BATCH, 1,
          "94 a6 'gadget' a7 '<batch>' 93 93 a3 'mul' 92 01 02 80"
          "93 a4 'fail' 90 80 93 a3 'mul' 92 03 04 80");
    snprintf(
        want, sizeof want, "dc 00 02 02 %s %s", dialect == 5 ? WRAP5 : WRAP4,
        EXCEPTION("b1", "ZeroDivisionError") "b0 'division by zero'" TRACE(
            "b3", "gadget.fail on pyro"));
    expect5("second fails", raw, RESULT, MSGPACK, F_BATCH, 1, want);
    test_eq("ran", gadget.ran, 2);
    send5(raw, INVOKE, MSGPACK, F_BATCH | F_ONEWAY, 2,
          "94 a6 'gadget' a7 '<batch>' 93 93 a3 'mul' 92 01 02 80"
          "93 a4 'fail' 90 80 93 a3 'mul' 92 03 04 80");
    raw_expect("oneway", raw, "");
    test_eq("ran", gadget.ran, 4);
    send5(raw, INVOKE, MSGPACK, F_BATCH, 3,
          "94 a6 'gadget' a7 '<batch>' 92 93 a3 'mul' 92 01 02 80"
          "92 a4 'fail' 90");
    snprintf(want, sizeof want, "dc 00 02 02 %s %s",
             dialect == 5 ? WRAP5 : WRAP4,
             EXCEPTION("ad",
                       "ProtocolError") "bb"
                                        "'invalid request data format'" TRACE(
                                            "b2", "gadget.mul on pyro"));
    expect5("no call", raw, RESULT, MSGPACK, F_BATCH, 3, want);
    works5("after", raw);
}

TEST(a_batch_whose_results_do_not_fit_says_how_many_calls_ran)
{
    int32_t raw;

    open_a();
    raw = client5();
    send5(raw, INVOKE, MSGPACK, F_BATCH, 1,
          "94 a4 'calc' a7 '<batch>' 94 93 a3 'big' 91 cc c8 80"
          "93 a3 'big' 91 cc c8 80 93 a3 'add' 92 01 02 80"
          "93 a3 'add' 92 01 02 80");
    expect5("two", raw, RESULT, MSGPACK, F_BATCH | F_EXCEPTION, 1,
            EXCEPTION("ab", "MemoryError")
                BATCH_FULL TRACE("b0", "calc.big on pyro"));
}

TEST(nothing_is_deferred_in_a_batch)
{
    int32_t raw;

    open_a();
    raw = client5();
    send5(raw, INVOKE, MSGPACK, F_BATCH, 1,
          "94 a4 'calc' a7 '<batch>' 91 93 a5 'later' 90 80");
    (void)expect_type5("answer", raw, RESULT);
    assert_true(raw_says("RuntimeError"));
    send5(raw, INVOKE, MSGPACK, 0, 2, "94 a4 'calc' a5 'later' 90 80");
    raw_expect("deferred", raw, "");
    pyro_put_int(pyro_finish(&rig.calc.later), 5);
    assert_int_equal(pyro_reply(&rig.calc.later), PYRO_OK);
    expect5("later", raw, RESULT, MSGPACK, 0, 2, "05");
}

#endif /* PYRO_NO_BATCH */

/* ------------------------------------------------------------------------
 * The object Pyro.Daemon
 * ------------------------------------------------------------------------ */

TEST(the_daemon_tells_of_itself)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, 0, 1,
          "94 ab 'Pyro.Daemon' ac 'get_metadata' 91 a6 'gadget' 80");
    expect5("metadata", raw, RESULT, MSGPACK, 0, 1,
            "83 a7 'methods' 96 a3 'mul' a4 'fail' a5 'stick' a4 'note'"
            "a5 'where' a4 'here' a6 'oneway' 91 a4 'note'"
            "a5 'attrs' 92 a5 'value' a5 'label'");
    send5(raw, INVOKE, MSGPACK, 0, 2,
          "94 ab 'Pyro.Daemon' ac 'get_metadata' 91 a2 'no' 80");
    expect5("of none", raw, RESULT, MSGPACK, F_EXCEPTION, 2,
            EXCEPTION("ab", "DaemonError") "ae 'unknown object'" TRACE(
                "d9 20", "Pyro.Daemon.get_metadata on pyro"));
    send5(raw, INVOKE, MSGPACK, 0, 3, "94 ab 'Pyro.Daemon' a4 'ping' 90 80");
    expect5("ping", raw, RESULT, MSGPACK, 0, 3, "c0");
    send5(raw, INVOKE, MSGPACK, 0, 4,
          "94 ab 'Pyro.Daemon' aa 'registered' 90 80");
    expect5("registered", raw, RESULT, MSGPACK, 0, 4,
            "93 ab 'Pyro.Daemon' a4 'calc' a6 'gadget'");
    send5(raw, INVOKE, MSGPACK, 0, 5, "94 ab 'Pyro.Daemon' a4 'info' 90 80");
    (void)expect_type5("info", raw, RESULT);
    assert_true(raw_says("Pyro for C, version " PYRO_VERSION));
    send5(raw, INVOKE, MSGPACK, 0, 6,
          "94 ab 'Pyro.Daemon' b4 'get_next_stream_item' 91 a1 'x' 80");
    (void)expect_type5("streams", raw, RESULT);
    assert_true(raw_says("AttributeError"));
}

TEST(pings_are_answered)
{
    int32_t raw;

    open_a();
    raw = client5();
    send5(raw, PING, 42, 0, 0, "'ping'");
    expect5("pong", raw, PING, 42, 0, 0, "'pong'");
    pass(3 * 20000);
    test_eq("silence is no matter", link_of(&rig.a)->state, PYROI_OPEN);
    raw_expect("nor do we ask", raw, "");
    works5("all the same", raw);
}

/* ------------------------------------------------------------------------
 * What is not accepted
 * ------------------------------------------------------------------------ */

TEST(a_bad_greeting_is_refused_in_words)
{
    static const struct {
        const char *row;
        unsigned    type;
        unsigned    ser;
        const char *body;
        const char *words;
    } rows[] = {
        { "a call first", INVOKE, MSGPACK, CALC_ADD_2_3,
          "invalid msg type (expected: CONNECT)" },
        { "ping first", PING, MSGPACK, "'ping'",
          "invalid msg type (expected: CONNECT)" },
        { "serpent", CONNECT, SERPENT, "'x'",
          "serializer not built in here: set config.SERIALIZER = 'msgpack' "
          "or PYRO_SERIALIZER=msgpack" },
        { "unknown serializer", CONNECT, 99, "'x'",
          "serializer not built in here: set config.SERIALIZER = 'msgpack' "
          "or PYRO_SERIALIZER=msgpack" },
        { "no map", CONNECT, MSGPACK, "05",
          "CONNECT without 'handshake' or 'object'" },
        { "no value", CONNECT, MSGPACK, "c1",
          "CONNECT without 'handshake' or 'object'" },
        { "empty", CONNECT, MSGPACK, "",
          "CONNECT without 'handshake' or 'object'" },
        { "too many keys", CONNECT, MSGPACK, "df ff ff ff ff",
          "CONNECT without 'handshake' or 'object'" },
        { "no handshake", CONNECT, MSGPACK, "81 a6 'object' a4 'calc'",
          "CONNECT without 'handshake' or 'object'" },
        { "something behind", CONNECT, MSGPACK, HELLO "01",
          "CONNECT without 'handshake' or 'object'" },
        { "no such object", CONNECT, MSGPACK,
          "82 a9 'handshake' c0 a6 'object' a2 'no'", "unknown object" }
    };
    size_t i;

    open_a();
    for (i = 0; i < PYRO_COUNT(rows); i++) {
        int32_t raw = raw_connect();

        send5(raw, rows[i].type, rows[i].ser, dialect == 4 ? META4 : 0, 0,
              rows[i].body);
        refused5(rows[i].row, raw, rows[i].words);
    }
    test_eq("denied", rig.a.stats.denied, PYRO_COUNT(rows));
    works5("the next", client5());
}

TEST(a_handshake_may_be_any_value)
{
    int32_t raw;

    open_a();
    raw = raw_connect();
    send5(raw, CONNECT, MSGPACK, dialect == 4 ? META4 : 0, 0,
          "83 a1 'x' 91 c0 a6 'object' ab 'Pyro.Daemon' a9 'handshake'"
          "81 a1 'p' 93 01 02 c4 02 'xx'");
    (void)expect_type5("answer", raw, CONNECTOK);
    assert_true(raw_says("get_metadata"));
}

TEST(other_versions_and_broken_headers_are_not_accepted)
{
    uint8_t  frame[200];
    uint8_t  body[64];
    uint32_t n = (uint32_t)test_hex(body, sizeof body, HELLO);
    int32_t  raw;

    open_a();
    raw = raw_connect();
    n = frame5(frame, CONNECT, MSGPACK, 0, 0, body, n);
    frame[5]++;
    raw_feed(raw, frame, n);
    dialect = 5; /* in which another version is told so */
    refused5("version", raw, "unsupported protocol version");
    frame[5]--;
    dialect = frame[5] == 48 ? 4 : 5;
    frame[head_bytes() - 1]++;
    raw = raw_connect();
    raw_feed(raw, frame, n);
    assert_true(raw_closed(raw));
    test_eq("bad", rig.a.stats.bad, 1);
    works5("the next", client5());
}

TEST(once_greeted_what_is_no_call_ends_the_link)
{
    static const unsigned types[] = { 0,      CONNECT, CONNECTOK, CONNECTFAIL,
                                      RESULT, 7,       15,        99 };
    size_t                i;

    open_a();
    for (i = 0; i < PYRO_COUNT(types); i++) {
        int32_t raw = client5();

        send5(raw, types[i], MSGPACK, 0, 1, HELLO);
        assert_true(raw_closed(raw));
        test_eq("bad", rig.a.stats.bad, i + 1);
    }
    works5("the next", client5());
}

TEST(what_cannot_be_read_is_an_exception_with_a_name)
{
    int32_t raw;

    open_a();
    raw = client5();
    send5(raw, INVOKE, MSGPACK, F_COMPRESSED, 1, "78 9c 01 02 03");
    (void)expect_type5("compressed", raw, RESULT);
    assert_true(raw_says("ProtocolError"));
    assert_true(raw_says("compressed, a blob, "));
    send5(raw, INVOKE, MSGPACK, dialect == 5 ? F_KEEP : 64, 2, CALC_ADD_2_3);
    (void)expect_type5("blob", raw, RESULT);
    assert_true(raw_says("compressed, a blob, "));
    send5(raw, INVOKE, SERPENT, 0, 3, "'(1,2)'");
    (void)expect_type5("serializer", raw, RESULT);
    assert_true(raw_says("serializer built in here"));
    test_eq("ran", rig.calc.ran, 0);
    works5("all the same", raw);
}

TEST(a_message_too_long_is_an_exception_with_both_sizes)
{
    static uint8_t frame[3000];
    static uint8_t body[2000];
    int32_t        raw;

    open_a();
    raw = client5();
    raw_feed(raw, frame,
             frame5(frame, INVOKE, MSGPACK, 0, 3, body, RIG_MAX + 1));
    expect5("over", raw, RESULT, MSGPACK, F_EXCEPTION, 3,
            BARE("ad", "ProtocolError") TOO_LONG);
    raw_feed(raw, frame,
             frame5(frame, INVOKE, MSGPACK, F_ONEWAY, 3, body, RIG_MAX + 1));
    raw_expect("oneway", raw, "");
    test_eq("lost", rig.a.stats.lost_oneway, 1);
    works5("all the same", raw);
    raw = raw_connect();
    raw_feed(raw, frame,
             frame5(frame, CONNECT, MSGPACK, 0, 3, body, RIG_MAX + 1));
    refused5("greeting", raw, "CONNECT is too long");
}

TEST(annotations_are_passed_over)
{
    static uint8_t frame[40000];
    uint8_t        body[64];
    uint32_t       n = (uint32_t)test_hex(body, sizeof body, CALC_ADD_2_3);
    uint32_t       sizes[] = { 1, 8, 31, 32, 33, 2048, 2049, 30000 };
    size_t         i;
    int32_t        raw;

    open_a();
    raw = client5();
    for (i = 0; i < PYRO_COUNT(sizes); i++) {
        uint32_t at = frame5(frame, INVOKE, MSGPACK, 0, 5, NULL, 0);

        memset(frame + at, 'a', sizes[i]);
        memcpy(frame + at + sizes[i], body, n);
        pyroi_store32(frame + 12, n);
        if (dialect == 5) {
            pyroi_store32(frame + 16, sizes[i]);
        } else {
            pyroi_store16(frame + 18, sizes[i]);
            pyroi_store16(frame + 22, pyroi_load16(frame + 22) + sizes[i] + n);
        }
        at += sizes[i] + n;
        while (at > 0) {
            uint32_t piece = at < 3000 ? at : 3000;

            raw_feed(raw, frame + (sizes[i] + head_bytes() + n - at), piece);
            at -= piece;
            settle();
        }
        expect5("answer", raw, RESULT, MSGPACK, 0, 5, "05");
    }
}

TEST(every_cut_leaves_nothing_half_done)
{
    uint8_t  frames[300];
    uint8_t  body[100];
    uint32_t whole;
    uint32_t n;
    uint32_t cut;

    open_a();
    whole = frame5(frames, CONNECT, MSGPACK, dialect == 4 ? META4 : 0, 0, body,
                   (uint32_t)test_hex(body, sizeof body, HELLO));
    n = whole;
    n += frame5(frames + n, INVOKE, MSGPACK, 0, 9, body,
                (uint32_t)test_hex(body, sizeof body, CALC_ADD_2_3));
    for (cut = 0; cut <= n; cut++) {
        int32_t raw = raw_connect();

        rig.calc.ran = 0;
        raw_feed(raw, frames, cut);
        settle();
        test_eq("ran", rig.calc.ran, cut == n);
        if (cut % 2 == 0 || cut == whole || cut == n) { /* the rest comes */
            raw_feed(raw, frames + cut, n - cut);
            settle();
            test_eq("ran", rig.calc.ran, 1);
        } else { /* it does not: the link does not stay */
            pass(5000);
            test_eq("ended", loop_ended(&rig.net, raw), true);
        }
        raw_hang_up(raw);
        settle();
        test_eq("links", rig.a.n_links_, 0);
    }
}

/* ------------------------------------------------------------------------
 * Tables and pools
 * ------------------------------------------------------------------------ */

TEST(a_full_link_table_is_told_in_json)
{
    int32_t raw[5];
    int     i;

    open_a();
    for (i = 0; i < 4; i++)
        raw[i] = client5();
    raw[4] = raw_connect();
    send5(raw[4], CONNECT, MSGPACK, 0, 0, HELLO);
    refused5("fifth", raw[4], "server too busy");
    raw_hang_up(raw[0]);
    settle();
    works5("when one has gone", client5());
    works5("the others", raw[1]);
}

TEST(one_call_at_a_time_works_with_two_buffers)
{
    static PYRO_ROOM(2, 2, 256, 2) room;
    int32_t raw;
    int32_t second;

    open_a_in(PYRO_ROOM_OF(room));
    listen_a();
    raw = client5();
    second = client5();
    works5("first", raw);
    send5(raw, INVOKE, MSGPACK, 0, 1, CALC_ADD_2_3);
    send5(second, INVOKE, MSGPACK, 0, 2, CALC_ADD_2_3);
    expect5("first", raw, RESULT, MSGPACK, 0, 1, "05");
    expect5("second", second, RESULT, MSGPACK, 0, 2, "05");
}

TEST(a_whole_frame_leaves_through_a_small_hole)
{
    int32_t raw;
    int     i;

    open_a();
    raw = client5();
    for (i = 1; i < 400; i += 7) {
        char body[64];
        snprintf(body, sizeof body, "94 a4 'calc' a3 'big' 91 cd %02x %02x 80",
                 (unsigned)i >> 8, (unsigned)i & 255);
        rig.net.chunk = (uint32_t)i % 60 + 1;
        send5(raw, INVOKE, MSGPACK, 0, 1, body);
        (void)expect_type5("big", raw, RESULT);
    }
}

/* In the handler of a call of our own peer's: nobody may wait in a circle. */
static void hook_settles(pyro_call *call)
{
    pyro_poll(call->node, 0);
}

TEST(a_call_that_would_wait_in_a_circle_is_refused_as_busy)
{
    static PYRO_ROOM(3, 3, 256, 2) room;
    static pyro_proxy other;
    int32_t           raw;
    int32_t           second;

    rig.conf_a.port = &rig.port_a;
    open_a_in(PYRO_ROOM_OF(room));
    listen_a();
    assert_int_equal(pyro_proxy_open(&other, &rig.a, "PYRO://nobody:1/x"), 0);
    raw = client5();
    second = client5();
    rig.calc.hook = hook_settles;
    send5(second, INVOKE, MSGPACK, 0, 9, CALC_ADD_2_3);
    send5(raw, INVOKE, MSGPACK, 0, 8, "94 a4 'calc' a4 'hook' 90 80");
    settle();
    expect5("first", raw, RESULT, MSGPACK, 0, 8, "c0");
    pyro_proxy_close(&other);
}

TEST(proxies_and_uris_are_values)
{
    int32_t raw = gadget_client();

    send5(raw, INVOKE, MSGPACK, 0, 1,
          "94 a6 'gadget' a5 'where' 91 82 a9 '__class__' ae 'Pyro5.core.URI'"
          "a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' cd 1e 56 80");
    expect5("uri", raw, RESULT, MSGPACK, 0, 1,
            dialect == 5
                ? "82 a9 '__class__' ae 'Pyro5.core.URI'"
                  "a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' cd 1e 56"
                : "82 a9 '__class__' ae 'Pyro4.core.URI'"
                  "a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' cd 1e 56");
    send5(raw, INVOKE, MSGPACK, 0, 2,
          "94 a6 'gadget' a5 'where' 91 82 a9 '__class__'"
          "b2 'Pyro5.client.Proxy' a5 'state' 96 aa 'PYRO:o@h:9' 90 90 90"
          "a5 'hello' c0 80");
    expect5("proxy", raw, RESULT, MSGPACK, 0, 2,
            dialect == 5 ? "82 a9 '__class__' ae 'Pyro5.core.URI'"
                           "a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' 09"
                         : "82 a9 '__class__' ae 'Pyro4.core.URI'"
                           "a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' 09");
    send5(raw, INVOKE, MSGPACK, 0, 3, "94 a6 'gadget' a4 'here' 90 80");
    (void)expect_type5("here", raw, RESULT);
    assert_true(raw_says("TypeError"));
}

#ifdef PYRO_NO_CODECS

TEST(another_serializer_is_refused_whatever_is_configured)
{
    static const pyro_codec        never = { SERPENT, NULL, NULL };
    static const pyro_codec *const codecs[] = { &never, NULL };
    int32_t                        raw;

    rig.conf_a.codecs = codecs;
    open_a();
    raw = raw_connect();
    send5(raw, CONNECT, SERPENT, 0, 0, "'x'");
    refused5("greeting", raw,
             "serializer not built in here: set config.SERIALIZER = "
             "'msgpack' or PYRO_SERIALIZER=msgpack");
    raw = client5();
    send5(raw, INVOKE, SERPENT, 0, 1, "'x'");
    (void)expect_type5("call", raw, RESULT);
    assert_true(raw_says("serializer built in here"));
    works5("the next", raw);
}

#else

/* ------------------------------------------------------------------------
 * Another serializer: MessagePack with every byte turned over, one more in
 * front. What is over 250 bytes it cannot have.
 * ------------------------------------------------------------------------ */

static int codec_calls; /* bodies of calls among what it has seen */

static uint32_t turn(const uint8_t *from, uint32_t n, uint8_t *to)
{
    uint32_t i;

    for (i = 0; i < n; i++)
        to[i] = (uint8_t)~from[i];
    return n;
}

static uint32_t codec_encode(const uint8_t *from, uint32_t n, uint8_t *to,
                             uint32_t cap, int kind)
{
    codec_calls += kind == PYRO_CODEC_CALL;
    if (n + 1 > cap || n > 250)
        return 0;
    to[0] = '#';
    return turn(from, n, to + 1) + 1;
}

static uint32_t codec_decode(const uint8_t *from, uint32_t n, uint8_t *to,
                             uint32_t cap, int kind)
{
    codec_calls += kind == PYRO_CODEC_CALL;
    if (n == 0 || from[0] != '#' || n - 1 > cap)
        return 0;
    return turn(from + 1, n - 1, to);
}

static const pyro_codec        codec_of_tests = { SERPENT, codec_decode,
                                                  codec_encode };
static const pyro_codec *const codecs[] = { &codec_of_tests, NULL };

static void send_coded(int32_t raw, unsigned type, unsigned flags,
                       unsigned seq, const char *hex)
{
    uint8_t  body[1024];
    uint8_t  frame[1100];
    uint32_t n = (uint32_t)test_hex(body, sizeof body, hex);

    memmove(body + 1, body, n);
    body[0] = '#';
    (void)turn(body + 1, n, body + 1);
    raw_feed(raw, frame,
             frame5(frame, type, SERPENT, flags, seq, body, n + 1));
}

static void expect_coded(const char *row, int32_t raw, unsigned type,
                         unsigned flags, unsigned seq, const char *hex)
{
    uint8_t  want[1024];
    uint8_t  is[1024];
    uint32_t n;

    (void)expect_type5(row, raw, type);
    test_eq(row, dialect == 5 ? rig.got[7] : rig.got[17], SERPENT);
    test_eq(row, pyroi_load16(rig.got + 8), flags);
    test_eq(row, pyroi_load16(rig.got + 10), seq);
    n = codec_decode(rig.got + head_bytes(), rig.got_n - head_bytes(), is,
                     sizeof is, PYRO_CODEC_VALUE);
    test_same(row, is, n, want, test_hex(want, sizeof want, hex));
}

static int32_t coded_client(void)
{
    int32_t  raw;
    unsigned flags = dialect == 4 ? META4 : 0;

    raw = raw_connect();
    send_coded(raw, CONNECT, flags, 0, HELLO);
    expect_coded("greeting", raw, CONNECTOK, flags, 0, CALC_META);
    return raw;
}

TEST(another_serializer_goes_through_the_two_buffers_of_a_call)
{
    static PYRO_ROOM(2, 2, 256, 2) room;
    int32_t raw;

    rig.conf_a.codecs = codecs;
    open_a_in(PYRO_ROOM_OF(room));
    listen_a();
    raw = coded_client();
    codec_calls = 0;
    send_coded(raw, INVOKE, 0, 3, CALC_ADD_2_3);
    expect_coded("call", raw, RESULT, 0, 3, "05");
    send_coded(raw, INVOKE, F_ONEWAY, 3, CALC_NOTE_7);
    raw_expect("oneway", raw, "");
    test_eq("notes", rig.calc.notes, 1);
    send_coded(raw, INVOKE, F_BATCH, 4,
               "94 a4 'calc' a7 '<batch>' 92 93 a3 'add' 92 01 02 80"
               "93 a3 'add' 92 03 04 80 c0");
    expect_coded("batch", raw, RESULT, F_BATCH, 4, "dc 00 02 03 07");
    send_coded(raw, INVOKE, 0, 5, "94 a4 'calc' a5 'later' 90 80");
    raw_expect("deferred", raw, "");
    send5(raw, INVOKE, MSGPACK, 0, 6, CALC_ADD_2_3);
    expect5("in MessagePack meanwhile", raw, RESULT, MSGPACK, 0, 6, "05");
    pyro_put_int(pyro_finish(&rig.calc.later), 9);
    assert_int_equal(pyro_reply(&rig.calc.later), PYRO_OK);
    expect_coded("later", raw, RESULT, 0, 5, "09");
    test_eq("bodies of calls", codec_calls, 4);
    send_coded(raw, INVOKE, 0, 7, "94 a4 'calc' a5 'later' 90 80");
    settle();
    pyro_later_drop(&rig.calc.later);
    (void)pyro_finish(&rig.calc.later);
    raw_expect("dropped", raw, "");
}

TEST(what_another_serializer_cannot_have_is_an_exception)
{
    static PYRO_ROOM(2, 2, 512, 2) room;
    static uint8_t body[600];
    static uint8_t frame[700];
    int32_t        raw;

    rig.conf_a.codecs = codecs;
    open_a_in(PYRO_ROOM_OF(room));
    listen_a();
    raw = coded_client();
    send_coded(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cd 01 2c 80");
    (void)expect_type5("300 bytes", raw, RESULT);
    test_eq("flags", rig.got[9], F_EXCEPTION);
    (void)codec_decode(rig.got + head_bytes(), rig.got_n - head_bytes(),
                       rig.got, sizeof rig.got, 0);
    assert_true(raw_says("result too long as text"));
    send5(raw, INVOKE, SERPENT, 0, 2, "'garbage'");
    (void)expect_type5("garbage", raw, RESULT);
    send5(raw, INVOKE, SERPENT, F_ONEWAY, 2, "'garbage'");
    raw_expect("oneway", raw, "");
    send5(raw, INVOKE, SERPENT, F_ONEWAY | F_COMPRESSED, 2, "'garbage'");
    raw_expect("oneway, compressed", raw, "");
    send5(raw, INVOKE, SERPENT, F_COMPRESSED, 2, "'garbage'");
    (void)expect_type5("compressed", raw, RESULT);
    raw_feed(raw, frame, frame5(frame, INVOKE, SERPENT, 0, 3, body, 499));
    (void)expect_type5("too long", raw, RESULT);
    (void)codec_decode(rig.got + head_bytes(), rig.got_n - head_bytes(),
                       rig.got, sizeof rig.got, 0);
    assert_true(raw_says("message too long: 499"));
    raw_feed(raw, frame,
             frame5(frame, INVOKE, SERPENT, F_ONEWAY, 3, body, 499));
    raw_expect("too long, oneway", raw, "");
    send_coded(raw, INVOKE, 0, 3, CALC_ADD_2_3);
    expect_coded("all the same", raw, RESULT, 0, 3, "05");
    raw = raw_connect();
    send5(raw, CONNECT, SERPENT, 0, 0, "'garbage'");
    refused5("greeting", raw, "CONNECT without 'handshake' or 'object'");
}

#endif /* PYRO_NO_CODECS */

/* ------------------------------------------------------------------------
 * Calls of ours
 * ------------------------------------------------------------------------ */

#define CALC5 "PYRO:calc@board:7766"

static pyro_proxy calc5;

#define HELLO_OURS "82 a9 'handshake' a5 'hello' a6 'object' ab 'Pyro.Daemon'"

/* b calls add(2, 3); the test is the daemon, and has accepted. */
static int32_t daemon5(struct ask *ask, int32_t listener)
{
    int32_t raw;

    assert_int_equal(pyro_proxy_open(&calc5, &rig.b, CALC5), PYRO_OK);
    ask_add(ask, &calc5, 2, 3);
    raw = raw_accept(listener);
    return raw;
}

/* What any daemon of Python first gets from us. */
static void greeted5(int32_t raw, unsigned speaks)
{
    unsigned was = dialect;

    dialect = speaks;
    expect5("greeting", raw, CONNECT, MSGPACK, 0, 0, HELLO_OURS);
    dialect = was;
}

#define META_OF_DAEMON                                             \
    "82 a9 'handshake' a5 'hello' a4 'meta' 83 a7 'methods' 91 a4" \
    "'ping' a6 'oneway' 90 a5 'attrs' 90"

/* A connection that works, with add(2, 3) under way. */
static int32_t works_daemon5(struct ask *ask)
{
    int32_t listener = raw_listen();
    int32_t raw;

    open_b();
    raw = daemon5(ask, listener);
    greeted5(raw, 5);
    if (dialect == 4) { /* it says so, and closes */
        send5(raw, CONNECTFAIL, MARSHAL, 0, 0, "fa 01 'x'");
        raw = raw_accept(listener);
        greeted5(raw, 4);
    }
    send5(raw, CONNECTOK, MSGPACK, dialect == 4 ? META4 : 0, 0,
          META_OF_DAEMON);
    expect5("call", raw, INVOKE, MSGPACK, 0, 1, CALC_ADD_2_3);
    return raw;
}

TEST(a_daemon_of_python_is_greeted_and_called)
{
    static struct ask ask;
    int32_t           raw = works_daemon5(&ask);

    send5(raw, RESULT, MSGPACK, F_CORR & (dialect == 5 ? 255 : 0), 1, "05");
    settle();
    ask_ended("add", &ask, PYRO_OK);
    test_eq("result", ask.result, 5);
    ask_add(&ask, &calc5, 4, 5);
    expect5("next", raw, INVOKE, MSGPACK, 0, 2, CALC_ADD_4_5);
    send5(raw, RESULT, MSGPACK, 0, 2, "09");
    settle();
    ask_ended("add", &ask, PYRO_OK);
    assert_int_equal(pyro_oneway(&calc5, "note", PYRO_ARGS(pyro_int(7))), 0);
    assert_int_equal(pyro_oneway(&calc5, "note", PYRO_ARGS(pyro_int(7))), 0);
    settle();
    raw_take(raw);
    test_eq("two, each by itself", rig.got_n,
            2 * (head_bytes() + test_hex(rig.got + 8000, 100, CALC_NOTE_7)));
    test_eq("oneway", rig.got[9], F_ONEWAY);
    pass(3 * 20000);
    raw_expect("no keep-alive", raw, "");
    send5(raw, PING, 42, 0, 0, "'ping'");
    raw_expect("a ping that nobody sends", raw, "");
    test_eq("open", link_of(&rig.b)->state, PYROI_OPEN);
    pyro_proxy_close(&calc5);
    assert_true(raw_closed(raw));
}

TEST(answers_may_come_in_any_order_late_or_never)
{
    static struct ask first;
    static struct ask second;
    static struct ask third;
    int32_t           raw = works_daemon5(&first);

    ask_add(&second, &calc5, 4, 5);
    ask_add(&third, &calc5, 4, 5);
    settle();
    raw_take(raw);
    send5(raw, RESULT, MSGPACK, 0, 3, "09");
    settle();
    ask_ended("third", &third, PYRO_OK);
    ask_open("first", &first);
    pass(5000);
    ask_ended("first", &first, PYRO_ERR_TIMEOUT);
    ask_ended("second", &second, PYRO_ERR_TIMEOUT);
    send5(raw, RESULT, MSGPACK, 0, 1, "05");
    settle();
    test_eq("late", rig.b.stats.late, 1);
    ask_add(&first, &calc5, 2, 3);
    send5(raw, RESULT, MSGPACK, 0, 4, "05");
    settle();
    ask_ended("again", &first, PYRO_OK);
    pyro_proxy_close(&calc5);
}

TEST(exceptions_of_python_keep_type_and_message)
{
    static char       long_one[1300];
    static struct ask ask;
    int32_t           raw = works_daemon5(&ask);
    size_t            i;

    send5(raw, RESULT, MSGPACK, F_EXCEPTION, 1,
          EXCEPTION("b3", "builtins.ValueError") "a3 'bad'" TWO_LINES);
    settle();
    ask_ended("exception", &ask, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&calc5)->type, "ValueError");
    assert_string_equal(pyro_exception(&calc5)->message, "bad");
    assert_string_equal(pyro_exception(&calc5)->traceback, "l1\nl2");
    strcpy(
        long_one,
        EXCEPTION("b3",
                  "builtins.ValueError") "a3 'bad' aa 'attributes'"
                                         "81 ae '_pyroTraceback' 91 da 04 00");
    for (i = strlen(long_one); i < 1290; i += 2)
        memcpy(long_one + i, "41", 3);
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, MSGPACK, F_EXCEPTION, 2, long_one);
    settle();
    ask_ended("longer than a buffer", &ask, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&calc5)->type, "ValueError");
    assert_string_equal(pyro_exception(&calc5)->message, "bad");
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, MSGPACK, 0, 3, long_one);
    settle();
    ask_ended("a result longer than a buffer", &ask, PYRO_ERR_NOSPACE);
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, MSGPACK, F_COMPRESSED, 4, "05");
    settle();
    ask_ended("compressed", &ask, PYRO_ERR_DATA);
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, JSON, 0, 5, "'5'");
    settle();
    ask_ended("another serializer", &ask, PYRO_ERR_DATA);
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, MSGPACK, F_EXCEPTION, 6,
          "83 a9 '__class__' a9 'PyroError' ad '__exception__' c3"
          "a4 'args' 91 af 'BusyError: busy'");
    settle();
    ask_ended("one of ours is busy", &ask, PYRO_ERR_BUSY);
    assert_false(pyro_request_sent(&ask.rq));
    pyro_proxy_close(&calc5);
}

TEST(a_daemon_that_refuses_us_is_an_error_in_words)
{
    int32_t           listener = raw_listen();
    static struct ask ask;
    int32_t           raw;

    open_b();
    raw = daemon5(&ask, listener);
    if (dialect == 4) {
        send5(raw, CONNECTFAIL, MARSHAL, 0, 0, "fa 01 'x'");
        raw = raw_accept(listener);
        greeted5(raw, 4);
    }
    send5(raw, CONNECTFAIL, JSON, 0, 0, "'\"no\"'");
    settle();
    ask_ended("refused", &ask, PYRO_ERR_DENIED);
    assert_false(pyro_request_sent(&ask.rq));
    assert_non_null(strstr(rig.b.why.text, "pyro_exception"));
    assert_string_equal(pyro_exception(&calc5)->message, "no");
    ask_add(&ask, &calc5, 2, 3);
    raw = raw_accept(listener);
    raw_hang_up(raw);
    settle();
    ask_ended("closed", &ask, PYRO_ERR_CLOSED);
    ask_add(&ask, &calc5, 2, 3);
    raw = raw_accept(listener);
    raw_feed(raw, "PY\x62\x10\0\0\0\x12", 8);
    settle();
    ask_ended("native", &ask, PYRO_ERR_PROTOCOL);
    ask_add(&ask, &calc5, 2, 3);
    raw = raw_accept(listener);
    raw_feed(raw, "PYRO\x01\xf9\x02\x04", 8);
    settle();
    ask_ended("another version", &ask, PYRO_ERR_PROTOCOL);
    pyro_proxy_close(&calc5);
}

#define A32 "'12345678901234567890123456789012'"
#define ALL "12345678901234567890123456789012"

/* In every serializer, of which not one is built in. */
TEST(the_caller_reads_why_a_daemon_refuses_him)
{
    static const struct {
        const char *row;
        const char *body;
        const char *says;
    } rows[] = {
        { "json", "'\"an \xc3\xbc and \\\"quotes\\\"\"'",
          "an \xc3\xbc and \\\"quotes\\\"" },
        { "json, 1 is what is left", "22" A32 "'12345678901234567' 22",
          ALL "12345678901234567" },
        { "serpent", "'# serpent utf-8 python3.2' 0a 27 'no' 27", "no" },
        { "a short str of msgpack", "a2 'no'", "no" },
        { "msgpack, length is a letter", "d9 20" A32, ALL },
        { "msgpack, longer", "da 01 00" A32 A32 A32 A32 A32 A32 A32 A32,
          ALL ALL "1234567890123456789012345..." },
        { "marshal, short", "fa 0c 'invalid data'", "invalid data" },
        { "marshal, short, not kept", "7a 20" A32, ALL },
        { "marshal, long", "75 20 00 00 00" A32, ALL },
        { "its quotes are its own", "ab 'an ' 27 'object' 27", "an 'object'" },
        { "one quote", "'\"'", "" },
        { "nothing", "", "" }
    };
    int32_t           listener = raw_listen();
    static struct ask ask;
    int32_t           raw;
    size_t            i;

    open_b();
    raw = daemon5(&ask, listener);
    for (i = 0; i < PYRO_COUNT(rows); i++) {
        if (i > 0) {
            ask_add(&ask, &calc5, 2, 3);
            raw = raw_accept(listener);
        }
        if (dialect == 4) {
            send5(raw, CONNECTFAIL, MARSHAL, 0, 0, "fa 03 'old'");
            raw = raw_accept(listener);
        }
        send5(raw, CONNECTFAIL, MARSHAL, 0, 0, rows[i].body);
        settle();
        ask_ended(rows[i].row, &ask, PYRO_ERR_DENIED);
        if (strcmp(pyro_exception(&calc5)->message, rows[i].says) != 0)
            fail_msg("%s: says \"%s\"", rows[i].row,
                     pyro_exception(&calc5)->message);
        assert_string_equal(pyro_exception(&calc5)->type, "");
    }
    pyro_proxy_close(&calc5);
}

#ifndef PYRO_NO_CODECS

TEST(another_serializer_is_tried_when_the_first_is_not_taken)
{
    static PYRO_ROOM(2, 2, 256, 1) room;
    int32_t           listener = raw_listen();
    static struct ask ask;
    int32_t           raw;
    int               round;

    rig.conf_b.codecs = codecs;
    open_b_in(PYRO_ROOM_OF(room));
    raw = daemon5(&ask, listener);
    greeted5(raw, 5);
    if (dialect == 4) {
        send5(raw, CONNECTFAIL, MARSHAL, 0, 0, "fa 01 'x'");
        raw = raw_accept(listener);
        greeted5(raw, 4);
        send5(raw, CONNECTFAIL, MSGPACK, 0, 0, "a1 'x'");
    } else {
        raw_hang_up(raw); /* as Pyro5 does */
    }
    raw = raw_accept(listener);
    expect_coded("greeting", raw, CONNECT, 0, 0, HELLO_OURS);
    send_coded(raw, CONNECTOK, 0, 0, META_OF_DAEMON);
    codec_calls = 0;
    for (round = 1; round < 4; round++) {
        expect_coded("call", raw, INVOKE, 0, (unsigned)round, CALC_ADD_2_3);
        send_coded(raw, RESULT, 0, (unsigned)round, "05");
        settle();
        ask_ended("add", &ask, PYRO_OK);
        ask_add(&ask, &calc5, 2, 3);
    }
    test_eq("bodies of calls", codec_calls, 4);
    send_coded(raw, RESULT, F_EXCEPTION, 4,
               EXCEPTION("b3", "builtins.ValueError") "a3 'bad' c0 c0");
    settle();
    ask_ended("exception", &ask, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&calc5)->type, "ValueError");
    ask_add(&ask, &calc5, 2, 3);
    send5(raw, RESULT, SERPENT, 0, 5, "'garbage'");
    settle();
    ask_ended("garbage", &ask, PYRO_ERR_DATA);
    pyro_proxy_close(&calc5);
    settle();
    assert_true(raw_closed(raw));
}

TEST(another_serializer_needs_a_buffer_more)
{
    static PYRO_ROOM(2, 1, 256, 1) room;
    int32_t           listener = raw_listen();
    static struct ask ask;

    rig.conf_b.codecs = codecs;
    open_b_in(PYRO_ROOM_OF(room));
    raw_hang_up(daemon5(&ask, listener));
    settle();
    ask_ended("add", &ask, PYRO_ERR_CLOSED);
    pyro_proxy_close(&calc5);
}

#endif /* PYRO_NO_CODECS */

TEST(every_cut_of_the_answers_ends_the_call)
{
    uint8_t  frames[300];
    uint8_t  body[200];
    uint32_t cut;
    uint32_t n;
    int32_t  listener = raw_listen();

    open_b();
    assert_int_equal(pyro_proxy_open(&calc5, &rig.b, CALC5), PYRO_OK);
    n = frame5(frames, CONNECTOK, MSGPACK, 0, 0, body,
               (uint32_t)test_hex(body, sizeof body, META_OF_DAEMON));
    for (cut = 0;; cut++) {
        static struct ask ask;
        int32_t           raw;
        uint32_t          m;

        ask_add(&ask, &calc5, 2, 3);
        raw = raw_accept(listener);
        if (dialect == 4) {
            send5(raw, CONNECTFAIL, MARSHAL, 0, 0, "fa 01 'x'");
            raw_hang_up(raw);
            raw = raw_accept(listener);
        }
        m = n + frame5(frames + n, RESULT, MSGPACK, 0, ask.rq.seq_, "\5", 1);
        if (cut > m) {
            raw_hang_up(raw);
            break;
        }
        raw_feed(raw, frames, cut);
        settle();
        raw_hang_up(raw);
        settle();
        ask_ended("cut", &ask, cut == m ? PYRO_OK : PYRO_ERR_CLOSED);
    }
    settle();
    pyro_proxy_close(&calc5);
}

TEST(attributes_of_python_are_called)
{
    int32_t           i = 0;
    bool              has = false;
    static const char no_such[] = "nope";

    open_a();
    serve_gadget();
    open_b();
    let_b_wait();
    assert_int_equal(pyro_proxy_open(&calc5, &rig.b, "PYRO:gadget@board:7766"),
                     PYRO_OK);
    assert_int_equal(pyro_getattr(&calc5, "value", pyro_to_i32(&i)), PYRO_OK);
    test_eq("value", i, 99);
    assert_int_equal(pyro_setattr(&calc5, "value", pyro_int(3)), PYRO_OK);
    test_eq("value", gadget.value, 3);
    assert_int_equal(pyro_hasattr(&calc5, "value", &has), PYRO_OK);
    assert_true(has);
    assert_int_equal(pyro_hasattr(&calc5, no_such, &has), PYRO_OK);
    assert_false(has);
    pyro_proxy_close(&calc5);
}

TEST(a_client_of_python_is_not_called_on_its_connection)
{
    static pyro_proxy back;
    int32_t           raw;

    rig.conf_a.port = &rig.port_a;
    open_a();
    raw = client5();
    assert_int_equal(pyro_proxy_at(&back, &rig.a, link_of(&rig.a)->id, "x", 1),
                     PYRO_OK);
    assert_int_equal(pyro_invoke(&back, "x", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_ERR_PROTOCOL);
    assert_non_null(strstr(rig.a.why.text, "its own URI"));
    pyro_proxy_close(&back);
    works5("all the same", raw);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest five[] = {
        RIG_TEST(a_proxy_of_python_is_greeted_with_the_metadata_of_its_object),
    };
    const struct CMUnitTest both[] = {
        RIG_TEST(calls_have_positional_and_keyword_arguments),
        RIG_TEST(the_names_of_exceptions_are_those_of_python),
        RIG_TEST(exceptions_are_what_python_knows),
        RIG_TEST(a_oneway_call_is_not_answered),
        RIG_TEST(attributes_are_got_and_set),
#ifdef PYRO_NO_BATCH
        RIG_TEST(a_batch_is_refused_in_words),
#else
        RIG_TEST(a_batch_gives_the_list_of_its_results),
        RIG_TEST(a_batch_ends_with_the_first_exception),
        RIG_TEST(a_batch_whose_results_do_not_fit_says_how_many_calls_ran),
        RIG_TEST(nothing_is_deferred_in_a_batch),
#endif
        RIG_TEST(the_daemon_tells_of_itself),
        RIG_TEST(pings_are_answered),
        RIG_TEST(a_bad_greeting_is_refused_in_words),
        RIG_TEST(a_handshake_may_be_any_value),
        RIG_TEST(other_versions_and_broken_headers_are_not_accepted),
        RIG_TEST(once_greeted_what_is_no_call_ends_the_link),
        RIG_TEST(what_cannot_be_read_is_an_exception_with_a_name),
        RIG_TEST(a_message_too_long_is_an_exception_with_both_sizes),
        RIG_TEST(annotations_are_passed_over),
        RIG_TEST(every_cut_leaves_nothing_half_done),
        RIG_TEST(a_full_link_table_is_told_in_json),
        RIG_TEST(one_call_at_a_time_works_with_two_buffers),
        RIG_TEST(a_whole_frame_leaves_through_a_small_hole),
        RIG_TEST(a_call_that_would_wait_in_a_circle_is_refused_as_busy),
        RIG_TEST(proxies_and_uris_are_values),
#ifdef PYRO_NO_CODECS
        RIG_TEST(another_serializer_is_refused_whatever_is_configured),
#else
        RIG_TEST(another_serializer_goes_through_the_two_buffers_of_a_call),
        RIG_TEST(what_another_serializer_cannot_have_is_an_exception),
        RIG_TEST(another_serializer_is_tried_when_the_first_is_not_taken),
        RIG_TEST(another_serializer_needs_a_buffer_more),
#endif
        RIG_TEST(a_daemon_of_python_is_greeted_and_called),
        RIG_TEST(answers_may_come_in_any_order_late_or_never),
        RIG_TEST(exceptions_of_python_keep_type_and_message),
        RIG_TEST(a_daemon_that_refuses_us_is_an_error_in_words),
        RIG_TEST(the_caller_reads_why_a_daemon_refuses_him),
        RIG_TEST(every_cut_of_the_answers_ends_the_call),
        RIG_TEST(attributes_of_python_are_called),
        RIG_TEST(a_client_of_python_is_not_called_on_its_connection),
    };
    int failed;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    failed = cmocka_run_group_tests(five, NULL, NULL);
    failed += cmocka_run_group_tests(both, NULL, NULL);
    rig_clock = 0xFFFFFF00; /* about to wrap */
#ifndef PYRO_NO_PYRO4
    dialect = 4;
#endif
    return failed + cmocka_run_group_tests(both, NULL, NULL);
}
