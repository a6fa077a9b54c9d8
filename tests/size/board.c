/* The headline: daemon, proxy, name server and locator with two links and
 * eight names, as firmware would have them, for a Cortex-M0+. It registers the
 * names with itself, through its port, looks them up and finds itself; then it
 * is weighed. All variables of this file are the RAM that it takes. Ends with 0
 * if all of it works. */
#include "lean.h"

#include "../../pyro_ns.h"

#include <stdio.h>
#include <string.h>

static PYRO_ROOM(2, 3, 128, 1) room;
static pyro_daemon node;
static pyro_proxy  proxy;
/* One is its own name: 22 bytes of text. Each of the others has 35. */
static PYRO_NS_ROOM(1 + 8, 22 + 8 * 35) names;
static pyro_ns_server  server;
static pyro_ns_locator locator;
static pyro_config     config;

static const char name[] = "sensor-0";
static const char uri[] = "PYRO://lean:7766/s-0";

static int failed(const char *what, pyro_err err)
{
    printf("lean: %s: error %d\n", what, (int)err);
    return 1;
}

static pyro_err with_digit(const char *method, int i, bool both,
                           pyro_slot result)
{
    char       texts[2][24];
    pyro_value values[2];
    pyro_args  args = { values, both ? 2u : 1u };

    snprintf(texts[0], sizeof texts[0], "%.*s%d", (int)sizeof name - 2, name,
             i);
    snprintf(texts[1], sizeof texts[1], "%.*s%d", (int)sizeof uri - 2, uri, i);
    values[0] = pyro_str(texts[0]);
    values[1] = pyro_str(texts[1]);
    return pyro_invoke(&proxy, method, args, result);
}

int main(void)
{
    char     found[32];
    pyro_err err;
    int      i;

    partner_open();
    config.port = lean_port();
    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    if (!err)
        err = pyro_listen(&node, lean_port(), "*:7766");
    if (!err)
        err = pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), NULL);
    if (err)
        return failed("the name server does not start", err);
    err = pyro_ns_locate(&locator, &node, NULL, NULL);
    if (err)
        return failed("the locator does not find it", err);
    err = pyro_proxy_open(&proxy, &node, locator.uri);
    for (i = 0; i < 8 && !err; i++)
        err = with_digit("register", i, true, pyro_to_none());
    if (err)
        return failed("a name is not registered", err);
    for (i = 0; i < 8; i++) {
        err =
            with_digit("resolve", i, false, pyro_to_str(found, sizeof found));
        if (err || strncmp(found, uri, sizeof uri - 2) != 0)
            return failed("a name is not found", err);
    }
    return 0;
}
