/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /etc/pam.d/other. libpam reads it at the start of every service, also of one that
 * has a file of its own; where it says "@include FILE" and FILE, or what that
 * includes, is missing, every service is shut, our own doors too. "TYPE include
 * FILE" means the same and fails only those who need it.
 */
#include "doors.h"

#include <stdio.h>
#include <string.h>

#define OTHER "/etc/pam.d/other"

static const struct {
	const char *whole, *typed;
} lines[] = {
	{ "@include common-auth\n", "auth\tinclude\tcommon-auth\n" },
	{ "@include common-account\n", "account\tinclude\tcommon-account\n" },
	{ "@include common-password\n", "password\tinclude\tcommon-password\n" },
	{ "@include common-session\n", "session\tinclude\tcommon-session\n" },
};
#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

static char old[BG_SMALL_LEN];
static char next[BG_SMALL_LEN + 256];

/* The text from line with what it begins with replaced, at *to. The bytes taken. */
static size_t copy_line(const char *line, bool is_back, char **to, const char *end)
{
	size_t len = strcspn(line, "\n");

	len += line[len] == '\n';
	for (size_t i = 0; i < LINE_COUNT; i++) {
		const char *from = is_back ? lines[i].typed : lines[i].whole;
		const char *by = is_back ? lines[i].whole : lines[i].typed;

		if (len != strlen(from) || strncmp(line, from, len) != 0)
			continue;
		*to += snprintf(*to, (size_t)(end - *to), "%s", by);
		return len;
	}
	*to += snprintf(*to, (size_t)(end - *to), "%.*s", (int)len, line);
	return len;
}

static enum bg_err rewrite(struct bg_tree *tree, bool is_back, struct bg_diag *diag)
{
	char *to = next;
	size_t len = 0;
	enum bg_err err;

	if (!bg_tree_has(tree, OTHER))
		return BG_OK;
	err = bg_tree_read(tree, OTHER, old, sizeof(old), &len, diag);
	if (err)
		return err;
	for (const char *line = old; *line;)
		line += copy_line(line, is_back, &to, next + sizeof(next));
	return bg_tree_write(tree, OTHER, 0, next, (size_t)(to - next), diag);
}

enum bg_err bg_install_other(struct bg_tree *tree, struct bg_diag *diag)
{
	return rewrite(tree, false, diag);
}

enum bg_err bg_uninstall_other(struct bg_tree *tree, struct bg_diag *diag)
{
	return rewrite(tree, true, diag);
}

bool bg_other_is_fragile(const struct bg_tree *tree)
{
	size_t len = 0;

	if (!bg_tree_has(tree, OTHER))
		return false;
	if (bg_tree_read(tree, OTHER, old, sizeof(old), &len, NULL) != BG_OK)
		return true;
	return strncmp(old, "@include", 8) == 0 || strstr(old, "\n@include") != NULL;
}
