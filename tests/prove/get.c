/* For Frama-C's Eva: each of the calls that get one value (pyro_get_i32 and so
 * on; those that give a view are in view.c and skip.c).
 *
 * Assumed: 0 to MOST bytes are left, each of them anything, and they end where
 * the array does; lists and maps may have any number of entries. prove.sh sets
 * MOST to 9: every number. A float may be infinite or no number, which is no
 * error. What looks whether a text is one is taken at its word: see text.c.
 *
 * eva: -eva-auto-loop-unroll 20 -eva-widening-delay 70 -eva-split-limit 300
 * eva: -eva-use-spec pyroi_utf8 -warn-special-float none
 * whole: get pyro_more pyro_peek pyro_get_nil pyro_get_bool pyro_get_i32
 * whole: pyro_get_i64 pyro_get_u64 pyro_get_f32 pyro_get_f64 pyro_get_list
 * whole: pyro_get_map pyroi_get_count pyroi_get_bits pyroi_number
 * whole: pyroi_narrow pyroi_widen pyroi_int_bits pyroi_double */
#define PYRO_STATIC
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>

static uint8_t bytes[MOST];

static void get(unsigned left)
{
    const pyro_reader all = pyro_reader_of(bytes + MOST - left, left);
    uint32_t          max = Frama_C_unsigned_int_interval(0, 0xFFFFFFFF);
    pyro_reader       in = all;

    (void)pyro_more(&in);
    (void)pyro_peek(&in);
    switch (Frama_C_interval(0, 8)) {
    case 0:
        pyro_get_nil(&in);
        break;
    case 1:
        (void)pyro_get_bool(&in);
        break;
    case 2:
        (void)pyro_get_i32(&in);
        break;
    case 3:
        (void)pyro_get_i64(&in);
        break;
    case 4:
        (void)pyro_get_u64(&in);
        break;
    case 5:
        (void)pyro_get_f32(&in);
        break;
    case 6:
        (void)pyro_get_f64(&in);
        break;
    case 7:
        (void)pyro_get_list(&in, max);
        break;
    default:
        (void)pyro_get_map(&in, max);
        break;
    }
    /*@ assert all.at <= in.at <= in.end; */
}

int main(void)
{
    unsigned left;

    Frama_C_make_unknown((char *)bytes, sizeof bytes);
    /*@ loop unroll MOST + 1; */
    for (left = 0; left <= MOST; left++)
        get(left);
    return 0;
}
