/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lives below /run/breakglass: requests, grants, sessions, marks of drills
 * and of lifted locks, and the attempt counters. Root-only files, replaced by rename (on tmpfs: no
 * fsync needed but harmless), every change under one flock whose wait is bounded (one second). No
 * lock is ever held across a prompt. Approvals are kept, never a share. Files are read back through
 * a strict binary reader: magic, version, length, SHA-256 of the content; anything else is
 * BG_ERR_SYNTAX and treated as absent by the caller that scans.
 *
 * crypto is the caller's, for those hashes: a context costs more than all the rest of a call.
 *
 * Pure encoding and decoding of each record is in lib/core/record.c (fuzzed).
 */
#ifndef BREAKGLASS_OS_STATE_H
#define BREAKGLASS_OS_STATE_H

#include <breakglass/account_lock.h>
#include <breakglass/os_clock.h>
#include <breakglass/request.h>
#include <breakglass/tally.h>

#define BG_REQUESTS_MAX 64 /* files scanned at the most */

/* Edges: OPEN -> FIXED -> SATISFIED -> LIVE -> ENDED; OPEN and FIXED -> ABANDONED; SATISFIED ->
   ENDED. */
enum bg_phase {
	BG_PHASE_NONE,
	BG_PHASE_OPEN,	    /* a key is proved; no reason yet */
	BG_PHASE_FIXED,	    /* reason given, digest fixed */
	BG_PHASE_SATISFIED, /* a quorum stands, a grant was issued */
	BG_PHASE_LIVE,	    /* its first session was opened; deadline counts */
	BG_PHASE_ENDED,
	BG_PHASE_ABANDONED
};
bool bg_phase_may(enum bg_phase from, enum bg_phase to); /* the table of edges */

struct bg_request_record {
	struct bg_request request; /* request.nonce names the file */
	enum bg_phase phase;
	uint8_t digest[BG_SHA256_LEN]; /* from FIXED on */
	char boot_id[BG_BOOT_ID_LEN + 1];
	uint64_t opened_ms;   /* CLOCK_BOOTTIME */
	uint64_t expires_ms;  /* of the unsatisfied request */
	uint64_t deadline_ms; /* from LIVE on */
	uint64_t owner;	      /* random: the connection that holds it; changes at take-over */
	uint32_t epoch;
	uint8_t reason_refusals;	 /* short reasons given so far */
	uint8_t lock_id[BG_LOCK_ID_LEN]; /* of the account's lock when it was opened */
	struct bg_tally tally;
};

/* Makes the folders below BG_PATH_RUN if they are missing (0700, root), as tmpfiles does. */
BG_CHECKED enum bg_err bg_state_prepare(struct bg_diag *diag);

/* The newest request of this boot by purpose, account, key and seal digest in a phase of the mask
   (1u << BG_PHASE_...), not expired, and opened under the account's present lock.
   BG_ERR_NOENT. */
BG_CHECKED enum bg_err bg_requests_find(struct bg_crypto *crypto, enum bg_purpose purpose,
	const char *account, const char *key, const uint8_t seal_digest[static BG_SHA256_LEN],
	unsigned int phase_mask, struct bg_request_record *ret);
/* The newest one of that purpose and account, whatever its key, seal and phase. BG_ERR_NOENT. */
BG_CHECKED enum bg_err bg_requests_newest(struct bg_crypto *crypto, enum bg_purpose purpose,
	const char *account, struct bg_request_record *ret);
/* The one of that nonce, in any phase. BG_ERR_NOENT, _SYNTAX. */
BG_CHECKED enum bg_err bg_requests_get(struct bg_crypto *crypto,
	const uint8_t nonce[static BG_NONCE_LEN], struct bg_request_record *ret);
/* A new record; fails with BG_ERR_BUSY when BG_REQUESTS_MAX files are there after a sweep. */
BG_CHECKED enum bg_err bg_requests_add(
	struct bg_crypto *crypto, const struct bg_request_record *record);
/* Under the lock: reads the record, checks owner (0: do not check) else BG_ERR_TAKEN_OVER, calls
   change, writes it back if change returned BG_OK. *ret (may be NULL) gets the new record.
   BG_ERR_REVOKED: it is ENDED or ABANDONED. BG_ERR_LOCKED: the account was locked after it was
   opened; only its end may still be written. */
typedef enum bg_err bg_request_change_fn(void *arg, struct bg_request_record *record);
BG_CHECKED enum bg_err bg_requests_update(struct bg_crypto *crypto,
	const uint8_t nonce[static BG_NONCE_LEN], uint64_t owner, bg_request_change_fn *change,
	void *arg, struct bg_request_record *ret);
/* May its grant still open something? It is SATISFIED or LIVE, of this boot, and no lock came after
   it; else BG_ERR_REVOKED, BG_ERR_LOCKED, or an error of reading. */
BG_CHECKED enum bg_err bg_requests_stand(
	struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN]);
/* Calls each for the requests of this boot that are not over. Holds no lock: each may change them.
 */
void bg_requests_each(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_request_record *record), void *arg);
/* Removes ended and other boots' records and those that are over: OPEN and FIXED ones at
   expires_ms, SATISFIED ones ten minutes later (a grant may be out), LIVE ones a day after their
   deadline. For each OPEN or FIXED one, before it goes, calls each (may be NULL) so that ABANDONED
   is recorded; a LIVE one's end is told by its sessions. each runs under the lock: it may not call
   these here. */
void bg_requests_sweep(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_request_record *record), void *arg);

/* A grant: root-only, of one process, single use, grant_secs long. */
struct bg_grant {
	char boot_id[BG_BOOT_ID_LEN + 1];
	struct bg_process process;	/* whose it is */
	bool is_admitted;		/* by the account phase */
	uint64_t issued_ms, expires_ms; /* CLOCK_BOOTTIME */
	char account[BG_ACCOUNT_LEN + 1];
	uint32_t uid;
	char service[BG_SERVICE_LEN + 1];
	uint8_t nonce[BG_NONCE_LEN]; /* of the request */
	enum bg_purpose purpose;     /* a drill's opens no session */
};

/* Writes it, in place of one that this process has already. BG_ERR_BUSY (the lock), _IO. */
BG_CHECKED enum bg_err bg_grants_issue(struct bg_crypto *crypto, const struct bg_grant *grant);
/* Checks and marks the grant of `process` as admitted and rebinds it to `to` (may be equal). The
   grant is checked: boot, process start, not expired, account, uid, service, purpose. ret_nonce:
   whose request's it is. BG_ERR_NOENT, _EXPIRED, _MISMATCH; _USED: it is admitted already. */
BG_CHECKED enum bg_err bg_grants_admit(struct bg_crypto *crypto, const struct bg_process *process,
	const struct bg_process *to, const char *account, uint32_t uid, const char *service,
	enum bg_purpose purpose, uint8_t ret_nonce[static BG_NONCE_LEN]);
/* Takes the admitted grant once, by one rename; same checks, and is_admitted (BG_ERR_STATE). */
BG_CHECKED enum bg_err bg_grants_take(struct bg_crypto *crypto, const struct bg_process *process,
	const char *account, uint32_t uid, const char *service, struct bg_grant *ret);
/* Removes that process's grant, if it has one. */
void bg_grants_drop(const struct bg_process *process);
/* Removes those that are over or of another boot. */
void bg_grants_sweep(struct bg_crypto *crypto);
/* Removes every grant of a request. */
void bg_grants_revoke(struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN]);

/* The mark of a drill: what the module does in that process, and only there, is practice. Written
   by `bg-unlock drill` before it calls PAM, named like a grant. */
#define BG_DRILL_ID_LEN 32
struct bg_drill {
	char boot_id[BG_BOOT_ID_LEN + 1];
	struct bg_process process; /* who calls PAM */
	uint64_t started_ms;	   /* CLOCK_BOOTTIME */
	char account[BG_ACCOUNT_LEN + 1];
	char service[BG_SERVICE_LEN + 1]; /* the door that is tried */
	char id[BG_DRILL_ID_LEN + 1];	  /* its name, [A-Za-z0-9._-] */
};

/* Marks drill->process. BG_ERR_BUSY: another living process drills this account. Removes the marks
   of processes that are gone. */
BG_CHECKED enum bg_err bg_drills_begin(struct bg_crypto *crypto, const struct bg_drill *drill);
/* Is the caller's own process marked? BG_ERR_NOENT: no, and so it is for everybody but a drill
   (one stat). Any other error: there is a mark that cannot be read. */
BG_CHECKED enum bg_err bg_drills_find(struct bg_crypto *crypto, struct bg_drill *ret);
/* Removes that process's mark. */
void bg_drills_end(const struct bg_process *process);
/* [A-Za-z0-9_][A-Za-z0-9._-]*, at most BG_DRILL_ID_LEN bytes. */
bool bg_drill_is_id(const char *id);

/* A live session, named by its audit session id. */
struct bg_session {
	uint32_t audit_session;
	char boot_id[BG_BOOT_ID_LEN + 1];
	char account[BG_ACCOUNT_LEN + 1];
	uint32_t uid;
	uint64_t opened_ms, deadline_ms;
	bool is_closed;	 /* no sudo, no su any more: bg_sessions_live */
	bool is_revoked; /* ended by root or a custodian: its watchdog ends its processes at once */
	bool is_end_told; /* SESSION_CLOSED is recorded, or about to be by who set this */
	uint8_t nonce[BG_NONCE_LEN];
	uint8_t digest[BG_SHA256_LEN];
	uint32_t epoch;
	char host_label[BG_HOST_LABEL_LEN + 1];
	char key[BG_NAME_LEN + 1];
	char holder[BG_HOLDER_LEN + 1];
	char reason[BG_REASON_LEN + 1];
	char custodians[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2) + 1];
	char service[BG_SERVICE_LEN + 1];
	char origin[BG_ORIGIN_LEN + 1];
	char role[16];
	uint8_t set_id[BG_SET_ID_LEN];
	uint8_t lock_id[BG_LOCK_ID_LEN]; /* its request's */
};

/* Writes the record, in place of an older one of that audit session. BG_ERR_BUSY, _IO. */
BG_CHECKED enum bg_err bg_sessions_put(struct bg_crypto *crypto, const struct bg_session *session);
/* Under the lock: reads the record, calls change, writes it back if change returned BG_OK. *ret
   (may be NULL) gets the new record. BG_ERR_NOENT. */
typedef enum bg_err bg_session_change_fn(void *arg, struct bg_session *session);
BG_CHECKED enum bg_err bg_sessions_update(struct bg_crypto *crypto, uint32_t audit_session,
	bg_session_change_fn *change, void *arg, struct bg_session *ret);
/* BG_ERR_NOENT: none. Does not judge it. crypto may be NULL for who needs none unless there is a
   record: one is opened then. */
BG_CHECKED enum bg_err bg_sessions_get(
	struct bg_crypto *crypto, uint32_t audit_session, struct bg_session *ret);
/* Calls each for every session's record of this boot, closed ones too. Holds no lock. */
void bg_sessions_each(struct bg_crypto *crypto,
	void (*each)(void *arg, const struct bg_session *session), void *arg);
/* BG_OK only if the caller's own audit session is live: this boot, before its deadline, of uid, not
   locked since, and open: one that is closed, not revoked, counts (*ret says is_closed) while
   another session of the same request is open. BG_ERR_NOENT, _EXPIRED, _MISMATCH, _LOCKED. Makes
   one stat or open when there is none. crypto may be NULL, as above. */
BG_CHECKED enum bg_err bg_sessions_live(
	struct bg_crypto *crypto, uint32_t uid, struct bg_session *ret);

/* The account's lock, as this boot knows it. */
struct bg_lock_state {
	bool is_locked;	 /* a lock stands that no quorum has lifted yet */
	bool is_there;	 /* its file is there, lifted or not */
	bool is_damaged; /* that file cannot be read, and locks all the same; at and by are "" */
	struct bg_account_lock lock; /* lock.id: what has another one began before it */
};
/* Never fails: what cannot be looked at counts as locked after everything. */
void bg_locks_look(struct bg_crypto *crypto, const char *account, struct bg_lock_state *ret);
/* Did the account get a lock after what remembers seen began? */
bool bg_locks_is_after(
	struct bg_crypto *crypto, const char *account, const uint8_t seen[static BG_LOCK_ID_LEN]);
/* Locks the account from now on (by: who; at: now); what it was locked with before counts no more.
   BG_ERR_RANDOM, _BUSY, or as bg_file_replace. */
BG_CHECKED enum bg_err bg_locks_put(const char *account, const char *by, struct bg_diag *diag);
/* A quorum lifts the lock of that id: written below /run, for the module writes nowhere else. Its
   file goes with bg_locks_settle, by whoever may. BG_ERR_LOCKED: another lock stands. */
BG_CHECKED enum bg_err bg_locks_lift(
	struct bg_crypto *crypto, const char *account, const uint8_t id[static BG_LOCK_ID_LEN]);
/* Removes the lock's file if that lock was lifted. BG_ERR_NOENT: there is nothing to remove. */
BG_CHECKED enum bg_err bg_locks_settle(
	struct bg_crypto *crypto, const char *account, struct bg_diag *diag);
/* Calls each for the accounts whose lock was lifted since boot. */
void bg_locks_each_lifted(void (*each)(void *arg, const char *account), void *arg);

/* What was lifted. Of no boot: /run does not outlive one. */
struct bg_lift {
	char account[BG_ACCOUNT_LEN + 1];
	uint8_t id[BG_LOCK_ID_LEN];
};

/* Counts an attempt at account (uid names the file) and returns the count since the last proved
   key; a fixed-size file. 0 when it cannot be counted. */
uint64_t bg_attempts_count(uint32_t uid);
/* May one more record be made of somebody who has proved no key? Forty at once, then one a minute:
   a stranger does not fill /run with them. True where it cannot be told. */
bool bg_attempts_may_tell(uint32_t uid);
/* A key was proved: count and ration begin anew. */
void bg_attempts_reset(uint32_t uid);
/* May one more result of an alert handler be recorded? 4,096 at once, then one a second: their
   user, who has no other privilege, does not fill the log. */
bool bg_results_may_tell(void);

#endif
