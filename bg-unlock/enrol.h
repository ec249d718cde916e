/* SPDX-License-Identifier: BSD-2-Clause */
/* Security keys through bg-fido2: enrolling one, and having one endorse a successor. */
#ifndef BG_UNLOCK_ENROL_H
#define BG_UNLOCK_ENROL_H

#include "fido2_ask.h"

/* Makes a credential on the key that is seal->keys[i] (its name and holder are set) and fills in
   the rest; keys before it are excluded. The exit status, the reason printed. */
BG_CHECKED int bg_enrol_key(
	struct bg_crypto *crypto, struct bg_fido2_ask *ask, struct bg_seal *seal, size_t i);
/* Has one of seal's keys sign hash; *ret_key is its position, *ret checked. */
BG_CHECKED int bg_enrol_endorse(struct bg_crypto *crypto, struct bg_fido2_ask *ask,
	const struct bg_seal *seal, const uint8_t hash[static BG_SHA256_LEN], size_t *ret_key,
	struct bg_assertion *ret);

#endif
