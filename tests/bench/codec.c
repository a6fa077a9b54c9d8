/* codec.c: the library's streams against msgpack-c, which is what most C
 * programs use for the same bytes.
 * Usage: codec encode|decode TURNS
 *
 * One message, of a kind that programs send: an int, a double, a string of 16
 * bytes, 64 bytes of data, a list of 8 ints and a map of 4. Encoding goes from
 * a struct into memory that is used again: for msgpack-c a sbuffer that has
 * grown already, its packer inlined here. Decoding goes from bytes into a
 * struct, with texts and data as views: for msgpack-c into a zone that is
 * cleared and used again, which spares it the malloc of each message, and from
 * its tree into the struct. Here every text is checked to be UTF-8, and every
 * type and count; there only the types, as a careful program would.
 * Both are compiled with -O2 in one process and take turns of a millisecond,
 * of its own processor time, so that what else the machine does hits both.
 * Before anything is measured their bytes must be the same, and what they
 * decode too.
 * Prints messages per second of msgpack-c, and of the library. */

#define _POSIX_C_SOURCE 200809L
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

#include "message.h"

enum { BATCH = 1000 };

static msgpack_sbuffer theirs;
static msgpack_zone    zone;

/* Tells the compiler that p's target is read and written by somebody else, so
 * that no round can be left out or done once for all. */
static void touch(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void encode_theirs(message *m)
{
    msgpack_packer p;
    unsigned       i;

    msgpack_sbuffer_clear(&theirs);
    msgpack_packer_init(&p, &theirs, msgpack_sbuffer_write);
    msgpack_pack_array(&p, 6);
    msgpack_pack_int64(&p, m->number);
    msgpack_pack_double(&p, m->real);
    msgpack_pack_str(&p, m->text_n);
    msgpack_pack_str_body(&p, m->text, m->text_n);
    msgpack_pack_bin(&p, m->data_n);
    msgpack_pack_bin_body(&p, m->data, m->data_n);
    msgpack_pack_array(&p, INTS);
    for (i = 0; i < INTS; i++)
        msgpack_pack_int64(&p, m->ints[i]);
    msgpack_pack_map(&p, ENTRIES);
    for (i = 0; i < ENTRIES; i++) {
        msgpack_pack_str(&p, m->key_n[i]);
        msgpack_pack_str_body(&p, m->keys[i], m->key_n[i]);
        msgpack_pack_int64(&p, m->values[i]);
    }
}

static const msgpack_object *is(const msgpack_object *o,
                                msgpack_object_type   type)
{
    need(o->type == type, "decode");
    return o;
}

static int64_t int_of(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return (int64_t)o->via.u64;
    return is(o, MSGPACK_OBJECT_NEGATIVE_INTEGER)->via.i64;
}

static const char *text_of(const msgpack_object *o, uint32_t *n)
{
    const msgpack_object_str *s = &is(o, MSGPACK_OBJECT_STR)->via.str;

    *n = s->size;
    return s->ptr;
}

static void decode_theirs(message *m)
{
    msgpack_object              root;
    const msgpack_object       *o;
    const msgpack_object_array *list;
    const msgpack_object_map   *map;
    const msgpack_object_bin   *bin;
    size_t                      at = 0;
    uint32_t                    i;

    msgpack_zone_clear(&zone);
    need(msgpack_unpack((const char *)mine, mine_n, &at, &zone, &root)
             == MSGPACK_UNPACK_SUCCESS,
         "decode");
    need(is(&root, MSGPACK_OBJECT_ARRAY)->via.array.size == 6, "decode");
    o = root.via.array.ptr;
    m->number = int_of(&o[0]);
    m->real = is(&o[1], MSGPACK_OBJECT_FLOAT64)->via.f64;
    m->text = text_of(&o[2], &m->text_n);
    bin = &is(&o[3], MSGPACK_OBJECT_BIN)->via.bin;
    m->data = bin->ptr;
    m->data_n = bin->size;
    list = &is(&o[4], MSGPACK_OBJECT_ARRAY)->via.array;
    for (i = 0; i < list->size && i < INTS; i++)
        m->ints[i] = int_of(&list->ptr[i]);
    map = &is(&o[5], MSGPACK_OBJECT_MAP)->via.map;
    for (i = 0; i < map->size && i < ENTRIES; i++) {
        m->keys[i] = text_of(&map->ptr[i].key, &m->key_n[i]);
        m->values[i] = int_of(&map->ptr[i].val);
    }
}

static bool same_text(const char *a, uint32_t n, const char *b, uint32_t m)
{
    return n == m && memcmp(a, b, n) == 0;
}

static bool same(const message *a, const message *b)
{
    unsigned i;
    bool     ok = a->number == b->number
           && memcmp(&a->real, &b->real, sizeof a->real) == 0
           && same_text(a->text, a->text_n, b->text, b->text_n)
           && same_text(a->data, a->data_n, b->data, b->data_n)
           && memcmp(a->ints, b->ints, sizeof a->ints) == 0
           && memcmp(a->values, b->values, sizeof a->values) == 0;

    for (i = 0; i < ENTRIES; i++)
        ok = ok && same_text(a->keys[i], a->key_n[i], b->keys[i], b->key_n[i]);
    return ok;
}

static void compare(void)
{
    encode_mine(&sent);
    encode_theirs(&sent);
    need(theirs.size == mine_n && memcmp(theirs.data, mine, mine_n) == 0,
         "the two encode differently");
    memset(&got, 0, sizeof got);
    decode_mine(&got);
    need(same(&got, &sent), "the library decodes something else");
    memset(&got, 0, sizeof got);
    decode_theirs(&got);
    need(same(&got, &sent), "msgpack-c decodes something else");
}

static double seconds(void) /* of this process alone */
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef void work(message *m);

/* What one side has done so far. */
typedef struct side {
    work       *fn;
    message    *m;
    const void *out;
    double      n;
    double      time;
} side;

/* Works for a millisecond. */
static void turn(side *s)
{
    double begin = seconds(), now = begin;
    int    i;

    for (; now < begin + 0.001; now = seconds()) {
        for (i = 0; i < BATCH; i++) {
            touch(s->m);
            s->fn(s->m);
            touch(s->out);
        }
        s->n += BATCH;
    }
    s->time += now - begin;
}

static void run(side a, side b, long turns)
{
    while (turns-- > 0) {
        turn(&a);
        turn(&b);
    }
    printf("%.0f %.0f\n", a.n / a.time, b.n / b.time);
}

int main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";
    long        turns = argc == 3 ? atol(argv[2]) : 0;
    bool        encode = strcmp(mode, "encode") == 0;

    if ((!encode && strcmp(mode, "decode") != 0) || turns <= 0) {
        fprintf(stderr, "usage: codec encode|decode TURNS\n");
        return 2;
    }
    msgpack_sbuffer_init(&theirs);
    need(msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE), "no memory");
    compare();
    if (encode)
        run((side){ encode_theirs, &sent, theirs.data, 0, 0 },
            (side){ encode_mine, &sent, mine, 0, 0 }, turns);
    else
        run((side){ decode_theirs, &got, &got, 0, 0 },
            (side){ decode_mine, &got, &got, 0, 0 }, turns);
    compare();
    msgpack_zone_destroy(&zone);
    msgpack_sbuffer_destroy(&theirs);
    return 0;
}
