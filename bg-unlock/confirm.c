/* SPDX-License-Identifier: BSD-2-Clause */
/* Each share is handed over alone and read back before anything depends on it (RULES S14). */
#include "bg-unlock.h"
#include "deal.h"

#include <breakglass/os_file.h>
#include <breakglass/words.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD_COLUMNS 4

static void put(char *ret, size_t size, size_t *used, const char *text, size_t len)
{
	if (len < size - *used) {
		memcpy(ret + *used, text, len);
		*used += len;
		ret[*used] = '\0';
	}
}

/* "  7 flame     ": number and word, without stdio (its buffers keep what went through them). */
static void put_word(char *ret, size_t size, size_t *used, size_t number, uint16_t index)
{
	char cell[18], word[BG_WORD_MAX_LEN + 1];

	memset(cell, ' ', sizeof(cell));
	bg_words_text(index, word);
	if (number >= 10)
		cell[2] = (char)('0' + number / 10);
	cell[3] = (char)('0' + number % 10);
	memcpy(cell + 5, word, strlen(word));
	put(ret, size, used, cell, sizeof(cell));
	bg_wipe(cell, sizeof(cell));
	bg_wipe(word, sizeof(word));
}

static void put_words(char *ret, size_t size, size_t *used, const struct bg_slip39_words *words)
{
	size_t rows = (words->count + WORD_COLUMNS - 1) / WORD_COLUMNS;

	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < words->count; i += rows)
			put_word(ret, size, used, i + 1, words->index[i]);
		put(ret, size, used, "\n", 1);
	}
}

static void put_compact(char *ret, size_t size, size_t *used, const struct bg_slip39_share *share)
{
	BG_WIPE(bg_compact_wipe)
	struct bg_compact compact = { .member_index = share->member_index, .value = share->value };
	char text[BG_COMPACT_TEXT_LEN];

	if (bg_compact_encode(&compact, text) == BG_OK) {
		for (size_t i = 0; i < strlen(text); i += 4) {
			size_t left = strlen(text) - i;

			put(ret, size, used, i == 40 ? "\n " : " ", i == 40 ? 2 : 1);
			put(ret, size, used, text + i, left < 4 ? left : 4);
		}
		put(ret, size, used, "\n", 1);
	}
	bg_wipe(text, sizeof(text));
}

size_t bg_deal_format(const struct bg_slip39_share *share, char *ret, size_t size)
{
	static const char compact[] =
		"\n or in compact form, right on any keyboard (a YubiKey slot):\n";
	BG_WIPE(bg_slip39_words_wipe) struct bg_slip39_words words = { 0 };
	size_t used = 0;

	if (bg_slip39_encode(share, &words) != BG_OK)
		return 0;
	put_words(ret, size, &used, &words);
	put(ret, size, &used, compact, sizeof(compact) - 1);
	put_compact(ret, size, &used, share);
	return used;
}

static int show(struct bg_deal *deal, struct bg_tty *tty, size_t i)
{
	const struct bg_seal *seal = &deal->seal;
	char set[BG_SHORT_ID_LEN + 1];
	size_t len = bg_deal_format(&deal->shares[i], deal->screen, sizeof(deal->screen));
	enum bg_err err;

	bg_short_id(seal->set_id, set);
	bg_tty_alternate(tty, true);
	bg_tty_say(tty, " SHARE OF %s    %s@%s    set %s epoch %u    %u of %zu needed\n\n",
		seal->custodians[i].name, seal->account, seal->zone, set, seal->epoch,
		seal->threshold, seal->custodian_count);
	bg_tty_write(tty, deal->screen, len);
	bg_wipe(deal->screen, sizeof(deal->screen));
	bg_tty_say(tty,
		"\n Only %s may look. Write it on paper by hand, with its numbers and the line\n"
		" on top; no photograph, no file. Then press Enter: it is cleared from the\n"
		" screen, and you type it back from your paper.",
		seal->custodians[i].name);
	err = bg_tty_ask(tty, false, NULL, deal->ask.text, &len);
	bg_tty_alternate(tty, false);
	bg_wipe(deal->ask.text, sizeof(deal->ask.text));
	return err ? bg_fail(BG_ERR_CANCELLED, NULL, "nothing was written") : BG_EXIT_DONE;
}

/* One custodian: shown, cleared, typed back in full. */
static int hand_over(struct bg_deal *deal, struct bg_tty *tty, size_t i)
{
	const char *name = deal->seal.custodians[i].name;
	char prompt[128];
	int status;

	bg_tty_say(tty, "\nShare %zu of %zu is for %s; everybody else looks away.\n", i + 1,
		deal->seal.custodian_count, name);
	if (bg_tty_ask(tty, false, "Press Enter to show it:", deal->ask.text, &(size_t){ 0 }))
		return bg_fail(BG_ERR_CANCELLED, NULL, "nothing was written");
	status = show(deal, tty, i);
	(void)snprintf(
		prompt, sizeof(prompt), "Read it back, %s (r shows it again, ? helps):", name);
	deal->ask = (struct bg_ask){ .tty = tty,
		.whose = name,
		.again = "r",
		.expected =
			deal->seal.strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128 };
	while (!status) {
		BG_WIPE(bg_given_wipe) struct bg_given given = { 0 };
		enum bg_asked asked = bg_ask_share(&deal->ask, prompt, &given);

		if (asked == BG_ASKED_AGAIN)
			status = show(deal, tty, i);
		else if (asked != BG_ASKED_SHARE)
			status = bg_fail(BG_ERR_CANCELLED, NULL, "nothing was written");
		else if (bg_given_is(&given, &deal->shares[i]))
			break;
		else
			bg_tty_say(tty, " A good share, but not the one just shown.\n");
	}
	if (!status)
		bg_tty_say(tty, "%s: confirmed.\n", name);
	return status;
}

int bg_confirm_at_terminal(struct bg_deal *deal, struct bg_tty *tty)
{
	int status = BG_EXIT_DONE;

	for (size_t i = 0; !status && i < deal->seal.custodian_count; i++)
		status = hand_over(deal, tty, i);
	return status;
}

static void share_path(
	const struct bg_deal *deal, size_t i, const char *folder, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s/%s.share", folder, deal->seal.custodians[i].name);
}

int bg_confirm_folder_check(const struct bg_deal *deal, const char *folder)
{
	struct stat st;
	char path[4096];

	if (strlen(folder) > sizeof(path) - 32)
		return bg_usage("--shares-to: the path is too long");
	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
		bg_error("%s: is not a folder", folder);
		bg_hint("make it first: install -d -m 0700 %s", folder);
		return BG_EXIT_USAGE;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 077)) {
		bg_error("%s: others can look into it", folder);
		bg_hint("it must be yours alone: chmod 0700 %s", folder);
		return BG_EXIT_USAGE;
	}
	for (size_t i = 0; i < deal->seal.custodian_count; i++) {
		share_path(deal, i, folder, path, sizeof(path));
		if (lstat(path, &st) != 0 && errno == ENOENT)
			continue;
		bg_error("%s: is there already, and is never overwritten", path);
		bg_hint("name an empty folder");
		return BG_EXIT_USAGE;
	}
	return BG_EXIT_DONE;
}

/* Writes one share's file, reads it back and compares. */
static enum bg_err write_share(
	struct bg_deal *deal, size_t i, const char *path, struct bg_diag *diag)
{
	BG_WIPE(bg_slip39_words_wipe) struct bg_slip39_words words = { 0 };
	size_t len, back_len = 0;
	enum bg_err err = bg_slip39_encode(&deal->shares[i], &words);

	if (err)
		return err;
	bg_slip39_words_text(&words, deal->words);
	len = strlen(deal->words);
	deal->words[len++] = '\n';
	err = bg_file_replace(
		path, BG_FILE_ANY_FOLDER | BG_FILE_EXCLUSIVE, 0600, deal->words, len, diag);
	if (!err)
		err = bg_file_read(path, BG_FILE_ANY_FOLDER | BG_FILE_PRIVATE, deal->back,
			sizeof(deal->back), &back_len, diag);
	if (!err && (back_len != len || !bg_equal(deal->back, deal->words, len)))
		err = bg_diag_set(diag, BG_ERR_IO, path, "it does not read back as it was written");
	bg_wipe(deal->words, sizeof(deal->words));
	bg_wipe(deal->back, sizeof(deal->back));
	return err;
}

static void remove_shares(const struct bg_deal *deal, const char *folder, size_t count)
{
	char path[4096];

	for (size_t i = 0; i < count; i++) {
		share_path(deal, i, folder, path, sizeof(path));
		(void)unlink(path);
	}
}

void bg_confirm_remove(const struct bg_deal *deal, const char *folder)
{
	remove_shares(deal, folder, deal->seal.custodian_count);
}

int bg_confirm_in_folder(struct bg_deal *deal, const char *folder)
{
	struct bg_diag diag = { 0 };
	enum bg_err err = BG_OK;
	sigset_t all, old;
	char path[4096];
	size_t i;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old); /* all of them or none */
	for (i = 0; !err && i < deal->seal.custodian_count; i++) {
		share_path(deal, i, folder, path, sizeof(path));
		err = write_share(deal, i, path, &diag);
	}
	/* the file that failed may be somebody else's, if it was there */
	if (err)
		remove_shares(deal, folder, err == BG_ERR_DUPLICATE ? i - 1 : i);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return err ? bg_fail(err, &diag, "nothing was kept") : BG_EXIT_DONE;
}
