/* SPDX-License-Identifier: BSD-2-Clause */
/* Names are asked for by getent(1): a source that hangs, crashes or prints hangs, crashes or prints
   there. */
#include <breakglass/os_helper.h>
#include <breakglass/os_ways.h>
#include <breakglass/sources.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GETENT	   "/usr/bin/getent"
#define NOT_FOUND  2 /* getent(1) */
#define NAMES_SECS 3

enum bg_err bg_names_ask(const char *database, const char *name, const char *source,
	unsigned int secs, char *out, size_t out_size)
{
	const char *const all[] = { GETENT, database, name, NULL };
	const char *const one[] = { GETENT, "-s", source, database, name, NULL };
	int status = 0;
	enum bg_err err = bg_program_run(
		source[0] != '\0' ? one : all, NULL, secs, out, out_size, &status, NULL);

	if (err == BG_OK && status == NOT_FOUND)
		return BG_ERR_NOENT;
	if (err == BG_ERR_NOENT || (err == BG_OK && status != 0))
		return BG_ERR_HELPER; /* no getent, or one that did not understand */
	return err;
}

/* What the answer says of the source, not of the name. One that could not be asked (no process may
   be left for it, which a user can bring about) is not taken for broken. */
static enum bg_way_state state_of(enum bg_err err)
{
	if (err == BG_OK || err == BG_ERR_NOENT)
		return BG_WAY_GOOD;
	return err == BG_ERR_TIMEOUT ? BG_WAY_BAD : BG_WAY_UNKNOWN;
}

/* Each other source by itself too: an account of the files is never looked up there. */
static enum bg_way_state ask_other(
	const char *nsswitch, const char *database, const char *name, bool *ret_is_any)
{
	char sources[BG_SOURCES_LEN], other[BG_SOURCE_LEN], out[512];

	bg_sources_find(nsswitch, database, sources);
	if (!bg_sources_first(sources, false, other))
		return BG_WAY_GOOD;
	*ret_is_any = true;
	return state_of(bg_names_ask(database, name, other, NAMES_SECS, out, sizeof(out)));
}

enum bg_way_state bg_way_names(const char *nsswitch, const char *name, bool is_ours)
{
	bool has_other = false;
	char out[512];
	enum bg_way_state state =
		state_of(bg_names_ask("initgroups", name, "", NAMES_SECS, out, sizeof(out)));
	enum bg_err err;

	if (state != BG_WAY_GOOD)
		return state;
	state = ask_other(nsswitch, "passwd", name, &has_other);
	if (state != BG_WAY_GOOD)
		return state;
	err = bg_names_ask("passwd", name, "", NAMES_SECS, out, sizeof(out));
	/* where only files are asked it was deleted since: that is nothing that broke */
	if (err == BG_ERR_NOENT && is_ours && has_other)
		return BG_WAY_BAD;
	return state_of(err);
}

/* What sources are known to need, if they are set up at all: libnss-sss alone, say, is no way in.
 */
static const struct {
	const char *source, *config, *socket;
} services[] = {
	{ "sss", "/etc/sssd/sssd.conf", "/var/lib/sss/pipes/nss" },
	{ "winbind", "/etc/samba/smb.conf", "/run/samba/winbindd/pipe" },
	{ "ldap", "/etc/nslcd.conf", "/run/nslcd/socket" },
	{ "himmelblau", "/etc/himmelblau/himmelblau.conf", "/run/himmelblaud/socket" },
};

static bool does_listen(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool is_there;

	if (fd < 0)
		return true; /* ours to blame */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	/* EAGAIN: somebody is there, and busy (unix(7)) */
	is_there = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
		   errno == EAGAIN;
	(void)close(fd);
	return is_there;
}

static bool is_named(const char *nsswitch, const char *source)
{
	static const char *const databases[] = { "passwd", "group", "initgroups" };
	char sources[BG_SOURCES_LEN], *rest, *word;

	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		bg_sources_find(nsswitch, databases[i], sources);
		rest = sources;
		while ((word = strsep(&rest, " \t")) != NULL)
			if (strcmp(word, source) == 0)
				return true;
	}
	return false;
}

enum bg_way_state bg_way_directory(const char *nsswitch)
{
	enum bg_way_state state = BG_WAY_NONE;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (!is_named(nsswitch, services[i].source) ||
			access(services[i].config, F_OK) != 0)
			continue;
		if (!does_listen(services[i].socket))
			return BG_WAY_BAD;
		state = BG_WAY_GOOD;
	}
	return state;
}
