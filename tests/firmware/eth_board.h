/* eth_board.h - what the Ethernet images need of a board: a clock of
 * milliseconds, the LAN9118 as a network interface of lwIP, sleep. The board
 * is mps2-an385, a Cortex-M3, as QEMU emulates it. */
#ifndef ETH_BOARD_H
#define ETH_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

/* --- processor --- */

#define ETH_WORD(at) (*(volatile uint32_t *)(at))

#define ETH_SYSTICK     0xE000E010u /* control, reload */
#define ETH_NVIC_ENABLE 0xE000E100u
#define ETH_VECTORS     0xE000ED08u /* address of the table of handlers */
#define ETH_IRQ         13          /* of the LAN9118 */
#define ETH_MHZ         25

static volatile uint32_t eth_ms;
static uint32_t          eth_seed;

static void eth_tick(void)
{
    eth_ms++;
}

u32_t sys_now(void)
{
    return eth_ms;
}

uint32_t lwip_random(void)
{
    return eth_seed = eth_seed * 1664525u + 1013904223u;
}

/* --- LAN9118 --- */

#define ETH_REG(at) ETH_WORD(0x40200000u + (at))

enum {
    ETH_RX_DATA = 0x00,
    ETH_TX_DATA = 0x20,
    ETH_RX_STATUS = 0x40,
    ETH_IRQ_CFG = 0x54,
    ETH_INT_STS = 0x58,
    ETH_INT_EN = 0x5C,
    ETH_FIFO_INT = 0x68,
    ETH_TX_CFG = 0x70,
    ETH_RX_FIFO = 0x7C,
    ETH_MAC_CMD = 0xA4,
    ETH_MAC_DATA = 0xA8
};

enum { ETH_MAC_CR = 1, ETH_MAC_HIGH = 2, ETH_MAC_LOW = 3 };

#define ETH_INT_RX  (1u << 3) /* something is in the receive FIFO */
#define ETH_CRC     4u
#define ETH_LONGEST 1518u

static struct netif eth_netif;
static uint32_t     eth_lost; /* frames without a pbuf */
static uint32_t     eth_frame[(ETH_LONGEST + 3) / 4];

static uint32_t eth_mac(unsigned reg)
{
    ETH_REG(ETH_MAC_CMD) = 0xC0000000u | reg;
    return ETH_REG(ETH_MAC_DATA);
}

static void eth_mac_set(unsigned reg, uint32_t value)
{
    ETH_REG(ETH_MAC_DATA) = value;
    ETH_REG(ETH_MAC_CMD) = 0x80000000u | reg;
}

static err_t eth_output(struct netif *netif, struct pbuf *p)
{
    uint32_t n = p->tot_len;

    (void)netif;
    if (n > sizeof eth_frame)
        return ERR_BUF;
    pbuf_copy_partial(p, eth_frame, (u16_t)n, 0);
    ETH_REG(ETH_TX_DATA) = 0x3000u | n; /* first and last part */
    ETH_REG(ETH_TX_DATA) = n;
    for (uint32_t i = 0; i < (n + 3) / 4; i++)
        ETH_REG(ETH_TX_DATA) = eth_frame[i];
    return ERR_OK;
}

static void eth_input(uint32_t n)
{
    struct pbuf *p;

    for (uint32_t i = 0; i < (n + 3) / 4; i++) {
        uint32_t word = ETH_REG(ETH_RX_DATA);

        if (i < sizeof eth_frame / 4)
            eth_frame[i] = word;
    }
    if (n <= ETH_CRC || n > sizeof eth_frame)
        return;
    n -= ETH_CRC;
    p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);
    if (p == NULL) {
        eth_lost++;
        return;
    }
    pbuf_take(p, eth_frame, (u16_t)n);
    if (eth_netif.input(p, &eth_netif) != ERR_OK)
        pbuf_free(p);
}

static bool eth_waiting(void)
{
    return (ETH_REG(ETH_RX_FIFO) & 0xFF0000u) != 0;
}

/* The interrupt only ends a sleep; frames are looked at in poll. */
static void eth_interrupt(void)
{
    ETH_REG(ETH_INT_EN) = 0;
}

/* Sleeps with interrupts masked: one that comes after the look ends wfi all
 * the same, and is served behind it. The clock's comes each millisecond. */
static void eth_sleep(uint32_t ms)
{
    uint32_t begin = eth_ms;

#ifdef ETH_BUSY
    (void)begin;
    (void)ms;
#else
    while (!eth_waiting() && eth_ms - begin < ms) {
        ETH_REG(ETH_INT_STS) = ETH_INT_RX;
        ETH_REG(ETH_INT_EN) = ETH_INT_RX;
        __asm__ volatile("cpsid i");
        if (!eth_waiting())
            __asm__ volatile("wfi");
        __asm__ volatile("cpsie i");
    }
#endif
}

/* Of pyro_lwip. Bounded: what comes meanwhile is for the next time. */
static void eth_poll(void *user, uint32_t ms)
{
    (void)user;
    eth_sleep(ms);
    for (int left = 16; left > 0 && eth_waiting(); left--)
        eth_input(ETH_REG(ETH_RX_STATUS) >> 16 & 0x3FFF);
    netif_poll(&eth_netif); /* what the board sends to itself */
}

static err_t eth_netif_up(struct netif *netif)
{
    uint32_t low = eth_mac(ETH_MAC_LOW);
    uint32_t high = eth_mac(ETH_MAC_HIGH);

    for (unsigned i = 0; i < 6; i++)
        netif->hwaddr[i] =
            (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
    netif->hwaddr_len = 6;
    netif->mtu = 1500;
    netif->output = etharp_output;
    netif->linkoutput = eth_output;
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* Brings all of it up, with this address in a network of 255.255.255.0. */
static void eth_open(const char *ip, uint32_t seed)
{
    static void (*vectors[16 + ETH_IRQ + 1])(void)
        __attribute__((aligned(128)));
    ip4_addr_t address, mask, gateway;

    memcpy(vectors, *(void **)ETH_VECTORS, 16 * sizeof vectors[0]);
    vectors[15] = eth_tick;
    vectors[16 + ETH_IRQ] = eth_interrupt;
    ETH_WORD(ETH_VECTORS) = (uint32_t)vectors;
    ETH_WORD(ETH_SYSTICK + 4) = ETH_MHZ * 1000 - 1;
    ETH_WORD(ETH_SYSTICK) = 7;
    ETH_REG(ETH_IRQ_CFG) = 0x111; /* before the line is enabled: its level */
    ETH_REG(ETH_FIFO_INT) = 0;
    ETH_REG(ETH_TX_CFG) = 2;
    eth_mac_set(ETH_MAC_CR, 0xC); /* receive, send */
    ETH_WORD(ETH_NVIC_ENABLE) = 1u << ETH_IRQ;

    eth_seed = seed;
    lwip_init();
    if (!ip4addr_aton(ip, &address))
        abort();
    IP4_ADDR(&mask, 255, 255, 255, 0);
    ip4_addr_set_u32(&gateway, (address.addr & mask.addr) | PP_HTONL(2));
    netif_add(&eth_netif, &address, &mask, &gateway, NULL, eth_netif_up,
              ethernet_input);
    netif_set_default(&eth_netif);
    netif_set_up(&eth_netif);
}

#endif
