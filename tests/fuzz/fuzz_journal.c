/* fuzz_journal.c - a name server that begins from a journal of any bytes.
 *
 * The input: one byte for the name server, then the journal: pieces, each a
 * byte that says what it is: loose bytes, or a record whose length and
 * checksum are right, or not. With salvage nothing that is readable keeps it
 * from starting; what it has taken it finds again. */
#include "fuzz_ns.h"

static struct fuzz fuzz;

enum { /* what may be wrong with a record */
       RIGHT,
       SUM,
       LENGTH,
       COMPLEMENT,
       CUT,
       FLIPPED
};

static void put_record(struct fuzz *f, pyro_writer *w, unsigned wrong)
{
    uint8_t    *at = w->at;
    pyro_writer body = pyro_writer_of(at + 4, 300, 1);
    uint32_t    n;

    if ((wrong & 8) != 0)
        fuzz_tail(f, &body);
    else
        ns_put_entry(f, &body);
    wrong &= 7;
    n = (uint32_t)(body.at - at) - 4;
    pyroi_store16(at, n + (wrong == LENGTH));
    pyroi_store16(at + 2, ~(n + (wrong == LENGTH)) ^ (wrong == COMPLEMENT));
    pyroi_store32(at + 4 + n, pyro_crc32(0, at, n + 4) ^ (wrong == SUM));
    if (wrong == FLIPPED)
        at[4 + n / 2] ^= 0x20;
    w->at += 8 + n;
    if (wrong == CUT)
        w->at -= 3;
}

static void put_journal(struct fuzz *f)
{
    pyro_writer w = pyro_writer_of(ns_journal.bytes[0], NS_JOURNAL, 255);

    while (f->in.at < f->in.end && w.end - w.at > 320) {
        unsigned what = fuzz_u8(&f->in);

        if (what < 0xE0)
            put_record(f, &w, what & 15);
        else
            fuzz_tail(f, &w);
    }
    ns_journal.n[0] = (uint32_t)(w.at - ns_journal.bytes[0]);
}

static pyro_err serve(struct fuzz *f)
{
    pyro_err err = pyro_ns_serve(&ns_server, &f->node,
                                 PYRO_NS_ROOM_OF(ns_room), &ns_config);

    ns_serves = err == PYRO_OK;
    FUZZ_CHECK((err != PYRO_ERR_DATA && err != PYRO_ERR_DAEMON)
                   || f->node.why.text != NULL,
               "no reason is given");
    fuzz_look(f);
    if (ns_serves)
        ns_walk();
    return err;
}

/* What was taken is there again, without any salvage. */
static void serve_again(struct fuzz *f)
{
    uint32_t names = ns_server.stats.names;

    pyro_ns_stop(&ns_server);
    ns_serves = false;
    ns_config.salvage = false;
    FUZZ_CHECK(serve(f) == PYRO_OK, "its own journal is refused");
    FUZZ_CHECK(ns_server.stats.names == names, "names are missing");
    FUZZ_CHECK(ns_server.stats.dropped == 0, "its own journal is damaged");
}

static void configure(unsigned how)
{
    memset(&ns_config, 0, sizeof ns_config);
    ns_config.no_broadcast = true;
    ns_config.storage = &ns_storage;
    ns_config.salvage = (how & 1) != 0;
    if ((how & 2) != 0)
        ns_config.twin = "PYRO://board:9091/" PYRO_NS_NAME;
    if ((how & 4) != 0)
        ns_config.group = ":lab";
    memset(&ns_journal, 0, sizeof ns_journal);
    ns_journal.most = NS_JOURNAL;
    ns_journal.fails = (how & 8) != 0;
    ns_journal.blind = (how & 16) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[2] = { 0, 4 };
    pyro_err             err;

    fuzz_open(&fuzz, nothing, sizeof nothing, 2);
    fuzz.in.at = data;
    fuzz.in.end = data + size;
    fuzz.check = ns_check;
    ns_serves = false;
    configure(fuzz_u8(&fuzz.in));
    put_journal(&fuzz);
    err = serve(&fuzz);
    FUZZ_CHECK(err != PYRO_ERR_DATA || !ns_config.salvage,
               "damage keeps a name server from starting, salvage or not");
    FUZZ_CHECK(err == PYRO_OK || err == PYRO_ERR_DATA
                   || err == PYRO_ERR_NOSPACE /* for all that is there */
                   || err == PYRO_ERR_NAMING  /* a group is an object there */
                   || ns_journal.failed || ns_journal.blind,
               "the name server does not begin");
    if (err == PYRO_OK && !ns_journal.failed)
        serve_again(&fuzz);
    loop_advance(&fuzz.net, 40000); /* leases end */
    fuzz_poll(&fuzz, 0);
    if (ns_serves)
        pyro_ns_stop(&ns_server);
    ns_serves = false;
    fuzz_end(&fuzz);
    return 0;
}
