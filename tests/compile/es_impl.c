/* The library with names and events, as an object: what scripts measure and
 * inspect. Events need both, servers and clients. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_CLIENT)
#include "../../pyro_es.h"
#endif
#include "../../pyro_ns.h"
