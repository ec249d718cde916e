/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/sshauth.h>

#include <string.h>

#define METHOD "publickey "

static enum bg_err refuse(struct bg_diag *diag, enum bg_err err, const char *what)
{
	return bg_diag_set(diag, err, "SSH_AUTH_INFO_0", "%s", what);
}

enum bg_err bg_sshauth_parse(
	const char *text, size_t len, char ret[static BG_SSH_KEY_LEN], struct bg_diag *diag)
{
	const size_t method_len = strlen(METHOD);
	char key[BG_SSH_KEY_LEN];

	if (len == 0 || text[len - 1] != '\n' || memchr(text, '\0', len) != NULL)
		return refuse(diag, BG_ERR_SYNTAX, "not a line");
	if (memchr(text, '\n', len) != text + len - 1)
		return refuse(diag, BG_ERR_SYNTAX, "more than one method");
	len--;
	if (len < method_len || memcmp(text, METHOD, method_len) != 0)
		return refuse(diag, BG_ERR_WRONG_KIND, "a method other than publickey");
	text += method_len;
	len -= method_len;
	if (len >= sizeof(key))
		return refuse(diag, BG_ERR_SYNTAX, "a key that is too long");
	memcpy(key, text, len);
	key[len] = '\0';
	if (!bg_ssh_key_is_good(key))
		return refuse(diag, BG_ERR_SYNTAX, "no plain key of a security key");
	memcpy(ret, key, len + 1);
	return BG_OK;
}
