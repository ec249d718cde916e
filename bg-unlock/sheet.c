/* SPDX-License-Identifier: BSD-2-Clause */
/* `sheet`: the host's 2 a.m. page, to hang beside the console. */
#include "sheet.h"
#include "bg-unlock.h"
#include "doors.h"
#include "load.h"
#include "ssh_text.h"

#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/paths.h>
#include <breakglass/slip39.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define RULE "--------------------------------------------------------------------------\n"

struct options {
	const char *seal, *contacts, *label;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "contacts", required_argument, NULL, 'c' },
		{ "label", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
		{ 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'c')
			o->contacts = optarg;
		else if (c == 'l')
			o->label = optarg;
		else if (c == 'h')
			return -1;
		else
			return bg_usage("sheet takes SEAL [--contacts FILE] [--label HOST]");
	}
	if (argc - optind != 1)
		return bg_usage("sheet takes one seal: its file, or a host's "
				"/etc/breakglass/accounts/NAME/seal.EPOCH");
	o->seal = argv[optind];
	if (o->label && !bg_is_label(o->label))
		return bg_usage("--label \"%s\": letters, digits, . _ and -, at most %d", o->label,
			BG_HOST_LABEL_LEN);
	return BG_EXIT_DONE;
}

/* The label that `install` gave this host, where it did and we may read it. */
static void find_label(const struct bg_seal *seal, char ret[static BG_HOST_LABEL_LEN + 1])
{
	char path[128], text[4096];
	struct bg_host host = { 0 };
	size_t len = 0;

	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%s/host", seal->account);
	if (bg_file_read(path, BG_FILE_PRIVATE, text, sizeof(text), &len, NULL) == BG_OK &&
		bg_host_parse(text, len, path, &host, NULL) == BG_OK)
		memcpy(ret, host.label, BG_HOST_LABEL_LEN + 1);
}

/* The own doors of the host that the page is for, as far as we may know them. */
struct own {
	char fingerprint[64]; /* of its second sshd, "" where it has none */
	struct bg_record record;
};

static void find_own(struct own *ret)
{
	const struct bg_tree host = { .is_host = true };

	(void)bg_own_fingerprint(&host, ret->fingerprint);
	(void)!bg_record_load(&host, NULL, &ret->record, NULL);
}

static void print_people(const struct bg_seal *seal, const struct bg_contacts *contacts)
{
	(void)printf("YOU NEED\n 1. one of these security keys, and its PIN\n");
	for (size_t i = 0; i < seal->key_count; i++)
		(void)printf("      key %-12s %-24s %.28s\n", seal->keys[i].name,
			seal->keys[i].holder, seal->keys[i].model);
	(void)printf(" 2. %u of these %zu custodians on the telephone\n", seal->threshold,
		seal->custodian_count);
	for (size_t i = 0; i < seal->custodian_count; i++) {
		const char *phone = bg_contacts_phone(contacts, seal->custodians[i].name);

		(void)printf("      %-12s %s\n", seal->custodians[i].name,
			*phone ? phone : "______________________________");
	}
	if (contacts->updated[0])
		(void)printf("      (numbers as of %s)\n", contacts->updated);
}

static void print_own(const struct bg_seal *seal, const char *label, const struct own *own)
{
	for (size_t n = 0; n < own->record.doors.console_count; n++)
		(void)printf("    or at its terminal %-10s press Enter\n",
			own->record.doors.consoles[n]);
	if (own->fingerprint[0])
		(void)printf("    and if that is broken:        ssh -p " BG_OWN_PORT " %s@%s\n"
			     "    (its key %s)\n",
			seal->account, label, own->fingerprint);
}

static void print_steps(const struct bg_seal *seal, const char *label, const struct own *own)
{
	(void)printf("\nDO THIS\n"
		     " 1. At the console log in as      %s\n"
		     "    or from another machine:      ssh %s@%s\n",
		seal->account, seal->account, label);
	print_own(seal, label, own);
	(void)printf("    with the key plugged into THIS host%s\n",
		bg_ssh_has_keys(seal) ? ", or where you come from by:" : ".");
	if (bg_ssh_has_keys(seal))
		(void)printf("        ssh -i FILE %s@%s\n"
			     "    (FILE is the part for ssh that was made with the key.)\n",
			seal->account, label);
	(void)printf(
		" 2. Type the key's PIN; touch the key when it blinks.\n"
		" 3. Type the reason: ticket, what is broken (8 letters or more).\n"
		" 4. Call the custodians, one after the other. Say who you are, which host and\n"
		"    account, and why. They hang up and call back on the number that they know:\n"
		"    be there. Read them set and epoch from the screen. Then they read %d\n"
		"    words; type them as they come (unseen), the first 4 letters are enough.\n"
		"    A wrong word costs only that word, mistakes lock nothing. The screen says\n"
		"    who is still needed and how long is left. If time runs out or the line\n"
		"    drops: log in again with the same key; what was counted stays counted\n"
		"    for %u minutes.\n"
		" 5. When %u are counted it is open, for %u h %02u min. Then:  sudo -i\n"
		"    If sudo is broken:  su -\n\n",
		seal->strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128,
		seal->policy.request_secs / 60, seal->threshold, seal->policy.session_secs / 3600,
		seal->policy.session_secs / 60 % 60);
	(void)printf("IF IT DOES NOT OPEN\n"
		     " no key here         plug it into this host, press Enter\n");
	if (seal->policy.remote_touch)
		(void)printf("                     or type touch, and run bg-unlock touch where it "
			     "is\n");
	(void)printf(
		" wrong PIN           Caps Lock, layout (y/z); it says how many tries are left\n"
		" share of another    the custodian has an old sheet, or another zone's: the set\n"
		"   set or epoch      and epoch above must stand on it\n"
		" refused at once,    try the other door: console, or ssh from elsewhere. Clock,\n"
		"   nothing asked     network and DNS do not matter. Another key of the list?\n\n"
		"AFTERWARDS\n"
		" Log out. Everything you did is recorded and others were told. A review is due,\n"
		" and a reseal where shares were typed:  bg-unlock reseal\n");
}

static int print_page(const struct bg_seal *seal, const struct bg_contacts *contacts,
	const char *label, const struct own *own)
{
	char set[BG_SHORT_ID_LEN + 1];

	bg_short_id(seal->set_id, set);
	(void)printf("EMERGENCY LOGIN: %s\n" RULE, *label ? label : "______________________");
	(void)printf(" account %s    zone %s    set %s epoch %u    sealed %.10s\n" RULE "\n",
		seal->account, seal->zone, set, seal->epoch, seal->created);
	print_people(seal, contacts);
	print_steps(seal, *label ? label : "HOST", own);
	return BG_EXIT_DONE;
}

int bg_verb_sheet(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	static struct bg_seal seal;
	static struct bg_contacts contacts;
	char label[BG_HOST_LABEL_LEN + 1] = "";
	static struct own own;
	struct options o = { 0 };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? bg_verb_help("sheet") : status;
	crypto = bg_load_crypto();
	if (!crypto)
		return BG_EXIT_MACHINE;
	status = bg_load_seal(crypto, o.seal, &seal);
	if (!status)
		status = bg_load_contacts(o.contacts, o.seal, &contacts);
	if (status)
		return status;
	find_label(&seal, label);
	/* this host's door belongs on this host's page only */
	if (*label && (!o.label || strcmp(o.label, label) == 0))
		find_own(&own);
	if (o.label)
		(void)snprintf(label, sizeof(label), "%s", o.label);
	return print_page(&seal, &contacts, label, &own);
}
