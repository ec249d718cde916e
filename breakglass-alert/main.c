/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs as long as a handler runs or has something due, then ends: systemd starts
 * it again when there is something new, and from time to time for what is
 * deferred. Takes no argument. Its stderr is the journal.
 */
#include "alert.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define TURN_NS 50000000 /* how soon a new alert is noticed while a handler runs */

/* Told to end: what runs may end by itself and is kept, nothing new is started. Or a handler that
   has just taken an alert would get it again after a reboot. */
static volatile sig_atomic_t is_ending;

static void end_soon(int number)
{
	(void)number;
	is_ending = 1;
}

/* Every alert up to this id was taken by every handler. */
static uint64_t done_by_all(const struct bg_handlers *handlers)
{
	uint64_t done = UINT64_MAX;

	for (size_t i = 0; i < handlers->count; i++)
		if ((handlers->list[i].is_there || handlers->list[i].is_missed) &&
			handlers->list[i].cursor.done < done)
			done = handlers->list[i].cursor.done;
	return done;
}

/* A turn, or less when a handler ends: its next alert waits for that. */
static void pause_turn(void)
{
	const struct timespec turn = { .tv_nsec = TURN_NS };
	sigset_t ended;

	(void)sigemptyset(&ended);
	(void)sigaddset(&ended, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &ended, NULL);
	(void)sigtimedwait(&ended, NULL, &turn);
}

static int run(const struct bg_folders *folders)
{
	static struct bg_handlers handlers;
	bool is_running = true, is_moved = true;

	while (is_running) {
		is_moved = bg_queue_take_new(folders);
		bg_handlers_look(folders, &handlers);
		is_running = is_ending ? bg_handlers_are_running(&handlers)
				       : bg_handlers_start(folders, &handlers);
		if (is_running)
			pause_turn();
		bg_handlers_attend(folders, &handlers);
		bg_queue_drop(folders, done_by_all(&handlers));
	}
	if (is_moved)
		return 0;
	(void)fprintf(stderr, "breakglass-alert: error: new alerts cannot be moved to deferred\n");
	return 3;
}

int main(int argc, char **argv)
{
	struct bg_folders folders = { -1, -1, -1, -1 };
	struct bg_diag diag = { 0 };
	enum bg_err err;
	char text[512];

	(void)argv;
	if (argc != 1) {
		(void)fprintf(stderr, "breakglass-alert: error: takes no argument\n");
		return 2;
	}
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, end_soon);
	err = bg_folders_open(&folders, &diag);
	if (err == BG_OK)
		return run(&folders);
	bg_diag_format(&diag, err, text, sizeof(text));
	(void)fprintf(stderr, "breakglass-alert: error: %s\n", text);
	return 3;
}
