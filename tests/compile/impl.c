/* The library alone, as an object: what scripts measure and inspect. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
