/* Calls pyro_ns.h, as far as it is built in: what every switch and compiler is
 * tried with. A name server and its client are one daemon, which is connected
 * with itself by a port whose wires end in this file. It is C and C++, ends by
 * itself and returns 0 when all went as it must. PYRO_POSIX has it keep a
 * journal in the directory that is its argument. */
#include "../../pyro_ns.h"

#include <string.h>

/* ------------------------------------------------------------------------
 * The port: connections, and datagrams to oneself
 * ------------------------------------------------------------------------ */

enum { LISTENER = 1, WIRES = 8, FIRST_WIRE = 100, FIRST_UDP = 200, UDPS = 4 };

#define HERE "10.0.0.7:9090"

struct wire {
    uint8_t  bytes[2][1024]; /* by the end that sends them */
    uint32_t n[2];
    bool     open[2];
    bool     waits; /* to be accepted */
};

struct mailbox {
    uint8_t  bytes[300];
    int32_t  n; /* < 0: empty */
    uint16_t number;
    bool     open;
    pyro_udp from;
};

static struct wire    wires[WIRES];
static struct mailbox mailboxes[UDPS];
static uint32_t       clock_ms;
static bool           listens;

static uint32_t clock_now(const pyro_port *port)
{
    (void)port;
    return ++clock_ms; /* every look at it takes 1 ms */
}

static int32_t wire_listen(const pyro_port *port, const char *address)
{
    (void)port;
    listens = strcmp(address, "*:9090") == 0;
    return listens ? LISTENER : -1;
}

static int32_t wire_accept(const pyro_port *port, int32_t listener)
{
    (void)port;
    (void)listener;
    for (int32_t i = 0; i < WIRES; i++) {
        if (!wires[i].waits)
            continue;
        wires[i].waits = false;
        wires[i].open[1] = true;
        return FIRST_WIRE + 2 * i + 1;
    }
    return -1;
}

static int32_t wire_connect(const pyro_port *port, const char *address)
{
    (void)port;
    for (int32_t i = 0; i < WIRES && listens; i++) {
        if (wires[i].open[0] || wires[i].open[1] || strcmp(address, HERE) != 0)
            continue;
        memset(&wires[i], 0, sizeof wires[i]);
        wires[i].open[0] = wires[i].waits = true;
        return FIRST_WIRE + 2 * i;
    }
    return -1;
}

static int32_t wire_send(const pyro_port *port, int32_t handle,
                         const void *data, uint32_t n)
{
    struct wire *w = &wires[(handle - FIRST_WIRE) / 2];
    unsigned     end = (unsigned)handle & 1;

    (void)port;
    if (!w->open[1 - end] && !w->waits)
        return PYRO_PORT_GONE;
    if (n > sizeof w->bytes[end] - w->n[end])
        n = (uint32_t)sizeof w->bytes[end] - w->n[end];
    memcpy(w->bytes[end] + w->n[end], data, n);
    w->n[end] += n;
    return (int32_t)n;
}

static int32_t wire_recv(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    struct wire *w = &wires[(handle - FIRST_WIRE) / 2];
    unsigned     from = 1 - ((unsigned)handle & 1);

    (void)port;
    (void)ahead;
    if (w->n[from] == 0 && !w->open[from] && !w->waits)
        return PYRO_PORT_GONE;
    if (n > w->n[from])
        n = w->n[from];
    memcpy(to, w->bytes[from], n);
    w->n[from] -= n;
    memmove(w->bytes[from], w->bytes[from] + n, w->n[from]);
    return (int32_t)n;
}

static void wire_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    if (handle >= FIRST_UDP)
        mailboxes[handle - FIRST_UDP].open = false;
    else if (handle >= FIRST_WIRE)
        wires[(handle - FIRST_WIRE) / 2].open[handle & 1] = false;
    else
        listens = false;
}

static bool wire_address(const pyro_port *port, int32_t handle, bool peer,
                         char *to, size_t size)
{
    (void)port;
    (void)handle;
    (void)peer;
    if (size < sizeof HERE)
        return false;
    memcpy(to, HERE, sizeof HERE);
    return true;
}

static int32_t box_open(const pyro_port *port, uint32_t ip, uint16_t number)
{
    (void)port;
    (void)ip;
    for (int32_t i = 0; i < UDPS; i++) {
        if (mailboxes[i].open)
            continue;
        mailboxes[i].open = true;
        mailboxes[i].n = -1;
        mailboxes[i].number = number != 0 ? number : (uint16_t)(5000 + i);
        return FIRST_UDP + i;
    }
    return -1;
}

static bool box_send(const pyro_port *port, int32_t handle, const pyro_udp *to,
                     const void *data, uint32_t n)
{
    (void)port;
    for (unsigned i = 0; i < UDPS; i++) {
        struct mailbox *box = &mailboxes[i];

        if (!box->open || box->number != to->port || n > sizeof box->bytes)
            continue;
        memcpy(box->bytes, data, n);
        box->n = (int32_t)n;
        box->from.ip = 0x0A000007;
        box->from.port = mailboxes[handle - FIRST_UDP].number;
        return true;
    }
    return false;
}

static int32_t box_recv(const pyro_port *port, int32_t handle, void *to,
                        uint32_t n, pyro_udp *from)
{
    struct mailbox *box = &mailboxes[handle - FIRST_UDP];
    int32_t         got = box->n;

    (void)port;
    if (got < 0)
        return -1;
    memcpy(to, box->bytes, (uint32_t)got < n ? (uint32_t)got : n);
    *from = box->from;
    box->n = -1;
    return got;
}

static bool one_net(const pyro_port *port, unsigned index, pyro_net *net)
{
    (void)port;
    net->ip = 0x0A000007;
    net->mask = 0xFFFFFF00;
    net->broadcast = 0x0A0000FF;
    return index == 0;
}

#ifdef PYRO_NO_CONFIG /* which takes no port without */
static void just_try(const pyro_port *port, pyro_item *list, int32_t ms)
{
    (void)port;
    (void)ms;
    for (; list != NULL; list = list->next)
        list->ready = list->want;
}
#else
#define just_try NULL
#endif

static const pyro_port port = {
    clock_now, NULL,       wire_listen, wire_accept,  wire_connect, wire_send,
    wire_recv, wire_close, just_try,    wire_address, NULL,         NULL,
    box_open,  box_send,   box_recv,    one_net,      NULL,         0
};

/* ------------------------------------------------------------------------
 * What is called
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(4, 12, 300, 3) room;
static pyro_daemon node;
static int         bad;

/* The names that are there from the beginning. */
#ifdef PYRO_NS_NO_NETS
enum { SELF_NAMES = 0 };
#else
enum { SELF_NAMES = 1 };
#endif
#ifdef PYRO_NS_NO_GROUPS
enum { GROUP_NAMES = 0 };
#else
enum { GROUP_NAMES = 3 };
#endif

static void expect(bool good)
{
    bad += !good;
}

#ifdef PYRO_NS_NO_SERVER
#define SERVES false
#else
#define SERVES true

static PYRO_NS_ROOM(12, 600) names;
static pyro_ns_server        server;
static pyro_ns_server_config server_config;

#ifndef PYRO_NS_NO_STORAGE
/* A journal in memory. */
static uint8_t  journal[2000];
static uint32_t journal_n;

static int32_t journal_read(void *user, uint32_t at, void *to, uint32_t n)
{
    (void)user;
    if (n > journal_n - at)
        n = journal_n - at;
    memcpy(to, journal + at, n);
    return (int32_t)n;
}

static bool journal_append(void *user, const void *data, uint32_t n)
{
    (void)user;
    if (n > sizeof journal - journal_n)
        return false;
    if (n > 0)
        memcpy(journal + journal_n, data, n);
    journal_n += n;
    return true;
}

static bool journal_replace(void *user, const void *data, uint32_t n)
{
    (void)user;
    (void)data;
    (void)n;
    return false;
}

static const pyro_ns_storage storage = { NULL, journal_read, journal_append,
                                         journal_replace };
#endif

static void serve(void)
{
#ifndef PYRO_NS_NO_STORAGE
    server_config.storage = &storage;
#endif
    expect(
        pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), &server_config)
        == PYRO_OK);
    expect(pyro_ns_check(&server) == NULL);
}

/* How many names there are, as the walk tells it. */
static unsigned walk(void)
{
    const char *name;
    char        uri[PYRO_URI_BYTES];
    unsigned    at = 0;
    unsigned    n = 0;

    while (pyro_ns_walk(&server, &at, &name, uri))
        n++;
    return n;
}

static void stop(unsigned n_names)
{
    expect(pyro_ns_check(&server) == NULL);
    expect(walk() == n_names && server.stats.names == n_names);
    pyro_ns_stop(&server);
#ifndef PYRO_NS_NO_STORAGE
    expect(journal_n == server.stats.bytes);
#endif
}

#if defined(PYRO_POSIX) && !defined(PYRO_NS_NO_STORAGE)
static void keep_files(const char *path)
{
    static pyro_ns_files files;

    expect(pyro_ns_files_open(&files, path) == PYRO_OK);
    server_config.storage = &files.storage;
    expect(
        pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), &server_config)
        == PYRO_OK);
    pyro_ns_stop(&server);
    pyro_ns_files_close(&files);
}
#endif
#endif

#if !defined(PYRO_NS_NO_SERVER) && !defined(PYRO_NO_CLIENT)
/* Calls the name server as anybody may. */
static void call(void)
{
    static pyro_proxy proxy;
    char              uri[PYRO_URI_BYTES];

    expect(pyro_proxy_open(&proxy, &node, "PYRO://" HERE "/" PYRO_NS_NAME)
           == PYRO_OK);
    expect(pyro_invoke(&proxy, "register",
                       PYRO_ARGS(pyro_str("x"), pyro_str("PYRO://b:1/x")),
                       pyro_to_none())
           == PYRO_OK);
    expect(pyro_invoke(&proxy, "resolve", PYRO_ARGS(pyro_str(":Default.x")),
                       pyro_to_str(uri, sizeof uri))
               == PYRO_OK
           && strcmp(uri, "PYRO://b:1/x") == 0);
#ifndef PYRO_NS_NO_NETS
    expect(pyro_invoke(&proxy, "resolve", PYRO_ARGS(pyro_str(PYRO_NS_NAME)),
                       pyro_to_str(uri, sizeof uri))
               == PYRO_OK
           && strcmp(uri, "PYRO://" HERE "/" PYRO_NS_NAME) == 0);
#endif
    expect(pyro_invoke(&proxy, "unregister", PYRO_ARGS(pyro_str("x")),
                       pyro_to_none())
           == PYRO_OK);
    expect(pyro_invoke(&proxy, "unregister", PYRO_ARGS(pyro_str("x")),
                       pyro_to_none())
               == PYRO_ERR_REMOTE
           && (PYRO_EXCEPTION_BYTES == 0 /* keeps none */
               || strcmp(pyro_exception(&proxy)->type, "NamingError") == 0));
    pyro_proxy_close(&proxy);
}
#endif

#ifndef PYRO_NS_NO_CLIENT
static pyro_ns_config  client_config;
static pyro_ns_locator locator;
static unsigned        n_found;

static void found(void *user, pyro_ns_locator *loc)
{
    (void)user;
    n_found += loc->err == PYRO_OK;
}

/* Finds whoever is there, by broadcast; then, by a list, nobody. */
static void locate(void)
{
    client_config.tries = 1;
    expect((pyro_ns_locate(&locator, &node, &client_config, NULL) == PYRO_OK)
           == SERVES);
    expect(!SERVES
           || strcmp(locator.uri, "PYRO://" HERE "/" PYRO_NS_NAME) == 0);
    expect(pyro_ns_look(&locator, &node, &client_config, NULL, found, NULL)
           == PYRO_OK);
    pyro_ns_look_stop(&locator);
    expect(n_found == 0);
#ifndef PYRO_NS_NO_HOSTS
    client_config.hosts = "nowhere:1 10.0.0.8";
    expect(pyro_ns_locate(&locator, &node, &client_config, NULL)
           == PYRO_ERR_NAMING);
#if PYRO_NS_TRIED_BYTES > 0
    expect(locator.tried[0] != 0);
#endif
    client_config.hosts = NULL;
#endif
}
#endif

#ifndef PYRO_NS_NO_HOSTS
static pyro_ns  client;
static unsigned n_listed;

static void listed(void *user, const char *name, uint32_t n, bool is_group)
{
    (void)user;
    n_listed += is_group ? 100 : n == 4 && memcmp(name, "lamp", 4) == 0;
}

static void use(void)
{
    char uri[PYRO_URI_BYTES];

    expect((pyro_ns_open(&client, &node, &client_config) == PYRO_OK)
           == SERVES);
#ifndef PYRO_NO_SERVER
    expect((pyro_ns_register(&client, "lamp", "lamp") == PYRO_OK) == SERVES);
#endif
    if (SERVES) {
        expect(pyro_ns_resolve(&client, "lamp", uri, sizeof uri) == PYRO_OK);
        expect(strncmp(uri, "PYRO://" HERE "/", 21) == 0);
        expect(pyro_ns_list(&client, NULL, listed, NULL) == PYRO_OK);
        expect(n_listed == 1);
    }
#ifndef PYRO_NO_SERVER
    expect((pyro_ns_unregister(&client, "lamp") == PYRO_OK) == SERVES);
#endif
    expect(
        (pyro_ns_resolve(&client, ":lamp", uri, sizeof uri) == PYRO_ERR_REMOTE)
        == SERVES);
    expect((pyro_ns_tried(&client)[0] == 0)
           == (SERVES || PYRO_NS_TRIED_BYTES == 0));
    expect(pyro_exception(pyro_ns_proxy(&client)) != NULL);
    pyro_ns_close(&client);
}

#ifndef PYRO_NS_NO_SERVERLESS
/* Its own names, without a name server. */
static void use_alone(void)
{
    char uri[PYRO_URI_BYTES];

    client_config.serverless = true;
    client_config.udp_port = 9999;
    expect(pyro_ns_open(&client, &node, &client_config) == PYRO_OK);
    expect(pyro_ns_register(&client, ":lamp", "lamp") == PYRO_OK);
    expect(pyro_ns_resolve(&client, ":lamp", uri, sizeof uri) == PYRO_OK);
    expect(client.answerer.answered == 1);
    pyro_ns_close(&client);
}
#endif
#endif

#ifndef PYRO_NO_SERVER
static int lamp;

static const pyro_class lamp_class = { "Lamp", NULL, 0, NULL, 0, NULL, 0 };
#endif

int main(int argc, char **argv)
{
    static pyro_config config;
    char               full[PYRO_NS_MAX_NAME + 1];

    config.port = &port;
    config.boot = 1;
    expect(pyro_open(&node, PYRO_ROOM_OF(room), &config) == PYRO_OK);
    expect(pyro_ns_expand(NULL, "a.b", 3, full) == NULL
           && strcmp(full, ":Default.a.b") == 0);
#ifndef PYRO_NO_SERVER
    expect(pyro_listen(&node, &port, "*:9090") == PYRO_OK);
    expect(pyro_export(&node, &lamp_class, &lamp, "lamp") == PYRO_OK);
#endif
#ifndef PYRO_NS_NO_SERVER
    serve();
#endif
#ifndef PYRO_NS_NO_CLIENT
    locate();
#endif
#if !defined(PYRO_NS_NO_SERVER) && !defined(PYRO_NO_CLIENT)
    call();
#endif
#ifndef PYRO_NS_NO_HOSTS
    use();
#endif
#ifndef PYRO_NS_NO_SERVERLESS
    use_alone();
#endif
#ifndef PYRO_NS_NO_SERVER
    stop(SELF_NAMES + GROUP_NAMES);
#if defined(PYRO_POSIX) && !defined(PYRO_NS_NO_STORAGE)
    if (argc > 1)
        keep_files(argv[1]);
#endif
#endif
    (void)argc;
    (void)argv;
    expect(pyro_check(&node) == NULL);
    pyro_close(&node);
    return bad;
}
