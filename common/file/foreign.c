#include "file/foreign.h"

#include <string.h>

#define MAGIC(s)  sizeof(s) - 1, s
#define HEAD	  4096 /* bytes that may be the header of a mail */
#define ESE_MAGIC "\xef\xcd\xab\x89" /* at offset 4, libesedb */

static unsigned
le32(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 |
	    (unsigned)p[3] << 24;
}

static unsigned
be32(const uint8_t *p)
{
	return p[3] | (unsigned)p[2] << 8 | (unsigned)p[1] << 16 |
	    (unsigned)p[0] << 24;
}

/* Recognises an ESE database, such as kmsmdb.edb, where it is not read. */
static int
foreign_ese(const uint8_t *p, size_t n, struct reason *w)
{
	if (n < 240)
		reason_set(w, "cut",
		    "ESE database, cut in its header: fetch it again");
	else
		reason_set(w, "unsupported",
		    "ESE database (version 0x%x revision 0x%x, page size %u): "
		    "it is not read here: give it to edb-extract as <file",
		    le32(p + 8), le32(p + 232), le32(p + 236));
	return 1;
}

/* Recognises a Java key store: magic, version, number of entries. */
static int
foreign_java(const uint8_t *p, size_t n, struct reason *w)
{
	const char *type = p[0] == 0xfe ? "JKS" : "JCEKS";

	if (n < 12)
		reason_set(w, "cut", "Java key store (%s), cut: fetch it again",
		    type);
	else
		reason_set(w, "unsupported",
		    "Java key store (%s version %u, %u entries): convert it "
		    "with keytool -importkeystore -deststoretype pkcs12 and "
		    "feed that in",
		    type, be32(p + 4), be32(p + 8));
	return 1;
}

int
foreign_named(const uint8_t *p, size_t n, struct reason *w)
{
	static const struct {
		size_t len;
		const char *magic, *what;
	} all[] = {
		{ MAGIC("SQLite format 3"),
		    "SQLite database: if it is an "
		    "NSS key4.db or cert9.db, export it with pk12util -o" },
		{ MAGIC("\0\6\x15\x61"),
		    "Berkeley database: if it is an NSS "
		    "key3.db or cert8.db, export it with pk12util -o" },
		{ MAGIC("TAPE"),
		    "backup of Windows (NTBackup, .bkf): restore it with "
		    "ntbackup or mtftar and feed the files in, or search it "
		    "with -x" },
		{ MAGIC("Salted__"),
		    "encrypted with openssl enc: decrypt it first" },
		{ MAGIC("!BDN"),
		    "Outlook store (PST): it holds mail, and "
		    "keys only as attachments: save those" },
		{ MAGIC("regf"),
		    "registry hive: keys of Outlook 2000 in it "
		    "are encrypted for the user: export PFX on Windows" },
		{ MAGIC("PuTTY-User-Key-File-2:"), "PuTTY key: not for mail" },
	};
	size_t i;

	if (n >= 8 && memcmp(p + 4, ESE_MAGIC, 4) == 0)
		return foreign_ese(p, n, w);
	if (n >= 4 &&
	    (memcmp(p, "\xfe\xed\xfe\xed", 4) == 0 ||
		memcmp(p, "\xce\xce\xce\xce", 4) == 0))
		return foreign_java(p, n, w);
	if (n >= 262 && memcmp(p + 257, "ustar", 5) == 0) {
		reason_set(w, "damaged",
		    "tar archive with a damaged first header: fetch it again, "
		    "or have GNU tar skip it and pack the rest");
		return 1;
	}
	if (memmem(p, n < HEAD ? n : HEAD, "\nContent-T", 10) != NULL) {
		reason_set(w, "unsupported",
		    "mail: save its attachments and feed those in");
		return 1;
	}
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (n >= all[i].len &&
		    memcmp(p, all[i].magic, all[i].len) == 0) {
			reason_set(w, "unsupported", "%s", all[i].what);
			return 1;
		}
	return 0;
}

void
foreign_by_name(const char *path, struct reason *w)
{
	const char *s = strrchr(path, '/');
	size_t n;

	s = s == NULL ? path : s + 1;
	n = strlen(s);
	if (strcasecmp(s, "certbkxp.dat") == 0)
		reason_set(w, w->reason,
		    "by its name the list of files that certutil -backup "
		    "leaves: it is not read, and holds no key");
	else if (n >= 7 && strncasecmp(s, "edb", 3) == 0 &&
	    strcasecmp(s + n - 4, ".log") == 0)
		reason_set(w, w->reason,
		    "by its name a log of an ESE database: it is not read: for "
		    "rows that are in no database yet run esentutl /r edb on a "
		    "copy of both, on any Windows");
}
