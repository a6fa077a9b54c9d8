/* text.h - serpent and JSON, for peers that speak Pyro5 or Pyro4
 *
 * With it a program in Python calls a daemon of ours, and is called by it,
 * without any setting and without a package but Pyro5 or Pyro4 itself. In the
 * one C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "pyro.h"
 *     #include "text.h"
 *
 * and in the config of the daemon:
 *
 *     static const pyro_codec *const codecs[] = { &pyro_codec_serpent,
 *                                                 &pyro_codec_json, NULL };
 *
 * WHAT BECOMES WHAT
 *   value     serpent                              JSON
 *   nil       None                                 null
 *   bool      True False                           true false
 *   integer   5, of 64 bits                        5
 *   float     0.5 1e-07 1e30000 (infinity)         0.5 Infinity NaN
 *             {'__class__':'float','value':'nan'}
 *   str       "a" 'a', with Python's escapes       "a"
 *   bytes     {'data':'AP8=','encoding':'base64'}  none: refused
 *             b'a' is read as well
 *   list      [1] (1,) {1}, printed as [1]         [1]
 *   map       {"a":1}                              {"a":1}, keys that are no
 *                                                  str are printed as str
 *   A float of 32 bits is printed as the one of 64 bits with the same value.
 *   Refused: ext, lists and maps as keys, integers over 64 bits, complex
 *   numbers, JSON floats out of range. Strings must be UTF-8. At most
 *   PYRO_MAX_DEPTH deep. A map becomes bytes or nan only if it has just the
 *   two entries shown.
 *
 * FLOATS
 *   Read to the nearest float of 64 bits, halves to even, whatever number of
 *   digits there is; printed as the shortest of 15, 16 and 17 digits (fewer
 *   where the last are 0, and below 2.3e-308) that is read as the same float.
 *   All of it in integers: bits are moved and no floating point is linked.
 *   Costs about 700 bytes of stack. With PYRO_TEXT_NO_FLOAT floats are refused
 *   instead, for parts where that is too much.
 *
 * Works in memory of the caller, without a heap, recursion or the C library
 * but for mem* and strlen. SPDX-License-Identifier: MIT */
#ifndef PYRO_TEXT_H
#define PYRO_TEXT_H

#include "../../pyro.h"

typedef enum pyro_text { PYRO_TEXT_SERPENT, PYRO_TEXT_JSON } pyro_text;

/* For pyro_config.codecs. After an error of `decode` its memory `to` holds the
 * reason, with a zero byte. */
extern const pyro_codec pyro_codec_serpent;
extern const pyro_codec pyro_codec_json;

/* The one value that n bytes of text are, in MessagePack: returns its size. 0:
 * an error, *why (when asked for) says which, a static text. */
uint32_t pyro_text_read(pyro_text as, const void *text, uint32_t n, void *to,
                        uint32_t cap, const char **why);

/* The text, without a zero byte, of the one value that n bytes are. Returns
 * its length; 0 is an error as above. */
uint32_t pyro_text_print(pyro_text as, const void *value, uint32_t n, void *to,
                         uint32_t cap, const char **why);

#endif /* PYRO_TEXT_H */

/* ========================================================================
 * Implementation
 * ======================================================================== */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_TEXT_IMPLEMENTED)
#define PYRO_TEXT_IMPLEMENTED

#include <string.h>

/* ------------------------------------------------------------------------
 * >>floats. A number is a row of words of nine decimal digits with the point at
 * a fixed place: 36 words before it hold the largest float, 324 digits; 124
 * behind it every digit that a float, or the middle between two, can have,
 * which are 1075. What would stand further back is only known not to be zero:
 * it is less than one in the last place, and all that it is compared with is
 * a multiple of that.
 * ------------------------------------------------------------------------ */

#ifndef PYRO_TEXT_NO_FLOAT

enum { PYROI_TEXT_POINT = 36, PYROI_TEXT_WORDS = 160 };

#define PYROI_TEXT_BASE 1000000000u

/* Words before first and from end on are zero. */
typedef struct pyroi_big {
    uint32_t w[PYROI_TEXT_WORDS];
    unsigned first;
    unsigned end;
    bool     more; /* something that is not zero stands behind the last */
} pyroi_big;

/* What a one in digit `place`, counted from the left of all words, is worth
 * in its word. */
static uint32_t pyroi_big_unit(unsigned place)
{
    uint32_t unit = 1;

    for (place = 8 - place % 9; place > 0; place--) unit *= 10;
    return unit;
}

static void pyroi_big_trim(pyroi_big *b)
{
    while (b->first < b->end && b->w[b->first] == 0) b->first++;
    while (b->first < b->end && b->w[b->end - 1] == 0) b->end--;
}

/* Times 2^k, k up to 29: a word times that, and a carry, fits 64 bits. */
static void pyroi_big_up(pyroi_big *b, unsigned k)
{
    uint64_t carry = 0;
    unsigned i;

    for (i = b->end; i > b->first; i--) {
        carry += (uint64_t)b->w[i - 1] << k;
        b->w[i - 1] = (uint32_t)(carry % PYROI_TEXT_BASE);
        carry /= PYROI_TEXT_BASE;
    }
    if (carry > 0) b->w[--b->first] = (uint32_t)carry;
    pyroi_big_trim(b);
}

/* By 2^k, k up to 29. */
static void pyroi_big_down(pyroi_big *b, unsigned k)
{
    uint64_t rest = 0;
    unsigned i;

    for (i = b->first; i < b->end || (rest > 0 && i < PYROI_TEXT_WORDS); i++) {
        rest = rest * PYROI_TEXT_BASE + b->w[i];
        b->w[i] = (uint32_t)(rest >> k);
        rest &= ((uint32_t)1 << k) - 1;
    }
    b->end = i;
    if (rest > 0) b->more = true;
    pyroi_big_trim(b);
}

/* The integer part of one that is less than 10^18. */
static uint64_t pyroi_big_whole(const pyroi_big *b)
{
    return (uint64_t)b->w[PYROI_TEXT_POINT - 2] * PYROI_TEXT_BASE
         + b->w[PYROI_TEXT_POINT - 1];
}

static unsigned pyroi_text_bits(uint64_t v)
{
    unsigned n = 0;

    for (; v > 0; v >>= 1) n++;
    return n;
}

/* Makes b a whole number of 55 bits or more, and less than 10^18, times 2^e;
 * returns e, at least -1076: two bits below the smallest float. */
static int pyroi_big_scale(pyroi_big *b)
{
    int      e = 0;
    unsigned k;
    unsigned n;

    for (; b->first < PYROI_TEXT_POINT - 2; e += 29) pyroi_big_down(b, 29);
    while ((n = pyroi_text_bits(pyroi_big_whole(b))) < 55 && e > -1076) {
        k = n > 26 ? 55 - n : 29;
        if ((int)k > e + 1076) k = (unsigned)(e + 1076);
        pyroi_big_up(b, k);
        e -= (int)k;
    }
    return e;
}

/* The float nearest to b, which is not zero, as its bits; one too large comes
 * out as infinity or more. */
static uint64_t pyroi_big_round(pyroi_big *b)
{
    int      e = pyroi_big_scale(b);
    uint64_t whole = pyroi_big_whole(b);
    unsigned n = pyroi_text_bits(whole);
    unsigned cut = n > 53 ? n - 53 : 0;
    uint64_t half;
    uint64_t rest;

    if ((int)cut < -1074 - e) cut = (unsigned)(-1074 - e);
    half = (uint64_t)1 << (cut - 1); /* cut is 2 at least, see above */
    rest = whole & (2 * half - 1);
    whole >>= cut;
    if (rest > half
        || (rest == half
            && (b->more || b->end > PYROI_TEXT_POINT || (whole & 1) != 0)))
        whole++;
    /* A carry out of the fraction goes on into the exponent, as it should. */
    return ((uint64_t)(unsigned)(e + (int)cut + 1074) << 52) + whole;
}

/* The exponent behind the e at p, cut at where nothing changes any more. */
static int32_t pyroi_text_exponent(const char *p, const char *end)
{
    bool    minus = p + 1 < end && p[1] == '-';
    int32_t e = 0;

    for (p += p + 1 < end && (minus || p[1] == '+') ? 2 : 1; p < end; p++)
        if (e < 100000000) e = 10 * e + (*p - '0');
    return minus ? -e : e;
}

/* A float whose text, without sign, is known to be in order. False: it is too
 * large, and *bits is infinity. */
static bool pyroi_text_float(const char *p, const char *end, uint64_t *bits)
{
    pyroi_big   b;
    const char *at;
    int32_t     point = 0; /* the number is 0.digits times 10^point */
    unsigned    place;
    bool        behind = false;
    bool        begun = false;

    for (at = p; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at != '0' && *at != '.') begun = true;
        if (*at == '.')
            behind = true;
        else if (begun && !behind && point < 100000000)
            point++;
        else if (!begun && behind && point > -100000000)
            point--;
    }
    *bits = 0;
    if (at < end) point += pyroi_text_exponent(at, end);
    if (!begun || point < -330) return true;
    *bits = (uint64_t)0x7FF << 52;
    if (point > 310) return false;
    memset(&b, 0, sizeof b);
    place = (unsigned)(9 * PYROI_TEXT_POINT - point);
    b.first = place / 9;
    for (end = at, at = p; at < end; at++) {
        if (*at == '.' || (*at == '0' && p == at)) {
            p += p == at; /* zeros and the point in front of the digits */
        } else if (place < 9 * PYROI_TEXT_WORDS) {
            b.w[place / 9] += (uint32_t)(*at - '0') * pyroi_big_unit(place);
            b.end = ++place / 9 + 1;
        } else if (*at != '0') {
            b.more = true;
        }
    }
    if (b.end > PYROI_TEXT_WORDS) b.end = PYROI_TEXT_WORDS;
    pyroi_big_trim(&b);
    *bits = pyroi_big_round(&b);
    return *bits < (uint64_t)0x7FF << 52;
}

/* All digits of a float that is finite and not zero. */
static void pyroi_big_of(pyroi_big *b, uint64_t bits)
{
    unsigned exponent = (unsigned)(bits >> 52) & 0x7FF;
    uint64_t whole = bits & (((uint64_t)1 << 52) - 1);
    int      e = -1074;

    if (exponent > 0) {
        whole += (uint64_t)1 << 52;
        e += (int)exponent - 1;
    }
    memset(b, 0, sizeof *b);
    b->w[PYROI_TEXT_POINT - 2] = (uint32_t)(whole / PYROI_TEXT_BASE);
    b->w[PYROI_TEXT_POINT - 1] = (uint32_t)(whole % PYROI_TEXT_BASE);
    b->first = PYROI_TEXT_POINT - 2;
    b->end = PYROI_TEXT_POINT;
    for (; e > 0; e -= e < 29 ? e : 29)
        pyroi_big_up(b, e < 29 ? (unsigned)e : 29);
    for (; e<0; e += e> - 29 ? -e : 29)
        pyroi_big_down(b, e > -29 ? (unsigned)-e : 29);
    pyroi_big_trim(b);
}

static unsigned pyroi_big_digit(const pyroi_big *b, unsigned place)
{
    if (place >= 9 * PYROI_TEXT_WORDS) return 0;
    return b->w[place / 9] / pyroi_big_unit(place) % 10;
}

/* Whether there is anything but zeros behind a place. */
static bool pyroi_big_rest(const pyroi_big *b, unsigned place)
{
    return place / 9 + 1 < b->end
        || (place < 9 * PYROI_TEXT_WORDS
            && b->w[place / 9] % pyroi_big_unit(place) > 0);
}

/* The n first digits, rounded, halves to even, as text. Returns the point:
 * the number is 0.digits times 10^point. */
static int pyroi_big_digits(const pyroi_big *b, unsigned n, char *to)
{
    unsigned place = 9 * b->first;
    unsigned i;
    unsigned next;
    int      point;

    while (pyroi_big_digit(b, place) == 0) place++; /* first is not zero */
    point = (int)(9 * PYROI_TEXT_POINT) - (int)place;
    for (i = 0; i < n; i++)
        to[i] = (char)('0' + pyroi_big_digit(b, place + i));
    next = pyroi_big_digit(b, place + n);
    if (next < 5
        || (next == 5 && !pyroi_big_rest(b, place + n)
            && (to[n - 1] & 1) == 0))
        return point;
    for (i = n; i > 0 && to[i - 1] == '9'; i--) to[i - 1] = '0';
    if (i > 0) {
        to[i - 1]++;
        return point;
    }
    to[0] = '1';
    return point + 1;
}

/* Prints n digits as Python does: 1.5, 0.0001, 1e-05, 1e+16. At most 24
 * bytes. Returns how many. */
static uint32_t pyroi_text_layout(const char *digits, unsigned n, int point,
                                  char *to)
{
    char    *at = to;
    int      e = point - 1;
    unsigned before = 1;
    unsigned i;

    if (point > -4 && point <= 16) {
        e = 0;
        for (i = 0; (int)i <= -point; i++) {
            if (i == 0) *at++ = '0';
            if (i == 0) *at++ = '.';
            if ((int)i < -point) *at++ = '0';
        }
        before = point > 0 ? (unsigned)point : 0;
    }
    for (i = 0; i < n || i < before; i++) {
        if (i == before && i > 0) *at++ = '.';
        *at++ = i < n ? digits[i] : '0';
    }
    if (e == 0 && n <= before) {
        *at++ = '.';
        *at++ = '0';
    }
    if (e == 0) return (uint32_t)(at - to);
    *at++ = 'e';
    *at++ = e < 0 ? '-' : '+';
    if (e < 0) e = -e;
    if (e > 99) *at++ = (char)('0' + e / 100);
    *at++ = (char)('0' + e / 10 % 10);
    *at++ = (char)('0' + e % 10);
    return (uint32_t)(at - to);
}

enum { PYROI_TEXT_FLOAT = 25 }; /* bytes of the longest: a sign, 24 more */

/* Prints b, rounded to n digits (up to 17), without zeros at their end. */
static uint32_t pyroi_big_print(const pyroi_big *b, unsigned n, char *to)
{
    char digits[17];
    int  point = pyroi_big_digits(b, n, digits);

    while (n > 1 && digits[n - 1] == '0') n--;
    return pyroi_text_layout(digits, n, point, to);
}

/* The shortest text of a finite float. Every decimal of up to 15 digits is
 * told from its neighbours by a float, unless by a small one, which has fewer
 * bits: so fewer digits than 15 never do what 15 do not. */
static uint32_t pyroi_text_print_float(uint64_t bits, char *to)
{
    pyroi_big b;
    uint32_t  sign = bits >> 63 != 0;
    uint64_t  again;
    uint32_t  size;
    unsigned  n = (bits >> 52 & 0x7FF) == 0 ? 1 : 15;

    to[0] = '-';
    to += sign;
    bits &= ~((uint64_t)1 << 63);
    if (bits == 0) {
        memcpy(to, "0.0", 3);
        return 3 + sign;
    }
    pyroi_big_of(&b, bits);
    do {
        size = pyroi_big_print(&b, n, to);
    } while (n++ < 17
             && (!pyroi_text_float(to, to + size, &again) || again != bits));
    return size + sign;
}

#endif /* PYRO_TEXT_NO_FLOAT */

/* ------------------------------------------------------------------------
 * >>numbers and strings, which both forms and json.h have in common
 * ------------------------------------------------------------------------ */

/* The value of a hex digit, or over 15. */
static unsigned pyroi_text_digit(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* n hex digits at *at, which moves behind them; false: they are not. */
static bool pyroi_text_hex(const char **at, const char *end, unsigned n,
                           uint32_t *v)
{
    const char *p = *at;

    for (*v = 0; n > 0; n--, p++) {
        if (p == end || pyroi_text_digit(*p) > 15) return false;
        *v = *v << 4 | pyroi_text_digit(*p);
    }
    *at = p;
    return true;
}

/* Up to four bytes of UTF-8. A surrogate gives bytes that are none. */
static unsigned pyroi_text_utf8(uint32_t c, char to[4])
{
    unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    unsigned i = n;

    for (; i > 1; c >>= 6) to[--i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)((n == 1 ? 0 : 0xF00u >> n & 0xFF) | c);
    return n;
}

/* The other half of the surrogate pair that *c begins. */
static bool pyroi_text_pair(const char **at, const char *end, uint32_t *c)
{
    const char *p = *at + 2;
    uint32_t    low;

    if (*c >= 0xDC00 || end - *at < 6 || p[-2] != '\\' || p[-1] != 'u'
        || !pyroi_text_hex(&p, end, 4, &low) || low < 0xDC00 || low >= 0xE000)
        return false;
    *c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
    *at = p;
    return true;
}

/* What the escape at *at, behind its backslash, stands for; *at moves behind
 * it. Returns NULL, or what is wrong, with *at there. */
static const char *pyroi_text_escape(const char **at, const char *end,
                                     pyro_text as, uint32_t *c)
{
    /* JSON's, then those that only Python has */
    static const char escapes[] = "\"\\/bfnrtu'avxU";
    static const char meant[] = "\"\\/\b\f\n\r\t\4'\a\v\2\10";
    const char *is = *at < end && **at != 0 ? strchr(escapes, **at) : NULL;
    unsigned    n;

    if (is == NULL || (as == PYRO_TEXT_JSON && is - escapes > 8)
        || (as == PYRO_TEXT_SERPENT && *is == '/'))
        return "no such escape";
    ++*at;
    *c = (unsigned char)meant[is - escapes];
    if (*is != 'u' && *is != 'x' && *is != 'U') return NULL;
    n = *c; /* of those: how many digits */
    if (!pyroi_text_hex(at, end, n, c))
        return n == 4 ? "\\u wants four hex digits"
             : n == 2 ? "\\x wants two hex digits"
                      : "\\U wants eight hex digits";
    if (*c > 0x10FFFF) return "a character past U+10FFFF";
    if (*c >= 0xD800 && *c < 0xE000
        && (as == PYRO_TEXT_SERPENT || !pyroi_text_pair(at, end, c)))
        return "half of a surrogate pair";
    return NULL;
}

/* How the character at p (of n bytes left) is printed in double quotes, in
 * both forms; controls are escaped. *to gets its text and a zero byte. Returns
 * how many bytes of p that is. */
static uint32_t pyroi_text_char(const char *p, uint32_t n, char to[7])
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char       *at = *p != 0 ? strchr(named, *p) : NULL;
    uint8_t           c = (uint8_t)*p;
    bool              c1 = c == 0xC2 && n > 1 && (uint8_t)p[1] < 0xA0;

    if (at != NULL) {
        to[0] = '\\';
        to[1] = names[at - named];
        to[2] = 0;
    } else if (c < 0x20 || c == 0x7F || c1) {
        if (c1) c = (uint8_t)p[1];
        memcpy(to, "\\u00", 4);
        to[4] = hex[c >> 4];
        to[5] = hex[c & 15];
        to[6] = 0;
    } else {
        to[0] = *p;
        to[1] = 0;
    }
    return c1 ? 2 : 1;
}

/* A number: an integer as pyro_put_int and _uint take it, or a float's bits. */
typedef struct pyroi_text_num {
    pyro_type type; /* PYRO_INT, PYRO_UINT, PYRO_FLOAT */
    uint64_t  v;
} pyroi_text_num;

static bool pyroi_text_some_digits(const char **at, const char *end)
{
    const char *p = *at;

    while (*at < end && **at >= '0' && **at <= '9') ++*at;
    return *at > p;
}

/* The digits from p to end as an integer; false: it has over 64 bits. */
static bool pyroi_text_integer(const char *p, const char *end, bool minus,
                               pyroi_text_num *num)
{
    uint64_t limit = minus ? (uint64_t)1 << 63 : UINT64_MAX;
    uint64_t v = 0;

    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (v > (limit - digit) / 10) return false;
        v = 10 * v + digit;
    }
    num->type = minus ? PYRO_INT : PYRO_UINT;
    num->v = minus ? ~v + 1 : v;
    return true;
}

/* Passes over a number as JSON and Python print it. *whole: it has neither
 * point nor exponent. */
static bool pyroi_text_scan(const char **at, const char *end, bool *whole)
{
    if (*at < end && **at == '0')
        ++*at;
    else if (!pyroi_text_some_digits(at, end))
        return false;
    *whole = true;
    if (*at < end && **at == '.') {
        *whole = false;
        ++*at;
        if (!pyroi_text_some_digits(at, end)) return false;
    }
    if (*at < end && (**at | 0x20) == 'e') {
        *whole = false;
        ++*at;
        if (*at < end && (**at == '+' || **at == '-')) ++*at;
        if (!pyroi_text_some_digits(at, end)) return false;
    }
    return true;
}

/* The number at *at, which moves behind it. Returns NULL, or what is wrong. A
 * float out of range is wrong only in JSON: serpent's infinity is one. */
static const char *pyroi_text_number(const char **at, const char *end,
                                     pyro_text as, pyroi_text_num *num)
{
    bool        minus = *at < end && **at == '-';
    bool        whole;
    const char *from = *at += minus;

    if (!pyroi_text_scan(at, end, &whole)) return "a digit is missing";
    if (whole)
        return pyroi_text_integer(from, *at, minus, num)
                 ? NULL
                 : "an integer over 64 bits";
    num->type = PYRO_FLOAT;
#ifdef PYRO_TEXT_NO_FLOAT
    (void)as;
    return "a float, and they are not built in";
#else
    if (!pyroi_text_float(from, *at, &num->v) && as == PYRO_TEXT_JSON)
        return "a float out of range";
    num->v |= (uint64_t)minus << 63;
    return NULL;
#endif
}

static void pyroi_text_put_num(pyro_writer *out, const pyroi_text_num *num)
{
    uint8_t  code[9] = { 0xCB };
    unsigned i;

    if (num->type == PYRO_UINT) {
        pyro_put_uint(out, num->v);
    } else if (num->type == PYRO_INT) {
        pyro_put_int(out, num->v == 0 ? 0 : -1 - (int64_t)~num->v);
    } else { /* bits, whatever a double is here */
        for (i = 0; i < 8; i++)
            code[1 + i] = (uint8_t)(num->v >> (56 - 8 * i));
        pyro_put_raw(out, code, sizeof code);
    }
}

enum { PYROI_TEXT_INT = 20 }; /* bytes of the longest integer */

/* Prints an integer; one that is minus as pyro_get_i64 gives it. Returns how
 * many bytes. */
static uint32_t pyroi_text_print_int(uint64_t v, bool minus, char *to)
{
    char     digits[PYROI_TEXT_INT];
    unsigned at = sizeof digits;

    if (minus) v = ~v + 1;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    if (minus) digits[--at] = '-'; /* -2^63 has 19 digits */
    memcpy(to, digits + at, sizeof digits - at);
    return (uint32_t)(sizeof digits - at);
}

/* ------------------------------------------------------------------------
 * >>reading. Lists, maps and strings are written behind one byte, which becomes
 * their head when their size is known; the few that need a longer one are
 * moved then.
 * ------------------------------------------------------------------------ */

enum { PYROI_TEXT_LIST, PYROI_TEXT_TUPLE, PYROI_TEXT_BRACE, PYROI_TEXT_MAP };

typedef struct pyroi_text_in {
    const char *at;
    const char *end;
    uint8_t    *to;
    uint8_t    *full;
    const char *wrong; /* what is; NULL: nothing yet */
    pyro_text   as;
    unsigned    depth;
    struct {
        uint8_t *head;
        uint32_t n;    /* values in it, keys too */
        uint8_t  kind; /* a brace is a set or a map: its first comma tells */
        bool     comma;
    } open[PYRO_MAX_DEPTH + 1]; /* the one more is a map that is bytes */
} pyroi_text_in;

/* Keeps the first thing that is wrong. Returns false. */
static bool pyroi_text_wrong(pyroi_text_in *t, const char *what)
{
    if (t->wrong == NULL) t->wrong = what;
    return false;
}

static bool pyroi_text_room(pyroi_text_in *t, size_t n)
{
    return (size_t)(t->full - t->to) >= n
        || pyroi_text_wrong(t, "the value does not fit its memory");
}

/* The next character that is no blank, 0 at the end. */
static char pyroi_text_blanks(pyroi_text_in *t)
{
    while (t->at < t->end
           && (*t->at == ' ' || *t->at == '\n' || *t->at == '\r'
               || *t->at == '\t'))
        t->at++;
    return t->at < t->end ? *t->at : 0;
}

/* The head, in its shortest form, of what was written behind the byte at
 * `head`: n bytes or entries. */
static bool pyroi_text_head(pyroi_text_in *t, uint8_t *head, pyro_type type,
                            uint32_t n)
{
    static const struct {
        uint8_t type, fix, below, code8, code16;
    } forms[] = { { PYRO_STR, 0xA0, 32, 0xD9, 0xDA },
                  { PYRO_BIN, 0, 0, 0xC4, 0xC5 },
                  { PYRO_LIST, 0x90, 16, 0, 0xDC },
                  { PYRO_MAP, 0x80, 16, 0, 0xDE } };
    unsigned i = 0;
    unsigned size;

    while (forms[i].type != type) i++;
    if (n < forms[i].below) {
        *head = (uint8_t)(forms[i].fix | n);
        return true;
    }
    size = n < 256 && forms[i].code8 != 0 ? 1 : n < 65536 ? 2 : 4;
    if (!pyroi_text_room(t, size)) return false;
    memmove(head + 1 + size, head + 1, (size_t)(t->to - head - 1));
    t->to += size;
    *head++ = size == 1 ? forms[i].code8
            : size == 2 ? forms[i].code16
                        : (uint8_t)(forms[i].code16 + 1);
    for (; size > 0; size--) *head++ = (uint8_t)(n >> 8 * (size - 1));
    return true;
}

/* The string at t->at, behind its opening quote; or bytes, in which an escape
 * of Python is one byte. */
static bool pyroi_text_string(pyroi_text_in *t, char quote, pyro_type type)
{
    uint8_t    *head = t->to;
    const char *wrong;
    char        utf8[4];
    uint32_t    c;
    unsigned    n;

    if (!pyroi_text_room(t, 1)) return false;
    for (t->to++;; t->to += n) {
        if (t->at == t->end)
            return pyroi_text_wrong(t, "a string does not end");
        utf8[0] = *t->at++;
        n = 1;
        if (utf8[0] == quote) break;
        if ((unsigned char)utf8[0] < 0x20)
            return pyroi_text_wrong(t, "a control character in a string");
        if (utf8[0] == '\\') {
            wrong = pyroi_text_escape(&t->at, t->end, t->as, &c);
            if (wrong != NULL) return pyroi_text_wrong(t, wrong);
            utf8[0] = (char)c;
            if (type == PYRO_STR) n = pyroi_text_utf8(c, utf8);
        }
        if (!pyroi_text_room(t, n)) return false;
        memcpy(t->to, utf8, n);
    }
    return pyroi_text_head(t, head, type, (uint32_t)(t->to - head - 1));
}

static bool pyroi_text_put_number(pyroi_text_in *t)
{
    pyroi_text_num num;
    const char    *wrong = pyroi_text_number(&t->at, t->end, t->as, &num);
    pyro_writer    out = pyro_writer_of(t->to, (size_t)(t->full - t->to), 1);

    if (wrong != NULL) return pyroi_text_wrong(t, wrong);
    if (t->as == PYRO_TEXT_SERPENT && t->at < t->end
        && (*t->at == '+' || *t->at == '-' || (*t->at | 0x20) == 'j'))
        return pyroi_text_wrong(t, "a complex number, which has no form here");
    pyroi_text_put_num(&out, &num);
    if (out.err != PYRO_OK) return pyroi_text_room(t, SIZE_MAX);
    t->to = out.at;
    return true;
}

/* The words of both forms. */
static bool pyroi_text_word(pyroi_text_in *t)
{
    static const struct {
        char    text[10];
        uint8_t code[10]; /* and their number in front */
    } words[2][6] = {
        { { "None", { 1, 0xC0 } },
          { "True", { 1, 0xC3 } },
          { "False", { 1, 0xC2 } },
          { "", { 0 } } },
        { { "null", { 1, 0xC0 } },
          { "true", { 1, 0xC3 } },
          { "false", { 1, 0xC2 } },
          { "NaN", { 9, 0xCB, 0x7F, 0xF8 } },
          { "Infinity", { 9, 0xCB, 0x7F, 0xF0 } },
          { "-Infinity", { 9, 0xCB, 0xFF, 0xF0 } } },
    };
    unsigned i;

    for (i = 0; i < 6 && words[t->as][i].text[0] != 0; i++) {
        const uint8_t *code = words[t->as][i].code;
        size_t         n = strlen(words[t->as][i].text);

        if ((size_t)(t->end - t->at) < n
            || memcmp(t->at, words[t->as][i].text, n) != 0)
            continue;
        if (!pyroi_text_room(t, code[0])) return false;
        memcpy(t->to, code + 1, code[0]);
        t->to += code[0];
        t->at += n;
        return true;
    }
    return pyroi_text_wrong(t, "a value is missing");
}

static bool pyroi_text_scalar(pyroi_text_in *t, char c)
{
    bool serpent = t->as == PYRO_TEXT_SERPENT;

    if (c == '"' || (serpent && c == '\'')) {
        t->at++;
        return pyroi_text_string(t, c, PYRO_STR);
    }
    if (serpent && c == 'b' && t->end - t->at > 1
        && (t->at[1] == '"' || t->at[1] == '\'')) {
        t->at += 2;
        return pyroi_text_string(t, t->at[-1], PYRO_BIN);
    }
    if ((c == '-' && !(t->end - t->at > 1 && t->at[1] == 'I'))
        || (c >= '0' && c <= '9'))
        return pyroi_text_put_number(t);
    return pyroi_text_word(t);
}

/* Whether the next value is this text. */
static bool pyroi_text_is(pyro_reader *in, const char *text)
{
    uint32_t    n;
    const char *is = pyro_get_str(in, &n);

    return in->err == PYRO_OK && n == strlen(text) && memcmp(is, text, n) == 0;
}

/* Base64 from p to end, where a byte of it was, at t->to. */
static bool pyroi_text_base64(pyroi_text_in *t, const char *p, uint32_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    uint32_t          bits = 0;
    uint32_t          i;

    if (n % 4 != 0) return pyroi_text_wrong(t, "base64 that is cut");
    for (i = 0; i < n; i++) {
        const char *at = p[i] != 0 ? strchr(digits, p[i]) : NULL;
        uint32_t    pad = p[i] != '=' ? 0 : n - i; /* 1 or 2: to be dropped */

        if (at == NULL && (pad == 0 || pad > 2 || p[n - 1] != '='))
            return pyroi_text_wrong(t, "no base64");
        bits = bits << 6 | (at != NULL ? (uint32_t)(at - digits) : 0);
        if (i % 4 != 3) continue;
        *t->to++ = (uint8_t)(bits >> 16);
        *t->to++ = (uint8_t)(bits >> 8);
        *t->to++ = (uint8_t)bits;
    }
    if (n > 0 && p[n - 1] == '=') t->to -= p[n - 2] == '=' ? 2 : 1;
    return true;
}

/* A map of two entries, written at `head`, that stands for bytes or nan
 * becomes that. What is written is shorter than what it is read from. */
static bool pyroi_text_special(pyroi_text_in *t, uint8_t *head)
{
    static const uint8_t nan[9] = { 0xCB, 0x7F, 0xF8 };
    pyro_reader in = pyro_reader_of(head + 1, (size_t)(t->to - head - 1));
    pyro_reader bytes = in;
    uint32_t    n;
    const char *text;

    if (pyroi_text_is(&in, "__class__") && pyroi_text_is(&in, "float")
        && pyroi_text_is(&in, "value") && pyroi_text_is(&in, "nan")) {
        memcpy(head, nan, sizeof nan);
        t->to = head + sizeof nan;
        return true;
    }
    if (!pyroi_text_is(&bytes, "data")) return true;
    text = pyro_get_str(&bytes, &n);
    if (!pyroi_text_is(&bytes, "encoding") || !pyroi_text_is(&bytes, "base64"))
        return true;
    t->to = head + 1;
    return pyroi_text_base64(t, text, n)
        && pyroi_text_head(t, head, PYRO_BIN, (uint32_t)(t->to - head - 1));
}

static bool pyroi_text_open(pyroi_text_in *t, uint8_t kind)
{
    if (t->depth == PYRO_MAX_DEPTH + 1)
        return pyroi_text_wrong(t, "deeper than PYRO_MAX_DEPTH");
    if (!pyroi_text_room(t, 1)) return false;
    t->open[t->depth].head = t->to++;
    t->open[t->depth].n = 0;
    t->open[t->depth].comma = false;
    t->open[t->depth++].kind = kind;
    t->at++;
    return true;
}

/* Ends the innermost list, map or parenthesis, t->at at its bracket. */
static bool pyroi_text_close(pyroi_text_in *t)
{
    uint8_t *head = t->open[--t->depth].head;
    uint32_t n = t->open[t->depth].n;
    uint8_t  kind = t->open[t->depth].kind;

    t->at++;
    if (kind == PYROI_TEXT_TUPLE && n == 1 && !t->open[t->depth].comma) {
        memmove(head, head + 1, (size_t)(t->to - head - 1));
        t->to--;
        return true;
    }
    if (kind != PYROI_TEXT_MAP && !(kind == PYROI_TEXT_BRACE && n == 0))
        return pyroi_text_head(t, head, PYRO_LIST, n);
    if (!pyroi_text_head(t, head, PYRO_MAP, n / 2)) return false;
    return t->as == PYRO_TEXT_JSON || n != 4 || pyroi_text_special(t, head);
}

static const char pyroi_text_opening[] = "[({";
static const char pyroi_text_closing[] = "])}}";

/* One value, or the beginning of a list or map with entries. */
static bool pyroi_text_value(pyroi_text_in *t, bool *begun)
{
    char        c = pyroi_text_blanks(t);
    const char *is = c != 0 ? strchr(pyroi_text_opening, c) : NULL;
    uint8_t     kind;

    *begun = false;
    if (t->as == PYRO_TEXT_JSON && t->depth > 0 && c != '"'
        && t->open[t->depth - 1].kind >= PYROI_TEXT_BRACE
        && t->open[t->depth - 1].n % 2 == 0)
        return pyroi_text_wrong(t, "a key in quotes is missing");
    if (is == NULL || (c == '(' && t->as == PYRO_TEXT_JSON))
        return pyroi_text_scalar(t, c);
    kind = (uint8_t)(is - pyroi_text_opening);
    if (!pyroi_text_open(t, kind)) return false;
    *begun = pyroi_text_blanks(t) != pyroi_text_closing[kind];
    return *begun || pyroi_text_close(t);
}

/* What follows a value: a colon, a comma, or the end of what it is in, which
 * is followed by the same. *more: another value follows. */
static bool pyroi_text_after(pyroi_text_in *t, bool *more)
{
    bool json = t->as == PYRO_TEXT_JSON;

    for (*more = false; t->depth > 0;) {
        char     c = pyroi_text_blanks(t);
        uint8_t *kind = &t->open[t->depth - 1].kind;

        t->open[t->depth - 1].n++;
        if (*kind == PYROI_TEXT_BRACE && (c == ':' || json))
            if (t->open[t->depth - 1].n == 1) *kind = PYROI_TEXT_MAP;
        *more = true;
        if (*kind == PYROI_TEXT_MAP && t->open[t->depth - 1].n % 2 != 0)
            return c == ':' ? ++t->at != NULL
                            : pyroi_text_wrong(t, "a colon is missing");
        if (c == ',') {
            t->at++;
            t->open[t->depth - 1].comma = true;
            c = pyroi_text_blanks(t);
            if (json || c != pyroi_text_closing[*kind]) return true;
        }
        *more = false;
        if (c != pyroi_text_closing[*kind])
            return pyroi_text_wrong(t, "a comma or a bracket is missing");
        if (!pyroi_text_close(t)) return false;
    }
    (void)pyroi_text_blanks(t);
    return t->at == t->end
        || pyroi_text_wrong(t, "something follows the value");
}

uint32_t pyro_text_read(pyro_text as, const void *text, uint32_t n, void *to,
                        uint32_t cap, const char **why)
{
    pyroi_text_in t;
    bool          more = true;
    pyro_reader   in;

    t.at = (const char *)text;
    t.end = t.at + n;
    t.to = (uint8_t *)to;
    t.full = t.to + cap;
    t.wrong = NULL;
    t.as = as;
    t.depth = 0;
    if (as == PYRO_TEXT_SERPENT && n > 0 && *t.at == '#') /* its first line */
        while (t.at < t.end && *t.at != '\n') t.at++;
    while (more && pyroi_text_value(&t, &more))
        if (!more && !pyroi_text_after(&t, &more)) break;
    in = pyro_reader_of(to, (size_t)(t.to - (uint8_t *)to));
    if (t.wrong == NULL) pyro_skip(&in);
    if (in.err != PYRO_OK)
        t.wrong = "a string that is not UTF-8, or deeper than PYRO_MAX_DEPTH";
    if (why != NULL) *why = t.wrong;
    return t.wrong == NULL ? (uint32_t)(t.to - (uint8_t *)to) : 0;
}

static void pyroi_text_reverse(uint8_t *p, uint8_t *end)
{
    while (end - p > 1) {
        uint8_t byte = *p;

        *p++ = *--end;
        *end = byte;
    }
}

/* The parts of a call in JSON. */
static const char *const pyroi_text_parts[] = { "object", "method", "params",
                                                "kwargs" };

/* Brings the value of a key to `at`, where entries begin, and drops the key.
 * Returns the byte behind the value, NULL: there is no such key. *end is the
 * end of them all. */
static uint8_t *pyroi_text_fetch(const char *name, uint8_t *at, uint8_t **end)
{
    pyro_reader in = pyro_reader_of(at, (size_t)(*end - at));
    uint8_t    *key;
    uint8_t    *value;
    size_t      n;

    while (pyro_more(&in)) {
        bool is;

        key = at + (in.at - at);
        is = pyroi_text_is(&in, name);
        value = at + (in.at - at);
        pyro_skip(&in);
        if (!is || in.err != PYRO_OK) continue;
        n = (size_t)(in.at - value);
        memmove(key, value, (size_t)(*end - value));
        *end -= value - key;
        pyroi_text_reverse(at, key);
        pyroi_text_reverse(key, key + n);
        pyroi_text_reverse(at, key + n);
        return at + n;
    }
    return NULL;
}

/* The map that a call is in JSON becomes the list that it is elsewhere; its
 * keys may be in any order. Returns the size, 0: it is none. */
static uint32_t pyroi_text_call(uint8_t *to, uint32_t n, const char **why)
{
    uint8_t *at = to + 1;
    uint8_t *end = to + n;
    unsigned i;

    *why = "no call: object, method, params, kwargs";
    if (n == 0 || *to != 0x84) return 0;
    for (i = 0; i < 4 && at != NULL; i++)
        at = pyroi_text_fetch(pyroi_text_parts[i], at, &end);
    if (at == NULL) return 0;
    *to = 0x94;
    return (uint32_t)(end - to);
}

/* ------------------------------------------------------------------------
 * >>printing
 * ------------------------------------------------------------------------ */

typedef struct pyroi_text_out {
    char       *to;
    uint32_t    n;
    uint32_t    cap;
    const char *wrong;
    pyro_text   as;
    unsigned    depth;
    struct {
        uint32_t left; /* values still to print, keys too */
        bool     map;
        bool     begun;
    } open[PYRO_MAX_DEPTH];
} pyroi_text_out;

static void pyroi_text_add(pyroi_text_out *t, const char *text, size_t n)
{
    if (t->cap - t->n < n) t->wrong = "the text does not fit its memory";
    if (t->wrong != NULL) return;
    memcpy(t->to + t->n, text, n);
    t->n += (uint32_t)n;
}

static void pyroi_text_say(pyroi_text_out *t, const char *text)
{
    pyroi_text_add(t, text, strlen(text));
}

static void pyroi_text_print_string(pyroi_text_out *t, const char *text,
                                    uint32_t n)
{
    char     c[7];
    uint32_t i = 0;

    pyroi_text_say(t, "\"");
    while (i < n && t->wrong == NULL) {
        i += pyroi_text_char(text + i, n - i, c);
        pyroi_text_say(t, c);
    }
    pyroi_text_say(t, "\"");
}

static void pyroi_text_print_bytes(pyroi_text_out *t, const uint8_t *p,
                                   uint32_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    char              four[4];
    unsigned          i;

    if (t->as == PYRO_TEXT_JSON) {
        t->wrong = "bytes, which JSON does not have";
        return;
    }
    pyroi_text_say(t, "{'data':'");
    for (; n > 0 && t->wrong == NULL; p += i, n -= i) {
        uint32_t bits = (uint32_t)p[0] << 16;

        if (n > 1) bits |= (uint32_t)p[1] << 8;
        if (n > 2) bits |= p[2];
        for (i = 0; i < 4; i++)
            four[i] = i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=';
        pyroi_text_add(t, four, 4);
        i = n < 3 ? n : 3;
    }
    pyroi_text_say(t, "','encoding':'base64'}");
}

static void pyroi_text_print_real(pyroi_text_out *t, double v)
{
#ifdef PYRO_TEXT_NO_FLOAT
    (void)v;
    t->wrong = "a float, and they are not built in";
#else
    static const char *const words[2][3] = {
        { "1e30000", "-1e30000", "{'__class__':'float','value':'nan'}" },
        { "Infinity", "-Infinity", "NaN" }
    };
    char     text[PYROI_TEXT_FLOAT];
    uint64_t bits = 0;
    /* as large as a float of 64 bits */
    char is_double[sizeof v == sizeof bits ? 1 : -1];

    (void)is_double;
    memcpy(&bits, &v, sizeof bits);
    if ((bits >> 52 & 0x7FF) != 0x7FF)
        pyroi_text_add(t, text, pyroi_text_print_float(bits, text));
    else
        pyroi_text_say(t, words[t->as][bits << 12 != 0 ? 2 : bits >> 63]);
#endif
}

/* A value of one piece. */
static void pyroi_text_print_piece(pyroi_text_out *t, pyro_reader *in)
{
    static const char *const words[2][3] = { { "None", "False", "True" },
                                             { "null", "false", "true" } };
    pyro_type                type = pyro_peek(in);
    char                     text[PYROI_TEXT_INT];
    uint32_t                 n;
    const void              *p;
    int64_t                  v;

    if (type == PYRO_NIL) {
        pyro_skip(in);
        pyroi_text_say(t, words[t->as][0]);
    } else if (type == PYRO_BOOL) {
        pyroi_text_say(t, words[t->as][1 + pyro_get_bool(in)]);
    } else if (type == PYRO_INT) {
        v = pyro_get_i64(in);
        pyroi_text_add(t, text,
                       pyroi_text_print_int((uint64_t)v, v < 0, text));
    } else if (type == PYRO_UINT) {
        pyroi_text_add(t, text,
                       pyroi_text_print_int(pyro_get_u64(in), false, text));
    } else if (type == PYRO_FLOAT) {
        pyroi_text_print_real(t, pyro_get_f64(in));
    } else if (type == PYRO_STR) {
        p = pyro_get_str(in, &n);
        pyroi_text_print_string(t, (const char *)p, n);
    } else if (type == PYRO_BIN) {
        p = pyro_get_bin(in, &n);
        pyroi_text_print_bytes(t, (const uint8_t *)p, n);
    } else {
        t->wrong = "an ext value, which has no form in text";
    }
}

/* A value, or the beginning of a list or map. */
static void pyroi_text_print_next(pyroi_text_out *t, pyro_reader *in, bool key)
{
    pyro_type type = pyro_peek(in);
    bool      quoted = key && t->as == PYRO_TEXT_JSON && type != PYRO_STR;

    if (type != PYRO_LIST && type != PYRO_MAP) {
        if (quoted) pyroi_text_say(t, "\"");
        pyroi_text_print_piece(t, in);
        if (quoted) pyroi_text_say(t, "\"");
    } else if (key || t->depth == PYRO_MAX_DEPTH) {
        t->wrong =
            key ? "a list or map as a key" : "deeper than PYRO_MAX_DEPTH";
    } else {
        t->open[t->depth].map = type == PYRO_MAP;
        t->open[t->depth].begun = false;
        t->open[t->depth++].left = type == PYRO_MAP
                                     ? 2 * pyro_get_map(in, UINT32_MAX / 2)
                                     : pyro_get_list(in, UINT32_MAX);
        pyroi_text_say(t, type == PYRO_MAP ? "{" : "[");
    }
}

/* Prints what stands in front of the next value. False: nothing follows.
 * *key: that is a key. */
static bool pyroi_text_before(pyroi_text_out *t, bool *key)
{
    while (t->depth > 0 && t->open[t->depth - 1].left == 0)
        pyroi_text_say(t, t->open[--t->depth].map ? "}" : "]");
    *key = false;
    if (t->depth == 0) return false;
    *key = t->open[t->depth - 1].map && t->open[t->depth - 1].left % 2 == 0;
    if (t->open[t->depth - 1].begun)
        pyroi_text_say(t, *key || !t->open[t->depth - 1].map ? "," : ":");
    t->open[t->depth - 1].begun = true;
    t->open[t->depth - 1].left--;
    return true;
}

/* Prints all of one value. */
static void pyroi_text_print_one(pyroi_text_out *t, pyro_reader *in)
{
    bool key = false;

    do {
        pyroi_text_print_next(t, in, key);
    } while (t->wrong == NULL && pyroi_text_before(t, &key));
}

/* A value, or a call, which JSON writes as a map. */
static uint32_t pyroi_text_print(pyro_text as, const void *value, uint32_t n,
                                 void *to, uint32_t cap, int kind,
                                 const char **why)
{
    pyro_reader    in = pyro_reader_of(value, n);
    pyro_reader    look = in;
    pyroi_text_out t;
    uint32_t       i;

    t.to = (char *)to;
    t.n = t.depth = 0;
    t.cap = cap;
    t.as = as;
    pyro_skip(&look); /* all of it: from here on nothing can be wrong */
    t.wrong = look.err != PYRO_OK || look.at != look.end ? "no value" : NULL;
    if (t.wrong == NULL && as == PYRO_TEXT_JSON && kind == PYRO_CODEC_CALL) {
        if (pyro_get_list(&in, 4) != 4) t.wrong = "no call";
        for (i = 0; i < 4 && t.wrong == NULL; i++) {
            pyroi_text_say(&t, i == 0 ? "{\"" : ",\"");
            pyroi_text_say(&t, pyroi_text_parts[i]);
            pyroi_text_say(&t, "\":");
            pyroi_text_print_one(&t, &in);
        }
        pyroi_text_say(&t, "}");
    } else if (t.wrong == NULL) {
        pyroi_text_print_one(&t, &in);
    }
    if (why != NULL) *why = t.wrong;
    return t.wrong == NULL ? t.n : 0;
}

uint32_t pyro_text_print(pyro_text as, const void *value, uint32_t n, void *to,
                         uint32_t cap, const char **why)
{
    return pyroi_text_print(as, value, n, to, cap, PYRO_CODEC_VALUE, why);
}

/* ------------------------------------------------------------------------
 * >>codecs
 * ------------------------------------------------------------------------ */

static uint32_t pyroi_text_decode(pyro_text as, const uint8_t *from,
                                  uint32_t n, uint8_t *to, uint32_t cap,
                                  int kind)
{
    const char *why;
    uint32_t    size = pyro_text_read(as, from, n, to, cap, &why);

    if (size > 0 && as == PYRO_TEXT_JSON && kind == PYRO_CODEC_CALL)
        size = pyroi_text_call(to, size, &why);
    if (size > 0 || cap == 0) return size;
    n = (uint32_t)strlen(why) < cap ? (uint32_t)strlen(why) : cap - 1;
    memcpy(to, why, n);
    to[n] = 0;
    return 0;
}

static uint32_t pyroi_serpent_decode(const uint8_t *from, uint32_t n,
                                     uint8_t *to, uint32_t cap, int kind)
{
    return pyroi_text_decode(PYRO_TEXT_SERPENT, from, n, to, cap, kind);
}

static uint32_t pyroi_serpent_encode(const uint8_t *from, uint32_t n,
                                     uint8_t *to, uint32_t cap, int kind)
{
    return pyroi_text_print(PYRO_TEXT_SERPENT, from, n, to, cap, kind, NULL);
}

static uint32_t pyroi_json_decode(const uint8_t *from, uint32_t n, uint8_t *to,
                                  uint32_t cap, int kind)
{
    return pyroi_text_decode(PYRO_TEXT_JSON, from, n, to, cap, kind);
}

static uint32_t pyroi_json_encode(const uint8_t *from, uint32_t n, uint8_t *to,
                                  uint32_t cap, int kind)
{
    return pyroi_text_print(PYRO_TEXT_JSON, from, n, to, cap, kind, NULL);
}

const pyro_codec pyro_codec_serpent = { 1, pyroi_serpent_decode,
                                        pyroi_serpent_encode };
const pyro_codec pyro_codec_json = { 3, pyroi_json_decode, pyroi_json_encode };

#endif /* PYRO_TEXT_IMPLEMENTED */
