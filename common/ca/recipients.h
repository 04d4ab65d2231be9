#ifndef CA_RECIPIENTS_H
#define CA_RECIPIENTS_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads from an archived key whom it is encrypted to: a line for each, with the
 * serial number in hex, a blank and the issuer as in RFC 2253.
 */

/*
 * Returns the lines of recipients that are not among the agents (may be NULL),
 * which the caller frees.  Returns NULL if the bytes are no CMS EnvelopedData
 * (RFC 5652 section 6.1).
 */
char *recipients_of(const uint8_t *der, size_t n, STACK_OF(X509) *agents);

#endif
