#ifndef FILE_FINDINGS_H
#define FILE_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"

/*
 * What one file holds: keys, certificates, and faults.  Keys wait sealed under
 * a key that exists only in memory, since a file may hold more of them than the
 * secure heap.
 */

#define FINDING_ANEW "fetch the file again, or export it anew"

#define FINDINGS_MAX	  10000 /* keys, certificates and faults of one file */
#define FINDING_BYTES_MAX (128 * 1024) /* of one key or certificate */

enum finding_kind { FINDING_KEY, FINDING_CERT, FINDING_FAULT };

struct finding {
	enum finding_kind kind;
	uint8_t *sealed; /* FINDING_KEY: see finding_key1() */
	size_t sealedlen;
	unsigned long long num;
	struct cert *cert; /* FINDING_CERT */
	uint8_t id[32]; /* of the public key, see private_id() */
	char *name; /* friendlyName, UTF-8; may be NULL */
	size_t namelen;
	struct reason why; /* FINDING_FAULT */
};

struct findings {
	struct finding *v;
	size_t n;
};

void findings_free(struct findings *);

/* From now on forks can open each other's keys. */
void findings_share(void);

/*
 * Add a copy of a key (PKCS#8) or certificate, or a fault.  The list takes the
 * name (OPENSSL memory, may be NULL).  What does not parse, or is larger than
 * FINDING_BYTES_MAX, becomes a fault.
 */
void findings_add_key(struct findings *, const uint8_t *p8, size_t n,
    char *name, size_t namelen);
void findings_add_cert(struct findings *, const uint8_t *der, size_t n,
    char *name, size_t namelen);
void findings_add_fault(struct findings *, const struct reason *);
/* Adds n bytes if they are a certificate.  Returns 1, or 0 with *w. */
int findings_try_cert(struct findings *, const uint8_t *der, size_t n,
    struct reason *w);
/* Adds n bytes if they are a whole key (PKCS#8).  Returns 1, or 0 with *w. */
int findings_try_key(struct findings *, const uint8_t *p8, size_t n,
    struct reason *w);
/* Adds a fault for something larger than FINDING_BYTES_MAX. */
void findings_add_large(struct findings *);

/*
 * Returns the PKCS#8 of a key, *n bytes in secure memory, which the caller
 * frees with OPENSSL_secure_clear_free().
 */
uint8_t *finding_key1(const struct finding *, size_t *n);

/* Moves all of another list to the end of this one. */
void findings_move(struct findings *to, struct findings *from);

/* Returns the first key with this public key, borrowed, or NULL. */
struct finding *findings_key0(const struct findings *, const uint8_t id[32]);

/* Returns 1 if the list has a certificate of this public key. */
int findings_has_cert(const struct findings *, const uint8_t id[32]);

#endif
