/* Serpent and JSON to values and back: examples/lib/text.h. Texts and bytes
 * end before a page that cannot be touched. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../examples/lib/text.h"

#include "any_value.h"

#define SAME NULL

static uint8_t bytes[8192];

static uint32_t get(pyro_text as, const char *text, size_t n, const char **why)
{
    return pyro_text_read(as, test_fenced(text, n), (uint32_t)n, bytes,
                          sizeof bytes, why);
}

struct row {
    const char *text;
    const char *hex;
    const char *printed; /* SAME: as it was */
};

/* clang-format off */
static const struct row serpent[] = {
    { "None", "c0", SAME }, { "True", "c3", SAME }, { "False", "c2", SAME },
    { "# serpent utf-8 python3.2\n7", "07", "7" },
    { " \t\r\n 7 \n", "07", "7" },
    { "0", "00", SAME }, { "-0", "00", "0" }, { "-1", "ff", SAME },
    { "-32", "e0", SAME }, { "-33", "d0df", SAME }, { "128", "cc80", SAME },
    { "18446744073709551615", "cfffffffffffffffff", SAME },
    { "-9223372036854775808", "d38000000000000000", SAME },
    { "0.1", "cb3fb999999999999a", SAME },
    { "-0.0", "cb8000000000000000", SAME },
    { "100.0", "cb4059000000000000", SAME },
    { "1e2", "cb4059000000000000", "100.0" },
    { "1E+2", "cb4059000000000000", "100.0" },
    { "0.0001", "cb3f1a36e2eb1c432d", SAME },
    { "1e-05", "cb3ee4f8b588e368f1", SAME },
    { "1e+16", "cb4341c37937e08000", SAME },
    { "1234567890123456.0", "cb43118b54f22aeb00", SAME },
    { "5e-324", "cb0000000000000001", SAME },
    { "1.7976931348623157e+308", "cb7fefffffffffffff", SAME },
    { "1e30000", "cb7ff0000000000000", SAME },
    { "-1e30000", "cbfff0000000000000", SAME },
    { "{'__class__':'float','value':'nan'}", "cb7ff8000000000000", SAME },
    { "''", "a0", "\"\"" }, { "\"\"", "a0", SAME },
    { "'calc'", "a463616c63", "\"calc\"" },
    { "'it\\'s'", "a469742773", "\"it's\"" },
    { "\"a'b\"", "a3612762", SAME },
    { "'a\"b'", "a3612262", "\"a\\\"b\"" },
    { "'\\\\\\a\\b\\f\\n\\r\\t\\v'", "a85c07080c0a0d090b",
      "\"\\\\\\u0007\\b\\f\\n\\r\\t\\u000b\"" },
    { "'\\x00\\x7f\\xe9'", "a4007fc3a9", "\"\\u0000\\u007f\xc3\xa9\"" },
    { "'\\u20ac\\U0001f600'", "a7e282acf09f9880",
      "\"\xe2\x82\xac\xf0\x9f\x98\x80\"" },
    { "'\xc2\x9b'", "a2c29b", "\"\\u009b\"" },
    { "'\xe2\x82\xac'", "a3e282ac", "\"\xe2\x82\xac\"" },
    { "'0123456789012345678901234567890'",
      "bf'0123456789012345678901234567890'",
      "\"0123456789012345678901234567890\"" },
    { "'01234567890123456789012345678901'",
      "d920'01234567890123456789012345678901'",
      "\"01234567890123456789012345678901\"" },
    { "()", "90", "[]" }, { "( )", "90", "[]" }, { "(1,)", "9101", "[1]" },
    { "(1)", "01", "1" }, { "((1))", "01", "1" }, { "((1,))", "9101", "[1]" },
    { "(1,2)", "920102", "[1,2]" }, { "(1,2,)", "920102", "[1,2]" },
    { "[]", "90", SAME }, { "[1,]", "9101", "[1]" },
    { "[1,(2,3),[]]", "930192020390", "[1,[2,3],[]]" },
    { "{1,2}", "920102", "[1,2]" }, { "{1}", "9101", "[1]" },
    { "{'a',}", "91a161", "[\"a\"]" },
    { "{}", "80", SAME }, { "{ }", "80", "{}" },
    { "{'a':1,'b':{'c':None}}", "82a16101a16281a163c0",
      "{\"a\":1,\"b\":{\"c\":None}}" },
    { "{1: 2, 'x': (3,), True: 4,}", "83 01 02 a178 9103 c3 04",
      "{1:2,\"x\":[3],True:4}" },
    { "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", "9f000000000000000000000000000000",
      SAME },
    { "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
      "dc001000000000000000000000000000000000", SAME },
    { "{'data':'','encoding':'base64'}", "c400", SAME },
    { "{'data':'AP8=','encoding':'base64'}", "c40200ff", SAME },
    { "{'data': 'AA==', 'encoding': 'base64'}", "c40100",
      "{'data':'AA==','encoding':'base64'}" },
    { "{'data':'+/+/','encoding':'base64'}", "c403fbffbf", SAME },
    { "[{'data':'YWJj','encoding':'base64'},2]", "92c40361626302", SAME },
    { "b'a\\x00\\xff\"'", "c4046100ff22",
      "{'data':'YQD/Ig==','encoding':'base64'}" },
    { "{'data':'AA==','encoding':'hex'}",
      "82a4'data'a4'AA=='a8'encoding'a3'hex'",
      "{\"data\":\"AA==\",\"encoding\":\"hex\"}" },
    { "{'data':1,'encoding':'base64'}", "82a4'data'01a8'encoding'a6'base64'",
      "{\"data\":1,\"encoding\":\"base64\"}" },
    { "('calc','add',(3,4),{})", "94a463616c63a3616464" "92030480",
      "[\"calc\",\"add\",[3,4],{}]" },
    { "{'__class__':'Pyro5.core.URI','state':('PYRO','o',None,'h',1)}",
      "82a9'__class__'ae'Pyro5.core.URI'a5'state'"
      "95a4'PYRO'a1'o'c0a1'h'01",
      "{\"__class__\":\"Pyro5.core.URI\","
      "\"state\":[\"PYRO\",\"o\",None,\"h\",1]}" } };

static const struct row json[] = {
    { "null", "c0", SAME }, { "true", "c3", SAME }, { "false", "c2", SAME },
    { " [ 1 , 2 ] ", "920102", "[1,2]" },
    { "NaN", "cb7ff8000000000000", SAME },
    { "Infinity", "cb7ff0000000000000", SAME },
    { "[-Infinity,-1]", "92cbfff0000000000000ff", SAME },
    { "1.5", "cb3ff8000000000000", SAME },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a8225c2f080c0a0d09",
      "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
    { "\"\\ud83d\\ude00\"", "a4f09f9880", "\"\xf0\x9f\x98\x80\"" },
    { "{\"a\":{},\"b\":[]}", "82a16180a16290", SAME },
    { "{\"data\":\"AA==\",\"encoding\":\"base64\"}",
      "82a4'data'a4'AA=='a8'encoding'a6'base64'", SAME } };
/* clang-format on */

static void check_row(pyro_text as, const struct row *row)
{
    static uint8_t text[1024];
    const char    *printed = row->printed != SAME ? row->printed : row->text;
    const char    *why = NULL;
    uint8_t        want[512];
    size_t         m = test_hex(want, sizeof want, row->hex);
    uint32_t       n = get(as, row->text, strlen(row->text), &why);

    if (n == 0)
        fail_msg("%s: %s", row->text, why);
    test_same(row->text, bytes, n, want, m);
    n = pyro_text_print(as, test_fenced(want, m), (uint32_t)m, text,
                        sizeof text, &why);
    if (n == 0)
        fail_msg("%s: not printed: %s", row->text, why);
    test_same(row->text, text, n, printed, strlen(printed));
}

TEST(every_kind_of_value_is_read_and_printed)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(serpent); i++)
        check_row(PYRO_TEXT_SERPENT, &serpent[i]);
    for (i = 0; i < PYRO_COUNT(json); i++)
        check_row(PYRO_TEXT_JSON, &json[i]);
}

/* A cut text is refused, or is a number, which has no end of its own. */
static void check_cut(pyro_text as, const char *text)
{
    size_t size = strlen(text);
    size_t n;

    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
        size--;
    for (n = 0; n < size; n++) {
        const char *why = NULL;
        uint32_t    m = get(as, text, n, &why);
        pyro_reader in = pyro_reader_of(bytes, m);
        pyro_type   type = pyro_peek(&in);

        if (m == 0)
            assert_non_null(why);
        else if (type != PYRO_INT && type != PYRO_UINT && type != PYRO_FLOAT)
            fail_msg("%.*s is taken for a value", (int)n, text);
    }
}

TEST(a_text_cut_anywhere_is_refused)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(serpent); i++)
        check_cut(PYRO_TEXT_SERPENT, serpent[i].text);
    for (i = 0; i < PYRO_COUNT(json); i++)
        check_cut(PYRO_TEXT_JSON, json[i].text);
}

static void check_room(pyro_text as, const char *text)
{
    uint32_t size = (uint32_t)strlen(text);
    uint32_t n = get(as, text, size, NULL);
    uint32_t m;
    uint32_t cap;

    /* bytes in base64 are longer before they are decoded where they stand */
    for (cap = 0; cap <= n + 80; cap++) {
        uint8_t *room = test_room(cap);

        m = pyro_text_read(as, text, size, room, cap, NULL);
        if (m != 0 || (cap >= size && cap >= n))
            test_same(text, room, m, bytes, n);
    }
    for (cap = 0;; cap++) {
        uint8_t *room = test_room(cap);

        m = pyro_text_print(as, bytes, n, room, cap, NULL);
        if (m == 0)
            continue;
        test_eq(text, m, cap);
        break;
    }
}

TEST(nothing_is_written_past_the_memory_given)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(serpent); i++)
        check_room(PYRO_TEXT_SERPENT, serpent[i].text);
    for (i = 0; i < PYRO_COUNT(json); i++)
        check_room(PYRO_TEXT_JSON, json[i].text);
}

#define SERPENT  PYRO_TEXT_SERPENT
#define JSON     PYRO_TEXT_JSON
#define NO_UTF8  "a string that is not UTF-8, or deeper than PYRO_MAX_DEPTH"
#define NO_VALUE "a value is missing"
#define NO_COMMA "a comma or a bracket is missing"
#define BEHIND   "something follows the value"
#define NO_KEY   "a key in quotes is missing"

static const struct {
    pyro_text   as;
    const char *text;
    const char *why;
} bad[] = {
    { SERPENT, "", NO_VALUE },
    { SERPENT, "# serpent utf-8 python3.2", NO_VALUE },
    { SERPENT, "null", NO_VALUE },
    { SERPENT, "none", NO_VALUE },
    { SERPENT, "Nonee", BEHIND },
    { SERPENT, "nan", NO_VALUE },
    { SERPENT, "inf", NO_VALUE },
    { SERPENT, "Infinity", NO_VALUE },
    { SERPENT, "-Infinity", NO_VALUE },
    { SERPENT, "__import__('os')", NO_VALUE },
    { SERPENT, "(1+2j)", "a complex number, which has no form here" },
    { SERPENT, "(0.5-2.5j)", "a complex number, which has no form here" },
    { SERPENT, "2j", "a complex number, which has no form here" },
    { SERPENT, "1-1", "a complex number, which has no form here" },
    { SERPENT, "18446744073709551616", "an integer over 64 bits" },
    { SERPENT, "-9223372036854775809", "an integer over 64 bits" },
    { SERPENT, "1.", "a digit is missing" },
    { SERPENT, "-", "a digit is missing" },
    { SERPENT, "1e", "a digit is missing" },
    { SERPENT, "0x10", BEHIND },
    { SERPENT, "1_000", BEHIND },
    { SERPENT, "01", BEHIND },
    { SERPENT, "'a' 'b'", BEHIND },
    { SERPENT, "'a", "a string does not end" },
    { SERPENT, "'a\\", "no such escape" },
    { SERPENT, "'\\/'", "no such escape" },
    { SERPENT, "'\\N{DASH}'", "no such escape" },
    { SERPENT, "'\\x4'", "\\x wants two hex digits" },
    { SERPENT, "'\\u123'", "\\u wants four hex digits" },
    { SERPENT, "'\\U0001f60'", "\\U wants eight hex digits" },
    { SERPENT, "'\\U00110000'", "a character past U+10FFFF" },
    { SERPENT, "'\\ud83d\\ude00'", "half of a surrogate pair" },
    { SERPENT, "'\n'", "a control character in a string" },
    { SERPENT, "'\xff'", NO_UTF8 },
    { SERPENT, "{'\xed\xa0\x80':1}", NO_UTF8 },
    { SERPENT, "[1 2]", NO_COMMA },
    { SERPENT, "[1)", NO_COMMA },
    { SERPENT, "(1]", NO_COMMA },
    { SERPENT, "{1:2)", NO_COMMA },
    { SERPENT, "[1", NO_COMMA },
    { SERPENT, "[,]", NO_VALUE },
    { SERPENT, "[1,,2]", NO_VALUE },
    { SERPENT, "(,)", NO_VALUE },
    { SERPENT, "{1:2,3}", "a colon is missing" },
    { SERPENT, "{1,2:3}", NO_COMMA },
    { SERPENT, "[1:2]", NO_COMMA },
    { SERPENT, "{'data':'A','encoding':'base64'}", "base64 that is cut" },
    { SERPENT, "{'data':'A=B=','encoding':'base64'}", "no base64" },
    { SERPENT, "{'data':'AA=A','encoding':'base64'}", "no base64" },
    { SERPENT, "{'data':'=AAA','encoding':'base64'}", "no base64" },
    { SERPENT, "{'data':'====','encoding':'base64'}", "no base64" },
    { SERPENT, "{'data':'AA\\x00A','encoding':'base64'}", "no base64" },
    { SERPENT, "7 # note", BEHIND },
    { JSON, "", NO_VALUE },
    { JSON, "None", NO_VALUE },
    { JSON, "'a'", NO_VALUE },
    { JSON, "(1)", NO_VALUE },
    { JSON, "-NaN", "a digit is missing" },
    { JSON, "# c\n1", NO_VALUE },
    { JSON, "1e999", "a float out of range" },
    { JSON, "[1,]", NO_VALUE },
    { JSON, "{1:2}", NO_KEY },
    { JSON, "{\"a\"}", "a colon is missing" },
    { JSON, "{\"a\":1,}", NO_KEY },
    { JSON, "{\"a\":1,2}", NO_KEY },
    { JSON, "\"\\x41\"", "no such escape" },
    { JSON, "\"\\U0001f600\"", "no such escape" },
    { JSON, "\"\\ud83d\"", "half of a surrogate pair" },
    { JSON, "\"\\ud83dx12345\"", "half of a surrogate pair" },
    { JSON, "b\"a\"", NO_VALUE },
};

TEST(what_is_no_such_text_is_refused_with_the_reason)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(bad); i++) {
        const char *why = NULL;

        test_eq(bad[i].text,
                get(bad[i].as, bad[i].text, strlen(bad[i].text), &why), 0);
        if (why == NULL || strcmp(why, bad[i].why) != 0)
            fail_msg("%s: %s, should be %s", bad[i].text, why, bad[i].why);
    }
}

TEST(bytes_that_are_no_utf8_are_refused_in_strings)
{
    const test_row *row;
    size_t          i;

    for (i = 0; (row = test_bad_utf8(i)) != NULL; i++) {
        char   text[40] = "[\"";
        size_t n = test_hex((uint8_t *)text + 2, sizeof text - 6, row->hex);

        memcpy(text + 2 + n, "\"]", 3);
        test_eq(row->label, get(SERPENT, text, n + 4, NULL), 0);
        test_eq(row->label, get(JSON, text, n + 4, NULL), 0);
    }
}

/* n opening brackets and as many closing ones. */
static size_t nested(char *text, unsigned n, char open, char close)
{
    memset(text, open, n);
    memset(text + n, close, n);
    return 2 * (size_t)n;
}

TEST(depth_is_bounded)
{
    static char text[20000];

    assert_int_not_equal(get(JSON, text,
                             nested(text, PYRO_MAX_DEPTH, '[', ']'), NULL),
                         0);
    assert_int_equal(get(JSON, text,
                         nested(text, PYRO_MAX_DEPTH + 1, '[', ']'), NULL),
                     0);
    assert_int_equal(get(SERPENT, text, nested(text, 9000, '(', ')'), NULL),
                     0);
    assert_int_equal(get(SERPENT, text, nested(text, 9000, '{', '}'), NULL),
                     0);
    /* bytes are no map: they may stand at the greatest depth */
    nested(text, PYRO_MAX_DEPTH, '[', ']');
    memcpy(text + PYRO_MAX_DEPTH, "{'data':'AA==','encoding':'base64'}", 35);
    memset(text + PYRO_MAX_DEPTH + 35, ']', PYRO_MAX_DEPTH);
    assert_int_equal(get(SERPENT, text, 2 * PYRO_MAX_DEPTH + 35, NULL),
                     PYRO_MAX_DEPTH + 3);
}

TEST(what_has_no_text_is_refused_with_the_reason)
{
    static const struct {
        pyro_text   as;
        const char *hex;
        const char *why;
    } rows[] = {
        { JSON, "c40100", "bytes, which JSON does not have" },
        { SERPENT, "d40100", "an ext value, which has no form in text" },
        { SERPENT, "819001", "a list or map as a key" },
        { JSON, "818001", "a list or map as a key" },
        { JSON, "c1", "no value" },
        { JSON, "0102", "no value" },
        { JSON, "", "no value" },
        { SERPENT, "a1ff", "no value" },
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t     value[16];
        uint8_t     text[100];
        size_t      n = test_hex(value, sizeof value, rows[i].hex);
        const char *why = NULL;

        test_eq(rows[i].hex,
                pyro_text_print(rows[i].as, test_fenced(value, n), (uint32_t)n,
                                text, sizeof text, &why),
                0);
        if (why == NULL || strcmp(why, rows[i].why) != 0)
            fail_msg("%s: %s, should be %s", rows[i].hex, why, rows[i].why);
    }
}

TEST(keys_that_are_no_text_become_text_in_json_and_stay_in_serpent)
{
    uint8_t  value[64];
    uint8_t  text[100];
    size_t   n = test_hex(value, sizeof value,
                          "85 01 02 c0 03 c2 04 a161 05 cb3ff8000000000000 06");
    uint32_t m =
        pyro_text_print(JSON, value, (uint32_t)n, text, sizeof text, NULL);

    static const char is[] =
        "{\"1\":2,\"null\":3,\"false\":4,\"a\":5,\"1.5\":6}";
    test_same("json", text, m, is, strlen(is));
    m = pyro_text_print(SERPENT, value, (uint32_t)n, text, sizeof text, NULL);
    m = pyro_text_read(SERPENT, text, m, bytes, sizeof bytes, NULL);
    test_same("serpent", bytes, m, value, n);
}

static void check_double(double v, const char *text)
{
    uint64_t is;
    uint64_t want;

    memcpy(&want, &v, 8);
    pyroi_text_float(text, text + strlen(text), &is);
    test_eq(text, is, want);
}

TEST(floats_are_read_to_the_nearest_and_printed_to_be_read_the_same)
{
    uint32_t seed = 4711;
    unsigned i;

    for (i = 0; i < 60000; i++) {
        uint64_t bits = test_random64(&seed) & INT64_MAX;
        char     ours[PYROI_TEXT_FLOAT + 1] = "";
        char     theirs[60];
        double   v;
        double   w;
        unsigned k = 0;

        if (i % 3 == 1) /* near to 1 */
            bits = bits >> 12 | (uint64_t)(983 + i % 90) << 52;
        if (i % 17 == 0) /* the smallest */
            bits &= UINT64_MAX >> (12 + i % 50);
        if ((bits >> 52) == 0x7FF || bits == 0)
            continue;
        memcpy(&v, &bits, 8);
        if (i % 3 == 2) /* such as people write */
            v = (double)(test_random(&seed) % 1000000) / 1000 + 0.001;
        memcpy(&bits, &v, 8);
        ours[pyroi_text_print_float(bits, ours)] = 0;
        w = strtod(ours, NULL);
        if (w < v || w > v)
            fail_msg("%a is printed as %s", v, ours);
        do
            snprintf(theirs, sizeof theirs, "%.*e", (int)k, v);
        while (w = strtod(theirs, NULL), k++ < 16 && (w < v || w > v));
        /* as many digits: the same number, written in another way */
        snprintf(theirs, sizeof theirs, "%.*e", (int)k - 1, v);
        w = strtod(ours, NULL);
        snprintf(ours, sizeof ours, "%.*e", (int)k - 1, w);
        assert_string_equal(ours, theirs);
        snprintf(theirs, sizeof theirs, "%.*e", (int)(i % 40), v);
        check_double(strtod(theirs, NULL), theirs);
    }
}

/* Adds half of what a float differs from the next larger one, exactly. */
static void to_the_middle(pyroi_big *b, uint64_t bits)
{
    pyroi_big half;
    uint64_t  exponent = bits >> 52;
    uint32_t  carry = 0;
    unsigned  i;

    /* the float of the one lowest bit */
    pyroi_big_of(&half, exponent > 52  ? (exponent - 52) << 52
                        : exponent > 0 ? (uint64_t)1 << (exponent - 1)
                                       : 1);
    pyroi_big_down(&half, 1);
    assert_false(half.more);
    for (i = PYROI_TEXT_WORDS; i-- > 0;) {
        uint32_t sum = b->w[i] + half.w[i] + carry;

        carry = sum >= PYROI_TEXT_BASE;
        b->w[i] = sum - carry * PYROI_TEXT_BASE;
    }
    b->first = 0;
    b->end = PYROI_TEXT_WORDS;
    pyroi_big_trim(b);
}

TEST(the_middle_between_two_floats_is_told_from_what_is_next_to_it)
{
    static const double from[] = { 1,      0.1,    1e16,   9007199254740992.0,
                                   5e-324, 1e-310, 2e-308, 1.5e308,
                                   1e-5,   123456, 1e300,  3e-300 };
    static char         text[1200];
    size_t              i;
    int                 step;

    for (i = 0; i < PYRO_COUNT(from); i++) {
        uint64_t  bits;
        pyroi_big middle;
        int       point;
        unsigned  n = 1100;

        memcpy(&bits, &from[i], 8);
        pyroi_big_of(&middle, bits);
        to_the_middle(&middle, bits);
        memset(text, 0, sizeof text);
        point = pyroi_big_digits(&middle, n, text);
        while (text[n - 1] == '0')
            n--;
        for (step = -1; step <= 1; step++) {
            char *end = text + n;
            char  last = end[-1];

            if (step < 0)
                end[-1]--; /* no 0: those were taken off */
            if (step > 0)
                *end++ = '1';
            sprintf(end, "e%d", point - (int)(end - text));
            check_double(strtod(text, NULL), text);
            text[n - 1] = last;
        }
    }
}

TEST(digits_without_end_and_exponents_without_sense_are_read)
{
    static char text[5000];

    memset(text, '0', sizeof text);
    memcpy(text + 4990, "1", 2);
    text[1] = '.';
    check_double(0, text);
    memcpy(text + 4991, "e4989", 6);
    check_double(1, text);
    memset(text, '9', 4000);
    memcpy(text + 4000, "e-4000", 7);
    check_double(1, text);
    check_double(0, "0e999999999999999999");
    check_double(0, "1e-999999999999999999");
    check_double(0, "2.4703282292062327e-324");
    check_double(5e-324, "2.4703282292062328e-324");
    check_double(1.7976931348623157e308, "179769313486231580793e288");
    assert_int_equal(get(SERPENT, "1.7976931348623159e308", 22, NULL), 9);
    test_same_hex("infinity", bytes, 9, "cb7ff0000000000000");
    assert_int_equal(get(JSON, "1.7976931348623159e308", 22, NULL), 0);
}

static void check_call(const char *text, const char *hex)
{
    uint8_t  want[128];
    size_t   m = test_hex(want, sizeof want, hex);
    size_t   n = strlen(text);
    uint32_t is = pyro_codec_json.decode(test_fenced(text, n), (uint32_t)n,
                                         bytes, sizeof bytes, PYRO_CODEC_CALL);

    test_same(text, bytes, is, want, m);
}

TEST(a_call_in_json_is_a_map_in_any_order)
{
    static const char call[] = "{\"object\":\"o\",\"method\":\"add\","
                               "\"params\":[3,4],\"kwargs\":{\"k\":null}}";
    static const char hex[] = "94a16fa361646492030481a16bc0";
    uint8_t           value[32];
    size_t            n = test_hex(value, sizeof value, hex);
    uint8_t           text[100];
    uint32_t          m;

    check_call(call, hex);
    check_call("{\"kwargs\":{\"k\":null},\"params\":[3,4],\"method\":\"add\","
               "\"object\":\"o\"}",
               hex);
    check_call("{\"method\":\"add\",\"kwargs\":{\"k\":null},\"object\":\"o\","
               "\"params\":[3,4]}",
               hex);
    m = pyro_codec_json.encode(value, (uint32_t)n, text, sizeof text,
                               PYRO_CODEC_CALL);
    test_same("printed", text, m, call, strlen(call));
}

TEST(what_is_no_call_in_json_is_refused)
{
    static const char *const rows[] = {
        "7",
        "[1,2,3,4]",
        "{}",
        "{\"object\":1,\"method\":2,\"params\":3}",
        "{\"object\":1,\"method\":2,\"params\":3,\"x\":4}",
        "{\"object\":1,\"object\":2,\"params\":3,\"kwargs\":4}",
        "{\"object\":1,\"method\":2,\"params\":3,\"kwargs\":4,\"x\":5}"
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        size_t n = strlen(rows[i]);

        test_eq(rows[i],
                pyro_codec_json.decode(test_fenced(rows[i], n), (uint32_t)n,
                                       bytes, sizeof bytes, PYRO_CODEC_CALL),
                0);
        assert_string_equal((char *)bytes,
                            "no call: object, method, params, kwargs");
    }
    assert_int_equal(pyro_codec_json.encode((const uint8_t *)"\x91\x01", 2,
                                            bytes, 100, PYRO_CODEC_CALL),
                     0);
}

TEST(a_codec_leaves_the_reason_of_an_error_in_its_memory)
{
    static const char text[] = "(1+2j)";
    static const char reason[] = "a complex number, which has no form here";
    uint32_t          cap;

    for (cap = 0; cap <= sizeof reason + 2; cap++) {
        uint8_t *room = test_room(cap);

        assert_int_equal(pyro_codec_serpent.decode((const uint8_t *)text, 6,
                                                   room, cap, PYRO_CODEC_CALL),
                         0);
        if (cap < 4)
            continue; /* that there is no room comes first */
        assert_int_equal(strlen((char *)room),
                         cap < sizeof reason ? cap - 1 : sizeof reason - 1);
        assert_memory_equal(room, reason, strlen((char *)room));
    }
}

TEST(any_value_comes_back_the_same)
{
    static uint8_t value[4096];
    static uint8_t text[60000];
    uint32_t       seed = 12;
    unsigned       i;

    for (i = 0; i < 20000; i++) {
        pyro_text   as = i % 2 == 0 ? SERPENT : JSON;
        pyro_writer out = pyro_writer_of(value, sizeof value, 1);
        const char *why = "";
        uint32_t    n;
        uint32_t    m;

        any_value(&out, &seed, 5, as == SERPENT ? ANY_BYTES | ANY_KEYS : 0);
        if (pyro_writer_end(&out) != PYRO_OK)
            continue; /* too long */
        n = (uint32_t)(out.at - value);
        m = pyro_text_print(as, value, n, text, sizeof text, &why);
        if (m == 0)
            fail_msg("not printed: %s", why);
        m = get(as, (char *)text, m, &why);
        test_same((char *)text, bytes, m, value, n);
    }
}

/* Bytes are changed by chance: what is still taken is a value, and comes back
 * the same. */
TEST(damaged_texts_are_refused_or_mean_what_they_print)
{
    static uint8_t again[8192];
    static uint8_t printed[8192];
    uint32_t       seed = 99;
    unsigned       i;

    for (i = 0; i < 60000; i++) {
        pyro_text         as = i % 2 == 0 ? SERPENT : JSON;
        const struct row *row = as == JSON ? &json[i % PYRO_COUNT(json)]
                                           : &serpent[i % PYRO_COUNT(serpent)];
        static const char marks[] = "'\"\\[](){}:,0e.-x";
        char              text[100];
        uint32_t          n = (uint32_t)strlen(row->text);
        uint32_t          m;
        uint32_t          k;

        if (n > sizeof text)
            continue;
        memcpy(text, row->text, n);
        for (k = test_random(&seed) % 3 + 1; k > 0; k--)
            text[test_random(&seed) % n] =
                test_random(&seed) % 4 == 0
                    ? (char)test_random(&seed)
                    : marks[test_random(&seed) % (sizeof marks - 1)];
        m = get(as, text, n, NULL);
        if (m == 0)
            continue;
        n = pyro_text_print(as, bytes, m, printed, sizeof printed, NULL);
        if (n == 0)
            continue; /* a list as a key */
        n = pyro_text_read(as, printed, n, again, sizeof again, NULL);
        test_same(text, again, n, bytes, m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_read_and_printed),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
        cmocka_unit_test(nothing_is_written_past_the_memory_given),
        cmocka_unit_test(what_is_no_such_text_is_refused_with_the_reason),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused_in_strings),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(what_has_no_text_is_refused_with_the_reason),
        cmocka_unit_test(
            keys_that_are_no_text_become_text_in_json_and_stay_in_serpent),
        cmocka_unit_test(
            floats_are_read_to_the_nearest_and_printed_to_be_read_the_same),
        cmocka_unit_test(
            the_middle_between_two_floats_is_told_from_what_is_next_to_it),
        cmocka_unit_test(
            digits_without_end_and_exponents_without_sense_are_read),
        cmocka_unit_test(a_call_in_json_is_a_map_in_any_order),
        cmocka_unit_test(what_is_no_call_in_json_is_refused),
        cmocka_unit_test(a_codec_leaves_the_reason_of_an_error_in_its_memory),
        cmocka_unit_test(any_value_comes_back_the_same),
        cmocka_unit_test(damaged_texts_are_refused_or_mean_what_they_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
