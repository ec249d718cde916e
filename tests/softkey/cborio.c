/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "softkey.h"

static cbor_item_t *sk_cbor_sure(cbor_item_t *item)
{
	if (item == NULL)
		sk_die("out of memory");
	return item;
}

cbor_item_t *sk_cbor_map(size_t entries)
{
	return sk_cbor_sure(cbor_new_definite_map(entries));
}

cbor_item_t *sk_cbor_list(size_t entries)
{
	return sk_cbor_sure(cbor_new_definite_array(entries));
}

/* The smallest width: CTAP wants canonical CBOR, libcbor writes what it is told. */
cbor_item_t *sk_cbor_int(int64_t value)
{
	uint64_t magnitude = value < 0 ? (uint64_t)(-1 - value) : (uint64_t)value;
	cbor_item_t *item;

	if (magnitude <= UINT8_MAX)
		item = cbor_build_uint8((uint8_t)magnitude);
	else if (magnitude <= UINT16_MAX)
		item = cbor_build_uint16((uint16_t)magnitude);
	else
		item = cbor_build_uint32((uint32_t)magnitude);
	sk_cbor_sure(item);
	if (value < 0)
		cbor_mark_negint(item);
	return item;
}

cbor_item_t *sk_cbor_bytes(const uint8_t *data, size_t len)
{
	return sk_cbor_sure(cbor_build_bytestring(data, len));
}

cbor_item_t *sk_cbor_text(const char *text)
{
	return sk_cbor_sure(cbor_build_string(text));
}

cbor_item_t *sk_cbor_bool(bool value)
{
	return sk_cbor_sure(cbor_build_bool(value));
}

static void sk_cbor_add(cbor_item_t *map, cbor_item_t *key, cbor_item_t *value)
{
	struct cbor_pair pair = { .key = cbor_move(key), .value = cbor_move(value) };

	if (!cbor_map_add(map, pair))
		sk_die("CBOR map too small");
}

void sk_cbor_put(cbor_item_t *map, int64_t key, cbor_item_t *value)
{
	sk_cbor_add(map, sk_cbor_int(key), value);
}

void sk_cbor_put_text(cbor_item_t *map, const char *key, cbor_item_t *value)
{
	sk_cbor_add(map, sk_cbor_text(key), value);
}

void sk_cbor_push(cbor_item_t *list, cbor_item_t *value)
{
	if (!cbor_array_push(list, cbor_move(value)))
		sk_die("CBOR list too small");
}

size_t sk_cbor_write(cbor_item_t *item, uint8_t *ret, size_t max)
{
	size_t len = cbor_serialize(item, ret, max);

	cbor_decref(&item);
	if (len == 0)
		sk_die("answer too long");
	return len;
}

bool sk_cbor_get_int(const cbor_item_t *item, int64_t *ret)
{
	uint64_t value;

	if (item == NULL || !cbor_is_int(item))
		return false;
	value = cbor_get_int(item);
	if (value > INT32_MAX)
		return false;
	*ret = cbor_isa_negint(item) ? -1 - (int64_t)value : (int64_t)value;
	return true;
}

bool sk_cbor_is_text(const cbor_item_t *item, const char *text)
{
	return item != NULL && cbor_isa_string(item) && cbor_string_is_definite(item) &&
	       cbor_string_length(item) == strlen(text) &&
	       memcmp(cbor_string_handle(item), text, strlen(text)) == 0;
}

const cbor_item_t *sk_cbor_at(const cbor_item_t *map, int64_t key)
{
	int64_t value;

	if (map == NULL || !cbor_isa_map(map))
		return NULL;
	for (size_t i = 0; i < cbor_map_size(map); i++) {
		if (sk_cbor_get_int(cbor_map_handle(map)[i].key, &value) && value == key)
			return cbor_map_handle(map)[i].value;
	}
	return NULL;
}

const cbor_item_t *sk_cbor_at_text(const cbor_item_t *map, const char *key)
{
	if (map == NULL || !cbor_isa_map(map))
		return NULL;
	for (size_t i = 0; i < cbor_map_size(map); i++) {
		if (sk_cbor_is_text(cbor_map_handle(map)[i].key, key))
			return cbor_map_handle(map)[i].value;
	}
	return NULL;
}

bool sk_cbor_get_bytes(const cbor_item_t *item, struct sk_bytes *ret)
{
	if (item == NULL || !cbor_isa_bytestring(item) || !cbor_bytestring_is_definite(item))
		return false;
	ret->ptr = cbor_bytestring_handle(item);
	ret->len = cbor_bytestring_length(item);
	return true;
}

bool sk_cbor_get_text(const cbor_item_t *item, char *ret, size_t size)
{
	size_t len;

	if (item == NULL || !cbor_isa_string(item) || !cbor_string_is_definite(item))
		return false;
	len = cbor_string_length(item);
	if (len >= size || (len > 0 && memchr(cbor_string_handle(item), 0, len) != NULL))
		return false;
	if (len > 0)
		memcpy(ret, cbor_string_handle(item), len);
	ret[len] = '\0';
	return true;
}

bool sk_cbor_get_option(const cbor_item_t *item, bool *ret)
{
	if (item == NULL)
		return true;
	if (!cbor_is_bool(item))
		return false;
	*ret = cbor_get_bool(item);
	return true;
}
