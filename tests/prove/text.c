/* For Frama-C's Eva: what contracts.h says of the functions that look at n
 * bytes, so that the other drivers can take them at their word.
 *
 * Assumed: 0 to MOST bytes, each of them anything, which end where the array
 * does. prove.sh sets MOST to 40: more than the other drivers have.
 *
 * eva: -eva-auto-loop-unroll 100 -eva-widening-delay 300 */
#define PYRO_STATIC
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>

static uint8_t bytes[MOST];

static void look(size_t n)
{
    const uint8_t *p = bytes + MOST - n;

    (void)pyroi_utf8(p, n);
#ifndef __OPTIMIZE_SIZE__
    (void)pyroi_ascii(p, n,
                      Frama_C_interval(0, 1) != 0 ? 0x0101010101010101u : 0);
#endif
    (void)pyroi_plain((const char *)p, n, "[]@/");
    (void)pyro_crc32(Frama_C_unsigned_int_interval(0, 0xFFFFFFFF), p, n);
}

int main(void)
{
    size_t n;

    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    /*@ loop unroll MOST + 1; */
    for (n = 0; n <= MOST; n++)
        look(n);
    return 0;
}
