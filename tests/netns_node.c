/* netns_node.c - a server or a client with names, for test_netns.sh.
 *
 * usage: netns_node serve NAME [HOSTS]    registers an object, serves it for a
 *                                         minute
 *        netns_node call NAME [HOSTS]     calls it; prints its URI and answer
 *
 * The name server is found by broadcast, or is one of HOSTS. The status is 1
 * when it is not found, or the name is not. */
#define _POSIX_C_SOURCE 200809L
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../pyro_ns.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static PYRO_ROOM(8, 8, 512, 2) room;
static pyro_daemon    node;
static pyro_ns        ns;
static pyro_ns_config config;

static void lamp_where(void *self, pyro_call *call)
{
    pyro_put_str(&call->result, (const char *)self);
}

static const pyro_method methods[] = {
    { "where", lamp_where, "", "s", 0 },
};
static const pyro_class lamp_class = { "Lamp", PYRO_METHODS(methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void need(pyro_err err, const char *what)
{
    if (err == PYRO_OK)
        return;
    fprintf(stderr, "netns_node: %s: %s; tried: %s\n", what,
            pyro_err_text(err), pyro_ns_tried(&ns));
    exit(1);
}

/* What happens to the name, a line each, for who looks at the output. */
static void event(void *user, pyro_ns_event what, const char *text)
{
    static const char *const words[] = { "found", "lost", "registered",
                                         "refused" };

    (void)user;
    printf("%s %s\n", words[what], text);
    fflush(stdout);
}

static void serve(char *name)
{
    pyro_err err;

    config.ttl_ms = 3000;
    config.event = event;
    need(pyro_listen(&node, pyro_posix(), "*:0"), "listen");
    need(pyro_export(&node, &lamp_class, name, "lamp"), "export");
    err = pyro_ns_open(&ns, &node, &config);
    if (err != PYRO_ERR_NAMING)
        need(err, "open");
    err = pyro_ns_register(&ns, name, "lamp");
    if (err != PYRO_ERR_NAMING)
        need(err, "register");
    for (;;)
        need(pyro_poll(&node, -1), "poll");
}

static int call(const char *name)
{
    static pyro_proxy lamp;
    char              uri[PYRO_URI_BYTES];
    char              byname[PYRO_URI_BYTES];
    char              answer[80];

    need(pyro_ns_open(&ns, &node, &config), "no name server");
    need(pyro_ns_resolve(&ns, name, uri, sizeof uri), "resolve");
    snprintf(byname, sizeof byname, "PYRONAME://%s", name);
    need(pyro_proxy_open(&lamp, &node, byname), "proxy");
    need(pyro_invoke(&lamp, "where", PYRO_NO_ARGS,
                     pyro_to_str(answer, sizeof answer)),
         "call");
    printf("%s %s\n", uri, answer);
    return 0;
}

int main(int argc, char **argv)
{
    static pyro_config node_config;

    if (argc < 3) {
        fprintf(stderr, "usage: netns_node serve|call NAME [HOSTS]\n");
        return 2;
    }
    alarm(60);
    config.hosts = argc > 3 ? argv[3] : NULL;
    node_config.port = pyro_posix();
    need(pyro_open(&node, PYRO_ROOM_OF(room), &node_config), "node");
    if (argv[1][0] == 's')
        serve(argv[2]);
    return call(argv[2]);
}
