/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as a story: records are gathered by their request, then told in plain sentences. */
#ifndef BG_UNLOCK_LOG_STORY_H
#define BG_UNLOCK_LOG_STORY_H

#include <breakglass/os_log_read.h>

#include <breakglass/event.h>
#include <breakglass/limits.h>

#define BG_NONCE_CHARS	(2 * BG_NONCE_LEN)
#define BG_DIGEST_CHARS (2 * BG_SHA256_LEN)
#define BG_VALUE_LEN	512

/* A record, as it stands in the chain. */
struct bg_entry_line {
	struct bg_entry_line *next; /* in its chapter */
	uint64_t seq;
	size_t len;
	char line[];
};

/* One request, or what happened between two without any. May have lost all its entries to the
   request that they were the beginning of. */
struct bg_chapter {
	struct bg_chapter *next;
	struct bg_chapter *next_nonce, *next_digest; /* in its buckets */
	char nonce[BG_NONCE_CHARS + 1]; /* until the request is fixed its id is the nonce */
	char digest[BG_DIGEST_CHARS + 1];
	char account[BG_PAM_NAME_LEN + 1], key[BG_NAME_LEN + 1];
	struct bg_entry_line *first, *last;
};

#define BG_STORY_BUCKETS 4096
struct bg_story {
	struct bg_chapter *first, *last;
	/* a long log has many requests */
	struct bg_chapter *by_nonce[BG_STORY_BUCKETS], *by_digest[BG_STORY_BUCKETS];
	bool is_short;
};

/* A field as it may be shown on a terminal; "": not there. */
void bg_story_value(
	const struct bg_entry_line *entry, const char *name, char ret[static BG_VALUE_LEN]);
bool bg_story_is_same(
	const struct bg_entry_line *one, const struct bg_entry_line *other, const char *name);
bool bg_story_is_event(const struct bg_entry_line *entry, const char *name);

struct bg_story *bg_story_new(void); /* NULL: out of memory */
void bg_story_free(struct bg_story **story);
/* As bg_log_visitor.on_line; arg: the story. The line is copied. */
void bg_story_add(void *arg, const struct bg_log_line *line);
/* False: memory ran out while it was gathered. */
bool bg_story_is_whole(const struct bg_story *story);
/* The request that is called so: its short id of four characters in any case, or at least six of
   the hex digits of its digest or nonce. *ret_count: how many are; else than 1, NULL is returned.
 */
const struct bg_chapter *bg_story_find(
	const struct bg_story *story, const char *name, size_t *ret_count);
/* To stdout, 79 columns (log_tell.c). only: that chapter (NULL: all). */
void bg_story_print(const struct bg_story *story, const struct bg_chapter *only);
/* Is `name` a request whose nonce or digest (hex, "": none) is this? As bg_story_find. */
bool bg_request_is_called(const char *hex, const char *name);

#endif
