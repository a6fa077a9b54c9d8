/* The text codecs for parts without floats. */
#define PYRO_TEXT_NO_FLOAT
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../examples/lib/text.h"

#include "pyro_test.h"

TEST(floats_are_refused_by_name_both_ways)
{
    static const char why[] = "a float, and they are not built in";
    static const char text[] = "[1,0.5]";
    uint8_t           value[] = { 0x91, 0xCA, 0x3F, 0, 0, 0 };
    uint8_t           to[64];
    const char       *is = NULL;

    assert_int_equal(pyro_text_read(PYRO_TEXT_SERPENT, text, sizeof text - 1,
                                    to, sizeof to, &is),
                     0);
    assert_string_equal(is, why);
    is = NULL;
    assert_int_equal(pyro_text_print(PYRO_TEXT_JSON, value, sizeof value, to,
                                     sizeof to, &is),
                     0);
    assert_string_equal(is, why);
}

TEST(all_else_is_there)
{
    static const char text[] = "[1,-2,\"a\",{\"b\":None}]";
    uint8_t           value[64];
    uint8_t           to[64];
    uint32_t n = pyro_text_read(PYRO_TEXT_SERPENT, text, sizeof text - 1,
                                value, sizeof value, NULL);

    test_same_hex(text, value, n, "94 01 fe a161 81 a162 c0");
    n = pyro_text_print(PYRO_TEXT_SERPENT, value, n, to, sizeof to, NULL);
    test_same(text, to, n, text, sizeof text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_refused_by_name_both_ways),
        cmocka_unit_test(all_else_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
