/* fuzz_reader.c - the reader, and what stands on it: skip, raw values, typed
 * slots, signature checks and keyword arguments put in order.
 *
 * The input: a byte that says what is done, a few that say how, then the
 * bytes that are read. Wherever there are two ways to the same answer they
 * have to agree: getters and skip, a value and its copy, our floating point
 * and the processor's, our UTF-8 and a slower one below. */
#include "fuzz.h"

enum { MOST = 1024, UNTOUCHED = 0xEE };

static uint8_t copy[2][2 * MOST];

/* The table of RFC 3629 the long way: decode, then look at the number. */
static bool utf8(const char *text, uint32_t n)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    const uint8_t        *p = (const uint8_t *)text;
    uint32_t              i = 0;

    while (i < n) {
        unsigned tail = p[i] < 0x80 ? 0u
                      : p[i] < 0xC0 ? 9u
                      : p[i] < 0xE0 ? 1u
                      : p[i] < 0xF0 ? 2u
                      : p[i] < 0xF8 ? 3u
                                    : 9u;
        uint32_t c = tail == 0 ? p[i] : p[i] & (0x3Fu >> tail);
        unsigned k;

        if (tail == 9 || tail >= n - i)
            return false;
        for (k = 1; k <= tail; k++) {
            if ((p[i + k] & 0xC0) != 0x80)
                return false;
            c = c << 6 | (p[i + k] & 0x3F);
        }
        if (c < least[tail] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
            return false;
        i += 1 + tail;
    }
    return true;
}

/* The tagged value of the next simple value. */
static pyro_value simple(pyro_reader *in)
{
    const uint8_t *from = in->at;
    uint32_t       n;
    const void    *p;

    switch (pyro_peek(in)) {
    case PYRO_NIL:
        pyro_get_nil(in);
        return pyro_nil();
    case PYRO_BOOL:
        return pyro_bool(pyro_get_bool(in));
    case PYRO_INT:
        return pyro_int(pyro_get_i64(in));
    case PYRO_UINT:
        return pyro_uint(pyro_get_u64(in));
    case PYRO_FLOAT:
        return *in->at == 0xCB ? pyro_f64(pyro_get_f64(in))
                               : pyro_f32(pyro_get_f32(in));
    case PYRO_STR:
        p = pyro_get_str(in, &n);
        FUZZ_CHECK(in->err != PYRO_OK || utf8(p, n), "not UTF-8, and taken");
        return n % 2 == 0 && memchr(p, 0, n) == NULL && n > 0
                    && ((const char *)p)[n - 1] == 'z'
                 ? pyro_raw(from, (size_t)(in->at - from))
                 : pyro_strn(p, n);
    case PYRO_BIN:
        p = pyro_get_bin(in, &n);
        return pyro_bin(p, n);
    default:
        p = pyro_get_raw(in, &n); /* an ext, or nothing */
        return pyro_raw(p, n);
    }
}

/* Copies one value, part by part, through tagged values. */
static void transcode(pyro_reader *in, pyro_writer *out)
{
    uint32_t left = 1;
    uint32_t n;

    for (; left > 0 && in->err == PYRO_OK && out->err == PYRO_OK; left--) {
        pyro_type type = pyro_peek(in);

        if (type == PYRO_LIST) {
            n = pyro_get_list(in, UINT32_MAX);
            pyro_put_list(out, n);
            left += n;
        } else if (type == PYRO_MAP) {
            n = pyro_get_map(in, UINT32_MAX);
            pyro_put_map(out, n);
            left += 2 * n;
        } else {
            pyro_put(out, simple(in));
        }
    }
}

/* A value that skip accepts can be copied, and the copy of the copy is the
 * copy; one that it does not can be neither taken nor put. */
static void copy_value(const uint8_t *data, size_t size)
{
    pyro_reader in = pyro_reader_of(data, size);
    pyro_reader raw = in;
    pyro_reader parts = in;
    pyro_writer out = pyro_writer_of(copy[0], sizeof copy[0], 1);
    pyro_writer again = pyro_writer_of(copy[1], sizeof copy[1], 1);
    pyro_writer whole = pyro_writer_of(copy[1], sizeof copy[1], 1);
    uint32_t    n;
    size_t      used;
    const void *view;

    pyro_skip(&in);
    view = pyro_get_raw(&raw, &n);
    FUZZ_CHECK(in.err == raw.err && in.at == raw.at, "skip and raw differ");
    pyro_put_raw(&whole, data, size);
    FUZZ_CHECK((pyro_writer_end(&whole) == PYRO_OK)
                   == (in.err == PYRO_OK && in.at == in.end),
               "skip and put_raw differ");
    if (in.err != PYRO_OK) {
        FUZZ_CHECK(n == 0 && in.at == in.end, "bytes left behind an error");
        return;
    }
    FUZZ_CHECK(view == data && n == (size_t)(in.at - data), "raw is another");
    transcode(&parts, &out);
    FUZZ_CHECK(parts.err == PYRO_OK && parts.at == in.at
                   && pyro_writer_end(&out) == PYRO_OK,
               "what skip passes cannot be taken apart");
    used = (size_t)(out.at - copy[0]);
    parts = pyro_reader_of(copy[0], used);
    transcode(&parts, &again);
    FUZZ_CHECK(pyro_writer_end(&again) == PYRO_OK
                   && (size_t)(again.at - copy[1]) == used
                   && memcmp(copy[0], copy[1], used) == 0,
               "the copy of a copy is another");
    out = pyro_writer_of(copy[0], used - 1, 1);
    parts = pyro_reader_of(copy[1], used);
    transcode(&parts, &out);
    FUZZ_CHECK(pyro_writer_end(&out) == PYRO_ERR_NOSPACE, "no end of memory");
}

/* Getters in the order of the input, whatever the values are. */
static void get_anything(struct fuzz_in *how, pyro_reader in)
{
    uint32_t n = 7;
    unsigned ops = 0;

    while (how->at < how->end && ops++ < 64) {
        bool        bad = in.err != PYRO_OK;
        uint64_t    v = 0;
        const void *p = "";

        n = 0;
        switch (fuzz_u8(how) % 11) {
        case 0:
            pyro_get_nil(&in);
            break;
        case 1:
            v = pyro_get_bool(&in);
            break;
        case 2:
            v = (uint64_t)pyro_get_i32(&in);
            break;
        case 3:
            v = (uint64_t)pyro_get_i64(&in);
            break;
        case 4:
            v = pyro_get_u64(&in);
            break;
        case 5:
            v = pyro_get_f32(&in) != 0;
            break;
        case 6:
            v = pyro_get_f64(&in) != 0;
            break;
        case 7:
            p = pyro_get_str(&in, &n);
            break;
        case 8:
            p = pyro_get_bin(&in, &n);
            break;
        case 9:
            v = pyro_get_list(&in, how->at < how->end ? *how->at : 1);
            break;
        default:
            v = pyro_get_map(&in, UINT32_MAX);
        }
        FUZZ_CHECK(p != NULL && in.at <= in.end, "a getter left its bytes");
        if (in.err != PYRO_OK)
            FUZZ_CHECK(v == 0 && n == 0 && in.at == in.end && !pyro_more(&in)
                           && pyro_peek(&in) == PYRO_NONE,
                       "a getter in error gave something");
        FUZZ_CHECK(!bad || in.err != PYRO_OK, "an error went away");
    }
}

/* What answers a call goes into a slot. */
static pyro_err answer(pyro_reader in, const pyro_slot *slot)
{
    pyro_request rq;

    memset(&rq, 0, sizeof rq);
    rq.slot_ = *slot;
    return (pyro_err)pyroi_answer(&rq, &in, false);
}

/* Every type of slot: written on success only, and never past its end. */
static void fill_slots(unsigned how, pyro_reader in)
{
    struct {
        uint8_t value[16];
        uint8_t behind[16];
    } room;
    pyro_blob blob;
    pyro_slot slot;
    pyro_err  err;
    size_t    i;
    size_t    size = how >> 4;

    memset(&room, UNTOUCHED, sizeof room);
    blob.data = room.value;
    blob.size = (uint32_t)size;
    blob.used = 99;
    switch (how & 15) {
    case 0:
        slot = pyro_to_bool((bool *)(void *)room.value);
        break;
    case 1:
        slot = pyro_to_i32((int32_t *)(void *)room.value);
        break;
    case 2:
        slot = pyro_to_i64((int64_t *)(void *)room.value);
        break;
    case 3:
        slot = pyro_to_u64((uint64_t *)(void *)room.value);
        break;
    case 4:
        slot = pyro_to_f32((float *)(void *)room.value);
        break;
    case 5:
        slot = pyro_to_f64((double *)(void *)room.value);
        break;
    case 6:
        slot = pyro_to_str((char *)room.value, size);
        break;
    case 7:
        slot = pyro_to_bin(&blob);
        break;
    case 8:
        slot = pyro_to_raw(&blob);
        break;
    case 9:
        slot = pyroi_slot(pyro_as_u32, room.value, 0);
        break;
    default:
        slot = pyro_to_none();
    }
    err = answer(in, &slot);
    for (i = 0; i < sizeof room.value; i++)
        FUZZ_CHECK(room.behind[i] == UNTOUCHED
                       && (err == PYRO_OK || room.value[i] == UNTOUCHED),
                   "a slot was written where it may not");
    FUZZ_CHECK(blob.used <= size || blob.used == 99, "a blob is too long");
}

/* Our floating point is integers; the processor's has to agree. */
static void compare_floats(const uint8_t *data, size_t size)
{
    uint64_t bits = 0;
    uint32_t low;
    uint64_t ours;
    double   d;
    double   e;
    float    f;
    float    g;

    memcpy(&bits, data, size < 8 ? size : 8);
    low = (uint32_t)bits;
    memcpy(&d, &bits, 8);
    memcpy(&f, &low, 4);
    ours = pyroi_int_bits((int64_t)bits);
    memcpy(&e, &ours, 8);
    FUZZ_CHECK(!(e < (double)(int64_t)bits) && !(e > (double)(int64_t)bits),
               "an int became another double");
    ours = pyroi_widen(low);
    memcpy(&e, &ours, 8);
    FUZZ_CHECK(f != f ? e != e : !(e < (double)f) && !(e > (double)f),
               "a float became another double");
    low = pyroi_narrow(bits);
    memcpy(&f, &low, 4);
    if (d != d) {
        FUZZ_CHECK(f != f, "not a number became one");
    } else if (d < 3e38 && d > -3e38) { /* past it the cast is undefined */
        g = (float)d;
        FUZZ_CHECK(memcmp(&f, &g, 4) == 0, "a double became another float");
    }
}

/* Takes what a letter of a signature has let pass. */
static void get_letter(pyro_reader *in, char letter)
{
    uint32_t n;

    switch (letter) {
    case 'b':
        (void)pyro_get_bool(in);
        break;
    case 'i':
        (void)pyro_get_i32(in);
        break;
    case 'q':
        (void)pyro_get_i64(in);
        break;
    case 'd':
        (void)pyro_get_f64(in);
        break;
    case 's':
        (void)pyro_get_str(in, &n);
        break;
    case 'y':
        (void)pyro_get_bin(in, &n);
        break;
    default:
        pyro_skip(in);
    }
}

/* A value fits a type exactly when the getters for it succeed. */
static void check_type(unsigned how, pyro_reader in)
{
    static const char *const types[] = { "b",   "i",   "q",   "d",   "s",
                                         "y",   "U",   "v",   "[b]", "[i]",
                                         "[q]", "[d]", "[s]", "[y]", "[U]",
                                         "[v]", "{i}", "{d}", "{s}", "{v}" };
    const char              *type = types[how % PYRO_COUNT(types)];
    pyro_reader              get = in;
    pyro_reader              skip = in;
    uint32_t                 left;
    uint32_t                 n;
    bool                     fits = pyroi_fits_type(&in, type);

    if (*type == '[') {
        for (left = pyro_get_list(&get, UINT32_MAX); left > 0; left--)
            get_letter(&get, type[1]);
    } else if (*type == '{') {
        for (left = pyro_get_map(&get, UINT32_MAX); left > 0; left--) {
            (void)pyro_get_str(&get, &n);
            get_letter(&get, type[1]);
        }
    } else {
        get_letter(&get, *type);
    }
    if (fits) {
        pyro_skip(&skip);
        FUZZ_CHECK(get.err == PYRO_OK && get.at == in.at,
                   "a value fits a type and cannot be taken as that");
        FUZZ_CHECK(skip.err != PYRO_OK || skip.at == in.at,
                   "a value fits a type and ends elsewhere");
    } else if (strchr(type, 'U') == NULL) {
        FUZZ_CHECK(get.err != PYRO_OK, "a value that can be taken is refused");
    }
}

/* ------------------------------------------------------------------------
 * Keyword arguments: what the check puts in order in place, done by copying
 * ------------------------------------------------------------------------ */

static const char *const signatures[] = {
    "a:i b:i ?scale:d", "a:v b:v ?c:v ?d:v",
    "x:[d] y:{q} ?z:s", "ii?d",
    "u:U ?a:y ?b:b",    "",
    "?first:i",         "a:q b:q"
};

/* Appends the value of a key of a map to `to`; 0 when it has none. */
static size_t pick(pyro_reader map, const pyroi_param *param, uint8_t *to)
{
    uint32_t    left = pyro_get_map(&map, UINT32_MAX);
    uint32_t    n;
    const void *raw;
    const char *key;

    for (; left > 0; left--) {
        key = pyro_get_str(&map, &n);
        if (n == pyroi_name_bytes(param) && memcmp(key, param->name, n) == 0) {
            raw = pyro_get_raw(&map, &n);
            memcpy(to, raw, n);
            return n;
        }
        pyro_skip(&map);
    }
    return 0;
}

static void next_param(pyroi_param *param)
{
    pyroi_param_at(param, pyroi_param_end(param));
}

/* What the arguments look like in order: gives their number of bytes. */
static size_t in_order(const char *signature, unsigned given, pyro_reader in,
                       uint8_t *to)
{
    pyroi_param    param = { NULL, NULL, false };
    const uint8_t *from = in.at;
    size_t         n;
    size_t         used;
    unsigned       i;

    pyroi_param_at(&param, signature);
    for (i = 0; i < given; i++) {
        pyro_skip(&in);
        next_param(&param);
    }
    used = (size_t)(in.at - from);
    memcpy(to, from, used);
    /* As far as they have names. */
    for (; pyro_peek(&in) == PYRO_MAP && param.type > param.name;
         next_param(&param)) {
        n = pick(in, &param, to + used);
        if (n == 0)
            break;
        used += n;
    }
    return used;
}

static void check_arguments(unsigned how, unsigned given, const uint8_t *data,
                            size_t size)
{
    static PYRO_ROOM(1, 2, MOST + 16, 1) room;
    pyro_daemon node;
    pyro_call   call;
    const char *signature = signatures[how % PYRO_COUNT(signatures)];
    pyroi_param param = { NULL, NULL, false };
    size_t      used;
    unsigned    err;
    bool        good;

    FUZZ_CHECK(pyro_open(&node, PYRO_ROOM_OF(room), NULL) == PYRO_OK, "open");
    memset(&call, 0, sizeof call);
    call.node = &node;
    call.object = call.method = "m";
    call.args_buf_ = pyroi_take(&node, PYROI_SERVE);
    call.reply_buf_ = pyroi_take(&node, PYROI_SERVE);
    memcpy(pyroi_bytes(call.args_buf_), data, size);
    call.args = pyro_reader_of(pyroi_bytes(call.args_buf_), size);
    call.result = pyro_writer_of(pyroi_bytes(call.reply_buf_) + PYROI_BODY,
                                 pyroi_max_body(&node), 1);
    err = pyroi_check_args(&call,
                           (how & 128) != 0 ? "?vvvvvvvvvvvvvvv" : signature,
                           given);
    pyroi_settle(&call, err);
    good = err == PYRO_OK;
    FUZZ_CHECK(good == (call.state_ == PYROI_RUNNING), "refused in silence");
    if (!good || (how & 128) != 0)
        return;
    used = in_order(signature, given, pyro_reader_of(data, size), copy[0]);
    FUZZ_CHECK(used == (size_t)(call.args.end - call.args.at)
                   && memcmp(copy[0], call.args.at, used) == 0,
               "arguments are not in order");
    for (pyroi_param_at(&param, signature); pyro_more(&call.args);
         next_param(&param))
        FUZZ_CHECK(*param.type != '\0'
                       && pyroi_fits_type(&call.args, param.type),
                   "an argument does not fit its parameter");
    FUZZ_CHECK(*param.type == '\0' || param.optional,
               "an argument is missing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in;
    struct fuzz_in ops;
    unsigned       what;
    unsigned       how;
    uint32_t       n;

    if (size > MOST)
        return 0;
    in.at = data;
    in.end = data + size;
    what = fuzz_u8(&in);
    how = fuzz_u8(&in);
    n = what >> 3;
    switch (what & 7) {
    case 0:
        copy_value(in.at, (size_t)(in.end - in.at));
        break;
    case 1:
        ops.at = fuzz_bytes(&in, &n);
        ops.end = in.at;
        get_anything(&ops, pyro_reader_of(in.at, (size_t)(in.end - in.at)));
        break;
    case 2:
        fill_slots(how, pyro_reader_of(in.at, (size_t)(in.end - in.at)));
        break;
    case 3:
        compare_floats(in.at, (size_t)(in.end - in.at));
        break;
    case 4:
        check_type(how, pyro_reader_of(in.at, (size_t)(in.end - in.at)));
        break;
    default:
        check_arguments(how, n & 15, in.at, (size_t)(in.end - in.at));
    }
    return 0;
}
