#!/usr/bin/env bats
#
# kms-export(1): what is found in a backup, how it is paired, named, selected
# and accounted for.  How archives are read is in unpack.bats, the stream in
# stream.bats.
#
# shellcheck disable=SC1091,SC2154 # what comes from $ORG/expected

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

# put FILE PATH: add the file to a.tar, under that path.
put()
{
	tar -P -rf a.tar --transform "s|.*|$2|" "$1"
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
	# what everybody tries first
	grep -q -x 'kms-export: operand: no operand is expected (a file is given as <FILE)' \
	    "$ERR"
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
	faults "$damaged_path: damaged: not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged" \
	    "$lost_path: password: integrity check failed (wrong password or damaged file)"
	said "$damaged_path: not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged" \
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
	not grep -q 'a signing key' "$ERR"
	# -v names those that are held back, and they can be found in the stream
	take 0 -v <"$ORG/kms-backup.tar.gz"
	grep $'^rec:cert\t.*\tuse:sign\t' "$OUT" | cut -f 3-5,7,18 >held
	[[ $(wc -l <held) == "$tar_signing" ]]
	diff <(grep 'a signing key' "$ERR" | sort) <(awk -F '\t' '{
	    sub(/^user:/, "", $2)
	    sub(/^source:/, "", $5)
	    print "kms-export: " $5 ": a signing key of user " $2 " is held back: only its certificate is exported"
	}' held | sort)
	[[ $members == "$tar_members "* ]]
	records <"$OUT" >file
	take 0 < <(cat "$ORG/kms-backup.tar.gz")
	diff file <(records <"$OUT") >&2
}

@test "records: fields in the order of the page" {
	one a /CN=a
	one b /CN=b
	cat a.key a.pem b.pem b.pem >in
	head -n 3 b.key >>in
	take 1 <in
	found 1 1 1
	diff <(printf '%s\n' rec n group user mail guid serial issuer subject \
	    not_before not_after version alg use spki sha1 sha256 source cert \
	    seal) <(only key <"$OUT" | tr '\t' '\n' | sed 's/:.*//') >&2
	diff <(only key <"$OUT" | tr '\t' '\n' | sed 's/:.*//; /^rec$/d') \
	    <(only cert <"$OUT" | tr '\t' '\n' | sed 's/:.*//; /^rec$/d') >&2
	diff <(printf '%s\n' rec n keys certs faults sha256 members members_keys \
	    members_certs members_faulted members_skipped sig) \
	    <(only end <"$OUT" | tr '\t' '\n' | sed 's/:.*//') >&2
	diff <(printf '%s\n' rec n source reason detail group user seal) \
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
	put a.p8 G/U/key
	take 1 <a.tar
	faults "G/U/key: no-certificate: $what"
}

@test "what is no key and no certificate" {
	local what='not a format that is read here: if it holds keys, get them out as PKCS#12' n=0

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
0\x03\x02\x01\x01|format: DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12
0|format: DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12
-----BEGIN X-----|damaged: PEM block cannot be read: fetch the file again, it is damaged (RFC 7468 section 2): bad end line
-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n|format: DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12
-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n|certificate: not a DER certificate (RFC 5280 section 4.1): fetch the file again, or export it anew
-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n|format: DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12
rec:key\tn:1\n|damaged: line 1: key record without group
EOF
	((n == 10))
	: >empty
	tar -cf a.tar empty
	take 1 <a.tar
	faults 'empty: empty: empty file: fetch it again'
	came_to 1 0 0 1 0
}

@test "a certificate that nobody else would read" {
	local hex alg=06092a864886f70d01010b bits=0382010100 bad n=0

	hex=$(openssl x509 -in "$ORG/keys/grace-2003.pem" -outform DER |
	    xxd -p -c 0)
	# both algorithms of the signature, its unused bits, a unique
	# identifier in place of extensions, a SEQUENCE that is primitive
	for bad in "${hex/$alg/04${alg:2}}" "${hex%"$alg"*}04${alg:2}${hex##*"$alg"}" \
	    "${hex%"$bits"*}${bits:0:8}09${hex##*"$bits"}" \
	    "${hex/0203010001a3/020301000182}" "10${hex:2}"; do
		[[ ${#bad} == "${#hex}" && $bad != "$hex" ]]
		xxd -r -p <<<"$bad" >der
		not openssl x509 -inform DER -in der -noout 2>log
		take 1 < <(echo '-----BEGIN CERTIFICATE-----'
		    base64 der
		    echo '-----END CERTIFICATE-----')
		found 0 0 1
		faults 'stdin: certificate: not a DER certificate (RFC 5280 section 4.1): fetch the file again, or export it anew'
		((n += 1))
	done
	((n == 5))
}

@test "empty input" {
	cp "$ORG/machine.pem" "$ORG/machine.key" .
	cat machine.pem machine.key >cred.pem
	refuses 2 'kms-export: stdin: empty input: expected a backup' \
	    kms-export -c cred.pem </dev/null
	refuses 2 'kms-export: stdin: empty input: expected a backup' \
	    kms-export -c cred.pem < <(:)
	refuses 2 'kms-export: stdin: cannot read: Is a directory: tar -cf - -C DIR . | makes a backup of a folder' \
	    kms-export -c cred.pem <.
	# an archive of nothing is no error of the system
	tar -cf a.tar -T /dev/null
	take 1 <a.tar
	faults 'stdin: empty: nothing but zero bytes, or an empty tar: fetch it again'
	found 0 0 1
	came_to 1 0 0 1 0
}

@test "a PEM file with a broken block loses no other" {
	pair a /CN=a
	pair b /CN=b
	{ sed '2s/./!/' b.key; cat a.pem b.pem; sed '2s/./!/' b.pem
	cat a.key; } >in
	take 1 <in
	found 1 1 2
	faults 'stdin: damaged: PEM block cannot be read: fetch the file again, it is damaged (RFC 7468 section 2): bad base64 decode' \
	    'stdin: damaged: PEM block cannot be read: fetch the file again, it is damaged (RFC 7468 section 2): bad base64 decode'
	came_to 1 1 0 0 0
	only key <"$OUT" | field cert | base64 -d | cmp - a.der
	only cert <"$OUT" | field cert | base64 -d | cmp - b.der
	# cut
	{ cat a.key a.pem; head -n 3 b.key; } >in
	take 1 <in
	found 1 0 1
	only key <"$OUT" | field cert | base64 -d | cmp - a.der
}

# PEM_read_bio() passes over what stands before a BEGIN line, and takes an END
# line of the same name that comes later.
@test "a PEM file with a BEGIN or END line missing or damaged: a fault" {
	local edit said='lines that begin or end a PEM block, and 2 blocks: a line is missing or damaged, and what is there is not read: repair the file (RFC 7468 section 2)'

	pair a /CN=a
	pair b /CN=b
	# shellcheck disable=SC2016 # for sed
	for edit in '$d' 1d '1s/-//'; do
		{ sed "$edit" a.key; cat b.key b.pem; } >in
		take 1 <in
		only fault <"$OUT" | field detail |
		    grep -qxF "$(grep -c -e ' KEY-' -e '-----[BE]' in) $said"
	done
	# and the other way round: text between the blocks is only text
	{ cat a.key; echo 'BEGIN OF b'; cat a.pem b.key b.pem; } >in
	take 0 <in
	found 2 0 0
}

@test "base64 beside PEM blocks: a fault" {
	pair a /CN=a
	pair b /CN=b
	(umask 077 && echo secret >pw)
	p12 b.p12 b
	base64 b.p12 >b.b64
	cat a.key a.pem b.b64 >in
	take 1 <in
	found 1 0 1
	faults 'stdin: format: base64 that is in no PEM block is not read: put it into a file of its own'
	cat b.b64 a.key a.pem >in
	take 1 <in
	found 1 0 1
}

# Members: k is the key, c1 and c2 are certificates of it, a final b marks
# another copy; kc1 is a member with both.
@test "uuencoded data beside PEM blocks: a fault, of one or the other" {
	local how order input n=0

	cp "$ORG/keys/erin-1998.pem" a.pem
	cp "$ORG/keys/judy-1998.pem" b.pem
	for how in --uuencode --b64encode; do
		bsdtar "$how" -cf uu b.pem
		take 0 <uu
		for order in 'uu a.pem' 'a.pem uu'; do
			# shellcheck disable=SC2086 # two files
			cat $order >in
			for input in in <(cat in) <(dd if=in bs=7 status=none); do
				take 1 <"$input"
				[[ $(only cert <"$OUT" | field source) == b.pem ]]
				faults 'stdin: unsupported: PEM beside uuencoded data is not read: put it into a file of its own'
			done
			tar -cf in.tar in
			take 1 <in.tar
			[[ $(only cert <"$OUT" | field cert | base64 -d |
			    sha256sum) == "$(openssl x509 -in a.pem \
			    -outform DER | sha256sum)" ]]
			faults 'in: format: uuencoded data beside PEM is not read: uudecode it, and feed that in'
			((n += 1))
		done
	done
	((n == 4))
	# text is none
	{ echo 'begin a thing'; cat a.pem; echo '------BEGI N'; } >in
	take 0 <in
}

@test "pairing: any order, several certificates, copies" {
	local input want got n=0
	local -a files

	# two certificates of one user
	one c1 /CN=1 -addext subjectAltName=email:u@example.com
	mv c1.key k
	openssl req -x509 -key k -subj /CN=2 -days 9 -out c2 \
	    -addext subjectAltName=email:u@example.com
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

@test "group and user: the last two directories of the path" {
	local path want

	openssl req -x509 -newkey rsa:512 -noenc -keyout a.key -days 9 \
	    -subj '/OU=One/OU=Two/CN=Recipients/CN=jane' -out a.pem 2>log
	cat a.key a.pem >a
	while IFS='|' read -r path want; do
		put a "$path"
		echo "$path|$want" >>want
	done <<'PATHS'
x|group:Two|user:jane
./x|group:Two|user:jane
/x|group:Two|user:jane
../x|group:Two|user:jane
G/x|group:G|user:jane
./G/x|group:G|user:jane
/G/x|group:G|user:jane
G/U/x|group:G|user:U
./G/U/x|group:G|user:U
/G/U/x|group:G|user:U
../G/U/x|group:G|user:U
A/B/G/U/x|group:G|user:U
G//U/x|group:G|user:U
G/U//x|group:G|user:U
G/./U/./x|group:G|user:U
A/../U/x|group:U|user:jane
North America/Jané Zoë/x|group:North America|user:Jané Zoë
-g/-u/x|group:-g|user:-u
.../U/x|group:...|user:U
 / /x|group: |user: 
G:1/U=2/x|group:G:1|user:U=2
PATHS
	take 0 <a.tar
	diff want <(only key <"$OUT" | awk -F '\t' -v OFS='|' \
	    '{ sub(/^source:/, "", $18); print $18, $3, $4 }') >&2
	[[ $(wc -l <want) == 21 ]]
}

# The names of the archive are the bytes that they are.
@test "group and user: names that no terminal should see" {
	local n=0 path want

	one a /CN=jane
	cat a.key a.pem >a
	while IFS= read -r path && IFS= read -r want; do
		path=$(printf %b "$path")
		rm -f a.tar
		put a "$path"
		take 0 -v <a.tar
		diff <(echo "$want") \
		    <(only key <"$OUT" | cut -f 3,4 | tr '\t' ' ') >&2
		only key <"$OUT" | tr '\t' '\n' | grep '^source' >source
		if [[ $(<source) == source_b64:* ]]; then
			sed 's/^source_b64://' source | base64 -d |
			    cmp - <(printf %s "$path")
		fi
		((n += 1))
	done <<'PATHS'
Gr\xfcppe/J\xfcrgen/x
group_b64:R3L8cHBl user_b64:SvxyZ2Vu
G\x1b[31m/U\x07/x
group_b64:RxtbMzFt user_b64:VQc=
G/U\xe2\x80\xaegpj.exe/x
group:G user_b64:VeKArmdwai5leGU=
G\tT/U\nV/x
group:G\tT user:U\nV
G\r/U\\V/x
group:G\r user:U\\V
G/\xc2\x9b31m/x
group:G user_b64:wpszMW0=
G/\xed\xa0\x80/x
group:G user_b64:7aCA
PATHS
	((n == 7))
}

@test '-i: names in paths of another charset; without it, how many there are' {
	local odd='kms-export: users whose name or group is not UTF-8: 2: run with -i and the charset of the paths (CP1252, CP850), or name them with -m'
	local n path

	n=0
	for path in $'Gr\xfcn/J\xf6rg/x' $'Gr\xfcn/Zo\xeb/x' \
	    Grün/Jörg/y A/b/x; do
		one "k$n" "/CN=k$n"
		cat "k$n.key" "k$n.pem" >m
		mkdir -p "${path%/*}"
		mv m "$path"
		((n += 1))
	done
	tar cf a.tar G* A
	take 0 <a.tar
	grep -qxF "$odd" "$ERR"
	# source stays what it was
	take 0 -i CP1252 <a.tar
	not grep -q 'is not UTF-8' "$ERR"
	only key <"$OUT" | cut -f 3,4 | sort | tr '\t' ' ' | diff - <(cat <<-'END'
	group:A user:b
	group:Grün user:Jörg
	group:Grün user:Jörg
	group:Grün user:Zoë
	END
	) >&2
	[[ $(only key <"$OUT" | grep -c $'\tsource_b64:') == 2 ]]
	grep -q '^kms-export: users 3, keys 4' "$ERR"
	# and it is selected by what it means
	take 0 -i CP1252 -u 'J?rg' -g Grün <a.tar
	[[ $(only key <"$OUT" | wc -l) == 2 ]]
	# bytes that the charset has not stay as they are
	take 0 -i ASCII <a.tar
	grep -qxF "$odd" "$ERR"
	run_tool 2 kms-export -c "$ORG/machine.p12" -i no-such <a.tar
	says 'kms-export: -i no-such: no such charset here (iconv -l lists those that there are)'
}

@test "names in code page 437, as zip has them: kept, byte for byte" {
	one a /CN=jane
	cat a.key a.pem >a
	mkdir -p G/J_rgen
	cp a G/J_rgen/x
	zip -q a.zip G/J_rgen/x
	LC_ALL=C sed -i 's/J_rgen/J\x81rgen/g' a.zip
	take 0 <a.zip
	[[ $(only key <"$OUT" | field user_b64 | base64 -d | hex) == \
	    "$(printf 'J\x81rgen' | hex)" ]]
	take 0 < <(cat a.zip)
	[[ $(only key <"$OUT" | field source_b64 | base64 -d | hex) == \
	    "$(printf 'G/J\x81rgen/x' | hex)" ]]
}

@test "a path as long as a line" {
	local long

	one a /CN=jane
	cat a.key a.pem >a
	printf -v long 'u%.0s' {1..60000}
	tar --format=pax -cf a.tar --transform "s|.*|G/$long/x|" a
	take 0 <a.tar
	[[ $(only key <"$OUT" | field user) == "$long" ]]
	tar --format=pax -cf a.tar --transform "s|.*|G/$long/x|" "$OUT"
	take 1 <a.tar
	found 0 0 1
}

@test "group and user: from the certificate, CN, UPN, mail, friendlyName" {
	local n=0 subject san want

	(umask 077 && echo secret >pw)
	while IFS='|' read -r subject san want; do
		one a "$subject" ${san:+-addext "subjectAltName=$san"}
		p12 a.p12 a -iter 1 -name friendly
		take 0 -p file:pw <a.p12
		diff <(echo "$want|guid:") <(users) >&2
		((n += 1))
	done <<'CERTS'
/OU=One/OU=Two/CN=Recipients/CN=jane||group:Two|user:jane|mail:
/CN=jane/emailAddress=j@example.com||group:|user:jane|mail:j@example.com
/CN=jane/emailAddress=j@example.com|email:k@example.com|group:|user:jane|mail:k@example.com
/O=Org|otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@example.com,email:m@example.com|group:|user:u@example.com|mail:m@example.com
/O=Org|email:m@example.com|group:|user:m@example.com|mail:m@example.com
/O=Org||group:|user:friendly|mail:
/||group:|user:friendly|mail:
/CN=a\tb||group:|user:atb|mail:
CERTS
	((n == 8))
}

@test "-g, -u: patterns, what they leave out, and what that is called" {
	local args keys want n=0

	while IFS='|' read -r args keys want; do
		eval "set -- $args"
		take 0 "$@" <"$ORG/kms-backup.tar.gz" || {
			echo "$args" >&2
			return 1
		}
		diff <(echo "$args $keys $want") <(echo "$args $(only key \
		    <"$OUT" | wc -l) $(only key <"$OUT" | field user |
		    sort -u | tr '\n' ' ' | sed 's/ $//')") >&2
		((n += 1))
	done <<'ARGS'
-g 'North America'|5|erin frank jane
-g Europe|5|janet judy karl
-g '*'|10|erin frank jane janet judy karl
-g 'N*' -g 'E*'|10|erin frank jane janet judy karl
-u jane|1|jane
-u 'jan*'|2|jane janet
-u 'jan?'|1|jane
-u '[jk]*'|6|jane janet judy karl
-u jane -u karl|3|jane karl
-g Europe -u 'jan*'|1|janet
-g Europe -g 'North America' -u '*r*'|6|erin frank karl
ARGS
	((n == 11))
	take 0 -u erin <"$ORG/kms-backup.tar.gz"
	came_to 18 2 1 0 15
	said
	for args in '-u nobody' '-u Jane' '-g europe' '-u jan' '-g Europe -u erin'
	do
		# shellcheck disable=SC2086 # words
		take 1 $args <"$ORG/kms-backup.tar.gz"
		found 0 0 0
		came_to 18 0 0 0 18
		said 'nothing was found that -g and -u select'
	done
	# what is left out is no fault, but counted
	. "$ORG/expected"
	take 0 -u bob -p "list:$ORG/user.pws" <"$ORG/kms-backup.zip"
	found 2 0 0
	came_to "$zip_members" 2 0 0 $((zip_members - 2))
}

@test "-g, -u: also by what the certificate says, and by any bytes" {
	one a /OU=G/CN=jane
	one b /OU=H/CN=bob
	cat a.key a.pem b.key b.pem >both
	take 0 -u jane <both
	found 1 0 0
	came_to 1 1 0 0 0
	take 1 -g X <both
	found 0 0 0
	came_to 1 0 0 0 1
	cat a.key a.pem >a
	put a "$(printf 'G/J\xfcrgen/x')"
	put a 'G/Jürgen/x'
	take 0 -u 'J*' <a.tar
	found 2 0 0
	take 0 -u "$(printf 'J\xfcrgen')" <a.tar
	found 1 0 0
	take 0 -u 'J?rgen' <a.tar
	found 2 0 0
}

@test "-t: any form of the thumbprint, eight characters or more" {
	local sha1 sha256 t n=0

	one a /CN=a
	cat a.key a.pem >a
	sha1=$(openssl x509 -in "$ORG/machine.pem" -noout -fingerprint -sha1)
	sha1=${sha1#*=}
	sha256=$(openssl x509 -in "$ORG/machine.pem" -noout -fingerprint \
	    -sha256)
	sha256=${sha256#*=}
	for t in "$sha1" "${sha1//:/}" "${sha1//:/ }" "${sha1,,}" \
	    "${sha1:0:11}" "${sha1:0:12}" "${sha256:0:11}" "$sha256" \
	    "${sha256//:/}"; do
		take 0 -t "$t" <a
		found 1 0 0
		((n += 1))
	done
	((n == 9))
	for t in '' "${sha1:0:10}" "${sha1:1:11}" deadbeef "$sha1:00" \
	    "$sha256:00" "00:$sha1" "$sha1$sha256" xyz "${sha1:0:11}*"; do
		refuses 2 "kms-export: -t $t is not the thumbprint of cred.pem: give at least its first 8 characters, or the right certificate" \
		    kms-export -c cred.pem -t "$t" <a
		((n += 1))
	done
	((n == 19))
}

@test "-t: a mismatch stops before anything is read" {
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	# shellcheck disable=SC2094 # read twice
	{
		refuses 2 'kms-export: -t deadbeef is not the thumbprint of cred.pem: give at least its first 8 characters, or the right certificate' \
		    kms-export -c cred.pem -t deadbeef
		cmp - "$ORG/kms-backup.tar.gz"
	} <"$ORG/kms-backup.tar.gz"
	{
		refuses 2 'kms-export: -S: nothing: No such file or directory' \
		    kms-export -c cred.pem -S nothing
		cmp - "$ORG/kms-backup.tar.gz"
	} < <(cat "$ORG/kms-backup.tar.gz")
}

# map LINE...: a map of these lines, with backslash escapes, for its owner only.
map()
{
	rm -f map
	(umask 077 && printf '%b\n' "$@" >map)
}

@test "-m: group, user, mail and guid of the members that match" {
	one a /CN=cn/OU=ou/emailAddress=m@example.com
	cat a.key a.pem >a
	put a G/U/x
	put a H/V/y
	map 'path:G/*\tgroup:g\tuser:u\tmail:m\tguid:{1-2}' \
	    'path:*\tuser:any'
	take 0 -m map <a.tar
	diff - <(users) >&2 <<'EOF'
group:g|user:u|mail:m|guid:{1-2}
group:H|user:any|mail:m@example.com|guid:
EOF
	said
	# the first line that matches holds
	map 'path:*\tuser:any' 'path:G/*\tuser:u'
	take 0 -m map <a.tar
	[[ $(only key <"$OUT" | field user | sort -u) == any ]]
	said '-m: G/* matches no member'
	# any order of fields; escapes and twins; an empty field is empty
	map 'guid:1\tuser:a\\tb\\\\c\tpath:G/U/x' 'path:H/?/[xyz]\tuser_b64:G1s=\tgroup:'
	take 0 -m map <a.tar
	diff - <(users) >&2 <<'EOF'
group:G|user:a\tb\\c|mail:m@example.com|guid:1
group:|user_b64:G1s=|mail:m@example.com|guid:
EOF
	# -g and -u select by it
	map 'path:G/*\tuser:u'
	take 0 -m map -u u <a.tar
	found 1 0 0
	came_to 2 1 0 0 1
	# a CR at the end of lines, none at the end of the file, an empty file
	rm map
	printf 'path:G/*\tuser:x\r\npath:H/*\tuser:y' >map
	take 0 -m map <a.tar
	[[ $(only key <"$OUT" | field user) == $'x\ny' ]]
	: >map
	take 0 -m map <a.tar
	said
}

@test "-m: a path of odd bytes, by path_b64 or by a pattern" {
	one a /CN=cn
	cat a.key a.pem >a
	put a "$(printf 'G/J\xfc/x')"
	map "path_b64:$(printf 'G/J\xfc/x' | base64)\\tuser:u"
	take 0 -m map <a.tar
	[[ $(only key <"$OUT" | field user) == u ]]
	said
	map 'path:G/J?/*\tuser:v'
	take 0 -m map <a.tar
	[[ $(only key <"$OUT" | field user) == v ]]
	map 'path:G\\n\\\\*\tuser:v'
	take 0 -m map <a.tar
	said '-m: G\x0a\* matches no member' \
	    'users whose name or group is not UTF-8: 1: run with -i and the charset of the paths (CP1252, CP850), or name them with -m'
}

@test "-m: pass is the password of its members, and tried first" {
	one a /CN=a
	(umask 077 && echo secret >pw)
	p12 a.p12 a
	put a.p12 G/U/x.p12
	take 1 <a.tar
	map 'path:*\tpass:secret'
	take 0 -m map <a.tar
	found 1 0 0
	map 'path:G/V/*\tpass:secret'
	take 1 -m map <a.tar
	found 0 0 1
	map 'path:G/U/*\tpass:wrong'
	take 0 -m map -p file:pw <a.tar
	found 1 0 0
	(umask 077 && printf '%s\n' 'a:b"c\d' >pw)
	p12 a.p12 a
	rm a.tar
	put a.p12 G/U/x.p12
	map 'path:*\tpass:a:b"c\\\\d'
	take 0 -m map <a.tar
	found 1 0 0
}

@test "-m: a map with passwords is for its owner only" {
	local mode

	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	map 'path:*\tuser:u' 'path:x\tpass:secret'
	for mode in 640 604 660 644 700 601; do
		chmod "$mode" map
		((mode == 700)) || refuses 2 'kms-export: -m: map: holds passwords and others can read it: run chmod 600 on it' \
		    kms-export -c cred.pem -m map <"$ORG/kms-backup.tar.gz"
	done
	chmod 400 map
	take 0 -m map <"$ORG/kms-backup.tar.gz"
	map 'path:*\tuser:u'
	chmod 644 map
	take 0 -m map <"$ORG/kms-backup.tar.gz"
	# what is no file is in nobody else's hands
	take 0 -m <(printf 'path:*\tpass:secret\n') <"$ORG/kms-backup.tar.gz"
}

@test "-m: what is no map" {
	local line what n=0
	local hint='(a map is LTSV, path:GLOB and user:NAME apart by a TAB; from CSV: mlr --icsv --odkvp --ofs tab --ops : cat)'

	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	while IFS='|' read -r line what; do
		map "$line"
		refuses 2 "kms-export: -m: map: line ${what/HINT/$hint}" \
		    kms-export -c cred.pem -m map <"$ORG/kms-backup.tar.gz"
		((n += 1))
	done <<'LINES'
path:*\tuser|1: field 3 is not label:value HINT
user:u|1: no path:
path:*\tname:u|1: unknown label name (known: path group user mail guid pass)
path:*\tuser:u\tuser:v|1: user appears twice HINT
path:*\tuser:u\tuser_b64:G1s=|1: user appears twice HINT
path:*\tuser:u\npath:x\tuser:\xff|2: user: byte 1 is not UTF-8 HINT
path:*\tuser:\\x|1: user: unknown escape after \ HINT
path:*\tuser:\x1b[31m|1: user: byte 1 is a control or format character HINT
LINES
	((n == 8))
	refuses 2 'kms-export: -m: nothing: No such file or directory' \
	    kms-export -c cred.pem -m nothing <"$ORG/kms-backup.tar.gz"
	refuses 2 'kms-export: -m: .: cannot read: Is a directory' \
	    kms-export -c cred.pem -m . <"$ORG/kms-backup.tar.gz"
}

@test "-m: CSV is refused, and what the message says makes a map of it" {
	one a /CN=a
	cat a.key a.pem >a
	put a G/U/x
	cat >a.csv <<'EOF'
path,user,mail
G/*,"Müller, Jürgen",j@example.com
EOF
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	run_tool 2 kms-export -c cred.pem -m a.csv <a.tar
	nothing_out 'a map in CSV'
	grep -q 'from CSV: mlr --icsv --odkvp --ofs tab --ops : cat)$' "$ERR"
	eval "$(sed -n 's/.*from CSV: \(mlr .*\))$/\1/p' "$ERR") a.csv" >map
	take 0 -m map <a.tar
	diff <(echo 'group:G|user:Müller, Jürgen|mail:j@example.com|guid:') \
	    <(users) >&2
}

@test "signing keys are held back: the certificate goes, the key does not" {
	local n=0 ku alg use

	while IFS='|' read -r alg ku use; do
		# shellcheck disable=SC2086 # words
		pair a /CN=a $alg ${ku:+-addext "keyUsage=$ku"}
		cat a.key a.pem >a
		take 0 <a || {
			echo "$alg $ku" >&2
			return 1
		}
		diff <(echo "$alg $ku|$use") <(echo "$alg $ku|$(field use \
		    <"$OUT")") >&2
		if [[ $use == sign ]]; then
			found 0 1 0
			came_to 1 0 1 0 0
			grep -q 'signing keys held back 1,' "$ERR"
			# a seal of nothing is a tag
			[[ $(only cert <"$OUT" | field seal | base64 -d |
			    wc -c) == 16 ]]
		else
			found 1 0 0
			grep -q 'signing keys held back 0,' "$ERR"
		fi
		((n += 1))
	done <<'KEYS'
rsa:512||both
rsa:512|keyEncipherment|encrypt
rsa:512|dataEncipherment|encrypt
rsa:512|digitalSignature|sign
rsa:512|nonRepudiation|sign
rsa:512|keyCertSign,cRLSign|sign
rsa:512|digitalSignature,keyEncipherment|both
ec -pkeyopt ec_paramgen_curve:P-256||both
ec -pkeyopt ec_paramgen_curve:P-256|keyAgreement|encrypt
ec -pkeyopt ec_paramgen_curve:P-256|digitalSignature|sign
ed25519||sign
ed25519|keyEncipherment|sign
ed448||sign
rsa-pss -pkeyopt rsa_keygen_bits:1024||sign
KEYS
	((n == 14))
}

@test "signing keys are held back across members too, in both orders" {
	pair a /CN=a ed25519
	one b /CN=b -addext keyUsage=digitalSignature
	for files in 'a.key a.pem' 'a.pem a.key' 'b.key b.pem' 'b.pem b.key'; do
		# shellcheck disable=SC2086 # words
		tar -cf a.tar $files
		take 0 <a.tar
		found 0 1 0
		came_to 2 0 2 0 0
		grep -q 'signing keys held back 1,' "$ERR"
		said
	done
	# one key, and two certificates, one of them for signing only
	openssl req -x509 -key b.key -subj /CN=b -days 9 -out c.pem
	tar -cf a.tar b.key b.pem c.pem
	take 0 <a.tar
	found 1 1 0
	[[ $(only key <"$OUT" | field sha1) == "$(openssl x509 -in c.pem \
	    -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f)" ]]
}

@test "an ESE database is named, of any size" {
	local file n=0

	need_shared corpora/ese
	for file in "$shared"/corpora/ese/*.edb; do
		take 1 <"$file"
		[[ $(only fault <"$OUT" | field reason) == unsupported ]]
		[[ $(only fault <"$OUT" | field detail) == \
		    "ESE database (version 0x620 revision 0x"*"; page size "*"; rows of its tables: "* ]]
		cp "$OUT" whole
		take 1 -L member=64K <"$file"
		diff <(records <whole) <(records <"$OUT") >&2
		((n += 1))
	done
	((n == 3))
	head -c 200 "$file" >in
	take 1 <in
	faults 'stdin: cut: ESE database: cut in its header: fetch it again'
}

@test "ceiling: keys and certificates a member" {
	pair a /CN=a rsa:512
	awk '{ all = all $0 "\n" } END { for (i = 0; i < 9999; i++) printf "%s", all }' \
	    a.pem >many
	cat a.key >>many
	take 0 <many
	found 1 0 0
	cat a.key >>many
	take 1 <many
	found 1 0 1
	faults 'stdin: ceiling: more than 10000 keys and certificates in one file: split it'
}

@test "-q drops messages of records, not the summary; -v names links" {
	local links='links that were not followed: 1 (-v names them): what they lead to must be in the backup itself: tar -h packs that'

	one a /CN=a
	cat a.key a.pem >a
	echo x >x
	ln -s a link
	tar -cf a.tar a x link
	take 1 <a.tar
	said 'x: not a format that is read here: if it holds keys, get them out as PKCS#12' \
	    "$links"
	take 1 -q <a.tar
	said "$links"
	take 1 -v <a.tar
	grep -qx 'kms-export: link: a link: not followed' "$ERR"
	came_to 2 1 0 1 0
}

# unlike: a stream on stdin, but for what no two runs share.
unlike()
{
	sed -E 's/\t(id|time|lockbox|seal|sha256|sig):[^\t]*//g'
}

# same JOBS OPTION...: standard output and messages of -j JOBS, but for that.
same()
{
	kms-export -v -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -j "$@" 2>err.j | unlike
	cat err.j
}

@test "-j: the same output, in the same order, whatever the number" {
	local backup jobs
	local -a options

	# each kind of event between the members
	mkdir mix
	cp -r "$ORG/tree/zip" "$ORG/tree/tar" mix
	head -c 3000000 /dev/zero | tr '\0' x >mix/large
	echo nothing >mix/nothing
	ln -s nothing mix/link
	tar -cf in.tar -C "$ORG/tree" tar
	cp in.tar mix
	tar -cf mix.tar mix
	for backup in "$ORG"/kms-backup.{zip,tar.gz} mix.tar; do
		options=(-p "list:$ORG/user.pws" -L member=1M)
		same 1 "${options[@]}" <"$backup" >want || :
		[[ $(only key <want | wc -l) -gt 9 ]]
		for jobs in 2 3 8; do
			same "$jobs" "${options[@]}" <"$backup" >got || :
			diff want got >&2
		done
	done
	printf 'path:*/jane/*\tuser:Jane\tpass:%s\npath:*\tgroup:all\n' \
	    "$(sed -n 4p "$ORG/user.pws")" >map
	chmod 600 map
	same 1 -m map -u 'J*' <"$ORG/kms-backup.zip" >want || :
	only key <want | grep -q $'\tuser:Jane\t'
	same 3 -m map -u 'J*' <"$ORG/kms-backup.zip" | diff want - >&2
}

@test "-j: from a pipe that waits, what was read is written" {
	local pid jobs i

	for i in bob-1997 erin-1998; do
		cat "$ORG/keys/$i.pem" "$ORG/keys/$i.key" >"$i"
	done
	mkfifo in
	for jobs in 1 3; do
		kms-export -j "$jobs" -c "$ORG/machine.pem" \
		    -S "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
		    <in >"$OUT" 2>"$ERR" 3>&- &
		pid=$!
		exec 9>in
		# two whole members; the end of the tar is still to come
		tar -b 1 -cf - bob-1997 erin-1998 | head -c -1024 >&9
		until (($(only key <"$OUT" | wc -l) == 2)); do
			kill -0 "$pid"
		done
		head -c 1024 /dev/zero >&9
		exec 9>&-
		wait "$pid"
	done
}

@test "-j: processes that are killed cost no member: others read theirs" {
	local pid
	local -a crew
	local -a ends=(-c "$ORG/machine.pem" -S "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw")

	[[ -r /proc/self/task/$$/children ]] || skip 'no list of children here'
	tar -cf in.tar -C "$ORG/keys" .
	run_tool 0 kms-export -j 1 "${ends[@]}" <in.tar
	unlike <"$OUT" >want
	cp "$ERR" want.err
	mkfifo in
	kms-export -j 2 "${ends[@]}" <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	# the reader of the archive, two, and whom others come from
	until ((${#crew[@]} == 4)); do
		kill -0 "$pid"
		read -r -a crew <"/proc/$pid/task/$pid/children" || :
	done
	kill -KILL "${crew[1]}" "${crew[2]}"
	cat in.tar >&9
	exec 9>&-
	wait "$pid"
	unlike <"$OUT" | cmp - want
	cmp "$ERR" want.err
	(($(only key <want | wc -l) == 26))
}

@test "-j: what is no number" {
	local jobs

	for jobs in 0 -1 +1 x 2x '' 257 99999999999999999999 ' 2'; do
		refuses 2 "kms-export: -j $jobs: not a number from 1 to 256" \
		    kms-export -c "$ORG/machine.pem" -j "$jobs"
	done
}

@test "users are counted by group and name" {
	one a /CN=a
	cat a.key a.pem >a
	put a G/U/1
	put a G/U/2
	put a H/U/1
	put a G/V/1
	take 0 <a.tar
	grep -q 'users 3, keys 4 ' "$ERR"
}

@test "-c and -S: PEM, DER, PKCS#12 and records" {
	local cred n=0
	local -a signer=(-S "$ORG/machine.p12" -p "file:$ORG/machine.pw")

	one a /CN=a
	cat a.key a.pem >a
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	cat "$ORG/machine.key" "$ORG/machine.pem" >turned.pem
	cert_der "$ORG/machine.pem" >machine.der
	p12-extract -p "file:$ORG/machine.pw" <"$ORG/machine.p12" >machine.rec
	openssl pkcs8 -topk8 -in "$ORG/machine.key" \
	    -passout "file:$ORG/machine.pw" >locked.pem
	cat "$ORG/machine.pem" >>locked.pem
	cat "$ORG/ca.pem" "$ORG/machine.pem" "$ORG/machine.key" >chain.pem
	for cred in cred.pem turned.pem machine.rec "$ORG/machine.p12" \
	    locked.pem chain.pem; do
		run_tool 0 kms-export -c "$cred" -p "file:$ORG/machine.pw" <a
		whole 0
		run_tool 0 kms-export -c machine.der -S "$cred" \
		    -p "file:$ORG/machine.pw" <a
		whole 0
		cp "$OUT" a.kms
		run_tool 0 kms-verify -k "$cred" -p "file:$ORG/machine.pw" \
		    <a.kms
		((n += 1))
	done
	((n == 6))
	for cred in machine.der "$ORG/machine.pem"; do
		run_tool 0 kms-export -c "$cred" "${signer[@]}" <a
		whole 0
	done
}

@test "-c: which of several certificates, says -t" {
	local name

	one a /CN=a
	cat a.key a.pem >a
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	cat a.pem "$ORG/machine.pem" "$ORG/ca.pem" >three.pem
	for name in "$ORG/machine.pem" a.pem; do
		run_tool 0 kms-export -c three.pem -S cred.pem <a -t \
		    "$(cert_der "$name" | sha256sum | cut -c -64)"
		[[ $(head -n 1 "$OUT" | field to) == \
		    "$(cert_der "$name" | sha256sum | cut -c -64)" ]]
	done
}

@test "-S: the exporter's own key, which kms-verify wants to be told of" {
	one a /CN=a
	cat a.key a.pem >a
	one signer /CN=signer
	cat signer.key signer.pem >signer
	cp "$ORG/machine.pem" .
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	run_tool 0 kms-export -c machine.pem -S signer <a
	cp "$OUT" a.kms
	[[ $(head -n 1 a.kms | field signer) == \
	    "$(cert_der signer.pem | sha256sum | cut -c -64)" ]]
	[[ $(head -n 1 a.kms | field to) == \
	    "$(cert_der machine.pem | sha256sum | cut -c -64)" ]]
	run_tool 2 kms-verify -k cred.pem <a.kms
	run_tool 0 kms-verify -k cred.pem -C signer.pem <a.kms
	cmp a.kms "$OUT"
}

@test "-c and -S: what cannot be used" {
	local args what n=0

	one a /CN=a
	pair ed /CN=ed ed25519
	cat ed.key ed.pem >ed.cred
	cp "$ORG"/machine.{pem,key,p12} .
	cat machine.pem machine.key >cred.pem
	head -n 5 machine.pem >cut.pem
	head -c 300 machine.p12 >cut.p12
	echo text >text
	: >empty
	while IFS='|' read -r args what; do
		# shellcheck disable=SC2086 # words
		refuses 2 "kms-export: $what" kms-export $args <a.key
		((n += 1))
	done <<'CREDS'
-c nothing|-c: nothing: No such file or directory
-c .|-c: .: cannot read: Is a directory
-c empty|-c: empty: empty file: fetch it again
-c text|-c: text: not a format that is read here: if it holds keys, get them out as PKCS#12
-c cut.pem|-c: cut.pem: PEM block cannot be read: fetch the file again, it is damaged (RFC 7468 section 2): bad end line
-c cut.p12|-c: cut.p12: not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged
-c machine.pem|-c: machine.pem: no private key to sign with: give the exporter's own with -S
-c machine.key|-c: machine.key: no certificate in it
-c machine.p12|-c: machine.p12: integrity check failed (no password given: -p, or damaged file)
-c cred.pem -S machine.pem|-S: machine.pem: no certificate with its private key in it
-c cred.pem -S machine.key|-S: machine.key: no certificate in it
-c cred.pem -S nothing|-S: nothing: No such file or directory
-c cred.pem -S machine.p12|-S: machine.p12: integrity check failed (no password given: -p, or damaged file)
-c cred.pem -p secret|-p: expected env:VAR, file:PATH, list:PATH, fd:N or tty
CREDS
	((n == 14))
	# of several certificates none is taken by chance
	cat machine.pem a.pem >two.pem
	refuses 2 'kms-export: -c: two.pem holds 2 certificates: say which with -t' \
	    kms-export -c two.pem -S cred.pem <a.key
	for args in '-c ed.cred' '-c ed.cred -S cred.pem' \
	    '-c cred.pem -S ed.cred'; do
		# shellcheck disable=SC2086 # words
		contract 2 kms-export $args <a.key
		grep -q '^kms-export: cannot \(encrypt to\|sign\)' "$ERR"
	done
}

@test "-c: to a certificate of an elliptic curve" {
	one a /CN=a
	one machine /CN=machine
	cat a.key a.pem >a
	cat machine.key machine.pem >cred.pem
	run_tool 0 kms-export -c cred.pem <a
	whole 0
}

@test "TMPDIR: nothing is left there, and it must be there" {
	take 0 <"$ORG/kms-backup.tar.gz"
	[[ -z $(find "$TMPDIR" -mindepth 1) ]]
	refuses 2 'kms-export: cannot make a temporary file in /nothing: No such file or directory (set TMPDIR)' \
	    env TMPDIR=/nothing kms-export -c cred.pem <"$ORG/kms-backup.tar.gz"
}

@test "output that is lost is said, however long it is" {
	local input status

	one a /CN=a
	cat a.key a.pem >a
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	for input in a "$ORG/kms-backup.tar.gz"; do
		status=0
		kms-export -c cred.pem <"$input" >/dev/full 2>"$ERR" || status=$?
		((status == 2))
		grep -qx 'kms-export: cannot write standard output: No space left on device' \
		    "$ERR"
	done
}
