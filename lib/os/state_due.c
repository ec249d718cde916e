/* SPDX-License-Identifier: BSD-2-Clause */
/* What breakglass-carry, which may do little, leaves for root's command to do. */
#include "state.h"

#include <breakglass/alert.h>
#include <breakglass/os_file.h>
#include <breakglass/os_spool.h>
#include <breakglass/paths.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUE_MAX 256
#define DUE_LEN 160

enum bg_err bg_due_ask(const struct bg_due *due, struct bg_diag *diag)
{
	BG_WIPE(bg_state_unlock) int held = -1;
	char path[128], text[DUE_LEN];
	int len = snprintf(text, sizeof(text), "%s %s\n", due->request[0] ? due->request : "-",
		due->handler[0] ? due->handler : "-");

	(void)snprintf(path, sizeof(path), BG_PATH_DUE "/%" PRIu64, due->alert);
	/* Against who tidies: nothing half-written is taken for forgotten. */
	if (bg_state_lock(&held) != BG_OK)
		return bg_diag_set(diag, BG_ERR_BUSY, path, NULL);
	return bg_file_replace(path, 0, 0600, text, (size_t)len, diag);
}

static bool read_due(const char *name, struct bg_due *ret)
{
	char path[128], text[DUE_LEN], *handler, *end;
	size_t len = 0;

	*ret = (struct bg_due){ .alert = strtoull(name, NULL, 10) };
	(void)snprintf(path, sizeof(path), BG_PATH_DUE "/%s", name);
	if (bg_file_read(path, BG_FILE_PRIVATE, text, sizeof(text), &len, NULL) != BG_OK)
		return false;
	handler = strchr(text, ' ');
	end = strchr(text, '\n');
	if (handler == NULL || end == NULL || end < handler)
		return false;
	*handler++ = *end = '\0';
	if (strlen(text) >= sizeof(ret->request) || strlen(handler) >= sizeof(ret->handler))
		return false;
	if (ret->alert != 0)
		memcpy(ret->request, text, strlen(text) + 1);
	memcpy(ret->handler, handler, strlen(handler) + 1);
	return true;
}

struct walk {
	void (*each)(void *arg, const struct bg_due *due);
	void *arg;
};

static void walk_one(void *arg, const char *name)
{
	const struct walk *walk = arg;
	struct bg_due due;

	if (read_due(name, &due))
		walk->each(walk->arg, &due);
	/* Done or not: what waits for this folder to be empty would start the same again at once.
	 */
	bg_state_remove(BG_PATH_DUE, name);
}

void bg_due_take(void (*each)(void *arg, const struct bg_due *due), void *arg)
{
	struct walk walk = { each, arg };
	int held = -1;

	if (bg_state_lock(&held) == BG_OK)
		bg_state_tidy(BG_PATH_DUE);
	bg_state_unlock(&held);
	bg_state_list(BG_PATH_DUE, DUE_MAX, walk_one, &walk);
}
