/* floor.c: what the sockets alone cost, to measure the library against.
 * Usage: floor add|echo64k|clients200|oneway MS
 * Two processes over TCP on loopback that only poll, recv and send, with the
 * bytes the messages have with the library (bench.c). An operation is at most
 * three system calls a side: poll, recv, send in the server; send, recv (of
 * 200: poll too) in the client; MSG_WAITALL keeps 64 KiB at that as well.
 *   add         one connection, 22 bytes there and 9 back, in turns
 *   echo64k     the same with 64 KiB of data both ways
 *   clients200  200 connections of one process, each with one call in flight
 *   oneway      a send() of 22 bytes each, no answers; the receiver takes up
 *               to 64 KiB at once and counts; it ends when all have arrived
 * Prints operations and seconds. getppid() marks begin and end for strace. */

#define _POSIX_C_SOURCE 200809L
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 200, BLOB = 65536 };

static struct pollfd fds[MANY + 1];
static unsigned char buf[BLOB + 64];
static size_t        ask = 22, answer = 9;

static void need(int ok, const char *what)
{
    if (!ok)
        perror(what), exit(1);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int new_socket(void) /* without delay; what it accepts has none too */
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    need(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "floor");
    return fd;
}

static void turn(int fd, size_t in, size_t out)
{
    need(in == 0 || recv(fd, buf, in, MSG_WAITALL) == (ssize_t)in, "floor");
    need(send(fd, buf, out, MSG_NOSIGNAL) == (ssize_t)out, "floor");
}

static int serve(int listener) /* until it is killed */
{
    nfds_t i, n = 1;

    for (fds[0].fd = listener; poll(fds, n, -1) > 0;) {
        for (i = 1; i < n; i++)
            if (fds[i].revents != 0)
                turn(fds[i].fd, ask, answer);
        if (fds[0].revents != 0 && n <= MANY)
            fds[n++].fd = accept(listener, NULL, NULL);
    }
    return 1;
}

static size_t calls(nfds_t n, double end)
{
    size_t ops = 0;
    nfds_t i;

    for (i = 0; i < n; i++)
        turn(fds[i].fd, 0, ask);
    while ((n == 1 && ops % 16 != 0) || seconds() < end) {
        need(n == 1 || poll(fds, n, -1) > 0, "floor: poll");
        for (i = 0; i < n; i++)
            if (n == 1 || fds[i].revents != 0)
                turn(fds[i].fd, answer, ask), ops++;
    }
    return ops;
}

static int count(int listener) /* frames, to the end, and tell how many */
{
    int     fd = accept(listener, NULL, NULL);
    size_t  sum = 0;
    ssize_t n;

    while ((n = recv(fd, buf, BLOB, 0)) > 0)
        sum += (size_t)n;
    sum /= ask;
    return send(fd, &sum, sizeof sum, MSG_NOSIGNAL) < 0;
}

static size_t stream(int fd, double end)
{
    size_t got = 0, ops;

    for (ops = 0; ops % 1024 != 0 || seconds() < end; ops++)
        turn(fd, 0, ask);
    shutdown(fd, SHUT_WR);
    need(recv(fd, &got, sizeof got, 0) && got == ops, "floor: lost frames");
    return ops;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t          size = sizeof at;
    const char        *mode = argc == 3 ? argv[1] : "?";
    int                flow = !strcmp(mode, "oneway"), listener = new_socket();
    nfds_t             i, n = !strcmp(mode, "clients200") ? MANY : 1;
    double             begin, end;
    size_t             ops;
    pid_t              child = -1;

    need(strstr("add echo64k clients200 oneway", mode)
             && !bind(listener, (void *)&at, size) && !listen(listener, MANY)
             && !getsockname(listener, (void *)&at, &size)
             && (child = fork()) >= 0,
         "floor: arguments");
    if (!strcmp(mode, "echo64k"))
        ask = BLOB + 28, answer = BLOB + 15;
    for (i = 0; i <= MANY; i++)
        fds[i].events = POLLIN;
    alarm(30);
    if (child == 0)
        return flow ? count(listener) : serve(listener);
    for (i = 0; i < n; i++) {
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
        fds[i].fd = new_socket();
        need(!connect(fds[i].fd, (void *)&at, size), "floor: connect");
    }
    getppid();
    begin = seconds();
    end = begin + atof(argv[2]) / 1000;
    ops = flow ? stream(fds[0].fd, end) : calls(n, end);
    end = seconds();
    getppid();
    printf("%zu %.6f\n", ops, end - begin);
    return kill(child, SIGKILL) + (wait(NULL) < 0);
}
