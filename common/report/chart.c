#include "report/chart.h"

#include "report/html.h"

#define TOP    14.0 /* of the columns, percent of the height */
#define BOTTOM 88.0
#define LEAST  1.2 /* of a part that is not 0, percent of the width */
#define LABELS 12 /* as many fit beside one another */

static double
percent(unsigned long long v, unsigned long long all)
{
	return all == 0 ? 0 : 100.0 * (double)v / (double)all;
}

/* Sets the widths of parts: the largest pays so that any above 0 is seen. */
static void
widths(const struct chart_bar *b, size_t n, double *w)
{
	unsigned long long all = 0;
	double sum = 0;
	size_t i, most = 0;

	for (i = 0; i < n; i++)
		all += b[i].v;
	for (i = 0; i < n; i++) {
		w[i] = percent(b[i].v, all);
		if (b[i].v > 0 && w[i] < LEAST)
			w[i] = LEAST;
		most = w[i] > w[most] ? i : most;
		sum += w[i];
	}
	if (all > 0)
		w[most] -= sum - 100;
}

void
chart_stack(FILE *fp, const char *title, const struct chart_bar *b, size_t n)
{
	double x = 0, w[CHART_PARTS];
	size_t i;

	widths(b, n, w);
	(void)fprintf(fp,
	    "<svg class=\"stack\" role=\"img\" aria-labelledby=\"stack-t "
	    "stack-d\"><title id=\"stack-t\">%s</title><desc id=\"stack-d\">",
	    title);
	for (i = 0; i < n; i++)
		(void)fprintf(fp, "%s%s: %llu", i == 0 ? "" : ", ", b[i].label,
		    b[i].v);
	(void)fputs("</desc>\n", fp);
	for (i = 0; i < n; x += w[i++])
		if (b[i].v > 0)
			(void)fprintf(fp,
			    "<rect class=\"f-%s\" x=\"%.3f%%\" "
			    "width=\"%.3f%%\" height=\"100%%\"/>\n",
			    b[i].class, x, w[i]);
	(void)fputs("</svg>\n<ul class=\"key\">", fp);
	for (i = 0; i < n; i++) {
		if (b[i].v == 0)
			continue;
		(void)fprintf(fp,
		    "<li><svg aria-hidden=\"true\"><rect class=\"f-%s\" "
		    "width=\"100%%\" height=\"100%%\" rx=\"3\"/></svg>%s: ",
		    b[i].class, b[i].label);
		html_number(fp, b[i].v);
		(void)fputs("</li>", fp);
	}
	(void)fputs("</ul>\n", fp);
}

/* Returns a round number that is not below v: 1, 2 or 5, and zeros. */
static unsigned long long
ceiling(unsigned long long v)
{
	unsigned long long unit = 1;

	while (unit * 10 <= v && unit < 100000000000000000ULL)
		unit *= 10;
	return v <= unit  ? unit :
	    v <= 2 * unit ? 2 * unit :
	    v <= 5 * unit ? 5 * unit :
			    10 * unit;
}

/* Draws lines across at 0, half and all of the height. */
static void
grid(FILE *fp, unsigned long long most)
{
	unsigned i;
	double y;

	for (i = 0; i <= 2; i++) {
		y = BOTTOM - (BOTTOM - TOP) * i / 2;
		(void)fprintf(fp,
		    "<line x1=\"0\" x2=\"100%%\" y1=\"%.1f%%\" "
		    "y2=\"%.1f%%\"/>\n",
		    y, y);
		if (i > 0 && most % 2 == 0) {
			(void)fprintf(fp,
			    "<text x=\"0\" y=\"%.1f%%\" dy=\"-3\">", y);
			html_number(fp, most / 2 * i);
			(void)fputs("</text>\n", fp);
		}
	}
}

void
chart_columns(FILE *fp, const char *title, const char *what, size_t first,
    const unsigned long long *v, size_t n)
{
	unsigned long long most = 1;
	size_t i, top = 0, every = (n + LABELS - 1) / LABELS;
	double x, h, slot = 94.0 / (double)n;

	for (i = 0; i < n; i++)
		top = v[i] > v[top] ? i : top;
	most = ceiling(v[top] < 2 ? 2 : v[top]);
	(void)fprintf(fp,
	    "<svg class=\"chart\" role=\"img\" aria-labelledby=\"chart-t "
	    "chart-d\"><title id=\"chart-t\">%s</title><desc id=\"chart-d\">"
	    "%s from %zu to %zu: most in %zu, %llu. The numbers are in the "
	    "table below.</desc>\n",
	    title, what, first, first + n - 1, first + top, v[top]);
	grid(fp, most);
	for (i = 0; i < n; i++) {
		x = 6 + slot * (double)i;
		h = (BOTTOM - TOP) * percent(v[i], most) / 100;
		(void)fprintf(fp,
		    "<rect class=\"f-bar\" x=\"%.3f%%\" y=\"%.3f%%\" "
		    "width=\"%.3f%%\" height=\"%.3f%%\" rx=\"2\"/>\n",
		    x + slot * 0.12, BOTTOM - h, slot * 0.76, h);
		if (n <= LABELS && v[i] > 0) {
			(void)fprintf(fp,
			    "<text class=\"top\" x=\"%.3f%%\" y=\"%.3f%%\" "
			    "dy=\"-5\" text-anchor=\"middle\">",
			    x + slot / 2, BOTTOM - h);
			html_number(fp, v[i]);
			(void)fputs("</text>\n", fp);
		}
		if (i % every == 0)
			(void)fprintf(fp,
			    "<text x=\"%.3f%%\" y=\"100%%\" dy=\"-4\" "
			    "text-anchor=\"middle\">%zu</text>\n",
			    x + slot / 2, first + i);
	}
	(void)fputs("</svg>\n", fp);
}

void
chart_cell(FILE *fp, unsigned long long v, unsigned long long most)
{
	(void)fprintf(fp,
	    "<td class=\"bars\"><svg aria-hidden=\"true\" height=\"10\">"
	    "<rect class=\"f-track\" width=\"100%%\" height=\"10\" rx=\"5\"/>"
	    "<rect class=\"f-bar\" width=\"%.3f%%\" height=\"10\" rx=\"5\"/>"
	    "</svg></td>",
	    percent(v, most));
}
