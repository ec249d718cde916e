/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says on stderr, and which exit status an error is. */
#include "bg-unlock.h"

#include <breakglass/escape.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 80

/* On a terminal lines break at blanks; a script gets each message as one line. */
static void wrap(char *text)
{
	size_t start = 0, blank = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] == ' ')
			blank = i;
		if (i - start < COLUMNS - 1 || blank <= start)
			continue;
		text[blank] = '\n';
		start = blank;
	}
}

size_t bg_put_words(const char *text, size_t column, size_t indent)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len >= COLUMNS) {
			(void)printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			(void)printf(" ");
			column++;
		}
		(void)printf("%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	return column;
}

BG_PRINTF(2, 0)
static void say(const char *kind, const char *fmt, va_list args)
{
	char text[1024], safe[1024], line[1200];

	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started by the caller */
	(void)vsnprintf(text, sizeof(text), fmt, args);
	bg_escape_terminal(safe, sizeof(safe), text);
	(void)snprintf(line, sizeof(line), "bg-unlock: %s%s", kind, safe);
	if (isatty(STDERR_FILENO))
		wrap(line);
	(void)fprintf(stderr, "%s\n", line);
}

void bg_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error: ", fmt, args);
	va_end(args);
}

void bg_hint(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("hint: ", fmt, args);
	va_end(args);
}

void bg_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

int bg_exit_of(enum bg_err err)
{
	switch ((unsigned int)err) {
	case BG_OK:
		return BG_EXIT_DONE;
	case BG_ERR_MISMATCH:
	case BG_ERR_DIGEST:
	case BG_ERR_TOO_FEW:
	case BG_ERR_POLYNOMIAL:
	case BG_ERR_SIGNATURE:
	case BG_ERR_OTHER_SET:
	case BG_ERR_RETIRED:
	case BG_ERR_NOT_A_SHARE:
	case BG_ERR_FORK:
	case BG_ERR_EPOCH:
	case BG_ERR_ASSERTION:
	case BG_ERR_PIN:
	case BG_ERR_NOT_ENROLLED:
	case BG_ERR_DENIED:
	case BG_ERR_CANCELLED:
	case BG_ERR_EXPIRED:
	case BG_ERR_REVOKED:
		return BG_EXIT_NO;
	case BG_ERR_TOO_BIG:
	case BG_ERR_SYNTAX:
	case BG_ERR_UNKNOWN_KEY:
	case BG_ERR_DUPLICATE:
	case BG_ERR_MISSING:
	case BG_ERR_RANGE:
	case BG_ERR_WORD:
	case BG_ERR_CHECKSUM:
	case BG_ERR_PADDING:
	case BG_ERR_EXPONENT:
	case BG_ERR_WRONG_KIND:
		return BG_EXIT_USAGE;
	default:
		return BG_EXIT_MACHINE;
	}
}

/* What to do next, where an error alone says it. */
static const char *general_hint(enum bg_err err)
{
	switch ((unsigned int)err) {
	case BG_ERR_UNSAFE:
		return "make it a regular file of yours or root's, not writable by others (chmod "
		       "go-w)";
	case BG_ERR_NO_DEVICE:
		return "plug the security key in, or name its device with --device";
	case BG_ERR_PIN_NOT_SET:
		return "set a PIN first: fido2-token -S DEVICE (fido2-token -L lists them)";
	case BG_ERR_PIN_BLOCKED:
		return "pull the key out and in again; if it stays so it must be reset, use "
		       "another key";
	case BG_ERR_HELPER:
		return "is the package bg-unlock whole? dpkg -V bg-unlock";
	case BG_ERR_SIGNATURE:
		return "the file was changed or damaged after it was signed: get it again";
	case BG_ERR_NOT_ENROLLED:
		return "plug in one of the keys that the seal names";
	default:
		return NULL;
	}
}

int bg_fail(enum bg_err err, const struct bg_diag *diag, const char *hint)
{
	char text[512];

	bg_diag_format(diag, err, text, sizeof(text));
	bg_error("%s", text);
	if (!hint)
		hint = general_hint(err);
	if (hint)
		bg_hint("%s", hint);
	return bg_exit_of(err);
}

int bg_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("error: ", fmt, args);
	va_end(args);
	bg_hint("bg-unlock --help lists the verbs, man bg-unlock explains them");
	return BG_EXIT_USAGE;
}
