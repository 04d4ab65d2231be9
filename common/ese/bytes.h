#ifndef ESE_BYTES_H
#define ESE_BYTES_H

#include <stdint.h>
#include <string.h>

/* Reads numbers of an ESE file: little-endian, at any address. */

static inline uint16_t
le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint64_t
le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

#endif
