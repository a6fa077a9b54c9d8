/* pyro-ns: the name server.
 *
 * Prints what Pyro 3's does. Ends on SIGINT, SIGTERM and SIGHUP, and on a
 * shutdown request unless it was started with -k. */
#define TOOL "pyro-ns"
#include "tool_ns.h"
#include "tool_server.h"

#include "../lib/background.h"
#include "../lib/text.h"

#include <errno.h>

#define ROOM_BYTES  (32768 + PYRO_FRAME_EXTRA)
#define NAMES       20000
#define NAMES_BYTES (4u << 20)

static PYRO_ROOM(64, 32, ROOM_BYTES, 2) room;
static PYRO_NS_ROOM(NAMES, NAMES_BYTES) names;
static pyro_daemon           node;
static pyro_config           config;
static pyro_ns_server        server;
static pyro_ns_server_config server_config;
static pyro_ns_files         files;

static const char *host, *dir, *pidfile, *primary, *secondary, *bc_address;
static long port = -1, udp_port = PYRO_NS_PORT, pyro5_port = PYRO_NS_PORT5;
static bool keep, several, no_look, no_broadcast, salvage, loud, detach;
static bool no_pyro5;

static const pyro_codec *const codecs[] = { &pyro_codec_serpent,
                                            &pyro_codec_json, NULL };

static const pyro_option table[] = {
    PYRO_OPTION_TEXT('n', "host", "HOST", &host,
                     "the address to listen at (all)"),
    PYRO_OPTION_NUMBER('p', "port", "PORT", &port, 0, 65535,
                       "its port (9090; with -2 9091; 0: any)"),
    PYRO_OPTION_NUMBER('b', "bcport", "PORT", &udp_port, 1, 65535,
                       "port for broadcasts (9090)"),
    PYRO_OPTION_TEXT('c', "bcaddr", "IP", &bc_address,
                     "receive broadcasts at this address only"),
    PYRO_OPTION_FLAG('x', "nobc", &no_broadcast, "answer no broadcasts"),
    PYRO_OPTION_FLAG(0, "nopyro5", &no_pyro5, "do not serve Pyro5 and Pyro4"),
    PYRO_OPTION_NUMBER(0, "bcport5", "PORT", &pyro5_port, 1, 65535,
                       "port for their broadcasts (9091)"),
    PYRO_OPTION_FLAG('k', NULL, &keep, "ignore requests to shut down"),
    PYRO_OPTION_FLAG('m', NULL, &several,
                     "start even if there is a name server already"),
    PYRO_OPTION_FLAG('r', NULL, &no_look, "do not look for one"),
    PYRO_OPTION_MAYBE('d', NULL, "DIR", "Pyro_NS_database", &dir,
                      "keep the names in a directory\n(Pyro_NS_database)"),
    PYRO_OPTION_FLAG(0, "salvage", &salvage,
                     "keep what can be kept of a damaged journal"),
    PYRO_OPTION_TEXT('1', NULL, "HOST[:PORT]", &primary,
                     "be the first of a pair; where the second is"),
    PYRO_OPTION_TEXT('2', NULL, "HOST[:PORT]", &secondary,
                     "be the second of a pair; where the first is"),
    PYRO_OPTION_FLAG(0, "daemon", &detach, "run in the background"),
    PYRO_OPTION_TEXT(0, "pidfile", "FILE", &pidfile,
                     "write the process id there; only one\n"
                     "server at a time can have the file"),
    PYRO_OPTION_FLAG('v', NULL, &loud, "say more"),
};
static const pyro_options options = {
    TOOL,
    "[options]",
    "Names objects for other programs, see pyro_ns.h.",
    table,
    PYRO_COUNT(table),
    0,
    0,
    false,
    NULL,
    NULL
};

static void on_request(void *user)
{
    (void)user;
    tool_stop = 2;
}

/* The twin's URI from host[:port] or [v6]:port. */
static bool read_twin(const char *text, long its_port)
{
    static char uri[PYRO_URI_BYTES];
    const char *end = strrchr(text, ']');
    const char *colon = strchr(end != NULL ? end : text, ':');
    char        at[256];
    pyro_uri    u;
    int         n;

    if (colon == NULL)
        (void)tool_address(at, sizeof at, text, its_port);
    else
        snprintf(at, sizeof at, "%s", text);
    n = snprintf(uri, sizeof uri, "PYRO://%s/" PYRO_NS_NAME, at);
    server_config.twin = uri;
    return n > 0 && (size_t)n < sizeof uri
        && pyro_uri_parse(&u, uri, (size_t)n, NULL) == PYRO_OK;
}

/* Whether there is a name server already, which would be a mistake. */
static bool is_there(void)
{
    static pyro_ns_locator loc;
    static pyro_ns_config  look;

    look.udp_port = (uint16_t)udp_port;
    look.no_broadcast = no_broadcast;
    look.tries = 1;
    if (pyro_ns_locate(&loc, &node, &look, NULL) != PYRO_OK) return false;
    puts("The Name Server appears to be already running on this segment.");
    printf("(%s)\n", loc.uri);
    if (several) return false;
    fputs("Cannot start multiple Name Servers in the same network segment.\n",
          stderr);
    return true;
}

static pyro_err open_files(void)
{
    pyro_err err = pyro_ns_files_open(&files, dir);

    if (!err)
        server_config.storage = &files.storage;
    else if (err == PYRO_ERR_BUSY)
        fprintf(stderr, TOOL ": %s: another process uses it\n", dir);
    else
        fprintf(stderr, TOOL ": %s: %s\n", dir, strerror(files.error));
    return err;
}

static int listen_there(void)
{
    char address[256];
    bool fits =
        tool_address(address, sizeof address, host != NULL ? host : "*", port);
    pyro_err err =
        fits ? pyro_listen(&node, pyro_posix(), address) : PYRO_ERR_NOSPACE;

    if (!err) return -1;
    (void)tool_failed(&node, address, err);
    if (err == PYRO_ERR_DAEMON && port != 0)
        fputs("The Name Server appears to be already running on this host.\n"
              "(or somebody else uses the port)\n",
              stderr);
    return TOOL_FAILED;
}

/* Everything up to the first poll. Returns -1, or the status to end with. */
static int start(void)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    int      status;

    if (!err) err = tool_catch_signals(&node);
    if (err) return tool_failed(&node, "starting", err);
    if (!no_look && server_config.role == 0 && is_there()) return TOOL_FAILED;
    if (dir != NULL && open_files()) return TOOL_FAILED;
    if ((status = listen_there()) >= 0) return status;
    err =
        pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), &server_config);
    if (!err) return -1;
    if (err == PYRO_ERR_DATA && dir != NULL)
        fputs("(--salvage keeps what can be kept)\n", stderr);
    return tool_failed(&node, dir != NULL ? dir : "starting", err);
}

static void print_start(void)
{
    static const char *const roles[] = { "", "Primary ", "Secondary " };
    char                     at[256] = "?";

    (void)pyro_listening(&node, 0, at, sizeof at);
    puts("*** Pyro Name Server ***");
    if (keep)
        puts("Will ignore shutdown requests.");
    else if (loud)
        puts("Will accept shutdown requests.");
    printf("Name server listening on: %s\n", at);
    if (!no_broadcast)
        printf("Broadcast server listening on: *:%ld\n", udp_port);
    if (loud && dir != NULL)
        printf("Names known from %s: %lu\n", dir,
               (unsigned long)server.stats.names);
    tool_uri("URI is: ", at, PYRO_NS_NAME);
    if (server.stats.dropped > 0)
        fprintf(stderr, TOOL ": %s: %lu damaged records were left out\n", dir,
                (unsigned long)server.stats.dropped);
    printf("%sName Server started.\n", roles[server_config.role]);
    fflush(stdout);
}

/* Serves until it is to end; then what is on its way may leave. */
static int serve(void)
{
    pyro_err err = PYRO_OK;
    int      i;

    while (!err && tool_stop == 0) err = pyro_poll(&node, -1);
    for (i = 0; i < 5 && !err; i++) err = pyro_poll(&node, 20);
    if (tool_stop == 1) puts("Shutting down on user break signal.");
    pyro_ns_stop(&server);
    if (err) return tool_failed(&node, "serving", err);
    puts("Name Server gracefully stopped.");
    return TOOL_GOOD;
}

/* What the options mean for each other. Returns -1, or a status. */
static int configure(void)
{
    if (primary != NULL && secondary != NULL)
        return pyro_options_wrong(&options, "-1 or -2, not both", NULL);
    if (salvage && dir == NULL)
        return pyro_options_wrong(&options, "--salvage needs -d", NULL);
    server_config.role = primary != NULL ? 1 : secondary != NULL ? 2 : 0;
    if (primary != NULL && !read_twin(primary, PYRO_NS_PORT + 1))
        return pyro_options_wrong(&options, "-1: no address: ", primary);
    if (secondary != NULL && !read_twin(secondary, PYRO_NS_PORT))
        return pyro_options_wrong(&options, "-2: no address: ", secondary);
    if (bc_address != NULL && !tool_ip(bc_address, &server_config.udp_ip))
        return pyro_options_wrong(&options, "-c: no address: ", bc_address);
    if (port < 0) port = PYRO_NS_PORT + (secondary != NULL);
    if (!keep) server_config.shutdown = on_request;
    if (loud) config.log = tool_log;
    server_config.salvage = salvage;
    server_config.no_broadcast = no_broadcast;
    server_config.udp_port = (uint16_t)udp_port;
    server_config.pyro5 = !no_pyro5;
    server_config.pyro5_port = (uint16_t)pyro5_port;
    config.codecs = codecs;
    return -1;
}

int main(int argc, char **argv)
{
    pyro_background b = PYRO_BACKGROUND;
    int             status = pyro_options_read(&options, &argc, argv);

    if (status < 0) status = configure();
    if (status >= 0) return status;
    if (!pyro_background_take(&b, pidfile)) return TOOL_FAILED;
    if (detach) puts("Starting server process.");
    if (detach && !pyro_background_go(&b)) return TOOL_FAILED;
    status = start();
    if (status < 0) {
        print_start();
        status = pyro_background_ready(&b) ? serve() : TOOL_FAILED;
    } else {
        fputs("Name Server was not started!\n", stderr);
    }
    if (server_config.storage != NULL) pyro_ns_files_close(&files);
    pyro_background_end(&b);
    pyro_close(&node);
    return tool_printed(status);
}
