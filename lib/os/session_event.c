/* SPDX-License-Identifier: BSD-2-Clause */
#include <breakglass/os_session.h>

struct bg_event bg_session_event(const struct bg_session *session, enum bg_event_id id,
	const char *result, struct bg_session_words *words)
{
	bg_hex_encode(session->digest, BG_SHA256_LEN, words->request);
	bg_hex_encode(session->set_id, BG_SET_ID_LEN, words->set);
	return (struct bg_event){
		.id = id,
		.host = session->host_label,
		.account = session->account,
		.request = words->request,
		.set = words->set,
		.epoch = session->epoch,
		.key = session->key,
		.holder = session->holder,
		.custodians = session->custodians,
		.reason = session->reason,
		.role = session->role,
		.service = session->service,
		.origin = session->origin,
		.result = result,
		.severity = -1,
	};
}
