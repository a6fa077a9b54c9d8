/* Values by chance, for tests of what turns them into text and back. */
#ifndef ANY_VALUE_H
#define ANY_VALUE_H

#include "pyro_test.h"

enum { /* what may be among them, too */
       ANY_BYTES = 1,
       ANY_EXT = 2,
       ANY_KEYS = 4 /* keys that are no text */
};

/* Puts some value of any kind and what is inside of it. */
static void any_value(pyro_writer *out, uint32_t *seed, unsigned depth,
                      unsigned also)
{
    static const char *const texts[] = {
        "",       "$",        "data",     "$$",      "encoding",
        "$bytes", "\x01\x7f", "\xc2\x80", "a\"b\\'", "\xf0\x9f\x98\x80"
    };
    uint32_t    n = test_random(seed) % 4;
    uint64_t    r = test_random64(seed);
    uint32_t    kind = (uint32_t)(r % (depth > 0 ? 10 : 8));
    const char *text = texts[(r >> 8) % PYRO_COUNT(texts)];
    uint32_t    i;

    switch (kind) {
    case 0:
        pyro_put_bool(out, n > 1);
        break;
    case 1:
        pyro_put_uint(out, r >> (16 * n));
        break;
    case 2:
        pyro_put_int(out, -(int64_t)(r >> 1));
        break;
    case 3:
        pyro_put_f64(out, (double)(int64_t)r / 7);
        break;
    case 4:
        pyro_put_str(out, text);
        break;
    case 5:
        if ((also & ANY_BYTES) != 0)
            pyro_put_bin(out, text, strlen(text));
        else
            pyro_put_nil(out);
        break;
    case 6:
        if ((also & ANY_EXT) != 0)
            pyro_put_raw(out, "\xd5\x01\x02\x03", 4);
        else
            pyro_put_nil(out);
        break;
    case 7:
        pyro_put_nil(out);
        break;
    case 8:
        n *= r & 0x1000 ? 8 : 1;
        pyro_put_list(out, n);
        for (i = 0; i < n; i++)
            any_value(out, seed, depth - 1, also);
        break;
    default:
        pyro_put_map(out, n);
        for (i = 0; i < n; i++) {
            if ((also & ANY_KEYS) != 0 && test_random(seed) % 4 == 0)
                any_value(out, seed, 0, also);
            else
                pyro_put_str(out, texts[(i + n) % PYRO_COUNT(texts)]);
            any_value(out, seed, depth - 1, also);
        }
    }
}

#endif
