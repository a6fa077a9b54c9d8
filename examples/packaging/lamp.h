/* What the boards here have in common: object "lamp", switched by set(on), on a
 * stream of bytes. board_read and board_write are the board's: they do not
 * wait, and return how many bytes they gave or took. The stream must not lose
 * any: on a line that does, examples/lib/serial.h goes in between, at both
 * ends (see examples/blinky). Include behind pyro.h. */
static uint32_t board_ms(void);
static int32_t  board_write(const void *data, uint32_t n);
static int32_t  board_read(void *to, uint32_t n);
static void     board_lamp(bool on);

static uint32_t board_now(const pyro_port *port)
{
    (void)port;
    return board_ms();
}

static int32_t board_send(const pyro_port *port, int32_t handle,
                          const void *data, uint32_t n)
{
    (void)port;
    (void)handle;
    return board_write(data, n);
}

static int32_t board_recv(const pyro_port *port, int32_t handle, void *ahead,
                          void *to, uint32_t n)
{
    (void)port;
    (void)handle;
    (void)ahead;
    return board_read(to, n);
}

static void board_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    (void)handle;
}

static void lamp_set(void *self, pyro_call *call)
{
    (void)self;
    board_lamp(pyro_get_bool(&call->args));
}

static const pyro_method lamp_methods[] = { { "set", lamp_set, "on:b", "",
                                              0 } };
static const pyro_class  lamp_class = { "Lamp", PYRO_METHODS(lamp_methods),
                                        PYRO_NO_ATTRS, NULL, 0 };

static PYRO_ROOM(1, 2, 128, 1) board_room;
static pyro_daemon board_node;
static pyro_port   board_port;

/* Begins to serve. `boot` is another number at each start, or the other end
 * does not notice that this is a new one: random, or counted. */
static pyro_err board_begin(uint32_t boot)
{
    static pyro_config config;
    pyro_err           err;

    board_port.now = board_now;
    board_port.send = board_send;
    board_port.recv = board_recv;
    board_port.close = board_close;
    config.port = &board_port;
    config.boot = boot;
    err = pyro_open(&board_node, PYRO_ROOM_OF(board_room), &config);
    if (!err) err = pyro_export(&board_node, &lamp_class, NULL, "lamp");
    if (!err) err = pyro_adopt(&board_node, &board_port, 0, NULL);
    return err;
}
