/* background.h - a process id file, and going to the background
 *
 * What a daemon of a POSIX system needs round its main loop:
 *
 *     pyro_background b = PYRO_BACKGROUND;
 *
 *     if (!pyro_background_take(&b, "/run/x.pid"))     NULL: no file
 *         return 1;
 *     if (detach)
 *         pyro_background_go(&b);        before any socket or file is opened
 *     if (... start ... && pyro_background_ready(&b))
 *         ... serve ...
 *     pyro_background_end(&b);
 *
 * The one who started it waits until it is ready, sees what it prints until
 * then, and ends with status 0, or with 1 if it never was. The file is locked
 * while the process lives: one left behind by a crash does not matter.
 * SPDX-License-Identifier: MIT */
#ifndef PYRO_BACKGROUND_H
#define PYRO_BACKGROUND_H

#include <stdbool.h>

typedef struct pyro_background {
    const char *file; /* of the process id; NULL: none */
    int         lock;
    int         parent; /* where it waits; -1: nobody does */
} pyro_background;

#define PYRO_BACKGROUND \
    {                   \
        0, -1, -1       \
    }

/* Makes the file ours; false, with a line on stderr: it cannot be, or another
 * process has it. */
bool pyro_background_take(pyro_background *b, const char *file);

/* Returns in the background only; false, with a line on stderr: it cannot. */
bool pyro_background_go(pyro_background *b);

/* Writes the process id, tells the one who waits, lets go of the terminal.
 * False, with a line on stderr: the file cannot be written. */
bool pyro_background_ready(pyro_background *b);

/* Removes the file. */
void pyro_background_end(pyro_background *b);

#endif /* PYRO_BACKGROUND_H */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_BACKGROUND_IMPLEMENTED)
#define PYRO_BACKGROUND_IMPLEMENTED

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

bool pyro_background_take(pyro_background *b, const char *file)
{
    char    text[32] = "";
    ssize_t n;

    b->file = file;
    if (file == NULL) return true;
    b->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (b->lock >= 0 && flock(b->lock, LOCK_EX | LOCK_NB) == 0) return true;
    if (b->lock >= 0 && errno == EWOULDBLOCK) {
        n = read(b->lock, text, sizeof text - 1);
        text[n > 0 ? strspn(text, "0123456789") : 0] = 0;
        fprintf(stderr, "Server process %s is already running.\n", text);
    } else {
        fprintf(stderr, "%s: %s\n", file, strerror(errno));
    }
    if (b->lock >= 0) close(b->lock);
    b->lock = -1;
    return false;
}

bool pyro_background_go(pyro_background *b)
{
    unsigned char status = 1;
    int           ends[2];
    pid_t         child;

    fflush(stdout);
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        perror("fork");
        return false;
    }
    if (child == 0) {
        close(ends[0]);
        b->parent = ends[1];
        return setsid() >= 0;
    }
    close(ends[1]);
    if (read(ends[0], &status, 1) != 1)
        status = 1; /* it has ended before it was ready */
    _exit(status);
}

static bool pyroi_background_write(int fd)
{
    char text[32];
    int  n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && write(fd, text, (size_t)n) == n;
}

bool pyro_background_ready(pyro_background *b)
{
    unsigned char status = 0;
    int           null;
    int           i;

    if (b->lock >= 0 && !pyroi_background_write(b->lock)) {
        perror(b->file);
        return false;
    }
    if (b->parent < 0) return true;
    fflush(stdout);
    null = open("/dev/null", O_RDWR);
    for (i = 0; i < 3 && null >= 0; i++) (void)dup2(null, i);
    if (null > 2) close(null);
    if (write(b->parent, &status, 1) != 1)
        errno = 0; /* nobody waits any more: all the same */
    close(b->parent);
    b->parent = -1;
    return true;
}

void pyro_background_end(pyro_background *b)
{
    if (b->lock < 0) return;
    (void)unlink(b->file);
    close(b->lock);
    b->lock = -1;
}

#endif /* PYRO_BACKGROUND_IMPLEMENTED */
