/* SPDX-License-Identifier: BSD-2-Clause */
/* What people call a request that is to be revoked, and who they are. */
#include "revoke.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

bool bg_revoke_is_id(const char *text)
{
	static const char letters[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(text);

	if (len == BG_SHORT_ID_LEN)
		return strspn(text, letters) == len;
	return len >= BG_REVOKE_HEX_MIN && len <= (size_t)2 * BG_SHA256_LEN &&
	       strspn(text, "0123456789abcdef") == len;
}

/* As people read it aloud: any case, O for 0, I and L for 1. */
static char plain(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c;
}

bool bg_revoke_is_named(const char *id, const uint8_t digest[static BG_SHA256_LEN],
	const uint8_t nonce[static BG_NONCE_LEN])
{
	char text[2 * BG_SHA256_LEN + 1];

	if (strlen(id) == BG_SHORT_ID_LEN) {
		bg_short_id(digest, text);
		for (size_t i = 0; i < BG_SHORT_ID_LEN; i++) {
			if (plain(id[i]) != text[i])
				return false;
		}
		return true;
	}
	bg_hex_encode(digest, BG_SHA256_LEN, text);
	if (strncmp(id, text, strlen(id)) == 0)
		return true;
	bg_hex_encode(nonce, BG_NONCE_LEN, text);
	return strncmp(id, text, strlen(id)) == 0;
}

/* /etc/passwd only: a source of names that hangs must not hold this up. */
static bool name_of(uint32_t uid, char *ret, size_t size)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd entry = { 0 }, *found = NULL;
	char line[1024];
	bool is_found = false;

	while (file != NULL && !is_found &&
		fgetpwent_r(file, &entry, line, sizeof(line), &found) == 0) {
		if (entry.pw_uid != uid)
			continue;
		(void)snprintf(ret, size, "%s", entry.pw_name);
		is_found = true;
	}
	if (file != NULL)
		(void)fclose(file);
	return is_found;
}

void bg_revoke_who(char ret[static BG_REVOKE_WHO_LEN])
{
	uint32_t login = 0;
	char name[48];

	if (bg_audit_login(&login) != BG_OK)
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (no login of its own)");
	else if (name_of(login, name, sizeof(name)))
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (%s)", name);
	else
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (uid %u)", (unsigned int)login);
}
