/* lwip.h - a port on lwIP, for boards with Ethernet and no operating system
 *
 * TCP and datagrams through lwIP's raw API (version 2.1, NO_SYS 1): no thread,
 * no semaphore, and no heap but lwIP's own pools. In the one C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "pyro.h"
 *     #include "lwip.h"
 *
 * and wherever it is used:
 *
 *     static pyro_lwip        net;
 *     static pyro_lwip_socket sockets[8];
 *
 *     lwip_init(); netif_add(...); netif_set_up(...);
 *     net.poll = poll_board;
 *     err = pyro_listen(&node, pyro_lwip_open(&net, sockets, 8), "*:7766");
 *
 *     static void poll_board(void *user, uint32_t ms)
 *     {
 *         if (!driver_has_frames()) sleep_until_interrupt(ms);
 *         while (driver_has_frames()) ... netif.input(frame, &netif);
 *     }
 *
 * IN LWIPOPTS.H
 *   NO_SYS 1, LWIP_TCP 1, LWIP_UDP 1, LWIP_IPV4 1, LWIP_CALLBACK_API 1 (the
 *   default). LWIP_IPV6 may be on. sys_now must count milliseconds, for lwIP's
 *   timers and as the clock of the port.
 *   TCP_LISTEN_BACKLOG 1     else half-open connections may take all of
 *                            MEMP_NUM_TCP_PCB
 *   MEMP_NUM_TCP_PCB         links, and some that are closing
 *   MEMP_NUM_UDP_PCB         2 for the names: who asks, and who answers
 *   TCP_OOSEQ_MAX_PBUFS      else what comes out of order may take the pool
 *   PBUF_POOL_SIZE           PYRO_LWIP_PBUFS for each connection that is not
 *                            read for a while, and those on their way
 *   MEM_SIZE                 TCP_SND_BUF and headers for each connection that
 *                            its peer does not acknowledge
 *   SO_REUSE, SO_REUSE_RXTOALL 1  only where a name server and a client that
 *                            works serverless (pyro_ns.h) are on one board
 *   LWIP_NETIF_LOOPBACK 1    only where a board calls itself by its address
 *   TCP_TMR_INTERVAL         a lost frame is sent again after 2 to 4 of them:
 *                            250 ms is long for calls on a local network
 *
 * WHAT IS WHOSE
 *   Everything runs in the one task of the daemon. Frames go into lwIP in
 *   `poll` only, which the port's wait calls; never in an interrupt. Received
 *   pbufs are the read-ahead: they stay in the socket until the daemon has
 *   taken their bytes, and only then the peer's window opens again. What is
 *   sent is copied into lwIP's heap. RAM: 24 bytes a socket, the rest is what
 *   lwipopts.h says.
 *
 * LIMITS, AND WHAT HAPPENS AT THEM
 *   sockets full        listen, connect, udp_open fail; who connects is reset,
 *                       and counted in `refused`
 *   pcbs full           listen, connect fail, or lwIP gives up one that was
 *                       closed here and waits for its peer; else who connects
 *                       is not answered, and tries again
 *   send buffer full    send takes less, and tells when it has room
 *   pbufs of a socket   bytes: the peer has to send them again; datagrams:
 *                       lost, and counted in `dropped`
 *   names of hosts      there are none: addresses are numeric
 *
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_LWIP_H
#define PYRO_LWIP_H

#include "../../pyro.h"

struct pbuf;
struct tcp_pcb;
struct udp_pcb;
struct pyro_lwip;

/* A listener, a connection, or a port for datagrams. Private. A daemon wants
 * one for each listener, for each link and one link more, and for each use of
 * datagrams; further ones are connections that may wait for a link. */
typedef struct pyro_lwip_socket {
    struct pyro_lwip        *lwip;
    struct pyro_lwip_socket *listener; /* of a connection that waits */
    struct tcp_pcb          *tcp;      /* NULL as soon as lwIP has freed it */
    struct udp_pcb          *udp;
    struct pbuf             *in; /* received, not taken */
    uint8_t                  state;
    bool                     ended; /* nothing more comes in */
    bool                     full;  /* nothing more goes out for now */
} pyro_lwip_socket;

/* Zero it and set the first three; the caller's while a daemon is open. */
typedef struct pyro_lwip {
    /* Gives the frames that have come to lwIP. If there were none it may sleep
     * until the next interrupt, but not for longer than ms; an interrupt that
     * has something to tell a daemon so ends its wait. Returns in any case. */
    void (*poll)(void *user, uint32_t ms);
    /* Fills in n random bytes, false if it cannot. NULL: there are none, and
     * pyro_config needs a boot count. */
    bool (*random)(void *user, void *to, size_t n);
    void *user;

    uint32_t refused; /* connections reset because no socket was free */
    uint32_t dropped; /* datagrams */

    pyro_lwip_socket *sockets_;
    size_t            n_;
    pyro_port         port_;
} pyro_lwip;

/* Makes it a port, for any number of daemons of this task. The sockets are the
 * port's from now on, at most 32767. Addresses: "*:7766" every interface,
 * "10.0.0.7:7766", "[fe80::1]:7766", ":7766" or "7766" this board only; port
 * 0 is chosen by lwIP. */
const pyro_port *pyro_lwip_open(pyro_lwip *lwip, pyro_lwip_socket *sockets,
                                size_t n);

#endif /* PYRO_LWIP_H */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_LWIP_IMPLEMENTED)
#define PYRO_LWIP_IMPLEMENTED

#include <string.h>

#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

#if !NO_SYS || !LWIP_TCP || !LWIP_UDP || !LWIP_IPV4 || !LWIP_CALLBACK_API
#error "lwip.h: see IN LWIPOPTS.H at its top"
#endif
#if TCP_WND > 0xFFFF
#error "lwip.h: TCP_WND: at most 65535, what a chain of pbufs can hold"
#endif

/* Most pbufs that a socket holds: more than a window in full ones takes, so
 * that bytes which came in small ones fit when they are put together. */
#define PYRO_LWIP_PBUFS (2 * (TCP_WND / PBUF_POOL_BUFSIZE + 1) + 1)

/* Of sockets. A connection that lwIP has accepted WAITS for the daemon to do
 * so, too. */
enum {
    PYROI_LWIP_FREE,
    PYROI_LWIP_LISTENS,
    PYROI_LWIP_WAITS,
    PYROI_LWIP_CONNECTS,
    PYROI_LWIP_OPEN,
    PYROI_LWIP_UDP
};

/* Before each datagram in `in`, where its UDP header was. */
typedef struct pyroi_lwip_from {
    uint32_t ip;
    uint16_t port;
    uint16_t n;
} pyroi_lwip_from;

static pyro_lwip_socket *pyroi_lwip_of(const pyro_port *port, int32_t handle)
{
    return &((pyro_lwip *)port->user)->sockets_[handle];
}

static int32_t pyroi_lwip_handle(const pyro_lwip_socket *s)
{
    return (int32_t)(s - s->lwip->sockets_);
}

static pyro_lwip_socket *pyroi_lwip_new(pyro_lwip *lwip, unsigned state)
{
    for (size_t i = 0; i < lwip->n_; i++) {
        pyro_lwip_socket *s = &lwip->sockets_[i];

        if (s->state == PYROI_LWIP_FREE) {
            s->lwip = lwip;
            s->state = (uint8_t)state;
            return s;
        }
    }
    return NULL;
}

static void pyroi_lwip_free(pyro_lwip_socket *s)
{
    if (s->in != NULL) pbuf_free(s->in);
    memset(s, 0, sizeof *s);
}

/* --- what has come in --- */

/* Puts the bytes into as few pbufs as can be: a peer that sends them one by
 * one must not take the pool. */
static bool pyroi_lwip_squeeze(pyro_lwip_socket *s)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, s->in->tot_len, PBUF_POOL);

    if (p == NULL) return false;
    (void)pbuf_copy(p, s->in); /* cannot fail: as long as the other */
    pbuf_free(s->in);
    s->in = p;
    return true;
}

/* Takes over p, at the end of what is there; false: it does not. */
static bool pyroi_lwip_keep(pyro_lwip_socket *s, struct pbuf *p)
{
    unsigned n = pbuf_clen(p);

    if (s->in == NULL) {
        s->in = p;
        return true;
    }
    if ((uint32_t)s->in->tot_len + p->tot_len > 0xFFFF) return false;
    if (pbuf_clen(s->in) + n > PYRO_LWIP_PBUFS
        && (!pyroi_lwip_squeeze(s) || pbuf_clen(s->in) + n > PYRO_LWIP_PBUFS))
        return false;
    pbuf_cat(s->in, p);
    return true;
}

static uint32_t pyroi_lwip_take(pyro_lwip_socket *s, void *to, uint32_t n)
{
    if (n > s->in->tot_len) n = s->in->tot_len;
    pbuf_copy_partial(s->in, to, (u16_t)n, 0);
    s->in = pbuf_free_header(s->in, (u16_t)n);
    return n;
}

/* --- what lwIP tells, while `poll` or a timer runs --- */

/* Refused bytes stay with lwIP, which offers them again, and takes no others
 * meanwhile. */
static err_t pyroi_lwip_on_recv(void *arg, struct tcp_pcb *tcp, struct pbuf *p,
                                err_t err)
{
    pyro_lwip_socket *s = (pyro_lwip_socket *)arg;

    (void)tcp;
    (void)err;
    if (p == NULL)
        s->ended = true;
    else if (!pyroi_lwip_keep(s, p))
        return ERR_MEM;
    return ERR_OK;
}

static err_t pyroi_lwip_on_sent(void *arg, struct tcp_pcb *tcp, u16_t n)
{
    (void)tcp;
    (void)n;
    ((pyro_lwip_socket *)arg)->full = false;
    return ERR_OK;
}

/* Twice a second: what filled lwIP's heap may have been another connection. */
static err_t pyroi_lwip_on_poll(void *arg, struct tcp_pcb *tcp)
{
    return pyroi_lwip_on_sent(arg, tcp, 0);
}

/* Reset by the peer, or given up by lwIP, which has freed the pcb. Bytes that
 * came before can still be had. */
static void pyroi_lwip_on_err(void *arg, err_t err)
{
    pyro_lwip_socket *s = (pyro_lwip_socket *)arg;

    (void)err;
    s->tcp = NULL;
    s->ended = true;
    if (s->state == PYROI_LWIP_WAITS) pyroi_lwip_free(s);
}

static err_t pyroi_lwip_on_connected(void *arg, struct tcp_pcb *tcp, err_t err)
{
    (void)tcp;
    (void)err;
    ((pyro_lwip_socket *)arg)->state = PYROI_LWIP_OPEN;
    return ERR_OK;
}

static void pyroi_lwip_own(pyro_lwip_socket *s, struct tcp_pcb *tcp)
{
    s->tcp = tcp;
    tcp_arg(tcp, s);
    tcp_recv(tcp, pyroi_lwip_on_recv);
    tcp_sent(tcp, pyroi_lwip_on_sent);
    tcp_err(tcp, pyroi_lwip_on_err);
    tcp_poll(tcp, pyroi_lwip_on_poll, 1);
    tcp_nagle_disable(tcp);
    tcp_setprio(tcp, TCP_PRIO_NORMAL);
}

/* tcp is NULL when lwIP has told that it had none. */
static err_t pyroi_lwip_on_accept(void *arg, struct tcp_pcb *tcp, err_t err)
{
    pyro_lwip_socket *listener = (pyro_lwip_socket *)arg;
    pyro_lwip_socket *s;

    (void)err;
    if (tcp == NULL) return ERR_OK;
    s = pyroi_lwip_new(listener->lwip, PYROI_LWIP_WAITS);
    if (s == NULL) {
        listener->lwip->refused++;
        tcp_abort(tcp);
        return ERR_ABRT;
    }
    s->listener = listener;
    pyroi_lwip_own(s, tcp);
    return ERR_OK;
}

/* The place of the UDP header is free now, or else a pbuf is put before. */
static struct pbuf *pyroi_lwip_headed(struct pbuf *p)
{
    struct pbuf *head;

    if (pbuf_add_header(p, sizeof(pyroi_lwip_from)) == 0) return p;
    head = pbuf_alloc(PBUF_RAW, sizeof(pyroi_lwip_from), PBUF_RAM);
    if (head == NULL) return NULL;
    pbuf_cat(head, p);
    return head;
}

static void pyroi_lwip_on_udp(void *arg, struct udp_pcb *udp, struct pbuf *p,
                              const ip_addr_t *ip, u16_t port)
{
    pyro_lwip_socket *s = (pyro_lwip_socket *)arg;
    pyroi_lwip_from   from;
    struct pbuf      *q;

    (void)udp;
    from.ip = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(ip)));
    from.port = port;
    from.n = p->tot_len;
    q = pyroi_lwip_headed(p);
    if (q != NULL) (void)pbuf_take(q, &from, sizeof from);
    if (q == NULL || !pyroi_lwip_keep(s, q)) {
        s->lwip->dropped++;
        pbuf_free(q != NULL ? q : p);
    }
}

/* --- addresses --- */

/* One to five digits and nothing else, up to 65535. */
static bool pyroi_lwip_number(const char *text, uint16_t *number)
{
    uint32_t v = 0;
    size_t   n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n < 5; n++)
        v = v * 10u + (uint32_t)(text[n] - '0');
    *number = (uint16_t)v;
    return n > 0 && text[n] == 0 && v <= 65535u;
}

/* *all: every interface. */
static bool pyroi_lwip_parse(const char *text, ip_addr_t *ip, uint16_t *number,
                             bool *all)
{
    char        host[PYRO_MAX_HOST + 1];
    const char *colon = strrchr(text, ':');
    size_t      n = colon != NULL ? (size_t)(colon - text) : 0;
    bool        brackets;

    if (!pyroi_lwip_number(colon != NULL ? colon + 1 : text, number))
        return false;
    brackets = n > 1 && text[0] == '[' && text[n - 1] == ']';
    if (brackets) {
        text++;
        n -= 2;
    }
    if (n >= sizeof host) return false;
    memcpy(host, text, n);
    host[n] = 0;
    *all = !brackets && strcmp(host, "*") == 0;
    if (*all)
        ip_addr_set_any(false, ip);
    else if (!brackets && (n == 0 || strcmp(host, "localhost") == 0))
        ip_addr_set_loopback(false, ip);
    else
        return ipaddr_aton(host, ip) != 0 && brackets == (IP_IS_V6(ip) != 0);
    return true;
}

static char *pyroi_lwip_digits(char *at, unsigned v)
{
    if (v >= 10) at = pyroi_lwip_digits(at, v / 10); /* 5 deep at most */
    *at = (char)('0' + v % 10);
    return at + 1;
}

static bool pyroi_lwip_address(const pyro_port *port, int32_t handle,
                               bool peer, char *to, size_t size)
{
    const struct tcp_pcb *tcp = pyroi_lwip_of(port, handle)->tcp;
    const struct udp_pcb *udp = pyroi_lwip_of(port, handle)->udp;
    const ip_addr_t      *ip;
    unsigned              number;
    char                  text[PYRO_MAX_HOST + 9]; /* [ ] : and 5 digits */
    char                 *at = text;

    if (tcp != NULL && !(peer && tcp->state == LISTEN)) {
        ip = peer ? &tcp->remote_ip : &tcp->local_ip;
        number = peer ? tcp->remote_port : tcp->local_port;
    } else if (udp != NULL && !peer) {
        ip = &udp->local_ip;
        number = udp->local_port;
    } else {
        return false;
    }
    if (IP_IS_V6(ip)) *at++ = '[';
    if (ipaddr_ntoa_r(ip, at, PYRO_MAX_HOST) == NULL) return false;
    at += strlen(at);
    if (IP_IS_V6(ip)) *at++ = ']';
    *at++ = ':';
    at = pyroi_lwip_digits(at, number);
    if ((size_t)(at - text) >= size) return false;
    memcpy(to, text, (size_t)(at - text));
    to[at - text] = 0;
    return true;
}

/* --- connections --- */

/* A closed connection lives on in lwIP until its peer has agreed, but makes
 * room when there is no pcb left; half-open ones make room for our own. */
static void pyroi_lwip_let_go(struct tcp_pcb *tcp)
{
    if (tcp->state != LISTEN) {
        tcp_arg(tcp, NULL);
        tcp_recv(tcp, NULL);
        tcp_sent(tcp, NULL);
        tcp_err(tcp, NULL);
        tcp_poll(tcp, NULL, 0);
        tcp_setprio(tcp, TCP_PRIO_MIN);
    }
    if (tcp_close(tcp) != ERR_OK) tcp_abort(tcp);
}

static void pyroi_lwip_close(const pyro_port *port, int32_t handle)
{
    pyro_lwip_socket *s = pyroi_lwip_of(port, handle);

    for (size_t i = 0; i < s->lwip->n_; i++) {
        pyro_lwip_socket *other = &s->lwip->sockets_[i];

        if (other->listener == s)
            pyroi_lwip_close(port, pyroi_lwip_handle(other));
    }
    if (s->tcp != NULL) pyroi_lwip_let_go(s->tcp);
    if (s->udp != NULL) udp_remove(s->udp);
    pyroi_lwip_free(s);
}

static bool pyroi_lwip_listen_at(pyro_lwip_socket *s, const ip_addr_t *ip,
                                 uint16_t number, bool all)
{
    struct tcp_pcb *tcp =
        tcp_new_ip_type(all ? IPADDR_TYPE_ANY : IP_GET_TYPE(ip));
    struct tcp_pcb *listener;

    if (tcp == NULL) return false;
    tcp_setprio(tcp, TCP_PRIO_NORMAL - 1);
#if SO_REUSE
    ip_set_option(tcp, SOF_REUSEADDR);
#endif
    if (tcp_bind(tcp, all ? IP_ANY_TYPE : ip, number) == ERR_OK) {
        listener = tcp_listen(tcp);
        if (listener != NULL) {
            s->tcp = listener;
            tcp_arg(listener, s);
            tcp_accept(listener, pyroi_lwip_on_accept);
            return true;
        }
    }
    pyroi_lwip_let_go(tcp);
    return false;
}

static int32_t pyroi_lwip_listen(const pyro_port *port, const char *address)
{
    pyro_lwip_socket *s;
    ip_addr_t         ip;
    uint16_t          number;
    bool              all;

    if (!pyroi_lwip_parse(address, &ip, &number, &all)) return -1;
    s = pyroi_lwip_new((pyro_lwip *)port->user, PYROI_LWIP_LISTENS);
    if (s == NULL) return -1;
    if (pyroi_lwip_listen_at(s, &ip, number, all)) return pyroi_lwip_handle(s);
    pyroi_lwip_free(s);
    return -1;
}

static pyro_lwip_socket *pyroi_lwip_waits_at(const pyro_lwip_socket *listener)
{
    for (size_t i = 0; i < listener->lwip->n_; i++) {
        pyro_lwip_socket *s = &listener->lwip->sockets_[i];

        if (s->listener == listener) return s;
    }
    return NULL;
}

static int32_t pyroi_lwip_accept(const pyro_port *port, int32_t listener)
{
    pyro_lwip_socket *s = pyroi_lwip_waits_at(pyroi_lwip_of(port, listener));

    if (s == NULL) return -1;
    s->state = PYROI_LWIP_OPEN;
    s->listener = NULL;
    return pyroi_lwip_handle(s);
}

static int32_t pyroi_lwip_connect(const pyro_port *port, const char *address)
{
    pyro_lwip_socket *s;
    struct tcp_pcb   *tcp;
    ip_addr_t         ip;
    uint16_t          number;
    bool              all;

    if (!pyroi_lwip_parse(address, &ip, &number, &all) || all || number == 0)
        return -1;
    s = pyroi_lwip_new((pyro_lwip *)port->user, PYROI_LWIP_CONNECTS);
    if (s == NULL) return -1;
    tcp = tcp_new_ip_type(IP_GET_TYPE(&ip));
    if (tcp != NULL) {
        pyroi_lwip_own(s, tcp);
        if (tcp_connect(tcp, &ip, number, pyroi_lwip_on_connected) == ERR_OK)
            return pyroi_lwip_handle(s);
        pyroi_lwip_let_go(tcp);
    }
    pyroi_lwip_free(s);
    return -1;
}

/* lwIP takes all of a piece or nothing of it. */
static int32_t pyroi_lwip_send(const pyro_port *port, int32_t handle,
                               const void *data, uint32_t n)
{
    pyro_lwip_socket *s = pyroi_lwip_of(port, handle);
    uint32_t          take = n;

    if (s->tcp == NULL) return PYRO_PORT_GONE;
    if (s->state != PYROI_LWIP_OPEN) return 0;
    if (take > tcp_sndbuf(s->tcp)) take = tcp_sndbuf(s->tcp);
    for (; take > 0; take /= 2) {
        err_t err = tcp_write(s->tcp, data, (u16_t)take, TCP_WRITE_FLAG_COPY);

        if (err == ERR_OK) break;
        if (err != ERR_MEM) return PYRO_PORT_GONE;
    }
    s->full = take < n;
    (void)tcp_output(s->tcp); /* what it cannot send it tries again */
    return (int32_t)take;
}

static int32_t pyroi_lwip_recv(const pyro_port *port, int32_t handle,
                               void *ahead, void *to, uint32_t n)
{
    pyro_lwip_socket *s = pyroi_lwip_of(port, handle);

    (void)ahead;
    if (s->in == NULL) return s->ended && n > 0 ? PYRO_PORT_GONE : 0;
    n = pyroi_lwip_take(s, to, n);
    if (s->tcp != NULL) tcp_recved(s->tcp, (u16_t)n);
    return s->in != NULL ? (int32_t)n | PYRO_PORT_MORE : (int32_t)n;
}

/* --- datagrams --- */

static int32_t pyroi_lwip_udp_open(const pyro_port *port, uint32_t ip,
                                   uint16_t number)
{
    pyro_lwip_socket *s =
        pyroi_lwip_new((pyro_lwip *)port->user, PYROI_LWIP_UDP);
    ip_addr_t at;

    if (s == NULL) return -1;
    ip_addr_set_ip4_u32_val(at, lwip_htonl(ip));
    s->udp = udp_new_ip_type(IPADDR_TYPE_V4);
    if (s->udp != NULL) {
        ip_set_option(s->udp, SOF_BROADCAST);
#if SO_REUSE
        if (number != 0) ip_set_option(s->udp, SOF_REUSEADDR);
#endif
        if (udp_bind(s->udp, &at, number) == ERR_OK) {
            udp_recv(s->udp, pyroi_lwip_on_udp, s);
            return pyroi_lwip_handle(s);
        }
        udp_remove(s->udp);
    }
    pyroi_lwip_free(s);
    return -1;
}

/* With the address of the interface it leaves by: lwIP refuses that of a
 * socket that receives at a broadcast address. */
static bool pyroi_lwip_udp_send(const pyro_port *port, int32_t handle,
                                const pyro_udp *to, const void *data,
                                uint32_t n)
{
    pyro_lwip_socket *s = pyroi_lwip_of(port, handle);
    struct netif     *netif;
    struct pbuf      *p;
    ip_addr_t         ip;
    bool              sent;

    ip_addr_set_ip4_u32_val(ip, lwip_htonl(to->ip));
    netif = ip_route(IP4_ADDR_ANY, &ip);
    if (netif == NULL || n > 0xFFFFu - UDP_HLEN - IP_HLEN) return false;
    p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)n, PBUF_RAM);
    if (p == NULL) return false;
    sent = pbuf_take(p, data, (u16_t)n) == ERR_OK
        && udp_sendto_if_src(s->udp, p, &ip, to->port, netif,
                             netif_ip_addr4(netif))
               == ERR_OK;
    pbuf_free(p);
    return sent;
}

static int32_t pyroi_lwip_udp_recv(const pyro_port *port, int32_t handle,
                                   void *to, uint32_t n, pyro_udp *from)
{
    pyro_lwip_socket *s = pyroi_lwip_of(port, handle);
    pyroi_lwip_from   head;

    if (s->in == NULL) return -1;
    (void)pyroi_lwip_take(s, &head, sizeof head);
    from->ip = head.ip;
    from->port = head.port;
    if (n > head.n) n = head.n;
    if (head.n > 0) {
        (void)pyroi_lwip_take(s, to, n);
        if (n < head.n) s->in = pbuf_free_header(s->in, (u16_t)(head.n - n));
    }
    return head.n;
}

static bool pyroi_lwip_net(const pyro_port *port, unsigned index,
                           pyro_net *net)
{
    struct netif *netif;

    (void)port;
    NETIF_FOREACH(netif)
    {
        if (!netif_is_up(netif) || ip4_addr_isany(netif_ip4_addr(netif)))
            continue;
        if (index-- > 0) continue;
        net->ip = lwip_ntohl(ip4_addr_get_u32(netif_ip4_addr(netif)));
        net->mask = lwip_ntohl(ip4_addr_get_u32(netif_ip4_netmask(netif)));
        net->broadcast = (netif->flags & NETIF_FLAG_BROADCAST) != 0
                           ? net->ip | ~net->mask
                           : 0;
        return true;
    }
    return false;
}

/* --- waiting --- */

static unsigned pyroi_lwip_ready(const pyro_lwip_socket *s)
{
    unsigned ready = 0;

    if (s->state == PYROI_LWIP_LISTENS)
        return pyroi_lwip_waits_at(s) != NULL ? PYRO_IN : 0;
    if (s->in != NULL || s->ended) ready |= PYRO_IN;
    if ((s->state == PYROI_LWIP_OPEN && !s->full) || s->tcp == NULL)
        ready |= PYRO_OUT;
    return ready;
}

static bool pyroi_lwip_look(const pyro_port *port, pyro_item *list)
{
    bool any = false;

    for (pyro_item *it = list; it != NULL; it = it->next) {
        if (it->port->wait != port->wait) continue;
        it->ready =
            (uint8_t)(it->want
                      & pyroi_lwip_ready(pyroi_lwip_of(it->port, it->handle)));
        any = any || it->ready != 0;
    }
    return any;
}

/* Sleeps once: whatever ended that may matter to the caller. */
static void pyroi_lwip_wait(const pyro_port *port, pyro_item *list, int32_t ms)
{
    pyro_lwip *lwip = (pyro_lwip *)port->user;
    uint32_t   most;

    lwip->poll(lwip->user, 0);
    sys_check_timeouts();
    if (pyroi_lwip_look(port, list) || ms == 0) return;
    most = sys_timeouts_sleeptime();
    lwip->poll(lwip->user,
               ms > 0 && (uint32_t)ms < most ? (uint32_t)ms : most);
    sys_check_timeouts();
    (void)pyroi_lwip_look(port, list);
}

static uint32_t pyroi_lwip_now(const pyro_port *port)
{
    (void)port;
    return sys_now();
}

static bool pyroi_lwip_random(const pyro_port *port, void *to, size_t n)
{
    pyro_lwip *lwip = (pyro_lwip *)port->user;

    return lwip->random(lwip->user, to, n);
}

const pyro_port *pyro_lwip_open(pyro_lwip *lwip, pyro_lwip_socket *sockets,
                                size_t n)
{
    pyro_port *port = &lwip->port_;

    memset(sockets, 0, n * sizeof *sockets);
    memset(port, 0, sizeof *port);
    lwip->sockets_ = sockets;
    lwip->n_ = n;
    port->now = pyroi_lwip_now;
    port->random = lwip->random != NULL ? pyroi_lwip_random : NULL;
    port->listen = pyroi_lwip_listen;
    port->accept = pyroi_lwip_accept;
    port->connect = pyroi_lwip_connect;
    port->send = pyroi_lwip_send;
    port->recv = pyroi_lwip_recv;
    port->close = pyroi_lwip_close;
    port->wait = pyroi_lwip_wait;
    port->address = pyroi_lwip_address;
    port->udp_open = pyroi_lwip_udp_open;
    port->udp_send = pyroi_lwip_udp_send;
    port->udp_recv = pyroi_lwip_udp_recv;
    port->net = pyroi_lwip_net;
    port->user = lwip;
    return port;
}

#endif /* PYRO_IMPLEMENTATION */
