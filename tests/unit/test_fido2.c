/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <breakglass/fido2.h>

static uint8_t bytes[BG_FIDO2_MESSAGE_MAX_LEN], again[BG_FIDO2_MESSAGE_MAX_LEN];
static struct bg_fido2_request request, request_back;
static struct bg_fido2_reply reply, reply_back;

static int setup(void **state)
{
	(void)state;
	request = (struct bg_fido2_request){ .op = BG_FIDO2_ASSERT,
		.device = "/dev/hidraw3 /dev/hidraw4",
		.rp_id = "breakglass:db",
		.timeout_secs = 30,
		.min_retries = 3,
		.pin = { "0123456" },
		.credential_count = 2,
		.user_name = "breakglass" };
	memset(request.client_data_hash, 0xc5, sizeof(request.client_data_hash));
	memset(request.credentials[0].id, 1, 64);
	memset(request.credentials[1].id, 2, BG_CREDENTIAL_LEN);
	request.credentials[0].len = 64;
	request.credentials[1].len = BG_CREDENTIAL_LEN;
	reply = (struct bg_fido2_reply){ .err = BG_ERR_PIN,
		.detail = "FIDO_ERR_PIN_INVALID",
		.retries = 7,
		.credential = 1,
		.present = 2,
		.assertion = { .credential_len = 64, .authdata_len = 37, .sig_len = 70 },
		.key = { .model = "Model 5", .credential_len = 48, .alg = BG_ALG_EDDSA },
		.is_attested = true,
		.device_count = 2,
		.devices = {
			{ .path = "/dev/hidraw0", .model = "A", .retries = 8, .has_pin = true },
			{ .path = "/dev/hidraw1", .retries = 255, .is_fido2 = true } } };
	return 0;
}

static size_t request_bytes(void)
{
	struct bg_writer w = { bytes, sizeof(bytes), 0, false };

	assert_int_equal(bg_fido2_request_encode(&request, &w), BG_OK);
	return w.len;
}

static size_t reply_bytes(void)
{
	struct bg_writer w = { bytes, sizeof(bytes), 0, false };

	assert_int_equal(bg_fido2_reply_encode(&reply, &w), BG_OK);
	return w.len;
}

static void fido2_request_goes_there_and_back(void **state)
{
	size_t len = request_bytes();

	(void)state;
	assert_int_equal(bg_fido2_request_decode(bytes, len, &request_back), BG_OK);
	assert_int_equal(request_back.op, BG_FIDO2_ASSERT);
	assert_string_equal(request_back.device, request.device);
	assert_string_equal(request_back.rp_id, request.rp_id);
	assert_memory_equal(request_back.client_data_hash, request.client_data_hash, 32);
	assert_int_equal(request_back.timeout_secs, 30);
	assert_int_equal(request_back.min_retries, 3);
	assert_string_equal(request_back.pin.text, "0123456");
	assert_int_equal(request_back.credential_count, 2);
	assert_int_equal(request_back.credentials[1].len, BG_CREDENTIAL_LEN);
	assert_memory_equal(
		request_back.credentials[1].id, request.credentials[1].id, BG_CREDENTIAL_LEN);
	assert_string_equal(request_back.user_name, "breakglass");
}

static void fido2_reply_goes_there_and_back(void **state)
{
	size_t len = reply_bytes();

	(void)state;
	assert_int_equal(bg_fido2_reply_decode(bytes, len, &reply_back), BG_OK);
	assert_int_equal(reply_back.err, BG_ERR_PIN);
	assert_string_equal(reply_back.detail, "FIDO_ERR_PIN_INVALID");
	assert_int_equal(reply_back.retries, 7);
	assert_int_equal(reply_back.credential, 1);
	assert_int_equal(reply_back.present, 2);
	assert_int_equal(reply_back.assertion.authdata_len, 37);
	assert_string_equal(reply_back.key.model, "Model 5");
	assert_int_equal(reply_back.key.alg, BG_ALG_EDDSA);
	assert_true(reply_back.is_attested && !reply_back.is_discoverable);
	assert_int_equal(reply_back.device_count, 2);
	assert_string_equal(reply_back.devices[1].path, "/dev/hidraw1");
	assert_true(reply_back.devices[0].has_pin && reply_back.devices[1].is_fido2);
}

static void fido2_every_truncation_and_extension_is_refused(void **state)
{
	size_t len = request_bytes();

	(void)state;
	memset(&request_back, 0x77, sizeof(request_back));
	memcpy(&request, &request_back, sizeof(request));
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bg_fido2_request_decode(bytes, i, &request_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_fido2_request_decode(bytes, len + 1, &request_back), BG_ERR_SYNTAX);
	assert_memory_equal(&request, &request_back, sizeof(request)); /* written only on success */
	len = reply_bytes();
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bg_fido2_reply_decode(bytes, i, &reply_back), BG_ERR_SYNTAX);
	assert_int_equal(bg_fido2_reply_decode(bytes, len + 1, &reply_back), BG_ERR_SYNTAX);
}

/* What is accepted is what encode would have written: nothing is read two ways. */
static void fido2_a_flipped_bit_is_refused_or_read_as_it_stands(void **state)
{
	size_t len = request_bytes();

	(void)state;
	for (size_t i = 0; i < 8 * len; i++) {
		struct bg_writer w = { again, sizeof(again), 0, false };

		bytes[i / 8] ^= (uint8_t)(1U << i % 8);
		if (bg_fido2_request_decode(bytes, len, &request_back) == BG_OK) {
			assert_int_equal(bg_fido2_request_encode(&request_back, &w), BG_OK);
			assert_int_equal(w.len, len);
			assert_memory_equal(again, bytes, len);
		}
		bytes[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	len = reply_bytes();
	for (size_t i = 0; i < 8 * len; i++) {
		struct bg_writer w = { again, sizeof(again), 0, false };

		bytes[i / 8] ^= (uint8_t)(1U << i % 8);
		if (bg_fido2_reply_decode(bytes, len, &reply_back) == BG_OK) {
			assert_int_equal(bg_fido2_reply_encode(&reply_back, &w), BG_OK);
			assert_int_equal(w.len, len);
			assert_memory_equal(again, bytes, len);
		}
		bytes[i / 8] ^= (uint8_t)(1U << i % 8);
	}
}

static void refuses_request(const char *what)
{
	struct bg_writer w = { bytes, sizeof(bytes), 0, false };

	if (bg_fido2_request_encode(&request, &w) != BG_ERR_ARGUMENT)
		fail_msg("accepted: %s", what);
	setup(NULL);
}

static void fido2_what_makes_no_sense_is_not_asked(void **state)
{
	(void)state;
	request.op = BG_FIDO2_NONE;
	refuses_request("no operation");
	request.op = (enum bg_fido2_op)(BG_FIDO2_MAKE + 1);
	refuses_request("unknown operation");
	request.timeout_secs = BG_FIDO2_TIMEOUT_MAX + 1;
	refuses_request("long timeout");
	request.timeout_secs = 0;
	refuses_request("no timeout");
	request.credential_count = 0;
	refuses_request("assertion of nobody");
	request.credential_count = BG_KEYS_MAX + 1;
	refuses_request("too many credentials");
	request.credentials[1].len = 0;
	refuses_request("empty credential");
	request.credentials[1].len = BG_CREDENTIAL_LEN + 1;
	refuses_request("long credential");
	request.pin.text[0] = '\0';
	refuses_request("no PIN");
	request.pin.text[3] = '\0';
	refuses_request("PIN of three bytes");
	memset(request.pin.text, '1', sizeof(request.pin.text));
	refuses_request("PIN without end");
	request.rp_id[0] = '\0';
	refuses_request("no relying party");
	request.device[5] = '\n';
	refuses_request("newline in device");
	memset(request.device, '/', sizeof(request.device));
	refuses_request("device without end");
	request.op = BG_FIDO2_FIND;
	request.pin.text[0] = '\0';
	request.timeout_secs = 0;
	assert_true(request_bytes() > 0); /* that is all right */
}

static void refuses_reply(const char *what)
{
	struct bg_writer w = { bytes, sizeof(bytes), 0, false };

	if (bg_fido2_reply_encode(&reply, &w) != BG_ERR_ARGUMENT)
		fail_msg("accepted: %s", what);
	setup(NULL);
}

static void fido2_what_makes_no_sense_is_not_answered(void **state)
{
	(void)state;
	reply.err = BG_ERR_COUNT;
	refuses_reply("unknown error");
	reply.credential = BG_KEYS_MAX;
	refuses_reply("credential position");
	reply.assertion.sig_len = BG_ASSERTION_SIG_MAX_LEN + 1;
	refuses_reply("long signature");
	reply.assertion.authdata_len = BG_AUTHDATA_MAX_LEN + 1;
	refuses_reply("long authenticatorData");
	reply.key.alg = (enum bg_alg) - 257;
	refuses_reply("RS256");
	reply.key.model[2] = '\033';
	refuses_reply("escape in the model");
	reply.devices[1].model[0] = '\n';
	refuses_reply("newline in a device's model");
	reply.device_count = LEN(reply.devices) + 1;
	refuses_reply("too many devices");
}

static void fido2_a_small_buffer_is_too_big_a_request(void **state)
{
	size_t len = request_bytes();

	(void)state;
	for (size_t i = 0; i < len; i++) {
		struct bg_writer w = { bytes, i, 0, false };

		assert_int_equal(bg_fido2_request_encode(&request, &w), BG_ERR_TOO_BIG);
	}
}

/* The largest of each fits the frame. */
static void fido2_the_largest_messages_fit(void **state)
{
	(void)state;
	request.credential_count = BG_KEYS_MAX;
	for (size_t i = 0; i < BG_KEYS_MAX; i++)
		request.credentials[i].len = BG_CREDENTIAL_LEN;
	memset(request.device, 'd', sizeof(request.device) - 1);
	memset(request.pin.text, 'p', BG_PIN_LEN);
	memset(request.user_name, 'u', sizeof(request.user_name) - 1);
	assert_true(request_bytes() < sizeof(bytes));
	reply.device_count = LEN(reply.devices);
	reply.assertion.credential_len = BG_CREDENTIAL_LEN;
	reply.key.credential_len = BG_CREDENTIAL_LEN;
	assert_true(reply_bytes() < sizeof(bytes));
}

static void fido2_wipe_leaves_nothing(void **state)
{
	static const struct bg_fido2_request zero;

	(void)state;
	bg_fido2_request_wipe(&request);
	assert_memory_equal(&request, &zero, sizeof(zero));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fido2_request_goes_there_and_back),
		TEST(fido2_reply_goes_there_and_back),
		TEST(fido2_every_truncation_and_extension_is_refused),
		TEST(fido2_a_flipped_bit_is_refused_or_read_as_it_stands),
		TEST(fido2_what_makes_no_sense_is_not_asked),
		TEST(fido2_what_makes_no_sense_is_not_answered),
		TEST(fido2_a_small_buffer_is_too_big_a_request),
		TEST(fido2_the_largest_messages_fit),
		TEST(fido2_wipe_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
