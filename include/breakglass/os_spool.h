/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The alerts' spool, BG_PATH_SPOOL. breakglass-carry (root) writes new/ID.json
 * and reads told/; breakglass-alert (its own user, in the folders' group) moves
 * new to deferred, hands over, keeps handlers/NAME and writes told/.
 * An id is never used twice, and a carrier killed at any step neither loses nor
 * doubles an alert: `last` ("NEXT_ID HASH\n", root's) names the chain's record
 * up to which alerts were written; a file of an id that `last` does not count
 * yet is written again with the same content.
 */
#ifndef BREAKGLASS_OS_SPOOL_H
#define BREAKGLASS_OS_SPOOL_H

#include <breakglass/alert.h>

#define BG_SPOOL_NAME_LEN 32 /* "00000000000000000042.json" and NUL */

void bg_spool_name(uint64_t id, char ret[static BG_SPOOL_NAME_LEN]);
/* False: not such a name. */
bool bg_spool_id(const char *name, uint64_t *ret);

/* For the carrier, lines being what it carries now, appended to the log already: writes an alert
   for each alerting line behind the last one that alerts were written for. BG_OK also where there
   is no spool: alerts are not set up. */
BG_CHECKED enum bg_err bg_spool_write(
	struct bg_crypto *crypto, const char *lines, size_t len, struct bg_diag *diag);
/* An alert that only tries the handlers; *ret_id its id. BG_ERR_NOENT: there is no spool. */
BG_CHECKED enum bg_err bg_spool_write_test(
	const char *host, uint64_t *ret_id, struct bg_diag *diag);

/* Takes each result that breakglass-alert left, oldest first; one that cannot be read is dropped.
 */
void bg_spool_told(void (*each)(void *arg, const struct bg_alert_told *told), void *arg);

/* Which request (64 or 32 hex digits) an alert of this boot was about, as the carrier noted it
   where only root writes: handlers' own files are not asked. Kept of the newest 1,024 alerts.
   BG_ERR_NOENT: unknown, or it was about none. */
BG_CHECKED enum bg_err bg_spool_request(uint64_t id, char ret[static 2 * BG_SHA256_LEN + 1]);

/* What breakglass-carry leaves in BG_PATH_DUE for `bg-unlock revoke --due`. alert 0: only that
   there is a lifted lock to remove; else the request to be revoked and the handler that said so. */
struct bg_due {
	uint64_t alert;
	char request[2 * BG_SHA256_LEN + 1];
	char handler[BG_HANDLER_LEN + 1];
};
BG_CHECKED enum bg_err bg_due_ask(const struct bg_due *due, struct bg_diag *diag);
/* Takes each; one that cannot be read is dropped. */
void bg_due_take(void (*each)(void *arg, const struct bg_due *due), void *arg);

#endif
