/* term.h - a full screen in a terminal: keys in, lines out, and the terminal
 * as it was at every end of the program.
 *
 *     static void wake(void) { pyro_wake(&node); }
 *
 *     if (!term_begin(wake)) die("no terminal");
 *     while (term.leave == 0) {
 *         term_measure();                         term.cols, term.rows
 *         term_line(0);
 *         term_put("title", 5, term.cols);        ... for every row
 *         term_show();
 *         (wait until TERM_INPUT can be read, then)   term_read(now);
 *         while ((key = term_key(now)) != 0) ...
 *     }
 *     term_end();
 *     term_die();
 *
 * ANSI escapes and termios only; for one C file of a program, which includes
 * pyro.h or defines _DEFAULT_SOURCE before. What is put on the screen may
 * come from anybody: only characters of a known width get there, the rest,
 * control characters first of all, is a '?'.
 *
 * Signals. INT, TERM, HUP and QUIT are noted in term.leave and end every
 * wait (`wake`); the second one ends the program at once. TSTP, CONT and
 * WINCH are dealt with by term_measure. One that says the program is broken
 * (SEGV, ABRT, ...) restores the terminal before it kills. */
#ifndef TERM_H
#define TERM_H

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define TERM_INPUT  0
#define TERM_COLS   300 /* of a larger terminal the upper left part is used */
#define TERM_ROWS   120
#define TERM_BYTES  (TERM_COLS * 4 + 64) /* of a line with its attributes */
#define TERM_ESC_MS 50 /* a lone ESC is the key when nothing follows */

/* What term_key returns: a character's code point, or one of these. */
enum {
    TERM_ENTER = 13,
    TERM_CTRL_U = 21,
    TERM_ESC = 27,
    TERM_BACK = 127,
    TERM_UP = 0x110000,
    TERM_DOWN,
    TERM_LEFT,
    TERM_RIGHT,
    TERM_HOME,
    TERM_END,
    TERM_PAGE_UP,
    TERM_PAGE_DOWN,
    TERM_DELETE,
    TERM_OTHER /* a sequence that is none of these */
};

/* One terminal, as a process has one; handlers of signals need it. */
static struct {
    int                   cols, rows;
    volatile sig_atomic_t leave; /* 0; a signal that wants the program to end;
                                    -1 may be the program's own wish */
    char typed[5]; /* the last key, if it was a character for the screen */

    volatile sig_atomic_t on_, changed_, stopped_;
    void (*wake_)(void);
    struct termios was_;
    bool           utf8_;
    unsigned       empty_; /* reads without a byte, one after the other */
    unsigned char  in_[256];
    size_t         in_n_;
    uint32_t       since_; /* when the last byte came */
    char           now_[TERM_ROWS][TERM_BYTES];
    char           shown_[TERM_ROWS][TERM_BYTES];
    int            row_; /* being written */
    size_t         at_;
    int            cursor_row_, cursor_col_; /* row -1: hidden */
} term;

/* --- begin, end and signals --- */

/* Cut short only by a signal that ends the program, or an error. Waits where
 * somebody has left the terminal non-blocking. */
static void term_write(const char *text, size_t n)
{
    struct pollfd out = { 1, POLLOUT, 0 };

    while (n > 0) {
        ssize_t done = write(1, text, n);

        if (done > 0) {
            text += done;
            n -= (size_t)done;
        } else if (term.leave != 0 || (errno != EINTR && errno != EAGAIN)) {
            return;
        } else if (errno == EAGAIN) {
            (void)poll(&out, 1, 1000);
        }
    }
}

/* Attributes off, lines wrap, cursor there, the other screen again. Safe in a
 * handler of a signal; does nothing the second time. */
static void term_end(void)
{
    static const char back[] = "\033[m\033[?7h\033[?25h\033[?1049l";
    ssize_t           ignored;

    if (!term.on_) return;
    term.on_ = 0;
    signal(SIGTTOU, SIG_IGN); /* from the background too */
    tcsetattr(TERM_INPUT, TCSANOW, &term.was_);
    ignored = write(1, back, sizeof back - 1);
    (void)ignored; /* a terminal that is gone need not be restored */
}

static void term_on_end(int sig)
{
    int kept = errno;

    if (term.leave != 0) { /* nobody has listened to the first one */
        term_end();
        signal(sig, SIG_DFL);
        raise(sig);
        return;
    }
    term.leave = sig;
    term.wake_();
    errno = kept;
}

static void term_on_change(int sig)
{
    int kept = errno;

    if (sig == SIGTSTP) term.stopped_ = 1;
    term.changed_ = 1;
    term.wake_();
    errno = kept;
}

/* The default action is set again already: SA_RESETHAND. */
static void term_on_crash(int sig)
{
    term_end();
    raise(sig);
}

static void term_catch(int sig, void (*fn)(int), int flags)
{
    struct sigaction a;

    memset(&a, 0, sizeof a);
    a.sa_handler = fn;
    a.sa_flags = flags;
    sigaction(sig, &a, NULL);
}

static void term_catch_all(void)
{
    static const int end[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    static const int change[] = { SIGTSTP, SIGCONT, SIGWINCH };
    static const int crash[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    size_t           i;

    for (i = 0; i < sizeof end / sizeof end[0]; i++)
        term_catch(end[i], term_on_end, 0);
    for (i = 0; i < sizeof change / sizeof change[0]; i++)
        term_catch(change[i], term_on_change, 0);
    for (i = 0; i < sizeof crash / sizeof crash[0]; i++)
        term_catch(crash[i], term_on_crash, (int)SA_RESETHAND);
    term_catch(SIGPIPE, SIG_IGN, 0);
}

/* Keys come at once and unechoed; those that signal still do. */
static void term_raw(void)
{
    static const char to[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
    struct termios    raw = term.was_;

    raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    signal(SIGTTOU, SIG_DFL);
    term.on_ = 1;
    tcsetattr(TERM_INPUT, TCSADRAIN, &raw);
    term_write(to, sizeof to - 1);
}

/* False: standard input or output is not a terminal. `wake` is called from
 * handlers of signals. */
static bool term_begin(void (*wake)(void))
{
    if (!isatty(1) || tcgetattr(TERM_INPUT, &term.was_) != 0) return false;
    setlocale(LC_CTYPE, "");
    term.utf8_ = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    term.wake_ = wake;
    term.changed_ = 1;
    term.cursor_row_ = -1;
    atexit(term_end);
    term_catch_all();
    term_raw();
    return true;
}

/* Ends the program the way the signal would have, if there was one. */
static void term_die(void)
{
    if (term.leave <= 0) return;
    signal(term.leave, SIG_DFL);
    raise(term.leave);
}

/* Takes up what has happened to the terminal: another size, and Ctrl-Z with
 * what came after it. Then everything is drawn anew. */
static void term_measure(void)
{
    struct winsize size;

    if (!term.changed_) return;
    term.changed_ = 0;
    if (term.stopped_) {
        term.stopped_ = 0;
        term_end();
        raise(SIGSTOP);
    }
    term_raw(); /* who ran meanwhile may have changed it */
    if (ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    term.cols = size.ws_col < TERM_COLS ? size.ws_col : TERM_COLS;
    term.rows = size.ws_row < TERM_ROWS ? size.ws_row : TERM_ROWS;
    memset(term.shown_, 0, sizeof term.shown_);
    term_write("\033[m\033[2J", 7);
}

/* --- characters --- */

/* The bytes of the character at s (n > 0), and *c. What is not UTF-8 counts
 * as one byte, and *c is 0. */
static size_t term_decode(const char *s, size_t n, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char         b = (unsigned char)s[0];
    size_t                more = b < 0x80 ? 1
                               : b < 0xc2 ? 0
                               : b < 0xe0 ? 2
                               : b < 0xf0 ? 3
                                          : 4;
    size_t                i;

    *c = more < 2 ? b : b & (0x7fu >> more);
    for (i = 1; i < more && i < n; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) break;
        *c = *c << 6 | ((unsigned char)s[i] & 0x3fu);
    }
    if (more > 0 && i == more && *c >= least[more] && *c < 0x110000) return i;
    *c = 0;
    return 1;
}

/* Cells that a character takes in every terminal. 0: it is not for the
 * screen, as it moves the cursor, turns the line round, has no width, or is
 * taken for narrow here and wide there. */
static int term_width(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        int      width;
    } known[] = {
        { 0x20, 0x7e, 1 },      { 0xa1, 0xac, 1 },     { 0xae, 0x2ff, 1 },
        { 0x370, 0x482, 1 },    { 0x48a, 0x52f, 1 },   { 0x1e00, 0x1fff, 1 },
        { 0x2010, 0x2027, 1 },  { 0x2030, 0x205e, 1 }, { 0x20a0, 0x20bf, 1 },
        { 0x2190, 0x22ff, 1 },  { 0x2500, 0x25a0, 1 }, { 0x3041, 0x3096, 2 },
        { 0x30a1, 0x30ff, 2 },  { 0x3400, 0x4db5, 2 }, { 0x4e00, 0x9fcc, 2 },
        { 0xac00, 0xd7a3, 2 },  { 0xff01, 0xff60, 2 }, { 0x1f600, 0x1f64f, 2 },
        { 0x20000, 0x2a6d6, 2 }
    };
    size_t i = 0;

    if (c > 0x7e && !term.utf8_) return 0;
    while (i < sizeof known / sizeof known[0] && c > known[i].last) i++;
    if (i == sizeof known / sizeof known[0] || c < known[i].first) return 0;
    return known[i].width;
}

/* Where the last character of n > 0 bytes begins. */
static size_t term_before(const char *s, size_t n)
{
    do {
        n--;
    } while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80);
    return n;
}

/* How many of n bytes fit into `width` cells; *cells: how many they take. */
static size_t term_fit(const char *s, size_t n, int width, int *cells)
{
    size_t   at = 0;
    uint32_t c;

    *cells = 0;
    while (at < n) {
        size_t used = term_decode(s + at, n - at, &c);
        int    w = term_width(c);

        if (w == 0) w = 1;
        if (*cells + w > width) break;
        *cells += w;
        at += used;
    }
    return at;
}

/* --- lines --- */

static void term_raw_put(const char *s, size_t n)
{
    if (term.at_ + n >= TERM_BYTES) return;
    memcpy(term.now_[term.row_] + term.at_, s, n);
    term.at_ += n;
    term.now_[term.row_][term.at_] = 0;
}

/* Begins a row of the next picture. */
static void term_line(int row)
{
    term.row_ = row < TERM_ROWS ? row : TERM_ROWS - 1;
    term.at_ = 0;
    term.now_[term.row_][0] = 0;
}

/* Attributes of what follows in the row: "7" reversed, "1" bold, "" none. */
static void term_attr(const char *numbers)
{
    char   text[16];
    size_t n = (size_t)snprintf(text, sizeof text, "\033[0;%sm", numbers);

    term_raw_put(text, n);
}

/* Puts text into exactly `width` cells: filled up with blanks, or cut and
 * marked with '~'. */
static void term_put(const char *s, size_t n, int width)
{
    int      cells;
    bool     cut = term_fit(s, n, width, &cells) < n;
    size_t   end = cut ? term_fit(s, n, width - 1, &cells) : n;
    size_t   used;
    uint32_t c;

    if (width <= 0) return;
    for (; end > 0; s += used, end -= used) {
        used = term_decode(s, end, &c);
        if (term_width(c) > 0)
            term_raw_put(s, used);
        else
            term_raw_put("?", 1);
    }
    if (cut) {
        term_raw_put("~", 1);
        cells++;
    }
    for (; cells < width; cells++) term_raw_put(" ", 1);
}

static void term_text(const char *s, int width)
{
    term_put(s, strlen(s), width);
}

/* Where the cursor is to be seen; row -1: nowhere. */
static void term_cursor(int row, int col)
{
    if (row < 0 && term.cursor_row_ >= 0) term_write("\033[?25l", 6);
    term.cursor_row_ = row;
    term.cursor_col_ = col;
}

/* Shows the picture: the lines that are not what is there already. */
static void term_show(void)
{
    char   text[TERM_BYTES + 32];
    size_t n;
    int    row;

    for (row = 0; row < term.rows; row++) {
        if (strcmp(term.now_[row], term.shown_[row]) == 0) continue;
        memcpy(term.shown_[row], term.now_[row], TERM_BYTES);
        n = (size_t)snprintf(text, sizeof text, "\033[?25l\033[%d;1H\033[m%s",
                             row + 1, term.now_[row]);
        term_write(text, n);
    }
    if (term.cursor_row_ < 0) return;
    n = (size_t)snprintf(text, sizeof text, "\033[%d;%dH\033[?25h",
                         term.cursor_row_ + 1, term.cursor_col_ + 1);
    term_write(text, n);
}

/* --- keys --- */

/* Takes what can be read. Bytes over 256 that nobody fetches are dropped. */
static void term_read(uint32_t now)
{
    ssize_t got;

    if (term.in_n_ == sizeof term.in_) term.in_n_ = 0;
    got =
        read(TERM_INPUT, term.in_ + term.in_n_, sizeof term.in_ - term.in_n_);
    if (got > 0) {
        term.in_n_ += (size_t)got;
        term.since_ = now;
        term.empty_ = 0;
    } else if (got == 0 ? ++term.empty_ > 9
                        : errno != EINTR && errno != EAGAIN) {
        term.leave = SIGHUP; /* the terminal is gone */
    }
}

/* The key of a sequence that begins with ESC; *used 0: it is not all there. */
static int term_sequence(size_t *used)
{
    static const char    letters[] = "ABDCHF", numbers[] = "1748563";
    const unsigned char *in = term.in_;
    const char          *found;
    size_t               i = 2;

    *used = 0;
    if (term.in_n_ < 2) return 0;
    *used = 1;
    if (in[1] != '[' && in[1] != 'O') return TERM_ESC;
    while (i < term.in_n_ && (in[i] < 0x40 || in[i] > 0x7e)) i++;
    *used = i < term.in_n_ ? i + 1 : 0;
    if (*used == 0) return 0;
    if (in[i] != '~') {
        found = strchr(letters, in[i]);
        return found != NULL ? TERM_UP + (int)(found - letters) : TERM_OTHER;
    }
    found = i == 3 && in[2] != 0 ? strchr(numbers, in[2]) : NULL;
    if (found == NULL) return TERM_OTHER;
    i = (size_t)(found - numbers); /* home home end end, pages, delete */
    return i < 4 ? TERM_HOME + (int)i / 2 : TERM_PAGE_UP + (int)i - 4;
}

/* The next key, or 0: none so far. */
static int term_key(uint32_t now)
{
    bool     late = now - term.since_ >= TERM_ESC_MS;
    size_t   used;
    uint32_t c;
    int      key;

    memset(term.typed, 0, sizeof term.typed);
    if (term.in_n_ == 0) return 0;
    if (term.in_[0] == TERM_ESC) {
        key = term_sequence(&used);
        if (used == 0 && !late) return 0;
        if (used == 0) {
            key = TERM_ESC;
            used = 1;
        }
    } else {
        used = term_decode((char *)term.in_, term.in_n_, &c);
        if (c == 0 && term.in_[0] > 0xc1 && term.in_n_ < 4 && !late) return 0;
        key = c == 0  ? TERM_OTHER
            : c == 8  ? TERM_BACK
            : c == 10 ? TERM_ENTER
                      : (int)c;
        if (term_width(c) > 0) memcpy(term.typed, term.in_, used);
    }
    term.in_n_ -= used;
    memmove(term.in_, term.in_ + used, term.in_n_);
    return key;
}

/* How long to wait for the next key at most. */
static int32_t term_key_ms(void)
{
    return term.in_n_ > 0 ? TERM_ESC_MS : INT32_MAX;
}

#endif /* TERM_H */
