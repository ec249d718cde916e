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
#define PIECE_LEN    (256 * 1024)
#define TAIL_MAX     (64 * 1024 * 1024) /* bytes at the end of a log that are searched */
#define KEPT_SECS    (7 * 86400)	/* each sink keeps what came for at least that long */

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

/* Is text in the last TAIL_MAX bytes of the file? From its end on, in pieces that overlap by more
   than the text. Opened so that nothing waits. */
static bool is_in_tail(const char *path, const char *text)
{
	static char buf[PIECE_LEN + BG_CHAIN_TEXT_LEN];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	bool is_found = false;
	struct stat st;
	off_t at;

	if (fd < 0)
		return false;
	at = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
	for (int i = 0; i < TAIL_MAX / PIECE_LEN && at > 0 && !is_found; i++) {
		ssize_t n;

		at = at > PIECE_LEN ? at - PIECE_LEN : 0;
		n = pread(fd, buf, sizeof(buf), at);
		is_found = n > 0 && memmem(buf, (size_t)n, text, strlen(text)) != NULL;
	}
	(void)close(fd);
	return is_found;
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

/* What the sinks have of the newest record, and what they should have. Journals in memory begin
   anew at each boot. */
struct sinks {
	bool has_syslog, in_journal, in_syslog, is_recent, is_journal_due;
};

static void look_for(const struct bg_check *check, const char *chain, struct sinks *ret)
{
	bool is_of_boot = true;
	time_t made, now = time(NULL);

	*ret = (struct sinks){ .has_syslog = access("/usr/sbin/rsyslogd", X_OK) == 0,
		.is_recent =
			!bg_check_newest(check, &made, &is_of_boot) || now - made < KEPT_SECS };
	ret->in_journal = is_in_journal(chain);
	ret->in_syslog = ret->has_syslog && is_in_syslog(chain);
	ret->is_journal_due =
		ret->is_recent && (is_of_boot || access("/var/log/journal", F_OK) == 0);
}

static void judge_sinks(struct bg_check *check, uint64_t seq, const struct sinks *sinks)
{
	bool lacks_journal = sinks->is_journal_due && !sinks->in_journal;
	bool lacks_syslog = sinks->is_recent && sinks->has_syslog && !sinks->in_syslog;

	if (lacks_journal && (lacks_syslog || !sinks->has_syslog))
		bg_judge_say(&check->judge, BG_LEVEL_CRITICAL,
			"systemctl status systemd-journald rsyslog",
			"record %" PRIu64 " of the chain is neither in the journal nor in syslog",
			seq);
	else if (lacks_journal || lacks_syslog)
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"does it run, and was its log kept since then?",
			"record %" PRIu64 " of the chain did not arrive in %s", seq,
			lacks_syslog ? "syslog" : "the journal");
	else if (sinks->in_journal || sinks->in_syslog)
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL, "record %" PRIu64 " is in %s%s%s",
			seq, sinks->in_journal ? "the journal" : "",
			sinks->in_journal && sinks->in_syslog ? " and in " : "",
			sinks->in_syslog ? "syslog" : "");
	else
		bg_judge_say(&check->judge, BG_LEVEL_OK, NULL,
			"record %" PRIu64
			", the newest, is older than what journal and syslog have "
			"to keep",
			seq);
}

void bg_check_log(struct bg_check *check)
{
	char chain[BG_CHAIN_TEXT_LEN], hex[2 * BG_SHA256_LEN + 1];
	uint8_t hash[BG_SHA256_LEN];
	struct sinks sinks;
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
	if (!has_journald())
		bg_judge_say(&check->judge, BG_LEVEL_WARNING,
			"systemctl restart systemd-journald.socket systemd-journald",
			"nobody listens at the journal's socket: records go to syslog and the "
			"chain only");
	look_for(check, chain, &sinks);
	judge_sinks(check, seq, &sinks);
}
