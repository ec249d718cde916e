/* SPDX-License-Identifier: BSD-2-Clause */
/* `log verify`: is the chain whole? `log show`: what happened, request by request. */
#include "bg-unlock.h"
#include "log_story.h"

#include <breakglass/crypto.h>
#include <breakglass/os_log_read.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	bool is_show;
	enum format format;
};

static void print_finding(void *arg, const struct bg_finding *finding)
{
	char text[256];

	(void)arg;
	bg_finding_text(finding, text, sizeof(text));
	if (finding->kind == BG_FINDING_RESTART)
		bg_note("%s", text);
	else
		bg_error("%s", text);
}

/* What to do about damage, and what it means for the exit status. */
static int conclude(const struct bg_log_totals *totals)
{
	if (totals->damages == 0)
		return BG_EXIT_DONE;
	bg_hint("compare BREAKGLASS_CHAIN of the copies in the journal (and chain= in syslog): "
		"journalctl -o verbose _TRANSPORT=journal _UID=0 "
		"SYSLOG_IDENTIFIER=pam_breakglass");
	return BG_EXIT_NO;
}

static int verify_text(struct bg_crypto *crypto)
{
	const struct bg_log_visitor visitor = { .on_finding = print_finding };
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_log_read(crypto, &visitor, &totals, &diag);
	char hash[2 * BG_SHA256_LEN + 1];

	if (err == BG_ERR_NOENT)
		return bg_fail(err, &diag, "nothing was recorded on this host yet");
	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	bg_hex_encode(totals.hash, sizeof(totals.hash), hash);
	(void)printf("%s: %" PRIu64 " records, the last one is %" PRIu64 ":%s\n",
		totals.damages ? "DAMAGED" : "whole", totals.records, totals.seq,
		totals.seq ? hash : "-");
	return conclude(&totals);
}

static int show_text(struct bg_crypto *crypto)
{
	__attribute__((cleanup(bg_story_free))) struct bg_story *story = bg_story_new();
	const struct bg_log_visitor visitor = { story, bg_story_add, print_finding };
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	enum bg_err err = story ? bg_log_read(crypto, &visitor, &totals, &diag) : BG_ERR_MEMORY;

	if (err == BG_ERR_NOENT)
		return bg_fail(err, &diag, "nothing was recorded on this host yet");
	if (err == BG_OK && !bg_story_is_whole(story))
		err = BG_ERR_MEMORY;
	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	bg_story_print(story);
	return conclude(&totals);
}

/* JSON: a pass for each list, since findings come among the records. */
struct json {
	bool is_second, is_findings;
};

static void json_line(void *arg, const struct bg_log_line *line)
{
	struct json *json = arg;

	if (json->is_findings || line->seq == 0)
		return;
	/* an own line each, as it stands in the chain: its hash can be taken from here */
	(void)printf("%s\n", json->is_second ? "," : "");
	(void)fwrite(line->text, 1, line->len, stdout);
	json->is_second = true;
}

static void json_finding(void *arg, const struct bg_finding *finding)
{
	static const char *const kinds[] = {
		[BG_FINDING_CHANGED] = "changed",
		[BG_FINDING_MALFORMED] = "malformed",
		[BG_FINDING_REMOVED] = "removed",
		[BG_FINDING_MOVED] = "moved",
		[BG_FINDING_CUT] = "cut",
		[BG_FINDING_RESTART] = "restart",
	};
	struct json *json = arg;

	if (!json->is_findings)
		return;
	(void)printf("%s\n{\"kind\":\"%s\",\"file\":\"%s\",\"line\":%u,\"seq\":%" PRIu64
		     ",\"last_seq\":%" PRIu64 "}",
		json->is_second ? "," : "", kinds[finding->kind], finding->file, finding->line,
		finding->seq, finding->last_seq);
	json->is_second = true;
}

static enum bg_err json_list(struct bg_crypto *crypto, const char *name, bool is_findings,
	struct bg_log_totals *ret, struct bg_diag *diag)
{
	struct json json = { .is_findings = is_findings };
	const struct bg_log_visitor visitor = { &json, json_line, json_finding };
	enum bg_err err;

	(void)printf(",\"%s\":[", name);
	err = bg_log_read(crypto, &visitor, ret, diag);
	(void)printf("]");
	return err;
}

static int print_json(struct bg_crypto *crypto, bool is_show)
{
	const struct bg_log_visitor none = { 0 };
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	enum bg_err err = bg_log_read(crypto, &none, &totals, &diag);
	char hash[2 * BG_SHA256_LEN + 1];

	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	(void)printf("{\"schema\":1");
	if (is_show)
		err = json_list(crypto, "records", false, &totals, &diag);
	if (err == BG_OK)
		err = json_list(crypto, "findings", true, &totals, &diag);
	bg_hex_encode(totals.hash, sizeof(totals.hash), hash);
	(void)printf(",\"damages\":%" PRIu64 ",\"restarts\":%" PRIu64 ",\"records_count\":%" PRIu64
		     ",\"seq\":%" PRIu64 ",\"hash\":\"%s\"}\n",
		totals.damages, totals.restarts, totals.records, totals.seq, hash);
	if (err != BG_OK)
		return bg_fail(err, &diag, NULL);
	return totals.damages ? BG_EXIT_NO : BG_EXIT_DONE;
}

static bool read_format(const char *text, enum format *ret)
{
	if (text && strcmp(text, "json") == 0)
		*ret = FORMAT_JSON;
	else if (text && strcmp(text, "text") == 0)
		*ret = FORMAT_TEXT;
	else
		return false;
	return true;
}

/* BG_EXIT_DONE, or what bg_usage returned. */
static int read_options(int argc, char **argv, struct options *ret)
{
	struct options options = { 0 };

	if (argc < 2 || (strcmp(argv[1], "show") != 0 && strcmp(argv[1], "verify") != 0))
		return bg_usage("log: show or verify?");
	options.is_show = strcmp(argv[1], "show") == 0;
	for (int i = 2; i < argc; i++) {
		const char *value = NULL;

		if (strcmp(argv[i], "--json") == 0)
			value = "json";
		else if (strcmp(argv[i], "--format") == 0)
			value = argv[++i] ? argv[i] : "";
		else if (strncmp(argv[i], "--format=", 9) == 0)
			value = argv[i] + 9;
		else
			return bg_usage("log: no option \"%s\"", argv[i]);
		if (!read_format(value, &options.format))
			return bg_usage("log: --format is text or json");
	}
	*ret = options;
	return BG_EXIT_DONE;
}

int bg_verb_log(int argc, char **argv)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	struct options options = { 0 };
	int status;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return bg_verb_help("log");
	status = read_options(argc, argv, &options);
	if (status != BG_EXIT_DONE)
		return status;
	crypto = bg_crypto_open();
	if (!crypto)
		return bg_fail(BG_ERR_CRYPTO, NULL, NULL);
	if (options.format == FORMAT_JSON)
		return print_json(crypto, options.is_show);
	return options.is_show ? show_text(crypto) : verify_text(crypto);
}
