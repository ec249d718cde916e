/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask_code.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROMPT_LEN 128
#define EMPTY_MAX  3
#define WORDS_MIN  3 /* of a text that was meant as a share */

/* "a request challenge", "an approval or a response" */
static void wanted_text(unsigned int wanted, char ret[static PROMPT_LEN])
{
	size_t used = 0;

	ret[0] = '\0';
	for (unsigned int kind = 0; kind < BG_CODE_KIND_COUNT; kind++)
		if (wanted >> kind & 1 && used < PROMPT_LEN)
			used += (size_t)snprintf(ret + used, PROMPT_LEN - used, "%s%s",
				used ? " or " : "", bg_code_kind_text((enum bg_code_kind)kind));
}

static void explain(const struct bg_ask_code *ask)
{
	char wanted[PROMPT_LEN];

	wanted_text(ask->wanted, wanted);
	bg_tty_say(ask->tty,
		"Wanted is %s: lines of 32 letters each. Paste it whole, on one\n"
		"line or several, or type it line by line; groups, line breaks, upper or lower\n"
		"case do not matter. What is typed is not shown. A wrong line is named, and only\n"
		"it is entered again. Ctrl-C ends it all; nothing is kept.\n",
		wanted);
}

/* Was it a share? Nothing of the text is kept. */
static bool is_share(struct bg_ask_code *ask, size_t len)
{
	bool is;

	bg_entry_wipe(&ask->entry);
	bg_entry_add(&ask->entry, ask->text, len, 0);
	is = ask->entry.state == BG_ENTRY_MNEMONIC || ask->entry.state == BG_ENTRY_COMPACT ||
	     ask->entry.words.count >= WORDS_MIN;
	bg_entry_wipe(&ask->entry);
	return is;
}

/* No code at all, or of another kind: named, the rest of the paste dropped with it. */
static void refuse(struct bg_ask_code *ask, enum bg_code_took took,
	const struct bg_code_problem *problem, size_t len)
{
	char wanted[PROMPT_LEN];

	wanted_text(ask->wanted, wanted);
	bg_tty_drain(ask->tty);
	if (took == BG_TOOK_OTHER_KIND && ask->on_other)
		ask->on_other(problem->kind);
	if (took == BG_TOOK_OTHER_KIND)
		bg_tty_say(ask->tty, " This is %s; %s is wanted.\n",
			bg_code_kind_text(problem->kind), wanted);
	else if (took == BG_TOOK_MIXED)
		bg_tty_say(ask->tty, " These lines are of two codes; give one of them whole.\n");
	else if (is_share(ask, len))
		bg_tty_say(ask->tty, " This is a share; %s is wanted. Nothing of it was kept.\n",
			wanted);
	else
		bg_tty_say(ask->tty, " This is no whole line of a code; %s is wanted.\n", wanted);
	if (took == BG_TOOK_MIXED)
		memset(&ask->code, 0, sizeof(ask->code));
}

/* What is missing, as the next prompt. A line with others behind it was misread or lost. */
static void prompt_missing(struct bg_ask_code *ask, const struct bg_code_problem *problem,
	bool is_bad, const char *first, char ret[static PROMPT_LEN])
{
	unsigned int missing = bg_code_missing(&ask->code);
	char of[16] = "";

	if (!ask->code.is_begun) {
		(void)snprintf(ret, PROMPT_LEN, "%s", first);
		return;
	}
	if (problem->total)
		(void)snprintf(of, sizeof(of), " of %u", problem->total);
	if (is_bad || ask->code.have >> missing)
		(void)snprintf(ret, PROMPT_LEN,
			" Line %u%s is misread or missing, the others are kept.\nLine %u again:",
			missing + 1, of, missing + 1);
	else
		(void)snprintf(ret, PROMPT_LEN,
			"Good so far. Line %u%s, or all that follow:", missing + 1, of);
}

/* One line that is not empty. BG_ASKED_CODE: it is in ask->text. */
static enum bg_asked read_piece(struct bg_ask_code *ask, const char *prompt, size_t *ret_len)
{
	unsigned int empty = 0;

	for (;;) {
		enum bg_err err = bg_tty_ask(ask->tty, false, prompt, ask->text, ret_len);

		if (err == BG_ERR_TOO_BIG) {
			bg_tty_say(ask->tty, " That line is too long for a code.\n");
			continue;
		}
		if (err)
			return BG_ASKED_CANCELLED;
		if (strcmp(ask->text, "?") == 0 || strcasecmp(ask->text, "help") == 0) {
			explain(ask);
			continue;
		}
		if (strspn(ask->text, " \t\r") != *ret_len)
			return BG_ASKED_CODE;
		if (ask->may_end && !ask->code.is_begun)
			return BG_ASKED_END;
		if (!bg_tty_is_pasting(ask->tty) && ++empty >= EMPTY_MAX)
			return BG_ASKED_CANCELLED;
	}
}

static enum bg_asked gather(struct bg_ask_code *ask, const char *first)
{
	char prompt[PROMPT_LEN];
	bool is_bad = false, is_lost = false;

	(void)snprintf(prompt, sizeof(prompt), "%s", first);
	for (;;) {
		struct bg_code_problem problem;
		enum bg_code_took took;
		size_t len = 0;
		enum bg_asked asked = read_piece(ask, prompt, &len);

		if (asked != BG_ASKED_CODE)
			return asked;
		took = bg_code_take(&ask->code, ask->wanted, ask->text, len, &problem);
		if (took == BG_TOOK_WHOLE)
			return asked;
		is_bad = is_bad || took == BG_TOOK_BAD_LINE;
		is_lost = took == BG_TOOK_NOTHING;
		prompt[0] = '\0';
		/* line 1 may be the misread one: what follows it in a paste is kept */
		if ((took == BG_TOOK_MORE || took == BG_TOOK_BAD_LINE ||
			    (is_lost && !is_share(ask, len))) &&
			bg_tty_is_pasting(ask->tty))
			continue;
		if (took != BG_TOOK_MORE && took != BG_TOOK_BAD_LINE)
			refuse(ask, took, &problem, len);
		prompt_missing(ask, &problem, is_bad, first, prompt);
		is_bad = false;
	}
}

enum bg_asked bg_ask_code(
	struct bg_ask_code *ask, const char *prompt, const uint8_t **ret, size_t *ret_len)
{
	enum bg_asked asked;

	memset(&ask->code, 0, sizeof(ask->code));
	asked = gather(ask, prompt);
	if (asked == BG_ASKED_CODE && !bg_code_is_whole(&ask->code, ret, ret_len))
		asked = BG_ASKED_CANCELLED;
	if (asked == BG_ASKED_CODE)
		bg_tty_drain(ask->tty);
	bg_wipe(ask->text, sizeof(ask->text));
	return asked;
}

bool bg_code_one_line(
	enum bg_code_kind kind, const uint8_t *body, size_t len, char ret[static BG_CODE_TEXT_LEN])
{
	char *to = ret;

	if (bg_code_encode_plain(kind, body, len, ret, BG_CODE_TEXT_LEN) != BG_OK)
		return false;
	for (const char *from = ret; *from; from++)
		if (*from != '\n')
			*to++ = *from;
	*to = '\0';
	return true;
}

bool bg_code_print(enum bg_code_kind kind, const char *name, const uint8_t *body, size_t len)
{
	char text[BG_CODE_TEXT_LEN];
	unsigned int number = 0;

	if (bg_code_encode(kind, body, len, text, sizeof(text)) != BG_OK)
		return false;
	(void)printf("The %s, to be read aloud line by line:\n", name);
	for (char *line = text; *line; line += strcspn(line, "\n") + 1)
		(void)printf(" %2u  %.*s\n", ++number, (int)strcspn(line, "\n"), line);
	if (!bg_code_one_line(kind, body, len, text))
		return false;
	(void)printf("The same on one line, to be pasted:\n%s\n", text);
	return true;
}
