/* SPDX-License-Identifier: BSD-2-Clause */
/* The authentication phase: who may try at all, the order of the factors, and the one success. */
#include "attempt.h"
#include "phases.h"

#include <breakglass/secret.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_SEEN_DATA "pam_breakglass.first"

static struct bg_vault *vault_open(void)
{
	void *p = mmap(NULL, sizeof(struct bg_vault), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Locking may be refused by a limit; a login is not shut for that. */
	(void)mlock(p, sizeof(struct bg_vault));
	(void)madvise(p, sizeof(struct bg_vault), MADV_DONTDUMP);
	(void)madvise(p, sizeof(struct bg_vault), MADV_DONTFORK);
	return p;
}

static void vault_close(struct bg_vault *vault)
{
	if (vault == NULL)
		return;
	explicit_bzero(vault, sizeof(*vault));
	(void)munmap(vault, sizeof(*vault));
}

static void attempt_free(struct bg_attempt *attempt)
{
	vault_close(attempt->vault);
	bg_guest_free(attempt->guest);
	explicit_bzero(attempt, sizeof(*attempt));
	free(attempt);
}

static struct bg_attempt *attempt_new(pam_handle_t *pamh, const char *account)
{
	struct bg_attempt *attempt = calloc(1, sizeof(*attempt));

	if (attempt == NULL)
		return NULL;
	attempt->vault = vault_open();
	attempt->guest = bg_guest_new(pamh, account);
	if (attempt->vault != NULL && attempt->guest != NULL)
		return attempt;
	attempt_free(attempt);
	return NULL;
}

/* Seconds that each door's program gives a whole login; install sets the first two so. */
static uint64_t connection_secs(const struct bg_guest *guest)
{
	return strcmp(guest->service, "breakglass-sshd") == 0 ? 900 : 600;
}

static void free_data(pam_handle_t *pamh, void *data, int error_status)
{
	(void)pamh;
	(void)error_status;
	free(data);
}

/* login's alarm runs from its own start, which nobody tells: our first call on this handle. */
static uint64_t first_seen_ms(pam_handle_t *pamh, uint64_t now)
{
	const void *data = NULL;
	uint64_t *first;

	if (pam_get_data(pamh, FIRST_SEEN_DATA, &data) == PAM_SUCCESS && data != NULL)
		return *(const uint64_t *)data;
	first = malloc(sizeof(*first));
	if (first == NULL)
		return now;
	*first = now;
	if (pam_set_data(pamh, FIRST_SEEN_DATA, first, free_data) != PAM_SUCCESS)
		free(first);
	return now;
}

static uint64_t connection_ends_ms(struct bg_attempt *attempt)
{
	uint64_t now = bg_clock_boot_ms(), age = 0, secs = connection_secs(attempt->guest);
	struct bg_process self, monitor;

	if (!bg_guest_is_ssh(attempt->guest) || attempt->guest->is_drill)
		return first_seen_ms(attempt->guest->pamh, now) + secs * 1000;
	if (bg_process_self(&self) == BG_OK && bg_process_get(self.parent, &monitor) == BG_OK)
		age = bg_process_age_secs(&monitor);
	return now + (age < secs ? secs - age : 0) * 1000;
}

/* ATTEMPT: counted at each, recorded at the 1st, 2nd, 4th, 8th ... since the last proved key; only
   the first alerts (RULES P21: before anything is tried). */
static void count_attempt(struct bg_guest *guest, const char *result)
{
	uint64_t count = bg_attempts_count(guest->host.uid);
	struct bg_event event = bg_guest_event(guest, BG_EV_ATTEMPT, result);

	if (count != 0 && (count & (count - 1)) != 0)
		return;
	event.count = count;
	if (count > 1)
		event.severity = 5;
	(void)bg_guest_emit(guest, &event, false);
}

static void record_abandoned(void *arg, const struct bg_request_record *record)
{
	struct bg_guest *guest = arg;
	struct bg_event event = bg_guest_event(guest, BG_EV_ABANDONED,
		record->request.purpose == BG_PURPOSE_DRILL && !guest->is_drill
			? "drill: the request ran out"
			: "the request ran out");
	char request[65];

	bg_hex_encode(record->phase == BG_PHASE_OPEN ? record->request.nonce : record->digest,
		record->phase == BG_PHASE_OPEN ? BG_NONCE_LEN : BG_SHA256_LEN, request);
	event.account = record->request.account;
	event.request = request;
	event.key = record->request.key;
	event.holder = record->request.holder;
	event.reason = record->request.reason;
	event.service = record->request.service;
	event.origin = record->request.origin;
	(void)bg_guest_emit(guest, &event, false);
}

static void record_degraded(struct bg_guest *guest, int flags)
{
	char why[300];

	if (guest->conf.is_degraded && bg_guest_may_tell(guest)) {
		bg_diag_format(&guest->conf.first_error, guest->conf.first_err, why, sizeof(why));
		bg_guest_record(guest, BG_EV_DEGRADED, why);
	}
	if ((flags & BG_FLAG_ARGUMENTS) != 0 && bg_guest_may_tell(guest))
		bg_guest_record(guest, BG_EV_DEGRADED,
			"arguments on the PAM line are ignored: it takes none");
}

/* Everything that can refuse before the first prompt. */
static bool may_try(struct bg_guest *guest, int flags)
{
	struct bg_diag diag = { 0 }, run_diag = { 0 };
	enum bg_err err = bg_guest_load(guest, &diag);
	enum bg_err prepared = bg_state_prepare(&run_diag);
	char why[320];

	if (!bg_conf_is_door(&guest->conf, guest->service) || getuid() != 0) {
		count_attempt(guest, "not a door: use ssh or the console");
		bg_say(guest->pamh, "This account opens only by ssh or at the console.");
		return false;
	}
	count_attempt(guest, "no key proved yet");
	if (guest->is_drill && guest->drill_err != BG_OK) {
		(void)snprintf(
			why, sizeof(why), "the drill's mark: %s", bg_err_text(guest->drill_err));
		bg_guest_record(guest, BG_EV_DENIED, why);
		return false;
	}
	record_degraded(guest, flags);
	if (prepared != BG_OK && bg_guest_may_tell(guest)) {
		bg_diag_format(&run_diag, prepared, why, sizeof(why));
		bg_guest_record(guest, BG_EV_DEGRADED, why);
	}
	if (err == BG_OK)
		return true;
	if (!bg_guest_may_tell(guest))
		return false;
	bg_diag_format(&diag, err, why, sizeof(why));
	bg_guest_record(guest, BG_EV_SEAL_REFUSED, why);
	bg_guest_record(guest, BG_EV_DENIED, "no good seal");
	return false;
}

static enum bg_step run(struct bg_attempt *attempt)
{
	enum bg_step step = bg_attempt_key(attempt);
	bool is_new = false;

	if (step != BG_STEP_NEXT)
		return step;
	do {
		step = bg_attempt_request(attempt, is_new);
		if (step == BG_STEP_NEXT && attempt->record.phase == BG_PHASE_OPEN)
			step = bg_attempt_reason(attempt);
		bg_answer_wipe(&attempt->vault->pin);
		if (step == BG_STEP_NEXT && attempt->record.phase == BG_PHASE_FIXED)
			step = bg_attempt_quorum(attempt);
		is_new = true;
	} while (step == BG_STEP_AGAIN);
	return step == BG_STEP_NEXT ? bg_attempt_grant(attempt) : step;
}

static enum bg_step authenticate(struct bg_attempt *attempt, int flags)
{
	if (!may_try(attempt->guest, flags))
		return BG_STEP_DENY;
	bg_grants_sweep(attempt->guest->crypto);
	bg_requests_sweep(attempt->guest->crypto, record_abandoned, attempt->guest);
	attempt->connection_ends_ms = connection_ends_ms(attempt);
	return run(attempt);
}

int bg_phase_auth(pam_handle_t *pamh, const char *account, int flags)
{
	struct bg_attempt *attempt = attempt_new(pamh, account);
	enum bg_step step;

	if (attempt == NULL)
		return PAM_SYSTEM_ERR;
	step = authenticate(attempt, flags);
	attempt_free(attempt);
	switch (step) {
	case BG_STEP_NEXT:
		return PAM_SUCCESS;
	case BG_STEP_END:
		return PAM_MAXTRIES;
	case BG_STEP_DENY:
	case BG_STEP_AGAIN:
		break;
	}
	return PAM_AUTH_ERR;
}

int bg_phase_setcred(pam_handle_t *pamh, const char *account, int flags)
{
	(void)pamh;
	(void)account;
	(void)flags;
	/* IGNORE as the only answer makes sshd drop the login. */
	return PAM_SUCCESS;
}

static bool is_su_to_root(pam_handle_t *pamh, const char *user)
{
	const void *service = NULL;

	return strcmp(user, "root") == 0 && getuid() != 0 &&
	       pam_get_item(pamh, PAM_SERVICE, &service) == PAM_SUCCESS && service != NULL &&
	       (strcmp(service, "su") == 0 || strcmp(service, "su-l") == 0);
}

int bg_phase_auth_su(pam_handle_t *pamh, const char *user, int flags)
{
	BG_WIPE(bg_guest_cleanup) struct bg_guest *guest = NULL;
	struct bg_session session = { 0 };
	struct bg_event event;
	char request[65], result[128];

	(void)flags;
	if (!is_su_to_root(pamh, user) || bg_sessions_live(NULL, getuid(), &session) != BG_OK ||
		strcmp(session.role, "full") != 0)
		return PAM_AUTH_ERR;
	guest = bg_guest_new(pamh, session.account);
	if (guest == NULL)
		return PAM_AUTH_ERR;
	(void)snprintf(guest->host.label, sizeof(guest->host.label), "%s", session.host_label);
	(void)snprintf(result, sizeof(result), "su to root %s", bg_guest_where(&session));
	event = bg_guest_event(guest, BG_EV_SESSION_ESCALATED, result);
	bg_hex_encode(session.digest, BG_SHA256_LEN, request);
	event.request = request;
	event.key = session.key;
	event.holder = session.holder;
	event.reason = session.reason;
	event.role = session.role;
	event.custodians = session.custodians;
	/* The caller's limits are the session's own to set: what keeps this from the chain must not
	   keep it from the kernel's log. */
	(void)bg_guest_emit(guest, &event, true);
	return PAM_SUCCESS;
}
