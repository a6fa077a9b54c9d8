/* fuzz_uri.c - URIs as text and as values.
 *
 * The input: a byte that says which, then the text or the bytes. A URI that
 * was read can be printed, sent, and read again, and is the same. */
#include "fuzz.h"

static void same(const pyro_uri *a, const pyro_uri *b)
{
    FUZZ_CHECK(a->protocol == b->protocol && a->port == b->port
                   && a->host_n == b->host_n && a->object_n == b->object_n
                   && memcmp(a->host, b->host, a->host_n) == 0
                   && memcmp(a->object, b->object, a->object_n) == 0,
               "a URI has become another");
}

/* Prints it and reads that; every shorter memory is too short. */
static void by_text(const pyro_uri *uri)
{
    char        text[PYRO_URI_BYTES];
    char        small[PYRO_URI_BYTES];
    pyro_uri    again;
    const char *reason = NULL;
    size_t      n;

    memset(small, '~', sizeof small);
    FUZZ_CHECK(pyro_uri_print(uri, text, sizeof text) == PYRO_OK,
               "PYRO_URI_BYTES were not enough");
    n = strlen(text);
    FUZZ_CHECK(pyro_uri_print(uri, small, n) == PYRO_ERR_NOSPACE
                   && small[0] == '~',
               "one byte less was enough, or something was written");
    FUZZ_CHECK(pyro_uri_print(uri, small, n + 1) == PYRO_OK, "just enough");
    if (pyro_uri_parse(&again, text, n, &reason) != PYRO_OK)
        fuzz_fail(reason, __LINE__);
    same(uri, &again);
}

static bool is_utf8(const pyro_uri *uri)
{
    return pyroi_utf8((const uint8_t *)uri->host, uri->host_n)
        && pyroi_utf8((const uint8_t *)uri->object, uri->object_n);
}

static void by_value(const pyro_uri *uri)
{
    uint8_t     bytes[64 + PYRO_MAX_HOST + PYRO_MAX_NAME];
    pyro_writer w = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;
    pyro_uri    again;

    pyro_put_uri(&w, uri);
    if (uri->protocol == PYRO_URI_PYRO && uri->host_n == 0) {
        FUZZ_CHECK(pyro_writer_end(&w) == PYRO_ERR_STATE,
                   "\"this connection\" was passed on");
        return;
    }
    if (!is_utf8(uri)) { /* a text of the program's own, and no str */
        FUZZ_CHECK(pyro_writer_end(&w) == PYRO_ERR_DATA, "not UTF-8, and put");
        return;
    }
    FUZZ_CHECK(pyro_writer_end(&w) == PYRO_OK, "a URI cannot be put");
    in = pyro_reader_of(bytes, (size_t)(w.at - bytes));
    pyro_get_uri(&in, &again);
    FUZZ_CHECK(in.err == PYRO_OK && !pyro_more(&in), "a URI cannot be got");
    same(uri, &again);
}

static void read_text(const char *text, size_t n)
{
    pyro_uri    uri;
    pyro_uri    before;
    const char *reason = NULL;

    memset(&uri, 0x55, sizeof uri);
    before = uri;
    if (pyro_uri_parse(&uri, text, n, &reason) == PYRO_OK) {
        FUZZ_CHECK(reason == NULL && uri.object_n > 0, "a URI of nothing");
        FUZZ_CHECK(uri.object >= text && uri.object + uri.object_n <= text + n,
                   "the object is not in the text");
        by_text(&uri);
        by_value(&uri);
        return;
    }
    FUZZ_CHECK(reason != NULL && *reason != '\0', "no reason");
    FUZZ_CHECK(memcmp(&uri, &before, sizeof uri) == 0,
               "an error wrote to the URI");
}

static void read_value(const uint8_t *data, size_t n)
{
    pyro_reader in = pyro_reader_of(data, n);
    pyro_reader skip = in;
    pyro_uri    uri;
    pyro_uri    before;

    memset(&uri, 0x55, sizeof uri);
    before = uri;
    pyro_get_uri(&in, &uri);
    if (in.err != PYRO_OK) {
        FUZZ_CHECK(memcmp(&uri, &before, sizeof uri) == 0 && in.at == in.end,
                   "an error wrote to the URI, or left bytes");
        return;
    }
    pyro_skip(&skip);
    FUZZ_CHECK(skip.err == PYRO_OK && skip.at == in.at, "more than one value");
    if (uri.host_n > 0 || uri.protocol == PYRO_URI_NAME)
        by_text(&uri);
    by_value(&uri);
}

/* A value of the right form, of parts that the input chooses. */
static void read_parts(struct fuzz_in *in)
{
    static const char *const protocols[] = { "PYRO", "PYROLOC", "PYRONAME",
                                             "pyro" };
    uint8_t                  bytes[600];
    pyro_writer              w = pyro_writer_of(bytes, sizeof bytes, 1);
    unsigned                 how = fuzz_u8(in);
    uint32_t                 n = fuzz_u8(in);
    const void              *part = fuzz_bytes(in, &n);

    pyro_put_map(&w, 2);
    pyro_put_str(&w, "__class__");
    pyro_put_str(&w,
                 (how & 128) != 0 ? "Pyro5.client.Proxy" : "Pyro5.core.URI");
    pyro_put_str(&w, "state");
    pyro_put_list(&w, (how & 64) != 0 ? 4 : 5);
    if ((how & 128) == 0)
        pyro_put_str(&w, protocols[how & 3]);
    pyro_put_strn(&w, part, n);
    pyro_put_nil(&w);
    n = fuzz_u8(in);
    part = fuzz_bytes(in, &n);
    if ((how & 4) != 0)
        pyro_put_nil(&w);
    else
        pyro_put_strn(&w, part, n);
    n = fuzz_u8(in);
    if ((how & 8) != 0)
        pyro_put_nil(&w);
    else
        pyro_put_int(&w, (int)(n << 8 | fuzz_u8(in)) - ((how & 16) != 0));
    if ((how & 128) != 0)
        pyro_put_nil(&w);
    read_value(bytes, (size_t)(w.at - bytes));
}

static void put_here(const uint8_t *data, size_t n)
{
    char        name[PYRO_MAX_NAME + 8];
    uint8_t     bytes[128];
    pyro_writer w = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;
    pyro_uri    uri;
    pyro_err    err;

    if (n >= sizeof name)
        n = sizeof name - 1;
    memcpy(name, data, n);
    name[n] = '\0';
    pyro_put(&w, pyro_here(name));
    err = pyro_writer_end(&w);
    if (err != PYRO_OK)
        return;
    in = pyro_reader_of(bytes, (size_t)(w.at - bytes));
    pyro_get_uri(&in, &uri);
    if (in.err == PYRO_OK) /* else a name nobody can export */
        FUZZ_CHECK(uri.host_n == 0 && uri.port == 0
                       && uri.object_n == strlen(name),
                   "\"this connection\" is another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in;

    in.at = data;
    in.end = data + size;
    switch (fuzz_u8(&in) & 3) {
    case 0:
        read_text((const char *)in.at, (size_t)(in.end - in.at));
        break;
    case 1:
        read_value(in.at, (size_t)(in.end - in.at));
        break;
    case 2:
        read_parts(&in);
        break;
    default:
        put_here(in.at, (size_t)(in.end - in.at));
    }
    return 0;
}
