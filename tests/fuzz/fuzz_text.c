/* fuzz_text.c - serpent and JSON, examples/lib/text.h.
 *
 * The input: a byte that says which and how much memory there is, then a text
 * (low bit 0) or a value. What is read can be printed and read again, and is
 * the same; so is what was printed. A value comes back from serpent as it was,
 * but for floats of 32 bits and forms that are longer than need be, which is
 * why only what comes back is compared with what comes back from that. */
#include "fuzz.h"

#include "../../examples/lib/text.h"

enum { ROOM = 4096, FENCE = 16 };

static uint8_t value[ROOM + FENCE];
static uint8_t text[2 * ROOM + FENCE];
static uint8_t again[ROOM + FENCE];

static void fence(uint8_t *memory, uint32_t cap)
{
    memset(memory + cap, 0x5A, FENCE);
}

static void look(const uint8_t *memory, uint32_t cap, uint32_t n)
{
    unsigned i;

    FUZZ_CHECK(n <= cap, "more than its memory");
    for (i = 0; i < FENCE; i++)
        FUZZ_CHECK(memory[cap + i] == 0x5A, "written past its memory");
}

/* What was read from text is a value and comes back the same. */
static void back(pyro_text as, const uint8_t *from, uint32_t n)
{
    pyro_reader in = pyro_reader_of(from, n);
    const char *why = NULL;
    uint32_t    m;

    pyro_skip(&in);
    FUZZ_CHECK(in.err == PYRO_OK && in.at == in.end, "no value was read");
    m = pyro_text_print(as, from, n, text, 2 * ROOM, &why);
    if (m == 0) { /* keys; bytes in JSON cannot be read */
        FUZZ_CHECK(why != NULL, "no reason");
        return;
    }
    m = pyro_text_read(as, text, m, again, ROOM, &why);
    if (m != n || memcmp(from, again, n) != 0)
        fuzz_fail(why != NULL ? why : "another value", __LINE__);
}

static void read_text(pyro_text as, const uint8_t *data, uint32_t n,
                      uint32_t cap)
{
    const char *why = NULL;
    uint32_t    m;

    fence(value, cap);
    m = pyro_text_read(as, data, n, value, cap, &why);
    look(value, cap, m);
    FUZZ_CHECK((m == 0) == (why != NULL), "an error without a reason");
    if (m > 0)
        back(as, value, m);
}

static void read_call(const uint8_t *data, uint32_t n, uint32_t cap)
{
    uint32_t m;

    fence(value, cap);
    m = pyro_codec_json.decode(data, n, value, cap, PYRO_CODEC_CALL);
    look(value, cap, m);
    if (m == 0)
        return;
    n = pyro_codec_json.encode(value, m, text, 2 * ROOM, PYRO_CODEC_CALL);
    if (n == 0)
        return; /* a list as a key */
    n = pyro_codec_json.decode(text, n, again, ROOM, PYRO_CODEC_CALL);
    FUZZ_CHECK(n == m && memcmp(value, again, n) == 0, "another call");
}

static void print_value(pyro_text as, const uint8_t *data, uint32_t n,
                        uint32_t cap)
{
    const char *why = NULL;
    uint32_t    m;

    fence(text, cap);
    m = pyro_text_print(as, data, n, text, cap, &why);
    look(text, cap, m);
    FUZZ_CHECK((m == 0) == (why != NULL), "an error without a reason");
    if (m == 0)
        return;
    m = pyro_text_read(as, text, m, value, ROOM, &why);
    if (m == 0)
        fuzz_fail(why != NULL ? why : "not read", __LINE__);
    back(as, value, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pyro_text as;
    uint32_t  cap;

    if (size < 1 || size > 512)
        return 0;
    as = (data[0] & 2) != 0 ? PYRO_TEXT_JSON : PYRO_TEXT_SERPENT;
    cap = (data[0] & 128) != 0 ? ROOM : (uint32_t)data[0] >> 2;
    if ((data[0] & 1) != 0)
        print_value(as, data + 1, (uint32_t)size - 1, cap);
    else if ((data[0] & 6) == 6)
        read_call(data + 1, (uint32_t)size - 1, cap);
    else
        read_text(as, data + 1, (uint32_t)size - 1, cap);
    return 0;
}
