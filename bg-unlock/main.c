/* SPDX-License-Identifier: BSD-2-Clause */
#include "bg-unlock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A verb whose file is not part of this build is left out of the table. */
#pragma weak bg_verb_init
#pragma weak bg_verb_reseal
#pragma weak bg_verb_combine
#pragma weak bg_verb_share
#pragma weak bg_verb_sheet
#pragma weak bg_verb_install
#pragma weak bg_verb_uninstall
#pragma weak bg_verb_check
#pragma weak bg_verb_log

/* The manual lists these; a test compares. */
static const struct bg_verb verbs[] = {
	{ "init", bg_verb_init, "ACCOUNT [OPTIONS]", "the ceremony: deal shares, enrol keys" },
	{ "reseal", bg_verb_reseal, "SEAL [OPTIONS]", "a new set of shares for the same people" },
	{ "combine", bg_verb_combine, "[SEAL] [OPTIONS]", "does a quorum of shares stand?" },
	{ "share", bg_verb_share, "verify|convert|sheet [SEAL]", "one custodian's own share" },
	{ "sheet", bg_verb_sheet, "SEAL [OPTIONS]", "the host's 2 a.m. page" },
	{ "install", bg_verb_install, "SEAL [OPTIONS]", "put a seal in force on this host" },
	{ "uninstall", bg_verb_uninstall, "ACCOUNT [OPTIONS]", "undo what install did" },
	{ "check", bg_verb_check, "[OPTIONS]", "is all in order on this host?" },
	{ "log", bg_verb_log, "show|verify [OPTIONS]", "the story, and its proof" },
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
		if (verbs[i].run)
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
		if (verbs[i].run && strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int bg_verb_help(const char *name)
{
	const struct bg_verb *verb = find(name);

	if (verb)
		(void)printf("usage: bg-unlock %s %s\n  %s; see bg-unlock(1)\n", verb->name,
			verb->args, verb->help);
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
