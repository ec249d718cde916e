/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors: FIPS 180-4, RFC 4231, RFC 5869, RFC 7748, RFC 8032; PBKDF2: as Python's hashlib. */
#include "unit.h"

#include <breakglass/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
	*state = bg_crypto_open();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	bg_crypto_close(*state);
	return 0;
}

static void assert_hex(const uint8_t *got, const char *want, size_t len)
{
	uint8_t b[64];

	assert_int_equal(strlen(want), 2 * len);
	hex(want, b, len);
	assert_memory_equal(got, b, len);
}

static void crypto_hash_and_mac_vectors(void **state)
{
	uint8_t out[32];

	assert_int_equal(bg_sha256(*state, "abc", 3, out), BG_OK);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 32);
	assert_int_equal(bg_sha256(*state, NULL, 0, out), BG_OK);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 32);
	assert_int_equal(
		bg_hmac_sha256(*state, "Jefe", 4, "what do ya want for nothing?", 28, out), BG_OK);
	assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 32);
}

static void crypto_derivation_vectors(void **state)
{
	uint8_t ikm[22], salt[13], info[10], out[64];

	assert_int_equal(bg_pbkdf2_sha256(*state, "password", 8, "salt", 4, 4096, out, 40), BG_OK);
	assert_hex(out,
		"c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134af7ad98c1b458ce3f",
		40);
	assert_int_equal(bg_pbkdf2_sha256(*state, NULL, 0, "salt", 4, 1, out, 20), BG_OK);
	assert_hex(out, "f135c27993baf98773c5cdb40a5706ce6a345cde", 20);
	assert_int_equal(bg_pbkdf2_sha256(*state, "a", 1, "salt", 4, 0, out, 20), BG_ERR_ARGUMENT);
	memset(ikm, 0x0b, sizeof(ikm));
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	assert_int_equal(bg_hkdf_sha256(*state, ikm, 22, salt, 13, info, 10, out, 42), BG_OK);
	assert_hex(out,
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b8871858"
		"65",
		42);
	assert_int_equal(bg_hkdf_sha256(*state, ikm, 22, NULL, 0, NULL, 0, out, 42), BG_OK);
	assert_hex(out,
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96"
		"c8",
		42);
	assert_int_equal(
		bg_hkdf_sha256(*state, ikm, 22, NULL, 0, NULL, 0, out, 65), BG_ERR_ARGUMENT);
}

static void crypto_ed25519_vectors(void **state)
{
	struct bg_secret seed = { .len = 32 };
	uint8_t pub[32], sig[64];

	hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed.bytes, 32);
	assert_int_equal(bg_ed25519_public(*state, &seed, pub), BG_OK);
	assert_hex(pub, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", 32);
	assert_int_equal(bg_ed25519_sign(*state, &seed, "\x72", 1, sig), BG_OK);
	assert_hex(sig,
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		64);
	assert_int_equal(bg_ed25519_verify(*state, pub, "\x72", 1, sig), BG_OK);
	assert_int_equal(bg_ed25519_verify(*state, pub, "\x73", 1, sig), BG_ERR_SIGNATURE);
	assert_int_equal(bg_ed25519_verify(*state, pub, "", 0, sig), BG_ERR_SIGNATURE);
	for (size_t bit = 0; bit < 64 * 8; bit++) {
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(bg_ed25519_verify(*state, pub, "\x72", 1, sig), BG_ERR_SIGNATURE);
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	pub[3] ^= 1;
	assert_int_equal(bg_ed25519_verify(*state, pub, "\x72", 1, sig), BG_ERR_SIGNATURE);
	memset(pub, 0xff, sizeof(pub));
	assert_int_equal(bg_ed25519_verify(*state, pub, "\x72", 1, sig), BG_ERR_SIGNATURE);
	seed.len = 16;
	assert_int_equal(bg_ed25519_public(*state, &seed, pub), BG_ERR_ARGUMENT);
	assert_int_equal(bg_ed25519_sign(*state, &seed, "", 0, sig), BG_ERR_ARGUMENT);
}

static void crypto_x25519_vector(void **state)
{
	/* RFC 7748 section 5.2, first iteration: scalar 9, base point 9 */
	struct bg_secret scalar = { .bytes = { 9 }, .len = 32 };
	uint8_t pub[32];

	assert_int_equal(bg_x25519_public(*state, &scalar, pub), BG_OK);
	assert_hex(pub, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", 32);
}

static void crypto_es256_verifies_only_the_signature(void **state)
{
	uint8_t pub[65], sig[72];

	hex("049fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934"
	    "07cb45769f1070e2c2470fe5b1bfe63133c0b0cdc64ea4bf3791a8ec2a07fd4f",
		pub, 65);
	hex("3046022100ff7506b2b213c53109f0d92c544540b7b027dd75e7cd10b798bd054362efe9d5"
	    "022100f75b29516a6ebd2dc389590253638e24f17345af83eaba357b59b6761adfd2ae",
		sig, 72);
	assert_int_equal(bg_es256_verify(*state, pub, "message", 7, sig, 72), BG_OK);
	assert_int_equal(bg_es256_verify(*state, pub, "massage", 7, sig, 72), BG_ERR_SIGNATURE);
	for (size_t cut = 0; cut < 72; cut++)
		assert_int_equal(
			bg_es256_verify(*state, pub, "message", 7, sig, cut), BG_ERR_SIGNATURE);
	for (size_t bit = 0; bit < 72 * 8; bit++) {
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
			bg_es256_verify(*state, pub, "message", 7, sig, 72), BG_ERR_SIGNATURE);
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	pub[64] ^= 1; /* not on the curve */
	assert_int_equal(bg_es256_verify(*state, pub, "message", 7, sig, 72), BG_ERR_SIGNATURE);
	pub[64] ^= 1;
	pub[0] = 2;
	assert_int_equal(bg_es256_verify(*state, pub, "message", 7, sig, 72), BG_ERR_SIGNATURE);
}

static void crypto_hosts_error_queue_is_left_as_it_was(void **state)
{
	uint8_t pub[65] = { 4 }, sig[64] = { 0 };

	ERR_clear_error();
	assert_int_equal(bg_es256_verify(*state, pub, "", 0, sig, 64), BG_ERR_SIGNATURE);
	assert_int_equal(bg_ed25519_verify(*state, pub, "", 0, sig), BG_ERR_SIGNATURE);
	assert_true(ERR_peek_error() == 0);
	ERR_raise(ERR_LIB_USER, 7);
	assert_int_equal(bg_es256_verify(*state, pub, "", 0, sig, 64), BG_ERR_SIGNATURE);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_true(ERR_peek_error() == 0);
}

static void crypto_equal_compares_all_bytes(void **state)
{
	(void)state;
	assert_true(bg_equal("abc", "abc", 3));
	assert_false(bg_equal("abc", "abd", 3));
	assert_false(bg_equal("xbc", "abc", 3));
	assert_true(bg_equal("abc", "abd", 2));
	assert_true(bg_equal("", "x", 0));
}

static const char *self_path;

/* Everything once, in a process of its own: 0 if libcrypto still gives SHA-256 and the rest. */
static int use_everything(void)
{
	BG_WIPE(bg_crypto_cleanup) struct bg_crypto *crypto = bg_crypto_open();
	struct bg_secret seed = { .bytes = { 1 }, .len = 32 };
	uint8_t out[32], sig[64], pub[32];
	static const uint8_t want[] = { 0xba, 0x78, 0x16, 0xbf };

	if (!crypto || bg_sha256(crypto, "abc", 3, out) || memcmp(out, want, 4))
		return 1;
	if (bg_hmac_sha256(crypto, "k", 1, "m", 1, out) ||
		bg_pbkdf2_sha256(crypto, "p", 1, "s", 1, 2, out, 32) ||
		bg_hkdf_sha256(crypto, "p", 1, "s", 1, "i", 1, out, 32))
		return 2;
	if (bg_ed25519_public(crypto, &seed, pub) || bg_ed25519_sign(crypto, &seed, "m", 1, sig) ||
		bg_ed25519_verify(crypto, pub, "m", 1, sig) || bg_x25519_public(crypto, &seed, out))
		return 3;
	return 0;
}

/* The same environment decides over the default context: the test can fail. */
static int default_context_is_ruined(void)
{
	return EVP_MD_fetch(NULL, "SHA256", NULL) ? 1 : 0;
}

static int run_under(const char *conf, const char *self, const char *what)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		setenv("OPENSSL_CONF", conf, 1);
		setenv("OPENSSL_MODULES", "/nonexistent", 1);
		setenv("OPENSSL_ENGINES", "/nonexistent", 1);
		execl(self, self, what, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void crypto_P06_environment_does_not_decide_what_sha256_is(void **state)
{
	static const char conf[] = "openssl_conf = all\n[all]\nalg_section = algorithms\n"
				   "providers = providers\n[algorithms]\n"
				   "default_properties = nonsense=yes\n"
				   "[providers]\nnull = null\n[null]\nactivate = 1\n";
	char path[] = "/tmp/bg-openssl-XXXXXX";
	int fd = mkstemp(path), plain, ruined, ours;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, conf, sizeof(conf) - 1), sizeof(conf) - 1);
	close(fd);
	plain = run_under("/nonexistent", self_path, "default");
	ruined = run_under(path, self_path, "default");
	ours = run_under(path, self_path, "ours");
	unlink(path);
	assert_int_equal(plain, 1);
	assert_int_equal(ruined, 0);
	assert_int_equal(ours, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crypto_hash_and_mac_vectors),
		cmocka_unit_test(crypto_derivation_vectors),
		cmocka_unit_test(crypto_ed25519_vectors),
		cmocka_unit_test(crypto_x25519_vector),
		cmocka_unit_test(crypto_es256_verifies_only_the_signature),
		cmocka_unit_test(crypto_hosts_error_queue_is_left_as_it_was),
		cmocka_unit_test(crypto_equal_compares_all_bytes),
		cmocka_unit_test(crypto_P06_environment_does_not_decide_what_sha256_is),
	};

	self_path = argv[0];
	if (argc == 2)
		return !strcmp(argv[1], "ours") ? use_everything() : default_context_is_ruined();
	return cmocka_run_group_tests(tests, setup, teardown);
}
