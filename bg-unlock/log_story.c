/* SPDX-License-Identifier: BSD-2-Clause */
#include "log_story.h"

#include <breakglass/escape.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_CHARS  (2 * BG_NONCE_LEN)
#define DIGEST_CHARS (2 * BG_SHA256_LEN)
#define VALUE_LEN    512

struct entry {
	struct entry *next; /* in its chapter */
	uint64_t seq;
	size_t len;
	char line[];
};

/* One request, or what happened between two without any. */
struct chapter {
	struct chapter *next;
	char nonce[NONCE_CHARS + 1]; /* until the request is fixed its id is the nonce */
	char digest[DIGEST_CHARS + 1];
	char account[BG_PAM_NAME_LEN + 1], key[BG_NAME_LEN + 1];
	struct entry *first, *last;
};

struct bg_story {
	struct chapter *first, *last;
	bool is_short;
};

struct bg_story *bg_story_new(void)
{
	return calloc(1, sizeof(struct bg_story));
}

void bg_story_free(struct bg_story **story)
{
	struct chapter *chapter, *next_chapter;
	struct entry *entry, *next;

	if (!*story)
		return;
	for (chapter = (*story)->first; chapter; chapter = next_chapter) {
		next_chapter = chapter->next;
		for (entry = chapter->first; entry; entry = next) {
			next = entry->next;
			free(entry);
		}
		free(chapter);
	}
	free(*story);
	*story = NULL;
}

bool bg_story_is_whole(const struct bg_story *story)
{
	return !story->is_short;
}

/* The field as it may be shown on a terminal; "": not there. */
static void value(const char *line, size_t len, const char *name, char ret[static VALUE_LEN])
{
	char raw[VALUE_LEN];

	(void)bg_event_line_field(line, len, name, raw, sizeof(raw));
	bg_escape_terminal(ret, VALUE_LEN, raw);
}

static void copy(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(ret, text, len);
	ret[len] = '\0';
}

/* Who asks: by this a nonce's chapter and the digest that follows are known as one request. */
struct subject {
	char request[VALUE_LEN], account[VALUE_LEN], key[VALUE_LEN];
};

static bool is_of(const struct chapter *chapter, const struct subject *subject)
{
	if (subject->request[0] == '\0')
		return !chapter->nonce[0] && !chapter->digest[0];
	return strcmp(chapter->nonce, subject->request) == 0 ||
	       strcmp(chapter->digest, subject->request) == 0;
}

/* A digest that was not seen yet belongs to the newest request of the same account and key that
   has none. */
static bool is_fixed_now(const struct chapter *chapter, const struct subject *subject)
{
	return strlen(subject->request) == DIGEST_CHARS && chapter->nonce[0] &&
	       !chapter->digest[0] && strcmp(chapter->account, subject->account) == 0 &&
	       strcmp(chapter->key, subject->key) == 0;
}

static struct chapter *find(const struct bg_story *story, const struct subject *subject)
{
	struct chapter *fixed = NULL;

	if (!subject->request[0])
		return story->last && is_of(story->last, subject) ? story->last : NULL;
	for (struct chapter *chapter = story->first; chapter; chapter = chapter->next) {
		if (is_of(chapter, subject))
			return chapter;
		if (is_fixed_now(chapter, subject))
			fixed = chapter;
	}
	if (fixed)
		copy(fixed->digest, sizeof(fixed->digest), subject->request);
	return fixed;
}

static struct chapter *begin(struct bg_story *story, const struct subject *subject)
{
	struct chapter *chapter = calloc(1, sizeof(*chapter));

	if (!chapter)
		return NULL;
	if (strlen(subject->request) == DIGEST_CHARS)
		copy(chapter->digest, sizeof(chapter->digest), subject->request);
	else
		copy(chapter->nonce, sizeof(chapter->nonce), subject->request);
	copy(chapter->account, sizeof(chapter->account), subject->account);
	copy(chapter->key, sizeof(chapter->key), subject->key);
	if (story->last)
		story->last->next = chapter;
	else
		story->first = chapter;
	story->last = chapter;
	return chapter;
}

void bg_story_add(void *arg, const struct bg_log_line *line)
{
	struct bg_story *story = arg;
	struct subject subject = { 0 };
	struct chapter *chapter;
	struct entry *entry;

	if (line->seq == 0)
		return;
	value(line->text, line->len, "request", subject.request);
	value(line->text, line->len, "account", subject.account);
	value(line->text, line->len, "key", subject.key);
	entry = malloc(sizeof(*entry) + line->len);
	chapter = find(story, &subject);
	if (!chapter)
		chapter = begin(story, &subject);
	if (!entry || !chapter) {
		free(entry);
		story->is_short = true;
		return;
	}
	entry->next = NULL;
	entry->seq = line->seq;
	entry->len = line->len;
	memcpy(entry->line, line->text, line->len);
	if (chapter->last)
		chapter->last->next = entry;
	else
		chapter->first = entry;
	chapter->last = entry;
}

static const struct bg_event_type *type_of(const struct entry *entry)
{
	char name[VALUE_LEN];

	value(entry->line, entry->len, "event", name);
	for (int i = 0; i < BG_EV_COUNT; i++)
		if (strcmp(bg_event_type((enum bg_event_id)i)->name, name) == 0)
			return bg_event_type((enum bg_event_id)i);
	return NULL;
}

/* "; WORDS VALUE" if the entry has the field. */
static void add_value(const struct entry *entry, const char *name, const char *words)
{
	char text[VALUE_LEN];

	value(entry->line, entry->len, name, text);
	if (text[0])
		(void)printf("; %s %s", words, text);
}

/* "  2026-11-21 08:55:51Z  sentence: result; custodians ...; at ... (record 7)" */
static void print_entry(const struct entry *entry, bool is_of_request)
{
	const struct bg_event_type *type = type_of(entry);
	char time[VALUE_LEN], text[VALUE_LEN];
	const char *sentence;

	value(entry->line, entry->len, "time", time);
	value(entry->line, entry->len, "event", text);
	sentence = type ? type->text : text;
	(void)printf("  %.10s %.8sZ  %.*s", time, strlen(time) > 11 ? time + 11 : "",
		(int)strcspn(sentence, "."), sentence);
	value(entry->line, entry->len, "result", text);
	if (text[0])
		(void)printf(": %s", text);
	if (!is_of_request) {
		add_value(entry, "account", "account");
		add_value(entry, "key", "key");
		add_value(entry, "holder", "held by");
	}
	add_value(entry, "custodians", "custodians");
	add_value(entry, "service", "at");
	add_value(entry, "origin", "from");
	add_value(entry, "count", "attempt");
	(void)printf(" (record %" PRIu64 ")\n", entry->seq);
}

/* The newest value of a field that any entry of the chapter has. */
static void chapter_value(
	const struct chapter *chapter, const char *name, char ret[static VALUE_LEN])
{
	char text[VALUE_LEN];

	ret[0] = '\0';
	for (const struct entry *entry = chapter->first; entry; entry = entry->next) {
		value(entry->line, entry->len, name, text);
		if (text[0])
			copy(ret, VALUE_LEN, text);
	}
}

static void add_chapter_value(const struct chapter *chapter, const char *name, const char *words)
{
	char text[VALUE_LEN];

	chapter_value(chapter, name, text);
	if (text[0])
		(void)printf("%s%s", words, text);
}

static void print_heading(const struct chapter *chapter)
{
	const char *id = chapter->digest[0] ? chapter->digest : chapter->nonce;
	char short_id[BG_SHORT_ID_LEN + 1];
	uint8_t bytes[3];

	if (!id[0]) {
		(void)printf("Without a request\n");
		return;
	}
	if (bg_hex_decode(id, 6, bytes, sizeof(bytes)))
		bg_short_id(bytes, short_id);
	else
		copy(short_id, sizeof(short_id), "????");
	(void)printf("Request %s", short_id);
	add_chapter_value(chapter, "account", " for account ");
	add_chapter_value(chapter, "host", " on ");
	add_chapter_value(chapter, "key", ": key ");
	add_chapter_value(chapter, "holder", " of ");
	add_chapter_value(chapter, "reason", ", because: ");
	(void)printf("\n");
}

void bg_story_print(const struct bg_story *story)
{
	for (const struct chapter *chapter = story->first; chapter; chapter = chapter->next) {
		bool is_request = chapter->nonce[0] || chapter->digest[0];

		if (chapter != story->first)
			(void)printf("\n");
		print_heading(chapter);
		for (const struct entry *entry = chapter->first; entry; entry = entry->next)
			print_entry(entry, is_request);
	}
}
