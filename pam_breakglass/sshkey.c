/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first factor by ssh: sshd has verified a security key's signature over
 * this connection, PIN included (PubkeyAuthOptions verify-required), and says
 * which. What it says counts only in sshd's own services, only as the one
 * method before this, and only for exactly the key that the seal names.
 */
#include "attempt.h"

#include <breakglass/sshauth.h>
#include <stdio.h>
#include <string.h>

#define INFO	     "SSH_AUTH_INFO_0"
#define INFO_MAX_LEN 4096

/* Any other service's environment is nobody's word. */
static bool is_sshd(const struct bg_guest *guest)
{
	return strcmp(guest->service, "sshd") == 0 ||
	       strcmp(guest->service, "breakglass-sshd") == 0;
}

static int find_key(const struct bg_seal *seal, const char *text)
{
	for (size_t i = 0; i < seal->key_count; i++) {
		if (seal->keys[i].ssh[0] != '\0' && strcmp(seal->keys[i].ssh, text) == 0)
			return (int)i;
	}
	return -1;
}

bool bg_attempt_ssh_key(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	char text[BG_SSH_KEY_LEN], result[BG_DIAG_WHAT_LEN + 32];
	struct bg_diag diag = { 0 };
	const char *info;
	int at = -1;

	if (!guest->seal.policy.remote_ssh || !is_sshd(guest))
		return false;
	info = pam_getenv(guest->pamh, INFO);
	if (info == NULL || info[0] == '\0')
		return false;
	if (bg_sshauth_parse(info, strnlen(info, INFO_MAX_LEN), text, &diag) == BG_OK) {
		at = find_key(&guest->seal, text);
		(void)bg_diag_set(&diag, BG_ERR_NOT_ENROLLED, INFO, "not a key of this seal");
	}
	if (at < 0) {
		(void)snprintf(result, sizeof(result), "key by ssh: %s", diag.what);
		bg_attempt_key_refused(attempt, result);
		return false;
	}
	attempt->key = (size_t)at;
	attempt->how = BG_KEY_BY_SSH;
	return true;
}
