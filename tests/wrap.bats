#!/usr/bin/env bats
#
# A key in whatever it can be wrapped in, two deep, comes out, or a fault names
# the member: nothing is passed by without a word.

load common
load p12
load backup

# wrap HOW: stdin, wrapped.
wrap()
{
	case $1 in
	base64) base64 ;;
	utf16) iconv -f LATIN1 -t UTF-16 ;;
	pem) echo '-----BEGIN CMS-----'; base64; echo '-----END CMS-----' ;;
	pfx) echo '-----BEGIN PKCS12-----'; base64; echo '-----END PKCS12-----' ;;
	signed) sign cms -outform DER ;;
	signed-other) sign cms -outform DER -econtent_type 1.2.3.4 ;;
	signed-twice) sign cms -outform DER -econtent_type pkcs7-signedData ;;
	pkcs7) sign smime -outform DER ;;
	section) echo '[Section]'; echo "Certificate=$(base64 -w 0 ca.der)"
		cat ;;
	records) echo "rec:archived	n:1	blob:$(base64 -w 0)" ;;
	padded) cat; head -c 100 /dev/zero ;;
	padded-much) cat; head -c 9000 /dev/zero ;;
	behind-text) echo 'a letter'; echo; cat ;;
	gz) gzip ;;
	tar) cat >inner && tar cf - inner ;;
	zip) cat >inner && rm -f inner.zip && zip -q inner.zip inner &&
		cat inner.zip ;;
	uu) cat >inner && bsdtar --uuencode -cf - inner ;;
	esac
}

sign()
{
	openssl "$1" -sign -binary -nodetach -signer ca.pem -inkey ca.key "${@:2}"
}

ways=(base64 utf16 pem pfx signed signed-other signed-twice pkcs7 section records
    padded padded-much behind-text gz tar zip uu)

@test "a key in any wrapper, two deep: the key or a fault" {
	local inner outer base

	pair ca /CN=ca
	pair a /CN=a
	pair b /CN=b
	(umask 077 && echo secret >pw)
	p12 a.p12 a
	cat a.pem a.key >a.both
	mkdir in
	for inner in "${ways[@]}"; do
		for base in a.both a.p12 b.p8; do
			wrap "$inner" <"$base" >"one.$base" 2>log
			cp "one.$base" "in/$inner.$base"
		done
		for outer in "${ways[@]}"; do
			for base in a.both a.p12; do
				wrap "$outer" <"one.$base" \
				    >"in/$outer.$inner.$base" 2>log
			done
		done
	done
	tar cf all.tar -C in .
	take 1 -p file:pw <all.tar
	cat <(only key <"$OUT" | field source) \
	    <(only fault <"$OUT" | field source) |
	    sed 's|^\./||; s|/.*||' | sort -u >have
	diff <(cd in && printf '%s\n' * | sort) have >&2
	# and these are read, not only named
	only key <"$OUT" | field source | sed 's|^\./||; s|/.*||' | sort -u >keys
	for inner in base64.a.p12 pem.signed.a.p12 signed.signed.a.p12 \
	    signed-other.a.p12 pkcs7.a.p12 section.a.both utf16.base64.a.p12 \
	    gz.signed.a.p12 pem.signed-other.a.p12 pkcs7.pkcs7.a.p12; do
		grep -qxF "$inner" keys || {
			echo "not read: $inner" >&2
			return 1
		}
	done
}

@test "a key in a PKCS#12 where nobody looks: a fault" {
	local hide fault size n=0

	pair a /CN=a
	while IFS='|' read -r hide fault; do
		/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" "hide=$hide" >in
		PW=secret take 1 -p env:PW <in
		found 0 1 1
		size=$(only fault <"$OUT" | field detail | grep -o '^[0-9]*')
		faults "stdin: ${fault/SIZE/$size}"
		((n += 1))
	done <<-'HIDE'
	kind|unsupported: a bag of the unknown type 1.2.840.113549.1.12.10.1.34 (RFC 7292 section 4.2): if it holds a key, export the file anew
	part|damaged: SIZE bytes behind the end of a part are not read: fetch the file again, or export it anew (RFC 7292 section 4)
	safe|damaged: SIZE bytes behind the end of a part are not read: fetch the file again, or export it anew (RFC 7292 section 4)
	HIDE
	((n == 3))
}

@test "a large block of PEM is the fault of its member; a key beside it comes out" {
	pair a /CN=a
	{
		cat a.pem
		echo '-----BEGIN X509 CRL-----'
		head -c 3000000 /dev/zero | base64
		echo '-----END X509 CRL-----'
		cat a.key
		echo '-----BEGIN PRIVATE KEY-----'
		head -c 1500000 /dev/zero | base64
		echo '-----END PRIVATE KEY-----'
	} >in
	pair b /CN=b
	cat b.pem b.key >b
	tar cf a.tar in b
	take 1 <a.tar
	found 2 0 2
	[[ $(only fault <"$OUT" | field source | xargs) == 'in in' ]]
}

@test "-x: a PKCS#12 of 300 keys in what cannot be read" {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" many 300 >many.p12
	(($(stat -c %s many.p12) > 128 * 1024))
	{ printf 'junk\0'; cat many.p12; printf 'junk'; } >in
	take 1 -x <in
	found 300 0 1
	only fault <"$OUT" | grep -q 'whole certificates 300, keys 300'
}
