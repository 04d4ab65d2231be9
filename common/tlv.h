#ifndef TLV_H
#define TLV_H

#include <stdint.h>

/* For a look at DER where a parser would cost more, or refuses the whole. */

/*
 * Steps into the TLV at *p, or over it, if it has this tag, class and form and
 * is of definite length.  Returns 1, or 0: it does not.
 */
int tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class,
    int over);

/*
 * Tag and class, and whether it is constructed: a string in pieces, which BER
 * allows, says something else to those who put them together.
 */
#define TLV_SEQ	  V_ASN1_SEQUENCE, V_ASN1_CONSTRUCTED
#define TLV_SET	  V_ASN1_SET, V_ASN1_CONSTRUCTED
#define TLV_INT	  V_ASN1_INTEGER, V_ASN1_UNIVERSAL
#define TLV_OID	  V_ASN1_OBJECT, V_ASN1_UNIVERSAL
#define TLV_BITS  V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL
#define TLV_BYTES V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL
#define TLV_0	  0, V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED
#define TLV_3	  3, V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED
/* IMPLICIT and of a string: primitive */
#define TLV_1 1, V_ASN1_CONTEXT_SPECIFIC
#define TLV_2 2, V_ASN1_CONTEXT_SPECIFIC

#endif
