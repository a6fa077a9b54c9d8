/* Not run here. The line is the console, which prints nothing else then. */
#define PYRO_IMPLEMENTATION
#include <pyro.h>

#include "../../lamp.h"

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>

static const struct device *const line =
    DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
static const struct gpio_dt_spec lamp =
    GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);

static uint32_t board_ms(void)
{
    return k_uptime_get_32();
}

static int32_t board_write(const void *data, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        uart_poll_out(line, ((const uint8_t *)data)[i]);
    return (int32_t)n;
}

static int32_t board_read(void *to, uint32_t n)
{
    uint32_t i = 0;

    while (i < n && uart_poll_in(line, (uint8_t *)to + i) == 0) i++;
    return (int32_t)i;
}

static void board_lamp(bool on)
{
    gpio_pin_set_dt(&lamp, on);
}

int main(void)
{
    gpio_pin_configure_dt(&lamp, GPIO_OUTPUT_INACTIVE);
    if (board_begin(sys_rand32_get()) != PYRO_OK) return 1;
    for (;;) {
        pyro_poll(&board_node, 0);
        k_sleep(K_MSEC(1));
    }
}
