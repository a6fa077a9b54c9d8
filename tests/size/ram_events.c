/* What an event service costs in RAM: the ring is there once, whoever
 * subscribes. Fails when the memory of many subscribers and a long ring is
 * more than that of the parts. */
#define PYRO_IMPLEMENTATION
#include "../../pyro_es.h"

#include <stdio.h>

enum { SUBS = 8, ITEMS = 16, BYTES = 4096, MANY = 8 };

typedef PYRO_ES_ROOM(SUBS, ITEMS, BYTES) base_room;
typedef PYRO_ES_ROOM(SUBS *MANY, ITEMS, BYTES) more_subs;
typedef PYRO_ES_ROOM(SUBS, ITEMS *MANY, BYTES) more_items;
typedef PYRO_ES_ROOM(SUBS, ITEMS, BYTES *MANY) longer_ring;
typedef PYRO_ES_ROOM(SUBS *MANY, ITEMS *MANY, BYTES *MANY) all_of_it;

int main(void)
{
    size_t subs = sizeof(more_subs) - sizeof(base_room);
    size_t items = sizeof(more_items) - sizeof(base_room);
    size_t ring = sizeof(longer_ring) - sizeof(base_room);
    size_t sum = sizeof(base_room) + subs + items + ring;

    printf("RAM of an event service: %lu bytes a subscriber, %lu a "
           "subscription, 1.00 a byte of the ring\n",
           (unsigned long)(subs / (SUBS * (MANY - 1))),
           (unsigned long)(items / (ITEMS * (MANY - 1))));
    printf("%u subscribers and a ring of %lu bytes: %lu bytes; a queue for "
           "each would be %lu\n",
           SUBS * MANY, (unsigned long)BYTES * MANY,
           (unsigned long)sizeof(all_of_it),
           (unsigned long)SUBS * MANY * BYTES * MANY);
    return ring != (size_t)BYTES * (MANY - 1)
        || sizeof(all_of_it) > sum + sizeof(void *);
}
