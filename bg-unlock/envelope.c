/* SPDX-License-Identifier: BSD-2-Clause */
#include "envelope.h"
#include "bg-unlock.h"
#include "exposure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_age(void)
{
	bg_error("age is not installed here, and it opens envelopes");
	bg_hint("apt install age; or take the envelope to a machine that has it");
	return BG_EXIT_MACHINE;
}

int bg_envelope_take(const char *path, const char *recipient, int *ret_fd)
{
	struct stat st;
	int fd;

	if (!bg_age_is_there())
		return no_age();
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		bg_error("%s: cannot be read (%s)", path, strerror(errno));
		bg_hint("name the envelope's file");
	} else if (!S_ISREG(st.st_mode)) {
		bg_error("%s: is no file", path);
		bg_hint("name the envelope's file");
	} else if (!bg_age_is_file(fd)) {
		bg_error("%s: is no envelope: it does not begin as age's files do", path);
		bg_hint("one for this set is made by: age -r %s -o FILE.age FILE", recipient);
		(void)close(fd);
		return BG_EXIT_USAGE;
	} else {
		*ret_fd = fd;
		return BG_EXIT_DONE;
	}
	if (fd >= 0)
		(void)close(fd);
	return BG_EXIT_MACHINE;
}

enum bg_err bg_envelope_identity(const struct bg_secret *envelope, char *ret)
{
	enum bg_err err = bg_age_identity(envelope, ret);

	ret[BG_AGE_IDENTITY_LEN] = '\n';
	ret[BG_AGE_IDENTITY_LEN + 1] = '\0';
	return err;
}

int bg_envelope_fail(const char *path, enum bg_err err, const struct bg_diag *diag)
{
	switch ((unsigned int)err) {
	case BG_ERR_OTHER_SET:
		bg_error("%s: is not sealed to this set", path);
		bg_hint("it opens with the shares and the seal that it was made for: of another "
			"epoch, or another zone");
		return BG_EXIT_NO;
	case BG_ERR_SYNTAX:
		bg_error("%s: damaged; age says: %s", path, diag->what);
		bg_hint("take another copy of it");
		return BG_EXIT_USAGE;
	case BG_ERR_NOENT:
		return no_age();
	default:
		return bg_fail(err, diag, NULL);
	}
}

bool bg_envelope_record(struct bg_crypto *crypto, const struct bg_seal *seal,
	const char *custodians, const char *result)
{
	return bg_exposure_event(crypto, BG_EV_ENVELOPE_OPENED, seal, custodians, result);
}
