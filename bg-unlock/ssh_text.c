/* SPDX-License-Identifier: BSD-2-Clause */
#include "ssh_text.h"
#include "templates.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MODE 0644 /* sshd reads it as the account */

/* Nothing but a terminal, as the Match block says too; verify-required: touch without PIN is no
   proof. */
#define OPTIONS "restrict,pty,verify-required"

bool bg_ssh_has_keys(const struct bg_seal *seal)
{
	for (size_t i = 0; i < seal->key_count; i++)
		if (seal->keys[i].ssh[0] != '\0')
			return seal->policy.remote_ssh;
	return false;
}

size_t bg_ssh_match_text(const char *account, bool has_keys, char *ret)
{
	size_t len;

	bg_template_fill(template_sshd_account_conf, account, ret);
	len = strlen(ret);
	(void)snprintf(ret + len, BG_SMALL_LEN - len, "%s",
		has_keys ? template_sshd_keys_conf : template_sshd_keyless_conf);
	return strlen(ret);
}

void bg_ssh_keys_path(const char *account, char ret[static BG_TREE_PATH_LEN])
{
	bg_account_path(account, "authorized_keys", ret);
}

void bg_ssh_keys_text(const struct bg_seal *seal, char *ret)
{
	static_assert(
		BG_KEYS_MAX * (sizeof(seal->keys[0].ssh) + BG_NAME_LEN + 40) + 256 < BG_SMALL_LEN,
		"all keys fit");
	size_t len = (size_t)snprintf(ret, BG_SMALL_LEN,
		"# Placed by bg-unlock install, from the seal of epoch %u: a line here that the "
		"seal\n# does not have opens nothing.\n",
		(unsigned int)seal->epoch);

	for (size_t i = 0; i < seal->key_count; i++)
		if (seal->keys[i].ssh[0] != '\0')
			len += (size_t)snprintf(ret + len, BG_SMALL_LEN - len,
				OPTIONS " %s breakglass-key-%s\n", seal->keys[i].ssh,
				seal->keys[i].name);
}

enum bg_err bg_ssh_keys_place(
	struct bg_tree *tree, const struct bg_seal *seal, struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];

	bg_ssh_keys_path(seal->account, path);
	if (!bg_ssh_has_keys(seal))
		return bg_tree_take_back(tree, path, diag);
	bg_ssh_keys_text(seal, text);
	return bg_tree_place(tree, path, MODE, text, diag);
}
