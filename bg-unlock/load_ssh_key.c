/* SPDX-License-Identifier: BSD-2-Clause */
/* --ssh-key NAME=FILE.pub: the ssh key of a security key that the seal names. */
#include "bg-unlock.h"
#include "load.h"

#include <breakglass/os_file.h>
#include <breakglass/ssh_key.h>

#include <stdio.h>
#include <string.h>

#define HOW                                                                                        \
	"make it with ssh-keygen -t ed25519-sk -O resident -O verify-required -O "                 \
	"application=ssh:breakglass, and give its .pub file"

static char text[4096]; /* public keys only */

int bg_load_no_key(
	const struct bg_seal *seal, const char *option, const char *name, const char *hint)
{
	char names[BG_KEYS_MAX * (BG_NAME_LEN + 2) + 1] = "";
	size_t used = 0;

	for (size_t i = 0; i < seal->key_count; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
			seal->keys[i].name);
	bg_error("--%s %.40s: no key has that name", option, name);
	bg_hint("the keys are %s; %s", names, hint);
	return BG_EXIT_USAGE;
}

static int read_key(const char *path, char ret[static BG_SSH_KEY_LEN])
{
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err = bg_file_read(
		path, BG_FILE_ANY_FOLDER | BG_FILE_ANY_OWNER, text, sizeof(text), &len, &diag);

	if (err)
		return bg_fail(err, &diag, "name the .pub file that ssh-keygen wrote");
	err = bg_ssh_key_parse(text, len, ret, &diag);
	if (err) {
		bg_error("%s: %s", path, diag.what);
		bg_hint("%s", HOW);
	}
	return err ? bg_exit_of(err) : BG_EXIT_DONE;
}

static int add(const char *value, struct bg_seal *seal, bool is_given[static BG_KEYS_MAX])
{
	const char *equals = strchr(value, '=');
	char name[BG_NAME_LEN + 2] = "", example[48];
	int at;

	if (!equals || equals == value || !equals[1])
		return bg_usage("--ssh-key \"%.80s\": it must be NAME=FILE.pub", value);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - value), value);
	at = bg_seal_find_key(seal, name);
	if (at < 0) {
		(void)snprintf(
			example, sizeof(example), "--ssh-key %s=FILE.pub", seal->keys[0].name);
		return bg_load_no_key(seal, "ssh-key", name, example);
	}
	if (is_given[at])
		return bg_usage("two ssh keys for key %s", name);
	is_given[at] = true;
	return read_key(equals + 1, seal->keys[at].ssh);
}

static int check_distinct(const struct bg_seal *seal)
{
	for (size_t i = 0; i < seal->key_count; i++)
		for (size_t j = 0; j < i; j++)
			if (seal->keys[i].ssh[0] &&
				strcmp(seal->keys[i].ssh, seal->keys[j].ssh) == 0) {
				bg_error("keys %s and %s have the same ssh key", seal->keys[j].name,
					seal->keys[i].name);
				bg_hint("make one on each security key; %s", HOW);
				return BG_EXIT_USAGE;
			}
	return BG_EXIT_DONE;
}

int bg_load_ssh_keys(const char *const values[], size_t count, struct bg_seal *seal)
{
	bool is_given[BG_KEYS_MAX] = { false };
	int status = BG_EXIT_DONE;
	size_t ssh_count = 0;

	for (size_t i = 0; !status && i < count; i++)
		status = add(values[i], seal, is_given);
	if (!status)
		status = check_distinct(seal);
	for (size_t i = 0; i < seal->key_count; i++)
		ssh_count += seal->keys[i].ssh[0] != '\0';
	if (!status && ssh_count && !seal->policy.remote_ssh)
		bg_note("the policy's \"remote\" lacks ssh: no host will take the ssh key%s",
			ssh_count > 1 ? "s" : "");
	return status;
}
