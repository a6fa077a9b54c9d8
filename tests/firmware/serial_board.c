/* serial_board.c - the image that tests/firmware/serial.sh talks to: objects
 * on a UART, calls back on the same line, an event service.
 *
 *   board.add(a, b)            their sum; `strange` counts those in which a is
 *                              not 7919 b: noise.sh makes no such calls
 *   board.chain(object, n)     n <= 0: 0; else object.chain(board, n - 1) + 1,
 *                              on the same line: A calls B calls A ...
 *   board.hold(object)         calls object.hold(), which does not come back;
 *                              `held` is how that ended
 *   board.never()              is never answered
 *   board.emit(n)              publishes n events "board.tick", 0 to n - 1 */
#define PYRO_MAX_NESTING 8
#define PYRO_IMPLEMENTATION
#include "../../examples/blinky/board.h"
#include "../../examples/lib/serial.h"
#include "../../pyro_es.h"
#include "chain.h"

struct board {
    int32_t    held; /* -1: not yet, else a pyro_err */
    uint32_t   boots;
    uint32_t   added; /* calls of add */
    uint32_t   strange;
    pyro_later later;
    uint32_t   emit; /* still to be published */
    uint32_t   emitted;
};

static PYRO_ROOM(1, 20, 256, 2) room;
static PYRO_ES_ROOM(2, 4, 2048) events;
static pyro_daemon     node;
static pyro_serial     line;
static pyro_es_service service;
static struct board    board = { .held = -1 };

static void board_add(void *self, pyro_call *call)
{
    struct board *b = (struct board *)self;
    int32_t       one = pyro_get_i32(&call->args);
    int32_t       two = pyro_get_i32(&call->args);

    b->added++;
    b->strange += one != 7919 * two;
    pyro_put_int(&call->result, one + two);
}

static void board_chain(void *self, pyro_call *call)
{
    (void)self;
    chain(call, "board");
}

static void board_hold(void *self, pyro_call *call)
{
    struct board *b = (struct board *)self;
    pyro_uri      uri;
    pyro_proxy    proxy;

    pyro_get_uri(&call->args, &uri);
    b->held = -1;
    if (pyro_proxy_from(&proxy, call, &uri) != PYRO_OK)
        return;
    proxy.timeout_ms = 60000;
    b->held =
        (int32_t)pyro_invoke(&proxy, "hold", PYRO_NO_ARGS, pyro_to_none());
    pyro_proxy_close(&proxy);
}

static void board_never(void *self, pyro_call *call)
{
    pyro_defer(call, &((struct board *)self)->later, 600000);
}

static void board_emit(void *self, pyro_call *call)
{
    struct board *b = (struct board *)self;

    b->emit = (uint32_t)pyro_get_i32(&call->args);
    b->emitted = 0;
}

static const pyro_method methods[] = {
    { "add", board_add, "a:i b:i", "i", 0 },
    { "chain", board_chain, "Ui", "i", 0 },
    { "hold", board_hold, "U", "", PYRO_ONEWAY },
    { "never", board_never, "", "", 0 },
    { "emit", board_emit, "i", "", 0 },
};
static const pyro_attr attrs[] = {
    PYRO_ATTR_I32(struct board, held, PYRO_READONLY),
    PYRO_ATTR_U32(struct board, boots, PYRO_READONLY),
    PYRO_ATTR_U32(struct board, added, PYRO_READONLY),
    PYRO_ATTR_U32(struct board, strange, PYRO_READONLY),
};
static const pyro_class board_class = { "Board", PYRO_METHODS(methods),
                                        PYRO_ATTRS(attrs), NULL, 0 };

int main(void)
{
    pyro_port   uart = board_start(5000);
    pyro_config config = { 0 };
    pyro_err    err;

    config.boot = board.boots = board_boots();
    pyro_serial_open(&line, &uart);
    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    if (!err)
        err = pyro_adopt(&node, &line.port, 0, NULL);
    if (!err)
        err = pyro_export(&node, &board_class, &board, "board");
    if (!err)
        err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events), NULL);
    while (!err) {
        err = pyro_poll(&node, 0);
        board_feed();
        if (board.emit > 0
            && pyro_es_post(&service, "board.tick",
                            pyro_int((int64_t)board.emitted))
                   == PYRO_OK) {
            board.emitted++;
            board.emit--;
        }
    }
    return (int)err;
}
