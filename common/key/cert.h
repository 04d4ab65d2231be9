#ifndef KEY_CERT_H
#define KEY_CERT_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "base/wire.h"
#include "key/tlv.h"

/*
 * A certificate and what the records and the archive say of it.  Its parts are
 * parsed one by one, without an X509, whose public key and names are the slow
 * part in OpenSSL 3.
 */

struct cert {
	uint8_t *der; /* the bytes as they came */
	size_t len;
	/* where in der they are: RFC 5280 section 4.1; not once it was unpacked */
	struct tlv_part tbs_part, tbs_alg_part, issuer_part, validity_part,
	    subject_part, spki_part, ext_part, alg_part, sig_part;
	int version; /* 1 to 3 */
	char *issuer; /* RFC 2253, UTF-8 */
	char *subject;
	char *serial; /* lower-case hex */
	char not_before[24]; /* 2004-01-19T10:00:00Z, or empty */
	char not_after[24];
	/* last of its kind in subject or subjectAltName; "" if none */
	char *cn, *ou, *org, *upn, *mail;
	char *address; /* mail, but what is UTF-8 in it is taken for that */
	char alg[32]; /* RSA-1024, P-256, Ed25519 */
	int bits;
	const char *use; /* encrypt, sign or both */
	int ca; /* basicConstraints says CA:TRUE */
	uint8_t spki[32]; /* SHA-256 of SubjectPublicKeyInfo */
	uint8_t sha1[20], sha256[32];
	char *ski; /* hex, of the extension or RFC 5280
					   4.2.1.2 method 1 */
	uint8_t id[32]; /* of the public key: see pkey_id() */
	/* subjectPublicKey; its algorithm, as text, and parameters, as DER */
	uint8_t *key, *params;
	size_t keylen, paramslen;
	char oid[80];
};

/*
 * Parses DER, all of it; copies it.  Returns 1 and *out, which the caller
 * frees with cert_free(), or 0 with *w (reason "certificate").
 */
int cert_new(struct cert **out, const uint8_t *der, size_t len,
    struct reason *w);
void cert_free(struct cert *);

/*
 * The same in two steps, for those who need less: a look at its outline, which
 * gives the parts, version, serial, spki, sha1 and sha256; and the rest, but id,
 * from what is in the parts.  Each returns 1, or 0 with *w.
 */
int cert_glance(struct cert **out, const uint8_t *der, size_t len,
    struct reason *w);
int cert_describe(struct cert *, struct reason *w);

/* Adds one that is described to what goes to another process; takes it there. */
void cert_pack(const struct cert *, struct wire *);
struct cert *cert_unpack(struct wire *);

/* Makes a cert of an X509.  Returns 1, or 0 with *w. */
int cert_of_x509(struct cert **out, X509 *, struct reason *w);

/* A complete X509 of the same certificate; caller frees.  NULL: cannot. */
X509 *cert_x509(const struct cert *);

/* Returns 1 if the CA of this name and key has signed it. */
int cert_is_of(const struct cert *, const X509 *ca);

#endif
