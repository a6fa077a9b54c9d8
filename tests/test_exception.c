/* The remote exception that a proxy keeps, with each size of its area: see
 * test_exception_0.c and test_exception_16.c. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "nodes.h"

static pyro_proxy P;

static void pair(void)
{
    rig_init(1);
    node_open_bare(0, 4, 0);
    node_open(1, 4);
    node_run(1);
    node_proxy(0, &P, 1);
}

static pyro_err raise(const char *type, const char *message)
{
    return pyro_invoke(&P, "raise",
                       PYRO_ARGS(pyro_str(type), pyro_str(message)),
                       pyro_to_none());
}

/* How much of `text` must be there when `room` bytes are left, and what is:
 * all of it with its zero byte, or as much as fits, ending in "...". */
static size_t kept(const char *row, const char *is, const char *text,
                   size_t room)
{
    char   want[300];
    size_t n = strlen(text);
    size_t dots;

    memcpy(want, text, n + 1);
    if (room == 0) {
        want[0] = 0;
    } else if (n + 1 > room) {
        dots = room - 1 < 3 ? room - 1 : 3;
        memset(want + room - 1 - dots, '.', dots);
        want[room - 1] = 0;
    }
    if (strcmp(is, want) != 0)
        fail_msg("%s: \"%s\", should be \"%s\"", row, is, want);
    return n + 1 > room ? 0 : room - n - 1;
}

static void check_texts(const char *type, const char *message,
                        const char *traceback)
{
    const pyro_exc *e = pyro_exception(&P);
    size_t          room = PYRO_EXCEPTION_BYTES;

    room = kept("type", e->type, type, room);
    room = kept("message", e->message, message, room);
    kept("traceback", e->traceback, traceback, room);
}

TEST(a_proxy_that_has_seen_none_has_empty_texts)
{
    pair();
    check_texts("", "", "");
    rig_end();
}

TEST(an_exception_arrives_with_type_message_and_traceback)
{
    pair();
    test_eq("raise", raise("E", "m"), PYRO_ERR_REMOTE);
    check_texts("E", "m", "thing.raise on B");
    test_eq("raise", raise("ValueError", "the motor has no brake"),
            PYRO_ERR_REMOTE);
    check_texts("ValueError", "the motor has no brake", "thing.raise on B");
    test_eq("raise", raise("E", ""), PYRO_ERR_REMOTE);
    check_texts("E", "", "thing.raise on B");
    rig_end();
}

/* Every length of type and message around the size of the area. */
TEST(a_text_that_is_cut_ends_in_dots)
{
    char type[64];
    char message[130];

    pair();
    for (size_t t = 1; t < 24; t++) {
        for (size_t m = 0; m<110; m += m> 20 && m < 60 ? 7 : 1) {
            memset(type, 'T', t);
            type[t] = 0;
            memset(message, 'm', m);
            message[m] = 0;
            assert_int_equal(raise(type, message), PYRO_ERR_REMOTE);
            check_texts(type, message, "thing.raise on B");
        }
    }
    rig_end();
}

/* Nodes 1 to n, each with a proxy for the next one. */
static void climb(unsigned n)
{
    static pyro_proxy proxies[NODES];

    for (unsigned i = 1; i <= n; i++) {
        node_open(i, 8);
        node_run(i);
    }
    for (unsigned i = 1; i < n; i++) {
        node_proxy(i, &proxies[i], i + 1);
        rig.n[i].thing.next = &proxies[i];
    }
}

static void hop(int32_t hops)
{
    uint8_t bytes[4];
    int32_t n = -1;

    memset(bytes, hops, sizeof bytes);
    test_eq("hop",
            pyro_invoke(&P, "hop",
                        PYRO_ARGS(pyro_int(hops), pyro_bin(bytes, 4)),
                        pyro_to_i32(&n)),
            PYRO_ERR_REMOTE);
}

/* The last node has nobody to pass the hop on to. */
TEST(an_exception_that_was_passed_on_has_a_line_for_each_object)
{
    static pyro_proxy nowhere;

    rig_init(1);
    node_open_bare(0, 4, 0);
    node_proxy(0, &P, 1);
    climb(3);
    assert_int_equal(pyro_proxy_open(&nowhere, &rig.n[3].d, "PYRO://x:1/y"),
                     PYRO_OK);
    rig.n[3].thing.next = &nowhere;
    hop(3);
#if PYRO_EXCEPTION_BYTES > 80
    check_texts("ConnectionClosedError", pyro_err_text(PYRO_ERR_CLOSED),
                "thing.hop on D\nthing.hop on C\nthing.hop on B");
#endif
    rig_end();
}

/* What an exception looks like when it comes from who knows where. */
static const struct {
    const char *label;
    const char *hex;
    const char *type;
    const char *message;
    const char *traceback;
} odd[] = {
    { "no map", "05", "", "", "" },
    { "empty map", "80", "", "", "" },
    { "no args", "81 a9'__class__'a1'E'", "E", "", "" },
    { "no class", "81 a4'args'91a1'm'", "", "m", "" },
    { "empty args", "82 a9'__class__'a1'E' a4'args'90", "E", "", "" },
    { "args of no str", "82 a9'__class__'a1'E' a4'args'9105", "E", "", "" },
    { "args no list", "82 a9'__class__'a1'E' a4'args'05", "E", "", "" },
    { "class no str", "82 a9'__class__'c0 a4'args'91a1'm'", "", "m", "" },
    { "other order", "82 a4'args'92a1'm'01 a9'__class__'a1'E'", "E", "m", "" },
    { "key no str", "82 05 05 a9'__class__'a1'E'", "", "", "" },
    { "two lines",
      "82 a9'__class__'a1'E' aa'attributes'81 ae'_pyroTraceback'92"
      " a1'a' a1'b'",
      "E", "", "a\nb" },
    { "no line", "82 a9'__class__'a1'E' aa'attributes'81 ae'_pyroTraceback'90",
      "E", "", "" },
    { "a line that is no str",
      "82 a9'__class__'a1'E' aa'attributes'81 ae'_pyroTraceback'92a1'a'05",
      "E", "", "a" }
};

static pyro_err odd_err;

static void saw(void *user, pyro_request *rq, pyro_err err,
                pyro_reader *result)
{
    (void)user;
    (void)rq;
    (void)result;
    odd_err = err;
}

static void begin(pyro_request *rq)
{
    odd_err = PYRO_OK;
    assert_int_equal(pyro_begin(rq, &P, "x"), PYRO_OK);
    assert_int_equal(pyro_send(rq, pyro_to_none(), saw, NULL), PYRO_OK);
}

/* Each comes after a long one, of which nothing may be left. */
TEST(whatever_an_exception_consists_of_the_texts_are_texts)
{
    static const char longest[] =
        "83 a9'__class__'b4'LLLLLLLLLLLLLLLLLLLL' a4'args'91"
        " b4'MMMMMMMMMMMMMMMMMMMM' aa'attributes'81 ae'_pyroTraceback'91"
        " b4'TTTTTTTTTTTTTTTTTTTT'";
    pyro_request rq;
    uint8_t      body[160];

    rig_init(1);
    node_open_bare(0, 4, 0);
    peer_listen();
    node_proxy(0, &P, 3);
    begin(&rq);
    peer_greet();
    for (unsigned i = 0; i < 2 * PYRO_COUNT(odd); i++) {
        const char *hex = i % 2 == 0 ? longest : odd[i / 2].hex;
        uint32_t    n = (uint32_t)test_hex(body, sizeof body, hex);

        peer_send(PYROI_RESULT, PYROI_EXCEPTION, peer.seq + i, body, n);
        rig_settle();
        test_eq(odd[i / 2].label, odd_err, PYRO_ERR_REMOTE);
        if (i % 2 != 0) {
            check_texts(odd[i / 2].type, odd[i / 2].message,
                        odd[i / 2].traceback);
        }
        begin(&rq);
    }
    pyro_cancel(&rq);
    peer_close();
    rig_end();
}

TEST(an_exception_that_does_not_fit_the_servers_buffer_is_shortened)
{
    char      message[201];
    pyro_room room = PYRO_ROOM_OF(rig.n[1].room);
    pyro_err  err;

    rig_init(1);
    node_open_bare(0, 4, 0);
    room.n_buffers = 4;
    room.buffer_bytes = 128;
    assert_int_equal(pyro_open(&rig.n[1].d, room, &rig.n[1].config), PYRO_OK);
    rig.n[1].open = true;
    pyro_listen(&rig.n[1].d, &rig.n[1].port, "*:7701");
    pyro_export(&rig.n[1].d, &thing_class, &rig.n[1].thing, "thing");
    node_run(1);
    node_proxy(0, &P, 1);
    for (size_t m = 0; m < 80; m++) {
        memset(message, 'm', m);
        message[m] = 0;
        err = raise("E", message);
        test_eq("raise", err, PYRO_ERR_REMOTE);
#if PYRO_EXCEPTION_BYTES > 0
        assert_string_equal(pyro_exception(&P)->type, "E");
#endif
#if PYRO_EXCEPTION_BYTES > 80
        if (strcmp(pyro_exception(&P)->message, message) != 0)
            assert_string_equal(pyro_exception(&P)->message, "...");
#endif
    }
    rig_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_that_has_seen_none_has_empty_texts),
        cmocka_unit_test(an_exception_arrives_with_type_message_and_traceback),
        cmocka_unit_test(a_text_that_is_cut_ends_in_dots),
        cmocka_unit_test(
            an_exception_that_was_passed_on_has_a_line_for_each_object),
        cmocka_unit_test(
            whatever_an_exception_consists_of_the_texts_are_texts),
        cmocka_unit_test(
            an_exception_that_does_not_fit_the_servers_buffer_is_shortened)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
