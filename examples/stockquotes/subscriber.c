/* Stock quotes: prints those that it is interested in.
 * Build: cc -o subscriber subscriber.c
 * Run: ./subscriber EVENTS URI PATTERN...
 *      ./subscriber 0 PYRO://127.0.0.1:7766/:Pyro.EventService 'stock.*'
 * It ends after so many events (0: never). A pattern that begins with '^' is
 * a regular expression, others may have wildcards. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(1, 4, 512, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;
static uint32_t    lost;

static void on_quote(void *user, const pyro_es_event *event)
{
    uint32_t n = pyro_get_list(event->message, 2);
    double   price = pyro_get_f64(event->message);
    int32_t  shares = pyro_get_i32(event->message);

    (void)user;
    if (event->message->err || n != 2) {
        printf("%-12s is no quote\n", event->subject);
        return;
    }
    printf("%-12s %9.2f  x %4d\n", event->subject, price, (int)shares);
    if (event->lost != lost)
        printf("(%u quotes were lost)\n", (unsigned)(event->lost - lost));
    lost = event->lost;
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    uint32_t most = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;

    if (argc < 4) {
        fputs("usage: subscriber EVENTS URI PATTERN...\n", stderr);
        return 2;
    }
    if (!err) err = pyro_es_open(&es, &node, argv[2], on_quote, NULL);
    for (int i = 3; i < argc && !err; i++)
        err = pyro_es_subscribe(&es, argv[i],
                                argv[i][0] == '^' ? PYRO_ES_MATCH : 0u);
    if (err == PYRO_ERR_REMOTE)
        fprintf(stderr, "subscriber: %s\n",
                pyro_exception(pyro_es_proxy(&es))->message);
    if (!err && puts("listening") >= 0) fflush(stdout);
    while (!err && (most == 0 || es.events < most)) err = pyro_poll(&node, -1);
    if (err) fprintf(stderr, "subscriber: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
