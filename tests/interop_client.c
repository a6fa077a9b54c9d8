/* The client of interop.sh: calls object `meter` of a daemon in Python, and is
 * called back by it.
 *
 * usage: interop_client HOST:PORT [serpent|json|...]
 *
 *        interop_client names HOST:PORT NAME
 *
 * The second finds an object by a name server of theirs, and calls it.
 * With the names of codecs: those are there, in this order, beside msgpack.
 * The last line is "N passed, N failed". */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../pyro.h"
#include "../pyro_ns.h"
#include "../examples/lib/json.h"
#include "../examples/lib/text.h"

#include <stdio.h>

static PYRO_ROOM(4, 8, 4096, 2) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_config config;
static pyro_proxy  meter;
static unsigned    passed, failed;

static void verdict(bool good, const char *what, const char *is)
{
    passed += good;
    failed += !good;
    if (!good)
        printf("FAILED: %s: %s\n", what, is);
}

/* What a call gave: PYRO_OK, or the text of its error. */
static const char *outcome(pyro_err err)
{
    static char text[400];

    if (err != PYRO_ERR_REMOTE)
        snprintf(text, sizeof text, "%s%s%s", pyro_err_text(err),
                 node.why.text != NULL ? ": " : "",
                 node.why.text != NULL ? node.why.text : "");
    else
        snprintf(text, sizeof text, "%s: %s", pyro_exception(&meter)->type,
                 pyro_exception(&meter)->message);
    return text;
}

static void good(pyro_err err, const char *what)
{
    verdict(err == PYRO_OK, what, outcome(err));
}

/* It failed with this exception; the message begins so. */
static void raised(pyro_err err, const char *type, const char *message,
                   const char *what)
{
    const pyro_exc *exc = pyro_exception(&meter);

    verdict(err == PYRO_ERR_REMOTE && strcmp(exc->type, type) == 0
                && strncmp(exc->message, message, strlen(message)) == 0
                && exc->traceback[0] != 0,
            what, outcome(err));
}

/* --- calls --- */

static void calls(void)
{
    int64_t      sum = 0;
    double       q = 0;
    char         text[64] = "";
    pyro_request rq;
    pyro_err     err;

    err = pyro_invoke(&meter, "add", PYRO_ARGS(pyro_int(3), pyro_int(4)),
                      pyro_to_i64(&sum));
    good(err, "add");
    verdict(sum == 7, "add", "not 7");
    err = pyro_begin(&rq, &meter, "add");
    if (!err) {
        pyro_put_int(&rq.args, 70000);
        pyro_put_kwargs(&rq, 1);
        pyro_put_str(&rq.args, "b");
        pyro_put_int(&rq.args, -1);
        err = pyro_send(&rq, pyro_to_i64(&sum), NULL, NULL);
    }
    if (!err)
        err = pyro_wait(&rq);
    good(err, "by keyword");
    verdict(sum == 69999, "by keyword", "not 69999");
    err = pyro_invoke(&meter, "div", PYRO_ARGS(pyro_int(1), pyro_int(3)),
                      pyro_to_f64(&q));
    good(err, "div");
    verdict(q >= 1.0 / 3 && q <= 1.0 / 3, "div", "not the same bits");
    good(pyro_oneway(&meter, "log", PYRO_ARGS(pyro_str("hello"))), "oneway");
    good(pyro_invoke(&meter, "logged", PYRO_NO_ARGS,
                     pyro_to_str(text, sizeof text)),
         "after a oneway");
    verdict(strcmp(text, "hello") == 0, "after a oneway", text);
}

static void exceptions(void)
{
    int64_t  sum;
    pyro_err err =
        pyro_invoke(&meter, "div", PYRO_ARGS(pyro_int(1), pyro_int(0)),
                    pyro_to_none());

    raised(err, "ZeroDivisionError", "division by zero", "div by 0");
    err = pyro_invoke(&meter, "deep", PYRO_ARGS(pyro_int(50)), pyro_to_none());
    raised(err, "TypeError", "unsupported operand", "a long traceback");
    err = pyro_invoke(&meter, "nothing", PYRO_NO_ARGS, pyro_to_none());
    raised(err, "AttributeError", "", "no such method");
    err = pyro_invoke(&meter, "add", PYRO_NO_ARGS, pyro_to_none());
    raised(err, "TypeError", "", "too few arguments");
    good(pyro_invoke(&meter, "add", PYRO_ARGS(pyro_int(3), pyro_int(4)),
                     pyro_to_i64(&sum)),
         "after exceptions");
}

static void attributes(void)
{
    double v = 0;

    good(pyro_setattr(&meter, "value", pyro_f64(2.25)), "set");
    good(pyro_getattr(&meter, "value", pyro_to_f64(&v)), "get");
    verdict(v >= 2.25 && v <= 2.25, "get", "not 2.25");
    raised(pyro_getattr(&meter, "nothing", pyro_to_none()), "AttributeError",
           "", "no such attribute");
}

static void echo(const char *json)
{
    char        copy[600];
    char        is[600] = "";
    uint8_t     value[600];
    uint8_t     back[600];
    pyro_blob   blob = { back, sizeof back, 0 };
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    pyro_reader in;
    pyro_err    err;

    snprintf(copy, sizeof copy, "%s", json);
    err = pyro_json_put(&out, copy, NULL);
    if (!err)
        err = pyro_invoke(&meter, "echo",
                          PYRO_ARGS(pyro_raw(value, (size_t)(out.at - value))),
                          pyro_to_raw(&blob));
    good(err, json);
    in = pyro_reader_of(back, blob.used);
    if (!err && !pyro_json_get(&in, is, sizeof is))
        verdict(strcmp(is, json) == 0, json, is);
}

static void values(bool bytes)
{
    static const char *const rows[] = {
        "null",
        "true",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "0.1",
        "1e+300",
        "5e-324",
        "-0.0",
        "\"\"",
        "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80 ' \\\" \\\\ \\n \\u0001\"",
        "[]",
        "[1,[2.5,\"a\",null,[true]]]",
        "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
        "{}",
        "{\"a\":1,\"b\":{\"c\":[1,2]}}",
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++)
        echo(rows[i]);
    if (bytes)
        echo("{\"$bytes\":\"00ff80\"}");
}

/* --- objects as values --- */

static void board_add(void *self, pyro_call *call)
{
    int64_t a = pyro_get_i64(&call->args);

    ++*(int *)self;
    pyro_put_int(&call->result, a + pyro_get_i64(&call->args));
}

static const pyro_method methods[] = { { "add", board_add, "a:q b:q", "q",
                                         0 } };
static const pyro_class  board_class = { "Board", PYRO_METHODS(methods),
                                         PYRO_NO_ATTRS, NULL, 0 };

/* Takes a URI, or a proxy, as a result, and calls what it is of. */
static void object(const char *method)
{
    uint8_t     back[600];
    char        text[PYRO_URI_BYTES];
    pyro_blob   blob = { back, sizeof back, 0 };
    pyro_reader in;
    pyro_uri    uri;
    pyro_proxy  p;
    int64_t     sum = 0;
    pyro_err    err =
        pyro_invoke(&meter, method, PYRO_NO_ARGS, pyro_to_raw(&blob));

    good(err, method);
    in = pyro_reader_of(back, blob.used);
    memset(&uri, 0, sizeof uri);
    pyro_get_uri(&in, &uri);
    uri.pyro5 = 1; /* the raw value does not know whom it came from */
    if (!err)
        err = (pyro_err)in.err;
    if (!err)
        err = pyro_uri_print(&uri, text, sizeof text);
    if (!err)
        err = pyro_proxy_open(&p, &node, text);
    good(err, method);
    if (err)
        return;
    err = pyro_invoke(&p, "add", PYRO_ARGS(pyro_int(5), pyro_int(6)),
                      pyro_to_i64(&sum));
    good(err, method);
    verdict(sum == 11, method, "not 11");
    pyro_proxy_close(&p);
}

/* Called back, by another connection, while the call is waited for. */
static void called_back(void)
{
    char         text[PYRO_URI_BYTES];
    int          ran = 0;
    int64_t      sum = 0;
    pyro_uri     uri;
    pyro_request rq;
    pyro_err     err = pyro_listen(&node, pyro_posix(), "127.0.0.1:0");

    if (!err)
        err = pyro_export(&node, &board_class, &ran, "board");
    if (!err)
        err = pyro_uri_of(&node, pyro_proxy_link(&meter), "board", text,
                          sizeof text);
    if (!err)
        err = pyro_uri_parse(&uri, text, strlen(text), NULL);
    good(err, "our URI");
    if (!err)
        err = pyro_begin(&rq, &meter, "call");
    if (!err) {
        pyro_put_uri(&rq.args, &uri);
        pyro_put_int(&rq.args, 41);
        err = pyro_send(&rq, pyro_to_i64(&sum), NULL, NULL);
    }
    if (!err)
        err = pyro_wait(&rq);
    good(err, "called back");
    verdict(sum == 42 && ran == 1, "called back", "not 42, or not once");
    (void)pyro_withdraw(&node, &ran);
}

static void refused(const char *at)
{
    char       uri[80];
    pyro_proxy p;
    pyro_err   err;

    snprintf(uri, sizeof uri, "PYRO:nobody@%s", at);
    err = pyro_proxy_open(&p, &node, uri);
    if (!err)
        err = pyro_invoke(&p, "add", PYRO_NO_ARGS, pyro_to_none());
    verdict((err == PYRO_ERR_DENIED || err == PYRO_ERR_REMOTE)
                && strstr(pyro_exception(&p)->message, "unknown object")
                       != NULL,
            "an unknown object", pyro_exception(&p)->message);
    pyro_proxy_close(&p);
}

/* An object that is registered with their name server, found by URIs as they
 * are written in Python: with its address, and without where it is known. */
static void by_name(const char *at, const char *name)
{
    static pyro_ns        names;
    static pyro_ns_config found;
    static char           server[PYRO_URI_BYTES];
    char                  uris[3][PYRO_URI_BYTES];
    pyro_proxy            p;
    unsigned              i;

    snprintf(server, sizeof server, "PYRO:Pyro.NameServer@%s", at);
    found.hosts = server;
    good(pyro_ns_open(&names, &node, &found), "their name server");
    snprintf(uris[0], sizeof uris[0], "PYRONAME:%s@%s", name, at);
    snprintf(uris[1], sizeof uris[1], "PYRONAME:%s", name);
    good(pyro_ns_resolve(&names, name, uris[2], sizeof uris[2]), name);
    for (i = 0; i < 3; i++) {
        int64_t  sum = 0;
        pyro_err err = pyro_proxy_open(&p, &node, uris[i]);

        if (!err)
            err = pyro_invoke(&p, "add", PYRO_ARGS(pyro_int(1), pyro_int(2)),
                              pyro_to_i64(&sum));
        good(err, uris[i]);
        verdict(sum == 3, uris[i], "not 3");
        pyro_proxy_close(&p);
    }
    verdict(pyro_ns_resolve(&names, "nobody", uris[2], sizeof uris[2])
                == PYRO_ERR_NAMING,
            "nobody", "was found");
    pyro_ns_close(&names);
}

int main(int argc, char **argv)
{
    static const pyro_codec *codecs[8];
    static char              uri[80];
    bool                     bytes = true;
    int                      i;

    if (argc < 2) {
        fprintf(stderr, "usage: interop_client HOST:PORT [CODEC...]\n");
        return 2;
    }
    if (argc == 4 && strcmp(argv[1], "names") == 0) {
        codecs[0] = &pyro_codec_serpent;
        config.codecs = codecs;
        good(pyro_open(&node, PYRO_ROOM_OF(room), &config), "open");
        by_name(argv[2], argv[3]);
        pyro_close(&node);
        printf("%u passed, %u failed\n", passed, failed);
        return failed != 0;
    }
    for (i = 2; i < argc && i < 9; i++)
        codecs[i - 2] = strcmp(argv[i], "json") == 0 ? &pyro_codec_json
                                                     : &pyro_codec_serpent;
    if (argc > 2 && strcmp(argv[2], "json") == 0)
        bytes = false; /* which JSON has not */
    config.codecs = argc > 2 ? codecs : NULL;
    snprintf(uri, sizeof uri, "PYRO:meter@%s", argv[1]);
    if (pyro_open(&node, PYRO_ROOM_OF(room), &config)
        || pyro_proxy_open(&meter, &node, uri)) {
        printf("FAILED: %s cannot be opened\n0 passed, 1 failed\n", uri);
        return 1;
    }
    calls();
    exceptions();
    attributes();
    values(bytes);
    object("uri");
    object("me");
    called_back();
    refused(argv[1]);
    pyro_proxy_close(&meter);
    pyro_close(&node);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
