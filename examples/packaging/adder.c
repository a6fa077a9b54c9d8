/* A program that finds the headers as an installed package: one daemon calls
 * another in this process, over TCP, and prints what 2 + 3 is. */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include <pyro.h>

#include <stdio.h>

static PYRO_ROOM(2, 4, 256, 2) server_room, client_room;
static pyro_daemon server, client;
static pyro_proxy  adder;

static void add(void *self, pyro_call *call)
{
    int32_t a = pyro_get_i32(&call->args);
    int32_t b = pyro_get_i32(&call->args);

    (void)self;
    pyro_put_int(&call->result, (int64_t)a + b);
}

static const pyro_method methods[] = { { "add", add, "ii", "q", 0 } };
static const pyro_class  adder_class = { "Adder", PYRO_METHODS(methods),
                                         PYRO_NO_ATTRS, NULL, 0 };

int main(void)
{
    static pyro_request rq;
    char                uri[80] = "";
    int64_t             sum = 0;
    pyro_err            err;

    err = pyro_open(&server, PYRO_ROOM_OF(server_room), NULL);
    if (!err) err = pyro_listen(&server, pyro_posix(), "127.0.0.1:0");
    if (!err) err = pyro_export(&server, &adder_class, NULL, "adder");
    if (!err) err = pyro_uri_of(&server, 0, "adder", uri, sizeof uri);
    if (!err) err = pyro_open(&client, PYRO_ROOM_OF(client_room), NULL);
    if (!err) err = pyro_proxy_open(&adder, &client, uri);
    if (!err) err = pyro_begin(&rq, &adder, "add");
    if (err) {
        fprintf(stderr, "adder: %s\n", pyro_err_text(err));
        return 1;
    }
    pyro_put_int(&rq.args, 2);
    pyro_put_int(&rq.args, 3);
    err = pyro_send(&rq, pyro_to_i64(&sum), NULL, NULL);
    while (!err && !pyro_done(&rq)) {
        pyro_poll(&server, 10);
        err = pyro_poll(&client, 10);
    }
    if (!err) err = pyro_result(&rq);
    printf("2 + 3 is %d\n", (int)sum);
    return err != PYRO_OK;
}
