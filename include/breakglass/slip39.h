/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLIP-0039: shares, mnemonics, split and combine. 128 and 256 bit secrets.
 * We deal one group of k of n, extendable, iteration exponent 0; we read groups.
 */
#ifndef BREAKGLASS_SLIP39_H
#define BREAKGLASS_SLIP39_H

#include <stdbool.h>

#include <breakglass/crypto.h>
#include <breakglass/secret.h>

#define BG_SLIP39_WORDS_128	 20
#define BG_SLIP39_WORDS_256	 33
#define BG_SLIP39_MAX_WORDS	 33
#define BG_SLIP39_HEAD_WORDS	 4   /* that hold the share's numbers */
#define BG_SLIP39_MAX_PASSPHRASE 256 /* bytes */
#define BG_SLIP39_MAX_SHARES	 16  /* a group; 16 groups at the most */
#define BG_SLIP39_MAX_INPUT	 256 /* shares handed to one combine */
#define BG_SLIP39_MAX_EXPONENT	 4   /* checked before PBKDF2 runs (RULES S12) */
/* A mnemonic as text: 33 words of at most 8 letters, 32 spaces, NUL. */
#define BG_SLIP39_TEXT_LEN (33 * 8 + 32 + 1)

struct bg_slip39_share {
	uint16_t identifier; /* 15 bits */
	bool is_extendable;
	uint8_t exponent;	  /* iteration exponent, 0 to 15 as read */
	uint8_t group_index;	  /* 0 to 15 */
	uint8_t group_threshold;  /* 1 to 16 */
	uint8_t group_count;	  /* 1 to 16 */
	uint8_t member_index;	  /* 0 to 15 */
	uint8_t member_threshold; /* 1 to 16 */
	struct bg_secret value;	  /* 16 or 32 bytes */
};

/* Words as numbers; counts 20 or 33. */
struct bg_slip39_words {
	uint16_t index[BG_SLIP39_MAX_WORDS];
	size_t count;
};

void bg_slip39_share_wipe(struct bg_slip39_share *share);
void bg_slip39_words_wipe(struct bg_slip39_words *words);

/* Share to words and back. Decode checks length, padding, RS1024 checksum (by extendable flag),
   group threshold <= group count; exponents up to 15 are read here and refused in combine.
   BG_ERR_RANGE (length, group numbers), BG_ERR_PADDING, BG_ERR_CHECKSUM. */
BG_CHECKED enum bg_err bg_slip39_encode(
	const struct bg_slip39_share *share, struct bg_slip39_words *ret);
BG_CHECKED enum bg_err bg_slip39_decode(
	const struct bg_slip39_words *words, struct bg_slip39_share *ret);

/* A share's numbers from its first four words alone, unchecked; the value stays empty. */
void bg_slip39_decode_head(
	const uint16_t words[static BG_SLIP39_HEAD_WORDS], struct bg_slip39_share *ret);

/* The number (from 1) of the only word which, if it alone were wrong, explains a checksum that
   does not match; 0: there is none. It is pointed at, never corrected (SLIP-0039, "Checksum").
   Of 20 or 33 words. */
unsigned int bg_slip39_suspect(const struct bg_slip39_words *words);

/* Words to one line of text, single spaces, terminated. */
void bg_slip39_words_text(const struct bg_slip39_words *words, char ret[static BG_SLIP39_TEXT_LEN]);

struct bg_slip39_deal {
	uint8_t threshold;   /* k: 1 to 16; 1 only with count 1 */
	uint8_t count;	     /* n: k to 16 */
	uint16_t identifier; /* 15 bits; 0x8000 or above: BG_ERR_ARGUMENT */
};

/* Deals master (16 or 32 bytes, empty passphrase) into deal->count shares of one group, member
   indices 0 to n-1, coefficients from random (n shares' worth of fresh bytes; a failure aborts
   with BG_ERR_RANDOM, nothing written). Recombines every k-subset, or a random thousand where
   there are more, before it returns (RULES S08): BG_ERR_DIGEST if any fails. */
BG_CHECKED enum bg_err bg_slip39_split(struct bg_crypto *crypto, const struct bg_slip39_deal *deal,
	const struct bg_secret *master, bg_random_fn *random, void *random_arg,
	struct bg_slip39_share *ret);

/* Combines count shares (1 to BG_SLIP39_MAX_INPUT), any order, groups included, with passphrase
   (printable ASCII, 256 bytes at most; "" is none). More members than a threshold are accepted in a
   group if each lies on the polynomial of the first threshold ones; the same share given twice is
   refused (BG_ERR_DUPLICATE). All of SLIP-0039's other checks apply. diag->index names the share,
   from 1; where one share more than the threshold was given, also the one that is wrong among the
   right ones, in any order.
   BG_ERR_MISMATCH, _DUPLICATE, _TOO_FEW, _EXPONENT, _DIGEST, _POLYNOMIAL, _RANGE (passphrase). */
BG_CHECKED enum bg_err bg_slip39_combine(struct bg_crypto *crypto,
	const struct bg_slip39_share *shares, size_t count, const char *passphrase,
	struct bg_secret *ret, struct bg_diag *diag);

/* Combines compact shares (no identifier, no threshold known: count is taken as the threshold),
   one group, extendable, exponent 0, checked by SLIP-39's digest alone. A single one has no digest
   and is refused. BG_ERR_TOO_FEW, _RANGE, _DUPLICATE, _MISMATCH (lengths), _DIGEST. */
BG_CHECKED enum bg_err bg_slip39_combine_values(struct bg_crypto *crypto, const uint8_t *indices,
	const struct bg_secret *values, size_t count, struct bg_secret *ret);

#endif
