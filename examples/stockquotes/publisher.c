/* Stock quotes: publishes prices that go up and down. Start an event service
 * first: pyro-es -N
 * Build: cc -o publisher publisher.c
 * Run: ./publisher [ROUNDS [URI]]    (without: 1000 rounds, this machine) */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>

static PYRO_ROOM(1, 3, 512, 0) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;

static struct quote {
    const char *subject;
    double      price;
} quotes[] = {
    { "stock.IBM", 88.5 },
    { "stock.Sun", 21.25 },
    { "stock.Cisco", 64.0 },
    { "index.Dow", 9870.0 },
};

/* The same steps each time: 1.5 % up to 1.5 % down. */
static void step(struct quote *q)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    q->price *= 1.0 + ((double)(state >> 16) / 65535.0 - 0.5) * 0.03;
}

/* An event's message is any value: here [price, number of shares]. */
static pyro_err publish(const struct quote *q, int shares)
{
    uint8_t     bytes[32];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_err    err;

    pyro_put_list(&out, 2);
    pyro_put_f64(&out, q->price);
    pyro_put_int(&out, shares);
    err = pyro_writer_end(&out);
    if (err) return err;
    return pyro_es_publish_wait(&es, q->subject,
                                pyro_raw(bytes, (size_t)(out.at - bytes)));
}

int main(int argc, char **argv)
{
    int         rounds = argc > 1 ? atoi(argv[1]) : 1000;
    const char *uri =
        argc > 2 ? argv[2] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (!err) err = pyro_es_open(&es, &node, uri, NULL, NULL);
    for (int i = 0; i < rounds && !err; i++) {
        for (size_t k = 0; k < PYRO_COUNT(quotes) && !err; k++) {
            step(&quotes[k]);
            err = publish(&quotes[k], 100 * (i % 7 + 1));
        }
        if (!err) err = pyro_poll(&node, 100);
    }
    if (err)
        fprintf(stderr, "publisher: %s\n", pyro_err_text(err));
    else
        printf("published %d rounds\n", rounds);
    pyro_close(&node);
    return err != PYRO_OK;
}
