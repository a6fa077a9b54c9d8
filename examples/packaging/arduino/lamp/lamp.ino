/* Not run here. pyro.h and lamp.h lie beside this file. How often the board
 * has started is counted in its EEPROM. */
#include <EEPROM.h>

#define PYRO_IMPLEMENTATION
#include "pyro.h"

#include "lamp.h"

static uint32_t board_ms() { return millis(); }

static int32_t board_write(const void *data, uint32_t n)
{
    uint32_t room = (uint32_t)Serial.availableForWrite();

    return (int32_t)Serial.write((const uint8_t *)data, n < room ? n : room);
}

static int32_t board_read(void *to, uint32_t n)
{
    uint32_t there = (uint32_t)Serial.available();

    return (int32_t)Serial.readBytes((char *)to, n < there ? n : there);
}

static void board_lamp(bool on) { digitalWrite(LED_BUILTIN, on); }

void setup()
{
    uint32_t boots;

    pinMode(LED_BUILTIN, OUTPUT);
    Serial.begin(115200);
    EEPROM.get(0, boots);
    EEPROM.put(0, ++boots);
    board_begin(boots);
}

void loop() { pyro_poll(&board_node, 0); }
