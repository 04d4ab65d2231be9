#!/usr/bin/env bats
#
# p12-extract(1).  The second judge is openssl pkcs12; what openssl would not
# write is put together byte by byte, see p12.bash.

load common
load p12

# The corpora, from common.bash.
: "${shared=}"

setup()
{
	common_setup
	(umask 077 && echo secret >pw)
}

# holds NAME: the only key record in $OUT is this key with this certificate.
holds()
{
	local key

	key=$(only key <"$OUT") && is_pair "$key" "$1"
}

# counts KEYS CERTS FAULTS: this many records, as end says, and nothing else.
counts()
{
	diff <(echo "$* rec:end n:$(($1 + $2 + $3)) keys:$1 certs:$2 faults:$3") \
	    <(awk -F '\t' '{ n[$1]++ }
	END {
		print n["rec:key"] + 0, n["rec:cert"] + 0, n["rec:fault"] + 0, \
		    $1, $2, $3, $4, $5
		if (NR != 1 + n["rec:key"] + n["rec:cert"] + n["rec:fault"])
			print NR " lines"
	}' "$OUT") >&2
}

# faulted REASON DETAIL: the only record in $OUT is this fault, and $ERR has
# the detail and nothing else.
faulted()
{
	counts 0 0 1 &&
	    diff <(printf 'rec:fault\tn:1\tsource:stdin\treason:%s\tdetail:%s\n' \
		"$@") <(head -n 1 "$OUT") >&2 &&
	    says "p12-extract: stdin: $2"
}

# corpus: the rows of generated/ in the manifest, as
# FILE PASSWORD_HEX EXPECTED KEYS CERTS, apart by a unit separator.
corpus()
{
	awk -F '\t' -v OFS=$'\x1f' '$1 ~ /^generated\// {
		print $1, $5, $3, $6, $7 }' "$shared/corpora/pkcs12/manifest.tsv"
}

@test "contract" {
	pair a /CN=a
	p12 a.p12 a
	filter_contract p12-extract -p file:pw <a.p12
}

@test "usage: operands, an option without its argument" {
	pair a /CN=a
	p12 a.p12 a
	contract 2 p12-extract -p file:pw operand <a.p12
	grep -q '^usage: p12-extract \[-aqVv\] \[-p secret\]\.\.\.$' "$ERR"
	contract 2 p12-extract -p <a.p12
	grep -q '^usage: p12-extract ' "$ERR"
}

@test "corpus: what is not ok is refused, with the reason" {
	local file hex expected n=0 detail

	need_shared corpora/pkcs12
	while IFS=$'\x1f' read -r file hex expected _ _; do
		# PEM is read
		[[ $expected != ok && $file != */pem-wrapped.p12 ]] || continue
		PW=$(unhex <<<"$hex")
		export PW
		echo "$file" >&2
		((n += 1))
		if [[ ! -s $shared/corpora/pkcs12/$file ]]; then
			refuses 2 'p12-extract: stdin: empty input: expected a PKCS#12 file' \
			    p12-extract -p env:PW <"$shared/corpora/pkcs12/$file"
			continue
		fi
		run_tool 1 p12-extract -a -p env:PW \
		    <"$shared/corpora/pkcs12/$file"
		if [[ $expected == bad-password ]]; then
			faulted password 'integrity check failed (wrong password or damaged file)'
		elif [[ $(head -c 1 "$shared/corpora/pkcs12/$file") != 0 ]]; then
			faulted format 'not PKCS#12 (RFC 7292 section 4): kms-export reads other formats'
		else
			faulted damaged 'not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged'
		fi
	done < <(corpus)
	((n == 10))
}

@test "corpus: no friendlyName leaves raw" {
	local file n=0

	need_shared corpora/pkcs12
	for file in "$shared"/corpora/pkcs12/generated/fn-*.p12; do
		PW=corpus run_tool 0 p12-extract -av -p env:PW <"$file"
		counts 1 0 0
		not grep -a -P '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae|\xef\xbb\xbf' \
		    "$OUT"
		((n += 1))
	done
	((n >= 10))
}

@test "ciphers, old and new" {
	local how n=0
	local -a args

	pair a /CN=a rsa:1024
	while read -ra args; do
		how=${args[*]}
		p12 a.p12 a "${args[@]}" 2>log || {
			cat log >&2
			return 1
		}
		run_tool 0 p12-extract -p file:pw <a.p12 || {
			echo "$how" >&2
			return 1
		}
		says
		holds a || {
			echo "$how" >&2
			return 1
		}
		((n += 1))
	done <<'HOW'
-legacy
-descert -legacy
-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1
-certpbe PBE-SHA1-2DES -keypbe PBE-SHA1-2DES -macalg sha1
-certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-RC2-128 -macalg sha1 -legacy
-certpbe PBE-SHA1-RC4-40 -keypbe PBE-SHA1-RC4-128 -macalg md5 -legacy
-certpbe aes-128-cbc -keypbe aes-192-cbc -macalg sha384
-certpbe aes-256-cbc -keypbe des-ede3-cbc -macalg sha512
-certpbe camellia-256-cbc -keypbe aria-128-cbc -macalg sha224
-certpbe NONE -keypbe NONE
-certpbe NONE
-keypbe NONE
-nomac
-nomac -certpbe NONE -keypbe NONE
-iter 1 -macalg sha256
-iter 100000
HOW
	((n == 16))
}

# EncryptedPrivateKeyInfo is the value of a pkcs8ShroudedKeyBag.
@test "key encryption that openssl pkcs12 does not write" {
	local n=0
	local -a args

	pair a /CN=a
	while read -ra args; do
		openssl pkcs8 -topk8 -in a.key -outform DER -out locked \
		    -passout file:pw "${args[@]}"
		pfx "$(part "$(bag 02 "$(hex <locked)")$(cert_bag \
		    "$(hex <a.der)")")" | unhex >a.p12
		run_tool 0 p12-extract -p file:pw <a.p12
		holds a
		((n += 1))
	done <<'HOW'
-scrypt
-v2 aes-256-cbc -v2prf hmacWithSHA512
-v2 des3 -v2prf hmacWithMD5
-v1 PBE-SHA1-3DES
-v1 PBE-MD5-DES -provider legacy -provider default
HOW
	((n == 5))
}

@test "the backup of 1999: every file, its key and its fields" {
	local sha1 user mail form bits version path pem n=0

	while IFS=$'\x1f' read -r _ _ sha1 _ user mail form bits version _ _ \
	    _ path; do
		[[ $form == rc2 || $form == 3des ]] || continue
		pem=$ORG/keys/$user-${path##*/}
		pem=${pem%.*}
		[[ -e $pem.pem ]] || pem+=s
		run_tool 0 p12-extract -p "list:$ORG/user.pws" \
		    <"$ORG/tree/zip/$path"
		counts 1 0 0
		key_der "$pem.key" >a.p8
		cert_der "$pem.pem" >a.der
		holds a
		diff <(printf '%s\n' "$user" "$mail" "$version" "RSA-$bits" \
		    "$sha1" stdin) <(for field in user mail version alg sha1 \
		    source; do only key <"$OUT" | field "$field"; done) >&2
		((n += 1))
	done < <(tr '\t' '\037' <"$ORG/ledger")
	((n == 14))
}

@test "fields: what openssl says of the certificate, in the order of the page" {
	local from to

	openssl req -x509 -newkey rsa:1024 -noenc -keyout a.key -out a.pem \
	    -set_serial 0x00c0ffee01 -days 9 -sha1 -utf8 2>log \
	    -subj '/O=Ex\/ample, Inc./OU=One/OU=Zwölf/CN=Recipients/CN=jané\+x' \
	    -addext keyUsage=keyEncipherment \
	    -addext subjectAltName=email:jane@example.com
	p12 a.p12 a -name unused
	run_tool 0 p12-extract -p file:pw <a.p12
	diff <(printf '%s\n' rec n group user mail guid serial issuer subject \
	    not_before not_after version alg use spki sha1 sha256 source cert \
	    key) <(head -n 1 "$OUT" | tr '\t' '\n' | sed 's/:.*//') >&2
	from=$(openssl x509 -in a.pem -noout -startdate)
	to=$(openssl x509 -in a.pem -noout -enddate)
	diff - <(head -n 1 "$OUT" | cut -f 1-18 | tr '\t' '\n') >&2 <<EOF
rec:key
n:1
group:Zwölf
user:jané+x
mail:jane@example.com
guid:
serial:c0ffee01
issuer:$(openssl x509 -in a.pem -noout -issuer -nameopt RFC2253,-esc_msb |
    sed 's/^issuer=//; s/\\/\\\\/g')
subject:$(openssl x509 -in a.pem -noout -subject -nameopt RFC2253,-esc_msb |
    sed 's/^subject=//; s/\\/\\\\/g')
not_before:$(date -u -d "${from#*=}" +%Y-%m-%dT%H:%M:%SZ)
not_after:$(date -u -d "${to#*=}" +%Y-%m-%dT%H:%M:%SZ)
version:3
alg:RSA-1024
use:encrypt
spki:$(openssl x509 -in a.pem -noout -pubkey |
    openssl pkey -pubin -outform DER | sha256sum | cut -c -64)
sha1:$(cert_der a.pem | sha1sum | cut -c -40)
sha256:$(cert_der a.pem | sha256sum | cut -c -64)
source:stdin
EOF
	diff <(echo "rec:end n:1 keys:1 certs:0 faults:0 sha256:$(head -n 1 \
	    "$OUT" | sha256sum | cut -c -64) sig:") \
	    <(tail -n 1 "$OUT" | tr '\t' ' ') >&2
}

@test "passwords: wrong, none, the third of several, empty" {
	local bad='integrity check failed (wrong password or damaged file)'

	pair a /CN=a
	p12 a.p12 a
	(umask 077 && printf '%s\n' one two secret four >list)
	PW=wrong run_tool 1 p12-extract -p env:PW <a.p12
	faulted password "$bad"
	run_tool 1 p12-extract <a.p12
	faulted password 'integrity check failed (no password given: -p, or damaged file)'
	PW=wrong run_tool 0 p12-extract -p env:PW -p list:list <a.p12
	holds a
	p12 a.p12 a -passout pass:
	run_tool 0 p12-extract <a.p12
	holds a
	PW=wrong run_tool 0 p12-extract -p env:PW <a.p12
	holds a
	PW='' run_tool 0 p12-extract -p env:PW <a.p12
	holds a
}

@test "passwords: a wrong one, a bad padding and a bad content sound the same" {
	local at size how

	pair a /CN=a rsa:1024
	for how in '' -legacy; do
		p12 a.p12 a ${how:+"$how"}
		PW=wrong run_tool 1 p12-extract -p env:PW <a.p12
		cp "$OUT" out
		cp "$ERR" err
		size=$(stat -c %s a.p12)
		# in the ciphertext of the certificate, and of the key
		for at in $((size / 4)) $((size / 3)) $((size / 2)) \
		    $((size * 2 / 3)) $((size * 3 / 4)); do
			xxd -p -c 0 a.p12 | sed "s/^\(.\{$((2 * at))\}\)\(..\)/\1XX/" |
			    sed "s/XX/$(printf %02x $(($(od -An -tu1 -j "$at" -N 1 \
			    a.p12) ^ 1)))/" | xxd -r -p >bad.p12
			[[ $(cmp -l a.p12 bad.p12 | wc -l) == 1 ]]
			run_tool 1 p12-extract -p file:pw <bad.p12
			cmp "$OUT" out
			cmp "$ERR" err
		done
	done
}

@test "passwords: UTF-8 and odd characters" {
	local pw n=0

	pair a /CN=a
	for pw in 'Grüße-1999' 'ένα δύο' '🔑' 'a:b"c\d' ' x ' $'tab\there'; do
		(umask 077 && printf '%s\n' "$pw" >pw)
		p12 a.p12 a
		run_tool 0 p12-extract -p file:pw <a.p12
		holds a
		((n += 1))
	done
	((n == 6))
}

@test "no MAC: a wrong password is said in other words" {
	pair a /CN=a
	p12 a.p12 a -nomac
	PW=wrong run_tool 1 p12-extract -p env:PW <a.p12
	faulted password 'nothing in it opens, and it has no integrity check (wrong password or damaged file)'
}

@test "a key without a certificate is a fault, -a or not" {
	local detail='a private key without a certificate: give its certificate in a PEM file to kms-export'

	pair a /CN=a
	openssl pkcs12 -export -nocerts -inkey a.key -out a.p12 \
	    -passout file:pw
	run_tool 1 p12-extract -p file:pw <a.p12
	faulted no-certificate "$detail"
	run_tool 1 p12-extract -a -p file:pw <a.p12
	faulted no-certificate "$detail"
	run_tool 1 p12-extract -q -p file:pw <a.p12
	counts 0 0 1
	says
}

@test "certificates without a key: with -a only, and then nothing is missing" {
	pair a /CN=a
	pair b /CN=b
	pair c /CN=c
	p12 a.p12 a -certfile <(cat b.pem c.pem)
	run_tool 0 p12-extract -p file:pw <a.p12
	counts 1 0 0
	holds a
	says 'p12-extract: stdin: 2 certificates without a key are not written (-a writes them)'
	run_tool 0 p12-extract -q -p file:pw <a.p12
	says
	run_tool 0 p12-extract -a -p file:pw <a.p12
	counts 1 2 0
	holds a
	says
	diff <(printf '%s\n' CN=b CN=c) \
	    <(only cert <"$OUT" | field subject) >&2
	only cert <"$OUT" | not grep -q $'\t''\(key\|seal\):'
}

@test "nothing found is no success" {
	pair a /CN=a
	openssl pkcs12 -export -nokeys -in a.pem -out a.p12 -passout file:pw
	run_tool 1 p12-extract -p file:pw <a.p12
	counts 0 0 0
	says 'p12-extract: stdin: 1 certificates without a key are not written (-a writes them)' \
	    'p12-extract: stdin: nothing was found'
	run_tool 1 p12-extract -q -p file:pw <a.p12
	says 'p12-extract: stdin: nothing was found'
	run_tool 0 p12-extract -a -p file:pw <a.p12
	counts 0 1 0
	says
	pfx "$(part '')" | unhex >a.p12
	run_tool 1 p12-extract -a <a.p12
	counts 0 0 0
	says 'p12-extract: stdin: nothing was found'
}

@test "several keys, in the order of their certificates" {
	pair a /CN=a
	pair b /CN=b
	pair c /CN=c
	openssl x509 -req -in <(openssl req -new -key a.key -subj /CN=a2) \
	    -CA c.pem -CAkey c.key -CAcreateserial -out a2.pem 2>log
	cert_der a2.pem >a2.der
	pfx "$(part "$(plain a)")$(part "$(plain b)")$(part \
	    "$(cert_bag "$(hex <a2.der)")")" | unhex >a.p12
	run_tool 0 p12-extract <a.p12
	says
	counts 3 0 0
	diff <(printf 'CN=%s\n' a b a2) <(field subject <"$OUT") >&2
	diff <(printf '%d\n' 1 2 3) <(only key <"$OUT" | field n) >&2
	cmp <(field key <"$OUT" | sed -n 3p | base64 -d) a.p8
	cmp <(field cert <"$OUT" | sed -n 3p | base64 -d) a2.der
	cmp <(field key <"$OUT" | sed -n 2p | base64 -d) b.p8
}

# The certificate has an empty subject: the name is all there is.
@test "friendlyName as user: escapes and twins" {
	local name want n=0

	pair a /
	while IFS= read -r name && IFS= read -r want; do
		name=$(printf %b "$name" | iconv -f UTF-8 -t UTF-16BE | hex)
		pfx "$(part "$(plain a "$(name "$name")")")" | unhex >a.p12
		run_tool 0 p12-extract -v <a.p12
		diff <(echo "$want") <(head -n 1 "$OUT" | cut -f 4) >&2
		[[ $(head -n 1 "$OUT" | tr '\t' '\n' | grep -c '^user') == 1 ]]
		holds a
		((n += 1))
	done <<'NAMES'
jane
user:jane
Jané Zoë 鍵 🔑
user:Jané Zoë 鍵 🔑
tab\there
user:tab\there
new\nline
user:new\nline
cr\rhere
user:cr\rhere
back\\slash "quote" =eq :colon
user:back\\slash "quote" =eq :colon
-rf
user:-rf
../../../etc/passwd
user:../../../etc/passwd
esc\x1b[31mred
user_b64:ZXNjG1szMW1yZWQ=
del\x7f
user_b64:ZGVsfw==
c1\xc2\x9bm
user_b64:YzHCm20=
bidi\xe2\x80\xaegnp.exe
user_b64:YmlkaeKArmducC5leGU=
zero\xe2\x80\x8bwidth
user_b64:emVyb+KAi3dpZHRo
\xef\xbb\xbfBOM
user_b64:77u/Qk9N
line\xe2\x80\xa8sep
user_b64:bGluZeKAqHNlcA==
soft\xc2\xadhyphen
user_b64:c29mdMKtaHlwaGVu
鍵
user:鍵
tag\xf3\xa0\x81\x81
user_b64:dGFn86CBgQ==
mail@example.com
user:mail@example.com
NAMES
	((n == 19))
	p12 a.p12 a
	run_tool 0 p12-extract -p file:pw <a.p12
	diff <(echo user:) <(head -n 1 "$OUT" | cut -f 4) >&2
	p12 a.p12 a -name 'Jané Zoë 鍵'
	run_tool 0 p12-extract -p file:pw <a.p12
	diff <(echo 'user:Jané Zoë 鍵') <(head -n 1 "$OUT" | cut -f 4) >&2
}

@test "friendlyName comes last: behind CN, UPN and mail" {
	pair a /CN=cn
	p12 a.p12 a -name friendly
	run_tool 0 p12-extract -p file:pw <a.p12
	[[ $(only key <"$OUT" | field user) == cn ]]
	openssl req -x509 -key a.key -subj / -days 9 -out a.pem \
	    -addext 'subjectAltName=email:m@example.com,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@example.com'
	p12 a.p12 a -name friendly
	run_tool 0 p12-extract -p file:pw <a.p12
	[[ $(only key <"$OUT" | field user) == u@example.com ]]
	[[ $(only key <"$OUT" | field mail) == m@example.com ]]
	openssl req -x509 -key a.key -subj / -days 9 -out a.pem \
	    -addext subjectAltName=email:m@example.com
	p12 a.p12 a -name friendly
	run_tool 0 p12-extract -p file:pw <a.p12
	[[ $(only key <"$OUT" | field user) == m@example.com ]]
}

@test "a bad attribute never loses a key" {
	local long attrs want n=0

	pair a /
	printf -v long '0041%.0s' {1..70000}
	while read -r attrs want; do
		pfx "$(part "$(plain a "$attrs")")" | unhex >a.p12
		run_tool 0 p12-extract <a.p12
		says
		holds a
		[[ -z $want ]] ||
		    diff <(echo "$want") <(head -n 1 "$OUT" | cut -f 4) >&2
		((n += 1))
	done <<EOF
$(name 006100000062) user_b64:YQBi
$(name 00610000) user:a
$(name 0061d83d0062)
$(name dc00d83d)
$(name 006100) user:
$(name "$long") user:
$(name 0041)$(name 0042) user:A
$(tlv 30 06092a864886f70d010914 "$(tlv 31 0c0141)") user:
$(tlv 30 06092a864886f70d010914 3100) user:
$(tlv 30 06092a864886f70d010914) user:
$(tlv 30 06092a864886f70d010915 3100)$(name 0041) user:A
0500$(name 0041) user:A
3000$(name 0041) user:A
0404 user:
EOF
	((n == 14))
}

@test "a name of 20,000 characters stays whole" {
	local long

	pair a /
	printf -v long 'A%.0s' {1..20000}
	p12 a.p12 a -name "$long"
	run_tool 0 p12-extract -p file:pw <a.p12
	[[ $(only key <"$OUT" | field user) == "$long" ]]
}

@test "what is broken inside is a fault and spoils nothing else" {
	pair a /CN=a
	pair b /CN=b
	pfx "$(part "$(cert_bag "$(head -c 40 b.der | hex)"
	plain a
	bag 03 0500
	bag 01 0500
	bag 02 0500
	bag 04 3000
	bag 05 3000
	bag 03 "$(tlv 30 060a2a864886f70d01091602 a0021600)")")" |
	    unhex >a.p12
	run_tool 1 p12-extract <a.p12
	counts 1 0 5
	holds a
	diff - <(only fault <"$OUT" | cut -f 3-5 | tr '\t' ' ' | sort) >&2 <<'EOF'
source:stdin reason:certificate detail:not a DER certificate (RFC 5280 section 4.1): fetch the file again, or export it anew
source:stdin reason:damaged detail:a certificate bag cannot be read: fetch the file again, or export it anew (RFC 7292 section 4.2)
source:stdin reason:damaged detail:a private key cannot be read: fetch the file again, or export it anew (RFC 7292 section 4.2)
source:stdin reason:damaged detail:an encrypted key cannot be read: fetch the file again, or export it anew (RFC 7292 section 4.2)
source:stdin reason:unsupported detail:certificate bag that is not X.509 (RFC 7292 section 4.2.3): export the file anew, with an X.509 certificate
EOF
	[[ $(wc -l <"$ERR") == 5 ]]
	run_tool 1 p12-extract -q <a.p12
	says
}

@test "a part under another password, or to a public key, is a fault" {
	local b

	pair a /CN=a
	pair b /CN=b
	pair c /CN=c rsa:1024
	b=$(part "$(bag 02 "$(openssl pkcs8 -topk8 -in b.key -outform DER \
	    -passout pass:other | hex)")$(cert_bag \
	    "$(hex <b.der)")")
	pfx "$(part "$(plain a)")$b$(openssl cms -encrypt -binary -outform DER \
	    -in b.pem c.pem | hex)" | unhex >a.p12
	PW=other run_tool 1 p12-extract -p env:PW <a.p12
	counts 2 0 1
	says 'p12-extract: stdin: part encrypted to a public key (RFC 7292 section 4.1): decrypt it where it was made'
	[[ $(only fault <"$OUT" | field reason) == unsupported ]]
	pfx "300506032a0304$(part "$(plain a)")3000" | unhex >a.p12
	run_tool 1 p12-extract <a.p12
	counts 1 0 2
	holds a
	# the MAC under one password, the key under another
	pfx "$b" "$(mac_of secret "$b")" | unhex >b.p12
	run_tool 1 p12-extract -p file:pw <b.p12
	counts 0 0 1
	[[ $(only fault <"$OUT" | field reason) == password ]]
	says 'p12-extract: stdin: a key encrypted with PBES2 of PBKDF2 and aes-256-cbc cannot be decrypted (a different password, or damage): give its password with -p' \
	    'p12-extract: stdin: 1 certificates without a key are not written (-a writes them)'
	PW=other run_tool 0 p12-extract -p file:pw -p env:PW <b.p12
	counts 1 0 0
}

@test "the MAC that these tests make is one that openssl takes" {
	local parts

	pair a /CN=a
	parts=$(part "$(plain a)")
	pfx "$parts" "$(mac_of secret "$parts")" | unhex >a.p12
	openssl pkcs12 -in a.p12 -noenc -passin file:pw -out judge
	run_tool 0 p12-extract -p file:pw <a.p12
	holds a
}

@test "ceiling: ten million rounds of key derivation, and no more" {
	local rounds='asks for more than 10000000 rounds of key derivation, the ceiling'
	local digest=0000000000000000000000000000000000000000 asks what n=0

	# 0x989681 is 10,000,001
	for asks in 020400989681 02047fffffff \
	    021001000000000000000000000000000000; do
		pfx '' "$(mac "$asks" "$digest")" | unhex >a.p12
		run_tool 1 p12-extract <a.p12
		faulted ceiling "$rounds"
	done
	while read -r asks what; do
		pfx "$(part "$(bag 02 "$(pbes2 "$asks")")")" | unhex >a.p12
		run_tool 1 p12-extract <a.p12
		faulted ceiling "asks for $what, the ceiling"
		((n += 1))
	done <<EOF
$(pbkdf2 020400989681) more than 10000000 rounds of key derivation
$(pbkdf2 020101 02020401) a key of more than 1024 bytes
$(scrypt 020401000001 020101 020101) more scrypt than N * r * p = 16777216
$(scrypt 020200ff 02030fffff 020101) more scrypt than N * r * p = 16777216
$(scrypt 020102 020101 02047fffffff) more scrypt than N * r * p = 16777216
$(scrypt 020100 020108 020101) more scrypt than N * r * p = 16777216
EOF
	((n == 6))
}

# A cipher that nobody knows: the rounds are counted, and not done.
@test "ceiling: a thousand million rounds for one file" {
	local bag parts

	bag=$(bag 02 "$(pbes2 "$(pbkdf2 020400989680)" 300506032a0304)")
	printf -v parts "$bag%.0s" {1..100}
	parts=$(part "$parts")
	pfx "$parts" "$(mac_of secret "$parts")" | unhex >a.p12
	run_tool 1 p12-extract -q -p file:pw <a.p12
	counts 0 0 100
	# 0x989680 is ten million; the MAC took one
	diff - <(only fault <"$OUT" | cut -f 4,5 | uniq -c | tr '\t' ' ' |
	    sed 's/^ *//') >&2 <<'EOF'
99 reason:unsupported detail:encrypted with PBES2 of PBKDF2 and 1.2.3.4, which OpenSSL does not have here
1 reason:ceiling detail:asks for more than 1000000000 rounds of key derivation in all, the ceiling of a file (give fewer passwords, or its own with pass in the map of kms-export)
EOF
}

@test "ceiling: 128 KiB of one certificate" {
	local large

	pair a /CN=a
	printf -v large '00%.0s' {1..131073}
	pfx "$(part "$(cert_bag "$large")$(plain a)")" | unhex >a.p12
	run_tool 1 p12-extract <a.p12
	counts 1 0 1
	holds a
	says 'p12-extract: stdin: a key or certificate of more than 131072 bytes, the ceiling: none for mail is so large, keep the file itself'
	pfx "$(part "$(cert_bag "${large%00}")$(plain a)")" | unhex >a.p12
	run_tool 1 p12-extract <a.p12
	[[ $(only fault <"$OUT" | field reason) == certificate ]]
}

@test "ceiling: SafeContents eight deep, and no deeper" {
	local bags

	pair a /CN=a
	bags=$(plain a)
	for _ in {1..8}; do
		bags=$(bag 06 "$(tlv 30 "$bags")")
	done
	pfx "$(part "$bags")" | unhex >a.p12
	run_tool 0 p12-extract <a.p12
	holds a
	pfx "$(part "$(bag 06 "$(tlv 30 "$bags")")")" | unhex >a.p12
	run_tool 1 p12-extract <a.p12
	faulted ceiling 'more than 8 SafeContents in one another, the ceiling: export the file anew'
}

@test "bytes behind the PFX: padding, another PFX, something else" {
	pair a /CN=a
	pair b /CN=b
	p12 a.p12 a
	p12 b.p12 b
	{ cat a.p12; head -c 5000 /dev/zero; printf '\r\n\032'; } >padded
	run_tool 0 p12-extract -p file:pw <padded
	holds a
	cat a.p12 b.p12 >two
	run_tool 0 p12-extract -p file:pw <two
	counts 2 0 0
	{ cat a.p12; head -c 300 b.p12; } >both.p12
	run_tool 1 p12-extract -p file:pw <both.p12
	counts 1 0 1
	says 'p12-extract: stdin: not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged'
	{ cat a.p12 b.pem; } >pem
	run_tool 1 p12-extract -p file:pw <pem
	counts 1 0 1
	says "p12-extract: stdin: $(stat -c %s b.pem) bytes behind the end of the PFX are not read: if they are another file, feed it in by itself"
}

@test "bytes behind the PFX do no harm; a file past the ceiling is refused" {
	pair a /CN=a
	p12 a.p12 a
	{ cat a.p12; printf 'trailing'; } >b.p12
	run_tool 0 p12-extract -p file:pw <b.p12
	holds a
	{ cat a.p12; head -c 64M /dev/zero; } >b.p12
	refuses 2 'p12-extract: stdin: larger than 16777216 bytes, the ceiling' \
	    p12-extract -p file:pw <b.p12
}

@test "keys are refused on a terminal, before anything is read" {
	local status=0

	pair a /CN=a
	p12 a.p12 a
	# shellcheck disable=SC2016 # for the inner shell
	A=$(command -v p12-extract) timeout 60 script -qec \
	    '{ "$A" -p file:pw; s=$?; cat >rest; exit $s; } <a.p12' /dev/null \
	    >"$OUT" 2>&1 </dev/null || status=$?
	((status == 2))
	diff <(echo 'p12-extract: standard output is a terminal and would show clear keys: send it to a file or a pipe') \
	    <(tr -d '\r' <"$OUT") >&2
	cmp a.p12 rest
	# and a file that others can read is warned of
	(umask 022 && p12-extract -p file:pw <a.p12 >open 2>"$ERR")
	says 'p12-extract: warning: standard output holds clear keys, and others can read it: run chmod 600 on it (umask 077)'
	grep -q ^rec:key open
}

@test "a certificate that is there twice: one record, its key too" {
	pair a /CN=a
	pfx "$(part "$(plain a)$(cert_bag "$(hex <a.der)")")" | unhex >a.p12
	run_tool 0 p12-extract -a <a.p12
	holds a
	# the certificate of a CA too
	pair b /CN=b
	pfx "$(part "$(plain a)$(cert_bag "$(hex <b.der)")$(cert_bag \
	    "$(hex <b.der)")")" | unhex >a.p12
	run_tool 0 p12-extract -a <a.p12
	[[ $(only key <"$OUT" | wc -l) == 1 && $(only cert <"$OUT" | wc -l) == 1 ]]
}

@test "PKCS#12 in PEM, as certtool and gpgsm write it" {
	pair a /CN=a
	p12 a.p12 a
	{
		echo '-----BEGIN PKCS12-----'
		base64 -w 64 a.p12
		echo '-----END PKCS12-----'
	} >a.pem
	run_tool 0 p12-extract -p file:pw <a.pem
	holds a
	says
	sed 's/PKCS12/OTHER/' a.pem >other
	run_tool 1 p12-extract -p file:pw <other
	faulted format 'not PKCS#12 (RFC 7292 section 4): kms-export reads other formats'
}
