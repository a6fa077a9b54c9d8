/* Bytes, checksum, texts of errors, texts being composed. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

/* The polynomial as the standard has it, one bit at a time. */
static uint32_t crc_by_bits(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xFFFFFFFF;
    unsigned bit;

    for (; n > 0; n--, p++) {
        crc ^= *p;
        for (bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
    }
    return ~crc;
}

TEST(crc_gives_the_published_values)
{
    static const struct {
        const char *label;
        const char *hex;
        uint32_t    crc;
    } rows[] = { { "nothing", "", 0 },
                 { "check value of the catalogue", "'123456789'", 0xCBF43926 },
                 { "one letter", "'a'", 0xE8B7BE43 },
                 { "the fox", "'The quick brown fox jumps over the lazy dog'",
                   0x414FA339 },
                 { "4 zeros", "00 00 00 00", 0x2144DF1C },
                 { "4 ff", "ff ff ff ff", 0xFFFFFFFF } };
    uint8_t bytes[64];
    size_t  i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        size_t n = test_hex(bytes, sizeof bytes, rows[i].hex);

        test_eq(rows[i].label, pyro_crc32(0, test_fenced(bytes, n), n),
                rows[i].crc);
    }
    test_eq("no memory", pyro_crc32(0, NULL, 0), 0);
}

TEST(crc_of_the_parts_is_the_crc_of_the_whole)
{
    uint8_t  bytes[61];
    uint32_t seed = 7;
    size_t   i;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)test_random(&seed);
    for (i = 0; i <= sizeof bytes; i++) {
        uint32_t crc = pyro_crc32(0, bytes, i);

        test_eq("begun", crc, crc_by_bits(bytes, i));
        crc = pyro_crc32(crc, bytes + i, sizeof bytes - i);
        test_eq("ended", crc, crc_by_bits(bytes, sizeof bytes));
    }
}

TEST(numbers_are_stored_big_end_first_at_any_address)
{
    uint8_t  bytes[8];
    unsigned i;

    for (i = 0; i < 4; i++) {
        memset(bytes, TEST_FILL, sizeof bytes);
        pyroi_store32(bytes + i, 0x80FF017E);
        test_same_hex("store32", bytes + i, 4, "80 ff 01 7e");
        test_eq("load32", pyroi_load32(bytes + i), 0x80FF017E);
        test_eq("load16", pyroi_load16(bytes + i), 0x80FF);
        pyroi_store16(bytes + i, 0xFFFF8001);
        test_same_hex("store16", bytes + i, 4, "80 01 01 7e");
        assert_true(test_untouched(bytes, i));
        assert_true(test_untouched(bytes + i + 4, 4 - i));
    }
}

TEST(every_error_has_a_text_of_its_own)
{
    int i;
    int j;

    for (i = PYRO_OK; i <= PYRO_ERR_STATE; i++) {
        const char *text = pyro_err_text((pyro_err)i);

        assert_non_null(text);
        assert_in_range(strlen(text), 2, 60);
        assert_string_not_equal(text, "unknown error");
        for (j = PYRO_OK; j < i; j++)
            assert_string_not_equal(text, pyro_err_text((pyro_err)j));
    }
}

/* A list of texts in the wrong order would pass the test above. */
TEST(the_text_of_an_error_is_about_that_error)
{
    static const struct {
        pyro_err    err;
        const char *word;
    } rows[] = { { PYRO_OK, "OK" },
                 { PYRO_ERR_URI, "URI" },
                 { PYRO_ERR_DAEMON, "daemon" },
                 { PYRO_ERR_PROTOCOL, "protocol" },
                 { PYRO_ERR_CLOSED, "lost" },
                 { PYRO_ERR_DENIED, "refused" },
                 { PYRO_ERR_TIMEOUT, "time" },
                 { PYRO_ERR_NAMING, "name" },
                 { PYRO_ERR_REMOTE, "exception" },
                 { PYRO_ERR_TYPE, "type" },
                 { PYRO_ERR_DATA, "data" },
                 { PYRO_ERR_NOSPACE, "too small" },
                 { PYRO_ERR_BUSY, "busy" },
                 { PYRO_ERR_STATE, "state" } };
    size_t i;

    test_eq("rows", PYRO_COUNT(rows), PYRO_ERR_STATE + 1);
    for (i = 0; i < PYRO_COUNT(rows); i++) {
        const char *text = pyro_err_text(rows[i].err);

        test_eq(rows[i].word, rows[i].err, i);
        if (strstr(text, rows[i].word) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", text, rows[i].word);
    }
}

TEST(a_number_that_is_no_error_has_a_text_too)
{
    assert_string_equal(pyro_err_text((pyro_err)(PYRO_ERR_STATE + 1)),
                        "unknown error");
    assert_string_equal(pyro_err_text((pyro_err)255), "unknown error");
}

TEST(every_reason_of_refusal_has_a_text_of_its_own)
{
    assert_non_null(strstr(pyro_deny_text(PYRO_DENY_UNSPECIFIED), "unspec"));
    assert_non_null(strstr(pyro_deny_text(PYRO_DENY_BUSY), "busy"));
    assert_non_null(strstr(pyro_deny_text(PYRO_DENY_HOST), "host"));
    assert_non_null(strstr(pyro_deny_text(PYRO_DENY_SECURITY), "security"));
}

/* The number comes from the peer. */
TEST(a_reason_that_nobody_knows_reads_as_unspecified)
{
    const char *text = pyro_deny_text(PYRO_DENY_UNSPECIFIED);

    assert_string_equal(pyro_deny_text((pyro_deny)4), text);
    assert_string_equal(pyro_deny_text((pyro_deny)255), text);
}

TEST(a_byte_is_found_only_within_its_bounds)
{
    const char *text = (const char *)test_fenced("x\0\xFFy", 4);

    assert_true(pyroi_has(text, 4, 'y'));
    assert_false(pyroi_has(text, 3, 'y'));
    assert_true(pyroi_has(text, 4, '\0'));
    assert_true(pyroi_has(text, 4, (char)0xFF));
    assert_false(pyroi_has(text, 4, 'z'));
    assert_false(pyroi_has(text + 4, 0, 'y'));
}

/* Composes "ab4294967295c" in memory of each size and compares. */
TEST(a_text_is_cut_at_every_size_and_says_so)
{
    static const char whole[] = "ab4294967295c";
    size_t            size;

    for (size = 1; size <= sizeof whole + 2; size++) {
        char      *to = (char *)test_room(size);
        pyroi_text t = pyroi_text_of(to, size);
        size_t n = size - 1 < sizeof whole - 1 ? size - 1 : sizeof whole - 1;

        assert_string_equal(to, "");
        pyroi_adds(&t, "ab");
        pyroi_add_dec(&t, 4294967295u);
        pyroi_add(&t, "c", 1);
        test_eq("length", strlen(to), n);
        test_same("text", to, n, whole, n);
        test_eq("cut", t.cut, size < sizeof whole);
    }
}

TEST(a_text_that_was_cut_stays_cut)
{
    char       to[4];
    pyroi_text t = pyroi_text_of(to, sizeof to);

    pyroi_adds(&t, "abcd");
    assert_true(t.cut);
    pyroi_adds(&t, "");
    assert_true(t.cut);
    assert_string_equal(to, "abc");
}

TEST(decimals_are_printed_at_every_length)
{
    uint32_t v = 1;
    char     to[16];
    char     want[16];
    int      i;

    for (i = 0; i < 10; i++, v *= 10) {
        uint32_t near[3];
        unsigned j;

        near[0] = v - 1;
        near[1] = v;
        near[2] = v + 1;
        for (j = 0; j < 3; j++) {
            pyroi_text t = pyroi_text_of(to, sizeof to);

            pyroi_add_dec(&t, near[j]);
            snprintf(want, sizeof want, "%lu", (unsigned long)near[j]);
            assert_string_equal(to, want);
            assert_false(t.cut);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(crc_gives_the_published_values),
    cmocka_unit_test(crc_of_the_parts_is_the_crc_of_the_whole),
    cmocka_unit_test(numbers_are_stored_big_end_first_at_any_address),
    cmocka_unit_test(every_error_has_a_text_of_its_own),
    cmocka_unit_test(the_text_of_an_error_is_about_that_error),
    cmocka_unit_test(a_number_that_is_no_error_has_a_text_too),
    cmocka_unit_test(every_reason_of_refusal_has_a_text_of_its_own),
    cmocka_unit_test(a_reason_that_nobody_knows_reads_as_unspecified),
    cmocka_unit_test(a_byte_is_found_only_within_its_bounds),
    cmocka_unit_test(a_text_is_cut_at_every_size_and_says_so),
    cmocka_unit_test(a_text_that_was_cut_stays_cut),
    cmocka_unit_test(decimals_are_printed_at_every_length)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
