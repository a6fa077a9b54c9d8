/* pyro-nsc: asks and changes a name server. */
#define TOOL "pyro-nsc"
#define PYRO_NO_SERVER
#include "tool_list.h"

#define ROOM_BYTES (TOOL_BYTES + PYRO_FRAME_EXTRA)

static PYRO_ROOM(3, 4, ROOM_BYTES, 0) room;
static pyro_daemon node;
static tool_ns     ns;
static bool        as_json, loud;
static uint8_t     message[TOOL_BYTES];
static pyro_blob   answer = { message, sizeof message, 0 };
static uint8_t     value[TOOL_TEXTS]; /* what is printed as JSON */
static char        json[PYRO_JSON_BYTES(TOOL_TEXTS)];

static const pyro_option table[] = {
    TOOL_NS_OPTIONS(ns),
    PYRO_OPTION_FLAG('j', "json", &as_json,
                     "JSON instead of text: list, listall, tree,\n"
                     "resolve, showmeta"),
    PYRO_OPTION_FLAG('v', NULL, &loud, "say where the name server is"),
};
static const pyro_options options = {
    TOOL,
    "[options] COMMAND [ARGUMENT...]",
    "  ping                   whether it is there\n"
    "  list [GROUP...]        what is in groups; without: in :Default\n"
    "  listall                all objects with their URIs\n"
    "  tree                   all groups and objects\n"
    "  resolve NAME...        where objects are\n"
    "  register NAME URI      until it is removed\n"
    "  remove NAME...\n"
    "  creategroup GROUP...\n"
    "  deletegroup GROUP...   with all that is in it\n"
    "  showmeta NAME...\n"
    "  setmeta NAME META      META is JSON, or else the text as it is\n"
    "  resync                 of a pair\n"
    "  shutdown\n"
    "Status: 0 done, 1 failed, 2 wrong usage.",
    table,
    PYRO_COUNT(table),
    1,
    -1,
    false,
    NULL,
    NULL
};

/* ------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------ */

/* Calls a method of the name server; its result is in `answer`. */
static pyro_err ask(const char *method, pyro_args args)
{
    return pyro_invoke(pyro_ns_proxy(&ns.ns), method, args,
                       pyro_to_raw(&answer));
}

/* Pyro's way to complain. Returns FAILED. */
static int complain(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "## %s:  ", what);
    tool_text(stderr, why, strlen(why));
    fputs("  ##\n", stderr);
    return TOOL_FAILED;
}

/* The same when asking has failed. */
static int refused(const char *what, pyro_err err)
{
    pyro_proxy *proxy = pyro_ns_proxy(&ns.ns);

    if (err == PYRO_ERR_REMOTE)
        return complain(what, pyro_exception(proxy)->message);
    if (err == PYRO_ERR_DATA)
        return complain(what, "malformed, or too long to be listed");
    fputs("There is a problem: ", stderr);
    return tool_call_failed(&node, proxy, what, err);
}

/* Prints the full form of a name; false after a complaint. */
static bool expand(const char *name, char full[PYRO_NS_MAX_NAME + 1])
{
    const char *wrong = pyro_ns_expand(NULL, name, strlen(name), full);

    if (wrong != NULL) complain(wrong, name);
    return wrong == NULL;
}

/* Prints what a writer over `value` holds, as a line. */
static int print_json(const pyro_writer *out)
{
    pyro_reader in = pyro_reader_of(value, (size_t)(out->at - value));
    pyro_err    err = pyro_writer_end(out);

    if (!err) err = pyro_json_get(&in, json, sizeof json);
    if (err) return tool_failed(&node, "JSON", err);
    puts(json);
    return TOOL_GOOD;
}

static void say(const char *text)
{
    tool_text(stdout, text, strlen(text));
}

/* ------------------------------------------------------------------------
 * Commands: what each returns is the status
 * ------------------------------------------------------------------------ */

/* {"group": name, "groups": [...], "objects": [...]} */
static int list_as_json(const char *group)
{
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    uint32_t    groups = 0;
    uint32_t    i;
    int         kind;

    for (i = 0; i < tool_n_names; i++) groups += tool_names[i].uri == NULL;
    pyro_put_map(&out, 3);
    pyro_put_str(&out, "group");
    pyro_put_str(&out, group);
    for (kind = 0; kind < 2; kind++) {
        pyro_put_str(&out, kind == 0 ? "groups" : "objects");
        pyro_put_list(&out, kind == 0 ? groups : tool_n_names - groups);
        for (i = 0; i < tool_n_names; i++)
            if ((tool_names[i].uri != NULL) == (kind == 1))
                pyro_put_str(&out, tool_own_part(tool_names[i].name));
    }
    return print_json(&out);
}

static int do_list(const char *name)
{
    char     group[PYRO_NS_MAX_NAME + 1];
    uint32_t i;
    pyro_err err;

    if (!expand(name, group)) return TOOL_FAILED;
    tool_n_names = 0;
    tool_n_texts = 0;
    err = tool_take(pyro_ns_proxy(&ns.ns), &answer, group, TOOL_BOTH);
    if (err) return refused("can't list", err);
    tool_sort();
    if (as_json) return list_as_json(group);
    printf("%s  --> (", group);
    for (i = 0; i < tool_n_names; i++) {
        fputs(tool_names[i].uri == NULL ? " [" : " ", stdout);
        say(tool_own_part(tool_names[i].name));
        if (tool_names[i].uri == NULL) putchar(']');
    }
    puts(" )");
    return TOOL_GOOD;
}

/* {full name: URI, ...}, groups with null */
static int all_as_json(void)
{
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    uint32_t    i;

    pyro_put_map(&out, tool_n_names);
    for (i = 0; i < tool_n_names; i++) {
        pyro_put_str(&out, tool_names[i].name);
        if (tool_names[i].uri != NULL)
            pyro_put_str(&out, tool_names[i].uri);
        else
            pyro_put_nil(&out);
    }
    return print_json(&out);
}

static int do_listall(const char *name)
{
    uint32_t i;
    pyro_err err = tool_take(pyro_ns_proxy(&ns.ns), &answer, NULL, TOOL_FLAT);

    (void)name;
    if (err) return refused("can't list", err);
    tool_sort();
    if (as_json) return all_as_json();
    puts("-------------- START DATABASE");
    for (i = 0; i < tool_n_names; i++) {
        say(tool_names[i].name);
        fputs("  -->  ", stdout);
        say(tool_names[i].uri);
        putchar('\n');
    }
    puts("-------------- END");
    return TOOL_GOOD;
}

static void print_branch(const tool_entry *e)
{
    const char *at;

    if (e->name[1] != 0) fputs("  ", stdout);
    for (at = e->name; *at != 0; at++)
        if (*at == '.') fputs("  ", stdout);
    if (e->uri == NULL && e->name[1] != 0) putchar('[');
    say(tool_own_part(e->name));
    if (e->uri != NULL) fputs("  -->  ", stdout);
    if (e->uri != NULL) say(e->uri);
    puts(e->uri == NULL && e->name[1] != 0 ? "]" : "");
}

static int do_tree(const char *name)
{
    uint32_t i;
    pyro_err err = tool_take_tree(pyro_ns_proxy(&ns.ns), &answer);

    (void)name;
    if (err) return refused("can't list", err);
    if (as_json) return all_as_json();
    for (i = 0; i < tool_n_names; i++) print_branch(&tool_names[i]);
    return TOOL_GOOD;
}

static int do_resolve(const char *name)
{
    char        full[PYRO_NS_MAX_NAME + 1];
    char        uri[PYRO_URI_BYTES];
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    pyro_err    err;

    if (!expand(name, full)) return TOOL_FAILED;
    err = pyro_invoke(pyro_ns_proxy(&ns.ns), "resolve",
                      PYRO_ARGS(pyro_str(full)), pyro_to_str(uri, sizeof uri));
    if (err) return refused("can't resolve", err);
    pyro_put_map(&out, 1);
    pyro_put_str(&out, full);
    pyro_put_str(&out, uri);
    if (as_json) return print_json(&out);
    printf("%s  --> ", full);
    say(uri);
    putchar('\n');
    return TOOL_GOOD;
}

static int do_register(const char *name, const char *uri)
{
    char     full[PYRO_NS_MAX_NAME + 1];
    pyro_err err;

    if (!expand(name, full)) return TOOL_FAILED;
    err = ask("register", PYRO_ARGS(pyro_str(full), pyro_str(uri)));
    if (err) return refused("Can't register", err);
    printf("registered %s  -->  %s\n", full, uri);
    return TOOL_GOOD;
}

static int show_as_json(const char *full, const uint8_t *system, uint32_t n)
{
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);

    pyro_put_map(&out, 3);
    pyro_put_str(&out, "name");
    pyro_put_str(&out, full);
    pyro_put_str(&out, "system");
    pyro_put_raw(&out, system, n);
    pyro_put_str(&out, "user");
    pyro_put_raw(&out, answer.data, answer.used);
    return print_json(&out);
}

static int do_showmeta(const char *name)
{
    char        full[PYRO_NS_MAX_NAME + 1];
    uint8_t     system[64];
    uint32_t    n;
    pyro_reader in;
    pyro_err    err;

    if (!expand(name, full)) return TOOL_FAILED;
    err = ask("getSystemMeta", PYRO_ARGS(pyro_str(full)));
    if (err) return refused("can't show metadata", err);
    n = answer.used;
    if (n > sizeof system) return complain("can't show metadata", "malformed");
    memcpy(system, message, n);
    err = ask("getMeta", PYRO_ARGS(pyro_str(full)));
    if (err) return refused("can't show metadata", err);
    if (as_json) return show_as_json(full, system, n);
    in = pyro_reader_of(system, n);
    (void)pyro_get_list(&in, 2);
    printf("META INFO OF %s\nsystem meta info : [type=%d", full,
           (int)pyro_get_i32(&in));
    if (pyro_more(&in) && pyro_peek(&in) != PYRO_NIL)
        printf(" lease=%lds", (long)(pyro_get_i64(&in) / 1000));
    in = pyro_reader_of(answer.data, answer.used);
    err = pyro_json_get(&in, json, sizeof json);
    printf("]\n  user meta info : %s\n", err ? "?" : json);
    return err ? complain("can't show metadata", "malformed") : TOOL_GOOD;
}

/* The text is JSON, or else it is itself the value. */
static int do_setmeta(const char *name, const char *meta)
{
    char        full[PYRO_NS_MAX_NAME + 1];
    pyro_writer out = pyro_writer_of(value, sizeof value, 1);
    pyro_err    err;

    if (!expand(name, full)) return TOOL_FAILED;
    snprintf(json, sizeof json, "%s", meta); /* which is written over */
    if (pyro_json_put(&out, json, NULL)) pyro_put_str(&out, meta);
    err = pyro_writer_end(&out);
    if (err) return tool_failed(&node, "metadata", err);
    err = ask("setMeta", PYRO_ARGS(pyro_str(full),
                                   pyro_raw(value, (size_t)(out.at - value))));
    if (err) return refused("can't set metadata", err);
    printf("Metadata of %s set.\n", full);
    return TOOL_GOOD;
}

static int do_shutdown(const char *name)
{
    char     text[100];
    pyro_err err = pyro_invoke(pyro_ns_proxy(&ns.ns), "_shutdown",
                               PYRO_NO_ARGS, pyro_to_str(text, sizeof text));
    bool     denied = strstr(text, "denied") != NULL;
    FILE    *to = denied ? stderr : stdout;

    (void)name;
    if (err) return refused("can't shut down", err);
    fputs("Result from system command shutdown : ", to);
    tool_text(to, text, strlen(text));
    fputc('\n', to);
    return denied ? TOOL_FAILED : TOOL_GOOD;
}

/* A command: a method with a name or without arguments, or a function. With
 * one name it is done for each. */
static const struct {
    const char *name;
    int         least; /* arguments */
    int         most;  /* < 0: any number */
    int (*one)(const char *name);
    int (*two)(const char *name, const char *other);
    const char *method;
    const char *wrong; /* said when it is refused */
    const char *done;  /* said when it is done */
    const char *usage; /* said when there are other numbers of arguments */
} commands[] = {
    { "ping", 0, 0, NULL, NULL, "ping", "no answer", "NS is up and running!",
      "Ping needs no arguments" },
    { "list", 0, -1, do_list, NULL, NULL, NULL, NULL, "" },
    { "listall", 0, 0, do_listall, NULL, NULL, NULL, NULL,
      "Listall needs no arguments" },
    { "tree", 0, 0, do_tree, NULL, NULL, NULL, NULL,
      "Tree needs no arguments" },
    { "resolve", 1, -1, do_resolve, NULL, NULL, NULL, NULL,
      "No arguments, nothing to resolve" },
    { "register", 2, 2, NULL, do_register, NULL, NULL, NULL,
      "Register needs 2 args: name URI" },
    { "remove", 1, -1, NULL, NULL, "unregister", "Can't unregister",
      "unregistered.", "No arguments, nothing to remove" },
    { "creategroup", 1, -1, NULL, NULL, "createGroup", "Can't create group",
      "created.", "No arguments, nothing to create" },
    { "deletegroup", 1, -1, NULL, NULL, "deleteGroup", "Can't delete group",
      "deleted.", "No arguments, nothing to delete" },
    { "showmeta", 1, -1, do_showmeta, NULL, NULL, NULL, NULL,
      "No arguments, nothing to show" },
    { "setmeta", 2, 2, NULL, do_setmeta, NULL, NULL, NULL,
      "Setmeta needs 2 args: name metadata" },
    { "resync", 0, 0, NULL, NULL, "resync", "can't resync", "resync done",
      "Resync needs no arguments" },
    { "shutdown", 0, 0, do_shutdown, NULL, NULL, NULL, NULL,
      "Shutdown needs no arguments" },
};

/* Calls the method of command i, for a name if it wants one. */
static int call(size_t i, const char *name)
{
    char     full[PYRO_NS_MAX_NAME + 1] = "";
    bool     named = commands[i].least > 0;
    pyro_err err;

    if (named && !expand(name, full)) return TOOL_FAILED;
    err = ask(commands[i].method,
              named ? PYRO_ARGS(pyro_str(full)) : PYRO_NO_ARGS);
    if (err) return refused(commands[i].wrong, err);
    printf("%s%s%s\n", full, named ? " " : "", commands[i].done);
    return TOOL_GOOD;
}

/* Runs command i with its arguments. */
static int run(size_t i, int argc, char **argv)
{
    int status = TOOL_GOOD;
    int k;

    if (commands[i].two != NULL) return commands[i].two(argv[0], argv[1]);
    for (k = 0; k < argc || k == 0; k++) {
        const char *name = argc > 0 ? argv[k] : "";

        if (commands[i].one != NULL ? commands[i].one(name) : call(i, name))
            status = TOOL_FAILED;
    }
    return status;
}

int main(int argc, char **argv)
{
    int      status = pyro_options_read(&options, &argc, argv);
    size_t   i = 0;
    pyro_err err;

    if (status >= 0) return status;
    while (i < PYRO_COUNT(commands) && strcmp(commands[i].name, argv[1]) != 0)
        i++;
    if (i == PYRO_COUNT(commands))
        return pyro_options_wrong(&options, "unknown command ", argv[1]);
    if (argc - 2 < commands[i].least
        || (commands[i].most >= 0 && argc - 2 > commands[i].most))
        return pyro_options_wrong(&options, commands[i].usage, NULL);
    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    if (err) return tool_failed(&node, "starting", err);
    ns.loud = loud;
    status = tool_ns_open(&ns, &node);
    if (status < 0) status = run(i, argc - 2, argv + 2);
    pyro_close(&node);
    return tool_printed(status);
}
