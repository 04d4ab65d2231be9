#include "file/magic.h"

#include <stdlib.h>
#include <string.h>

static int
magic_digits(const uint8_t *p, size_t n, int base)
{
	const char *all = base == 8 ? "01234567" : "0123456789abcdefABCDEF";
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] == '\0' || strchr(all, p[i]) == NULL)
			return 0;
	return 1;
}

/* RFC 1952 section 2.3: method deflate, no reserved flag. */
static int
magic_is_gzip(const uint8_t *p, size_t n)
{
	return n > 10 && p[2] == 8 && (p[3] & 0xe0) == 0;
}

/* Codes of 9 to 16 bits, no reserved flag. */
static int
magic_is_compress(const uint8_t *p, size_t n)
{
	return n > 3 && (p[2] & 0x60) == 0 && (p[2] & 31) >= 9 &&
	    (p[2] & 31) <= 16;
}

/* The size, then a block or the end of all. */
static int
magic_is_bzip2(const uint8_t *p, size_t n)
{
	return n >= 14 && p[3] >= '1' && p[3] <= '9' &&
	    (memcmp(p + 4, "1AY&SY", 6) == 0 ||
		memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/*
 * lzma-file-format.txt section 1.1, as encoders write it: a dictionary of 2^n
 * or 2^n + 2^(n-1) bytes; a size that is not known, or below 256 GiB.
 */
static int
is_lzma(const uint8_t *p, size_t n)
{
	static const uint8_t unknown[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
	uint32_t dict, top;

	if (n < 14)
		return 0;
	dict = p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 |
	    (uint32_t)p[4] << 24;
	for (top = 1U << 31; top > dict; top >>= 1)
		continue;
	return dict >= 4096 && (dict == top || dict == top + top / 2) &&
	    (memcmp(p + 5, unknown, 8) == 0 ||
		(p[9] < 64 && p[10] == 0 && p[11] == 0 && p[12] == 0)) &&
	    p[13] == 0;
}

static int
magic_is_rar(const uint8_t *p, size_t n)
{
	return n > 8 && (p[6] == 0 || (p[6] == 1 && p[7] == 0));
}

/* Header of 76 octal digits (POSIX.1-1988 section 10.1.2). */
static int
magic_is_odc(const uint8_t *p, size_t n)
{
	return n > 76 && magic_digits(p, 76, 8);
}

/* Header of 13 numbers of 8 hex digits. */
static int
magic_is_newc(const uint8_t *p, size_t n)
{
	return n > 110 && magic_digits(p + 6, 104, 16);
}

/* Header of thirteen 16-bit words, the name's length at 20, then the name. */
static int
magic_is_bin(const uint8_t *p, size_t n)
{
	int big = p[0] == 0x71;
	size_t len;

	if (n < 28)
		return 0;
	len = (size_t)(p[20 + big] | p[20 + !big] << 8);
	return len > 1 && len <= 1024 && n >= 26 + len &&
	    strnlen((const char *)p + 26, len) == len - 1;
}

/* pax(1), ustar: the sum of the header, its own field taken as blanks. */
static int
magic_is_tar(const uint8_t *p, size_t n)
{
	char text[9] = "";
	unsigned long sum = 0;
	size_t i;

	if (n < 512 || p[0] == '\0')
		return 0;
	for (i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	memcpy(text, p + 148, 8);
	return strspn(text, " 01234567") >= 5 && strtoul(text, NULL, 8) == sum;
}

/* -lhN-, -lzN-, and the level of the header. */
static int
magic_is_lha(const uint8_t *p, size_t n)
{
	return n > 21 && (p[4] == 'h' || p[4] == 'z') && p[5] != '\0' &&
	    strchr("01234567ds", p[5]) != NULL && p[6] == '-' && p[20] <= 3;
}

static int
magic_is_warc(const uint8_t *p, size_t n)
{
	return n > 9 && magic_digits(p + 5, 1, 8) && p[6] == '.' &&
	    memchr(p, '\n', n < 12 ? n : 12) != NULL;
}

const struct magic *
magic_of(const uint8_t *p, size_t n)
{
	static const struct {
		size_t at, len;
		const char *magic;
		int (*sure)(const uint8_t *, size_t);
		struct magic kind;
	} all[] = {
		{ 0, 4, "PK\3\4", NULL, { "zip", 0 } },
		{ 0, 4, "PK\5\6", NULL, { "zip", 0 } },
		{ 0, 8, "PK\7\10PK\3\4", NULL, { "zip", 0 } },
		{ 0, 2, "\x1f\x8b", magic_is_gzip, { "gzip", 1 } },
		{ 0, 2, "\x1f\x9d", magic_is_compress, { "compress", 1 } },
		{ 0, 3, "BZh", magic_is_bzip2, { "bzip2", 1 } },
		{ 0, 6, "\3757zXZ", NULL, { "xz", 1 } },
		{ 0, 3, "\x5d\0\0", is_lzma, { "lzma", 1 } },
		{ 0, 5, "LZIP\1", NULL, { "lzip", 1 } },
		{ 0, 4, "\xed\xab\xee\xdb", NULL, { "rpm", 1 } },
		{ 0, 4, "\x28\xb5\x2f\xfd", NULL, { "zstd", 1 } },
		{ 0, 4, "\4\"M\30", NULL, { "lz4", 1 } },
		{ 0, 6, "7z\xbc\xaf\x27\x1c", NULL, { "7z", 0 } },
		{ 0, 8, "MSCF\0\0\0", NULL, { "cab", 0 } },
		{ 0, 6, "Rar!\x1a\7", magic_is_rar, { "rar", 0 } },
		{ 0, 6, "070707", magic_is_odc, { "cpio", 0 } },
		{ 0, 6, "070701", magic_is_newc, { "cpio", 0 } },
		{ 0, 6, "070702", magic_is_newc, { "cpio", 0 } },
		{ 0, 2, "\xc7\x71", magic_is_bin, { "cpio", 0 } },
		{ 0, 2, "\x71\xc7", magic_is_bin, { "cpio", 0 } },
		{ 0, 8, "!<arch>\n", NULL, { "ar", 0 } },
		{ 0, 5, "WARC/", magic_is_warc, { "warc", 0 } },
		{ 2, 2, "-l", magic_is_lha, { "lha", 0 } },
		{ 0, 0, "", magic_is_tar, { "tar", 0 } },
		{ 32769, 5, "CD001", NULL, { "iso9660", 0 } },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (n >= all[i].at + all[i].len &&
		    memcmp(p + all[i].at, all[i].magic, all[i].len) == 0 &&
		    (all[i].sure == NULL || all[i].sure(p, n)))
			return &all[i].kind;
	return NULL;
}
