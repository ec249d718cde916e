/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask.h"
#include "bg-unlock.h"

#include <breakglass/code_text.h>
#include <breakglass/escape.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROMPT_LEN 256
#define EMPTY_MAX  3

void bg_given_wipe(struct bg_given *given)
{
	bg_wipe(given, sizeof(*given));
}

void bg_given_complete(struct bg_given *given, const struct bg_seal *seal)
{
	if (!given->is_compact)
		return;
	given->share.identifier = seal->slip39_id;
	given->share.is_extendable = true;
	given->share.exponent = 0;
	given->share.group_index = 0;
	given->share.group_threshold = given->share.group_count = 1;
	given->share.member_threshold = seal->threshold;
}

bool bg_given_is(const struct bg_given *given, const struct bg_slip39_share *share)
{
	bool is_same = given->share.value.len == share->value.len &&
		       given->share.member_index == share->member_index;

	if (!given->is_compact && given->share.identifier != share->identifier)
		is_same = false;
	return is_same && bg_equal(given->share.value.bytes, share->value.bytes, share->value.len);
}

/* Whose share is being typed, as far as its first words tell. */
static void entry_name(const struct bg_ask *ask, char *ret, size_t size)
{
	struct bg_slip39_share head = { 0 };
	const struct bg_seal *seal = ask->seal;

	(void)snprintf(ret, size, "%s", ask->whose ? ask->whose : "share");
	if (!seal || !bg_entry_head(&ask->entry, &head) || head.identifier != seal->slip39_id)
		return;
	for (size_t i = 0; i < seal->custodian_count; i++)
		if (seal->custodians[i].index == head.member_index)
			(void)snprintf(ret, size, "%s", seal->custodians[i].name);
}

static void prompt_more(const struct bg_ask *ask, char ret[static PROMPT_LEN])
{
	const struct bg_entry *entry = &ask->entry;
	char name[BG_NAME_LEN + 1];

	entry_name(ask, name, sizeof(name));
	if (entry->modhex_len)
		(void)snprintf(ret, PROMPT_LEN, "%s: %zu characters so far, go on:", name,
			entry->modhex_len);
	else if (entry->expected)
		(void)snprintf(ret, PROMPT_LEN, "%s: %zu of %zu words, go on:", name,
			entry->words.count, entry->expected);
	else
		(void)snprintf(
			ret, PROMPT_LEN, "%s: %zu words so far, go on:", name, entry->words.count);
}

static void prompt_bad_word(const struct bg_ask *ask, char ret[static PROMPT_LEN])
{
	char name[BG_NAME_LEN + 1], bad[BG_ENTRY_BAD_LEN], whose[BG_NAME_LEN + 24];
	int n;

	entry_name(ask, name, sizeof(name));
	bg_escape_terminal(bad, sizeof(bad), ask->entry.bad_text);
	(void)snprintf(whose, sizeof(whose), "Word %u%s%s", ask->entry.bad_number,
		strcmp(name, "share") == 0 ? "" : " of the share of ",
		strcmp(name, "share") == 0 ? "" : name);
	n = snprintf(ret, PROMPT_LEN,
		" word %u \"%s\" is not in the list.  %s:", ask->entry.bad_number, bad, whose);
	if (n > 78)
		(void)snprintf(ret, PROMPT_LEN,
			" word %u \"%s\" is not in the list.\n%s:", ask->entry.bad_number, bad,
			whose);
}

/* The checksum points at one word; all else is kept. */
static void prompt_misread(const struct bg_ask *ask, char ret[static PROMPT_LEN])
{
	char name[BG_NAME_LEN + 1];
	bool is_known;

	entry_name(ask, name, sizeof(name));
	is_known = strcmp(name, "share") != 0;
	(void)snprintf(ret, PROMPT_LEN,
		" The share does not add up: word %u looks misread.\n Word %u%s%s:",
		ask->entry.bad_number, ask->entry.bad_number, is_known ? " of the share of " : "",
		is_known ? name : "");
}

/* Why a whole share is not good; what to do is to type it anew. */
static const char *refusal(const struct bg_entry *entry)
{
	switch ((unsigned int)entry->err) {
	case BG_ERR_CHECKSUM:
		return entry->modhex_len ? "a character is wrong (its checksum does not match)"
					 : "a word is wrong or in the wrong place (its checksum "
					   "does not match)";
	case BG_ERR_WRONG_KIND:
		return "that is another kind of code, not a share";
	default:
		return bg_err_text(entry->err);
	}
}

/* Was the first piece of a share a code instead? NULL: no. A compact share is tried first: one in
   65,536 begins like a line of a code. */
static const char *other_kind(const struct bg_ask *ask, size_t len)
{
	struct bg_code none = { 0 };
	struct bg_code_problem problem;

	if (ask->entry.state == BG_ENTRY_COMPACT ||
		bg_code_take(&none, 0, ask->text, len, &problem) != BG_TOOK_OTHER_KIND)
		return NULL;
	return bg_code_kind_text(problem.kind);
}

static void explain(struct bg_tty *tty)
{
	bg_tty_say(tty,
		"A share is 20 (or 33) words from a custodian's sheet. Type them in order, as\n"
		"many a line as you like; the first 4 letters of each are enough. Or type the\n"
		"38 (or 70) letters of the compact form, or let the YubiKey type them. Upper or\n"
		"lower case, numbers and line breaks do not matter; what is typed is not shown.\n"
		"A wrong word costs that word only. Ctrl-C ends it all; nothing is kept.\n");
}

static enum bg_asked deliver(struct bg_ask *ask, struct bg_given *ret)
{
	*ret = (struct bg_given){ 0 };
	if (ask->entry.state == BG_ENTRY_COMPACT) {
		ret->is_compact = true;
		ret->share.member_index = ask->entry.compact.member_index;
		ret->share.value = ask->entry.compact.value;
	} else {
		ret->share = ask->entry.share;
	}
	return BG_ASKED_SHARE;
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r", text[i]) || !text[i])
			return false;
	return true;
}

/* --stdin: a line is a share, whole or malformed. */
static enum bg_asked ask_line(struct bg_ask *ask, struct bg_given *ret)
{
	const struct bg_entry *entry = &ask->entry;
	const char *kind;
	enum bg_err err;
	size_t len = 0;

	do {
		ask->line++;
		err = bg_tty_ask(ask->tty, false, NULL, ask->text, &len);
	} while (!err && (is_blank(ask->text, len) || ask->text[0] == '#'));
	if (err == BG_ERR_TOO_BIG) {
		bg_error("standard input:%u: the line is too long for a share", ask->line);
		return BG_ASKED_MALFORMED;
	}
	if (err)
		return BG_ASKED_CANCELLED;
	bg_entry_add(&ask->entry, ask->text, len, ask->expected);
	if (entry->state == BG_ENTRY_MNEMONIC || entry->state == BG_ENTRY_COMPACT)
		return deliver(ask, ret);
	kind = other_kind(ask, len);
	if (kind)
		bg_error("standard input:%u: this is %s; a share is wanted", ask->line, kind);
	else if (entry->state == BG_ENTRY_BAD_WORD)
		bg_error("standard input:%u: word %u \"%s\" is not in the list", ask->line,
			entry->bad_number, entry->bad_text);
	else if (entry->state == BG_ENTRY_REFUSED)
		bg_error("standard input:%u: %s", ask->line, refusal(entry));
	else if (entry->words.count == BG_SLIP39_WORDS_128) /* 13 more might have come */
		bg_error(
			"standard input:%u: a word is wrong or in the wrong place (the checksum of "
			"its 20 words does not match)",
			ask->line);
	else if (entry->modhex_len)
		bg_error("standard input:%u: %zu letters where a share has 38 or 70", ask->line,
			entry->modhex_len);
	else
		bg_error("standard input:%u: %zu words where a share has 20 or 33", ask->line,
			entry->words.count);
	return BG_ASKED_MALFORMED;
}

/* The state that a piece left behind, as the next prompt. True: there is a whole share. */
static bool react(struct bg_ask *ask, const char *first, char prompt[static PROMPT_LEN])
{
	prompt[0] = '\0';
	switch (ask->entry.state) {
	case BG_ENTRY_MNEMONIC:
	case BG_ENTRY_COMPACT:
		return true;
	case BG_ENTRY_EMPTY:
		(void)snprintf(prompt, PROMPT_LEN, "%s", first);
		break;
	case BG_ENTRY_MORE:
		if (!bg_tty_is_pending(ask->tty))
			prompt_more(ask, prompt);
		break;
	case BG_ENTRY_BAD_WORD:
		bg_tty_drain(ask->tty);
		prompt_bad_word(ask, prompt);
		break;
	case BG_ENTRY_REFUSED:
		bg_tty_drain(ask->tty);
		if (bg_entry_wants_one(&ask->entry)) {
			prompt_misread(ask, prompt);
			break;
		}
		bg_tty_say(
			ask->tty, " %s.\n Once more, from its first word.\n", refusal(&ask->entry));
		bg_entry_wipe(&ask->entry);
		(void)snprintf(prompt, PROMPT_LEN, "%s", first);
		break;
	}
	return false;
}

/* "help" is also the start of "helpful", but nobody types that as the whole first piece. */
static bool is_help_word(const struct bg_ask *ask)
{
	return ask->entry.state == BG_ENTRY_EMPTY && strcasecmp(ask->text, "help") == 0;
}

/* One piece more. True: it was a code, named and dropped with the rest of the paste. */
static bool add(struct bg_ask *ask, size_t len)
{
	bool is_first = ask->entry.state == BG_ENTRY_EMPTY;
	const char *kind;

	bg_entry_add(&ask->entry, ask->text, len, ask->expected);
	kind = is_first ? other_kind(ask, len) : NULL;
	if (!kind)
		return false;
	bg_tty_drain(ask->tty);
	bg_tty_say(ask->tty, " This is %s; a share is wanted.\n", kind);
	bg_entry_wipe(&ask->entry);
	return true;
}

static enum bg_asked ask_pieces(struct bg_ask *ask, const char *first, struct bg_given *ret)
{
	char prompt[PROMPT_LEN];
	unsigned int empty = 0;

	(void)snprintf(prompt, sizeof(prompt), "%s", first);
	for (;;) {
		size_t len = 0;
		enum bg_err err = bg_tty_ask(ask->tty, false, prompt, ask->text, &len);

		if (err == BG_ERR_TOO_BIG) {
			bg_tty_say(ask->tty,
				" That line is too long for a share; nothing of it was taken.\n");
			continue;
		}
		if (err)
			return BG_ASKED_CANCELLED;
		if (is_blank(ask->text, len)) {
			if (ask->may_end && ask->entry.state == BG_ENTRY_EMPTY)
				return BG_ASKED_END;
			if (!bg_tty_is_pending(ask->tty) && ++empty >= EMPTY_MAX)
				return BG_ASKED_CANCELLED;
			continue;
		}
		empty = 0;
		if (strcmp(ask->text, "?") == 0 || is_help_word(ask)) {
			explain(ask->tty);
			continue;
		}
		if (ask->again && strcmp(ask->text, ask->again) == 0)
			return BG_ASKED_AGAIN;
		if (add(ask, len)) {
			(void)snprintf(prompt, sizeof(prompt), "%s", first);
			continue;
		}
		if (react(ask, first, prompt))
			return deliver(ask, ret);
	}
}

enum bg_asked bg_ask_share(struct bg_ask *ask, const char *prompt, struct bg_given *ret)
{
	enum bg_asked asked;

	bg_entry_wipe(&ask->entry);
	asked = ask->tty->is_stdin ? ask_line(ask, ret) : ask_pieces(ask, prompt, ret);
	bg_entry_wipe(&ask->entry);
	bg_wipe(ask->text, sizeof(ask->text));
	return asked;
}

static const char *retired_name(const struct bg_seal *seal, uint32_t epoch, size_t custodian)
{
	for (size_t i = 0; i < seal->retired_count; i++)
		if (seal->retired[i].epoch == epoch && custodian < seal->retired[i].custodian_count)
			return seal->retired[i].custodians[custodian].name;
	return "?";
}

enum bg_err bg_ask_whose(struct bg_crypto *crypto, const struct bg_seal *seal,
	const struct bg_given *given, struct bg_whose *ret)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
	char set[BG_SHORT_ID_LEN + 1];
	enum bg_err err;

	*ret = (struct bg_whose){ 0 };
	err = bg_seal_share_standing(crypto, seal, given->is_compact ? -1 : given->share.identifier,
		given->share.member_index, &given->share.value, &ret->standing, &ret->custodian,
		&ret->epoch, &seed);
	if (err)
		return err;
	bg_short_id(seal->set_id, set);
	switch (ret->standing) {
	case BG_SHARE_CURRENT:
		ret->epoch = seal->epoch;
		(void)snprintf(
			ret->name, sizeof(ret->name), "%s", seal->custodians[ret->custodian].name);
		(void)snprintf(ret->text, sizeof(ret->text), "%s: current, set %s epoch %u",
			ret->name, set, seal->epoch);
		break;
	case BG_SHARE_RETIRED:
		(void)snprintf(ret->name, sizeof(ret->name), "%s",
			retired_name(seal, ret->epoch, ret->custodian));
		(void)snprintf(ret->text, sizeof(ret->text),
			"%s: retired, of epoch %u; in force is set %s epoch %u", ret->name,
			ret->epoch, set, seal->epoch);
		break;
	case BG_SHARE_OTHER_SET:
		(void)snprintf(ret->text, sizeof(ret->text),
			"a share of another set; needed is set %s epoch %u", set, seal->epoch);
		break;
	case BG_SHARE_UNKNOWN:
		(void)snprintf(ret->text, sizeof(ret->text), "of no custodian of set %s epoch %u",
			set, seal->epoch);
		break;
	}
	return BG_OK;
}
