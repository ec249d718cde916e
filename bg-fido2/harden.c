/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper.h"

#include <breakglass/os_passwd.h>
#include <breakglass/paths.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/hidraw.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *harden_begin(void)
{
	const struct rlimit none = { 0, 0 };

	if (clearenv() != 0)
		return "environment";
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return "standard descriptors";
	(void)close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "process limits";
	return NULL;
}

static bool drop_ids(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 && setgroups(0, NULL) != 0)
		return false;
	return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, none) == 0;
}

const char *harden_drop(void)
{
	struct bg_passwd user = { .uid = getuid(), .gid = getgid() };
	enum bg_err err = BG_OK;
	static char text[64];
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0)
		err = bg_passwd_find(BG_HELPER_USER, &user, NULL);
	if (err) {
		(void)snprintf(text, sizeof(text), "user " BG_HELPER_USER ": %s", bg_err_text(err));
		return text;
	}
	uid = user.uid;
	gid = user.gid;
	if (uid == 0 || (geteuid() == 0 && gid == 0) || !drop_ids(uid, gid) || !drop_capabilities())
		return "cannot give up privileges";
	if (setuid(0) == 0 || seteuid(0) == 0 || geteuid() != uid || getegid() != gid)
		return "privileges came back";
	/* a change of ids undoes both */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return "process limits";
	return NULL;
}

/* What libfido2 and libcrypto need over descriptors that are open already. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close),
	SCMP_SYS(flock), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* of the sanitizer, at exit */
#endif
};

static const unsigned int ioctls[] = { HIDIOCGRDESCSIZE, HIDIOCGRDESC,
	HIDIOCGRAWNAME(BG_MODEL_LEN + 1) };

/* Allows a call where its argument number arg (an int, so its upper half is no matter), masked,
   is value. */
static int allow_if(
	scmp_filter_ctx filter, int call, unsigned int arg, uint32_t mask, uint32_t value)
{
	const struct scmp_arg_cmp cmp = { arg, SCMP_CMP_MASKED_EQ, mask, value };

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &cmp);
}

static int add_rules(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && r == 0; i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]) && r == 0; i++)
		r = allow_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, ioctls[i]);
	/* memory, but never such as could be run */
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (r == 0)
		r = allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	return r;
}

/*
 * What is not on the list answers "no such call" instead of killing us: refused
 * all the same, and a libc that tries something newer first still finds its way
 * back, where a kill would shut the emergency account after an update.
 */
const char *harden_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r = filter ? add_rules(filter) : -1;

	if (r == 0)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r == 0 ? NULL : "seccomp";
}
