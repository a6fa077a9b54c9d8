/* The other end of the line for lean.c: a node with everything in it, which
 * serves and calls, and which never waits. */
#define PYRO_STATIC
#define PYRO_IMPLEMENTATION
#define LOOP_CONNS 24
#include "lean.h"

#include "../loopback.h"

struct answer answer;

static struct loop_net net;
static pyro_port       ports[2];
static bool            stopped;

static PYRO_ROOM(3, 8, 256, 2) room;
static pyro_daemon  node;
static pyro_config  config;
static pyro_proxy   proxies[2]; /* the last call's and the next one's */
static pyro_proxy  *proxy = proxies;
static pyro_request request;

/* --- what it serves: "calc" --- */

static struct {
    int32_t      level;
    char         label[8];
    pyro_later   never; /* deferred and not finished */
    pyro_later   later; /* finished when the call back is answered */
    pyro_proxy   back;
    pyro_request call;
} calc = { .level = 5, .label = "bench" };

static void calc_add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, a + b);
}

static void calc_div(void *self, pyro_call *call)
{
    (void)self;
    pyro_raise(call, "ZeroDivisionError", "division by zero");
}

static void calc_never(void *self, pyro_call *call)
{
    (void)self;
    pyro_defer(call, &calc.never, 60000);
}

static void answered_back(void *user, pyro_request *rq, pyro_err err,
                          pyro_reader *result)
{
    int32_t n = err == PYRO_OK ? pyro_get_i32(result) : -1;

    (void)user;
    (void)rq;
    pyro_put_int(pyro_finish(&calc.later), n + 1);
    pyro_reply(&calc.later);
    pyro_proxy_close(&calc.back);
}

/* Asks the caller, over the same connection, before it answers. */
static void calc_back(void *self, pyro_call *call)
{
    const char *name = "pupil";
    int32_t     n = pyro_get_i32(&call->args);

    (void)self;
    pyro_proxy_at(&calc.back, &node, call->link, name, strlen(name));
    pyro_begin(&calc.call, &calc.back, "twice");
    pyro_put_int(&calc.call.args, n);
    pyro_send(&calc.call, pyro_to_none(), answered_back, NULL);
    pyro_defer(call, &calc.later, 0);
}

static const pyro_method methods[] = {
    { "add", calc_add, "a:i b:i", "i", 0 },
    { "div", calc_div, "", "", 0 },
    { "never", calc_never, "", "", 0 },
    { "back", calc_back, "i", "i", 0 },
};
struct calc_attrs {
    int32_t level;
    char    label[8];
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct calc_attrs, level, 0),
    PYRO_ATTR_STR(struct calc_attrs, label, PYRO_READONLY),
};
static const pyro_class calc_class = { "Calc", PYRO_METHODS(methods),
                                       PYRO_ATTRS(attrs), NULL, 0 };

/* --- the line --- */

static void on_wait(void *user, const pyro_port *port, pyro_item *list,
                    int32_t ms)
{
    unsigned i;

    (void)user;
    if (port == &ports[1])
        return; /* the partner itself, which does not wait */
    for (i = 0; i < 4 && !stopped; i++)
        pyro_poll(&node, 0);
    if (!loop_look(&net, list))
        loop_advance(&net, ms < 0 || ms > 20 ? 20 : (uint32_t)ms);
}

const pyro_port *lean_port(void)
{
    return &ports[0];
}

uint32_t line_time(void)
{
    return net.clock_ms;
}

uint32_t line_connections(void)
{
    return net.born;
}

void line_cut(void)
{
    uint32_t newest = net.born - 1;
    unsigned i;

    for (i = 0; i < LOOP_CONNS; i++)
        if (net.conns[i].number == newest)
            net.conns[i].gone[0] = net.conns[i].gone[1] = true;
}

void partner_stop(bool stands)
{
    stopped = stands;
}

void partner_open(void)
{
    loop_init(&net, 1);
    net.on_wait = on_wait;
    ports[0] = loop_port(&net);
    ports[1] = loop_port(&net);
    config.port = &ports[1];
    pyro_open(&node, PYRO_ROOM_OF(room), &config);
    pyro_listen(&node, &ports[1], PARTNER_ADDRESS);
    pyro_export(&node, &calc_class, &calc, "calc");
}

/* --- what it calls --- */

static void copy(char *to, size_t size, const char *text, size_t n)
{
    if (n >= size)
        n = size - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

static void on_answer(void *user, pyro_request *rq, pyro_err err,
                      pyro_reader *result)
{
    const pyro_exc *exc = pyro_exception(proxy);
    const char     *text;
    uint32_t        n;

    (void)user;
    (void)rq;
    answer.done = true;
    answer.err = err;
    if (err == PYRO_ERR_REMOTE) {
        copy(answer.type, sizeof answer.type, exc->type, strlen(exc->type));
        copy(answer.message, sizeof answer.message, exc->message,
             strlen(exc->message));
    } else if (err == PYRO_OK && pyro_peek(result) == PYRO_INT) {
        answer.number = pyro_get_i32(result);
    } else if (err == PYRO_OK && pyro_peek(result) == PYRO_STR) {
        text = pyro_get_str(result, &n);
        copy(answer.text, sizeof answer.text, text, n);
    }
}

/* The proxy before is closed when the next one has its connection, so that
 * this stays. */
static bool begin(const char *object, const char *method)
{
    static char uris[2][48];
    pyro_proxy *last = proxy;
    unsigned    other = proxy == proxies;

    memset(&answer, 0, sizeof answer);
    proxy = &proxies[other];
    snprintf(uris[other], sizeof uris[other], "PYRO://" LEAN_ADDRESS "/%s",
             object);
    answer.err = pyro_proxy_open(proxy, &node, uris[other]);
    if (answer.err == PYRO_OK)
        answer.err = pyro_begin(&request, proxy, method);
    answer.done = answer.err != PYRO_OK;
    if (last->node_ != NULL)
        pyro_proxy_close(last);
    return !answer.done;
}

void partner_ask(const char *object, const char *method, const char *name,
                 int32_t number)
{
    if (!begin(object, method))
        return;
    if (name != NULL)
        pyro_put_str(&request.args, name);
    if (number != 0)
        pyro_put_int(&request.args, number);
    pyro_deadline(&request, 10000);
    pyro_send(&request, pyro_to_none(), on_answer, NULL);
}

void partner_list(const char *object, const char *method, int32_t number,
                  unsigned deep)
{
    if (!begin(object, method))
        return;
    for (; deep > 0; deep--)
        pyro_put_list(&request.args, 1);
    pyro_put_int(&request.args, number);
    pyro_deadline(&request, 10000);
    pyro_send(&request, pyro_to_none(), on_answer, NULL);
}

void partner_tell(const char *object, const char *attribute, int32_t number)
{
    if (!begin(object, "__setattr__"))
        return;
    pyro_put_str(&request.args, attribute);
    pyro_put_int(&request.args, number);
    answer.err = pyro_send_oneway(&request);
}
