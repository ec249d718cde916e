/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a report, a file each. What a source does not have is said in its file: an auditor
   must not take a missing file for nothing that happened. */
#include "bg-unlock.h"
#include "load.h"
#include "report.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_LEN	(16 * 1024)
#define PROGRAM_TIMEOUT 60
#define SELF_LEN	4096

void bg_report_say(struct bg_report *r, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bg_report_add(r, text, strlen(text));
}

void bg_report_line(struct bg_report *r, const char *line)
{
	bg_report_add(r, line, strlen(line));
	bg_report_add(r, "\n", 1);
}

void bg_report_run(struct bg_report *r, const char *const argv[])
{
	size_t room = BG_REPORT_PART_LEN - r->len;
	char *out = r->text + r->len;
	struct bg_diag diag = { 0 };
	size_t len = 0;
	int status = 0;
	enum bg_err err =
		bg_program_collect(argv, NULL, PROGRAM_TIMEOUT, out, room, &len, &status, &diag);
	char line[256];

	r->len += len;
	r->is_cut = r->is_cut || len == room - 1;
	if (err != BG_OK) {
		bg_diag_format(&diag, err, line, sizeof(line));
		bg_report_say(r, "(not to be had on this host: %s)\n", line);
	} else if (r->len == 0) {
		bg_report_say(r, "(nothing; %s ended with status %d)\n", argv[0], status);
	}
}

/* This very program with other arguments. */
static void run_self(struct bg_report *r, const char *verb, const char *part, const char *option,
	const char *more)
{
	char self[SELF_LEN];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *const argv[] = { self, verb, part, option, more, NULL };

	if (n <= 0) {
		bg_report_say(r, "(this program cannot be found)\n");
		return;
	}
	self[n] = '\0';
	bg_report_run(r, argv);
}

static void make_story(struct bg_report *r)
{
	run_self(r, "log", "show", r->id, NULL);
}

static void make_records(struct bg_report *r)
{
	run_self(r, "log", "show", "--json", r->id);
}

static void make_verify(struct bg_report *r)
{
	run_self(r, "log", "verify", NULL, NULL);
}

static void make_check(struct bg_report *r)
{
	run_self(r, "check", "--json", NULL, NULL);
}

static void make_journal(struct bg_report *r)
{
	char match[BG_DIGEST_CHARS + 32], before[BG_DIGEST_CHARS + 32];
	const char *const argv[] = { "/usr/bin/journalctl", "-q", "--no-pager", "-o", "json",
		"_TRANSPORT=journal", "_UID=0", match, r->chapter->nonce[0] ? before : NULL, NULL };

	(void)snprintf(match, sizeof(match), "BREAKGLASS_REQUEST=%s", r->id);
	(void)snprintf(before, sizeof(before), "BREAKGLASS_REQUEST=%s", r->chapter->nonce);
	bg_report_run(r, argv);
}

bool bg_report_each_line(const char *path, struct bg_report *r,
	void (*each)(struct bg_report *r, void *arg, const char *line), void *arg)
{
	char line[LINE_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;

	if (!file) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		each(r, arg, line);
	}
	(void)fclose(file);
	return true;
}

static void add_if_of_request(struct bg_report *r, void *arg, const char *line)
{
	(void)arg;
	if (strstr(line, r->id) || (r->chapter->nonce[0] && strstr(line, r->chapter->nonce)))
		bg_report_line(r, line);
}

static void make_syslog(struct bg_report *r)
{
	static const char *const files[] = { "/var/log/auth.log.1", "/var/log/auth.log",
		"/var/log/syslog.1", "/var/log/syslog", "/var/log/secure", "/var/log/messages" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (bg_report_each_line(files[i], r, add_if_of_request, NULL))
			bg_report_say(r, "(end of %s)\n", files[i]);
	if (r->len == 0)
		bg_report_say(r, "(no syslog is kept on this host)\n");
}

static void put_time(int64_t ms, char *ret, size_t size)
{
	time_t secs = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&secs, &tm);
	(void)strftime(ret, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

/* The journal of the account's own processes, while the use lasted. */
static void make_of_journal(struct bg_report *r, const char *field, const char *output,
	const char *match, const char *or_match)
{
	char who[48], since[48], until[48];
	const char *const argv[] = { "/usr/bin/journalctl", "-q", "--no-pager", "--utc", "-o",
		output, who, since, until, match, or_match, NULL };

	if (r->uid == 0) {
		bg_report_say(r, "(the account's uid is not known any more)\n");
		return;
	}
	(void)snprintf(who, sizeof(who), "%s=%u", field, (unsigned int)r->uid);
	(void)snprintf(since, sizeof(since), "--since=");
	(void)snprintf(until, sizeof(until), "--until=");
	put_time(r->from_ms, since + 8, sizeof(since) - 8);
	put_time(r->to_ms + 1000, until + 8, sizeof(until) - 8);
	bg_report_run(r, argv);
}

static void make_sudo(struct bg_report *r)
{
	make_of_journal(r, "_AUDIT_LOGINUID", "short-iso-precise", "SYSLOG_IDENTIFIER=sudo",
		"SYSLOG_IDENTIFIER=su");
}

/* As tlog wrote it: tlog-play --reader=file --file-path=tlog.json plays it. */
static void make_tlog(struct bg_report *r)
{
	make_of_journal(r, "_UID", "cat", "SYSLOG_IDENTIFIER=breakglass-tlog", NULL);
}

/* Who and what, of the seal that the use was opened by; nothing that opens anything. */
static void make_seal(struct bg_report *r)
{
	static struct bg_seal seal;
	char path[256], hex[2 * BG_SHA256_LEN + 1];

	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%.32s/seal.%u", r->account,
		(unsigned int)r->epoch);
	if (r->epoch == 0 || bg_load_seal(r->crypto, path, &seal) != BG_EXIT_DONE) {
		bg_report_say(r, "(the seal of epoch %u is not here)\n", (unsigned int)r->epoch);
		return;
	}
	bg_hex_encode(seal.digest, sizeof(seal.digest), hex);
	bg_report_say(r,
		"account    %s\nzone       %s\ncreated    %s\nepoch      %u\nSHA-256    %s\n",
		seal.account, seal.zone, seal.created, (unsigned int)seal.epoch, hex);
	bg_hex_encode(seal.set_id, sizeof(seal.set_id), hex);
	bg_report_say(r, "set        %s\nquorum     %u of %zu\n", hex, (unsigned int)seal.threshold,
		seal.custodian_count);
	for (size_t i = 0; i < seal.custodian_count; i++)
		bg_report_say(r, "custodian  %s\n", seal.custodians[i].name);
	for (size_t i = 0; i < seal.key_count; i++)
		bg_report_say(
			r, "key        %s, held by %s\n", seal.keys[i].name, seal.keys[i].holder);
	bg_report_say(r, "session    %u seconds\n", (unsigned int)seal.policy.session_secs);
}

const struct bg_report_part bg_report_parts[] = {
	{ "story.txt", "what happened, told", make_story },
	{ "records.json", "its records in the chain, as they stand there", make_records },
	{ "journal.json", "the same in the journal", make_journal },
	{ "syslog.txt", "the same in syslog, but for what is compressed already", make_syslog },
	{ "verify.txt", "whether the whole chain is whole", make_verify },
	{ "commands.txt", "every command of the account's sessions that auditd saw",
		bg_report_commands },
	{ "files.txt", "files that they changed, as far as auditd's rules look", bg_report_files },
	{ "audit.txt", "auditd's own records of all that", bg_report_audit },
	{ "sudo.txt", "what the account's sessions left in the journal (sudo and su)", make_sudo },
	{ "sudo-io.txt", "what sudo's commands showed, where sudo keeps that", bg_report_sudo_io },
	{ "tlog.json", "what its terminals showed, where tlog records (tlog-play plays it)",
		make_tlog },
	{ "recording.txt", "what records, at the time of this report", bg_report_recording },
	{ "seal.txt", "who and what opens the account", make_seal },
	{ "check.json", "the host's state, at the time of this report", make_check },
	{ NULL, NULL, NULL },
};
