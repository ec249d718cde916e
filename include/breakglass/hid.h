/* SPDX-License-Identifier: BSD-2-Clause */
/* The one thing that is read of a USB device before it is known to be a security key. */
#ifndef BREAKGLASS_HID_H
#define BREAKGLASS_HID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the report descriptor at p (HID 1.11 section 6.2.2; hostile, len bytes) name the usage page
   of a FIDO authenticator (CTAP 2.1 section 11.2.8.2: 0xf1d0)? */
bool bg_hid_is_fido(const uint8_t *p, size_t len);

#endif
