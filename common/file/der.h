#ifndef FILE_DER_H
#define FILE_DER_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

#define DER_SIGNED_MAX 8 /* SignedData within SignedData */

/*
 * Reads one DER object of any kind: PKCS#12, certificate, PKCS#8 (plain and
 * encrypted), PKCS#1, SEC 1; of PKCS#7 or CMS SignedData the certificates and,
 * if it is one of the others, the signed content.
 */

/*
 * Reads the n bytes as file_read() does.  Returns 1; with nothing added, *w
 * (reason "noted") names something without key or certificate, such as a CRL.
 * Returns 0 with *w if it cannot be read.
 */
int der_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#endif
