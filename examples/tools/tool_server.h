/* tool_server.h - what the tools that serve share: signals, the log, and the
 * URI for people elsewhere. SPDX-License-Identifier: MIT */
#ifndef TOOL_SERVER_H
#define TOOL_SERVER_H

#include "tool.h"

#include <signal.h>

/* Why the tool is to end: 0 not at all, 1 a signal, others are its own. */
static volatile sig_atomic_t tool_stop;
static pyro_daemon          *tool_woken;

static inline void tool_on_signal(int number)
{
    (void)number;
    if (tool_stop == 0) tool_stop = 1;
    pyro_wake(tool_woken);
}

/* From now on SIGINT, SIGTERM and SIGHUP set tool_stop and end a poll. A peer
 * that has gone and a file over its limit are errors of a call, no signals. */
static inline pyro_err tool_catch_signals(pyro_daemon *node)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action;
    pyro_err         err = pyro_wake_open(node);
    size_t           i;

    tool_woken = node;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
    action.sa_handler = tool_on_signal;
    for (i = 0; i < PYRO_COUNT(numbers) && !err; i++)
        sigaction(numbers[i], &action, NULL);
    return err;
}

/* For pyro_config.log. */
static inline void tool_log(void *user, pyro_level level, const char *what,
                            uint32_t a, uint32_t b)
{
    static const char *const levels[] = { "error", "warning", "note" };

    (void)user;
    fprintf(stderr, TOOL ": %s: %s (%lu, %lu)\n", levels[level % 3], what,
            (unsigned long)a, (unsigned long)b);
}

/* Prints the URI of an object of a server that listens at `at`: when that is
 * every address, with the one of the first interface that is none of this
 * machine alone. */
static inline void tool_uri(const char *before, const char *at,
                            const char *object)
{
    const pyro_port *p = pyro_posix();
    unsigned long    ip = 0x7F000001;
    pyro_net         net;
    unsigned         i;

    if (strncmp(at, "[::]:", 5) != 0 && strncmp(at, "0.0.0.0:", 8) != 0) {
        printf("%sPYRO://%s/%s\n", before, at, object);
        return;
    }
    for (i = 0; i < 32 && ip >> 24 == 127 && p->net(p, i, &net); i++)
        ip = net.ip >> 24 == 127 ? ip : net.ip;
    printf("%sPYRO://%lu.%lu.%lu.%lu%s/%s\n", before, ip >> 24, ip >> 16 & 255,
           ip >> 8 & 255, ip & 255, strrchr(at, ':'), object);
}

#endif /* TOOL_SERVER_H */
