#ifndef BASE_FUZZING_H
#define BASE_FUZZING_H

/*
 * FUZZING is 1 in a build of `make fuzz'.  Every MAC and signature is taken as
 * right there, and files may ask for little work only, so that the fuzzer
 * reaches what comes after them.
 */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define FUZZING 1
#else
#define FUZZING 0
#endif

#endif
