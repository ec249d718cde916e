/* SPDX-License-Identifier: BSD-2-Clause */
/* `log verify`: is the chain whole, and has it all that others know of it? */
#include "bg-unlock.h"
#include "log.h"

#include <breakglass/escape.h>
#include <breakglass/os_heads.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX 100 /* findings on stderr; the rest is counted */

/* Where syslog daemons leave authpriv on Debian and elsewhere, and what rotated last. */
static const char *const syslog_files[] = { "/var/log/auth.log", "/var/log/auth.log.1",
	"/var/log/syslog", "/var/log/syslog.1", "/var/log/secure", "/var/log/messages" };

void bg_log_print_finding(void *arg, const struct bg_finding *finding)
{
	char text[256];

	(void)arg;
	bg_finding_text(finding, text, sizeof(text));
	if (finding->kind == BG_FINDING_RESTART || finding->kind == BG_FINDING_BEGINS)
		bg_note("%s", text);
	else
		bg_error("%s", text);
}

void bg_log_json_finding(const struct bg_finding *finding)
{
	static const char *const kinds[] = {
		[BG_FINDING_CHANGED] = "changed",
		[BG_FINDING_MALFORMED] = "malformed",
		[BG_FINDING_REMOVED] = "removed",
		[BG_FINDING_MOVED] = "moved",
		[BG_FINDING_CUT] = "cut",
		[BG_FINDING_BEGINS] = "begins",
		[BG_FINDING_RESTART] = "restart",
		[BG_FINDING_LOST] = "lost",
	};

	(void)printf("\n{\"kind\":\"%s\",\"file\":\"%s\",\"line\":%u,\"seq\":%" PRIu64
		     ",\"last_seq\":%" PRIu64 "}",
		kinds[finding->kind], finding->file, finding->line, finding->seq,
		finding->last_seq);
}

int bg_log_conclude(uint64_t damages)
{
	if (damages == 0)
		return BG_EXIT_DONE;
	bg_hint("compare BREAKGLASS_CHAIN of the copies in the journal (and chain= in syslog): "
		"journalctl -o verbose _TRANSPORT=journal _UID=0 "
		"SYSLOG_IDENTIFIER=pam_breakglass SYSLOG_IDENTIFIER=bg-unlock "
		"SYSLOG_IDENTIFIER=breakglass-carry");
	return BG_EXIT_NO;
}

int bg_log_fail_json(enum bg_err err, const struct bg_diag *diag)
{
	(void)printf("],\"error\":\"%s\"}\n", bg_err_text(err));
	return bg_log_fail(err, diag);
}

int bg_log_fail(enum bg_err err, const struct bg_diag *diag)
{
	return bg_fail(
		err, diag, err == BG_ERR_NOENT ? "nothing was recorded on this host yet" : NULL);
}

struct verify {
	struct bg_crypto *crypto;
	const struct bg_log_options *options;
	struct bg_heads *heads;
	size_t shown;  /* or, in JSON, written */
	uint64_t said; /* number of the first record that only a syslog knows; 0: none */
};

static void verify_free(struct verify *verify)
{
	bg_heads_free(&verify->heads);
}

static int add_file(struct verify *verify, const char *path, bool is_copy)
{
	struct bg_diag diag = { 0 };
	size_t count = 0;
	enum bg_err err =
		bg_heads_add_file(verify->crypto, verify->heads, path, !is_copy, &count, &diag);

	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	if (count == 0 && is_copy) {
		bg_error("%s: holds neither SEQ:HASH nor records of the chain", path);
		return BG_EXIT_USAGE;
	}
	if (count == 0)
		bg_note("%s: no record of the chain is named there", path);
	return BG_EXIT_DONE;
}

static int add_journal(struct verify *verify, bool is_asked_for)
{
	struct bg_diag diag = { 0 };
	size_t count = 0;
	enum bg_err err = bg_heads_add_journal(verify->heads, &count, &diag);

	if (err == BG_OK || (err == BG_ERR_NOENT && !is_asked_for))
		return BG_EXIT_DONE;
	return bg_fail(err, &diag, NULL);
}

/* Without being told: the journal, and the syslogs that are there. */
static int gather_all(struct verify *verify)
{
	int status = add_journal(verify, false);

	for (size_t i = 0; i < sizeof(syslog_files) / sizeof(syslog_files[0]); i++) {
		struct bg_diag diag = { 0 };
		size_t count = 0;
		enum bg_err err;

		if (status != BG_EXIT_DONE)
			break;
		err = bg_heads_add_file(NULL, verify->heads, syslog_files[i], true, &count, &diag);
		if (err != BG_OK && err != BG_ERR_NOENT)
			status = bg_fail(err, &diag, NULL);
	}
	return status;
}

static int gather(struct verify *verify)
{
	const struct bg_log_options *o = verify->options;
	int status = BG_EXIT_DONE;

	if (!o->has_journal && o->file_count == 0)
		return gather_all(verify);
	if (o->has_journal)
		status = add_journal(verify, true);
	for (size_t i = 0; i < o->file_count && status == BG_EXIT_DONE; i++)
		status = add_file(verify, o->files[i].path, o->files[i].is_copy);
	return status;
}

static void meet(void *arg, const struct bg_log_line *line)
{
	bg_heads_meet(((struct verify *)arg)->heads, line);
}

/* In JSON the comma before it; else: shall it be shown? */
static bool next_one(struct verify *verify)
{
	if (verify->options->format != BG_LOG_JSON)
		return verify->shown++ < SHOWN_MAX;
	(void)printf("%s", verify->shown++ ? "," : "");
	return true;
}

static void see(void *arg, const struct bg_finding *finding)
{
	struct verify *verify = arg;

	if (!next_one(verify))
		return;
	if (verify->options->format == BG_LOG_JSON)
		bg_log_json_finding(finding);
	else
		bg_log_print_finding(NULL, finding);
}

static void print_text_json(const char *text)
{
	uint8_t buf[6 * BG_HEADS_SOURCE_LEN + 8];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };

	bg_escape_json(&w, text, BG_HEADS_SOURCE_LEN);
	(void)printf("\"%.*s\"", (int)w.len, (const char *)buf);
}

static void see_head(void *arg, const struct bg_heads_finding *finding)
{
	struct verify *verify = arg;
	char text[256], shown[256];

	if (finding->is_doubt && !verify->said)
		verify->said = finding->seq;
	if (!next_one(verify))
		return;
	if (verify->options->format == BG_LOG_JSON) {
		(void)printf(
			"\n{\"kind\":\"%s\",\"source\":", finding->is_other ? "other" : "missing");
		print_text_json(finding->source);
		(void)printf(",\"seq\":%" PRIu64 ",\"last_seq\":%" PRIu64 ",\"is_doubt\":%s}",
			finding->seq, finding->last_seq, finding->is_doubt ? "true" : "false");
		return;
	}
	bg_heads_finding_text(finding, text, sizeof(text));
	bg_escape_terminal(shown, sizeof(shown), text);
	bg_error("%s", shown);
}

static void print_result(const struct verify *verify, const struct bg_log_totals *totals,
	const struct bg_heads_totals *heads)
{
	uint64_t damages = totals->damages + heads->damages,
		 doubts = totals->doubts + heads->doubts;
	char hash[2 * BG_SHA256_LEN + 1];

	bg_hex_encode(totals->hash, sizeof(totals->hash), hash);
	if (verify->options->format == BG_LOG_JSON) {
		(void)printf("],\"damages\":%" PRIu64 ",\"doubts\":%" PRIu64
			     ",\"restarts\":%" PRIu64 ",\"records_count\":%" PRIu64
			     ",\"first\":%" PRIu64 ",\"seq\":%" PRIu64
			     ",\"hash\":\"%s\",\"heads\":%zu"
			     ",\"heads_before\":%zu}\n",
			damages, doubts, totals->restarts, totals->records, totals->first,
			totals->seq, hash, heads->count, heads->before);
		return;
	}
	if (verify->shown > SHOWN_MAX)
		bg_error("and %zu more; --json lists all", verify->shown - SHOWN_MAX);
	(void)printf("%s: %" PRIu64 " records, the last one is %" PRIu64 ":%s\n",
		damages	 ? "DAMAGED"
		: doubts ? "DOUBTFUL"
			 : "whole",
		totals->records, totals->seq, totals->seq ? hash : "-");
	if (totals->first > 1)
		(void)printf("It begins with record %" PRIu64 ": compare what was moved away by "
			     "--heads FILE.\n",
			totals->first);
	if (heads->count)
		(void)printf("Compared with %zu heads known elsewhere%s.\n", heads->count,
			heads->before ? ", some of them of before it begins" : "");
	else
		bg_note("nobody else knows a head: a missing end would show in /run only");
}

/* What cannot be told from here, and who can tell. */
static void print_doubts(const struct verify *verify, const struct bg_log_totals *totals)
{
	if (totals->doubts)
		bg_hint("only root can remove /run/breakglass: ask who did. What the journal has "
			"of that time and the log has not is told above, where it was asked");
	if (verify->said)
		bg_hint("anybody on the host can write such a line to syslog: somebody did, or the "
			"log was cut. Who sent it: journalctl -o verbose -g 'chain=%" PRIu64
			":' (ours: _UID=0 and _TRANSPORT=journal, then the log was cut; nothing "
			"shown: the journal does not reach back so far)",
			verify->said);
}

static int conclude(const struct verify *verify, const struct bg_log_totals *totals,
	const struct bg_heads_totals *heads)
{
	uint64_t damages = totals->damages + heads->damages,
		 doubts = totals->doubts + heads->doubts;

	if (verify->options->format == BG_LOG_JSON)
		return damages || doubts ? BG_EXIT_NO : BG_EXIT_DONE;
	print_doubts(verify, totals);
	return bg_log_conclude(damages) || doubts ? BG_EXIT_NO : BG_EXIT_DONE;
}

int bg_log_verify(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	BG_WIPE(verify_free)
	struct verify verify = { .crypto = crypto, .options = options, .heads = bg_heads_new() };
	const struct bg_log_visitor visitor = { &verify, meet, see };
	struct bg_heads_totals heads;
	struct bg_log_totals totals = { 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status;

	if (!verify.heads)
		return bg_fail(BG_ERR_MEMORY, NULL, NULL);
	status = gather(&verify);
	if (status != BG_EXIT_DONE)
		return status;
	bg_heads_sort(verify.heads);
	if (options->format == BG_LOG_JSON)
		(void)printf("{\"schema\":1,\"findings\":[");
	err = bg_log_read(crypto, &visitor, &totals, &diag);
	/* no log at all where others know of one: all of it is missing */
	bg_heads_judge(verify.heads, 0, NULL, NULL, &heads);
	if (err == BG_ERR_NOENT && heads.count > 0)
		err = BG_OK;
	if (err != BG_OK)
		return options->format == BG_LOG_JSON ? bg_log_fail_json(err, &diag)
						      : bg_log_fail(err, &diag);
	bg_heads_judge(verify.heads, totals.first, see_head, &verify, &heads);
	print_result(&verify, &totals, &heads);
	return conclude(&verify, &totals, &heads);
}
