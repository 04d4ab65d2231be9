#ifndef CA_GETKEY_FILE_H
#define CA_GETKEY_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The file that `certutil -getkey' writes, or whoever copies from it: one blob
 * as DER or as base64 without armour (CR_OUT_BASE64), or PEM of one or more,
 * whatever it is called there; text in UTF-16 too.
 */

/*
 * Gives each blob of the n bytes, which are changed, to each().  Returns 1, or
 * the number, negative, of the PEM block that is damaged.
 */
int getkey_file_each(uint8_t *p, size_t n,
    void (*each)(void *arg, const uint8_t *der, size_t len), void *arg);

#endif
