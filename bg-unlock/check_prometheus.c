/* SPDX-License-Identifier: BSD-2-Clause */
/* `check --prometheus FILE`: for the node exporter's textfile collector. No text of a finding goes
   there: names and levels only. */
#include "check.h"

#include <breakglass/os_file.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char text[BG_FINDINGS_MAX * 128];
static size_t used;

static void add(const char *fmt, ...) BG_PRINTF(1, 2);
static void add(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text + used, sizeof(text) - used, fmt, args);
	va_end(args);
	used = n < 0 || (size_t)n >= sizeof(text) - used ? sizeof(text) : used + (size_t)n;
}

static void head(const char *name, const char *help)
{
	add("# HELP breakglass_check_%s %s\n# TYPE breakglass_check_%s gauge\n", name, help, name);
}

/* The worst finding of a name, told at its first. */
static void add_row(const struct bg_check *check, size_t at)
{
	const char *name = check->findings[at].name, *slash = strchr(name, '/');
	enum bg_level level = check->findings[at].level;

	for (size_t i = 0; i < check->count; i++) {
		if (strcmp(check->findings[i].name, name) != 0)
			continue;
		if (i < at)
			return;
		if (check->findings[i].level > level)
			level = check->findings[i].level;
	}
	/* names of accounts and rows have no character that would have to be escaped */
	add("breakglass_check_row{account=\"%.*s\",row=\"%s\"} %d\n",
		slash ? (int)(slash - name) : 0, name, slash ? slash + 1 : name, (int)level);
}

enum bg_err bg_check_prometheus(
	const struct bg_check *check, int status, const char *path, struct bg_diag *diag)
{
	static const char *const levels[] = { "ok", "warning", "critical" };

	used = 0;
	head("status", "Worst level of bg-unlock check: 0 ok, 1 warning, 2 critical, 3 unknown.");
	add("breakglass_check_status %d\n", status);
	head("time_seconds", "When bg-unlock check ran, seconds since 1970.");
	add("breakglass_check_time_seconds %lld\n", (long long)time(NULL));
	head("findings", "Findings of bg-unlock check by level.");
	for (int level = BG_LEVEL_OK; level <= BG_LEVEL_CRITICAL; level++) {
		unsigned int n = 0;

		for (size_t i = 0; i < check->count; i++)
			n += (int)check->findings[i].level == level;
		add("breakglass_check_findings{level=\"%s\"} %u\n", levels[level], n);
	}
	if (check->count > 0)
		head("row", "Worst level of each row of bg-unlock check.");
	for (size_t i = 0; i < check->count; i++)
		add_row(check, i);
	if (used >= sizeof(text))
		return bg_diag_set(diag, BG_ERR_TOO_BIG, path, "too many findings");
	return bg_file_replace(path, BG_FILE_ANY_FOLDER, 0644, text, used, diag);
}
