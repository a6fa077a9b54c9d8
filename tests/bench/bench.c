/* bench.c: the library doing what floor.c does with bare sockets.
 * Usage: bench add|echo64k|clients200|oneway MS
 *
 * A daemon and a client, two processes, over TCP on loopback, through the
 * public API and nothing else, built as a user would build it. Every result
 * is checked; a wrong one ends the run. What is measured:
 *   add         add(2, 3) on `calc`, a blocking call, in turns: 22 bytes there
 *               and 9 back
 *   echo64k     echo of 64 KiB of bytes, a blocking call
 *   clients200  200 connections of one process, each with one add in flight;
 *               the callback of each begins the next
 *   oneway      one(2, 3), 22 bytes each; the handler counts; it ends when
 *               the daemon has said that all have been dispatched
 * Both sides wait without limit (pyro_poll(node, -1)) and without keep-alive
 * (dead_ms = PYRO_NEVER), as the floor does; all else is the default. A proxy
 * shares its connection with every other to the same address, so the 200 go
 * to 127.0.0.1 to 127.0.0.200; the floor does the same.
 * Prints operations and seconds. getppid() marks begin and end for strace. */

#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

enum { MANY = 200, BLOB = 65536, MARGIN = 64 };

typedef struct client {
    pyro_proxy   proxy;
    pyro_request rq;
    char         uri[64];
    int32_t      sum;
    bool         idle; /* could not begin: to be tried again */
} client;

static PYRO_ROOM(MANY + 4, 8, 8192, 4) small_room;
static PYRO_ROOM(4, 4, BLOB + MARGIN, 4) big_room;

static pyro_config config;
static pyro_daemon node;
static client      clients[MANY];
static size_t      done;
static char        blob[BLOB];
static char        back[BLOB];
static pid_t       child;

static void need(pyro_err err, const char *what)
{
    if (err == PYRO_OK)
        return;
    fprintf(stderr, "bench: %s: %s: %s (is %lu, limit %lu)\n", what,
            pyro_err_text(err), node.why.text != NULL ? node.why.text : "-",
            (unsigned long)node.why.is, (unsigned long)node.why.limit);
    exit(1);
}

static void need_sum(int32_t sum, const char *what)
{
    if (sum == 5)
        return;
    fprintf(stderr, "bench: %s: 2 + 3 is %ld\n", what, (long)sum);
    exit(1);
}

/* The daemon ends with the client, whatever ended that. */
static void stop_child(void)
{
    kill(child, SIGKILL);
    wait(NULL);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the daemon ---- */

typedef struct calc {
    int32_t ones;
} calc;

static void calc_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, (int64_t)a + b);
}

static void calc_echo(void *self, pyro_call *call)
{
    uint32_t    n;
    const void *data = pyro_get_bin(&call->args, &n);

    (void)self;
    pyro_put_bin(&call->result, data, n);
}

static void calc_one(void *self, pyro_call *call)
{
    calc   *c = self;
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    if (a + b == 5)
        c->ones++;
}

static void calc_count(void *self, pyro_call *call)
{
    pyro_put_int(&call->result, ((calc *)self)->ones);
}

static const pyro_method calc_methods[] = {
    { "add", calc_add, "ii", "i", 0 },
    { "echo", calc_echo, "y", "y", 0 },
    { "one", calc_one, "ii", "", PYRO_ONEWAY },
    { "count", calc_count, "", "i", 0 },
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(calc_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void open_node(bool big)
{
    config.dead_ms = PYRO_NEVER;
    need(big ? pyro_open(&node, PYRO_ROOM_OF(big_room), &config)
             : pyro_open(&node, PYRO_ROOM_OF(small_room), &config),
         "open");
}

/* Tells its address through `out`, then serves until it is killed. */
static void serve(int out, bool big)
{
    static calc c;
    char        at[64];

    open_node(big);
    need(pyro_listen(&node, pyro_posix(), "0.0.0.0:0"), "listen");
    need(pyro_export(&node, &calc_class, &c, "calc"), "export");
    need(pyro_listening(&node, 0, at, sizeof at), "address");
    if (write(out, at, sizeof at) != sizeof at)
        exit(1);
    for (;;)
        need(pyro_poll(&node, -1), "serve");
}

/* ---- the clients ---- */

static void call_add(client *c)
{
    c->sum = 0;
    need(pyro_invoke(&c->proxy, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                     pyro_to_i32(&c->sum)),
         "add");
    need_sum(c->sum, "add");
}

static size_t adds(double end)
{
    size_t ops;

    for (ops = 0; ops % 16 != 0 || seconds() < end; ops++)
        call_add(&clients[0]);
    return ops;
}

static size_t echoes(double end)
{
    size_t ops;

    for (ops = 0; ops % 16 != 0 || seconds() < end; ops++) {
        pyro_blob to = { back, sizeof back, 0 };

        blob[ops % BLOB]++;
        need(pyro_invoke(&clients[0].proxy, "echo",
                         PYRO_ARGS(pyro_bin(blob, BLOB)), pyro_to_bin(&to)),
             "echo");
        if (to.used != BLOB || back[ops % BLOB] != blob[ops % BLOB])
            need(PYRO_ERR_DATA, "echo");
    }
    if (memcmp(blob, back, BLOB) != 0)
        need(PYRO_ERR_DATA, "echo, bytes");
    return ops;
}

static void begin_add(client *c);

static void on_add(void *user, pyro_request *rq, pyro_err err,
                   pyro_reader *result)
{
    client *c = user;

    (void)rq;
    (void)result;
    need(err, "add in flight");
    need_sum(c->sum, "add in flight");
    done++;
    begin_add(c);
}

static void begin_add(client *c)
{
    pyro_err err = pyro_begin(&c->rq, &c->proxy, "add");

    c->idle = err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY;
    if (c->idle)
        return;
    need(err, "begin");
    pyro_put_int(&c->rq.args, 2);
    pyro_put_int(&c->rq.args, 3);
    c->sum = 0;
    need(pyro_send(&c->rq, pyro_to_i32(&c->sum), on_add, c), "send");
}

static size_t flights(double end)
{
    unsigned i;

    for (i = 0; i < MANY; i++)
        begin_add(&clients[i]);
    while (seconds() < end) {
        need(pyro_poll(&node, -1), "poll");
        for (i = 0; i < MANY; i++)
            if (clients[i].idle)
                begin_add(&clients[i]);
    }
    return done;
}

static size_t stream(double end)
{
    pyro_proxy *proxy = &clients[0].proxy;
    int32_t     count = -1;
    size_t      ops;
    pyro_err    err;

    for (ops = 0; ops % 1024 != 0 || seconds() < end; ops++) {
        while ((err = pyro_oneway(proxy, "one",
                                  PYRO_ARGS(pyro_int(2), pyro_int(3))))
               == PYRO_ERR_NOSPACE)
            need(pyro_poll(&node, -1), "poll");
        need(err, "oneway");
    }
    need(pyro_invoke(proxy, "count", PYRO_NO_ARGS, pyro_to_i32(&count)),
         "count");
    if (count < 0 || (size_t)count != ops) {
        fprintf(stderr, "bench: oneway: sent %lu, dispatched %ld\n",
                (unsigned long)ops, (long)count);
        exit(1);
    }
    return ops;
}

static void connect_to(client *c, unsigned number, const char *address)
{
    snprintf(c->uri, sizeof c->uri, "PYRO://127.0.0.%u%s/calc", number,
             strrchr(address, ':'));
    need(pyro_proxy_open(&c->proxy, &node, c->uri), c->uri);
    call_add(c);
}

typedef struct mode {
    const char *name;
    size_t (*run)(double end);
    unsigned connections;
    bool     big;
} mode;

static const mode modes[] = {
    { "add", adds, 1, false },
    { "echo64k", echoes, 1, true },
    { "clients200", flights, MANY, false },
    { "oneway", stream, 1, false },
};

static void measure(const mode *m, int in, double ms)
{
    char     at[64];
    unsigned i;
    double   begin, end;
    size_t   ops;

    if (read(in, at, sizeof at) != sizeof at) {
        fprintf(stderr, "bench: the daemon did not start\n");
        exit(1);
    }
    open_node(m->big);
    for (i = 0; i < m->connections; i++)
        connect_to(&clients[i], i + 1, at);
    getppid();
    begin = seconds();
    ops = m->run(begin + ms / 1000);
    end = seconds();
    getppid();
    printf("%lu %.6f\n", (unsigned long)ops, end - begin);
}

int main(int argc, char **argv)
{
    const char *name = argc == 3 ? argv[1] : "";
    size_t      i;
    int         ends[2];

    for (i = 0; i < PYRO_COUNT(modes); i++)
        if (strcmp(modes[i].name, name) == 0)
            break;
    if (i == PYRO_COUNT(modes)) {
        fprintf(stderr, "usage: bench add|echo64k|clients200|oneway MS\n");
        return 2;
    }
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        perror("bench");
        return 1;
    }
    alarm(30);
    if (child == 0) {
        close(ends[0]);
        serve(ends[1], modes[i].big);
    }
    atexit(stop_child);
    close(ends[1]);
    measure(&modes[i], ends[0], atof(argv[2]));
    return 0;
}
