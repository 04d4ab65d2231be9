#!/usr/bin/env bats
#
# kms-export(1): what is found in a backup, how it is paired, named, selected
# and accounted for.  How archives are read is in walk.bats, the stream in
# stream.bats.

load common
load p12
load backup

# From common.bash and take.
: "${shared=}" "${members=}"

# one NAME SUBJECT [ARG...]: NAME.key and NAME.pem of a P-256 key; the arguments
# are for openssl req.
one()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -days 9 -subj "$2" -keyout "$1.key" -out "$1.pem" "${@:3}" 2>log || {
		cat log >&2
		return 1
	}
}

# tree FILE PATH...: the file, under each of these paths, in a.tar.
tree()
{
	local path

	rm -rf tree a.tar
	mkdir tree
	for path in "${@:2}"; do
		mkdir -p "tree/$(dirname "$path")"
		cp "$1" "tree/$path"
	done
	tar -C tree -cf a.tar "${@:2}"
}

# users: group, user, mail and guid of each key, apart by |.
users()
{
	only key <"$OUT" | cut -f 3-6 | tr '\t' '|'
}

@test "contract" {
	one a /CN=a
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	# key first: without its certificate it is a fault
	cat a.key a.pem | CUT_SKIP=1 filter_contract kms-export -c cred.pem
}

@test "usage: no -c, an operand, an option without its argument" {
	contract 2 kms-export </dev/null
	grep -q '^usage: kms-export ' "$ERR"
	contract 2 kms-export -c "$ORG/machine.pem" operand </dev/null
	grep -q '^usage: kms-export ' "$ERR"
	contract 2 kms-export -c </dev/null
	grep -q '^usage: kms-export ' "$ERR"
}

# ledger ARCHIVE: what the ledger says of it, sorted, as the function below.
ledger()
{
	awk -F '\t' -v a="$1" '
	function day(s) {
		return substr(s, 1, 4) "-" substr(s, 5, 2) "-" substr(s, 7) \
		    "T00:00:00Z"
	}
	$1 == a && $2 != "fault" {
		sub(/\.[a-z0-9]*$/, "", $13)
		print ($2 == "key" ? "key" : "cert"), $4, $5, $6, day($11), \
		    day($12), $9, "RSA-" $8, $3, $13
	}' OFS='|' "$ORG/ledger" | sort
}

# listed: the same of the records in $OUT; of a pair, source is one of the two.
listed()
{
	only key <"$OUT" >keys
	only cert <"$OUT" | cat keys - | awk -F '\t' -v OFS='|' '{
		for (i = 1; i <= NF; i++) {
			label = substr($i, 1, index($i, ":") - 1)
			f[label] = substr($i, length(label) + 2)
		}
		sub(/\.[a-z0-9]*$/, "", f["source"])
		print f["rec"], f["group"], f["user"], f["mail"], \
		    f["not_before"], f["not_after"], f["version"], f["alg"], \
		    f["sha1"], f["source"]
	}' | sort
}

@test "the backup of 1999, PKCS#12 in a zip: every key, and both faults" {
	. "$ORG/expected"
	take 1 -p "list:$ORG/user.pws" <"$ORG/kms-backup.zip"
	diff <(ledger zip) <(listed) >&2
	found "$zip_keys" "$zip_certs" "$zip_faults"
	faults "$damaged_path: damaged: not a whole PFX, version 3 (RFC 7292 section 4)" \
	    "$lost_path: password: integrity check failed (wrong password or damaged file)"
	said "$damaged_path: not a whole PFX, version 3 (RFC 7292 section 4)" \
	    "$lost_path: integrity check failed (wrong password or damaged file)"
	came_to "$zip_members" "$zip_keys" "$zip_certs" "$zip_faults" 0
	grep -qx "kms-export: users $zip_users, keys $zip_keys (v1 $zip_v1), certificates $zip_certs, signing keys held back $zip_signing, faults $zip_faults" \
	    "$ERR"
	records <"$OUT" >file
	take 1 -p "list:$ORG/user.pws" < <(cat "$ORG/kms-backup.zip")
	diff file <(records <"$OUT") >&2
}

@test "the backup of 1999, PEM and DER in a tar.gz: pairs across members" {
	. "$ORG/expected"
	take 0 <"$ORG/kms-backup.tar.gz"
	diff <(ledger tar) <(listed) >&2
	found "$tar_keys" "$tar_certs" 0
	faults
	said
	grep -qx "kms-export: users $tar_users, keys $tar_keys (v1 $tar_v1), certificates $tar_certs, signing keys held back $tar_signing, faults 0" \
	    "$ERR"
	[[ $members == "$tar_members "* ]]
	records <"$OUT" >file
	take 0 < <(cat "$ORG/kms-backup.tar.gz")
	diff file <(records <"$OUT") >&2
}

@test "records: fields in the order of the page" {
	one a /CN=a
	one b /CN=b
	cat a.key a.pem b.pem b.pem >in
	head -n 5 b.key >>in
	take 1 <in
	found 1 1 1
	diff <(printf '%s\n' rec n group user mail guid serial issuer subject \
	    not_before not_after version alg use spki sha1 sha256 source cert \
	    seal) <(only key <"$OUT" | tr '\t' '\n' | sed 's/:.*//') >&2
	diff <(only key <"$OUT" | tr '\t' '\n' | sed 's/:.*//; /^rec$/d') \
	    <(only cert <"$OUT" | tr '\t' '\n' | sed 's/:.*//; /^rec$/d') >&2
	diff <(printf '%s\n' rec n source reason detail seal) \
	    <(only fault <"$OUT" | tr '\t' '\n' | sed 's/:.*//') >&2
	only cert <"$OUT" | field cert | base64 -d | cmp - <(cert_der b.pem)
	only key <"$OUT" | field cert | base64 -d | cmp - <(cert_der a.pem)
	diff <(seq 3) <(field n <"$OUT" | head -n 3) >&2
}

@test "one file in place of an archive is a member called stdin" {
	local file n=0

	pair a /CN=a
	openssl x509 -in a.pem -signkey a.key -days 9 -out b.pem 2>log
	(umask 077 && echo secret >pw)
	p12 a.p12 a
	cat a.pem a.key >pair.pem
	openssl pkcs8 -topk8 -in a.key -passout file:pw -out locked
	cat locked a.pem >locked.pem
	openssl pkcs8 -topk8 -scrypt -in a.key -passout file:pw -out locked
	cat a.pem locked >scrypt.pem
	openssl ec -in a.key -aes128 -passout file:pw -out dek 2>log
	cat dek a.pem >dek.pem
	openssl ec -in a.key -out sec1 2>log
	cat sec1 a.pem >sec1.pem
	openssl x509 -in a.pem -text -trustout -addtrust emailProtection \
	    -out trusted
	cat a.key trusted >trusted.pem
	p12-extract -p file:pw <a.p12 >a.rec
	gzip -k pair.pem
	sed 's/$/\r/' pair.pem >dos.pem
	{ echo 'Bag Attributes'; cat pair.pem; echo 'the end'; } >text.pem
	for file in a.p12 pair.pem locked.pem scrypt.pem dek.pem sec1.pem \
	    trusted.pem a.rec pair.pem.gz dos.pem text.pem; do
		take 0 -p file:pw <"$file" || {
			echo "$file" >&2
			return 1
		}
		found 1 0 0
		said
		came_to 1 1 0 0 0
		[[ $(only key <"$OUT" | field source) == stdin ]]
		only key <"$OUT" | field cert | base64 -d | cmp - a.der
		((n += 1))
	done
	((n == 11))
}

@test "a certificate alone is a cert record, and no fault" {
	local file n=0

	pair a /CN=a
	pair b /CN=b
	openssl crl2pkcs7 -nocrl -certfile a.pem -outform DER -out a.p7b
	openssl crl2pkcs7 -nocrl -certfile a.pem -out a.p7
	openssl x509 -in a.pem -text -out text.pem
	for file in a.pem a.der a.p7b a.p7 text.pem; do
		take 0 <"$file"
		found 0 1 0
		said
		came_to 1 0 1 0 0
		only cert <"$OUT" | field cert | base64 -d | cmp - a.der
		((n += 1))
	done
	((n == 5))
	openssl crl2pkcs7 -nocrl -certfile <(cat a.pem b.pem) -outform DER \
	    -out a.p7b
	take 0 <a.p7b
	found 0 2 0
}

@test "a key alone is a fault" {
	local file n=0 what='a private key without a certificate: add its certificate to the backup'

	pair a /CN=a
	pair r /CN=r rsa:512
	openssl rsa -in r.key -traditional -out r.pkcs1
	openssl rsa -in r.key -traditional -outform DER -out r.pkcs1.der
	openssl ec -in a.key -outform DER -out a.sec1.der 2>log
	openssl ec -in a.key -param_out -out params.pem 2>log
	openssl ec -in a.key >>params.pem 2>log
	for file in a.key a.p8 r.pkcs1 r.pkcs1.der a.sec1.der params.pem; do
		take 1 <"$file"
		found 0 0 1
		faults "stdin: no-certificate: $what"
		said "stdin: $what"
		came_to 1 0 0 1 0
		((n += 1))
	done
	((n == 6))
	tree a.p8 G/U/key
	take 1 <a.tar
	faults "G/U/key: no-certificate: $what"
}

@test "what is no key and no certificate" {
	local what='not a format that holds keys or certificates' n=0

	while IFS='|' read -r input fault; do
		take 1 < <(printf %b "$input")
		found 0 0 1
		faults "stdin: $fault"
		said "stdin: ${fault#*: }"
		came_to 1 0 0 1 0
		((n += 1))
	done <<EOF
x|format: $what
\x0030\x82\x01|format: $what
MZ\x90\x00|format: $what
0\x03\x02\x01\x01|format: DER of an unknown kind, or damaged
0|format: DER of an unknown kind, or damaged
-----BEGIN X-----|damaged: PEM block cannot be read (RFC 7468 section 2): bad end line
-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n|empty: no key and no certificate in it
-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n|certificate: not a DER certificate (RFC 5280 section 4.1)
-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n|format: DER of an unknown kind, or damaged
rec:key\tn:1\n|damaged: line 1: no group
EOF
	((n == 10))
	: >empty
	tar -cf a.tar empty
	take 1 <a.tar
	faults 'empty: empty: empty file'
	came_to 1 0 0 1 0
}

@test "empty input" {
	cp "$ORG/machine.pem" "$ORG/machine.key" .
	cat machine.pem machine.key >cred.pem
	refuses 2 'kms-export: stdin: empty input: expected a backup' \
	    kms-export -c cred.pem </dev/null
	refuses 2 'kms-export: stdin: empty input: expected a backup' \
	    kms-export -c cred.pem < <(:)
	refuses 2 'kms-export: stdin: cannot read: Is a directory' \
	    kms-export -c cred.pem <.
	# an archive of nothing is no error of the system
	tar -cf a.tar -T /dev/null
	take 1 <a.tar
	said 'nothing was found'
	found 0 0 0
	came_to 0 0 0 0 0
}

@test "a PEM file with a broken block loses no other" {
	pair a /CN=a
	pair b /CN=b
	{ sed '2s/./!/' b.key; cat a.pem b.pem; sed '2s/./!/' b.pem
	cat a.key; } >in
	take 1 <in
	found 1 1 2
	faults 'stdin: damaged: PEM block cannot be read (RFC 7468 section 2): bad base64 decode' \
	    'stdin: damaged: PEM block cannot be read (RFC 7468 section 2): bad base64 decode'
	came_to 1 1 0 0 0
	only key <"$OUT" | field cert | base64 -d | cmp - a.der
	only cert <"$OUT" | field cert | base64 -d | cmp - b.der
	# cut
	{ cat a.key a.pem; head -n 3 b.key; } >in
	take 1 <in
	found 1 0 1
	only key <"$OUT" | field cert | base64 -d | cmp - a.der
}

# Members: k is the key, c1 and c2 are certificates of it, a final b marks
# another copy; kc1 is a member with both.
@test "pairing: any order, several certificates, copies" {
	local input want got n=0
	local -a files

	one c1 /CN=1
	mv c1.key k
	openssl req -x509 -key k -subj /CN=2 -days 9 -out c2
	mv c1.pem c1
	cp c1 c1b
	cp c2 c2b
	cp k kb
	cat k c1 >kc1
	cat c2 k >kc2
	cp kc1 kc1b
	cat k c1 c2 >kc12
	cat c1 k c1 >ckc
	while IFS='|' read -r input want; do
		IFS=' ' read -ra files <<<"$input"
		tar -cf a.tar "${files[@]}"
		take "$([[ $want == *no-cert* ]] && echo 1 || echo 0)" <a.tar || {
			echo "$input" >&2
			return 1
		}
		got=$(records <"$OUT" | sed -n 's/^rec:\([a-z]*\)\t.*\tsubject:CN=\(.\).*/\1\2/p
		    s/^rec:fault\tsource:\([a-z]*\)\treason:\([a-z-]*\).*/\2:\1/p' |
		    sort)
		diff <(echo "$input: $want $members") \
		    <(echo "$input: ${got//$'\n'/ } $members") >&2
		[[ $members == "${#files[@]} "* ]]
		((n += 1))
	done <<'MATRIX'
k c1|key1
c1 k|key1
kc1|key1
k c1 c2|key1 key2
c1 k c2|key1 key2
c1 c2 k|key1 key2
kc1 c2|key1 key2
c2 kc1|key1 key2
kc1 kc2|key1 key2
kc12|key1 key2
c2 kc12|key1 key2
k kc1 c2|key1 key2
kc1 k c2|key1 key2
k c1 c1b|key1
c1 c1b k|key1
c1 k c1b|key1
c1 kc1|key1
kc1 c1|key1
c1 c2 k c1b c2b|key1 key2
k c1 c2 c1b|key1 key2
ckc|key1
c1|cert1
c1 c1b|cert1
c1 c2|cert1 cert2
k|no-certificate:k
k kb|no-certificate:k no-certificate:kb
k kb c1|key1
c1 k kb|key1
k c1 kb|key1
kc1 k|key1
k kc1|key1
k kb kc1|key1
MATRIX
	((n == 32))
}

@test "pairing: among many, in one member and across members" {
	local i

	for i in {1..20}; do
		one "$i" "/CN=$i"
	done
	cat {1..20}.key >keys
	cat {20..1}.pem >certs
	tar -cf a.tar keys certs
	take 0 <a.tar
	found 20 0 0
	came_to 2 1 1 0 0
	diff <(seq 20) <(only key <"$OUT" | field user | sort -n) >&2
	cat {1..20}.pem {20..1}.key >both
	take 0 <both
	found 20 0 0
	tar -cf a.tar {1..20}.key {1..20}.pem
	take 0 <a.tar
	found 20 0 0
	came_to 40 20 20 0 0
	[[ $(only key <"$OUT" | field source | sort -u | wc -l) == 20 ]]
}

@test "pairing: an EC key, its points written in another form" {
	pair a /CN=a
	openssl ec -in a.key -conv_form compressed -out k 2>log
	cp a.pem c
	tar -cf a.tar k c
	take 0 <a.tar
	found 1 0 0
}

@test "group and user from the path" {
	local path want n=0

	openssl req -x509 -newkey rsa:512 -noenc -keyout a.key -days 9 \
	    -subj '/O=Org/OU=One/OU=Two/CN=Recipients/CN=jane' -out a.pem 2>log
	cat a.key a.pem >a
	while IFS=' ' read -r path want; do
		tree a x
		tar -C tree -P --transform "s|.*|$path|" -cf a.tar x
		take 0 <a.tar
		diff <(echo "$path $want||") <(echo "$path $(users)") >&2
		diff <(echo "$path") <(only key <"$OUT" | field source) >&2
		((n += 1))
	done <<'PATHS'
x group:Two|user:jane|mail:|guid:
PATHS
	((n == 1))
}
