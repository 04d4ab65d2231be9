#include "report/html.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/heap.h"
#include "base/text.h"
#include "base/tool.h"

void
html_begin(FILE *fp, const char *title, const char *foot)
{
	uint8_t md[32];
	char b64[48], *css;
	size_t n = strlen(html_css) + strlen(foot) + 64;

	if ((css = malloc(n)) == NULL)
		heap_nomem();
	(void)snprintf(css, n,
	    "%s@page { @bottom-left { content: \"%s\"; } }\n", html_css, foot);
	/* the page may use this very style, and nothing else whatsoever */
	digest_sha256(md, css, strlen(css));
	(void)EVP_EncodeBlock((unsigned char *)b64, md, sizeof(md));
	(void)fprintf(fp,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	    "'none'; style-src 'sha256-%s'; img-src data:; base-uri 'none'; "
	    "form-action 'none'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"referrer\" "
	    "content=\"no-referrer\">\n<meta name=\"generator\" "
	    "content=\"kms2ca " TOOL_VERSION "\">\n<link rel=\"icon\" "
	    "href=\"data:,\">\n<title>%s</title>\n<style>%s</style>\n</head>\n"
	    "<body>\n",
	    b64, title, css);
	free(css);
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
html_table(FILE *fp, const char *id, const char *caption, const char *heads,
    int wide)
{
	const char *class = "";
	size_t n;

	(void)fprintf(fp, "<div class=\"%s\"", wide ? "scroll" : "tab");
	if (id != NULL)
		(void)fprintf(fp, " id=\"%s\"", id);
	else if (wide)
		(void)fprintf(fp,
		    " role=\"region\" tabindex=\"0\" aria-label=\"%s\"",
		    caption);
	(void)fprintf(fp, ">\n<table>\n<caption>%s</caption>\n<thead><tr>",
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
html_cell(FILE *fp, enum html_kind kind, const char *s, size_t n)
{
	static const char *const begin[] = { "<td>", "<td class=\"day\">",
		"<td><code>", "<td class=\"num\">" };

	(void)fputs(begin[kind], fp);
	html_text(fp, s, kind == HTML_DAY && n == 20 ? 10 : n);
	(void)fputs(kind == HTML_CODE ? "</code></td>" : "</td>", fp);
}

void
html_cell_number(FILE *fp, unsigned long long v)
{
	(void)fputs("<td class=\"num\">", fp);
	html_number(fp, v);
	(void)fputs("</td>", fp);
}

void
html_csv_begin(FILE *fp, const char *name)
{
	(void)fprintf(fp,
	    "</tbody>\n</table>\n<p class=\"soft\"><a download=\"%s.csv\" "
	    "href=\"data:text/csv;charset=utf-8,",
	    name);
}

/* Writes a byte of the file as it may be in an address. */
static void
csv_byte(FILE *fp, int c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == ',')
		(void)putc(c, fp);
	else
		(void)fprintf(fp, "%%%02X", c);
}

void
html_csv(FILE *fp, const char *s, size_t n, int first)
{
	char vis[HTML_TEXT];
	const char *p = text_vis(vis, sizeof(vis), s, n);

	if (!first)
		csv_byte(fp, ',');
	csv_byte(fp, '"');
	/* a spreadsheet would take it for a formula */
	if (*p != '\0' && strchr("=+-@", *p) != NULL)
		csv_byte(fp, '\'');
	for (; *p != '\0'; p++) {
		if (*p == '"')
			csv_byte(fp, '"');
		csv_byte(fp, (unsigned char)*p);
	}
	csv_byte(fp, '"');
}

void
html_csv_row_end(FILE *fp)
{
	(void)fputs("%0D%0A", fp);
}

void
html_csv_end(FILE *fp, const char *name, unsigned long long lines)
{
	(void)fprintf(fp, "\">%s.csv</a>: ", name);
	html_number(fp, lines);
	(void)fprintf(fp,
	    " %s, to sort and search in a spreadsheet</p>\n</div>\n",
	    lines == 1 ? "row" : "rows");
}
