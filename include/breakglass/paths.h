/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are on a host. Fixed: neither module nor helper takes a path from anybody. */
#ifndef BREAKGLASS_PATHS_H
#define BREAKGLASS_PATHS_H

#define BG_PATH_ETC	 "/etc/breakglass"
#define BG_PATH_ACCOUNTS BG_PATH_ETC "/accounts"
#define BG_PATH_CONF	 BG_PATH_ETC "/breakglass.conf"
#define BG_PATH_RUN	 "/run/breakglass" /* 0700 root, made by tmpfiles */
#define BG_PATH_REQUESTS BG_PATH_RUN "/requests"
#define BG_PATH_GRANTS	 BG_PATH_RUN "/grants"
#define BG_PATH_SESSIONS BG_PATH_RUN "/sessions"
#define BG_PATH_DRILLS	 BG_PATH_RUN "/drills"
#define BG_PATH_LOCKS	 BG_PATH_RUN "/locks"	/* lifted since boot */
#define BG_PATH_DUE	 BG_PATH_RUN "/due"	/* for `revoke --due` */
#define BG_PATH_ALERTED	 BG_PATH_RUN "/alerted" /* which alert was about which request */
#define BG_PATH_RUN_LOG	 BG_PATH_RUN "/log"	/* pending, head */
#define BG_PATH_VAR	 "/var/lib/breakglass"
#define BG_PATH_VAR_LOG	 BG_PATH_VAR "/log"
#define BG_PATH_SPOOL	 BG_PATH_VAR "/spool" /* new, deferred, handlers, told, last */
#define BG_PATH_HANDLERS BG_PATH_ETC "/alert.d"
#define BG_PATH_LIBEXEC	 "/usr/libexec/breakglass"
#define BG_PATH_FIDO2	 BG_PATH_LIBEXEC "/bg-fido2"
#define BG_PATH_QR	 BG_PATH_LIBEXEC "/bg-qr"
#define BG_PATH_WATCHDOG BG_PATH_LIBEXEC "/breakglass-watchdog"
#define BG_HELPER_USER	 "_breakglass"

#endif
