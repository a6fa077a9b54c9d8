/* What the servers that scripts start have in common: methods of their objects,
 * each of which begins with an int32_t that counts calls, and how they run.
 * pyro.h comes before. */
#ifndef SERVE_H
#define SERVE_H

#include <stdio.h>

static inline void serve_add(void *self, pyro_call *call)
{
    int64_t a = pyro_get_i64(&call->args);
    int64_t b = pyro_get_i64(&call->args);

    ++*(int32_t *)self;
    pyro_put_int(&call->result, a + b);
}

static inline void serve_div(void *self, pyro_call *call)
{
    double a = pyro_get_f64(&call->args);
    double b = pyro_get_f64(&call->args);

    ++*(int32_t *)self;
    if (b > 0 || b < 0)
        pyro_put_f64(&call->result, a / b);
    else
        pyro_raise(call, "ZeroDivisionError", "division by zero");
}

static inline void serve_sum(void *self, pyro_call *call)
{
    uint32_t n = pyro_get_list(&call->args, 10000);
    int64_t  sum = 0;

    (void)self;
    while (n-- > 0)
        sum += pyro_get_i32(&call->args);
    pyro_put_int(&call->result, sum);
}

static inline void serve_echo(void *self, pyro_call *call)
{
    uint32_t    n;
    const void *value = pyro_get_raw(&call->args, &n);

    (void)self;
    pyro_put_raw(&call->result, value, n);
}

/* For what is described and never called. */
static inline void serve_nothing(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

/* Prints "WHAT at HOST:PORT", which is what the scripts wait for, and serves
 * until *stop, or for ever; unless `err` says that the node did not open. */
static inline int serve(pyro_daemon *node, pyro_err err, const char *what,
                        const bool *stop)
{
    char at[64];

    if (!err)
        err = pyro_listening(node, 0, at, sizeof at);
    if (!err && printf("%s at %s\n", what, at) > 0)
        fflush(stdout);
    while (!err && (stop == NULL || !*stop))
        err = pyro_poll(node, 100);
    if (err)
        fprintf(stderr, "server: %s\n", pyro_err_text(err));
    else
        (void)pyro_poll(node, 100); /* the last answer leaves */
    pyro_close(node);
    return err != PYRO_OK;
}

#endif
