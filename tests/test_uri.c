/* URIs: read, printed, put and got. Texts stand before a page that cannot be
 * read, and are followed by nothing. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"

#include "pyro_test.h"

static pyro_err parse(pyro_uri *uri, const char *text, size_t n,
                      const char **reason)
{
    const char *copy = (const char *)test_fenced(text, n);

    *reason = NULL;
    return pyro_uri_parse(uri, copy, n, reason);
}

static void check_uri(const char *row, const pyro_uri *uri,
                      pyro_protocol protocol, const char *host, unsigned port,
                      const char *object)
{
    test_eq(row, uri->protocol, protocol);
    test_same(row, uri->host, uri->host_n, host, strlen(host));
    test_eq(row, uri->port, port);
    test_same(row, uri->object, uri->object_n, object, strlen(object));
}

/* Every form: its parts, and the form that is printed. */
static const struct {
    const char   *text;
    pyro_protocol protocol;
    const char   *host;
    unsigned      port;
    const char   *object;
    const char   *printed; /* NULL: as it was */
} forms[] = {
    { "PYRO://h:1/o", PYRO_URI_PYRO, "h", 1, "o", NULL },
    { "PYRO://10.0.0.7:65535/calc", PYRO_URI_PYRO, "10.0.0.7", 65535, "calc",
      NULL },
    { "PYRO:calc@h.example:7766", PYRO_URI_PYRO, "h.example", 7766, "calc",
      NULL },
    { "PYRO://h/o", PYRO_URI_PYRO, "h", 7766, "o", "PYRO://h:7766/o" },
    { "PYRO:o@h", PYRO_URI_PYRO, "h", 7766, "o", "PYRO:o@h:7766" },
    { "PYRO://h:00080/o", PYRO_URI_PYRO, "h", 80, "o", "PYRO://h:80/o" },
    { "PYRO://h:1/a/b", PYRO_URI_PYRO, "h", 1, "a/b", NULL },
    { "PYRO://h:1//a", PYRO_URI_PYRO, "h", 1, "/a", NULL },
    { "PYRO://h:1/a@b:c", PYRO_URI_PYRO, "h", 1, "a@b:c", NULL },
    { "PYRO://h:1/a[b", PYRO_URI_PYRO, "h", 1, "a[b", NULL },
    { "PYRO:a/b@h:1", PYRO_URI_PYRO, "h", 1, "a/b", NULL },
    { "PYRO:a@b@h:1", PYRO_URI_PYRO, "h", 1, "a@b", NULL },
    { "PYRO:/a@h:1", PYRO_URI_PYRO, "h", 1, "/a", NULL },
    { "PYRO://[::1]:9/o", PYRO_URI_PYRO, "::1", 9, "o", NULL },
    { "PYRO://[::1]/o", PYRO_URI_PYRO, "::1", 7766, "o",
      "PYRO://[::1]:7766/o" },
    { "PYRO:o@[fe80::1%eth0]:9", PYRO_URI_PYRO, "fe80::1%eth0", 9, "o", NULL },
    { "PYRO:o@[::1]", PYRO_URI_PYRO, "::1", 7766, "o", "PYRO:o@[::1]:7766" },
    { "PYRO://[h]:9/o", PYRO_URI_PYRO, "h", 9, "o", "PYRO://h:9/o" },
    { "PYRO://[unix:/run/x]/o", PYRO_URI_PYRO, "unix:/run/x", 0, "o", NULL },
    { "PYRO:o@[unix:/run/x]", PYRO_URI_PYRO, "unix:/run/x", 0, "o", NULL },
    { "PYRO://[unix:/run/x]/a/b", PYRO_URI_PYRO, "unix:/run/x", 0, "a/b",
      NULL },
    { "PYROLOC://h/n", PYRO_URI_LOC, "h", 7766, "n", "PYROLOC://h:7766/n" },
    { "PYROLOC://h:9/:a.b", PYRO_URI_LOC, "h", 9, ":a.b", NULL },
    { "PYROLOC://[::1]:9/n", PYRO_URI_LOC, "::1", 9, "n", NULL },
    { "PYROLOC://[unix:/x]/n", PYRO_URI_LOC, "unix:/x", 0, "n", NULL },
    { "PYRONAME://n", PYRO_URI_NAME, "", 0, "n", NULL },
    { "PYRONAME:n", PYRO_URI_NAME, "", 0, "n", "PYRONAME://n" },
    { "PYRONAME://:lab.calc", PYRO_URI_NAME, "", 0, ":lab.calc", NULL },
    { "PYRONAME::lab.calc", PYRO_URI_NAME, "", 0, ":lab.calc",
      "PYRONAME://:lab.calc" },
    { "PYRONAME://h/n", PYRO_URI_NAME, "h", 0, "n", NULL },
    { "PYRONAME://h:9/n", PYRO_URI_NAME, "h", 9, "n", NULL },
    { "PYRONAME:n@h:9", PYRO_URI_NAME, "h", 9, "n", NULL },
    { "PYRONAME:n@h", PYRO_URI_NAME, "h", 0, "n", NULL },
    { "PYRONAME://[::1]/n", PYRO_URI_NAME, "::1", 0, "n", NULL },
    { "PYRONAME://[unix:/x]/n", PYRO_URI_NAME, "unix:/x", 0, "n", NULL },
    { "PYRONAME:n@[::1]:9", PYRO_URI_NAME, "::1", 9, "n", NULL }
};

TEST(every_form_is_read_and_printed_in_the_first_one)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(forms); i++) {
        const char *text = forms[i].text;
        const char *want = forms[i].printed;
        char        to[PYRO_URI_BYTES];
        pyro_uri    uri;
        const char *reason;

        test_eq(text, parse(&uri, text, strlen(text), &reason), PYRO_OK);
        assert_null(reason);
        check_uri(text, &uri, forms[i].protocol, forms[i].host, forms[i].port,
                  forms[i].object);
        test_eq(text, pyro_uri_print(&uri, to, sizeof to), PYRO_OK);
        assert_string_equal(to, want != NULL ? want : text);
    }
}

TEST(what_is_printed_is_read_as_the_same)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(forms); i++) {
        const char *text = forms[i].text;
        char        to[PYRO_URI_BYTES];
        pyro_uri    uri;
        const char *reason;

        test_eq(text, pyro_uri_parse(&uri, text, strlen(text), NULL), PYRO_OK);
        test_eq(text, pyro_uri_print(&uri, to, sizeof to), PYRO_OK);
        test_eq(to, parse(&uri, to, strlen(to), &reason), PYRO_OK);
        check_uri(text, &uri, forms[i].protocol, forms[i].host, forms[i].port,
                  forms[i].object);
    }
}

static const struct {
    const char *text;
    const char *host;
    const char *name;
    const char *printed;
} names[] = { { "PYRONAME://a/b", "a", "b", "PYRONAME://a/b" },
              { "PYRONAME:///a/b", "", "a/b", "PYRONAME:///a/b" },
              { "PYRONAME:a/b", "", "a/b", "PYRONAME:///a/b" },
              { "PYRONAME:///a", "", "a", "PYRONAME://a" },
              { "PYRONAME:////a", "", "/a", "PYRONAME:////a" },
              { "PYRONAME:/a", "", "/a", "PYRONAME:////a" },
              { "PYRONAME://h/a/b", "h", "a/b", "PYRONAME://h/a/b" },
              { "PYRONAME:a/b@h", "h", "a/b", "PYRONAME:a/b@h" },
              { "PYRONAME://a@b", "", "a@b", "PYRONAME://a@b" },
              { "PYRONAME:a@b@h", "h", "a@b", "PYRONAME:a@b@h" },
              { "PYRONAME://a:1", "", "a:1", "PYRONAME://a:1" },
              { "PYRONAME://[::1]", "", "[::1]", "PYRONAME://[::1]" },
              { "PYRONAME:///[a/b", "", "[a/b", "PYRONAME:///[a/b" } };

/* "PYRONAME://a/b" is the name b at the host a; without a host a name with
 * a slash needs one in front, or the form without slashes. */
TEST(a_name_with_a_slash_is_not_taken_for_a_host)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(names); i++) {
        char        to[PYRO_URI_BYTES];
        pyro_uri    uri;
        const char *reason;
        const char *text = names[i].text;

        test_eq(text, parse(&uri, text, strlen(text), &reason), PYRO_OK);
        check_uri(text, &uri, PYRO_URI_NAME, names[i].host, 0, names[i].name);
        test_eq(text, pyro_uri_print(&uri, to, sizeof to), PYRO_OK);
        assert_string_equal(to, names[i].printed);
    }
}

/* What is refused, and a word of the reason. */
static const struct {
    const char *text;
    const char *word;
} refused[] = { { "", "does not begin" },
                { "P", "does not begin" },
                { "PYRO", "does not begin" },
                { "PYROX:o@h", "does not begin" },
                { "pyro:o@h", "does not begin" },
                { " PYRO:o@h", "does not begin" },
                { "PYRO;o@h", "does not begin" },
                { "PYRONAMES:n", "does not begin" },
                { "http://h/o", "does not begin" },
                { "PYRO:", "no '@'" },
                { "PYRO:o", "no '@'" },
                { "PYRO:/h:1/o", "no '@'" },
                { "PYRO://", "no '/'" },
                { "PYRO://h:1", "no '/'" },
                { "PYRO://[::1]:1", "no '/'" },
                { "PYRO://[unix:/run/x", "no '/'" },
                { "PYROLOC:", "not followed" },
                { "PYROLOC:n@h", "not followed" },
                { "PYROLOC:/h/n", "not followed" },
                { "PYROLOC://h", "no '/'" },
                { "PYRO:@h", "object is missing" },
                { "PYRO://h:1/", "object is missing" },
                { "PYROLOC://h/", "object is missing" },
                { "PYRONAME:", "object is missing" },
                { "PYRONAME://", "object is missing" },
                { "PYRONAME:///", "object is missing" },
                { "PYRONAME://h/", "object is missing" },
                { "PYRONAME:@h", "object is missing" },
                { "PYRO:///o", "host is missing" },
                { "PYRO://:1/o", "host is missing" },
                { "PYRO:o@", "host is missing" },
                { "PYRO:o@:1", "host is missing" },
                { "PYROLOC:///n", "host is missing" },
                { "PYRONAME:n@:1", "host is missing" },
                { "PYRONAME://:1/n", "host is missing" },
                { "PYRONAME:n@", "host is missing" },
                { "PYRO://h:/o", "port is not" },
                { "PYRO://h:0/o", "port is not" },
                { "PYRO://h:00000/o", "port is not" },
                { "PYRO://h:65536/o", "port is not" },
                { "PYRO://h:99999/o", "port is not" },
                { "PYRO://h:000001/o", "port is not" },
                { "PYRO://h:4294967297/o", "port is not" },
                { "PYRO://h:-1/o", "port is not" },
                { "PYRO://h:+1/o", "port is not" },
                { "PYRO://h: 1/o", "port is not" },
                { "PYRO://h:1 /o", "port is not" },
                { "PYRO://h:1a/o", "port is not" },
                { "PYRO://h:1:2/o", "port is not" },
                { "PYRO://::1:1/o", "port is not" },
                { "PYRO:o@h:", "port is not" },
                { "PYRO:o@h:x", "port is not" },
                { "PYRO:o@h:1\n", "port is not" },
                { "PYRO:o@h:1\r", "port is not" },
                { "PYRO:o@h:1/", "port is not" },
                { "PYRONAME:n@h:0", "port is not" },
                { "PYRO://unix:/x/o", "port is not" },
                { "PYRO:o@[", "'['" },
                { "PYRO:o@[]", "'['" },
                { "PYRO:o@[::1", "'['" },
                { "PYRO:o@[::1]x", "'['" },
                { "PYRO:o@[::1]x:1", "'['" },
                { "PYRO://[]/o", "'['" },
                { "PYRO://[]:1/o", "'['" },
                { "PYRO://h h/o", "character" },
                { "PYRO://h\t/o", "character" },
                { "PYRO://h\x7F/o", "character" },
                { "PYRO://a@h/o", "character" },
                { "PYRO:o@a/b:1", "character" },
                { "PYRO:o@[a[b]", "character" },
                { "PYRO:o@[a]b]", "character" },
                { "PYRO:o@a]", "character" },
                { "PYRO:o@[::1 ]", "character" },
                { "PYRO:o@h ", "character" },
                { "PYRO:o@h\n", "character" },
                { "PYRO://h/o ", "blank or control" },
                { "PYRO://h/ o", "blank or control" },
                { "PYRO://h/o\n", "blank or control" },
                { "PYRO://h/o\x01", "blank or control" },
                { "PYRO://h/o\x7F", "blank or control" },
                { "PYRO:a b@h", "blank or control" },
                { "PYRONAME:n ", "blank or control" },
                { "PYRONAME://n\t", "blank or control" } };

TEST(what_is_no_uri_is_refused_with_its_reason)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(refused); i++) {
        const char *text = refused[i].text;
        pyro_uri    uri;
        const char *reason;

        memset(&uri, TEST_FILL, sizeof uri);
        test_eq(text, parse(&uri, text, strlen(text), &reason), PYRO_ERR_URI);
        assert_non_null(reason);
        if (strstr(reason, refused[i].word) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", text, reason,
                     refused[i].word);
        test_eq(text, test_untouched(&uri, sizeof uri), 1);
        test_eq(text, pyro_uri_parse(&uri, text, strlen(text), NULL),
                PYRO_ERR_URI);
    }
}

TEST(a_zero_byte_is_a_control_character)
{
    pyro_uri    uri;
    const char *reason;

    test_eq("object", parse(&uri, "PYRO://h/o\0", 11, &reason), PYRO_ERR_URI);
    test_eq("host", parse(&uri, "PYRO://h\0/o", 11, &reason), PYRO_ERR_URI);
    test_eq("port", parse(&uri, "PYRO://h:1\0/o", 13, &reason), PYRO_ERR_URI);
}

TEST(only_the_given_bytes_are_read)
{
    pyro_uri    uri;
    const char *reason;

    test_eq("obj", parse(&uri, "PYRO://h:12/objx", 15, &reason), PYRO_OK);
    check_uri("obj", &uri, PYRO_URI_PYRO, "h", 12, "obj");
    test_eq("port", parse(&uri, "PYRO:o@h:123", 11, &reason), PYRO_OK);
    check_uri("port", &uri, PYRO_URI_PYRO, "h", 12, "o");
}

/* Each text, cut: whatever it is then, nothing behind it is read. */
TEST(every_text_cut_at_every_length_is_read_or_refused)
{
    size_t i;
    size_t n;

    for (i = 0; i < PYRO_COUNT(forms); i++) {
        for (n = 0; n < strlen(forms[i].text); n++) {
            pyro_uri    uri;
            const char *reason;
            pyro_err    err = parse(&uri, forms[i].text, n, &reason);

            test_eq(forms[i].text, err == PYRO_OK || err == PYRO_ERR_URI, 1);
            test_eq(forms[i].text, (reason == NULL), err == PYRO_OK);
        }
    }
}

/* host_n letters of host and object_n of object. */
static size_t make(char *to, size_t host_n, size_t object_n, bool first)
{
    char  *p = to;
    size_t n = first ? host_n : object_n;

    memcpy(p, "PYRO://", 7);
    p += first ? 7 : 5;
    memset(p, first ? 'h' : 'o', n);
    p += n;
    *p++ = first ? '/' : '@';
    n = first ? object_n : host_n;
    memset(p, first ? 'o' : 'h', n);
    return (size_t)(p + n - to);
}

static const struct {
    size_t      host_n;
    size_t      object_n;
    const char *word;
} sizes[] = { { PYRO_MAX_HOST - 1, 1, NULL },
              { PYRO_MAX_HOST, PYRO_MAX_NAME, NULL },
              { PYRO_MAX_HOST + 1, 1, "PYRO_MAX_HOST" },
              { 1, PYRO_MAX_NAME - 1, NULL },
              { 1, PYRO_MAX_NAME + 1, "PYRO_MAX_NAME" },
              { 256, 1, "PYRO_MAX_HOST" },
              { 257, 1, "PYRO_MAX_HOST" },
              { 1, 256, "PYRO_MAX_NAME" },
              { 1, 257, "PYRO_MAX_NAME" },
              { 65537, 1, "PYRO_MAX_HOST" },
              { 1, 65537, "PYRO_MAX_NAME" } };

TEST(host_and_object_have_their_longest_length)
{
    static char text[65600];
    size_t      i;

    for (i = 0; i < 2 * PYRO_COUNT(sizes); i++) {
        size_t row = i / 2;
        size_t n =
            make(text, sizes[row].host_n, sizes[row].object_n, i % 2 == 0);
        pyro_uri    uri;
        const char *reason;
        pyro_err    err = parse(&uri, text, n, &reason);

        test_eq("err", err, sizes[row].word == NULL ? PYRO_OK : PYRO_ERR_URI);
        if (err != PYRO_OK) {
            assert_non_null(strstr(reason, sizes[row].word));
            continue;
        }
        test_eq("host", uri.host_n, sizes[row].host_n);
        test_eq("object", uri.object_n, sizes[row].object_n);
    }
}

/* The longest text there is fits, and a host in brackets counts without. */
TEST(uri_bytes_are_enough_for_the_longest)
{
    char        host[PYRO_MAX_HOST + 1];
    char        text[PYRO_URI_BYTES + 1];
    char        to[PYRO_URI_BYTES];
    pyro_uri    uri;
    const char *reason;
    int         n;

    memset(host, ':', PYRO_MAX_HOST);
    host[PYRO_MAX_HOST] = '\0';
    n = snprintf(text, sizeof text, "PYRONAME://[%s]:65535/%0*d", host,
                 PYRO_MAX_NAME, 0);
    test_eq("length", n, PYRO_URI_BYTES - 1);
    test_eq("read", parse(&uri, text, (size_t)n, &reason), PYRO_OK);
    test_eq("printed", pyro_uri_print(&uri, to, sizeof to), PYRO_OK);
    assert_string_equal(to, text);
    test_eq("one less", pyro_uri_print(&uri, to, sizeof to - 1),
            PYRO_ERR_NOSPACE);
}

TEST(a_uri_is_printed_whole_or_not_at_all)
{
    size_t i;
    size_t size;

    for (i = 0; i < PYRO_COUNT(forms); i++) {
        const char *text = forms[i].text;
        char        whole[PYRO_URI_BYTES];
        pyro_uri    uri;

        pyro_uri_parse(&uri, text, strlen(text), NULL);
        test_eq(text, pyro_uri_print(&uri, whole, sizeof whole), PYRO_OK);
        for (size = 0; size <= strlen(whole) + 2; size++) {
            char    *to = (char *)test_room(size);
            pyro_err err = pyro_uri_print(&uri, to, size);

            if (size > strlen(whole)) {
                test_eq(text, err, PYRO_OK);
                assert_string_equal(to, whole);
            } else {
                test_eq(text, err, PYRO_ERR_NOSPACE);
                test_eq(text, test_untouched(to, size), 1);
            }
        }
    }
}

/* The parts of a URI, made by hand. */
static pyro_uri uri_of(pyro_protocol protocol, const char *host, unsigned port,
                       const char *object)
{
    pyro_uri uri;

    memset(&uri, 0, sizeof uri);
    uri.protocol = (uint8_t)protocol;
    uri.host = host;
    uri.host_n = (uint8_t)strlen(host);
    uri.port = (uint16_t)port;
    uri.object = object;
    uri.object_n = (uint8_t)strlen(object);
    return uri;
}

TEST(parts_longer_than_any_that_are_read_are_not_printed)
{
    char     part[256];
    char     to[PYRO_URI_BYTES];
    pyro_uri uri;

    memset(part, 'h', sizeof part - 1);
    part[sizeof part - 1] = '\0';
    memset(to, TEST_FILL, sizeof to);
    uri = uri_of(PYRO_URI_PYRO, part, 1, part);
    test_eq("err", pyro_uri_print(&uri, to, sizeof to), PYRO_ERR_NOSPACE);
    test_eq("to", test_untouched(to, sizeof to), 1);
}

/* As a text it would reach somebody else and mean another object there. */
TEST(this_connection_as_a_text_is_no_uri)
{
    pyro_uri    uri = uri_of(PYRO_URI_PYRO, "", 0, "o");
    char        to[PYRO_URI_BYTES];
    const char *reason;

    if (pyro_uri_print(&uri, to, sizeof to) == PYRO_OK)
        test_eq(to, parse(&uri, to, strlen(to), &reason), PYRO_ERR_URI);
}

#define CLASS_HEX "82 a9 '__class__' ae 'Pyro5.core.URI' a5 'state' 95 "

/* What stock Pyro5 sends and reads, byte by byte. */
static const struct {
    pyro_protocol protocol;
    const char   *host;
    unsigned      port;
    const char   *object;
    const char   *hex;
} golden[] = { { PYRO_URI_PYRO, "h", 9090, "obj",
                 CLASS_HEX "a4 'PYRO' a3 'obj' c0 a1 'h' cd 23 82" },
               { PYRO_URI_PYRO, "::1", 1, "a/b",
                 CLASS_HEX "a4 'PYRO' a3 'a/b' c0 a3 '::1' 01" },
               { PYRO_URI_PYRO, "unix:/run/x", 0, "o",
                 CLASS_HEX "a4 'PYRO' a1 'o' c0 ab 'unix:/run/x' 00" },
               { PYRO_URI_LOC, "h", 7766, "n",
                 CLASS_HEX "a7 'PYROLOC' a1 'n' c0 a1 'h' cd 1e 56" },
               { PYRO_URI_NAME, "", 0, ":n",
                 CLASS_HEX "a8 'PYRONAME' a2 ':n' c0 c0 00" },
               { PYRO_URI_NAME, "h", 65535, "n",
                 CLASS_HEX "a8 'PYRONAME' a1 'n' c0 a1 'h' cd ff ff" } };

TEST(a_uri_is_put_as_the_map_of_pyro5_and_got_from_it)
{
    size_t i;

    for (i = 0; i < PYRO_COUNT(golden); i++) {
        const char *hex = golden[i].hex;
        pyro_uri    uri = uri_of(golden[i].protocol, golden[i].host,
                                 golden[i].port, golden[i].object);
        uint8_t     bytes[128];
        pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
        pyro_reader in;
        size_t      n;

        pyro_put_uri(&out, &uri);
        test_eq(hex, pyro_writer_end(&out), PYRO_OK);
        n = (size_t)(out.at - bytes);
        test_same_hex(hex, bytes, n, hex);
        in = pyro_reader_of(test_fenced(bytes, n), n);
        memset(&uri, TEST_FILL, sizeof uri);
        pyro_get_uri(&in, &uri);
        test_eq(hex, in.err, PYRO_OK);
        test_eq(hex, pyro_more(&in), false);
        check_uri(hex, &uri, golden[i].protocol, golden[i].host,
                  golden[i].port, golden[i].object);
    }
}

static pyro_reader fenced(const char *hex)
{
    uint8_t bytes[512];
    size_t  n = test_hex(bytes, sizeof bytes, hex);

    return pyro_reader_of(test_fenced(bytes, n), n);
}

/* Gets one that must be good and be followed by nothing. */
static void check_got(const char *hex, pyro_protocol protocol,
                      const char *host, unsigned port, const char *object)
{
    pyro_reader in = fenced(hex);
    pyro_uri    uri;

    memset(&uri, TEST_FILL, sizeof uri);
    pyro_get_uri(&in, &uri);
    test_eq(hex, in.err, PYRO_OK);
    test_eq(hex, pyro_more(&in), false);
    check_uri(hex, &uri, protocol, host, port, object);
}

TEST(a_uri_is_got_from_its_text)
{
    check_got("af 'PYRO://h:9/calc'", PYRO_URI_PYRO, "h", 9, "calc");
    check_got("af 'PYRO:calc@h:909'", PYRO_URI_PYRO, "h", 909, "calc");
    check_got("d9 0c 'PYRONAME://n'", PYRO_URI_NAME, "", 0, "n");
}

TEST(a_uri_is_got_from_a_proxy_of_pyro5)
{
    check_got("82 a9 '__class__' b2 'Pyro5.client.Proxy' a5 'state'"
              "96 ae 'PYRO:obj@h:909' 91 a4 'ping' 90 90 a0 a7 'msgpack'",
              PYRO_URI_PYRO, "h", 909, "obj");
    check_got("82 a9 '__class__' b0 'Pyro4.core.Proxy' a5 'state'"
              "99 ae 'PYRO:obj@h:909' 90 90 90 00 c3 c2 c0 01",
              PYRO_URI_PYRO, "h", 909, "obj");
    check_got("82 a9 '__class__' b2 'Pyro5.client.Proxy' a5 'state'"
              "91 ae 'PYRO:o@[::1]:9'",
              PYRO_URI_PYRO, "::1", 9, "o");
}

TEST(the_entries_of_the_map_may_come_in_any_order_and_form)
{
    check_got("82 a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' 01"
              "a9 '__class__' ae 'Pyro5.core.URI'",
              PYRO_URI_PYRO, "h", 1, "o");
    check_got("de 00 03 a1 'x' 92 01 02 a9 '__class__' ae 'Pyro4.core.URI'"
              "d9 05 'state' dc 00 05 d9 04 'PYRO' a1 'o' c0 a1 'h'"
              "d3 00 00 00 00 00 00 00 01",
              PYRO_URI_PYRO, "h", 1, "o");
}

/* Pyro5 has no port where it has no host. */
TEST(a_name_from_pyro5_may_have_nil_as_its_port)
{
    check_got(CLASS_HEX "a8 'PYRONAME' a1 'n' c0 c0 c0", PYRO_URI_NAME, "", 0,
              "n");
}

TEST(this_connection_is_put_for_an_own_object_and_got)
{
    static const char hex[] = CLASS_HEX "a4 'PYRO' a3 'obj' c0 c0 00";
    uint8_t           bytes[64];
    pyro_writer       out = pyro_writer_of(bytes, sizeof bytes, 1);

    pyro_put_here(&out, "obj");
    test_eq("end", pyro_writer_end(&out), PYRO_OK);
    test_same_hex("here", bytes, (size_t)(out.at - bytes), hex);
    check_got(hex, PYRO_URI_PYRO, "", 0, "obj");
}

TEST(this_connection_cannot_be_passed_on)
{
    pyro_uri    uri = uri_of(PYRO_URI_PYRO, "", 0, "obj");
    uint8_t     bytes[64];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

    memset(bytes, TEST_FILL, sizeof bytes);
    pyro_put_uri(&out, &uri);
    test_eq("err", out.err, PYRO_ERR_STATE);
    test_eq("bytes", test_untouched(bytes, sizeof bytes), 1);
    out = pyro_writer_of(bytes, 0, 1);
    pyro_put_nil(&out);
    pyro_put_uri(&out, &uri);
    test_eq("the first error", out.err, PYRO_ERR_NOSPACE);
}

/* An object is called by the name that was given, or not at all. */
TEST(an_object_of_this_connection_has_a_length_that_can_be_read)
{
    char     name[300];
    unsigned n;

    for (n = 0; n < sizeof name; n++) {
        uint8_t     bytes[400];
        pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);

        memset(name, 'o', n);
        name[n] = '\0';
        pyro_put_here(&out, name);
        if (n >= 1 && n <= PYRO_MAX_NAME)
            test_eq("fits", pyro_writer_end(&out), PYRO_OK);
        else if (pyro_writer_end(&out) == PYRO_OK)
            fail_msg("put an object of %u letters", n);
    }
}

TEST(a_uri_that_does_not_fit_is_no_space)
{
    pyro_uri    uri = uri_of(PYRO_URI_PYRO, "h", 9090, "obj");
    uint8_t     bytes[128];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    size_t      whole;
    size_t      n;

    pyro_put_uri(&out, &uri);
    whole = (size_t)(out.at - bytes);
    for (n = 0; n <= whole; n++) {
        out = pyro_writer_of(test_room(n), n, 1);
        pyro_put_uri(&out, &uri);
        test_eq("err", pyro_writer_end(&out),
                n < whole ? PYRO_ERR_NOSPACE : PYRO_OK);
    }
}

/* Gets one that must be refused: nothing is touched, nothing can follow. */
static void check_refused(const char *row, pyro_reader in, pyro_err err)
{
    pyro_uri uri;

    memset(&uri, TEST_FILL, sizeof uri);
    pyro_get_uri(&in, &uri);
    test_eq(row, in.err, err);
    test_eq(row, pyro_more(&in), false);
    test_eq(row, test_untouched(&uri, sizeof uri), 1);
}

TEST(every_uri_cut_at_every_length_is_a_data_error)
{
    uint8_t bytes[128];
    size_t  i;
    size_t  n;

    for (i = 0; i < PYRO_COUNT(golden); i++) {
        size_t whole = test_hex(bytes, sizeof bytes, golden[i].hex);

        for (n = 0; n < whole; n++)
            check_refused(golden[i].hex,
                          pyro_reader_of(test_fenced(bytes, n), n),
                          PYRO_ERR_DATA);
    }
}

TEST(a_value_that_is_no_uri_is_a_type_error)
{
    static const test_row rows[] = {
        { "nil", "c0" },
        { "int", "05" },
        { "list", "95 a4 'PYRO' a1 'o' c0 a1 'h' 01" },
        { "text that is none", "a3 'abc'" },
        { "text of this connection", "a9 'PYRO:///o'" },
        { "empty map", "80" },
        { "no class", "81 a5 'state' 95 a4 'PYRO' a1 'o' c0 a1 'h' 01" },
        { "no state", "81 a9 '__class__' ae 'Pyro5.core.URI'" },
        { "another class", "82 a9 '__class__' a5 'X.Uri' a5 'state'"
                           "95 a4 'PYRO' a1 'o' c0 a1 'h' 01" },
        { "class no str", "82 a9 '__class__' 05 a5 'state'"
                          "95 a4 'PYRO' a1 'o' c0 a1 'h' 01" },
        { "key no str", "82 05 ae 'Pyro5.core.URI' a5 'state'"
                        "95 a4 'PYRO' a1 'o' c0 a1 'h' 01" },
        { "state no list", "82 a9 '__class__' ae 'Pyro5.core.URI'"
                           "a5 'state' 05" },
        { "proxy of nothing", "82 a9 '__class__' b2 'Pyro5.client.Proxy'"
                              "a5 'state' 90" },
        { "proxy of an int", "82 a9 '__class__' b2 'Pyro5.client.Proxy'"
                             "a5 'state' 91 05" },
        { "proxy of no uri", "82 a9 '__class__' b2 'Pyro5.client.Proxy'"
                             "a5 'state' 91 a1 'x'" }
    };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++)
        check_refused(rows[i].label, fenced(rows[i].hex), PYRO_ERR_TYPE);
}

static const test_row states[] = {
    { "4 states", "94 a4 'PYRO' a1 'o' c0 a1 'h'" },
    { "protocol unknown", "95 a4 'PYRA' a1 'o' c0 a1 'h' 01" },
    { "protocol short", "95 a3 'PYR' a1 'o' c0 a1 'h' 01" },
    { "protocol long", "95 a5 'PYROX' a1 'o' c0 a1 'h' 01" },
    { "protocol no str", "95 c0 a1 'o' c0 a1 'h' 01" },
    { "object empty", "95 a4 'PYRO' a0 c0 a1 'h' 01" },
    { "object no str", "95 a4 'PYRO' 05 c0 a1 'h' 01" },
    { "object with blank", "95 a4 'PYRO' a2 'o ' c0 a1 'h' 01" },
    { "object with zero", "95 a4 'PYRO' a2 'o' 00 c0 a1 'h' 01" },
    { "socket", "95 a4 'PYRO' a1 'o' a1 'x' a1 'h' 01" },
    { "host empty", "95 a4 'PYRO' a1 'o' c0 a0 01" },
    { "host no str", "95 a4 'PYRO' a1 'o' c0 05 01" },
    { "host with blank", "95 a4 'PYRO' a1 'o' c0 a2 'h ' 01" },
    { "host with bracket", "95 a4 'PYRO' a1 'o' c0 a2 'h]' 01" },
    { "host with zero", "95 a4 'PYRO' a1 'o' c0 a2 'h' 00 01" },
    { "port -1", "95 a4 'PYRO' a1 'o' c0 a1 'h' ff" },
    { "port 65536", "95 a4 'PYRO' a1 'o' c0 a1 'h' ce 00 01 00 00" },
    { "port 2^32", "95 a4 'PYRO' a1 'o' c0 a1 'h'"
                   "cf 00 00 00 01 00 00 00 01" },
    { "port no int", "95 a4 'PYRO' a1 'o' c0 a1 'h' a1 '1'" },
    { "port 0 at a host", "95 a4 'PYRO' a1 'o' c0 a1 'h' 00" },
    { "port nil at a host", "95 a4 'PYRO' a1 'o' c0 a1 'h' c0" },
    { "port without host", "95 a4 'PYRO' a1 'o' c0 c0 01" },
    { "location without host", "95 a7 'PYROLOC' a1 'n' c0 c0 00" }
};

/* Pieces of a state that is refused, in the place of a good one. */
TEST(every_part_of_the_state_is_checked)
{
    char   hex[256];
    size_t i;

    for (i = 0; i < PYRO_COUNT(states); i++) {
        snprintf(hex, sizeof hex, "%s%s",
                 "82 a9 '__class__' ae 'Pyro5.core.URI' a5 'state'",
                 states[i].hex);
        check_refused(states[i].label, fenced(hex), PYRO_ERR_TYPE);
    }
}

/* Puts a state with a host and an object of these lengths. */
static pyro_err got_lengths(unsigned host_n, unsigned object_n)
{
    static char letters[600];
    uint8_t     bytes[1300];
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;
    pyro_uri    uri;

    memset(letters, 'x', sizeof letters);
    pyro_put_map(&out, 2);
    pyro_put_str(&out, "__class__");
    pyro_put_str(&out, "Pyro5.core.URI");
    pyro_put_str(&out, "state");
    pyro_put_list(&out, 5);
    pyro_put_str(&out, "PYRO");
    pyro_put_strn(&out, letters, object_n);
    pyro_put_nil(&out);
    pyro_put_strn(&out, letters, host_n);
    pyro_put_int(&out, 1);
    test_eq("put", pyro_writer_end(&out), PYRO_OK);
    in = pyro_reader_of(bytes, (size_t)(out.at - bytes));
    pyro_get_uri(&in, &uri);
    if (in.err == PYRO_OK) {
        test_eq("host", uri.host_n, host_n);
        test_eq("object", uri.object_n, object_n);
    }
    return (pyro_err)in.err;
}

TEST(lengths_of_a_uri_got_are_those_of_a_uri_read)
{
    const unsigned host = PYRO_MAX_HOST;
    const unsigned name = PYRO_MAX_NAME;

    test_eq("both", got_lengths(host, name), PYRO_OK);
    test_eq("less", got_lengths(host - 1, name - 1), PYRO_OK);
    test_eq("host", got_lengths(host + 1, 1), PYRO_ERR_TYPE);
    test_eq("object", got_lengths(1, name + 1), PYRO_ERR_TYPE);
    test_eq("host 257", got_lengths(257, 1), PYRO_ERR_TYPE);
    test_eq("object 257", got_lengths(1, 257), PYRO_ERR_TYPE);
    test_eq("host 512", got_lengths(512, 1), PYRO_ERR_TYPE);
    test_eq("object 512", got_lengths(1, 512), PYRO_ERR_TYPE);
}

TEST(a_spoiled_reader_gives_no_uri)
{
    pyro_reader in = fenced("c0 af 'PYRO://h:9/calc'");

    pyro_get_bool(&in);
    check_refused("spoiled", in, PYRO_ERR_TYPE);
}

/* Whatever is accepted as a URI can be printed, read again and put, and is
 * the same then. `here` is the one exception, and must be refused. */
static void check_same_everywhere(const char *row, const pyro_uri *uri)
{
    char        text[PYRO_URI_BYTES];
    uint8_t     bytes[2 * PYRO_URI_BYTES];
    pyro_uri    again;
    pyro_writer out = pyro_writer_of(bytes, sizeof bytes, 1);
    pyro_reader in;

    if (uri->protocol == PYRO_URI_PYRO && uri->host_n == 0)
        return;
    test_eq(row, pyro_uri_print(uri, text, sizeof text), PYRO_OK);
    test_eq(text, pyro_uri_parse(&again, text, strlen(text), NULL), PYRO_OK);
    test_eq(text, again.protocol, uri->protocol);
    test_eq(text, again.port, uri->port);
    test_same(text, again.host, again.host_n, uri->host, uri->host_n);
    test_same(text, again.object, again.object_n, uri->object, uri->object_n);
    if (!pyroi_utf8((const uint8_t *)text, strlen(text)))
        return; /* such bytes cannot be put */
    pyro_put_uri(&out, uri);
    test_eq(text, pyro_writer_end(&out), PYRO_OK);
    in = pyro_reader_of(bytes, (size_t)(out.at - bytes));
    pyro_get_uri(&in, &again);
    test_eq(text, in.err, PYRO_OK);
    test_eq(text, again.port, uri->port);
    test_same(text, again.host, again.host_n, uri->host, uri->host_n);
}

/* One to three changes: another letter, one less, one more. */
static size_t mutate(char *text, size_t n, size_t size, uint32_t *seed)
{
    static const char letters[] = "/:@[]PYRONAMEunix:0 9a%\x7F\xFF";
    unsigned          times = 1 + test_random(seed) % 3;

    for (; times > 0; times--) {
        size_t at = n > 0 ? test_random(seed) % n : 0;
        char   c = letters[test_random(seed) % (sizeof letters - 1)];

        switch (test_random(seed) % 3) {
        case 0:
            if (n > 0)
                text[at] = c;
            break;
        case 1:
            if (n > 0)
                memmove(text + at, text + at + 1, --n - at);
            break;
        default:
            if (n < size) {
                memmove(text + at + 1, text + at, n++ - at);
                text[at] = c;
            }
        }
    }
    return n;
}

TEST(changed_texts_are_refused_or_mean_the_same_everywhere)
{
    uint32_t seed = 9;
    unsigned run;
    unsigned good = 0;

    for (run = 0; run < 200000; run++) {
        const char *from = forms[run % PYRO_COUNT(forms)].text;
        char        text[64];
        size_t      n = strlen(from);
        pyro_uri    uri;
        const char *reason;

        memcpy(text, from, n);
        n = mutate(text, n, sizeof text, &seed);
        if (parse(&uri, text, n, &reason) != PYRO_OK)
            continue;
        good++;
        check_same_everywhere(from, &uri);
    }
    assert_in_range(good, 20000, 180000);
}

TEST(changed_maps_are_refused_or_mean_the_same_everywhere)
{
    uint32_t seed = 10;
    unsigned run;
    unsigned good = 0;

    for (run = 0; run < 200000; run++) {
        uint8_t     bytes[128];
        size_t      n = test_hex(bytes, sizeof bytes,
                                 golden[run % PYRO_COUNT(golden)].hex);
        pyro_reader in;
        pyro_uri    uri;
        unsigned    times = 1 + test_random(&seed) % 2;

        for (; times > 0; times--) /* most often in the state */
            bytes[n - 1 - test_random(&seed) % (n / 2)] =
                (uint8_t)test_random(&seed);
        in = pyro_reader_of(test_fenced(bytes, n), n);
        pyro_get_uri(&in, &uri);
        if (in.err != PYRO_OK)
            continue;
        good++;
        check_same_everywhere(golden[run % PYRO_COUNT(golden)].hex, &uri);
    }
    assert_in_range(good, 2000, 180000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_form_is_read_and_printed_in_the_first_one),
    cmocka_unit_test(what_is_printed_is_read_as_the_same),
    cmocka_unit_test(a_name_with_a_slash_is_not_taken_for_a_host),
    cmocka_unit_test(what_is_no_uri_is_refused_with_its_reason),
    cmocka_unit_test(a_zero_byte_is_a_control_character),
    cmocka_unit_test(only_the_given_bytes_are_read),
    cmocka_unit_test(every_text_cut_at_every_length_is_read_or_refused),
    cmocka_unit_test(host_and_object_have_their_longest_length),
    cmocka_unit_test(uri_bytes_are_enough_for_the_longest),
    cmocka_unit_test(a_uri_is_printed_whole_or_not_at_all),
    cmocka_unit_test(parts_longer_than_any_that_are_read_are_not_printed),
    cmocka_unit_test(this_connection_as_a_text_is_no_uri),
    cmocka_unit_test(a_uri_is_put_as_the_map_of_pyro5_and_got_from_it),
    cmocka_unit_test(a_uri_is_got_from_its_text),
    cmocka_unit_test(a_uri_is_got_from_a_proxy_of_pyro5),
    cmocka_unit_test(the_entries_of_the_map_may_come_in_any_order_and_form),
    cmocka_unit_test(a_name_from_pyro5_may_have_nil_as_its_port),
    cmocka_unit_test(this_connection_is_put_for_an_own_object_and_got),
    cmocka_unit_test(this_connection_cannot_be_passed_on),
    cmocka_unit_test(
        an_object_of_this_connection_has_a_length_that_can_be_read),
    cmocka_unit_test(a_uri_that_does_not_fit_is_no_space),
    cmocka_unit_test(every_uri_cut_at_every_length_is_a_data_error),
    cmocka_unit_test(a_value_that_is_no_uri_is_a_type_error),
    cmocka_unit_test(every_part_of_the_state_is_checked),
    cmocka_unit_test(lengths_of_a_uri_got_are_those_of_a_uri_read),
    cmocka_unit_test(a_spoiled_reader_gives_no_uri),
    cmocka_unit_test(changed_texts_are_refused_or_mean_the_same_everywhere),
    cmocka_unit_test(changed_maps_are_refused_or_mean_the_same_everywhere)
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
