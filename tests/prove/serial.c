/* For Frama-C's Eva: a serial line gives the bytes of packets
 * (pyro_serial_recv and all below it: COBS, checksum, order, gaps).
 *
 * Assumed: nothing of what came before. The state is any that fits the
 * assertions below, which hold again afterwards, so what is proven for one call
 * is proven for every number of bytes. The port gives up to as many bytes as it
 * is asked for, each of them anything, with or without more behind them, or a
 * gap or an error; the caller asks for at least one byte. prove.sh sets
 * PYRO_SERIAL_BYTES to 16, the least, and LAST to END. The checksum reads what
 * it is told to and no more, and may be any: see text.c.
 *
 * eva: -eva-split-return full -eva-interprocedural-splits -eva-ilevel 256
 * eva: -eva-slevel-function take:30,pyroi_serial_recv:30
 * eva: -eva-slevel-function pyroi_serial_byte:30,pyroi_serial_packet:30
 * eva: -eva-slevel-function pyroi_serial_message:30
 * eva: -eva-auto-loop-unroll 10 -eva-use-spec pyro_crc32 */
#define PYRO_STATIC
#include "contracts.h"

#include "serial.h"

#define PYRO_IMPLEMENTATION
#include "serial.h"

#include <__fc_builtin.h>

#define END (2 + PYRO_SERIAL_BYTES) /* behind the payload */

static pyro_serial line;
static pyro_port   uart;
static uint8_t     room[PYRO_SERIAL_BYTES + 1];

static int32_t any_bytes(const pyro_port *port, int32_t handle, void *ahead,
                         void *to, uint32_t n)
{
    int32_t got = Frama_C_interval(-3, (int)n);

    (void)port;
    (void)handle;
    (void)ahead;
    Frama_C_make_unknown((char *)to, n);
    if (got > 0 && Frama_C_interval(0, 1) != 0)
        got |= PYRO_PORT_MORE;
    return got;
}

/* Payload of a packet waits at [at, end) of it; the caller has room for n. */
static void take(unsigned at, unsigned end, uint32_t n)
{
    int32_t got;

    Frama_C_make_unknown((char *)&line, sizeof line);
    uart.recv = any_bytes;
    line.base_ = &uart;
    line.port.user = &line;
    line.rx_n_ = (uint8_t)Frama_C_interval(0, PYRO_SERIAL_PACKET + 1);
    line.raw_end_ = (uint8_t)Frama_C_interval(0, PYRO_SERIAL_RAW);
    line.rx_at_ = (uint8_t)at;
    line.rx_end_ = (uint8_t)end;
    got = pyroi_serial_recv(&line.port, 0, NULL, room + sizeof room - n, n);
    /*@ assert line.rx_n_ <= PYRO_SERIAL_PACKET + 1; */
    /*@ assert line.raw_end_ <= PYRO_SERIAL_RAW; */
    /*@ assert line.rx_at_ <= line.rx_end_ <= END; */
    /*@ assert got < 0 || (got & ~PYRO_PORT_MORE) <= n; */
}

int main(void)
{
    unsigned at;
    unsigned end;
    uint32_t n;

    /*@ loop unroll END + 1; */
    for (at = 0; at <= LAST; at++) {
        take(at, at, sizeof room); /* none waits */
        /*@ loop unroll END + 1; */
        for (end = at + 1; end <= END; end++)
            /*@ loop unroll PYRO_SERIAL_BYTES + 1; */
            for (n = 1; n <= sizeof room; n++)
                take(at, end, n);
    }
    /*@ loop unroll PYRO_SERIAL_BYTES; */
    for (n = 1; n < sizeof room; n++)
        take(0, 0, n);
    return 0;
}
