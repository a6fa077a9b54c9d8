/* pyro-call: describes and calls any remote object from the shell. */
#define TOOL "pyro-call"
#define PYRO_NO_SERVER
#include "tool_ns.h"

#define ROOM_BYTES (TOOL_BYTES + PYRO_FRAME_EXTRA)

static PYRO_ROOM(3, 4, ROOM_BYTES, 0) room;
static pyro_daemon node;
static pyro_proxy  object;
static tool_ns     ns;
static bool        as_json;
static long        timeout_ms = PYRO_TIMEOUT_MS;
static uint8_t     message[TOOL_BYTES]; /* arguments, then the result */
static char        text[PYRO_JSON_BYTES(TOOL_BYTES)];

static const pyro_option table[] = {
    TOOL_NS_OPTIONS(ns),
    PYRO_OPTION_FLAG('j', NULL, &as_json, "describes as JSON"),
    PYRO_OPTION_NUMBER('t', NULL, "MS", &timeout_ms, 1, PYRO_MAX_MS,
                       "how long a call may take (3000)"),
};
static const pyro_options options = {
    TOOL,
    "[options] URI [METHOD [JSON...] [NAME=JSON...] | .ATTR | .ATTR=JSON]",
    "Without more than a URI: describes the object. Arguments and results\n"
    "are JSON; those with names come last. .ATTR reads an attribute of the\n"
    "object, .ATTR=JSON sets it. Bytes are {\"$bytes\":\"00ff\"}.\n"
    "  pyro-call PYROLOC://box:7766/calc div 1 3\n"
    "  pyro-call PYRONAME::lab.calc .label='\"bench 3\"'\n"
    "Status: 0 done, 1 failed or raised, 2 wrong usage (nothing was sent).",
    table,
    PYRO_COUNT(table),
    1,
    -1,
    true,
    NULL,
    NULL
};

/* The arguments of a call as they will be sent, one after the other. */
static struct {
    pyro_writer out;
    const char *names[PYRO_MAX_ARGS]; /* of those with names */
    unsigned    plain;
    unsigned    named;
} args;

/* Where the name of NAME=JSON ends, or NULL when it is plain JSON. */
static char *after_name(char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return n > 0 && word[n] == '=' ? word + n : NULL;
}

/* Adds a value. Returns -1, or the status after a complaint. */
static int add_value(unsigned number, char *word)
{
    char          what[160];
    pyro_json_why why = { "", 0 };

    if (pyro_json_put(&args.out, word, &why) == PYRO_OK) return -1;
    snprintf(what, sizeof what, "value %u is no JSON: %s, at byte %lu", number,
             why.text, (unsigned long)why.at);
    return pyro_options_wrong(&options, what, NULL);
}

/* Adds one argument. Returns the same. */
static int add_argument(unsigned number, char *word)
{
    char *equal = after_name(word);

    if (args.plain + args.named == PYRO_MAX_ARGS)
        return pyro_options_wrong(&options, "too many arguments", NULL);
    if (equal == NULL && args.named > 0)
        return pyro_options_wrong(&options,
                                  "arguments with names come last: ", word);
    if (equal == NULL) {
        args.plain++;
        return add_value(number, word);
    }
    *equal = 0;
    args.names[args.named++] = word;
    return add_value(number, equal + 1);
}

static int add_arguments(int argc, char **argv)
{
    int status = -1;
    int i;

    for (i = 0; i < argc && status < 0; i++)
        status = add_argument((unsigned)i + 1, argv[i]);
    return status;
}

static void put_arguments(pyro_request *rq)
{
    size_t      n = (size_t)(args.out.at - message);
    pyro_reader in = pyro_reader_of(message, n);
    const void *value;
    uint32_t    value_n;
    unsigned    i;

    for (i = 0; i < args.plain + args.named; i++) {
        if (i == args.plain) pyro_put_kwargs(rq, args.named);
        if (i >= args.plain)
            pyro_put_str(&rq->args, args.names[i - args.plain]);
        value = pyro_get_raw(&in, &value_n);
        pyro_put_raw(&rq->args, value, value_n);
    }
}

/* Prints an encoded value as a line of JSON. */
static int print_value(const pyro_blob *value)
{
    pyro_reader in = pyro_reader_of(value->data, value->used);
    pyro_err    err = pyro_json_get(&in, text, sizeof text);

    if (err) return tool_failed(&node, "the result", err);
    puts(text);
    return tool_printed(TOOL_GOOD);
}

static int call(const char *method)
{
    static pyro_request rq; /* outlives the call */
    pyro_blob           result = { message, sizeof message, 0 };
    pyro_err            err = pyro_begin(&rq, &object, method);

    if (!err) put_arguments(&rq);
    if (!err) err = pyro_send(&rq, pyro_to_raw(&result), NULL, NULL);
    if (!err) err = pyro_wait(&rq);
    if (err) return tool_call_failed(&node, &object, method, err);
    return print_value(&result);
}

/* .NAME or .NAME=JSON */
static int attribute(char *name)
{
    pyro_blob result = { message, sizeof message, 0 };
    char     *equal = strchr(name, '=');
    pyro_err  err;

    if (equal != NULL) {
        *equal = 0;
        err = pyro_setattr(&object, name,
                           pyro_raw(message, (size_t)(args.out.at - message)));
    } else {
        err = pyro_getattr(&object, name, pyro_to_raw(&result));
    }
    if (err) return tool_call_failed(&node, &object, name, err);
    return equal != NULL ? TOOL_GOOD : print_value(&result);
}

/* Prints the next text of a description, if there is any. */
static void say(pyro_reader *in, const char *before, const char *after)
{
    uint32_t    n;
    const char *word = pyro_get_str(in, &n);

    if (n == 0) return;
    fputs(before, stdout);
    tool_text(stdout, word, n);
    fputs(after, stdout);
}

/* [name, arguments, result, oneway] */
static void print_method(pyro_reader *in)
{
    if (pyro_get_list(in, 4) != 4) in->err = PYRO_ERR_DATA;
    say(in, "  ", "(");
    say(in, "", "");
    fputs(")", stdout);
    say(in, " -> ", "");
    puts(pyro_get_bool(in) ? "  oneway" : "");
}

/* [name, type, read-only] */
static void print_attribute(pyro_reader *in)
{
    if (pyro_get_list(in, 3) != 3) in->err = PYRO_ERR_DATA;
    say(in, "  .", "");
    say(in, " : ", "");
    puts(pyro_get_bool(in) ? "  read-only" : "");
}

/* {"class": name, "methods": [...], "attrs": [...]} */
static int print_description(const pyro_blob *value)
{
    pyro_reader in = pyro_reader_of(value->data, value->used);
    uint32_t    n;
    const char *key;
    uint32_t    key_n;
    uint32_t    left = pyro_get_map(&in, 3);

    for (; left > 0 && !in.err; left--) {
        key = pyro_get_str(&in, &key_n);
        if (key_n > 0 && *key == 'c') { /* class, methods, attrs */
            say(&in, "class ", "\n");
            continue;
        }
        for (n = pyro_get_list(&in, UINT32_MAX); n > 0 && !in.err; n--) {
            if (key_n > 0 && *key == 'm')
                print_method(&in);
            else
                print_attribute(&in);
        }
    }
    if (in.err) return tool_failed(&node, "its description", (pyro_err)in.err);
    return tool_printed(TOOL_GOOD);
}

/* Asks the daemon of an object for its description. */
static int describe(const char *uri)
{
    static pyro_proxy of;
    char              address[PYRO_URI_BYTES];
    char              name[PYRO_MAX_NAME + 1];
    pyro_blob         result = { message, sizeof message, 0 };
    pyro_uri          u;
    pyro_err          err = pyro_uri_parse(&u, uri, strlen(uri), NULL);

    if (err) return tool_failed(&node, uri, err);
    snprintf(name, sizeof name, "%.*s", (int)u.object_n, u.object);
    u.protocol = PYRO_URI_PYRO;
    u.object = TOOL_DAEMON;
    u.object_n = (uint8_t)strlen(TOOL_DAEMON);
    err = pyro_uri_print(&u, address, sizeof address);
    if (!err) err = pyro_proxy_open(&of, &node, address);
    if (err) return tool_failed(&node, uri, err);
    of.timeout_ms = (uint32_t)timeout_ms;
    err = pyro_invoke(&of, "describe", PYRO_ARGS(pyro_str(name)),
                      pyro_to_raw(&result));
    if (err) return tool_call_failed(&node, &of, uri, err);
    return as_json ? print_value(&result) : print_description(&result);
}

/* Has a PYRONAME resolved, by the host in it or what -n and -p say. Returns
 * -1, or a status. */
static int find(const pyro_uri *name, char *to, size_t size)
{
    static char host[PYRO_MAX_HOST + 1];
    char        wanted[PYRO_MAX_NAME + 1];
    int         status;
    pyro_err    err;

    snprintf(wanted, sizeof wanted, "%.*s", (int)name->object_n, name->object);
    snprintf(host, sizeof host, "%.*s", (int)name->host_n, name->host);
    if (name->host_n > 0) {
        ns.host = host;
        ns.port = name->port != 0 ? name->port : PYRO_NS_PORT;
    }
    status = tool_ns_open(&ns, &node);
    if (status >= 0) return status;
    err = pyro_ns_resolve(&ns.ns, wanted, to, size);
    if (err)
        return tool_call_failed(&node, pyro_ns_proxy(&ns.ns), wanted, err);
    return -1;
}

/* What is asked for, once the command line is known to be right. */
static int run(int argc, char **argv, const pyro_uri *uri)
{
    static char found[PYRO_URI_BYTES];
    const char *at = argv[1];
    int         status;
    pyro_err    err;

    if (uri->protocol == PYRO_URI_NAME) {
        status = find(uri, found, sizeof found);
        if (status >= 0) return status;
        at = found;
    }
    err = pyro_proxy_open(&object, &node, at);
    if (err) return tool_failed(&node, at, err);
    object.timeout_ms = (uint32_t)timeout_ms;
    if (argc == 2) return describe(at);
    return *argv[2] == '.' ? attribute(argv[2] + 1) : call(argv[2]);
}

/* Reads the values on the command line. Returns -1, or a status. */
static int read_values(int argc, char **argv)
{
    char *equal;

    args.out = pyro_writer_of(message, sizeof message, PYRO_MAX_ARGS);
    if (argc < 3) return -1;
    if (*argv[2] != '.') return add_arguments(argc - 3, argv + 3);
    if (argc > 3)
        return pyro_options_wrong(&options,
                                  "one argument too many: ", argv[3]);
    equal = strchr(argv[2], '=');
    return equal != NULL ? add_value(1, equal + 1) : -1;
}

int main(int argc, char **argv)
{
    int         status = pyro_options_read(&options, &argc, argv);
    const char *reason = NULL;
    pyro_uri    uri;
    pyro_err    err;

    if (status < 0) status = read_values(argc, argv);
    if (status >= 0) return status;
    if (pyro_uri_parse(&uri, argv[1], strlen(argv[1]), &reason))
        return pyro_options_wrong(&options, "not a URI: ", reason);
    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    status = err ? tool_failed(&node, argv[1], err) : run(argc, argv, &uri);
    pyro_close(&node);
    return status;
}
