/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/beside.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOTICE 5

static const char *const broken[BG_WAY_COUNT] = {
	[BG_WAY_NOLOGIN] = "nologin is there",
	[BG_WAY_NAMES] = "names do not answer",
	[BG_WAY_DIRECTORY] = "the directory's service is down",
	[BG_WAY_SSHD] = "sshd does not answer",
	[BG_WAY_DISK] = "/var does not answer",
};

/* One way that is known to be broken says more than another of which nothing is known. */
static enum bg_way_state judge(const struct bg_beside *beside, char ret[static 160])
{
	enum bg_way_state state = BG_WAY_GOOD;
	size_t used = 0;

	for (size_t i = 0; i < BG_WAY_COUNT; i++) {
		if (beside->ways[i] == BG_WAY_UNKNOWN && state == BG_WAY_GOOD)
			state = BG_WAY_UNKNOWN;
		if (beside->ways[i] != BG_WAY_BAD)
			continue;
		used += (size_t)snprintf(
			ret + used, 160 - used, "%s%s", used > 0 ? ", " : "broken: ", broken[i]);
		state = BG_WAY_BAD;
	}
	if (state != BG_WAY_BAD)
		(void)snprintf(ret, 160, "%s", state == BG_WAY_GOOD ? "healthy" : "unknown");
	return state;
}

/* As a person would say it, rounded down. */
static void put_ordinary(const struct bg_beside *beside, char ret[static 64])
{
	uint64_t secs = beside->ordinary_secs;
	static const struct {
		uint64_t secs;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t i = 0;

	if (!beside->has_ordinary) {
		(void)snprintf(ret, 64, "no ordinary login is known");
		return;
	}
	while (i < 3 && secs < units[i].secs)
		i++;
	(void)snprintf(ret, 64, "an ordinary login %" PRIu64 " %s%s before", secs / units[i].secs,
		units[i].name, secs / units[i].secs == 1 ? "" : "s");
}

void bg_beside_event(
	const struct bg_beside *beside, struct bg_beside_words *words, struct bg_event *event)
{
	enum bg_way_state state = judge(beside, words->normal);
	char ordinary[64];

	words->ordinary[0] = '\0';
	if (beside->has_ordinary)
		(void)snprintf(words->ordinary, sizeof(words->ordinary), "%" PRIu64,
			beside->ordinary_secs);
	put_ordinary(beside, ordinary);
	(void)snprintf(words->result, sizeof(words->result), "%s; normal ways %s", ordinary,
		state == BG_WAY_GOOD ? "looked healthy" : words->normal);
	event->id = BG_EV_SESSION_CONTEXT;
	event->ordinary = words->ordinary;
	event->normal = words->normal;
	event->result = words->result;
	if (state == BG_WAY_BAD)
		event->severity = NOTICE;
}
