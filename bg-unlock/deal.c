/* SPDX-License-Identifier: BSD-2-Clause */
#include "deal.h"
#include "bg-unlock.h"

#include <breakglass/os_file.h>
#include <breakglass/os_random.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

void bg_deal_time(unsigned int days, char ret[static 21])
{
	time_t t = time(NULL) + (time_t)days * 86400;
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	(void)strftime(ret, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static bool is_identifier_known(const struct bg_seal *seal, uint16_t identifier)
{
	for (size_t i = 0; i < seal->retired_count; i++)
		if (seal->retired[i].slip39_id == identifier)
			return true;
	return false;
}

/* So that a share's first words alone tell its epoch. */
static enum bg_err draw_identifier(struct bg_seal *seal)
{
	uint8_t b[2];

	do {
		if (bg_os_random(NULL, b, sizeof(b)) != 0)
			return BG_ERR_RANDOM;
		seal->slip39_id = (uint16_t)((b[0] & 0x7f) << 8 | b[1]);
	} while (is_identifier_known(seal, seal->slip39_id));
	return BG_OK;
}

static enum bg_err derive_custodian(struct bg_crypto *crypto, const struct bg_deal *deal,
	struct bg_custodian *custodian, size_t i)
{
	BG_WIPE(bg_secret_wipe) struct bg_secret seed = { 0 };
	enum bg_err err;

	custodian->index = deal->shares[i].member_index;
	err = bg_custodian_seed(crypto, &deal->shares[i].value, deal->seal.set_id, deal->seal.epoch,
		custodian->index, &seed);
	return err ? err : bg_ed25519_public(crypto, &seed, custodian->pub);
}

enum bg_err bg_deal_shares(struct bg_crypto *crypto, struct bg_deal *deal)
{
	struct bg_seal *seal = &deal->seal;
	struct bg_slip39_deal how = { 0 };
	enum bg_err err = draw_identifier(seal);

	if (err)
		return err;
	deal->secret.len = seal->strength / 8;
	if (bg_os_random(NULL, seal->set_id, sizeof(seal->set_id)) != 0 ||
		bg_os_random(NULL, deal->secret.bytes, deal->secret.len) != 0)
		return BG_ERR_RANDOM;
	how.threshold = seal->threshold;
	how.count = (uint8_t)seal->custodian_count;
	how.identifier = seal->slip39_id;
	err = bg_slip39_split(crypto, &how, &deal->secret, bg_os_random, NULL, deal->shares);
	for (size_t i = 0; !err && i < seal->custodian_count; i++)
		err = derive_custodian(crypto, deal, &seal->custodians[i], i);
	if (!err)
		err = bg_quorum_derive(
			crypto, &deal->secret, seal->set_id, seal->epoch, &deal->quorum);
	if (err)
		return err;
	memcpy(seal->quorum_pub, deal->quorum.sign_pub, sizeof(seal->quorum_pub));
	bg_age_recipient(deal->quorum.envelope_pub, seal->recipient);
	return BG_OK;
}

enum bg_err bg_deal_body(struct bg_deal *deal)
{
	return bg_seal_write_body(&deal->seal, deal->text, sizeof(deal->text), &deal->text_len);
}

static enum bg_err check_standings(
	struct bg_crypto *crypto, const struct bg_deal *deal, const struct bg_seal *read)
{
	for (size_t i = 0; i < deal->seal.custodian_count; i++) {
		BG_WIPE(bg_given_wipe) struct bg_given given = { .share = deal->shares[i] };
		struct bg_whose whose;
		enum bg_err err = bg_ask_whose(crypto, read, &given, &whose);

		if (err)
			return err;
		if (whose.standing != BG_SHARE_CURRENT || whose.custodian != i)
			return BG_ERR_NOT_A_SHARE;
	}
	return BG_OK;
}

enum bg_err bg_deal_seal(struct bg_crypto *crypto, struct bg_deal *deal, struct bg_diag *diag)
{
	static struct bg_seal read; /* no secret, and too big for the stack */
	enum bg_err err = bg_seal_sign(crypto, BG_CTX_SEAL, &deal->quorum.sign_seed, deal->text,
		deal->text_len, deal->seal.quorum_sig);

	if (!err)
		err = bg_seal_write_signature(
			&deal->seal, deal->text, sizeof(deal->text), &deal->text_len);
	if (!err)
		err = bg_seal_parse(
			crypto, deal->text, deal->text_len, "the new seal", &read, diag);
	return err ? err : check_standings(crypto, deal, &read);
}

/* breakglass.seal.2 -> breakglass.contacts */
static void contacts_path(const char *out, char *ret, size_t size)
{
	size_t stem = strlen(out);

	for (const char *p = strstr(out, ".seal"); p; p = strstr(p + 1, ".seal"))
		stem = (size_t)(p - out);
	(void)snprintf(ret, size, "%.*s.contacts", (int)stem, out);
}

/* Puts the changed numbers in place of those so far, which the old epoch's name keeps. */
static enum bg_err replace_contacts(
	const char *path, uint32_t epoch, const char *text, size_t len, struct bg_diag *diag)
{
	static char old[BG_INI_FILE_LEN + 1];
	char kept[4096];
	size_t old_len = 0;
	enum bg_err err = bg_file_read(
		path, BG_FILE_ANY_FOLDER | BG_FILE_ANY_OWNER, old, sizeof(old), &old_len, diag);

	if (!err && old_len == len && memcmp(old, text, len) == 0)
		return BG_OK;
	(void)snprintf(kept, sizeof(kept), "%.4000s.%u", path, (unsigned int)epoch);
	if (!err)
		err = bg_file_replace(
			kept, BG_FILE_ANY_FOLDER | BG_FILE_EXCLUSIVE, 0600, old, old_len, diag);
	if (!err)
		err = bg_file_replace(path, BG_FILE_ANY_FOLDER, 0600, text, len, diag);
	if (!err)
		(void)printf("Contacts    %s (those so far: %s)\n", path, kept);
	return err;
}

static int write_contacts(struct bg_deal *deal, const char *out)
{
	struct bg_diag diag = { 0 };
	char path[4096], text[4096];
	size_t len = 0;
	enum bg_err err;

	contacts_path(out, path, sizeof(path));
	err = bg_contacts_write(&deal->contacts, text, sizeof(text), &len);
	if (!err)
		err = bg_file_replace(
			path, BG_FILE_ANY_FOLDER | BG_FILE_EXCLUSIVE, 0600, text, len, &diag);
	if (!err)
		(void)printf("Contacts    %s\n", path);
	if (err == BG_ERR_DUPLICATE && deal->may_replace_contacts)
		err = replace_contacts(path, deal->seal.epoch - 1, text, len, &diag);
	else if (err == BG_ERR_DUPLICATE) {
		bg_note("%s: is there already and was left as it is", path);
		err = BG_OK;
	}
	return err ? bg_fail(err, &diag,
			     "the seal is good; only the telephone numbers were not written")
		   : BG_EXIT_DONE;
}

static void print_fingerprint(const uint8_t digest[static BG_SHA256_LEN])
{
	char hex[2 * BG_SHA256_LEN + 1];

	bg_hex_encode(digest, BG_SHA256_LEN, hex);
	for (size_t i = 0; i < 16; i++)
		(void)printf("%s%.4s",
			i == 0	 ? "Fingerprint "
			: i == 8 ? "\n            "
				 : " ",
			hex + 4 * i);
	(void)printf("\n");
}

static void print_sheet(
	const struct bg_deal *deal, const char *out, const uint8_t digest[static BG_SHA256_LEN])
{
	const struct bg_seal *seal = &deal->seal;
	char set[BG_SHORT_ID_LEN + 1];

	bg_short_id(seal->set_id, set);
	(void)printf("\nTHE CEREMONY'S SHEET (print it, or copy it by hand)\n\n");
	(void)printf("Account     %s, zone %s\n", seal->account, seal->zone);
	(void)printf("Set         %s epoch %u, %u of %zu, %u bit, dealt %s\n", set, seal->epoch,
		seal->threshold, seal->custodian_count, seal->strength, seal->created);
	for (size_t i = 0; i < seal->custodian_count; i++)
		(void)printf("Custodian   %s\n", seal->custodians[i].name);
	for (size_t i = 0; i < seal->key_count; i++)
		(void)printf("Key         %s, held by %s%s%s%s\n", seal->keys[i].name,
			seal->keys[i].holder, seal->keys[i].model[0] ? ": " : "",
			seal->keys[i].model, seal->keys[i].ssh[0] ? " (and its ssh key)" : "");
	(void)printf("Seal        %s\n", out);
	(void)printf("Recipient   %s\n", seal->recipient);
	print_fingerprint(digest);
}

/* What is to be done with it; the first custodian stands for all. */
static void print_next(const struct bg_deal *deal, const char *out)
{
	const struct bg_seal *seal = &deal->seal;

	(void)printf("\nNext, on each host of the zone (it asks for the fingerprint above%s):\n"
		     "  bg-unlock install %s%s\n",
		seal->epoch > 1 ? " if it\nhas no seal yet" : "", out,
		seal->epoch > 1 && !seal->predecessor_key[0] ? " --keys-lost" : "");
	if (seal->epoch > 1)
		(void)printf("Until then the old set opens there: keep its shares until every host "
			     "has this.\n");
	(void)printf("A page for each custodian's envelope, and one for beside the console:\n"
		     "  bg-unlock share sheet %s %s\n"
		     "  bg-unlock sheet %s\n",
		out, seal->custodians[0].name, out);
}

int bg_deal_write(struct bg_crypto *crypto, struct bg_deal *deal, const char *out)
{
	struct bg_diag diag = { 0 };
	uint8_t digest[BG_SHA256_LEN];
	enum bg_err err = bg_sha256(crypto, deal->text, deal->text_len, digest);
	int status = BG_EXIT_DONE;

	if (!err)
		err = bg_file_replace(out, BG_FILE_ANY_FOLDER | BG_FILE_EXCLUSIVE, 0600, deal->text,
			deal->text_len, &diag);
	if (err)
		return bg_fail(
			err, &diag, "no seal was written: destroy these shares, then begin anew");
	deal->is_written = true;
	print_sheet(deal, out, digest);
	if (deal->contacts.count)
		status = write_contacts(deal, out);
	print_next(deal, out);
	return status;
}
