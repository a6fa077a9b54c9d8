/* The library with names, as an object: what scripts measure and inspect. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#include "../../pyro_ns.h"
