/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `install`: puts a seal in force. Everything else is made first; the host file,
 * which names the seal, is replaced last and in one rename. Each step makes its
 * part so, whatever was done before: twice is once.
 */
#include "install.h"
#include "bg-unlock.h"
#include "doors.h"
#include "load.h"
#include "recording.h"
#include "templates.h"

#include <breakglass/os_file.h>
#include <breakglass/os_log.h>
#include <breakglass/paths.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *seal, *label, *fingerprint, *contacts, *role, *record, *root;
	unsigned int recording; /* what --record says */
	struct bg_doors doors;
	bool is_keys_lost, is_dry;
};

/* --record: words with a comma between two, or none. */
static int parse_record(struct options *o)
{
	const char *p = o->record;
	char word[BG_RECORDING_LEN];

	if (strcmp(p, "none") == 0)
		return BG_EXIT_DONE;
	while (p) {
		size_t len = strcspn(p, ",");

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (len >= sizeof(word) || !bg_recording_add(word, &o->recording))
			return bg_usage("--record is none, or of sudo, audit and tlog: sudo,audit");
		p = p[len] ? p + len + 1 : NULL;
	}
	return BG_EXIT_DONE;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "label", required_argument, NULL, 'l' },
		{ "fingerprint", required_argument, NULL, 'f' },
		{ "contacts", required_argument, NULL, 'c' },
		{ "door", required_argument, NULL, 'd' }, { "role", required_argument, NULL, 'R' },
		{ "record", required_argument, NULL, 'S' }, { "keys-lost", no_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' }, { "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };
	int c, status = BG_EXIT_DONE;

	while (!status && (c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'l')
			o->label = optarg;
		else if (c == 'f')
			o->fingerprint = optarg;
		else if (c == 'c')
			o->contacts = optarg;
		else if (c == 'd')
			status = bg_door_add(&o->doors, optarg);
		else if (c == 'R')
			o->role = optarg;
		else if (c == 'S')
			o->record = optarg;
		else if (c == 'k')
			o->is_keys_lost = true;
		else if (c == 'n')
			o->is_dry = true;
		else if (c == 'r')
			o->root = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("install does not know that option");
	}
	if (status)
		return status;
	if (optind + 1 != argc)
		return bg_usage("install takes one seal");
	o->seal = argv[optind];
	if (o->record && (status = parse_record(o)) != BG_EXIT_DONE)
		return status;
	if (o->role && !bg_is_role(o->role))
		return bg_usage("--role is full, identity or read-only");
	if (o->label && !bg_is_label(o->label))
		return bg_usage("--label is [A-Za-z0-9][A-Za-z0-9._-]* of at most %d bytes",
			BG_HOST_LABEL_LEN);
	return BG_EXIT_DONE;
}

/* --label, else what it was, else this host's name. */
static int choose_label(const struct bg_tree *tree, const struct options *o,
	const struct bg_candidate *candidate, char ret[static BG_HOST_LABEL_LEN + 1])
{
	char name[256] = "";

	if (o->label)
		(void)snprintf(name, sizeof(name), "%s", o->label);
	else if (!candidate->is_first)
		(void)snprintf(name, sizeof(name), "%s", candidate->host.label);
	else if (tree->is_host && gethostname(name, sizeof(name) - 1) == 0)
		name[strcspn(name, ".")] = '\0';
	if (!bg_is_label(name)) {
		bg_error("no name for this host (\"%s\" is none)", name);
		bg_hint("--label NAME, at most %d bytes; people will say it on the telephone",
			BG_HOST_LABEL_LEN);
		return BG_EXIT_USAGE;
	}
	(void)snprintf(ret, BG_HOST_LABEL_LEN + 1, "%.*s", BG_HOST_LABEL_LEN, name);
	return BG_EXIT_DONE;
}

/* --role, else what it was, else full. */
static const char *choose_role(const struct options *o, const struct bg_candidate *candidate)
{
	if (o->role)
		return o->role;
	return candidate->is_first ? BG_ROLE_FULL : candidate->host.role;
}

/* --record, else what it was, else nothing. */
static unsigned int choose_record(const struct options *o, const struct bg_candidate *candidate)
{
	if (o->record)
		return o->recording;
	return candidate->is_first ? 0 : candidate->host.recording;
}

static enum bg_err make_folders(struct bg_tree *tree, const char *account, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN];
	enum bg_err err = bg_tree_folder(tree, BG_PATH_ETC, 0755, diag);

	if (!err)
		err = bg_tree_folder(tree, BG_PATH_ACCOUNTS, 0755, diag);
	bg_account_path(account, "", path);
	return err ? err : bg_tree_folder(tree, path, 0755, diag);
}

static enum bg_err write_seal(
	struct bg_tree *tree, const struct bg_candidate *candidate, struct bg_diag *diag)
{
	char path[BG_TREE_PATH_LEN], name[32];

	(void)snprintf(name, sizeof(name), "seal.%u", (unsigned int)candidate->seal.epoch);
	bg_account_path(candidate->seal.account, name, path);
	return bg_tree_write(tree, path, 0600, candidate->text, candidate->len, diag);
}

static enum bg_err write_contacts(struct bg_tree *tree, const char *account,
	const struct bg_contacts *contacts, struct bg_diag *diag)
{
	static char text[BG_SMALL_LEN];
	char path[BG_TREE_PATH_LEN];
	size_t len = 0;
	enum bg_err err;

	if (contacts->updated[0] == '\0')
		return BG_OK;
	err = bg_contacts_write(contacts, text, sizeof(text), &len);
	bg_account_path(account, "contacts", path);
	return err ? err : bg_tree_write(tree, path, 0600, text, len, diag);
}

static enum bg_err write_conf(struct bg_tree *tree, struct bg_diag *diag)
{
	if (bg_tree_has(tree, BG_PATH_CONF))
		return BG_OK;
	return bg_tree_write(tree, BG_PATH_CONF, 0644, template_breakglass_conf,
		strlen(template_breakglass_conf), diag);
}

static enum bg_err write_host(struct bg_tree *tree, const struct bg_candidate *candidate,
	const char *label, const char *role, unsigned int recording, uint32_t uid,
	struct bg_diag *diag)
{
	struct bg_host host = {
		.uid = uid, .epoch = candidate->seal.epoch, .recording = recording
	};
	char path[BG_TREE_PATH_LEN], text[1024];
	size_t len = 0;
	enum bg_err err;

	(void)snprintf(host.label, sizeof(host.label), "%s", label);
	(void)snprintf(host.account, sizeof(host.account), "%s", candidate->seal.account);
	(void)snprintf(host.role, sizeof(host.role), "%s", role);
	memcpy(host.seal_digest, candidate->seal.digest, BG_SHA256_LEN);
	bg_account_path(host.account, "host", path);
	if (tree->is_dry && uid == 0) { /* the account is not made: its uid is not known */
		bg_tree_say(tree, "write %s, mode 0600", path);
		return BG_OK;
	}
	err = bg_host_write(&host, text, sizeof(text), &len);
	return err ? err : bg_tree_write(tree, path, 0600, text, len, diag);
}

static enum bg_err steps(struct bg_tree *tree, const struct bg_candidate *candidate,
	const struct bg_contacts *contacts, const struct options *o, const char *label,
	struct bg_diag *diag)
{
	const char *account = candidate->seal.account;
	const char *role = choose_role(o, candidate);
	unsigned int recording = choose_record(o, candidate);
	uint32_t uid = 0;
	enum bg_err err = bg_install_pam(tree, diag);

	if (!err)
		err = make_folders(tree, account, diag);
	if (!err)
		err = bg_install_account(tree, account, &uid, diag);
	if (!err && !candidate->is_first && uid != candidate->host.uid && uid != 0)
		err = bg_diag_set(diag, BG_ERR_MISMATCH, account,
			"has uid %u, was installed with %u; uninstall it, then install anew",
			(unsigned int)uid, (unsigned int)candidate->host.uid);
	if (!err)
		err = write_seal(tree, candidate, diag);
	if (!err)
		err = write_contacts(tree, account, contacts, diag);
	if (!err)
		err = write_conf(tree, diag);
	if (!err)
		err = bg_install_timeout(tree, diag);
	if (!err)
		err = bg_install_runuser(tree, diag);
	if (!err)
		err = bg_install_sudo(tree, account, role, recording & BG_RECORDING_SUDO, diag);
	if (!err)
		err = bg_install_ssh(tree, &candidate->seal, diag);
	if (err) {
		bg_install_sudo_back(tree);
		return err;
	}
	err = bg_install_doors(tree, account, &o->doors, diag);
	if (!err)
		err = bg_install_recording(tree, account, uid, recording, diag);
	if (!err)
		err = write_host(tree, candidate, label, role, recording, uid, diag);
	if (err) {
		bg_install_ssh_back(tree);
		bg_install_sudo_back(tree);
	}
	return err;
}

static void record_installed(struct bg_crypto *crypto, const struct bg_candidate *candidate,
	const char *label, const char *role, unsigned int recording, bool is_keys_lost)
{
	char set[2 * BG_SET_ID_LEN + 1], words[BG_RECORDING_LEN], result[128];
	const struct bg_event event = { .id = BG_EV_SEAL_INSTALLED,
		.host = label,
		.account = candidate->seal.account,
		.role = role,
		.set = set,
		.epoch = candidate->seal.epoch,
		.result = result,
		.severity = -1 };

	bg_hex_encode(candidate->seal.set_id, BG_SET_ID_LEN, set);
	if (candidate->is_first)
		(void)snprintf(result, sizeof(result), "the first seal here");
	else if (!candidate->is_in_force)
		(void)snprintf(result, sizeof(result), "succeeds epoch %u%s",
			(unsigned int)candidate->host.epoch, is_keys_lost ? ", keys lost" : "");
	else
		(void)snprintf(result, sizeof(result), "the same seal");
	if (strcmp(role, candidate->is_first ? BG_ROLE_FULL : candidate->host.role) != 0)
		(void)snprintf(result + strlen(result), sizeof(result) - strlen(result),
			"; role %s", role);
	bg_recording_text(recording, words);
	if (recording != candidate->host.recording)
		(void)snprintf(result + strlen(result), sizeof(result) - strlen(result),
			"; commands kept by %s", words[0] ? words : "nothing");
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

/* Here, where the new set takes over: the ceremony may have been anywhere. */
static void record_resealed(struct bg_crypto *crypto, const struct bg_candidate *candidate,
	const char *label, const char *role, bool is_keys_lost)
{
	const struct bg_seal *seal = &candidate->seal;
	char set[2 * BG_SET_ID_LEN + 1], names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2)];
	const struct bg_event event = { .id = BG_EV_RESEALED,
		.host = label,
		.account = seal->account,
		.role = role,
		.set = set,
		.epoch = seal->epoch,
		.key = is_keys_lost ? NULL : seal->predecessor_key,
		.custodians = names,
		.result = candidate->changes,
		.severity = -1 };

	bg_hex_encode(seal->set_id, BG_SET_ID_LEN, set);
	bg_seal_custodian_names(seal, NULL, names, sizeof(names));
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

/* A first install that failed leaves nothing behind; a later one leaves the seal in force. */
static int give_up(struct bg_tree *tree, const struct bg_candidate *candidate, bool had_seals,
	enum bg_err err, const struct bg_diag *diag)
{
	struct bg_diag undo = { 0 };
	int status = bg_tree_fail(tree, err, diag, NULL);

	if (tree->is_dry)
		return status;
	if (!candidate->is_first) {
		bg_hint("the seal of epoch %u stays in force", (unsigned int)candidate->host.epoch);
		return status;
	}
	tree->is_quiet = true;
	if (bg_undo(tree, candidate->seal.account,
		    had_seals ? BG_UNDO_ALL_BUT_SEALS : BG_UNDO_PURGE, &undo) == BG_OK)
		bg_hint("what was made until then was taken back");
	else
		bg_hint("%s: then bg-unlock uninstall %s --purge", undo.what,
			candidate->seal.account);
	return status;
}

static void say_end(
	const struct bg_tree *tree, const struct bg_candidate *candidate, const char *label)
{
	const char *account = candidate->seal.account;
	char lock[BG_TREE_PATH_LEN];

	/* Another seal is not another use: the lock is a quorum's to lift. */
	bg_account_path(account, "locked", lock);
	if (bg_tree_has(tree, lock))
		bg_note("%s is locked (revoke --lock), and stays so until a request's quorum lifts "
			"it",
			account);
	if (tree->changes == 0)
		(void)printf("nothing to do: epoch %u of %s is in force on %s\n",
			(unsigned int)candidate->seal.epoch, account, label);
	else if (tree->is_dry)
		(void)printf("nothing was changed; without --dry-run it is done\n");
	else if (tree->is_host)
		(void)printf("%s opens on %s with epoch %u. Next: bg-unlock check\n", account,
			label, (unsigned int)candidate->seal.epoch);
	else
		(void)printf("%s is installed in %s\n", account, tree->root);
}

static int run(struct bg_crypto *crypto, const struct options *o)
{
	static struct bg_candidate candidate;
	static struct bg_contacts contacts;
	static struct bg_tree tree;
	char label[BG_HOST_LABEL_LEN + 1], folder[BG_TREE_PATH_LEN];
	struct bg_diag diag = { 0 };
	const char *role;
	bool had_seals, is_new;
	enum bg_err err;
	bool is_recorded = !o->root && !o->is_dry && geteuid() == 0;
	int status = bg_candidate_read(crypto, o->seal, is_recorded, &candidate);

	if (!status)
		status = bg_load_contacts(o->contacts, o->seal, &contacts);
	if (!status)
		status = bg_tree_open(&tree, o->root, o->is_dry);
	if (!status)
		status = bg_candidate_judge(
			crypto, &tree, &candidate, o->fingerprint, o->is_keys_lost);
	if (!status)
		status = choose_label(&tree, o, &candidate, label);
	if (status)
		return status;
	bg_account_path(candidate.seal.account, "", folder);
	had_seals = bg_tree_has(&tree, folder);
	err = steps(&tree, &candidate, &contacts, o, label, &diag);
	if (err)
		return give_up(&tree, &candidate, had_seals, err, &diag);
	role = choose_role(o, &candidate);
	is_new = !candidate.is_in_force || strcmp(role, candidate.host.role) != 0 ||
		 choose_record(o, &candidate) != candidate.host.recording;
	if (tree.is_host && !tree.is_dry && is_new)
		record_installed(crypto, &candidate, label, role, choose_record(o, &candidate),
			o->is_keys_lost);
	if (tree.is_host && !tree.is_dry && !candidate.is_first && !candidate.is_in_force)
		record_resealed(crypto, &candidate, label, role, o->is_keys_lost);
	say_end(&tree, &candidate, label);
	return BG_EXIT_DONE;
}

int bg_verb_install(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("install") : status;
	crypto = bg_load_crypto();
	return crypto ? run(crypto, &o) : BG_EXIT_MACHINE;
}
