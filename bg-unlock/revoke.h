/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending requests, grants and sessions now: the verb `revoke`, and what uninstall does first. */
#ifndef BG_UNLOCK_REVOKE_H
#define BG_UNLOCK_REVOKE_H

#include <breakglass/limits.h>
#include <breakglass/os_session.h>

/* Which requests: every field that is set must be the request's. */
struct bg_revoke_which {
	const char *account;   /* NULL: any */
	const uint8_t *digest; /* NULL: any */
	const char *id;	       /* as bg_revoke_is_id takes it; NULL: any */
	const char *custodian; /* NULL, or whose refusal ends it: said in the record */
};

/* A request as people name it: the four characters of its short id, or six and more of the
   hexadecimal digits that the records have. */
#define BG_REVOKE_HEX_MIN 6
bool bg_revoke_is_id(const char *text);
/* Is that the name of the request with this digest and nonce? */
bool bg_revoke_is_named(const char *id, const uint8_t digest[static BG_SHA256_LEN],
	const uint8_t nonce[static BG_NONCE_LEN]);

#define BG_REVOKE_MAX 64
struct bg_revoked {
	size_t requests, sessions, matches; /* matches: different requests that `which` names */
	size_t alive;			    /* processes that no signal ended */
};

/* How many `which` names, with an id; changes nothing. More than one (a short id may name two) are
   printed, with what to type for each. */
size_t bg_revoke_list(struct bg_crypto *crypto, const struct bg_revoke_which *which);
/* Ends them: no request, grant or sudo from now on; records REVOKED for each (who: "root (ops)"),
   and waits until their processes are gone, half a minute at the most. Prints a line for each. */
struct bg_revoked bg_revoke(
	struct bg_crypto *crypto, const struct bg_revoke_which *which, const char *who);

/* Open, or closed and something of it still runs. */
bool bg_revoke_is_alive(const struct bg_session *session);

/* `--code`: asks for a custodian's refusal, at the terminal or on standard input, and finds the one
   request that it is of. The exit status; why not is printed, and recorded as APPROVAL_REFUSED. */
struct bg_revoke_word {
	uint8_t digest[BG_SHA256_LEN]; /* of the request that is to end */
	char custodian[BG_NAME_LEN + 1];
};
BG_CHECKED int bg_revoke_take_word(
	struct bg_crypto *crypto, bool is_stdin, struct bg_revoke_word *ret);

/* Locks the account, then ends all that is open of it, then records LOCKED. *ret_err, with diag:
   what kept the lock from being written; all is ended even so. */
struct bg_revoked bg_revoke_lock(struct bg_crypto *crypto, const char *account, const char *host,
	const char *who, enum bg_err *ret_err, struct bg_diag *diag);

/* "root (NAME)": whose login this is, as the kernel says, whatever sudo or the environment say. */
#define BG_REVOKE_WHO_LEN 64
void bg_revoke_who(char ret[static BG_REVOKE_WHO_LEN]);

#endif
