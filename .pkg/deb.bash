#!/usr/bin/env bash
#
# deb.bash: a Debian package of what `make install' puts into place, with
# dpkg-dev alone: build/kms2ca_VERSION_ARCH.deb.  `make deb' calls it, with B,
# VERSION and MAKE.
#
#	DEBFULLNAME DEBEMAIL	who makes the package
#	SOURCE_DATE_EPOCH	when; else that of the last commit, or now

set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

dir=$B/deb root=$B/deb/debian/kms2ca
maintainer="${DEBFULLNAME:-kms2ca authors} <${DEBEMAIL:-kms2ca@packages.local}>"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

for tool in dpkg-shlibdeps dpkg-gencontrol dpkg-deb; do
	command -v "$tool" >/dev/null || {
		echo "deb.bash: no $tool: apt-get install dpkg-dev" >&2
		exit 1
	}
done
rm -rf "$dir"
mkdir -p "$root/DEBIAN"
"${MAKE:-make}" -s install DESTDIR="$PWD/$root" PREFIX=/usr \
    ZSHDIR=/usr/share/zsh/vendor-completions >/dev/null

# what the Debian Policy asks of files
strip --remove-section=.comment --remove-section=.note "$root"/usr/bin/* \
    "$root"/usr/lib/kms2ca/*
find "$root/usr/share/man" -type f -exec gzip -9n {} +
doc=$root/usr/share/doc/kms2ca
{
	printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
	printf 'Upstream-Name: kms2ca\n\nFiles: *\n'
	printf 'Copyright: 2026 the kms2ca authors\nLicense: ISC\n'
	# the licence, from the README; an empty line is a dot
	sed -n '/^Permission to use/,$p' README | sed 's/^$/./; s/^/ /'
} >"$doc/copyright"
{
	printf 'kms2ca (%s) unstable; urgency=medium\n\n' "$VERSION"
	printf '  * Of this source; see its history.\n\n'
	printf ' -- %s  %s\n' "$maintainer" \
	    "$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" -R)"
} >"$dir/debian/changelog"
gzip -9nc "$dir/debian/changelog" >"$doc/changelog.gz"

if [[ -z ${DEBEMAIL-} ]]; then
	mkdir -p "$root/usr/share/lintian/overrides"
	{
		echo '# who builds it for others gives DEBEMAIL'
		echo 'kms2ca: bogus-mail-host *'
		echo 'kms2ca: bogus-mail-host-in-debian-changelog *'
	} >"$root/usr/share/lintian/overrides/kms2ca"
fi

cat >"$dir/debian/control" <<CONTROL
Source: kms2ca
Section: utils
Priority: optional
Maintainer: $maintainer
Standards-Version: 4.6.2

Package: kms2ca
Architecture: any
Depends: \${shlibs:Depends}
Suggests: libpq5
Description: move keys of an Exchange KMS into a CA's key archive
 Until 2003 an Exchange Key Management Service (KMS) kept a copy of every
 user's private encryption keys.  These filters take the keys from a backup
 into the key archive of a certification authority, encrypted to its key
 recovery agents, and get one back when somebody must read old mail.
CONTROL
cd "$dir"
dpkg-shlibdeps -Tdebian/substvars debian/kms2ca/usr/bin/*
dpkg-gencontrol -Tdebian/substvars -pkms2ca -Pdebian/kms2ca
(cd debian/kms2ca && find usr -type f -print0 | LC_ALL=C sort -z |
    xargs -0 md5sum >DEBIAN/md5sums)
find debian/kms2ca -exec touch -hcd "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build debian/kms2ca ..
