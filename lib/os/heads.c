/* SPDX-License-Identifier: BSD-2-Clause */
#include "chain.h"

#include <breakglass/os_heads.h>
#include <breakglass/os_helper.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_LEN	(16 * 1024)
#define JOURNAL_LEN	(256UL << 20)
#define JOURNAL_TIMEOUT 60
#define NONE		SIZE_MAX

struct known {
	struct bg_head head;
	uint8_t source;
	bool is_doubt, is_found, is_number_here;
};

struct bg_heads {
	struct known *all;
	size_t count, room;
	size_t source_count;
	bool has_first; /* of the chain: its link to the record before was looked at */
	char sources[BG_HEADS_SOURCES_MAX][BG_HEADS_SOURCE_LEN];
	bool is_syslog[BG_HEADS_SOURCES_MAX];
};

struct bg_heads *bg_heads_new(void)
{
	return calloc(1, sizeof(struct bg_heads));
}

void bg_heads_free(struct bg_heads **heads)
{
	if (*heads)
		free((*heads)->all);
	free(*heads);
	*heads = NULL;
}

static enum bg_err add_source(
	struct bg_heads *heads, const char *name, bool is_syslog, struct bg_diag *diag)
{
	size_t len = strlen(name), skip = 0;

	if (heads->source_count == BG_HEADS_SOURCES_MAX)
		return bg_diag_set(diag, BG_ERR_TOO_BIG, name, "at most %d files of heads",
			BG_HEADS_SOURCES_MAX);
	if (len >= BG_HEADS_SOURCE_LEN)
		skip = len - BG_HEADS_SOURCE_LEN + 1; /* a path's end says more */
	heads->is_syslog[heads->source_count] = is_syslog;
	memcpy(heads->sources[heads->source_count++], name + skip, len - skip + 1);
	return BG_OK;
}

static enum bg_err add(struct bg_heads *heads, const struct bg_head *head)
{
	if (heads->count == BG_HEADS_MAX)
		return BG_ERR_TOO_BIG;
	if (heads->count == heads->room) {
		size_t room = heads->room ? 2 * heads->room : 256;
		struct known *all = realloc(heads->all, room * sizeof(*all));

		if (!all)
			return BG_ERR_MEMORY;
		heads->all = all;
		heads->room = room;
	}
	heads->all[heads->count++] = (struct known){ .head = *head,
		.source = (uint8_t)(heads->source_count - 1),
		.is_doubt = heads->is_syslog[heads->source_count - 1] };
	return BG_OK;
}

/* A line of the chain itself has its own hash for a head. */
static bool head_of(struct bg_crypto *crypto, const char *line, size_t len, struct bg_head *ret)
{
	struct bg_chain_pos pos;

	if (crypto && bg_event_line_pos(line, len, &pos)) {
		ret->seq = pos.seq;
		return bg_sha256(crypto, line, len, ret->hash) == BG_OK;
	}
	return bg_head_find(line, len, ret);
}

static enum bg_err add_line(
	struct bg_crypto *crypto, struct bg_heads *heads, const char *line, size_t len)
{
	struct bg_head head;

	return head_of(crypto, line, len, &head) ? add(heads, &head) : BG_OK;
}

static enum bg_err add_lines(struct bg_crypto *crypto, struct bg_heads *heads, FILE *file)
{
	char line[LINE_LEN];
	bool is_whole = true, was_whole;
	enum bg_err err = BG_OK;

	while (err == BG_OK && fgets(line, sizeof(line), file)) {
		size_t len = strlen(line);

		was_whole = is_whole;
		is_whole = len > 0 && line[len - 1] == '\n';
		if (was_whole && (is_whole || len < sizeof(line) - 1))
			err = add_line(crypto, heads, line, len - is_whole);
	}
	return err == BG_OK && ferror(file) ? BG_ERR_IO : err;
}

enum bg_err bg_heads_add_file(struct bg_crypto *crypto, struct bg_heads *heads, const char *path,
	bool is_syslog, size_t *ret_count, struct bg_diag *diag)
{
	size_t before = heads->count;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	FILE *file;
	struct stat st;
	enum bg_err err;

	/* a pipe that was asked for is read to its end */
	if (fd >= 0 && (fstat(fd, &st) != 0 || (!crypto && !S_ISREG(st.st_mode)) ||
			       fcntl(fd, F_SETFL, 0) != 0)) {
		bg_fd_close(&fd);
		return bg_diag_set(diag, BG_ERR_NOENT, path, "a regular file");
	}
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		err = errno == ENOENT ? BG_ERR_NOENT : BG_ERR_IO;
		if (diag)
			diag->sys_errno = errno;
		bg_fd_close(&fd);
		return bg_diag_set(diag, err, path, "cannot be read");
	}
	err = add_source(heads, path, is_syslog, diag);
	if (err == BG_OK)
		err = add_lines(crypto, heads, file);
	(void)fclose(file);
	if (err != BG_OK)
		return bg_diag_set(diag, err, path, "heads");
	*ret_count = heads->count - before;
	return BG_OK;
}

/* Whole lines only: what did not fit is told by the caller. */
static enum bg_err add_text(struct bg_heads *heads, const char *text)
{
	enum bg_err err = BG_OK;
	const char *lf;

	for (; err == BG_OK && (lf = strchr(text, '\n')); text = lf + 1)
		err = add_line(NULL, heads, text, (size_t)(lf - text));
	return err;
}

enum bg_err bg_heads_add_journal(struct bg_heads *heads, size_t *ret_count, struct bg_diag *diag)
{
	/* the fields with a leading _ are journald's own word for who sent it */
	static const char *const argv[] = { "/usr/bin/journalctl", "-q", "--no-pager", "-o", "cat",
		"--output-fields=BREAKGLASS_CHAIN", "_TRANSPORT=journal", "_UID=0",
		"SYSLOG_IDENTIFIER=pam_breakglass", "SYSLOG_IDENTIFIER=bg-unlock",
		"SYSLOG_IDENTIFIER=breakglass-carry", NULL };
	size_t before = heads->count;
	char *out = malloc(JOURNAL_LEN); /* touched only as far as it is used */
	int status = 0;
	enum bg_err err;

	if (!out)
		return BG_ERR_MEMORY;
	err = bg_program_run(argv, NULL, JOURNAL_TIMEOUT, out, JOURNAL_LEN, &status, diag);
	if (err == BG_OK && status != 0)
		err = bg_diag_set(diag, BG_ERR_NOENT, argv[0], "gives no journal");
	if (err == BG_OK)
		err = add_source(heads, "the journal", false, diag);
	if (err == BG_OK)
		err = add_text(heads, out);
	if (err == BG_OK && strlen(out) == JOURNAL_LEN - 1)
		err = bg_diag_set(diag, BG_ERR_TOO_BIG, "the journal", "more than is read");
	free(out);
	if (err == BG_OK)
		*ret_count = heads->count - before;
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct known *one = a, *other = b;

	if (one->head.seq != other->head.seq)
		return one->head.seq < other->head.seq ? -1 : 1;
	return memcmp(one->head.hash, other->head.hash, sizeof(one->head.hash));
}

/* Of those who know the same, whoever can be believed comes first, and stays. */
static int compare_sources(const void *a, const void *b)
{
	const struct known *one = a, *other = b;
	int order = compare(a, b);

	return order ? order : one->is_doubt - other->is_doubt;
}

void bg_heads_sort(struct bg_heads *heads)
{
	size_t n = 0;

	if (heads->count == 0)
		return;
	qsort(heads->all, heads->count, sizeof(*heads->all), compare_sources);
	for (size_t i = 1; i < heads->count; i++)
		if (compare(&heads->all[n], &heads->all[i]) != 0)
			heads->all[++n] = heads->all[i];
	heads->count = n + 1;
}

/* The first of this number; NONE. */
static size_t find(const struct bg_heads *heads, uint64_t seq)
{
	size_t low = 0, high = heads->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (heads->all[middle].head.seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < heads->count && heads->all[low].head.seq == seq ? low : NONE;
}

static void mark(struct bg_heads *heads, uint64_t seq, const uint8_t hash[static BG_SHA256_LEN])
{
	for (size_t i = find(heads, seq); i < heads->count && heads->all[i].head.seq == seq; i++) {
		heads->all[i].is_number_here = true;
		if (memcmp(heads->all[i].head.hash, hash, BG_SHA256_LEN) == 0)
			heads->all[i].is_found = true;
	}
}

void bg_heads_meet(struct bg_heads *heads, const struct bg_log_line *line)
{
	struct bg_chain_pos pos;

	if (!line->seq || !line->hash)
		return;
	/* of a record that was moved away with its segment the link still tells the hash */
	if (!heads->has_first && line->seq > 1 && bg_event_line_pos(line->text, line->len, &pos))
		mark(heads, pos.seq - 1, pos.prev);
	heads->has_first = true;
	mark(heads, line->seq, line->hash);
}

static bool is_same_run(const struct known *one, const struct known *next)
{
	return next->head.seq == one->head.seq + 1 && next->source == one->source &&
	       next->is_number_here == one->is_number_here && !next->is_found;
}

void bg_heads_judge(const struct bg_heads *heads, uint64_t first,
	void (*each)(void *arg, const struct bg_heads_finding *finding), void *arg,
	struct bg_heads_totals *ret)
{
	struct bg_heads_totals totals = { .count = heads->count };

	for (size_t i = 0; i < heads->count; i++) {
		const struct known *known = &heads->all[i];
		struct bg_heads_finding finding = { known->is_number_here, known->is_doubt,
			heads->sources[known->source], known->head.seq, known->head.seq };

		if (known->is_found)
			continue;
		if (known->head.seq < first && !known->is_number_here) {
			totals.before++;
			continue;
		}
		while (i + 1 < heads->count && is_same_run(&heads->all[i], &heads->all[i + 1]))
			finding.last_seq = heads->all[++i].head.seq;
		totals.damages += !known->is_doubt;
		totals.doubts += known->is_doubt;
		if (each)
			each(arg, &finding);
	}
	*ret = totals;
}

void bg_heads_finding_text(const struct bg_heads_finding *finding, char *ret, size_t ret_size)
{
	char records[64];

	if (finding->last_seq > finding->seq)
		(void)snprintf(records, sizeof(records), "records %" PRIu64 " to %" PRIu64,
			finding->seq, finding->last_seq);
	else
		(void)snprintf(records, sizeof(records), "record %" PRIu64, finding->seq);
	(void)snprintf(ret, ret_size, "%s: %s, %s", finding->source, records,
		finding->is_other ? "known with another hash: what stands in the log is not it"
				  : "known there, not in the log");
}
