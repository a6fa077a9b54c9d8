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
 *   patterns ring subscribers fan-out methods service client
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
 *     err = pyro_es_subscribe(&es, "sensor.*.temp", PYRO_ES_MATCH);
 *     err = pyro_es_publish(&es, "sensor.3.temp", pyro_f64(21.5));
 *
 *   Events come over the connection that the client made: it needs no
 *   listening port. Subscriptions come back by themselves when the service
 *   has started again or the connection was lost.
 *
 * WORDS
 *   subject     what an event is about: any text, upper case or lower
 *   pattern     a subject in which * stands for any characters but ".", and
 *               ** for any
 *   subscriber  an object that is called with events: its method "event"
 *   ring        the memory that holds events until every subscriber has them
 *   lapped      so late that an event was overwritten before it was sent
 *
 * METHODS of the object ":Pyro.EventService", which callers in any language
 * use
 *   subscribe(subjects, subscriber, flags=0)        exact subjects
 *   subscribeMatch(patterns, subscriber, flags=0)   one text or a list
 *   unsubscribe(subjects, subscriber)               exact or pattern; what is
 *                                                   not there is no error
 *   publish(subjects, message)                      best as a oneway call
 *   statistics() -> [[n, lost, lag, here], ...]     one per subscriber
 *   The subscriber is a URI, usually one of "this connection". It is called
 *     event(n, lost, subject, time, message)
 *   as a oneway: n counts what was sent to this subscriber, from 1; lost is
 *   how many it missed in between, in all; time is in milliseconds.
 *   A subscriber with several matching subscriptions gets an event once.
 *   flags: 1 keep-latest, see PYRO_ES_LATEST.
 *
 * LOSS
 *   The ring holds each event once. A subscriber that is slower than the
 *   publishers is lapped: what it missed is counted in its `lost`, exactly.
 *   One that takes nothing at all holds at most one buffer of the pool; when
 *   PYRO_ES_STUCK subscribers do so, or one for longer than a frame may take,
 *   its connection is closed. It is remembered: when it subscribes again, n
 *   and lost go on.
 *
 * LIMITS, AND WHAT HAPPENS AT THEM
 *   subscribers, subscriptions   "out of subscribers, raise PYRO_ES_ROOM"; a
 *                                subscriber that has gone makes room first
 *   event over a message or the ring's half   ValueError, both sizes named;
 *                                published as a oneway: stats.refused
 *   event over one subscriber's message       its `lost`, stats.too_long
 */
#include "pyro.h"
#ifndef PYRO_ES_H
#define PYRO_ES_H

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

/* Subscriptions of one client. Range 1 to 100. Costs a pointer each. */
#ifndef PYRO_ES_OWN
#define PYRO_ES_OWN 8
#endif
#if PYRO_ES_OWN < 1 || PYRO_ES_OWN > 100
#error "PYRO_ES_OWN: 1 to 100"
#endif

/* Most events that are sent in one go before poll does other work. Range 1
 * to 100000. */
#ifndef PYRO_ES_BURST
#define PYRO_ES_BURST 256
#endif
#if PYRO_ES_BURST < 1 || PYRO_ES_BURST > 100000
#error "PYRO_ES_BURST: 1 to 100000"
#endif

/* How long a client waits before it tries to subscribe again. */
#ifndef PYRO_ES_AGAIN_MS
#define PYRO_ES_AGAIN_MS 1000
#endif

/* How long a service remembers a subscriber whose connection is gone. */
#ifndef PYRO_ES_AWAY_MS
#define PYRO_ES_AWAY_MS 30000
#endif

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

#define PYRO_ES_LATEST 1 /* of events of one subject only the newest counts:
                            older ones that were not sent yet are left out,
                            and do not count as lost */
#define PYRO_ES_MATCH 0x100 /* client only: a pattern, not a subject */

/* An event as a subscriber gets it. The views live until its function
 * returns. */
typedef struct pyro_es_event {
    const char  *subject; /* as the publisher spelt it; zero-terminated */
    uint64_t     time;    /* the service's, in milliseconds */
    pyro_reader *message; /* one value */
    uint32_t     n;       /* events so far, with this one */
    uint32_t     lost;    /* events missed so far */
} pyro_es_event;

/* Whether a subject fits a pattern, letters of either case. */
PYRO_DEF bool pyro_es_match(const char *pattern, const char *subject,
                            size_t n);

/* ------------------------------------------------------------------------
 * >>client
 * ------------------------------------------------------------------------ */

typedef void (*pyro_es_fn)(void *user, const pyro_es_event *event);

/* A client: publisher, subscriber or both. The caller's from open to close. */
typedef struct pyro_es {
    uint32_t events; /* that came */
    uint32_t lost;   /* that the service says we missed */
    uint32_t again;  /* times all was subscribed anew */

    pyro_daemon *node_;
    pyro_es_fn   fn_;
    void        *user_;
    pyro_proxy   proxy_;
    pyro_request rq_;
    pyro_timer   timer_;
    pyro_hook    hook_;
    pyro_link    link_; /* over which all is subscribed */
    struct {
        const char *subject;
        uint32_t    flags;
    } own_[PYRO_ES_OWN];
    uint8_t n_own_;
    uint8_t at_; /* the one that is subscribed next */
    char    object_[33];
} pyro_es;

/* Opens a client of the service at a URI (borrowed until it is closed). fn
 * gets the events; NULL for one that only publishes. Nothing is connected
 * yet. Errors: those of pyro_proxy_open and pyro_export. */
PYRO_DEF pyro_err pyro_es_open(pyro_es *es, pyro_daemon *node, const char *uri,
                               pyro_es_fn fn, void *user);

/* Ends it, and with the connection its subscriptions. */
PYRO_DEF void pyro_es_close(pyro_es *es);

/* Subscribes and waits for the answer. The text is borrowed until it is
 * unsubscribed. It is kept, and tried again from poll, after every error but
 * PYRO_ERR_REMOTE (refused) and PYRO_ERR_NOSPACE (PYRO_ES_OWN). */
PYRO_DEF pyro_err pyro_es_subscribe(pyro_es *es, const char *subject,
                                    unsigned flags);
PYRO_DEF pyro_err pyro_es_unsubscribe(pyro_es *es, const char *subject);

/* Publishes, as a oneway: nothing is known of the outcome. */
PYRO_DEF pyro_err pyro_es_publish(pyro_es *es, const char *subject,
                                  pyro_value message);

/* ------------------------------------------------------------------------
 * >>service
 * ------------------------------------------------------------------------ */

/* Zero is the default everywhere. It stays the caller's. */
typedef struct pyro_es_config {
    /* Subscribers that may hold a buffer each because they take nothing:
     * a third of the pool is the rule. Default 2. */
    uint16_t stuck;
    uint32_t stuck_ms; /* for how long: default PYRO_FRAME_MS */
    void    *user;
    /* The time of events, in milliseconds. NULL: the daemon's clock. */
    uint64_t (*now)(void *user);
} pyro_es_config;

typedef struct pyro_es_stats {
    uint32_t published;
    uint32_t sent;     /* to all subscribers */
    uint32_t lost;     /* by all of them, as they were lapped */
    uint32_t refused;  /* events that were not taken */
    uint32_t too_long; /* for a subscriber's messages */
    uint32_t dropped;  /* subscribers that took nothing for too long */
} pyro_es_stats;

/* Private: one subscriber. */
typedef struct pyroi_es_sub {
    pyro_proxy proxy;
    pyro_link  link;
    uint32_t   session; /* of its node: what is known again */
    uint32_t   at;      /* in the ring, and the event's number there */
    uint32_t   seq;
    uint32_t   n;
    uint32_t   lost;
    uint32_t   since; /* when it got stuck, or went */
    uint16_t   first; /* subscription, index + 1 */
    uint8_t    state;
    uint8_t    flags;
    char       where[PYRO_URI_BYTES]; /* object, or URI */
} pyroi_es_sub;

/* Private: one subscription. */
typedef struct pyroi_es_item {
    uint16_t next; /* of the same subscriber, or free; index + 1 */
    uint8_t  flags;
    uint8_t  n;
    char     text[PYRO_ES_MAX_SUBJECT + 1];
} pyroi_es_item;

/* Memory of a service: subscribers, subscriptions, and bytes of the ring, of
 * which each event takes its size and 8. Independent of each other: the ring
 * is there once for all. */
#define PYRO_ES_ROOM(subscribers_, subscriptions_, bytes_) \
    struct {                                               \
        pyroi_es_sub  subs[subscribers_];                  \
        pyroi_es_item items[subscriptions_];               \
        uint8_t       bytes[bytes_];                       \
    }
#define PYRO_ES_ROOM_OF(room)                                         \
    pyro_es_room_of((room).subs, PYRO_COUNT((room).subs), (room).items, \
                    PYRO_COUNT((room).items), (room).bytes,           \
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
    r.n_bytes = (uint32_t)n_bytes;
    r.n_subs = (uint16_t)n_subs;
    r.n_items = (uint16_t)n_items;
    return r;
}

/* An event service: an object of a daemon. The caller's from pyro_es_serve to
 * pyro_es_stop. */
typedef struct pyro_es_service {
    pyro_es_stats stats;

    pyro_daemon          *node_;
    const pyro_es_config *config_;
    pyro_es_room          room_;
    pyro_timer            timer_;
    pyro_hook             hook_;
    uint32_t              head_; /* where the next event goes */
    uint32_t              tail_; /* the oldest */
    uint32_t              used_; /* bytes from tail to head */
    uint32_t              head_seq_;
    uint32_t              tail_seq_;
    uint16_t              free_item_; /* index + 1 */
    uint16_t              turn_;      /* subscriber that is served first */
} pyro_es_service;

/* Makes the daemon an event service: exports ":Pyro.EventService". Register
 * that with a name server if there is one. Errors: those of pyro_export;
 * PYRO_ERR_NOSPACE: a ring of under 64 bytes. */
PYRO_DEF pyro_err pyro_es_serve(pyro_es_service *service, pyro_daemon *node,
                                pyro_es_room          room,
                                const pyro_es_config *config);
PYRO_DEF void     pyro_es_stop(pyro_es_service *service);

/* Publishes from the service's own program. PYRO_ERR_NOSPACE: too long, see
 * node->why. */
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

/* ------------------------------------------------------------------------
 * >>patterns
 * ------------------------------------------------------------------------ */

static bool pyroi_es_same(char a, char b)
{
    if (a >= 'A' && a <= 'Z')
        a = (char)(a + 32);
    if (b >= 'A' && b <= 'Z')
        b = (char)(b + 32);
    return a == b;
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
PYRO_DEF bool pyro_es_match(const char *pattern, const char *subject,
                            size_t n)
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
        } else if (i < n && pyroi_es_same(pattern[0], subject[i])) {
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
 * >>ring: events one behind the other
 *
 * A header of PYROI_ES_HEAD bytes: bytes of the event, of its subject, of
 * its time, all encoded; then these, then the message. An event never goes
 * round the end: what is left there is skipped, marked by a size of 0.
 * ------------------------------------------------------------------------ */

#define PYROI_ES_HEAD 8u

#define PYROI_ES_SUBJECT_MAX (2u + PYRO_ES_MAX_SUBJECT)

typedef struct pyroi_es_stored {
    const uint8_t *body;
    uint32_t       n;         /* of all */
    uint32_t       subject_n; /* encoded */
    uint32_t       time_n;
    const char    *subject; /* its text */
    uint32_t       text_n;
} pyroi_es_stored;

/* Where the event at `at` really begins. */
static uint32_t pyroi_es_begin(const pyro_es_service *es, uint32_t at)
{
    const uint8_t *p = es->room_.bytes + at;

    return es->room_.n_bytes - at < PYROI_ES_HEAD
                || (p[0] | p[1] | p[2] | p[3]) == 0
             ? 0
             : at;
}

static pyroi_es_stored pyroi_es_load(const pyro_es_service *es, uint32_t at)
{
    const uint8_t  *p = es->room_.bytes + pyroi_es_begin(es, at);
    pyroi_es_stored e;
    pyro_reader     in;

    e.n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8
        | p[3];
    e.subject_n = p[4];
    e.time_n = p[5];
    e.body = p + PYROI_ES_HEAD;
    in = pyro_reader_of(e.body, e.subject_n);
    e.subject = pyro_get_str(&in, &e.text_n);
    return e;
}

static uint32_t pyroi_es_after(const pyro_es_service *es, uint32_t at)
{
    uint32_t begin = pyroi_es_begin(es, at);

    return begin + PYROI_ES_HEAD + pyroi_es_load(es, at).n;
}

/* ------------------------------------------------------------------------
 * >>subscribers
 * ------------------------------------------------------------------------ */

enum { PYROI_ES_FREE, PYROI_ES_HERE, PYROI_ES_STUCK, PYROI_ES_AWAY };

#define PYROI_ES_PATTERN 0x80 /* beside the flags of a subscription */

static bool pyroi_es_fits(const pyroi_es_item *it, const char *subject,
                          uint32_t n)
{
    return (it->flags & PYROI_ES_PATTERN) != 0
             ? pyro_es_match(it->text, subject, n)
             : it->n == n && pyroi_es_equal(it->text, subject, n);
}

/* The subscription of a subscriber that matches first, or NULL. */
static const pyroi_es_item *pyroi_es_wants(const pyro_es_service *es,
                                           const pyroi_es_sub    *sub,
                                           const pyroi_es_stored *e)
{
    uint16_t at = sub->first;

    while (at != 0 && !pyroi_es_fits(&es->room_.items[at - 1], e->subject,
                                     e->text_n))
        at = es->room_.items[at - 1].next;
    return at == 0 ? NULL : &es->room_.items[at - 1];
}

/* Whether a newer event of the same subject is in the ring. */
static bool pyroi_es_newer(const pyro_es_service *es, uint32_t at,
                           uint32_t seq, const pyroi_es_stored *e)
{
    while (++seq != es->head_seq_) {
        pyroi_es_stored next;

        at = pyroi_es_after(es, at);
        next = pyroi_es_load(es, at);
        if (next.text_n == e->text_n)
            for (uint32_t i = 0; pyroi_es_same(next.subject[i], e->subject[i]);
                 i++)
                if (i + 1 == e->text_n)
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
        && ((it->flags & PYRO_ES_LATEST) == 0
            || !pyroi_es_newer(es, sub->at, sub->seq, e));
}

static void pyroi_es_pass(const pyro_es_service *es, pyroi_es_sub *sub)
{
    sub->at = pyroi_es_after(es, sub->at);
    sub->seq++;
}

/* The oldest event goes; who has not had it is lapped. */
static void pyroi_es_evict(pyro_es_service *es)
{
    uint32_t        next = pyroi_es_after(es, es->tail_);
    pyroi_es_stored e = pyroi_es_load(es, es->tail_);

    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state == PYROI_ES_FREE || sub->seq != es->tail_seq_)
            continue;
        if (pyroi_es_due(es, sub, &e)) {
            sub->lost++;
            es->stats.lost++;
        }
        pyroi_es_pass(es, sub);
    }
    es->used_ -= next > es->tail_ ? next - es->tail_
                                  : es->room_.n_bytes - es->tail_ + next;
    es->tail_ = next;
    es->tail_seq_++;
}

/* Room for n bytes at the head; NULL: they are more than half of the ring. */
static uint8_t *pyroi_es_make_room(pyro_es_service *es, uint32_t n)
{
    uint32_t left = es->room_.n_bytes - es->head_;
    uint32_t need = n <= left ? n : n + left;

    if (n > es->room_.n_bytes / 2)
        return NULL;
    while (es->used_ + need > es->room_.n_bytes)
        pyroi_es_evict(es);
    if (n > left) {
        if (left >= PYROI_ES_HEAD)
            memset(es->room_.bytes + es->head_, 0, PYROI_ES_HEAD);
        es->head_ = 0;
    }
    es->used_ += need;
    return es->room_.bytes + es->head_;
}

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
    if (sub->state != PYROI_ES_AWAY)
        pyro_proxy_close(&sub->proxy);
    sub->state = PYROI_ES_FREE;
}

/* The connection is gone. What is remembered counts what it misses. */
static void pyroi_es_leave(pyro_es_service *es, pyroi_es_sub *sub)
{
    pyro_proxy_close(&sub->proxy);
    sub->state = PYROI_ES_AWAY;
    sub->since = pyro_now(es->node_);
    pyro_timer_set(es->node_, &es->timer_, 0); /* see pyroi_es_watch */
}

/* A free place: one that is free, else of who went away first. */
static pyroi_es_sub *pyroi_es_place(pyro_es_service *es)
{
    pyroi_es_sub *best = NULL;

    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state == PYROI_ES_FREE)
            return sub;
        if (sub->state == PYROI_ES_AWAY
            && (best == NULL || (int32_t)(sub->since - best->since) < 0))
            best = sub;
    }
    if (best != NULL)
        pyroi_es_forget(es, best);
    return best;
}

/* The subscriber that is named in the arguments; *uri is it. */
static pyroi_es_sub *pyroi_es_find(pyro_es_service *es, pyro_call *call,
                                   const pyro_uri *uri, char *where)
{
    uint32_t session = 0;

    if (uri->host_n == 0) { /* this connection */
        session = pyro_link_session(es->node_, call->link);
        memcpy(where, uri->object, uri->object_n);
        where[uri->object_n] = 0;
    } else {
        (void)pyro_uri_print(uri, where, PYRO_URI_BYTES);
    }
    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state != PYROI_ES_FREE && sub->session == session
            && strcmp(sub->where, where) == 0)
            return sub;
    }
    return NULL;
}

/* Makes a subscriber known, or known again. NULL: there is no place. */
static pyroi_es_sub *pyroi_es_enter(pyro_es_service *es, pyro_call *call,
                                    const pyro_uri *uri)
{
    char          where[PYRO_URI_BYTES];
    pyroi_es_sub *sub = pyroi_es_find(es, call, uri, where);
    pyro_err      err;

    if (sub != NULL && sub->state != PYROI_ES_AWAY && sub->session != 0
        && sub->link != call->link)
        pyroi_es_leave(es, sub); /* it came back before we saw it go */
    if (sub != NULL && sub->state != PYROI_ES_AWAY)
        return sub;
    if (sub == NULL) {
        sub = pyroi_es_place(es);
        if (sub == NULL)
            return NULL;
        memset(sub, 0, sizeof *sub);
        memcpy(sub->where, where, sizeof where);
        sub->at = es->head_;
        sub->seq = es->head_seq_;
    }
    if (uri->host_n == 0) {
        err = pyro_proxy_from(&sub->proxy, call, uri);
        sub->session = pyro_link_session(es->node_, call->link);
    } else {
        err = pyro_proxy_open(&sub->proxy, es->node_, sub->where);
    }
    sub->link = uri->host_n == 0 ? call->link : 0;
    sub->state = err == PYRO_OK ? PYROI_ES_HERE : PYROI_ES_FREE;
    return err == PYRO_OK ? sub : NULL;
}

/* ------------------------------------------------------------------------
 * >>fan-out
 * ------------------------------------------------------------------------ */

/* Sends the event a subscriber has come to. PYRO_ERR_NOSPACE and _BUSY: not
 * now, it has not moved. */
static pyro_err pyroi_es_send(pyro_es_service *es, pyroi_es_sub *sub,
                              const pyroi_es_stored *e)
{
    pyro_request   rq;
    const uint8_t *message = e->body + e->subject_n + e->time_n;
    pyro_err       err = pyro_begin(&rq, &sub->proxy, "event");

    if (err != PYRO_OK)
        return err;
    pyro_put_uint(&rq.args, sub->n + 1);
    pyro_put_uint(&rq.args, sub->lost);
    pyro_put_raw(&rq.args, e->body, e->subject_n);
    pyro_put_raw(&rq.args, e->body + e->subject_n, e->time_n);
    pyro_put_raw(&rq.args, message, e->n - e->subject_n - e->time_n);
    err = pyro_send_oneway(&rq);
    if (err == PYRO_OK) {
        sub->n++;
        es->stats.sent++;
    } else {
        pyro_cancel(&rq);
        sub->lost++; /* it takes no message as long as this */
        es->stats.too_long++;
    }
    return PYRO_OK;
}

static pyro_link pyroi_es_link(const pyroi_es_sub *sub)
{
    return sub->link != 0 ? sub->link : pyro_proxy_link(&sub->proxy);
}

/* Brings a subscriber forward, by at most *budget events looked at. False:
 * there are no buffers. */
static bool pyroi_es_serve(pyro_es_service *es, pyroi_es_sub *sub,
                           unsigned *budget)
{
    for (; *budget > 0 && sub->seq != es->head_seq_; --*budget) {
        pyroi_es_stored e = pyroi_es_load(es, sub->at);

        if (pyro_link_stuck(es->node_, pyroi_es_link(sub))) {
            sub->state = PYROI_ES_STUCK;
            sub->since = pyro_now(es->node_);
            return true;
        }
        if (pyroi_es_due(es, sub, &e)) {
            pyro_err err = pyroi_es_send(es, sub, &e);

            if (err == PYRO_ERR_NOSPACE || err == PYRO_ERR_BUSY)
                return false;
            if (err != PYRO_OK) {
                pyroi_es_leave(es, sub);
                return true;
            }
        }
        pyroi_es_pass(es, sub);
    }
    return true;
}

static void pyroi_es_drop(pyro_es_service *es, pyroi_es_sub *sub)
{
    pyro_link link = pyroi_es_link(sub);

    es->stats.dropped++;
    pyroi_es_leave(es, sub);
    pyro_link_close(es->node_, link);
}

static uint32_t pyroi_es_patience(const pyro_es_service *es,
                                  const pyroi_es_sub    *sub)
{
    if (sub->state == PYROI_ES_AWAY)
        return PYRO_ES_AWAY_MS;
    return es->config_->stuck_ms != 0 ? es->config_->stuck_ms : PYRO_FRAME_MS;
}

/* Those who take nothing, and so hold a buffer, or are away: nobody for too
 * long, and of the first not too many. */
static void pyroi_es_watch(pyro_es_service *es)
{
    uint32_t      now = pyro_now(es->node_);
    unsigned      may = es->config_->stuck != 0 ? es->config_->stuck : 2;
    uint32_t      next = PYRO_MAX_MS;
    pyroi_es_sub *oldest = NULL;

    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        pyroi_es_sub *sub = &es->room_.subs[i];
        uint32_t      left = pyroi_es_patience(es, sub) - (now - sub->since);

        if (sub->state != PYROI_ES_AWAY && sub->state != PYROI_ES_STUCK)
            continue;
        if (sub->state == PYROI_ES_STUCK) {
            may--;
            if (oldest == NULL || (int32_t)(sub->since - oldest->since) < 0)
                oldest = sub;
        }
        if ((int32_t)left > 0)
            next = left < next ? left : next;
        else if (sub->state == PYROI_ES_AWAY)
            pyroi_es_forget(es, sub);
        else
            pyroi_es_drop(es, sub);
    }
    if ((int)may < 0 && oldest->state == PYROI_ES_STUCK)
        pyroi_es_drop(es, oldest);
    if (next < PYRO_MAX_MS)
        pyro_timer_set(es->node_, &es->timer_, next);
}

/* Sends what is there, to each in turn. */
static void pyroi_es_fan_out(void *user, pyro_daemon *node)
{
    pyro_es_service *es = (pyro_es_service *)user;
    unsigned         budget = PYRO_ES_BURST;
    bool             buffers = true;
    bool             left = false;

    pyroi_es_watch(es);
    for (unsigned k = 0; k < es->room_.n_subs; k++) {
        unsigned      i = (es->turn_ + k) % es->room_.n_subs;
        pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state != PYROI_ES_HERE || sub->seq == es->head_seq_)
            continue;
        if (buffers && budget > 0)
            buffers = pyroi_es_serve(es, sub, &budget);
        left |= sub->state == PYROI_ES_HERE && sub->seq != es->head_seq_;
        if (budget == 0)
            es->turn_ = (uint16_t)i;
    }
    if (left)
        pyro_timer_set(node, &es->timer_, buffers ? 0 : 1);
}

static void pyroi_es_happened(void *user, pyro_daemon *node, pyro_link link,
                              pyro_event event)
{
    pyro_es_service *es = (pyro_es_service *)user;

    if (event == PYRO_LINK_UP)
        return;
    for (unsigned i = 0; i < es->room_.n_subs; i++) {
        pyroi_es_sub *sub = &es->room_.subs[i];

        if (sub->state == PYROI_ES_FREE || sub->state == PYROI_ES_AWAY
            || pyroi_es_link(sub) != link)
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

/* Stores an event whose message is encoded. NULL, or what is wrong. */
static const char *pyroi_es_store(pyro_es_service *es, const char *subject,
                                  uint32_t n, const void *message,
                                  uint32_t message_n)
{
    uint8_t     start[PYROI_ES_SUBJECT_MAX + 10];
    pyro_writer out = pyro_writer_of(start, sizeof start, 2);
    uint8_t    *at;
    uint32_t    subject_n;
    uint32_t    all;

    if (n == 0 || n > PYRO_ES_MAX_SUBJECT)
        return "subject is empty or too long";
    pyro_put_strn(&out, subject, n);
    subject_n = (uint32_t)(out.at - start);
    pyro_put_uint(&out, es->config_->now != NULL
                            ? es->config_->now(es->config_->user)
                            : pyro_now(es->node_));
    all = (uint32_t)(out.at - start) + message_n;
    at = pyroi_es_make_room(es, PYROI_ES_HEAD + all);
    if (at == NULL) {
        es->node_->why.text = "event is longer than half of the ring";
        es->node_->why.is = PYROI_ES_HEAD + all;
        es->node_->why.limit = es->room_.n_bytes / 2;
        return "event is longer than half of the ring, raise PYRO_ES_ROOM";
    }
    memset(at, 0, PYROI_ES_HEAD);
    at[0] = (uint8_t)(all >> 24);
    at[1] = (uint8_t)(all >> 16);
    at[2] = (uint8_t)(all >> 8);
    at[3] = (uint8_t)all;
    at[4] = (uint8_t)subject_n;
    at[5] = (uint8_t)(all - message_n - subject_n);
    memcpy(at + PYROI_ES_HEAD, start, all - message_n);
    memcpy(at + PYROI_ES_HEAD + all - message_n, message, message_n);
    es->head_ += PYROI_ES_HEAD + all;
    es->head_seq_++;
    es->stats.published++;
    return NULL;
}

/* Events leave at the latest with the next poll, and earlier when they fill
 * half of the ring: those who keep up are not to be lapped. */
static void pyroi_es_soon(pyro_es_service *es)
{
    if (es->used_ > es->room_.n_bytes / 2)
        pyroi_es_fan_out(es, es->node_);
    else
        pyro_timer_set(es->node_, &es->timer_, 0);
}

/* Subjects are one text or a list of them: how many. 0: neither. */
static uint32_t pyroi_es_subjects(pyro_reader *in)
{
    return pyro_peek(in) == PYRO_LIST ? pyro_get_list(in, 64)
         : pyro_peek(in) == PYRO_STR  ? 1
                                      : 0;
}

static void pyroi_es_raise(pyro_es_service *es, pyro_call *call,
                           const char *text)
{
    es->stats.refused++;
    pyro_raise(call, "ValueError", text);
}

static void pyroi_es_publish(void *self, pyro_call *call)
{
    pyro_es_service *es = (pyro_es_service *)self;
    pyro_reader      subjects = call->args;
    uint32_t         k = pyroi_es_subjects(&subjects);
    const void      *message;
    uint32_t         message_n;
    const char      *wrong = NULL;

    pyro_skip(&call->args);
    message = pyro_get_raw(&call->args, &message_n);
    for (; k > 0 && wrong == NULL; k--) {
        uint32_t    n;
        const char *subject = pyro_get_str(&subjects, &n);

        wrong = pyroi_es_store(es, subject, n, message, message_n);
    }
    if (wrong != NULL)
        pyroi_es_raise(es, call, wrong);
    pyroi_es_soon(es);
}

/* One subject or pattern more for a subscriber. NULL, or what is wrong. */
static const char *pyroi_es_add_item(pyro_es_service *es, pyroi_es_sub *sub,
                                     const char *text, uint32_t n,
                                     unsigned flags)
{
    uint16_t      *at = pyroi_es_link_of(es, sub, text, n);
    pyroi_es_item *it;

    if (n == 0 || n > PYRO_ES_MAX_SUBJECT)
        return "subject is empty or too long";
    if (*at == 0) {
        if (es->free_item_ == 0)
            return "out of subscriptions, raise PYRO_ES_ROOM";
        *at = es->free_item_;
        it = &es->room_.items[*at - 1];
        es->free_item_ = it->next;
        it->next = 0;
        it->n = (uint8_t)n;
        memcpy(it->text, text, n);
        it->text[n] = 0;
    }
    es->room_.items[*at - 1].flags = (uint8_t)flags;
    return NULL;
}

static void pyroi_es_subscribe_to(pyro_es_service *es, pyro_call *call,
                                  unsigned pattern)
{
    pyro_reader   subjects = call->args;
    uint32_t      k = pyroi_es_subjects(&subjects);
    pyro_uri      uri;
    pyroi_es_sub *sub;
    unsigned      flags = 0;
    const char   *wrong = NULL;

    pyro_skip(&call->args);
    pyro_get_uri(&call->args, &uri);
    if (pyro_more(&call->args))
        flags = pyro_get_i32(&call->args) & PYRO_ES_LATEST;
    if (call->args.err != PYRO_OK || k == 0)
        return;
    sub = pyroi_es_enter(es, call, &uri);
    if (sub == NULL)
        wrong = "out of subscribers, raise PYRO_ES_ROOM";
    for (; k > 0 && wrong == NULL; k--) {
        uint32_t    n;
        const char *text = pyro_get_str(&subjects, &n);

        wrong = pyroi_es_add_item(es, sub, text, n, flags | pattern);
    }
    if (sub != NULL && sub->first == 0)
        pyroi_es_forget(es, sub);
    if (wrong != NULL)
        pyroi_es_raise(es, call, wrong);
}

static void pyroi_es_subscribe(void *self, pyro_call *call)
{
    pyroi_es_subscribe_to((pyro_es_service *)self, call, 0);
}

static void pyroi_es_subscribe_match(void *self, pyro_call *call)
{
    pyroi_es_subscribe_to((pyro_es_service *)self, call, PYROI_ES_PATTERN);
}

static void pyroi_es_unsubscribe(void *self, pyro_call *call)
{
    pyro_es_service *es = (pyro_es_service *)self;
    pyro_reader      subjects = call->args;
    uint32_t         k = pyroi_es_subjects(&subjects);
    char             where[PYRO_URI_BYTES];
    pyro_uri         uri;
    pyroi_es_sub    *sub;

    pyro_skip(&call->args);
    pyro_get_uri(&call->args, &uri);
    if (call->args.err != PYRO_OK)
        return;
    sub = pyroi_es_find(es, call, &uri, where);
    if (sub == NULL)
        return;
    for (; k > 0; k--) {
        uint32_t    n;
        const char *text = pyro_get_str(&subjects, &n);
        uint16_t   *at = pyroi_es_link_of(es, sub, text, n);

        if (*at != 0)
            pyroi_es_free_item(es, at);
    }
    if (sub->first == 0)
        pyroi_es_forget(es, sub);
}

static void pyroi_es_statistics(void *self, pyro_call *call)
{
    pyro_es_service *es = (pyro_es_service *)self;
    uint32_t         n = 0;
    uint32_t         room
        = (uint32_t)(call->result.end - call->result.at) / 20u;

    for (unsigned i = 0; i < es->room_.n_subs; i++)
        n += es->room_.subs[i].state != PYROI_ES_FREE && n < room;
    pyro_put_list(&call->result, n);
    for (const pyroi_es_sub *sub = es->room_.subs; n > 0; sub++) {
        if (sub->state == PYROI_ES_FREE)
            continue;
        pyro_put_list(&call->result, 4);
        pyro_put_uint(&call->result, sub->n);
        pyro_put_uint(&call->result, sub->lost);
        pyro_put_uint(&call->result, es->head_seq_ - sub->seq);
        pyro_put_bool(&call->result, sub->state != PYROI_ES_AWAY);
        n--;
    }
}

/* ------------------------------------------------------------------------
 * >>service: beginning and end
 * ------------------------------------------------------------------------ */

static const pyro_method pyroi_es_methods[] = {
    { "publish", pyroi_es_publish, "subjects:v message:v", "", PYRO_ONEWAY },
    { "subscribe", pyroi_es_subscribe, "subjects:v subscriber:U ?flags:i", "",
      0 },
    { "subscribeMatch", pyroi_es_subscribe_match,
      "patterns:v subscriber:U ?flags:i", "", 0 },
    { "unsubscribe", pyroi_es_unsubscribe, "subjects:v subscriber:U", "", 0 },
    { "statistics", pyroi_es_statistics, "", "[v]", 0 },
};

static const pyro_class pyroi_es_class = {
    "EventService", PYRO_METHODS(pyroi_es_methods), PYRO_NO_ATTRS, NULL, 0
};

PYRO_DEF pyro_err pyro_es_serve(pyro_es_service *es, pyro_daemon *node,
                                pyro_es_room          room,
                                const pyro_es_config *config)
{
    static const pyro_es_config defaults = { 0, 0, NULL, NULL };
    pyro_err                    err;

    memset(es, 0, sizeof *es);
    es->node_ = node;
    es->config_ = config != NULL ? config : &defaults;
    es->room_ = room;
    if (room.n_bytes < 64)
        return PYRO_ERR_NOSPACE;
    memset(room.subs, 0, room.n_subs * sizeof room.subs[0]);
    for (unsigned i = 0; i < room.n_items; i++)
        room.items[i].next
            = (uint16_t)(i + 1 < room.n_items ? i + 2 : 0);
    es->free_item_ = 1;
    es->timer_.fn = pyroi_es_fan_out;
    es->timer_.user = es;
    es->hook_.fn = pyroi_es_happened;
    es->hook_.user = es;
    err = pyro_export(node, &pyroi_es_class, es, PYRO_ES_NAME);
    if (err == PYRO_OK)
        pyro_hook_add(node, &es->hook_);
    return err;
}

PYRO_DEF void pyro_es_stop(pyro_es_service *es)
{
    (void)pyro_withdraw(es->node_, es);
    pyro_hook_drop(es->node_, &es->hook_);
    pyro_timer_stop(es->node_, &es->timer_);
    for (unsigned i = 0; i < es->room_.n_subs; i++)
        if (es->room_.subs[i].state != PYROI_ES_FREE)
            pyroi_es_forget(es, &es->room_.subs[i]);
}

PYRO_DEF pyro_err pyro_es_post(pyro_es_service *es, const char *subject,
                               pyro_value message)
{
    uint8_t     bytes[256];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

    pyro_put(&out, message);
    if (pyro_writer_end(&out) != PYRO_OK)
        return pyro_writer_end(&out);
    if (pyroi_es_store(es, subject, (uint32_t)strlen(subject), bytes,
                       (uint32_t)(out.at - bytes))
        != NULL) {
        es->stats.refused++;
        return PYRO_ERR_NOSPACE;
    }
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
        if (sub->seq - es->tail_seq_ > es->head_seq_ - es->tail_seq_)
            return "a subscriber stands outside of the ring";
        for (uint16_t k = sub->first; k != 0;
             k = es->room_.items[k - 1].next)
            if (++items > es->room_.n_items)
                return "subscriptions go round";
    }
    for (uint16_t k = es->free_item_; k != 0; k = es->room_.items[k - 1].next)
        if (++items > es->room_.n_items)
            return "free subscriptions go round";
    if (items != es->room_.n_items)
        return "a subscription is missing";
    for (uint32_t seq = es->tail_seq_; seq != es->head_seq_; seq++) {
        uint32_t next = pyroi_es_after(es, at);

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
    if (call->args.err != PYRO_OK || n > PYRO_ES_MAX_SUBJECT)
        return;
    memcpy(subject, text, n);
    subject[n] = 0;
    event.subject = subject;
    event.message = &call->args;
    es->events++;
    es->lost = event.lost;
    es->fn_(es->user_, &event);
}

static const pyro_method pyroi_es_sub_methods[] = {
    { "event", pyroi_es_event, "n:q lost:q subject:s time:v message:v", "",
      PYRO_ONEWAY },
};

static const pyro_class pyroi_es_sub_class = {
    "Subscriber", PYRO_METHODS(pyroi_es_sub_methods), PYRO_NO_ATTRS, NULL, 0
};

/* Begins to subscribe own subject i. */
static pyro_err pyroi_es_ask(pyro_es *es, unsigned i, const char *method)
{
    unsigned flags = es->own_[i].flags;
    pyro_err err = pyro_begin(&es->rq_, &es->proxy_, method);

    if (err != PYRO_OK)
        return err;
    pyro_put_str(&es->rq_.args, es->own_[i].subject);
    pyro_put_here(&es->rq_.args, es->object_);
    if (method[0] == 's')
        pyro_put_uint(&es->rq_.args, flags & 0xFF);
    return PYRO_OK;
}

static const char *pyroi_es_method(const pyro_es *es, unsigned i)
{
    return (es->own_[i].flags & PYRO_ES_MATCH) != 0 ? "subscribeMatch"
                                                    : "subscribe";
}

static void pyroi_es_restore(void *user, pyro_daemon *node);

static void pyroi_es_restored(void *user, pyro_request *rq, pyro_err err,
                              pyro_reader *result)
{
    pyro_es *es = (pyro_es *)user;

    (void)rq;
    (void)result;
    if (err == PYRO_OK || err == PYRO_ERR_REMOTE) {
        es->link_ = pyro_proxy_link(&es->proxy_);
        es->at_++;
        pyroi_es_restore(es, es->node_);
    } else {
        pyro_timer_set(es->node_, &es->timer_, PYRO_ES_AGAIN_MS);
    }
}

/* Subscribes to all anew, one after the other. */
static void pyroi_es_restore(void *user, pyro_daemon *node)
{
    pyro_es *es = (pyro_es *)user;
    pyro_err err;

    if (es->at_ >= es->n_own_)
        return;
    err = pyroi_es_ask(es, es->at_, pyroi_es_method(es, es->at_));
    if (err == PYRO_OK)
        err = pyro_send(&es->rq_, pyro_to_none(), pyroi_es_restored, es);
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

PYRO_DEF pyro_err pyro_es_open(pyro_es *es, pyro_daemon *node, const char *uri,
                               pyro_es_fn fn, void *user)
{
    pyro_err err;

    memset(es, 0, sizeof *es);
    es->node_ = node;
    es->fn_ = fn;
    es->user_ = user;
    es->timer_.fn = pyroi_es_restore;
    es->timer_.user = es;
    es->hook_.fn = pyroi_es_gone;
    es->hook_.user = es;
    err = pyro_proxy_open(&es->proxy_, node, uri);
    if (err != PYRO_OK)
        return err;
    if (fn != NULL) {
        err = pyro_export(node, &pyroi_es_sub_class, es, NULL);
        if (err == PYRO_OK)
            err = pyro_object_id(node, es, es->object_);
    }
    if (err != PYRO_OK)
        pyro_proxy_close(&es->proxy_);
    else
        pyro_hook_add(node, &es->hook_);
    return err;
}

PYRO_DEF void pyro_es_close(pyro_es *es)
{
    pyro_timer_stop(es->node_, &es->timer_);
    pyro_hook_drop(es->node_, &es->hook_);
    if (es->fn_ != NULL)
        (void)pyro_withdraw(es->node_, es);
    pyro_proxy_close(&es->proxy_);
}

/* What is under way is waited for: there is one request. */
static pyro_err pyroi_es_call(pyro_es *es, unsigned i, const char *method)
{
    pyro_err err;

    if (!pyro_done(&es->rq_) && es->link_ != 0)
        (void)pyro_wait(&es->rq_);
    err = pyroi_es_ask(es, i, method);
    if (err == PYRO_OK)
        err = pyro_send(&es->rq_, pyro_to_none(), NULL, NULL);
    return err == PYRO_OK ? pyro_wait(&es->rq_) : err;
}

PYRO_DEF pyro_err pyro_es_subscribe(pyro_es *es, const char *subject,
                                    unsigned flags)
{
    pyro_err err;
    unsigned i = es->n_own_;

    if (i == PYRO_ES_OWN)
        return PYRO_ERR_NOSPACE;
    es->own_[i].subject = subject;
    es->own_[i].flags = flags;
    err = pyroi_es_call(es, i, pyroi_es_method(es, i));
    if (err == PYRO_ERR_REMOTE)
        return err;
    es->n_own_++;
    if (err == PYRO_OK)
        es->link_ = pyro_proxy_link(&es->proxy_);
    else
        pyro_timer_set(es->node_, &es->timer_, PYRO_ES_AGAIN_MS);
    return err;
}

PYRO_DEF pyro_err pyro_es_unsubscribe(pyro_es *es, const char *subject)
{
    for (unsigned i = 0; i < es->n_own_; i++) {
        pyro_err err;

        if (strcmp(es->own_[i].subject, subject) != 0)
            continue;
        err = pyroi_es_call(es, i, "unsubscribe");
        es->own_[i] = es->own_[--es->n_own_];
        return err;
    }
    return PYRO_OK;
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
