#include "tlv.h"

#include <openssl/asn1.h>

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
