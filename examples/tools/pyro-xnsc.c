/* pyro-xnsc - the names of a name server, in a full screen of the terminal
 *
 * Stands for Pyro's xnsc and wxnsc: the tree of groups and objects, what is
 * known of each, and what can be done to them. It asks the server anew every
 * second. --help says how to start it, the key ? what the keys do. */
#define TOOL "pyro-xnsc"
#define PYRO_NO_SERVER
#include "tool_ns.h"
#include "../lib/term.h"

#include <stdarg.h>

#define ROWS       5000  /* of the tree; more are not shown */
#define OPEN       200   /* groups unfolded at once */
#define PAGES      9999  /* of one list */
#define VALUE      16000 /* bytes of a result */
#define REFRESH_MS 1000
#define CALL_MS    1500
#define LOST_MS    4000 /* without any answer: the end */
#define NAME_BYTES (PYRO_NS_MAX_NAME + 1)

typedef struct row {
    char    name[NAME_BYTES]; /* full */
    uint8_t depth;
    bool    group;
} row;

typedef struct tree {
    row  rows[ROWS];
    int  n;
    bool cut; /* there are more */
} tree;

typedef struct text {
    char   s[20000];
    size_t n;
} text;

static PYRO_ROOM(3, 4, VALUE + 100, 1) room;
static pyro_daemon  node;
static pyro_watched keys;
static tool_ns      ns;
static pyro_proxy  *server;                /* the name server */
static bool         failing;               /* it does not answer, */
static uint32_t     since;                 /* since when, */
static bool         lost;                  /* and for too long */
static char         where[PYRO_URI_BYTES]; /* its host:port */

static uint8_t   value_bytes[VALUE];
static pyro_blob value = { value_bytes, sizeof value_bytes, 0 };

static tree     trees[2], *shown = &trees[0];
static int      chosen, top; /* rows: the cursor's, the first on the screen */
static char     unfolded[OPEN][NAME_BYTES];
static int      n_unfolded;
static bool     unfold_all; /* by the next refresh */
static uint32_t due;        /* the next refresh */
static bool     moved;      /* the details are another row's */

static text        details;  /* of the chosen row */
static text        said;     /* a message, for the last line */
static text        page;     /* over everything, if there is one */
static int         page_top; /* its first line on the screen */
static const char *question; /* in the last line, or NULL */
static const char *answer;   /* what has been typed */
static char        wanted[80];

static const char help_text[] = "up down page-up page-down home end\n"
                                "left    fold, go to the group\n"
                                "right   unfold, go into the group\n"
                                "enter   unfold or fold, describe\n"
                                "*       unfold all groups\n"
                                "/ n     find what is unfolded, again\n"
                                "d       describe the object\n"
                                "r       register a name\n"
                                "x       remove an object, or a group\n"
                                "        with all in it\n"
                                "c       create a group\n"
                                "m       set metadata: JSON, or a text\n"
                                "s       make a pair equal (resync)\n"
                                "S       shut the name server down\n"
                                "? q     this help, quit\n\n"
                                ":Default and :Pyro stay. All is asked\n"
                                "anew every second. '?' may stand for\n"
                                "what is not for a terminal.\n";

/* --- texts --- */

static text *clear(text *t)
{
    t->n = 0;
    t->s[0] = 0;
    return t;
}

/* Adds to a text; what does not fit is left out. */
static void add(text *t, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (vsnprintf(t->s + t->n, sizeof t->s - t->n, format, list) > 0)
        t->n += strlen(t->s + t->n);
    va_end(list);
}

/* The bytes of a text's next line in `width` cells; *s goes on behind it. */
static size_t next_line(const char **s, int width)
{
    int    cells;
    size_t n = term_fit(*s, strcspn(*s, "\n"), width, &cells);

    *s += n;
    if (**s == '\n') ++*s;
    return n;
}

/* --- the screen --- */

/* Index of an unfolded group, or n_unfolded. */
static int find_group(const char *name)
{
    int i = 0;

    while (i < n_unfolded && strcmp(unfolded[i], name) != 0) i++;
    return i;
}

static void draw_row(int i, int width)
{
    const row  *r = &shown->rows[i < shown->n ? i : 0];
    const char *last = strrchr(r->name, '.');
    const char *mark = find_group(r->name) < n_unfolded ? "-" : "+";
    char        line[NAME_BYTES * 3];

    last = last != NULL ? last + 1 : r->name + (r->name[1] != 0);
    snprintf(line, sizeof line, " %*s%s %s", 2 * r->depth, "",
             r->group ? mark : " ", last);
    if (i == chosen) term_attr("7");
    term_text(i < shown->n ? line : "", width);
    term_attr("");
}

/* Tree and details, side by side or one above the other. */
static void draw_tree(void)
{
    bool        wide = term.cols >= 60;
    int         rows = wide ? term.rows - 2 : (term.rows - 2) / 2;
    int         left = wide ? term.cols * 2 / 5 : term.cols;
    int         right = wide ? term.cols - left - 2 : term.cols;
    int         i;
    const char *next = details.s;

    if (top > shown->n - rows) top = shown->n - rows;
    if (top < chosen - rows + 1) top = chosen - rows + 1;
    if (top > chosen) top = chosen;
    if (top < 0) top = 0;
    for (i = 0; i < term.rows - 2; i++) {
        const char *line = next;

        term_line(i + 1);
        if (i < rows) draw_row(top + i, left);
        if (!wide && i < rows) continue;
        if (wide) term_text("| ", 2);
        if (line == details.s) term_attr(wide ? "1" : "4");
        term_put(line, next_line(&next, right), right);
        term_attr("");
    }
}

static void draw_page(void)
{
    const char *next = page.s, *line;
    int         width = term.cols - 1, rows = term.rows - 2, lines = 0, i;

    for (; *next != 0; lines++) (void)next_line(&next, width);
    if (page_top > lines - rows) page_top = lines - rows;
    if (page_top < 0) page_top = 0;
    next = page.s;
    for (i = -page_top; i < rows; i++) {
        line = next;
        lines = (int)next_line(&next, width);
        if (i < 0) continue;
        term_line(i + 1);
        term_text("", 1);
        term_put(line, (size_t)lines, width);
    }
}

/* What is asked for, what was said, or what can be done. */
static void draw_last_line(void)
{
    int         width, cells;
    uint32_t    c;
    const char *from = answer;

    term_line(term.rows - 1);
    term_cursor(-1, 0);
    if (question == NULL) {
        term_text(said.n > 0   ? said.s
                  : page.n > 0 ? "up down page-up page-down  q back"
                               : "? help  q quit  enter fold/describe  "
                                 "r register  x remove  c group  m meta",
                  term.cols);
        return;
    }
    (void)term_fit(question, strlen(question), term.cols - 12, &width);
    term_text(question, width);
    width = term.cols - width;
    while (term_fit(from, strlen(from), width - 1, &cells) < strlen(from))
        from += term_decode(from, strlen(from), &c); /* the end is seen */
    term_text(from, width);
    term_cursor(term.rows - 1, term.cols - width + cells);
}

static void draw(void)
{
    char title[PYRO_URI_BYTES + 80];
    bool fits;
    int  i;

    term_measure();
    fits = term.cols >= 30 && term.rows >= 8;
    snprintf(title, sizeof title, " " TOOL "  %s%s", where,
             shown->cut ? "  too many names, not all are shown" : "");
    if (!fits)
        snprintf(title, sizeof title, "needs 30x8, is %dx%d", term.cols,
                 term.rows);
    for (i = 0; i < term.rows; i++) {
        term_line(i);
        if (i == 0) term_attr("7");
        term_text(i == 0 ? title : "", term.cols);
    }
    term_cursor(-1, 0);
    if (fits && page.n > 0) draw_page();
    if (fits && page.n == 0) draw_tree();
    if (fits) draw_last_line();
    term_show();
}

/* --- calls --- */

/* Says why a call failed. */
static void say_why(const pyro_proxy *proxy, const char *what, pyro_err err)
{
    const pyro_exc *e = pyro_exception(proxy);

    if (err == PYRO_ERR_REMOTE)
        add(clear(&said), "%s: %s: %s", what, e->type, e->message);
    else
        add(clear(&said), "%s: %s %s", what, pyro_err_text(err),
            node.why.text != NULL ? node.why.text : "");
}

/* A call; *in reads its result. A signal that ends the program ends it. */
static pyro_err ask(pyro_proxy *proxy, const char *method, pyro_args args,
                    pyro_reader *in)
{
    static pyro_request rq;
    pyro_err            err;
    size_t              i;

    *in = pyro_reader_of(value.data, 0);
    if ((err = pyro_begin(&rq, proxy, method)) != PYRO_OK) return err;
    for (i = 0; i < args.count; i++) pyro_put(&rq.args, args.values[i]);
    value.used = 0;
    err = pyro_send(&rq, pyro_to_raw(&value), NULL, NULL);
    while (!err && !pyro_done(&rq))
        err = term.leave ? PYRO_ERR_CLOSED : pyro_poll(&node, REFRESH_MS);
    if (err)
        (void)pyro_cancel(&rq);
    else
        err = pyro_result(&rq);
    if (!err) *in = pyro_reader_of(value.data, value.used);
    return err;
}

/* A str of at most PYRO_MAX_NAME bytes, in one line. */
static void get_text(pyro_reader *in, char to[PYRO_MAX_NAME + 1])
{
    uint32_t    n;
    const char *s = pyro_get_str(in, &n);

    snprintf(to, PYRO_MAX_NAME + 1, "%.*s", (int)n, s);
    for (; *to != 0; to++)
        if (*to == '\n') *to = '?';
}

/* A call of the name server for its effect, which is said. */
static bool change(const char *method, const char *what, pyro_args args)
{
    pyro_reader in;
    char        result[PYRO_MAX_NAME + 1] = "done";
    pyro_err    err = ask(server, method, args, &in);

    due = pyro_now(&node);
    if (pyro_peek(&in) == PYRO_STR) get_text(&in, result);
    add(clear(&said), "%s: %s", what, result);
    if (err) say_why(server, what, err);
    return err == PYRO_OK;
}

/* Another name server was found: the only one, or the other of a pair. */
static void found(void *user, pyro_ns_event event, const char *at)
{
    pyro_uri uri;

    (void)user;
    if (event == PYRO_NS_FOUND && !pyro_uri_parse(&uri, at, strlen(at), NULL))
        snprintf(where, sizeof where, "%.*s:%u", uri.host_n, uri.host,
                 uri.port);
}

/* --- the tree --- */

/* Index of a name's row, or n. */
static int find_row(const tree *t, const char *name)
{
    int i = 0;

    while (i < t->n && strcmp(t->rows[i].name, name) != 0) i++;
    return i;
}

static void fold(const char *name)
{
    int i = find_group(name);

    if (i < n_unfolded)
        memmove(unfolded[i], unfolded[--n_unfolded], NAME_BYTES);
    due = pyro_now(&node);
}

static void unfold(const char *name)
{
    int i = n_unfolded == OPEN ? OPEN : 0;

    if (find_group(name) < n_unfolded) return;
    while (i-- > 0) /* what cannot be seen is forgotten when there are many */
        if (find_row(shown, unfolded[i]) == shown->n) fold(unfolded[i]);
    if (n_unfolded < OPEN)
        snprintf(unfolded[n_unfolded++], NAME_BYTES, "%s", name);
    else
        add(clear(&said), "%d groups are unfolded: fold one first", OPEN);
    due = pyro_now(&node);
}

/* The order of the tree: what a group has follows it, before other names that
 * begin like it. */
static int by_name(const void *a, const void *b)
{
    const char *x = ((const row *)a)->name, *y = ((const row *)b)->name;

    for (; *x != 0 && *x == *y; x++) y++;
    if (*x == '.' && *y != 0) return -1;
    if (*y == '.' && *x != 0) return 1;
    return (unsigned char)*x - (unsigned char)*y;
}

/* An entry [name, type] of the group `above`. */
static void take_row(tree *t, const row *above, pyro_reader *in)
{
    row *r = &t->rows[t->n];
    char name[PYRO_MAX_NAME + 1];

    if (pyro_get_list(in, 2) != 2) in->err = PYRO_ERR_DATA;
    get_text(in, name);
    if (snprintf(r->name, NAME_BYTES, "%s%s%s", above->name,
                 above->name[1] != 0 ? "." : "", name)
        >= NAME_BYTES)
        in->err = PYRO_ERR_DATA; /* no name at all */
    r->depth = (uint8_t)(above->depth + 1);
    r->group = pyro_get_i32(in) == 0;
    t->n += !in->err;
}

/* Adds what a group has directly below it; the list comes in pages. */
static pyro_err fill(tree *t, row above)
{
    pyro_reader in;
    pyro_err    err;
    uint32_t    n;
    int32_t     next = 0;
    int         pages = 0;

    do {
        err = ask(server, "list",
                  PYRO_ARGS(pyro_str(above.name), pyro_int(next)), &in);
        if (err) return err;
        if (pyro_get_list(&in, 2) != 2) return PYRO_ERR_DATA;
        next = pyro_get_i32(&in);
        for (n = pyro_get_list(&in, VALUE); n > 0 && t->n < ROWS; n--)
            take_row(t, &above, &in);
        t->cut = t->cut || n > 0;
    } while (!in.err && next > 0 && !t->cut && ++pages < PAGES);
    return (pyro_err)in.err;
}

/* The unfolded part of the tree as the server has it now. */
static pyro_err fill_all(tree *t)
{
    pyro_err err = PYRO_OK;
    int      i;

    snprintf(t->rows[0].name, NAME_BYTES, ":");
    t->rows[0].group = true;
    t->n = 1;
    t->cut = false;
    for (i = 0; i < t->n && !err; i++) {
        const row *r = &t->rows[i];

        if (unfold_all && r->group) unfold(r->name);
        if (r->group && find_group(r->name) < n_unfolded) err = fill(t, *r);
        if (err == PYRO_ERR_REMOTE && i > 0) { /* deleted meanwhile */
            fold(r->name);
            err = PYRO_OK;
        }
    }
    unfold_all = false;
    qsort(t->rows, (size_t)t->n, sizeof t->rows[0], by_name);
    return err;
}

/* Says what is wrong; ends it all when there has been no answer for long. The
 * client looks for the server meanwhile, and for the other of a pair. */
static void note_health(pyro_err err)
{
    bool silent = err && err != PYRO_ERR_REMOTE && err != PYRO_ERR_DATA
               && err != PYRO_ERR_TYPE && err != PYRO_ERR_NOSPACE;

    if (err) say_why(server, where, err);
    if (!err && failing) (void)clear(&said);
    if (silent && !failing) since = pyro_now(&node);
    failing = silent;
    lost = failing && pyro_now(&node) - since >= LOST_MS;
    if (lost) term.leave = -1;
}

/* Asks for everything anew; the cursor stays on its name, or where it was
 * when that is gone. */
static void refresh(void)
{
    tree    *t = shown == &trees[0] ? &trees[1] : &trees[0];
    pyro_err err = fill_all(t);
    int      i = find_row(t, shown->rows[chosen].name);

    due = pyro_now(&node) + REFRESH_MS;
    moved = true;
    note_health(err);
    if (err) return;
    if (i == t->n) i = chosen < t->n ? chosen : t->n - 1;
    top += i - chosen;
    chosen = i;
    shown = t;
}

/* Unfolds all that is above a name and puts the cursor there. */
static void show_name(const char *name)
{
    char   full[NAME_BYTES], group[NAME_BYTES];
    size_t n;

    if (pyro_ns_expand(NULL, name, strlen(name), full) != NULL) return;
    unfold(":");
    for (n = 1; full[n] != 0; n++) {
        snprintf(group, sizeof group, "%.*s", (int)n, full);
        if (full[n] == '.') unfold(group);
    }
    refresh();
    if (find_row(shown, full) < shown->n) chosen = find_row(shown, full);
}

/* --- what is known of a name --- */

/* One value as JSON, or why there is none. */
static void add_value(const char *what, const char *method, const char *name)
{
    static char json[PYRO_JSON_BYTES(VALUE)];
    pyro_reader in;
    pyro_err    err = ask(server, method, PYRO_ARGS(pyro_str(name)), &in);
    bool        nil = pyro_peek(&in) == PYRO_NIL;

    if (err == PYRO_ERR_REMOTE)
        snprintf(json, sizeof json, "%s", pyro_exception(server)->message);
    else if (err || (err = pyro_json_get(&in, json, sizeof json)) != PYRO_OK)
        snprintf(json, sizeof json, "%s", pyro_err_text(err));
    if (!err && what[0] == 'U' && json[0] == '"')
        add(&details, "%s  %.*s\n", what, (int)strlen(json) - 2, json + 1);
    else
        add(&details, "%s  %s\n", what, nil ? "none" : json);
}

static void add_lease(const char *name)
{
    pyro_reader in;
    pyro_err    err =
        ask(server, "getSystemMeta", PYRO_ARGS(pyro_str(name)), &in);
    long long ms;

    (void)pyro_get_list(&in, 2);
    pyro_skip(&in);
    if (err || pyro_peek(&in) != PYRO_INT) {
        add(&details, "lease  %s\n", err ? pyro_err_text(err) : "none");
        return;
    }
    ms = pyro_get_i64(&in);
    add(&details, "lease  %lld s left\n", ms / 1000 + (ms % 1000 > 0));
}

static void look(void)
{
    const row *r = &shown->rows[chosen];

    moved = false;
    add(clear(&details), "%s\n", r->name);
    if (r->group) {
        add(&details, "group\n");
    } else {
        add_value("URI  ", "resolve", r->name);
        add_lease(r->name);
    }
    if (r->name[1] != 0) add_value("meta ", "getMeta", r->name);
}

/* Methods [name, arguments, result, oneway], or attributes [name, type,
 * read-only]. */
static void add_members(pyro_reader *in, bool methods)
{
    char     name[PYRO_MAX_NAME + 1], type[PYRO_MAX_NAME + 1];
    uint32_t n = pyro_get_list(in, VALUE);

    add(&page, methods ? "\nmethods\n" : "\nattributes\n");
    for (; n > 0 && !in->err; n--) {
        (void)pyro_get_list(in, 4);
        get_text(in, name);
        get_text(in, type);
        add(&page, methods ? "  %s(%s)" : "  %s: %s", name, type);
        if (methods) get_text(in, type);
        if (methods) add(&page, type[0] != 0 ? " -> %s" : "%s", type);
        if (pyro_get_bool(in))
            add(&page, methods ? "  oneway" : "  read-only");
        add(&page, "\n");
    }
}

static void add_description(pyro_reader *in)
{
    char     key[PYRO_MAX_NAME + 1];
    uint32_t n = pyro_get_map(in, 10);

    for (; n > 0 && !in->err; n--) {
        get_text(in, key);
        if (strcmp(key, "methods") == 0 || strcmp(key, "attrs") == 0) {
            add_members(in, key[0] == 'm');
        } else if (strcmp(key, "class") == 0) {
            get_text(in, key);
            add(&page, "class  %s\n", key);
        } else {
            pyro_skip(in);
        }
    }
    add(&page, in->err ? "The description cannot be read.\n"
                       : "\nb bool  i u q integer  d f float\n"
                         "s str  y bytes  U object  v any\n"
                         "[ ] list  { } map  ? optional\n");
}

/* Asks the daemon that has the object. */
static void describe(void)
{
    static pyro_proxy proxy;
    const char       *name = shown->rows[chosen].name;
    char              object[PYRO_URI_BYTES] = "", at[PYRO_URI_BYTES];
    pyro_uri          of, uri;
    pyro_reader       in;
    uint32_t          n;
    pyro_err    err = ask(server, "resolve", PYRO_ARGS(pyro_str(name)), &in);
    const char *s = pyro_get_str(&in, &n);

    if (err) {
        say_why(server, name, err);
        return;
    }
    memset(&of, 0, sizeof of);
    snprintf(object, sizeof object, "%.*s", (int)n, s);
    err = pyro_uri_parse(&of, object, strlen(object), NULL);
    uri = of;
    uri.protocol = PYRO_URI_PYRO;
    uri.object = TOOL_DAEMON;
    uri.object_n = sizeof TOOL_DAEMON - 1;
    if (!err) err = pyro_uri_print(&uri, at, sizeof at);
    if (!err) err = pyro_proxy_open(&proxy, &node, at);
    if (err) {
        add(clear(&said), "%s: %s", object, pyro_err_text(err));
        return;
    }
    add(clear(&said), "asking %s", object);
    draw();
    err = ask(&proxy, "describe", PYRO_ARGS(pyro_strn(of.object, of.object_n)),
              &in);
    page_top = 0;
    if (!err) {
        add(clear(&page), "%s\nURI    %s\n", name, object);
        add_description(&in);
        (void)clear(&said);
    } else {
        say_why(&proxy, object, err);
    }
    pyro_proxy_close(&proxy);
}

/* --- what the keys do --- */

/* Brings everything up to date, draws it and waits for a key. 0: none yet. */
static int step(void)
{
    int32_t ms;
    int     key;

    if ((int32_t)(due - pyro_now(&node)) <= 0) refresh();
    key = term_key(pyro_now(&node));
    if (key != 0 || term.leave) return key;
    if (moved) look();
    draw();
    ms = (int32_t)(due - pyro_now(&node));
    if (ms > term_key_ms()) ms = term_key_ms();
    if (ms > 0) (void)pyro_poll(&node, ms);
    return term_key(pyro_now(&node));
}

/* Lets a text be typed, or changed, in the last line. False: left with ESC. */
static bool ask_text(const char *what, char *to, size_t size)
{
    size_t n;
    int    key = 0;

    question = what;
    answer = to;
    while (key != TERM_ENTER && key != TERM_ESC && !term.leave) {
        key = step();
        n = strlen(to);
        if (n + strlen(term.typed) < size) strcat(to, term.typed);
        if (key == TERM_BACK && n > 0) to[term_before(to, n)] = 0;
        if (key == TERM_CTRL_U) to[0] = 0;
    }
    question = NULL;
    return key == TERM_ENTER;
}

static bool ask_yes(const char *format, const char *name)
{
    char what[PYRO_URI_BYTES + 80];
    int  key = 0;

    snprintf(what, sizeof what, format, name);
    question = what;
    answer = "";
    while (key == 0 && !term.leave) key = step();
    question = NULL;
    return key == 'y';
}

/* The group of the chosen row, as the beginning of a name. */
static void begin_name(char to[NAME_BYTES])
{
    const row *r = &shown->rows[chosen];
    char      *dot = strrchr(strcpy(to, r->name), '.');

    if (!r->group) to[dot != NULL ? dot - to : 1] = 0;
    if (to[1] != 0 && strlen(to) + 1 < NAME_BYTES) strcat(to, ".");
}

static void register_name(void)
{
    char name[NAME_BYTES], uri[PYRO_URI_BYTES] = "PYRO://";

    begin_name(name);
    if (ask_text("register name: ", name, sizeof name)
        && ask_text("with URI: ", uri, sizeof uri)
        && change("register", name, PYRO_ARGS(pyro_str(name), pyro_str(uri))))
        show_name(name);
}

static void create_group(void)
{
    char name[NAME_BYTES];

    begin_name(name);
    if (ask_text("create group: ", name, sizeof name)
        && change("createGroup", name, PYRO_ARGS(pyro_str(name))))
        show_name(name);
}

static void remove_chosen(void)
{
    row         r = shown->rows[chosen];
    const char *format =
        r.group ? "delete with all in it (y/n): %s" : "remove (y/n): %s";

    if (strcmp(r.name, ":") == 0 || strcmp(r.name, ":Default") == 0
        || strcmp(r.name, ":Pyro") == 0)
        add(clear(&said), "the group %s is protected", r.name);
    else if (ask_yes(format, r.name))
        change(r.group ? "deleteGroup" : "unregister", r.name,
               PYRO_ARGS(pyro_str(r.name)));
}

/* Metadata is edited as JSON; what cannot be read as that is a text. */
static void set_meta(void)
{
    row         r = shown->rows[chosen];
    char        typed[500], json[500];
    uint8_t     bytes[600];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;
    pyro_err    err = ask(server, "getMeta", PYRO_ARGS(pyro_str(r.name)), &in);

    if (err || pyro_peek(&in) == PYRO_NIL
        || pyro_json_get(&in, typed, sizeof typed))
        typed[0] = 0;
    if (!ask_text("metadata: ", typed, sizeof typed)) return;
    if (typed[0] == 0)
        pyro_put_nil(&out);
    else if (pyro_json_put(&out, strcpy(json, typed), NULL))
        pyro_put_str(&out, typed);
    change("setMeta", r.name,
           PYRO_ARGS(pyro_str(r.name),
                     pyro_raw(bytes, (size_t)(out.at - bytes))));
}

static void resync(void)
{
    change("resync", "resync", PYRO_NO_ARGS);
}

static void shut_down(void)
{
    if (ask_yes("shut down (y/n): %s", where))
        change("_shutdown", where, PYRO_NO_ARGS);
}

static void find_next(void)
{
    int i = 1;

    for (; i <= shown->n; i++)
        if (strstr(shown->rows[(chosen + i) % shown->n].name, wanted)) break;
    if (i <= shown->n)
        chosen = (chosen + i) % shown->n;
    else
        add(clear(&said), "no unfolded name has '%s' in it", wanted);
}

static void find(void)
{
    if (ask_text("find: ", wanted, sizeof wanted)) find_next();
}

/* Left: folds a group; from what cannot be folded it goes to its group. */
static void leave(void)
{
    int depth = shown->rows[chosen].depth;

    if (find_group(shown->rows[chosen].name) < n_unfolded)
        fold(shown->rows[chosen].name);
    else
        while (chosen > 0 && shown->rows[chosen].depth >= depth) chosen--;
}

/* Right: unfolds a group, goes into one that is unfolded. */
static void enter(void)
{
    const row *r = &shown->rows[chosen];

    if (r->group && find_group(r->name) == n_unfolded)
        unfold(r->name);
    else if (chosen + 1 < shown->n && r[1].depth > r->depth)
        chosen++;
}

static void fold_or_describe(void)
{
    const row *r = &shown->rows[chosen];

    if (!r->group)
        describe();
    else if (find_group(r->name) < n_unfolded)
        fold(r->name);
    else
        unfold(r->name);
}

static void unfold_everything(void)
{
    unfold_all = true;
    due = pyro_now(&node);
}

static void help(void)
{
    page_top = 0;
    add(clear(&page), "%s", help_text);
}

static void quit(void)
{
    term.leave = -1;
}

static void do_key(int key)
{
    static const struct {
        int key;
        void (*fn)(void);
    } table[] = {
        { TERM_RIGHT, enter },  { TERM_LEFT, leave },
        { 'd', describe },      { TERM_ENTER, fold_or_describe },
        { 'r', register_name }, { 'c', create_group },
        { 'x', remove_chosen }, { TERM_DELETE, remove_chosen },
        { 'm', set_meta },      { 's', resync },
        { 'S', shut_down },     { '/', find },
        { 'n', find_next },     { '*', unfold_everything },
        { '?', help },          { 'q', quit },
    };
    int    rows = term.rows - 3;
    int    by = key == TERM_UP        ? -1
              : key == TERM_DOWN      ? 1
              : key == TERM_PAGE_UP   ? -rows
              : key == TERM_PAGE_DOWN ? rows
              : key == TERM_HOME      ? -ROWS
              : key == TERM_END       ? ROWS
                                      : 0;
    size_t i;

    (void)clear(&said);
    if (page.n > 0) {
        page_top += by;
        if (key == 'q' || key == TERM_ESC || key == TERM_ENTER
            || key == TERM_LEFT)
            (void)clear(&page);
        return;
    }
    chosen = chosen + by < shown->n ? chosen + by : shown->n - 1;
    if (chosen < 0) chosen = 0;
    for (i = 0; i < PYRO_COUNT(table); i++)
        if (table[i].key == key) table[i].fn();
    moved = true;
}

/* --- begin and end --- */

static void wake(void)
{
    pyro_wake(&node);
}

static void read_keys(void *user, pyro_daemon *d, unsigned ready)
{
    (void)user;
    (void)ready;
    term_read(pyro_now(d));
}

/* From the first picture to the last. */
static void browse(void)
{
    int key;

    pyro_watch(&node, &keys, pyro_posix(), TERM_INPUT, PYRO_IN);
    unfold(":");
    refresh();
    while (!term.leave)
        if ((key = step()) != 0) do_key(key);
    pyro_unwatch(&node, &keys);
}

int main(int argc, char **argv)
{
    static const pyro_option  table[] = { TOOL_NS_OPTIONS(ns) };
    static const pyro_options options = {
        TOOL, "[options]", NULL,  table, PYRO_COUNT(table),
        0,    0,           false, NULL,  NULL
    };
    int      status = pyro_options_read(&options, &argc, argv);
    pyro_err err;

    if (status >= 0) return status;
    keys.fn = read_keys;
    ns.config.event = found;
    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    if (!err) err = pyro_wake_open(&node);
    if (err) return tool_failed(&node, "start", err);
    status = tool_ns_open(&ns, &node);
    if (status >= 0) return status;
    server = pyro_ns_proxy(&ns.ns);
    server->timeout_ms = CALL_MS;
    if (!term_begin(wake)) {
        fputs(TOOL ": this needs a terminal\n", stderr);
        return TOOL_USAGE;
    }
    browse();
    term_end();
    pyro_ns_close(&ns.ns);
    pyro_close(&node);
    term_die();
    if (!lost) return TOOL_GOOD;
    fputs(TOOL ": lost the name server at ", stderr);
    tool_text(stderr, where, strlen(where));
    fputc('\n', stderr);
    return TOOL_FAILED;
}
