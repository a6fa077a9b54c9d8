/* With the least room for the texts of an exception. */
#define PYRO_EXCEPTION_BYTES 16
#include "test_exception.c"
