/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the log alone says of each use: was it opened, is it reviewed, whose
 * shares did a machine see. There is no other database. Used by review, check
 * and log show, so that they never disagree.
 */
#ifndef BG_UNLOCK_USAGE_H
#define BG_UNLOCK_USAGE_H

#include "log_story.h"

#include <breakglass/os_clock.h>

#define BG_NAMES_LEN  256 /* "ops, dba" */
#define BG_BESIDE_LEN 256

/* A request that got as far as its digest. */
struct bg_use {
	struct bg_use *next, *next_alike;
	char request[BG_DIGEST_CHARS + 1];
	char account[BG_PAM_NAME_LEN + 1], host[BG_HOST_LABEL_LEN + 1];
	char key[BG_NAME_LEN + 1], holder[BG_HOLDER_LEN + 1];
	uint32_t epoch;
	bool is_granted;
	bool is_reviewed;  /* and was not used again since */
	bool has_session;  /* one began since the last grant */
	unsigned int open; /* sessions that began and did not end in that boot */
	char boot[BG_BOOT_ID_LEN + 1];
	uint64_t boot_secs; /* CLOCK_BOOTTIME, and below wall clock time, of the last use */
	int64_t last_ms;
	char beside[BG_BESIDE_LEN]; /* SESSION_CONTEXT in words; rather of one beside healthy ways
				     */
	bool was_healthy;
	char typed[BG_NAMES_LEN], seen[BG_NAMES_LEN]; /* at the host; by what combined */
};

struct bg_usage; /* opaque */

struct bg_usage *bg_usage_new(void); /* NULL: out of memory */
void bg_usage_free(struct bg_usage **usage);
/* As bg_log_visitor.on_line; arg: the usage. */
void bg_usage_add(void *arg, const struct bg_log_line *line);
bool bg_usage_is_whole(const struct bg_usage *usage); /* false: memory ran out */

const struct bg_use *bg_usage_first(const struct bg_usage *usage);
/* The one that is called so, as bg_story_find does it; *ret_count: how many are. */
const struct bg_use *bg_usage_find(
	const struct bg_usage *usage, const char *name, size_t *ret_count);
/* It was opened and nobody reviewed it since. */
bool bg_use_owes_review(const struct bg_use *use);
/* A session of it is open, or its grant may still become one; a session whose end nobody recorded
   counts for a day of the same boot. */
bool bg_use_is_live(const struct bg_use *use, const char *boot_id, uint64_t boot_secs);
/* The newest epoch that was installed for account, as far as the log says; 0: it does not. */
uint32_t bg_usage_epoch(const struct bg_usage *usage, const char *account);
/* How many different shares of that epoch machines have seen, and whose. */
size_t bg_usage_exposed(const struct bg_usage *usage, const char *account, uint32_t epoch,
	char names[static BG_NAMES_LEN]);

#endif
