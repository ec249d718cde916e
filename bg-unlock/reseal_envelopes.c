/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `reseal --envelope`: what was sealed to the old set is sealed to the new one, beside it. The
 * content goes from one age to the other through a pipe: it is in no file, and not in our memory.
 */
#include "bg-unlock.h"
#include "envelope.h"
#include "load.h"
#include "pending.h"
#include "reseal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No secrets, and big for the locked memory. */
static struct bg_pending fresh[BG_ENVELOPES_MAX];
static int files[BG_ENVELOPES_MAX];

static void fresh_path(
	const struct bg_reseal *s, const char *path, char ret[static BG_PENDING_PATH_LEN])
{
	(void)snprintf(
		ret, BG_PENDING_PATH_LEN, "%.4000s.%u", path, (unsigned int)s->deal.seal.epoch);
}

int bg_reseal_envelopes_check(struct bg_reseal *s, const struct bg_reseal_options *o)
{
	char path[BG_PENDING_PATH_LEN];
	int status = BG_EXIT_DONE;

	for (size_t i = 0; !status && i < o->envelope_count; i++) {
		status = bg_envelope_take(o->envelopes[i], s->old.recipient, &files[i]);
		fresh_path(s, o->envelopes[i], path);
		if (!status)
			status = bg_load_absent(path);
	}
	return status;
}

/* Both ends of what goes from one to the other are closed here, or each would wait for ever. */
static enum bg_err start_both(struct bg_reseal *s, struct bg_age *opens, struct bg_age *seals,
	int from, int to, struct bg_diag *diag)
{
	int ends[2];
	enum bg_err err;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return BG_ERR_IO;
	err = bg_envelope_identity(&s->quorum.envelope, s->identity);
	if (!err)
		err = bg_age_decrypt(opens, s->identity, from, ends[1], diag);
	bg_wipe(s->identity, sizeof(s->identity));
	if (!err) {
		err = bg_age_encrypt(seals, s->deal.seal.recipient, ends[0], to, diag);
		if (err)
			(void)!bg_age_finish(opens, 0, NULL);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	return err;
}

/* One that cannot write lets the other one fail, which then has not the reason. */
static enum bg_err finish_both(struct bg_age *opens, struct bg_age *seals, struct bg_diag *diag)
{
	struct bg_diag why = { 0 };
	enum bg_err err = bg_age_finish(opens, BG_ENVELOPE_SECS, diag);

	if (bg_age_finish(seals, BG_ENVELOPE_SECS, &why) == BG_OK)
		return err;
	*diag = why;
	return BG_ERR_IO;
}

/* Is what was made one of the new set's? Only that is thrown away. */
static enum bg_err prove(struct bg_reseal *s, int fd, struct bg_diag *diag)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct bg_age age;
	enum bg_err err;

	if (null < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return BG_ERR_IO;
	err = bg_envelope_identity(&s->deal.quorum.envelope, s->identity);
	if (!err)
		err = bg_age_decrypt(&age, s->identity, fd, null, diag);
	bg_wipe(s->identity, sizeof(s->identity));
	if (!err)
		err = bg_age_finish(&age, BG_ENVELOPE_SECS, diag);
	(void)close(null);
	return err;
}

static int seal_anew(struct bg_reseal *s, const char *path, size_t i)
{
	char to[BG_PENDING_PATH_LEN];
	struct bg_age opens, seals;
	struct bg_diag diag = { 0 };
	enum bg_err err;

	fresh_path(s, path, to);
	err = bg_pending_open(&fresh[i], to, &diag);
	if (err)
		return bg_fail(err, &diag, "nothing was written; the old set stays in force");
	err = start_both(s, &opens, &seals, files[i], fresh[i].fd, &diag);
	if (!err)
		err = finish_both(&opens, &seals, &diag);
	if (!err)
		err = prove(s, fresh[i].fd, &diag);
	if (!err)
		return BG_EXIT_DONE;
	bg_note("nothing was written; the old set stays in force");
	return bg_envelope_fail(path, err, &diag);
}

/* By whom: those who gave a share. */
static void record(struct bg_crypto *crypto, const struct bg_reseal *s, const char *path)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2)], result[512];

	bg_seal_custodian_names(&s->old, s->is_counted, names, sizeof(names));
	(void)snprintf(result, sizeof(result), "by %s; sealed anew for epoch %u: %.120s", names,
		(unsigned int)s->deal.seal.epoch, path);
	(void)!bg_envelope_record(crypto, &s->old, names, result);
}

int bg_reseal_envelopes_make(struct bg_reseal *s, const struct bg_reseal_options *o)
{
	int status = BG_EXIT_DONE;

	for (size_t i = 0; !status && i < o->envelope_count; i++)
		status = seal_anew(s, o->envelopes[i], i);
	return status;
}

int bg_reseal_envelopes_keep(
	struct bg_crypto *crypto, const struct bg_reseal *s, const struct bg_reseal_options *o)
{
	int status = BG_EXIT_DONE;

	for (size_t i = 0; i < o->envelope_count; i++) {
		struct bg_diag diag = { 0 };
		enum bg_err err;

		record(crypto, s, o->envelopes[i]);
		err = bg_pending_keep(&fresh[i], &diag);
		if (err)
			status = bg_fail(err, &diag,
				"the seal is good, and the old envelope is there: open it with the "
				"old set, seal it to the new one");
		else
			(void)printf("Envelope    %s (so far %s: the old shares open that one for "
				     "ever)\n",
				fresh[i].path, o->envelopes[i]);
	}
	return status;
}

void bg_reseal_envelopes_drop(const struct bg_reseal_options *o)
{
	for (size_t i = 0; i < o->envelope_count; i++)
		bg_pending_drop(&fresh[i]);
}
