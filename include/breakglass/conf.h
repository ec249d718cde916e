/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small files beside a seal: `host` (what `install` put in force), `contacts`
 * (telephone numbers, unsigned, dated), breakglass.conf, and a ceremony's plan.
 *
 * Each _parse reads len bytes of text, where being its name in diag; errors as bg_ini_parse. Each
 * _write makes such a text, terminated: BG_ERR_TOO_BIG.
 */
#ifndef BREAKGLASS_CONF_H
#define BREAKGLASS_CONF_H

#include <breakglass/crypto.h>
#include <breakglass/limits.h>
#include <breakglass/seal.h>
#include <stdbool.h>

/* /etc/breakglass/accounts/NAME/host, `[host]`: label, account, uid, epoch, seal; role (full) and
   record (nothing) may be absent. */
#define BG_ROLE_LEN  15
#define BG_ROLE_FULL "full"
/* What keeps the commands of the account's sessions: bits. */
#define BG_RECORDING_SUDO  1U /* sudo's I/O logs: what its commands show */
#define BG_RECORDING_AUDIT 2U /* auditd's rules on the account's login uid */
#define BG_RECORDING_TLOG  4U /* tlog: what the terminals of its sessions show */
#define BG_RECORDING_LEN   16 /* of its words with blanks, and the NUL */
struct bg_host {
	char label[BG_HOST_LABEL_LEN + 1];
	char account[BG_ACCOUNT_LEN + 1];
	uint32_t uid; /* 1 and above */
	uint32_t epoch;
	char role[BG_ROLE_LEN + 1]; /* what sudo and su do for the account: bg_is_role() */
	unsigned int recording;	    /* BG_RECORDING_* */
	uint8_t seal_digest[BG_SHA256_LEN];
};

/* full (the default), identity or read-only. */
bool bg_is_role(const char *text);
/* Adds the bit of a word, sudo, audit or tlog; false: it is none of them. */
bool bg_recording_add(const char *word, unsigned int *recording);
/* The words of its bits, a blank between two; "" for none. */
void bg_recording_text(unsigned int recording, char ret[static BG_RECORDING_LEN]);

BG_CHECKED enum bg_err bg_host_parse(
	const char *text, size_t len, const char *where, struct bg_host *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_host_write(
	const struct bg_host *host, char *ret, size_t ret_size, size_t *ret_len);

/* contacts: `[contacts]` updated = YYYY-MM-DD; `[custodian NAME]` phone = text of at most 32 bytes.
 */
#define BG_PHONE_LEN 32
struct bg_contacts {
	char updated[11];
	size_t count;
	struct {
		char name[BG_NAME_LEN + 1];
		char phone[BG_PHONE_LEN + 1];
	} entries[BG_CUSTODIANS_MAX];
};

BG_CHECKED enum bg_err bg_contacts_parse(const char *text, size_t len, const char *where,
	struct bg_contacts *ret, struct bg_diag *diag);
BG_CHECKED enum bg_err bg_contacts_write(
	const struct bg_contacts *contacts, char *ret, size_t ret_size, size_t *ret_len);
/* The telephone number of name, or "". */
const char *bg_contacts_phone(const struct bg_contacts *contacts, const char *name);

#define BG_SERVICES_MAX 8
struct bg_conf {
	size_t service_count;
	char services[BG_SERVICES_MAX][BG_SERVICE_LEN + 1]; /* the doors */
	char device[256];				    /* "" : enumerate */
	int severity; /* syslog severity of the highest events; 0 (emerg) to 2 */
	char sd_id[64];
	uint32_t review_days, drill_days;
	bool is_revoke_on_75; /* an alert handler's "not authorised" ends the alert's request */
	bool is_degraded;     /* something was wrong and left at its default */
	struct bg_diag first_error; /* what was wrong first */
	enum bg_err first_err;
};

/* What holds where the file is missing. */
void bg_conf_defaults(struct bg_conf *ret);
/* Never fails: whatever is wrong stays at its default and sets is_degraded (RULES P19). */
void bg_conf_parse(const char *text, size_t len, const char *where, struct bg_conf *ret);
/* Is the PAM service one of services? */
bool bg_conf_is_door(const struct bg_conf *conf, const char *service);

/* A ceremony's plan (bg-unlock init --plan): `[plan]` account, zone, threshold, strength (optional,
   128); `[policy]` any of the seal's policy keys (optional, named section absent: defaults);
   `[custodian NAME]` phone (optional); `[key NAME]` holder, and optional: model, device, ssh. */
struct bg_plan {
	char account[BG_ACCOUNT_LEN + 1];
	char zone[BG_ZONE_LEN + 1];
	uint8_t threshold;
	uint32_t strength;
	struct bg_policy policy;
	size_t custodian_count, key_count;
	struct {
		char name[BG_NAME_LEN + 1];
		char phone[BG_PHONE_LEN + 1];
	} custodians[BG_CUSTODIANS_MAX];
	struct {
		char name[BG_NAME_LEN + 1];
		char holder[BG_HOLDER_LEN + 1];
		char model[BG_MODEL_LEN + 1];
		char device[256];
		char ssh[BG_SSH_KEY_LEN]; /* without comment, or "" */
	} keys[BG_KEYS_MAX];
};

BG_CHECKED enum bg_err bg_plan_parse(
	const char *text, size_t len, const char *where, struct bg_plan *ret, struct bg_diag *diag);

#endif
