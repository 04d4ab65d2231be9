#include "tlv.h"

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
