#!/usr/bin/env bats
#
# common/file/carve.c: what kms-export -x finds in bytes of an unknown format.  What
# is planted must come out byte for byte and from the right place; openssl says
# whether what came out is what it claims.

load common
load p12
load backup

# From common.bash and take.
: "${shared=}" "${members=}"

# size FILE
size()
{
	stat -c %s "$1"
}

# What an ESE database and an unknown format are said to be.
ese='how a KMS stores keys is not public: export PFX per user on Windows and feed those in; rows of its tables: '
unknown='not a format that is read here: if it holds keys, get them out as PKCS#12'

setup_file()
{
	(
		cd "$BATS_FILE_TMPDIR" || exit 1
		pair a /CN=a
		pair b /CN=b
		pair r /CN=r rsa:1024
		pair s /CN=s rsa:512
	)
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/[abrs].* .
	(umask 077 && echo secret >pw)
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
}

# noise BYTES: bytes that look like nothing, always the same.
noise()
{
	head -c "$1" /dev/zero | openssl enc -aes-128-ctr -nosalt \
	    -K 00112233445566778899aabbccddeeff -iv 00 2>/dev/null
}

# plant IMAGE OFFSET FILE...: write the files there, one behind the other.
plant()
{
	cat "${@:3}" | dd of="$1" bs=64K oflag=seek_bytes seek="$2" \
	    conv=notrunc iflag=fullblock status=none
}

# sources TYPE: source and subject of each such record.
sources()
{
	only "$1" <"$OUT" | awk -F '\t' '{
		sub(/^source:/, "", $18)
		sub(/^subject:CN=/, "", $9)
		print $18, $9
	}'
}

# whole_ones: openssl takes every certificate of $OUT, and kms-verify (in take)
# every key; each is one of those that were planted.
whole_ones()
{
	local name

	while read -r name; do
		openssl x509 -inform DER -in <(grep -a "	subject:CN=$name	" \
		    "$OUT" | head -n 1 | field cert | base64 -d) -out judge \
		    2>log && cmp <(cert_der judge) "$name.der" || return
	done < <(field subject <"$OUT" | sed 's/^CN=//' | sort -u)
}

# searched CERTS KEYS: the end of the fault's detail.
searched()
{
	diff <(echo "searched (-x): whole certificates $1, keys $2") \
	    <(only fault <"$OUT" | field detail | sed 's/.*; //') >&2
}

@test "ESE databases: planted at odd places, found there" {
	local file n=0

	need_shared corpora/ese
	for file in "$shared"/corpora/ese/*.edb; do
		cp "$file" in
		chmod u+w in
		take 1 -x <in
		found 0 0 1
		searched 0 0
		plant in 4097 a.der
		plant in 65533 r.p8
		plant in 123457 b.p8 b.der
		plant in 333333 r.der
		plant in $((1048576 - $(size s.der))) s.der
		take 1 -x <in
		# what was planted damaged the pages beneath
		found 2 2 "$(only fault <"$OUT" | wc -l)"
		diff <(printf '%s\n' 'stdin@123457 b' 'stdin@65533 r') <(sources key | sort) >&2
		diff <(printf '%s\n' "stdin@$((1048576 - $(size s.der))) s" \
		    'stdin@4097 a') <(sources cert | sort) >&2
		whole_ones
		only fault <"$OUT" | grep "source:stdin	reason:unsupported	.*: $ese.*; searched (-x): whole certificates 4, keys 2	"
		came_to 1 1 0 0 0
		# it is a database all the same
		take 1 <in
		[[ $(only end <"$OUT" | cut -f 3,4) == $'keys:0\tcerts:0' ]]
		came_to 1 0 0 1 0
		((n += 1))
	done
	((n == 3))
}

# The reader hands over pieces of 1 MiB; 16 MiB is the ceiling of a member.
@test "a disk image of 40 MB: across pieces, around the ceiling, at the end" {
	local mib=1048576 ceiling=16777216 end=41943040
	local large='larger than 16777216 bytes, the ceiling of a member: raise it with -L member='

	noise 40M >in
	plant in 513 r.der
	plant in $((mib - 1)) a.der
	plant in $((2 * mib - 31)) b.der
	plant in $((3 * mib - 200)) s.der
	plant in $((4 * mib)) s.p8
	plant in $((5 * mib - $(size a.p8))) a.p8
	plant in $((ceiling - 100)) b.p8
	plant in $((end - $(size r.p8))) r.p8
	take 1 -x <in
	diff <(printf '%s\n' "stdin@$((4 * mib)) s" \
	    "stdin@$((5 * mib - $(size a.p8))) a" \
	    "stdin@$((ceiling - 100)) b" \
	    "stdin@$((end - $(size r.p8))) r" | sort) <(sources key | sort) >&2
	found 4 0 1
	searched 4 4
	whole_ones
	came_to 1 1 0 0 0
	said "stdin: $large; searched (-x): whole certificates 4, keys 4"
	# the same from a pipe, and with another ceiling
	cp "$OUT" first
	take 1 -x < <(cat in)
	diff <(records <first) <(records <"$OUT") >&2
	take 1 -x -L member=64M <in
	diff <(only key <first | field source) \
	    <(only key <"$OUT" | field source) >&2
	searched 4 4
	# not without -x
	take 1 <in
	found 0 0 1
	faults "stdin: ceiling: $large"
	came_to 1 0 0 1 0
}

@test "before the ceiling of a member, on it and behind it" {
	local ceiling=16777216

	noise 17M >in
	plant in $((ceiling - $(size a.der))) a.der
	plant in "$ceiling" b.der
	plant in $((ceiling + 1000001)) r.der
	take 1 -x <in
	found 0 3 1
	diff <(printf '%s\n' "stdin@$((ceiling - $(size a.der))) a" \
	    "stdin@$ceiling b" "stdin@$((ceiling + 1000001)) r") \
	    <(sources cert) >&2
}

@test "at the end of a piece, wherever it is cut" {
	local i at

	noise 30M >in
	for i in {1..29}; do
		at=$((i * 1048576 - 5 - i * 12))
		plant in "$at" a.der
		echo "stdin@$at a" >>want
	done
	take 1 -x <in
	searched 29 0
	# one certificate is one record, of its first place
	diff <(head -n 1 want) <(sources cert) >&2
	# and with a key it is one
	plant in 31000001 a.p8
	take 1 -x <in
	found 1 0 1
}

@test "a member of a tar: path@offset, beside what is read as usual" {
	noise 2M >disk
	plant disk 1000001 a.der a.p8
	noise 18M >large
	plant large 17000000 b.p8
	mkdir -p G/U
	mv disk G/U/disk.img
	mv large G/U/large.img
	cp r.key r.pem b.pem G/U
	tar -cf a.tar G/U/disk.img G/U/r.key G/U/large.img G/U/b.pem G/U/r.pem
	take 1 -x <a.tar
	found 3 0 2
	diff <(printf '%s\n' "G/U/disk.img@$((1000001 + $(size a.der))) a" \
	    'G/U/large.img@17000000 b' 'G/U/r.key r') \
	    <(sources key | sort) >&2
	diff <(printf 'group:G\tuser:U\n') \
	    <(only key <"$OUT" | cut -f 3,4 | sort -u) >&2
	faults "G/U/disk.img: format: $unknown; searched (-x): whole certificates 1, keys 1" \
	    "G/U/large.img: ceiling: larger than 16777216 bytes, the ceiling of a member: raise it with -L member=; searched (-x): whole certificates 0, keys 1"
	came_to 5 3 2 0 0
	take 1 <a.tar
	found 1 1 2
	take 1 -x -u nobody <a.tar
	found 0 0 0
	came_to 5 0 0 0 5
}

@test "what -x finds is described by the map as its member is" {
	p12 s.p12 s
	noise 100K >disk
	plant disk 333 a.der a.p8
	plant disk 7777 s.p12
	noise 17M >large
	plant large 99 s.p12
	plant large 16999999 b.der b.p8
	tar -cf a.tar disk large
	(umask 077 && printf 'path:%s\tgroup:g\tuser:u\tpass:secret\n' disk \
	    large >map)
	take 1 -x -m map <a.tar
	diff - <(only key <"$OUT" | cut -f 3,4,18 | tr '\t' ' ' | sort) >&2 <<EOF
group:g user:u source:disk@$((333 + $(size a.der)))
group:g user:u source:disk@7777
group:g user:u source:large@$((16999999 + $(size b.der)))
group:g user:u source:large@99
EOF
	not grep -q 'matches no member' "$ERR"
}

@test "PKCS#12: opened, or a fault at its place" {
	p12 a.p12 a
	noise 300K >in
	plant in 111111 a.p12
	take 1 -x -p file:pw <in
	found 1 0 1
	diff <(echo 'stdin@111111 a') <(sources key) >&2
	whole_ones
	searched 1 1
	take 1 -x <in
	found 0 0 2
	faults 'stdin@111111: password: integrity check failed (no password given: -p, or damaged file)' \
	    "stdin: format: $unknown; searched (-x): whole certificates 0, keys 0"
	# a cut one may be none: nothing is said of it
	noise 300K >in
	head -c 500 a.p12 >half
	plant in 111111 half
	take 1 -x -p file:pw <in
	found 0 0 1
	searched 0 0
	# but what is not encrypted in it is found
	openssl pkcs12 -export -inkey a.key -in a.pem -out a.p12 -keypbe NONE \
	    -certpbe NONE -passout file:pw
	head -c $(($(size a.p12) - 10)) a.p12 >half
	plant in $((300 * 1024 - $(size half))) half
	take 1 -x -p file:pw <in
	found 1 0 1
	whole_ones
}

# The rounds of a cipher that nobody knows are counted, and not done.
@test "each PKCS#12 in an image has work of its own, and a ceiling is said" {
	local bag parts i

	noise 200K >in
	bag=$(bag 02 "$(pbes2 "$(pbkdf2 02030fffff)" 300506032a0304)")
	printf -v parts "$bag%.0s" {1..40}
	pfx "$(part "$parts")$(part "$(plain a)")" | unhex >a.p12
	pfx "$(part "$parts")$(part "$(plain b)")" | unhex >b.p12
	for i in a b; do
		take 1 <$i.p12
		found 1 0 40
	done
	plant in 1001 a.p12 b.p12 a.p12
	take 1 -x <in
	# 0x0fffff is 1,048,575: 120 of them are past the ceiling of a file
	found 2 0 121
	diff <(echo 'reason:unsupported') <(only fault <"$OUT" | cut -f 4 |
	    grep -v format | sort -u) >&2
	noise 10K >in
	# 0x989681 is 10,000,001
	pfx '' "$(mac 020400989681 0000000000000000000000000000000000000000)" |
	    unhex >c.p12
	plant in 777 c.p12
	take 1 -x <in
	faults 'stdin@777: ceiling: asks for more than 10000000 rounds of key derivation, the ceiling' \
	    "stdin: format: $unknown; searched (-x): whole certificates 0, keys 0"
}

@test "back to back, twice, and behind what looks like a start" {
	noise 100K >in
	plant in 1000 a.der b.der a.der r.p8 r.der
	plant in 50000 a.der
	take 1 -x <in
	searched 5 1
	found 1 2 1
	diff <(printf '%s\n' 'stdin@1000 a' "stdin@$((1000 + $(size a.der))) b") \
	    <(sources cert) >&2
	diff <(echo "stdin@$((1000 + 2 * $(size a.der) + $(size b.der))) r") \
	    <(sources key) >&2
	noise 100K >in
	printf '\x30\x30\x30\x82\xff\xff\x30\x83\x01\xff\xff' >start
	plant in 5000 start a.der start b.der
	take 1 -x <in
	found 0 2 1
	whole_ones
	{ printf x; cat start a.der; } >in
	take 1 -x <in
	found 0 1 1
	diff <(echo 'stdin@12 a') <(sources cert) >&2
}

@test "cut: not found, at the end and before other bytes" {
	local n=0 file

	for file in a.der a.p8 r.der r.p8; do
		head -c $(($(size "$file") - 1)) "$file" >half
		{ noise 1000; cat half; } >in
		take 1 -x <in
		found 0 0 1
		searched 0 0
		head -c $(($(size "$file") / 2)) "$file" >half
		{ noise 1000; cat half; noise 5000; } >in
		take 1 -x <in
		found 0 0 1
		searched 0 0
		((n += 1))
	done
	((n == 4))
}

# flips FILE FROM [TO]: copies of the file, each with one bit changed.
flips()
{
	/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" flips "$@"
}

# The numbers of an RSA key begin at byte 33; of EC the private one is at 36 to
# 67, the public one from 74.  Elsewhere some changes change nothing, such as a
# length written in another way or the form of the point.
@test "keys with one bit flipped are not found" {
	local file key crt

	# where the numbers of the remainder theorem begin, which are recomputed
	key=$(openssl asn1parse -inform DER -in r.p8 |
	    sed -n 's/^ *\([0-9]*\):.*hl=\([0-9]*\).*OCTET STRING.*/\1 + \2/p')
	crt=$(openssl asn1parse -inform DER -in r.p8 -strparse "$((${key% + *}))" |
	    sed -n 's/^ *\([0-9]*\):.*INTEGER.*/\1/p' | sed -n 7p)
	flips r.p8 33 "$((key + crt))" >in
	cat r.der >>in
	[[ $(size in) -gt 200000 ]]
	take 1 -x <in
	found 0 1 1
	searched 1 0
	flips r.p8 "$((key + crt))" >in
	cat r.der >>in
	take 1 -x <in
	[[ $(only key <"$OUT" | wc -l) == 1 ]]
	{ flips a.p8 36 68; flips a.p8 74; cat a.der; } >in
	take 1 -x <in
	found 0 1 1
	searched 1 0
	# wherever it is, no other key is made up
	for file in r a; do
		flips "$file.p8" 0 >in
		cat "$file.der" >>in
		take 1 -x <in
		[[ $(only fault <"$OUT" | grep -v -c 'recomputed') == 1 ]]
		[[ $(field sha1 <"$OUT" | sort -u | wc -l) == 1 ]]
		whole_ones
	done
}

# look_alikes N: so often SEQUENCE, version 0, an AlgorithmIdentifier; 15 bytes.
look_alikes()
{
	printf '\x30\x0d\2\1\0\x30\5\6\1\x2a\5\0\4\1\0' >alike
	while (($(size alike) < 15 * $1)); do
		cat alike alike >alikes
		mv alikes alike
	done
	head -c $((15 * $1)) alike
}

@test "bytes made to look like keys: a ceiling, and what was found stays" {
	{ noise 100; cat a.der; look_alikes 10010; cat b.der; } >in
	take 1 -x <in
	found 0 1 1
	diff <(echo 'stdin@100 a') <(sources cert) >&2
	faults "stdin: format: $unknown; searched (-x) only in part, because it is crafted to look like keys: whole certificates 1, keys 0"
	{ noise 100; cat a.der; look_alikes 9990; cat b.der; } >in
	take 1 -x <in
	found 0 2 1
	searched 2 0
}

@test "nothing but 0x30, and nothing but what may begin" {
	{ noise 10; head -c 20M /dev/zero | tr '\0' '\060'; } >in
	take 1 -x <in
	found 0 0 1
	searched 0 0
	# at each step a certificate that would be 127 KiB long
	printf '\x30\x83\1\xf0\0\x30\x83\1\x20\0\2\1\1' >start
	for _ in {1..12}; do
		cat start start >longer
		mv longer start
	done
	{ noise 10; cat start; noise 100; cat a.der; } >in
	take 1 -x <in
	found 0 1 1
}

@test "100 MB of noise: nothing is found in it" {
	noise 100M >in
	take 1 -x <in
	found 0 0 1
	searched 0 0
	came_to 1 0 0 1 0
}

@test "-x changes nothing for what can be read" {
	take 0 <"$ORG/kms-backup.tar.gz"
	cp "$OUT" without
	take 0 -x <"$ORG/kms-backup.tar.gz"
	diff <(records <without) <(records <"$OUT") >&2
	printf x >one
	tar -cf a.tar one
	take 1 -x <a.tar
	faults "one: format: $unknown; searched (-x): whole certificates 0, keys 0"
	came_to 1 0 0 1 0
}
