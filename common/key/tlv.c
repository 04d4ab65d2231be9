#include "key/tlv.h"

#include <string.h>

int
tlv_step(const uint8_t **p, const uint8_t *end, int tag, int class, int over)
{
	int is, of, form;
	long len;

	form = ASN1_get_object(p, &len, &is, &of, end - *p);
	if ((form & ~V_ASN1_CONSTRUCTED) != 0 || is != tag ||
	    (of | form) != class)
		return 0;
	*p += over ? len : 0;
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
tlv_uint(struct tlv_part *v, const uint8_t **p, const uint8_t *end)
{
	const uint8_t *q = *p;
	struct tlv_part all;
	size_t n;

	if (!tlv_step(&q, end, TLV_INT, 0) || !tlv_part(&all, p, end, TLV_INT))
		return 0;
	n = (size_t)(*p - q);
	if (n == 0 || q[0] > 0x7f || (n > 1 && q[0] == 0 && q[1] < 0x80) ||
	    (int)all.n != ASN1_object_size(0, (int)n, V_ASN1_INTEGER))
		return 0;
	v->p = q + (q[0] == 0);
	v->n = n - (q[0] == 0);
	return 1;
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

uint8_t *
tlv_recode(const uint8_t *ber, size_t n, const ASN1_ITEM *it, size_t *len)
{
	ASN1_VALUE *v = tlv_item(ber, n, it);
	uint8_t *der = NULL;
	int size = ASN1_item_i2d(v, &der, it);

	ASN1_item_free(v, it);
	*len = size > 0 ? (size_t)size : 0;
	return der;
}
