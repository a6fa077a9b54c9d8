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
 * terminal. Needs LC_NUMERIC to be "C", as it is unless a program changes it.
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_JSON_H
#define PYRO_JSON_H

#include "../../pyro.h"

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

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------
 * Reading text
 * ------------------------------------------------------------------------ */

typedef struct pyroi_json {
    char        *at;
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

/* The value of a hex digit, or over 15. */
static unsigned pyroi_json_digit(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* The four digits of \u; false: they are not. */
static bool pyroi_json_unit(const char *at, uint32_t *unit)
{
    unsigned i;

    *unit = 0;
    for (i = 0; i < 4; i++) {
        unsigned digit = pyroi_json_digit(at[i]);

        if (digit > 15) return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

static size_t pyroi_json_utf8(char *to, uint32_t c)
{
    size_t   n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    size_t   i = n;
    uint32_t lead = n == 1 ? 0 : 0xF00u >> n & 0xFF;

    while (--i > 0) {
        to[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    to[0] = (char)(lead | c);
    return n;
}

/* A \u escape, j->at behind the u, and the other half when it is a pair. */
static bool pyroi_json_escaped(pyroi_json *j, char **to)
{
    uint32_t c;
    uint32_t low;

    if (!pyroi_json_unit(j->at, &c))
        return pyroi_json_wrong(j, "\\u wants four hex digits");
    j->at += 4;
    if (c >= 0xD800 && c < 0xE000) {
        if (c >= 0xDC00 || j->at[0] != '\\' || j->at[1] != 'u'
            || !pyroi_json_unit(j->at + 2, &low) || low < 0xDC00
            || low >= 0xE000)
            return pyroi_json_wrong(j, "half of a surrogate pair");
        j->at += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *to += pyroi_json_utf8(*to, c);
    return true;
}

/* Unescapes the string at j->at where it stands: it only gets shorter. */
static bool pyroi_json_string(pyroi_json *j, char **text, size_t *n)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    char             *to = j->at + 1;

    *text = to;
    *n = 0;
    if (*j->at != '"')
        return pyroi_json_wrong(j, "a key in quotes is missing");
    for (j->at++; *j->at != '"';) {
        const char *escape;

        if (*j->at == 0) return pyroi_json_wrong(j, "a string does not end");
        if ((unsigned char)*j->at < 0x20)
            return pyroi_json_wrong(j, "a control character in a string");
        if (*j->at != '\\') {
            *to++ = *j->at++;
        } else if (*++j->at == 'u') {
            j->at++;
            if (!pyroi_json_escaped(j, &to)) return false;
        } else if (*j->at != 0 && (escape = strchr(escapes, *j->at)) != NULL) {
            *to++ = meant[escape - escapes];
            j->at++;
        } else {
            return pyroi_json_wrong(j, "no such escape");
        }
    }
    j->at++;
    *n = (size_t)(to - *text);
    return true;
}

/* The digits at j->at, at least one. */
static bool pyroi_json_digits(pyroi_json *j)
{
    size_t n = strspn(j->at, "0123456789");

    j->at += n;
    return n > 0 || pyroi_json_wrong(j, "a digit is missing");
}

static bool pyroi_json_integer(pyroi_json *j, const char *text, bool minus)
{
    uint64_t limit = minus ? (uint64_t)1 << 63 : UINT64_MAX;
    uint64_t v = 0;

    for (; text < j->at; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (v > (limit - digit) / 10)
            return pyroi_json_wrong(j, "an integer over 64 bits");
        v = 10 * v + digit;
    }
    if (!minus)
        pyro_put_uint(j->out, v);
    else
        pyro_put_int(j->out, v == 0 ? 0 : -1 - (int64_t)(v - 1));
    return true;
}

static bool pyroi_json_number(pyroi_json *j)
{
    const char *text = j->at;
    bool        minus = *text == '-';
    bool        whole = true;
    double      v;

    j->at += minus;
    if (*j->at == '0')
        j->at++;
    else if (!pyroi_json_digits(j))
        return false;
    if (*j->at == '.') {
        whole = false;
        j->at++;
        if (!pyroi_json_digits(j)) return false;
    }
    if (*j->at == 'e' || *j->at == 'E') {
        whole = false;
        j->at += j->at[1] == '+' || j->at[1] == '-' ? 2 : 1;
        if (!pyroi_json_digits(j)) return false;
    }
    if (whole) return pyroi_json_integer(j, text + minus, minus);
    v = strtod(text, NULL); /* which ends where the digits do */
    if (v > DBL_MAX || v < -DBL_MAX)
        return pyroi_json_wrong(j, "a float out of range");
    pyro_put_f64(j->out, v);
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
        unsigned high = pyroi_json_digit(text[i]);
        unsigned low = pyroi_json_digit(text[i + 1]);

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
    pyroi_json  j = { text, out, NULL, 0, { 0 } };
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

/* One byte of a string, or two: C0, DEL and C1 controls are escaped. Returns
 * how many. */
static uint32_t pyroi_json_char(pyroi_json_text *t, const char *p, uint32_t n)
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char       *at = *p != 0 ? strchr(named, *p) : NULL;
    uint8_t           c = (uint8_t)*p;
    char              text[8];

    if (at != NULL) {
        text[0] = '\\';
        text[1] = names[at - named];
        pyroi_json_out(t, text, 2);
    } else if (c < 0x20 || c == 0x7F) {
        snprintf(text, sizeof text, "\\u%04x", c);
        pyroi_json_say(t, text);
    } else if (c == 0xC2 && n > 1 && (uint8_t)p[1] < 0xA0) {
        snprintf(text, sizeof text, "\\u%04x", (uint8_t)p[1]);
        pyroi_json_say(t, text);
        return 2;
    } else {
        pyroi_json_out(t, p, 1);
    }
    return 1;
}

static void pyroi_json_str(pyroi_json_text *t, const char *before,
                           const char *text, uint32_t n)
{
    uint32_t i = 0;

    pyroi_json_say(t, before);
    while (i < n && !t->full) i += pyroi_json_char(t, text + i, n - i);
    pyroi_json_say(t, "\"");
}

/* The shortest decimal that is read as the same float, marked as a float. */
static void pyroi_json_float(pyroi_json_text *t, double v, bool narrow)
{
    char text[40];
    int  digits = 0;
    bool same;

    if (!(v <= DBL_MAX && v >= -DBL_MAX)) {
        pyroi_json_say(t, v > 0   ? "{\"$float\":\"inf\"}"
                          : v < 0 ? "{\"$float\":\"-inf\"}"
                                  : "{\"$float\":\"nan\"}");
        return;
    }
    do {
        snprintf(text, sizeof text, "%.*g", ++digits, v);
        same = narrow ? strtof(text, NULL) >= (float)v
                            && strtof(text, NULL) <= (float)v
                      : strtod(text, NULL) >= v && strtod(text, NULL) <= v;
    } while (!same && digits < 17);
    pyroi_json_say(t, text);
    if (strpbrk(text, ".e") == NULL) pyroi_json_say(t, ".0");
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
    char        text[24];
    const void *data;

    if (type == PYRO_NIL) {
        pyroi_json_say(t, "null");
    } else if (type == PYRO_BOOL) {
        pyroi_json_say(t, pyro_get_bool(in) ? "true" : "false");
    } else if (type == PYRO_INT) {
        snprintf(text, sizeof text, "%lld", (long long)pyro_get_i64(in));
        pyroi_json_say(t, text);
    } else if (type == PYRO_UINT) {
        snprintf(text, sizeof text, "%llu",
                 (unsigned long long)pyro_get_u64(in));
        pyroi_json_say(t, text);
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
