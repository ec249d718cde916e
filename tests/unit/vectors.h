/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads tests/vectors/slip39*.json, lists of [name, [mnemonic, ...], secret in hex or "", ...]:
 * only as much JSON as these files are written in.
 */
#ifndef BG_TESTS_VECTORS_H
#define BG_TESTS_VECTORS_H

#include "unit.h"

#include <breakglass/slip39.h>
#include <breakglass/words.h>

#define VECTOR_SHARES 24

struct vector {
	char name[160];
	char mnemonic[VECTOR_SHARES][400];
	size_t count;
	char secret[80];
	char error[40]; /* own vectors only: the error's name */
};

static inline char *vectors_read(const char *file)
{
	char path[300];
	FILE *f;
	char *text = calloc(1, 1 << 20);

	(void)snprintf(path, sizeof(path), BG_VECTORS "/%s", file);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* The next string of the list at *p into ret; false at the list's end. */
static inline bool vectors_string(const char **p, char *ret, size_t len)
{
	size_t n = strcspn(*p, "\"]");
	const char *start = *p + n + 1;

	if ((*p)[n] != '"')
		return false;
	n = strcspn(start, "\"");
	assert_true(n < len);
	memcpy(ret, start, n);
	ret[n] = '\0';
	*p = start + n + 1;
	return true;
}

/* The next vector; false at the end of the file. */
static inline bool vectors_next(const char **p, struct vector *ret)
{
	char rest[200];

	memset(ret, 0, sizeof(*ret));
	if (!vectors_string(p, ret->name, sizeof(ret->name)))
		return false;
	*p = strchr(*p, '[') + 1;
	while (ret->count < VECTOR_SHARES &&
		vectors_string(p, ret->mnemonic[ret->count], sizeof(ret->mnemonic[0])))
		ret->count++;
	*p = strchr(*p, ']') + 1;
	assert_true(vectors_string(p, ret->secret, sizeof(ret->secret)));
	if (vectors_string(p, rest, sizeof(rest)))
		(void)snprintf(ret->error, sizeof(ret->error), "%.39s", rest);
	*p = strchr(*p, ']') + 1;
	return true;
}

/* A mnemonic's words, then the share. */
static inline enum bg_err vectors_share(const char *text, struct bg_slip39_share *ret)
{
	struct bg_slip39_words words = { .count = 0 };

	while (*text) {
		size_t len = strcspn(text, " ");

		if (words.count >= BG_SLIP39_MAX_WORDS)
			return BG_ERR_RANGE;
		if (bg_words_find(text, len, &words.index[words.count]))
			return BG_ERR_WORD;
		words.count++;
		text += len + (text[len] == ' ');
	}
	return bg_slip39_decode(&words, ret);
}

#endif
