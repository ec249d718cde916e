/* SPDX-License-Identifier: BSD-2-Clause */
/* How the normal ways into this host look: who came in by them last, and whether they answer. */
#ifndef BREAKGLASS_OS_WAYS_H
#define BREAKGLASS_OS_WAYS_H

#include <breakglass/beside.h>
#include <stddef.h>

#define BG_LOGIN_NAME_LEN 32 /* utmp(5) */

struct bg_ordinary {
	int64_t time; /* wall clock, seconds; 0: none */
	char name[BG_LOGIN_NAME_LEN + 1];
};

/* The newest login in a file of utmp(5)'s records, not later than until, of an account that has no
   folder below accounts; at most the last 8192 records are read. Changes *ret only for one that is
   newer than it. A file that is missing or is none changes nothing. */
void bg_ordinary_find(
	const char *path, const char *accounts, int64_t until, struct bg_ordinary *ret);

/* Asks the system for an entry (getent(1), so whatever a source of names does, it does elsewhere
   and no longer than secs). source: "", or the only one to ask. BG_OK; BG_ERR_NOENT: there is no
   such entry; BG_ERR_TIMEOUT: no answer; BG_ERR_IO: it crashed or could not start; else
   (BG_ERR_HELPER) it could not be asked. out: what it says. */
BG_CHECKED enum bg_err bg_names_ask(const char *database, const char *name, const char *source,
	unsigned int secs, char *out, size_t out_size);

/* Do names answer? Asks for name's entry and groups, and each first source that is not local, at
   most three seconds each. is_ours: name has logged in, and must be found. nsswitch: that file's
   text. */
enum bg_way_state bg_way_names(const char *nsswitch, const char *name, bool is_ours);
/* Is there a service behind the sources of names, and does it listen? */
enum bg_way_state bg_way_directory(const char *nsswitch);
/* Does the host's own sshd say something, within two seconds of having been asked where? */
enum bg_way_state bg_way_sshd(void);
enum bg_way_state bg_way_nologin(void);

#endif
