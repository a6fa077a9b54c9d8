/* Not run here. The sketch of arduino/, as a program. */
#include <Arduino.h>
#include "../../arduino/lamp/lamp.ino"
