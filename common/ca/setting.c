#include "ca/setting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bit {
	const char *name;
	uint32_t v;
} kraf[] = { { "KRAF_ENABLEFOREIGN", KRAF_ENABLEFOREIGN },
	{ "KRAF_SAVEBADREQUESTKEY", 2 }, { "KRAF_ENABLEARCHIVEALL", 4 },
	{ "KRAF_DISABLEUSEDEFAULTPROVIDER", 8 }, { NULL, 0 } };

static const struct setting {
	const char *name;
	const struct bit *bits; /* NULL: a number */
	uint32_t max;
	uint32_t idle; /* bits that nobody reads */
} settings[] = {
	{ "KRAFlags", kraf, 0xf, 0xf & ~KRAF_ENABLEFOREIGN },
	{ "KRACertCount", NULL, 1000, 0 },
	{ "RoleSeparationEnabled", NULL, 1, 1 },
};

#define NSETTINGS (sizeof(settings) / sizeof(settings[0]))

static const struct setting *
find(const char *name)
{
	size_t i;

	if (strncasecmp(name, "ca\\", 3) == 0)
		name += 3;
	for (i = 0; i < NSETTINGS; i++)
		if (strcasecmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

const char *
setting_find0(const char *name, struct reason *w)
{
	const struct setting *f = find(name);

	if (f != NULL)
		return f->name;
	reason_set(w, "flag",
	    "%s: unknown setting (known: KRAFlags, "
	    "KRACertCount, RoleSeparationEnabled)",
	    name);
	return NULL;
}

const char *
setting_name0(size_t i)
{
	return i < NSETTINGS ? settings[i].name : NULL;
}

uint32_t
setting_idle(const char *name, uint32_t v)
{
	return v & find(name)->idle;
}

/* Reads a symbol of this setting, or a number as certutil takes it. */
static int
value_of(const struct setting *f, const char *s, uint32_t *v)
{
	const struct bit *b;
	unsigned long n;
	char *end;

	for (b = f->bits; b != NULL && b->name != NULL; b++)
		if (strcasecmp(b->name, s) == 0) {
			*v = b->v;
			return 1;
		}
	if (*s < '0' || *s > '9')
		return 0;
	errno = 0;
	n = strtoul(s, &end, strncasecmp(s, "0x", 2) == 0 ? 16 : 10);
	if (*end != '\0' || errno != 0 || n > UINT32_MAX)
		return 0;
	*v = (uint32_t)n;
	return 1;
}

int
setting_apply(const char *name, const char *value, uint32_t old, uint32_t *v,
    struct reason *w)
{
	const struct setting *f = find(name);
	int sign = *value == '+' || *value == '-' ? *value : 0;
	uint32_t n;

	if (f == NULL)
		return setting_find0(name, w) != NULL;
	if (sign && f->bits == NULL)
		return reason_set(w, "flag",
		    "%s is a number: + and - are for "
		    "bits",
		    f->name);
	if (!value_of(f, value + (sign != 0), &n))
		return reason_set(w, "flag", "%s: not a number%s", value,
		    f->bits == NULL ?
			"" :
			" nor a symbol of KRAFlags "
			"(KRAF_ENABLEFOREIGN, KRAF_SAVEBADREQUESTKEY, "
			"KRAF_ENABLEARCHIVEALL, KRAF_DISABLEUSEDEFAULTPROVIDER)");
	if (sign == '+')
		n = old | n;
	else if (sign == '-')
		n = old & ~n;
	if (f->bits != NULL ? (n & ~f->max) != 0 : n > f->max)
		return reason_set(w, "flag", "%s: more than %s allows (%u)",
		    value, f->name, f->max);
	*v = n;
	return 1;
}

const char *
setting_bit0(const char *name, size_t i, uint32_t *v)
{
	const struct setting *f = find(name);

	if (f == NULL || f->bits == NULL || f->bits[i].name == NULL)
		return NULL;
	*v = f->bits[i].v;
	return f->bits[i].name;
}

char *
setting_symbols(const char *name, uint32_t v, char *dst, size_t size)
{
	const char *symbol;
	uint32_t bit;
	size_t i, n = 0;

	dst[0] = '\0';
	for (i = 0; (symbol = setting_bit0(name, i, &bit)) != NULL; i++)
		if (v & bit)
			n += (size_t)snprintf(dst + n, size - n, "%s%s",
			    n == 0 ? "" : " ", symbol);
	return dst;
}
