/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The five entry points (pam_sm_authenticate(3) and its like), and nothing
 * else: each asks whose call it is, and hands an emergency account's to its
 * phase. PAM_IGNORE is returned from one line, here.
 */
#include "guest.h"
#include "phases.h"

#include <string.h>
#include <unistd.h>

#define PAM_ENTRY __attribute__((visibility("default")))

typedef int phase_fn(pam_handle_t *pamh, const char *account, int flags);

static int enter(pam_handle_t *pamh, int flags, phase_fn *emergency, phase_fn *anyone_else)
{
	char name[BG_PAM_NAME_LEN + 1] = "";

	if (bg_guest_whose(pamh, name) == BG_EMERGENCY)
		return emergency(pamh, name, flags);
	if (anyone_else != NULL && anyone_else(pamh, name, flags) == PAM_SUCCESS)
		return PAM_SUCCESS;
	return PAM_IGNORE;
}

/* Arguments on the PAM line are ignored; the phases record them as DEGRADED (RULES P19). */
PAM_ENTRY int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argv;
	return enter(
		pamh, flags | (argc > 0 ? BG_FLAG_ARGUMENTS : 0), bg_phase_auth, bg_phase_auth_su);
}

PAM_ENTRY int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return enter(pamh, flags, bg_phase_setcred, NULL);
}

PAM_ENTRY int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return enter(pamh, flags, bg_phase_account, NULL);
}

PAM_ENTRY int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return enter(pamh, flags, bg_phase_open_session, NULL);
}

PAM_ENTRY int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	return enter(pamh, flags, bg_phase_close_session, NULL);
}
