/* SPDX-License-Identifier: BSD-2-Clause */
/* The seal's schema: every section and key of breakglass.seal(5), and parsing by it. */
#include "seal_read.h"

#include <string.h>

#define SIGNATURE_HEADER   "[signature]\n"
#define SIGNATURE_TEXT_LEN 2048

/* ---- [seal] ---- */

static enum bg_err set_version(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u32(v, 1, 1, &bg_reader(object)->seal.version, diag);
}

static enum bg_err set_account(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_account(v, bg_reader(object)->seal.account, diag);
}

static enum bg_err set_zone(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_label(v, bg_reader(object)->seal.zone, diag);
}

static enum bg_err set_created(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	if (!bg_is_time(v->text))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be UTC, like 2026-03-29T08:00:00Z", v->key);
	return bg_ini_text(v, 20, bg_reader(object)->seal.created, diag);
}

static enum bg_err set_set(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, BG_SET_ID_LEN, bg_reader(object)->seal.set_id, diag);
}

static enum bg_err set_epoch(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u32(v, 1, UINT32_MAX - 1, &bg_reader(object)->seal.epoch, diag);
}

static enum bg_err set_threshold(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u8(v, 1, BG_CUSTODIANS_MAX, &bg_reader(object)->seal.threshold, diag);
}

static enum bg_err set_strength(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	if (strcmp(v->text, "128") != 0 && strcmp(v->text, "256") != 0)
		return bg_diag_set(diag, BG_ERR_RANGE, NULL, "\"%s\" must be 128 or 256", v->key);
	return bg_ini_u32(v, 128, 256, &bg_reader(object)->seal.strength, diag);
}

static enum bg_err set_slip39_id(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u16(v, 0, 0x7fff, &bg_reader(object)->seal.slip39_id, diag);
}

static enum bg_err set_predecessor(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	seal->has_predecessor = !bg_is_none(v);
	if (!seal->has_predecessor)
		return BG_OK;
	return bg_ini_hex(v, sizeof(seal->predecessor), seal->predecessor, diag);
}

static enum bg_err set_quorum_key(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, BG_ED25519_PUB_LEN, bg_reader(object)->seal.quorum_pub, diag);
}

static enum bg_err set_recipient(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	if (v->len != BG_AGE_RECIPIENT_LEN || strncmp(v->text, "age1", 4) != 0 ||
		strspn(v->text + 4, "qpzry9x8gf2tvdw0s3jn54khce6mua7l") != v->len - 4)
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be an age1... recipient", v->key);
	return bg_ini_text(v, BG_AGE_RECIPIENT_LEN, bg_reader(object)->seal.recipient, diag);
}

static enum bg_err set_rp_id(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_text(v, BG_RP_ID_LEN, bg_reader(object)->seal.rp_id, diag);
}

static enum bg_err set_policy(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_policy_set(&bg_reader(object)->seal.policy, v, diag);
}

/* ---- [signature] ---- */

static enum bg_err set_quorum(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, BG_ED25519_SIG_LEN, bg_reader(object)->seal.quorum_sig, diag);
}

static enum bg_err set_predecessor_quorum(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	seal->has_endorsement = !bg_is_none(v);
	if (!seal->has_endorsement)
		return BG_OK;
	return bg_ini_hex(v, BG_ED25519_SIG_LEN, seal->predecessor_quorum_sig, diag);
}

static enum bg_err set_predecessor_key(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	if (!bg_is_name(v->text))
		return bg_diag_set(
			diag, BG_ERR_SYNTAX, NULL, "\"%s\" must be a key's name or none", v->key);
	if (bg_is_none(v))
		return BG_OK;
	return bg_ini_text(v, BG_NAME_LEN, bg_reader(object)->seal.predecessor_key, diag);
}

static enum bg_err set_predecessor_authdata(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	return bg_set_hex_or_none(v, sizeof(seal->predecessor_key_authdata),
		seal->predecessor_key_authdata, &seal->predecessor_key_authdata_len, diag);
}

static enum bg_err set_predecessor_signature(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	return bg_set_hex_or_none(v, sizeof(seal->predecessor_key_sig), seal->predecessor_key_sig,
		&seal->predecessor_key_sig_len, diag);
}

/* The order of the sections is that of these rules. */
static const struct bg_ini_rule rules[] = {
	{ "seal", false, "version", true, false, set_version },
	{ "seal", false, "account", true, false, set_account },
	{ "seal", false, "zone", true, false, set_zone },
	{ "seal", false, "created", true, false, set_created },
	{ "seal", false, "set", true, false, set_set },
	{ "seal", false, "epoch", true, false, set_epoch },
	{ "seal", false, "threshold", true, false, set_threshold },
	{ "seal", false, "strength", true, false, set_strength },
	{ "seal", false, "slip39-id", true, false, set_slip39_id },
	{ "seal", false, "predecessor", true, false, set_predecessor },
	{ "seal", false, "quorum-key", true, false, set_quorum_key },
	{ "seal", false, "recipient", true, false, set_recipient },
	{ "seal", false, "rp-id", true, false, set_rp_id },
	BG_POLICY_RULES(true, set_policy),
	{ "custodian", true, "index", true, false, bg_set_custodian_index },
	{ "custodian", true, "public-key", true, false, bg_set_custodian_pub },
	{ "key", true, "holder", true, false, bg_set_key_holder },
	{ "key", true, "model", true, false, bg_set_key_model },
	{ "key", true, "aaguid", true, false, bg_set_key_aaguid },
	{ "key", true, "credential", true, false, bg_set_key_credential },
	{ "key", true, "algorithm", true, false, bg_set_key_algorithm },
	{ "key", true, "public-key", true, false, bg_set_key_pub },
	{ "key", true, "ssh", true, false, bg_set_key_ssh },
	{ "retired", true, "set", true, false, bg_set_retired_set },
	{ "retired", true, "slip39-id", true, false, bg_set_retired_slip39_id },
	{ "retired", true, "custodians", true, false, bg_set_retired_custodians },
	{ "signature", false, "quorum", true, false, set_quorum },
	{ "signature", false, "predecessor-quorum", true, false, set_predecessor_quorum },
	{ "signature", false, "predecessor-key", true, false, set_predecessor_key },
	{ "signature", false, "predecessor-authdata", true, false, set_predecessor_authdata },
	{ "signature", false, "predecessor-signature", true, false, set_predecessor_signature },
};

static const struct bg_ini_schema schema = { .rules = rules,
	.rule_count = sizeof(rules) / sizeof(rules[0]),
	.is_ordered = true,
	.on_section = bg_seal_open_section };

/* The offset of the line "[signature]". The reader made sure that there is exactly one. */
static size_t find_signature(const char *text, size_t len)
{
	const size_t header_len = strlen(SIGNATURE_HEADER);

	for (size_t i = 0; i + header_len <= len; i++)
		if ((i == 0 || text[i - 1] == '\n') &&
			memcmp(text + i, SIGNATURE_HEADER, header_len) == 0)
			return i;
	return len;
}

static unsigned int count_lines(const char *text, size_t len)
{
	unsigned int lines = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			lines++;
	return lines;
}

/* No signature covers `[signature]` itself, so it has exactly one spelling: what is written. */
static enum bg_err check_spelling(
	const struct bg_seal *seal, const char *text, size_t len, struct bg_diag *diag)
{
	char expected[SIGNATURE_TEXT_LEN];
	size_t expected_len = 0, same = 0;
	enum bg_err err;

	err = bg_seal_write_signature(seal, expected, sizeof(expected), &expected_len);
	if (err != BG_OK)
		return err;
	text += seal->body_len;
	len -= seal->body_len;
	if (len == expected_len && memcmp(text, expected, len) == 0)
		return BG_OK;
	while (same < len && same < expected_len && text[same] == expected[same])
		same++;
	bg_diag_set(diag, BG_ERR_SYNTAX, NULL, "[signature] must stand as it was written");
	if (diag != NULL)
		diag->line = 1 + count_lines(text - seal->body_len, seal->body_len + same);
	return BG_ERR_SYNTAX;
}

static enum bg_err check_whole(struct bg_crypto *crypto, const char *text, size_t len,
	const char *where, struct bg_reader *reader, struct bg_diag *diag)
{
	struct bg_seal *seal = &reader->seal;
	enum bg_err err = bg_reader_check_keys(reader, diag);

	if (err == BG_OK)
		err = bg_seal_check(seal, diag);
	if (err != BG_OK)
		return bg_diag_set(diag, err, where, NULL);
	seal->body_len = find_signature(text, len);
	err = check_spelling(seal, text, len, diag);
	if (err != BG_OK)
		return bg_diag_set(diag, err, where, NULL);
	err = bg_seal_verify(
		crypto, BG_CTX_SEAL, seal->quorum_pub, text, seal->body_len, seal->quorum_sig);
	if (err != BG_OK)
		return bg_diag_set(diag, err, where, "the quorum's signature does not verify");
	return bg_sha256(crypto, text, len, seal->digest);
}

enum bg_err bg_seal_parse(struct bg_crypto *crypto, const char *text, size_t len, const char *where,
	struct bg_seal *ret, struct bg_diag *diag)
{
	struct bg_reader reader = { 0 };
	enum bg_err err = bg_ini_parse(text, len, where, &schema, &reader, diag);

	if (err == BG_OK)
		err = check_whole(crypto, text, len, where, &reader, diag);
	if (err == BG_OK)
		*ret = reader.seal;
	return err;
}
