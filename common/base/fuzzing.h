#ifndef BASE_FUZZING_H
#define BASE_FUZZING_H

/*
 * 1 in a build of `make fuzz': a MAC and a signature always fit then, and a
 * file may ask for little work, so that what lies behind them is reached.
 */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define FUZZING 1
#else
#define FUZZING 0
#endif

#endif
