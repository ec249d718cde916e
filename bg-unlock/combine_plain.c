/* SPDX-License-Identifier: BSD-2-Clause */
#include "bg-unlock.h"
#include "combine.h"

#include <stdio.h>

/* The first share given in words, whose header compact ones then take; NULL: none. */
static const struct bg_slip39_share *first_words(const struct bg_combine *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (!s->given[i].is_compact)
			return &s->given[i].share;
	return NULL;
}

static enum bg_err combine_compact(struct bg_crypto *crypto, struct bg_combine *s)
{
	for (size_t i = 0; i < s->count; i++) {
		s->indices[i] = s->given[i].share.member_index;
		s->values[i] = s->given[i].share.value;
	}
	return bg_slip39_combine_values(crypto, s->indices, s->values, s->count, &s->secret);
}

/* What is there so far, without a seal. */
static enum bg_err combine_plain(
	struct bg_crypto *crypto, struct bg_combine *s, struct bg_diag *diag)
{
	const struct bg_slip39_share *head = first_words(s);

	if (!head)
		return combine_compact(crypto, s);
	for (size_t i = 0; i < s->count; i++) {
		s->shares[i] = s->given[i].share;
		if (!s->given[i].is_compact)
			continue;
		s->shares[i] = *head;
		s->shares[i].member_index = s->given[i].share.member_index;
		s->shares[i].value = s->given[i].share.value;
	}
	return bg_slip39_combine(crypto, s->shares, s->count, s->passphrase, &s->secret, diag);
}

static void plain_prompt(const struct bg_combine *s, char *ret, size_t size)
{
	const struct bg_slip39_share *head = first_words(s);

	if (!head && s->count)
		(void)snprintf(ret, size,
			"Share %zu (an empty line: that is all; ? helps):", s->count + 1);
	else if (head && head->group_count == 1)
		(void)snprintf(ret, size,
			"Share %zu of %u (words, or their first 4 letters; ? helps):", s->count + 1,
			head->member_threshold);
	else
		(void)snprintf(ret, size,
			"Share %zu (words, or their first 4 letters; ? helps):", s->count + 1);
}

static int plain_done(struct bg_combine *s, enum bg_err err, const struct bg_diag *diag,
	const struct bg_combine_options *o)
{
	if (err && diag->index)
		bg_error(
			"share %u: %s", diag->index, diag->what[0] ? diag->what : bg_err_text(err));
	if (err)
		return bg_fail(err, diag,
			err == BG_ERR_TOO_FEW ? "give one share more, one a line"
					      : "give the shares of one set, each once");
	if (s->count && !first_words(s))
		bg_note("compact shares without a seal: checked by SLIP-39's digest alone");
	if (o->is_reveal)
		return bg_combine_reveal(s);
	(void)printf("quorum: stands (%zu shares, %zu bit)\n", s->count, s->secret.len * 8);
	return BG_EXIT_DONE;
}

/* At a prompt a share that does not fit is dropped, the good ones stay (RULES S13). */
static int plain_prompted(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o)
{
	char prompt[128];

	while (s->count < BG_SLIP39_MAX_INPUT) {
		struct bg_diag diag = { 0 };
		enum bg_asked asked;
		enum bg_err err;

		s->ask.may_end = s->count && !first_words(s);
		plain_prompt(s, prompt, sizeof(prompt));
		asked = bg_ask_share(&s->ask, prompt, &s->given[s->count]);
		if (asked == BG_ASKED_END)
			return plain_done(s, combine_plain(crypto, s, &diag), &diag, o);
		if (asked != BG_ASKED_SHARE)
			return bg_fail(BG_ERR_CANCELLED, NULL, NULL);
		s->count++;
		if (!first_words(s))
			continue;
		err = combine_plain(crypto, s, &diag);
		if (err == BG_OK)
			return plain_done(s, err, &diag, o);
		if (err != BG_ERR_TOO_FEW) {
			bg_tty_say(&s->tty, " %s: this one is not counted.\n", bg_err_text(err));
			bg_given_wipe(&s->given[--s->count]);
		}
	}
	return bg_fail(BG_ERR_TOO_BIG, NULL, "these are more shares than any set has");
}

static int plain_lines(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o)
{
	struct bg_diag diag = { 0 };
	enum bg_asked asked;

	while (s->count < BG_SLIP39_MAX_INPUT &&
		(asked = bg_ask_share(&s->ask, "", &s->given[s->count])) != BG_ASKED_CANCELLED) {
		if (asked == BG_ASKED_SHARE)
			s->count++;
		else
			s->malformed++;
	}
	if (s->malformed || !s->count) {
		if (!s->count && !s->malformed)
			bg_error("standard input: no share");
		bg_hint("one share a line: 20 or 33 words, or 38 or 70 modhex letters");
		return BG_EXIT_USAGE;
	}
	return plain_done(s, combine_plain(crypto, s, &diag), &diag, o);
}

int bg_combine_plain(
	struct bg_crypto *crypto, struct bg_combine *s, const struct bg_combine_options *o)
{
	return o->is_stdin ? plain_lines(crypto, s, o) : plain_prompted(crypto, s, o);
}
