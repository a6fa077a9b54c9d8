/* Without room for the texts of an exception. */
#define PYRO_EXCEPTION_BYTES 0
#include "test_exception.c"
