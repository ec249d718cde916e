/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One authentication of an emergency account: the key first, then a request
 * with its reason, then the quorum. Secrets that outlive a prompt are in the
 * vault: its own pages, locked, left out of core files and of children.
 */
#ifndef PAM_BREAKGLASS_ATTEMPT_H
#define PAM_BREAKGLASS_ATTEMPT_H

#include "conversation.h"
#include "guest.h"
#include "text.h"

#include <breakglass/code.h>
#include <breakglass/entry.h>
#include <breakglass/fido2.h>

struct bg_vault {
	struct bg_answer answer;
	struct bg_answer pin;	       /* the last one sent: not again, and it is no reason */
	struct bg_fido2_request fido2; /* holds the PIN */
	struct bg_entry entry;	       /* a share so far */
	struct bg_code code;	       /* an approval or response so far */
	struct bg_secret seed;	       /* of the custodian whose share was typed */
};

/* How the key was proved; recorded. */
enum bg_key_how {
	BG_KEY_HERE,	 /* plugged into this host */
	BG_KEY_BY_SSH,	 /* sshd has verified its signature */
	BG_KEY_ELSEWHERE /* a touch challenge answered by bg-unlock touch */
};

struct bg_attempt {
	struct bg_guest *guest;
	struct bg_vault *vault;
	size_t key; /* position in the seal's keys; valid once proved */
	enum bg_key_how how;
	bool is_proved;
	struct {
		unsigned int prompts, refusals, nothings;
	} relay; /* of this connection, each bounded */
	bool is_resumed;
	uint64_t connection_ends_ms; /* CLOCK_BOOTTIME; sshd's or login's own limit */
	struct bg_request_record record;
	struct bg_text text;   /* the prompt being put together */
	unsigned int refusals; /* of shares and words, on this connection */
	bool is_code_last;     /* the last answer to the prompt for shares was of a code */
	char note[192];	       /* the last result, repeated in the next prompt */
};

/* The outcome of a step of the attempt. Zeroed memory denies. */
enum bg_step {
	BG_STEP_DENY = 0, /* refused; PAM may call again */
	BG_STEP_END,	  /* gone, taken over or out of time: no further try on this connection */
	BG_STEP_AGAIN,	  /* the person asked to start the request anew */
	BG_STEP_NEXT
};

/* Section 4, first factor: by ssh, else finds the enrolled key, asks for PIN and touch, verifies
   the assertion here, or goes on with a touch elsewhere. On BG_STEP_NEXT attempt->key is proved.
   (key.c) */
enum bg_step bg_attempt_key(struct bg_attempt *attempt);
/* Records KEY_REFUSED, as often as strangers may cause it. (key.c) */
void bg_attempt_key_refused(struct bg_attempt *attempt, const char *result);
/* For REQUEST_OPENED: how the key was proved, and whether for a request that goes on. (key.c) */
const char *bg_attempt_proved_text(const struct bg_attempt *attempt);

/* Has sshd verified exactly one of the seal's ssh keys? Then true, with attempt->key. What it says
   otherwise is recorded and not taken. (sshkey.c) */
bool bg_attempt_ssh_key(struct bg_attempt *attempt);

/* A touch of this login with a fresh nonce, to be answered here or elsewhere. BG_ERR_RANDOM.
   (relay.c) */
BG_CHECKED enum bg_err bg_attempt_touch(const struct bg_attempt *attempt, struct bg_touch *ret);
/* Does the policy let a key be touched elsewhere, and is there one? (relay.c) */
bool bg_attempt_may_relay(const struct bg_attempt *attempt);
/* And was that asked for, by the word `touch`? (relay.c) */
bool bg_attempt_wants_relay(const struct bg_attempt *attempt);
/* Shows touch challenges until one is answered by an enrolled key (BG_STEP_NEXT, attempt->key), or
   the keys here are to be looked for again (BG_STEP_AGAIN). (relay.c) */
enum bg_step bg_attempt_relay(struct bg_attempt *attempt);

/* Finds the request of the proved key to go on with, or opens a new one. is_new: drop what is open.
   (ticket.c) */
enum bg_step bg_attempt_request(struct bg_attempt *attempt, bool is_new);
/* Fixes the request's reason and digest. (ticket.c) */
enum bg_step bg_attempt_fix(struct bg_attempt *attempt, const char *reason);
/* Counts one more refused reason before the next prompt (RULES P21). (ticket.c) */
enum bg_step bg_attempt_count_refusal(struct bg_attempt *attempt);
/* Says and records why the attempt does not go on with its request: taken over, revoked, locked,
   out of time, gone, or not to be kept. The step to return. (ticket.c) */
enum bg_step bg_attempt_give_up(struct bg_attempt *attempt, enum bg_err err);
/* Adds the approval that vault->seed signs, by the custodian at that position. BG_ERR_DUPLICATE
   (kept in the record all the same that the share was typed here), _TAKEN_OVER, _EXPIRED, _STATE,
   or an I/O error. (ticket.c) */
BG_CHECKED enum bg_err bg_attempt_approve(struct bg_attempt *attempt, size_t custodian);
/* Adds an approval made elsewhere, or the quorum's response. Those errors, and BG_ERR_SIGNATURE.
   (ticket.c) */
BG_CHECKED enum bg_err bg_attempt_add_approval(
	struct bg_attempt *attempt, size_t custodian, const uint8_t sig[static BG_ED25519_SIG_LEN]);
BG_CHECKED enum bg_err bg_attempt_add_response(
	struct bg_attempt *attempt, uint16_t exposed, const uint8_t sig[static BG_ED25519_SIG_LEN]);
/* Still ours and in time? BG_ERR_TAKEN_OVER, _EXPIRED. (ticket.c) */
BG_CHECKED enum bg_err bg_attempt_still_ours(struct bg_attempt *attempt);
/* Records GRANTED and issues the grant; only for a request that the tally finds satisfied.
   (ticket.c) */
enum bg_step bg_attempt_grant(struct bg_attempt *attempt);

/* Asks for the reason until it is good, or refused twice. (reason.c) */
enum bg_step bg_attempt_reason(struct bg_attempt *attempt);
/* Was one given, or is MISSING what custodians and records are told? (reason.c) */
bool bg_attempt_has_reason(const struct bg_attempt *attempt);
/* Shows a code as a QR code, or says why not. *has_warned: the size that it needs was told, where
   the terminal's is not known. (qr.c) */
void bg_attempt_qr(struct bg_attempt *attempt, const char *code, bool *has_warned);
/* The one prompt for shares, until the quorum stands. (quorum.c) */
enum bg_step bg_attempt_quorum(struct bg_attempt *attempt);

/* What remains of the request or the connection, whichever is shorter, in seconds. */
uint64_t bg_attempt_secs_left(const struct bg_attempt *attempt);
/* An event with everything that is known of the request filled in; request: 65 bytes; names: room
   for the custodians counted. */
struct bg_event bg_attempt_event(struct bg_attempt *attempt, enum bg_event_id id,
	const char *result, char request[static 65], char *names, size_t names_len);
void bg_attempt_record(struct bg_attempt *attempt, enum bg_event_id id, const char *result);
/* Asks with attempt->text as the prompt; answer in vault->answer. ssh's client puts "(user@host) "
   before it: at network doors the text begins on a new line. */
enum bg_asked bg_attempt_ask(struct bg_attempt *attempt, bool is_hidden);

/* "Locked 2026-11-21T15:40:03Z by root (ops): a quorum lifts it.", a line; nothing where no lock
   stands. (show.c) */
void bg_attempt_put_lock(struct bg_attempt *attempt);

#define BG_TEXT_REVOKED "This request was revoked on the host. Log in again for a new one."
#define BG_TEXT_LOCKED	"This account was locked on the host. Log in again: a new quorum lifts that."

#endif
