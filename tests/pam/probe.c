/* SPDX-License-Identifier: BSD-2-Clause */
/* A PAM module for tests: prints what the module before it left for pam_systemd(8), which only
   modules can see. */
#include <security/pam_modules.h>
#include <stdio.h>

#define PAM_ENTRY __attribute__((visibility("default")))

PAM_ENTRY int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *data = NULL;

	(void)flags;
	(void)argc;
	(void)argv;
	if (pam_get_data(pamh, "systemd.runtime_max_sec", &data) == PAM_SUCCESS && data != NULL)
		printf("DATA systemd.runtime_max_sec %s\n", (const char *)data);
	return PAM_IGNORE;
}

PAM_ENTRY int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
