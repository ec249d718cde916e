/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `check`: is all in order on this host? A table of looks, first those at the
 * host, then those at each account. The first line sums up, as monitoring plugins
 * do; so does the status: 0 ok, 1 warning, 2 critical, 3 unknown.
 */
#include "bg-unlock.h"
#include "check_past.h"
#include "load.h"

#include <breakglass/paths.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNKNOWN 3

static const struct bg_check_row host_rows[] = {
	{ "conf", bg_check_conf, false },
	{ "pam", bg_check_pam, false },
	{ "module", bg_check_module, true },
	{ "login", bg_check_login, false },
	{ "runuser", bg_check_runuser, false },
	{ "names", bg_check_names, false },
	{ "doors", bg_check_doors, false },
	{ "audit", bg_check_audit, true },
	{ "nologin", bg_check_nologin, false },
	{ "vetoes", bg_check_vetoes, false },
	{ "helper", bg_check_helper, false },
	{ "limits", bg_check_limits, false },
	{ "log", bg_check_log, true },
	{ "journal", bg_check_journal, false },
	{ "alerts", bg_check_alerts, false },
	{ "disk", bg_check_disk, false },
	{ "permissions", bg_check_permissions, false },
	{ "clock", bg_check_clock, false },
	{ "bypass", bg_check_bypass, false },
};

/* files comes first: the others need the seal. */
static const struct bg_check_row account_rows[] = {
	{ "seal", bg_check_files, false },
	{ "lock", bg_check_lock, true },
	{ "succession", bg_check_succession, false },
	{ "expiry", bg_check_expiry, false },
	{ "keys", bg_check_keys, false },
	{ "key-use", bg_check_key_use, false },
	{ "quorum", bg_check_quorum, false },
	{ "contacts", bg_check_contacts, false },
	{ "account", bg_check_account, false },
	{ "lookup", bg_check_lookup, true },
	{ "faillock", bg_check_faillock, false },
	{ "access", bg_check_access, false },
	{ "ssh", bg_check_ssh, true },
	{ "ssh-keys", bg_check_ssh_keys, false },
	{ "own-ssh", bg_check_own_ssh, true },
	{ "groups", bg_check_groups, true },
	{ "sudo", bg_check_sudo, true },
	{ "sudo", bg_check_sudo_stack, false },
	{ "role", bg_check_role, false },
	{ "recording", bg_check_recording, false },
	{ "reviews", bg_check_reviews, true },
	{ "root", bg_check_root, false },
	{ "drill", bg_check_drill, true },
};

/* At the end: they need to know what the others saw. */
static const struct bg_check_row last_rows[] = {
	{ "accounts", bg_check_accounts, false },
};

/* There is no room for more: the last finding says so, and is as bad as what it stands for may be.
 */
static void count_dropped(struct bg_check *check)
{
	struct bg_check_finding *last = &check->findings[BG_FINDINGS_MAX - 1];

	check->dropped += check->dropped ? 1 : 2; /* that one's own text goes too */
	*last = (struct bg_check_finding){ .level = BG_LEVEL_CRITICAL, .name = "findings" };
	(void)snprintf(last->text, sizeof(last->text),
		"%zu findings more than can be told: what they say is not known", check->dropped);
	(void)snprintf(last->todo, sizeof(last->todo),
		"fewer accounts in " BG_PATH_ACCOUNTS ", or mend what is told first");
}

/* A command that can be typed as it stands: with the account's name and the seal in force. */
static void fill(const struct bg_check *check, const char *todo, char *ret, size_t size)
{
	static const char account[] = "@ACCOUNT@", seal[] = "@SEAL@";
	char path[BG_TREE_PATH_LEN] = "SEAL";
	size_t used = 0;

	if (check->host.epoch)
		(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%s/seal.%u", check->account,
			(unsigned int)check->host.epoch);
	ret[0] = '\0';
	for (size_t skip; *todo && used < size - 1; todo += skip) {
		bool is_account = strncmp(todo, account, strlen(account)) == 0;
		bool is_seal = strncmp(todo, seal, strlen(seal)) == 0;
		int n = snprintf(ret + used, size - used, "%.*s", is_account || is_seal ? -1 : 1,
			is_account ? check->account
			: is_seal  ? path
				   : todo);

		skip = is_account ? strlen(account) : is_seal ? strlen(seal) : 1;
		used += n > 0 ? (size_t)n : 0;
	}
}

static void found(void *arg, enum bg_level level, const char *text, const char *todo)
{
	struct bg_check *check = arg;
	struct bg_check_finding *finding = &check->findings[check->count];

	if (check->count == BG_FINDINGS_MAX) {
		count_dropped(check);
		return;
	}
	check->count++;
	finding->level = level;
	(void)snprintf(finding->name, sizeof(finding->name), "%.*s%s%s", BG_ACCOUNT_LEN,
		check->account, check->account[0] ? "/" : "", check->row);
	(void)snprintf(finding->text, sizeof(finding->text), "%s", text);
	fill(check, todo ? todo : "", finding->todo, sizeof(finding->todo));
}

static void run_rows(struct bg_check *check, const struct bg_check_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].is_host_only && !check->tree.is_host)
			continue;
		check->row = rows[i].name;
		rows[i].run(check);
	}
}

static enum bg_err check_account(void *arg, const char *account)
{
	struct bg_check *check = arg;

	check->accounts++;
	(void)snprintf(check->account, sizeof(check->account), "%s", account);
	check->host = (struct bg_host){ 0 };
	check->seal = (struct bg_seal){ 0 };
	run_rows(check, account_rows, sizeof(account_rows) / sizeof(account_rows[0]));
	if (check->label[0] == '\0')
		(void)snprintf(check->label, sizeof(check->label), "%s", check->host.label);
	return BG_OK;
}

/* Nothing could be looked at. */
static int unknown(bool is_json, const char *why)
{
	if (is_json)
		(void)printf("{\"schema\":1,\"status\":\"UNKNOWN\",\"text\":\"%s\"}\n", why);
	else
		(void)printf("BREAKGLASS UNKNOWN - %s\n", why);
	return UNKNOWN;
}

/* Writes them where they are wanted; the status, UNKNOWN if they cannot be written. */
static int write_metrics(const struct bg_check *check, const char *path, int status)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = path ? bg_check_prometheus(check, status, path, &diag) : BG_OK;

	if (err == BG_OK)
		return status;
	(void)bg_fail(err, &diag, "is its folder there?");
	return UNKNOWN;
}

void bg_check_accounts(struct bg_check *check)
{
	if (check->accounts == 1)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"seal a second account, with other keys and custodians, and install it",
			"one emergency account only: no second way if its keys or shares are lost");
	else
		bg_judge_say(
			&check->judge, BG_LEVEL_OK, NULL, "%u emergency accounts", check->accounts);
}

static int run(struct bg_crypto *crypto, const char *root, bool is_json, const char *metrics,
	bool is_announced)
{
	static struct bg_check check;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	if (bg_tree_open(&check.tree, root, true) != BG_EXIT_DONE)
		return unknown(is_json, "this is root's to look at");
	check.crypto = crypto;
	check.judge = (struct bg_judge){ .tree = &check.tree, .found = found, .arg = &check };
	run_rows(&check, host_rows, sizeof(host_rows) / sizeof(host_rows[0]));
	err = bg_account_each(&check.tree, check_account, &check);
	if (err != BG_OK || check.accounts == 0) {
		check.count = 0;
		return write_metrics(&check, metrics,
			unknown(is_json, err ? BG_PATH_ACCOUNTS " cannot be listed"
					     : "no emergency account is installed here"));
	}
	check.account[0] = '\0';
	run_rows(&check, last_rows, sizeof(last_rows) / sizeof(last_rows[0]));
	bg_check_past_end();
	status = (int)bg_check_worst(&check);
	if (is_json)
		bg_check_print_json(&check);
	else
		bg_check_print_text(&check, isatty(STDOUT_FILENO) == 1);
	if (is_announced && (err = bg_check_announce(&check, &diag)) != BG_OK)
		status = (bg_fail(err, &diag, "bg-unlock log verify; df /run /var"), UNKNOWN);
	return write_metrics(&check, metrics, status);
}

int bg_verb_check(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "alerts", no_argument, NULL, 'a' }, { "announce", no_argument, NULL, 'n' },
		{ "prometheus", required_argument, NULL, 'p' },
		{ "root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	const char *root = NULL, *metrics = NULL;
	bool is_json = false, is_alerts = false, is_announced = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'j')
			is_json = true;
		else if (c == 'a')
			is_alerts = true;
		else if (c == 'n')
			is_announced = true;
		else if (c == 'p')
			metrics = optarg;
		else if (c == 'r')
			root = optarg;
		else if (c == 'h')
			return bg_verb_help("check");
		else
			return (void)bg_usage("check does not know that option"), UNKNOWN;
	}
	if (optind != argc)
		return (void)bg_usage("check takes no argument"), UNKNOWN;
	if (metrics && metrics[0] != '/')
		return (void)bg_usage("--prometheus wants the whole path of the file"), UNKNOWN;
	if (is_announced && root)
		return (void)bg_usage("--announce is for this host, not for --root"), UNKNOWN;
	if (is_alerts)
		return bg_check_try_alerts();
	crypto = bg_load_crypto();
	return crypto ? run(crypto, root, is_json, metrics, is_announced) : UNKNOWN;
}
