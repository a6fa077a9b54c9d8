/* Floats in integers, tagged values, out-slots. The floating point of this
 * machine is what the conversions are compared with. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

static uint32_t bits_of_float(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static uint64_t bits_of_double(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static double double_of(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

static bool is_nan64(uint64_t bits)
{
    return (bits << 1) > (uint64_t)0x7FF << 53;
}

static bool is_nan32(uint32_t bits)
{
    return (bits & 0x7FFFFFFF) > 0x7F800000;
}

static void check_widen(uint32_t f)
{
    const uint64_t quiet = (uint64_t)1 << 51; /* set when a NaN is computed */
    uint64_t       is = pyroi_widen(f);
    uint64_t       want = bits_of_double((double)float_of(f));

    if (is_nan32(f)) {
        is |= quiet;
        want |= quiet;
    }
    if (is != want)
        fail_msg("%08lx widens to %016llx, should be %016llx",
                 (unsigned long)f, (unsigned long long)is,
                 (unsigned long long)want);
}

static void check_narrow(uint64_t d)
{
    uint32_t is = pyroi_narrow(d);
    uint32_t want = bits_of_float((float)double_of(d));

    if (is_nan64(d) && is_nan32(is) && is >> 31 == (uint32_t)(d >> 63))
        return;
    if (is != want)
        fail_msg("%016llx narrows to %08lx, should be %08lx",
                 (unsigned long long)d, (unsigned long)is,
                 (unsigned long)want);
}

static void check_int(int64_t v)
{
    uint64_t is = pyroi_int_bits(v);
    uint64_t want = bits_of_double((double)v);

    if (is != want)
        fail_msg("%lld gives %016llx, should be %016llx", (long long)v,
                 (unsigned long long)is, (unsigned long long)want);
}

TEST(floats_widen_as_the_processor_does_it)
{
    uint32_t seed = 1;
    uint32_t exponent;
    uint32_t i;
    uint32_t bit;

    for (exponent = 0; exponent < 512; exponent++) { /* and the sign */
        check_widen(exponent << 23);
        check_widen(exponent << 23 | 0x7FFFFF);
        for (bit = 1; bit < 0x800000; bit <<= 1) {
            check_widen(exponent << 23 | bit);
            check_widen(exponent << 23 | (bit - 1));
        }
        for (i = 0; i < 1000; i++)
            check_widen(exponent << 23 | test_random(&seed) >> 9);
    }
    for (i = 0; i < 500000; i++)
        check_widen(test_random(&seed));
}

/* Around the bit that decides: below, half way and above, after even and
 * after odd. */
static void check_ties(uint64_t sign_exponent, unsigned drop)
{
    uint64_t half = (uint64_t)1 << (drop - 1);
    uint64_t top;

    for (top = 0; top < 4; top++) {
        uint64_t d = sign_exponent | ((top << drop | half) & 0xFFFFFFFFFFFFF);

        check_narrow(d);
        check_narrow(d - 1);
        check_narrow(d + 1);
        check_narrow(d - half);
    }
}

TEST(doubles_narrow_as_the_processor_does_it)
{
    uint32_t seed = 2;
    uint64_t exponent;
    unsigned i;

    for (exponent = 0; exponent < 4096; exponent++) { /* and the sign */
        uint64_t high = exponent << 52;

        check_narrow(high);
        check_narrow(high | 1);
        check_narrow(high | 0xFFFFFFFFFFFFF);
        check_narrow(high | 0xFFFFFE0000000); /* the largest that is exact */
        check_narrow(high | 0xFFFFFEFFFFFFF);
        check_narrow(high | 0xFFFFFF0000000); /* a tie that carries */
        for (i = 20; i <= 52; i++)
            check_ties(high, i);
        for (i = 0; i < 50; i++)
            check_narrow(high | test_random64(&seed) >> 12);
    }
    for (i = 0; i < 700000; i++)
        check_narrow(test_random64(&seed));
}

/* Few doubles have an exponent of float's range: these all have. */
TEST(doubles_in_the_range_of_float_narrow_as_the_processor_does_it)
{
    uint32_t seed = 3;
    uint32_t i;

    for (i = 0; i < 1000000; i++) {
        uint64_t r = test_random64(&seed);
        uint64_t exponent = 896 - 30 + (r & 0xFFFF) % (256 + 40);
        uint64_t d = (r & (uint64_t)1 << 63) | exponent << 52
                   | (r >> 12 & 0xFFFFFFFFFFFFF);

        check_narrow(d);
        check_narrow(d & ~(uint64_t)0x0FFFFFFF); /* often a tie */
    }
}

TEST(every_float_narrows_back_from_its_double)
{
    uint32_t f;

    for (f = 0; f < 0xFFFFF000; f += 4093) { /* a prime: all low bits */
        uint32_t back = pyroi_narrow(pyroi_widen(f));

        if (back != f && !(is_nan32(f) && is_nan32(back)))
            fail_msg("%08lx comes back as %08lx", (unsigned long)f,
                     (unsigned long)back);
    }
}

static const struct {
    const char *label;
    uint64_t    d;
    uint32_t    f;
} edges[] = { { "zero", 0, 0 },
              { "minus zero", 0x8000000000000000, 0x80000000 },
              { "one", 0x3FF0000000000000, 0x3F800000 },
              { "largest", 0x47EFFFFFE0000000, 0x7F7FFFFF },
              { "just under half a step over it", 0x47EFFFFFEFFFFFFF,
                0x7F7FFFFF },
              { "half a step over it", 0x47EFFFFFF0000000, 0x7F800000 },
              { "far over it", 0xFFEFFFFFFFFFFFFF, 0xFF800000 },
              { "infinite", 0x7FF0000000000000, 0x7F800000 },
              { "smallest normal", 0x3810000000000000, 0x00800000 },
              { "rounds up to it", 0x380FFFFFF0000000, 0x00800000 },
              { "largest subnormal", 0x380FFFFFC0000000, 0x007FFFFF },
              { "smallest subnormal", 0x36A0000000000000, 0x00000001 },
              { "half of it: to even", 0x3690000000000000, 0x00000000 },
              { "over half of it", 0x3690000000000001, 0x00000001 },
              { "three halves: to even", 0x36A8000000000000, 0x00000002 },
              { "a quarter of it", 0x3680000000000000, 0x00000000 },
              { "smallest double", 0x8000000000000001, 0x80000000 } };

TEST(edges_of_float_have_their_bits)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(edges); i++)
        test_eq(edges[i].label, pyroi_narrow(edges[i].d), edges[i].f);
    assert_true(is_nan32(pyroi_narrow(0x7FF8000000000000)));
    assert_true(is_nan32(pyroi_narrow(0x7FF0000000000001)));
    assert_true(is_nan64(pyroi_widen(0x7F800001)));
}

TEST(integers_become_doubles_as_the_processor_does_it)
{
    uint32_t seed = 4;
    unsigned shift;
    unsigned i;

    check_int(0);
    check_int(INT64_MIN);
    check_int(INT64_MAX);
    check_int(-INT64_MAX);
    for (shift = 0; shift < 63; shift++) {
        int64_t v = (int64_t)1 << shift;
        int64_t low;

        for (low = -1025; low <= 1025; low++) {
            check_int(v + low);
            check_int(-v + low);
        }
        for (i = 0; i < 2000; i++)
            check_int((int64_t)(test_random64(&seed) >> shift));
    }
}

TEST(ties_of_integers_go_to_the_even_double)
{
    unsigned shift;

    for (shift = 1; shift <= 10; shift++) { /* 2^53 to 2^63 */
        int64_t  step = (int64_t)1 << shift;
        int64_t  v = (int64_t)1 << (52 + shift);
        unsigned i;

        for (i = 0; i < 6; i++, v += step) {
            check_int(v + step / 2);
            check_int(v + step / 2 - 1);
            check_int(v + step / 2 + 1);
            check_int(-v - step / 2);
        }
    }
    test_eq("2^53 + 1", (int64_t)double_of(pyroi_int_bits(9007199254740993)),
            9007199254740992);
    test_eq("2^53 + 3", (int64_t)double_of(pyroi_int_bits(9007199254740995)),
            9007199254740996);
}

static pyro_reader fenced(const char *hex)
{
    uint8_t bytes[128];
    size_t  n = test_hex(bytes, sizeof bytes, hex);

    return pyro_reader_of(test_fenced(bytes, n), n);
}

TEST(floats_are_read_from_every_number)
{
    static const struct {
        const char *hex;
        double      d;
    } rows[] = { { "ca 3f c0 00 00", 1.5 },
                 { "cb 3f f8 00 00 00 00 00 00", 1.5 },
                 { "cb bf f8 00 00 00 00 00 00", -1.5 },
                 { "ca 00 00 00 01", 0x1p-149 },
                 { "cb 36 a0 00 00 00 00 00 00", 0x1p-149 },
                 { "05", 5 },
                 { "ff", -1 },
                 { "d3 80 00 00 00 00 00 00 00", -0x1p63 },
                 { "ce ff ff ff 00", 4294967040.0 } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        pyro_reader in = fenced(rows[i].hex);
        pyro_reader again = in;
        double      d = pyro_get_f64(&in);
        float       f = pyro_get_f32(&again);

        test_same(rows[i].hex, &d, sizeof d, &rows[i].d, sizeof d);
        test_eq(rows[i].hex, bits_of_float(f),
                bits_of_float((float)rows[i].d));
        test_eq(rows[i].hex, in.err, PYRO_OK);
        test_eq(rows[i].hex, again.err, PYRO_OK);
        test_eq(rows[i].hex, pyro_more(&in), false);
    }
}

TEST(infinity_and_nan_are_read_as_such)
{
    pyro_reader in = fenced("ca 7f 80 00 00 cb ff f0 00 00 00 00 00 00"
                            "ca 7f c0 00 00 cb 7f f8 00 00 00 00 00 00"
                            "cb 7f ef ff ff ff ff ff ff");
    double      d = pyro_get_f64(&in);
    float       f = pyro_get_f32(&in);

    assert_true(d > DBL_MAX);
    assert_true(f < -FLT_MAX);
    d = pyro_get_f64(&in);
    assert_true(is_nan64(bits_of_double(d)));
    f = pyro_get_f32(&in);
    assert_true(is_nan32(bits_of_float(f)));
    f = pyro_get_f32(&in);
    assert_true(f > FLT_MAX);
    test_eq("err", in.err, PYRO_OK);
}

/* A double holds them all, so nothing is rounded twice. */
TEST(integers_of_53_bits_are_read_as_the_next_float)
{
    uint32_t seed = 5;
    unsigned i;

    for (i = 0; i < 100000; i++) {
        uint8_t     bytes[16];
        int64_t     v = (int64_t)(test_random64(&seed) >> 11 >> (i % 50));
        pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
        pyro_reader in = pyro_reader_of(bytes, sizeof bytes);

        v = (i & 1) != 0 ? -v : v;
        pyro_put_int(&out, v);
        test_eq("f32", bits_of_float(pyro_get_f32(&in)),
                bits_of_float((float)v));
        test_eq("err", in.err, PYRO_OK);
    }
}

TEST(floats_put_are_the_floats_got)
{
    uint32_t seed = 6;
    unsigned i;

    for (i = 0; i < 100000; i++) {
        uint8_t     bytes[16];
        uint64_t    d = test_random64(&seed);
        uint32_t    f = (uint32_t)d & 0xFF7FFFFF; /* finite */
        pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 2);
        pyro_reader in = pyro_reader_of(bytes, sizeof bytes);

        pyro_put_f64(&out, double_of(d));
        pyro_put_f32(&out, float_of(f));
        test_eq("f64", bits_of_double(pyro_get_f64(&in)), d);
        test_eq("f32", bits_of_float(pyro_get_f32(&in)), f);
        test_eq("err", in.err, PYRO_OK);
    }
}

TEST(tagged_values_give_the_bytes_of_their_puts)
{
    uint8_t         bytes[64];
    const pyro_args args =
        PYRO_ARGS(pyro_nil(), pyro_bool(false), pyro_bool(true), pyro_int(-33),
                  pyro_uint(200), pyro_f32(1.5f), pyro_f64(-2), pyro_str("hi"),
                  pyro_strn("abc", 1), pyro_bin("\xFF", 1),
                  pyro_raw("\x90", 1));
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 11);
    size_t      i;

    test_eq("count", args.count, 11);
    for (i = 0; i < args.count; i++)
        pyro_put(&out, args.values[i]);
    test_eq("end", pyro_writer_end(&out), PYRO_OK);
    test_same_hex("bytes", bytes, (size_t)(out.at - bytes),
                  "c0 c2 c3 d0 df cc c8 ca 3f c0 00 00"
                  "cb c0 00 00 00 00 00 00 00 a2 'hi' a1 'a' c4 01 ff 90");
}

TEST(tagged_integers_keep_all_64_bits)
{
    uint8_t     bytes[32];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 2);

    pyro_put(&out, pyro_int(INT64_MIN));
    pyro_put(&out, pyro_uint(UINT64_MAX));
    test_same_hex("bytes", bytes, (size_t)(out.at - bytes),
                  "d3 80 00 00 00 00 00 00 00 cf ff ff ff ff ff ff ff ff");
}

TEST(a_tagged_here_is_what_put_here_puts)
{
    uint8_t     a[80];
    uint8_t     b[80];
    pyro_writer one = pyro_writer_of(a, sizeof a, 1);
    pyro_writer two = pyro_writer_of(b, sizeof b, 1);

    pyro_put(&one, pyro_here("calc"));
    pyro_put_here(&two, "calc");
    test_eq("end", pyro_writer_end(&one), PYRO_OK);
    test_same("bytes", a, (size_t)(one.at - a), b, (size_t)(two.at - b));
}

TEST(a_value_nobody_has_filled_in_is_a_type_error)
{
    static const pyro_value empty;
    uint8_t                 to[8];
    pyro_writer             out = pyro_writer_of(to, sizeof to, 1);
    pyro_value              v = pyro_nil();

    pyro_put(&out, empty);
    test_eq("empty", out.err, PYRO_ERR_TYPE);
    pyro_put_nil(&out);
    test_eq("at", out.at - to, 0);
    v.type = 255;
    out = pyro_writer_of(to, sizeof to, 1);
    pyro_put(&out, v);
    test_eq("garbage", out.err, PYRO_ERR_TYPE);
}

TEST(no_arguments_are_no_values)
{
    const pyro_args args = PYRO_NO_ARGS;

    test_eq("count", args.count, 0);
}

/* A slot of each kind into `size` bytes that end at the fence, or into the
 * blob. */
enum {
    S_BOOL,
    S_I32,
    S_I64,
    S_U64,
    S_F32,
    S_F64,
    S_STR,
    S_BIN,
    S_RAW,
    S_NONE,
    SLOTS
};

static const size_t widths[SLOTS] = {
    sizeof(bool), 4, 8, 8, 4, 8, 8, 8, 8, 0
};

static pyro_slot slot_of_number(unsigned kind, void *to)
{
    switch (kind) {
    case S_BOOL:
        return pyro_to_bool((bool *)to);
    case S_I32:
        return pyro_to_i32((int32_t *)to);
    case S_I64:
        return pyro_to_i64((int64_t *)to);
    case S_U64:
        return pyro_to_u64((uint64_t *)to);
    case S_F32:
        return pyro_to_f32((float *)to);
    default:
        return pyro_to_f64((double *)to);
    }
}

static pyro_slot slot_of(unsigned kind, void *to, pyro_blob *blob)
{
    blob->data = to;
    blob->size = (uint32_t)widths[kind];
    blob->used = 77;
    switch (kind) {
    case S_STR:
        return pyro_to_str((char *)to, widths[kind]);
    case S_BIN:
        return pyro_to_bin(blob);
    case S_RAW:
        return pyro_to_raw(blob);
    case S_NONE:
        return pyro_to_none();
    default:
        return slot_of_number(kind, to);
    }
}

/* Fills a slot with what answers a call. */
static pyro_err answer(pyro_reader in, const pyro_slot *slot)
{
    pyro_request rq;

    memset(&rq, 0, sizeof rq);
    rq.slot_ = *slot;
    return (pyro_err)pyroi_answer(&rq, &in, false);
}

/* Fills a slot from hex. An error must have touched nothing. */
static pyro_err fill(unsigned kind, const char *hex, uint8_t *copy,
                     uint32_t *used)
{
    uint8_t   bytes[64];
    size_t    n = test_hex(bytes, sizeof bytes, hex);
    uint8_t  *to = test_room(widths[kind]);
    pyro_blob blob;
    pyro_slot slot = slot_of(kind, to, &blob);
    pyro_err  err = answer(pyro_reader_of(bytes, n), &slot);

    if (err != PYRO_OK)
        test_eq(hex, test_untouched(to, widths[kind]), 1);
    if (err != PYRO_OK || kind < S_BIN)
        test_eq(hex, blob.used, 77);
    test_eq(hex, blob.size, widths[kind]);
    memcpy(copy, to, widths[kind]);
    *used = blob.used;
    return err;
}

TEST(slots_of_numbers_take_their_type)
{
    const int32_t  i32 = -2;
    const int64_t  i64 = INT64_MIN;
    const uint64_t u64 = UINT64_MAX;
    const float    f32 = 0.1f;
    const double   f64 = 0.1;
    const bool     yes = true;
    const struct {
        const char *hex;
        const void *want;
        unsigned    kind;
    } rows[] = { { "c3", &yes, S_BOOL },
                 { "d1 ff fe", &i32, S_I32 },
                 { "d3 80 00 00 00 00 00 00 00", &i64, S_I64 },
                 { "cf ff ff ff ff ff ff ff ff", &u64, S_U64 },
                 { "ca 3d cc cc cd", &f32, S_F32 },
                 { "cb 3f b9 99 99 99 99 99 9a", &f32, S_F32 },
                 { "cb 3f b9 99 99 99 99 99 9a", &f64, S_F64 } };
    uint8_t  is[8];
    uint32_t used;
    size_t   i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        size_t n = widths[rows[i].kind];

        test_eq(rows[i].hex, fill(rows[i].kind, rows[i].hex, is, &used),
                PYRO_OK);
        test_same(rows[i].hex, is, n, rows[i].want, n);
    }
}

/* Attributes have this one too. */
TEST(a_slot_of_32_bits_without_sign_takes_its_range)
{
    static const struct {
        const char *hex;
        uint32_t    v;
        pyro_err    err;
    } rows[] = { { "00", 0, PYRO_OK },
                 { "ce 80 00 00 00", 0x80000000, PYRO_OK },
                 { "ce ff ff ff ff", UINT32_MAX, PYRO_OK },
                 { "cf 00 00 00 01 00 00 00 00", 0, PYRO_ERR_TYPE },
                 { "ff", 0, PYRO_ERR_TYPE },
                 { "c0", 0, PYRO_ERR_TYPE },
                 { "ce ff ff ff", 0, PYRO_ERR_DATA } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        uint32_t  to = 77;
        pyro_slot slot = pyroi_slot(pyro_as_u32, &to, 0);

        test_eq(rows[i].hex, answer(fenced(rows[i].hex), &slot), rows[i].err);
        test_eq(rows[i].hex, to, rows[i].err == PYRO_OK ? rows[i].v : 77);
    }
}

TEST(slots_of_bytes_take_text_bytes_and_anything)
{
    uint8_t  is[8];
    uint32_t used;

    test_eq("str", fill(S_STR, "a3 'abc'", is, &used), PYRO_OK);
    test_same("str", is, 8, "abc\0\xA5\xA5\xA5\xA5", 8);
    test_eq("bin", fill(S_BIN, "c4 03 00 ff 00", is, &used), PYRO_OK);
    test_eq("bin", used, 3);
    test_same("bin", is, 4, "\0\xFF\0\xA5", 4);
    test_eq("raw", fill(S_RAW, "92 01 a1 'x'", is, &used), PYRO_OK);
    test_eq("raw", used, 4);
    test_same("raw", is, 5, "\x92\x01\xA1x\xA5", 5);
    test_eq("raw ext", fill(S_RAW, "d4 07 01", is, &used), PYRO_OK);
    test_eq("raw ext", used, 3);
    test_eq("none", fill(S_NONE, "92 01 02", is, &used), PYRO_OK);
    test_eq("none", fill(S_NONE, "d4 07 01", is, &used), PYRO_OK);
}

TEST(a_result_of_another_type_touches_nothing)
{
    /* One letter for each slot, in order: the rows it takes are '+'. */
    static const struct {
        const char *hex;
        const char *taken;
    } rows[] = { { "c0", "--------++" },
                 { "c2", "+-------++" },
                 { "05", "-+++++--++" },
                 { "ff", "-++-++--++" },
                 { "ce 80 00 00 00", "--++++--++" },
                 { "ca 3f 80 00 00", "----++--++" },
                 { "a1 'x'", "------+-++" },
                 { "c4 01 00", "-------+++" },
                 { "90", "--------++" },
                 { "81 01 02", "--------++" },
                 { "d4 07 01", "--------++" } };
    uint8_t  is[8];
    uint32_t used;
    size_t   i;
    unsigned kind;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        for (kind = 0; kind < SLOTS; kind++)
            test_eq(rows[i].hex, fill(kind, rows[i].hex, is, &used),
                    rows[i].taken[kind] == '+' ? PYRO_OK : PYRO_ERR_TYPE);
    }
}

TEST(a_malformed_result_touches_no_slot)
{
    static const char *const rows[] = { "",        "c1",    "cd 01",
                                        "a3 'ab'", "92 01", "c4 02 00",
                                        "cb 00",   "81 01", "d4 07" };
    uint8_t                  is[8];
    uint32_t                 used;
    size_t                   i;
    unsigned                 kind;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        for (kind = 0; kind < SLOTS; kind++)
            test_eq(rows[i], fill(kind, rows[i], is, &used), PYRO_ERR_DATA);
    }
    test_eq("utf8", fill(S_STR, "a2 c3 28", is, &used), PYRO_ERR_DATA);
    test_eq("utf8", fill(S_RAW, "a2 c3 28", is, &used), PYRO_ERR_DATA);
    test_eq("utf8", fill(S_NONE, "a2 c3 28", is, &used), PYRO_ERR_DATA);
}

TEST(a_text_needs_room_for_its_zero_byte)
{
    static const uint8_t text[] = { 0xA3, 'a', 'b', 'c' };
    size_t               size;

    for (size = 0; size <= 5; size++) {
        char     *to = (char *)test_room(size);
        pyro_slot slot = pyro_to_str(to, size);
        pyro_err  err = answer(pyro_reader_of(text, 4), &slot);

        test_eq("err", err, size >= 4 ? PYRO_OK : PYRO_ERR_NOSPACE);
        if (size >= 4)
            assert_string_equal(to, "abc");
        else
            test_eq("touched", test_untouched(to, size), 1);
    }
}

TEST(an_empty_text_needs_one_byte)
{
    char     *to = (char *)test_room(1);
    pyro_slot slot = pyro_to_str(to, 1);

    test_eq("1", answer(pyro_reader_of("\xA0", 1), &slot), PYRO_OK);
    test_eq("zero", to[0], 0);
    slot = pyro_to_str(NULL, 0);
    test_eq("0", answer(pyro_reader_of("\xA0", 1), &slot), PYRO_ERR_NOSPACE);
}

TEST(a_text_with_a_zero_byte_inside_is_refused_and_not_cut)
{
    uint8_t  is[8];
    uint32_t used;

    test_eq("middle", fill(S_STR, "a3 'a' 00 'b'", is, &used), PYRO_ERR_TYPE);
    test_eq("first", fill(S_STR, "a1 00", is, &used), PYRO_ERR_TYPE);
    test_eq("last", fill(S_STR, "a2 'a' 00", is, &used), PYRO_ERR_TYPE);
}

TEST(a_blob_takes_its_size_and_not_one_byte_more)
{
    uint8_t  is[8];
    uint32_t used;

    test_eq("7", fill(S_BIN, "c4 07 '1234567'", is, &used), PYRO_OK);
    test_eq("8", fill(S_BIN, "c4 08 '12345678'", is, &used), PYRO_OK);
    test_eq("8", used, 8);
    test_eq("9", fill(S_BIN, "c4 09 '123456789'", is, &used),
            PYRO_ERR_NOSPACE);
    test_eq("raw of 8", fill(S_RAW, "97 01 02 03 04 05 06 07", is, &used),
            PYRO_OK);
    test_eq("raw of 9", fill(S_RAW, "98 01 02 03 04 05 06 07 08", is, &used),
            PYRO_ERR_NOSPACE);
}

TEST(a_blob_without_memory_takes_empty_bytes)
{
    pyro_blob blob = { NULL, 0, 77 };
    pyro_slot slot = pyro_to_bin(&blob);

    test_eq("empty", answer(pyro_reader_of("\xC4\x00", 2), &slot), PYRO_OK);
    test_eq("used", blob.used, 0);
    blob.used = 77;
    test_eq("one", answer(pyro_reader_of("\xC4\x01\x00", 3), &slot),
            PYRO_ERR_NOSPACE);
    test_eq("used", blob.used, 77);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(floats_widen_as_the_processor_does_it),
    cmocka_unit_test(doubles_narrow_as_the_processor_does_it),
    cmocka_unit_test(
        doubles_in_the_range_of_float_narrow_as_the_processor_does_it),
    cmocka_unit_test(every_float_narrows_back_from_its_double),
    cmocka_unit_test(edges_of_float_have_their_bits),
    cmocka_unit_test(integers_become_doubles_as_the_processor_does_it),
    cmocka_unit_test(ties_of_integers_go_to_the_even_double),
    cmocka_unit_test(floats_are_read_from_every_number),
    cmocka_unit_test(infinity_and_nan_are_read_as_such),
    cmocka_unit_test(integers_of_53_bits_are_read_as_the_next_float),
    cmocka_unit_test(floats_put_are_the_floats_got),
    cmocka_unit_test(tagged_values_give_the_bytes_of_their_puts),
    cmocka_unit_test(tagged_integers_keep_all_64_bits),
    cmocka_unit_test(a_tagged_here_is_what_put_here_puts),
    cmocka_unit_test(a_value_nobody_has_filled_in_is_a_type_error),
    cmocka_unit_test(no_arguments_are_no_values),
    cmocka_unit_test(slots_of_numbers_take_their_type),
    cmocka_unit_test(a_slot_of_32_bits_without_sign_takes_its_range),
    cmocka_unit_test(slots_of_bytes_take_text_bytes_and_anything),
    cmocka_unit_test(a_result_of_another_type_touches_nothing),
    cmocka_unit_test(a_malformed_result_touches_no_slot),
    cmocka_unit_test(a_text_needs_room_for_its_zero_byte),
    cmocka_unit_test(an_empty_text_needs_one_byte),
    cmocka_unit_test(a_text_with_a_zero_byte_inside_is_refused_and_not_cut),
    cmocka_unit_test(a_blob_takes_its_size_and_not_one_byte_more),
    cmocka_unit_test(a_blob_without_memory_takes_empty_bytes)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
