/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of a report: what sudo's I/O logs kept of a use, and what records at all. */
#include "bg-unlock.h"
#include "recording.h"
#include "report.h"

#include <breakglass/os_helper.h>
#include <breakglass/utf8.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IOLOG	    "/var/log/sudo-io"
#define REPLAY	    "/usr/bin/sudoreplay"
#define REPLAY_SECS 30
#define SHOWN_LEN   (1UL << 20) /* of one command */
#define LEVELS	    3

/* The two characters of a level of its folders. */
static int is_level(const struct dirent *entry)
{
	return strlen(entry->d_name) == 2 && isalnum((unsigned char)entry->d_name[0]) &&
	       isalnum((unsigned char)entry->d_name[1]);
}

/* What a terminal was told, as text: a reader's terminal is told nothing by it, also not by the
   control characters above 0x7f. */
static void add_shown(struct bg_report *r, const char *text, size_t len)
{
	while (len > 0) {
		uint32_t c = 0;
		size_t n = bg_utf8_next(text, len, &c), taken = n > 0 ? n : 1;
		bool is_shown =
			n > 0 && (c == '\n' || c == '\t' || (c != '\r' && bg_utf8_is_printable(c)));

		if (is_shown || *text != '\r')
			bg_report_add(r, is_shown ? text : "?", is_shown ? n : 1);
		text += taken;
		len -= taken;
	}
}

/* sudoreplay's own first line: what the command showed is behind it. */
static size_t head_len(const char *out, const char *command)
{
	static const char head[] = "Replaying sudo session: ";
	size_t len = strlen(command), at = strlen(head);

	if (strncmp(out, head, at) != 0 || strncmp(out + at, command, len) != 0)
		return 0;
	at += len;
	return at + strspn(out + at, "\r\n");
}

static void replay(struct bg_report *r, const char *folder, const char *command)
{
	static char out[SHOWN_LEN];
	const char *const argv[] = { REPLAY, "-n", "-R", "-m", "0", "-d", "/", folder + 1, NULL };
	struct bg_diag diag = { 0 };
	char line[256];
	size_t len = 0, head;
	int status = 0;
	enum bg_err err =
		bg_program_collect(argv, NULL, REPLAY_SECS, out, sizeof(out), &len, &status, &diag);

	if (err) {
		bg_diag_format(&diag, err, line, sizeof(line));
		bg_report_say(r, "(cannot be replayed: %s)\n", line);
		return;
	}
	head = head_len(out, command);
	add_shown(r, out + head, len - head);
	if (len == sizeof(out) - 1)
		bg_report_say(r, "\n(CUT: sudoreplay shows all of it)");
	bg_report_say(r, "\n");
}

/* Its log: "SECONDS:who:as whom:...", the folder, the command. */
static void tell(struct bg_report *r, const char *folder)
{
	char path[160], line[3][1024] = { "", "", "" };
	FILE *file;
	int64_t ms;

	(void)snprintf(path, sizeof(path), "%s/log", folder);
	file = fopen(path, "re");
	if (!file)
		return;
	for (size_t i = 0; i < 3 && fgets(line[i], sizeof(line[i]), file); i++)
		line[i][strcspn(line[i], "\n")] = '\0';
	(void)fclose(file);
	ms = (int64_t)strtoll(line[0], NULL, 10) * 1000;
	if (ms + 1000 < r->from_ms || ms > r->to_ms + 1000)
		return;
	bg_report_say(r, "== %s  (in ", folder);
	add_shown(r, line[1], strlen(line[1]));
	bg_report_say(r, ")\n$ ");
	add_shown(r, line[2], strlen(line[2]));
	bg_report_say(r, "\n");
	replay(r, folder, line[2]);
}

static void walk(struct bg_report *r, const char *folder, unsigned int level)
{
	struct dirent **found = NULL;
	char path[128];
	int count;

	if (level == LEVELS) {
		tell(r, folder);
		return;
	}
	count = scandir(folder, &found, is_level, alphasort);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%.100s/%.2s", folder, found[i]->d_name);
		walk(r, path, level + 1);
		free(found[i]);
	}
	free(found);
}

void bg_report_sudo_io(struct bg_report *r)
{
	char folder[128];

	(void)snprintf(folder, sizeof(folder), IOLOG "/%.32s", r->account);
	if (access(folder, F_OK) != 0) {
		bg_report_say(r, "(sudo keeps nothing of this account: no %s)\n", folder);
		return;
	}
	walk(r, folder, 0);
	if (r->len == 0)
		bg_report_say(r, "(nothing of this use below %s)\n", folder);
}

void bg_report_recording(struct bg_report *r)
{
	static const char *const argv[] = { BG_AUDITCTL, "-l", NULL };
	static const char *const found[] = { IOLOG, "/var/log/audit/audit.log", BG_PATH_TLOG_REC };
	const struct bg_tree tree = { .is_host = true, .root = "/" };
	char words[BG_RECORDING_LEN] = "", path[BG_TREE_PATH_LEN];
	struct bg_diag diag = { 0 };
	struct bg_host host;

	if (bg_account_host(&tree, r->account, &host, &diag) == BG_OK)
		bg_recording_text(host.recording, words);
	bg_report_say(
		r, "install --record: %s\n", words[0] ? words : "none, or not known any more");
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		bg_report_say(r, "%s: %s\n", found[i],
			access(found[i], F_OK) == 0 ? "there" : "not there");
	bg_audit_path(r->account, path);
	bg_report_say(r, "%s: %s\nauditd's rules, as they are now:\n", path,
		access(path, F_OK) == 0 ? "there" : "not there");
	bg_report_run(r, argv);
}
