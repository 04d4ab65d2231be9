#ifndef FILE_EPF_OPEN_H
#define FILE_EPF_OPEN_H

#include "base/secret.h"
#include "file/findings.h"

/*
 * Opens the encrypted values of a profile: derives keys from passwords, salts
 * and counts, and tries them (epf-extract(1) lists how).
 */

#define EPF_SALTS_MAX  64 /* values that may be a salt */
#define EPF_COUNTS_MAX 32 /* values that may be an iteration count */
#define EPF_SALT_LEN   64 /* bytes of a salt, before base64 */
#define EPF_SALT_TEXT  ((EPF_SALT_LEN + 2) / 3 * 4)

/* An encrypted value, which may be a key. */
struct epf_locked {
	uint8_t *p;
	size_t n;
	int open; /* 1: it was a key, which is in the findings */
};

/* A profile being read. */
struct epf {
	struct findings *l;
	struct epf_locked *v; /* EPF_LOCKED_MAX */
	size_t n, closed;
	int full; /* 1: a fault says that there are more */
	char salt[EPF_SALTS_MAX][EPF_SALT_TEXT + 1];
	size_t nsalts;
	long count[EPF_COUNTS_MAX];
	size_t ncounts;
	const char *pass; /* the one that opened something, or NULL */
	struct reason over; /* the ceiling that was passed, detail "" if none */
};

/* Returns the size of the DER SEQUENCE at p; 0: none ends in the n bytes. */
size_t epf_sequence(const uint8_t *p, size_t n);

/* Tries all passwords, and adds the keys that open to f->l. */
void epf_open(struct epf *, struct secrets *);

#endif
