/* For Frama-C's Eva: a value is passed over with all that is in it (pyro_skip),
 * however deep, and the view of it (pyro_get_raw) lies within what the reader
 * has left.
 *
 * Assumed: 0 to MOST bytes are left and end where the array does. What takes a
 * value apart is taken at its word (pyroi_next, contracts.h): it may say
 * anything of a value, so that lists and maps nest in every way. next.c shows
 * that its word is true where 12 bytes or less are left; prove.sh sets MOST
 * to 8. Each view ends the program, so that its cases are kept apart.
 *
 * eva: -eva-auto-loop-unroll 0 -eva-widening-delay 40 -eva-split-limit 300
 * eva: -eva-interprocedural-splits -eva-use-spec pyroi_next
 * whole: pyro_skip pyro_get_raw pyroi_spoil */
#define PYRO_STATIC
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>
#include <stdlib.h>

static uint8_t bytes[MOST];

static void skip(unsigned left)
{
    const uint8_t *from = bytes + MOST - left;
    pyro_reader    in = pyro_reader_of(from, left);
    uint32_t       n;
    const uint8_t *view = (const uint8_t *)pyro_get_raw(&in, &n);

    /*@ assert from <= view && view + n <= bytes + MOST; */
    exit(0);
}

int main(void)
{
    unsigned left;

    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    /*@ loop unroll MOST + 1; */
    for (left = 0; left <= MOST; left++)
        if (Frama_C_interval(0, 1) != 0)
            skip(left);
    return 0;
}
