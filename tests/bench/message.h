/* message.h - the message that encoding and decoding are measured with, of a
 * kind that programs send: an int, a double, a string of 16 bytes, 64 bytes of
 * data, a list of 8 ints and a map of 4. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdio.h>
#include <stdlib.h>

enum { TEXT = 16, DATA = 64, INTS = 8, ENTRIES = 4 };

/* A message as a program has it, both before and after. */
typedef struct message {
    int64_t     number;
    double      real;
    const char *text;
    const char *data;
    int64_t     ints[INTS];
    const char *keys[ENTRIES];
    int64_t     values[ENTRIES];
    uint32_t    text_n;
    uint32_t    data_n;
    uint32_t    key_n[ENTRIES];
} message;

static message
    sent = { /* not const: nothing of it is known beforehand */
             123456,
             21.625,
             "lab 3, oven left",
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
             { 0, 7, 130, 1000, 70000, -5, -300, 123456789 },
             { "x", "y", "width", "count" },
             { 12, -7, 640, 100000 },
             TEXT,
             DATA,
             { 1, 1, 5, 5 }
    };

static uint8_t mine[512];
static size_t  mine_n;
static message got;

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "codec: %s\n", what);
    exit(1);
}

static void encode_mine(message *m)
{
    pyro_writer w = pyro_writer_of(mine, sizeof mine, 1);
    unsigned    i;

    pyro_put_list(&w, 6);
    pyro_put_int(&w, m->number);
    pyro_put_f64(&w, m->real);
    pyro_put_strn(&w, m->text, m->text_n);
    pyro_put_bin(&w, m->data, m->data_n);
    pyro_put_list(&w, INTS);
    for (i = 0; i < INTS; i++)
        pyro_put_int(&w, m->ints[i]);
    pyro_put_map(&w, ENTRIES);
    for (i = 0; i < ENTRIES; i++) {
        pyro_put_strn(&w, m->keys[i], m->key_n[i]);
        pyro_put_int(&w, m->values[i]);
    }
    need(pyro_writer_end(&w) == PYRO_OK, "encode");
    mine_n = (size_t)(w.at - mine);
}

static void decode_mine(message *m)
{
    pyro_reader in = pyro_reader_of(mine, mine_n);
    uint32_t    i, n;

    need(pyro_get_list(&in, 6) == 6, "decode");
    m->number = pyro_get_i64(&in);
    m->real = pyro_get_f64(&in);
    m->text = pyro_get_str(&in, &m->text_n);
    m->data = pyro_get_bin(&in, &m->data_n);
    n = pyro_get_list(&in, INTS);
    for (i = 0; i < n; i++)
        m->ints[i] = pyro_get_i64(&in);
    n = pyro_get_map(&in, ENTRIES);
    for (i = 0; i < n; i++) {
        m->keys[i] = pyro_get_str(&in, &m->key_n[i]);
        m->values[i] = pyro_get_i64(&in);
    }
    need(in.err == PYRO_OK && !pyro_more(&in), "decode");
}

#endif /* MESSAGE_H */
