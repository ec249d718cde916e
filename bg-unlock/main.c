/* SPDX-License-Identifier: BSD-2-Clause */
#include "bg-unlock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The manual lists these; a test compares. */
static const struct bg_verb verbs[] = {
	{ "init", bg_verb_init, "ACCOUNT [OPTIONS]", "the ceremony: deal shares, enrol keys",
		"  --zone ZONE                 the hosts that will share this seal\n"
		"  --custodian NAME[=PHONE]    once for each\n"
		"  --key NAME=HOLDER[@DEVICE]  a security key and who has it, once for each\n"
		"  --ssh-key NAME=FILE.pub     that security key's ssh key, too\n"
		"  --threshold K               so many custodians must agree (2)\n"
		"  --strength 128|256          20 or 33 words a share (128)\n"
		"  --plan FILE                 all of this from a file\n"
		"  -o, --output FILE           the seal (ACCOUNT.seal)\n"
		"  --shares-to FOLDER          a file a custodian, for automation\n"
		"  --pin-stdin                 the keys' PINs, a line each\n" },
	{ "reseal", bg_verb_reseal, "SEAL [OPTIONS]",
		"a new set of shares; people and keys come and go",
		"  --replace OLD=NEW[=PHONE]   NEW takes over from custodian OLD\n"
		"  --add NAME[=PHONE]          another custodian\n"
		"  --remove NAME               a custodian leaves\n"
		"  --threshold K               so many custodians must agree (as before)\n"
		"  --add-key NAME=HOLDER[@DEVICE]  another security key, enrolled now\n"
		"  --remove-key NAME           a security key leaves\n"
		"  --envelope FILE             seal this envelope to the new set, as FILE.EPOCH\n"
		"  --keys-lost                 no key is left to endorse the new seal\n"
		"  -o, --output FILE           the new seal (ACCOUNT.seal.EPOCH)\n"
		"  --contacts FILE             telephone numbers, if not those beside the seal\n"
		"  --ssh-key NAME=FILE.pub     that security key's ssh key, new or another\n"
		"  --device PATH               the security key's device\n"
		"  --shares-to FOLDER          a file a custodian, for automation\n"
		"  --stdin                     the shares, one a line\n"
		"  --pin-stdin                 new keys' PINs before, the endorsing key's "
		"after\n" },
	{ "combine", bg_verb_combine, "[SEAL] [OPTIONS]", "the quorum's response; does it stand?",
		"  --stdin                     the shares, one a line\n"
		"  --open FILE                 open an envelope (age) of the seal's set\n"
		"  -o, --output FILE           where its content goes (standard output)\n"
		"  --reveal                    print the secret\n"
		"  --passphrase-file FILE      of a SLIP-39 set that is not of this project\n" },
	{ "approve", bg_verb_approve, "[SEAL] [OPTIONS]",
		"one custodian's yes or no, given anywhere",
		"  --refuse                    a refusal, which ends the request or its session\n"
		"  --json                      the request and the code as one JSON object\n" },
	{ "touch", bg_verb_touch, "[OPTIONS]",
		"a security key's answer to a host's touch challenge",
		"  --seal SEAL                 use the key's credential that this seal names\n"
		"  --device PATH               the security key's device\n"
		"  --test                      try a key; opens nothing\n"
		"  --zone ZONE                 (--test) where there is no seal at hand\n" },
	{ "share", bg_verb_share, "verify|convert|sheet [SEAL]", "one custodian's own share",
		"  verify SEAL                 whose is it, is it current? shows nothing of it\n"
		"  convert [SEAL]              words to the compact form, or back\n"
		"  sheet SEAL NAME             the custodian's page for an envelope\n"
		"  --contacts FILE             (sheet) telephone numbers, if not those beside it\n"
		"  --stdin                     the share, on one line\n" },
	{ "sheet", bg_verb_sheet, "SEAL [OPTIONS]", "the host's 2 a.m. page",
		"  --contacts FILE             telephone numbers, if not those beside the seal\n"
		"  --label HOST                if not the label that install gave this host\n" },
	{ "install", bg_verb_install, "SEAL [OPTIONS]", "put a seal in force on this host",
		"  --dry-run                   list what would be done, do nothing\n"
		"  --label HOST                what records and sheets call this host\n"
		"  --contacts FILE             telephone numbers, if not those beside the seal\n"
		"  --door sshd|console=TTY     an own door besides (tty9, ttyS0); repeatable\n"
		"  --fingerprint HEX           of the first seal, instead of being asked\n"
		"  --keys-lost                 a successor that no key endorsed; asks back\n"
		"  --record WORDS              sudo,audit,tlog: keep what sessions do; none\n"
		"  --role ROLE                 full (the default), identity or read-only\n"
		"  --root FOLDER               the system below that folder\n" },
	{ "uninstall", bg_verb_uninstall, "ACCOUNT [OPTIONS]", "undo what install did",
		"  --dry-run                   list what would be done, do nothing\n"
		"  --all                       every account, instead of one\n"
		"  --keep-seals                take back the ways in only\n"
		"  --purge                     remove the seals too\n"
		"  --root FOLDER               the system below that folder\n" },
	{ "check", bg_verb_check, "[OPTIONS]", "is all in order on this host?",
		"  --json                      one JSON object\n"
		"  --prometheus FILE           metrics for node exporter's textfile collector\n"
		"  --announce                  record CHECK_FAILED for what has become critical\n"
		"  --alerts                    give every alert handler a test, say who takes it\n"
		"  --root FOLDER               look at the files below that folder only\n" },
	{ "drill", bg_verb_drill, "--id NAME [OPTIONS]", "practise it, with alerts and a stopwatch",
		"  --id NAME                   what records call this drill\n"
		"  --door SERVICE              sshd, login or breakglass-sshd (sshd)\n"
		"  --offline                   with no network and no source of names\n"
		"  --account NAME              where there is more than one\n"
		"  --confirm CODE              instead: that drill's alert has arrived\n" },
	{ "revoke", bg_verb_revoke, "[REQUEST] [OPTIONS]", "end requests and sessions now (root)",
		"  --account NAME              this account's only\n"
		"  --code                      the one that a custodian's refusal names; it is\n"
		"                              asked for\n"
		"  --stdin                     (--code) the refusal is on standard input\n"
		"  --lock ACCOUNT              all of it, and lock it until a new quorum\n"
		"  --due                       what alert handlers and lifted locks ask for\n" },
	{ "log", bg_verb_log, "show|verify|report [OPTIONS]", "the story, its proof, the bundle",
		"  show [REQUEST]              what happened, request by request\n"
		"  --format FORMAT             text, json, rfc5424 or cef\n"
		"  --json                      one JSON object\n"
		"  verify                      was anything taken out or changed?\n"
		"  --journal                   by the heads that the journal knows\n"
		"  --syslog FILE               by those in a syslog; repeatable\n"
		"  --heads FILE                by a list of SEQ:HASH, or a copy of segments\n"
		"  report REQUEST              all of one use, for an auditor\n"
		"  -o, --output FILE           the report (breakglass-report-ID.tar)\n" },
	{ "review", bg_verb_review, "REQUEST OPTIONS", "somebody else's word on a use",
		"  --class CLASS               emergency, drill or misuse\n"
		"  --by NAME                   who reviews; not the key's holder\n"
		"  --cause TEXT                why it was needed\n"
		"  --finding TEXT              what was found\n" },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_verb(const struct bg_verb *verb)
{
	char left[48];

	(void)snprintf(left, sizeof(left), "%s %s", verb->name, verb->args);
	(void)printf("  %-36s %s\n", left, verb->help);
}

static int help(void)
{
	(void)printf("usage: bg-unlock VERB [FILE] [--options]\n\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		print_verb(&verbs[i]);
	(void)printf(
		"\nShares and codes are asked for at a prompt (or --stdin), never as arguments.\n"
		"Exit status: 0 done, 1 no, 2 bad usage or input, 3 this machine failed.\n"
		"bg-unlock(1) explains each verb.\n");
	return BG_EXIT_DONE;
}

static const struct bg_verb *find(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int bg_verb_help(const char *name)
{
	const struct bg_verb *verb = find(name);

	if (verb)
		(void)printf("usage: bg-unlock %s %s\n%s\n\n%s\nbg-unlock(1) explains.\n",
			verb->name, verb->args, verb->help, verb->options);
	return BG_EXIT_DONE;
}

/* A result that did not reach stdout is no result. */
static int finish(int status)
{
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == BG_EXIT_DONE) {
		bg_error("standard output: cannot be written");
		return BG_EXIT_MACHINE;
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct bg_verb *verb;

	if (argc < 2)
		return bg_usage("no verb given");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0)
		return finish(help());
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("bg-unlock %s\n", BG_VERSION);
		return finish(BG_EXIT_DONE);
	}
	verb = find(argv[1]);
	if (!verb)
		return bg_usage("no verb \"%s\"", argv[1]);
	return finish(verb->run(argc - 1, argv + 1));
}
