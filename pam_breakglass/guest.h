/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the module knows in one call of one of its entry points: who is logging
 * in and where, and, for an emergency account, its files. Made at the start of
 * a call, freed at its end; nothing of it outlives the call.
 */
#ifndef PAM_BREAKGLASS_GUEST_H
#define PAM_BREAKGLASS_GUEST_H

#include <breakglass/conf.h>
#include <breakglass/event.h>
#include <breakglass/os_log.h>
#include <breakglass/os_state.h>
#include <breakglass/seal.h>
#include <security/pam_modules.h>

enum bg_whose {
	BG_ANYONE_ELSE, /* PAM_IGNORE, whatever is broken */
	BG_EMERGENCY	/* from here on no error becomes PAM_IGNORE */
};

/* Whose call is this? The one stat, for PAM_USER if it is a name that can have a folder. Asks for
   the user name if nobody has yet, as modules do (pam_get_user(3)). name: 33 bytes. */
enum bg_whose bg_guest_whose(pam_handle_t *pamh, char name[static BG_PAM_NAME_LEN + 1]);

struct bg_guest {
	pam_handle_t *pamh;
	struct bg_crypto *crypto;
	char account[BG_PAM_NAME_LEN + 1];
	char service[BG_SERVICE_LEN + 1];
	char origin[BG_ORIGIN_LEN + 1];
	bool is_local; /* a local door: login without PAM_RHOST */
	/* What this process does is practice (bg_drills_find): marked as such in each record, and
	   it opens nothing. drill_err: its mark cannot be read, or is for something else. */
	bool is_drill;
	enum bg_err drill_err;
	struct bg_conf conf;
	struct bg_host host;
	struct bg_contacts contacts;
	struct bg_seal seal;
	char set_hex[2 * BG_SET_ID_LEN + 1];
	bool is_loaded; /* host and seal are good and in force */
};

/* A guest for account, with crypto and configuration; its seal is not read yet. NULL: no memory or
   no libcrypto. Ownership: the caller's, until bg_guest_free. */
struct bg_guest *bg_guest_new(pam_handle_t *pamh, const char *account);
void bg_guest_free(struct bg_guest *guest);
void bg_guest_cleanup(struct bg_guest **guest);

/* Reads host file, passwd entry and seal, and checks that they belong together: account, uid,
   digest. Contacts are read if they are good. On error diag says which file and why. */
BG_CHECKED enum bg_err bg_guest_load(struct bg_guest *guest, struct bg_diag *diag);

/* What requests and grants of this process are for. */
enum bg_purpose bg_guest_purpose(const struct bg_guest *guest);
/* An ssh service: authentication runs in a child of the process that opens the session. */
bool bg_guest_is_ssh(const struct bg_guest *guest);

/* Fills the fields that the guest knows (host, account, set, epoch, service, origin, severity). */
struct bg_event bg_guest_event(
	const struct bg_guest *guest, enum bg_event_id id, const char *result);
/* Sends event as pam_breakglass, a drill's marked and never as an emergency (LOG_EMERG). Gives true
   if it is a record in the chain or kmsg. */
bool bg_guest_emit(struct bg_guest *guest, const struct bg_event *event, bool must_record);
/* Before a key is proved: may what a stranger caused be recorded once more? At a local door always,
   where he stands before the machine. */
bool bg_guest_may_tell(const struct bg_guest *guest);
/* Where sudo or su runs, for SESSION_ESCALATED, of what bg_sessions_live gave. */
const char *bg_guest_where(const struct bg_session *session);
/* Both, for events with nothing to add. */
void bg_guest_record(struct bg_guest *guest, enum bg_event_id id, const char *result);

#endif
