/* Dashboard: sensors that measure something. Start an event service first:
 * pyro-es -N
 * Build: cc -o sensors sensors.c        Run: ./sensors [ROUNDS [URI]] */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(1, 3, 512, 0) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;

/* Goes up from low to high and down again, in `period` rounds. */
static const struct sensor {
    const char *subject;
    double      low;
    double      high;
    int         period;
} sensors[] = {
    { "sensor.boiler.temp", 55.0, 82.0, 40 },
    { "sensor.boiler.pressure", 1.2, 2.1, 23 },
    { "sensor.hall.temp", 17.0, 22.5, 97 },
    { "sensor.roof.wind", 0.0, 14.0, 13 },
};

static double measure(const struct sensor *s, int round)
{
    int at = round % s->period;
    int up = 2 * at < s->period ? 2 * at : 2 * (s->period - at);

    return s->low + (s->high - s->low) * up / s->period;
}

int main(int argc, char **argv)
{
    int         rounds = argc > 1 ? atoi(argv[1]) : 10000;
    const char *uri =
        argc > 2 ? argv[2] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (!err) err = pyro_es_open(&es, &node, uri, NULL, NULL);
    for (int i = 0; i < rounds && !err; i++) {
        for (size_t k = 0; k < PYRO_COUNT(sensors) && !err; k++)
            err = pyro_es_publish_wait(&es, sensors[k].subject,
                                       pyro_f64(measure(&sensors[k], i)));
        if (!err) err = pyro_poll(&node, 50);
    }
    if (err)
        fprintf(stderr, "sensors: %s\n", pyro_err_text(err));
    else
        printf("measured %d times\n", rounds);
    pyro_close(&node);
    return err != PYRO_OK;
}
