#ifndef KEY_TLV_H
#define KEY_TLV_H

#include <openssl/asn1.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Steps through DER where only its outline is needed, or where a parser would
 * refuse the whole.  A TLV is tag, length and value.
 */

/*
 * Steps into the TLV at *p (over is 0) or over it, if it has this tag, class
 * and form and definite length.  Returns 1, or 0 with *p unchanged.
 */
int tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class,
    int over);

/* A part of DER with its tag and length; n is 0 if it is not there. */
struct tlv_part {
	const uint8_t *p;
	size_t n;
};

/* Steps over a TLV as tlv_step() does, and notes it in *part. */
int tlv_part(struct tlv_part *part, const uint8_t **p, const uint8_t *end,
    int tag, int class);

/* Steps into a TLV as tlv_step() does, if it ends at end. */
int tlv_into(const uint8_t **p, const uint8_t *end, int tag, int class);

/* Returns 1 if both are the same bytes. */
int tlv_same(const struct tlv_part *, const struct tlv_part *);

/* Parses all n bytes.  Returns the item, for the caller to free, or NULL. */
void *tlv_item(const uint8_t *der, size_t n, const ASN1_ITEM *);

/*
 * Returns the size of the SEQUENCE at p with its header, of *head bytes; it may
 * be larger than n.  Returns 0 if it is none in DER, or its header is cut.
 */
size_t tlv_sequence(const uint8_t *p, size_t n, size_t *head);

/*
 * Tag, class and form, for the functions above.  A string must be primitive:
 * BER allows one in pieces, but a reader of the pieces and a reader of the
 * whole would see different things.
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
#define TLV_1	  1, V_ASN1_CONTEXT_SPECIFIC
#define TLV_2	  2, V_ASN1_CONTEXT_SPECIFIC

#endif
