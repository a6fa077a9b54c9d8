/* What tests/nodes.h needs of POSIX's ucontext, where there is no operating
 * system: Cortex-M (without FPU registers) and 32-bit RISC-V. A context that
 * does not run is its stack pointer; what a function must preserve lies on
 * its stack. */
#ifndef FIRMWARE_UCONTEXT_H
#define FIRMWARE_UCONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ucontext {
    struct {
        void  *ss_sp;
        size_t ss_size;
    } uc_stack;
    void *sp;
} ucontext_t;

#if defined(__arm__)
enum { UCONTEXT_WORDS = 9, UCONTEXT_RETURN = 8 };

static __attribute__((naked, noinline, unused)) void ucontext_switch(
    void **from __attribute__((unused)), void *to __attribute__((unused)))
{
    __asm__("push {r4-r7, lr}\n"
            "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
            "push {r4-r7}\n"
            "mov r2, sp\n str r2, [r0]\n mov sp, r1\n"
            "pop {r4-r7}\n"
            "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
            "pop {r4-r7, pc}\n");
}
#elif defined(__riscv) && __riscv_xlen == 32
enum { UCONTEXT_WORDS = 16, UCONTEXT_RETURN = 0 };

static __attribute__((naked, noinline, unused)) void ucontext_switch(
    void **from __attribute__((unused)), void *to __attribute__((unused)))
{
    __asm__("addi sp, sp, -64\n"
            "sw ra, 0(sp)\n sw s0, 4(sp)\n sw s1, 8(sp)\n sw s2, 12(sp)\n"
            "sw s3, 16(sp)\n sw s4, 20(sp)\n sw s5, 24(sp)\n sw s6, 28(sp)\n"
            "sw s7, 32(sp)\n sw s8, 36(sp)\n sw s9, 40(sp)\n"
            "sw s10, 44(sp)\n sw s11, 48(sp)\n"
            "sw sp, 0(a0)\n mv sp, a1\n"
            "lw ra, 0(sp)\n lw s0, 4(sp)\n lw s1, 8(sp)\n lw s2, 12(sp)\n"
            "lw s3, 16(sp)\n lw s4, 20(sp)\n lw s5, 24(sp)\n lw s6, 28(sp)\n"
            "lw s7, 32(sp)\n lw s8, 36(sp)\n lw s9, 40(sp)\n"
            "lw s10, 44(sp)\n lw s11, 48(sp)\n"
            "addi sp, sp, 64\n ret\n");
}
#else
#error "ucontext.h: only Cortex-M and 32-bit RISC-V"
#endif

static inline int getcontext(ucontext_t *context)
{
    (void)context;
    return 0;
}

/* Arguments are not passed. fn does not return. */
static inline void makecontext(ucontext_t *context, void (*fn)(void), int n)
{
    uintptr_t top = (uintptr_t)context->uc_stack.ss_sp;
    uint32_t *words;

    (void)n;
    top = (top + context->uc_stack.ss_size) & ~(uintptr_t)15;
    words = (uint32_t *)top - UCONTEXT_WORDS;
    memset(words, 0, UCONTEXT_WORDS * sizeof *words);
    words[UCONTEXT_RETURN] = (uint32_t)(uintptr_t)fn;
    context->sp = words;
}

static inline int swapcontext(ucontext_t *from, const ucontext_t *to)
{
    ucontext_switch(&from->sp, to->sp);
    return 0;
}

static inline int setcontext(const ucontext_t *to)
{
    void *nobody;

    ucontext_switch(&nobody, to->sp);
    return 0;
}

#endif /* FIRMWARE_UCONTEXT_H */
