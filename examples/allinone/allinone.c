/* All in one: name server, event service and an application with an object
 * and a subscriber, in one program, one daemon, one poll loop.
 * Build: cc -o allinone allinone.c        Run: ./allinone [TICKS [PORT]]
 * Watch it from outside:
 *     pyro-nsc -n 127.0.0.1:9090 list
 *     pyro-esc -n 127.0.0.1:9090 listen 'lab.**'
 *     pyro-call -n 127.0.0.1:9090 PYRONAME:oven heat 5 */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"
#include "../../pyro_ns.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(16, 16, 1024, 8) room; /* links, buffers, bytes, objects */
static PYRO_NS_ROOM(100, 8192) names;
static PYRO_ES_ROOM(16, 64, 16384) events;
static pyro_daemon           node;
static pyro_ns_server        server;
static pyro_ns_server_config server_config;
static pyro_es_service       service;
static pyro_ns               ns; /* the application as a client of both */
static pyro_ns_config        ns_config;
static pyro_es               es;

static struct oven {
    double     celsius;
    pyro_timer timer;
    unsigned   ticks;
} oven;

/* Warms the oven; callable from anywhere. */
static void oven_heat(void *self, pyro_call *call)
{
    struct oven *o = (struct oven *)self;

    o->celsius += pyro_get_i32(&call->args);
    pyro_put_f64(&call->result, o->celsius);
}

static const pyro_method methods[] = { { "heat", oven_heat, "k:i", "d", 0 } };
static const pyro_class  oven_class = { "Oven", PYRO_METHODS(methods),
                                        PYRO_NO_ATTRS, NULL, 0 };

/* The oven cools, and says so: without a detour over a connection, for the
 * service is in this program. */
static void tick(void *user, pyro_daemon *d)
{
    struct oven *o = (struct oven *)user;

    o->ticks++;
    o->celsius -= (o->celsius - 20.0) / 8.0;
    if (pyro_es_post(&service, "lab.oven", pyro_f64(o->celsius)))
        fputs("allinone: the event is too long\n", stderr);
    pyro_timer_set(d, &o->timer, 100);
}

static void on_event(void *user, const pyro_es_event *event)
{
    (void)user;
    printf("%s is at %.1f\n", event->subject, pyro_get_f64(event->message));
    fflush(stdout);
}

static pyro_err serve(const char *address)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    server_config.no_broadcast = true;
    ns_config.hosts = address;
    if (!err) err = pyro_listen(&node, pyro_posix(), address);
    if (!err)
        err = pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names),
                            &server_config);
    if (!err)
        err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events), NULL);
    if (!err) err = pyro_export(&node, &oven_class, &oven, "oven");
    if (!err) err = pyro_ns_open(&ns, &node, &ns_config);
    if (!err) err = pyro_ns_register(&ns, "oven", "oven");
    if (!err) err = pyro_ns_register(&ns, PYRO_ES_NAME, PYRO_ES_NAME);
    return err;
}

int main(int argc, char **argv)
{
    unsigned   most = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    double     celsius = 0;
    pyro_proxy proxy;
    char       address[40];
    pyro_err   err;

    snprintf(address, sizeof address, "127.0.0.1:%s",
             argc > 2 ? argv[2] : "9090");
    oven.celsius = 20.0;
    oven.timer.fn = tick;
    oven.timer.user = &oven;
    err = serve(address);
    if (!err) err = pyro_proxy_open(&proxy, &node, "PYRONAME:oven");
    if (!err)
        err = pyro_invoke(&proxy, "heat", PYRO_ARGS(pyro_int(160)),
                          pyro_to_f64(&celsius));
    if (!err) printf("the oven is heated to %.1f\n", celsius);
    if (!err)
        err = pyro_es_open(&es, &node, "PYRONAME://" PYRO_ES_NAME, on_event,
                           NULL);
    if (!err) err = pyro_es_subscribe(&es, "lab.*", 0);
    if (!err) pyro_timer_set(&node, &oven.timer, 0);
    while (!err && (most == 0 || es.events < most)) err = pyro_poll(&node, -1);
    if (err) fprintf(stderr, "allinone: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
