/* pyro.h - remote objects for C programs without a heap - version 0.1.0
 *
 * One program calls objects in another, over TCP, a Unix socket, a serial
 * line or any other stream of bytes: the system of Pyro 3 (Python Remote
 * Objects) in C99, for microcontrollers and small daemons. Do this in *one*
 * C file of your program:
 *
 *     #define PYRO_IMPLEMENTATION
 *     #define PYRO_POSIX              (where there are sockets)
 *     #include "pyro.h"
 *
 * and include "pyro.h" wherever it is used. SPDX-License-Identifier: MIT
 *
 * CONTENTS
 *   what it is   server   client   words   values and signatures   errors
 *   memory   pool   time, blocking, threads, interrupts   limits   macros
 *   ports   wire
 *   The rest of this file: search for ">>" and one of
 *   config errors values uri port daemon objects proxy (declarations), then
 *   basics errors writer reader values uri message pool links exceptions
 *   signatures objects attributes internal dispatch later requests receiving
 *   time poll open pipes check proxy calls pyro5 posix (implementation)
 *
 * WHAT IT IS
 *   - proxy, daemon, marshaller, URI, remote exceptions and attributes
 *   - one struct, one poll function; the caller declares all memory
 *   - calls in both directions on one connection, nested, without threads
 *   - a timeout on everything that waits, by default
 * WHAT IT IS NOT
 *   - thread-safe: one task owns a daemon, see "Time" below
 *   - encrypted or authenticated: use it where you trust the network
 *   - wire compatible with Pyro 3 (pickle); with Pyro5 and Pyro4 it is
 *   - for streams of bulk data: a message has to fit a buffer
 *
 * SERVER
 *
 *     #define PYRO_IMPLEMENTATION
 *     #define PYRO_POSIX
 *     #include "pyro.h"
 *
 *     struct calc { int32_t calls; char label[16]; };
 *
 *     static void calc_div(void *self, pyro_call *call)
 *     {
 *         struct calc *c = (struct calc *)self;
 *         int32_t      a = pyro_get_i32(&call->args);
 *         int32_t      b = pyro_get_i32(&call->args);
 *
 *         c->calls++;
 *         if (b == 0)
 *             pyro_raise(call, "ZeroDivisionError", "division by zero");
 *         else
 *             pyro_put_f64(&call->result, (double)a / b);
 *     }
 *
 *     static const pyro_method methods[] = {
 *         { "div", calc_div, "a:i b:i", "d", 0 },
 *     };
 *     static const pyro_attr attrs[] = {
 *         PYRO_ATTR_I32(struct calc, calls, PYRO_READONLY),
 *         PYRO_ATTR_STR(struct calc, label, 0),
 *     };
 *     static const pyro_class calc_class = {
 *         "Calc", PYRO_METHODS(methods), PYRO_ATTRS(attrs), NULL, 0
 *     };
 *     static PYRO_ROOM(4, 4, 512, 8) room;
 *     static pyro_daemon node;
 *     static struct calc calc = { 0, "bench 3" };
 *
 *     int main(void)
 *     {
 *         pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
 *
 *         if (!err) err = pyro_listen(&node, pyro_posix(), "*:7766");
 *         if (!err) err = pyro_export(&node, &calc_class, &calc, "calc");
 *         while (!err)
 *             err = pyro_poll(&node, 100);
 *         return 1;
 *     }
 *
 * CLIENT
 *
 *     #define PYRO_IMPLEMENTATION
 *     #define PYRO_POSIX
 *     #include "pyro.h"
 *     #include <stdio.h>
 *
 *     static PYRO_ROOM(1, 2, 512, 0) room;
 *     static pyro_daemon node;
 *     static pyro_proxy calc;
 *
 *     int main(void)
 *     {
 *         double   q = 0;
 *         pyro_err err = pyro_open(&node, PYRO_ROOM_OF(room), NULL);
 *
 *         if (!err)
 *             err = pyro_proxy_open(&calc, &node,
 *                                   "PYRO://127.0.0.1:7766/calc");
 *         if (!err)
 *             err = pyro_invoke(&calc, "div",
 *                               PYRO_ARGS(pyro_int(1), pyro_int(3)),
 *                               pyro_to_f64(&q));
 *         if (err == PYRO_ERR_REMOTE)
 *             puts(pyro_exception(&calc)->message);
 *         else if (err)
 *             puts(pyro_err_text(err));
 *         else
 *             printf("%g\n", q);
 *         return err != PYRO_OK;
 *     }
 *
 * WORDS
 *   daemon     the context of everything: objects, links, pool. Called `node`
 *              in the samples. It serves, calls, or both.
 *   object     a struct of yours with a class, known by a name or by an id of
 *              32 hex digits
 *   class      const tables of methods and attributes
 *   proxy      stands for a remote object; calls go through it
 *   URI        where an object is: PYRO://host:port/object, or
 *              PYRO:object@host:port where Pyro5 or Pyro4 is spoken
 *   link       a connection; carries calls both ways
 *   request    one call that is under way
 *   port       the functions through which the platform is reached
 *   marshal    to turn values into bytes
 *
 * VALUES AND SIGNATURES
 *   A value is nil, bool, an integer of 64 bits, a float of 32 or 64, a str
 *   (UTF-8), bytes, a list or a map. Streams put and get them one by one;
 *   PYRO_ARGS and pyro_to_... are the same in one line. A method's signature
 *   is text in its table and is checked before the handler runs:
 *     b bool   i int of 32 bits   q int of 64   d float (int accepted)
 *     s str    y bytes            U URI or proxy  v anything
 *     [d] list of   {q} map of str to   ? from here on optional
 *   "a:i b:i ?scale:d" names the parameters, so that callers may use keyword
 *   arguments; "ii?d" does not. A float is moved as bits, never computed.
 *
 * ERRORS
 *   Functions return a pyro_err, PYRO_OK is 0, so calls chain: if (!err) err
 *   = ... An error leaves outputs untouched. node.why says more: a text and
 *   the two numbers that disagree. A remote exception is PYRO_ERR_REMOTE and
 *   pyro_exception: type, message, traceback. pyro_sent tells a call that was
 *   certainly not executed from one that may have been: nothing is ever sent
 *   twice, so each call is executed at most once. PYRO_ERR_BUSY and
 *   PYRO_ERR_DENIED mean it was not. What cannot be told to anybody is
 *   counted in node.stats.
 *
 * MEMORY
 *   Nothing is allocated. The bill is what you declare:
 *     PYRO_ROOM(links, buffers, bytes, objects)  (links + 1) times a link,
 *       buffers times (bytes + 12), objects times 20, and with sockets
 *       (links + 1) times PYRO_LINK_AHEAD
 *     a pyro_daemon; a pyro_proxy and a pyro_request for each call in flight
 *   `make size` prints the numbers for a Cortex-M. A message may be
 *   PYRO_FRAME_EXTRA (14) bytes shorter than a buffer. Lent to the library
 *   and not to be moved meanwhile: rooms and configs while a daemon is open,
 *   objects, classes and names until withdrawn, proxies and their URI's text
 *   until closed, requests from begin until done, out-slots as long. Views
 *   (pyro_get_str) live as long as the handler or callback that got them.
 *   Stack: a handler's own, and at each nesting level what pyro_invoke and
 *   all below it take on the way to the next handler (gcc -fstack-usage).
 *
 * POOL
 *   An idle link holds no buffer; messages take one from the pool, a call
 *   that is served takes two (arguments and reply). Rules keep nodes that
 *   call each other from waiting in a circle:
 *     R0  Nothing is held while waiting: a frame's buffers are taken all at
 *         once, when its header is there, or the link stays unread.
 *     R1  A link on which a result is expected is never left unread: a call
 *         that stands in the way and finds no buffers is refused, "busy".
 *     R2  One buffer is kept back for results on a node that makes calls.
 *     R3  A request leaves that buffer and a serving pair alone. When it is
 *         the only one, it may sit in the kept buffer itself.
 *     R4  A deferred reply takes its buffer when it is finished.
 *     R5  In a handler a call may wait for buffers only while a reply waits
 *         to be sent, for that goes away by itself; else it is refused.
 *   Why this cannot deadlock: replies go only where a result is expected;
 *   those links are always read (R1) and have a buffer to read into (R2), so
 *   every reply drains. Buffers for serving are held by calls arriving (they
 *   arrive, or their frame's deadline ends the link), by replies (they
 *   drain) and by handlers, which end, or wait for a result, which comes by
 *   induction. So a pair comes free (R3 keeps requests off it), so every
 *   unread link is read again, so every request drains.
 *   The least number of buffers: 1 for a client with one call at a time, 2
 *   for a daemon, 3 for both; in general
 *     2 * handlers nested + 1 (any client) + 1 (several calls in flight)
 *       + 1 (calls to Pyro5 in another serializer than MessagePack).
 *
 * TIME, BLOCKING, THREADS, INTERRUPTS
 *   pyro_poll does a bounded amount of work: PYRO_POLL_FRAMES frames, and
 *   PYRO_POLL_ACCEPTS connections of each listener. Only pyro_poll,
 *   pyro_invoke and its kin (getattr, setattr, hasattr, oneway when no buffer
 *   is free) and pyro_wait wait. While a call waits, incoming calls are
 *   served (config serve_while_waiting), so A may call B and B call back A; a
 *   nested call never waits longer than those below it on the stack. Past
 *   PYRO_MAX_NESTING handlers every caller gets "busy". Callbacks of
 *   requests, timers, hooks and watched handles run from poll, never from
 *   another function. A link that is silent longer than dead_ms is ended;
 *   PINGs keep an idle one alive. The clock may start anywhere and wrap.
 *   One task owns a daemon. Only pyro_wake and pyro_post may be called from
 *   interrupts, signal handlers and other tasks. Several daemons do not know
 *   of each other. In a handler that runs long call pyro_yield. Finish a
 *   deferred reply from a timer, a hook or a callback rather than from the
 *   main loop: that stands still while it waits for a call itself.
 *
 * LIMITS, AND WHAT HAPPENS AT THEM
 *   links full           connecting: the same as no buffer, calling; a client
 *                        that comes: CONNECTFAIL "server too busy", after it
 *                        has greeted
 *   objects full         pyro_export: PYRO_ERR_NOSPACE
 *   no buffer, calling   pyro_invoke waits, until its deadline; pyro_begin:
 *                        PYRO_ERR_NOSPACE
 *   no buffer, serving   the link waits, or the caller gets PYRO_ERR_BUSY;
 *                        oneways so refused count in stats.lost_oneway
 *   65,535 proxies       pyro_proxy_open: PYRO_ERR_NOSPACE
 *   message too long     at the sender: PYRO_ERR_NOSPACE, both sizes in
 *                        node.why; else a ProtocolError with both
 *   nesting              PYRO_ERR_BUSY for the caller
 *   arguments            TypeError with the parameter, or both counts
 *   exception text       cut, ending in "..." (PYRO_EXCEPTION_BYTES)
 *   time                 PYRO_ERR_TIMEOUT; frames, greetings, silence: the
 *                        link is ended, stats.dead
 *   ring full            pyro_post returns false, ring.lost
 *
 * MACROS
 *   All under ">>config", each with default, range and cost.
 *
 * PORTS
 *   A port is a const struct of functions, see pyro_port: clock, send,
 *   receive, close, and what else the platform has (waiting, datagrams, a
 *   list of interfaces); what is NULL it has not. pyro_posix() is one,
 *   examples/lib/lwip.h another, for boards without an operating system. A
 *   serial line is two rings and a handle that is given to pyro_adopt; either
 *   side may greet, either may restart. PYRO_PORT_NOISY asks for checksums.
 *
 * WIRE
 *   Everything is big endian. A frame is a header, a body of `length` bytes
 *   and, with flag CHECKSUM, four bytes of CRC-32 (as in zlib, Ethernet) over
 *   header and body, which `length` does not count.
 *
 *     0  'P' 'Y'
 *     2  version 6 in the high four bits, type in the low
 *     3  flags
 *     4  sequence number, 16 bits
 *     6  length, 16 bits; with flag LONG 32 bits (the header has 10 bytes)
 *
 *   type  1 CONNECT  2 CONNECTOK  3 CONNECTFAIL  4 INVOKE  5 RESULT  6 PING
 *         reserved: 7 CHALLENGE  8 AUTH
 *   flags 01 EXCEPTION  04 ONEWAY  10 CHECKSUM  40 LONG
 *         reserved: 02, 08 BATCH, 20 SEALED, 80
 *
 *   Greeting. Who connects sends CONNECT, the other answers CONNECTOK or
 *   CONNECTFAIL; nothing else is accepted before. All three always have a
 *   checksum and sequence number 0. CONNECT and CONNECTOK have this body, in
 *   just this form, so that it can be read eight bytes at a time:
 *
 *     96 06 ff ce ssssssss   version 6, features, session id
 *     ce mmmmmmmm cd dddd    largest body accepted (at least 50), dead_ms
 *     c4 nn ...              nonce of nn bytes (0 to 46): reserved, send none
 *
 *   Feature bit 0 is CHECKSUM: in CONNECT it is asked for, in CONNECTOK it
 *   is agreed on; it must be agreed when either side asks. Then a frame
 *   without it is an error; a checksum that is there is looked at in any
 *   case, and a wrong one ends the link. Other bits are sent 0 and ignored.
 *   The largest body does not count header and checksum. A session id is new
 *   at each boot. Unless either side says 0 or ffff, a side that is silent
 *   for longer than dead_ms (the larger of both) is given up; send a PING
 *   after a third of it. CONNECTFAIL is [reason, text]: 0 unspecified, 1 too
 *   busy, 2 host blocked, 3 security, 4 not connected. A link ends by being
 *   closed; what breaks these rules ends it. Bytes other than 'P' 'Y' 6x end
 *   a connection and are passed over on a pipe.
 *
 *   On a pipe (serial line) both may send CONNECT at any time. When both did,
 *   the smaller session id answers and forgets its own (both, when equal). On
 *   an open link it means that the peer has started anew: what was pending is
 *   lost. Other frames on a pipe that is not open are answered, at most once
 *   a second, by CONNECTFAIL 4; CONNECT is repeated while nobody answers.
 *
 *   Bodies are MessagePack. INVOKE is [object, method, [arguments], {keyword
 *   arguments}], the last a map or nil; the object is a name or an id of 32
 *   hex digits. It is answered by a RESULT of the same sequence number, which
 *   is any value, or with flag EXCEPTION the map shown below: __class__ and
 *   args count, the first of args is the message; attributes with the lines
 *   of _pyroTraceback, innermost first, may be missing. The body of
 *   busy-reply, in just these bytes, says that the call was not executed.
 *   With flag ONEWAY there is no answer, and the number is 0, as it is in
 *   greetings and PING. Both sides may INVOKE and count for themselves, up
 *   from 1 and round again, skipping 0 and numbers still open. Calls of one
 *   link are begun in order; answers may come in any. An answer that nobody
 *   waits for is passed over. A number that was given up may be used again
 *   only after a new greeting. A call longer than accepted gets a
 *   ProtocolError. LONG may be used for short bodies, too.
 *   Attributes are the methods __getattr__ (name), __setattr__ (name, value)
 *   and __hasattr__ (name). Exceptions of the daemon itself: NamingError (no
 *   such object), AttributeError (method or attribute), TypeError (arguments),
 *   ProtocolError, MemoryError (result too long), TimeoutError (deferred).
 *   The object c0000000011000001000000010000001 is the daemon itself:
 *   getRegistered(first=0) gives {id: name or nil}, as many as fit from that
 *   table entry on; ResolvePYROLOC(name) the id; ping() nil; describe(name)
 *   {"class": name, "methods": [[name, arguments, result, oneway]...],
 *   "attrs": [[name, type, read-only]...]}, types b i u q f d s.
 *   PING with an empty body asks, with nil answers; nobody answers that.
 *   A URI is the map shown below: state is [protocol, object, nil, host,
 *   port]. Host nil and port 0 is an object of the sender, to be called back
 *   on this link.
 *
 *   Every form of MessagePack is accepted, except in the greeting; the
 *   shortest is sent. Text must be UTF-8, ext is passed on or skipped, lists
 *   and maps nest up to PYRO_MAX_DEPTH, or at will with PYRO_NO_ELEMENTS.
 *
 *   Pyro5 and Pyro4. On the same port, told apart by the first bytes
 *   ("PYRO"), a daemon serves their unmodified clients, and a proxy of
 *   PYRO:object@host:port calls their daemons (Pyro4 when one answers so).
 *   Bodies are those above; who wants to know the headers finds them in the
 *   sources of Pyro5 (protocol.py, version 502: 40 bytes) and Pyro4
 *   (message.py, version 48: 24 bytes). Spoken are all six message types,
 *   the flags EXCEPTION, ONEWAY, BATCH and META_ON_CONNECT, and attributes.
 *   The daemon itself is Pyro.Daemon there, with the methods above and their
 *   get_metadata(object), registered() and info().
 *   Serializers are msgpack and those of pyro_config.codecs, tried in turn
 *   when a daemon does not take one. What is otherwise:
 *     - Python's proxies learn methods and attributes from the tables of a
 *       class. Methods only `any` knows: proxy._pyroInvoke("name", (1,), {})
 *     - an exception of a type that Python has not got arrives as PyroError,
 *       "type: message"; one from there loses "builtins." and the like, and
 *       what of its traceback exceeds a buffer
 *     - a batch is served up to its first exception; its calls may not be
 *       deferred, its results have to fit one buffer
 *     - "this connection" cannot be passed: give pyro_uri_of
 *     - nobody says that it lives, so silence ends no link; a text that is
 *       put as URI is for C only as it stands, pyro_put_uri suits both. URIs
 *       from Python are called in Pyro5, in a raw copy as native ones
 *     - correlation ids and annotations are passed over, none are sent;
 *       compressed data and blobs are a ProtocolError; there are no streams.
 *   There is no authentication in it: whoever can connect can call.
 *
 *   Frames by example (a client of object calc):
 *
 *   connect        50 59 61 10 00 00 00 12 96 06 00 ce 01 02 03 04
 *                  ce 00 00 01 f2 cd 4e 20 c4 00 8b 20 ea 8a
 *   connectok      50 59 62 10 00 00 00 12 96 06 00 ce 0a 0b 0c 0d
 *                  ce 00 00 01 f2 cd 4e 20 c4 00 12 4a d3 53
 *   connectfail    50 59 63 10 00 00 00 12 92 01 af 73 65 72 76 65
 *                  72 20 74 6f 6f 20 62 75 73 79 56 cb d6 b8
 *   add-request    50 59 64 00 00 01 00 0e 94 a4 63 61 6c 63 a3 61
 *                  64 64 92 02 03 80
 *   add-reply      50 59 65 00 00 01 00 01 05
 *   add-keywords   50 59 64 00 00 02 00 12 94 a4 63 61 6c 63 a3 61
 *                  64 64 90 82 a1 61 02 a1 62 03
 *   add-checksum   50 59 64 10 00 01 00 0e 94 a4 63 61 6c 63 a3 61
 *                  64 64 92 02 03 80 bd 2c 1e c8
 *   log-oneway     50 59 64 04 00 00 00 12 94 a4 63 61 6c 63 a3 6c
 *                  6f 67 91 a5 68 65 6c 6c 6f 80
 *   get-request    50 59 64 00 00 03 00 1a 94 a4 63 61 6c 63 ab 5f
 *                  5f 67 65 74 61 74 74 72 5f 5f 91 a5 6c 61 62 65
 *                  6c 80
 *   get-reply      50 59 65 00 00 03 00 08 a7 62 65 6e 63 68 20 33
 *   set-request    50 59 64 00 00 04 00 22 94 a4 63 61 6c 63 ab 5f
 *                  5f 73 65 74 61 74 74 72 5f 5f 92 a5 6c 61 62 65
 *                  6c a7 62 65 6e 63 68 20 34 80
 *   set-reply      50 59 65 00 00 04 00 01 c0
 *   div-request    50 59 64 00 00 05 00 0e 94 a4 63 61 6c 63 a3 64
 *                  69 76 92 01 00 80
 *   div-exception  50 59 65 01 00 05 00 70 84 a9 5f 5f 63 6c 61 73
 *                  73 5f 5f b1 5a 65 72 6f 44 69 76 69 73 69 6f 6e
 *                  45 72 72 6f 72 ad 5f 5f 65 78 63 65 70 74 69 6f
 *                  6e 5f 5f c3 a4 61 72 67 73 91 b0 64 69 76 69 73
 *                  69 6f 6e 20 62 79 20 7a 65 72 6f aa 61 74 74 72
 *                  69 62 75 74 65 73 81 ae 5f 70 79 72 6f 54 72 61
 *                  63 65 62 61 63 6b 91 b0 63 61 6c 63 2e 64 69 76
 *                  20 6f 6e 20 70 79 72 6f
 *   busy-reply     50 59 65 01 00 06 00 2f 83 a9 5f 5f 63 6c 61 73
 *                  73 5f 5f a9 42 75 73 79 45 72 72 6f 72 ad 5f 5f
 *                  65 78 63 65 70 74 69 6f 6e 5f 5f c3 a4 61 72 67
 *                  73 91 a4 62 75 73 79
 *   watch-request  50 59 64 00 00 07 00 40 94 a4 63 61 6c 63 a5 77
 *                  61 74 63 68 91 82 a9 5f 5f 63 6c 61 73 73 5f 5f
 *                  ae 50 79 72 6f 35 2e 63 6f 72 65 2e 55 52 49 a5
 *                  73 74 61 74 65 95 a4 50 59 52 4f a8 6c 69 73 74
 *                  65 6e 65 72 c0 c0 00 80
 *   uri-value      82 a9 5f 5f 63 6c 61 73 73 5f 5f ae 50 79 72 6f
 *                  35 2e 63 6f 72 65 2e 55 52 49 a5 73 74 61 74 65
 *                  95 a4 50 59 52 4f a4 63 61 6c 63 c0 a8 31 30 2e
 *                  30 2e 30 2e 37 cd 1e 56
 *   ping           50 59 66 00 00 00 00 00
 *   ping-answer    50 59 66 00 00 00 00 01 c0
 */

#ifndef PYRO_H
#define PYRO_H

/* ------------------------------------------------------------------------
 * >>config: every number and switch. Set them in the file that
 * PYRO_CONFIG_HEADER names, or with -D, the same in all source files:
 * pyro_open compares and refuses a mix.
 * ------------------------------------------------------------------------ */

#ifdef PYRO_CONFIG_HEADER
#include PYRO_CONFIG_HEADER
#endif

/* Longest object, method, class or attribute name, in bytes. An id takes 32,
 * one of Python's, "obj_" and 32 digits, 36. Range 32 to 200. Costs this many
 * bytes in each proxy. */
#ifndef PYRO_MAX_NAME
#ifdef PYRO_NO_PYRO5
#define PYRO_MAX_NAME 32
#else
#define PYRO_MAX_NAME 36
#endif
#endif
#if PYRO_MAX_NAME < 32 || PYRO_MAX_NAME > 200
#error "PYRO_MAX_NAME: 32 to 200"
#endif

/* Longest host text of a URI. Range 15 to 200. Costs stack while connecting. */
#ifndef PYRO_MAX_HOST
#define PYRO_MAX_HOST 64
#endif
#if PYRO_MAX_HOST < 15 || PYRO_MAX_HOST > 200
#error "PYRO_MAX_HOST: 15 to 200"
#endif

/* Most arguments of one call. Range 1 to 15. Costs nothing. */
#ifndef PYRO_MAX_ARGS
#define PYRO_MAX_ARGS 15
#endif
#if PYRO_MAX_ARGS < 1 || PYRO_MAX_ARGS > 15
#error "PYRO_MAX_ARGS: 1 to 15, the size of a one-byte list header"
#endif

/* Deepest nesting of lists and maps that is accepted. Range 4 to 100. Costs
 * 4 bytes of stack each while a value is skipped or checked. */
#ifndef PYRO_MAX_DEPTH
#define PYRO_MAX_DEPTH 16
#endif
#if PYRO_MAX_DEPTH < 4 || PYRO_MAX_DEPTH > 100
#error "PYRO_MAX_DEPTH: 4 to 100"
#endif

/* Most handlers on the stack at once (a handler that calls out may be called
 * again while it waits). Range 1 to 100. Costs stack when it is used, see
 * "Memory" above; past it callers get "busy". */
#ifndef PYRO_MAX_NESTING
#define PYRO_MAX_NESTING 4
#endif
#if PYRO_MAX_NESTING < 1 || PYRO_MAX_NESTING > 100
#error "PYRO_MAX_NESTING: 1 to 100"
#endif

/* Most addresses a daemon listens on. Range 1 to 16. Costs a pyro_item each. */
#ifdef PYRO_NO_CONFIG
#undef PYRO_MAX_LISTEN
#define PYRO_MAX_LISTEN 1
#endif
#ifndef PYRO_MAX_LISTEN
#define PYRO_MAX_LISTEN 2
#endif
#if PYRO_MAX_LISTEN < 1 || PYRO_MAX_LISTEN > 16
#error "PYRO_MAX_LISTEN: 1 to 16"
#endif

/* Room in each proxy for the text of the last remote exception: type, message
 * and traceback, zero bytes included. The one text that may be cut, and then
 * it ends in "...". Range 0 (none) or 16 to 4096. */
#ifndef PYRO_EXCEPTION_BYTES
#define PYRO_EXCEPTION_BYTES 96
#endif
#if PYRO_EXCEPTION_BYTES != 0 && PYRO_EXCEPTION_BYTES < 16 \
    || PYRO_EXCEPTION_BYTES > 4096
#error "PYRO_EXCEPTION_BYTES: 0 or 16 to 4096"
#endif

/* Most frames (headers and bodies) one poll works off, and most connections
 * of each listener it accepts: the bound of a poll. Ranges 1 to 10000 and 1
 * to 1000. */
#ifndef PYRO_POLL_FRAMES
#ifdef PYRO_POSIX
#define PYRO_POLL_FRAMES 1024
#else
#define PYRO_POLL_FRAMES 64
#endif
#endif
#if PYRO_POLL_FRAMES < 1 || PYRO_POLL_FRAMES > 10000
#error "PYRO_POLL_FRAMES: 1 to 10000"
#endif
#ifndef PYRO_POLL_ACCEPTS
#define PYRO_POLL_ACCEPTS 8
#endif
#if PYRO_POLL_ACCEPTS < 1 || PYRO_POLL_ACCEPTS > 1000
#error "PYRO_POLL_ACCEPTS: 1 to 1000"
#endif

/* Defaults of the times in pyro_config, all in milliseconds. */
#ifndef PYRO_TIMEOUT_MS
#define PYRO_TIMEOUT_MS 3000 /* a call: 1 to PYRO_MAX_MS */
#endif
#ifndef PYRO_GREET_MS
#define PYRO_GREET_MS 2000 /* connecting and greeting */
#endif
#ifndef PYRO_FRAME_MS
#define PYRO_FRAME_MS 2000 /* a frame that has begun, in or out */
#endif
#ifndef PYRO_DEAD_MS
#define PYRO_DEAD_MS 20000 /* silence that ends a link: up to 65534 */
#endif

/* Longest time that can be asked for: about 12 days. */
#define PYRO_MAX_MS 0x3FFFFFFFu

/* Waiting polls without any event or tick of the clock after which the clock
 * counts as broken and waits end with PYRO_ERR_STATE. 1000 to 2^31. */
#ifndef PYRO_STUCK_POLLS
#define PYRO_STUCK_POLLS 1000000
#endif
#if PYRO_STUCK_POLLS < 1000
#error "PYRO_STUCK_POLLS: at least 1000"
#endif

/* Bytes of each link that its port may use to read ahead of the frame it was
 * asked for, which saves system calls. 0: none. Costs this per link. */
#ifndef PYRO_LINK_AHEAD
#ifdef PYRO_POSIX
#define PYRO_LINK_AHEAD 4096
#else
#define PYRO_LINK_AHEAD 0
#endif
#endif
#if PYRO_LINK_AHEAD != 0 && PYRO_LINK_AHEAD < 64
#error "PYRO_LINK_AHEAD: 0 or at least 64"
#endif

/* Switches that remove something; flash saved is printed by `make costs`.
 *   PYRO_NO_SERVER         no objects: a client
 *   PYRO_NO_CLIENT         no proxies: a daemon that calls nobody
 *   PYRO_NO_LONG           no frames over 65,535 bytes; smaller counters
 *   PYRO_NO_KWARGS         keyword arguments are refused
 *   PYRO_NO_INTROSPECTION  no internal daemon object
 *   PYRO_NO_TEXTS          errors without texts, exceptions without tracebacks;
 *                          pyro_reraise knows fewer types
 *   PYRO_NO_LOG            no log and no trace hook
 *   PYRO_NO_URI_FORMS      URIs only as protocol://..., and as values only in
 *                          just the form shown under "Wire"
 *   PYRO_NO_URI            no URIs but in pyro_proxy_open, which takes
 *                          PYRO://address/object: the port gets the address
 *                          as it stands there, its port number included
 *   PYRO_NO_ASYNC          only calls that wait: no pyro_begin and what
 *                          belongs to it
 *   PYRO_NO_HOOKS          no hooks, timers, watched handles, rings, pyro_wake
 *                          and pyro_yield: poll sees to calls, no more
 *   PYRO_NO_CONFIG         of pyro_config `port` alone counts: it must be
 *                          there, with a `wait`, and is the only port. One
 *                          listener; times are the defaults; everybody is
 *                          served meanwhile
 *   PYRO_NO_DENIALS        nobody is told why not: who comes when all links
 *                          are taken is left waiting, a message longer than
 *                          was announced ends its link, also a call of ours
 *                          from before the greeting
 *   PYRO_NO_ONEWAY         no pyro_oneway, and a method's PYRO_ONEWAY does not
 *                          count; calls that others send so are served
 *   PYRO_NO_SENT           pyro_sent is always true: a call that failed may
 *                          have been executed, and if it has not left in time
 *                          it leaves all the same
 *   PYRO_NO_IDS            objects have names and no ids: no pyro_object_id
 *   PYRO_NO_ANY            a class is its two tables: `any` has to be NULL and
 *                          there is no PYRO_EXCLUSIVE
 *   PYRO_NO_ELEMENTS       what is in lists and maps is for a handler to look
 *                          at as it takes it: [d] is any list, {q} any map, and
 *                          they nest as deep as they like
 *   PYRO_NO_UTF8           no text is looked at, ours or theirs: whoever shows
 *                          one looks at it himself
 *   PYRO_NO_CHECKSUM       no checksums but those that go with greetings; ours
 *                          are right, others' are not looked at. Who asks for
 *                          more is refused. Not for noisy lines
 *   PYRO_NO_GATHER         every oneway call and every reply is sent by itself
 *                          and at once: pyro_flush has nothing to do
 *   PYRO_NO_STATS          node.stats stays zero
 *   PYRO_NO_PIPE           no pyro_adopt: connections only, and the loss of
 *                          bytes ends one
 *   PYRO_NO_PYRO5          no Pyro5 and no Pyro4: peers are other Pyros for C
 *   PYRO_NO_PYRO4          no Pyro4
 *   PYRO_NO_BATCH          of Pyro5 no batches: they are refused
 *   PYRO_NO_CODECS         of Pyro5 no serializer but msgpack:
 *                          pyro_config.codecs does not count
 * and hooks that replace:
 *   PYRO_ASSERT(c)                 default assert(c): programming errors only
 *   PYRO_LOAD_ACQ, PYRO_STORE_REL  atomic byte access for pyro_post */
#if defined(PYRO_NO_SERVER) && defined(PYRO_NO_CLIENT)
#error "PYRO_NO_SERVER and PYRO_NO_CLIENT leave nothing"
#endif
#if defined(PYRO_NO_DENIALS) && !defined(PYRO_NO_PYRO5)
#error "PYRO_NO_DENIALS needs PYRO_NO_PYRO5: there nothing is announced"
#endif
#if defined(PYRO_NO_ONEWAY) && !defined(PYRO_NO_ASYNC)
#error "PYRO_NO_ONEWAY needs PYRO_NO_ASYNC: pyro_send_oneway is of that"
#endif
#if defined(PYRO_NO_SENT) && !defined(PYRO_NO_ASYNC)
#error "PYRO_NO_SENT needs PYRO_NO_ASYNC: pyro_cancel tells what has left"
#endif
#if defined(PYRO_NO_IDS) && !defined(PYRO_NO_URI)
#error "PYRO_NO_IDS needs PYRO_NO_URI: an id is what stands in one"
#endif
#if defined(PYRO_NO_IDS) && !defined(PYRO_NO_INTROSPECTION)
#error "PYRO_NO_IDS needs PYRO_NO_INTROSPECTION, which tells ids"
#endif
#if defined(PYRO_NO_UTF8) && !defined(PYRO_NO_PYRO5)
#error "PYRO_NO_UTF8 needs PYRO_NO_PYRO5: Python does not read other texts"
#endif
#if defined(PYRO_NO_URI) && !defined(PYRO_NO_PYRO5)
#error "PYRO_NO_URI needs PYRO_NO_PYRO5: its objects are known by URIs"
#endif
#if defined(PYRO_NO_PYRO5) && !defined(PYRO_NO_PYRO4)
#define PYRO_NO_PYRO4
#endif
#if defined(PYRO_NO_PYRO5) && !defined(PYRO_NO_BATCH)
#define PYRO_NO_BATCH
#endif
#if defined(PYRO_NO_PYRO5) && !defined(PYRO_NO_CODECS)
#define PYRO_NO_CODECS
#endif

/* ------------------------------------------------------------------------ */

#if defined(PYRO_POSIX) && !defined(_DEFAULT_SOURCE) && !defined(_GNU_SOURCE) \
    && !defined(_POSIX_C_SOURCE) && !defined(_XOPEN_SOURCE)
#define _DEFAULT_SOURCE 1
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PYRO_VERSION "0.1.0"

#ifdef PYRO_STATIC
#if defined(__GNUC__)
#define PYRO_DEF static __attribute__((unused))
#else
#define PYRO_DEF static
#endif
#else
#define PYRO_DEF extern
#endif

#define PYRO_COUNT(array) (sizeof(array) / sizeof(array)[0])

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------
 * >>errors
 * ------------------------------------------------------------------------ */

/* What can go wrong; the names follow Pyro's exceptions. A call that returns
 * an error has left its outputs untouched. */
typedef enum pyro_err {
    PYRO_OK,           /* it worked */
    PYRO_ERR_URI,      /* a URI or address that cannot be read */
    PYRO_ERR_DAEMON,   /* the daemon cannot do that: listen, export */
    PYRO_ERR_PROTOCOL, /* the peer speaks something else */
    PYRO_ERR_CLOSED,   /* no connection, or lost before the answer */
    PYRO_ERR_DENIED,   /* the peer refused the connection */
    PYRO_ERR_TIMEOUT,  /* no answer in time */
    PYRO_ERR_NAMING,   /* no such name */
    PYRO_ERR_REMOTE,   /* the method raised: see pyro_exception */
    PYRO_ERR_TYPE,     /* a value of another type, or out of its range */
    PYRO_ERR_DATA,     /* bytes that are no value, or too few, or too many */
    PYRO_ERR_NOSPACE,  /* a table, buffer or message is too small */
    PYRO_ERR_BUSY,     /* refused for the moment: NOT executed, try again */
    PYRO_ERR_STATE     /* not allowed now; the program is wrong */
} pyro_err;

/* A short text for an error; never NULL; static. */
PYRO_DEF const char *pyro_err_text(pyro_err err);

/* Why a connection was refused: the reason codes of Pyro 3. */
typedef enum pyro_deny {
    PYRO_DENY_UNSPECIFIED,
    PYRO_DENY_BUSY,    /* too many connections */
    PYRO_DENY_HOST,    /* this host is blocked */
    PYRO_DENY_SECURITY /* wrong identification */
} pyro_deny;

PYRO_DEF const char *pyro_deny_text(pyro_deny reason);

/* Detail of the last error a daemon met, for people: a static text and the two
 * numbers that disagree, where there are two: "message too long for the
 * peer", is 700, limit 512. All zero with PYRO_NO_TEXTS. */
typedef struct pyro_why {
    const char *text;
    uint32_t    is;
    uint32_t    limit;
} pyro_why;

/* ------------------------------------------------------------------------
 * >>values: the marshaller. Bytes are MessagePack.
 *
 * Streams hold their first error. After it puts do nothing and gets return
 * 0, "" or an empty list; look at `err` once, at the end. Handlers and
 * requests need not even do that: pyro does.
 * ------------------------------------------------------------------------ */

/* Writes values into memory of the caller. `owed` is the number of values
 * that lists and maps begun still wait for: a handler or a request that ends
 * with some owed, or puts one too many, is an error and never a malformed
 * message. Fields are for reading only. */
typedef struct pyro_writer {
    uint8_t *at;   /* where the next byte goes */
    uint8_t *end;  /* first byte that may not be written */
    uint32_t owed; /* values missing in the value begun */
    uint8_t  more; /* values that may still be begun */
    uint8_t  err;  /* a pyro_err, the first one */
#ifndef PYRO_NO_PYRO5
    uint8_t dialect_;
#endif
} pyro_writer;

/* Reads values from memory that stays where it is. Strings are views into
 * it: no copy, no zero byte at the end, gone with the message. */
typedef struct pyro_reader {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t        err;
    uint8_t        type_; /* of the last value, private, as is the rest */
#ifndef PYRO_NO_PYRO5
    uint8_t dialect_;
#endif
} pyro_reader;

typedef enum pyro_type {
    PYRO_NONE, /* nothing there, malformed, or a stream in error */
    PYRO_NIL,
    PYRO_BOOL,
    PYRO_INT,   /* fits int64 */
    PYRO_UINT,  /* over INT64_MAX */
    PYRO_FLOAT, /* 32 or 64 bits */
    PYRO_STR,
    PYRO_BIN,
    PYRO_LIST,
    PYRO_MAP,
    PYRO_EXT /* can only be skipped */
} pyro_type;

/* A writer for `values` values into `size` bytes at `to`. */
PYRO_DEF pyro_writer pyro_writer_of(void *to, size_t size, unsigned values);

/* The one check at the end: the writer's first error, or PYRO_ERR_DATA when
 * values are owed, or PYRO_OK. */
PYRO_DEF pyro_err pyro_writer_end(const pyro_writer *out);

/* Each puts one value, in its shortest form. Errors: PYRO_ERR_NOSPACE when
 * the memory is full, PYRO_ERR_STATE for a value nobody waits for. */
PYRO_DEF void pyro_put_nil(pyro_writer *out);
PYRO_DEF void pyro_put_bool(pyro_writer *out, bool v);
PYRO_DEF void pyro_put_int(pyro_writer *out, int64_t v);
PYRO_DEF void pyro_put_uint(pyro_writer *out, uint64_t v);
PYRO_DEF void pyro_put_f32(pyro_writer *out, float v);
PYRO_DEF void pyro_put_f64(pyro_writer *out, double v);
PYRO_DEF void pyro_put_str(pyro_writer *out, const char *text);
PYRO_DEF void pyro_put_strn(pyro_writer *out, const char *text, size_t n);
PYRO_DEF void pyro_put_bin(pyro_writer *out, const void *data, size_t n);

/* Begin a list of n values, or a map of n keys each followed by its value:
 * put these next. */
PYRO_DEF void pyro_put_list(pyro_writer *out, uint32_t n);
PYRO_DEF void pyro_put_map(pyro_writer *out, uint32_t n);

/* Puts one value that is encoded already (pyro_get_raw, another library). It
 * is checked to be exactly one value: PYRO_ERR_DATA otherwise. */
PYRO_DEF void pyro_put_raw(pyro_writer *out, const void *data, size_t n);

/* A reader of n bytes, which stay the caller's and must outlive it. */
PYRO_DEF pyro_reader pyro_reader_of(const void *data, size_t n);

/* True while a value is left and the stream is in order. */
PYRO_DEF bool pyro_more(const pyro_reader *in);

/* Type of the next value, which stays there. */
PYRO_DEF pyro_type pyro_peek(const pyro_reader *in);

/* Each takes one value. Errors: PYRO_ERR_TYPE for a value of another type or
 * out of range, PYRO_ERR_DATA for bytes that are no value. pyro_get_f64 and
 * _f32 take integers as well. No value is changed silently, except that a
 * float of 64 bits is rounded where only 32 are asked for. */
PYRO_DEF void     pyro_get_nil(pyro_reader *in);
PYRO_DEF bool     pyro_get_bool(pyro_reader *in);
PYRO_DEF int32_t  pyro_get_i32(pyro_reader *in);
PYRO_DEF int64_t  pyro_get_i64(pyro_reader *in);
PYRO_DEF uint64_t pyro_get_u64(pyro_reader *in);
PYRO_DEF float    pyro_get_f32(pyro_reader *in);
PYRO_DEF double   pyro_get_f64(pyro_reader *in);

/* A view of the text or bytes and their number. Never NULL. A text is valid
 * UTF-8; it may contain zero bytes. */
PYRO_DEF const char *pyro_get_str(pyro_reader *in, uint32_t *n);
PYRO_DEF const void *pyro_get_bin(pyro_reader *in, uint32_t *n);

/* Begin a list or map of at most `max` entries: returns their number; take
 * that many values (twice that many from a map) next. More than `max`:
 * PYRO_ERR_NOSPACE. More than there are bytes left: PYRO_ERR_DATA. */
PYRO_DEF uint32_t pyro_get_list(pyro_reader *in, uint32_t max);
PYRO_DEF uint32_t pyro_get_map(pyro_reader *in, uint32_t max);

/* A view of the next value as it is encoded, whatever it is. */
PYRO_DEF const void *pyro_get_raw(pyro_reader *in, uint32_t *n);

/* Passes over one value, checking that it is one: at most PYRO_MAX_DEPTH
 * deep, where PYRO_NO_ELEMENTS is not set, every str valid UTF-8. */
PYRO_DEF void pyro_skip(pyro_reader *in);

/* Tagged values: arguments of the one-line calls. What `data` points to must
 * live until the call has returned. */
typedef struct pyro_value {
    uint32_t type; /* private, as is the rest */
    uint32_t n_;
    union {
        uint64_t    u;
        const void *p;
        struct {
            const void *data;
            void (*put)(pyro_writer *out, const void *data, size_t n);
        } own;
    } v_;
} pyro_value;

PYRO_DEF pyro_value pyro_nil(void);
PYRO_DEF pyro_value pyro_bool(bool v);
PYRO_DEF pyro_value pyro_int(int64_t v);
PYRO_DEF pyro_value pyro_uint(uint64_t v);
PYRO_DEF pyro_value pyro_f32(float v);
PYRO_DEF pyro_value pyro_f64(double v);
PYRO_DEF pyro_value pyro_str(const char *text);
PYRO_DEF pyro_value pyro_strn(const char *text, size_t n);
PYRO_DEF pyro_value pyro_bin(const void *data, size_t n);
PYRO_DEF pyro_value pyro_raw(const void *data, size_t n);
#ifndef PYRO_NO_URI
PYRO_DEF pyro_value pyro_here(const char *object); /* see pyro_put_here */
#endif
PYRO_DEF void pyro_put(pyro_writer *out, pyro_value v);

/* The arguments of a call: PYRO_ARGS(pyro_int(2), pyro_str("x")), or
 * PYRO_NO_ARGS. */
typedef struct pyro_args {
    const pyro_value *values;
    size_t            count;
} pyro_args;

/* clang-format off */
#ifndef __cplusplus
#define PYRO_ARGS(...)                                  \
    (pyro_args){ (const pyro_value[]){ __VA_ARGS__ },   \
                 sizeof((const pyro_value[]){ __VA_ARGS__ }) \
                     / sizeof(pyro_value) }
#define PYRO_NO_ARGS (pyro_args){ NULL, 0 }
#else
#define PYRO_ARGS(...) pyro_args_of(__VA_ARGS__)
#define PYRO_NO_ARGS   pyro_args()
#endif
/* clang-format on */

/* Memory for a result of bytes or of any encoded value. */
typedef struct pyro_blob {
    void    *data;
    uint32_t size; /* room at data */
    uint32_t used; /* set when the result is there */
} pyro_blob;

/* How a type of C goes over the wire: puts what is at `at` into `out`, or,
 * where that is NULL, takes a value from `in` to there; an error touches
 * nothing. Out-slots and attributes name one, so that a program has only those
 * that it uses. */
typedef void (*pyro_as)(void *at, size_t size, pyro_writer *out,
                        pyro_reader *in);

PYRO_DEF void pyro_as_bool(void *at, size_t size, pyro_writer *out,
                           pyro_reader *in);
PYRO_DEF void pyro_as_i32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_u32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_i64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_u64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_f32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_f64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);
PYRO_DEF void pyro_as_str(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in);

/* Typed out-slots: where a result goes. What they point to must live until
 * the request is done, is written exactly once, and only on success. */
typedef struct pyro_slot {
    void    *to_;
    pyro_as  as_; /* NULL: the result is dropped */
    uint32_t size_;
} pyro_slot;

PYRO_DEF pyro_slot pyro_to_none(void); /* any result; it is dropped */
PYRO_DEF pyro_slot pyro_to_bool(bool *to);
PYRO_DEF pyro_slot pyro_to_i32(int32_t *to);
PYRO_DEF pyro_slot pyro_to_i64(int64_t *to);
PYRO_DEF pyro_slot pyro_to_u64(uint64_t *to);
PYRO_DEF pyro_slot pyro_to_f32(float *to);
PYRO_DEF pyro_slot pyro_to_f64(double *to);
PYRO_DEF pyro_slot pyro_to_str(char *to, size_t size); /* copied, with a 0 */
PYRO_DEF pyro_slot pyro_to_bin(pyro_blob *to);
PYRO_DEF pyro_slot pyro_to_raw(pyro_blob *to); /* read it: pyro_reader_of */

/* ------------------------------------------------------------------------
 * >>uri
 * ------------------------------------------------------------------------ */

#define PYRO_PORT 7766 /* when a URI names no port */

/* Bytes of the text of any URI, zero byte included. */
#define PYRO_URI_BYTES (11 + 2 + PYRO_MAX_HOST + 6 + 1 + PYRO_MAX_NAME + 1)

#ifndef PYRO_NO_URI

typedef enum pyro_protocol {
    PYRO_URI_PYRO, /* an object at an address */
    PYRO_URI_LOC,  /* a name at an address (PYROLOC) */
    PYRO_URI_NAME  /* a name for the name server (PYRONAME) */
} pyro_protocol;

/* The four parts of a URI as views into its text. Host empty and port 0 in a
 * PYRO_URI_PYRO is "this connection": an object of the peer it came from. */
typedef struct pyro_uri {
    uint8_t     protocol; /* a pyro_protocol */
    uint8_t     host_n;
    uint8_t     object_n;
    uint8_t     pyro5; /* 1: Pyro5 or Pyro4 is spoken at this address */
    uint16_t    port;
    const char *host; /* an address in [ ] without them */
    const char *object;
} pyro_uri;

/* Reads one of
 *   PYRO://host:port/object       PYRO:object@host:port
 *   PYROLOC://host[:port]/name
 *   PYRONAME://[host[:port]/]name PYRONAME:name[@host[:port]]
 * An address behind '@' is that of a daemon, or name server, of Pyro5 or
 * Pyro4. A host that contains ':' or '/' stands in brackets, [::1] or
 * [unix:/run/x]; the latter needs no port. The text must outlive *uri. On
 * PYRO_ERR_URI *reason (when asked for) is the reason, a static text. */
PYRO_DEF pyro_err pyro_uri_parse(pyro_uri *uri, const char *text, size_t n,
                                 const char **reason);

/* Prints it in the first form of each line above, or as it has to be for
 * Pyro5, with a zero byte. Returns
 * PYRO_ERR_NOSPACE when `size` bytes are too few: PYRO_URI_BYTES always do. */
PYRO_DEF pyro_err pyro_uri_print(const pyro_uri *uri, char *to, size_t size);

/* A URI as a value: argument, result, or inside of one. "This connection" as
 * it was received cannot be passed on: PYRO_ERR_STATE. */
PYRO_DEF void pyro_put_uri(pyro_writer *out, const pyro_uri *uri);
PYRO_DEF void pyro_get_uri(pyro_reader *in, pyro_uri *uri);

/* Puts an own object (its name or id) for the peer of this very link, which
 * may call it over the same connection: no address is needed, so a device
 * behind NAT or on a serial line can be called back. Dead with the link. For
 * peers with Pyro5 it is PYRO_ERR_STATE: they need a pyro_uri_of. */
PYRO_DEF void pyro_put_here(pyro_writer *out, const char *object);

#endif /* PYRO_NO_URI */

/* ------------------------------------------------------------------------
 * >>port: what the platform does. One const struct of functions; none of
 * them may call the library, none may block except `wait`.
 * ------------------------------------------------------------------------ */

struct pyro_port;
struct pyro_daemon;

/* A handle that is waited for. All open handles of a daemon form a list. */
typedef struct pyro_item {
    uint8_t                 want;  /* set by the library */
    uint8_t                 ready; /* set by the port's wait */
    struct pyro_item       *next;
    const struct pyro_port *port;
    void                   *ahead; /* PYRO_LINK_AHEAD bytes or NULL */
    int32_t                 handle;
    void (*event_)(struct pyro_daemon *node, struct pyro_item *item,
                   unsigned ready);
} pyro_item;

#define PYRO_IN  1 /* want and ready: bytes (or a connection) to take */
#define PYRO_OUT 2 /* room to send */

#define PYRO_PORT_MORE 0x40000000 /* added to what recv returns */
#define PYRO_PORT_GONE (-1)
#define PYRO_PORT_GAP  (-2)

#define PYRO_PORT_NOISY 1 /* flag: bytes may be damaged: use CHECKSUM */

/* Where a datagram goes or came from. IPv4 only, as broadcast is, in host
 * byte order: 127.0.0.1 is 0x7F000001. */
typedef struct pyro_udp {
    uint32_t ip;
    uint16_t port;
} pyro_udp;

/* An IPv4 interface of this machine. */
typedef struct pyro_net {
    uint32_t ip;
    uint32_t mask;
    uint32_t broadcast; /* 0: none */
} pyro_net;

typedef struct pyro_port {
    /* Milliseconds of a clock that never goes back and may wrap. */
    uint32_t (*now)(const struct pyro_port *port);
    /* Fills n random bytes. Returns false if it cannot. May be NULL: then
     * session ids come from the boot count in pyro_config. */
    bool (*random)(const struct pyro_port *port, void *to, size_t n);
    /* A handle >= 0 that listens at the address text, or < 0. May be NULL. */
    int32_t (*listen)(const struct pyro_port *port, const char *address);
    /* A connection, or < 0: none waiting. */
    int32_t (*accept)(const struct pyro_port *port, int32_t listener);
    /* Begins to connect: a handle, or < 0. Until it is connected send
     * returns 0; when it fails send or recv return PYRO_PORT_GONE. */
    int32_t (*connect)(const struct pyro_port *port, const char *address);
    /* Bytes taken: 0 to n; 0 is "not now"; PYRO_PORT_GONE is gone. */
    int32_t (*send)(const struct pyro_port *port, int32_t handle,
                    const void *data, uint32_t n);
    /* Bytes given: 0 to n, plus PYRO_PORT_MORE when more can be had at
     * once. Without that flag the library asks again only after wait has
     * reported the handle. PYRO_PORT_GONE: the peer has closed and nothing
     * is left. PYRO_PORT_GAP: bytes were lost here; the next one begins a
     * frame. `ahead`, if not NULL, is PYRO_LINK_AHEAD bytes that belong to
     * this connection, zero when it begins and aligned for a uint32_t. */
    int32_t (*recv)(const struct pyro_port *port, int32_t handle, void *ahead,
                    void *to, uint32_t n);
    void (*close)(const struct pyro_port *port, int32_t handle);
    /* Sets `ready` of all items on the list whose port has this same wait
     * function, to 0 or what of `want` can be done, and returns: at once if
     * any is ready, else after ms (-1: no limit) or earlier. With one item,
     * wanting only PYRO_IN, it may read into its `ahead`. May be NULL: handles
     * are then just tried. */
    void (*wait)(const struct pyro_port *port, pyro_item *list, int32_t ms);
    /* Text of the own (peer: false) or the peer's address of a connection or
     * listener, "host:port" as connect takes it. Returns false if there is
     * none. May be NULL. */
    bool (*address)(const struct pyro_port *port, int32_t handle, bool peer,
                    char *to, size_t size);
    /* Two handles, [0] to wait for and receive from, [1] for wake to write
     * to. Returns false if it cannot. May be NULL. */
    bool (*wake_open)(const struct pyro_port *port, int32_t handles[2]);
    /* Ends a wait. Callable from interrupts, signal handlers and threads. */
    void (*wake)(const struct pyro_port *port, int32_t handle);
    /* A handle >= 0 for datagrams, or < 0: receives those sent to port
     * `number` of the address `ip`, may broadcast, can be waited for and is
     * closed by close. ip 0: of every address, and only then surely
     * broadcasts. Several programs of one machine may open the same number:
     * a broadcast reaches them all, anything else one of them. number 0: the
     * system chooses one that nobody shares; `address` tells it. May be
     * NULL, as the three that follow. */
    int32_t (*udp_open)(const struct pyro_port *port, uint32_t ip,
                        uint16_t number);
    /* Sends one datagram whole, from the handle's own number. Returns false
     * if it could not (full, too long, no route); true does not mean that
     * it arrives. Raises no signal. */
    bool (*udp_send)(const struct pyro_port *port, int32_t handle,
                     const pyro_udp *to, const void *data, uint32_t n);
    /* Takes one datagram; returns its size (0: an empty one), or < 0: none
     * waiting. Of one longer than n the first n bytes are given and more
     * than n is returned. It may come from anybody, once, twice or damaged,
     * and say of itself what it likes. *from is set when one was taken. */
    int32_t (*udp_recv)(const struct pyro_port *port, int32_t handle, void *to,
                        uint32_t n, pyro_udp *from);
    /* Interface number `index`, counted from 0 over those that are up and
     * have an IPv4 address, loopback (no broadcast) included. Returns false
     * when there are no more. They may change between two calls. */
    bool (*net)(const struct pyro_port *port, unsigned index, pyro_net *net);
    void   *user;  /* the port's own */
    uint8_t flags; /* PYRO_PORT_NOISY */
} pyro_port;

#ifdef PYRO_POSIX
/* TCP over IPv4 and IPv6 and Unix stream sockets. Addresses: "*:7766" all
 * interfaces, "127.0.0.1:7766", "[::1]:7766", "localhost:7766" (always
 * 127.0.0.1), ":7766" or "7766" this machine only, port 0 chosen by the
 * system, "unix:/run/x". A Unix path stays when its listener is closed, and
 * the next one replaces it if nobody answers there. A host name that is not
 * numeric is looked up by the system, which may block; nothing else here
 * does. Handles that are no sockets (terminals, pipes) may be adopted; they
 * are made non-blocking and stay so. More than PYRO_POSIX_HANDLES at once are
 * tried every 10 ms. Static; shared by any number of daemons. */
PYRO_DEF const pyro_port *pyro_posix(void);
#endif

/* ------------------------------------------------------------------------
 * >>daemon
 * ------------------------------------------------------------------------ */

typedef struct pyro_daemon  pyro_daemon;
typedef struct pyro_proxy   pyro_proxy;
typedef struct pyro_request pyro_request;
typedef struct pyro_call    pyro_call;

/* A connection: index and generation; 0 is none; never reused while anybody
 * could still hold it. */
typedef uint32_t pyro_link;

typedef enum pyro_level { PYRO_ERROR, PYRO_WARN, PYRO_NOTE } pyro_level;

enum { PYRO_SERVE_ALL, PYRO_SERVE_LINK, PYRO_SERVE_NONE };

#define PYRO_NEVER 0xFFFF

/* Another serializer than MessagePack that peers with Pyro5 or Pyro4 may use:
 * turns its bytes into MessagePack and back. Both functions return the bytes
 * written to `to`; 0 is an error: bytes that are no value, a value the other
 * side cannot have, more than `cap`. `from` and `to` do not overlap. `from` is
 * hostile when decoding and in order when encoding. `kind` is what the body
 * is: any value, or a call [object, method, arguments, keyword arguments],
 * which JSON writes as a map. Static, without state of its own. */
enum { PYRO_CODEC_VALUE, PYRO_CODEC_CALL };
typedef struct pyro_codec {
    uint8_t id; /* Pyro5's number for it: 1 serpent, 2 marshal, 3 JSON */
    uint32_t (*decode)(const uint8_t *from, uint32_t n, uint8_t *to,
                       uint32_t cap, int kind);
    uint32_t (*encode)(const uint8_t *from, uint32_t n, uint8_t *to,
                       uint32_t cap, int kind);
} pyro_codec;

/* What may be set when a daemon is opened. Zero is the default everywhere.
 * It stays the caller's, must outlive the daemon and must not change. */
typedef struct pyro_config {
    const pyro_port *port; /* for proxies; default: see pyro_port_of */
    const char      *name; /* of this node, in tracebacks: default "pyro" */
    const char      *host; /* host in own URIs, behind NAT; default: the
                              address the asker reached us at */
#ifndef PYRO_NO_CONFIG
    uint32_t timeout_ms; /* of a call: default PYRO_TIMEOUT_MS */
    uint32_t greet_ms;   /* to connect and greet: default PYRO_GREET_MS */
    uint32_t frame_ms;   /* for a frame begun: default PYRO_FRAME_MS */
#endif
    uint32_t boot; /* boot count; needed if the port has no random */
#ifndef PYRO_NO_CONFIG
    uint16_t dead_ms; /* silence that ends a link: default PYRO_DEAD_MS,
                              PYRO_NEVER: no keep-alive */
    uint8_t  serve_while_waiting; /* PYRO_SERVE_ALL: serve everybody while a
                              call waits; _LINK: only the link waited for;
                              _NONE: nobody. Others get "busy" */
#endif
    uint8_t checksum; /* 1: CHECKSUM on every link, 0: on noisy ports */
    void   *user;     /* first argument of the hooks below */
    /* What happened, with two numbers that belong to it. NULL: nothing. */
    void (*log)(void *user, pyro_level level, const char *text, uint32_t a,
                uint32_t b);
    /* Every byte in and out, in pieces. NULL: nothing. */
    void (*trace)(void *user, bool out, pyro_link link, const void *data,
                  uint32_t n);
    /* Serializers for Pyro5 and Pyro4 beside MessagePack, a list that ends
     * with NULL, the one to be tried first in calls of ours in front. */
    const pyro_codec *const *codecs;
} pyro_config;

#ifndef PYRO_NO_URI
/* Finds the address of a PYRONAME: prints a PYRO URI into `to` and returns
 * PYRO_OK; or PYRO_ERR_BUSY: under way, ask again after a poll; or another
 * error. See pyro_resolver. */
typedef pyro_err (*pyro_resolve_fn)(void *user, pyro_daemon *node,
                                    const pyro_uri *name, char *to,
                                    size_t size);
#endif

/* Counts of what would otherwise pass in silence. They wrap. */
typedef struct pyro_stats {
    uint32_t calls;       /* handlers run */
    uint32_t busy;        /* calls refused: no buffers, nesting, exclusive */
    uint32_t lost_oneway; /* oneway calls refused or failed; nobody knows */
    uint32_t late;        /* replies that nobody waits for any more */
    uint32_t unsent;      /* replies whose link had gone */
    uint32_t timeouts;    /* requests that ended so */
    uint32_t bad;         /* frames that broke the protocol */
    uint32_t gaps;        /* bytes lost on the way, reported by the port */
    uint32_t denied;      /* connections refused */
    uint32_t dead;        /* links ended by silence or a frame's deadline */
    uint32_t restarts;    /* peers that greeted again on an open pipe */
    uint32_t least_free;  /* fewest free buffers so far: the high water */
} pyro_stats;

/* What a program declares; see PYRO_ROOM. */
typedef struct pyro_room {
    struct pyroi_link   *links;
    struct pyroi_object *objects;
    struct pyroi_buffer *buffers;
    uint32_t            *ahead;
    uint32_t             buffer_bytes;
    uint32_t             buffer_step; /* from one to the next */
    uint32_t             ahead_bytes;
    uint16_t             n_links;
    uint16_t             n_objects;
    uint16_t             n_buffers;
    uint32_t             layout;
} pyro_room;

/* Private: here only because the caller declares their memory. */
#ifdef PYRO_NO_LONG
typedef uint16_t pyroi_size;
#define PYROI_HEAD 8 /* bytes of a header, at most */
#else
typedef uint32_t pyroi_size;
#define PYROI_HEAD 10
#endif

/* Head of a buffer; its bytes follow. */
typedef struct pyroi_buffer {
    struct pyroi_buffer *next; /* free, or to be sent; of arguments: the one
                                  for their reply */
    pyroi_size           end;  /* first byte after its frames */
    uint8_t              use;
} pyroi_buffer;

enum {                 /* use of a buffer: who holds it, see "Pool" */
       PYROI_SPARE,    /* nobody */
       PYROI_SERVE,    /* arguments of a call, or a reply not sent yet */
       PYROI_REPLYING, /* a reply queued for sending */
       PYROI_HELD,     /* a result whose callback runs */
       PYROI_INCOMING, /* a result being received */
       PYROI_ASK,      /* a request */
       PYROI_SOLO,     /* a request in the buffer kept for results */
       PYROI_USES
};

/* Bytes first, then halves, then words: short instructions reach only so far
 * into a struct on small processors. */
typedef struct pyroi_link {
    uint8_t head[PYROI_HEAD];
    uint8_t state;
    uint8_t rx;      /* what of a frame is being read */
    uint8_t n_head;  /* bytes of head that are there; 0: no frame is */
    uint8_t owed;    /* types of control frames to send, as bits */
    uint8_t control; /* type of the one being sent, and PYROI_SUMS */
    uint8_t reason;  /* of a CONNECTFAIL */
    bool    input;   /* the port has bytes */
#ifndef PYRO_NO_PIPE
    uint8_t missed; /* while quiet: 1 a frame came, 2 do not greet */
#endif
#ifndef PYRO_NO_PYRO5
    uint8_t ser;     /* serializer of our calls, or of the refusal owed */
    uint8_t dialect; /* what the peer speaks: 5 or 4, 0 is native */
#endif
    pyro_item     item;    /* handle, waited for */
    uint16_t      expects; /* requests sent and not answered */
    uint16_t      users;   /* proxies bound to it */
    uint16_t      n_busy;  /* refusals owed, and the first one's number */
    uint16_t      busy_seq;
    uint16_t      seq;      /* of the last request sent */
    uint16_t      given_up; /* oldest number given up */
    uint16_t      n_given_up;
    uint16_t      dead; /* silence that ends it, ms; 0: none, or not open */
    uint32_t      flags;
    pyro_link     id;
    pyroi_buffer *rx_buf;  /* of the frame being read */
    pyroi_buffer *tx;      /* queue of buffers to send */
    uint32_t      rx_len;  /* of the body being read, its checksum too */
    uint32_t      rx_have; /* of that */
    uint32_t      tx_at;   /* sent of the first buffer or control frame */
#ifndef PYRO_NO_CHECKSUM
    uint32_t crc; /* of what was read */
#endif
    uint32_t heard;  /* when bytes came last */
    uint32_t told;   /* when bytes left last, or were to */
    uint32_t rx_due; /* a frame or a greeting must be done; 0: none */
    uint32_t tx_due; /* the first frame in the queue must be gone */
    uint32_t key;    /* CRC of the address we connected to, else 0 */
#ifndef PYRO_NO_PIPE
    uint32_t quiet_due; /* nothing is said unasked until then; 0: it is */
#endif
#if PYRO_LINK_AHEAD != 0
    uint16_t last_object; /* index: the one that was called last */
#endif
    struct pyroi_link *ready_next; /* NULL: not in the ready queue */

    uint8_t greet[18]; /* body of the peer's greeting */
} pyroi_link;

typedef struct pyroi_object {
    const char              *name; /* first, as in a pyro_method */
    const struct pyro_class *cls;
    void                    *self;
#ifndef PYRO_NO_IDS
    uint32_t serial; /* counts exports: ids never repeat */
#endif
    uint16_t waiting; /* handlers of it on the stack */
} pyroi_object;

/* Changes when any number that shapes a struct does: pyro_open compares. */
#ifdef PYRO_NO_CLIENT
#define PYROI_CLIENT_LAYOUT 0u
#else
#define PYROI_CLIENT_LAYOUT \
    (4099u * sizeof(pyro_proxy) + 65537u * sizeof(pyro_request))
#endif
#define PYRO_LAYOUT                                             \
    ((uint32_t)(sizeof(pyroi_link) + 131u * sizeof(pyro_daemon) \
                + 1048583u * sizeof(pyroi_buffer) + PYROI_CLIENT_LAYOUT))

/* A cache line more than 4096 keeps links out of each other's cache sets. */
#define PYROI_AHEAD_WORDS (PYRO_LINK_AHEAD == 0 ? 1 : PYRO_LINK_AHEAD / 4 + 16)

/* The memory of a daemon: `static PYRO_ROOM(4, 4, 512, 8) room;` for 4 links
 * (and one more, to tell a fifth "too busy"), 4 buffers of 512 bytes and 8
 * objects. A message may be PYRO_FRAME_EXTRA bytes shorter than a buffer.
 * sizeof room is the bill; the manual has the arithmetic. */
#define PYRO_ROOM(links_, buffers_, bytes_, objects_)          \
    struct {                                                   \
        pyroi_link   links[(links_) + 1];                      \
        pyroi_object objects[(objects_) > 0 ? (objects_) : 1]; \
        struct {                                               \
            pyroi_buffer head;                                 \
            uint8_t      bytes[bytes_];                        \
        } buffers[buffers_];                                   \
        uint32_t ahead[(links_) + 1][PYROI_AHEAD_WORDS];       \
    }

#define PYRO_FRAME_EXTRA 14 /* header and checksum, at their largest */

/* The room as pyro_open takes it. */
#define PYRO_ROOM_OF(room)                                               \
    pyro_room_of((room).links, PYRO_COUNT((room).links), (room).objects, \
                 PYRO_COUNT((room).objects), &(room).buffers[0].head,    \
                 PYRO_COUNT((room).buffers), sizeof(room).buffers[0],    \
                 sizeof(room).buffers[0].bytes, (room).ahead[0],         \
                 sizeof(room).ahead[0], PYRO_LAYOUT)

static inline pyro_room pyro_room_of(pyroi_link *links, size_t n_links,
                                     pyroi_object *objects, size_t n_objects,
                                     pyroi_buffer *buffers, size_t n_buffers,
                                     size_t buffer_step, size_t buffer_bytes,
                                     uint32_t *ahead, size_t ahead_bytes,
                                     uint32_t layout)
{
    pyro_room r;

    r.links = links;
    r.objects = objects;
    r.buffers = buffers;
    r.ahead = ahead;
    r.buffer_bytes = (uint32_t)buffer_bytes;
    r.buffer_step = (uint32_t)buffer_step;
    r.ahead_bytes = (uint32_t)ahead_bytes;
    r.n_links = (uint16_t)n_links;
    r.n_objects = (uint16_t)n_objects;
    r.n_buffers = (uint16_t)n_buffers;
    r.layout = layout;
    return r;
}

#ifndef PYRO_NO_HOOKS

/* What happens to links, for hooks. */
typedef enum pyro_event {
    PYRO_LINK_UP,      /* greeted: calls can go */
    PYRO_LINK_GONE,    /* ended; the handle is dead, its state can be freed */
    PYRO_LINK_WRITABLE /* its send queue has run empty after being stuck */
} pyro_event;

/* Called by poll for every link. The struct is the caller's, from
 * pyro_hook_add to pyro_hook_drop. It may call the library, but not
 * pyro_close. */
typedef struct pyro_hook {
    struct pyro_hook *next_;
    void (*fn)(void *user, pyro_daemon *node, pyro_link link,
               pyro_event event);
    void *user;
} pyro_hook;

/* Called once by poll when its time has come; may set itself again. The
 * struct is the caller's while it is set. Set fn and user first. */
typedef struct pyro_timer {
    struct pyro_timer *next_;
    void (*fn)(void *user, pyro_daemon *node);
    void    *user;
    uint32_t due_;
} pyro_timer;

/* Another handle that poll watches (Pyro's `others`). The struct is the
 * caller's from pyro_watch to pyro_unwatch. Called with PYRO_IN, PYRO_OUT. */
typedef struct pyro_watched {
    pyro_item item_;
    void (*fn)(void *user, pyro_daemon *node, unsigned ready);
    void *user;
} pyro_watched;

/* A ring from one producer (an interrupt, a signal handler, another task) to
 * poll. `fn` is called by poll with each value, in order. Declare `values`
 * with up to 255 entries; one stays empty. */
typedef struct pyro_ring {
    struct pyro_ring *next_;
    void (*fn)(void *user, uintptr_t value);
    void      *user;
    uintptr_t *values;
    uint8_t    size; /* of values */
    uint8_t    put_; /* written by the producer alone */
    uint8_t    got_; /* written by poll alone */
    uint8_t    lost; /* values that found it full; stays at 255 */
} pyro_ring;

#endif /* PYRO_NO_HOOKS */

#ifndef PYRO_NO_ASYNC
/* A blocking wait: for which link, and until when. */
typedef struct pyroi_waiting {
    struct pyroi_waiting *outer;
    pyro_link             link;
    uint32_t              due;
} pyroi_waiting;
#endif

#ifndef PYRO_NO_URI
typedef pyro_err (*pyroi_locate_fn)(pyro_proxy *proxy, char *text,
                                    pyro_uri *uri);
#endif
typedef pyroi_object *(*pyroi_by_id_fn)(const pyro_daemon *node,
                                        const char        *id);

/* One context: objects, links, pool. Declare it; do not copy or move it while
 * it is open. One task owns it: nothing but pyro_wake and pyro_post may be
 * called from anywhere else. */
struct pyro_daemon {
    uint32_t    flags_;
    uint8_t     depth_;         /* handlers on the stack */
    bool        stalled_;       /* some link waits to be looked at again */
    bool        again_;         /* they are to be looked at now */
    bool        corked_;        /* some link holds back what it could send */
    uint16_t    n_[PYROI_USES]; /* buffers by their use */
    uint16_t    n_links_;       /* connections, the refusing one too */
    uint16_t    n_proxies_;
    uint16_t    guids_;
    pyro_room   room_;
    uint32_t    now_;
    uint32_t    due_;       /* earliest deadline ever armed, or far away */
    pyroi_link *links_end_; /* behind the last link used so far */
    pyroi_link *ready_;     /* queue of links with work, and its end */

    pyroi_link  **ready_end_;
    pyroi_buffer *free_; /* list of free buffers */
    pyro_request *requests_;
#ifndef PYRO_NO_ASYNC
    pyroi_waiting *waits_; /* on the stack, innermost first */
#endif
    pyro_call       *calls_; /* not answered: running or deferred */
    pyro_item       *items_;
    pyro_item       *next_item_; /* the one a wait looks at next */
    const pyro_port *port_;

    const pyro_config *config_;
#ifndef PYRO_NO_PYRO5
    pyro_proxy *proxies_;
#endif
    uint32_t stuck_;
    uint32_t ids_[3]; /* session, with it the start of object ids */
#ifndef PYRO_NO_IDS
    uint32_t exports_;
#endif
#ifndef PYRO_NO_ASYNC
    pyro_request **requests_end_;
#endif
    /* These functions are set by whoever needs them, and linked only then. */
    bool (*pipe_)(pyro_daemon *node, pyroi_link *link, unsigned what);
#ifndef PYRO_NO_HOOKS
    void (*tell_)(pyro_daemon *node, pyroi_link *link);
    void (*run_timers_)(pyro_daemon *node);
    bool (*drain_)(pyro_daemon *node);

    pyro_timer           *timers_;
    pyro_hook            *hooks_;
    struct pyroi_telling *telling_;
    pyro_ring            *rings_;
    pyro_item             wake_;
    int32_t               waker_;
#endif

    pyro_why   why; /* of the last error */
    pyro_stats stats;
    void      *user; /* yours */

    pyro_item listeners_[PYRO_MAX_LISTEN];
#ifndef PYRO_NO_IDS
    pyroi_by_id_fn by_id_;
#endif
#ifndef PYRO_NO_URI
    pyro_resolve_fn resolve_;
    void           *resolve_user_;
    pyroi_locate_fn locate_;
#endif
};

/* Opens a daemon in a room: `pyro_open(&node, PYRO_ROOM_OF(room), NULL)`.
 * Nothing is listened on yet. config may be NULL. Errors: PYRO_ERR_STATE when
 * caller and library were built with different macros, PYRO_ERR_NOSPACE when
 * there is no buffer or a buffer is under 64 bytes. A client needs 1 buffer, a
 * daemon 2, both together 3: pyro_export and pyro_proxy_open check that. */
PYRO_DEF pyro_err pyro_open(pyro_daemon *node, pyro_room room,
                            const pyro_config *config);

/* Ends it: closes all links, requests end with PYRO_ERR_CLOSED (their
 * callbacks are called; hooks are not), all structs lent to it are the
 * caller's again. */
PYRO_DEF void pyro_close(pyro_daemon *node);

/* Listens at an address of the port; any number of times up to
 * PYRO_MAX_LISTEN. The text is the port's: see pyro_posix. Errors:
 * PYRO_ERR_DAEMON when the port cannot, PYRO_ERR_NOSPACE. */
PYRO_DEF pyro_err pyro_listen(pyro_daemon *node, const pyro_port *port,
                              const char *address);

/* Text of the address of listener `index` (0 is the first), with the port
 * number the system chose. PYRO_ERR_STATE: there is none. */
PYRO_DEF pyro_err pyro_listening(pyro_daemon *node, unsigned index, char *to,
                                 size_t size);

#ifndef PYRO_NO_PIPE
/* Takes over a pipe that is simply there (serial line, socketpair). Either
 * side may greet at any time; either may restart. *link stays valid as long
 * as the daemon is open and the port does not report the handle gone; calls
 * made while the other side is away time out. The handle is closed with the
 * daemon. link may be NULL. PYRO_ERR_NOSPACE: links. */
PYRO_DEF pyro_err pyro_adopt(pyro_daemon *node, const pyro_port *port,
                             int32_t handle, pyro_link *link);
#endif

/* The whole engine: accept, receive, dispatch, send, time out. Waits up to ms
 * (-1: until something happens; with ports that cannot wait together it looks
 * at all of them every 5 ms and may return earlier) and works off at most
 * PYRO_POLL_FRAMES frames, PYRO_POLL_ACCEPTS connections each. PYRO_ERR_STATE:
 * the clock stands still, or it was called inside pyro_yield. A handler may
 * call it. */
PYRO_DEF pyro_err pyro_poll(pyro_daemon *node, int32_t ms);

#ifndef PYRO_NO_HOOKS
/* In a long handler: moves bytes and answers the keep-alive, runs no handler
 * and no callback. Call it more often than dead_ms / 3. */
PYRO_DEF void pyro_yield(pyro_daemon *node);
#endif

/* Sends at once what was gathered (oneway calls, replies). */
PYRO_DEF void pyro_flush(pyro_daemon *node);

/* For someone else's loop: the handles to wait for, with directions (valid
 * until the next call of the library), and the milliseconds until pyro_poll
 * wants to be called even if none is ready (0: now, -1: no limit). */
PYRO_DEF const pyro_item *pyro_items(const pyro_daemon *node);
PYRO_DEF int32_t          pyro_next_ms(pyro_daemon *node);

/* The default port: the one of the config, else the first one used, or
 * pyro_posix() where that is built in. NULL: none yet. */
PYRO_DEF const pyro_port *pyro_port_of(const pyro_daemon *node);

/* The default port's clock and random bytes. pyro_random returns false when
 * it has none. */
PYRO_DEF uint32_t pyro_now(const pyro_daemon *node);
PYRO_DEF bool     pyro_random(const pyro_daemon *node, void *to, size_t n);

/* CRC-32 (IEEE 802.3, as in zlib) of n more bytes; begin with crc 0. */
PYRO_DEF uint32_t pyro_crc32(uint32_t crc, const void *data, size_t n);

/* A new id: 16 bytes as 32 hex digits and a zero byte. Random, or from the
 * boot count and a counter where the port has no random bytes. */
PYRO_DEF void pyro_guid(pyro_daemon *node, char to[33]);

#ifndef PYRO_NO_HOOKS

/* Timers, watched handles, hooks: see their structs. A timer that is set
 * already is set anew; ms is 0 (the next poll) to PYRO_MAX_MS. `want` is
 * PYRO_IN, PYRO_OUT or both; the handle stays the caller's. The function of a
 * watched handle is called again while it waits in a call of its own. */
PYRO_DEF void pyro_timer_set(pyro_daemon *node, pyro_timer *timer,
                             uint32_t ms);
PYRO_DEF void pyro_timer_stop(pyro_daemon *node, pyro_timer *timer);
PYRO_DEF void pyro_watch(pyro_daemon *node, pyro_watched *watched,
                         const pyro_port *port, int32_t handle, unsigned want);
PYRO_DEF void pyro_unwatch(pyro_daemon *node, pyro_watched *watched);
PYRO_DEF void pyro_hook_add(pyro_daemon *node, pyro_hook *hook);
PYRO_DEF void pyro_hook_drop(pyro_daemon *node, pyro_hook *hook);

/* Lets pyro_wake end a wait of this daemon from anywhere. PYRO_ERR_DAEMON:
 * the default port cannot. */
PYRO_DEF pyro_err pyro_wake_open(pyro_daemon *node);
PYRO_DEF void     pyro_wake(const pyro_daemon *node);

/* Adds a ring: set fn, user, values and size first. pyro_post puts a value in
 * and wakes nobody; false: full, counted in `lost`. */
PYRO_DEF void pyro_ring_add(pyro_daemon *node, pyro_ring *ring);
PYRO_DEF void pyro_ring_drop(pyro_daemon *node, pyro_ring *ring);
PYRO_DEF bool pyro_post(pyro_ring *ring, uintptr_t value);

#endif /* PYRO_NO_HOOKS */

/* The peer's (or own) address of a link, as text. PYRO_ERR_CLOSED: it is
 * gone; PYRO_ERR_DAEMON: it has none (a serial line). */
PYRO_DEF pyro_err pyro_link_address(pyro_daemon *node, pyro_link link,
                                    bool peer, char *to, size_t size);

/* Whether a link is greeted and usable; its peer's session id, which is
 * another after each restart of the peer (0: not up). */
PYRO_DEF uint32_t pyro_link_session(const pyro_daemon *node, pyro_link link);

/* Longest message that the buffers take: what of a frame is behind its header,
 * in bytes. */
PYRO_DEF uint32_t pyro_longest(const pyro_daemon *node);

/* Whether a link takes nothing more for the moment: what is sent over it
 * waits in buffers until PYRO_LINK_WRITABLE. */
PYRO_DEF bool pyro_link_stuck(const pyro_daemon *node, pyro_link link);

/* Ends a link: its pending calls end with PYRO_ERR_CLOSED. */
PYRO_DEF void pyro_link_close(pyro_daemon *node, pyro_link link);

/* Walks every invariant of the memory. NULL, or what is wrong. For tests. */
PYRO_DEF const char *pyro_check(const pyro_daemon *node);

/* ------------------------------------------------------------------------
 * >>objects: what a daemon serves
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_SERVER

/* One running call, in a handler. Take the arguments from `args`, put one
 * result into `result` (none: the caller gets nil). Everything in it, and
 * every view into the arguments, is gone when the handler returns. */
struct pyro_call {
    pyro_reader args; /* checked against the signature already */
    pyro_writer result;
    bool        oneway; /* nobody waits for the result */
    uint8_t     state_;
    uint16_t    seq_;
#ifndef PYRO_NO_PYRO5
    uint8_t    form_;  /* type and serializer of the reply; 0: native */
    uint8_t    flags_; /* of the request */
    pyroi_size kept_;  /* results of a batch so far, bytes */
#endif
    pyro_daemon *node;
    const char  *method; /* name, zero-terminated */
    const char  *object; /* name or id, zero-terminated */
    pyro_link    link;   /* the connection it came by */

    pyroi_buffer *args_buf_;
    pyroi_buffer *reply_buf_;
    pyro_call    *outer_;
};

#define PYRO_ONEWAY    1 /* method: nobody needs its result; answers nil */
#define PYRO_UNCHECKED 2 /* method, called very often: see pyro_method */
#define PYRO_READONLY  1 /* attribute: cannot be set */
#ifndef PYRO_NO_ANY
#define PYRO_EXCLUSIVE 1 /* class: not entered while a handler of it waits */
#endif

typedef void (*pyro_handler)(void *self, pyro_call *call);

/* A method. `args` are the letters of its arguments, with names, "a:i b:i
 * ?scale:d", or without, "ii?d" (then keyword arguments are refused):
 *   b bool   i fits int32   q int64   d float (int accepted)   s str
 *   y bytes  U uri or proxy v anything
 *   [d] list of   {q} map of str to   ? from here on optional
 * They are checked before the handler runs, one level into containers. At the
 * end "?k" has the keyword arguments follow as they are, a map or nil, for a
 * handler that lets any be left out and checks them itself.
 * PYRO_UNCHECKED says that the handler reads each of them and so finds itself
 * what is wrong: where speed counts it is run at once, and what is given beyond
 * is passed over.
 * `result` is one letter or "" and is for people and tools. */
typedef struct pyro_method {
    const char  *name;
    pyro_handler handler;
    const char  *args;
    const char  *result;
    uint8_t      flags;
} pyro_method;

/* A remote attribute: a member of the object's struct. Costs no code but that
 * of its type. A member of another type than the macro says is a compiler
 * warning. */
typedef struct pyro_attr {
    const char *name;
    pyro_as     as;
    uint16_t    offset;
    uint16_t    size;
    char        type; /* b i u q f d s, as `describe` tells it */
    uint8_t     flags;
} pyro_attr;

/* clang-format off */
#define PYROI_ATTR(s, m, ctype, as, letter, flags)                      \
    { #m, as, (uint16_t)(offsetof(s, m)                             \
                     + 0 * sizeof(&((s *)0)->m == (ctype *)0)),         \
      (uint16_t)sizeof(((s *)0)->m), letter, flags }
#define PYRO_ATTR_BOOL(s, m, flags) \
    PYROI_ATTR(s, m, bool, pyro_as_bool, 'b', flags)
#define PYRO_ATTR_I32(s, m, flags) \
    PYROI_ATTR(s, m, int32_t, pyro_as_i32, 'i', flags)
#define PYRO_ATTR_U32(s, m, flags) \
    PYROI_ATTR(s, m, uint32_t, pyro_as_u32, 'u', flags)
#define PYRO_ATTR_I64(s, m, flags) \
    PYROI_ATTR(s, m, int64_t, pyro_as_i64, 'q', flags)
#define PYRO_ATTR_F32(s, m, flags) \
    PYROI_ATTR(s, m, float, pyro_as_f32, 'f', flags)
#define PYRO_ATTR_F64(s, m, flags) \
    PYROI_ATTR(s, m, double, pyro_as_f64, 'd', flags)
#define PYRO_ATTR_STR(s, m, flags)                                      \
    { #m, pyro_as_str, (uint16_t)(offsetof(s, m)                      \
                     + 0 * sizeof(&((s *)0)->m[0] == (char *)0)),       \
      (uint16_t)sizeof(((s *)0)->m), 's', flags }
/* clang-format on */

/* A class: const tables, shared by all its objects. */
typedef struct pyro_class {
    const char        *name;
    const pyro_method *methods;
    size_t             n_methods;
    const pyro_attr   *attrs;
    size_t             n_attrs;
    /* Takes every method that is in no table (delegation, bridges) and
     * checks its arguments itself. False: no such method. May be NULL. */
#ifdef PYRO_NO_ANY
    struct pyro_no_any *any; /* NULL: it is left out */
#else
    bool (*any)(void *self, pyro_call *call);
#endif
    uint8_t flags; /* PYRO_EXCLUSIVE */
} pyro_class;

#define PYRO_METHODS(table) (table), PYRO_COUNT(table)
#define PYRO_ATTRS(table)   (table), PYRO_COUNT(table)
#define PYRO_NO_ATTRS       NULL, 0
#define PYRO_NO_METHODS     NULL, 0

/* Makes an object callable under `name`, or with NULL under a new id only
 * (pyro_object_id). Class, object and name stay the caller's until it is
 * withdrawn. Errors: PYRO_ERR_NOSPACE objects or buffers, PYRO_ERR_DAEMON a
 * name that is taken, too long, empty, or looks like an id. */
PYRO_DEF pyro_err pyro_export(pyro_daemon *node, const pyro_class *cls,
                              void *self, const char *name);

/* Takes it away, by the object itself. A handler of it that runs finishes.
 * PYRO_ERR_NAMING: it was not there. */
PYRO_DEF pyro_err pyro_withdraw(pyro_daemon *node, void *self);

#ifndef PYRO_NO_IDS
/* The id of an exported object, 32 hex digits: valid until it is withdrawn,
 * never given to another. PYRO_ERR_NAMING: not exported. */
PYRO_DEF pyro_err pyro_object_id(pyro_daemon *node, const void *self,
                                 char to[33]);
#endif

/* An entry of the object table, by name or id (n bytes), or all of them:
 * start with *at = 0, ends with false. */
typedef struct pyro_object {
    const pyro_class *cls;
    void             *self;
    const char       *name; /* NULL: none */
} pyro_object;
PYRO_DEF bool pyro_find(pyro_daemon *node, const char *text, size_t n,
                        pyro_object *found);
PYRO_DEF bool pyro_walk(pyro_daemon *node, unsigned *at, pyro_object *found);

#ifndef PYRO_NO_URI
/* URI under which the peer of `link` (0: anybody) can reach an own object, in
 * the protocol that it speaks:
 * config.host, or the address the link came to, or the first listener's; when
 * that is all addresses, the one of ours from which we made the link.
 * PYRO_ERR_DAEMON: there is none that could be reached from elsewhere. */
PYRO_DEF pyro_err pyro_uri_of(pyro_daemon *node, pyro_link link,
                              const char *object, char *to, size_t size);
#endif

/* In a handler: the call ends with this exception instead of a result. Type
 * and message are copied. Calls after the first do nothing. Names that Python
 * knows ("ValueError") arrive there as what they are. */
PYRO_DEF void pyro_raise(pyro_call *call, const char *type,
                         const char *message);

/* In a handler whose own call failed: passes the failure on. A remote
 * exception keeps type, message and traceback, and this call's line is added;
 * another error becomes an exception of its name. */
PYRO_DEF void pyro_reraise(pyro_call *call, pyro_proxy *proxy);

/* A reply that comes later. The struct is the caller's from pyro_defer to
 * pyro_reply, or until pyro_later_open says false. */
typedef struct pyro_later {
    pyro_call call_; /* of the call what is left; without a node: done */
    uint32_t  due_;
} pyro_later;

/* In a handler: this call is answered later. Holds no buffer. After ms (0: the
 * default timeout) the caller gets a TimeoutError by itself. */
PYRO_DEF void pyro_defer(pyro_call *call, pyro_later *later, uint32_t ms);

/* Whether somebody still waits for it. */
PYRO_DEF bool pyro_later_open(const pyro_later *later);

/* Takes a buffer; put the one result into the writer it returns, then call
 * pyro_reply; no poll in between. Never NULL: without a buffer (or caller)
 * the writer is in error, and pyro_reply returns it: PYRO_ERR_NOSPACE can be
 * tried again, PYRO_ERR_CLOSED is final. PYRO_ERR_DATA: the result was too long
 * or malformed, and the caller has got an exception that says so. */
PYRO_DEF pyro_writer *pyro_finish(pyro_later *later);
PYRO_DEF pyro_err     pyro_reply(pyro_later *later);

/* Instead of both: the caller gets an exception. */
PYRO_DEF pyro_err pyro_fail(pyro_later *later, const char *type,
                            const char *message);

/* Gives it up: the struct is the caller's again, the other side waits until
 * its own deadline. Of one that is zero or done: nothing. */
PYRO_DEF void pyro_later_drop(pyro_later *later);

#endif /* PYRO_NO_SERVER */

/* ------------------------------------------------------------------------
 * >>proxy: what a program calls
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_CLIENT

/* The last remote exception, as zero-terminated texts that stay until the
 * next call through the proxy. traceback has one line per object passed. After
 * PYRO_ERR_DENIED from Pyro5 message is what its daemon says, type is "". */
typedef struct pyro_exc {
    const char *type;
    const char *message;
    const char *traceback;
} pyro_exc;

/* Stands for a remote object. The caller's from open to close; not moved. */
struct pyro_proxy {
    uint32_t timeout_ms; /* of each call through it; may be changed */
    uint8_t  err_;
#ifndef PYRO_NO_SENT
    uint8_t sent_;
#endif

#ifndef PYRO_NO_PYRO5
    pyro_proxy *next_;
#endif
    pyro_daemon *node_;
    const char  *uri_;
    pyro_link    link_;
    pyro_exc     exc_;
    char         object_[PYRO_MAX_NAME + 1];
#if PYRO_EXCEPTION_BYTES > 0
    char text_[PYRO_EXCEPTION_BYTES];
#endif
};

#ifndef PYRO_NO_ASYNC
/* Called when a request is done, with its error. On PYRO_OK the out-slot has
 * got the result already; without one (pyro_to_none) `result` reads it, and
 * its buffer is held until the callback returns, so that one more is needed
 * to call out from it. The request is the caller's again and may be begun
 * anew, here. The callback may call out, and block. */
typedef void (*pyro_done_fn)(void *user, pyro_request *rq, pyro_err err,
                             pyro_reader *result);
#endif

/* One call in flight. The caller's; not moved between begin and done. */
struct pyro_request {
    pyro_writer args; /* after begin: put the arguments, up to
                         PYRO_MAX_ARGS; errors are kept until send */
    uint8_t     state_;
    uint8_t     err_;
#ifndef PYRO_NO_SENT
    uint8_t sent_;
#endif
    uint16_t seq_; /* before it is sent: see pyro_again */

    pyro_request *next_;
    pyro_proxy   *proxy_;
    pyro_slot     slot_;
    pyroi_buffer *buf_;
    pyro_link     link_;
    uint32_t      due_;
#ifndef PYRO_NO_ASYNC
    pyro_done_fn fn_;
    void        *user_;
#endif
};

/* A proxy for the object of a URI. No connection is made before the first
 * call. The URI's text is borrowed until pyro_proxy_close. Errors:
 * PYRO_ERR_URI (node->why has the reason), PYRO_ERR_NOSPACE buffers, or 65,535
 * proxies are open. */
PYRO_DEF pyro_err pyro_proxy_open(pyro_proxy *proxy, pyro_daemon *node,
                                  const char *uri);

#ifndef PYRO_NO_URI
/* Who finds PYRONAMEs for the proxies of a daemon, asked whenever one of them
 * connects. fn NULL: nobody, as after pyro_open; they are PYRO_ERR_NAMING. */
PYRO_DEF void pyro_resolver(pyro_daemon *node, pyro_resolve_fn fn, void *user);
#endif

/* A proxy for an object at the other end of a link: an adopted pipe, or the
 * link of a call. `object` is copied. */
PYRO_DEF pyro_err pyro_proxy_at(pyro_proxy *proxy, pyro_daemon *node,
                                pyro_link link, const char *object, size_t n);

#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_URI)
/* A proxy for a URI that came as an argument: for "this connection" it goes
 * back by the link of the call. Any other URI's text must be copied by the
 * caller (pyro_uri_print) and opened by that: PYRO_ERR_STATE. */
PYRO_DEF pyro_err pyro_proxy_from(pyro_proxy *proxy, pyro_call *call,
                                  const pyro_uri *uri);
#endif

/* The link that it uses, 0: none yet. It may have gone meanwhile. */
PYRO_DEF pyro_link pyro_proxy_link(const pyro_proxy *proxy);

/* Gives the connection back; the last proxy on it closes it. The next call
 * connects anew. Requests in flight go on. */
PYRO_DEF void pyro_release(pyro_proxy *proxy);

/* Ends it: its requests end with PYRO_ERR_CLOSED, without callback. Of one that
 * is zero or closed: nothing. */
PYRO_DEF void pyro_proxy_close(pyro_proxy *proxy);

/* Calls a method and waits for its result, at most proxy->timeout_ms (and
 * never longer than the calls that are waited for already); serves others
 * meanwhile as config says. On PYRO_ERR_REMOTE see pyro_exception; on any
 * other error node->why may say more, and pyro_sent whether it may have run. */
PYRO_DEF pyro_err pyro_invoke(pyro_proxy *proxy, const char *method,
                              pyro_args args, pyro_slot result);

#ifndef PYRO_NO_ONEWAY
/* Sends and forgets. Gathered with others; leaves by itself at once, or by
 * the next poll, wait or pyro_flush. */
PYRO_DEF pyro_err pyro_oneway(pyro_proxy *proxy, const char *method,
                              pyro_args args);
#endif

/* Remote attributes. */
PYRO_DEF pyro_err pyro_getattr(pyro_proxy *proxy, const char *name,
                               pyro_slot result);
PYRO_DEF pyro_err pyro_setattr(pyro_proxy *proxy, const char *name,
                               pyro_value value);
PYRO_DEF pyro_err pyro_hasattr(pyro_proxy *proxy, const char *name, bool *has);

/* The last remote exception of a proxy: never NULL, texts never NULL. */
PYRO_DEF const pyro_exc *pyro_exception(const pyro_proxy *proxy);

/* Of the proxy's last call: false means it was certainly not executed and can
 * be repeated (it had not left, or was refused as busy); true that it left,
 * at least in part, and may have been. */
PYRO_DEF bool pyro_sent(const pyro_proxy *proxy);

#ifndef PYRO_NO_ASYNC

/* The same without waiting. begin takes a buffer (PYRO_ERR_NOSPACE,
 * PYRO_ERR_BUSY: not now, poll and begin again; other errors are final), then
 * put the arguments into rq->args, then send; no poll in between. rq must not
 * be under way already. The result goes to the slot, then fn (may be NULL) is
 * called, from poll. */
PYRO_DEF pyro_err pyro_begin(pyro_request *rq, pyro_proxy *proxy,
                             const char *method);
PYRO_DEF pyro_err pyro_send(pyro_request *rq, pyro_slot result,
                            pyro_done_fn fn, void *user);

/* Between the arguments and send: n keyword arguments follow. Put each name
 * (pyro_put_str) and its value. */
PYRO_DEF void pyro_put_kwargs(pyro_request *rq, uint32_t n);

/* Puts n bytes that are `count` arguments, which a pyro_writer has made or a
 * pyro_reader has gone through without an error: they are not looked at. */
PYRO_DEF void pyro_put_encoded(pyro_request *rq, const void *data, size_t n,
                               unsigned count);

/* Instead of pyro_send: nobody waits for a result, rq is free at once. */
PYRO_DEF pyro_err pyro_send_oneway(pyro_request *rq);

/* Between the arguments and pyro_send_oneway: another such call of the same
 * method follows, in the same buffer; its arguments, of up to n bytes, are put
 * next, and pyro_send_oneway sends them all. False: it does not fit there;
 * then nothing has changed, send what is there. More than n bytes are an error
 * of all. */
PYRO_DEF bool pyro_again(pyro_request *rq, size_t n);

/* Instead of the proxy's timeout, for this one: call it before pyro_send. */
PYRO_DEF void pyro_deadline(pyro_request *rq, uint32_t ms);

/* Whether it is done; then its error. pyro_wait polls until it is. */
PYRO_DEF bool     pyro_done(const pyro_request *rq);
PYRO_DEF pyro_err pyro_result(const pyro_request *rq);
PYRO_DEF pyro_err pyro_wait(pyro_request *rq);

/* Whether any byte of it left: false means it certainly did not run. */
PYRO_DEF bool pyro_request_sent(const pyro_request *rq);

/* Takes it out, at any time: no slot is written and no callback called
 * afterwards. True when no byte of it had left: it will not run. */
PYRO_DEF bool pyro_cancel(pyro_request *rq);

#endif /* PYRO_NO_ASYNC */

#endif /* PYRO_NO_CLIENT */

#ifdef __cplusplus
} /* extern "C" */

template <size_t N> struct pyro_args_n {
    pyro_value values[N];
               operator pyro_args() const
    {
        pyro_args a = { values, N };
        return a;
    }
};
template <class... T> pyro_args_n<sizeof...(T)> pyro_args_of(T... v)
{
    pyro_args_n<sizeof...(T)> a = { { v... } };
    return a;
}
#endif

#endif /* PYRO_H */

/* ========================================================================
 * Implementation
 * ======================================================================== */

#if defined(PYRO_IMPLEMENTATION) && !defined(PYRO_IMPLEMENTED)
#define PYRO_IMPLEMENTED

#include <float.h>
#include <string.h>

#ifndef PYRO_ASSERT
#include <assert.h>
#define PYRO_ASSERT(c) assert(c)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What every value goes through: put in place where speed is asked for. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define PYROI_FAST static inline __attribute__((always_inline))
/* And what few need: called there, so that the rest needs no registers saved
 * for it. */
#define PYROI_CALLED static __attribute__((noinline))
/* What is rarely run stands apart, for the same reason. */
#define PYROI_COLD __attribute__((noinline, cold))
/* Begins a cache line: its speed is not to depend on what stands before. */
#define PYROI_ALIGNED __attribute__((aligned(64)))
#else
#define PYROI_FAST   static
#define PYROI_CALLED static
#define PYROI_COLD
#define PYROI_ALIGNED
#endif

/* Where a program is compiled to be small, what stands in several places is
 * called and not copied there: gcc takes some of these to be smaller copied. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define PYROI_SMALL
#define PYROI_SHARED __attribute__((noinline))
#else
#define PYROI_SHARED
#endif

/* And what is smaller where it is copied, for what it is given there. */
#ifdef __GNUC__
#define PYROI_COPIED static inline __attribute__((always_inline))
#else
#define PYROI_COPIED static
#endif

/* What some switches leave without a caller. */
#if defined(__GNUC__)
#define PYROI_MAYBE __attribute__((unused))
#else
#define PYROI_MAYBE
#endif

/* Where a program is compiled to be small, gcc forgets here what it knows of
 * an integer: else it copies what follows for each value that it has found. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define PYROI_FORGET(v) __asm__("" : "+r"(v))
#else
#define PYROI_FORGET(v) (void)0
#endif

/* ------------------------------------------------------------------------
 * >>basics: bytes, texts
 * ------------------------------------------------------------------------ */

static uint32_t pyroi_load16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

PYROI_COPIED uint32_t pyroi_load32(const uint8_t *p)
{
    return pyroi_load16(p) << 16 | pyroi_load16(p + 2);
}

#if (defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__)) \
    && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)

/* Where words may stand anywhere: gcc loads them so from bytes by itself, but
 * does not store them so. */
static void pyroi_store16(uint8_t *p, uint32_t v)
{
    uint16_t swapped = __builtin_bswap16((uint16_t)v);

    memcpy(p, &swapped, sizeof swapped);
}

static void pyroi_store32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

#else

static void pyroi_store16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void pyroi_store32(uint8_t *p, uint32_t v)
{
    pyroi_store16(p, v >> 16);
    pyroi_store16(p + 2, v);
}

#endif

#if defined(PYRO_NO_CHECKSUM) && defined(PYROI_SMALL)

/* Bit by bit: for greetings and addresses alone. */
PYRO_DEF uint32_t pyro_crc32(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = (const uint8_t *)data;
    unsigned       bit;

    crc = ~crc;
    while (n-- > 0) {
        crc ^= *p++;
        for (bit = 8; bit > 0; bit--)
            crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
    }
    return ~crc;
}

#else

/* With 16 entries instead of 256 the table is 64 bytes and the loop twice as
 * long: on a serial line the line is slower still. */
PYRO_DEF uint32_t pyro_crc32(uint32_t crc, const void *data, size_t n)
{
    /* clang-format off */
    static const uint32_t half[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
        0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C
    };
    /* clang-format on */
    const uint8_t *p = (const uint8_t *)data;

    crc = ~crc;
    while (n-- > 0) {
        crc ^= *p++;
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

#endif

static bool pyroi_has(const char *p, size_t n, char c)
{
    for (; n > 0; n--) {
        if (*p++ == c)
            return true;
    }
    return false;
}

/* 16 bytes as 32 hex digits and a zero byte. */
static void pyroi_hex(const uint8_t id[16], char to[33])
{
    unsigned i;

    for (i = 0; i < 32; i++)
        to[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 != 0 ? 0 : 4) & 15];
    to[32] = '\0';
}

/* A text being composed: always terminated, `cut` when it did not fit. */
typedef struct pyroi_text {
    char *at;
    char *end; /* the terminating zero may stand here */
    bool  cut;
} pyroi_text;

PYROI_MAYBE PYROI_SHARED static pyroi_text pyroi_text_of(char *to, size_t size)
{
    pyroi_text t;

    t.at = to;
    t.end = to + size - 1;
    t.cut = false;
    *to = '\0';
    return t;
}

/* Copies n bytes of text and puts a zero byte behind them. */
PYROI_MAYBE static void pyroi_copy(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    to[n] = '\0';
}

PYROI_MAYBE static void pyroi_add(pyroi_text *t, const char *s, size_t n)
{
    size_t room = (size_t)(t->end - t->at);

    if (n > room) {
        n = room;
        t->cut = true;
    }
    pyroi_copy(t->at, s, n);
    t->at += n;
}

PYROI_MAYBE static void pyroi_adds(pyroi_text *t, const char *s)
{
    pyroi_add(t, s, strlen(s));
}

PYROI_MAYBE static void pyroi_add_dec(pyroi_text *t, uint32_t v)
{
    char  digits[10]; /* 4,294,967,295 has ten */
    char *p = digits + sizeof digits;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    pyroi_add(t, p, (size_t)(digits + sizeof digits - p));
}

/* The n-th of texts that stand one behind the other: an array of pointers
 * takes four bytes more for each. */
PYROI_MAYBE PYROI_SHARED static const char *pyroi_nth(const char *texts,
                                                      unsigned    n)
{
    for (; n > 0; n--)
        texts += strlen(texts) + 1;
    return texts;
}

/* ------------------------------------------------------------------------
 * >>errors
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NO_TEXTS
#define PYROI_T(text) ""
#else
#define PYROI_T(text) text
#endif

PYRO_DEF const char *pyro_err_text(pyro_err err)
{
#ifdef PYRO_NO_TEXTS
    return err == PYRO_OK ? "OK" : "error";
#else
    static const char texts[] = "OK\0"
                                "not a URI\0"
                                "the daemon cannot do that\0"
                                "the peer speaks another protocol\0"
                                "no connection, or connection lost\0"
                                "connection refused by the peer\0"
                                "no answer in time\0"
                                "no such name\0"
                                "the remote method raised an exception\0"
                                "value of another type or out of range\0"
                                "malformed, incomplete or surplus data\0"
                                "table, buffer or message too small\0"
                                "busy: not executed, try again\0"
                                "not allowed in this state\0"
                                "unknown error";
    const unsigned    unknown = PYRO_ERR_STATE + 1;

    return pyroi_nth(texts, (unsigned)err < unknown ? (unsigned)err : unknown);
#endif
}

/* Why a CONNECTFAIL, beside what pyro_deny has. Another version goes as
 * "unspecified" with a text, and so does to Pyro5 whatever is wrong with its
 * CONNECT. The last two are never sent: we were refused, or the peer broke the
 * protocol. */
enum {
    PYROI_FAIL_NOT_UP = 4,
    PYROI_FAIL_VERSION,
    PYROI_FAIL_VERSION5,
    PYROI_FAIL_SERIALIZER,
    PYROI_FAIL_LONG,
    PYROI_FAIL_TYPE,
    PYROI_FAIL_FORM,
    PYROI_FAIL_OBJECT,
    PYROI_FAIL_META,
    PYROI_ERROR, /* and more: an error of ours */
    PYROI_BROKEN = PYROI_ERROR + PYRO_ERR_PROTOCOL,
    PYROI_DENIED = PYROI_ERROR + PYRO_ERR_DENIED
};

static const char *pyroi_fail_text(unsigned reason)
{
#ifdef PYRO_NO_TEXTS
    (void)reason;
    return "";
#else
    static const char texts[] =
        "unspecified reason\0"
        "server too busy\0"
        "host blocked\0"
        "security reasons\0"
        "not connected\0"
        "this side speaks protocol version 6"
#ifndef PYRO_NO_PYRO5
        "\0"
        "unsupported protocol version\0"
        "serializer not built in here: set config.SERIALIZER = 'msgpack' or "
        "PYRO_SERIALIZER=msgpack\0"
        "CONNECT is too long\0"
        "invalid msg type (expected: CONNECT)\0"
        "CONNECT without 'handshake' or 'object'\0"
        "unknown object\0"
        "result too long: raise bytes in PYRO_ROOM"
#endif
        ;

    return pyroi_nth(texts, reason);
#endif
}

PYRO_DEF const char *pyro_deny_text(pyro_deny reason)
{
    return pyroi_fail_text(reason <= PYRO_DENY_SECURITY ? reason : 0);
}

/* ------------------------------------------------------------------------
 * >>writer
 * ------------------------------------------------------------------------ */

PYRO_DEF pyro_writer pyro_writer_of(void *to, size_t size, unsigned values)
{
    pyro_writer w;

    w.at = (uint8_t *)to;
    w.end = size > 0 ? w.at + size : w.at; /* NULL + 0 is undefined */
    w.owed = 0;
    w.more = (uint8_t)values;
    w.err = PYRO_OK;
#ifndef PYRO_NO_PYRO5
    w.dialect_ = 0;
#endif
    return w;
}

PYRO_DEF pyro_err pyro_writer_end(const pyro_writer *out)
{
    if (out->err == PYRO_OK && out->owed != 0)
        return PYRO_ERR_DATA;
    return (pyro_err)out->err;
}

/* Takes n bytes for one value, which is accounted for. False: an error, now
 * or before. */
static bool pyroi_claim(pyro_writer *w, size_t n)
{
    if (w->err != PYRO_OK)
        return false;
    if ((size_t)(w->end - w->at) < n) {
        w->err = PYRO_ERR_NOSPACE;
        return false;
    }
    if (w->owed != 0) {
        w->owed--;
    } else if (w->more != 0) {
        w->more--;
    } else {
        w->err = PYRO_ERR_STATE;
        return false;
    }
    w->at += n;
    return true;
}

/* Writes a tag, and n bytes of number behind it. */
PYROI_FAST void pyroi_store_number(uint8_t *p, unsigned tag, uint64_t v,
                                   uint32_t n)
{
    *p = (uint8_t)tag;
#ifdef __OPTIMIZE_SIZE__
    for (p += n; n > 0; n--, v >>= 8)
        *p-- = (uint8_t)v;
#else
    if (n == 8) {
        pyroi_store32(p + 1, (uint32_t)(v >> 32));
        pyroi_store32(p + 5, (uint32_t)v);
    } else if (n == 4) {
        pyroi_store32(p + 1, (uint32_t)v);
    } else if (n == 2) {
        pyroi_store16(p + 1, (uint32_t)v);
    } else if (n == 1) {
        p[1] = (uint8_t)v;
    }
#endif
}

/* Puts such a number into the room of a value, `size` bytes. */
PYROI_CALLED void pyroi_put_any_number(pyro_writer *w, unsigned tag,
                                       uint64_t v, uint32_t n, size_t size)
{
    if (pyroi_claim(w, size))
        pyroi_store_number(w->at - size, tag, v, n);
}

#ifndef __OPTIMIZE_SIZE__
/* Whether a value of n bytes may be put, and is inside of a list or map, as
 * most are. */
PYROI_FAST bool pyroi_owes(const pyro_writer *w, size_t n)
{
    return w->owed != 0 && w->err == PYRO_OK && (size_t)(w->end - w->at) >= n;
}

/* It has been put. */
PYROI_FAST void pyroi_pay(pyro_writer *w, size_t n)
{
    w->owed--;
    w->at += n;
}
#endif

/* The same as pyroi_put_any_number. Every value goes through here, but for
 * short texts. */
PYROI_FAST void pyroi_put_number(pyro_writer *w, unsigned tag, uint64_t v,
                                 uint32_t n, size_t size)
{
#ifndef __OPTIMIZE_SIZE__
    uint8_t *p = w->at;

    if (pyroi_owes(w, size)) {
        pyroi_pay(w, size);
        pyroi_store_number(p, tag, v, n);
        return;
    }
#endif
    pyroi_put_any_number(w, tag, v, n, size);
}

/* How a kind of value begins: a number below `limit` is inside of the tag
 * `fix`; others stand behind a tag, in 1, 2, 4 or 8 bytes: 1 << k of them
 * behind the tag `tag + k`, and k is at least `least`. */
typedef struct pyroi_form {
    uint8_t fix;
    uint8_t limit;
    uint8_t tag;
    uint8_t least;
} pyroi_form;

enum {
    PYROI_FORM_UINT,
    PYROI_FORM_NEGATIVE,
    PYROI_FORM_F32,
    PYROI_FORM_F64,
    PYROI_FORM_BYTE, /* as it is */
    PYROI_FORM_LIST,
    PYROI_FORM_MAP,
    PYROI_FORM_BIN,
    PYROI_FORM_STR,
    PYROI_FORM_RAW, /* bytes that have their header */
    PYROI_FORM_OWN  /* tagged values that bring a function along */
};

static const pyroi_form pyroi_forms[] = {
    { 0x00, 128, 0xCC, 0 }, { 0xE0, 64, 0xD0, 0 }, { 0x00, 0, 0xC8, 2 },
    { 0x00, 0, 0xC8, 3 },   { 0x00, 255, 0, 0 },   { 0x90, 16, 0xDB, 1 },
    { 0x80, 16, 0xDD, 1 },  { 0x00, 0, 0xC4, 0 },  { 0xA0, 32, 0xD9, 0 },
    { 0x00, 255, 0, 0 }
};

/* Puts a header in its shortest form and takes room for the bytes that it
 * announces. A negative number is as long as twice its complement, for there
 * is a sign bit. */
#ifdef __OPTIMIZE_SIZE__
static void pyroi_put_head(pyro_writer *w, unsigned form, uint64_t v)
{
    const pyroi_form *f = &pyroi_forms[form];
    uint64_t          m = v;
    uint32_t          tag = (uint32_t)v;
    uint32_t          n = 0;
    size_t            size;

    if (form == PYROI_FORM_NEGATIVE)
        m = ~(v + v);
    PYROI_FORGET(f);
    if (m < f->limit) {
        tag |= f->fix;
    } else {
        if (m >> 32 != 0)
            n = 3;
        else if ((uint32_t)m > 0xFFFF)
            n = 2;
        else if ((uint32_t)m > 0xFF)
            n = 1;
        if (n < f->least)
            n = f->least;
        tag = f->tag + n;
        n = 1u << n;
    }
    PYROI_FORGET(n);
    size = 1 + n;
    if (form >= PYROI_FORM_BIN)
        size += (size_t)v;
    if (form == PYROI_FORM_RAW)
        size = (size_t)v; /* of which the first bytes are written twice */
    pyroi_put_number(w, tag, v, n, size);
}
#else
PYROI_FAST void pyroi_put_head(pyro_writer *w, unsigned form, uint64_t v)
{
    const pyroi_form *f = &pyroi_forms[form];
    uint64_t          m = form == PYROI_FORM_NEGATIVE ? ~(v + v) : v;
    size_t            body = form >= PYROI_FORM_BIN ? (size_t)v : 0;

    if (form == PYROI_FORM_RAW)
        pyroi_claim(w, body);
    else if (m < f->limit)
        pyroi_put_number(w, f->fix | (unsigned)v, v, 0, 1 + body);
    else if (m >> 32 != 0 || f->least == 3)
        pyroi_put_number(w, f->tag + 3u, v, 8, 9 + body);
    else if (m > 0xFFFF || f->least == 2)
        pyroi_put_number(w, f->tag + 2u, v, 4, 5 + body);
    else if (m > 0xFF || f->least == 1)
        pyroi_put_number(w, f->tag + 1u, v, 2, 3 + body);
    else
        pyroi_put_number(w, f->tag, v, 1, 2 + body);
}
#endif

PYRO_DEF void pyro_put_nil(pyro_writer *out)
{
    pyroi_put_head(out, PYROI_FORM_BYTE, 0xC0);
}

PYRO_DEF void pyro_put_bool(pyro_writer *out, bool v)
{
    pyroi_put_head(out, PYROI_FORM_BYTE, 0xC2u + v);
}

PYRO_DEF void pyro_put_uint(pyro_writer *out, uint64_t v)
{
    pyroi_put_head(out, PYROI_FORM_UINT, v);
}

PYROI_ALIGNED PYRO_DEF void pyro_put_int(pyro_writer *out, int64_t v)
{
    if (v < 0)
        pyroi_put_head(out, PYROI_FORM_NEGATIVE, (uint64_t)v);
    else
        pyroi_put_head(out, PYROI_FORM_UINT, (uint64_t)v);
}

PYRO_DEF void pyro_put_f32(pyro_writer *out, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, 4);
    pyroi_put_head(out, PYROI_FORM_F32, bits);
}

PYRO_DEF void pyro_put_f64(pyro_writer *out, double v)
{
#if DBL_MANT_DIG == 53
    uint64_t bits;

    memcpy(&bits, &v, 8);
    pyroi_put_head(out, PYROI_FORM_F64, bits);
#else
    pyro_put_f32(out, (float)v); /* where double is float, as on AVR */
#endif
}

#ifdef PYRO_NO_UTF8
#define pyroi_utf8(p, n) ((void)(p), (void)(n), true)
#else
static bool pyroi_utf8(const uint8_t *p, size_t n);
#endif

/* Puts n bytes, behind a header where they need one. */
PYROI_SHARED PYROI_FAST void pyroi_put_data(pyro_writer *w, const void *data,
                                            size_t n, unsigned form)
{
    if (w->err == PYRO_OK && (uint32_t)n != n)
        w->err = PYRO_ERR_NOSPACE;
    if (form == PYROI_FORM_STR && w->err == PYRO_OK
        && !pyroi_utf8((const uint8_t *)data, n))
        w->err = PYRO_ERR_DATA;
    PYROI_FORGET(form);
    pyroi_put_head(w, form, n);
    if (w->err == PYRO_OK && n > 0)
        memcpy(w->at - n, data, n);
}

#ifndef __OPTIMIZE_SIZE__
/* Copies 1 to 16 bytes if all of them are ASCII, as pieces that may overlap.
 * False: they are not, and nothing is written. */
PYROI_FAST bool pyroi_copy_ascii(uint8_t *to, const uint8_t *p, size_t n)
{
    const uint64_t high = 0x8080808080808080;
    uint64_t       a = 0;
    uint64_t       b = 0;

    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
        if (((a | b) & high) != 0)
            return false;
        memcpy(to, &a, 8);
        memcpy(to + n - 8, &b, 8);
    } else if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        if (((a | b) & high) != 0)
            return false;
        memcpy(to, &a, 4);
        memcpy(to + n - 4, &b, 4);
    } else {
        if ((p[0] | p[n / 2] | p[n - 1]) >= 0x80)
            return false;
        to[0] = p[0];
        to[n / 2] = p[n / 2];
        to[n - 1] = p[n - 1];
    }
    return true;
}

/* Puts a text as keys and names are: short, ASCII, inside of a list or map.
 * False: it is another, or there is an error; nothing has changed. */
PYROI_FAST bool pyroi_put_short(pyro_writer *w, const char *text, size_t n)
{
    uint8_t *p = w->at;

    if (n - 1 > 15 || !pyroi_owes(w, n + 1)
        || !pyroi_copy_ascii(p + 1, (const uint8_t *)text, n))
        return false;
    *p = (uint8_t)(0xA0 + n);
    pyroi_pay(w, n + 1);
    return true;
}

/* Any other. */
PYROI_CALLED void pyroi_put_text(pyro_writer *w, const char *text, size_t n)
{
    pyroi_put_data(w, text, n, PYROI_FORM_STR);
}
#endif

PYROI_ALIGNED PYRO_DEF void pyro_put_strn(pyro_writer *out, const char *text,
                                          size_t n)
{
#ifdef __OPTIMIZE_SIZE__
    pyroi_put_data(out, text, n, PYROI_FORM_STR);
#else
    if (!pyroi_put_short(out, text, n))
        pyroi_put_text(out, text, n);
#endif
}

PYRO_DEF void pyro_put_str(pyro_writer *out, const char *text)
{
    pyro_put_strn(out, text, strlen(text));
}

PYRO_DEF void pyro_put_bin(pyro_writer *out, const void *data, size_t n)
{
    pyroi_put_data(out, data, n, PYROI_FORM_BIN);
}

PYRO_DEF void pyro_put_raw(pyro_writer *out, const void *data, size_t n)
{
    pyro_reader in = pyro_reader_of(data, n);
    uint32_t    bytes; /* of the one value there */

    (void)pyro_get_raw(&in, &bytes);
    if (out->err == PYRO_OK && (bytes == 0 || bytes != n))
        out->err = PYRO_ERR_DATA;
    pyroi_put_data(out, data, n, PYROI_FORM_RAW);
}

/* Begins what waits for one or two values for each of n. */
PYROI_SHARED PYROI_FAST void pyroi_put_many(pyro_writer *w, unsigned form,
                                            uint32_t n)
{
    uint32_t owed;

    pyroi_put_head(w, form, n);
    if (w->err != PYRO_OK)
        return;
    owed = w->owed;
    form -= PYROI_FORM_LIST;
    w->owed = owed + (n << form);
    if (n > (UINT32_MAX - owed) >> form)
        w->err = PYRO_ERR_NOSPACE;
}

PYRO_DEF void pyro_put_list(pyro_writer *out, uint32_t n)
{
    pyroi_put_many(out, PYROI_FORM_LIST, n);
}

PYRO_DEF void pyro_put_map(pyro_writer *out, uint32_t n)
{
    pyroi_put_many(out, PYROI_FORM_MAP, n);
}

/* ------------------------------------------------------------------------
 * >>reader
 * ------------------------------------------------------------------------ */

PYROI_SHARED PYRO_DEF pyro_reader pyro_reader_of(const void *data, size_t n)
{
    pyro_reader in;

    in.at = (const uint8_t *)data;
    in.end = n > 0 ? in.at + n : in.at;
    in.err = PYRO_OK;
    in.type_ = PYRO_NONE;
#ifndef PYRO_NO_PYRO5
    in.dialect_ = 0;
#endif
    return in;
}

/* The first error stays; nothing can be read after it. Gives the 0 that every
 * get returns then. */
PYROI_COLD PYROI_SHARED static uint64_t pyroi_spoil(pyro_reader *in,
                                                    pyro_err     err)
{
    if (in->err == PYRO_OK)
        in->err = (uint8_t)err;
    in->at = in->end;
    in->type_ = PYRO_NONE;
    return 0;
}

#ifndef __OPTIMIZE_SIZE__
/* Whether all bytes are below 0x80, as in most texts, and none is below the
 * byte in `least`, which is 0 or 1: eight at a time, the last ones with some of
 * those before them. A byte of 0 gets its highest bit by losing 1, and so does
 * perhaps the one above it. */
static inline bool pyroi_ascii(const uint8_t *p, size_t n, uint64_t least)
{
    const uint64_t high = 0x8080808080808080;
    uint64_t       all = 0;
    uint64_t       v;
    uint32_t       a;
    uint32_t       b;
    size_t         i;

    if (n >= 8) {
        for (i = 0; i + 8 < n; i += 8) {
            memcpy(&v, p + i, 8);
            all |= v | (v - least);
        }
        memcpy(&v, p + n - 8, 8);
        return ((all | v | (v - least)) & high) == 0;
    }
    if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        v = a | (uint64_t)b << 32;
        return ((v | (v - least)) & high) == 0;
    }
    a = n > 0 ? p[0] | (uint32_t)p[n / 2] << 8 | (uint32_t)p[n - 1] << 16 : 0;
    return ((a | (a - (least & 0x010101))) & high) == 0;
}
#endif

#ifndef PYRO_NO_UTF8
/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. The
 * bytes of a character are put together with all bits of the first, which
 * says with a row of ones how many follow: `more` is at the next of them. */
static bool pyroi_utf8(const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    uint32_t       c;
    uint32_t       byte;
    uint32_t       more;

#ifndef __OPTIMIZE_SIZE__
    if (pyroi_ascii(p, n, 0))
        return true;
#endif
    while (p < end) {
        c = *p++;
        if (c < 0x80)
            continue;
        if (c - 0xC2 > 0xF4 - 0xC2)
            return false;
        more = 0x40;
        do {
            if (p == end)
                return false;
            byte = *p++ ^ 0x80u;
            if (byte > 0x3F)
                return false;
            c = c << 6 | byte;
            more <<= 5;
            PYROI_FORGET(more);
        } while ((c & more) != 0);
        c &= more - 1;
        if (c < more >> 5 || c >> 11 == 0xD800 >> 11 || c > 0x10FFFF)
            return false;
    }
    return true;
}
#endif

/* Type of a tag from 0xC0 to 0xDF and the bytes of number behind it. */
#define PYROI_TAG(type, width) (uint8_t)((type) << 4 | (width))
/* clang-format off */
static const uint8_t pyroi_tags[36] = {
    PYROI_TAG(PYRO_MAP, 0),   PYROI_TAG(PYRO_LIST, 0),
    PYROI_TAG(PYRO_STR, 0),   PYROI_TAG(PYRO_STR, 0),
    PYROI_TAG(PYRO_NIL, 0),   PYROI_TAG(PYRO_NONE, 0),
    PYROI_TAG(PYRO_BOOL, 0),  PYROI_TAG(PYRO_BOOL, 0),
    PYROI_TAG(PYRO_BIN, 1),   PYROI_TAG(PYRO_BIN, 2),
    PYROI_TAG(PYRO_BIN, 4),   PYROI_TAG(PYRO_EXT, 2),
    PYROI_TAG(PYRO_EXT, 3),   PYROI_TAG(PYRO_EXT, 5),
    PYROI_TAG(PYRO_FLOAT, 4), PYROI_TAG(PYRO_FLOAT, 8),
    PYROI_TAG(PYRO_UINT, 1),  PYROI_TAG(PYRO_UINT, 2),
    PYROI_TAG(PYRO_UINT, 4),  PYROI_TAG(PYRO_UINT, 8),
    PYROI_TAG(PYRO_INT, 1),   PYROI_TAG(PYRO_INT, 2),
    PYROI_TAG(PYRO_INT, 4),   PYROI_TAG(PYRO_INT, 8),
    PYROI_TAG(PYRO_EXT, 1),   PYROI_TAG(PYRO_EXT, 1),
    PYROI_TAG(PYRO_EXT, 1),   PYROI_TAG(PYRO_EXT, 1),
    PYROI_TAG(PYRO_EXT, 1),   PYROI_TAG(PYRO_STR, 1),
    PYROI_TAG(PYRO_STR, 2),   PYROI_TAG(PYRO_STR, 4),
    PYROI_TAG(PYRO_LIST, 2),  PYROI_TAG(PYRO_LIST, 4),
    PYROI_TAG(PYRO_MAP, 2),   PYROI_TAG(PYRO_MAP, 4)
};
/* clang-format on */

#ifndef __OPTIMIZE_SIZE__
/* Values as most are, each kind by a test or two. Each gives what is behind the
 * value at p, of `left` bytes of which there is one, or NULL: it is another, or
 * not all of it is there. pyroi_next_long takes any; texts and lengths are
 * looked at here as they are there. */

/* What is a tag alone, `first` or up to `more` above it: nil, a bool. */
PYROI_FAST const uint8_t *pyroi_short_tag(const uint8_t *p, uint32_t first,
                                          uint32_t more, uint64_t *v)
{
    *v = *p - first;
    return *v <= more ? p + 1 : NULL;
}

/* An int in the tag, or in up to 32 bits behind it. */
PYROI_FAST const uint8_t *pyroi_short_int(const uint8_t *p, size_t left,
                                          uint64_t *v)
{
    uint32_t tag = *p;
    uint32_t n = 1u << (tag & 3);
    uint32_t bits;

    if ((int8_t)tag >= -32) {
        *v = (uint64_t)(int8_t)tag;
        return p + 1;
    }
    if (tag - 0xCC > 0xD2 - 0xCC || n > 4 || n >= left)
        return NULL;
    if (n == 4) {
        bits = pyroi_load32(p + 1);
        *v = tag < 0xD0 ? bits : (uint64_t)(int32_t)bits;
        return p + 5;
    }
    if (n == 2) {
        bits = pyroi_load16(p + 1);
        *v = tag < 0xD0 ? bits : (uint64_t)(int16_t)bits;
        return p + 3;
    }
    *v = tag < 0xD0 ? p[1] : (uint64_t)(int8_t)p[1];
    return p + 2;
}

/* A float of 64 bits. */
PYROI_FAST const uint8_t *pyroi_short_float(const uint8_t *p, size_t left,
                                            uint64_t *v)
{
    if (*p != 0xCB || left < 9)
        return NULL;
    *v = (uint64_t)pyroi_load32(p + 1) << 32 | pyroi_load32(p + 5);
    return p + 9;
}

/* Up to 31 characters of ASCII. */
PYROI_FAST const uint8_t *pyroi_short_str(const uint8_t *p, size_t left,
                                          uint64_t *v)
{
    uint32_t n = *p ^ 0xA0u;

    if (n > 31 || n >= left || !pyroi_ascii(p + 1, n, 0))
        return NULL;
    *v = n;
    return p + 1 + n;
}

/* Up to 255 bytes. */
PYROI_FAST const uint8_t *pyroi_short_bin(const uint8_t *p, size_t left,
                                          uint64_t *v)
{
    if (*p != 0xC4 || left < 2 || p[1] > left - 2)
        return NULL;
    *v = p[1];
    return p + 2 + p[1];
}

/* The head of a list, or of a map if `map` is 1, of up to 15 entries. */
PYROI_FAST const uint8_t *pyroi_short_many(const uint8_t *p, size_t left,
                                           unsigned map, uint64_t *v)
{
    uint32_t n = *p ^ (map != 0 ? 0x80u : 0x90u);

    if (n > 15 || n << map >= left)
        return NULL;
    *v = n;
    return p + 1;
}

/* The same for the next value of a reader, of any of the types that arguments
 * mostly have. */
PYROI_FAST const uint8_t *pyroi_short_any(const pyro_reader *in,
                                          uint32_t *type, uint64_t *v)
{
    size_t         left = (size_t)(in->end - in->at);
    const uint8_t *p;

    *type = PYRO_INT;
    if (left == 0)
        return NULL;
    p = pyroi_short_int(in->at, left, v);
    if (p == NULL) {
        *type = PYRO_STR;
        p = pyroi_short_str(in->at, left, v);
    }
    if (p == NULL) {
        *type = PYRO_BIN;
        p = pyroi_short_bin(in->at, left, v);
    }
    return p;
}

/* And if it is of this type, which is known where this is put. */
PYROI_FAST const uint8_t *pyroi_short(const pyro_reader *in, unsigned type,
                                      uint64_t *v)
{
    const uint8_t *p = in->at;
    size_t         left = (size_t)(in->end - p);

    if (left == 0)
        return NULL;
    switch (type) {
    case PYRO_NIL:
        return pyroi_short_tag(p, 0xC0, 0, v);
    case PYRO_BOOL:
        return pyroi_short_tag(p, 0xC2, 1, v);
    case PYRO_INT:
        return pyroi_short_int(p, left, v);
    case PYRO_UINT: /* those that have no sign */
        return *p < 0xD0 ? pyroi_short_int(p, left, v) : NULL;
    case PYRO_FLOAT:
        return pyroi_short_float(p, left, v);
    case PYRO_STR:
        return pyroi_short_str(p, left, v);
    case PYRO_BIN:
        return pyroi_short_bin(p, left, v);
    case PYRO_LIST:
    case PYRO_MAP:
        return pyroi_short_many(p, left, type - PYRO_LIST, v);
    default:
        return NULL;
    }
}
#endif

/* Takes a value apart whose tag, behind which p is, is no number itself: its
 * type, its number, bits or length, and what is behind it. Lengths and counts
 * are bounded here, by the bytes left, and texts are looked at, for everybody.
 * On an error the type is PYRO_NONE. */
PYROI_FAST const uint8_t *pyroi_next_long(const uint8_t *p, size_t left,
                                          uint32_t *of_type, uint64_t *number)
{
    uint32_t tag = p[-1];
    uint32_t type = pyroi_tags[tag < 0xC0 ? tag >> 4 & 3 : tag - 0xBC];
    uint32_t n;
    uint64_t v = 0;

    *of_type = PYRO_NONE;
    PYROI_FORGET(type);
    n = type & 15;
    type >>= 4;
    PYROI_FORGET(n);
    if (n > left)
        return p;
    left -= n;
    if (n == 0) {
        v = tag & (type == PYRO_STR ? 31 : 15);
    } else {
        if (type == PYRO_INT && *p >= 0x80)
            v = UINT64_MAX;
        for (; n > 0; n--)
            v = v << 8 | *p++;
        if (type == PYRO_UINT && (int64_t)v >= 0)
            type = PYRO_INT;
    }
    PYROI_FORGET(type);
    *number = v;
    if (type >= PYRO_STR) {
        n = (uint32_t)v;
        if (type == PYRO_EXT)
            n = tag >= 0xD4 ? 1u << (tag - 0xD4) : (uint32_t)(v >> 8);
        PYROI_FORGET(type);
        if (type == PYRO_MAP)
            left >>= 1;
        PYROI_FORGET(type);
        if (n > left)
            return p;
        PYROI_FORGET(type);
        if (type == PYRO_STR && !pyroi_utf8(p, n))
            return p;
        PYROI_FORGET(type);
        if (type - PYRO_LIST > 1)
            p += n;
    }
    *of_type = type;
    return p;
}

/* Takes the next value apart; see there. */
PYROI_FAST uint64_t pyroi_next_any(pyro_reader *in)
{
    const uint8_t *p = in->at;
    size_t         left = (size_t)(in->end - p);
    uint32_t       type = PYRO_INT;
    uint64_t       v = 0;

    if (left == 0)
        return pyroi_spoil(in, PYRO_ERR_DATA);
    p++;
    if ((int8_t)p[-1] >= -32)
        v = (uint64_t)(int64_t)(int8_t)p[-1];
    else
        p = pyroi_next_long(p, left - 1, &type, &v);
    if (type == PYRO_NONE)
        return pyroi_spoil(in, PYRO_ERR_DATA);
    in->type_ = (uint8_t)type;
    in->at = p;
    return v;
}

/* The same, in place for what most values are. */
PYROI_FAST uint64_t pyroi_next(pyro_reader *in)
{
#ifndef __OPTIMIZE_SIZE__
    uint32_t       type;
    uint64_t       v = 0;
    const uint8_t *p = pyroi_short_any(in, &type, &v);

    if (p != NULL) {
        in->type_ = (uint8_t)type;
        in->at = p;
        return v;
    }
#endif
    return pyroi_next_any(in);
}

/* The number of the next value, which must be of this type; else 0. One that
 * is not negative is a PYRO_UINT as well. */
PYROI_CALLED uint64_t pyroi_number_any(pyro_reader *in, unsigned type)
{
#ifdef __OPTIMIZE_SIZE__
    uint64_t v = pyroi_next(in);
#else
    uint64_t v = pyroi_next_any(in);
#endif

    if (in->type_ == type
        || (type == PYRO_UINT && in->type_ == PYRO_INT && (int64_t)v >= 0))
        return v;
    return pyroi_spoil(in, PYRO_ERR_TYPE);
}

/* The same, in place for what most values are. */
PYROI_SHARED PYROI_FAST uint64_t pyroi_number(pyro_reader *in, unsigned type)
{
#ifndef __OPTIMIZE_SIZE__
    uint64_t       v = 0;
    const uint8_t *p = pyroi_short(in, type, &v);

    if (p != NULL) {
        in->at = p;
        return v;
    }
#endif
    return pyroi_number_any(in, type);
}

PYRO_DEF bool pyro_more(const pyro_reader *in)
{
    return in->at != in->end;
}

PYRO_DEF pyro_type pyro_peek(const pyro_reader *in)
{
    pyro_reader look = *in;

    pyroi_next(&look);
    return (pyro_type)look.type_;
}

PYRO_DEF void pyro_get_nil(pyro_reader *in)
{
    (void)pyroi_number(in, PYRO_NIL);
}

PYRO_DEF bool pyro_get_bool(pyro_reader *in)
{
    return ((unsigned)pyroi_number(in, PYRO_BOOL) & 1) != 0;
}

PYROI_ALIGNED PYRO_DEF int64_t pyro_get_i64(pyro_reader *in)
{
    return (int64_t)pyroi_number(in, PYRO_INT);
}

PYRO_DEF int32_t pyro_get_i32(pyro_reader *in)
{
    int64_t v = pyro_get_i64(in);

    if (v == (int32_t)v)
        return (int32_t)v;
    return (int32_t)pyroi_spoil(in, PYRO_ERR_TYPE);
}

PYRO_DEF uint64_t pyro_get_u64(pyro_reader *in)
{
    return pyroi_number(in, PYRO_UINT);
}

/* IEEE 754 in integers: a processor without floating point gets no library
 * of it through us. The bits of the double m * 2 ** (e - 1085), or of the one
 * next to it; ties go to even. `top` has the sign, and e where doubles have
 * it. */
PYROI_SHARED static uint64_t pyroi_double(uint64_t m, uint32_t top)
{
    uint32_t rest;

    if (m == 0)
        top &= 0x80000000;
    else
        for (; (int64_t)m >= 0; m <<= 1)
            top -= 0x100000;
    rest = (uint32_t)m & 0x7FF;
    m = (m >> 11) + ((uint64_t)top << 32); /* its leading bit adds 1 to e */
    return m + (rest + ((uint32_t)m & 1) > 0x400);
}

/* A float's bits as those of a double, exactly. */
static uint64_t pyroi_widen(uint32_t f)
{
    uint32_t sign = f & 0x80000000;
    uint32_t top = ((f - sign) >> 3) + 0x38000000; /* a bias of 896 more */

    f -= sign;
    if (f < 0x800000) /* no leading bit: subnormal, or zero */
        return pyroi_double(f, sign | (uint32_t)(1085 - 149) << 20);
    if (f >= 0x7F800000)
        top += 0x38000000; /* infinite, or not a number */
    return (uint64_t)(sign | top) << 32 | (uint32_t)(f << 29);
}

/* The bits of the double next to an integer. */
static uint64_t pyroi_int_bits(int64_t v)
{
    uint32_t sign = (uint32_t)((uint64_t)v >> 32) & 0x80000000;

    return pyroi_double(sign != 0 ? 0 - (uint64_t)v : (uint64_t)v,
                        sign | (uint32_t)1085 << 20);
}

/* The bits of the float next to a double; ties go to even. */
static uint32_t pyroi_narrow(uint64_t d)
{
    uint32_t high = (uint32_t)(d >> 32);
    uint32_t sign = high & 0x80000000;
    int32_t  e = (int32_t)((high - sign) >> 20) - 896;
    /* 32 bits of which 8 do not fit; the last one stands for all below it. */
    uint32_t m = (uint32_t)(d >> 21) | 0x80000000 | ((uint32_t)d << 11 != 0);

    if (e > 0xFE) { /* not a number stays so, the rest is infinite */
        sign |= 0x7F800000;
        if (e == 0x7FF - 896 && m != 0x80000000)
            sign |= 0x400000;
        return sign;
    }
    for (; e < 1; e++) {      /* at most 896 times */
        m = m >> 1 | (m & 1); /* becomes subnormal */
        PYROI_FORGET(e);
    }
    /* The leading bit of m, where there is one, adds 1 to the exponent. */
    sign += ((uint32_t)(e - 1) << 23) + (m >> 8);
    return sign + ((m & 0xFF) + (sign & 1) > 0x80);
}

/* The next value as the bits of a double. */
static uint64_t pyroi_get_bits(pyro_reader *in)
{
    const uint8_t *at = in->at;
    uint64_t       v = 0;

#ifndef __OPTIMIZE_SIZE__
    const uint8_t *p = pyroi_short(in, PYRO_FLOAT, &v);

    if (p != NULL) {
        in->at = p;
        return v;
    }
#endif
    v = pyroi_next(in);
    if (in->type_ == PYRO_FLOAT)
        return *at == 0xCB ? v : pyroi_widen((uint32_t)v);
    if (in->type_ == PYRO_INT)
        return pyroi_int_bits((int64_t)v);
    return pyroi_spoil(in, PYRO_ERR_TYPE);
}

PYRO_DEF float pyro_get_f32(pyro_reader *in)
{
    uint32_t bits = pyroi_narrow(pyroi_get_bits(in));
    float    f;

    memcpy(&f, &bits, 4);
    return f;
}

PYRO_DEF double pyro_get_f64(pyro_reader *in)
{
#if DBL_MANT_DIG == 53
    uint64_t bits = pyroi_get_bits(in);
    double   d;

    memcpy(&d, &bits, 8);
    return d;
#else
    return (double)pyro_get_f32(in);
#endif
}

/* A view of the next value, a str or bin, and its length. */
PYROI_SHARED PYROI_FAST const void *pyroi_view(pyro_reader *in, uint32_t *n,
                                               unsigned type)
{
    uint32_t bytes = (uint32_t)pyroi_number(in, type);

    *n = bytes;
    return in->at != NULL ? (const void *)(in->at - bytes) : "";
}

PYROI_ALIGNED PYRO_DEF const char *pyro_get_str(pyro_reader *in, uint32_t *n)
{
    return (const char *)pyroi_view(in, n, PYRO_STR);
}

PYROI_ALIGNED PYRO_DEF const void *pyro_get_bin(pyro_reader *in, uint32_t *n)
{
    return pyroi_view(in, n, PYRO_BIN);
}

PYROI_SHARED PYROI_FAST uint32_t pyroi_get_count(pyro_reader *in, uint32_t max,
                                                 unsigned type)
{
    uint32_t n = (uint32_t)pyroi_number(in, type);

    if (n <= max)
        return n;
    return (uint32_t)pyroi_spoil(in, PYRO_ERR_NOSPACE);
}

PYROI_ALIGNED PYRO_DEF uint32_t pyro_get_list(pyro_reader *in, uint32_t max)
{
    return pyroi_get_count(in, max, PYRO_LIST);
}

PYROI_ALIGNED PYRO_DEF uint32_t pyro_get_map(pyro_reader *in, uint32_t max)
{
    return pyroi_get_count(in, max, PYRO_MAP);
}

/* Bounded: each turn takes at least one byte. */
#ifdef PYRO_NO_ELEMENTS
PYRO_DEF void pyro_skip(pyro_reader *in)
{
    size_t   left = 1; /* values: no more than there are bytes */
    unsigned type;
    uint64_t v;

    do {
        v = pyroi_next(in);
        if (in->type_ == PYRO_NONE)
            return;
        left--;
        type = (unsigned)in->type_ - PYRO_LIST;
        if (type <= 1)
            left += (size_t)v << type;
        if (left > (size_t)(in->end - in->at))
            pyroi_spoil(in, PYRO_ERR_DATA);
    } while (left > 0);
}
#else
PYRO_DEF void pyro_skip(pyro_reader *in)
{
    uint32_t  missing[PYRO_MAX_DEPTH + 1]; /* values, at each depth */
    uint32_t *left = missing;
    unsigned  type;
    uint64_t  v;

#ifndef __OPTIMIZE_SIZE__
    if (in->at != in->end && (int8_t)*in->at >= -32) { /* a small number */
        in->type_ = PYRO_INT;
        in->at++;
        return;
    }
#endif
    *left = 1;
    for (;;) {
        while (*left == 0) {
            if (left == missing)
                return;
            left--;
        }
        --*left;
        v = pyroi_next(in);
        if (in->type_ == PYRO_NONE)
            return;
        type = (unsigned)in->type_ - PYRO_LIST;
        if (type > 1)
            continue;
        if (left == missing + PYRO_MAX_DEPTH)
            break;
        *++left = (uint32_t)v << type; /* no more than there are bytes */
    }
    pyroi_spoil(in, PYRO_ERR_DATA);
}
#endif

PYRO_DEF const void *pyro_get_raw(pyro_reader *in, uint32_t *n)
{
    const uint8_t *from = in->at;

    pyro_skip(in);
    if (in->err != PYRO_OK)
        from = in->at;
    *n = (uint32_t)(size_t)(in->at - from);
    return from;
}

/* ------------------------------------------------------------------------
 * >>values: tagged values and out-slots, sugar over the streams
 * ------------------------------------------------------------------------ */

/* A value is known by its form plus 1, so that zero is none. */
static pyro_value pyroi_value(unsigned form, uint64_t u)
{
    pyro_value v;

    v.type = form + 1;
    v.n_ = 0;
    v.v_.u = u;
    return v;
}

static pyro_value pyroi_view_of(unsigned form, const void *p, size_t n)
{
    pyro_value v;

    v.type = (uint32_t)n == n ? form + 1 : 0u; /* an error */
    v.n_ = (uint32_t)n;
    v.v_.p = p;
    return v;
}

PYRO_DEF pyro_value pyro_nil(void)
{
    return pyroi_value(PYROI_FORM_BYTE, 0xC0);
}

PYRO_DEF pyro_value pyro_bool(bool v)
{
    return pyroi_value(PYROI_FORM_BYTE, 0xC2u + v);
}

PYRO_DEF pyro_value pyro_int(int64_t v)
{
    return pyroi_value(v < 0 ? PYROI_FORM_NEGATIVE : PYROI_FORM_UINT,
                       (uint64_t)v);
}

PYRO_DEF pyro_value pyro_uint(uint64_t v)
{
    return pyroi_value(PYROI_FORM_UINT, v);
}

PYRO_DEF pyro_value pyro_f32(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, 4);
    return pyroi_value(PYROI_FORM_F32, bits);
}

PYRO_DEF pyro_value pyro_f64(double v)
{
#if DBL_MANT_DIG == 53
    uint64_t bits;

    memcpy(&bits, &v, 8);
    return pyroi_value(PYROI_FORM_F64, bits);
#else
    return pyro_f32((float)v);
#endif
}

PYROI_SHARED PYRO_DEF pyro_value pyro_str(const char *text)
{
    return pyroi_view_of(PYROI_FORM_STR, text, strlen(text));
}

PYRO_DEF pyro_value pyro_strn(const char *text, size_t n)
{
    return pyroi_view_of(PYROI_FORM_STR, text, n);
}

PYRO_DEF pyro_value pyro_bin(const void *data, size_t n)
{
    return pyroi_view_of(PYROI_FORM_BIN, data, n);
}

PYRO_DEF pyro_value pyro_raw(const void *data, size_t n)
{
    pyro_value v = pyroi_view_of(PYROI_FORM_OWN, data, n);

    v.v_.own.put = pyro_put_raw; /* who puts none has none */
    return v;
}

#ifndef PYRO_NO_URI
static void pyroi_put_own_here(pyro_writer *out, const void *data, size_t n)
{
    (void)n;
    pyro_put_here(out, (const char *)data);
}

PYRO_DEF pyro_value pyro_here(const char *object)
{
    pyro_value v = pyroi_view_of(PYROI_FORM_OWN, object, 0);

    v.v_.own.put = pyroi_put_own_here;
    return v;
}
#endif

PYROI_FAST void pyroi_put_value(pyro_writer *w, const pyro_value *v)
{
    uint32_t form = v->type - 1;

#ifndef __OPTIMIZE_SIZE__
    if (form == PYROI_FORM_UINT) { /* as most are */
        pyro_put_uint(w, v->v_.u);
        return;
    }
#endif
    if (form <= PYROI_FORM_BYTE)
        pyroi_put_head(w, form, v->v_.u);
    else if (form <= PYROI_FORM_STR)
        pyroi_put_data(w, v->v_.p, v->n_, form);
    else if (form == PYROI_FORM_OWN)
        v->v_.own.put(w, v->v_.own.data, v->n_);
    else if (w->err == PYRO_OK)
        w->err = PYRO_ERR_TYPE;
}

PYRO_DEF void pyro_put(pyro_writer *out, pyro_value v)
{
    pyroi_put_value(out, &v);
}

PYRO_DEF void pyro_as_bool(void *at, size_t size, pyro_writer *out,
                           pyro_reader *in)
{
    bool v;

    (void)size;
    if (out != NULL) {
        pyro_put_bool(out, *(bool *)at);
        return;
    }
    v = pyro_get_bool(in);
    if (in->err == PYRO_OK)
        *(bool *)at = v;
}

PYRO_DEF void pyro_as_i32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    int32_t v;

    (void)size;
    if (out != NULL) {
        pyro_put_int(out, *(int32_t *)at);
        return;
    }
    v = pyro_get_i32(in);
    if (in->err == PYRO_OK)
        *(int32_t *)at = v;
}

PYRO_DEF void pyro_as_u32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    uint64_t v;

    (void)size;
    if (out != NULL) {
        pyro_put_uint(out, *(uint32_t *)at);
        return;
    }
    v = pyro_get_u64(in);
    if (v > UINT32_MAX)
        pyroi_spoil(in, PYRO_ERR_TYPE);
    if (in->err == PYRO_OK)
        *(uint32_t *)at = (uint32_t)v;
}

PYRO_DEF void pyro_as_i64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    int64_t v;

    (void)size;
    if (out != NULL) {
        pyro_put_int(out, *(int64_t *)at);
        return;
    }
    v = pyro_get_i64(in);
    if (in->err == PYRO_OK)
        *(int64_t *)at = v;
}

PYRO_DEF void pyro_as_u64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    uint64_t v;

    (void)size;
    if (out != NULL) {
        pyro_put_uint(out, *(uint64_t *)at);
        return;
    }
    v = pyro_get_u64(in);
    if (in->err == PYRO_OK)
        *(uint64_t *)at = v;
}

PYRO_DEF void pyro_as_f32(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    float v;

    (void)size;
    if (out != NULL) {
        pyro_put_f32(out, *(float *)at);
        return;
    }
    v = pyro_get_f32(in);
    if (in->err == PYRO_OK)
        *(float *)at = v;
}

PYRO_DEF void pyro_as_f64(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    double v;

    (void)size;
    if (out != NULL) {
        pyro_put_f64(out, *(double *)at);
        return;
    }
    v = pyro_get_f64(in);
    if (in->err == PYRO_OK)
        *(double *)at = v;
}

/* A text in an array, which may lack its zero byte when it is put. */
PYRO_DEF void pyro_as_str(void *at, size_t size, pyro_writer *out,
                          pyro_reader *in)
{
    char       *to = (char *)at;
    uint32_t    n = 0;
    const char *text;

    if (out != NULL) {
        while (n < size && to[n] != '\0')
            n++;
        pyro_put_strn(out, to, n);
        return;
    }
    text = pyro_get_str(in, &n);
    if (in->err == PYRO_OK && n >= size)
        in->err = PYRO_ERR_NOSPACE;
    if (in->err == PYRO_OK && pyroi_has(text, n, '\0'))
        in->err = PYRO_ERR_TYPE; /* it would be cut there, silently */
    if (in->err != PYRO_OK)
        return;
    pyroi_copy(to, text, n);
}

/* What has been read, n bytes, goes into a blob. */
static void pyroi_to_blob(void *at, const void *data, uint32_t n,
                          pyro_reader *in)
{
    pyro_blob *blob = (pyro_blob *)at;

    if (in->err == PYRO_OK && n > blob->size)
        in->err = PYRO_ERR_NOSPACE;
    if (in->err != PYRO_OK)
        return;
    if (n > 0)
        memcpy(blob->data, data, n);
    blob->used = n;
}

static void pyroi_as_bin(void *at, size_t size, pyro_writer *out,
                         pyro_reader *in)
{
    uint32_t    n;
    const void *data = pyro_get_bin(in, &n);

    (void)size;
    (void)out; /* there is none: slots only take */
    pyroi_to_blob(at, data, n, in);
}

static void pyroi_as_raw(void *at, size_t size, pyro_writer *out,
                         pyro_reader *in)
{
    uint32_t    n;
    const void *data = pyro_get_raw(in, &n);

    (void)size;
    (void)out;
    pyroi_to_blob(at, data, n, in);
}

static pyro_slot pyroi_slot(pyro_as as, void *to, size_t size)
{
    pyro_slot slot;

    slot.to_ = to;
    slot.as_ = as;
    slot.size_ = (uint32_t)size;
    return slot;
}

PYRO_DEF pyro_slot pyro_to_none(void)
{
    return pyroi_slot(NULL, NULL, 0);
}

PYRO_DEF pyro_slot pyro_to_bool(bool *to)
{
    return pyroi_slot(pyro_as_bool, to, 0);
}

PYRO_DEF pyro_slot pyro_to_i32(int32_t *to)
{
    return pyroi_slot(pyro_as_i32, to, 0);
}

PYRO_DEF pyro_slot pyro_to_i64(int64_t *to)
{
    return pyroi_slot(pyro_as_i64, to, 0);
}

PYRO_DEF pyro_slot pyro_to_u64(uint64_t *to)
{
    return pyroi_slot(pyro_as_u64, to, 0);
}

PYRO_DEF pyro_slot pyro_to_f32(float *to)
{
    return pyroi_slot(pyro_as_f32, to, 0);
}

PYRO_DEF pyro_slot pyro_to_f64(double *to)
{
    return pyroi_slot(pyro_as_f64, to, 0);
}

PYRO_DEF pyro_slot pyro_to_str(char *to, size_t size)
{
    return pyroi_slot(pyro_as_str, to, size);
}

PYRO_DEF pyro_slot pyro_to_bin(pyro_blob *to)
{
    return pyroi_slot(pyroi_as_bin, to, 0);
}

PYRO_DEF pyro_slot pyro_to_raw(pyro_blob *to)
{
    return pyroi_slot(pyroi_as_raw, to, 0);
}

/* ------------------------------------------------------------------------
 * >>uri
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NO_PYRO5
#define PYROI_SPEAKS5 0
#else
#define PYROI_SPEAKS5 1
#endif

#if !defined(PYRO_NO_CLIENT) || !defined(PYRO_NO_URI)
static bool pyroi_starts(const char *p, size_t n, const char *with)
{
    size_t m = strlen(with);

    return n >= m && memcmp(p, with, m) == 0;
}
#endif

PYROI_COPIED bool pyroi_is(const char *p, size_t n, const char *text)
{
    return strlen(text) == n && memcmp(p, text, n) == 0;
}

#ifndef PYRO_NO_URI

static const char *const pyroi_protocols[] = { "PYRO", "PYROLOC", "PYRONAME" };

/* Decimal port number of exactly n digits; 0 when it is none. */
static uint16_t pyroi_port(const char *p, size_t n)
{
    uint32_t v = 0;

    if (n == 0 || n > 5)
        return 0;
    for (; n > 0; n--, p++) {
        if (*p < '0' || *p > '9')
            return 0;
        v = v * 10 + (uint32_t)(*p - '0');
    }
    return v <= 0xFFFF ? (uint16_t)v : 0;
}

/* First c in n bytes that is not inside [ ], or `end`. */
PYROI_SHARED static const char *pyroi_find(const char *p, const char *end,
                                           char c)
{
    bool inside = false;

    for (; p < end; p++) {
        if (*p == c && !inside)
            return p;
        if (*p == '[' || *p == ']')
            inside = *p == '[';
    }
    return end;
}

static bool pyroi_plain(const char *p, size_t n, const char *without)
{
    for (; n > 0; n--, p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7F
            || pyroi_has(without, strlen(without), *p))
            return false;
    }
    return true;
}

static bool pyroi_needs_port(const pyro_uri *u)
{
    return u->protocol != PYRO_URI_NAME
        && !pyroi_starts(u->host, u->host_n, "unix:");
}

/* host[:port] or [host][:port]. Gives the reason when it is neither. */
static const char *pyroi_address(pyro_uri *u, const char *p, const char *end)
{
    const char *colon = pyroi_find(p, end, ':');
    const char *stop = colon;
    bool        brackets = p < end && *p == '[';

    if (colon < end) {
        u->port = pyroi_port(colon + 1, (size_t)(end - colon - 1));
        if (u->port == 0)
            return PYROI_T("port is not a number from 1 to 65535");
    }
    if (brackets) {
        p++;
        if (stop[-1] != ']' || --stop <= p)
            return PYROI_T("'[' without address and ']'");
    }
    if (stop <= p)
        return PYROI_T("host is missing");
    if ((size_t)(stop - p) > PYRO_MAX_HOST)
        return PYROI_T("host is longer than PYRO_MAX_HOST");
    if (!pyroi_plain(p, (size_t)(stop - p), brackets ? "[]@" : "[]@/"))
        return PYROI_T("host contains a character that it cannot");
    u->host = p;
    u->host_n = (uint8_t)(stop - p);
    if (u->port == 0 && pyroi_needs_port(u))
        u->port = PYRO_PORT;
    return NULL;
}

/* Where the parts of a URI's text are: [address, stop) and [object, end). */
typedef struct pyroi_parts {
    const char *address;
    const char *stop;
    const char *object;
    const char *end;
} pyroi_parts;

/* Takes over an object's name, or gives the reason why not. */
static const char *pyroi_uri_object(pyro_uri *u, const char *p, size_t n)
{
    if (n == 0)
        return PYROI_T("object is missing");
    if (n > PYRO_MAX_NAME)
        return PYROI_T("object is longer than PYRO_MAX_NAME");
    if (!pyroi_plain(p, n, ""))
        return PYROI_T("object contains a blank or control character");
    u->object = p;
    u->object_n = (uint8_t)n;
    return NULL;
}

/* The same for all parts. */
static const char *pyroi_uri_of_parts(pyro_uri *u, const pyroi_parts *at)
{
    const char *why =
        pyroi_uri_object(u, at->object,
                         at->object < at->end ? (size_t)(at->end - at->object)
                                              : 0);

    if (why != NULL
        || (at->address == at->stop && at->stop <= at->object
            && u->protocol == PYRO_URI_NAME))
        return why; /* no address; behind an '@' there must be one */
    return pyroi_address(u, at->address, at->stop);
}

#ifndef PYRO_NO_URI_FORMS
/* object[@address], which is what there is without "//". */
static const char *pyroi_object_first(pyro_uri *u, pyroi_parts *at)
{
    const char *split = at->end;

    if (u->protocol == PYRO_URI_LOC)
        return PYROI_T("PYROLOC: is not followed by //");
    while (split > at->object && split[-1] != '@')
        split--; /* the last one: an address has none */
    if (split > at->object) {
        at->address = split;
        at->stop = at->end;
        at->end = split - 1;
        u->pyro5 = PYROI_SPEAKS5;
    } else if (u->protocol != PYRO_URI_NAME) {
        return PYROI_T("no '@' between object and address");
    }
    return NULL;
}
#endif

/* The protocol, and where the parts are. */
static const char *pyroi_uri_split(pyro_uri *u, pyroi_parts *at)
{
    const char *p = at->address;
    const char *name;
    size_t      n;

    if (!pyroi_utf8((const uint8_t *)p, (size_t)(at->end - p)))
        return PYROI_T("not UTF-8");
    for (;; u->protocol++) {
        if (u->protocol == PYRO_COUNT(pyroi_protocols))
            return PYROI_T("does not begin with PYRO:, PYROLOC: or PYRONAME:");
        name = pyroi_protocols[u->protocol];
        n = strlen(name);
        if ((size_t)(at->end - p) > n && p[n] == ':'
            && memcmp(p, name, n) == 0)
            break;
    }
    p += n + 1;
    at->address = at->stop = at->object = p;
    if (!pyroi_starts(p, (size_t)(at->end - p), "//")) {
#ifdef PYRO_NO_URI_FORMS
        return "";
#else
        return pyroi_object_first(u, at);
#endif
    }
    at->address = p + 2;
    at->stop = pyroi_find(at->address, at->end, '/');
    at->object = at->stop + 1;
    if (at->stop == at->end) {
        if (u->protocol != PYRO_URI_NAME)
            return PYROI_T("no '/' between address and object");
        at->stop = at->object = at->address;
    }
    return NULL;
}

PYRO_DEF pyro_err pyro_uri_parse(pyro_uri *uri, const char *text, size_t n,
                                 const char **reason)
{
    pyro_uri    u;
    pyroi_parts at;
    const char *why;

    memset(&u, 0, sizeof u);
    u.host = "";
    at.address = at.stop = at.object = text;
    at.end = text + n;
    why = pyroi_uri_split(&u, &at);
    if (why == NULL)
        why = pyroi_uri_of_parts(&u, &at);
    if (why == NULL) {
        *uri = u;
        return PYRO_OK;
    }
    if (reason != NULL)
        *reason = why;
    return PYRO_ERR_URI;
}

/* host:port, [host]:port or [host], as URIs have it. */
static void pyroi_add_address(pyroi_text *t, const pyro_uri *uri)
{
    bool brackets = pyroi_has(uri->host, uri->host_n, ':')
                 || pyroi_has(uri->host, uri->host_n, '/');

    if (brackets)
        pyroi_add(t, "[", 1);
    pyroi_add(t, uri->host, uri->host_n);
    if (brackets)
        pyroi_add(t, "]", 1);
    if (uri->port != 0) {
        pyroi_add(t, ":", 1);
        pyroi_add_dec(t, uri->port);
    }
}

/* Copies the text composed, where it fits. */
static pyro_err pyroi_uri_end(const pyroi_text *t, const char *text, char *to,
                              size_t size)
{
    if (t->cut || (size_t)(t->at - text) >= size)
        return PYRO_ERR_NOSPACE;
    memcpy(to, text, (size_t)(t->at - text) + 1);
    return PYRO_OK;
}

PYRO_DEF pyro_err pyro_uri_print(const pyro_uri *uri, char *to, size_t size)
{
    char       text[PYRO_URI_BYTES];
    pyroi_text t = pyroi_text_of(text, sizeof text);

    pyroi_adds(&t, pyroi_protocols[uri->protocol]);
    if (PYROI_SPEAKS5 && uri->pyro5) {
        pyroi_add(&t, ":", 1);
        pyroi_add(&t, uri->object, uri->object_n);
        pyroi_add(&t, "@", 1);
        pyroi_add_address(&t, uri);
        return pyroi_uri_end(&t, text, to, size);
    }
    pyroi_add(&t, "://", 3);
    if (uri->host_n > 0)
        pyroi_add_address(&t, uri);
    if (uri->host_n > 0 || uri->protocol != PYRO_URI_NAME
        || pyroi_has(uri->object, uri->object_n, '/'))
        pyroi_add(&t, "/", 1);
    pyroi_add(&t, uri->object, uri->object_n);
    return pyroi_uri_end(&t, text, to, size);
}

/* The map that Pyro5 uses: class, then protocol, object, socket, host, port. */
static void pyroi_put_uri(pyro_writer *out, const pyro_uri *u)
{
    pyro_put_map(out, 2);
    pyro_put_str(out, "__class__");
    pyro_put_str(out, "Pyro5.core.URI");
#ifndef PYRO_NO_PYRO4
    if (out->dialect_ == 4 && out->err == PYRO_OK)
        out->at[-10] = '4'; /* of "5.core.URI" */
#endif
    pyro_put_str(out, "state");
    pyro_put_list(out, 5);
    pyro_put_str(out, pyroi_protocols[u->protocol]);
    pyro_put_strn(out, u->object, u->object_n);
    pyro_put_nil(out);
    if (u->host_n == 0)
        pyro_put_nil(out);
    else
        pyro_put_strn(out, u->host, u->host_n);
    pyro_put_uint(out, u->port);
}

PYRO_DEF void pyro_put_uri(pyro_writer *out, const pyro_uri *uri)
{
    if (uri->protocol == PYRO_URI_PYRO && uri->host_n == 0
        && out->err == PYRO_OK)
        out->err = PYRO_ERR_STATE; /* it would mean another object there */
    pyroi_put_uri(out, uri);
}

PYRO_DEF void pyro_put_here(pyro_writer *out, const char *object)
{
    pyro_uri u;
    size_t   n = strlen(object);

    memset(&u, 0, sizeof u);
    u.host = "";
    u.object = object;
    u.object_n = (uint8_t)n;
    if (out->err == PYRO_OK && (n == 0 || n > PYRO_MAX_NAME))
        out->err = PYRO_ERR_NOSPACE; /* nobody could read it */
#ifndef PYRO_NO_PYRO5
    if (out->err == PYRO_OK && out->dialect_ != 0)
        out->err = PYRO_ERR_STATE; /* Python cannot be called back so */
#endif
    pyroi_put_uri(out, &u);
}

/* A part of a URI as a value; one that could be none is a type error. */
PYROI_SHARED static const char *pyroi_get_part(pyro_reader *in,
                                               uint8_t *part_n, uint32_t max,
                                               const char *without)
{
    uint32_t    n;
    const char *p = pyro_get_str(in, &n);

    *part_n = (uint8_t)n;
    if (n == 0 || n > max || !pyroi_plain(p, n, without))
        pyroi_spoil(in, PYRO_ERR_TYPE);
    return p;
}

/* The values of the state's list. Where Pyro5 has no host it has no port. */
static void pyroi_get_uri_state(pyro_reader *in, pyro_uri *u)
{
    uint32_t    n;
    const char *text = pyro_get_str(in, &n);
    int32_t     port;

    while (u->protocol < PYRO_COUNT(pyroi_protocols)
           && !pyroi_is(text, n, pyroi_protocols[u->protocol]))
        u->protocol++;
    u->object = pyroi_get_part(in, &u->object_n, PYRO_MAX_NAME, "");
    pyro_get_nil(in); /* Pyro5's Unix socket, which we write as a host */
    if (pyro_peek(in) == PYRO_NIL)
        pyro_get_nil(in);
    else
        u->host = pyroi_get_part(in, &u->host_n, PYRO_MAX_HOST, "[]@");
    port = 0;
    if (u->host_n == 0 && pyro_peek(in) == PYRO_NIL)
        pyro_get_nil(in);
    else
        port = pyro_get_i32(in);
    u->port = (uint16_t)port;
    if (u->protocol == PYRO_COUNT(pyroi_protocols) || u->port != port
        || (u->host_n == 0 ? port != 0 || u->protocol == PYRO_URI_LOC
                           : port == 0 && pyroi_needs_port(u)))
        pyroi_spoil(in, PYRO_ERR_TYPE);
}

#ifdef PYRO_NO_URI_FORMS

/* In just the form in which pyro_put_uri writes it. */
static void pyroi_get_uri_value(pyro_reader *in, pyro_uri *u)
{
    static const char head[] = "\x82\xA9__class__\xAEPyro5.core.URI"
                               "\xA5state\x95";
    const size_t      n = sizeof head - 1;

    if ((size_t)(in->end - in->at) < n || memcmp(in->at, head, n) != 0)
        pyroi_spoil(in, PYRO_ERR_TYPE);
    else
        in->at += n;
    pyroi_get_uri_state(in, u);
}

#else

static bool pyroi_ends(const char *p, size_t n, const char *with)
{
    size_t m = strlen(with);

    return n >= m && memcmp(p + n - m, with, m) == 0;
}

/* The text form; also what a Pyro5 proxy carries as its first state. */
static void pyroi_get_uri_text(pyro_reader *in, pyro_uri *u)
{
    uint32_t n;
    const char *text = pyro_get_str(in, &n);

    if (in->err == PYRO_OK && pyro_uri_parse(u, text, n, NULL) != PYRO_OK)
        pyroi_spoil(in, PYRO_ERR_TYPE);
}

/* The map, its entries in any order and among others, or a text. */
static void pyroi_get_uri_value(pyro_reader *in, pyro_uri *u)
{
    pyro_reader state = pyro_reader_of("", 0);
    const char *key;
    const char *cls = "";
    const void *raw;
    uint32_t n;
    uint32_t cls_n = 0;
    uint32_t left;

    state.err = PYRO_ERR_TYPE; /* until it is seen */
    if (pyro_peek(in) == PYRO_STR) {
        pyroi_get_uri_text(in, u);
        return;
    }
    for (left = pyro_get_map(in, 4); left > 0; left--) {
        key = pyro_get_str(in, &n);
        if (pyroi_is(key, n, "__class__")) {
            cls = pyro_get_str(in, &cls_n);
        } else if (pyroi_is(key, n, "state")) {
            raw = pyro_get_raw(in, &n);
            state = pyro_reader_of(raw, n);
        } else {
            pyro_skip(in);
        }
    }
    if (pyroi_ends(cls, cls_n, ".URI")) {
        if (pyro_get_list(&state, 5) != 5)
            pyroi_spoil(&state, PYRO_ERR_TYPE);
        pyroi_get_uri_state(&state, u);
    } else if (pyroi_ends(cls, cls_n, ".Proxy")
               && pyro_get_list(&state, 9) > 0) {
        pyroi_get_uri_text(&state, u);
    } else {
        state.err = PYRO_ERR_TYPE;
    }
    if (state.err != PYRO_OK)
        pyroi_spoil(in, (pyro_err)state.err);
}

#endif

PYRO_DEF void pyro_get_uri(pyro_reader *in, pyro_uri *uri)
{
    pyro_uri u;

    memset(&u, 0, sizeof u);
    u.host = "";
    pyroi_get_uri_value(in, &u);
#ifndef PYRO_NO_PYRO5
    if (in->dialect_ != 0 && u.protocol == PYRO_URI_PYRO)
        u.pyro5 = 1; /* who sent it speaks that */
#endif
    if (in->err == PYRO_OK)
        *uri = u;
}

#endif /* PYRO_NO_URI */

/* ------------------------------------------------------------------------
 * >>message: the native header, see "Wire" in the manual
 * ------------------------------------------------------------------------ */

enum {
    PYROI_CONNECT = 1,
    PYROI_CONNECTOK,
    PYROI_CONNECTFAIL,
    PYROI_INVOKE,
    PYROI_RESULT,
    PYROI_PING
};

enum { /* flags of the header; 0x02, 0x20 and 0x80 are reserved */
       PYROI_EXCEPTION = 0x01,
       PYROI_ONEWAY = 0x04,
       PYROI_CHECKSUM = 0x10,
       PYROI_LONG = 0x40,
       /* only in memory, of frames of Pyro5: see there */
       PYROI_BATCH = 0x08,
       PYROI_CODED = 0x10,  /* in another serializer than MessagePack */
       PYROI_PACKED = 0x22, /* compressed, or a blob */
       PYROI_META = 0x80    /* Pyro4: CONNECTOK is to bring metadata */
};

#define PYROI_WIRE       6          /* version: Pyro 3 ended at 5 */
#define PYROI_BODY       PYROI_HEAD /* where the body begins in a buffer */
#define PYROI_LEAST_BODY 50 /* that every peer accepts: any exception */
#define PYROI_GREET      18 /* body of CONNECT and CONNECTOK, nonce empty */

/* The refusal "busy: not executed", the same for every call. */
static const uint8_t pyroi_busy_body[] = "\x83\xA9__class__\xA9"
                                         "BusyError\xAD__exception__\xC3\xA4"
                                         "args\x91\xA4"
                                         "busy";
#define PYROI_BUSY_BYTES   (sizeof pyroi_busy_body - 1)
#define PYROI_BUSY_TYPE    11 /* where its type begins, what is behind that, */
#define PYROI_BUSY_CLASS   1  /* keys */
#define PYROI_BUSY_ARGS    36
#define PYROI_BUSY_REST    21 /* and the message: any exception is made so */
#define PYROI_BUSY_MESSAGE 42

/* Attributes are methods of these names. */
enum { PYROI_GET, PYROI_SET, PYROI_HAS, PYROI_NO_ATTR };
static const char pyroi_attr_calls[PYROI_NO_ATTR][12] = { "__getattr__",
                                                          "__setattr__",
                                                          "__hasattr__" };

/* Type and flags as a header has them. */
#define PYROI_WHAT(type, flags) ((unsigned)(type) << 8 | (unsigned)(flags))

/* Writes a header in front of the body at `body`; gives its first byte. */
PYROI_SHARED static uint8_t *pyroi_put_header(uint8_t *body, unsigned what,
                                              uint32_t seq, uint32_t n)
{
    uint8_t *head = body - 8;

#ifndef PYRO_NO_LONG
    if (n > 0xFFFF) {
        head -= 2;
        what |= PYROI_LONG;
        pyroi_store32(head + 6, n);
    } else
#endif
        pyroi_store16(head + 6, n);
    pyroi_store32(head, 0x50590000u | PYROI_WIRE << 12 | what); /* "PY" */
    pyroi_store16(head + 4, seq);
    return head;
}

/* Appends its checksum to a frame. Gives the end. */
static uint8_t *pyroi_put_sum(const uint8_t *frame, uint8_t *end)
{
    pyroi_store32(end, pyro_crc32(0, frame, (size_t)(end - frame)));
    return end + 4;
}

/* ------------------------------------------------------------------------
 * >>pool: buffers and the rules that keep them moving, see "Pool"
 * ------------------------------------------------------------------------ */

#ifdef PYRO_TEST_RULES /* the simulation switches one rule off at a time */
extern unsigned pyro_test_rules;
#define PYROI_RULE(n) ((pyro_test_rules >> (n)&1u) != 0)
#else
#define PYROI_RULE(n) true
#endif

/* What only one side of a call has to look at. */
#ifdef PYRO_NO_SERVER
#define PYROI_SERVER false
#else
#define PYROI_SERVER true
#endif
#ifdef PYRO_NO_CLIENT
#define PYROI_CLIENT false
#else
#define PYROI_CLIENT true
#endif

/* A flag that is never set where its mechanism is left out. */
#ifdef PYRO_NO_HOOKS
#define PYROI_HOOKS(flag) 0
#else
#define PYROI_HOOKS(flag) flag
#endif
#ifdef PYRO_NO_DENIALS
#define PYROI_DENIALS(flag) 0
#else
#define PYROI_DENIALS(flag) flag
#endif
#ifdef PYRO_NO_CONFIG
#define PYROI_PORTS(flag) 0
#else
#define PYROI_PORTS(flag) flag
#endif
#ifdef PYRO_NO_PIPE
#define PYROI_PIPES(flag) 0
#else
#define PYROI_PIPES(flag) flag
#endif
#ifdef PYRO_NO_ONEWAY
#define PYROI_ONEWAYS(flag) 0
#else
#define PYROI_ONEWAYS(flag) flag
#endif
#ifdef PYRO_NO_CHECKSUM
#define PYROI_SUMMED(flag) 0
#else
#define PYROI_SUMMED(flag) flag
#endif

enum {                               /* flags_ of a daemon */
       PYROI_YIELD = PYROI_HOOKS(8), /* no handlers and no callbacks now */
       PYROI_SERVES = 16,            /* objects are exported */
       PYROI_GATHERED = 32,          /* some link has PYROI_GATHER */
       PYROI_CLOSED = 64,            /* nothing is begun any more */
       /* there are ports that cannot wait together */
       PYROI_MIXED = PYROI_PORTS(256),
       PYROI_TEXTS = 512 /* calls of ours go in another serializer */
};

/* Counts what happened. */
#ifdef PYRO_NO_STATS
#define pyroi_count(d, what) ((void)0)
#else
#define pyroi_count(d, what) ((void)(d)->stats.what++)
#endif

static uint8_t *pyroi_bytes(pyroi_buffer *b)
{
    return (uint8_t *)(b + 1);
}

/* Largest body that fits a buffer. */
static uint32_t pyroi_max_body(const pyro_daemon *d)
{
    return d->room_.buffer_bytes - PYRO_FRAME_EXTRA;
}

/* Whether a body that was announced, of n bytes, fits one. */
#ifdef PYRO_NO_DENIALS
#define pyroi_fits_buffer(d, n) ((void)(n), true)
#else
#define pyroi_fits_buffer(d, n) ((n) <= pyroi_max_body(d))
#endif

/* What PYRO_ROOM has not enough of: its number, and how many it takes. */
#define PYROI_TOO_FEW(what) PYROI_T("too few " what " in PYRO_ROOM")

#ifdef PYRO_NO_TEXTS
#define pyroi_why(d, text, is, limit) ((void)0)
#else
PYROI_COLD static void pyroi_why(pyro_daemon *d, const char *text, uint32_t is,
                                 uint32_t limit)
{
    d->why.text = text;
    d->why.is = is;
    d->why.limit = limit;
}
#endif

#ifdef PYRO_NO_LOG
#define pyroi_log(d, level, text, a, b) ((void)0)
#else
static void pyroi_log(const pyro_daemon *d, pyro_level level, const char *text,
                      uint32_t a, uint32_t b)
{
    if (d->config_->log != NULL)
        d->config_->log(d->config_->user, level, text, a, b);
}
#endif

/* Every buffer that is held is counted by its use: here and nowhere else. */
static void pyroi_count_use(pyro_daemon *d, pyroi_buffer *b, unsigned from,
                            unsigned use)
{
    d->n_[from]--;
    d->n_[use]++;
    b->use = (uint8_t)use;
}

static void pyroi_use(pyro_daemon *d, pyroi_buffer *b, unsigned use)
{
    pyroi_count_use(d, b, b->use, use);
}

PYROI_FAST pyroi_buffer *pyroi_take(pyro_daemon *d, unsigned use)
{
    pyroi_buffer *b = d->free_;

    PYRO_ASSERT(b != NULL);
    d->free_ = b->next;
    b->next = NULL;
    pyroi_count_use(d, b, PYROI_SPARE, use);
#ifndef PYRO_NO_STATS
    if (d->n_[PYROI_SPARE] < d->stats.least_free)
        d->stats.least_free = d->n_[PYROI_SPARE];
#endif
    return b;
}

static void pyroi_give(pyro_daemon *d, pyroi_buffer *b)
{
    pyroi_use(d, b, PYROI_SPARE);
    b->next = d->free_;
    d->free_ = b;
    d->again_ = true;
}

/* The same for all buffers of a chain. */
static void pyroi_give_all(pyro_daemon *d, pyroi_buffer **chain)
{
    pyroi_buffer *b;

    while ((b = *chain) != NULL) {
        *chain = b->next;
        pyroi_give(d, b);
    }
}

/* Buffers of results that a callback looks at. */
#ifdef PYRO_NO_ASYNC
#define pyroi_held(d) 0u
#else
#define pyroi_held(d) (d)->n_[PYROI_HELD]
#endif

/* R2: one buffer is kept back for RESULTs, unless one is in use for that. */
static unsigned pyroi_reserve(const pyro_daemon *d)
{
#ifdef PYRO_NO_CLIENT
    (void)d;
    return 0;
#else
    if (!PYROI_RULE(2) || d->n_proxies_ == 0
        || d->n_[PYROI_INCOMING] + d->n_[PYROI_SOLO] != 0)
        return 0;
#ifndef PYRO_NO_PYRO5
    if ((d->flags_ & PYROI_TEXTS) != 0)
        return 2; /* it is decoded into the second */
#endif
    return 1;
#endif
}

#ifndef PYRO_NO_CLIENT
/* Whether a request has been sent that is not answered. */
static bool pyroi_outstanding(const pyro_daemon *d)
{
    const pyro_request *rq = d->requests_;

#ifdef PYRO_NO_ASYNC
    while (rq != NULL && rq->link_ == 0)
        rq = rq->next_; /* waits for its buffer */
#endif
    return rq != NULL;
}

/* R3: a request leaves the reserve and a pair for serving alone. When none is
 * outstanding, one may sit in the reserve itself. NULL: neither. */
PYROI_FAST pyroi_buffer *pyroi_take_request(pyro_daemon *d)
{
    unsigned serve =
        (unsigned)d->n_[PYROI_SERVE] + d->n_[PYROI_REPLYING] + pyroi_held(d);
    unsigned pair = 0;

    if (PYROI_SERVER && (d->flags_ & PYROI_SERVES) != 0 && serve < 2)
        pair = PYROI_RULE(3) ? 2u - serve : 0;
    if (d->n_[PYROI_SPARE] > pyroi_reserve(d) + pair)
        return pyroi_take(d, PYROI_ASK);
    if (d->n_[PYROI_SPARE] <= pair || pyroi_outstanding(d)
        || d->n_[PYROI_SOLO] > 0)
        return NULL;
    return pyroi_take(d, PYROI_SOLO);
}
#endif

/* ------------------------------------------------------------------------
 * >>links: states, queues, sending
 * ------------------------------------------------------------------------ */

enum { /* state of a link */
       PYROI_FREE,
       PYROI_DEAD,     /* closed; hooks are to be told, then it is free */
       PYROI_DOWN,     /* a pipe that nobody has greeted on */
       PYROI_GREETING, /* waits for CONNECT */
       PYROI_ASKING,   /* our CONNECT waits for its answer */
       PYROI_OPEN,
       PYROI_CLOSING /* refused: sends what is owed, then closes */
};
#ifdef PYRO_NO_DENIALS
#define pyroi_closing(l) ((void)(l), false)
#else
#define pyroi_closing(l) ((l)->state == PYROI_CLOSING)
#endif

enum { /* flags of a link */
       /* adopted: survives its peer */
       PYROI_PIPE = PYROI_PIPES(1),
       /* CHECKSUM is agreed, or wanted; as in a header */
       PYROI_SUMS = PYROI_SUMMED(16),
       /* is there only to be refused */
       PYROI_REFUSE = PYROI_DENIALS(512),
       PYROI_GATHER = 1024, /* a oneway has gone since the last poll */
       PYROI_TELL_GONE = PYROI_HOOKS(4096),
       PYROI_TELL_ROOM = PYROI_HOOKS(8192),
       PYROI_TELL_UP = PYROI_HOOKS(16384),
       PYROI_TELL = PYROI_TELL_GONE | PYROI_TELL_UP | PYROI_TELL_ROOM
};

#ifdef PYRO_NO_BATCH
#define pyroi_kept(call)    0u
#define pyroi_batched(call) false
#else
#define pyroi_kept(call) ((call)->kept_)
#define pyroi_batched(call) \
    ((call)->form_ != 0 && ((call)->flags_ & PYROI_BATCH) != 0)
#endif

#ifdef PYRO_NO_CODECS
#define pyroi_coded(d, l)    ((void)(d), (void)(l), false)
#define pyroi_is_coded(call) false
#else
#define pyroi_is_coded(call) \
    ((call)->form_ != 0 && ((call)->flags_ & PYROI_CODED) != 0)
static bool     pyroi_coded(const pyro_daemon *d, const pyroi_link *l);
#endif

/* What is otherwise on a link to Pyro5 is done where it says pyro5 or ends in
 * 5: see there. */
#ifdef PYRO_NO_PYRO5
#define pyroi_is5(l)                         false
#define pyroi_wants5(l)                      false
#define pyroi_magic5(d, l)                   false
#define pyroi_read_head5(d, l)               true
#define pyroi_admit5(d, l)                   true
#define pyroi_passed5(d, l)                  false
#define pyroi_keep_denial5(d, l, p, n)       ((void)0)
#define pyroi_send5(d, l, frame)             false
#define pyroi_turn_control5(d, l, frame)     ((void)0)
#define pyroi_type5(call, type)              (type)
#define pyroi_put_message5(w, type, message) ((void)0)
#define pyroi_run5(d, l, call)               0u
#define pyroi_ran5(call)                     ((void)0)
#define pyroi_encode5(d, l, call)            true
#define pyroi_label5(call)                   ((void)0)
#define pyroi_client5(l, pyro5)              ((void)0)
#define pyroi_again5(d, l)                   false
#define pyroi_encode_call5(d, l)             true
#define pyroi_cuts5(d, l)                    false
#define pyroi_read_len5(d, l)                ((l)->rx_len)
#define pyroi_is_cut5(in, end)               false
#define pyroi_decode_result5(d, l, b)        pyroi_body_bytes((l)->head)
#define pyroi_set_dialect(stream, l)         ((void)0)
#define pyroi_from5(in)                      false
#define pyroi_is_busy5(data, n)              false
#define pyroi_bare5(in, type)                ((void)0)
#else
#define PYROI_DAEMON5                "Pyro.Daemon" /* the object each has */
#define pyroi_is5(l)                 ((l)->dialect != 0)
#define pyroi_set_dialect(stream, l) ((stream)->dialect_ = (l)->dialect)
#define pyroi_from5(in)              ((in)->dialect_ != 0)
static uint32_t pyroi_read_len5(const pyro_daemon *d, const pyroi_link *l);
static bool     pyroi_wants5(const pyroi_link *l);
static bool     pyroi_magic5(pyro_daemon *d, pyroi_link *l);
static bool     pyroi_read_head5(pyro_daemon *d, pyroi_link *l);
static bool     pyroi_admit5(pyro_daemon *d, pyroi_link *l);
static bool     pyroi_passed5(pyro_daemon *d, pyroi_link *l);
PYROI_SHARED static bool pyroi_send5(pyro_daemon *d, pyroi_link *l,
                                     const uint8_t *frame); /* for its stack */
static void     pyroi_turn_control5(const pyro_daemon *d, const pyroi_link *l,
                                    uint8_t *frame);
#if defined(PYRO_NO_CLIENT) || defined(PYRO_NO_CODECS)
#define pyroi_again5(d, l) false
#else
static bool pyroi_again5(pyro_daemon *d, pyroi_link *l);
#endif
#if defined(PYRO_NO_CLIENT) || PYRO_EXCEPTION_BYTES == 0
#define pyroi_keep_denial5(d, l, p, n) ((void)0)
#else
static void pyroi_keep_denial5(pyro_daemon *d, const pyroi_link *l,
                               const uint8_t *p, uint32_t n);
#endif
#ifndef PYRO_NO_CLIENT
static void     pyroi_client5(pyroi_link *l, bool pyro5);
static bool     pyroi_encode_call5(pyro_daemon *d, pyroi_link *l);
static bool     pyroi_cuts5(const pyro_daemon *d, const pyroi_link *l);
static uint32_t pyroi_decode_result5(pyro_daemon *d, const pyroi_link *l,
                                     pyroi_buffer *b);
static bool     pyroi_is_cut5(pyro_reader *in, const uint8_t *end);
static bool     pyroi_is_busy5(const uint8_t *data, size_t n);
#if PYRO_EXCEPTION_BYTES > 0
static void     pyroi_bare5(const pyro_reader *in, const char **type);
#endif
static bool     pyroi_no_attr5(const pyro_proxy *proxy, pyro_err err);
#ifndef PYRO_NO_PYRO4
static bool     pyroi_older5(pyro_daemon *d, pyroi_link *l);
#endif
#endif
#ifndef PYRO_NO_SERVER
static void     pyroi_get_metadata5(void *self, pyro_call *call);
static void     pyroi_registered5(void *self, pyro_call *call);
static void     pyroi_info5(void *self, pyro_call *call);
static const char *pyroi_type5(const pyro_call *call, const char *type);
static void        pyroi_put_message5(pyro_writer *w, const char *type,
                                      const char *message);
static uint8_t     pyroi_form5(const pyro_daemon *d, const pyroi_link *l);
static unsigned    pyroi_run5(pyro_daemon *d, pyroi_link *l, pyro_call *call);
static void        pyroi_ran5(pyro_call *call);
static bool pyroi_encode5(pyro_daemon *d, pyroi_link *l, pyro_call *call);
static void pyroi_label5(const pyro_call *call);
#endif
#endif

enum { /* rx: what is being read. A link that must not be read now does not
          want PYRO_IN: a header is there and buffers for its body are not,
          or nothing may be dispatched */
       PYROI_RX_HEAD,
       PYROI_RX_BODY,
       PYROI_RX_SKIP /* a body that needs no buffer */
};

/* Owed are control frames, made when they are sent, from no buffer: bit n is
 * the frame of type n; a RESULT is a refusal, PONG is an answered PING. */
enum { PYROI_PONG = PYROI_PING + 1 };
#define PYROI_OWE(type) (1u << (type))

/* What a pipe does otherwise than a connection; see pyroi_pipe_event. */
enum {
    PYROI_PIPE_NOISE,   /* bytes where a header should be */
    PYROI_PIPE_FRAME,   /* a frame, and no connection */
    PYROI_PIPE_CONNECT, /* a CONNECT that is in order */
    PYROI_PIPE_CALL,    /* a call, and no connection */
    PYROI_PIPE_LATE,    /* rx_due has come */
    PYROI_PIPE_TIME,    /* times are looked at */
    PYROI_PIPE_DROP     /* the connection ends */
};

#ifdef PYRO_NO_PIPE
#define pyroi_pipe(d, l, what) ((void)(d), (void)(l), (void)(what), false)
#else
static bool pyroi_pipe(pyro_daemon *d, pyroi_link *l, unsigned what)
{
    return (l->flags & PYROI_PIPE) != 0 && d->pipe_(d, l, what);
}
#endif

static uint32_t pyroi_or(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* The times of the configuration. */
#ifdef PYRO_NO_CONFIG
#define pyroi_time(d, name, otherwise) ((uint32_t)(otherwise))
#else
#define pyroi_time(d, name, otherwise) pyroi_or((d)->config_->name, otherwise)
#endif
#define pyroi_frame_ms(d)   pyroi_time(d, frame_ms, PYRO_FRAME_MS)
#define pyroi_greet_ms(d)   pyroi_time(d, greet_ms, PYRO_GREET_MS)
#define pyroi_dead_ms(d)    pyroi_time(d, dead_ms, PYRO_DEAD_MS)
#define pyroi_timeout_ms(d) pyroi_time(d, timeout_ms, PYRO_TIMEOUT_MS)

/* The port of a handle, and whether there is one to begin with. */
#ifdef PYRO_NO_CONFIG
#define pyroi_port_of(d, item) ((d)->port_)
#define pyroi_has_port(d)      true
#else
#define pyroi_port_of(d, item) ((item)->port)
#define pyroi_has_port(d)      ((d)->port_ != NULL)
#endif

/* Further away than any deadline may be, and where no deadline is seen. */
#define PYROI_FAR 0x60000000u

/* Whether a time has come; right for differences up to 2^31. */
static bool pyroi_reached(uint32_t now, uint32_t due)
{
    return (int32_t)(now - due) >= 0;
}

/* Only the earliest time ever armed is kept; all deadlines are looked at when
 * it comes, and the next one is found then. */
PYROI_SHARED static void pyroi_arm(pyro_daemon *d, uint32_t due)
{
    if (pyroi_reached(d->due_, due))
        d->due_ = due;
}

/* Whether a deadline has come; if not, it is one of the next. */
static bool pyroi_due_now(pyro_daemon *d, uint32_t due)
{
    if (pyroi_reached(d->now_, due))
        return true;
    pyroi_arm(d, due);
    return false;
}

/* Sets a deadline of a link, where 0 is none. */
PYROI_SHARED static void pyroi_set_due(pyro_daemon *d, uint32_t *due,
                                       uint32_t ms)
{
    *due = pyroi_or(d->now_ + ms, 1);
    pyroi_arm(d, *due);
}

/* A frame, a greeting or a goodbye must be over by then. */
PYROI_SHARED static void pyroi_hurry(pyro_daemon *d, pyroi_link *l,
                                     uint32_t ms)
{
    pyroi_set_due(d, &l->rx_due, ms);
}

/* The link of a handle while it is alive, else NULL. */
static pyroi_link *pyroi_link_of(const pyro_daemon *d, pyro_link handle)
{
    pyroi_link *l = &d->room_.links[handle & 0xFFFF];

    if (l < d->links_end_ && l->id == handle && l->state > PYROI_DEAD)
        return l;
    return NULL;
}

/* Puts a link into the ready queue; the last one there is its own next. */
static void pyroi_ready(pyro_daemon *d, pyroi_link *l)
{
    if (l->ready_next != NULL)
        return;
    l->ready_next = l;
    *d->ready_end_ = l;
    d->ready_end_ = &l->ready_next;
}

static void pyroi_item_add(pyro_daemon *d, pyro_item *item,
                           const pyro_port *port, int32_t handle)
{
    if (PYROI_MIXED != 0 && d->items_ != NULL
        && d->items_->port->wait != port->wait)
        d->flags_ |= PYROI_MIXED;
    item->port = port;
    item->handle = handle;
    item->want = PYRO_IN;
    item->ready = 0;
    item->next = d->items_;
    d->items_ = item;
}

static void pyroi_item_drop(pyro_daemon *d, pyro_item *item)
{
    pyro_item **at = &d->items_;

    if (d->next_item_ == item)
        d->next_item_ = item->next;
    while (*at != NULL && *at != item)
        at = &(*at)->next;
    if (*at != NULL)
        *at = item->next;
}

static unsigned pyroi_kind(const uint8_t *frame)
{
    return frame[2] & 15;
}

/* What a header says of its body's length; a checksum is not counted. */
static uint32_t pyroi_body_bytes(const uint8_t *frame)
{
#ifndef PYRO_NO_LONG
    if ((frame[3] & PYROI_LONG) != 0)
        return pyroi_load32(frame + 6);
#endif
    return pyroi_load16(frame + 6);
}

/* The largest body that the peer accepts: Pyro5 takes any. */
static uint32_t pyroi_peer_max(const pyroi_link *l)
{
    return pyroi_is5(l) ? 0x3FFFFFFF : pyroi_load32(l->greet + 9);
}

/* The first frame of a buffer: its header may be 10 bytes or 8. */
static uint8_t *pyroi_first(pyroi_buffer *b)
{
#ifdef PYRO_NO_LONG
    return pyroi_bytes(b);
#else
    return pyroi_bytes(b) + (pyroi_bytes(b)[0] == 'P' ? 0 : 2);
#endif
}

/* Counts the oneway calls and replies in a buffer that will not be sent. */
#ifndef PYRO_NO_STATS
static void pyroi_count_lost(pyro_daemon *d, pyroi_buffer *b)
{
    const uint8_t *end = pyroi_bytes(b) + b->end;
    const uint8_t *frame = pyroi_first(b);

    while (frame < end) {
        if (pyroi_kind(frame) == PYROI_RESULT)
            pyroi_count(d, unsent);
        else if ((frame[3] & PYROI_ONEWAY) != 0)
            d->stats.lost_oneway++;
        if ((frame[3] & PYROI_LONG) != 0)
            break; /* is alone in its buffer */
        frame += 8 + pyroi_body_bytes(frame)
               + ((frame[3] & PYROI_CHECKSUM) != 0 ? 4 : 0);
    }
}
#endif

/* A frame is over, and its deadline; but not that of a greeting. */
static void pyroi_frame_done(pyroi_link *l)
{
    l->rx = PYROI_RX_HEAD;
    l->n_head = 0;
    if (l->state == PYROI_OPEN || (PYROI_PIPE != 0 && l->state == PYROI_DOWN))
        l->rx_due = 0;
}

/* Forgets a frame half read. */
static void pyroi_drop_rx(pyro_daemon *d, pyroi_link *l)
{
    pyroi_give_all(d, &l->rx_buf);
    pyroi_frame_done(l);
}

static void pyroi_drop_tx(pyro_daemon *d, pyroi_link *l)
{
#ifndef PYRO_NO_STATS
    pyroi_buffer *b;

    for (b = l->tx; b != NULL; b = b->next)
        pyroi_count_lost(d, b);
#endif
    pyroi_give_all(d, &l->tx);
    l->tx_at = 0;
    l->owed = l->control = 0;
    l->n_busy = 0;
}

#ifndef PYRO_NO_CLIENT
static void pyroi_fail_requests(pyro_daemon *d, pyroi_link *l);
#endif

/* The connection is lost, or its peer starts anew: nothing that was under way
 * goes on. A pipe stays, down. Hooks and callbacks are told by the next poll,
 * never from in here, so that this can be called anywhere. */
PYROI_COLD static void pyroi_drop(pyro_daemon *d, pyroi_link *l)
{
    const pyro_port *port = pyroi_port_of(d, &l->item);

    if (l->state == PYROI_DEAD)
        return;
    if (l->state >= PYROI_OPEN
        && (l->flags & (PYROI_REFUSE | PYROI_TELL_UP)) == 0)
        l->flags |= PYROI_TELL_GONE; /* who never heard of it need not */
    (void)pyroi_pipe(d, l, PYROI_PIPE_DROP);
#ifndef PYRO_NO_CLIENT
    pyroi_fail_requests(d, l);
#endif
    pyroi_drop_tx(d, l);
    pyroi_drop_rx(d, l);
    l->flags &= PYROI_PIPE | PYROI_SUMS | PYROI_REFUSE | PYROI_TELL_GONE;
    l->rx_due = l->tx_due = 0;
    l->dead = 0;
    l->item.want = PYRO_IN;
    if ((l->flags & PYROI_PIPE) != 0) {
        l->state = PYROI_DOWN;
    } else {
        pyroi_item_drop(d, &l->item);
        port->close(port, l->item.handle);
        l->input = false;
        l->state = PYROI_DEAD;
    }
    pyroi_arm(d, d->now_);
    pyroi_ready(d, l);
}

/* The port reports that the handle is of no use any more. */
PYROI_COLD static void pyroi_gone(pyro_daemon *d, pyroi_link *l)
{
    if (pyroi_is5(l) && pyroi_again5(d, l))
        return;
    pyroi_why(d, PYROI_T("connection lost, or none was made"), 0, 0);
    l->flags &= ~(uint32_t)PYROI_PIPE;
    pyroi_drop(d, l);
}

/* Ends a link; requests on it learn the reason. */
PYROI_SHARED static void pyroi_end(pyro_daemon *d, pyroi_link *l,
                                   unsigned reason)
{
    l->reason = (uint8_t)reason;
    pyroi_drop(d, l);
    l->reason = 0;
}

/* A frame or greeting that breaks the protocol. */
#if defined(PYRO_NO_TEXTS) && defined(PYRO_NO_LOG)
#define pyroi_bad(d, l, text) pyroi_broken(d, l)
static void pyroi_broken(pyro_daemon *d, pyroi_link *l)
#else
PYROI_COLD PYROI_SHARED static void pyroi_bad(pyro_daemon *d, pyroi_link *l,
                                              const char *text)
#endif
{
    pyroi_why(d, text, l->head[0], l->head[1]);
    pyroi_log(d, PYRO_WARN, text, l->id, l->head[2]);
    pyroi_count(d, bad);
    pyroi_end(d, l, PYROI_BROKEN);
}

/* The body of a greeting; 0 stands for what differs, the last byte is how
 * long the nonce is. Behind it nil, which answers a PING. */
static const uint8_t pyroi_greeting[PYROI_GREET + 1] = {
    0x96, PYROI_WIRE, 0, 0xCE, 0, 0, 0,    0, 0xCE, 0,
    0,    0,          0, 0xCD, 0, 0, 0xC4, 0, 0xC0
};

/* What a CONNECTFAIL says. */
#if defined(PYRO_NO_DENIALS) && defined(PYRO_NO_PIPE)
#define PYROI_FAILS(type)       false /* nobody is told */
#define pyroi_put_fail(l, body) (body)
#else
#define PYROI_FAILS(type) ((type) == PYROI_CONNECTFAIL)
static uint8_t *pyroi_put_fail(const pyroi_link *l, uint8_t *body)
{
    pyro_writer w = pyro_writer_of(body, 60, 1);

    pyro_put_list(&w, 2);
    pyro_put_int(&w, l->reason < PYROI_FAIL_VERSION ? l->reason : 0);
    pyro_put_str(&w, pyroi_fail_text(l->reason));
    return w.at;
}
#endif

#ifdef PYRO_NO_PYRO5
#define PYROI_CONTROL_BYTES 72 /* header, body of up to 60, checksum */
#define PYROI_CONTROL       PYROI_COLD
#else
#define PYROI_CONTROL_BYTES \
    160 /* the same with a body of up to 120: too much */
/* for the stack while others are sent */
#define PYROI_CONTROL PYROI_COLD PYROI_SHARED
#endif

/* Only who calls and is called refuses calls. */
#if defined(PYRO_NO_SERVER) || defined(PYRO_NO_CLIENT)
#define PYROI_REFUSES(type) false
#else
#define PYROI_REFUSES(type) ((type) == PYROI_RESULT)
#endif

/* Makes a control frame: always the same bytes until it has gone. Gives its
 * end. */
static uint8_t *pyroi_make_control(const pyro_daemon *d, const pyroi_link *l,
                                   uint8_t *frame)
{
    const uint8_t *form = pyroi_greeting;
    uint32_t       n = PYROI_GREET;
    unsigned       type = l->control & ~(unsigned)PYROI_SUMS;
    unsigned       flags = l->control & PYROI_SUMS;
    uint32_t       seq = 0;
    uint8_t       *body = frame + 8;
    uint8_t       *end;

    if (PYROI_REFUSES(type)) {
        form = pyroi_busy_body;
        n = PYROI_BUSY_BYTES;
        flags |= PYROI_EXCEPTION;
        seq = l->busy_seq;
    } else if (type >= PYROI_PING) {
        form += PYROI_GREET;
        n = type - PYROI_PING;
        type = PYROI_PING;
    }
    PYROI_FORGET(n);
    PYROI_FORGET(type);
    memcpy(body, form, n);
    end = body + n;
    if (PYROI_FAILS(type)) {
        flags = PYROI_CHECKSUM;
        end = pyroi_put_fail(l, body);
    } else if (type <= PYROI_CONNECTOK) {
        flags = PYROI_CHECKSUM;
        if ((l->control & PYROI_SUMS) != 0)
            body[2] = 1;
        pyroi_store32(body + 4, d->ids_[0]);
        pyroi_store32(body + 9, pyroi_max_body(d));
        pyroi_store16(body + 14, pyroi_dead_ms(d));
    }
    pyroi_put_header(body, PYROI_WHAT(type, flags), seq,
                     (uint32_t)(end - body));
    if (flags >= PYROI_CHECKSUM)
        end = pyroi_put_sum(frame, end);
    if (pyroi_is5(l))
        pyroi_turn_control5(d, l, frame);
    return end;
}

/* What was to be sent did not go: wait for room, but not for ever. A peer may
 * leave a request unread while it is busy, a reply never. */
PYROI_COLD static void pyroi_blocked(pyro_daemon *d, pyroi_link *l,
                                     unsigned kind)
{
    l->item.want |= PYRO_OUT;
    if (l->tx_due != 0 || l->state < PYROI_OPEN)
        return; /* a greeting has a deadline of its own */
    pyroi_set_due(d, &l->tx_due,
                  pyroi_frame_ms(d)
                      * (PYROI_CLIENT && kind == PYROI_INVOKE ? 8u : 1u));
}

/* Sends the rest of a frame, or of frames gathered, or of the piece of one
 * that begins `skip` bytes behind its beginning. True: it has gone. */
PYROI_FAST bool pyroi_send_piece(pyro_daemon *d, pyroi_link *l,
                                 const uint8_t *frame, const uint8_t *end,
                                 uint32_t skip, unsigned kind)
{
    const uint8_t   *from = frame + (l->tx_at - skip);
    int32_t          n = (int32_t)(end - from);
    const pyro_port *port = pyroi_port_of(d, &l->item);
    int32_t sent = port->send(port, l->item.handle, from, (uint32_t)n);

    if (sent < 0) {
        pyroi_gone(d, l);
        return false;
    }
#ifndef PYRO_NO_LOG
    if (d->config_->trace != NULL && sent > 0)
        d->config_->trace(d->config_->user, true, l->id, from, (uint32_t)sent);
#endif
    if (sent > 0)
        l->told = d->now_;
    l->tx_at += (uint32_t)sent;
    if (sent < n) {
        pyroi_blocked(d, l, kind);
        return false;
    }
    return true;
}

/* The same for the whole of it. */
PYROI_FAST bool pyroi_send(pyro_daemon *d, pyroi_link *l, const uint8_t *frame,
                           const uint8_t *end)
{
    if (pyroi_is5(l)
            ? !pyroi_send5(d, l, frame)
            : !pyroi_send_piece(d, l, frame, end, 0, pyroi_kind(frame)))
        return false;
    l->tx_at = 0;
    l->tx_due = 0;
    return true;
}

/* Sends the control frame that is under way, or the next one owed. */
PYROI_CONTROL static bool pyroi_flush_control(pyro_daemon *d, pyroi_link *l)
{
    uint8_t  frame[PYROI_CONTROL_BYTES];
    unsigned type = l->control & ~(unsigned)PYROI_SUMS;

    if (type == 0) {
        while ((l->owed & PYROI_OWE(type)) == 0)
            type++;
        l->control = (uint8_t)(type | (l->flags & PYROI_SUMS));
    }
    if (!pyroi_send(d, l, frame, pyroi_make_control(d, l, frame)))
        return false;
    l->control = 0;
    if (PYROI_REFUSES(type) && --l->n_busy > 0)
        l->busy_seq++;
    else
        l->owed &= (uint8_t)~PYROI_OWE(type);
    d->again_ = true; /* more may be refused now */
    return true;
}

#ifndef PYRO_NO_CLIENT
#ifdef PYRO_NO_TEXTS
#define pyroi_why_long(d, l, frame) ((void)0)
#else
PYROI_COLD static void pyroi_why_long(pyro_daemon *d, const pyroi_link *l,
                                      const uint8_t *frame)
{
    pyroi_why(d, "message too long for the peer", pyroi_body_bytes(frame),
              pyroi_peer_max(l));
}
#endif

#ifndef PYRO_NO_DENIALS
static void pyroi_fail_queued(pyro_daemon *d, pyroi_link *l,
                              const uint8_t *frame);
#endif
#endif

/* Adds the checksum, where one is agreed and not there. */
#ifdef PYRO_NO_CHECKSUM
#define pyroi_protect(l, b) ((void)0)
#else
PYROI_FAST void pyroi_protect(const pyroi_link *l, pyroi_buffer *b)
{
    uint8_t *frame = pyroi_first(b);
    uint8_t *bytes = pyroi_bytes(b);

    if ((l->flags & ~(uint32_t)frame[3] & PYROI_CHECKSUM) == 0)
        return;
    frame[3] |= PYROI_CHECKSUM;
    b->end = (pyroi_size)(pyroi_put_sum(frame, bytes + b->end) - bytes);
}
#endif

/* Whether a frame is as short as the peer wants it. */
static bool pyroi_accepts(const pyroi_link *l, const uint8_t *frame)
{
    return pyroi_body_bytes(frame) <= pyroi_peer_max(l);
}

/* Sends the first buffer of the queue. A request that was queued before the
 * greeting is completed here, or ends here. */
static bool pyroi_flush_buffer(pyro_daemon *d, pyroi_link *l)
{
    pyroi_buffer *b = l->tx;
    uint8_t      *frame = pyroi_first(b);

#ifndef PYRO_NO_CLIENT
#ifndef PYRO_NO_DENIALS
    if (!pyroi_accepts(l, frame)) {
        l->tx = b->next;
        pyroi_fail_queued(d, l, frame);
        pyroi_give(d, b);
        return true;
    }
#endif
    if (pyroi_kind(frame) == PYROI_INVOKE) {
        pyroi_protect(l, b);
        if (pyroi_is5(l)) {
            if (!pyroi_encode_call5(d, l))
                return true; /* it has ended */
            frame = pyroi_first(b);
        }
    }
#endif
    if (!pyroi_send(d, l, frame, pyroi_bytes(b) + b->end))
        return false;
    l->tx = b->next;
    pyroi_give(d, b);
    return true;
}

#ifndef PYRO_NO_CLIENT
/* Closes a connection of ours that no proxy uses, that nobody waits on and
 * that has nothing to send. */
static void pyroi_unused(pyro_daemon *d, pyroi_link *l)
{
    if ((l->users | l->expects) == 0 && l->key != 0 && l->tx == NULL
        && l->state >= PYROI_ASKING)
        pyroi_drop(d, l);
}
#endif

/* Whether there may be anything to send: asked where it costs less than to
 * find out. */
#ifdef __OPTIMIZE_SIZE__
#define pyroi_has_tx(l) true
#else
#define pyroi_has_tx(l) ((l)->tx != NULL || ((l)->control | (l)->owed) != 0)
#endif

/* Control frames between buffers first. Bounded by the pool: nothing is added
 * meanwhile. False: not all of it could be sent now. */
PYROI_CALLED bool pyroi_flush_queue(pyro_daemon *d, pyroi_link *l)
{
    for (;;) {
        if (l->control != 0 || (l->tx_at == 0 && l->owed != 0)) {
            if (!pyroi_flush_control(d, l))
                return false;
        } else if (l->tx != NULL && l->state >= PYROI_OPEN) {
            if (!pyroi_flush_buffer(d, l))
                return false;
        } else {
            return true;
        }
    }
}

/* Sends what can be sent now. */
static void pyroi_flush(pyro_daemon *d, pyroi_link *l)
{
    if (pyroi_has_tx(l) && !pyroi_flush_queue(d, l))
        return;
    if (PYROI_TELL_ROOM != 0 && (l->item.want & PYRO_OUT) != 0) {
        l->flags |= PYROI_TELL_ROOM;
        pyroi_ready(d, l);
    }
    l->item.want &= (uint8_t)~PYRO_OUT;
#ifndef PYRO_NO_CLIENT
    pyroi_unused(d, l);
#endif
    if (pyroi_closing(l))
        pyroi_drop(d, l);
}

/* A link's handle is ready: it gets its turn. */
static void pyroi_link_event(pyro_daemon *d, pyro_item *item, unsigned ready)
{
    uint8_t    *at = (uint8_t *)item - offsetof(pyroi_link, item);
    pyroi_link *l = (pyroi_link *)(void *)at;

    if ((ready & PYRO_IN) != 0)
        l->input = true;
    if ((ready & PYRO_OUT) != 0)
        pyroi_flush(d, l); /* at once: its turn may become a long wait */
    pyroi_ready(d, l);
}

/* PYROI_SUMS if this side wants checksums on its links to a port, else 0. */
#ifdef PYRO_NO_CHECKSUM
#define pyroi_wants_sums(d, port) 0u
#else
static unsigned pyroi_wants_sums(const pyro_daemon *d, const pyro_port *port)
{
    bool wants =
        d->config_->checksum != 0 || (port->flags & PYRO_PORT_NOISY) != 0;

    return wants ? PYROI_SUMS : 0;
}
#endif

/* A link for a handle: there is a free one, and the last is only for
 * refusing. */
static pyroi_link *pyroi_link_new(pyro_daemon *d, const pyro_port *port,
                                  int32_t handle, unsigned flags)
{
    pyroi_link *l = d->room_.links;
    uint32_t    i = 0;
    uint32_t    id;

    while (l->state != PYROI_FREE) {
        l++;
        i++;
    }
    PYRO_ASSERT(i < d->room_.n_links);
    if (l == d->links_end_)
        d->links_end_++;
    id = pyroi_or(((l->id >> 16) + 1) << 16, 0x10000);
    memset(l, 0, sizeof *l);
    l->id = id + i; /* never 0 */
    l->state = PYROI_GREETING;
    l->flags = flags | pyroi_wants_sums(d, port);
    l->heard = l->told = d->now_;
    l->item.event_ = pyroi_link_event;
#if PYRO_LINK_AHEAD != 0
    l->item.ahead = (uint8_t *)d->room_.ahead + i * d->room_.ahead_bytes;
    memset(l->item.ahead, 0, 64);
#endif
    pyroi_item_add(d, &l->item, port, handle);
    d->n_links_++;
    return l;
}

#ifndef PYRO_NO_GATHER

/* The last buffer of a send queue. */
static pyroi_buffer *pyroi_tx_last(const pyroi_link *l)
{
    pyroi_buffer *b = l->tx;

    while (b != NULL && b->next != NULL)
        b = b->next;
    return b;
}

/* The same where there is room behind the frames that wait in it, or NULL:
 * when that is a request (which might be taken out again), or half sent, or
 * long, or from before the greeting. */
PYROI_FAST pyroi_buffer *pyroi_tail(const pyroi_link *l)
{
    pyroi_buffer  *b = pyroi_tx_last(l);
    const uint8_t *frame;

    if (b == NULL || b->use == PYROI_SOLO || pyroi_is5(l)
        || (b == l->tx && l->tx_at > 0 && l->control == 0))
        return NULL;
    frame = pyroi_first(b);
    if ((frame[3] & PYROI_LONG) != 0
        || ((frame[3] ^ l->flags) & PYROI_CHECKSUM) != 0
        || !pyroi_accepts(l, frame)
        || (pyroi_kind(frame) == PYROI_INVOKE && pyroi_load16(frame + 4) != 0))
        return NULL;
    return b;
}

/* Copies a reply or oneway behind others that wait, where it is small. */
static bool pyroi_gather(const pyro_daemon *d, const pyroi_link *l,
                         pyroi_buffer *b)
{
    const uint8_t *frame = pyroi_first(b);
    uint32_t       n = (uint32_t)(pyroi_bytes(b) + b->end - frame);
    pyroi_buffer  *tail;

    if (l->state != PYROI_OPEN || n > d->room_.buffer_bytes / 4
        || (pyroi_kind(frame) == PYROI_INVOKE && pyroi_load16(frame + 4) != 0))
        return false;
    tail = pyroi_tail(l);
    if (tail == NULL || n > d->room_.buffer_bytes - tail->end)
        return false;
    memcpy(pyroi_bytes(tail) + tail->end, frame, n);
    tail->end = (pyroi_size)(tail->end + n);
    return true;
}

#endif /* PYRO_NO_GATHER */

/* Puts a frame at the end of the send queue: the buffer now belongs to the
 * link. It is not sent yet. */
PYROI_FAST void pyroi_queue(pyro_daemon *d, pyroi_link *l, pyroi_buffer *b)
{
    pyroi_buffer **at = &l->tx;

    if (PYROI_SERVER && (!PYROI_CLIENT || b->use == PYROI_SERVE))
        pyroi_use(d, b, PYROI_REPLYING);
#ifndef PYRO_NO_GATHER
    if (l->tx != NULL && pyroi_gather(d, l, b)) {
        pyroi_give(d, b);
        return;
    }
#endif
    while (*at != NULL)
        at = &(*at)->next;
    b->next = NULL;
    *at = b;
}

#ifdef PYRO_NO_GATHER
#define PYROI_CORKS false
#else
#define PYROI_CORKS true
#endif

/* Holds back what is queued: until there is no more input, until somebody
 * waits. Without that it leaves at the end of its link's turn. */
static void pyroi_cork(pyro_daemon *d)
{
    if (PYROI_CORKS)
        d->corked_ = true;
}

PYRO_DEF void pyro_flush(pyro_daemon *node)
{
    pyroi_link *l;

    if (!PYROI_CORKS || !node->corked_)
        return;
    node->corked_ = false;
    for (l = node->room_.links; l < node->links_end_; l++) {
        if ((l->item.want & PYRO_OUT) == 0)
            pyroi_flush(node, l);
    }
}

/* Makes a whole frame in a buffer, whose body ends at `end`. False: it is too
 * long for the peer. Before the greeting nobody knows. */
PYROI_COPIED bool pyroi_seal(const pyroi_link *l, pyroi_buffer *b,
                             unsigned what, uint32_t seq, const uint8_t *end)
{
    uint8_t *body = pyroi_bytes(b) + PYROI_BODY;

    body[-PYROI_BODY] = 0; /* no 10-byte header, unless it is written now */
    pyroi_put_header(body, what, seq, (uint32_t)(end - body));
    b->end = (pyroi_size)(end - pyroi_bytes(b));
    if (l->state != PYROI_OPEN)
        return true;
    pyroi_protect(l, b);
    return pyroi_accepts(l, pyroi_first(b));
}

#ifndef PYRO_NO_SERVER

/* Python's names for our errors, one behind the other. Those that only a call
 * of our own ends with are left out where they are not needed or too long;
 * nothing is raised as PYRO_ERR_REMOTE, which is free for what is no error of
 * ours. */
#if defined(PYRO_NO_CLIENT) || defined(PYRO_NO_TEXTS)
#define PYROI_RERAISED(name) "\0"
#else
#define PYROI_RERAISED(name) name "\0"
#endif
/* clang-format off */
static const char pyroi_err_names[] =
    "Exception\0"
    PYROI_RERAISED("URIError")
    PYROI_RERAISED("DaemonError")
    "ProtocolError\0"
    PYROI_RERAISED("ConnectionClosedError")
    PYROI_RERAISED("ConnectionDeniedError")
    "TimeoutError\0" "NamingError\0" "AttributeError\0" "TypeError\0"
    "ValueError\0" "MemoryError\0" "BusyError\0" "RuntimeError";
/* clang-format on */
#define PYROI_ERR_ATTRIBUTE PYRO_ERR_REMOTE

#if !defined(PYRO_NO_TEXTS) || !defined(PYRO_NO_PYRO5)
/* Texts up to a NULL, joined to one. */
static void pyroi_put_joined(pyro_writer *w, const char *const *texts)
{
    const char *const *text;
    size_t             size = 0;
    size_t             n;
    uint8_t           *p;

    for (text = texts; *text != NULL; text++)
        size += strlen(*text);
    pyroi_put_head(w, PYROI_FORM_STR, size);
    if (w->err != PYRO_OK)
        return;
    p = w->at - size;
    for (text = texts; *text != NULL; text++, p += n) {
        n = strlen(*text);
        memcpy(p, *text, n);
    }
    if (!pyroi_utf8(p - size, size))
        w->err = PYRO_ERR_DATA;
}
#endif

#ifndef PYRO_NO_TEXTS
/* Where a call is, as a line of a traceback: "calc.div on bench 3". */
static void pyroi_put_place(pyro_writer *w, const pyro_call *call)
{
    const char *name = call->node->config_->name;
    const char *texts[6];

    texts[0] = call->object;
    texts[1] = ".";
    texts[2] = call->method;
    texts[3] = " on ";
    texts[4] = name != NULL ? name : "pyro";
    texts[5] = NULL;
    pyroi_put_joined(w, texts);
}

/* The lines of `cause`, one for each object it passed, then ours. */
static void pyroi_put_traceback(pyro_writer *w, const pyro_call *call,
                                const char *cause)
{
    const char *line;
    uint32_t    lines = *cause != '\0';

    for (line = cause; *line != '\0'; line++)
        lines += *line == '\n';
    pyroi_bytes(call->reply_buf_)[PYROI_BODY + pyroi_kept(call)]++; /* a key */
    w->more += 2;
    pyro_put_str(w, "attributes");
    pyro_put_map(w, 1);
    pyro_put_str(w, "_pyroTraceback");
    pyro_put_list(w, lines + 1);
    while (*cause != '\0') {
        for (line = cause; *line != '\0' && *line != '\n';)
            line++;
        pyro_put_strn(w, cause, (size_t)(line - cause));
        cause = *line == '\n' ? line + 1 : line;
    }
    pyroi_put_place(w, call);
}
#endif

/* The link of a call, while its caller is there. */
static pyroi_link *pyroi_caller(const pyro_call *call)
{
    pyroi_link *l = pyroi_link_of(call->node, call->link);

    return l != NULL && l->state == PYROI_OPEN ? l : NULL;
}

/* Begins the result of a call anew: as long as its buffer and the caller
 * allow, and of no bytes where nobody wants one. */
PYROI_FAST void pyroi_begin_result(pyro_call *call)
{
    const pyroi_link *l;
    uint32_t          max;
    uint32_t          kept = pyroi_kept(call);

    call->result = pyro_writer_of(call, 0, 0);
    if (call->reply_buf_ == NULL)
        return;
    l = PYROI_SPEAKS5 ? pyroi_link_of(call->node, call->link)
                      : pyroi_caller(call);
    max = pyroi_max_body(call->node);
    if (l != NULL && pyroi_peer_max(l) < max)
        max = pyroi_peer_max(l);
    call->result =
        pyro_writer_of(pyroi_bytes(call->reply_buf_) + PYROI_BODY + kept,
                       max - kept, 1);
    if (l != NULL)
        pyroi_set_dialect(&call->result, l);
}

enum { PYROI_RUNNING, PYROI_RAISED, PYROI_DEFERRED }; /* state of a call */

/* Writes an exception instead of whatever is in a result: the map that Pyro5
 * uses, made of the pieces of a refusal. What does not fit is left out from
 * the end: traceback, message, type. */
PYROI_COLD static void pyroi_raise(pyro_call *call, const char *type,
                                   const char *message, const char *cause)
{
    static const char dots[] = "...";
    pyro_writer      *w = &call->result;
    const char       *known;

    (void)cause;
    if (call->state_ != PYROI_RUNNING)
        return;
    call->state_ = PYROI_RAISED;
    if (call->oneway) {
        pyroi_count(call->node, lost_oneway);
        pyroi_log(call->node, PYRO_WARN, message, call->link, 0);
        return;
    }
    do {
        known = pyroi_type5(call, type);
        pyroi_begin_result(call);
        w->more = 4;
        pyroi_put_data(w, pyroi_busy_body, PYROI_BUSY_TYPE, PYROI_FORM_RAW);
        pyro_put_str(w, known);
        pyroi_put_data(w, pyroi_busy_body + PYROI_BUSY_REST,
                       PYROI_BUSY_MESSAGE - PYROI_BUSY_REST, PYROI_FORM_RAW);
        if (known != type && message != dots)
            pyroi_put_message5(w, type, message);
        else
            pyro_put_str(w, message);
#ifndef PYRO_NO_TEXTS
        if (cause != NULL && call->object != NULL)
            pyroi_put_traceback(w, call, cause);
        if (cause != NULL) {
            cause = NULL;
            continue;
        }
#endif
        if (message == dots)
            type = pyroi_err_names;
        message = dots;
    } while (w->err != PYRO_OK); /* 46 bytes in the end; both take 50 */
}

PYRO_DEF void pyro_raise(pyro_call *call, const char *type,
                         const char *message)
{
    pyroi_raise(call, type, message, "");
}

static const char *pyroi_err_name(unsigned err)
{
    return pyroi_nth(pyroi_err_names, err);
}

#ifndef PYRO_NO_CLIENT
PYRO_DEF void pyro_reraise(pyro_call *call, pyro_proxy *proxy)
{
    const char *type = pyroi_err_name(proxy->err_);

    if (proxy->err_ == PYRO_ERR_REMOTE)
        pyroi_raise(call, proxy->exc_.type, proxy->exc_.message,
                    proxy->exc_.traceback);
    else
        pyro_raise(call, *type != '\0' ? type : pyroi_err_names,
                   pyro_err_text((pyro_err)proxy->err_));
}
#endif

/* What is wrong with a call is returned as a number, which becomes an
 * exception in one place (pyroi_end_result). These raise one that says more
 * before that, and return the number. */
#ifdef PYRO_NO_TEXTS
static unsigned pyroi_raise_bare(unsigned err)
{
    return err;
}
#define pyroi_raise_text(call, err, text)       pyroi_raise_bare(err)
#define pyroi_raise_name(call, err, text, name) pyroi_raise_bare(err)
#define pyroi_raise_numbers(call, err, first, is, second, limit) \
    pyroi_raise_bare(err)
#else
PYROI_COLD static unsigned pyroi_raise_text(pyro_call *call, unsigned err,
                                            const char *text)
{
    pyro_raise(call, pyroi_err_name(err), text);
    return err;
}

/* "text name" */
PYROI_COLD static unsigned pyroi_raise_name(pyro_call *call, unsigned err,
                                            const char *text, const char *name)
{
    char message[48 + PYRO_MAX_NAME];
    pyroi_text t = pyroi_text_of(message, sizeof message);

    pyroi_adds(&t, text);
    pyroi_adds(&t, name);
    return pyroi_raise_text(call, err, message);
}

/* "first is, second limit": a message with the two numbers that disagree. */
PYROI_COLD static unsigned pyroi_raise_numbers(pyro_call *call, unsigned err,
                                               const char *first, uint32_t is,
                                               const char *second,
                                               uint32_t limit)
{
    char message[80];
    pyroi_text t = pyroi_text_of(message, sizeof message);

    pyroi_adds(&t, first);
    pyroi_add_dec(&t, is);
    pyroi_adds(&t, second);
    pyroi_add_dec(&t, limit);
    return pyroi_raise_text(call, err, message);
}
#endif

#ifdef PYRO_NO_ANY
#define PYROI_MAY_BE_BUSY false
#else
#define PYROI_MAY_BE_BUSY true
#endif

/* Raises what is wrong with a call, unless it has raised already. */
static void pyroi_settle(pyro_call *call, unsigned err)
{
    if (err == PYRO_OK)
        return;
    if (err == PYRO_ERR_PROTOCOL) {
        pyroi_count(call->node, bad);
        err = pyroi_raise_text(call, err, "invalid request data format");
    }
    pyroi_raise(call, pyroi_err_name(err),
                PYROI_MAY_BE_BUSY && err == PYRO_ERR_BUSY ? "busy" : "", NULL);
}

#define PYROI_NO_OBJECT "no object found by this name: "

/* ------------------------------------------------------------------------
 * >>signatures: arguments are checked before a handler runs
 * ------------------------------------------------------------------------ */

/* A signature being read: one parameter after the other. */
typedef struct pyroi_param {
    const char *name; /* as far as its type */
    const char *type; /* its letter, or '[' or '{' before one; '\0': none */
    bool        optional;
} pyroi_param;

/* Goes to the parameter that begins at p. */
static void pyroi_param_at(pyroi_param *param, const char *p)
{
    for (; *p == ' ' || *p == '?'; p++)
        param->optional |= *p == '?';
    param->name = param->type = p;
    while (*p > ' ' && *p != ':')
        p++;
    if (*p == ':')
        param->type = p + 1;
}

/* Where the next one begins. */
static const char *pyroi_param_end(const pyroi_param *param)
{
    const char *type = param->type;

    return type + (*type == '[' || *type == '{' ? 3 : 1);
}

#ifdef __OPTIMIZE_SIZE__

/* Letters, and the types that each of them takes, as bits; the last is for any
 * other. */
static const struct pyroi_letter {
    uint16_t types;
    char     letter;
} pyroi_letters[] = { { 1u << PYRO_INT, 'i' },
                      { 1u << PYRO_INT, 'q' },
                      { 1u << PYRO_BOOL, 'b' },
                      { 1u << PYRO_INT | 1u << PYRO_FLOAT, 'd' },
                      { 1u << PYRO_STR, 's' },
                      { 1u << PYRO_BIN, 'y' },
                      { 1u << PYRO_STR | 1u << PYRO_MAP, 'U' },
#ifdef PYRO_NO_ELEMENTS
                      { 1u << PYRO_LIST, '[' },
                      { 1u << PYRO_MAP, '{' },
#endif
                      { 0xFFFF, '\0' } };

/* Takes one value and says whether it is what the letter wants. */
static bool pyroi_fits(pyro_reader *in, char letter)
{
    const struct pyroi_letter *wanted = pyroi_letters;
    const uint8_t             *at = in->at;
    uint64_t                   v = pyroi_next(in);
    unsigned                   type = in->type_;

    if (type - PYRO_LIST < 2) { /* what is inside is looked at, too */
        in->at = at;
        pyro_skip(in);
    }
    while (wanted->letter != letter && wanted->letter != '\0')
        wanted++;
    return in->err == PYRO_OK && (wanted->types >> type & 1u) != 0
        && (letter != 'i' || (int64_t)v == (int32_t)v);
}

#else

/* The types that a letter wants, as bits. What is no letter wants none. */
PYROI_FAST unsigned pyroi_letter_types(char letter)
{
    switch (letter) {
    case '\0':
    case ' ':
    case '?':
    case ':':
#ifndef PYRO_NO_ELEMENTS
    case '[':
    case '{':
#endif
        return 0;
#ifdef PYRO_NO_ELEMENTS
    case '[':
        return 1u << PYRO_LIST;
    case '{':
        return 1u << PYRO_MAP;
#endif
    case 'b':
        return 1u << PYRO_BOOL;
    case 'i':
    case 'q':
        return 1u << PYRO_INT;
    case 'd':
        return 1u << PYRO_INT | 1u << PYRO_FLOAT;
    case 's':
        return 1u << PYRO_STR;
    case 'y':
        return 1u << PYRO_BIN;
    case 'U':
        return 1u << PYRO_STR | 1u << PYRO_MAP;
    default:
        return ~0u;
    }
}

static bool pyroi_fits(pyro_reader *in, char letter)
{
    const uint8_t *at = in->at;
    uint64_t v = pyroi_next(in);
    unsigned type = in->type_;

    if (type >= PYRO_LIST) { /* what is inside is looked at, too */
        in->at = at;
        pyro_skip(in);
    }
    return in->err == PYRO_OK && (pyroi_letter_types(letter) >> type & 1) != 0
        && (letter != 'i' || (int64_t)v == (int32_t)v);
}
#endif

/* The same for a parameter's type, one level into a container. */
static bool pyroi_fits_type(pyro_reader *in, const char *type)
{
#ifdef PYRO_NO_ELEMENTS
    return pyroi_fits(in, *type);
#else
    uint32_t n = 1;
    bool map = *type == '{';

    if (*type == '[' || map) {
        n = (uint32_t)pyroi_number(in, map ? PYRO_MAP : PYRO_LIST);
        if (n == 0)
            return in->err == PYRO_OK;
        if (map)
            n *= 2; /* no more than there are bytes */
        type++;
    }
    do {
        if (!pyroi_fits(in, map && n % 2 == 0 ? 's' : *type))
            return false;
    } while (--n > 0);
    return true;
#endif
}

#ifndef PYRO_NO_TEXTS
static const char *pyroi_letter_text(char letter)
{
    const char *text = "bbool\0"
                       "iint of 32 bits\0"
                       "qint of 64 bits\0"
                       "dfloat\0"
                       "sstr\0"
                       "ybytes\0"
                       "UURI or proxy\0"
                       "[list of \0"
                       "{map of str to \0"
                       "vvalue";

    while (*text != letter && *text != 'v')
        text = pyroi_nth(text, 1);
    return text + 1;
}
#endif

/* Arguments being checked: value by value, parameter by parameter. */
typedef struct pyroi_check {
    pyroi_param param; /* the next one */
    unsigned    n;     /* arguments in order so far */
} pyroi_check;

/* Whether a positional argument is wanted. */
#ifdef PYRO_NO_KWARGS
#define pyroi_waits(check) (*(check)->param.type != '\0')
#else
static bool pyroi_waits(const pyroi_check *c)
{
    return *c->param.type != '\0' && *c->param.type != 'k';
}
#endif

/* Of a parameter that has a name. */
PYROI_MAYBE static size_t pyroi_name_bytes(const pyroi_param *param)
{
    return (size_t)(param->type - param->name) - 1;
}

#ifdef PYRO_NO_TEXTS
#define pyroi_raise_type(call, check)         PYRO_ERR_TYPE
#define pyroi_raise_count(call, check, given) PYRO_ERR_TYPE
#else
static unsigned pyroi_raise_type(pyro_call *call, const pyroi_check *c)
{
    char message[80];
    pyroi_text t = pyroi_text_of(message, sizeof message);
    const pyroi_param *param = &c->param;

    pyroi_adds(&t, "argument ");
    pyroi_add_dec(&t, c->n + 1);
    if (param->type > param->name) {
        pyroi_adds(&t, " '");
        pyroi_add(&t, param->name, pyroi_name_bytes(param));
        pyroi_adds(&t, "'");
    }
    pyroi_adds(&t, " is no ");
    pyroi_adds(&t, pyroi_letter_text(*param->type));
    if (*param->type == '[' || *param->type == '{')
        pyroi_adds(&t, pyroi_letter_text(param->type[1]));
    return pyroi_raise_text(call, PYRO_ERR_TYPE, message);
}

static unsigned pyroi_raise_count(pyro_call *call, pyroi_check *c,
                                  unsigned given)
{
    unsigned least = c->n; /* parameters that must be there */
    unsigned most = c->n;

    for (; pyroi_waits(c); most++) {
        least += !c->param.optional;
        pyroi_param_at(&c->param, pyroi_param_end(&c->param));
    }
    return pyroi_raise_numbers(call, PYRO_ERR_TYPE, "arguments given: ", given,
                               ", expected: ", given < least ? least : most);
}
#endif

/* Checks the next value against the next parameter. */
static unsigned pyroi_check_one(pyro_call *call, pyroi_check *c)
{
    if (!pyroi_fits_type(&call->args, c->param.type)) {
        if (call->args.err == PYRO_ERR_DATA)
            return PYRO_ERR_PROTOCOL;
        return pyroi_raise_type(call, c);
    }
    c->n++;
    return PYRO_OK;
}

#ifndef PYRO_NO_KWARGS

static void pyroi_reverse(uint8_t *p, uint8_t *end)
{
    for (; p < end; p++) {
        uint8_t byte = *p;

        *p = *--end;
        *end = byte;
    }
}

/* [from, middle, end) becomes [middle, end) [from, middle). */
static void pyroi_rotate(uint8_t *from, uint8_t *middle, uint8_t *end)
{
    pyroi_reverse(from, middle);
    pyroi_reverse(middle, end);
    pyroi_reverse(from, end);
}

/* Keyword arguments waiting in the arguments' buffer: `pairs` of key and
 * value from `at` on. */
typedef struct pyroi_kwargs {
    uint8_t *place; /* behind the arguments in order so far */
    uint8_t *at;
    uint8_t *end;
    uint32_t pairs;
} pyroi_kwargs;

/* Finds the pair of a parameter and moves its value to `place`; its key stays
 * behind as dead bytes, where the pairs begin. */
static bool pyroi_kwarg(pyroi_kwargs *kw, const pyroi_param *param)
{
    pyro_reader in = pyro_reader_of(kw->at, (size_t)(kw->end - kw->at));
    uint32_t    i;
    uint32_t    n;

    for (i = 0; i < kw->pairs; i++) {
        uint8_t    *pair = kw->at + (in.at - kw->at);
        const char *key = pyro_get_str(&in, &n);
        size_t      key_bytes = (size_t)(in.at - pair);
        size_t      bytes;
        uint8_t    *after;

        pyro_skip(&in);
        if (in.err != PYRO_OK)
            return false;
        if (n != pyroi_name_bytes(param) || memcmp(key, param->name, n) != 0)
            continue;
        after = kw->at + (in.at - kw->at);
        bytes = (size_t)(after - pair) - key_bytes;
        pyroi_rotate(kw->at, pair, after);
        pyroi_rotate(kw->place, kw->at + key_bytes,
                     kw->at + key_bytes + bytes);
        kw->place += bytes;
        kw->at += key_bytes + bytes;
        kw->pairs--;
        return true;
    }
    return false;
}

/* Puts the keyword arguments that a parameter waits for in order behind the
 * others, inside of the buffer, and checks them. */
static unsigned pyroi_check_kwargs(pyro_call *call, pyroi_check *c,
                                   uint8_t *place, uint32_t pairs)
{
    pyroi_kwargs kw;

    kw.place = place;
    kw.at = place + (call->args.at - place);
    kw.end = place + (call->args.end - place);
    kw.pairs = pairs;
    while (kw.pairs > 0 && c->param.type > c->param.name
           && pyroi_kwarg(&kw, &c->param)) {
        unsigned err;

        call->args.at = place;
        call->args.end = kw.place;
        err = pyroi_check_one(call, c);
        if (err != PYRO_OK)
            return err;
        pyroi_param_at(&c->param, pyroi_param_end(&c->param));
        place = kw.place;
    }
    call->args.end = place;
    if (kw.pairs > 0 || kw.at != kw.end)
        return pyroi_raise_text(
            call, PYRO_ERR_TYPE,
            "unknown, repeated or skipped keyword argument");
    return PYRO_OK;
}

#endif /* PYRO_NO_KWARGS */

/* What stands behind the positional arguments: a map of keyword arguments, or
 * nil, and then the end. */
static unsigned pyroi_check_rest(pyro_call *call, pyroi_check *c,
                                 const char *signature)
{
    pyro_reader   *in = &call->args;
    const uint8_t *place = in->at;
    uint64_t       v = pyroi_next(in);
    unsigned       type = in->type_;
#ifndef PYRO_NO_KWARGS
    size_t n = strlen(signature);

    if (n > 0 && signature[n - 1] == 'k') { /* as they are */
        in->at = place;
        if (type == PYRO_MAP || type == PYRO_NIL)
            pyro_skip(in);
        return in->err == PYRO_OK && in->at == in->end ? PYRO_OK
                                                       : PYRO_ERR_PROTOCOL;
    }
#else
    (void)c;
    (void)signature;
#endif
    if (type == PYRO_MAP && (uint32_t)v > 0) {
#ifdef PYRO_NO_KWARGS
        return pyroi_raise_text(call, PYRO_ERR_TYPE, "keyword arguments");
#else
        uint8_t *body = pyroi_bytes(call->args_buf_);

        return pyroi_check_kwargs(call, c, body + (place - body), (uint32_t)v);
#endif
    }
    if ((type != PYRO_MAP && type != PYRO_NIL) || in->at != in->end)
        return PYRO_ERR_PROTOCOL;
    in->end = place;
    return PYRO_OK;
}

#ifndef __OPTIMIZE_SIZE__
/* Checks a call as most are: the signature is a letter for each argument and
 * nothing else, no argument is a container, none is given by keyword. False:
 * it is another, or wrong, which is for others to say; nothing has changed. */
PYROI_FAST bool pyroi_check_plain(pyro_call *call, const char *letter,
                                  unsigned given)
{
    pyro_reader in = call->args;

    for (; given > 0; given--, letter++) {
        uint64_t v;

        if (*letter == 'i' && in.at != in.end && (int8_t)*in.at >= -32) {
            in.at++; /* a small number */
            continue;
        }
        v = pyroi_next(&in);
        if (in.type_ >= PYRO_LIST || in.type_ == PYRO_NONE || *letter == 'k'
            || (pyroi_letter_types(*letter) >> in.type_ & 1) == 0
            || (*letter == 'i' && (int64_t)v != (int32_t)v))
            return false;
    }
    if (*letter != '\0' || in.end - in.at != 1
        || (*in.at != 0xC0 && *in.at != 0x80)) /* nil, an empty map */
        return false;
    call->args.end = in.at;
    return true;
}
#endif

/* Checks `given` positional arguments and those by keyword against a
 * signature; the TypeError of a mismatch names the parameter. */
PYROI_SHARED static unsigned pyroi_check_args(pyro_call  *call,
                                              const char *signature,
                                              unsigned    given)
{
    const uint8_t *from = call->args.at;
    const char    *next = signature;
    pyroi_check    c;
    unsigned       err;

#ifndef __OPTIMIZE_SIZE__
    if (pyroi_check_plain(call, signature, given))
        return PYRO_OK;
#endif
    c.param.optional = false;
    c.n = 0;
    for (;;) {
        pyroi_param_at(&c.param, next);
        if (c.n == given || !pyroi_waits(&c))
            break;
        err = pyroi_check_one(call, &c);
        if (err != PYRO_OK)
            return err;
        next = pyroi_param_end(&c.param);
    }
    if (c.n == given) {
        err = pyroi_check_rest(call, &c, signature);
        if (err != PYRO_OK)
            return err;
    }
    if (c.n < given || (*c.param.type != '\0' && !c.param.optional))
        return pyroi_raise_count(call, &c, given > c.n ? given : c.n);
    call->args.at = from;
    return PYRO_OK;
}

/* ------------------------------------------------------------------------
 * >>objects
 * ------------------------------------------------------------------------ */

#ifdef PYRO_NO_IDS
#define PYROI_LIKE_ID(n, digits) false
#else
#define PYROI_LIKE_ID(n, digits) ((n) == 32 && (digits) == 32)
#endif

/* Whether an object can have this name: no blanks, no control characters, and
 * it does not look like an id. */
static bool pyroi_good_name(const char *name)
{
    size_t n = 0;
    size_t digits = 0;

    for (; name[n] != '\0'; n++) {
        unsigned c = (unsigned char)name[n];

        if (c <= ' ' || c == 0x7F)
            return false;
        if (c - '0' <= 9 || c - 'a' <= 5)
            digits++;
    }
    return n - 1 < PYRO_MAX_NAME && !PYROI_LIKE_ID(n, digits);
}

/* The entry with a name in a table whose entries begin with theirs. */
PYROI_SHARED static const void *pyroi_named(const void *table, size_t left,
                                            size_t step, const char *text)
{
    const uint8_t *at = (const uint8_t *)table;

    for (; left > 0; left--, at += step) {
        const char *name = *(const char *const *)(const void *)at;

        if (name != NULL && *name == *text && strcmp(name, text) == 0)
            return at;
    }
    return NULL;
}

/* An object by name, or by an id that somebody has been told. */
static pyroi_object *pyroi_lookup(const pyro_daemon *d, const char *text)
{
    const void *entry = pyroi_named(d->room_.objects, d->room_.n_objects,
                                    sizeof *d->room_.objects, text);

    if (entry != NULL)
        return d->room_.objects
             + ((const pyroi_object *)entry - d->room_.objects);
#ifdef PYRO_NO_IDS
    return NULL;
#else
    return d->by_id_ != NULL ? d->by_id_(d, text) : NULL;
#endif
}

/* A name with a zero byte behind it. One that is none becomes empty. */
PYROI_MAYBE static const char *pyroi_name(char        to[PYRO_MAX_NAME + 1],
                                          const char *text, size_t n)
{
    if (n > PYRO_MAX_NAME || pyroi_has(text, n, '\0'))
        n = 0;
    pyroi_copy(to, text, n);
    return to;
}

static pyroi_object *pyroi_object_of(const pyro_daemon *d, const void *self)
{
    pyroi_object *o = d->room_.objects;
    unsigned      left = d->room_.n_objects;

    for (; left > 0; left--, o++) {
        if (o->cls != NULL && o->self == self)
            return o;
    }
    return NULL;
}

PYRO_DEF pyro_err pyro_export(pyro_daemon *node, const pyro_class *cls,
                              void *self, const char *name)
{
    unsigned      least = node->n_proxies_ > 0 ? 3 : 2;
    pyroi_object *o = node->room_.objects;
    unsigned      left = node->room_.n_objects;

    if (name != NULL
        && (!pyroi_good_name(name) || pyroi_lookup(node, name) != NULL)) {
        pyroi_why(node, PYROI_T("name taken, empty, too long or like an id"),
                  (uint32_t)strlen(name), PYRO_MAX_NAME);
        return PYRO_ERR_DAEMON;
    }
    if (node->room_.n_buffers < least) {
        pyroi_why(node, PYROI_TOO_FEW("buffers"), node->room_.n_buffers,
                  least);
        return PYRO_ERR_NOSPACE;
    }
    for (; left > 0; left--, o++) {
        if (o->cls != NULL || o->waiting > 0)
            continue;
        o->cls = cls;
        o->self = self;
        o->name = name;
#ifndef PYRO_NO_IDS
        o->serial = ++node->exports_;
#endif
        node->flags_ |= PYROI_SERVES;
        return PYRO_OK;
    }
    pyroi_why(node, PYROI_TOO_FEW("objects"), node->room_.n_objects,
              node->room_.n_objects);
    return PYRO_ERR_NOSPACE;
}

PYRO_DEF pyro_err pyro_withdraw(pyro_daemon *node, void *self)
{
    pyroi_object *o = pyroi_object_of(node, self);

    if (o == NULL)
        return PYRO_ERR_NAMING;
    o->cls = NULL;
    o->name = NULL;
    return PYRO_OK;
}

#ifndef PYRO_NO_IDS

/* An id is the node's 12 random bytes and the number of the export. */
static void pyroi_id(const pyro_daemon *d, const pyroi_object *o, char to[33])
{
    uint8_t id[16];

    pyroi_store32(id, d->ids_[0]);
    pyroi_store32(id + 4, d->ids_[1]);
    pyroi_store32(id + 8, d->ids_[2]);
    pyroi_store32(id + 12, o->serial);
    pyroi_hex(id, to);
}

static pyroi_object *pyroi_by_id(const pyro_daemon *d, const char *text)
{
    pyroi_object *o = d->room_.objects;
    unsigned      left = d->room_.n_objects;
    char          id[33];

    for (; left > 0; left--, o++) {
        pyroi_id(d, o, id);
        if (o->cls != NULL && strcmp(id, text) == 0)
            return o;
    }
    return NULL;
}

/* Tells somebody the id of an object: from now on it can be found by it. */
static void pyroi_tell_id(pyro_daemon *d, const pyroi_object *o, char to[33])
{
    d->by_id_ = pyroi_by_id;
    pyroi_id(d, o, to);
}

PYRO_DEF pyro_err pyro_object_id(pyro_daemon *node, const void *self,
                                 char to[33])
{
    const pyroi_object *o = pyroi_object_of(node, self);

    if (o == NULL)
        return PYRO_ERR_NAMING;
    pyroi_tell_id(node, o, to);
    return PYRO_OK;
}

#endif /* PYRO_NO_IDS */

PYRO_DEF bool pyro_walk(pyro_daemon *node, unsigned *at, pyro_object *found)
{
    const pyroi_object *o;

    while (*at < node->room_.n_objects) {
        o = &node->room_.objects[(*at)++];
        if (o->cls == NULL)
            continue;
        found->cls = o->cls;
        found->self = o->self;
        found->name = o->name;
        return true;
    }
    return false;
}

PYRO_DEF bool pyro_find(pyro_daemon *node, const char *text, size_t n,
                        pyro_object *found)
{
    char                name[PYRO_MAX_NAME + 1];
    const pyroi_object *o = pyroi_lookup(node, pyroi_name(name, text, n));
    unsigned            i;

    if (o == NULL)
        return false;
    i = (unsigned)(o - node->room_.objects);
    return pyro_walk(node, &i, found);
}

/* ------------------------------------------------------------------------
 * >>attributes
 * ------------------------------------------------------------------------ */

static unsigned pyroi_attr_call(const char *method)
{
    unsigned what = 0;

    while (what < PYROI_NO_ATTR && strcmp(method, pyroi_attr_calls[what]) != 0)
        what++;
    return what;
}

/* Gets, sets or looks for an attribute. */
static unsigned pyroi_call_attr(pyro_call *call, const pyro_class *cls,
                                void *self, unsigned what)
{
    char            *body = (char *)pyroi_bytes(call->args_buf_);
    const pyro_attr *attr;
    uint32_t         n;
    uint32_t         i;
    const char      *text = pyro_get_str(&call->args, &n);
    char            *name = body + (text - body) - 1;

    for (i = 0; i < n; i++) /* over its header: its zero byte needs room */
        name[i] = text[i] != '\0' ? text[i] : ' ';
    name[n] = '\0';
    attr = (const pyro_attr *)pyroi_named(cls->attrs, cls->n_attrs,
                                          sizeof *attr, name);
    if (what == PYROI_HAS) {
        pyro_put_bool(&call->result, attr != NULL);
        return PYRO_OK;
    }
    if (attr == NULL)
        return pyroi_raise_text(call, PYROI_ERR_ATTRIBUTE,
                                "no such attribute");
    if (what == PYROI_SET && (attr->flags & PYRO_READONLY) != 0)
        return pyroi_raise_name(call, PYROI_ERR_ATTRIBUTE,
                                "read-only attribute ", attr->name);
    attr->as((uint8_t *)self + attr->offset, attr->size,
             what == PYROI_GET ? &call->result : NULL, &call->args);
    if (call->args.err == PYRO_OK)
        return PYRO_OK;
    return pyroi_raise_name(call,
                            call->args.err == PYRO_ERR_NOSPACE ? PYRO_ERR_DATA
                                                               : PYRO_ERR_TYPE,
                            "value does not fit attribute ", attr->name);
}

/* ------------------------------------------------------------------------
 * >>internal: the daemon object that every daemon has
 * ------------------------------------------------------------------------ */

#if !defined(PYRO_NO_INTROSPECTION) || !defined(PYRO_NO_PYRO5)

/* The methods of a class with these flags: all about them, or names alone. */
static void pyroi_put_methods(pyro_writer *w, const pyro_class *cls,
                              unsigned flags, bool all)
{
    const pyro_method *m = cls->methods;
    size_t             left = cls->n_methods;
    uint32_t           n = 0;

    for (; left > 0; left--, m++)
        n += (m->flags & flags) == flags;
    pyro_put_list(w, n);
    m = cls->methods;
    for (left = cls->n_methods; left > 0; left--, m++) {
        if ((m->flags & flags) != flags)
            continue;
        if (all)
            pyro_put_list(w, 4);
        pyro_put_str(w, m->name);
        if (!all)
            continue;
        pyro_put_str(w, m->args);
        pyro_put_str(w, m->result);
        pyro_put_bool(w, (m->flags & PYRO_ONEWAY) != 0);
    }
}

/* Its attributes, with the key that both maps have for them. */
static void pyroi_put_attrs(pyro_writer *w, const pyro_class *cls, bool all)
{
    const pyro_attr *attr = cls->attrs;
    size_t           left = cls->n_attrs;

    pyro_put_str(w, "attrs");
    pyro_put_list(w, (uint32_t)left);
    for (; left > 0; left--, attr++) {
        if (all)
            pyro_put_list(w, 3);
        pyro_put_str(w, attr->name);
        if (!all)
            continue;
        pyro_put_strn(w, &attr->type, 1);
        pyro_put_bool(w, (attr->flags & PYRO_READONLY) != 0);
    }
}

#endif

#ifndef PYRO_NO_INTROSPECTION

#define PYROI_INTERNAL_ID "c0000000011000001000000010000001"

/* Bytes that an entry of getRegistered takes: an id of 34, a name or nil. */
static size_t pyroi_entry_bytes(const pyroi_object *o)
{
    return o->cls == NULL ? 0
                          : 34 + (o->name == NULL ? 1 : 2 + strlen(o->name));
}

/* Ids and names from the object `first` of the table on, as many as fit. */
static void pyroi_get_registered(void *self, pyro_call *call)
{
    pyro_daemon  *d = (pyro_daemon *)self;
    pyroi_object *o = d->room_.objects;
    pyroi_object *end = o + d->room_.n_objects;
    int32_t  first = pyro_more(&call->args) ? pyro_get_i32(&call->args) : 0;
    size_t   left = (size_t)(call->result.end - call->result.at) - 3;
    uint32_t n = 0;
    char     id[33];

    if (first < 0 || first > (int32_t)d->room_.n_objects) {
        pyro_raise(call, "ValueError", PYROI_T("first is not in the table"));
        return;
    }
    o += first;
    for (; o < end && pyroi_entry_bytes(o) <= left; o++) {
        left -= pyroi_entry_bytes(o);
        n += o->cls != NULL;
    }
    pyro_put_map(&call->result, n);
    for (o = d->room_.objects + first; n > 0; o++) {
        if (o->cls == NULL)
            continue;
        pyroi_tell_id(d, o, id);
        pyro_put_str(&call->result, id);
        if (o->name != NULL)
            pyro_put_str(&call->result, o->name);
        else
            pyro_put_nil(&call->result);
        n--;
    }
}

static const pyroi_object *pyroi_wanted(pyro_daemon *d, pyro_call *call)
{
    uint32_t            n;
    const char         *text = pyro_get_str(&call->args, &n);
    char                name[PYRO_MAX_NAME + 1];
    const pyroi_object *o = pyroi_lookup(d, pyroi_name(name, text, n));

    if (o == NULL)
        pyroi_settle(call, pyroi_raise_name(call, PYRO_ERR_NAMING,
                                            PYROI_NO_OBJECT, name));
    return o;
}

static void pyroi_resolve_loc(void *self, pyro_call *call)
{
    pyro_daemon        *d = (pyro_daemon *)self;
    const pyroi_object *o = pyroi_wanted(d, call);
    char                id[33];

    if (o == NULL)
        return;
    pyroi_tell_id(d, o, id);
    pyro_put_str(&call->result, id);
}

/* {"class": name, "methods": [[name, arguments, result, oneway]...],
 *  "attrs": [[name, type letter, read-only]...]} */
static void pyroi_describe(void *self, pyro_call *call)
{
    const pyroi_object *o = pyroi_wanted((pyro_daemon *)self, call);
    pyro_writer        *w = &call->result;

    if (o == NULL)
        return;
    pyro_put_map(w, 3);
    pyro_put_str(w, "class");
    pyro_put_str(w, o->cls->name);
    pyro_put_str(w, "methods");
    pyroi_put_methods(w, o->cls, 0, true);
    pyroi_put_attrs(w, o->cls, true);
}

#endif /* PYRO_NO_INTROSPECTION */

#if !defined(PYRO_NO_INTROSPECTION) || !defined(PYRO_NO_PYRO5)

static void pyroi_ping(void *self, pyro_call *call)
{
    (void)self;
    (void)call;
}

static const pyro_method pyroi_internal_methods[] = {
#ifndef PYRO_NO_INTROSPECTION
    { "getRegistered", pyroi_get_registered, "?first:i", "v", 0 },
    { "ResolvePYROLOC", pyroi_resolve_loc, "name:s", "s", 0 },
    { "describe", pyroi_describe, "object:s", "v", 0 },
#endif
#ifndef PYRO_NO_PYRO5
    { "get_metadata", pyroi_get_metadata5, "objectId:s ?as_lists:v", "v", 0 },
    { "registered", pyroi_registered5, "", "[s]", 0 },
    { "info", pyroi_info5, "", "s", 0 },
#endif
    { "ping", pyroi_ping, "", "", 0 }
};

static const pyro_class pyroi_internal = {
    "Daemon", PYRO_METHODS(pyroi_internal_methods), PYRO_NO_ATTRS, NULL, 0
};

#endif

/* ------------------------------------------------------------------------
 * >>dispatch
 * ------------------------------------------------------------------------ */

#ifdef __OPTIMIZE_SIZE__
#define pyroi_unchecked(call, m) false
#else
/* Whether a handler looks at its arguments itself. It gets those by keyword as
 * one value more, without its last byte. */
static bool pyroi_unchecked(pyro_call *call, const pyro_method *m)
{
    if ((m->flags & PYRO_UNCHECKED) == 0 || call->args.at == call->args.end)
        return false;
    call->args.end--;
    return true;
}
#endif

static unsigned pyroi_no_method(pyro_call *call)
{
    (void)call;
    return pyroi_raise_name(call, PYROI_ERR_ATTRIBUTE,
                            "no such method: ", call->method);
}

/* Runs the method of a class. `given` positional arguments begin at
 * call->args. */
PYROI_SHARED PYROI_FAST unsigned pyroi_run(pyro_call        *call,
                                           const pyro_class *cls, void *self,
                                           unsigned given)
{
    const char        *args = "?vvvvvvvvvvvvvvv";
    const char        *name = call->method;
    unsigned           what = PYROI_NO_ATTR;
    unsigned           err;
    const pyro_method *m =
        (const pyro_method *)pyroi_named(cls->methods, cls->n_methods,
                                         sizeof *m, name);

    if (m != NULL) {
        call->method = m->name;
        args = m->args;
    } else {
        what = pyroi_attr_call(name);
#ifdef PYRO_NO_ANY
        if (what == PYROI_NO_ATTR)
            return pyroi_no_method(call);
#endif
        if (what != PYROI_NO_ATTR)
            args = what == PYROI_SET ? "sv" : "s";
    }
    if (m != NULL && pyroi_unchecked(call, m))
        err = PYRO_OK;
    else
        err = pyroi_check_args(call, args, given);
    if (err != PYRO_OK)
        return err;
    if (m != NULL) {
        m->handler(self, call);
        if ((m->flags & PYROI_ONEWAYS(PYRO_ONEWAY)) != 0
            && call->state_ == PYROI_RUNNING)
            pyroi_begin_result(call); /* called the long way: answers nil */
        return PYRO_OK;
    }
#ifndef PYRO_NO_ANY
    if (what == PYROI_NO_ATTR) {
        if (cls->any != NULL && cls->any(self, call))
            return PYRO_OK;
        return pyroi_no_method(call);
    }
#endif
    return pyroi_call_attr(call, cls, self, what);
}

/* The class of an object that every daemon has. NULL: it is none. */
static const pyro_class *pyroi_own_class(const char *text)
{
    (void)text;
#ifndef PYRO_NO_INTROSPECTION
    if (strcmp(text, PYROI_INTERNAL_ID) == 0)
        return &pyroi_internal;
#endif
#ifndef PYRO_NO_PYRO5
    if (strcmp(text, PYROI_DAEMON5) == 0)
        return &pyroi_internal;
#endif
    return NULL;
}

#if PYRO_LINK_AHEAD != 0
/* The object that a call is for: mostly the one that was called last by this
 * link, which need not be searched for. */
PYROI_FAST pyroi_object *pyroi_called(pyro_daemon *d, const pyro_call *call)
{
    pyroi_link   *l = &d->room_.links[call->link & 0xFFFF];
    pyroi_object *o = &d->room_.objects[l->last_object];

    if (o->cls != NULL && o->name != NULL
        && strcmp(o->name, call->object) == 0)
        return o;
    o = pyroi_lookup(d, call->object);
    if (o != NULL)
        l->last_object = (uint16_t)(o - d->room_.objects);
    return o;
}
#else
#define pyroi_called(d, call) pyroi_lookup(d, (call)->object)
#endif

/* Finds the object and runs the method. */
PYROI_FAST unsigned pyroi_run_on(pyro_daemon *d, pyro_call *call,
                                 unsigned given)
{
    pyroi_object *o = pyroi_called(d, call);
    unsigned      err;

    const pyro_class *own;

    if (o == NULL) {
        own = pyroi_own_class(call->object);
        if (own != NULL)
            return pyroi_run(call, own, d, given);
        return pyroi_raise_name(call, PYRO_ERR_NAMING, PYROI_NO_OBJECT,
                                call->object);
    }
#ifndef PYRO_NO_ANY
    if (o->waiting > 0 && (o->cls->flags & PYRO_EXCLUSIVE) != 0) {
        pyroi_count(d, busy);
        return PYRO_ERR_BUSY;
    }
#endif
    o->waiting++;
    pyroi_count(d, calls);
    err = pyroi_run(call, o->cls, o->self, given);
    o->waiting--;
    if (err == PYRO_OK && call->args.err != PYRO_OK)
        err = pyroi_raise_text(call, PYRO_ERR_TYPE,
                               "arguments are not what the method reads");
    return err;
}

#ifndef __OPTIMIZE_SIZE__
/* A name of up to 31 ASCII characters, without a zero byte, and the byte
 * behind it: gives how many there are, or 0 when it is none. */
PYROI_FAST size_t pyroi_short_name(const uint8_t *p, const uint8_t *end)
{
    size_t n = *p ^ 0xA0u;

    if (n - 1 > 30 || (size_t)(end - p) < n + 2
        || !pyroi_ascii(p + 1, n, 0x0101010101010101))
        return 0;
    return n;
}

/* Takes a body apart as most are written: short names, up to 15 arguments.
 * False: it is another, or wrong. */
static bool pyroi_open_short(pyro_call *call, unsigned *given)
{
    uint8_t       *at = pyroi_bytes(call->args_buf_);
    const uint8_t *end = call->args.end;
    uint8_t       *body = at;
    const char    *object;
    size_t         object_n;
    size_t         method_n;

    at += call->args.at - body;
    if (end - at < 5 || *at++ != 0x94
        || (object_n = pyroi_short_name(at, end)) == 0)
        return false;
    object = (const char *)at + 1;
    at += 1 + object_n;
    if ((method_n = pyroi_short_name(at, end)) == 0
        || (at[1 + method_n] ^ 0x90u) > PYRO_MAX_ARGS
        || (at[1 + method_n] ^ 0x90u) > (size_t)(end - at) - 2 - method_n)
        return false;
    *at++ = 0; /* only now are both names to be read by others */
    call->object = object;
    call->method = (const char *)at;
    at += method_n;
    *given = *at ^ 0x90u;
    *at = 0;
    call->args.at = at + 1;
    return true;
}
#endif

/* Takes a body apart: object, method, list of arguments. Returns false when
 * it is not that. Both names get their zero byte in place, over bytes already
 * read. */
PYROI_FAST bool pyroi_open_body(pyro_call *call, unsigned *given)
{
    pyro_reader *in = &call->args;
    uint8_t     *body = pyroi_bytes(call->args_buf_);
    uint32_t     object_n;
    uint32_t     method_n;
    const char  *object;
    const char  *method;

#ifndef __OPTIMIZE_SIZE__
    if (pyroi_open_short(call, given))
        return true;
#endif
    if ((uint32_t)pyroi_number(in, PYRO_LIST) != 4)
        return false;
    object = pyro_get_str(in, &object_n);
    method = pyro_get_str(in, &method_n);
    *given = pyro_get_list(in, pyroi_batched(call) ? 0xFFFF : PYRO_MAX_ARGS);
    if (in->err != PYRO_OK || object_n > PYRO_MAX_NAME
        || method_n > PYRO_MAX_NAME)
        return false;
    body[(size_t)((const uint8_t *)object - body) + object_n] = 0;
    body[(size_t)((const uint8_t *)method - body) + method_n] = 0;
    if (strlen(object) != object_n || strlen(method) != method_n)
        return false;
    call->object = object;
    call->method = method;
    return true;
}

/* Whatever is in the result of a call becomes one value, or an exception that
 * says what went wrong. */
PYROI_FAST void pyroi_end_result(pyro_call *call)
{
    pyro_writer *w = &call->result;
    unsigned     err;

    if (w->more > 0)
        pyro_put_nil(w);
    err = pyro_writer_end(w);
    if (err == PYRO_ERR_NOSPACE)
        err = pyroi_raise_numbers(
            call, err, "result over ",
            (uint32_t)(w->end - pyroi_bytes(call->reply_buf_) - PYROI_BODY),
            " bytes; this buffer takes ", pyroi_max_body(call->node));
    else if (err != PYRO_OK)
        err = pyroi_raise_text(call, PYRO_ERR_TYPE,
                               "handler left a malformed result");
    pyroi_settle(call, err);
}

/* Queues the result of a call as its reply, unless it comes later: for which
 * link. */
static pyroi_link *pyroi_queue_reply(pyro_daemon *d, pyro_call *call)
{
    pyroi_link *l = pyroi_caller(call);

    if (l == NULL || call->state_ == PYROI_DEFERRED) {
        if (call->state_ != PYROI_DEFERRED)
            pyroi_count(d, unsent);
        pyroi_give_all(d, &call->reply_buf_);
        return NULL;
    }
    pyroi_end_result(call);
    if (pyroi_is5(l) && !pyroi_encode5(d, l, call))
        return NULL;
    (void)pyroi_seal(l, call->reply_buf_,
                     PYROI_WHAT(PYROI_RESULT, call->state_ == PYROI_RAISED
                                                  ? PYROI_EXCEPTION
                                                  : 0),
                     call->seq_,
                     call->result.at); /* it knew what the peer accepts */
    pyroi_label5(call);
    pyroi_queue(d, l, call->reply_buf_);
    return l;
}

/* Calls that are not answered yet: those of handlers on the stack, innermost
 * first, and deferred ones. */
static void pyroi_call_begin(pyro_daemon *d, pyro_call *call)
{
    call->outer_ = d->calls_;
    d->calls_ = call;
}

/* A call is over: what is in its result leaves, if there is one. */
PYROI_SHARED static void pyroi_call_end(pyro_call *call)
{
    pyro_daemon *d = call->node;
    pyro_call  **at = &d->calls_;
    pyroi_link  *l = NULL;

    while (*at != call)
        at = &(*at)->outer_;
    *at = call->outer_;
    if (call->reply_buf_ != NULL)
        l = pyroi_queue_reply(d, call);
    call->reply_buf_ = NULL;
    call->node = NULL;
    if (l == NULL)
        return;
    if (PYROI_CORKS && l->input)
        pyroi_cork(d);
    else
        pyroi_flush(d, l);
}

/* One INVOKE that has come in whole; or one that was too
 * long, and has only a buffer for its reply. The buffers are ours from here
 * on; the link may go at any time. */
static void pyroi_dispatch(pyro_daemon *d, pyroi_link *l)
{
    pyroi_buffer *b = l->rx_buf;
    uint32_t      len = pyroi_body_bytes(l->head);
    pyro_call     call;
    unsigned      given;
    unsigned      err = PYRO_ERR_PROTOCOL;

    l->rx_buf = NULL;
    call.node = d;
    call.object = NULL;
    call.link = l->id;
    call.state_ = PYROI_RUNNING;
    call.seq_ = (uint16_t)pyroi_load16(l->head + 4);
    call.oneway = (l->head[3] & PYROI_ONEWAY) != 0;
    call.args_buf_ = b;
    call.reply_buf_ = b->next;
#ifndef PYRO_NO_PYRO5
    call.kept_ = 0;
    call.form_ = pyroi_is5(l) ? pyroi_form5(d, l) : 0;
    call.flags_ = l->head[3];
    if (pyroi_coded(d, l))
        call.flags_ |= PYROI_CODED;
#endif
    pyroi_call_begin(d, &call);
    d->depth_++;
    if (!pyroi_fits_buffer(d, len)) {
        call.args_buf_ = NULL;
        call.reply_buf_ = b;
    } else {
        b->next = NULL;
    }
    call.args = pyro_reader_of(pyroi_bytes(b), len);
    pyroi_begin_result(&call);
    if (call.args_buf_ == NULL)
        err = pyroi_raise_numbers(&call, err, "message too long: ", len,
                                  " bytes, accepted: ", pyroi_max_body(d));
    else if (pyroi_is5(l))
        err = pyroi_run5(d, l, &call);
    else if (pyroi_open_body(&call, &given))
        err = pyroi_run_on(d, &call, given);
    pyroi_settle(&call, err);
    d->depth_--;
    pyroi_ran5(&call);
    pyroi_give_all(d, &call.args_buf_);
    pyroi_call_end(&call);
}

/* ------------------------------------------------------------------------
 * >>later: deferred replies, calls whose handler has returned
 * ------------------------------------------------------------------------ */

PYRO_DEF void pyro_defer(pyro_call *call, pyro_later *later, uint32_t ms)
{
    pyro_daemon *d = call->node;
    pyro_call   *copy = &later->call_;
    pyro_call   *used = d->calls_;

    while (used != NULL && used != copy)
        used = used->outer_;
    if (used != NULL || pyroi_batched(call)) {
        pyroi_settle(call, pyroi_raise_text(call, PYRO_ERR_STATE,
                                            "deferred in a batch, or into a "
                                            "pyro_later that is in use"));
        return;
    }
    memset(later, 0, sizeof *later);
    if (call->state_ != PYROI_RUNNING)
        return;
    if (!call->oneway) {
        copy->seq_ = call->seq_;
#ifndef PYRO_NO_PYRO5
        copy->form_ = call->form_;
        copy->flags_ = call->flags_;
#endif
        copy->node = d;
        copy->link = call->link;
        copy->outer_ = d->calls_;
        d->calls_ = copy;
        later->due_ = d->now_ + pyroi_or(ms, pyroi_timeout_ms(d));
        pyroi_arm(d, later->due_);
    }
    call->state_ = PYROI_DEFERRED;
}

PYRO_DEF bool pyro_later_open(const pyro_later *later)
{
    return later->call_.node != NULL && pyroi_caller(&later->call_) != NULL;
}

PYRO_DEF void pyro_later_drop(pyro_later *later)
{
    pyro_call *call = &later->call_;

    if (call->node == NULL)
        return;
    pyroi_give_all(call->node, &call->reply_buf_);
    pyroi_call_end(call);
}

/* Takes a buffer for a deferred reply (rule R4). */
static pyro_err pyroi_later_take(pyro_later *later)
{
    pyro_call   *call = &later->call_;
    pyro_daemon *d = call->node;

    if (!pyro_later_open(later)) {
        if (d != NULL)
            pyroi_call_end(call);
        return PYRO_ERR_CLOSED;
    }
    if (call->reply_buf_ != NULL)
        return PYRO_OK;
    if (d->n_[PYROI_SPARE] <= pyroi_reserve(d) + pyroi_is_coded(call))
        return PYRO_ERR_NOSPACE;
    call->reply_buf_ = pyroi_take(d, PYROI_SERVE);
    if (pyroi_is_coded(call))
        call->reply_buf_->next = pyroi_take(d, PYROI_SERVE);
    return PYRO_OK;
}

PYRO_DEF pyro_writer *pyro_finish(pyro_later *later)
{
    pyro_call *call = &later->call_;
    pyro_err   err = pyroi_later_take(later);

    pyroi_begin_result(call); /* of no bytes where there is an error */
    call->result.err = (uint8_t)err;
    return &call->result;
}

PYRO_DEF pyro_err pyro_reply(pyro_later *later)
{
    pyro_call *call = &later->call_;

    if (!pyro_later_open(later))
        return pyroi_later_take(later);
    if (call->reply_buf_ == NULL)
        return call->result.err != PYRO_OK ? (pyro_err)call->result.err
                                           : PYRO_ERR_STATE;
    pyroi_call_end(call);
    return call->state_ == PYROI_RAISED ? PYRO_ERR_DATA : PYRO_OK;
}

PYRO_DEF pyro_err pyro_fail(pyro_later *later, const char *type,
                            const char *message)
{
    pyro_err err = pyroi_later_take(later);

    if (err != PYRO_OK)
        return err;
    pyro_raise(&later->call_, type, message);
    pyroi_call_end(&later->call_);
    return PYRO_OK;
}

/* Ends a deferred reply that nobody finishes in time, or waits for. */
static void pyroi_later_times(pyro_daemon *d)
{
    pyro_call *call = d->calls_;
    pyro_call *next;

    for (; call != NULL; call = next) {
        pyro_later *later = (pyro_later *)(void *)call; /* its first member */

        next = call->outer_;
        if (call->args_buf_ != NULL)
            continue; /* a handler that runs */
        if ((!pyro_later_open(later)
             || (pyroi_due_now(d, later->due_) && call->reply_buf_ == NULL))
            && pyro_fail(later, pyroi_err_name(PYRO_ERR_TIMEOUT),
                         PYROI_T("the deferred reply did not come"))
                   == PYRO_ERR_NOSPACE)
            pyroi_arm(d, d->now_ + 1);
    }
}

#endif /* PYRO_NO_SERVER */

/* ------------------------------------------------------------------------
 * >>requests: calls that are under way
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_CLIENT

/* Until a request is sent its link_ is 0; it is 0 again when that is lost. */
enum {
    PYROI_IDLE,
    PYROI_DONE,
    PYROI_BUILDING,
    PYROI_WAITING,
    PYROI_UNSENT, /* waits for its buffer, is there a call that blocks */
    PYROI_LEAVING /* the same, of a oneway */
};

/* The request with a number on a link that waits for its answer. */
static pyro_request *pyroi_request_of(const pyro_daemon *d, pyro_link link,
                                      unsigned seq)
{
    pyro_request *rq = d->requests_;

    while (rq != NULL && (rq->link_ != link || rq->seq_ != seq))
        rq = rq->next_;
    return rq;
}

/* Whether it is known if a call has left. */
#ifdef PYRO_NO_SENT
#define pyroi_was_sent(rq)         true
#define pyroi_set_sent(rq, is)     ((void)0)
#define pyroi_unsend(d, l, rq)     ((void)(d), (void)(l))
#define pyroi_tell_sent(proxy, rq) ((void)0)
#else
#define pyroi_was_sent(rq)         ((rq)->sent_ != 0)
#define pyroi_set_sent(rq, is)     ((void)((rq)->sent_ = (is)))
#define pyroi_tell_sent(proxy, rq) ((void)((proxy)->sent_ = (rq)->sent_))

/* Where the buffer of a request that has not begun to leave stands in the send
 * queue; NULL when it has left, at least in part. */
static pyroi_buffer **pyroi_unsent(pyroi_link *l, unsigned seq)
{
    pyroi_buffer **at = &l->tx;

    for (; *at != NULL; at = &(*at)->next) {
        const uint8_t *head = pyroi_first(*at);

        if (pyroi_kind(head) == PYROI_INVOKE && pyroi_load16(head + 4) == seq)
            break;
    }
    if (*at == NULL || (at == &l->tx && l->tx_at > 0 && l->control == 0))
        return NULL;
    return at;
}

/* Takes a request that has not begun to leave out of the queue: it will not
 * be executed. Any other was sent. */
static void pyroi_unsend(pyro_daemon *d, pyroi_link *l, pyro_request *rq)
{
    pyroi_buffer **at = pyroi_unsent(l, rq->seq_);

    rq->sent_ = at == NULL;
    if (at != NULL) {
        pyroi_buffer *b = *at;

        *at = b->next;
        pyroi_give(d, b);
    }
}
#endif

/* Nobody waits for the answer any more. What has not begun to leave never
 * will; else its number is remembered, so that it is not used again while
 * its reply may still come. */
static void pyroi_give_up(pyro_daemon *d, pyro_request *rq)
{
    pyroi_link *l = pyroi_link_of(d, rq->link_);

    if (l == NULL)
        return;
    l->expects--;
    pyroi_unsend(d, l, rq);
    if (pyroi_was_sent(rq) && l->n_given_up++ == 0)
        l->given_up = rq->seq_;
    pyroi_unused(d, l);
}

#ifdef PYRO_NO_ASYNC

/* A request is over. Who waits for it takes it off the list, which is a part
 * of his stack. */
static void pyroi_settled(pyro_request *rq, unsigned err)
{
    rq->state_ = PYROI_DONE;
    rq->link_ = 0;
    rq->err_ = (uint8_t)err;
}
#define pyroi_finish(rq, err, result) pyroi_settled(rq, err)
#define pyroi_doom(d, rq, err)        pyroi_settled(rq, err)

#else

/* A request is over: what that means for itself and its proxy. */
static void pyroi_settled(pyro_request *rq, unsigned err)
{
    pyro_proxy *proxy = rq->proxy_;

    if (rq->state_ == PYROI_BUILDING)
        pyroi_give(proxy->node_, rq->buf_);
    rq->state_ = PYROI_DONE;
    rq->link_ = 0;
    rq->err_ = proxy->err_ = (uint8_t)err;
    proxy->sent_ = rq->sent_;
}

/* A request ends: it is the caller's again before its callback runs. */
static void pyroi_finish(pyro_request *rq, unsigned err, pyro_reader *result)
{
    pyro_daemon *d = rq->proxy_->node_;
    pyro_request **at = &d->requests_;
    pyro_reader none;

    while (*at != rq)
        at = &(*at)->next_;
    *at = rq->next_;
    if (rq->next_ == NULL)
        d->requests_end_ = at;
    pyroi_settled(rq, err);
    if (rq->fn_ == NULL)
        return;
    if (result == NULL) {
        none = pyro_reader_of("", 0);
        none.err = PYRO_ERR_STATE;
        result = &none;
    }
    rq->fn_(rq->user_, rq, (pyro_err)err, result);
}

/* The next poll ends a request with this error. */
static void pyroi_doom(pyro_daemon *d, pyro_request *rq, unsigned err)
{
    rq->link_ = 0;
    rq->err_ = (uint8_t)err;
    rq->due_ = d->now_;
    pyroi_arm(d, d->now_);
}

#endif

/* Ends a request that nobody wants to hear of any more. */
PYROI_SHARED static void pyroi_cancel(pyro_request *rq)
{
    if (rq->state_ <= PYROI_DONE)
        return;
#ifndef PYRO_NO_ASYNC
    rq->fn_ = NULL;
#endif
    pyroi_give_up(rq->proxy_->node_, rq);
    pyroi_finish(rq, PYRO_ERR_CLOSED, NULL);
}

/* A request's time is over. */
PYROI_COLD static void pyroi_late(pyro_daemon *d, pyro_request *rq)
{
    pyroi_count(d, timeouts);
    pyroi_give_up(d, rq);
    pyroi_why(d,
              pyroi_was_sent(rq)
                  ? PYROI_T("no answer in time: the call may have been "
                            "executed")
                  : PYROI_T("not sent in time: the call was not "
                            "executed"),
              0, 0);
#ifndef PYRO_NO_ASYNC
    pyroi_finish(rq, PYRO_ERR_TIMEOUT, NULL);
#endif
}

/* The same for all requests of a lost link. */
PYROI_COLD static void pyroi_fail_requests(pyro_daemon *d, pyroi_link *l)
{
    pyro_request *rq = d->requests_;
    unsigned      err = PYRO_ERR_CLOSED;

    if (l->reason > PYROI_ERROR)
        err = l->reason - PYROI_ERROR;
    for (; rq != NULL; rq = rq->next_) {
        if (rq->link_ != l->id)
            continue;
        pyroi_unsend(d, l, rq);
        pyroi_doom(d, rq, err);
    }
    l->expects = 0;
}

static void pyroi_no_exception(pyro_proxy *proxy)
{
    proxy->exc_.type = proxy->exc_.message = proxy->exc_.traceback = "";
}

#if PYRO_EXCEPTION_BYTES > 0
/* Copies the next str of an exception into the proxy's text area, whose last
 * byte is at `last`; one that is cut ends in dots, as many as fit. Gives where
 * the next one goes: behind its zero byte, or there when all is full. */
static char *pyroi_keep(char *to, char *last, pyro_reader *in)
{
    uint32_t    n;
    const char *text = pyro_get_str(in, &n);
    size_t      room = (size_t)(last - to);
    bool        cut = n > room;
    char       *end;
    char       *dots;

    if (cut)
        n = (uint32_t)room;
    pyroi_copy(to, text, n);
    end = to + n;
    for (dots = end; cut && dots > to && dots > end - 3;)
        *--dots = '.';
    return end < last ? end + 1 : end;
}

/* Whether a key is that of a refusal. */
static bool pyroi_is_key(const char *key, size_t n, unsigned at)
{
    return (pyroi_busy_body[at] & 31u) == n
        && memcmp(key, pyroi_busy_body + at + 1, n) == 0;
}

#ifndef PYRO_NO_TEXTS
/* The lines of a traceback, as one text. */
static char *pyroi_keep_lines(char *to, char *last, pyro_reader *in)
{
    const char *start = to;
    uint32_t    left = pyro_get_list(in, UINT32_MAX);

    for (; left > 0 && pyro_peek(in) == PYRO_STR; left--) {
        if (to > start && to[-1] == '\0')
            to[-1] = '\n'; /* the line before is whole, and not the last */
        to = pyroi_keep(to, last, in);
#ifndef PYRO_NO_PYRO5
        if (to - start > 1 && to[-2] == '\n')
            (--to)[-1] = '\0'; /* Python's have their own */
#endif
    }
    return to;
}
#endif
#endif

/* Keeps type, message and traceback of an exception for pyro_exception: goes
 * through the map, and through that of its attributes inside of it. A message
 * that is cut or no str is no error: what is there is kept. */
PYROI_COLD static void pyroi_keep_exception(pyro_proxy *proxy, pyro_reader *in)
{
#if PYRO_EXCEPTION_BYTES > 0
    char    *to = proxy->text_;
    char    *last = to + sizeof proxy->text_ - 1;
    uint32_t left = pyro_get_map(in, UINT32_MAX);

    pyroi_no_exception(proxy);
    for (; left > 0; left--) { /* no more than there are bytes */
        uint32_t    n;
        const char *key = pyro_get_str(in, &n);
        pyro_reader value = *in;

        if (pyroi_is_key(key, n, PYROI_BUSY_CLASS)) {
            proxy->exc_.type = to;
            to = pyroi_keep(to, last, &value);
            pyroi_bare5(in, &proxy->exc_.type);
        } else if (pyroi_is_key(key, n, PYROI_BUSY_ARGS)
                   && pyro_get_list(&value, UINT32_MAX) > 0) {
            proxy->exc_.message = to;
            to = pyroi_keep(to, last, &value);
        }
#ifndef PYRO_NO_TEXTS
        else if (pyroi_is(key, n, "_pyroTraceback")) {
            proxy->exc_.traceback = to;
            *to = '\0'; /* there may be none */
            to = pyroi_keep_lines(to, last, &value);
        }
        if (pyroi_is(key, n, "attributes") && pyro_peek(in) == PYRO_MAP)
            left += pyro_get_map(in, UINT32_MAX);
        else
#endif
            pyro_skip(in);
    }
#else
    (void)in;
    pyroi_no_exception(proxy);
#endif
}

/* What the answer of a request says; a value goes into its slot, the texts of
 * an exception to its proxy. Without a slot the value stays to be read. */
PYROI_FAST unsigned pyroi_answer(pyro_request *rq, pyro_reader *in,
                                 bool exception)
{
    const uint8_t *from = in->at;
    size_t         n = (size_t)(in->end - from);

    pyro_skip(in);
    if ((in->err != PYRO_OK || in->at != in->end)
        && !(exception && pyroi_is_cut5(in, from + n)))
        return PYRO_ERR_DATA;
    in->at = from;
    if (!exception) {
        if (rq->slot_.as_ != NULL)
            rq->slot_.as_(rq->slot_.to_, rq->slot_.size_, NULL, in);
        return in->err;
    }
    if ((n == PYROI_BUSY_BYTES && memcmp(from, pyroi_busy_body, n) == 0)
        || (pyroi_from5(in) && pyroi_is_busy5(from, n)))
        return PYRO_ERR_BUSY;
    pyroi_keep_exception(rq->proxy_, in);
    return PYRO_ERR_REMOTE;
}

/* Ends a request with the answer in a buffer, which is given back: before the
 * callback, unless that is to read the result itself. */
PYROI_FAST void pyroi_take_answer(pyro_daemon *d, pyro_request *rq,
                                  pyroi_buffer *b, const pyroi_link *l)
{
    uint32_t    n = pyroi_decode_result5(d, l, b);
    pyro_reader in = pyro_reader_of(pyroi_bytes(b), n);
    unsigned    err;

    pyroi_set_dialect(&in, l);
    err = pyroi_answer(rq, &in, (l->head[3] & PYROI_EXCEPTION) != 0);
    pyroi_set_sent(rq, err != PYRO_ERR_BUSY);
#ifndef PYRO_NO_ASYNC
    if (err == PYRO_OK && rq->fn_ != NULL && rq->slot_.as_ == NULL) {
        pyroi_use(d, b, PYROI_HELD);
        pyroi_finish(rq, err, &in);
        pyroi_give(d, b);
        return;
    }
#endif
    pyroi_give(d, b);
    pyroi_finish(rq, err, NULL);
}

/* A RESULT has come in whole. Without a buffer it was passed over, unwanted or
 * too long for us. */
static void pyroi_answered(pyro_daemon *d, pyroi_link *l)
{
    pyroi_buffer *b = l->rx_buf;
    pyro_request *rq = pyroi_request_of(d, l->id, pyroi_load16(l->head + 4));

    if (rq != NULL && b != NULL) {
        l->rx_buf = NULL;
        l->expects--;
        pyroi_take_answer(d, rq, b, l);
#ifndef PYRO_NO_DENIALS
    } else if (rq != NULL) {
        l->expects--;
        pyroi_why(d, PYROI_T("result too long: raise bytes in PYRO_ROOM"),
                  pyroi_body_bytes(l->head), pyroi_max_body(d));
        pyroi_set_sent(rq, 1);
        pyroi_doom(d, rq, PYRO_ERR_NOSPACE);
#endif
    } else {
        pyroi_count(d, late);
        if (l->n_given_up > 0)
            l->n_given_up--;
        pyroi_give_all(d, &l->rx_buf);
    }
}

#endif /* PYRO_NO_CLIENT */

/* ------------------------------------------------------------------------
 * >>receiving: exactly a header, then exactly its body
 * ------------------------------------------------------------------------ */

/* The port had something else to say than bytes. */
PYROI_COLD static void pyroi_no_bytes(pyro_daemon *d, pyroi_link *l,
                                      int32_t got)
{
#ifndef PYRO_NO_PIPE
    if (got == PYRO_PORT_GAP) {
        pyroi_count(d, gaps);
        pyroi_drop_rx(d, l);
        return;
    }
#endif
    (void)got;
    pyroi_gone(d, l);
}

/* Asks the port for up to n bytes. 0 also when the link has ended. */
PYROI_FAST uint32_t pyroi_recv(pyro_daemon *d, pyroi_link *l, uint8_t *to,
                               uint32_t n)
{
    const pyro_port *port = pyroi_port_of(d, &l->item);
    int32_t          got;

    if (n == 0 || !l->input)
        return 0;
    got = port->recv(port, l->item.handle, l->item.ahead, to, n);
    if (got < 0) {
        pyroi_no_bytes(d, l, got);
        return 0;
    }
    if ((got & PYRO_PORT_MORE) == 0)
        l->input = false;
    n = (uint32_t)got & ~(uint32_t)PYRO_PORT_MORE;
    if (n == 0)
        return 0;
    l->heard = d->now_;
#ifndef PYRO_NO_LOG
    if (d->config_->trace != NULL)
        d->config_->trace(d->config_->user, false, l->id, to, n);
#endif
    return n;
}

#ifndef PYRO_NO_DENIALS
/* Nobody gets a connection on this link: a CONNECTFAIL says why, then it is
 * closed. */
static void pyroi_refuse_link(pyro_daemon *d, pyroi_link *l, unsigned reason)
{
    pyroi_count(d, denied);
    l->reason = (uint8_t)reason;
    l->owed |= PYROI_OWE(PYROI_CONNECTFAIL);
    l->flags |= PYROI_REFUSE;
    l->state = PYROI_CLOSING;
    pyroi_cork(d);
}
#endif

#ifndef PYRO_NO_SERVER

#ifndef PYRO_NO_CLIENT
/* Whether a refusal can be owed: the numbers owed are a range, so what is
 * owed goes first when this one does not continue it. */
static bool pyroi_may_refuse(const pyroi_link *l)
{
    return l->n_busy == 0
        || (!pyroi_is5(l)
            && pyroi_load16(l->head + 4) == (uint32_t)l->busy_seq + l->n_busy);
}

PYROI_COLD static void pyroi_refuse(pyro_daemon *d, pyroi_link *l)
{
    if (l->n_busy++ == 0)
        l->busy_seq = (uint16_t)pyroi_load16(l->head + 4);
#ifndef PYRO_NO_PYRO5
    l->ser = l->head[2] >> 4;
#endif
    pyroi_count(d, busy);
    l->owed |= PYROI_OWE(PYROI_RESULT);
    pyroi_cork(d);
}
#endif

/* Who waits on the stack, innermost first, and for which link. */
#ifdef PYRO_NO_ASYNC
#define PYROI_WAITS requests_
#define pyroi_awaited(d) \
    ((d)->requests_->proxy_ == NULL ? 0 : (d)->requests_->proxy_->link_)
#else
#define PYROI_WAITS      waits_
#define pyroi_awaited(d) ((d)->waits_->link)
#endif

/* Whether this call would be served now if there were buffers. If not it is
 * refused, never left to wait: what it would wait for may wait for it. */
PYROI_FAST bool pyroi_serves(const pyro_daemon *d, const pyroi_link *l)
{
    if (pyroi_is5(l) && pyroi_kind(l->head) == PYROI_CONNECT)
        return true; /* it runs no handler */
#ifdef PYRO_NO_CLIENT
    (void)l;
    return d->depth_ < PYRO_MAX_NESTING;
#else
    if (d->depth_ >= PYRO_MAX_NESTING || l->n_busy > 0)
        return false;
#ifdef PYRO_NO_CONFIG
    return true;
#else
    return d->PYROI_WAITS == NULL
        || d->config_->serve_while_waiting == PYRO_SERVE_ALL
        || (d->config_->serve_while_waiting == PYRO_SERVE_LINK
            && l->id == pyroi_awaited(d));
#endif
#endif
}

/* Rules R0, R1, R5: an INVOKE takes what it needs, all at once, or waits with
 * nothing, or is refused where waiting could be in a circle. False: wait. */
PYROI_FAST bool pyroi_admit_invoke(pyro_daemon *d, pyroi_link *l)
{
    bool     oneway = (l->head[3] & PYROI_ONEWAY) != 0;
    bool     fits = pyroi_fits_buffer(d, pyroi_body_bytes(l->head));
    bool     serves = pyroi_serves(d, l);
    unsigned need = (!oneway && fits) || pyroi_coded(d, l) ? 2 : 1;

    if ((d->flags_ & PYROI_YIELD) != 0)
        return false;
    if (serves && d->n_[PYROI_SPARE] >= need + pyroi_reserve(d)
        && (fits || !oneway)) {
        l->rx_buf = pyroi_take(d, PYROI_SERVE);
        if (need == 2)
            l->rx_buf->next = pyroi_take(d, PYROI_SERVE);
        if (fits)
            l->rx = PYROI_RX_BODY;
        return true;
    }
#ifdef PYRO_NO_CLIENT
    if (fits || !oneway)
        return false;
#else
    if ((fits || !oneway) && serves && !(l->expects > 0 && PYROI_RULE(1))
        && !(d->depth_ + pyroi_held(d) > 0 && d->n_[PYROI_REPLYING] == 0
             && PYROI_RULE(5)))
        return false;
    if (!oneway)
        return pyroi_may_refuse(l);
#endif
    pyroi_count(d, lost_oneway);
    return true;
}
#endif /* PYRO_NO_SERVER */

#ifndef PYRO_NO_CLIENT

#ifndef PYRO_NO_DENIALS
/* A queued request turns out to be too long for the peer. */
PYROI_COLD static void pyroi_fail_queued(pyro_daemon *d, pyroi_link *l,
                                         const uint8_t *frame)
{
    pyro_request *rq = pyroi_request_of(d, l->id, pyroi_load16(frame + 4));

    pyroi_why_long(d, l, frame);
    if (rq == NULL) {
        pyroi_count(d, lost_oneway);
        return;
    }
    l->expects--;
    pyroi_doom(d, rq, PYRO_ERR_NOSPACE);
}
#endif

/* Whether somebody waits for the RESULT whose header is there. Among many it
 * takes long to find him, and is asked again when the body is there: a peer
 * that lies about this gains a buffer that it could have all the same. */
static bool pyroi_expected(const pyro_daemon *d, const pyroi_link *l)
{
#ifndef __OPTIMIZE_SIZE__
    if (l->n_given_up == 0)
        return l->expects > 0;
#endif
    return pyroi_request_of(d, l->id, pyroi_load16(l->head + 4)) != NULL;
}

/* A RESULT: one buffer, which R2 has kept; or nobody waits for it. */
PYROI_FAST bool pyroi_admit_result(pyro_daemon *d, pyroi_link *l)
{
    if ((d->flags_ & PYROI_YIELD) != 0)
        return false;
    if ((!pyroi_fits_buffer(d, pyroi_body_bytes(l->head))
         && !pyroi_cuts5(d, l))
        || !pyroi_expected(d, l))
        return true;
    if (d->n_[PYROI_SPARE] < 1u + pyroi_coded(d, l))
        return false; /* another RESULT sits in the reserve, and will go */
    l->rx_buf = pyroi_take(d, PYROI_INCOMING);
    if (pyroi_coded(d, l))
        l->rx_buf->next = pyroi_take(d, PYROI_INCOMING);
    l->rx = PYROI_RX_BODY;
    return true;
}

#endif /* PYRO_NO_CLIENT */

/* Whether a greeting may come now. A pipe takes any at any time. */
PYROI_COLD static bool pyroi_admit_greeting(pyro_daemon *d, pyroi_link *l)
{
    unsigned kind = pyroi_kind(l->head);
    uint32_t n = pyroi_body_bytes(l->head);
    bool     answer = kind != PYROI_CONNECT;

    if (n - 2 > 62 || (l->head[3] & PYROI_CHECKSUM) == 0
        || ((l->flags & PYROI_PIPE) == 0
            && l->state != (answer ? PYROI_ASKING : PYROI_GREETING)))
        pyroi_bad(d, l, PYROI_T("a greeting out of place or malformed"));
    return true;
}

/* A header is complete: find room for its body, which is passed over if it
 * needs none. False: it has to wait, and the link holds nothing meanwhile. */
static bool pyroi_admit(pyro_daemon *d, pyroi_link *l)
{
    unsigned kind = pyroi_kind(l->head);
    bool     sum = (l->head[3] & PYROI_CHECKSUM) != 0;

    l->rx = PYROI_RX_SKIP;
    l->rx_have = 0;
    l->rx_len = pyroi_body_bytes(l->head) + (sum ? 4u : 0u);
#ifndef PYRO_NO_CHECKSUM
    if (sum)
        l->crc = pyro_crc32(0, l->head, l->n_head);
#endif
    if (pyroi_is5(l))
        return pyroi_admit5(d, l);
    if (kind - PYROI_CONNECT <= (unsigned)PYROI_CONNECTFAIL - PYROI_CONNECT)
        return pyroi_admit_greeting(d, l);
    if (l->state < PYROI_OPEN && pyroi_pipe(d, l, PYROI_PIPE_FRAME))
        return true;
    if (l->state < PYROI_OPEN)
        pyroi_bad(d, l, PYROI_T("a frame before the greeting"));
#ifdef PYRO_NO_CHECKSUM
    else if (sum)
        pyroi_bad(d, l, PYROI_T("a checksum; this build has none"));
#else
    else if (!sum && (l->flags & PYROI_SUMS) != 0)
        pyroi_bad(d, l, PYROI_T("a frame without the checksum agreed"));
#endif
#ifdef PYRO_NO_DENIALS
    else if (pyroi_body_bytes(l->head) > pyroi_max_body(d))
        pyroi_bad(d, l, PYROI_T("a message longer than was announced"));
#endif
#ifndef PYRO_NO_LONG
    else if (l->rx_len > 0x7FFFFFFF || (sum && l->rx_len < 4))
        pyroi_bad(d, l, PYROI_T("a length that cannot be"));
#endif
    else if (pyroi_closing(l) || kind == PYROI_PING)
        return true;
#ifndef PYRO_NO_SERVER
    else if (kind == PYROI_INVOKE)
        return pyroi_admit_invoke(d, l);
#endif
#ifndef PYRO_NO_CLIENT
    else if (kind == PYROI_RESULT)
        return pyroi_admit_result(d, l);
#endif
    else
        pyroi_bad(d, l, PYROI_T("a frame of unknown type"));
    return true;
}

/* Whether the first bytes are ours; says whose they are otherwise. A client
 * of another version gets an answer, where there are texts for that. */
#ifdef PYRO_NO_TEXTS
static bool pyroi_magic(pyro_daemon *d, pyroi_link *l)
{
    if (pyroi_load16(l->head) == 0x5059 && l->head[2] >> 4 == PYROI_WIRE)
        return true;
    pyroi_bad(d, l, "");
    return false;
}
#else
static bool pyroi_magic(pyro_daemon *d, pyroi_link *l)
{
    const uint8_t *p = l->head;
    const char    *text = "another version of the protocol";

    if (p[0] != 'P' || p[1] != 'Y') {
        text = "not the Pyro protocol";
    } else if (p[2] >> 4 == PYROI_WIRE) {
        return true;
    } else if (p[2] == 'R') {
        text = "the peer speaks Pyro 4 or 5";
#ifndef PYRO_NO_DENIALS
    } else if (pyroi_kind(p) == PYROI_CONNECT && l->state == PYROI_GREETING) {
        pyroi_refuse_link(d, l, PYROI_FAIL_VERSION);
        l->rx = PYROI_RX_SKIP;
        l->rx_have = 0;
        l->rx_len = pyroi_body_bytes(p) + 4;
        return false;
#endif
    }
    pyroi_bad(d, l, text);
    return false;
}
#endif

/* Reads a header. True: it is complete. */
static bool pyroi_read_head(pyro_daemon *d, pyroi_link *l)
{
    uint32_t n;

    if (l->n_head < 8) {
        n = pyroi_recv(d, l, l->head + l->n_head, 8u - l->n_head);
        l->n_head = (uint8_t)(l->n_head + n); /* recv may have begun anew */
        if (pyroi_pipe(d, l, PYROI_PIPE_NOISE) || l->n_head < 8
            || !(pyroi_wants5(l) ? pyroi_magic5(d, l) : pyroi_magic(d, l)))
            return false;
    }
    if (pyroi_is5(l))
        return pyroi_read_head5(d, l);
    if ((l->head[3] & PYROI_LONG) == 0)
        return true;
#ifdef PYRO_NO_LONG
    pyroi_bad(d, l, PYROI_T("a long frame; this build has none"));
    return false;
#else
    if (l->n_head < 10) {
        n = pyroi_recv(d, l, l->head + l->n_head, 10u - l->n_head);
        l->n_head = (uint8_t)(l->n_head + n);
    }
    return l->n_head == 10;
#endif
}

PYROI_COLD static void pyroi_link_up(pyro_daemon *d, pyroi_link *l)
{
    uint32_t ours = pyroi_dead_ms(d);
    uint32_t theirs = pyroi_is5(l) ? PYRO_NEVER /* it never says it lives */
                                   : pyroi_load16(l->greet + 14);

    if (theirs == 0 || theirs > ours)
        ours = theirs;
    l->dead = (uint16_t)(ours == PYRO_NEVER ? 0 : ours);
    l->state = PYROI_OPEN;
    l->rx_due = 0;
    l->flags |= PYROI_TELL_UP;
    l->told = d->now_;
    l->n_given_up = 0; /* whatever was under way came before the greeting */
    pyroi_arm(d, d->now_); /* what is due next is another thing now */
    pyroi_cork(d);
    pyroi_ready(d, l);
}

/* Whether the body of a CONNECT or CONNECTOK is what it has to be. */
static bool pyroi_well_greeted(const pyroi_link *l)
{
    const uint8_t *p = l->greet;
    unsigned       i;

    for (i = 0; i < PYROI_GREET; i++) {
        if (pyroi_greeting[i] != 0 && p[i] != pyroi_greeting[i])
            return false;
    }
    return p[17] + (uint32_t)PYROI_GREET == pyroi_body_bytes(l->head)
        && pyroi_load32(p + 9) >= PYROI_LEAST_BODY;
}

/* A CONNECT or CONNECTOK has come in whole and unharmed. */
PYROI_COLD static void pyroi_greeted(pyro_daemon *d, pyroi_link *l,
                                     bool answer)
{
    if (!pyroi_well_greeted(l)) {
        pyroi_bad(d, l, PYROI_T("a greeting out of place or malformed"));
        return;
    }
    if (answer) {
        if (PYROI_PIPE != 0 && l->state != PYROI_ASKING)
            return; /* where anything may come */
        l->flags &= ~(uint32_t)PYROI_SUMS;
    } else if (pyroi_pipe(d, l, PYROI_PIPE_CONNECT)) {
        return;
#ifndef PYRO_NO_DENIALS
    } else if ((l->flags & PYROI_REFUSE) != 0) {
        pyroi_refuse_link(d, l, PYRO_DENY_BUSY);
        return;
#endif
    } else {
        l->owed = PYROI_OWE(PYROI_CONNECTOK);
    }
    if ((l->greet[2] & 1) != 0) {
#ifdef PYRO_NO_CHECKSUM
        pyroi_bad(d, l, PYROI_T("the peer wants checksums"));
        return;
#else
        l->flags |= PYROI_SUMS;
#endif
    }
    pyroi_link_up(d, l);
}

/* A CONNECTFAIL: refused, or the peer of a pipe knows of no connection. */
PYROI_COLD static void pyroi_denied(pyro_daemon *d, pyroi_link *l)
{
    unsigned reason = PYROI_DENIED;

#ifndef PYRO_NO_PIPE
    if (l->greet[1] == PYROI_FAIL_NOT_UP) {
        if (l->state == PYROI_ASKING)
            return; /* of something older: our CONNECT is on its way */
        reason = 0;
    }
#endif
    pyroi_why(d,
              reason == 0 ? pyroi_fail_text(PYROI_FAIL_NOT_UP)
                          : pyro_deny_text((pyro_deny)l->greet[1]),
              l->greet[1], 0);
    pyroi_end(d, l, reason);
}

/* A frame that took no buffer has been passed over, and was in order. */
static void pyroi_passed(pyro_daemon *d, pyroi_link *l)
{
    unsigned kind = pyroi_kind(l->head);

    if (pyroi_is5(l) && pyroi_passed5(d, l))
        return;
    if (kind <= PYROI_CONNECTOK)
        pyroi_greeted(d, l, kind == PYROI_CONNECTOK);
    else if (kind == PYROI_CONNECTFAIL)
        pyroi_denied(d, l);
    else if ((PYROI_PIPE != 0 || PYROI_SPEAKS5) && l->state != PYROI_OPEN)
        return; /* a pipe, and no connection */
#ifndef PYRO_NO_CLIENT
    else if (kind == PYROI_RESULT)
        pyroi_answered(d, l);
#endif
#ifndef PYRO_NO_SERVER
#ifndef PYRO_NO_DENIALS
    else if (l->rx_buf != NULL)
        pyroi_dispatch(d, l); /* too long */
#endif
#ifndef PYRO_NO_CLIENT
    else if (kind == PYROI_INVOKE && (l->head[3] & PYROI_ONEWAY) == 0)
        pyroi_refuse(d, l);
#endif
#endif
    else if (kind == PYROI_PING && pyroi_body_bytes(l->head) == 0) {
        l->owed |= PYROI_OWE(PYROI_PONG);
        pyroi_cork(d);
    }
}

/* One byte of a body that goes to no buffer. What a greeting says is kept. At
 * the end crc is 0 if the checksum is right. */
static void pyroi_pass_byte(pyroi_link *l, uint8_t byte)
{
    uint32_t at = l->rx_have++;

    if (at < PYROI_GREET && pyroi_kind(l->head) <= PYROI_CONNECTFAIL
        && !pyroi_is5(l))
        l->greet[at] = byte;
#ifndef PYRO_NO_CHECKSUM
    if (l->rx_len - at > 4)
        l->crc = pyro_crc32(l->crc, &byte, 1);
    else
        l->crc ^= (uint32_t)byte << 8 * (l->rx_len - l->rx_have);
#endif
}

#ifdef PYRO_NO_CHECKSUM
#define pyroi_damaged(l) false
#else
#define pyroi_damaged(l) \
    (((l)->head[3] & PYROI_CHECKSUM) != 0 && (l)->crc != 0)
#endif

/* Reads a body that goes to no buffer, a piece each turn, so that others get
 * theirs. Nothing is done for a frame before its checksum is known to be
 * right. */
PYROI_COLD static void pyroi_read_away(pyro_daemon *d, pyroi_link *l)
{
    uint8_t  piece[32];
    uint32_t n = l->rx_len - l->rx_have;
    uint32_t i;

    if (n > sizeof piece)
        n = sizeof piece;
    n = pyroi_recv(d, l, piece, n);
    pyroi_keep_denial5(d, l, piece, n);
    for (i = 0; i < n; i++)
        pyroi_pass_byte(l, piece[i]);
    if (l->rx_have < l->rx_len)
        return;
    pyroi_frame_done(l);
    if (pyroi_closing(l))
        return;
    if (pyroi_damaged(l))
        pyroi_bad(d, l, PYROI_T("checksum error"));
    else
        pyroi_passed(d, l);
}

/* Reads a body into its buffer. Both are taken from the link when it is
 * whole. */
static void pyroi_read_body(pyro_daemon *d, pyroi_link *l)
{
    pyroi_buffer *b = l->rx_buf;
    uint8_t      *body = pyroi_bytes(b);
    uint32_t      n = pyroi_read_len5(d, l) - l->rx_have;
    uint32_t      got = pyroi_recv(d, l, body + l->rx_have, n);

    l->rx_have += got;
    if (got < n)
        return; /* or the link has ended, or bytes were lost */
    if (pyroi_is5(l) && l->rx_have < l->rx_len) {
        l->rx = PYROI_RX_SKIP; /* it is cut */
        return;
    }
    pyroi_frame_done(l);
#ifndef PYRO_NO_CHECKSUM
    n = pyroi_body_bytes(l->head);
    if ((l->head[3] & PYROI_CHECKSUM) != 0
        && pyro_crc32(l->crc, body, n) != pyroi_load32(body + n)) {
        pyroi_bad(d, l, PYROI_T("checksum error"));
        return;
    }
#endif
#ifndef PYRO_NO_CLIENT
    if (pyroi_kind(l->head) == PYROI_RESULT) {
        pyroi_answered(d, l);
        return;
    }
#endif
#ifndef PYRO_NO_SERVER
    pyroi_dispatch(d, l);
#endif
}

/* One turn of a link: at most one header and one body. */
PYROI_SHARED PYROI_FAST void pyroi_receive(pyro_daemon *d, pyroi_link *l)
{
    bool later = false;

    if (l->rx == PYROI_RX_HEAD && pyroi_read_head(d, l)) {
        later = !pyroi_admit(d, l);
        if (later)
            l->rx = PYROI_RX_HEAD;
    }
    if (l->rx == PYROI_RX_BODY)
        later = (d->flags_ & PYROI_YIELD) != 0;
    if (later) {
        d->stalled_ = true;
        l->item.want &= (uint8_t)~PYRO_IN;
        l->rx_due = 0; /* the delay is ours */
        return;
    }
    if (l->rx == PYROI_RX_BODY)
        pyroi_read_body(d, l);
    else if (l->rx == PYROI_RX_SKIP)
        pyroi_read_away(d, l);
    if (l->n_head != 0 && l->rx_due == 0 && (l->item.want & PYRO_IN) != 0)
        pyroi_hurry(d, l, pyroi_frame_ms(d));
}

/* Frames that one link is given in a row where they have been read ahead:
 * going from link to link for each costs a cache line or two. */
#if PYRO_LINK_AHEAD == 0
#define PYROI_IN_A_ROW      1
#define pyroi_goes_on(d, l) false
#else
#define PYROI_IN_A_ROW 32

/* Whether the next frame of a link may follow at once: the last one is over,
 * more is there, and nobody waits for a buffer that came free. */
static bool pyroi_goes_on(const pyro_daemon *d, const pyroi_link *l)
{
    return l->state == PYROI_OPEN && l->n_head == 0 && l->input
        && l->ready_next == NULL && (l->flags & PYROI_TELL) == 0
        && (l->item.want & PYRO_IN) != 0 && !d->stalled_;
}
#endif

/* One turn of a link that stands in the ready queue. */
static void pyroi_step(pyro_daemon *d, pyroi_link *l, unsigned *left)
{
    unsigned row = PYROI_IN_A_ROW;

    --*left;
#ifndef PYRO_NO_HOOKS
    if ((l->flags & PYROI_TELL) != 0) {
        if (d->tell_ == NULL)
            l->flags &= ~(uint32_t)PYROI_TELL;
        else
            d->tell_(d, l);
    }
#endif
    if ((l->flags & PYROI_TELL) != 0) {
        d->stalled_ = true;
    } else if (l->state == PYROI_DEAD) {
        l->state = PYROI_FREE;
        d->n_links_--;
        pyroi_arm(d, d->now_); /* listeners wait for this */
    }
    for (;;) {
        pyroi_receive(d, l);
        if (--row == 0 || *left == 0 || !pyroi_goes_on(d, l))
            break;
        --*left;
    }
    if (l->input && (l->item.want & PYRO_IN) != 0) {
        pyroi_ready(d, l);
        if (PYROI_CORKS)
            return;
    }
    if ((l->item.want & PYRO_OUT) == 0)
        pyroi_flush(d, l);
}

/* ------------------------------------------------------------------------
 * >>time: deadlines, keep-alive
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_CLIENT
/* Greets on a link, for our first call through it. */
static void pyroi_greet(pyro_daemon *d, pyroi_link *l)
{
    uint32_t ms = pyroi_greet_ms(d);

    l->state = PYROI_ASKING;
    l->owed |= PYROI_OWE(PYROI_CONNECT);
    pyroi_hurry(d, l, (l->flags & PYROI_PIPE) != 0 ? ms / 8 : ms);
    pyroi_cork(d);
    pyroi_ready(d, l);
}
#endif

/* Whether an open link has been silent for too long: it is given up. Our own
 * silence is broken by a PING, often enough for three to get lost. */
static bool pyroi_silent(pyro_daemon *d, pyroi_link *l)
{
    uint32_t third = l->dead / 3u;

    if (l->dead == 0)
        return false;
    if (d->now_ - l->heard >= l->dead && !l->input
        && (l->item.want & PYRO_IN) != 0) {
        pyroi_why(d, PYROI_T("the peer fell silent, ms"), d->now_ - l->heard,
                  l->dead);
        return true;
    }
    if (d->now_ - l->told >= third) {
        l->told = d->now_; /* even if it has to wait */
        l->owed |= PYROI_OWE(PYROI_PING);
        pyroi_flush(d, l);
    }
    pyroi_arm(d, l->told + third);
    return false;
}

/* What a link was to have done by now it has not. */
static void pyroi_link_times(pyro_daemon *d, pyroi_link *l)
{
    bool late = l->rx_due != 0 && pyroi_due_now(d, l->rx_due);

    if (pyroi_pipe(d, l, late ? PYROI_PIPE_LATE : PYROI_PIPE_TIME))
        return;
    if (late)
        pyroi_why(d, PYROI_T("the peer took too long"), pyroi_frame_ms(d),
                  l->state);
    else if (l->tx_due != 0 && pyroi_due_now(d, l->tx_due))
        pyroi_why(d, PYROI_T("the peer does not read"), l->tx_at, 0);
    else if (!pyroi_silent(d, l))
        return;
    pyroi_count(d, dead);
    pyroi_drop(d, l);
}

#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)
/* Ends requests that are due or lost. A callback may change the list, so it
 * is gone through anew after each; at most a poll's worth. */
static void pyroi_request_times(pyro_daemon *d)
{
    unsigned      left = PYRO_POLL_FRAMES;
    pyro_request *rq = d->requests_;
    pyro_request *next;

    for (; rq != NULL; rq = next) {
        next = rq->next_;
        if (rq->state_ != PYROI_WAITING)
            continue;
        if (!pyroi_due_now(d, rq->due_))
            continue;
        if (left-- == 0) {
            pyroi_arm(d, d->now_);
            return;
        }
        if (rq->err_ == PYRO_OK) /* nothing else is known to be wrong */
            pyroi_late(d, rq);
        else
            pyroi_finish(rq, rq->err_, NULL);
        next = d->requests_;
    }
}
#endif


/* Looks at all deadlines, when the earliest has come. */
static void pyroi_times(pyro_daemon *d)
{
    pyroi_link *l;
    unsigned    i;

    if (!pyroi_reached(d->now_, d->due_))
        return;
    d->due_ = d->now_ + PYROI_FAR;
    for (i = 0; i < PYRO_MAX_LISTEN; i++)
        d->listeners_[i].want = PYRO_IN;
    for (l = d->room_.links; l < d->links_end_; l++)
        pyroi_link_times(d, l);
    if ((d->flags_ & PYROI_YIELD) != 0) {
        pyroi_arm(d, d->now_); /* all else is for the next poll */
        return;
    }
#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)
    pyroi_request_times(d);
#endif
#ifndef PYRO_NO_SERVER
    pyroi_later_times(d);
#endif
#ifndef PYRO_NO_HOOKS
    if (d->run_timers_ != NULL)
        d->run_timers_(d);
#endif
}

/* ------------------------------------------------------------------------
 * >>poll
 * ------------------------------------------------------------------------ */

/* Connections have come in: each has to greet soon. */
static void pyroi_accept(pyro_daemon *d, pyro_item *listener, unsigned ready)
{
    const pyro_port *port = pyroi_port_of(d, listener);
    unsigned         n;
    bool             spare;
    int32_t          handle;
    pyroi_link      *l;

    (void)ready;
    if ((d->flags_ & PYROI_YIELD) != 0)
        return;
    for (n = 0; n < PYRO_POLL_ACCEPTS; n++) {
        if (d->n_links_ == d->room_.n_links) {
            listener->want = 0; /* until one is free */
            return;
        }
        handle = port->accept(port, listener->handle);
        if (handle < 0) {
            if (n == 0) {
                /* ready, and yet nothing: the platform is short of
                 * something; do not spin on it */
                listener->want = 0;
                pyroi_arm(d, d->now_ + 100);
            }
            return;
        }
        spare = PYROI_REFUSE != 0 && d->n_links_ + 1u == d->room_.n_links;
        l = pyroi_link_new(d, port, handle,
                           spare ? (uint32_t)PYROI_REFUSE : 0u);
        l->input = true;
        pyroi_hurry(d, l, spare ? 200 : pyroi_greet_ms(d));
        pyroi_ready(d, l);
    }
}

#ifdef PYRO_NO_CONFIG

static void pyroi_wait_ports(pyro_daemon *d, int32_t ms)
{
    d->port_->wait(d->port_, d->items_, ms);
}

#else

/* Asks each port once: those that share a wait function are one. With
 * several one is given the time to wait, in slices of 5 ms. */
static void pyroi_wait_ports(pyro_daemon *d, int32_t ms)
{
    pyro_item       *item = d->items_;
    const pyro_port *first = item != NULL ? item->port : d->port_;

    if (first == NULL)
        return;
    if ((d->flags_ & PYROI_MIXED) != 0 && (ms < 0 || ms > 5))
        ms = 5;
    if (first->wait != NULL) {
        first->wait(first, d->items_, ms);
        if ((d->flags_ & PYROI_MIXED) == 0)
            return;
    }
    for (item = d->items_; item != NULL; item = item->next) {
        if (item->port->wait == NULL)
            item->ready = item->want; /* just tried */
        else if (item->port->wait != first->wait)
            item->port->wait(item->port, d->items_, 0);
    }
}

#endif

/* Looks at the clock; whether that goes is counted. */
PYROI_SHARED static void pyroi_tick(pyro_daemon *d)
{
    uint32_t now = pyro_now(d);

    if (d->now_ != now)
        d->stuck_ = 0;
    d->now_ = now;
}

/* Waits, and deals with what is ready. What runs there may take items off the
 * list. */
static void pyroi_wait(pyro_daemon *d, int32_t ms)
{
    pyro_item *item;
    pyro_item *next;
    unsigned   ready;

    pyroi_wait_ports(d, ms);
    pyroi_tick(d);
    for (item = d->items_; item != NULL; item = next) {
        next = item->next;
        ready = item->ready;
        if (ready == 0)
            continue;
        d->next_item_ = next;
        d->stuck_ = 0;
        item->ready = 0;
        item->event_(d, item, ready);
        next = d->next_item_;
    }
}

/* Stalled links are looked at again when something has changed for them. */
PYROI_FAST void pyroi_look_again(pyro_daemon *d)
{
    pyroi_link *l = d->room_.links;

    if (!d->again_)
        return;
    d->again_ = false;
    if (!d->stalled_)
        return;
    d->stalled_ = false;
    for (; l < d->links_end_; l++) {
        if ((l->item.want & PYRO_IN) != 0 && (l->flags & PYROI_TELL) == 0)
            continue;
        l->item.want |= PYRO_IN;
        pyroi_ready(d, l);
    }
}

/* With many links the memory of each is cold when its turn comes: while one is
 * worked on, that of the next is fetched. */
static void pyroi_fetch(const pyroi_link *next)
{
#if PYRO_LINK_AHEAD != 0 && defined(__GNUC__)
    if (next != NULL) {
        const char *at = (const char *)next;

        for (; at < (const char *)(next + 1); at += 64)
            __builtin_prefetch(at);
        __builtin_prefetch(next->item.ahead);
    }
#else
    (void)next;
#endif
}

/* Takes in what was posted and works the ready queue off, up to `left` steps.
 * Returns what is left. */
PYROI_FAST unsigned pyroi_work(pyro_daemon *d, unsigned left)
{
#ifndef PYRO_NO_HOOKS
    if (left == PYRO_POLL_FRAMES && d->drain_ != NULL && d->drain_(d))
        left--;
#endif
    for (;;) {
        pyroi_link *l;

        pyroi_look_again(d);
        l = d->ready_;
        if (l == NULL || left == 0)
            return left;
        d->ready_ = l->ready_next;
        if (d->ready_ == l) {
            d->ready_ = NULL;
            d->ready_end_ = &d->ready_;
        }
        l->ready_next = NULL;
        pyroi_fetch(d->ready_);
        pyroi_step(d, l, &left);
    }
}

/* How long may be waited: `ms`, but no longer than to the next deadline. */
static int32_t pyroi_may_wait(const pyro_daemon *d, int32_t ms)
{
    int32_t left;

    if (d->ready_ != NULL)
        return 0;
    left = (int32_t)(d->due_ - d->now_);
    if (left < 0)
        return 0;
    return (uint32_t)left > PYRO_MAX_MS || (uint32_t)ms < (uint32_t)left
             ? ms
             : left;
}

/* One round. Work that is there is done before the port is asked, so that it is
 * not asked in vain, and the rest after it. */
static pyro_err pyroi_poll(pyro_daemon *d, int32_t ms)
{
    unsigned left;

    pyroi_tick(d);
    left = pyroi_work(d, PYRO_POLL_FRAMES);
    pyro_flush(d); /* nothing is held back while anybody waits */
    /* What was done, or came free, may be just what somebody waits for. */
    ms = left < PYRO_POLL_FRAMES || d->again_ ? 0 : pyroi_may_wait(d, ms);
    if (ms != 0)
        d->stuck_++;
    pyroi_wait(d, ms);
    (void)pyroi_work(d, left);
    pyroi_times(d);
    pyro_flush(d);
    if (d->stuck_ < PYRO_STUCK_POLLS)
        return PYRO_OK;
    d->stuck_ = 0;
    return PYRO_ERR_STATE;
}

PYRO_DEF pyro_err pyro_poll(pyro_daemon *node, int32_t ms)
{
#ifndef PYRO_NO_GATHER
    pyroi_link *l = node->room_.links;

    for (; l < node->links_end_ && (node->flags_ & PYROI_GATHERED) != 0; l++)
        l->flags &= ~(uint32_t)PYROI_GATHER;
    node->flags_ &= ~(uint32_t)PYROI_GATHERED;
#endif
    if ((node->flags_ & PYROI_YIELD) != 0)
        return PYRO_ERR_STATE;
    return pyroi_poll(node, ms);
}

#ifndef PYRO_NO_HOOKS
PYRO_DEF void pyro_yield(pyro_daemon *node)
{
    if ((node->flags_ & PYROI_YIELD) != 0)
        return;
    node->flags_ |= PYROI_YIELD;
    (void)pyroi_poll(node, 0);
    node->flags_ &= ~(uint32_t)PYROI_YIELD;
    node->again_ = true;
}
#endif

PYRO_DEF const pyro_item *pyro_items(const pyro_daemon *node)
{
    return node->items_;
}

PYRO_DEF int32_t pyro_next_ms(pyro_daemon *node)
{
    node->now_ = pyro_now(node);
    if (node->again_ || node->corked_)
        return 0;
    return pyroi_may_wait(node, -1);
}

/* ------------------------------------------------------------------------
 * >>open: a daemon's beginning and end, and what is lent to it
 * ------------------------------------------------------------------------ */

PYRO_DEF const pyro_port *pyro_port_of(const pyro_daemon *node)
{
    return node->port_;
}

PYRO_DEF uint32_t pyro_now(const pyro_daemon *node)
{
    return pyroi_has_port(node) ? node->port_->now(node->port_) : 0;
}

PYRO_DEF bool pyro_random(const pyro_daemon *node, void *to, size_t n)
{
    return pyroi_has_port(node) && node->port_->random != NULL
        && node->port_->random(node->port_, to, n);
}

/* The first port used tells the time; session and ids are drawn then. */
static void pyroi_use_port(pyro_daemon *d, const pyro_port *port)
{
#ifndef PYRO_NO_CONFIG
    if (d->port_ != NULL || port == NULL)
        return;
#endif
    d->port_ = port;
    d->now_ = port->now(port);
    d->due_ = d->now_ + PYROI_FAR;
    d->ids_[0] = d->config_->boot;
    d->ids_[1] = d->now_;
    (void)pyro_random(d, d->ids_, sizeof d->ids_);
}

PYRO_DEF void pyro_guid(pyro_daemon *node, char to[33])
{
    uint8_t id[16];

    if (!pyro_random(node, id, sizeof id)) {
        pyroi_store32(id, node->ids_[0]);
        pyroi_store32(id + 4, node->ids_[1]);
        pyroi_store32(id + 8, node->ids_[2]);
        pyroi_store32(id + 12, ++node->guids_);
    }
    pyroi_hex(id, to);
}

PYRO_DEF pyro_err pyro_open(pyro_daemon *node, pyro_room room,
                            const pyro_config *config)
{
#ifndef PYRO_NO_CONFIG
    static const pyro_config defaults = { NULL, NULL, NULL, 0,   0,
                                          0,    0,    0,    0,   0,
                                          NULL, NULL, NULL, NULL };
#endif
    unsigned i;

    memset(node, 0, sizeof *node);
    if (room.layout != PYRO_LAYOUT) {
        pyroi_why(node, PYROI_T("built with other macros than the library"),
                  room.layout, PYRO_LAYOUT);
        return PYRO_ERR_STATE;
    }
    if (room.n_buffers < 1 || room.buffer_bytes < 64) {
        pyroi_why(node, PYROI_T("PYRO_ROOM: a buffer has at least 64 bytes"),
                  room.buffer_bytes, 64);
        return PYRO_ERR_NOSPACE;
    }
    node->room_ = room;
#ifdef PYRO_NO_CONFIG
    node->config_ = config;
    if (config == NULL || config->port == NULL)
        return PYRO_ERR_STATE;
#else
    node->config_ = config != NULL ? config : &defaults;
#endif
    memset(room.links, 0, room.n_links * sizeof *room.links);
    memset(room.objects, 0, room.n_objects * sizeof *room.objects);
    node->links_end_ = room.links;
    node->ready_end_ = &node->ready_;
#ifndef PYRO_NO_HOOKS
    node->waker_ = -1;
#endif
#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)
    node->requests_end_ = &node->requests_;
#endif
#ifndef PYRO_NO_STATS
    node->stats.least_free = room.n_buffers;
#endif
    for (i = 0; i < room.n_buffers; i++) {
        pyroi_buffer *b = (pyroi_buffer *)(void *)((uint8_t *)room.buffers
                                                   + i * room.buffer_step);

        b->use = PYROI_SPARE;
        pyroi_give(node, b);
    }
    node->n_[PYROI_SPARE] = room.n_buffers;
    pyroi_use_port(node, node->config_->port);
#if defined(PYRO_POSIX) && !defined(PYRO_NO_CONFIG)
    pyroi_use_port(node, pyro_posix());
#endif
    return PYRO_OK;
}

PYRO_DEF pyro_err pyro_listen(pyro_daemon *node, const pyro_port *port,
                              const char *address)
{
    int32_t  handle = -1;
    unsigned i = 0;

    while (i < PYRO_MAX_LISTEN && node->listeners_[i].port != NULL)
        i++;
    if (i == PYRO_MAX_LISTEN) {
        pyroi_why(node, PYROI_T("listeners full: raise PYRO_MAX_LISTEN"), i,
                  i);
        return PYRO_ERR_NOSPACE;
    }
    if (port->listen != NULL)
        handle = port->listen(port, address);
    if (handle < 0) {
        pyroi_why(node, PYROI_T("the port cannot use this address"), 0, 0);
        return PYRO_ERR_DAEMON;
    }
#ifndef PYRO_NO_CONFIG
    pyroi_use_port(node, port);
#endif
    node->listeners_[i].event_ = pyroi_accept;
    pyroi_item_add(node, &node->listeners_[i], port, handle);
    return PYRO_OK;
}

PYRO_DEF pyro_err pyro_listening(pyro_daemon *node, unsigned index, char *to,
                                 size_t size)
{
    const pyro_item *item = &node->listeners_[index];

    if (index >= PYRO_MAX_LISTEN || item->port == NULL)
        return PYRO_ERR_STATE;
    if (item->port->address == NULL
        || !item->port->address(item->port, item->handle, false, to, size))
        return PYRO_ERR_DAEMON;
    return PYRO_OK;
}

PYRO_DEF void pyro_close(pyro_daemon *node)
{
    pyroi_link *l = node->room_.links;
    unsigned    i;

    pyro_flush(node);
    node->flags_ |= PYROI_CLOSED;
    for (; l < node->links_end_; l++) {
        l->flags &= ~(uint32_t)PYROI_PIPE;
        if (l->state != PYROI_FREE)
            pyroi_drop(node, l);
    }
    for (i = 0; i < PYRO_MAX_LISTEN; i++) {
        const pyro_item *item = &node->listeners_[i];

        if (item->port != NULL)
            item->port->close(item->port, item->handle);
    }
#ifndef PYRO_NO_HOOKS
    if (node->waker_ >= 0) {
        node->wake_.port->close(node->wake_.port, node->wake_.handle);
        node->wake_.port->close(node->wake_.port, node->waker_);
    }
    node->timers_ = NULL;
    node->hooks_ = NULL;
    node->rings_ = NULL;
#endif
#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)
    while (node->requests_ != NULL)
        pyroi_finish(node->requests_, PYRO_ERR_CLOSED, NULL);
#endif
#ifndef PYRO_NO_SERVER
    while (node->calls_ != NULL) /* all deferred: no handler runs */
        pyroi_call_end(node->calls_);
#endif
    node->items_ = NULL;
#ifndef PYRO_NO_PYRO5
    node->proxies_ = NULL;
#endif
    node->links_end_ = node->room_.links;
    node->room_.n_links = 0;
}

#ifndef PYRO_NO_HOOKS

static void pyroi_watched_event(pyro_daemon *d, pyro_item *item,
                                unsigned ready)
{
    pyro_watched *watched = (pyro_watched *)(void *)item;

    if ((d->flags_ & PYROI_YIELD) == 0)
        watched->fn(watched->user, d, ready);
}

PYRO_DEF void pyro_watch(pyro_daemon *node, pyro_watched *watched,
                         const pyro_port *port, int32_t handle, unsigned want)
{
    watched->item_.ahead = NULL;
    watched->item_.event_ = pyroi_watched_event;
    pyroi_item_add(node, &watched->item_, port, handle);
    watched->item_.want = (uint8_t)want;
}

PYRO_DEF void pyro_unwatch(pyro_daemon *node, pyro_watched *watched)
{
    pyroi_item_drop(node, &watched->item_);
}

/* Runs timers that are due, in the order they are due; at most a poll's
 * worth, for one that sets itself to 0 again. */
static void pyroi_run_timers(pyro_daemon *d)
{
    unsigned left = PYRO_POLL_FRAMES;

    while (d->timers_ != NULL && pyroi_reached(d->now_, d->timers_->due_)) {
        pyro_timer *timer = d->timers_;

        if (left-- == 0)
            break;
        d->timers_ = timer->next_;
        timer->fn(timer->user, d);
    }
    if (d->timers_ != NULL)
        pyroi_arm(d, d->timers_->due_);
}

PYRO_DEF void pyro_timer_stop(pyro_daemon *node, pyro_timer *timer)
{
    pyro_timer **at = &node->timers_;

    while (*at != NULL && *at != timer)
        at = &(*at)->next_;
    if (*at != NULL)
        *at = timer->next_;
}

PYRO_DEF void pyro_timer_set(pyro_daemon *node, pyro_timer *timer, uint32_t ms)
{
    pyro_timer **at = &node->timers_;

    pyro_timer_stop(node, timer);
    timer->due_ = pyro_now(node) + ms;
    while (*at != NULL && pyroi_reached(timer->due_, (*at)->due_))
        at = &(*at)->next_;
    timer->next_ = *at;
    *at = timer;
    node->run_timers_ = pyroi_run_timers;
    pyroi_arm(node, timer->due_);
}

/* A walk along the hooks: pyro_hook_drop mends all that are under way. */
typedef struct pyroi_telling {
    pyro_hook            *next;
    struct pyroi_telling *outer;
} pyroi_telling;

static void pyroi_tell(pyro_daemon *d, pyro_link link, pyro_event event)
{
    pyroi_telling telling;

    telling.next = d->hooks_;
    telling.outer = d->telling_;
    d->telling_ = &telling;
    while (telling.next != NULL) {
        pyro_hook *hook = telling.next;

        telling.next = hook->next_;
        hook->fn(hook->user, d, link, event);
    }
    d->telling_ = telling.outer;
}

/* Tells what has happened to a link, in order, once nobody yields. */
static void pyroi_tell_all(pyro_daemon *d, pyroi_link *l)
{
    static const uint32_t flags[] = { PYROI_TELL_GONE, PYROI_TELL_UP,
                                      PYROI_TELL_ROOM };
    static const uint8_t  events[] = { PYRO_LINK_GONE, PYRO_LINK_UP,
                                       PYRO_LINK_WRITABLE };
    pyro_link             link = l->id;
    unsigned              i;

    for (i = 0; i < 3 && (d->flags_ & PYROI_YIELD) == 0; i++) {
        if ((l->flags & flags[i]) == 0 || l->id != link)
            continue;
        l->flags &= ~flags[i];
        pyroi_tell(d, link, (pyro_event)events[i]);
    }
}

PYRO_DEF void pyro_hook_add(pyro_daemon *node, pyro_hook *hook)
{
    hook->next_ = node->hooks_;
    node->hooks_ = hook;
    node->tell_ = pyroi_tell_all;
}

PYRO_DEF void pyro_hook_drop(pyro_daemon *node, pyro_hook *hook)
{
    pyro_hook    **at = &node->hooks_;
    pyroi_telling *telling = node->telling_;

    while (*at != NULL && *at != hook)
        at = &(*at)->next_;
    if (*at != NULL)
        *at = hook->next_;
    for (; telling != NULL; telling = telling->outer) {
        if (telling->next == hook)
            telling->next = hook->next_;
    }
}

static void pyroi_woken(pyro_daemon *d, pyro_item *item, unsigned ready)
{
    uint8_t drop[32];

    (void)d;
    (void)ready;
    item->port->recv(item->port, item->handle, NULL, drop, sizeof drop);
}

PYRO_DEF pyro_err pyro_wake_open(pyro_daemon *node)
{
    int32_t handles[2];

    if (node->waker_ >= 0)
        return PYRO_OK;
    if (node->port_ == NULL || node->port_->wake_open == NULL
        || !node->port_->wake_open(node->port_, handles)) {
        pyroi_why(node, PYROI_T("the port cannot be woken"), 0, 0);
        return PYRO_ERR_DAEMON;
    }
    node->wake_.event_ = pyroi_woken;
    pyroi_item_add(node, &node->wake_, node->port_, handles[0]);
    node->waker_ = handles[1];
    return PYRO_OK;
}

PYRO_DEF void pyro_wake(const pyro_daemon *node)
{
    if (node->waker_ >= 0)
        node->wake_.port->wake(node->wake_.port, node->waker_);
}

/* One side only ever writes put_, the other got_; a value is written before
 * put_ tells of it (release) and read after (acquire). */
#ifdef __GNUC__
#ifndef PYRO_LOAD_ACQ
#define PYRO_LOAD_ACQ(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#endif
#ifndef PYRO_STORE_REL
#define PYRO_STORE_REL(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#endif
#else /* enough for interrupts, and for threads of one processor */
#ifndef PYRO_LOAD_ACQ
#define PYRO_LOAD_ACQ(p) (*(const volatile uint8_t *)(p))
#endif
#ifndef PYRO_STORE_REL
#define PYRO_STORE_REL(p, v) (*(volatile uint8_t *)(p) = (v))
#endif
#endif

static uint8_t pyroi_ring_after(const pyro_ring *ring, unsigned i)
{
    return (uint8_t)(i + 1 == ring->size ? 0 : i + 1);
}

PYRO_DEF bool pyro_post(pyro_ring *ring, uintptr_t value)
{
    uint8_t put = ring->put_;
    uint8_t after = pyroi_ring_after(ring, put);

    if (after == PYRO_LOAD_ACQ(&ring->got_)) {
        if (ring->lost != 255)
            ring->lost++;
        return false;
    }
    ring->values[put] = value;
    PYRO_STORE_REL(&ring->put_, after);
    return true;
}

/* At most one ring's worth each: a fast producer does not hold poll up. */
static bool pyroi_drain_rings(pyro_daemon *d)
{
    pyro_ring *ring = d->rings_;
    unsigned   left;
    bool       any = false;

    for (; ring != NULL; ring = ring->next_) {
        for (left = ring->size; left > 0; left--) {
            uint8_t   got = ring->got_;
            uintptr_t value;

            if (got == PYRO_LOAD_ACQ(&ring->put_)
                || (d->flags_ & PYROI_YIELD) != 0)
                break;
            value = ring->values[got];
            any = true;
            PYRO_STORE_REL(&ring->got_, pyroi_ring_after(ring, got));
            ring->fn(ring->user, value);
        }
    }
    return any;
}

PYRO_DEF void pyro_ring_add(pyro_daemon *node, pyro_ring *ring)
{
    ring->put_ = ring->got_ = ring->lost = 0;
    ring->next_ = node->rings_;
    node->rings_ = ring;
    node->drain_ = pyroi_drain_rings;
}

PYRO_DEF void pyro_ring_drop(pyro_daemon *node, pyro_ring *ring)
{
    pyro_ring **at = &node->rings_;

    while (*at != NULL && *at != ring)
        at = &(*at)->next_;
    if (*at != NULL)
        *at = ring->next_;
}

#endif /* PYRO_NO_HOOKS */

PYRO_DEF pyro_err pyro_link_address(pyro_daemon *node, pyro_link link,
                                    bool peer, char *to, size_t size)
{
    pyroi_link *l = pyroi_link_of(node, link);

    if (l == NULL)
        return PYRO_ERR_CLOSED;
    if (l->item.port->address == NULL
        || !l->item.port->address(l->item.port, l->item.handle, peer, to,
                                  size))
        return PYRO_ERR_DAEMON;
    return PYRO_OK;
}

PYRO_DEF uint32_t pyro_link_session(const pyro_daemon *node, pyro_link link)
{
    const pyroi_link *l = pyroi_link_of(node, link);

    if (l == NULL || l->state != PYROI_OPEN)
        return 0;
    return pyroi_is5(l) ? 1 : pyroi_or(pyroi_load32(l->greet + 4), 1);
}

PYRO_DEF uint32_t pyro_longest(const pyro_daemon *node)
{
    return pyroi_max_body(node);
}

PYRO_DEF bool pyro_link_stuck(const pyro_daemon *node, pyro_link link)
{
    const pyroi_link *l = pyroi_link_of(node, link);

    return l != NULL
        && (l->state != PYROI_OPEN || (l->item.want & PYRO_OUT) != 0);
}

#ifndef PYRO_NO_SERVER
/* Calls that came by a lost link have no caller any more: a pipe keeps its
 * handle, and their replies must not go to whoever is there next. */
static void pyroi_forget_calls(pyro_daemon *d, pyro_link link)
{
    pyro_call *call;

    for (call = d->calls_; call != NULL; call = call->outer_) {
        if (call->link == link)
            call->link = 0;
    }
}
#endif

PYRO_DEF void pyro_link_close(pyro_daemon *node, pyro_link link)
{
    pyroi_link *l = pyroi_link_of(node, link);

    if (l == NULL)
        return;
    pyroi_drop(node, l);
#ifndef PYRO_NO_SERVER
    pyroi_forget_calls(node, link);
#endif
}

#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_URI)

/* The address that a link came to, or from which we made it. */
static bool pyroi_own_address(pyro_daemon *d, pyro_link link, bool ours,
                              char *to, size_t size)
{
    const pyroi_link *l = pyroi_link_of(d, link);

    return l != NULL && (l->key != 0) == ours
        && pyro_link_address(d, link, false, to, size) == PYRO_OK;
}

/* The URI of an object at an address of a port. False: it cannot be. */
static bool pyroi_uri_at(pyro_uri *u, const char *address, const char *object)
{
    size_t n = strlen(address);

    memset(u, 0, sizeof *u);
    if (pyroi_uri_object(u, object, strlen(object)) != NULL
        || !pyroi_utf8((const uint8_t *)object, u->object_n))
        return false;
    if (!pyroi_starts(address, n, "unix:"))
        return pyroi_address(u, address, address + n) == NULL;
    u->host = address;
    u->host_n = (uint8_t)n;
    return n <= PYRO_MAX_HOST;
}

PYRO_DEF pyro_err pyro_uri_of(pyro_daemon *node, pyro_link link,
                              const char *object, char *to, size_t size)
{
    char     address[PYRO_MAX_HOST + 9];
    pyro_uri uri;
    bool     v4; /* everywhere, but not at IPv6 addresses */

    if (!pyroi_own_address(node, link, false, address, sizeof address)
        && pyro_listening(node, 0, address, sizeof address) != PYRO_OK) {
        pyroi_why(node, PYROI_T("nothing is listened on"), 0, 0);
        return PYRO_ERR_DAEMON;
    }
    if (!pyroi_uri_at(&uri, address, object))
        return PYRO_ERR_URI;
    v4 = pyroi_is(uri.host, uri.host_n, "0.0.0.0");
    if (node->config_->host != NULL) {
        uri.host = node->config_->host;
        uri.host_n = (uint8_t)strlen(uri.host);
    } else if (v4 || pyroi_is(uri.host, uri.host_n, "::")) {
        uint16_t number = uri.port;

        /* of the address we called from, the number is nobody's to call */
        if (!pyroi_own_address(node, link, true, address, sizeof address)
            || !pyroi_uri_at(&uri, address, object) || uri.port == 0
            || (v4 && address[0] == '[')) {
            pyroi_why(node, PYROI_T("listening everywhere: set config.host"),
                      0, 0);
            return PYRO_ERR_DAEMON; /* nobody could reach that */
        }
        uri.port = number;
    }
#ifndef PYRO_NO_PYRO5
    uri.pyro5 = pyroi_link_of(node, link) != NULL
             && pyroi_is5(pyroi_link_of(node, link));
#endif
    return pyro_uri_print(&uri, to, size);
}

#endif

/* ------------------------------------------------------------------------
 * >>pipes: handles that are simply there. Who adopts none does not pay
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_PIPE

/* Says nothing unasked for a while. */
static void pyroi_quiet(pyro_daemon *d, pyroi_link *l, uint32_t ms)
{
    pyroi_set_due(d, &l->quiet_due, ms);
}

/* Tells the peer, at most once a second, that we know of no connection; in
 * between it is noted, so that he hears of it in the end. */
static void pyroi_say_down(pyro_daemon *d, pyroi_link *l)
{
    l->missed = l->quiet_due != 0;
    if (l->missed)
        return;
    pyroi_quiet(d, l, 1000);
    if ((l->control & 15u) == PYROI_CONNECTFAIL)
        return; /* its bytes must not change now */
    l->reason = PYROI_FAIL_NOT_UP;
    l->owed |= PYROI_OWE(PYROI_CONNECTFAIL);
    pyroi_cork(d);
}

/* Noise may stand where a header should: looks for the next 'P'. True: bytes
 * were dropped. */
static bool pyroi_noise(pyro_daemon *d, pyroi_link *l)
{
    unsigned at = 0;

    (void)d;
    while (at < l->n_head
           && (l->head[at] != 'P'
               || (at + 1u < l->n_head && l->head[at + 1] != 'Y')))
        at++;
    if (at == 0)
        return false;
    pyroi_count(d, bad);
    l->n_head = (uint8_t)(l->n_head - at);
    memmove(l->head, l->head + at, l->n_head);
    return true;
}

/* A CONNECT. True: both greeted, and the smaller session answers, that is he;
 * else he starts anew. */
static bool pyroi_restarted(pyro_daemon *d, pyroi_link *l)
{
    if (l->state == PYROI_ASKING && d->ids_[0] > pyroi_load32(l->greet + 4))
        return true;
    if (l->state == PYROI_OPEN) {
        pyroi_count(d, restarts);
        pyroi_drop(d, l);
    }
    return false;
}

/* Nobody greets, or a frame stays unfinished. False: of an open link. */
static bool pyroi_pipe_late(pyro_daemon *d, pyroi_link *l)
{
    if (l->state >= PYROI_OPEN)
        return false;
    l->rx_due = 0;
    pyroi_drop_rx(d, l);
    if (l->state == PYROI_DOWN)
        pyroi_count(d, dead);
#ifndef PYRO_NO_CLIENT
    else if (l->expects > 0 || d->now_ - l->heard < pyroi_greet_ms(d))
        pyroi_greet(d, l); /* nobody there yet: once more */
#endif
    else
        pyroi_drop(d, l);
    return true;
}

/* The silence is over: what was missed is made up for. */
static void pyroi_pipe_time(pyro_daemon *d, pyroi_link *l)
{
    if (l->quiet_due == 0 || !pyroi_due_now(d, l->quiet_due))
        return;
    l->quiet_due = 0;
    if (l->missed == 1 && l->state == PYROI_DOWN) {
        pyroi_say_down(d, l);
        pyroi_ready(d, l);
    }
}

/* A pipe is about to go down. */
static void pyroi_pipe_drop(pyro_daemon *d, pyroi_link *l)
{
    if (l->state >= PYROI_OPEN) {
        l->quiet_due = 0;
    } else if (l->state == PYROI_ASKING) {
        pyroi_quiet(d, l, pyroi_greet_ms(d) / 8);
        l->missed = 2; /* it was not wanted: not again at once */
    }
    l->flags =
        (l->flags & ~(uint32_t)PYROI_SUMS) | pyroi_wants_sums(d, l->item.port);
#ifndef PYRO_NO_SERVER
    pyroi_forget_calls(d, l->id);
#endif
}

/* Every place where a pipe differs from a connection comes here. True: that
 * was all. */
static bool pyroi_pipe_event(pyro_daemon *d, pyroi_link *l, unsigned what)
{
    switch (what) {
    case PYROI_PIPE_NOISE:
        return pyroi_noise(d, l);
    case PYROI_PIPE_FRAME:
        if (l->state == PYROI_DOWN)
            pyroi_say_down(d, l);
        return true;
    case PYROI_PIPE_CONNECT:
        return pyroi_restarted(d, l);
    case PYROI_PIPE_LATE:
        pyroi_pipe_time(d, l);
        return pyroi_pipe_late(d, l);
    case PYROI_PIPE_TIME:
        pyroi_pipe_time(d, l);
        return false;
    case PYROI_PIPE_DROP:
        pyroi_pipe_drop(d, l);
        return false;
    default: /* PYROI_PIPE_CALL; true: not now */
        if (l->state != PYROI_DOWN)
            return false;
        if (l->quiet_due != 0 && l->missed == 2)
            return true;
#ifndef PYRO_NO_CLIENT
        l->heard = d->now_; /* since when we try */
        pyroi_greet(d, l);
#endif
        return false;
    }
}

PYRO_DEF pyro_err pyro_adopt(pyro_daemon *node, const pyro_port *port,
                             int32_t handle, pyro_link *link)
{
    pyroi_link *l;

    if (node->n_links_ + 1u >= node->room_.n_links) {
        pyroi_why(node, PYROI_TOO_FEW("links"), node->n_links_,
                  node->room_.n_links - 1u);
        return PYRO_ERR_NOSPACE;
    }
#ifndef PYRO_NO_CONFIG
    pyroi_use_port(node, port);
#endif
    node->pipe_ = pyroi_pipe_event;
    l = pyroi_link_new(node, port, handle, PYROI_PIPE);
    l->state = PYROI_DOWN;
    if (link != NULL)
        *link = l->id;
    return PYRO_OK;
}

#endif /* PYRO_NO_PIPE */

/* ------------------------------------------------------------------------
 * >>check: the invariants
 * ------------------------------------------------------------------------ */

/* Counts the buffers of a chain; more than there are when it is a ring. */
static unsigned pyroi_chain(const pyro_daemon *d, const pyroi_buffer *b)
{
    unsigned n = 0;

    for (; b != NULL && n <= d->room_.n_buffers; n++)
        b = b->next;
    return n;
}

static const char *pyroi_check_link(const pyro_daemon *d, const pyroi_link *l,
                                    unsigned *held, unsigned *expects)
{
    *held += pyroi_chain(d, l->tx) + pyroi_chain(d, l->rx_buf);
    *expects += l->expects;
    if (l->rx == PYROI_RX_HEAD && l->rx_buf != NULL)
        return "a link holds a buffer and reads no body";
    if (l->rx != PYROI_RX_HEAD && l->rx_have > l->rx_len)
        return "a link has read more than a body";
    if (l->tx != NULL && l->control == 0
        && l->tx_at > l->tx->end + (pyroi_is5(l) ? 32u : 0u))
        return "a link has sent more than a buffer";
    if (l->state == PYROI_DEAD && (l->expects > 0 || l->owed != 0))
        return "a dead link with work";
    return NULL;
}

/* Every buffer has one use, and is counted there. */
static bool pyroi_check_uses(const pyro_daemon *d)
{
    unsigned n[PYROI_USES] = { 0, 0, 0, 0, 0, 0, 0 };
    unsigned i;

    for (i = 0; i < d->room_.n_buffers; i++) {
        const uint8_t *at =
            (const uint8_t *)d->room_.buffers + i * d->room_.buffer_step;

        n[((const pyroi_buffer *)(const void *)at)->use]++;
    }
    for (i = 0; i < PYROI_USES && n[i] == d->n_[i]; i++)
        ;
    return i == PYROI_USES;
}

static unsigned pyroi_check_ready(const pyro_daemon *d)
{
    const pyroi_link *l = d->ready_;
    unsigned          n = 0;

    for (; l != NULL && n <= d->room_.n_links; n++)
        l = l->ready_next != l ? l->ready_next : NULL;
    return n;
}

PYRO_DEF const char *pyro_check(const pyro_daemon *node)
{
    unsigned    held = pyroi_chain(node, node->free_);
    unsigned    expects = 0;
    unsigned    links = 0;
    unsigned    queued = 0;
    unsigned    waiting = 0;
    unsigned    i;
    const char *wrong = NULL;

    if (held != node->n_[PYROI_SPARE] || !pyroi_check_uses(node))
        return "the free list, or a use of buffers, and its count differ";
    for (i = 0; i < node->room_.n_links && wrong == NULL; i++) {
        const pyroi_link *l = &node->room_.links[i];

        if (l->state == PYROI_FREE)
            continue;
        links++;
        queued += l->ready_next != NULL;
        wrong = pyroi_check_link(node, l, &held, &expects);
    }
    if (wrong != NULL)
        return wrong;
    if (links != node->n_links_)
        return "links in use and their count differ";
    if (queued != pyroi_check_ready(node))
        return "the ready queue and its flags differ";
#ifndef PYRO_NO_CLIENT
    {
        const pyro_request *rq;

        for (rq = node->requests_; rq != NULL; rq = rq->next_) {
            waiting += rq->link_ != 0;
            held += rq->state_ == PYROI_BUILDING;
        }
    }
#endif
    if (waiting != expects)
        return "requests and what links expect differ";
#ifndef PYRO_NO_SERVER
    {
        const pyro_call *call;

        for (call = node->calls_; call != NULL; call = call->outer_)
            held += pyroi_chain(node, call->args_buf_)
                  + pyroi_chain(node, call->reply_buf_);
    }
#endif
    held += node->n_[PYROI_HELD];
    return held == node->room_.n_buffers ? NULL : "a buffer is lost";
}

/* ------------------------------------------------------------------------
 * >>proxy
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_CLIENT

PYROI_SHARED static pyro_err pyroi_proxy_new(pyro_proxy  *proxy,
                                             pyro_daemon *node,
                                             const char *object, size_t n)
{
    if (n - 1 >= PYRO_MAX_NAME) {
        pyroi_why(node, PYROI_T("object is longer than PYRO_MAX_NAME"),
                  (uint32_t)n, PYRO_MAX_NAME);
        return PYRO_ERR_URI;
    }
    memset(proxy, 0, sizeof *proxy);
    pyroi_no_exception(proxy);
    if (PYROI_SERVER && (node->flags_ & PYROI_SERVES) != 0
        && node->room_.n_buffers < 3) {
        pyroi_why(node, PYROI_TOO_FEW("buffers"), node->room_.n_buffers, 3);
        return PYRO_ERR_NOSPACE;
    }
    if (node->n_proxies_ == UINT16_MAX) {
        pyroi_why(node, PYROI_T("too many proxies"), node->n_proxies_,
                  UINT16_MAX);
        return PYRO_ERR_NOSPACE;
    }
    proxy->node_ = node;
    proxy->timeout_ms = pyroi_timeout_ms(node);
    node->n_proxies_++;
#ifndef PYRO_NO_PYRO5
    proxy->next_ = node->proxies_;
    node->proxies_ = proxy;
#endif
    pyroi_copy(proxy->object_, object, n);
    return PYRO_OK;
}

#ifdef PYRO_NO_URI

/* What is in front of the address. */
static const char pyroi_scheme[] = "PYRO://";
#define PYROI_SCHEME (sizeof pyroi_scheme - 1)

/* The address ends with the last '/'. */
PYRO_DEF pyro_err pyro_proxy_open(pyro_proxy *proxy, pyro_daemon *node,
                                  const char *uri)
{
    size_t   at = strlen(uri);
    size_t   n = 0;
    pyro_err err = PYRO_ERR_URI;

    for (; at > PYROI_SCHEME && uri[at - 1] != '/'; n++)
        at--;
    if (pyroi_starts(uri, at, pyroi_scheme)
        && at - PYROI_SCHEME - 2 < PYRO_MAX_HOST)
        err = pyroi_proxy_new(proxy, node, uri + at, n);
    else
        pyroi_why(node, PYROI_T("not PYRO://address/object"), 0, 0);
    if (err == PYRO_OK)
        proxy->uri_ = uri;
    return err;
}

#else

PYRO_DEF pyro_err pyro_proxy_open(pyro_proxy *proxy, pyro_daemon *node,
                                  const char *uri)
{
    pyro_uri u;
    const char *reason = NULL;
    pyro_err err = pyro_uri_parse(&u, uri, strlen(uri), &reason);

    if (err == PYRO_OK)
        err = pyroi_proxy_new(proxy, node, u.object, u.object_n);
    else
        pyroi_why(node, reason, 0, 0);
    if (err == PYRO_OK)
        proxy->uri_ = uri;
    return err;
}

#endif

PYRO_DEF pyro_err pyro_proxy_at(pyro_proxy *proxy, pyro_daemon *node,
                                pyro_link link, const char *object, size_t n)
{
    pyroi_link *l = pyroi_link_of(node, link);
    pyro_err    err;

    if (l == NULL)
        return PYRO_ERR_CLOSED;
    err = pyroi_proxy_new(proxy, node, object, n);
    if (err != PYRO_OK)
        return err;
    proxy->link_ = link;
    l->users++;
    return PYRO_OK;
}

#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_URI)
PYRO_DEF pyro_err pyro_proxy_from(pyro_proxy *proxy, pyro_call *call,
                                  const pyro_uri *uri)
{
    if (uri->protocol != PYRO_URI_PYRO || uri->host_n != 0) {
        pyroi_why(call->node,
                  PYROI_T("not \"this connection\": copy the URI and open "
                          "it"),
                  0, 0);
        return PYRO_ERR_STATE;
    }
    return pyro_proxy_at(proxy, call->node, call->link, uri->object,
                         uri->object_n);
}
#endif

/* Binds a proxy to a connection to an address: one that is there, or a new
 * one. The checksum of address and protocol is the key by which proxies find
 * each other's link: two texts of one length that differ in up to four
 * neighbouring bytes never have the same. */
static pyro_err pyroi_connect(pyro_proxy *proxy, const char *address, size_t n,
                              bool pyro5)
{
    uint32_t         key = pyroi_or(pyro_crc32(pyro5, address, n), 1);
    pyro_daemon     *d = proxy->node_;
    const pyro_port *port = d->port_;
    pyroi_link      *l = d->room_.links;
    int32_t          handle = -1;

    while (l < d->links_end_
           && (l->key != key
               || (l->state != PYROI_ASKING && l->state != PYROI_OPEN)
               || pyroi_port_of(d, &l->item) != port))
        l++;
    if (l == d->links_end_) {
        if (d->n_links_ + 1u >= d->room_.n_links) {
            pyroi_why(d, PYROI_TOO_FEW("links"), d->n_links_,
                      d->room_.n_links - 1u);
            return PYRO_ERR_NOSPACE;
        }
        if (pyroi_has_port(d) && port->connect != NULL)
            handle = port->connect(port, address);
        if (handle < 0) {
            pyroi_why(d, PYROI_T("the port cannot use this address"), 0, 0);
            return PYRO_ERR_CLOSED;
        }
        pyroi_tick(d);
        l = pyroi_link_new(d, port, handle, 0);
        PYRO_ASSERT(l != NULL); /* there is one, it was counted above */
        l->key = key;
        pyroi_client5(l, pyro5);
        pyroi_greet(d, l);
    }
    l->users++;
    proxy->link_ = l->id;
    return PYRO_OK;
}

#ifndef PYRO_NO_URI

/* Has the name of a proxy resolved, into `text`. */
static pyro_err pyroi_resolve(pyro_proxy *proxy, char *text, pyro_uri *u)
{
    pyro_daemon *d = proxy->node_;
    pyro_err err = d->resolve_(d->resolve_user_, d, u, text, PYRO_URI_BYTES);

    if (err != PYRO_OK)
        return err;
    err = pyro_uri_parse(u, text, strlen(text), NULL);
    if (err == PYRO_OK && u->protocol == PYRO_URI_NAME)
        err = PYRO_ERR_NAMING; /* a name for a name: no circles */
    if (err == PYRO_OK)
        pyroi_copy(proxy->object_, u->object, u->object_n);
    return err;
}

PYRO_DEF void pyro_resolver(pyro_daemon *node, pyro_resolve_fn fn, void *user)
{
    node->resolve_ = fn;
    node->resolve_user_ = user;
    node->locate_ = fn != NULL ? pyroi_resolve : NULL;
}

/* The address of a proxy's object, as the port takes it. */
static pyro_err pyroi_address_of(pyro_proxy *proxy, char *to, size_t size,
                                 bool *pyro5)
{
    pyro_daemon *d = proxy->node_;
    char         text[PYRO_URI_BYTES];
    pyroi_text   t = pyroi_text_of(to, size);
    pyro_uri     u;
    pyro_err     err = PYRO_ERR_NAMING;

    (void)pyro_uri_parse(&u, proxy->uri_, strlen(proxy->uri_), NULL);
    if (u.protocol == PYRO_URI_NAME) {
        pyroi_why(d, PYROI_T("PYRONAME without a resolver"), 0, 0);
        if (d->locate_ != NULL)
            err = d->locate_(proxy, text, &u);
        if (err != PYRO_OK)
            return err;
    }
    if (pyroi_starts(u.host, u.host_n, "unix:"))
        pyroi_add(&t, u.host, u.host_n);
    else
        pyroi_add_address(&t, &u);
    *pyro5 = PYROI_SPEAKS5 && u.pyro5;
    return PYRO_OK;
}

#endif

/* A number that is not in use, as all are while nothing is waited for. 0: the
 * counter has come round to one that was given up and may still be answered. */
PYROI_FAST unsigned pyroi_next_seq(const pyro_daemon *d, const pyroi_link *l)
{
    unsigned seq = l->seq;

    do {
        seq = pyroi_or((seq + 1) & 0xFFFF, 1);
        if (l->n_given_up > 0 && seq == l->given_up)
            return 0;
    } while (l->expects > 0u && pyroi_request_of(d, l->id, seq) != NULL);
    return seq;
}

/* Finds out where the object of a proxy is, and connects. */
PYROI_COLD PYROI_SHARED static pyro_err pyroi_reach(pyro_proxy *proxy)
{
    char     address[PYRO_MAX_HOST + 9];
    pyro_err err = PYRO_OK;
    bool     pyro5 = false;
    size_t   n; /* bytes of the address */

    if (proxy->uri_ == NULL) {
        pyroi_why(proxy->node_,
                  PYROI_T("the link this proxy was bound to has gone"), 0, 0);
        return PYRO_ERR_CLOSED;
    }
#ifdef PYRO_NO_URI
    n = strlen(proxy->uri_) - strlen(proxy->object_) - PYROI_SCHEME - 1;
    pyroi_copy(address, proxy->uri_ + PYROI_SCHEME, n);
#else
    err = pyroi_address_of(proxy, address, sizeof address, &pyro5);
    n = strlen(address);
#endif
    return err != PYRO_OK ? err : pyroi_connect(proxy, address, n, pyro5);
}

/* Sees that a proxy is bound to a link that is up, or soon will be. */
PYROI_FAST pyro_err pyroi_bind(pyro_daemon *d, pyro_proxy *proxy)
{
    pyroi_link *l = pyroi_link_of(d, proxy->link_);

    if ((d->flags_ & PYROI_CLOSED) != 0)
        return PYRO_ERR_CLOSED;
#ifndef PYRO_NO_ASYNC
    if (l != NULL && l->n_given_up > 0 && pyroi_next_seq(d, l) == 0) {
        l->n_given_up = 0;
        pyroi_drop(d, l); /* a pipe stays */
    }
#endif
    if (l == NULL || l->state == PYROI_DEAD || pyroi_closing(l))
        return pyroi_reach(proxy);
    if (pyroi_is5(l) && l->key == 0) {
        pyroi_why(d, PYROI_T("a client of Pyro5 is called by its own URI"), 0,
                  0);
        return PYRO_ERR_PROTOCOL;
    }
    if (!pyroi_pipe(d, l, PYROI_PIPE_CALL))
        return PYRO_OK;
    pyroi_why(d, PYROI_T("the peer of this pipe did not greet"), 0, 0);
    return PYRO_ERR_BUSY;
}

static void pyroi_unbind(pyro_proxy *proxy)
{
    pyroi_link *l = pyroi_link_of(proxy->node_, proxy->link_);

    proxy->link_ = 0;
    if (l == NULL)
        return;
    l->users--;
    pyroi_unused(proxy->node_, l);
}

PYRO_DEF void pyro_release(pyro_proxy *proxy)
{
    if (proxy->uri_ != NULL) /* else it could never find its way back */
        pyroi_unbind(proxy);
}

#ifdef PYRO_NO_PYRO5
#define pyroi_proxy_drop(d, proxy) ((void)0)
#else
static void pyroi_proxy_drop(pyro_daemon *d, pyro_proxy *proxy)
{
    pyro_proxy **at = &d->proxies_;

    while (*at != NULL && *at != proxy)
        at = &(*at)->next_;
    if (*at != NULL)
        *at = proxy->next_;
}
#endif

PYRO_DEF void pyro_proxy_close(pyro_proxy *proxy)
{
    pyro_daemon  *d = proxy->node_;
    pyro_request *rq;

    if (d == NULL)
        return; /* it is closed already */
    for (rq = d->requests_; rq != NULL;) {
        pyro_request *next = rq->next_;

        if (rq->proxy_ == proxy) {
            pyroi_cancel(rq);
            rq->proxy_ = NULL; /* may be gone when who waits looks */
        }
        rq = next;
    }
    pyroi_proxy_drop(d, proxy);
    pyroi_unbind(proxy);
    d->n_proxies_--;
    proxy->node_ = NULL;
}

PYRO_DEF pyro_link pyro_proxy_link(const pyro_proxy *proxy)
{
    return proxy->link_;
}

PYRO_DEF const pyro_exc *pyro_exception(const pyro_proxy *proxy)
{
    return &proxy->exc_;
}

PYRO_DEF bool pyro_sent(const pyro_proxy *proxy)
{
    (void)proxy;
    return pyroi_was_sent(proxy);
}

/* ------------------------------------------------------------------------
 * >>calls
 * ------------------------------------------------------------------------ */


/* A oneway is in the queue: the first since the last poll leaves at once,
 * the next ones when there are many. */
static void pyroi_went_oneway(pyro_daemon *d, pyroi_link *l)
{
#ifdef PYRO_NO_GATHER
    pyroi_flush(d, l);
#else
    if ((l->flags & PYROI_GATHER) == 0
        || l->tx->end >= d->room_.buffer_bytes - d->room_.buffer_bytes / 4)
        pyroi_flush(d, l);
    else
        pyroi_cork(d);
    if (l->state == PYROI_OPEN) {
        l->flags |= PYROI_GATHER;
        d->flags_ |= PYROI_GATHERED;
    }
#endif
}

#ifdef PYRO_NO_ASYNC

/* No wait may be longer than those below it on the stack: it cannot unwind
 * before them. */
static uint32_t pyroi_clamp(const pyro_daemon *d, uint32_t due)
{
    if (d->requests_ != NULL && !pyroi_reached(d->requests_->due_, due))
        return d->requests_->due_;
    return due;
}

#else

/* One round of a blocking wait that ends at `due` at the latest, as do all
 * the waits nested in it: the stack cannot unwind before them. */
PYROI_SHARED static pyro_err pyroi_wait_round(pyro_daemon *d, pyro_link link,
                                              uint32_t due)
{
    pyroi_waiting w;
    int32_t left = (int32_t)(due - d->now_);
    pyro_err err;

    if ((d->flags_ & PYROI_YIELD) != 0)
        return PYRO_ERR_STATE;
    w.outer = d->waits_;
    w.link = link;
    w.due = due;
    d->waits_ = &w;
    err = pyroi_poll(d, left < 0 ? 0 : left);
    d->waits_ = w.outer;
    return err;
}

/* No wait may be longer than those below it on the stack. */
static uint32_t pyroi_clamp(const pyro_daemon *d, uint32_t due)
{
    if (d->waits_ != NULL && !pyroi_reached(d->waits_->due, due))
        return d->waits_->due;
    return due;
}

#endif

/* Whether it may help to wait when something is full. What handlers and
 * callbacks on the stack hold does not come free; replies go away by
 * themselves. */
static bool pyroi_may_drain(const pyro_daemon *d)
{
    return (PYROI_SERVER ? d->depth_ : 0u) + pyroi_held(d) == 0
        || d->n_[PYROI_REPLYING] + d->n_[PYROI_INCOMING] > 0;
}

static void pyroi_put_args(pyro_writer *w, const pyro_args *args)
{
    size_t i;

    for (i = 0; i < args->count; i++)
        pyroi_put_value(w, &args->values[i]);
}

#ifdef PYRO_NO_ASYNC

/* Binds a proxy and takes a number and a buffer for its call. A connection
 * whose numbers have come round is left for another, which has all of them. */
static pyro_err pyroi_get_ready(pyro_daemon *d, pyro_request *rq,
                                pyroi_link **at)
{
    pyroi_link *l;
    pyro_err    err;

    for (;;) {
        err = pyroi_bind(d, rq->proxy_);
        if (err != PYRO_OK)
            return err;
        *at = l = pyroi_link_of(d, rq->proxy_->link_);
        rq->seq_ = (uint16_t)pyroi_next_seq(d, l);
        if (rq->seq_ != 0)
            break;
        l->n_given_up = 0;
        pyroi_drop(d, l); /* a pipe stays */
    }
    rq->buf_ = pyroi_take_request(d);
    if (rq->buf_ != NULL)
        return PYRO_OK;
    pyroi_why(d, PYROI_TOO_FEW("buffers"), d->room_.n_buffers,
              d->room_.n_buffers);
    return PYRO_ERR_NOSPACE;
}

/* Writes a call into its buffer and sends that. */
static pyro_err pyroi_launch(pyro_daemon *d, pyro_request *rq, pyroi_link *l,
                             const char *method, const pyro_args *args)
{
    pyro_writer *w = &rq->args;
    uint8_t     *body = pyroi_bytes(rq->buf_) + PYROI_BODY;
    bool         oneway = PYROI_ONEWAYS(1) != 0 && rq->state_ == PYROI_LEAVING;
    pyro_err     err;

    *body = 0x94;
    *w = pyro_writer_of(body + 1, pyroi_max_body(d) - 1, 4);
    pyro_put_str(w, rq->proxy_->object_);
    pyro_put_str(w, method);
    pyro_put_list(w, (uint32_t)args->count);
    pyroi_put_args(w, args);
    pyro_put_map(w, 0);
    err = pyro_writer_end(w);
    if (oneway)
        rq->seq_ = 0;
    if (err == PYRO_OK
        && !pyroi_seal(l, rq->buf_,
                       PYROI_WHAT(PYROI_INVOKE, oneway ? PYROI_ONEWAY : 0),
                       rq->seq_, w->at)) {
        pyroi_why_long(d, l, pyroi_first(rq->buf_));
        err = PYRO_ERR_NOSPACE;
    }
    if (err != PYRO_OK) {
        pyroi_give(d, rq->buf_);
        return err;
    }
    pyroi_queue(d, l, rq->buf_);
    if (oneway) {
        pyroi_settled(rq, PYRO_OK);
        pyroi_set_sent(rq, 1);
        pyroi_went_oneway(d, l);
        return PYRO_OK;
    }
    rq->state_ = PYROI_WAITING;
    rq->link_ = l->id;
    l->seq = rq->seq_;
    l->expects++;
    pyroi_flush(d, l);
    return PYRO_OK;
}

/* Sends a request and waits until it is over; first for an address and a
 * buffer, where that may help. */
static pyro_err pyroi_await(pyro_daemon *d, pyro_request *rq,
                            const char *method, const pyro_args *args)
{
    pyroi_link *l;
    pyro_err    err = PYRO_OK;

    for (;;) {
        if (rq->state_ > PYROI_WAITING) {
            err = pyroi_get_ready(d, rq, &l);
            if (err == PYRO_OK) {
                err = pyroi_launch(d, rq, l, method, args);
                if (err != PYRO_OK)
                    return err;
                d->again_ = true; /* R1, R5: what may wait is asked anew */
            } else if (err < PYRO_ERR_NOSPACE || !pyroi_may_drain(d)) {
                return err;
            }
        }
        if (rq->state_ == PYROI_DONE)
            return (pyro_err)rq->err_;
        if (pyroi_reached(d->now_, rq->due_)) {
            if (err != PYRO_OK)
                return err;
            pyroi_late(d, rq);
            return PYRO_ERR_TIMEOUT;
        }
        if ((d->flags_ & PYROI_YIELD) != 0
            || pyroi_poll(d, (int32_t)(rq->due_ - d->now_)) != PYRO_OK) {
            pyroi_why(d, PYROI_T("the clock stands still"), 0, 0);
            pyroi_give_up(d, rq);
            return PYRO_ERR_STATE;
        }
    }
}

/* A call through a proxy; without a slot nobody waits for a result. Requests
 * are a part of the stacks of who waits for them, innermost first. */
static pyro_err pyroi_call(pyro_proxy *proxy, const char *method,
                           const pyro_args *args, const pyro_slot *slot)
{
    pyro_daemon *d = proxy->node_;
    pyro_request rq;
    pyro_err     err;

    pyroi_tick(d);
    d->again_ = true;
    rq.proxy_ = proxy;
    rq.link_ = 0;
    rq.state_ = PYROI_LEAVING;
    if (PYROI_ONEWAYS(1) == 0 || slot != NULL) {
        rq.state_ = PYROI_UNSENT;
        rq.slot_ = *slot;
    }
    pyroi_set_sent(&rq, 0);
    rq.due_ = pyroi_clamp(d, d->now_ + proxy->timeout_ms);
    rq.next_ = d->requests_;
    d->requests_ = &rq;
    err = pyroi_await(d, &rq, method, args);
    d->requests_ = rq.next_;
    d->again_ = true;
    if (rq.proxy_ != NULL) { /* it may have been closed meanwhile */
        pyroi_tell_sent(proxy, &rq);
        proxy->err_ = (uint8_t)err;
    }
    return err;
}

#else

/* Object, method and the header of the arguments' list, whose place it
 * gives; the count is filled in when they are there. `w` is for four values
 * and ends a byte early; then it is for the arguments. */
static uint8_t *pyroi_put_call(pyro_writer *w, const pyro_proxy *proxy,
                               const char *method)
{
    uint8_t *list;

    *w->at++ = 0x94;
    pyro_put_str(w, proxy->object_);
    pyro_put_str(w, method);
    list = w->at++;
    *list = 0x90;
    w->end++; /* for this there was a byte */
    w->more = PYRO_MAX_ARGS;
    return list;
}

static void pyroi_count_args(pyro_request *rq)
{
    uint8_t *list = (uint8_t *)rq->slot_.to_; /* no slot is there yet */

    *list |= (uint8_t)(PYRO_MAX_ARGS - rq->args.more);
    rq->slot_.to_ = NULL;
}

PYRO_DEF pyro_err pyro_begin(pyro_request *rq, pyro_proxy *proxy,
                             const char *method)
{
    pyro_daemon *d = proxy->node_;
    pyro_err err = pyroi_bind(d, proxy);

    /* One by one: clearing all of it takes a small processor longer. */
    rq->args = pyro_writer_of(rq, 0, 0); /* of no bytes */
    rq->state_ = PYROI_IDLE;
    rq->sent_ = proxy->sent_ = 0;
    rq->seq_ = 0;
    rq->next_ = NULL;
    rq->slot_ = pyro_to_none();
    rq->link_ = 0;
    rq->fn_ = NULL;
    if (err == PYRO_OK) {
        rq->buf_ = pyroi_take_request(d);
        if (rq->buf_ == NULL) {
            pyroi_why(d, PYROI_TOO_FEW("buffers"), d->room_.n_buffers,
                      d->room_.n_buffers);
            err = PYRO_ERR_NOSPACE;
        }
    }
    rq->err_ = proxy->err_ = (uint8_t)err;
    if (err != PYRO_OK)
        return err;
    rq->proxy_ = proxy;
    rq->state_ = PYROI_BUILDING;
    *d->requests_end_ = rq; /* oldest first: so come most answers */
    d->requests_end_ = &rq->next_;
    rq->args = pyro_writer_of(pyroi_bytes(rq->buf_) + PYROI_BODY,
                              pyroi_max_body(d) - 2, 4);
    pyroi_set_dialect(&rq->args, &d->room_.links[proxy->link_ & 0xFFFF]);
    rq->slot_.to_ = pyroi_put_call(&rq->args, proxy, method);
    return PYRO_OK;
}

PYRO_DEF void pyro_put_kwargs(pyro_request *rq, uint32_t n)
{
    if (rq->state_ != PYROI_BUILDING || rq->slot_.to_ == NULL
        || pyro_writer_end(&rq->args) != PYRO_OK) {
        if (rq->args.err == PYRO_OK)
            rq->args.err = PYRO_ERR_STATE;
        return;
    }
    pyroi_count_args(rq);
    rq->args.more = 1;
    pyro_put_map(&rq->args, n);
}

PYRO_DEF void pyro_put_encoded(pyro_request *rq, const void *data, size_t n,
                               unsigned count)
{
    pyro_writer *w = &rq->args;

    if (w->err != PYRO_OK)
        return;
    if (w->owed != 0 || w->more < count)
        w->err = PYRO_ERR_STATE;
    else if ((size_t)(w->end - w->at) < n)
        w->err = PYRO_ERR_NOSPACE;
    if (w->err != PYRO_OK)
        return;
    w->more = (uint8_t)(w->more - count);
    memcpy(w->at, data, n);
    w->at += n;
}

#if defined(PYRO_NO_GATHER) || defined(PYROI_SMALL)
PYRO_DEF bool pyro_again(pyro_request *rq, size_t n)
{
    (void)rq;
    (void)n;
    return false;
}
#else
/* Where the body begins of the call that is being put: seq_ is how far behind
 * that of the first. */
static uint8_t *pyroi_last_body(const pyro_request *rq)
{
    return pyroi_bytes(rq->buf_) + PYROI_BODY + rq->seq_;
}

/* Makes a frame of a oneway that is one of several in its buffer. Gives its
 * end. */
static uint8_t *pyroi_close_oneway(pyro_request *rq, const pyroi_link *l)
{
    uint8_t *body = pyroi_last_body(rq);
    uint8_t *end = rq->args.at;
    uint8_t *frame;

    frame =
        pyroi_put_header(body,
                         PYROI_WHAT(PYROI_INVOKE,
                                    PYROI_ONEWAY | (l->flags & PYROI_SUMS)),
                         0, (uint32_t)(end - body));
    return (l->flags & PYROI_SUMS) != 0 ? pyroi_put_sum(frame, end) : end;
}

PYRO_DEF bool pyro_again(pyro_request *rq, size_t n)
{
    uint8_t *list = (uint8_t *)rq->slot_.to_;
    pyro_daemon *d;
    pyroi_link *l;
    uint8_t *body;
    uint8_t *bytes;
    size_t same; /* bytes that all of them begin with */
    size_t most = 0xFFFF;

    if (rq->state_ != PYROI_BUILDING || list == NULL
        || pyro_writer_end(&rq->args) != PYRO_OK)
        return false;
    d = rq->proxy_->node_;
    l = pyroi_link_of(d, rq->proxy_->link_);
    if (l == NULL || l->state != PYROI_OPEN)
        return false;
    if (pyroi_peer_max(l) < most)
        most = pyroi_peer_max(l);
    body = pyroi_last_body(rq);
    bytes = pyroi_bytes(rq->buf_);
    same = (size_t)(list - body) + 1;
    /* Behind the arguments: a byte, a checksum, a header, and that again. */
    if (n > most || same + n + 1 > most
        || (size_t)(rq->args.at - body) + 1 > most
        || (size_t)(rq->args.at - bytes) > 0xFFFF - 13
        || (size_t)(bytes + d->room_.buffer_bytes - rq->args.at)
               < 13 + same + n + 5)
        return false;
    pyroi_count_args(rq);
    *rq->args.at++ = 0x80;
    if (rq->seq_ == 0)
        bytes[0] = 0; /* the header of the first has 8 bytes, not 10 */
    list = pyroi_close_oneway(rq, l) + 8;
    rq->seq_ = (uint16_t)(list - bytes - PYROI_BODY);
    memcpy(list, body, same);
    list += same - 1;
    *list = 0x90;
    rq->slot_.to_ = list;
    rq->args = pyro_writer_of(list + 1, n, PYRO_MAX_ARGS);
    return true;
}
#endif

/* What is missing in the frame of a request: its number, header, checksum. */
static pyro_err pyroi_complete(pyro_request *rq, pyroi_link *l, unsigned flags)
{
    pyro_daemon *d = rq->proxy_->node_;
    pyro_err err = pyro_writer_end(&rq->args);

    if (err == PYRO_ERR_NOSPACE)
        pyroi_why(d,
                  PYROI_T("arguments do not fit: raise bytes in "
                          "PYRO_ROOM"),
                  pyroi_max_body(d), d->room_.buffer_bytes);
    if (err != PYRO_OK)
        return err;
    if (l == NULL || pyroi_closing(l))
        return PYRO_ERR_CLOSED;
    if (rq->slot_.to_ != NULL) {
        pyroi_count_args(rq);
        *rq->args.at++ = 0x80; /* kwargs: none; its byte was kept back */
    }
#if !defined(PYRO_NO_GATHER) && !defined(PYROI_SMALL)
    if (rq->seq_ != 0) {
        const uint8_t *end = pyroi_close_oneway(rq, l);

        rq->buf_->end = (pyroi_size)(end - pyroi_bytes(rq->buf_));
        return flags == PYROI_ONEWAY ? PYRO_OK : PYRO_ERR_STATE;
    }
#endif
    if (flags != PYROI_ONEWAY) {
        rq->seq_ = (uint16_t)pyroi_next_seq(d, l);
        if (rq->seq_ == 0)
            return PYRO_ERR_BUSY; /* begin again: on another connection */
        l->seq = rq->seq_;
    }
    if (pyroi_seal(l, rq->buf_, PYROI_WHAT(PYROI_INVOKE, flags), rq->seq_,
                   rq->args.at))
        return PYRO_OK;
    pyroi_why_long(d, l, pyroi_first(rq->buf_));
    return PYRO_ERR_NOSPACE;
}

/* Sends a request, whose result goes to a slot until it is due; without a slot
 * nobody waits for one. */
static pyro_err pyroi_launch(pyro_request *rq, const pyro_slot *slot,
                             uint32_t due)
{
    pyro_daemon *d = rq->proxy_->node_;
    pyroi_link *l = pyroi_link_of(d, rq->proxy_->link_);
    pyro_err err = pyroi_complete(rq, l, slot != NULL ? 0 : PYROI_ONEWAY);

    if (err != PYRO_OK) {
        pyroi_finish(rq, err, NULL);
        return err;
    }
    rq->state_ = PYROI_WAITING;
    pyroi_queue(d, l, rq->buf_);
    if (slot == NULL) {
        rq->sent_ = 1;
        pyroi_finish(rq, PYRO_OK, NULL);
        pyroi_went_oneway(d, l);
        return PYRO_OK;
    }
    rq->slot_ = *slot;
    rq->link_ = l->id;
    rq->due_ = due;
    pyroi_arm(d, due);
    l->expects++;
    d->again_ = true; /* R1: it may not be left unread now */
    if (l->state == PYROI_OPEN)
        pyroi_flush(d, l);
    return PYRO_OK;
}

PYRO_DEF pyro_err pyro_send(pyro_request *rq, pyro_slot result,
                            pyro_done_fn fn, void *user)
{
    uint32_t ms = rq->slot_.size_;
    pyro_daemon *d;
    pyro_err err;

    if (rq->state_ != PYROI_BUILDING)
        return PYRO_ERR_STATE;
    d = rq->proxy_->node_;
    pyroi_tick(d);
    err = pyroi_launch(rq, &result,
                       d->now_ + pyroi_or(ms, rq->proxy_->timeout_ms));
    if (err == PYRO_OK) {
        rq->fn_ = fn;
        rq->user_ = user;
    }
    return err;
}

PYRO_DEF pyro_err pyro_send_oneway(pyro_request *rq)
{
    if (rq->state_ != PYROI_BUILDING)
        return PYRO_ERR_STATE;
    return pyroi_launch(rq, NULL, 0);
}

PYRO_DEF void pyro_deadline(pyro_request *rq, uint32_t ms)
{
    rq->slot_.size_ = ms; /* the slot is not there before send */
}

PYRO_DEF bool pyro_done(const pyro_request *rq)
{
    return rq->state_ <= PYROI_DONE;
}

PYRO_DEF pyro_err pyro_result(const pyro_request *rq)
{
    return pyro_done(rq) ? (pyro_err)rq->err_ : PYRO_ERR_STATE;
}

PYRO_DEF bool pyro_request_sent(const pyro_request *rq)
{
    pyroi_link *l = NULL;

    if (rq->state_ == PYROI_WAITING)
        l = pyroi_link_of(rq->proxy_->node_, rq->link_);
    return l != NULL ? pyroi_unsent(l, rq->seq_) == NULL : rq->sent_ != 0;
}

PYRO_DEF bool pyro_cancel(pyro_request *rq)
{
    pyroi_cancel(rq);
    return rq->sent_ == 0;
}

PYRO_DEF pyro_err pyro_wait(pyro_request *rq)
{
    pyro_daemon *d;
    pyro_err err = PYRO_OK;

    if (pyro_done(rq))
        return (pyro_err)rq->err_;
    if (rq->state_ != PYROI_WAITING)
        return PYRO_ERR_STATE;
    d = rq->proxy_->node_;
    rq->due_ = pyroi_clamp(d, rq->due_);
    pyroi_arm(d, rq->due_);
    d->again_ = true; /* R5: what may wait is another question now */
    while (!pyro_done(rq) && err == PYRO_OK)
        err = pyroi_wait_round(d, rq->link_, rq->due_);
    d->again_ = true;
    if (err != PYRO_OK) {
        pyroi_why(d, PYROI_T("in pyro_yield, or the clock stands still"), 0,
                  0);
        pyroi_cancel(rq);
    } else {
        err = (pyro_err)rq->err_;
    }
    if (rq->proxy_ != NULL) { /* others may have used it meanwhile */
        rq->proxy_->err_ = rq->err_;
        rq->proxy_->sent_ = rq->sent_;
    }
    return err;
}

/* A call through a proxy: waits until there is a buffer and an address for it,
 * then for its result, unless there is no slot for that. */
static pyro_err pyroi_call(pyro_proxy *proxy, const char *method,
                           const pyro_args *args, const pyro_slot *slot)
{
    pyro_daemon *d = proxy->node_;
    pyro_request rq;
    uint32_t due;
    pyro_err err;

    pyroi_tick(d);
    due = pyroi_clamp(d, d->now_ + proxy->timeout_ms);
    d->again_ = true;
    for (;;) {
        pyro_err waited;

        err = pyro_begin(&rq, proxy, method);
        if (err != PYRO_ERR_BUSY
            && (err != PYRO_ERR_NOSPACE || !pyroi_may_drain(d)))
            break;
        if (pyroi_reached(d->now_, due))
            break;
        waited = pyroi_wait_round(d, proxy->link_, due);
        if (waited != PYRO_OK)
            return waited;
    }
    if (err != PYRO_OK)
        return err;
    pyroi_put_args(&rq.args, args);
    err = pyroi_launch(&rq, slot, due);
    return err != PYRO_OK ? err : pyro_wait(&rq);
}

#endif /* PYRO_NO_ASYNC */

PYRO_DEF pyro_err pyro_invoke(pyro_proxy *proxy, const char *method,
                              pyro_args args, pyro_slot result)
{
    return pyroi_call(proxy, method, &args, &result);
}

/* Writes a oneway right behind those that wait already, where it fits: no
 * buffer is taken and nothing is copied. */
#if defined(PYRO_NO_GATHER) || defined(PYROI_SMALL) || defined(PYRO_NO_ASYNC)
#define pyroi_oneway_behind(proxy, method, args) false
#else
static bool pyroi_oneway_behind(pyro_proxy *proxy, const char *method,
                                pyro_args args)
{
    pyro_daemon *d = proxy->node_;
    pyroi_link *l = pyroi_link_of(d, proxy->link_);
    pyroi_buffer *b;
    uint8_t *body;
    uint8_t *list;
    pyro_writer w;

    if (l == NULL || l->state != PYROI_OPEN
        || (l->flags & (PYROI_GATHER | PYROI_SUMS)) != PYROI_GATHER)
        return false;
    b = pyroi_tail(l);
    if (b == NULL || d->room_.buffer_bytes - b->end < 64)
        return false;
    body = pyroi_bytes(b) + b->end + 8;
    w = pyro_writer_of(body, d->room_.buffer_bytes - b->end - 10, 4);
    list = pyroi_put_call(&w, proxy, method);
    pyroi_put_args(&w, &args);
    if (pyro_writer_end(&w) != PYRO_OK)
        return false;
    *list |= (uint8_t)(PYRO_MAX_ARGS - w.more);
    *w.at++ = 0x80;
    if ((uint32_t)(w.at - body) > pyroi_peer_max(l)
        || (uint32_t)(w.at - body) > 0xFFFF)
        return false;
    pyroi_put_header(body, PYROI_WHAT(PYROI_INVOKE, PYROI_ONEWAY), 0,
                     (uint32_t)(w.at - body));
    b->end = (pyroi_size)(w.at - pyroi_bytes(b));
    proxy->err_ = PYRO_OK;
    proxy->sent_ = 1;
    pyroi_went_oneway(d, l);
    return true;
}
#endif

#ifndef PYRO_NO_ONEWAY
PYRO_DEF pyro_err pyro_oneway(pyro_proxy *proxy, const char *method,
                              pyro_args args)
{
    if (pyroi_oneway_behind(proxy, method, args))
        return PYRO_OK;
    return pyroi_call(proxy, method, &args, NULL);
}
#endif

PYRO_DEF pyro_err pyro_getattr(pyro_proxy *proxy, const char *name,
                               pyro_slot result)
{
    pyro_value v = pyro_str(name);
    pyro_args  args = { &v, 1 };

    return pyroi_call(proxy, pyroi_attr_calls[PYROI_GET], &args, &result);
}

PYRO_DEF pyro_err pyro_setattr(pyro_proxy *proxy, const char *name,
                               pyro_value value)
{
    pyro_value v[2];
    pyro_args  args = { v, 2 };
    pyro_slot  none = pyro_to_none();

    v[0] = pyro_str(name);
    v[1] = value;
    return pyroi_call(proxy, pyroi_attr_calls[PYROI_SET], &args, &none);
}

PYRO_DEF pyro_err pyro_hasattr(pyro_proxy *proxy, const char *name, bool *has)
{
    pyro_value v = pyro_str(name);
    pyro_args  args = { &v, 1 };
    pyro_slot  slot = pyro_to_bool(has);
    pyro_err   err =
        pyroi_call(proxy, pyroi_attr_calls[PYROI_HAS], &args, &slot);

#ifndef PYRO_NO_PYRO5
    if (pyroi_no_attr5(proxy, err)) {
        /* in Python it has no method for that, unlike for getting it */
        err = pyro_getattr(proxy, name, pyro_to_none());
        *has = err == PYRO_OK;
        if (pyroi_no_attr5(proxy, err))
            err = PYRO_OK;
    }
#endif
    return err;
}

#endif /* PYRO_NO_CLIENT */

/* ------------------------------------------------------------------------
 * >>pyro5: links to Pyro5 and Pyro4
 *
 * In memory all frames are native ones, header and body, so that all else
 * need not know. Only here is known: the header on the wire, which is read
 * into a native one and made of one, with the serializer's number in place of
 * the version; the greeting; what Python wants in exceptions; batches; bodies
 * in other serializers, which go from one buffer of a call to its other and
 * back; and the object Pyro.Daemon.
 *
 * On such a link only who connected calls.
 * ------------------------------------------------------------------------ */

#ifndef PYRO_NO_PYRO5

/* Which of the two it is, where they differ. */
#ifdef PYRO_NO_PYRO4
#define pyroi_is4(l)       ((void)(l), false)
#define pyroi_swapped(ser) (ser)
#else
#define pyroi_is4(l) ((l)->dialect == 4)

/* The serializer's number of the one for the other, which only the header
 * shows: 2 and 3 are JSON and marshal or the reverse, 4 and 6 MessagePack. */
static unsigned pyroi_swapped(unsigned ser)
{
    return ser ^ (0x02021100u >> 4 * (ser & 7) & 3);
}
#endif
#define pyroi_head_bytes5(l) (pyroi_is4(l) ? 24u : 40u)
#define pyroi_version5(l)    (pyroi_is4(l) ? 48u : 502u)

enum { PYROI_JSON5 = 3, PYROI_MSGPACK5 }; /* serializers */

typedef uint32_t (*pyroi_codec_fn)(const uint8_t *from, uint32_t n,
                                   uint8_t *to, uint32_t cap, int kind);

/* Turns a body into another serializer or back, by way of another buffer, to
 * where it shall be in its own. Returns its length; 0: it cannot be. */
static uint32_t pyroi_recode(const pyro_daemon *d, pyroi_codec_fn fn,
                             const uint8_t *from, uint32_t n, uint8_t *to,
                             pyroi_buffer *by, int kind)
{
    n = fn(from, n, pyroi_bytes(by), pyroi_max_body(d), kind);
    memcpy(to, pyroi_bytes(by), n);
    return n;
}

#ifdef PYRO_NO_CODECS
#define pyroi_codec(d, ser) ((void)(d), (void)(ser), (const pyro_codec *)NULL)
#else

/* The place of the codec for a serializer in the list of the config. NULL:
 * there is none, or none is needed. */
static const pyro_codec *const *pyroi_codec_at(const pyro_daemon *d,
                                               unsigned ser)
{
    const pyro_codec *const *at = d->config_->codecs;

    while (at != NULL && *at != NULL && (*at)->id != ser)
        at++;
    return at != NULL && *at != NULL ? at : NULL;
}

static const pyro_codec *pyroi_codec(const pyro_daemon *d, unsigned ser)
{
    const pyro_codec *const *at = pyroi_codec_at(d, ser);

    return at != NULL ? *at : NULL;
}

/* Whether the body of the frame being read is in another serializer. */
PYROI_FAST bool pyroi_coded(const pyro_daemon *d, const pyroi_link *l)
{
    return pyroi_is5(l) && pyroi_codec(d, l->head[2] >> 4u) != NULL;
}

#endif /* PYRO_NO_CODECS */

/* ---- the header ---- */

#define PYROI_MAGIC5    0x5059524Fu /* "PYRO" */
#define PYROI_DISORDER5 "a frame of Pyro5 out of order"
#define PYROI_UNREADABLE5 \
    "compressed, a blob, too long or not in a serializer built in here"

/* Whether the first eight bytes of a frame are not for the native protocol. */
static bool pyroi_wants5(const pyroi_link *l)
{
    return pyroi_is5(l)
        || (pyroi_load32(l->head) == PYROI_MAGIC5
            && l->state == PYROI_GREETING);
}

/* They name the protocol and its version. False: the link has ended, will
 * soon, or begins anew. */
static bool pyroi_magic5(pyro_daemon *d, pyroi_link *l)
{
    unsigned version = pyroi_load16(l->head + 4);
    bool     ours = pyroi_load32(l->head) == PYROI_MAGIC5;
    bool     greets = !pyroi_is5(l);

    if (greets)
        l->dialect = version == 48 ? 4 : 5;
#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_PYRO4)
    if (ours && version == 48 && pyroi_older5(d, l))
        return false;
#endif
    if (ours && version == pyroi_version5(l))
        return true;
    if (greets)
        pyroi_refuse_link(d, l, PYROI_FAIL_VERSION5);
    else
        pyroi_bad(d, l, PYROI_T(PYROI_DISORDER5));
    return false;
}

/* The last two bytes of a header. Of Pyro4's that is its checksum. */
static unsigned pyroi_seal5(bool is4, unsigned type, unsigned ser,
                            const uint8_t *rest, uint32_t annotations)
{
    if (!is4)
        return 0x4DC5;
    return (0x34E9 + 48 + type + ser + pyroi_load16(rest)
            + pyroi_load16(rest + 2) + pyroi_load16(rest + 6) + annotations)
         & 0xFFFF;
}

/* A header is there: its first eight bytes in head, of the others in greet
 * those up to the 24th and the last two. Both become a native one in head, and
 * rx_have the length of the annotations. */
static bool pyroi_digest5(pyroi_link *l)
{
    bool           is4 = pyroi_is4(l);
    uint8_t       *head = l->head;
    const uint8_t *rest = l->greet; /* flags, number, length, then */
    unsigned       type = is4 ? pyroi_load16(head + 6) : head[6];
    unsigned       ser = is4 ? pyroi_load16(rest + 8) : head[7];
    unsigned       flags = rest[1] & 0x2Fu;

    l->rx_have = is4 ? pyroi_load16(rest + 10) : pyroi_load32(rest + 8);
    if (pyroi_load16(rest + (is4 ? 14 : 16))
        != pyroi_seal5(is4, type, ser, rest, l->rx_have))
        return false;
    if (is4) { /* META_ON_CONNECT is 16, blobs are 64 */
        flags = (flags & 0x0F) | (rest[1] & 64u) >> 1 | (rest[1] & 16u) << 3;
        ser = pyroi_swapped(ser);
    }
    head[2] = (uint8_t)((ser < 15 ? ser : 15) << 4 | (type < 15 ? type : 15));
    memcpy(head + 4, rest + 2, 2);
#ifdef PYRO_NO_LONG
    head[3] = (uint8_t)flags;
    memcpy(head + 6, rest + 6, 2);
    return pyroi_load16(rest + 4) == 0; /* or too long to be told */
#else
    head[3] = (uint8_t)(flags | PYROI_LONG);
    memcpy(head + 6, rest + 4, 4);
    return true;
#endif
}

/* Reads the rest of a header, and passes over the annotations behind it, at
 * most 2 KB of them a turn. True: both are over. */
static bool pyroi_read_head5(pyro_daemon *d, pyroi_link *l)
{
    uint8_t  piece[32];
    unsigned pieces = 64;
    uint32_t size = pyroi_head_bytes5(l);
    uint32_t n;
    uint32_t i;

    if (l->n_head < size) {
        n = pyroi_recv(d, l, piece, size - l->n_head);
        for (i = 0; i < n; i++, l->n_head++)
            l->greet[l->n_head < 24 ? l->n_head - 8 : 16 + l->n_head % 2] =
                piece[i];
        if (n == 0 || l->n_head < size)
            return false;
        if (!pyroi_digest5(l)) {
            pyroi_bad(d, l, PYROI_T(PYROI_DISORDER5));
            return false;
        }
    }
    while (l->rx_have > 0) {
        n = l->rx_have < sizeof piece ? l->rx_have : (uint32_t)sizeof piece;
        n = pieces-- > 0 ? pyroi_recv(d, l, piece, n) : 0;
        if (n == 0)
            return false;
        l->rx_have -= n;
    }
    return true;
}

/* Makes the header of the wire for a native one. Gives its end. */
static uint8_t *pyroi_put_head5(const pyroi_link *l, uint8_t *to,
                                const uint8_t *frame)
{
    bool     is4 = pyroi_is4(l);
    unsigned type = pyroi_kind(frame);
    unsigned ser = frame[2] >> 4u;
    uint8_t *end = to + pyroi_head_bytes5(l);

    if (is4)
        ser = pyroi_swapped(ser);
    if (type == PYROI_PING)
        ser = 42;
    memset(to, 0, 40);
    pyroi_store32(to, PYROI_MAGIC5);
    pyroi_store16(to + 4, pyroi_version5(l));
    pyroi_store16(to + 6, is4 ? type : type << 8 | ser);
    to[9] = (uint8_t)((frame[3] & 0x0F) | (frame[3] & PYROI_META) >> 3);
    memcpy(to + 10, frame + 4, 2);
    pyroi_store32(to + 12, pyroi_body_bytes(frame));
    if (is4)
        to[17] = (uint8_t)ser;
    pyroi_store16(end - 2, pyroi_seal5(is4, type, ser, to + 8, 0));
    return end;
}

/* Sends the rest of a frame: its header with the body's beginning, then what
 * is left of that. */
static bool pyroi_send5(pyro_daemon *d, pyroi_link *l, const uint8_t *frame)
{
    uint8_t        piece[128];
    uint32_t       size = pyroi_head_bytes5(l);
    uint32_t       left = pyroi_body_bytes(frame);
    unsigned       kind = pyroi_kind(frame);
    uint32_t       n = sizeof piece - size;
    const uint8_t *body = frame + 8;

#ifndef PYRO_NO_LONG
    if ((frame[3] & PYROI_LONG) != 0)
        body += 2;
#endif
    if (n > left)
        n = left;
    if (l->tx_at < size + n) {
        memcpy(pyroi_put_head5(l, piece, frame), body, n);
        if (!pyroi_send_piece(d, l, piece, piece + size + n, 0, kind))
            return false;
    }
    return n == left
        || pyroi_send_piece(d, l, body + n, body + left, size + n, kind);
}

/* ---- control frames ---- */

static const uint8_t pyroi_busy5[] = "\x83\xA9__class__\xA9"
                                     "PyroError\xAD__exception__\xC3\xA4"
                                     "args\x91\xAF"
                                     "BusyError: busy";
static const uint8_t pyroi_greeting5[] = "\x82\xA9"
                                         "handshake\xA5"
                                         "hello\xA6"
                                         "object\xAB"
                                         "Pyro.Daemon";

/* A CONNECTFAIL is always in JSON: every client understands that, whatever
 * it speaks itself. */
static uint32_t pyroi_put_fail5(const pyroi_link *l, uint8_t *body)
{
    const char *text = pyroi_fail_text(l->reason);
    uint32_t    n = (uint32_t)strlen(text);

    body[0] = '"';
    memcpy(body + 1, text, n);
    body[n + 1] = '"';
    return n + 2;
}

/* Copies a constant, in the link's serializer. 0: there is not enough room. */
static uint32_t pyroi_put_const5(const pyro_daemon *d, const pyroi_link *l,
                                 uint8_t *to, const uint8_t *from, uint32_t n)
{
    const pyro_codec *codec = pyroi_codec(d, l->ser);

    if (codec != NULL)
        return codec->encode(from, n, to, 120, PYRO_CODEC_VALUE);
    memcpy(to, from, n);
    return n;
}

/* The same control frame for them: another body, and the serializer. */
static void pyroi_turn_control5(const pyro_daemon *d, const pyroi_link *l,
                                uint8_t *frame)
{
    unsigned type = pyroi_kind(frame);
    uint8_t *body = frame + 8;
    unsigned ser = l->ser;
    uint32_t n = 4;

    if (type == PYROI_CONNECT) {
        n = pyroi_put_const5(d, l, body, pyroi_greeting5,
                             sizeof pyroi_greeting5 - 1);
    } else if (type == PYROI_CONNECTFAIL) {
        ser = PYROI_JSON5;
        n = pyroi_put_fail5(l, body);
    } else if (type == PYROI_RESULT) {
        n = pyroi_put_const5(d, l, body, pyroi_busy5, sizeof pyroi_busy5 - 1);
    } else {
        memcpy(body, "pong", 4);
    }
    pyroi_store16(frame + 6, n);
    frame[2] = (uint8_t)(ser << 4 | type);
}

/* ---- receiving ---- */

#ifndef PYRO_NO_SERVER
static unsigned pyroi_fail_of5(const pyro_daemon *d, const pyroi_link *l);
#endif

/* A header is complete: as pyroi_admit. */
static bool pyroi_admit5(pyro_daemon *d, pyroi_link *l)
{
    /* What may come: from a client, from a daemon; then the greetings. */
    static const uint8_t kinds[] = { 1u << PYROI_INVOKE | 1u << PYROI_PING,
                                     1u << PYROI_RESULT | 1u << PYROI_PING,
                                     1u << PYROI_CONNECT,
                                     1u << PYROI_CONNECTOK
                                         | 1u << PYROI_CONNECTFAIL };

    unsigned kind = pyroi_kind(l->head);
    unsigned ours = l->key != 0;
    unsigned greeting = l->state < PYROI_OPEN ? 2 : 0;

    if ((kinds[ours + greeting] >> kind & 1u) == 0) {
        if (ours + greeting == 2)
            pyroi_refuse_link(d, l, PYROI_FAIL_TYPE);
        else
            pyroi_bad(d, l, PYROI_T(PYROI_DISORDER5));
        return true;
    }
    if (l->rx_len > 0x7FFFFFFF) {
        pyroi_bad(d, l, PYROI_T("a length that cannot be"));
        return true;
    }
#ifndef PYRO_NO_CLIENT
    if (kind == PYROI_RESULT)
        return pyroi_admit_result(d, l);
#endif
#ifndef PYRO_NO_SERVER
    if (kind == PYROI_INVOKE
        || (kind == PYROI_CONNECT && pyroi_fail_of5(d, l) == 0))
        return pyroi_admit_invoke(d, l);
#endif
    return true;
}

/* Turns the body that has been read into MessagePack, by way of another
 * buffer where it is not. Returns its bytes, 0 when it cannot be read. */
static uint32_t pyroi_decoded5(const pyro_daemon *d, const pyroi_link *l,
                               uint8_t *body, pyroi_buffer *by)
{
    const pyro_codec *codec = pyroi_codec(d, l->head[2] >> 4u);
    uint32_t          n = pyroi_body_bytes(l->head);

    if (n > pyroi_max_body(d))
        n = pyroi_max_body(d); /* the rest was cut */
    if ((l->head[3] & PYROI_PACKED) != 0)
        return 0;
    if (codec != NULL)
        return pyroi_recode(d, codec->decode, body, n, body, by,
                            pyroi_kind(l->head) == PYROI_INVOKE
                                ? PYRO_CODEC_CALL
                                : PYRO_CODEC_VALUE);
    return l->head[2] >> 4u == PYROI_MSGPACK5 ? n : 0;
}

/* How much of a body is read into its buffer; what exceeds that is cut. */
static uint32_t pyroi_read_len5(const pyro_daemon *d, const pyroi_link *l)
{
    uint32_t max = pyroi_max_body(d);

    return pyroi_is5(l) && l->rx_len > max ? max : l->rx_len;
}

/* A frame that took no buffer has been passed over. True: that was all. */
static bool pyroi_passed5(pyro_daemon *d, pyroi_link *l)
{
    unsigned kind = pyroi_kind(l->head);

#ifndef PYRO_NO_SERVER
    if (kind == PYROI_CONNECT) {
        unsigned fail = pyroi_fail_of5(d, l);

        pyroi_refuse_link(d, l, fail != 0 ? fail : (unsigned)PYRO_DENY_BUSY);
    }
#endif
#ifndef PYRO_NO_CLIENT
    if (kind == PYROI_CONNECTOK)
        pyroi_link_up(d, l);
    if (kind == PYROI_CONNECTFAIL && !pyroi_again5(d, l)) {
        pyroi_why(d, PYROI_T("refused by Pyro5: see pyro_exception"), l->ser,
                  0);
        pyroi_end(d, l, PYROI_DENIED);
    }
#endif
    if (kind == PYROI_PING && l->key == 0) {
        l->owed |= PYROI_OWE(PYROI_PONG);
        pyroi_cork(d);
    }
    return kind != PYROI_INVOKE && kind != PYROI_RESULT;
}

/* ---- serving ---- */

#ifndef PYRO_NO_SERVER

/* The names of what Pyro5 and Pyro4 know of exceptions, as the upper half of
 * their CRC-32; the names themselves would take six times as much. Of 1300
 * other names one would pass for one of them: Python reports it as a
 * ValueError. */
/* clang-format off */
static const uint16_t pyroi_errors5[] = {
    0x00E2, 0x047E, 0x0497, 0x0964, 0x141B, 0x1832, 0x20CA, 0x2334,
    0x25E4, 0x2752, 0x278B, 0x2A23, 0x3523, 0x3B68, 0x5669, 0x57B5,
    0x5F3E, 0x6143, 0x6641, 0x66D0, 0x6D58, 0x73D8, 0x762E, 0x7749,
    0x785F, 0x7B17, 0x7B2C, 0x7B9E, 0x8677, 0x8FEC, 0x94C7, 0xA2BA,
    0xA3A8, 0xAA89, 0xAD56, 0xB6F6, 0xBE48, 0xD9E3, 0xDB80, 0xE186,
    0xE6DF, 0xE896, 0xE8CF, 0xEA2F, 0xFBB5, 0xFD0D, 0xFD38, 0xFF0B,
    0xFF2F
};
/* clang-format on */

/* Python makes nothing of an exception whose class it has not got: it becomes
 * a PyroError with the type in front of the message. Dots came from there. */
static const char *pyroi_type5(const pyro_call *call, const char *type)
{
    size_t   n = strlen(type);
    size_t   i = 0;
    uint32_t crc;

    if (call->form_ == 0 || pyroi_has(type, n, '.'))
        return type;
    crc = pyro_crc32(0, type, n) >> 16;
    while (i < PYRO_COUNT(pyroi_errors5) && pyroi_errors5[i] != crc)
        i++;
    return i < PYRO_COUNT(pyroi_errors5) ? type : "PyroError";
}

/* "type: message" */
static void pyroi_put_message5(pyro_writer *w, const char *type,
                               const char *message)
{
    const char *texts[4];

    texts[0] = type;
    texts[1] = ": ";
    texts[2] = message;
    texts[3] = NULL;
    pyroi_put_joined(w, texts);
}

/* What is wrong with a CONNECT, as far as its header says. 0: nothing. */
static unsigned pyroi_fail_of5(const pyro_daemon *d, const pyroi_link *l)
{
    if ((l->flags & PYROI_REFUSE) != 0)
        return PYRO_DENY_BUSY;
    if ((l->head[2] >> 4u != PYROI_MSGPACK5 && !pyroi_coded(d, l))
        || (l->head[3] & PYROI_PACKED) != 0)
        return PYROI_FAIL_SERIALIZER;
    return pyroi_body_bytes(l->head) > pyroi_max_body(d) ? PYROI_FAIL_LONG : 0;
}

/* What a proxy of Python has to know of an object: a map of three lists. One
 * without any method and attribute it would not believe in: the method of an
 * open class (pyro_class.any) that it is told of is called by _pyroInvoke. */
static void pyroi_put_meta5(pyro_writer *w, const pyro_class *cls)
{
    pyro_put_map(w, 3);
    pyro_put_str(w, "methods");
    if (cls->n_methods + cls->n_attrs > 0) {
        pyroi_put_methods(w, cls, 0, false);
    } else {
        pyro_put_list(w, 1);
        pyro_put_str(w, "any");
    }
    pyro_put_str(w, "oneway");
    pyroi_put_methods(w, cls, PYRO_ONEWAY, false);
    pyroi_put_attrs(w, cls, false);
}

static const pyro_class *pyroi_class5(const pyro_daemon *d, const char *text,
                                      size_t n)
{
    char                name[PYRO_MAX_NAME + 1];
    const pyroi_object *o = pyroi_lookup(d, pyroi_name(name, text, n));

    return o != NULL ? o->cls : pyroi_own_class(name);
}

/* What a CONNECT says: {"handshake": anything, "object": name}. Answers it.
 * Returns what is wrong with it. */
static unsigned pyroi_connect5(pyro_daemon *d, pyroi_link *l, pyro_call *call)
{
    pyro_reader      *in = &call->args;
    const pyro_class *cls;
    const char       *object = NULL;
    uint32_t          object_n = 0;
    bool              shaken = false;
    uint32_t          left = pyro_get_map(in, UINT32_MAX);

    for (; left > 0 && in->err == PYRO_OK; left--) {
        uint32_t    n;
        const char *key = pyro_get_str(in, &n);

        if (pyroi_is(key, n, "object")) {
            object = pyro_get_str(in, &object_n);
        } else {
            shaken |= pyroi_is(key, n, "handshake");
            pyro_skip(in);
        }
    }
    if (in->err != PYRO_OK || in->at != in->end || !shaken)
        return PYROI_FAIL_FORM;
    if (pyroi_is4(l) && (call->flags_ & PYROI_META) == 0) {
        pyro_put_str(&call->result, "hello");
        return 0;
    }
    if (object == NULL)
        return PYROI_FAIL_FORM;
    cls = pyroi_class5(d, object, object_n);
    if (cls == NULL)
        return PYROI_FAIL_OBJECT;
    pyro_put_map(&call->result, 2);
    pyro_put_str(&call->result, "handshake");
    pyro_put_str(&call->result, "hello");
    pyro_put_str(&call->result, "meta");
    pyroi_put_meta5(&call->result, cls);
    return pyro_writer_end(&call->result) == PYRO_OK ? 0 : PYROI_FAIL_META;
}

#ifndef PYRO_NO_BATCH

/* A call of a batch: [method, arguments, keyword arguments] in `all`. */
static bool pyroi_open_item5(pyro_call *call, pyro_reader *all,
                             unsigned *given)
{
    pyro_reader *in = &call->args;
    uint8_t     *body = pyroi_bytes(call->args_buf_);
    uint32_t     n;
    const char  *method;
    bool         three;

    *in = *all;
    pyro_skip(all);
    in->end = all->at;
    three = pyro_get_list(in, 3) == 3;
    method = pyro_get_str(in, &n);
    *given = pyro_get_list(in, PYRO_MAX_ARGS);
    if (!three || all->err != PYRO_OK || in->err != PYRO_OK
        || n > PYRO_MAX_NAME)
        return false;
    body[(size_t)((const uint8_t *)method - body) + n] = 0;
    call->method = method;
    return strlen(method) == n;
}

static const char pyroi_wrap5[] = "\x82\xA9__class__\xBC"
                                  "Pyro5.core._ExceptionWrapper\xA9"
                                  "exception";
static const char pyroi_wrap4[] = "\x82\xA9__class__\xBF"
                                  "Pyro4.futures._ExceptionWrapper\xA9"
                                  "exception";
#define PYROI_WRAP_BYTES sizeof pyroi_wrap4 /* of the longer one, and a 0 */

/* Takes what a call of a batch has left behind over to the list of results,
 * which begins at `list` and ends at call->kept_ (less the room for this). */
static void pyroi_keep_item5(pyro_call *call, uint8_t *list)
{
    bool        is4 = call->result.dialect_ == 4;
    const char *wrap = is4 ? pyroi_wrap4 : pyroi_wrap5;
    size_t      size = is4 ? sizeof pyroi_wrap4 - 1 : sizeof pyroi_wrap5 - 1;
    uint8_t    *from = list + call->kept_;
    uint8_t    *to = from - PYROI_WRAP_BYTES;
    size_t      n = (size_t)(call->result.at - from);

    if (call->state_ == PYROI_RAISED) {
        memcpy(to, wrap, size);
        to += size;
    }
    memmove(to, from, n);
    call->kept_ = (pyroi_size)(to + n + PYROI_WRAP_BYTES - list);
}

/* Runs `n` calls, one after the other, up to the first that raises. Their
 * results are a list. */
static unsigned pyroi_batch5(pyro_daemon *d, pyro_call *call, unsigned n)
{
    pyro_reader all = call->args;
    uint8_t    *list = NULL;
    unsigned    ran = 0;
    unsigned    given;

    if (call->reply_buf_ != NULL)
        list = pyroi_bytes(call->reply_buf_) + PYROI_BODY;
    call->kept_ = 3 + PYROI_WRAP_BYTES;
    while (ran < n && call->state_ == PYROI_RUNNING) {
        if (list != NULL
            && pyroi_max_body(d) < call->kept_ + (uint32_t)PYROI_LEAST_BODY)
            break;
        pyroi_begin_result(call);
        pyroi_settle(call, pyroi_open_item5(call, &all, &given)
                               ? pyroi_run_on(d, call, given)
                               : (unsigned)PYRO_ERR_PROTOCOL);
        ran++;
        if (list != NULL) {
            pyroi_end_result(call);
            pyroi_keep_item5(call, list);
        }
    }
    if (list == NULL)
        return PYRO_OK;
    call->result = pyro_writer_of(list + call->kept_ - PYROI_WRAP_BYTES, 0, 0);
    call->kept_ = 0;
    if (ran < n && call->state_ == PYROI_RUNNING)
        return pyroi_raise_numbers(call, PYRO_ERR_NOSPACE,
                                   "batch: results fill the buffer after ",
                                   ran, " calls of ", n);
    call->state_ = PYROI_RUNNING;
    list[0] = 0xDC;
    pyroi_store16(list + 1, ran);
    return PYRO_OK;
}

#endif /* PYRO_NO_BATCH */

/* Type and serializer of the reply to the frame being read. One whose
 * serializer is not built in is told so in MessagePack. */
static uint8_t pyroi_form5(const pyro_daemon *d, const pyroi_link *l)
{
    unsigned ser = pyroi_coded(d, l) ? l->head[2] >> 4u : PYROI_MSGPACK5;
    unsigned type =
        pyroi_kind(l->head) == PYROI_CONNECT ? PYROI_CONNECTOK : PYROI_RESULT;

    return (uint8_t)(ser << 4 | type);
}

/* Arguments in another serializer are decoded by way of the buffer of the
 * reply, which a oneway has only for that. */
static bool pyroi_decode5(pyro_daemon *d, const pyroi_link *l, pyro_call *call)
{
    uint8_t *body = pyroi_bytes(call->args_buf_);

    call->args.end = body + pyroi_decoded5(d, l, body, call->reply_buf_);
    if (call->oneway) {
        pyroi_give_all(d, &call->reply_buf_);
        pyroi_begin_result(call);
    }
    return call->args.end > body;
}

/* A CONNECT or a call that has come in whole. */
static unsigned pyroi_run5(pyro_daemon *d, pyroi_link *l, pyro_call *call)
{
    bool     reads = pyroi_decode5(d, l, call);
    unsigned given;
    unsigned fail;

    pyroi_set_dialect(&call->args, l);
    if (pyroi_kind(l->head) == PYROI_CONNECT) {
        fail = reads ? pyroi_connect5(d, l, call) : (unsigned)PYROI_FAIL_FORM;
        if (fail == 0) {
            pyroi_link_up(d, l);
        } else {
            pyroi_refuse_link(d, l, fail);
            call->state_ = PYROI_DEFERRED; /* no reply */
        }
        return PYRO_OK;
    }
    if (!reads)
        return pyroi_raise_text(call, PYRO_ERR_PROTOCOL, PYROI_UNREADABLE5);
#ifdef PYRO_NO_BATCH
    if ((call->flags_ & PYROI_BATCH) != 0)
        return pyroi_raise_text(call, PYRO_ERR_PROTOCOL,
                                "batches are not accepted");
#endif
    if (!pyroi_open_body(call, &given))
        return PYRO_ERR_PROTOCOL;
#ifndef PYRO_NO_BATCH
    if ((call->flags_ & PYROI_BATCH) != 0)
        return pyroi_batch5(d, call, given);
#endif
    return pyroi_run_on(d, call, given);
}

/* The handler has returned: the reply goes into its serializer by way of the
 * buffer of the arguments. */
static void pyroi_ran5(pyro_call *call)
{
    if (!pyroi_is_coded(call) || call->reply_buf_ == NULL
        || call->args_buf_ == NULL)
        return;
    call->reply_buf_->next = call->args_buf_;
    call->args_buf_ = NULL;
}

/* Turns a reply into its serializer. False: it cannot be, and the link has
 * ended. */
static bool pyroi_encode5(pyro_daemon *d, pyroi_link *l, pyro_call *call)
{
    const pyro_codec *codec = pyroi_codec(d, call->form_ >> 4u);
    pyroi_buffer     *b = call->reply_buf_;
    uint8_t          *body = pyroi_bytes(b) + PYROI_BODY;
    uint32_t          n = 0;
    unsigned          tries;

    if (codec == NULL)
        return true;
    for (tries = 0; tries < 2 && n == 0; tries++) {
        if (tries > 0 && (call->form_ & 15) == PYROI_RESULT)
            pyroi_settle(call, pyroi_raise_text(call, PYRO_ERR_NOSPACE,
                                                "result too long as text"));
        n = pyroi_recode(d, codec->encode, body,
                         (uint32_t)(call->result.at - body), body, b->next,
                         PYRO_CODEC_VALUE);
    }
    if (n == 0) {
        pyroi_give_all(d, &call->reply_buf_);
        pyroi_bad(d, l, PYROI_T("result too long as text"));
        return false;
    }
    pyroi_give_all(d, &b->next);
    call->result.at = body + n;
    return true;
}

/* What only the header on the wire shows of a reply. */
static void pyroi_label5(const pyro_call *call)
{
    uint8_t *frame = pyroi_first(call->reply_buf_);

    if (call->form_ == 0)
        return;
    frame[2] = call->form_;
    frame[3] |= call->flags_ & (PYROI_BATCH | PYROI_META);
}

/* ---- methods of the daemon object, Pyro.Daemon to them ---- */

static void pyroi_get_metadata5(void *self, pyro_call *call)
{
    uint32_t          n;
    const char       *object = pyro_get_str(&call->args, &n);
    const pyro_class *cls = pyroi_class5((pyro_daemon *)self, object, n);

    if (cls != NULL)
        pyroi_put_meta5(&call->result, cls);
    else
        pyro_raise(call, "DaemonError", pyroi_fail_text(PYROI_FAIL_OBJECT));
}

/* The names of all objects that have one, this one included. */
static void pyroi_registered5(void *self, pyro_call *call)
{
    pyro_daemon *d = (pyro_daemon *)self;
    pyro_object  o;
    unsigned     at = 0;
    uint32_t     n = 1;

    while (pyro_walk(d, &at, &o))
        n += o.name != NULL;
    pyro_put_list(&call->result, n);
    pyro_put_str(&call->result, PYROI_DAEMON5);
    for (at = 0; pyro_walk(d, &at, &o);) {
        if (o.name != NULL)
            pyro_put_str(&call->result, o.name);
    }
}

static void pyroi_info5(void *self, pyro_call *call)
{
    (void)self;
    pyro_put_str(&call->result, "Pyro for C, version " PYRO_VERSION);
}

#endif /* PYRO_NO_SERVER */

/* ---- calling ---- */

#ifndef PYRO_NO_CLIENT

/* A link of ours: to Pyro5, as its URI says, or not. MessagePack first. */
static void pyroi_client5(pyroi_link *l, bool pyro5)
{
    if (!pyro5)
        return;
    l->dialect = 5;
    l->flags &= ~(uint32_t)PYROI_SUMS;
    l->ser = PYROI_MSGPACK5;
}

#if !defined(PYRO_NO_CODECS) || !defined(PYRO_NO_PYRO4)

/* Begins to connect to where a link of ours is connected, which a proxy that
 * uses it knows. Below 0: nobody does, or it cannot be. */
static int32_t pyroi_dial5(pyro_daemon *d, const pyroi_link *l)
{
    char        address[PYRO_MAX_HOST + 9];
    pyro_proxy *proxy = d->proxies_;
    bool        pyro5;

    while (proxy != NULL && (proxy->link_ != l->id || proxy->uri_ == NULL))
        proxy = proxy->next_;
    if (proxy == NULL
        || pyroi_address_of(proxy, address, sizeof address, &pyro5) != PYRO_OK)
        return -1;
    return l->item.port->connect(l->item.port, address);
}

/* Connects a link of ours anew, to greet in another serializer. What waits to
 * be sent goes on waiting. */
static bool pyroi_redial5(pyro_daemon *d, pyroi_link *l, unsigned ser)
{
    const pyro_port *port = l->item.port;
    int32_t          handle = pyroi_dial5(d, l);

    if (handle < 0)
        return false;
    pyroi_item_drop(d, &l->item);
    port->close(port, l->item.handle);
    pyroi_drop_rx(d, l);
    l->owed = l->control = 0;
    l->tx_at = 0;
    l->input = false;
    l->tx_due = 0;
#if PYRO_LINK_AHEAD != 0
    memset(l->item.ahead, 0, 64);
#endif
    pyroi_item_add(d, &l->item, port, handle);
    l->ser = (uint8_t)ser;
    pyroi_greet(d, l);
    return true;
}

#endif

#ifndef PYRO_NO_PYRO4
/* A daemon of Pyro4 has answered our first CONNECT: once more, as it wants
 * it. */
static bool pyroi_older5(pyro_daemon *d, pyroi_link *l)
{
    if (l->state != PYROI_ASKING || pyroi_is4(l))
        return false;
    l->dialect = 4;
    return pyroi_redial5(d, l, PYROI_MSGPACK5);
}
#endif

#ifndef PYRO_NO_CODECS
/* A daemon has not taken our CONNECT: it closed the connection or refused it.
 * Tries the next serializer; those that are text need a buffer more. */
static bool pyroi_again5(pyro_daemon *d, pyroi_link *l)
{
    const pyro_codec *const *codec = d->config_->codecs;
    unsigned                 least = (d->flags_ & PYROI_SERVES) != 0 ? 4 : 2;

    if (l->state != PYROI_ASKING || (l->owed & PYROI_OWE(PYROI_CONNECT)) != 0
        || codec == NULL)
        return false;
    if (l->ser != PYROI_MSGPACK5)
        codec = pyroi_codec_at(d, l->ser) + 1;
    if (*codec == NULL)
        return false;
    if (d->room_.n_buffers < least) {
        pyroi_why(d, PYROI_TOO_FEW("buffers"), d->room_.n_buffers, least);
        return false;
    }
    d->flags_ |= PYROI_TEXTS;
    return pyroi_redial5(d, l, (*codec)->id);
}
#endif

/* The call in front of the send queue gets its serializer: that of the link,
 * which is known only now. It is written into a free buffer and copied back.
 * False: it does not fit, and has ended. */
static bool pyroi_encode_call5(pyro_daemon *d, pyroi_link *l)
{
    const pyro_codec *codec = pyroi_codec(d, l->ser);
    pyroi_buffer     *b = l->tx;
    uint8_t          *frame = pyroi_first(b);
    uint32_t          size = pyroi_body_bytes(frame);
    uint8_t          *body = pyroi_bytes(b) + PYROI_BODY;
    uint32_t          n = 0;

    if (codec != NULL && frame[2] >> 4u == PYROI_WIRE) { /* not yet */
        if (d->free_ != NULL)
            n = pyroi_recode(d, codec->encode, pyroi_bytes(b) + b->end - size,
                             size, body, d->free_, PYRO_CODEC_CALL);
        if (n == 0) {
            l->tx = b->next;
            pyroi_fail_queued(d, l, frame);
            pyroi_why(d, PYROI_T("no buffer for a call as text, or too small"),
                      size, pyroi_max_body(d));
            pyroi_give(d, b);
            return false;
        }
        (void)pyroi_seal(l, b,
                         PYROI_WHAT(PYROI_INVOKE, frame[3] & PYROI_ONEWAY),
                         pyroi_load16(frame + 4), body + n);
        frame = pyroi_first(b);
    }
    frame[2] = (uint8_t)(l->ser << 4 | PYROI_INVOKE);
    return true;
}

/* Whether the answer being received may be cut: of an exception the traceback
 * comes last. */
static bool pyroi_cuts5(const pyro_daemon *d, const pyroi_link *l)
{
    return pyroi_is5(l) && (l->head[3] & PYROI_EXCEPTION) != 0
        && !pyroi_coded(d, l);
}

/* Turns an answer into MessagePack. Returns its bytes, 0 when it cannot be
 * read. */
static uint32_t pyroi_decode_result5(pyro_daemon *d, const pyroi_link *l,
                                     pyroi_buffer *b)
{
    uint32_t n;

    if (!pyroi_is5(l))
        return pyroi_body_bytes(l->head);
    n = pyroi_decoded5(d, l, pyroi_bytes(b), b->next);
    pyroi_give_all(d, &b->next);
    if (n == 0)
        pyroi_why(d, PYROI_T(PYROI_UNREADABLE5), pyroi_body_bytes(l->head),
                  l->head[2] >> 4u);
    return n;
}

/* Whether an exception that does not end in order may be one that was cut:
 * then it can be read up to there. */
static bool pyroi_is_cut5(pyro_reader *in, const uint8_t *end)
{
    in->end = end;
    in->err = PYRO_OK;
    return in->dialect_ != 0;
}

static bool pyroi_is_busy5(const uint8_t *data, size_t n)
{
    return n == sizeof pyroi_busy5 - 1 && memcmp(data, pyroi_busy5, n) == 0;
}

#if PYRO_EXCEPTION_BYTES > 0
/* The text in the first n bytes of a str of `size` bytes: it begins behind a
 * comment (serpent's) and a quote, or behind what marshal and MessagePack have
 * in front, which is no ASCII or the text's length. */
static const char *pyroi_readable5(char *text, uint32_t n, uint32_t size)
{
    uint32_t from = 0;
    uint32_t i;

    text[n] = '\0';
    for (i = 0; i < n; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c < 0x20
            || (i < 3 && text[0] != '"'
                && (c > 0x7E || c == ((size - i - 1) & 0xFF))))
            from = i + 1;
    }
    if (text[from] == '"' || text[from] == '\'') {
        if (n == size && text[n - 1] == text[from])
            text[n - 1] = '\0';
        from++;
    }
    if (n < size && n == PYRO_EXCEPTION_BYTES - 1)
        memcpy(text + n - 3, "...", 3);
    return text + from;
}

/* Bytes of a CONNECTFAIL, which is a str in whatever serializer: the message
 * for all proxies of the link. */
static void pyroi_keep_denial5(pyro_daemon *d, const pyroi_link *l,
                               const uint8_t *p, uint32_t n)
{
    pyro_proxy *proxy = d->proxies_;
    uint32_t    at = l->rx_have;

    if (!pyroi_is5(l) || pyroi_kind(l->head) != PYROI_CONNECTFAIL
        || at >= PYRO_EXCEPTION_BYTES - 1)
        return;
    if (n > PYRO_EXCEPTION_BYTES - 1 - at)
        n = PYRO_EXCEPTION_BYTES - 1 - at;
    for (; proxy != NULL; proxy = proxy->next_) {
        if (proxy->link_ != l->id)
            continue;
        memcpy(proxy->text_ + at, p, n);
        pyroi_no_exception(proxy);
        if (at + n == l->rx_len || at + n == PYRO_EXCEPTION_BYTES - 1)
            proxy->exc_.message =
                pyroi_readable5(proxy->text_, at + n, l->rx_len);
    }
}

/* The type of an exception without "builtins." or "Pyro5.errors.". */
static void pyroi_bare5(const pyro_reader *in, const char **type)
{
    const char *at = *type;

    for (; in->dialect_ != 0 && *at != '\0'; at++) {
        if (*at == '.' && at[1] != '.' && at[1] != '\0')
            *type = at + 1;
    }
}
#endif

/* Whether a call found no such method or attribute. */
static bool pyroi_no_attr5(const pyro_proxy *proxy, pyro_err err)
{
    return err == PYRO_ERR_REMOTE
        && strcmp(proxy->exc_.type, "AttributeError") == 0;
}

#endif /* PYRO_NO_CLIENT */

#endif /* PYRO_NO_PYRO5 */

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ------------------------------------------------------------------------
 * >>posix: the port for sockets
 *
 * Handles are file descriptors. Sockets stay blocking and every call says
 * "do not wait", so that the one place which may wait can do so in recv.
 * ------------------------------------------------------------------------ */

#ifdef PYRO_POSIX

#include <sys/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* With -std=c99 the C library hides all this unless it is asked for before
 * its first header. */
#if !defined(AI_NUMERICHOST) || !defined(CLOCK_MONOTONIC)
#error "PYRO_POSIX: include pyro.h before system headers, or build with \
-D_DEFAULT_SOURCE or -std=gnu99"
#endif
#ifndef MSG_DONTWAIT
#error "PYRO_POSIX: there is no MSG_DONTWAIT here; write a port for it"
#endif

#ifdef __linux__
#ifdef __has_include
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif
#endif
#endif

/* Most handles one wait watches. Those beyond it are tried every
 * PYROI_POSIX_RETRY_MS instead. Range 1 to 65536; costs 8 bytes of stack
 * each while waiting. */
#ifndef PYRO_POSIX_HANDLES
#define PYRO_POSIX_HANDLES 1024
#endif
#if PYRO_POSIX_HANDLES < 1 || PYRO_POSIX_HANDLES > 65536
#error "PYRO_POSIX_HANDLES: 1 to 65536"
#endif

#define PYROI_POSIX_RETRY_MS 10

/* Time spent in a blocking recv before the wait goes on in poll. */
#define PYROI_POSIX_BLOCK_MS 50

/* Most entries of the system's list of addresses that are looked at. */
#define PYROI_POSIX_NETS 4096

/* Flags of an interface: the same everywhere, but <net/if.h> hides them when
 * a program asks for POSIX alone. */
#define PYROI_POSIX_UP        0x1u
#define PYROI_POSIX_BROADCAST 0x2u
#define PYROI_POSIX_LOOPBACK  0x8u

/* A signal storm cannot hold a call for longer than so many tries. */
#define PYROI_POSIX_TRIES 8

/* Largest count that leaves PYRO_PORT_MORE free. */
#define PYROI_POSIX_MOST 0x3FFFFFFFu

/* Where a send cannot be told to raise no SIGPIPE, the socket is. */
#ifdef MSG_NOSIGNAL
#define PYROI_POSIX_SEND (MSG_DONTWAIT | MSG_NOSIGNAL)
#else
#define PYROI_POSIX_SEND MSG_DONTWAIT
#endif

/* The start of a connection's read-ahead; its bytes follow. Empty is
 * at == end. */
typedef struct pyroi_posix_ahead {
    uint32_t at;  /* first byte not handed out */
    uint32_t end; /* bytes the last recv brought; all of the room: there may
                     be more */
    uint32_t how; /* PYROI_POSIX_BLOCKS or _POLLS, 0: not known yet */
} pyroi_posix_ahead;

#define PYROI_POSIX_BLOCKS 1
#define PYROI_POSIX_POLLS  2

#if PYRO_LINK_AHEAD > 0
#define PYROI_POSIX_ROOM \
    ((uint32_t)(PYRO_LINK_AHEAD - sizeof(pyroi_posix_ahead)))
#else
#define PYROI_POSIX_ROOM 1u /* never used */
#endif

typedef struct pyroi_posix_addr {
    socklen_t n;
    bool      all; /* "*": every interface */
    union {
        struct sockaddr     any;
        struct sockaddr_in  v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un  un;
    } u;
} pyroi_posix_addr;

/* --- clock and random bytes --- */

static uint32_t pyroi_posix_now(const pyro_port *port)
{
    struct timespec t;

    (void)port;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        return 0; /* standing still, which the library notices */
    return (uint32_t)((uint64_t)t.tv_sec * 1000u
                      + (uint64_t)t.tv_nsec / 1000000u);
}

static bool pyroi_posix_urandom(uint8_t *to, size_t n)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    int tries = 0;

    if (fd < 0)
        return false;
    while (n > 0 && tries < PYROI_POSIX_TRIES) {
        ssize_t got = read(fd, to, n);

        if (got > 0) {
            to += got;
            n -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            break;
        } else {
            tries++;
        }
    }
    close(fd);
    return n == 0;
}

/* Early at boot the system may have none yet: false, rather than bytes that
 * can be guessed or a wait without end. */
static bool pyroi_posix_random(const pyro_port *port, void *to, size_t n)
{
    uint8_t *at = (uint8_t *)to;

    (void)port;
#ifdef GRND_NONBLOCK
    for (int tries = 0; n > 0 && tries < PYROI_POSIX_TRIES;) {
        ssize_t got = getrandom(at, n, GRND_NONBLOCK);

        if (got > 0) {
            at += got;
            n -= (size_t)got;
        } else if (got == 0 || errno == EINTR) {
            tries++;
        } else if (errno == ENOSYS) {
            break;
        } else {
            return false;
        }
    }
#endif
    return n == 0 || pyroi_posix_urandom(at, n);
}

/* --- addresses --- */

/* One to five digits and nothing else, up to 65535. */
static bool pyroi_posix_port(const char *text, uint16_t *port)
{
    uint32_t v = 0;
    size_t   n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n < 5; n++)
        v = v * 10u + (uint32_t)(text[n] - '0');
    if (n == 0 || text[n] != 0 || v > 65535u)
        return false;
    *port = (uint16_t)v;
    return true;
}

static void pyroi_posix_v4(pyroi_posix_addr *a, uint32_t host, uint16_t port)
{
    a->n = sizeof a->u.v4;
    a->u.v4.sin_family = AF_INET;
    a->u.v4.sin_addr.s_addr = htonl(host);
    a->u.v4.sin_port = htons(port);
}

/* "*" is IPv6 first, which takes IPv4 as well; see listen. */
static void pyroi_posix_v6_all(pyroi_posix_addr *a, uint16_t port)
{
    a->n = sizeof a->u.v6;
    a->u.v6.sin6_family = AF_INET6;
    a->u.v6.sin6_addr = in6addr_any;
    a->u.v6.sin6_port = htons(port);
}

/* A name, or an IPv6 address with a zone: the system's first answer. */
static bool pyroi_posix_lookup(pyroi_posix_addr *a, const char *host,
                               uint16_t port)
{
    struct addrinfo  hints;
    struct addrinfo *found = NULL;
    bool             ok;

    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    ok = found->ai_addrlen <= sizeof a->u
      && (found->ai_family == AF_INET || found->ai_family == AF_INET6);
    if (ok) {
        memcpy(&a->u, found->ai_addr, found->ai_addrlen);
        a->n = found->ai_addrlen;
        if (found->ai_family == AF_INET)
            a->u.v4.sin_port = htons(port);
        else
            a->u.v6.sin6_port = htons(port);
    }
    freeaddrinfo(found);
    return ok;
}

static bool pyroi_posix_host(pyroi_posix_addr *a, const char *host,
                             uint16_t port)
{
    if (host[0] == 0 || strcmp(host, "localhost") == 0) {
        pyroi_posix_v4(a, INADDR_LOOPBACK, port);
    } else if (strcmp(host, "*") == 0) {
        pyroi_posix_v6_all(a, port);
        a->all = true;
    } else if (inet_pton(AF_INET, host, &a->u.v4.sin_addr) == 1) {
        pyroi_posix_v4(a, ntohl(a->u.v4.sin_addr.s_addr), port);
    } else {
        return strchr(host, ':') == NULL && pyroi_posix_lookup(a, host, port);
    }
    return true;
}

static bool pyroi_posix_bracketed(pyroi_posix_addr *a, const char *host,
                                  uint16_t port)
{
    struct in6_addr v6;

    if (inet_pton(AF_INET6, host, &v6) != 1)
        return strchr(host, ':') != NULL && strchr(host, '%') != NULL
            && pyroi_posix_lookup(a, host, port);
    pyroi_posix_v6_all(a, port);
    a->u.v6.sin6_addr = v6;
    return true;
}

static bool pyroi_posix_path(pyroi_posix_addr *a, const char *path)
{
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof a->u.un.sun_path)
        return false;
    a->u.un.sun_family = AF_UNIX;
    memcpy(a->u.un.sun_path, path, n + 1);
    a->n = (socklen_t)sizeof a->u.un;
    return true;
}

static bool pyroi_posix_parse(pyroi_posix_addr *a, const char *text)
{
    char        host[PYRO_MAX_HOST + 1];
    const char *colon = strrchr(text, ':');
    bool        brackets = text[0] == '[';
    size_t      n;
    uint16_t    port;

    memset(a, 0, sizeof *a);
    if (strncmp(text, "unix:", 5) == 0)
        return pyroi_posix_path(a, text + 5);
    if (!pyroi_posix_port(colon != NULL ? colon + 1 : text, &port))
        return false;
    n = colon != NULL ? (size_t)(colon - text) : 0;
    if (brackets) {
        if (n < 2 || text[n - 1] != ']')
            return false;
        text++;
        n -= 2;
    }
    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = 0;
    return brackets ? pyroi_posix_bracketed(a, host, port)
                    : pyroi_posix_host(a, host, port);
}

static char *pyroi_posix_digits(char *at, uint32_t v)
{
    char   text[10];
    size_t n = 0;

    do {
        text[n++] = (char)('0' + v % 10u);
        v /= 10u;
    } while (v > 0);
    while (n > 0)
        *at++ = text[--n];
    return at;
}

static bool pyroi_posix_give(char *to, size_t size, const char *text, size_t n)
{
    if (n >= size)
        return false;
    memcpy(to, text, n);
    to[n] = 0;
    return true;
}

/* IPv4 that came to an IPv6 socket is plain IPv4 to people. */
static bool pyroi_posix_print_v6(const struct sockaddr_in6 *v6, char *to,
                                 size_t size)
{
    char  text[INET6_ADDRSTRLEN + 24]; /* [ % zone ] : port */
    char *at = text;
    bool  v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

    if (!v4)
        *at++ = '[';
    if (inet_ntop(v4 ? AF_INET : AF_INET6,
                  v6->sin6_addr.s6_addr + (v4 ? 12 : 0), at, INET6_ADDRSTRLEN)
        == NULL)
        return false;
    at += strlen(at);
    if (v6->sin6_scope_id != 0) {
        *at++ = '%';
        at = pyroi_posix_digits(at, (uint32_t)v6->sin6_scope_id);
    }
    if (!v4)
        *at++ = ']';
    *at++ = ':';
    at = pyroi_posix_digits(at, ntohs(v6->sin6_port));
    return pyroi_posix_give(to, size, text, (size_t)(at - text));
}

static bool pyroi_posix_print_v4(const struct sockaddr_in *v4, char *to,
                                 size_t size)
{
    char  text[INET_ADDRSTRLEN + 8];
    char *at = text;

    if (inet_ntop(AF_INET, &v4->sin_addr, at, INET_ADDRSTRLEN) == NULL)
        return false;
    at += strlen(at);
    *at++ = ':';
    at = pyroi_posix_digits(at, ntohs(v4->sin_port));
    return pyroi_posix_give(to, size, text, (size_t)(at - text));
}

/* The system may leave out the zero byte of a path. */
static bool pyroi_posix_print_un(const struct sockaddr_un *un, socklen_t len,
                                 char *to, size_t size)
{
    char   text[sizeof un->sun_path + 5];
    size_t room = 0;
    size_t n = 0;

    if (len > offsetof(struct sockaddr_un, sun_path))
        room = len - offsetof(struct sockaddr_un, sun_path);
    if (room > sizeof un->sun_path)
        room = sizeof un->sun_path;
    while (n < room && un->sun_path[n] != 0)
        n++;
    if (n == 0)
        return false;
    memcpy(text, "unix:", 5);
    memcpy(text + 5, un->sun_path, n);
    return pyroi_posix_give(to, size, text, n + 5);
}

static bool pyroi_posix_address(const pyro_port *port, int32_t handle,
                                bool peer, char *to, size_t size)
{
    pyroi_posix_addr a;

    (void)port;
    memset(&a, 0, sizeof a);
    a.n = sizeof a.u;
    if ((peer ? getpeername(handle, &a.u.any, &a.n)
              : getsockname(handle, &a.u.any, &a.n))
        != 0)
        return false;
    switch (a.u.any.sa_family) {
    case AF_INET:
        return pyroi_posix_print_v4(&a.u.v4, to, size);
    case AF_INET6:
        return pyroi_posix_print_v6(&a.u.v6, to, size);
    case AF_UNIX:
        return pyroi_posix_print_un(&a.u.un, a.n, to, size);
    default:
        return false;
    }
}

/* --- descriptors --- */

static bool pyroi_posix_nonblock(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    int wanted;

    if (flags < 0)
        return false;
    wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return wanted == flags || fcntl(fd, F_SETFL, wanted) == 0;
}

static bool pyroi_posix_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* What every socket gets. The TCP options fail on others, and may. */
static void pyroi_posix_own(int fd)
{
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#ifndef MSG_NOSIGNAL
    pyroi_posix_set(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    pyroi_posix_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    pyroi_posix_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int pyroi_posix_open(const pyroi_posix_addr *a)
{
    int fd = socket(a->u.any.sa_family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    pyroi_posix_own(fd);
    if (pyroi_posix_nonblock(fd, true))
        return fd;
    close(fd);
    return -1;
}

static void pyroi_posix_close(const pyro_port *port, int32_t handle)
{
    (void)port;
    close(handle); /* never again on EINTR: the number may be another's */
}

/* Whether a descriptor has failed or its peer is away for good. */
static bool pyroi_posix_hung(int fd)
{
    struct pollfd p;

    p.fd = fd;
    p.events = 0;
    p.revents = 0;
    return poll(&p, 1, 0) > 0;
}

/* What a failed send or recv means. "Not connected" is what some systems say
 * while connecting and others after it failed. */
static int32_t pyroi_posix_verdict(int fd)
{
    switch (errno) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
    case ENOBUFS:
    case ENOMEM:
        return 0;
    case ENOTCONN:
    case EINPROGRESS:
    case EALREADY:
        return pyroi_posix_hung(fd) ? PYRO_PORT_GONE : 0;
    default:
        return PYRO_PORT_GONE;
    }
}

/* --- descriptors that are no sockets: serial lines, pipes --- */

static int32_t pyroi_posix_read(int fd, void *to, uint32_t n)
{
    ssize_t got;

    if (!pyroi_posix_nonblock(fd, true))
        return PYRO_PORT_GONE;
    got = read(fd, to, n);
    if (got > 0)
        return (int32_t)got;
    if (got < 0)
        return pyroi_posix_verdict(fd);
    /* A terminal with VMIN 0 reads 0 bytes when it has none. */
    return isatty(fd) && !pyroi_posix_hung(fd) ? 0 : PYRO_PORT_GONE;
}

/* Writes with SIGPIPE held back, and takes back the one it raised; one that
 * was pending before stays. */
static ssize_t pyroi_posix_quiet(int fd, const void *data, uint32_t n)
{
    sigset_t only, pending, before;
    ssize_t  sent;
    int      error;
    int      was, taken;

    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    was = sigismember(&pending, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &only, &before) != 0)
        return -1;
    sent = write(fd, data, n);
    error = errno;
    if (sent < 0 && error == EPIPE && was == 0) {
        sigpending(&pending);
        if (sigismember(&pending, SIGPIPE) == 1)
            sigwait(&only, &taken);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return sent;
}

static int32_t pyroi_posix_write(int fd, const void *data, uint32_t n)
{
    ssize_t sent;

    if (!pyroi_posix_nonblock(fd, true))
        return PYRO_PORT_GONE;
    sent = pyroi_posix_quiet(fd, data, n);
    return sent >= 0 ? (int32_t)sent : pyroi_posix_verdict(fd);
}

/* --- bytes --- */

static int32_t pyroi_posix_send(const pyro_port *port, int32_t handle,
                                const void *data, uint32_t n)
{
    (void)port;
    if (n > PYROI_POSIX_MOST)
        n = PYROI_POSIX_MOST;
    for (int tries = 0; tries < PYROI_POSIX_TRIES; tries++) {
        ssize_t sent = send(handle, data, n, PYROI_POSIX_SEND);

        if (sent >= 0)
            return (int32_t)sent;
        if (errno == ENOTSOCK)
            return pyroi_posix_write(handle, data, n);
        if (errno != EINTR)
            return pyroi_posix_verdict(handle);
    }
    return 0;
}

static int32_t pyroi_posix_take(int fd, void *to, uint32_t n)
{
    for (int tries = 0; tries < PYROI_POSIX_TRIES; tries++) {
        ssize_t got = recv(fd, to, n, MSG_DONTWAIT);

        if (got > 0)
            return (int32_t)got;
        if (got == 0)
            return PYRO_PORT_GONE;
        if (errno == ENOTSOCK)
            return pyroi_posix_read(fd, to, n);
        if (errno != EINTR)
            return pyroi_posix_verdict(fd);
    }
    return 0;
}

/* Without read-ahead: all that was asked for came, so there may be more. */
static int32_t pyroi_posix_plain(int fd, void *to, uint32_t n)
{
    int32_t got = pyroi_posix_take(fd, to, n);

    return got > 0 && (uint32_t)got == n ? got | PYRO_PORT_MORE : got;
}

/* A long body goes to its place without a copy, and what follows it into the
 * read-ahead, which is empty. Asking for more than the body shows in the same
 * call that nothing is left. */
static int32_t pyroi_posix_long(int fd, pyroi_posix_ahead *a, void *to,
                                uint32_t n)
{
    struct iovec  part[2];
    struct msghdr m;
    ssize_t       got;

    memset(&m, 0, sizeof m);
    m.msg_iov = part;
    m.msg_iovlen = 2;
    part[0].iov_base = to;
    part[0].iov_len = n;
    part[1].iov_base = a + 1;
    part[1].iov_len = PYROI_POSIX_ROOM;
    got = recvmsg(fd, &m, MSG_DONTWAIT);
    if (got == 0)
        return PYRO_PORT_GONE;
    if (got < 0 && (errno == EINTR || errno == ENOTSOCK))
        return pyroi_posix_plain(fd, to, n);
    if (got < 0)
        return pyroi_posix_verdict(fd);
    a->at = 0;
    a->end = (size_t)got > n ? (uint32_t)((size_t)got - n) : 0;
    return a->end > 0 ? (int32_t)n | PYRO_PORT_MORE : (int32_t)got;
}

static pyroi_posix_ahead *pyroi_posix_ahead_of(void *ahead)
{
    return PYRO_LINK_AHEAD > 0 ? (pyroi_posix_ahead *)ahead : NULL;
}

/* Bytes for the read-ahead, which is empty, and from there for the caller; or
 * straight to him, where he asks for many or there is none. */
PYROI_CALLED int32_t pyroi_posix_fill(int fd, pyroi_posix_ahead *a, void *to,
                                      uint32_t n)
{
    if (n > PYROI_POSIX_MOST)
        n = PYROI_POSIX_MOST;
    if (n == 0)
        return 0;
    if (a == NULL)
        return pyroi_posix_plain(fd, to, n);
    return pyroi_posix_long(fd, a, to, n);
}

/* At most one system call, and none while the read-ahead has bytes: then it
 * gives what is there, even if that is less than n. A recv that left room in
 * the read-ahead has emptied the socket, so asking again at once would be in
 * vain. */
static int32_t pyroi_posix_recv(const pyro_port *port, int32_t handle,
                                void *ahead, void *to, uint32_t n)
{
    pyroi_posix_ahead *a = pyroi_posix_ahead_of(ahead);
    const uint8_t     *from;
    uint32_t           k;

    (void)port;
    if (a == NULL)
        return pyroi_posix_fill(handle, a, to, n);
    k = a->end - a->at;
    if (k == 0) {
        int32_t got;

        if (n == 0 || n >= PYROI_POSIX_ROOM)
            return pyroi_posix_fill(handle, a, to, n);
        got = pyroi_posix_take(handle, a + 1, PYROI_POSIX_ROOM);
        if (got <= 0)
            return got;
        a->at = 0;
        a->end = k = (uint32_t)got;
    }
    if (k > n)
        k = n;
    from = (const uint8_t *)(a + 1) + a->at;
    a->at += k;
    if (k == 8) /* most headers: no call for that */
        memcpy(to, from, 8);
    else
        memcpy(to, from, k);
    return a->at != a->end || a->end == PYROI_POSIX_ROOM
             ? (int32_t)k | PYRO_PORT_MORE
             : (int32_t)k;
}

/* --- connections --- */

/* A socket file that nobody answers on is left from a run that ended. Two
 * programs that start at the same instant can both find it so. */
static bool pyroi_posix_stale(const pyroi_posix_addr *a)
{
    struct stat st;
    bool        refused;
    int         fd;

    if (a->u.any.sa_family != AF_UNIX || lstat(a->u.un.sun_path, &st) != 0
        || !S_ISSOCK(st.st_mode))
        return false;
    fd = pyroi_posix_open(a);
    if (fd < 0)
        return false;
    refused = connect(fd, &a->u.any, a->n) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused && unlink(a->u.un.sun_path) == 0;
}

/* "*" takes IPv4 and IPv6 by one socket; other IPv6 listeners IPv6 only,
 * whatever the system's default is. */
static bool pyroi_posix_bind(int fd, const pyroi_posix_addr *a)
{
    if (a->u.any.sa_family != AF_UNIX
        && !pyroi_posix_set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return false;
    if (a->u.any.sa_family == AF_INET6
        && !pyroi_posix_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, a->all ? 0 : 1))
        return false;
    if (bind(fd, &a->u.any, a->n) == 0)
        return true;
    return errno == EADDRINUSE && pyroi_posix_stale(a)
        && bind(fd, &a->u.any, a->n) == 0;
}

static int32_t pyroi_posix_listen_at(const pyroi_posix_addr *a)
{
    int fd = pyroi_posix_open(a);

    if (fd < 0)
        return -1;
    if (pyroi_posix_bind(fd, a) && listen(fd, SOMAXCONN) == 0)
        return fd;
    close(fd);
    return -1;
}

static int32_t pyroi_posix_listen(const pyro_port *port, const char *address)
{
    pyroi_posix_addr a;
    int32_t          handle;

    (void)port;
    if (!pyroi_posix_parse(&a, address))
        return -1;
    handle = pyroi_posix_listen_at(&a);
    if (handle < 0 && a.all) { /* no IPv6 here */
        uint16_t number = ntohs(a.u.v6.sin6_port);

        memset(&a, 0, sizeof a);
        pyroi_posix_v4(&a, INADDR_ANY, number);
        handle = pyroi_posix_listen_at(&a);
    }
    return handle;
}

static int32_t pyroi_posix_accept(const pyro_port *port, int32_t listener)
{
    int fd = -1;

    (void)port;
    for (int tries = 0; fd < 0 && tries < PYROI_POSIX_TRIES; tries++) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0 && errno != EINTR)
            return -1; /* none; or it went away while it waited */
    }
    if (fd < 0)
        return -1;
    pyroi_posix_own(fd);
    if (pyroi_posix_nonblock(fd, false)) /* some inherit it */
        return fd;
    close(fd);
    return -1;
}

/* O_NONBLOCK matters to connect itself only: the connecting goes on without,
 * and later calls say for themselves that they do not wait. */
static int32_t pyroi_posix_connect(const pyro_port *port, const char *address)
{
    pyroi_posix_addr a;
    int              fd;

    (void)port;
    if (!pyroi_posix_parse(&a, address) || a.all)
        return -1;
    if ((a.u.any.sa_family == AF_INET && a.u.v4.sin_port == 0)
        || (a.u.any.sa_family == AF_INET6 && a.u.v6.sin6_port == 0))
        return -1;
    fd = pyroi_posix_open(&a);
    if (fd < 0)
        return -1;
    if ((connect(fd, &a.u.any, a.n) == 0 || errno == EINPROGRESS
         || errno == EINTR)
        && pyroi_posix_nonblock(fd, false))
        return fd;
    close(fd);
    return -1;
}

/* --- waiting --- */

/* A blocking recv needs a socket that can be told how long; asked once. One
 * that was adopted with O_NONBLOCK would not wait at all. */
static bool pyroi_posix_blocks(int fd, pyroi_posix_ahead *a)
{
    struct timeval t;
    int            flags;

    if (a->how == 0) {
        a->how = PYROI_POSIX_POLLS;
        flags = fcntl(fd, F_GETFL);
        t.tv_sec = 0;
        t.tv_usec = PYROI_POSIX_BLOCK_MS * 1000;
        if (flags >= 0 && (flags & O_NONBLOCK) == 0
            && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0)
            a->how = PYROI_POSIX_BLOCKS;
    }
    return a->how == PYROI_POSIX_BLOCKS;
}

/* With one connection to listen to, receiving is the wait: one system call
 * less. An end or an error stays with the socket; recv meets it again. False:
 * nothing has come so far, and *ms is what is left to wait. A recv without a
 * timeout would not do: a signal whose handler says SA_RESTART does not end
 * it. */
static bool pyroi_posix_wait_one(pyro_item *it, int32_t *ms)
{
    pyroi_posix_ahead *a = pyroi_posix_ahead_of(it->ahead);
    ssize_t            got;

    if (a == NULL || it->want != PYRO_IN
        || (*ms >= 0 && *ms < PYROI_POSIX_BLOCK_MS)
        || !pyroi_posix_blocks(it->handle, a))
        return false;
    got = recv(it->handle, a + 1, PYROI_POSIX_ROOM, 0);
    if (got > 0) {
        a->at = 0;
        a->end = (uint32_t)got;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (*ms > 0)
            *ms -= PYROI_POSIX_BLOCK_MS;
        return false;
    }
    if (got >= 0 || errno != EINTR)
        it->ready = PYRO_IN;
    return true;
}

/* Whether an item is this port's and wants anything. A handle nobody wants
 * is left out: its hangup would end every wait at once. */
static bool pyroi_posix_ours(const pyro_port *port, const pyro_item *it)
{
    return it->want != 0 && (it->port == port || it->port->wait == port->wait);
}

static bool pyroi_posix_has_ahead(const pyro_item *it)
{
    const pyroi_posix_ahead *a = pyroi_posix_ahead_of(it->ahead);

    return a != NULL && a->at != a->end;
}

/* Fills the set from the list, and `ready` with what is known before asking;
 * *ms becomes the time that may still be waited. */
static unsigned pyroi_posix_gather(const pyro_port *port, pyro_item *list,
                                   struct pollfd *set, pyro_item **first,
                                   int32_t *ms)
{
    struct pollfd *p = set;

    for (pyro_item *it = list; it != NULL; it = it->next) {
        unsigned want = it->want;

        if (it->port != port && it->port->wait != port->wait)
            continue;
        it->ready = 0;
        if (want == 0)
            continue;
        if ((want & PYRO_IN) != 0 && pyroi_posix_has_ahead(it)) {
            it->ready = PYRO_IN;
            *ms = 0;
        }
        if (p == set + PYRO_POSIX_HANDLES) { /* cannot be watched: is tried */
            it->ready = (uint8_t)want;
            if (*ms < 0 || *ms > PYROI_POSIX_RETRY_MS)
                *ms = PYROI_POSIX_RETRY_MS;
            continue;
        }
        if (p == set)
            *first = it;
        p->fd = it->handle;
        p->events = (short)(((want & PYRO_IN) != 0 ? POLLIN : 0)
                            | ((want & PYRO_OUT) != 0 ? POLLOUT : 0));
        p->revents = 0;
        p++;
    }
    return (unsigned)(p - set);
}

/* An error or a hangup is ready for whatever is wanted: send or recv then
 * tell. So is everything when poll itself failed. */
static void pyroi_posix_ready(pyro_item *it, unsigned found)
{
    unsigned ready = it->ready; /* what is read ahead */

    if ((found & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        ready = PYRO_IN | PYRO_OUT;
    if ((found & POLLIN) != 0)
        ready |= PYRO_IN;
    if ((found & POLLOUT) != 0)
        ready |= PYRO_OUT;
    it->ready = (uint8_t)(ready & it->want);
}

static void pyroi_posix_wait(const pyro_port *port, pyro_item *list,
                             int32_t ms)
{
    struct pollfd  set[PYRO_POSIX_HANDLES];
    struct pollfd *p = set;
    pyro_item     *it = NULL;
    unsigned       n = pyroi_posix_gather(port, list, set, &it, &ms);
    int            found;

    if (n == 1 && pyroi_posix_wait_one(it, &ms))
        return;
    found = poll(set, n, ms);
    if (found == 0 || (found < 0 && errno == EINTR))
        return;
    for (; found != 0 && p < set + n; it = it->next) {
        if (!pyroi_posix_ours(port, it))
            continue;
        if (found < 0) {
            pyroi_posix_ready(it, POLLERR);
        } else if (p->revents != 0) {
            pyroi_posix_ready(it, (unsigned)p->revents);
            found--;
        }
        p++;
    }
}

/* --- datagrams --- */

/* A number that the system chose is not to be shared: Linux gives one to
 * several sockets if all of them say that they would. */
static bool pyroi_posix_udp_bind(int fd, uint32_t ip, uint16_t number)
{
    pyroi_posix_addr a;

    memset(&a, 0, sizeof a);
    pyroi_posix_v4(&a, ip, number);
    if (number != 0 && !pyroi_posix_set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return false;
#if defined(SO_REUSEPORT) && !defined(__linux__) /* spreads them out there */
    if (number != 0 && !pyroi_posix_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        return false;
#endif
    return pyroi_posix_set(fd, SOL_SOCKET, SO_BROADCAST, 1)
        && bind(fd, &a.u.any, a.n) == 0;
}

static int32_t pyroi_posix_udp_open(const pyro_port *port, uint32_t ip,
                                    uint16_t number)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)port;
    if (fd < 0)
        return -1;
    pyroi_posix_own(fd);
    if (pyroi_posix_udp_bind(fd, ip, number))
        return fd;
    close(fd);
    return -1;
}

static bool pyroi_posix_udp_send(const pyro_port *port, int32_t handle,
                                 const pyro_udp *to, const void *data,
                                 uint32_t n)
{
    pyroi_posix_addr a;

    (void)port;
    memset(&a, 0, sizeof a);
    pyroi_posix_v4(&a, to->ip, to->port);
    for (int tries = 0; tries < PYROI_POSIX_TRIES; tries++) {
        ssize_t sent =
            sendto(handle, data, n, PYROI_POSIX_SEND, &a.u.any, a.n);

        if (sent >= 0)
            return (size_t)sent == n;
        if (errno != EINTR)
            return false;
    }
    return false;
}

/* An error is one that an earlier datagram met, and is forgotten by this. */
static int32_t pyroi_posix_udp_recv(const pyro_port *port, int32_t handle,
                                    void *to, uint32_t n, pyro_udp *from)
{
    struct sockaddr_in v4;
    struct iovec       part;
    struct msghdr      m;
    ssize_t            got = -1;

    (void)port;
    memset(&v4, 0, sizeof v4);
    memset(&m, 0, sizeof m);
    m.msg_name = &v4;
    m.msg_namelen = sizeof v4;
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    part.iov_base = to;
    part.iov_len = n > PYROI_POSIX_MOST ? PYROI_POSIX_MOST : n;
    for (int tries = 0; got < 0 && tries < PYROI_POSIX_TRIES; tries++) {
        got = recvmsg(handle, &m, MSG_DONTWAIT);
        if (got < 0 && errno != EINTR)
            return -1;
    }
    if (got < 0)
        return -1;
    from->ip = ntohl(v4.sin_addr.s_addr);
    from->port = ntohs(v4.sin_port);
    return (int32_t)got + ((m.msg_flags & MSG_TRUNC) != 0);
}

static uint32_t pyroi_posix_ip(const struct sockaddr *any)
{
    struct sockaddr_in v4;
    size_t             n = sizeof v4;

    if (any == NULL)
        return 0;
#ifdef SIN6_LEN /* BSD: masks may be shorter */
    if (n > any->sa_len)
        n = any->sa_len;
#endif
    memset(&v4, 0, sizeof v4);
    memcpy(&v4, any, n);
    return ntohl(v4.sin_addr.s_addr);
}

/* Addresses are often set up without a broadcast address; the system takes
 * the last one of the network for it all the same. */
static void pyroi_posix_net_of(const struct ifaddrs *i, pyro_net *net)
{
    net->ip = pyroi_posix_ip(i->ifa_addr);
    net->mask = pyroi_posix_ip(i->ifa_netmask);
    net->broadcast = 0;
    if ((i->ifa_flags & PYROI_POSIX_BROADCAST) == 0
        || (i->ifa_flags & PYROI_POSIX_LOOPBACK) != 0)
        return;
    net->broadcast = pyroi_posix_ip(i->ifa_broadaddr);
    if ((net->broadcast == 0 || net->broadcast == net->ip) && net->mask != 0
        && ~net->mask > 1)
        net->broadcast = net->ip | ~net->mask;
}

static bool pyroi_posix_net(const pyro_port *port, unsigned index,
                            pyro_net *net)
{
    struct ifaddrs *list = NULL;
    struct ifaddrs *i;
    int             left = PYROI_POSIX_NETS;
    bool            found = false;

    (void)port;
    if (getifaddrs(&list) != 0)
        return false;
    for (i = list; i != NULL && !found && left > 0; i = i->ifa_next, left--) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET
            || (i->ifa_flags & PYROI_POSIX_UP) == 0)
            continue;
        found = index-- == 0;
        if (found)
            pyroi_posix_net_of(i, net);
    }
    freeifaddrs(list);
    return found;
}

/* --- waking --- */

/* Sockets rather than a pipe: a wake that comes while the other end is being
 * closed raises no SIGPIPE, and nothing here needs O_NONBLOCK. */
static bool pyroi_posix_wake_open(const pyro_port *port, int32_t handles[2])
{
    int fd[2];

    (void)port;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        pyroi_posix_own(fd[i]);
        handles[i] = fd[i];
    }
    return true;
}

/* Full is as good as sent: enough wakes wait there already. */
static void pyroi_posix_wake(const pyro_port *port, int32_t handle)
{
    int error = errno;

    (void)port;
    (void)send(handle, "", 1, PYROI_POSIX_SEND);
    errno = error;
}

PYRO_DEF const pyro_port *pyro_posix(void)
{
    static const pyro_port port = { pyroi_posix_now,
                                    pyroi_posix_random,
                                    pyroi_posix_listen,
                                    pyroi_posix_accept,
                                    pyroi_posix_connect,
                                    pyroi_posix_send,
                                    pyroi_posix_recv,
                                    pyroi_posix_close,
                                    pyroi_posix_wait,
                                    pyroi_posix_address,
                                    pyroi_posix_wake_open,
                                    pyroi_posix_wake,
                                    pyroi_posix_udp_open,
                                    pyroi_posix_udp_send,
                                    pyroi_posix_udp_recv,
                                    pyroi_posix_net,
                                    NULL,
                                    0 };

    return &port;
}

#endif /* PYRO_POSIX */

#endif /* PYRO_IMPLEMENTATION */
