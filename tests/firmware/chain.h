/* chain.h - a method that both ends of a line have: the object given calls
 * back over the same line, and so on, n deep. Include behind pyro.h. */
#ifndef CHAIN_H
#define CHAIN_H

/* chain(object, n): n <= 0: 0; else object.chain(us, n - 1) + 1. */
static void chain(pyro_call *call, const char *us)
{
    pyro_uri   uri;
    pyro_proxy proxy;
    int32_t    n, got = -1;
    pyro_err   err = PYRO_OK;

    pyro_get_uri(&call->args, &uri);
    n = pyro_get_i32(&call->args);
    if (n > 0)
        err = pyro_proxy_from(&proxy, call, &uri);
    if (n > 0 && err == PYRO_OK) {
        err = pyro_invoke(&proxy, "chain",
                          PYRO_ARGS(pyro_here(us), pyro_int(n - 1)),
                          pyro_to_i32(&got));
        pyro_proxy_close(&proxy);
    }
    if (err != PYRO_OK)
        pyro_raise(call, "RuntimeError", pyro_err_text(err));
    else
        pyro_put_int(&call->result, got + 1);
}

#endif
