/* blinky: an LED that another computer switches, over a serial line: object
 * "led", method set(on), attributes "on" and "boots". Firmware without an
 * operating system: one loop, which also feeds the watchdog.
 *
 * `make firmware STEPS=blinky` runs it on an emulated board; there it is
 * called by tests/firmware/serial_host.c. For another board, write board.h
 * anew. */
#define PYRO_IMPLEMENTATION
#include "../lib/serial.h"
#include "board.h"

struct led {
    bool     on;
    uint32_t boots;
};

static void led_set(void *self, pyro_call *call)
{
    struct led *led = (struct led *)self;

    led->on = pyro_get_bool(&call->args);
    BOARD_LED = led->on;
}

static const pyro_method methods[] = { { "set", led_set, "on:b", "", 0 } };
static const pyro_attr   attrs[] = {
      PYRO_ATTR_BOOL(struct led, on, PYRO_READONLY),
      PYRO_ATTR_U32(struct led, boots, PYRO_READONLY),
};
static const pyro_class led_class = { "Led", PYRO_METHODS(methods),
                                      PYRO_ATTRS(attrs), NULL, 0 };

static PYRO_ROOM(1, 2, 192, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_serial line;
static struct led  led;

int main(void)
{
    pyro_port   uart = board_start(1000); /* the watchdog: ms */
    pyro_config config = { 0 };
    pyro_err    err;

    config.boot = led.boots = board_boots();
    pyro_serial_open(&line, &uart);
    err = pyro_open(&node, PYRO_ROOM_OF(room), &config);
    if (!err) err = pyro_adopt(&node, &line.port, 0, NULL);
    if (!err) err = pyro_export(&node, &led_class, &led, "led");
    for (;;) {
        if (!err) err = pyro_poll(&node, 0);
        if (!err) board_feed(); /* else the watchdog starts the board anew */
    }
}
