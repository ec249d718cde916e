/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a seal: the state, and the set functions of its named sections. */
#ifndef BREAKGLASS_CORE_SEAL_READ_H
#define BREAKGLASS_CORE_SEAL_READ_H

#include "seal_parts.h"

struct bg_reader {
	struct bg_seal seal;
	size_t pub_len[BG_KEYS_MAX]; /* of each key's public key as written */
};

static inline struct bg_reader *bg_reader(void *object)
{
	return object;
}

/* Is the value the word for "absent"? */
bool bg_is_none(const struct bg_ini_value *v);
/* Hex of 1 to max_len bytes, or "none" for 0. */
enum bg_err bg_set_hex_or_none(const struct bg_ini_value *v, size_t max_len, uint8_t *ret,
	size_t *ret_len, struct bg_diag *diag);

/* Has each key a public key as long as its algorithm's? */
enum bg_err bg_reader_check_keys(const struct bg_reader *reader, struct bg_diag *diag);

bg_ini_section_fn bg_seal_open_section;
bg_ini_set_fn bg_set_custodian_index, bg_set_custodian_pub;
bg_ini_set_fn bg_set_key_holder, bg_set_key_model, bg_set_key_aaguid, bg_set_key_credential,
	bg_set_key_algorithm, bg_set_key_pub, bg_set_key_ssh;
bg_ini_set_fn bg_set_retired_set, bg_set_retired_slip39_id, bg_set_retired_custodians;

#endif
