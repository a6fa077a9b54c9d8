/* pyro_ns.h - names for remote objects - version 0.1.0
 *
 * Finds objects by name: a name server that maps hierarchical names to URIs,
 * its client, and the locator that finds the name server by broadcast: the
 * naming module of Pyro 3 on top of pyro.h. In the one C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "pyro.h"
 *     #include "pyro_ns.h"
 *
 * and wherever it is used. SPDX-License-Identifier: MIT
 *
 * CONTENTS
 *   client   name server   words   names   leases   methods   pyro5 and pyro4
 *   datagrams   journal   two servers   limits
 *   The rest of this file: search for ">>" and one of
 *   config names locator client server (declarations), then
 *   texts questions locator client table journal changes methods pair pyro5
 *   server files
 *
 * CLIENT
 *
 *     static pyro_ns ns;
 *
 *     err = pyro_ns_open(&ns, &node, NULL);           finds it by broadcast
 *     err = pyro_ns_register(&ns, ":lab.calc", "calc");
 *
 *   From then on pyro_poll keeps the name alive, and registers it anew when
 *   the server has started again or its pair has taken over. Every proxy of
 *   the daemon takes a PYRONAME:
 *
 *     err = pyro_proxy_open(&calc, &node, "PYRONAME://:lab.calc");
 *
 *   A name server of Pyro5 or Pyro4 does as well: PYRONAME:calc@host is a name
 *   in that of a host; it is the daemon's own where `hosts` of the config is
 *   "PYRO:Pyro.NameServer@host:9090", or where only it answers by broadcast
 *   and `pyro5_port` is set. Names are then as in Python, without groups;
 *   there are no leases: names are only registered again as often.
 *
 * NAME SERVER
 *
 *     static PYRO_NS_ROOM(100, 8000) names;           names, bytes of texts
 *     static pyro_ns_server server;
 *
 *     err = pyro_listen(&node, pyro_posix(), "*:9090");
 *     err = pyro_ns_serve(&server, &node, PYRO_NS_ROOM_OF(names), NULL);
 *
 * WORDS
 *   name       ":lab.calc": groups and at the end an object, below the root
 *              ":". One that does not begin with ":" is relative to a default
 *              group, ":Default" unless configured
 *   group      holds names and groups; made before something is put into it
 *   lease      a registration that ends unless it is refreshed
 *   locator    finds the name server: asks by broadcast, or a list of hosts
 *   journal    what a name server writes down, to know it after a restart
 *   pair       two name servers, each the other's copy
 *
 * NAMES
 *   Characters 33 to 126 except the backslash; "." parts groups, ":" stands
 *   at the beginning only. At most PYRO_NS_MAX_NAME bytes. Errors are
 *   NamingErrors with the texts of Pyro 3: "name not found: :Default.calc",
 *   or, with PYRO_NO_TEXTS, with the name alone.
 *
 * LEASES
 *   register(name, uri, ttl) with a ttl in milliseconds is a lease; without,
 *   the name stays until it is unregistered. The client registers with a
 *   lease of PYRO_NS_TTL_MS and refreshes it three times as often. A refresh
 *   is a registration with `again` true: the name with this URI may be there
 *   already. One with another URI is "name already exists": the name was
 *   lost to somebody else. Leases are kept in whole seconds, rounded
 *   up, from nine hours on in minutes.
 *
 * METHODS of the object ":Pyro.NameServer", which callers in any language use
 *   resolve(name) -> uri                text, as all URIs here
 *   register(name, uri, ttl=0, again=false)
 *   unregister(name)
 *   list(group="", from=0) -> [next, [[name, type], ...]]   type 0 group, 1
 *                                       object; names without their group; as
 *                                       many as fit the caller's and the own
 *                                       buffer: go on from `next` until it
 *                                       is 0. "" is the default group
 *   flatlist(from=0) -> [next, [[full name, uri], ...]]     objects only
 *   createGroup(group)   deleteGroup(group)                 with all in it
 *   setMeta(name, meta)  getMeta(name) -> meta              any one value
 *   getSystemMeta(name) -> [type, ms left of the lease or nil]
 *   ping()
 *   resync()                            returns when the pair knows all
 *   twin() -> uri or nil                the other of the pair
 *   _shutdown() -> text                 refused unless configured
 *   _sync(...)                          see "Two servers"
 *   A URI may be given as text or as a URI value. When its host is one that
 *   only the registering host itself can reach (0.0.0.0, ::, loopback) and
 *   the call came from elsewhere, the host becomes the address it came from;
 *   when the link has no address, that is a NamingError.
 *
 * PYRO5 AND PYRO4
 *   With `pyro5` in its config the server is theirs as well: object
 *   "Pyro.NameServer" with register, lookup, remove, list, set_metadata, count,
 *   ping and yplookup, and a listener at port 9090 is where locate_ns() looks.
 *   It answers GET_NSURI, their broadcast on UDP port 9091, to hosts on its own
 *   networks, five times a second each. Costs an object of the room. Their
 *   names are those in the default group; others they write in full, ":lab.x".
 *   A point in a name makes the group that it needs, so that nobody can be
 *   called "a" and "a.b"; the characters are as above. Tags are metadata, a
 *   list of str, of up to PYRO_NS_MAX_META bytes. All of a list has to fit one
 *   message. Regular expressions are refused.
 *
 * DATAGRAMS, UDP port 9090, to 255.255.255.255 and to the broadcast address of
 *   every interface:
 *
 *     question  PYRO? 0123456789abcdef :Pyro.NameServer
 *     answer    PYRO! 0123456789abcdef :9090 :Pyro.NameServer
 *
 *   The 16 digits are random; an answer counts only if it repeats them. A
 *   question is padded with zero bytes: to 64, to 128 for other names. In the
 *   answer stand address and object; who listens everywhere leaves the host
 *   out, which is the one its datagram comes from. Who listens only at a
 *   loopback address answers only its own host. An answer is never longer
 *   than the question, and at most PYRO_NS_ANSWERS per second go to one
 *   address. Asked for another name than the name server's, those daemons
 *   answer that have registered it serverless (config): then no name server
 *   is needed.
 *
 * JOURNAL
 *   With storage configured every change is appended before it is answered:
 *     length u16, its complement u16, body, CRC-32 of length to body
 *   big endian, the body a list in MessagePack: [version, name, uri, seconds
 *   of the lease, ms left of it, meta]. uri "" is a group, nil a deletion,
 *   with seconds 1 one that the pair need not be told: the end of a lease, or
 *   the pair knows. All that came in one round of poll is made durable by one
 *   sync, then answered. At the start the journal is read;
 *   a bad record is torn and dropped when no whole one follows, else it is
 *   damage, an error that names it. A journal over twice as long as what it
 *   says is replaced, as is one that cannot be appended to. Refreshes are not
 *   written, unless with another ttl: after a restart each lease begins anew.
 *
 * TWO SERVERS
 *   Each change carries a version: a counter that is larger than any seen
 *   before, and in its lowest bit which of the two servers it is from. The
 *   larger version wins, so both end with the same names. A deletion stays
 *   as a tombstone until the other side has confirmed it. Whoever has
 *   something to tell, or nothing for PYRO_NS_PAIR_MS, calls
 *     _sync(boot, number, [[version, name, uri, seconds, ms left, meta],
 *           ...]) -> [number of the last _sync sent, boot]
 *   A tombstone goes when it was confirmed and every _sync that the other had
 *   sent before has come. A server that has started anew is told everything.
 *   A name that lost to another is an error at its owner's next refresh.
 *
 * LIMITS, AND WHAT HAPPENS AT THEM
 *   names, bytes of texts   NamingError "out of names, raise PYRO_NS_ROOM" or
 *                           "out of bytes, ..."
 *   datagrams               answerer.ignored, answerer.limited; those a search
 *                           could not use: ignored of its locator
 *   changes under way       PYRO_NS_PENDING; more are synced one by one
 *   names too long to tell  stats.too_long: the pair does not get them
 *   own names of a client   PYRO_ERR_NOSPACE
 */
#include "pyro.h"
#ifndef PYRO_NS_H
#define PYRO_NS_H

#ifdef PYRO_NO_HOOKS
#error "PYRO_NO_HOOKS takes away what names are built on: timers, handles"
#endif

/* ------------------------------------------------------------------------
 * >>config: numbers and switches, the same in all source files
 * ------------------------------------------------------------------------ */

/* Longest full name, in bytes. Range 16 to 200. Costs stack, and this much in
 * a locator and a client. */
#ifndef PYRO_NS_MAX_NAME
#define PYRO_NS_MAX_NAME 64
#endif
#if PYRO_NS_MAX_NAME < 16 || PYRO_NS_MAX_NAME > 200
#error "PYRO_NS_MAX_NAME: 16 to 200"
#endif

/* Longest metadata of a name, encoded. Range 0 (none, nor the methods for it:
 * setMeta, getMeta, getSystemMeta) to 250. Costs stack. */
#ifndef PYRO_NS_MAX_META
#define PYRO_NS_MAX_META 64
#endif
#if PYRO_NS_MAX_META > 250
#error "PYRO_NS_MAX_META: 0 to 250"
#endif

/* Names one client keeps registered. Range 1 to 100. Costs 16 bytes each. */
#ifndef PYRO_NS_OWN
#define PYRO_NS_OWN 8
#endif
#if PYRO_NS_OWN < 1 || PYRO_NS_OWN > 100
#error "PYRO_NS_OWN: 1 to 100"
#endif

/* Answers per second to one address, and how many addresses are told apart:
 * when more ask within a second, they are not answered. Ranges 1 to 255. An
 * address costs 5 bytes. */
#ifndef PYRO_NS_ANSWERS
#define PYRO_NS_ANSWERS 10
#endif
#ifndef PYRO_NS_ASKERS
#define PYRO_NS_ASKERS 8
#endif
#if PYRO_NS_ANSWERS < 1 || PYRO_NS_ANSWERS > 255 || PYRO_NS_ASKERS < 1 \
    || PYRO_NS_ASKERS > 255
#error "PYRO_NS_ANSWERS, PYRO_NS_ASKERS: 1 to 255"
#endif

/* Changes answered after one common sync. Range 1 to 32. A pyro_later each. */
#ifndef PYRO_NS_PENDING
#define PYRO_NS_PENDING 8
#endif
#if PYRO_NS_PENDING < 1 || PYRO_NS_PENDING > 32
#error "PYRO_NS_PENDING: 1 to 32"
#endif

/* Lease of a client's names, ms. Range 3000 to 2^30 - 1. */
#ifndef PYRO_NS_TTL_MS
#define PYRO_NS_TTL_MS 60000
#endif
#if PYRO_NS_TTL_MS < 3000 || PYRO_NS_TTL_MS > 0x3FFFFFFF
#error "PYRO_NS_TTL_MS: 3000 to 2^30 - 1"
#endif

/* The locator asks so many times by broadcast, waiting PYRO_NS_WAIT_MS after
 * the first question and twice as long after each further one. Ranges 1 to 100
 * and 4 to 60000. */
#ifndef PYRO_NS_TRIES
#define PYRO_NS_TRIES 3
#endif
#if PYRO_NS_TRIES < 1 || PYRO_NS_TRIES > 100
#error "PYRO_NS_TRIES: 1 to 100"
#endif
#ifndef PYRO_NS_WAIT_MS
#define PYRO_NS_WAIT_MS 200
#endif
#if PYRO_NS_WAIT_MS < 4 || PYRO_NS_WAIT_MS > 60000
#error "PYRO_NS_WAIT_MS: 4 to 60000"
#endif

/* How long a host that is asked over a connection may take. Range 20 to
 * 60000. */
#ifndef PYRO_NS_HOST_MS
#define PYRO_NS_HOST_MS 1000
#endif
#if PYRO_NS_HOST_MS < 20 || PYRO_NS_HOST_MS > 60000
#error "PYRO_NS_HOST_MS: 20 to 60000"
#endif

/* How long a client that has found no name server waits before it looks for
 * one again. Range 1 to 2^30 - 1. */
#ifndef PYRO_NS_PAUSE_MS
#define PYRO_NS_PAUSE_MS 5000
#endif
#if PYRO_NS_PAUSE_MS < 1 || PYRO_NS_PAUSE_MS > 0x3FFFFFFF
#error "PYRO_NS_PAUSE_MS: 1 to 2^30 - 1"
#endif

/* Room for the text of what a locator tried: 0 (none) or 16 to 4096. */
#ifndef PYRO_NS_TRIED_BYTES
#define PYRO_NS_TRIED_BYTES 128
#endif
#if PYRO_NS_TRIED_BYTES != 0 && PYRO_NS_TRIED_BYTES < 16 \
    || PYRO_NS_TRIED_BYTES > 4096
#error "PYRO_NS_TRIED_BYTES: 0 or 16 to 4096"
#endif

/* How often one of a pair speaks when it has nothing to say. Range 10 to
 * 2^30 - 1. */
#ifndef PYRO_NS_PAIR_MS
#define PYRO_NS_PAIR_MS 2000
#endif
#if PYRO_NS_PAIR_MS < 10 || PYRO_NS_PAIR_MS > 0x3FFFFFFF
#error "PYRO_NS_PAIR_MS: 10 to 2^30 - 1"
#endif

/* Switches that remove something:
 *   PYRO_NS_NO_SERVER      no name server (PYRO_NO_SERVER says so as well)
 *   PYRO_NS_NO_CLIENT      no locator, no client (also PYRO_NO_CLIENT)
 *   PYRO_NS_NO_HOSTS       a locator that asks by broadcast and nobody else,
 *                          no client (also PYRO_NO_URI, PYRO_NO_ASYNC)
 *   PYRO_NS_NO_STORAGE     a name server that forgets
 *   PYRO_NS_NO_PAIR        a name server alone (also PYRO_NO_ASYNC)
 *   PYRO_NS_NO_SERVERLESS  no names without a name server
 *   PYRO_NS_NO_GROUPS      a flat name server: ":lab.calc" needs no group
 *                          ":lab", a list is of what begins so; 1 KB less
 *   PYRO_NS_NO_PYRO5       a name server without Pyro5's methods and broadcast
 *                          (also PYRO_NO_PYRO5, PYRO_NO_KWARGS), a client of
 *                          no such name server
 * and for boards, which have neither client, storage, pair nor Pyro5; flash as
 * saved of the small build on a Cortex-M4:
 *   PYRO_NS_NO_CONFIG      no configs: give NULL, the defaults are what counts,
 *                          and nobody asks for _shutdown; 0.4 KB less
 *   PYRO_NS_NO_LEASES      a name stays until it is unregistered, its ttl does
 *                          not count; 0.3 KB less, and 4 bytes of each name
 *   PYRO_NS_NO_NETS        a host of one network, at all addresses of which it
 *                          listens: it answers with its port alone, asks
 *                          255.255.255.255 (or udp_ip) and takes the first
 *                          answer. The server is not among its names, for it
 *                          knows no address of its own; 0.8 KB less
 * With PYRO_NO_URI a name server keeps URIs as they are given: text, PYRO://
 * and an address, the host of which is not replaced. */
#if defined(PYRO_NS_NO_CONFIG) || defined(PYRO_NS_NO_LEASES) \
    || defined(PYRO_NS_NO_NETS)
#undef PYRO_NS_NO_HOSTS
#undef PYRO_NS_NO_STORAGE
#undef PYRO_NS_NO_PAIR
#undef PYRO_NS_NO_PYRO5
#define PYRO_NS_NO_HOSTS
#define PYRO_NS_NO_STORAGE
#define PYRO_NS_NO_PAIR
#define PYRO_NS_NO_PYRO5
#endif
#if defined(PYRO_NO_SERVER) && !defined(PYRO_NS_NO_SERVER)
#define PYRO_NS_NO_SERVER
#endif
#if !defined(PYRO_NO_PYRO5) && !defined(PYRO_NO_URI_FORMS)       \
    && !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)       \
    && !defined(PYRO_NS_NO_CLIENT) && !defined(PYRO_NS_NO_HOSTS) \
    && !defined(PYRO_NS_NO_PYRO5)
#define PYROI_NS_CLIENT5
#endif
#if (defined(PYRO_NO_PYRO5) || defined(PYRO_NO_KWARGS) \
     || defined(PYRO_NS_NO_SERVER))                    \
    && !defined(PYRO_NS_NO_PYRO5)
#define PYRO_NS_NO_PYRO5
#endif
#if defined(PYRO_NO_CLIENT) && !defined(PYRO_NS_NO_CLIENT)
#define PYRO_NS_NO_CLIENT
#endif
#if (defined(PYRO_NS_NO_CLIENT) || defined(PYRO_NO_URI) \
     || defined(PYRO_NO_ASYNC))                         \
    && !defined(PYRO_NS_NO_HOSTS)
#define PYRO_NS_NO_HOSTS
#endif
#if (defined(PYRO_NS_NO_SERVER) || defined(PYRO_NO_CLIENT) \
     || defined(PYRO_NO_ASYNC))                            \
    && !defined(PYRO_NS_NO_PAIR)
#define PYRO_NS_NO_PAIR
#endif
#if (defined(PYRO_NO_SERVER) || defined(PYRO_NS_NO_HOSTS)) \
    && !defined(PYRO_NS_NO_SERVERLESS)
#define PYRO_NS_NO_SERVERLESS
#endif
#if !defined(PYRO_NS_NO_STORAGE) || !defined(PYRO_NS_NO_PAIR)
#define PYROI_NS_COPIES /* changes leave the table, or come, as bytes */
#endif
#if defined(PYROI_NS_COPIES) || PYRO_NS_MAX_META > 0 \
    || !defined(PYRO_NS_NO_PYRO5)
#define PYROI_NS_READS /* somebody reads more of a name than its URI */
#endif

#define PYRO_NS_NAME  ":Pyro.NameServer" /* the name server's own */
#define PYRO_NS_PORT  9090               /* TCP and UDP */
#define PYRO_NS_PORT5 9091               /* UDP of Pyro5's and Pyro4's */

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * >>names
 * ------------------------------------------------------------------------ */

/* Prints the full form of a name into `to`: relative names go below `group`
 * (NULL: ":Default"), an empty one is the group itself. NULL when it is a
 * name, otherwise what is wrong with it, a static text ("" with
 * PYRO_NO_TEXTS): "invalid name",
 * "invalid character(s) in name", "name too long", "default group name is
 * not absolute". */
PYRO_DEF const char *pyro_ns_expand(const char *group, const char *name,
                                    size_t n, char to[PYRO_NS_MAX_NAME + 1]);

/* Private: a UDP port that poll watches; without a function it is closed. */
typedef struct pyroi_ns_udp {
    pyro_watched watched;
    int32_t      handle;
} pyroi_ns_udp;

/* Answers datagrams that ask for names; part of a server and of a client
 * that works serverless. Private but for the counts. */
typedef struct pyro_ns_answerer {
    uint32_t answered;
    uint32_t ignored; /* datagrams that were no question, or not for us */
    uint32_t limited; /* questions over PYRO_NS_ANSWERS a second */

    pyroi_ns_udp udp_;
    pyro_daemon *node_;
#ifndef PYRO_NS_NO_SERVERLESS
    /* Prints the object that is meant by a name; false: none of ours, or none
     * for this address. */
    bool (*find_)(void *user, uint32_t ip, const char *name, char object[33]);
#endif
    void    *user_;
    uint32_t second_; /* when the counting below began */
    uint32_t from_[PYRO_NS_ASKERS];
    uint8_t  n_[PYRO_NS_ASKERS]; /* answers to each */
} pyro_ns_answerer;

/* ------------------------------------------------------------------------
 * >>locator
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_CLIENT

typedef enum pyro_ns_event {
    PYRO_NS_FOUND,      /* a name server was found: text is its URI */
    PYRO_NS_LOST,       /* it does not answer any more: text is its URI */
    PYRO_NS_REGISTERED, /* text is the name */
    PYRO_NS_REFUSED /* the name was refused or lost: the text says it all */
} pyro_ns_event;

/* How a client finds and uses a name server. Zero is the default everywhere.
 * It stays the caller's and must outlive what was given it. */
typedef struct pyro_ns_config {
    uint32_t udp_ip;   /* the one address to send broadcasts to, as
                          0xC0A801FF; default: those of all networks */
    uint16_t udp_port; /* of broadcasts: default PYRO_NS_PORT */
    uint8_t  tries;    /* of broadcasts: default PYRO_NS_TRIES */
#ifndef PYRO_NS_NO_HOSTS
    uint16_t pyro5_port; /* where a name server of Pyro5 or Pyro4 is asked for
                            as well, PYRO_NS_PORT5; 0: nowhere */
    /* Name servers to ask over connections, in this order, instead of by
     * broadcast: "10.0.0.5 box:9091 [::1]:9090", or URIs of their objects. */
    const char *hosts;
    const char *group;        /* default group: default ":Default" */
    uint32_t    ttl_ms;       /* of the own names: default PYRO_NS_TTL_MS */
    bool        no_broadcast; /* without hosts: only this host is asked */
    bool        serverless;   /* names are asked for by broadcast and answered
                                 by whoever has registered them */
    void       *user;
    /* What happened, called while polling or waiting; not to close the client
     * or register names. NULL: nothing. */
    void (*event)(void *user, pyro_ns_event event, const char *text);
#endif
} pyro_ns_config;

/* One search. The caller's while it is under way. When several answer, the
 * best wins: one on this host (at an address that others reach as well, then
 * at loopback), then one of the same subnet, then the first.
 * By broadcast first; without an answer this host is asked, then localhost.
 * With PYRO_NS_NO_HOSTS by broadcast alone. */
typedef struct pyro_ns_locator {
    pyro_err err; /* PYRO_ERR_BUSY: under way, PYRO_OK, PYRO_ERR_NAMING */
    uint8_t  state_;
    uint8_t  rank_;   /* of the best answer */
    bool     other_;  /* not the name server itself is looked for */
    uint32_t ignored; /* datagrams that were no answer to our question */

    pyro_daemon *node_;
#ifndef PYRO_NS_NO_CONFIG
    const pyro_ns_config *config_;
#endif
    const char *name_;
    void (*fn_)(void *user, struct pyro_ns_locator *loc);
    void        *user_;
    pyro_timer   timer_;
    pyroi_ns_udp udp_;
    uint16_t     try_;
    char         head_[24]; /* of all answers: "PYRO! ", digits, a blank */

    char uri[PYRO_URI_BYTES]; /* what was found */
#ifndef PYRO_NS_NO_HOSTS
    uint8_t here_; /* addresses of this host that were tried */
    uint8_t last_; /* error of the host asked last */
#endif
#if PYRO_NS_TRIED_BYTES > 0
    char tried[PYRO_NS_TRIED_BYTES]; /* for people: what was tried */
#endif
#ifndef PYRO_NS_NO_HOSTS
    const char  *at_; /* the rest of the list; NULL: this host */
    pyro_proxy   proxy_;
    pyro_request rq_;
#endif
} pyro_ns_locator;

/* Begins to look, with a locator of which no search is under way, for a full
 * name; NULL is the name server itself. Any other is
 * asked for by broadcast, of those who have registered it serverless; with a
 * list of hosts, of their name servers. The name is borrowed until the end.
 * fn, if not NULL, is called from poll at the end; look at loc->err then.
 * PYRO_ERR_STATE: the daemon has no port yet, PYRO_ERR_NAMING: the name is too
 * long. */
PYRO_DEF pyro_err pyro_ns_look(pyro_ns_locator *loc, pyro_daemon *node,
                               const pyro_ns_config *config, const char *name,
                               void (*fn)(void *user, pyro_ns_locator *loc),
                               void *user);

/* Ends a search at any time; nothing is called afterwards. */
PYRO_DEF void pyro_ns_look_stop(pyro_ns_locator *loc);

/* The same, waiting (calls are served meanwhile): PYRO_OK and loc->uri, or
 * PYRO_ERR_NAMING and loc->tried. */
PYRO_DEF pyro_err pyro_ns_locate(pyro_ns_locator *loc, pyro_daemon *node,
                                 const pyro_ns_config *config,
                                 const char           *name);

#endif /* PYRO_NS_NO_CLIENT */

/* ------------------------------------------------------------------------
 * >>client
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_HOSTS

/* A name of ours that is kept registered. Private. */
typedef struct pyroi_ns_own {
    const char *name;
    const char *object;
    uint32_t    due; /* when to refresh it */
    uint8_t     state;
    uint8_t     err; /* of its last registration */
} pyroi_ns_own;

/* A client of the name server. Declare it, one for each daemon that needs
 * names; the caller's from open to close. */
typedef struct pyro_ns {
    uint32_t refused; /* registrations that were refused or lost */
    uint32_t lost;    /* how often the name server went away */
#ifndef PYRO_NS_NO_SERVERLESS
    pyro_ns_answerer answerer; /* its counts */
#endif

    pyro_daemon          *node_;
    const pyro_ns_config *config_;
    pyro_ns_locator       locator_; /* of the name server; and of names */
    pyro_proxy            proxy_;
    pyro_request          rq_; /* a registration, or who the twin is */
    pyro_timer            timer_;
    pyro_hook             hook_;
    pyroi_ns_own          own_[PYRO_NS_OWN];
    pyro_link             link_;  /* the name server's */
    uint32_t              since_; /* when the locator found a name */
    uint32_t              key_;   /* who it asked for it */
    uint8_t               state_;
    uint8_t               at_;      /* the own name that is being registered */
    uint8_t               wait_;    /* the own name that is waited for */
    bool                  asking_;  /* the locator is asked for a name */
    bool                  met_;     /* this name server has answered */
    bool                  twinned_; /* it was asked for its twin */
    char                  server_[PYRO_URI_BYTES];
    char                  twin_[PYRO_URI_BYTES];
    char                  name_[PYRO_NS_MAX_NAME + 1]; /* asked for */
} pyro_ns;

/* Looks for the name server and waits for it; from then on every PYRONAME of
 * the daemon is resolved by it. config may be NULL: by broadcast. It is open
 * after PYRO_ERR_NAMING as well: it goes on looking from poll, and registers
 * when it has found one; node->why and pyro_ns_tried say what was tried.
 * Serverless it only begins to answer, and never waits. After other errors it
 * is not open: PYRO_ERR_STATE: no port yet, or the group is no absolute name;
 * PYRO_ERR_DAEMON: the UDP port cannot be opened (serverless);
 * PYRO_ERR_NOSPACE: buffers. */
PYRO_DEF pyro_err pyro_ns_open(pyro_ns *ns, pyro_daemon *node,
                               const pyro_ns_config *config);

/* Ends it. Names registered stay until their leases end; see unregister. */
PYRO_DEF void pyro_ns_close(pyro_ns *ns);

#ifndef PYRO_NO_SERVER
/* Registers an exported object (its name or id in the daemon) and keeps it
 * so. Both texts are borrowed until it is unregistered. Waits for the answer
 * when a name server is known. PYRO_ERR_NAMING: there is none at the moment,
 * it is registered when there is one (or it is no name: node->why says so).
 * After other errors it is not kept. PYRO_ERR_REMOTE: refused, see
 * pyro_exception(pyro_ns_proxy(ns)); PYRO_ERR_DAEMON: no address under which
 * others could reach it; PYRO_ERR_NOSPACE: PYRO_NS_OWN. A kept name that is
 * refused later is tried again three times per lease. */
PYRO_DEF pyro_err pyro_ns_register(pyro_ns *ns, const char *name,
                                   const char *object);

/* Gives a name up, and takes it (own or not) out of the name server. Waits as
 * a call does. PYRO_ERR_NAMING: it is no name, or there is no name server;
 * PYRO_ERR_REMOTE: refused, or it was not there. */
PYRO_DEF pyro_err pyro_ns_unregister(pyro_ns *ns, const char *name);
#endif

/* The URI of a name, as text; PYRO_URI_BYTES always do. Waits as a call does.
 * PYRO_ERR_REMOTE: the name server does not know it; PYRO_ERR_NAMING: it is no
 * name, nobody answers for it, or there is no name server; those of a call. */
PYRO_DEF pyro_err pyro_ns_resolve(pyro_ns *ns, const char *name, char *to,
                                  size_t size);

/* Calls fn for each entry of a group ("" or NULL: the default group); in a
 * name server of Pyro5 for each name that begins with it, "" being all. The
 * views last until it returns. It may not use ns. Errors as of
 * pyro_ns_resolve; PYRO_ERR_DATA, PYRO_ERR_TYPE: the answer is no list. */
typedef void (*pyro_ns_list_fn)(void *user, const char *name, uint32_t n,
                                bool is_group);
PYRO_DEF pyro_err pyro_ns_list(pyro_ns *ns, const char *group,
                               pyro_ns_list_fn fn, void *user);

/* A proxy of the name server for all its other methods, given full names. */
PYRO_DEF pyro_proxy *pyro_ns_proxy(pyro_ns *ns);

/* For people: what was tried to find it. "" when there is nothing to say. */
PYRO_DEF const char *pyro_ns_tried(const pyro_ns *ns);

#endif /* PYRO_NS_NO_HOSTS */

/* ------------------------------------------------------------------------
 * >>server
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_SERVER

/* A journal's storage: a file, or flash. */
typedef struct pyro_ns_storage {
    void *user;
    /* Bytes `at` to at + n of the journal: how many there were (fewer only
     * at its end), < 0: cannot be read. */
    int32_t (*read)(void *user, uint32_t at, void *to, uint32_t n);
    /* Appends bytes; after false none of them is there. n 0: makes all that
     * was appended durable; after false nobody knows what is, and only a new
     * journal helps. */
    bool (*append)(void *user, const void *data, uint32_t n);
    /* Writes a new journal, bytes after bytes from its beginning. n 0: makes
     * it durable, then lets it take the old one's place at once. After false
     * the old one still stands, and the next call begins anew. */
    bool (*replace)(void *user, const void *data, uint32_t n);
} pyro_ns_storage;

/* What a caller wants, for pyro_ns_server_config.may. */
typedef enum pyro_ns_op {
    PYRO_NS_REGISTER,
    PYRO_NS_UNREGISTER,
    PYRO_NS_GROUP, /* create or delete one */
    PYRO_NS_META,
    PYRO_NS_SYNC, /* the pair speaks, or resync */
    PYRO_NS_SHUTDOWN
} pyro_ns_op;

/* Zero is the default everywhere. It stays the caller's and must outlive the
 * server. */
typedef struct pyro_ns_server_config {
    const char            *group;        /* default ":Default" */
    const pyro_ns_storage *storage;      /* NULL: names are forgotten */
    const char            *twin;         /* URI of the other of a pair */
    uint8_t                role;         /* in a pair: 1 or 2 */
    bool                   salvage;      /* passes over damaged records */
    bool                   no_broadcast; /* answers no datagrams */
    uint32_t               udp_ip;       /* where datagrams are received: a
                                            broadcast address; default: all */
    uint16_t               udp_port;     /* default PYRO_NS_PORT */
    bool                   pyro5;        /* serves Pyro5 and Pyro4, too */
    uint16_t               pyro5_port;   /* default PYRO_NS_PORT5 */
    void                  *user;
    /* Whether this caller (call->link) may do that. NULL: everybody may; one
     * of a pair wants it, for the other's changes come as calls, too, and a
     * stranger's with the highest version would be the last. */
    bool (*may)(void *user, pyro_call *call, pyro_ns_op op, const char *name);
    /* Whether this address is answered by datagram. NULL: each is. */
    bool (*may_ask)(void *user, uint32_t ip);
    /* Somebody asked for shutdown: leave the main loop soon. NULL: refused. */
    void (*shutdown)(void *user);
} pyro_ns_server_config;

/* Private: one name. */
typedef struct pyroi_ns_node {
    uint32_t text; /* where its texts lie, and flags in the top bits */
#ifndef PYRO_NS_NO_LEASES
    uint32_t due; /* end of the lease */
#endif
#ifdef PYROI_NS_COPIES
    uint32_t version; /* of its last change */
#endif
#ifndef PYRO_NS_NO_LEASES
    uint16_t ttl; /* of the lease: seconds, or minutes; 0: none */
#endif
    uint16_t next; /* with the same hash, or free; index + 1 */
} pyroi_ns_node;

/* Memory of a name server: `static PYRO_NS_ROOM(100, 8000) names;`. A name
 * costs 18 bytes here (14 where there are neither storage nor pair, 10 with
 * PYRO_NS_NO_LEASES) and its own length, its URI's (without PYRO://) and
 * metadata's, and 4, of the second number. Up to 65,000 names. */
#define PYRO_NS_ROOM(names_, bytes_) \
    struct {                         \
        pyroi_ns_node nodes[names_]; \
        uint16_t      first[names_]; \
        uint8_t       bytes[bytes_]; \
    }
#define PYRO_NS_ROOM_OF(room)                                             \
    pyro_ns_room_of((room).nodes, PYRO_COUNT((room).nodes), (room).first, \
                    (room).bytes, sizeof(room).bytes)

typedef struct pyro_ns_room {
    pyroi_ns_node *nodes;
    uint16_t      *first; /* of each hash; index + 1 */
    uint8_t       *bytes;
    uint32_t       n_bytes;
    uint16_t       n_nodes;
} pyro_ns_room;

static inline pyro_ns_room pyro_ns_room_of(pyroi_ns_node *nodes, size_t n,
                                           uint16_t *first, uint8_t *bytes,
                                           size_t n_bytes)
{
    pyro_ns_room r;

    r.nodes = nodes;
    r.first = first;
    r.bytes = bytes;
    r.n_bytes = (uint32_t)n_bytes;
    r.n_nodes = (uint16_t)(n < 65000 ? n : 65000);
    return r;
}

/* Counts of what would otherwise pass in silence. */
typedef struct pyro_ns_stats {
    uint32_t names;   /* objects and groups there are */
    uint32_t expired; /* leases that ended */
    uint32_t refused; /* changes that were refused */
#ifdef PYROI_NS_COPIES
    uint32_t lost;     /* names that a pair's other change replaced */
    uint32_t dropped;  /* damaged or torn records of the journal */
    uint32_t bytes;    /* of the journal */
    uint32_t too_long; /* times a name did not fit a message to the pair */
#endif
} pyro_ns_stats;

/* A name server: an object of a daemon. Declare it; the caller's from
 * pyro_ns_serve to pyro_ns_stop. What is used most stands first, where small
 * processors reach it in one instruction. */
typedef struct pyro_ns_server {
    pyro_ns_stats stats;

    pyro_ns_room room_;
    pyro_daemon *node_;
#ifndef PYRO_NS_NO_CONFIG
    const pyro_ns_server_config *config_;
#endif
    const char *group_; /* default group */
    uint32_t    used_;  /* of the bytes */
    uint32_t    dead_;  /* of them in holes */
    uint16_t    free_;  /* node, index + 1 */
#ifndef PYRO_NS_NO_LEASES
    bool       leases_;  /* soonest_ means something */
    uint32_t   soonest_; /* end of a lease */
    pyro_timer timer_;
#endif

    pyro_ns_answerer answerer; /* its counts */
#ifndef PYRO_NS_NO_PYRO5
    pyro_ns_answerer       answerer5; /* of Pyro5's broadcasts */
    struct pyro_ns_server *self5_;
#endif
#ifdef PYROI_NS_COPIES
    uint32_t version_; /* the largest seen */
#endif
#ifndef PYRO_NS_NO_STORAGE
    pyro_later laters_[PYRO_NS_PENDING];
    pyro_timer sync_;
    uint32_t   to_pair_;  /* bit k: what laters_[k] is answered with */
    uint32_t   unsynced_; /* bytes appended since the last sync */
    uint32_t   safe_;     /* changes up to this version are durable */
    uint32_t   most_;     /* bytes of the journal before it is replaced */
    bool       broken_;   /* the storage failed: no more changes */
#endif
#ifndef PYRO_NS_NO_PAIR
    pyro_proxy   twin_;
    pyro_request rq_;
    pyro_timer   pair_;
    pyro_later   resync_; /* who waits for the pair to know all */
    uint32_t     boot_;   /* ours, and the other's as last heard */
    uint32_t     twin_boot_;
    uint32_t     sent_; /* number of our last _sync, and the last heard */
    uint32_t     heard_;
    uint16_t     batch_[8];  /* nodes in the _sync that is under way */
    uint32_t     stamps_[8]; /* and their versions */
    uint8_t      n_batch_;
    uint8_t      pair_state_;
#endif
} pyro_ns_server;

/* Makes the daemon a name server: exports ":Pyro.NameServer", reads the
 * journal, answers datagrams. Listen first: answers name the first listener's
 * port. Errors: PYRO_ERR_DATA, the journal is damaged at record
 * node->why.is; PYRO_ERR_NOSPACE, names or bytes are too few for it;
 * PYRO_ERR_NAMING, it has the default group as an object;
 * PYRO_ERR_DAEMON, the storage or UDP port cannot be opened; those of
 * pyro_export. Nothing is left behind after an error. */
PYRO_DEF pyro_err pyro_ns_serve(pyro_ns_server *server, pyro_daemon *node,
                                pyro_ns_room                 room,
                                const pyro_ns_server_config *config);

/* Ends it. What was acknowledged is in the journal. */
PYRO_DEF void pyro_ns_stop(pyro_ns_server *server);

/* Walks what is known here: objects with their URI, groups with "". Start with
 * *at = 0; ends with false. *name is a view, until the next change. */
PYRO_DEF bool pyro_ns_walk(const pyro_ns_server *server, unsigned *at,
                           const char **name, char uri[PYRO_URI_BYTES]);

/* Walks every invariant of the tables. NULL, or what is wrong. For tests. */
PYRO_DEF const char *pyro_ns_check(const pyro_ns_server *server);

#if defined(PYRO_POSIX) && !defined(PYRO_NS_NO_STORAGE)
/* A journal in a directory: the file "names.journal" there, replaced by
 * renaming "names.new". Nobody else may use the directory meanwhile: that is
 * what "names.lock" is for. The caller's from open to close; not moved. */
typedef struct pyro_ns_files {
    pyro_ns_storage storage; /* for the config */
    int             dir_;
    int             lock_;
    int             file_;
    int             new_;
    uint32_t        size_; /* of the journal, without what has failed */
    uint32_t        new_size_;
    bool            bad_;  /* a sync has failed: replace comes first */
    int             error; /* errno of what failed last */
} pyro_ns_files;

/* Makes the directory if need be. PYRO_ERR_DAEMON: it cannot be used, see
 * files->error; PYRO_ERR_BUSY: another process uses it. */
PYRO_DEF pyro_err pyro_ns_files_open(pyro_ns_files *files, const char *path);
PYRO_DEF void     pyro_ns_files_close(pyro_ns_files *files);
#endif

#endif /* PYRO_NS_NO_SERVER */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PYRO_NS_H */

/* ========================================================================
 * Implementation
 * ======================================================================== */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_NS_IMPLEMENTED)
#define PYRO_NS_IMPLEMENTED

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * >>texts
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NO_TEXTS
#define PYROI_NS_T(text) ""
#else
#define PYROI_NS_T(text) text
#endif

#define PYROI_NS_SCHEME "PYRO://"

/* gcc takes it to be smaller in both places than called. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define PYROI_NS_SHARED __attribute__((noinline))
#else
#define PYROI_NS_SHARED
#endif

/* Adds n bytes to a zero-terminated text of `size` bytes in all; what does not
 * fit is left out. Returns false then. */
static bool pyroi_ns_add_n(char *to, size_t size, const char *text, size_t n)
{
    size_t at = strlen(to);
    bool   fits = n < size - at;

    if (!fits)
        n = size - at - 1;
    memcpy(to + at, text, n);
    to[at + n] = 0;
    return fits;
}

static bool pyroi_ns_add(char *to, size_t size, const char *text)
{
    return pyroi_ns_add_n(to, size, text, strlen(text));
}

#if !defined(PYRO_NS_NO_CLIENT) || !defined(PYRO_NS_NO_PYRO5)
/* Writes a number before `end`; returns where it begins. */
static char *pyroi_ns_digits(char *end, uint32_t v)
{
    do {
        *--end = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    return end;
}
#endif

#if !defined(PYRO_NS_NO_HOSTS) || !defined(PYRO_NS_NO_PYRO5) \
    || (!defined(PYRO_NS_NO_CLIENT) && PYRO_NS_TRIED_BYTES > 0)
static bool pyroi_ns_add_number(char *to, size_t size, uint32_t v)
{
    char text[11];

    text[10] = 0;
    return pyroi_ns_add(to, size, pyroi_ns_digits(text + 10, v));
}
#endif

#if !defined(PYRO_NS_NO_SERVER) \
    || (!defined(PYRO_NS_NO_CLIENT) && !defined(PYRO_NO_URI))
/* Whether n bytes of text are a URI. Without those of pyro.h it is one that
 * pyro_proxy_open takes: PYRO://address/object. */
static bool pyroi_ns_is_uri(const char *text, size_t n)
{
#ifdef PYRO_NO_URI
    const size_t at = sizeof PYROI_NS_SCHEME - 1;
    size_t       i = at;
    size_t       slash = 0;

    if (n >= PYRO_URI_BYTES || n < at
        || memcmp(text, PYROI_NS_SCHEME, at) != 0)
        return false;
    for (; i < n && text[i] > ' ' && text[i] <= '~'; i++) {
        if (text[i] == '/' && slash == 0)
            slash = i;
    }
    return i == n && slash > at && slash + 1 < n;
#else
    pyro_uri uri;

    return pyro_uri_parse(&uri, text, n, NULL) == PYRO_OK;
#endif
}
#endif

/* What is wrong with a full name, or NULL. */
static const char *pyroi_ns_wrong(const char *name, size_t n)
{
    size_t i;
    size_t part = 1; /* where the one begins that i is in */

    for (i = 1; i < n; i++) {
        if (name[i] <= 32 || name[i] >= 127 || name[i] == '\\'
            || name[i] == ':')
            return PYROI_NS_T("invalid character(s) in name");
        if (name[i] != '.')
            continue;
        if (part == i)
            break;
        part = i + 1;
    }
    return part == i && n > 1 ? PYROI_NS_T("invalid name") : NULL;
}

PYRO_DEF const char *pyro_ns_expand(const char *group, const char *name,
                                    size_t n, char to[PYRO_NS_MAX_NAME + 1])
{
    const size_t size = PYRO_NS_MAX_NAME + 1;
    size_t       at;
    bool         fits = true;

    if (group == NULL)
        group = ":Default";
    if (group[0] != ':')
        return PYROI_NS_T("default group name is not absolute");
    to[0] = 0;
    if (n == 0 || name[0] != ':') {
        fits = pyroi_ns_add(to, size, group);
        if (n > 0 && group[1] != 0)
            pyroi_ns_add(to, size, ".");
    }
    at = strlen(to);
    if (!pyroi_ns_add_n(to, size, name, n) || !fits)
        return PYROI_NS_T("name too long");
    return pyroi_ns_wrong(to, at + n); /* n may have zeros in it */
}

/* ------------------------------------------------------------------------
 * >>questions: the datagrams, and who answers them
 * ------------------------------------------------------------------------ */

#if !defined(PYRO_NS_NO_SERVER) || !defined(PYRO_NS_NO_SERVERLESS)
#define PYROI_NS_ANSWERER
#endif

#if defined(PYROI_NS_ANSWERER) || !defined(PYRO_NS_NO_CLIENT)

#define PYROI_NS_HEAD  23 /* "PYRO? ", 16 digits, a blank: see head_ */
#define PYROI_NS_ASKED 64 /* bytes of a question for the name server */

/* Bytes of any other question; longer datagrams are nobody's. */
#if PYRO_NS_MAX_NAME > 100
#define PYROI_NS_DATAGRAM (PYRO_NS_MAX_NAME + 28)
#else
#define PYROI_NS_DATAGRAM 128
#endif

#define PYROI_NS_NETS  32 /* most interfaces that are looked at */
#define PYROI_NS_TAKEN 8  /* most datagrams taken at once */

#define PYROI_NS_ANSWERS5 5 /* to Pyro5, a second and address */

#ifdef PYRO_NO_CONFIG
#define pyroi_ns_runs(node) true
#else
#define pyroi_ns_runs(node) (pyro_port_of(node) != NULL)
#endif

#if !defined(PYRO_NS_NO_CLIENT) || !defined(PYRO_NS_NO_PYRO5)
static void pyroi_ns_add_ip(char *to, size_t size, uint32_t ip)
{
    char  text[16];
    char *at = text + sizeof text - 1;
    int   left = 4;

    *at = 0;
    do {
        at = pyroi_ns_digits(at, ip & 255);
        ip >>= 8;
        if (--left > 0)
            *--at = '.';
    } while (left > 0);
    pyroi_ns_add(to, size, at);
}
#endif

#ifndef PYRO_NS_NO_NETS
static bool pyroi_ns_net(const pyro_port *port, unsigned i, pyro_net *net)
{
    return i < PYROI_NS_NETS && port->net != NULL && port->net(port, i, net);
}

/* 4: an address of this host, 3: loopback, which only this host can reach, 2:
 * of a subnet of its own, 1: any other. */
static unsigned pyroi_ns_rank(const pyro_port *port, uint32_t ip)
{
    unsigned rank = ip >> 24 == 127 ? 3 : 1;
    pyro_net net;
    unsigned i;

    for (i = 0; rank < 3 && pyroi_ns_net(port, i, &net); i++) {
        if (net.ip == ip)
            rank = 4;
        else if (((net.ip ^ ip) & net.mask) == 0)
            rank = 2;
    }
    return rank;
}
#endif

#if defined(PYROI_NS_ANSWERER) || !defined(PYRO_NS_NO_HOSTS)
static void pyroi_ns_why(pyro_daemon *node, const char *text, uint32_t is)
{
#ifdef PYRO_NO_TEXTS
    (void)node;
    (void)text;
    (void)is;
#else
    node->why.text = text;
    node->why.is = is;
    node->why.limit = 0;
#endif
}
#endif

static bool pyroi_ns_udp_is_open(const pyroi_ns_udp *udp)
{
    return udp->watched.fn != NULL;
}

/* Number 0: any that is free. fn is called with `user` when there is one. */
PYROI_NS_SHARED static bool pyroi_ns_udp_open(
    pyroi_ns_udp *udp, pyro_daemon *node, uint32_t ip, uint16_t number,
    void (*fn)(void *user, pyro_daemon *node, unsigned ready), void *user)
{
    const pyro_port *port = pyro_port_of(node);

    if (!pyroi_ns_runs(node) || port->udp_open == NULL)
        return false;
    udp->handle = port->udp_open(port, ip, number);
    if (udp->handle < 0)
        return false;
    udp->watched.fn = fn;
    udp->watched.user = user;
    pyro_watch(node, &udp->watched, port, udp->handle, PYRO_IN);
    return true;
}

static void pyroi_ns_udp_close(pyroi_ns_udp *udp, pyro_daemon *node)
{
    const pyro_port *port;

    if (!pyroi_ns_udp_is_open(udp))
        return;
    port = pyro_port_of(node);
    udp->watched.fn = NULL;
    pyro_unwatch(node, &udp->watched);
    port->close(port, udp->handle);
}

/* Takes what has come: with fn, which gets up to PYROI_NS_DATAGRAM bytes (none
 * of a longer one) and a zero byte behind them, all its own, and may close the
 * port. After false nobody looks at it again. */
static void pyroi_ns_udp_take(pyroi_ns_udp *udp, const pyro_port *port,
                              bool (*fn)(void *owner, char *data, size_t n,
                                         const pyro_udp *from))
{
    char     data[PYROI_NS_DATAGRAM + 1];
    pyro_udp from;
    int32_t  n = 0;
    unsigned i;

    for (i = 0; i < PYROI_NS_TAKEN && pyroi_ns_udp_is_open(udp); i++) {
        n = port->udp_recv(port, udp->handle, data, PYROI_NS_DATAGRAM, &from);
        if (n < 0)
            return;
        if (n > PYROI_NS_DATAGRAM)
            n = 0;
        data[n] = 0;
        if (!fn(udp->watched.user, data, (size_t)n, &from))
            return;
    }
}

#endif

#ifdef PYROI_NS_ANSWERER

/* The name that a datagram asks for, or NULL when it is no question. */
static const char *pyroi_ns_question(const char *q, size_t n)
{
    size_t i;

    if (n <= PYROI_NS_HEAD || memcmp(q, "PYRO? ", 6) != 0
        || q[PYROI_NS_HEAD - 1] != ' ')
        return NULL;
    for (i = 6; i < PYROI_NS_HEAD - 1; i++) {
        if ((q[i] < '0' || q[i] > '9') && (q[i] < 'a' || q[i] > 'f'))
            return NULL;
    }
    i = PYROI_NS_HEAD + strlen(q + PYROI_NS_HEAD);
    return memcmp(q + i, q + i + 1, n - i) == 0 /* zeros, as the first */
             ? q + PYROI_NS_HEAD
             : NULL;
}

#ifdef PYRO_NS_NO_NETS

/* Adds the port of the first listener and a blank. */
static bool pyroi_ns_add_address(const pyro_ns_answerer *a, uint32_t asker,
                                 char *to, size_t size)
{
    char        text[PYRO_MAX_HOST + 9];
    const char *colon;

    (void)asker;
    if (pyro_listening(a->node_, 0, text, sizeof text) != PYRO_OK
        || (colon = strrchr(text, ':')) == NULL)
        return false;
    pyroi_ns_add(to, size, colon);
    return pyroi_ns_add(to, size, " ");
}

#else

/* What the address of a listener begins with: everywhere, loopback, a path. */
enum { PYROI_NS_LOOPBACK = 3, PYROI_NS_PATH = 5, PYROI_NS_HERE };

static unsigned pyroi_ns_place(const char *address)
{
    const char *start = "*\0"
                        "0.0.0.0:\0"
                        "[::]:\0"
                        "127.\0"
                        "[::1]:\0"
                        "unix:\0";
    unsigned place = 0;

    while (*start != 0 && strncmp(address, start, strlen(start)) != 0) {
        start += strlen(start) + 1;
        place++;
    }
    return place;
}

/* Adds the address of the first listener, its port alone where the asker
 * knows the rest, and a blank. False: not one that this asker could reach, or
 * it is too long. */
static bool pyroi_ns_add_address(const pyro_ns_answerer *a, uint32_t asker,
                                 char *to, size_t size)
{
    char text[PYRO_MAX_HOST + 9];
    const char *colon;
    unsigned place;

    if (pyro_listening(a->node_, 0, text, sizeof text) != PYRO_OK)
        return false;
    colon = strrchr(text, ':');
    place = pyroi_ns_place(text);
    if (colon == NULL || place == PYROI_NS_PATH)
        return false;
    if (place < PYROI_NS_LOOPBACK)
        pyroi_ns_add(to, size, colon);
    else if (place == PYROI_NS_HERE
             || pyroi_ns_rank(pyro_port_of(a->node_), asker) >= 3)
        pyroi_ns_add(to, size, text);
    else
        return false;
    return pyroi_ns_add(to, size, " ");
}

#endif

/* Whether this address was told enough in this second; counts. */
static bool pyroi_ns_over(pyro_ns_answerer *a, uint32_t ip, uint32_t most)
{
    uint32_t now = pyro_now(a->node_);
    unsigned i;

    if (now - a->second_ >= 1000) {
        a->second_ = now;
        memset(a->n_, 0, sizeof a->n_);
    }
    for (i = 0; i < PYRO_NS_ASKERS; i++) {
        if (a->n_[i] != 0 && a->from_[i] != ip)
            continue;
        a->from_[i] = ip;
        if (a->n_[i] == most)
            return true;
        a->n_[i]++;
        return false;
    }
    return true; /* too many addresses: some may be forged */
}

#ifdef PYRO_NS_NO_SERVERLESS
static bool pyroi_ns_may_ask(const pyro_ns_server *ns, uint32_t ip);
#endif

/* The object that is meant by a name, or NULL; `room` is for its text. Where
 * nobody is serverless only the name server answers. */
static const char *pyroi_ns_means(const pyro_ns_answerer *a, uint32_t ip,
                                  const char *name, char room[33])
{
#ifdef PYRO_NS_NO_SERVERLESS
    (void)room;
    return strcmp(name, PYRO_NS_NAME) == 0
                && pyroi_ns_may_ask((const pyro_ns_server *)a->user_, ip)
             ? PYRO_NS_NAME
             : NULL;
#else
    return name[0] != 0 && strlen(name) <= PYRO_NS_MAX_NAME
                && a->find_(a->user_, ip, name, room)
             ? room
             : NULL;
#endif
}

/* Answers one question of n bytes in its own memory. */
static bool pyroi_ns_answer(void *user, char *q, size_t n,
                            const pyro_udp *from)
{
    pyro_ns_answerer *a = (pyro_ns_answerer *)user;
    const pyro_port  *port = pyro_port_of(a->node_);
    const char       *name = pyroi_ns_question(q, n);
    const char       *object = NULL;
    char              room[33];

    if (name != NULL)
        object = pyroi_ns_means(a, from->ip, name, room);
    if (object == NULL) {
        a->ignored++;
        return true;
    }
    if (pyroi_ns_over(a, from->ip, PYRO_NS_ANSWERS)) {
        a->limited++;
        return true;
    }
    q[4] = '!';
    q[PYROI_NS_HEAD] = 0;
    if (!pyroi_ns_add_address(a, from->ip, q, n + 1)
        || !pyroi_ns_add(q, n + 1, object)
        || !port->udp_send(port, a->udp_.handle, from, q, (uint32_t)strlen(q)))
        a->ignored++;
    else
        a->answered++;
    return true;
}

static void pyroi_ns_answerer_ready(void *user, pyro_daemon *node,
                                    unsigned ready)
{
    (void)ready;
    pyroi_ns_udp_take(&((pyro_ns_answerer *)user)->udp_, pyro_port_of(node),
                      pyroi_ns_answer);
}

static void pyroi_ns_answerer_close(pyro_ns_answerer *a)
{
    pyroi_ns_udp_close(&a->udp_, a->node_);
}

/* Begins to answer, at an address of ours (0: all) and a port (0: the usual
 * one). `find` prints the object that a name stands for. */
static pyro_err pyroi_ns_answerer_open(
    pyro_ns_answerer *a, pyro_daemon *node, uint32_t ip, uint16_t port,
    bool (*find)(void *user, uint32_t ip, const char *name, char object[33]),
    void *user)
{
#ifndef PYRO_NS_NO_SERVERLESS
    memset(a, 0, sizeof *a);
    a->find_ = find;
#else /* it is part of a server, which is zero by now */
    (void)find;
#endif
    a->node_ = node;
    a->user_ = user;
    a->second_ = pyro_now(node);
    if (port == 0)
        port = PYRO_NS_PORT;
    if (pyroi_ns_udp_open(&a->udp_, node, ip, port, pyroi_ns_answerer_ready,
                          a))
        return PYRO_OK;
    pyroi_ns_why(node, "cannot open the UDP port", port);
    return PYRO_ERR_DAEMON;
}

#endif /* PYROI_NS_ANSWERER */

/* ------------------------------------------------------------------------
 * >>locator
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_CLIENT

#ifdef PYRO_NS_NO_HOSTS
static const pyro_ns_config pyroi_ns_defaults = { 0, 0, 0 };
#else
static const pyro_ns_config pyroi_ns_defaults = { 0,     0,    0,   0,
                                                  NULL,  NULL, 0,   false,
                                                  false, NULL, NULL };
#endif

/* Whether a URI is one of Pyro5 or Pyro4, with its object in front. */
#ifdef PYROI_NS_CLIENT5
#define PYROI_NS_SERVER5 "Pyro.NameServer"
static bool pyroi_ns_is5(const char *uri)
{
    return strncmp(uri, "PYRO:", 5) == 0 && strncmp(uri, "PYRO://", 7) != 0;
}
#else
#define PYROI_NS_SERVER5  PYRO_NS_NAME
#define pyroi_ns_is5(uri) false
#endif

/* What a locator does. */
enum {
    PYROI_NS_IDLE,
    PYROI_NS_ASK,    /* sends questions, waits for the first answer */
    PYROI_NS_SETTLE, /* has one, waits for a better one */
    PYROI_NS_HOST,   /* the host of `uri` comes next */
    PYROI_NS_CALL    /* its proxy is open */
};

/* Tries of a call that found no buffer, and how far apart they are. */
#define PYROI_NS_AGAIN_MS 20

/* Whether a host names a port as well, as in "box:9091" and "[::1]:9091". */
static bool pyroi_ns_has_port(const char *host, size_t n)
{
    while (n > 0 && host[n - 1] != ':' && host[n - 1] != ']')
        n--;
    return n > 0 && host[n - 1] == ':';
}

#if PYRO_NS_TRIED_BYTES > 0
/* Notes for people what was tried, and what came of it. */
static void pyroi_ns_note(pyro_ns_locator *loc, const char *what,
                          const char *result)
{
    const size_t size = sizeof loc->tried;

    if (loc->tried[0] != 0)
        pyroi_ns_add(loc->tried, size, "; ");
    pyroi_ns_add(loc->tried, size, what);
    pyroi_ns_add(loc->tried, size, ": ");
    if (!pyroi_ns_add(loc->tried, size, result))
        memcpy(loc->tried + size - 4, "...", 4);
}
#endif

static const pyro_ns_config *pyroi_ns_config(const pyro_ns_locator *loc)
{
#ifdef PYRO_NS_NO_CONFIG
    (void)loc;
    return &pyroi_ns_defaults;
#else
    return loc->config_;
#endif
}

static uint16_t pyroi_ns_udp_port(const pyro_ns_locator *loc)
{
    uint16_t port = pyroi_ns_config(loc)->udp_port;

    return port != 0 ? port : PYRO_NS_PORT;
}

PYRO_DEF void pyro_ns_look_stop(pyro_ns_locator *loc)
{
    if (loc->state_ == PYROI_NS_IDLE)
        return;
    pyro_timer_stop(loc->node_, &loc->timer_);
    pyroi_ns_udp_close(&loc->udp_, loc->node_);
#ifndef PYRO_NS_NO_HOSTS
    if (loc->state_ == PYROI_NS_CALL)
        pyro_proxy_close(&loc->proxy_);
#endif
    loc->state_ = PYROI_NS_IDLE;
    loc->err = PYRO_ERR_NAMING;
}

/* The search is over; who began it may begin another one. */
static void pyroi_ns_end(pyro_ns_locator *loc, pyro_err err)
{
    pyro_ns_look_stop(loc);
    loc->err = err;
    if (loc->fn_ != NULL)
        loc->fn_(loc->user_, loc);
}

/* --- by broadcast --- */

static void pyroi_ns_ask(pyro_ns_locator *loc)
{
    const pyro_port *port = pyro_port_of(loc->node_);
    char             q[PYROI_NS_DATAGRAM];
    uint32_t         only = pyroi_ns_config(loc)->udp_ip;
    pyro_udp         to;
#ifndef PYRO_NS_NO_NETS
    pyro_net net;
    unsigned i = 0;
#endif

    memset(q, 0, sizeof q);
    pyroi_ns_add(q, sizeof q, loc->head_);
    q[4] = '?';
    pyroi_ns_add(q, sizeof q, loc->name_);
    to.ip = only != 0 ? only : 0xFFFFFFFFu;
#ifdef PYRO_NS_NO_NETS
    to.port = pyroi_ns_udp_port(loc);
    port->udp_send(port, loc->udp_.handle, &to, q,
                   loc->other_ ? sizeof q : PYROI_NS_ASKED);
#else
    do {
        to.port = pyroi_ns_udp_port(loc);
        if (to.ip != 0)
            port->udp_send(port, loc->udp_.handle, &to, q,
                           loc->other_ ? sizeof q : PYROI_NS_ASKED);
#ifdef PYROI_NS_CLIENT5
        to.port = loc->config_->pyro5_port;
        if (to.ip != 0 && to.port != 0 && !loc->other_)
            port->udp_send(port, loc->udp_.handle, &to, "GET_NSURI", 9);
#endif
        if (only != 0 || !pyroi_ns_net(port, i, &net))
            return;
        to.ip = net.broadcast;
        if (net.ip >> 24 == 127) /* it has none, and yet it has */
            to.ip = 0x7FFFFFFFu;
    } while (i++ < PYROI_NS_NETS);
#endif
}

/* Where a word of printable characters ends. */
static char *pyroi_ns_word(char *at)
{
    while (*at > ' ' && *at <= '~')
        at++;
    return at;
}

/* The URI in an answer of n bytes, or false: it is none to our question. */
static bool pyroi_ns_read_answer(const pyro_ns_locator *loc, char *a, size_t n,
                                 uint32_t ip, char to[PYRO_URI_BYTES])
{
    const char *end = a + n;
    char       *blank;

#ifdef PYROI_NS_CLIENT5
    if (loc->config_->pyro5_port != 0 && !loc->other_ && n < PYRO_URI_BYTES
        && pyroi_ns_is5(a) && pyroi_ns_is_uri(a, n)) {
        memcpy(to, a, n + 1);
        return true;
    }
#endif
    if (strncmp(a, loc->head_, PYROI_NS_HEAD) != 0)
        return false;
    a += PYROI_NS_HEAD;
    blank = pyroi_ns_word(a);
    if (*blank != ' ' || pyroi_ns_word(blank + 1) != end || blank + 1 == end
        || !pyroi_ns_has_port(a, (size_t)(blank - a)))
        return false;
    *blank = '/';
    memcpy(to, PYROI_NS_SCHEME, sizeof PYROI_NS_SCHEME);
    if (a[0] == ':')
        pyroi_ns_add_ip(to, PYRO_URI_BYTES, ip);
#ifdef PYRO_NO_URI
    return pyroi_ns_add(to, PYRO_URI_BYTES, a); /* is that much of one */
#else
    return pyroi_ns_add(to, PYRO_URI_BYTES, a)
        && pyroi_ns_is_uri(to, strlen(to));
#endif
}

#ifdef PYRO_NS_NO_NETS

/* The first one is the best. */
static bool pyroi_ns_hear(void *user, char *a, size_t n, const pyro_udp *from)
{
    pyro_ns_locator *loc = (pyro_ns_locator *)user;

    if (!pyroi_ns_read_answer(loc, a, n, from->ip, loc->uri)) {
        loc->ignored++;
        return true;
    }
    pyroi_ns_end(loc, PYRO_OK); /* its owner may take it for others */
    return false;
}

#else

/* One that is better than what there is is kept. The best ends the search, in
 * the next poll; the first one, soon. */
static bool pyroi_ns_hear(void *user, char *a, size_t n, const pyro_udp *from)
{
    pyro_ns_locator *loc = (pyro_ns_locator *)user;
    char uri[PYRO_URI_BYTES];
    unsigned rank;

    if (!pyroi_ns_read_answer(loc, a, n, from->ip, uri)) {
        loc->ignored++;
        return true;
    }
    rank = pyroi_ns_rank(pyro_port_of(loc->node_), from->ip);
    if (rank <= loc->rank_)
        return true;
    if (rank == 4 || loc->rank_ == 0)
        pyro_timer_set(loc->node_, &loc->timer_,
                       rank == 4 ? 0 : PYRO_NS_WAIT_MS / 4);
    loc->rank_ = (uint8_t)rank;
    loc->state_ = PYROI_NS_SETTLE;
    memcpy(loc->uri, uri, sizeof uri);
    return true;
}

#endif

static void pyroi_ns_heard(void *user, pyro_daemon *node, unsigned ready)
{
    (void)ready;
    pyroi_ns_udp_take(&((pyro_ns_locator *)user)->udp_, pyro_port_of(node),
                      pyroi_ns_hear);
}

/* --- by connection --- */

#ifndef PYRO_NS_NO_HOSTS

/* Sets the URI of the name server of a host, or of an object that is given
 * as a URI; of what is neither, a text that is no URI. */
static void pyroi_ns_set_host(pyro_ns_locator *loc, const char *host, size_t n)
{
    const size_t size = sizeof loc->uri;
    pyro_uri     uri;
    bool         fits;

    loc->uri[0] = 0;
    if (pyro_uri_parse(&uri, host, n, NULL) == PYRO_OK) {
        fits = uri.protocol != PYRO_URI_NAME
            && pyroi_ns_add_n(loc->uri, size, host, n);
    } else {
        pyroi_ns_add(loc->uri, size, PYROI_NS_SCHEME);
        fits = pyroi_ns_add_n(loc->uri, size, host, n);
        if (!pyroi_ns_has_port(host, n)) {
            pyroi_ns_add(loc->uri, size, ":");
            pyroi_ns_add_number(loc->uri, size, PYRO_NS_PORT);
        }
        fits = pyroi_ns_add(loc->uri, size, "/" PYRO_NS_NAME) && fits;
    }
    if (!fits) {
        memcpy(loc->uri, "host ", 6);
        pyroi_ns_add_n(loc->uri, size, host, n < 40 ? n : 40);
    }
}

/* The next of the list, or false. */
static bool pyroi_ns_next_listed(pyro_ns_locator *loc)
{
    const char *host = loc->at_;
    size_t      n = 0;

    while (*host == ' ')
        host++;
    while (host[n] != 0 && host[n] != ' ')
        n++;
    loc->at_ = host + n;
    if (n > 0)
        pyroi_ns_set_host(loc, host, n);
    return n > 0;
}

/* The next address of this host, at last "localhost", or false. */
static bool pyroi_ns_next_here(pyro_ns_locator *loc)
{
    const pyro_port *port = pyro_port_of(loc->node_);
    char             host[16] = "localhost";
    pyro_net         net;
    bool             any;

#ifdef PYROI_NS_CLIENT5
    if (loc->here_ == PYROI_NS_NETS + 1 && loc->config_->pyro5_port != 0) {
        static const char last[] = "PYRO:" PYROI_NS_SERVER5 "@localhost:9090";

        loc->here_++;
        pyroi_ns_set_host(loc, last, sizeof last - 1);
        return true;
    }
#endif
    if (loc->here_ > PYROI_NS_NETS)
        return false;
    do
        any = pyroi_ns_net(port, loc->here_++, &net);
    while (any && net.ip >> 24 == 127);
    if (any) {
        host[0] = 0;
        pyroi_ns_add_ip(host, sizeof host, net.ip);
    } else {
        loc->here_ = PYROI_NS_NETS + 1;
    }
    pyroi_ns_set_host(loc, host, strlen(host));
    return true;
}

/* Goes on with the next host, from the next poll. */
static void pyroi_ns_next(pyro_ns_locator *loc)
{
    if (loc->at_ != NULL ? pyroi_ns_next_listed(loc)
                         : pyroi_ns_next_here(loc)) {
        loc->state_ = PYROI_NS_HOST;
        loc->try_ = 0;
        pyro_timer_set(loc->node_, &loc->timer_, 0);
    } else {
        pyroi_ns_end(loc, PYRO_ERR_NAMING);
    }
}

/* Notes that the host of `uri` was not it; only its address is news. */
static void pyroi_ns_note_host(pyro_ns_locator *loc, pyro_err err)
{
#if PYRO_NS_TRIED_BYTES > 0
    static const char end[] = "/" PYRO_NS_NAME;
    char             *host = loc->uri;
    size_t            n = strlen(host);

    if (n > sizeof end + 6 && strcmp(host + n - sizeof end + 1, end) == 0) {
        host[n - sizeof end + 1] = 0;
        host += 7;
    }
    if (host[0] != 0)
        pyroi_ns_note(loc, host,
                      err == PYRO_ERR_REMOTE
                          ? pyro_exception(&loc->proxy_)->message
                          : pyro_err_text(err));
#else
    (void)loc;
    (void)err;
#endif
}

static void pyroi_ns_not_it(pyro_ns_locator *loc, pyro_err err)
{
    loc->last_ = (uint8_t)err;
    pyroi_ns_note_host(loc, err);
    if (loc->state_ == PYROI_NS_CALL)
        pyro_proxy_close(&loc->proxy_);
    loc->state_ = PYROI_NS_HOST;
    pyroi_ns_next(loc);
}

/* The URI that a name server answers: a text, from one of Pyro5 a value. */
static pyro_err pyroi_ns_found_uri(pyro_reader *in, pyro_uri *uri)
{
    uint32_t    n;
    const char *text;

#ifdef PYROI_NS_CLIENT5
    if (pyro_peek(in) == PYRO_MAP) {
        pyro_get_uri(in, uri);
        return (pyro_err)in->err;
    }
#endif
    text = pyro_get_str(in, &n);
    return pyro_uri_parse(uri, text, n, NULL) == PYRO_OK ? PYRO_OK
                                                         : PYRO_ERR_DATA;
}

static void pyroi_ns_host_answered(void *user, pyro_request *rq, pyro_err err,
                                   pyro_reader *result)
{
    pyro_ns_locator *loc = (pyro_ns_locator *)user;
    pyro_uri         uri;

    (void)rq;
    if (err == PYRO_OK && loc->other_)
        err = pyroi_ns_found_uri(result, &uri);
    if (err != PYRO_OK) {
        pyroi_ns_not_it(loc, err);
        return;
    }
    pyro_ns_look_stop(loc); /* the proxy had the text of `uri` */
    if (loc->other_)
        (void)pyro_uri_print(&uri, loc->uri, sizeof loc->uri); /* it fits */
    pyroi_ns_end(loc, PYRO_OK);
}

static void pyroi_ns_call_host(pyro_ns_locator *loc)
{
    pyro_err err = PYRO_OK;

    if (loc->state_ == PYROI_NS_HOST)
        err = pyro_proxy_open(&loc->proxy_, loc->node_, loc->uri);
    if (err == PYRO_OK) {
        loc->state_ = PYROI_NS_CALL;
        err = pyro_begin(&loc->rq_, &loc->proxy_,
                         !loc->other_             ? "ping"
                         : pyroi_ns_is5(loc->uri) ? "lookup"
                                                  : "resolve");
    }
    if ((err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY)
        && loc->try_++ < PYRO_NS_HOST_MS / PYROI_NS_AGAIN_MS) {
        pyro_timer_set(loc->node_, &loc->timer_, PYROI_NS_AGAIN_MS);
        return; /* no buffer at the moment */
    }
    if (err == PYRO_OK) {
        if (loc->other_)
            pyro_put_str(&loc->rq_.args, loc->name_);
        pyro_deadline(&loc->rq_, PYRO_NS_HOST_MS);
        err =
            pyro_send(&loc->rq_, pyro_to_none(), pyroi_ns_host_answered, loc);
    }
    if (err != PYRO_OK)
        pyroi_ns_not_it(loc, err);
}

#endif

/* --- the search --- */

/* No answer by broadcast, or none possible: only for the name server itself
 * is there anybody else to ask. */
static void pyroi_ns_unheard(pyro_ns_locator *loc, const char *result)
{
#if PYRO_NS_TRIED_BYTES > 0
    char what[32] = "broadcast to UDP port ";

    pyroi_ns_add_number(what, sizeof what, pyroi_ns_udp_port(loc));
    pyroi_ns_note(loc, what, result);
#else
    (void)result;
#endif
    pyroi_ns_udp_close(&loc->udp_, loc->node_);
#ifdef PYRO_NS_NO_HOSTS
    pyroi_ns_end(loc, PYRO_ERR_NAMING);
#else
    if (loc->other_)
        loc->at_ = "";
    pyroi_ns_next(loc);
#endif
}

static void pyroi_ns_broadcast(pyro_ns_locator *loc)
{
    unsigned tries = pyroi_ns_config(loc)->tries;

    if (tries == 0)
        tries = PYRO_NS_TRIES;
    if (loc->try_ == tries) {
        pyroi_ns_unheard(loc, "no answer");
    } else if (!pyroi_ns_udp_is_open(&loc->udp_)
               && !pyroi_ns_udp_open(&loc->udp_, loc->node_, 0, 0,
                                     pyroi_ns_heard, loc)) {
        pyroi_ns_unheard(loc, "not possible here");
    } else {
        unsigned doubled = tries > 8 && loc->try_ > 8 ? 8 : loc->try_;

        loc->try_++;
        pyroi_ns_ask(loc);
        pyro_timer_set(loc->node_, &loc->timer_,
                       (uint32_t)PYRO_NS_WAIT_MS << doubled);
    }
}

static void pyroi_ns_go_on(void *user, pyro_daemon *node)
{
    pyro_ns_locator *loc = (pyro_ns_locator *)user;

    (void)node;
#ifndef PYRO_NS_NO_HOSTS
    if (loc->state_ != PYROI_NS_SETTLE && loc->state_ != PYROI_NS_ASK) {
        pyroi_ns_call_host(loc);
        return;
    }
#endif
#ifndef PYRO_NS_NO_NETS
    if (loc->state_ == PYROI_NS_SETTLE) {
        pyroi_ns_end(loc, PYRO_OK);
        return;
    }
#endif
    pyroi_ns_broadcast(loc);
}

/* Draws the digits by which an answer is known. Where objects have no ids
 * pyro_guid would be there for this alone; without random numbers what counts
 * is that others look at other times. */
static void pyroi_ns_draw(const pyro_ns_locator *loc, pyro_daemon *node,
                          char to[16])
{
#ifdef PYRO_NO_IDS
    uint32_t drawn[2];
    unsigned i;

    drawn[0] = pyro_now(node);
    drawn[1] = (uint32_t)(uintptr_t)loc;
    (void)pyro_random(node, drawn, sizeof drawn);
    for (i = 0; i < 16; i++)
        to[i] = "0123456789abcdef"[drawn[i / 8] >> i % 8 * 4 & 15];
#else
    char id[33];

    (void)loc;
    pyro_guid(node, id);
    memcpy(to, id + 16, 16); /* what differs where no random is */
#endif
}

/* A search that has not begun. */
static pyro_err pyroi_ns_prepare(pyro_ns_locator *loc, pyro_daemon *node,
                                 const pyro_ns_config *config,
                                 const char           *name,
                                 void (*fn)(void *user, pyro_ns_locator *loc),
                                 void *user)
{
    memset(loc, 0, sizeof *loc);
    loc->err = PYRO_ERR_NAMING;
    if (name == NULL)
        name = PYRO_NS_NAME;
    if (!pyroi_ns_runs(node))
        return PYRO_ERR_STATE;
    if (strlen(name) > PYRO_NS_MAX_NAME)
        return PYRO_ERR_NAMING;
    loc->name_ = name;
    loc->other_ = strcmp(name, PYRO_NS_NAME) != 0;
    memcpy(loc->head_, "PYRO! ", 6);
    pyroi_ns_draw(loc, node, loc->head_ + 6);
    loc->head_[PYROI_NS_HEAD - 1] = ' ';
    loc->node_ = node;
#ifdef PYRO_NS_NO_CONFIG
    (void)config;
#else
    loc->config_ = config != NULL ? config : &pyroi_ns_defaults;
#endif
    loc->fn_ = fn;
    loc->user_ = user;
    loc->timer_.fn = pyroi_ns_go_on;
    loc->timer_.user = loc;
    return PYRO_OK;
}

/* Begins with the one host whose URI is set, or, where that is "", as the
 * config says. */
static void pyroi_ns_begin(pyro_ns_locator *loc)
{
#ifdef PYRO_NS_NO_HOSTS
    loc->err = PYRO_ERR_BUSY;
    loc->state_ = PYROI_NS_ASK;
#else
    const pyro_ns_config *config = loc->config_;
    bool listed = config->hosts != NULL;

    loc->err = PYRO_ERR_BUSY;
    loc->state_ = PYROI_NS_HOST;
    if (loc->uri[0] != 0) {
        loc->at_ = "";
    } else if (!listed && !config->no_broadcast) {
        loc->state_ = PYROI_NS_ASK;
    } else {
        loc->at_ = config->hosts;
        if (!listed && loc->other_)
            loc->at_ = "";
        if (loc->at_ != NULL)
            pyroi_ns_next_listed(loc);
        else
            pyroi_ns_next_here(loc);
    }
#endif
    pyro_timer_set(loc->node_, &loc->timer_, 0);
}

PYRO_DEF pyro_err pyro_ns_look(pyro_ns_locator *loc, pyro_daemon *node,
                               const pyro_ns_config *config, const char *name,
                               void (*fn)(void *user, pyro_ns_locator *loc),
                               void *user)
{
    pyro_err err = pyroi_ns_prepare(loc, node, config, name, fn, user);

    if (err == PYRO_OK)
        pyroi_ns_begin(loc);
    return err;
}

PYRO_DEF pyro_err pyro_ns_locate(pyro_ns_locator *loc, pyro_daemon *node,
                                 const pyro_ns_config *config,
                                 const char           *name)
{
    pyro_err err = pyro_ns_look(loc, node, config, name, NULL, NULL);

    while (err == PYRO_OK && loc->err == PYRO_ERR_BUSY)
        err = pyro_poll(node, -1);
    if (err != PYRO_OK)
        pyro_ns_look_stop(loc);
    return err != PYRO_OK ? err : loc->err;
}

#endif /* PYRO_NS_NO_CLIENT */

/* ------------------------------------------------------------------------
 * >>client
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_HOSTS

/* What a client knows of a name server. */
enum {
    PYROI_NS_ALONE,  /* serverless */
    PYROI_NS_SEARCH, /* looks for it */
    PYROI_NS_PAUSE,  /* found none, will look again */
    PYROI_NS_KNOWN
};

/* An own name is */
enum {
    PYROI_NS_NEW,    /* to be registered */
    PYROI_NS_KEPT,   /* registered */
    PYROI_NS_REFUSED /* refused, or lost to another; is tried again */
};

#define PYROI_NS_NOBODY PYRO_NS_OWN /* no own name: asks for the twin */

static void pyroi_ns_event(pyro_ns *ns, pyro_ns_event event, const char *text)
{
    if (ns->config_->event != NULL)
        ns->config_->event(ns->config_->user, event, text);
}

/* Errors of the connection: the name server has gone, or may have. */
static bool pyroi_ns_is_gone(pyro_err err)
{
    return err == PYRO_ERR_CLOSED || err == PYRO_ERR_DENIED
        || err == PYRO_ERR_TIMEOUT || err == PYRO_ERR_PROTOCOL;
}

/* Whether the locator is busy with a name, or holds an answer that may still
 * be fetched. */
static bool pyroi_ns_asking(const pyro_ns *ns)
{
    return ns->asking_
        && (ns->locator_.err == PYRO_ERR_BUSY
            || pyro_now(ns->node_) - ns->since_ < PYRO_NS_HOST_MS);
}

#ifdef PYROI_NS_CLIENT5

/* Whether the name server that is known is one of Pyro5 or Pyro4. */
static bool pyroi_ns_knows5(const pyro_ns *ns)
{
    return ns->state_ == PYROI_NS_KNOWN && pyroi_ns_is5(ns->server_);
}

/* A name as a name server knows it, one of Pyro5 or ours. Gives the reason
 * why it is none. */
static const char *pyroi_ns_expand(const pyro_ns *ns, bool pyro5,
                                   const char *name, size_t n,
                                   char full[PYRO_NS_MAX_NAME + 1])
{
    if (!pyro5)
        return pyro_ns_expand(ns->config_->group, name, n, full);
    if (n > PYRO_NS_MAX_NAME)
        return "name is longer than PYRO_NS_MAX_NAME";
    memcpy(full, name, n);
    full[n] = 0;
    return NULL;
}

#else

#define pyroi_ns_knows5(ns) false
#define pyroi_ns_expand(ns, pyro5, name, n, full) \
    pyro_ns_expand((ns)->config_->group, name, n, full)

#endif

/* Everything is to be told to the name server anew. */
static void pyroi_ns_renew(pyro_ns *ns)
{
    unsigned i;

    ns->link_ = 0;
    ns->twinned_ = pyroi_ns_is5(ns->server_); /* those are alone */
    for (i = 0; i < PYRO_NS_OWN; i++)
        ns->own_[i].due = pyro_now(ns->node_);
    pyro_timer_set(ns->node_, &ns->timer_, 0);
}

static void pyroi_ns_lost(pyro_ns *ns)
{
    if (ns->state_ != PYROI_NS_KNOWN)
        return;
    ns->lost++;
    ns->link_ = 0;
    pyro_cancel(&ns->rq_);
    pyro_release(&ns->proxy_);
    ns->state_ = ns->met_ ? PYROI_NS_SEARCH : PYROI_NS_PAUSE;
    pyro_timer_set(ns->node_, &ns->timer_, ns->met_ ? 0 : PYRO_NS_PAUSE_MS);
    pyroi_ns_event(ns, PYRO_NS_LOST, ns->server_);
}

/* The search for a name server is over. */
static void pyroi_ns_searched(void *user, pyro_ns_locator *loc)
{
    pyro_ns *ns = (pyro_ns *)user;

    if (loc->err == PYRO_OK) {
        memcpy(ns->server_, loc->uri, sizeof ns->server_);
        ns->state_ = PYROI_NS_KNOWN;
        ns->twin_[0] = 0;
        ns->met_ = false;
        pyroi_ns_renew(ns);
        pyroi_ns_event(ns, PYRO_NS_FOUND, ns->server_);
    } else if (ns->twin_[0] != 0) {
        ns->twin_[0] = 0; /* was the first to be asked */
        pyro_timer_set(ns->node_, &ns->timer_, 0);
    } else {
        ns->state_ = PYROI_NS_PAUSE;
        pyro_timer_set(ns->node_, &ns->timer_, PYRO_NS_PAUSE_MS);
    }
}

/* The other of the pair is asked first, where it is known. A name that is
 * asked for at a host of its own goes before; one at the server that was lost
 * is asked for anew afterwards. */
static void pyroi_ns_search(pyro_ns *ns)
{
    if (ns->asking_ && ns->key_ != 0 && ns->locator_.err == PYRO_ERR_BUSY) {
        pyro_timer_set(ns->node_, &ns->timer_, PYRO_NS_WAIT_MS / 4);
        return;
    }
    ns->asking_ = false;
    pyro_ns_look_stop(&ns->locator_);
    ns->state_ = PYROI_NS_SEARCH;
    pyroi_ns_prepare(&ns->locator_, ns->node_, ns->config_, NULL,
                     pyroi_ns_searched, ns);
    if (ns->twin_[0] != 0)
        pyroi_ns_set_host(&ns->locator_, ns->twin_, strlen(ns->twin_));
    pyroi_ns_begin(&ns->locator_);
}

/* --- own names --- */

#ifndef PYRO_NO_SERVER

static uint32_t pyroi_ns_ttl(const pyro_ns *ns)
{
    uint32_t ms = ns->config_->ttl_ms;

    if (ms == 0)
        return PYRO_NS_TTL_MS;
    if (ms < 3000)
        return 3000;
    return ms < PYRO_MAX_MS ? ms : PYRO_MAX_MS;
}

/* What became of a registration. */
static void pyroi_ns_own_done(pyro_ns *ns, pyroi_ns_own *own, pyro_err err)
{
    uint8_t     before = own->state;
    const char *text = pyro_err_text(err);

    own->due = pyro_now(ns->node_) + pyroi_ns_ttl(ns) / 3;
    own->err = (uint8_t)err;
    own->state = err == PYRO_OK ? PYROI_NS_KEPT : PYROI_NS_REFUSED;
    if (own->state == before)
        return;
    if (err == PYRO_OK) {
        pyroi_ns_event(ns, PYRO_NS_REGISTERED, own->name);
        return;
    }
    ns->refused++;
    if (err == PYRO_ERR_REMOTE && pyro_exception(&ns->proxy_)->message[0] != 0)
        text = pyro_exception(&ns->proxy_)->message;
    else if (err == PYRO_ERR_DAEMON && ns->node_->why.text != NULL)
        text = ns->node_->why.text; /* why nobody could reach it */
    pyroi_ns_event(ns, PYRO_NS_REFUSED, text);
}

static pyro_err pyroi_ns_put_own(pyro_ns *ns, const pyroi_ns_own *own)
{
    pyro_writer *out = &ns->rq_.args;
    char         name[PYRO_NS_MAX_NAME + 1];
    char         uri[PYRO_URI_BYTES];
    pyro_err     err = pyro_uri_of(ns->node_, pyro_proxy_link(&ns->proxy_),
                                   own->object, uri, sizeof uri);

    if (err != PYRO_OK) {
        pyro_cancel(&ns->rq_);
        return err;
    }
    (void)pyroi_ns_expand(ns, pyroi_ns_knows5(ns), own->name,
                          strlen(own->name), name);
    pyro_put_str(out, name);
    pyro_put_str(out, uri);
    if (!pyroi_ns_knows5(ns)) {
        pyro_put_uint(out, pyroi_ns_ttl(ns));
        pyro_put_bool(out, true);
    }
    return PYRO_OK;
}

/* The own name that comes first, or PYROI_NS_NOBODY; *ms is when. */
static unsigned pyroi_ns_soonest(const pyro_ns *ns, uint32_t *ms)
{
    uint32_t now = pyro_now(ns->node_);
    unsigned best = PYROI_NS_NOBODY;
    int32_t  least = (int32_t)PYRO_MAX_MS;
    unsigned i;

    for (i = 0; i < PYRO_NS_OWN; i++) {
        int32_t left = (int32_t)(ns->own_[i].due - now);

        if (ns->own_[i].name == NULL || left >= least
            || (ns->wait_ != PYROI_NS_NOBODY && ns->wait_ != i))
            continue;
        least = left;
        best = i;
    }
    *ms = least > 0 ? (uint32_t)least : 0;
    return best;
}

#else

#define pyroi_ns_own_done(ns, own, err) ((void)(err))
#define pyroi_ns_put_own(ns, own)       PYRO_OK

static unsigned pyroi_ns_soonest(const pyro_ns *ns, uint32_t *ms)
{
    (void)ns;
    *ms = 0;
    return PYROI_NS_NOBODY;
}

#endif

/* --- what is told to the name server, one call at a time --- */

/* What became of a call. */
static void pyroi_ns_worked(pyro_ns *ns, pyro_err err)
{
    if (pyroi_ns_is_gone(err)) {
        pyroi_ns_lost(ns);
        return;
    }
    pyro_timer_set(ns->node_, &ns->timer_,
                   err == PYRO_ERR_BUSY ? PYROI_NS_AGAIN_MS : 0);
    if (err == PYRO_ERR_BUSY)
        return;
    if (ns->at_ == PYROI_NS_NOBODY)
        ns->twinned_ = true;
    else
        pyroi_ns_own_done(ns, &ns->own_[ns->at_], err);
}

static void pyroi_ns_answered(void *user, pyro_request *rq, pyro_err err,
                              pyro_reader *result)
{
    pyro_ns    *ns = (pyro_ns *)user;
    const char *twin;
    uint32_t    n;

    (void)rq;
    if (!pyroi_ns_is_gone(err)) {
        ns->met_ = true;
        ns->link_ = pyro_proxy_link(&ns->proxy_);
    }
    if (err == PYRO_OK && ns->at_ == PYROI_NS_NOBODY) {
        ns->twin_[0] = 0;
        twin = pyro_get_str(result, &n); /* nil: alone */
        if (n < sizeof ns->twin_) {
            memcpy(ns->twin_, twin, n);
            ns->twin_[n] = 0;
        }
    }
    pyroi_ns_worked(ns, err);
}

static void pyroi_ns_work(pyro_ns *ns)
{
    uint32_t ms = 0;
    unsigned i = PYROI_NS_NOBODY;
    pyro_err err;

    if (!pyro_done(&ns->rq_))
        return;
    if (ns->twinned_) {
        i = pyroi_ns_soonest(ns, &ms);
        if (i == PYROI_NS_NOBODY)
            return;
    }
    if (ms > 0) {
        pyro_timer_set(ns->node_, &ns->timer_, ms);
        return;
    }
    ns->at_ = (uint8_t)i;
    err = pyro_begin(&ns->rq_, &ns->proxy_,
                     i == PYROI_NS_NOBODY ? "twin" : "register");
    if (err == PYRO_ERR_NOSPACE)
        err = PYRO_ERR_BUSY; /* no buffer at the moment */
    if (err == PYRO_OK && i != PYROI_NS_NOBODY)
        err = pyroi_ns_put_own(ns, &ns->own_[i]);
    if (err == PYRO_OK)
        err = pyro_send(&ns->rq_, pyro_to_none(), pyroi_ns_answered, ns);
    if (err != PYRO_OK)
        pyroi_ns_worked(ns, err);
}

static void pyroi_ns_turn(void *user, pyro_daemon *node)
{
    pyro_ns *ns = (pyro_ns *)user;

    (void)node;
    if (ns->state_ == PYROI_NS_KNOWN)
        pyroi_ns_work(ns);
    else
        pyroi_ns_search(ns);
}

/* The name server's link has gone: it may have started anew. */
static void pyroi_ns_hooked(void *user, pyro_daemon *node, pyro_link link,
                            pyro_event event)
{
    pyro_ns *ns = (pyro_ns *)user;

    (void)node;
    if (event == PYRO_LINK_GONE && link == ns->link_
        && ns->state_ == PYROI_NS_KNOWN)
        pyroi_ns_renew(ns);
}

/* --- names of others --- */

/* The locator has found a name, or not. */
static void pyroi_ns_name_found(void *user, pyro_ns_locator *loc)
{
    pyro_ns *ns = (pyro_ns *)user;

    ns->since_ = pyro_now(ns->node_);
    if (ns->key_ == 0 && ns->state_ == PYROI_NS_KNOWN
        && pyroi_ns_is_gone((pyro_err)loc->last_)) {
        ns->asking_ = false; /* asked again when there is a name server */
        pyroi_ns_lost(ns);
    }
}

/* Has the locator find the name `full`: by the name server that is known, or
 * by that of its own host, or by broadcast. */
static pyro_err pyroi_ns_ask_name(pyro_ns *ns, const pyro_uri *name,
                                  const char *full, uint32_t key)
{
    pyro_ns_locator *loc = &ns->locator_;
    pyro_uri         server;
    pyro_err         err;

    if (ns->state_ == PYROI_NS_SEARCH) {
        pyro_ns_look_stop(loc); /* it begins again afterwards */
        pyro_timer_set(ns->node_, &ns->timer_, PYRO_NS_WAIT_MS / 4);
    }
    memcpy(ns->name_, full, strlen(full) + 1);
    err = pyroi_ns_prepare(loc, ns->node_, ns->config_, ns->name_,
                           pyroi_ns_name_found, ns);
    if (err == PYRO_OK && key != 0) {
        server = *name;
        server.protocol = PYRO_URI_PYRO;
        server.object = PYRO_NS_NAME;
        server.object_n = sizeof PYRO_NS_NAME - 1;
#ifdef PYROI_NS_CLIENT5
        if (name->pyro5) {
            server.object = PYROI_NS_SERVER5;
            server.object_n = sizeof PYROI_NS_SERVER5 - 1;
        }
#endif
        if (server.port == 0)
            server.port = PYRO_NS_PORT;
        err = pyro_uri_print(&server, loc->uri, sizeof loc->uri);
    } else if (ns->state_ == PYROI_NS_KNOWN) {
        memcpy(loc->uri, ns->server_, sizeof loc->uri);
    }
    if (err != PYRO_OK)
        return err;
    ns->asking_ = true;
    ns->key_ = key;
    pyroi_ns_begin(loc);
    return PYRO_ERR_BUSY;
}

/* Copies a URI that was found. */
static pyro_err pyroi_ns_give(const char *uri, char *to, size_t size)
{
    size_t n = strlen(uri) + 1;

    if (n > size)
        return PYRO_ERR_NOSPACE;
    memcpy(to, uri, n);
    return PYRO_OK;
}

/* Fetches the answer of the locator, which is free then. */
static pyro_err pyroi_ns_fetch(pyro_ns *ns, char *to, size_t size)
{
    const pyro_ns_locator *loc = &ns->locator_;

    ns->asking_ = false;
    if (loc->err == PYRO_OK)
        return pyroi_ns_give(loc->uri, to, size);
    if (ns->key_ != 0 && pyroi_ns_is_gone((pyro_err)loc->last_))
        return (pyro_err)loc->last_;
    pyroi_ns_why(ns->node_, "name not found", 0);
    return PYRO_ERR_NAMING;
}

/* Which name server a name is for: 0 is the one that is known. */
static uint32_t pyroi_ns_key(const pyro_uri *name)
{
    if (name->host_n == 0)
        return 0;
    return (pyro_crc32(name->port, name->host, name->host_n)
            ^ (uint32_t)name->pyro5 << 1)
         | 1;
}

static pyro_err pyroi_ns_resolver(void *user, pyro_daemon *node,
                                  const pyro_uri *name, char *to, size_t size)
{
    pyro_ns         *ns = (pyro_ns *)user;
    pyro_ns_locator *loc = &ns->locator_;
    char             full[PYRO_NS_MAX_NAME + 1];
    uint32_t         key = pyroi_ns_key(name);
    const char      *wrong =
        pyroi_ns_expand(ns, key == 0 ? pyroi_ns_knows5(ns) : name->pyro5 != 0,
                        name->object, name->object_n, full);

    if (wrong != NULL) {
        pyroi_ns_why(node, wrong, 0);
        return PYRO_ERR_NAMING;
    }
    if (key == 0 && ns->state_ == PYROI_NS_SEARCH)
        return PYRO_ERR_BUSY;
    if (key == 0 && ns->state_ == PYROI_NS_PAUSE) {
        pyroi_ns_why(node, "no name server found, see pyro_ns_tried", 0);
        return PYRO_ERR_NAMING;
    }
    if (key == 0 && ns->state_ == PYROI_NS_KNOWN
        && strcmp(full, PYRO_NS_NAME) == 0)
        return pyroi_ns_give(ns->server_, to, size);
    if (!pyroi_ns_asking(ns))
        return pyroi_ns_ask_name(ns, name, full, key);
    if (loc->err == PYRO_ERR_BUSY || key != ns->key_
        || strcmp(full, loc->name_) != 0)
        return PYRO_ERR_BUSY;
    return pyroi_ns_fetch(ns, to, size);
}

/* --- what the program calls --- */

#ifndef PYRO_NS_NO_SERVERLESS
/* Prints the object of an own name. */
static bool pyroi_ns_own_object(void *user, uint32_t ip, const char *name,
                                char object[33])
{
    const pyro_ns *ns = (const pyro_ns *)user;
    char           full[PYRO_NS_MAX_NAME + 1];
    pyro_object    found;
    unsigned       i;

    (void)ip;
    for (i = 0; i < PYRO_NS_OWN; i++) {
        const pyroi_ns_own *own = &ns->own_[i];

        if (own->name == NULL
            || pyro_ns_expand(ns->config_->group, own->name, strlen(own->name),
                              full)
                   != NULL
            || strcmp(full, name) != 0)
            continue;
        if (strlen(own->object) < 33) {
            memcpy(object, own->object, strlen(own->object) + 1);
            return true;
        }
        return pyro_find(ns->node_, own->object, strlen(own->object), &found)
            && pyro_object_id(ns->node_, found.self, object) == PYRO_OK;
    }
    return false;
}

static pyro_err pyroi_ns_open_alone(pyro_ns *ns)
{
    if (ns->config_->no_broadcast)
        return PYRO_OK;
    return pyroi_ns_answerer_open(&ns->answerer, ns->node_, 0,
                                  ns->config_->udp_port, pyroi_ns_own_object,
                                  ns);
}
#endif

/* Waits while a name server is looked for. */
static pyro_err pyroi_ns_open_known(pyro_ns *ns)
{
    pyro_daemon *node = ns->node_;
    pyro_err     err = PYRO_OK;

    pyroi_ns_search(ns);
    while (err == PYRO_OK && ns->state_ == PYROI_NS_SEARCH)
        err = pyro_poll(node, -1);
    if (err != PYRO_OK || ns->state_ == PYROI_NS_KNOWN)
        return err;
    pyroi_ns_why(node, "no name server found, see pyro_ns_tried", 0);
    return PYRO_ERR_NAMING;
}

PYRO_DEF void pyro_ns_close(pyro_ns *ns)
{
    if (ns->node_ == NULL)
        return;
    pyro_ns_look_stop(&ns->locator_);
    pyro_timer_stop(ns->node_, &ns->timer_);
    pyro_hook_drop(ns->node_, &ns->hook_);
    pyro_resolver(ns->node_, NULL, NULL);
    pyro_proxy_close(&ns->proxy_);
#ifndef PYRO_NS_NO_SERVERLESS
    pyroi_ns_answerer_close(&ns->answerer);
#endif
    ns->node_ = NULL;
    ns->state_ = PYROI_NS_ALONE; /* ends what waits on the stack */
}

PYRO_DEF pyro_err pyro_ns_open(pyro_ns *ns, pyro_daemon *node,
                               const pyro_ns_config *config)
{
    char     full[PYRO_NS_MAX_NAME + 1];
    pyro_err err;

    memset(ns, 0, sizeof *ns);
    ns->config_ = config != NULL ? config : &pyroi_ns_defaults;
    ns->wait_ = PYROI_NS_NOBODY;
    ns->timer_.fn = pyroi_ns_turn;
    ns->hook_.fn = pyroi_ns_hooked;
    ns->timer_.user = ns->hook_.user = ns;
    if (pyro_port_of(node) == NULL
        || pyro_ns_expand(ns->config_->group, "", 0, full) != NULL) {
        pyroi_ns_why(node, "no port yet, or no group", 0);
        return PYRO_ERR_STATE;
    }
    err = pyro_proxy_open(&ns->proxy_, node, "PYRONAME://" PYRO_NS_NAME);
    if (err != PYRO_OK)
        return err;
    ns->node_ = node;
    pyro_hook_add(node, &ns->hook_);
    pyro_resolver(node, pyroi_ns_resolver, ns);
#ifndef PYRO_NS_NO_SERVERLESS
    if (ns->config_->serverless)
        err = pyroi_ns_open_alone(ns);
    else
#endif
        err = pyroi_ns_open_known(ns);
    if (err != PYRO_OK && err != PYRO_ERR_NAMING)
        pyro_ns_close(ns);
    return err;
}

/* Calls the name server. When it turns out to be gone before it got the call,
 * the next one found gets it. */
static pyro_err pyroi_ns_invoke(pyro_ns *ns, const char *method,
                                pyro_args args, pyro_slot result)
{
    pyro_err err = pyro_invoke(&ns->proxy_, method, args, result);

    if (!pyroi_ns_is_gone(err))
        return err;
    pyroi_ns_lost(ns);
    if (pyro_sent(&ns->proxy_))
        return err;
    return pyro_invoke(&ns->proxy_, method, args, result);
}

/* Prints the full name, or says why that is none. */
static pyro_err pyroi_ns_full(pyro_ns *ns, const char *name,
                              char full[PYRO_NS_MAX_NAME + 1])
{
    const char *wrong =
        pyroi_ns_expand(ns, pyroi_ns_knows5(ns), name, strlen(name), full);

    if (wrong == NULL)
        return PYRO_OK;
    pyroi_ns_why(ns->node_, wrong, 0);
    return PYRO_ERR_NAMING;
}

#ifndef PYRO_NO_SERVER

/* The own name `name`, or a free place for NULL; PYROI_NS_NOBODY: none. */
static unsigned pyroi_ns_own_of(const pyro_ns *ns, const char *name)
{
    unsigned i = 0;

    while (i < PYRO_NS_OWN
           && (name == NULL || ns->own_[i].name == NULL
                   ? ns->own_[i].name != name
                   : strcmp(ns->own_[i].name, name) != 0))
        i++;
    return i;
}

/* An own name is kept no more. */
static void pyroi_ns_own_drop(pyro_ns *ns, unsigned i)
{
    ns->own_[i].name = NULL;
    if (ns->at_ == i)
        pyro_cancel(&ns->rq_);
}

/* Waits until an own name is registered or refused. */
static pyro_err pyroi_ns_own_wait(pyro_ns *ns, unsigned i)
{
    pyro_daemon  *node = ns->node_;
    pyroi_ns_own *own = &ns->own_[i];
    uint8_t       outer = ns->wait_;
    uint32_t      start = pyro_now(node);
    pyro_err      err = PYRO_OK;

    ns->wait_ = (uint8_t)i;
    while (err == PYRO_OK && ns->state_ == PYROI_NS_KNOWN
           && own->state == PYROI_NS_NEW) {
        err = pyro_poll(node, (int32_t)ns->proxy_.timeout_ms);
        if (pyro_now(node) - start >= 2 * ns->proxy_.timeout_ms)
            break; /* no buffer all the time */
    }
    ns->wait_ = outer;
    if (ns->state_ == PYROI_NS_KNOWN)
        pyro_timer_set(ns->node_, &ns->timer_, 0);
    if (err != PYRO_OK)
        return err;
    return own->state == PYROI_NS_NEW ? PYRO_ERR_NAMING : (pyro_err)own->err;
}

PYRO_DEF pyro_err pyro_ns_register(pyro_ns *ns, const char *name,
                                   const char *object)
{
    char          full[PYRO_NS_MAX_NAME + 1];
    unsigned      i = pyroi_ns_own_of(ns, name);
    pyroi_ns_own *own;
    pyro_err      err = pyroi_ns_full(ns, name, full);

    if (err != PYRO_OK)
        return err;
    if (i == PYROI_NS_NOBODY)
        i = pyroi_ns_own_of(ns, NULL);
    if (i == PYROI_NS_NOBODY) {
        pyroi_ns_why(ns->node_, "too many names: raise PYRO_NS_OWN",
                     PYRO_NS_OWN);
        return PYRO_ERR_NOSPACE;
    }
    own = &ns->own_[i];
    pyroi_ns_own_drop(ns, i); /* what is under way has the object of before */
    own->name = name;
    own->object = object;
    own->state = PYROI_NS_NEW;
    own->due = pyro_now(ns->node_);
    if (ns->state_ == PYROI_NS_ALONE)
        return PYRO_OK;
    if (ns->state_ == PYROI_NS_KNOWN)
        pyro_timer_set(ns->node_, &ns->timer_, 0);
    err = pyroi_ns_own_wait(ns, i);
    if (err != PYRO_OK && err != PYRO_ERR_NAMING)
        pyroi_ns_own_drop(ns, i);
    return err;
}

PYRO_DEF pyro_err pyro_ns_unregister(pyro_ns *ns, const char *name)
{
    char     full[PYRO_NS_MAX_NAME + 1];
    unsigned i = pyroi_ns_own_of(ns, name);
    pyro_err err = pyroi_ns_full(ns, name, full);

    if (i != PYROI_NS_NOBODY)
        pyroi_ns_own_drop(ns, i);
    if (err != PYRO_OK || ns->state_ == PYROI_NS_ALONE)
        return err;
    err = pyroi_ns_invoke(ns, pyroi_ns_knows5(ns) ? "remove" : "unregister",
                          PYRO_ARGS(pyro_str(full)), pyro_to_none());
    if (ns->state_ == PYROI_NS_KNOWN)
        pyro_timer_set(ns->node_, &ns->timer_, 0);
    return err;
}

#endif

/* As a proxy would, waiting. */
static pyro_err pyroi_ns_find_out(pyro_ns *ns, const char *full, char *to,
                                  size_t size)
{
    pyro_daemon *node = ns->node_;
    uint32_t     start = pyro_now(node);
    pyro_uri     name;
    pyro_err     err;

    memset(&name, 0, sizeof name);
    name.protocol = PYRO_URI_NAME;
    name.object = full;
    name.object_n = (uint8_t)strlen(full);
    do
        err = pyroi_ns_resolver(ns, node, &name, to, size);
    while (
        err == PYRO_ERR_BUSY && pyro_now(node) - start < ns->proxy_.timeout_ms
        && pyro_poll(node, PYROI_NS_AGAIN_MS) == PYRO_OK && ns->node_ != NULL);
    return err;
}

PYRO_DEF pyro_err pyro_ns_resolve(pyro_ns *ns, const char *name, char *to,
                                  size_t size)
{
    char     full[PYRO_NS_MAX_NAME + 1];
    pyro_err err = pyroi_ns_full(ns, name, full);

    if (err != PYRO_OK)
        return err;
    if (ns->state_ == PYROI_NS_ALONE || pyroi_ns_knows5(ns))
        return pyroi_ns_find_out(ns, full, to, size);
    return pyroi_ns_invoke(ns, "resolve", PYRO_ARGS(pyro_str(full)),
                           pyro_to_str(to, size));
}

/* --- lists --- */

typedef struct pyroi_ns_listing {
    pyro_ns_list_fn fn;
    void           *user;
    uint32_t        next;
    pyro_err        err;
} pyroi_ns_listing;

#ifdef PYROI_NS_CLIENT5
/* All names of a name server of Pyro5: {name: uri}. */
static void pyroi_ns_list_map(pyroi_ns_listing *l, pyro_reader *result)
{
    uint32_t left = pyro_get_map(result, UINT32_MAX);

    for (; left > 0 && result->err == PYRO_OK; left--) {
        uint32_t    n;
        const char *name = pyro_get_str(result, &n);

        pyro_skip(result);
        if (result->err == PYRO_OK)
            l->fn(l->user, name, n, false);
    }
    l->err = (pyro_err)result->err;
}
#endif

/* Takes one page: [next, [[name, type], ...]]. */
static void pyroi_ns_list_page(void *user, pyro_request *rq, pyro_err err,
                               pyro_reader *result)
{
    pyroi_ns_listing *l = (pyroi_ns_listing *)user;
    uint32_t          next;
    uint32_t          left;

    (void)rq;
    if (err != PYRO_OK)
        return;
#ifdef PYROI_NS_CLIENT5
    if (pyro_peek(result) == PYRO_MAP) {
        pyroi_ns_list_map(l, result);
        return;
    }
#endif
    pyro_get_list(result, 2);
    next = (uint32_t)pyro_get_i32(result);
    left = pyro_get_list(result, UINT32_MAX);
    for (; left > 0 && result->err == PYRO_OK; left--) {
        uint32_t    n;
        const char *name;
        int32_t     type;

        pyro_get_list(result, 2);
        name = pyro_get_str(result, &n);
        type = pyro_get_i32(result);
        if (result->err == PYRO_OK)
            l->fn(l->user, name, n, type == 0);
    }
    l->err = (pyro_err)result->err;
    if (next != 0 && next <= l->next)
        l->err = PYRO_ERR_DATA; /* would never end */
    l->next = next;
}

static pyro_err pyroi_ns_list_from(pyro_ns *ns, const char *full,
                                   pyroi_ns_listing *l)
{
    pyro_request rq;
    pyro_daemon *node = ns->node_;
    uint32_t     start = pyro_now(node);
    pyro_err     err;

    do
        err = pyro_begin(&rq, &ns->proxy_, "list");
    while ((err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY)
           && pyro_now(node) - start < ns->proxy_.timeout_ms
           && pyro_poll(node, PYROI_NS_AGAIN_MS) == PYRO_OK
           && ns->node_ != NULL);
    if (err != PYRO_OK)
        return err;
    pyro_put_str(&rq.args, full);
    if (!pyroi_ns_knows5(ns))
        pyro_put_uint(&rq.args, l->next);
    err = pyro_send(&rq, pyro_to_none(), pyroi_ns_list_page, l);
    if (err == PYRO_OK)
        err = pyro_wait(&rq);
    return err != PYRO_OK ? err : l->err;
}

PYRO_DEF pyro_err pyro_ns_list(pyro_ns *ns, const char *group,
                               pyro_ns_list_fn fn, void *user)
{
    char             full[PYRO_NS_MAX_NAME + 1];
    pyroi_ns_listing l;
    pyro_err         err = pyroi_ns_full(ns, group != NULL ? group : "", full);

    l.fn = fn;
    l.user = user;
    l.next = 0;
    l.err = PYRO_OK;
    if (err == PYRO_OK) /* finds another name server, if need be */
        err = pyroi_ns_invoke(ns, "ping", PYRO_NO_ARGS, pyro_to_none());
    if (err == PYRO_OK && ns->node_ == NULL)
        err = PYRO_ERR_CLOSED;
    if (err != PYRO_OK)
        return err;
    do
        err = pyroi_ns_list_from(ns, full, &l);
    while (err == PYRO_OK && l.next != 0 && ns->node_ != NULL);
    return err;
}

PYRO_DEF pyro_proxy *pyro_ns_proxy(pyro_ns *ns)
{
    return &ns->proxy_;
}

PYRO_DEF const char *pyro_ns_tried(const pyro_ns *ns)
{
#if PYRO_NS_TRIED_BYTES > 0
    if (ns->state_ != PYROI_NS_KNOWN)
        return ns->locator_.tried;
#else
    (void)ns;
#endif
    return "";
}

#endif /* PYRO_NS_NO_HOSTS */

#ifndef PYRO_NS_NO_SERVER

/* ------------------------------------------------------------------------
 * >>table: the names
 *
 * Nodes are found by hash of their full name and never move, so that a list
 * can be taken in pages. Their texts lie one behind the other in the bytes:
 * index of the node (0xFFFF: a hole), name, URI, each with a zero byte, and
 * the metadata behind its length. A URI PYRO://... is kept without "PYRO:/",
 * a group has "", the server itself ".". Holes are closed when no room is
 * left at the end.
 * ------------------------------------------------------------------------ */

static const pyro_ns_server_config pyroi_ns_server_defaults = {
    NULL, NULL, NULL, 0, false, false, 0, 0, false, 0, NULL, NULL, NULL, NULL
};

#define PYROI_NS_TOMB 0x80000000u /* deleted, the pair does not know yet */
#ifndef PYRO_NS_NO_GROUPS
#define PYROI_NS_GROUP 0x40000000u
#else
#define PYROI_NS_GROUP 0u
#endif
#define PYROI_NS_DIRTY 0x20000000u /* to be told to the pair */
#if PYRO_NS_MAX_META > 0
#define PYROI_NS_META 0x10000000u
#else
#define PYROI_NS_META 0u
#endif
#define PYROI_NS_FREE 0xFFFFFFFFu /* the text of a node that is none */
#if defined(PYROI_NS_COPIES) || !defined(PYRO_NS_NO_GROUPS) \
    || PYRO_NS_MAX_META > 0
#define PYROI_NS_AT 0x0FFFFFFFu
#else
#define PYROI_NS_AT 0xFFFFFFFFu /* a name that is there has no flags */
#endif

#define PYROI_NS_HOLE 0xFFFFu

#define PYROI_NS_PREFIX   "PYRO:/"
#define PYROI_NS_PREFIX_N 6u

/* Whether all URIs begin so: only text is one, all names are others' objects */
#if defined(PYRO_NO_URI) && defined(PYRO_NS_NO_NETS) \
    && defined(PYRO_NS_NO_GROUPS)
#define PYROI_NS_ALIKE true
#else
#define PYROI_NS_ALIKE false
#endif

/* A change: what is registered, deleted, journalled and told to the pair. No
 * text of it lies in the table's bytes, which may move. */
typedef struct pyroi_ns_entry {
    const char *name;
    const char *uri;  /* full text; "": a group; NULL: deleted */
    const void *meta; /* encoded, or NULL */
    uint32_t    name_n;
    uint32_t    uri_n;
    uint32_t    meta_n;
    uint32_t    version;
    uint32_t    seconds; /* of the lease, 0: none; deleted: 1 is for good */
    uint32_t    left_ms;
} pyroi_ns_entry;

/* What is registered (uri "": a group), for ever. */
static void pyroi_ns_entry_of(pyroi_ns_entry *e, const char *name, size_t n,
                              const char *uri, size_t uri_n)
{
    e->name = name;
    e->uri = uri;
    e->meta = NULL;
    e->name_n = (uint32_t)n;
    e->uri_n = (uint32_t)uri_n;
    e->meta_n = 0;
    e->version = 0;
    e->seconds = 0;
    e->left_ms = 0;
}

static bool pyroi_ns_has_meta(const pyroi_ns_entry *e)
{
    return PYROI_NS_META != 0 && e->meta != NULL;
}

/* Room for the texts of an entry that are read out of the table. */
typedef struct pyroi_ns_copy {
    pyroi_ns_entry entry;
    char           name[PYRO_NS_MAX_NAME + 1];
    char           uri[PYRO_URI_BYTES];
#if PYRO_NS_MAX_META > 0
    uint8_t meta[PYRO_NS_MAX_META];
#endif
} pyroi_ns_copy;

static const char *pyroi_ns_name_of(const pyro_ns_server *ns, unsigned i)
{
    const uint8_t *at =
        ns->room_.bytes + (ns->room_.nodes[i].text & PYROI_NS_AT);

    return (const char *)at + 2;
}

static const char *pyroi_ns_uri_of(const pyro_ns_server *ns, unsigned i)
{
    const char *name = pyroi_ns_name_of(ns, i);

    return name + strlen(name) + 1;
}

static bool pyroi_ns_has(const pyro_ns_server *ns, unsigned i, uint32_t flag)
{
    return (ns->room_.nodes[i].text & flag) != 0;
}

static bool pyroi_ns_used(const pyro_ns_server *ns, unsigned i)
{
    return ns->room_.nodes[i].text != PYROI_NS_FREE;
}

/* In use, and not deleted. A free node looks deleted. */
static bool pyroi_ns_live(const pyro_ns_server *ns, unsigned i)
{
    return !pyroi_ns_has(ns, i, PYROI_NS_TOMB);
}

/* The same of one that is in use. */
static bool pyroi_ns_is_tomb(const pyro_ns_server *ns, unsigned i)
{
#ifdef PYROI_NS_COPIES
    return !pyroi_ns_live(ns, i);
#else
    (void)ns;
    (void)i;
    return false;
#endif
}

static bool pyroi_ns_is_self(const pyro_ns_server *ns, unsigned i)
{
#ifdef PYRO_NS_NO_NETS
    (void)ns;
    (void)i;
    return false;
#else
    return pyroi_ns_uri_of(ns, i)[0] == '.';
#endif
}

#if !defined(PYRO_NS_NO_GROUPS) || defined(PYROI_NS_COPIES)
/* What belongs to the server itself stays as it is. */
static bool pyroi_ns_is_fixed(const pyro_ns_server *ns, unsigned i)
{
    const char *name = pyroi_ns_name_of(ns, i);

    return pyroi_ns_is_self(ns, i)
        || (PYROI_NS_GROUP != 0
            && (name[1] == 0 || strcmp(name, ":Pyro") == 0
                || strcmp(name, ns->group_) == 0));
}
#endif

/* Chain of all names with this hash. */
static uint16_t *pyroi_ns_chain(const pyro_ns_server *ns, const char *name,
                                size_t n)
{
    uint32_t hash = pyro_crc32(0, name, n);

    return ns->room_.first + ((hash >> 16) * ns->room_.n_nodes >> 16);
}

/* Whether a text is these n bytes. */
static bool pyroi_ns_is(const char *text, const char *bytes, size_t n)
{
    return strlen(text) == n && memcmp(text, bytes, n) == 0;
}

/* Index of a full name, deleted or not; n_nodes: there is none. */
static unsigned pyroi_ns_find(const pyro_ns_server *ns, const char *name,
                              size_t n)
{
    unsigned at = *pyroi_ns_chain(ns, name, n);

    while (at != 0 && !pyroi_ns_is(pyroi_ns_name_of(ns, at - 1), name, n))
        at = ns->room_.nodes[at - 1].next;
    return at != 0 ? at - 1 : ns->room_.n_nodes;
}

static unsigned pyroi_ns_find_live(const pyro_ns_server *ns, const char *name,
                                   size_t n)
{
    unsigned i = pyroi_ns_find(ns, name, n);

    return i < ns->room_.n_nodes && pyroi_ns_is_tomb(ns, i) ? ns->room_.n_nodes
                                                            : i;
}

/* --- texts --- */

/* Bytes that the texts of a node take. */
static uint32_t pyroi_ns_bytes(const pyro_ns_server *ns, unsigned i)
{
    const char *uri = pyroi_ns_uri_of(ns, i);
    const char *end = uri + strlen(uri) + 1;
    uint32_t    n = (uint32_t)(end - pyroi_ns_name_of(ns, i)) + 2;

    return pyroi_ns_has(ns, i, PYROI_NS_META) ? n + 1u + (uint8_t)*end : n;
}

/* A hole keeps its length, in the place of the name. It is at least 4 bytes,
 * as the shortest name has one. */
static void pyroi_ns_free_text(pyro_ns_server *ns, unsigned i)
{
    uint32_t at = ns->room_.nodes[i].text & PYROI_NS_AT;
    uint32_t n = pyroi_ns_bytes(ns, i);
    uint8_t *p = ns->room_.bytes + at;

    p[0] = p[1] = PYROI_NS_HOLE & 0xFF;
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    ns->dead_ += n;
}

static void pyroi_ns_close_holes(pyro_ns_server *ns)
{
    uint32_t from = 0;
    uint32_t to = 0;

    while (from < ns->used_) {
        uint8_t *p = ns->room_.bytes + from;
        uint32_t i = (uint32_t)p[0] << 8 | p[1];
        uint32_t n;

        if (i == PYROI_NS_HOLE) {
            from += (uint32_t)p[2] << 8 | p[3];
            continue;
        }
        n = pyroi_ns_bytes(ns, i);
        memmove(ns->room_.bytes + to, p, n);
        ns->room_.nodes[i].text -= from - to;
        from += n;
        to += n;
    }
    ns->used_ = to;
    ns->dead_ = 0;
}

/* Bytes of a URI that are not kept. Where only text is taken for one, it
 * begins so. */
static uint32_t pyroi_ns_left_out(const pyroi_ns_entry *e)
{
    bool is = PYROI_NS_ALIKE || e->uri_n > PYROI_NS_PREFIX_N;

#ifndef PYRO_NO_URI
    is = is && memcmp(e->uri, PYROI_NS_PREFIX, PYROI_NS_PREFIX_N) == 0;
#endif
    return is ? PYROI_NS_PREFIX_N : 0;
}

static uint32_t pyroi_ns_entry_bytes(const pyroi_ns_entry *e)
{
    uint32_t n = 2 + e->name_n + 1 + e->uri_n - pyroi_ns_left_out(e) + 1;

    return pyroi_ns_has_meta(e) ? n + 1 + e->meta_n : n;
}

/* Writes the texts of node i behind the last ones; there is room. */
static void pyroi_ns_put_text(pyro_ns_server *ns, unsigned i,
                              const pyroi_ns_entry *e)
{
    uint32_t skip = pyroi_ns_left_out(e);
    uint32_t n = pyroi_ns_entry_bytes(e);
    uint8_t *p;

    if (ns->used_ + n > ns->room_.n_bytes)
        pyroi_ns_close_holes(ns);
    p = ns->room_.bytes + ns->used_;
    ns->room_.nodes[i].text = ns->used_;
    ns->used_ += n;
    *p++ = (uint8_t)(i >> 8);
    *p++ = (uint8_t)i;
    memcpy(p, e->name, e->name_n);
    p += e->name_n;
    *p++ = 0;
    if (e->uri_n > skip)
        memcpy(p, e->uri + skip, e->uri_n - skip);
    p += e->uri_n - skip;
    *p++ = 0;
    if (!pyroi_ns_has_meta(e))
        return;
    *p++ = (uint8_t)e->meta_n;
    memcpy(p, e->meta, e->meta_n);
    ns->room_.nodes[i].text |= PYROI_NS_META;
}

/* --- leases: whole seconds up to 2^15, then minutes --- */

#ifdef PYRO_NS_NO_LEASES
#define pyroi_ns_lease(ns, i, seconds, left_ms) (void)0
#else

static uint16_t pyroi_ns_pack(uint32_t seconds)
{
#ifdef PYROI_NS_READS
    return (uint16_t)(seconds < 0x8000 ? seconds
                                       : 0x8000 | (seconds + 59) / 60);
#else
    return seconds != 0; /* nobody asks how long it was */
#endif
}

/* Has the timer run when a lease is due, in so many ms, or before. */
PYROI_NS_SHARED static void pyroi_ns_wake(pyro_ns_server *ns, uint32_t due,
                                          uint32_t ms)
{
    if (ns->leases_ && (int32_t)(ns->soonest_ - due) <= 0)
        return;
    ns->leases_ = true;
    ns->soonest_ = due;
    pyro_timer_set(ns->node_, &ns->timer_,
                   ms < PYRO_MAX_MS ? ms : PYRO_MAX_MS);
}

static void pyroi_ns_lease(pyro_ns_server *ns, unsigned i, uint32_t seconds,
                           uint32_t left_ms)
{
    pyroi_ns_node *nd = &ns->room_.nodes[i];
    uint32_t now = pyro_now(ns->node_);

    nd->ttl = pyroi_ns_pack(seconds);
    if (seconds == 0)
        return;
    nd->due = now + left_ms;
    pyroi_ns_wake(ns, nd->due, left_ms);
}

#endif

/* --- nodes --- */

/* Whether a change is of a name that is there already: where nobody reads what
 * a name has, only refreshes are. */
static bool pyroi_ns_is_there(const pyro_ns_server *ns, unsigned i)
{
#ifdef PYROI_NS_READS
    return i < ns->room_.n_nodes;
#else
    (void)ns;
    (void)i;
    return false;
#endif
}

/* What a change wants that is not there; NULL: it fits. */
static const char *pyroi_ns_lacks(const pyro_ns_server *ns, unsigned i,
                                  const pyroi_ns_entry *e)
{
    uint32_t have = ns->room_.n_bytes - ns->used_ + ns->dead_;

    if (pyroi_ns_is_there(ns, i))
        have += pyroi_ns_bytes(ns, i);
    else if (ns->free_ == 0)
        return PYROI_NS_T("out of names, raise PYRO_NS_ROOM");
    return pyroi_ns_entry_bytes(e) > have
             ? PYROI_NS_T("out of bytes, raise PYRO_NS_ROOM")
             : NULL;
}

/* Puts an entry at index i, or into a new node when i is n_nodes. It fits:
 * pyroi_ns_lacks. Returns its index. */
static unsigned pyroi_ns_set(pyro_ns_server *ns, unsigned i,
                             const pyroi_ns_entry *e)
{
    pyroi_ns_node *nd;

    if (pyroi_ns_is_there(ns, i)) {
        ns->stats.names -= !pyroi_ns_is_tomb(ns, i);
        pyroi_ns_free_text(ns, i);
    } else {
        uint16_t *chain = pyroi_ns_chain(ns, e->name, e->name_n);

        i = ns->free_ - 1u;
        ns->free_ = ns->room_.nodes[i].next;
        ns->room_.nodes[i].next = *chain;
        *chain = (uint16_t)(i + 1);
    }
    nd = &ns->room_.nodes[i];
    pyroi_ns_put_text(ns, i, e);
    if (e->uri_n == 0)
        nd->text |= PYROI_NS_GROUP;
#ifdef PYROI_NS_COPIES
    nd->version = e->version;
#endif
    ns->stats.names++;
    pyroi_ns_lease(ns, i, e->seconds, e->left_ms);
    return i;
}

static void pyroi_ns_drop(pyro_ns_server *ns, unsigned i)
{
    const char *name = pyroi_ns_name_of(ns, i);
    uint16_t   *chain = pyroi_ns_chain(ns, name, strlen(name));

    while (*chain != i + 1)
        chain = &ns->room_.nodes[*chain - 1].next;
    *chain = ns->room_.nodes[i].next;
    ns->stats.names -= !pyroi_ns_is_tomb(ns, i);
    pyroi_ns_free_text(ns, i);
    ns->room_.nodes[i].text = PYROI_NS_FREE;
#ifdef PYROI_NS_COPIES
    ns->room_.nodes[i].version = 0;
#endif
    ns->room_.nodes[i].next = ns->free_;
    ns->free_ = (uint16_t)(i + 1);
}

/* What it is to be like. */
static const pyro_ns_server_config *pyroi_ns_set_up(const pyro_ns_server *ns)
{
#ifdef PYRO_NS_NO_CONFIG
    (void)ns;
    return &pyroi_ns_server_defaults;
#else
    return ns->config_;
#endif
}

static bool pyroi_ns_paired(const pyro_ns_server *ns)
{
#ifdef PYRO_NS_NO_PAIR
    (void)ns;
    return false;
#else
    return ns->config_->twin != NULL;
#endif
}

/* Deleted at a version: a tombstone for the pair, or nothing is left. */
static void pyroi_ns_bury(pyro_ns_server *ns, unsigned i, uint32_t version)
{
#ifdef PYROI_NS_COPIES
    pyroi_ns_node *nd = &ns->room_.nodes[i];

    if (pyroi_ns_paired(ns)) {
        ns->stats.names -= pyroi_ns_live(ns, i);
        nd->text |= PYROI_NS_TOMB | PYROI_NS_DIRTY;
        nd->version = version;
        return;
    }
#else
    (void)version;
#endif
    pyroi_ns_drop(ns, i);
}

/* Whether a full name lies below a group, at any depth. */
static bool pyroi_ns_below(const char *name, const char *group, size_t n)
{
    if (n == 1)
        return name[1] != 0;
    return strncmp(name, group, n) == 0 && name[n] == '.';
}

#if !defined(PYRO_NS_NO_GROUPS) || defined(PYROI_NS_COPIES)
/* The next node below a group, from index i on, that has all of these flags;
 * without flags one that is live. n_nodes: there is none. */
static unsigned pyroi_ns_next_below(const pyro_ns_server *ns, unsigned i,
                                    const char *group, uint32_t flags)
{
    size_t n = strlen(group);

    for (; i < ns->room_.n_nodes; i++) {
        if (pyroi_ns_used(ns, i)
            && (flags != 0 ? (ns->room_.nodes[i].text & flags) == flags
                           : pyroi_ns_live(ns, i))
            && pyroi_ns_below(pyroi_ns_name_of(ns, i), group, n))
            break;
    }
    return i;
}
#endif

/* The URI that a node holds: "." is the server's own. */
static void pyroi_ns_read_uri(const pyro_ns_server *ns, unsigned i,
                              char to[PYRO_URI_BYTES])
{
    const char *uri = pyroi_ns_uri_of(ns, i);

    memcpy(to, PYROI_NS_PREFIX, PYROI_NS_PREFIX_N);
    to[PYROI_NS_ALIKE || uri[0] == '/' ? PYROI_NS_PREFIX_N : 0] = 0;
    pyroi_ns_add(to, PYRO_URI_BYTES, uri);
}

#ifdef PYROI_NS_READS
#ifndef PYRO_NS_NO_LEASES
static uint32_t pyroi_ns_seconds(uint16_t ttl)
{
    return ttl < 0x8000 ? ttl : (ttl & 0x7FFFu) * 60u;
}
#endif

/* Fills *c with copies of all that a node holds. */
static const pyroi_ns_entry *pyroi_ns_read(const pyro_ns_server *ns,
                                           unsigned i, pyroi_ns_copy *c)
{
    const pyroi_ns_node *nd = &ns->room_.nodes[i];
    pyroi_ns_entry      *e = &c->entry;
#ifndef PYRO_NS_NO_LEASES
    uint32_t left = nd->due - pyro_now(ns->node_);
#endif

    memset(c, 0, sizeof *c);
    pyroi_ns_add(c->name, sizeof c->name, pyroi_ns_name_of(ns, i));
    pyroi_ns_read_uri(ns, i, c->uri);
    e->name = c->name;
    e->name_n = (uint32_t)strlen(c->name);
    e->uri = (nd->text & PYROI_NS_TOMB) != 0 ? NULL : c->uri;
    e->uri_n = e->uri == NULL ? 0 : (uint32_t)strlen(c->uri);
#ifdef PYROI_NS_COPIES
    e->version = nd->version;
#endif
#ifndef PYRO_NS_NO_LEASES
    e->seconds = e->uri == NULL ? 0 : pyroi_ns_seconds(nd->ttl);
    e->left_ms = e->seconds == 0 || (int32_t)left <= 0 ? 0 : left;
#endif
#if PYRO_NS_MAX_META > 0
    if ((nd->text & PYROI_NS_META) != 0) {
        const char *uri = pyroi_ns_uri_of(ns, i);
        const char *meta = uri + strlen(uri) + 1;

        e->meta_n = (uint8_t)meta[0];
        memcpy(c->meta, meta + 1, e->meta_n);
        e->meta = c->meta;
    }
#endif
    return e;
}
#endif

#ifdef PYROI_NS_COPIES

/* --- entries as bytes: in the journal and for the pair --- */

#define PYROI_NS_BODY                                              \
    (1 + 5 + 2 + PYRO_NS_MAX_NAME + 2 + PYRO_URI_BYTES + 5 + 5 + 1 \
     + PYRO_NS_MAX_META)

static void pyroi_ns_put_entry(pyro_writer *out, const pyroi_ns_entry *e)
{
    pyro_put_list(out, 6);
    pyro_put_uint(out, e->version);
    pyro_put_strn(out, e->name, e->name_n);
    if (e->uri != NULL)
        pyro_put_strn(out, e->uri, e->uri_n);
    else
        pyro_put_nil(out);
    pyro_put_uint(out, e->seconds);
    pyro_put_uint(out, e->left_ms);
    if (e->meta != NULL)
        pyro_put_raw(out, e->meta, e->meta_n);
    else
        pyro_put_nil(out);
}

static uint32_t pyroi_ns_get_u32(pyro_reader *in, uint32_t most)
{
    uint64_t v = pyro_get_u64(in);

    if (v > most && in->err == 0)
        in->err = PYRO_ERR_DATA;
    return in->err != 0 ? 0 : (uint32_t)v;
}

/* Longest lease: 2^30 ms. */
#define PYROI_NS_SECONDS 1073742u

/* Takes an entry that came from outside. False: it is none, or its name or
 * URI is not one. */
static bool pyroi_ns_get_entry(pyro_reader *in, pyroi_ns_entry *e)
{
    bool parts = pyro_get_list(in, 6) == 6;

    memset(e, 0, sizeof *e);
    e->version = pyroi_ns_get_u32(in, 0xFFFFFFFF);
    e->name = pyro_get_str(in, &e->name_n);
    if (pyro_peek(in) == PYRO_NIL)
        pyro_get_nil(in);
    else
        e->uri = pyro_get_str(in, &e->uri_n);
    e->seconds = pyroi_ns_get_u32(in, PYROI_NS_SECONDS);
    e->left_ms = pyroi_ns_get_u32(in, PYROI_NS_SECONDS * 1000u);
    if (pyro_peek(in) != PYRO_NIL)
        e->meta = pyro_get_raw(in, &e->meta_n);
    else
        pyro_get_nil(in);
    return parts && in->err == 0 && e->version > 1 && e->name_n > 1
        && e->name_n <= PYRO_NS_MAX_NAME && e->name[0] == ':'
        && pyroi_ns_wrong(e->name, e->name_n) == NULL
        && e->meta_n <= PYRO_NS_MAX_META
        && (e->uri_n == 0 || pyroi_ns_is_uri(e->uri, e->uri_n));
}

#endif

#if !defined(PYRO_NS_NO_NETS) || !defined(PYRO_NS_NO_GROUPS)
/* Why it cannot start, for people; returns the error. */
static pyro_err pyroi_ns_no_start(pyro_ns_server *ns, pyro_err err,
                                  const char *text, uint32_t is)
{
    pyroi_ns_why(ns->node_, text, is);
    return err;
}
#endif

/* ------------------------------------------------------------------------
 * >>journal
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_STORAGE

/* Applies a change that has its version already, from the journal or the
 * pair: the larger version wins, whatever comes first. NULL, or what it
 * lacks room for. */
static const char *pyroi_ns_apply(pyro_ns_server *ns, const pyroi_ns_entry *e,
                                  uint32_t mark);
static const char *pyroi_ns_revive(pyro_ns_server       *ns,
                                   const pyroi_ns_entry *e);

#define PYROI_NS_BEFORE 4u /* length and its complement */
#define PYROI_NS_AFTER  4u /* CRC */
#define PYROI_NS_RECORD (PYROI_NS_BEFORE + PYROI_NS_BODY + PYROI_NS_AFTER)

/* Writes a record of an entry; returns its bytes. Room: PYROI_NS_RECORD. */
static uint32_t pyroi_ns_record(uint8_t *to, const pyroi_ns_entry *e)
{
    pyro_writer out = pyro_writer_of(to + PYROI_NS_BEFORE, PYROI_NS_BODY, 1);
    uint32_t    n;
    uint32_t    crc;

    pyroi_ns_put_entry(&out, e);
    PYRO_ASSERT(pyro_writer_end(&out) == PYRO_OK);
    n = (uint32_t)(out.at - to);
    to[0] = (uint8_t)((n - PYROI_NS_BEFORE) >> 8);
    to[1] = (uint8_t)(n - PYROI_NS_BEFORE);
    to[2] = (uint8_t)~to[0];
    to[3] = (uint8_t)~to[1];
    crc = pyro_crc32(0, to, n);
    for (int shift = 24; shift >= 0; shift -= 8)
        to[n++] = (uint8_t)(crc >> shift);
    return n;
}

/* Writes all that is known as a new journal. A failure leaves the old one,
 * and is tried again when that has grown by half. */
static bool pyroi_ns_replace(pyro_ns_server *ns)
{
    const pyro_ns_storage *st = ns->config_->storage;
    uint8_t                record[PYROI_NS_RECORD];
    pyroi_ns_copy          c;
    uint32_t               bytes = 0;
    bool                   ok = true;

    for (unsigned i = 0; i < ns->room_.n_nodes && ok; i++) {
        uint32_t n;

        if (ns->room_.nodes[i].version <= 1)
            continue;
        n = pyroi_ns_record(record, pyroi_ns_read(ns, i, &c));
        ok = st->replace(st->user, record, n);
        bytes += n;
    }
    ok = ok && st->replace(st->user, NULL, 0);
    if (ok) {
        ns->stats.bytes = bytes;
        ns->unsynced_ = 0;
        ns->broken_ = false;
        ns->most_ = 2 * bytes + 1024;
    } else {
        ns->most_ = ns->stats.bytes + ns->stats.bytes / 2 + 1024;
    }
    return ok;
}

/* Appends (n 0: makes durable). When the storage cannot, because it is full or
 * has failed, a new journal may help: all that is in the table was appended
 * before. The next change tries again. */
static bool pyroi_ns_write(pyro_ns_server *ns, const void *data, uint32_t n)
{
    const pyro_ns_storage *st = ns->config_->storage;

    if (!ns->broken_ && st->append(st->user, data, n))
        return true;
    ns->broken_ = !pyroi_ns_replace(ns) || !st->append(st->user, data, n);
    return !ns->broken_;
}

/* NULL, or what is wrong. */
static const char *pyroi_ns_append(pyro_ns_server *ns, const pyroi_ns_entry *e)
{
    uint8_t  record[PYROI_NS_RECORD];
    uint32_t n;

    if (e->version == 0)
        return "out of versions";
    if (ns->config_->storage == NULL)
        return NULL;
    n = pyroi_ns_record(record, e);
    if (!pyroi_ns_write(ns, record, n))
        return "the storage failed";
    ns->stats.bytes += n;
    ns->unsynced_ += n;
    return NULL;
}

/* The same for the end of node i: seconds 0, or 1 when there is nothing of it
 * to be told to the pair. */
static const char *pyroi_ns_append_end(pyro_ns_server *ns, unsigned i,
                                       uint32_t version, uint32_t seconds)
{
    pyroi_ns_copy c;

    (void)pyroi_ns_read(ns, i, &c);
    c.entry.uri = NULL;
    c.entry.uri_n = 0;
    c.entry.meta = NULL;
    c.entry.version = version;
    c.entry.seconds = seconds;
    return pyroi_ns_append(ns, &c.entry);
}

static bool pyroi_ns_make_durable(pyro_ns_server *ns)
{
    bool ok =
        (ns->unsynced_ == 0 && !ns->broken_) || pyroi_ns_write(ns, NULL, 0);

    ns->unsynced_ = 0;
    if (ok)
        ns->safe_ = ns->version_;
    return ok;
}

/* --- reading --- */

enum {
    PYROI_NS_WHOLE,
    PYROI_NS_END,
    PYROI_NS_DAMAGED, /* or torn */
    PYROI_NS_FOREIGN, /* whole, but nothing that a server like this writes */
    PYROI_NS_UNREADABLE
};

/* Whether somebody takes the server's own name. */
static bool pyroi_ns_is_own(const pyroi_ns_entry *e)
{
    return e->name_n == sizeof PYRO_NS_NAME - 1
        && memcmp(e->name, PYRO_NS_NAME, e->name_n) == 0;
}

/* Reads the record at `at`: its bytes into *n, what it says into *e. */
static int pyroi_ns_read_record(const pyro_ns_storage *st, uint32_t at,
                                uint8_t *buf, uint32_t *n, pyroi_ns_entry *e)
{
    int32_t     got = st->read(st->user, at, buf, PYROI_NS_BEFORE);
    uint32_t    crc = 0;
    pyro_reader in;

    if (got <= 0)
        return got == 0 ? PYROI_NS_END : PYROI_NS_UNREADABLE;
    if (got < (int32_t)PYROI_NS_BEFORE || (buf[0] ^ buf[2]) != 0xFF
        || (buf[1] ^ buf[3]) != 0xFF)
        return PYROI_NS_DAMAGED;
    *n = PYROI_NS_BEFORE + ((uint32_t)buf[0] << 8 | buf[1]) + PYROI_NS_AFTER;
    if (*n > PYROI_NS_RECORD)
        return PYROI_NS_FOREIGN;
    got = st->read(st->user, at, buf, *n);
    if (got < (int32_t)*n)
        return got < 0 ? PYROI_NS_UNREADABLE : PYROI_NS_DAMAGED;
    for (uint32_t i = *n - PYROI_NS_AFTER; i < *n; i++)
        crc = crc << 8 | buf[i];
    if (pyro_crc32(0, buf, *n - PYROI_NS_AFTER) != crc)
        return PYROI_NS_DAMAGED;
    in = pyro_reader_of(buf + PYROI_NS_BEFORE,
                        *n - PYROI_NS_BEFORE - PYROI_NS_AFTER);
    return pyroi_ns_get_entry(&in, e) && in.at == in.end && !pyroi_ns_is_own(e)
             ? PYROI_NS_WHOLE
             : PYROI_NS_FOREIGN;
}

/* The next whole record behind damage, or the end: at *at. */
static int pyroi_ns_salvage(const pyro_ns_storage *st, uint32_t *at)
{
    uint8_t        buf[PYROI_NS_RECORD];
    pyroi_ns_entry e;
    uint32_t       n;
    int            what;

    do {
        what = pyroi_ns_read_record(st, ++*at, buf, &n, &e);
    } while (what == PYROI_NS_DAMAGED || what == PYROI_NS_FOREIGN);
    return what;
}

/* Reads the journal up to damage that is not passed over. Where no whole
 * record follows, the last one is torn: it was never answered. A foreign one
 * is not torn, its CRC is right. */
static pyro_err pyroi_ns_read_all(pyro_ns_server *ns)
{
    const pyro_ns_storage *st = ns->config_->storage;
    uint8_t                buf[PYROI_NS_RECORD];
    pyroi_ns_entry         e;
    uint32_t               at = 0;
    uint32_t               record;
    uint32_t               n;
    int                    what;

    for (record = 1;; record++) {
        what = pyroi_ns_read_record(st, at, buf, &n, &e);
        if (what == PYROI_NS_DAMAGED || what == PYROI_NS_FOREIGN) {
            bool foreign = what == PYROI_NS_FOREIGN;

            ns->stats.dropped++;
            what = pyroi_ns_salvage(st, &at);
            if ((foreign || what == PYROI_NS_WHOLE) && !ns->config_->salvage)
                return pyroi_ns_no_start(ns, PYRO_ERR_DATA,
                                         "the journal is damaged at record",
                                         record);
            continue;
        }
        if (what == PYROI_NS_END)
            break;
        if (what == PYROI_NS_UNREADABLE)
            return pyroi_ns_no_start(ns, PYRO_ERR_DAEMON,
                                     "the journal cannot be read at record",
                                     record);
        e.left_ms = e.seconds * 1000u;
        if (pyroi_ns_apply(ns, &e, 0) != NULL)
            return pyroi_ns_no_start(ns, PYRO_ERR_NOSPACE,
                                     "PYRO_NS_ROOM is too small for record",
                                     record);
        at += n;
    }
    ns->stats.bytes = at;
    return PYRO_OK;
}

/* Fills the table from the journal. What is damaged may not stand in the
 * middle of what is appended. */
static pyro_err pyroi_ns_load(pyro_ns_server *ns)
{
    pyro_err err = pyroi_ns_read_all(ns);

    if (err != PYRO_OK)
        return err;
    ns->most_ = 2 * (ns->used_ - ns->dead_ + 24 * ns->stats.names) + 1024;
    if (ns->stats.dropped > 0 && !pyroi_ns_replace(ns))
        return pyroi_ns_no_start(ns, PYRO_ERR_DAEMON,
                                 "the journal cannot be replaced, dropped",
                                 ns->stats.dropped);
    return PYRO_OK;
}

static size_t pyroi_ns_parent_n(const char *name, size_t n);

/* Whether a name lies below an object. */
static bool pyroi_ns_is_lost(const pyro_ns_server *ns, const char *name)
{
    size_t n = strlen(name);

    while ((n = pyroi_ns_parent_n(name, n)) > 1) {
        unsigned i = pyroi_ns_find_live(ns, name, n);

        if (i < ns->room_.n_nodes && !pyroi_ns_has(ns, i, PYROI_NS_GROUP))
            return true;
    }
    return false;
}

/* Makes groups again that what is left is in: their record was damaged, or
 * they were built in with another configuration. What is below an object,
 * because the record of its own deletion was damaged, goes. */
static pyro_err pyroi_ns_mend(pyro_ns_server *ns)
{
    pyroi_ns_copy c;

    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        if (!pyroi_ns_live(ns, i))
            continue;
        if (!pyroi_ns_paired(ns)
            && pyroi_ns_is_lost(ns, pyroi_ns_name_of(ns, i))) {
            pyroi_ns_drop(ns, i);
            ns->stats.dropped++;
            ns->broken_ = true; /* the journal says otherwise: a new one */
        } else if (pyroi_ns_revive(ns, pyroi_ns_read(ns, i, &c)) != NULL) {
            return pyroi_ns_no_start(ns, PYRO_ERR_NOSPACE,
                                     "PYRO_NS_ROOM is too small for groups",
                                     0);
        }
    }
    return pyroi_ns_make_durable(ns)
             ? PYRO_OK
             : pyroi_ns_no_start(ns, PYRO_ERR_DAEMON,
                                 "the journal cannot be written", 0);
}

#else

/* Nothing is written: only versions may end. */
static const char *pyroi_ns_unwritten(uint32_t version)
{
    return version == 0 ? PYROI_NS_T("out of versions") : NULL;
}
#define pyroi_ns_append(ns, e)                  pyroi_ns_unwritten((e)->version)
#define pyroi_ns_append_end(ns, i, of, seconds) pyroi_ns_unwritten(of)

#endif /* PYRO_NS_NO_STORAGE */

/* ------------------------------------------------------------------------
 * >>changes
 * ------------------------------------------------------------------------ */

/* Without texts a NamingError says what it is about, and no more. */
static void pyroi_ns_raise(pyro_call *call, const char *text, const char *name)
{
#ifdef PYRO_NO_TEXTS
    (void)text;
    pyro_raise(call, "NamingError", name != NULL ? name : "");
#else
    char message[PYRO_NS_MAX_NAME + 64];

    message[0] = 0;
    pyroi_ns_add(message, sizeof message, text);
    if (name != NULL) {
        pyroi_ns_add(message, sizeof message, ": ");
        pyroi_ns_add(message, sizeof message, name);
    }
    pyro_raise(call, "NamingError", message);
#endif
}

/* The next version, or 0: there is none. They never wrap, for what is newer
 * must stay so. */
static uint32_t pyroi_ns_stamp(pyro_ns_server *ns)
{
#ifdef PYROI_NS_COPIES
    uint32_t next = ((ns->version_ >> 1) + 1) << 1 | (ns->config_->role == 2);

    if (next <= ns->version_)
        return 0;
    ns->version_ = next;
    return next;
#else
    (void)ns;
    return 1; /* nobody is told */
#endif
}

/* Bytes of the name of the group that a name is in. */
static size_t pyroi_ns_parent_n(const char *name, size_t n)
{
    while (PYROI_NS_GROUP != 0 && n > 1 && name[n - 1] != '.')
        n--;
    return PYROI_NS_GROUP != 0 && n > 2 ? n - 1 : 1;
}

/* What is wrong with the group that a name is in: NULL, nothing. */
static const char *pyroi_ns_parent(const pyro_ns_server *ns, const char *name)
{
    size_t   n = pyroi_ns_parent_n(name, strlen(name));
    unsigned i;

    if (n == 1)
        return NULL;
    i = pyroi_ns_find_live(ns, name, n);
    if (i == ns->room_.n_nodes)
        return PYROI_NS_T("(parent)group not found");
    return pyroi_ns_has(ns, i, PYROI_NS_GROUP)
             ? NULL
             : PYROI_NS_T("parent is no group");
}

/* Has the pair told soon what is marked so. */
static void pyroi_ns_tell(pyro_ns_server *ns);

#ifdef PYROI_NS_COPIES

/* Groups above a name that came from the pair, where they were deleted
 * meanwhile: they are made again, as changes of our own. */
static const char *pyroi_ns_revive(pyro_ns_server *ns, const pyroi_ns_entry *e)
{
    size_t n = 1;

    for (;;) {
        pyroi_ns_entry g;
        unsigned       i;
        const char    *lacks;

        do {
            if (++n >= e->name_n || PYROI_NS_GROUP == 0)
                return NULL;
        } while (e->name[n] != '.');
        i = pyroi_ns_find(ns, e->name, n);
        if (i < ns->room_.n_nodes && pyroi_ns_live(ns, i))
            continue;
        pyroi_ns_entry_of(&g, e->name, n, "", 0);
        lacks = pyroi_ns_lacks(ns, i, &g);
        if (lacks != NULL)
            return lacks;
        g.version = pyroi_ns_stamp(ns);
        lacks = pyroi_ns_append(ns, &g);
        if (lacks != NULL)
            return lacks;
        i = pyroi_ns_set(ns, i, &g);
        ns->room_.nodes[i].text |= PYROI_NS_DIRTY;
    }
}

/* A deletion from the journal (mark 0) or the pair. A group below which
 * something lives goes on living, by a newer change of our own: the pair did
 * not know of that when it deleted the group. */
static const char *pyroi_ns_delete(pyro_ns_server *ns, unsigned i,
                                   const pyroi_ns_entry *e, uint32_t mark)
{
    pyroi_ns_copy c;
    const char   *wrong;

    if (mark == 0 && e->seconds == 0) {
        pyroi_ns_bury(ns, i, e->version);
        return NULL;
    }
    (void)pyroi_ns_read(ns, i, &c);
    if (mark == 0 || !pyroi_ns_live(ns, i) || PYROI_NS_GROUP == 0
        || pyroi_ns_next_below(ns, 0, c.name, 0) == ns->room_.n_nodes) {
        wrong = mark == 0 ? NULL : pyroi_ns_append_end(ns, i, e->version, 1);
        if (wrong == NULL)
            pyroi_ns_drop(ns, i);
        return wrong;
    }
    c.entry.version = pyroi_ns_stamp(ns);
    wrong = pyroi_ns_append(ns, &c.entry);
    if (wrong != NULL)
        return wrong;
    ns->room_.nodes[i].version = c.entry.version;
    ns->room_.nodes[i].text |= mark;
    return NULL;
}

/* A change of the version that is here already: it expired, the pair knows of
 * its deletion, or its lease was refreshed. */
static void pyroi_ns_same(pyro_ns_server *ns, unsigned i,
                          const pyroi_ns_entry *e)
{
    if (e->uri == NULL && e->seconds != 0)
        pyroi_ns_drop(ns, i);
    else if (e->uri != NULL && pyroi_ns_live(ns, i))
        pyroi_ns_lease(ns, i, e->seconds, e->left_ms);
}

/* A deletion of what is not here: of use only to tell the pair. */
static const char *pyroi_ns_tomb(pyro_ns_server *ns, const pyroi_ns_entry *e)
{
    pyroi_ns_entry tomb = *e;
    const char    *lacks;

    if (!pyroi_ns_paired(ns) || e->seconds != 0)
        return NULL;
    tomb.uri = "";
    lacks = pyroi_ns_lacks(ns, ns->room_.n_nodes, &tomb);
    if (lacks == NULL)
        pyroi_ns_bury(ns, pyroi_ns_set(ns, ns->room_.n_nodes, &tomb),
                      e->version);
    return lacks;
}

static const char *pyroi_ns_apply(pyro_ns_server *ns, const pyroi_ns_entry *e,
                                  uint32_t mark)
{
    unsigned    i = pyroi_ns_find(ns, e->name, e->name_n);
    bool        is = i < ns->room_.n_nodes;
    const char *wrong = NULL;

    if (PYROI_NS_GROUP == 0 && e->uri != NULL && e->uri_n == 0)
        return NULL; /* a group */
    if (is && pyroi_ns_is_fixed(ns, i)
        && (pyroi_ns_is_self(ns, i) || e->uri == NULL || e->uri_n > 0)) {
        ns->stats.refused++;
        return NULL;
    }
    if (e->version > ns->version_)
        ns->version_ = e->version;
    if (is && e->version <= ns->room_.nodes[i].version) {
        if (e->version == ns->room_.nodes[i].version)
            pyroi_ns_same(ns, i, e);
        else
            ns->room_.nodes[i].text |= mark; /* they shall know better */
        return NULL;
    }
    if (e->uri == NULL && is)
        return pyroi_ns_delete(ns, i, e, mark);
    if (e->uri == NULL)
        return mark != 0 ? NULL : pyroi_ns_tomb(ns, e);
    if (mark != 0)
        wrong = pyroi_ns_revive(ns, e); /* takes room, too */
    if (wrong == NULL)
        wrong = pyroi_ns_lacks(ns, i, e);
    if (wrong == NULL && mark != 0)
        wrong = pyroi_ns_append(ns, e);
    if (wrong != NULL)
        return wrong;
    if (is && mark != 0 && pyroi_ns_live(ns, i))
        ns->stats.lost++;
    pyroi_ns_set(ns, i, e);
    return NULL;
}

#endif

/* --- acknowledgements: after one sync for all that came in a round --- */

/* What a change is answered with: nothing, or for the pair two numbers. */
static void pyroi_ns_put_answer(pyro_ns_server *ns, pyro_writer *out,
                                bool to_pair)
{
#ifndef PYRO_NS_NO_PAIR
    if (to_pair) {
        pyro_put_list(out, 2);
        pyro_put_uint(out, ns->sent_);
        pyro_put_uint(out, ns->boot_);
    }
#else
    (void)ns;
    (void)out;
    (void)to_pair;
#endif
}

#ifndef PYRO_NS_NO_STORAGE

/* What came in is made durable, then answered. Without a buffer for an
 * answer it is tried again soon. */
static void pyroi_ns_sync(void *user, pyro_daemon *node)
{
    pyro_ns_server *ns = (pyro_ns_server *)user;
    bool            ok = pyroi_ns_make_durable(ns);
    bool            left = false;

    for (unsigned k = 0; k < PYRO_NS_PENDING; k++) {
        pyro_later *later = &ns->laters_[k];

        if (!pyro_later_open(later))
            continue;
        if (ok) {
            pyroi_ns_put_answer(ns, pyro_finish(later),
                                (ns->to_pair_ >> k & 1) != 0);
            left |= pyro_reply(later) == PYRO_ERR_NOSPACE;
        } else {
            left |= pyro_fail(later, "NamingError", "the storage failed")
                 == PYRO_ERR_NOSPACE;
        }
    }
    if (left)
        pyro_timer_set(node, &ns->sync_, 1);
    if (ok && ns->stats.bytes > ns->most_)
        (void)pyroi_ns_replace(ns);
}

static void pyroi_ns_defer(pyro_ns_server *ns, pyro_call *call, bool to_pair)
{
    unsigned k = 0;

    while (k < PYRO_NS_PENDING && pyro_later_open(&ns->laters_[k]))
        k++;
    if (k < PYRO_NS_PENDING) {
        pyro_later_drop(&ns->laters_[k]); /* whose caller has gone */
        ns->to_pair_ &= ~((uint32_t)1 << k);
        ns->to_pair_ |= (uint32_t)to_pair << k;
        pyro_defer(call, &ns->laters_[k], 0);
        pyro_timer_set(ns->node_, &ns->sync_, 0);
    } else if (pyroi_ns_make_durable(ns)) {
        pyroi_ns_put_answer(ns, &call->result, to_pair);
    } else {
        pyroi_ns_raise(call, "the storage failed", NULL);
    }
}

#endif /* PYRO_NS_NO_STORAGE */

/* The answer to a change that was made: when it is durable. */
static void pyroi_ns_done(pyro_ns_server *ns, pyro_call *call, bool to_pair)
{
#ifndef PYRO_NS_NO_STORAGE
    if (ns->config_->storage != NULL) {
        pyroi_ns_defer(ns, call, to_pair);
        return;
    }
#endif
    pyroi_ns_put_answer(ns, &call->result, to_pair);
}

/* A change of our own. i: where the name stands, or n_nodes. False: it could
 * not be made, and the caller knows. */
static bool pyroi_ns_change(pyro_ns_server *ns, pyro_call *call, unsigned i,
                            pyroi_ns_entry *e)
{
    const char *lacks = pyroi_ns_lacks(ns, i, e);

    e->version = pyroi_ns_stamp(ns);
    if (lacks == NULL)
        lacks = pyroi_ns_append(ns, e);
    if (lacks != NULL) {
        pyroi_ns_raise(call, lacks, NULL);
        return false;
    }
    i = pyroi_ns_set(ns, i, e);
    if (pyroi_ns_paired(ns))
        ns->room_.nodes[i].text |= PYROI_NS_DIRTY;
    pyroi_ns_tell(ns);
    return true;
}

/* The same, and the answer. */
static void pyroi_ns_settle(pyro_ns_server *ns, pyro_call *call, unsigned i,
                            pyroi_ns_entry *e)
{
    if (pyroi_ns_change(ns, call, i, e))
        pyroi_ns_done(ns, call, false);
}

/* A change for a name that goes. */
static bool pyroi_ns_remove(pyro_ns_server *ns, pyro_call *call, unsigned i)
{
    uint32_t    version = pyroi_ns_stamp(ns);
    const char *wrong = pyroi_ns_append_end(ns, i, version, 0);

    if (wrong != NULL) {
        pyroi_ns_raise(call, wrong, NULL);
        return false;
    }
    pyroi_ns_bury(ns, i, version);
    pyroi_ns_tell(ns);
    return true;
}

#ifndef PYRO_NS_NO_LEASES

static uint32_t pyroi_ns_version(const pyro_ns_server *ns, unsigned i)
{
#ifdef PYROI_NS_COPIES
    return ns->room_.nodes[i].version;
#else
    (void)ns;
    (void)i;
    return 1;
#endif
}

/* What has ended for good goes. *wrong is what was wrong with that: then no
 * more is written, and after a restart it is there again for a while. */
static void pyroi_ns_forget(pyro_ns_server *ns, unsigned i, const char **wrong)
{
    if (*wrong == NULL)
        *wrong = pyroi_ns_append_end(ns, i, pyroi_ns_version(ns, i), 1);
    pyroi_ns_drop(ns, i);
}

/* Leases that have ended. The pair is not told: it has its own clock, and
 * its copy may have been refreshed. */
static void pyroi_ns_tick(void *user, pyro_daemon *node)
{
    pyro_ns_server *ns = (pyro_ns_server *)user;
    uint32_t        now = pyro_now(node);
    const char     *wrong = NULL;

    ns->leases_ = false;
    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        uint32_t left = ns->room_.nodes[i].due - now;

        if (!pyroi_ns_live(ns, i) || ns->room_.nodes[i].ttl == 0)
            continue;
        if ((int32_t)left > 0) {
            pyroi_ns_wake(ns, ns->room_.nodes[i].due, left);
        } else {
            pyroi_ns_forget(ns, i, &wrong);
            ns->stats.expired++;
        }
    }
}
#endif

/* ------------------------------------------------------------------------
 * >>methods
 * ------------------------------------------------------------------------ */

/* Takes a name from the arguments in its full form: where there is none left,
 * the default group. False: it is none, and the caller knows. */
static bool pyroi_ns_get_name(pyro_ns_server *ns, pyro_call *call,
                              char full[PYRO_NS_MAX_NAME + 1])
{
    uint32_t    n = 0;
    const char *name = "";
    const char *wrong;

    if (pyro_more(&call->args))
        name = pyro_get_str(&call->args, &n);
    wrong = pyro_ns_expand(pyroi_ns_set_up(ns)->group, name, n, full);
    if (wrong != NULL)
        pyroi_ns_raise(call, wrong, NULL);
    return wrong == NULL;
}

/* The same for one that is there; its index, or n_nodes. */
static unsigned pyroi_ns_get_known(pyro_ns_server *ns, pyro_call *call,
                                   char full[PYRO_NS_MAX_NAME + 1])
{
    unsigned    none = ns->room_.n_nodes;
    unsigned    i;
    const char *wrong;

    if (!pyroi_ns_get_name(ns, call, full))
        return none;
    i = pyroi_ns_find_live(ns, full, strlen(full));
    if (i < none)
        return i;
    wrong = pyroi_ns_parent(ns, full);
    pyroi_ns_raise(call, wrong != NULL ? wrong : "name not found", full);
    return none;
}

static bool pyroi_ns_may(pyro_ns_server *ns, pyro_call *call, pyro_ns_op op,
                         const char *name)
{
    const pyro_ns_server_config *config = pyroi_ns_set_up(ns);

    if (config->may == NULL || config->may(config->user, call, op, name))
        return true;
    ns->stats.refused++;
    pyroi_ns_raise(call, "not allowed", name);
    return false;
}

/* Whether an address is answered by datagram. */
static bool pyroi_ns_may_ask(const pyro_ns_server *ns, uint32_t ip)
{
    const pyro_ns_server_config *config = pyroi_ns_set_up(ns);

    return config->may_ask == NULL || config->may_ask(config->user, ip);
}

#ifndef PYRO_NS_NO_NETS
/* The name server's own URI, as the caller can reach it: where the call came
 * to, with the port of the first listener. */
static bool pyroi_ns_print_own(pyro_daemon *node, pyro_link link,
                               char to[PYRO_URI_BYTES])
{
#ifdef PYRO_NO_URI
    char  at[PYRO_MAX_HOST + 9];
    char *colon;

    memcpy(to, PYROI_NS_SCHEME, sizeof PYROI_NS_SCHEME);
    if (pyro_link_address(node, link, false, at, sizeof at) != PYRO_OK
        || (colon = strrchr(at, ':')) == NULL)
        return false;
    *colon = 0;
    pyroi_ns_add(to, PYRO_URI_BYTES, at);
    if (pyro_listening(node, 0, at, sizeof at) != PYRO_OK
        || (colon = strrchr(at, ':')) == NULL)
        return false;
    pyroi_ns_add(to, PYRO_URI_BYTES, colon);
    return pyroi_ns_add(to, PYRO_URI_BYTES, "/" PYRO_NS_NAME);
#else
    return pyro_uri_of(node, link, PYRO_NS_NAME, to, PYRO_URI_BYTES)
        == PYRO_OK;
#endif
}
#endif

/* The URI that a node stands for, as the caller can reach it. */
static bool pyroi_ns_print(pyro_ns_server *ns, pyro_link link, unsigned i,
                           char to[PYRO_URI_BYTES])
{
    pyroi_ns_read_uri(ns, i, to);
#ifdef PYRO_NS_NO_NETS
    (void)link;
    return true;
#else
    return to[0] != '.' || pyroi_ns_print_own(ns->node_, link, to);
#endif
}

static void pyroi_ns_resolve(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    char            uri[PYRO_URI_BYTES];
    unsigned        i = pyroi_ns_get_known(ns, call, full);

    if (i == ns->room_.n_nodes)
        return;
    if (pyroi_ns_has(ns, i, PYROI_NS_GROUP))
        pyroi_ns_raise(call, "attempt to resolve groupname", full);
    else if (!pyroi_ns_print(ns, call->link, i, uri))
        pyroi_ns_raise(call, "no address for this link", full);
    else
        pyro_put_str(&call->result, uri);
}

/* --- register --- */

#ifdef PYRO_NO_URI

/* Takes a URI as it is: NULL, and the caller knows, or n bytes. */
static const char *pyroi_ns_get_uri(pyro_call *call, char to[PYRO_URI_BYTES],
                                    uint32_t *n)
{
    const char *text = pyro_get_str(&call->args, n);

    (void)to;
    if (pyroi_ns_is_uri(text, *n))
        return text;
    pyroi_ns_raise(call, "invalid URI", NULL);
    return NULL;
}

#else

/* A host that only the machine itself can reach. */
static bool pyroi_ns_is_local(const char *host, size_t n)
{
    static const char names[] = "0.0.0.0\0::\0::1\0localhost\0";
    const char *at = names;

    if (n >= 4 && memcmp(host, "127.", 4) == 0)
        return true;
    for (; *at != 0; at += strlen(at) + 1)
        if (strlen(at) == n && memcmp(at, host, n) == 0)
            return true;
    return false;
}

/* The host in an address text "host:port", without brackets. */
static size_t pyroi_ns_host(const char **text)
{
    size_t n = strlen(*text);

    while (n > 0 && (*text)[n - 1] != ':')
        n--;
    n -= n > 0;
    if (n >= 2 && (*text)[0] == '[') {
        (*text)++;
        n -= 2;
    }
    return n;
}

/* Puts the address a caller came from in the place of a host that is of no
 * use elsewhere. `from` is room for it. */
static bool pyroi_ns_reachable(pyro_call *call, pyro_uri *uri, char *from,
                               size_t size)
{
    const char *host = from;
    size_t n;

    if (!pyroi_ns_is_local(uri->host, uri->host_n))
        return true;
    if (pyro_link_address(call->node, call->link, true, from, size) != PYRO_OK
        && pyro_link_address(call->node, call->link, false, from, size)
               != PYRO_OK)
        return false;
    n = pyroi_ns_host(&host);
    if (strncmp(from, "unix:", 5) == 0 || pyroi_ns_is_local(host, n))
        return true;
    uri->host = host;
    uri->host_n = (uint8_t)n;
    return n > 0 && n <= PYRO_MAX_HOST;
}

/* Takes a URI, text or value, and prints it as it is kept. NULL: it is none,
 * and the caller knows. */
static const char *pyroi_ns_get_uri(pyro_call *call, char to[PYRO_URI_BYTES],
                                    uint32_t *n)
{
    char from[PYRO_MAX_HOST + 16];
    pyro_uri uri;
    bool ok;

    memset(&uri, 0, sizeof uri);
    if (pyro_peek(&call->args) == PYRO_STR) {
        const char *text = pyro_get_str(&call->args, n);

        ok = pyro_uri_parse(&uri, text, *n, NULL) == PYRO_OK;
    } else {
        pyro_get_uri(&call->args, &uri);
        ok = call->args.err == PYRO_OK;
    }
    if (!ok || uri.protocol == PYRO_URI_NAME || uri.host_n == 0) {
        pyroi_ns_raise(call, "invalid URI", NULL);
        return NULL;
    }
    ok = pyroi_ns_reachable(call, &uri, from, sizeof from)
      && pyro_uri_print(&uri, to, PYRO_URI_BYTES) == PYRO_OK;
    if (!ok) {
        pyroi_ns_raise(call, "this link has no address for the URI", NULL);
        return NULL;
    }
    *n = (uint32_t)strlen(to);
    return to;
}

#endif

/* A name that is there already: fine when it is a refresh, which is written
 * only when its lease is another than before. */
static void pyroi_ns_refresh(pyro_ns_server *ns, pyro_call *call, unsigned i,
                             const pyroi_ns_entry *e, bool again)
{
    uint32_t skip = pyroi_ns_left_out(e);

    if (!again
        || !pyroi_ns_is(pyroi_ns_uri_of(ns, i), e->uri + skip,
                        e->uri_n - skip)) {
        pyroi_ns_raise(call, "name already exists", e->name);
        return;
    }
#ifndef PYRO_NS_NO_STORAGE
    if (ns->room_.nodes[i].ttl != pyroi_ns_pack(e->seconds)) {
        pyroi_ns_copy c;

        (void)pyroi_ns_read(ns, i, &c);
        c.entry.seconds = e->seconds;
        c.entry.left_ms = e->left_ms;
        pyroi_ns_settle(ns, call, i, &c.entry);
        return;
    }
#endif
    pyroi_ns_lease(ns, i, e->seconds, e->left_ms);
    if (pyroi_ns_paired(ns))
        ns->room_.nodes[i].text |= PYROI_NS_DIRTY;
    pyroi_ns_tell(ns);
#ifndef PYRO_NS_NO_STORAGE
    /* What is refreshed may wait for its sync, or have failed to be synced. */
    if (ns->room_.nodes[i].version > ns->safe_)
        pyroi_ns_done(ns, call, false);
#endif
}

static void pyroi_ns_register(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    char            room[PYRO_URI_BYTES];
    pyroi_ns_entry  e;
    uint32_t        n;
    const char     *uri;
    int32_t         ttl = 0;
    bool            again = false;
    unsigned        i;
    const char     *wrong;

    if (!pyroi_ns_get_name(ns, call, full)
        || (uri = pyroi_ns_get_uri(call, room, &n)) == NULL)
        return;
    if (pyro_more(&call->args))
        ttl = pyro_get_i32(&call->args);
    if (pyro_more(&call->args))
        again = pyro_get_bool(&call->args);
    pyroi_ns_entry_of(&e, full, strlen(full), uri, n);
    wrong =
        full[1] == 0 ? PYROI_NS_T("invalid name") : pyroi_ns_parent(ns, full);
#ifndef PYRO_NS_NO_LEASES
    e.seconds = ((uint32_t)ttl + 999u) / 1000u;
    e.left_ms = e.seconds * 1000u;
    if ((uint32_t)ttl > (uint32_t)1 << 30)
        wrong = PYROI_NS_T("ttl is not 0 to 2^30 ms");
#else
    (void)ttl;
#endif
    if (wrong != NULL) {
        pyroi_ns_raise(call, wrong, full);
        return;
    }
    if (!pyroi_ns_may(ns, call, PYRO_NS_REGISTER, full))
        return;
    i = pyroi_ns_find(ns, full, e.name_n);
    if (i < ns->room_.n_nodes && !pyroi_ns_is_tomb(ns, i))
        pyroi_ns_refresh(ns, call, i, &e, again);
    else
        pyroi_ns_settle(ns, call, i, &e);
}

/* --- unregister --- */

static void pyroi_ns_unregister(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    unsigned        i = pyroi_ns_get_known(ns, call, full);

    if (i == ns->room_.n_nodes)
        return;
    if (pyroi_ns_has(ns, i, PYROI_NS_GROUP))
        pyroi_ns_raise(call, "is a group, not an object", full);
    else if (pyroi_ns_is_self(ns, i))
        pyroi_ns_raise(call, "not allowed to remove the name server", full);
    else if (pyroi_ns_may(ns, call, PYRO_NS_UNREGISTER, full)
             && pyroi_ns_remove(ns, call, i))
        pyroi_ns_done(ns, call, false);
}

/* --- groups --- */

#ifndef PYRO_NS_NO_GROUPS

/* Index of a group that is named in the arguments, or n_nodes. */
static unsigned pyroi_ns_get_group(pyro_ns_server *ns, pyro_call *call,
                                   char full[PYRO_NS_MAX_NAME + 1])
{
    unsigned i;

    if (!pyroi_ns_get_name(ns, call, full))
        return ns->room_.n_nodes;
    i = pyroi_ns_find_live(ns, full, strlen(full));
    if (i == ns->room_.n_nodes) {
        pyroi_ns_raise(call, "group not found", full);
    } else if (!pyroi_ns_has(ns, i, PYROI_NS_GROUP)) {
        pyroi_ns_raise(call, "is no group", full);
        i = ns->room_.n_nodes;
    }
    return i;
}

static void pyroi_ns_create_group(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    pyroi_ns_entry  e;
    unsigned        i;
    const char     *wrong;

    if (!pyroi_ns_get_name(ns, call, full))
        return;
    pyroi_ns_entry_of(&e, full, strlen(full), "", 0);
    i = pyroi_ns_find(ns, full, e.name_n);
    wrong = e.name_n < 2 ? PYROI_NS_T("invalid groupname")
                         : pyroi_ns_parent(ns, full);
    if (wrong == NULL && i < ns->room_.n_nodes && pyroi_ns_live(ns, i))
        wrong = pyroi_ns_has(ns, i, PYROI_NS_GROUP)
                  ? PYROI_NS_T("group already exists")
                  : PYROI_NS_T("name already exists");
    if (wrong != NULL)
        pyroi_ns_raise(call, wrong, full);
    else if (pyroi_ns_may(ns, call, PYRO_NS_GROUP, full))
        pyroi_ns_settle(ns, call, i, &e);
}

/* Deletes all that is below a group, the longest names first, so that what is
 * cut short leaves no name without its group. */
static bool pyroi_ns_empty(pyro_ns_server *ns, pyro_call *call,
                           const char *group)
{
    size_t   at = PYRO_NS_MAX_NAME + 1;
    size_t   next; /* the longest that is left */
    unsigned k;

    do {
        next = 0;
        for (k = pyroi_ns_next_below(ns, 0, group, 0); k < ns->room_.n_nodes;
             k = pyroi_ns_next_below(ns, k + 1, group, 0)) {
            size_t n = strlen(pyroi_ns_name_of(ns, k));

            if (n < at && n > next)
                next = n;
            else if (n == at && !pyroi_ns_remove(ns, call, k))
                return false;
        }
        at = next;
    } while (next > 0);
    return true;
}

static void pyroi_ns_delete_group(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    unsigned        i = pyroi_ns_get_group(ns, call, full);

    if (i == ns->room_.n_nodes)
        return;
    if (pyroi_ns_is_fixed(ns, i)) {
        pyroi_ns_raise(call,
                       full[1] == 0 ? "not allowed to delete root group"
                                    : "not allowed to delete this group",
                       full);
        return;
    }
    if (!pyroi_ns_may(ns, call, PYRO_NS_GROUP, full))
        return;
    if (pyroi_ns_empty(ns, call, full) && pyroi_ns_remove(ns, call, i))
        pyroi_ns_done(ns, call, false);
}

#endif

/* --- lists --- */

/* The part of a name that a list shows: a full name without group, or what
 * stands directly below the group. NULL: it is not listed. */
static const char *pyroi_ns_listed(const pyro_ns_server *ns, unsigned i,
                                   const char *group)
{
    const char *name;
    const char *rest;
    size_t      n;

    if (!pyroi_ns_live(ns, i))
        return NULL;
    name = pyroi_ns_name_of(ns, i);
    if (group == NULL)
        return pyroi_ns_has(ns, i, PYROI_NS_GROUP) ? NULL : name;
    n = strlen(group);
    if (!pyroi_ns_below(name, group, n))
        return NULL;
    rest = name + (n == 1 ? 1 : n + 1);
    return strchr(rest, '.') == NULL ? rest : NULL;
}

/* Puts a row, if there is one: how many. */
static uint32_t pyroi_ns_row(pyro_ns_server *ns, pyro_link link, unsigned i,
                             const char *group, pyro_writer *out)
{
    const char *name = pyroi_ns_listed(ns, i, group);
    char        uri[PYRO_URI_BYTES];

    if (name == NULL || (group == NULL && !pyroi_ns_print(ns, link, i, uri)))
        return 0;
    pyro_put_list(out, 2);
    pyro_put_str(out, name);
    if (group == NULL)
        pyro_put_str(out, uri);
    else
        pyro_put_uint(out, !pyroi_ns_has(ns, i, PYROI_NS_GROUP));
    return 1;
}

/* As many rows as fit, from the index in the arguments on: put where the
 * longest `next` and the longest list would have them, to count them, then
 * again. */
static void pyroi_ns_page(pyro_ns_server *ns, pyro_call *call,
                          const char *group)
{
    pyro_writer *out = &call->result;
    pyro_writer  trial = *out;
    int32_t  start = pyro_more(&call->args) ? pyro_get_i32(&call->args) : 0;
    uint32_t from = start < 0 ? 0 : (uint32_t)start;
    uint32_t rows = 0;
    uint32_t i;

    pyro_put_list(&trial, 2);
    pyro_put_uint(&trial, 0xFFFF);
    pyro_put_list(&trial, 0xFFFF);
    for (i = from; i < ns->room_.n_nodes; i++) {
        uint32_t n = pyroi_ns_row(ns, call->link, i, group, &trial);

        if (trial.err != PYRO_OK)
            break;
        rows += n;
    }
    if (rows == 0 && i < ns->room_.n_nodes) {
        pyroi_ns_raise(call, "the buffers are too small for one name", NULL);
        return;
    }
    pyro_put_list(out, 2);
    pyro_put_uint(out, i < ns->room_.n_nodes ? i : 0);
    pyro_put_list(out, rows);
    for (; from < i; from++)
        (void)pyroi_ns_row(ns, call->link, from, group, out);
}

static void pyroi_ns_list(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];

#ifdef PYRO_NS_NO_GROUPS
    if (!pyroi_ns_get_name(ns, call, full))
        return;
#else
    if (pyroi_ns_get_group(ns, call, full) == ns->room_.n_nodes)
        return;
#endif
    pyroi_ns_page(ns, call, full);
}

static void pyroi_ns_flatlist(void *self, pyro_call *call)
{
    pyroi_ns_page((pyro_ns_server *)self, call, NULL);
}

/* --- metadata --- */

#if PYRO_NS_MAX_META > 0

static void pyroi_ns_set_meta(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    pyroi_ns_copy   c;
    unsigned        i = pyroi_ns_get_known(ns, call, full);
    const void     *meta;
    uint32_t        n;

    if (i == ns->room_.n_nodes)
        return;
    if (full[1] == 0 || pyroi_ns_is_self(ns, i)) {
        pyroi_ns_raise(call, "has no metadata", full);
        return;
    }
    if (!pyroi_ns_may(ns, call, PYRO_NS_META, full))
        return;
    meta = pyro_get_raw(&call->args, &n);
    if (n > PYRO_NS_MAX_META) {
        pyroi_ns_raise(call, "metadata is too long, raise PYRO_NS_MAX_META",
                       full);
        return;
    }
    (void)pyroi_ns_read(ns, i, &c);
    c.entry.meta = meta;
    c.entry.meta_n = n;
    pyroi_ns_settle(ns, call, i, &c.entry);
}

static void pyroi_ns_get_meta(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    pyroi_ns_copy   c;
    unsigned        i = pyroi_ns_get_known(ns, call, full);

    if (i == ns->room_.n_nodes)
        return;
    (void)pyroi_ns_read(ns, i, &c);
    if (c.entry.meta != NULL)
        pyro_put_raw(&call->result, c.entry.meta, c.entry.meta_n);
}

static void pyroi_ns_get_system(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    char            full[PYRO_NS_MAX_NAME + 1];
    pyroi_ns_copy   c;
    unsigned        i = pyroi_ns_get_known(ns, call, full);

    if (i == ns->room_.n_nodes)
        return;
    (void)pyroi_ns_read(ns, i, &c);
    pyro_put_list(&call->result, 2);
    pyro_put_uint(&call->result, !pyroi_ns_has(ns, i, PYROI_NS_GROUP));
    if (c.entry.seconds != 0)
        pyro_put_uint(&call->result, c.entry.left_ms);
    else
        pyro_put_nil(&call->result);
}

#endif

/* --- the server itself --- */

static void pyroi_ns_ping(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

#ifndef PYRO_NS_NO_CONFIG
static void pyroi_ns_shutdown(void *self, pyro_call *call)
{
    pyro_ns_server              *ns = (pyro_ns_server *)self;
    const pyro_ns_server_config *config = ns->config_;
    bool                         may = config->shutdown != NULL
            && (config->may == NULL
                || config->may(config->user, call, PYRO_NS_SHUTDOWN, NULL));

    if (may)
        config->shutdown(config->user);
    else
        ns->stats.refused++;
    pyro_put_str(&call->result, may ? PYROI_NS_T("Will shut down shortly")
                                    : PYROI_NS_T("Shutdown request denied"));
}
#endif

/* ------------------------------------------------------------------------
 * >>pair: the other name server
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NS_NO_PAIR

static void pyroi_ns_tell(pyro_ns_server *ns)
{
    (void)ns;
}

#else

enum { PYROI_NS_LOST, PYROI_NS_UP, PYROI_NS_TELLING = 0x80 };

#define PYROI_NS_SAID ((unsigned)PYRO_COUNT(((pyro_ns_server *)0)->batch_))

static void pyroi_ns_tell(pyro_ns_server *ns)
{
    if (pyroi_ns_paired(ns) && ns->pair_state_ == PYROI_NS_UP)
        pyro_timer_set(ns->node_, &ns->pair_, 0);
}

/* Whether the pair has to know a node at all. */
static bool pyroi_ns_shared(const pyro_ns_server *ns, unsigned i)
{
    return ns->room_.nodes[i].version > 1;
}

/* The pair may have missed anything: all is told again. */
static void pyroi_ns_tell_all(pyro_ns_server *ns)
{
    for (unsigned i = 0; i < ns->room_.n_nodes; i++)
        if (pyroi_ns_shared(ns, i))
            ns->room_.nodes[i].text |= PYROI_NS_DIRTY;
    pyroi_ns_tell(ns);
}

/* The pair as it introduces itself: another boot has heard nothing. */
static void pyroi_ns_meet(pyro_ns_server *ns, uint32_t boot)
{
    if (boot == ns->twin_boot_)
        return;
    ns->twin_boot_ = boot;
    ns->heard_ = 0;
    pyroi_ns_tell_all(ns);
}

/* Tombstones that were confirmed go when everything has come that the pair
 * had sent before it confirmed: nothing older can arrive any more. */
static void pyroi_ns_clear_tombs(pyro_ns_server *ns)
{
    const char *wrong = NULL;

    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        const pyroi_ns_node *nd = &ns->room_.nodes[i];

        if (pyroi_ns_used(ns, i) && (nd->text & PYROI_NS_TOMB) != 0
            && (nd->text & PYROI_NS_DIRTY) == 0 && ns->heard_ >= nd->due)
            pyroi_ns_forget(ns, i, &wrong);
    }
}

/* --- telling --- */

/* A group's deletion is told after those of what was in it: the pair takes a
 * group that holds something for one that is to stay. */
static bool pyroi_ns_to_tell(const pyro_ns_server *ns, unsigned i)
{
    return pyroi_ns_shared(ns, i) && pyroi_ns_has(ns, i, PYROI_NS_DIRTY)
        && (!pyroi_ns_has(ns, i, PYROI_NS_TOMB)
            || pyroi_ns_next_below(ns, 0, pyroi_ns_name_of(ns, i),
                                   PYROI_NS_TOMB | PYROI_NS_DIRTY)
                   == ns->room_.n_nodes);
}

/* Chooses what goes into the next _sync: as much as fits `left` bytes. */
static void pyroi_ns_choose(pyro_ns_server *ns, uint32_t left)
{
    ns->n_batch_ = 0;
    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        uint32_t n;

        if (ns->n_batch_ == PYROI_NS_SAID)
            break;
        if (!pyroi_ns_to_tell(ns, i))
            continue;
        n = pyroi_ns_bytes(ns, i) + PYROI_NS_PREFIX_N + 30;
        if (n > left) {
            ns->stats.too_long += ns->n_batch_ == 0;
            continue;
        }
        left -= n;
        ns->batch_[ns->n_batch_] = (uint16_t)i;
        ns->stamps_[ns->n_batch_++] = ns->room_.nodes[i].version;
    }
}

static bool pyroi_ns_has_news(const pyro_ns_server *ns)
{
    return pyroi_ns_next_below(ns, 0, ":", PYROI_NS_DIRTY) < ns->room_.n_nodes;
}

/* What was told is known there now, unless it changed meanwhile. */
static void pyroi_ns_confirm(pyro_ns_server *ns, uint32_t their_sent)
{
    for (unsigned k = 0; k < ns->n_batch_; k++) {
        pyroi_ns_node *nd = &ns->room_.nodes[ns->batch_[k]];

        if (nd->version != ns->stamps_[k])
            continue;
        nd->text &= ~PYROI_NS_DIRTY;
        if ((nd->text & PYROI_NS_TOMB) != 0)
            nd->due = their_sent;
    }
}

#define PYROI_NS_NO_TWIN "cannot resync: twin NS is unknown or unreachable"

/* Answers a resync: when the pair knows all, or is gone. */
static void pyroi_ns_end_resync(pyro_ns_server *ns, bool is_there)
{
    pyro_later *later = &ns->resync_;

    if (!pyro_later_open(later))
        return;
    if (!is_there) {
        (void)pyro_fail(later, "NamingError", PYROI_NS_NO_TWIN);
    } else if (!pyroi_ns_has_news(ns)) {
        (void)pyro_finish(later);
        (void)pyro_reply(later);
    }
}

static void pyroi_ns_told(void *user, pyro_request *rq, pyro_err err,
                          pyro_reader *result)
{
    pyro_ns_server *ns = (pyro_ns_server *)user;
    bool more = false;
    uint32_t sent = 0;
    uint32_t boot = 0;

    (void)rq;
    if (err == PYRO_OK && pyro_get_list(result, 2) == 2) {
        sent = pyroi_ns_get_u32(result, 0xFFFFFFFF);
        boot = pyroi_ns_get_u32(result, 0xFFFFFFFF);
    }
    ns->pair_state_ = boot != 0 ? PYROI_NS_UP : PYROI_NS_LOST;
    if (boot != 0) {
        more = ns->n_batch_ > 0 || boot != ns->twin_boot_;
        pyroi_ns_confirm(ns, sent);
        pyroi_ns_meet(ns, boot);
        pyroi_ns_clear_tombs(ns);
    }
    pyroi_ns_end_resync(ns, boot != 0);
    pyro_timer_set(ns->node_, &ns->pair_,
                   more && pyroi_ns_has_news(ns) ? 0 : PYRO_NS_PAIR_MS);
}

/* Tells the pair what it does not know, or that we are there. */
static void pyroi_ns_speak(void *user, pyro_daemon *node)
{
    pyro_ns_server *ns = (pyro_ns_server *)user;
    pyro_writer *out = &ns->rq_.args;
    pyroi_ns_copy c;
    pyro_err err;

    if ((ns->pair_state_ & PYROI_NS_TELLING) != 0)
        return;
    err = pyro_begin(&ns->rq_, &ns->twin_, "_sync");
    if (err == PYRO_OK) {
        pyroi_ns_choose(ns, (uint32_t)(out->end - out->at) - 20u);
        pyro_put_uint(out, ns->boot_);
        pyro_put_uint(out, ++ns->sent_);
        pyro_put_list(out, ns->n_batch_);
        for (unsigned k = 0; k < ns->n_batch_; k++)
            pyroi_ns_put_entry(out, pyroi_ns_read(ns, ns->batch_[k], &c));
        err = pyro_send(&ns->rq_, pyro_to_none(), pyroi_ns_told, ns);
    }
    if (err == PYRO_OK)
        ns->pair_state_ |= PYROI_NS_TELLING;
    else
        pyro_timer_set(node, &ns->pair_,
                       err == PYRO_ERR_BUSY || err == PYRO_ERR_NOSPACE
                           ? 10
                           : PYRO_NS_PAIR_MS);
}

/* --- being told --- */

static const char *pyroi_ns_heed(pyro_ns_server *ns, pyro_reader *in)
{
    uint32_t n = pyro_get_list(in, 64);
    pyroi_ns_entry e;

    for (; n > 0; n--) {
        const char *wrong = "what the pair says is malformed";

        if (pyroi_ns_get_entry(in, &e))
            wrong = pyroi_ns_apply(ns, &e, PYROI_NS_DIRTY);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static void pyroi_ns_sync_in(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;
    uint32_t boot = pyroi_ns_get_u32(&call->args, 0xFFFFFFFF);
    uint32_t number = pyroi_ns_get_u32(&call->args, 0xFFFFFFFF);
    const char *wrong = NULL;

    if (!pyroi_ns_paired(ns))
        wrong = "NS is not running in 'primary' or 'secondary' mode";
    else if ((boot & 1) == (ns->boot_ & 1))
        wrong = "both name servers of the pair have the same role";
    else if (!pyroi_ns_may(ns, call, PYRO_NS_SYNC, NULL))
        return;
    else
        pyroi_ns_meet(ns, boot);
    if (wrong == NULL && number <= ns->heard_)
        wrong = "came too late";
    if (wrong == NULL)
        wrong = pyroi_ns_heed(ns, &call->args);
    if (wrong != NULL) {
        ns->stats.refused++;
        pyroi_ns_raise(call, wrong, NULL);
        return;
    }
    ns->heard_ = number;
    pyroi_ns_clear_tombs(ns);
    pyroi_ns_done(ns, call, true);
}

static void pyroi_ns_resync(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;

    if (!pyroi_ns_paired(ns))
        pyroi_ns_raise(call,
                       "NS is not running in 'primary' or 'secondary' mode",
                       NULL);
    else if ((ns->pair_state_ & PYROI_NS_UP) == 0)
        pyroi_ns_raise(call, PYROI_NS_NO_TWIN, NULL);
    else if (pyro_later_open(&ns->resync_))
        pyroi_ns_raise(call, "a resync is under way", NULL);
    else if (pyroi_ns_may(ns, call, PYRO_NS_SYNC, NULL)) {
        pyroi_ns_tell_all(ns);
        pyro_later_drop(&ns->resync_);
        pyro_defer(call, &ns->resync_, 0);
    }
}

static void pyroi_ns_twin(void *self, pyro_call *call)
{
    pyro_ns_server *ns = (pyro_ns_server *)self;

    if (pyroi_ns_paired(ns))
        pyro_put_str(&call->result, ns->config_->twin);
}

static pyro_err pyroi_ns_pair_open(pyro_ns_server *ns)
{
    pyro_err err;

    if (ns->config_->twin == NULL)
        return PYRO_OK;
    err = pyro_proxy_open(&ns->twin_, ns->node_, ns->config_->twin);
    if (err != PYRO_OK)
        return err;
    if (!pyro_random(ns->node_, &ns->boot_, sizeof ns->boot_))
        ns->boot_ = pyro_now(ns->node_);
    ns->boot_ = (ns->boot_ | 2u) & ~1u;
    ns->boot_ |= ns->config_->role == 2;
    ns->pair_.fn = pyroi_ns_speak;
    ns->pair_.user = ns;
    pyro_timer_set(ns->node_, &ns->pair_, 0);
    return PYRO_OK;
}

static void pyroi_ns_pair_close(pyro_ns_server *ns)
{
    if (ns->boot_ == 0) /* it was never opened */
        return;
    pyro_timer_stop(ns->node_, &ns->pair_);
    pyro_proxy_close(&ns->twin_);
    pyro_later_drop(&ns->resync_);
    ns->boot_ = 0;
}

#endif /* PYRO_NS_NO_PAIR */

/* ------------------------------------------------------------------------
 * >>pyro5: the same names for Pyro5 and Pyro4
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NS_NO_PYRO5

#define PYROI_NS_NAME5 "Pyro.NameServer"

/* The arguments of a call, in the order of the names that its method gives,
 * wherever they stood. What is missing or nil is a reader in error. */
typedef struct pyroi_ns_args5 {
    pyro_reader arg[5];
} pyroi_ns_args5;

/* Place of a word in a text of words between blanks, 5: it is none. */
static unsigned pyroi_ns_place5(const char *words, const char *word,
                                uint32_t n)
{
    for (unsigned i = 0; *words != 0 && i < 5; i++) {
        const char *end = strchr(words, ' ');
        size_t length = end != NULL ? (size_t)(end - words) : strlen(words);

        if (length == n && memcmp(words, word, n) == 0)
            return i;
        words += length + (words[length] == ' ');
    }
    return 5;
}

/* Takes the arguments of a signature that ends in "?k". */
static bool pyroi_ns_take5(pyro_call *call, const char *names,
                           pyroi_ns_args5 *a)
{
    pyro_reader next = call->args;
    uint32_t    left;
    unsigned    given = 0;
    unsigned    i;

    for (i = 0; i < 5; i++) {
        a->arg[i] = pyro_reader_of("", 0);
        a->arg[i].err = PYRO_ERR_TYPE;
    }
    for (;; given++) { /* the last is the map */
        call->args = next;
        pyro_skip(&next);
        if (!pyro_more(&next) || given == 5)
            break;
        if (pyro_peek(&call->args) != PYRO_NIL)
            a->arg[given] = call->args;
    }
    left = pyro_peek(&call->args) == PYRO_MAP
             ? pyro_get_map(&call->args, UINT32_MAX)
             : 0;
    for (; left > 0; left--) {
        uint32_t    n;
        const char *key = pyro_get_str(&call->args, &n);

        i = pyroi_ns_place5(names, key, n);
        if (call->args.err != PYRO_OK || i == 5 || i < given) {
            pyro_raise(call, "TypeError",
                       "unknown or repeated keyword argument");
            return false;
        }
        if (pyro_peek(&call->args) != PYRO_NIL)
            a->arg[i] = call->args;
        pyro_skip(&call->args);
    }
    return true;
}

static bool pyroi_ns_given5(const pyro_reader *arg)
{
    return arg->err == PYRO_OK;
}

static bool pyroi_ns_true5(pyro_reader arg, bool missing)
{
    return pyroi_ns_given5(&arg) ? pyro_get_bool(&arg) : missing;
}

/* An argument that must be text. */
static const char *pyroi_ns_text5(pyro_call *call, pyro_reader arg,
                                  uint32_t *n)
{
    const char *text = pyro_get_str(&arg, n);

    if (arg.err == PYRO_OK)
        return text;
    pyro_raise(call, "TypeError", "a str is missing");
    return NULL;
}

/* Their names stand in the default group, unless they begin with ":". */
static bool pyroi_ns_full5(pyro_ns_server *ns, pyro_call *call,
                           const char *name, uint32_t n,
                           char full[PYRO_NS_MAX_NAME + 1])
{
    const char *wrong =
        n == 0 || (n == 1 && name[0] == ':') ? "invalid name" : NULL;

    if (n == sizeof PYROI_NS_NAME5 - 1 && memcmp(name, PYROI_NS_NAME5, n) == 0)
        wrong = pyro_ns_expand(ns->group_, PYRO_NS_NAME, n + 1, full);
    else if (wrong == NULL)
        wrong = pyro_ns_expand(ns->group_, name, n, full);
    if (wrong != NULL)
        pyroi_ns_raise(call, wrong, NULL);
    return wrong == NULL;
}

/* The name of an object as they know it, NULL: it is none. */
static const char *pyroi_ns_name5(const pyro_ns_server *ns, unsigned i)
{
    const char *name;
    size_t      n = strlen(ns->group_);

    if (!pyroi_ns_live(ns, i) || pyroi_ns_has(ns, i, PYROI_NS_GROUP))
        return NULL;
    name = pyroi_ns_name_of(ns, i);
    if (pyroi_ns_is_self(ns, i))
        return name + 1;
    return strncmp(name, ns->group_, n) == 0 && name[n] == '.' ? name + n + 1
                                                               : name;
}

/* Index of the object that a name stands for, or n_nodes. */
static unsigned pyroi_ns_find5(pyro_ns_server *ns, pyro_call *call,
                               const pyro_reader *arg)
{
    char        full[PYRO_NS_MAX_NAME + 1];
    char        known[PYRO_NS_MAX_NAME + 1] = "";
    uint32_t    n;
    const char *name = pyroi_ns_text5(call, *arg, &n);
    unsigned    none = ns->room_.n_nodes;
    unsigned    i;

    if (name == NULL || !pyroi_ns_full5(ns, call, name, n, full))
        return none;
    i = pyroi_ns_find_live(ns, full, strlen(full));
    if (i < none && !pyroi_ns_has(ns, i, PYROI_NS_GROUP))
        return i;
    if (n < sizeof known)
        memcpy(known, name, n);
    pyroi_ns_raise(call, "unknown name", known);
    return none;
}

/* The URI of an object; as they have it: there is only one protocol. */
static bool pyroi_ns_uri5(pyro_ns_server *ns, pyro_link link, unsigned i,
                          pyroi_ns_copy *c, pyro_uri *uri)
{
    (void)pyroi_ns_read(ns, i, c);
    if (c->uri[0] == '.'
        && pyro_uri_of(ns->node_, link, PYROI_NS_NAME5, c->uri, sizeof c->uri)
               != PYRO_OK)
        return false;
    if (pyro_uri_parse(uri, c->uri, strlen(c->uri), NULL) != PYRO_OK)
        return false;
    uri->protocol = PYRO_URI_PYRO;
    return true;
}

/* The same as text: PYRO:object@host:port, PYRO:object@./u:path. */
static void pyroi_ns_put_uri5(pyro_writer *out, const pyro_uri *uri)
{
    char text[PYRO_URI_BYTES] = "PYRO:";
    bool path = uri->host_n > 5 && memcmp(uri->host, "unix:", 5) == 0;
    bool six = !path && memchr(uri->host, ':', uri->host_n) != NULL;

    pyroi_ns_add_n(text, sizeof text, uri->object, uri->object_n);
    pyroi_ns_add(text, sizeof text, path ? "@./u:" : six ? "@[" : "@");
    pyroi_ns_add_n(text, sizeof text, uri->host + (path ? 5 : 0),
                   uri->host_n - (path ? 5u : 0u));
    pyroi_ns_add(text, sizeof text, path ? "" : six ? "]:" : ":");
    if (!path)
        pyroi_ns_add_number(text, sizeof text, uri->port);
    pyro_put_str(out, text);
}

/* Tags are metadata that is a list; other metadata is none of theirs. */
static pyro_reader pyroi_ns_tags5(pyro_ns_server *ns, unsigned i,
                                  const pyroi_ns_copy *c)
{
    static const char self[] = "\x91\xD9\x21"
                               "class:Pyro5.nameserver.NameServer";
    pyro_reader       in = pyro_reader_of(c->entry.meta, c->entry.meta_n);

    if (pyroi_ns_is_self(ns, i))
        in = pyro_reader_of(self, sizeof self - 1);
    if (pyro_peek(&in) != PYRO_LIST)
        in = pyro_reader_of("\x90", 1);
    return in;
}

static void pyroi_ns_put_tags5(pyro_writer *out, pyro_reader tags)
{
    uint32_t    n;
    const void *raw = pyro_get_raw(&tags, &n);

    pyro_put_raw(out, raw, n);
}

/* How many of the tags of a list are among others. */
static uint32_t pyroi_ns_common5(pyro_reader wanted, pyro_reader tags)
{
    uint32_t left = pyro_get_list(&wanted, UINT32_MAX);
    uint32_t common = 0;

    for (; left > 0; left--) {
        pyro_reader has = tags;
        uint32_t    n;
        const char *tag = pyro_get_str(&wanted, &n);
        uint32_t    k = pyro_get_list(&has, UINT32_MAX);
        bool        found = false;

        for (; k > 0 && !found; k--) {
            uint32_t    m;
            const char *one = pyro_get_str(&has, &m);

            found = m == n && has.err == PYRO_OK && memcmp(one, tag, n) == 0;
        }
        common += found && wanted.err == PYRO_OK;
    }
    return common;
}

/* What a list is to have. */
typedef struct pyroi_ns_filter5 {
    const char *prefix;
    uint32_t    prefix_n;
    pyro_reader all;
    pyro_reader any;
    bool        tags; /* only with tags, or those of the prefix */
} pyroi_ns_filter5;

static bool pyroi_ns_matches5(pyro_ns_server *ns, unsigned i,
                              const pyroi_ns_filter5 *f, pyroi_ns_copy *c)
{
    const char *name = pyroi_ns_name5(ns, i);
    pyro_reader tags;
    pyro_reader all = f->all;

    if (name == NULL || strncmp(name, f->prefix, f->prefix_n) != 0)
        return false;
    if (!f->tags)
        return true;
    (void)pyroi_ns_read(ns, i, c);
    tags = pyroi_ns_tags5(ns, i, c);
    return (pyroi_ns_given5(&all)
            && pyroi_ns_common5(all, tags) == pyro_get_list(&all, UINT32_MAX))
        || (pyroi_ns_given5(&f->any) && pyroi_ns_common5(f->any, tags) > 0);
}

/* A filter of prefix, regular expression and tags, any of which may be
 * missing. */
static bool pyroi_ns_filter(pyro_call *call, const pyro_reader *prefix,
                            const pyro_reader *regex, const pyro_reader *all,
                            const pyro_reader *any, pyroi_ns_filter5 *f)
{
    f->prefix = "";
    f->prefix_n = 0;
    f->all = *all;
    f->any = *any;
    f->tags = pyroi_ns_given5(all) || pyroi_ns_given5(any);
    if (pyroi_ns_given5(regex)) {
        pyroi_ns_raise(call, "no regular expressions here, use a prefix",
                       NULL);
        return false;
    }
    if ((pyroi_ns_given5(all) && pyro_peek(all) != PYRO_LIST)
        || (pyroi_ns_given5(any) && pyro_peek(any) != PYRO_LIST)) {
        pyro_raise(call, "TypeError", "metadata is no list or set");
        return false;
    }
    if (pyroi_ns_given5(prefix))
        f->prefix = pyroi_ns_text5(call, *prefix, &f->prefix_n);
    return f->prefix != NULL;
}

static void pyroi_ns_put_list5(pyro_ns_server *ns, pyro_call *call,
                               const pyroi_ns_filter5 *f, bool with_tags)
{
    pyroi_ns_copy c;
    pyro_uri      uri;
    uint32_t      n = 0;
    unsigned      i;

    for (i = 0; i < ns->room_.n_nodes; i++)
        n += pyroi_ns_matches5(ns, i, f, &c)
          && pyroi_ns_uri5(ns, call->link, i, &c, &uri);
    pyro_put_map(&call->result, n);
    for (i = 0; i < ns->room_.n_nodes && call->result.err == PYRO_OK; i++) {
        if (!pyroi_ns_matches5(ns, i, f, &c)
            || !pyroi_ns_uri5(ns, call->link, i, &c, &uri))
            continue;
        pyro_put_str(&call->result, pyroi_ns_name5(ns, i));
        if (with_tags)
            pyro_put_list(&call->result, 2);
        pyroi_ns_put_uri5(&call->result, &uri);
        if (with_tags)
            pyroi_ns_put_tags5(&call->result, pyroi_ns_tags5(ns, i, &c));
    }
}

/* Pyro4's order; where Pyro4 has a list of tags, Pyro5 has a bool. */
static void pyroi_ns_list5(void *self, pyro_call *call)
{
    pyroi_ns_args5   a;
    pyroi_ns_filter5 f;

    if (!pyroi_ns_take5(
            call, "prefix regex metadata_all metadata_any return_metadata",
            &a))
        return;
    if (pyro_peek(&a.arg[2]) == PYRO_BOOL) {
        a.arg[4] = a.arg[2];
        a.arg[2] = a.arg[3];
    }
    if (pyroi_ns_filter(call, &a.arg[0], &a.arg[1], &a.arg[2], &a.arg[3], &f))
        pyroi_ns_put_list5(*(pyro_ns_server **)self, call, &f,
                           pyroi_ns_true5(a.arg[4], false));
}

static void pyroi_ns_yplookup5(void *self, pyro_call *call)
{
    pyroi_ns_args5   a;
    pyroi_ns_filter5 f;

    if (!pyroi_ns_take5(call, "meta_all meta_any return_metadata", &a)
        || !pyroi_ns_filter(call, &a.arg[3], &a.arg[4], &a.arg[0], &a.arg[1],
                            &f))
        return;
    if (!f.tags)
        pyro_raise(call, "ValueError", "specify meta_all or meta_any");
    else
        pyroi_ns_put_list5(*(pyro_ns_server **)self, call, &f,
                           pyroi_ns_true5(a.arg[2], true));
}

static void pyroi_ns_lookup5(void *self, pyro_call *call)
{
    pyro_ns_server *ns = *(pyro_ns_server **)self;
    pyroi_ns_args5  a;
    pyroi_ns_copy   c;
    pyro_uri        uri;
    unsigned        i;
    bool            with_tags;

    if (!pyroi_ns_take5(call, "name return_metadata", &a))
        return;
    i = pyroi_ns_find5(ns, call, &a.arg[0]);
    if (i == ns->room_.n_nodes)
        return;
    if (!pyroi_ns_uri5(ns, call->link, i, &c, &uri)) {
        pyroi_ns_raise(call, "no address for this link", NULL);
        return;
    }
    with_tags = pyroi_ns_true5(a.arg[1], false);
    if (with_tags)
        pyro_put_list(&call->result, 2);
    pyro_put_uri(&call->result, &uri);
    if (with_tags)
        pyroi_ns_put_tags5(&call->result, pyroi_ns_tags5(ns, i, &c));
}

/* Makes the groups that a name is in: they have none. */
static bool pyroi_ns_groups5(pyro_ns_server *ns, pyro_call *call,
                             const char *full)
{
    pyroi_ns_entry e;
    uint32_t       n;

    for (n = 1; full[n] != 0 && PYROI_NS_GROUP != 0; n++) {
        unsigned i;

        if (full[n] != '.')
            continue;
        i = pyroi_ns_find(ns, full, n);
        if (i < ns->room_.n_nodes && pyroi_ns_live(ns, i)) {
            if (pyroi_ns_has(ns, i, PYROI_NS_GROUP))
                continue;
            pyroi_ns_raise(call, "an object has a part of this name", full);
            return false;
        }
        pyroi_ns_entry_of(&e, full, n, "", 0);
        if (!pyroi_ns_change(ns, call, i, &e))
            return false;
    }
    return true;
}

/* Takes tags, a list of str, into an entry. */
static bool pyroi_ns_take_tags5(pyro_call *call, pyro_reader arg,
                                pyroi_ns_entry *e)
{
    pyro_reader list = arg;
    uint32_t    n;
    uint32_t    left = pyro_get_list(&list, UINT32_MAX);

    for (; left > 0; left--)
        (void)pyro_get_str(&list, &n);
    if (list.err != PYRO_OK) {
        pyro_raise(call, "TypeError", "metadata is no list or set of str");
        return false;
    }
    e->meta = pyro_get_raw(&arg, &e->meta_n);
    if (e->meta_n <= PYRO_NS_MAX_META)
        return true;
    pyroi_ns_raise(call, "metadata is too long, raise PYRO_NS_MAX_META", NULL);
    return false;
}

/* Whether a name that is there may become another object. */
static bool pyroi_ns_may_replace5(pyro_ns_server *ns, pyro_call *call,
                                  unsigned i, bool safe)
{
    if (i == ns->room_.n_nodes || !pyroi_ns_live(ns, i))
        return true;
    if (pyroi_ns_has(ns, i, PYROI_NS_GROUP) || pyroi_ns_is_self(ns, i))
        pyroi_ns_raise(call, "is a group, or the name server itself",
                       pyroi_ns_name_of(ns, i));
    else if (safe)
        pyroi_ns_raise(call, "name already registered", pyroi_ns_name5(ns, i));
    else
        return true;
    return false;
}

static void pyroi_ns_register5(void *self, pyro_call *call)
{
    pyro_ns_server *ns = *(pyro_ns_server **)self;
    pyroi_ns_args5  a;
    pyroi_ns_entry  e;
    char            full[PYRO_NS_MAX_NAME + 1];
    char            room[PYRO_URI_BYTES];
    uint32_t        n;
    const char     *name;
    const char     *uri;
    unsigned        i;

    if (!pyroi_ns_take5(call, "name uri safe metadata", &a)
        || (name = pyroi_ns_text5(call, a.arg[0], &n)) == NULL
        || !pyroi_ns_full5(ns, call, name, n, full))
        return;
    call->args = a.arg[1];
    if (pyro_peek(&call->args) != PYRO_STR
        && pyro_peek(&call->args) != PYRO_MAP) {
        pyro_raise(call, "TypeError", "only URIs can be registered");
        return;
    }
    uri = pyroi_ns_get_uri(call, room, &n);
    if (uri == NULL)
        return;
    pyroi_ns_entry_of(&e, full, strlen(full), uri, n);
    i = pyroi_ns_find(ns, full, e.name_n);
    if ((!pyroi_ns_given5(&a.arg[3])
         || pyroi_ns_take_tags5(call, a.arg[3], &e))
        && pyroi_ns_may(ns, call, PYRO_NS_REGISTER, full)
        && pyroi_ns_may_replace5(ns, call, i, pyroi_ns_true5(a.arg[2], false))
        && pyroi_ns_groups5(ns, call, full))
        pyroi_ns_settle(ns, call, i, &e);
}

static void pyroi_ns_set_metadata5(void *self, pyro_call *call)
{
    pyro_ns_server *ns = *(pyro_ns_server **)self;
    pyroi_ns_args5  a;
    pyroi_ns_copy   c;
    unsigned        i;

    if (!pyroi_ns_take5(call, "name metadata", &a))
        return;
    i = pyroi_ns_find5(ns, call, &a.arg[0]);
    if (i == ns->room_.n_nodes)
        return;
    (void)pyroi_ns_read(ns, i, &c);
    if (pyroi_ns_is_self(ns, i))
        pyroi_ns_raise(call, "has no metadata", c.name);
    else if (pyroi_ns_take_tags5(call, a.arg[1], &c.entry)
             && pyroi_ns_may(ns, call, PYRO_NS_META, c.name))
        pyroi_ns_settle(ns, call, i, &c.entry);
}

/* Removes one: 1, or 0 when it was not to be; after an error the caller knows
 * of that. */
static unsigned pyroi_ns_remove5(pyro_ns_server *ns, pyro_call *call,
                                 unsigned i)
{
    if (pyroi_ns_is_self(ns, i))
        return 0;
    return pyroi_ns_may(ns, call, PYRO_NS_UNREGISTER, pyroi_ns_name_of(ns, i))
        && pyroi_ns_remove(ns, call, i);
}

/* By name, or all with a prefix; says how many when that is durable. */
static void pyroi_ns_remove_all5(void *self, pyro_call *call)
{
    pyro_ns_server  *ns = *(pyro_ns_server **)self;
    pyroi_ns_args5   a;
    pyroi_ns_filter5 f;
    pyroi_ns_copy    c;
    char             full[PYRO_NS_MAX_NAME + 1];
    uint32_t         n = 0;
    unsigned         i;
    const char      *name;

    if (!pyroi_ns_take5(call, "name prefix regex", &a)
        || !pyroi_ns_filter(call, &a.arg[1], &a.arg[2], &a.arg[3], &a.arg[4],
                            &f))
        return;
    if (pyroi_ns_given5(&a.arg[0])) {
        name = pyroi_ns_text5(call, a.arg[0], &n);
        if (name == NULL || !pyroi_ns_full5(ns, call, name, n, full))
            return;
        i = pyroi_ns_find_live(ns, full, strlen(full));
        n = i < ns->room_.n_nodes && pyroi_ns_name5(ns, i) != NULL
              ? pyroi_ns_remove5(ns, call, i)
              : 0;
    } else if (f.prefix_n > 0) {
        for (i = 0; i < ns->room_.n_nodes; i++)
            if (pyroi_ns_matches5(ns, i, &f, &c))
                n += pyroi_ns_remove5(ns, call, i);
    }
#ifndef PYRO_NS_NO_STORAGE
    if (ns->config_->storage != NULL && !pyroi_ns_make_durable(ns))
        pyroi_ns_raise(call, "the storage failed", NULL);
#endif
    pyro_put_uint(&call->result, n);
}

static void pyroi_ns_count5(void *self, pyro_call *call)
{
    pyro_ns_server *ns = *(pyro_ns_server **)self;
    uint32_t        n = 0;

    for (unsigned i = 0; i < ns->room_.n_nodes; i++)
        n += pyroi_ns_name5(ns, i) != NULL;
    pyro_put_uint(&call->result, n);
}

static const pyro_method pyroi_ns_methods5[] = {
    { "count", pyroi_ns_count5, "", "i", 0 },
    { "ping", pyroi_ns_ping, "", "", 0 },
    { "lookup", pyroi_ns_lookup5, "?name:v return_metadata:v k", "v", 0 },
    { "register", pyroi_ns_register5, "?name:v uri:v safe:v metadata:v k", "",
      0 },
    { "set_metadata", pyroi_ns_set_metadata5, "?name:v metadata:v k", "", 0 },
    { "remove", pyroi_ns_remove_all5, "?name:v prefix:v regex:v k", "i", 0 },
    { "list", pyroi_ns_list5,
      "?prefix:v regex:v metadata_all:v metadata_any:v return_metadata:v k",
      "{v}", 0 },
    { "yplookup", pyroi_ns_yplookup5,
      "?meta_all:v meta_any:v return_metadata:v k", "{v}", 0 },
};

static const pyro_class pyroi_ns_class5 = { "NameServer",
                                            PYRO_METHODS(pyroi_ns_methods5),
                                            PYRO_NO_ATTRS, NULL, 0 };

/* --- their broadcast --- */

/* Prints our address as who asks can reach it: only who is on a network of
 * ours is told. */
static bool pyroi_ns_add_address5(const pyro_daemon *node, uint32_t ip,
                                  const char *at, char *to, size_t size)
{
    const pyro_port *port = pyro_port_of(node);
    const char      *colon = strrchr(at, ':');
    unsigned         place = pyroi_ns_place(at);
    bool             any = place < PYROI_NS_LOOPBACK;
    pyro_net         net;
    unsigned         i;

    for (i = 0; colon != NULL && pyroi_ns_net(port, i, &net); i++) {
        if (((net.ip ^ ip) & net.mask) != 0)
            continue;
        if (any)
            pyroi_ns_add_ip(to, size, net.ip);
        else if (place < PYROI_NS_PATH && ip >> 24 != 127
                 && pyroi_ns_rank(port, ip) < 3)
            return false;
        return pyroi_ns_add(to, size, any ? colon : at);
    }
    return false;
}

static bool pyroi_ns_answer5(void *user, char *q, size_t n,
                             const pyro_udp *from)
{
    pyro_ns_answerer *a = (pyro_ns_answerer *)user;
    char              text[128] = "PYRO:" PYROI_NS_NAME5 "@";
    char              at[PYRO_MAX_HOST + 9];
    const pyro_port  *port = pyro_port_of(a->node_);

    if (n != 9 || memcmp(q, "GET_NSURI", 9) != 0
        || !pyroi_ns_may_ask((const pyro_ns_server *)a->user_, from->ip)
        || pyro_listening(a->node_, 0, at, sizeof at) != PYRO_OK
        || pyroi_ns_place(at) == PYROI_NS_PATH
        || !pyroi_ns_add_address5(a->node_, from->ip, at, text, 101)) {
        a->ignored++;
        return true;
    }
    if (pyroi_ns_over(a, from->ip, PYROI_NS_ANSWERS5))
        a->limited++;
    else if (port->udp_send(port, a->udp_.handle, from, text,
                            (uint32_t)strlen(text)))
        a->answered++;
    else
        a->ignored++;
    return true;
}

static void pyroi_ns_ready5(void *user, pyro_daemon *node, unsigned ready)
{
    (void)ready;
    pyroi_ns_udp_take(&((pyro_ns_answerer *)user)->udp_, pyro_port_of(node),
                      pyroi_ns_answer5);
}

static pyro_err pyroi_ns_open5(pyro_ns_server *ns)
{
    pyro_err err = PYRO_OK;
    uint16_t number = ns->config_->pyro5_port;

    ns->self5_ = ns;
    if (!ns->config_->no_broadcast) {
        err = pyroi_ns_answerer_open(&ns->answerer5, ns->node_,
                                     ns->config_->udp_ip,
                                     number != 0 ? number : PYRO_NS_PORT5,
                                     NULL, ns);
        if (err == PYRO_OK)
            ns->answerer5.udp_.watched.fn = pyroi_ns_ready5;
    }
    return err == PYRO_OK ? pyro_export(ns->node_, &pyroi_ns_class5,
                                        &ns->self5_, PYROI_NS_NAME5)
                          : err;
}

#endif /* PYRO_NS_NO_PYRO5 */

/* ------------------------------------------------------------------------
 * >>server: beginning and end
 * ------------------------------------------------------------------------ */

static const pyro_method pyroi_ns_methods[] = {
    { "resolve", pyroi_ns_resolve, "name:s", "s", 0 },
    { "register", pyroi_ns_register, "name:s uri:v ?ttl:i again:b", "", 0 },
    { "unregister", pyroi_ns_unregister, "name:s", "", 0 },
    { "list", pyroi_ns_list, "?group:s from:i", "[v]", 0 },
    { "flatlist", pyroi_ns_flatlist, "?from:i", "[v]", 0 },
#ifndef PYRO_NS_NO_GROUPS
    { "createGroup", pyroi_ns_create_group, "group:s", "", 0 },
    { "deleteGroup", pyroi_ns_delete_group, "group:s", "", 0 },
#endif
#if PYRO_NS_MAX_META > 0
    { "setMeta", pyroi_ns_set_meta, "name:s meta:v", "", 0 },
    { "getMeta", pyroi_ns_get_meta, "name:s", "v", 0 },
    { "getSystemMeta", pyroi_ns_get_system, "name:s", "[v]", 0 },
#endif
    { "ping", pyroi_ns_ping, "", "", 0 },
#ifndef PYRO_NS_NO_PAIR
    { "resync", pyroi_ns_resync, "", "", 0 },
    { "twin", pyroi_ns_twin, "", "v", 0 },
    { "_sync", pyroi_ns_sync_in, "boot:q number:q entries:[v]", "[q]", 0 },
#endif
#ifndef PYRO_NS_NO_CONFIG
    { "_shutdown", pyroi_ns_shutdown, "", "s", 0 },
#endif
};

static const pyro_class pyroi_ns_class = { "NameServer",
                                           PYRO_METHODS(pyroi_ns_methods),
                                           PYRO_NO_ATTRS, NULL, 0 };

#ifdef PYRO_NS_NO_SERVERLESS
#define pyroi_ns_asked NULL
#else
static bool pyroi_ns_asked(void *user, uint32_t ip, const char *name,
                           char object[33])
{
    if (strcmp(name, PYRO_NS_NAME) != 0
        || !pyroi_ns_may_ask((const pyro_ns_server *)user, ip))
        return false;
    memcpy(object, PYRO_NS_NAME, sizeof PYRO_NS_NAME);
    return true;
}
#endif

static void pyroi_ns_clear(pyro_ns_server *ns)
{
    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        ns->room_.first[i] = 0;
        ns->room_.nodes[i].text = PYROI_NS_FREE;
#ifdef PYROI_NS_COPIES
        ns->room_.nodes[i].version = 0;
#endif
        ns->room_.nodes[i].next =
            (uint16_t)(i + 1 < ns->room_.n_nodes ? i + 2 : 0);
    }
    ns->free_ = 1;
}

#if !defined(PYRO_NS_NO_NETS) || !defined(PYRO_NS_NO_GROUPS)
/* What is there from the beginning: not journalled, unless the journal had it
 * as an ordinary name, under another configuration. */
static pyro_err pyroi_ns_builtin(pyro_ns_server *ns, const char *name,
                                 const char *uri)
{
    pyroi_ns_entry e;
    unsigned       i;

    pyroi_ns_entry_of(&e, name, strlen(name), uri, strlen(uri));
    e.version = 1;
    i = pyroi_ns_find(ns, name, e.name_n);
    if (i < ns->room_.n_nodes) {
        if (pyroi_ns_live(ns, i)) /* in the journal, or the default group */
            return pyroi_ns_has(ns, i, PYROI_NS_GROUP)
                     ? PYRO_OK
                     : pyroi_ns_no_start(ns, PYRO_ERR_NAMING,
                                         "\":Pyro\" or the default group is "
                                         "an object in the journal",
                                         0);
        e.version = pyroi_ns_stamp(ns);
    }
    if (e.version == 0 || pyroi_ns_lacks(ns, i, &e) != NULL)
        return pyroi_ns_no_start(ns, PYRO_ERR_NOSPACE,
                                 "PYRO_NS_ROOM is too small, names",
                                 ns->room_.n_nodes);
    (void)pyroi_ns_set(ns, i, &e);
    return PYRO_OK;
}

#endif

static pyro_err pyroi_ns_fill(pyro_ns_server *ns)
{
    pyro_err err = PYRO_OK;

    (void)ns; /* there may be nothing from the beginning */
#ifndef PYRO_NS_NO_GROUPS
    err = pyroi_ns_builtin(ns, ":", "");
#endif
#ifndef PYRO_NS_NO_STORAGE
    if (err == PYRO_OK && ns->config_->storage != NULL)
        err = pyroi_ns_load(ns);
#endif
#ifndef PYRO_NS_NO_GROUPS
    if (err == PYRO_OK)
        err = pyroi_ns_builtin(ns, ":Pyro", "");
    if (err == PYRO_OK)
        err = pyroi_ns_builtin(ns, ns->group_, "");
#endif
#ifndef PYRO_NS_NO_NETS
    if (err == PYRO_OK)
        err = pyroi_ns_builtin(ns, PYRO_NS_NAME, ".");
#endif
#ifndef PYRO_NS_NO_STORAGE
    if (err == PYRO_OK && ns->config_->storage != NULL)
        err = pyroi_ns_mend(ns);
#endif
    return err;
}

/* The default group's name as it is in the configuration: full and valid. */
static pyro_err pyroi_ns_check_group(pyro_ns_server *ns)
{
    const char *group = pyroi_ns_set_up(ns)->group;
    char        full[PYRO_NS_MAX_NAME + 1];

#if !defined(PYRO_NS_NO_GROUPS) || !defined(PYRO_NS_NO_PYRO5)
    ns->group_ = group != NULL ? group : ":Default";
#endif
    return group == NULL
                || (pyro_ns_expand(group, "", 0, full) == NULL && full[1] != 0)
             ? PYRO_OK
             : PYRO_ERR_NAMING;
}

static void pyroi_ns_close_all(pyro_ns_server *ns)
{
#ifndef PYRO_NS_NO_LEASES
    pyro_timer_stop(ns->node_, &ns->timer_);
#endif
    pyroi_ns_answerer_close(&ns->answerer);
#ifndef PYRO_NS_NO_PYRO5
    (void)pyro_withdraw(ns->node_, &ns->self5_);
    pyroi_ns_answerer_close(&ns->answerer5);
#endif
#ifndef PYRO_NS_NO_PAIR
    pyroi_ns_pair_close(ns);
#endif
}

PYRO_DEF pyro_err pyro_ns_serve(pyro_ns_server *ns, pyro_daemon *node,
                                pyro_ns_room                 room,
                                const pyro_ns_server_config *config)
{
    pyro_err err;

    memset(ns, 0, sizeof *ns);
    ns->node_ = node;
#ifdef PYRO_NS_NO_CONFIG
    (void)config;
#else
    ns->config_ = config != NULL ? config : &pyroi_ns_server_defaults;
#endif
    ns->room_ = room;
#ifndef PYRO_NS_NO_LEASES
    ns->timer_.fn = pyroi_ns_tick;
    ns->timer_.user = ns;
#endif
#ifndef PYRO_NS_NO_STORAGE
    ns->sync_.fn = pyroi_ns_sync;
    ns->sync_.user = ns;
#endif
    pyroi_ns_clear(ns);
    err = pyroi_ns_check_group(ns);
    if (err == PYRO_OK)
        err = pyroi_ns_fill(ns);
#ifndef PYRO_NS_NO_PAIR
    if (err == PYRO_OK)
        err = pyroi_ns_pair_open(ns);
#endif
    if (err == PYRO_OK && !pyroi_ns_set_up(ns)->no_broadcast)
        err = pyroi_ns_answerer_open(&ns->answerer, node,
                                     pyroi_ns_set_up(ns)->udp_ip,
                                     pyroi_ns_set_up(ns)->udp_port,
                                     pyroi_ns_asked, ns);
#ifndef PYRO_NS_NO_PYRO5
    if (err == PYRO_OK && ns->config_->pyro5)
        err = pyroi_ns_open5(ns);
#endif
    if (err == PYRO_OK)
        err = pyro_export(node, &pyroi_ns_class, ns, PYRO_NS_NAME);
    if (err != PYRO_OK)
        pyroi_ns_close_all(ns);
    return err;
}

PYRO_DEF void pyro_ns_stop(pyro_ns_server *ns)
{
#ifndef PYRO_NS_NO_STORAGE
    pyroi_ns_sync(ns, ns->node_);
    pyro_timer_stop(ns->node_, &ns->sync_);
    for (unsigned k = 0; k < PYRO_NS_PENDING; k++)
        pyro_later_drop(&ns->laters_[k]); /* no buffer for an answer */
#endif
    (void)pyro_withdraw(ns->node_, ns);
    pyroi_ns_close_all(ns);
}

PYRO_DEF bool pyro_ns_walk(const pyro_ns_server *ns, unsigned *at,
                           const char **name, char uri[PYRO_URI_BYTES])
{
    unsigned i = *at;

    while (i < ns->room_.n_nodes && !pyroi_ns_live(ns, i))
        i++;
    *at = i + 1;
    if (i == ns->room_.n_nodes)
        return false;
    *name = pyroi_ns_name_of(ns, i);
    pyroi_ns_read_uri(ns, i, uri);
    return true;
}

/* --- invariants --- */

static const char *pyroi_ns_check_node(const pyro_ns_server *ns, unsigned i)
{
    uint32_t       at = ns->room_.nodes[i].text & PYROI_NS_AT;
    const uint8_t *p = ns->room_.bytes + at;
    const char    *name = (const char *)p + 2;

    if (at + 5 > ns->used_ || at + pyroi_ns_bytes(ns, i) > ns->used_)
        return "a name's texts lie behind the last";
    if (((unsigned)p[0] << 8 | p[1]) != i)
        return "a name's texts are another's";
    if (pyroi_ns_wrong(name, strlen(name)) != NULL)
        return "a name is none";
    if (pyroi_ns_find(ns, name, strlen(name)) != i)
        return "a name is not found";
    if (pyroi_ns_live(ns, i) && name[1] != 0
        && pyroi_ns_parent(ns, name) != NULL && !pyroi_ns_paired(ns))
        return "a name is in no group";
#ifdef PYROI_NS_COPIES
    if (ns->room_.nodes[i].version == 0
        || (ns->room_.nodes[i].version > ns->version_
            && ns->room_.nodes[i].version > 1))
        return "a version is none, or newer than the newest";
#endif
    return NULL;
}

PYRO_DEF const char *pyro_ns_check(const pyro_ns_server *ns)
{
    uint32_t used = 0;
    uint32_t names = 0;
    uint32_t n_free = 0;

    for (unsigned i = 0; i < ns->room_.n_nodes; i++) {
        const char *wrong;

        if (!pyroi_ns_used(ns, i)) {
            n_free++;
            continue;
        }
        names += pyroi_ns_live(ns, i);
        wrong = pyroi_ns_check_node(ns, i);
        if (wrong != NULL)
            return wrong;
        used += pyroi_ns_bytes(ns, i);
    }
    for (unsigned i = ns->free_; i != 0; i = ns->room_.nodes[i - 1].next)
        if (n_free-- == 0)
            return "the free list is too long";
    if (n_free != 0)
        return "free names are in no list";
    if (used != ns->used_ - ns->dead_)
        return "bytes are missing";
    return names == ns->stats.names ? NULL : "the count of names is wrong";
}

#endif /* PYRO_NS_NO_SERVER */

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ------------------------------------------------------------------------
 * >>files: a journal in a directory
 *
 * What was synced is there after a power cut; what was not may be there in
 * part, at the end. After a sync that failed nobody knows what the disk has,
 * and asking again would say yes without writing anything: then only a new
 * journal helps.
 * ------------------------------------------------------------------------ */

#if defined(PYRO_POSIX) && !defined(PYRO_NS_NO_STORAGE) \
    && !defined(PYRO_NS_NO_SERVER)

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PYROI_NS_JOURNAL "names.journal"
#define PYROI_NS_NEW     "names.new"
#define PYROI_NS_LOCK    "names.lock"

/* A signal storm cannot hold a call for longer than so many tries. */
#define PYROI_NS_TRIES 8

/* Longest journal: an off_t may have 32 bits. */
#define PYROI_NS_FILE_MAX 0x7FFFFFFFu

/* Whether a call that has just failed was only interrupted. */
static bool pyroi_ns_again(int *tries)
{
    return errno == EINTR && ++*tries < PYROI_NS_TRIES;
}

static int pyroi_ns_open_at(int dir, const char *name, int flags)
{
    int tries = 0;
    int fd;

    do {
        fd = openat(dir, name, flags | O_CLOEXEC, 0666);
    } while (fd < 0 && pyroi_ns_again(&tries));
    return fd;
}

static bool pyroi_ns_sync_file(int fd)
{
    int tries = 0;
    int is;

#ifdef F_FULLFSYNC /* macOS: fsync stops at the cache of the drive */
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return true;
#endif
    do {
        is = fsync(fd);
    } while (is != 0 && pyroi_ns_again(&tries));
    return is == 0;
}

/* File systems that have no sync of a directory say EINVAL. */
static bool pyroi_ns_sync_dir(int fd)
{
    return pyroi_ns_sync_file(fd) || errno == EINVAL;
}

/* So that a directory that was just made is still there after a power cut. */
static bool pyroi_ns_sync_parent(int dir)
{
    int  fd = pyroi_ns_open_at(dir, "..", O_RDONLY | O_DIRECTORY);
    bool ok = fd >= 0 && pyroi_ns_sync_dir(fd);

    if (fd >= 0)
        close(fd);
    return ok;
}

/* Writes all of it behind the *size bytes that are there. */
static bool pyroi_ns_put_file(int fd, uint32_t *size, const void *data,
                              uint32_t n)
{
    const uint8_t *from = (const uint8_t *)data;
    uint32_t       done = 0;
    int            tries = 0;

    if (n > PYROI_NS_FILE_MAX - *size) {
        errno = EFBIG;
        return false;
    }
    while (done < n) {
        ssize_t put = pwrite(fd, from + done, n - done, (off_t)(*size + done));

        if (put > 0) {
            done += (uint32_t)put;
        } else if (put == 0 || !pyroi_ns_again(&tries)) {
            if (put == 0)
                errno = ENOSPC;
            return false;
        }
    }
    *size += n;
    return true;
}

static void pyroi_ns_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd); /* never again on EINTR: the number may be another's */
    *fd = -1;
}

static int32_t pyroi_ns_files_read(void *user, uint32_t at, void *to,
                                   uint32_t n)
{
    pyro_ns_files *f = (pyro_ns_files *)user;
    uint32_t       done = 0;
    int            tries = 0;

    if (at >= f->size_)
        return 0;
    if (n > f->size_ - at)
        n = f->size_ - at;
    while (done < n) {
        ssize_t got = pread(f->file_, (uint8_t *)to + done, n - done,
                            (off_t)(at + done));

        if (got > 0) {
            done += (uint32_t)got;
        } else if (got == 0) {
            break; /* somebody has cut it */
        } else if (!pyroi_ns_again(&tries)) {
            f->error = errno;
            return -1;
        }
    }
    return (int32_t)done;
}

/* Takes away what a failed append has left of its bytes. */
static bool pyroi_ns_files_cut(pyro_ns_files *f)
{
    int tries = 0;
    int is;

    do {
        is = ftruncate(f->file_, (off_t)f->size_);
    } while (is != 0 && pyroi_ns_again(&tries));
    return is == 0;
}

static bool pyroi_ns_files_append(void *user, const void *data, uint32_t n)
{
    pyro_ns_files *f = (pyro_ns_files *)user;
    bool           ok;

    if (f->bad_)
        return false;
    ok = n == 0 ? pyroi_ns_sync_file(f->file_)
                : pyroi_ns_put_file(f->file_, &f->size_, data, n);
    if (ok)
        return true;
    f->error = errno;
    f->bad_ = n == 0 || !pyroi_ns_files_cut(f);
    return false;
}

/* The new journal takes the old one's place. When only the directory cannot
 * be synced, it has done so; but after a power cut the old one may be back,
 * so nothing may be appended to either. */
static bool pyroi_ns_files_swap(pyro_ns_files *f)
{
    if (!pyroi_ns_sync_file(f->new_)
        || renameat(f->dir_, PYROI_NS_NEW, f->dir_, PYROI_NS_JOURNAL) != 0)
        return false;
    pyroi_ns_close_fd(&f->file_);
    f->file_ = f->new_;
    f->size_ = f->new_size_;
    f->new_ = -1;
    f->bad_ = !pyroi_ns_sync_dir(f->dir_);
    return !f->bad_;
}

static bool pyroi_ns_files_replace(void *user, const void *data, uint32_t n)
{
    pyro_ns_files *f = (pyro_ns_files *)user;
    bool           ok;

    if (f->new_ < 0) {
        f->new_ = pyroi_ns_open_at(f->dir_, PYROI_NS_NEW,
                                   O_RDWR | O_CREAT | O_TRUNC);
        f->new_size_ = 0;
    }
    ok = f->new_ >= 0
      && (n == 0 ? pyroi_ns_files_swap(f)
                 : pyroi_ns_put_file(f->new_, &f->new_size_, data, n));
    if (ok)
        return true;
    f->error = errno;
    if (f->new_ >= 0)
        unlinkat(f->dir_, PYROI_NS_NEW, 0);
    pyroi_ns_close_fd(&f->new_);
    return false;
}

/* A lock that a fork keeps and that ends with the last process. Not on the
 * journal itself: that is replaced by another file. */
static bool pyroi_ns_files_lock(pyro_ns_files *f)
{
    int tries = 0;
    int is;

    f->lock_ = pyroi_ns_open_at(f->dir_, PYROI_NS_LOCK, O_RDWR | O_CREAT);
    if (f->lock_ < 0)
        return false;
    do {
        is = flock(f->lock_, LOCK_EX | LOCK_NB);
    } while (is != 0 && pyroi_ns_again(&tries));
    return is == 0;
}

/* Opens the journal. It is synced before anybody reads it: it may hold
 * changes of a process that was killed before it could do that, and what is
 * read counts as durable from then on. */
static bool pyroi_ns_files_begin(pyro_ns_files *f)
{
    struct stat st;

    f->file_ = pyroi_ns_open_at(f->dir_, PYROI_NS_JOURNAL, O_RDWR | O_CREAT);
    if (f->file_ < 0 || fstat(f->file_, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > PYROI_NS_FILE_MAX) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return false;
    }
    f->size_ = (uint32_t)st.st_size;
    if (unlinkat(f->dir_, PYROI_NS_NEW, 0) != 0 && errno != ENOENT)
        return false;
    return pyroi_ns_sync_file(f->file_) && pyroi_ns_sync_dir(f->dir_);
}

PYRO_DEF pyro_err pyro_ns_files_open(pyro_ns_files *files, const char *path)
{
    int  made; /* 0, or why not */
    bool ok;

    memset(files, 0, sizeof *files);
    files->storage.user = files;
    files->storage.read = pyroi_ns_files_read;
    files->storage.append = pyroi_ns_files_append;
    files->storage.replace = pyroi_ns_files_replace;
    files->lock_ = files->file_ = files->new_ = -1;
    made = mkdir(path, 0777) == 0 ? 0 : errno;
    files->dir_ = pyroi_ns_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (files->dir_ < 0 && errno == ENOENT)
        errno = made;
    ok = files->dir_ >= 0 && (made != 0 || pyroi_ns_sync_parent(files->dir_))
      && pyroi_ns_files_lock(files) && pyroi_ns_files_begin(files);
    if (ok)
        return PYRO_OK;
    files->error = errno;
    pyro_ns_files_close(files);
    return files->error == EWOULDBLOCK ? PYRO_ERR_BUSY : PYRO_ERR_DAEMON;
}

PYRO_DEF void pyro_ns_files_close(pyro_ns_files *files)
{
    if (files->storage.user == NULL)
        return; /* was never open */
    if (files->new_ >= 0)
        unlinkat(files->dir_, PYROI_NS_NEW, 0);
    pyroi_ns_close_fd(&files->new_);
    pyroi_ns_close_fd(&files->file_);
    pyroi_ns_close_fd(&files->dir_);
    pyroi_ns_close_fd(&files->lock_); /* last: the next one may begin now */
    files->storage.user = NULL;
}

#endif

#endif /* PYRO_IMPLEMENTATION */
