/* SPDX-License-Identifier: BSD-2-Clause */
/* The chain, the sinks, the carrier and the reader, in a mount namespace of its own with sockets of
   its own in place of the journal's and syslog's. */
#include "unit.h"
#include "private_ns.h"

#include <breakglass/os_clock.h>
#include <breakglass/os_log.h>
#include <breakglass/os_log_read.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define RUN_LOG	 "/run/breakglass/log"
#define VAR_LOG	 "/var/lib/breakglass/log"
#define PENDING	 RUN_LOG "/pending"
#define SEGMENT	 VAR_LOG "/segment-000001.jsonl"
#define JOURNAL	 "/run/systemd/journal/socket"
#define MAX_SEEN 32

static struct bg_crypto *crypto;
static int journal = -1, syslog_fd = -1;

static const struct bg_event granted = { .id = BG_EV_GRANTED,
	.host = "db1",
	.account = "breakglass",
	.key = "blue",
	.holder = "Example Holder",
	.custodians = "audit, dba",
	.reason = "LDAP is down",
	.severity = -1 };

static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	(void)unlink(path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
		abort();
	return fd;
}

static int remove_tree(const char *path)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", path);
	return system(command); /* a test's own fixed paths */
}

static int set_up(void **state)
{
	(void)state;
	crypto = bg_crypto_open();
	if (!crypto || remove_tree("/run/breakglass") || remove_tree("/var/lib/breakglass"))
		return -1;
	(void)mkdir("/run/systemd", 0755);
	(void)mkdir("/run/systemd/journal", 0755);
	journal = listen_at(JOURNAL);
	syslog_fd = listen_at("/dev/log");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bg_crypto_close(crypto);
	crypto = NULL;
	(void)close(journal);
	(void)close(syslog_fd);
	(void)unlink(JOURNAL);
	(void)unlink("/dev/log");
	(void)unlink("/dev/kmsg");
	return 0;
}

/* One datagram, with the sender's ids; 0: none is there. A passed descriptor is read instead. */
static size_t receive(int fd, char *buf, size_t size, struct ucred *ids)
{
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	struct iovec data = { buf, size - 1 };
	struct msghdr msg = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type == SCM_CREDENTIALS && ids)
			memcpy(ids, CMSG_DATA(c), sizeof(*ids));
		if (c->cmsg_type == SCM_RIGHTS) {
			int passed;

			memcpy(&passed, CMSG_DATA(c), sizeof(passed));
			n = pread(passed, buf, size - 1, 0);
			assert_int_equal(fcntl(passed, F_GET_SEALS),
				F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
			(void)close(passed);
		}
	}
	buf[n] = '\0';
	return (size_t)n;
}

static struct bg_emitted emit(const struct bg_event *event, bool must_record)
{
	struct bg_emitted emitted;

	bg_log_event(crypto, "pam_breakglass", event, must_record, &emitted);
	return emitted;
}

static void emit_n(unsigned int n)
{
	char buf[8192];

	while (n-- > 0) {
		assert_true(emit(&granted, false).in_chain);
		while (receive(journal, buf, sizeof(buf), NULL))
			;
	}
}

static void carry(size_t expected)
{
	struct bg_diag diag = { 0 };
	size_t count = 999;

	assert_int_equal(bg_log_carry(&count, &diag), BG_OK);
	assert_int_equal(count, expected);
}

static unsigned int descriptor_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

struct seen {
	struct bg_finding findings[MAX_SEEN];
	unsigned int count;
	struct bg_log_totals totals;
};

static void see(void *arg, const struct bg_finding *finding)
{
	struct seen *seen = arg;

	if (seen->count < MAX_SEEN)
		seen->findings[seen->count] = *finding;
	seen->count++;
}

static struct seen verify(void)
{
	struct seen seen = { 0 };
	const struct bg_log_visitor visitor = { &seen, NULL, see };
	struct bg_diag diag = { 0 };

	assert_int_equal(bg_log_read(crypto, &visitor, &seen.totals, &diag), BG_OK);
	return seen;
}

static void verify_intact(uint64_t records)
{
	struct seen seen = verify();

	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.totals.records, records);
}

/* Exactly this one finding. */
static void verify_finds(enum bg_finding_kind kind, const char *file, uint32_t line, uint64_t seq)
{
	struct seen seen = verify();
	char text[256];

	for (unsigned int i = 0; i < seen.count && i < MAX_SEEN; i++) {
		bg_finding_text(&seen.findings[i], text, sizeof(text));
		print_message("%s\n", text);
	}
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.findings[0].kind, kind);
	assert_string_equal(seen.findings[0].file, file);
	assert_int_equal(seen.findings[0].line, line);
	assert_int_equal(seen.findings[0].seq, seq);
}

static size_t read_text(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	(void)fclose(f);
	return n;
}

static void write_text(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void log_event_goes_to_chain_and_journal_once(void **state)
{
	char buf[8192], expected[200];
	struct bg_emitted emitted;
	struct ucred ids = { 0 };

	(void)state;
	carry(0); /* boot: a head, no segment lost */
	emitted = emit(&granted, true);
	assert_true(emitted.in_chain && emitted.in_journal);
	assert_false(emitted.in_syslog || emitted.in_kmsg);
	assert_true(bg_emitted_is_recorded(&emitted));
	assert_memory_equal(emitted.chain, "1:", 2);
	assert_true(receive(journal, buf, sizeof(buf), &ids) > 0);
	assert_int_equal(ids.uid, geteuid());
	assert_int_equal(ids.pid, getpid());
	(void)snprintf(expected, sizeof(expected), "\nBREAKGLASS_CHAIN=%s\n", emitted.chain);
	assert_non_null(strstr(buf, expected));
	(void)snprintf(expected, sizeof(expected), " chain=%s\n", emitted.chain);
	assert_non_null(strstr(buf, expected));
	assert_int_equal(receive(journal, buf, sizeof(buf), NULL), 0);
	assert_int_equal(receive(syslog_fd, buf, sizeof(buf), NULL), 0);
	verify_intact(1);
}

static void log_journal_gets_the_effective_uid(void **state)
{
	char buf[8192];
	struct ucred ids = { 0 };
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		/* as su and sudo: real uid the caller's */
		if (setresuid(12345, 0, 0) != 0)
			_exit(2);
		_exit(emit(&granted, false).in_journal ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(receive(journal, buf, sizeof(buf), &ids) > 0);
	assert_int_equal(ids.uid, 0);
}

static void log_without_journal_goes_to_syslog_once(void **state)
{
	char buf[8192];
	struct bg_emitted emitted;

	(void)state;
	carry(0);
	(void)unlink(JOURNAL);
	emitted = emit(&granted, true);
	assert_true(emitted.in_chain && emitted.in_syslog && !emitted.in_journal);
	assert_true(receive(syslog_fd, buf, sizeof(buf), NULL) > 0);
	assert_memory_equal(buf, "<80>pam_breakglass[", 19); /* authpriv.emerg */
	assert_non_null(strstr(buf, "]: GRANTED host=db1 account=breakglass holder="));
	assert_int_equal(receive(syslog_fd, buf, sizeof(buf), NULL), 0);
}

static void log_full_journal_is_given_up_within_a_second(void **state)
{
	uint64_t start;
	struct bg_emitted emitted = { .in_journal = true };

	(void)state;
	carry(0);
	for (int i = 0; i < 2000 && emitted.in_journal; i++) {
		start = bg_clock_boot_ms();
		emitted = emit(&granted, false);
	}
	assert_false(emitted.in_journal);
	assert_true(emitted.in_chain && emitted.in_syslog);
	assert_in_range(bg_clock_boot_ms() - start, 0, 1500);
}

static void log_missing_head_starts_a_segment_with_degraded(void **state)
{
	char buf[8192], boot_id[BG_BOOT_ID_LEN + 1], pending[8192];
	struct bg_emitted emitted;

	(void)state;
	assert_int_equal(bg_clock_boot_id(boot_id), BG_OK);
	emitted = emit(&granted, true);
	assert_memory_equal(emitted.chain, "2:", 2);
	assert_true(receive(journal, buf, sizeof(buf), NULL) > 0);
	assert_non_null(strstr(buf, "BREAKGLASS_EVENT=DEGRADED\n"));
	assert_non_null(strstr(buf, boot_id));
	assert_true(receive(journal, buf, sizeof(buf), NULL) > 0);
	assert_non_null(strstr(buf, "BREAKGLASS_EVENT=GRANTED\n"));
	assert_int_equal(receive(journal, buf, sizeof(buf), NULL), 0);
	(void)read_text(PENDING, pending, sizeof(pending));
	assert_non_null(strstr(pending, "\"event\":\"DEGRADED\""));
	assert_non_null(strstr(pending, boot_id));
	verify_intact(2);
}

static void log_held_lock_is_not_waited_for_long_and_kmsg_takes_it(void **state)
{
	struct bg_emitted emitted;
	uint64_t start;
	int fd;

	(void)state;
	carry(0);
	fd = open(RUN_LOG "/lock", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	start = bg_clock_boot_ms();
	emitted = emit(&granted, true);
	assert_in_range(bg_clock_boot_ms() - start, 100, 1500);
	assert_false(emitted.in_chain || emitted.in_kmsg || bg_emitted_is_recorded(&emitted));
	assert_true(emitted.in_journal);
	/* a character device that takes anything stands in for the kernel's */
	assert_int_equal(mknod("/dev/kmsg", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_false(emit(&granted, false).in_kmsg);
	emitted = emit(&granted, true);
	assert_true(!emitted.in_chain && emitted.in_kmsg && bg_emitted_is_recorded(&emitted));
	(void)close(fd);
	assert_true(emit(&granted, true).in_chain);
}

static void log_P04_unsafe_files_of_the_chain_are_refused(void **state)
{
	(void)state;
	emit_n(1);
	assert_int_equal(rename(PENDING, "/run/elsewhere"), 0);
	assert_int_equal(symlink("/run/elsewhere", PENDING), 0);
	assert_false(emit(&granted, false).in_chain);
	(void)unlink(PENDING);
	assert_int_equal(mkfifo(PENDING, 0600), 0);
	assert_false(emit(&granted, false).in_chain);
	(void)unlink(PENDING);
	assert_int_equal(link("/run/elsewhere", PENDING), 0);
	assert_false(emit(&granted, false).in_chain);
	(void)unlink(PENDING);
	assert_int_equal(rename("/run/elsewhere", PENDING), 0);
	assert_int_equal(chmod(PENDING, 0666), 0);
	assert_false(emit(&granted, false).in_chain);
	assert_int_equal(chmod(PENDING, 0600), 0);
	assert_int_equal(chmod(RUN_LOG, 0777), 0);
	assert_false(emit(&granted, false).in_chain);
	assert_int_equal(chmod(RUN_LOG, 0700), 0);
	assert_true(emit(&granted, false).in_chain);
	verify_intact(3);
}

static void log_P05_descriptors_are_the_same_after_each_path(void **state)
{
	unsigned int before;
	char buf[8192];
	size_t count;

	(void)state;
	before = descriptor_count();
	for (int i = 0; i < 1000; i++) {
		if (i == 200)
			(void)unlink(JOURNAL);
		if (i == 400)
			(void)unlink("/dev/log");
		if (i == 600)
			assert_int_equal(chmod(RUN_LOG, 0777), 0);
		if (i == 800)
			assert_int_equal(remove_tree("/run/breakglass"), 0);
		(void)emit(&granted, i % 2);
		if (i % 100 == 50) {
			struct bg_log_totals totals;
			const struct bg_log_visitor visitor = { 0 };

			(void)!bg_log_carry(&count, NULL);
			(void)!bg_log_read(crypto, &visitor, &totals, NULL);
		}
		(void)receive(journal, buf, sizeof(buf), NULL);
		(void)receive(syslog_fd, buf, sizeof(buf), NULL);
		assert_int_equal(descriptor_count(), before);
	}
}

/* Whoever watches pending must find it gone after each run, or it would start the next at once. */
static void log_what_cannot_be_carried_waits_and_loses_nothing(void **state)
{
	struct bg_log_totals totals = { 0 };
	const struct bg_log_visitor visitor = { 0 };
	struct bg_diag diag = { 0 };
	size_t count = 0;

	(void)state;
	(void)emit(&granted, false);
	assert_int_equal(bg_log_carry(&count, &diag), BG_OK);
	assert_int_equal(rename(VAR_LOG, VAR_LOG ".away"), 0);
	assert_int_equal(symlink("/nowhere", VAR_LOG), 0); /* no disk to be had */
	for (int i = 0; i < 3; i++) {
		(void)emit(&granted, false);
		(void)emit(&granted, false);
		assert_int_not_equal(bg_log_carry(&count, &diag), BG_OK);
	}
	assert_int_equal(unlink(VAR_LOG), 0);
	assert_int_equal(rename(VAR_LOG ".away", VAR_LOG), 0);
	/* a full disk: the folder is there, the segment takes nothing */
	assert_int_equal(mount("tmpfs", VAR_LOG, "tmpfs", 0, "size=4k,mode=700"), 0);
	assert_int_equal(system("head -c 4096 /dev/zero >" VAR_LOG "/filler"), 0);
	for (int i = 0; i < 3; i++) {
		(void)emit(&granted, false);
		assert_int_equal(bg_log_carry(&count, &diag), BG_ERR_IO);
		assert_int_not_equal(access(PENDING, F_OK), 0);
		assert_int_equal(access(RUN_LOG "/carrying", F_OK), 0);
	}
	/* killed between adding to carrying and removing pending */
	(void)emit(&granted, false);
	assert_int_equal(system("cat " PENDING " >>" RUN_LOG "/carrying"), 0);
	assert_int_equal(bg_log_carry(&count, &diag), BG_ERR_IO);
	assert_int_equal(umount(VAR_LOG), 0);
	assert_int_equal(bg_log_carry(&count, &diag), BG_OK);
	assert_int_equal(count, 10);
	assert_int_equal(bg_log_read(crypto, &visitor, &totals, &diag), BG_OK);
	assert_int_equal(totals.damages, 0);
	assert_int_equal(totals.seq, 12); /* and the first, that the chain has no head yet */
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	return (int)syscall(SYS_capset, &head, none);
}

static void callers_file_size(void)
{
	struct rlimit limit, after;

	/* what root may pass it passes, for this one write; */
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(1);
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || !emit(&granted, false).in_chain ||
		getrlimit(RLIMIT_FSIZE, &after) != 0 || memcmp(&after, &limit, sizeof(after)) != 0)
		_exit(2);
	/* what it may not is left to the other sinks, and draws no signal */
	limit.rlim_max = 0;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || drop_capabilities() != 0 ||
		emit(&granted, false).in_chain)
		_exit(3);
	_exit(0);
}

static void log_P16_file_size_limit_of_the_caller_kills_nobody(void **state)
{
	pid_t child;
	int status;

	(void)state;
	carry(0);
	child = fork();
	if (child == 0)
		callers_file_size();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void log_P20_hostile_text_stays_one_line_in_each_sink(void **state)
{
	static char big[65537];
	static char pending[65536];
	const char *const texts[] = { "a\nb", "\x1b[2J", "%n%n%s", "\"", "\xe2\x80\xae", "\xff\xfe",
		big, "{\"schema\":1,\"seq\":99}\n{\"schema\":1" };
	char buf[8192];

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	carry(0);
	(void)unlink(JOURNAL);
	for (size_t i = 0; i < LEN(texts); i++) {
		struct bg_event event = { .id = BG_EV_SHARE_REFUSED, .severity = -1 };

		event.host = event.account = event.origin = event.reason = texts[i];
		event.holder = event.custodians = event.key = event.result = texts[i];
		assert_true(emit(&event, false).in_syslog);
		assert_true(receive(syslog_fd, buf, sizeof(buf), NULL) > 0);
		for (const char *p = buf; *p; p++)
			assert_true((uint8_t)*p >= 0x20 && *p != 0x7f);
	}
	(void)read_text(PENDING, pending, sizeof(pending));
	for (const char *p = pending; *p; p++)
		assert_true(*p == '\n' || ((uint8_t)*p >= 0x20 && *p != 0x7f));
	verify_intact(LEN(texts));
}

static void log_fifty_records_of_eight_processes_are_one_chain(void **state)
{
	pid_t children[8];
	size_t count;
	int status;

	(void)state;
	carry(0);
	(void)unlink(JOURNAL);
	(void)unlink("/dev/log");
	for (size_t i = 0; i < LEN(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			for (int j = 0; j < 50; j++)
				if (!emit(&granted, true).in_chain)
					_exit(1);
			_exit(0);
		}
	}
	/* a carrier at work meanwhile */
	for (int i = 0; i < 20; i++)
		assert_int_equal(bg_log_carry(&count, NULL), BG_OK);
	for (size_t i = 0; i < LEN(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	verify_intact(400);
}

static void log_P12_writer_killed_between_line_and_head_costs_nothing(void **state)
{
	char head[256], pending[16384];
	size_t len;

	(void)state;
	emit_n(2);
	len = read_text(RUN_LOG "/head", head, sizeof(head));
	emit_n(1);
	write_text(RUN_LOG "/head", head, len);
	emit_n(1);
	verify_intact(5);
	/* half a line: it was no record yet */
	len = read_text(PENDING, pending, sizeof(pending));
	memcpy(pending + len, "{\"schema\":1,\"se", 15);
	write_text(PENDING, pending, len + 15);
	emit_n(1);
	verify_intact(6);
}

/* Without room for another file the head is kept all the same: no number is given twice. */
static void log_numbers_go_on_where_no_file_can_be_made(void **state)
{
	(void)state;
	assert_int_equal(mkdir("/run/breakglass", 0700), 0);
	assert_int_equal(mkdir(RUN_LOG, 0700), 0);
	assert_int_equal(mount("tmpfs", RUN_LOG, "tmpfs", 0, "nr_inodes=32,mode=700"), 0);
	carry(0);
	emit_n(1);
	carry(1);
	for (int i = 0; i < 3; i++) {
		emit_n(1);
		assert_int_equal(system("cd " RUN_LOG " && while mktemp fill.XXXXXX; do :; done "
					">/dev/null 2>&1; true"),
			0);
		emit_n(3);
		carry(4);
	}
	verify_intact(13);
	assert_int_equal(umount(RUN_LOG), 0);
}

static void log_P12_carrier_killed_anywhere_neither_loses_nor_doubles(void **state)
{
	char pending[16384];
	size_t len;

	(void)state;
	carry(0);
	emit_n(2);
	carry(2);
	emit_n(3);
	len = read_text(PENDING, pending, sizeof(pending));
	for (size_t done = 0; done <= len; done += 97) {
		char segment[16384];
		size_t before = read_text(SEGMENT, segment, sizeof(segment));

		/* killed after `done` bytes were appended */
		assert_int_equal(rename(PENDING, RUN_LOG "/carrying"), 0);
		memcpy(segment + before, pending, done);
		write_text(SEGMENT, segment, before + done);
		verify_intact(5);
		carry(3);
		verify_intact(5);
		assert_int_not_equal(access(RUN_LOG "/carrying", F_OK), 0);
		write_text(SEGMENT, segment, before);
		write_text(PENDING, pending, len);
		assert_int_equal(chmod(PENDING, 0600), 0);
	}
}

static void log_chain_goes_on_over_a_boot(void **state)
{
	uint8_t hash[BG_SHA256_LEN];
	uint64_t seq = 0;

	(void)state;
	carry(0);
	emit_n(3);
	carry(3);
	assert_int_equal(remove_tree("/run/breakglass"), 0);
	assert_int_equal(bg_log_head(&seq, hash), BG_ERR_NOENT);
	carry(0);
	assert_int_equal(bg_log_head(&seq, hash), BG_OK);
	assert_int_equal(seq, 3);
	emit_n(1);
	verify_intact(4);
	carry(1);
	verify_intact(4);
}

static void log_head_lost_within_a_boot_is_a_doubt_and_no_damage(void **state)
{
	struct seen seen;

	(void)state;
	carry(0);
	emit_n(3);
	carry(3);
	assert_int_equal(remove_tree("/run/breakglass"), 0);
	seen = verify();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.findings[0].kind, BG_FINDING_LOST);
	assert_int_equal(seen.findings[0].line, 0);
	assert_int_equal(seen.findings[0].seq, 3);
	emit_n(2);
	seen = verify();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.findings[0].kind, BG_FINDING_LOST);
	assert_int_equal(seen.totals.doubts, 1);
	assert_int_equal(seen.totals.damages, 0);
	assert_int_equal(seen.totals.restarts, 1);
	assert_int_equal(seen.totals.records, 6);
}

/* Six records: 1-4 in the segment, 5 and 6 in pending; then the lines of the segment anew: each
   digit of `order` a line. */
static void damage_segment(const char *order, const char *change)
{
	char text[16384], made[16384] = "", *lines[8], *p = text;
	size_t len = 0;

	carry(0);
	emit_n(4);
	carry(4);
	emit_n(2);
	verify_intact(6);
	(void)read_text(SEGMENT, text, sizeof(text));
	for (int i = 1; i <= 4; i++) {
		lines[i] = p;
		p = strchr(p, '\n');
		*p++ = '\0';
	}
	if (change) {
		p = strstr(lines[3], "LDAP is down");
		assert_non_null(p);
		*p = change[0];
	}
	for (; *order; order++)
		len += (size_t)snprintf(
			made + len, sizeof(made) - len, "%s\n", lines[*order - '0']);
	write_text(SEGMENT, made, len);
}

static void log_changed_record_is_named(void **state)
{
	(void)state;
	damage_segment("1234", "X");
	verify_finds(BG_FINDING_CHANGED, SEGMENT, 3, 3);
}

static void log_removed_record_is_named(void **state)
{
	(void)state;
	damage_segment("124", NULL);
	verify_finds(BG_FINDING_REMOVED, SEGMENT, 3, 3);
}

static void log_removed_first_record_is_named(void **state)
{
	(void)state;
	damage_segment("234", NULL);
	verify_finds(BG_FINDING_REMOVED, SEGMENT, 1, 1);
}

static void log_moved_record_is_named(void **state)
{
	(void)state;
	damage_segment("1324", NULL);
	verify_finds(BG_FINDING_MOVED, SEGMENT, 3, 2);
}

static void log_doubled_record_is_named(void **state)
{
	(void)state;
	damage_segment("12234", NULL);
	verify_finds(BG_FINDING_MOVED, SEGMENT, 3, 2);
}

static void log_records_cut_off_before_others_are_named(void **state)
{
	(void)state;
	damage_segment("12", NULL);
	verify_finds(BG_FINDING_REMOVED, PENDING, 1, 3);
}

static void log_removed_segment_is_named(void **state)
{
	(void)state;
	damage_segment("1234", NULL);
	assert_int_equal(unlink(SEGMENT), 0);
	verify_finds(BG_FINDING_REMOVED, PENDING, 1, 1);
}

static void log_cut_end_is_named(void **state)
{
	char text[16384], *lf;

	(void)state;
	damage_segment("1234", NULL);
	(void)read_text(PENDING, text, sizeof(text));
	lf = strchr(text, '\n');
	write_text(PENDING, text, (size_t)(lf + 1 - text));
	verify_finds(BG_FINDING_CUT, PENDING, 0, 6);
	/* half the last line: taken for a killed writer's, and still missing */
	write_text(PENDING, text, (size_t)(lf + 9 - text));
	verify_finds(BG_FINDING_CUT, PENDING, 0, 6);
}

static void log_changed_last_record_is_named(void **state)
{
	char text[16384], *p;
	size_t len;

	(void)state;
	carry(0);
	emit_n(2);
	len = read_text(PENDING, text, sizeof(text));
	p = strstr(strchr(text, '\n'), "LDAP");
	assert_non_null(p);
	*p = 'X';
	write_text(PENDING, text, len);
	verify_finds(BG_FINDING_CHANGED, PENDING, 2, 2);
	/* the next record follows the true head: it still shows */
	emit_n(1);
	verify_finds(BG_FINDING_CHANGED, PENDING, 2, 2);
}

static void log_each_changed_byte_is_found(void **state)
{
	char text[16384];
	size_t len;

	(void)state;
	carry(0);
	emit_n(3);
	len = read_text(PENDING, text, sizeof(text));
	for (size_t i = 0; i < len; i += 3) {
		text[i] ^= 1;
		write_text(PENDING, text, len);
		assert_true(verify().totals.damages > 0);
		text[i] ^= 1;
	}
	write_text(PENDING, text, len);
	verify_intact(3);
}

static void log_segments_are_limited_and_follow_each_other(void **state)
{
	static char fill[4 << 20];
	char line[4096];
	size_t n, len;

	(void)state;
	carry(0);
	emit_n(1);
	carry(1);
	/* a segment that is full: its first line is no record, which is not what is tested here */
	n = read_text(SEGMENT, line, sizeof(line));
	memset(fill, ' ', sizeof(fill));
	len = sizeof(fill);
	fill[len - n - 1] = '\n';
	memcpy(fill + len - n, line, n);
	write_text(SEGMENT, fill, len);
	emit_n(1);
	carry(1);
	assert_int_equal(access(VAR_LOG "/segment-000002.jsonl", F_OK), 0);
	assert_int_equal(read_text(VAR_LOG "/segment-000002.jsonl", line, sizeof(line)) > 0, 1);
	assert_non_null(strstr(line, "\"seq\":2,"));
}

static void log_none_at_all_is_said(void **state)
{
	const struct bg_log_visitor visitor = { 0 };
	struct bg_log_totals totals;

	(void)state;
	assert_int_equal(bg_log_read(crypto, &visitor, &totals, NULL), BG_ERR_NOENT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(log_event_goes_to_chain_and_journal_once),
		TEST(log_journal_gets_the_effective_uid),
		TEST(log_without_journal_goes_to_syslog_once),
		TEST(log_full_journal_is_given_up_within_a_second),
		TEST(log_missing_head_starts_a_segment_with_degraded),
		TEST(log_held_lock_is_not_waited_for_long_and_kmsg_takes_it),
		TEST(log_P04_unsafe_files_of_the_chain_are_refused),
		TEST(log_P05_descriptors_are_the_same_after_each_path),
		TEST(log_P16_file_size_limit_of_the_caller_kills_nobody),
		TEST(log_P20_hostile_text_stays_one_line_in_each_sink),
		TEST(log_fifty_records_of_eight_processes_are_one_chain),
		TEST(log_P12_writer_killed_between_line_and_head_costs_nothing),
		TEST(log_numbers_go_on_where_no_file_can_be_made),
		TEST(log_P12_carrier_killed_anywhere_neither_loses_nor_doubles),
		TEST(log_chain_goes_on_over_a_boot),
		TEST(log_head_lost_within_a_boot_is_a_doubt_and_no_damage),
		TEST(log_changed_record_is_named),
		TEST(log_removed_record_is_named),
		TEST(log_removed_first_record_is_named),
		TEST(log_moved_record_is_named),
		TEST(log_doubled_record_is_named),
		TEST(log_records_cut_off_before_others_are_named),
		TEST(log_removed_segment_is_named),
		TEST(log_cut_end_is_named),
		TEST(log_changed_last_record_is_named),
		TEST(log_each_changed_byte_is_found),
		TEST(log_segments_are_limited_and_follow_each_other),
		TEST(log_what_cannot_be_carried_waits_and_loses_nothing),
		TEST(log_none_at_all_is_said),
	};

	private_ns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
