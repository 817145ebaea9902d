/* What `preference` will have to do, for those who only ask. */
#ifndef IP_CORE_PREFERENCE_H
#define IP_CORE_PREFERENCE_H

#include "core/run/budget.h"

/* Told once everything is read: the sequences (session->whole, of this rank session->corpus), how they are cut, what a run
 * holds, and how many positions count. */
typedef ip_status (*ip_preference_sized)(void *context, ip_session *session, const ip_tiling *tiling,
                                         const ip_budget *budget, uint64_t positions, ip_error *error);

ip_status ip_preference_size_up(const char *model, const char *pairs, const ip_settings *settings, const ip_host *host,
                                ip_preference_sized sized, void *context, ip_error *error);

#endif
