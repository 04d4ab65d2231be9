#ifndef STORE_NAME_H
#define STORE_NAME_H

#include "store/driver.h"

/* Forgets what store_names() read. */
void name_forget(struct store *);

#endif
