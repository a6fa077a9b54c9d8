/* Counting cars: a road on which cars of some colours pass. Start an event
 * service first: pyro-es -N
 * Build: cc -o cars cars.c        Run: ./cars [CARS [URI]] */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(1, 3, 512, 0) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;

static const char *const subjects[] = { "cars.red", "cars.green", "cars.blue",
                                        "cars.black" };

int main(int argc, char **argv)
{
    int         cars = argc > 1 ? atoi(argv[1]) : 1000;
    const char *uri =
        argc > 2 ? argv[2] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    uint32_t random = 1;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (!err) err = pyro_es_open(&es, &node, uri, NULL, NULL);
    for (int i = 1; i <= cars && !err; i++) {
        random = random * 1664525u + 1013904223u;
        err = pyro_es_publish_wait(
            &es, subjects[(random >> 16) % PYRO_COUNT(subjects)], pyro_int(i));
        if (!err) err = pyro_poll(&node, 20);
    }
    if (err)
        fprintf(stderr, "cars: %s\n", pyro_err_text(err));
    else
        printf("%d cars have passed\n", cars);
    pyro_close(&node);
    return err != PYRO_OK;
}
