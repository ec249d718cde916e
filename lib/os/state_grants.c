/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#include <breakglass/paths.h>
#include <stdio.h>
#include <string.h>

#define GRANTS_MAX 256

static enum bg_err read_grant(struct bg_crypto *crypto, const char *name, struct bg_grant *ret)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	size_t len = 0;
	enum bg_err err = bg_state_read(BG_PATH_GRANTS, name, buf, &len);

	return err == BG_OK ? bg_record_read_grant(crypto, buf, len, ret) : err;
}

static enum bg_err write_grant(struct bg_crypto *crypto, const struct bg_grant *grant)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err = bg_record_write_grant(crypto, grant, &w);

	if (err != BG_OK)
		return err;
	bg_state_process_name(&grant->process, name);
	return bg_state_write(BG_PATH_GRANTS, name, &w);
}

/* Everything that a grant must be for this process, account, uid and service, now. */
static enum bg_err check(const struct bg_grant *grant, const struct bg_process *process,
	const char *account, uint32_t uid, const char *service)
{
	uint64_t now = bg_clock_boot_ms();

	if (!bg_state_is_this_boot(grant->boot_id) || grant->process.pid != process->pid ||
		grant->process.start_ticks != process->start_ticks ||
		strcmp(grant->account, account) != 0 || grant->uid != uid ||
		strcmp(grant->service, service) != 0)
		return BG_ERR_MISMATCH;
	if (now < grant->issued_ms || now >= grant->expires_ms)
		return BG_ERR_EXPIRED;
	return BG_OK;
}

enum bg_err bg_grants_issue(struct bg_crypto *crypto, const struct bg_grant *grant)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	enum bg_err err;

	err = bg_state_lock(&lock);
	return err == BG_OK ? write_grant(crypto, grant) : err;
}

enum bg_err bg_grants_admit(struct bg_crypto *crypto, const struct bg_process *process,
	const struct bg_process *to, const char *account, uint32_t uid, const char *service,
	enum bg_purpose purpose, uint8_t ret_nonce[static BG_NONCE_LEN])
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct bg_grant grant;
	char name[BG_STATE_NAME_LEN];
	enum bg_err err;

	err = bg_state_lock(&lock);
	if (err != BG_OK)
		return err;
	bg_state_process_name(process, name);
	err = read_grant(crypto, name, &grant);
	if (err == BG_OK)
		err = check(&grant, process, account, uid, service);
	if (err == BG_OK && grant.is_admitted)
		err = BG_ERR_USED;
	if (err == BG_OK && grant.purpose != purpose)
		err = BG_ERR_MISMATCH;
	if (err != BG_OK)
		return err;
	/* Gone before it stands anew: killed between the two, it is lost, not doubled. */
	bg_state_remove(BG_PATH_GRANTS, name);
	grant.is_admitted = true;
	grant.process = *to;
	err = write_grant(crypto, &grant);
	if (err == BG_OK)
		memcpy(ret_nonce, grant.nonce, BG_NONCE_LEN);
	return err;
}

enum bg_err bg_grants_take(struct bg_crypto *crypto, const struct bg_process *process,
	const char *account, uint32_t uid, const char *service, struct bg_grant *ret)
{
	char name[BG_STATE_NAME_LEN], taken[BG_STATE_NAME_LEN + 8];
	char from[128], to[128];
	struct bg_grant grant;
	enum bg_err err;

	bg_state_process_name(process, name);
	(void)snprintf(taken, sizeof(taken), "%s-a", name);
	(void)snprintf(from, sizeof(from), BG_PATH_GRANTS "/%s", name);
	(void)snprintf(to, sizeof(to), BG_PATH_GRANTS "/%s", taken);
	/* The rename is the taking: of two that try, one finds nothing. */
	if (rename(from, to) != 0)
		return BG_ERR_NOENT;
	err = read_grant(crypto, taken, &grant);
	bg_state_remove(BG_PATH_GRANTS, taken);
	if (err == BG_OK)
		err = check(&grant, process, account, uid, service);
	if (err == BG_OK && !grant.is_admitted)
		err = BG_ERR_STATE;
	if (err == BG_OK)
		*ret = grant;
	return err;
}

void bg_grants_drop(const struct bg_process *process)
{
	char name[BG_STATE_NAME_LEN];

	bg_state_process_name(process, name);
	bg_state_remove(BG_PATH_GRANTS, name);
}

static void sweep_one(void *arg, const char *name)
{
	struct bg_crypto *crypto = arg;
	struct bg_grant grant;
	enum bg_err err = read_grant(crypto, name, &grant);

	if (err != BG_OK && err != BG_ERR_SYNTAX)
		return;
	if (err == BG_OK && bg_state_is_this_boot(grant.boot_id) &&
		bg_clock_boot_ms() < grant.expires_ms)
		return;
	bg_state_remove(BG_PATH_GRANTS, name);
}

void bg_grants_sweep(struct bg_crypto *crypto)
{
	BG_WIPE(bg_state_unlock) int lock = -1;

	if (bg_state_lock(&lock) != BG_OK)
		return;
	bg_state_tidy(BG_PATH_GRANTS);
	bg_state_list(BG_PATH_GRANTS, GRANTS_MAX, sweep_one, crypto);
}

struct revoke {
	struct bg_crypto *crypto;
	const uint8_t *nonce;
};

static void revoke_one(void *arg, const char *name)
{
	const struct revoke *revoke = arg;
	struct bg_grant grant;

	if (read_grant(revoke->crypto, name, &grant) == BG_OK &&
		memcmp(grant.nonce, revoke->nonce, BG_NONCE_LEN) == 0)
		bg_state_remove(BG_PATH_GRANTS, name);
}

void bg_grants_revoke(struct bg_crypto *crypto, const uint8_t nonce[static BG_NONCE_LEN])
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct revoke revoke = { .crypto = crypto, .nonce = nonce };

	if (bg_state_lock(&lock) == BG_OK)
		bg_state_list(BG_PATH_GRANTS, GRANTS_MAX, revoke_one, &revoke);
}
