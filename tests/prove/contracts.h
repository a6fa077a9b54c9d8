/* What is said of functions that look at n bytes, and of the one that takes a
 * value apart, for drivers that take them at their word (-eva-use-spec). text.c
 * and next.c show that it is true. */
#include "../../pyro.h"

/*@ requires n == 0 || \valid_read(p + (0 .. n - 1));
    assigns \result \from p[0 .. n - 1];
    ensures \result == 0 || \result == 1; */
static bool pyroi_utf8(const uint8_t *p, size_t n);

/*@ requires n == 0 || \valid_read(p + (0 .. n - 1));
    assigns \result \from p[0 .. n - 1], without[0 ..];
    ensures \result == 0 || \result == 1; */
static bool pyroi_plain(const char *p, size_t n, const char *without);

/*@ requires n == 0 || \valid_read((const uint8_t *)data + (0 .. n - 1));
    assigns \result \from crc, ((const uint8_t *)data)[0 .. n - 1]; */
PYRO_DEF uint32_t pyro_crc32(uint32_t crc, const void *data, size_t n);

/*@ requires \valid(in) && in->at <= in->end;
    assigns in->at \from in->at, in->end, indirect: in->at[0 ..];
    assigns in->err, in->type_, \result \from indirect: in->at[0 ..];
    ensures \subset(in->at, \old(in->at) + (0 .. in->end - \old(in->at)));
    ensures in->at <= in->end;
    ensures in->type_ <= PYRO_EXT; */
static uint64_t pyroi_next(pyro_reader *in);
