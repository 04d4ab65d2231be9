#include "ca/certutil_view.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/msg.h"
#include "base/reason.h"
#include "ca/setting.h"
#include "key/cert.h"

/* Prints "a (10)": hex, and decimal where that differs. */
static char *
number(char dst[48], const char *prefix, unsigned long v)
{
	if (v < 10)
		(void)snprintf(dst, 48, "%s%lx", prefix, v);
	else
		(void)snprintf(dst, 48, "%s%lx (%lu)", prefix, v, v);
	return dst;
}

static void
value(const char *name, uint32_t v, int all)
{
	const char *symbol;
	char num[48];
	uint32_t bit;
	size_t i;

	msg_line("  %s REG_DWORD = %s", name, number(num, "", v));
	for (i = 0; (symbol = setting_bit0(name, i, &bit)) != NULL; i++)
		if (v & bit)
			msg_line("    %s -- %s", symbol, number(num, "", bit));
		else if (all)
			msg_line("    (%s -- %s)", symbol,
			    number(num, "", bit));
}

void
certutil_view_setting(const char *name, uint32_t old, uint32_t new, int set,
    int all)
{
	msg_line("ca\\%s:", name);
	msg_line("%s", "");
	if (set) {
		msg_line("Old Value:");
		value(name, old, all);
		msg_line("%s", "");
		msg_line("New Value:");
	}
	value(name, new, all);
}

/* The columns of [MS-CSRA] appendix B, <4>, that are shown. */
enum {
	ID,
	DISPOSITION,
	SUBMITTED,
	REQUESTER,
	KEY,
	HASHES,
	THUMB,
	SERIAL,
	FROM,
	TO,
	SKI,
	BITS,
	UPN,
	SUBJECT,
	CN,
	MAIL,
	COLUMNS
};

static const struct {
	const char *column, *name, *type, *max;
} columns[COLUMNS] = {
	[ID] = { "Request.RequestID", "Request ID", "Long", "4 -- Indexed" },
	[DISPOSITION] = { "Request.Disposition", "Request Disposition", "Long",
	    "4 -- Indexed" },
	[SUBMITTED] = { "Request.SubmittedWhen", "Request Submission Date",
	    "Date", "8 -- Indexed" },
	[REQUESTER] = { "Request.RequesterName", "Requester Name", "String",
	    "2048 -- Indexed" },
	[KEY] = { "Request.RawArchivedKey", "Archived Key", "Binary", "65536" },
	[HASHES] = { "Request.KeyRecoveryHashes", "Key Recovery Agent Hashes",
	    "String", "8192" },
	[THUMB] = { "CertificateHash", "Certificate Hash", "String",
	    "128 -- Indexed" },
	[SERIAL] = { "SerialNumber", "Serial Number", "String",
	    "128 -- Indexed" },
	[FROM] = { "NotBefore", "Certificate Effective Date", "Date", "8" },
	[TO] = { "NotAfter", "Certificate Expiration Date", "Date",
	    "8 -- Indexed" },
	[SKI] = { "SubjectKeyIdentifier", "Issued Subject Key Identifier",
	    "String", "128" },
	[BITS] = { "PublicKeyLength", "Public Key Length", "Long", "4" },
	[UPN] = { "UPN", "User Principal Name", "String", "2048 -- Indexed" },
	[SUBJECT] = { "DistinguishedName", "Issued Distinguished Name",
	    "String", "8192" },
	[CN] = { "CommonName", "Issued Common Name", "String",
	    "8192 -- Indexed" },
	[MAIL] = { "EMail", "Issued Email address", "String", "8192" },
};

void
certutil_view_schema(void)
{
	static const char line[] = "----------------------------";
	size_t i;

	msg_line("Schema:");
	msg_line("  %-28s  %-28s  %-6s  %s", "Column Name", "Localized Name",
	    "Type", "MaxLength");
	msg_line("  %s  %s  %.6s  %.9s", line, line, line, line);
	for (i = 0; i < COLUMNS; i++)
		msg_line("  %-28s  %-28s  %-6s  %s", columns[i].column,
		    columns[i].name, columns[i].type, columns[i].max);
}

/* Prints a string in quotes, or EMPTY. */
static void
text(int i, const char *s)
{
	if (*s == '\0')
		msg_line("  %s: EMPTY", columns[i].name);
	else
		msg_line("  %s: \"%s\"", columns[i].name, s);
}

/* Prints hex as byte pairs. */
static void
pairs(int i, const char *hex)
{
	char spaced[3 * 64 + 1], *p = spaced;

	while (hex[0] != '\0' && hex[1] != '\0' &&
	    p < spaced + sizeof(spaced) - 3) {
		*p++ = *hex++;
		*p++ = *hex++;
		*p++ = ' ';
	}
	if (p != spaced)
		p--;
	*p = '\0';
	text(i, spaced);
}

static void
num(int i, unsigned long v, const char *meaning)
{
	char dst[48];

	msg_line("  %s: %s%s%s", columns[i].name, number(dst, "0x", v),
	    *meaning == '\0' ? "" : " -- ", meaning);
}

/* Prints 2026-05-23T17:39:00Z as 5/23/2026 5:39 PM. */
static void
date(int i, const char *s)
{
	unsigned y, mon, d, h, min;

	if (sscanf(s, "%u-%u-%uT%u:%u", &y, &mon, &d, &h, &min) != 5) {
		text(i, "");
		return;
	}
	msg_line("  %s: %u/%u/%u %u:%02u %s", columns[i].name, mon, d, y,
	    h % 12 == 0 ? 12 : h % 12, min, h < 12 ? "AM" : "PM");
}

/* Prints one line for each hash. */
static void
hashes(const char *s)
{
	size_t n;

	if (*s == '\0')
		text(HASHES, s);
	else
		msg_line("  %s:", columns[HASHES].name);
	for (; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		msg_line("    \"%.*s\"", (int)n, s);
	}
}

void
certutil_view_row(const struct store_found *f, unsigned long long n)
{
	struct cert *c;
	struct reason w;
	char hex[41];

	msg_line("%s", "");
	msg_line("Row %llu:", n);
	num(ID, (unsigned long)f->id, "");
	num(DISPOSITION, (unsigned)f->disposition,
	    f->disposition == DISP_ISSUED      ? "Issued" :
		f->disposition == DISP_FOREIGN ? "Foreign" :
						 "");
	date(SUBMITTED, f->submitted);
	text(REQUESTER, f->requester);
	msg_line("  %s: %s", columns[KEY].name,
	    *f->format != '\0' ? "Yes" : "EMPTY");
	hashes(f->hashes);
	if (!cert_new(&c, f->cert, f->certlen, &w))
		return;
	pairs(THUMB, encode_hex(hex, c->sha1, sizeof(c->sha1)));
	text(SERIAL, c->serial);
	date(FROM, c->not_before);
	date(TO, c->not_after);
	pairs(SKI, c->ski);
	num(BITS, (unsigned)c->bits, "");
	text(UPN, c->upn);
	text(SUBJECT, c->subject);
	text(CN, c->cn);
	text(MAIL, c->mail);
	cert_free(c);
}

void
certutil_view_end(int64_t last, unsigned long long rows)
{
	msg_line("%s", "");
	msg_line("Maximum Row Index: %lld", (long long)last);
	msg_line("%s", "");
	msg_line("%llu Rows", rows);
}
