/* SPDX-License-Identifier: BSD-2-Clause */
/* Lifetimes run on CLOCK_BOOTTIME; the wall clock only labels records. */
#ifndef BREAKGLASS_OS_CLOCK_H
#define BREAKGLASS_OS_CLOCK_H

#include <breakglass/err.h>
#include <stdint.h>
#include <sys/types.h>

#define BG_BOOT_ID_LEN	 36
#define BG_TIME_TEXT_LEN 25 /* 2026-11-21T08:55:51.123Z and NUL */

uint64_t bg_clock_boot_ms(void); /* CLOCK_BOOTTIME in milliseconds */
void bg_clock_wall_text(char ret[static BG_TIME_TEXT_LEN]);
/* "06:14" of the wall clock `secs` from now, host's time zone file read without the environment;
   UTC ("06:14 UTC") where there is none. ret: 16 bytes. */
void bg_clock_local_hm(uint32_t secs, char *ret, size_t ret_size);
BG_CHECKED enum bg_err bg_clock_boot_id(char ret[static BG_BOOT_ID_LEN + 1]);

/* What /proc says of a process. start_ticks: field 22 of stat, since boot. */
struct bg_process {
	pid_t pid, parent;
	uint64_t start_ticks;
};
BG_CHECKED enum bg_err bg_process_self(struct bg_process *ret);
BG_CHECKED enum bg_err bg_process_get(pid_t pid, struct bg_process *ret);
/* Seconds since that process started. */
uint64_t bg_process_age_secs(const struct bg_process *process);
/* /proc/self/sessionid; BG_ERR_NOENT when unset (4294967295) or auditing is not there. */
BG_CHECKED enum bg_err bg_audit_session(uint32_t *ret);

#endif
