/* Datagrams and addresses of the port that the tests use, so that what is
 * built on them is tested against what a system does; those of sockets are in
 * test_posix.c. */
#define PYRO_IMPLEMENTATION
#include "loopback.h"
#include "pyro_test.h"

enum { LIMITED = -1, MASK = -256 }; /* 255.255.255.255, 255.255.255.0 */

/* Three machines on 10.0.0.0/24, one on 10.0.1.0/24; `twin` is another program
 * on the first one. */
static struct loop_net net;
static pyro_port       ports[5];
static pyro_port      *twin = &ports[4];
static uint8_t         got[LOOP_DATAGRAM + 1];
static pyro_udp        from;

static uint32_t ip_of(unsigned i)
{
    static const uint32_t ips[] = { 0x0A000001, 0x0A000002, 0x0A000003,
                                    0x0A000101, 0x0A000001 };

    return ips[i];
}

static int up(void **state)
{
    (void)state;
    loop_init(&net, 1);
    for (unsigned i = 0; i < PYRO_COUNT(ports); i++) {
        ports[i] = loop_port(&net);
        loop_at(&net, &ports[i], ip_of(i), (uint32_t)MASK);
    }
    return 0;
}

static int down(void **state)
{
    (void)state;
    test_eq("misuse", net.misuse, 0);
    test_eq("open", loop_open_handles(&net), 0);
    return 0;
}

static int32_t open_at(const pyro_port *port, uint32_t ip, unsigned number)
{
    int32_t handle = port->udp_open(port, ip, (uint16_t)number);

    assert_true(handle >= 0);
    return handle;
}

static bool send_to(const pyro_port *port, int32_t handle, uint32_t ip,
                    unsigned number, const char *text)
{
    pyro_udp to;

    to.ip = ip;
    to.port = (uint16_t)number;
    return port->udp_send(port, handle, &to, text, (uint32_t)strlen(text));
}

static int32_t take(const pyro_port *port, int32_t handle)
{
    memset(&from, 0, sizeof from);
    return port->udp_recv(port, handle, got, sizeof got, &from);
}

static void broadcast_reaches(uint32_t to)
{
    int32_t h[5];

    for (unsigned i = 0; i < 5; i++)
        h[i] = open_at(&ports[i], 0, 7766);
    assert_true(send_to(&ports[1], h[1], to, 7766, "who"));
    for (unsigned i = 0; i < 5; i++) {
        test_eq("got", take(&ports[i], h[i]), i == 3 ? -1 : 3);
        test_eq("from", from.ip, i == 3 ? 0 : ip_of(1));
        test_eq("number", from.port, i == 3 ? 0 : 7766);
        ports[i].close(&ports[i], h[i]);
    }
}

TEST(a_broadcast_reaches_all_on_the_network_that_opened_its_number)
{
    broadcast_reaches((uint32_t)LIMITED);
    broadcast_reaches(0x0A0000FF);
}

TEST(a_broadcast_reaches_no_other_number_and_no_single_address)
{
    int32_t other = open_at(&ports[0], 0, 7767);
    int32_t bound = open_at(&ports[0], ip_of(0), 7766);
    int32_t sender = open_at(&ports[1], 0, 0);

    assert_true(send_to(&ports[1], sender, 0x0A0000FF, 7766, "who"));
    test_eq("number", take(&ports[0], other), -1);
    test_eq("address", take(&ports[0], bound), -1);
    assert_true(send_to(&ports[1], sender, ip_of(0), 7766, "you"));
    test_eq("address", take(&ports[0], bound), 3);
    ports[0].close(&ports[0], other);
    ports[0].close(&ports[0], bound);
    ports[1].close(&ports[1], sender);
}

TEST(an_answer_goes_back_to_the_number_the_system_chose)
{
    int32_t server = open_at(&ports[0], 0, 7766);
    int32_t asker = open_at(&ports[3], 0, 0);
    char    text[32];

    assert_true(send_to(&ports[3], asker, ip_of(0), 7766, "ask"));
    test_eq("asked", take(&ports[0], server), 3);
    test_eq("from", from.ip, ip_of(3));
    assert_true(ports[3].address(&ports[3], asker, false, text, sizeof text));
    test_eq("number", from.port, (int64_t)atoi(strchr(text, ':') + 1));
    assert_true(send_to(&ports[0], server, from.ip, from.port, "here"));
    test_eq("answered", take(&ports[3], asker), 4);
    assert_memory_equal(got, "here", 4);
    ports[0].close(&ports[0], server);
    ports[3].close(&ports[3], asker);
}

TEST(programs_of_one_machine_share_a_number_and_the_last_gets_answers)
{
    int32_t one = open_at(&ports[0], 0, 7766);
    int32_t two = open_at(twin, 0, 7766);

    assert_true(send_to(&ports[0], one, LOOP_LOCALHOST, 7766, "me"));
    test_eq("first", take(&ports[0], one), -1);
    test_eq("last", take(twin, two), 2);
    test_eq("from", from.ip, LOOP_LOCALHOST);
    ports[0].close(&ports[0], one);
    twin->close(twin, two);
    test_eq("foreign", ports[0].udp_open(&ports[0], ip_of(1), 1) < 0, 1);
}

TEST(datagrams_are_whole_or_cut_or_empty_or_none)
{
    int32_t  h = open_at(&ports[0], 0, 5);
    uint8_t  big[LOOP_DATAGRAM + 1] = { 0 };
    pyro_udp to = { LOOP_LOCALHOST, 5 };

    test_eq("none", take(&ports[0], h), -1);
    assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, ""));
    assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "abcdef"));
    assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "xyz"));
    test_eq("empty", take(&ports[0], h), 0);
    memset(got, 0, sizeof got);
    assert_true(ports[0].udp_recv(&ports[0], h, got, 2, &from) > 2);
    assert_string_equal((const char *)got, "ab");
    test_eq("next", take(&ports[0], h), 3);
    assert_false(ports[0].udp_send(&ports[0], h, &to, big, sizeof big));
    assert_false(send_to(&ports[0], h, LOOP_LOCALHOST, 0, "a"));
    ports[0].close(&ports[0], h);
}

TEST(datagrams_are_lost_doubled_spoilt_and_refused_as_asked)
{
    int32_t  h = open_at(&ports[0], 0, 5);
    unsigned n;

    net.udp_block = 1;
    assert_false(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "abc"));
    net.udp_lose = 100;
    assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "abc"));
    test_eq("lost", take(&ports[0], h), -1);
    net.udp_lose = 0;
    net.udp_twice = 100;
    net.udp_spoil = 100;
    assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "abc"));
    for (n = 0; take(&ports[0], h) == 3; n++)
        assert_memory_not_equal(got, "abc", 3);
    test_eq("twice", n, 2);
    net.udp_twice = net.udp_spoil = 0;
    for (n = 0; n < LOOP_QUEUE + 3; n++)
        assert_true(send_to(&ports[0], h, LOOP_LOCALHOST, 5, "abc"));
    for (n = 0; take(&ports[0], h) == 3; n++)
        assert_memory_equal(got, "abc", 3);
    test_eq("the queue", n, LOOP_QUEUE);
    ports[0].close(&ports[0], h);
}

TEST(a_port_lists_loopback_and_its_address)
{
    pyro_port local = loop_port(&net);
    pyro_net  one;

    assert_true(ports[1].net(&ports[1], 0, &one));
    test_eq("loopback", one.ip, LOOP_LOCALHOST);
    test_eq("none", one.broadcast, 0);
    assert_true(ports[1].net(&ports[1], 1, &one));
    test_eq("ip", one.ip, ip_of(1));
    test_eq("mask", one.mask, (uint32_t)MASK);
    test_eq("broadcast", one.broadcast, 0x0A0000FF);
    assert_false(ports[1].net(&ports[1], 2, &one));
    assert_true(local.net(&local, 0, &one));
    assert_false(local.net(&local, 1, &one));
}

/* ------------------------------------------------------------------------
 * Under daemons
 * ------------------------------------------------------------------------ */

static PYRO_ROOM(2, 3, 128, 1) rooms[2];
static pyro_daemon nodes[2];
static pyro_config configs[2];

static void open_nodes(void)
{
    for (unsigned i = 0; i < 2; i++) {
        memset(&configs[i], 0, sizeof configs[i]);
        configs[i].port = &ports[i];
        assert_int_equal(pyro_open(&nodes[i], PYRO_ROOM_OF(rooms[i]),
                                   &configs[i]),
                         PYRO_OK);
        assert_ptr_equal(pyro_port_of(&nodes[i]), &ports[i]);
    }
}

static struct {
    int32_t  handle;
    unsigned called;
} watching;

static void on_ready(void *user, pyro_daemon *node, unsigned ready)
{
    const pyro_port *port = pyro_port_of(node);

    assert_ptr_equal(user, &watching);
    assert_int_equal(ready, PYRO_IN);
    watching.called++;
    test_eq("took", take(port, watching.handle), 3);
}

TEST(a_daemon_watches_for_datagrams)
{
    pyro_watched watched;
    int32_t      sender = open_at(&ports[1], 0, 0);

    open_nodes();
    memset(&watched, 0, sizeof watched);
    memset(&watching, 0, sizeof watching);
    watching.handle = open_at(&ports[0], 0, 7766);
    watched.fn = on_ready;
    watched.user = &watching;
    pyro_watch(&nodes[0], &watched, &ports[0], watching.handle, PYRO_IN);
    pyro_poll(&nodes[0], 0);
    test_eq("not yet", watching.called, 0);
    assert_true(send_to(&ports[1], sender, 0x0A0000FF, 7766, "who"));
    pyro_poll(&nodes[0], 0);
    pyro_poll(&nodes[0], 0);
    test_eq("once", watching.called, 1);
    pyro_unwatch(&nodes[0], &watched);
    ports[0].close(&ports[0], watching.handle);
    ports[1].close(&ports[1], sender);
    pyro_close(&nodes[0]);
    pyro_close(&nodes[1]);
}

/* Both listen everywhere at the same number, each on its own machine. */
TEST(who_connects_out_tells_the_address_it_has_on_that_network)
{
    pyro_proxy   proxy;
    pyro_request rq;
    char         uri[PYRO_URI_BYTES];

    open_nodes();
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pyro_listen(&nodes[i], &ports[i], "*:7766"), PYRO_OK);
    assert_int_equal(pyro_proxy_open(&proxy, &nodes[0], "PYRO://10.0.0.2/x"),
                     PYRO_OK);
    assert_int_equal(pyro_begin(&rq, &proxy, "m"), PYRO_OK);
    pyro_poll(&nodes[1], 0);
    test_eq("came to the other", net.calls.accept > 0, 1);
    test_eq("links", nodes[1].n_links_, 1);
    assert_int_equal(pyro_uri_of(&nodes[0], 0, "o", uri, sizeof uri),
                     PYRO_ERR_DAEMON);
    assert_int_equal(pyro_uri_of(&nodes[0], proxy.link_, "o", uri, sizeof uri),
                     PYRO_OK);
    assert_string_equal(uri, "PYRO://10.0.0.1:7766/o");
    pyro_cancel(&rq);
    pyro_close(&nodes[0]);
    pyro_close(&nodes[1]);
}

#define NET(test) cmocka_unit_test_setup_teardown(test, up, down)

static const struct CMUnitTest tests[] = {
    NET(a_broadcast_reaches_all_on_the_network_that_opened_its_number),
    NET(a_broadcast_reaches_no_other_number_and_no_single_address),
    NET(an_answer_goes_back_to_the_number_the_system_chose),
    NET(programs_of_one_machine_share_a_number_and_the_last_gets_answers),
    NET(datagrams_are_whole_or_cut_or_empty_or_none),
    NET(datagrams_are_lost_doubled_spoilt_and_refused_as_asked),
    NET(a_port_lists_loopback_and_its_address),
    NET(a_daemon_watches_for_datagrams),
    NET(who_connects_out_tells_the_address_it_has_on_that_network)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
