/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/ssh_key.h>

#include <breakglass/bytes.h>

#include <string.h>

#define BLOB_MAX_LEN (BG_SSH_KEY_LEN / 4 * 3)
#define POINT_LEN    65 /* P-256, uncompressed: 0x04, x, y */

static const char *const types[] = { "sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com" };
enum { TYPE_ED25519, TYPE_ECDSA, TYPE_COUNT };

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Strictly: whole groups, padding where it must be, unused bits zero. */
static bool decode(const char *text, size_t len, uint8_t ret[static BLOB_MAX_LEN], size_t *ret_len)
{
	size_t pad = len > 0 && text[len - 1] == '=' ? 1 : 0;
	uint32_t bits = 0;
	size_t n = 0;

	if (pad && len > 1 && text[len - 2] == '=')
		pad = 2;
	if (len == 0 || len % 4 != 0 || len >= BG_SSH_KEY_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *at = i < len - pad ? memchr(base64, text[i], 64) : base64;

		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - base64);
		if (i % 4 != 3)
			continue;
		ret[n++] = (uint8_t)(bits >> 16);
		ret[n++] = (uint8_t)(bits >> 8);
		ret[n++] = (uint8_t)bits;
		bits = 0;
	}
	for (size_t i = n - pad; i < n; i++)
		if (ret[i] != 0)
			return false;
	*ret_len = n - pad;
	return true;
}

/* The next string of the blob (RFC 4251 section 5); NULL: cut short. */
static const uint8_t *take(struct bg_view *v, size_t *ret_len)
{
	uint32_t len = bg_view_u32(v);

	*ret_len = len;
	return v->is_short ? NULL : bg_view_take(v, len);
}

static bool take_text(struct bg_view *v, const char *text)
{
	size_t len;
	const uint8_t *p = take(v, &len);

	return p && len == strlen(text) && memcmp(p, text, len) == 0;
}

static bool is_blob(int type, const uint8_t *blob, size_t blob_len)
{
	struct bg_view v = { blob, blob_len, false };
	const uint8_t *p;
	size_t len;

	if (!take_text(&v, types[type]) || (type == TYPE_ECDSA && !take_text(&v, "nistp256")))
		return false;
	p = take(&v, &len);
	if (!p || (type == TYPE_ECDSA ? len != POINT_LEN || p[0] != 0x04 : len != 32))
		return false;
	p = take(&v, &len); /* the application, "ssh:..." */
	return p && len > 0 && v.len == 0;
}

static int find_type(const char *text, size_t len)
{
	for (int i = 0; i < TYPE_COUNT; i++)
		if (len == strlen(types[i]) && memcmp(text, types[i], len) == 0)
			return i;
	return -1;
}

bool bg_ssh_key_is_good(const char *text)
{
	size_t type_len = strcspn(text, " "), blob_len = 0;
	int type = find_type(text, type_len);
	uint8_t blob[BLOB_MAX_LEN];

	if (type < 0 || text[type_len] != ' ' || strlen(text) >= BG_SSH_KEY_LEN)
		return false;
	text += type_len + 1;
	return decode(text, strlen(text), blob, &blob_len) && is_blob(type, blob, blob_len);
}

static bool begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static enum bg_err refuse(struct bg_diag *diag, enum bg_err err, const char *what)
{
	return bg_diag_set(diag, err, NULL, "%s", what);
}

/* text does not begin with a type that is wanted: what is it? */
static enum bg_err wrong_type(const char *text, size_t len, size_t type_len, struct bg_diag *diag)
{
	const char cert[] = "-cert-v01@openssh.com";
	size_t n = strlen(cert);

	if (begins(text, len, "-----BEGIN"))
		return refuse(diag, BG_ERR_WRONG_KIND,
			"a private key's file; the .pub beside it is wanted");
	if (type_len > n && memcmp(text + type_len - n, cert, n) == 0)
		return refuse(diag, BG_ERR_WRONG_KIND, "a certificate, not a key");
	if (begins(text, len, "ssh-") || begins(text, len, "ecdsa-"))
		return refuse(diag, BG_ERR_WRONG_KIND,
			"an ordinary ssh key, not a security key's (sk-...)");
	return refuse(diag, BG_ERR_SYNTAX,
		"no security key's public key: it must begin with "
		"sk-ssh-ed25519@openssh.com or sk-ecdsa-sha2-nistp256@openssh.com, "
		"options are not allowed");
}

enum bg_err bg_ssh_key_parse(
	const char *text, size_t len, char ret[static BG_SSH_KEY_LEN], struct bg_diag *diag)
{
	const char *end = memchr(text, ' ', len);
	size_t type_len = end ? (size_t)(end - text) : len, key_len = type_len + 1;
	char key[BG_SSH_KEY_LEN];

	if (find_type(text, type_len) < 0)
		return wrong_type(text, len, type_len, diag);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (memchr(text, '\n', len) || memchr(text, '\0', len))
		return refuse(diag, BG_ERR_SYNTAX, "more than one line; one key is wanted");
	while (key_len < len && text[key_len] != ' ' && text[key_len] != '\t' &&
		text[key_len] != '\r')
		key_len++;
	if (key_len >= sizeof(key) || key_len > len)
		return refuse(diag, BG_ERR_SYNTAX, "no key of that type");
	memcpy(key, text, key_len);
	key[key_len] = '\0';
	if (!bg_ssh_key_is_good(key))
		return refuse(
			diag, BG_ERR_SYNTAX, "damaged: what stands after the type is no key of it");
	memcpy(ret, key, key_len + 1);
	return BG_OK;
}
