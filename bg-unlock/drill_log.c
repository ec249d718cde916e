/* SPDX-License-Identifier: BSD-2-Clause */
/* What the chain says of drills: the last one that passed, and whether its alert arrived. */
#include "check_past.h"
#include "drill.h"
#include "install.h"

#include <breakglass/event_time.h>
#include <breakglass/os_log.h>
#include <breakglass/os_log_read.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TODO	 "bg-unlock drill --id NAME"
#define DAY_SECS (24 * 3600)
#define TEXT_LEN 512

/* The value of name in "id=2026-Q4 result=passed ..."; values have no blanks. */
static bool value_of(const char *result, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = result; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n > len && p[len] == '=' && strncmp(p, name, len) == 0 && n - len <= size) {
			(void)snprintf(ret, size, "%.*s", (int)(n - len - 1), p + len + 1);
			return true;
		}
		p += n;
	}
	return false;
}

static bool field(const struct bg_log_line *line, const char *name, char ret[static TEXT_LEN])
{
	return line->seq != 0 && bg_event_line_field(line->text, line->len, name, ret, TEXT_LEN);
}

/* Seconds since 1970; 0: it has none. */
static int64_t time_of(const struct bg_log_line *line)
{
	char text[TEXT_LEN];
	int64_t ms;

	return field(line, "time", text) && bg_event_time_read(text, &ms) ? ms / 1000 : 0;
}

static void take_started(
	struct bg_drill_past *past, const struct bg_log_line *line, const char *result)
{
	(void)line;
	past->is_start_confirmed = false;
	if (!value_of(result, "id", past->started_id, sizeof(past->started_id)))
		past->started_id[0] = '\0';
}

static void take_confirmed(
	struct bg_drill_past *past, const struct bg_log_line *line, const char *result)
{
	char id[BG_DRILL_ID_LEN + 1];

	(void)line;
	if (strncmp(result, "drill ", 6) != 0 || !value_of(result, "id", id, sizeof(id)))
		return;
	if (strcmp(id, past->started_id) == 0)
		past->is_start_confirmed = true;
	if (strcmp(id, past->passed_id) == 0)
		past->is_confirmed = true;
}

static void take_ended(
	struct bg_drill_past *past, const struct bg_log_line *line, const char *result)
{
	char secs[16];

	if (!value_of(result, "id", past->last_id, sizeof(past->last_id)) ||
		!value_of(result, "result", past->last_result, sizeof(past->last_result)))
		return;
	past->has_any = true;
	if (strcmp(past->last_result, "passed") != 0)
		return;
	past->has_passed = true;
	past->is_confirmed =
		past->is_start_confirmed && strcmp(past->last_id, past->started_id) == 0;
	past->passed_time = time_of(line);
	past->passed_secs = value_of(result, "seconds", secs, sizeof(secs))
				    ? (uint32_t)strtoul(secs, NULL, 10)
				    : 0;
	(void)snprintf(past->passed_id, sizeof(past->passed_id), "%s", past->last_id);
}

/* The one of account, made if there is none; NULL: there are too many. */
static struct bg_drill_past *past_of(struct bg_drill_pasts *pasts, const char *account)
{
	struct bg_drill_past *past = &pasts->of[pasts->count];

	for (size_t i = 0; i < pasts->count; i++)
		if (strcmp(pasts->of[i].account, account) == 0)
			return &pasts->of[i];
	if (pasts->count == BG_DRILL_PASTS_MAX) {
		pasts->is_short = true;
		return NULL;
	}
	pasts->count++;
	(void)snprintf(past->account, sizeof(past->account), "%.*s", BG_ACCOUNT_LEN, account);
	return past;
}

void bg_drill_pasts_add(void *arg, const struct bg_log_line *line)
{
	static const struct {
		const char *event;
		void (*take)(struct bg_drill_past *past, const struct bg_log_line *line,
			const char *result);
	} wanted[] = { { "DRILL_STARTED", take_started }, { "DRILL_ENDED", take_ended },
		{ "ALERT_DELIVERED", take_confirmed } };
	char event[TEXT_LEN], account[TEXT_LEN], result[TEXT_LEN];
	struct bg_drill_past *past;

	if (!field(line, "event", event))
		return;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strcmp(event, wanted[i].event) != 0 || !field(line, "account", account) ||
			!field(line, "result", result))
			continue;
		past = past_of(arg, account);
		if (past)
			wanted[i].take(past, line, result);
	}
}

void bg_check_drill(struct bg_check *check)
{
	const struct bg_judge *judge = &check->judge;
	const struct bg_check_past *all;
	struct bg_drill_past past = { 0 };
	int64_t days;

	if (check->seal.key_count == 0)
		return;
	all = bg_check_past(check);
	for (size_t i = 0; i < all->drills.count; i++)
		if (strcmp(all->drills.of[i].account, check->account) == 0)
			past = all->drills.of[i];
	if (all->err != BG_OK || all->drills.is_short) {
		bg_judge_say(judge, BG_LEVEL_WARNING, "bg-unlock log verify",
			"when it was last practised cannot be read from the log");
		return;
	}
	if (past.has_any && strcmp(past.last_result, "passed") != 0) {
		bg_judge_say(judge, BG_LEVEL_WARNING, "bg-unlock log show says where; then " TODO,
			"drill %s, the last one, did not pass: %s", past.last_id, past.last_result);
		return;
	}
	if (!past.has_passed) {
		bg_judge_say(judge, BG_LEVEL_WARNING, TODO,
			"it was never practised: whether people and keys open it is not known");
		return;
	}
	days = ((int64_t)time(NULL) - past.passed_time) / DAY_SECS;
	if (days > (int64_t)check->conf.drill_days)
		bg_judge_say(judge, BG_LEVEL_WARNING, TODO,
			"drill %s, the last one, was %" PRId64 " days ago; %u are agreed",
			past.passed_id, days, (unsigned int)check->conf.drill_days);
	else if (!past.is_confirmed)
		bg_judge_say(judge, BG_LEVEL_OK, NULL,
			"drill %s passed in %u s, %" PRId64
			" days ago; nobody confirmed its alert (drill --confirm CODE)",
			past.passed_id, (unsigned int)past.passed_secs, days);
	else
		bg_judge_say(judge, BG_LEVEL_OK, NULL,
			"drill %s passed in %u s, %" PRId64 " days ago; its alert arrived",
			past.passed_id, (unsigned int)past.passed_secs, days);
}

/* ---- drill --confirm ---- */

struct started {
	const char *code;
	bool is_found;
	int64_t time;
	uint32_t epoch;
	char account[BG_ACCOUNT_LEN + 1], host[BG_HOST_LABEL_LEN + 1];
	char id[BG_DRILL_ID_LEN + 1];
};

static void on_started(void *arg, const struct bg_log_line *line)
{
	struct started *started = arg;
	char event[TEXT_LEN], text[TEXT_LEN], result[TEXT_LEN], code[16];

	if (!field(line, "event", event) || strcmp(event, "DRILL_STARTED") != 0 ||
		!field(line, "reason", text) || !value_of(text, "confirm", code, sizeof(code)) ||
		!field(line, "result", result) || strcasecmp(code, started->code) != 0)
		return;
	started->is_found = value_of(result, "id", started->id, sizeof(started->id));
	started->time = time_of(line);
	(void)field(line, "account", text);
	(void)snprintf(started->account, sizeof(started->account), "%.*s", BG_ACCOUNT_LEN, text);
	(void)field(line, "host", text);
	(void)snprintf(started->host, sizeof(started->host), "%.*s", BG_HOST_LABEL_LEN, text);
}

int bg_drill_confirm(struct bg_crypto *crypto, const char *code)
{
	struct started started = { .code = code };
	const struct bg_log_visitor visitor = { .arg = &started, .on_line = on_started };
	struct bg_event event = { .id = BG_EV_ALERT_DELIVERED, .severity = -1 };
	struct bg_emitted emitted = { 0 };
	struct bg_log_totals totals;
	struct bg_diag diag = { 0 };
	char result[128], role[BG_ROLE_LEN + 1];
	int64_t secs;
	enum bg_err err = bg_log_read(crypto, &visitor, &totals, &diag);

	if (err != BG_OK && err != BG_ERR_NOENT)
		return bg_fail(err, &diag, NULL);
	if (!started.is_found) {
		bg_error("no drill here sent out that code");
		bg_hint("the code stands in the alert, after confirm=; it is this host's only");
		return BG_EXIT_NO;
	}
	secs = (int64_t)time(NULL) - started.time;
	(void)snprintf(result, sizeof(result),
		"drill id=%s arrived=yes after=%" PRId64 " (a person gave the code of its alert)",
		started.id, secs > 0 ? secs : 0);
	event.account = started.account;
	event.host = started.host;
	event.role = bg_account_role(started.account, role);
	event.result = result;
	bg_log_event(crypto, "bg-unlock", &event, false, &emitted);
	if (!bg_emitted_is_recorded(&emitted)) {
		bg_error("this could not be recorded: the log takes nothing");
		return BG_EXIT_MACHINE;
	}
	(void)printf("Recorded: the alert of drill %s arrived, confirmed %" PRId64
		     " s after the drill began.\n",
		started.id, secs > 0 ? secs : 0);
	return BG_EXIT_DONE;
}
