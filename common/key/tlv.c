#include "key/tlv.h"

#include <string.h>

int
tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class, int over)
{
	const uint8_t *q = *p;
	int is, of, form;
	long len;

	form = ASN1_get_object(&q, &len, &is, &of, end - q);
	if ((form & ~V_ASN1_CONSTRUCTED) != 0 || is != tag ||
	    (of | form) != class)
		return 0;
	*p = q + (over ? len : 0);
	return 1;
}

int
tlv_part(struct tlv_part *part, const uint8_t **p, const uint8_t *end, int tag,
    int class)
{
	const uint8_t *q = *p;

	if (!tlv_step(&q, end, tag, class, 1))
		return 0;
	part->p = *p;
	part->n = (size_t)(q - *p);
	*p = q;
	return 1;
}

int
tlv_into(const uint8_t **p, const uint8_t *end, int tag, int class)
{
	const uint8_t *q = *p;

	return tlv_step(&q, end, tag, class, 1) && q == end &&
	    tlv_step(p, end, tag, class, 0);
}

int
tlv_same(const struct tlv_part *a, const struct tlv_part *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

void *
tlv_item(const uint8_t *der, size_t n, const ASN1_ITEM *it)
{
	const uint8_t *p = der;
	ASN1_VALUE *v = ASN1_item_d2i(NULL, &p, (long)n, it);

	if (v == NULL || p == der + n)
		return v;
	ASN1_item_free(v, it);
	return NULL;
}

size_t
tlv_sequence(const uint8_t *p, size_t n, size_t *head)
{
	size_t bytes, len, i;

	if (n < 2 || p[0] != (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED) ||
	    p[1] == 0x80 || p[1] > 0x84)
		return 0;
	bytes = p[1] < 0x80 ? 0 : p[1] & 0x7fu;
	*head = 2 + bytes;
	if (n < *head)
		return 0;
	for (len = bytes == 0 ? p[1] : 0, i = 0; i < bytes; i++)
		len = len << 8 | p[2 + i];
	/* DER has the shortest form only */
	if (bytes != 0 && (p[2] == 0 || len < 0x80))
		return 0;
	return *head + len;
}
