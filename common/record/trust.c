#include "record/trust.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

void
trust_free(struct trust *c)
{
	while (c->n > 0) {
		c->n--;
		X509_free(c->v[c->n].cert);
		EVP_PKEY_free(c->v[c->n].key);
	}
	free(c->v);
	memset(c, 0, sizeof(*c));
}

const struct trust_pair *
trust_find0(const struct trust *c, const uint8_t sha256[32])
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (memcmp(c->v[i].sha256, sha256, 32) == 0)
			return &c->v[i];
	return NULL;
}

/* Copies it without blanks and colons.  Returns its length, or 0: too long. */
static size_t
digits(char clean[65], const char *typed)
{
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ' || *typed == ':')
			continue;
		if (n == 64)
			return 0;
		clean[n++] = (char)tolower((unsigned char)*typed);
	}
	clean[n] = '\0';
	return n;
}

int
trust_whole_thumbprint(const char *typed)
{
	char clean[65];
	size_t n = digits(clean, typed);

	return n == 40 || n == 64;
}

int
trust_thumbprint(const struct trust_pair *p, const char *typed)
{
	char clean[65], sha1[41], sha256[65];
	size_t n = digits(clean, typed);

	if (n < 8)
		return 0;
	return (strncmp(encode_hex(sha1, p->sha1, 20), clean, n) == 0 ||
	    strncmp(encode_hex(sha256, p->sha256, 32), clean, n) == 0);
}
