/* SPDX-License-Identifier: BSD-2-Clause */
/* The seal's named sections: [custodian NAME], [key NAME], [retired EPOCH]. */
#include "seal_read.h"

#include <breakglass/bytes.h>

#include <string.h>

bool bg_is_none(const struct bg_ini_value *v)
{
	return strcmp(v->text, "none") == 0;
}

enum bg_err bg_set_hex_or_none(const struct bg_ini_value *v, size_t max_len, uint8_t *ret,
	size_t *ret_len, struct bg_diag *diag)
{
	size_t len = v->len / 2;

	if (bg_is_none(v)) {
		*ret_len = 0;
		return BG_OK;
	}
	if (len == 0 || len > max_len || !bg_hex_decode(v->text, v->len, ret, len))
		return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
			"\"%s\" must be lower-case hex of at most %zu bytes, or none", v->key,
			max_len);
	*ret_len = len;
	return BG_OK;
}

static enum bg_err too_many(struct bg_diag *diag, const char *what, int max)
{
	return bg_diag_set(diag, BG_ERR_TOO_BIG, NULL, "at most %d %s", max, what);
}

static enum bg_err open_custodian(struct bg_seal *seal, const char *name, struct bg_diag *diag)
{
	if (seal->custodian_count == BG_CUSTODIANS_MAX)
		return too_many(diag, "custodians", BG_CUSTODIANS_MAX);
	memcpy(seal->custodians[seal->custodian_count++].name, name, strlen(name) + 1);
	return BG_OK;
}

static enum bg_err open_key(struct bg_seal *seal, const char *name, struct bg_diag *diag)
{
	if (seal->key_count == BG_KEYS_MAX)
		return too_many(diag, "keys", BG_KEYS_MAX);
	memcpy(seal->keys[seal->key_count++].name, name, strlen(name) + 1);
	return BG_OK;
}

static enum bg_err open_retired(struct bg_seal *seal, const char *name, struct bg_diag *diag)
{
	struct bg_ini_value epoch = {
		.name = "", .key = "epoch", .text = name, .len = strlen(name)
	};

	if (seal->retired_count == BG_RETIRED_MAX)
		return too_many(diag, "retired epochs", BG_RETIRED_MAX);
	return bg_ini_u32(
		&epoch, 1, UINT32_MAX - 1, &seal->retired[seal->retired_count++].epoch, diag);
}

enum bg_err bg_seal_open_section(
	void *object, const char *section, const char *name, struct bg_diag *diag)
{
	struct bg_seal *seal = &bg_reader(object)->seal;
	enum bg_err err;

	if (strcmp(section, "retired") == 0)
		return open_retired(seal, name, diag);
	err = bg_ini_check_name(section, name, diag);
	if (err != BG_OK)
		return err;
	if (strcmp(section, "custodian") == 0)
		return open_custodian(seal, name, diag);
	return open_key(seal, name, diag);
}

/* The section that was opened last is the one being filled. */
static struct bg_custodian *custodian(void *object)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	return &seal->custodians[seal->custodian_count - 1];
}

static struct bg_key *key(void *object)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	return &seal->keys[seal->key_count - 1];
}

static struct bg_retired *retired(void *object)
{
	struct bg_seal *seal = &bg_reader(object)->seal;

	return &seal->retired[seal->retired_count - 1];
}

enum bg_err bg_set_custodian_index(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u8(v, 0, BG_CUSTODIANS_MAX - 1, &custodian(object)->index, diag);
}

enum bg_err bg_set_custodian_pub(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, BG_ED25519_PUB_LEN, custodian(object)->pub, diag);
}

enum bg_err bg_set_key_holder(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_text(v, BG_HOLDER_LEN, key(object)->holder, diag);
}

enum bg_err bg_set_key_model(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_is_none(v) ? BG_OK : bg_ini_text(v, BG_MODEL_LEN, key(object)->model, diag);
}

enum bg_err bg_set_key_aaguid(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, sizeof(key(object)->aaguid), key(object)->aaguid, diag);
}

enum bg_err bg_set_key_credential(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_set_hex_or_none(
		v, BG_CREDENTIAL_LEN, key(object)->credential, &key(object)->credential_len, diag);
}

enum bg_err bg_set_key_algorithm(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	if (strcmp(v->text, "es256") == 0)
		key(object)->alg = BG_ALG_ES256;
	else if (strcmp(v->text, "eddsa") == 0)
		key(object)->alg = BG_ALG_EDDSA;
	else if (bg_is_none(v))
		key(object)->alg = BG_ALG_NONE;
	else
		return bg_diag_set(
			diag, BG_ERR_RANGE, NULL, "\"%s\" must be es256, eddsa or none", v->key);
	return BG_OK;
}

enum bg_err bg_set_key_pub(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	struct bg_reader *reader = bg_reader(object);

	return bg_set_hex_or_none(v, sizeof(key(object)->pub), key(object)->pub,
		&reader->pub_len[reader->seal.key_count - 1], diag);
}

/* "TYPE BASE64" without comment: exactly what SSH_AUTH_INFO_0 will say. */
enum bg_err bg_set_key_ssh(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	static const char *const types[] = { "sk-ssh-ed25519@openssh.com ",
		"sk-ecdsa-sha2-nistp256@openssh.com " };
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (bg_is_none(v))
		return BG_OK;
	for (size_t i = 0; i < 2; i++) {
		size_t type_len = strlen(types[i]), n;

		if (strncmp(v->text, types[i], type_len) != 0)
			continue;
		n = strspn(v->text + type_len, base64);
		n += strspn(v->text + type_len + n, "=");
		if (n >= 4 && n % 4 == 0 && v->text[type_len + n] == '\0')
			return bg_ini_text(v, sizeof(key(object)->ssh) - 1, key(object)->ssh, diag);
	}
	return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
		"\"%s\" must be \"sk-ssh-ed25519@openssh.com BASE64\", sk-ecdsa..., or none",
		v->key);
}

enum bg_err bg_reader_check_keys(const struct bg_reader *reader, struct bg_diag *diag)
{
	for (size_t i = 0; i < reader->seal.key_count; i++) {
		const struct bg_key *k = &reader->seal.keys[i];
		size_t len = 0;

		if (k->alg == BG_ALG_ES256)
			len = 64;
		else if (k->alg == BG_ALG_EDDSA)
			len = 32;
		if (reader->pub_len[i] != len)
			return bg_diag_set(diag, BG_ERR_RANGE, NULL,
				"key %s: its public key must have %zu bytes", k->name, len);
	}
	return BG_OK;
}

enum bg_err bg_set_retired_set(void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_hex(v, BG_SET_ID_LEN, retired(object)->set_id, diag);
}

enum bg_err bg_set_retired_slip39_id(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_u16(v, 0, 0x7fff, &retired(object)->slip39_id, diag);
}

/* word: "NAME:INDEX:PUBLIC-KEY". */
static enum bg_err add_retired_custodian(void *object, const char *word, struct bg_diag *diag)
{
	struct bg_retired *r = object;
	struct bg_custodian c = { 0 };
	const char *first = strchr(word, ':');
	const char *second = first == NULL ? NULL : strchr(first + 1, ':');
	struct bg_ini_value index = { .name = "", .key = "custodians" };
	char digits[3] = "";

	if (second == NULL || first - word > BG_NAME_LEN || second - first > 3)
		goto bad;
	memcpy(c.name, word, (size_t)(first - word));
	index.len = (size_t)(second - first - 1);
	memcpy(digits, first + 1, index.len);
	index.text = digits;
	if (!bg_is_name(c.name) ||
		!bg_hex_decode(second + 1, strlen(second + 1), c.pub, sizeof(c.pub)) ||
		bg_ini_u8(&index, 0, BG_CUSTODIANS_MAX - 1, &c.index, NULL) != BG_OK)
		goto bad;
	if (r->custodian_count == BG_CUSTODIANS_MAX)
		return too_many(diag, "custodians", BG_CUSTODIANS_MAX);
	r->custodians[r->custodian_count++] = c;
	return BG_OK;
bad:
	return bg_diag_set(diag, BG_ERR_SYNTAX, NULL,
		"\"custodians\" must be NAME:INDEX:PUBLIC-KEY, separated by spaces");
}

enum bg_err bg_set_retired_custodians(
	void *object, const struct bg_ini_value *v, struct bg_diag *diag)
{
	return bg_ini_words(v, add_retired_custodian, retired(object), diag);
}
