/* Calls pyro_es.h: what every switch and compiler is tried with. A service
 * and its client are two daemons, connected by a pipe whose bytes lie in this
 * file. It is C and C++, ends by itself and returns 0 when all went as it
 * must. Without pipes it serves nobody; without servers or clients there are
 * no events. */
#include "../../pyro.h"
#if defined(PYRO_NO_SERVER) || defined(PYRO_NO_CLIENT)
int main(void)
{
    return 0;
}
#else
#include "../../pyro_es.h"

#include <string.h>

/* ------------------------------------------------------------------------
 * The port: handle 0 sends to handle 1, and the other way round
 * ------------------------------------------------------------------------ */

static uint8_t  pipes[2][2048];
static uint32_t pipes_n[2];
static uint32_t clock_ms;

static uint32_t clock_now(const pyro_port *port)
{
    (void)port;
    return ++clock_ms;
}

static int32_t pipe_send(const pyro_port *port, int32_t handle,
                         const void *data, uint32_t n)
{
    uint32_t *have = &pipes_n[handle];

    (void)port;
    if (n > sizeof pipes[0] - *have)
        n = (uint32_t)sizeof pipes[0] - *have;
    memcpy(pipes[handle] + *have, data, n);
    *have += n;
    return (int32_t)n;
}

static int32_t pipe_recv(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    uint8_t  *from = pipes[1 - handle];
    uint32_t *have = &pipes_n[1 - handle];

    (void)port;
    (void)ahead;
    if (n > *have)
        n = *have;
    memcpy(to, from, n);
    *have -= n;
    memmove(from, from + n, *have);
    return (int32_t)n;
}

static void pipe_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    (void)handle;
}

#ifdef PYRO_NO_CONFIG /* which takes no port without */
static void no_wait(const pyro_port *from, pyro_item *list, int32_t ms)
{
    (void)from;
    (void)list;
    (void)ms;
}
#define WAIT no_wait
#else
#define WAIT NULL
#endif

static const pyro_port port = { clock_now, NULL,      NULL,       NULL, NULL,
                                pipe_send, pipe_recv, pipe_close, WAIT, NULL,
                                NULL,      NULL,      NULL,       NULL, NULL,
                                NULL,      NULL,      0 };

/* ------------------------------------------------------------------------ */

static PYRO_ROOM(1, 6, 300, 1) rooms[2];
static PYRO_ES_ROOM(2, 4, 600) events;
static pyro_daemon     nodes[2];
static pyro_es_service service;
static pyro_es_last    last[2];
static pyro_es_config  config;
static int             bad;
static int             got;

static void expect(bool good)
{
    bad += !good;
}

/* Both daemons, for as long as it takes. */
static void run(void)
{
    for (unsigned i = 0; i < 50; i++) {
        expect(pyro_poll(&nodes[0], 0) == PYRO_OK);
        expect(pyro_poll(&nodes[1], 0) == PYRO_OK);
        expect(pyro_es_check(&service) == NULL);
    }
}

/* A subscriber is an object with the method "event". */
static void on_event(void *self, pyro_call *call)
{
    uint32_t    n;
    const char *subject;

    (void)self;
    (void)pyro_get_u64(&call->args);
    (void)pyro_get_u64(&call->args);
    subject = pyro_get_str(&call->args, &n);
    (void)pyro_get_u64(&call->args);
    if (n == 3 && memcmp(subject, "a.b", 3) == 0)
        got += pyro_get_i32(&call->args);
}

static const pyro_method methods[] = { { "event", on_event, "qqsvv", "", 0 } };
static const pyro_class  subscriber_class = { "Subscriber",
                                              PYRO_METHODS(methods),
                                              PYRO_NO_ATTRS, NULL, 0 };

#ifndef PYRO_NO_PIPE
#ifdef PYRO_NO_URI
/* The object "s" of this connection. */
static const char here[] = "\x82\xA9__class__\xAEPyro5.core.URI"
                           "\xA5state\x95\xA4PYRO\xA1s\xC0\xC0";
#endif

static pyro_err subscribe(pyro_link link, const char *method,
                          const char *subject, int flags)
{
    static pyro_proxy   proxy;
    static pyro_request rq;

    expect(pyro_proxy_at(&proxy, &nodes[1], link, PYRO_ES_NAME,
                         sizeof PYRO_ES_NAME - 1)
           == PYRO_OK);
    expect(pyro_begin(&rq, &proxy, method) == PYRO_OK);
    pyro_put_str(&rq.args, subject);
#ifdef PYRO_NO_URI
    pyro_put_raw(&rq.args, here, sizeof here);
#else
    pyro_put_here(&rq.args, "s");
#endif
    pyro_put_int(&rq.args, flags);
    expect(pyro_send(&rq, pyro_to_none(), NULL, NULL) == PYRO_OK);
    run();
    expect(pyro_done(&rq));
    pyro_proxy_close(&proxy);
    return pyro_result(&rq);
}

#ifdef PYRO_ES_NO_FLAGS
#define LAST 0
#else
#define LAST PYRO_ES_LAST
#endif

/* Gets a last value, and what is posted later. */
static void over_a_pipe(void)
{
    pyro_link links[2] = { 0, 0 };

    expect(pyro_adopt(&nodes[0], &port, 0, &links[0]) == PYRO_OK);
    expect(pyro_adopt(&nodes[1], &port, 1, &links[1]) == PYRO_OK);
    run();
#ifdef PYRO_ES_NO_FLAGS
    expect(subscribe(links[1], "subscribe", "a.b", PYRO_ES_LAST)
           == PYRO_ERR_REMOTE);
#endif
    expect(subscribe(links[1], "subscribe", "a.*", LAST) == PYRO_OK);
#ifdef PYRO_ES_NO_FLAGS
    expect(pyro_es_post(&service, "a.b", pyro_int(1)) == PYRO_OK);
#endif
#ifndef PYRO_ES_NO_REGEX
    expect(subscribe(links[1], "subscribeMatch", "a.b$", LAST) == PYRO_OK);
#endif
    expect(pyro_es_post(&service, "a.b", pyro_int(10)) == PYRO_OK);
    run();
    expect(got % 10 != 0 && got >= 11);
}
#endif

static void matches(void)
{
    expect(pyro_es_match("a.*", "A.b", 3) && !pyro_es_match("a", "A.b", 3));
#ifndef PYRO_ES_NO_REGEX
    {
        uint8_t code[PYRO_ES_REGEX];

        expect(pyro_es_compile("a(b|c)+$", 8, code) == 0);
        expect(pyro_es_matches(code, "abcb", 4));
        expect(!pyro_es_matches(code, "abcd", 4));
        expect(pyro_es_compile("a(", 2, code) == 2);
    }
#endif
}

/* A client that is never connected. */
static void client(void)
{
    static pyro_es es;

    expect(pyro_es_open(&es, &nodes[0], "PYRO://h:1/" PYRO_ES_NAME, NULL, NULL)
           == PYRO_OK);
    expect(pyro_es_publish(&es, "a", pyro_nil()) != PYRO_OK);
    expect(pyro_es_publish_wait(&es, "a", pyro_nil()) != PYRO_OK);
    expect(pyro_exception(pyro_es_proxy(&es)) != NULL);
    pyro_es_close(&es);
}

int main(void)
{
    static pyro_config c[2];
    static int         self;

    c[0].port = c[1].port = &port;
    c[0].boot = 1;
    c[1].boot = 2;
    config.last = last;
    config.n_last = 2;
    expect(pyro_open(&nodes[0], PYRO_ROOM_OF(rooms[0]), &c[0]) == PYRO_OK);
    expect(pyro_open(&nodes[1], PYRO_ROOM_OF(rooms[1]), &c[1]) == PYRO_OK);
    expect(pyro_es_serve(&service, &nodes[0], PYRO_ES_ROOM_OF(events), &config)
           == PYRO_OK);
    expect(pyro_export(&nodes[1], &subscriber_class, &self, "s") == PYRO_OK);
    expect(pyro_es_post(&service, "a.b", pyro_int(1)) == PYRO_OK);
    run();
#ifndef PYRO_NO_PIPE
    over_a_pipe();
#endif
    matches();
    client();
    pyro_es_stop(&service);
    expect(pyro_check(&nodes[0]) == NULL && pyro_check(&nodes[1]) == NULL);
    pyro_close(&nodes[1]);
    pyro_close(&nodes[0]);
    return bad;
}
#endif
