# kms2ca: see README.  GNU make.

SHELL = /bin/bash
CC = cc
CFLAGS = -O2 -g
PREFIX = /usr/local
MANDIR = $(PREFIX)/share/man
DESTDIR =

B = build
TOOLS = $(patsubst tools/%.c,%,$(wildcard tools/*.c))
OBJS = $(patsubst common/%.c,$B/common/%.o,$(wildcard common/*.c))
BINS = $(TOOLS:%=$B/bin/%)
HEADERS = $(wildcard common/*.h)
SOURCES = $(wildcard tools/*.c common/*.c) $(HEADERS)
JOBS = $(shell nproc)

SECCOMP = $(shell pkg-config --exists libseccomp 2>/dev/null && echo 1)
LIBS = -larchive -lsqlite3 -lcrypto $(if $(SECCOMP),-lseccomp)
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
    -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wvla
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(if $(SECCOMP),-DHAVE_SECCOMP) \
    -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE $(WARN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

all: $(BINS)

$B/common/%.o: common/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$B/bin/%: tools/%.c $(OBJS) $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon $(ALL_LDFLAGS) -o $@ $< $(OBJS) $(LIBS)

.PHONY: all
