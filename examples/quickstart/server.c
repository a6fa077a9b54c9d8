/* The server of the quickstart, for C and for Python (examples/python).
 * Build: cc -o server server.c        Run: ./server [address] */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../lib/callback.h"
#include "../lib/text.h"

#include <stdio.h>

static struct calc {
    int32_t calls;
    bool    stop;
} calc;

static void calc_div(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    ((struct calc *)self)->calls++;
    if (b == 0)
        pyro_raise(call, "ZeroDivisionError", "division by zero");
    else
        pyro_put_f64(&call->result, (double)a / b);
}

/* Calls its caller back. */
static void calc_count(void *self, pyro_call *call)
{
    int32_t    n = pyro_get_i32(&call->args);
    char       at[PYRO_URI_BYTES];
    pyro_proxy to;
    pyro_err   err = PYRO_OK;

    ((struct calc *)self)->calls++;
    if (!pyro_callback(&to, call, at)) return;
    for (int32_t i = 1; i <= n && !err; i++)
        err = pyro_invoke(&to, "tick", PYRO_ARGS(pyro_int(i)), pyro_to_none());
    if (err) pyro_reraise(call, &to);
    pyro_proxy_close(&to);
}

static void calc_stop(void *self, pyro_call *call)
{
    (void)call;
    ((struct calc *)self)->stop = true;
}

static const pyro_method calc_methods[] = {
    { "div", calc_div, "a:i b:i", "d", 0 },
    { "count", calc_count, "n:i to:U", "", 0 },
    { "stop", calc_stop, "", "", PYRO_ONEWAY },
};
static const pyro_attr calc_attrs[] = { PYRO_ATTR_I32(struct calc, calls, 0) };
static const pyro_class calc_class = { "Calc", PYRO_METHODS(calc_methods),
                                       PYRO_ATTRS(calc_attrs), NULL, 0 };

static const pyro_codec *const codecs[] = { &pyro_codec_serpent, NULL };
static const pyro_config       config = { .codecs = codecs }; /* for Python */
static PYRO_ROOM(4, 6, 1024, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;

int main(int argc, char **argv)
{
    const char *address = argc > 1 ? argv[1] : "127.0.0.1:7766";
    char        at[64];
    pyro_err    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);

    if (!err) err = pyro_listen(&node, pyro_posix(), address);
    if (!err) err = pyro_export(&node, &calc_class, &calc, "calc");
    if (!err) err = pyro_listening(&node, 0, at, sizeof at);
    if (!err && printf("calc is at %s\n", at) > 0) fflush(stdout);
    while (!err && !calc.stop) err = pyro_poll(&node, 100);
    if (err) fprintf(stderr, "server: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
