/* The partner of test_xnsc.sh: a name server with names that are always the
 * same, or, with the argument "hostile", an object that only looks like one
 * and answers with whatever could harm a terminal.
 *
 * Prints "names are at HOST:PORT". Ends when it is told to. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../pyro.h"
#include "../pyro_ns.h"

#include "serve.h"

#define HARM                                     \
    "\033]0;title\007\033[2J\033[31mred\xc2\x9b" \
    "7m\r\n\tx"

static PYRO_ROOM(6, 8, 4096, 6) room;
static pyro_daemon node;
static bool        stop;

/* --- an object to describe --- */

struct calc {
    int32_t calls;
    char    label[16];
};

static const pyro_method calc_methods[] = {
    { "add", serve_nothing, "a:i b:i", "i", 0 },
    { "mean", serve_nothing, "values:[d] ?weights:[d]", "d", 0 },
    { "watch", serve_nothing, "listener:U", "", PYRO_ONEWAY },
};
static const pyro_attr calc_attrs[] = {
    PYRO_ATTR_I32(struct calc, calls, PYRO_READONLY),
    PYRO_ATTR_STR(struct calc, label, 0),
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(calc_methods),
                                       PYRO_ATTRS(calc_attrs), NULL, 0 };
static struct calc      calc;

/* --- a name server --- */

static PYRO_NS_ROOM(80, 6000) names;
static pyro_ns_server server;

static void on_shutdown(void *user)
{
    (void)user;
    stop = true;
}

/* One call of the own name server, over the wire as others do it. */
static pyro_err ask(pyro_proxy *proxy, const char *method, pyro_args args)
{
    pyro_err err = pyro_invoke(proxy, method, args, pyro_to_none());

    if (err)
        fprintf(stderr, "xnsc_server: %s: %s %s\n", method, pyro_err_text(err),
                pyro_exception(proxy)->message);
    return err;
}

static pyro_err set_meta(pyro_proxy *proxy)
{
    uint8_t     bytes[64];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

    pyro_put_map(&out, 2);
    pyro_put_str(&out, "room");
    pyro_put_int(&out, 3);
    pyro_put_str(&out, "owner");
    pyro_put_str(&out, "Zo\xc3\xab \xe6\x9d\x8e \xe2\x80\xae");
    return ask(proxy, "setMeta",
               PYRO_ARGS(pyro_str(":lab.calc"),
                         pyro_raw(bytes, (size_t)(out.at - bytes))));
}

static pyro_err fill(const char *at)
{
    static const char *const groups[] = { ":lab", ":lab.bench", ":plant" };
    static pyro_proxy        proxy;
    char                     uri[120], name[40];
    pyro_err                 err;
    size_t                   i;

    snprintf(uri, sizeof uri, "PYRO://%s/" PYRO_NS_NAME, at);
    err = pyro_proxy_open(&proxy, &node, uri);
    for (i = 0; i < PYRO_COUNT(groups) && !err; i++)
        err = ask(&proxy, "createGroup", PYRO_ARGS(pyro_str(groups[i])));
    for (i = 1; i <= 30 && !err; i++) {
        snprintf(name, sizeof name, ":lab.bench.probe%02u", (unsigned)i);
        snprintf(uri, sizeof uri, "PYRO://10.1.2.%u:7766/probe", (unsigned)i);
        err =
            ask(&proxy, "register", PYRO_ARGS(pyro_str(name), pyro_str(uri)));
    }
    snprintf(uri, sizeof uri, "PYRO://%s/calc", at);
    if (!err)
        err = ask(&proxy, "register",
                  PYRO_ARGS(pyro_str(":lab.calc"), pyro_str(uri)));
    if (!err)
        err = ask(&proxy, "register",
                  PYRO_ARGS(pyro_str(":lab.scope"), pyro_str(uri),
                            pyro_int(3600000)));
    if (!err)
        err = set_meta(&proxy);
    pyro_proxy_close(&proxy);
    return err;
}

/* --- what looks like one --- */

static void hostile_list(void *self, pyro_call *call)
{
    static const char *const all[] = {
        HARM, "\xc5\xbc\xc3\xb3\xc5\x82w \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
        "\xe2\x80\xaeturned \xcc\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d!", "wrong"
    };
    uint32_t    n;
    const char *group = pyro_get_str(&call->args, &n);

    (void)self;
    if (n > 1 && group[1] == 'w') {
        pyro_raise(call, "Evil\033[31m", HARM);
        return;
    }
    pyro_put_list(&call->result, 2);
    pyro_put_int(&call->result, 0);
    pyro_put_list(&call->result, 4);
    for (unsigned i = 0; i < 4; i++) {
        pyro_put_list(&call->result, 2);
        pyro_put_str(&call->result, all[i]);
        pyro_put_int(&call->result, i < 3);
    }
}

static void hostile_text(void *self, pyro_call *call)
{
    (void)self;
    if (call->method[0] == 'r')
        pyro_put_str(&call->result, "PYRO://" HARM);
    else if (call->method[0] == 'g' && call->method[3] == 'M')
        pyro_put_str(&call->result, HARM);
    else
        pyro_raise(call, "Error", HARM);
}

static const pyro_method hostile_methods[] = {
    { "list", hostile_list, "group:s from:i", "v", 0 },
    { "resolve", hostile_text, "name:s", "s", 0 },
    { "ping", serve_nothing, "", "", 0 },
    { "getMeta", hostile_text, "name:s", "v", 0 },
    { "getSystemMeta", hostile_text, "name:s", "v", 0 },
    { "unregister", hostile_text, "name:s", "", 0 },
};
static const pyro_class hostile_class = { "NameServer",
                                          PYRO_METHODS(hostile_methods),
                                          PYRO_NO_ATTRS, NULL, 0 };

int main(int argc, char **argv)
{
    static pyro_ns_server_config config;
    char                         at[64];
    int                          self = 0;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    config.no_broadcast = true;
    config.shutdown = on_shutdown;
    if (!err)
        err = pyro_listen(&node, pyro_posix(), "127.0.0.1:0");
    if (!err)
        err = pyro_listening(&node, 0, at, sizeof at);
    if (!err)
        err = pyro_export(&node, &calc_class, &calc, "calc");
    (void)argv;
    if (!err && argc > 1)
        err = pyro_export(&node, &hostile_class, &self, PYRO_NS_NAME);
    if (!err && argc == 1)
        err = pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), &config);
    if (!err && argc == 1)
        err = fill(at);
    return serve(&node, err, "names are", &stop);
}
