# make install, uninstall and dist, and completion.  Debian packages and other
# builds are in builds/, for `make builds'.
#
# shellcheck disable=SC2154 # common.bash sets root

load common

# ours: make, with the tools under test as its build.
ours()
{
	[[ -d b/common ]] || {
		(cd "$root" && find common -type d -print0) |
		    (mkdir b && cd b && mkdir -p bin help lib/kms2ca &&
		    xargs -0 mkdir -p)
		make -s -t -C "$root" B="$PWD/b" all >log &&
		cp -r "$(dirname "$(command -v kms-export)")"/../{bin,lib} b/ ||
			return
	}
	make -s -C "$root" B="$PWD/b" PREFIX=/usr "$@" >log 2>&1 || {
		cat log >&2
		return 1
	}
	not grep -q '^CC' log
}

@test 'install puts each tool and page into place, and uninstall takes it away' {
	local dir="$PWD/here and there" file page

	mkdir -p "$dir/usr/bin" "$dir/usr/share/man/man1"
	touch "$dir/usr/bin/other" "$dir/usr/share/man/man1/other.1"
	find "$dir" -type f >before
	(umask 077 && ours install DESTDIR="$dir")
	for file in "$root"/tools/*.c; do
		file=${file##*/}
		file=${file%.c}
		[[ -x "$dir/usr/bin/$file" ]]
		"$dir/usr/bin/$file" -V | grep -q "^$file (kms2ca) "
		[[ -s "$dir/usr/share/bash-completion/completions/$file" ]]
	done
	for page in "$root"/man/*.?; do
		cmp "$page" "$dir/usr/share/man/man${page##*.}/${page##*/}"
	done
	# what a tool loads is found
	if pkg-config --exists libpq; then
		"$dir/usr/bin/ca-export" -d postgresql://x:y@/z 2>&1 |
		    grep -q 'others can see a password'
	fi
	cmp "$root/README" "$dir/usr/share/doc/kms2ca/README"
	[[ -s "$dir/usr/share/zsh/site-functions/_kms2ca" ]]
	# for everybody, whatever the umask, and nothing else
	[[ -z $(find "$dir/usr/share" -type f ! -name 'other*' ! -perm 644) ]]
	[[ -z $(find "$dir/usr/share/doc" -type d ! -perm 755) ]]
	[[ -z $(find "$dir/usr/bin" -type f ! -name other ! -perm 755) ]]
	# again is no error
	ours install DESTDIR="$dir"
	ours uninstall DESTDIR="$dir"
	find "$dir" -type f | diff before -
	[[ ! -d $dir/usr/share/doc/kms2ca ]]
	ours uninstall DESTDIR="$dir"
}

@test 'dist: the same bytes each time, and all that is committed' {
	local sum

	git -C "$root" rev-parse HEAD >/dev/null 2>&1 || skip 'no git here'
	ours dist
	sum=$(sha256sum b/kms2ca-*.tar.gz)
	grep -q "^${sum%% *}  kms2ca-" log
	rm b/kms2ca-*.tar.gz
	(umask 0 && TZ=Asia/Tokyo ours dist)
	[[ $(sha256sum b/kms2ca-*.tar.gz) == "$sum" ]]
	tar -xzf b/kms2ca-*.tar.gz
	(cd kms2ca-* && find . -type f -printf '%P\n' | sort) >files
	git -C "$root" ls-tree -r --name-only HEAD | sort | diff - files
	# no git, no archive, not an empty one
	rm b/kms2ca-*.tar.gz
	run make -s -C "$root" B="$PWD/b" GIT_DIR=none dist
	((status != 0))
	[[ -z $(find b -name '*.tar.gz') ]]
	# it can be built where there is no git
	make -C kms2ca-* -n all | grep -q 'kms-report.c'
}

@test 'debian/: says what the source says, and what lintian asks is there' {
	local debian=$root/.pkg/debian package

	# the version, of the first entry
	head -n 1 "$debian/changelog" | grep -qE "^kms2ca \\($(
		"$(command -v kms-export)" -V | cut -d ' ' -f 3)-[0-9]+\\) "
	sed -n 's/^#define TOOL_VERSION "\(.*\)"/kms2ca (\1-/p' \
	    "$root/common/base/tool.h" | grep -qF -f - "$debian/changelog"
	# the licence, of the README
	sed -n '/^Permission to use/,$p' "$root/README" | sed 's/^$/./; s/^/ /' |
	    diff - <(sed '1,/^License: /d' "$debian/copyright")
	# what make deps installs to build with
	while read -r package; do
		sed -n '/^Build-Depends/,/^Standards/p' "$debian/control" |
		    grep -qE "[ ,]$package([ ,]|$)"
	done < <(sed -n 's/^BUILD_DEPS = //p; /^BUILD_DEPS/{n;p}' \
	    "$root/Makefile" | grep -oE '[a-z0-9-]+' |
	    grep -vE '^(gcc|libc6-dev)$')
	# each test that is named is there, and can be run
	while read -r package; do
		[[ -x $debian/tests/$package ]]
	done < <(sed -n 's/^Tests: //p' "$debian/tests/control")
	[[ -x $debian/rules ]]
	make -n -f "$debian/rules" build | grep -q '^dh build$'
}

@test 'deb: debian/ is put into a copy of the source, with the names of the builder' {
	mkdir bin
	# shellcheck disable=SC2016 # of that script
	printf '#!/bin/sh\n%s\n' 'cat debian/control debian/changelog
	ls . debian; echo "options $DEB_BUILD_OPTIONS"; touch ../kms2ca_1.deb' \
	    >bin/dpkg-buildpackage
	printf '#!/bin/sh\n' >bin/dh
	chmod +x bin/*
	PATH=$PWD/bin:$PATH DEBEMAIL=jane@contoso.com DEBFULLNAME='Jane Doe' \
	    ours deb
	[[ -e b/kms2ca_1.deb ]]
	grep -qx 'Maintainer: Jane Doe <jane@contoso.com>' b/deb/log
	grep -q '^ -- Jane Doe <jane@contoso.com>  ' b/deb/log
	grep -qx 'options nocheck' b/deb/log
	not grep -q lintian-overrides b/deb/log
	not grep -qx build b/deb/log
	# what it says fails is said
	printf '#!/bin/sh\necho no room; exit 1\n' >bin/dpkg-buildpackage
	not env PATH="$PWD/bin:$PATH" make -s -C "$root" B="$PWD/b" deb 2>"$ERR"
	grep -qx 'no room' "$ERR"
}

# complete WORD...: what bash offers for the last of these.
complete_words()
{
	# as bash-completion loads it
	# and leaves whoever does it his variables
	bash -c 'load() { source b/complete.bash; }
	tool=mine options=ours
	load
	[[ $tool$options == mineours ]] || exit
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_kms2ca
	printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort | xargs
}

@test 'completion: the options of usage, and what they want' {
	local tool

	ours "$PWD"/b/complete.{ba,z}sh
	for tool in "$root"/tools/*.c; do
		tool=${tool##*/}
		tool=${tool%.c}
		"$tool" -: 2>&1 | sed -n '/^usage/,$p' | grep -oE -e '-[A-Za-z]+' |
		    grep -v "^-${tool#*-}" | grep -o '[A-Za-z]' | sort -u |
		    sed 's/^/-/' | xargs >want
		complete_words "$tool" - | diff want -
	done
	touch file.pw filter
	[[ $(complete_words ca-export -d f) == 'file.pw filter' ]]
	[[ $(complete_words kms-export -S f) == 'file.pw filter' ]]
	[[ $(complete_words p12-pack -p '') == 'env: fd: file: list: tty' ]]
	[[ $(complete_words p12-pack -p f) == 'fd: file:' ]]
	[[ $(complete_words p12-pack -p file :) == *'file.pw filter'* ]]
	[[ $(complete_words /usr/bin/p12-pack -lp list : file.) == file.pw ]]
	[[ $(complete_words p12-pack -p env : BATS_TEST_TMPD) == BATS_TEST_TMPDIR ]]
	[[ $(complete_words p12-pack -F z) == zip ]]
	[[ $(complete_words p12-pack -o f) == 'file.pw filter' ]]
	[[ -z $(complete_words ca-export -s f) ]]
	# behind < bash itself gives names of files
	bash -c 'source b/complete.bash; complete -p kms-export' |
	    grep -qxF 'complete -o bashdefault -o default -F _kms2ca kms-export'
}

@test 'V=1 shows each command, CFLAGS, CPPFLAGS and PKG_CONFIG are taken' {
	make -n -C "$root" B="$PWD/v" V=1 CFLAGS=-DXYZ CPPFLAGS=-DABC \
	    "$PWD/v/bin/kms-export" >log
	grep -q -- '-DABC -DXYZ .*-c common/base/tool.c$' log
	not grep -q 'echo CC' log
	PKG_CONFIG=false make -n -C "$root" B="$PWD/v" "$PWD/v/bin/kms-export" >log
	not grep -q -- -DHAVE_SECCOMP log
	# no path of this folder is in what is made
	make -n -C "$root" B="$PWD/v" "$PWD/v/bin/kms-export" |
	    grep -qF -- "-ffile-prefix-map=$root=."
}

@test 'check ends in a total, and says once what is left out without ../shared' {
	local need

	# what need_shared says
	# shellcheck disable=SC2016 # of that shell
	run env KMS2CA_SHARED=/x/shared bash -c 'skip() { echo "$*"; exit; }
	source "$1" && need_shared corpora/none' - "$root/tests/common.bash"
	need=$output
	# bats, with what it prints
	printf '#!/bin/sh\ncat "$@"\nexit 1\n' >bats
	chmod +x bats
	printf '%s\n' 1..5 'ok 1 a' 'not ok 2 b' "ok 3 c # skip $need" \
	    "ok 4 d # skip $need" 'ok 5 e # skip no zsh' >tap
	make -n -s -C "$root" B="$PWD/v" BATS="$PWD/bats" TESTS="$PWD/tap" check |
	    grep -F "$PWD/tap" >commands
	cd "$root"
	run bash "$OLDPWD/commands"
	((status == 1))
	[[ ${lines[-1]} == '1 passed, 1 failed, 3 skipped' ]]
	[[ ${lines[-2]} == '2 tests need ../shared, which is not here' ]]
	# what did not run is no success
	run awk -f tests/total.awk <<<$'1..3\nok 1 x'
	((status == 1))
	[[ ${lines[-1]} == '2 did not run' ]]
}

@test 'completion: zsh' {
	command -v zsh >/dev/null || skip 'no zsh'
	ours "$PWD/b/complete.zsh"
	zsh -n b/complete.zsh
	head -n 1 b/complete.zsh | grep -q '^#compdef ca-export .* p12-pack$'
	zsh -fc '_arguments() { print -l -- $@ }
	service=p12-pack
	source b/complete.zsh' | sort | diff - <(printf '%s\n' \
	    '*-F[format]:format:(tar zip)' '*-p[secret]:secret:_kms2ca_secret' \
	    '*-o[file]:file:_files' -f -P -S -V -l -q -s -v | LC_ALL=C sort)
}
