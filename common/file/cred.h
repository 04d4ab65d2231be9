#ifndef FILE_CRED_H
#define FILE_CRED_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"
#include "record/trust.h"

/* Loads what -c, -C, -k and -S name: certificates, with or without keys. */

#define CRED_FILE_MAX (16 * 1024 * 1024) /* bytes */

/*
 * Adds the contents of a PKCS#12, PEM or DER file, or of records, to the list,
 * which is all zero at first; tries each password.  Returns 1, or 0 with *w,
 * also if no certificate is in it, or need_key is set and none is with its key.
 */
int cred_load(struct trust *, const char *path, int need_key, struct secrets *,
    struct reason *w);
/* Loads from an open descriptor, which messages call name. */
int cred_read(struct trust *, int fd, const char *name, int need_key,
    struct secrets *, struct reason *w);

#endif
