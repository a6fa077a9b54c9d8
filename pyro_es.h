/* pyro_es.h - events for many - version 0.1.0
 *
 * Publishers and subscribers that do not know each other: the event service
 * of Pyro 3 on top of pyro.h. An event has a subject, the service's time and
 * a message, which is any value. In the one C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "pyro.h"
 *     #include "pyro_es.h"
 *
 * and wherever it is used. SPDX-License-Identifier: MIT
 *
 * CONTENTS
 *   service   client   words   methods   loss   limits
 *   The rest of this file: search for ">>" and one of
 *   config events client service (declarations), then
 *   wildcards regex ring subscribers fan-out methods service
 *   client
 *
 * SERVICE
 *
 *     static PYRO_ES_ROOM(64, 128, 16384) events;     subscribers,
 *     static pyro_es_service service;                 subscriptions, bytes
 *
 *     err = pyro_es_serve(&service, &node, PYRO_ES_ROOM_OF(events), NULL);
 *
 * CLIENT
 *
 *     static pyro_es es;
 *
 *     static void on_event(void *user, const pyro_es_event *event) { ... }
 *
 *     err = pyro_es_open(&es, &node, "PYRONAME://" PYRO_ES_NAME, on_event,
 *                        NULL);
 *     err = pyro_es_subscribe(&es, "sensor.*.temp", 0);
 *     err = pyro_es_publish(&es, "sensor.3.temp", pyro_f64(21.5));
 *
 *   Events come over the connection that the client made: it needs no
 *   listening port. Subscriptions come back by themselves when the service
 *   has started again or the connection was lost. At the other end of a
 *   serial line there is a service without a URI: see pyro_es_at.
 *
 * WORDS
 *   subject     what an event is about: any text, upper case or lower
 *   wildcard    a subject in which * stands for any characters but ".", and
 *               ** for any
 *   pattern     a regular expression, matched from the start of the subject
 *   subscriber  an object that is called with events: its method "event"
 *   ring        the memory that holds events until every subscriber has them
 *   lapped      so late that an event was overwritten before it was sent
 *
 * METHODS of the object ":Pyro.EventService", which callers in any language
 * use
 *   subscribe(subjects, subscriber, flags=0, got=0) one text or a list; with
 *                                                   a * it is a wildcard
 *   subscribeMatch(patterns, subscriber, flags=0, got=0)
 *                                                   regular expressions
 *   unsubscribe(subjects, subscriber)               of either; what is not
 *                                                   there is no error
 *   publish(subjects, message)                      best as a oneway call
 *   Of a list, up to 64, those before one that is refused have been taken.
 *   statistics(from=0) -> [next, [published, sent, lost, refused, too long,
 *                          dropped], [subscriber, ...]], each subscriber
 *     [object or URI, address, n, lost, lag, here]; as many as fit: go on from
 *     `next` until it is 0. lag is how many events it has not been looked at
 *     for
 *   The subscriber is a URI, usually one of "this connection". It is called
 *     event(n, lost, subject, time, message)
 *   as a oneway: n counts what was sent to this subscriber, from 1; lost is
 *   how many it missed in between, in all; time is in milliseconds. When its
 *   connection is lost, and so perhaps what was on its way, it says with `got`
 *   the n that came last: n goes on from there, the rest counts as lost.
 *   A subscriber with several matching subscriptions gets an event once.
 *   flags: 1 keep-latest, 2 block, 4 last values first, 8 others' only: see
 *   PYRO_ES_LATEST.
 *
 * PATTERNS
 *   Letters of either case are the same, in subjects as well. In a regular
 *   expression: . [a-z] [^a-z] ( ) | * + ? ^ $ and \ before any of them;
 *   \d \w \s and \D \W \S. Others are refused, with their position. They
 *   are matched in a time that grows with the subject only.
 *
 * LOSS
 *   The ring holds each event once. A subscriber that is slower than the
 *   publishers is lapped: what it missed is counted in its `lost`, exactly.
 *   One that takes nothing at all holds at most one buffer of the pool; when
 *   more than config.stuck subscribers do so, or one for config.stuck_ms, its
 *   connection is closed. It is remembered for PYRO_ES_AWAY_MS: when it
 *   subscribes again, n and lost go on.
 *
 * LIMITS, AND WHAT HAPPENS AT THEM
 *   subscribers, subscriptions   "out of subscribers, raise PYRO_ES_ROOM"; a
 *                                subscriber that has gone makes room first
 *   long subject or pattern      refused with both sizes, PYRO_ES_MAX_SUBJECT
 *   long regular expression      refused, PYRO_ES_REGEX
 *   publishers that wait         refused, PYRO_ES_WAITING
 *   event (subject, time, message) over the ring's half - 16, or over the
 *                                buffers' bytes - 35 - PYRO_MAX_NAME:
 *                                ValueError with both sizes; stats.refused
 *   event over one subscriber's message       its `lost`, stats.too_long
 *   event with a longer subject than the subscriber's PYRO_ES_MAX_SUBJECT
 *                                its client's `too_long`
 */
#include "pyro.h"
#ifndef PYRO_ES_H
#define PYRO_ES_H

#if defined(PYRO_NO_ASYNC) || defined(PYRO_NO_HOOKS)
#error "PYRO_NO_ASYNC and PYRO_NO_HOOKS take away what events are built on"
#endif

/* ------------------------------------------------------------------------
 * >>config: numbers and switches, the same in all source files
 * ------------------------------------------------------------------------ */

/* Longest subject or pattern, in bytes. Range 8 to 200. Costs this much in
 * each subscription. */
#ifndef PYRO_ES_MAX_SUBJECT
#define PYRO_ES_MAX_SUBJECT 47
#endif
#if PYRO_ES_MAX_SUBJECT < 8 || PYRO_ES_MAX_SUBJECT > 200
#error "PYRO_ES_MAX_SUBJECT: 8 to 200"
#endif

/* Subscriptions of one client. Range 1 to 100. Costs 8 bytes each, where a
 * pointer has 4. */
#ifndef PYRO_ES_OWN
#define PYRO_ES_OWN 8
#endif
#if PYRO_ES_OWN < 1 || PYRO_ES_OWN > 100
#error "PYRO_ES_OWN: 1 to 100"
#endif

/* Most events that are sent in one go before poll does other work. Range 1
 * to 100000. */
#ifndef PYRO_ES_BURST
#ifdef PYRO_POSIX
#define PYRO_ES_BURST 1024
#else
#define PYRO_ES_BURST 256
#endif
#endif
#if PYRO_ES_BURST < 1 || PYRO_ES_BURST > 100000
#error "PYRO_ES_BURST: 1 to 100000"
#endif

/* How long a client waits before it tries to subscribe again. Range 1 to
 * PYRO_MAX_MS. */
#ifndef PYRO_ES_AGAIN_MS
#define PYRO_ES_AGAIN_MS 1000
#endif
#if PYRO_ES_AGAIN_MS < 1 || PYRO_ES_AGAIN_MS > PYRO_MAX_MS
#error "PYRO_ES_AGAIN_MS: 1 to PYRO_MAX_MS"
#endif

/* Bytes of a compiled regular expression; about two for a character, more
 * for a class. Range 16 to 128. Costs this much in each subscription. */
#ifndef PYRO_ES_REGEX
#define PYRO_ES_REGEX 96
#endif
#if PYRO_ES_REGEX < 16 || PYRO_ES_REGEX > 128
#error "PYRO_ES_REGEX: 16 to 128"
#endif

/* Deepest nesting of groups in one. Range 1 to 50. Costs stack. */
#ifndef PYRO_ES_REGEX_DEPTH
#define PYRO_ES_REGEX_DEPTH 8
#endif
#if PYRO_ES_REGEX_DEPTH < 1 || PYRO_ES_REGEX_DEPTH > 50
#error "PYRO_ES_REGEX_DEPTH: 1 to 50"
#endif

/* Longest event, with subject and time, that is kept as a last value. Range 16
 * to 65535. Costs this much in each pyro_es_last. */
#ifndef PYRO_ES_LAST_BYTES
#define PYRO_ES_LAST_BYTES 96
#endif
#if PYRO_ES_LAST_BYTES < 16 || PYRO_ES_LAST_BYTES > 65535
#error "PYRO_ES_LAST_BYTES: 16 to 65535"
#endif

/* Publishers that can wait for blocking subscribers. Range 1 to 100. */
#ifndef PYRO_ES_WAITING
#define PYRO_ES_WAITING 4
#endif
#if PYRO_ES_WAITING < 1 || PYRO_ES_WAITING > 100
#error "PYRO_ES_WAITING: 1 to 100"
#endif

/* How long a service remembers a subscriber whose connection is gone. Range 1
 * to PYRO_MAX_MS. */
#ifndef PYRO_ES_AWAY_MS
#define PYRO_ES_AWAY_MS 30000
#endif
#if PYRO_ES_AWAY_MS < 1 || PYRO_ES_AWAY_MS > PYRO_MAX_MS
#error "PYRO_ES_AWAY_MS: 1 to PYRO_MAX_MS"
#endif

/* Switches that remove something:
 *   PYRO_ES_NO_REGEX   subscribeMatch; wildcards stay
 *   PYRO_ES_NO_FLAGS   of the service: who subscribes with flags is refused,
 *                      so everybody gets every event in its turn, or counts
 *                      it as lost; config.last does not count
 * and what those of pyro.h remove here:
 *   PYRO_NO_URI        subscribers with a URI: they are objects of the
 *                      connection over which they subscribe
 *   PYRO_NO_STATS      the method "statistics"; service.stats stays zero,
 *                      what each subscriber is told it lost stays exact
 *   PYRO_NO_TEXTS      what is refused says the name of the limit, no more */

#if defined(PYRO_NO_SERVER) || defined(PYRO_NO_CLIENT)
#error "pyro_es.h: a subscriber is called, a service calls: it needs both"
#endif

#define PYRO_ES_NAME ":Pyro.EventService"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * >>events
 * ------------------------------------------------------------------------ */

/* Flags of a subscription.
 *   LATEST  of events of one subject only the newest counts: older ones that
 *           were not sent yet are left out, and do not count as lost
 *   BLOCK   nothing is lost: who publishes without oneway waits for this
 *           subscriber; oneways that find no room are refused
 *   LAST    first the last value of each matching subject
 *   OTHERS  not what came from the subscriber's own node (a daemon between
 *           two restarts of it): for bridges, which must not hear themselves.
 *           Of a subscriber with a host in its URI nothing is its own
 *   MATCH   of the client only: the text is a regular expression */
#define PYRO_ES_LATEST 1
#define PYRO_ES_BLOCK  2
#define PYRO_ES_LAST   4
#define PYRO_ES_OTHERS 8
#define PYRO_ES_MATCH  0x100

/* An event as a subscriber gets it. The views live until its function
 * returns. */
typedef struct pyro_es_event {
    const char  *subject; /* as the publisher spelt it; zero-terminated */
    uint64_t     time;    /* the service's, in milliseconds */
    pyro_reader *message; /* one value */
    uint32_t     n;       /* events so far, with this one */
    uint32_t     lost;    /* events missed so far */
} pyro_es_event;

/* Whether a subject fits a wildcard, letters of either case. */
PYRO_DEF bool pyro_es_match(const char *wildcard, const char *subject,
                            size_t n);

#ifndef PYRO_ES_NO_REGEX
/* Compiles a regular expression of n bytes into `code`. 0, or the position
 * (from 1) of what it cannot take: n + 1 when it is too long or ends early. */
PYRO_DEF size_t pyro_es_compile(const char *pattern, size_t n,
                                uint8_t code[PYRO_ES_REGEX]);

/* Whether a subject begins with what was compiled. */
PYRO_DEF bool pyro_es_matches(const uint8_t code[PYRO_ES_REGEX],
                              const char *subject, size_t n);
#endif

/* ------------------------------------------------------------------------
 * >>client
 * ------------------------------------------------------------------------ */

typedef void (*pyro_es_fn)(void *user, const pyro_es_event *event);

/* Private: a subscription of a client. */
typedef struct pyroi_es_own {
    const char *subject;
    uint32_t    flags;
} pyroi_es_own;

/* A client: publisher, subscriber or both. The caller's from open to close. */
typedef struct pyro_es {
    uint32_t events;   /* that came */
    uint32_t lost;     /* that the service says we missed */
    uint32_t again;    /* times all was subscribed anew */
    uint32_t too_long; /* events whose subject was: PYRO_ES_MAX_SUBJECT */

    uint8_t      n_own_;
    uint8_t      at_;      /* the one that is subscribed next */
    bool         asking_;  /* rq_ is under way */
    uint32_t     session_; /* of the service behind it */
    uint32_t     n_;       /* of the last event of that one */
    pyro_link    link_;    /* over which all is subscribed */
    pyro_daemon *node_;
    pyro_es_fn   fn_;
    void        *user_;
    pyro_proxy   proxy_;
    pyro_request rq_;
    pyro_timer   timer_;
    pyro_hook    hook_;
    pyroi_es_own own_[PYRO_ES_OWN];
    char         object_[8];
} pyro_es;

/* Opens a client of the service at a URI (borrowed until it is closed). fn
 * gets the events; NULL for one that only publishes. Nothing is connected
 * yet. Errors: those of pyro_proxy_open and pyro_export. */
PYRO_DEF pyro_err pyro_es_open(pyro_es *es, pyro_daemon *node, const char *uri,
                               pyro_es_fn fn, void *user);

/* The same for the service at the other end of a link: an adopted pipe, such
 * as a serial line, or the link of a call. Errors: those of pyro_proxy_at and
 * pyro_export. */
PYRO_DEF pyro_err pyro_es_at(pyro_es *es, pyro_daemon *node, pyro_link link,
                             pyro_es_fn fn, void *user);

/* Ends it, and with the connection its subscriptions: on one that stays, a
 * pipe or one that other proxies use, unsubscribe first. */
PYRO_DEF void pyro_es_close(pyro_es *es);

/* Subscribes and waits for the answer. The text is borrowed until it is
 * unsubscribed. It is kept, and tried again from poll, after every error but
 * PYRO_ERR_REMOTE (refused) and PYRO_ERR_NOSPACE (PYRO_ES_OWN). */
PYRO_DEF pyro_err pyro_es_subscribe(pyro_es *es, const char *subject,
                                    unsigned flags);

/* Ends a subscription, by its text, and waits for the answer; here it is ended
 * in any case. PYRO_OK also if there was none, else the error of the call. */
PYRO_DEF pyro_err pyro_es_unsubscribe(pyro_es *es, const char *subject);

/* Publishes, as a oneway: nothing is known of the outcome. Subject and message
 * are copied. Errors: those of pyro_oneway. */
PYRO_DEF pyro_err pyro_es_publish(pyro_es *es, const char *subject,
                                  pyro_value message);

/* The same, waiting: PYRO_OK when the service has taken it, and every blocking
 * subscriber has got it. */
PYRO_DEF pyro_err pyro_es_publish_wait(pyro_es *es, const char *subject,
                                       pyro_value message);

/* The proxy of the service, for its other methods and its exceptions. */
PYRO_DEF pyro_proxy *pyro_es_proxy(pyro_es *es);

/* ------------------------------------------------------------------------
 * >>service
 * ------------------------------------------------------------------------ */

/* Private: what stands before an event in the ring, not aligned. */
typedef struct pyroi_es_head {
    uint32_t n; /* bytes behind it */
    uint32_t hash;
    uint32_t from;    /* session of the publisher's node, 0: our own */
    uint16_t text_at; /* of the subject's text */
    uint16_t text_n;
} pyroi_es_head;

/* Room for one last value. Private. */
typedef struct pyro_es_last {
    uint32_t stamp; /* when it was set, 0: free */
    uint8_t  bytes[sizeof(pyroi_es_head) + PYRO_ES_LAST_BYTES];
} pyro_es_last;

/* Zero is the default everywhere. It stays the caller's. */
typedef struct pyro_es_config {
    /* Subscribers that may hold a buffer each because they take nothing:
     * a third of the pool is the rule. Default 2. */
    uint16_t stuck;
    /* For how long: up to PYRO_MAX_MS, default PYRO_FRAME_MS. */
    uint32_t stuck_ms;
    /* The last event of so many subjects; the oldest makes room. */
    pyro_es_last *last;
    uint16_t      n_last;
    void         *user;
    /* The time of events, in milliseconds. NULL: the daemon's clock. */
    uint64_t (*now)(void *user);
} pyro_es_config;

typedef struct pyro_es_stats {
    uint32_t published; /* all of it zero with PYRO_NO_STATS */
    uint32_t sent;      /* to all subscribers */
    uint32_t lost;      /* by all of them: lapped, or cut off */
    uint32_t refused;   /* events and subscriptions that were not taken */
    uint32_t too_long;  /* for a subscriber's messages, or as last values */
    uint32_t dropped;   /* subscribers that took nothing for too long */
} pyro_es_stats;

/* Private: bytes of a subscriber's object, or of its URI. */
#ifdef PYRO_NO_URI
#define PYROI_ES_WHERE (PYRO_MAX_NAME + 1)
#else
#define PYROI_ES_WHERE PYRO_URI_BYTES
#endif

/* Private: one subscriber. */
typedef struct pyroi_es_sub {
    uint8_t    state;
    uint8_t    flags; /* of all its subscriptions */
    uint16_t   first; /* subscription, index + 1 */
    uint32_t   at;    /* in the ring, and the event's number there */
    uint32_t   seq;
    uint32_t   n;
    uint32_t   lost;
    uint32_t   since;   /* when it got stuck, or went */
    uint32_t   session; /* of its node: what is known again; 0: a URI */
    uint32_t   until;   /* only last values that were there when it came */
    uint16_t   last;    /* how many of them it was looked at for */
    char       where[PYROI_ES_WHERE]; /* object, or URI */
    pyro_proxy proxy;
} pyroi_es_sub;

/* Private: one subscription. */
typedef struct pyroi_es_item {
    uint32_t hash; /* of its text */
    uint16_t next; /* of the same subscriber, or free; index + 1 */
    uint8_t  flags;
    uint8_t  n;
    char     text[PYRO_ES_MAX_SUBJECT + 1];
#ifndef PYRO_ES_NO_REGEX
    uint8_t code[PYRO_ES_REGEX];
#endif
} pyroi_es_item;

/* Memory of a service: subscribers, subscriptions, and bytes of the ring, of
 * which each event takes its size and 16. Independent of each other: the ring
 * is there once for all. At most 65534, 65534 and 2^31 - 1 of them are used. */
#define PYRO_ES_ROOM(subscribers_, subscriptions_, bytes_) \
    struct {                                               \
        pyroi_es_sub  subs[subscribers_];                  \
        pyroi_es_item items[subscriptions_];               \
        uint8_t       bytes[bytes_];                       \
    }
#define PYRO_ES_ROOM_OF(room)                                           \
    pyro_es_room_of((room).subs, PYRO_COUNT((room).subs), (room).items, \
                    PYRO_COUNT((room).items), (room).bytes,             \
                    sizeof(room).bytes)

typedef struct pyro_es_room {
    pyroi_es_sub  *subs;
    pyroi_es_item *items;
    uint8_t       *bytes;
    uint32_t       n_bytes;
    uint16_t       n_subs;
    uint16_t       n_items;
} pyro_es_room;

static inline pyro_es_room pyro_es_room_of(pyroi_es_sub *subs, size_t n_subs,
                                           pyroi_es_item *items,
                                           size_t n_items, uint8_t *bytes,
                                           size_t n_bytes)
{
    pyro_es_room r;

    r.subs = subs;
    r.items = items;
    r.bytes = bytes;
    r.n_bytes = n_bytes < 0x7FFFFFFF ? (uint32_t)n_bytes : 0x7FFFFFFF;
    r.n_subs = n_subs < 0xFFFE ? (uint16_t)n_subs : 0xFFFE;
    r.n_items = n_items < 0xFFFE ? (uint16_t)n_items : 0xFFFE;
    return r;
}

/* An event service: an object of a daemon. The caller's from pyro_es_serve to
 * pyro_es_stop. */
typedef struct pyro_es_service {
    pyro_es_stats stats;

    pyro_daemon          *node_;
    const pyro_es_config *config_;
    uint16_t              free_item_; /* index + 1 */
    pyro_es_room          room_;
    pyroi_es_sub         *subs_end_;
    pyroi_es_sub         *turn_; /* who is served first */
    pyro_timer            timer_;
    pyro_hook             hook_;
    uint32_t              head_;  /* where the next event goes */
    uint32_t              tail_;  /* the oldest */
    uint32_t              used_;  /* bytes from tail to head */
    uint32_t              fresh_; /* of them since the last fan-out */
    uint32_t              head_seq_;
    uint32_t              tail_seq_;
    uint32_t              passed_;  /* by all, at the least */
    uint32_t              longest_; /* event that is taken */
    uint32_t              stamp_;   /* of last values */
#ifndef PYRO_ES_NO_FLAGS
    struct {
        pyro_later later;
        pyro_link  link;
        uint32_t   seq; /* its event */
    } waiting_[PYRO_ES_WAITING];
#endif
} pyro_es_service;

/* Makes the daemon an event service: exports ":Pyro.EventService". Register
 * that with a name server if there is one. Errors: those of pyro_export;
 * PYRO_ERR_NOSPACE: a ring of under 64 bytes, or buffers that take no event. */
PYRO_DEF pyro_err pyro_es_serve(pyro_es_service *service, pyro_daemon *node,
                                pyro_es_room          room,
                                const pyro_es_config *config);

/* Ends it: subscribers hear nothing more, publishers that wait get an
 * exception. The daemon must still be open. Structs and room are the caller's
 * again. */
PYRO_DEF void pyro_es_stop(pyro_es_service *service);

/* Publishes from the service's own program; subject and message are copied.
 * PYRO_ERR_NOSPACE: the message is over 256 bytes encoded, the event or the
 * subject too long (node->why has both sizes), or a blocking subscriber holds
 * the ring. */
PYRO_DEF pyro_err pyro_es_post(pyro_es_service *service, const char *subject,
                               pyro_value message);

/* Walks every invariant of the tables. NULL, or what is wrong. For tests. */
PYRO_DEF const char *pyro_es_check(const pyro_es_service *service);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PYRO_ES_H */

/* ========================================================================
 * Implementation
 * ======================================================================== */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_ES_IMPLEMENTED)
#define PYRO_ES_IMPLEMENTED

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called and not copied: gcc takes some of these to be smaller copied. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define PYROI_ES_SHARED __attribute__((noinline))
#else
#define PYROI_ES_SHARED
#endif

/* Counts what happened. */
#ifdef PYRO_NO_STATS
#define pyroi_es_count(es, what, k) ((void)0)
#else
#define pyroi_es_count(es, what, k) ((void)((es)->stats.what += (k)))
#endif

#define PYROI_ES_FLAGS \
    (PYRO_ES_LATEST | PYRO_ES_BLOCK | PYRO_ES_LAST | PYRO_ES_OTHERS)

/* Whether a flag is set; without flags none is. */
#ifdef PYRO_ES_NO_FLAGS
#define PYROI_ES_HAS(flags, flag) false
#else
#define PYROI_ES_HAS(flags, flag) (((flags) & (flag)) != 0)
#endif

/* Last values that are kept. */
static unsigned pyroi_es_n_last(const pyro_es_service *es)
{
#ifdef PYRO_ES_NO_FLAGS
    (void)es;
    return 0;
#else
    return es->config_->n_last;
#endif
}

/* ------------------------------------------------------------------------
 * >>wildcards
 * ------------------------------------------------------------------------ */

static unsigned pyroi_es_lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool pyroi_es_same(char a, char b)
{
    return pyroi_es_lower(a) == pyroi_es_lower(b);
}

static bool pyroi_es_equal(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] == 0 || !pyroi_es_same(a[i], b[i]))
            return false;
    return a[n] == 0;
}

/* A star that may take one character more: where the pattern goes on behind
 * it, and how far it has taken the subject. */
typedef struct pyroi_es_star {
    const char *rest; /* NULL: none */
    size_t      at;
} pyroi_es_star;

/* When the pattern fails, the last star takes one character more, and when
 * it cannot the last double one does: it alone passes a dot. Ends, as with
 * each try one of the two has taken more. */
PYRO_DEF bool pyro_es_match(const char *pattern, const char *subject, size_t n)
{
    pyroi_es_star one = { NULL, 0 };
    pyroi_es_star any = { NULL, 0 };
    size_t        i = 0;

    for (;;) {
        if (pattern[0] == '*') {
            pyroi_es_star *star = pattern[1] == '*' ? &any : &one;

            pattern += pattern[1] == '*' ? 2 : 1;
            if (star == &any)
                one.rest = NULL;
            star->rest = pattern;
            star->at = i;
        } else if (i < n && pattern[0] != 0
                   && pyroi_es_same(pattern[0], subject[i])) {
            pattern++;
            i++;
        } else if (i == n && pattern[0] == 0) {
            return true;
        } else if (one.rest != NULL && one.at < n && subject[one.at] != '.') {
            i = ++one.at;
            pattern = one.rest;
        } else if (any.rest != NULL && any.at < n) {
            one.rest = NULL;
            i = ++any.at;
            pattern = any.rest;
        } else {
            return false;
        }
    }
}

/* ------------------------------------------------------------------------
 * >>regex: regular expressions
 *
 * Compiled for a machine of eight instructions that is in many places at
 * once: a set of places moves over the subject, a character at a time. There
 * are no more places than bytes of code, so the time is bounded (Thompson
 * 1968). Jumps are relative, so code can be moved.
 * ------------------------------------------------------------------------ */

#ifndef PYRO_ES_NO_REGEX

enum {
    PYROI_ES_MATCHED, /* 0 */
    PYROI_ES_CHAR,    /* c */
    PYROI_ES_ANY,
    PYROI_ES_CLASS, /* number of ranges, 0x80: all but; from, to, ... */
    PYROI_ES_SPLIT, /* goes on behind it, and also at this distance */
    PYROI_ES_JUMP,  /* distance */
    PYROI_ES_BEGIN,
    PYROI_ES_FINISH
};

typedef struct pyroi_es_compiler {
    const char *at;
    const char *begin;
    const char *end;
    uint8_t    *code;
    size_t      n; /* bytes of code */
    unsigned    depth;
    const char *bad; /* what could not be taken, or NULL */
} pyroi_es_compiler;

static void pyroi_es_bad(pyroi_es_compiler *c, const char *at)
{
    if (c->bad == NULL)
        c->bad = at;
}

static void pyroi_es_emit(pyroi_es_compiler *c, unsigned byte)
{
    if (c->n + 1 < PYRO_ES_REGEX) /* the last is for MATCHED */
        c->code[c->n++] = (uint8_t)byte;
    else
        pyroi_es_bad(c, c->end);
}

/* Makes room for two bytes at `at`, before what was compiled last. */
static void pyroi_es_insert(pyroi_es_compiler *c, size_t at, unsigned op,
                            size_t distance)
{
    pyroi_es_emit(c, 0);
    pyroi_es_emit(c, 0);
    if (c->bad != NULL)
        return;
    memmove(c->code + at + 2, c->code + at, c->n - at - 2);
    c->code[at] = (uint8_t)op;
    c->code[at + 1] = (uint8_t)distance;
}

/* A jump to an earlier place: distances count from the instruction, as a
 * number of 8 bits with sign. */
static void pyroi_es_emit_back(pyroi_es_compiler *c, unsigned op, size_t to)
{
    size_t from = c->n;

    pyroi_es_emit(c, op);
    pyroi_es_emit(c, (unsigned)(to - from) & 0xFF);
}

/* Ranges that \d, \w and \s stand for: pairs. NULL: it is not one of them. */
static const char *pyroi_es_ranges(char letter)
{
    switch (pyroi_es_lower(letter)) {
    case 'd':
        return "09";
    case 'w':
        return "09az__";
    case 's':
        return "\t\r  ";
    default:
        return NULL;
    }
}

/* What stands behind a backslash, outside of a class. */
static void pyroi_es_escape(pyroi_es_compiler *c)
{
    const char *ranges;

    if (c->at == c->end) {
        pyroi_es_bad(c, c->end);
        return;
    }
    ranges = pyroi_es_ranges(*c->at);
    if (ranges != NULL) {
        size_t n = strlen(ranges);

        pyroi_es_emit(c, PYROI_ES_CLASS);
        pyroi_es_emit(c, (unsigned)(n / 2) | (*c->at < 'a' ? 0x80 : 0));
        for (size_t i = 0; i < n; i++)
            pyroi_es_emit(c, (uint8_t)ranges[i]);
    } else if ((pyroi_es_lower(*c->at) >= 'a' && pyroi_es_lower(*c->at) <= 'z')
               || (*c->at >= '0' && *c->at <= '9')) {
        pyroi_es_bad(c, c->at - 1);
    } else {
        pyroi_es_emit(c, PYROI_ES_CHAR);
        pyroi_es_emit(c, (uint8_t)*c->at);
    }
    c->at++;
}

/* One character of a class; a backslash makes the next one plain. */
static unsigned pyroi_es_class_char(pyroi_es_compiler *c)
{
    if (*c->at == '\\' && c->at + 1 < c->end) {
        char escaped = c->at[1];

        if ((pyroi_es_lower(escaped) >= 'a' && pyroi_es_lower(escaped) <= 'z')
            || (escaped >= '0' && escaped <= '9'))
            pyroi_es_bad(c, c->at);
        c->at++;
    }
    return pyroi_es_lower(*c->at++);
}

/* A class, behind its bracket. */
static void pyroi_es_class(pyroi_es_compiler *c)
{
    const char *open = c->at - 1;
    size_t      count = c->n + 1;
    unsigned    ranges = 0;
    bool        other = c->at < c->end && *c->at == '^';

    pyroi_es_emit(c, PYROI_ES_CLASS);
    pyroi_es_emit(c, 0);
    c->at += other;
    while (c->at < c->end && c->bad == NULL
           && (*c->at != ']' || ranges == 0)) {
        const char *from_at = c->at;
        unsigned    from = pyroi_es_class_char(c);
        unsigned    to = from;

        if (c->end - c->at > 1 && c->at[0] == '-' && c->at[1] != ']') {
            c->at++;
            to = pyroi_es_class_char(c);
        }
        if (to < from)
            pyroi_es_bad(c, from_at);
        pyroi_es_emit(c, from);
        pyroi_es_emit(c, to);
        ranges++;
    }
    if (c->at == c->end) {
        pyroi_es_bad(c, open);
        return;
    }
    c->at++;
    if (c->bad == NULL)
        c->code[count] = (uint8_t)(ranges | (other ? 0x80 : 0));
}

static void pyroi_es_either(pyroi_es_compiler *c);

static void pyroi_es_group(pyroi_es_compiler *c)
{
    const char *open = c->at - 1;

    if (++c->depth > PYRO_ES_REGEX_DEPTH || (c->at < c->end && *c->at == '?'))
        pyroi_es_bad(c, c->depth > PYRO_ES_REGEX_DEPTH ? open : c->at);
    if (c->bad != NULL)
        return;
    pyroi_es_either(c);
    c->depth--;
    if (c->at == c->end || *c->at != ')')
        pyroi_es_bad(c, open);
    else
        c->at++;
}

/* One thing that can be repeated. False: an anchor, which cannot. */
static bool pyroi_es_atom(pyroi_es_compiler *c)
{
    char it = *c->at++;

    switch (it) {
    case '.':
        pyroi_es_emit(c, PYROI_ES_ANY);
        break;
    case '[':
        pyroi_es_class(c);
        break;
    case '(':
        pyroi_es_group(c);
        break;
    case '\\':
        pyroi_es_escape(c);
        break;
    case '^':
    case '$':
        pyroi_es_emit(c, it == '^' ? PYROI_ES_BEGIN : PYROI_ES_FINISH);
        return false;
    case '*':
    case '+':
    case '?':
    case '{':
        pyroi_es_bad(c, c->at - 1);
        break;
    default:
        pyroi_es_emit(c, PYROI_ES_CHAR);
        pyroi_es_emit(c, pyroi_es_lower(it));
    }
    return true;
}

/* Behind an atom that begins at `at`: how often. */
static void pyroi_es_repeat(pyroi_es_compiler *c, size_t at)
{
    size_t n = c->n - at;
    char   how = c->at < c->end ? *c->at : 0;

    if (how != '*' && how != '+' && how != '?')
        return;
    c->at++;
    if (how == '+') {
        pyroi_es_emit_back(c, PYROI_ES_SPLIT, at);
        return;
    }
    pyroi_es_insert(c, at, PYROI_ES_SPLIT, 2 + n + (how == '*' ? 2 : 0));
    if (how == '*')
        pyroi_es_emit_back(c, PYROI_ES_JUMP, at);
}

static void pyroi_es_sequence(pyroi_es_compiler *c)
{
    while (c->at < c->end && *c->at != '|' && *c->at != ')'
           && c->bad == NULL) {
        size_t at = c->n;

        if (pyroi_es_atom(c))
            pyroi_es_repeat(c, at);
    }
}

/* Sequences with | between them: split, first, jump to the end, the rest. */
static void pyroi_es_either(pyroi_es_compiler *c)
{
    size_t begin = c->n;

    pyroi_es_sequence(c);
    while (c->at < c->end && *c->at == '|' && c->bad == NULL) {
        size_t jump;

        c->at++;
        pyroi_es_insert(c, begin, PYROI_ES_SPLIT, c->n - begin + 4);
        jump = c->n;
        pyroi_es_emit(c, PYROI_ES_JUMP);
        pyroi_es_emit(c, 0);
        pyroi_es_sequence(c);
        if (c->bad == NULL)
            c->code[jump + 1] = (uint8_t)(c->n - jump);
    }
}

PYRO_DEF size_t pyro_es_compile(const char *pattern, size_t n,
                                uint8_t code[PYRO_ES_REGEX])
{
    pyroi_es_compiler c = { pattern, pattern, pattern + n, code, 0, 0, NULL };

    memset(code, 0, PYRO_ES_REGEX);
    pyroi_es_either(&c);
    if (c.bad == NULL && c.at < c.end)
        c.bad = c.at; /* a ) that nothing opened */
    return c.bad == NULL ? 0 : (size_t)(c.bad - pattern) + 1;
}

/* --- matching --- */

typedef struct pyroi_es_places {
    uint32_t bits[PYRO_ES_REGEX / 32 + 1];
} pyroi_es_places;

static bool pyroi_es_put_place(pyroi_es_places *set, unsigned at)
{
    uint32_t bit = (uint32_t)1 << at % 32;
    bool     is_new = (set->bits[at / 32] & bit) == 0;

    set->bits[at / 32] |= bit;
    return is_new;
}

static unsigned pyroi_es_length(const uint8_t *op)
{
    switch (op[0]) {
    case PYROI_ES_CLASS:
        return 2 + 2 * (op[1] & 0x7Fu);
    case PYROI_ES_CHAR:
    case PYROI_ES_SPLIT:
    case PYROI_ES_JUMP:
        return 2;
    default:
        return 1;
    }
}

/* Puts a place into the set with all that it leads to without a character.
 * Each place is walked once: `todo` holds at most as many as there are. */
static void pyroi_es_reach(const uint8_t *code, pyroi_es_places *set,
                           unsigned at, bool first, bool last)
{
    uint8_t  todo[PYRO_ES_REGEX];
    unsigned n = 0;

    if (pyroi_es_put_place(set, at))
        todo[n++] = (uint8_t)at;
    while (n > 0) {
        const uint8_t *op = code + todo[--n];
        unsigned       here = (unsigned)(op - code);
        unsigned       next = here + pyroi_es_length(op);
        bool jumps = op[0] == PYROI_ES_SPLIT || op[0] == PYROI_ES_JUMP;
        bool on = op[0] == PYROI_ES_SPLIT || (op[0] == PYROI_ES_BEGIN && first)
               || (op[0] == PYROI_ES_FINISH && last);

        if (on && pyroi_es_put_place(set, next))
            todo[n++] = (uint8_t)next;
        next = jumps ? here + (unsigned)(int8_t)op[1] : here;
        if (jumps && pyroi_es_put_place(set, next))
            todo[n++] = (uint8_t)next;
    }
}

static bool pyroi_es_takes(const uint8_t *op, unsigned c)
{
    bool in = false;

    if (op[0] == PYROI_ES_CLASS) {
        for (unsigned i = 0; i < (op[1] & 0x7Fu); i++)
            in |= c >= op[2 + 2 * i] && c <= op[3 + 2 * i];
        return in != ((op[1] & 0x80) != 0);
    }
    return op[0] == PYROI_ES_ANY || (op[0] == PYROI_ES_CHAR && op[1] == c);
}

PYRO_DEF bool pyro_es_matches(const uint8_t code[PYRO_ES_REGEX],
                              const char *subject, size_t n)
{
    pyroi_es_places now;

    memset(&now, 0, sizeof now);
    pyroi_es_reach(code, &now, 0, true, n == 0);
    for (size_t i = 0;; i++) {
        pyroi_es_places next;
        unsigned        at = 0;

        memset(&next, 0, sizeof next);
        for (at = 0; at < PYRO_ES_REGEX; at++) {
            if ((now.bits[at / 32] >> at % 32 & 1) == 0)
                continue;
            if (code[at] == PYROI_ES_MATCHED)
                return true;
            if (i < n && pyroi_es_takes(code + at, pyroi_es_lower(subject[i])))
                pyroi_es_reach(code, &next, at + pyroi_es_length(code + at),
                               false, i + 1 == n);
        }
        if (i == n)
            return false;
        now = next;
    }
}

#endif /* PYRO_ES_NO_REGEX */

/* ------------------------------------------------------------------------
 * >>ring: events one behind the other
 *
 * A header, then subject, time and message as they are encoded. An event never
 * goes round the end: what is left there is skipped, marked by a size of 0.
 * ------------------------------------------------------------------------ */

#define PYROI_ES_HEAD ((uint32_t)sizeof(pyroi_es_head))

typedef struct pyroi_es_stored {
    pyroi_es_head  head;
    const uint8_t *body;
    const char    *subject; /* its text */
} pyroi_es_stored;

/* Of a subject, letters of either case (FNV-1a). */
PYROI_ES_SHARED static uint32_t pyroi_es_hash(const char *text, size_t n)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ pyroi_es_lower(text[i])) * 16777619u;
    return hash;
}

/* Where the event at `at` really begins. */
static uint32_t pyroi_es_begin(const pyro_es_service *es, uint32_t at)
{
    uint32_t n;

    if (es->room_.n_bytes - at < PYROI_ES_HEAD)
        return 0;
    memcpy(&n, es->room_.bytes + at, sizeof n);
    return n == 0 ? 0 : at;
}

static void pyroi_es_stored_at(const uint8_t *p, pyroi_es_stored *e)
{
    memcpy(&e->head, p, sizeof e->head);
    e->body = p + sizeof e->head;
    e->subject = (const char *)e->body + e->head.text_at;
}

static void pyroi_es_load(const pyro_es_service *es, uint32_t at,
                          pyroi_es_stored *e)
{
    pyroi_es_stored_at(es->room_.bytes + pyroi_es_begin(es, at), e);
}

/* Where the one behind an event begins. */
static uint32_t pyroi_es_behind(const pyro_es_service *es,
                                const pyroi_es_stored *e)
{
    return (uint32_t)(e->body - es->room_.bytes) + e->head.n;
}

/* ------------------------------------------------------------------------
 * >>subscribers
 * ------------------------------------------------------------------------ */

enum { PYROI_ES_FREE, PYROI_ES_HERE, PYROI_ES_STUCK, PYROI_ES_AWAY };

/* Beside the flags of a subscription: what its text is; of a call, that it
 * ends subscriptions. */
#define PYROI_ES_WILD  0x40
#define PYROI_ES_REGEX 0x80
#define PYROI_ES_UNDO  0x100

/* Whether an event has this subject; mostly it is spelt the same. */
static bool pyroi_es_is_of(const pyroi_es_stored *e, uint32_t hash,
                           const char *subject, uint32_t n)
{
    uint32_t i = 0;

    if (e->head.hash != hash || e->head.text_n != n)
        return false;
    if (memcmp(e->subject, subject, n) == 0)
        return true;
    while (i < n && pyroi_es_same(e->subject[i], subject[i]))
        i++;
    return i == n;
}

static bool pyroi_es_fits(const pyroi_es_item *it, const pyroi_es_stored *e)
{
#ifndef PYRO_ES_NO_REGEX
    if ((it->flags & PYROI_ES_REGEX) != 0)
        return pyro_es_matches(it->code, e->subject, e->head.text_n);
#endif
    if ((it->flags & PYROI_ES_WILD) != 0)
        return pyro_es_match(it->text, e->subject, e->head.text_n);
    return pyroi_es_is_of(e, it->hash, it->text, it->n);
}

/* The subscription of a subscriber that matches first, or NULL. */
static const pyroi_es_item *pyroi_es_wants(const pyro_es_service *es,
                                           const pyroi_es_sub    *sub,
                                           const pyroi_es_stored *e)
{
    bool     own = sub->session != 0 && e->head.from == sub->session;
    uint16_t at = sub->first;

    while (at != 0) {
        const pyroi_es_item *it = &es->room_.items[at - 1];

        if (!(own && PYROI_ES_HAS(it->flags, PYRO_ES_OTHERS))
            && pyroi_es_fits(it, e))
            return it;
        at = it->next;
    }
    return NULL;
}

/* Whether an event of the same subject is in the ring behind one whose number
 * this is. */
static bool pyroi_es_newer(const pyro_es_service *es, uint32_t seq,
                           const pyroi_es_stored *e)
{
    pyroi_es_stored next = *e;

    while (++seq != es->head_seq_) {
        pyroi_es_load(es, pyroi_es_behind(es, &next), &next);
        if (pyroi_es_is_of(&next, e->head.hash, e->subject, e->head.text_n))
            return true;
    }
    return false;
}

/* Whether a subscriber is to get the event at its place in the ring. */
static bool pyroi_es_due(const pyro_es_service *es, const pyroi_es_sub *sub,
                         const pyroi_es_stored *e)
{
    const pyroi_es_item *it = pyroi_es_wants(es, sub, e);

    return it != NULL
        && !(PYROI_ES_HAS(it->flags, PYRO_ES_LATEST)
             && pyroi_es_newer(es, sub->seq, e));
}

/* Whether a subscriber that blocks has not passed all events before this
 * number. */
static bool pyroi_es_held(const pyro_es_service *es, uint32_t seq)
{
#ifdef PYRO_ES_NO_FLAGS
    (void)es;
    (void)seq;
#else
    for (const pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++)
        if ((sub->state == PYROI_ES_HERE || sub->state == PYROI_ES_STUCK)
            && (sub->flags & PYRO_ES_BLOCK) != 0
            && (int32_t)(seq - sub->seq) > 0)
            return true;
#endif
    return false;
}

/* The event that begins what is in the ring, behind which `next` is, goes:
 * whoever has not had it is lapped. How far the slowest has come then is known
 * until all have been passed again. */
static void pyroi_es_lap(pyro_es_service *es, const pyroi_es_stored *e,
                         uint32_t next)
{
    uint32_t behind = 0;

    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++) {
        if (sub->state == PYROI_ES_FREE)
            continue;
        if (sub->seq == es->tail_seq_) {
            if (pyroi_es_due(es, sub, e)) {
                sub->lost++;
                pyroi_es_count(es, lost, 1);
            }
            sub->at = next;
            sub->seq++;
        }
        if (es->head_seq_ - sub->seq > behind)
            behind = es->head_seq_ - sub->seq;
    }
    es->passed_ = es->head_seq_ - behind;
}

/* The oldest event goes. False: a blocking subscriber holds it. Subscribers
 * only go forward, so who is last is not asked for each event. */
static bool pyroi_es_evict(pyro_es_service *es)
{
    pyroi_es_stored e;
    uint32_t        next;

    pyroi_es_load(es, es->tail_, &e);
    next = pyroi_es_behind(es, &e);
    if (es->passed_ == es->tail_seq_) {
        if (pyroi_es_held(es, es->tail_seq_ + 1))
            return false;
        pyroi_es_lap(es, &e, next);
    }
    es->used_ -= next - es->tail_;
    if (next <= es->tail_)
        es->used_ -= es->room_.n_bytes;
    es->tail_ = next;
    es->tail_seq_++;
    return true;
}

/* Room for n bytes at the head, at most half of the ring. False: a blocking
 * subscriber holds it. */
static bool pyroi_es_make_room(pyro_es_service *es, uint32_t n)
{
    uint32_t left = es->room_.n_bytes - es->head_;
    uint32_t need = n <= left ? n : n + left;

    while (es->used_ + need > es->room_.n_bytes)
        if (!pyroi_es_evict(es))
            return false;
    if (n > left) {
        if (left >= PYROI_ES_HEAD)
            memset(es->room_.bytes + es->head_, 0, PYROI_ES_HEAD);
        es->head_ = 0;
    }
    es->used_ += need;
    return true;
}

/* The session of the node that calls; without flags nobody asks. */
static uint32_t pyroi_es_from(const pyro_es_service *es, const pyro_call *call)
{
#ifdef PYRO_ES_NO_FLAGS
    (void)es;
    (void)call;
    return 0;
#else
    return call != NULL ? pyro_link_session(es->node_, call->link) : 0;
#endif
}

/* --- what is refused --- */

/* A text, and what is left of it without texts. */
#ifdef PYRO_NO_TEXTS
#define PYROI_ES_T(text, name) name
#else
#define PYROI_ES_T(text, name) text
#endif

/* Returns false; `call` may be NULL. */
static bool pyroi_es_refuse(pyro_es_service *es, pyro_call *call,
                            const char *text)
{
    (void)es;
    pyroi_es_count(es, refused, 1);
    if (call != NULL)
        pyro_raise(call, "ValueError", text);
    return false;
}

/* Something is too long: what, how long, the most, and what to raise, a text
 * that begins with "too long"; without texts its name. */
#ifdef PYRO_NO_TEXTS
#define pyroi_es_too_long(es, call, what, n, most, raise, name) \
    pyroi_es_refuse(es, call, name)
#else
#define pyroi_es_too_long(es, call, what, n, most, raise, name) \
    pyroi_es_say_too_long(es, call, what, n, most, raise)

/* Appends a text and a number. Returns where the next goes. */
static char *pyroi_es_say(char *to, const char *text, uint32_t v)
{
    char digits[10];
    unsigned n = 0;

    while (*text != 0)
        *to++ = *text++;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0)
        *to++ = digits[--n];
    *to = 0;
    return to;
}

/* The longest is "event of 4294967295 bytes, at most 4294967295: raise
 * PYRO_ES_ROOM, PYRO_ROOM", 77 with its zero. */
static bool pyroi_es_say_too_long(pyro_es_service *es, pyro_call *call,
                                  const char *what, uint32_t n, uint32_t most,
                                  const char *raise)
{
    char text[80];
    char *at = pyroi_es_say(text, what, n);

    at = pyroi_es_say(at, " bytes, at most ", most);
    es->node_->why.text = raise;
    raise += sizeof "too long" - 1;
    memcpy(at, raise, strlen(raise) + 1);
    es->node_->why.is = n;
    es->node_->why.limit = most;
    return pyroi_es_refuse(es, call, text);
}

#endif

static bool pyroi_es_has(const char *text, uint32_t n, char c)
{
    while (n > 0 && text[n - 1] != c)
        n--;
    return n > 0;
}

/* False: it has been refused. */
static bool pyroi_es_good_subject(pyro_es_service *es, pyro_call *call,
                                  const char *text, uint32_t n)
{
    if (n > PYRO_ES_MAX_SUBJECT)
        return pyroi_es_too_long(es, call, "subject of ", n,
                                 PYRO_ES_MAX_SUBJECT,
                                 "too long: raise PYRO_ES_MAX_SUBJECT",
                                 "PYRO_ES_MAX_SUBJECT");
    return (n > 0 && !pyroi_es_has(text, n, 0))
        || pyroi_es_refuse(es, call,
                           PYROI_ES_T("subject is empty or has a zero byte",
                                      "subject"));
}

#ifndef PYRO_ES_NO_REGEX
/* One that cannot be taken from a position on. */
static bool pyroi_es_bad_regex(pyro_es_service *es, pyro_call *call,
                               uint32_t position)
{
#ifdef PYRO_NO_TEXTS
    (void)position;
    return pyroi_es_refuse(es, call, "pattern");
#else
    char text[48];

    pyroi_es_say(text, "regular expression: see position ", position);
    return pyroi_es_refuse(es, call, text);
#endif
}
#endif

/* --- subscriptions --- */

/* Where the subscription is linked that has this text, or the 0 at the end. */
static uint16_t *pyroi_es_link_of(pyro_es_service *es, pyroi_es_sub *sub,
                                  const char *text, uint32_t n)
{
    uint16_t *at = &sub->first;

    while (*at != 0) {
        pyroi_es_item *it = &es->room_.items[*at - 1];

        if (it->n == n && pyroi_es_equal(it->text, text, n))
            break;
        at = &it->next;
    }
    return at;
}

static void pyroi_es_free_item(pyro_es_service *es, uint16_t *at)
{
    pyroi_es_item *it = &es->room_.items[*at - 1];
    uint16_t       i = *at;

    *at = it->next;
    it->next = es->free_item_;
    es->free_item_ = i;
}

static void pyroi_es_forget(pyro_es_service *es, pyroi_es_sub *sub)
{
    while (sub->first != 0)
        pyroi_es_free_item(es, &sub->first);
    pyro_proxy_close(&sub->proxy); /* it may be closed already */
    sub->state = PYROI_ES_FREE;
}

/* Its subscriptions are other ones: its flags are theirs, one without any is
 * gone, and publishers that waited for it may go on. */
static void pyroi_es_changed(pyro_es_service *es, pyroi_es_sub *sub)
{
#ifndef PYRO_ES_NO_FLAGS
    uint16_t at = sub->first;

    for (sub->flags = 0; at != 0; at = es->room_.items[at - 1].next)
        sub->flags |= es->room_.items[at - 1].flags;
#endif
    if (sub->first == 0)
        pyroi_es_forget(es, sub);
    pyro_timer_set(es->node_, &es->timer_, 0);
}

/* The connection is gone. What is remembered counts what it misses. */
static void pyroi_es_leave(pyro_es_service *es, pyroi_es_sub *sub)
{
    pyro_proxy_close(&sub->proxy);
    sub->state = PYROI_ES_AWAY;
    sub->since = pyro_now(es->node_);
    pyro_timer_set(es->node_, &es->timer_, 0); /* see pyroi_es_watch */
}

/* Who has been in a state for the longest, or NULL. */
static pyroi_es_sub *pyroi_es_oldest(const pyro_es_service *es, unsigned state)
{
    pyroi_es_sub *best = NULL;

    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++)
        if (sub->state == state
            && (best == NULL || (int32_t)(sub->since - best->since) < 0))
            best = sub;
    return best;
}

/* A subscriber as the arguments of a call name it. */
typedef struct pyroi_es_who {
    uint32_t session; /* of the call's node, whose object it is; 0: a URI */
    uint32_t n;
    char     where[PYROI_ES_WHERE];
} pyroi_es_who;

#ifdef PYRO_NO_URI

#define pyroi_es_is_uri(who) false

/* What pyro_put_here writes before and behind the name of the object; the last
 * byte is the zero at the end. */
#define PYROI_ES_BEFORE 38u
#define PYROI_ES_BEHIND 3u

/* The first, with the other behind it. One function, as gcc copies texts to
 * where they are copied from. */
PYROI_ES_SHARED static const char *pyroi_es_form(void)
{
    return "\x82\xA9__class__\xAEPyro5.core.URI\xA5state\x95\xA4PYRO"
           "\xC0\xC0";
}

/* Takes bytes, which have to be these. */
static void pyroi_es_expect(pyro_reader *in, const char *bytes, size_t n)
{
    if ((size_t)(in->end - in->at) >= n && memcmp(in->at, bytes, n) == 0) {
        in->at += n;
    } else {
        in->at = in->end;
        in->err = PYRO_ERR_TYPE;
    }
}

/* An object of the peer: there are no others. */
static void pyroi_es_get_who(pyro_call *call, pyroi_es_who *who)
{
    pyro_reader *in = &call->args;
    const char  *text;
    uint32_t     n;

    pyroi_es_expect(in, pyroi_es_form(), PYROI_ES_BEFORE);
    text = pyro_get_str(in, &n);
    pyroi_es_expect(in, pyroi_es_form() + PYROI_ES_BEFORE, PYROI_ES_BEHIND);
    if (n > PYRO_MAX_NAME)
        in->err = PYRO_ERR_TYPE;
    if (in->err != PYRO_OK)
        return;
    memcpy(who->where, text, n);
    who->where[n] = 0;
    who->n = n;
    who->session = pyro_link_session(call->node, call->link);
}

#else

#define pyroi_es_is_uri(who) ((who)->session == 0)

/* An object of the peer, to be called over its connection, or a URI. */
static void pyroi_es_get_who(pyro_call *call, pyroi_es_who *who)
{
    pyro_uri uri;

    pyro_get_uri(&call->args, &uri);
    who->session = 0;
    if (call->args.err != PYRO_OK)
        return;
    if (uri.protocol != PYRO_URI_PYRO || uri.host_n != 0) {
        (void)pyro_uri_print(&uri, who->where, sizeof who->where);
        who->n = (uint32_t)strlen(who->where);
        return;
    }
    memcpy(who->where, uri.object, uri.object_n);
    who->where[uri.object_n] = 0;
    who->n = uri.object_n;
    who->session = pyro_link_session(call->node, call->link);
}

#endif

static pyroi_es_sub *pyroi_es_find(const pyro_es_service *es,
                                   const pyroi_es_who    *who)
{
    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++)
        if (sub->state != PYROI_ES_FREE && sub->session == who->session
            && strcmp(sub->where, who->where) == 0)
            return sub;
    return NULL;
}

/* A new subscriber: in a free place, else in that of who went away first.
 * NULL: all are here. */
static pyroi_es_sub *pyroi_es_new(pyro_es_service *es, const pyroi_es_who *who)
{
    pyroi_es_sub *sub = pyroi_es_oldest(es, PYROI_ES_FREE);

    if (sub == NULL)
        sub = pyroi_es_oldest(es, PYROI_ES_AWAY);
    if (sub == NULL)
        return NULL;
    pyroi_es_forget(es, sub);
    memset(sub, 0, sizeof *sub);
    sub->session = who->session;
    sub->at = es->head_;
    sub->seq = es->head_seq_;
    sub->last = (uint16_t)pyroi_es_n_last(es);
    return sub;
}

/* Makes a subscriber known, or known again, that got so many events: what was
 * sent to it besides and did not arrive before it left is lost. NULL: it has
 * been refused. */
static pyroi_es_sub *pyroi_es_enter(pyro_es_service *es, pyro_call *call,
                                    const pyroi_es_who *who, uint32_t got)
{
    pyroi_es_sub *sub = pyroi_es_find(es, who);
    pyro_err      err;

    if (sub == NULL) {
        sub = pyroi_es_new(es, who);
    } else if (sub->state != PYROI_ES_AWAY) {
        if (pyroi_es_is_uri(who) || pyro_proxy_link(&sub->proxy) == call->link)
            return sub;
        pyroi_es_leave(es, sub); /* it came back before we saw it go */
    }
    if (sub == NULL) {
        pyroi_es_refuse(es, call,
                        PYROI_ES_T("out of subscribers, raise PYRO_ES_ROOM",
                                   "PYRO_ES_ROOM"));
        return NULL;
    }
    if (got < sub->n) {
        pyroi_es_count(es, lost, sub->n - got);
        sub->lost += sub->n - got;
        sub->n = got;
    }
    memcpy(sub->where, who->where, who->n + 1);
#ifndef PYRO_NO_URI
    if (who->session == 0)
        err = pyro_proxy_open(&sub->proxy, es->node_, sub->where);
    else
#endif
        err = pyro_proxy_at(&sub->proxy, es->node_, call->link, who->where,
                            who->n);
    sub->state = PYROI_ES_HERE;
    if (err == PYRO_OK)
        return sub;
    pyroi_es_forget(es, sub);
    pyroi_es_refuse(
        es, call,
        PYROI_ES_T("no proxy for the subscriber, see buffers in PYRO_ROOM",
                   "PYRO_ROOM"));
    return NULL;
}

/* --- last values --- */

/* Remembers the event that was stored last: in its subject's place, else in a
 * free one, else in the oldest's. */
static void pyroi_es_remember(pyro_es_service *es, const uint8_t *at)
{
    pyro_es_last   *best = NULL;
    pyroi_es_stored e;

    pyroi_es_stored_at(at, &e);

    for (unsigned i = 0; i < pyroi_es_n_last(es); i++) {
        pyro_es_last   *last = &es->config_->last[i];
        pyroi_es_stored have;

        pyroi_es_stored_at(last->bytes, &have);
        if (last->stamp != 0
            && pyroi_es_is_of(&have, e.head.hash, e.subject, e.head.text_n)) {
            best = last;
            break;
        }
        if (best == NULL || last->stamp < best->stamp)
            best = last;
    }
    if (best == NULL)
        return;
    if (e.head.n > PYRO_ES_LAST_BYTES) {
        pyroi_es_count(es, too_long, 1);
        return;
    }
    best->stamp = ++es->stamp_;
    memcpy(best->bytes, at, PYROI_ES_HEAD + e.head.n);
}

/* ------------------------------------------------------------------------
 * >>fan-out
 * ------------------------------------------------------------------------ */

/* Events on their way to a subscriber, in one request. */
typedef struct pyroi_es_run {
    pyro_request rq;
    uint32_t     n;
} pyroi_es_run;

/* Adds an event to a run. PYRO_ERR_NOSPACE and _BUSY: not now. */
static pyro_err pyroi_es_add(pyroi_es_run *run, pyroi_es_sub *sub,
                             const pyroi_es_stored *e)
{
    if (run->n == 0) {
        pyro_err err = pyro_begin(&run->rq, &sub->proxy, "event");

        if (err != PYRO_OK)
            return err;
    }
    run->n++;
    pyro_put_uint(&run->rq.args, sub->n + run->n);
    pyro_put_uint(&run->rq.args, sub->lost);
    pyro_put_encoded(&run->rq, e->body, e->head.n, 3);
    return PYRO_OK;
}

/* Sends a run. One event alone may be too long: it is lost. */
static void pyroi_es_send(pyro_es_service *es, pyroi_es_run *run,
                          pyroi_es_sub *sub)
{
    (void)es;
    if (run->n == 0)
        return;
    if (pyro_send_oneway(&run->rq) == PYRO_OK) {
        sub->n += run->n;
        pyroi_es_count(es, sent, run->n);
    } else {
        pyro_cancel(&run->rq);
        sub->lost += run->n; /* it takes no message as long as this */
        pyroi_es_count(es, too_long, run->n);
    }
    run->n = 0;
}

/* What a subscriber is to look at next: last values, then the ring. False:
 * there is nothing. *due: whether it is to be sent. */
static bool pyroi_es_next(const pyro_es_service *es, const pyroi_es_sub *sub,
                          pyroi_es_stored *e, bool *due)
{
    const pyro_es_last *last;

    if (sub->last >= pyroi_es_n_last(es)) {
        if (sub->seq == es->head_seq_)
            return false;
        pyroi_es_load(es, sub->at, e);
        *due = pyroi_es_due(es, sub, e);
        return true;
    }
    last = &es->config_->last[sub->last];
    pyroi_es_stored_at(last->bytes, e);
    *due = false;
    if (last->stamp != 0 && last->stamp <= sub->until) {
        const pyroi_es_item *it = pyroi_es_wants(es, sub, e);

        *due = it != NULL && PYROI_ES_HAS(it->flags, PYRO_ES_LAST);
    }
    return true;
}

static bool pyroi_es_has_next(const pyro_es_service *es,
                              const pyroi_es_sub    *sub)
{
    return sub->last < pyroi_es_n_last(es) || sub->seq != es->head_seq_;
}

/* Brings a subscriber forward, by at most *budget events looked at. False:
 * there are no buffers. */
static bool pyroi_es_serve(pyro_es_service *es, pyroi_es_sub *sub,
                           unsigned *budget)
{
    pyroi_es_run    run;
    pyroi_es_stored e;
    bool            due;
    pyro_err        err = PYRO_OK;

    memset(&run, 0, sizeof run);
    for (; *budget > 0 && pyroi_es_next(es, sub, &e, &due); --*budget) {
        if (due && run.n > 0 && !pyro_again(&run.rq, e.head.n + 10u))
            pyroi_es_send(es, &run, sub);
        if (run.n == 0
            && pyro_link_stuck(es->node_, pyro_proxy_link(&sub->proxy))) {
            sub->state = PYROI_ES_STUCK;
            sub->since = pyro_now(es->node_);
            break;
        }
        if (due)
            err = pyroi_es_add(&run, sub, &e);
        if (err != PYRO_OK)
            break;
        if (sub->last < pyroi_es_n_last(es)) {
            sub->last++;
        } else {
            sub->at = pyroi_es_behind(es, &e);
            sub->seq++;
        }
    }
    pyroi_es_send(es, &run, sub);
    if (err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY)
        return false;
    if (err != PYRO_OK)
        pyroi_es_leave(es, sub);
    return true;
}

static void pyroi_es_drop(pyro_es_service *es, pyroi_es_sub *sub)
{
    pyro_link link = pyro_proxy_link(&sub->proxy);

    pyroi_es_count(es, dropped, 1);
    pyroi_es_leave(es, sub);
    pyro_link_close(es->node_, link);
}

/* Those who take nothing, and so hold a buffer, or are away: nobody for too
 * long, and of the first not too many. */
static void pyroi_es_watch(pyro_es_service *es)
{
    uint32_t now = pyro_now(es->node_);
    uint32_t patience = es->config_->stuck_ms;
    unsigned may = es->config_->stuck != 0 ? es->config_->stuck : 2;
    uint32_t next = PYRO_MAX_MS;

    if (patience == 0)
        patience = PYRO_FRAME_MS;
    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++) {
        uint32_t left = sub->since - now;

        if (sub->state == PYROI_ES_STUCK)
            left += patience;
        else if (sub->state == PYROI_ES_AWAY)
            left += PYRO_ES_AWAY_MS;
        else
            continue;
        if ((int32_t)left > 0) {
            next = left < next ? left : next;
            may -= sub->state == PYROI_ES_STUCK;
        } else if (sub->state == PYROI_ES_AWAY) {
            pyroi_es_forget(es, sub);
        } else {
            pyroi_es_drop(es, sub);
        }
    }
    if ((int)may < 0)
        pyroi_es_drop(es, pyroi_es_oldest(es, PYROI_ES_STUCK));
    if (next < PYRO_MAX_MS)
        pyro_timer_set(es->node_, &es->timer_, next);
}

/* --- blocking subscribers, and publishers that wait for them --- */

#ifdef PYRO_ES_NO_FLAGS

#define pyroi_es_release(es)    ((void)0)
#define pyroi_es_is_crowded(es) false
#define pyroi_es_hold(es, call) ((void)0)
#define pyroi_es_dismiss(es)    ((void)0)

#else

/* Answers the publishers whose event every blocking subscriber has passed.
 * Without a buffer for an answer it is tried again with the next event, or
 * soon. */
static void pyroi_es_release(pyro_es_service *es)
{
    for (unsigned i = 0; i < PYRO_ES_WAITING; i++) {
        pyro_later *later = &es->waiting_[i].later;

        if (!pyro_later_open(later) || pyroi_es_held(es, es->waiting_[i].seq))
            continue;
        (void)pyro_finish(later);
        if (pyro_reply(later) == PYRO_ERR_NOSPACE)
            pyro_timer_set(es->node_, &es->timer_, 1);
    }
}

/* A free place for a publisher that waits; PYRO_ES_WAITING: there is none. */
static unsigned pyroi_es_bench(const pyro_es_service *es)
{
    unsigned i = 0;

    while (i < PYRO_ES_WAITING && pyro_later_open(&es->waiting_[i].later))
        i++;
    return i;
}

/* Whether one more publisher would have to wait and could not. */
static bool pyroi_es_is_crowded(const pyro_es_service *es)
{
    return pyroi_es_bench(es) == PYRO_ES_WAITING
        && pyroi_es_held(es, es->head_seq_ + 1);
}

/* The publisher of the last event waits: it is not crowded. */
static void pyroi_es_hold(pyro_es_service *es, pyro_call *call)
{
    unsigned i = pyroi_es_bench(es);

    (void)pyro_reply(&es->waiting_[i].later); /* of one that has gone */
    es->waiting_[i].link = call->link;
    es->waiting_[i].seq = es->head_seq_;
    pyro_defer(call, &es->waiting_[i].later, PYRO_MAX_MS);
}

/* The service ends: nobody waits any more. One that cannot be told, for there
 * is no buffer, loses its connection. */
static void pyroi_es_dismiss(pyro_es_service *es)
{
    for (unsigned i = 0; i < PYRO_ES_WAITING; i++) {
        pyro_later *later = &es->waiting_[i].later;

        if (pyro_fail(later, "RuntimeError", "the event service has stopped")
            != PYRO_ERR_NOSPACE)
            continue;
        pyro_link_close(es->node_, es->waiting_[i].link);
        (void)pyro_reply(later);
    }
}

#endif

/* Sends what is there, to each in turn: where the budget ends, the next one
 * is served first after that. */
static void pyroi_es_fan_out(void *user, pyro_daemon *node)
{
    pyro_es_service *es = (pyro_es_service *)user;
    pyroi_es_sub    *sub = es->turn_;
    unsigned         budget = PYRO_ES_BURST;
    bool             buffers = true;
    bool             left = false;

    pyroi_es_watch(es);
    es->fresh_ = 0;
    for (unsigned k = es->room_.n_subs; k > 0; k--, sub++) {
        if (sub == es->subs_end_)
            sub = es->room_.subs;
        if (sub->state != PYROI_ES_HERE || !pyroi_es_has_next(es, sub))
            continue;
        if (buffers && budget > 0) {
            buffers = pyroi_es_serve(es, sub, &budget);
            es->turn_ = sub + 1;
        }
        left |= sub->state == PYROI_ES_HERE && pyroi_es_has_next(es, sub);
    }
    pyroi_es_release(es);
    if (left)
        pyro_timer_set(node, &es->timer_, buffers ? 0 : 1);
}

static void pyroi_es_happened(void *user, pyro_daemon *node, pyro_link link,
                              pyro_event event)
{
    pyro_es_service *es = (pyro_es_service *)user;

    if (event == PYRO_LINK_UP)
        return;
    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++) {
        if (sub->state == PYROI_ES_FREE || sub->state == PYROI_ES_AWAY
            || pyro_proxy_link(&sub->proxy) != link)
            continue;
        if (event == PYRO_LINK_GONE)
            pyroi_es_leave(es, sub);
        else
            sub->state = PYROI_ES_HERE;
        pyro_timer_set(node, &es->timer_, 0);
    }
}

/* ------------------------------------------------------------------------
 * >>methods
 * ------------------------------------------------------------------------ */

/* Around the event in a delivery: list, object, "event", list, n, lost, and
 * no keywords. */
#define PYROI_ES_AROUND (1u + 2 + PYRO_MAX_NAME + 6 + 1 + 5 + 5 + 1)

/* Longest event: of half of the ring, and that a buffer takes. */
static uint32_t pyroi_es_longest(const pyro_es_service *es)
{
    uint32_t ring = es->room_.n_bytes / 2 - PYROI_ES_HEAD;
    uint32_t body = pyro_longest(es->node_);

    body = body < PYROI_ES_AROUND ? 0 : body - PYROI_ES_AROUND;
    return body < ring ? body : ring;
}

/* Stores an event; its message is encoded. NULL is a call of our own. False:
 * it has been refused. */
static bool pyroi_es_store(pyro_es_service *es, pyro_call *call,
                           const char *subject, uint32_t n,
                           const void *message, uint32_t message_n)
{
    struct {
        pyroi_es_head head;
        uint8_t       body[2 + PYRO_ES_MAX_SUBJECT + 9];
    } e;
    pyro_writer out = pyro_writer_of(e.body, sizeof e.body, 2);
    uint32_t    start; /* all but the message */
    uint8_t    *at;

    if (!pyroi_es_good_subject(es, call, subject, n))
        return false;
    pyro_put_strn(&out, subject, n);
    e.head.text_at = (uint16_t)((uint32_t)(out.at - e.body) - n);
    e.head.text_n = (uint16_t)n;
    e.head.hash = pyroi_es_hash(subject, n);
    e.head.from = pyroi_es_from(es, call);
    pyro_put_uint(&out, es->config_->now != NULL
                            ? es->config_->now(es->config_->user)
                            : pyro_now(es->node_));
    start = PYROI_ES_HEAD + (uint32_t)(out.at - e.body);
    n = start + message_n;
    e.head.n = n - PYROI_ES_HEAD;
    if (e.head.n > es->longest_)
        return pyroi_es_too_long(es, call, "event of ", e.head.n, es->longest_,
                                 "too long: raise PYRO_ES_ROOM, PYRO_ROOM",
                                 "PYRO_ES_ROOM");
    if (!pyroi_es_make_room(es, n))
        return pyroi_es_refuse(
            es, call,
            PYROI_ES_T("a blocking subscriber holds the ring", "ring"));
    at = es->room_.bytes + es->head_;
    memcpy(at, &e, start);
    memcpy(at + start, message, message_n);
    es->head_ += n;
    es->head_seq_++;
    if (es->fresh_ == 0)
        pyro_timer_set(es->node_, &es->timer_, 0);
    es->fresh_ += n;
    pyroi_es_count(es, published, 1);
    pyroi_es_remember(es, at);
    return true;
}

/* Events leave at the latest with the next poll, and earlier when new ones
 * fill a quarter of the ring: those who keep up are not to be lapped. */
static void pyroi_es_soon(pyro_es_service *es)
{
    if (es->fresh_ > es->room_.n_bytes / 4)
        pyroi_es_fan_out(es, es->node_);
}

#define PYROI_ES_SUBJECTS 64 /* in one call */

/* Subjects are one text or a list of them: how many; `first` stands at the
 * first, the call's arguments behind all. Anything else counts as a text and
 * is refused as one. */
static uint32_t pyroi_es_subjects(pyro_es_service *es, pyro_call *call,
                                  pyro_reader *first)
{
    uint32_t k = 1;

    *first = call->args;
    if (pyro_peek(first) == PYRO_LIST)
        k = pyro_get_list(first, PYROI_ES_SUBJECTS);
    if (first->err != PYRO_OK)
        pyroi_es_refuse(es, call,
                        PYROI_ES_T("over 64 subjects in one call",
                                   "subjects"));
    pyro_skip(&call->args);
    return k; /* 0 when they are too many */
}

static void pyroi_es_publish(void *self, pyro_call *call)
{
    pyro_es_service *es = (pyro_es_service *)self;
    pyro_reader      subjects;
    uint32_t         k = pyroi_es_subjects(es, call, &subjects);
    uint32_t         n;
    const void      *message = pyro_get_raw(&call->args, &n);
    bool             good = true;

    if (k == 0)
        return;
    if (!call->oneway && pyroi_es_is_crowded(es)) {
        pyroi_es_refuse(
            es, call,
            PYROI_ES_T("too many publishers wait, raise PYRO_ES_WAITING",
                       "PYRO_ES_WAITING"));
        return;
    }
    for (; k > 0 && good; k--) {
        uint32_t    text_n;
        const char *text = pyro_get_str(&subjects, &text_n);

        good = pyroi_es_store(es, call, text, text_n, message, n);
    }
    pyroi_es_soon(es);
    if (good && !call->oneway && pyroi_es_held(es, es->head_seq_))
        pyroi_es_hold(es, call);
}

/* Fills in a subscription; it stays as it was when it is refused: false. */
static bool pyroi_es_set_item(pyro_es_service *es, pyro_call *call,
                              pyroi_es_item *it, const char *text, uint32_t n,
                              unsigned flags)
{
#ifndef PYRO_ES_NO_REGEX
    if ((flags & PYROI_ES_REGEX) != 0) {
        uint8_t code[PYRO_ES_REGEX];
        size_t  at = pyro_es_compile(text, n, code);

        if (at != 0)
            return pyroi_es_bad_regex(es, call, (uint32_t)at);
        memcpy(it->code, code, sizeof code);
    }
#else
    (void)es;
    (void)call;
#endif
    if ((flags & PYROI_ES_REGEX) == 0 && pyroi_es_has(text, n, '*'))
        flags |= PYROI_ES_WILD;
    it->flags = (uint8_t)flags;
    it->hash = pyroi_es_hash(text, n);
    it->n = (uint8_t)n;
    memcpy(it->text, text, n);
    it->text[n] = 0;
    return true;
}

/* One subscription more for a subscriber, or one less. False: it has been
 * refused. */
static bool pyroi_es_change_item(pyro_es_service *es, pyro_call *call,
                                 pyroi_es_sub *sub, pyro_reader *subjects,
                                 unsigned flags)
{
    uint32_t       n;
    const char    *text = pyro_get_str(subjects, &n);
    uint16_t      *at = pyroi_es_link_of(es, sub, text, n);
    pyroi_es_item *it;

    if ((flags & PYROI_ES_UNDO) != 0) {
        if (*at != 0)
            pyroi_es_free_item(es, at);
        return true;
    }
    if (!pyroi_es_good_subject(es, call, text, n))
        return false;
    if (*at == 0 && es->free_item_ == 0)
        return pyroi_es_refuse(
            es, call,
            PYROI_ES_T("out of subscriptions, raise PYRO_ES_ROOM",
                       "PYRO_ES_ROOM"));
    it = &es->room_.items[(*at != 0 ? *at : es->free_item_) - 1];
    if (!pyroi_es_set_item(es, call, it, text, n, flags))
        return false;
    if (*at == 0) {
        *at = es->free_item_;
        es->free_item_ = it->next;
        it->next = 0;
    }
    return true;
}

/* Subscribes, or with PYROI_ES_UNDO ends subscriptions. */
static void pyroi_es_change(pyro_es_service *es, pyro_call *call,
                            unsigned flags)
{
    pyro_reader   subjects;
    uint32_t      k = pyroi_es_subjects(es, call, &subjects);
    uint32_t      got = UINT32_MAX; /* not said */
    pyroi_es_who  who;
    pyroi_es_sub *sub;

    pyroi_es_get_who(call, &who);
    if (pyro_more(&call->args))
        flags |= (unsigned)pyro_get_i32(&call->args) & PYROI_ES_FLAGS;
    if (pyro_more(&call->args))
        got = (uint32_t)pyro_get_i64(&call->args);
    if (call->args.err != PYRO_OK || k == 0)
        return;
#ifdef PYRO_ES_NO_FLAGS
    if ((flags & PYROI_ES_FLAGS) != 0) {
        pyroi_es_refuse(es, call,
                        PYROI_ES_T("flags are not taken, see PYRO_ES_NO_FLAGS",
                                   "PYRO_ES_NO_FLAGS"));
        return;
    }
#endif
    sub = (flags & PYROI_ES_UNDO) != 0 ? pyroi_es_find(es, &who)
                                       : pyroi_es_enter(es, call, &who, got);
    if (sub == NULL)
        return;
    while (k > 0 && pyroi_es_change_item(es, call, sub, &subjects, flags))
        k--;
    if (PYROI_ES_HAS(flags, PYRO_ES_LAST)) {
        sub->until = es->stamp_;
        sub->last = 0;
    }
    pyroi_es_changed(es, sub);
}

static void pyroi_es_subscribe(void *self, pyro_call *call)
{
    pyroi_es_change((pyro_es_service *)self, call, 0);
}

#ifndef PYRO_ES_NO_REGEX
static void pyroi_es_subscribe_match(void *self, pyro_call *call)
{
    pyroi_es_change((pyro_es_service *)self, call, PYROI_ES_REGEX);
}
#endif

static void pyroi_es_unsubscribe(void *self, pyro_call *call)
{
    pyroi_es_change((pyro_es_service *)self, call, PYROI_ES_UNDO);
}

#ifndef PYRO_NO_STATS

/* [object or URI, address, n, lost, lag, here] */
static void pyroi_es_put_sub(const pyro_es_service *es,
                             const pyroi_es_sub *sub, pyro_writer *out)
{
    char address[PYRO_MAX_HOST + 10] = "";

    if (sub->state != PYROI_ES_AWAY)
        (void)pyro_link_address(es->node_, pyro_proxy_link(&sub->proxy), true,
                                address, sizeof address);
    pyro_put_list(out, 6);
    pyro_put_str(out, sub->where);
    pyro_put_str(out, address);
    pyro_put_uint(out, sub->n);
    pyro_put_uint(out, sub->lost);
    pyro_put_uint(out, es->head_seq_ - sub->seq);
    pyro_put_bool(out, sub->state != PYROI_ES_AWAY);
}

/* Bytes that this takes at most. */
static uint32_t pyroi_es_sub_bytes(const pyroi_es_sub *sub)
{
    return (uint32_t)strlen(sub->where) + PYRO_MAX_HOST + 10 + 22;
}

static void pyroi_es_statistics(void *self, pyro_call *call)
{
    pyro_es_service *es = (pyro_es_service *)self;
    pyroi_es_sub    *subs = es->room_.subs;
    pyro_writer     *out = &call->result;
    uint32_t         room = (uint32_t)(out->end - out->at);
    uint32_t         from = 0;
    uint32_t         used = 44; /* of all but the subscribers */
    uint32_t         n = 0;
    uint32_t         i;

    if (pyro_more(&call->args))
        from = (uint32_t)pyro_get_i32(&call->args);
    for (i = from; i < es->room_.n_subs; i++) {
        if (subs[i].state == PYROI_ES_FREE)
            continue;
        used += pyroi_es_sub_bytes(&subs[i]);
        if (used > room)
            break;
        n++;
    }
    pyro_put_list(out, 3);
    pyro_put_uint(out, i < es->room_.n_subs ? i : 0);
    pyro_put_list(out, 6);
    pyro_put_uint(out, es->stats.published);
    pyro_put_uint(out, es->stats.sent);
    pyro_put_uint(out, es->stats.lost);
    pyro_put_uint(out, es->stats.refused);
    pyro_put_uint(out, es->stats.too_long);
    pyro_put_uint(out, es->stats.dropped);
    pyro_put_list(out, n);
    for (i = from; n > 0; i++) {
        if (subs[i].state == PYROI_ES_FREE)
            continue;
        pyroi_es_put_sub(es, &subs[i], out);
        n--;
    }
}

#endif

/* ------------------------------------------------------------------------
 * >>service: beginning and end
 * ------------------------------------------------------------------------ */

/* The names of arguments are for keywords, introspection and texts. */
#if defined(PYRO_NO_KWARGS) && defined(PYRO_NO_INTROSPECTION) \
    && defined(PYRO_NO_TEXTS)
#define PYROI_ES_ARGS(named, bare) bare
#else
#define PYROI_ES_ARGS(named, bare) named
#endif

static const pyro_method pyroi_es_methods[] = {
    { "publish", pyroi_es_publish, PYROI_ES_ARGS("subjects:v message:v", "vv"),
      "", 0 },
    { "subscribe", pyroi_es_subscribe,
      PYROI_ES_ARGS("subjects:v subscriber:U ?flags:i got:q", "vU?iq"), "",
      0 },
#ifndef PYRO_ES_NO_REGEX
    { "subscribeMatch", pyroi_es_subscribe_match,
      PYROI_ES_ARGS("patterns:v subscriber:U ?flags:i got:q", "vU?iq"), "",
      0 },
#endif
    { "unsubscribe", pyroi_es_unsubscribe,
      PYROI_ES_ARGS("subjects:v subscriber:U", "vU"), "", 0 },
#ifndef PYRO_NO_STATS
    { "statistics", pyroi_es_statistics, "?from:i", "[v]", 0 },
#endif
};

static const pyro_class pyroi_es_service_class = {
    "EventService", PYRO_METHODS(pyroi_es_methods), PYRO_NO_ATTRS, NULL, 0
};

PYRO_DEF pyro_err pyro_es_serve(pyro_es_service *es, pyro_daemon *node,
                                pyro_es_room          room,
                                const pyro_es_config *config)
{
    static const pyro_es_config defaults = { 0, 0, NULL, 0, NULL, NULL };
    pyro_err                    err;

    memset(es, 0, sizeof *es);
    es->node_ = node;
    es->config_ = config != NULL ? config : &defaults;
    es->room_ = room;
    es->subs_end_ = room.subs + room.n_subs;
    es->turn_ = room.subs;
    es->longest_ = pyroi_es_longest(es);
    if (room.n_bytes < 64 || es->longest_ == 0)
        return PYRO_ERR_NOSPACE;
    memset(room.subs, 0, room.n_subs * sizeof room.subs[0]);
    for (uint16_t i = room.n_items; i > 0; i--) {
        room.items[i - 1].next = es->free_item_;
        es->free_item_ = i;
    }
    es->timer_.fn = pyroi_es_fan_out;
    es->timer_.user = es;
    es->hook_.fn = pyroi_es_happened;
    es->hook_.user = es;
    err = pyro_export(node, &pyroi_es_service_class, es, PYRO_ES_NAME);
    if (err == PYRO_OK)
        pyro_hook_add(node, &es->hook_);
    return err;
}

PYRO_DEF void pyro_es_stop(pyro_es_service *es)
{
    (void)pyro_withdraw(es->node_, es);
    pyro_hook_drop(es->node_, &es->hook_);
    pyro_timer_stop(es->node_, &es->timer_);
    pyroi_es_dismiss(es);
    for (pyroi_es_sub *sub = es->room_.subs; sub < es->subs_end_; sub++)
        pyroi_es_forget(es, sub);
}

PYRO_DEF pyro_err pyro_es_post(pyro_es_service *es, const char *subject,
                               pyro_value message)
{
    uint8_t     bytes[256];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

    pyro_put(&out, message);
    if (pyro_writer_end(&out) != PYRO_OK)
        return pyro_writer_end(&out);
    if (!pyroi_es_store(es, NULL, subject, (uint32_t)strlen(subject), bytes,
                        (uint32_t)(out.at - bytes)))
        return PYRO_ERR_NOSPACE;
    pyroi_es_soon(es);
    return PYRO_OK;
}

PYRO_DEF const char *pyro_es_check(const pyro_es_service *es)
{
    uint32_t items = 0;
    uint32_t at = es->tail_;
    uint32_t used = 0;

    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        const pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state == PYROI_ES_FREE)
            continue;
        if (sub->seq - es->passed_ > es->head_seq_ - es->passed_
            || es->passed_ - es->tail_seq_ > es->head_seq_ - es->tail_seq_)
            return "a subscriber stands outside of the ring";
        for (uint16_t k = sub->first; k != 0; k = es->room_.items[k - 1].next)
            if (++items > es->room_.n_items)
                return "subscriptions go round";
    }
    for (uint16_t k = es->free_item_; k != 0; k = es->room_.items[k - 1].next)
        if (++items > es->room_.n_items)
            return "free subscriptions go round";
    if (items != es->room_.n_items)
        return "a subscription is missing";
    for (uint32_t seq = es->tail_seq_; seq != es->head_seq_; seq++) {
        pyroi_es_stored e;
        uint32_t        next;

        pyroi_es_load(es, at, &e);
        next = pyroi_es_behind(es, &e);
        used += next > at ? next - at : es->room_.n_bytes - at + next;
        if (used > es->used_)
            return "events overlap";
        at = next;
    }
    return used == es->used_ ? NULL : "bytes of the ring are missing";
}

/* ------------------------------------------------------------------------
 * >>client
 * ------------------------------------------------------------------------ */

static void pyroi_es_event(void *self, pyro_call *call)
{
    pyro_es      *es = (pyro_es *)self;
    char          subject[PYRO_ES_MAX_SUBJECT + 1];
    pyro_es_event event;
    const char   *text;
    uint32_t      n;

    event.n = (uint32_t)pyro_get_u64(&call->args);
    event.lost = (uint32_t)pyro_get_u64(&call->args);
    text = pyro_get_str(&call->args, &n);
    event.time = pyro_get_u64(&call->args);
    if (n > PYRO_ES_MAX_SUBJECT)
        es->too_long++;
    if (call->args.err != PYRO_OK || n > PYRO_ES_MAX_SUBJECT
        || !pyro_more(&call->args))
        return;
    memcpy(subject, text, n);
    subject[n] = 0;
    event.subject = subject;
    event.message = &call->args;
    es->events++;
    es->lost = event.lost;
    es->n_ = event.n;
    if (call->link != es->link_) /* else it is known: see pyroi_es_linked */
        es->session_ = pyro_link_session(es->node_, call->link);
    es->fn_(es->user_, &event);
}

/* Its arguments are n, lost, subject, time and message: without their names,
 * which would be passed over for each event. */
static const pyro_method pyroi_es_sub_methods[] = {
    { "event", pyroi_es_event, "qqsvv", "", PYRO_ONEWAY | PYRO_UNCHECKED },
};

static const pyro_class pyroi_es_sub_class = {
    "Subscriber", PYRO_METHODS(pyroi_es_sub_methods), PYRO_NO_ATTRS, NULL, 0
};

static const char *pyroi_es_method(const pyroi_es_own *own)
{
    return (own->flags & PYRO_ES_MATCH) != 0 ? "subscribeMatch" : "subscribe";
}

/* The arguments for a subscription; to end it takes the first two. */
typedef struct pyroi_es_asked {
    pyro_value values[4];
#ifdef PYRO_NO_URI
    uint8_t here[PYROI_ES_BEFORE + 8 + PYROI_ES_BEHIND];
#endif
} pyroi_es_asked;

#ifdef PYRO_NO_URI
/* What pyro_here is with URIs; `to` holds it. */
static pyro_value pyroi_es_here(const char *object, uint8_t *to)
{
    size_t n = strlen(object); /* at most 7 */

    memcpy(to, pyroi_es_form(), PYROI_ES_BEFORE);
    to[PYROI_ES_BEFORE] = (uint8_t)(0xA0 | n);
    memcpy(to + PYROI_ES_BEFORE + 1, object, n);
    n += PYROI_ES_BEFORE + 1;
    memcpy(to + n, pyroi_es_form() + PYROI_ES_BEFORE, PYROI_ES_BEHIND);
    return pyro_raw(to, n + PYROI_ES_BEHIND);
}
#else
#define pyroi_es_here(object, to) pyro_here(object)
#endif

PYROI_ES_SHARED static void pyroi_es_arguments(const pyro_es      *es,
                                               const pyroi_es_own *own,
                                               pyroi_es_asked     *asked)
{
    asked->values[0] = pyro_str(own->subject);
    asked->values[1] = pyroi_es_here(es->object_, asked->here);
    asked->values[2] = pyro_uint(own->flags & 0xFF);
    asked->values[3] = pyro_uint(es->n_);
}

PYROI_ES_SHARED static pyro_err pyroi_es_call(pyro_es            *es,
                                              const pyroi_es_own *own,
                                              const char *method, size_t n)
{
    pyroi_es_asked asked;
    pyro_args      args = { asked.values, n };

    pyroi_es_arguments(es, own, &asked);
    return pyro_invoke(&es->proxy_, method, args, pyro_to_none());
}

/* A subscription has been taken: over this link, by a service that begins to
 * count when it is another than before. Events may have come already. */
PYROI_ES_SHARED static void pyroi_es_linked(pyro_es *es)
{
    uint32_t session;

    es->link_ = pyro_proxy_link(&es->proxy_);
    session = pyro_link_session(es->node_, es->link_);
    if (session != es->session_)
        es->n_ = 0;
    es->session_ = session;
}

static void pyroi_es_restore(void *user, pyro_daemon *node);

static void pyroi_es_restored(void *user, pyro_request *rq, pyro_err err,
                              pyro_reader *result)
{
    pyro_es *es = (pyro_es *)user;

    (void)rq;
    (void)result;
    es->asking_ = false;
    if (err == PYRO_OK || err == PYRO_ERR_REMOTE) {
        pyroi_es_linked(es);
        es->at_++;
        pyroi_es_restore(es, es->node_);
    } else {
        pyro_timer_set(es->node_, &es->timer_, PYRO_ES_AGAIN_MS);
    }
}

/* Subscribes to all anew, one after the other. */
static void pyroi_es_restore(void *user, pyro_daemon *node)
{
    pyro_es            *es = (pyro_es *)user;
    const pyroi_es_own *own = &es->own_[es->at_];
    pyroi_es_asked      asked;
    pyro_err            err;

    if (es->at_ >= es->n_own_ || es->asking_)
        return;
    err = pyro_begin(&es->rq_, &es->proxy_, pyroi_es_method(own));
    if (err == PYRO_OK) {
        pyroi_es_arguments(es, own, &asked);
        for (unsigned i = 0; i < 4; i++)
            pyro_put(&es->rq_.args, asked.values[i]);
        err = pyro_send(&es->rq_, pyro_to_none(), pyroi_es_restored, es);
    }
    es->asking_ = err == PYRO_OK;
    if (err != PYRO_OK)
        pyro_timer_set(node, &es->timer_,
                       err == PYRO_ERR_BUSY || err == PYRO_ERR_NOSPACE
                           ? 1
                           : PYRO_ES_AGAIN_MS);
}

static void pyroi_es_gone(void *user, pyro_daemon *node, pyro_link link,
                          pyro_event event)
{
    pyro_es *es = (pyro_es *)user;

    if (event != PYRO_LINK_GONE || link != es->link_ || es->n_own_ == 0)
        return;
    es->link_ = 0;
    es->again++;
    es->at_ = 0;
    pyro_timer_set(node, &es->timer_, 0);
}

/* Exports the subscriber under a short name, as each event carries it: "es",
 * "es1", ... what is free, the number's last digit first. */
static pyro_err pyroi_es_export(pyro_es *es)
{
    uint32_t k = 0; /* objects are counted in 16 bits: five digits */
    pyro_err err;

    memcpy(es->object_, "es", 3);
    for (;;) {
        char *at = es->object_ + 2;

        err = pyro_export(es->node_, &pyroi_es_sub_class, es, es->object_);
        if (err != PYRO_ERR_DAEMON)
            return err;
        for (uint32_t left = ++k; left > 0; left /= 10)
            *at++ = (char)('0' + left % 10);
        *at = 0;
    }
}

static void pyroi_es_clear(pyro_es *es, pyro_daemon *node, pyro_es_fn fn,
                           void *user)
{
    memset(es, 0, sizeof *es);
    es->node_ = node;
    es->fn_ = fn;
    es->user_ = user;
    es->timer_.fn = pyroi_es_restore;
    es->timer_.user = es;
    es->hook_.fn = pyroi_es_gone;
    es->hook_.user = es;
}

/* Its proxy has been opened, or not. */
static pyro_err pyroi_es_opened(pyro_es *es, pyro_err err)
{
    if (err != PYRO_OK)
        return err;
    if (es->fn_ != NULL)
        err = pyroi_es_export(es);
    if (err != PYRO_OK)
        pyro_proxy_close(&es->proxy_);
    else
        pyro_hook_add(es->node_, &es->hook_);
    return err;
}

PYRO_DEF pyro_err pyro_es_open(pyro_es *es, pyro_daemon *node, const char *uri,
                               pyro_es_fn fn, void *user)
{
    pyroi_es_clear(es, node, fn, user);
    return pyroi_es_opened(es, pyro_proxy_open(&es->proxy_, node, uri));
}

PYRO_DEF pyro_err pyro_es_at(pyro_es *es, pyro_daemon *node, pyro_link link,
                             pyro_es_fn fn, void *user)
{
    pyroi_es_clear(es, node, fn, user);
    return pyroi_es_opened(es,
                           pyro_proxy_at(&es->proxy_, node, link, PYRO_ES_NAME,
                                         sizeof PYRO_ES_NAME - 1));
}

PYRO_DEF void pyro_es_close(pyro_es *es)
{
    pyro_timer_stop(es->node_, &es->timer_);
    pyro_hook_drop(es->node_, &es->hook_);
    if (es->fn_ != NULL)
        (void)pyro_withdraw(es->node_, es);
    pyro_proxy_close(&es->proxy_);
}

/* Takes the subscription to a subject out of the table; false: there is none.
 * What is being subscribed may have moved, so that is begun again. */
static bool pyroi_es_disown(pyro_es *es, const char *subject)
{
    unsigned i = 0;

    while (i < es->n_own_ && strcmp(es->own_[i].subject, subject) != 0)
        i++;
    if (i == es->n_own_)
        return false;
    es->own_[i] = es->own_[--es->n_own_];
    if (es->at_ > i)
        es->at_ = (uint8_t)i;
    if (es->asking_) {
        (void)pyro_cancel(&es->rq_);
        es->asking_ = false;
        pyro_timer_set(es->node_, &es->timer_, 0);
    }
    return true;
}

/* While these two wait, an event's function may call them again: the table
 * is in order before. */
PYRO_DEF pyro_err pyro_es_subscribe(pyro_es *es, const char *subject,
                                    unsigned flags)
{
    pyroi_es_own own;
    pyro_err     err;

    own.subject = subject;
    own.flags = flags;
    (void)pyroi_es_disown(es, subject);
    if (es->n_own_ == PYRO_ES_OWN)
        return PYRO_ERR_NOSPACE;
    es->own_[es->n_own_++] = own;
    err = pyroi_es_call(es, &own, pyroi_es_method(&own), 4);
    if (err == PYRO_ERR_REMOTE)
        (void)pyroi_es_disown(es, subject);
    else if (err == PYRO_OK)
        pyroi_es_linked(es);
    else
        pyro_timer_set(es->node_, &es->timer_, PYRO_ES_AGAIN_MS);
    return err;
}

PYRO_DEF pyro_err pyro_es_unsubscribe(pyro_es *es, const char *subject)
{
    pyroi_es_own own = { NULL, 0 };

    own.subject = subject;
    if (!pyroi_es_disown(es, subject))
        return PYRO_OK;
    if (es->n_own_ == 0)
        es->n_ = 0; /* we will be forgotten there */
    return pyroi_es_call(es, &own, "unsubscribe", 2);
}

PYRO_DEF pyro_err pyro_es_publish_wait(pyro_es *es, const char *subject,
                                       pyro_value message)
{
    return pyro_invoke(&es->proxy_, "publish",
                       PYRO_ARGS(pyro_str(subject), message), pyro_to_none());
}

PYRO_DEF pyro_proxy *pyro_es_proxy(pyro_es *es)
{
    return &es->proxy_;
}

PYRO_DEF pyro_err pyro_es_publish(pyro_es *es, const char *subject,
                                  pyro_value message)
{
    return pyro_oneway(&es->proxy_, "publish",
                       PYRO_ARGS(pyro_str(subject), message));
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* PYRO_IMPLEMENTATION */
