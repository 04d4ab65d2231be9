#!/usr/bin/env bats
#
# common/file: file.c, der.c, pem.c and foreign.c: what a member of a backup may be,
# as kms-export reads it.  What is read must come out byte for byte; the second
# judge is openssl, which wrote it.

load common
load p12
load backup

# From common.bash and take.
: "${shared=}" "${members=}"

# The pairs a (P-256), r (RSA) and what is made of them are of the whole file.
setup_file()
{
	(
		cd "$BATS_FILE_TMPDIR" || exit 1
		pair a /CN=a
		pair r /CN=r rsa:1024
	)
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/[ar].* .
	(umask 077 && echo secret >pw)
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
}

# key_of NAME: the only record in $OUT is NAME.p8 with NAME.der; the seals are
# opened at the end of the test, all at once.
key_of()
{
	found 1 0 0 &&
	    [[ $(only key <"$OUT" | field cert) == "$(base64 -w 0 "$1.der")" ]] &&
	    cat "$OUT" >>"$BATS_TEST_TMPDIR/sealed" &&
	    base64 -w 0 "$1.p8" >>"$BATS_TEST_TMPDIR/keys" &&
	    echo >>"$BATS_TEST_TMPDIR/keys"
}

teardown()
{
	[[ -e $BATS_TEST_TMPDIR/sealed ]] || return 0
	/usr/bin/python3 "$BATS_TEST_DIRNAME/sealer.py" open \
	    "$ORG/machine.pem" "$ORG/machine.key" "$ORG/machine.pem" \
	    <"$BATS_TEST_TMPDIR/sealed" >opened
	only key <opened | field open | cmp - "$BATS_TEST_TMPDIR/keys"
}

# reads NAME FILE...: each file, in a tar with the certificate of NAME, holds
# the key of NAME; under -p file:pw.
reads()
{
	local name=$1 file

	shift
	for file; do
		tar -cf a.tar "$file" "$name.pem"
		if ! take 0 -p file:pw <a.tar || ! key_of "$name"; then
			echo "not read: $file" >&2
			return 1
		fi
		said || return
		came_to 2 1 1 0 0 || return
	done
}

# only_fault FILE REASON DETAIL: that and nothing else comes of it.
only_fault()
{
	take 1 -p file:pw <"$1" &&
	    found 0 0 1 && faults "stdin: $2: $3" && said "stdin: $3" &&
	    came_to 1 0 0 1 0
}

# skipped FILE WHAT: it holds nothing, which is said, and is no fault.
skipped()
{
	take 1 <"$1" && found 0 0 0 &&
	    said "stdin: $2: holds no key, skipped" 'nothing was found' &&
	    came_to 1 0 0 0 1
}

@test "encrypted PKCS#8: PBES1, PKCS#12, PBES2, scrypt, DER and PEM" {
	local n=0
	local -a args

	while read -ra args; do
		openssl pkcs8 -topk8 -in r.key -passout file:pw \
		    -out locked.pem -provider legacy -provider default \
		    "${args[@]}"
		openssl pkcs8 -topk8 -in r.key -passout file:pw -outform DER \
		    -out locked.der -provider legacy -provider default \
		    "${args[@]}"
		reads r locked.der || {
			echo "${args[*]}" >&2
			return 1
		}
		cat r.pem locked.pem >both
		take 0 -p file:pw <both
		found 1 0 0
		PW=wrong take 1 -p env:PW <locked.der
		faults 'stdin: password: encrypted private key does not open (wrong password or damaged file)'
		((n += 1))
	done <<'HOW'
-v1 PBE-MD5-DES
-v1 PBE-SHA1-DES
-v1 PBE-MD5-RC2-64
-v1 PBE-SHA1-RC4-128
-v1 PBE-SHA1-3DES
-v1 PBE-SHA1-2DES
-v1 PBE-SHA1-RC2-40
-v1 PBE-SHA1-RC2-128
-v2 aes-128-cbc
-v2 aes-256-cbc -v2prf hmacWithSHA512
-v2 des3 -v2prf hmacWithSHA1
-v2 rc2 -v2prf hmacWithSHA1
-scrypt -scrypt_N 1024
HOW
	((n == 13))
}

@test "a password list opens what each member needs" {
	local pass

	(umask 077 && printf '%s\n' one two three >list)
	for pass in one two three; do
		PW=$pass openssl pkcs8 -topk8 -in r.key -passout env:PW \
		    -v2 aes-128-cbc -out "$pass.pem"
	done
	tar -cf a.tar r.pem three.pem one.pem two.pem
	take 0 -p list:list <a.tar
	key_of r
	came_to 4 3 1 0 0
}

# One wrong password in 256 decrypts to good padding.
@test "a wrong password that gives good padding is a wrong password" {
	local args name

	(umask 077 && printf '%s\n' wrong secret >list)
	openssl ec -in a.key -outform DER -out a.sec1 2>log
	while read -ra args; do
		/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" "${args[@]}" \
		    unlucky=wrong >in
		name='encrypted private key'
		[[ ${args[0]} != dek ]] || name='encrypted PEM key'
		PW=wrong take 1 -p env:PW <in
		faults "stdin: password: $name does not open (wrong password or damaged file)"
		tar -cf a.tar in a.pem
		take 0 -p list:list <a.tar
		key_of a
	done <<'HOW'
p8
p8 pbe=3des form=bmp
dek key=a.sec1
HOW
	# and openssl reads it
	openssl ec -in in -passin file:pw -outform DER 2>log | cmp - a.sec1
}

@test "PEM under DEK-Info: des, des3, aes; another cipher is named" {
	local cipher n=0

	for cipher in des des3 aes128 aes192 aes256 camellia256 aria128; do
		openssl rsa -in r.key -traditional "-$cipher" \
		    -passout file:pw -provider legacy -provider default \
		    -out dek.pem 2>log
		grep -q '^DEK-Info: ' dek.pem
		reads r dek.pem
		PW=wrong take 1 -p env:PW <dek.pem
		faults 'stdin: password: encrypted PEM key does not open (wrong password or damaged file)'
		((n += 1))
	done
	((n == 7))
	openssl ec -in a.key -aes128 -passout file:pw -out dek.pem 2>log
	reads a dek.pem
	openssl rsa -in r.key -traditional -des3 -passout file:pw -out dek.pem \
	    2>log
	sed 's/DES-EDE3-CBC/IDEA-CBC/' dek.pem >idea.pem
	only_fault idea.pem unsupported \
	    'PEM encryption DEK-Info: IDEA-CBC, which OpenSSL does not have here: decrypt it where it was made'
	sed 's/^DEK-Info.*/Nothing: here/' dek.pem >none.pem
	take 1 -p file:pw <none.pem
	found 0 0 1
	[[ $(only fault <"$OUT" | field reason) == unsupported ]]
	# one that is not known spoils no other block
	cat idea.pem a.pem a.key >three
	take 1 -p file:pw <three
	found 1 0 1
	came_to 1 1 0 0 0
}

@test "PKCS#1, SEC1 and PKCS#8 of each curve, DER and PEM" {
	local curve n=0

	openssl rsa -in r.key -traditional -out r.pkcs1
	openssl rsa -in r.key -traditional -outform DER -out r.pkcs1.der
	reads r r.pkcs1 r.pkcs1.der r.key r.p8
	for curve in P-256 P-384 P-521; do
		pair c /CN=c ec -pkeyopt "ec_paramgen_curve:$curve"
		openssl ec -in c.key -out c.sec1 2>log
		openssl ec -in c.key -outform DER -out c.sec1.der 2>log
		reads c c.sec1 c.sec1.der c.key c.p8
		[[ $(only key <"$OUT" | field alg) == "$curve" ]]
		((n += 1))
	done
	((n == 3))
}

@test "keys that only sign are held back: Ed25519, Ed448, DSA in three forms" {
	local alg file

	for alg in ed25519 ed448; do
		pair e /CN=e "$alg"
		cat e.key e.pem >both
		take 0 <both
		found 0 1 0
		[[ $(only cert <"$OUT" | field use) == sign ]]
		[[ ${alg^} == "$(only cert <"$OUT" | field alg)" ]]
		grep -q 'signing keys held back 1,' "$ERR"
	done
	openssl dsaparam -out d.par 1024 2>log
	pair d /CN=d dsa:d.par
	openssl dsa -in d.key -outform DER -out d.trad 2>log
	openssl pkey -in d.key -traditional -out d.trad.pem
	for file in d.p8 d.key d.trad d.trad.pem; do
		tar -cf a.tar "$file" d.pem
		take 0 <a.tar
		found 0 1 0
		grep -q 'signing keys held back 1,' "$ERR"
		only cert <"$OUT" | field cert | base64 -d | cmp - d.der
	done
	[[ $(only cert <"$OUT" | field alg) == DSA-1024 ]]
}

# montgomery ALG: x.key, x.pem, and x.p8, x.der, of a curve that signs nothing.
montgomery()
{
	openssl genpkey -algorithm "$1" -out x.key
	openssl req -new -key a.key -subj /CN=x -out x.csr
	openssl x509 -req -in x.csr -CA a.pem -CAkey a.key -days 9 \
	    -force_pubkey <(openssl pkey -in x.key -pubout) \
	    -CAcreateserial -out x.pem 2>log
	key_der x.key >x.p8
	cert_der x.pem >x.der
}

@test "X25519 and X448: certificate and key" {
	local alg

	for alg in X25519 X448; do
		montgomery "$alg"
		reads x x.key x.p8
		[[ $(only key <"$OUT" | field alg) == "$alg" ]]
		[[ $(only key <"$OUT" | field use) == encrypt ]]
	done
}

# v2 KEY AT: PKCS#8 of version 2, with the public key, as Java, BouncyCastle and
# ring write it; the BIT STRING of SubjectPublicKeyInfo is AT that offset.
v2()
{
	local body public

	body=$(key_der "$1" | hex)
	public=$(openssl pkey -in "$1" -pubout -outform DER | openssl asn1parse \
	    -inform DER -strparse "$2" -noout -out - | hex)
	tlv 30 020101 "${body#*020100}" "$(tlv 81 "00$public")"
}

@test "PKCS#8 version 2, with the public key: bare, PEM, in a PKCS#12" {
	local alg key

	for alg in X25519 X448; do
		montgomery "$alg"
		key=$(v2 x.key 9)
		unhex <<<"$key" >x2.p8
		{
			echo '-----BEGIN PRIVATE KEY-----'
			base64 -w 64 x2.p8
			echo '-----END PRIVATE KEY-----'
		} >x2.pem
		pfx "$(part "$(bag 01 "$key")")" | unhex >x2.p12
		reads x x2.p8 x2.pem x2.p12
	done
}

# gpgsm wrote keys whose dQ is not d mod q - 1.
@test "an RSA key whose numbers for the remainder theorem are wrong" {
	local key numbers i

	openssl pkey -in r.key -traditional -outform DER -out r.p1
	key=$(hex <r.p1)
	mapfile -t numbers < <(openssl asn1parse -inform DER -in r.p1 |
	    sed -n 's/.*INTEGER *://p' | tr A-F a-f)
	for i in 6 7 8; do
		# the last bit but one of dP, dQ, qInv
		unhex <<<"${key/"${numbers[i]}"/"${numbers[i]%?}$(printf %x \
		    $((16#${numbers[i]: -1} ^ 2)))"}" >bad
		tar -cf a.tar bad r.pem
		take 1 <a.tar
		faults 'bad: damaged: an RSA key whose dP, dQ or qInv is wrong (RFC 8017 section 3.2): they were recomputed, and nothing is lost'
		[[ $(only key <"$OUT" | field cert) == "$(base64 -w 0 r.der)" ]]
		cat "$OUT" >>"$BATS_TEST_TMPDIR/sealed"
		{
			base64 -w 0 r.p8
			echo
		} >>"$BATS_TEST_TMPDIR/keys"
	done
	# d itself is nothing to start from
	unhex <<<"${key/"${numbers[3]}"/"${numbers[3]%?}0"}" >bad
	tar -cf a.tar bad r.pem
	take 1 <a.tar
	[[ $(only key <"$OUT" | wc -l) == 0 ]]
}

# bag_of FILE: a member with the certificates of a and r, each with its key
# beside it.
bag_of()
{
	tar -cf a.tar "$1" a.key r.key
	if ! take 0 <a.tar || ! found 2 0 0 ||
	    ! diff <(base64 -w 0 a.der; echo; base64 -w 0 r.der; echo) \
		<(only key <"$OUT" | LC_ALL=C sort -t $'\t' -k 9 | field cert) \
		>&2; then
		echo "not read: $1" >&2
		return 1
	fi
	came_to 3 2 1 0 0
}

@test "certificate bags: PKCS#7 and CMS, DER and PEM" {
	local file n=0

	openssl crl2pkcs7 -nocrl -certfile <(cat a.pem r.pem) -outform DER \
	    -out p7.der
	openssl crl2pkcs7 -nocrl -certfile <(cat a.pem r.pem) -out p7.pem
	sed 's/PKCS7/CMS/' p7.pem >cms.pem
	sed 's/PKCS7/PKCS #7 SIGNED DATA/' p7.pem >signed.pem
	for file in p7.der p7.pem cms.pem signed.pem; do
		bag_of "$file" || return
		((n += 1))
	done
	((n == 4))
	# SignedData version 1 and, for a signer by key identifier, 3
	openssl cms -sign -in pw -binary -signer a.pem -inkey a.key \
	    -certfile r.pem -outform DER -out v1.der
	openssl cms -sign -in pw -binary -signer a.pem -inkey a.key -keyid \
	    -certfile r.pem -outform DER -out v3.der
	openssl cms -sign -in pw -binary -signer a.pem -inkey a.key -keyid \
	    -certfile r.pem -outform PEM -out v3.pem
	openssl cms -cmsout -print -inform DER -in v3.der |
	    grep -q 'version: 3'
	openssl smime -sign -in pw -signer r.pem -inkey r.key -certfile a.pem \
	    -outform DER -out smime.der
	for file in v1.der v3.der v3.pem smime.der; do
		bag_of "$file" || return
		((n += 1))
	done
	((n == 8))
}

# signs FILE OUT [ARG]...: SignedData around it, by a, without certificates.
signs()
{
	openssl cms -sign -in "$1" -binary -nodetach -nocerts -signer a.pem \
	    -inkey a.key -outform DER -out "$2" "${@:3}"
}

@test "what is signed in SignedData: read, or a fault" {
	local what='what is signed in CMS SignedData is not read: take it out with openssl cms -verify -noverify -nosigs, and feed it in; if it is mail, it is no key'
	local file n=0

	p12 a.p12 a
	signs a.p8 in
	reads a in
	signs a.der in
	take 0 <in
	found 0 1 0
	signs a.p12 in
	take 0 -p file:pw <in
	key_of a
	(umask 077 && echo wrong >no)
	take 1 -p file:no <in
	found 0 0 1
	faults 'stdin: password: integrity check failed (wrong password or damaged file)'
	signs a.p12 in -stream -indef
	take 0 -p file:pw <in
	key_of a
	signs a.p12 in -outform PEM
	take 0 -p file:pw <in
	key_of a
	# with the certificate of the signer
	openssl cms -sign -in a.p12 -binary -nodetach -signer r.pem -inkey r.key \
	    -outform DER -out in
	take 0 -p file:pw <in
	found 1 1 0
	# what is in it is signed once more
	signs a.p12 once.der
	signs once.der in
	take 0 -p file:pw <in
	key_of a
	# or no DER
	tar -czf a.tgz a.p12
	for file in a.tgz a.pem pw; do
		signs "$file" in
		only_fault in unsupported "$what"
		((n += 1))
	done
	((n == 3))
	# as it says
	openssl cms -verify -noverify -nosigs -inform DER -in in -out pw.out \
	    -certfile a.pem 2>log
	cmp pw pw.out
	# nothing signed
	: >none
	signs none in
	skipped in 'SignedData without a certificate'
}

@test "SignedData of the corpus gives what openssl finds in it" {
	local file n=0

	need_shared corpora/cms
	while IFS= read -r file; do
		openssl pkcs7 -inform DER -in "$file" -print_certs -out judge \
		    2>log || continue
		grep -q BEGIN judge || continue
		status=0
		timeout 60 kms-export -q -c cred.pem <"$file" >"$OUT" \
		    2>"$ERR" || status=$?
		((status <= 1))
		diff <(pem_blocks CERTIFICATE <judge | sort -u) \
		    <(only cert <"$OUT" | field cert | sort -u) >&2 || {
			echo "$file" >&2
			return 1
		}
		((n += 1))
	done < <(grep -rlaP -m 1 '\A\x30[\x80-\x84].{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02' \
	    "$shared/corpora/cms")
	echo "$n" >&2
	((n >= 10))
}

@test "what holds no key is said and skipped: CRL, request, public key" {
	local n=0 file what

	touch index
	printf '%s\n' '[ca]' 'default_ca=c' '[c]' database=index \
	    default_md=sha256 default_crl_days=9 >cnf
	openssl ca -gencrl -config cnf -cert a.pem -keyfile a.key -out crl.pem \
	    2>log
	openssl crl -in crl.pem -outform DER -out crl.der
	openssl req -new -key a.key -subj /CN=a -out csr.pem
	openssl req -in csr.pem -outform DER -out csr.der
	sed 's/CERTIFICATE/NEW CERTIFICATE/' csr.pem >newcsr.pem
	openssl pkey -in a.key -pubout -out pub.pem
	openssl pkey -in a.key -pubout -outform DER -out pub.der
	openssl rsa -in r.key -RSAPublicKey_out -out rsapub.pem 2>log
	openssl dhparam -dsaparam -out x942.pem 512 2>log
	sed 's/X9.42 //' x942.pem >dh.pem
	openssl dsaparam -out dsa.pem 512 2>log
	openssl cms -sign -in pw -nocerts -signer a.pem -inkey a.key \
	    -outform DER -out nocert.der
	while IFS='|' read -r file what; do
		skipped "$file" "$what"
		((n += 1))
	done <<'FILES'
crl.pem|a CRL of /CN=a
crl.der|a CRL of /CN=a
csr.pem|a certificate request
csr.der|a certificate request
newcsr.pem|a certificate request
pub.pem|a public key
pub.der|a public key
rsapub.pem|RSA PUBLIC KEY
dh.pem|DH PARAMETERS
x942.pem|X9.42 DH PARAMETERS
dsa.pem|DSA PARAMETERS
nocert.der|SignedData without a certificate
FILES
	((n == 12))
	# beside a key they are no fault, and the exit is 0
	cat a.key a.pem >pair.pem
	tar -cf a.tar crl.der csr.pem pair.pem pub.der
	take 0 <a.tar
	key_of a
	came_to 4 1 0 0 3
	said 'crl.der: a CRL of /CN=a: holds no key, skipped' \
	    'csr.pem: a certificate request: holds no key, skipped' \
	    'pub.der: a public key: holds no key, skipped'
	take 0 -q <a.tar
	said
	# in one PEM file with a key they are not worth a word
	cat crl.pem csr.pem a.key pub.pem a.pem >all.pem
	take 0 <all.pem
	key_of a
	said
}

# An issuer of a CRL is no way to a terminal.
@test "a CRL's issuer is shown without its control characters" {
	touch index
	printf '%s\n' '[ca]' 'default_ca=c' '[c]' database=index \
	    default_md=sha256 default_crl_days=9 >cnf
	openssl req -x509 -key a.key -days 9 -out esc.pem -utf8 \
	    -subj "/CN=$(printf 'x\x1b[31m\xc2\x9bm')"
	openssl ca -gencrl -config cnf -cert esc.pem -keyfile a.key \
	    -out crl.pem 2>log
	take 1 <crl.pem
	found 0 0 0
	grep -q 'stdin: a CRL of /CN=x' "$ERR"
}

@test "what is encrypted to a certificate: a fault that names ca-recover" {
	local what='CMS encrypted to a certificate: if a CA archived a key in it, give it to ca-recover; if it is mail, it is no key'

	openssl cms -encrypt -in pw -outform DER -out env.der r.pem
	openssl cms -encrypt -in pw -outform PEM -out env.pem r.pem
	openssl smime -encrypt -in pw -outform DER -out smime.der r.pem
	only_fault env.der unsupported "$what"
	only_fault env.pem unsupported "$what"
	only_fault smime.der unsupported "$what"
	# a recovery blob: EnvelopedData in SignedData, with the signer's
	# certificate
	openssl cms -sign -in env.der -binary -nodetach -signer a.pem \
	    -inkey a.key -outform DER -econtent_type 1.2.840.113549.1.7.3 \
	    -out blob.der
	take 1 <blob.der
	found 0 1 1
	faults "stdin: unsupported: $what"
	only cert <"$OUT" | field cert | base64 -d | cmp - a.der
	# the same as PKCS#7 v1.5 has it
	/usr/bin/python3 "$BATS_TEST_DIRNAME/winblob.py" wrap env.der r.pem \
	    r.key r.pem a.pem
	take 1 <old-bare.rec
	found 0 2 1
	faults "stdin: unsupported: $what"
}

@test "key stores that cannot be read are named, with what to do" {
	local n=0 input what file

	while IFS='|' read -r input what; do
		printf %b "$input" >in
		only_fault in unsupported "$what" || return
		((n += 1))
	done <<'STORES'
\xfe\xed\xfe\xed\0\0\0\2\0\0\0\3rest|Java key store (JKS version 2, 3 entries): convert it with keytool -importkeystore -deststoretype pkcs12 and feed that in
\xce\xce\xce\xce\0\0\0\1\0\0\1\0rest|Java key store (JCEKS version 1, 256 entries): convert it with keytool -importkeystore -deststoretype pkcs12 and feed that in
\xfe\xed\xfe\xed\0\0\0\2\xff\xff\xff\xff|Java key store (JKS version 2, 4294967295 entries): convert it with keytool -importkeystore -deststoretype pkcs12 and feed that in
!BDN\x01\x02\x03\x04SM|Outlook store (PST): it holds mail, and keys only as attachments: save those
\0\6\x15\x61\0\0\0\2|Berkeley database: if it is an NSS key3.db or cert8.db, export it with pk12util -o
regf\x01\0\0\0|registry hive: keys of Outlook 2000 in it are encrypted for the user: export PFX on Windows
PuTTY-User-Key-File-2: ssh-rsa\n|PuTTY key: not for mail
TAPE\0\0\1\0|backup of Windows (NTBackup, .bkf): restore it with ntbackup or mtftar and feed the files in, or search it with -x
STORES
	((n == 8))
	printf '\xfe\xed\xfe\xed\0\0\0' >in
	only_fault in cut 'Java key store (JKS), cut: fetch it again'
	ssh-keygen -q -t ed25519 -N '' -f ssh || skip 'no ssh-keygen'
	only_fault ssh unsupported 'OpenSSH key: not for mail: keep the file itself'
}

@test "a bare .pvk, encrypted or not, and a bare CryptoAPI BLOB" {
	local how

	openssl rsa -in r.key -outform "MS PRIVATEKEYBLOB" -out r.blob 2>log
	for how in none weak strong; do
		openssl rsa -in r.key -outform PVK "-pvk-$how" -out "$how.pvk" \
		    -passout file:pw -provider legacy -provider default 2>log
	done
	reads r r.blob none.pvk weak.pvk strong.pvk
	take 1 <strong.pvk
	faults 'stdin: password: Microsoft PVK does not open (no password given: -p, or damaged file)'
	PW=wrong take 1 -p env:PW <strong.pvk
	faults 'stdin: password: Microsoft PVK does not open (wrong password or damaged file)'
	head -c 500 none.pvk >cut.pvk
	only_fault cut.pvk damaged 'Microsoft PVK that is not whole: fetch it again'
}

@test "NSS key4.db and cert9.db, as certutil makes them, are named" {
	local file

	mkdir nss
	certutil -N -d sql:nss --empty-password
	for file in nss/key4.db nss/cert9.db; do
		only_fault "$file" unsupported \
		    'SQLite database: if it is an NSS key4.db or cert9.db, export it with pk12util -o'
	done
	# and what the message says gives a file that is read
	openssl pkcs12 -export -inkey a.key -in a.pem -name a -out a.p12 \
	    -passout file:pw
	pk12util -d sql:nss -i a.p12 -w pw -K '' >log
	pk12util -d sql:nss -o out.p12 -n a -w pw -K '' >log
	take 0 -p file:pw <out.p12
	key_of a
}

@test "ESE databases: version, page size and state" {
	local file n=0 what

	need_shared corpora/ese
	what='how a KMS stores keys is not public: export PFX per user on Windows and feed those in; rows of its tables: '
	for file in "$shared"/corpora/ese/*.edb; do
		take 1 <"$file"
		found 0 0 1
		came_to 1 0 0 1 0
		[[ $(only fault <"$OUT" | field detail) == "ESE database (version 0x$(
		    od -An -tx4 -j 8 -N 4 "$file" | sed 's/ 0*//') revision 0x$(
		    od -An -tx4 -j 232 -N 4 "$file" | sed 's/ 0*//'), "*"; page size $(
		    od -An -tu4 -j 236 -N 4 "$file" | tr -d ' '), clean shutdown): $what"* ]]
		((n += 1))
	done
	((n == 3))
	# of a header that is damaged the copy is read
	cp "$file" broken.edb
	printf '\x77' | dd of=broken.edb bs=1 seek=52 conv=notrunc status=none
	take 1 <broken.edb
	faults 'stdin: damaged: the header is damaged: its copy is read' \
	    "stdin: unsupported: $(only fault <"$OUT" | tail -n 1 | field detail)"
}

@test "padding behind DER: NUL, newline, ^Z; and nothing else" {
	local file n=0

	openssl crl2pkcs7 -nocrl -certfile a.pem -outform DER -out bag.der
	for file in a.der bag.der; do
		for pad in '\0' '\n' '\r\n' '\x1a' '\0\0\0\0\0\0\0\0\0\0\0'; do
			{ cat "$file"; printf %b "$pad"; } >in
			tar -cf a.tar in a.key
			take 0 <a.tar
			found 1 0 0
			only key <"$OUT" | field cert | base64 -d | cmp - a.der
			((n += 1))
		done
		{ cat "$file"; head -c 4000 /dev/zero; } >in
		take 0 <in
		found 0 1 0
		{ cat "$file"; printf '\0x'; } >in
		only_fault in format 'DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12'
	done
	((n == 10))
	for file in a.p8 r.p8; do
		{ cat "$file"; printf '\0\0\0'; } >in
		reads "${file%.p8}" in
	done
	openssl pkcs8 -topk8 -in a.key -passout file:pw -outform DER -out in
	head -c 100 /dev/zero >>in
	reads a in
}

@test "PEM as Windows' Unicode, with its byte order mark" {
	local code bom n=0

	cat a.key a.pem >pair.pem
	for code in UTF-16LE UTF-16BE; do
		bom='\xff\xfe'
		[[ $code == UTF-16LE ]] || bom='\xfe\xff'
		{ printf %b "$bom"; iconv -t "$code" pair.pem; } >in
		take 0 <in
		key_of a
		said
		{ printf %b "$bom"; sed 's/$/\r/' pair.pem |
		    iconv -t "$code"; } >in
		take 0 <in
		key_of a
		# an odd byte at the end, and what is not Latin-1
		{ printf %b "$bom"; iconv -t "$code" pair.pem; printf x; } >in
		take 0 <in
		key_of a
		{ printf %b "$bom"; printf 'ł' | iconv -f UTF-8 -t "$code"
		iconv -t "$code" pair.pem; } >in
		take 1 <in
		found 0 0 1
		((n += 1))
	done
	((n == 2))
	printf '\xff\xfe' >in
	only_fault in format 'not a format that is read here: if it holds keys, get them out as PKCS#12'
	printf '\xff\xfex' >in
	only_fault in format 'not a format that is read here: if it holds keys, get them out as PKCS#12'
}

@test "bare base64: a certificate, a key, a PFX; in lines or in one" {
	local file n=0

	(umask 077 && echo secret >pw)
	p12 a.p12 a
	for file in 'base64 -w 64' 'base64 -w 76' 'base64 -w 0'; do
		$file a.der >in
		take 0 <in
		found 0 1 0
		only cert <"$OUT" | field cert | base64 -d | cmp - a.der
		$file a.p8 >in
		reads a in
		$file a.p12 >in
		take 0 -p file:pw <in
		key_of a
		$file a.p12 | sed 's/$/\r/' >in
		take 0 -p file:pw <in
		key_of a
		((n += 1))
	done
	((n == 3))
	# a PFX in it that does not open says why
	PW=wrong take 1 -p env:PW <in
	faults 'stdin: password: integrity check failed (wrong password or damaged file)'
	base64 -w 0 /dev/null >in
	printf 'MIIB!!' >in
	only_fault in format 'not a format that is read here: if it holds keys, get them out as PKCS#12'
	echo 'Many words, and none of them is base64' >in
	only_fault in format 'not a format that is read here: if it holds keys, get them out as PKCS#12'
	base64 -w 0 a.der | head -c 200 >in
	take 1 <in
	found 0 0 1
}

# A DSA key of 5,000 bytes: to make its public half takes ten seconds.
@test "a PKCS#8 with a byte behind it is no traditional key" {
	local number

	number=$(tlv 02 "01$(printf '55%.0s' {1..5000})")
	tlv 30 020100 "$(tlv 30 06072a8648ce380401 "$(tlv 30 "$number" "$number" "$number")")" \
	    "$(tlv 04 "$number")" | unhex >a
	printf 'x' >>a
	(
		ulimit -t 5
		take 1 <a
	)
	faults 'stdin: format: DER of an unknown kind, or damaged: if it holds keys, get them out as PKCS#12'
}

@test "PEM with blanks behind its lines, and no newline at the end" {
	local blanks

	openssl pkey -in r.key -traditional -aes128 -passout pass:secret -out dek
	for blanks in ' ' $'\t \r'; do
		sed "/-----/s/\$/$blanks/" a.key >lines
		sed "s/\$/$blanks/" a.key >all
		sed "/-----/s/\$/$blanks/" dek >locked
		reads a lines all
		reads r locked
	done
	head -c -1 a.key >"no end"
	reads a "no end"
	printf ' ' >>"no end"
	reads a "no end"
}

# locked_by KDF CIPHER OID KEYLEN OPTION...: a.p8 under secret, as PBES2; the key is
# what openssl kdf makes of the options, and OID, in hex, is said to be the cipher.
locked_by()
{
	local kdf=$1 cipher=$2 oid=$3 key zero=00000000000000000000000000000000

	key=$(openssl kdf -keylen "$4" -kdfopt pass:secret \
	    -kdfopt hexsalt:0102030405060708 "${@:5}" -binary \
	    "$([[ $kdf == *01050c* ]] && echo PBKDF2 || echo SCRYPT)" | hex)
	tlv 30 "$(tlv 30 06092a864886f70d01050d "$(tlv 30 "$kdf" \
	    "$(tlv 30 "$oid" "0410$zero")")")" "$(tlv 04 "$(openssl enc \
	    "-$cipher" -K "$key" -iv "$zero" -in a.p8 | hex)")" | unhex
}

@test "PBES2 with hashes of SHA-3, Camellia of old NSS, scrypt of 64 MiB" {
	local i aes=060960864801650304012a
	local -a sha3=(224 256 384 512)

	for i in 0 1 2 3; do
		# hmacWithSHA3-224 to -512, 2.16.840.1.101.3.4.2.13 and on
		locked_by "$(pbkdf2 020107 "$(tlv 30 "0609608648016503040$(printf \
		    '2%02x' $((13 + i)))")")" aes-256-cbc "$aes" 32 \
		    -kdfopt iter:7 -kdfopt "digest:SHA3-${sha3[i]}" >sha3
		reads a sha3
	done
	# 256 bits under the names of 128 and of 192
	for i in 2 3; do
		locked_by "$(pbkdf2 020107 020120)" camellia-256-cbc \
		    "060b2a83088c9a4b3d0101010$i" 32 -kdfopt iter:7 \
		    -kdfopt digest:SHA1 >camellia
		reads a camellia
	done
	locked_by "$(scrypt 0203010000 020108 020101)" aes-256-cbc "$aes" 32 \
	    -kdfopt n:65536 -kdfopt r:8 -kdfopt p:1 \
	    -kdfopt maxmem_bytes:100000000 >large
	reads a large
	locked_by "$(scrypt 0203080000 020108 020101)" aes-256-cbc "$aes" 32 \
	    -kdfopt n:2 -kdfopt r:8 -kdfopt p:1 >larger
	only_fault larger ceiling \
	    'asks for scrypt with more than 256 MiB of memory, the ceiling'
}

# cms_of OID: a ContentInfo (RFC 5652 section 3) with nothing much in it.
cms_of()
{
	tlv 30 "$(tlv 06 "$1")" "$(tlv a0 "$(tlv 30 020100)")" | unhex
}

@test "CMS that is not read is named, with what to do" {
	head -c 32 /dev/zero >clear
	openssl cms -EncryptedData_encrypt -aes256 -outform DER -in clear \
	    -secretkey 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
	    -out encrypted
	only_fault encrypted unsupported 'CMS EncryptedData (RFC 5652 section 8), whose key is not in it: decrypt it with openssl cms -EncryptedData_decrypt, and feed that in'
	cms_of 2a864886f70d0109100109 >compressed
	only_fault compressed unsupported 'CMS CompressedData (RFC 3274): take it out with openssl cms -uncompress, and feed that in; if it is mail, it is no key'
	openssl cms -encrypt -aes-256-gcm -outform DER -in clear -out auth r.pem
	only_fault auth unsupported 'CMS AuthEnvelopedData (RFC 5083), encrypted to a certificate: if it is mail, it is no key; else decrypt it with openssl cms -decrypt, and feed that in'
}

# FRP256V1, 1.2.250.1.223.101.256.1, which OpenSSL does not have.
@test "a curve that OpenSSL lacks is named" {
	tlv 30 020100 "$(tlv 30 06072a8648ce3d0201 060a2a817a01815f65820001)" \
	    "$(tlv 04 "$(tlv 30 020101 "$(tlv 04 01)")")" | unhex >key
	only_fault key unsupported 'private key on the elliptic curve 1.2.250.1.223.101.256.1, which OpenSSL does not have here: keep the file itself'
}

@test "a certificate that says RSAES-OAEP is of the same key" {
	local der

	der=$(hex <r.der)
	# rsaEncryption in SubjectPublicKeyInfo, not in the signature
	unhex <<<"${der/06092a864886f70d010101/06092a864886f70d010107}" >r.der
	tar -cf a.tar r.der r.key
	take 0 <a.tar
	found 1 0 0
	[[ $(only key <"$OUT" | field cert) == "$(base64 -w 0 r.der)" ]]
	said
}
