/* SPDX-License-Identifier: BSD-2-Clause */
/* Lifetimes run on CLOCK_BOOTTIME; the wall clock only labels records. */
#ifndef BREAKGLASS_OS_CLOCK_H
#define BREAKGLASS_OS_CLOCK_H

#include <breakglass/err.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BG_BOOT_ID_LEN	 36
#define BG_TIME_TEXT_LEN 25 /* 2026-11-21T08:55:51.123Z and NUL */

uint64_t bg_clock_boot_ms(void); /* CLOCK_BOOTTIME in milliseconds */
/* The wall clock's time in UTC, terminated. */
void bg_clock_wall_text(char ret[static BG_TIME_TEXT_LEN]);
/* "06:14" of the wall clock `secs` from now, host's time zone file read without the environment;
   UTC ("06:14 UTC") where there is none. ret: 16 bytes. */
void bg_clock_local_hm(uint32_t secs, char *ret, size_t ret_size);
/* "40 s", "29 min", "90 min", "4 h", "3 h 59 min": rounded down. */
void bg_duration_text(uint64_t secs, char ret[static 24]);
/* The kernel's random name of this boot, terminated. BG_ERR_IO. */
BG_CHECKED enum bg_err bg_clock_boot_id(char ret[static BG_BOOT_ID_LEN + 1]);

/* What /proc says of a process. start_ticks: field 22 of stat, since boot. */
struct bg_process {
	pid_t pid, parent;
	uint64_t start_ticks;
};
/* More of the same: what the ending of a session asks. */
struct bg_process_more {
	struct bg_process process;
	bool is_zombie; /* ended, and only not waited for */
	uint32_t tty;	/* proc(5)'s device number of its terminal; 0: none */
};
/* All three read /proc. BG_ERR_NOENT: no such process; BG_ERR_SYNTAX. */
BG_CHECKED enum bg_err bg_process_more(pid_t pid, struct bg_process_more *ret);
BG_CHECKED enum bg_err bg_process_self(struct bg_process *ret);
BG_CHECKED enum bg_err bg_process_get(pid_t pid, struct bg_process *ret);
/* Seconds since that process started. */
uint64_t bg_process_age_secs(const struct bg_process *process);
/* /proc/self/sessionid; BG_ERR_NOENT when unset (4294967295) or auditing is not there. */
BG_CHECKED enum bg_err bg_audit_session(uint32_t *ret);
/* The same, but only a session that pam_loginuid opened for uid: its login uid is /proc/self's. One
   that a daemon was started in by hand is that person's. BG_ERR_NOENT, BG_ERR_MISMATCH. */
BG_CHECKED enum bg_err bg_audit_session_of(uint32_t uid, uint32_t *ret);

/* The login uid of the caller, which sudo and su keep. BG_ERR_NOENT: it has none. */
BG_CHECKED enum bg_err bg_audit_login(uint32_t *ret);
/* Audit session and login uid of a process; BG_ERR_NOENT: gone, or it has none. */
BG_CHECKED enum bg_err bg_process_audit(pid_t pid, uint32_t *ret_session, uint32_t *ret_login);

#endif
