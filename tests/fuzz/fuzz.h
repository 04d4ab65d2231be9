#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "file/findings.h"

/*
 * What the harnesses share.  Each file beside this one is a harness for one
 * parser, named after the module; replay.c runs it over files without clang's
 * fuzzer.  In a fuzzing build a MAC, a signature and a seal always fit, and a
 * derivation has few rounds: what lies behind them must be reached.
 */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Passwords that the seeds were made with. */
struct secrets *fuzz_secrets(void);

/* Reads every field and key of the items, then frees them. */
void fuzz_items(struct findings *);

/* Aborts, with a message, if what must always hold does not. */
void fuzz_must(int holds, const char *what);

#endif
