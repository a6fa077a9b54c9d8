/* What poll does: timers, watched handles, rings, its bounds, what it gathers
 * and holds back, several ports, and the end of it all. */
#include "link_rig.h"

/* ------------------------------------------------------------------------
 * Timers
 * ------------------------------------------------------------------------ */

static struct ticks {
    pyro_timer  timer;
    char        name;
    uint32_t    again; /* set anew after so many ms; PYRO_MAX_MS: not */
    pyro_timer *stops;
    uint32_t    n;
} ticks[5];

static char ticked[64];

static void tick(void *user, pyro_daemon *node)
{
    struct ticks *t = (struct ticks *)user;
    size_t        n = strlen(ticked);

    check(node);
    t->n++;
    if (n + 1 < sizeof ticked) {
        ticked[n] = t->name;
        ticked[n + 1] = '\0';
    }
    if (t->stops != NULL)
        pyro_timer_stop(node, t->stops);
    if (t->again != PYRO_MAX_MS)
        pyro_timer_set(node, &t->timer, t->again);
}

static void set_up_timers(void)
{
    size_t i;

    ticked[0] = '\0';
    memset(ticks, 0, sizeof ticks);
    for (i = 0; i < PYRO_COUNT(ticks); i++) {
        ticks[i].timer.fn = tick;
        ticks[i].timer.user = &ticks[i];
        ticks[i].name = (char)('a' + i);
        ticks[i].again = PYRO_MAX_MS;
    }
    open_a();
    poll_of(&rig.a);
}

/* ms later, what has run? */
static void ticked_after(uint32_t ms, const char *names)
{
    loop_advance(&rig.net, ms);
    poll_of(&rig.a);
    assert_string_equal(ticked, names);
}

TEST(timers_run_once_each_in_the_order_they_are_due)
{
    set_up_timers();
    pyro_timer_set(&rig.a, &ticks[0].timer, 300);
    pyro_timer_set(&rig.a, &ticks[1].timer, 100);
    pyro_timer_set(&rig.a, &ticks[2].timer, 200);
    pyro_timer_set(&rig.a, &ticks[3].timer, 100);
    ticked_after(0, "");
    ticked_after(99, "");
    ticked_after(1, "bd");
    ticked_after(0, "bd");
    ticked_after(500, "bdca");
    ticked_after(5000, "bdca");
}

TEST(a_timer_stopped_or_set_anew_does_not_run_at_its_old_time)
{
    set_up_timers();
    pyro_timer_stop(&rig.a, &ticks[0].timer);
    pyro_timer_set(&rig.a, &ticks[0].timer, 100);
    pyro_timer_set(&rig.a, &ticks[1].timer, 100);
    pyro_timer_set(&rig.a, &ticks[2].timer, 100);
    pyro_timer_stop(&rig.a, &ticks[1].timer);
    pyro_timer_set(&rig.a, &ticks[2].timer, 200);
    ticked_after(100, "a");
    ticked_after(99, "a");
    ticked_after(1, "ac");
}

TEST(a_timer_may_stop_one_that_is_due_as_well)
{
    set_up_timers();
    ticks[0].stops = &ticks[1].timer;
    pyro_timer_set(&rig.a, &ticks[0].timer, 100);
    pyro_timer_set(&rig.a, &ticks[1].timer, 100);
    pyro_timer_set(&rig.a, &ticks[2].timer, 100);
    ticked_after(150, "ac");
}

TEST(a_timer_may_set_itself_again)
{
    set_up_timers();
    ticks[0].again = 100;
    pyro_timer_set(&rig.a, &ticks[0].timer, 100);
    ticked_after(100, "a");
    ticked_after(99, "a");
    ticked_after(1, "aa");
    ticked_after(1000, "aaa");
}

TEST(a_timer_that_is_due_at_once_does_not_keep_poll_from_ending)
{
    set_up_timers();
    ticks[0].again = 0;
    ticks[1].again = 0;
    pyro_timer_set(&rig.a, &ticks[0].timer, 0);
    pyro_timer_set(&rig.a, &ticks[1].timer, 0);
    poll_of(&rig.a);
    assert_in_range(ticks[0].n + ticks[1].n, 2, PYRO_POLL_FRAMES);
    test_eq("fair", ticks[0].n, ticks[1].n);
    test_eq("and runs again", pyro_next_ms(&rig.a), 0);
    raw_works("links", raw_client());
}

TEST(poll_waits_until_the_first_timer_and_no_longer)
{
    uint32_t start;

    rig.net.clock = LOOP_CLOCK_RUNS;
    set_up_timers();
    start = rig.net.clock_ms;
    pyro_timer_set(&rig.a, &ticks[0].timer, 5000);
    pyro_timer_set(&rig.a, &ticks[1].timer, 700);
    pyro_poll(&rig.a, 100);
    test_eq("as asked", rig.net.clock_ms - start, 100);
    pyro_poll(&rig.a, -1);
    test_eq("first", rig.net.clock_ms - start, 700);
    pyro_poll(&rig.a, 60000);
    test_eq("second", rig.net.clock_ms - start, 5000);
    assert_string_equal(ticked, "ba");
    test_eq("for ever", rig.net.forever, 0);
}

TEST(a_timer_may_be_days_away)
{
    set_up_timers();
    pyro_timer_set(&rig.a, &ticks[0].timer, PYRO_MAX_MS);
    pyro_timer_set(&rig.a, &ticks[1].timer, 10);
    ticked_after(10, "b");
    ticked_after(PYRO_MAX_MS - 11, "b");
    ticked_after(1, "ba");
}

/* ------------------------------------------------------------------------
 * Watched handles, wake, rings
 * ------------------------------------------------------------------------ */

static struct watching {
    pyro_watched watched;
    unsigned     ready; /* or-ed */
    int          n;
    int32_t      take; /* the handle to read from, or 0 */
    bool         stop;
} watching;

static void seen(void *user, pyro_daemon *node, unsigned ready)
{
    struct watching *w = (struct watching *)user;
    uint8_t          bytes[16];

    check(node);
    w->n++;
    w->ready |= ready;
    if (w->take != 0)
        loop_take(&rig.net, w->take, bytes, sizeof bytes);
    if (w->stop)
        pyro_unwatch(node, &w->watched);
}

static void watch(int32_t handle, unsigned want)
{
    memset(&watching, 0, sizeof watching);
    watching.watched.fn = seen;
    watching.watched.user = &watching;
    pyro_watch(&rig.a, &watching.watched, &rig.port_a, handle, want);
}

TEST(a_watched_handle_is_reported_when_it_is_ready)
{
    int32_t ends[2];

    open_a();
    loop_pair(&rig.net, ends);
    watch(ends[0], PYRO_IN);
    poll_of(&rig.a);
    test_eq("not ready", watching.n, 0);
    raw_feed(ends[1], "x", 1);
    pyro_yield(&rig.a);
    test_eq("not in yield", watching.n, 0);
    watching.take = ends[0];
    poll_of(&rig.a);
    poll_of(&rig.a);
    test_eq("ready once", watching.n, 1);
    test_eq("ready", watching.ready, PYRO_IN);
    pyro_unwatch(&rig.a, &watching.watched);
    raw_feed(ends[1], "x", 1);
    poll_of(&rig.a);
    test_eq("no more", watching.n, 1);
}

TEST(a_watched_handle_may_be_taken_off_by_its_callback)
{
    int32_t ends[2];

    open_a();
    loop_pair(&rig.net, ends);
    watch(ends[0], PYRO_IN | PYRO_OUT);
    watching.stop = true;
    poll_of(&rig.a);
    poll_of(&rig.a);
    test_eq("once", watching.n, 1);
    test_eq("ready", watching.ready, PYRO_OUT);
    raw_works("links", raw_client());
}

static void wake_a(void *user, const pyro_port *port, pyro_item *list,
                   int32_t ms)
{
    (void)user;
    (void)port;
    (void)list;
    if (ms != 0)
        pyro_wake(&rig.a);
}

TEST(a_wait_is_ended_by_wake)
{
    open_a();
    pyro_wake(&rig.a); /* before it was opened: nothing */
    assert_int_equal(pyro_wake_open(&rig.a), PYRO_OK);
    assert_int_equal(pyro_wake_open(&rig.a), PYRO_OK);
    rig.net.on_wait = wake_a;
    test_eq("poll", pyro_poll(&rig.a, -1), PYRO_OK);
    test_eq("poll", pyro_poll(&rig.a, -1), PYRO_OK);
    rig.net.on_wait = NULL;
    poll_of(&rig.a);
    rig.net.clock = LOOP_CLOCK_RUNS;
    pyro_poll(&rig.a, 50);
    test_eq("nothing left over", rig.net.clock_ms - rig_clock, 50);
}

static uintptr_t  posted[600];
static unsigned   n_posted;
static pyro_ring *post_again;

static void take_post(void *user, uintptr_t value)
{
    assert_ptr_equal(user, &n_posted);
    if (n_posted < PYRO_COUNT(posted))
        posted[n_posted++] = value;
    if (post_again != NULL)
        pyro_post(post_again, value + 1);
}

static void add_ring(pyro_ring *ring, uintptr_t *values, unsigned size)
{
    memset(ring, 0, sizeof *ring);
    n_posted = 0;
    post_again = NULL;
    ring->fn = take_post;
    ring->user = &n_posted;
    ring->values = values;
    ring->size = (uint8_t)size;
    pyro_ring_add(&rig.a, ring);
}

TEST(values_posted_arrive_in_order_at_every_size_of_a_ring)
{
    static pyro_ring ring;
    uintptr_t        values[255];
    unsigned         size;
    uintptr_t        i;

    open_a();
    for (size = 2; size <= 255; size += size < 10 ? 1 : 49) {
        uintptr_t next = 0;
        int       round;

        add_ring(&ring, values, size);
        for (round = 0; round < 4; round++) {
            unsigned n = n_posted = 0;

            for (i = 0; i + 1 < size; i++, n++)
                assert_true(pyro_post(&ring, next + i));
            poll_of(&rig.a);
            test_eq("all", n_posted, n);
            for (i = 0; i < n; i++)
                test_eq("value", posted[i], next + i);
            next += n;
        }
        test_eq("lost", ring.lost, 0);
        pyro_ring_drop(&rig.a, &ring);
    }
}

TEST(values_that_find_a_ring_full_are_counted)
{
    static pyro_ring ring;
    uintptr_t        values[4];
    unsigned         i;

    open_a();
    add_ring(&ring, values, 4);
    for (i = 0; i < 3; i++)
        assert_true(pyro_post(&ring, i));
    for (i = 0; i < 300; i++) {
        assert_false(pyro_post(&ring, 99));
        test_eq("lost", ring.lost, i < 255 ? i + 1 : 255);
    }
    poll_of(&rig.a);
    test_eq("came", n_posted, 3);
    test_eq("last", posted[2], 2);
    assert_true(pyro_post(&ring, 4));
    pyro_ring_drop(&rig.a, &ring);
}

TEST(a_ring_that_is_filled_while_it_is_drained_does_not_hold_poll_up)
{
    static pyro_ring ring;
    uintptr_t        values[8];

    open_a();
    add_ring(&ring, values, 8);
    post_again = &ring;
    pyro_post(&ring, 1);
    poll_of(&rig.a);
    assert_in_range(n_posted, 1, 8);
    pyro_ring_drop(&rig.a, &ring);
}

/* ------------------------------------------------------------------------
 * Bounds
 * ------------------------------------------------------------------------ */

static uint32_t port_calls(void)
{
    const struct loop_calls *c = &rig.net.calls;

    return c->send + c->recv + c->accept + c->wait + c->close;
}

static uint32_t bytes_in;

static void count_in(void *user, bool out, pyro_link link, const void *data,
                     uint32_t n)
{
    (void)user;
    (void)link;
    (void)data;
    bytes_in += out ? 0 : n;
}

/* Three connections and a pipe, each with more of these frames waiting than a
 * poll works off. */
static void flood(const char *row, const uint8_t *frame, uint32_t size,
                  int handlers)
{
    int32_t raw[4];
    int     i;
    int     polls = 0;

    rig.net.more = true;
    rig.conf_a.trace = count_in;
    set_up_timers();
    for (i = 0; i < 3; i++)
        raw[i] = raw_client();
    raw[3] = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_greet(raw[3]);
    for (i = 0; i < 400; i++)
        raw_feed(raw[i / 100], frame, size);
    for (bytes_in = 0; bytes_in < 400 * size && polls < 100; polls++) {
        int      ran = rig.calc.ran;
        uint32_t bytes = bytes_in;
        uint32_t calls = port_calls();

        ticked[0] = '\0';
        pyro_timer_set(&rig.a, &ticks[0].timer, 0);
        poll_of(&rig.a);
        assert_in_range(bytes_in - bytes, size, PYRO_POLL_FRAMES * size);
        assert_in_range(rig.calc.ran - ran, 0, PYRO_POLL_FRAMES);
        assert_in_range(port_calls() - calls, 1, 3 * PYRO_POLL_FRAMES);
        assert_string_equal(ticked, "a");
        for (i = 0; i < 4; i++)
            raw_take(raw[i]);
    }
    test_eq(row, bytes_in, 400 * size);
    test_eq(row, rig.calc.ran, handlers);
    assert_in_range(polls, 400 / PYRO_POLL_FRAMES, 100);
}

TEST(a_poll_works_off_a_bounded_number_of_frames_and_runs_timers)
{
    static const struct {
        const char *row;
        unsigned    type;
        unsigned    flags;
        const char *body;
        int         handlers;
    } rows[] = {
        { "oneway calls", INVOKE, F_ONEWAY, CALC_NOTE_7, 400 },
        { "calls", INVOKE, 0, CALC_ADD_2_3, 400 },
        { "calls of nobody", INVOKE, 0, "94 a4 'none' a1 'x' 90 80", 0 },
        { "malformed calls", INVOKE, 0, "94 c1 c1 c1 c1", 0 },
        { "questions", PING, 0, "", 0 },
        { "replies nobody asked for", RESULT, 0, "05", 0 },
    };
    uint8_t frame[64];
    size_t  i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        rig_setup(NULL);
        flood(rows[i].row, frame,
              raw_frame_of(frame, rows[i].type, rows[i].flags, 1,
                           rows[i].body),
              rows[i].handlers);
        rig_teardown(NULL);
    }
    rig_setup(NULL);
}

/* No link waits for another to have sent all it has. */
TEST(links_take_turns)
{
    int32_t flood;
    int32_t raw;
    int     j;

    rig.net.more = true;
    open_a();
    flood = raw_client();
    raw = raw_client();
    for (j = 0; j < 150; j++)
        raw_send(flood, INVOKE, F_ONEWAY, 0, CALC_NOTE_7);
    raw_send(raw, INVOKE, 0, 1, CALC_ADD_2_3);
    poll_of(&rig.a);
    test_eq("answered in the first poll", loop_pending(&rig.net, raw), 9);
    assert_true(rig.calc.notes < 150);
}

TEST(work_left_over_makes_the_next_poll_not_wait)
{
    int32_t raw;
    int     j;

    rig.net.more = true;
    rig.net.clock = LOOP_CLOCK_RUNS;
    open_a();
    raw = raw_client();
    for (j = 0; j < 150; j++)
        raw_send(raw, INVOKE, F_ONEWAY, 0, CALC_NOTE_7);
    pyro_poll(&rig.a, 1000);
    test_eq("now", pyro_next_ms(&rig.a), 0);
    pyro_poll(&rig.a, 1000);
    pyro_poll(&rig.a, 1000);
    test_eq("all came", rig.calc.notes, 150);
    test_eq("time", rig.net.clock_ms, rig_clock);
}

TEST(a_body_that_is_skipped_is_no_more_work_than_others)
{
    static uint8_t frame[4096];
    uint8_t        body[4000] = { 0x94 };
    int32_t        raw;
    uint32_t       calls;
    int            polls;

    rig.net.more = true;
    open_a();
    raw = raw_client();
    raw_feed(raw, frame,
             raw_frame(frame, INVOKE, F_ONEWAY, 0, body, sizeof body));
    for (polls = 0; loop_pending(&rig.net, raw) == 0 && polls < 9; polls++) {
        calls = port_calls();
        poll_of(&rig.a);
        assert_in_range(port_calls() - calls, 1, 4 * PYRO_POLL_FRAMES);
    }
    raw_works("link", raw);
}

static PYRO_ROOM(30, 4, 128, 4) crowd_room;

TEST(a_poll_accepts_a_bounded_number_of_connections)
{
    int      i;
    uint32_t before;

    open_a_in(PYRO_ROOM_OF(crowd_room));
    listen_a();
    for (i = 0; i < 20; i++)
        loop_connect(&rig.port_raw, "board:7766");
    before = rig.net.calls.accept;
    poll_of(&rig.a);
    assert_in_range(rig.net.calls.accept - before, 1, PYRO_POLL_ACCEPTS);
    test_eq("links", rig.a.n_links_, PYRO_POLL_ACCEPTS);
    settle();
    for (i = 0; i < 3; i++)
        poll_of(&rig.a);
    test_eq("links", rig.a.n_links_, 20);
}

TEST(each_listener_accepts_a_bounded_number_and_none_waits_for_another)
{
    uint32_t before;
    int      i;

    open_a_in(PYRO_ROOM_OF(crowd_room));
    listen_a();
    assert_int_equal(pyro_listen(&rig.a, &rig.port_a, "*:7767"), PYRO_OK);
    for (i = 0; i < 20; i++)
        loop_connect(&rig.port_raw, i % 4 != 0 ? "b:7766" : "b:7767");
    before = rig.net.calls.accept;
    poll_of(&rig.a);
    assert_in_range(rig.net.calls.accept - before, 2, 2 * PYRO_POLL_ACCEPTS);
    for (i = 0; i < 20; i++)
        assert_false(rig.net.conns[i].listener >= 0 && i % 4 == 0);
    for (i = 0; i < 5; i++)
        poll_of(&rig.a);
    test_eq("links", rig.a.n_links_, 20);
}

/* The clock goes round twice while nobody connects. */
TEST(a_daemon_that_was_idle_for_months_still_accepts)
{
    int i;

    open_a();
    for (i = 0; i < 16; i++) {
        int32_t raw;

        pass_days();
        if (i % 5 != 0)
            continue;
        raw = raw_client();
        raw_works("months later", raw);
        raw_hang_up(raw);
        settle();
    }
}

static unsigned want_of_listener(void)
{
    return rig.a.listeners_[0].want;
}

TEST(a_listener_is_not_waited_for_while_all_links_are_taken)
{
    int32_t raw[6];
    int     i;

    open_a();
    for (i = 0; i < 4; i++)
        raw[i] = raw_client();
    pyro_next_ms(&rig.a);
    test_eq("one to refuse with", want_of_listener(), PYRO_IN);
    raw[4] = raw_connect();
    pyro_next_ms(&rig.a);
    test_eq("none", want_of_listener(), 0);
    raw[5] = loop_connect(&rig.port_raw, "board:7766");
    rig.net.clock = LOOP_CLOCK_RUNS;
    pyro_poll(&rig.a, 100); /* does not spin */
    test_eq("waits", rig.net.clock_ms, rig_clock + 100);
    rig.net.clock = LOOP_CLOCK_STANDS;
    raw_hang_up(raw[4]);
    raw_hang_up(raw[0]);
    settle();
    raw_greet(raw[5]);
}

TEST(a_flood_of_questions_gets_few_answers)
{
    int32_t raw;
    int     i;

    rig.net.more = true;
    open_a();
    raw = raw_client();
    for (i = 0; i < 200; i++)
        raw_send(raw, PING, 0, 0, "");
    settle();
    raw_take(raw);
    assert_in_range(rig.got_n / 9, 1, 10);
    raw_works("link", raw);
}

/* ------------------------------------------------------------------------
 * Gathering and holding back
 * ------------------------------------------------------------------------ */

static pyro_proxy calc;
static int32_t    listener;

/* b is connected to a server that the test plays. */
static int32_t call_raw(void)
{
    static struct ask ask;
    int32_t           raw;

    listener = raw_listen();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask, &calc, 2, 3);
    raw = raw_server(listener);
    raw_take(raw);
    raw_send(raw, RESULT, 0, 1, "05");
    settle();
    ask_ended("connected", &ask, PYRO_OK);
    return raw;
}

static void note(int32_t n)
{
    assert_int_equal(pyro_oneway(&calc, "note", PYRO_ARGS(pyro_int(n))),
                     PYRO_OK);
    check(&rig.b);
}

TEST(the_first_oneway_leaves_at_once_and_those_behind_it_are_gathered)
{
    int32_t  raw = call_raw();
    uint32_t sends = rig.net.calls.send;
    int      i;

    note(0);
    test_eq("first", loop_pending(&rig.net, raw), 22);
    for (i = 1; i < 6; i++)
        note(i);
    test_eq("gathered", loop_pending(&rig.net, raw), 22);
    poll_of(&rig.b);
    test_eq("next poll", loop_pending(&rig.net, raw), 6 * 22);
    test_eq("sends", rig.net.calls.send - sends, 2);
    raw_take(raw);
    for (i = 0; i < 6; i++)
        test_eq("in order", rig.got[22 * i + 20], i);
    note(0);
    test_eq("first again", loop_pending(&rig.net, raw), 22);
}

TEST(what_is_gathered_leaves_by_flush_and_at_three_quarters_of_a_buffer)
{
    int32_t  raw = call_raw();
    uint32_t sent = 0;
    int      i;

    note(0);
    note(0);
    pyro_flush(&rig.b);
    test_eq("flushed", loop_pending(&rig.net, raw), 2 * 22);
    raw_take(raw);
    for (i = 0; i < 100 && sent == 0; i++) {
        note(0);
        sent = loop_pending(&rig.net, raw);
    }
    assert_in_range(sent, RIG_BYTES / 2, RIG_BYTES);
    test_eq("all of them", sent, 22 * (uint32_t)i);
    test_eq("buffers", rig.b.n_[PYROI_SPARE], RIG_BUFFERS);
}

static int32_t  waiting_raw;
static uint32_t pending_at_wait; /* least at any wait; UINT32_MAX: none */

static void look_at_wait(void *user, const pyro_port *port, pyro_item *list,
                         int32_t ms)
{
    uint32_t n = loop_pending(&rig.net, waiting_raw);

    (void)user;
    (void)port;
    if (ms == 0 || loop_look(&rig.net, list))
        return;
    if (n < pending_at_wait)
        pending_at_wait = n;
    loop_advance(&rig.net, (uint32_t)ms);
}

/* ... on another link than that of the call. */
TEST(what_is_gathered_leaves_before_a_call_waits)
{
    static pyro_proxy silent;
    int32_t           result;

    waiting_raw = call_raw();
    pyro_proxy_open(&silent, &rig.b, "PYRO://silent:7766/calc");
    pyro_oneway(&silent, "note", PYRO_ARGS(pyro_int(0)));
    raw_server(listener);
    silent.timeout_ms = 50;
    pending_at_wait = UINT32_MAX;
    note(0);
    note(0);
    rig.net.on_wait = look_at_wait;
    test_eq("call",
            pyro_invoke(&silent, "add", PYRO_ARGS(pyro_int(2), pyro_int(3)),
                        pyro_to_i32(&result)),
            PYRO_ERR_TIMEOUT);
    test_eq("left", pending_at_wait, 2 * 22);
}

TEST(replies_leave_together_when_calls_come_together)
{
    int32_t  raw;
    uint32_t sends;
    int      i;

    rig.net.more = true;
    open_a();
    raw = raw_client();
    for (i = 0; i < 8; i++)
        raw_send(raw, INVOKE, 0, (unsigned)i, CALC_ADD_2_3);
    sends = rig.net.calls.send;
    poll_of(&rig.a);
    test_eq("replies", loop_pending(&rig.net, raw), 8 * 9);
    test_eq("sends", rig.net.calls.send - sends, 1);
    raw_take(raw);
    for (i = 0; i < 8; i++)
        test_eq("in order", rig.got[9 * i + 5], i);
}

/* A handler of a that calls out: nobody answers there. */
static pyro_proxy out;

static void call_out(pyro_call *call)
{
    pyro_err err = pyro_invoke(&out, "add", PYRO_NO_ARGS, pyro_to_none());

    pyro_put_int(&call->result, err);
}

TEST(replies_held_back_leave_before_a_handler_waits)
{
    int i;

    rig.net.more = true;
    rig.conf_a.port = &rig.port_a;
    open_a();
    loop_listen(&rig.port_raw, "*:1");
    pyro_proxy_open(&out, &rig.a, "PYRO://silent:1/calc");
    out.timeout_ms = 500;
    rig.calc.hook = call_out;
    waiting_raw = raw_client();
    for (i = 0; i < 3; i++)
        raw_send(waiting_raw, INVOKE, 0, 1, CALC_ADD_2_3);
    raw_send(waiting_raw, INVOKE, 0, 2, "94 a4 'calc' a4 'hook' 90 80");
    for (i = 0; i < 3; i++)
        raw_send(waiting_raw, INVOKE, 0, 3, CALC_ADD_2_3);
    pending_at_wait = UINT32_MAX;
    rig.net.on_wait = look_at_wait;
    settle();
    rig.net.on_wait = NULL;
    assert_in_range(pending_at_wait, 3 * 9, 6 * 9);
    raw_take(waiting_raw);
    test_eq("all", rig.got_n, 7 * 9);
}

/* ------------------------------------------------------------------------
 * Someone else's loop, several ports
 * ------------------------------------------------------------------------ */

static unsigned count_items(unsigned want)
{
    const pyro_item *item;
    unsigned         n = 0;

    for (item = pyro_items(&rig.a); item != NULL; item = item->next)
        n += item->want == want;
    return n;
}

TEST(the_handles_to_wait_for_and_the_time_can_be_asked_for)
{
    int32_t raw;

    rig.net.capacity = 64;
    set_up_timers();
    test_eq("for ever", pyro_next_ms(&rig.a), -1);
    test_eq("a listener", count_items(PYRO_IN), 1);
    raw = raw_client();
    test_eq("and a link", count_items(PYRO_IN), 2);
    pyro_timer_set(&rig.a, &ticks[0].timer, 77);
    test_eq("timer", pyro_next_ms(&rig.a), 77);
    loop_advance(&rig.net, 70);
    test_eq("timer", pyro_next_ms(&rig.a), 7);
    loop_advance(&rig.net, 70);
    test_eq("timer", pyro_next_ms(&rig.a), 0);
    raw_send(raw, INVOKE, 0, 1, "94 a4 'calc' a3 'big' 91 cc c6 80");
    settle();
    test_eq("room to send", count_items(PYRO_IN | PYRO_OUT), 1);
    test_eq("frame_ms", pyro_next_ms(&rig.a), PYRO_FRAME_MS);
    raw_hang_up(raw);
}

/* Polls only when a handle is ready or the time has come. */
TEST(a_loop_that_polls_only_when_asked_to_misses_nothing)
{
    static struct ask ask;
    int               rounds;

    rig.net.connect_ms = 5;
    rig.net.chunk = 3;
    open_a();
    open_b();
    pyro_proxy_open(&calc, &rig.b, CALC);
    ask_add(&ask, &calc, 2, 3);
    for (rounds = 0; rounds < 500 && !pyro_done(&ask.rq); rounds++) {
        int32_t ms_a = pyro_next_ms(&rig.a);
        int32_t ms_b = pyro_next_ms(&rig.b);
        bool    in_a = loop_look(&rig.net, rig.a.items_);
        bool    in_b = loop_look(&rig.net, rig.b.items_);

        if (in_a || ms_a == 0)
            poll_of(&rig.a);
        if (in_b || ms_b == 0)
            poll_of(&rig.b);
        if (!in_a && !in_b && ms_a != 0 && ms_b != 0)
            loop_advance(&rig.net, 1);
    }
    ask_ended("call", &ask, PYRO_OK);
    assert_in_range(rig.net.clock_ms - rig_clock, 5, 6);
    pyro_proxy_close(&calc);
}

/* Another port: it has a wait function of its own, over the same net. */
static void other_wait(const pyro_port *port, pyro_item *list, int32_t ms)
{
    pyro_item *i;
    bool       any = false;

    for (i = list; i != NULL; i = i->next) {
        if (i->port->wait != other_wait)
            continue;
        i->ready = (uint8_t)(loop_ready(&rig.net, i->handle) & i->want);
        any = any || i->ready != 0;
    }
    (void)port;
    if (!any && ms > 0 && rig.net.clock == LOOP_CLOCK_RUNS)
        loop_advance(&rig.net, (uint32_t)ms);
}

TEST(one_daemon_serves_several_ports)
{
    pyro_port other = loop_port(&rig.net);
    pyro_port tried = loop_port(&rig.net);
    int32_t   raw[3];
    int       i;

    other.wait = other_wait;
    tried.wait = NULL;
    open_a();
    assert_int_equal(pyro_listen(&rig.a, &other, "*:1"), PYRO_OK);
    raw[0] = raw_client();
    raw[1] = loop_connect(&rig.port_raw, "board:1");
    raw_greet(raw[1]);
    raw[2] = raw_pipe(&rig.a, &tried, NULL);
    raw_greet(raw[2]);
    for (i = 0; i < 3; i++)
        raw_works("port", raw[i]);
    rig.net.clock = LOOP_CLOCK_RUNS;
    for (i = 0; i < 3; i++) {
        raw_send(raw[i], INVOKE, 0, 1, CALC_ADD_2_3);
        while (loop_pending(&rig.net, raw[i]) == 0)
            pyro_poll(&rig.a, 50);
        assert_in_range(rig.net.clock_ms - rig_clock, 0, 20);
        raw_take(raw[i]);
    }
    close_a(); /* the ports are on the stack */
}

TEST(an_address_of_each_listener_can_be_asked_for)
{
    char text[32];

    open_a();
    test_eq("first", pyro_listening(&rig.a, 0, text, sizeof text), PYRO_OK);
    assert_string_equal(text, "*:7766");
    test_eq("none", pyro_listening(&rig.a, 1, text, sizeof text),
            PYRO_ERR_STATE);
    test_eq("taken", pyro_listen(&rig.a, &rig.port_a, "*:7766"),
            PYRO_ERR_DAEMON);
    test_eq("two", pyro_listen(&rig.a, &rig.port_a, "*:1"), PYRO_OK);
    test_eq("three", pyro_listen(&rig.a, &rig.port_a, "*:2"),
            PYRO_ERR_NOSPACE);
    test_eq("limit", rig.a.why.limit, PYRO_MAX_LISTEN);
}

/* ------------------------------------------------------------------------
 * Close
 * ------------------------------------------------------------------------ */

static int      done_n;
static pyro_err done_err;
static pyro_err begun;

/* Begins anew, as a callback may; the test gives up after a few. */
static void done(void *user, pyro_request *rq, pyro_err err,
                 pyro_reader *result)
{
    (void)user;
    (void)result;
    done_n++;
    done_err = err;
    if (done_n > 3)
        return;
    begun = pyro_begin(rq, &calc, "later");
    if (begun == PYRO_OK)
        pyro_send(rq, pyro_to_none(), done, NULL);
}

TEST(close_ends_calls_with_closed_and_begins_none)
{
    static pyro_request rq;

    open_a();
    open_b();
    done_n = 0;
    pyro_proxy_open(&calc, &rig.b, CALC);
    pyro_begin(&rq, &calc, "later");
    pyro_send(&rq, pyro_to_none(), done, NULL);
    settle();
    close_b();
    test_eq("ended", done_n, 1);
    test_eq("with", done_err, PYRO_ERR_CLOSED);
    test_eq("not begun again", begun, PYRO_ERR_CLOSED);
    close_a();
    test_eq("handles", loop_open_handles(&rig.net), 0);
}

TEST(close_gives_every_handle_back)
{
    int32_t raw[3];
    int     i;

    rig.conf_a.port = &rig.port_a;
    open_a();
    pyro_wake_open(&rig.a);
    raw[0] = raw_client();
    raw[1] = raw_connect();
    raw[2] = raw_pipe(&rig.a, &rig.port_a, NULL);
    raw_send(raw[0], INVOKE, 0, 1, "94 a4 'calc' a5 'later' 90 80");
    settle();
    raw_feed(raw[0], "PYd", 3);
    settle();
    close_a();
    test_eq("handles", loop_open_handles(&rig.net), 3);
    for (i = 0; i < 3; i++) {
        assert_true(loop_ended(&rig.net, raw[i]));
        raw_hang_up(raw[i]);
    }
}

TEST(a_daemon_can_be_opened_and_closed_again_and_again)
{
    int i;

    for (i = 0; i < 100; i++) {
        int32_t raw;

        open_a();
        raw = raw_client();
        raw_works("works", raw);
        close_a();
        raw_hang_up(raw);
    }
    test_eq("handles", loop_open_handles(&rig.net), 0);
}

static const struct CMUnitTest tests[] = {
    RIG_TEST(timers_run_once_each_in_the_order_they_are_due),
    RIG_TEST(a_timer_stopped_or_set_anew_does_not_run_at_its_old_time),
    RIG_TEST(a_timer_may_stop_one_that_is_due_as_well),
    RIG_TEST(a_timer_may_set_itself_again),
    RIG_TEST(a_timer_that_is_due_at_once_does_not_keep_poll_from_ending),
    RIG_TEST(poll_waits_until_the_first_timer_and_no_longer),
    RIG_TEST(a_timer_may_be_days_away),
    RIG_TEST(a_watched_handle_is_reported_when_it_is_ready),
    RIG_TEST(a_watched_handle_may_be_taken_off_by_its_callback),
    RIG_TEST(a_wait_is_ended_by_wake),
    RIG_TEST(values_posted_arrive_in_order_at_every_size_of_a_ring),
    RIG_TEST(values_that_find_a_ring_full_are_counted),
    RIG_TEST(a_ring_that_is_filled_while_it_is_drained_does_not_hold_poll_up),
    RIG_TEST(a_poll_works_off_a_bounded_number_of_frames_and_runs_timers),
    RIG_TEST(links_take_turns),
    RIG_TEST(work_left_over_makes_the_next_poll_not_wait),
    RIG_TEST(a_body_that_is_skipped_is_no_more_work_than_others),
    RIG_TEST(a_poll_accepts_a_bounded_number_of_connections),
    RIG_TEST(
        each_listener_accepts_a_bounded_number_and_none_waits_for_another),
    RIG_TEST(a_daemon_that_was_idle_for_months_still_accepts),
    RIG_TEST(a_listener_is_not_waited_for_while_all_links_are_taken),
    RIG_TEST(a_flood_of_questions_gets_few_answers),
    RIG_TEST(the_first_oneway_leaves_at_once_and_those_behind_it_are_gathered),
    RIG_TEST(
        what_is_gathered_leaves_by_flush_and_at_three_quarters_of_a_buffer),
    RIG_TEST(what_is_gathered_leaves_before_a_call_waits),
    RIG_TEST(replies_leave_together_when_calls_come_together),
    RIG_TEST(replies_held_back_leave_before_a_handler_waits),
    RIG_TEST(the_handles_to_wait_for_and_the_time_can_be_asked_for),
    RIG_TEST(a_loop_that_polls_only_when_asked_to_misses_nothing),
    RIG_TEST(one_daemon_serves_several_ports),
    RIG_TEST(an_address_of_each_listener_can_be_asked_for),
    RIG_TEST(close_ends_calls_with_closed_and_begins_none),
    RIG_TEST(close_gives_every_handle_back),
    RIG_TEST(a_daemon_can_be_opened_and_closed_again_and_again)
};

RIG_MAIN(tests)
