/* serial_host.c - the Linux process at the other end of the line of
 * serial_board.c. Usage: serial_host PATH WHAT [NUMBER]
 *
 *   calls N          N calls, calls back, chains, exceptions, events
 *   hold             is called back and does not return: to be killed
 *   held             what the board made of that
 *   reset MONITOR    resets the board by QEMU's monitor while a call waits
 *   noise CONTROL N  N calls through noise_relay.c, then the noise ends
 *   led              examples/blinky: switches, reads, watches the watchdog
 *   led-starved      the same without food for the watchdog
 *
 * PATH is the Unix socket that is the UART. Prints what it checked; the last
 * line is "N passed, N failed". */
#define PYRO_MAX_NESTING 8
#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../../examples/lib/serial.h"
#include "../../pyro_es.h"
#include "chain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct host {
    pyro_proxy board;
    uint32_t   events;  /* received, in order */
    uint32_t   strange; /* events or arguments that cannot be */
    uint32_t   held;
};

static PYRO_ROOM(1, 20, 256, 2) room;
static pyro_daemon node;
static pyro_serial line;
static struct host host;
static pyro_link   to_board;
static unsigned    passed, failed;

static void check(bool ok, const char *what)
{
    if (ok)
        passed++;
    else
        failed++;
    printf("%-4s %s\n", ok ? "ok" : "FAIL", what);
    fflush(stdout);
}

static void check_err(pyro_err is, pyro_err want, const char *what)
{
    if (is != want)
        printf("     %s, should be: %s; %s\n", pyro_err_text(is),
               pyro_err_text(want), node.why.text ? node.why.text : "");
    check(is == want, what);
}

static int dial(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    for (int turns = 0; fd >= 0 && turns < 500; turns++) {
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            return fd;
        usleep(20000);
    }
    fprintf(stderr, "serial_host: no connection to %s: %s\n", path,
            strerror(errno));
    exit(1);
}

/* ------------------------------------------------------------------------
 * What the board calls
 * ------------------------------------------------------------------------ */

static void host_chain(void *self, pyro_call *call)
{
    (void)self;
    chain(call, "host");
}

static void host_hold(void *self, pyro_call *call)
{
    (void)call;
    ((struct host *)self)->held++;
    puts("held");
    fflush(stdout);
    sleep(60);
}

static void on_event(void *user, const pyro_es_event *event)
{
    struct host *h = (struct host *)user;

    if (event->lost != 0 || strcmp(event->subject, "board.tick") != 0
        || pyro_get_i64(event->message) != (int64_t)h->events
        || event->n != h->events + 1)
        h->strange++;
    h->events++;
}

static const pyro_method methods[] = {
    { "chain", host_chain, "Ui", "i", 0 },
    { "hold", host_hold, "", "", 0 },
};
static const pyro_class host_class = { "Host", PYRO_METHODS(methods),
                                       NULL,   0,
                                       NULL,   0 };

/* ------------------------------------------------------------------------
 * Calling the board
 * ------------------------------------------------------------------------ */

static pyro_err add(int32_t a, int32_t b, int32_t *sum)
{
    return pyro_invoke(&host.board, "add", PYRO_ARGS(pyro_int(a), pyro_int(b)),
                       pyro_to_i32(sum));
}

/* Polls until *n is at least want, at most ms. */
static void until(const uint32_t *n, uint32_t want, uint32_t ms)
{
    uint32_t begin = pyro_now(&node);

    while (*n < want && pyro_now(&node) - begin < ms)
        pyro_poll(&node, 10);
}

static void call_back(void)
{
    int32_t  n = -1;
    pyro_err err;

    for (int deep = 0; deep <= 5; deep++) {
        err = pyro_invoke(&host.board, "chain",
                          PYRO_ARGS(pyro_here("host"), pyro_int(deep)),
                          pyro_to_i32(&n));
        if (err != PYRO_OK || n != deep)
            break;
    }
    check_err(err, PYRO_OK, "board and host call each other, five deep");
    check(n == 5, "each of them counted");
}

static void exceptions(void)
{
    int32_t  sum = 77;
    pyro_err err = pyro_invoke(&host.board, "add", PYRO_ARGS(pyro_str("x")),
                               pyro_to_i32(&sum));

    check_err(err, PYRO_ERR_REMOTE, "wrong arguments raise");
    check(strcmp(pyro_exception(&host.board)->type, "TypeError") == 0
              && sum == 77,
          "a TypeError");
}

static void events(void)
{
    pyro_es  es;
    pyro_err err = pyro_es_at(&es, &node, to_board, on_event, &host);

    if (!err)
        err = pyro_es_subscribe(&es, "board.*", 0);
    check_err(err, PYRO_OK, "the host subscribes at the board");
    if (!err)
        err = pyro_invoke(&host.board, "emit", PYRO_ARGS(pyro_int(50)),
                          pyro_to_none());
    until(&host.events, 50, 10000);
    check(err == PYRO_OK && host.events == 50 && host.strange == 0,
          "the board's 50 events come, in order, none is missing");
    pyro_es_close(&es);
}

static void calls(int n)
{
    int      good = 0;
    int32_t  sum = 0;
    uint32_t added = 0;
    pyro_err err = PYRO_OK;

    for (int i = 0; i < n && err == PYRO_OK; i++) {
        err = add(i, 1000 * i, &sum);
        good += err == PYRO_OK && sum == 1001 * i;
    }
    check_err(err, PYRO_OK, "calls");
    check(good == n, "every result is right");
    err = pyro_getattr(&host.board, "added", pyro_to_i32((int32_t *)&added));
    check(err == PYRO_OK && added == (uint32_t)n, "each call ran once");
    exceptions();
    call_back();
    events();
    check(line.bad == 0 && line.gaps == 0, "no packet was damaged");
}

static void hold(void)
{
    pyro_err err =
        pyro_oneway(&host.board, "hold", PYRO_ARGS(pyro_here("host")));

    check_err(err, PYRO_OK, "the board is asked to call");
    until(&host.held, 1, 20000);
}

static void held(void)
{
    int32_t  sum = 0, how = -1;
    pyro_err err = add(20, 22, &sum);

    check_err(err, PYRO_OK, "the next process is served");
    check(sum == 42, "its result is right");
    err = pyro_getattr(&host.board, "held", pyro_to_i32(&how));
    check(err == PYRO_OK && how == PYRO_ERR_CLOSED,
          "the board's call to the killed process ended with CLOSED");
}

static void reset(const char *monitor)
{
    int          fd = dial(monitor);
    int32_t      boots = 0, again = 0, sum = 0;
    pyro_request rq;
    pyro_err     err = pyro_getattr(&host.board, "boots", pyro_to_i32(&boots));

    check_err(err, PYRO_OK, "the board is there");
    err = pyro_begin(&rq, &host.board, "never");
    if (!err) {
        pyro_deadline(&rq, 30000);
        err = pyro_send(&rq, pyro_to_none(), NULL, NULL);
    }
    check_err(err, PYRO_OK, "a call that is never answered");
    for (int i = 0; i < 30; i++)
        pyro_poll(&node, 10);
    check(!pyro_done(&rq), "it waits");
    if (write(fd, "system_reset\n", 13) != 13)
        exit(1);
    for (int i = 0; i < 30; i++)
        pyro_poll(&node, 10);
    for (int i = 0; i < 20 && add(20, 22, &sum) != PYRO_OK; i++)
        ;
    check(sum == 42, "the board is back and is called");
    check(pyro_done(&rq), "the call that waited has ended");
    check_err(pyro_result(&rq), PYRO_ERR_CLOSED, "with CLOSED");
    err = pyro_getattr(&host.board, "boots", pyro_to_i32(&again));
    printf("     %d boots, then %d\n", (int)boots, (int)again);
    check_err(err, PYRO_OK, "its boots are read");
    check(again == boots + 1, "the board has booted anew");
    close(fd);
}

/* ------------------------------------------------------------------------
 * Noise. The relay spoils bytes until it is told to stop, by closing its
 * second socket. Results are unlike each other, so that none fits another
 * call.
 * ------------------------------------------------------------------------ */

enum {
    FEWEST_BAD = 10, /* packets seen as damaged, or this proved nothing */
    FRAMES_BACK = 4  /* until an answer: greetings both ways, call, result */
};

/* Good ones received, and sent; short frames are one each. */
static uint32_t packets(void)
{
    static uint32_t sent;

    sent += (line.tx_seq_ - sent) & 0x7Fu;
    return line.packets + sent;
}

static void noise(const char *control, int n)
{
    int      fd = dial(control);
    unsigned good = 0, wrong = 0, gone = 0;
    int32_t  sum = 0;
    int32_t  strange = 1;
    uint32_t spoilt, frames;

    host.board.timeout_ms = 150;
    for (int i = 0; i < n; i++) {
        pyro_err err = add(7919 * i, i, &sum);

        if (err != PYRO_OK)
            gone++;
        else if (sum == 7920 * i)
            good++;
        else
            wrong++;
    }
    spoilt = line.bad + line.lost + line.gaps;
    printf("     %u calls answered, %u not, %u damaged packets here, %u "
           "greetings anew\n",
           good, gone, (unsigned)spoilt, (unsigned)node.stats.restarts);
    check(wrong == 0, "no result was wrong");
    check(good > 0, "calls got through");
    check(gone > 0 && spoilt >= FEWEST_BAD, "the line was bad enough");
    close(fd); /* the noise ends */
    usleep(300000);
    host.board.timeout_ms = 3000;
    until(&host.held, 1, 300); /* what was on its way has come */
    spoilt = line.bad + line.lost + line.gaps;
    frames = packets();
    check_err(add(7919 * n, n, &sum), PYRO_OK,
              "the first call after the noise");
    frames = packets() - frames;
    printf("     back after %u frames\n", (unsigned)frames);
    check(sum == 7920 * n && frames <= FRAMES_BACK,
          "no more frames than stated");
    check(spoilt == line.bad + line.lost + line.gaps, "none of them is lost");
    for (int i = n; i < n + 100 && sum == 7920 * i; i++)
        (void)add(7919 * (i + 1), i + 1, &sum);
    check(sum == 7920 * (n + 100), "a hundred calls after the noise");
    check_err(pyro_getattr(&host.board, "strange", pyro_to_i32(&strange)),
              PYRO_OK, "the board is asked");
    check(strange == 0, "it has taken no argument that was not sent");
}

/* ------------------------------------------------------------------------
 * examples/blinky
 * ------------------------------------------------------------------------ */

static void led(void)
{
    bool     on = false;
    int32_t  boots = 0;
    pyro_err err = PYRO_OK;

    for (int i = 0; i < 10 && !err; i++) {
        bool want = i % 2 == 0;

        err = pyro_invoke(&host.board, "set", PYRO_ARGS(pyro_bool(want)),
                          pyro_to_none());
        if (!err)
            err = pyro_getattr(&host.board, "on", pyro_to_bool(&on));
        if (!err && on != want)
            err = PYRO_ERR_DATA;
    }
    check_err(err, PYRO_OK, "the LED is switched, and says so");
    until(&host.events, 1, 2500);
    err = pyro_getattr(&host.board, "boots", pyro_to_i32(&boots));
    check(err == PYRO_OK && boots == 1, "a watchdog that is fed is quiet");
}

static void starved(void)
{
    int32_t  boots = 0;
    pyro_err err;

    until(&host.events, 1, 2500);
    err = pyro_getattr(&host.board, "boots", pyro_to_i32(&boots));
    for (int i = 0; i < 20 && err != PYRO_OK; i++) /* while it boots */
        err = pyro_getattr(&host.board, "boots", pyro_to_i32(&boots));
    check(err == PYRO_OK && boots > 1,
          "one that is not starts the board anew");
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[2] : "";
    const char *object = strncmp(what, "led", 3) == 0 ? "led" : "board";
    pyro_err    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (argc < 3)
        return 2;
    pyro_serial_open(&line, pyro_posix());
    if (!err)
        err = pyro_adopt(&node, &line.port, dial(argv[1]), &to_board);
    if (!err)
        err = pyro_export(&node, &host_class, &host, "host");
    if (!err)
        err = pyro_proxy_at(&host.board, &node, to_board, object,
                            strlen(object));
    check_err(err, PYRO_OK, "opened");
    host.board.timeout_ms = 10000;
    if (strcmp(what, "calls") == 0)
        calls(atoi(argv[3]));
    else if (strcmp(what, "hold") == 0)
        hold();
    else if (strcmp(what, "held") == 0)
        held();
    else if (strcmp(what, "reset") == 0)
        reset(argv[3]);
    else if (strcmp(what, "noise") == 0)
        noise(argv[3], atoi(argv[4]));
    else if (strcmp(what, "led") == 0)
        led();
    else
        starved();
    pyro_close(&node);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
