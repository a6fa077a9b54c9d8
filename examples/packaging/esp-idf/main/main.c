/* Not run here. */
#define PYRO_IMPLEMENTATION
#include <pyro.h>

#include "../../board.h"

#include <driver/gpio.h>
#include <driver/uart.h>
#include <esp_random.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>

static uint32_t board_ms(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

static int32_t board_write(const void *data, uint32_t n)
{
    return uart_tx_chars(UART_NUM_1, data, n);
}

static int32_t board_read(void *to, uint32_t n)
{
    return uart_read_bytes(UART_NUM_1, to, n, 0);
}

static void board_lamp(bool on)
{
    gpio_set_level(GPIO_NUM_2, on);
}

void app_main(void)
{
    gpio_set_direction(GPIO_NUM_2, GPIO_MODE_OUTPUT);
    uart_driver_install(UART_NUM_1, 512, 0, 0, NULL, 0);
    if (board_begin(esp_random()) != PYRO_OK) return;
    for (;;) {
        pyro_poll(&board_node, 0);
        vTaskDelay(1);
    }
}
