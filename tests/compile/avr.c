/* use.c on an ATmega2560: int has 16 bits and double four bytes. Says by the
 * UART what main() returned, and numbers that need more than 16 bits. */
#define main use_main
#include "use.c"
#undef main

#include <avr/io.h>

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((UCSR0A & _BV(UDRE0)) == 0)
            continue;
        UDR0 = (uint8_t)*text;
    }
}

/* A value through the writer and back. */
static bool numbers(void)
{
    uint8_t     bytes[64];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 5);
    pyro_reader in;

    pyro_put_int(&out, -70000);
    pyro_put_uint(&out, UINT64_MAX);
    pyro_put_f64(&out, 1.5);
    pyro_put_f32(&out, -0.25f);
    pyro_put_int(&out, INT64_MIN);
    if (pyro_writer_end(&out) != PYRO_OK)
        return false;
    in = pyro_reader_of(bytes, sizeof bytes);
    return pyro_get_i32(&in) == -70000 && pyro_get_u64(&in) == UINT64_MAX
        && pyro_get_f64(&in) == 1.5 && pyro_get_f32(&in) == -0.25f
        && pyro_get_i64(&in) == INT64_MIN
        && pyro_crc32(0, "123456789", 9) == 0xCBF43926;
}

int main(void)
{
    UCSR0B = _BV(TXEN0);
    say(sizeof(double) == 4 && sizeof(int) == 2 ? "" : "not an AVR, ");
    say(numbers() ? "numbers right, " : "numbers wrong, ");
    say(use_main() == 0 ? "use.c: 0\n" : "use.c failed\n");
    for (;;)
        continue;
}
