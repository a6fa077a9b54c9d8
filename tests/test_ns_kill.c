/* A name server in a process of its own, under a stream of changes: what it
 * acknowledges is on the disk before, and is known after `kill -9` and after a
 * power cut. ns_shim.h has the record of its system calls and a model of what
 * a power cut leaves. */
#include "ns_shim.h"

#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../pyro_ns.h"

#include "pyro_test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum {
    NAMES = 48, /* in use, each registered and unregistered in turn */
    FLIGHT = PYRO_NS_PENDING + 4,
    KILLS = 100,
    CUTS = 30,
    CHILD_SECONDS = 60,
    TEST_SECONDS = 110
};

/* --- the process that serves --- */

static PYRO_ROOM(4, 12, 512, 2) server_room;
static pyro_daemon server_node;
static PYRO_NS_ROOM(NAMES + 8, 6000) names;
static pyro_ns_server        server;
static pyro_ns_server_config config;
static pyro_ns_files         files;

/* --- the process that asks --- */

static PYRO_ROOM(2, FLIGHT + 3, 512, 0) room;
static pyro_daemon node;
static pyro_proxy  ns;
static char        base[32];
static char        path[48];
static char        uri[64];
static pid_t       child;

/* What is known of a name: from acknowledgements, or nothing since a change
 * of it was under way when its server died. */
enum { ABSENT, PRESENT, UNKNOWN };

static uint8_t known[NAMES];

static struct flight {
    pyro_request rq;
    char         name[16];
    unsigned     i;
    bool         adds;
    bool         busy;
} flight[FLIGHT];

static unsigned next_name;
static uint32_t acknowledged;
static uint32_t lost; /* under way when the server died */

/* ------------------------------------------------------------------------
 * The server
 * ------------------------------------------------------------------------ */

static void serve(int ready)
{
    char address[PYRO_URI_BYTES];

    alarm(CHILD_SECONDS);
    shim_forget_fds();
    config.no_broadcast = true;
    config.storage = &files.storage;
    if (pyro_ns_files_open(&files, path) != PYRO_OK
        || pyro_open(&server_node, PYRO_ROOM_OF(server_room), NULL) != PYRO_OK
        || pyro_listen(&server_node, pyro_posix(), "127.0.0.1:0") != PYRO_OK
        || pyro_ns_serve(&server, &server_node, PYRO_NS_ROOM_OF(names),
                         &config)
               != PYRO_OK
        || pyro_listening(&server_node, 0, address, sizeof address) != PYRO_OK
        || write(ready, address, strlen(address) + 1) < 0)
        _exit(1);
    close(ready);
    while (pyro_poll(&server_node, 1000) == PYRO_OK)
        if (pyro_ns_check(&server) != NULL)
            _exit(2);
    _exit(3);
}

/* Starts one; it says where it listens. */
static void start(void)
{
    char    address[PYRO_URI_BYTES];
    int     ready[2];
    ssize_t n;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        close(ready[0]);
        serve(ready[1]);
    }
    close(ready[1]);
    n = read(ready[0], address, sizeof address);
    close(ready[0]);
    if (n <= 0)
        fail_msg("the name server does not start");
    snprintf(uri, sizeof uri, "PYRO://%.30s/" PYRO_NS_NAME, address);
    assert_int_equal(pyro_proxy_open(&ns, &node, uri), PYRO_OK);
}

/* It must not have ended before. */
static void kill_child(void)
{
    int status = 0;

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    child = 0;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the name server had ended, status %x", (unsigned)status);
}

/* ------------------------------------------------------------------------
 * A stream of changes
 * ------------------------------------------------------------------------ */

static void landed(void *user, pyro_request *rq, pyro_err err,
                   pyro_reader *result)
{
    struct flight *f = (struct flight *)user;

    (void)rq;
    (void)result;
    f->busy = false;
    if (err == PYRO_OK) {
        known[f->i] = f->adds ? PRESENT : ABSENT;
        acknowledged++;
    } else if (err == PYRO_ERR_REMOTE) {
        fail_msg("%s is refused: %s", f->name, pyro_exception(&ns)->message);
    } else {
        known[f->i] = UNKNOWN;
        lost++;
    }
}

/* Registers the next name, or takes it away. */
static void launch(struct flight *f)
{
    f->i = next_name % NAMES;
    f->adds = known[f->i] == ABSENT;
    assert_int_not_equal(known[f->i], UNKNOWN);
    snprintf(f->name, sizeof f->name, ":n%u", f->i);
    if (pyro_begin(&f->rq, &ns, f->adds ? "register" : "unregister")
        != PYRO_OK)
        return;
    pyro_put_str(&f->rq.args, f->name);
    if (f->adds)
        pyro_put_str(&f->rq.args, "PYRO://10.0.0.9:7766/x");
    f->busy = true;
    next_name++;
    assert_int_equal(pyro_send(&f->rq, pyro_to_none(), landed, f), PYRO_OK);
}

static void launch_free(void)
{
    for (unsigned k = 0; k < FLIGHT; k++)
        if (!flight[k].busy)
            launch(&flight[k]);
}

static bool under_way(void)
{
    for (unsigned k = 0; k < FLIGHT; k++)
        if (flight[k].busy)
            return true;
    return false;
}

static void land_all(void)
{
    for (unsigned i = 0; i < 5000 && under_way(); i++)
        assert_int_equal(pyro_poll(&node, 10), PYRO_OK);
    assert_false(under_way());
}

/* Until there are so many acknowledgements and some microseconds more, then
 * the server is killed; acknowledgements that are on their way still count. */
static void stream_and_kill(uint32_t *seed)
{
    uint32_t        until = acknowledged + 3 + test_random(seed) % 30;
    uint32_t        more = test_random(seed) % 500;
    struct timespec wait = { 0, (long)more * 1000 };

    while (acknowledged < until) {
        launch_free();
        assert_int_equal(pyro_poll(&node, 10), PYRO_OK);
    }
    launch_free();
    pyro_flush(&node);
    nanosleep(&wait, NULL);
    kill_child();
    land_all();
    pyro_proxy_close(&ns);
}

/* The server knows what was acknowledged, and of the rest it is asked. */
static void verify(const char *row)
{
    char     name[16];
    char     text[64];
    pyro_err err;

    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, ":n%u", i);
        err = pyro_invoke(&ns, "resolve", PYRO_ARGS(pyro_str(name)),
                          pyro_to_str(text, sizeof text));
        if (err != PYRO_OK && err != PYRO_ERR_REMOTE)
            fail_msg("%s: resolve: %s", row, pyro_err_text(err));
        if (known[i] == PRESENT && err != PYRO_OK)
            fail_msg("%s: %s was registered and is lost", row, name);
        if (known[i] == ABSENT && err == PYRO_OK)
            fail_msg("%s: %s was unregistered and is back", row, name);
        known[i] = err == PYRO_OK ? PRESENT : ABSENT;
    }
}

/* ------------------------------------------------------------------------
 * Rig
 * ------------------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    strcpy(base, "build/nsk-XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/names", base);
    shim_start();
    memset(known, ABSENT, sizeof known);
    memset(flight, 0, sizeof flight);
    next_name = acknowledged = lost = 0;
    return pyro_open(&node, PYRO_ROOM_OF(room), NULL) == PYRO_OK ? 0 : -1;
}

static int teardown(void **state)
{
    char name[80];

    (void)state;
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = 0;
    }
    pyro_close(&node);
    shim->on_send = NULL;
    shim->on_dir = NULL;
    for (unsigned i = 0; i < SHIM_NAMES; i++) {
        snprintf(name, sizeof name, "%s/%s", path, shim_names[i]);
        remove(name);
    }
    remove(path);
    return remove(base);
}

/* ------------------------------------------------------------------------
 * No acknowledgement before its sync
 * ------------------------------------------------------------------------ */

/* Whether a name is registered by what is safe of the journal. */
static bool safe_knows(const char *name)
{
    const struct shim_file *f = shim_safe();
    bool                    is = false;
    uint32_t                n;

    for (uint32_t at = 0; f != NULL && at + 8 <= f->n_safe; at += 8 + n) {
        pyro_reader in;
        uint32_t    name_n;
        const char *text;

        n = (uint32_t)f->safe[at] << 8 | f->safe[at + 1];
        in = pyro_reader_of(f->safe + at + 4, n);
        pyro_get_list(&in, 6);
        pyro_get_u64(&in);
        text = pyro_get_str(&in, &name_n);
        if (name_n == strlen(name) && memcmp(text, name, name_n) == 0)
            is = pyro_peek(&in) == PYRO_STR;
    }
    return is;
}

enum { ACKS, TOO_EARLY, REFUSED, SPOILT };

/* In the server: every RESULT that leaves it. The changes go round the names;
 * the call with number s is the s-1st change. */
static void on_send(const void *data, size_t n)
{
    static uint8_t  head[8];
    static unsigned n_head;
    static uint32_t rest;
    const uint8_t  *p = (const uint8_t *)data;

    for (; n > 0; n--, p++) {
        char     name[16];
        unsigned s;

        if (rest > 0) {
            rest--;
            continue;
        }
        head[n_head++] = *p;
        if (n_head < sizeof head)
            continue;
        n_head = 0;
        rest = (uint32_t)head[6] << 8 | head[7];
        if ((head[3] & 0x10) != 0)
            rest += 4; /* checksum */
        if ((head[2] & 15) != 5)
            continue;
        s = ((unsigned)head[4] << 8 | head[5]) - 1;
        shim->seen[ACKS]++;
        shim->seen[REFUSED] += head[3] & 1;
        snprintf(name, sizeof name, ":n%u", s % NAMES);
        if (safe_knows(name) != (s / NAMES % 2 == 0))
            shim->seen[TOO_EARLY]++;
    }
}

/* A new journal says what the old one did. */
static void on_dir(bool done)
{
    static uint64_t before;
    uint64_t        knows = 0;
    char            name[16];

    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, ":n%u", i);
        knows |= (uint64_t)safe_knows(name) << i;
    }
    if (!done)
        before = knows;
    else if (before != knows)
        shim->seen[SPOILT]++;
}

TEST(no_acknowledgement_leaves_before_what_it_says_is_safe_on_the_disk)
{
    shim->on_send = on_send;
    shim->on_dir = on_dir;
    start();
    while (acknowledged < 1000) {
        launch_free();
        assert_int_equal(pyro_poll(&node, 10), PYRO_OK);
    }
    land_all();
    kill_child();
    pyro_proxy_close(&ns);
    assert_int_equal(shim->seen[ACKS], acknowledged);
    assert_int_equal(shim->seen[TOO_EARLY], 0);
    assert_int_equal(shim->seen[REFUSED], 0);
    assert_int_equal(shim->seen[SPOILT], 0);
    assert_true(shim->calls[SHIM_RENAME] > 3); /* of both ways to be safe */
    print_message("%u acknowledged, %u syncs, %u journals\n", acknowledged,
                  shim->calls[SHIM_SYNC], shim->calls[SHIM_RENAME]);
}

/* ------------------------------------------------------------------------
 * Killed
 * ------------------------------------------------------------------------ */

TEST(killed_a_hundred_times_it_knows_every_acknowledged_change)
{
    uint32_t seed = 1;
    char     row[32];

    for (unsigned i = 0; i < KILLS; i++) {
        snprintf(row, sizeof row, "after %u kills", i);
        start();
        verify(row);
        stream_and_kill(&seed);
    }
    start();
    verify("at the end");
    kill_child();
    pyro_proxy_close(&ns);
    assert_true(lost > KILLS); /* some were under way each time */
    print_message("%u acknowledged, %u under way when it was killed\n",
                  acknowledged, lost);
}

/* The least that the disk may hold after a power cut takes the journal's
 * place, and part of what was not synced: it is written from its beginning. */
static void cut_power(uint32_t *seed)
{
    static uint8_t          bytes[SHIM_BYTES];
    const struct shim_file *f = shim_safe();
    char                    name[80];
    uint32_t                n = 0;
    FILE                   *to;

    if (f != NULL) {
        n = f->n_safe;
        memcpy(bytes, f->safe, n);
        if (f->n_now > n && memcmp(f->now, bytes, n) == 0) {
            uint32_t more = test_random(seed) % (f->n_now - n + 1);

            memcpy(bytes + n, f->now + n, more);
            n += more;
        }
    }
    snprintf(name, sizeof name, "%s/names.journal", path);
    to = fopen(name, "w");
    assert_non_null(to);
    assert_int_equal(fwrite(bytes, 1, n, to), n);
    assert_int_equal(fclose(to), 0);
    shim_start();
}

TEST(after_a_power_cut_at_any_time_it_knows_every_acknowledged_change)
{
    uint32_t seed = 2;
    char     row[32];

    for (unsigned i = 0; i < CUTS; i++) {
        snprintf(row, sizeof row, "after %u power cuts", i);
        start();
        verify(row);
        stream_and_kill(&seed);
        cut_power(&seed);
    }
    assert_true(lost > CUTS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(no_acknowledgement_leaves_before_what_it_says_is_safe_on_the_disk),
        T(killed_a_hundred_times_it_knows_every_acknowledged_change),
        T(after_a_power_cut_at_any_time_it_knows_every_acknowledged_change),
    };

    alarm(TEST_SECONDS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
