/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"
#include "bg-unlock.h"

#include <breakglass/ini.h>
#include <breakglass/os_file.h>
#include <breakglass/paths.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Not a secret's buffer: seals, contacts and configuration hold none. */
static char file[BG_INI_FILE_LEN + 1];

static enum bg_err read_argument(const char *path, size_t *ret_len, struct bg_diag *diag)
{
	return bg_file_read(
		path, BG_FILE_ANY_FOLDER | BG_FILE_ANY_OWNER, file, sizeof(file), ret_len, diag);
}

struct bg_crypto *bg_load_crypto(void)
{
	struct bg_crypto *crypto = bg_crypto_open();

	if (!crypto)
		(void)bg_fail(BG_ERR_CRYPTO, NULL, "is libssl3 whole? dpkg -V libssl3");
	return crypto;
}

int bg_load_seal(struct bg_crypto *crypto, const char *path, struct bg_seal *ret)
{
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err = read_argument(path, &len, &diag);

	if (err)
		return bg_fail(err, &diag, err == BG_ERR_NOENT ? "name the seal's file" : NULL);
	err = bg_seal_parse(crypto, file, len, path, ret, &diag);
	if (err)
		return bg_fail(err, &diag,
			"a seal is used exactly as the ceremony wrote it: get it again");
	return BG_EXIT_DONE;
}

/* "db/breakglass.seal.3" -> "db/breakglass.contacts"; false: no such name. */
static bool contacts_path(const char *seal_path, char *ret, size_t size)
{
	const char *name = strrchr(seal_path, '/');
	const char *end = NULL;
	int n;

	name = name ? name + 1 : seal_path;
	for (const char *p = strstr(name, ".seal"); p; p = strstr(p + 1, ".seal"))
		end = p;
	if (!end)
		return false;
	n = snprintf(ret, size, "%.*s.contacts", (int)(end - seal_path), seal_path);
	return n > 0 && (size_t)n < size;
}

int bg_load_contacts(const char *path, const char *seal_path, struct bg_contacts *ret)
{
	struct bg_diag diag = { 0 };
	char beside[4096];
	size_t len = 0;
	enum bg_err err;

	*ret = (struct bg_contacts){ 0 };
	if (!path && !contacts_path(seal_path, beside, sizeof(beside)))
		return BG_EXIT_DONE;
	err = read_argument(path ? path : beside, &len, &diag);
	if (err == BG_ERR_NOENT && !path)
		return BG_EXIT_DONE;
	if (!err)
		err = bg_contacts_parse(file, len, path ? path : beside, ret, &diag);
	if (err)
		return bg_fail(err, &diag,
			"correct the contacts file; it is not signed and may be edited");
	return BG_EXIT_DONE;
}

int bg_load_passphrase(const char *path, char *ret, size_t size)
{
	struct bg_diag diag = { 0 };
	size_t len = 0;
	enum bg_err err = bg_file_read(path, BG_FILE_ANY_FOLDER, ret, size, &len, &diag);

	if (err)
		return bg_fail(err, &diag, NULL);
	if (len && ret[len - 1] == '\n')
		ret[--len] = '\0';
	if (strlen(ret) != len) {
		bg_error("%s: the passphrase holds a NUL", path);
		bg_hint("a passphrase is one line of printable ASCII");
		return BG_EXIT_USAGE;
	}
	return BG_EXIT_DONE;
}

void bg_load_device(char *ret, size_t size)
{
	static struct bg_conf conf;
	size_t len = 0;

	bg_conf_defaults(&conf);
	if (bg_file_read(BG_PATH_CONF, 0, file, sizeof(file), &len, NULL) == BG_OK)
		bg_conf_parse(file, len, BG_PATH_CONF, &conf);
	(void)snprintf(ret, size, "%s", conf.device);
}

int bg_load_absent(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0 && errno == ENOENT)
		return BG_EXIT_DONE;
	bg_error("%s: is there already, and is never overwritten", path);
	bg_hint("move it away, or name another file");
	return BG_EXIT_USAGE;
}
