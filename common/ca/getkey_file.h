#ifndef CA_GETKEY_FILE_H
#define CA_GETKEY_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads the file that `certutil -getkey' writes, or a copy of its text: one
 * blob as DER or as base64 without armour (CR_OUT_BASE64), or PEM with one or
 * more under any label; also in UTF-16.
 */

/*
 * Calls each() for every blob in the n bytes, and changes these.  Returns 1, or
 * minus the number of a damaged PEM block.
 */
int getkey_file_each(uint8_t *p, size_t n,
    void (*each)(void *arg, const uint8_t *der, size_t len), void *arg);

#endif
