/* SPDX-License-Identifier: BSD-2-Clause */
/* The story in plain words: a heading for each request, a line for each thing that happened. */
#include "bg-unlock.h"
#include "log_story.h"
#include "usage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT	  18 /* under the text of an entry */
#define LINE_LEN  2048
#define TIME_FROM 11 /* "2026-11-21T10:31:40.123Z" */
#define TOLD_HERE "typed into this host:"

/* The events in the words of the story. result: what else is worth saying is in it; but not when
   it is just `usual`. */
static const struct {
	enum bg_event_id id;
	const char *text, *usual;
} phrases[] = {
	{ BG_EV_ATTEMPT, "login begun", "no key proved yet" },
	{ BG_EV_REQUEST_OPENED, "request opened", NULL },
	{ BG_EV_KEY_REFUSED, "key refused", NULL },
	{ BG_EV_SHARE_ACCEPTED, "share counted", NULL },
	{ BG_EV_SHARE_REFUSED, "share refused", NULL },
	{ BG_EV_APPROVAL_ACCEPTED, "counted", NULL },
	{ BG_EV_APPROVAL_REFUSED, "code refused", NULL },
	{ BG_EV_GRANTED, "OPENED", NULL },
	{ BG_EV_DENIED, "denied", NULL },
	{ BG_EV_ABANDONED, "request dropped", NULL },
	{ BG_EV_BYPASS_BLOCKED, "BYPASS BLOCKED", NULL },
	{ BG_EV_SESSION_OPENED, "session began", "open" },
	{ BG_EV_SESSION_CONTEXT, "begun beside", NULL },
	{ BG_EV_SESSION_ESCALATED, "became root", NULL },
	{ BG_EV_SESSION_EXPIRED, "session's time is over", NULL },
	{ BG_EV_SESSION_CLOSED, "session ended", NULL },
	{ BG_EV_REVOKED, "ended", NULL },
	{ BG_EV_LOCKED, "LOCKED", NULL },
	{ BG_EV_UNLOCKED, "lock lifted", NULL },
	{ BG_EV_DRILL_STARTED, "drill begun", NULL },
	{ BG_EV_DRILL_ENDED, "drill ended", NULL },
	{ BG_EV_SEAL_INSTALLED, "seal installed", NULL },
	{ BG_EV_SEAL_REFUSED, "SEAL REFUSED", NULL },
	{ BG_EV_RESEALED, "new shares dealt", NULL },
	{ BG_EV_REVIEWED, "reviewed", NULL },
	{ BG_EV_ENVELOPE_OPENED, "ENVELOPE OPENED", NULL },
	{ BG_EV_CHECK_FAILED, "check failed", NULL },
	{ BG_EV_DEGRADED, "DEGRADED", NULL },
};

static const char *phrase_of(const struct bg_entry_line *entry, const char **ret_usual)
{
	*ret_usual = NULL;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (!bg_story_is_event(entry, bg_event_type(phrases[i].id)->name))
			continue;
		*ret_usual = phrases[i].usual;
		return phrases[i].text;
	}
	return NULL;
}

static void print_wrapped(const char *text, size_t column, size_t indent)
{
	(void)bg_put_words(text, column, indent);
	(void)printf("\n");
}

BG_PRINTF(3, 4)
static void add(char line[static LINE_LEN], size_t *used, const char *fmt, ...)
{
	va_list args;
	int n;

	if (*used >= LINE_LEN - 1)
		return;
	va_start(args, fmt);
	n = vsnprintf(line + *used, LINE_LEN - *used, fmt, args);
	va_end(args);
	if (n > 0)
		*used += (size_t)n < LINE_LEN - *used ? (size_t)n : LINE_LEN - *used - 1;
}

static unsigned long long number_of(const struct bg_entry_line *entry, const char *name)
{
	char text[BG_VALUE_LEN];

	bg_story_value(entry, name, text);
	return strtoull(text, NULL, 10);
}

/* The same thing once more? Strangers' attempts are, whencesoever, while their count goes up. */
static bool is_again(const struct bg_entry_line *one, const struct bg_entry_line *next)
{
	if (!bg_story_is_same(one, next, "event") || !bg_story_is_same(one, next, "result") ||
		!bg_story_is_same(one, next, "account") || !bg_story_is_same(one, next, "service"))
		return false;
	if (bg_story_is_event(one, "ATTEMPT"))
		return number_of(next, "count") > number_of(one, "count");
	return bg_story_is_same(one, next, "origin");
}

static const char *time_of_day(const char *time)
{
	return strlen(time) > TIME_FROM ? time + TIME_FROM : "??:??:??";
}

/* "; 7 times until 10:40:12", or of counted attempts "; attempts 1 to 64 until ...". */
static void add_times(char line[static LINE_LEN], size_t *used, const struct bg_entry_line *first,
	const struct bg_entry_line *last, unsigned int times)
{
	char time[BG_VALUE_LEN], day[BG_VALUE_LEN];

	if (bg_story_is_event(first, "ATTEMPT") && (times > 1 || number_of(first, "count") > 1))
		add(line, used, times > 1 ? "; attempts %llu to" : "; attempt %llu",
			number_of(first, "count"));
	if (times == 1)
		return;
	bg_story_value(last, "time", time);
	if (bg_story_is_event(first, "ATTEMPT"))
		add(line, used, " %llu", number_of(last, "count"));
	else
		add(line, used, "; %u times", times);
	add(line, used, " until ");
	bg_story_value(first, "time", day);
	if (strncmp(day, time, TIME_FROM - 1) != 0)
		add(line, used, "%.10s ", time);
	add(line, used, "%.8s, to record %" PRIu64, time_of_day(time), last->seq);
}

/* " (sshd from ::1)", unless the entry before said so. */
static void add_place(char line[static LINE_LEN], size_t *used, const struct bg_entry_line *entry,
	const struct bg_entry_line *last, const struct bg_entry_line *before)
{
	char service[BG_VALUE_LEN], origin[BG_VALUE_LEN];

	if (before && bg_story_is_same(entry, before, "service") &&
		bg_story_is_same(entry, before, "origin") &&
		bg_story_is_same(entry, last, "origin"))
		return;
	bg_story_value(entry, "service", service);
	bg_story_value(entry, "origin", origin);
	if (!service[0])
		return;
	add(line, used, " (%s%s%s%s)", service, origin[0] ? " from " : "", origin,
		bg_story_is_same(entry, last, "origin") ? "" : " and others");
}

static void add_what(char line[static LINE_LEN], size_t *used, const struct bg_entry_line *entry,
	bool is_of_request)
{
	char text[BG_VALUE_LEN], account[BG_VALUE_LEN];
	const char *usual, *phrase = phrase_of(entry, &usual);
	bool is_usual;

	bg_story_value(entry, "event", text);
	add(line, used, "%s", phrase ? phrase : text);
	bg_story_value(entry, "account", account);
	if (!is_of_request && account[0])
		add(line, used, " for %s", account);
	bg_story_value(entry, "result", text);
	is_usual = usual && strcmp(text, usual) == 0;
	if (text[0] && !is_usual)
		add(line, used, "%s %s", strncmp(text, "by ", 3) == 0 ? "" : ":", text);
}

/* Prints one thing that happened, perhaps several times; gives the last entry of it. */
static const struct bg_entry_line *print_entry(
	const struct bg_entry_line *entry, const struct bg_entry_line *before, bool is_of_request)
{
	const struct bg_entry_line *last = entry;
	char line[LINE_LEN] = "", text[BG_VALUE_LEN], time[BG_VALUE_LEN];
	unsigned int times = 1;
	size_t used = 0;

	for (; last->next && is_again(last, last->next); last = last->next)
		times++;
	bg_story_value(entry, "time", time);
	if (before && !bg_story_is_same(entry, before, "time")) {
		bg_story_value(before, "time", text);
		if (strncmp(text, time, TIME_FROM - 1) != 0)
			(void)printf("        %.10s\n", time);
	}
	add_what(line, &used, entry, is_of_request);
	add_times(line, &used, entry, last, times);
	add_place(line, &used, entry, last, before);
	(void)printf("%6" PRIu64 "  %.8s  ", entry->seq, time_of_day(time));
	print_wrapped(line, INDENT, INDENT);
	return last;
}

/* The newest value of a field that any entry of the chapter has. */
static void chapter_value(
	const struct bg_chapter *chapter, const char *name, char ret[static BG_VALUE_LEN])
{
	char text[BG_VALUE_LEN];

	ret[0] = '\0';
	for (const struct bg_entry_line *entry = chapter->first; entry; entry = entry->next) {
		bg_story_value(entry, name, text);
		if (text[0])
			memcpy(ret, text, sizeof(text));
	}
}

static bool has_event(const struct bg_chapter *chapter, const char *name)
{
	for (const struct bg_entry_line *entry = chapter->first; entry; entry = entry->next)
		if (bg_story_is_event(entry, name))
			return true;
	return false;
}

/* As review and check see it: a use after the review owes another; none is due while it goes on. */
static const char *review_of(const struct bg_chapter *chapter)
{
	__attribute__((cleanup(bg_usage_free))) struct bg_usage *usage = bg_usage_new();
	char boot_id[BG_BOOT_ID_LEN + 1];
	const struct bg_use *use;

	for (const struct bg_entry_line *e = chapter->first; e && usage; e = e->next) {
		const struct bg_log_line line = { "", 0, e->seq, e->line, e->len, NULL };

		bg_usage_add(usage, &line);
	}
	use = usage ? bg_usage_first(usage) : NULL;
	if (use && !bg_use_owes_review(use))
		return "; reviewed";
	if (use && bg_clock_boot_id(boot_id) == BG_OK &&
		bg_use_is_live(use, boot_id, bg_clock_boot_ms() / 1000))
		return "";
	return "; review due";
}

/* "drill: ops typed here" -> "ops typed here" */
static const char *skip_drill(const char *result)
{
	static const char mark[] = "drill: ";

	return strncmp(result, mark, sizeof(mark) - 1) == 0 ? result + sizeof(mark) - 1 : result;
}

/* Its grants opened nothing. */
static bool is_drill(const struct bg_chapter *chapter)
{
	char text[BG_VALUE_LEN];

	for (const struct bg_entry_line *e = chapter->first; e; e = e->next) {
		bg_story_value(e, "result", text);
		if (bg_story_is_event(e, "GRANTED") && skip_drill(text) == text)
			return false;
	}
	return has_event(chapter, "GRANTED");
}

static void add_outcome(char line[static LINE_LEN], size_t *used, const struct bg_chapter *chapter)
{
	char text[BG_VALUE_LEN];

	if (!has_event(chapter, "GRANTED")) {
		add(line, used, "not opened");
		return;
	}
	chapter_value(chapter, "custodians", text);
	if (is_drill(chapter)) {
		add(line, used, "a drill, passed by %s", text[0] ? text : "?");
		return;
	}
	add(line, used, "OPENED by %s%s", text[0] ? text : "?", review_of(chapter));
}

/* What follows a heading in a result, up to the next one: "typed here: ops, dba; seen by ...". */
static void add_names(char line[static LINE_LEN], size_t *used, const char *result,
	const char *heading, const char *told)
{
	const char *names = strstr(result, heading);

	if (!names)
		return;
	names += strlen(heading);
	add(line, used, "%s%s %.*s", *used > 0 ? "; " : "", told, (int)strcspn(names, ";"), names);
}

/* "typed into this host: dba", of a request that was not opened: as each share was counted. */
static void add_typed(char line[static LINE_LEN], size_t *used, const struct bg_chapter *chapter)
{
	char text[BG_VALUE_LEN];
	const char *name;

	for (const struct bg_entry_line *entry = chapter->first; entry; entry = entry->next) {
		if (!bg_story_is_event(entry, "SHARE_ACCEPTED"))
			continue;
		bg_story_value(entry, "result", text);
		name = skip_drill(text);
		add(line, used, "%s%.*s", *used > 0 ? ", " : TOLD_HERE " ", (int)strcspn(name, " "),
			name);
	}
}

/* Which machines have seen shares: those custodians' set is to be dealt anew. */
static void print_exposure(const struct bg_chapter *chapter)
{
	char line[LINE_LEN] = "", text[BG_VALUE_LEN], result[BG_VALUE_LEN] = "";
	size_t used = 0;

	for (const struct bg_entry_line *entry = chapter->first; entry; entry = entry->next) {
		bg_story_value(entry, "result", text);
		if (bg_story_is_event(entry, "GRANTED"))
			memcpy(result, text, sizeof(result));
	}
	if (result[0] == '\0')
		add_typed(line, &used, chapter);
	add_names(line, &used, result, "typed here: ", TOLD_HERE);
	add_names(line, &used, result,
		"seen by the combining machine: ", "typed into the machine that combined:");
	if (used == 0 && result[0] == '\0')
		return;
	(void)printf("  shares     ");
	print_wrapped(used > 0 ? line : "no machine but the custodians' own has seen any", 13, 13);
}

static void print_request(const struct bg_chapter *chapter, const char *host, const char *day)
{
	const char *id = chapter->digest[0] ? chapter->digest : chapter->nonce;
	char account[BG_VALUE_LEN], key[BG_VALUE_LEN], holder[BG_VALUE_LEN], reason[BG_VALUE_LEN],
		text[BG_VALUE_LEN];
	char short_id[BG_SHORT_ID_LEN + 1] = "????";
	char line[LINE_LEN] = "";
	uint8_t bytes[3];
	size_t used = 0;

	if (bg_hex_decode(id, 6, bytes, sizeof(bytes)))
		bg_short_id(bytes, short_id);
	chapter_value(chapter, "account", account);
	chapter_value(chapter, "key", key);
	chapter_value(chapter, "holder", holder);
	chapter_value(chapter, "reason", reason);
	add(line, &used, "REQUEST %s, %.10s, %s@%s: ", short_id, day, account, host);
	add_outcome(line, &used, chapter);
	print_wrapped(line, 0, 2);
	(void)printf(
		"  asked by   %s, with key %s\n", holder[0] ? holder : "?", key[0] ? key : "?");
	chapter_value(chapter, "role", text);
	if (text[0])
		(void)printf("  role       %s\n", text);
	(void)printf("  because    ");
	print_wrapped(reason[0] ? reason : "(no reason was given yet)", 13, 13);
	print_exposure(chapter);
}

/* A login that was killed has its end recorded, too; what is left runs, or ended with the host. */
static void print_unended(const struct bg_chapter *chapter)
{
	unsigned int begun = 0, ended = 0;

	for (const struct bg_entry_line *e = chapter->first; e; e = e->next) {
		begun += bg_story_is_event(e, "SESSION_OPENED");
		ended += bg_story_is_event(e, "SESSION_CLOSED");
	}
	if (begun > ended)
		(void)printf(
			"        no end is recorded of %u session%s: open still, or the host went "
			"down\n",
			begun - ended, begun - ended > 1 ? "s" : "");
}

static void print_chapter(const struct bg_chapter *chapter)
{
	bool is_request = chapter->nonce[0] || chapter->digest[0];
	char host[BG_VALUE_LEN], day[BG_VALUE_LEN];
	const struct bg_entry_line *before = NULL;

	chapter_value(chapter, "host", host);
	bg_story_value(chapter->first, "time", day);
	if (is_request)
		print_request(chapter, host, day);
	else
		(void)printf("NO REQUEST, %.10s, %s\n", day, host);
	for (const struct bg_entry_line *entry = chapter->first; entry; entry = entry->next) {
		const struct bg_entry_line *last = print_entry(entry, before, is_request);

		before = entry = last;
	}
	print_unended(chapter);
}

void bg_story_print(const struct bg_story *story, const struct bg_chapter *only)
{
	(void)printf(
		"What happened to emergency accounts here. Times are UTC; the number in front\n"
		"is the record's in the chain, which \"bg-unlock log verify\" proves whole.\n");
	for (const struct bg_chapter *chapter = story->first; chapter; chapter = chapter->next) {
		if (!chapter->first || (only && chapter != only))
			continue;
		(void)printf("\n");
		print_chapter(chapter);
	}
}
