/* SPDX-License-Identifier: BSD-2-Clause */
/* The phases of an emergency account (DESIGN section 5). Each returns PAM_SUCCESS or an error. */
#ifndef PAM_BREAKGLASS_PHASES_H
#define PAM_BREAKGLASS_PHASES_H

#include <security/pam_modules.h>

/* Beside PAM's own flags: there was something on the PAM line, which takes no options. */
#define BG_FLAG_ARGUMENTS 0x01000000

int bg_phase_auth(pam_handle_t *pamh, const char *account, int flags);
int bg_phase_setcred(pam_handle_t *pamh, const char *account, int flags);
int bg_phase_account(pam_handle_t *pamh, const char *account, int flags);
int bg_phase_open_session(pam_handle_t *pamh, const char *account, int flags);
int bg_phase_close_session(pam_handle_t *pamh, const char *account, int flags);

/* Not an emergency account: PAM_SUCCESS only for `su` to root from inside a live session of an
   account whose role is full; anything else is an error that its caller turns into PAM_IGNORE. */
int bg_phase_auth_su(pam_handle_t *pamh, const char *user, int flags);

#endif
