/* Shared by the test programs, which include it behind pyro.h: cmocka, bytes
 * written as hex, and memory behind which the next byte is a crash. */
#ifndef PYRO_TEST_H
#define PYRO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#ifndef TEST_FENCE
#include <sys/mman.h>
#include <unistd.h>
#endif

/* A test. Its name is the sentence that it proves. */
#define TEST(name) static void name(void **state __attribute__((unused)))

/* Equal numbers, or a failure that says in which row of which table, what
 * was compared, and both numbers. */
#define test_eq(row, is, want) \
    test_eq_(row, #is, (int64_t)(is), (int64_t)(want), __FILE__, __LINE__)

static inline void test_eq_(const char *row, const char *what, int64_t is,
                            int64_t want, const char *file, int line)
{
    if (is == want)
        return;
    print_error("%s: %s is %lld, should be %lld\n", row, what, (long long)is,
                (long long)want);
    _fail(file, line);
}

static inline unsigned test_digit(const char *row, char c)
{
    static const char digits[] = "0123456789abcdef";
    const char       *at = c != '\0' ? strchr(digits, c) : NULL;

    if (at == NULL)
        fail_msg("not hex: %s", row);
    return (unsigned)(at - digits);
}

/* Bytes from text: hex digits in pairs, 'letters' for themselves, blanks for
 * the reader. Returns their number. */
static inline size_t test_hex(uint8_t *to, size_t size, const char *row)
{
    const char *p = row;
    size_t      n = 0;
    int         quoted = 0;

    for (; *p != '\0'; p++) {
        if (*p == '\'') {
            quoted = !quoted;
        } else if (quoted || *p != ' ') {
            unsigned byte = (uint8_t)*p;

            if (!quoted) {
                byte = test_digit(row, *p) << 4;
                byte |= test_digit(row, *++p);
            }
            if (n == size)
                fail_msg("more than %u bytes: %s", (unsigned)size, row);
            to[n++] = (uint8_t)byte;
        }
    }
    return n;
}

static inline void test_dump(const char *what, const void *data, size_t n)
{
    const uint8_t *p = (const uint8_t *)data;
    size_t         i;

    print_error("  %s, %u bytes:", what, (unsigned)n);
    for (i = 0; i < n && i < 64; i++)
        print_error(" %02x", p[i]);
    print_error(i < n ? " ...\n" : "\n");
}

/* Equal bytes, or a failure that shows both and where they part. */
#define test_same(row, is, n, want, m) \
    test_same_(row, is, n, want, m, __FILE__, __LINE__)

static inline void test_same_(const char *row, const void *is, size_t n,
                              const void *want, size_t m, const char *file,
                              int line)
{
    const uint8_t *a = (const uint8_t *)is;
    const uint8_t *b = (const uint8_t *)want;
    size_t         i = 0;

    while (i < n && i < m && a[i] == b[i])
        i++;
    if (i == n && i == m)
        return;
    print_error("%s: other bytes from byte %u\n", row, (unsigned)i);
    test_dump("is", is, n);
    test_dump("should be", want, m);
    _fail(file, line);
}

#define test_same_hex(row, is, n, hex) \
    test_same_hex_(row, is, n, hex, __FILE__, __LINE__)

static inline void test_same_hex_(const char *row, const void *is, size_t n,
                                  const char *hex, const char *file, int line)
{
    uint8_t want[512] = { 0 };

    test_same_(row, is, n, want, test_hex(want, sizeof want, hex), file, line);
}

/* One block of memory for each program with bytes before and behind it that
 * nobody may touch. test_fence is the first of those behind. */
#ifdef TEST_FENCE

/* Where there is no operating system: the end of all memory, an address that
 * comes with -D. The linker keeps off the TEST_FENCED bytes before it. */
static inline uint8_t *test_fence(void)
{
    return (uint8_t *)TEST_FENCE;
}

#else

#define TEST_FENCED (32u * 4096u)

static inline uint8_t *test_fence(void)
{
    static uint8_t *fence;
    size_t          page = (size_t)sysconf(_SC_PAGESIZE);
    size_t          room = (TEST_FENCED + page - 1) / page * page;
    uint8_t        *block;

    if (fence != NULL)
        return fence;
    block = (uint8_t *)mmap(NULL, page + room + page, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if ((void *)block == MAP_FAILED
        || mprotect(block + page, room, PROT_READ | PROT_WRITE) != 0)
        fail_msg("no fenced memory of %u bytes", (unsigned)room);
    fence = block + page + room;
    return fence;
}

#endif

#define TEST_FILL 0xA5 /* what memory holds that nothing was written to */

/* Memory of n bytes just before the fence, filled, with what stood there. */
static inline uint8_t *test_room(size_t n)
{
    assert_true(n <= TEST_FENCED);
    return (uint8_t *)memset(test_fence() - n, TEST_FILL, n);
}

/* A copy of n bytes that ends at the fence. */
static inline uint8_t *test_fenced(const void *data, size_t n)
{
    uint8_t *p = test_room(n);

    if (n > 0)
        memcpy(p, data, n);
    return p;
}

static inline int test_untouched(const void *data, size_t n)
{
    const uint8_t *p = (const uint8_t *)data;

    while (n > 0 && p[n - 1] == TEST_FILL)
        n--;
    return n == 0;
}

/* The same numbers in every run: Marsaglia's xorshift. */
static inline uint32_t test_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static inline uint64_t test_random64(uint32_t *seed)
{
    uint64_t high = test_random(seed);

    return high << 32 | test_random(seed);
}

/* Byte sequences that are no UTF-8; NULL behind the last. */
typedef struct test_row {
    const char *label;
    const char *hex;
} test_row;

static inline const test_row *test_bad_utf8(size_t i)
{
    static const test_row rows[] = {
        { "tail alone", "80" },
        { "last tail alone", "bf" },
        { "overlong slash in two", "c0 af" },
        { "overlong 7f in two", "c1 bf" },
        { "overlong zero", "c0 80" },
        { "overlong in three", "e0 80 af" },
        { "overlong 7ff in three", "e0 9f bf" },
        { "overlong in four", "f0 80 80 af" },
        { "overlong ffff in four", "f0 8f bf bf" },
        { "first surrogate", "ed a0 80" },
        { "last surrogate", "ed bf bf" },
        { "pair of surrogates", "ed a0 bd ed b8 80" },
        { "past U+10FFFF", "f4 90 80 80" },
        { "lead f5", "f5 80 80 80" },
        { "five bytes", "f8 88 80 80 80" },
        { "fe", "fe" },
        { "ff", "ff" },
        { "two cut to one", "'a' c3" },
        { "three cut to one", "e2" },
        { "three cut to two", "e2 82" },
        { "four cut to three", "f0 9f 98" },
        { "two with a letter as tail", "c3 'a'" },
        { "three with a letter as second tail", "e2 82 'a'" },
        { "four with a lead as last tail", "f0 9f 98 c3" },
        { "good, then bad", "'ab' c3 a9 e2 82 ac 'c' ff" }
    };

    return i < PYRO_COUNT(rows) ? &rows[i] : NULL;
}

#endif /* PYRO_TEST_H */
