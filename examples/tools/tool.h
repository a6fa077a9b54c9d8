/* tool.h - what the tools share
 *
 * Generous sizes, complaints on stderr, and texts from afar that cannot harm
 * a terminal. Each tool is one C file that defines TOOL, its name, and
 * includes this first. SPDX-License-Identifier: MIT */
#ifndef TOOL_H
#define TOOL_H

#define PYRO_MAX_NAME        200
#define PYRO_MAX_HOST        200
#define PYRO_MAX_DEPTH       100
#define PYRO_EXCEPTION_BYTES 4096

#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"

#include "../lib/args.h"
#include "../lib/json.h"

#include <stdio.h>
#include <string.h>

/* Exit statuses of all tools. */
enum {
    TOOL_GOOD = 0,
    TOOL_FAILED = 1, /* it was tried, and stderr says what was wrong */
    TOOL_USAGE = 2   /* nothing was tried: the command line is wrong */
};

/* Longest message, and so the longest value that can be sent or printed. */
#define TOOL_BYTES (1u << 20)

/* The object that every daemon has. */
#define TOOL_DAEMON "c0000000011000001000000010000001"

/* Prints text of a peer: control characters as '?'. */
static inline void tool_text(FILE *to, const char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xC2 && i + 1 < n && (unsigned char)text[i + 1] < 0xA0;

        if (c < 0x20 || c == 0x7F || c1)
            fputc('?', to);
        else
            fputc(c, to);
        i += c1;
    }
}

/* Whether all that was printed has arrived; complains if not. */
static inline int tool_printed(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    perror(TOOL ": standard output");
    return TOOL_FAILED;
}

/* Says why something failed: what we know more than the error itself. */
static inline int tool_failed(const pyro_daemon *node, const char *what,
                              pyro_err err)
{
    const pyro_why *why = &node->why;

    fputs(TOOL ": ", stderr);
    tool_text(stderr, what, strlen(what));
    fprintf(stderr, ": %s", pyro_err_text(err));
    if (why->text != NULL) fprintf(stderr, ": %s", why->text);
    if (why->is != 0 || why->limit != 0)
        fprintf(stderr, " (%lu, limit %lu)", (unsigned long)why->is,
                (unsigned long)why->limit);
    fputc('\n', stderr);
    return TOOL_FAILED;
}

/* The same for a call: an exception with its traceback, or the error and
 * whether the call may have been executed. */
static inline int tool_call_failed(const pyro_daemon *node,
                                   const pyro_proxy *proxy, const char *what,
                                   pyro_err err)
{
    const pyro_exc *exc = pyro_exception(proxy);
    const char     *line = exc->traceback;

    if (err != PYRO_ERR_REMOTE) {
        (void)tool_failed(node, what, err);
        if (err == PYRO_ERR_DENIED && exc->message[0] != 0) {
            fputs(TOOL ": ", stderr);
            tool_text(stderr, exc->message, strlen(exc->message));
            fputc('\n', stderr);
        }
        fprintf(stderr, TOOL ": it was %s\n",
                pyro_sent(proxy) ? "sent and may have been executed"
                                 : "not executed");
        return TOOL_FAILED;
    }
    fputs(TOOL ": ", stderr);
    tool_text(stderr, exc->type, strlen(exc->type));
    fputs(": ", stderr);
    tool_text(stderr, exc->message, strlen(exc->message));
    fputc('\n', stderr);
    while (*line != 0) {
        size_t n = strcspn(line, "\n");

        fputs("  in ", stderr);
        tool_text(stderr, line, n);
        fputc('\n', stderr);
        line += n + (line[n] == '\n');
    }
    return TOOL_FAILED;
}

#endif /* TOOL_H */
