/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breakglass-tlog: run by the login shell of an emergency account with `install
 * --record tlog`, from a file in /etc/profile.d, as the account and with its rights:
 *
 *	login shell - breakglass-tlog - tlog-rec - breakglass-tlog --shell - bash
 *
 * Status 0: the recorded shell ended, and so does the login. Everything else (tlog is
 * not there, does not start within two seconds, ends before its shell does, is killed)
 * leaves the login with the shell that it has, unrecorded, and says so there and in the
 * journal. tlog writes into a pipe that is always read, never to the journal or a disk,
 * so that it never waits for either.
 */
#include "tlog.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--shell") == 0)
		return tlog_shell(argv[2]);
	if (argc != 1) {
		(void)fputs("breakglass-tlog: takes no argument\n", stderr);
		return 2;
	}
	return tlog_record() ? 0 : 1;
}
