/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_passwd.h>

#include <breakglass/os_file.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define PASSWD_MAX_LEN (16u << 20) /* touched only as far as the file goes */
#define FIELDS	       7

struct line {
	const char *field[FIELDS];
	size_t len[FIELDS];
};

/* Splits one line (without LF) into exactly seven fields. */
static bool split(const char *p, size_t len, struct line *ret)
{
	for (int i = 0; i < FIELDS; i++) {
		const char *colon = i < FIELDS - 1 ? memchr(p, ':', len) : NULL;
		size_t n = i < FIELDS - 1 ? (colon == NULL ? 0 : (size_t)(colon - p)) : len;

		if (i < FIELDS - 1 && colon == NULL)
			return false;
		ret->field[i] = p;
		ret->len[i] = n;
		if (i < FIELDS - 1) {
			p = colon + 1;
			len -= n + 1;
		}
	}
	return memchr(ret->field[FIELDS - 1], ':', ret->len[FIELDS - 1]) == NULL;
}

static bool to_u32(const char *p, size_t len, uint32_t *ret)
{
	uint32_t v = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(v, 10U, &v) ||
			__builtin_add_overflow(v, (uint32_t)(p[i] - '0'), &v))
			return false;
	}
	if (v == UINT32_MAX) /* -1: "leave it as it is" to setuid(2) */
		return false;
	*ret = v;
	return true;
}

static bool copy(char *ret, size_t size, const char *p, size_t len)
{
	if (len >= size || memchr(p, '\0', len) != NULL)
		return false;
	memcpy(ret, p, len);
	ret[len] = '\0';
	return true;
}

static enum bg_err parse(const struct line *line, struct bg_passwd *ret)
{
	struct bg_passwd entry = { 0 };

	if (!to_u32(line->field[2], line->len[2], &entry.uid) ||
		!to_u32(line->field[3], line->len[3], &entry.gid) ||
		!copy(entry.home, sizeof(entry.home), line->field[5], line->len[5]) ||
		!copy(entry.shell, sizeof(entry.shell), line->field[6], line->len[6]))
		return BG_ERR_SYNTAX;
	*ret = entry;
	return BG_OK;
}

struct search {
	const char *name;
	size_t name_len;
	unsigned int by_name;
	struct bg_passwd entry;
};

/* Calls each for every line; the first error ends the walk. */
static enum bg_err walk(const char *text, size_t len, struct search *search,
	enum bg_err (*each)(struct search *search, const char *p, size_t len))
{
	enum bg_err err = BG_OK;

	while (len > 0 && err == BG_OK) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		err = each(search, text, n);
		text += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return err;
}

static enum bg_err by_name(struct search *search, const char *p, size_t len)
{
	struct line line;

	if (len <= search->name_len || memcmp(p, search->name, search->name_len) != 0 ||
		p[search->name_len] != ':')
		return BG_OK;
	if (++search->by_name > 1)
		return BG_ERR_DUPLICATE;
	return split(p, len, &line) ? parse(&line, &search->entry) : BG_ERR_SYNTAX;
}

static enum bg_err by_uid(struct search *search, const char *p, size_t len)
{
	struct line line;
	uint32_t uid;

	if (!split(p, len, &line) || !to_u32(line.field[2], line.len[2], &uid) ||
		uid != search->entry.uid)
		return BG_OK;
	return line.len[0] == search->name_len &&
			       memcmp(line.field[0], search->name, search->name_len) == 0
		       ? BG_OK
		       : BG_ERR_DUPLICATE;
}

static enum bg_err find(const char *text, size_t len, const char *name, struct bg_passwd *ret)
{
	struct search search = { .name = name, .name_len = strlen(name) };
	enum bg_err err;

	if (search.name_len == 0)
		return BG_ERR_ARGUMENT;
	err = walk(text, len, &search, by_name);
	if (err == BG_OK && search.by_name == 0)
		err = BG_ERR_NOENT;
	if (err == BG_OK)
		err = walk(text, len, &search, by_uid);
	if (err == BG_OK)
		*ret = search.entry;
	return err;
}

enum bg_err bg_passwd_find_in(
	const char *path, const char *name, struct bg_passwd *ret, struct bg_diag *diag)
{
	char *text = malloc(PASSWD_MAX_LEN);
	size_t len = 0;
	enum bg_err err;

	if (text == NULL)
		return BG_ERR_MEMORY;
	err = bg_file_read(path, 0, text, PASSWD_MAX_LEN, &len, diag);
	if (err == BG_OK) {
		err = find(text, len, name, ret);
		if (err != BG_OK)
			(void)bg_diag_set(diag, err, path,
				"exactly one good line of %s, with a uid of its own", name);
	}
	free(text);
	return err;
}

enum bg_err bg_passwd_find(const char *name, struct bg_passwd *ret, struct bg_diag *diag)
{
	return bg_passwd_find_in("/etc/passwd", name, ret, diag);
}
