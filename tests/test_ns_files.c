/* The journal in a directory: what its three functions do to the file system,
 * in which order, and when that fails. */
#include "ns_shim.h"

#define PYRO_POSIX
#define PYRO_IMPLEMENTATION
#include "../pyro_ns.h"

#include "pyro_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* A call that is interrupted so often fails: PYROI_NS_TRIES. */
enum { TRIES = 8 };

static pyro_ns_files files;
static char          base[32]; /* a directory for each test */
static char          path[48]; /* of the journal's, which is not there yet */

static int setup(void **state)
{
    (void)state;
    strcpy(base, "build/nsf-XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/names", base);
    shim_start();
    memset(&files, 0, sizeof files);
    return 0;
}

static const char *in_path(const char *name)
{
    static char text[96];

    snprintf(text, sizeof text, "%s/%s", path, name);
    return text;
}

static int teardown(void **state)
{
    (void)state;
    pyro_ns_files_close(&files);
    for (unsigned i = 0; i < SHIM_NAMES; i++)
        remove(in_path(shim_names[i]));
    remove(path);
    return remove(base);
}

static void open_it(void)
{
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_OK);
    shim_clear();
}

static bool append(const char *text)
{
    return files.storage.append(files.storage.user, text,
                                (uint32_t)strlen(text));
}

static bool sync_it(void)
{
    return files.storage.append(files.storage.user, NULL, 0);
}

static bool replace(const char *text)
{
    return files.storage.replace(files.storage.user, text,
                                 (uint32_t)strlen(text));
}

static bool replaced(void)
{
    return files.storage.replace(files.storage.user, NULL, 0);
}

/* The journal is this, as its own function and as everybody reads it. */
#define holds(text) holds_(text, __FILE__, __LINE__)

static void holds_(const char *text, const char *file, int line)
{
    char    own[256];
    char    any[256];
    int     fd = open(in_path("names.journal"), O_RDONLY);
    ssize_t n = read(fd, any, sizeof any);
    int32_t got = files.storage.read(files.storage.user, 0, own, sizeof own);

    close(fd);
    test_same_("by its own function", own, (size_t)got, text, strlen(text),
               file, line);
    test_same_("in the file", any, (size_t)n, text, strlen(text), file, line);
}

static bool there(const char *name)
{
    return access(in_path(name), F_OK) == 0;
}

/* The number that the next file that is opened gets. */
static int next_fd(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(in_path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* ------------------------------------------------------------------------
 * Opening
 * ------------------------------------------------------------------------ */

TEST(a_new_directory_is_there_after_a_power_cut_when_open_returns)
{
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_OK);
    assert_string_equal(shim->text,
                        "mkdir, open dir, open parent, sync parent, open lock,"
                        " lock, open journal, sync journal, sync dir");
    assert_non_null(shim_safe());
    assert_int_equal(shim_safe()->n_safe, 0);
    holds("");
}

TEST(what_a_killed_process_had_written_is_synced_before_it_is_read)
{
    open_it();
    assert_true(append("unsynced"));
    pyro_ns_files_close(&files);
    assert_false(shim_safe_has("unsynced", 8));
    open_it();
    assert_true(shim_safe_has("unsynced", 8));
    holds("unsynced");
}

TEST(what_is_left_of_an_unfinished_replacement_is_removed)
{
    open_it();
    pyro_ns_files_close(&files);
    put_file("names.new", "half");
    put_file("names.journal", "whole");
    open_it();
    assert_false(there("names.new"));
    holds("whole");
}

TEST(two_in_one_process_do_not_open_the_same_directory)
{
    static pyro_ns_files second;
    int                  fd;

    open_it();
    fd = next_fd();
    assert_int_equal(pyro_ns_files_open(&second, path), PYRO_ERR_BUSY);
    assert_int_equal(second.error, EWOULDBLOCK);
    assert_int_equal(next_fd(), fd);
    assert_true(append("still mine"));
    pyro_ns_files_close(&second);
    pyro_ns_files_close(&files);
    assert_int_equal(pyro_ns_files_open(&second, path), PYRO_OK);
    pyro_ns_files_close(&second);
}

/* Waits until a child has ended; it is killed if need be. */
static int end_of(pid_t pid, int signal_number)
{
    int status = 0;

    if (signal_number != 0)
        kill(pid, signal_number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

TEST(another_process_may_open_it_only_when_the_first_is_gone)
{
    int   ready[2];
    char  c;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        alarm(20);
        c = pyro_ns_files_open(&files, path) == PYRO_OK ? 'y' : 'n';
        if (write(ready[1], &c, 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_ERR_BUSY);
    end_of(pid, SIGKILL);
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_OK);
    close(ready[0]);
    close(ready[1]);
}

/* As a daemon does: it opens, forks, and the parent ends. */
TEST(a_fork_keeps_the_lock_when_its_parent_ends)
{
    static pyro_ns_files other;
    pid_t                pid;

    open_it();
    pid = fork();
    if (pid == 0) {
        alarm(20);
        pause();
        _exit(1);
    }
    pyro_ns_files_close(&files);
    assert_int_equal(pyro_ns_files_open(&other, path), PYRO_ERR_BUSY);
    end_of(pid, SIGKILL);
    assert_int_equal(pyro_ns_files_open(&other, path), PYRO_OK);
    pyro_ns_files_close(&other);
}

TEST(a_program_that_is_started_inherits_nothing)
{
    int last;

    open_it();
    assert_true(replace("x"));
    last = next_fd();
    for (int fd = 3; fd < last; fd++)
        if (shim_of(fd) != SHIM_NONE)
            assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(files.file_, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(files.new_, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(files.lock_, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(files.dir_, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

#define cannot_open(error) cannot_open_(error, __FILE__, __LINE__)

static void cannot_open_(int error, const char *file, int line)
{
    int      fd = next_fd();
    pyro_err err = pyro_ns_files_open(&files, path);

    test_eq_("open", "result", err, PYRO_ERR_DAEMON, file, line);
    test_eq_("open", "error", files.error, error, file, line);
    test_eq_("open", "descriptors left behind", next_fd(), fd, file, line);
}

TEST(a_path_that_is_no_directory_is_an_error_that_says_why)
{
    FILE *f = fopen(path, "w");

    fclose(f);
    cannot_open(ENOTDIR);
    remove(path);
    snprintf(path, sizeof path, "%s/none/names", base);
    cannot_open(ENOENT);
    snprintf(path, sizeof path, "%s/names", base);
    shim_fail(SHIM_MKDIR, 0, 1, EACCES);
    cannot_open(EACCES);
}

TEST(a_journal_that_is_no_file_is_an_error_that_says_why)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(in_path("names.journal"), 0700), 0);
    cannot_open(EISDIR);
    remove(in_path("names.journal"));
    assert_int_equal(mkfifo(in_path("names.journal"), 0700), 0);
    cannot_open(EINVAL);
}

TEST(a_journal_that_is_too_long_for_its_numbers_is_an_error)
{
    assert_int_equal(mkdir(path, 0700), 0);
    put_file("names.journal", "");
    assert_int_equal(truncate(in_path("names.journal"), 0x80000000), 0);
    cannot_open(EFBIG);
    assert_int_equal(truncate(in_path("names.journal"), 0x7FFFFFFF), 0);
    open_it();
    shim_forget_fds(); /* its model of the disk is not that large */
    assert_false(append("x"));
    assert_int_equal(files.error, EFBIG);
    pyro_ns_files_close(&files);
    assert_int_equal(truncate(in_path("names.journal"), 0x7FFFFFFF - 4), 0);
    open_it();
    shim_forget_fds();
    assert_false(append("12345"));
    assert_true(append("1234"));
    assert_false(append("5"));
}

TEST(whatever_fails_while_opening_leaves_nothing_behind)
{
    static const struct {
        const char *row;
        unsigned    kind;
        uint32_t    after;
    } rows[] = { { "the directory", SHIM_OPEN, 0 },
                 { "its parent", SHIM_OPEN, 1 },
                 { "the parent's sync", SHIM_SYNC, 0 },
                 { "the lock's file", SHIM_OPEN, 2 },
                 { "the lock", SHIM_LOCK, 0 },
                 { "the journal", SHIM_OPEN, 3 },
                 { "what is left over", SHIM_UNLINK, 0 },
                 { "the journal's sync", SHIM_SYNC, 1 },
                 { "the directory's sync", SHIM_SYNC, 2 } };

    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        shim_clear();
        shim_fail(rows[i].kind, rows[i].after, 1, EIO);
        cannot_open(EIO);
        test_eq(rows[i].row, shim->plan[rows[i].kind].times, 0);
        for (unsigned k = 0; k < SHIM_NAMES; k++)
            remove(in_path(shim_names[k]));
        remove(path);
    }
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_OK);
}

TEST(a_file_system_that_cannot_sync_directories_will_do)
{
    shim_fail(SHIM_SYNC, 0, 1, EINVAL); /* the parent */
    assert_int_equal(pyro_ns_files_open(&files, path), PYRO_OK);
    pyro_ns_files_close(&files);
    shim_fail(SHIM_SYNC, 1, 1, EINVAL);
    open_it();
    assert_true(replace("new"));
    shim_fail(SHIM_SYNC, 1, 1, EINVAL);
    assert_true(replaced());
    assert_true(append("er") && sync_it());
    holds("newer");
}

TEST(closing_what_was_never_open_or_is_closed_does_nothing)
{
    static pyro_ns_files never;
    int                  fd = next_fd();

    pyro_ns_files_close(&never);
    assert_int_equal(next_fd(), fd); /* 0 is still open */
    open_it();
    pyro_ns_files_close(&files);
    assert_int_equal(next_fd(), fd);
    pyro_ns_files_close(&files);
    assert_int_equal(next_fd(), fd);
}

/* ------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------ */

static int32_t read_at(uint32_t at, void *to, uint32_t n)
{
    return files.storage.read(files.storage.user, at, to, n);
}

TEST(fewer_bytes_than_wanted_are_read_only_at_the_end)
{
    char to[16];

    open_it();
    assert_int_equal(read_at(0, to, 1), 0);
    assert_true(append("0123456789"));
    assert_int_equal(read_at(0, to, 10), 10);
    assert_int_equal(read_at(3, to, 4), 4);
    assert_memory_equal(to, "3456", 4);
    assert_int_equal(read_at(8, to, 16), 2);
    assert_memory_equal(to, "89", 2);
    assert_int_equal(read_at(10, to, 16), 0);
    assert_int_equal(read_at(0xFFFFFFFF, to, 16), 0);
    shim->most = 1;
    assert_int_equal(read_at(2, to, 16), 8);
    assert_memory_equal(to, "23456789", 8);
}

TEST(a_read_that_fails_is_told_from_the_end)
{
    char to[16];

    open_it();
    assert_true(append("0123456789"));
    shim_fail(SHIM_READ, 0, 1, EIO);
    assert_true(read_at(0, to, 10) < 0);
    assert_int_equal(files.error, EIO);
    shim->most = 4;
    shim_fail(SHIM_READ, 1, 1, EIO);
    assert_true(read_at(0, to, 10) < 0);
    assert_int_equal(read_at(0, to, 10), 10);
}

TEST(a_journal_that_somebody_has_cut_ends_there)
{
    char to[16];

    open_it();
    assert_true(append("0123456789"));
    assert_int_equal(truncate(in_path("names.journal"), 6), 0);
    assert_int_equal(read_at(0, to, 10), 6);
    assert_int_equal(read_at(6, to, 4), 0);
}

/* ------------------------------------------------------------------------
 * Appending
 * ------------------------------------------------------------------------ */

TEST(what_is_appended_is_safe_when_the_sync_returns)
{
    open_it();
    assert_true(append("one"));
    assert_true(append("two"));
    assert_false(shim_safe_has("one", 3));
    assert_true(sync_it());
    assert_true(shim_safe_has("onetwo", 6));
    assert_string_equal(shim->text,
                        "write journal 3, write journal 3, sync journal");
    pyro_ns_files_close(&files);
    open_it();
    assert_true(append("three") && sync_it());
    holds("onetwothree");
}

TEST(a_write_that_is_cut_short_is_gone_on_with)
{
    open_it();
    shim->most = 1;
    assert_true(append("bytes"));
    shim->most = 3;
    assert_true(append("bytes"));
    holds("bytesbytes");
}

TEST(a_failed_append_takes_its_bytes_away_again)
{
    open_it();
    assert_true(append("good"));
    shim->most = 3;
    shim_fail(SHIM_WRITE, 2, 1, ENOSPC); /* seven bytes of ten are there */
    assert_false(append("half of it"));
    assert_int_equal(files.error, ENOSPC);
    assert_string_equal(shim->text,
                        "write journal 4, write journal 3, write journal 3,"
                        " cut journal 4");
    holds("good");
    assert_true(append("better")); /* room again */
    assert_true(sync_it());
    holds("goodbetter");
}

TEST(a_write_that_moves_nothing_does_not_go_on_forever)
{
    open_it();
    shim_fail(SHIM_WRITE, 0, 1, 0);
    assert_false(append("bytes"));
    assert_int_equal(files.error, ENOSPC);
    holds("");
}

TEST(when_the_half_cannot_be_taken_away_nothing_more_is_appended)
{
    open_it();
    assert_true(append("good"));
    shim->most = 3;
    shim_fail(SHIM_WRITE, 1, 1, ENOSPC);
    shim_fail(SHIM_CUT, 0, 1, EIO);
    assert_false(append("half of it"));
    assert_int_equal(files.error, ENOSPC);
    shim_clear();
    assert_false(append("more"));
    assert_false(sync_it());
    assert_string_equal(shim->text, "");
    assert_int_equal(files.error, ENOSPC);
    assert_true(replace("good") && replaced());
    assert_true(append("more") && sync_it());
    holds("goodmore");
}

/* A second sync would say yes, though the system has dropped the bytes. */
TEST(after_a_sync_that_failed_only_a_new_journal_helps)
{
    open_it();
    assert_true(append("lost?"));
    shim_fail(SHIM_SYNC, 0, 1, EIO);
    assert_false(sync_it());
    assert_int_equal(files.error, EIO);
    assert_false(sync_it());
    assert_false(append("more"));
    assert_int_equal(shim->calls[SHIM_SYNC], 1);
    assert_true(replace("known") && replaced());
    assert_true(append("more") && sync_it());
    holds("knownmore");
}

/* A limit of the system, not of the shim: writes are cut short, then fail. */
TEST(a_journal_that_the_system_lets_grow_no_further_stays_whole)
{
    struct rlimit was;
    struct rlimit small;

    open_it();
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(append("1234567"));
    assert_false(append("12345"));
    assert_int_equal(files.error, EFBIG);
    assert_true(append("890"));
    assert_false(append("1"));
    assert_true(sync_it());
    assert_true(replace("123456789"));
    assert_false(replace("01"));
    assert_false(there("names.new"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_DFL);
    holds("1234567890");
    assert_true(append("1") && sync_it());
    holds("12345678901");
}

/* ------------------------------------------------------------------------
 * Replacing
 * ------------------------------------------------------------------------ */

TEST(a_new_journal_is_synced_before_it_takes_the_old_ones_place)
{
    open_it();
    assert_true(append("old") && sync_it());
    shim_clear();
    assert_true(replace("ne"));
    assert_true(replace("w"));
    holds("old");
    assert_true(shim_safe_has("old", 3));
    assert_true(replaced());
    assert_string_equal(shim->text,
                        "open new, write new 2, write new 1, sync new,"
                        " rename new journal, sync dir");
    assert_true(shim_safe_has("new", 3));
    assert_true(append("er") && sync_it());
    assert_true(shim_safe_has("newer", 5));
    holds("newer");
    assert_false(there("names.new"));
}

TEST(an_empty_journal_may_take_the_old_ones_place)
{
    open_it();
    assert_true(append("old") && sync_it());
    assert_true(replaced());
    holds("");
    assert_true(append("new") && sync_it());
    holds("new");
}

TEST(closing_drops_a_replacement_that_is_not_finished)
{
    open_it();
    assert_true(append("old") && sync_it());
    assert_true(replace("new"));
    assert_true(there("names.new"));
    pyro_ns_files_close(&files);
    assert_false(there("names.new"));
    open_it();
    holds("old");
}

TEST(after_a_replacement_that_failed_the_old_journal_stands)
{
    static const struct {
        const char *row;
        unsigned    kind;
        uint32_t    after;
    } rows[] = { { "opening", SHIM_OPEN, 0 },
                 { "writing", SHIM_WRITE, 0 },
                 { "writing more", SHIM_WRITE, 1 },
                 { "syncing", SHIM_SYNC, 0 },
                 { "renaming", SHIM_RENAME, 0 } };

    open_it();
    assert_true(append("old") && sync_it());
    for (unsigned i = 0; i < PYRO_COUNT(rows); i++) {
        int fd = next_fd();

        shim_clear();
        shim_fail(rows[i].kind, rows[i].after, 1, EDQUOT);
        test_eq(rows[i].row, replace("ne") && replace("w") && replaced(), 0);
        test_eq(rows[i].row, files.error, EDQUOT);
        test_eq(rows[i].row, shim_safe_has("old", 3), 1);
        test_eq(rows[i].row, there("names.new"), 0);
        test_eq(rows[i].row, next_fd(), fd);
        holds("old");
    }
    assert_true(append("er") && sync_it());
    holds("older");
    assert_true(replace("new") && replaced());
    holds("new");
}

/* After a power cut the old one may be back: what was appended to the new
 * one would be lost. */
TEST(while_it_is_not_certain_which_journal_stands_nothing_is_appended)
{
    open_it();
    assert_true(append("old") && sync_it());
    assert_true(replace("new"));
    shim_fail(SHIM_SYNC, 1, 1, EIO);
    assert_false(replaced());
    assert_int_equal(files.error, EIO);
    assert_false(append("x"));
    assert_false(sync_it());
    holds("new");
    assert_true(replace("new") && replaced());
    assert_true(append("er") && sync_it());
    assert_true(shim_safe_has("newer", 5));
    holds("newer");
}

/* ------------------------------------------------------------------------
 * Interrupted
 * ------------------------------------------------------------------------ */

static bool all_of_it(void)
{
    char to[16];

    return pyro_ns_files_open(&files, path) == PYRO_OK && append("a")
        && sync_it() && read_at(0, to, 1) == 1 && replace("b") && replaced();
}

TEST(signals_interrupt_nothing_unless_there_is_a_storm_of_them)
{
    static const unsigned kinds[] = { SHIM_OPEN, SHIM_LOCK, SHIM_WRITE,
                                      SHIM_READ, SHIM_SYNC };

    for (unsigned i = 0; i < PYRO_COUNT(kinds); i++) {
        shim_clear();
        shim_fail(kinds[i], 0, TRIES - 1, EINTR);
        test_eq("a few", all_of_it(), 1);
        test_eq("a few", shim->plan[kinds[i]].times, 0);
        pyro_ns_files_close(&files);
        shim_clear();
        shim_fail(kinds[i], 0, TRIES, EINTR);
        test_eq("a storm", all_of_it(), 0);
        test_eq("a storm", files.error, EINTR);
        test_eq("a storm", shim->plan[kinds[i]].times, 0);
        pyro_ns_files_close(&files);
    }
    open_it();
    shim_fail(SHIM_WRITE, 0, 1, EIO);
    shim_fail(SHIM_CUT, 0, TRIES - 1, EINTR);
    assert_false(append("a"));
    assert_true(append("a")); /* it was cut */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(a_new_directory_is_there_after_a_power_cut_when_open_returns),
        T(what_a_killed_process_had_written_is_synced_before_it_is_read),
        T(what_is_left_of_an_unfinished_replacement_is_removed),
        T(two_in_one_process_do_not_open_the_same_directory),
        T(another_process_may_open_it_only_when_the_first_is_gone),
        T(a_fork_keeps_the_lock_when_its_parent_ends),
        T(a_program_that_is_started_inherits_nothing),
        T(a_path_that_is_no_directory_is_an_error_that_says_why),
        T(a_journal_that_is_no_file_is_an_error_that_says_why),
        T(a_journal_that_is_too_long_for_its_numbers_is_an_error),
        T(whatever_fails_while_opening_leaves_nothing_behind),
        T(a_file_system_that_cannot_sync_directories_will_do),
        T(closing_what_was_never_open_or_is_closed_does_nothing),
        T(fewer_bytes_than_wanted_are_read_only_at_the_end),
        T(a_read_that_fails_is_told_from_the_end),
        T(a_journal_that_somebody_has_cut_ends_there),
        T(what_is_appended_is_safe_when_the_sync_returns),
        T(a_write_that_is_cut_short_is_gone_on_with),
        T(a_failed_append_takes_its_bytes_away_again),
        T(a_write_that_moves_nothing_does_not_go_on_forever),
        T(when_the_half_cannot_be_taken_away_nothing_more_is_appended),
        T(after_a_sync_that_failed_only_a_new_journal_helps),
        T(a_journal_that_the_system_lets_grow_no_further_stays_whole),
        T(a_new_journal_is_synced_before_it_takes_the_old_ones_place),
        T(an_empty_journal_may_take_the_old_ones_place),
        T(closing_drops_a_replacement_that_is_not_finished),
        T(after_a_replacement_that_failed_the_old_journal_stands),
        T(while_it_is_not_certain_which_journal_stands_nothing_is_appended),
        T(signals_interrupt_nothing_unless_there_is_a_storm_of_them),
    };

    alarm(100);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
