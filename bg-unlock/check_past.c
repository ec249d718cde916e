/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_past.h"

#include <string.h>

static struct bg_check_past past;
static bool is_read;

static void on_line(void *arg, const struct bg_log_line *line)
{
	struct bg_check_past *all = arg;

	bg_usage_add(all->usage, line);
	bg_drill_pasts_add(&all->drills, line);
}

static enum bg_err read_all(struct bg_crypto *crypto)
{
	const struct bg_log_visitor visitor = { &past, on_line, NULL };
	enum bg_err err;

	past.usage = bg_usage_new();
	if (!past.usage)
		return BG_ERR_MEMORY;
	err = bg_log_read(crypto, &visitor, &past.totals, NULL);
	if (err == BG_ERR_NOENT)
		return BG_OK;
	return err == BG_OK && !bg_usage_is_whole(past.usage) ? BG_ERR_MEMORY : err;
}

const struct bg_check_past *bg_check_past(const struct bg_check *check)
{
	if (is_read)
		return &past;
	is_read = true;
	past.err = read_all(check->crypto);
	if (past.err != BG_OK)
		bg_usage_free(&past.usage);
	return &past;
}

void bg_check_past_end(void)
{
	if (past.usage)
		bg_usage_free(&past.usage);
	memset(&past, 0, sizeof(past));
	is_read = false;
}
