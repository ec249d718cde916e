/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May this seal come into force here? The first one by the fingerprint on the
 * ceremony's sheet, each later one because the seal in force endorsed it.
 */
#include "bg-unlock.h"
#include "install.h"
#include "load.h"
#include "tty.h"

#include <breakglass/os_file.h>
#include <breakglass/os_log.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void record_unsigned(struct bg_crypto *crypto, const struct bg_diag *diag)
{
	char why[320];
	const struct bg_event event = { .id = BG_EV_SEAL_REFUSED, .result = why, .severity = -1 };

	bg_diag_format(diag, BG_ERR_SIGNATURE, why, sizeof(why));
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

int bg_candidate_read(
	struct bg_crypto *crypto, const char *path, bool is_recorded, struct bg_candidate *ret)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_file_read(path, BG_FILE_ANY_FOLDER | BG_FILE_ANY_OWNER, ret->text,
		sizeof(ret->text), &ret->len, &diag);

	if (err)
		return bg_fail(err, &diag, err == BG_ERR_NOENT ? "name the seal's file" : NULL);
	err = bg_seal_parse(crypto, ret->text, ret->len, path, &ret->seal, &diag);
	if (err == BG_ERR_SIGNATURE && is_recorded)
		record_unsigned(crypto, &diag);
	if (err)
		return bg_fail(err, &diag,
			"a seal is used exactly as the ceremony wrote it: get it again");
	return BG_EXIT_DONE;
}

/* Refusals are never silent. */
static void record_refusal(struct bg_crypto *crypto, const struct bg_tree *tree,
	const struct bg_candidate *candidate, const char *why)
{
	char set[2 * BG_SET_ID_LEN + 1];
	const struct bg_event event = { .id = BG_EV_SEAL_REFUSED,
		.host = candidate->is_first ? NULL : candidate->host.label,
		.account = candidate->seal.account,
		.role = candidate->is_first ? NULL : candidate->host.role,
		.set = set,
		.epoch = candidate->seal.epoch,
		.result = why,
		.severity = -1 };

	if (!tree->is_host || tree->is_dry)
		return;
	bg_hex_encode(candidate->seal.set_id, BG_SET_ID_LEN, set);
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

static const char *refusal_hint(enum bg_err err)
{
	switch ((unsigned int)err) {
	case BG_ERR_FORK:
		return "two ceremonies made a seal of this epoch: find out who held the other one "
		       "before anything else";
	case BG_ERR_EPOCH:
		return "an epoch goes up by one each reseal: install the seals between in their "
		       "order, or get the newest";
	case BG_ERR_SIGNATURE:
		return "the quorum of the seal in force did not sign it: reseal from the seal in "
		       "force here";
	case BG_ERR_ASSERTION:
		return "no key of the seal in force endorsed it; if all of them are lost: "
		       "--keys-lost, on this host";
	case BG_ERR_MISMATCH:
		return "is it this account's and zone's, made from the seal in force here?";
	default:
		return NULL;
	}
}

static int refuse(struct bg_crypto *crypto, const struct bg_tree *tree,
	const struct bg_candidate *candidate, enum bg_err err, const struct bg_diag *diag)
{
	char why[320];

	bg_diag_format(diag, err, why, sizeof(why));
	record_refusal(crypto, tree, candidate, why);
	/* the key's signature is no different from its other ways to be wrong */
	return bg_fail(err, diag,
		refusal_hint(strcmp(diag->where, "assertion") == 0 ? BG_ERR_ASSERTION : err));
}

/* The sheet's digits in any grouping and case. All of them: a part of a digest can be made. */
static bool is_fingerprint(const char *typed, const uint8_t digest[static BG_SHA256_LEN])
{
	char hex[2 * BG_SHA256_LEN + 1];
	size_t len = 0;

	bg_hex_encode(digest, BG_SHA256_LEN, hex);
	for (; *typed != '\0'; typed++) {
		if (strchr(" \t:-\r\n", *typed))
			continue;
		if (len == 2 * BG_SHA256_LEN || tolower((unsigned char)*typed) != hex[len])
			return false;
		len++;
	}
	return len == 2 * BG_SHA256_LEN;
}

static size_t digits(const char *typed)
{
	size_t count = 0;

	for (; *typed != '\0'; typed++)
		count += isxdigit((unsigned char)*typed) != 0;
	return count;
}

static int ask(const char *prompt, const char *hint, char line[static BG_TTY_LINE_LEN])
{
	static struct bg_tty tty;
	int status = bg_tty_begin(&tty, false, hint);
	size_t len = 0;
	enum bg_err err;

	if (status)
		return status;
	err = bg_tty_ask(&tty, true, prompt, line, &len);
	bg_tty_close(&tty);
	return err ? bg_fail(err, NULL, "nothing was changed") : BG_EXIT_DONE;
}

static int judge_first(struct bg_crypto *crypto, const struct bg_tree *tree,
	const struct bg_candidate *candidate, const char *fingerprint)
{
	static char line[BG_TTY_LINE_LEN];
	const struct bg_diag diag = { .where = "fingerprint",
		.what = "this seal is not the one on the sheet" };
	int status;

	if (!fingerprint) {
		status = ask("Fingerprint of the seal, as on the ceremony's sheet (64 digits; "
			     "blanks\ndo not matter):",
			"give it with --fingerprint, from the ceremony's sheet and not from the "
			"file",
			line);
		if (status)
			return status;
		fingerprint = line;
	}
	if (is_fingerprint(fingerprint, candidate->seal.digest))
		return BG_EXIT_DONE;
	record_refusal(crypto, tree, candidate, "the fingerprint does not match");
	if (digits(fingerprint) != 2 * BG_SHA256_LEN)
		bg_note("%zu digits were given; a fingerprint has %d", digits(fingerprint),
			2 * BG_SHA256_LEN);
	return bg_fail(BG_ERR_MISMATCH, &diag,
		"read all 64 digits from the sheet again; if they differ the file is another seal");
}

/* Only a person at this host may do without an endorsement by a key. */
static int confirm_keys_lost(void)
{
	static char line[BG_TTY_LINE_LEN];
	int status = ask("No key of the seal in force endorses this one: whoever holds a quorum of "
			 "shares\nmay have chosen its custodians. Type \"keys lost\" to go on:",
		"--keys-lost is typed at a terminal of this host", line);

	if (status || strcmp(line, "keys lost") == 0)
		return status;
	bg_error("not confirmed; nothing was changed");
	bg_hint("a reseal with one of the keys needs no --keys-lost");
	return BG_EXIT_NO;
}

enum bg_err bg_account_seal(struct bg_crypto *crypto, const struct bg_tree *tree,
	const struct bg_host *host, struct bg_seal *ret, struct bg_diag *diag)
{
	static char text[BG_INI_FILE_LEN + 1];
	char path[BG_TREE_PATH_LEN], name[32];
	size_t len = 0;
	enum bg_err err;

	(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)host->epoch);
	bg_account_path(host->account, name, path);
	err = bg_tree_read(tree, path, text, sizeof(text), &len, diag);
	if (!err)
		err = bg_seal_parse(crypto, text, len, path, ret, diag);
	if (!err && memcmp(ret->digest, host->seal_digest, BG_SHA256_LEN) != 0)
		err = bg_diag_set(diag, BG_ERR_MISMATCH, path, "not the seal that is in force");
	return err;
}

static int judge_later(struct bg_crypto *crypto, const struct bg_tree *tree,
	struct bg_candidate *candidate, bool is_keys_lost)
{
	static struct bg_seal in_force;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_account_seal(crypto, tree, &candidate->host, &in_force, &diag);

	if (err)
		return bg_fail(err, &diag,
			"the seal in force is damaged, so nothing can succeed it: put it back "
			"(bg-unlock install with the same file after bg-unlock uninstall)");
	candidate->is_in_force =
		memcmp(in_force.digest, candidate->seal.digest, BG_SHA256_LEN) == 0;
	if (candidate->is_in_force)
		return BG_EXIT_DONE;
	err = bg_seal_check_successor(
		crypto, &in_force, &candidate->seal, candidate->text, is_keys_lost, &diag);
	if (err)
		return refuse(crypto, tree, candidate, err, &diag);
	bg_seal_changes_text(&in_force, &candidate->seal, candidate->changes);
	if (is_keys_lost && !tree->is_dry)
		return confirm_keys_lost();
	return BG_EXIT_DONE;
}

int bg_candidate_judge(struct bg_crypto *crypto, const struct bg_tree *tree,
	struct bg_candidate *candidate, const char *fingerprint, bool is_keys_lost)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_account_host(tree, candidate->seal.account, &candidate->host, &diag);

	candidate->is_first = err == BG_ERR_NOENT;
	if (candidate->is_first)
		return judge_first(crypto, tree, candidate, fingerprint);
	if (err)
		return bg_fail(err, &diag,
			"the account is shut until this is right: bg-unlock uninstall, then "
			"install with the fingerprint");
	return judge_later(crypto, tree, candidate, is_keys_lost);
}
