/* SPDX-License-Identifier: BSD-2-Clause */
/* `log show`: what happened, as a story or for other programs, of all or of one request. */
#include "bg-unlock.h"
#include "log.h"

#include <breakglass/conf.h>
#include <breakglass/os_file.h>
#include <breakglass/paths.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int bg_log_choose(const struct bg_story *story, const char *request, const struct bg_chapter **ret)
{
	size_t count = 0;

	*ret = bg_story_find(story, request, &count);
	if (count == 1)
		return BG_EXIT_DONE;
	if (count == 0)
		bg_error("no request \"%s\" in the log: its four characters or its hex digits",
			request);
	else
		bg_error("%zu requests are called \"%s\": more of the hex digits are wanted", count,
			request);
	return BG_EXIT_NO;
}

struct export
{
	enum bg_log_format format;
	bool is_second;
	char sd_id[64];
};

static void put_line(void *arg, const struct bg_log_line *line)
{
	struct export *export = arg;

	if (line->seq == 0)
		return;
	if (export->format != BG_LOG_JSON) {
		bg_log_export(export->format, export->sd_id, line);
		return;
	}
	/* an own line each, as it stands in the chain: its hash can be taken from here */
	(void)printf("%s\n", export->is_second ? "," : "");
	(void)fwrite(line->text, 1, line->len, stdout);
	export->is_second = true;
}

/* The chapter's records only. */
static enum bg_err put_chapter(
	struct bg_crypto *crypto, const struct bg_chapter *chapter, struct export *export)
{
	enum bg_err err = BG_OK;

	for (const struct bg_entry_line *e = chapter->first; e && err == BG_OK; e = e->next) {
		uint8_t hash[BG_SHA256_LEN];
		const struct bg_log_line line = { "", 0, e->seq, e->line, e->len, hash };

		err = bg_sha256(crypto, e->line, e->len, hash);
		if (err == BG_OK)
			put_line(export, &line);
	}
	return err;
}

static void read_sd_id(char *ret, size_t size)
{
	static char text[16384];
	struct bg_conf conf;
	struct bg_diag diag = { 0 };
	size_t len = 0;

	bg_conf_defaults(&conf);
	if (bg_file_read(BG_PATH_CONF, 0, text, sizeof(text), &len, &diag) == BG_OK)
		bg_conf_parse(text, len, BG_PATH_CONF, &conf);
	(void)snprintf(ret, size, "%s", conf.sd_id);
}

static void see_json(void *arg, const struct bg_finding *finding)
{
	bool *is_second = arg;

	(void)printf("%s", *is_second ? "," : "");
	bg_log_json_finding(finding);
	*is_second = true;
}

/* Findings come among the records: in JSON a pass of their own. */
static int finish_json(struct bg_crypto *crypto)
{
	bool is_second = false;
	const struct bg_log_visitor visitor = { &is_second, NULL, see_json };
	char hash[2 * BG_SHA256_LEN + 1];
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	enum bg_err err;

	(void)printf("],\"findings\":[");
	err = bg_log_read(crypto, &visitor, &totals, &diag);
	if (err != BG_OK)
		return bg_log_fail_json(err, &diag);
	bg_hex_encode(totals.hash, sizeof(totals.hash), hash);
	(void)printf("],\"damages\":%" PRIu64 ",\"doubts\":%" PRIu64 ",\"restarts\":%" PRIu64
		     ",\"records_count\":%" PRIu64 ",\"first\":%" PRIu64 ",\"seq\":%" PRIu64
		     ",\"hash\":\"%s\"}\n",
		totals.damages, totals.doubts, totals.restarts, totals.records, totals.first,
		totals.seq, hash);
	return totals.damages ? BG_EXIT_NO : BG_EXIT_DONE;
}

/* Everything, in the order of the chain. */
static enum bg_err put_all(struct bg_crypto *crypto, struct export *export,
	struct bg_log_totals *ret, struct bg_diag *diag)
{
	const struct bg_log_visitor visitor = { export, put_line,
		export->format == BG_LOG_JSON ? NULL : bg_log_print_finding };

	return bg_log_read(crypto, &visitor, ret, diag);
}

static int put_records(struct bg_crypto *crypto, const struct bg_log_options *options,
	const struct bg_chapter *chapter, struct bg_log_totals *totals)
{
	struct export export = { .format = options->format };
	struct bg_diag diag = { 0 };
	enum bg_err err;

	read_sd_id(export.sd_id, sizeof(export.sd_id));
	if (export.format == BG_LOG_JSON)
		(void)printf("{\"schema\":1,\"records\":[");
	err = chapter ? put_chapter(crypto, chapter, &export)
		      : put_all(crypto, &export, totals, &diag);
	if (err != BG_OK)
		return export.format == BG_LOG_JSON ? bg_log_fail_json(err, &diag)
						    : bg_log_fail(err, &diag);
	return export.format == BG_LOG_JSON ? finish_json(crypto)
					    : bg_log_conclude(totals->damages);
}

int bg_log_show(struct bg_crypto *crypto, const struct bg_log_options *options)
{
	__attribute__((cleanup(bg_story_free))) struct bg_story *story = bg_story_new();
	const bool is_text = options->format == BG_LOG_TEXT;
	const struct bg_log_visitor visitor = { story, bg_story_add,
		is_text || (options->request && options->format != BG_LOG_JSON)
			? bg_log_print_finding
			: NULL };
	const struct bg_chapter *chapter = NULL;
	struct bg_log_totals totals = { 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err;
	int status = BG_EXIT_DONE;

	if (!is_text && !options->request)
		return put_records(crypto, options, NULL, &totals);
	err = story ? bg_log_read(crypto, &visitor, &totals, &diag) : BG_ERR_MEMORY;
	if (err == BG_OK && !bg_story_is_whole(story))
		err = BG_ERR_MEMORY;
	if (err != BG_OK)
		return bg_log_fail(err, &diag);
	if (options->request)
		status = bg_log_choose(story, options->request, &chapter);
	if (status != BG_EXIT_DONE)
		return status;
	if (!is_text)
		return put_records(crypto, options, chapter, &totals);
	bg_story_print(story, chapter);
	if (totals.records == 0 && totals.damages == 0)
		(void)printf("\nNothing is recorded yet.\n");
	return bg_log_conclude(totals.damages);
}
