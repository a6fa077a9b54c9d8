/* Firmware that keeps the public functions of one configuration, and nothing
 * else: what the linker throws away then is not needed by anybody. It is
 * linked and weighed, never run. WEIGH_MARSHALLER: every put and get.
 * WEIGH_LEAN: what a program needs for names, exceptions, attributes,
 * signatures, timeouts, keep-alive, nesting, deferral and reconnecting.
 * Neither: everything there is. WEIGH_NS: names as well; lean these are the
 * locator and the name server. WEIGH_ES: events; lean without regular
 * expressions. */
#include "../../pyro.h"
#ifdef WEIGH_NS
#include "../../pyro_ns.h"
#endif
#ifdef WEIGH_ES
#include "../../pyro_es.h"
#endif

typedef void (*any_function)(void);

#define KEEP(f) (any_function)(f)

/* Volatile: the compiler may not find out that nobody calls them. */
/* clang-format off */
static const volatile any_function kept[] = {
#if defined(WEIGH_LEAN)
    KEEP(pyro_open), KEEP(pyro_listen), KEEP(pyro_poll),
    KEEP(pyro_put_bool), KEEP(pyro_put_int), KEEP(pyro_put_str),
    KEEP(pyro_put_bin), KEEP(pyro_put_list), KEEP(pyro_get_bool),
    KEEP(pyro_get_i32), KEEP(pyro_get_str), KEEP(pyro_get_bin),
    KEEP(pyro_get_list), KEEP(pyro_as_bool), KEEP(pyro_as_i32),
    KEEP(pyro_as_str),
#if !defined(PYRO_NO_SERVER)
    KEEP(pyro_export), KEEP(pyro_withdraw), KEEP(pyro_raise),
    KEEP(pyro_defer), KEEP(pyro_finish), KEEP(pyro_reply),
#endif
#if !defined(PYRO_NO_CLIENT)
    KEEP(pyro_int), KEEP(pyro_str), KEEP(pyro_to_none), KEEP(pyro_to_i32),
    KEEP(pyro_to_str), KEEP(pyro_proxy_open), KEEP(pyro_proxy_close),
    KEEP(pyro_invoke), KEEP(pyro_getattr), KEEP(pyro_setattr),
    KEEP(pyro_exception),
#if !defined(PYRO_NO_ONEWAY)
    KEEP(pyro_oneway),
#endif
#endif
#if !defined(PYRO_NO_CLIENT) && !defined(PYRO_NO_ASYNC)
    KEEP(pyro_begin), KEEP(pyro_send), KEEP(pyro_done), KEEP(pyro_result),
#endif
#if !defined(PYRO_NO_SERVER) && !defined(PYRO_NO_CLIENT)
    KEEP(pyro_proxy_at), KEEP(pyro_reraise),
#ifndef PYRO_NO_URI
    KEEP(pyro_get_uri), KEEP(pyro_proxy_from),
#endif
#endif
#else
    KEEP(pyro_writer_of), KEEP(pyro_writer_end), KEEP(pyro_put_nil),
    KEEP(pyro_put_bool), KEEP(pyro_put_int), KEEP(pyro_put_uint),
    KEEP(pyro_put_f32), KEEP(pyro_put_f64), KEEP(pyro_put_str),
    KEEP(pyro_put_strn), KEEP(pyro_put_bin), KEEP(pyro_put_list),
    KEEP(pyro_put_map), KEEP(pyro_put_raw), KEEP(pyro_reader_of),
    KEEP(pyro_more), KEEP(pyro_peek), KEEP(pyro_get_nil), KEEP(pyro_get_bool),
    KEEP(pyro_get_i32), KEEP(pyro_get_i64), KEEP(pyro_get_u64),
    KEEP(pyro_get_f32), KEEP(pyro_get_f64), KEEP(pyro_get_str),
    KEEP(pyro_get_bin), KEEP(pyro_get_list), KEEP(pyro_get_map),
    KEEP(pyro_get_raw), KEEP(pyro_skip),
#if !defined(WEIGH_MARSHALLER)
    /* daemon: what every node has */
    KEEP(pyro_as_u32), KEEP(pyro_as_i64), KEEP(pyro_as_u64),
    KEEP(pyro_as_f32), KEEP(pyro_as_f64),
    KEEP(pyro_err_text), KEEP(pyro_deny_text), KEEP(pyro_uri_parse),
    KEEP(pyro_uri_print), KEEP(pyro_put_uri), KEEP(pyro_get_uri),
    KEEP(pyro_put_here), KEEP(pyro_open), KEEP(pyro_close), KEEP(pyro_listen),
    KEEP(pyro_listening), KEEP(pyro_adopt), KEEP(pyro_poll), KEEP(pyro_yield),
    KEEP(pyro_flush), KEEP(pyro_items), KEEP(pyro_next_ms), KEEP(pyro_now),
    KEEP(pyro_random), KEEP(pyro_crc32), KEEP(pyro_guid), KEEP(pyro_timer_set),
    KEEP(pyro_timer_stop), KEEP(pyro_watch), KEEP(pyro_unwatch),
    KEEP(pyro_hook_add), KEEP(pyro_hook_drop), KEEP(pyro_wake_open),
    KEEP(pyro_wake), KEEP(pyro_ring_add), KEEP(pyro_ring_drop),
    KEEP(pyro_post), KEEP(pyro_link_address), KEEP(pyro_link_session),
    KEEP(pyro_link_close), KEEP(pyro_link_stuck), KEEP(pyro_port_of),
    KEEP(pyro_longest),
#endif
#if !defined(WEIGH_MARSHALLER) && !defined(PYRO_NO_SERVER)
    KEEP(pyro_export), KEEP(pyro_withdraw), KEEP(pyro_object_id),
    KEEP(pyro_find), KEEP(pyro_walk), KEEP(pyro_uri_of), KEEP(pyro_raise),
    KEEP(pyro_defer), KEEP(pyro_later_open), KEEP(pyro_finish),
    KEEP(pyro_reply), KEEP(pyro_fail), KEEP(pyro_later_drop),
#endif
#if !defined(WEIGH_MARSHALLER) && !defined(PYRO_NO_CLIENT)
    KEEP(pyro_nil), KEEP(pyro_bool), KEEP(pyro_int), KEEP(pyro_uint),
    KEEP(pyro_f32), KEEP(pyro_f64), KEEP(pyro_str), KEEP(pyro_strn),
    KEEP(pyro_bin), KEEP(pyro_raw), KEEP(pyro_here), KEEP(pyro_put),
    KEEP(pyro_to_none), KEEP(pyro_to_bool), KEEP(pyro_to_i32),
    KEEP(pyro_to_i64), KEEP(pyro_to_u64), KEEP(pyro_to_f32), KEEP(pyro_to_f64),
    KEEP(pyro_to_str), KEEP(pyro_to_bin), KEEP(pyro_to_raw),
    KEEP(pyro_proxy_open), KEEP(pyro_proxy_at), KEEP(pyro_release),
    KEEP(pyro_proxy_close), KEEP(pyro_invoke), KEEP(pyro_oneway),
    KEEP(pyro_getattr), KEEP(pyro_setattr), KEEP(pyro_hasattr),
    KEEP(pyro_exception), KEEP(pyro_sent), KEEP(pyro_begin), KEEP(pyro_send),
    KEEP(pyro_put_kwargs), KEEP(pyro_send_oneway), KEEP(pyro_again),
    KEEP(pyro_put_encoded), KEEP(pyro_deadline),
    KEEP(pyro_done), KEEP(pyro_result), KEEP(pyro_wait),
    KEEP(pyro_request_sent), KEEP(pyro_cancel), KEEP(pyro_resolver),
    KEEP(pyro_proxy_link),
#endif
#if !defined(WEIGH_MARSHALLER) && !defined(PYRO_NO_CLIENT) \
    && !defined(PYRO_NO_SERVER)
    KEEP(pyro_proxy_from), KEEP(pyro_reraise),
#endif
#endif /* WEIGH_LEAN */
#if defined(WEIGH_NS)
    KEEP(pyro_ns_expand), KEEP(pyro_ns_look), KEEP(pyro_ns_look_stop),
    KEEP(pyro_ns_locate), KEEP(pyro_ns_serve), KEEP(pyro_ns_stop),
#if !defined(WEIGH_LEAN)
    KEEP(pyro_ns_walk), KEEP(pyro_ns_open), KEEP(pyro_ns_close),
    KEEP(pyro_ns_register), KEEP(pyro_ns_unregister), KEEP(pyro_ns_resolve),
    KEEP(pyro_ns_list), KEEP(pyro_ns_proxy), KEEP(pyro_ns_tried),
#endif
#endif
#if defined(WEIGH_ES)
    KEEP(pyro_es_open), KEEP(pyro_es_close), KEEP(pyro_es_subscribe),
    KEEP(pyro_es_unsubscribe), KEEP(pyro_es_publish), KEEP(pyro_es_serve),
    KEEP(pyro_es_stop),
#if !defined(WEIGH_LEAN)
    KEEP(pyro_es_at), KEEP(pyro_es_match), KEEP(pyro_es_proxy),
    KEEP(pyro_es_publish_wait), KEEP(pyro_es_post), KEEP(pyro_es_compile),
    KEEP(pyro_es_matches),
#endif
#endif
};
/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < PYRO_COUNT(kept); i++)
        kept[i]();
    return 0;
}
