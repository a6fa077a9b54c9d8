/* ns_shim.h - the system calls that keep a journal, on the record.
 *
 * The functions at the end of this file stand in for those of the C library
 * in the whole program, so nothing that is built in can go round them. Each
 * does what it is for, and besides
 *
 *   - writes down what was done: shim->text is "write journal 40, sync
 *     journal, ..." since shim_clear;
 *   - keeps a model of the disk: what a power cut would leave at least. The
 *     bytes of a file are safe when it was synced, a name (a new file, a
 *     renamed one) when the directory was;
 *   - fails when shim_fail has said so.
 *
 * Include it first. It knows the three files of pyro_ns_files by their names,
 * one directory of them at a time. A process that was forked after shim_start
 * writes its record where its parent reads it. */
#ifndef NS_SHIM_H
#define NS_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SHIM_OPEN,
    SHIM_WRITE,
    SHIM_READ,
    SHIM_SYNC,
    SHIM_CUT,
    SHIM_RENAME,
    SHIM_UNLINK,
    SHIM_MKDIR,
    SHIM_LOCK,
    SHIM_CALLS
};

enum { SHIM_JOURNAL, SHIM_NEW, SHIM_LOCKFILE, SHIM_NAMES };

enum {
    SHIM_NONE = -1,
    SHIM_DIR = 100, /* what a descriptor is, besides a file */
    SHIM_PARENT = 101,

    SHIM_FDS = 256,
    SHIM_FILES = 512, /* ever made */
    SHIM_BYTES = 64 * 1024,
    SHIM_TEXT = 8192
};

struct shim_file {
    uint8_t  now[SHIM_BYTES];
    uint8_t  safe[SHIM_BYTES];
    uint32_t n_now;
    uint32_t n_safe;
};

struct shim {
    char     text[SHIM_TEXT];
    uint32_t most; /* a write or read moves so many bytes; 0: all */
    struct {
        uint32_t after; /* so many calls that work */
        uint32_t times; /* so many that fail */
        int      error;
    } plan[SHIM_CALLS];
    uint32_t calls[SHIM_CALLS];

    int16_t  now[SHIM_NAMES]; /* file of each name, or SHIM_NONE */
    int16_t  safe[SHIM_NAMES];
    uint32_t n_files;
    /* Called before bytes go to a socket, and around each sync of the
     * directory. */
    void (*on_send)(const void *data, size_t n);
    void (*on_dir)(bool done);
    uint32_t seen[4]; /* the test's own counts, for its parent */

    struct shim_file files[SHIM_FILES];
};

static struct shim *shim; /* shared with the processes that are forked */

/* What each descriptor of this process is: a file, SHIM_DIR, SHIM_PARENT or
 * SHIM_NONE. */
static int16_t shim_fds[SHIM_FDS];

static const char *const shim_names[SHIM_NAMES] = { "names.journal",
                                                    "names.new",
                                                    "names.lock" };

/* ------------------------------------------------------------------------
 * For the tests
 * ------------------------------------------------------------------------ */

/* Descriptors of before count no more: those of a process that was killed, or
 * those that shall not be recorded. */
static inline void shim_forget_fds(void)
{
    for (unsigned i = 0; i < SHIM_FDS; i++)
        shim_fds[i] = SHIM_NONE;
}

/* From here on things are recorded; all that was is forgotten. */
static inline void shim_start(void)
{
    if (shim == NULL)
        shim = (struct shim *)mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ((void *)shim == MAP_FAILED)
        abort();
    memset(shim, 0, offsetof(struct shim, files));
    shim_forget_fds();
    for (unsigned i = 0; i < SHIM_NAMES; i++)
        shim->now[i] = shim->safe[i] = SHIM_NONE;
}

/* Forgets what was written down and what was to fail, not the disk. */
static inline void shim_clear(void)
{
    shim->text[0] = 0;
    shim->most = 0;
    memset(shim->plan, 0, sizeof shim->plan);
    memset(shim->calls, 0, sizeof shim->calls);
}

/* After so many calls of a kind, so many fail with an error. */
static inline void shim_fail(unsigned kind, uint32_t after, uint32_t times,
                             int error)
{
    shim->plan[kind].after = after;
    shim->plan[kind].times = times;
    shim->plan[kind].error = error;
}

/* What a power cut now would leave of the journal, at least; NULL: it would
 * not be there. */
static inline const struct shim_file *shim_safe(void)
{
    int at = shim->safe[SHIM_JOURNAL];

    return at == SHIM_NONE ? NULL : &shim->files[at];
}

/* Whether the safe journal has these bytes somewhere. */
static inline bool shim_safe_has(const void *data, size_t n)
{
    const struct shim_file *f = shim_safe();

    return f != NULL && memmem(f->safe, f->n_safe, data, n) != NULL;
}

/* ------------------------------------------------------------------------
 * Inside
 * ------------------------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) static inline void shim_note(
    const char *format, ...)
{
    size_t  at = strlen(shim->text);
    va_list list;

    if (at > 0 && at + 2 < SHIM_TEXT) {
        memcpy(shim->text + at, ", ", 3);
        at += 2;
    }
    va_start(list, format);
    vsnprintf(shim->text + at, SHIM_TEXT - at, format, list);
    va_end(list);
}

/* Whether a call of this kind shall fail; errno says how. */
static inline bool shim_fails(unsigned kind)
{
    shim->calls[kind]++;
    if (shim->plan[kind].times == 0)
        return false;
    if (shim->plan[kind].after > 0) {
        shim->plan[kind].after--;
        return false;
    }
    shim->plan[kind].times--;
    errno = shim->plan[kind].error;
    return true;
}

static inline size_t shim_short(size_t n)
{
    return shim->most != 0 && n > shim->most ? shim->most : n;
}

/* The C library's own. */
static inline void shim_real(void *fn, size_t size, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL || size != sizeof found)
        abort();
    memcpy(fn, &found, size);
}

#define SHIM_REAL(fn, name) shim_real(&(fn), sizeof(fn), name)

static inline int shim_name(const char *path)
{
    for (int i = 0; i < SHIM_NAMES; i++)
        if (strcmp(path, shim_names[i]) == 0)
            return i;
    return SHIM_NONE;
}

static inline int shim_of(int fd)
{
    return shim != NULL && fd >= 0 && fd < SHIM_FDS ? shim_fds[fd] : SHIM_NONE;
}

/* What a descriptor is, for the record. */
static inline const char *shim_what(int fd)
{
    int is = shim_of(fd);

    if (is == SHIM_DIR)
        return "dir";
    if (is == SHIM_PARENT)
        return "parent";
    for (int i = 0; i < SHIM_NAMES; i++)
        if (is != SHIM_NONE && is == shim->now[i])
            return strchr(shim_names[i], '.') + 1;
    return "nameless";
}

/* What is in a file that was there before counts as safe. */
static inline int16_t shim_file(int fd, int name)
{
    ssize_t (*real)(int, void *, size_t, off_t);
    struct shim_file *f = &shim->files[shim->n_files];
    ssize_t           n;

    if (shim->n_files == SHIM_FILES)
        abort();
    SHIM_REAL(real, "pread");
    n = real(fd, f->now, SHIM_BYTES, 0);
    f->n_now = f->n_safe = n > 0 ? (uint32_t)n : 0;
    memcpy(f->safe, f->now, f->n_safe);
    if (n > 0)
        shim->safe[name] = (int16_t)shim->n_files;
    return (int16_t)shim->n_files++;
}

static inline void shim_opened(int fd, const char *path, int flags)
{
    int name = shim_name(path);

    if (fd >= SHIM_FDS)
        abort();
    if ((flags & O_DIRECTORY) != 0) {
        shim_fds[fd] = strcmp(path, "..") == 0 ? SHIM_PARENT : SHIM_DIR;
    } else if (name != SHIM_NONE) {
        if (shim->now[name] == SHIM_NONE)
            shim->now[name] = shim_file(fd, name);
        if ((flags & O_TRUNC) != 0)
            shim->files[shim->now[name]].n_now = 0;
        shim_fds[fd] = shim->now[name];
    }
}

static inline void shim_wrote(struct shim_file *f, const void *data, size_t n,
                              size_t at)
{
    if (at + n > SHIM_BYTES)
        abort();
    if (at > f->n_now)
        memset(f->now + f->n_now, 0, at - f->n_now);
    memcpy(f->now + at, data, n);
    if (at + n > f->n_now)
        f->n_now = (uint32_t)(at + n);
}

static inline void shim_synced(int is)
{
    struct shim_file *f;

    if (is == SHIM_PARENT)
        return;
    if (is == SHIM_DIR) {
        if (shim->on_dir != NULL)
            shim->on_dir(false);
        memcpy(shim->safe, shim->now, sizeof shim->safe);
        if (shim->on_dir != NULL)
            shim->on_dir(true);
        return;
    }
    f = &shim->files[is];
    memcpy(f->safe, f->now, f->n_now);
    f->n_safe = f->n_now;
}

/* ------------------------------------------------------------------------
 * In place of the C library's
 * ------------------------------------------------------------------------ */

int openat(int dir, const char *path, int flags, ...)
{
    int (*real)(int, const char *, int, ...);
    mode_t  mode = 0;
    va_list list;
    int     fd;

    if ((flags & O_CREAT) != 0) {
        va_start(list, flags);
        mode = (mode_t)va_arg(list, int);
        va_end(list);
    }
    SHIM_REAL(real, "openat");
    if (shim != NULL && shim_fails(SHIM_OPEN))
        return -1;
    fd = real(dir, path, flags, mode);
    if (fd >= 0 && shim != NULL) {
        shim_opened(fd, path, flags);
        if (shim_of(fd) != SHIM_NONE)
            shim_note("open %s", shim_what(fd));
    }
    return fd;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    ssize_t done;

    SHIM_REAL(real, "pwrite");
    if (shim_of(fd) == SHIM_NONE)
        return real(fd, data, n, at);
    if (shim_fails(SHIM_WRITE))
        return errno == 0 ? 0 : -1;
    done = real(fd, data, shim_short(n), at);
    if (done > 0) {
        shim_wrote(&shim->files[shim_of(fd)], data, (size_t)done, (size_t)at);
        shim_note("write %s %d", shim_what(fd), (int)done);
    }
    return done;
}

/* Nothing here shall use it for a file. */
ssize_t write(int fd, const void *data, size_t n)
{
    ssize_t (*real)(int, const void *, size_t);

    SHIM_REAL(real, "write");
    if (shim_of(fd) != SHIM_NONE)
        abort();
    return real(fd, data, n);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    ssize_t (*real)(int, void *, size_t, off_t);

    SHIM_REAL(real, "pread");
    if (shim_of(fd) == SHIM_NONE)
        return real(fd, to, n, at);
    if (shim_fails(SHIM_READ))
        return -1;
    return real(fd, to, shim_short(n), at);
}

int fsync(int fd)
{
    int (*real)(int);
    int is = shim_of(fd);
    int done;

    SHIM_REAL(real, "fsync");
    if (is == SHIM_NONE)
        return real(fd);
    if (shim_fails(SHIM_SYNC))
        return -1;
    done = real(fd);
    if (done == 0) {
        shim_synced(is);
        shim_note("sync %s", shim_what(fd));
    }
    return done;
}

/* Would do for appending, but not for what follows a replace. */
int fdatasync(int fd)
{
    (void)fd;
    abort();
}

int ftruncate(int fd, off_t size)
{
    int (*real)(int, off_t);
    int done;

    SHIM_REAL(real, "ftruncate");
    if (shim_of(fd) == SHIM_NONE)
        return real(fd, size);
    if (shim_fails(SHIM_CUT))
        return -1;
    done = real(fd, size);
    if (done == 0) {
        shim->files[shim_of(fd)].n_now = (uint32_t)size;
        shim_note("cut %s %d", shim_what(fd), (int)size);
    }
    return done;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int (*real)(int, const char *, int, const char *);
    int done;

    SHIM_REAL(real, "renameat");
    if (shim == NULL)
        return real(from_dir, from, to_dir, to);
    if (shim_fails(SHIM_RENAME))
        return -1;
    done = real(from_dir, from, to_dir, to);
    if (done == 0 && shim_name(from) >= 0 && shim_name(to) >= 0) {
        shim->now[shim_name(to)] = shim->now[shim_name(from)];
        shim->now[shim_name(from)] = SHIM_NONE;
        shim_note("rename %s %s", strchr(from, '.') + 1, strchr(to, '.') + 1);
    }
    return done;
}

int unlinkat(int dir, const char *path, int flags)
{
    int (*real)(int, const char *, int);
    int done;

    SHIM_REAL(real, "unlinkat");
    if (shim == NULL)
        return real(dir, path, flags);
    if (shim_fails(SHIM_UNLINK))
        return -1;
    done = real(dir, path, flags);
    if (done == 0 && shim_name(path) >= 0) {
        shim->now[shim_name(path)] = SHIM_NONE;
        shim_note("unlink %s", strchr(path, '.') + 1);
    }
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    int (*real)(const char *, mode_t);
    int done;

    SHIM_REAL(real, "mkdir");
    if (shim == NULL)
        return real(path, mode);
    if (shim_fails(SHIM_MKDIR))
        return -1;
    done = real(path, mode);
    if (done == 0)
        shim_note("mkdir");
    return done;
}

int flock(int fd, int how)
{
    int (*real)(int, int);
    int done;

    SHIM_REAL(real, "flock");
    if (shim_of(fd) == SHIM_NONE)
        return real(fd, how);
    if (shim_fails(SHIM_LOCK))
        return -1;
    done = real(fd, how);
    if (done == 0)
        shim_note("lock");
    return done;
}

int close(int fd)
{
    int (*real)(int);

    SHIM_REAL(real, "close");
    if (shim_of(fd) != SHIM_NONE)
        shim_fds[fd] = SHIM_NONE;
    return real(fd);
}

ssize_t send(int fd, const void *data, size_t n, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int);
    ssize_t done;

    SHIM_REAL(real, "send");
    if (shim != NULL && shim->on_send != NULL)
        shim->on_send(data, n);
    done = real(fd, data, n, flags);
    if (done != (ssize_t)n && shim != NULL && shim->on_send != NULL)
        abort(); /* on_send has been told wrong */
    return done;
}

#endif /* NS_SHIM_H */
