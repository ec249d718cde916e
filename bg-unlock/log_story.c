/* SPDX-License-Identifier: BSD-2-Clause */
#include "log_story.h"

#include <breakglass/escape.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct bg_story *bg_story_new(void)
{
	return calloc(1, sizeof(struct bg_story));
}

void bg_story_free(struct bg_story **story)
{
	struct bg_chapter *chapter, *next_chapter;
	struct bg_entry_line *entry, *next;

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
static void value(const char *line, size_t len, const char *name, char ret[static BG_VALUE_LEN])
{
	char raw[BG_VALUE_LEN];

	(void)bg_event_line_field(line, len, name, raw, sizeof(raw));
	bg_escape_terminal(ret, BG_VALUE_LEN, raw);
}

void bg_story_value(
	const struct bg_entry_line *entry, const char *name, char ret[static BG_VALUE_LEN])
{
	value(entry->line, entry->len, name, ret);
}

bool bg_story_is_same(
	const struct bg_entry_line *one, const struct bg_entry_line *other, const char *name)
{
	char a[BG_VALUE_LEN], b[BG_VALUE_LEN];

	bg_story_value(one, name, a);
	bg_story_value(other, name, b);
	return strcmp(a, b) == 0;
}

bool bg_story_is_event(const struct bg_entry_line *entry, const char *name)
{
	char text[BG_VALUE_LEN];

	bg_story_value(entry, "event", text);
	return strcmp(text, name) == 0;
}

static void copy(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(ret, text, len);
	ret[len] = '\0';
}

/* Who asks: by this a nonce's chapter and the digest that follows are known as one request. */
struct subject {
	char request[BG_VALUE_LEN], account[BG_VALUE_LEN], key[BG_VALUE_LEN];
};

static size_t bucket_of(const char *id)
{
	uint32_t hash = 0x811c9dc5; /* FNV-1a */

	for (; *id != '\0'; id++)
		hash = (hash ^ (uint8_t)*id) * 0x01000193;
	return hash % BG_STORY_BUCKETS;
}

static void give_nonce(struct bg_story *story, struct bg_chapter *chapter, const char *nonce)
{
	struct bg_chapter **bucket;

	copy(chapter->nonce, sizeof(chapter->nonce), nonce);
	bucket = &story->by_nonce[bucket_of(chapter->nonce)];
	chapter->next_nonce = *bucket;
	*bucket = chapter;
}

static void give_digest(struct bg_story *story, struct bg_chapter *chapter, const char *digest)
{
	struct bg_chapter **bucket;

	copy(chapter->digest, sizeof(chapter->digest), digest);
	bucket = &story->by_digest[bucket_of(chapter->digest)];
	chapter->next_digest = *bucket;
	*bucket = chapter;
}

/* The chapter of a request's nonce or digest. */
static struct bg_chapter *find_known(const struct bg_story *story, const char *request)
{
	size_t bucket = bucket_of(request);
	struct bg_chapter *c;

	for (c = story->by_nonce[bucket]; c; c = c->next_nonce)
		if (strcmp(c->nonce, request) == 0)
			return c;
	for (c = story->by_digest[bucket]; c; c = c->next_digest)
		if (strcmp(c->digest, request) == 0)
			return c;
	return NULL;
}

/* A digest that was not seen yet belongs to the newest request of the same account and key that
   has none. */
static bool is_fixed_now(const struct bg_chapter *chapter, const struct subject *subject)
{
	return strlen(subject->request) == BG_DIGEST_CHARS && chapter->nonce[0] &&
	       !chapter->digest[0] && strcmp(chapter->account, subject->account) == 0 &&
	       strcmp(chapter->key, subject->key) == 0;
}

static struct bg_chapter *find(struct bg_story *story, const struct subject *subject)
{
	struct bg_chapter *last = story->last, *found;

	if (!subject->request[0])
		return last && !last->nonce[0] && !last->digest[0] ? last : NULL;
	found = find_known(story, subject->request);
	for (struct bg_chapter *c = found ? NULL : story->first; c; c = c->next)
		if (is_fixed_now(c, subject))
			found = c;
	if (found && is_fixed_now(found, subject))
		give_digest(story, found, subject->request);
	return found;
}

static struct bg_chapter *begin(struct bg_story *story, const struct subject *subject)
{
	struct bg_chapter *chapter = calloc(1, sizeof(*chapter));

	if (!chapter)
		return NULL;
	if (strlen(subject->request) == BG_DIGEST_CHARS)
		give_digest(story, chapter, subject->request);
	else if (subject->request[0])
		give_nonce(story, chapter, subject->request);
	copy(chapter->account, sizeof(chapter->account), subject->account);
	copy(chapter->key, sizeof(chapter->key), subject->key);
	if (story->last)
		story->last->next = chapter;
	else
		story->first = chapter;
	story->last = chapter;
	return chapter;
}

/* What the same person did at the same door before the key was proved: the newest ATTEMPT of the
   chapter, if nothing but such things came after it; else NULL. *ret_before: the entry before. */
static struct bg_entry_line *find_beginning(const struct bg_chapter *chapter,
	const struct bg_entry_line *opened, struct bg_entry_line **ret_before)
{
	struct bg_entry_line *found = NULL, *before = NULL;

	*ret_before = NULL;
	for (struct bg_entry_line *e = chapter->first; e; before = e, e = e->next) {
		bool is_attempt = bg_story_is_event(e, "ATTEMPT");

		if (!bg_story_is_same(e, opened, "service") ||
			!bg_story_is_same(e, opened, "origin") ||
			(!is_attempt && !bg_story_is_event(e, "KEY_REFUSED"))) {
			found = NULL;
		} else if (is_attempt) {
			found = e;
			*ret_before = before;
		}
	}
	return found;
}

/* Moves that beginning from the chapter before into the request's own. */
static void adopt(
	struct bg_chapter *from, struct bg_chapter *into, const struct bg_entry_line *opened)
{
	struct bg_entry_line *before, *found = find_beginning(from, opened, &before);

	if (!found)
		return;
	if (into->last)
		into->last->next = found;
	else
		into->first = found;
	into->last = from->last;
	if (before)
		before->next = NULL;
	else
		from->first = NULL;
	from->last = before;
}

/* A request is opened or taken up, or a live one let somebody in again. */
static bool is_beginning(const struct bg_chapter *previous, const struct bg_entry_line *entry)
{
	if (previous->nonce[0] || previous->digest[0])
		return false;
	return bg_story_is_event(entry, "REQUEST_OPENED") ||
	       (bg_story_is_event(entry, "GRANTED") && previous->last &&
		       previous->last->seq + 1 == entry->seq);
}

void bg_story_add(void *arg, const struct bg_log_line *line)
{
	struct bg_story *story = arg;
	struct subject subject = { 0 };
	struct bg_chapter *chapter, *previous = story->last;
	struct bg_entry_line *entry;

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
	if (previous && previous != chapter && is_beginning(previous, entry))
		adopt(previous, chapter, entry);
	if (chapter->last)
		chapter->last->next = entry;
	else
		chapter->first = entry;
	chapter->last = entry;
}

#define PREFIX_MIN 6

bool bg_request_is_called(const char *hex, const char *name)
{
	size_t len = strlen(name);
	char short_id[BG_SHORT_ID_LEN + 1];
	uint8_t bytes[3];

	if (hex[0] == '\0')
		return false;
	if (len >= PREFIX_MIN)
		return strncasecmp(hex, name, len) == 0;
	if (len != BG_SHORT_ID_LEN || !bg_hex_decode(hex, 6, bytes, sizeof(bytes)))
		return false;
	bg_short_id(bytes, short_id);
	return strcasecmp(short_id, name) == 0;
}

const struct bg_chapter *bg_story_find(
	const struct bg_story *story, const char *name, size_t *ret_count)
{
	const struct bg_chapter *found = NULL;

	*ret_count = 0;
	for (const struct bg_chapter *chapter = story->first; chapter; chapter = chapter->next) {
		/* its short id is that of the digest, once there is one */
		const char *id = chapter->digest[0] ? chapter->digest : chapter->nonce;

		if (!chapter->first || (!bg_request_is_called(id, name) &&
					       !(strlen(name) >= PREFIX_MIN &&
						       bg_request_is_called(chapter->nonce, name))))
			continue;
		found = chapter;
		(*ret_count)++;
	}
	return *ret_count == 1 ? found : NULL;
}
