/* For Frama-C's Eva: a link reads a frame's header, finds out what it is and
 * where its body is to go (pyroi_read_head, pyroi_admit).
 *
 * Assumed: a daemon with two buffers, TAKEN of them in use, no object and no
 * request; a link that is a pipe or not, in any state; a port that gives any
 * bytes, as many as it is asked for or fewer, a gap or an error. A header that
 * was begun before, by up to MOST bytes, is looked at where the link is open,
 * and where it is a pipe that is down, with 0 to 2 buffers in use. prove.sh
 * sets MOST to 9, which is all but one, FIRST and LAST to the states of a
 * connection, and TAKEN to 0. No Pyro5. The checksum is taken at its word: see
 * text.c. Bodies are left to tests, sanitizers and fuzzing.
 *
 * eva: -eva-slevel-function pyroi_noise:100 -eva-ilevel 256
 * eva: -eva-auto-loop-unroll 20 -eva-use-spec pyro_crc32
 * whole: pyroi_admit pyroi_admit_greeting pyroi_magic pyroi_noise */
#define PYRO_STATIC
#define PYRO_NO_PYRO5
#include "contracts.h"

#define PYRO_IMPLEMENTATION
#include "marked.h"

#include <__fc_builtin.h>

static PYRO_ROOM(2, 2, 64, 1) room;
static pyro_daemon node;
static pyro_port   port;

static uint32_t any_time(const pyro_port *p)
{
    (void)p;
    return Frama_C_unsigned_int_interval(0, 0xFFFFFFFF);
}

static int32_t any_bytes(const pyro_port *p, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    int32_t got = Frama_C_interval(-3, (int)n);

    (void)p;
    (void)handle;
    (void)ahead;
    Frama_C_make_unknown((char *)to, n);
    if (got > 0 && Frama_C_interval(0, 1) != 0)
        got |= PYRO_PORT_MORE;
    return got;
}

static int32_t any_count(const pyro_port *p, int32_t handle, const void *from,
                         uint32_t n)
{
    (void)p;
    (void)handle;
    (void)from;
    return Frama_C_interval(-1, (int)n);
}

static void shut(const pyro_port *p, int32_t handle)
{
    (void)p;
    (void)handle;
}

static void frame(bool pipe, unsigned state, unsigned n_head, unsigned taken)
{
    pyroi_link *l;

    port.now = any_time;
    port.recv = any_bytes;
    port.send = any_count;
    port.close = shut;
    if (pyro_open(&node, PYRO_ROOM_OF(room), NULL) != PYRO_OK)
        return;
    for (; taken > 0; taken--)
        pyroi_take(&node, PYROI_HELD);
    l = room.links;
    if (pipe)
        (void)pyro_adopt(&node, &port, 1, NULL);
    else
        l = pyroi_link_new(&node, &port, 1, 0);
    l->state = (uint8_t)state;
    l->input = true;
    if (Frama_C_interval(0, 1) != 0)
        l->flags |= PYROI_SUMS;
    node.depth_ = (uint8_t)Frama_C_interval(0, PYRO_MAX_NESTING);
    Frama_C_make_unknown((char *)l->head, sizeof l->head);
    Frama_C_make_unknown((char *)l->greet, sizeof l->greet);
    l->n_head = (uint8_t)n_head;
    if (pyroi_read_head(&node, l))
        (void)pyroi_admit(&node, l);
}

int main(void)
{
    unsigned state;
    unsigned n;

    /*@ loop unroll 3; */
    for (state = FIRST; state <= LAST; state++) {
        frame(false, state, 0, TAKEN);
        frame(true, state, 0, TAKEN);
    }
    /*@ loop unroll 9; */
    for (n = 1; n <= MOST; n++) {
        frame(false, PYROI_OPEN, n, n % 3);
        frame(true, PYROI_DOWN, n, n % 3);
    }
    return 0;
}
