/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks of drills: which process only practises. */
#include "state.h"

#include <breakglass/paths.h>
#include <string.h>

#define DRILLS_MAX 64

static enum bg_err read_drill(struct bg_crypto *crypto, const char *name, struct bg_drill *ret)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	size_t len = 0;
	enum bg_err err = bg_state_read(BG_PATH_DRILLS, name, buf, &len);

	return err == BG_OK ? bg_record_read_drill(crypto, buf, len, ret) : err;
}

static bool is_alive(const struct bg_drill *drill)
{
	struct bg_process now;

	return bg_state_is_this_boot(drill->boot_id) &&
	       bg_process_get(drill->process.pid, &now) == BG_OK &&
	       now.start_ticks == drill->process.start_ticks;
}

struct look {
	struct bg_crypto *crypto;
	const char *account;
	bool is_busy;
};

static void look_at(void *arg, const char *name)
{
	struct look *look = arg;
	struct bg_drill drill;
	enum bg_err err = read_drill(look->crypto, name, &drill);

	if (err == BG_OK && is_alive(&drill)) {
		look->is_busy |= strcmp(drill.account, look->account) == 0;
		return;
	}
	if (err == BG_OK || err == BG_ERR_SYNTAX)
		bg_state_remove(BG_PATH_DRILLS, name);
}

static enum bg_err write_drill(struct bg_crypto *crypto, const struct bg_drill *drill)
{
	uint8_t buf[BG_RECORD_MAX_LEN];
	struct bg_writer w = { .p = buf, .cap = sizeof(buf) };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err = bg_record_write_drill(crypto, drill, &w);

	if (err != BG_OK)
		return err;
	bg_state_process_name(&drill->process, name);
	return bg_state_write(BG_PATH_DRILLS, name, &w);
}

enum bg_err bg_drills_begin(struct bg_crypto *crypto, const struct bg_drill *drill)
{
	BG_WIPE(bg_state_unlock) int lock = -1;
	struct look look = { .crypto = crypto, .account = drill->account };
	enum bg_err err;

	if (!bg_drill_is_id(drill->id))
		return BG_ERR_ARGUMENT;
	err = bg_state_lock(&lock);
	if (err != BG_OK)
		return err;
	bg_state_tidy(BG_PATH_DRILLS);
	bg_state_list(BG_PATH_DRILLS, DRILLS_MAX, look_at, &look);
	return look.is_busy ? BG_ERR_BUSY : write_drill(crypto, drill);
}

enum bg_err bg_drills_find(struct bg_crypto *crypto, struct bg_drill *ret)
{
	struct bg_process self = { 0 };
	struct bg_drill drill = { 0 };
	char name[BG_STATE_NAME_LEN];
	enum bg_err err = bg_process_self(&self);

	if (err != BG_OK)
		return BG_ERR_NOENT;
	bg_state_process_name(&self, name);
	if (!bg_state_is_there(BG_PATH_DRILLS, name))
		return BG_ERR_NOENT;
	err = read_drill(crypto, name, &drill);
	/* It was there: from here on nothing turns the drill into an emergency. */
	if (err == BG_ERR_NOENT)
		return BG_ERR_STATE;
	if (err == BG_OK &&
		(!bg_state_is_this_boot(drill.boot_id) || drill.process.pid != self.pid ||
			drill.process.start_ticks != self.start_ticks))
		return BG_ERR_MISMATCH;
	if (err == BG_OK)
		*ret = drill;
	return err;
}

void bg_drills_end(const struct bg_process *process)
{
	char name[BG_STATE_NAME_LEN];

	bg_state_process_name(process, name);
	bg_state_remove(BG_PATH_DRILLS, name);
}

bool bg_drill_is_id(const char *id)
{
	size_t len = strnlen(id, BG_DRILL_ID_LEN + 1);

	return len >= 1 && len <= BG_DRILL_ID_LEN && id[0] != '-' && id[0] != '.' &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		       len;
}
