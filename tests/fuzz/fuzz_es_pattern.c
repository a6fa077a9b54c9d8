/* fuzz_es_pattern.c - wildcards and regular expressions.
 *
 * The input: a byte that says how long the pattern is, the pattern, and the
 * subject. A wildcard is compared with a table of which part of it fits which
 * part of the subject; a regular expression must not care for upper case, and
 * one of letters alone is the beginning of what it fits. */
#include "fuzz.h"

#include "../../pyro_es.h"

enum { MOST = 100 };

static unsigned lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Copies to memory of just this size: one byte more is a finding. */
static char *copy(const uint8_t *bytes, size_t n, bool ends)
{
    char *to = malloc(n + ends + (n + ends == 0));

    FUZZ_CHECK(to != NULL, "out of memory");
    if (n > 0)
        memcpy(to, bytes, n);
    if (ends)
        to[n] = 0;
    return to;
}

/* fits[i][k]: the pattern from i on fits the subject from k on. */
static bool slowly(const char *pattern, const char *subject, size_t n)
{
    static bool fits[MOST + 2][MOST + 2];
    size_t      m = strlen(pattern);

    memset(fits, 0, sizeof fits);
    for (size_t i = m + 1; i-- > 0;)
        for (size_t k = n + 1; k-- > 0;) {
            bool   any = pattern[i] == '*' && pattern[i + 1] == '*';
            size_t next = i + 1 + any;

            if (i == m)
                fits[i][k] = k == n;
            else if (pattern[i] == '*')
                fits[i][k] =
                    fits[next][k]
                    || (k < n && (any || subject[k] != '.') && fits[i][k + 1]);
            else
                fits[i][k] = k < n && lower(pattern[i]) == lower(subject[k])
                          && fits[next][k + 1];
        }
    return fits[0][0];
}

static bool begins(const char *pattern, size_t m, const char *subject,
                   size_t n)
{
    for (size_t i = 0; i < m; i++)
        if (i == n || lower(pattern[i]) != lower(subject[i]))
            return false;
    return true;
}

static void expression(const char *pattern, size_t m, char *subject, size_t n)
{
    uint8_t *code = malloc(PYRO_ES_REGEX);
    size_t   wrong;
    size_t   plain = 0;
    bool     fits;

    FUZZ_CHECK(code != NULL, "out of memory");
    wrong = pyro_es_compile(pattern, m, code);
    FUZZ_CHECK(wrong <= m + 1, "a position outside of the pattern");
    if (wrong == 0) {
        fits = pyro_es_matches(code, subject, n);
        while (plain < m && lower(pattern[plain]) >= 'a'
               && lower(pattern[plain]) <= 'z')
            plain++;
        FUZZ_CHECK(plain < m || fits == begins(pattern, m, subject, n),
                   "letters do not fit what begins with them");
        for (size_t i = 0; i < n; i++)
            if (subject[i] >= 'a' && subject[i] <= 'z')
                subject[i] = (char)(subject[i] - 32);
        FUZZ_CHECK(fits == pyro_es_matches(code, subject, n),
                   "upper case makes a difference");
    }
    free(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = { data, data + size };
    uint32_t       m = fuzz_u8(&in) % (MOST + 1);
    uint32_t       n = MOST;
    const uint8_t *first = fuzz_bytes(&in, &m);
    const uint8_t *second = fuzz_bytes(&in, &n);
    char          *pattern = copy(first, m, true);
    char          *subject = copy(second, n, false);

    FUZZ_CHECK(pyro_es_match(pattern, subject, n)
                   == slowly(pattern, subject, n),
               "a wildcard fits what it does not, or the other way round");
    free(pattern);
    pattern = copy(first, m, false);
    expression(pattern, m, subject, n);
    free(pattern);
    free(subject);
    return 0;
}
