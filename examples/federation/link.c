/* Federation: links two event services. What is published at either is heard
 * at both, and nothing goes round: it subscribes with PYRO_ES_OTHERS, so no
 * service gives back what came from here.
 * Build: cc -o link link.c
 * Run: ./link EVENTS URI URI [PATTERN...]
 *      ./link 0 PYRO://127.0.0.1:7766/:Pyro.EventService \
 *               PYRO://127.0.0.1:7767/:Pyro.EventService 'sensor.**'
 * It ends after so many events (0: never). Any number of services can be
 * linked, as a tree: one way from each to each other. A service that goes away
 * is joined again when it is back; what the other one publishes meanwhile is
 * not kept for it, and the program says how much that was. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(2, 8, 4096, 2) room; /* links, buffers, bytes, objects */
static pyro_daemon node;

static struct side {
    const char  *name;
    struct side *other;
    pyro_es      es;
    uint32_t     lost;   /* on the way here */
    uint32_t     failed; /* could not be passed on to here */
} sides[2] = { { "a", &sides[1], { 0 }, 0, 0 },
               { "b", &sides[0], { 0 }, 0, 0 } };

/* Passes an event on as it is. A service stamps it with its own time. */
static void on_event(void *user, const pyro_es_event *event)
{
    struct side *from = (struct side *)user;
    struct side *to = from->other;
    uint32_t     n;
    const void  *message = pyro_get_raw(event->message, &n);
    pyro_err     err =
        pyro_es_publish(&to->es, event->subject, pyro_raw(message, n));

    if (err && to->failed++ == 0)
        fprintf(stderr, "link: to %s: %s\n", to->name, pyro_err_text(err));
    if (event->lost != from->lost)
        fprintf(stderr, "link: %u events of %s were lost\n",
                (unsigned)(event->lost - from->lost), from->name);
    from->lost = event->lost;
    if (err) return;
    if (to->failed > 0)
        fprintf(stderr, "link: %u events did not get to %s\n",
                (unsigned)to->failed, to->name);
    to->failed = 0;
    printf("%s to %s: %s\n", from->name, to->name, event->subject);
    fflush(stdout);
}

static pyro_err join(struct side *s, const char *uri, int n, char **patterns)
{
    pyro_err err = pyro_es_open(&s->es, &node, uri, on_event, s);

    for (int i = 0; i < n && !err; i++)
        err = pyro_es_subscribe(&s->es, patterns[i], PYRO_ES_OTHERS);
    if (err == PYRO_ERR_REMOTE)
        fprintf(stderr, "link: %s\n",
                pyro_exception(pyro_es_proxy(&s->es))->message);
    return err;
}

int main(int argc, char **argv)
{
    static char  everything[] = "**";
    static char *all[] = { everything };
    char       **patterns = argc > 4 ? argv + 4 : all;
    int          n = argc > 4 ? argc - 4 : 1;
    uint32_t     most;
    pyro_err     err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (argc < 4) {
        fputs("usage: link EVENTS URI URI [PATTERN...]\n", stderr);
        return 2;
    }
    most = (uint32_t)atoi(argv[1]);
    for (int i = 0; i < 2 && !err; i++)
        err = join(&sides[i], argv[2 + i], n, patterns);
    if (!err && puts("linked") >= 0) fflush(stdout);
    while (!err
           && (most == 0 || sides[0].es.events + sides[1].es.events < most))
        err = pyro_poll(&node, -1);
    if (!err) pyro_flush(&node);
    if (err) fprintf(stderr, "link: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
