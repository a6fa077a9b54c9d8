/* What things cost in RAM: an array for each, as large as the thing. Compiled
 * for a 32-bit processor and read by size.sh, never run. */
#include "../../pyro.h"
#ifdef WEIGH_ES
#include "../../pyro_es.h"
#endif
#ifdef WEIGH_NS
#include "../../pyro_ns.h"
#endif

extern char ram_daemon[], ram_link[], ram_buffer[], ram_object[], ram_proxy[];
extern char ram_request[], ram_deferred[];

char ram_daemon[sizeof(pyro_daemon)];
char ram_link[sizeof(pyroi_link)];
char ram_buffer[sizeof(pyroi_buffer)]; /* and its bytes */
#ifndef PYRO_NO_SERVER
char ram_object[sizeof(pyroi_object)];
char ram_deferred[sizeof(pyro_later)];
#endif
#ifndef PYRO_NO_CLIENT
char ram_proxy[sizeof(pyro_proxy)];
char ram_request[sizeof(pyro_request)];
#endif

#ifdef WEIGH_NS
extern char ram_name_server[], ram_name[], ram_locator[], ram_names_client[];

char ram_name_server[sizeof(pyro_ns_server)];
char ram_name[sizeof(pyroi_ns_node) + sizeof(uint16_t)]; /* and its texts */
char ram_locator[sizeof(pyro_ns_locator)];
char ram_names_client[sizeof(pyro_ns)];
#endif

#ifdef WEIGH_ES
extern char ram_event_service[], ram_subscriber[], ram_subscription[];
extern char ram_events_client[];

char ram_event_service[sizeof(pyro_es_service)];
char ram_subscriber[sizeof(pyroi_es_sub)];
char ram_subscription[sizeof(pyroi_es_item)];
char ram_events_client[sizeof(pyro_es)];
#endif
