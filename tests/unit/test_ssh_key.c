/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/ssh_key.h>

/* As ssh-keygen writes them (OpenSSH's PROTOCOL.u2f), application ssh:breakglass. */
static const char ed25519[] = "sk-ssh-ed25519@openssh.com "
			      "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIqI4910CfGV/"
			      "VLbLTy6XXLKZwm/HZQSG/N0iAG0D29cAAAADnNzaDpicmVha2dsYXNz";
static const char ecdsa[] =
	"sk-ecdsa-sha2-nistp256@openssh.com "
	"AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBI5TO2+"
	"gv3tGJbswZnwB+2B++fi4qA/"
	"vWzAGKHAxh7Kjc+sdveAzGDZtBp+DpvWQAFPHNjPLBBshxV4ahsH0ALQAAAAOc3NoOmJyZWFrZ2xhc3M=";

static void ssh_key_line_is_taken_without_its_comment(void **state)
{
	static const char *const ends[] = { "", "\n", " me@laptop\n", " a b\tc", "\r\n", " \n" };
	const char *const keys[] = { ed25519, ecdsa };

	(void)state;
	for (size_t i = 0; i < LEN(keys) * LEN(ends); i++) {
		const char *key = keys[i % LEN(keys)];
		char line[1024], got[BG_SSH_KEY_LEN] = "";

		snprintf(line, sizeof(line), "%s%s", key, ends[i / LEN(keys)]);
		assert_int_equal(bg_ssh_key_parse(line, strlen(line), got, NULL), BG_OK);
		assert_string_equal(got, key);
		assert_true(bg_ssh_key_is_good(got));
	}
}

static void ssh_key_nothing_but_the_whole_key_is_good(void **state)
{
	const char *const keys[] = { ed25519, ecdsa };

	(void)state;
	for (size_t k = 0; k < LEN(keys); k++) {
		char text[BG_SSH_KEY_LEN], got[BG_SSH_KEY_LEN] = "kept";
		size_t len = strlen(keys[k]);

		for (size_t i = 0; i < len; i++) {
			snprintf(text, sizeof(text), "%.*s", (int)i, keys[k]);
			assert_false(bg_ssh_key_is_good(text));
			assert_int_not_equal(bg_ssh_key_parse(text, i, got, NULL), BG_OK);
		}
		for (size_t i = 0; i < len; i++) { /* '=' is never right but at the end */
			snprintf(text, sizeof(text), "%s", keys[k]);
			text[i] = text[i] == '=' ? 'A' : '=';
			assert_false(bg_ssh_key_is_good(text));
		}
		snprintf(text, sizeof(text), "%s ", keys[k]);
		assert_false(bg_ssh_key_is_good(text));
		assert_string_equal(got, "kept");
	}
}

static void ssh_key_says_what_it_is_instead(void **state)
{
	static const struct {
		const char *line;
		enum bg_err err;
		const char *says;
	} rows[] = { { "ssh-ed25519 AAAA", BG_ERR_WRONG_KIND, "ordinary" },
		{ "ecdsa-sha2-nistp256 AAAA", BG_ERR_WRONG_KIND, "ordinary" },
		{ "sk-ssh-ed25519-cert-v01@openssh.com AAAA", BG_ERR_WRONG_KIND, "certificate" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n", BG_ERR_WRONG_KIND, "private" },
		{ "restrict sk-ssh-ed25519@openssh.com AAAA", BG_ERR_SYNTAX, "options" },
		{ "", BG_ERR_SYNTAX, "begin with" },
		{ "sk-ssh-ed25519@openssh.com", BG_ERR_SYNTAX, "no key" },
		{ "sk-ssh-ed25519@openssh.com AAAA", BG_ERR_SYNTAX, "damaged" },
		{ "sk-ssh-ed25519@openssh.com AAAA\nAAAA", BG_ERR_SYNTAX, "one line" } };

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char got[BG_SSH_KEY_LEN];
		struct bg_diag diag = { 0 };

		assert_int_equal(bg_ssh_key_parse(rows[i].line, strlen(rows[i].line), got, &diag),
			rows[i].err);
		assert_non_null(strstr(diag.what, rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_key_line_is_taken_without_its_comment),
		cmocka_unit_test(ssh_key_nothing_but_the_whole_key_is_good),
		cmocka_unit_test(ssh_key_says_what_it_is_instead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
