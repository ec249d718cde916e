/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#include <breakglass/paths.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void name_of(uint32_t audit_session, char ret[static BG_STATE_NAME_LEN])
{
	(void)snprintf(ret, BG_STATE_NAME_LEN, "%u", (unsigned int)audit_session);
}

enum bg_err bg_sessions_put(const struct bg_session *session)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err;

	if (crypto == NULL)
		return BG_ERR_CRYPTO;
	err = bg_record_write_session(crypto, session, &w);
	if (err != BG_OK)
		return err;
	name_of(session->audit_session, name);
	return bg_state_write(BG_PATH_SESSIONS, name, &w);
}

enum bg_err bg_sessions_get(uint32_t audit_session, struct bg_session *ret)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = NULL;
	uint8_t buf[BG_RECORD_MAX_LEN];
	char name[BG_STATE_NAME_LEN];
	size_t len = 0;
	enum bg_err err;

	name_of(audit_session, name);
	/* Every caller of su comes by here: one stat is all that it may cost. */
	if (!bg_state_is_there(BG_PATH_SESSIONS, name))
		return BG_ERR_NOENT;
	err = bg_state_read(BG_PATH_SESSIONS, name, buf, &len);
	if (err != BG_OK)
		return err;
	crypto = bg_crypto_open();
	return crypto == NULL ? BG_ERR_CRYPTO : bg_record_read_session(crypto, buf, len, ret);
}

enum bg_err bg_sessions_live(uint32_t uid, struct bg_session *ret)
{
	struct bg_session session;
	uint32_t audit_session = 0;
	enum bg_err err = bg_audit_session(&audit_session);

	if (err == BG_OK)
		err = bg_sessions_get(audit_session, &session);
	if (err != BG_OK)
		return err;
	if (session.audit_session != audit_session || session.uid != uid || session.is_closed ||
		!bg_state_is_this_boot(session.boot_id))
		return BG_ERR_MISMATCH;
	if (bg_clock_boot_ms() >= session.deadline_ms)
		return BG_ERR_EXPIRED;
	*ret = session;
	return BG_OK;
}

static void attempts_path(uint32_t uid, char *ret, size_t size)
{
	(void)snprintf(ret, size, BG_PATH_RUN "/attempts.%u", (unsigned int)uid);
}

/* Eight bytes in place, under the lock: a counter that is written whole or not at all. */
uint64_t bg_attempts_count(uint32_t uid)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	char path[64];
	uint64_t count = 0;
	int fd;

	if (bg_state_lock(&lock) != BG_OK)
		return 0;
	attempts_path(uid, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		return 0;
	if (pread(fd, &count, sizeof(count), 0) != (ssize_t)sizeof(count))
		count = 0;
	if (count < UINT64_MAX)
		count++;
	if (pwrite(fd, &count, sizeof(count), 0) != (ssize_t)sizeof(count))
		count = 0;
	(void)close(fd);
	return count;
}

void bg_attempts_reset(uint32_t uid)
{
	char path[64];

	attempts_path(uid, path, sizeof(path));
	(void)unlink(path);
}
