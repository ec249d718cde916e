/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command itself puts on record of a set: a machine has seen its shares. */
#ifndef BG_UNLOCK_EXPOSURE_H
#define BG_UNLOCK_EXPOSURE_H

#include <breakglass/event.h>
#include <breakglass/request.h>
#include <breakglass/seal.h>

/* Records on a protected host, as root, an event of seal's set. False: it is no such host, nothing
   was recorded. */
BG_CHECKED bool bg_exposure_event(struct bg_crypto *crypto, enum bg_event_id id,
	const struct bg_seal *seal, const char *custodians, const char *result);

/* Records that this custodian's share was given to that verb, where seal is the one in force here:
   as in a dialogue, the share is exposed from then on, whatever becomes of the verb. False: nothing
   was recorded. */
BG_CHECKED bool bg_exposure_share(struct bg_crypto *crypto, const struct bg_seal *seal,
	const char *custodian, const char *verb);

/* The same of a share for a request, whose seal need not be at hand; member: its index. */
BG_CHECKED bool bg_exposure_member(struct bg_crypto *crypto, const struct bg_request *request,
	uint8_t member, const char *verb);

#endif
