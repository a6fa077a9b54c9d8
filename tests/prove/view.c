/* For Frama-C's Eva: a view of a text or bytes (pyro_get_str, pyro_get_bin)
 * lies within what the reader has left.
 *
 * Assumed: 0 to MOST bytes are left, each of them anything, and they end where
 * the array does; a reader of no bytes at all as well. prove.sh sets MOST to 6:
 * each length before a text or bytes that are there, and each that is too long.
 * What looks whether a text is one is taken at its word: see text.c.
 *
 * Each get ends the program, so that its cases are kept apart to the end and
 * the next one has none of them.
 *
 * eva: -eva-auto-loop-unroll 20 -eva-widening-delay 70 -eva-split-limit 300
 * eva: -eva-interprocedural-splits -eva-use-spec pyroi_utf8
 * whole: pyro_get_str pyro_get_bin pyroi_view */
#define PYRO_STATIC
#define VIEW /* prove.sh: cases are kept apart for it */
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>
#include <stdlib.h>

static uint8_t bytes[MOST];

static void get(unsigned left, bool text)
{
    const uint8_t *from = bytes + MOST - left;
    pyro_reader    in = pyro_reader_of(from, left);
    const uint8_t *view;
    uint32_t       n;

    if (text)
        view = (const uint8_t *)pyro_get_str(&in, &n);
    else
        view = (const uint8_t *)pyro_get_bin(&in, &n);
    /*@ assert from <= view && view + n <= bytes + MOST; */
    exit(0);
}

static void get_none(void)
{
    pyro_reader in = pyro_reader_of(NULL, 0);
    uint32_t    n;
    const char *text = pyro_get_str(&in, &n);

    /*@ assert n == 0 && \valid_read(text); */
}

int main(void)
{
    unsigned left;

    get_none();
    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    /*@ loop unroll MOST + 1; */
    for (left = 0; left <= MOST; left++) {
        if (Frama_C_interval(0, 1) != 0)
            get(left, true);
        if (Frama_C_interval(0, 1) != 0)
            get(left, false);
    }
    return 0;
}
