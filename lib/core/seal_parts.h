/* SPDX-License-Identifier: BSD-2-Clause */
/* What the seal's own files, and the plan's reader, share. */
#ifndef BREAKGLASS_CORE_SEAL_PARTS_H
#define BREAKGLASS_CORE_SEAL_PARTS_H

#include "text.h"

#include <breakglass/ini.h>
#include <breakglass/seal.h>

/* Is threshold of custodians a quorum? RULES S16: nobody, one of several or more than there are
   is refused. BG_ERR_RANGE, or BG_ERR_MISSING without custodians. */
BG_CHECKED enum bg_err bg_quorum_check(
	unsigned long threshold, size_t custodian_count, struct bg_diag *diag);

/* The rules that go beyond one line (counts, distinctness, what excludes what). */
BG_CHECKED enum bg_err bg_seal_check(const struct bg_seal *seal, struct bg_diag *diag);

/* Sets the policy that value->key names; the keys are those of BG_POLICY_RULES. */
BG_CHECKED enum bg_err bg_policy_set(
	struct bg_policy *policy, const struct bg_ini_value *value, struct bg_diag *diag);
void bg_policy_write(struct bg_text *text, const struct bg_policy *policy);

#define BG_POLICY_RULES(is_needed, setter)                                                         \
	{ "policy", false, "session-seconds", is_needed, false, setter },                          \
		{ "policy", false, "request-seconds", is_needed, false, setter },                  \
		{ "policy", false, "grant-seconds", is_needed, false, setter },                    \
		{ "policy", false, "reason", is_needed, false, setter },                           \
		{ "policy", false, "remote", is_needed, false, setter },                           \
		{ "policy", false, "reentry", is_needed, false, setter },                          \
	{                                                                                          \
		"policy", false, "expires", is_needed, false, setter                               \
	}

#endif
