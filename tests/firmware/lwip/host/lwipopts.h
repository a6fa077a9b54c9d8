/* lwipopts.h - the same for tests on a PC: everything comes from one
 * allocator of the test's, so that the address sanitizer sees each pcb and
 * pbuf, and any of them can be denied. */
#include "../lwipopts.h"

#undef LWIP_IPV6
#undef MEM_ALIGNMENT
#undef IP_REASSEMBLY
#undef IP_FRAG
#undef TCP_TMR_INTERVAL
#undef LWIP_NETIF_LOOPBACK
#define LWIP_IPV6           1
#define IP_REASSEMBLY       1
#define IP_FRAG             1
#define MEM_ALIGNMENT       8
#define LWIP_IPV6_REASS     0
#define TCP_MSL             1000
#define SO_REUSE            1
#define SO_REUSE_RXTOALL    1
#define MEM_LIBC_MALLOC     1
#define MEMP_MEM_MALLOC     1
#define mem_clib_malloc     lwip_test_malloc
#define mem_clib_calloc     lwip_test_calloc
#define mem_clib_free       lwip_test_free
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_HAVE_LOOPIF    0

#include <stddef.h>

void *lwip_test_malloc(size_t n);
void *lwip_test_calloc(size_t n, size_t size);
void  lwip_test_free(void *p);
