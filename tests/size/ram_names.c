/* What a name costs a name server in RAM: registers names in rooms that are
 * made smaller until one does not fit, for many names and for half as many;
 * the difference is what a name costs, its share of all tables included.
 * Fails when that is more than the name, its URI and 16 bytes. */
#define PYRO_IMPLEMENTATION
#include "../../pyro_ns.h"

#include "../loopback.h"

#include <stdlib.h>

enum { MOST = 400, BYTES = 64 * 1024, PROMISED = 16 };

static struct loop_net net;
static pyro_port       port;
static pyro_config     config = { .port = &port };
static PYRO_ROOM(3, 8, 300, 2) room;
static pyro_daemon           node; /* calls itself */
static pyro_proxy            proxy;
static pyro_ns_server        server;
static pyro_ns_server_config ns_config = { .no_broadcast = true };

static PYRO_NS_ROOM(MOST + 8, BYTES) names;

static void die(const char *what)
{
    fprintf(stderr, "ram_names: %s\n", what);
    exit(1);
}

/* Text of the name number i and its URI; their length together. */
static size_t texts(unsigned i, char name[32], char uri[64])
{
    snprintf(name, 32, ":Default.sensor-%03u", i);
    snprintf(uri, 64, "PYRO://192.168.17.%u:7766/sensor-%03u", 100 + i % 100,
             i);
    return strlen(name) + strlen(uri);
}

/* Whether n names fit tables of so many nodes and bytes. */
static bool fits(unsigned n, unsigned nodes, size_t bytes)
{
    pyro_ns_room r =
        pyro_ns_room_of(names.nodes, nodes, names.first, names.bytes, bytes);
    char     name[32];
    char     uri[64];
    bool     good = true;
    unsigned i;

    if (pyro_ns_serve(&server, &node, r, &ns_config) != PYRO_OK)
        return false;
    for (i = 0; i < n && good; i++) {
        texts(i, name, uri);
        good = pyro_invoke(&proxy, "register",
                           PYRO_ARGS(pyro_str(name), pyro_str(uri)),
                           pyro_to_none())
            == PYRO_OK;
    }
    if (good && (pyro_ns_check(&server) != NULL || server.stats.names < n))
        die("the name server is not in order");
    pyro_ns_stop(&server);
    return good;
}

/* Least bytes of all tables that hold n names. */
static size_t least(unsigned n)
{
    unsigned nodes = n;
    size_t   low = 0;
    size_t   high = BYTES;

    while (nodes < MOST + 8 && !fits(n, nodes, BYTES))
        nodes++;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;

        if (fits(n, nodes, middle))
            high = middle;
        else
            low = middle;
    }
    if (high == BYTES)
        die("no table is large enough");
    return high + nodes * (sizeof names.nodes[0] + sizeof names.first[0]);
}

int main(void)
{
    char     name[32];
    char     uri[64];
    size_t   own = 0;
    double   each;
    unsigned i;

    loop_init(&net, 1);
    net.clock = LOOP_CLOCK_RUNS;
    port = loop_port(&net);
    if (pyro_open(&node, PYRO_ROOM_OF(room), &config) != PYRO_OK
        || pyro_listen(&node, &port, "*:9090") != PYRO_OK
        || pyro_proxy_open(&proxy, &node, "PYRO://me:9090/" PYRO_NS_NAME)
               != PYRO_OK)
        die("no daemon");
    for (i = MOST / 2; i < MOST; i++)
        own += texts(i, name, uri);
    each = (double)(least(MOST) - least(MOST / 2)) / (MOST / 2);
    each -= (double)own / (MOST / 2);
    printf("RAM of a name: name + URI + %.1f bytes (at most %d)\n", each,
           PROMISED);
    return each > PROMISED;
}
