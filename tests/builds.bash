#!/usr/bin/env bash
#
# builds.bash [NAME...]: other compilers, C libraries, machines and releases
# than those that the tests run with: all of them, or these.  `make builds' calls
# it; it wants root, mmdebstrap and apt's mirror, and takes half an hour.
#
#	musl	compiles with musl's headers (musl-tools); nothing is linked, since
#		Debian has no libcrypto for musl
#	s390x	big-endian: cross compiled (gcc-s390x-linux-gnu), and run with
#		qemu-s390x (qemu-user): tests, and streams to and from this machine
#	next	the next release of Debian: its compiler, OpenSSL and libarchive
#	deb	the package: lintian, and installed, run and removed on a clean
#		Debian
#
#	KMS2CA_BUILDS=DIR	where the other systems are kept; else build/builds
#	KMS2CA_NEXT=NAME	the next release; else trixie
#	ALL_CFLAGS, PACKAGES	of the Makefile
#	MIRROR=URL		else http://deb.debian.org/debian

# shellcheck disable=SC2317,SC2016 # called by name; for another shell
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD
: "${ALL_CFLAGS:?run make builds} ${PACKAGES:?run make builds}"
dir=${KMS2CA_BUILDS:-$root/build/builds}
mirror=${MIRROR:-http://deb.debian.org/debian}
libs=libssl-dev,libarchive-dev,libsqlite3-dev,libseccomp-dev,libpq-dev
wrong=0

# need COMMAND...: they are there, or what is skipped says so.
need()
{
	local command

	for command; do
		command -v "$command" >/dev/null || {
			echo "skipped: no $command"
			return 1
		}
	done
}

# system NAME RELEASE ARG...: a Debian in $dir/NAME, if it is not there yet.
system()
{
	local name=$1 release=$2

	shift 2
	[[ ! -e $dir/$name/usr ]] || return 0
	echo "mmdebstrap $release as $name ..."
	mmdebstrap -q "$@" --aptopt='Acquire::Check-Valid-Until "false"' \
	    "$release" "$dir/$name" "$mirror"
}

# tree DIR: what is committed or changed here, there.
tree()
{
	rm -rf "$1" && mkdir -p "$1" &&
	git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$1"
}

# builds ARG...: make, and no warning.
builds()
{
	make -s -j "$(nproc)" "$@" all
}

do_musl()
{
	local file name

	need musl-gcc || return 0
	rm -rf "$dir/include" && mkdir -p "$dir/include/openssl"
	ln -s /usr/include/openssl/* \
	    "/usr/include/$(gcc -print-multiarch)/openssl"/* \
	    "$dir/include/openssl"
	for name in archive.h archive_entry.h sqlite3.h seccomp.h \
	    seccomp-syscalls.h linux asm-generic postgresql/libpq-fe.h \
	    postgresql/postgres_ext.h postgresql/pg_config_ext.h; do
		[[ ! -e /usr/include/$name ]] ||
			ln -s "/usr/include/$name" "$dir/include"
	done
	ln -s "/usr/include/$(gcc -print-multiarch)/asm" "$dir/include"
	for file in common/*/*.c tools/*.c; do
		# shellcheck disable=SC2086 # words
		musl-gcc $ALL_CFLAGS -Werror -Icommon \
		    -isystem "$dir/include" -c -o "$dir/musl.o" "$file" || return
	done
	echo 'common/ and tools/ compile with the headers of musl'
}

do_s390x()
{
	local file bin=$dir/s390x.bin org=$dir/org

	need mmdebstrap s390x-linux-gnu-gcc qemu-s390x || return 0
	system s390x bookworm --variant=extract --arch=s390x \
	    --include="libc6-dev,libc-bin,$libs" || return
	builds B="$dir/s390x.build" AR=s390x-linux-gnu-ar SECCOMP=1 \
	    CC="s390x-linux-gnu-gcc --sysroot=$dir/s390x" \
	    CFLAGS='-O2 -g -Werror' || return
	rm -rf "$bin" && mkdir "$bin"
	for file in "$dir"/s390x.build/bin/*; do
		printf '#!/bin/sh\nexec qemu-s390x -L %q %q "$@"\n' \
		    "$dir/s390x" "$file" >"$bin/${file##*/}"
		chmod +x "$bin/${file##*/}"
	done
	builds || return
	rm -rf "$org"
	bash tests/org.bash "$org" || return
	(
		umask 077
		cd "$org" || return
		machine=(-k machine.p12 -p file:machine.pw)
		# sealed there, opened here, and the other way round
		for file in "$root/build/bin" "$bin"; do
			"$file/kms-export" -q -c machine.pem -S machine.p12 \
			    -p file:machine.pw -p list:user.pws \
			    <kms-backup.tar.gz >"${file##*/}.kms" || return
		done 2>log
		"$bin/kms-verify" -r "${machine[@]}" <bin.kms >verdicts &&
		"$root/build/bin/kms-verify" -r "${machine[@]}" <bin.kms |
		    cmp - verdicts &&
		"$root/build/bin/kms-verify" -r "${machine[@]}" <s390x.bin.kms |
		    cmp - verdicts || return
		# archived there, recovered here
		cat kra1.pem kra2.pem |
		    "$bin/ca-init" -q -c ca.pem -d ca.db >kras &&
		"$bin/ca-setflag" -q -d ca.db KRAFlags 1 >flags &&
		"$bin/ca-import" -q -f -d ca.db "${machine[@]}" <bin.kms >log &&
		"$root/build/bin/ca-export" -q -d ca.db |
		    "$root/build/bin/ca-recover" -q -k kra1.p12 \
		    -p file:kra1.pw >recovered || return
		[[ $(grep -c '^rec:key' recovered) == $(grep -c '^rec:key' bin.kms) ]]
	) || return
	KMS2CA_BIN=$bin bats tests/{record,map,kms-verify,kms-report}.bats
}

do_next()
{
	local next=${KMS2CA_NEXT:-trixie}

	need mmdebstrap || return 0
	system "$next" "$next" --variant=minbase \
	    --include="make,git,$libs,$(tr ' ' '\n' <<<"$PACKAGES" |
	    grep -v libclang-rt | paste -sd ,)" || return
	tree "$dir/$next/kms2ca" || return
	mount --bind /proc "$dir/$next/proc" &&
	mount --bind /dev "$dir/$next/dev" &&
	mount --bind /dev/pts "$dir/$next/dev/pts"
	chroot "$dir/$next" sh -c 'gcc --version | head -n 1; openssl version
	cd /kms2ca && make -s CFLAGS="-O2 -g -Werror" all harnesses &&
	bats -j "$(nproc)" --no-parallelize-within-files tests'
	local status=$?
	umount "$dir/$next"/{dev/pts,dev,proc}
	return "$status"
}

do_deb()
{
	local deb clean=$dir/clean elsewhere=$dir/elsewhere

	need mmdebstrap dpkg-buildpackage dh lintian || return 0
	make -s deb >"$dir/deb.log" 2>&1 || return
	deb=$(echo build/kms2ca_*.deb)
	sha256sum "$deb" >"$dir/deb.sum"
	lintian --allow-root --fail-on error "$deb" || return
	# the same bytes from another folder
	rm -rf "$elsewhere" && mkdir "$elsewhere" &&
		tar --exclude=./build --exclude=./.git -cf - . |
		tar -xf - -C "$elsewhere" &&
		make -s -C "$elsewhere" deb >"$dir/deb.log" 2>&1 &&
		(cd "$elsewhere" && sha256sum -c "$dir/deb.sum") || return
	system clean bookworm --variant=minbase || return
	cp /etc/resolv.conf "$clean/etc"
	cp "$deb" "$clean/tmp/kms2ca.deb"
	mkdir -p "$clean/tmp/source" && cp -R README tests .pkg/debian \
	    "$clean/tmp/source" || return
	chroot "$clean" bash -euc '
	all() { find / -xdev -path /proc -prune -o -path /tmp -prune -o \
	    -path /var/log -prune -o -path /var/cache -prune -o -type f \
	    ! -path "/var/lib/dpkg/*" ! -path "/var/lib/apt/*" -print | sort; }
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >/tmp/log
	apt-get install -qy --no-install-recommends $(dpkg-deb -f \
	    /tmp/kms2ca.deb Depends | sed "s/([^)]*)//g; s/,//g") \
	    openssl zip bash-completion >/tmp/log
	all >/tmp/before
	apt-get install -qy /tmp/kms2ca.deb >/tmp/log
	for tool in $(dpkg -L kms2ca | grep ^/usr/bin/.); do $tool -V; done
	(cd /tmp/source && debian/tests/demo >/tmp/log && debian/tests/completion)
	dpkg --verify kms2ca
	apt-get purge -qy kms2ca >/tmp/log
	all | diff /tmp/before - && echo "nothing is left of it"'
}

mkdir -p "$dir"
(($#)) || set -- musl s390x next deb
for name; do
	echo "== $name"
	"do_$name" || {
		echo "== $name: FAILED"
		wrong=1
	}
done
exit "$wrong"
