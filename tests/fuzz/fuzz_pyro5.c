/* fuzz_pyro5.c - a node in front of a peer with Pyro5 or Pyro4 that says what
 * the input says: a client that it serves, or a daemon that it calls.
 *
 * The input: a byte that says which, whether serpent and JSON are built in and
 * how large the pool is; then pieces of what the peer sends, each a byte with
 * its length (0: a new connection) and that many bytes. */
#include "fuzz.h"

#include "../../examples/lib/text.h"

static struct loop_net net;
static PYRO_ROOM(3, 6, 160, 2) room;
static pyro_later later;
static int32_t    value;

static void add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, (int64_t)a + pyro_get_i32(&call->args));
}

static void echo(void *self, pyro_call *call)
{
    uint32_t    n;
    const void *raw = pyro_get_raw(&call->args, &n);

    (void)self;
    pyro_put_raw(&call->result, raw, n);
}

static void where(void *self, pyro_call *call)
{
    pyro_uri uri;

    (void)self;
    pyro_get_uri(&call->args, &uri);
    if (call->args.err == PYRO_OK)
        pyro_put_uri(&call->result, &uri);
}

static void put_off(void *self, pyro_call *call)
{
    (void)self;
    if (later.call_.node != NULL)
        pyro_later_drop(&later);
    pyro_defer(call, &later, 50);
}

static const pyro_method methods[] = { { "add", add, "a:i b:i", "i", 0 },
                                       { "echo", echo, "v", "v", 0 },
                                       { "where", where, "U", "U", 0 },
                                       { "later", put_off, "", "", 0 },
                                       { "note", echo, "v", "",
                                         PYRO_ONEWAY } };

struct holder {
    int32_t value;
};
static struct holder    holder;
static const pyro_attr  attrs[] = { PYRO_ATTR_I32(struct holder, value, 0) };
static const pyro_class cls = { "Calc", PYRO_METHODS(methods),
                                PYRO_ATTRS(attrs), NULL, 0 };
static const pyro_codec *const codecs[] = { &pyro_codec_serpent,
                                            &pyro_codec_json, NULL };

static void spin(pyro_daemon *node)
{
    unsigned i;

    for (i = 0; i < 6; i++) {
        const char *wrong;

        FUZZ_CHECK(pyro_poll(node, 0) == PYRO_OK, "poll failed");
        wrong = pyro_check(node);
        FUZZ_CHECK(wrong == NULL, wrong != NULL ? wrong : "");
    }
    if (pyro_later_open(&later)) {
        pyro_put_int(pyro_finish(&later), 5);
        (void)pyro_reply(&later);
    }
}

/* What was sent begins a frame of Pyro each time: it is taken, not read. */
static void drop_sent(int32_t peer)
{
    uint8_t  bytes[512];
    uint32_t n;

    do
        n = loop_take(&net, peer, bytes, sizeof bytes);
    while (n > 0);
}

/* Lets the peer send. `listener` below 0: it connects; else it accepts. */
static void pieces(struct fuzz_in *in, pyro_daemon *node,
                   const pyro_port *port, int32_t listener)
{
    int32_t peer = -1;

    while (in->at < in->end) {
        uint32_t       n = fuzz_u8(in);
        const uint8_t *bytes = fuzz_bytes(in, &n);

        if (n == 0 && peer >= 0) {
            loop_close(port, peer);
            peer = -1;
        }
        if (peer < 0) {
            spin(node);
            peer = listener < 0 ? loop_connect(port, "board:7766")
                                : loop_accept(port, listener);
        }
        if (peer >= 0 && n > 0) {
            (void)loop_feed(&net, peer, bytes, n);
            spin(node);
            drop_sent(peer);
        }
    }
    if (peer >= 0)
        loop_close(port, peer);
}

/* Three calls are under way while the peer answers what it likes. */
static void call(struct fuzz_in *in, pyro_daemon *node, const pyro_port *port)
{
    static pyro_request rq[3];
    static pyro_proxy   proxy;
    int32_t             listener = loop_listen(port, "*:7766");
    unsigned            i;

    memset(rq, 0, sizeof rq);
    FUZZ_CHECK(pyro_proxy_open(&proxy, node, "PYRO:calc@board:7766")
                   == PYRO_OK,
               "no proxy");
    for (i = 0; i < 3; i++) {
        if (pyro_begin(&rq[i], &proxy, "add") != PYRO_OK)
            continue;
        pyro_put_int(&rq[i].args, 2);
        if (i == 2)
            (void)pyro_send_oneway(&rq[i]);
        else
            (void)pyro_send(&rq[i], pyro_to_i32(&value), NULL, NULL);
    }
    pieces(in, node, port, listener);
    loop_advance(&net, 10000);
    spin(node);
    spin(node);
    for (i = 0; i < 3; i++)
        FUZZ_CHECK(pyro_done(&rq[i]), "a call does not end");
    pyro_proxy_close(&proxy);
    loop_close(port, listener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pyro_daemon node;
    static pyro_config config;
    struct fuzz_in     in = { data, data + size };
    pyro_port          port;
    pyro_port          peer;
    pyro_room          all = PYRO_ROOM_OF(room);
    unsigned           how = fuzz_u8(&in);

    loop_init(&net, 1);
    net.chunk = how >> 4 & 7;
    port = peer = loop_port(&net);
    memset(&config, 0, sizeof config);
    memset(&later, 0, sizeof later);
    config.port = &port;
    config.codecs = (how & 2) != 0 ? codecs : NULL;
    all.n_buffers = (how & 4) != 0 ? 6 : 3;
    FUZZ_CHECK(pyro_open(&node, all, &config) == PYRO_OK, "open failed");
    if ((how & 1) == 0) {
        FUZZ_CHECK(pyro_listen(&node, &port, "*:7766") == PYRO_OK, "listen");
        FUZZ_CHECK(pyro_export(&node, &cls, &holder, "calc") == PYRO_OK,
                   "export failed");
        pieces(&in, &node, &peer, -1);
        loop_advance(&net, 30000);
        spin(&node);
    } else {
        call(&in, &node, &peer);
    }
    pyro_later_drop(&later);
    pyro_close(&node);
    FUZZ_CHECK(node.n_[PYROI_SPARE] == all.n_buffers, "a buffer is lost");
    FUZZ_CHECK(net.misuse == 0, "a handle was used that is not open");
    return 0;
}
