/* json.h - values of pyro.h as JSON text, and back
 *
 * For hosted programs; on the public writer and reader of pyro.h. In the one
 * C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "pyro.h"
 *     #include "json.h"
 *
 * and wherever it is used. Text that was printed here gives the same value
 * again, except that floats of 32 bits become floats of 64.
 *
 *   JSON             value
 *   null true 1 "a"  nil, bool, integer of 64 bits, str
 *   1.0  1e3         float of 64 bits: what has a point or an exponent
 *   [ ] { }          list, map
 *   and what JSON has no words for, as maps with one key:
 *   {"$bytes":"00ff"}    bytes
 *   {"$float":"nan"}     floats that are no numbers: nan, inf, -inf
 *   {"$raw":"d40102"}    one value as it is encoded, in MessagePack: ext,
 *                        maps with keys that are no text
 *   {"$$bytes":1}        a map with the one key "$bytes": in maps with one
 *                        key that begins with '$' it has one more
 *
 * Strict (RFC 8259): no comments, no commas too many, no leading zeros, no
 * half of a surrogate pair, text in UTF-8, at most PYRO_MAX_DEPTH deep. An
 * integer over 64 bits or a float out of range is an error, never rounded to
 * something else. Floats are printed as the shortest text that is read as the
 * same float; those of 32 bits as what gives the same 32 bits, so that 0.1 is
 * "0.1". Control characters are always escaped: printed text cannot harm a
 * terminal. Numbers and strings are those of text.h, which is included.
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_JSON_H
#define PYRO_JSON_H

#include "../../pyro.h"
#include "text.h"
#ifdef PYRO_TEXT_NO_FLOAT
#error "json.h needs the floats of text.h"
#endif

/* What is wrong with a text, and at which byte of it. */
typedef struct pyro_json_why {
    const char *text;
    size_t      at;
} pyro_json_why;

/* Puts the one value that a zero-terminated text is. The text is written
 * over: strings are unescaped where they stand. PYRO_ERR_DATA: it is no JSON;
 * PYRO_ERR_NOSPACE: the writer is full; PYRO_ERR_STATE: it waits for no value.
 * After an error the writer is as it was, and *why (when asked for) set. */
pyro_err pyro_json_put(pyro_writer *out, char *text, pyro_json_why *why);

/* Prints the next value into `to`, with a zero byte. After an error *in is as
 * it was: PYRO_ERR_NOSPACE when `size` bytes are too few, PYRO_JSON_BYTES of
 * the encoded value always do; or the reader's error. */
pyro_err pyro_json_get(pyro_reader *in, char *to, size_t size);

/* Room for n encoded bytes as text: the worst is an empty {"$bytes":""}. */
#define PYRO_JSON_BYTES(n) (8 * (n) + 1)

#endif /* PYRO_JSON_H */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_JSON_IMPLEMENTED)
#define PYRO_JSON_IMPLEMENTED

#include <string.h>

/* ------------------------------------------------------------------------
 * Reading text
 * ------------------------------------------------------------------------ */

typedef struct pyroi_json {
    char        *at;
    char        *end;
    pyro_writer *out;
    const char  *wrong; /* what is; NULL: nothing yet */
    unsigned     depth;
    char close[PYRO_MAX_DEPTH]; /* of the lists and maps that are open */
} pyroi_json;

/* Keeps the first thing that is wrong. Returns false. */
static bool pyroi_json_wrong(pyroi_json *j, const char *text)
{
    if (j->wrong == NULL) j->wrong = text;
    return false;
}

static char pyroi_json_blanks(pyroi_json *j)
{
    j->at += strspn(j->at, " \t\r\n");
    return *j->at;
}

/* An escape, j->at behind its backslash; its text goes to *to. */
static bool pyroi_json_escaped(pyroi_json *j, char **to)
{
    const char *at = j->at;
    uint32_t    c;
    const char *wrong = pyroi_text_escape(&at, j->end, PYRO_TEXT_JSON, &c);

    j->at += at - j->at;
    if (wrong != NULL) return pyroi_json_wrong(j, wrong);
    *to += pyroi_text_utf8(c, *to);
    return true;
}

/* Unescapes the string at j->at where it stands: it only gets shorter. */
static bool pyroi_json_string(pyroi_json *j, char **text, size_t *n)
{
    char *to = j->at + 1;

    *text = to;
    *n = 0;
    if (*j->at != '"')
        return pyroi_json_wrong(j, "a key in quotes is missing");
    for (j->at++; *j->at != '"';) {
        if (*j->at == 0) return pyroi_json_wrong(j, "a string does not end");
        if ((unsigned char)*j->at < 0x20)
            return pyroi_json_wrong(j, "a control character in a string");
        if (*j->at != '\\')
            *to++ = *j->at++;
        else if (j->at++, !pyroi_json_escaped(j, &to))
            return false;
    }
    j->at++;
    *n = (size_t)(to - *text);
    return true;
}

static bool pyroi_json_number(pyroi_json *j)
{
    const char    *at = j->at;
    pyroi_text_num num;
    const char *wrong = pyroi_text_number(&at, j->end, PYRO_TEXT_JSON, &num);

    j->at += at - j->at;
    if (wrong != NULL) return pyroi_json_wrong(j, wrong);
    pyroi_text_put_num(j->out, &num);
    return true;
}

/* Takes a word if it stands there. */
static bool pyroi_json_word(pyroi_json *j, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(j->at, word, n) != 0) return false;
    j->at += n;
    return true;
}

static bool pyroi_json_scalar(pyroi_json *j)
{
    char  *text;
    size_t n;

    if (*j->at == '"') {
        if (!pyroi_json_string(j, &text, &n)) return false;
        pyro_put_strn(j->out, text, n);
        if (j->out->err == PYRO_ERR_DATA)
            return pyroi_json_wrong(j, "a string that is not UTF-8");
        return true;
    }
    if (*j->at == '-' || (*j->at >= '0' && *j->at <= '9'))
        return pyroi_json_number(j);
    if (pyroi_json_word(j, "null"))
        pyro_put_nil(j->out);
    else if (pyroi_json_word(j, "true"))
        pyro_put_bool(j->out, true);
    else if (pyroi_json_word(j, "false"))
        pyro_put_bool(j->out, false);
    else
        return pyroi_json_wrong(j, "a value is missing");
    return true;
}

/* Bytes from hex digits, where they stand. */
static bool pyroi_json_hex(pyroi_json *j, char *text, size_t *n)
{
    size_t i;

    for (i = 0; i + 1 < *n; i += 2) {
        unsigned high = pyroi_text_digit(text[i]);
        unsigned low = pyroi_text_digit(text[i + 1]);

        if (high > 15 || low > 15) break;
        text[i / 2] = (char)(high << 4 | low);
    }
    if (i != *n) return pyroi_json_wrong(j, "not pairs of hex digits");
    *n = i / 2;
    return true;
}

static bool pyroi_json_is(const char *text, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(text, word, n) == 0;
}

static bool pyroi_json_no_number(pyroi_json *j, const char *text, size_t n)
{
    static const struct {
        const char *text;
        uint8_t     code[9];
    } floats[] = { { "nan", { 0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0 } },
                   { "inf", { 0xCB, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0 } },
                   { "-inf", { 0xCB, 0xFF, 0xF0, 0, 0, 0, 0, 0, 0 } } };
    size_t i;

    for (i = 0; i < 3; i++) {
        if (pyroi_json_is(text, n, floats[i].text)) {
            pyro_put_raw(j->out, floats[i].code, 9);
            return true;
        }
    }
    return pyroi_json_wrong(j, "$float wants nan, inf or -inf");
}

/* The map of one key that stands for something else, j->at behind the key. */
static bool pyroi_json_special(pyroi_json *j, const char *key, size_t key_n)
{
    char  *text;
    size_t n;

    if (pyroi_json_blanks(j) != ':')
        return pyroi_json_wrong(j, "a colon is missing");
    j->at++;
    if (pyroi_json_blanks(j) != '"')
        return pyroi_json_wrong(j, "a key with $ wants a string");
    if (!pyroi_json_string(j, &text, &n)) return false;
    if (pyroi_json_blanks(j) != '}')
        return pyroi_json_wrong(j, "a } is missing");
    j->at++;
    if (pyroi_json_is(key, key_n, "$float"))
        return pyroi_json_no_number(j, text, n);
    if (!pyroi_json_is(key, key_n, "$bytes")
        && !pyroi_json_is(key, key_n, "$raw"))
        return pyroi_json_wrong(j, "a key with $ wants to be $bytes, $float, "
                                   "$raw or to begin with $$");
    if (!pyroi_json_hex(j, text, &n)) return false;
    if (key[1] == 'b')
        pyro_put_bin(j->out, text, n);
    else
        pyro_put_raw(j->out, text, n);
    if (j->out->err == PYRO_ERR_DATA)
        return pyroi_json_wrong(j, "$raw is not one value");
    return true;
}

/* The number of entries of the list or map that begins at j->at, going by its
 * commas: right if it is in order. */
static uint32_t pyroi_json_count(const char *at)
{
    uint32_t n = 1;
    unsigned depth = 1;

    at += 1 + strspn(at + 1, " \t\r\n");
    if (*at == ']' || *at == '}') return 0;
    for (; *at != 0 && depth > 0; at++) {
        if (*at == '[' || *at == '{') {
            depth++;
        } else if (*at == ']' || *at == '}') {
            depth--;
        } else if (*at == ',') {
            n += depth == 1;
        } else if (*at == '"') {
            for (at++; *at != 0 && *at != '"'; at++)
                at += *at == '\\' && at[1] != 0;
            if (*at == 0) break;
        }
    }
    return n;
}

/* A key that has been read, and its colon. */
static bool pyroi_json_key(pyroi_json *j, const char *key, size_t n)
{
    pyro_put_strn(j->out, key, n);
    if (j->out->err == PYRO_ERR_DATA)
        return pyroi_json_wrong(j, "a key that is not UTF-8");
    if (pyroi_json_blanks(j) != ':')
        return pyroi_json_wrong(j, "a colon is missing");
    j->at++;
    return true;
}

static bool pyroi_json_open(pyroi_json *j, char close)
{
    if (j->depth == PYRO_MAX_DEPTH)
        return pyroi_json_wrong(j, "deeper than PYRO_MAX_DEPTH");
    j->close[j->depth++] = close;
    return true;
}

/* Opens the map at j->at, and takes its first key, if there is one. */
static bool pyroi_json_map(pyroi_json *j, uint32_t count)
{
    char  *key;
    size_t n;

    j->at++;
    if (count > 0) {
        (void)pyroi_json_blanks(j);
        if (!pyroi_json_string(j, &key, &n)) return false;
        if (count == 1 && n > 0 && *key == '$') {
            if (n == 1 || key[1] != '$') return pyroi_json_special(j, key, n);
            key++;
            n--;
        }
    }
    if (!pyroi_json_open(j, '}')) return false;
    pyro_put_map(j->out, count);
    return count == 0 || pyroi_json_key(j, key, n);
}

/* One value, or the beginning of a list or map with entries. */
static bool pyroi_json_value(pyroi_json *j, bool *begun)
{
    char     c = pyroi_json_blanks(j);
    unsigned depth = j->depth;
    uint32_t count;

    *begun = false;
    if (c != '[' && c != '{') return pyroi_json_scalar(j);
    count = pyroi_json_count(j->at);
    if (c == '[') {
        j->at++;
        if (!pyroi_json_open(j, ']')) return false;
        pyro_put_list(j->out, count);
    } else if (!pyroi_json_map(j, count)) {
        return false;
    }
    *begun = count > 0 && j->depth > depth;
    return true;
}

/* What follows a value: ends lists and maps, and takes the next one's key.
 * *more: another value follows. */
static bool pyroi_json_after(pyroi_json *j, bool *more)
{
    char  *key;
    size_t n;

    for (*more = false; j->depth > 0; j->depth--) {
        char close = j->close[j->depth - 1];

        if (pyroi_json_blanks(j) == ',') {
            j->at++;
            *more = true;
            (void)pyroi_json_blanks(j);
            return close == ']'
                || (pyroi_json_string(j, &key, &n)
                    && pyroi_json_key(j, key, n));
        }
        if (*j->at != close)
            return pyroi_json_wrong(j, close == ']' ? "a , or ] is missing"
                                                    : "a , or } is missing");
        j->at++;
    }
    return pyroi_json_blanks(j) == 0
        || pyroi_json_wrong(j, "something follows the value");
}

pyro_err pyro_json_put(pyro_writer *out, char *text, pyro_json_why *why)
{
    pyroi_json  j = { text, text + strlen(text), out, NULL, 0, { 0 } };
    pyro_writer before = *out;
    bool        more = true;
    pyro_err    err;

    while (more && out->err == PYRO_OK && pyroi_json_value(&j, &more)
           && out->err == PYRO_OK)
        if (!more && !pyroi_json_after(&j, &more)) break;
    err = j.wrong != NULL ? PYRO_ERR_DATA : (pyro_err)out->err;
    if (err == PYRO_OK) return err;
    if (why != NULL) {
        why->text = j.wrong != NULL ? j.wrong : pyro_err_text(err);
        why->at = (size_t)(j.at - text);
    }
    *out = before;
    return err;
}

/* ------------------------------------------------------------------------
 * Printing
 * ------------------------------------------------------------------------ */

typedef struct pyroi_json_text {
    char    *to;
    size_t   size;
    size_t   n;
    bool     full;
    unsigned depth;
    struct {
        uint32_t left; /* entries still to print */
        char     close;
    } open[PYRO_MAX_DEPTH];
} pyroi_json_text;

static void pyroi_json_out(pyroi_json_text *t, const char *text, size_t n)
{
    if (t->full || n >= t->size - t->n) {
        t->full = true;
        return;
    }
    memcpy(t->to + t->n, text, n);
    t->n += n;
}

static void pyroi_json_say(pyroi_json_text *t, const char *text)
{
    pyroi_json_out(t, text, strlen(text));
}

static void pyroi_json_hex_out(pyroi_json_text *t, const char *key,
                               const void *data, uint32_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t    *p = (const uint8_t *)data;
    uint32_t          i;

    pyroi_json_say(t, "{\"");
    pyroi_json_say(t, key);
    pyroi_json_say(t, "\":\"");
    for (i = 0; i < n; i++) {
        pyroi_json_out(t, &digits[p[i] >> 4], 1);
        pyroi_json_out(t, &digits[p[i] & 15], 1);
    }
    pyroi_json_say(t, "\"}");
}

static void pyroi_json_str(pyroi_json_text *t, const char *before,
                           const char *text, uint32_t n)
{
    char     c[7];
    uint32_t i = 0;

    pyroi_json_say(t, before);
    while (i < n && !t->full) {
        i += pyroi_text_char(text + i, n - i, c);
        pyroi_json_say(t, c);
    }
    pyroi_json_say(t, "\"");
}

/* The shortest text of a float of 32 bits, which is positive: what gives the
 * same 32 bits. */
static uint32_t pyroi_json_narrow(uint64_t bits, double v, char *text)
{
    pyroi_big b;
    unsigned  n = 0;
    double    again;
    uint32_t  size;

    pyroi_big_of(&b, bits);
    do {
        size = pyroi_big_print(&b, ++n, text);
        (void)pyroi_text_float(text, text + size, &bits);
        memcpy(&again, &bits, sizeof again);
    } while (n < 17 && ((float)again < (float)v || (float)again > (float)v));
    return size;
}

static void pyroi_json_float(pyroi_json_text *t, double v, bool narrow)
{
    char     text[PYROI_TEXT_FLOAT];
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    if ((bits >> 52 & 0x7FF) == 0x7FF) {
        pyroi_json_say(t, v > 0   ? "{\"$float\":\"inf\"}"
                          : v < 0 ? "{\"$float\":\"-inf\"}"
                                  : "{\"$float\":\"nan\"}");
    } else if (narrow && (v < 0 || v > 0)) {
        if (v < 0) pyroi_json_say(t, "-");
        bits &= ~((uint64_t)1 << 63);
        pyroi_json_out(t, text, pyroi_json_narrow(bits, v < 0 ? -v : v, text));
    } else {
        pyroi_json_out(t, text, pyroi_text_print_float(bits, text));
    }
}

/* Whether JSON can have the keys of a map: n keys with their values. */
static bool pyroi_json_keys(pyro_reader in, uint32_t n)
{
    for (; n > 0 && pyro_peek(&in) == PYRO_STR; n--) {
        pyro_skip(&in);
        pyro_skip(&in);
    }
    return n == 0;
}

/* Prints a value of one piece; the bytes from `raw` on are it. */
static void pyroi_json_piece(pyroi_json_text *t, pyro_reader *in,
                             pyro_type type, const void *raw, uint32_t n)
{
    char        text[PYROI_TEXT_INT];
    const void *data;
    int64_t     v;

    if (type == PYRO_NIL) {
        pyroi_json_say(t, "null");
    } else if (type == PYRO_BOOL) {
        pyroi_json_say(t, pyro_get_bool(in) ? "true" : "false");
    } else if (type == PYRO_INT) {
        v = pyro_get_i64(in);
        pyroi_json_out(t, text,
                       pyroi_text_print_int((uint64_t)v, v < 0, text));
    } else if (type == PYRO_UINT) {
        pyroi_json_out(t, text,
                       pyroi_text_print_int(pyro_get_u64(in), false, text));
    } else if (type == PYRO_FLOAT) {
        pyroi_json_float(t, pyro_get_f64(in), *(const uint8_t *)raw == 0xCA);
    } else if (type == PYRO_STR) {
        data = pyro_get_str(in, &n);
        pyroi_json_str(t, "\"", (const char *)data, n);
    } else if (type == PYRO_BIN) {
        data = pyro_get_bin(in, &n);
        pyroi_json_hex_out(t, "$bytes", data, n);
    } else {
        pyroi_json_hex_out(t, "$raw", raw, n);
    }
}

/* The next value, or the beginning of a list or map. */
static void pyroi_json_print(pyroi_json_text *t, pyro_reader *in)
{
    pyro_type   type = pyro_peek(in);
    pyro_reader piece = *in;
    pyro_reader inside = *in;
    uint32_t    n;
    uint32_t    raw_n;
    const void *raw = pyro_get_raw(in, &raw_n);

    if (type == PYRO_LIST)
        n = pyro_get_list(&inside, UINT32_MAX);
    else if (type == PYRO_MAP)
        n = pyro_get_map(&inside, UINT32_MAX);
    if ((type != PYRO_LIST && type != PYRO_MAP)
        || (type == PYRO_MAP && !pyroi_json_keys(inside, n))
        || t->depth == PYRO_MAX_DEPTH) {
        pyroi_json_piece(t, &piece, type, raw, raw_n);
        return;
    }
    *in = inside;
    pyroi_json_say(t, type == PYRO_LIST ? "[" : "{");
    t->open[t->depth].left = n;
    t->open[t->depth++].close = type == PYRO_LIST ? ']' : '}';
    if (type == PYRO_MAP && n == 1)
        t->open[t->depth - 1].close = '$'; /* its key may need another $ */
}

/* What stands before the next value: ends of lists and maps, a comma, a key.
 * False: nothing comes any more. */
static bool pyroi_json_before(pyroi_json_text *t, pyro_reader *in, bool first)
{
    const char *key;
    uint32_t    n;

    while (t->depth > 0 && t->open[t->depth - 1].left == 0) {
        pyroi_json_say(t, t->open[--t->depth].close == ']' ? "]" : "}");
        first = false;
    }
    if (t->depth == 0) return false;
    t->open[t->depth - 1].left--;
    if (!first) pyroi_json_say(t, ",");
    if (t->open[t->depth - 1].close == ']') return true;
    key = pyro_get_str(in, &n);
    pyroi_json_str(t,
                   t->open[t->depth - 1].close == '$' && n > 0 && *key == '$'
                       ? "\"$"
                       : "\"",
                   key, n);
    pyroi_json_say(t, ":");
    return true;
}

pyro_err pyro_json_get(pyro_reader *in, char *to, size_t size)
{
    pyroi_json_text t = { to, size, 0, size == 0, 0, { { 0, 0 } } };
    pyro_reader     look = *in;
    unsigned        depth;

    pyro_skip(&look); /* all of it: from here on nothing can be wrong */
    if (look.err != PYRO_OK) return (pyro_err)look.err;
    look = *in;
    do {
        depth = t.depth;
        pyroi_json_print(&t, &look);
    } while (!t.full && pyroi_json_before(&t, &look, t.depth > depth));
    if (t.full) return PYRO_ERR_NOSPACE;
    to[t.n] = 0;
    *in = look;
    return PYRO_OK;
}

#endif /* PYRO_JSON_IMPLEMENTED */
