/* names.c: what names cost.
 * Usage: names resolve|lookup10k TURNS
 *
 *   resolve    blocking resolve of a name, one of 50, against a blocking
 *              add(2, 3), both of the same daemon: two processes, TCP on
 *              loopback, built as a user would build it
 *   lookup10k  resolving one of 10,000 names inside of the name server,
 *              without a connection, against one of 10
 * The two take turns of a millisecond each. Every result is checked; a wrong
 * one ends the run. Prints both in operations per second. */

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
#include "../../pyro_ns.h"

enum { SHARED = 50, FEW = 10, MANY = 10000 };

static PYRO_ROOM(4, 8, 8192, 4) room;
static PYRO_NS_ROOM(MANY + 10, 800000) many_room;
static PYRO_NS_ROOM(FEW + 10, 2000) few_room;

static pyro_config           config;
static pyro_daemon           node;
static pyro_ns_server        many, few;
static pyro_ns_server_config ns_config;
static pyro_proxy            ns, calc;
static pid_t                 child;

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "names: %s: %s\n", what,
            node.why.text != NULL ? node.why.text : "-");
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

/* ---- turns ---- */

typedef size_t (*turn_fn)(double end);

static void take_turns(turn_fn floor, turn_fn library, int turns)
{
    double ops[2] = { 0, 0 };
    double took[2] = { 0, 0 };
    int    i;

    for (i = 0; i < 2 * turns; i++) {
        double begin = seconds();
        size_t n = (i % 2 == 0 ? floor : library)(begin + 0.001);

        took[i % 2] += seconds() - begin;
        ops[i % 2] += (double)n;
    }
    printf("%.0f %.0f\n", ops[0] / took[0], ops[1] / took[1]);
}

/* ---- calls ---- */

static void calc_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, (int64_t)a + b);
}

static const pyro_method calc_methods[] = {
    { "add", calc_add, "ii", "i", 0 },
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(calc_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void print_name(unsigned i, char name[32])
{
    snprintf(name, 32, ":Default.sensor-%u", i);
}

static void print_uri(unsigned i, char uri[48])
{
    snprintf(uri, 48, "PYRO://192.168.17.5:7766/sensor-%u", i);
}

static void open_node(void)
{
    config.dead_ms = PYRO_NEVER;
    need(pyro_open(&node, PYRO_ROOM_OF(room), &config) == PYRO_OK, "open");
}

/* Tells its address through `out`, then serves until it is killed. */
static void serve(int out)
{
    static int c;
    char       at[64];

    open_node();
    need(pyro_listen(&node, pyro_posix(), "127.0.0.1:0") == PYRO_OK, "listen");
    need(pyro_export(&node, &calc_class, &c, "calc") == PYRO_OK, "export");
    need(pyro_ns_serve(&many, &node, PYRO_NS_ROOM_OF(many_room), &ns_config)
             == PYRO_OK,
         "name server");
    need(pyro_listening(&node, 0, at, sizeof at) == PYRO_OK, "address");
    if (write(out, at, sizeof at) != sizeof at)
        exit(1);
    for (;;)
        need(pyro_poll(&node, -1) == PYRO_OK, "serve");
}

static size_t adds(double end)
{
    size_t  ops;
    int32_t sum;

    for (ops = 0; ops % 8 != 0 || seconds() < end; ops++) {
        sum = 0;
        need(pyro_invoke(&calc, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                         pyro_to_i32(&sum))
                     == PYRO_OK
                 && sum == 5,
             "add");
    }
    return ops;
}

static size_t resolves(double end)
{
    static char names[SHARED][32];
    char        uri[PYRO_URI_BYTES];
    char        right[48];
    unsigned    i = 0;
    size_t      ops;

    for (i = 0; i < SHARED && names[0][0] == 0; i++)
        print_name(SHARED - i, names[SHARED - 1 - i]);
    for (ops = 0; ops % 8 != 0 || seconds() < end; ops++) {
        i = (i + 7) % SHARED;
        need(pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_str(names[i])),
                         pyro_to_str(uri, sizeof uri))
                 == PYRO_OK,
             "resolve");
    }
    print_uri(i + 1, right);
    need(strcmp(uri, right) == 0, "resolve gave another URI");
    return ops;
}

static void measure_calls(int turns)
{
    static char ns_uri[96];
    static char calc_uri[96];
    char        at[64], name[32], uri[48];
    int         ends[2];
    unsigned    i;

    need(pipe(ends) == 0 && (child = fork()) >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        serve(ends[1]);
    }
    atexit(stop_child);
    close(ends[1]);
    need(read(ends[0], at, sizeof at) == sizeof at, "the daemon");
    open_node();
    snprintf(ns_uri, sizeof ns_uri, "PYRO://%s/%s", at, PYRO_NS_NAME);
    snprintf(calc_uri, sizeof calc_uri, "PYRO://%s/calc", at);
    need(pyro_proxy_open(&ns, &node, ns_uri) == PYRO_OK
             && pyro_proxy_open(&calc, &node, calc_uri) == PYRO_OK,
         "proxies");
    for (i = 1; i <= SHARED; i++) {
        print_name(i, name);
        print_uri(i, uri);
        need(pyro_invoke(&ns, "register",
                         PYRO_ARGS(pyro_str(name), pyro_str(uri)),
                         pyro_to_none())
                 == PYRO_OK,
             "register");
    }
    take_turns(adds, resolves, turns);
}

/* ---- lookups ---- */

static char lookup_names[MANY][32];

/* Registers the first n names as a call would. */
static void fill(pyro_ns_server *server, unsigned n)
{
    pyroi_ns_entry e;
    char           uri[48];
    unsigned       i;

    memset(&e, 0, sizeof e);
    for (i = 0; i < n; i++) {
        print_uri(i, uri);
        e.name = lookup_names[i];
        e.name_n = (uint32_t)strlen(e.name);
        e.uri = uri;
        e.uri_n = (uint32_t)strlen(uri);
        e.version = pyroi_ns_stamp(server);
        need(pyroi_ns_lacks(server, server->room_.n_nodes, &e) == NULL,
             "no room");
        pyroi_ns_set(server, server->room_.n_nodes, &e);
    }
    need(pyro_ns_check(server) == NULL, "the tables are not in order");
}

/* What the method `resolve` does, once its arguments are there. */
static size_t lookups(pyro_ns_server *server, unsigned n, double end)
{
    static unsigned i;
    uint8_t         args[64], result[96];
    pyro_call       call;
    size_t          ops;

    memset(&call, 0, sizeof call);
    call.node = &node;
    for (ops = 0; ops % 256 != 0 || seconds() < end; ops++) {
        const char *name = lookup_names[i = (i + 7919) % n];
        size_t      length = strlen(name);

        args[0] = (uint8_t)(0xA0 | length);
        memcpy(args + 1, name, length);
        call.args = pyro_reader_of(args, length + 1);
        call.result = pyro_writer_of(result, sizeof result, 1);
        pyroi_ns_resolve(server, &call);
        if (result[0] != 0xD9
            || memcmp(result + 2, "PYRO://192.168.17.5:", 20) != 0)
            need(false, "a name is not found");
    }
    return ops;
}

static size_t lookups_few(double end)
{
    return lookups(&few, FEW, end);
}

static size_t lookups_many(double end)
{
    return lookups(&many, MANY, end);
}

static void measure_lookups(int turns)
{
    unsigned i;

    for (i = 0; i < MANY; i++)
        print_name(i, lookup_names[i]);
    open_node();
    ns_config.no_broadcast = true;
    need(pyro_ns_serve(&many, &node, PYRO_NS_ROOM_OF(many_room), &ns_config)
             == PYRO_OK,
         "10,000 names");
    fill(&many, MANY);
    pyro_withdraw(&node, &many);
    need(pyro_ns_serve(&few, &node, PYRO_NS_ROOM_OF(few_room), &ns_config)
             == PYRO_OK,
         "10 names");
    fill(&few, FEW);
    take_turns(lookups_few, lookups_many, turns);
}

int main(int argc, char **argv)
{
    ns_config.no_broadcast = true;
    alarm(30);
    if (argc == 3 && strcmp(argv[1], "resolve") == 0) {
        measure_calls(atoi(argv[2]));
    } else if (argc == 3 && strcmp(argv[1], "lookup10k") == 0) {
        measure_lookups(atoi(argv[2]));
    } else {
        fprintf(stderr, "usage: names resolve|lookup10k TURNS\n");
        return 2;
    }
    return 0;
}
