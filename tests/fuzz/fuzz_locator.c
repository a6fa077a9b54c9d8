/* fuzz_locator.c - datagrams at who answers questions and at who asks them:
 * a name server and a locator of one daemon, and the rest of the network that
 * does what the input says.
 *
 * The input: two bytes for the daemon (see fuzz_open), one for the addresses
 * of the network; then steps. Every search ends; what it finds was told in a
 * datagram with the search's own number or by a host that was asked; no
 * answer is longer than its question. */
#include "fuzz_ns.h"

enum { OTHERS = 2, QUESTION = 128 };

static struct fuzz     fuzz;
static pyro_ns_config  config;
static pyro_ns_locator locator;
static pyro_port       others[OTHERS]; /* of the same network, and another */
static int32_t         hears[OTHERS];  /* UDP port 9090 there */
static uint8_t         heard[QUESTION + 1]; /* the last question */
static uint32_t        heard_n;
static unsigned        ended;
static int32_t         server; /* where the peers listen */

/* The number of our own questions says how long they are. */
static void check_answer(const uint8_t *a, uint32_t n)
{
    FUZZ_CHECK(n > 23 && a[22] == ' ', "an answer that is none");
    if (memcmp(a, "PYRO! 0123456789abc", 19) == 0)
        FUZZ_CHECK(n <= 36u * (a[19] - 'a') + 6u * (a[20] - 'a')
                            + (a[21] - 'a'),
                   "an answer is longer than its question");
}

/* Takes what came to the rest of the network. */
static void hear(void)
{
    uint8_t  d[LOOP_DATAGRAM];
    pyro_udp from;
    int32_t  n;
    unsigned i;

    for (i = 0; i < OTHERS; i++) {
        while (
            (n = others[i].udp_recv(&others[i], hears[i], d, sizeof d, &from))
            >= 0) {
            FUZZ_CHECK(n <= QUESTION, "a datagram is too long");
            if (n > 6 && memcmp(d, "PYRO!", 5) == 0) {
                check_answer(d, (uint32_t)n);
            } else {
                FUZZ_CHECK(n >= 64 && memcmp(d, "PYRO? ", 6) == 0,
                           "a datagram that is no question");
                memcpy(heard, d, (size_t)n);
                heard_n = (uint32_t)n;
            }
        }
    }
}

/* Sends to the answerer, or to where the last question came from: the
 * locator. Its number is found by asking every one. */
static void send_to(unsigned from, uint16_t number, const void *data,
                    uint32_t n)
{
    pyro_udp to;

    to.ip = 0x0A000001;
    to.port = number;
    others[from].udp_send(&others[from], hears[from], &to, data, n);
}

static void send_to_locator(unsigned from, const void *data, uint32_t n)
{
    unsigned i;

    for (i = 0; i < LOOP_SOCKETS; i++)
        if (fuzz.net.sockets[i].open && fuzz.net.sockets[i].at.port > 9091)
            send_to(from, fuzz.net.sockets[i].at.port, data, n);
}

static void question(struct fuzz *f, unsigned how)
{
    char        q[200];
    const char *name = ns_names[fuzz_u8(&f->in) % PYRO_COUNT(ns_names)];
    uint32_t    n = (how & 3) == 0 ? 64 : 24 + (how >> 2);
    uint32_t    k = fuzz_u8(&f->in) % 32;

    memset(q, 0, sizeof q);
    memcpy(q, "PYRO? 0123456789abcdef ", 23);
    strcpy(q + 23, (how & 64) != 0 ? name : PYRO_NS_NAME);
    q[19] = (char)('a' + n / 36);
    q[20] = (char)('a' + n / 6 % 6);
    q[21] = (char)('a' + n % 6);
    if ((how & 128) != 0 && (k < 19 || k > 21))
        q[k] ^= 1;
    send_to(how & 1, 9090, q, n);
}

/* What stands behind the number in an answer. */
static void answer(struct fuzz *f, unsigned how)
{
    static const char *const addresses[] = {
        ":9090 :Pyro.NameServer",
        "10.0.0.2:9090 :Pyro.NameServer",
        "[::1]:1 x",
        ":0 x",
        "box:9090  two",
        "9090 x",
        ":9090 ",
        ": x",
        "box:70000 x",
        ":7 c0000000000000000000000000000000000",
    };
    char        a[200];
    const char *text = addresses[fuzz_u8(&f->in) % PYRO_COUNT(addresses)];
    uint32_t    n = 23 + (uint32_t)strlen(text);
    uint32_t    k = fuzz_u8(&f->in);

    memset(a, 0, sizeof a);
    memcpy(a, heard, 23);
    a[4] = '!';
    memcpy(a + 23, text, strlen(text));
    if ((how & 4) != 0)
        a[k % n] = (char)(k >> 1);
    if ((how & 8) != 0)
        n = 100 + k % 64;
    send_to_locator(how & 1, a, n);
}

static void loose(struct fuzz *f, unsigned how)
{
    uint32_t       n = fuzz_u8(&f->in);
    const uint8_t *bytes = fuzz_bytes(&f->in, &n);

    if ((how & 1) != 0)
        send_to(how >> 1 & 1, 9090, bytes, n);
    else
        send_to_locator(how >> 1 & 1, bytes, n);
}

static bool may_ask(void *user, uint32_t ip)
{
    (void)user;
    return ip >> 24 == 10;
}

static void found(void *user, pyro_ns_locator *loc)
{
    (void)user;
    ended++;
    FUZZ_CHECK(loc->err == PYRO_OK || loc->err == PYRO_ERR_NAMING,
               "a search ends in neither way");
    fuzz_look(&fuzz);
}

static void look(struct fuzz *f, unsigned how)
{
    static const char *const hosts[] = {
        NULL,
        NULL,
        "10.0.0.2:7766",
        "box [::1]:9 10.0.0.2:7766  last:1",
        "PYRO://10.0.0.2:7766/thing nonsense://",
        "PYRONAME://x",
        "",
        "x:y"
    };

    (void)f;
    if (locator.err == PYRO_ERR_BUSY) {
        pyro_ns_look_stop(&locator);
        return;
    }
    memset(&config, 0, sizeof config);
    config.hosts = hosts[how & 7];
    config.no_broadcast = (how & 8) != 0;
    config.tries = how >> 4 & 3;
    heard_n = 0;
    ended = 0;
    if ((how & 128) != 0)
        FUZZ_CHECK(pyro_ns_locate(&locator, &f->node, &config,
                                  ns_names[how & 15])
                       == locator.err,
                   "a search and its result differ");
    else if ((how & 64) != 0)
        (void)pyro_ns_look(&locator, &f->node, &config, ns_names[how & 15],
                           found, NULL);
    else
        (void)pyro_ns_look(&locator, &f->node, &config, NULL, found, NULL);
}

/* What a host says where a name is. */
static void result_body(struct fuzz *f, pyro_writer *w)
{
    if (fuzz_u8(&f->in) < 0x20)
        fuzz_tail(f, w);
    else
        fuzz_word(f, w, ns_uris, PYRO_COUNT(ns_uris));
}

static void check_found(void)
{
    pyro_uri parts;

    if (locator.err == PYRO_ERR_BUSY || ended == 0)
        return;
    FUZZ_CHECK(ended == 1, "a search has ended twice");
    ended = 0;
    if (locator.err != PYRO_OK)
        return;
    FUZZ_CHECK(pyro_uri_parse(&parts, locator.uri, strlen(locator.uri), NULL)
                   == PYRO_OK,
               "what was found is no URI");
}

/* A connection to the peers is accepted by the current one. */
static void dial(struct fuzz *f, unsigned how)
{
    struct fuzz_peer *p = f->peer;
    int32_t           handle = f->other.accept(&f->other, server);

    (void)how;
    if (handle < 0)
        return;
    memset(p, 0, sizeof *p);
    p->stream = true;
    p->handle = handle;
}

static void poll_found(struct fuzz *f, int32_t ms)
{
    fuzz_poll(f, ms);
    check_found();
}

/* A datagram, a search, or time. */
static void inside(struct fuzz *f, unsigned op)
{
    unsigned n = fuzz_u8(&f->in);

    hear();
    switch (op & 7) {
    case 0:
        question(f, n);
        break;
    case 1:
    case 2:
        answer(f, n);
        break;
    case 3:
        loose(f, n);
        break;
    case 4:
        look(f, n);
        break;
    case 5:
        loop_advance(&f->net, n * 10);
        break;
    case 6:
        f->net.udp_block = n & 3;
        break;
    default:
        dial(f, n);
    }
    poll_found(f, 0);
    hear();
}

static void start(struct fuzz *f, unsigned how)
{
    unsigned i;

    loop_at(&f->net, &f->port, 0x0A000001, 0xFFFFFF00);
    loop_at(&f->net, &f->other, 0x0A000002, 0xFFFFFF00);
    for (i = 0; i < OTHERS; i++) {
        others[i] = loop_port(&f->net);
        loop_at(&f->net, &others[i],
                i == 0 ? 0x0A000002 : 0x0A000001 + (how & 1) * 0x100,
                0xFFFFFF00);
        hears[i] = others[i].udp_open(&others[i], 0, (uint16_t)(9090 + i));
    }
    memset(&locator, 0, sizeof locator);
    memset(&ns_config, 0, sizeof ns_config);
    ns_config.may_ask = may_ask;
    heard_n = 0;
    f->dial = dial;
    f->check = ns_check;
    f->result = result_body;
    f->greets = 1;
    server = f->other.listen(&f->other, "*:7766");
    if ((how & 2) == 0)
        (void)pyro_listen(&f->node, &f->port,
                          (how & 4) != 0 ? "*:9090" : "127.0.0.1:9090");
    ns_serves = pyro_ns_serve(&ns_server, &f->node, PYRO_NS_ROOM_OF(ns_room),
                              &ns_config)
             == PYRO_OK;
    look(f, how >> 3);
}

/* Nobody says anything any more: the search ends. */
static void finish(struct fuzz *f)
{
    unsigned i;

    f->steps = 0;
    f->net.block_send = f->net.block_recv = f->net.chunk = 0;
    for (i = 0; i < 1000 && locator.err == PYRO_ERR_BUSY; i++) {
        loop_advance(&f->net, 25);
        fuzz_poll(f, 0);
        hear();
    }
    FUZZ_CHECK(locator.err != PYRO_ERR_BUSY, "a search does not end");
    check_found();
    if (ns_serves)
        pyro_ns_stop(&ns_server);
    ns_serves = false;
    for (i = 0; i < OTHERS; i++)
        others[i].close(&others[i], hears[i]);
    f->other.close(&f->other, server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ns_serves = false;
    fuzz_open(&fuzz, data, size, 4);
    start(&fuzz, fuzz_u8(&fuzz.in));
    fuzz_steps(&fuzz, inside, poll_found);
    finish(&fuzz);
    fuzz_end(&fuzz);
    return 0;
}
