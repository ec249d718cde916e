/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source of names that does not answer, as a directory behind a dead network:
 * "hang" in nsswitch.conf. Bounded, so that nothing outlives the tests by much.
 */
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <unistd.h>

#define HANG_SECS 300

#define EXPORT __attribute__((visibility("default")))

static enum nss_status hang(int *errnop)
{
	(void)sleep(HANG_SECS);
	*errnop = 0;
	return NSS_STATUS_NOTFOUND;
}

EXPORT enum nss_status _nss_hang_getpwnam_r(
	const char *name, struct passwd *ret, char *buf, size_t len, int *errnop);
enum nss_status _nss_hang_getpwnam_r(
	const char *name, struct passwd *ret, char *buf, size_t len, int *errnop)
{
	(void)name, (void)ret, (void)buf, (void)len;
	return hang(errnop);
}

EXPORT enum nss_status _nss_hang_getpwuid_r(
	uid_t uid, struct passwd *ret, char *buf, size_t len, int *errnop);
enum nss_status _nss_hang_getpwuid_r(
	uid_t uid, struct passwd *ret, char *buf, size_t len, int *errnop)
{
	(void)uid, (void)ret, (void)buf, (void)len;
	return hang(errnop);
}

EXPORT enum nss_status _nss_hang_getspnam_r(
	const char *name, struct spwd *ret, char *buf, size_t len, int *errnop);
enum nss_status _nss_hang_getspnam_r(
	const char *name, struct spwd *ret, char *buf, size_t len, int *errnop)
{
	(void)name, (void)ret, (void)buf, (void)len;
	return hang(errnop);
}

EXPORT enum nss_status _nss_hang_getgrnam_r(
	const char *name, struct group *ret, char *buf, size_t len, int *errnop);
enum nss_status _nss_hang_getgrnam_r(
	const char *name, struct group *ret, char *buf, size_t len, int *errnop)
{
	(void)name, (void)ret, (void)buf, (void)len;
	return hang(errnop);
}

EXPORT enum nss_status _nss_hang_initgroups_dyn(const char *user, gid_t group, long *start,
	long *size, gid_t **groups, long limit, int *errnop);
enum nss_status _nss_hang_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
	gid_t **groups, long limit, int *errnop)
{
	(void)user, (void)group, (void)start, (void)size, (void)groups, (void)limit;
	return hang(errnop);
}
