/* MQTT bridge: events of an event service as messages of an MQTT broker, and
 * the other way.
 * Build: cc -o bridge bridge.c -lmosquitto        (Debian: libmosquitto-dev)
 * Run: ./bridge -u PYRO://127.0.0.1:7766/:Pyro.EventService -m 127.0.0.1
 *
 * Names. The subject sensor.kitchen.temp is the topic sensor/kitchen/temp: '.'
 * and '/' change places, so that each name has one on the other side. Prefixes
 * say where on either side the names of the other one stand. Subjects with '+'
 * or '#' have no topic. Subjects are the same in upper and lower case, topics
 * are not: they keep the spelling of who published.
 *
 * Values. As JSON; what comes and is none is a str, or bytes if it is no UTF-8.
 * With --raw a payload is bytes, a str or bytes are the payload as they are,
 * and other values are JSON still.
 *
 * Loss. With QoS 1 nothing is lost while one side is away, up to the limits:
 * --queue messages to the broker; from it QUEUE_BYTES here, and past them it
 * is not read, so that it keeps them. It keeps them too while the bridge
 * itself is away, for KEEP_S seconds, by the id. A message may come twice. What
 * was lost is said, and counted in the line at the end.
 *
 * Loops. The event service gives nothing back that came from here, nor does
 * the broker; and a message carries the session of the service that its event
 * is from, so that a second bridge between the same two does not bring it
 * back: that doubles what passes, and there it ends. The broker has to know
 * MQTT 5. */
#define TOOL "mqtt-bridge"

#define PYRO_ES_MAX_SUBJECT 200
#define PYRO_ES_OWN         100
#include "../tools/tool_ns.h"
#include "../tools/tool_server.h"

#include "../../pyro_es.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MOST = 65536, /* bytes of a value as it is encoded, and of a payload */
    QUEUE_BYTES = 8 << 20,
    KEEP_S = 3600,
    KEEP_ALIVE_S = 10,
    AGAIN_MS = 500
};

/* The user property that holds a service's session. */
#define ORIGIN "pyro-es"

static PYRO_ROOM(4, 8, MOST + 1024, 4) room;
static pyro_daemon  node;
static tool_ns      ns;
static pyro_es      es;
static pyro_request rq; /* what is being published there */
static bool         asking;
static pyro_timer   again, tick;
static pyro_watched watched;

static struct mosquitto *broker;
static int               broker_fd = -1; /* watched, and for what */
static unsigned          broker_want;
static bool              broker_up;
static long              unanswered; /* messages of QoS 1 */

/* Messages from the broker that the service has not got yet, one behind the
 * other: lengths of subject and value, then both. */
static struct {
    uint8_t bytes[QUEUE_BYTES];
    size_t  first, end;
} queue;

/* What passed and what did not. `told` is how much of it was complained of. */
static struct {
    unsigned long to_mqtt, from_mqtt;
    unsigned long own;               /* came back, and ended here */
    unsigned long refused;           /* by the service, or no name or value */
    unsigned long full_out, full_in; /* found a queue full */
    unsigned long told_out, told_in;
} count;

static const char *uri, *subjects = "**", *topics = "#";
static const char *subject_prefix = "", *topic_prefix = "";
static const char *host = "127.0.0.1", *id = "pyro-bridge", *user, *password,
                  *ca;
static long qos = 1, most_unanswered = 1000;
static bool raw, loud;
static char broker_host[256];
static int  broker_port = 1883;

static const pyro_option table[] = {
    TOOL_NS_OPTIONS(ns),
    PYRO_OPTION_TEXT('u', "uri", "URI", &uri,
                     "the event service itself, without a name\n"
                     "server: PYRO://host:7766/" PYRO_ES_NAME),
    PYRO_OPTION_TEXT('m', "mqtt", "HOST[:PORT]", &host,
                     "the broker (127.0.0.1:1883)"),
    PYRO_OPTION_TEXT('i', "id", "ID", &id,
                     "our name at the broker, for one bridge\n"
                     "only (pyro-bridge)"),
    PYRO_OPTION_TEXT(0, "user", "NAME", &user, "our user name there"),
    PYRO_OPTION_TEXT(0, "password-file", "FILE", &password,
                     "its first line is the password"),
    PYRO_OPTION_TEXT(0, "cafile", "FILE", &ca,
                     "use TLS, with certificates of these CAs"),
    PYRO_OPTION_TEXT('s', "subjects", "LIST", &subjects,
                     "events that go to the broker: wildcards,\n"
                     "parted by commas (**); empty: none"),
    PYRO_OPTION_TEXT('t', "topics", "LIST", &topics,
                     "messages that come from it: filters,\n"
                     "parted by commas (#); empty: none"),
    PYRO_OPTION_TEXT(0, "subject-prefix", "TEXT", &subject_prefix,
                     "what all subjects begin with, and no\n"
                     "topic has: mqtt."),
    PYRO_OPTION_TEXT(0, "topic-prefix", "TEXT", &topic_prefix,
                     "what all topics begin with, and no\n"
                     "subject has: plant/4/"),
    PYRO_OPTION_NUMBER('q', "qos", "N", &qos, 0, 1, "0 or 1 (1)"),
    PYRO_OPTION_FLAG('r', "raw", &raw, "payloads are bytes, not JSON"),
    PYRO_OPTION_NUMBER(0, "queue", "N", &most_unanswered, 1, 1000000,
                       "messages for a broker that is away (1000)"),
    PYRO_OPTION_FLAG('v', NULL, &loud, "print what passes"),
};
static const pyro_options options = {
    TOOL,
    "[options]",
    "Connects an event service and an MQTT broker, both ways.",
    table,
    PYRO_COUNT(table),
    0,
    0,
    false,
    NULL,
    NULL
};

/* ------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------ */

/* What of a name stands behind its prefix; NULL: it has another. */
static const char *behind(const char *name, const char *prefix, bool any_case)
{
    for (; *prefix != 0; name++, prefix++)
        if (any_case ? tolower((unsigned char)*name)
                           != tolower((unsigned char)*prefix)
                     : *name != *prefix)
            return NULL;
    return name;
}

/* A prefix and a name, in which '.' and '/' change places; false: too long. */
static bool join(char *to, size_t size, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);

    if (n + strlen(name) >= size) return false;
    memcpy(to, prefix, n);
    for (; *name != 0; name++)
        to[n++] = *name == '.' ? '/' : *name == '/' ? '.' : *name;
    to[n] = 0;
    return true;
}

/* The next part of a list with commas, behind a prefix; false: no more, or
 * (with *list not NULL) too long. */
static bool next_of(const char **list, const char *prefix, char *to,
                    size_t size)
{
    size_t n = strcspn(*list, ",");
    int    used = snprintf(to, size, "%s%.*s", prefix, (int)n, *list);

    if (n == 0 || used < 0 || (size_t)used >= size) return false;
    *list += n + ((*list)[n] == ',');
    return true;
}

static void refuse(const char *name, const char *why)
{
    count.refused++;
    fputs(TOOL ": ", stderr);
    tool_text(stderr, name, strlen(name));
    fprintf(stderr, ": %s\n", why);
}

static void show(const char *how, const char *name)
{
    if (!loud) return;
    fputs(how, stdout);
    tool_text(stdout, name, strlen(name));
    putchar('\n');
    fflush(stdout);
}

/* ------------------------------------------------------------------------
 * To the broker
 * ------------------------------------------------------------------------ */

/* The session of the event service: another after it has started again. */
static void origin(char to[9])
{
    pyro_link link = pyro_proxy_link(pyro_es_proxy(&es));

    snprintf(to, 9, "%08lx", (unsigned long)pyro_link_session(&node, link));
}

static void send_message(const char *topic, const void *payload, uint32_t n)
{
    mosquitto_property *properties = NULL;
    char                session[9];
    int                 rc;

    if (qos > 0 ? unanswered >= most_unanswered : !broker_up) {
        if (count.full_out++ == count.told_out)
            fputs(TOOL ": the broker is away and the queue full: losing\n",
                  stderr);
        return;
    }
    origin(session);
    rc = mosquitto_property_add_string_pair(&properties,
                                            MQTT_PROP_USER_PROPERTY, ORIGIN,
                                            session);
    if (rc == 0)
        rc = mosquitto_publish_v5(broker, NULL, topic, (int)n, payload,
                                  (int)qos, false, properties);
    mosquitto_property_free_all(&properties);
    if (rc != 0 && (qos == 0 || rc != MOSQ_ERR_NO_CONN)) {
        refuse(topic, mosquitto_strerror(rc));
        return;
    }
    unanswered += qos > 0;
    count.to_mqtt++;
    show("to ", topic);
}

/* The payload of a value; NULL: it has none. */
static const void *payload_of(pyro_reader *in, uint32_t *n)
{
    static char json[PYRO_JSON_BYTES(MOST)];
    pyro_type   type = pyro_peek(in);

    if (raw && type == PYRO_STR) return pyro_get_str(in, n);
    if (raw && type == PYRO_BIN) return pyro_get_bin(in, n);
    if (pyro_json_get(in, json, sizeof json) != PYRO_OK) return NULL;
    *n = (uint32_t)strlen(json);
    return json;
}

static void on_event(void *unused, const pyro_es_event *event)
{
    static uint32_t lost;
    const char     *name = behind(event->subject, subject_prefix, true);
    char            topic[512];
    uint32_t        n = 0;
    const void     *payload;

    (void)unused;
    if (event->lost != lost)
        fprintf(stderr, TOOL ": %lu events were lost before they came here\n",
                (unsigned long)(event->lost - lost));
    lost = event->lost;
    if (name == NULL || *name == 0) return;
    payload = payload_of(event->message, &n);
    if (!join(topic, sizeof topic, topic_prefix, name)
        || strpbrk(topic, "+#") != NULL)
        refuse(event->subject, "no name for a topic");
    else if (payload == NULL || n > MOST)
        refuse(event->subject, "no value for a payload");
    else
        send_message(topic, payload, n);
}

/* A message has arrived there. */
static void on_arrived(struct mosquitto *m, void *unused, int mid, int reason,
                       const mosquitto_property *properties)
{
    (void)m, (void)unused, (void)mid, (void)properties;
    if (qos == 0) return;
    unanswered--;
    if (reason >= 0x80) refuse("a message", mosquitto_reason_string(reason));
    if (count.full_out == count.told_out) return;
    fprintf(stderr, TOOL ": %lu events found the queue full\n",
            count.full_out - count.told_out);
    count.told_out = count.full_out;
}

/* ------------------------------------------------------------------------
 * From the broker
 * ------------------------------------------------------------------------ */

static void pump(void *user, pyro_daemon *node);

/* Lengths of the first message of the queue; its subject and value follow. */
static const uint8_t *first_queued(uint32_t n[2])
{
    memcpy(n, queue.bytes + queue.first, 2 * sizeof *n);
    return queue.bytes + queue.first + 2 * sizeof *n;
}

static void drop_first(void)
{
    uint32_t n[2];

    (void)first_queued(n);
    queue.first += sizeof n + n[0] + n[1];
    if (queue.first == queue.end) queue.first = queue.end = 0;
}

static void enqueue(const char *subject, const void *value, size_t value_n)
{
    uint32_t n[2] = { (uint32_t)strlen(subject), (uint32_t)value_n };
    size_t   need = sizeof n + n[0] + n[1];
    uint8_t *to;

    if (QUEUE_BYTES - (queue.end - queue.first) < need) {
        if (count.full_in++ == count.told_in)
            fputs(TOOL ": the event service is away and the queue full: "
                       "losing\n",
                  stderr);
        return;
    }
    if (QUEUE_BYTES - queue.end < need) {
        memmove(queue.bytes, queue.bytes + queue.first,
                queue.end - queue.first);
        queue.end -= queue.first;
        queue.first = 0;
    }
    to = queue.bytes + queue.end;
    memcpy(to, n, sizeof n);
    memcpy(to + sizeof n, subject, n[0]);
    memcpy(to + sizeof n + n[0], value, n[1]);
    queue.end += need;
}

/* The service has taken the first of the queue, or has not. */
static void on_published(void *unused, pyro_request *request, pyro_err err,
                         pyro_reader *result)
{
    static bool complained;

    (void)unused, (void)request, (void)result;
    asking = false;
    if (err && err != PYRO_ERR_REMOTE) {
        if (!complained) (void)tool_failed(&node, "event service", err);
        complained = true;
        pyro_timer_set(&node, &again, AGAIN_MS);
        return;
    }
    complained = false;
    if (err) {
        count.refused++;
        (void)tool_call_failed(&node, pyro_es_proxy(&es), "publish", err);
    } else {
        count.from_mqtt++;
    }
    drop_first();
    pump(NULL, &node);
}

/* Publishes the first of the queue and waits for the answer, so that nothing
 * is taken out of it that has not arrived. */
static void pump(void *unused, pyro_daemon *d)
{
    uint32_t       n[2];
    const uint8_t *at;
    pyro_err       err;

    (void)unused;
    if (asking || queue.first == queue.end) return;
    err = pyro_begin(&rq, pyro_es_proxy(&es), "publish");
    if (err) {
        pyro_timer_set(d, &again, err == PYRO_ERR_NOSPACE ? 1 : AGAIN_MS);
        return;
    }
    at = first_queued(n);
    pyro_put_strn(&rq.args, (const char *)at, n[0]);
    pyro_put_raw(&rq.args, at + n[0], n[1]);
    asking = true;
    err = pyro_send(&rq, pyro_to_none(), on_published, NULL);
    if (!err) return;
    asking = false; /* it is too long */
    count.refused++;
    (void)tool_failed(d, "publish", err);
    drop_first();
    pyro_timer_set(d, &again, 0);
}

/* The value of a payload; 0 bytes: it is too long. */
static size_t value_of(const struct mosquitto_message *message, uint8_t *to,
                       size_t size)
{
    static char text[MOST + 1];
    size_t      n = (size_t)message->payloadlen;
    pyro_writer out = pyro_writer_of(to, size, 1);
    pyro_reader in;

    if (n > MOST) return 0;
    if (n > 0) memcpy(text, message->payload, n);
    text[n] = 0;
    if (!raw && strlen(text) == n
        && pyro_json_put(&out, text, NULL) == PYRO_OK)
        return (size_t)(out.at - to);
    if (!raw) {
        pyro_put_strn(&out, message->payload != NULL ? message->payload : "",
                      n);
        in = pyro_reader_of(to, (size_t)(out.at - to));
        pyro_skip(&in);
        if (in.err == PYRO_OK) return (size_t)(out.at - to);
        out = pyro_writer_of(to, size, 1);
    }
    pyro_put_bin(&out, message->payload, n);
    return out.err == PYRO_OK ? (size_t)(out.at - to) : 0;
}

/* Whether a message is from our own event service. */
static bool is_ours(const mosquitto_property *properties)
{
    char  own[9];
    bool  ours = false, first = true;
    char *name, *value;

    origin(own);
    while (!ours
           && (properties = mosquitto_property_read_string_pair(
                   properties, MQTT_PROP_USER_PROPERTY, &name, &value, !first))
                  != NULL) {
        ours = strcmp(name, ORIGIN) == 0 && strcmp(value, own) == 0;
        free(name);
        free(value);
        first = false;
    }
    return ours;
}

static void on_message(struct mosquitto *m, void *unused,
                       const struct mosquitto_message *message,
                       const mosquitto_property       *properties)
{
    static uint8_t value[MOST + 16];
    const char    *name = behind(message->topic, topic_prefix, false);
    char           subject[PYRO_ES_MAX_SUBJECT + 1];
    size_t         n;

    (void)m, (void)unused;
    if (name == NULL || *name == 0) return;
    if (is_ours(properties)) {
        count.own++;
        return;
    }
    n = value_of(message, value, sizeof value);
    if (!join(subject, sizeof subject, subject_prefix, name)) {
        refuse(message->topic, "too long for a subject");
    } else if (n == 0) {
        refuse(message->topic, "a payload of over 65536 bytes");
    } else {
        show("from ", message->topic);
        enqueue(subject, value, n);
        pyro_timer_set(&node, &again, 0);
    }
}

/* ------------------------------------------------------------------------
 * The connection to the broker
 * ------------------------------------------------------------------------ */

static void on_connected(struct mosquitto *m, void *unused, int reason,
                         int flags, const mosquitto_property *properties)
{
    const char *list = topics;
    char        filter[512];

    (void)unused, (void)flags, (void)properties;
    if (reason != 0) {
        fprintf(stderr, TOOL ": the broker refuses: %s\n",
                mosquitto_reason_string(reason));
        return;
    }
    broker_up = true;
    while (next_of(&list, topic_prefix, filter, sizeof filter))
        (void)mosquitto_subscribe_v5(m, NULL, filter, (int)qos,
                                     MQTT_SUB_OPT_NO_LOCAL
                                         | MQTT_SUB_OPT_SEND_RETAIN_NEW,
                                     NULL);
    fputs(TOOL ": connected to the broker\n", stderr);
}

static void on_disconnected(struct mosquitto *m, void *unused, int reason,
                            const mosquitto_property *properties)
{
    (void)m, (void)unused, (void)properties;
    if (broker_up)
        fprintf(stderr, TOOL ": the broker is away: %s\n",
                mosquitto_strerror(reason));
    broker_up = false;
}

static void on_broker(void *unused, pyro_daemon *d, unsigned ready)
{
    (void)unused, (void)d;
    if ((ready & PYRO_IN) != 0) (void)mosquitto_loop_read(broker, 1);
    if ((ready & PYRO_OUT) != 0) (void)mosquitto_loop_write(broker, 1);
}

/* Before each poll: the broker's socket may be another, or have more to send;
 * it is not read while the queue is half full. */
static void watch_broker(void)
{
    int      fd = mosquitto_socket(broker);
    unsigned want = mosquitto_want_write(broker) ? PYRO_OUT : 0;

    if (queue.end - queue.first < QUEUE_BYTES / 2) want |= PYRO_IN;
    if (fd < 0) want = 0;
    if (fd == broker_fd && want == broker_want) return;
    if (broker_want != 0) pyro_unwatch(&node, &watched);
    watched.fn = on_broker;
    if (want != 0) pyro_watch(&node, &watched, pyro_posix(), fd, want);
    broker_fd = fd;
    broker_want = want;
}

static void on_tick(void *unused, pyro_daemon *d)
{
    (void)unused;
    if (mosquitto_socket(broker) < 0)
        (void)mosquitto_reconnect_async(broker);
    else
        (void)mosquitto_loop_misc(broker);
    pyro_timer_set(d, &tick, AGAIN_MS);
}

/* Name and password, and TLS. Returns -1, or a status. */
static int identify(void)
{
    char  line[256] = "";
    FILE *file = password != NULL ? fopen(password, "r") : NULL;
    int   rc = 0;

    if (password != NULL && file == NULL) {
        perror(password);
        return TOOL_FAILED;
    }
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL) line[0] = 0;
        fclose(file);
        line[strcspn(line, "\r\n")] = 0;
    }
    if (user != NULL)
        rc = mosquitto_username_pw_set(broker, user,
                                       password != NULL ? line : NULL);
    if (rc == 0 && ca != NULL)
        rc = mosquitto_tls_set(broker, ca, NULL, NULL, NULL, NULL);
    if (rc == 0) return -1;
    fprintf(stderr, TOOL ": %s\n", mosquitto_strerror(rc));
    return TOOL_FAILED;
}

/* Begins to connect; goes on when the broker is not there. */
static int open_broker(void)
{
    mosquitto_property *properties = NULL;
    int                 status, rc;

    mosquitto_lib_init();
    broker = mosquitto_new(id, false, NULL);
    if (broker == NULL) {
        perror(TOOL ": MQTT");
        return TOOL_FAILED;
    }
    mosquitto_int_option(broker, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_connect_v5_callback_set(broker, on_connected);
    mosquitto_disconnect_v5_callback_set(broker, on_disconnected);
    mosquitto_message_v5_callback_set(broker, on_message);
    mosquitto_publish_v5_callback_set(broker, on_arrived);
    if ((status = identify()) >= 0) return status;
    rc = mosquitto_property_add_int32(&properties,
                                      MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                      KEEP_S);
    if (rc == 0)
        rc = mosquitto_connect_bind_v5(broker, broker_host, broker_port,
                                       KEEP_ALIVE_S, NULL, properties);
    mosquitto_property_free_all(&properties);
    if (rc != 0)
        fprintf(stderr, TOOL ": %s port %d: %s; trying again\n", broker_host,
                broker_port,
                rc == MOSQ_ERR_ERRNO ? strerror(errno)
                                     : mosquitto_strerror(rc));
    pyro_timer_set(&node, &tick, AGAIN_MS);
    return -1;
}

/* ------------------------------------------------------------------------ */

static int open_service(void)
{
    const char *list = subjects;
    static char patterns[PYRO_ES_OWN][256]; /* borrowed by es */
    int         i, status;
    pyro_err    err;

    if (uri == NULL) {
        uri = "PYRONAME://" PYRO_ES_NAME;
        if ((status = tool_ns_open(&ns, &node)) >= 0) return status;
    }
    err = pyro_es_open(&es, &node, uri, on_event, NULL);
    for (i = 0;
         i < PYRO_ES_OWN && !err
         && next_of(&list, subject_prefix, patterns[i], sizeof patterns[i]);
         i++) {
        err = pyro_es_subscribe(&es, patterns[i], PYRO_ES_OTHERS);
        if (err == PYRO_ERR_REMOTE)
            return tool_call_failed(&node, pyro_es_proxy(&es), patterns[i],
                                    err);
        if (err) {
            (void)tool_failed(&node, "event service, trying again", err);
            err = PYRO_OK; /* the client does */
        }
    }
    if (!err && *list != 0)
        return pyro_options_wrong(&options,
                                  "-s: too many or too long: ", list);
    return err ? tool_failed(&node, uri, err) : -1;
}

/* Takes the option -m apart: host, host:port, [host]:port. */
static int read_broker(void)
{
    const char *colon = strrchr(host, ':');
    char       *end = NULL;
    size_t      n = strlen(host);

    if (colon != NULL && (strchr(host, ':') == colon || colon[-1] == ']')) {
        broker_port = (int)strtol(colon + 1, &end, 10);
        n = (size_t)(colon - host);
    }
    if (n > 1 && *host == '[' && host[n - 1] == ']') host++, n -= 2;
    if (n == 0 || n >= sizeof broker_host
        || (end != NULL
            && (*end != 0 || broker_port < 1 || broker_port > 65535)))
        return pyro_options_wrong(&options,
                                  "-m: no host, or host:port: ", host);
    memcpy(broker_host, host, n);
    return -1;
}

static pyro_err bridge(void)
{
    pyro_err err = PYRO_OK;
    uint32_t since = 0;

    while (!err) {
        if (tool_stop != 0 && since == 0) since = pyro_now(&node) | 1;
        if (since != 0
            && ((unanswered == 0 && queue.first == queue.end)
                || pyro_now(&node) - since > 2000))
            return err; /* what was here has gone, or will not */
        watch_broker();
        err = pyro_poll(&node, since != 0 ? 20 : -1);
    }
    return err;
}

int main(int argc, char **argv)
{
    int      status = pyro_options_read(&options, &argc, argv);
    pyro_err err;

    if (status < 0) status = read_broker();
    if (status < 0 && uri != NULL && (ns.host != NULL || ns.port != 0))
        status =
            pyro_options_wrong(&options, "-u goes without -n and -p", NULL);
    if (status >= 0) return status;
    again.fn = pump;
    tick.fn = on_tick;
    err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
    if (!err) err = tool_catch_signals(&node);
    if (err) return tool_failed(&node, "starting", err);
    status = open_service();
    if (status < 0) status = open_broker();
    if (status < 0) {
        err = bridge();
        status = err ? tool_failed(&node, "serving", err) : TOOL_GOOD;
        printf("to MQTT %lu, from MQTT %lu, own %lu, refused %lu, "
               "queue full %lu and %lu, unanswered %ld, queued %lu\n",
               count.to_mqtt, count.from_mqtt, count.own, count.refused,
               count.full_out, count.full_in, unanswered,
               (unsigned long)(queue.end - queue.first));
    }
    if (broker != NULL) {
        (void)mosquitto_disconnect(broker);
        mosquitto_destroy(broker);
    }
    mosquitto_lib_cleanup();
    pyro_close(&node);
    return tool_printed(status);
}
