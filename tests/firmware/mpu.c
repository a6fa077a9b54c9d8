/* On the MPS2 boards something answers behind all memory. Here nothing does:
 * the memory protection unit of the Cortex-M3 and M4 (ARMv7-M, B3.5) forbids
 * the 32 MB from test_fence on, before main begins. */
#include <stdint.h>

#define MPU_CTRL (*(volatile uint32_t *)0xE000ED94u)
#define MPU_RBAR (*(volatile uint32_t *)0xE000ED9Cu)
#define MPU_RASR (*(volatile uint32_t *)0xE000EDA0u)

static void __attribute__((constructor)) mpu_fence(void)
{
    MPU_RBAR = TEST_FENCE | 1u << 4;     /* valid, region 0 */
    MPU_RASR = 1u << 28 | 24u << 1 | 1u; /* no access, 2^25 bytes */
    MPU_CTRL = 1u << 2 | 1u;             /* elsewhere as without */
    __asm__ volatile("dsb\n isb" ::: "memory");
}
