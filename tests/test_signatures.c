/* Signatures: what each letter takes, how many arguments, and keyword
 * arguments in every order. All by a raw caller, over the wire. */
#include "call_rig.h"

/* ------------------------------------------------------------------------
 * Letters.
 * ------------------------------------------------------------------------ */

struct letter_row {
    const char *type; /* letter, or container of one */
    const char *hex;  /* a value */
    bool        fits;
};

static const struct letter_row scalar_rows[] = {
    { "b", "c2", true },
    { "b", "c3", true },
    { "b", "00", false },
    { "b", "01", false },
    { "b", "c0", false },
    { "b", "a4 'true'", false },
    { "i", "00", true },
    { "i", "7f", true },
    { "i", "e0", true },
    { "i", "ff", true },
    { "i", "ce 7fffffff", true },
    { "i", "ce 80000000", false },
    { "i", "d2 80000000", true },
    { "i", "d3 ffffffff80000000", true },
    { "i", "d3 ffffffff7fffffff", false },
    { "i", "d3 0000000000000001", true }, /* longer than it had to be */
    { "i", "cf 000000007fffffff", true },
    { "i", "cf 0000000080000000", false },
    { "i", "cf ffffffffffffffff", false },
    { "i", "cf 8000000000000000", false },
    { "i", "ca 3f800000", false },
    { "i", "cb 3ff0000000000000", false },
    { "i", "c3", false },
    { "i", "c0", false },
    { "i", "a1 '1'", false },
    { "q", "00", true },
    { "q", "e0", true },
    { "q", "ce 80000000", true },
    { "q", "d3 8000000000000000", true },
    { "q", "d3 7fffffffffffffff", true },
    { "q", "cf 7fffffffffffffff", true },
    { "q", "cf 8000000000000000", false },
    { "q", "cf ffffffffffffffff", false },
    { "q", "cb 3ff0000000000000", false },
    { "q", "c2", false },
    { "d", "cb 7ff8000000000000", true },
    { "d", "cb 3ff8000000000000", true },
    { "d", "ca 3fc00000", true },
    { "d", "05", true },
    { "d", "e0", true },
    { "d", "d3 8000000000000000", true },
    { "d", "cf 7fffffffffffffff", true },
    { "d", "cf 8000000000000000", false },
    { "d", "c3", false },
    { "d", "c0", false },
    { "d", "a3 '1.5'", false },
    { "s", "a0", true },
    { "s", "a1 'x'", true },
    { "s", "d9 01 'x'", true },
    { "s", "da 0001 'x'", true },
    { "s", "db 00000001 'x'", true },
    { "s", "a1 00", true },
    { "s", "c4 01 'x'", false },
    { "s", "c0", false },
    { "s", "05", false },
    { "s", "91 a1 'x'", false },
    { "y", "c4 00", true },
    { "y", "c4 01 ff", true },
    { "y", "c5 0001 ff", true },
    { "y", "c6 00000001 ff", true },
    { "y", "a1 'x'", false },
    { "y", "90", false },
    { "y", "c0", false },
    { "y", "d4 01 02", false },
    { "U", "a1 'x'", true },
    { "U", "80", true },
    { "U",
      "82 a9 '__class__' ae 'Pyro5.core.URI' a5 'state' 95 a4 'PYRO'"
      " a1 'x' c0 c0 00",
      true },
    { "U", "c4 01 'x'", false },
    { "U", "90", false },
    { "U", "c0", false },
    { "U", "07", false },
    { "v", "c0", true },
    { "v", "c2", true },
    { "v", "00", true },
    { "v", "cf ffffffffffffffff", true },
    { "v", "d3 8000000000000000", true },
    { "v", "ca 3fc00000", true },
    { "v", "cb 3ff8000000000000", true },
    { "v", "a0", true },
    { "v", "c4 00", true },
    { "v", "90", true },
    { "v", "80", true },
    { "v", "d4 01 02", true },
    { "v", "c7 00 05", true },
    { "v", "92 91 c0 81 c0 90", true }
};

static const struct letter_row container_rows[] = {
    { "[d]", "90", true },
    { "[d]", "92 01 cb 3ff8000000000000", true },
    { "[d]", "dc 0001 01", true },
    { "[d]", "dd 00000001 01", true },
    { "[d]", "91 c0", false },
    { "[d]", "92 01 a0", false },
    { "[d]", "91 91 01", false },
    { "[d]", "80", false },
    { "[d]", "81 a1 'a' 01", false },
    { "[d]", "01", false },
    { "[d]", "c0", false },
    { "[d]", "a1 'x'", false },
    { "[i]", "92 ce 7fffffff d2 80000000", true },
    { "[i]", "93 00 ce 80000000 00", false },
    { "[q]", "91 cf 8000000000000000", false },
    { "[b]", "92 c2 c3", true },
    { "[b]", "92 c2 00", false },
    { "[s]", "92 a1 'a' a0", true },
    { "[s]", "92 a1 'a' c4 00", false },
    { "[y]", "91 c4 01 00", true },
    { "[y]", "91 a0", false },
    { "[U]", "92 80 a1 'x'", true },
    { "[U]", "92 80 90", false },
    { "[v]", "95 c0 01 a0 91 91 c0 80", true },
    { "[v]", "80", false },
    { "{q}", "80", true },
    { "{q}", "82 a1 'a' 01 a1 'b' e0", true },
    { "{q}", "de 0001 a1 'a' 01", true },
    { "{q}", "df 00000001 a1 'a' 01", true },
    { "{q}", "81 a1 'a' a1 'b'", false },
    { "{q}", "82 a1 'a' 01 a1 'b' cf 8000000000000000", false },
    { "{q}", "81 01 01", false }, /* a key that is no str */
    { "{q}", "81 c4 01 'a' 01", false },
    { "{q}", "82 a1 'a' 01 c0 01", false },
    { "{q}", "90", false },
    { "{q}", "91 01", false },
    { "{q}", "c0", false },
    { "{s}", "81 a1 'a' a1 'b'", true },
    { "{s}", "81 a1 'a' 01", false },
    { "{b}", "81 a1 'a' c3", true },
    { "{b}", "81 a1 'a' c0", false },
    { "{v}", "82 a0 91 90 a1 'b' 81 c0 c0", true },
    { "{v}", "91 c0", false }
};

static const char *text_of(const char *type)
{
    static const char *const texts[] = { "b", "bool",
                                         "i", "int of 32 bits",
                                         "q", "int of 64 bits",
                                         "d", "float",
                                         "s", "str",
                                         "y", "bytes",
                                         "U", "URI or proxy",
                                         "[", "list of",
                                         "{", "map of str to" };
    size_t                   i = 0;

    while (i + 2 < PYRO_COUNT(texts) && texts[i][0] != type[0])
        i += 2;
    return texts[i + 1];
}

/* A row as the third parameter, after an int and a str, named or not. */
static void try_row(const struct letter_row *row, const char *name)
{
    char args[600];

    snprintf(obj.signature, sizeof obj.signature, "%s%s%s%s",
             *name != '\0' ? "a:i b:s ?" : "is", name,
             *name != '\0' ? ":" : "", row->type);
    snprintf(args, sizeof args, "93 05 a1 'x' %s", row->hex);
    call(args, args, "80");
    if (row->fits) {
        expect_nil(args);
        test_same_hex(args, obj.args, obj.n_args, args + 2);
    } else {
        expect_raised_says(args, "TypeError", "argument 3");
        expect_raised_says(args, "TypeError", text_of(row->type));
        if (*name != '\0')
            expect_raised_says(args, "TypeError", "'size'");
    }
    test_eq(args, runs(), row->fits);
}

static void try_rows(const struct letter_row *rows, size_t n)
{
    size_t i;

    start();
    for (i = 0; i < n; i++) {
        try_row(&rows[i], "");
        try_row(&rows[i], "size");
    }
}

TEST(each_letter_takes_its_values_and_no_others)
{
    try_rows(scalar_rows, PYRO_COUNT(scalar_rows));
}

TEST(containers_are_checked_one_level_deep)
{
    try_rows(container_rows, PYRO_COUNT(container_rows));
}

/* `depth` lists around nil, or maps, or in turn. */
static void nested(char *to, unsigned depth, int kind)
{
    static const char *const one[] = { "91", "81 a0" };
    unsigned                 i;

    for (*to = '\0', i = 0; i < depth; i++)
        strcat(to, one[kind == 2 ? i & 1 : (unsigned)kind]);
    strcat(to, "c0");
}

TEST(anything_may_be_nested_to_the_depth_that_has_a_name)
{
    char     args[400] = "91 ";
    unsigned depth;
    int      kind;

    start();
    strcpy(obj.signature, "v");
    for (kind = 0; kind < 3; kind++) {
        for (depth = 1; depth <= PYRO_MAX_DEPTH + 3; depth++) {
            nested(args + 3, depth, kind);
            call(args, args, "80");
            test_eq(args, runs(), depth <= PYRO_MAX_DEPTH);
            if (depth <= PYRO_MAX_DEPTH)
                expect_nil(args);
            else
                expect_raised(args, "ProtocolError");
        }
    }
}

/* ------------------------------------------------------------------------
 * Numbers of arguments.
 * ------------------------------------------------------------------------ */

struct count_row {
    const char *signature;
    unsigned    least;
    unsigned    most;
};

static const struct count_row count_rows[] = {
    { "", 0, 0 },
    { "i", 1, 1 },
    { "?i", 0, 1 },
    { "ii", 2, 2 },
    { "ii?ii", 2, 4 },
    { "a:i", 1, 1 },
    { "a:i b:i", 2, 2 },
    { "a:i b:i ?c:i", 2, 3 },
    { "?a:i b:i", 0, 2 },
    { "a:i ?b:i c:i", 1, 3 },
    { " a:i  b:i ", 2, 2 },
    { "iiiiiiiiiiiiiii", 15, 15 },
    { "?iiiiiiiiiiiiiii", 0, 15 },
    { "a:i b:i c:i d:i e:i f:i g:i h:i i:i j:i k:i l:i m:i n:i o:i", 15, 15 }
};

static void count_args(char *to, unsigned n)
{
    unsigned i;

    to += sprintf(to, "%02x", 0x90 + n);
    for (i = 0; i < n; i++)
        to += sprintf(to, " %02x", i);
}

static void try_count(const struct count_row *row, unsigned n)
{
    bool fits = n >= row->least && n <= row->most;
    char args[100];
    char given[24];
    char expected[24];

    count_args(args, n);
    strcpy(obj.signature, row->signature);
    call(row->signature, args, "80");
    test_eq(row->signature, runs(), fits);
    if (fits) {
        test_same_hex(args, obj.args, obj.n_args, args + 2);
        return;
    }
    snprintf(given, sizeof given, "given: %u", n);
    snprintf(expected, sizeof expected, "expected: %u",
             n < row->least ? row->least : row->most);
    expect_raised_says(row->signature, "TypeError", given);
    expect_raised_says(row->signature, "TypeError", expected);
}

TEST(a_wrong_number_of_arguments_is_told_with_both_numbers)
{
    size_t   i;
    unsigned n;

    start();
    for (i = 0; i < PYRO_COUNT(count_rows); i++) {
        for (n = 0; n <= PYRO_MAX_ARGS; n++)
            try_count(&count_rows[i], n);
    }
}

TEST(the_first_argument_that_does_not_fit_is_named)
{
    start();
    strcpy(obj.signature, "speed:i direction:s ?limit:d");
    call("2nd", "93 01 02 a1 'x'", "80");
    expect_raised_says("2nd", "TypeError", "argument 2 'direction'");
    call("1st", "93 c0 c0 c0", "80");
    expect_raised_says("1st", "TypeError", "argument 1 'speed'");
    call("3rd by name", "92 01 a1 'x'", "81 a5 'limit' c0");
    expect_raised_says("3rd by name", "TypeError", "argument 3 'limit'");
    call("2nd by name", "91 01", "81 a9 'direction' 05");
    expect_raised_says("2nd by name", "TypeError", "argument 2 'direction'");
    strcpy(obj.signature, "is?d");
    call("2nd, no names", "92 01 02", "80");
    expect_raised_says("2nd, no names", "TypeError", "argument 2");
    assert_int_equal(runs(), 0);
}

/* An object whose method looks at its arguments itself. */
static const pyro_method own_methods[] = { { "m", obj_m, "is", "v",
                                             PYRO_UNCHECKED } };
static const pyro_class  own_class = { "Own", PYRO_METHODS(own_methods),
                                       PYRO_NO_ATTRS, NULL, 0 };

static void look(const char *args)
{
    char hex[100];

    snprintf(hex, sizeof hex, "94 a3 'own' a1 'm' %s", args);
    call_body(args, hex);
}

TEST(a_handler_can_look_at_its_arguments_itself)
{
    start();
    assert_int_equal(pyro_export(&rig.a, &own_class, &obj, "own"), PYRO_OK);
    look("92 01 a1 'x' 80");
    expect_nil("two");
    test_same_hex("two", obj.args, obj.n_args, "01 a1 'x'");
    look("90");
    expect_raised("cut off", "ProtocolError");
    test_eq("runs", runs(), 1);
#ifndef __OPTIMIZE_SIZE__ /* else they are looked at before, too */
    look("91 a1 'x' c0");
    expect_nil("one, of another type");
    test_same_hex("one", obj.args, obj.n_args, "a1 'x'");
    look("92 01 a1 'x' 81 a1 'a' 02");
    expect_nil("one more by keyword");
    test_eq("runs", runs(), 2);
#endif
}

/* A text as long as the signature may make it. */
TEST(a_parameter_with_a_long_name_is_still_named)
{
    char name[100];

    start();
    memset(name, 'n', 80);
    name[80] = '\0';
    snprintf(obj.signature, sizeof obj.signature, "%s:{q}", name);
    call("long name", "91 c0", "80");
    name[40] = '\0';
    expect_raised_says("long name", "TypeError", name);
}

/* ------------------------------------------------------------------------
 * Keyword arguments.
 * ------------------------------------------------------------------------ */

struct kwargs_row {
    const char *label;
    const char *args;
    const char *kwargs;
    const char *want; /* arguments as the handler sees them */
};

static const struct kwargs_row good_kwargs[] = {
    { "none", "93 01 02 03", "80", "01 02 03" },
    { "none, map16", "93 01 02 03", "de 0000", "01 02 03" },
    { "none, map32", "93 01 02 03", "df 00000000", "01 02 03" },
    { "nil", "93 01 02 03", "c0", "01 02 03" },
    { "abc", "90", "83 a1 'a' 01 a1 'b' 02 a1 'c' 03", "01 02 03" },
    { "acb", "90", "83 a1 'a' 01 a1 'c' 03 a1 'b' 02", "01 02 03" },
    { "bac", "90", "83 a1 'b' 02 a1 'a' 01 a1 'c' 03", "01 02 03" },
    { "bca", "90", "83 a1 'b' 02 a1 'c' 03 a1 'a' 01", "01 02 03" },
    { "cab", "90", "83 a1 'c' 03 a1 'a' 01 a1 'b' 02", "01 02 03" },
    { "cba", "90", "83 a1 'c' 03 a1 'b' 02 a1 'a' 01", "01 02 03" },
    { "1 ab", "91 01", "82 a1 'c' 03 a1 'b' 02", "01 02 03" },
    { "2 c", "92 01 02", "81 a1 'c' 03", "01 02 03" },
    { "optional left out", "90", "82 a1 'b' 02 a1 'a' 01", "01 02" },
    { "optional left out, 1", "91 01", "81 a1 'b' 02", "01 02" },
    { "map16", "90", "de 0002 a1 'b' 02 a1 'a' 01", "01 02" },
    { "map32", "91 01", "df 00000001 a1 'b' 02", "01 02" },
    { "long str", "91 01", "81 d9 01 'b' 02", "01 02" },
    { "longer str", "91 01", "81 db 00000001 'b' d0 02", "01 d0 02" },
    { "args as list16", "dc 0001 01", "81 a1 'b' 02", "01 02" },
    { "sizes", "90",
      "83 a1 'c' a5 'ccccc' a1 'b' c4 00 a1 'a' 92 01 82 a0 c0 a0 c0",
      "92 01 82 a0 c0 a0 c0 c4 00 a5 'ccccc'" }
};

TEST(keyword_arguments_come_in_any_order)
{
    size_t i;

    start();
    strcpy(obj.signature, "a:v b:v ?c:v");
    for (i = 0; i < PYRO_COUNT(good_kwargs); i++) {
        const struct kwargs_row *row = &good_kwargs[i];

        call(row->label, row->args, row->kwargs);
        expect_nil(row->label);
        test_eq(row->label, runs(), 1);
        test_same_hex(row->label, obj.args, obj.n_args, row->want);
    }
}

static const struct kwargs_row bad_kwargs[] = {
    { "unknown", "92 01 02", "81 a1 'x' 03", NULL },
    { "unknown, first", "90", "83 a1 'x' 03 a1 'a' 01 a1 'b' 02", NULL },
    { "unknown, last", "90", "83 a1 'a' 01 a1 'b' 02 a1 'x' 03", NULL },
    { "part of a name", "91 01", "82 a1 'b' 02 a0 03", NULL },
    { "more than a name", "91 01", "81 a2 'bb' 02", NULL },
    { "other case", "91 01", "81 a1 'B' 02", NULL },
    { "twice", "90", "83 a1 'a' 01 a1 'b' 02 a1 'a' 01", NULL },
    { "twice in a row", "91 01", "82 a1 'b' 02 a1 'b' 02", NULL },
    { "all optional twice", "92 01 02", "82 a1 'c' 03 a1 'c' 03", NULL },
    { "also by position", "91 01", "81 a1 'a' 01", NULL },
    { "also by position, and b", "91 01", "82 a1 'b' 02 a1 'a' 01", NULL },
    { "one too many", "93 01 02 03", "81 a1 'c' 03", NULL },
    { "four by position", "94 01 02 03 04", "81 a1 'c' 03", NULL },
    { "required left out", "90", "81 a1 'b' 02", NULL },
    { "required left out, 2", "90", "81 a1 'a' 01", NULL },
    { "required left out, 3", "91 01", "81 a1 'c' 03", NULL },
    { "gap", "90", "82 a1 'a' 01 a1 'c' 03", NULL },
    { "key is int", "91 01", "81 05 02", NULL },
    { "key is nil", "91 01", "81 c0 02", NULL },
    { "key is bytes", "91 01", "81 c4 01 'b' 02", NULL },
    { "key is a list", "91 01", "82 90 03 a1 'b' 02", NULL },
    { "second key is int", "90", "83 a1 'a' 01 05 02 a1 'b' 02", NULL },
    { "last key is int", "90", "83 a1 'a' 01 a1 'b' 02 05 02", NULL }
};

TEST(keyword_arguments_that_do_not_fit_are_a_type_error)
{
    size_t i;

    start();
    strcpy(obj.signature, "a:v b:v ?c:v");
    for (i = 0; i < PYRO_COUNT(bad_kwargs); i++) {
        const struct kwargs_row *row = &bad_kwargs[i];

        call(row->label, row->args, row->kwargs);
        expect_raised(row->label, "TypeError");
        test_eq(row->label, runs(), 0);
    }
}

TEST(a_keyword_of_the_wrong_type_is_named)
{
    start();
    strcpy(obj.signature, "a:i b:s");
    call("swapped", "90", "82 a1 'a' a1 'x' a1 'b' 01");
    expect_raised_says("swapped", "TypeError", "argument 1 'a'");
    call("second", "90", "82 a1 'b' 01 a1 'a' 05");
    expect_raised_says("second", "TypeError", "argument 2 'b'");
    assert_int_equal(runs(), 0);
}

TEST(keywords_are_refused_where_parameters_have_no_names)
{
    start();
    strcpy(obj.signature, "ii?d");
    call("one", "91 01", "81 a1 'b' 02");
    expect_raised("one", "TypeError");
    call("empty name", "91 01", "81 a0 02");
    expect_raised("empty name", "TypeError");
    call("its letter", "91 01", "81 a1 'i' 02");
    expect_raised("its letter", "TypeError");
    call("the optional one", "92 01 02", "81 a1 'd' 02");
    expect_raised("the optional one", "TypeError");
    strcpy(obj.signature, "");
    call("no parameters", "90", "81 a1 'a' 02");
    expect_raised("no parameters", "TypeError");
    assert_int_equal(runs(), 0);
    strcpy(obj.signature, "ii?d");
    call("empty map", "92 01 02", "80");
    expect_nil("empty map");
    call("nil", "92 01 02", "c0");
    expect_nil("nil");
}

/* All by keyword, the last first. */
static void many_kwargs(char *to, unsigned n, bool map16)
{
    to += sprintf(to, map16 ? "de 00%02x" : "%02x", map16 ? n : 0x80 + n);
    while (n-- > 0)
        to += sprintf(to, " a2 'p%c' %02x", 'a' + (int)n, n);
}

TEST(up_to_as_many_keywords_as_arguments_are_taken)
{
    char     kwargs[400];
    char     want[100] = "";
    char    *p = obj.signature;
    unsigned n;

    start();
    for (n = 0; n < PYRO_MAX_ARGS; n++) {
        p += sprintf(p, "p%c:i ", 'a' + (int)n);
        sprintf(want + 3 * n, "%02x ", n);
    }
    many_kwargs(kwargs, PYRO_MAX_ARGS, false);
    call("15", "90", kwargs);
    expect_nil("15");
    test_same_hex("15", obj.args, obj.n_args, want);
    many_kwargs(kwargs, PYRO_MAX_ARGS, true);
    call("15, map16", "90", kwargs);
    expect_nil("15, map16");
    test_same_hex("15, map16", obj.args, obj.n_args, want);
    assert_int_equal(runs(), 2);
    many_kwargs(kwargs, PYRO_MAX_ARGS + 1, true);
    call("16", "90", kwargs);
    expect_raised("16", "TypeError");
    many_kwargs(kwargs, PYRO_MAX_ARGS, false);
    call("1 and 15", "91 05", kwargs);
    expect_raised("1 and 15", "TypeError");
    assert_int_equal(runs(), 0);
}

/* ------------------------------------------------------------------------
 * Any signature, any order: the handler sees what a call by position shows.
 * ------------------------------------------------------------------------ */

struct random_call {
    unsigned n; /* parameters */
    unsigned given;
    unsigned by_place;
    unsigned order[PYRO_MAX_ARGS]; /* of the others */
    char     names[PYRO_MAX_ARGS][8];
    uint8_t  values[PYRO_MAX_ARGS][64];
    size_t   sizes[PYRO_MAX_ARGS];
};

static void random_text(pyro_writer *w, uint32_t *seed)
{
    char     text[12];
    unsigned i;
    unsigned n = test_random(seed) % sizeof text;

    for (i = 0; i < n; i++)
        text[i] = (char)('a' + test_random(seed) % 26);
    pyro_put_strn(w, text, n);
}

/* A value that fits a letter. */
static void random_value(pyro_writer *w, char letter, uint32_t *seed)
{
    switch (letter) {
    case 'b':
        pyro_put_bool(w, (test_random(seed) & 1) != 0);
        break;
    case 'i':
        pyro_put_int(w, (int32_t)(test_random(seed) >> test_random(seed) % 31
                                  & 0x7FFFFFFF));
        break;
    case 'q':
        pyro_put_int(w, (int64_t)test_random64(seed));
        break;
    case 'd':
        pyro_put_f64(w, (double)test_random(seed));
        break;
    case 'y':
        pyro_put_bin(w, "0123456789", test_random(seed) % 11);
        break;
    case 'v':
        if ((test_random(seed) & 1) != 0) {
            pyro_put_nil(w);
            break;
        }
        pyro_put_map(w, 1);
        random_text(w, seed);
        pyro_put_list(w, 1);
        /* fall through */
    default:
        random_text(w, seed);
    }
}

/* A parameter: its part of the signature, and a value. */
static char *random_param(struct random_call *c, unsigned i, char *sig,
                          uint32_t *seed)
{
    static const char letters[] = "biqdsyv";
    char              letter = letters[test_random(seed) % 7];
    unsigned          shape = test_random(seed) % 4;
    unsigned          n = test_random(seed) % 3;
    pyro_writer       w = pyro_writer_of(c->values[i], 64, 1);

    snprintf(c->names[i], sizeof c->names[i], "%.*s%c",
             (int)(test_random(seed) % 3), "xy", 'a' + (int)i);
    sig += sprintf(sig, "%s:", c->names[i]);
    if (shape >= 2) {
        sig += sprintf(sig, "%c", letter);
        random_value(&w, letter, seed);
    } else if (shape == 0) {
        sig += sprintf(sig, "[%c]", letter);
        for (pyro_put_list(&w, n); n > 0; n--)
            random_value(&w, letter == 'v' ? 'd' : letter, seed);
    } else {
        sig += sprintf(sig, "{%c}", letter);
        for (pyro_put_map(&w, n); n > 0; n--) {
            pyro_put_str(&w, "k");
            random_value(&w, letter == 'v' ? 'b' : letter, seed);
        }
    }
    assert_int_equal(pyro_writer_end(&w), PYRO_OK);
    c->sizes[i] = (size_t)(w.at - c->values[i]);
    return sig + sprintf(sig, " ");
}

static void random_case(struct random_call *c, uint32_t *seed)
{
    char     sig[256] = "";
    char    *p = sig;
    unsigned required;
    unsigned i;

    c->n = test_random(seed) % 8 + (test_random(seed) % 8 == 0 ? 8 : 0);
    required = test_random(seed) % (c->n + 1);
    for (i = 0; i < c->n; i++) {
        if (i == required)
            p += sprintf(p, "?");
        p = random_param(c, i, p, seed);
    }
    assert_true(strlen(sig) < sizeof obj.signature);
    strcpy(obj.signature, sig);
    c->given = required + test_random(seed) % (c->n - required + 1);
    c->by_place = test_random(seed) % (c->given + 1);
    for (i = c->by_place; i < c->given; i++)
        c->order[i] = i;
    for (i = c->given; i > c->by_place; i--) {
        unsigned j = c->by_place + test_random(seed) % (i - c->by_place);
        unsigned swapped = c->order[i - 1];

        c->order[i - 1] = c->order[j];
        c->order[j] = swapped;
    }
}

/* Sends it; in order and by position, or as the case says. */
static void send_case(const struct random_call *c, bool by_name)
{
    uint8_t     body[RIG_MAX];
    uint8_t     frame[RIG_MAX + 8];
    pyro_writer w = pyro_writer_of(body, sizeof body, 1);
    unsigned    places = by_name ? c->by_place : c->given;
    unsigned    i;

    pyro_put_list(&w, 4);
    pyro_put_str(&w, "o");
    pyro_put_str(&w, "m");
    pyro_put_list(&w, places);
    for (i = 0; i < places; i++)
        pyro_put_raw(&w, c->values[i], c->sizes[i]);
    pyro_put_map(&w, c->given - places);
    for (i = places; i < c->given; i++) {
        pyro_put_str(&w, c->names[c->order[i]]);
        pyro_put_raw(&w, c->values[c->order[i]], c->sizes[c->order[i]]);
    }
    assert_int_equal(pyro_writer_end(&w), PYRO_OK);
    raw_feed(caller, frame,
             raw_frame(frame, INVOKE, 0, ++last_seq, body,
                       (uint32_t)(w.at - body)));
    take_reply(obj.signature);
    expect_nil(obj.signature);
}

TEST(any_order_of_keywords_is_the_same_call_as_by_position)
{
    uint32_t           seed = 20240611;
    struct random_call c;
    uint8_t            want[sizeof obj.args];
    size_t             n;
    int                i;

    start();
    for (i = 0; i < 1000; i++) {
        random_case(&c, &seed);
        if (strlen(obj.signature) >= sizeof obj.signature)
            continue;
        send_case(&c, false);
        n = obj.n_args;
        memcpy(want, obj.args, n);
        send_case(&c, true);
        test_same(obj.signature, obj.args, obj.n_args, want, n);
        test_eq(obj.signature, runs(), 2);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CALL_TEST(each_letter_takes_its_values_and_no_others),
        CALL_TEST(containers_are_checked_one_level_deep),
        CALL_TEST(anything_may_be_nested_to_the_depth_that_has_a_name),
        CALL_TEST(a_wrong_number_of_arguments_is_told_with_both_numbers),
        CALL_TEST(the_first_argument_that_does_not_fit_is_named),
        CALL_TEST(a_handler_can_look_at_its_arguments_itself),
        CALL_TEST(a_parameter_with_a_long_name_is_still_named),
        CALL_TEST(keyword_arguments_come_in_any_order),
        CALL_TEST(keyword_arguments_that_do_not_fit_are_a_type_error),
        CALL_TEST(a_keyword_of_the_wrong_type_is_named),
        CALL_TEST(keywords_are_refused_where_parameters_have_no_names),
        CALL_TEST(up_to_as_many_keywords_as_arguments_are_taken),
        CALL_TEST(any_order_of_keywords_is_the_same_call_as_by_position)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
