/* board.h - what a firmware needs of its board, here for Arm's MPS2 with a
 * Cortex-M3 (AN385), which QEMU emulates: a clock, a UART as a port of pyro.h,
 * an LED and a watchdog. For another board write these few functions anew.
 *
 * Bytes are polled: this UART tells its peer to wait. One that does not needs
 * an interrupt that empties it into a ring, and recv takes from the ring.
 * SPDX-License-Identifier: MIT */
#ifndef BOARD_H
#define BOARD_H

#include "../../pyro.h"

#define BOARD_REG(address) (*(volatile uint32_t *)(address))

/* CMSDK UART 0, watchdog, and the board's own registers. */
#define BOARD_UART_DATA  BOARD_REG(0x40004000u)
#define BOARD_UART_STATE BOARD_REG(0x40004004u) /* 1: full, 2: has a byte */
#define BOARD_UART_CTRL  BOARD_REG(0x40004008u)
#define BOARD_UART_BAUD  BOARD_REG(0x40004010u)
#define BOARD_DOG_LOAD   BOARD_REG(0x40008000u)
#define BOARD_DOG_CTRL   BOARD_REG(0x40008008u)
#define BOARD_DOG_CLEAR  BOARD_REG(0x4000800Cu)
#define BOARD_LED        BOARD_REG(0x40028000u)
#define BOARD_COUNTER    BOARD_REG(0x40028018u)
#define BOARD_PRESCALE   BOARD_REG(0x4002801Cu)
#define BOARD_BOOTS      BOARD_REG(0x21FFFFF0u) /* no reset clears it */
#define BOARD_MHZ        25u

static inline uint32_t board_now(const pyro_port *port)
{
    (void)port;
    return BOARD_COUNTER; /* milliseconds, see board_start */
}

static inline int32_t board_send(const pyro_port *port, int32_t handle,
                                 const void *data, uint32_t n)
{
    uint32_t i = 0;

    (void)port;
    (void)handle;
    while (i < n && (BOARD_UART_STATE & 1u) == 0)
        BOARD_UART_DATA = ((const uint8_t *)data)[i++];
    return (int32_t)i;
}

static inline int32_t board_recv(const pyro_port *port, int32_t handle,
                                 void *ahead, void *to, uint32_t n)
{
    uint32_t i = 0;

    (void)port;
    (void)handle;
    (void)ahead;
    while (i < n && (BOARD_UART_STATE & 2u) != 0)
        ((uint8_t *)to)[i++] = (uint8_t)BOARD_UART_DATA;
    return (int32_t)i;
}

static inline void board_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    (void)handle;
}

/* The watchdog resets the board unless it is fed every `ms`. */
static inline void board_feed(void)
{
    BOARD_DOG_CLEAR = 1;
}

/* Counts how often the board has started. The port has no randomness, so the
 * library needs a number that differs each time (pyro_config.boot). */
static inline uint32_t board_boots(void)
{
    return ++BOARD_BOOTS;
}

/* Starts clock, UART and, unless ms is 0, the watchdog. */
static inline pyro_port board_start(uint32_t watchdog_ms)
{
    pyro_port port = { 0 };

    BOARD_PRESCALE = BOARD_MHZ * 1000u - 1u;
    BOARD_UART_BAUD = 16; /* the fastest it can */
    BOARD_UART_CTRL = 3;  /* both directions */
    if (watchdog_ms != 0) {
        BOARD_DOG_LOAD = watchdog_ms * BOARD_MHZ * 1000u / 2u;
        BOARD_DOG_CTRL = 3; /* the second time it runs out is a reset */
    }
    port.now = board_now;
    port.send = board_send;
    port.recv = board_recv;
    port.close = board_close;
    return port;
}

#endif /* BOARD_H */
