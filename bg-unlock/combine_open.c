/* SPDX-License-Identifier: BSD-2-Clause */
/* `combine --open`: the quorum opens an envelope. Nobody gets any of it before it is whole, and on
   a protected host before it is on record. */
#include "bg-unlock.h"
#include "combine.h"
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int bg_combine_open_begin(struct bg_combine *s, const struct bg_combine_options *o)
{
	int status;

	s->envelope = -1;
	if (!o->out && o->is_stdin && isatty(STDOUT_FILENO)) {
		bg_error("what is in the envelope would be shown unasked");
		bg_hint("name a file for it with --output FILE");
		return BG_EXIT_USAGE;
	}
	status = bg_envelope_take(o->envelope, s->seal.recipient, &s->envelope);
	if (!status && o->out)
		status = bg_load_absent(o->out);
	return status;
}

static enum bg_err decrypt(
	struct bg_combine *s, const struct bg_quorum *quorum, int out, struct bg_diag *diag)
{
	struct bg_age age;
	enum bg_err err = bg_envelope_identity(&quorum->envelope, s->identity), end;

	if (!err)
		err = bg_age_decrypt(&age, s->identity, s->envelope, out, diag);
	bg_wipe(s->identity, sizeof(s->identity));
	if (err)
		return err;
	if (out < 0)
		err = bg_age_collect(&age, s->plain, sizeof(s->plain), &s->plain_len, diag);
	/* age's own reason first: of a damaged file the beginning was good */
	end = bg_age_finish(&age, err ? 0 : BG_ENVELOPE_SECS, err ? NULL : diag);
	if (!err)
		err = end;
	if (err)
		bg_wipe(s->plain, sizeof(s->plain));
	return err;
}

static void tell(struct bg_crypto *crypto, const struct bg_combine *s,
	const struct bg_combine_options *o, enum bg_err err)
{
	char names[BG_CUSTODIANS_MAX * (BG_NAME_LEN + 2)], result[512];

	bg_seal_custodian_names(&s->seal, s->is_counted, names, sizeof(names));
	(void)snprintf(result, sizeof(result), "by %s%s: %.120s", names,
		err ? "; but it did not open" : "", o->envelope);
	if (!bg_envelope_record(crypto, &s->seal, names, result))
		bg_note("this is not recorded: the log is only kept by root on a protected host");
	bg_note("this machine has now seen the shares of %s: reseal", names);
}

static bool is_text(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)p[i] < ' ' && p[i] != '\n' && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return true;
}

static int show(struct bg_combine *s)
{
	size_t len = 0;

	if (!isatty(STDOUT_FILENO))
		return bg_combine_write(s->plain, s->plain_len);
	if (!is_text(s->plain, s->plain_len)) {
		bg_error("what is in it is not text, and not for a terminal");
		bg_hint("name a file for it with --output FILE");
		return BG_EXIT_NO;
	}
	bg_tty_say(&s->tty, "What is in it is about to be shown (%zu bytes).\n", s->plain_len);
	if (bg_tty_ask(&s->tty, true, "Type yes to show it:", s->ask.text, &len) ||
		strcmp(s->ask.text, "yes") != 0) {
		bg_note("not shown");
		return BG_EXIT_NO;
	}
	return bg_combine_write(s->plain, s->plain_len);
}

int bg_combine_open(struct bg_crypto *crypto, struct bg_combine *s,
	const struct bg_combine_options *o, const struct bg_quorum *quorum)
{
	static struct bg_pending out; /* no secret, and big for the stack */
	struct bg_diag diag = { 0 };
	enum bg_err err = BG_OK;
	int status;

	if (o->out)
		err = bg_pending_open(&out, o->out, &diag);
	if (err)
		return bg_fail(err, &diag, NULL);
	err = decrypt(s, quorum, o->out ? out.fd : -1, &diag);
	tell(crypto, s, o, err);
	if (err)
		bg_pending_drop(&out);
	if (err == BG_ERR_TOO_BIG) {
		bg_error("%s: holds more than %zu bytes", o->envelope, sizeof(s->plain));
		bg_hint("name a file for it with --output FILE");
		return BG_EXIT_NO;
	}
	if (err)
		return bg_envelope_fail(o->envelope, err, &diag);
	if (!o->out) {
		status = show(s);
		bg_wipe(s->plain, sizeof(s->plain));
		return status;
	}
	err = bg_pending_keep(&out, &diag);
	if (err)
		return bg_fail(err, &diag, "give the shares again, and another --output");
	bg_note("%s is opened: %s, mode 0600", o->envelope, o->out);
	return BG_EXIT_DONE;
}
