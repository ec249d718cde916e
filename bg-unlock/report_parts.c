/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a report, a file each. What a source does not have is said in its file: an auditor
   must not take a missing file for nothing that happened. */
#include "bg-unlock.h"
#include "load.h"
#include "report.h"

#include <breakglass/os_helper.h>
#include <breakglass/paths.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_LEN	(16 * 1024)
#define PROGRAM_TIMEOUT 60
#define SELF_LEN	4096
#define AUDIT_ID_LEN	48

BG_PRINTF(2, 3)
static void say(struct bg_report *r, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bg_report_add(r, text, strlen(text));
}

static void say_line(struct bg_report *r, const char *line)
{
	bg_report_add(r, line, strlen(line));
	bg_report_add(r, "\n", 1);
}

/* What a program says is the part; its end if it failed. */
static void run(struct bg_report *r, const char *const argv[])
{
	size_t room = BG_REPORT_PART_LEN - r->len;
	char *out = r->text + r->len;
	struct bg_diag diag = { 0 };
	int status = 0;
	enum bg_err err = bg_program_run(argv, NULL, PROGRAM_TIMEOUT, out, room, &status, &diag);
	char line[256];

	out[room - 1] = '\0';
	r->len += strlen(out);
	r->is_cut = r->is_cut || strlen(out) == room - 1;
	if (err != BG_OK) {
		bg_diag_format(&diag, err, line, sizeof(line));
		say(r, "(not to be had on this host: %s)\n", line);
	} else if (r->len == 0) {
		say(r, "(nothing; %s ended with status %d)\n", argv[0], status);
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
		say(r, "(this program cannot be found)\n");
		return;
	}
	self[n] = '\0';
	run(r, argv);
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
	run(r, argv);
}

/* Calls each with every line of a file, without its end; false: there is no such file. */
static bool each_line(const char *path, struct bg_report *r,
	void (*each)(struct bg_report *r, void *arg, const char *line), void *arg)
{
	char line[LINE_LEN];
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
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
		say_line(r, line);
}

static void make_syslog(struct bg_report *r)
{
	static const char *const files[] = { "/var/log/auth.log.1", "/var/log/auth.log",
		"/var/log/syslog.1", "/var/log/syslog", "/var/log/secure", "/var/log/messages" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (each_line(files[i], r, add_if_of_request, NULL))
			say(r, "(end of %s)\n", files[i]);
	if (r->len == 0)
		say(r, "(no syslog is kept on this host)\n");
}

static void put_time(int64_t ms, char *ret, size_t size)
{
	time_t secs = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&secs, &tm);
	(void)strftime(ret, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static void make_commands(struct bg_report *r)
{
	char who[48], since[48], until[48];
	const char *const argv[] = { "/usr/bin/journalctl", "-q", "--no-pager", "--utc", "-o",
		"short-iso-precise", who, since, until, NULL };

	if (r->uid == 0) {
		say(r, "(the account's uid is not known any more)\n");
		return;
	}
	(void)snprintf(who, sizeof(who), "_AUDIT_LOGINUID=%u", (unsigned int)r->uid);
	(void)snprintf(since, sizeof(since), "--since=");
	(void)snprintf(until, sizeof(until), "--until=");
	put_time(r->from_ms, since + 8, sizeof(since) - 8);
	put_time(r->to_ms + 1000, until + 8, sizeof(until) - 8);
	run(r, argv);
}

/* auditd's records of one event follow each other and share "SECONDS.MS:SERIAL". */
struct audit {
	char wanted[AUDIT_ID_LEN], auid[24];
	bool is_files;
};

/* The event's id within "msg=audit(ID)", and its time; false: no such line. */
static bool audit_id(const char *line, char ret[static AUDIT_ID_LEN], int64_t *ret_ms)
{
	const char *p = strstr(line, "msg=audit(");
	size_t len = p ? strcspn(p + 10, ")") : 0;

	if (len == 0 || len >= AUDIT_ID_LEN)
		return false;
	memcpy(ret, p + 10, len);
	ret[len] = '\0';
	*ret_ms = (int64_t)strtoll(ret, NULL, 10) * 1000;
	return true;
}

static void add_if_audited(struct bg_report *r, void *arg, const char *line)
{
	struct audit *audit = arg;
	char id[AUDIT_ID_LEN];
	int64_t ms;

	if (!audit_id(line, id, &ms) || ms + 1000 < r->from_ms || ms > r->to_ms)
		return;
	if (strstr(line, audit->auid))
		memcpy(audit->wanted, id, sizeof(id));
	if (strcmp(audit->wanted, id) != 0)
		return;
	if (!audit->is_files ||
		(strstr(line, "type=PATH") && !strstr(line, "nametype=PARENT") &&
			(strstr(line, "nametype=CREATE") || strstr(line, "nametype=DELETE") ||
				strstr(line, "nametype=NORMAL"))))
		say_line(r, line);
}

static void audit_lines(struct bg_report *r, bool is_files)
{
	static const char *const files[] = { "/var/log/audit/audit.log.4",
		"/var/log/audit/audit.log.3", "/var/log/audit/audit.log.2",
		"/var/log/audit/audit.log.1", "/var/log/audit/audit.log" };
	struct audit audit = { .is_files = is_files };
	bool is_any = false;

	if (r->uid == 0) {
		say(r, "(the account's uid is not known any more)\n");
		return;
	}
	(void)snprintf(audit.auid, sizeof(audit.auid), " auid=%u ", (unsigned int)r->uid);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		is_any |= each_line(files[i], r, add_if_audited, &audit);
	if (!is_any)
		say(r, "(auditd keeps no log on this host)\n");
	else if (r->len == 0)
		say(r, "(auditd's log has nothing of it)\n");
}

static void make_audit(struct bg_report *r)
{
	audit_lines(r, false);
}

static void make_files(struct bg_report *r)
{
	audit_lines(r, true);
}

static void make_recording(struct bg_report *r)
{
	static const char *const argv[] = { "/usr/sbin/auditctl", "-l", NULL };
	static const char *const found[] = { "/var/log/sudo-io", "/var/log/audit/audit.log",
		"/usr/bin/tlog-rec-session" };

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		say(r, "%s: %s\n", found[i], access(found[i], F_OK) == 0 ? "there" : "not there");
	say(r, "auditd's rules, as they are now:\n");
	run(r, argv);
}

/* Who and what, of the seal that the use was opened by; nothing that opens anything. */
static void make_seal(struct bg_report *r)
{
	static struct bg_seal seal;
	char path[256], hex[2 * BG_SHA256_LEN + 1];

	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%.32s/seal.%u", r->account,
		(unsigned int)r->epoch);
	if (r->epoch == 0 || bg_load_seal(r->crypto, path, &seal) != BG_EXIT_DONE) {
		say(r, "(the seal of epoch %u is not here)\n", (unsigned int)r->epoch);
		return;
	}
	bg_hex_encode(seal.digest, sizeof(seal.digest), hex);
	say(r, "account    %s\nzone       %s\ncreated    %s\nepoch      %u\nSHA-256    %s\n",
		seal.account, seal.zone, seal.created, (unsigned int)seal.epoch, hex);
	bg_hex_encode(seal.set_id, sizeof(seal.set_id), hex);
	say(r, "set        %s\nquorum     %u of %zu\n", hex, (unsigned int)seal.threshold,
		seal.custodian_count);
	for (size_t i = 0; i < seal.custodian_count; i++)
		say(r, "custodian  %s\n", seal.custodians[i].name);
	for (size_t i = 0; i < seal.key_count; i++)
		say(r, "key        %s, held by %s\n", seal.keys[i].name, seal.keys[i].holder);
	say(r, "session    %u seconds\n", (unsigned int)seal.policy.session_secs);
}

const struct bg_report_part bg_report_parts[] = {
	{ "story.txt", "what happened, told", make_story },
	{ "records.json", "its records in the chain, as they stand there", make_records },
	{ "journal.json", "the same in the journal", make_journal },
	{ "syslog.txt", "the same in syslog", make_syslog },
	{ "verify.txt", "whether the whole chain is whole", make_verify },
	{ "commands.txt", "what the account's sessions left in the journal (sudo)", make_commands },
	{ "audit.txt", "auditd's records of the account's sessions", make_audit },
	{ "files.txt", "files that they named, as far as auditd's rules look", make_files },
	{ "recording.txt", "what records, at the time of this report", make_recording },
	{ "seal.txt", "who and what opens the account", make_seal },
	{ "check.json", "the host's state, at the time of this report", make_check },
	{ NULL, NULL, NULL },
};
