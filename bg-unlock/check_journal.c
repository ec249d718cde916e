/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can somebody in a session crowd its records out of the journal? journald drops
 * what a service or session sends beyond a ration (journald.conf(5)), before it
 * looks at who sent it; syslog is served first. Every Debian has that ration, and
 * chain and alerts are not in it, so it is said and nothing turns by it.
 */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64
#define NAME_LEN  128
#define MAIN_FILE "journald.conf"
#define DROP_INS  MAIN_FILE ".d"

/* systemd's order: a file of a name hides the same in those behind it. */
static const char *const folders[] = { "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd",
	"/usr/lib/systemd" };
#define FOLDER_COUNT (sizeof(folders) / sizeof(folders[0]))

struct drop_in {
	char name[NAME_LEN];
	size_t folder;
};

struct ration {
	bool is_burst_zero, is_interval_zero;
	size_t count;
	struct drop_in drop_ins[FILES_MAX];
};

/* "0", "0s": either of them, and there is no ration. */
static bool is_zero(const char *value)
{
	return strpbrk(value, "0123456789") && !strpbrk(value, "123456789");
}

static char *trim(char *line)
{
	size_t len;

	line += strspn(line, " \t");
	for (len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]); len--)
		line[len - 1] = '\0';
	return line;
}

/* What stands last holds. */
static void read_file(struct ration *ration, const struct bg_tree *tree, const char *path)
{
	static char text[BG_INI_FILE_LEN + 1];
	char *rest = text, *line, *value;
	bool is_ours = false;
	size_t len = 0;

	if (bg_tree_read(tree, path, text, sizeof(text), &len, NULL) != BG_OK)
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line = trim(line);
		if (*line == '[')
			is_ours = strcmp(line, "[Journal]") == 0;
		value = strchr(line, '=');
		if (!is_ours || !value)
			continue;
		*value++ = '\0';
		line = trim(line);
		if (strcmp(line, "RateLimitBurst") == 0)
			ration->is_burst_zero = is_zero(value);
		else if (strcmp(line, "RateLimitIntervalSec") == 0 ||
			 strcmp(line, "RateLimitInterval") == 0)
			ration->is_interval_zero = is_zero(value);
	}
}

static bool is_drop_in(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && len < NAME_LEN && strcmp(name + len - 5, ".conf") == 0;
}

static void add_drop_in(struct ration *ration, const char *name, size_t folder)
{
	for (size_t i = 0; i < ration->count; i++)
		if (strcmp(ration->drop_ins[i].name, name) == 0)
			return; /* hidden */
	if (ration->count == FILES_MAX)
		return;
	(void)snprintf(ration->drop_ins[ration->count].name, NAME_LEN, "%s", name);
	ration->drop_ins[ration->count++].folder = folder;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static void list_drop_ins(struct ration *ration, const struct bg_tree *tree)
{
	const struct dirent *entry;
	char path[BG_TREE_PATH_LEN];
	DIR *d;

	for (size_t i = 0; i < FOLDER_COUNT; i++) {
		(void)snprintf(path, sizeof(path), "%s/" DROP_INS, folders[i]);
		d = opendir(bg_tree_path(tree, path));
		/* cppcheck-suppress readdirCalled ; the stream is this function's own */
		while (d != NULL && (entry = readdir(d)) != NULL)
			if (is_drop_in(entry->d_name))
				add_drop_in(ration, entry->d_name, i);
		if (d != NULL)
			(void)closedir(d);
	}
	qsort(ration->drop_ins, ration->count, sizeof(ration->drop_ins[0]), compare);
}

static bool has_ration(const struct bg_tree *tree)
{
	static struct ration ration;
	char path[BG_TREE_PATH_LEN];

	ration = (struct ration){ 0 };
	for (size_t i = 0; i < FOLDER_COUNT; i++) {
		(void)snprintf(path, sizeof(path), "%s/" MAIN_FILE, folders[i]);
		if (!bg_tree_has(tree, path))
			continue;
		read_file(&ration, tree, path);
		break;
	}
	list_drop_ins(&ration, tree);
	for (size_t i = 0; i < ration.count; i++) {
		(void)snprintf(path, sizeof(path), "%s/" DROP_INS "/%s",
			folders[ration.drop_ins[i].folder], ration.drop_ins[i].name);
		read_file(&ration, tree, path);
	}
	return !ration.is_burst_zero && !ration.is_interval_zero;
}

void bg_check_journal(struct bg_check *check)
{
	const struct bg_tree *tree = &check->tree;

	if (!bg_tree_has(tree, "/usr/lib/systemd/systemd-journald") &&
		!bg_tree_has(tree, "/lib/systemd/systemd-journald"))
		return;
	if (!has_ration(tree))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "journald has no ration");
	else if (bg_tree_has(tree, "/usr/sbin/rsyslogd"))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"what journald drops of a session that floods it, syslog has");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK,
			"\"RateLimitBurst=0\" below \"[Journal]\" in "
			"/etc/systemd/journald.conf.d/breakglass.conf, then systemctl restart "
			"systemd-journald; or install rsyslog",
			"journald drops what a session sends beyond its ration, our records too, "
			"and no syslog has them: chain and alerts do");
}
