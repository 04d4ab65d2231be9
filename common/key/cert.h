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
 * parsed one by one, without an X509, since OpenSSL 3 is slow at the public key
 * and the names.
 */

struct cert {
	uint8_t *der; /* the bytes as they came */
	size_t len;
	/* parts of der (RFC 5280 section 4.1); not set by cert_unpack() */
	struct tlv_part tbs_part, tbs_alg_part, issuer_part, validity_part,
	    subject_part, spki_part, ext_part, alg_part, sig_part;
	int version; /* 1 to 3 */
	char *issuer; /* RFC 2253, UTF-8 */
	char *subject;
	char *serial; /* lower-case hex */
	char not_before[24]; /* 2004-01-19T10:00:00Z, or "" */
	char not_after[24];
	/* each the last of its kind in subject or subjectAltName, or "" */
	char *cn, *ou, *org, *upn, *mail;
	char *address; /* mail, with UTF-8 in it taken as such */
	char alg[32]; /* RSA-1024, P-256, Ed25519 */
	int bits;
	const char *use; /* "encrypt", "sign" or "both" */
	int ca; /* 1: basicConstraints has CA:TRUE */
	uint8_t spki[32]; /* its SHA-256 */
	uint8_t sha1[20], sha256[32];
	/* hex, of the extension, else RFC 5280 section 4.2.1.2 method 1 */
	char *ski;
	uint8_t id[32]; /* of the public key: see spki_id() */
	/* subjectPublicKey; its algorithm as text, its parameters as DER */
	uint8_t *key, *params;
	size_t keylen, paramslen;
	char oid[80];
};

/*
 * Parses a copy of the DER, which nothing may follow.  Returns 1 and *out, for
 * the caller to free, or 0 with *w (reason "certificate").
 */
int cert_new(struct cert **out, const uint8_t *der, size_t len,
    struct reason *w);
void cert_free(struct cert *);

/*
 * Parse a certificate in two steps.  cert_glance() sets the parts, version,
 * serial, spki, sha1 and sha256; cert_describe() sets the rest but id from the
 * parts.  Each returns 1, or 0 with *w.
 */
int cert_glance(struct cert **out, const uint8_t *der, size_t len,
    struct reason *w);
int cert_describe(struct cert *, struct reason *w);

/* Write a described certificate, and read it; the caller frees what is read. */
void cert_pack(const struct cert *, struct wire *);
struct cert *cert_unpack(struct wire *);

/* Makes a cert from an X509.  Returns 1 and *out, or 0 with *w. */
int cert_of_x509(struct cert **out, X509 *, struct reason *w);

/* Returns an X509 of it, which the caller frees, or NULL on failure. */
X509 *cert_x509(const struct cert *);

/* Returns 1 if this CA is the issuer by name and its key has signed it. */
int cert_is_of(const struct cert *, const X509 *ca);

#endif
