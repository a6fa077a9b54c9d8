/* The other half of static_a.c. */
#define PYRO_STATIC
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"

int32_t static_b_read(const void *data, size_t n);

int32_t static_b_read(const void *data, size_t n)
{
    pyro_reader in = pyro_reader_of(data, n);

    return pyro_get_i32(&in);
}
