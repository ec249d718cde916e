/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks at what `revoke --lock` left. */
#include "check.h"

#include <breakglass/os_state.h>
#include <breakglass/paths.h>

#define LIFT "a request with key and quorum lifts it; bg-unlock log show tells why it is there"

void bg_check_lock(struct bg_check *check)
{
	struct bg_lock_state lock;

	bg_locks_look(check->crypto, check->account, &lock);
	if (!lock.is_there)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "not locked");
	else if (!lock.is_locked)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"rm -r " BG_PATH_ACCOUNTS "/@ACCOUNT@/locked, if it stays",
			"a quorum has lifted the lock of %s, but its file is still there: after a "
			"reboot it stands again",
			lock.lock.at[0] ? lock.lock.at : "(a damaged file)");
	else if (lock.is_damaged)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, LIFT,
			"locked: " BG_PATH_ACCOUNTS "/%s/locked cannot be read, and locks",
			check->account);
	else
		bg_judge_say(&check->judge, BG_LEVEL_WARNING, LIFT, "locked since %s by %s",
			lock.lock.at, lock.lock.by);
}
