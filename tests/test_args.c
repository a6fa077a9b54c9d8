/* The options of a command line: examples/lib/args.h. */
#define PYRO_IMPLEMENTATION
#include "../pyro.h"
#include "../examples/lib/args.h"

#include "pyro_test.h"

/* What a line of words gave. */
static struct {
    bool        loud;
    bool        force;
    const char *host;
    const char *dir;
    long        port;
    long        level;
    char        out[1024];
    char        err[512];
    int         argc;
    char       *argv[16];
} got;

static const pyro_option table[] = {
    PYRO_OPTION_FLAG('v', NULL, &got.loud, "say more"),
    PYRO_OPTION_FLAG(0, "force", &got.force, "at any price"),
    PYRO_OPTION_TEXT('n', "host", "HOST", &got.host, "listen there"),
    PYRO_OPTION_MAYBE('d', "dir", "DIR", "names", &got.dir,
                      "keep the names\nin a directory"),
    PYRO_OPTION_NUMBER('p', "port", "PORT", &got.port, 0, 65535, "port"),
    PYRO_OPTION_NUMBER('l', NULL, "N", &got.level, -20, 19, "level"),
};

static pyro_options options = { "prog",
                                "[options] [FILE...]",
                                "About it.",
                                table,
                                PYRO_COUNT(table),
                                0,
                                3,
                                false,
                                NULL,
                                NULL };

/* Reads a line of words that blanks part; '' is an empty word. */
static int read_line(const char *line)
{
    static char words[256];
    char       *word;
    int         status;

    memset(&got, 0, sizeof got);
    got.port = 9090;
    got.argv[got.argc++] = (char *)(uintptr_t) "prog";
    snprintf(words, sizeof words, "%s", line);
    for (word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        got.argv[got.argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    options.out = fmemopen(got.out, sizeof got.out, "w");
    options.err = fmemopen(got.err, sizeof got.err, "w");
    status = pyro_options_read(&options, &got.argc, got.argv);
    fclose(options.out);
    fclose(options.err);
    return status;
}

/* The arguments that are left, parted by blanks. */
static const char *left(void)
{
    static char text[256];
    int         i;

    text[0] = 0;
    for (i = 1; i < got.argc; i++) {
        if (i > 1)
            strcat(text, " ");
        strcat(text, got.argv[i]);
    }
    return text;
}

TEST(every_way_to_write_an_option_is_read)
{
    static const struct {
        const char *line;
        const char *left;
        const char *host;
        const char *dir;
        long        port;
        bool        loud;
        bool        force;
    } rows[] = { { "", "", "", "", 9090, false, false },
                 { "-v", "", "", "", 9090, true, false },
                 { "--force", "", "", "", 9090, false, true },
                 { "-n box", "", "box", "", 9090, false, false },
                 { "-nbox", "", "box", "", 9090, false, false },
                 { "--host box", "", "box", "", 9090, false, false },
                 { "--host=box", "", "box", "", 9090, false, false },
                 { "--host=", "", "", "", 9090, false, false },
                 { "--host=a=b", "", "a=b", "", 9090, false, false },
                 { "-n-x", "", "-x", "", 9090, false, false },
                 { "-p 80", "", "", "", 80, false, false },
                 { "-p80", "", "", "", 80, false, false },
                 { "-p 0", "", "", "", 0, false, false },
                 { "-p 65535", "", "", "", 65535, false, false },
                 { "-p 0080", "", "", "", 80, false, false },
                 { "--port=80", "", "", "", 80, false, false },
                 { "-vp80", "", "", "", 80, true, false },
                 { "-vp 80", "", "", "", 80, true, false },
                 { "-p80 -p81", "", "", "", 81, false, false },
                 { "-d", "", "", "names", 9090, false, false },
                 { "-d -v", "", "", "names", 9090, true, false },
                 { "-d x", "", "", "x", 9090, false, false },
                 { "-dx", "", "", "x", 9090, false, false },
                 { "--dir", "", "", "names", 9090, false, false },
                 { "--dir=x", "", "", "x", 9090, false, false },
                 { "--dir --force", "", "", "names", 9090, false, true },
                 { "a -v b", "a b", "", "", 9090, true, false },
                 { "a b -p 1 c", "a b c", "", "", 1, false, false },
                 { "-v -- -v -p", "-v -p", "", "", 9090, true, false },
                 { "- -v", "-", "", "", 9090, true, false },
                 { "-n - a", "a", "-", "", 9090, false, false },
                 { "-- --", "--", "", "", 9090, false, false },
                 { "'' a", " a", "", "", 9090, false, false } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        const char *line = rows[i].line;

        test_eq(line, read_line(line), -1);
        assert_string_equal(left(), rows[i].left);
        assert_string_equal(got.host != NULL ? got.host : "", rows[i].host);
        assert_string_equal(got.dir != NULL ? got.dir : "", rows[i].dir);
        test_eq(line, got.port, rows[i].port);
        test_eq(line, got.loud, rows[i].loud);
        test_eq(line, got.force, rows[i].force);
        assert_string_equal(got.out, "");
        assert_string_equal(got.err, "");
    }
}

TEST(a_wrong_line_is_one_complaint_and_status_two)
{
    static const struct {
        const char *line;
        const char *text; /* between "prog: " and " (-h: help)" */
    } rows[] = { { "-z", "unknown option -z" },
                 { "-vz", "unknown option -z" },
                 { "--zap", "unknown option --zap" },
                 { "--por=1", "unknown option --por=1" },
                 { "--portx=1", "unknown option --portx=1" },
                 { "-z -h", "unknown option -z" },
                 { "--force=1", "takes no value: --force=1" },
                 { "-n", "-n needs a value: HOST" },
                 { "-n -v", "-n needs a value: HOST" },
                 { "-n --", "-n needs a value: HOST" },
                 { "--host", "--host needs a value: HOST" },
                 { "--host -v", "--host needs a value: HOST" },
                 { "-vn", "-n needs a value: HOST" },
                 { "-p x", "-p: not a number from 0 to 65535: x" },
                 { "-p 65536", "-p: not a number from 0 to 65535: 65536" },
                 { "-p-1", "-p: not a number from 0 to 65535: -1" },
                 { "-p 1x", "-p: not a number from 0 to 65535: 1x" },
                 { "-p ''", "-p: not a number from 0 to 65535: " },
                 { "-p-", "-p: not a number from 0 to 65535: -" },
                 { "-p +1", "-p: not a number from 0 to 65535: +1" },
                 { "-p 0x10", "-p: not a number from 0 to 65535: 0x10" },
                 { "--port=99999",
                   "--port: not a number from 0 to 65535: 99999" },
                 { "-p 99999999999999999999",
                   "-p: not a number from 0 to 65535: 99999999999999999999" },
                 { "a b c d", "one argument too many: d" } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        char want[160];

        test_eq(rows[i].line, read_line(rows[i].line), 2);
        snprintf(want, sizeof want, "prog: %s (-h: help)\n", rows[i].text);
        assert_string_equal(got.err, want);
        assert_string_equal(got.out, "");
        test_eq(rows[i].line, got.port, 9090);
    }
}

TEST(numbers_may_be_negative_in_the_same_word)
{
    static const struct {
        const char *line;
        int         status;
        long        level;
    } rows[] = { { "-l-20", -1, -20 }, { "-l-21", 2, 0 }, { "-l19", -1, 19 },
                 { "-l 20", 2, 0 },    { "-l -1", 2, 0 }, { "-l-0", -1, 0 },
                 { "-l--1", 2, 0 } };
    size_t i;

    for (i = 0; i < PYRO_COUNT(rows); i++) {
        test_eq(rows[i].line, read_line(rows[i].line), rows[i].status);
        test_eq(rows[i].line, got.level, rows[i].level);
    }
}

TEST(help_is_printed_on_stdout_and_ends_with_zero)
{
    static const char *const lines[] = { "-h", "--help", "-vh", "-v -h a b",
                                         "-h -z" };
    static const char        text[] = "usage: prog [options] [FILE...]\n"
                                      "  -v                   say more\n"
                                      "      --force          at any price\n"
                                      "  -n, --host=HOST      listen there\n"
                                      "  -d, --dir[=DIR]      keep the names\n"
                                      "                       in a directory\n"
                                      "  -p, --port=PORT      port\n"
                                      "  -l N                 level\n"
                                      "  -h, --help           this\n"
                                      "\n"
                                      "About it.\n";
    size_t                   i;

    for (i = 0; i < PYRO_COUNT(lines); i++) {
        test_eq(lines[i], read_line(lines[i]), 0);
        assert_string_equal(got.out, text);
        assert_string_equal(got.err, "");
    }
}

TEST(a_line_with_too_few_arguments_is_told_the_usage)
{
    options.least = 2;
    assert_int_equal(read_line("a -v"), 2);
    assert_string_equal(got.err, "prog: too few arguments: [options] "
                                 "[FILE...] (-h: help)\n");
    assert_int_equal(read_line("a b"), -1);
    assert_int_equal(read_line("-h"), 0);
    options.least = 0;
}

TEST(any_number_of_arguments_may_be_allowed)
{
    options.most = -1;
    assert_int_equal(read_line("a b c d e"), -1);
    assert_string_equal(left(), "a b c d e");
    options.most = 3;
}

TEST(where_options_come_first_all_behind_an_argument_are_arguments)
{
    options.first = true;
    assert_int_equal(read_line("-v add -1 --zap"), -1);
    assert_true(got.loud);
    assert_string_equal(left(), "add -1 --zap");
    assert_int_equal(read_line("-z add"), 2);
    options.first = false;
}

TEST(the_words_end_with_null)
{
    assert_int_equal(read_line("a -v b"), -1);
    assert_int_equal(got.argc, 3);
    assert_null(got.argv[3]);
    assert_int_equal(read_line(""), -1);
    assert_int_equal(got.argc, 1);
    assert_null(got.argv[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_write_an_option_is_read),
        cmocka_unit_test(a_wrong_line_is_one_complaint_and_status_two),
        cmocka_unit_test(numbers_may_be_negative_in_the_same_word),
        cmocka_unit_test(help_is_printed_on_stdout_and_ends_with_zero),
        cmocka_unit_test(a_line_with_too_few_arguments_is_told_the_usage),
        cmocka_unit_test(any_number_of_arguments_may_be_allowed),
        cmocka_unit_test(
            where_options_come_first_all_behind_an_argument_are_arguments),
        cmocka_unit_test(the_words_end_with_null)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
