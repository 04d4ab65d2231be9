#!/usr/bin/env bats
# shellcheck disable=SC2154 # common.bash and ca.bash set arrays
#
# What a Windows CA may write, and ca-recover(1) reads: forms of recovery blobs,
# of the file around them, and of the key inside.  winblob.py makes them, and
# openssl agrees.

load common
load ca

# $MADE: *.key, BLOBs of the key of judy (RSA) and of three EC keys, as
# winblob.py makes them; *.bad, which are none; *.rec, recovery blobs around
# capi-keyx.key, and *.rec.bad; one.rec, an `archived' record; judy.p8 and
# judy.cer, what must come out.
setup_file()
{
	local curve

	export MADE=$BATS_FILE_TMPDIR
	cd "$MADE" || return
	for curve in 256 384 521; do
		openssl genpkey -algorithm EC -out "ec$curve.pem" \
		    -pkeyopt "ec_paramgen_curve:P-$curve"
		openssl pkey -in "ec$curve.pem" -pubout -out pub
		openssl x509 -new -CA "$ORG/ca.pem" -CAkey "$ORG/ca.key" \
		    -force_pubkey pub -subj "/CN=ec$curve" -days 30 \
		    -out "ec$curve.crt"
	done
	winblob keys "$ORG/keys/judy-2003.key" ec{256,384,521}.pem
	winblob bad "$ORG/keys/judy-2003.key" ec256.pem
	envelope capi-keyx.key >env.p7
	winblob wrap env.p7 "$ORG/ca.pem" "$ORG/ca.key" \
	    "$ORG/keys/judy-2003.pem" "$ORG/keys/carol-2003.pem" \
	    "$ORG/kra1.pem" "$ORG/ca.pem"
	p8 "$ORG/keys/judy-2003.key" >judy.p8
	openssl x509 -in "$ORG/keys/judy-2003.pem" -outform DER -out judy.cer
	cat "$ORG"/kra1.{pem,key} >kra1.pem
	new_archive
	user 1 judy-2003 | closed | ca-import -q -d ca.db >log 2>&1
	ca-export -d ca.db 2>log | only archived >one.rec
}

setup()
{
	common_setup
	kra1=(-k "$MADE/kra1.pem")
	ca=(-C "$ORG/ca.pem")
}

winblob()
{
	/usr/bin/python3 "$BATS_TEST_DIRNAME/winblob.py" "$@"
}

# envelope FILE [ARG...]: it as EnvelopedData to both agents.
envelope()
{
	openssl cms -encrypt -binary -in "$1" -outform DER "${2--aes256}" \
	    "${@:3}" "$ORG/kra1.pem" "$ORG/kra2.pem"
}

# archived N CERT ENV: a record with that certificate and archived key.
archived()
{
	sed "s/\tn:1\t/\tn:$1\t/; s/\tcert:.*//" "$MADE/one.rec" |
	    tr -d '\n'
	printf '\tcert:%s\tblob:%s\n' \
	    "$(openssl x509 -in "$2" -outform DER | base64 -w 0)" \
	    "$(base64 -w 0 <"$3")"
}

# is_judy [N]: $OUT has the key of judy, and it alone, so many times.
is_judy()
{
	only key <"$OUT" >keys
	[[ $(wc -l <keys) == "${1-1}" ]] || return
	field key <keys | sort -u | base64 -d | cmp - "$MADE/judy.p8" || return
	field cert <keys | sort -u | base64 -d | cmp - "$MADE/judy.cer"
}

# cut_short FILE AT...: what ends too early is refused.
cut_short()
{
	local at

	for at in "${@:2}"; do
		head -c "$at" "$1" >short.rec
		run_tool 1 ca-recover "${kra1[@]}" <short.rec || return
		diff <(closed </dev/null) "$OUT" || return
	done
}

# The key inside --------------------------------------------------------------

@test "recovery: every BLOB of CryptoAPI and of CNG" {
	local file name n=0 pem

	for file in "$MADE"/*.key; do
		name=${file##*/}
		pem=$ORG/keys/judy-2003.pem
		[[ $name != ec* ]] || pem=$MADE/${name:0:5}.crt
		envelope "$file" >env.p7
		archived $((n += 1)) "$pem" env.p7
	done | closed >all.rec
	n=$(only archived <all.rec | wc -l)
	((n == 21))
	run_tool 0 ca-recover "${kra1[@]}" <all.rec
	says
	only key <"$OUT" >keys
	[[ $(wc -l <keys) == "$n" ]]
	# each is the key that was there before
	n=0
	for file in "$MADE"/*.key; do
		name=${file##*/}
		pem=$ORG/keys/judy-2003.key
		[[ $name != ec* ]] || pem=$MADE/${name:0:5}.pem
		((n += 1))
		sed -n "${n}p" keys | field key | base64 -d |
		    cmp - <(openssl pkcs8 -topk8 -nocrypt -in "$pem" \
		    -outform DER)
	done
}

@test "recovery: openssl reads the same BLOB of CryptoAPI" {
	openssl rsa -inform MSBLOB -in "$MADE/capi-keyx.key" -outform DER \
	    2>/dev/null | cmp - <(openssl rsa -in "$ORG/keys/judy-2003.key" \
	    -outform DER 2>/dev/null)
	openssl rsa -in "$ORG/keys/judy-2003.key" -outform MSBLOB 2>/dev/null |
	    cmp - "$MADE/capi-keyx.key"
}

@test "recovery: BLOBs that are none, and one message for all" {
	local file name n=0 pem

	for file in "$MADE"/*.bad; do
		name=${file##*/}
		[[ $name != *.rec.bad ]] || continue
		pem=$ORG/keys/judy-2003.pem
		[[ $name != ec-* ]] || pem=$MADE/ec256.crt
		envelope "$file" >env.p7
		archived $((n += 1)) "$pem" env.p7
	done | closed >all.rec
	n=$(only archived <all.rec | wc -l)
	((n > 30))
	run_tool 1 ca-recover "${kra1[@]}" <all.rec
	[[ $(only key <"$OUT" | wc -l) == 0 ]]
	diff - <(unsummed | sed 's/, user [a-z0-9-]*:/:/') < <(for ((i = 1; i <= n; i++)); do
		echo "ca-recover: stdin:$i: record $i: the archived key does not decrypt"
	done)
}

@test "recovery: a BLOB of another certificate" {
	envelope "$MADE/ec384.key" >env.p7
	archived 1 "$MADE/ec256.crt" env.p7 | closed >swapped.rec
	run_tool 1 ca-recover "${kra1[@]}" <swapped.rec
	says 'ca-recover: stdin:1: record 1, user judy-2003: the archived key does not decrypt'
}

@test "recovery: the ciphers of Windows 2000 to today" {
	local cipher n=0

	for cipher in -rc2-40 -rc2-128 -des -des3 -aes128 -aes192 -aes256; do
		envelope "$MADE/capi-keyx.key" $cipher -provider legacy \
		    -provider default >env.p7
		archived $((n += 1)) "$ORG/keys/judy-2003.pem" env.p7
	done | closed >all.rec
	run_tool 0 ca-recover "${kra1[@]}" <all.rec
	is_judy 7
	# and RSA-OAEP, and recipients by key identifier
	openssl cms -encrypt -binary -in "$MADE/capi-keyx.key" -outform DER \
	    -aes256 -recip "$ORG/kra2.pem" -recip "$ORG/kra1.pem" \
	    -keyopt rsa_padding_mode:oaep >env.p7
	archived 1 "$ORG/keys/judy-2003.pem" env.p7 | closed >oaep.rec
	run_tool 0 ca-recover "${kra1[@]}" <oaep.rec
	is_judy
	openssl req -x509 -key "$ORG/kra1.key" -subj /CN=ski -days 30 -out ski.pem
	openssl cms -encrypt -binary -in "$MADE/capi-keyx.key" -outform DER \
	    -aes256 -keyid ski.pem >env.p7
	archived 1 "$ORG/keys/judy-2003.pem" env.p7 | closed >keyid.rec
	cat ski.pem "$ORG/kra1.key" >ski.cred
	run_tool 0 ca-recover -k ski.cred <keyid.rec
	is_judy
}

# damage FILE N: changes the encrypted key of recipient N, the RSA 2048 of which
# is an OCTET STRING of 256 bytes.
damage()
{
	local at byte

	at=$(openssl asn1parse -inform DER -in "$1" |
	    awk '/l= 256 prim: OCTET STRING/ { print $1 + 0 }' | sed -n "$2p")
	((at += 40))
	byte=$(od -An -tu1 -j "$at" -N 1 "$1")
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" |
	    dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# The signed data around it ---------------------------------------------------

@test "recovery: CMS and PKCS#7 v1.5, however the certificate is named" {
	local file n=0

	for file in "$MADE"/*.rec; do
		[[ $file != */one.rec ]] || continue
		for trust in none "${ca[*]}"; do
			# shellcheck disable=SC2086 # words
			run_tool 0 ca-recover ${trust#none} "${kra1[@]}" <"$file"
			says
			is_judy
		done
		((n += 1))
	done
	((n == 16))
}

@test "recovery: openssl's PKCS#7 parser takes the old form, its CMS one does not" {
	local file at

	for file in old-bare old-info old-plain; do
		not openssl cms -cmsout -inform DER -in "$MADE/$file.rec" \
		    -noout 2>/dev/null
	done
	subjects -inform DER -in "$MADE/old-bare.rec" |
	    grep -qx 'O=Example, CN=Recovery Agent 1'
	# what it verifies is the content without tag and length
	at=$(openssl asn1parse -inform DER -in "$MADE/old-bare.rec" |
	    grep -m 1 -A 2 ':pkcs7-envelopedData$' | tail -n 1 | cut -d : -f 1)
	openssl asn1parse -inform DER -in "$MADE/old-bare.rec" -strparse "$at" \
	    -noout -out content
	tail -c +5 content >signed
	openssl smime -verify -binary -inform DER -in "$MADE/old-bare.rec" \
	    -content signed -noverify -nointern -certfile "$ORG/ca.pem" \
	    >/dev/null 2>"$ERR"
	grep -qx 'Verification successful' "$ERR"
}

@test "recovery: certtool verifies the CMS form" {
	certtool --p7-info --inder --infile "$MADE/cms.rec" >info
	grep -qx 'Number of certificates: 4' info
	grep -qF "1.3.6.1.4.1.311.21.16: 0414$(sha1sum <"$MADE/judy.cer" |
	    cut -c -40)" info
	certtool --p7-verify --inder --infile "$MADE/cms.rec" \
	    --load-certificate "$ORG/ca.pem" >info 2>&1
	grep -q 'Signature status: ok' info
}

@test "recovery: blobs that are not what they say" {
	local name message
	local wrong="the signature of the recovery blob is not right, or not of a certificate of -C"

	while IFS='|' read -r name message; do
		run_tool 1 ca-recover "${ca[@]}" "${kra1[@]}" \
		    <"$MADE/$name.rec.bad"
		says "ca-recover: stdin: $message"
		diff <(closed </dev/null) "$OUT"
	done <<-END
	old-other|the archived key does not decrypt
	cms-other|the archived key does not decrypt
	old-nobody|the recovery blob does not carry the user's certificate
	old-no-cert|the recovery blob does not carry the user's certificate
	old-altered|$wrong
	old-retagged|not a recovery blob: CMS SignedData (RFC 5652 section 5.1) around the archived key
	old-empty|the recovery blob holds no archived key
	old-nested|not a CMS EnvelopedData (RFC 5652 section 6.1)
	old-whole|$wrong
	END
	[[ $(find "$MADE" -name '*.rec.bad' | wc -l) == 9 ]]
}

@test "recovery: a blob without the certificate of its signer" {
	run_tool 1 ca-recover "${kra1[@]}" <"$MADE/cms-alone.p7"
	says 'ca-recover: stdin: the recovery blob lacks the certificate of its signer: give it with -C'
	run_tool 0 ca-recover "${ca[@]}" "${kra1[@]}" <"$MADE/cms-alone.p7"
	is_judy
}

@test "recovery: the old form of somebody else, and cut anywhere" {
	run_tool 1 ca-recover -C "$ORG/kms.pem" "${kra1[@]}" <"$MADE/old-info.rec"
	says 'ca-recover: stdin: the signature of the recovery blob is not right, or not of a certificate of -C'
	# inside each of its parts
	cut_short "$MADE/old-info.rec" 1 3 20 60 90 400 1500 2600 \
	    $(($(stat -c %s "$MADE/old-info.rec") - 1))
}

@test "recovery: the old form, each of its tags altered" {
	local at byte

	# down to the content and what it begins with
	openssl asn1parse -inform DER -in "$MADE/old-bare.rec" |
	    awk '/:d=[0-46] / { print $1 + 0 } /:d=6 / { exit }' >tags
	(($(wc -l <tags) > 8))
	for at in $(<tags); do
		cp "$MADE/old-bare.rec" bad
		byte=$(od -An -tu1 -j "$at" -N 1 bad)
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\x$(printf %x $((byte ^ 2)))" |
		    dd of=bad bs=1 seek="$at" conv=notrunc status=none
		run_tool 1 ca-recover "${ca[@]}" "${kra1[@]}" <bad
		diff <(closed </dev/null) "$OUT"
	done
}

@test "recovery: no name, and the agent is another" {
	openssl cms -encrypt -binary -in "$MADE/capi-keyx.key" -outform DER \
	    -aes256 "$ORG/kra2.pem" >env.p7
	# with -C it is no reason to leave that out
	winblob wrap env.p7 "$ORG/ca.pem" "$ORG/ca.key" \
	    "$ORG/keys/judy-2003.pem" "$ORG/kra2.pem" "$ORG/kms.pem"
	run_tool 1 ca-recover "${ca[@]}" "${kra1[@]}" <cms-unnamed.rec
	says 'ca-recover: stdin: not encrypted to the KRA of -k: try another KRA (CRYPT_E_RECIPIENT_NOT_FOUND 0x8009100B)'
	# unless it is the key of one that the CA has not issued
	envelope "$MADE/capi-keyx.key" >env.p7
	openssl x509 -new -CA "$ORG/kms.pem" -CAkey "$ORG/kms.key" -days 30 \
	    -subj /CN=judy -force_pubkey <(openssl pkey -pubout \
	    -in "$ORG/keys/judy-2003.key") -out foreign.pem
	winblob wrap env.p7 "$ORG/ca.pem" "$ORG/ca.key" foreign.pem \
	    "$ORG/keys/carol-2003.pem" "$ORG/ca.pem"
	run_tool 1 ca-recover "${ca[@]}" "${kra1[@]}" <cms-unnamed.rec
	says "ca-recover: stdin: the recovery blob does not name the user's certificate, and opens with none that a CA of -C has issued: without -C it may"
	run_tool 0 ca-recover "${kra1[@]}" <cms-unnamed.rec
	only key <"$OUT" | field key | base64 -d | cmp - "$MADE/judy.p8"
}

@test "recovery: what is for one agent is damaged, what is for the other is not" {
	local kra

	cat "$ORG"/kra[12].{pem,key} >both.pem
	for kra in 1 2; do
		envelope "$MADE/capi-keyx.key" >env.p7
		damage env.p7 "$kra"
		archived 1 "$ORG/keys/judy-2003.pem" env.p7 | closed >row.rec
		run_tool 0 ca-recover -k both.pem <row.rec
		is_judy
		cat "$ORG/kra$kra".{pem,key} >one.pem
		run_tool 1 ca-recover -k one.pem <row.rec
		says 'ca-recover: stdin:1: record 1, user judy-2003: the archived key does not decrypt'
	done
}

# The file around that --------------------------------------------------------

# utf16: text on stdin as Windows' Unicode.
utf16()
{
	printf '\xff\xfe'
	iconv -t UTF-16LE
}

@test "recovery: DER, PEM of any name, base64 without armour, Unicode" {
	local form file

	for form in cms old-info; do
		base64 "$MADE/$form.rec" | sed 's/$/\r/' >b64
		base64 -w 0 "$MADE/$form.rec" >line
		base64 "$MADE/$form.rec" >lines
		for name in CERTIFICATE PKCS7 CMS; do
			printf -- '-----BEGIN %s-----\r\n' "$name"
			cat b64
			printf -- '-----END %s-----\r\n' "$name"
		done >three
		head -n $(($(wc -l <three) / 3)) three >pem
		utf16 <pem >pem.16
		utf16 <b64 >b64.16
		{ printf '\xef\xbb\xbf'; cat pem; } >pem.8
		for file in b64 line lines pem pem.16 b64.16 pem.8; do
			run_tool 0 ca-recover "${ca[@]}" "${kra1[@]}" <"$file"
			says
			is_judy
		done
		run_tool 0 ca-recover "${ca[@]}" "${kra1[@]}" <three
		is_judy 3
	done
	cut_short b64.16 1 2 3 4 5 200 201 3000 $(($(stat -c %s b64.16) - 5))
	cut_short pem.16 3 100 3000 $(($(stat -c %s pem.16) - 20))
}

@test "recovery: text that is no blob" {
	local none='ca-recover: stdin: not a recovery blob: CMS SignedData'

	none+=' (RFC 5652 section 5.1) around the archived key'
	base64 "$MADE/cms.rec" >lines
	{ cat lines; echo '!'; } >longer
	{ echo 'CertUtil: -getkey'; cat lines; } >before
	sed '3s/^./*/' lines >star
	printf '\xff\xfe' >mark
	printf '\xff\xfeM' >odd
	printf '\xef\xbb\xbf' >mark8
	printf '====' >pad
	base64 "$ORG/kms-backup.zip" >zip
	for file in longer before star mark odd mark8 pad zip; do
		run_tool 1 ca-recover "${kra1[@]}" <"$file"
		says "$none"
		diff <(closed </dev/null) "$OUT"
	done
}

# The corpus ------------------------------------------------------------------

@test "recovery: every file of synthetic-ca" {
	local syn kind cipher env n=0 form

	need_shared corpora/synthetic-ca
	syn=$shared/corpora/synthetic-ca
	cat "$syn"/kra2.{crt,key} >syn.pem
	for kind in msblob pkcs8.der; do
		for cipher in aes256 des3; do
			env=$syn/raw-archived-key.$kind.$cipher.env
			openssl cms -decrypt -binary -inform DER -in "$env" \
			    -recip "$syn/kra1.crt" -inkey "$syn/kra1.key" |
			    cmp - "$syn/user.$kind"
			openssl cms -verify -binary -inform DER -noverify \
			    -in "$syn/recovery-blob.$kind.$cipher.p7" \
			    -out content 2>/dev/null
			cmp content "$env"
			archived $((n += 1)) "$syn/user.crt" "$env" >>rows
			# and each in the old form
			winblob wrap "$env" "$syn/ca.crt" "$syn/ca.key" \
			    "$syn/user.crt" "$syn/ca.crt"
			for form in "$syn/recovery-blob.$kind.$cipher.p7" \
			    old-bare.rec old-info.rec cms-bare.rec; do
				run_tool 0 ca-recover -C "$syn/ca.crt" \
				    -k syn.pem <"$form"
				only key <"$OUT" >>keys
			done
		done
	done
	closed <rows >all.rec
	run_tool 0 ca-recover -k syn.pem <all.rec
	only key <"$OUT" >>keys
	[[ $(wc -l <keys) == 20 ]]
	field key <keys | sort -u | base64 -d | cmp - "$syn/user.pkcs8.der"
	openssl pkey -in "$syn/user.key" | openssl pkcs8 -topk8 -nocrypt \
	    -outform DER | cmp - "$syn/user.pkcs8.der"
	# no other file is there
	find "$syn" -type f ! -name 'README*' ! -name manifest.tsv -printf '%f\n' |
	    grep -vxE '(ca|kra[12]|user)\.(crt|key)|user\.(msblob|pkcs8\.der)|(recovery-blob|raw-archived-key)\.(msblob|pkcs8\.der)\.(aes256|des3)\.(p7|env)' |
	    diff /dev/null -
}
