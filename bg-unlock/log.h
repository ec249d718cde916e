/* SPDX-License-Identifier: BSD-2-Clause */
/* The verb `log` in parts: each takes the options and returns the exit status. */
#ifndef BG_UNLOCK_LOG_H
#define BG_UNLOCK_LOG_H

#include "log_story.h"

#include <breakglass/crypto.h>
#include <breakglass/os_log_read.h>

#define BG_LOG_FILES_MAX 16

enum bg_log_format { BG_LOG_TEXT, BG_LOG_JSON, BG_LOG_RFC5424, BG_LOG_CEF };

struct bg_log_options {
	enum bg_log_format format;
	bool has_journal;
	size_t file_count;
	struct {
		const char *path;
		bool is_copy; /* must hold a head */
	} files[BG_LOG_FILES_MAX];
	const char *request, *output; /* NULL: not given */
};

/* log_verify.c */
int bg_log_verify(struct bg_crypto *crypto, const struct bg_log_options *options);
/* A finding on stderr; as bg_log_visitor.on_finding. */
void bg_log_print_finding(void *arg, const struct bg_finding *finding);
/* A finding as a JSON object on stdout. */
void bg_log_json_finding(const struct bg_finding *finding);
/* What to do about damage; the exit status. */
int bg_log_conclude(uint64_t damages);
/* bg_log_read's errors. */
int bg_log_fail(enum bg_err err, const struct bg_diag *diag);
/* The same where a JSON object with a list at its end is being written: ends both. */
int bg_log_fail_json(enum bg_err err, const struct bg_diag *diag);

/* log_show.c: text and JSON of all, or of one request. */
int bg_log_show(struct bg_crypto *crypto, const struct bg_log_options *options);
/* The chapter of a request, or prints why there is none; the exit status. */
int bg_log_choose(const struct bg_story *story, const char *request, const struct bg_chapter **ret);
/* report.c */
int bg_log_report(struct bg_crypto *crypto, const struct bg_log_options *options);
/* log_export.c: a line each, as format says. */
void bg_log_export(enum bg_log_format format, const char *sd_id, const struct bg_log_line *line);

#endif
