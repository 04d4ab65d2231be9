#ifndef KEY_TLV_H
#define KEY_TLV_H

#include <openssl/asn1.h>
#include <stddef.h>
#include <stdint.h>

/* For a look at DER where a parser would cost more, or refuses the whole. */

/*
 * Steps into the TLV at *p, or over it, if it has this tag, class and form and
 * is of definite length.  Returns 1, or 0: it does not.
 */
int tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class,
    int over);

/* A part in DER, tag and length included; n is 0 if it is not there. */
struct tlv_part {
	const uint8_t *p;
	size_t n;
};

/* Steps over a part, and notes where it is; if it is not there, does neither. */
int tlv_part(struct tlv_part *, const uint8_t **p, const uint8_t *end, int tag,
    int class);

/* Steps into a TLV if nothing follows it, up to end.  Returns 1, or 0. */
int tlv_into(const uint8_t **p, const uint8_t *end, int tag, int class);

/*
 * Steps over an INTEGER of DER that is not negative; notes its bytes, without
 * zeros in front.  Returns 1, or 0: it is none, or not in the shortest form.
 */
int tlv_uint(struct tlv_part *, const uint8_t **p, const uint8_t *end);

/* Returns 1 if both are the same bytes. */
int tlv_same(const struct tlv_part *, const struct tlv_part *);

/* What all of the n bytes are; caller frees.  NULL: they are none, or more. */
void *tlv_item(const uint8_t *der, size_t n, const ASN1_ITEM *);

/* The same as DER, which BER is made into, *len its size; caller frees. */
uint8_t *tlv_recode(const uint8_t *ber, size_t n, const ASN1_ITEM *,
    size_t *len);

/*
 * Tag and class, and whether it is constructed: a string in pieces, which BER
 * allows, says something else to those who put them together.
 */
#define TLV_SEQ	  V_ASN1_SEQUENCE, V_ASN1_CONSTRUCTED
#define TLV_SET	  V_ASN1_SET, V_ASN1_CONSTRUCTED
#define TLV_BOOL  V_ASN1_BOOLEAN, V_ASN1_UNIVERSAL
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
