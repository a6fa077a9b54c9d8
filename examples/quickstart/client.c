/* The client of the quickstart.
 * Build: cc -o client client.c        Run: ./client [address] */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"

#include <stdio.h>

static PYRO_ROOM(1, 4, 512, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_proxy  calc;

static void tick(void *self, pyro_call *call)
{
    ++*(int32_t *)self;
    printf("called back: tick %d\n", (int)pyro_get_i32(&call->args));
}

static const pyro_method methods[] = { { "tick", tick, "i", "", 0 } };
static const pyro_class  ticker_class = { "Ticker", PYRO_METHODS(methods),
                                          PYRO_NO_ATTRS, NULL, 0 };

static pyro_err divide(int a, int b)
{
    pyro_args args = PYRO_ARGS(pyro_int(a), pyro_int(b));
    double    q = 0;
    pyro_err  err = pyro_invoke(&calc, "div", args, pyro_to_f64(&q));

    if (!err) printf("div(%d, %d) is %.3f\n", a, b, q);
    if (err != PYRO_ERR_REMOTE) return err;
    printf("div(%d, %d) raised %s: %s\n", a, b, pyro_exception(&calc)->type,
           pyro_exception(&calc)->message);
    return PYRO_OK;
}

/* Both requests leave before the first answer is there. */
static pyro_err in_flight(void)
{
    static pyro_request rq[2]; /* these outlive their calls */
    static double       q[2];
    pyro_err            err = PYRO_OK;

    for (int i = 0; i < 2 && !err; i++) {
        if ((err = pyro_begin(&rq[i], &calc, "div")) != PYRO_OK) break;
        pyro_put_int(&rq[i].args, i + 1);
        pyro_put_int(&rq[i].args, 4);
        err = pyro_send(&rq[i], pyro_to_f64(&q[i]), NULL, NULL);
    }
    if (!err) err = pyro_wait(&rq[0]); /* or pyro_poll until pyro_done */
    if (!err) err = pyro_wait(&rq[1]);
    if (!err) printf("in flight together: %.2f and %.2f\n", q[0], q[1]);
    return err;
}

int main(int argc, char **argv)
{
    char     uri[80];
    int32_t  ticks = 0, calls = 0;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    snprintf(uri, sizeof uri, "PYROLOC://%s/calc",
             argc > 1 ? argv[1] : "127.0.0.1:7766");
    if (!err) err = pyro_export(&node, &ticker_class, &ticks, "ticker");
    if (!err) err = pyro_proxy_open(&calc, &node, uri);
    if (!err) err = divide(1, 3);
    if (!err) err = divide(1, 0);
    if (!err) err = in_flight();
    if (!err)
        err = pyro_invoke(&calc, "count",
                          PYRO_ARGS(pyro_int(3), pyro_here("ticker")),
                          pyro_to_none());
    if (!err) err = pyro_getattr(&calc, "calls", pyro_to_i32(&calls));
    if (!err) printf("calc.calls is %d\n", (int)calls);
    if (!err) err = pyro_setattr(&calc, "calls", pyro_int(0));
    if (!err) err = pyro_oneway(&calc, "stop", PYRO_NO_ARGS);
    if (err) fprintf(stderr, "client: %s: %s\n", uri, pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK || ticks != 3 || calls != 5;
}
