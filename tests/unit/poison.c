/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run by valgrind, of the object as it is built: every secret is declared undefined, so that each
 * branch and each address that depends on one is an error. poison.supp names what may: verdicts
 * ("these shares do not belong together"), which say themselves what they depend on.
 */
#include <breakglass/code.h>
#include <breakglass/gf256.h>
#include <breakglass/keys.h>
#include <breakglass/slip39.h>
#include <breakglass/tally.h>
#include <breakglass/words.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#define COUNT	  5
#define THRESHOLD 3

static void hide(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void must(enum bg_err err, const char *what)
{
	if (err == BG_OK)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, bg_err_text(err));
	exit(2);
}

/* Always the same, and nobody is to know. */
static int hidden_random(void *arg, void *ret, size_t len)
{
	unsigned char *p = ret, *next = arg;

	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((*next)++ * 77U + 5);
	hide(p, len);
	return 0;
}

static void secrets_S01_S02_field(void)
{
	uint8_t a = 0x57, acc[32] = { 0 };
	struct bg_secret secret = { .len = 32 };

	hide(&a, sizeof(a));
	hide(&secret.bytes, sizeof(secret.bytes));
	acc[0] = bg_gf256_mul(a, bg_gf256_inv(a));
	bg_gf256_mul_add(acc, secret.bytes, sizeof(acc), 0x83);
}

static void secrets_S01_S02_words(const struct bg_slip39_share *share)
{
	struct bg_slip39_words words;
	struct bg_slip39_share back;
	char text[BG_SLIP39_TEXT_LEN], word[BG_WORD_MAX_LEN + 1];
	uint16_t index = 0;

	must(bg_slip39_encode(share, &words), "words");
	must(bg_slip39_decode(&words, &back), "share");
	bg_slip39_words_text(&words, text);
	bg_words_text(words.index[5], word);
	memcpy(word, "academic", sizeof(word));
	hide(word, BG_WORD_MAX_LEN);
	must(bg_words_find(word, BG_WORD_MAX_LEN, &index), "a word");
}

/* A custodian's approval, and the quorum's keys. */
static void secrets_S01_S02_keys(struct bg_crypto *crypto, const struct bg_secret *value)
{
	static const uint8_t set[BG_SET_ID_LEN] = { 1 }, digest[BG_SHA256_LEN] = { 2 };
	struct bg_secret seed;
	struct bg_quorum quorum;
	uint8_t sig[BG_ED25519_SIG_LEN];

	must(bg_custodian_seed(crypto, value, set, 1, 1, &seed), "seed");
	must(bg_approval_sign(crypto, &seed, digest, sig), "approval");
	must(bg_quorum_derive(crypto, value, set, 1, &quorum), "quorum");
	must(bg_response_sign(crypto, &quorum.sign_seed, digest, 3, sig), "response");
}

static void secrets_S01_S02_shares(struct bg_crypto *crypto, size_t len)
{
	const struct bg_slip39_deal deal = { THRESHOLD, COUNT, 77 };
	struct bg_slip39_share shares[COUNT];
	struct bg_secret master = { .len = len }, back = { 0 };
	struct bg_diag diag = { 0 };
	unsigned char next = 1;

	memset(master.bytes, 0x5a, len);
	hide(master.bytes, len);
	must(bg_slip39_split(crypto, &deal, &master, hidden_random, &next, shares), "split");
	must(bg_slip39_combine(crypto, shares, THRESHOLD + 1, "", &back, &diag), "combine");
	secrets_S01_S02_words(&shares[1]);
	secrets_S01_S02_keys(crypto, &shares[1].value);
}

/* What valgrind must see, or it sees nothing. */
static int canary(void)
{
	unsigned char secret = 1, next = 0;

	(void)hidden_random(&next, &secret, 1);
	if (secret == 5)
		(void)puts("the canary sang");
	return 0;
}

int main(int argc, char **argv)
{
	struct bg_crypto *crypto;

	if (argc > 1 && strcmp(argv[1], "--canary") == 0)
		return canary();
	crypto = bg_crypto_open();
	if (crypto == NULL)
		return 2;
	secrets_S01_S02_field();
	secrets_S01_S02_shares(crypto, 16);
	secrets_S01_S02_shares(crypto, 32);
	bg_crypto_close(crypto);
	return 0;
}
