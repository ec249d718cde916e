/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/os_passwd.h>
#include <breakglass/paths.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder's path: accounts/NAME and the longest file in it. */
#define PATH_LEN 128
/* alert: loud, but nobody is called out of bed by what is emerg */
#define DRILL_SEVERITY 1

enum bg_whose bg_guest_whose(pam_handle_t *pamh, char name[static BG_PAM_NAME_LEN + 1])
{
	const char *user = NULL;
	char path[PATH_LEN];
	int error = 0;

	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL ||
		!bg_is_account(user, BG_PAM_NAME_LEN))
		return BG_ANYONE_ELSE;
	(void)snprintf(name, BG_PAM_NAME_LEN + 1, "%s", user);
	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%s", name);
	/* Whatever is there, from here on no error becomes PAM_IGNORE: a link or a file denies. */
	return bg_path_exists(path, &error) ? BG_EMERGENCY : BG_ANYONE_ELSE;
}

static const char *item_text(pam_handle_t *pamh, int item)
{
	const void *text = NULL;

	if (pam_get_item(pamh, item, &text) != PAM_SUCCESS || text == NULL)
		return "";
	return text;
}

/* Reads accounts/NAME/FILE into a heap buffer of BG_INI_FILE_LEN + 1 bytes that holds no secret. */
static enum bg_err read_account_file(const struct bg_guest *guest, const char *file,
	unsigned int flags, char *buf, size_t *len, struct bg_diag *diag)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%s/%s", guest->account, file);
	return bg_file_read(path, flags, buf, BG_INI_FILE_LEN + 1, len, diag);
}

static void load_conf(struct bg_guest *guest, char *buf)
{
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err;

	bg_conf_defaults(&guest->conf);
	err = bg_file_read(BG_PATH_CONF, 0, buf, BG_INI_FILE_LEN + 1, &len, &diag);
	if (err == BG_OK) {
		bg_conf_parse(buf, len, BG_PATH_CONF, &guest->conf);
		return;
	}
	guest->conf.is_degraded = true;
	guest->conf.first_err = err;
	guest->conf.first_error = diag;
}

/* Only root's processes can be marked, and nobody else's can be a door. */
static void load_drill(struct bg_guest *guest)
{
	struct bg_drill drill;
	enum bg_err err = getuid() == 0 ? bg_drills_find(guest->crypto, &drill) : BG_ERR_NOENT;

	if (err == BG_ERR_NOENT)
		return;
	guest->is_drill = true;
	guest->drill_err = err;
	if (err == BG_OK && (strcmp(drill.account, guest->account) != 0 ||
				    strcmp(drill.service, guest->service) != 0))
		guest->drill_err = BG_ERR_MISMATCH;
}

struct bg_guest *bg_guest_new(pam_handle_t *pamh, const char *account)
{
	struct bg_guest *guest = calloc(1, sizeof(*guest));
	char *buf = malloc(BG_INI_FILE_LEN + 1);
	const char *rhost = item_text(pamh, PAM_RHOST);

	if (guest == NULL || buf == NULL) {
		free(guest);
		free(buf);
		return NULL;
	}
	guest->pamh = pamh;
	guest->crypto = bg_crypto_open();
	if (guest->crypto == NULL) {
		free(guest);
		free(buf);
		return NULL;
	}
	(void)snprintf(guest->account, sizeof(guest->account), "%s", account);
	bg_request_text(guest->service, BG_SERVICE_LEN, item_text(pamh, PAM_SERVICE));
	bg_request_text(
		guest->origin, BG_ORIGIN_LEN, rhost[0] != '\0' ? rhost : item_text(pamh, PAM_TTY));
	guest->is_local = rhost[0] == '\0' && strcmp(guest->service, "login") == 0;
	load_conf(guest, buf);
	load_drill(guest);
	free(buf);
	return guest;
}

void bg_guest_free(struct bg_guest *guest)
{
	if (guest == NULL)
		return;
	bg_crypto_close(guest->crypto);
	free(guest);
}

void bg_guest_cleanup(struct bg_guest **guest)
{
	bg_guest_free(*guest);
	*guest = NULL;
}

static enum bg_err load_host(struct bg_guest *guest, char *buf, struct bg_diag *diag)
{
	struct bg_passwd entry;
	size_t len = 0;
	enum bg_err err;

	if (!bg_is_account(guest->account, BG_ACCOUNT_LEN))
		return bg_diag_set(
			diag, BG_ERR_RANGE, guest->account, "an account of at most 16 bytes");
	err = read_account_file(guest, "host", BG_FILE_PRIVATE, buf, &len, diag);
	if (err == BG_OK)
		err = bg_host_parse(buf, len, "host", &guest->host, diag);
	if (err != BG_OK)
		return err;
	if (strcmp(guest->host.account, guest->account) != 0)
		return bg_diag_set(diag, BG_ERR_MISMATCH, "host", "another account's host file");
	err = bg_passwd_find(guest->account, &entry, diag);
	if (err != BG_OK)
		return err;
	if (entry.uid != guest->host.uid || entry.uid == 0)
		return bg_diag_set(
			diag, BG_ERR_MISMATCH, "/etc/passwd", "the uid that install recorded");
	return BG_OK;
}

static enum bg_err load_seal(struct bg_guest *guest, char *buf, struct bg_diag *diag)
{
	char file[32];
	size_t len = 0;
	enum bg_err err;

	(void)snprintf(file, sizeof(file), "seal.%u", (unsigned int)guest->host.epoch);
	err = read_account_file(guest, file, BG_FILE_PRIVATE, buf, &len, diag);
	if (err == BG_OK)
		err = bg_seal_parse(guest->crypto, buf, len, file, &guest->seal, diag);
	if (err != BG_OK)
		return err;
	if (memcmp(guest->seal.digest, guest->host.seal_digest, BG_SHA256_LEN) != 0 ||
		guest->seal.epoch != guest->host.epoch)
		return bg_diag_set(
			diag, BG_ERR_MISMATCH, file, "the seal that install put in force");
	if (strcmp(guest->seal.account, guest->account) != 0)
		return bg_diag_set(diag, BG_ERR_MISMATCH, file, "another account's seal");
	return BG_OK;
}

static void load_contacts(struct bg_guest *guest, char *buf)
{
	struct bg_diag diag = { 0 };
	size_t len = 0;

	/* Telephone numbers are a help, not a condition: without them the login works. */
	if (read_account_file(guest, "contacts", BG_FILE_PRIVATE, buf, &len, &diag) != BG_OK ||
		bg_contacts_parse(buf, len, "contacts", &guest->contacts, &diag) != BG_OK)
		memset(&guest->contacts, 0, sizeof(guest->contacts));
}

enum bg_err bg_guest_load(struct bg_guest *guest, struct bg_diag *diag)
{
	char *buf = malloc(BG_INI_FILE_LEN + 1);
	enum bg_err err;

	if (buf == NULL)
		return BG_ERR_MEMORY;
	err = load_host(guest, buf, diag);
	if (err == BG_OK)
		err = load_seal(guest, buf, diag);
	if (err == BG_OK) {
		load_contacts(guest, buf);
		bg_hex_encode(guest->seal.set_id, BG_SET_ID_LEN, guest->set_hex);
		guest->is_loaded = true;
	}
	free(buf);
	return err;
}

enum bg_purpose bg_guest_purpose(const struct bg_guest *guest)
{
	return guest->is_drill ? BG_PURPOSE_DRILL : BG_PURPOSE_EMERGENCY;
}

bool bg_guest_is_ssh(const struct bg_guest *guest)
{
	return strcmp(guest->service, "login") != 0;
}

struct bg_event bg_guest_event(
	const struct bg_guest *guest, enum bg_event_id id, const char *result)
{
	struct bg_event event = {
		.id = id,
		.account = guest->account,
		.service = guest->service,
		.origin = guest->origin,
		.result = result,
		.severity = guest->conf.severity,
	};

	if (guest->host.label[0] != '\0')
		event.host = guest->host.label;
	if (guest->host.role[0] != '\0')
		event.role = guest->host.role;
	if (guest->is_loaded) {
		event.set = guest->set_hex;
		event.epoch = guest->seal.epoch;
	}
	return event;
}

bool bg_guest_emit(struct bg_guest *guest, const struct bg_event *event, bool must_record)
{
	struct bg_emitted emitted = { 0 };
	struct bg_event marked = *event;
	char result[BG_EVENT_TEXT_LEN];

	if (guest->is_drill) {
		(void)snprintf(result, sizeof(result), "drill: %s",
			event->result != NULL ? event->result : "");
		marked.result = result;
		if (marked.severity < DRILL_SEVERITY)
			marked.severity = DRILL_SEVERITY;
	}
	bg_log_event(guest->crypto, "pam_breakglass", &marked, must_record, &emitted);
	return bg_emitted_is_recorded(&emitted);
}

bool bg_guest_may_tell(const struct bg_guest *guest)
{
	return guest->is_local || bg_attempts_may_tell(guest->host.uid);
}

const char *bg_guest_where(const struct bg_session *session)
{
	return session->is_closed
		       ? "in what a closed session left, while another of its request is "
			 "open"
		       : "inside the session";
}

void bg_guest_record(struct bg_guest *guest, enum bg_event_id id, const char *result)
{
	const struct bg_event event = bg_guest_event(guest, id, result);

	(void)bg_guest_emit(guest, &event, false);
}
