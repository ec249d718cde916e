/* SPDX-License-Identifier: BSD-2-Clause */
/* The account phase: a fresh grant of this login, or sudo and su inside a live session. */
#include "guest.h"
#include "phases.h"

#include <breakglass/secret.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int blocked(struct bg_guest *guest, const char *why)
{
	bg_guest_record(guest, BG_EV_BYPASS_BLOCKED, why);
	return PAM_PERM_DENIED;
}

/* Whose grant is it after this phase? In sshd the session is opened by the parent. */
static enum bg_err rebind_target(
	const struct bg_guest *guest, const struct bg_process *self, struct bg_process *ret)
{
	if (bg_guest_is_ssh(guest) && !guest->is_drill)
		return bg_process_get(self->parent, ret);
	*ret = *self;
	return BG_OK;
}

static enum bg_err admit(struct bg_guest *guest)
{
	struct bg_process self = { 0 }, target = { 0 };
	uint8_t nonce[BG_NONCE_LEN];
	enum bg_err err = bg_process_self(&self);

	if (err == BG_OK)
		err = rebind_target(guest, &self, &target);
	if (err == BG_OK)
		err = bg_grants_admit(guest->crypto, &self, &target, guest->account,
			guest->host.uid, guest->service, bg_guest_purpose(guest), nonce);
	if (err != BG_OK)
		return err;
	/* Issued just when its request was revoked, or the account locked. */
	err = bg_requests_stand(guest->crypto, nonce);
	if (err != BG_OK)
		bg_grants_drop(&target);
	return err;
}

static void record_escalation(
	struct bg_guest *guest, const struct bg_session *session, const char *result)
{
	struct bg_event event = bg_guest_event(guest, BG_EV_SESSION_ESCALATED, result);
	char request[2 * BG_SHA256_LEN + 1];

	bg_hex_encode(session->digest, BG_SHA256_LEN, request);
	event.request = request;
	event.key = session->key;
	event.holder = session->holder;
	event.reason = session->reason;
	event.custodians = session->custodians;
	(void)bg_guest_emit(guest, &event, true);
}

/* sudo's account phase sees the caller. BG_OK: inside a live session of this account. */
static enum bg_err check_live(struct bg_guest *guest)
{
	struct bg_session session = { 0 };
	char result[128];
	enum bg_err err;

	if (getuid() != guest->host.uid)
		return BG_ERR_MISMATCH;
	err = bg_sessions_live(guest->crypto, guest->host.uid, &session);
	if (err != BG_OK)
		return err;
	if (strcmp(session.account, guest->account) != 0)
		return BG_ERR_MISMATCH;
	(void)snprintf(result, sizeof(result), "%s %s", guest->service, bg_guest_where(&session));
	record_escalation(guest, &session, result);
	return BG_OK;
}

int bg_phase_account(pam_handle_t *pamh, const char *account, int flags)
{
	BG_WIPE(bg_guest_cleanup) struct bg_guest *guest = bg_guest_new(pamh, account);
	struct bg_diag diag = { 0 };
	enum bg_err err;

	(void)flags;
	if (guest == NULL)
		return PAM_SYSTEM_ERR;
	/* Each login starts user@UID.service for the account; refusing it leaves the login whole.
	 */
	if (strcmp(guest->service, "systemd-user") == 0)
		return PAM_PERM_DENIED;
	err = bg_guest_load(guest, &diag);
	if (err != BG_OK) {
		char why[256];

		bg_diag_format(&diag, err, why, sizeof(why));
		return blocked(guest, why);
	}
	if (getuid() == 0 && bg_conf_is_door(&guest->conf, guest->service)) {
		err = admit(guest);
		if (err == BG_OK)
			return PAM_SUCCESS;
		return blocked(guest, err == BG_ERR_EXPIRED   ? "the grant has expired"
				      : err == BG_ERR_REVOKED ? "the grant's request was revoked"
				      : err == BG_ERR_LOCKED
					      ? "the account was locked after this request"
					      : "no grant for this login");
	}
	err = check_live(guest);
	if (err == BG_OK)
		return PAM_SUCCESS;
	return blocked(guest, err == BG_ERR_EXPIRED  ? "the session's deadline is over"
			      : err == BG_ERR_LOCKED ? "the account was locked after this session"
						     : "not from inside a live session");
}
