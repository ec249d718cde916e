/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends requests and sessions. Shut first, told then, killed last: from the
 * moment that the files below /run say so nothing more is granted, and the
 * sessions' own watchdogs find it there and end them within a second or two.
 */
#include "revoke.h"
#include "bg-unlock.h"
#include "install.h"

#include <breakglass/os_log.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WATCHDOG_MS 12000 /* what the watchdogs get before we do it ourselves */
#define OURSELF_MS  15000
#define LOOK_MS	    100
#define RESULT_LEN  128

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

bool bg_revoke_is_id(const char *text)
{
	return strlen(text) == BG_SHORT_ID_LEN
		       ? strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
				      "YZ") == BG_SHORT_ID_LEN
		       : is_hex(text, (size_t)2 * BG_SHA256_LEN) ||
				 is_hex(text, (size_t)2 * BG_NONCE_LEN);
}

/* As people read it aloud: any case, O for 0, I and L for 1. */
static char plain(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c;
}

static bool is_named(const char *id, const uint8_t digest[static BG_SHA256_LEN],
	const uint8_t nonce[static BG_NONCE_LEN])
{
	char text[2 * BG_SHA256_LEN + 1];

	if (strlen(id) == BG_SHORT_ID_LEN) {
		bg_short_id(digest, text);
		for (size_t i = 0; i < BG_SHORT_ID_LEN; i++) {
			if (plain(id[i]) != text[i])
				return false;
		}
		return true;
	}
	bg_hex_encode(digest, BG_SHA256_LEN, text);
	if (strcmp(id, text) == 0)
		return true;
	bg_hex_encode(nonce, BG_NONCE_LEN, text);
	return strcmp(id, text) == 0;
}

static bool is_meant(const struct bg_revoke_which *which, const char *account,
	const uint8_t digest[static BG_SHA256_LEN], const uint8_t nonce[static BG_NONCE_LEN])
{
	if (which->account != NULL && strcmp(which->account, account) != 0)
		return false;
	if (which->digest != NULL && memcmp(which->digest, digest, BG_SHA256_LEN) != 0)
		return false;
	return which->id == NULL || is_named(which->id, digest, nonce);
}

static struct bg_herd herd_of(const struct bg_session *session)
{
	return (struct bg_herd){ .audit_session = session->audit_session, .uid = session->uid };
}

/* Closed sessions count as long as something of theirs lives. */
bool bg_revoke_is_alive(const struct bg_session *session)
{
	const struct bg_herd herd = herd_of(session);

	return !session->is_closed || bg_herd_signal(&herd, BG_HERD_ALL, 0) > 0;
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

size_t bg_revoke_count(struct bg_crypto *crypto, const struct bg_revoke_which *which)
{
	return count_of(collect(crypto, which));
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

		alive += bg_herd_signal(&herd, BG_HERD_ALL, 0);
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

/* /etc/passwd only: a source of names that hangs must not hold this up. */
static bool name_of(uint32_t uid, char *ret, size_t size)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd entry = { 0 }, *found = NULL;
	char line[1024];
	bool is_found = false;

	while (file != NULL && !is_found &&
		fgetpwent_r(file, &entry, line, sizeof(line), &found) == 0) {
		if (entry.pw_uid != uid)
			continue;
		(void)snprintf(ret, size, "%s", entry.pw_name);
		is_found = true;
	}
	if (file != NULL)
		(void)fclose(file);
	return is_found;
}

void bg_revoke_who(char ret[static BG_REVOKE_WHO_LEN])
{
	uint32_t login = 0;
	char name[48];

	if (bg_audit_login(&login) != BG_OK)
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (no login of its own)");
	else if (name_of(login, name, sizeof(name)))
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (%s)", name);
	else
		(void)snprintf(ret, BG_REVOKE_WHO_LEN, "root (uid %u)", (unsigned int)login);
}
