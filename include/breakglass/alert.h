/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Alerts: what breakglass-carry makes of the chain's alerting records and
 * breakglass-alert hands to every program in /etc/breakglass/alert.d, and what
 * the latter tells back. Pure; os_spool.h has the files.
 */
#ifndef BREAKGLASS_ALERT_H
#define BREAKGLASS_ALERT_H

#include <breakglass/event.h>

#define BG_ALERT_MAX_LEN (2 * BG_EVENT_MAX_LEN)
#define BG_HANDLER_LEN	 32 /* bytes of a handler's name */

/* Does this line of the chain (len bytes, no LF) alert? False for what is no record. */
bool bg_alert_is_due(const char *line, size_t len);

/* The JSON object that handlers read, one line with LF: {"schema":1,"id":ID,"drill":false,
   "test":false,"message":"...","record":{the line as it stands in the chain}}. message is the
   record's text (bg_event_text): its first 140 characters carry host, account, holder, reason and
   custodians. Terminated. BG_ERR_SYNTAX: line is no record; BG_ERR_TOO_BIG. */
BG_CHECKED enum bg_err bg_alert_json(struct bg_crypto *crypto, uint64_t id, const char *line,
	size_t len, char *ret, size_t ret_size, size_t *ret_len);

/* The same for one that only tries the handlers ("test":true, no record). host: escaped here. */
BG_CHECKED enum bg_err bg_alert_test_json(
	uint64_t id, const char *host, char *ret, size_t ret_size, size_t *ret_len);

/* The same instead of one whose own text cannot be made or read (no record): that there was one is
   never kept back, nor do those behind it wait for it. */
BG_CHECKED enum bg_err bg_alert_lost_json(uint64_t id, char *ret, size_t ret_size, size_t *ret_len);

/* Numbers in an alert's JSON: its id, and milliseconds since 1970 of its record's time. */
BG_CHECKED enum bg_err bg_alert_read(
	const char *json, size_t len, uint64_t *ret_id, int64_t *ret_time_ms);

/* [A-Za-z0-9][A-Za-z0-9._-]*, at most BG_HANDLER_LEN bytes. */
bool bg_alert_is_handler(const char *name);

enum bg_alert_outcome {
	BG_ALERT_NONE,
	BG_ALERT_TAKEN,	  /* status 0 */
	BG_ALERT_REFUSED, /* status 75: whoever read it says that this use is not authorised */
	BG_ALERT_FAILED	  /* anything else, or no end within its time */
};

/* What became of handing one alert to one handler. */
struct bg_alert_told {
	uint64_t id;
	enum bg_alert_outcome outcome;
	char handler[BG_HANDLER_LEN + 1];
	uint64_t latency_ms; /* from the record's time to the handler's start */
	uint32_t failures;   /* in a row, this one included */
};
/* As a line with LF, terminated (BG_ERR_TOO_BIG), and back (BG_ERR_SYNTAX): its author is not
   trusted. */
BG_CHECKED enum bg_err bg_alert_told_write(
	const struct bg_alert_told *told, char *ret, size_t ret_size, size_t *ret_len);
BG_CHECKED enum bg_err bg_alert_told_read(const char *text, size_t len, struct bg_alert_told *ret);

/* Where a handler's queue stands, kept over restarts. */
struct bg_alert_cursor {
	uint64_t done; /* every id up to this one was taken */
	uint32_t failures;
	uint64_t next_ms; /* CLOCK_BOOTTIME of the next try, in the boot named */
	char boot_id[37];
};
/* The same for a cursor. */
BG_CHECKED enum bg_err bg_alert_cursor_write(
	const struct bg_alert_cursor *cursor, char *ret, size_t ret_size, size_t *ret_len);
BG_CHECKED enum bg_err bg_alert_cursor_read(
	const char *text, size_t len, struct bg_alert_cursor *ret);
/* Milliseconds until the next try after so many failures in a row: 1, 2, 4 ... 60 minutes. */
uint64_t bg_alert_pause_ms(uint32_t failures);

#endif
