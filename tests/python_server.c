/* What client.py calls: object calc at an address of this machine, until it
 * is killed. usage: python_server [ADDRESS]    (127.0.0.1:0) */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../pyro.h"

#include "serve.h"

struct calc {
    int32_t calls;
    char    label[16];
};

static void calc_log(void *self, pyro_call *call)
{
    uint32_t    n;
    const char *text = pyro_get_str(&call->args, &n);

    ((struct calc *)self)->calls++;
    printf("log: %.*s\n", (int)n, text);
}

/* Calls back over the connection that the call came by, and passes on what
 * the listener answered. */
static void calc_watch(void *self, pyro_call *call)
{
    struct calc *c = (struct calc *)self;
    int32_t      answer = 0;
    pyro_proxy   to;
    pyro_uri     uri;

    pyro_get_uri(&call->args, &uri);
    if (pyro_proxy_from(&to, call, &uri)) {
        pyro_raise(call, "ValueError", "listener: not on this connection");
        return;
    }
    if (pyro_invoke(&to, "changed", PYRO_ARGS(pyro_str(c->label)),
                    pyro_to_i32(&answer)))
        pyro_reraise(call, &to);
    else
        pyro_put_int(&call->result, answer);
    pyro_proxy_close(&to);
}

static const pyro_method methods[] = {
    { "add", serve_add, "a:i b:i", "q", 0 },
    { "div", serve_div, "a:d b:d", "d", 0 },
    { "log", calc_log, "text:s", "", PYRO_ONEWAY },
    { "watch", calc_watch, "listener:U", "i", 0 },
    { "sum", serve_sum, "numbers:[i]", "q", 0 },
    { "echo", serve_echo, "value:v", "v", 0 },
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct calc, calls, PYRO_READONLY),
    PYRO_ATTR_STR(struct calc, label, 0),
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(methods),
                                       PYRO_ATTRS(attrs), NULL, 0 };

int main(int argc, char **argv)
{
    static PYRO_ROOM(3, 5, 1024, 1) room; /* links, buffers, bytes, objects */
    static pyro_daemon node;
    static pyro_config config;
    struct calc        calc = { 0, "bench 3" };
    pyro_err           err;

    config.dead_ms = 800; /* so that keep-alive can be seen soon */
    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    if (!err)
        err = pyro_listen(&node, pyro_posix(),
                          argc > 1 ? argv[1] : "127.0.0.1:0");
    if (!err)
        err = pyro_export(&node, &calc_class, &calc, "calc");
    return serve(&node, err, "calc is", NULL);
}
