/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `check --announce`: records CHECK_FAILED, which alerts, when something has
 * become critical that was not when it last ran; what stays so is not said again
 * each day. What was critical stands in a file, a name on each line.
 */
#include "check.h"
#include "bg-unlock.h"

#include <breakglass/os_file.h>
#include <breakglass/os_log.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANNOUNCED  BG_PATH_VAR "/announced"
#define NAMES_LEN  (BG_FINDINGS_MAX * sizeof(((struct bg_check_finding *)0)->name))
#define RESULT_LEN 400

/* Is it one of the lines of text? */
static bool has_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; *p != '\0'; p = *(p += strcspn(p, "\n")) ? p + 1 : p)
		if (strncmp(p, name, len) == 0 && p[len] == '\n')
			return true;
	return false;
}

/* The names of critical findings, each once, a line each. */
static size_t list(const struct bg_check *check, char ret[static NAMES_LEN])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < check->count; i++) {
		const char *name = check->findings[i].name;

		if (check->findings[i].level != BG_LEVEL_CRITICAL || has_line(ret, name) ||
			used + strlen(name) + 2 > NAMES_LEN)
			continue;
		used += (size_t)snprintf(ret + used, NAMES_LEN - used, "%s\n", name);
	}
	return used;
}

/* "pam, breakglass/seal" of those lines that are not in before; how many. */
static unsigned int list_new(const char *names, const char *before, char ret[static RESULT_LEN])
{
	char name[sizeof(((struct bg_check_finding *)0)->name)];
	unsigned int count = 0;
	size_t used = 0;

	ret[0] = '\0';
	for (const char *p = names; *p != '\0'; p += strcspn(p, "\n") + 1) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "\n"), p);
		if (has_line(before, name))
			continue;
		if (used + strlen(name) + 3 < RESULT_LEN)
			used += (size_t)snprintf(
				ret + used, RESULT_LEN - used, "%s%s", count ? ", " : "", name);
		count++;
	}
	return count;
}

static bool record(const struct bg_check *check, const char *names)
{
	char result[RESULT_LEN + 32], host[256] = "";
	struct bg_event event = {
		.id = BG_EV_CHECK_FAILED, .host = check->label, .result = result, .severity = -1
	};
	struct bg_emitted emitted = { 0 };

	/* where the file that has the label is what is broken */
	if (check->label[0] == '\0' && gethostname(host, sizeof(host) - 1) == 0)
		event.host = host;

	(void)snprintf(result, sizeof(result), "critical: %s", names);
	bg_log_event(check->crypto, "bg-unlock", &event, false, &emitted);
	return emitted.in_chain;
}

enum bg_err bg_check_announce(const struct bg_check *check, struct bg_diag *diag)
{
	static char before[NAMES_LEN], now[NAMES_LEN];
	char fresh[RESULT_LEN];
	size_t len = 0, used = list(check, now);
	enum bg_err err =
		bg_file_read(ANNOUNCED, BG_FILE_PRIVATE, before, sizeof(before), &len, diag);

	/* one that cannot be read: said once too often rather than not at all */
	if (err)
		before[0] = '\0';
	if (err == BG_OK && strcmp(before, now) == 0)
		return BG_OK;
	/* what could not be recorded is tried again the next time */
	if (list_new(now, before, fresh) > 0 && !record(check, fresh))
		return bg_diag_set(diag, BG_ERR_IO, "log", "CHECK_FAILED could not be recorded");
	return bg_file_replace(ANNOUNCED, 0, 0600, now, used, diag);
}
