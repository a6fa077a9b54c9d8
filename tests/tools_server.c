/* What test_tools.sh calls: object calc, and a name server that lies, at an
 * address of this machine, until it is killed.
 * usage: tools_server [ADDRESS]    (127.0.0.1:0) */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../pyro.h"

#include "serve.h"

struct calc {
    int32_t    calls;
    char       label[16];
    float      level;
    pyro_later later;
};

/* Is answered by nobody. */
static void calc_slow(void *self, pyro_call *call)
{
    pyro_defer(call, &((struct calc *)self)->later, 20000);
}

/* Tries to reach the terminal of whoever reads it. */
static void calc_harm(void *self, pyro_call *call)
{
    (void)self;
    pyro_raise(call, "Bad\033[2JError", "red \033[31m, \x7f, \302\2331m");
}

static const pyro_method methods[] = {
    { "add", serve_add, "a:i b:i", "q", 0 },
    { "div", serve_div, "a:d b:d", "d", 0 },
    { "log", serve_nothing, "text:s", "", PYRO_ONEWAY },
    { "echo", serve_echo, "value:v", "v", 0 },
    { "slow", calc_slow, "", "", 0 },
    { "harm", calc_harm, "", "\033[0m", 0 },
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct calc, calls, PYRO_READONLY),
    PYRO_ATTR_STR(struct calc, label, 0),
    PYRO_ATTR_F32(struct calc, level, 0),
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(methods),
                                       PYRO_ATTRS(attrs), NULL, 0 };

static void text_of(pyro_reader *in, char *to, size_t size)
{
    uint32_t    n;
    const char *text = pyro_get_str(in, &n);

    if (n >= size)
        n = (uint32_t)size - 1;
    memcpy(to, text, n);
    to[n] = 0;
}

/* [next, [[name, second]]] */
static void put_page(pyro_writer *out, int32_t next, const char *name,
                     const char *second)
{
    pyro_put_list(out, 2);
    pyro_put_int(out, next);
    pyro_put_list(out, 1);
    pyro_put_list(out, 2);
    pyro_put_str(out, name);
    if (second != NULL)
        pyro_put_str(out, second);
    else
        pyro_put_int(out, 0);
}

/* A name server of a kind nobody wants. */
static bool lies(void *self, pyro_call *call)
{
    pyro_writer *out = &call->result;
    char         group[16] = "";

    (void)self;
    if (strcmp(call->method, "list") == 0) {
        text_of(&call->args, group, sizeof group);
        if (strcmp(group, ":short") == 0)
            pyro_put_list(out, 0);
        else if (strcmp(group, ":back") == 0)
            put_page(out, -1, "a", NULL);
        else if (strcmp(group, ":same") == 0)
            put_page(out, 7, "a", NULL);
        else if (strcmp(group, ":types") == 0)
            put_page(out, 0, "a", "b");
        else
            put_page(out, 0, "\033[31m", NULL);
    } else if (strcmp(call->method, "flatlist") == 0) {
        put_page(out, 0, ":a\033[31m", "PYRO://x\033[0m");
    } else if (strcmp(call->method, "resolve") == 0) {
        pyro_put_int(out, 5);
    } else if (strcmp(call->method, "getSystemMeta") == 0) {
        pyro_put_str(out, "what is that, and why is it so long that it does "
                          "not fit where it should go to?");
    } else if (strcmp(call->method, "_shutdown") == 0) {
        pyro_put_nil(out);
    } else if (strcmp(call->method, "unregister") == 0) {
        pyro_raise(call, "NamingError", "no \033[31m");
    } else if (strcmp(call->method, "ping") != 0
               && strcmp(call->method, "twin") != 0) {
        return false;
    }
    return true;
}

static const pyro_class liar_class = { "Liar", PYRO_NO_METHODS, PYRO_NO_ATTRS,
                                       lies, 0 };

int main(int argc, char **argv)
{
    static PYRO_ROOM(4, 5, 2048, 2) room; /* links, buffers, bytes, objects */
    static pyro_daemon node;
    static struct calc calc;
    pyro_err           err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    strcpy(calc.label, "bench 3");
    calc.level = 21.4f;
    if (!err)
        err = pyro_listen(&node, pyro_posix(),
                          argc > 1 ? argv[1] : "127.0.0.1:0");
    if (!err)
        err = pyro_export(&node, &calc_class, &calc, "calc");
    if (!err)
        err = pyro_export(&node, &liar_class, &node, ":Pyro.NameServer");
    return serve(&node, err, "calc is", NULL);
}
