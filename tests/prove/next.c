/* For Frama-C's Eva: a reader takes one value apart (pyroi_next), which is
 * where all bounds of values from outside are looked at, and what contracts.h
 * says of it is true.
 *
 * Assumed: 0 to MOST bytes are left, each of them anything, and they end where
 * the array does. What stands before them is not looked at, so that this is
 * every step of a reader that is MOST bytes or less from its end. prove.sh sets
 * MOST to 12: every tag, the longest number and length, texts and bytes of up
 * to 11. Longer ones are left to tests, sanitizers and fuzzing. What looks
 * whether a text is one is taken at its word: see text.c.
 *
 * eva: -eva-auto-loop-unroll 20 -eva-widening-delay 70 -eva-split-limit 300
 * eva: -eva-use-spec pyroi_utf8
 * whole: pyroi_next_long pyroi_spoil pyro_reader_of */
#define PYRO_STATIC
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>

static uint8_t bytes[MOST];

static void take(unsigned left)
{
    pyro_reader in;

    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    in = pyro_reader_of(bytes + MOST - left, left);
    (void)pyroi_next(&in);
    /*@ assert bytes + (MOST - left) <= in.at <= in.end; */
}

int main(void)
{
    unsigned left;

    /*@ loop unroll MOST + 1; */
    for (left = 0; left <= MOST; left++)
        take(left);
    return 0;
}
