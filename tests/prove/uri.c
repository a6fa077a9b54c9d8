/* For Frama-C's Eva: a URI's text is taken apart (pyro_uri_parse).
 *
 * Assumed: 1 to MOST bytes, each of them anything, which end where the array
 * does. prove.sh sets MOST to 15, which is every form of each protocol with
 * parts of a few bytes: that each may not be longer than it may is all that
 * longer ones add, and is left to tests, sanitizers and fuzzing. UTF-8 and
 * blanks are looked for by functions that are taken at their word: see text.c.
 *
 * eva: -eva-auto-loop-unroll 30 -eva-split-return full
 * eva: -eva-slevel-function pyro_uri_parse:100,pyroi_uri_split:200
 * eva: -eva-slevel-function pyroi_object_first:200,pyroi_find:100
 * eva: -eva-slevel-function pyroi_uri_of_parts:100,pyroi_address:200
 * eva: -eva-slevel-function pyroi_port:20
 * eva: -eva-use-spec pyroi_utf8,pyroi_plain
 * whole: pyro_uri_parse pyroi_uri_split pyroi_object_first pyroi_find
 * whole: pyroi_starts pyroi_needs_port pyroi_port */
#define PYRO_STATIC
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>

static char bytes[MOST];

static void parse(size_t n)
{
    pyro_uri    uri;
    const char *reason;

    (void)pyro_uri_parse(&uri, bytes + MOST - n, n, &reason);
}

int main(void)
{
    size_t n;

    Frama_C_make_unknown(bytes, sizeof bytes);
    /*@ loop unroll MOST; */
    for (n = 1; n <= MOST; n++)
        parse(n);
    return 0;
}
