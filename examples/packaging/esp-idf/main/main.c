/* Not run here. The line is UART 1, with TX at pin 17 and RX at pin 16. */
#define PYRO_IMPLEMENTATION
#include <pyro.h>

#include "../../lamp.h"

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
    const uart_config_t line = { .baud_rate = 115200,
                                 .data_bits = UART_DATA_8_BITS,
                                 .parity = UART_PARITY_DISABLE,
                                 .stop_bits = UART_STOP_BITS_1,
                                 .flow_ctrl = UART_HW_FLOWCTRL_DISABLE };

    gpio_set_direction(GPIO_NUM_2, GPIO_MODE_OUTPUT);
    uart_driver_install(UART_NUM_1, 512, 0, 0, NULL, 0);
    uart_param_config(UART_NUM_1, &line);
    uart_set_pin(UART_NUM_1, 17, 16, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
    if (board_begin(esp_random()) != PYRO_OK) return;
    for (;;) {
        pyro_poll(&board_node, 0);
        vTaskDelay(1);
    }
}
