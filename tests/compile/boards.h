/* boards.h - in place of what examples/packaging/ includes of Arduino, ESP-IDF
 * and Zephyr: enough of each to compile what is there, nothing to run it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus /* Arduino */

enum { LED_BUILTIN = 13, OUTPUT = 1 };

uint32_t millis(); /* unsigned long, of 32 bits there */
void     pinMode(int pin, int mode);
void     digitalWrite(int pin, int on);
void     setup();
void     loop();

struct board_serial {
    void   begin(unsigned long baud);
    int    available();
    int    availableForWrite();
    size_t write(const uint8_t *data, size_t n);
    size_t readBytes(char *to, size_t n);
};
extern board_serial Serial;

struct board_eeprom {
    template <typename T> T       &get(int at, T &value);
    template <typename T> const T &put(int at, const T &value);
};
extern board_eeprom EEPROM;

#else /* ESP-IDF */

enum { GPIO_NUM_2 = 2, GPIO_MODE_OUTPUT = 2 };
enum { UART_NUM_1 = 1, UART_PIN_NO_CHANGE = -1 };
enum {
    UART_DATA_8_BITS = 3,
    UART_PARITY_DISABLE = 0,
    UART_STOP_BITS_1 = 1,
    UART_HW_FLOWCTRL_DISABLE = 0
};

typedef struct uart_config_t {
    int baud_rate;
    int data_bits;
    int parity;
    int stop_bits;
    int flow_ctrl;
} uart_config_t;

int64_t  esp_timer_get_time(void);
uint32_t esp_random(void);
int      gpio_set_direction(int pin, int mode);
int      gpio_set_level(int pin, uint32_t level);
int      uart_driver_install(int port, int rx, int tx, int n, void *queue,
                             int flags);
int      uart_param_config(int port, const uart_config_t *config);
int      uart_set_pin(int port, int tx, int rx, int rts, int cts);
int      uart_tx_chars(int port, const char *data, uint32_t n);
int      uart_read_bytes(int port, void *to, uint32_t n, uint32_t ticks);
void     vTaskDelay(uint32_t ticks);
void     app_main(void);

/* Zephyr */

#define DEVICE_DT_GET(node) (&board_device)
#define GPIO_DT_SPEC_GET(node, name) \
    {                                \
        0                            \
    }
#define K_MSEC(ms) (ms)

enum { GPIO_OUTPUT_INACTIVE = 1 };

struct device {
    int unused;
};
struct gpio_dt_spec {
    int pin;
};
extern const struct device board_device;

uint32_t k_uptime_get_32(void);
uint32_t sys_rand32_get(void);
int32_t  k_sleep(int32_t ms);
int      gpio_pin_configure_dt(const struct gpio_dt_spec *pin, int flags);
int      gpio_pin_set_dt(const struct gpio_dt_spec *pin, int on);
void     uart_poll_out(const struct device *line, unsigned char byte);
int      uart_poll_in(const struct device *line, unsigned char *byte);

#endif
