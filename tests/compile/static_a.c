/* The library as private functions of two files that are linked together:
 * this one writes what the other reads. */
#define PYRO_STATIC
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

int32_t static_b_read(const void *data, size_t n);

int main(void)
{
    uint8_t     bytes[16];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

    pyro_put_int(&out, 70000);
    if (pyro_writer_end(&out) != PYRO_OK)
        return 1;
    return static_b_read(bytes, (size_t)(out.at - bytes)) != 70000;
}
