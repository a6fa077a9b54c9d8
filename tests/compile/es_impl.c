/* The library with names and events, as an object: what scripts measure and
 * inspect. Events need both, servers and clients, with all that these can. */
#define PYRO_IMPLEMENTATION
#include "../../pyro.h"
#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_CLIENT) \
    && !defined(PYRO_NO_URI) && !defined(PYRO_NO_ASYNC)
#include "../../pyro_es.h"
#endif
#include "../../pyro_ns.h"
