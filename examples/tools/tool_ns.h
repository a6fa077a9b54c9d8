/* tool_ns.h - what the tools that use a name server share: its sizes, and
 * for clients the options -n and -p and the way to it.
 * SPDX-License-Identifier: MIT */
#ifndef TOOL_NS_H
#define TOOL_NS_H

#include "tool.h"

#define PYRO_NS_MAX_NAME    200
#define PYRO_NS_MAX_META    250
#define PYRO_NS_TRIED_BYTES 1024
#include "../../pyro_ns.h"

/* A host and its port as an address, "[host]:port" if the host has colons;
 * false: too long. */
static inline bool tool_address(char *to, size_t size, const char *host,
                                long port)
{
    bool bare = strchr(host, ':') == NULL || *host == '[';
    int  n = snprintf(to, size, bare ? "%s:%ld" : "[%s]:%ld", host, port);

    return n > 0 && (size_t)n < size;
}

/* An IPv4 address from its text; false: it is none. */
static inline bool tool_ip(const char *text, uint32_t *ip)
{
    struct in_addr a;

    if (inet_pton(AF_INET, text, &a) != 1) return false;
    *ip = ntohl(a.s_addr);
    return true;
}

#ifndef PYRO_NS_NO_CLIENT

/* The name server, as -n, -p and -c say. */
typedef struct tool_ns {
    const char    *bc_address;
    const char    *host;
    long           port;
    bool           loud; /* says on stderr where it is */
    pyro_ns        ns;
    pyro_ns_config config;
    char           hosts[256];
} tool_ns;

#define TOOL_NS_OPTIONS(where)                                           \
    PYRO_OPTION_TEXT('n', "host", "HOST", &(where).host,                 \
                     "the name server's host, or host:port; several\n"   \
                     "parted by blanks are tried one after the other;\n" \
                     "without: the one that answers a broadcast"),       \
        PYRO_OPTION_NUMBER('p', "port", "PORT", &(where).port, 1, 65535, \
                           "with -n: its port, without: that of\n"       \
                           "broadcasts (9090)"),                         \
        PYRO_OPTION_TEXT('c', "bcaddr", "IP", &(where).bc_address,       \
                         "send broadcasts to this address only")

static inline void tool_ns_event(void *user, pyro_ns_event event,
                                 const char *text)
{
    (void)user;
    if (event != PYRO_NS_FOUND) return;
    fputs("NS is at ", stderr);
    tool_text(stderr, text, strlen(text));
    fputc('\n', stderr);
}

/* Finds the name server. Returns -1, or a status after a complaint. */
static inline int tool_ns_open(tool_ns *t, pyro_daemon *node)
{
    pyro_err err;

    if (t->bc_address != NULL && !tool_ip(t->bc_address, &t->config.udp_ip)) {
        fprintf(stderr, TOOL ": -c: no address: %s\n", t->bc_address);
        return TOOL_USAGE;
    }
    if (t->host != NULL && t->port != 0
        && (strchr(t->host, ' ') != NULL
            || !tool_address(t->hosts, sizeof t->hosts, t->host, t->port))) {
        fputs(TOOL ": -p goes with one host only (-h: help)\n", stderr);
        return TOOL_USAGE;
    }
    if (t->host != NULL)
        t->config.hosts = t->port != 0 ? t->hosts : t->host;
    else
        t->config.udp_port = (uint16_t)t->port;
    if (t->loud) {
        fprintf(stderr, "Locator: %s Pyro Name Server...\n",
                t->host != NULL ? "contacting" : "searching");
        t->config.event = tool_ns_event;
    }
    err = pyro_ns_open(&t->ns, node, &t->config);
    if (err == PYRO_OK) return -1;
    if (err != PYRO_ERR_NAMING) return tool_failed(node, "name server", err);
    fputs(TOOL ": Name Server not found; tried: ", stderr);
    tool_text(stderr, pyro_ns_tried(&t->ns), strlen(pyro_ns_tried(&t->ns)));
    fputc('\n', stderr);
    return TOOL_FAILED;
}

#endif /* PYRO_NS_NO_CLIENT */

#endif /* TOOL_NS_H */
