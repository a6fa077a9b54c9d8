/* Counting cars: counts those of one colour, and when it has seen enough of
 * them, changes to the next colour, from inside of the event.
 * Build: cc -o counter counter.c        Run: ./counter [CARS [URI]] */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(1, 5, 512, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;

static const char *const colours[] = { "cars.red", "cars.green", "cars.blue" };

static struct {
    unsigned colour;
    int      count; /* cars of it */
    int      most;
    pyro_err err;
} counter;

/* The service may have sent cars of the last colour before it heard that we
 * count another one: those do not count. */
static void on_car(void *user, const pyro_es_event *event)
{
    int32_t number = pyro_get_i32(event->message);

    (void)user;
    if (counter.colour == PYRO_COUNT(colours)
        || strcmp(event->subject, colours[counter.colour]) != 0)
        return;
    printf("%-10s %2d (car %d)\n", event->subject, ++counter.count,
           (int)number);
    fflush(stdout);
    if (counter.count < counter.most) return;
    counter.err = pyro_es_unsubscribe(&es, colours[counter.colour++]);
    counter.count = 0;
    if (!counter.err && counter.colour < PYRO_COUNT(colours))
        counter.err = pyro_es_subscribe(&es, colours[counter.colour], 0);
}

int main(int argc, char **argv)
{
    const char *uri =
        argc > 2 ? argv[2] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    counter.most = argc > 1 ? atoi(argv[1]) : 5;
    if (!err) err = pyro_es_open(&es, &node, uri, on_car, NULL);
    if (!err) err = pyro_es_subscribe(&es, colours[0], 0);
    if (!err && puts("counting") >= 0) fflush(stdout);
    while (!err && counter.colour < PYRO_COUNT(colours)) {
        err = pyro_poll(&node, -1);
        if (!err) err = counter.err;
    }
    if (err)
        fprintf(stderr, "counter: %s\n", pyro_err_text(err));
    else
        puts("enough of each colour");
    pyro_close(&node);
    return err != PYRO_OK;
}
