/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal_parts.h"

#include <string.h>

void bg_policy_defaults(struct bg_policy *ret)
{
	*ret = (struct bg_policy){ .session_secs = 14400,
		.request_secs = 1800,
		.grant_secs = 60,
		.is_reason_required = true,
		.remote_approve = true,
		.remote_combine = true,
		.remote_touch = true,
		.remote_ssh = true,
		.is_reentry_by_key = true };
}

static enum bg_err set_remote_word(void *object, const char *word, struct bg_diag *diag)
{
	struct bg_policy *policy = object;
	struct {
		const char *word;
		bool *flag;
	} const words[] = { { "approve", &policy->remote_approve },
		{ "combine", &policy->remote_combine }, { "touch", &policy->remote_touch },
		{ "ssh", &policy->remote_ssh } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		if (*words[i].flag)
			return bg_diag_set(
				diag, BG_ERR_DUPLICATE, NULL, "\"%s\" stands here twice", word);
		*words[i].flag = true;
		return BG_OK;
	}
	return bg_diag_set(diag, BG_ERR_RANGE, NULL,
		"\"remote\" takes approve, combine, touch, ssh, or none alone");
}

static enum bg_err set_remote(
	struct bg_policy *policy, const struct bg_ini_value *value, struct bg_diag *diag)
{
	policy->remote_approve = policy->remote_combine = false;
	policy->remote_touch = policy->remote_ssh = false;
	if (strcmp(value->text, "none") == 0)
		return BG_OK;
	return bg_ini_words(value, set_remote_word, policy, diag);
}

static enum bg_err set_expires(
	struct bg_policy *policy, const struct bg_ini_value *value, struct bg_diag *diag)
{
	if (!bg_is_time(value->text))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be UTC, like 2026-03-29T08:00:00Z", value->key);
	memcpy(policy->expires, value->text, sizeof(policy->expires));
	return BG_OK;
}

enum bg_err bg_policy_set(
	struct bg_policy *policy, const struct bg_ini_value *value, struct bg_diag *diag)
{
	if (strcmp(value->key, "session-seconds") == 0)
		return bg_ini_u32(value, 60, 86400, &policy->session_secs, diag);
	if (strcmp(value->key, "request-seconds") == 0)
		return bg_ini_u32(value, 60, 86400, &policy->request_secs, diag);
	if (strcmp(value->key, "grant-seconds") == 0)
		return bg_ini_u32(value, 10, 600, &policy->grant_secs, diag);
	if (strcmp(value->key, "reason") == 0)
		return bg_ini_choice(
			value, "required", "optional", &policy->is_reason_required, diag);
	if (strcmp(value->key, "remote") == 0)
		return set_remote(policy, value, diag);
	if (strcmp(value->key, "reentry") == 0)
		return bg_ini_choice(value, "key", "no", &policy->is_reentry_by_key, diag);
	if (strcmp(value->key, "expires") == 0)
		return set_expires(policy, value, diag);
	return bg_diag_set(diag, BG_ERR_UNKNOWN_KEY, NULL, "unknown policy \"%s\"", value->key);
}

static void write_remote(struct bg_text *text, const struct bg_policy *policy)
{
	bool is_none = !policy->remote_approve && !policy->remote_combine &&
		       !policy->remote_touch && !policy->remote_ssh;

	bg_text_put(text, "remote =%s%s%s%s%s\n", policy->remote_approve ? " approve" : "",
		policy->remote_combine ? " combine" : "", policy->remote_touch ? " touch" : "",
		policy->remote_ssh ? " ssh" : "", is_none ? " none" : "");
}

void bg_policy_write(struct bg_text *text, const struct bg_policy *policy)
{
	bg_text_put(text, "\n[policy]\n");
	bg_text_put(text, "session-seconds = %u\n", policy->session_secs);
	bg_text_put(text, "request-seconds = %u\n", policy->request_secs);
	bg_text_put(text, "grant-seconds = %u\n", policy->grant_secs);
	bg_text_put(text, "reason = %s\n", policy->is_reason_required ? "required" : "optional");
	write_remote(text, policy);
	bg_text_put(text, "reentry = %s\n", policy->is_reentry_by_key ? "key" : "no");
	bg_text_put(text, "expires = %s\n", policy->expires);
}
