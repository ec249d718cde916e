/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/sources.h>

#include <stdio.h>
#include <string.h>

void bg_sources_find(const char *text, const char *database, char ret[static BG_SOURCES_LEN])
{
	size_t name = strlen(database);

	ret[0] = '\0';
	for (const char *line = text; *line != '\0'; line += *line == '\n') {
		const char *p = line + strspn(line, " \t");

		line += strcspn(line, "\n");
		if (strncmp(p, database, name) != 0 || p[name] != ':')
			continue;
		p += name + 1;
		p += strspn(p, " \t");
		(void)snprintf(ret, BG_SOURCES_LEN, "%.*s", (int)strcspn(p, "#\n"), p);
	}
}

bool bg_source_is_local(const char *source)
{
	return strcmp(source, "files") == 0 || strcmp(source, "compat") == 0 ||
	       strcmp(source, "systemd") == 0 || strcmp(source, "db") == 0;
}

/* [NOTFOUND=return !UNAVAIL=continue], with or without blanks around and in it. */
static void blank_actions(char *sources)
{
	bool is_action = false;

	for (char *p = sources; *p != '\0'; p++) {
		is_action = is_action || *p == '[';
		if (*p == ']')
			is_action = false;
		if (is_action || *p == ']')
			*p = ' ';
	}
}

bool bg_sources_first(const char *sources, bool before_local, char ret[static BG_SOURCE_LEN])
{
	char copy[BG_SOURCES_LEN], *rest = copy, *word;

	(void)snprintf(copy, sizeof(copy), "%s", sources);
	blank_actions(copy);
	while ((word = strsep(&rest, " \t")) != NULL) {
		if (word[0] == '\0')
			continue;
		if (bg_source_is_local(word) && before_local)
			return false;
		if (!bg_source_is_local(word)) {
			(void)snprintf(ret, BG_SOURCE_LEN, "%s", word);
			return true;
		}
	}
	return false;
}
