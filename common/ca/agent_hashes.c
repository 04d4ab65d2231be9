#include "ca/agent_hashes.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"

static char *
hashes_alloc(size_t n)
{
	char *s = calloc(n + 1, 1);

	if (s == NULL)
		heap_nomem();
	return s;
}

/* Writes 40 digits as byte pairs and a newline.  Returns where that ends. */
static char *
hash_pairs(char *dst, const char *hex)
{
	int i;

	for (i = 0; i < 20; i++) {
		*dst++ = *hex++;
		*dst++ = *hex++;
		*dst++ = i < 19 ? ' ' : '\n';
	}
	return dst;
}

char *
agent_hashes_new(const uint8_t (*sha1)[20], size_t n, size_t first,
    size_t count)
{
	char *s = hashes_alloc(AGENT_HASH * count), *p = s, hex[41];
	size_t i;

	for (i = 0; i < count; i++)
		p = hash_pairs(p, encode_hex(hex, sha1[(first + i) % n], 20));
	if (p > s)
		p[-1] = '\0';
	return s;
}

const char *
agent_hashes_others0(const char *row)
{
	const size_t n = AGENT_HASH - 1;

	while (strspn(row, "0123456789abcdef ") == n &&
	    (row[n] == '\n' || row[n] == '\0'))
		row += n + (row[n] == '\n');
	return row;
}

char *
agent_hashes_record(const char *row)
{
	const char *end = agent_hashes_others0(row);
	char *s = hashes_alloc(strlen(row)), *p = s;

	if (end > row && *end != '\0')
		end--;
	for (; row < end; row++)
		if (*row != ' ')
			*p++ = *row == '\n' ? ' ' : *row;
	return s;
}

char *
agent_hashes_tidy(const char *s)
{
	char *all = hashes_alloc(AGENT_HASH * (strlen(s) / 40 + 1)), *p = all;
	char hex[41];
	size_t n, i = 0;

	do {
		n = strcspn(s, "\n");
		for (i = 0; n > 0; s++, n--)
			if (strchr(" \r\t", *s) == NULL) {
				hex[i < 40 ? i : 40] = *s |
				    (*s > '9' ? 0x20 : 0);
				i++;
			}
		hex[40] = '\0';
		if (i == 40 && strspn(hex, "0123456789abcdef") == 40)
			p = hash_pairs(p, hex);
		else if (i != 0) {
			free(all);
			return NULL;
		}
	} while (*s++ == '\n');
	if (p > all)
		p[-1] = '\0';
	return all;
}

char *
agent_hashes_row(const char *record)
{
	size_t len = strlen(record), i;
	char *s = hashes_alloc(3 * len / 2), *p = s;

	for (i = 0; i < len; i += 41, record += 41) {
		if (strspn(record, "0123456789abcdef") != 40 ||
		    (record[40] != ' ' && i + 40 != len)) {
			free(s);
			return NULL;
		}
		p = hash_pairs(p, record);
	}
	if (p > s)
		p[-1] = '\0';
	return s;
}

int
agent_hashes_has(const char *row, X509 *agent)
{
	const char *end = agent_hashes_others0(row), *p;
	char hex[41], pairs[AGENT_HASH];
	uint8_t sha1[20];

	if (!X509_digest(agent, EVP_sha1(), sha1, NULL))
		heap_nomem();
	hash_pairs(pairs, encode_hex(hex, sha1, sizeof(sha1)));
	pairs[AGENT_HASH - 1] = '\0';
	p = strstr(row, pairs);
	return p != NULL && p < end;
}
