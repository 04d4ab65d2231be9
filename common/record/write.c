#include "record/write.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/text.h"

struct rec_out *
rec_out_new(FILE *fp)
{
	struct rec_out *o;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	o->fp = fp;
	o->buf = OPENSSL_secure_malloc(REC_LINE_MAX);
	o->md = EVP_MD_CTX_new();
	if (o->buf == NULL || o->md == NULL ||
	    !EVP_DigestInit_ex(o->md, EVP_sha256(), NULL)) {
		rec_out_free(o);
		return NULL;
	}
	return o;
}

void
rec_out_free(struct rec_out *o)
{
	if (o == NULL)
		return;
	OPENSSL_secure_clear_free(o->buf, REC_LINE_MAX);
	EVP_MD_CTX_free(o->md);
	free(o);
}

/* Makes room for n bytes.  Returns where they go, or NULL if too many. */
static char *
room(struct rec_out *o, size_t n)
{
	if (o->overflow || n > REC_LINE_MAX - 1 - o->len) {
		o->overflow = 1;
		return NULL;
	}
	o->len += n;
	return o->buf + o->len - n;
}

static void
add(struct rec_out *o, const char *s, size_t n)
{
	char *p = room(o, n);

	if (p != NULL && n > 0)
		memcpy(p, s, n);
}

static void
label(struct rec_out *o, const char *name, const char *end)
{
	add(o, "\t", 1);
	add(o, name, strlen(name));
	add(o, end, strlen(end));
}

void
rec_begin(struct rec_out *o, const char *type)
{
	o->len = 0;
	o->overflow = 0;
	add(o, "rec:", 4);
	add(o, type, strlen(type));
}

/* Returns 1 if s may stand as text, apart from the four escapes. */
static int
escapable(const char *s, size_t n)
{
	size_t i = 0;

	while ((i += text_span(s + i, n - i)) < n)
		if (strchr("\t\n\r", s[i]) == NULL || s[i++] == '\0')
			return 0;
	return 1;
}

static void
add_b64(struct rec_out *o, const uint8_t *p, size_t n)
{
	char *d = room(o, encode_b64_len(n));

	/* the NUL that EVP_EncodeBlock() adds has its place in the buffer */
	if (d != NULL && n > 0)
		(void)EVP_EncodeBlock((unsigned char *)d, p, (int)n);
}

void
rec_put(struct rec_out *o, const char *name, const char *s, size_t n)
{
	size_t i, run;

	if (!escapable(s, n)) {
		label(o, name, "_b64:");
		add_b64(o, (const uint8_t *)s, n);
		return;
	}
	label(o, name, ":");
	for (i = 0; i < n; i += run + 1) {
		for (run = 0;
		     i + run < n && s[i + run] != '\\' && s[i + run] != '\t' &&
		     s[i + run] != '\n' && s[i + run] != '\r';
		     run++)
			continue;
		add(o, s + i, run);
		if (i + run < n)
			add(o,
			    s[i + run] == '\\'	   ? "\\\\" :
				s[i + run] == '\t' ? "\\t" :
				s[i + run] == '\n' ? "\\n" :
						     "\\r",
			    2);
	}
}

void
rec_put_text(struct rec_out *o, const char *name, struct text t)
{
	rec_put(o, name, t.s, t.n);
}

void
rec_puts(struct rec_out *o, const char *name, const char *s)
{
	rec_put(o, name, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

void
rec_put_u64(struct rec_out *o, const char *name, unsigned long long v)
{
	char s[24];

	(void)snprintf(s, sizeof(s), "%llu", v);
	rec_puts(o, name, s);
}

void
rec_put_id(struct rec_out *o, const char *name, int64_t v)
{
	if (v > 0)
		rec_put_u64(o, name, (unsigned long long)v);
	else
		rec_puts(o, name, "");
}

void
rec_put_hex(struct rec_out *o, const char *name, const uint8_t *p, size_t n)
{
	char two[3];
	size_t i;

	label(o, name, ":");
	for (i = 0; i < n; i++)
		add(o, encode_hex(two, p + i, 1), 2);
}

void
rec_put_b64(struct rec_out *o, const char *name, const uint8_t *p, size_t n)
{
	label(o, name, ":");
	add_b64(o, p, n);
}

void
rec_put_label(struct rec_out *o, const char *name)
{
	label(o, name, ":");
}

void
rec_put_field(struct rec_out *o, const struct rec *r, const char *name)
{
	const struct rec_field *f = rec_either0(r, name);

	if (f == NULL) {
		label(o, name, ":");
		return;
	}
	add(o, "\t", 1);
	add(o, f->label, f->llen + 1 + f->vlen);
}

/* Is it standard output, and that a terminal? */
static int
is_terminal(FILE *fp)
{
	static int terminal = -1;

	if (fp != stdout)
		return 0;
	if (terminal == -1)
		terminal = isatty(STDOUT_FILENO);
	return terminal;
}

int
rec_write(FILE *fp, const char *s, size_t n)
{
	const char *end = s + n, *value;

	if (!is_terminal(fp))
		return fwrite(s, 1, n, fp) == n;
	for (; s < end; s += n) {
		n = 1;
		while (s + n < end && s[n] != '\t' && s[n] != '\n')
			n++;
		value = memchr(s, ':', n);
		if (value == NULL || s + n - value <= REC_SHOWN) {
			(void)fwrite(s, 1, n, fp);
			continue;
		}
		value += REC_SHOWN - 3;
		while ((*value & 0xc0) == 0x80) /* within a character */
			value--;
		(void)fprintf(fp, "%.*s...", (int)(value - s), s);
	}
	return !ferror(fp);
}

int
rec_end(struct rec_out *o)
{
	int ok;

	if (o->overflow)
		return 0;
	if (memcmp(o->buf, "rec:stream\t", 11) != 0)
		o->n++;
	o->keys += memcmp(o->buf, "rec:key\t", 8) == 0;
	o->certs += memcmp(o->buf, "rec:cert\t", 9) == 0;
	o->faults += memcmp(o->buf, "rec:fault\t", 10) == 0;
	ok = EVP_DigestUpdate(o->md, o->buf, o->len) &&
	    EVP_DigestUpdate(o->md, "\n", 1) &&
	    rec_write(o->fp, o->buf, o->len) && putc('\n', o->fp) != EOF;
	OPENSSL_cleanse(o->buf, o->len);
	return ok ? 1 : -1;
}

void
rec_put_counts(struct rec_out *o)
{
	uint8_t md[32];

	rec_put_u64(o, "n", o->n);
	rec_put_u64(o, "keys", o->keys);
	rec_put_u64(o, "certs", o->certs);
	rec_put_u64(o, "faults", o->faults);
	/* the line at hand is no part of it; and OpenSSL 3.5 adds to no digest
	 * that is final */
	if (!EVP_DigestFinal_ex(o->md, md, NULL) ||
	    !EVP_DigestInit_ex(o->md, NULL, NULL))
		o->overflow = 1;
	rec_put_hex(o, "sha256", md, sizeof(md));
}

int
rec_close(struct rec_out *o)
{
	rec_begin(o, "end");
	rec_put_counts(o);
	rec_put_label(o, "sig");
	if (o->overflow || !rec_write(o->fp, o->buf, o->len) ||
	    putc('\n', o->fp) == EOF)
		return -1;
	return 1;
}
