/* The library with events, as an object. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#include "../../pyro_es.h"
