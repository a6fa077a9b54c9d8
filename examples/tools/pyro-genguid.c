/* pyro-genguid: prints a new object id, 32 random hex digits. */
#define TOOL "pyro-genguid"
#include "tool.h"

static PYRO_ROOM(1, 1, 64, 0) room;
static pyro_daemon node;

static const pyro_options options = {
    TOOL, "[-h]", "Prints a new id for an object: 32 hex digits.",
    NULL, 0,      0,
    0,    false,  NULL,
    NULL
};

int main(int argc, char **argv)
{
    char     guid[33];
    int      status = pyro_options_read(&options, &argc, argv);
    pyro_err err;

    if (status >= 0) return status;
    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    if (err) return tool_failed(&node, "an id", err);
    pyro_guid(&node, guid);
    puts(guid);
    pyro_close(&node);
    return tool_printed(TOOL_GOOD);
}
