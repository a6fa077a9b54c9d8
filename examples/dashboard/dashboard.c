/* Dashboard: sensors in the terminal, each with a small graph.
 * Build: cc -o dashboard dashboard.c
 * Run: ./dashboard [FRAMES [URI]]    (0 frames: until it is interrupted)
 * Every 200 ms a frame. It begins with the last values that the service has,
 * and of what it would be late for it asks for the newest only. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 16, COLUMNS = 32, FRAME_MS = 200 };

static PYRO_ROOM(1, 4, 512, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;
static pyro_timer  timer;
static int         frames;

static struct row {
    char     subject[PYRO_ES_MAX_SUBJECT + 1];
    double   values[COLUMNS]; /* round and round */
    unsigned n;               /* values so far */
} rows[ROWS];

/* The row of a subject; NULL: there are more sensors than rows. */
static struct row *row_of(const char *subject)
{
    struct row *r = rows;

    while (r < rows + ROWS && r->n > 0 && strcmp(r->subject, subject) != 0)
        r++;
    if (r == rows + ROWS) return NULL;
    if (r->n == 0) snprintf(r->subject, sizeof r->subject, "%s", subject);
    return r;
}

static void on_value(void *user, const pyro_es_event *event)
{
    double      v = pyro_get_f64(event->message);
    struct row *r = row_of(event->subject);

    (void)user;
    if (event->message->err || r == NULL) return;
    r->values[r->n++ % COLUMNS] = v;
}

/* One of eight blocks for each of the latest values, between their least and
 * their greatest. */
static void draw(const struct row *r)
{
    static const char *const blocks[] = { "▁", "▂", "▃", "▄",
                                          "▅", "▆", "▇", "█" };
    unsigned                 n = r->n < COLUMNS ? r->n : COLUMNS;
    double                   low = r->values[0], high = low;

    for (unsigned i = 0; i < n; i++) {
        if (r->values[i] < low) low = r->values[i];
        if (r->values[i] > high) high = r->values[i];
    }
    printf("%-24.24s %9.2f  ", r->subject, r->values[(r->n - 1) % COLUMNS]);
    for (unsigned i = r->n - n; i < r->n; i++) {
        double part = (r->values[i % COLUMNS] - low) / (high - low);

        fputs(blocks[high > low ? (int)(part * 7.0 + 0.5) : 0], stdout);
    }
    printf("%*s  %.2f to %.2f\n", (int)(COLUMNS - n), "", low, high);
}

static void on_frame(void *user, pyro_daemon *d)
{
    (void)user;
    pyro_timer_set(d, &timer, FRAME_MS);
    if (isatty(1)) fputs("\033[H\033[J", stdout);
    for (unsigned i = 0; i < ROWS && rows[i].n > 0; i++) draw(&rows[i]);
    printf("%u values, %u lost%s\n", (unsigned)es.events, (unsigned)es.lost,
           es.again > 0 ? ", the connection was lost" : "");
    fflush(stdout);
    frames++;
}

int main(int argc, char **argv)
{
    int         most = argc > 1 ? atoi(argv[1]) : 0;
    const char *uri =
        argc > 2 ? argv[2] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (!err) err = pyro_es_open(&es, &node, uri, on_value, NULL);
    if (!err)
        err =
            pyro_es_subscribe(&es, "sensor.**", PYRO_ES_LATEST | PYRO_ES_LAST);
    timer.fn = on_frame;
    if (!err) pyro_timer_set(&node, &timer, FRAME_MS);
    while (!err && (most == 0 || frames < most)) err = pyro_poll(&node, -1);
    if (err) fprintf(stderr, "dashboard: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
