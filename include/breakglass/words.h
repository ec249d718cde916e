/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLIP-39's 1,024 words. The first four letters identify each. A word typed is
 * part of a share, so finding one takes the same time whichever it is: the
 * whole list is walked, no branch or index depends on it.
 */
#ifndef BREAKGLASS_WORDS_H
#define BREAKGLASS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include <breakglass/err.h>

#define BG_WORDS_COUNT	1024
#define BG_WORD_MAX_LEN 8 /* letters */
#define BG_WORD_MIN_LEN 4

/* The word numbered index (0 to 1023) into ret, terminated; the whole table is read. */
void bg_words_text(uint16_t index, char ret[static BG_WORD_MAX_LEN + 1]);

/* The number of a word given in full or by its first four letters or more (any case).
   BG_ERR_WORD: none matches; nothing is ever corrected. */
BG_CHECKED enum bg_err bg_words_find(const char *text, size_t len, uint16_t *ret);

#endif
