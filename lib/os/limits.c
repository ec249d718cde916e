/* SPDX-License-Identifier: BSD-2-Clause */
#include "limits.h"

#define FILES_WANTED 1048576 /* nr_open: nobody can hold more than that open before us */

static bool lift(__rlimit_resource_t what, rlim_t wanted, struct rlimit *before)
{
	struct rlimit next;

	if (getrlimit(what, before) != 0 || before->rlim_cur >= wanted)
		return false;
	next.rlim_cur = wanted;
	next.rlim_max = before->rlim_max > wanted ? before->rlim_max : wanted;
	if (setrlimit(what, &next) == 0)
		return true;
	/* without the privilege: as far as anybody may */
	next.rlim_cur = next.rlim_max = before->rlim_max;
	return before->rlim_cur < before->rlim_max && setrlimit(what, &next) == 0;
}

void bg_limits_lift(struct bg_limits *ret)
{
	ret->has_file_size = lift(RLIMIT_FSIZE, RLIM_INFINITY, &ret->file_size);
	ret->has_files = lift(RLIMIT_NOFILE, FILES_WANTED, &ret->files);
}

void bg_limits_restore(struct bg_limits *limits)
{
	if (limits->has_file_size)
		(void)setrlimit(RLIMIT_FSIZE, &limits->file_size);
	if (limits->has_files)
		(void)setrlimit(RLIMIT_NOFILE, &limits->files);
	limits->has_file_size = limits->has_files = false;
}

bool bg_limits_allow(off_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	       (rlim_t)size <= limit.rlim_cur;
}
