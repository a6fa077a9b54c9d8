/* fuzz_serial.c - the serial port of examples/lib/serial.h.
 *
 * The input is a row of steps: loose bytes on the line, packets with a right
 * checksum and any head and payload, messages that are sent while the line
 * takes few bytes, and receiving in small pieces. Whatever comes, what is
 * given to the library is whole messages, except that a gap may end one. */
#include "fuzz.h"

#include "../../examples/lib/serial.h"

enum { LINE = 4096 };

static uint8_t  bytes[LINE];
static uint32_t used, at, room;

static pyro_port   base;
static pyro_serial line;
static uint8_t     head[10]; /* of the message that arrives */
static uint32_t    n_head, left;

static int32_t line_send(const pyro_port *port, int32_t handle,
                         const void *data, uint32_t n)
{
    (void)port;
    (void)handle;
    n = n < room ? n : room;
    n = n < LINE - used ? n : LINE - used;
    memcpy(bytes + used, data, n);
    used += n;
    room -= n;
    return (int32_t)n;
}

static int32_t line_recv(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    (void)port;
    (void)handle;
    (void)ahead;
    n = n < used - at ? n : used - at;
    memcpy(to, bytes + at, n);
    at += n;
    return (int32_t)n;
}

/* One more byte of what the library gets. */
static void given(uint8_t byte)
{
    if (left == 0) {
        head[n_head++] = byte;
        left = pyroi_serial_message(head, n_head);
        FUZZ_CHECK(left != 0 || n_head < 10, "what begins is no message");
        if (left != 0) {
            left -= n_head;
            n_head = 0;
        }
    } else {
        left--;
    }
}

static void receive(uint32_t n)
{
    uint8_t to[16];
    int32_t got;

    got = line.port.recv(&line.port, 1, NULL, to, n);
    if (got == PYRO_PORT_GAP) {
        FUZZ_CHECK(left > 0 || n_head > 0, "a gap where nothing was begun");
        left = n_head = 0;
        return;
    }
    FUZZ_CHECK(got >= 0 && (uint32_t)(got & ~PYRO_PORT_MORE) <= n, "count");
    for (int32_t i = 0; i < (got & ~PYRO_PORT_MORE); i++)
        given(to[i]);
}

/* A packet with any head and payload. */
static void packet(struct fuzz_in *in)
{
    uint8_t  p[1 + PYRO_SERIAL_PACKET + 1];
    unsigned n = 1u + fuzz_u8(in) % PYRO_SERIAL_BYTES;

    for (unsigned i = 0; i <= n; i++)
        p[1 + i] = fuzz_u8(in);
    pyroi_serial_put_sum(p + 1, 1 + n);
    pyroi_serial_stuff(p, n + 5);
    p[n + 6] = 0;
    room = LINE;
    line_send(&base, 1, p, n + 7);
}

/* A message of the library's, whole or given up after a while. */
static void message(struct fuzz_in *in)
{
    uint8_t  m[256] = { 'P', 'Y', 0x64 };
    uint32_t n = 8u + fuzz_u8(in) % 200u;
    uint32_t from = 0;

    m[2] = (uint8_t)(0x60 | (fuzz_u8(in) & 7));
    m[7] = (uint8_t)(n - 8);
    for (unsigned turns = fuzz_u8(in) % 64u; turns > 0 && from < n; turns--) {
        int32_t sent;

        room = fuzz_u8(in);
        sent = line.port.send(&line.port, 1, m + from, n - from);
        FUZZ_CHECK(sent >= 0 && (uint32_t)sent <= n - from, "sent");
        from += (uint32_t)sent;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = { data, data + size };

    used = at = n_head = left = 0;
    base.send = line_send;
    base.recv = line_recv;
    pyro_serial_open(&line, &base);
    while (in.at < in.end) {
        unsigned what = fuzz_u8(&in);

        if (used > LINE / 2 && at == used)
            used = at = 0;
        switch (what % 4) {
        case 0:
            if (used < LINE)
                bytes[used++] = fuzz_u8(&in);
            break;
        case 1:
            packet(&in);
            break;
        case 2:
            message(&in);
            break;
        default:
            receive(1u + what / 4 % 16);
            break;
        }
    }
    return 0;
}
