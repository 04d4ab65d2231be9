#ifndef KEY_TLV_H
#define KEY_TLV_H

#include <openssl/asn1.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A look at DER, for those who need its outline only, or where a parser would
 * refuse all of it.  tlv is tag, length, value.
 */

/*
 * Steps into the TLV at *p, or over it, if it has this tag, class and form and
 * is of definite length.  Returns 1, or 0 and leaves *p.
 */
int tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class,
    int over);

/* A part of DER, tag and length included; n is 0 if the part is not there. */
struct tlv_part {
	const uint8_t *p;
	size_t n;
};

/* As tlv_step() over a TLV, and notes in *part where that is. */
int tlv_part(struct tlv_part *part, const uint8_t **p, const uint8_t *end,
    int tag, int class);

/* As tlv_step() into a TLV, if it ends where end is. */
int tlv_into(const uint8_t **p, const uint8_t *end, int tag, int class);

/* Returns 1 if both are the same bytes. */
int tlv_same(const struct tlv_part *, const struct tlv_part *);

/* Parses n bytes; the caller frees it.  NULL: not this, or something follows. */
void *tlv_item(const uint8_t *der, size_t n, const ASN1_ITEM *);

/*
 * Returns the size of the SEQUENCE whose header is at p, with that header, *head
 * bytes: of the n bytes that are there it may need more.  0: there is none in
 * DER, or its header is cut.
 */
size_t tlv_sequence(const uint8_t *p, size_t n, size_t *head);

/*
 * Tag, class and form, for the functions above.  A string is primitive: BER
 * allows one in pieces, but who reads the pieces and who joins them would not
 * see the same.
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
