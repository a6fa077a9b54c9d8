/* noise_relay.c - a serial line that is not good: passes bytes on in both
 * directions and loses, alters and invents some.
 * Usage: noise_relay UART LINE CONTROL SEED PERMILLE
 *
 * UART is the Unix socket of the board; the relay listens at LINE for its
 * peer, and at CONTROL for whoever switches the noise: it is there while a
 * connection to CONTROL is open. Of a thousand bytes PERMILLE are spoilt, and
 * some of those begin a burst in which half are. Ends with its peer. Prints
 * how many bytes passed and in which way how many were spoilt. */
#define _GNU_SOURCE 1
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint32_t seed;
static unsigned permille;
static unsigned burst;             /* bytes of it that are left */
static unsigned passed, spoilt[3]; /* lost, altered, one more */
static bool     noisy;

static uint32_t random32(void) /* Marsaglia's xorshift */
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static int stop(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

static int listens(const char *path)
{
    struct sockaddr_un at = address(path);
    int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0
        || listen(fd, 1) != 0)
        stop(path);
    return fd;
}

static int dials(const char *path)
{
    struct sockaddr_un to = address(path);
    int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

    for (int turns = 0; fd >= 0 && turns < 500; turns++) {
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            return fd;
        usleep(20000);
    }
    return stop(path);
}

static bool hit(void)
{
    if (!noisy)
        return false;
    if (burst > 0) {
        burst--;
        return random32() % 2 == 0;
    }
    if (random32() % 1000 >= permille)
        return false;
    if (random32() % 8 == 0)
        burst = random32() % 200;
    return true;
}

/* Passes on what has come. False: one side is gone. */
static bool pass(int from, int to)
{
    uint8_t  in[256], out[2 * sizeof in];
    ssize_t  n = read(from, in, sizeof in);
    size_t   m = 0;
    unsigned how;

    if (n <= 0)
        return false;
    for (ssize_t i = 0; i < n; i++) {
        passed++;
        if (!hit()) {
            out[m++] = in[i];
            continue;
        }
        how = random32() % 3;
        spoilt[how]++;
        switch (how) {
        case 0:
            break;
        case 1:
            out[m++] = (uint8_t)(in[i] ^ (1u << random32() % 8));
            break;
        default:
            out[m++] = (uint8_t)random32();
            out[m++] = in[i];
            break;
        }
    }
    return m == 0 || write(to, out, m) == (ssize_t)m;
}

int main(int argc, char **argv)
{
    struct pollfd fds[3] = { { -1, POLLIN, 0 },
                             { -1, POLLIN, 0 },
                             { -1, POLLIN, 0 } };
    int           line, control;
    bool          goes_on = true;

    if (argc != 6)
        return 2;
    seed = (uint32_t)strtoul(argv[4], NULL, 0) * 2654435761u + 1u;
    permille = (unsigned)atoi(argv[5]);
    control = listens(argv[3]);
    line = listens(argv[2]);
    fds[0].fd = dials(argv[1]);
    fds[1].fd = accept(line, NULL, NULL);
    fds[2].fd = accept(control, NULL, NULL);
    noisy = true;
    while (goes_on && poll(fds, 3, 60000) > 0) {
        char byte;

        if (fds[0].revents != 0)
            goes_on = pass(fds[0].fd, fds[1].fd);
        if (fds[1].revents != 0)
            goes_on = goes_on && pass(fds[1].fd, fds[0].fd);
        if (fds[2].revents != 0 && read(fds[2].fd, &byte, 1) <= 0) {
            noisy = false;
            fds[2].fd = -1;
        }
    }
    printf("%u bytes passed, %u lost, %u altered, %u invented\n", passed,
           spoilt[0], spoilt[1], spoilt[2]);
    return 0;
}
