/* pyro-es: the event service.
 *
 * Prints what Pyro 3's does. Ends on SIGINT, SIGTERM and SIGHUP. */
#define TOOL "pyro-es"

#define PYRO_ES_MAX_SUBJECT 200
#define PYRO_ES_REGEX       128
#define PYRO_ES_LAST_BYTES  512
#define PYRO_ES_WAITING     64
#include "tool_ns.h"
#include "tool_server.h"

#include "../../pyro_es.h"

#include "../lib/background.h"

#include <time.h>

#define ROOM_BYTES (65536 + PYRO_FRAME_EXTRA)
#define BUFFERS    64
#define LAST       1024

static PYRO_ROOM(256, BUFFERS, ROOM_BYTES, 2) room;
static PYRO_ES_ROOM(512, 4096,
                    8u << 20) events; /* subscribers, -ions, bytes */
static pyro_es_last    last[LAST];
static pyro_daemon     node;
static pyro_config     config;
static tool_ns         ns;
static pyro_es_service service;
static pyro_es_config  service_config;

static const char *host, *pidfile;
static long        port = PYRO_PORT;
static bool        no_names, replace, loud, detach;

static const pyro_option table[] = {
    PYRO_OPTION_TEXT('n', "host", "HOST", &host,
                     "the address to listen at (all)"),
    PYRO_OPTION_NUMBER('p', "port", "PORT", &port, 0, 65535,
                       "its port (7766; 0: any)"),
    PYRO_OPTION_FLAG('N', NULL, &no_names, "use no name server"),
    PYRO_OPTION_TEXT(0, "ns", "HOST[:PORT]", &ns.host,
                     "where the name server is; without: the one\n"
                     "that answers a broadcast"),
    PYRO_OPTION_FLAG('f', NULL, &replace,
                     "take the name from another event service"),
    PYRO_OPTION_FLAG(0, "daemon", &detach, "run in the background"),
    PYRO_OPTION_TEXT(0, "pidfile", "FILE", &pidfile,
                     "write the process id there; only one\n"
                     "server at a time can have the file"),
    PYRO_OPTION_FLAG('v', NULL, &loud, "say more"),
};
static const pyro_options options = {
    TOOL,
    "[options]",
    "Brings events from publishers to subscribers, see pyro_es.h.",
    table,
    PYRO_COUNT(table),
    0,
    0,
    false,
    NULL,
    NULL
};

/* Milliseconds since 1970. */
static uint64_t wall_clock(void *user)
{
    struct timespec now;

    (void)user;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static int listen_there(void)
{
    char address[256];
    bool fits =
        tool_address(address, sizeof address, host != NULL ? host : "*", port);
    pyro_err err =
        fits ? pyro_listen(&node, pyro_posix(), address) : PYRO_ERR_NOSPACE;

    return err ? tool_failed(&node, address, err) : -1;
}

/* Tells the name server where we are. Returns -1, or a status. */
static int enter_name(void)
{
    int      status = tool_ns_open(&ns, &node);
    pyro_err err = PYRO_OK;

    if (status >= 0) {
        fputs("(-N: use no name server)\n", stderr);
        return status;
    }
    if (replace) err = pyro_ns_unregister(&ns.ns, PYRO_ES_NAME);
    if (!err || err == PYRO_ERR_REMOTE) /* nobody has it */
        err = pyro_ns_register(&ns.ns, PYRO_ES_NAME, PYRO_ES_NAME);
    if (!err) return -1;
    if (err == PYRO_ERR_REMOTE)
        fputs("The Event Server appears to be already running. (-f: take its "
              "name)\n",
              stderr);
    return tool_call_failed(&node, pyro_ns_proxy(&ns.ns), "registering", err);
}

/* Everything up to the first poll. Returns -1, or the status to end with. */
static int start(void)
{
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    int      status = -1;

    if (!err) err = tool_catch_signals(&node);
    if (err) return tool_failed(&node, "starting", err);
    if ((status = listen_there()) >= 0) return status;
    service_config.now = wall_clock;
    service_config.last = last;
    service_config.n_last = LAST;
    service_config.stuck = BUFFERS / 3;
    err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events),
                        &service_config);
    if (err) return tool_failed(&node, "starting", err);
    return no_names ? -1 : enter_name();
}

static void print_start(void)
{
    char at[256] = "?";

    (void)pyro_listening(&node, 0, at, sizeof at);
    puts("*** Pyro Event Server ***");
    tool_uri("URI= ", at, PYRO_ES_NAME);
    puts("Event Server started.");
    fflush(stdout);
}

/* Serves until it is to end; then what is on its way may leave. */
static int serve(void)
{
    pyro_err err = PYRO_OK;
    int      i;

    while (!err && tool_stop == 0) err = pyro_poll(&node, -1);
    puts("Shutting down on user break signal.");
    if (!no_names && !err)
        (void)pyro_ns_unregister(&ns.ns, PYRO_ES_NAME); /* its lease ends */
    for (i = 0; i < 5 && !err; i++) err = pyro_poll(&node, 20);
    pyro_es_stop(&service);
    if (err) return tool_failed(&node, "serving", err);
    if (loud)
        printf("Events published %lu, sent %lu, lost %lu.\n",
               (unsigned long)service.stats.published,
               (unsigned long)service.stats.sent,
               (unsigned long)service.stats.lost);
    puts("Event Server gracefully stopped.");
    return TOOL_GOOD;
}

int main(int argc, char **argv)
{
    pyro_background b = PYRO_BACKGROUND;
    int             status = pyro_options_read(&options, &argc, argv);

    if (status >= 0) return status;
    if (no_names && (ns.host != NULL || replace))
        return pyro_options_wrong(&options, "-N goes without --ns and -f",
                                  NULL);
    if (loud) config.log = tool_log;
    ns.loud = loud;
    if (!pyro_background_take(&b, pidfile)) return TOOL_FAILED;
    if (detach) puts("Starting server process.");
    if (detach && !pyro_background_go(&b)) return TOOL_FAILED;
    status = start();
    if (status < 0) {
        print_start();
        status = pyro_background_ready(&b) ? serve() : TOOL_FAILED;
    } else {
        fputs("Event Server was not started!\n", stderr);
    }
    pyro_background_end(&b);
    pyro_close(&node);
    return tool_printed(status);
}
