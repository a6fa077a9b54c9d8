/* The daemon of interop.sh: object `board` at an address of this machine, for
 * peers with Pyro5 and Pyro4 in all serializers, until it is killed.
 *
 * usage: interop_server ADDRESS [msgpack]     msgpack: no codec but that
 *        interop_server ADDRESS HOST:PORT     registers itself as c.board with
 *                                             a name server of theirs */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../pyro.h"
#include "../pyro_ns.h"
#include "../examples/lib/text.h"

#include "serve.h"

struct board {
    int32_t calls;
    double  temperature;
    bool    led;
    char    label[32];
};

static void board_log(void *self, pyro_call *call)
{
    uint32_t      n;
    const char   *text = pyro_get_str(&call->args, &n);
    struct board *b = (struct board *)self;

    b->calls++;
    if (n < sizeof b->label) {
        memcpy(b->label, text, n);
        b->label[n] = 0;
    }
}

/* The URI of this object, as a value. */
static void board_where(void *self, pyro_call *call)
{
    char     text[PYRO_URI_BYTES];
    pyro_uri uri;
    pyro_err err =
        pyro_uri_of(call->node, call->link, "board", text, sizeof text);

    (void)self;
    if (!err)
        err = pyro_uri_parse(&uri, text, strlen(text), NULL);
    if (err)
        pyro_raise(call, "DaemonError", pyro_err_text(err));
    else
        pyro_put_uri(&call->result, &uri);
}

/* Where a URI or proxy that was given points to, as text. */
static void board_whose(void *self, pyro_call *call)
{
    char     text[PYRO_URI_BYTES];
    pyro_uri uri;

    (void)self;
    memset(&uri, 0, sizeof uri);
    pyro_get_uri(&call->args, &uri);
    if (pyro_uri_print(&uri, text, sizeof text))
        pyro_raise(call, "ValueError", "a URI that cannot be printed");
    else
        pyro_put_str(&call->result, text);
}

/* Calls the listener n times, by a connection of our own to where it is, and
 * passes on what it answered last. */
static void board_notify(void *self, pyro_call *call)
{
    struct board *b = (struct board *)self;
    char          text[PYRO_URI_BYTES];
    int32_t       answer = 0;
    int32_t       n;
    int32_t       i;
    pyro_proxy    to;
    pyro_uri      uri;
    pyro_err      err;

    memset(&uri, 0, sizeof uri);
    pyro_get_uri(&call->args, &uri);
    n = pyro_get_i32(&call->args);
    err = pyro_uri_print(&uri, text, sizeof text);
    if (!err)
        err = pyro_proxy_open(&to, call->node, text);
    if (err) {
        pyro_raise(call, "ValueError", pyro_err_text(err));
        return;
    }
    for (i = 0; i < n && !err; i++)
        err = pyro_invoke(&to, "changed",
                          PYRO_ARGS(pyro_str(b->label), pyro_int(i)),
                          pyro_to_i32(&answer));
    if (err)
        pyro_reraise(call, &to);
    else
        pyro_put_int(&call->result, answer);
    pyro_proxy_close(&to);
}

static const pyro_method methods[] = {
    { "add", serve_add, "a:q b:q", "q", 0 },
    { "div", serve_div, "a:d b:d", "d", 0 },
    { "echo", serve_echo, "value:v", "v", 0 },
    { "log", board_log, "text:s", "", PYRO_ONEWAY },
    { "sum", serve_sum, "numbers:[i]", "q", 0 },
    { "where", board_where, "", "U", 0 },
    { "whose", board_whose, "uri:U", "s", 0 },
    { "notify", board_notify, "listener:U n:i", "i", 0 },
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct board, calls, PYRO_READONLY),
    PYRO_ATTR_F64(struct board, temperature, 0),
    PYRO_ATTR_BOOL(struct board, led, 0),
    PYRO_ATTR_STR(struct board, label, 0),
};
static const pyro_class board_class = { "Board", PYRO_METHODS(methods),
                                        PYRO_ATTRS(attrs), NULL, 0 };

/* Registers the board as c.board with the name server of theirs at `at`. */
static pyro_err join(pyro_daemon *node, const char *at)
{
    static pyro_ns        names;
    static pyro_ns_config config;
    static char           server[PYRO_URI_BYTES];
    pyro_err              err;

    snprintf(server, sizeof server, "PYRO:Pyro.NameServer@%s", at);
    config.hosts = server;
    err = pyro_ns_open(&names, node, &config);
    return err ? err : pyro_ns_register(&names, "c.board", "board");
}

int main(int argc, char **argv)
{
    static const pyro_codec *const codecs[] = { &pyro_codec_serpent,
                                                &pyro_codec_json, NULL };
    static PYRO_ROOM(6, 8, 4096, 2) room; /* links, buffers, bytes, objects */
    static pyro_daemon node;
    static pyro_config config;
    struct board       board = { 0, 21.5, false, "bench 3" };
    pyro_err           err;

    if (argc < 2) {
        fprintf(stderr, "usage: interop_server ADDRESS [msgpack|NAMES]\n");
        return 2;
    }
    if (argc == 2 || strchr(argv[2], ':') != NULL)
        config.codecs = codecs;
    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    if (!err)
        err = pyro_listen(&node, pyro_posix(), argv[1]);
    if (!err)
        err = pyro_export(&node, &board_class, &board, "board");
    if (!err && argc > 2 && config.codecs != NULL)
        err = join(&node, argv[2]);
    return serve(&node, err, "board is", NULL);
}
