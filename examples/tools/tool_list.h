/* tool_list.h - all groups and objects of a name server, sorted
 *
 * For one list at a time; the memory is this header's.
 * SPDX-License-Identifier: MIT */
#ifndef TOOL_LIST_H
#define TOOL_LIST_H

#include "tool_ns.h"

#include <stdlib.h>

#define TOOL_NAMES 65536 /* names that can be listed */
#define TOOL_TEXTS (16u << 20)

/* What was listed, and its texts, which end with a zero. */
typedef struct tool_entry {
    const char *name;
    const char *uri; /* NULL: a group; "": not asked for */
} tool_entry;

static tool_entry tool_names[TOOL_NAMES];
static uint32_t   tool_n_names;
static char       tool_texts[TOOL_TEXTS];
static size_t     tool_n_texts;

/* Keeps a text behind another; NULL: no room. */
static inline const char *tool_keep(const char *before, const char *text,
                                    size_t n)
{
    char  *to = tool_texts + tool_n_texts;
    size_t first = strlen(before);

    if (n + first >= TOOL_TEXTS - tool_n_texts) return NULL;
    memcpy(to, before, first);
    memcpy(to + first, text, n);
    to[first + n] = 0;
    tool_n_texts += first + n + 1;
    return to;
}

static inline bool tool_add(const char *name, const char *uri)
{
    if (tool_n_names == TOOL_NAMES || name == NULL) return false;
    tool_names[tool_n_names].name = name;
    tool_names[tool_n_names++].uri = uri;
    return true;
}

/* What is in a group stands behind it: '.' comes first, whatever its code. */
static inline int tool_compare(const void *a, const void *b)
{
    const char *x = ((const tool_entry *)a)->name;
    const char *y = ((const tool_entry *)b)->name;

    for (; *x == *y && *x != 0; x++) y++;
    return (*x == '.' ? 1 : (unsigned char)*x)
         - (*y == '.' ? 1 : (unsigned char)*y);
}

/* Which entries are kept: of flatlist all, with their URIs. */
enum { TOOL_FLAT, TOOL_BOTH, TOOL_GROUPS };

/* Takes the entry [name, URI or type]; false: no room. */
static inline bool tool_take_entry(pyro_reader *in, const char *before,
                                   int kind)
{
    uint32_t    name_n, n;
    const char *name, *uri = NULL;

    (void)pyro_get_list(in, 2);
    name = pyro_get_str(in, &name_n);
    if (kind == TOOL_FLAT) {
        uri = pyro_get_str(in, &n);
        uri = tool_keep("", uri, n);
        if (uri == NULL) return false;
    } else if (pyro_get_i32(in) != 0) {
        if (kind == TOOL_GROUPS) return true;
        uri = "";
    }
    return in->err || tool_add(tool_keep(before, name, name_n), uri);
}

/* Takes a page, [next, [entry, ...]]. Returns next, or -1. */
static inline int32_t tool_take_page(const pyro_blob *page, const char *before,
                                     int kind)
{
    pyro_reader in = pyro_reader_of(page->data, page->used);
    bool        fits = pyro_get_list(&in, 2) == 2;
    int32_t     next = pyro_get_i32(&in);
    uint32_t    n = pyro_get_list(&in, TOOL_NAMES);

    for (; n > 0 && fits && !in.err; n--)
        fits = tool_take_entry(&in, before, kind);
    return in.err || !fits ? -1 : next;
}

/* Adds what is in a group, or with FLAT all objects, page by page; `room` is
 * for pages. PYRO_ERR_DATA: malformed, or more than there is room for. */
static inline pyro_err tool_take(pyro_proxy *server, pyro_blob *room,
                                 const char *group, int kind)
{
    char    before[PYRO_NS_MAX_NAME + 3] = "";
    int32_t from = 0;
    int32_t last;

    if (kind != TOOL_FLAT)
        snprintf(before, sizeof before, "%s%s", group,
                 group[1] != 0 ? "." : "");
    do {
        pyro_args args = kind == TOOL_FLAT
                           ? PYRO_ARGS(pyro_int(from))
                           : PYRO_ARGS(pyro_str(group), pyro_int(from));
        pyro_err  err =
            pyro_invoke(server, kind == TOOL_FLAT ? "flatlist" : "list", args,
                        pyro_to_raw(room));

        if (err) return err;
        last = from;
        from = tool_take_page(room, before, kind);
    } while (from > last);
    return from == 0 ? PYRO_OK : PYRO_ERR_DATA;
}

static inline void tool_sort(void)
{
    qsort(tool_names, tool_n_names, sizeof *tool_names, tool_compare);
}

/* All objects and all groups, sorted: after them each group is asked for the
 * groups in it. */
static inline pyro_err tool_take_tree(pyro_proxy *server, pyro_blob *room)
{
    pyro_err err = tool_take(server, room, NULL, TOOL_FLAT);
    uint32_t i = tool_n_names;

    if (!err && !tool_add(":", NULL)) err = PYRO_ERR_DATA;
    for (; i < tool_n_names && !err; i++)
        err = tool_take(server, room, tool_names[i].name, TOOL_GROUPS);
    tool_sort();
    return err;
}

/* What of a full name stands behind its group. */
static inline const char *tool_own_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name[1] != 0 ? name + 1 : name;
}

#endif /* TOOL_LIST_H */
