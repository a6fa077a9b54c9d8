/* The small build tests itself, on the processor it is weighed for: names,
 * exceptions with type and message, attributes, signatures, timeouts,
 * keep-alive, nesting, deferral and reconnecting, both as a client and as a
 * server. What the library adds to this program is its weight; the other end
 * of the line is partner.c. Ends with 0 if all of it works. */
#include "lean.h"

#include <stdio.h>
#include <string.h>

/* Two handlers nested, and calls out: 2 * 2 + 2 buffers. */
static PYRO_ROOM(2, 6, 128, 1) room;
static pyro_daemon node;
static pyro_config config;
static unsigned    failed;

/* Remembers and says what is not as it has to be. */
static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    printf("lean: %s\n", what);
    failed++;
}

static void poll_for(uint32_t ms)
{
    uint32_t start = line_time();

    while (line_time() - start < ms)
        pyro_poll(&node, 20);
}

#ifndef PYRO_NO_CLIENT

static pyro_proxy calc;

static pyro_err add(int32_t *sum)
{
    return pyro_invoke(&calc, "add", PYRO_ARGS(pyro_int(2), pyro_int(40)),
                       pyro_to_i32(sum));
}

static void expect_add(const char *what)
{
    int32_t sum = 0;

    expect(add(&sum) == PYRO_OK && sum == 42, what);
}

static bool raised(const pyro_proxy *proxy, pyro_err err, const char *type)
{
    return err == PYRO_ERR_REMOTE
        && strcmp(pyro_exception(proxy)->type, type) == 0;
}

static void client_names(void)
{
    static pyro_proxy nobody;
    pyro_err          err;

    expect(pyro_proxy_open(&calc, &node, "PYRO://" PARTNER_ADDRESS "/calc")
               == PYRO_OK,
           "a proxy");
    expect_add("a call by name");
    err = pyro_proxy_open(&nobody, &node, "PYRO://" PARTNER_ADDRESS "/nobody");
    if (err == PYRO_OK)
        err = pyro_invoke(&nobody, "add", PYRO_NO_ARGS, pyro_to_none());
    expect(raised(&nobody, err, "NamingError"), "an unknown name");
    expect(line_connections() == 1, "two proxies share a connection");
}

static void client_exceptions(void)
{
    pyro_err err = pyro_invoke(&calc, "div", PYRO_NO_ARGS, pyro_to_none());

    expect(raised(&calc, err, "ZeroDivisionError"), "an exception's type");
    expect(strcmp(pyro_exception(&calc)->message, "division by zero") == 0,
           "an exception's message");
    expect_add("a call after an exception");
}

static void client_attributes(void)
{
    int32_t level = 0;
    char    label[8] = "";

    expect(pyro_getattr(&calc, "level", pyro_to_i32(&level)) == PYRO_OK
               && level == 5,
           "an attribute read");
    expect(pyro_setattr(&calc, "level", pyro_int(7)) == PYRO_OK,
           "an attribute written");
    expect(pyro_getattr(&calc, "level", pyro_to_i32(&level)) == PYRO_OK
               && level == 7,
           "an attribute as it was written");
    expect(pyro_getattr(&calc, "label", pyro_to_str(label, sizeof label))
                   == PYRO_OK
               && strcmp(label, "bench") == 0,
           "a text attribute");
    expect(raised(&calc, pyro_setattr(&calc, "label", pyro_str("x")),
                  "AttributeError"),
           "a read-only attribute");
}

static void client_signatures(void)
{
    pyro_err err =
        pyro_invoke(&calc, "add", PYRO_ARGS(pyro_str("2"), pyro_int(1)),
                    pyro_to_none());

    expect(raised(&calc, err, "TypeError"), "an argument of the wrong type");
    err = pyro_invoke(&calc, "add", PYRO_ARGS(pyro_int(1)), pyro_to_none());
    expect(raised(&calc, err, "TypeError"), "an argument that is missing");
}

/* A text that is none is not sent, or is for the other end to refuse. */
static void client_texts(void)
{
    pyro_err err =
        pyro_invoke(&calc, "add", PYRO_ARGS(pyro_str("\xFF"), pyro_int(1)),
                    pyro_to_none());

#ifdef PYRO_NO_UTF8
    expect(raised(&calc, err, "ProtocolError"), "a text that nobody checks");
#else
    expect(err == PYRO_ERR_DATA, "a text that is none");
#endif
    expect_add("a call after a text that is none");
}

/* What never left is known, or held possible. */
static void client_sent(void)
{
    static pyro_proxy nowhere;
    pyro_err          err;

    expect(pyro_proxy_open(&nowhere, &node, "PYRO://nowhere:1/calc")
               == PYRO_OK,
           "a proxy to nowhere");
    err = pyro_invoke(&nowhere, "add", PYRO_NO_ARGS, pyro_to_none());
    expect(err == PYRO_ERR_CLOSED, "a call to nowhere");
#ifdef PYRO_NO_SENT
    expect(pyro_sent(&nowhere), "a call that may have left");
#else
    expect(!pyro_sent(&nowhere), "a call that has not left");
#endif
}

static void client_timeouts(void)
{
    uint32_t start = line_time();
    pyro_err err = pyro_invoke(&calc, "never", PYRO_NO_ARGS, pyro_to_none());
    uint32_t took = line_time() - start;

    expect(err == PYRO_ERR_TIMEOUT, "a call that is not answered");
    expect(took >= 3000 && took < 3200, "the time it waits, 3 s by default");
    expect_add("a call after a timeout");
    poll_for(70000); /* the late answer has come */
    expect_add("a call after a late answer");
}

static void client_keep_alive(void)
{
    uint32_t connections = line_connections();

    expect_add("a call");
    poll_for(4 * PYRO_DEAD_MS);
    expect_add("a call after a long silence");
    expect(line_connections() == connections, "the connection is kept");
    partner_stop(true);
    poll_for(2 * PYRO_DEAD_MS);
    partner_stop(false);
    expect_add("a call after the peer stood still");
    expect(line_connections() == connections + 1, "a dead peer is given up");
}

static void client_reconnects(void)
{
    uint32_t connections = line_connections();
    int32_t  sum;
    pyro_err err;

    line_cut();
    err = add(&sum);
    expect(err == PYRO_OK || err == PYRO_ERR_CLOSED, "a cut connection");
    expect_add("a call after a cut");
    expect(line_connections() == connections + 1, "a new connection");
}

static void client(void)
{
    client_names();
    client_exceptions();
    client_attributes();
    client_signatures();
    client_texts();
    client_sent();
    client_timeouts();
    client_keep_alive();
    client_reconnects();
}

#endif /* PYRO_NO_CLIENT */

#ifndef PYRO_NO_SERVER

static struct pupil {
    int32_t    level;
    char       label[8];
    unsigned   firsts;
    pyro_later later;
} pupil = { .level = 5, .label = "bench" };

/* Where the stack stands: before a poll, in a handler, in one below that. */
static uintptr_t stack_poll;
static uintptr_t stack_inner;
#ifndef PYRO_NO_CLIENT
static uintptr_t stack_outer;
#endif

static void pupil_twice(void *self, pyro_call *call)
{
    (void)self;
    stack_inner = (uintptr_t)__builtin_frame_address(0);
    pyro_put_int(&call->result, 2 * pyro_get_i32(&call->args));
}

static void pupil_fail(void *self, pyro_call *call)
{
    (void)self;
    pyro_raise(call, "ZeroDivisionError", "division by zero");
}

/* The first of a list of numbers. */
static void pupil_first(void *self, pyro_call *call)
{
    struct pupil *p = self;

    p->firsts++;
    (void)pyro_get_list(&call->args, 1);
    pyro_put_int(&call->result, pyro_get_i32(&call->args));
}

static void pupil_any(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_int(&call->result, 1);
}

/* Finished by the main loop, or never. */
static void pupil_defer(void *self, pyro_call *call)
{
    struct pupil *p = self;

    pyro_defer(call, &p->later, 2000);
}

#ifndef PYRO_NO_CLIENT
/* Calls the caller, who calls `twice` here before he answers: back is
 * 2 n + 1. */
static void pupil_nest(void *self, pyro_call *call)
{
    static pyro_proxy caller;
    int32_t           n = pyro_get_i32(&call->args);

    (void)self;
    stack_outer = (uintptr_t)__builtin_frame_address(0);
    if (pyro_proxy_at(&caller, &node, call->link, "calc", 4) == PYRO_OK
        && pyro_invoke(&caller, "back", PYRO_ARGS(pyro_int(n)),
                       pyro_to_i32(&n))
               == PYRO_OK)
        pyro_put_int(&call->result, n);
    pyro_proxy_close(&caller);
}
#endif

static const pyro_method methods[] = {
    { "twice", pupil_twice, "a:i", "i", 0 },
    { "first", pupil_first, "[i]", "i", 0 },
    { "any", pupil_any, "v", "i", 0 },
    { "fail", pupil_fail, "", "", 0 },
    { "defer", pupil_defer, "", "s", 0 },
#ifndef PYRO_NO_CLIENT
    { "nest", pupil_nest, "i", "i", 0 },
#endif
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct pupil, level, 0),
    PYRO_ATTR_STR(struct pupil, label, PYRO_READONLY),
};
static const pyro_class pupil_class = { "Pupil", PYRO_METHODS(methods),
                                        PYRO_ATTRS(attrs), NULL, 0 };

/* The partner's call to the pupil, until it is answered. */
static void ask(const char *method, const char *name, int32_t number)
{
    uint32_t start = line_time();

    stack_poll = (uintptr_t)__builtin_frame_address(0);
    partner_ask("pupil", method, name, number);
    while (!answer.done && line_time() - start < 30000)
        pyro_poll(&node, 20);
}

static void expect_twice(const char *what)
{
    ask("twice", NULL, 21);
    expect(answer.err == PYRO_OK && answer.number == 42, what);
}

static bool answered(const char *type)
{
    return answer.done && answer.err == PYRO_ERR_REMOTE
        && strcmp(answer.type, type) == 0;
}

/* Where there are no ids, only the table is full. */
#ifdef PYRO_NO_IDS
#define LIKE_AN_ID PYRO_ERR_NOSPACE
#else
#define LIKE_AN_ID PYRO_ERR_DAEMON
#endif

static void server_names(void)
{
    expect(pyro_listen(&node, lean_port(), LEAN_ADDRESS) == PYRO_OK, "listen");
    expect(pyro_export(&node, &pupil_class, &pupil, "pupil") == PYRO_OK,
           "an object");
    expect(pyro_export(&node, &pupil_class, &pupil, "pupil")
               == PYRO_ERR_DAEMON,
           "a name that is taken");
    expect(pyro_export(&node, &pupil_class, &pupil,
                       "00112233445566778899aabbccddeeff")
               == LIKE_AN_ID,
           "a name that looks like an id");
    expect_twice("called by name");
    partner_ask("nobody", "twice", NULL, 1);
    poll_for(100);
    expect(answered("NamingError"), "called by an unknown name");
    ask("thrice", NULL, 1);
    expect(answered("AttributeError"), "an unknown method");
}

static void server_exceptions(void)
{
    ask("fail", NULL, 0);
    expect(answered("ZeroDivisionError"), "a raised exception's type");
    expect(strcmp(answer.message, "division by zero") == 0,
           "a raised exception's message");
    expect_twice("called after an exception");
}

static void server_attributes(void)
{
    partner_tell("pupil", "level", 6);
    poll_for(100);
    expect(answer.err == PYRO_OK && pupil.level == 6, "told, and not asked");
    pupil.level = 5;
    ask("__getattr__", "level", 0);
    expect(answer.err == PYRO_OK && answer.number == 5, "own attribute read");
    ask("__setattr__", "level", 7);
    expect(answer.err == PYRO_OK && pupil.level == 7, "own attribute written");
    ask("__getattr__", "label", 0);
    expect(answer.err == PYRO_OK && strcmp(answer.text, "bench") == 0,
           "own text attribute");
    ask("__setattr__", "label", 1);
    expect(answered("AttributeError"), "own read-only attribute");
    ask("__getattr__", "colour", 0);
    expect(answered("AttributeError"), "an attribute that is not there");
}

static void server_signatures(void)
{
    ask("twice", "x", 0);
    expect(answered("TypeError"), "called with a wrong type");
    ask("twice", NULL, 0);
    expect(answered("TypeError"), "called with too few arguments");
    ask("fail", NULL, 1);
    expect(answered("TypeError"), "called with too many arguments");
}

static void ask_list(const char *method, unsigned deep)
{
    partner_list("pupil", method, 7, deep);
    poll_for(100);
}

/* Where elements are not looked at, a handler finds out. */
static void server_lists(void)
{
    ask_list("first", 1);
    expect(answer.err == PYRO_OK && answer.number == 7, "called with a list");
    ask_list("first", 0);
    expect(answered("TypeError"), "called with no list");
    expect(pupil.firsts == 1, "a handler has not seen what is no list");
    ask_list("first", 2);
    expect(answered("TypeError"), "called with a list of others");
    ask_list("any", PYRO_MAX_DEPTH + 1);
#ifdef PYRO_NO_ELEMENTS
    expect(pupil.firsts == 2, "a handler has looked at a list of others");
    expect(answer.err == PYRO_OK && answer.number == 1,
           "called with the deep");
#else
    expect(pupil.firsts == 1, "a handler has not seen a list of others");
    expect(answered("ProtocolError"), "called with the deep");
#endif
    expect_twice("called after a list");
}

static void server_deferral(void)
{
    partner_ask("pupil", "defer", NULL, 0);
    poll_for(1000);
    expect(!answer.done, "a deferred reply is not there yet");
    pyro_put_str(pyro_finish(&pupil.later), "later");
    expect(pyro_reply(&pupil.later) == PYRO_OK, "a deferred reply");
    poll_for(100);
    expect(answer.err == PYRO_OK && strcmp(answer.text, "later") == 0,
           "a deferred result");
    ask("defer", NULL, 0);
    expect(answered("TimeoutError"), "a deferred reply that is forgotten");
}

static void server_keep_alive(void)
{
    uint32_t connections = line_connections();

    expect_twice("called");
    poll_for(4 * PYRO_DEAD_MS);
    expect_twice("called after a long silence");
    expect(line_connections() == connections, "the caller is kept");
    line_cut();
    poll_for(100);
    expect_twice("called after a cut");
    expect(line_connections() == connections + 1, "a new caller");
    partner_stop(true);
    poll_for(2 * PYRO_DEAD_MS);
    partner_stop(false);
    poll_for(100);
    expect_twice("called after the peer stood still");
    expect(line_connections() == connections + 2, "a dead caller is given up");
}

#ifndef PYRO_NO_CLIENT
/* Both call each other over one connection, from within calls. */
static void nesting(void)
{
    uint32_t connections;
    int32_t  n = 0;

    expect_add("a call from a server");
    connections = line_connections();
    expect(pyro_invoke(&calc, "back", PYRO_ARGS(pyro_int(20)), pyro_to_i32(&n))
                   == PYRO_OK
               && n == 41,
           "called back while calling");
    ask("nest", NULL, 10);
    expect(answer.err == PYRO_OK && answer.number == 21,
           "called while a handler calls");
    expect(line_connections() == connections, "over the same connection");
    printf("stack: %u bytes from pyro_poll to a handler\n",
           (unsigned)(stack_poll - stack_outer));
    printf("stack: %u bytes for each handler nested\n",
           (unsigned)(stack_outer - stack_inner));
}
#endif

static void server(void)
{
    server_names();
    server_exceptions();
    server_attributes();
    server_signatures();
    server_lists();
    server_deferral();
    server_keep_alive();
#ifndef PYRO_NO_CLIENT
    nesting();
#endif
}

#endif /* PYRO_NO_SERVER */

int main(void)
{
    partner_open();
    config.port = lean_port();
    expect(pyro_open(&node, PYRO_ROOM_OF(room), &config) == PYRO_OK, "open");
#ifndef PYRO_NO_CLIENT
    client();
#endif
#ifndef PYRO_NO_SERVER
    server();
#endif
    return failed != 0;
}
