/* Names as private functions of a second file: built with ns_use.c, both with
 * PYRO_STATIC. */
#include "../../pyro_ns.h"

const char *ns_static_expand(const char *name,
                             char        full[PYRO_NS_MAX_NAME + 1]);

const char *ns_static_expand(const char *name, char full[PYRO_NS_MAX_NAME + 1])
{
    return pyro_ns_expand(":lab", name, strlen(name), full);
}
