/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes that several formats share (DESIGN section 3). LEN: bytes without the NUL. */
#ifndef BREAKGLASS_LIMITS_H
#define BREAKGLASS_LIMITS_H

#define BG_ACCOUNT_LEN	   16 /* of an emergency account */
#define BG_PAM_NAME_LEN	   32 /* names for which the one stat is made */
#define BG_ZONE_LEN	   24
#define BG_HOST_LABEL_LEN  24
#define BG_NAME_LEN	   12 /* custodian and key names: [a-z0-9][a-z0-9-]{0,11} */
#define BG_HOLDER_LEN	   24
#define BG_MODEL_LEN	   48
#define BG_REASON_LEN	   64
#define BG_REASON_MIN_LEN  8
#define BG_SERVICE_LEN	   16
#define BG_ORIGIN_LEN	   64
#define BG_RP_ID_LEN	   (11 + BG_ZONE_LEN) /* "breakglass:" ZONE */
#define BG_SET_ID_LEN	   16
#define BG_NONCE_LEN	   16
#define BG_TOUCH_NONCE_LEN 32
#define BG_CREDENTIAL_LEN  512
#define BG_CUSTODIANS_MAX  16
#define BG_KEYS_MAX	   8
#define BG_RETIRED_MAX	   12
#define BG_PIN_LEN	   63
#define BG_ANSWER_LEN	   511 /* the longest answer at a prompt that every door carries */

#endif
