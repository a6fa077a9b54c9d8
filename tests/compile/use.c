/* Calls both halves of the library, as far as they are built in, through a
 * port without any wire: what every switch and compiler is tried with. It is
 * C and C++, ends by itself and returns 0 when all went as it must. */
#include "../../pyro.h"

#include <string.h>

static uint32_t clock_now(const pyro_port *port)
{
    return ++*(uint32_t *)port->user; /* every look at it takes 1 ms */
}

static int32_t no_listen(const pyro_port *port, const char *address)
{
    (void)port;
    return strcmp(address, "here") == 0 ? 1 : -1;
}

static int32_t no_handle(const pyro_port *port, int32_t listener)
{
    (void)port;
    (void)listener;
    return -1;
}

static int32_t no_connect(const pyro_port *port, const char *address)
{
    (void)port;
    (void)address;
    return -1;
}

static int32_t no_send(const pyro_port *port, int32_t handle, const void *data,
                       uint32_t n)
{
    (void)port;
    (void)handle;
    (void)data;
    (void)n;
    return PYRO_PORT_GONE;
}

static int32_t no_recv(const pyro_port *port, int32_t handle, void *ahead,
                       void *to, uint32_t n)
{
    (void)port;
    (void)handle;
    (void)ahead;
    (void)to;
    (void)n;
    return PYRO_PORT_GONE;
}

static void no_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    (void)handle;
}

static uint32_t        clock_ms;
static const pyro_port port = { clock_now,  NULL,    no_listen, no_handle,
                                no_connect, no_send, no_recv,   no_close,
                                NULL,       NULL,    NULL,      NULL,
                                NULL,       NULL,    NULL,      NULL,
                                &clock_ms,  0 };

/* Every type once there and back; how many did not come back. */
static int use_values(void)
{
    uint8_t     bytes[64];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 2);
    pyro_reader in;
    uint32_t    n;
    int         bad = 0;

    pyro_put(&out, pyro_int(-40000));
    pyro_put_list(&out, 3);
    pyro_put(&out, pyro_f64(0.5));
    pyro_put(&out, pyro_str("abc"));
    pyro_put(&out, pyro_bool(true));
    bad += pyro_writer_end(&out) != PYRO_OK;
    in = pyro_reader_of(bytes, (size_t)(out.at - bytes));
    bad += pyro_get_i32(&in) != -40000;
    bad += pyro_get_list(&in, 3) != 3;
    bad += !(pyro_get_f64(&in) > 0.4);
    bad += memcmp(pyro_get_str(&in, &n), "abc", 3) != 0 || n != 3;
    bad += !pyro_get_bool(&in);
    bad += in.err != PYRO_OK || pyro_more(&in);
    return bad;
}

#ifndef PYRO_NO_SERVER

struct lamp {
    int32_t level;
    char    room[8];
};

static void lamp_on(void *self, pyro_call *call)
{
    ((struct lamp *)self)->level = pyro_get_i32(&call->args);
    pyro_put_bool(&call->result, true);
}

static const pyro_method lamp_methods[] = {
    { "on", lamp_on, "level:i", "b", 0 },
};
static const pyro_attr lamp_attrs[] = {
    PYRO_ATTR_I32(struct lamp, level, PYRO_READONLY),
    PYRO_ATTR_STR(struct lamp, room, 0),
};
static const pyro_class lamp_class = { "Lamp", PYRO_METHODS(lamp_methods),
                                       PYRO_ATTRS(lamp_attrs), NULL, 0 };

static int use_server(pyro_daemon *node)
{
    static struct lamp lamp = { 0, "hall" };
    pyro_object        found;
    char               id[33];
    int                bad = 0;

    bad += pyro_listen(node, &port, "here") != PYRO_OK;
    bad += pyro_listen(node, &port, "nowhere") != PYRO_ERR_DAEMON;
    bad += pyro_export(node, &lamp_class, &lamp, "lamp") != PYRO_OK;
    bad += !pyro_find(node, "lamp", 4, &found) || found.self != &lamp;
    bad += pyro_object_id(node, &lamp, id) != PYRO_OK || strlen(id) != 32;
    bad += pyro_withdraw(node, &lamp) != PYRO_OK;
    return bad;
}

#endif

#ifndef PYRO_NO_CLIENT

static pyro_err no_name(void *user, pyro_daemon *node, const pyro_uri *name,
                        char *to, size_t size)
{
    (void)user;
    (void)node;
    (void)name;
    if (size > 0)
        to[0] = '\0';
    return PYRO_ERR_CLOSED;
}

static int use_client(pyro_daemon *node)
{
    static pyro_proxy   proxy;
    static pyro_request rq;
    pyro_value          two[2];
    pyro_args           args;
    pyro_err            err;
    double              q = 7;
    int                 bad = 0;

    two[0] = pyro_int(1);
    two[1] = pyro_int(3);
    args.values = two;
    args.count = 2;
    pyro_resolver(node, no_name, NULL);
    bad += pyro_proxy_open(&proxy, node, "PYRONAME://calc") != PYRO_OK;
    err = pyro_invoke(&proxy, "div", args, pyro_to_none());
    bad += err != PYRO_ERR_CLOSED;
    pyro_proxy_close(&proxy);
    bad += pyro_proxy_open(&proxy, node, "PYROLOC://nowhere/calc") != PYRO_OK;
    err = pyro_invoke(&proxy, "div", args, pyro_to_f64(&q));
    bad += err != PYRO_ERR_CLOSED || q < 7 || pyro_sent(&proxy);
    err = pyro_getattr(&proxy, "label", pyro_to_none());
    bad += err == PYRO_OK || pyro_exception(&proxy)->message == NULL;
    if (pyro_begin(&rq, &proxy, "div") == PYRO_OK) {
        pyro_put_int(&rq.args, 1);
        pyro_cancel(&rq);
    }
    pyro_proxy_close(&proxy);
    return bad;
}

#endif

static PYRO_ROOM(2, 4, 128, 2) room;
static pyro_daemon node;

int main(void)
{
    pyro_config config;
    int         bad = use_values();

    memset(&config, 0, sizeof config);
    config.port = &port;
    config.boot = 1;
    bad += pyro_open(&node, PYRO_ROOM_OF(room), &config) != PYRO_OK;
    bad += pyro_port_of(&node) != &port;
#ifndef PYRO_NO_SERVER
    bad += use_server(&node);
#endif
#ifndef PYRO_NO_CLIENT
    bad += use_client(&node);
#endif
    bad += pyro_poll(&node, 0) != PYRO_OK || pyro_check(&node) != NULL;
    pyro_close(&node);
    return bad;
}
