/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one prompter: /dev/tty with echo off, restored on every path and at every
 * signal, or standard input (--stdin), where nothing is prompted. Lines are read
 * and secrets written with read(2) and write(2), never through stdio.
 */
#ifndef BG_UNLOCK_TTY_H
#define BG_UNLOCK_TTY_H

#include <breakglass/err.h>

#include <stdbool.h>
#include <stddef.h>

#define BG_TTY_LINE_LEN 4096

struct bg_tty {
	int in, out; /* out -1: nothing is prompted */
	bool is_stdin;
	bool is_alternate;
	size_t have;		       /* bytes read and not yet taken */
	char buf[BG_TTY_LINE_LEN + 1]; /* keep the struct in locked memory */
};

/* Opens the terminal, or takes standard input. BG_ERR_IO: there is no terminal. */
BG_CHECKED enum bg_err bg_tty_open(struct bg_tty *ret, bool is_stdin, struct bg_diag *diag);
/* The same for a verb: BG_EXIT_DONE, or the error printed with this hint, and the exit status. */
BG_CHECKED int bg_tty_begin(struct bg_tty *ret, bool is_stdin, const char *hint);
/* Restores the terminal, wipes what was read. */
void bg_tty_close(struct bg_tty *tty);

/* To the terminal; nothing under --stdin. Not for secrets. */
void bg_tty_say(struct bg_tty *tty, const char *fmt, ...) BG_PRINTF(2, 3);
/* The same for secrets: straight to the terminal. */
void bg_tty_write(struct bg_tty *tty, const char *p, size_t len);

/* Reads one line without its end into line (terminated). prompt: NULL or "" for none. Echoed only
   if is_shown. BG_ERR_CANCELLED: end of input; BG_ERR_TOO_BIG: a longer line, dropped; BG_ERR_IO.
 */
BG_CHECKED enum bg_err bg_tty_ask(struct bg_tty *tty, bool is_shown, const char *prompt,
	char line[static BG_TTY_LINE_LEN], size_t *ret_len);
/* Is another line of a paste waiting? */
bool bg_tty_is_pending(struct bg_tty *tty);
/* The same, given the moment that the pieces of a paste need. */
bool bg_tty_is_pasting(struct bg_tty *tty);
/* Drops the rest of a paste. */
void bg_tty_drain(struct bg_tty *tty);
/* Onto the alternate screen, cleared; or off it, cleared before. */
void bg_tty_alternate(struct bg_tty *tty, bool is_on);

#endif
