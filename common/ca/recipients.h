#ifndef CA_RECIPIENTS_H
#define CA_RECIPIENTS_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whom an archived key is encrypted to, where only the key itself says so: a line
 * for each, serial number in hex, a blank and the issuer as RFC 2253 has it.
 */

/*
 * The lines of those recipients that are none of the agents, which may be NULL.
 * Caller frees.  Returns NULL if the bytes are no CMS EnvelopedData (RFC 5652
 * section 6.1).
 */
char *recipients_of(const uint8_t *der, size_t n, STACK_OF(X509) *agents);

#endif
