/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at an account's files: would the module take them, and is there margin left? */
#include "check.h"

#include <breakglass/os_file.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define EXPIRES_SOON_DAYS 14
#define CONTACTS_OLD_DAYS 365

static char text[BG_INI_FILE_LEN + 1];

static void say_error(struct bg_check *check, enum bg_level level, enum bg_err err,
	const struct bg_diag *diag, const char *todo)
{
	char line[400];

	bg_diag_format(diag, err, line, sizeof(line));
	bg_judge_say(&check->judge, level, todo, "%s", line);
}

static enum bg_err read_private(
	struct bg_check *check, const char *file, size_t *ret_len, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];

	bg_account_path(check->account, file, path);
	return bg_file_read(bg_tree_path(&check->tree, path), BG_FILE_PRIVATE, text, sizeof(text),
		ret_len, diag);
}

/* authorized_keys is read by sshd as the account: the folders must let it. */
static bool check_folders(struct bg_check *check)
{
	char own[BG_TREE_PATH_LEN];
	const char *const paths[] = { BG_PATH_ETC, BG_PATH_ACCOUNTS, own };
	struct stat st;

	bg_account_path(check->account, "", own);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct bg_diag diag = { 0 };
		const char *here = bg_tree_path(&check->tree, paths[i]);
		enum bg_err err = bg_folder_check(here, &diag);

		if (err) {
			say_error(check, BG_LEVEL_CRITICAL, err, &diag,
				"chown root:root and chmod 0755 it; the account is shut");
			return false;
		}
		if (lstat(here, &st) == 0 && (st.st_mode & 07777) != 0755)
			bg_judge_say(&check->judge, BG_LEVEL_WARNING, "chmod 0755 it",
				"%s has mode %04o", paths[i], (unsigned int)(st.st_mode & 07777));
	}
	return true;
}

static enum bg_err read_seal(struct bg_check *check, struct bg_diag *diag)
{
	static struct bg_seal seal;
	char name[32];
	size_t len = 0;
	enum bg_err err;

	(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)check->host.epoch);
	err = read_private(check, name, &len, diag);
	if (!err)
		err = bg_seal_parse(check->crypto, text, len, name, &seal, diag);
	if (!err && memcmp(seal.digest, check->host.seal_digest, BG_SHA256_LEN) != 0)
		err = bg_diag_set(
			diag, BG_ERR_MISMATCH, name, "not the seal that install put in force");
	if (!err && strcmp(seal.account, check->account) != 0)
		err = bg_diag_set(diag, BG_ERR_MISMATCH, name, "another account's seal");
	if (!err)
		check->seal = seal;
	return err;
}

void bg_check_files(struct bg_check *check)
{
	struct bg_diag diag = { 0 };
	char id[BG_SHORT_ID_LEN + 1];
	size_t len = 0;
	enum bg_err err;

	if (!check_folders(check))
		return;
	err = read_private(check, "host", &len, &diag);
	if (err == BG_ERR_NOENT) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"bg-unlock install its seal, or bg-unlock uninstall it with --purge",
			"no seal is in force: the account is shut");
		return;
	}
	if (!err)
		err = bg_host_parse(text, len, "host", &check->host, &diag);
	if (!err && strcmp(check->host.account, check->account) != 0)
		err = bg_diag_set(&diag, BG_ERR_MISMATCH, "host", "another account's host file");
	if (!err)
		err = read_seal(check, &diag);
	if (err) {
		say_error(check, BG_LEVEL_CRITICAL, err, &diag,
			err == BG_ERR_UNSAFE
				? "chown root:root and chmod 0600 it; the account is shut"
				: "the account is shut: bg-unlock uninstall it, then install its "
				  "seal anew");
		return;
	}
	bg_short_id(check->seal.set_id, id);
	bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "set %s epoch %u, signed, in force as %s",
		id, (unsigned int)check->seal.epoch, check->host.label);
}

/* Seals beside the one in force: a newer one, or a predecessor that it does not succeed (a fork).
 */
void bg_check_succession(struct bg_check *check)
{
	char name[32], path[BG_TREE_PATH_LEN];
	uint8_t digest[BG_SHA256_LEN];
	size_t len = 0;
	uint32_t epoch = check->seal.epoch;

	if (check->seal.key_count == 0)
		return;
	(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)(epoch + 1));
	bg_account_path(check->account, name, path);
	if (bg_tree_has(&check->tree, path)) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, "bg-unlock install it, or remove it",
			"seal.%u is newer than the one in force", (unsigned int)(epoch + 1));
		return;
	}
	(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)(epoch - 1));
	if (check->seal.has_predecessor && read_private(check, name, &len, NULL) == BG_OK &&
		bg_sha256(check->crypto, text, len, digest) == BG_OK &&
		memcmp(digest, check->seal.predecessor, BG_SHA256_LEN) != 0) {
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"ask the custodians which is theirs; bg-unlock log show says who installed "
			"it",
			"a fork: the seal in force does not succeed %s beside it", name);
		return;
	}
	bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "epoch %u is the newest one here",
		(unsigned int)epoch);
}

static void now_text(long days, char ret[static 21])
{
	time_t t = time(NULL) + days * 86400;
	struct tm tm;

	ret[0] = '\0';
	if (gmtime_r(&t, &tm))
		(void)strftime(ret, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void bg_check_expiry(struct bg_check *check)
{
	char now[21], soon[21];

	if (check->seal.key_count == 0)
		return;
	now_text(0, now);
	now_text(EXPIRES_SOON_DAYS, soon);
	/* RFC 3339 in UTC sorts as text */
	if (strcmp(check->seal.policy.expires, now) < 0)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, "bg-unlock reseal",
			"expired on %.10s: it still opens", check->seal.policy.expires);
	else if (strcmp(check->seal.policy.expires, soon) < 0)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, "bg-unlock reseal",
			"expires on %.10s", check->seal.policy.expires);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "made on %.10s, expires on %.10s",
			check->seal.created, check->seal.policy.expires);
}

/* "a (FIDO2, ssh), b (FIDO2)" */
static void key_names(const struct bg_seal *seal, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < seal->key_count && used < size; i++) {
		const struct bg_key *key = &seal->keys[i];
		bool has_fido2 = key->credential_len > 0, has_ssh = key->ssh[0] != '\0';

		used += (size_t)snprintf(ret + used, size - used, "%s%s (%s%s%s)", i ? ", " : "",
			key->name, has_fido2 ? "FIDO2" : "", has_fido2 && has_ssh ? ", " : "",
			has_ssh ? "ssh" : "");
	}
}

void bg_check_keys(struct bg_check *check)
{
	char names[BG_KEYS_MAX * (BG_NAME_LEN + 16) + 1];

	if (check->seal.key_count == 0)
		return;
	key_names(&check->seal, names, sizeof(names));
	if (check->seal.key_count == 1)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"enrol a second one: bg-unlock reseal SEAL --add-key NAME=HOLDER, then "
			"install",
			"one key only, %s: lost or broken, it shuts the account", names);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "%zu keys: %s",
			check->seal.key_count, names);
}

void bg_check_quorum(struct bg_check *check)
{
	unsigned int k = check->seal.threshold, n = (unsigned int)check->seal.custodian_count;

	if (check->seal.key_count == 0)
		return;
	if (k == n)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"one custodian more: bg-unlock reseal SEAL --add NAME=PHONE, then install",
			"%u of %u: one lost share shuts the account", k, n);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "%u of %u", k, n);
}

static bool is_old(const char *date)
{
	char limit[21];

	now_text(-CONTACTS_OLD_DAYS, limit);
	return strncmp(date, limit, 10) < 0;
}

void bg_check_contacts(struct bg_check *check)
{
	struct bg_contacts contacts = { 0 };
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err;

	if (check->seal.key_count == 0)
		return;
	err = read_private(check, "contacts", &len, &diag);
	if (!err)
		err = bg_contacts_parse(text, len, "contacts", &contacts, &diag);
	if (err) {
		say_error(check, BG_LEVEL_WARNING, err, &diag,
			"bg-unlock install @SEAL@ --contacts FILE; prompts show no numbers until "
			"then");
		return;
	}
	for (size_t i = 0; i < check->seal.custodian_count; i++) {
		const char *name = check->seal.custodians[i].name;

		if (bg_contacts_phone(&contacts, name)[0] == '\0') {
			bg_judge_say(&check->judge, BG_LEVEL_WARNING,
				"bg-unlock install @SEAL@ --contacts FILE",
				"no telephone number of %s", name);
			return;
		}
	}
	if (is_old(contacts.updated))
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"call them, then bg-unlock install @SEAL@ --contacts FILE",
			"telephone numbers of %s: more than a year old", contacts.updated);
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "telephone numbers of %s",
			contacts.updated);
}
