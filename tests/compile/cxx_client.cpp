/* A server and a client in C++11, as two processes over loopback TCP: class
 * table, attributes, PYRO_ARGS. Returns 0 when every answer was right. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"

#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

struct Calc {
    int32_t calls;
    char    label[16];
    bool    stop;

    double div(int32_t a, int32_t b)
    {
        ++calls;
        return static_cast<double>(a) / b;
    }
};

void calc_div(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    if (b == 0)
        pyro_raise(call, "ZeroDivisionError", "division by zero");
    else
        pyro_put_f64(&call->result, static_cast<Calc *>(self)->div(a, b));
}

void calc_stop(void *self, pyro_call *)
{
    static_cast<Calc *>(self)->stop = true;
}

const pyro_method methods[] = {
    { "div", calc_div, "a:i b:i", "d", 0 },
    { "stop", calc_stop, "", "", PYRO_ONEWAY },
};
const pyro_attr attrs[] = {
    PYRO_ATTR_I32(Calc, calls, PYRO_READONLY),
    PYRO_ATTR_STR(Calc, label, 0),
};
const pyro_class calc_class = { "Calc", PYRO_METHODS(methods),
                                PYRO_ATTRS(attrs), NULL, 0 };

int bad;

void expect(bool good, const char *what)
{
    if (good)
        return;
    std::fprintf(stderr, "cxx_client: %s\n", what);
    ++bad;
}

int serve(int address_pipe)
{
    static PYRO_ROOM(2, 3, 256, 1) room;
    pyro_daemon node;
    Calc        calc = { 0, "cpp", false };
    char        at[64];

    alarm(10);
    if (pyro_open(&node, PYRO_ROOM_OF(room), NULL)
        || pyro_listen(&node, pyro_posix(), "127.0.0.1:0")
        || pyro_export(&node, &calc_class, &calc, "calc")
        || pyro_listening(&node, 0, at, sizeof at))
        return 1;
    if (write(address_pipe, at, sizeof at) != sizeof at)
        return 1;
    while (!calc.stop)
        pyro_poll(&node, 100);
    pyro_close(&node);
    return 0;
}

void call(const char *uri)
{
    static PYRO_ROOM(1, 1, 256, 0) room;
    pyro_daemon node;
    pyro_proxy  calc;
    double      q = 0;
    int32_t     calls = 0;
    char        label[16] = "";

    expect(!pyro_open(&node, PYRO_ROOM_OF(room), NULL), "open");
    expect(!pyro_proxy_open(&calc, &node, uri), "proxy");
    expect(!pyro_invoke(&calc, "div", PYRO_ARGS(pyro_int(1), pyro_int(4)),
                        pyro_to_f64(&q))
               && q > 0.2 && q < 0.3,
           "div(1, 4)");
    expect(pyro_invoke(&calc, "div", PYRO_ARGS(pyro_int(1), pyro_int(0)),
                       pyro_to_f64(&q))
                   == PYRO_ERR_REMOTE
               && std::strcmp(pyro_exception(&calc)->type, "ZeroDivisionError")
                      == 0,
           "div(1, 0)");
    expect(!pyro_setattr(&calc, "label", pyro_str("c++11"))
               && !pyro_getattr(&calc, "label",
                                pyro_to_str(label, sizeof label))
               && std::strcmp(label, "c++11") == 0,
           "label");
    expect(pyro_setattr(&calc, "calls", pyro_int(9)) == PYRO_ERR_REMOTE
               && !pyro_getattr(&calc, "calls", pyro_to_i32(&calls))
               && calls == 1,
           "calls");
    expect(!pyro_oneway(&calc, "stop", PYRO_NO_ARGS), "stop");
    pyro_close(&node);
}

} // namespace

int main()
{
    char  at[64], uri[96];
    int   fds[2], status = 1;
    pid_t child;

    alarm(15);
    if (pipe(fds) || (child = fork()) < 0)
        return 1;
    if (child == 0)
        _exit(serve(fds[1]));
    close(fds[1]);
    expect(read(fds[0], at, sizeof at) == sizeof at, "no server");
    std::snprintf(uri, sizeof uri, "PYROLOC://%s/calc", bad ? "" : at);
    if (!bad)
        call(uri);
    waitpid(child, &status, 0);
    expect(status == 0, "the server ended badly");
    return bad;
}
