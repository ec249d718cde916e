/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look at the session's file once a second costs nothing worth saving, and
 * finds a revocation, a deadline that a suspended host slept through, and the
 * end of the login, without a timer or a watch that could be missing.
 */
#include "watch.h"

#include <breakglass/os_log.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define LOOK_MS	     1000
#define NOBODY	     3	  /* counts without anybody, a look apart: see bg_herd_count */
#define LEFTOVERS_MS 5000 /* between two counts of who outlives the login */

static void record(struct watch *watch, enum bg_event_id id, const char *result)
{
	struct bg_session_words words;
	struct bg_event event = bg_session_event(&watch->session, id, result, &words);

	event.severity = watch->severity;
	bg_log_event(watch->crypto, "pam_breakglass", &event, false, NULL);
}

static enum bg_err close_it(void *arg, struct bg_session *session)
{
	(void)arg;
	session->is_closed = true;
	return BG_OK;
}

/* The end of a login that could not tell it: told once, by whoever sets the mark. */
static enum bg_err tell_end(void *arg, struct bg_session *session)
{
	(void)arg;
	if (session->is_end_told)
		return BG_ERR_DUPLICATE;
	session->is_closed = true;
	session->is_end_told = true;
	return BG_OK;
}

static bool is_same(const struct bg_session *a, const struct bg_session *b)
{
	return a->audit_session == b->audit_session && a->opened_ms == b->opened_ms &&
	       a->uid == b->uid;
}

/* False: the session is revoked, or its file is gone, damaged or another's. */
static bool look(struct watch *watch)
{
	struct bg_session now;
	enum bg_err err = bg_sessions_get(watch->crypto, watch->session.audit_session, &now);

	if (err == BG_ERR_NOENT || err == BG_ERR_SYNTAX || err == BG_ERR_UNSAFE)
		return false;
	if (err != BG_OK)
		return true; /* of this moment: memory, descriptors */
	if (!is_same(&now, &watch->session))
		return false;
	watch->session = now;
	/* A file changed later may shorten a session, never lengthen it. */
	if (now.deadline_ms < watch->deadline_ms)
		watch->deadline_ms = now.deadline_ms;
	return !now.is_revoked;
}

static void end(struct watch *watch)
{
	size_t left = 0;

	(void)bg_herd_end(&watch->herd, BG_HERD_FOR_EVER, &left);
}

static void expire(struct watch *watch)
{
	size_t count = bg_herd_signal(&watch->herd, BG_HERD_FOLLOWERS, 0);
	char length[24], result[128];

	/* First shut, then told, then ended: sudo and su must not slip in between. */
	if (bg_sessions_update(watch->crypto, watch->session.audit_session, close_it, NULL, NULL) !=
		BG_OK)
		record(watch, BG_EV_DEGRADED, "an expired session could not be closed");
	bg_duration_text((watch->deadline_ms - watch->session.opened_ms) / 1000, length);
	(void)snprintf(result, sizeof(result), "ended at its deadline after %s: %zu process%s",
		length, count, count == 1 ? "" : "es");
	record(watch, BG_EV_SESSION_EXPIRED, result);
	end(watch);
}

static void leader_has_ended(struct watch *watch)
{
	char length[24], result[128];

	(void)close(watch->leader_fd);
	watch->leader_fd = -1;
	if (bg_sessions_update(watch->crypto, watch->session.audit_session, tell_end, NULL,
		    &watch->session) != BG_OK)
		return;
	bg_duration_text((bg_clock_boot_ms() - watch->session.opened_ms) / 1000, length);
	(void)snprintf(result, sizeof(result),
		"closed after %s: its login was killed; a review is due", length);
	record(watch, BG_EV_SESSION_CLOSED, result);
}

/* Until `until_ms`, or one look's time, or the leader's end. */
static void sleep_until(struct watch *watch, uint64_t now_ms, uint64_t until_ms)
{
	uint64_t ms = until_ms > now_ms ? until_ms - now_ms : 0;
	/* poll(2) leaves out a negative descriptor */
	struct pollfd p[] = { { .fd = watch->leader_fd, .events = POLLIN },
		{ .fd = watch->asker_fd, .events = POLLIN } };

	if (poll(p, 2, ms < LOOK_MS ? (int)ms : LOOK_MS) > 0 && p[0].revents != 0)
		leader_has_ended(watch);
}

void watch_run(struct watch *watch)
{
	uint64_t counted_ms = 0;
	unsigned int empty = 0;
	bool is_told;

	for (;;) {
		uint64_t now = bg_clock_boot_ms();

		if (!look(watch)) {
			end(watch);
			break;
		}
		if (now >= watch->deadline_ms) {
			expire(watch);
			break;
		}
		is_told = watch_beside(watch);
		if (is_told && watch->leader_fd < 0 && now - counted_ms >= LEFTOVERS_MS) {
			empty = bg_herd_count(&watch->herd) == 0 ? empty + 1 : 0;
			if (empty == NOBODY)
				return;
			counted_ms = empty > 0 ? counted_ms : now;
		}
		sleep_until(watch, now, watch_warn(watch, now));
	}
	if (watch->leader_fd >= 0)
		leader_has_ended(watch);
	while (!watch_beside(watch))
		sleep_until(watch, 0, LOOK_MS);
}
