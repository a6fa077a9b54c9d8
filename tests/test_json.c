/* JSON text to values and back: examples/lib/json.h. Texts and bytes end
 * before a page that cannot be touched. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../examples/lib/json.h"

#include "any_value.h"

#define SAME NULL

static uint8_t bytes[4096];

/* A copy of a text, which may be written over, in front of the fence. */
static char *writable(const char *text)
{
    return (char *)test_fenced(text, strlen(text) + 1);
}

static pyro_err put(const char *text, size_t *n, pyro_json_why *why)
{
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_err    err = pyro_json_put(&out, writable(text), why);

    if (err == PYRO_OK)
        err = pyro_writer_end(&out);
    *n = (size_t)(out.at - bytes);
    return err;
}

static const struct {
    const char *text;
    const char *hex;
    const char *printed;
} good[] = { { "null", "c0", SAME },
             { " \t\r\n null\n", "c0", "null" },
             { "true", "c3", SAME },
             { "false", "c2", SAME },
             { "0", "00", SAME },
             { "-0", "00", "0" },
             { "-1", "ff", SAME },
             { "127", "7f", SAME },
             { "128", "cc80", SAME },
             { "-129", "d1ff7f", SAME },
             { "9007199254740993", "cf0020000000000001", SAME },
             { "9223372036854775807", "cf7fffffffffffffff", SAME },
             { "9223372036854775808", "cf8000000000000000", SAME },
             { "18446744073709551615", "cfffffffffffffffff", SAME },
             { "-9223372036854775808", "d38000000000000000", SAME },
             { "-9223372036854775807", "d38000000000000001", SAME },
             { "1.0", "cb3ff0000000000000", SAME },
             { "-0.0", "cb8000000000000000", SAME },
             { "0.1", "cb3fb999999999999a", SAME },
             { "1e0", "cb3ff0000000000000", "1.0" },
             { "1E+2", "cb4059000000000000", "100.0" },
             { "12.5e-1", "cb3ff4000000000000", "1.25" },
             { "5e-324", "cb0000000000000001", SAME },
             { "1.7976931348623157e308", "cb7fefffffffffffff",
               "1.7976931348623157e+308" },
             { "1e-999", "cb0000000000000000", "0.0" },
             { "\"\"", "a0", SAME },
             { "\"calc\"", "a463616c63", SAME },
             { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a8225c2f080c0a0d09",
               "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
             { "\"\\u0000\"", "a100", SAME },
             { "\"\\u001f\\u0041\"", "a21f41", "\"\\u001fA\"" },
             { "\"\\u00e9\"", "a2c3a9", "\"\xc3\xa9\"" },
             { "\"\\u20AC\"", "a3e282ac", "\"\xe2\x82\xac\"" },
             { "\"\\ud83d\\ude00\"", "a4f09f9880", "\"\xf0\x9f\x98\x80\"" },
             { "\"\\uDBFF\\uDFFF\"", "a4f48fbfbf", "\"\xf4\x8f\xbf\xbf\"" },
             { "\"\xf0\x9f\x98\x80\"", "a4f09f9880", SAME },
             { "\"\x7f\"", "a17f", "\"\\u007f\"" },
             { "\"\xc2\x9b\"", "a2c29b", "\"\\u009b\"" },
             { "\"\xc2\xa0\"", "a2c2a0", SAME },
             { "\"],}\\\"[{\"", "a65d2c7d225b7b", SAME },
             { "[]", "90", SAME },
             { " [ ] ", "90", "[]" },
             { "{}", "80", SAME },
             { "{ }", "80", "{}" },
             { "[1,[2,[]],{\"a\":[3]}]", "930192029081a1619103", SAME },
             { "{\"a\":1,\"b\":{\"c\":null}}", "82a16101a16281a163c0", SAME },
             { "{ \"a\" : 1 , \"b\" : [ 2 , 3 ] }", "82a16101a162920203",
               "{\"a\":1,\"b\":[2,3]}" },
             { "{\"\":0}", "81a000", SAME },
             { "[\",\",\"]\",\"\\\"\"]", "93a12ca15da122", SAME },
             { "{\"$bytes\":\"\"}", "c400", SAME },
             { "{ \"$bytes\" : \"00fF\" }", "c40200ff",
               "{\"$bytes\":\"00ff\"}" },
             { "{\"$float\":\"nan\"}", "cb7ff8000000000000", SAME },
             { "{\"$float\":\"inf\"}", "cb7ff0000000000000", SAME },
             { "{\"$float\":\"-inf\"}", "cbfff0000000000000", SAME },
             { "{\"$raw\":\"d40102\"}", "d40102", SAME },
             { "{\"$raw\":\"81c0c3\"}", "81c0c3", SAME },
             { "{\"$raw\":\"01\"}", "01", "1" },
             { "{\"$$bytes\":\"00\"}",
               "81a62462797465"
               "73a23030",
               SAME },
             { "{\"$$\":0}", "81a12400", SAME },
             { "{\"$$$\":0}", "81a2242400", SAME },
             { "{\"$bytes\":1,\"$\":2}",
               "82a6246279746573"
               "01a12402",
               SAME },
             { "[{\"$bytes\":\"01\"},{\"$float\":\"nan\"},2]",
               "93c40101cb7ff800000000000002", SAME },
             { "{\"a\":{\"$bytes\":\"01\"}}", "81a161c40101", SAME } };

static void check_good(size_t i)
{
    const char   *text = good[i].text;
    uint8_t       want[128];
    size_t        n;
    size_t        m = test_hex(want, sizeof want, good[i].hex);
    pyro_json_why why = { "", 0 };
    pyro_reader   in;
    char          printed[256];

    if (put(text, &n, &why) != PYRO_OK)
        fail_msg("%s: %s at %u", text, why.text, (unsigned)why.at);
    test_same(text, bytes, n, want, m);
    in = pyro_reader_of(test_fenced(want, m), m);
    test_eq(text, pyro_json_get(&in, printed, sizeof printed), PYRO_OK);
    assert_ptr_equal(in.at, in.end);
    assert_string_equal(printed,
                        good[i].printed != NULL ? good[i].printed : text);
}

TEST(every_kind_of_value_is_read_and_printed)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(good); i++)
        check_good(i);
}

static const struct {
    const char *text;
    unsigned    at;
    const char *why;
} bad[] = {
    { "", 0, "a value is missing" },
    { "  ", 2, "a value is missing" },
    { "nul", 0, "a value is missing" },
    { "nulll", 4, "something follows the value" },
    { "True", 0, "a value is missing" },
    { "NaN", 0, "a value is missing" },
    { "Infinity", 0, "a value is missing" },
    { "-Infinity", 1, "a digit is missing" },
    { "'a'", 0, "a value is missing" },
    { "+1", 0, "a value is missing" },
    { ".5", 0, "a value is missing" },
    { "1 2", 2, "something follows the value" },
    { "1,", 1, "something follows the value" },
    { "01", 1, "something follows the value" },
    { "-", 1, "a digit is missing" },
    { "-01", 2, "something follows the value" },
    { "0x10", 1, "something follows the value" },
    { "0.0x10", 3, "something follows the value" },
    { "1.", 2, "a digit is missing" },
    { "1.e5", 2, "a digit is missing" },
    { "1e", 2, "a digit is missing" },
    { "1e+", 3, "a digit is missing" },
    { "1e5p3", 3, "something follows the value" },
    { "18446744073709551616", 20, "an integer over 64 bits" },
    { "184467440737095516150", 21, "an integer over 64 bits" },
    { "-9223372036854775809", 20, "an integer over 64 bits" },
    { "1e309", 5, "a float out of range" },
    { "-1e309", 6, "a float out of range" },
    { "\"", 1, "a string does not end" },
    { "\"a", 2, "a string does not end" },
    { "\"\\", 2, "no such escape" },
    { "\"\\\"", 3, "a string does not end" },
    { "\"\\x41\"", 2, "no such escape" },
    { "\"\\'\"", 2, "no such escape" },
    { "\"\n\"", 1, "a control character in a string" },
    { "\"\x1f\"", 1, "a control character in a string" },
    { "\"\\u12\"", 3, "\\u wants four hex digits" },
    { "\"\\u12g4\"", 3, "\\u wants four hex digits" },
    { "\"\\ud83d\"", 7, "half of a surrogate pair" },
    { "\"\\ud83d\\n\"", 7, "half of a surrogate pair" },
    { "\"\\ud83d\\u0041\"", 7, "half of a surrogate pair" },
    { "\"\\ud83d\\ud83d\"", 7, "half of a surrogate pair" },
    { "\"\\ude00\"", 7, "half of a surrogate pair" },
    { "\"\\ude00\\ud83d\"", 7, "half of a surrogate pair" },
    { "\"\xff\"", 3, "a string that is not UTF-8" },
    { "\"\xed\xa0\x80\"", 5, "a string that is not UTF-8" },
    { "{\"\xff\":1}", 4, "a key that is not UTF-8" },
    { "[", 1, "a value is missing" },
    { "[1", 2, "a , or ] is missing" },
    { "[1,", 3, "a value is missing" },
    { "[1,]", 3, "a value is missing" },
    { "[,1]", 1, "a value is missing" },
    { "[1 2]", 3, "a , or ] is missing" },
    { "[1}", 2, "a , or ] is missing" },
    { "[[1]", 4, "a , or ] is missing" },
    { "[]]", 2, "something follows the value" },
    { "]", 0, "a value is missing" },
    { "[}", 1, "a , or ] is missing" },
    { "{", 1, "a key in quotes is missing" },
    { "{]", 1, "a , or } is missing" },
    { "{1:2}", 1, "a key in quotes is missing" },
    { "{a:2}", 1, "a key in quotes is missing" },
    { "{\"a\"}", 4, "a colon is missing" },
    { "{\"a\" 1}", 5, "a colon is missing" },
    { "{\"a\":}", 5, "a value is missing" },
    { "{\"a\":1", 6, "a , or } is missing" },
    { "{\"a\":1,}", 7, "a key in quotes is missing" },
    { "{\"a\":1,2}", 7, "a key in quotes is missing" },
    { "{\"a\":1]", 6, "a , or } is missing" },
    { "[1]//", 3, "something follows the value" },
    { "{\"$bytes\":1}", 10, "a key with $ wants a string" },
    { "{\"$bytes\" \"\"}", 10, "a colon is missing" },
    { "{\"$bytes\":\"0\"}", 14, "not pairs of hex digits" },
    { "{\"$bytes\":\"0g\"}", 15, "not pairs of hex digits" },
    { "{\"$bytes\":\"00\"", 14, "a } is missing" },
    { "{\"$bytes\":\"00\"]", 14, "a } is missing" },
    { "{\"$float\":\"1.0\"}", 16, "$float wants nan, inf or -inf" },
    { "{\"$raw\":\"\"}", 11, "$raw is not one value" },
    { "{\"$raw\":\"0102\"}", 15, "$raw is not one value" },
    { "{\"$raw\":\"91\"}", 13, "$raw is not one value" },
    { "{\"$raw\":\"c1\"}", 13, "$raw is not one value" },
    { "{\"$x\":\"\"}", 9,
      "a key with $ wants to be $bytes, $float, $raw or to begin with $$" },
    { "{\"$\":1}", 5, "a key with $ wants a string" }
};

TEST(what_is_no_json_is_refused_with_reason_and_place)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(bad); i++) {
        const char   *text = bad[i].text;
        pyro_json_why why = { "nothing", 999 };
        size_t        n;

        test_eq(text, put(text, &n, &why), PYRO_ERR_DATA);
        test_eq(text, n, 0);
        if (strcmp(why.text, bad[i].why) != 0)
            fail_msg("%s: %s, should be %s", text, why.text, bad[i].why);
        test_eq(text, why.at, bad[i].at);
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
        test_eq(row->label, put(text, &n, NULL), PYRO_ERR_DATA);
    }
}

/* n opening brackets and as many closing ones. */
static const char *nested(unsigned n, bool maps)
{
    static char text[200 * 6 + 8];
    char       *p = text;
    unsigned    i;

    for (i = 0; i < n; i++)
        p += sprintf(p, "%s", maps ? "{\"a\":" : "[");
    if (maps)
        *p++ = '1';
    for (i = 0; i < n; i++)
        *p++ = maps ? '}' : ']';
    *p = 0;
    return text;
}

TEST(depth_is_bounded_where_the_reader_bounds_it)
{
    int maps;

    for (maps = 0; maps < 2; maps++) {
        pyro_json_why why = { "", 0 };
        pyro_reader   in;
        size_t        n;
        char          printed[1200];

        assert_int_equal(put(nested(PYRO_MAX_DEPTH, maps), &n, &why), PYRO_OK);
        in = pyro_reader_of(bytes, n);
        pyro_skip(&in);
        assert_int_equal(in.err, PYRO_OK);
        in = pyro_reader_of(bytes, n);
        assert_int_equal(pyro_json_get(&in, printed, sizeof printed), PYRO_OK);
        assert_string_equal(printed, nested(PYRO_MAX_DEPTH, maps));

        assert_int_equal(put(nested(PYRO_MAX_DEPTH + 1, maps), &n, &why),
                         PYRO_ERR_DATA);
        assert_string_equal(why.text, "deeper than PYRO_MAX_DEPTH");
        assert_int_equal(put(nested(200, maps), &n, &why), PYRO_ERR_DATA);
    }
}

TEST(at_the_greatest_depth_there_may_still_be_bytes)
{
    char        text[200] = "";
    char        printed[200];
    pyro_reader in;
    size_t      n;
    unsigned    i;

    for (i = 0; i < PYRO_MAX_DEPTH; i++)
        strcat(text, "[");
    strcat(text, "{\"$bytes\":\"00\"},{\"$float\":\"inf\"}");
    for (i = 0; i < PYRO_MAX_DEPTH; i++)
        strcat(text, "]");
    assert_int_equal(put(text, &n, NULL), PYRO_OK);
    in = pyro_reader_of(bytes, n);
    assert_int_equal(pyro_json_get(&in, printed, sizeof printed), PYRO_OK);
    assert_string_equal(printed, text);
}

TEST(values_too_deep_are_not_printed)
{
    uint8_t     deep[PYRO_MAX_DEPTH + 2];
    char        printed[200] = "untouched";
    pyro_reader in;

    memset(deep, 0x91, sizeof deep);
    deep[PYRO_MAX_DEPTH + 1] = 0xC0;
    in = pyro_reader_of(deep, sizeof deep);
    assert_int_equal(pyro_json_get(&in, printed, sizeof printed),
                     PYRO_ERR_DATA);
    assert_ptr_equal(in.at, deep);
    assert_int_equal(in.err, PYRO_OK);
    assert_string_equal(printed, "untouched");
}

TEST(a_writer_too_small_by_any_number_is_left_as_it_was)
{
    static const char text[] =
        "[1,\"abc\",{\"a\":1.5,\"b\":{\"$bytes\":\"0102\"}},[],{}]";
    size_t n;
    size_t size;

    assert_int_equal(put(text, &n, NULL), PYRO_OK);
    for (size = 0; size <= n; size++) {
        char          copy[sizeof text];
        uint8_t      *room = test_room(size);
        pyro_writer   out = pyro_writer_of(room, size, 1);
        pyro_writer   before = out;
        pyro_json_why why = { NULL, 0 };

        memcpy(copy, text, sizeof text);
        test_eq(text, pyro_json_put(&out, copy, &why),
                size < n ? PYRO_ERR_NOSPACE : PYRO_OK);
        if (size == n)
            break;
        assert_memory_equal(&out, &before, sizeof out);
        assert_string_equal(why.text, pyro_err_text(PYRO_ERR_NOSPACE));
    }
}

TEST(a_value_that_nobody_waits_for_is_refused)
{
    pyro_writer   out = pyro_writer_of(bytes, sizeof bytes, 0);
    char          text[] = "[1]";
    pyro_json_why why = { NULL, 0 };

    assert_int_equal(pyro_json_put(&out, text, &why), PYRO_ERR_STATE);
    assert_non_null(why.text);
    assert_ptr_equal(out.at, bytes);
}

TEST(several_texts_may_follow_each_other_in_one_writer)
{
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    char        one[] = "{\"a\":1}";
    char        wrong[] = "[1,2";
    char        two[] = "\"b\"";

    pyro_put_list(&out, 2);
    assert_int_equal(pyro_json_put(&out, one, NULL), PYRO_OK);
    assert_int_equal(pyro_json_put(&out, wrong, NULL), PYRO_ERR_DATA);
    assert_int_equal(pyro_json_put(&out, two, NULL), PYRO_OK);
    assert_int_equal(pyro_writer_end(&out), PYRO_OK);
    test_same_hex("both", bytes, (size_t)(out.at - bytes), "9281a16101a162");
}

TEST(a_text_is_never_printed_past_its_room)
{
    static const char text[] =
        "[1,\"a\\u0001\xc3\xa9\",{\"$$a\":1.5},{\"$bytes\":\"0102\"},[[]],{}]";
    char        printed[256];
    pyro_reader in;
    size_t      n;
    size_t      need;
    size_t      size;

    assert_int_equal(put(text, &n, NULL), PYRO_OK);
    in = pyro_reader_of(bytes, n);
    assert_int_equal(pyro_json_get(&in, printed, sizeof printed), PYRO_OK);
    need = strlen(printed) + 1;
    for (size = 0; size <= need; size++) {
        char *room = (char *)test_room(size);

        in = pyro_reader_of(bytes, n);
        test_eq(text, pyro_json_get(&in, room, size),
                size < need ? PYRO_ERR_NOSPACE : PYRO_OK);
        test_eq(text, in.at - bytes, size < need ? 0 : (int64_t)n);
    }
    assert_string_equal((char *)test_fence() - need, printed);
}

TEST(bytes_that_are_no_value_are_not_printed)
{
    static const char *const rows[] = {
        "", "c1", "91", "a2 61", "81 a161", "a1 ff", "c402 00", "cb 00"
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t     data[16];
        size_t      n = test_hex(data, sizeof data, rows[i]);
        pyro_reader in = pyro_reader_of(test_fenced(data, n), n);
        char        to[64];

        test_eq(rows[i], pyro_json_get(&in, to, sizeof to), PYRO_ERR_DATA);
    }
}

TEST(floats_of_32_bits_are_printed_with_their_own_digits)
{
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = { { "ca3dcccccd", "0.1" },
                 { "ca41ab3333", "21.4" },
                 { "ca00000001", "1e-45" },
                 { "ca7f7fffff", "3.4028235e+38" },
                 { "ca80000000", "-0.0" },
                 { "ca7f800000", "{\"$float\":\"inf\"}" },
                 { "caff800000", "{\"$float\":\"-inf\"}" },
                 { "ca7fc00000", "{\"$float\":\"nan\"}" } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t     data[8];
        size_t      n = test_hex(data, sizeof data, rows[i].hex);
        pyro_reader in = pyro_reader_of(data, n);
        char        text[40];

        test_eq(rows[i].hex, pyro_json_get(&in, text, sizeof text), PYRO_OK);
        assert_string_equal(text, rows[i].text);
    }
}

TEST(any_float_is_read_as_the_same_bits_again)
{
    uint32_t seed = 4711;
    unsigned i;

    for (i = 0; i < 20000; i++) {
        uint64_t    bits = test_random64(&seed);
        double      v;
        uint8_t     one[9];
        char        text[40];
        pyro_writer out = pyro_writer_of(one, sizeof one, 1);
        pyro_reader in = pyro_reader_of(one, sizeof one);
        size_t      n;

        if ((bits >> 52 & 0x7FF) == 0x7FF)
            bits ^= (uint64_t)1 << 60; /* no number */
        memcpy(&v, &bits, 8);
        pyro_put_f64(&out, v);
        assert_int_equal(pyro_json_get(&in, text, sizeof text), PYRO_OK);
        test_eq(text, put(text, &n, NULL), PYRO_OK);
        test_same(text, bytes, n, one, 9);
    }
}

TEST(any_value_comes_back_the_same_and_fits_the_stated_room)
{
    static uint8_t value[4096];
    static char    text[PYRO_JSON_BYTES(4096)];
    uint32_t       seed = 12;
    unsigned       i;

    for (i = 0; i < 20000; i++) {
        pyro_writer   out = pyro_writer_of(value, sizeof value, 1);
        pyro_reader   in;
        size_t        m;
        size_t        n;
        pyro_json_why why = { "", 0 };

        any_value(&out, &seed, 5, ANY_BYTES | ANY_EXT | ANY_KEYS);
        if (pyro_writer_end(&out) != PYRO_OK)
            continue; /* too long */
        m = (size_t)(out.at - value);
        in = pyro_reader_of(value, m);
        assert_int_equal(pyro_json_get(&in, text, PYRO_JSON_BYTES(m)),
                         PYRO_OK);
        if (put(text, &n, &why) != PYRO_OK)
            fail_msg("%s: %s at %u", text, why.text, (unsigned)why.at);
        test_same(text, bytes, n, value, m);
    }
}

TEST(the_room_stated_is_enough_for_the_longest_texts)
{
    static const char *const rows[] = { "c400",   "c2",      "a0",
                                        "a101",   "81c0c0",  "ca7f800000",
                                        "c70005", "81a124c0" };
    size_t                   i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t     data[256] = { 0xDC, 0, 20 };
        size_t      n = test_hex(data + 3, 32, rows[i]);
        unsigned    k;
        pyro_reader in;

        for (k = 1; k < 20; k++)
            memcpy(data + 3 + k * n, data + 3, n);
        n = 3 + 20 * n;
        in = pyro_reader_of(data, n);
        test_eq(rows[i],
                pyro_json_get(&in, (char *)test_room(PYRO_JSON_BYTES(n)),
                              PYRO_JSON_BYTES(n)),
                PYRO_OK);
    }
}

TEST(no_text_that_is_cut_short_is_taken)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\u20ac\\ud83d\\ude00\"],\"b\":{\"$bytes\":"
        "\"00ff\"},\"c\":{\"$raw\":\"d40102\"},\"d\":[true,false,null,{}]}";
    size_t n;
    size_t cut;

    assert_int_equal(put(text, &n, NULL), PYRO_OK);
    for (cut = 0; cut < sizeof text - 1; cut++) {
        char          part[sizeof text];
        pyro_json_why why = { NULL, 999 };

        memcpy(part, text, cut);
        part[cut] = 0;
        test_eq(part, put(part, &n, &why), PYRO_ERR_DATA);
        assert_true(why.at <= cut);
    }
}

TEST(damaged_texts_are_refused_or_mean_what_they_print)
{
    static const char text[] =
        "{\"a\":[1,-2.5e3,\"x\\u20ac\\ud83d\\ude00\"],\"b\":{\"$bytes\":"
        "\"00ff\"},\"c\":{\"$raw\":\"d40102\"},\"d\":[true,false,null,{}]}";
    static const char with[] = "\"\\{}[],:0-.eu$ x\x80\xff\x01";
    uint32_t          seed = 99;
    unsigned          taken = 0;
    unsigned          i;

    for (i = 0; i < 50000; i++) {
        char        part[sizeof text];
        char        printed[1024];
        uint8_t     first[512];
        unsigned    k = 1 + test_random(&seed) % 4;
        size_t      n;
        size_t      m;
        pyro_reader in;

        memcpy(part, text, sizeof text);
        while (k-- > 0)
            part[test_random(&seed) % (sizeof text - 1)] =
                with[test_random(&seed) % (sizeof with - 1)];
        if (put(part, &n, NULL) != PYRO_OK)
            continue;
        taken++;
        assert_true(n <= sizeof first);
        memcpy(first, bytes, n);
        in = pyro_reader_of(first, n);
        test_eq(part, pyro_json_get(&in, printed, sizeof printed), PYRO_OK);
        test_eq(part, put(printed, &m, NULL), PYRO_OK);
        test_same(part, bytes, m, first, n);
    }
    assert_in_range(taken, 100, 49000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_read_and_printed),
        cmocka_unit_test(what_is_no_json_is_refused_with_reason_and_place),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused_in_strings),
        cmocka_unit_test(depth_is_bounded_where_the_reader_bounds_it),
        cmocka_unit_test(at_the_greatest_depth_there_may_still_be_bytes),
        cmocka_unit_test(values_too_deep_are_not_printed),
        cmocka_unit_test(a_writer_too_small_by_any_number_is_left_as_it_was),
        cmocka_unit_test(a_value_that_nobody_waits_for_is_refused),
        cmocka_unit_test(several_texts_may_follow_each_other_in_one_writer),
        cmocka_unit_test(a_text_is_never_printed_past_its_room),
        cmocka_unit_test(bytes_that_are_no_value_are_not_printed),
        cmocka_unit_test(floats_of_32_bits_are_printed_with_their_own_digits),
        cmocka_unit_test(any_float_is_read_as_the_same_bits_again),
        cmocka_unit_test(
            any_value_comes_back_the_same_and_fits_the_stated_room),
        cmocka_unit_test(the_room_stated_is_enough_for_the_longest_texts),
        cmocka_unit_test(no_text_that_is_cut_short_is_taken),
        cmocka_unit_test(damaged_texts_are_refused_or_mean_what_they_print)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
