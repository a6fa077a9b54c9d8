/* args.h - the options of a program's command line
 *
 * Pyro's ArgParser for hosted C programs, without what made it dangerous: an
 * option never swallows the next one, and one that nobody knows is an error.
 * In the one C file that has
 *
 *     #define PYRO_IMPLEMENTATION
 *     #include "args.h"
 *
 * and wherever it is used:
 *
 *     static bool        loud;
 *     static const char *host, *dir;
 *     static long        port = 9090;
 *
 *     static const pyro_option table[] = {
 *         PYRO_OPTION_FLAG('v', NULL, &loud, "say more"),
 *         PYRO_OPTION_TEXT('n', "host", "HOST", &host, "listen there"),
 *         PYRO_OPTION_MAYBE('d', NULL, "DIR", "names", &dir, "keep names"),
 *         PYRO_OPTION_NUMBER('p', "port", "PORT", &port, 0, 65535, "port"),
 *     };
 *     static const pyro_options options = {
 *         "prog", "[options] FILE", "Does this and that.", table,
 *         sizeof table / sizeof *table, 1, 1, false
 *     };
 *
 *     int status = pyro_options_read(&options, &argc, argv);
 *     if (status >= 0)
 *         return status;
 *
 * From then on argv[1] to argv[argc - 1] are the arguments. What is read:
 *   -v -p 80 -p80 -vp80     letters, the last of a word may have a value
 *   --port=80 --port 80     names
 *   -d   -d DIR             a value that may be left out; -dDIR, --name=DIR
 *   --                      the rest are arguments; a lone - is one, too
 *   -h --help               prints the help, always there
 * A value in a word of its own may not begin with '-': write it in the same
 * word (-p-1), if it must. Of an option given twice the last one counts.
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_ARGS_H
#define PYRO_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One option. Use the macros below; help is at most a line, or several with
 * "\n" between them. */
typedef struct pyro_option {
    char         letter;  /* 0: none */
    const char  *name;    /* without the two '-'; NULL: none */
    const char  *value;   /* what the help calls its value; NULL: has none */
    const char  *without; /* its value when none is given; NULL: one must be */
    bool        *flag;    /* one of these three is where it goes */
    const char **text;
    long        *number;
    long         low;
    long         high;
    const char  *help;
} pyro_option;

/* clang-format off */
#define PYRO_OPTION_FLAG(letter, name, to, help) \
    { letter, name, NULL, NULL, to, NULL, NULL, 0, 0, help }
#define PYRO_OPTION_TEXT(letter, name, value, to, help) \
    { letter, name, value, NULL, NULL, to, NULL, 0, 0, help }
#define PYRO_OPTION_MAYBE(letter, name, value, without, to, help) \
    { letter, name, value, without, NULL, to, NULL, 0, 0, help }
#define PYRO_OPTION_NUMBER(letter, name, value, to, low, high, help) \
    { letter, name, value, NULL, NULL, NULL, to, low, high, help }
/* clang-format on */

typedef struct pyro_options {
    const char        *program;
    const char        *usage; /* what follows the program in "usage:" */
    const char        *about; /* the rest of the help; NULL: none */
    const pyro_option *table;
    size_t             n;
    int                least; /* arguments that must be there */
    int                most;  /* and that may; < 0: any number */
    bool               first; /* options stand before the first argument */
    FILE              *out;   /* help; NULL: stdout */
    FILE              *err;   /* complaints; NULL: stderr */
} pyro_options;

/* Reads the options and moves the arguments to argv[1] and on. Returns -1, or
 * the status to end with: 0, the help was asked for and printed; 2, something
 * is wrong, and one line has said what. */
int pyro_options_read(const pyro_options *options, int *argc, char **argv);

/* One line of complaint about the command line, for what the program finds
 * wrong itself. Returns 2. `what` may be NULL. */
int pyro_options_wrong(const pyro_options *options, const char *text,
                       const char *what);

#endif /* PYRO_ARGS_H */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_ARGS_IMPLEMENTED)
#define PYRO_ARGS_IMPLEMENTED

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where the reading stands. */
typedef struct pyroi_words {
    const pyro_options *options;
    int                 argc;
    char              **argv;
    int                 at;     /* the word that is read */
    int                 status; /* to end with; -1: go on */
} pyroi_words;

int pyro_options_wrong(const pyro_options *options, const char *text,
                       const char *what)
{
    fprintf(options->err != NULL ? options->err : stderr,
            "%s: %s%s (-h: help)\n", options->program, text,
            what != NULL ? what : "");
    return 2;
}

/* One line of help for each line of the option's text. */
static void pyroi_option_help(FILE *out, const pyro_option *o)
{
    char        left[64];
    const char *help = o->help;
    const char *end = strchr(help, '\n');
    const char *value = o->value != NULL ? o->value : "";
    const char *open = o->without != NULL ? "[" : "";
    const char *close = o->without != NULL ? "]" : "";

    if (o->name == NULL)
        snprintf(left, sizeof left, "-%c %s%s%s", o->letter, open, value,
                 close);
    else
        snprintf(left, sizeof left, "%c%c%s--%s%s%s%s%s",
                 o->letter != 0 ? '-' : ' ', o->letter != 0 ? o->letter : ' ',
                 o->letter != 0 ? ", " : "  ", o->name, open,
                 *value != 0 ? "=" : "", value, close);
    for (; end != NULL; help = end + 1, end = strchr(help, '\n')) {
        fprintf(out, "  %-20s %.*s\n", left, (int)(end - help), help);
        left[0] = 0;
    }
    fprintf(out, "  %-20s %s\n", left, help);
}

static int pyroi_options_help(const pyro_options *options)
{
    FILE  *out = options->out != NULL ? options->out : stdout;
    size_t i;

    fprintf(out, "usage: %s %s\n", options->program, options->usage);
    for (i = 0; i < options->n; i++)
        pyroi_option_help(out, &options->table[i]);
    fprintf(out, "  %-20s %s\n", "-h, --help", "this");
    if (options->about != NULL) fprintf(out, "\n%s\n", options->about);
    return fflush(out) == 0 ? 0 : 1;
}

/* Digits, with a sign, and nothing else, in the option's range. */
static bool pyroi_option_number(const pyro_option *o, const char *text)
{
    const char *digits = text + (*text == '-');
    long        v;

    if (*digits == 0 || digits[strspn(digits, "0123456789")] != 0)
        return false;
    errno = 0;
    v = strtol(text, NULL, 10);
    if (errno != 0 || v < o->low || v > o->high) return false;
    *o->number = v;
    return true;
}

/* Takes the value of an option, which is called by n letters of `name`:
 * `inside` is the rest of its word, or NULL. */
static int pyroi_option_value(pyroi_words *w, const pyro_option *o,
                              const char *name, int n, const char *inside)
{
    const char *next = w->at + 1 < w->argc ? w->argv[w->at + 1] : NULL;
    char        text[160];

    if (inside == NULL && next != NULL && (*next != '-' || next[1] == 0)) {
        inside = next;
        w->at++;
    }
    if (inside == NULL) inside = o->without;
    if (inside == NULL) {
        snprintf(text, sizeof text, "%.*s needs a value: ", n, name);
        return pyro_options_wrong(w->options, text, o->value);
    }
    if (o->text != NULL) {
        *o->text = inside;
    } else if (!pyroi_option_number(o, inside)) {
        snprintf(text, sizeof text, "%.*s: not a number from %ld to %ld: ", n,
                 name, o->low, o->high);
        return pyro_options_wrong(w->options, text, inside);
    }
    return -1;
}

/* One word of letters: -v, -vp80, -p. */
static int pyroi_option_letters(pyroi_words *w, const char *word)
{
    const pyro_options *options = w->options;
    char                name[3] = "-?";
    int                 status = -1;

    while (*++word != 0 && status < 0) {
        size_t i = 0;

        name[1] = *word;
        while (i < options->n && options->table[i].letter != *word) i++;
        if (i < options->n && options->table[i].flag != NULL)
            *options->table[i].flag = true;
        else if (i < options->n)
            return pyroi_option_value(w, &options->table[i], name, 2,
                                      word[1] != 0 ? word + 1 : NULL);
        else if (*word == 'h')
            status = pyroi_options_help(options);
        else
            status = pyro_options_wrong(options, "unknown option ", name);
    }
    return status;
}

/* One word with a name: --port, --port=80. */
static int pyroi_option_name(pyroi_words *w, const char *word)
{
    const pyro_options *options = w->options;
    const char         *value = strchr(word, '=');
    size_t n = value != NULL ? (size_t)(value - word) : strlen(word);
    size_t i;

    for (i = 0; i < options->n; i++) {
        const pyro_option *o = &options->table[i];

        if (o->name == NULL || strlen(o->name) != n - 2
            || memcmp(o->name, word + 2, n - 2) != 0)
            continue;
        if (o->flag == NULL)
            return pyroi_option_value(w, o, word, (int)n,
                                      value != NULL ? value + 1 : NULL);
        if (value != NULL)
            return pyro_options_wrong(options, "takes no value: ", word);
        *o->flag = true;
        return -1;
    }
    if (strcmp(word, "--help") == 0) return pyroi_options_help(options);
    return pyro_options_wrong(options, "unknown option ", word);
}

int pyro_options_read(const pyro_options *options, int *argc, char **argv)
{
    pyroi_words w = { options, *argc, argv, 1, -1 };
    int         kept = 1;
    bool        ended = false;

    for (; w.at < w.argc && w.status < 0; w.at++) {
        char *word = argv[w.at];

        if (ended || word[0] != '-' || word[1] == 0) {
            argv[kept++] = word;
            ended = ended || options->first;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-') {
            w.status = pyroi_option_name(&w, word);
        } else {
            w.status = pyroi_option_letters(&w, word);
        }
    }
    if (w.status >= 0) return w.status;
    if (kept - 1 < options->least)
        return pyro_options_wrong(options,
                                  "too few arguments: ", options->usage);
    if (options->most >= 0 && kept - 1 > options->most)
        return pyro_options_wrong(options, "one argument too many: ",
                                  argv[1 + options->most]);
    *argc = kept;
    if (kept < w.argc) argv[kept] = NULL;
    return -1;
}

#endif /* PYRO_ARGS_IMPLEMENTED */
