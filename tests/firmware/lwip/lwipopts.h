/* lwipopts.h - lwIP as small as a board with a few links wants it: IPv4,
 * TCP, UDP, no operating system. See examples/lib/lwip.h for what matters. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_STATS           0
#define LWIP_IPV6            0
#define LWIP_NETIF_LOOPBACK  1
#define IP_REASSEMBLY        0
#define IP_FRAG              0
#define MEM_ALIGNMENT        4

/* A lost frame is sent again after 50 to 100 ms. */
#define TCP_TMR_INTERVAL 25

#define TCP_MSS                    536
#define TCP_WND                    (4 * TCP_MSS)
#define TCP_SND_BUF                (2 * TCP_MSS)
#define TCP_LISTEN_BACKLOG         1
#define TCP_DEFAULT_LISTEN_BACKLOG 2
#define TCP_OOSEQ_MAX_PBUFS        4

#define MEMP_NUM_TCP_PCB        10
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_UDP_PCB        2
#define MEMP_NUM_TCP_SEG        24
#define MEM_SIZE                8000
#define PBUF_POOL_SIZE          24
#define PBUF_POOL_BUFSIZE       600

#endif
