# kms2ca: see README.  GNU make.

SHELL = /bin/bash
CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g -D_FORTIFY_SOURCE=2
PREFIX = /usr/local
DESTDIR =

B = build
TOOLS = $(basename $(notdir $(wildcard tools/*.c tools/*.sh)))
OBJS = $(patsubst common/%.c,$B/common/%.o,$(filter-out %/postgres.c, \
    $(wildcard common/*/*.c))) $B/common/report/page.o $B/common/store/sql.o
HEADERS = $(wildcard common/*/*.h)
SOURCES = $(wildcard tools/*.c common/*/*.c tests/*.c tests/fuzz/*.[ch] tests/bench/*.c) \
    $(HEADERS)
PAGES = $(wildcard man/*.[157])
SCRIPTS = $(wildcard tools/*.sh .pkg/*.bash .pkg/debian/tests/demo \
    .pkg/debian/tests/completion tests/*.bash tests/*.bats tests/fuzz/*.bash \
    tests/bench/*.bash)
JOBS = $(shell nproc)

# Asked once each, and not before `deps' may have installed them.
has = $(shell $(PKG_CONFIG) --exists $1 2>/dev/null && echo 1)
PQ = $(eval PQ := $(call has,libpq))$(PQ)
SECCOMP = $(eval SECCOMP := $(call has,libseccomp))$(SECCOMP)
LIBS = -larchive -lsqlite3 -lcrypto $(if $(SECCOMP),-lseccomp)
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
    -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wvla
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(if $(SECCOMP),-DHAVE_SECCOMP) \
    -fstack-protector-strong -fPIE -ffile-prefix-map=$(CURDIR)=. $(WARN) \
    $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# What Debian 12 needs: to build, and to test with a second judge.
BUILD_DEPS = gcc libc6-dev pkg-config libssl-dev libarchive-dev libsqlite3-dev \
    libseccomp-dev libpq-dev openssl zip
TEST_DEPS = bats parallel clang clang-format libclang-rt-14-dev mandoc \
    groff-base shellcheck cppcheck gnutls-bin libnss3-tools libarchive-tools sqlite3 \
    p7zip-full gcab zstd xz-utils unzip miller git strace gdb valgrind \
    python3-cryptography xxd lz4 cpio bzip2 bsdextrautils time procps postgresql

all: $(TOOLS:%=$B/bin/%) $B/lib/kms2ca/kms2ca-pg.so

# What each was made from is noted beside it, so that only that makes it again.
COMPILE = $(if $V,,@)mkdir -p $(@D) $B/dep; $(if $V,,echo CC $<;) $(CC) $(ALL_CFLAGS) -Icommon \
    -MMD -MP -MF $B/dep/$(subst /,.,$(@:$B/%=%)).d -MT $@ -o $@
-include $(wildcard $B/dep/*.d)

$B/common/%.o: common/%.c Makefile
	$(COMPILE) -c $<

# A text as a string: the style of the report, and of each tool what -h says.
STRING = { echo 'const char $1[] ='; sed 's/["\\]/\\&/g; s/.*/"&\\n"/'; echo ';'; } | \
    $(CC) $(ALL_CFLAGS) -x c -c -o $@ -

$B/common/report/page.o: common/report/page.css Makefile
	$(if $V,,@)mkdir -p $(@D); $(if $V,,echo CC $<;) cat $< | $(call STRING,html_css)

$B/help/%.o: man/%.1 .pkg/help.awk Makefile
	$(if $V,,@)mkdir -p $(@D); awk -f .pkg/help.awk $< | $(call STRING,tool_help)

# A library, so that a tool has nothing in it, and loads nothing, that it does
# not need.
$B/common.a: $(OBJS)
	@rm -f $@ && $(AR) rcs $@ $^

$B/bin/%: tools/%.c $B/help/%.o $B/common.a Makefile
	$(COMPILE) $(ALL_LDFLAGS) $< $B/help/$*.o $B/common.a $(LIBS)

# Every statement, as a table for each kind of archive.
$B/common/store/sql.c: common/store/sql.awk $(wildcard common/store/*.sql)
	@mkdir -p $(@D)
	@awk -f $^ >$@

$B/common/store/sql.o: $B/common/store/sql.c
	$(COMPILE) -c $<

# For an archive in PostgreSQL a tool loads this, if there is libpq.  It finds it,
# and lends it the functions of common/.
$B/bin/ca-%: ALL_LDFLAGS += -Wl,-E -Wl,-rpath,'$$ORIGIN/../lib/kms2ca'
$B/lib/kms2ca/kms2ca-pg.so: common/store/postgres.c Makefile
	$(if $(PQ),$(COMPILE) -fPIC -shared $(ALL_LDFLAGS:-pie=) $< \
	    $(shell $(PKG_CONFIG) --cflags --libs libpq))

$B/bin/%: tools/%.sh man/%.1 .pkg/help.awk common/base/tool.h
	@mkdir -p $(@D)
	@awk -f .pkg/help.awk man/$*.1 | sed -e 's/@VERSION@/$(VERSION)/' \
	    -e '/^@HELP@$$/ { r /dev/stdin' -e 'd }' $< >$@ && chmod 755 $@

# Installs what is missing, and only that.
deps:
	@missing=; for p in $(BUILD_DEPS) $(TEST_DEPS); do \
	    dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
	    grep -q 'ok installed' || missing+=" $$p"; done; \
	if [[ -n $$missing ]]; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get \
	    install -qy --no-install-recommends $$missing; fi

demo: all
	tests/demo.bash

# The longest files first: none is left to one processor at the end.
BATS = bats -j $(JOBS) --no-parallelize-within-files
TESTS = $(shell ls -S tests/*.bats)

# Behind BATS: a line that adds up.
TOTAL = | awk -f tests/total.awk

check: all harnesses
	@set -o pipefail; $(BATS) $(TESTS) $(TOTAL)

# Each parser over its seeds; with FUZZ_MAIN=-fsanitize=fuzzer, libFuzzer.
HARNESSES = $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(filter-out \
    %/fuzz.c %/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_TIME = 600

$B/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.c tests/fuzz/fuzz.h \
    tests/fuzz/replay.c $B/common.a Makefile
	$(COMPILE) -Itests/fuzz $(ALL_LDFLAGS) $< tests/fuzz/fuzz.c $(FUZZ_MAIN) \
	    $B/common.a $(LIBS)

harnesses: $(HARNESSES)

# Kills, faults, full disks: for half an hour, or TORTURE_TIME seconds.
torture: all
	KMS2CA_BIN=$(abspath $B/bin) tests/torture.bash

fuzz: all
	$(MAKE) B=$B/fuzzing CC=clang FUZZ_MAIN=-fsanitize=fuzzer CFLAGS='-DSANITIZE \
	    -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -O1 -g \
	    -fsanitize=fuzzer-no-link,address,undefined' \
	    LDFLAGS='-fsanitize=address,undefined' harnesses
	tests/fuzz/run.bash $B/fuzzing $(FUZZ_TIME)
	EXTRA='-fsanitize=address,undefined -fno-sanitize-recover=all' \
	    KMS2CA_BIN=$(abspath $B/bin) tests/ese_mutants.bash 10000

# Every file of ../shared/corpora, and a table.
corpus: all
	KMS2CA_BIN=$(abspath $B/bin) tests/corpus.bash

bench: all $B/bench/floor $B/bench/lanes $B/bench/many
	KMS2CA_BIN=$(abspath $B/bin) tests/bench/bench.bash
	KMS2CA_BIN=$(abspath $B/bin) tests/bench/carve.bash
	KMS2CA_BIN=$(abspath $B/bin) tests/bench/ese.bash
	KMS2CA_BIN=$(abspath $B/bin) tests/bench/importers.bash

$B/bench/%: tests/bench/%.c $B/common.a Makefile
	$(COMPILE) $(ALL_LDFLAGS) $< $B/common.a $(LIBS)

# The same tests on a build with AddressSanitizer and UBSan.
asan:
	$(MAKE) B=$B/asan CC=clang CFLAGS='-DSANITIZE -O1 -g -fno-omit-frame-pointer \
	    -fsanitize=address,undefined -fno-sanitize-recover=undefined' \
	    LDFLAGS='-fsanitize=address,undefined' all harnesses
	set -o pipefail; ASAN_OPTIONS=detect_leaks=0 \
	    KMS2CA_BIN=$(abspath $B/asan/bin) $(BATS) $(TESTS) $(TOTAL)
	ASAN_OPTIONS=exitcode=134 KMS2CA_BIN=$(abspath $B/asan/bin) \
	    tests/demo.bash

# The demo, and the tests that are quick enough, under memcheck; leaks count
# where a tool comes to its end.

valgrind:
	$(MAKE) B=$B/valgrind CFLAGS='-DSANITIZE -O1 -g' all
	tests/valgrind.bash $B/valgrind

# The tests on a build that counts, and a table of what they ran.
cover:
	rm -rf $B/cover
	$(MAKE) B=$B/cover CFLAGS='-DSANITIZE -D_exit=exit -O0 -g --coverage \
	    -fprofile-update=atomic' \
	    LDFLAGS=--coverage all harnesses
	KMS2CA_COVER=1 KMS2CA_BIN=$(abspath $B/cover/bin) \
	    $(BATS) $(filter-out tests/torture.bats,$(TESTS)) || true
	tests/cover.bash $B/cover

lint:
	clang-format --dry-run -Werror $(SOURCES)
	$(MAKE) B=$B/lint-gcc CC=gcc CFLAGS='-O2 -Werror' all
	$(MAKE) B=$B/lint-clang CC=clang CFLAGS='-O2 -Werror' all
	cppcheck -q --std=c11 --error-exitcode=1 --enable=warning,portability \
	    --suppress=funcArgOrderDifferent --suppress=unknownMacro \
	    -Icommon tools common
	mandoc -T lint -W warning $(PAGES)
	shellcheck $(SCRIPTS)

VERSION := $(shell sed -n 's/^\#define TOOL_VERSION "\(.*\)"/\1/p' common/base/tool.h)
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib/kms2ca
MANDIR = $(PREFIX)/share/man
DOCDIR = $(PREFIX)/share/doc/kms2ca
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
INSTALLED = $(TOOLS:%=$(BINDIR)/%) $(if $(PQ),$(LIBDIR)/kms2ca-pg.so) $(DOCDIR)/README $(TOOLS:%=$(BASHDIR)/%) \
    $(ZSHDIR)/_kms2ca $(foreach p,$(PAGES),$(MANDIR)/man$(p:$(basename $p).%=%)/$(notdir $p))

# Completion, with the options that each tool says it has.
$B/complete.%: .pkg/complete.% .pkg/usage.awk $(wildcard tools/*.c tools/*.sh)
	@mkdir -p $(@D)
	@awk -f .pkg/usage.awk tools/*.c tools/*.sh >$@.table
	@sed -e 's/@TOOLS@/$(TOOLS)/' -e '/^@TABLE@$$/ { r $@.table' -e 'd }' $< >$@
	@rm $@.table

install: all $B/complete.bash $B/complete.zsh
	for f in $(INSTALLED); do \
	    case $$f in \
	    $(BINDIR)/*) from=$B/bin mode=755 ;; \
	    $(LIBDIR)/*) from=$B/lib/kms2ca mode=644 ;; \
	    $(DOCDIR)/*) from=. mode=644 ;; \
	    $(MANDIR)/*) from=man mode=644 ;; \
	    $(BASHDIR)/*) from=$B/complete.bash mode=644 ;; \
	    $(ZSHDIR)/*) from=$B/complete.zsh mode=644 ;; \
	    esac; \
	    [[ ! -d $$from ]] || from+=/$${f##*/}; \
	    install -D -m $$mode $$from "$(DESTDIR)$$f" || exit; \
	done

uninstall:
	for f in $(INSTALLED); do rm -f "$(DESTDIR)$$f" || exit; done
	rmdir "$(DESTDIR)$(DOCDIR)" "$(DESTDIR)$(LIBDIR)" 2>/dev/null || :

# The same bytes each time, of what is committed.
dist:
	@mkdir -p $B
	git -c tar.umask=0022 archive --prefix=kms2ca-$(VERSION)/ \
	    -o $B/kms2ca-$(VERSION).tar HEAD
	gzip -9nf $B/kms2ca-$(VERSION).tar
	@cd $B && sha256sum kms2ca-$(VERSION).tar.gz

# Other machines, C libraries and releases: what tests/builds.bash says.
BUILDS = musl s390x next deb
builds:
	ALL_CFLAGS='$(ALL_CFLAGS)' PACKAGES='$(BUILD_DEPS) $(TEST_DEPS)' \
	    tests/builds.bash $(BUILDS)

# A Debian package, with debug symbols in one of their own, by .pkg/debian.
deb:
	B=$B VERSION=$(VERSION) .pkg/deb.bash

clean:
	rm -rf $B

.PHONY: all deps demo harnesses fuzz torture check corpus bench asan valgrind cover \
    lint install uninstall dist deb builds clean
.DELETE_ON_ERROR:
.SECONDARY:
