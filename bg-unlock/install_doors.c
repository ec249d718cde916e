/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The own doors, for when the host's own sshd, its PAM files or its logins are what
 * broke: a second sshd with a configuration, a host key and a PAM service of its
 * own, and an ssh client to it on terminals. What runs is the packages'; this makes
 * what it needs, and starts it.
 */
#include "bg-unlock.h"
#include "doors.h"
#include "ssh_text.h"
#include "templates.h"

#include <breakglass/os_helper.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SSHD	     "/usr/sbin/sshd"
#define SSH	     "/usr/bin/ssh"
#define KEYGEN	     "/usr/bin/ssh-keygen"
#define TIMEOUT_SECS 20

static enum bg_err look_for_programs(struct bg_tree *tree, const struct bg_doors *doors)
{
	if (!bg_tree_has(tree, SSHD))
		return bg_tree_refuse(tree, "apt-get install openssh-server",
			"no " SSHD ": --door sshd runs the distribution's");
	if (!bg_tree_has(tree, BG_OWN_SSHD))
		return bg_tree_refuse(
			tree, "apt-get install --reinstall libpam-breakglass", "no " BG_OWN_SSHD);
	if (!bg_tree_has(tree, KEYGEN) || (doors->console_count && !bg_tree_has(tree, SSH)))
		return bg_tree_refuse(tree, "apt-get install openssh-client",
			"no ssh and ssh-keygen here: the own doors need them");
	return BG_OK;
}

/* As another program, with another working directory, names a file of the tree. */
static const char *outside(const struct bg_tree *tree, const char *path, char *ret)
{
	(void)snprintf(ret, sizeof(tree->root) + 64, "%s%s", tree->is_host ? "" : tree->root, path);
	return ret;
}

bool bg_own_fingerprint(const struct bg_tree *tree, char ret[static 64])
{
	char path[sizeof(tree->root) + 64];
	const char *const argv[] = { KEYGEN, "-l", "-f", outside(tree, BG_OWN_KEY ".pub", path),
		NULL };
	char out[512] = "", *text;
	int status = 1;

	if (!bg_tree_has(tree, BG_OWN_KEY ".pub") ||
		bg_program_run(argv, NULL, TIMEOUT_SECS, out, sizeof(out), &status, NULL) ||
		status != 0)
		return false;
	text = strstr(out, "SHA256:");
	if (text)
		(void)snprintf(ret, 64, "%.*s", (int)strcspn(text, " \n"), text);
	return text != NULL;
}

static enum bg_err make_host_key(struct bg_tree *tree, struct bg_diag *diag)
{
	char path[sizeof(tree->root) + 64];
	const char *const argv[] = { KEYGEN, "-q", "-t", "ed25519", "-N", "", "-C",
		"breakglass-sshd", "-f", outside(tree, BG_OWN_KEY, path), NULL };
	char fingerprint[64];
	enum bg_err err;

	if (bg_tree_has(tree, BG_OWN_KEY) && bg_tree_has(tree, BG_OWN_KEY ".pub"))
		return BG_OK;
	bg_tree_say(tree, "make the host key %s", BG_OWN_KEY);
	if (tree->is_dry)
		return BG_OK;
	/* half of a pair is none */
	(void)unlink(bg_tree_path(tree, BG_OWN_KEY));
	(void)unlink(bg_tree_path(tree, BG_OWN_KEY ".pub"));
	err = bg_tree_run(tree, argv, NULL, "run it by hand and read what it says", diag);
	if (!err && !tree->is_quiet && bg_own_fingerprint(tree, fingerprint))
		(void)printf("its fingerprint, for who comes by ssh -p " BG_OWN_PORT ":\n  %s\n",
			fingerprint);
	return err;
}

/* What the console's client takes for this host, and nothing else. */
static enum bg_err write_known_hosts(struct bg_tree *tree, struct bg_diag *diag)
{
	char key[512], text[640];
	size_t len = 0, words;
	enum bg_err err;

	if (tree->is_dry && !bg_tree_has(tree, BG_OWN_KEY ".pub")) {
		bg_tree_say(tree, "write %s, mode 0644", BG_OWN_KNOWN);
		return BG_OK;
	}
	err = bg_tree_read(tree, BG_OWN_KEY ".pub", key, sizeof(key), &len, diag);
	if (err)
		return err;
	words = strcspn(key, " ");
	words += key[words] == ' ';
	words += strcspn(key + words, " \n");
	(void)snprintf(text, sizeof(text), "[127.0.0.1]:" BG_OWN_PORT " %.*s\n", (int)words, key);
	return bg_tree_write(tree, BG_OWN_KNOWN, 0644, text, strlen(text), diag);
}

struct config {
	const struct bg_tree *tree;
	const char *with, *without; /* an account that is there in a moment, or no longer */
	char users[512], blocks[BG_SMALL_LEN];
	bool is_full;
};

static void add(struct config *c, char *to, size_t size, const char *head, const char *text)
{
	size_t len = strlen(to);

	if ((size_t)snprintf(to + len, size - len, "%s%s", head, text) >= size - len)
		c->is_full = true;
}

static enum bg_err add_account(void *arg, const char *account)
{
	static char block[BG_SMALL_LEN];
	struct config *c = arg;
	char path[BG_TREE_PATH_LEN];
	bool is_new = c->with && strcmp(account, c->with) == 0;

	bg_account_path(account, "host", path);
	if ((c->without && strcmp(account, c->without) == 0) ||
		(!is_new && !bg_tree_has(c->tree, path)))
		return BG_OK;
	if (is_new)
		c->with = NULL;
	/* as the host's own sshd is told, a keys file from the seal included */
	bg_ssh_keys_path(account, path);
	(void)bg_ssh_match_text(account, bg_tree_has(c->tree, path), block);
	add(c, c->users, sizeof(c->users), " ", account);
	add(c, c->blocks, sizeof(c->blocks), "\n", block);
	return BG_OK;
}

static enum bg_err write_config(
	struct bg_tree *tree, const char *with, const char *without, struct bg_diag *diag)
{
	static struct config c;
	static char text[2 * BG_SMALL_LEN];
	enum bg_err err;

	c = (struct config){ .tree = tree, .with = with, .without = without };
	err = bg_account_each(tree, add_account, &c);
	if (!err && c.with) /* a dry run: its folder is not there */
		err = add_account(&c, c.with);
	if (err)
		return bg_diag_set(diag, err, "/etc/breakglass/accounts", "cannot be read");
	(void)snprintf(text, sizeof(text), "%sAllowUsers%s\n%s", template_own_sshd_conf, c.users,
		c.blocks);
	if (c.is_full || strlen(text) >= BG_SMALL_LEN)
		return bg_diag_set(diag, BG_ERR_TOO_BIG, BG_OWN_CONFIG, "fewer accounts");
	return bg_tree_place(tree, BG_OWN_CONFIG, 0644, text, diag);
}

static enum bg_err make_files(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	static const char config[] = BG_OWN_CONFIG;
	const char *const judge[] = { BG_OWN_SSHD, "-t", "-f", config, NULL };
	enum bg_err err = bg_tree_folder(tree, BG_OWN_FOLDER, 0755, diag);

	if (!err)
		err = make_host_key(tree, diag);
	if (!err)
		err = write_known_hosts(tree, diag);
	if (!err)
		err = bg_tree_place(tree, BG_OWN_PAM, 0644, template_breakglass_sshd_pam, diag);
	if (!err)
		err = bg_install_other(tree, diag);
	if (!err)
		err = bg_tree_folder(tree, "/etc/systemd/system/ssh.service.d", 0755, diag);
	if (!err)
		err = bg_tree_place(tree, BG_SSH_DROP_IN, 0644, template_ssh_service_conf, diag);
	if (!err)
		err = write_config(tree, account, NULL, diag);
	if (err || tree->is_dry || !tree->is_host)
		return err;
	return bg_tree_run(tree, judge, NULL, "this sshd does not know our lines", diag);
}

static enum bg_err prove(struct bg_tree *tree)
{
	struct bg_first_critical first = { 0 };
	const struct bg_judge judge = { .tree = tree, .found = bg_judge_first, .arg = &first };

	bg_judge_own_answer(&judge);
	return first.err ? bg_tree_refuse(tree, first.todo, "%s", first.text) : BG_OK;
}

static enum bg_err start(
	struct bg_tree *tree, struct bg_record *record, bool is_changed, struct bg_diag *diag)
{
	bool was_active = bg_systemd_runs(tree) && bg_systemctl_is(tree, "is-active", BG_OWN_UNIT);
	enum bg_err err = BG_OK;

	if (is_changed && bg_systemd_runs(tree))
		err = bg_unit_do(tree, "daemon-reload", NULL, diag);
	if (!err)
		err = bg_unit_enable(tree, BG_OWN_UNIT, diag);
	if (!err && was_active && is_changed)
		err = bg_unit_do(tree, "restart", BG_OWN_UNIT, diag);
	if (!err && bg_systemd_runs(tree) && !tree->is_dry)
		err = prove(tree);
	for (size_t i = 0; !err && i < record->doors.console_count; i++)
		err = bg_console_install(tree, record, record->doors.consoles[i], diag);
	if (!err && tree->is_host && !bg_systemd_runs(tree))
		bg_note("no systemd runs here: the own doors open at the next boot");
	return err;
}

static enum bg_err take_back(
	struct bg_tree *tree, struct bg_record *record, bool has_key_stay, struct bg_diag *diag)
{
	static const char *const keys[] = { BG_OWN_KNOWN, BG_OWN_KEY, BG_OWN_KEY ".pub",
		BG_OWN_FOLDER };
	enum bg_err err = BG_OK;

	while (!err && record->doors.console_count)
		err = bg_console_uninstall(
			tree, record, record->doors.consoles[--record->doors.console_count], diag);
	if (!err)
		err = bg_unit_disable(tree, BG_OWN_UNIT, diag);
	if (!err)
		err = bg_tree_take_back(tree, BG_OWN_CONFIG, diag);
	if (!err)
		err = bg_tree_take_back(tree, BG_OWN_PAM, diag);
	if (!err)
		err = bg_uninstall_other(tree, diag);
	if (!err)
		err = bg_tree_take_back(tree, BG_SSH_DROP_IN, diag);
	if (!err && !tree->is_dry) /* not where somebody else has files in it */
		(void)rmdir(bg_tree_path(tree, "/etc/systemd/system/ssh.service.d"));
	for (size_t i = 0; !err && !has_key_stay && i < sizeof(keys) / sizeof(keys[0]); i++)
		err = bg_tree_remove(tree, keys[i], diag);
	if (!err && bg_systemd_runs(tree))
		err = bg_unit_do(tree, "daemon-reload", NULL, diag);
	record->doors = (struct bg_doors){ 0 };
	return err ? err : bg_record_save(tree, NULL, record, diag);
}

static void merge(struct bg_doors *doors, const struct bg_doors *more)
{
	char value[16 + BG_DOOR_TTY_LEN];

	doors->has_sshd |= more->has_sshd;
	for (size_t i = 0; i < more->console_count; i++) {
		(void)snprintf(value, sizeof(value), "console=%s", more->consoles[i]);
		(void)bg_door_parse(doors, value);
	}
}

/* As it was before: all of it, or only what came now. */
static void go_back(struct bg_tree *tree, struct bg_record *record, const struct bg_doors *before)
{
	struct bg_diag diag = { 0 };
	bool was_quiet = tree->is_quiet;
	enum bg_err err = BG_OK;

	tree->is_quiet = true;
	if (!before->has_sshd)
		err = take_back(tree, record, false, &diag);
	while (!err && record->doors.console_count > before->console_count)
		err = bg_console_uninstall(
			tree, record, record->doors.consoles[--record->doors.console_count], &diag);
	if (!err && before->has_sshd)
		err = bg_record_save(tree, NULL, record, &diag);
	tree->is_quiet = was_quiet;
	if (err)
		(void)bg_fail(err, &diag, "what the own doors left has to be taken back by hand");
	else
		bg_note("the own doors are as they were before");
}

enum bg_err bg_install_doors(struct bg_tree *tree, const char *account,
	const struct bg_doors *wanted, struct bg_diag *diag)
{
	struct bg_record record = { 0 };
	struct bg_doors before;
	unsigned int changes;
	enum bg_err err = bg_record_load(tree, NULL, &record, diag);

	before = record.doors;
	merge(&record.doors, wanted);
	if (err || !record.doors.has_sshd)
		return err;
	err = look_for_programs(tree, &record.doors);
	/* the intention first: killed half-way, uninstall knows what to look for */
	if (!err)
		err = bg_record_save(tree, NULL, &record, diag);
	if (err)
		return err;
	changes = tree->changes;
	err = make_files(tree, account, diag);
	if (!err)
		err = start(tree, &record, tree->changes != changes, diag);
	if (err && !tree->is_dry)
		go_back(tree, &record, &before);
	return err;
}

enum bg_err bg_uninstall_doors(struct bg_tree *tree, const char *account, bool is_last,
	bool has_key_stay, struct bg_diag *diag)
{
	struct bg_record record = { 0 };
	unsigned int before = tree->changes;
	enum bg_err err = bg_record_load(tree, NULL, &record, diag);

	if (err || !record.doors.has_sshd)
		return err;
	if (is_last)
		return take_back(tree, &record, has_key_stay, diag);
	err = write_config(tree, NULL, account, diag);
	if (err || tree->changes == before || !bg_systemd_runs(tree))
		return err;
	return bg_unit_do(tree, "try-reload-or-restart", BG_OWN_UNIT, diag);
}
