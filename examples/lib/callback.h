/* callback.h - calls an object back that came as an argument
 *
 *     char       at[PYRO_URI_BYTES];
 *     pyro_proxy to;
 *
 *     if (!pyro_callback(&to, call, at)) return;
 *     ... pyro_invoke(&to, ...) ...
 *     pyro_proxy_close(&to);
 *
 * Objects of ours are at the other end of the connection that the call came
 * by. Those of Python have an address, to which a connection is made. */
#ifndef PYRO_CALLBACK_H
#define PYRO_CALLBACK_H

#include "../../pyro.h"

/* Opens a proxy for the object that is the next argument; `at` is its as long
 * as it is open. False: none could be, and an exception is raised. */
static bool pyro_callback(pyro_proxy *to, pyro_call *call,
                          char at[PYRO_URI_BYTES])
{
    pyro_uri uri = { 0 };
    pyro_err err;

    pyro_get_uri(&call->args, &uri);
    err = pyro_uri_print(&uri, at, PYRO_URI_BYTES);
    if (uri.host_n == 0)
        err = pyro_proxy_from(to, call, &uri);
    else if (!err)
        err = pyro_proxy_open(to, call->node, at);
    if (err) pyro_raise(call, "ValueError", pyro_err_text(err));
    return !err;
}

#endif /* PYRO_CALLBACK_H */
