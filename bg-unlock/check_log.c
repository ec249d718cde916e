/* SPDX-License-Identifier: BSD-2-Clause */
/* Does what is recorded arrive? The newest record of the chain is looked for where it went. */
#include "check.h"

#include <breakglass/os_helper.h>
#include <breakglass/os_log.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_SECS 30
#define TAIL_LEN     (256 * 1024) /* bytes at the end of a log that are searched */

static bool is_in_journal(const char *chain)
{
	char match[BG_CHAIN_TEXT_LEN + 32], out[1024];
	const char *const argv[] = { "/usr/bin/journalctl", "-q", "--no-pager", "-o", "cat", "-n",
		"1", "_UID=0", match, NULL };
	int status = 0;

	(void)snprintf(match, sizeof(match), "BREAKGLASS_CHAIN=%s", chain);
	return bg_program_run(argv, NULL, TIMEOUT_SECS, out, sizeof(out), &status, NULL) == BG_OK &&
	       status == 0 && strstr(out, chain) != NULL;
}

/* Is text in the last part of the file? Opened so that nothing waits. */
static bool is_in_tail(const char *path, const char *text)
{
	static char buf[TAIL_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, buf, sizeof(buf), st.st_size > TAIL_LEN ? st.st_size - TAIL_LEN : 0);
	(void)close(fd);
	return n > 0 && memmem(buf, (size_t)n, text, strlen(text)) != NULL;
}

static bool is_in_syslog(const char *chain)
{
	static const char *const files[] = { "/var/log/auth.log", "/var/log/syslog",
		"/var/log/auth.log.1", "/var/log/secure", "/var/log/messages" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (is_in_tail(files[i], chain))
			return true;
	return false;
}

/* What was recorded says nothing of the next record: does journald still listen? Nothing is sent.
 */
static bool has_journald(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	int fd;
	bool is_there;

	if (access("/run/systemd/system", F_OK) != 0)
		return true; /* a host without systemd has none */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return is_there;
}

void bg_check_log(struct bg_check *check)
{
	char chain[BG_CHAIN_TEXT_LEN], hex[2 * BG_SHA256_LEN + 1];
	uint8_t hash[BG_SHA256_LEN];
	bool has_syslog = access("/usr/sbin/rsyslogd", X_OK) == 0, in_journal, in_syslog;
	uint64_t seq = 0;

	if (bg_log_head(&seq, hash) != BG_OK) {
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"systemctl start breakglass-carry.service; install and each attempt write "
			"one",
			"the chain has no record yet: whether they arrive is not known");
		return;
	}
	bg_hex_encode(hash, sizeof(hash), hex);
	(void)snprintf(chain, sizeof(chain), "%" PRIu64 ":%s", seq, hex);
	in_journal = is_in_journal(chain);
	in_syslog = has_syslog && is_in_syslog(chain);
	if (!has_journald())
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"systemctl restart systemd-journald.socket systemd-journald",
			"nobody listens at the journal's socket: records go to syslog and the "
			"chain only");
	if (in_journal && (in_syslog || !has_syslog))
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"record %" PRIu64 " is in the journal%s", seq,
			has_syslog ? " and in syslog" : "");
	else if (in_journal || in_syslog)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"does it run, and was its log kept since then?",
			"record %" PRIu64 " of the chain did not arrive in %s", seq,
			in_journal ? "syslog" : "the journal");
	else
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"systemctl status systemd-journald rsyslog",
			"record %" PRIu64 " of the chain is neither in the journal nor in syslog",
			seq);
}
