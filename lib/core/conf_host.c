/* SPDX-License-Identifier: BSD-2-Clause */
/* `host`: what `install` put in force. */
#include "seal_parts.h"

#include <breakglass/conf.h>

#include <string.h>

static enum bg_err set_label(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	return bg_ini_label(v, host->label, diag);
}

static enum bg_err set_account(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	return bg_ini_account(v, host->account, diag);
}

/* Never uid 0, nor the one that means "none". */
static enum bg_err set_uid(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	return bg_ini_u32(v, 1, UINT32_MAX - 1, &host->uid, diag);
}

static enum bg_err set_epoch(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	return bg_ini_u32(v, 1, UINT32_MAX - 1, &host->epoch, diag);
}

static enum bg_err set_seal(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	return bg_ini_hex(v, sizeof(host->seal_digest), host->seal_digest, diag);
}

bool bg_is_role(const char *text)
{
	static const char *const roles[] = { BG_ROLE_FULL, "identity", "read-only" };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(text, roles[i]) == 0)
			return true;
	return false;
}

static enum bg_err set_role(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_host *host = object;

	if (!bg_is_role(v->text))
		return bg_diag_set(diag, BG_ERR_RANGE, NULL,
			"\"%s\" must be full, identity or read-only", v->key);
	return bg_ini_text(v, BG_ROLE_LEN, host->role, diag);
}

static const struct {
	const char *word;
	unsigned int bit;
} recordings[] = { { "sudo", BG_RECORDING_SUDO }, { "audit", BG_RECORDING_AUDIT },
	{ "tlog", BG_RECORDING_TLOG } };

bool bg_recording_add(const char *word, unsigned int *recording)
{
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++) {
		if (strcmp(word, recordings[i].word) != 0)
			continue;
		*recording |= recordings[i].bit;
		return true;
	}
	return false;
}

void bg_recording_text(unsigned int recording, char ret[static BG_RECORDING_LEN])
{
	struct bg_text t = { .p = ret, .size = BG_RECORDING_LEN };

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]); i++)
		if (recording & recordings[i].bit)
			bg_text_put(&t, "%s%s", t.len ? " " : "", recordings[i].word);
}

static enum bg_err add_record(void *object, const char *word, struct bg_diag *diag)
{
	struct bg_host *host = object;

	if (!bg_recording_add(word, &host->recording))
		return bg_diag_set(
			diag, BG_ERR_RANGE, NULL, "\"record\" must be of sudo, audit and tlog");
	return BG_OK;
}

static enum bg_err set_record(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_words(v, add_record, object, diag);
}

static const struct bg_ini_rule rules[] = {
	{ "host", false, "label", true, false, set_label },
	{ "host", false, "account", true, false, set_account },
	{ "host", false, "uid", true, false, set_uid },
	{ "host", false, "epoch", true, false, set_epoch },
	{ "host", false, "role", false, false, set_role },
	{ "host", false, "record", false, false, set_record },
	{ "host", false, "seal", true, false, set_seal },
};

static const struct bg_ini_schema schema = { .rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]) };

enum bg_err bg_host_parse(
	const char *text, size_t len, const char *where, struct bg_host *ret, struct bg_diag *diag)
{
	struct bg_host host = { .role = BG_ROLE_FULL };
	enum bg_err err = bg_ini_parse(text, len, where, &schema, &host, diag);

	if (err == BG_OK)
		*ret = host;
	return err;
}

enum bg_err bg_host_write(const struct bg_host *host, char *ret, size_t ret_size, size_t *ret_len)
{
	struct bg_text t = { .p = ret, .size = ret_size };
	char recording[BG_RECORDING_LEN];

	bg_text_put(&t, "[host]\nlabel = %s\naccount = %s\nuid = %u\nepoch = %u\nrole = %s\n",
		host->label, host->account, host->uid, host->epoch,
		host->role[0] ? host->role : BG_ROLE_FULL);
	bg_recording_text(host->recording, recording);
	if (recording[0])
		bg_text_put(&t, "record = %s\n", recording);
	bg_text_hex(&t, "seal", host->seal_digest, sizeof(host->seal_digest));
	if (t.is_full)
		return BG_ERR_TOO_BIG;
	*ret_len = t.len;
	return BG_OK;
}
