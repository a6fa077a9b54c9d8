/* fuzz.h - what the fuzz targets share: reading the input, and a peer of the
 * daemon under test that does what the input says.
 *
 * A target is one function, LLVMFuzzerTestOneInput, called with the bytes of
 * one file. Run by libFuzzer they are hostile and grow cleverer; run by
 * replay.c they are those of the corpus. A finding is an abort.
 *
 * The targets with a daemon read their input as a row of steps, each a
 * byte and what belongs to it. Half of them are the peer's and the world's:
 * frames with the right length and checksum, or with wrong ones, loose bytes,
 * reading, closing, time passing, a pipe that blocks. These happen between
 * polls and, as long as there are some, inside of every wait of a blocking
 * call. The other half are the target's own. pyro_check looks at all
 * invariants after every poll and in every wait. */
#ifndef FUZZ_H
#define FUZZ_H

#define PYRO_STUCK_POLLS 1000
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

#define LOOP_CONNS 8
#ifndef FUZZ_LEAST_BYTES
#define FUZZ_LEAST_BYTES 64 /* of a buffer */
#endif
#define LOOP_BYTES 2048
#include "../loopback.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(c, text) ((c) ? (void)0 : fuzz_fail(text, __LINE__))

static inline void fuzz_fail(const char *text, int line)
{
    fprintf(stderr, "fuzz: line %d: %s\n", line, text);
    abort();
}

/* The input. Past its end everything is 0. */
struct fuzz_in {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint8_t fuzz_u8(struct fuzz_in *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

/* Up to n bytes; *n becomes how many there are. */
static inline const uint8_t *fuzz_bytes(struct fuzz_in *in, uint32_t *n)
{
    const uint8_t *at = in->at;

    if (*n > (size_t)(in->end - at))
        *n = (uint32_t)(size_t)(in->end - at);
    in->at += *n;
    return at;
}

enum { FUZZ_PEERS = 3, FUZZ_FRAME = 512 };

/* One connection, played by the input. */
struct fuzz_peer {
    int32_t handle; /* 0: none */
    bool    stream; /* no pipe: what comes must be frames, without a gap */
    bool    sums;   /* our frames have a checksum */
    uint16_t
        asked[4]; /* numbers of the last INVOKEs that came, newest first */
    uint32_t n;
    uint8_t  bytes[2 * FUZZ_FRAME]; /* received, not yet a whole frame */
};

struct fuzz {
    struct loop_net   net;
    struct fuzz_in    in;
    pyro_port         port;  /* of the daemon */
    pyro_port         other; /* of the peers */
    pyro_config       config;
    pyro_daemon       node;
    void             *memory[3];
    struct fuzz_peer  peers[FUZZ_PEERS];
    struct fuzz_peer *peer;   /* who acts now */
    char              id[33]; /* of the object, for the peer */
    uint8_t           greets; /* a CONNECT that comes is answered */
    uint8_t           reads;  /* what comes is read at once */
    bool              waits;  /* the library waits: it may not be called */
    unsigned          steps;  /* left, so that every run ends */
    unsigned          turns;  /* waits so far */
    /* Makes a connection of the current peer, if it can. */
    void (*dial)(struct fuzz *f, unsigned how);
    /* Writes the body of an INVOKE of the current peer. */
    void (*invoke)(struct fuzz *f, pyro_writer *w);
    void (*result)(struct fuzz *f, pyro_writer *w); /* and of a RESULT */
    /* What is wrong with the target's own state, or NULL. May be NULL. */
    const char *(*check)(void);
};

static inline void fuzz_look(const struct fuzz *f)
{
    const char *wrong = pyro_check(&f->node);

    if (wrong == NULL && f->check != NULL)
        wrong = f->check();
    if (wrong != NULL)
        fuzz_fail(wrong, __LINE__);
}

/* ------------------------------------------------------------------------
 * Frames of the peer
 * ------------------------------------------------------------------------ */

enum { CONNECT = 1, CONNECTOK, CONNECTFAIL, INVOKE, RESULT, PING };

enum { F_EXCEPTION = 1, F_ONEWAY = 4, F_CHECKSUM = 16, F_LONG = 64 };

enum { /* what may be wrong with a frame */
       FUZZ_RIGHT,
       FUZZ_SUM,    /* its checksum */
       FUZZ_LONGER, /* its length: too much is announced */
       FUZZ_SHORTER,
       FUZZ_CUT,     /* the second half is missing */
       FUZZ_VERSION, /* it is of another version of the protocol */
       FUZZ_PYRO5,   /* it is of Pyro5 */
       FUZZ_NOISE    /* a byte stands before it */
};

static inline uint32_t fuzz_header(uint8_t *to, unsigned type, unsigned flags,
                                   unsigned seq, uint32_t n)
{
    to[0] = 'P';
    to[1] = 'Y';
    to[2] = (uint8_t)(6 << 4 | type);
    to[3] = (uint8_t)flags;
    to[4] = (uint8_t)(seq >> 8);
    to[5] = (uint8_t)seq;
    if ((flags & F_LONG) == 0) {
        to[6] = (uint8_t)(n >> 8);
        to[7] = (uint8_t)n;
        return 8;
    }
    pyroi_store32(to + 6, n);
    return 10;
}

/* Sends a frame with n bytes of body (up to FUZZ_FRAME - 16). */
static inline void fuzz_send(struct fuzz *f, unsigned type, unsigned flags,
                             unsigned seq, const void *body, uint32_t n,
                             unsigned wrong)
{
    uint8_t  frame[FUZZ_FRAME];
    uint32_t announced = n;
    uint32_t head;

    if (type <= CONNECTFAIL || f->peer->sums)
        flags ^= F_CHECKSUM;
    if (wrong == FUZZ_LONGER)
        announced += 1 + (seq & 63);
    if (wrong == FUZZ_SHORTER && n > 0)
        announced--;
    head = fuzz_header(frame, type, flags, seq, announced);
    if (wrong == FUZZ_VERSION)
        frame[2] = (uint8_t)(7 << 4 | type);
    if (wrong == FUZZ_PYRO5)
        frame[2] = 'R';
    if (n > 0)
        memcpy(frame + head, body, n);
    n += head;
    if ((flags & F_CHECKSUM) != 0) {
        pyroi_store32(frame + n,
                      pyro_crc32(0, frame, n) ^ (wrong == FUZZ_SUM));
        n += 4;
    }
    if (wrong == FUZZ_CUT)
        n /= 2;
    if (wrong == FUZZ_NOISE)
        loop_feed(&f->net, f->peer->handle, "P", 1);
    loop_feed(&f->net, f->peer->handle, frame, n);
}

/* A greeting; `how` chooses what it says. */
static inline void fuzz_greet(struct fuzz *f, unsigned type, unsigned how,
                              unsigned wrong)
{
    static const uint32_t sessions[] = { 1, 2, 0xFFFFFFFE, 0 };
    static const uint32_t limits[] = { 498, 0xFFFFFFFF, 20, 64 };
    static const uint16_t silence[] = { 20000, 0, 100, 0xFFFF };
    uint8_t               body[PYROI_GREET] = { 0x96, 6 };

    body[2] = how & 1;
    body[3] = body[8] = 0xCE;
    pyroi_store32(body + 4, sessions[how >> 1 & 3]);
    pyroi_store32(body + 9, limits[how >> 3 & 3]);
    body[13] = 0xCD;
    pyroi_store16(body + 14, silence[how >> 5 & 3]);
    body[16] = (how & 128) != 0 ? 0xC5 : 0xC4; /* nobody reads it yet */
    fuzz_send(f, type, 0, 0, body, sizeof body, wrong);
    f->peer->sums = (how & 1) != 0 || f->config.checksum != 0;
}

/* A word of a table, or one from the input. */
static inline void fuzz_word(struct fuzz *f, pyro_writer *w,
                             const char *const *table, unsigned count)
{
    unsigned    which = fuzz_u8(&f->in);
    uint32_t    n = which & 63;
    const char *text;

    if (which < 0xC0) {
        pyro_put_str(w, table[which % count]);
        return;
    }
    text = (const char *)fuzz_bytes(&f->in, &n);
    if (w->end - w->at < 64)
        return;
    *w->at++ = (uint8_t)(0xA0 | (n & 31)); /* valid UTF-8 or not */
    memcpy(w->at, text, n & 31);
    w->at += n & 31;
}

/* Appends bytes of the input, as they are. */
static inline void fuzz_tail(struct fuzz *f, pyro_writer *w)
{
    uint32_t       n = fuzz_u8(&f->in);
    const uint8_t *bytes = fuzz_bytes(&f->in, &n);

    if ((size_t)(w->end - w->at) < n)
        n = (uint32_t)(size_t)(w->end - w->at);
    if (n > 0)
        memcpy(w->at, bytes, n);
    w->at += n;
}

static inline void fuzz_invoke_body(struct fuzz *f, pyro_writer *w)
{
    static const char *const methods[] = {
        "add",         "echo",          "all",        "later",
        "note",        "fail",          "call",       "yield",
        "poll",        "twice",         "big",        "leave",
        "cut",         "any",           "nil",        "text",
        "describe",    "getRegistered", "ping",       "ResolvePYROLOC",
        "__getattr__", "__setattr__",   "__hasattr__"
    };
    const char *objects[] = { "calc",
                              "one",
                              "any",
                              "c000000001100000100000001"
                              "0000001",
                              NULL,
                              "none" };

    objects[4] = f->id;
    *w->at++ = 0x94;
    fuzz_word(f, w, objects, PYRO_COUNT(objects));
    fuzz_word(f, w, methods, PYRO_COUNT(methods));
    fuzz_tail(f, w);
}

static inline void fuzz_exception_body(struct fuzz *f, pyro_writer *w)
{
    unsigned parts = fuzz_u8(&f->in);

    pyro_put_map(w, (parts & 3) + ((parts & 4) != 0));
    if ((parts & 3) > 0) {
        pyro_put_str(w, "__class__");
        pyro_put_str(w, (parts & 8) != 0 ? "ValueError" : "E");
    }
    if ((parts & 3) > 1) {
        pyro_put_str(w, "args");
        pyro_put_list(w, (parts & 16) != 0);
        if ((parts & 16) != 0)
            pyro_put_str(w, (parts & 32) != 0 ? "no \xC3\xA4pple" : "");
    }
    if ((parts & 3) > 2) {
        pyro_put_str(w, "__exception__");
        pyro_put_bool(w, true);
    }
    if ((parts & 4) != 0) {
        pyro_put_str(w, "attributes");
        pyro_put_map(w, 1);
        pyro_put_str(w, "_pyroTraceback");
        pyro_put_list(w, parts >> 6);
        for (; parts >> 6 > 0; parts -= 64)
            pyro_put_str(w, "here.there on where");
    }
    fuzz_tail(f, w); /* none, mostly */
}

/* A frame as its type has it, of parts the input chooses. */
static inline void fuzz_frame(struct fuzz *f)
{
    uint8_t     body[FUZZ_FRAME - 16];
    pyro_writer w = pyro_writer_of(body, sizeof body, 255);
    unsigned    what = fuzz_u8(&f->in);
    unsigned    seq = fuzz_u8(&f->in);
    unsigned    type = what & 7;
    unsigned    flags = 0;

    if (type == 0)
        type = INVOKE;
    if (type == CONNECT || type == CONNECTOK) {
        fuzz_greet(f, type, seq, what >> 5);
        return;
    }
    flags = ((what & 8) != 0 ? F_ONEWAY : 0)
          | ((what & 16) != 0 ? (type == RESULT ? F_EXCEPTION : F_LONG) : 0);
    if (type == CONNECTFAIL) {
        pyro_put_list(&w, 2);
        pyro_put_uint(&w, seq);
        pyro_put_str(&w, "no");
        seq = 0;
    } else if (type == INVOKE) {
        f->invoke(f, &w);
    } else if (type == RESULT) {
        if ((what & 8) != 0 && (flags & F_EXCEPTION) != 0)
            pyro_put_raw(&w, pyroi_busy_body, PYROI_BUSY_BYTES);
        else if ((flags & F_EXCEPTION) != 0)
            fuzz_exception_body(f, &w);
        else
            f->result(f, &w);
        flags &= F_EXCEPTION;
        seq = seq < 128 ? f->peer->asked[seq & 3] : seq & 127;
    } else {
        flags = 0;
        if ((what & 8) != 0)
            pyro_put_nil(&w);
    }
    fuzz_send(f, type, flags, seq, body, (uint32_t)(w.at - body), what >> 5);
}

/* A frame of any type and flags with bytes of the input. */
static inline void fuzz_any_frame(struct fuzz *f)
{
    unsigned       type = fuzz_u8(&f->in);
    unsigned       flags = fuzz_u8(&f->in);
    unsigned       seq = fuzz_u8(&f->in);
    uint32_t       n = fuzz_u8(&f->in);
    const uint8_t *body = fuzz_bytes(&f->in, &n);

    fuzz_send(f, type & 15, flags, seq, body, n, type >> 5);
}

/* ------------------------------------------------------------------------
 * What the peer receives: on a stream it has to be frames, whatever was sent
 * ------------------------------------------------------------------------ */

static inline void fuzz_got_frame(struct fuzz *f, const uint8_t *frame,
                                  uint32_t head, uint32_t n)
{
    unsigned    type = frame[2] & 15u;
    pyro_reader in = pyro_reader_of(frame + head, n);

    if ((frame[3] & F_CHECKSUM) != 0)
        FUZZ_CHECK(pyro_crc32(0, frame, head + n)
                       == pyroi_load32(frame + head + n),
                   "a frame was sent with a wrong checksum");
    if (type != PING || n > 0)
        pyro_skip(&in);
    FUZZ_CHECK(in.err == PYRO_OK && in.at == in.end,
               "a frame was sent whose body is not one value");
    if (type == INVOKE && (frame[3] & F_ONEWAY) == 0) {
        memmove(f->peer->asked + 1, f->peer->asked,
                3 * sizeof f->peer->asked[0]);
        f->peer->asked[0] = (uint16_t)pyroi_load16(frame + 4);
    }
    if (type == CONNECT && (f->greets & 1) != 0)
        fuzz_greet(f, CONNECTOK, f->greets >> 1, FUZZ_RIGHT);
}

/* Bytes of the next frame in n received ones; 0: not all are there. */
static inline uint32_t fuzz_whole(const uint8_t *p, uint32_t n, uint32_t *head,
                                  uint32_t *body)
{
    uint32_t total;

    if (n < 10 && (n < 8 || (p[3] & F_LONG) != 0))
        return 0;
    *head = (p[3] & F_LONG) != 0 ? 10 : 8;
    *body = *head == 10 ? pyroi_load32(p + 6) : pyroi_load16(p + 6);
    total = *head + *body + ((p[3] & F_CHECKSUM) != 0 ? 4 : 0);
    return *body <= FUZZ_FRAME && total <= n ? total : 0;
}

static inline bool fuzz_like_frame(const uint8_t *p)
{
    return p[0] == 'P' && p[1] == 'Y' && p[2] >= (6 << 4 | CONNECT)
        && p[2] <= (6 << 4 | PING);
}

static inline void fuzz_take(struct fuzz *f, struct fuzz_peer *peer,
                             uint32_t most)
{
    struct fuzz_peer *acting = f->peer;
    uint32_t          head;
    uint32_t          body;
    uint32_t          n;

    if (most > sizeof peer->bytes - peer->n)
        most = (uint32_t)sizeof peer->bytes - peer->n;
    peer->n += loop_take(&f->net, peer->handle, peer->bytes + peer->n, most);
    f->peer = peer;
    while (peer->n >= 3) {
        n = 1; /* on a pipe half a frame may stand before a greeting */
        if (fuzz_like_frame(peer->bytes)) {
            n = fuzz_whole(peer->bytes, peer->n, &head, &body);
            if (n == 0 && peer->n < sizeof peer->bytes)
                break;
            if (n > 0 && peer->stream)
                fuzz_got_frame(f, peer->bytes, head, body);
            else if (n > 0 && (peer->bytes[2] & 15) == INVOKE)
                peer->asked[0] = (uint16_t)pyroi_load16(peer->bytes + 4);
            else if (n > 0 && (peer->bytes[2] & 15) == CONNECT
                     && (f->greets & 1) != 0)
                fuzz_greet(f, CONNECTOK, f->greets >> 1, FUZZ_RIGHT);
            else if (n == 0)
                n = 1;
        } else {
            FUZZ_CHECK(!peer->stream, "what was sent is no frame");
        }
        peer->n -= n;
        memmove(peer->bytes, peer->bytes + n, peer->n);
    }
    f->peer = acting;
}

/* ------------------------------------------------------------------------
 * Steps
 * ------------------------------------------------------------------------ */

static inline void fuzz_hang_up(struct fuzz *f, unsigned how)
{
    unsigned          end;
    struct loop_conn *c = loop_find(&f->net, f->peer->handle, &end);

    if (c == NULL)
        return;
    if ((how & 3) == 1) {
        c->way[end].gap = true; /* bytes were lost on the way to the node */
    } else if ((how & 3) == 2) {
        loop_gone(&f->net, f->peer->handle);
    } else {
        f->other.close(&f->other, f->peer->handle);
        f->peer->handle = 0;
    }
}

static inline void fuzz_trouble(struct fuzz *f, unsigned how)
{
    unsigned          end;
    struct loop_conn *c = loop_find(&f->net, f->peer->handle, &end);
    unsigned          n = how >> 3;

    switch (how & 7) {
    case 0:
        f->net.chunk = n;
        break;
    case 1:
        f->net.block_send = n;
        break;
    case 2:
        f->net.block_recv = n;
        break;
    case 3:
        f->reads = n & 1;
        break;
    case 4:
        f->net.more = n & 1;
        break;
    case 5:
        f->greets = (uint8_t)how;
        break;
    case 6:
        if (c != NULL) /* of the bytes that come to the peer */
            c->way[1u - end].capacity = c->way[1u - end].used + n;
        if (c != NULL && c->way[1u - end].capacity > LOOP_BYTES)
            c->way[1u - end].capacity = LOOP_BYTES;
        break;
    default:
        if (c != NULL)
            c->way[1u - end].capacity = LOOP_BYTES;
    }
}

/* A step of the peer or the world; it does not call the library. */
static inline void fuzz_outside(struct fuzz *f, unsigned op)
{
    static const uint16_t times[] = { 1, 5, 20, 120, 300, 1100, 2500, 21000 };
    uint32_t              n;
    const uint8_t        *bytes;

    switch (op & 7) {
    case 0:
        fuzz_frame(f);
        break;
    case 1:
        fuzz_any_frame(f);
        break;
    case 2:
        n = fuzz_u8(&f->in) & 63;
        bytes = fuzz_bytes(&f->in, &n);
        loop_feed(&f->net, f->peer->handle, bytes, n);
        break;
    case 3:
        fuzz_take(f, f->peer, 1u + 4u * fuzz_u8(&f->in));
        break;
    case 4:
        loop_advance(&f->net, times[fuzz_u8(&f->in) & 7]);
        break;
    case 5:
        n = fuzz_u8(&f->in);
        f->peer = &f->peers[n % FUZZ_PEERS];
        if (f->peer->handle == 0)
            f->dial(f, n / FUZZ_PEERS);
        break;
    case 6:
        fuzz_hang_up(f, fuzz_u8(&f->in));
        break;
    default:
        fuzz_trouble(f, fuzz_u8(&f->in));
    }
}

/* In place of the port's wait: if nothing is ready, the world goes on; when
 * it has come to its end, or nothing more happens in it, time does. */
static inline void fuzz_wait(void *user, const pyro_port *port,
                             pyro_item *list, int32_t ms)
{
    struct fuzz *f = user;
    unsigned     i;

    (void)port;
    FUZZ_CHECK(ms >= 0, "a wait without limit");
    fuzz_look(f);
    for (i = 0; i < FUZZ_PEERS && f->reads != 0; i++)
        fuzz_take(f, &f->peers[i], FUZZ_FRAME);
    if (++f->turns % 16 == 0)
        loop_advance(&f->net, 1); /* peers that answer at once take time */
    if (loop_look(&f->net, list) || ms == 0)
        return;
    if (f->steps > 0 && f->in.at < f->in.end) {
        f->steps--;
        f->waits = true;
        fuzz_outside(f, fuzz_u8(&f->in));
        f->waits = false;
    } else {
        loop_advance(&f->net, (uint32_t)ms);
    }
}

static inline void fuzz_poll(struct fuzz *f, int32_t ms)
{
    FUZZ_CHECK(pyro_poll(&f->node, ms) == PYRO_OK, "pyro_poll failed");
    fuzz_look(f);
}

/* The rest of the input, a step at a time: the program around the daemon does
 * something, or the world does, after which mostly comes a poll. */
static inline void fuzz_steps(struct fuzz *f,
                              void (*inside)(struct fuzz *f, unsigned op),
                              void (*poll)(struct fuzz *f, int32_t ms))
{
    while (f->in.at < f->in.end && f->steps > 0) {
        unsigned op = fuzz_u8(&f->in);

        f->steps--;
        if ((op & 8) != 0) {
            inside(f, op);
        } else {
            fuzz_outside(f, op);
            if ((op & 16) == 0)
                poll(f, 0);
        }
    }
}

/* ------------------------------------------------------------------------
 * Beginning and end
 * ------------------------------------------------------------------------ */

enum { FUZZ_LINKS = 2, FUZZ_OBJECTS = 4 };

/* Opens the daemon in memory of just the size it needs. The first bytes of
 * the input are: clock and policy, size of the pool, of its buffers. */
static inline void fuzz_open(struct fuzz *f, const uint8_t *data, size_t size,
                             unsigned least)
{
    static const uint16_t sizes[] = { FUZZ_LEAST_BYTES, 96, 160, 300 };
    pyroi_object         *objects;
    unsigned              how;
    size_t                buffers;
    size_t                bytes;
    size_t                step;

    memset(f, 0, sizeof *f);
    loop_init(&f->net, 1);
    f->in.at = data;
    f->in.end = data + size;
    f->steps = 200;
    f->net.user = f;
    f->net.on_wait = fuzz_wait;
    f->port = loop_port(&f->net);
    f->other = loop_port(&f->net);
    f->peer = f->peers;
    f->invoke = fuzz_invoke_body;
    f->result = fuzz_tail;
    how = fuzz_u8(&f->in);
    f->net.clock_ms = (how & 1) != 0 ? 0xFFFFFF00u : 5u;
    f->reads = (how & 2) == 0;
    f->config.checksum = (how & 4) != 0;
    f->config.serve_while_waiting = (uint8_t)(how >> 3 & 3) % 3;
    f->config.dead_ms = (how & 32) != 0 ? 300 : 0;
    f->net.more = (how & 64) != 0;
    f->config.port = &f->port;
    how = fuzz_u8(&f->in);
    buffers = least + how % (9 - least);
    bytes = sizes[how >> 6];
    f->net.chunk = how >> 4 & 3;
    step = sizeof(pyroi_buffer) + bytes + sizeof(void *) - 1;
    step -= step % sizeof(void *);
    f->memory[0] = calloc(FUZZ_LINKS + 1, sizeof(pyroi_link));
    f->memory[1] = calloc(1, buffers * step);
    f->memory[2] = objects = calloc(FUZZ_OBJECTS, sizeof *objects);
    FUZZ_CHECK(f->memory[0] && f->memory[1] && objects, "out of memory");
    FUZZ_CHECK(pyro_open(&f->node,
                         pyro_room_of(f->memory[0], FUZZ_LINKS + 1, objects,
                                      FUZZ_OBJECTS, f->memory[1], buffers,
                                      step, bytes, NULL, 0, PYRO_LAYOUT),
                         &f->config)
                   == PYRO_OK,
               "pyro_open failed");
}

/* The peers go, time passes: then nothing may be left of all that was. */
static inline void fuzz_end(struct fuzz *f)
{
    unsigned i;

    f->steps = 0;
    f->reads = 0;
    f->net.chunk = 0;
    f->net.block_send = f->net.block_recv = 0;
    f->net.more = true; /* a poll takes all that has come */
    for (i = 0; i < FUZZ_PEERS; i++) {
        f->peer = &f->peers[i];
        fuzz_hang_up(f, 0);
    }
    for (i = 0; i < 12; i++) {
        loop_advance(&f->net, 4000);
        fuzz_poll(f, 0);
    }
    FUZZ_CHECK(f->node.n_[PYROI_SPARE] == f->node.room_.n_buffers,
               "buffers are not back though everybody has gone");
    FUZZ_CHECK(f->node.depth_ == 0 && f->node.waits_ == 0,
               "a handler or a wait has not ended");
    pyro_close(&f->node);
    for (i = 0; i < 3; i++)
        free(f->memory[i]);
    FUZZ_CHECK(f->net.misuse == 0, "a handle was used that was not open");
}

#endif /* FUZZ_H */
