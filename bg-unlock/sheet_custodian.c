/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that a custodian keeps in an envelope. */
#include "bg-unlock.h"
#include "deal.h"
#include "sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RULE "--------------------------------------------------------------------------\n"

/* A filled-in sheet goes past stdio: its buffers would keep the words. */
static int write_words(const struct bg_slip39_share *share)
{
	char *text = bg_secrets_take(4096);
	size_t len = bg_deal_format(share, text, 4096), done = 0;
	int status = len ? BG_EXIT_DONE : BG_EXIT_MACHINE;

	(void)fflush(stdout);
	while (done < len && status == BG_EXIT_DONE) {
		ssize_t n = write(STDOUT_FILENO, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			status = BG_EXIT_MACHINE;
		else
			done += (size_t)n;
	}
	bg_wipe(text, 4096);
	if (status)
		bg_error("standard output: cannot be written");
	return status;
}

static void print_blanks(size_t count)
{
	size_t rows = (count + 3) / 4;

	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < count; i += rows)
			(void)printf("  %2zu ____________ ", i + 1);
		(void)printf("\n\n");
	}
	(void)printf(" or in compact form, %s letters of b c d e f g h i j k l n r t u v:\n\n ",
		count == BG_SLIP39_WORDS_256 ? "70" : "38");
	for (size_t i = 0; i < (count == BG_SLIP39_WORDS_256 ? 18u : 10u); i++)
		(void)printf("____ %s", i == 9 && count == BG_SLIP39_WORDS_256 ? "\n\n " : "");
	(void)printf("\n");
}

static void print_others(
	const struct bg_seal *seal, size_t self, const struct bg_contacts *contacts)
{
	(void)printf(" The other custodians:\n");
	for (size_t i = 0; i < seal->custodian_count; i++) {
		const char *phone = bg_contacts_phone(contacts, seal->custodians[i].name);

		if (i != self)
			(void)printf("   %-12s %s\n", seal->custodians[i].name,
				*phone ? phone : "____________________");
	}
	(void)printf(" Who may call you (key holders), and the number where you call them back:\n");
	for (size_t i = 0; i < seal->key_count; i++)
		(void)printf("   %-24s key %-12s ____________________\n", seal->keys[i].holder,
			seal->keys[i].name);
}

static void print_use(void)
{
	(void)printf(
		"WHAT THIS IS\n"
		" One share of a secret. It opens nothing by itself: as many custodians as the\n"
		" head of this page says, and a key holder's security key with its PIN, open the\n"
		" emergency account together. Each use is recorded and told to everybody.\n\n"
		"IS IT STILL GOOD? (every quarter, on a machine you trust, nothing is shown)\n"
		"   bg-unlock share verify SEAL\n"
		" says \"current\", or that a newer set has retired this page.\n\n"
		"WHEN YOU ARE CALLED\n"
		" Best: bg-unlock approve, on a machine of your own, which needs no network: you\n"
		" are sent a challenge, it shows what is opened and gives a code to send back.\n"
		" Else type the share yourself, at the prompt that asks for it, or read it out:\n"
		"   you   \"Who is speaking, and for which host and account?\"\n"
		"   they  give name, host, account, and the reason.\n"
		"   you   \"I call you back.\"  Hang up. Call the number that stands ABOVE, never\n"
		"         one that they give you.\n"
		"   you   \"Read me set and epoch from your screen.\"\n"
		"   they  must read what stands at the head of this page.\n"
		"   you   read word by word with its number: \"one, ... two, ...\"; four letters "
		"of\n"
		"         each are enough. A word not understood is spelt:\n"
		"         Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo\n"
		"         Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform\n"
		"         Victor Whiskey X-ray Yankee Zulu\n"
		"   they  say \"counted\" and your name: their screen shows it. Stop there.\n"
		" If set or epoch differ, if they press you, or if nobody answers at the number\n"
		" you know: refuse, and tell the other custodians. Refusing is never wrong.\n"
		" With the challenge, also when it is open already: bg-unlock approve --refuse\n"
		" gives a code with which root on that host ends it at once.\n\n"
		"NEVER\n"
		" - photograph, scan, mail, chat or store it; never read it to a machine or a\n"
		"   voice mail\n"
		" - read it out in a call that you did not make yourself, or to anybody who has\n"
		"   no login waiting for it\n"
		" - keep it with a security key, or hand it on: tell the owner, a reseal is easy\n"
		" - correct it by guessing: report a page that no longer verifies\n"
		" After each use a reseal is due: you get a new page, then destroy this one.\n");
}

int bg_sheet_custodian(const struct bg_seal *seal, size_t custodian,
	const struct bg_contacts *contacts, const struct bg_slip39_share *share)
{
	char set[BG_SHORT_ID_LEN + 1];
	int status = BG_EXIT_DONE;

	bg_short_id(seal->set_id, set);
	(void)printf("EMERGENCY SHARE OF %s\n" RULE, seal->custodians[custodian].name);
	(void)printf(" account %s    zone %s    set %s epoch %u    needed: %u of %zu\n",
		seal->account, seal->zone, set, seal->epoch, seal->threshold,
		seal->custodian_count);
	(void)printf(" dealt %.10s    written down on ____________  by ____________________\n" RULE
		     "\n",
		seal->created);
	if (share)
		status = write_words(share);
	else
		print_blanks(seal->strength == 256 ? BG_SLIP39_WORDS_256 : BG_SLIP39_WORDS_128);
	if (status)
		return status;
	(void)printf("\n" RULE);
	print_others(seal, custodian, contacts);
	(void)printf("\n");
	print_use();
	return BG_EXIT_DONE;
}
