#!/usr/bin/env bash
#
# deb.bash: builds the Debian package: copies the source to build/deb, and
# .pkg/debian to its place there, for dpkg-buildpackage.  What comes of it is moved
# to build/.  `make deb' calls it, with B and VERSION.
#
#	DEBFULLNAME DEBEMAIL	who makes the package
#	DEB_BUILD_OPTIONS	if not nocheck, which leaves the demo out

set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

for tool in dpkg-buildpackage dh; do
	command -v "$tool" >/dev/null || {
		echo "deb.bash: no $tool: apt-get install dpkg-dev debhelper" >&2
		exit 1
	}
done
dir=$B/deb/kms2ca-$VERSION
rm -rf "$B/deb"
mkdir -p "$dir"
tar --exclude=./build --exclude="./$B" --exclude=./.git -cf - . |
    tar -xf - -C "$dir" --no-same-owner
cp -R .pkg/debian "$dir/debian"
cd "$dir"
if [[ -n ${DEBEMAIL-} ]]; then
	sed -i "s/kms2ca authors <.*>/${DEBFULLNAME:-kms2ca authors} <$DEBEMAIL>/" \
	    debian/{control,changelog}
	rm debian/kms2ca.lintian-overrides
fi
# make's own variables are not for the build of the package
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u B -u VERSION -u SOURCE_DATE_EPOCH \
    DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck}" \
    dpkg-buildpackage -us -uc -b >../log 2>&1 || {
	tail -n 20 ../log >&2
	exit 1
}
mv ../*.deb ../..
