/* arch/cc.h - what lwIP asks of the compiler: that it is gcc, or like it */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>
#include <stdlib.h>

/* Of the program: random enough for port and sequence numbers. */
uint32_t lwip_random(void);
#define LWIP_RAND() lwip_random()

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) abort()

#endif
