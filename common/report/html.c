#include "report/html.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "base/tool.h"

/* The page may use this very html_css, and nothing else whatsoever. */
static void
policy(FILE *fp)
{
	uint8_t md[32];
	char b64[48];

	digest_sha256(md, html_css, strlen(html_css));
	(void)EVP_EncodeBlock((unsigned char *)b64, md, sizeof(md));
	(void)fprintf(fp,
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	    "'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; "
	    "form-action 'none'\">\n",
	    b64);
}

void
html_begin(FILE *fp, const char *title)
{
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		    "<meta charset=\"utf-8\">\n",
	    fp);
	policy(fp);
	(void)fprintf(fp,
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"referrer\" "
	    "content=\"no-referrer\">\n<meta name=\"generator\" "
	    "content=\"kms2ca " TOOL_VERSION "\">\n<link rel=\"icon\" "
	    "href=\"data:,\">\n<title>%s</title>\n<style>%s</style>\n</head>\n"
	    "<body>\n",
	    title, html_css);
}

void
html_end(FILE *fp)
{
	(void)fputs("</body>\n</html>\n", fp);
}

void
html_text(FILE *fp, const char *s, size_t n)
{
	char vis[HTML_TEXT];
	const char *p;

	if (n == 0) {
		(void)fputs("&ndash;", fp);
		return;
	}
	(void)fputs("<bdi>", fp);
	for (p = text_vis(vis, sizeof(vis), s, n); *p != '\0'; p++)
		switch (*p) {
		case '&':
			(void)fputs("&amp;", fp);
			break;
		case '<':
			(void)fputs("&lt;", fp);
			break;
		case '>':
			(void)fputs("&gt;", fp);
			break;
		case '"':
			(void)fputs("&quot;", fp);
			break;
		case '\'':
			(void)fputs("&#39;", fp);
			break;
		default:
			(void)putc(*p, fp);
		}
	(void)fputs("</bdi>", fp);
}

void
html_number(FILE *fp, unsigned long long v)
{
	char s[24];
	int i, n = snprintf(s, sizeof(s), "%llu", v);

	for (i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			(void)putc(',', fp);
		(void)putc(s[i], fp);
	}
}

void
html_hex(FILE *fp, const uint8_t *p, size_t n)
{
	size_t i;

	(void)fputs("<code>", fp);
	for (i = 0; i < n; i++)
		(void)fprintf(fp, "%02x", p[i]);
	(void)fputs("</code>", fp);
}

void
html_section(FILE *fp, const char *id, const char *heading)
{
	(void)fprintf(fp,
	    "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id,
	    heading);
}

void
html_section_end(FILE *fp)
{
	(void)fputs("</section>\n", fp);
}

void
html_table(FILE *fp, const char *caption, const char *heads, int wide)
{
	const char *class = "";
	size_t n;

	if (wide)
		(void)fprintf(fp,
		    "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		    "aria-label=\"%s\">\n",
		    caption);
	else
		(void)fputs("<div class=\"tab\">\n", fp);
	(void)fprintf(fp, "<table>\n<caption>%s</caption>\n<thead><tr>",
	    caption);
	for (; *heads != '\0'; heads += n + (heads[n] == '|')) {
		if (*heads == '#') {
			class = " class=\"num\"";
			heads++;
		}
		n = strcspn(heads, "|");
		if (*heads == '-')
			(void)fputs("<td class=\"bars\"></td>", fp);
		else
			(void)fprintf(fp, "<th scope=\"col\"%s>%.*s</th>",
			    class, (int)n, heads);
	}
	(void)fputs("</tr></thead>\n<tbody>\n", fp);
}

void
html_table_end(FILE *fp)
{
	(void)fputs("</tbody>\n</table>\n</div>\n", fp);
}

void
html_row(FILE *fp, const char *class, const char *s, size_t n)
{
	(void)fprintf(fp, "<tr class=\"%s\"><th scope=\"row\">", class);
	html_text(fp, s, n);
	(void)fputs("</th>", fp);
}

void
html_row_end(FILE *fp)
{
	(void)fputs("</tr>\n", fp);
}

void
html_cell(FILE *fp, const char *s, size_t n)
{
	(void)fputs("<td>", fp);
	html_text(fp, s, n);
	(void)fputs("</td>", fp);
}

void
html_cell_day(FILE *fp, const char *s, size_t n)
{
	/* of a time, the day */
	(void)fputs("<td class=\"day\">", fp);
	html_text(fp, s, n == 20 ? 10 : n);
	(void)fputs("</td>", fp);
}

void
html_cell_number(FILE *fp, unsigned long long v)
{
	(void)fputs("<td class=\"num\">", fp);
	html_number(fp, v);
	(void)fputs("</td>", fp);
}

void
html_cell_code(FILE *fp, const char *s, size_t n)
{
	(void)fputs("<td><code>", fp);
	html_text(fp, s, n);
	(void)fputs("</code></td>", fp);
}
