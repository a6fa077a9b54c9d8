/* The lwIP port on this machine: lwIP itself, a wire that loses, doubles and
 * turns frames round, a clock that the tests set, and an allocator that can
 * say no. Peers are pcbs of the same lwIP, used as no decent one would. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#include "../../examples/lib/lwip.h"
#include "../pyro_test.h"

#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"

#define HERE 0x0A000001u
#define MASK 0xFFFFFF00u
#define CAST 0x0A0000FFu

/* ------------------------------------------------------------------------
 * Memory, clock, wire
 * ------------------------------------------------------------------------ */

/* Before each block, so that what is alive can be counted by its size. */
union block {
    size_t      n;
    max_align_t align;
};

static size_t   live;    /* blocks */
static unsigned allocs;  /* so far */
static unsigned deny_at; /* that one fails; 0: none */
static bool     deny_all;
static size_t   deny_over; /* blocks of more bytes; 0: none */
static size_t   pcbs;      /* alive, and how many there may be */
static size_t   most_pcbs;
static size_t   pool; /* pbufs of the pool alive */

static bool is_pcb(size_t n)
{
    return n == LWIP_MEM_ALIGN_SIZE(sizeof(struct tcp_pcb));
}

static bool is_pool(size_t n)
{
    return n
        == LWIP_MEM_ALIGN_SIZE(sizeof(struct pbuf))
               + LWIP_MEM_ALIGN_SIZE(PBUF_POOL_BUFSIZE);
}

/* lwIP has as many of these as it needs, and does without none. */
static bool is_timer(size_t n)
{
    return n == LWIP_MEM_ALIGN_SIZE(sizeof(struct sys_timeo));
}

void *lwip_test_malloc(size_t n)
{
    union block *b;

    if (!is_timer(n)
        && (++allocs == deny_at || deny_all
            || (deny_over != 0 && n > deny_over)
            || (is_pcb(n) && pcbs == most_pcbs)))
        return NULL;
    b = malloc(sizeof *b + n);
    assert_non_null(b);
    b->n = n;
    live++;
    pcbs += is_pcb(n);
    pool += is_pool(n);
    return b + 1;
}

void *lwip_test_calloc(size_t n, size_t size)
{
    void *p = lwip_test_malloc(n * size);

    return p != NULL ? memset(p, 0, n * size) : NULL;
}

void lwip_test_free(void *p)
{
    union block *b = (union block *)p - 1;

    live--;
    pcbs -= is_pcb(b->n);
    pool -= is_pool(b->n);
    free(b);
}

static uint32_t now;

u32_t sys_now(void)
{
    return now;
}

uint32_t lwip_random(void)
{
    static uint32_t x = 1;

    return x = x * 1664525u + 1013904223u;
}

enum fate { LOST, SENT, TWICE, LATE };

struct frame {
    uint16_t n;
    uint8_t  bytes[1500];
};

static struct frame wire[64];
static unsigned     wire_n;
static struct frame late;
static unsigned     frames; /* so far */
static enum fate (*fate_of)(unsigned frame);
static struct netif netif;

static void on_wire(const struct frame *f)
{
    if (wire_n < PYRO_COUNT(wire)) /* else lost, as a wire does */
        wire[wire_n++] = *f;
}

static err_t put_on_wire(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
    enum fate    fate = fate_of != NULL ? fate_of(++frames) : SENT;
    struct frame f;

    (void)n;
    (void)to;
    f.n = pbuf_copy_partial(p, f.bytes, sizeof f.bytes, 0);
    assert_int_equal(f.n, p->tot_len);
    if (fate == LATE) {
        late = f;
        return ERR_OK;
    }
    if (fate != LOST)
        on_wire(&f);
    if (fate == TWICE)
        on_wire(&f);
    if (late.n > 0) {
        on_wire(&late);
        late.n = 0;
    }
    return ERR_OK;
}

static void give(const void *bytes, unsigned n)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);

    if (p == NULL)
        return; /* lost: the driver has no room */
    pbuf_take(p, bytes, (u16_t)n);
    if (netif.input(p, &netif) != ERR_OK)
        pbuf_free(p);
}

/* What is on the wire comes in, and what is sent in answer to it, later. */
static void poll_wire(void *user, uint32_t ms)
{
    static struct frame in[PYRO_COUNT(wire)];
    unsigned            n = wire_n;

    (void)user;
    if (n == 0)
        now += ms;
    memcpy(in, wire, sizeof in);
    wire_n = 0;
    for (unsigned i = 0; i < n; i++)
        give(in[i].bytes, in[i].n);
}

static bool no_luck(void *user, void *to, size_t n)
{
    (void)user;
    memset(to, 7, n);
    return true;
}

static err_t netif_up(struct netif *n)
{
    n->mtu = 1500;
    n->output = put_on_wire;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* ------------------------------------------------------------------------
 * The port
 * ------------------------------------------------------------------------ */

static pyro_lwip        net;
static pyro_lwip_socket sockets[6];
static const pyro_port *port;

static void wait_ms(uint32_t ms)
{
    uint32_t until = now + ms;

    while ((int32_t)(until - now) > 0)
        port->wait(port, NULL, (int32_t)(until - now));
}

static unsigned ready(int32_t handle, unsigned want)
{
    pyro_item item;

    memset(&item, 0, sizeof item);
    item.want = (uint8_t)want;
    item.port = port;
    item.handle = handle;
    port->wait(port, &item, 0);
    return item.ready;
}

static unsigned used(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < PYRO_COUNT(sockets); i++)
        n += sockets[i].state != PYROI_LWIP_FREE;
    return n;
}

static size_t live_before;

/* A peer that is none of the port's: a pcb used directly. */
static struct tcp_pcb *raw;
static uint32_t        raw_got;

static int up(void **state)
{
    (void)state;
    memset(&net, 0, sizeof net);
    net.poll = poll_wire;
    net.random = no_luck;
    port = pyro_lwip_open(&net, sockets, PYRO_COUNT(sockets));
    fate_of = NULL;
    frames = 0;
    most_pcbs = 16;
    deny_all = false;
    deny_at = 0;
    live_before = live;
    return 0;
}

/* All sockets were closed; then lwIP, too, has to have forgotten them: the
 * longest is its wait after a connection has ended. */
static int down(void **state)
{
    unsigned n = used();

    (void)state;
    deny_at = 0;
    deny_all = false;
    fate_of = NULL;
    for (int i = 0; i < (int)PYRO_COUNT(sockets); i++)
        if (sockets[i].state != PYROI_LWIP_FREE)
            port->close(port, i);
    if (raw != NULL)
        tcp_abort(raw);
    test_eq("sockets", n, 0);
    wait_ms(2 * TCP_MSL + 25000);
    test_eq("blocks of memory", live, live_before);
    return 0;
}

static int32_t listen_at(const char *address)
{
    int32_t handle = port->listen(port, address);

    assert_true(handle >= 0);
    return handle;
}

static int32_t a, b, listener; /* a connected to b */

static int32_t accepted(void)
{
    for (int i = 0; i < 400 && ready(listener, PYRO_IN) == 0; i++)
        wait_ms(20);
    return port->accept(port, listener);
}

static void connect_pair(void)
{
    listener = listen_at("*:7766");
    a = port->connect(port, "10.0.0.1:7766");
    assert_true(a >= 0);
    b = accepted();
    assert_true(b >= 0);
    for (int i = 0; i < 40 && ready(a, PYRO_OUT) == 0; i++)
        wait_ms(20);
    test_eq("a", ready(a, PYRO_OUT), PYRO_OUT);
}

static void close_pair(void)
{
    port->close(port, a);
    port->close(port, b);
    port->close(port, listener);
}

/* Takes what there is, up to n bytes; what recv said last is in `last`. */
static int32_t last;

static uint32_t take(int32_t handle, void *to, uint32_t n)
{
    uint32_t got = 0;

    do {
        last = port->recv(port, handle, NULL, (uint8_t *)to + got, n - got);
        if (last < 0)
            return got;
        got += (uint32_t)last & ~(uint32_t)PYRO_PORT_MORE;
    } while ((last & PYRO_PORT_MORE) != 0 && got < n);
    return got;
}

static void gone(int32_t handle)
{
    char byte;

    test_eq("gone", port->recv(port, handle, NULL, &byte, 1), PYRO_PORT_GONE);
}

static void says(int32_t handle, const char *text)
{
    char     is[200];
    uint32_t n;

    wait_ms(20);
    n = take(handle, is, sizeof is);
    test_same("said", is, n, text, strlen(text));
}

static int32_t say(int32_t handle, const char *text)
{
    return port->send(port, handle, text, (uint32_t)strlen(text));
}

/* A byte of the endless text that connections are tried with. */
static uint8_t text_at(uint32_t at)
{
    return (uint8_t)(at * 7 + (at >> 8));
}


static err_t raw_recv(void *arg, struct tcp_pcb *tcp, struct pbuf *p,
                      err_t err)
{
    (void)arg;
    (void)err;
    if (p != NULL) {
        raw_got += p->tot_len;
        tcp_recved(tcp, p->tot_len);
        pbuf_free(p);
    }
    return ERR_OK;
}

static void raw_err(void *arg, err_t err)
{
    (void)arg;
    (void)err;
    raw = NULL;
}

static err_t raw_connected(void *arg, struct tcp_pcb *tcp, err_t err)
{
    (void)arg;
    (void)tcp;
    return err;
}

static void raw_connect(void)
{
    ip_addr_t ip;

    ip_addr_set_ip4_u32_val(ip, lwip_htonl(HERE));
    raw_got = 0;
    raw = tcp_new_ip_type(IPADDR_TYPE_V4);
    assert_non_null(raw);
    tcp_recv(raw, raw_recv);
    tcp_err(raw, raw_err);
    tcp_nagle_disable(raw);
    assert_int_equal(tcp_connect(raw, &ip, 7766, raw_connected), ERR_OK);
    wait_ms(30);
}

static void raw_pair(void)
{
    listener = listen_at("*:7766");
    raw_connect();
    b = accepted();
    assert_true(b >= 0);
}

static bool raw_say(const char *text)
{
    bool sent = tcp_write(raw, text, (u16_t)strlen(text), TCP_WRITE_FLAG_COPY)
             == ERR_OK;

    tcp_output(raw);
    return sent;
}

static void raw_close(void)
{
    if (raw != NULL)
        tcp_abort(raw);
    wait_ms(10);
    port->close(port, b);
    port->close(port, listener);
}

/* ------------------------------------------------------------------------
 * Connections
 * ------------------------------------------------------------------------ */

TEST(addresses_are_read_as_the_manual_says)
{
    static const struct {
        const char *text, *is; /* NULL: none */
    } rows[] = {
        { "*:7766", "0.0.0.0:7766" },
        { "10.0.0.1:7766", "10.0.0.1:7766" },
        { "7766", "127.0.0.1:7766" },
        { ":7766", "127.0.0.1:7766" },
        { "localhost:7766", "127.0.0.1:7766" },
        { "[::1]:7766", "[::1]:7766" },
        { "*:65535", "0.0.0.0:65535" },
        { "", NULL },
        { ":", NULL },
        { "*:", NULL },
        { "*:65536", NULL },
        { "*:7766 ", NULL },
        { "*:-1", NULL },
        { "*:123456", NULL },
        { "box:7766", NULL },
        { "10.0.0.256:7766", NULL },
        { "10.0.0:7766x", NULL },
        { "[::1:7766", NULL },
        { "::1:7766", NULL },
        { "[10.0.0.1]:7766", NULL },
        { "[*]:7766", NULL },
        { "[]:7766", NULL },
        { "0123456789012345678901234567890123456789012345678901234567890123"
          "4:1",
          NULL },
    };

    for (size_t i = 0; i < PYRO_COUNT(rows); i++) {
        char    text[80];
        int32_t h = port->listen(port, rows[i].text);

        test_eq(rows[i].text, h >= 0, rows[i].is != NULL);
        if (h < 0)
            continue;
        assert_true(port->address(port, h, false, text, sizeof text));
        assert_string_equal(text, rows[i].is);
        assert_false(port->address(port, h, true, text, sizeof text));
        assert_false(port->address(port, h, false, text, strlen(rows[i].is)));
        port->close(port, h);
    }
}

TEST(both_ends_tell_their_addresses)
{
    char text[80];
    char other[80];

    connect_pair();
    assert_true(port->address(port, a, true, text, sizeof text));
    assert_string_equal(text, "10.0.0.1:7766");
    assert_true(port->address(port, b, true, text, sizeof text));
    assert_true(port->address(port, a, false, other, sizeof other));
    assert_string_equal(text, other);
    close_pair();
}

TEST(a_number_is_listened_at_once_and_chosen_when_it_is_0)
{
    char    text[80];
    int32_t h = listen_at("*:0");

    assert_true(port->address(port, h, false, text, sizeof text));
    assert_string_not_equal(text, "0.0.0.0:0");
    text[6] = '*'; /* 0.0.0.0: as one character */
    test_eq("twice", port->listen(port, text + 6), -1);
    port->close(port, h);
    h = listen_at(text + 6);
    port->close(port, h);
}

TEST(bytes_go_both_ways_and_any_count_can_be_asked_for)
{
    char bytes[8];

    connect_pair();
    test_eq("nothing yet", port->recv(port, a, NULL, bytes, 8), 0);
    test_eq("sent", say(a, "hello world"), 11);
    wait_ms(20);
    test_eq("ready", ready(b, PYRO_IN), PYRO_IN);
    test_eq("none", port->recv(port, b, NULL, bytes, 0), PYRO_PORT_MORE);
    test_eq("one", port->recv(port, b, NULL, bytes, 1), 1 | PYRO_PORT_MORE);
    test_eq("eight", port->recv(port, b, NULL, bytes, 8), 8 | PYRO_PORT_MORE);
    test_same("eight", bytes, 8, "ello wor", 8);
    test_eq("rest", port->recv(port, b, NULL, bytes, 8), 2);
    test_eq("not ready", ready(b, PYRO_IN), 0);
    test_eq("back", say(b, "yes"), 3);
    says(a, "yes");
    close_pair();
}

TEST(until_it_is_connected_nothing_can_be_sent)
{
    listener = listen_at("*:7766");
    a = port->connect(port, "10.0.0.1:7766");
    test_eq("send", say(a, "x"), 0);
    test_eq("ready", ready(a, PYRO_OUT), 0);
    wait_ms(30);
    test_eq("ready", ready(a, PYRO_OUT), PYRO_OUT);
    b = accepted();
    close_pair();
}

TEST(who_connects_to_nobody_is_told_at_once)
{
    char byte;

    a = port->connect(port, "10.0.0.1:7766");
    assert_true(a >= 0);
    wait_ms(20);
    test_eq("ready", ready(a, PYRO_IN | PYRO_OUT), PYRO_IN | PYRO_OUT);
    test_eq("recv", port->recv(port, a, NULL, &byte, 1), PYRO_PORT_GONE);
    test_eq("send", say(a, "x"), PYRO_PORT_GONE);
    assert_false(port->address(port, a, true, &byte, 1));
    port->close(port, a);
    test_eq("everywhere", port->connect(port, "*:7766"), -1);
    test_eq("number 0", port->connect(port, "10.0.0.1:0"), -1);
    test_eq("no route", port->connect(port, "[2001:db8::1]:7766"), -1);
}

TEST(what_was_sent_before_the_end_arrives_before_it)
{
    char bytes[8];

    connect_pair();
    test_eq("sent", say(a, "end"), 3);
    port->close(port, a);
    wait_ms(20);
    test_eq("got", take(b, bytes, 8), 3);
    test_eq("ready", ready(b, PYRO_IN), PYRO_IN);
    gone(b);
    port->close(port, b);
    port->close(port, listener);
}

TEST(a_peer_that_only_listens_still_gets_what_is_sent)
{
    raw_pair();
    assert_true(raw_say("half"));
    assert_int_equal(tcp_shutdown(raw, 0, 1), ERR_OK);
    says(b, "half");
    gone(b);
    test_eq("send", say(b, "still here"), 10);
    wait_ms(20);
    test_eq("got", raw_got, 10);
    raw_close();
}

TEST(a_reset_is_an_end_after_the_bytes_that_came_before)
{
    raw_pair();
    assert_true(raw_say("last words"));
    wait_ms(20);
    tcp_abort(raw);
    says(b, "last words");
    gone(b);
    test_eq("send", say(b, "x"), PYRO_PORT_GONE);
    test_eq("ready", ready(b, PYRO_IN | PYRO_OUT), PYRO_IN | PYRO_OUT);
    raw_close();
}

TEST(who_closes_with_bytes_untaken_resets_the_peer)
{
    raw_pair();
    assert_true(raw_say("nobody reads this"));
    wait_ms(20);
    port->close(port, b);
    wait_ms(20);
    assert_null(raw);
    port->close(port, listener);
}

TEST(connections_that_wait_end_with_their_listener_or_their_peer)
{
    listener = listen_at("*:7766");
    raw_connect();
    test_eq("one waits", ready(listener, PYRO_IN), PYRO_IN);
    tcp_abort(raw);
    wait_ms(20);
    test_eq("gone", ready(listener, PYRO_IN), 0);
    test_eq("none", port->accept(port, listener), -1);
    raw_connect();
    assert_true(raw_say("unheard"));
    wait_ms(20);
    port->close(port, listener);
    wait_ms(20);
    assert_null(raw);
}

TEST(a_connection_that_finds_no_socket_is_reset_and_counted)
{
    int32_t more[PYRO_COUNT(sockets)];

    connect_pair();
    for (size_t i = 3; i < PYRO_COUNT(sockets); i++)
        more[i] = port->udp_open(port, 0, (uint16_t)i);
    test_eq("connect", port->connect(port, "10.0.0.1:7766"), -1);
    test_eq("listen", port->listen(port, "*:1"), -1);
    test_eq("udp", port->udp_open(port, 0, 1), -1);
    raw_connect();
    wait_ms(20);
    assert_null(raw);
    test_eq("refused", net.refused, 1);
    for (size_t i = 3; i < PYRO_COUNT(sockets); i++)
        port->close(port, more[i]);
    close_pair();
}

TEST(pcbs_of_closed_connections_make_room_and_those_of_others_do_not)
{
    int32_t c, d;

    most_pcbs = 4;
    connect_pair();
    c = port->connect(port, "10.0.0.1:7766");
    d = accepted();
    assert_true(d >= 0);
    test_eq("none left", port->connect(port, "10.0.0.1:7766"), -1);
    port->close(port, c); /* its peer does not close: it lives on */
    wait_ms(20);
    test_eq("all there", pcbs, 4);
    c = port->connect(port, "10.0.0.1:7766");
    assert_true(c >= 0);
    wait_ms(20);
    gone(d);
    test_eq("the others are not hurt", say(a, "well"), 4);
    says(b, "well");
    port->close(port, c);
    port->close(port, d);
    close_pair();
}

/* A SYN from an address where nobody is, or who does not answer. */
static void syn(unsigned from)
{
    uint8_t        bytes[40] = { 0x45, 0, 0, 40, 0, 0, 0, 0, 9, IP_PROTO_TCP };
    struct pbuf   *p = pbuf_alloc(PBUF_RAW, 20, PBUF_RAM);
    const uint8_t *ends = bytes + 12;
    ip_addr_t      ip[2];
    uint16_t       sum;

    pyroi_store32(bytes + 12, 0x0A000000 + from);
    pyroi_store32(bytes + 16, HERE);
    pyroi_store16(bytes + 20, 1000 + from);
    pyroi_store16(bytes + 22, 7766);
    bytes[32] = 5 << 4;
    bytes[33] = TCP_SYN;
    pyroi_store16(bytes + 34, 1000);
    for (int i = 0; i < 2; i++)
        ip_addr_set_ip4_u32_val(ip[i], lwip_htonl(pyroi_load32(ends + 4 * i)));
    pbuf_take(p, bytes + 20, 20);
    sum = ip_chksum_pseudo(p, IP_PROTO_TCP, 20, &ip[0], &ip[1]);
    memcpy(bytes + 36, &sum, 2);
    sum = inet_chksum(bytes, 20);
    memcpy(bytes + 10, &sum, 2);
    pbuf_free(p);
    give(bytes, sizeof bytes);
}

TEST(half_open_connections_keep_nobody_out_who_is_in_or_goes_out)
{
    most_pcbs = 4;
    connect_pair();
    for (unsigned i = 100; i < 150; i++)
        syn(i);
    test_eq("no more than its backlog", pcbs, 2 + TCP_DEFAULT_LISTEN_BACKLOG);
    test_eq("sent", say(a, "through"), 7);
    says(b, "through");
    port->close(port, a);
    port->close(port, b);
    a = port->connect(port, "10.0.0.1:1");
    assert_true(a >= 0);
    port->close(port, a);
    port->close(port, listener);
    wire_n = 0;
}

/* ------------------------------------------------------------------------
 * Streams
 * ------------------------------------------------------------------------ */

/* Sends n bytes of the text from a to b, whatever the wire does, and takes
 * them in pieces. Both have to be looked at only when they are ready. */
static void stream(uint32_t n, uint32_t piece)
{
    uint8_t  bytes[3000];
    uint32_t sent = 0;
    uint32_t got = 0;
    uint32_t until = now + 120000;

    while (got < n && (int32_t)(until - now) > 0) {
        uint32_t k = n - sent < sizeof bytes ? n - sent : sizeof bytes;

        for (uint32_t i = 0; i < k; i++)
            bytes[i] = text_at(sent + i);
        if (k > 0 && ready(a, PYRO_OUT) != 0) {
            last = port->send(port, a, bytes, k);
            assert_in_range(last, 0, k);
            sent += (uint32_t)last;
        }
        if (ready(b, PYRO_IN) != 0) {
            k = take(b, bytes, piece);
            assert_true(last >= 0);
            for (uint32_t i = 0; i < k; i++)
                test_eq("byte", bytes[i], text_at(got + i));
            got += k;
        }
        wait_ms(1);
    }
    test_eq("got", got, n);
}

TEST(a_long_stream_arrives_whole_however_it_is_taken)
{
    connect_pair();
    stream(100000, 3000);
    stream(20000, 100);
    stream(3000, 1);
    close_pair();
}

TEST(a_full_send_buffer_takes_no_more_and_says_when_it_does_again)
{
    static uint8_t zeros[TCP_SND_BUF + TCP_WND + 1000];
    uint32_t       sent = 0;

    connect_pair();
    for (int i = 0; i < 50; i++) {
        last = port->send(port, a, zeros, sizeof zeros);
        assert_true(last >= 0);
        sent += (uint32_t)last;
        wait_ms(20);
    }
    test_eq("took", sent, TCP_SND_BUF + TCP_WND);
    test_eq("full", ready(a, PYRO_OUT), 0);
    test_eq("pbufs of b", pbuf_clen(sockets[b].in) <= PYRO_LWIP_PBUFS, 1);
    test_eq("got", take(b, zeros, sizeof zeros) > 0, 1);
    wait_ms(200);
    test_eq("room", ready(a, PYRO_OUT), PYRO_OUT);
    close_pair();
}

TEST(single_bytes_take_no_more_pbufs_than_a_window_does)
{
    uint8_t  bytes[TCP_WND];
    uint32_t n;
    uint32_t got = 0;

    raw_pair();
    for (n = 0; n < TCP_WND; n++) {
        char text[2] = { (char)('a' + n % 26), 0 };

        wait_ms(10);
        if (!raw_say(text))
            break;
    }
    assert_true(n >= TCP_WND / 2);
    assert_true(pbuf_clen(sockets[b].in) <= PYRO_LWIP_PBUFS);
    for (int i = 0; got < n && i < 1000; i++) {
        got += take(b, bytes + got, n - got);
        wait_ms(10);
    }
    test_eq("got", got, n);
    for (uint32_t i = 0; i < n; i++)
        test_eq("byte", bytes[i], 'a' + i % 26);
    raw_close();
}

/* With no pbuf to put them together in, lwIP keeps what came. */
TEST(bytes_for_which_there_is_no_pbuf_come_again)
{
    uint8_t  bytes[64];
    uint32_t n = 0;
    uint32_t got = 0;

    raw_pair();
    for (; n < PYRO_LWIP_PBUFS; n++) {
        assert_true(raw_say("x"));
        wait_ms(10);
    }
    assert_true(raw_say("yz"));
    deny_at = allocs + 2; /* its own pbuf is had, the other is not */
    wait_ms(1);
    test_eq("kept", sockets[b].in->tot_len, n);
    for (int i = 0; got < n + 2 && i < 100; i++) {
        got += take(b, bytes + got, sizeof bytes - got);
        wait_ms(20);
    }
    test_eq("got", got, n + 2);
    test_same("last", bytes + n, 2, "yz", 2);
    raw_close();
}

static unsigned  fate_n;
static enum fate fate_is;

static enum fate one_in_n(unsigned frame)
{
    return frame % fate_n == 0 ? fate_is : SENT;
}

static enum fate just_n(unsigned frame)
{
    return frame == fate_n ? fate_is : SENT;
}

TEST(frames_lost_doubled_and_turned_round_do_no_harm)
{
    for (fate_is = LOST; fate_is <= LATE; fate_is++)
        for (fate_n = 7; fate_n < 40; fate_n += 16) {
            connect_pair();
            fate_of = one_in_n;
            stream(30000, 2000);
            fate_of = NULL;
            close_pair();
        }
}

TEST(any_one_frame_can_be_lost_from_connecting_to_the_end)
{
    for (fate_is = LOST; fate_is <= LATE; fate_is++)
        for (fate_n = 1; fate_n < 20; fate_n++) {
            frames = 0;
            fate_of = just_n;
            listener = listen_at("*:7766");
            a = port->connect(port, "10.0.0.1:7766");
            for (int i = 0; i < 2000 && ready(a, PYRO_OUT) == 0; i++)
                wait_ms(10);
            b = accepted();
            assert_true(b >= 0);
            stream(2500, 600);
            close_pair();
            wait_ms(1000);
            fate_of = NULL;
        }
}

/* ------------------------------------------------------------------------
 * Datagrams
 * ------------------------------------------------------------------------ */

static pyro_udp from;

static bool datagram(int32_t handle, uint32_t ip, unsigned number,
                     const char *text)
{
    pyro_udp to;

    to.ip = ip;
    to.port = (uint16_t)number;
    return port->udp_send(port, handle, &to, text, (uint32_t)strlen(text));
}

static void datagram_is(int32_t handle, const char *text)
{
    char bytes[100];

    wait_ms(10);
    last = port->udp_recv(port, handle, bytes, sizeof bytes, &from);
    assert_true(last >= 0);
    test_same("datagram", bytes, (size_t)last, text, strlen(text));
}

TEST(datagrams_are_whole_or_cut_or_empty_or_none)
{
    char bytes[4];

    a = port->udp_open(port, 0, 9090);
    b = port->udp_open(port, 0, 0);
    test_eq("none", port->udp_recv(port, a, bytes, 4, &from), -1);
    test_eq("not ready", ready(a, PYRO_IN), 0);
    assert_true(datagram(b, HERE, 9090, "first"));
    assert_true(datagram(b, HERE, 9090, ""));
    assert_true(datagram(b, HERE, 9090, "third"));
    wait_ms(10);
    test_eq("ready", ready(a, PYRO_IN), PYRO_IN);
    assert_true(port->udp_recv(port, a, bytes, 4, &from) > 4);
    test_same("cut", bytes, 4, "firs", 4);
    test_eq("from", from.ip, HERE);
    test_eq("empty", port->udp_recv(port, a, bytes, 4, &from), 0);
    datagram_is(a, "third");
    assert_true(datagram(a, from.ip, from.port, "back"));
    datagram_is(b, "back");
    test_eq("from", from.port, 9090);
    test_eq("none", port->udp_recv(port, a, bytes, 4, &from), -1);
    port->close(port, a);
    port->close(port, b);
}

TEST(a_broadcast_reaches_every_socket_of_its_number)
{
    static const uint32_t to[] = { 0xFFFFFFFF, CAST };
    int32_t               c;

    a = port->udp_open(port, 0, 9090);
    b = port->udp_open(port, 0, 9090);
    c = port->udp_open(port, 0, 9091);
    for (int i = 0; i < 2; i++) {
        assert_true(datagram(c, to[i], 9090, "anybody?"));
        datagram_is(a, "anybody?");
        datagram_is(b, "anybody?");
        test_eq("no other", ready(c, PYRO_IN), 0);
        assert_true(datagram(b, from.ip, from.port, "me"));
        datagram_is(c, "me");
    }
    port->close(port, a);
    port->close(port, b);
    port->close(port, c);
}

TEST(who_receives_at_a_broadcast_address_answers_from_his_own)
{
    a = port->udp_open(port, CAST, 9090);
    b = port->udp_open(port, 0, 0);
    assert_true(datagram(b, CAST, 9090, "anybody?"));
    datagram_is(a, "anybody?");
    assert_true(datagram(a, from.ip, from.port, "me"));
    datagram_is(b, "me");
    test_eq("from", from.ip, HERE);
    port->close(port, a);
    port->close(port, b);
}

TEST(datagrams_that_nobody_takes_are_dropped_and_counted)
{
    char     flood[400];
    unsigned n = 0;

    memset(flood, 'f', sizeof flood);
    flood[sizeof flood - 1] = 0;
    a = port->udp_open(port, 0, 9090);
    for (int i = 0; i < 40; i++) {
        assert_true(datagram(a, HERE, 9090, flood));
        wait_ms(5);
        assert_true(pool <= PYRO_LWIP_PBUFS);
    }
    for (; ready(a, PYRO_IN) != 0; n++)
        test_eq("size", port->udp_recv(port, a, flood, 400, &from), 399);
    assert_in_range(n, PYRO_LWIP_PBUFS, 39);
    test_eq("dropped", net.dropped, 40 - n);
    port->close(port, a);
}

TEST(datagrams_that_cannot_be_sent_are_refused)
{
    static char bytes[70000];
    pyro_udp    to = { HERE, 9090 };

    a = port->udp_open(port, 0, 9090);
    assert_false(port->udp_send(port, a, &to, bytes, sizeof bytes));
    deny_all = true;
    assert_false(port->udp_send(port, a, &to, bytes, 100));
    deny_all = false;
    netif_set_default(NULL);
    to.ip = 0x08080808;
    assert_false(port->udp_send(port, a, &to, bytes, 100));
    netif_set_default(&netif);
    port->close(port, a);
}

TEST(the_interface_is_listed_while_it_is_up)
{
    pyro_net is;

    assert_true(port->net(port, 0, &is));
    test_eq("ip", is.ip, HERE);
    test_eq("mask", is.mask, MASK);
    test_eq("broadcast", is.broadcast, CAST);
    assert_false(port->net(port, 1, &is));
    netif_set_down(&netif);
    assert_false(port->net(port, 0, &is));
    netif_set_up(&netif);
}

TEST(time_and_random_bytes_are_the_caller_s)
{
    uint8_t bytes[4] = { 0 };

    now = 1234;
    test_eq("now", port->now(port), 1234);
    assert_true(port->random(port, bytes, 3));
    test_same_hex("random", bytes, 4, "07 07 07 00");
    net.random = NULL;
    assert_null(pyro_lwip_open(&net, sockets, 1)->random);
}

/* ------------------------------------------------------------------------
 * No memory
 * ------------------------------------------------------------------------ */

/* From listening to the end, with calls that may fail: those that do leave
 * nothing. Returns whether all went well. */
static bool whole_life(void)
{
    bool ok = false;

    listener = port->listen(port, "*:7766");
    a = port->connect(port, "10.0.0.1:7766");
    b = -1;
    if (listener >= 0 && a >= 0) {
        for (int i = 0; i < 500 && ready(a, PYRO_OUT) == 0; i++)
            wait_ms(10);
        b = accepted();
    }
    if (b >= 0) {
        bool ends = ready(a, PYRO_OUT) != 0;

        if (ends)
            stream(4000, 1000);
        ok = ends;
    }
    if (a >= 0)
        port->close(port, a);
    if (b >= 0)
        port->close(port, b);
    if (listener >= 0)
        port->close(port, listener);
    a = port->udp_open(port, 0, 9090);
    if (a >= 0) {
        ok = datagram(a, HERE, 9090, "x") && ok;
        wait_ms(10);
        ok = take(a, &b, 1) == 1 && ok;
        port->close(port, a);
    }
    return ok;
}

TEST(any_one_allocation_can_fail)
{
    unsigned first = allocs;
    unsigned n;
    unsigned bad = 0;

    assert_true(whole_life());
    n = allocs - first;
    assert_in_range(n, 30, 1000);
    for (unsigned i = 1; i <= n; i++) {
        wait_ms(2 * TCP_MSL + 25000);
        deny_at = allocs + i;
        bad += !whole_life();
        deny_at = 0;
        test_eq("sockets", used(), 0);
        assert_true(whole_life());
    }
    assert_in_range(bad, 1, n / 2);
}

TEST(a_heap_without_large_blocks_takes_what_fits)
{
    char bytes[1000];

    connect_pair();
    memset(bytes, 'x', sizeof bytes);
    deny_over = 400;
    last = port->send(port, a, bytes, sizeof bytes);
    deny_over = 0;
    assert_in_range(last, 100, 400);
    test_eq("said to be full", ready(a, PYRO_OUT), 0);
    wait_ms(1000);
    test_eq("arrives", take(b, bytes, sizeof bytes), last);
    test_eq("room again", ready(a, PYRO_OUT), PYRO_OUT);
    close_pair();
}

TEST(a_time_without_memory_ends)
{
    connect_pair();
    for (int i = 0; i < 20; i++) {
        deny_all = true;
        last = say(a, "while there is none");
        assert_true(last >= 0);
        wait_ms(30);
        deny_all = false;
        wait_ms(30);
    }
    test_eq("what is taken arrives", take(b, sockets, 0), 0);
    wait_ms(1000);
    test_eq("ready", ready(a, PYRO_OUT), PYRO_OUT);
    close_pair();
}

/* ------------------------------------------------------------------------
 * A daemon on it
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(3, 4, 256, 1) room;
static PYRO_ROOM(1, 3, 256, 1) room2;
static pyro_daemon server, client;
static uint32_t    rang;

static void bell_add(void *self, pyro_call *call)
{
    int32_t v = pyro_get_i32(&call->args);

    (void)self;
    rang++;
    pyro_put_int(&call->result, v + 1);
}

static const pyro_method bell_methods[] = {
    { "add", bell_add, "i", "i", 0 },
};
static const pyro_class bell_class = { "Bell", PYRO_METHODS(bell_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void calls(unsigned n)
{
    pyro_proxy   bell;
    pyro_request rq;
    pyro_config  config;

    rang = 0;
    memset(&config, 0, sizeof config);
    config.port = port;
    assert_int_equal(pyro_open(&server, PYRO_ROOM_OF(room), NULL), PYRO_OK);
    assert_int_equal(pyro_open(&client, PYRO_ROOM_OF(room2), &config),
                     PYRO_OK);
    assert_int_equal(pyro_listen(&server, port, "*:7766"), PYRO_OK);
    assert_int_equal(pyro_export(&server, &bell_class, &rang, "bell"),
                     PYRO_OK);
    assert_int_equal(pyro_proxy_open(&bell, &client,
                                     "PYRO://10.0.0.1:7766/bell"),
                     PYRO_OK);
    for (unsigned i = 0; i < n; i++) {
        int32_t got = 0;

        assert_int_equal(pyro_begin(&rq, &bell, "add"), PYRO_OK);
        pyro_put_int(&rq.args, (int32_t)i);
        assert_int_equal(pyro_send(&rq, pyro_to_i32(&got), NULL, NULL),
                         PYRO_OK);
        while (!pyro_done(&rq)) {
            assert_int_equal(pyro_poll(&client, 1), PYRO_OK);
            assert_int_equal(pyro_poll(&server, 1), PYRO_OK);
        }
        test_eq("call", pyro_result(&rq), PYRO_OK);
        test_eq("result", got, (int32_t)i + 1);
    }
    test_eq("executed", rang, n);
    pyro_proxy_close(&bell);
    pyro_close(&client);
    pyro_close(&server);
}

TEST(daemons_call_each_other_over_it)
{
    calls(1000);
}

TEST(calls_are_right_while_frames_are_lost)
{
    for (fate_is = LOST; fate_is <= LATE; fate_is++) {
        fate_n = 29;
        frames = 0;
        fate_of = one_in_n;
        calls(300);
        fate_of = NULL;
    }
}

#define NET(test) cmocka_unit_test_setup_teardown(test, up, down)

static const struct CMUnitTest tests[] = {
    NET(addresses_are_read_as_the_manual_says),
    NET(both_ends_tell_their_addresses),
    NET(a_number_is_listened_at_once_and_chosen_when_it_is_0),
    NET(bytes_go_both_ways_and_any_count_can_be_asked_for),
    NET(until_it_is_connected_nothing_can_be_sent),
    NET(who_connects_to_nobody_is_told_at_once),
    NET(what_was_sent_before_the_end_arrives_before_it),
    NET(a_peer_that_only_listens_still_gets_what_is_sent),
    NET(a_reset_is_an_end_after_the_bytes_that_came_before),
    NET(who_closes_with_bytes_untaken_resets_the_peer),
    NET(connections_that_wait_end_with_their_listener_or_their_peer),
    NET(a_connection_that_finds_no_socket_is_reset_and_counted),
    NET(pcbs_of_closed_connections_make_room_and_those_of_others_do_not),
    NET(half_open_connections_keep_nobody_out_who_is_in_or_goes_out),
    NET(a_long_stream_arrives_whole_however_it_is_taken),
    NET(a_full_send_buffer_takes_no_more_and_says_when_it_does_again),
    NET(single_bytes_take_no_more_pbufs_than_a_window_does),
    NET(bytes_for_which_there_is_no_pbuf_come_again),
    NET(frames_lost_doubled_and_turned_round_do_no_harm),
    NET(any_one_frame_can_be_lost_from_connecting_to_the_end),
    NET(datagrams_are_whole_or_cut_or_empty_or_none),
    NET(a_broadcast_reaches_every_socket_of_its_number),
    NET(who_receives_at_a_broadcast_address_answers_from_his_own),
    NET(datagrams_that_nobody_takes_are_dropped_and_counted),
    NET(datagrams_that_cannot_be_sent_are_refused),
    NET(the_interface_is_listed_while_it_is_up),
    NET(time_and_random_bytes_are_the_caller_s),
    NET(any_one_allocation_can_fail),
    NET(a_heap_without_large_blocks_takes_what_fits),
    NET(a_time_without_memory_ends),
    NET(daemons_call_each_other_over_it),
    NET(calls_are_right_while_frames_are_lost)
};

int main(void)
{
    ip4_addr_t ip, mask, none;

    lwip_init();
    ip4_addr_set_u32(&ip, lwip_htonl(HERE));
    ip4_addr_set_u32(&mask, lwip_htonl(MASK));
    ip4_addr_set_zero(&none);
    netif_add(&netif, &ip, &mask, &none, NULL, netif_up, ip_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
