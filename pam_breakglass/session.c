/* SPDX-License-Identifier: BSD-2-Clause */
/* The session phase: takes the admitted grant once, sets the deadline, records both ends. */
#include "guest.h"
#include "phases.h"
#include "text.h"

#include <breakglass/beside.h>
#include <breakglass/os_session.h>
#include <breakglass/paths.h>
#include <breakglass/secret.h>
#include "conversation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Marks this handle as one whose session was opened here; names its audit session. */
#define SESSION_DATA "pam_breakglass.session"
/* pam_systemd(8) makes RuntimeMaxSec of the session's scope from this. */
#define RUNTIME_DATA "systemd.runtime_max_sec"

static void free_data(pam_handle_t *pamh, void *data, int error_status)
{
	(void)pamh;
	(void)error_status;
	free(data);
}

struct open_arg {
	uint64_t now_ms;
};

/* The first session of a request starts its deadline; a later one finds it. */
static enum bg_err make_live(void *arg, struct bg_request_record *record)
{
	const struct open_arg *open = arg;

	if (record->request.purpose != BG_PURPOSE_EMERGENCY)
		return BG_ERR_STATE;
	if (record->phase == BG_PHASE_LIVE)
		return open->now_ms < record->deadline_ms ? BG_OK : BG_ERR_EXPIRED;
	if (!bg_phase_may(record->phase, BG_PHASE_LIVE))
		return BG_ERR_STATE;
	record->phase = BG_PHASE_LIVE;
	record->deadline_ms = open->now_ms + record->request.session_secs * (uint64_t)1000;
	return BG_OK;
}

static void fill_session(const struct bg_guest *guest, const struct bg_request_record *record,
	uint64_t now_ms, struct bg_session *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->boot_id, record->boot_id, sizeof(ret->boot_id));
	memcpy(ret->nonce, record->request.nonce, BG_NONCE_LEN);
	memcpy(ret->digest, record->digest, BG_SHA256_LEN);
	memcpy(ret->set_id, guest->seal.set_id, BG_SET_ID_LEN);
	memcpy(ret->lock_id, record->lock_id, BG_LOCK_ID_LEN);
	(void)snprintf(ret->account, sizeof(ret->account), "%s", guest->seal.account);
	(void)snprintf(ret->host_label, sizeof(ret->host_label), "%s", guest->host.label);
	(void)snprintf(ret->key, sizeof(ret->key), "%s", record->request.key);
	(void)snprintf(ret->holder, sizeof(ret->holder), "%s", record->request.holder);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", record->request.reason);
	(void)snprintf(ret->service, sizeof(ret->service), "%s", guest->service);
	(void)snprintf(ret->origin, sizeof(ret->origin), "%s", guest->origin);
	(void)snprintf(ret->role, sizeof(ret->role), "%s", guest->host.role);
	bg_tally_names(&guest->seal, &record->tally, ret->custodians, sizeof(ret->custodians));
	ret->uid = guest->host.uid;
	ret->epoch = guest->seal.epoch;
	ret->opened_ms = now_ms;
	ret->deadline_ms = record->deadline_ms;
}

static void session_event(
	const struct bg_session *session, char request[static 65], struct bg_event *event)
{
	bg_hex_encode(session->digest, BG_SHA256_LEN, request);
	event->request = request;
	event->key = session->key;
	event->holder = session->holder;
	event->reason = session->reason;
	event->role = session->role; /* what it was opened with */
	event->custodians = session->custodians;
}

/* The one that ends it, also where no logind does, and what logind leaves. Started before
   pam_systemd moves us, so that it stands outside of the session's scope. */
static bool start_watchdog(struct bg_guest *guest, const struct bg_session *session)
{
	struct bg_watch_order order = { .audit_session = session->audit_session,
		.opened_ms = session->opened_ms };
	struct bg_diag diag = { 0 };
	char why[256], result[320];
	enum bg_err err = bg_process_self(&order.leader);

	if (err == BG_OK)
		err = bg_watchdog_start(BG_PATH_WATCHDOG, &order, &diag);
	if (err == BG_OK)
		return true;
	bg_diag_format(&diag, err, why, sizeof(why));
	(void)snprintf(
		result, sizeof(result), "no watchdog, only logind ends this session: %s", why);
	bg_guest_record(guest, BG_EV_DEGRADED, result);
	return false;
}

/* Without an audit session of its own nothing is live: sudo and su will be refused. One that is
   somebody else's (an administrator's who started the daemon by hand) is none of its own: ending
   it would end theirs. False: nobody watches this one. */
static bool put_session(struct bg_guest *guest, struct bg_session *session)
{
	if (bg_audit_session_of(session->uid, &session->audit_session) != BG_OK) {
		bg_guest_record(guest, BG_EV_DEGRADED,
			"no audit session id: sudo and su will be refused in this session, and "
			"only logind ends it");
		return false;
	}
	if (bg_sessions_put(guest->crypto, session) != BG_OK) {
		bg_guest_record(guest, BG_EV_DEGRADED,
			"the session could not be written: sudo and su will be refused in it, and "
			"only logind ends it");
		return false;
	}
	return start_watchdog(guest, session);
}

static int set_deadline(pam_handle_t *pamh, uint64_t secs)
{
	char text[24];
	char *data;

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)secs);
	data = strdup(text);
	if (data == NULL)
		return PAM_BUF_ERR;
	if (pam_set_data(pamh, RUNTIME_DATA, data, free_data) != PAM_SUCCESS) {
		free(data);
		return PAM_SYSTEM_ERR;
	}
	return PAM_SUCCESS;
}

static int keep_session(pam_handle_t *pamh, const struct bg_session *session)
{
	struct bg_session *data = malloc(sizeof(*data));

	if (data == NULL)
		return PAM_BUF_ERR;
	*data = *session;
	if (pam_set_data(pamh, SESSION_DATA, data, free_data) != PAM_SUCCESS) {
		free(data);
		return PAM_SYSTEM_ERR;
	}
	return PAM_SUCCESS;
}

/* " by audit and dba." of "audit, dba", wrapped between names. */
static void put_names(struct bg_text *text, const char *names)
{
	const char *before = " by ";

	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		const char *rest = names + len + strspn(names + len, ", ");
		bool is_next_last = *rest != '\0' && strchr(rest, ',') == NULL;

		bg_text_item(text, "%s%.*s%s", before, (int)len, names,
			*rest == '\0'  ? "."
			: is_next_last ? ""
				       : ",");
		before = is_next_last ? " and " : " ";
		names = rest;
	}
}

static void say_open(struct bg_guest *guest, const struct bg_request_record *record,
	const struct bg_session *session, uint64_t secs)
{
	struct bg_text text;
	char until[16], length[24], id[BG_SHORT_ID_LEN + 1];
	size_t typed = 0;

	for (size_t i = 0; i < guest->seal.custodian_count; i++)
		typed += record->tally.approvals[i].how == BG_HOW_TYPED_HERE;
	bg_clock_local_hm((uint32_t)secs, until, sizeof(until));
	bg_duration_text(secs, length);
	bg_short_id(record->digest, id);
	bg_text_reset(&text);
	bg_text_item(&text, "OPEN until %s (%s), recorded,", until, length);
	put_names(&text, session->custodians);
	bg_text_add(&text, "\n");
	bg_text_item(&text, " Afterwards: review %s%s", id,
		record->tally.has_response || typed > 0 ? ";" : ".");
	if (record->tally.has_response)
		bg_text_item(&text, " reseal is due (a laptop has seen the quorum's shares).");
	else if (typed > 0)
		bg_text_item(&text, " reseal is due (%zu share%s typed here).", typed,
			typed == 1 ? " was" : "s were");
	bg_say(guest->pamh, text.buf);
}

static int refuse(struct bg_guest *guest, const char *why)
{
	bg_guest_record(guest, BG_EV_BYPASS_BLOCKED, why);
	return PAM_PERM_DENIED;
}

/* The grant is spent, and nothing of the session may stay live. */
static void undo(struct bg_guest *guest, struct bg_session *session)
{
	session->is_closed = true;
	session->is_end_told = true;
	if (session->audit_session != 0 && bg_sessions_put(guest->crypto, session) != BG_OK)
		bg_guest_record(guest, BG_EV_DEGRADED, "a session that never began stays live");
}

static int give_back(struct bg_guest *guest, struct bg_session *session, int pam)
{
	undo(guest, session);
	bg_guest_record(guest, BG_EV_DENIED, "no memory for the session");
	return pam;
}

/* Its watchdog would have looked around; here nothing may be waited for. */
static void tell_nothing_beside(struct bg_guest *guest, const struct bg_event *opened)
{
	const struct bg_beside beside = { 0 };
	struct bg_event event = *opened;
	struct bg_beside_words words;

	bg_beside_event(&beside, &words, &event);
	(void)bg_guest_emit(guest, &event, false);
}

static int open_granted(struct bg_guest *guest, const struct bg_grant *grant)
{
	struct open_arg arg = { .now_ms = bg_clock_boot_ms() };
	struct bg_request_record record = { 0 };
	struct bg_session session;
	char request[65];
	struct bg_event event;
	enum bg_err err;
	bool is_watched = false;
	uint64_t secs;
	int pam;

	err = bg_requests_update(guest->crypto, grant->nonce, 0, make_live, &arg, &record);
	if (err != BG_OK)
		return refuse(guest, err == BG_ERR_LOCKED
					     ? "the account was locked after this request"
					     : "the grant's request is gone or over");
	/* What a grant says is not believed: the approvals themselves are asked once more. */
	if (bg_tally_verdict(guest->crypto, &guest->seal, record.digest, &record.tally) !=
		BG_SATISFIED)
		return refuse(guest, "the request's approvals do not stand");
	secs = (record.deadline_ms - arg.now_ms) / 1000;
	if (secs == 0)
		return refuse(guest, "the request's deadline is over");
	fill_session(guest, &record, arg.now_ms, &session);
	/* The watchdog is first, and tells; logind's limit, a second later, is for when it fails.
	 */
	pam = set_deadline(guest->pamh, secs + 1);
	if (pam == PAM_SUCCESS) {
		is_watched = put_session(guest, &session);
		pam = keep_session(guest->pamh, &session);
	}
	if (pam != PAM_SUCCESS)
		return give_back(guest, &session, pam);
	/* Whoever revokes ends the request first and looks for sessions then: either he has found
	   this one, or it is ended here. */
	if (bg_requests_stand(guest->crypto, grant->nonce) != BG_OK) {
		undo(guest, &session);
		return refuse(guest, "the request was revoked, or the account locked, meanwhile");
	}
	event = bg_guest_event(guest, BG_EV_SESSION_OPENED, "open");
	session_event(&session, request, &event);
	(void)bg_guest_emit(guest, &event, false);
	if (!is_watched)
		tell_nothing_beside(guest, &event);
	say_open(guest, &record, &session, secs);
	return PAM_SUCCESS;
}

int bg_phase_open_session(pam_handle_t *pamh, const char *account, int flags)
{
	BG_WIPE(bg_guest_cleanup) struct bg_guest *guest = bg_guest_new(pamh, account);
	struct bg_process self = { 0 };
	struct bg_grant grant = { 0 };
	struct bg_diag diag = { 0 };
	enum bg_err err;

	(void)flags;
	if (guest == NULL)
		return PAM_SYSTEM_ERR;
	err = bg_guest_load(guest, &diag);
	if (err != BG_OK) {
		char why[256];

		bg_diag_format(&diag, err, why, sizeof(why));
		return refuse(guest, why);
	}
	if (getuid() != 0 || bg_process_self(&self) != BG_OK ||
		bg_grants_take(guest->crypto, &self, guest->account, guest->host.uid,
			guest->service, &grant) != BG_OK)
		return refuse(guest, "a session without a grant");
	if (guest->is_drill || grant.purpose != BG_PURPOSE_EMERGENCY)
		return refuse(guest, "a drill opens no session");
	return open_granted(guest, &grant);
}

/* Told once: by us, or by the watchdog if it believes that we are gone. */
static enum bg_err close_it(void *arg, struct bg_session *session)
{
	bool *is_told = arg;

	*is_told = session->is_end_told;
	session->is_closed = true;
	session->is_end_told = true;
	return BG_OK;
}

int bg_phase_close_session(pam_handle_t *pamh, const char *account, int flags)
{
	BG_WIPE(bg_guest_cleanup) struct bg_guest *guest = NULL;
	const void *data = NULL;
	struct bg_session session;
	struct bg_event event;
	struct bg_diag diag = { 0 };
	char request[65], result[96], length[24];
	bool is_told = false;

	(void)flags;
	if (pam_get_data(pamh, SESSION_DATA, &data) != PAM_SUCCESS || data == NULL)
		return PAM_SUCCESS; /* nothing of ours was opened on this handle */
	session = *(const struct bg_session *)data;
	guest = bg_guest_new(pamh, account);
	if (guest == NULL)
		return PAM_SYSTEM_ERR;
	/* A seal replaced meanwhile is no reason not to record the end. */
	if (bg_guest_load(guest, &diag) != BG_OK)
		(void)snprintf(
			guest->host.label, sizeof(guest->host.label), "%s", session.host_label);
	if (session.audit_session != 0 && bg_sessions_update(guest->crypto, session.audit_session,
						  close_it, &is_told, NULL) != BG_OK)
		bg_guest_record(guest, BG_EV_DEGRADED, "the session's end could not be written");
	if (is_told)
		return PAM_SUCCESS;
	bg_duration_text((bg_clock_boot_ms() - session.opened_ms) / 1000, length);
	(void)snprintf(result, sizeof(result), "closed after %s; a review is due", length);
	event = bg_guest_event(guest, BG_EV_SESSION_CLOSED, result);
	session_event(&session, request, &event);
	(void)bg_guest_emit(guest, &event, false);
	return PAM_SUCCESS;
}
