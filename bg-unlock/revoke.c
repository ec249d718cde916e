/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends requests and sessions. Shut first, told then, killed last: from the
 * moment that the files below /run say so nothing more is granted, and the
 * sessions' own watchdogs find it there and end them within a second or two.
 */
#include "revoke.h"
#include "bg-unlock.h"
#include "install.h"

#include <breakglass/escape.h>
#include <breakglass/os_log.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WATCHDOG_MS 12000 /* what the watchdogs get before we do it ourselves */
#define OURSELF_MS  15000
#define LOOK_MS	    100
#define RESULT_LEN  128

static bool is_meant(const struct bg_revoke_which *which, const char *account,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t nonce[static BG_NONCE_LEN])
{
	if (which->account != NULL && strcmp(which->account, account) != 0)
		return false;
	if (which->digest != NULL && memcmp(which->digest, digest, BG_SHA256_LEN) != 0)
		return false;
	return which->id == NULL || bg_revoke_is_named(which->id, digest, nonce);
}

static struct bg_herd herd_of(const struct bg_session *session)
{
	return (struct bg_herd){ .audit_session = session->audit_session, .uid = session->uid };
}

/* Closed sessions count as long as something of theirs lives. */
bool bg_revoke_is_alive(const struct bg_session *session)
{
	const struct bg_herd herd = herd_of(session);

	return !session->is_closed || bg_herd_count(&herd) > 0;
}

/* All that is to be ended, collected before anything is changed. */
struct work {
	struct bg_crypto *crypto;
	const struct bg_revoke_which *which;
	size_t request_count, session_count;
	struct bg_request_record requests[BG_REVOKE_MAX];
	struct bg_session sessions[BG_REVOKE_MAX];
};

static void add_request(void *arg, const struct bg_request_record *record)
{
	struct work *work = arg;

	if (work->request_count < BG_REVOKE_MAX && is_meant(work->which, record->request.account,
							   record->digest, record->request.nonce))
		work->requests[work->request_count++] = *record;
}

static void add_session(void *arg, const struct bg_session *session)
{
	struct work *work = arg;

	if (work->session_count < BG_REVOKE_MAX &&
		is_meant(work->which, session->account, session->digest, session->nonce) &&
		bg_revoke_is_alive(session))
		work->sessions[work->session_count++] = *session;
}

static bool has_request(const struct work *work, const struct bg_session *session)
{
	for (size_t i = 0; i < work->request_count; i++) {
		if (memcmp(work->requests[i].request.nonce, session->nonce, BG_NONCE_LEN) == 0)
			return true;
	}
	return false;
}

/* The first of its request's sessions? */
static bool is_first(const struct work *work, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (memcmp(work->sessions[j].nonce, work->sessions[i].nonce, BG_NONCE_LEN) == 0)
			return false;
	}
	return true;
}

static struct work *collect(struct bg_crypto *crypto, const struct bg_revoke_which *which)
{
	static struct work work;

	memset(&work, 0, sizeof(work));
	work.crypto = crypto;
	work.which = which;
	bg_requests_each(crypto, add_request, &work);
	bg_sessions_each(crypto, add_session, &work);
	return &work;
}

static size_t count_of(const struct work *work)
{
	size_t count = work->request_count;

	for (size_t i = 0; i < work->session_count; i++)
		count += !has_request(work, &work->sessions[i]) && is_first(work, i);
	return count;
}

#define LISTED_HEX 12

static void list_one(const char *account, const uint8_t *id, const char *key, const char *holder,
	const char *reason)
{
	char hex[2 * BG_SHA256_LEN + 1], line[256], shown[80 - LISTED_HEX - 4];

	bg_hex_encode(id, BG_NONCE_LEN, hex);
	(void)snprintf(line, sizeof(line), "%s, key %s (%s): %s", account, key, holder,
		reason[0] != '\0' ? reason : "no reason yet");
	bg_escape_terminal(shown, sizeof(shown), line);
	(void)fprintf(stderr, "  %.*s  %s\n", LISTED_HEX, hex, shown);
}

size_t bg_revoke_list(struct bg_crypto *crypto, const struct bg_revoke_which *which)
{
	const struct work *work = collect(crypto, which);
	const size_t count = count_of(work);

	if (count < 2)
		return count;
	bg_error("%s names %zu requests, and nothing was ended:", which->id, count);
	for (size_t i = 0; i < work->request_count; i++) {
		const struct bg_request *request = &work->requests[i].request;

		list_one(request->account,
			work->requests[i].phase == BG_PHASE_OPEN ? request->nonce
								 : work->requests[i].digest,
			request->key, request->holder, request->reason);
	}
	for (size_t i = 0; i < work->session_count; i++) {
		const struct bg_session *session = &work->sessions[i];

		if (!has_request(work, session) && is_first(work, i))
			list_one(session->account, session->digest, session->key, session->holder,
				session->reason);
	}
	bg_hint("type instead the digits in front of the one that is meant");
	return count;
}

static enum bg_err end_request(void *arg, struct bg_request_record *record)
{
	(void)arg;
	record->phase =
		bg_phase_may(record->phase, BG_PHASE_ENDED) ? BG_PHASE_ENDED : BG_PHASE_ABANDONED;
	return BG_OK;
}

static enum bg_err end_session(void *arg, struct bg_session *session)
{
	(void)arg;
	session->is_closed = true;
	session->is_revoked = true;
	return BG_OK;
}

static void complain(enum bg_err err, const char *what)
{
	if (err != BG_OK && err != BG_ERR_NOENT && err != BG_ERR_REVOKED)
		bg_error("%s: %s", what, bg_err_text(err));
}

static void shut(struct work *work)
{
	for (size_t i = 0; i < work->request_count; i++) {
		const uint8_t *nonce = work->requests[i].request.nonce;

		complain(bg_requests_update(work->crypto, nonce, 0, end_request, NULL, NULL),
			"a request");
		bg_grants_revoke(work->crypto, nonce);
	}
	/* Once more: a grant may have become a session meanwhile. */
	work->session_count = 0;
	bg_sessions_each(work->crypto, add_session, work);
	for (size_t i = 0; i < work->session_count; i++)
		complain(bg_sessions_update(work->crypto, work->sessions[i].audit_session,
				 end_session, NULL, NULL),
			"a session");
}

static size_t sessions_of(const struct work *work, const uint8_t nonce[static BG_NONCE_LEN])
{
	size_t count = 0;

	for (size_t i = 0; i < work->session_count; i++)
		count += memcmp(work->sessions[i].nonce, nonce, BG_NONCE_LEN) == 0;
	return count;
}

static const struct bg_session *session_of(
	const struct work *work, const uint8_t nonce[static BG_NONCE_LEN])
{
	for (size_t i = 0; i < work->session_count; i++)
		if (memcmp(work->sessions[i].nonce, nonce, BG_NONCE_LEN) == 0)
			return &work->sessions[i];
	return NULL;
}

static void tell(struct bg_crypto *crypto, const struct bg_event *event, const char *shown)
{
	bg_log_event(crypto, "bg-unlock", event, false, NULL);
	(void)printf("revoked: %s %s: %s\n", event->account, shown, event->result);
}

static void deed(
	const struct work *work, const char *who, size_t sessions, char ret[static RESULT_LEN])
{
	const char *custodian = work->which->custodian;

	(void)snprintf(ret, RESULT_LEN, "%s%s%sby %s; %zu session%s",
		custodian ? "refused by " : "", custodian ? custodian : "",
		custodian ? ", given " : "", who, sessions, sessions == 1 ? "" : "s");
}

static void tell_request(struct bg_crypto *crypto, const struct work *work,
	const struct bg_request_record *record, const char *who)
{
	char id[2 * BG_SHA256_LEN + 1], shown[24] = "without a reason yet";
	char result[RESULT_LEN], role[BG_ROLE_LEN + 1], set[2 * BG_SET_ID_LEN + 1];
	const struct bg_session *session = session_of(work, record->request.nonce);
	struct bg_event event = { .id = BG_EV_REVOKED,
		.host = record->request.host_label,
		.account = record->request.account,
		.request = id,
		.epoch = record->epoch,
		.key = record->request.key,
		.holder = record->request.holder,
		.reason = record->request.reason,
		.role = bg_account_role(record->request.account, role),
		.service = record->request.service,
		.origin = record->request.origin,
		.result = result,
		.severity = -1 };

	if (record->phase == BG_PHASE_OPEN) {
		bg_hex_encode(record->request.nonce, BG_NONCE_LEN, id);
	} else {
		bg_hex_encode(record->digest, BG_SHA256_LEN, id);
		bg_short_id(record->digest, shown);
	}
	if (session) { /* who opened it stands there */
		bg_hex_encode(session->set_id, BG_SET_ID_LEN, set);
		event.set = set;
		event.custodians = session->custodians;
	}
	deed(work, who, sessions_of(work, record->request.nonce), result);
	tell(crypto, &event, shown);
}

static void tell_session(struct bg_crypto *crypto, const struct work *work,
	const struct bg_session *session, const char *who)
{
	char result[RESULT_LEN], shown[BG_SHORT_ID_LEN + 1];
	struct bg_session_words words;
	struct bg_event event;

	bg_short_id(session->digest, shown);
	deed(work, who, sessions_of(work, session->nonce), result);
	event = bg_session_event(session, BG_EV_REVOKED, result, &words);
	tell(crypto, &event, shown);
}

static size_t alive_of(const struct work *work)
{
	size_t alive = 0;

	for (size_t i = 0; i < work->session_count; i++) {
		const struct bg_herd herd = herd_of(&work->sessions[i]);

		alive += bg_herd_count(&herd);
	}
	return alive;
}

/* The watchdogs first, who know which process ends the login in order; where none is left we. */
static size_t await_end(const struct work *work)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t end = bg_clock_boot_ms() + WATCHDOG_MS;
	size_t alive = alive_of(work), left = 0;

	while (alive > 0 && bg_clock_boot_ms() < end) {
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		alive = alive_of(work);
	}
	if (alive == 0)
		return 0;
	alive = 0;
	for (size_t i = 0; i < work->session_count; i++) {
		const struct bg_herd herd = herd_of(&work->sessions[i]);

		(void)bg_herd_end(&herd, OURSELF_MS, &left);
		alive += left;
	}
	return alive;
}

struct bg_revoked bg_revoke(
	struct bg_crypto *crypto, const struct bg_revoke_which *which, const char *who)
{
	struct work *work = collect(crypto, which);
	struct bg_revoked revoked = { .matches = count_of(work) };

	shut(work);
	for (size_t i = 0; i < work->request_count; i++)
		tell_request(crypto, work, &work->requests[i], who);
	for (size_t i = 0; i < work->session_count; i++) {
		if (!has_request(work, &work->sessions[i]) && is_first(work, i))
			tell_session(crypto, work, &work->sessions[i], who);
	}
	(void)fflush(stdout);
	revoked.requests = work->request_count;
	revoked.sessions = work->session_count;
	revoked.alive = await_end(work);
	return revoked;
}

struct bg_revoked bg_revoke_lock(struct bg_crypto *crypto, const char *account, const char *host,
	const char *who, enum bg_err *ret_err, struct bg_diag *diag)
{
	const struct bg_revoke_which which = { .account = account };
	struct work *work = collect(crypto, &which);
	char result[160], role[BG_ROLE_LEN + 1];
	struct bg_event event = { .id = BG_EV_LOCKED,
		.host = host,
		.account = account,
		.role = bg_account_role(account, role),
		.result = result,
		.severity = -1 };

	/* Before anything is ended: what is opened from here on is later than the lock. */
	*ret_err = bg_locks_put(account, who, diag);
	if (*ret_err == BG_OK) {
		(void)snprintf(result, sizeof(result),
			"by %s, until a key and a new quorum lift it; %zu open request%s", who,
			count_of(work), count_of(work) == 1 ? "" : "s");
		bg_log_event(crypto, "bg-unlock", &event, false, NULL);
		(void)printf("locked: %s: until a key and a new quorum lift it\n", account);
	}
	return bg_revoke(crypto, &which, who);
}
