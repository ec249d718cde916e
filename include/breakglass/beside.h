/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The misuse signal: what an emergency session was opened beside. An account
 * for emergencies that is used minutes after an ordinary login, while the
 * normal ways look healthy, is somebody's shortcut until a review says else.
 */
#ifndef BREAKGLASS_BESIDE_H
#define BREAKGLASS_BESIDE_H

#include <breakglass/event.h>

enum bg_way {
	BG_WAY_NOLOGIN,	  /* nobody but root may log in */
	BG_WAY_NAMES,	  /* an account and its groups, as sshd and login ask for them */
	BG_WAY_DIRECTORY, /* the service behind a source of names, where there is one */
	BG_WAY_SSHD,	  /* the host's own sshd, by its banner */
	BG_WAY_DISK,	  /* /var, where sshd and login write who came */
	BG_WAY_COUNT
};
enum bg_way_state { BG_WAY_UNKNOWN, BG_WAY_NONE, BG_WAY_GOOD, BG_WAY_BAD };

struct bg_beside {
	enum bg_way_state ways[BG_WAY_COUNT]; /* BG_WAY_NONE: this host has no such way */
	bool has_ordinary;
	uint64_t ordinary_secs; /* from the last ordinary login to the session's begin */
};

struct bg_beside_words {
	char ordinary[24]; /* "240"; "" where none is known */
	char normal[160];  /* "healthy", "broken: names do not answer, ...", "unknown" */
	char result[256];  /* both, for people */
};

/* Makes event, which has a session's fields, SESSION_CONTEXT: fields, result, and the severity,
   which is lowered to notice where a normal way was found broken. Borrows from words. */
void bg_beside_event(
	const struct bg_beside *beside, struct bg_beside_words *words, struct bg_event *event);

#endif
