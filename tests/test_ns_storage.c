/* The journal of a name server: what it holds after a power cut at any byte,
 * with damage, with storage that fails; and that nothing is acknowledged which
 * it does not hold. Node 1 serves, node 0 asks. */
#define PYRO_IMPLEMENTATION
#define PYRO_EXCEPTION_BYTES 240
#include "../pyro.h"
#include "../pyro_ns.h"

#include "nodes.h"
#include "ns_flash.h"

enum { ROWS = 64, TEXT = 8192, IN_FLIGHT = 2 * PYRO_NS_PENDING };

static PYRO_NS_ROOM(40, 4000) names;
static pyro_ns_server        server;
static pyro_ns_server_config config;
static pyro_proxy            ns; /* of node 0, for the name server */
static bool                  serving;

/* What is known besides what a server always knows. */
struct row {
    const char *name; /* NULL: not in use */
    const char *uri;
    const char *meta;
    uint32_t    seconds;
};

static struct row model[ROWS];

/* ------------------------------------------------------------------------
 * A journal in memory, as a file is: it ends where it ends.
 * ------------------------------------------------------------------------ */

static struct image {
    pyro_ns_storage storage;
    uint8_t         bytes[300000];
    uint8_t         fresh[8192]; /* a replacement */
    uint32_t        n;
    uint32_t        n_fresh;
    uint32_t        reads;
    uint32_t        replaced;
    bool            unreadable; /* from byte `bad_at` on */
    uint32_t        bad_at;
} image;

static int32_t image_read(void *user, uint32_t at, void *to, uint32_t n)
{
    (void)user;
    image.reads++;
    if (image.unreadable && at + n > image.bad_at)
        return -1;
    if (at >= image.n)
        return 0;
    if (n > image.n - at)
        n = image.n - at;
    memcpy(to, image.bytes + at, n);
    return (int32_t)n;
}

static bool image_append(void *user, const void *data, uint32_t n)
{
    (void)user;
    assert_true(n <= sizeof image.bytes - image.n);
    if (n > 0)
        memcpy(image.bytes + image.n, data, n);
    image.n += n;
    return true;
}

static bool image_replace(void *user, const void *data, uint32_t n)
{
    (void)user;
    assert_true(n <= sizeof image.fresh - image.n_fresh);
    if (n > 0) {
        memcpy(image.fresh + image.n_fresh, data, n);
        image.n_fresh += n;
        return true;
    }
    memcpy(image.bytes, image.fresh, image.n_fresh);
    image.n = image.n_fresh;
    image.n_fresh = 0;
    image.replaced++;
    return true;
}

static void image_new(void)
{
    memset(&image, 0, sizeof image);
    image.storage.read = image_read;
    image.storage.append = image_append;
    image.storage.replace = image_replace;
    config.storage = &image.storage;
}

/* Writes a record as the manual says. Returns its bytes. */
static uint32_t record(uint8_t *to, uint32_t version, const char *name,
                       const char *uri, uint32_t seconds, const char *meta)
{
    pyro_writer out = pyro_writer_of(to + 4, 250, 1);
    uint32_t    n;
    uint32_t    crc;

    pyro_put_list(&out, 6);
    pyro_put_uint(&out, version);
    pyro_put_str(&out, name);
    if (uri != NULL)
        pyro_put_str(&out, uri);
    else
        pyro_put_nil(&out);
    pyro_put_uint(&out, seconds);
    pyro_put_uint(&out, seconds * 1000);
    if (meta != NULL)
        pyro_put_str(&out, meta);
    else
        pyro_put_nil(&out);
    assert_int_equal(pyro_writer_end(&out), PYRO_OK);
    n = (uint32_t)(out.at - to);
    to[0] = (uint8_t)((n - 4) >> 8);
    to[1] = (uint8_t)(n - 4);
    to[2] = (uint8_t)~to[0];
    to[3] = (uint8_t)~to[1];
    crc = pyro_crc32(0, to, n);
    for (unsigned i = 0; i < 4; i++)
        to[n++] = (uint8_t)(crc >> (24 - 8 * i));
    return n;
}

static void image_record(uint32_t version, const char *name, const char *uri)
{
    image.n += record(image.bytes + image.n, version, name, uri, 0, NULL);
}

/* ------------------------------------------------------------------------
 * The server
 * ------------------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    serving = false;
    memset(model, 0, sizeof model);
    memset(&config, 0, sizeof config);
    config.no_broadcast = true;
    flash_new();
    config.storage = &flash.storage;
    rig_init(1);
    rig.net.more = true; /* several frames in one poll */
    node_open(0, 2 + IN_FLIGHT);
    return 0;
}

static void check_names(void)
{
    const char *wrong = pyro_ns_check(&server);

    if (wrong != NULL)
        fail_msg("pyro_ns_check: %s", wrong);
}

static pyro_err try_to_start(void)
{
    assert_false(serving);
    node_open(1, 8);
    return pyro_ns_serve(&server, &rig.n[1].d, PYRO_NS_ROOM_OF(names),
                         &config);
}

static void start_row(const char *row)
{
    test_eq(row, try_to_start(), PYRO_OK);
    check_names();
    node_run(1);
    serving = true;
    assert_int_equal(pyro_proxy_open(&ns, &rig.n[0].d,
                                     "PYRO://board:7701/" PYRO_NS_NAME),
                     PYRO_OK);
}

static void start(void)
{
    start_row("start");
}

static void stop(void)
{
    if (serving) {
        check_names();
        pyro_proxy_close(&ns);
        node_stop(1);
        pyro_ns_stop(&server);
    }
    serving = false;
    node_close(1);
}

static void restart(void)
{
    stop();
    start();
}

/* It does not start, with this error at this record, and leaves nothing. */
static void refuses(const char *row, pyro_err err, uint32_t at)
{
    test_eq(row, try_to_start(), err);
    if (at != 0)
        test_eq(row, rig.n[1].d.why.is, at);
    test_eq(row, pyro_withdraw(&rig.n[1].d, &server), PYRO_ERR_NAMING);
    assert_null(rig.n[1].d.timers_);
    stop();
}

static int teardown(void **state)
{
    (void)state;
    stop();
    test_eq("cells programmed twice", flash.misuse, 0);
    rig_end();
    return 0;
}

/* ------------------------------------------------------------------------
 * Changes, and a model of what they make
 * ------------------------------------------------------------------------ */

typedef enum kind { REG, UNREG, GROUP, DELGROUP, META } kind;

typedef struct change {
    kind        kind;
    const char *name; /* in full */
    const char *text; /* URI or metadata */
    int32_t     ttl;
} change;

static pyro_err ask(const change *c)
{
    pyro_value name = pyro_str(c->name);
    pyro_slot  none = pyro_to_none();

    switch (c->kind) {
    case REG:
        return pyro_invoke(&ns, "register",
                           PYRO_ARGS(name, pyro_str(c->text),
                                     pyro_int(c->ttl)),
                           none);
    case UNREG:
        return pyro_invoke(&ns, "unregister", PYRO_ARGS(name), none);
    case GROUP:
        return pyro_invoke(&ns, "createGroup", PYRO_ARGS(name), none);
    case DELGROUP:
        return pyro_invoke(&ns, "deleteGroup", PYRO_ARGS(name), none);
    default:
        return pyro_invoke(&ns, "setMeta", PYRO_ARGS(name, pyro_str(c->text)),
                           none);
    }
}

static bool below(const char *name, const char *group)
{
    size_t n = strlen(group);

    return strncmp(name, group, n) == 0 && name[n] == '.';
}

static struct row *row_of(const char *name)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (model[i].name != NULL && strcmp(model[i].name, name) == 0)
            return &model[i];
    return NULL;
}

static void model_apply(const change *c)
{
    struct row *row = row_of(c->name);

    if (c->kind == REG || c->kind == GROUP) {
        assert_null(row);
        for (row = model; row->name != NULL; row++)
            assert_true(row < model + ROWS - 1);
        row->name = c->name;
        row->uri = c->kind == REG ? c->text : "";
        row->meta = NULL;
        row->seconds = (uint32_t)(c->ttl + 999) / 1000;
        if (row->seconds >= 0x8000) /* then leases are in minutes */
            row->seconds = (row->seconds + 59) / 60 * 60;
        return;
    }
    assert_non_null(row);
    if (c->kind == META)
        row->meta = c->text;
    else
        row->name = NULL;
    for (unsigned i = 0; i < ROWS && c->kind == DELGROUP; i++)
        if (model[i].name != NULL && below(model[i].name, c->name))
            model[i].name = NULL;
}

/* Whether node i of the server is a row of the model. */
static bool is_row(unsigned i, const struct row *row)
{
    pyroi_ns_copy c;
    uint8_t       meta[80];
    pyro_writer   out = pyro_writer_of(meta, sizeof meta, 1);

    (void)pyroi_ns_read(&server, i, &c);
    if (row->meta != NULL)
        pyro_put_str(&out, row->meta);
    return strcmp(c.uri, row->uri) == 0 && c.entry.seconds == row->seconds
        && c.entry.meta_n == (uint32_t)(out.at - meta)
        && memcmp(c.meta, meta, c.entry.meta_n) == 0;
}

/* What the server knows besides what it always does: one bit for each row of
 * the model. A name that is no row, or is another than it, is a failure. */
static const char *odd; /* the name that was the last such failure */

static uint64_t known(void)
{
    uint64_t rows = 0;

    for (unsigned i = 0; i < server.room_.n_nodes; i++) {
        struct row *row;

        if (!pyroi_ns_live(&server, i) || server.room_.nodes[i].version == 1)
            continue;
        row = row_of(pyroi_ns_name_of(&server, i));
        if (row == NULL || !is_row(i, row)) {
            odd = pyroi_ns_name_of(&server, i);
            return ~(uint64_t)0;
        }
        rows |= (uint64_t)1 << (row - model);
    }
    return rows;
}

static uint64_t model_rows(void)
{
    uint64_t rows = 0;

    for (unsigned i = 0; i < ROWS; i++)
        rows |= (uint64_t)(model[i].name != NULL) << i;
    return rows;
}

static bool same(void)
{
    return known() == model_rows();
}

/* A group's deletion may have come half way; then the group is there. The
 * model follows. */
static bool half_deleted(const char *group)
{
    uint64_t all = model_rows();
    uint64_t are = known();

    if ((are & ~all) != 0 || (are >> (row_of(group) - model) & 1) == 0)
        return false;
    for (unsigned i = 0; i < ROWS; i++) {
        if (((all & ~are) >> i & 1) == 0)
            continue;
        if (!below(model[i].name, group))
            return false;
        model[i].name = NULL;
    }
    return true;
}

static void make(const change *c)
{
    test_eq(c->name, ask(c), PYRO_OK);
    test_eq("unsynced bytes when it is acknowledged", flash.unsynced, 0);
    model_apply(c);
}

#define CALC "PYRO://10.0.0.7:7766/calc"

static const change script[] = {
    { GROUP, ":lab", NULL, 0 },
    { REG, ":lab.calc", CALC, 0 },
    { REG, ":Default.a", "PYRO://[::5]:1/a", 500000 },
    { GROUP, ":lab.in", NULL, 0 },
    { META, ":lab.calc", "third floor, on the left", 0 },
    { REG, ":lab.in.x", "PYROLOC://host:9/x", 600001 },
    { UNREG, ":Default.a", NULL, 0 },
    { REG, ":Default.a", "PYRO://10.0.0.8:7766/b", 0 },
    { META, ":lab", "m", 0 },
    { META, ":lab.calc", "", 0 },
    { DELGROUP, ":lab.in", NULL, 0 },
    { REG, ":b", "PYRO://10.0.0.8:7766/b", 40000000 },
    { GROUP, ":lab.in", NULL, 0 },
    { REG, ":lab.in.y", CALC, 0 },
    { DELGROUP, ":lab", NULL, 0 },
    { REG, ":Default.c", CALC, 0 },
};

/* Makes changes until power is cut; the one that got no acknowledgement, or
 * NULL. */
static const change *make_until_cut(const change *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (ask(&list[i]) != PYRO_OK) {
            test_eq("power is off", flash.off, 1);
            return &list[i];
        }
        model_apply(&list[i]);
        test_eq("unsynced bytes when it is acknowledged", flash.unsynced, 0);
    }
    return NULL;
}

/* After power came back: all that was acknowledged is known; the change that
 * was under way was made, or was not. */
static void all_known(const char *row, const change *under_way)
{
    if (same())
        return;
    if (under_way == NULL)
        fail_msg("%s: something is lost (see %s)", row,
                 odd != NULL ? odd : "none");
    if (under_way->kind == DELGROUP && half_deleted(under_way->name))
        return;
    model_apply(under_way);
    if (!same())
        fail_msg("%s: something is lost, or half of %s is there (see %s)", row,
                 under_way->name, odd != NULL ? odd : "none");
}

static void model_clear(void)
{
    memset(model, 0, sizeof model);
}

/* ------------------------------------------------------------------------
 * What is written
 * ------------------------------------------------------------------------ */

TEST(a_change_is_one_record_as_the_manual_has_it)
{
    uint8_t  want[256];
    uint32_t n;

    image_new();
    start();
    assert_int_equal(ask(&(change){ GROUP, ":lab", NULL, 0 }), PYRO_OK);
    assert_int_equal(ask(&(change){ REG, ":lab.calc", CALC, 4001 }), PYRO_OK);
    assert_int_equal(ask(&(change){ META, ":lab", "meta", 0 }), PYRO_OK);
    assert_int_equal(ask(&(change){ REG, ":b", CALC, 0 }), PYRO_OK);
    assert_int_equal(ask(&(change){ UNREG, ":b", NULL, 0 }), PYRO_OK);
    n = record(want, 2, ":lab", "", 0, NULL);
    n += record(want + n, 4, ":lab.calc", CALC, 5, NULL);
    n += record(want + n, 6, ":lab", "", 0, "meta");
    n += record(want + n, 8, ":b", CALC, 0, NULL);
    n += record(want + n, 10, ":b", NULL, 0, NULL);
    test_same("journal", image.bytes, image.n, want, n);
    test_eq("stats", server.stats.bytes, n);
}

TEST(a_refresh_is_not_written)
{
    uint32_t end;

    start();
    make(&(change){ REG, ":b", CALC, 5000 });
    end = flash.end;
    assert_int_equal(pyro_invoke(&ns, "register",
                                 PYRO_ARGS(pyro_str(":b"), pyro_str(CALC),
                                           pyro_int(5000), pyro_bool(true)),
                                 pyro_to_none()),
                     PYRO_OK);
    assert_int_equal(flash.end, end);
    assert_int_equal(flash.syncs, 1);
}

static pyro_err again(const char *name, int32_t ms)
{
    return pyro_invoke(&ns, "register",
                       PYRO_ARGS(pyro_str(name), pyro_str(CALC), pyro_int(ms),
                                 pyro_bool(true)),
                       pyro_to_none());
}

TEST(a_lease_that_becomes_another_is_that_after_a_restart)
{
    start();
    make(&(change){ REG, ":b", CALC, 5000 });
    make(&(change){ REG, ":c", CALC, 0 });
    make(&(change){ META, ":b", "kept", 0 });
    assert_int_equal(again(":b", 0), PYRO_OK); /* to stay */
    model[0].seconds = 0;
    assert_int_equal(again(":c", 5000), PYRO_OK);
    restart();
    rig_pass(6000);
    assert_int_equal(server.stats.expired, 1);
    model[1].name = NULL;
    assert_true(same());
}

TEST(what_fails_is_not_written)
{
    uint32_t end;

    start();
    make(&(change){ REG, ":b", CALC, 0 });
    end = flash.end;
    assert_int_equal(ask(&(change){ REG, ":b", CALC, 0 }), PYRO_ERR_REMOTE);
    assert_int_equal(ask(&(change){ REG, ":x.b", CALC, 0 }), PYRO_ERR_REMOTE);
    assert_int_equal(ask(&(change){ UNREG, ":c", NULL, 0 }), PYRO_ERR_REMOTE);
    assert_int_equal(ask(&(change){ GROUP, ":b", NULL, 0 }), PYRO_ERR_REMOTE);
    assert_int_equal(ask(&(change){ META, ":c", "x", 0 }), PYRO_ERR_REMOTE);
    assert_int_equal(ask(&(change){ DELGROUP, ":Pyro", NULL, 0 }),
                     PYRO_ERR_REMOTE);
    assert_int_equal(flash.end, end);
}

/* --- several at once --- */

static struct {
    pyro_request rq;
    char         name[16];
    bool         done;
    pyro_err     err;
} flight[IN_FLIGHT];

static unsigned too_early; /* acknowledgements of what is not durable */

/* A failure does not count: it promises nothing. */
static void landed(void *user, pyro_request *rq, pyro_err err,
                   pyro_reader *result)
{
    unsigned i = (unsigned)(uintptr_t)user;

    (void)rq;
    (void)result;
    flight[i].done = true;
    flight[i].err = err;
    too_early += err == PYRO_OK && flash.unsynced != 0;
}

static void launch(unsigned i, const char *name, bool again)
{
    pyro_request *rq = &flight[i].rq;

    flight[i].done = false;
    assert_int_equal(pyro_begin(rq, &ns, "register"), PYRO_OK);
    pyro_put_str(&rq->args, name);
    pyro_put_str(&rq->args, CALC);
    pyro_put_int(&rq->args, 0);
    pyro_put_bool(&rq->args, again);
    assert_int_equal(pyro_send(rq, pyro_to_none(), landed,
                               (void *)(uintptr_t)i),
                     PYRO_OK);
}

static void land(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < 5000 && !flight[i].done; k++)
            assert_int_equal(pyro_poll(&rig.n[0].d, 1), PYRO_OK);
    for (unsigned i = 0; i < n; i++)
        assert_true(flight[i].done);
    assert_int_equal(too_early, 0);
}

static void launch_many(unsigned n)
{
    too_early = 0;
    for (unsigned i = 0; i < n; i++) {
        snprintf(flight[i].name, sizeof flight[i].name, ":m%u", i);
        launch(i, flight[i].name, false);
    }
}

static void connect_first(void)
{
    assert_int_equal(pyro_invoke(&ns, "ping", PYRO_NO_ARGS, pyro_to_none()),
                     PYRO_OK);
}

TEST(changes_of_one_round_are_made_durable_by_one_sync)
{
    start();
    connect_first();
    launch_many(3);
    land(3);
    assert_int_equal(flash.syncs, 1);
    restart();
    assert_int_equal(server.stats.names, 4 + 3);
}

TEST(more_changes_than_pending_ones_are_acknowledged_no_earlier)
{
    start();
    connect_first();
    launch_many(IN_FLIGHT);
    land(IN_FLIGHT);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        assert_int_equal(flight[i].err, PYRO_OK);
    restart();
    assert_int_equal(server.stats.names, 4 + IN_FLIGHT);
}

TEST(a_refresh_is_acknowledged_no_earlier_than_what_it_refreshes)
{
    start();
    connect_first();
    too_early = 0;
    launch(0, ":b", false);
    launch(1, ":b", true);
    land(2);
    assert_int_equal(flight[0].err, PYRO_OK);
    assert_int_equal(flight[1].err, PYRO_OK);
}

TEST(a_cut_in_the_middle_of_a_round_keeps_what_was_acknowledged)
{
    unsigned all = 0; /* runs in which power was there long enough */

    for (uint32_t cut = 0; cut < 400; cut++) {
        unsigned acknowledged = 0;

        flash_new();
        start();
        connect_first();
        flash_cut(cut, cut + 1);
        launch_many(6);
        land(6);
        stop();
        flash_mount();
        start();
        for (unsigned i = 0; i < 6; i++)
            if (flight[i].err == PYRO_OK) {
                acknowledged++;
                test_eq(flight[i].name,
                        pyroi_ns_find_live(&server, flight[i].name, 3)
                            < server.room_.n_nodes,
                        1);
            }
        assert_true(acknowledged == 6 || acknowledged == 0);
        if (cut == 0)
            assert_int_equal(acknowledged, 0);
        all += acknowledged == 6;
        stop();
    }
    assert_in_range(all, 100, 200);
}

/* ------------------------------------------------------------------------
 * Power cuts
 * ------------------------------------------------------------------------ */

static void cut_everywhere(uint32_t steps, bool whole, bool pages)
{
    char row[48];

    for (uint32_t cut = 0; cut <= steps; cut++) {
        const change *under_way;

        snprintf(row, sizeof row, "cut at step %u", cut);
        model_clear();
        flash_new();
        flash.whole = whole;
        flash.pages = pages;
        start_row(row);
        flash_cut(cut, cut);
        under_way = make_until_cut(script, PYRO_COUNT(script));
        stop();
        test_eq(row, under_way == NULL, cut == steps);
        flash_mount();
        start_row(row);
        all_known(row, under_way);
        test_eq(row, server.stats.dropped <= 1, 1);
        make(&(change){ REG, ":after", CALC, 0 });
        restart();
        test_eq(row, same(), 1);
        test_eq(row, server.stats.dropped, whole);
        stop();
    }
}

/* How many steps the script takes when nothing is cut. */
static uint32_t script_steps(void)
{
    uint32_t steps;

    model_clear();
    start();
    steps = flash.steps;
    make_until_cut(script, PYRO_COUNT(script));
    stop();
    return flash.steps - steps;
}

TEST(power_may_be_cut_at_every_byte_of_every_change)
{
    cut_everywhere(script_steps(), false, false);
}

TEST(also_where_flash_is_programmed_by_pages)
{
    cut_everywhere(script_steps(), false, true);
}

TEST(also_where_the_blank_end_of_a_sector_cannot_be_told)
{
    cut_everywhere(script_steps(), true, true);
}

/* Then what was deleted is kept, for the other to know. */
TEST(also_of_one_of_a_pair)
{
    config.twin = "PYRO://nobody:7707/" PYRO_NS_NAME;
    config.role = 1;
    cut_everywhere(script_steps(), false, true);
}

/* A journal as a file that ends anywhere: the whole records of it count. */
TEST(a_journal_may_end_at_every_byte)
{
    uint32_t ends[PYRO_COUNT(script) + 1] = { 0 };
    uint8_t  all[4096];
    uint32_t n;

    image_new();
    start();
    for (unsigned i = 0; i < PYRO_COUNT(script); i++) {
        assert_int_equal(ask(&script[i]), PYRO_OK);
        ends[i + 1] = image.n;
    }
    stop();
    n = image.n;
    memcpy(all, image.bytes, n);
    model_clear();
    for (uint32_t at = 0, k = 0; at <= n; at++) {
        image_new();
        memcpy(image.bytes, all, at);
        image.n = at;
        if (k < PYRO_COUNT(script) && at == ends[k + 1])
            model_apply(&script[k++]);
        start();
        all_known("cut", at != ends[k] && script[k].kind == DELGROUP
                             ? &script[k]
                             : NULL);
        if (at == ends[k])
            assert_int_equal(server.stats.dropped, 0);
        assert_true(server.stats.dropped <= 1);
        assert_int_equal(image.replaced, server.stats.dropped);
        stop();
    }
}

/* --- compaction --- */

/* A journal that is replaced after the next change: few names, changed again
 * and again. */
static void fill_to_compact(void)
{
    static const char *const mine[] = { ":p", ":q", ":r" };
    uint8_t                  bytes[256];

    model_clear();
    for (unsigned i = 0; i < 3; i++)
        model_apply(&(change){ REG, mine[i], CALC, 9000 });
    row_of(":q")->meta = "kept";
    for (uint32_t i = 0; flash.end < 2600; i++) {
        uint32_t n = record(bytes, 2 + 2 * i, mine[i % 3], CALC, 9,
                            i % 3 == 1 ? "kept" : NULL);

        assert_true(flash_append(NULL, bytes, n));
    }
    assert_true(flash_append(NULL, NULL, 0));
}

TEST(a_journal_much_longer_than_what_it_says_is_replaced)
{
    fill_to_compact();
    start();
    assert_true(same());
    assert_int_equal(flash.erased, 1); /* was formatted */
    make(&(change){ REG, ":s", CALC, 0 });
    rig_pass(10);
    assert_int_equal(flash.erased, 2);
    assert_int_equal(flash.in, 1);
    assert_int_equal(server.stats.bytes, flash.end - FLASH_HEAD);
    assert_true(server.stats.bytes < 400);
    make(&(change){ UNREG, ":p", NULL, 0 });
    restart();
    assert_true(same());
    assert_int_equal(flash.erased, 2);
}

TEST(a_journal_stays_in_proportion_to_what_it_says)
{
    uint32_t most = 0;

    start();
    make(&(change){ REG, ":keep", CALC, 0 });
    for (unsigned i = 0; i < 300; i++) {
        make(&(change){ REG, ":x", CALC, 0 });
        make(&(change){ UNREG, ":x", NULL, 0 });
        if (flash.end > most)
            most = flash.end;
    }
    assert_in_range(most, 1024, 1024 + 512);
    assert_in_range(flash.erased, 5, 50);
}

TEST(power_may_be_cut_at_every_step_of_a_replacement)
{
    static const change more[] = { { REG, ":s", CALC, 0 },
                                   { UNREG, ":p", NULL, 0 },
                                   { REG, ":t", CALC, 0 } };
    char                row[48];
    bool                all = false;

    for (uint32_t cut = 0; !all && cut < 2000; cut++) {
        const change *under_way;

        snprintf(row, sizeof row, "cut at step %u", cut);
        flash_new();
        fill_to_compact();
        start();
        flash_cut(cut, cut);
        under_way = make_until_cut(more, PYRO_COUNT(more));
        all = under_way == NULL;
        stop();
        if (all)
            assert_int_equal(flash.erased, 2); /* it was cut in this one */
        flash_mount();
        start_row(row);
        all_known(row, under_way);
        make(&(change){ REG, ":u", CALC, 0 });
        restart();
        test_eq(row, same(), 1);
        stop();
    }
    assert_true(all);
}

TEST(power_may_be_cut_again_while_a_torn_record_is_dropped)
{
    char row[48];
    bool done = false;

    for (uint32_t cut = 0; !done && cut < 2000; cut++) {
        snprintf(row, sizeof row, "second cut at step %u", cut);
        flash_new();
        model_clear();
        start();
        make(&script[0]);
        make(&script[1]);
        flash_cut(20, cut);
        assert_int_equal(ask(&script[2]), PYRO_ERR_REMOTE);
        stop();
        flash_mount();
        flash_cut(cut, cut);
        done = try_to_start() == PYRO_OK;
        if (done)
            pyro_ns_stop(&server);
        node_close(1);
        flash_mount();
        start_row(row);
        all_known(row, NULL);
        stop();
    }
    assert_true(done);
}

TEST(a_replacement_that_fails_costs_nothing)
{
    fill_to_compact();
    start();
    flash.fail_replace = 2; /* of the pieces */
    make(&(change){ REG, ":s", CALC, 0 });
    rig_pass(10);
    assert_int_equal(flash.in, 0);
    make(&(change){ REG, ":t", CALC, 0 });
    restart();
    assert_true(same());
}

/* ------------------------------------------------------------------------
 * Storage that fails
 * ------------------------------------------------------------------------ */

static void fails_saying(const change *c, const char *text)
{
    test_eq(c->name, ask(c), PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&ns)->type, "NamingError");
    assert_string_equal(pyro_exception(&ns)->message, text);
}

TEST(a_change_that_cannot_be_written_is_an_error_and_is_not_made)
{
    start();
    make(&script[0]);
    flash.fail_append = flash.fail_replace = 0;
    fails_saying(&script[1], "the storage failed");
    assert_true(same());
    fails_saying(&(change){ DELGROUP, ":lab", NULL, 0 }, "the storage failed");
    assert_true(same());
    stop();
    flash_mount();
    start();
    assert_true(same());
}

TEST(changes_can_be_made_again_when_the_storage_has_recovered)
{
    start();
    make(&script[0]);
    flash.fail_append = flash.fail_replace = 0;
    fails_saying(&script[1], "the storage failed");
    flash.fail_append = flash.fail_replace = flash_never;
    make(&script[1]);
    restart();
    assert_true(same());
}

/* A disk that stays full must not end all leases. */
TEST(what_is_durable_can_be_refreshed_while_the_storage_fails)
{
    start();
    make(&(change){ REG, ":b", CALC, 3000 });
    flash.fail_append = flash.fail_sync = flash.fail_replace = 0;
    fails_saying(&(change){ REG, ":c", CALC, 0 }, "the storage failed");
    for (unsigned i = 0; i < 3; i++) {
        rig_pass(2000);
        assert_int_equal(pyro_invoke(&ns, "register",
                                     PYRO_ARGS(pyro_str(":b"), pyro_str(CALC),
                                               pyro_int(3000),
                                               pyro_bool(true)),
                                     pyro_to_none()),
                         PYRO_OK);
    }
    assert_int_equal(server.stats.expired, 0);
    assert_true(same());
}

TEST(leases_that_end_while_the_storage_fails_cost_one_try)
{
    start();
    for (unsigned i = 0; i < 20; i++) {
        static char many[20][8];

        snprintf(many[i], sizeof many[i], ":m%u", i % 100);
        make(&(change){ REG, many[i], CALC, 3000 });
    }
    flash.fail_append = flash.fail_replace = 0;
    flash.replaces = 0;
    rig_pass(4000);
    assert_int_equal(server.stats.expired, 20);
    assert_in_range(flash.replaces, 1, 5);
}

/* They count up and never wrap: what is newer must stay so. */
TEST(the_last_version_there_is_ends_changes_with_an_error)
{
    image_new();
    image_record(0xFFFFFFFA, ":a", CALC);
    start();
    assert_int_equal(ask(&(change){ REG, ":b", CALC, 0 }), PYRO_OK);
    assert_int_equal(ask(&(change){ REG, ":c", CALC, 0 }), PYRO_OK);
    assert_int_equal(server.version_, 0xFFFFFFFE);
    check_names();
    fails_saying(&(change){ REG, ":d", CALC, 0 }, "out of versions");
    fails_saying(&(change){ UNREG, ":a", NULL, 0 }, "out of versions");
    check_names();
    restart();
    check_names();
}

TEST(a_oneway_change_is_made_durable_too)
{
    start();
    connect_first();
    assert_int_equal(pyro_oneway(&ns, "register",
                                 PYRO_ARGS(pyro_str(":b"), pyro_str(CALC))),
                     PYRO_OK);
    rig_pass(5);
    assert_int_equal(flash.syncs, 1);
    assert_int_equal(flash.unsynced, 0);
    model_apply(&(change){ REG, ":b", CALC, 0 });
    assert_true(same());
}

TEST(a_groups_deletion_that_fails_on_the_way_leaves_no_name_without_group)
{
    static const change nested[] = { { GROUP, ":g.h", NULL, 0 },
                                     { REG, ":g.h.x", CALC, 0 },
                                     { GROUP, ":g.h.i", NULL, 0 },
                                     { REG, ":g.h.i.y", CALC, 0 },
                                     { REG, ":g.z", CALC, 0 } };

    for (uint32_t fails = 0; fails < 7; fails++) {
        flash_new();
        model_clear();
        start();
        make(&(change){ REG, ":keep", CALC, 0 });
        make(&(change){ GROUP, ":g", NULL, 0 });
        for (unsigned i = 0; i < PYRO_COUNT(nested); i++)
            make(&nested[i]);
        flash.fail_append = fails;
        flash.fail_replace = 0;
        assert_int_equal(ask(&(change){ DELGROUP, ":g", NULL, 0 }) == PYRO_OK,
                         fails == 6);
        check_names();
        flash.fail_append = flash.fail_replace = flash_never;
        if (fails < 6)
            assert_int_equal(ask(&(change){ DELGROUP, ":g", NULL, 0 }),
                             PYRO_OK);
        model_apply(&(change){ DELGROUP, ":g", NULL, 0 });
        assert_true(same());
        restart();
        assert_true(same());
        stop();
    }
}

/* Nothing is broken: there are dead records enough to make room. */
TEST(a_journal_that_is_full_is_replaced)
{
    flash.size = 1024;
    flash_mount();
    start();
    model_clear();
    for (unsigned i = 0; i < 60; i++) {
        make(&(change){ REG, ":x", CALC, 0 });
        make(&(change){ UNREG, ":x", NULL, 0 });
    }
    make(&(change){ REG, ":y", CALC, 0 });
    restart();
    assert_true(same());
}

/* A second try, a refresh, must not find it and say yes. */
TEST(what_could_not_be_synced_is_never_acknowledged)
{
    start();
    connect_first();
    flash.fail_sync = flash.fail_replace = 0;
    fails_saying(&(change){ REG, ":b", CALC, 0 }, "the storage failed");
    too_early = 0;
    launch(0, ":b", true);
    land(1);
    assert_int_equal(flight[0].err, PYRO_ERR_REMOTE);
    assert_string_equal(pyro_exception(&ns)->message, "the storage failed");
    flash.fail_sync = flash.fail_replace = flash_never;
    launch(0, ":b", true);
    land(1);
    assert_int_equal(flight[0].err, PYRO_OK);
    assert_int_equal(flash.unsynced, 0);
    model_apply(&(change){ REG, ":b", CALC, 0 });
    restart();
    assert_true(same());
}

TEST(a_round_whose_sync_fails_fails_as_a_whole)
{
    start();
    connect_first();
    flash.fail_sync = flash.fail_replace = 0;
    launch_many(IN_FLIGHT);
    land(IN_FLIGHT);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        assert_int_equal(flight[i].err, PYRO_ERR_REMOTE);
}

/* ------------------------------------------------------------------------
 * Starting
 * ------------------------------------------------------------------------ */

TEST(leases_begin_anew_at_a_start)
{
    int32_t     row[2] = { 0, 0 };
    pyro_blob   blob = { row, sizeof row, 0 };
    pyro_reader in;

    start();
    make(&(change){ REG, ":b", CALC, 5000 });
    make(&(change){ REG, ":c", CALC, 2000 });
    rig_pass(4000);
    assert_int_equal(server.stats.expired, 1);
    model[1].name = NULL;
    assert_true(same());
    restart();
    assert_true(same());
    assert_int_equal(pyro_invoke(&ns, "getSystemMeta",
                                 PYRO_ARGS(pyro_str(":b")),
                                 pyro_to_raw(&blob)),
                     PYRO_OK);
    in = pyro_reader_of(row, blob.used);
    assert_int_equal(pyro_get_list(&in, 2), 2);
    assert_int_equal(pyro_get_i32(&in), 1);
    assert_true(pyro_get_i32(&in) > 4900);
    rig_pass(5100);
    assert_int_equal(server.stats.expired, 1);
    assert_int_equal(server.stats.names, 4);
}

TEST(too_few_names_or_bytes_are_an_error_that_names_the_record)
{
    pyro_ns_room room = PYRO_NS_ROOM_OF(names);

    image_new();
    image_record(2, ":a", CALC);
    image_record(4, ":b", CALC);
    image_record(6, ":c", CALC);
    node_open(1, 8);
    room.n_nodes = 3; /* the root and two more */
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d, room, &config),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.n[1].d.why.is, 3);
    room.n_nodes = 4 + 2; /* enough for the journal alone */
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d, room, &config),
                     PYRO_ERR_NOSPACE);
    room.n_nodes = 4 + 3;
    room.n_bytes = 70;
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d, room, &config),
                     PYRO_ERR_NOSPACE);
    assert_int_equal(rig.n[1].d.why.is, 3);
    stop();
    assert_int_equal(image.replaced, 0);
    start();
    assert_int_equal(server.stats.names, 4 + 3);
}

static void three(void)
{
    image_new();
    model_clear();
    for (unsigned i = 0; i < 3; i++) {
        static const char *const mine[] = { ":a", ":b", ":c" };

        image_record(2 + 2 * i, mine[i], CALC);
        model_apply(&(change){ REG, mine[i], CALC, 0 });
    }
}

TEST(a_journal_that_cannot_be_read_is_an_error_and_stays_as_it_is)
{
    for (unsigned salvage = 0; salvage < 2; salvage++) {
        three();
        config.salvage = salvage != 0;
        for (image.bad_at = 0; image.bad_at < image.n; image.bad_at += 7) {
            image.unreadable = true;
            refuses("unreadable", PYRO_ERR_DAEMON, 0);
            assert_int_equal(image.replaced, 0);
        }
        image.unreadable = false;
        start();
        assert_true(same());
        stop();
    }
}

TEST(a_blank_end_is_passed_over)
{
    for (unsigned fill = 0; fill <= 0xFF; fill += 0xFF)
        for (uint32_t n = 1; n < 700; n += 1 + n / 20) {
            three();
            memset(image.bytes + image.n, (int)fill, n);
            image.n += n;
            start();
            assert_true(same());
            assert_true(server.stats.dropped <= 1);
            make(&(change){ REG, ":d", CALC, 0 });
            restart();
            assert_true(same());
            assert_int_equal(server.stats.dropped, 0);
            stop();
        }
}

/* A file that grew before all its bytes came. */
TEST(a_record_that_is_blank_from_some_byte_on_is_torn)
{
    for (unsigned fill = 0; fill <= 0xFF; fill += 0xFF)
        for (uint32_t cut = 0; cut < 44; cut++)
            for (uint32_t more = 0; more < 600; more += 299) {
                uint32_t end;

                three();
                end = image.n;
                image_record(8, ":torn", CALC);
                assert_true(image.n - end > 44);
                memset(image.bytes + end + cut, (int)fill,
                       image.n - end - cut + more);
                image.n += more;
                start();
                assert_true(same());
                assert_int_equal(server.stats.dropped, 1);
                stop();
            }
}

/* --- damage --- */

TEST(damage_in_the_middle_is_an_error_that_names_the_record)
{
    uint32_t n;

    three();
    n = image.n / 3;
    for (uint32_t at = 0; at < 2 * n; at++)
        for (unsigned how = 0; how < 3; how++) {
            static const uint8_t flips[] = { 0x01, 0x80, 0xFF };

            image.bytes[at] ^= flips[how];
            refuses("damaged", PYRO_ERR_DATA, at / n + 1);
            image.bytes[at] ^= flips[how];
        }
    assert_int_equal(image.replaced, 0);
    start();
    assert_true(same());
}

TEST(damage_in_the_last_record_drops_it)
{
    uint32_t n = 1;

    for (uint32_t at = 0; at < n; at++) {
        three();
        n = image.n / 3;
        image.bytes[2 * n + at] ^= 0x10;
        row_of(":c")->name = NULL;
        start();
        assert_true(same());
        assert_int_equal(server.stats.dropped, 1);
        assert_int_equal(image.replaced, 1);
        restart();
        assert_true(same());
        assert_int_equal(server.stats.dropped, 0);
        stop();
    }
}

TEST(salvage_keeps_the_rest)
{
    static const char *const mine[] = { ":a", ":b", ":c" };

    uint32_t n = 1;

    for (uint32_t at = 0; at < 2 * n; at++)
        for (unsigned how = 0; how < 2; how++) {
            three();
            n = image.n / 3;
            image.bytes[at] ^= how ? 0xFF : 0x04;
            config.salvage = true;
            row_of(mine[at / n])->name = NULL;
            start();
            assert_true(same());
            assert_int_equal(server.stats.dropped, 1);
            stop();
            config.salvage = false;
            start();
            assert_true(same());
            stop();
        }
}

TEST(salvage_keeps_what_lies_between_several_damages)
{
    image_new();
    model_clear();
    config.salvage = true;
    image_record(2, ":a", CALC);
    image.bytes[image.n - 9] ^= 1;
    image_record(4, ":b", CALC);
    model_apply(&(change){ REG, ":b", CALC, 0 });
    memset(image.bytes + image.n, 0xFF, 1000);
    image.n += 1000;
    image_record(6, ":c", CALC);
    model_apply(&(change){ REG, ":c", CALC, 0 });
    memset(image.bytes + image.n, 0x55, 100);
    image.n += 100;
    start();
    assert_true(same());
    assert_int_equal(server.stats.dropped, 3);
    assert_int_equal(image.replaced, 1);
}

/* It was what the damaged record had made. */
TEST(a_group_that_was_lost_is_made_again_for_what_is_in_it)
{
    image_new();
    image_record(2, ":lab", "");
    image.bytes[image.n - 9] ^= 1;
    image_record(4, ":lab.a.b", CALC);
    config.salvage = true;
    start();
    check_names();
    assert_int_equal(server.stats.names, 4 + 3);
    stop();
    config.salvage = false;
    start();
    assert_int_equal(server.stats.names, 4 + 3);
}

TEST(a_group_that_cannot_be_made_again_for_lack_of_room_is_an_error)
{
    pyro_ns_room room = PYRO_NS_ROOM_OF(names);

    image_new();
    image_record(4, ":lab.a", CALC);
    node_open(1, 8);
    room.n_nodes = 4 + 1;
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d, room, &config),
                     PYRO_ERR_NOSPACE);
    room.n_nodes = 4 + 2;
    assert_int_equal(pyro_ns_serve(&server, &rig.n[1].d, room, &config),
                     PYRO_OK);
    check_names();
    pyro_ns_stop(&server);
}

TEST(another_default_group_leaves_the_names_of_the_old_one_where_they_are)
{
    start();
    make(&(change){ REG, ":Default.a", CALC, 0 });
    stop();
    config.group = ":other";
    start();
    check_names();
    assert_int_equal(ask(&(change){ REG, ":Default.b", CALC, 0 }), PYRO_OK);
    restart();
    assert_int_equal(server.stats.names, 4 + 3);
}

/* Whole records that say what cannot be. */
TEST(a_record_that_says_nonsense_is_damage)
{
    static const struct {
        const char *row;
        const char *name;
        const char *uri;
        uint32_t    version;
    } rows[] = {
        { "no name", "", CALC, 2 },
        { "the root", ":", "", 2 },
        { "a relative name", "calc", CALC, 2 },
        { "a part is missing", ":a..b", CALC, 2 },
        { "no character for a name", ":a b", CALC, 2 },
        { "a name too long",
          ":0123456789012345678901234567890123456789012345678901234567890123",
          CALC, 2 },
        { "no URI", ":a", "calc", 2 },
        { "no version", ":a", CALC, 0 },
        { "a version of what is built in", ":a", CALC, 1 },
        { "the server's own name", PYRO_NS_NAME, CALC, 2 },
        { "the server's own name is gone", PYRO_NS_NAME, NULL, 2 },
    };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        image_new();
        image_record(2, ":x", CALC);
        image_record(rows[i].version, rows[i].name, rows[i].uri);
        image_record(4, ":y", CALC);
        refuses(rows[i].row, PYRO_ERR_DATA, 2);
    }
}

TEST(a_record_that_cannot_be_told_is_no_torn_one_though_it_is_the_last)
{
    static const char long_name[] =
        ":0123456789012345678901234567890123456789012345678901234567890123";

    image_new();
    image_record(2, ":x", CALC);
    image_record(4, long_name, CALC);
    refuses("written by a server for longer names", PYRO_ERR_DATA, 2);
    config.salvage = true;
    start();
    assert_int_equal(server.stats.dropped, 1);
    assert_int_equal(server.stats.names, 4 + 1);
}

/* Under another configuration it was a group like others. */
TEST(the_default_group_may_have_been_deleted_before_it_was_that)
{
    image_new();
    image_record(2, ":lab", "");
    image_record(4, ":lab.a", CALC);
    image_record(6, ":lab.a", NULL);
    image_record(8, ":lab", NULL);
    image_record(10, ":Pyro", NULL);
    config.group = ":lab";
    start();
    assert_int_equal(server.stats.names, 4);
    assert_int_equal(ask(&(change){ REG, "a", CALC, 0 }), PYRO_OK);
    restart();
    assert_int_equal(server.stats.names, 4 + 1);
}

TEST(the_default_group_cannot_be_an_object_of_the_journal)
{
    image_new();
    image_record(2, ":lab", CALC);
    config.group = ":lab";
    refuses("an object", PYRO_ERR_NAMING, 0);
}

/* Seconds would do for a million of reads. */
TEST(damage_of_any_length_costs_time_in_proportion)
{
    image_new();
    model_clear();
    image_record(2, ":a", CALC);
    model_apply(&(change){ REG, ":a", CALC, 0 });
    image.n += 100000; /* zero bytes */
    memset(image.bytes + image.n, 0xFF, 100000);
    image.n += 100000;
    image_record(4, ":b", CALC);
    model_apply(&(change){ REG, ":b", CALC, 0 });
    refuses("long damage", PYRO_ERR_DATA, 2);
    config.salvage = true;
    image.reads = 0;
    start();
    assert_true(same());
    assert_true(image.reads < 1000000);
}

/* ------------------------------------------------------------------------ */

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(a_change_is_one_record_as_the_manual_has_it),
        T(a_refresh_is_not_written),
        T(a_lease_that_becomes_another_is_that_after_a_restart),
        T(what_fails_is_not_written),
        T(changes_of_one_round_are_made_durable_by_one_sync),
        T(more_changes_than_pending_ones_are_acknowledged_no_earlier),
        T(a_refresh_is_acknowledged_no_earlier_than_what_it_refreshes),
        T(a_cut_in_the_middle_of_a_round_keeps_what_was_acknowledged),
        T(power_may_be_cut_at_every_byte_of_every_change),
        T(also_where_flash_is_programmed_by_pages),
        T(also_where_the_blank_end_of_a_sector_cannot_be_told),
        T(also_of_one_of_a_pair),
        T(a_journal_may_end_at_every_byte),
        T(a_journal_much_longer_than_what_it_says_is_replaced),
        T(a_journal_stays_in_proportion_to_what_it_says),
        T(power_may_be_cut_at_every_step_of_a_replacement),
        T(power_may_be_cut_again_while_a_torn_record_is_dropped),
        T(a_replacement_that_fails_costs_nothing),
        T(a_change_that_cannot_be_written_is_an_error_and_is_not_made),
        T(changes_can_be_made_again_when_the_storage_has_recovered),
        T(what_is_durable_can_be_refreshed_while_the_storage_fails),
        T(leases_that_end_while_the_storage_fails_cost_one_try),
        T(the_last_version_there_is_ends_changes_with_an_error),
        T(a_oneway_change_is_made_durable_too),
        T(a_groups_deletion_that_fails_on_the_way_leaves_no_name_without_group),
        T(a_journal_that_is_full_is_replaced),
        T(what_could_not_be_synced_is_never_acknowledged),
        T(a_round_whose_sync_fails_fails_as_a_whole),
        T(leases_begin_anew_at_a_start),
        T(too_few_names_or_bytes_are_an_error_that_names_the_record),
        T(a_journal_that_cannot_be_read_is_an_error_and_stays_as_it_is),
        T(a_blank_end_is_passed_over),
        T(a_record_that_is_blank_from_some_byte_on_is_torn),
        T(damage_in_the_middle_is_an_error_that_names_the_record),
        T(damage_in_the_last_record_drops_it),
        T(salvage_keeps_the_rest),
        T(salvage_keeps_what_lies_between_several_damages),
        T(a_group_that_was_lost_is_made_again_for_what_is_in_it),
        T(a_group_that_cannot_be_made_again_for_lack_of_room_is_an_error),
        T(another_default_group_leaves_the_names_of_the_old_one_where_they_are),
        T(a_record_that_says_nonsense_is_damage),
        T(a_record_that_cannot_be_told_is_no_torn_one_though_it_is_the_last),
        T(the_default_group_may_have_been_deleted_before_it_was_that),
        T(the_default_group_cannot_be_an_object_of_the_journal),
        T(damage_of_any_length_costs_time_in_proportion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
