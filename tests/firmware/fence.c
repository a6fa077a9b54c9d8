/* Proves that a test can fail on a board: what stands before the fence can be
 * read, what stands behind it ends the program. */
#include "../../pyro.h"

#include "../pyro_test.h"

TEST(memory_ends_at_the_fence)
{
    const volatile uint8_t *p = test_room(1);

    (void)state;
    assert_int_equal(p[0], TEST_FILL);
    printf("the byte behind the fence is %d\n", p[FENCE_AT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        memory_ends_at_the_fence) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
