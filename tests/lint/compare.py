#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""RULES P09: what derives from a secret is compared by CRYPTO_memcmp (bg_equal) and by nothing else.

Every other comparison in a file that handles shares, keys or PINs stands in the table below with the
reason why what it compares is no secret. A new one is a question to whoever writes it.
"""
import re
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SECRET_FILES = """
	lib/core/gf256.c lib/core/words.c lib/core/slip39*.c lib/core/entry.c lib/core/code.c
	lib/core/keys.c lib/core/crypto.c lib/core/seal_share.c lib/core/tally.c lib/core/assertion.c
	lib/core/fido2.c lib/os/helper.c bg-fido2/main.c bg-fido2/assert.c
	pam_breakglass/conversation.c pam_breakglass/key.c pam_breakglass/reason.c
	pam_breakglass/quorum.c pam_breakglass/ticket.c
	bg-unlock/ask.c bg-unlock/confirm.c bg-unlock/deal.c bg-unlock/combine.c bg-unlock/share.c
	lib/os/age.c bg-unlock/envelope.c bg-unlock/combine_open.c
	bg-unlock/combine_plain.c bg-unlock/combine_sealed.c bg-unlock/respond.c
	bg-unlock/approve.c bg-unlock/ask_code.c bg-unlock/show_request.c bg-unlock/revoke_code.c
	bg-unlock/init.c bg-unlock/reseal*.c bg-unlock/enrol.c bg-unlock/fido2_ask.c bg-unlock/touch.c
	bg-unlock/secrets.c bg-unlock/tty.c
""".split()
ALLOWED = {
	"lib/core/entry.c": {"memcmp(c->p, special[i].bytes, len)": "a separator, of which there are few"},
	"lib/core/code.c": {"memcmp(body, line->body, BG_CODE_LINE_BODY_LEN)": "a line of a public code"},
	"lib/core/seal_share.c": {"strcmp(seal->keys[i].name, name)": "names",
		"strcmp(seal->custodians[i].name, name)": "names"},
	"pam_breakglass/conversation.c": {
		"strncasecmp(answer->text, word, answer->len)": "against ?, new, quit, of the same length"},
	"pam_breakglass/reason.c": {
		"strcmp(attempt->record.request.reason, MISSING)": "what is shown and recorded"},
	"pam_breakglass/key.c": {'strcmp(attempt->vault->answer.text, "yes")': "a typed yes"},
	"bg-unlock/ask.c": {'strcmp(name, "share")': "a name",
		'strcmp(ask->text, "?")': "the wish for help",
		'strcasecmp(ask->text, "help")': "the same", "strcmp(ask->text, ask->again)": "a typed word"},
	"bg-unlock/ask_code.c": {'strcmp(ask->text, "?")': "the wish for help",
		'strcasecmp(ask->text, "help")': "the same"},
	"bg-unlock/show_request.c": {'strcmp(line, "yes")': "a typed yes",
		"strcmp(request->account, seal->account)": "names",
		"strcmp(request->holder, seal->keys[key].holder)": "names"},
	"bg-unlock/deal.c": {"memcmp(old, text, len)": "telephone numbers"},
	"bg-unlock/reseal.c": {'strcmp(s->ask.text, "yes")': "a typed yes"},
	"bg-unlock/revoke_code.c": {
		"memcmp(digest, s->refusal.tag, BG_TAG_LEN)": "a request's digest, in every record",
		"memcmp(s->found[i].digest, digest, BG_SHA256_LEN)": "the same"},
	"lib/os/age.c": {"strncmp(head, heads[i], strlen(heads[i]))": "a file's first line"},
	"bg-unlock/combine_open.c": {'strcmp(s->ask.text, "yes")': "a typed yes"},
	"bg-unlock/combine.c": {'strcmp(s->ask.text, "yes")': "a typed yes"},
	"bg-fido2/assert.c": {"strcmp(name, user_name)": "an account's name"},
	"bg-unlock/touch.c": {'strcmp(s->ask.text, "yes")': "a typed yes",
		"strcmp(seal.account, touch->account)": "names", "strcmp(seal.zone, challenge->zone)": "names",
		"memcmp(seal.digest, touch->seal_digest, BG_SHA256_LEN)": "a file's digest, in every challenge"},
	"bg-unlock/share.c": {f'strcmp({what})': "an argument" for what in (
		'argv[0], "verify"', 'argv[0], "convert"', 'argv[1], "--help"', 'argv[1], "-h"',
		'argv[1], "verify"', 'argv[1], "convert"', 'argv[1], "sheet"')},
}
CALL = re.compile(r"\b(?:mem|str|strn|strcase|strncase|b)cmp\((?:[^()]|\([^()]*\))*\)")


def comparisons(path):
	text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
	return [re.sub(r"\s+", " ", found) for found in CALL.findall(text)]


class Compare(unittest.TestCase):
	def test_P09_only_crypto_memcmp_sees_what_derives_from_a_secret(self):
		for pattern in SECRET_FILES:
			for path in sorted(TOP.glob(pattern)):
				name = str(path.relative_to(TOP))
				for call in comparisons(path):
					if call in ALLOWED.get(name, {}):
						continue
					self.fail(f"{name}: {call}: bg_equal, or a row in this file")

	def test_P09_bg_equal_is_crypto_memcmp(self):
		body = (TOP / "lib/core/crypto.c").read_text().split("bool bg_equal", 1)[1].split("}", 1)[0]
		self.assertRegex(body, r"CRYPTO_memcmp\(a, b, len\) == 0")

	def test_P09_keys_from_shares_and_PINs_are_compared_by_it(self):
		for name in ("lib/core/seal_share.c", "pam_breakglass/key.c"):
			self.assertIn("bg_equal(", (TOP / name).read_text(), name)

	def test_rows_are_needed(self):
		for name, rows in ALLOWED.items():
			calls = comparisons(TOP / name)
			for row in rows:
				self.assertIn(row, calls, f"{name}: nothing compares like this any more")


if __name__ == "__main__":
	sys.exit(unittest.main())
