/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What check found, in three forms: for a monitoring plugin a line each, all of
 * them; for a person at a terminal what is wrong, in 79 columns and with what to
 * do on a line of its own, and of the rest the names; and JSON.
 */
#include "bg-unlock.h"
#include "check.h"

#include <breakglass/escape.h>

#include <stdio.h>
#include <string.h>

#define INDENT 4

static const struct {
	const char *text;
} levels[] = { { "OK" }, { "WARNING" }, { "CRITICAL" } };

static size_t count_level(const struct bg_check *check, enum bg_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < check->count; i++)
		n += check->findings[i].level == level;
	return n;
}

enum bg_level bg_check_worst(const struct bg_check *check)
{
	if (count_level(check, BG_LEVEL_CRITICAL))
		return BG_LEVEL_CRITICAL;
	return count_level(check, BG_LEVEL_WARNING) ? BG_LEVEL_WARNING : BG_LEVEL_OK;
}

static void print_line(const struct bg_check_finding *finding)
{
	char text[sizeof(finding->text)], todo[sizeof(finding->todo)];

	bg_escape_terminal(text, sizeof(text), finding->text);
	bg_escape_terminal(todo, sizeof(todo), finding->todo);
	(void)printf("%s %s: %s%s%s\n", levels[finding->level].text, finding->name, text,
		todo[0] ? "; do: " : "", todo);
}

static void print_block(const struct bg_check_finding *finding)
{
	char text[sizeof(finding->text)], todo[sizeof(finding->todo)];

	bg_escape_terminal(text, sizeof(text), finding->text);
	bg_escape_terminal(todo, sizeof(todo), finding->todo);
	(void)printf("%s %s\n%*s", levels[finding->level].text, finding->name, INDENT, "");
	(void)bg_put_words(text, INDENT, INDENT);
	if (todo[0]) {
		(void)printf("\n%*sdo:", INDENT, "");
		(void)bg_put_words(todo, INDENT + 3, INDENT);
	}
	(void)printf("\n");
}

/* The first finding of a row of which every finding is good? */
static bool is_good_row(const struct bg_check *check, size_t at)
{
	for (size_t i = 0; i < check->count; i++) {
		bool is_same = strcmp(check->findings[i].name, check->findings[at].name) == 0;

		if (is_same && (i < at || check->findings[i].level != BG_LEVEL_OK))
			return false;
	}
	return true;
}

static void print_good(const struct bg_check *check)
{
	size_t column = (size_t)printf("%-*s", INDENT, "OK");
	const char *noted = NULL; /* good, and something may be done about it all the same */

	for (size_t i = 0; i < check->count; i++) {
		if (is_good_row(check, i))
			column = bg_put_words(check->findings[i].name, column, INDENT);
		if (check->findings[i].level == BG_LEVEL_OK && check->findings[i].todo[0])
			noted = check->findings[i].name;
	}
	(void)printf("\n(each of them in words%s%s: bg-unlock check | less)\n",
		noted ? ", with a note at " : "", noted ? noted : "");
}

void bg_check_print_text(const struct bg_check *check, bool is_terminal)
{
	(void)printf("BREAKGLASS %s - %zu critical, %zu warning, %zu ok\n",
		levels[bg_check_worst(check)].text, count_level(check, BG_LEVEL_CRITICAL),
		count_level(check, BG_LEVEL_WARNING), count_level(check, BG_LEVEL_OK));
	/* the worst first: people read the top */
	for (int level = BG_LEVEL_CRITICAL; level >= BG_LEVEL_OK; level--) {
		for (size_t i = 0; i < check->count; i++) {
			const struct bg_check_finding *finding = &check->findings[i];

			if ((int)finding->level != level)
				continue;
			if (!is_terminal)
				print_line(finding);
			else if (level != BG_LEVEL_OK)
				print_block(finding);
		}
	}
	if (is_terminal)
		print_good(check);
}

static void print_json_value(const char *name, const char *value, const char *end)
{
	uint8_t buf[6 * sizeof(((struct bg_check_finding *)0)->text)];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };

	bg_escape_json(&w, value, sizeof(((struct bg_check_finding *)0)->text));
	(void)printf("\"%s\":\"%.*s\"%s", name, (int)w.len, (const char *)buf, end);
}

void bg_check_print_json(const struct bg_check *check)
{
	(void)printf("{\"schema\":1,\"status\":\"%s\",\"critical\":%zu,\"warning\":%zu,\"ok\":%zu,"
		     "\"findings\":[",
		levels[bg_check_worst(check)].text, count_level(check, BG_LEVEL_CRITICAL),
		count_level(check, BG_LEVEL_WARNING), count_level(check, BG_LEVEL_OK));
	for (size_t i = 0; i < check->count; i++) {
		const struct bg_check_finding *finding = &check->findings[i];

		(void)printf("%s{", i ? "," : "");
		print_json_value("level", levels[finding->level].text, ",");
		print_json_value("name", finding->name, ",");
		print_json_value("text", finding->text, ",");
		print_json_value("do", finding->todo, "}");
	}
	(void)printf("]}\n");
}
