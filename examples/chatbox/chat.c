/* Chat: whoever is in a room reads what others type there. One poll waits for
 * the event service and for the keyboard. Start a service first: pyro-es -N
 * Build: cc -o chat chat.c        Run: ./chat NICK [ROOM [URI]]
 * It ends with the end of its input (ctrl-D). */
#define PYRO_IMPLEMENTATION
#define PYRO_POSIX
#include "../../pyro.h"
#include "../../pyro_es.h"

#include <stdio.h>
#include <unistd.h>

static PYRO_ROOM(1, 4, 1024, 1) room; /* links, buffers, bytes, objects */
static pyro_daemon node;
static pyro_es     es;

static struct {
    const char *nick;
    char        subject[PYRO_ES_MAX_SUBJECT + 1];
    char        line[400];
    size_t      n; /* bytes in line */
    bool        ended;
} chat;

/* What others type must not move our cursor. */
static void print(const char *text, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        putchar((unsigned char)text[i] < ' ' || text[i] == 0x7F ? '?'
                                                                : text[i]);
}

/* A message is [nick, text]. */
static void on_message(void *user, const pyro_es_event *event)
{
    uint32_t    nick_n, n;
    bool        two = pyro_get_list(event->message, 2) == 2;
    const char *nick = pyro_get_str(event->message, &nick_n);
    const char *text = pyro_get_str(event->message, &n);

    (void)user;
    if (event->message->err || !two) return;
    print(nick, nick_n);
    fputs(": ", stdout);
    print(text, n);
    putchar('\n');
    fflush(stdout);
}

static pyro_err say(const char *text, size_t n)
{
    uint8_t     bytes[600];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_err    err;

    pyro_put_list(&out, 2);
    pyro_put_str(&out, chat.nick);
    pyro_put_strn(&out, text, n);
    err = pyro_writer_end(&out);
    if (err) return err;
    return pyro_es_publish_wait(&es, chat.subject,
                                pyro_raw(bytes, (size_t)(out.at - bytes)));
}

/* Only takes what was typed: while a line is said, this is called again. */
static void on_typed(void *user, pyro_daemon *d, unsigned ready)
{
    size_t  left = sizeof chat.line - chat.n;
    ssize_t got = left > 0 ? read(0, chat.line + chat.n, left) : 1;

    (void)user;
    (void)d;
    (void)ready;
    if (left > 0 && got > 0) chat.n += (size_t)got;
    if (got <= 0) chat.ended = true;
}

/* Says the lines that are there; one that is too long is said in pieces. */
static pyro_err say_lines(void)
{
    pyro_err err = PYRO_OK;

    while (chat.n > 0 && !err) {
        char  *end = (char *)memchr(chat.line, '\n', chat.n);
        size_t n = end != NULL ? (size_t)(end - chat.line) : chat.n;

        if (end == NULL && n < sizeof chat.line && !chat.ended) break;
        if (n > 0) err = say(chat.line, n);
        if (end != NULL) n++;
        memmove(chat.line, chat.line + n, chat.n - n);
        chat.n -= n;
    }
    return err;
}

int main(int argc, char **argv)
{
    static pyro_watched keyboard;
    const char         *uri =
        argc > 3 ? argv[3] : "PYRO://127.0.0.1:7766/" PYRO_ES_NAME;
    pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);

    if (argc < 2) {
        fputs("usage: chat NICK [ROOM [URI]]\n", stderr);
        return 2;
    }
    chat.nick = argv[1];
    snprintf(chat.subject, sizeof chat.subject, "chat.%s",
             argc > 2 ? argv[2] : "lobby");
    if (!err) err = pyro_es_open(&es, &node, uri, on_message, NULL);
    if (!err) err = pyro_es_subscribe(&es, chat.subject, 0);
    if (!err) err = say("(is here)", 9);
    keyboard.fn = on_typed;
    if (!err) pyro_watch(&node, &keyboard, pyro_posix(), 0, PYRO_IN);
    while (!err && !chat.ended) {
        err = pyro_poll(&node, -1);
        if (!err) err = say_lines();
    }
    if (!err) err = say("(has left)", 10);
    if (err) fprintf(stderr, "chat: %s\n", pyro_err_text(err));
    pyro_close(&node);
    return err != PYRO_OK;
}
