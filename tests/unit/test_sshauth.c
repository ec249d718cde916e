/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/sshauth.h>

#define ED "sk-ssh-ed25519@openssh.com "
#define EC "sk-ecdsa-sha2-nistp256@openssh.com "
#define ED_BLOB                                                                                    \
	"AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"         \
	"BwcHBwcHAAAABXNzaDp4"
#define EC_BLOB                                                                                    \
	"AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBAkJCQkJ"         \
	"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkA"         \
	"AAAFc3NoOng="
#define PLAIN "publickey " ED ED_BLOB "\n"

static enum bg_err parse(const char *text, size_t len, char *ret)
{
	char *copy = malloc(len > 0 ? len : 1); /* exactly so long: reading on is seen */
	struct bg_diag diag = { 0 };
	enum bg_err err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = bg_sshauth_parse(copy, len, ret, &diag);
	free(copy);
	assert_true((err == BG_OK) == (diag.what[0] == '\0'));
	return err;
}

static void sshauth_gives_the_key_of_the_one_line(void **state)
{
	static const char *const rows[] = { ED ED_BLOB, EC EC_BLOB };
	char text[BG_SSH_KEY_LEN + 32], ret[BG_SSH_KEY_LEN];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		(void)snprintf(text, sizeof(text), "publickey %s\n", rows[i]);
		assert_int_equal(parse(text, strlen(text), ret), BG_OK);
		assert_string_equal(ret, rows[i]);
	}
}

static void sshauth_anything_else_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum bg_err err;
	} rows[] = {
		{ "", BG_ERR_SYNTAX },
		{ "\n", BG_ERR_WRONG_KIND },
		{ "publickey " ED ED_BLOB, BG_ERR_SYNTAX },
		{ PLAIN "\n", BG_ERR_SYNTAX },
		{ PLAIN PLAIN, BG_ERR_SYNTAX },
		{ PLAIN "password\n", BG_ERR_SYNTAX },
		{ "password\n" PLAIN, BG_ERR_SYNTAX },
		{ "password\n", BG_ERR_WRONG_KIND },
		{ "hostbased " ED ED_BLOB "\n", BG_ERR_WRONG_KIND },
		{ " " PLAIN, BG_ERR_WRONG_KIND },
		{ "publickey\t" ED ED_BLOB "\n", BG_ERR_WRONG_KIND },
		{ "publickey ssh-ed25519 " ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey sk-ssh-ed25519-cert-v01@openssh.com " ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey webauthn-sk-ecdsa-sha2-nistp256@openssh.com " EC_BLOB "\n",
			BG_ERR_SYNTAX },
		{ "publickey " ED EC_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey " EC ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey  " ED ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey sk-ssh-ed25519@openssh.com\t" ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey " ED " " ED_BLOB "\n", BG_ERR_SYNTAX },
		{ "publickey " ED ED_BLOB " \n", BG_ERR_SYNTAX },
		{ "publickey " ED ED_BLOB "\r\n", BG_ERR_SYNTAX },
		{ "publickey " ED ED_BLOB " me@here\n", BG_ERR_SYNTAX },
		{ "publickey " ED ED_BLOB "=\n", BG_ERR_SYNTAX },
		{ "publickey " ED "\n", BG_ERR_SYNTAX },
		{ "publickey " ED "AAAA\n", BG_ERR_SYNTAX },
		{ "publickey \n", BG_ERR_SYNTAX },
	};
	char text[2 * BG_SSH_KEY_LEN], ret[BG_SSH_KEY_LEN] = "as it was";

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		assert_int_equal(parse(rows[i].text, strlen(rows[i].text), ret), rows[i].err);
		assert_string_equal(ret, "as it was");
	}
	assert_int_equal(parse(PLAIN "\0", strlen(PLAIN) + 1, ret), BG_ERR_SYNTAX);
	assert_int_equal(parse(PLAIN "\0\n", strlen(PLAIN) + 2, ret), BG_ERR_SYNTAX);
	memset(text, 'A', sizeof(text));
	memcpy(text, "publickey ", strlen("publickey "));
	text[sizeof(text) - 1] = '\n';
	for (size_t cut = 0; cut < sizeof(text) - 20; cut++) {
		text[sizeof(text) - 1 - cut] = '\n';
		assert_int_equal(parse(text, sizeof(text) - cut, ret), BG_ERR_SYNTAX);
		text[sizeof(text) - 1 - cut] = 'A';
	}
}

static void sshauth_every_truncation_is_refused(void **state)
{
	char ret[BG_SSH_KEY_LEN];

	(void)state;
	for (size_t len = 0; len < strlen(PLAIN); len++)
		assert_int_not_equal(parse(PLAIN, len, ret), BG_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sshauth_gives_the_key_of_the_one_line),
		cmocka_unit_test(sshauth_anything_else_is_refused),
		cmocka_unit_test(sshauth_every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
