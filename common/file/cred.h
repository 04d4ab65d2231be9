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

/* What -c, -C, -k and -S name: certificates, with or without their keys. */

#define CRED_FILE_MAX (16 * 1024 * 1024) /* bytes */

/*
 * Adds what a PKCS#12, PEM or DER file, or records, hold, each password tried;
 * the credential starts as all zero.  Returns 1, or 0 with *w, also when there
 * is no certificate in it, or no certificate with its key although need_key is
 * set.
 */
int cred_load(struct trust *, const char *path, int need_key, struct secrets *,
    struct reason *w);
/* The same from an open descriptor, called name in messages. */
int cred_read(struct trust *, int fd, const char *name, int need_key,
    struct secrets *, struct reason *w);

#endif
