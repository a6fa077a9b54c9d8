/* ns_flash.h - a journal in flash: two sectors in RAM, behind the three
 * functions of pyro_ns_storage.
 *
 * Erasing a sector sets all its bits; programming can only clear bits, and a
 * byte that was programmed must be erased before it is used again: whatever
 * breaks that counts in flash.misuse. Power may be cut at any byte: it is
 * programmed in part, and from then on every function fails, as does all that
 * comes after flash_cut's count of steps, until flash_mount.
 *
 *     flash_new();                 two blank sectors
 *     flash_mount();               as after power on
 *     flash_cut(100, 0);           the 100th step is done in part
 *     ... flash.off says that it came so far
 *     flash_mount();
 *
 * A step is one byte programmed, or FLASH_PIECE bytes erased. A sector begins
 * with a number and its complement, which are programmed last: the sector with
 * the larger number holds the journal. As a bit set in both of them is wrong,
 * and erasing or programming in part can only set or clear bits, no half done
 * header passes for a whole one. */
#ifndef NS_FLASH_H
#define NS_FLASH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    FLASH_SECTOR = 8192, /* most */
    FLASH_HEAD = 8,
    FLASH_PIECE = 64
};

static struct flash {
    pyro_ns_storage storage;
    uint8_t         cells[2][FLASH_SECTOR];
    uint32_t        size;  /* of a sector, up to FLASH_SECTOR */
    unsigned        in;    /* the sector of the journal */
    uint32_t        end;   /* of the journal in it */
    uint32_t        other; /* end of what is written in the other one, 0: it
                              must be erased */
    uint32_t        seed;

    bool     limited; /* power will be cut after `left` steps */
    bool     off;
    uint32_t left;
    uint32_t steps;    /* so far, for the next test's count */
    uint32_t unsynced; /* bytes appended since the last sync */
    bool     whole;    /* read gives the whole sector, blank bytes and all */
    bool     pages;    /* what follows the byte where power is cut may have
                          been programmed as well, as pages are */

    uint32_t syncs, replaces, erased, misuse; /* calls, but for `erased` */
    uint32_t fail_append; /* so many appends more work, then they fail */
    uint32_t fail_sync;
    uint32_t fail_replace;
    uint32_t fail_read;
} flash;

static const uint32_t flash_never = 0xFFFFFFFF;

static inline uint32_t flash_random(void)
{
    flash.seed ^= flash.seed << 13;
    flash.seed ^= flash.seed >> 17;
    flash.seed ^= flash.seed << 5;
    return flash.seed;
}

/* ------------------------------------------------------------------------
 * The hardware
 * ------------------------------------------------------------------------ */

/* Whether the next step is done: 1 as a whole, 0 not, -1 in part. */
static inline int flash_step(void)
{
    if (flash.off)
        return 0;
    flash.steps++;
    if (!flash.limited || flash.left-- > 0)
        return 1;
    flash.off = true;
    return -1;
}

/* Clears some of the bits. */
static inline void flash_tear(uint8_t *cells, const uint8_t *from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        cells[i] &= (uint8_t)(from[i] | flash_random());
}

static inline bool flash_program(unsigned sector, uint32_t at,
                                 const void *data, uint32_t n)
{
    const uint8_t *from = (const uint8_t *)data;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t *cell = &flash.cells[sector][at + i];
        int      how = flash_step();

        if (how != 0 && *cell != 0xFF)
            flash.misuse++;
        if (how > 0)
            *cell &= from[i];
        else if (how < 0)
            flash_tear(cell, from + i, flash.pages ? n - i : 1);
        if (how <= 0)
            return false;
    }
    return true;
}

static inline bool flash_erase(unsigned sector)
{
    for (uint32_t at = 0; at < flash.size; at += FLASH_PIECE) {
        int how = flash_step();

        for (uint32_t i = at; i < at + FLASH_PIECE && how != 0; i++)
            flash.cells[sector][i] |=
                (uint8_t)(how > 0 ? 0xFF : flash_random());
        if (how <= 0)
            return false;
    }
    flash.erased++;
    return true;
}

/* ------------------------------------------------------------------------
 * The driver
 * ------------------------------------------------------------------------ */

static inline uint32_t flash_load32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8
         | at[3];
}

/* The number of a sector, 0: it holds nothing. */
static inline uint32_t flash_number(unsigned sector)
{
    const uint8_t *head = flash.cells[sector];
    uint32_t       number = flash_load32(head);

    return number == ~flash_load32(head + 4) ? number : 0;
}

static inline bool flash_commit(unsigned sector, uint32_t number)
{
    uint8_t head[FLASH_HEAD];

    for (unsigned i = 0; i < 4; i++) {
        head[i] = (uint8_t)(number >> (24 - 8 * i));
        head[4 + i] = (uint8_t)~head[i];
    }
    return flash_program(sector, 0, head, sizeof head);
}

/* Where the journal of a sector ends: record after record by their lengths,
 * or, behind what is none, the last byte that is not blank. */
static inline uint32_t flash_end(unsigned sector)
{
    const uint8_t *cells = flash.cells[sector];
    uint32_t       at = FLASH_HEAD;
    uint32_t       end = flash.size;

    while (at + 4 <= flash.size && (cells[at] ^ cells[at + 2]) == 0xFF
           && (cells[at + 1] ^ cells[at + 3]) == 0xFF)
        at += 4 + ((uint32_t)cells[at] << 8 | cells[at + 1]) + 4;
    while (end > at && cells[end - 1] == 0xFF)
        end--;
    return end > at ? end : at < flash.size ? at : flash.size;
}

/* As after power on. A blank flash is formatted. */
static inline void flash_mount(void)
{
    uint32_t a, b;

    flash.limited = flash.off = false;
    flash.fail_append = flash.fail_sync = flash_never;
    flash.fail_replace = flash.fail_read = flash_never;
    flash.unsynced = 0;
    flash.other = 0;
    a = flash_number(0);
    b = flash_number(1);
    flash.in = b > a;
    if (a == 0 && b == 0) {
        flash_erase(0);
        flash_commit(0, 1);
    }
    flash.end = flash_end(flash.in);
}

/* Power is cut after so many steps. */
static inline void flash_cut(uint32_t steps, uint32_t seed)
{
    flash.limited = true;
    flash.left = steps;
    flash.seed = seed * 2654435761u + 12345u;
}

/* Whether this call works; the plan counts down to it. */
static inline bool flash_works(uint32_t *plan)
{
    if (flash.off || *plan == 0)
        return false;
    if (*plan != flash_never)
        --*plan;
    return true;
}

static inline int32_t flash_read(void *user, uint32_t at, void *to, uint32_t n)
{
    uint32_t end = flash.whole ? flash.size : flash.end;

    (void)user;
    if (!flash_works(&flash.fail_read))
        return -1;
    at += FLASH_HEAD;
    if (at >= end)
        return 0;
    if (n > end - at)
        n = end - at;
    memcpy(to, flash.cells[flash.in] + at, n);
    return (int32_t)n;
}

static inline bool flash_append(void *user, const void *data, uint32_t n)
{
    (void)user;
    if (n == 0) {
        if (!flash_works(&flash.fail_sync))
            return false;
        flash.syncs++;
        flash.unsynced = 0;
        return true;
    }
    if (!flash_works(&flash.fail_append) || n > flash.size - flash.end)
        return false;
    if (!flash_program(flash.in, flash.end, data, n))
        return false;
    flash.end += n;
    flash.unsynced += n;
    return true;
}

static inline bool flash_replace(void *user, const void *data, uint32_t n)
{
    unsigned other = 1 - flash.in;
    bool     ok = flash_works(&flash.fail_replace);

    (void)user;
    flash.replaces++;
    if (ok && flash.other == 0) {
        ok = flash_erase(other);
        flash.other = FLASH_HEAD;
    }
    if (ok && n == 0) {
        ok = flash_commit(other, flash_number(flash.in) + 1);
        if (ok) {
            flash.in = other;
            flash.end = flash.other;
            flash.other = 0;
            flash.unsynced = 0;
        }
    } else if (ok) {
        ok = n <= flash.size - flash.other
          && flash_program(other, flash.other, data, n);
        flash.other += n;
    }
    if (!ok)
        flash.other = 0;
    return ok;
}

static inline void flash_new(void)
{
    memset(&flash, 0, sizeof flash);
    memset(flash.cells, 0xFF, sizeof flash.cells);
    flash.size = FLASH_SECTOR;
    flash.seed = 1;
    flash.storage.user = &flash;
    flash.storage.read = flash_read;
    flash.storage.append = flash_append;
    flash.storage.replace = flash_replace;
    flash_mount();
}

#endif /* NS_FLASH_H */
