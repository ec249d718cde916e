/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request of a proved key: found again, opened, fixed, approved, granted.
 * It is written before each prompt, so a dropped line loses nothing; the newest
 * connection that proves the same key holds it.
 */
#include "attempt.h"

#include <breakglass/os_random.h>
#include <breakglass/secret.h>
#include <stdio.h>
#include <string.h>

#define MASK(phase) (1u << (phase))

uint64_t bg_attempt_secs_left(const struct bg_attempt *attempt)
{
	uint64_t now = bg_clock_boot_ms(), end = attempt->connection_ends_ms;

	if (attempt->record.expires_ms != 0 && attempt->record.expires_ms < end)
		end = attempt->record.expires_ms;
	return end > now ? (end - now) / 1000 : 0;
}

struct bg_event bg_attempt_event(struct bg_attempt *attempt, enum bg_event_id id,
	const char *result, char request[static 65], char *names, size_t names_len)
{
	const struct bg_request_record *record = &attempt->record;
	struct bg_event event = bg_guest_event(attempt->guest, id, result);

	request[0] = '\0';
	names[0] = '\0';
	if (record->phase == BG_PHASE_NONE)
		return event;
	if (record->phase == BG_PHASE_OPEN)
		bg_hex_encode(record->request.nonce, BG_NONCE_LEN, request);
	else
		bg_hex_encode(record->digest, BG_SHA256_LEN, request);
	bg_tally_names(&attempt->guest->seal, &record->tally, names, names_len);
	event.request = request;
	event.key = record->request.key;
	event.holder = record->request.holder;
	event.reason = record->request.reason;
	event.custodians = names;
	return event;
}

void bg_attempt_record(struct bg_attempt *attempt, enum bg_event_id id, const char *result)
{
	char request[65], names[256];
	struct bg_event event =
		bg_attempt_event(attempt, id, result, request, names, sizeof(names));

	(void)bg_guest_emit(attempt->guest, &event, false);
}

enum bg_asked bg_attempt_ask(struct bg_attempt *attempt, bool is_hidden)
{
	struct bg_text prompt;

	if (attempt->guest->is_local)
		return bg_ask(attempt->guest->pamh, is_hidden, attempt->text.buf,
			&attempt->vault->answer);
	bg_text_reset(&prompt);
	bg_text_add(&prompt, "\n%s", attempt->text.buf);
	return bg_ask(attempt->guest->pamh, is_hidden, prompt.buf, &attempt->vault->answer);
}

/* The request ended under the attempt. False: err is something else. */
static bool say_ended(struct bg_attempt *attempt, enum bg_err err)
{
	bool is_locked = err == BG_ERR_LOCKED;

	if (!is_locked && err != BG_ERR_REVOKED)
		return false;
	bg_attempt_record(attempt, BG_EV_DENIED,
		is_locked ? "the account was locked after this request was opened"
			  : "the request was revoked");
	bg_say(attempt->guest->pamh, is_locked ? BG_TEXT_LOCKED : BG_TEXT_REVOKED);
	return true;
}

enum bg_step bg_attempt_give_up(struct bg_attempt *attempt, enum bg_err err)
{
	char why[96];

	if (err == BG_ERR_TAKEN_OVER) {
		bg_say(attempt->guest->pamh, "A newer login with the same key has taken this "
					     "request over. Go on there.");
		return BG_STEP_END;
	}
	if (say_ended(attempt, err))
		return BG_STEP_END;
	if (err == BG_ERR_EXPIRED) {
		bg_attempt_record(attempt, BG_EV_DENIED, "the request ran out");
		bg_say(attempt->guest->pamh,
			"The request ran out of time. Log in again for a new one.");
		return BG_STEP_END;
	}
	(void)snprintf(why, sizeof(why), "the request could not be kept: %s", bg_err_text(err));
	bg_attempt_record(attempt, BG_EV_DENIED, why);
	bg_say(attempt->guest->pamh,
		err == BG_ERR_NOENT
			? "The request is gone from /run/breakglass. Log in again for a new one."
			: "The request cannot be kept in /run/breakglass: is /run full "
			  "(df, df -i /run)?\n"
			  " Make room as root, or restart the host, which empties it; then log in "
			  "again.");
	return BG_STEP_DENY;
}

static enum bg_err random_u64(uint64_t *ret)
{
	do {
		if (bg_os_random(NULL, ret, sizeof(*ret)) != 0)
			return BG_ERR_RANDOM;
	} while (*ret == 0);
	return BG_OK;
}

/* A change that only looks whether the request goes on; used after waits. */
static enum bg_err look(void *arg, struct bg_request_record *record)
{
	const uint64_t *now = arg;

	if (record->phase != BG_PHASE_LIVE && *now >= record->expires_ms)
		return BG_ERR_EXPIRED;
	return BG_OK;
}

enum bg_err bg_attempt_still_ours(struct bg_attempt *attempt)
{
	uint64_t now = bg_clock_boot_ms();

	return bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, look, &now, &attempt->record);
}

static enum bg_err take_over(void *arg, struct bg_request_record *record)
{
	record->owner = *(const uint64_t *)arg;
	return BG_OK;
}

/* Goes on with the newest request of this key; a satisfied or live one needs no second round. */
static enum bg_err resume(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	unsigned int mask = MASK(BG_PHASE_OPEN) | MASK(BG_PHASE_FIXED) | MASK(BG_PHASE_SATISFIED);
	struct bg_request_record found;
	uint64_t owner;
	enum bg_err err;

	/* A drill is measured whole, and what was approved for practice opens nothing. */
	if (guest->is_drill)
		return BG_ERR_NOENT;
	if (guest->seal.policy.is_reentry_by_key)
		mask |= MASK(BG_PHASE_LIVE);
	err = bg_requests_find(guest->crypto, BG_PURPOSE_EMERGENCY, guest->account,
		guest->seal.keys[attempt->key].name, guest->seal.digest, mask, &found);
	if (err == BG_OK)
		err = random_u64(&owner);
	if (err != BG_OK)
		return err;
	err = bg_requests_update(attempt->guest->crypto, found.request.nonce, 0, take_over, &owner,
		&attempt->record);
	if (err == BG_OK)
		attempt->is_resumed = true;
	return err;
}

static enum bg_err drop(void *arg, struct bg_request_record *record)
{
	(void)arg;
	if (!bg_phase_may(record->phase, BG_PHASE_ABANDONED))
		return BG_ERR_STATE;
	record->phase = BG_PHASE_ABANDONED;
	return BG_OK;
}

static enum bg_err open_new(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	const struct bg_key *key = &guest->seal.keys[attempt->key];
	struct bg_request_record record = { .phase = BG_PHASE_OPEN };
	struct bg_request *request = &record.request;
	struct bg_lock_state lock;
	enum bg_err err = random_u64(&record.owner);

	if (err == BG_OK && bg_os_random(NULL, request->nonce, BG_NONCE_LEN) != 0)
		err = BG_ERR_RANDOM;
	if (err == BG_OK)
		err = bg_clock_boot_id(record.boot_id);
	if (err != BG_OK)
		return err;
	request->purpose = bg_guest_purpose(guest);
	memcpy(request->seal_digest, guest->seal.digest, BG_SHA256_LEN);
	(void)snprintf(request->host_label, sizeof(request->host_label), "%s", guest->host.label);
	(void)snprintf(request->account, sizeof(request->account), "%s", guest->seal.account);
	(void)snprintf(request->key, sizeof(request->key), "%s", key->name);
	(void)snprintf(request->holder, sizeof(request->holder), "%s", key->holder);
	(void)snprintf(request->service, sizeof(request->service), "%s", guest->service);
	(void)snprintf(request->origin, sizeof(request->origin), "%s", guest->origin);
	request->uid = guest->host.uid;
	request->session_secs = guest->seal.policy.session_secs;
	/* Looked at first, written then: a lock that comes in between is later than this request.
	 */
	bg_locks_look(guest->crypto, guest->account, &lock);
	memcpy(record.lock_id, lock.lock.id, BG_LOCK_ID_LEN);
	record.epoch = guest->seal.epoch;
	record.opened_ms = bg_clock_boot_ms();
	record.expires_ms = record.opened_ms + guest->seal.policy.request_secs * (uint64_t)1000;
	err = bg_requests_add(attempt->guest->crypto, &record);
	if (err == BG_OK)
		attempt->record = record;
	return err;
}

enum bg_step bg_attempt_request(struct bg_attempt *attempt, bool is_new)
{
	enum bg_err err;

	if (is_new) {
		err = bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
			attempt->record.owner, drop, NULL, &attempt->record);
		if (err != BG_OK)
			return bg_attempt_give_up(attempt, err);
		bg_attempt_record(attempt, BG_EV_ABANDONED, "dropped for a new request");
		attempt->is_resumed = false;
		err = BG_ERR_NOENT;
	} else {
		err = resume(attempt);
	}
	if (err == BG_OK) {
		/* GRANTED tells of a further session; this, of a request that goes on. */
		if (attempt->record.phase < BG_PHASE_SATISFIED)
			bg_attempt_record(
				attempt, BG_EV_REQUEST_OPENED, bg_attempt_proved_text(attempt));
		return BG_STEP_NEXT;
	}
	if (err != BG_ERR_NOENT)
		return bg_attempt_give_up(attempt, err);
	err = open_new(attempt);
	if (err != BG_OK)
		return bg_attempt_give_up(attempt, err);
	bg_attempt_record(attempt, BG_EV_REQUEST_OPENED, bg_attempt_proved_text(attempt));
	return BG_STEP_NEXT;
}

static enum bg_err count_refusal(void *arg, struct bg_request_record *record)
{
	(void)arg;
	if (record->reason_refusals < UINT8_MAX)
		record->reason_refusals++;
	return BG_OK;
}

enum bg_step bg_attempt_count_refusal(struct bg_attempt *attempt)
{
	enum bg_err err = bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, count_refusal, NULL, &attempt->record);

	return err == BG_OK ? BG_STEP_NEXT : bg_attempt_give_up(attempt, err);
}

struct fix_arg {
	struct bg_crypto *crypto;
	const char *reason;
};

static enum bg_err fix(void *arg, struct bg_request_record *record)
{
	const struct fix_arg *fix = arg;

	if (!bg_phase_may(record->phase, BG_PHASE_FIXED))
		return BG_ERR_STATE;
	bg_request_text(record->request.reason, BG_REASON_LEN, fix->reason);
	record->phase = BG_PHASE_FIXED;
	return bg_request_digest(fix->crypto, &record->request, record->digest);
}

enum bg_step bg_attempt_fix(struct bg_attempt *attempt, const char *reason)
{
	struct fix_arg arg = { .crypto = attempt->guest->crypto, .reason = reason };
	enum bg_err err = bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, fix, &arg, &attempt->record);

	return err == BG_OK ? BG_STEP_NEXT : bg_attempt_give_up(attempt, err);
}

struct approve_arg {
	const struct bg_guest *guest;
	const struct bg_secret *seed; /* of a share typed here */
	const uint8_t *sig;	      /* made elsewhere */
	size_t custodian;
	uint16_t exposed;
	bool is_duplicate;
};

static enum bg_err may_add(const struct bg_request_record *record)
{
	if (record->phase != BG_PHASE_FIXED)
		return BG_ERR_STATE;
	return bg_clock_boot_ms() >= record->expires_ms ? BG_ERR_EXPIRED : BG_OK;
}

static enum bg_err approve(void *arg, struct bg_request_record *record)
{
	struct approve_arg *approve = arg;
	const struct bg_guest *guest = approve->guest;
	uint8_t sig[BG_ED25519_SIG_LEN];
	enum bg_err err = may_add(record);

	if (err == BG_OK)
		err = bg_approval_sign(guest->crypto, approve->seed, record->digest, sig);
	if (err == BG_OK)
		err = bg_tally_add(guest->crypto, &guest->seal, record->digest, approve->custodian,
			BG_HOW_TYPED_HERE, sig, &record->tally);
	if (err != BG_ERR_DUPLICATE)
		return err;
	/* it counts once, but this host has seen the share now */
	record->tally.approvals[approve->custodian].how = BG_HOW_TYPED_HERE;
	approve->is_duplicate = true;
	return BG_OK;
}

enum bg_err bg_attempt_approve(struct bg_attempt *attempt, size_t custodian)
{
	struct approve_arg arg = {
		.guest = attempt->guest, .seed = &attempt->vault->seed, .custodian = custodian
	};
	enum bg_err err = bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, approve, &arg, &attempt->record);

	return err == BG_OK && arg.is_duplicate ? BG_ERR_DUPLICATE : err;
}

static enum bg_err add_approval(void *arg, struct bg_request_record *record)
{
	const struct approve_arg *add = arg;
	enum bg_err err = may_add(record);

	return err == BG_OK ? bg_tally_add(add->guest->crypto, &add->guest->seal, record->digest,
				      add->custodian, BG_HOW_REMOTE, add->sig, &record->tally)
			    : err;
}

enum bg_err bg_attempt_add_approval(
	struct bg_attempt *attempt, size_t custodian, const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	struct approve_arg arg = { .guest = attempt->guest, .sig = sig, .custodian = custodian };

	return bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, add_approval, &arg, &attempt->record);
}

static enum bg_err add_response(void *arg, struct bg_request_record *record)
{
	const struct approve_arg *add = arg;
	enum bg_err err = may_add(record);

	return err == BG_OK ? bg_tally_add_response(add->guest->crypto, &add->guest->seal,
				      record->digest, add->exposed, add->sig, &record->tally)
			    : err;
}

enum bg_err bg_attempt_add_response(
	struct bg_attempt *attempt, uint16_t exposed, const uint8_t sig[static BG_ED25519_SIG_LEN])
{
	struct approve_arg arg = { .guest = attempt->guest, .sig = sig, .exposed = exposed };

	return bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, add_response, &arg, &attempt->record);
}

static enum bg_err satisfy(void *arg, struct bg_request_record *record)
{
	const struct bg_guest *guest = arg;

	if (record->request.purpose != bg_guest_purpose(guest))
		return BG_ERR_STATE;
	/* The one place where a quorum is judged; a tally forged on disk stops here. */
	if (bg_tally_verdict(guest->crypto, &guest->seal, record->digest, &record->tally) !=
		BG_SATISFIED)
		return BG_ERR_TOO_FEW;
	if (record->phase == BG_PHASE_SATISFIED || record->phase == BG_PHASE_LIVE)
		return BG_OK;
	if (!bg_phase_may(record->phase, BG_PHASE_SATISFIED))
		return BG_ERR_STATE;
	record->phase = BG_PHASE_SATISFIED;
	return BG_OK;
}

static enum bg_err issue(struct bg_attempt *attempt)
{
	const struct bg_guest *guest = attempt->guest;
	struct bg_grant grant = { 0 };
	enum bg_err err = bg_process_self(&grant.process);

	if (err == BG_OK)
		err = bg_clock_boot_id(grant.boot_id);
	if (err != BG_OK)
		return err;
	grant.issued_ms = bg_clock_boot_ms();
	grant.expires_ms = grant.issued_ms + guest->seal.policy.grant_secs * (uint64_t)1000;
	(void)snprintf(grant.account, sizeof(grant.account), "%s", guest->seal.account);
	(void)snprintf(grant.service, sizeof(grant.service), "%s", guest->service);
	grant.uid = guest->host.uid;
	grant.purpose = attempt->record.request.purpose;
	memcpy(grant.nonce, attempt->record.request.nonce, BG_NONCE_LEN);
	return bg_grants_issue(attempt->guest->crypto, &grant);
}

static void lock_text(const struct bg_lock_state *lock, char *ret, size_t size)
{
	if (lock->is_damaged)
		(void)snprintf(ret, size, "the lock (its file is damaged)");
	else
		(void)snprintf(ret, size, "the lock of %s by %s", lock->lock.at, lock->lock.by);
}

/* "key and quorum; typed here: dba; seen by the combining machine: ops, audit" */
static void put_exposure(
	const struct bg_attempt *attempt, const char *lifted, char *ret, size_t size)
{
	const struct bg_seal *seal = &attempt->guest->seal;
	const struct bg_tally *tally = &attempt->record.tally;
	char here[256], there[256];

	bg_tally_exposed(seal, tally, true, here, sizeof(here));
	bg_tally_exposed(seal, tally, false, there, sizeof(there));
	(void)snprintf(ret, size, "%s%s%s%s%s%s%s",
		attempt->record.phase == BG_PHASE_LIVE ? "a further session of the request"
						       : "key and quorum",
		lifted[0] != '\0' ? ", lifting " : "", lifted,
		here[0] != '\0' ? "; typed here: " : "", here,
		there[0] != '\0' ? "; seen by the combining machine: " : "", there);
}

/* Its own record, beside GRANTED's word of it: what was shut is open again. A mark that cannot be
   written shuts nobody out; the lock only seems to stand. */
static void lift(struct bg_attempt *attempt, const char *lifted)
{
	char result[200];
	enum bg_err err = bg_locks_lift(
		attempt->guest->crypto, attempt->guest->account, attempt->record.lock_id);

	if (err == BG_OK)
		(void)snprintf(result, sizeof(result), "a key and a new quorum lift %s", lifted);
	else
		(void)snprintf(result, sizeof(result), "%s could not be marked as lifted: %s",
			lifted, bg_err_text(err));
	bg_attempt_record(attempt, err == BG_OK ? BG_EV_UNLOCKED : BG_EV_DEGRADED, result);
}

enum bg_step bg_attempt_grant(struct bg_attempt *attempt)
{
	char request[65], names[256], result[600], lifted[128] = "";
	struct bg_lock_state lock;
	struct bg_event event;
	enum bg_err err = bg_requests_update(attempt->guest->crypto, attempt->record.request.nonce,
		attempt->record.owner, satisfy, attempt->guest, &attempt->record);

	if (err != BG_OK)
		return bg_attempt_give_up(attempt, err);
	bg_locks_look(attempt->guest->crypto, attempt->guest->account, &lock);
	/* What was approved for practice lifts nothing. */
	if (lock.is_locked && !attempt->guest->is_drill)
		lock_text(&lock, lifted, sizeof(lifted));
	put_exposure(attempt, lifted, result, sizeof(result));
	event = bg_attempt_event(attempt, BG_EV_GRANTED, result, request, names, sizeof(names));
	/* A datagram that the kernel took is not yet a record. */
	if (!bg_guest_emit(attempt->guest, &event, true)) {
		bg_say(attempt->guest->pamh, "Nothing opens unrecorded, and neither /run nor the "
					     "kernel log takes a record.");
		return BG_STEP_DENY;
	}
	if (lifted[0] != '\0')
		lift(attempt, lifted);
	err = issue(attempt);
	return err == BG_OK ? BG_STEP_NEXT : bg_attempt_give_up(attempt, err);
}
