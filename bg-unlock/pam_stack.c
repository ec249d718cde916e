/* SPDX-License-Identifier: BSD-2-Clause */
/* PAM's files read as libpam reads them (pam.conf(5)), and what of them an opened account meets. */
#include "pam_stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4

/* The next word of *p, a bracketed control being one; its blanks come out single. */
static void take_word(char **p, char *ret, size_t size)
{
	size_t len = 0;
	bool is_bracket;
	char *s = *p + strspn(*p, " \t");

	is_bracket = *s == '[';
	for (; *s != '\0' && (is_bracket || !strchr(" \t", *s)); s++) {
		bool is_blank = *s == ' ' || *s == '\t';

		if (len + 1 < size && !(is_blank && len && ret[len - 1] == ' '))
			ret[len++] = (char)(is_blank ? ' ' : *s);
		if (*s == ']')
			is_bracket = false;
	}
	ret[len] = '\0';
	*p = s;
}

/* What is left, without the blanks around it. */
static void put_rest(const char *text, char *ret, size_t size)
{
	size_t len;

	text += strspn(text, " \t");
	for (len = strlen(text); len > 0 && strchr(" \t\r", text[len - 1]); len--)
		;
	(void)snprintf(ret, size, "%.*s", (int)len, text);
}

static void add_line(struct bg_pam_stack *stack, char *text)
{
	struct bg_pam_line line = { 0 };
	char *comment = strchr(text, '#');
	const char *slash;

	if (comment)
		*comment = '\0';
	take_word(&text, line.type, sizeof(line.type));
	if (line.type[0] == '\0' || stack->count == BG_PAM_LINES_MAX)
		return;
	if (line.type[0] == '-')
		memmove(line.type, line.type + 1, strlen(line.type));
	if (strcmp(line.type, "@include") == 0)
		(void)snprintf(line.type, sizeof(line.type), "@");
	else
		take_word(&text, line.control, sizeof(line.control));
	take_word(&text, line.module, sizeof(line.module));
	put_rest(text, line.rest, sizeof(line.rest));
	slash = strrchr(line.module, '/');
	if (slash)
		memmove(line.module, slash + 1, strlen(slash));
	stack->lines[stack->count++] = line;
}

enum bg_err bg_pam_stack_read(const struct bg_tree *tree, const char *name,
	struct bg_pam_stack *ret, struct bg_diag *diag)
{
	static char text[BG_INI_FILE_LEN + 1];
	char path[BG_TREE_PATH_LEN], *rest = text, *line;
	size_t len = 0;
	enum bg_err err;

	*ret = (struct bg_pam_stack){ 0 };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(path, sizeof(path), "/etc/pam.d/%s", name);
	err = bg_tree_read(tree, path, text, sizeof(text), &len, diag);
	if (err)
		return err;
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(ret, line);
	return BG_OK;
}

/* Lines of the type that a success of ours passes over; -1: it ends the whole stack. */
static long jump_of(const char *control)
{
	static const char head[] = "[success=";

	if (strncmp(control, head, strlen(head)) != 0)
		return strcmp(control, "sufficient") == 0 ? -1 : 0;
	if (strncmp(control + strlen(head), "done", 4) == 0)
		return -1;
	return strtol(control + strlen(head), NULL, 10);
}

bool bg_pam_is_include(const struct bg_pam_line *line, const char *type)
{
	return strcmp(line->type, "@") == 0 ||
	       (strcmp(line->type, type) == 0 && (strcmp(line->control, "include") == 0 ||
							 strcmp(line->control, "substack") == 0));
}

/* False: a success of ours ended the stack. */
static bool meet(const struct bg_tree *tree, const char *name, const char *type,
	bg_pam_meet_fn *each, void *arg, unsigned int depth)
{
	struct bg_pam_stack *stack = malloc(sizeof(*stack));
	bool goes_on = true;
	long skip = 0;

	if (!stack || bg_pam_stack_read(tree, name, stack, NULL) != BG_OK)
		stack = (free(stack), NULL); /* said by who judges the file */
	for (size_t i = 0; stack && goes_on && i < stack->count; i++) {
		const struct bg_pam_line *line = &stack->lines[i];

		if (!bg_pam_is_include(line, type) && strcmp(line->type, type) != 0)
			continue;
		if (skip > 0) {
			skip--;
		} else if (bg_pam_is_include(line, type)) {
			/* what ends a substack ends nothing else */
			if (depth < DEPTH_MAX)
				goes_on = meet(tree, line->module, type, each, arg, depth + 1) ||
					  strcmp(line->control, "substack") == 0;
		} else if (strcmp(line->module, BG_PAM_OURS) == 0) {
			skip = jump_of(line->control);
			goes_on = skip >= 0;
		} else {
			each(arg, name, line);
		}
	}
	free(stack);
	return goes_on;
}

void bg_pam_meet(const struct bg_tree *tree, const char *service, const char *type,
	bg_pam_meet_fn *each, void *arg)
{
	(void)meet(tree, service, type, each, arg, 0);
}
