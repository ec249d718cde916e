/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command: a table of verbs, one file each. Results go to stdout, prompts
 * and one-time secrets to the terminal (tty.h), everything else to stderr as
 * "bg-unlock: error: ..." and "bg-unlock: hint: ...".
 */
#ifndef BG_UNLOCK_H
#define BG_UNLOCK_H

#include <breakglass/crypto.h>
#include <breakglass/err.h>

#include <stddef.h>

/* What every verb but `check` (monitoring plugins' numbers) ends with. */
enum bg_exit {
	BG_EXIT_DONE = 0,
	BG_EXIT_NO = 1,	    /* a correct "no": wrong share, quorum short, a check failed */
	BG_EXIT_USAGE = 2,  /* bad usage or malformed input */
	BG_EXIT_MACHINE = 3 /* no device, input or output, permission */
};

/* argv[0] is the verb's name, argv[argc] NULL; returns the exit status. */
typedef int bg_verb_fn(int argc, char **argv);

struct bg_verb {
	const char *name;
	bg_verb_fn *run;
	const char *args; /* for --help */
	const char *help;
	const char *options; /* a line each, for VERB --help */
};

bg_verb_fn bg_verb_init, bg_verb_reseal, bg_verb_combine, bg_verb_approve, bg_verb_touch;
bg_verb_fn bg_verb_share, bg_verb_sheet;
bg_verb_fn bg_verb_install, bg_verb_uninstall, bg_verb_check, bg_verb_log;
bg_verb_fn bg_verb_review, bg_verb_drill, bg_verb_revoke;

/* One line on stderr each. Never given a secret. */
void bg_error(const char *fmt, ...) BG_PRINTF(1, 2);
void bg_hint(const char *fmt, ...) BG_PRINTF(1, 2);
void bg_note(const char *fmt, ...) BG_PRINTF(1, 2); /* "bg-unlock: ..." */

/* Prints text to stdout, broken at blanks before column 80, further lines indented; column: where
   it begins (0: the first). Returns where it ended. */
size_t bg_put_words(const char *text, size_t column, size_t indent);

/* The exit status that err stands for. */
int bg_exit_of(enum bg_err err);
/* Prints err with its diagnostic (may be NULL) and a hint (NULL: a general one where there is any),
   returns bg_exit_of(err). */
int bg_fail(enum bg_err err, const struct bg_diag *diag, const char *hint);
/* Bad usage: prints the error and where help is; returns BG_EXIT_USAGE. */
int bg_usage(const char *fmt, ...) BG_PRINTF(1, 2);
/* Prints the verb's row of the table to stdout, for `VERB --help`; returns BG_EXIT_DONE. */
int bg_verb_help(const char *name);

/* Before anything secret: not dumpable, no core, one locked page arena. BG_EXIT_DONE or _MACHINE.
 */
int bg_secrets_begin(void);
/* size zeroed bytes of the locked arena, kept until the end, wiped at exit; ends the program with
   BG_EXIT_MACHINE when there are none. */
void *bg_secrets_take(size_t size);
/* A verb that handles secrets: bg_secrets_begin, state_size zeroed bytes of the arena and a crypto
   context for run, then both wiped and closed. Returns run's exit status, or BG_EXIT_MACHINE. */
int bg_secrets_run(size_t state_size,
	int (*run)(struct bg_crypto *crypto, void *state, const void *options),
	const void *options);

#endif
