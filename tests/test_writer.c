/* The writer: golden bytes, limits of memory and of counting, what it
 * refuses. What can be read back is read back. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

#define BIG 70000u /* longer than a length of 16 bits */

static uint8_t big[BIG];

/* Puts of every kind, for the tests that need one of each. */
enum { PUTS = 13 };

static void put_scalar(pyro_writer *out, unsigned which)
{
    switch (which) {
    case 0:
        pyro_put_nil(out);
        break;
    case 1:
        pyro_put_bool(out, true);
        break;
    case 2:
        pyro_put_int(out, -7);
        break;
    case 3:
        pyro_put_uint(out, 7);
        break;
    case 4:
        pyro_put_f32(out, 1);
        break;
    default:
        pyro_put_f64(out, 1);
    }
}

static void put_any(pyro_writer *out, unsigned which)
{
    switch (which) {
    case 6:
        pyro_put_str(out, "x");
        break;
    case 7:
        pyro_put_strn(out, "xy", 1);
        break;
    case 8:
        pyro_put_bin(out, "x", 1);
        break;
    case 9:
        pyro_put_list(out, 1);
        break;
    case 10:
        pyro_put_map(out, 1);
        break;
    case 11:
        pyro_put_raw(out, "\xC0", 1);
        break;
    case 12:
        pyro_put(out, pyro_nil());
        break;
    default:
        put_scalar(out, which);
    }
}

/* The widths, from both sides: one step more takes one byte more. */
static const struct {
    const char *label;
    int64_t     v;
    const char *hex;
} ints[] = { { "0", 0, "00" },
             { "1", 1, "01" },
             { "127", 127, "7f" },
             { "128", 128, "cc 80" },
             { "255", 255, "cc ff" },
             { "256", 256, "cd 01 00" },
             { "65535", 65535, "cd ff ff" },
             { "65536", 65536, "ce 00 01 00 00" },
             { "2^31", 2147483648LL, "ce 80 00 00 00" },
             { "2^32-1", 4294967295LL, "ce ff ff ff ff" },
             { "2^32", 4294967296LL, "cf 00 00 00 01 00 00 00 00" },
             { "int64 max", INT64_MAX, "cf 7f ff ff ff ff ff ff ff" },
             { "-1", -1, "ff" },
             { "-32", -32, "e0" },
             { "-33", -33, "d0 df" },
             { "-128", -128, "d0 80" },
             { "-129", -129, "d1 ff 7f" },
             { "-32768", -32768, "d1 80 00" },
             { "-32769", -32769, "d2 ff ff 7f ff" },
             { "-2^31", -2147483647LL - 1, "d2 80 00 00 00" },
             { "-2^31-1", -2147483647LL - 2, "d3 ff ff ff ff 7f ff ff ff" },
             { "int64 min", INT64_MIN, "d3 80 00 00 00 00 00 00 00" } };

/* One value put by put_any or a row: its bytes, and that each smaller memory
 * is refused without a byte written. */
static void golden(const char *label, const pyro_value *v, const char *hex)
{
    uint8_t     want[32];
    size_t      n = test_hex(want, sizeof want, hex);
    uint8_t    *to = test_room(n);
    pyro_writer out = pyro_writer_of(to, n, 1);
    size_t      size;

    pyro_put(&out, *v);
    test_eq(label, pyro_writer_end(&out), PYRO_OK);
    test_eq(label, out.at - to, n);
    test_same(label, to, n, want, n);
    for (size = 0; size < n; size++) {
        to = test_room(size);
        out = pyro_writer_of(to, size, 1);
        pyro_put(&out, *v);
        test_eq(label, pyro_writer_end(&out), PYRO_ERR_NOSPACE);
        test_eq(label, out.at - to, 0);
        test_eq(label, out.more, 1);
        test_eq(label, test_untouched(to, size), 1);
    }
}

TEST(integers_take_their_shortest_form_and_come_back)
{
    uint8_t bytes[16];
    size_t  i;

    for (i = 0; i < PYRO_COUNT(ints); i++) {
        pyro_value  v = pyro_int(ints[i].v);
        size_t      n = test_hex(bytes, sizeof bytes, ints[i].hex);
        pyro_reader in = pyro_reader_of(test_fenced(bytes, n), n);

        test_eq(ints[i].label, pyro_peek(&in), PYRO_INT);
        test_eq(ints[i].label, pyro_get_i64(&in), ints[i].v);
        test_eq(ints[i].label, in.err, PYRO_OK);
        test_eq(ints[i].label, pyro_more(&in), false);
        golden(ints[i].label, &v, ints[i].hex);
        if (ints[i].v < 0)
            continue;
        v = pyro_uint((uint64_t)ints[i].v);
        golden(ints[i].label, &v, ints[i].hex);
    }
}

TEST(scalars_have_their_bytes)
{
    const struct {
        const char *label;
        pyro_value  v;
        const char *hex;
    } rows[] = {
        { "nil", pyro_nil(), "c0" },
        { "false", pyro_bool(false), "c2" },
        { "true", pyro_bool(true), "c3" },
        { "2^63", pyro_uint((uint64_t)1 << 63), "cf 80 00 00 00 00 00 00 00" },
        { "2^64-1", pyro_uint(UINT64_MAX), "cf ff ff ff ff ff ff ff ff" },
        { "1.5f", pyro_f32(1.5f), "ca 3f c0 00 00" },
        { "-0f", pyro_f32(-0.0f), "ca 80 00 00 00" },
        { "0.1", pyro_f64(0.1), "cb 3f b9 99 99 99 99 99 9a" },
        { "-1", pyro_f64(-1), "cb bf f0 00 00 00 00 00 00" },
        { "str", pyro_str("h\xC3\xA9"), "a3 'h' c3 a9" },
        { "empty str", pyro_str(""), "a0" },
        { "str with zero", pyro_strn("a\0b", 3), "a3 'a' 00 'b'" },
        { "bin", pyro_bin("\x80\xFF", 2), "c4 02 80 ff" },
        { "empty bin", pyro_bin("", 0), "c4 00" },
        { "raw", pyro_raw("\x92\x01\xC0", 3), "92 01 c0" }
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++)
        golden(rows[i].label, &rows[i].v, rows[i].hex);
}

/* Lengths on both sides of each step, with the header they begin with. */
static const struct {
    uint32_t    n;
    const char *str;
    const char *bin;
} lengths[] = { { 0, "a0", "c4 00" },
                { 1, "a1", "c4 01" },
                { 31, "bf", "c4 1f" },
                { 32, "d9 20", "c4 20" },
                { 255, "d9 ff", "c4 ff" },
                { 256, "da 01 00", "c5 01 00" },
                { 65535, "da ff ff", "c5 ff ff" },
                { 65536, "db 00 01 00 00", "c6 00 01 00 00" },
                { BIG, "db 00 01 11 70", "c6 00 01 11 70" } };

/* Puts n bytes as str or bin into `size` bytes; gives the writer. */
static pyro_writer put_long(bool str, uint32_t n, uint8_t *to, size_t size)
{
    pyro_writer out = pyro_writer_of(to, size, 1);

    if (str)
        pyro_put_strn(&out, (const char *)big, n);
    else
        pyro_put_bin(&out, big, n);
    return out;
}

static void check_long(bool str, uint32_t n, const char *hex)
{
    uint8_t     want[8];
    size_t      head = test_hex(want, sizeof want, hex);
    size_t      whole = head + n;
    uint8_t    *to = test_room(whole);
    pyro_writer out = put_long(str, n, to, whole);
    size_t      i;

    test_eq(hex, out.err, PYRO_OK);
    test_eq(hex, out.at - to, whole);
    test_same(hex, to, head, want, head);
    test_same(hex, to + head, n, big, n);
    for (i = 1; i <= head + 1 && i <= whole; i++) {
        to = test_room(whole - i);
        out = put_long(str, n, to, whole - i);
        test_eq(hex, out.err, PYRO_ERR_NOSPACE);
        test_eq(hex, out.at - to, 0);
        test_eq(hex, test_untouched(to, whole - i), 1);
    }
    to = test_room(whole + 1);
    out = put_long(str, n, to, whole + 1);
    test_eq(hex, out.at - to, whole);
    test_eq(hex, to[whole], TEST_FILL);
}

TEST(every_length_fits_exactly_and_not_into_one_byte_less)
{
    size_t i;

    memset(big, 'b', sizeof big);
    for (i = 0; i < PYRO_COUNT(lengths); i++) {
        check_long(true, lengths[i].n, lengths[i].str);
        check_long(false, lengths[i].n, lengths[i].bin);
    }
}

static const struct {
    uint32_t    n;
    const char *list;
    const char *map;
} heads[] = { { 0, "90", "80" },
              { 1, "91", "81" },
              { 15, "9f", "8f" },
              { 16, "dc 00 10", "de 00 10" },
              { 255, "dc 00 ff", "de 00 ff" },
              { 256, "dc 01 00", "de 01 00" },
              { 65535, "dc ff ff", "de ff ff" },
              { 65536, "dd 00 01 00 00", "df 00 01 00 00" },
              { 2147483647, "dd 7f ff ff ff", "df 7f ff ff ff" } };

TEST(lists_and_maps_have_the_header_of_their_count)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(heads); i++) {
        uint8_t     to[8];
        pyro_writer out = pyro_writer_of(to, sizeof to, 1);

        pyro_put_list(&out, heads[i].n);
        test_same_hex("list", to, (size_t)(out.at - to), heads[i].list);
        test_eq(heads[i].list, out.owed, heads[i].n);
        out = pyro_writer_of(to, sizeof to, 1);
        pyro_put_map(&out, heads[i].n);
        test_same_hex("map", to, (size_t)(out.at - to), heads[i].map);
        test_eq(heads[i].map, out.owed, (int64_t)heads[i].n * 2);
        test_eq(heads[i].map, out.err, PYRO_OK);
        test_eq(heads[i].map, pyro_writer_end(&out),
                heads[i].n == 0 ? PYRO_OK : PYRO_ERR_DATA);
    }
}

TEST(more_values_owed_than_can_be_counted_are_no_space)
{
    uint8_t     to[16];
    pyro_writer out = pyro_writer_of(to, sizeof to, 1);

    pyro_put_map(&out, 0x80000000u);
    test_eq("map of 2^31", out.err, PYRO_ERR_NOSPACE);
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put_map(&out, UINT32_MAX);
    test_eq("map of 2^32-1", out.err, PYRO_ERR_NOSPACE);
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put_list(&out, UINT32_MAX);
    test_eq("list of 2^32-1", out.err, PYRO_OK);
    test_eq("list of 2^32-1", out.owed, UINT32_MAX);
    pyro_put_list(&out, 1);
    test_eq("and one inside", out.err, PYRO_OK);
    test_eq("and one inside", out.owed, UINT32_MAX);
    pyro_put_list(&out, 2);
    test_eq("and two inside", out.err, PYRO_ERR_NOSPACE);
    test_eq("and two inside", pyro_writer_end(&out), PYRO_ERR_NOSPACE);
}

TEST(a_list_owes_its_values_and_nothing_after_them)
{
    uint8_t     to[16];
    pyro_writer out = pyro_writer_of(to, sizeof to, 1);

    pyro_put_list(&out, 2);
    test_eq("none of two", pyro_writer_end(&out), PYRO_ERR_DATA);
    pyro_put_nil(&out);
    test_eq("one of two", pyro_writer_end(&out), PYRO_ERR_DATA);
    pyro_put_nil(&out);
    test_eq("two of two", pyro_writer_end(&out), PYRO_OK);
    pyro_put_nil(&out);
    test_eq("three of two", pyro_writer_end(&out), PYRO_ERR_STATE);
    test_same_hex("bytes", to, (size_t)(out.at - to), "92 c0 c0");
}

TEST(a_map_owes_two_values_for_each_entry)
{
    uint8_t     to[16];
    pyro_writer out = pyro_writer_of(to, sizeof to, 1);

    pyro_put_map(&out, 1);
    pyro_put_str(&out, "k");
    test_eq("key alone", pyro_writer_end(&out), PYRO_ERR_DATA);
    pyro_put_list(&out, 0);
    test_eq("key and value", pyro_writer_end(&out), PYRO_OK);
    pyro_put_map(&out, 0);
    test_eq("one too many", pyro_writer_end(&out), PYRO_ERR_STATE);
    test_same_hex("bytes", to, (size_t)(out.at - to), "81 a1 'k' 90");
}

TEST(what_is_nested_is_owed_as_well)
{
    uint8_t     to[32];
    pyro_writer out = pyro_writer_of(to, sizeof to, 2);

    pyro_put_list(&out, 3);
    pyro_put_map(&out, 2);
    test_eq("two left, four new", out.owed, 6);
    pyro_put_nil(&out);
    pyro_put_list(&out, 0);
    pyro_put_nil(&out);
    pyro_put_raw(&out, "\x92\x01\x02", 3);
    test_eq("a raw list is one value", out.owed, 2);
    pyro_put_nil(&out);
    pyro_put_nil(&out);
    test_eq("done", pyro_writer_end(&out), PYRO_OK);
    test_eq("a second value", out.more, 1);
    pyro_put_nil(&out);
    test_eq("done", pyro_writer_end(&out), PYRO_OK);
    pyro_put_nil(&out);
    test_eq("a third", pyro_writer_end(&out), PYRO_ERR_STATE);
}

TEST(a_writer_takes_as_many_values_as_it_was_made_for)
{
    static const unsigned counts[] = { 0, 1, 2, 15, 254, 255 };
    uint8_t               to[300];
    size_t                i;
    unsigned              n;

    for (i = 0; i < PYRO_COUNT(counts); i++) {
        pyro_writer out = pyro_writer_of(to, sizeof to, counts[i]);

        for (n = 0; n < counts[i]; n++)
            pyro_put_nil(&out);
        test_eq("all", pyro_writer_end(&out), PYRO_OK);
        test_eq("all", out.at - to, counts[i]);
        pyro_put_nil(&out);
        test_eq("one more", pyro_writer_end(&out), PYRO_ERR_STATE);
        test_eq("one more", out.at - to, counts[i]);
    }
}

/* Brings a writer into each error there is, with room left. */
static pyro_writer spoiled(uint8_t *to, size_t size, pyro_err err)
{
    pyro_value  none = { 0 };
    pyro_writer out = pyro_writer_of(to, size, err != PYRO_ERR_STATE);

    pyro_put_list(&out, 2);
    switch (err) {
    case PYRO_ERR_NOSPACE:
        pyro_put_bin(&out, big, size);
        break;
    case PYRO_ERR_DATA:
        pyro_put_strn(&out, "\xFF", 1);
        break;
    case PYRO_ERR_TYPE:
        pyro_put(&out, none);
        break;
    default:
        break; /* the list was one value too many */
    }
    test_eq("first error", out.err, err);
    return out;
}

/* Puts that would be errors of their own. */
static void put_worse(pyro_writer *out)
{
    const pyro_value none = { 0 };

    pyro_put_strn(out, "\xFF", 1);
    pyro_put_raw(out, "\xC1", 1);
    pyro_put_map(out, UINT32_MAX);
    pyro_put_bin(out, big, 64);
    pyro_put_here(out, "");
    pyro_put(out, none);
}

TEST(the_first_error_stays_and_later_puts_do_nothing)
{
    static const pyro_err errs[] = { PYRO_ERR_NOSPACE, PYRO_ERR_DATA,
                                     PYRO_ERR_TYPE, PYRO_ERR_STATE };
    size_t                i;
    unsigned              which;

    for (i = 0; i < PYRO_COUNT(errs); i++) {
        for (which = 0; which < PUTS; which++) {
            uint8_t    *to = test_room(64);
            pyro_writer out = spoiled(to, 64, errs[i]);
            pyro_writer was = out;
            size_t      n = (size_t)(out.at - to);

            put_any(&out, which);
            put_worse(&out);
            test_eq("err", out.err, errs[i]);
            test_eq("end", pyro_writer_end(&out), errs[i]);
            test_eq("at", out.at - was.at, 0);
            test_eq("owed", out.owed, was.owed);
            test_eq("more", out.more, was.more);
            test_eq("bytes", test_untouched(to + n, 64 - n), 1);
        }
    }
}

TEST(every_put_that_nobody_waits_for_is_refused)
{
    unsigned which;

    for (which = 0; which < PUTS; which++) {
        uint8_t    *to = test_room(32);
        pyro_writer out = pyro_writer_of(to, 32, 0);

        put_any(&out, which);
        test_eq("err", out.err, PYRO_ERR_STATE);
        test_eq("owed", out.owed, 0);
        test_eq("bytes", test_untouched(to, 32), 1);
    }
}

TEST(every_put_into_no_memory_is_refused)
{
    unsigned which;

    for (which = 0; which < PUTS; which++) {
        pyro_writer out = pyro_writer_of(test_fence(), 0, 1);

        put_any(&out, which);
        test_eq("err", out.err, PYRO_ERR_NOSPACE);
        test_eq("owed", out.owed, 0);
        test_eq("more", out.more, 1);
        out = pyro_writer_of(NULL, 0, 1);
        put_any(&out, which);
        test_eq("err", out.err, PYRO_ERR_NOSPACE);
    }
}

TEST(text_that_is_no_utf8_is_not_put)
{
    const test_row *row;
    size_t          i;

    for (i = 0; (row = test_bad_utf8(i)) != NULL; i++) {
        uint8_t     text[32];
        size_t      n = test_hex(text, sizeof text, row->hex);
        uint8_t     to[32];
        pyro_writer out = pyro_writer_of(to, sizeof to, 1);

        memset(to, TEST_FILL, sizeof to);
        pyro_put_strn(&out, (const char *)test_fenced(text, n), n);
        test_eq(row->label, out.err, PYRO_ERR_DATA);
        test_eq(row->label, out.at - to, 0);
        test_eq(row->label, test_untouched(to, sizeof to), 1);
        out = pyro_writer_of(to, sizeof to, 1);
        pyro_put_bin(&out, text, n);
        test_eq("as bytes it may", out.err, PYRO_OK);
    }
}

/* Puts a text of n bytes into a list of one, for which `room` bytes at `to`
 * may be written to. */
static unsigned put_listed(const uint8_t *text, size_t n, uint8_t to[48],
                           size_t room)
{
    pyro_writer out = pyro_writer_of(to, room, 1);

    memset(to, TEST_FILL, 48);
    pyro_put_list(&out, 1);
    pyro_put_strn(&out, (const char *)test_fenced(text, n), n);
    return (unsigned)pyro_writer_end(&out);
}

TEST(a_text_in_a_list_is_put_as_it_is_or_not_at_all)
{
    uint8_t text[40];
    uint8_t to[48];
    size_t  n;
    size_t  i;

    for (i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)('A' + i);
    for (n = 0; n <= sizeof text; n++) {
        size_t head = n < 32 ? 2 : 3;

        test_eq("err", put_listed(text, n, to, head + n), PYRO_OK);
        test_eq("head", to[head - 1], n < 32 ? 0xA0 + n : n);
        test_same("text", to + head, n, text, n);
        test_eq("behind it", test_untouched(to + head + n, 48 - head - n), 1);
        test_eq("a byte too few", put_listed(text, n, to, head + n - 1),
                PYRO_ERR_NOSPACE);
        test_eq("nothing put", test_untouched(to + 1, 47), 1);
        for (i = 0; i < n; i++) {
            text[i] |= 0x80;
            test_eq("no text", put_listed(text, n, to, 48), PYRO_ERR_DATA);
            test_eq("nothing put", test_untouched(to + 1, 47), 1);
            text[i] &= 0x7F;
        }
    }
}

TEST(text_and_bytes_of_length_0_need_no_memory)
{
    uint8_t     to[4];
    pyro_writer out = pyro_writer_of(to, sizeof to, 3);

    pyro_put_strn(&out, NULL, 0);
    pyro_put_bin(&out, NULL, 0);
    test_eq("err", pyro_writer_end(&out), PYRO_OK);
    test_same_hex("bytes", to, (size_t)(out.at - to), "a0 c4 00");
    pyro_put_raw(&out, NULL, 0);
    test_eq("nothing is no value", out.err, PYRO_ERR_DATA);
}

#if SIZE_MAX > 0xFFFFFFFF
/* The length is what is wrong, so no byte of it may be looked at. */
TEST(lengths_over_32_bits_are_refused_and_not_cut)
{
    static const size_t more = (size_t)1 << 32;
    uint8_t             to[16];
    pyro_writer         out = pyro_writer_of(to, sizeof to, 1);

    pyro_put_bin(&out, test_fenced("abc", 3), more + 3);
    test_eq("bin", out.err, PYRO_ERR_NOSPACE);
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put_strn(&out, (const char *)test_fenced("abc", 3), more + 3);
    test_eq("str", out.err, PYRO_ERR_NOSPACE);
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put_raw(&out, test_fenced("\xC0", 1), more + 1);
    assert_int_not_equal(out.err, PYRO_OK);
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put(&out, pyro_bin(test_fenced("abc", 3), more + 3));
    assert_int_not_equal(out.err, PYRO_OK);
}
#endif

TEST(raw_is_put_when_it_is_exactly_one_value)
{
    static const test_row rows[] = {
        { "nil", "c0" },
        { "long form of 1", "cf 00 00 00 00 00 00 00 01" },
        { "nested", "82 a1 'a' 92 01 90 c3 c4 00" },
        { "ext", "d4 07 2a" },
        { "empty ext", "c7 00 07" }
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t    raw[32];
        size_t     n = test_hex(raw, sizeof raw, rows[i].hex);
        pyro_value v = pyro_raw(raw, n);

        golden(rows[i].label, &v, rows[i].hex);
    }
}

TEST(raw_that_is_not_exactly_one_value_is_refused)
{
    static const test_row rows[] = { { "nothing", "" },
                                     { "half a value", "cd 01" },
                                     { "header alone", "92" },
                                     { "half a list", "92 c0" },
                                     { "half a map", "81 a1 'a'" },
                                     { "two values", "c0 c0" },
                                     { "list and a byte", "91 c0 c0" },
                                     { "the tag that is none", "c1" },
                                     { "that tag inside", "91 c1" },
                                     { "text that is none", "91 a1 ff" },
                                     { "half an ext", "d4 07" } };
    size_t                i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint8_t     raw[32];
        size_t      n = test_hex(raw, sizeof raw, rows[i].hex);
        uint8_t     to[32];
        pyro_writer out = pyro_writer_of(to, sizeof to, 1);

        memset(to, TEST_FILL, sizeof to);
        pyro_put_raw(&out, test_fenced(raw, n), n);
        test_eq(rows[i].label, out.err, PYRO_ERR_DATA);
        test_eq(rows[i].label, out.more, 1);
        test_eq(rows[i].label, test_untouched(to, sizeof to), 1);
    }
}

TEST(raw_is_put_down_to_the_depth_that_can_be_read)
{
    uint8_t  raw[PYRO_MAX_DEPTH + 2];
    uint8_t  to[sizeof raw];
    unsigned depth;

    for (depth = PYRO_MAX_DEPTH - 1; depth <= PYRO_MAX_DEPTH + 1; depth++) {
        pyro_writer out = pyro_writer_of(to, sizeof to, 1);

        memset(raw, 0x91, depth);
        raw[depth - 1] = 0x90;
        pyro_put_raw(&out, raw, depth);
        test_eq("depth", out.err,
                depth <= PYRO_MAX_DEPTH ? PYRO_OK : PYRO_ERR_DATA);
    }
}

/* Whatever is put, in whatever order: what the writer calls complete is one
 * value, and what it calls owed is not. */
TEST(a_writer_without_an_error_never_holds_a_malformed_message)
{
    uint32_t seed = 11;
    unsigned run;

    for (run = 0; run < 20000; run++) {
        size_t      size = test_random(&seed) % 24;
        uint8_t    *to = test_room(size);
        pyro_writer out = pyro_writer_of(to, size, 1);
        unsigned    puts = test_random(&seed) % 12;
        pyro_reader in;

        for (; puts > 0; puts--)
            put_any(&out, test_random(&seed) % PUTS);
        if (out.err != PYRO_OK || out.more != 0)
            continue;
        in = pyro_reader_of(to, (size_t)(out.at - to));
        pyro_skip(&in);
        if (in.err == PYRO_OK || pyro_writer_end(&out) == PYRO_OK) {
            test_eq("end", pyro_writer_end(&out), PYRO_OK);
            test_eq("skip", in.err, PYRO_OK);
            test_eq("left", in.end - in.at, 0);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(integers_take_their_shortest_form_and_come_back),
    cmocka_unit_test(scalars_have_their_bytes),
    cmocka_unit_test(every_length_fits_exactly_and_not_into_one_byte_less),
    cmocka_unit_test(lists_and_maps_have_the_header_of_their_count),
    cmocka_unit_test(more_values_owed_than_can_be_counted_are_no_space),
    cmocka_unit_test(a_list_owes_its_values_and_nothing_after_them),
    cmocka_unit_test(a_map_owes_two_values_for_each_entry),
    cmocka_unit_test(what_is_nested_is_owed_as_well),
    cmocka_unit_test(a_writer_takes_as_many_values_as_it_was_made_for),
    cmocka_unit_test(the_first_error_stays_and_later_puts_do_nothing),
    cmocka_unit_test(every_put_that_nobody_waits_for_is_refused),
    cmocka_unit_test(every_put_into_no_memory_is_refused),
    cmocka_unit_test(text_that_is_no_utf8_is_not_put),
    cmocka_unit_test(a_text_in_a_list_is_put_as_it_is_or_not_at_all),
    cmocka_unit_test(text_and_bytes_of_length_0_need_no_memory),
#if SIZE_MAX > 0xFFFFFFFF
    cmocka_unit_test(lengths_over_32_bits_are_refused_and_not_cut),
#endif
    cmocka_unit_test(raw_is_put_when_it_is_exactly_one_value),
    cmocka_unit_test(raw_that_is_not_exactly_one_value_is_refused),
    cmocka_unit_test(raw_is_put_down_to_the_depth_that_can_be_read),
    cmocka_unit_test(a_writer_without_an_error_never_holds_a_malformed_message)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
