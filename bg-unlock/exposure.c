/* SPDX-License-Identifier: BSD-2-Clause */
#include "exposure.h"
#include "install.h"

#include <breakglass/conf.h>
#include <breakglass/os_file.h>
#include <breakglass/os_log.h>
#include <breakglass/paths.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* False: not root, or the account is not protected here. */
static bool read_host(const char *account, struct bg_host *ret)
{
	char path[128], text[4096];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), BG_PATH_ACCOUNTS "/%s/host", account);
	return geteuid() == 0 &&
	       bg_file_read(path, BG_FILE_PRIVATE, text, sizeof(text), &len, NULL) == BG_OK &&
	       bg_host_parse(text, len, path, ret, NULL) == BG_OK;
}

static void record(struct bg_crypto *crypto, enum bg_event_id id, const struct bg_host *host,
	const struct bg_seal *seal, const char *custodians, const char *result)
{
	char set[2 * BG_SET_ID_LEN + 1];
	const struct bg_event event = { .id = id,
		.host = host->label,
		.account = seal->account,
		.role = host->role,
		.set = set,
		.epoch = seal->epoch,
		.custodians = custodians,
		.result = result,
		.severity = -1 };

	bg_hex_encode(seal->set_id, BG_SET_ID_LEN, set);
	bg_log_event(crypto, "bg-unlock", &event, false, NULL);
}

bool bg_exposure_event(struct bg_crypto *crypto, enum bg_event_id id, const struct bg_seal *seal,
	const char *custodians, const char *result)
{
	struct bg_host host = { 0 };

	if (!read_host(seal->account, &host))
		return false;
	record(crypto, id, &host, seal, custodians, result);
	return true;
}

/* Of another seal, an older one or another zone's, nothing opens here: it would be counted against
   the set that does. */
bool bg_exposure_share(struct bg_crypto *crypto, const struct bg_seal *seal, const char *custodian,
	const char *verb)
{
	struct bg_host host = { 0 };
	char result[96];

	if (!read_host(seal->account, &host) ||
		memcmp(host.seal_digest, seal->digest, BG_SHA256_LEN) != 0)
		return false;
	(void)snprintf(result, sizeof(result), "%s typed here for bg-unlock %s", custodian, verb);
	record(crypto, BG_EV_SHARE_ACCEPTED, &host, seal, custodian, result);
	return true;
}

bool bg_exposure_member(struct bg_crypto *crypto, const struct bg_request *request, uint8_t member,
	const char *verb)
{
	static struct bg_seal seal;
	const struct bg_tree tree = { .is_host = true };
	struct bg_host host = { 0 };

	if (!read_host(request->account, &host) ||
		memcmp(host.seal_digest, request->seal_digest, BG_SHA256_LEN) != 0 ||
		bg_account_seal(crypto, &tree, &host, &seal, NULL) != BG_OK)
		return false;
	for (size_t i = 0; i < seal.custodian_count; i++)
		if (seal.custodians[i].index == member)
			return bg_exposure_share(crypto, &seal, seal.custodians[i].name, verb);
	return false;
}
