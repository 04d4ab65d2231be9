#include "report/years.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#define ALL 10000

void
years_init(struct years *y)
{
	memset(y, 0, sizeof(*y));
	if ((y->of = calloc(ALL, sizeof(*y->of))) == NULL)
		heap_nomem();
}

void
years_free(struct years *y)
{
	free(y->of);
}

/* Returns the year of a time, or -1. */
static int
year_of(const char *s, size_t n)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	size_t i;
	int year = 0;

	if (n != sizeof(form) - 1)
		return -1;
	for (i = 0; i < n; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return -1;
	for (i = 0; i < 4; i++)
		year = year * 10 + (s[i] - '0');
	return year;
}

void
years_add(struct years *y, const char *from, size_t nfrom, const char *to,
    size_t nto)
{
	int a = year_of(from, nfrom), b = year_of(to, nto);

	y->n++;
	if (a == -1 || b < a) {
		y->undated++;
		return;
	}
	y->of[a].from++;
	y->of[b].to++;
}

size_t
years_range(const struct years *y, size_t *first, int *cut)
{
	unsigned long long here = 0, most = 0;
	size_t lo = ALL, hi = 0, i;

	for (i = 0; i < ALL; i++)
		if (y->of[i].from > 0 || y->of[i].to > 0) {
			lo = lo == ALL ? i : lo;
			hi = i;
		}
	*first = lo;
	*cut = lo != ALL && hi - lo >= YEARS_SHOWN;
	if (!*cut)
		return lo == ALL ? 0 : hi - lo + 1;
	for (i = lo; i <= hi; i++) {
		here += y->of[i].from;
		if (i >= lo + YEARS_SHOWN)
			here -= y->of[i - YEARS_SHOWN].from;
		if (here > most) {
			most = here;
			*first = i < lo + YEARS_SHOWN ? lo :
							i - YEARS_SHOWN + 1;
		}
	}
	return YEARS_SHOWN;
}

unsigned long long
years_valid(const struct years *y, size_t year)
{
	unsigned long long n = 0;
	size_t i;

	for (i = 0; i <= year; i++)
		n += y->of[i].from - (i < year ? y->of[i].to : 0);
	return n;
}
