/* SPDX-License-Identifier: BSD-2-Clause */
/* `log report`: the parts are made in a private folder, each with its hash in a manifest, and put
   into one tar file that replaces nothing. */
#include "report.h"
#include "bg-unlock.h"
#include "doors.h"

#include <breakglass/event_time.h>
#include <breakglass/os_helper.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MANIFEST "SHA256SUMS"
#define README	 "README.txt"
#define TAR	 "report.tar"
#define PATH_LEN 256

#define KILLED_MS      60000
#define SESSION_MAX_MS 86400000 /* no seal allows more */

/* The folder that it is made in, removed at the end with all that is in it. */
struct place {
	char top[64], name[64]; /* top/name is what is put into the tar */
	int dir;
	char manifest[4096], readme[4096];
};

void bg_report_add(struct bg_report *report, const char *text, size_t len)
{
	size_t room = BG_REPORT_PART_LEN - 1 - report->len;

	if (len > room) {
		report->is_cut = true;
		len = room;
	}
	memcpy(report->text + report->len, text, len);
	report->len += len;
	report->text[report->len] = '\0';
}

static void place_leave(struct place *place)
{
	char path[PATH_LEN];

	if (place->top[0] == '\0')
		return;
	for (const struct bg_report_part *part = bg_report_parts; part->name; part++)
		if (place->dir >= 0)
			(void)unlinkat(place->dir, part->name, 0);
	if (place->dir >= 0) {
		(void)unlinkat(place->dir, MANIFEST, 0);
		(void)unlinkat(place->dir, README, 0);
		(void)close(place->dir);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", place->top, place->name);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/" TAR, place->top);
	(void)unlink(path);
	(void)rmdir(place->top);
}

static bool place_make(struct place *place, const char *short_id)
{
	char path[PATH_LEN], top[] = "/var/tmp/breakglass-report-XXXXXX";

	if (!mkdtemp(top))
		return false;
	(void)snprintf(place->top, sizeof(place->top), "%s", top);
	(void)snprintf(place->name, sizeof(place->name), "breakglass-report-%s", short_id);
	(void)snprintf(path, sizeof(path), "%s/%s", place->top, place->name);
	if (mkdir(path, 0700) == 0)
		place->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return place->dir >= 0;
}

static bool write_file(const struct place *place, const char *name, const char *text, size_t len)
{
	int fd = openat(place->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_ok = fd >= 0;

	while (is_ok && len > 0) {
		ssize_t n = write(fd, text, len);

		is_ok = n > 0 || (n < 0 && errno == EINTR);
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && close(fd) != 0)
		is_ok = false;
	return is_ok;
}

static void append(char *text, size_t size, const char *line)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, size - len, "%s", line);
}

/* One line of sha256sum(1) for what was written. */
static bool seal_file(struct place *place, struct bg_crypto *crypto, const char *name,
	const char *text, size_t len)
{
	uint8_t hash[BG_SHA256_LEN];
	char hex[2 * BG_SHA256_LEN + 1], line[128];

	if (!write_file(place, name, text, len) || bg_sha256(crypto, text, len, hash) != BG_OK)
		return false;
	bg_hex_encode(hash, sizeof(hash), hex);
	(void)snprintf(line, sizeof(line), "%s  %s\n", hex, name);
	append(place->manifest, sizeof(place->manifest), line);
	return true;
}

static bool make_parts(struct place *place, struct bg_report *report)
{
	char line[160];

	for (const struct bg_report_part *part = bg_report_parts; part->name; part++) {
		report->len = 0;
		report->is_cut = false;
		report->text[0] = '\0';
		part->make(report);
		(void)snprintf(line, sizeof(line), "%-14s %s%s\n", part->name, part->what,
			report->is_cut ? " (CUT: more than 64 MiB)" : "");
		append(place->readme, sizeof(place->readme), line);
		if (!seal_file(place, report->crypto, part->name, report->text, report->len))
			return false;
	}
	return true;
}

static bool make_manifest(
	struct place *place, struct bg_report *report, const struct bg_log_totals *totals)
{
	char line[256], hash[2 * BG_SHA256_LEN + 1];

	bg_hex_encode(totals->hash, sizeof(totals->hash), hash);
	(void)snprintf(line, sizeof(line),
		"\nrequest %s\nmade when the log's last record was %" PRIu64 ":%s\n" MANIFEST
		" holds the SHA-256 of each file (sha256sum -c).\n",
		report->id, totals->seq, hash);
	append(place->readme, sizeof(place->readme), line);
	return seal_file(place, report->crypto, README, place->readme, strlen(place->readme)) &&
	       write_file(place, MANIFEST, place->manifest, strlen(place->manifest));
}

/* Of the finished tar into output, which must not be there yet. */
static bool copy_out(const char *path, const char *output)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = open(output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool is_ok = from >= 0 && to >= 0;
	int kept = errno;
	ssize_t n = 1;

	while (is_ok && (n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	kept = is_ok ? errno : kept;
	is_ok = is_ok && n == 0 && fsync(to) == 0;
	if (from >= 0)
		(void)close(from);
	if (to >= 0)
		(void)close(to);
	if (to >= 0 && !is_ok)
		(void)unlink(output);
	errno = kept;
	return is_ok;
}

static int put_tar(const struct place *place, const char *output)
{
	char path[PATH_LEN], out[512];
	const char *const argv[] = { "/usr/bin/tar", "--create", "--file", path, "--directory",
		place->top, "--owner=root:0", "--group=root:0", "--sort=name", place->name, NULL };
	struct bg_diag diag = { 0 };
	int status = 0;
	enum bg_err err;

	(void)snprintf(path, sizeof(path), "%s/" TAR, place->top);
	err = bg_program_run(argv, NULL, 120, out, sizeof(out), &status, &diag);
	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	if (status != 0) {
		bg_error("tar ended with status %d", status);
		return BG_EXIT_MACHINE;
	}
	if (!copy_out(path, output)) {
		bg_error("%s: %s", output, strerror(errno));
		bg_hint("--output FILE writes it elsewhere; nothing is replaced");
		return BG_EXIT_MACHINE;
	}
	return BG_EXIT_DONE;
}

/* When its sessions were over, as far as the records seen so far say. */
struct ends {
	unsigned int open;
	int64_t opened_ms, ended_ms; /* the last ones */
};

static void take_end(struct ends *ends, const struct bg_entry_line *e, int64_t ms)
{
	if (bg_story_is_event(e, "SESSION_OPENED")) {
		ends->open++;
		ends->opened_ms = ms;
	} else if (bg_story_is_event(e, "SESSION_CLOSED")) {
		ends->open -= ends->open > 0;
		ends->ended_ms = ms;
	} else if (bg_story_is_event(e, "SESSION_EXPIRED") || bg_story_is_event(e, "REVOKED")) {
		ends->ended_ms = ms + KILLED_MS; /* the watchdog ends each of them */
	}
}

/* Until now, while a session may be open: one whose end nobody recorded, no longer than any may be.
 */
static int64_t end_of(const struct ends *ends, int64_t now)
{
	int64_t latest = ends->opened_ms + SESSION_MAX_MS;

	if (ends->open == 0 && ends->ended_ms > 0)
		return ends->ended_ms;
	return ends->opened_ms > 0 && latest < now ? latest : now;
}

/* When it began, and when the last of it ended but for its review; who. */
static void take_facts(struct bg_report *report)
{
	const struct bg_tree tree = { .is_host = true, .root = "/" };
	struct ends ends = { 0 };
	struct bg_diag diag = { 0 };
	struct bg_host host;
	char text[BG_VALUE_LEN];
	int64_t ms;

	for (const struct bg_entry_line *e = report->chapter->first; e; e = e->next) {
		bg_story_value(e, "time", text);
		if (!bg_event_time_read(text, &ms))
			continue;
		report->from_ms = report->from_ms ? report->from_ms : ms;
		take_end(&ends, e, ms);
		bg_story_value(e, "epoch", text);
		report->epoch = text[0] ? (uint32_t)strtoul(text, NULL, 10) : report->epoch;
	}
	report->to_ms = end_of(&ends, (int64_t)time(NULL) * 1000);
	(void)snprintf(report->account, sizeof(report->account), "%s", report->chapter->account);
	if (bg_is_account(report->account, BG_PAM_NAME_LEN) &&
		bg_account_host(&tree, report->account, &host, &diag) == BG_OK)
		report->uid = host.uid;
}

static int make(struct bg_report *report, const struct bg_log_totals *totals, const char *output)
{
	BG_WIPE(place_leave) struct place place = { .dir = -1 };
	char short_id[BG_SHORT_ID_LEN + 1] = "", usual[PATH_LEN];
	uint8_t bytes[3];
	int status;

	if (bg_hex_decode(report->id, 6, bytes, sizeof(bytes)))
		bg_short_id(bytes, short_id);
	take_facts(report);
	if (!place_make(&place, short_id) || !make_parts(&place, report) ||
		!make_manifest(&place, report, totals)) {
		bg_error("/var/tmp: the report cannot be written: %s", strerror(errno));
		return BG_EXIT_MACHINE;
	}
	(void)snprintf(usual, sizeof(usual), "%s.tar", place.name);
	status = put_tar(&place, output ? output : usual);
	if (status == BG_EXIT_DONE)
		(void)printf("%s\n", output ? output : usual);
	return status;
}

int bg_log_report(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	__attribute__((cleanup(bg_story_free))) struct bg_story *story = bg_story_new();
	const struct bg_log_visitor visitor = { story, bg_story_add, NULL };
	struct bg_report report = { .crypto = crypto };
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	if (geteuid() != 0) {
		bg_error("a report is root's to make");
		return BG_EXIT_MACHINE;
	}
	err = story ? bg_log_read(crypto, &visitor, &totals, &diag) : BG_ERR_MEMORY;
	if (err == BG_OK && !bg_story_is_whole(story))
		err = BG_ERR_MEMORY;
	if (err != BG_OK)
		return bg_log_fail(err, &diag);
	status = bg_log_choose(story, options->request, &report.chapter);
	if (status != BG_EXIT_DONE)
		return status;
	report.id = report.chapter->digest[0] ? report.chapter->digest : report.chapter->nonce;
	report.text = malloc(BG_REPORT_PART_LEN);
	if (!report.text)
		return bg_fail(BG_ERR_MEMORY, NULL, NULL);
	if (totals.damages)
		bg_note("the log is damaged: verify.txt in the report says where");
	status = make(&report, &totals, options->output);
	free(report.text);
	return status;
}
