/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events are one table: name, MESSAGE_ID, severity, whether it alerts. The
 * journal catalog, the manual and what follows are generated from it. An event
 * holds raw text; it is escaped when it is formatted, never before.
 */
#ifndef BREAKGLASS_EVENT_H
#define BREAKGLASS_EVENT_H

#include <breakglass/bytes.h>
#include <breakglass/crypto.h>
#include <breakglass/err.h>
#include <breakglass/limits.h>
#include <stdbool.h>

enum bg_event_id {
	BG_EV_ATTEMPT,
	BG_EV_REQUEST_OPENED,
	BG_EV_KEY_REFUSED,
	BG_EV_SHARE_ACCEPTED,
	BG_EV_SHARE_REFUSED,
	BG_EV_APPROVAL_ACCEPTED,
	BG_EV_APPROVAL_REFUSED,
	BG_EV_GRANTED,
	BG_EV_DENIED,
	BG_EV_ABANDONED,
	BG_EV_BYPASS_BLOCKED,
	BG_EV_SESSION_OPENED,
	BG_EV_SESSION_CONTEXT,
	BG_EV_SESSION_ESCALATED,
	BG_EV_SESSION_EXPIRED,
	BG_EV_SESSION_CLOSED,
	BG_EV_REVOKED,
	BG_EV_LOCKED,
	BG_EV_UNLOCKED,
	BG_EV_DRILL_STARTED,
	BG_EV_DRILL_ENDED,
	BG_EV_SEAL_INSTALLED,
	BG_EV_SEAL_REFUSED,
	BG_EV_RESEALED,
	BG_EV_REVIEWED,
	BG_EV_ENVELOPE_OPENED,
	BG_EV_CHECK_FAILED,
	BG_EV_DEGRADED,
	BG_EV_ALERT_DELIVERED,
	BG_EV_ALERT_FAILED,
	BG_EV_COUNT
};

struct bg_event_type {
	const char *name;	/* "GRANTED" */
	const char *message_id; /* 32 lower-case hex digits, one for each event */
	int severity;		/* syslog: 0 emerg (lowered by `severity`), 1 alert, 5 notice */
	bool is_alert;
	const char *text; /* one sentence, for the catalog and the manual */
};

/* The table's row, static storage; NULL: there is none. */
const struct bg_event_type *bg_event_type(enum bg_event_id id);

/* One event. NULL or "": not set (formats leave it out). Borrowed pointers; raw, unescaped. */
struct bg_event {
	enum bg_event_id id;
	const char *host; /* host label */
	const char *account;
	const char *request; /* 64 hex digits: the digest; before it is fixed, the nonce's 32 */
	const char *set;     /* 32 hex digits */
	uint32_t epoch;	     /* 0: not set */
	const char *key;
	const char *holder;
	const char *custodians; /* "audit, dba" */
	const char *role;	/* what the account may as root: "full" */
	const char *reason;
	const char *service;
	const char *origin;
	const char *result;   /* what came out, in words: "wrong share, word 7", "tries left 5" */
	const char *ordinary; /* SESSION_CONTEXT: seconds since the last ordinary login */
	const char *normal;   /* SESSION_CONTEXT: "healthy", "broken: ...", "unknown" */
	uint64_t count;	      /* ATTEMPT: attempts since the last proved key; 0: not set */
	int severity;	      /* -1: the table's; else lowered to this if that is less severe */
};

/* What the chain adds to an event; seq from 1. */
struct bg_chain_pos {
	uint64_t seq;
	uint8_t prev[BG_SHA256_LEN]; /* hash of the record before: SHA-256 of its line without LF */
};

/* Bytes of a JSON line or journal datagram, whatever the event holds, with the NUL. */
#define BG_EVENT_MAX_LEN  8192
#define BG_EVENT_TEXT_LEN 1000
#define BG_CHAIN_TEXT_LEN 88 /* "SEQ:HASH" and NUL */

/* Does it alert? As the table says; of the attempts only the first (count 0 or 1). */
bool bg_event_is_alert(const struct bg_event *event);
/* The severity that applies. */
int bg_event_severity(const struct bg_event *event);

/* The chain's line (JSON, one line, no LF): {"schema":1,"seq":..,"prev":"..","time":"RFC 3339 with
   ms", "boot":"boot id","boottime":seconds,"event":"GRANTED","severity":0,"host":..,...}.
   Terminated. */
BG_CHECKED enum bg_err bg_event_json(const struct bg_event *event, const struct bg_chain_pos *pos,
	const char *time, const char *boot_id, uint64_t boottime_ms, char *ret, size_t ret_size,
	size_t *ret_len);

/* Syslog text and journal MESSAGE: "GRANTED host=.. account=.. holder=.. reason=.. custodians=..
   key=.. request=.. ...chain=SEQ:HASH". The first 140 characters carry host, account, holder,
   reason and custodians, cut in that order from the end (… in place of what was cut, which stands
   behind everything else as full_NAME=). chain NULL or "": left out. Terminated; ret_size at least
   700, at most BG_EVENT_TEXT_LEN bytes. */
BG_CHECKED enum bg_err bg_event_text(
	const struct bg_event *event, const char *chain, char *ret, size_t ret_size);

/* The journal's native datagram (MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_FACILITY=10,
   SYSLOG_IDENTIFIER, BREAKGLASS_EVENT, _ACCOUNT, ... _CHAIN), length-prefixed where a value has
   a line feed. identifier: "pam_breakglass" or "bg-unlock". */
BG_CHECKED enum bg_err bg_event_journal(const struct bg_event *event, const char *identifier,
	const char *chain, struct bg_writer *ret);

/* Number and link of a line that bg_event_json wrote (len bytes, no LF). False: it is none. */
bool bg_event_line_pos(const char *line, size_t len, struct bg_chain_pos *ret);
/* A field of such a line as text, terminated; codes of what may not be shown come out as '?'.
   False, and "": it has none of that name, is damaged there, or it does not fit. */
bool bg_event_line_field(
	const char *line, size_t len, const char *name, char *ret, size_t ret_size);

#endif
