/* Between the node that is weighed (lean.c) and the one at the other end of
 * the line (partner.c): that has the whole library, a copy of its own. */
#ifndef LEAN_H
#define LEAN_H

#include "../../pyro.h"

#define LEAN_ADDRESS    "lean:7766"    /* where the weighed node listens */
#define PARTNER_ADDRESS "partner:7766" /* and the other one */

/* The answer of the last partner_ask. */
struct answer {
    bool     done;
    pyro_err err;
    int32_t  number; /* a result that was one */
    char     text[24];
    char     type[24]; /* of an exception */
    char     message[40];
};
extern struct answer answer;

/* The port of the weighed node, by which the partner runs while it waits. */
const pyro_port *lean_port(void);

void partner_open(void);

/* Begins a call to the weighed node, with those of its two arguments that are
 * there: a text (NULL: none) and a number (0: none). */
void partner_ask(const char *object, const char *method, const char *name,
                 int32_t number);

/* The same with one argument: the number in a list, which is in another, and so
 * on, `deep` lists in all. */
void partner_list(const char *object, const char *method, int32_t number,
                  unsigned deep);

/* The partner's oneway call, which sets an attribute of the weighed node. */
void partner_tell(const char *object, const char *attribute, int32_t number);

/* From now on the partner stands still, or goes on. */
void partner_stop(bool stands);

/* Milliseconds that have passed, and connections made so far. */
uint32_t line_time(void);
uint32_t line_connections(void);

/* Ends the newest connection. */
void line_cut(void);

#endif
