/* test_pyro5.c without what Pyro5 can do without. */
#define PYRO_NO_PYRO4
#define PYRO_NO_BATCH
#define PYRO_NO_CODECS
#include "test_pyro5.c"
