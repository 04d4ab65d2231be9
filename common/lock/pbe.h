#ifndef LOCK_PBE_H
#define LOCK_PBE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"

/*
 * Password-based encryption: PKCS#12 (RFC 7292 appendix B), PBES1, PBES2 with
 * PBKDF2 or scrypt (RFC 8018), a password in each form that writers have
 * used, and the work that a file may ask for.
 */

#define KDF_ROUNDS_MAX 10000000 /* iterations of one derivation */
#define KDF_WORK_MAX   1000000000 /* of all derivations for one file */
#define KDF_KEY_MAX    1024 /* bytes that a derivation is asked for */

/* One password as a derivation takes it; pbe_wipe() it. */
struct pbe_form {
	int has_bmp, has_raw; /* not every form has both */
	size_t nbmp, nraw;
	uint8_t bmp[2 * SECRET_MAX + 2]; /* for PKCS#12: UTF-16BE */
	uint8_t raw[2 * SECRET_MAX + 2]; /* for all others */
};

/*
 * The i-th form of a password, i from 0: as it is, UTF-16 with terminator;
 * UTF-8 taken as Latin-1, and the reverse; UTF-16 without terminator, which
 * is none at all for the empty one; UTF-16 in place of UTF-8, with terminator
 * and without.  Returns 1, or 0 behind the last; a form may be of no use to a
 * password.
 */
int pbe_form(struct pbe_form *, const char *pass, int i);
void pbe_wipe(struct pbe_form *);

/* Goes through all passwords in their first form, then in their others. */
struct pbe_tries {
	struct secrets *secrets;
	const char *pass; /* tried last; borrowed */
	size_t i; /* of the next for secret_try() */
	int form;
	int more; /* another form may follow */
};

/* The next to try; *t is zero but for secrets at first.  1, or 0: no more. */
int pbe_next(struct pbe_tries *t, struct pbe_form *);

/* Remembers that the one tried last worked. */
void pbe_worked(const struct pbe_tries *t);

/* A new file: its derivations are counted from here. */
void pbe_start(void);
/* The same with another ceiling than KDF_WORK_MAX. */
void pbe_start_with(int64_t rounds);

/* Counts rounds before they are done.  Returns 1, or 0 with *w. */
int pbe_spend(int64_t rounds, struct reason *w);

/* The same for a number of rounds as a file gives it. */
int pbe_rounds(const ASN1_INTEGER *, struct reason *w);

/* The same for PBKDF2, and checks its parameters. */
int pbe_pbkdf2(const X509_ALGOR *, struct reason *w);

/*
 * Decrypts n bytes.  Returns 1 with *out (*outlen bytes, which the caller frees
 * with OPENSSL_clear_free); 0: not with this password; -1 with *w: with none
 * (reason "unsupported", "damaged" or "ceiling").
 */
int pbe_decrypt(const X509_ALGOR *, const struct pbe_form *, const uint8_t *in,
    size_t n, uint8_t **out, size_t *outlen, struct reason *w);

/* Notes what pbe_decrypt() will derive from this password: see kdf_plan(). */
void pbe_plan(const X509_ALGOR *, const struct pbe_form *);

/*
 * The name of an algorithm, with what PBES2 is made of; its OID where OpenSSL
 * has no name.  Returns dst.
 */
char *pbe_name(char dst[192], const X509_ALGOR *);

/* The NID of an algorithm. */
int pbe_nid(const X509_ALGOR *);

/* The hash of an HMAC, hmacWithSHA1 if alg is NULL.  NULL: not known. */
const EVP_MD *pbe_prf(const X509_ALGOR *alg);

/* The parameters of an algorithm as a structure, or NULL. */
void *pbe_parameters(const X509_ALGOR *, const ASN1_ITEM *);

#endif
