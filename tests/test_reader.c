/* The reader: every form, every cut, every tag, hostile counts, depth and
 * text. What is read stands before a page that cannot be read. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

/* Gets of every kind, and the type that each takes. */
static const pyro_type kinds[] = { PYRO_NIL,  PYRO_BOOL,  PYRO_INT,   PYRO_INT,
                                   PYRO_UINT, PYRO_FLOAT, PYRO_FLOAT, PYRO_STR,
                                   PYRO_BIN,  PYRO_LIST,  PYRO_MAP };
enum { I32 = 2, U64 = 4, GETS = 11 };

/* A float as a whole number; 1 when it is too large or none. */
static uint64_t whole(double d)
{
    return d > -1e15 && d < 1e15 ? (uint64_t)(int64_t)d : 1;
}

static uint64_t get_number(pyro_reader *in, unsigned which)
{
    switch (which) {
    case 0:
        pyro_get_nil(in);
        return 0;
    case 1:
        return pyro_get_bool(in);
    case 2:
        return (uint64_t)pyro_get_i32(in);
    case 3:
        return (uint64_t)pyro_get_i64(in);
    case 4:
        return pyro_get_u64(in);
    case 5:
        return whole((double)pyro_get_f32(in));
    default:
        return whole(pyro_get_f64(in));
    }
}

/* Bits of the number got, or the length of a text or list. */
static uint64_t get_any(pyro_reader *in, unsigned which)
{
    uint32_t    n = 77;
    const void *data = "";

    switch (which) {
    case 7:
        data = pyro_get_str(in, &n);
        break;
    case 8:
        data = pyro_get_bin(in, &n);
        break;
    case 9:
        return pyro_get_list(in, UINT32_MAX);
    case 10:
        return pyro_get_map(in, UINT32_MAX);
    case 11:
        data = pyro_get_raw(in, &n);
        break;
    default:
        return get_number(in, which);
    }
    assert_non_null(data);
    return n;
}

static pyro_reader fenced(const char *hex)
{
    uint8_t bytes[256];
    size_t  n = test_hex(bytes, sizeof bytes, hex);

    return pyro_reader_of(test_fenced(bytes, n), n);
}

/* A whole value each; v is its number, length or count. */
static const struct {
    const char *label;
    const char *hex;
    pyro_type   type;
    int64_t     v;
} forms[] = {
    { "nil", "c0", PYRO_NIL, 0 },
    { "false", "c2", PYRO_BOOL, 0 },
    { "true", "c3", PYRO_BOOL, 1 },
    { "1 in the tag", "01", PYRO_INT, 1 },
    { "1 as uint8", "cc 01", PYRO_INT, 1 },
    { "1 as uint16", "cd 00 01", PYRO_INT, 1 },
    { "1 as uint32", "ce 00 00 00 01", PYRO_INT, 1 },
    { "1 as uint64", "cf 00 00 00 00 00 00 00 01", PYRO_INT, 1 },
    { "1 as int8", "d0 01", PYRO_INT, 1 },
    { "1 as int16", "d1 00 01", PYRO_INT, 1 },
    { "1 as int32", "d2 00 00 00 01", PYRO_INT, 1 },
    { "1 as int64", "d3 00 00 00 00 00 00 00 01", PYRO_INT, 1 },
    { "0 as int64", "d3 00 00 00 00 00 00 00 00", PYRO_INT, 0 },
    { "-1 in the tag", "ff", PYRO_INT, -1 },
    { "-1 as int8", "d0 ff", PYRO_INT, -1 },
    { "-1 as int16", "d1 ff ff", PYRO_INT, -1 },
    { "-1 as int32", "d2 ff ff ff ff", PYRO_INT, -1 },
    { "-1 as int64", "d3 ff ff ff ff ff ff ff ff", PYRO_INT, -1 },
    { "-32", "e0", PYRO_INT, -32 },
    { "200 as int16", "d1 00 c8", PYRO_INT, 200 },
    { "65535 as uint32", "ce 00 00 ff ff", PYRO_INT, 65535 },
    { "int64 max", "cf 7f ff ff ff ff ff ff ff", PYRO_INT, INT64_MAX },
    { "int64 min", "d3 80 00 00 00 00 00 00 00", PYRO_INT, INT64_MIN },
    { "2^63", "cf 80 00 00 00 00 00 00 00", PYRO_UINT, INT64_MIN },
    { "2^64-1", "cf ff ff ff ff ff ff ff ff", PYRO_UINT, -1 },
    { "-2 as f32", "ca c0 00 00 00", PYRO_FLOAT, -2 },
    { "-2 as f64", "cb c0 00 00 00 00 00 00 00", PYRO_FLOAT, -2 },
    { "str in the tag", "a2 'hi'", PYRO_STR, 2 },
    { "str 8", "d9 02 'hi'", PYRO_STR, 2 },
    { "str 16", "da 00 02 'hi'", PYRO_STR, 2 },
    { "str 32", "db 00 00 00 02 'hi'", PYRO_STR, 2 },
    { "empty str", "a0", PYRO_STR, 0 },
    { "empty str 32", "db 00 00 00 00", PYRO_STR, 0 },
    { "bin 8", "c4 02 ff 00", PYRO_BIN, 2 },
    { "bin 16", "c5 00 02 ff 00", PYRO_BIN, 2 },
    { "bin 32", "c6 00 00 00 02 ff 00", PYRO_BIN, 2 },
    { "empty bin", "c4 00", PYRO_BIN, 0 },
    { "list in the tag", "92 c0 c0", PYRO_LIST, 2 },
    { "list 16", "dc 00 02 c0 c0", PYRO_LIST, 2 },
    { "list 32", "dd 00 00 00 02 c0 c0", PYRO_LIST, 2 },
    { "empty list", "90", PYRO_LIST, 0 },
    { "empty list 32", "dd 00 00 00 00", PYRO_LIST, 0 },
    { "map in the tag", "82 01 c0 02 c0", PYRO_MAP, 2 },
    { "map 16", "de 00 02 01 c0 02 c0", PYRO_MAP, 2 },
    { "map 32", "df 00 00 00 02 01 c0 02 c0", PYRO_MAP, 2 },
    { "empty map", "80", PYRO_MAP, 0 },
    { "ext 1", "d4 07 aa", PYRO_EXT, 0 },
    { "ext 2", "d5 07 aa bb", PYRO_EXT, 0 },
    { "ext 4", "d6 ff aa bb cc dd", PYRO_EXT, 0 },
    { "ext 8", "d7 00 '12345678'", PYRO_EXT, 0 },
    { "ext 16", "d8 00 '1234567890abcdef'", PYRO_EXT, 0 },
    { "ext of 8 bits", "c7 03 07 'abc'", PYRO_EXT, 0 },
    { "ext of 16 bits", "c8 00 03 07 'abc'", PYRO_EXT, 0 },
    { "ext of 32 bits", "c9 00 00 00 03 07 'abc'", PYRO_EXT, 0 },
    { "empty ext", "c7 00 07", PYRO_EXT, 0 },
    { "empty ext 32", "c9 00 00 00 00 07", PYRO_EXT, 0 },
    { "nested", "92 81 a1 'k' 93 01 d4 07 aa c0 c4 02 00 00", PYRO_LIST, 2 }
};

/* Whether a get takes a value of this row: its own type, a small uint as
 * int and the other way round, an integer as float. */
static bool takes(unsigned which, size_t row)
{
    pyro_type type = forms[row].type;
    int64_t   v = forms[row].v;

    if (which == U64)
        return type == PYRO_UINT || (type == PYRO_INT && v >= 0);
    if (which == I32)
        return type == PYRO_INT && v >= INT32_MIN && v <= INT32_MAX;
    if (kinds[which] == PYRO_FLOAT)
        return type == PYRO_FLOAT || type == PYRO_INT;
    return type == kinds[which];
}

/* int64 as float and back again is another number or out of range. */
static bool exact(unsigned which, int64_t v)
{
    return kinds[which] != PYRO_FLOAT || (v > -65536 && v < 65536);
}

TEST(every_form_is_taken_by_its_gets_and_refused_by_all_others)
{
    size_t   row;
    unsigned which;

    for (row = 0; row < PYRO_COUNT(forms); row++) {
        for (which = 0; which < GETS; which++) {
            pyro_reader in = fenced(forms[row].hex);
            bool        good = takes(which, row);

            test_eq(forms[row].label, pyro_peek(&in), forms[row].type);
            if (good && !exact(which, forms[row].v))
                continue;
            test_eq(forms[row].label, get_any(&in, which),
                    good ? forms[row].v : 0);
            test_eq(forms[row].label, in.err, good ? PYRO_OK : PYRO_ERR_TYPE);
            if (!good)
                test_eq(forms[row].label, in.at == in.end, true);
        }
    }
}

TEST(every_form_is_skipped_and_viewed_as_a_whole)
{
    size_t row;

    for (row = 0; row < PYRO_COUNT(forms); row++) {
        pyro_reader    in = fenced(forms[row].hex);
        const uint8_t *from = in.at;
        uint32_t       n;

        assert_ptr_equal(pyro_get_raw(&in, &n), from);
        test_eq(forms[row].label, n, in.end - from);
        test_eq(forms[row].label, in.err, PYRO_OK);
        test_eq(forms[row].label, pyro_more(&in), false);
        in = pyro_reader_of(from, n);
        pyro_skip(&in);
        test_eq(forms[row].label, in.err, PYRO_OK);
        test_eq(forms[row].label, in.at == in.end, true);
    }
}

/* Reads the first `n` bytes of a form with every get. */
static void cut(const char *label, const uint8_t *bytes, size_t n,
                bool head_only)
{
    unsigned which;

    for (which = 0; which <= GETS; which++) {
        pyro_reader in = pyro_reader_of(test_fenced(bytes, n), n);

        if (head_only && which < GETS)
            continue;
        test_eq(label, get_any(&in, which), 0);
        test_eq(label, in.err, PYRO_ERR_DATA);
        test_eq(label, in.at == in.end, true);
        test_eq(label, pyro_peek(&in), PYRO_NONE);
        test_eq(label, pyro_more(&in), false);
    }
}

TEST(every_form_cut_at_every_length_is_a_data_error)
{
    uint8_t bytes[64];
    size_t  row;
    size_t  n;

    for (row = 0; row < PYRO_COUNT(forms); row++) {
        size_t whole = test_hex(bytes, sizeof bytes, forms[row].hex);

        for (n = 0; n < whole; n++) {
            pyro_reader in = pyro_reader_of(test_fenced(bytes, n), n);
            pyro_type   type = pyro_peek(&in);

            pyro_skip(&in);
            test_eq(forms[row].label, in.err, PYRO_ERR_DATA);
            if (type != PYRO_NONE) /* its entries are what is missing */
                test_eq(forms[row].label, type, forms[row].type);
            cut(forms[row].label, bytes, n, type != PYRO_NONE);
        }
    }
}

/* Bytes of number behind a tag, as the format has them. */
static unsigned width_of(unsigned tag)
{
    static const uint8_t widths[32] = {
        0, 0, 0, 0, 1, 2, 4, /* c0: nil, none, bools, bins */
        1, 2, 4,             /* c7: exts */
        4, 8,                /* ca: floats */
        1, 2, 4, 8,          /* cc: uints */
        1, 2, 4, 8,          /* d0: ints */
        0, 0, 0, 0, 0,       /* d4: exts with the length in the tag */
        1, 2, 4,             /* d9: strs */
        2, 4, 2, 4           /* dc: lists, maps */
    };

    return tag >= 0xC0 && tag < 0xE0 ? widths[tag - 0xC0] : 0;
}

/* Bytes of a value whose number is zero, so that nothing else follows. */
static unsigned size_of(unsigned tag)
{
    if (tag >= 0x80 && tag < 0x90)
        return 1 + 2 * (tag & 15);
    if (tag >= 0x90 && tag < 0xA0)
        return 1 + (tag & 15);
    if (tag >= 0xA0 && tag < 0xC0)
        return 1 + (tag & 31);
    if (tag >= 0xD4 && tag <= 0xD8)
        return 2 + (1u << (tag - 0xD4));
    return 1 + width_of(tag) + (tag >= 0xC7 && tag <= 0xC9);
}

static pyro_type type_of(unsigned tag)
{
    if (tag < 0x80 || tag >= 0xE0)
        return PYRO_INT;
    if (tag < 0x90 || tag >= 0xDE)
        return PYRO_MAP;
    if (tag < 0xA0 || tag >= 0xDC)
        return PYRO_LIST;
    if (tag < 0xC0 || tag >= 0xD9)
        return PYRO_STR;
    if (tag < 0xC2)
        return tag == 0xC0 ? PYRO_NIL : PYRO_NONE;
    if (tag < 0xC4)
        return PYRO_BOOL;
    if (tag < 0xC7)
        return PYRO_BIN;
    if (tag < 0xCA || tag >= 0xD4)
        return PYRO_EXT;
    return tag < 0xCC ? PYRO_FLOAT : PYRO_INT;
}

TEST(every_first_byte_has_its_type_and_its_size)
{
    uint8_t  bytes[64] = { 0 };
    char     label[8];
    unsigned tag;
    unsigned n;

    for (tag = 0; tag < 256; tag++) {
        unsigned whole = tag == 0xC1 ? 2 : size_of(tag);

        snprintf(label, sizeof label, "tag %02x", tag);
        bytes[0] = (uint8_t)tag;
        for (n = 1; n <= whole + 1; n++) {
            pyro_reader in = pyro_reader_of(test_fenced(bytes, n), n);

            if (n >= whole)
                test_eq(label, pyro_peek(&in), type_of(tag));
            pyro_skip(&in);
            test_eq(label, in.err,
                    tag == 0xC1 || n < whole ? PYRO_ERR_DATA : PYRO_OK);
            test_eq(label, in.end - in.at, n > whole && tag != 0xC1);
        }
    }
}

TEST(list_longer_than_the_buffer_is_a_data_error)
{
    static const test_row rows[] = { { "3 of which 2 are there", "93 c0 c0" },
                                     { "16 bits", "dc ff ff c0 c0" },
                                     { "32 bits", "dd ff ff ff ff c0 c0" },
                                     { "2^31", "dd 80 00 00 00 c0 c0" },
                                     { "behind it nothing", "91" } };
    size_t                i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        pyro_reader in = fenced(rows[i].hex);

        test_eq(rows[i].label, pyro_peek(&in), PYRO_NONE);
        test_eq(rows[i].label, pyro_get_list(&in, 1), 0);
        test_eq(rows[i].label, in.err, PYRO_ERR_DATA);
        test_eq(rows[i].label, pyro_more(&in), false);
    }
}

TEST(map_needs_two_bytes_for_each_entry)
{
    static const test_row rows[] = {
        { "2 entries in 3 bytes", "82 01 01 01" },
        { "1 entry in 1 byte", "81 01" },
        { "16 bits", "de 00 02 01 01 01" },
        { "2^31 entries, twice is 2^32", "df 80 00 00 00 01 01" },
        { "2^31 + 1 entries", "df 80 00 00 01 01 01" },
        { "2^32 - 1 entries", "df ff ff ff ff 01 01" }
    };
    size_t      i;
    pyro_reader in;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        in = fenced(rows[i].hex);
        test_eq(rows[i].label, pyro_get_map(&in, UINT32_MAX), 0);
        test_eq(rows[i].label, in.err, PYRO_ERR_DATA);
        in = fenced(rows[i].hex);
        pyro_skip(&in);
        test_eq(rows[i].label, in.err, PYRO_ERR_DATA);
    }
    in = fenced("82 01 01 01 01");
    test_eq("2 entries in 4 bytes", pyro_get_map(&in, 2), 2);
}

TEST(lengths_longer_than_the_buffer_are_data_errors)
{
    static const test_row rows[] = {
        { "str", "a2 'a'" },
        { "str 8", "d9 ff 'a'" },
        { "str 32", "db ff ff ff ff 'a'" },
        { "bin 8", "c4 02 'a'" },
        { "bin 32", "c6 ff ff ff ff 'a'" },
        { "ext without its last byte", "c7 01 07" },
        { "ext of 32 bits", "c9 ff ff ff ff 07 'a'" },
        { "ext of 2^32-2", "c9 ff ff ff fe 07 'a'" },
        { "ext 16", "d8 07 'a'" }
    };
    size_t   i;
    unsigned which;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        for (which = 0; which <= GETS; which++) {
            pyro_reader in = fenced(rows[i].hex);

            test_eq(rows[i].label, get_any(&in, which), 0);
            test_eq(rows[i].label, in.err, PYRO_ERR_DATA);
        }
    }
}

TEST(counts_are_bounded_by_the_caller)
{
    static const struct {
        uint32_t max;
        uint32_t n;
        pyro_err err;
    } rows[] = { { 4, 3, PYRO_OK },
                 { 3, 3, PYRO_OK },
                 { 2, 0, PYRO_ERR_NOSPACE },
                 { 0, 0, PYRO_ERR_NOSPACE },
                 { UINT32_MAX, 3, PYRO_OK } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        pyro_reader in = fenced("93 01 02 03");

        test_eq("list", pyro_get_list(&in, rows[i].max), rows[i].n);
        test_eq("list", in.err, rows[i].err);
        test_eq("list", pyro_more(&in), rows[i].n != 0);
        in = fenced("83 01 02 03 04 05 06");
        test_eq("map", pyro_get_map(&in, rows[i].max), rows[i].n);
        test_eq("map", in.err, rows[i].err);
    }
}

TEST(an_empty_list_fits_a_maximum_of_0)
{
    pyro_reader in = fenced("90 80");

    test_eq("list", pyro_get_list(&in, 0), 0);
    test_eq("map", pyro_get_map(&in, 0), 0);
    test_eq("err", in.err, PYRO_OK);
}

/* Containers of one entry, `depth` of them, around `core`. */
static pyro_reader nest(unsigned depth, bool map, const char *core)
{
    uint8_t  bytes[2 * PYRO_MAX_DEPTH + 16];
    size_t   n = 0;
    unsigned i;

    for (i = 0; i < depth; i++) {
        bytes[n++] = map ? 0x81 : 0x91;
        if (map)
            bytes[n++] = 0xC0;
    }
    n += test_hex(bytes + n, sizeof bytes - n, core);
    return pyro_reader_of(test_fenced(bytes, n), n);
}

TEST(values_nest_down_to_the_limit_and_no_deeper)
{
    unsigned depth;
    unsigned map;

    for (map = 0; map < 2; map++) {
        for (depth = PYRO_MAX_DEPTH - 1; depth <= PYRO_MAX_DEPTH + 2;
             depth++) {
            pyro_err want = depth <= PYRO_MAX_DEPTH ? PYRO_OK : PYRO_ERR_DATA;
            pyro_reader in = nest(depth, map != 0, "c0");

            pyro_skip(&in);
            test_eq("value inside", in.err, want);
            in = nest(depth - 1, map != 0, "90");
            pyro_skip(&in);
            test_eq("nothing inside", in.err, want);
            in = nest(depth - 1, map != 0, "80");
            pyro_skip(&in);
            test_eq("empty map inside", in.err, want);
        }
    }
}

TEST(empty_lists_side_by_side_are_not_depth)
{
    uint8_t     bytes[256];
    pyro_reader in;

    memset(bytes, 0x90, sizeof bytes);
    bytes[0] = 0xDC;
    bytes[1] = 0x00;
    bytes[2] = 0xFD;
    in = pyro_reader_of(test_fenced(bytes, sizeof bytes), sizeof bytes);
    pyro_skip(&in);
    test_eq("err", in.err, PYRO_OK);
    test_eq("left", in.end - in.at, 0);
}

TEST(a_bomb_of_lists_ends_in_a_data_error)
{
    uint8_t    *bytes = test_room(TEST_FENCED);
    pyro_reader in = pyro_reader_of(bytes, TEST_FENCED);
    uint32_t    n;

    memset(bytes, 0x91, TEST_FENCED);
    pyro_skip(&in);
    test_eq("err", in.err, PYRO_ERR_DATA);
    in = pyro_reader_of(bytes, TEST_FENCED);
    pyro_get_raw(&in, &n);
    test_eq("err", in.err, PYRO_ERR_DATA);
    test_eq("n", n, 0);
}

/* A build for short messages counts in 16 bits: refused, never cut. */
TEST(long_lists_are_skipped_to_their_end)
{
    static const uint32_t counts[] = { 65534, 65535, 65536, 70000 };
    const pyroi_size      most = (pyroi_size)UINT32_MAX;
    size_t                i;

    for (i = 0; i < PYRO_COUNT(counts) && counts[i] + 5 <= TEST_FENCED; i++) {
        size_t      n = 5 + (size_t)counts[i];
        uint8_t    *bytes = test_room(n);
        pyro_reader in = pyro_reader_of(bytes, n);

        memset(bytes, 0xC0, n);
        bytes[0] = 0xDD;
        pyroi_store32(bytes + 1, counts[i]);
        pyro_skip(&in);
        test_eq("err", in.err, counts[i] <= most ? PYRO_OK : PYRO_ERR_DATA);
        test_eq("left", in.end - in.at, 0);
        pyroi_store32(bytes + 1, counts[i] + 1);
        in = pyro_reader_of(bytes, n);
        pyro_skip(&in);
        test_eq("one too few", in.err, PYRO_ERR_DATA);
    }
}

TEST(long_texts_and_bytes_are_views_of_their_length)
{
    static const uint32_t lengths[] = { 31,    32,    255,   256,
                                        65534, 65535, 65536, 70000 };
    size_t                i;

    for (i = 0; i < PYRO_COUNT(lengths) && lengths[i] + 5 <= TEST_FENCED;
         i++) {
        size_t      n = 5 + (size_t)lengths[i];
        uint8_t    *bytes = test_room(n);
        pyro_reader in = pyro_reader_of(bytes, n);
        uint32_t    got;

        memset(bytes, 'x', n);
        bytes[0] = 0xDB;
        pyroi_store32(bytes + 1, lengths[i]);
        assert_ptr_equal(pyro_get_str(&in, &got), bytes + 5);
        test_eq("str", got, lengths[i]);
        test_eq("str", in.err, PYRO_OK);
        bytes[0] = 0xC6;
        in = pyro_reader_of(bytes, n);
        assert_ptr_equal(pyro_get_bin(&in, &got), bytes + 5);
        test_eq("bin", got, lengths[i]);
        pyroi_store32(bytes + 1, lengths[i] + 1);
        in = pyro_reader_of(bytes, n);
        pyro_get_bin(&in, &got);
        test_eq("one byte too few", in.err, PYRO_ERR_DATA);
    }
}

TEST(i32_takes_its_range_and_not_one_more)
{
    static const struct {
        const char *hex;
        int32_t     v;
        pyro_err    err;
    } rows[] = { { "ce 7f ff ff ff", INT32_MAX, PYRO_OK },
                 { "ce 80 00 00 00", 0, PYRO_ERR_TYPE },
                 { "d2 80 00 00 00", INT32_MIN, PYRO_OK },
                 { "d3 ff ff ff ff 80 00 00 00", INT32_MIN, PYRO_OK },
                 { "d3 ff ff ff ff 7f ff ff ff", 0, PYRO_ERR_TYPE },
                 { "cf 00 00 00 01 00 00 00 00", 0, PYRO_ERR_TYPE },
                 { "cf 00 00 00 01 00 00 00 05", 0, PYRO_ERR_TYPE },
                 { "cf ff ff ff ff ff ff ff ff", 0, PYRO_ERR_TYPE },
                 { "ca 3f 80 00 00", 0, PYRO_ERR_TYPE } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        pyro_reader in = fenced(rows[i].hex);

        test_eq(rows[i].hex, pyro_get_i32(&in), rows[i].v);
        test_eq(rows[i].hex, in.err, rows[i].err);
    }
}

TEST(u64_over_int64_is_a_uint_and_no_int)
{
    pyro_reader in = fenced("cf 80 00 00 00 00 00 00 00 01");

    test_eq("type", pyro_peek(&in), PYRO_UINT);
    assert_true(pyro_get_u64(&in) == (uint64_t)1 << 63);
    test_eq("u64", in.err, PYRO_OK);
    test_eq("the next", pyro_get_u64(&in), 1);
    in = fenced("cf 80 00 00 00 00 00 00 00 01");
    test_eq("i64", pyro_get_i64(&in), 0);
    test_eq("i64", in.err, PYRO_ERR_TYPE);
    in = fenced("ff");
    test_eq("-1 as u64", pyro_get_u64(&in), 0);
    test_eq("-1 as u64", in.err, PYRO_ERR_TYPE);
}

/* Brings a reader with two values left into each error there is. */
static pyro_reader spoiled(pyro_err err)
{
    pyro_reader in = fenced(err == PYRO_ERR_DATA ? "c1 01 02" : "92 01 02");

    if (err == PYRO_ERR_NOSPACE)
        pyro_get_list(&in, 1);
    else
        pyro_get_bool(&in);
    test_eq("first error", in.err, err);
    return in;
}

TEST(the_first_error_stays_and_later_gets_give_zero)
{
    static const pyro_err errs[] = { PYRO_ERR_DATA, PYRO_ERR_TYPE,
                                     PYRO_ERR_NOSPACE };
    size_t                i;
    unsigned              which;

    for (i = 0; i < PYRO_COUNT(errs); i++) {
        for (which = 0; which <= GETS; which++) {
            pyro_reader in = spoiled(errs[i]);

            test_eq("more", pyro_more(&in), false);
            test_eq("peek", pyro_peek(&in), PYRO_NONE);
            test_eq("get", get_any(&in, which), 0);
            test_eq("err", in.err, errs[i]);
            pyro_skip(&in);
            test_eq("skip", in.err, errs[i]);
            test_eq("at", in.at == in.end, true);
        }
    }
}

TEST(peek_changes_nothing)
{
    pyro_reader in = fenced("c1 01");
    pyro_reader was = in;

    test_eq("bad", pyro_peek(&in), PYRO_NONE);
    test_eq("err", in.err, PYRO_OK);
    test_eq("at", in.at - was.at, 0);
    in = fenced("05");
    test_eq("good", pyro_peek(&in), PYRO_INT);
    test_eq("good", pyro_get_i32(&in), 5);
}

TEST(a_reader_of_nothing_has_nothing)
{
    unsigned which;

    for (which = 0; which <= GETS; which++) {
        pyro_reader in = pyro_reader_of(test_fence(), 0);

        test_eq("more", pyro_more(&in), false);
        test_eq("peek", pyro_peek(&in), PYRO_NONE);
        test_eq("get", get_any(&in, which), 0);
        test_eq("err", in.err, PYRO_ERR_DATA);
        if (which == GETS)
            continue; /* a raw view is of what was given */
        in = pyro_reader_of(NULL, 0);
        test_eq("get", get_any(&in, which), 0);
        test_eq("err", in.err, PYRO_ERR_DATA);
    }
}

/* Text of n bytes as a str; 0: error, 1: taken, by get and skip alike. */
static bool text_taken(const char *label, const uint8_t *text, size_t n)
{
    uint8_t     bytes[40];
    pyro_reader in;
    uint32_t    got;
    bool        good;

    assert_true(n < 32);
    bytes[0] = (uint8_t)(0xA0 | n);
    memcpy(bytes + 1, text, n);
    in = pyro_reader_of(test_fenced(bytes, n + 1), n + 1);
    pyro_get_str(&in, &got);
    good = in.err == PYRO_OK;
    test_eq(label, in.err, good ? PYRO_OK : PYRO_ERR_DATA);
    test_eq(label, got, good ? n : 0);
    in = pyro_reader_of(test_fenced(bytes, n + 1), n + 1);
    test_eq(label, pyro_peek(&in), good ? PYRO_STR : PYRO_NONE);
    pyro_skip(&in);
    test_eq(label, in.err, good ? PYRO_OK : PYRO_ERR_DATA);
    return good;
}

TEST(text_that_is_no_utf8_is_a_data_error_for_get_and_skip)
{
    const test_row *row;
    size_t          i;

    for (i = 0; (row = test_bad_utf8(i)) != NULL; i++) {
        uint8_t text[32];
        size_t  n = test_hex(text, sizeof text, row->hex);

        test_eq(row->label, text_taken(row->label, text, n), false);
    }
}

TEST(text_inside_of_a_list_is_checked_by_skip)
{
    pyro_reader in = fenced("92 a1 'a' a1 80");

    pyro_skip(&in);
    test_eq("str", in.err, PYRO_ERR_DATA);
    in = fenced("81 a1 ff c0");
    pyro_skip(&in);
    test_eq("key", in.err, PYRO_ERR_DATA);
    in = fenced("92 c4 01 ff c7 01 07 ff");
    pyro_skip(&in);
    test_eq("bin and ext may be anything", in.err, PYRO_OK);
}

/* The definition: a code point, encoded, must give the same bytes. */
static size_t encode(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (uint8_t)(0xC0 | c >> 6);
        to[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (uint8_t)(0xE0 | c >> 12);
        to[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        to[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | c >> 18);
    to[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    to[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    to[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

TEST(every_code_point_is_text_and_every_surrogate_is_not)
{
    uint8_t  text[4];
    uint32_t c;

    for (c = 0; c < 0x120000; c++) {
        size_t n = encode(text, c);
        bool   want = (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;

        if (pyroi_utf8(text, n) != want)
            fail_msg("U+%04lX should be %s", (unsigned long)c,
                     want ? "taken" : "refused");
    }
}

/* As many sequences of up to four bytes are text as there are sequences of
 * code points that encode to them: counted here, computed by hand. */
TEST(no_other_sequence_of_bytes_is_text)
{
    const uint32_t one = 0x80;
    const uint32_t two = 0x800 - 0x80;
    const uint32_t three = 0x10000 - 0x800 - 0x800;
    uint8_t        text[3];
    uint32_t       count[4] = { 0, 0, 0, 0 };
    uint32_t       i;

    for (i = 0; i < 0x1000000; i++) {
        text[0] = (uint8_t)(i >> 16);
        text[1] = (uint8_t)(i >> 8);
        text[2] = (uint8_t)i;
        count[3] += pyroi_utf8(text, 3);
        if (i < 0x10000)
            count[2] += pyroi_utf8(text + 1, 2);
        if (i < 0x100)
            count[1] += pyroi_utf8(text + 2, 1);
    }
    test_eq("one byte", count[1], one);
    test_eq("two bytes", count[2], one * one + two);
    test_eq("three bytes", count[3], one * one * one + 2 * one * two + three);
}

TEST(no_other_sequence_of_four_bytes_is_one_code_point)
{
    static const uint8_t tails[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90,
                                     0x9F, 0xA0, 0xBF, 0xC0, 0xFF };
    uint8_t              text[4];
    uint32_t             i;
    size_t               j;
    size_t               k;

    for (i = 0xE000; i < 0x10000; i++) {
        text[0] = (uint8_t)(i >> 8);
        text[1] = (uint8_t)i;
        for (j = 0; j < PYRO_COUNT(tails); j++) {
            for (k = 0; k < PYRO_COUNT(tails); k++) {
                bool want =
                    i >= 0xF090 && i < 0xF490 && (text[1] & 0xC0) == 0x80
                    && (tails[j] & 0xC0) == 0x80 && (tails[k] & 0xC0) == 0x80;

                text[2] = tails[j];
                text[3] = tails[k];
                if (text[0] >= 0xF0)
                    test_eq("four", pyroi_utf8(text, 4), want);
            }
        }
    }
}

/* A second reader, recursive and slow: end of the value at p, or NULL. */
static const uint8_t *slow_skip(const uint8_t *p, const uint8_t *end,
                                unsigned depth)
{
    unsigned  tag = p < end ? *p++ : 0xC1u;
    unsigned  width = width_of(tag);
    uint64_t  n = 0;
    pyro_type type = type_of(tag);

    if (type == PYRO_NONE || end - p < (ptrdiff_t)width)
        return NULL;
    for (; width > 0; width--)
        n = n << 8 | *p++;
    if (width_of(tag) == 0)
        n = size_of(tag) - 1;
    if (type == PYRO_MAP && width_of(tag) != 0)
        n *= 2;
    if (type == PYRO_EXT && width_of(tag) != 0)
        n++;
    if (type == PYRO_LIST || type == PYRO_MAP) {
        if (depth == PYRO_MAX_DEPTH)
            return NULL;
        while (n-- > 0 && p != NULL)
            p = slow_skip(p, end, depth + 1);
        return p;
    }
    if (type < PYRO_STR)
        return p;
    if (n > (uint64_t)(end - p)
        || (type == PYRO_STR && !pyroi_utf8(p, (size_t)n)))
        return NULL;
    return p + n;
}

/* Random bytes that are often tags with small counts. */
static uint8_t likely(uint32_t *seed)
{
    static const uint8_t tags[] = { 0x81, 0x91, 0x92, 0xA1, 0xC4, 0xC7,
                                    0xD4, 0xD9, 0xDC, 0xDE, 0xDD, 0xDF };
    uint32_t             r = test_random(seed);

    switch (r & 3) {
    case 0:
        return tags[(r >> 8) % sizeof tags];
    case 1:
        return (uint8_t)(r >> 8 & 3);
    case 2:
        return 0x91;
    default:
        return (uint8_t)(r >> 8);
    }
}

TEST(random_bytes_are_skipped_as_a_second_reader_skips_them)
{
    uint32_t seed = 3;
    unsigned run;
    unsigned good = 0;

    for (run = 0; run < 300000; run++) {
        uint8_t        bytes[48];
        size_t         n = test_random(&seed) % sizeof bytes;
        const uint8_t *p;
        const uint8_t *stop;
        pyro_reader    in;
        size_t         i;

        for (i = 0; i < n; i++)
            bytes[i] = likely(&seed);
        p = test_fenced(bytes, n);
        stop = slow_skip(p, p + n, 0);
        in = pyro_reader_of(p, n);
        pyro_skip(&in);
        good += stop != NULL;
        if (stop == NULL)
            test_eq("refused", in.err, PYRO_ERR_DATA);
        else if (in.err != PYRO_OK || in.at != stop)
            test_same("skipped", p, (size_t)(in.at - p), p,
                      (size_t)(stop - p));
    }
    assert_in_range(good, 10000, 290000);
}

TEST(random_bytes_end_every_loop_of_gets)
{
    uint32_t seed = 5;
    unsigned run;

    for (run = 0; run < 100000; run++) {
        uint8_t     bytes[32];
        size_t      n = test_random(&seed) % sizeof bytes;
        pyro_reader in;
        size_t      i;

        for (i = 0; i < n; i++)
            bytes[i] = likely(&seed);
        in = pyro_reader_of(test_fenced(bytes, n), n);
        for (i = 0; pyro_more(&in); i++) {
            const uint8_t *was = in.at;

            get_any(&in, test_random(&seed) % (GETS + 1));
            assert_true(in.at > was && in.at <= in.end);
        }
        assert_true(i <= n);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(
        every_form_is_taken_by_its_gets_and_refused_by_all_others),
    cmocka_unit_test(every_form_is_skipped_and_viewed_as_a_whole),
    cmocka_unit_test(every_form_cut_at_every_length_is_a_data_error),
    cmocka_unit_test(every_first_byte_has_its_type_and_its_size),
    cmocka_unit_test(list_longer_than_the_buffer_is_a_data_error),
    cmocka_unit_test(map_needs_two_bytes_for_each_entry),
    cmocka_unit_test(lengths_longer_than_the_buffer_are_data_errors),
    cmocka_unit_test(counts_are_bounded_by_the_caller),
    cmocka_unit_test(an_empty_list_fits_a_maximum_of_0),
    cmocka_unit_test(values_nest_down_to_the_limit_and_no_deeper),
    cmocka_unit_test(empty_lists_side_by_side_are_not_depth),
    cmocka_unit_test(a_bomb_of_lists_ends_in_a_data_error),
    cmocka_unit_test(long_lists_are_skipped_to_their_end),
    cmocka_unit_test(long_texts_and_bytes_are_views_of_their_length),
    cmocka_unit_test(i32_takes_its_range_and_not_one_more),
    cmocka_unit_test(u64_over_int64_is_a_uint_and_no_int),
    cmocka_unit_test(the_first_error_stays_and_later_gets_give_zero),
    cmocka_unit_test(peek_changes_nothing),
    cmocka_unit_test(a_reader_of_nothing_has_nothing),
    cmocka_unit_test(text_that_is_no_utf8_is_a_data_error_for_get_and_skip),
    cmocka_unit_test(text_inside_of_a_list_is_checked_by_skip),
    cmocka_unit_test(every_code_point_is_text_and_every_surrogate_is_not),
    cmocka_unit_test(no_other_sequence_of_bytes_is_text),
    cmocka_unit_test(no_other_sequence_of_four_bytes_is_one_code_point),
    cmocka_unit_test(random_bytes_are_skipped_as_a_second_reader_skips_them),
    cmocka_unit_test(random_bytes_end_every_loop_of_gets)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
