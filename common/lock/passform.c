#include "lock/passform.h"

#include <openssl/crypto.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/heap.h"
#include "base/text.h"

/*
 * Writes a password as UTF-16BE, its terminator not counted.  Text that is not
 * UTF-8, or latin, is taken as Latin-1.
 */
static void
utf16(uint8_t *dst, size_t *n, const char *pass, int latin)
{
	unsigned char *uni;
	int len;

	uni = latin ? OPENSSL_asc2uni(pass, -1, NULL, &len) :
		      OPENSSL_utf82uni(pass, -1, NULL, &len);
	if (uni == NULL)
		heap_nomem();
	memcpy(dst, uni, (size_t)len);
	*n = (size_t)len - 2;
	OPENSSL_clear_free(uni, (size_t)len);
}

/* Writes a UTF-8 password as Latin-1.  Returns 0 if it has none. */
static int
latin1(struct passform *f)
{
	size_t i;

	for (i = 0; i < f->nbmp; i += 2) {
		if (f->bmp[i] != 0)
			return 0;
		f->raw[i / 2] = f->bmp[i + 1];
	}
	f->nraw = f->nbmp / 2;
	return 1;
}

/* Writes a Latin-1 password as UTF-8.  Returns its length. */
static size_t
utf8(uint8_t *dst, const char *pass)
{
	size_t n = 0;

	for (; *pass != '\0'; pass++) {
		if ((unsigned char)*pass < 0x80) {
			dst[n++] = (uint8_t)*pass;
			continue;
		}
		dst[n++] = (uint8_t)(0xc0 | (unsigned char)*pass >> 6);
		dst[n++] = (uint8_t)(0x80 | ((unsigned char)*pass & 0x3f));
	}
	return n;
}

static int
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s > 0x7f)
			return 0;
	return 1;
}

/*
 * Makes the form of a writer in the other encoding: UTF-8 byte by byte, and
 * Latin-1 where UTF-8 ought to be.
 */
static int
other_encoding(struct passform *f, const char *pass)
{
	if (is_ascii(pass))
		return 0;
	if (!text_utf8(pass, strlen(pass))) {
		f->has_raw = 1;
		f->nraw = utf8(f->raw, pass);
		return 1;
	}
	f->has_raw = latin1(f);
	utf16(f->bmp, &f->nbmp, pass, 1);
	f->nbmp += 2;
	f->has_bmp = 1;
	return 1;
}

int
passform_of(struct passform *f, const char *pass, int i)
{
	memset(f, 0, sizeof(*f));
	if (strlen(pass) > SECRET_MAX)
		return 0;
	utf16(f->bmp, &f->nbmp, pass, 0);
	switch (i) {
	case 0:
		f->has_bmp = f->has_raw = 1;
		f->nbmp += 2;
		f->nraw = strlen(pass);
		memcpy(f->raw, pass, f->nraw);
		return 1;
	case 1:
		(void)other_encoding(f, pass);
		return 1;
	case 2: /* UTF-16 without terminator, if empty: nothing at all */
		f->has_bmp = 1;
		return 1;
	case 3:
		f->has_raw = 1;
		f->nraw = f->nbmp + 2;
		break;
	case 4:
		f->has_raw = f->nbmp > 0;
		f->nraw = f->nbmp;
		break;
	default:
		return 0;
	}
	memcpy(f->raw, f->bmp, f->nraw);
	return 1;
}

void
passform_wipe(struct passform *f)
{
	OPENSSL_cleanse(f, sizeof(*f));
}

int
passform_next(struct passform_tries *t, struct passform *f)
{
	for (;; t->i = 0, t->form++, t->more = 0) {
		while ((t->pass = secret_try(t->secrets, t->i)) != NULL) {
			t->i++;
			if (!passform_of(f, t->pass, t->form))
				continue;
			t->more = 1;
			if (f->has_bmp || f->has_raw)
				return 1;
		}
		if (!t->more)
			return 0;
	}
}

void
passform_worked(const struct passform_tries *t)
{
	secret_worked(t->secrets, t->i - 1);
}
