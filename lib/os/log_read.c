/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"
#include "segments.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_log_read.h>
#include <breakglass/paths.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define READ_WAIT_MS 5000

/* Where a line stands. */
struct place {
	char file[BG_LOG_PATH_LEN];
	uint32_t line;
};

struct reader {
	struct bg_crypto *crypto;
	const struct bg_log_visitor *visitor;
	struct bg_log_totals totals;
	struct place at;	     /* the line being read */
	struct place last;	     /* the record before it in the chain */
	uint64_t seq;		     /* of that record; 0: none yet */
	uint8_t hash[BG_SHA256_LEN]; /* of that record */
	bool is_told;		     /* something about that record was reported already */
	struct bg_finding gap;	     /* not reported yet: what is missing may follow out of order */
	bool has_gap;
	bool is_moved_on; /* the oldest segments are elsewhere: the chain may begin with any */
	uint64_t first;	  /* the first record's number */
	struct {
		const char *text; /* NULL: boot has it */
		size_t len;
	} newest;		       /* record of the file that is being read */
	char boot[BG_BOOT_ID_LEN + 1]; /* of the newest record of the files before */
};

static void report(struct reader *r, const struct bg_finding *finding)
{
	if (finding->kind == BG_FINDING_LOST)
		r->totals.doubts++;
	else if (finding->kind == BG_FINDING_RESTART)
		r->totals.restarts++;
	else if (finding->kind != BG_FINDING_BEGINS)
		r->totals.damages++;
	if (r->visitor->on_finding)
		r->visitor->on_finding(r->visitor->arg, finding);
}

static struct bg_finding finding_at(
	enum bg_finding_kind kind, const struct place *place, uint64_t seq, uint64_t last_seq)
{
	struct bg_finding finding = {
		.kind = kind, .line = place->line, .seq = seq, .last_seq = last_seq
	};

	memcpy(finding.file, place->file, sizeof(finding.file));
	return finding;
}

static void report_at(
	struct reader *r, enum bg_finding_kind kind, const struct place *place, uint64_t seq)
{
	struct bg_finding finding = finding_at(kind, place, seq, seq);

	report(r, &finding);
}

static void flush_gap(struct reader *r)
{
	if (r->has_gap)
		report(r, &r->gap);
	r->has_gap = false;
}

static void open_gap(struct reader *r, uint64_t first, uint64_t last)
{
	flush_gap(r);
	r->gap = finding_at(BG_FINDING_REMOVED, &r->at, first, last);
	r->has_gap = true;
}

static bool is_restart(const struct bg_chain_pos *pos, const char *text, size_t len)
{
	static const uint8_t zero[BG_SHA256_LEN];
	char event[16];

	return pos->seq == 1 && memcmp(pos->prev, zero, sizeof(zero)) == 0 &&
	       bg_event_line_field(text, len, "event", event, sizeof(event)) &&
	       strcmp(event, bg_event_type(BG_EV_DEGRADED)->name) == 0;
}

/* Keeps the boot of the newest record, whose text is about to go. */
static void keep_boot(struct reader *r)
{
	if (r->newest.text && !bg_event_line_field(r->newest.text, r->newest.len, "boot", r->boot,
				      sizeof(r->boot)))
		r->boot[0] = '\0';
	r->newest.text = NULL;
}

/* A head goes with its boot; within one it was removed. */
static void judge_restart(struct reader *r, const char *text, size_t len, uint64_t seq)
{
	char boot[BG_BOOT_ID_LEN + 1];
	bool is_lost;

	keep_boot(r);
	is_lost = bg_event_line_field(text, len, "boot", boot, sizeof(boot)) && boot[0] &&
		  strcmp(boot, r->boot) == 0;
	r->totals.restarts += is_lost;
	report_at(r, is_lost ? BG_FINDING_LOST : BG_FINDING_RESTART, &r->at, seq);
}

/* The record's number is the next one: does it name the hash of the one before? */
static void judge_link(struct reader *r, const struct bg_chain_pos *pos)
{
	if (memcmp(pos->prev, r->hash, sizeof(r->hash)) == 0 || r->is_told)
		return;
	if (r->seq)
		report_at(r, BG_FINDING_CHANGED, &r->last, r->seq);
	else
		report_at(r, BG_FINDING_CHANGED, &r->at, pos->seq);
}

/* A number that is not above what was read: a record of the gap at the wrong place, or one that
   stands twice. It is no link of the chain. */
static void judge_moved(struct reader *r, uint64_t seq)
{
	bool is_of_gap = r->has_gap && seq >= r->gap.seq && seq <= r->gap.last_seq;

	if (is_of_gap && r->gap.seq == r->gap.last_seq)
		r->has_gap = false;
	else if (is_of_gap && seq == r->gap.seq)
		r->gap.seq++;
	else if (is_of_gap && seq == r->gap.last_seq)
		r->gap.last_seq--;
	report_at(r, BG_FINDING_MOVED, &r->at, seq);
}

/* True: the line is the chain's next record, and becomes the one before the next. */
static bool judge(struct reader *r, const char *text, size_t len, struct bg_chain_pos *pos)
{
	if (!bg_event_line_pos(text, len, pos)) {
		report_at(r, BG_FINDING_MALFORMED, &r->at, r->seq + 1);
		pos->seq = r->seq + 1;
		r->is_told = true;
		return true;
	}
	if (pos->seq == r->seq + 1) {
		judge_link(r, pos);
	} else if (r->seq && is_restart(pos, text, len)) {
		flush_gap(r);
		judge_restart(r, text, len, pos->seq);
	} else if (!r->first && r->is_moved_on) {
		report_at(r, BG_FINDING_BEGINS, &r->at, pos->seq);
	} else if (pos->seq > r->seq + 1) {
		open_gap(r, r->seq + 1, pos->seq - 1);
	} else {
		judge_moved(r, pos->seq);
		return false;
	}
	r->is_told = false;
	return true;
}

static enum bg_err read_line(struct reader *r, const char *text, size_t len)
{
	struct bg_log_line line = { r->at.file, r->at.line, 0, text, len, NULL };
	struct bg_chain_pos pos = { 0 };
	bool is_next = judge(r, text, len, &pos);
	enum bg_err err = BG_OK;

	if (is_next) {
		err = bg_sha256(r->crypto, text, len, r->hash);
		r->seq = pos.seq;
		r->last = r->at;
		r->first = r->first ? r->first : pos.seq;
		r->newest.text = text;
		r->newest.len = len;
		line.hash = r->hash;
	}
	line.seq = r->is_told && is_next ? 0 : pos.seq;
	r->totals.records += line.seq != 0;
	if (r->visitor->on_line)
		r->visitor->on_line(r->visitor->arg, &line);
	return err;
}

/* All lines of a file's bytes; half a line at its end is a cut. */
static enum bg_err read_bytes(struct reader *r, const char *path, const struct bg_bytes *bytes)
{
	const char *p = bytes->p, *end = bytes->p + bytes->len;
	enum bg_err err = BG_OK;

	(void)snprintf(r->at.file, sizeof(r->at.file), "%s", path);
	for (r->at.line = 1; p < end && err == BG_OK; r->at.line++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (!lf) {
			report_at(r, BG_FINDING_CUT, &r->at, r->seq + 1);
			break;
		}
		err = read_line(r, p, (size_t)(lf - p));
		p = lf + 1;
	}
	keep_boot(r);
	return err;
}

static enum bg_err read_segments(
	struct reader *r, int var, const struct bg_bytes *carrying, struct bg_diag *diag)
{
	struct bg_segments segments = { 0 };
	enum bg_err err = bg_segments_list(var, &segments, diag);

	if (err != BG_OK || !segments.first)
		return err;
	r->is_moved_on = segments.first > 1;
	for (uint32_t i = segments.first; i <= segments.last && err == BG_OK; i++) {
		BG_WIPE(bg_bytes_free) struct bg_bytes bytes = { 0 };
		char name[BG_SEGMENT_NAME_LEN], path[BG_LOG_PATH_LEN];

		bg_segment_name(i, name);
		(void)snprintf(path, sizeof(path), "%s/%s", BG_PATH_VAR_LOG, name);
		err = bg_bytes_read(var, name, &bytes, diag);
		if (err == BG_ERR_NOENT) {
			err = BG_OK; /* its records are missing: that shows */
			continue;
		}
		/* what a killed carrier brought already is read from its own file */
		if (err == BG_OK && i == segments.last && carrying->p)
			bytes.len -= bg_bytes_overlap(&bytes, carrying);
		if (err == BG_OK)
			err = read_bytes(r, path, &bytes);
	}
	return err;
}

/* What is in /run, taken under the writers' lock, which is held no longer than that. */
struct recent {
	struct bg_bytes carrying, pending;
	struct bg_chain_head head;
};

static void recent_free(struct recent *recent)
{
	bg_bytes_free(&recent->carrying);
	bg_bytes_free(&recent->pending);
}

static enum bg_err none_is_ok(enum bg_err err)
{
	return err == BG_ERR_NOENT ? BG_OK : err;
}

static enum bg_err take_recent(
	struct bg_crypto *crypto, int run, struct recent *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int lock = -1;
	struct bg_chain_head head = { 0 };
	enum bg_err err =
		bg_chain_lock(run, BG_CHAIN_LOCK, bg_clock_boot_ms() + READ_WAIT_MS, &lock, diag);

	if (err == BG_OK)
		err = bg_chain_find_head(crypto, run, &head, diag);
	if (err == BG_OK)
		err = none_is_ok(bg_bytes_read(run, BG_CHAIN_CARRYING, &ret->carrying, diag));
	if (err == BG_OK)
		err = none_is_ok(bg_bytes_read(run, BG_CHAIN_PENDING, &ret->pending, diag));
	ret->head = head;
	return err;
}

/* The chain's end against the head in /run. */
static void judge_head(struct reader *r, const struct bg_chain_head *head)
{
	char boot[BG_BOOT_ID_LEN + 1];
	struct bg_finding finding;

	flush_gap(r);
	if (!head->is_known) {
		if (r->seq && bg_clock_boot_id(boot) == BG_OK && strcmp(boot, r->boot) == 0) {
			finding = finding_at(BG_FINDING_LOST, &r->last, r->seq, r->seq);
			finding.line = 0;
			report(r, &finding);
		}
		return;
	}
	if (head->seq > r->seq) {
		finding = finding_at(BG_FINDING_CUT, &r->last, r->seq + 1, head->seq);
		finding.line = 0;
		report(r, &finding);
	} else if ((head->seq < r->seq || memcmp(head->hash, r->hash, sizeof(r->hash)) != 0) &&
		   !r->is_told && r->seq) {
		report_at(r, BG_FINDING_CHANGED, &r->last, r->seq);
	}
}

static enum bg_err read_all(
	struct reader *r, int var, const struct recent *recent, struct bg_diag *diag)
{
	enum bg_err err = var >= 0 ? read_segments(r, var, &recent->carrying, diag) : BG_OK;

	if (err == BG_OK && recent->carrying.p)
		err = read_bytes(r, BG_PATH_RUN_LOG "/" BG_CHAIN_CARRYING, &recent->carrying);
	if (err == BG_OK && recent->pending.p)
		err = read_bytes(r, BG_PATH_RUN_LOG "/" BG_CHAIN_PENDING, &recent->pending);
	if (err == BG_OK)
		judge_head(r, &recent->head);
	return err;
}

enum bg_err bg_log_read(struct bg_crypto *crypto, const struct bg_log_visitor *visitor,
	struct bg_log_totals *ret, struct bg_diag *diag)
{
	__attribute__((cleanup(bg_fd_close))) int run = -1, var = -1, lock = -1;
	BG_WIPE(recent_free) struct recent recent = { 0 };
	struct reader reader = { .crypto = crypto, .visitor = visitor };
	enum bg_err err = none_is_ok(bg_chain_folder(BG_PATH_RUN_LOG, false, &run, diag));

	if (err == BG_OK)
		err = none_is_ok(bg_chain_folder(BG_PATH_VAR_LOG, false, &var, diag));
	if (err == BG_OK && run < 0 && var < 0)
		return BG_ERR_NOENT;
	if (err == BG_OK && run >= 0)
		err = bg_chain_lock(
			run, BG_CHAIN_CARRY, bg_clock_boot_ms() + READ_WAIT_MS, &lock, diag);
	if (err == BG_OK && run >= 0)
		err = take_recent(crypto, run, &recent, diag);
	if (err == BG_OK)
		err = read_all(&reader, var, &recent, diag);
	if (err != BG_OK)
		return err;
	reader.totals.first = reader.first;
	reader.totals.seq = reader.seq;
	memcpy(reader.totals.hash, reader.hash, sizeof(reader.hash));
	*ret = reader.totals;
	return BG_OK;
}

static const char lost_text[] = "begins anew in the middle of a boot: the head in /run was "
				"removed, and what was not carried yet";

static const char *const kind_texts[] = {
	[BG_FINDING_CHANGED] = "was changed",
	[BG_FINDING_MALFORMED] = "is no record any more",
	[BG_FINDING_REMOVED] = "missing before this line",
	[BG_FINDING_MOVED] = "stands at the wrong place, or twice",
	[BG_FINDING_CUT] = "cut off",
	[BG_FINDING_BEGINS] = "is the first here: those before it were moved away",
	[BG_FINDING_RESTART] = "starts a new segment after the head was lost, without a link",
	[BG_FINDING_LOST] = lost_text,
};

void bg_finding_text(const struct bg_finding *finding, char *ret, size_t ret_size)
{
	const char *text = finding->kind == BG_FINDING_LOST && !finding->line
				   ? "is the last one here: the head in /run was removed, and what "
				     "was not carried yet"
				   : kind_texts[finding->kind];
	char where[BG_LOG_PATH_LEN + 16], records[64];

	if (finding->line)
		(void)snprintf(where, sizeof(where), "%s:%u", finding->file, finding->line);
	else
		(void)snprintf(where, sizeof(where), "%s: at its end",
			finding->file[0] ? finding->file : "the log");
	if (finding->last_seq > finding->seq)
		(void)snprintf(records, sizeof(records), "records %" PRIu64 " to %" PRIu64,
			finding->seq, finding->last_seq);
	else
		(void)snprintf(records, sizeof(records), "record %" PRIu64, finding->seq);
	(void)snprintf(ret, ret_size, "%s: %s %s", where, records, text);
}
