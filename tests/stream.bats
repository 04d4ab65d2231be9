# DESIGN.md section 4, sealing and trust, against a second judge that was
# written from kms-record(5) alone (sealer.py); then every way of slipping
# something into a sealed stream.

load common
load ca

order='records are missing, repeated or out of order (or this is a part: -P)'
seal='the seal does not open: the record was altered, or is of another place'
seal+=' or stream'
bare='seal is not the last field, or a sealed stream holds a clear key'
plain='a plain record where only sealed ones are trusted (-k or -C)'
plain_end='end of a plain stream where only sealed ones are trusted (-k or -C)'
untrusted='signature: signed by a certificate that is not trusted: none of'
untrusted+=' -C, or, without -C, that of -k'
unfit='signature: does not fit the line: altered, or made by another key'
impostor='signature: made by another certificate than the record says'
digest='the digest of the stream differs: it was altered'
cut='no end record: the stream was cut: fetch it whole, or take what is there with -P'

sealer()
{
	/usr/bin/python3 "$BATS_TEST_DIRNAME/sealer.py" "$@"
}

# identity NAME SUBJECT [ARG...]: NAME.pem, NAME.key, and both as NAME.cred.
identity()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -days 1 -subj "$2" -keyout "$1.key" -out "$1.pem" "${@:3}" \
	    2>/dev/null &&
	    cat "$1.pem" "$1.key" >"$1.cred"
}

# good.open, good.kms and other.kms are one stream, open and sealed twice: key
# of jane, certificate of carol, key of bob, fault.  It is sealed to ca and
# signed by kms; self.kms is signed by ca, plain.kms is in the clear.
setup_file()
{
	local head=rec:stream end=rec:end keys=$ORG/keys

	cd "$BATS_FILE_TMPDIR" || return 1
	identity ca '/O=Example/CN=ca'
	identity kms '/O=Example/CN=kms' -set_serial 4711
	identity twin '/O=Example/CN=kms' -set_serial 4711
	identity eve '/O=Example/CN=eve'
	identity bob '/O=Example/CN=bob'
	head+=$'\tv:1\tid:\ttime:2004-01-19T10:00:00Z\tto:\tlockbox:\tsigner:'
	end+=$'\tn:\tkeys:\tcerts:\tfaults:\tsha256:'
	{
		printf '%s\tsig:\n' "$head"
		sealer record key 1 Europe jane "$keys"/jane-1999.{pem,key}
		sealer record cert 2 Europe carol "$keys/carol-1999s.pem"
		sealer record key 3 Europe bob bob.pem bob.key
		sealer record fault 4 Europe dave
		printf '%s\tsig:\n' "$end"
	} >good.open
	seal <good.open >good.kms
	seal <good.open >other.kms
	sealer seal ca.pem ca.pem ca.key <good.open >self.kms
	sealer plain <good.open >plain.kms
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/*.* .
	both=(-k ca.cred -C kms.pem)
}

# seal [ARG...]: seal to ca, signed by kms.
seal()
{
	sealer seal ca.pem kms.pem kms.key "$@"
}

# sealed EDIT [ARG...]: good.open, changed by sed, and then sealed: what a
# legitimate exporter would have to sign.
sealed()
{
	sed "$1" good.open | seal "${@:2}"
}

# sealed_each EDIT...: 1.kms, 2.kms and so on, each `sealed' with one of them.
sealed_each()
{
	local edit

	for edit; do
		sed "$edit" good.open
	done | seal | awk '/^rec:stream\t/ { n++ } { print >(n ".kms") }'
}

# accepts OPTION...: what is on stdin is proven, and leaves byte for byte.
accepts()
{
	cat >stream
	run_tool 0 kms-verify "$@" <stream
	says
	cmp stream "$OUT"
}

# breaks LINE MESSAGE OPTION...: what is on stdin is a broken stream, there and
# for that reason; the lines before it leave as they came, and nothing else.
breaks()
{
	local -a before

	cat >stream
	before=(* "$TMPDIR"/*)
	run_tool 2 kms-verify "${@:3}" <stream
	says "kms-verify: stdin:$1: $2"
	head -n $(($1 - 1)) stream | cmp - "$OUT"
	not_more "${before[@]}"
}

# named LINE [FILE]: how a message names the record there.
named()
{
	local user

	user=$(line "$1" "${2-stream}" | field user)
	user+=$(line "$1" "${2-stream}" | field user_b64 | base64 -d)
	printf 'record %s%s' "$(line "$1" "${2-stream}" | field n)" \
	    "${user:+, user $user}"
}

# drops LINE MESSAGE OPTION...: the record there is refused, for that reason;
# all others leave as they came, but not `end'.
drops()
{
	local -a before

	cat >stream
	before=(* "$TMPDIR"/*)
	run_tool 1 kms-verify "${@:3}" <stream
	says "kms-verify: stdin:$1: $(named "$1"): $2"
	sed "$1 d; /^rec:end\t/ d" stream | cmp - "$OUT"
	not_more "${before[@]}"
}

# not_more FILE...: there are no other files here and in TMPDIR.
not_more()
{
	local -a now=(* "$TMPDIR"/*)

	[[ ${now[*]} == "$*" ]]
}

# put LABEL VALUE: the line on stdin, with that value.
put()
{
	sed "s|\t$1:[^\t]*|\t$1:$2|"
}

# line N FILE
line()
{
	sed -n "$1 p" "$2"
}

# The second judge ---------------------------------------------------------

@test "kms-verify accepts what another program seals" {
	accepts "${both[@]}" <good.kms
	accepts -k ca.cred <self.kms
	accepts -C kms.pem <good.kms
	# no two are alike
	[[ $(cat good.kms other.kms | field lockbox | sort -u | wc -l) == 2 ]]
	[[ $(cat good.kms other.kms | field seal | sort -u | wc -l) == 8 ]]
}

@test "another program opens what kms-export seals" {
	local kind name sha1 archive

	# names, hashes and dates of each certificate are judged too
	for archive in kms-backup.zip kms-backup.tar.gz; do
		kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
		    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws" \
		    <"$ORG/$archive" >>backup.kms || (($? == 1))
	done
	sealer open "$ORG"/machine.{pem,key,pem} <backup.kms >opened
	[[ $(wc -l <opened) == "$(wc -l <backup.kms)" ]]
	# each key is the one that openssl made
	for name in "$ORG"/keys/*.pem; do
		sha1=$(openssl x509 -in "$name" -outform DER | sha1sum)
		grep $'^rec:key.*\tsha1:'"${sha1%% *}" opened >record || continue
		field open <record | base64 -d |
		    openssl pkey -inform DER >got
		openssl pkey -in "${name%.pem}.key" | cmp - got
		echo "${sha1%% *}"
	done | sort >keys
	awk -F '\t' '$2 == "key" { print $3 }' "$ORG/ledger" | sort |
	    diff -u - keys
	# and of nothing else a key was sealed
	for kind in cert fault; do
		only "$kind" <opened | field open | grep -c . >count || :
		[[ $(only "$kind" <opened | wc -l) -gt 0 && $(<count) == 0 ]]
	done
}

@test "both agree on elliptic curves" {
	sed -n '/BEGIN/,/END/p' bob.cred >member.pem
	run_tool 0 kms-export -q -c ca.pem -S kms.cred <member.pem
	cp "$OUT" backup.kms
	sealer open ca.pem ca.key kms.pem <backup.kms >opened
	only key <opened | field open | base64 -d | openssl pkey -inform DER |
	    cmp - <(openssl pkey -in bob.key)
	accepts "${both[@]}" <backup.kms
}

@test "what one sealed the other seals again" {
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws" \
	    <"$ORG/kms-backup.tar.gz" >backup.kms
	sealer open "$ORG"/machine.{pem,key,pem} <backup.kms |
	    sed '1 s/\tid:[^\t]*/\tid:/; 1 s/\t\(to\|signer\):[^\t]*/\t\1:/g' |
	    seal >again
	accepts "${both[@]}" <again
	[[ $(cut -f 1-19 backup.kms | sed '1 d; $ d') == \
	    "$(cut -f 1-19 again | sed '1 d; $ d')" ]]
}

@test "lockbox and signatures are what the page says" {
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" <"$ORG/kms-backup.tar.gz" >backup.kms
	only stream <backup.kms | field lockbox | base64 -d |
	    openssl cms -cmsout -print -inform DER >box.txt
	[[ $(grep -c '^ *recipientInfos' box.txt) == 1 ]]
	[[ $(grep -c 'd\.ktri' box.txt) == 1 ]]
	grep -q 'contentType: pkcs7-envelopedData' box.txt
	grep -q 'algorithm: aes-256-cbc' box.txt
	grep -q 'algorithm: rsaesOaep' box.txt
	only stream <backup.kms | field lockbox | base64 -d |
	    openssl asn1parse -inform DER | grep OBJECT | sed 's/.*://' >oids
	[[ $(grep -c -x sha256 oids) == 2 && $(grep -c -x mgf1 oids) == 1 ]]

	only stream <backup.kms | field sig | base64 -d |
	    openssl cms -cmsout -print -inform DER >sig.txt
	only end <backup.kms | field sig | base64 -d |
	    openssl cms -cmsout -print -inform DER >end.txt
	for file in sig.txt end.txt; do
		grep -q 'contentType: pkcs7-signedData' "$file"
		grep -q 'eContentType: pkcs7-data' "$file"
		grep -A 1 'eContentType' "$file" |
		    grep -q 'eContent: <ABSENT>'
		[[ $(grep -c 'd\.issuerAndSerialNumber' "$file") == 1 ]]
		[[ $(grep -A 3 '^ *digestAlgorithm: ' "$file" |
		    grep -c 'sha256') == 1 ]]
	done
	[[ $(grep -c 'd\.certificate' sig.txt) == 1 ]]
	[[ $(grep -c 'd\.certificate' end.txt) == 0 ]]
}

@test "no id, stream key or nonce is used twice" {
	local i

	for i in 1 2 3; do
		kms-export -q -c ca.pem -S kms.cred <bob.cred >>backup.kms
	done
	[[ $(field id <backup.kms | sort -u | wc -l) == 3 ]]
	[[ $(field id <backup.kms | grep -c -x '[0-9a-f]\{32\}') == 3 ]]
	[[ $(field lockbox <backup.kms | sort -u | wc -l) == 3 ]]
	[[ $(field seal <backup.kms | sort -u | wc -l) == 3 ]]
}

# Altered ------------------------------------------------------------------

@test "any bit changed anywhere is seen" {
	local end

	# a key and a fault, all with elliptic curves: short values
	sed '2,3 d; s/\tn:3/\tn:1/; s/\tn:4/\tn:2/' good.open |
	    sealer seal ca.pem ca.pem ca.key >small
	accepts -k ca.cred <small
	sealer flip small "${KMS2CA_FLIPS:-0}" kms-verify -k ca.cred >report
	(($(tail -n 1 report | cut -f 2) > 200))
	# `sig' is signed by nobody: CMS has bits that say nothing, see below;
	# but with another head the digest in `end' is wrong
	end=$(sed '$ d' small | wc -c)
	awk -F '\t' -v "end=$end" '
	$1 == "tried" { next }
	$4 != "sig" || ($1 < end && $3 == 0)' report >missed
	diff -u /dev/null missed
}

@test "openssl cms -verify and kms-verify agree on a signature" {
	local i status judge agreed=0

	sed '$ d' self.kms >front
	line 6 self.kms | sed 's/\tsig:.*/\t/' | tr -d '\n' >signed
	/usr/bin/python3 - <<-'PYTHON'
		import base64
		end = open('self.kms', 'rb').read().split(b'\n')[5]
		front, tab, sig = end.rpartition(b'\tsig:')
		der = base64.b64decode(sig)
		for i in range(0, len(der), 7):
		    bad = bytearray(der)
		    bad[i] ^= 1 << i % 8
		    open('%d.der' % i, 'wb').write(bad)
		    open('%d.kms' % i, 'wb').write(
		        front + tab + base64.b64encode(bad) + b'\n')
	PYTHON
	for i in *.der; do
		status=0 judge=0
		cat front "${i%.der}.kms" |
		    kms-verify -k ca.cred >"$OUT" 2>"$ERR" || status=$?
		openssl cms -verify -binary -inform DER -in "$i" -content signed \
		    -noverify -nointern -certfile ca.pem -out /dev/null \
		    2>/dev/null || judge=1
		case $status$judge in
		00 | 21) ;;
		# SignedData may hold more signers, and content: not here
		20) grep -q 'detached\|signers' "$ERR" ;;
		*) false ;;
		esac
		((++agreed))
	done
	((agreed > 40))
}

@test "a record dropped" {
	local i

	for i in 2 3 4; do
		sed "$i d" good.kms |
		    breaks "$i" "n is $i, not $((i - 1)): $order" "${both[@]}"
	done
	sed 5d good.kms | breaks 5 "in end, n is not 3: records are missing or added: fetch it whole, or take what is there with -P" "${both[@]}"
	sed 1d good.kms | breaks 1 "$plain" "${both[@]}"
	sed 6d good.kms | breaks 6 "$cut" "${both[@]}"
	sed 2,5d good.kms | breaks 2 "in end, n is not 0: records are missing or added: fetch it whole, or take what is there with -P" "${both[@]}"
}

@test "a line repeated" {
	local i

	for i in 2 3 4 5; do
		sed "$i p" good.kms | breaks $((i + 1)) \
		    "n is $((i - 1)), not $i: $order" "${both[@]}"
		{ sed 6d good.kms; line "$i" good.kms; line 6 good.kms; } |
		    breaks 6 "n is $((i - 1)), not 5: $order" "${both[@]}"
	done
	sed 1p good.kms | breaks 2 'a stream starts before the end of the one before: it was cut, or is a part (-P)' "${both[@]}"
	sed 6p good.kms | breaks 7 "$plain_end" "${both[@]}"
}

@test "records swapped, and renumbered" {
	local i

	for i in 2 3 4; do
		sed "$i { h; d }; $((i + 1)) G" good.kms |
		    breaks "$i" "n is $i, not $((i - 1)): $order" "${both[@]}"
	done
	sed '4 s/\tn:3/\tn:9/' good.kms |
	    breaks 4 "n is 9, not 3: $order" "${both[@]}"
	sed '4 s/\tn:3/\tn:9/' good.kms | drops 4 "$seal" -P "${both[@]}"
	# each in the place of the other, under its number
	{
		line 1 good.kms
		line 4 good.kms | put n 1
		line 3 good.kms
		line 2 good.kms | put n 3
		sed 1,4d good.kms
	} >stream
	run_tool 2 kms-verify "${both[@]}" <stream
	says "kms-verify: stdin:2: $(named 2): $seal" \
	    "kms-verify: stdin:4: $(named 4): $seal" \
	    "kms-verify: stdin:6: $digest"
	sed '2 d; 4 d; 6 d' stream | cmp - "$OUT"
}

@test "a record moved to another stream" {
	local i

	for i in 2 3 4 5; do
		{
			head -n $((i - 1)) good.kms
			line "$i" other.kms
			tail -n +$((i + 1)) good.kms
		} >moved
		run_tool 2 kms-verify "${both[@]}" <moved
		says "kms-verify: stdin:$i: $(named "$i" moved): $seal" \
		    "kms-verify: stdin:6: $digest"
		sed "$i d; 6 d" moved | cmp - "$OUT"
		drops "$i" "$seal" -P "${both[@]}" <moved
	done
	# all of them, under the head of the other
	{ line 1 good.kms; sed 1d other.kms; } >moved
	run_tool 2 kms-verify -q "${both[@]}" <moved
	says "kms-verify: stdin:6: $digest"
	line 1 moved | cmp - "$OUT"
}

@test "fields of a record exchanged, added, left out or in another order" {
	local edit

	# none of them breaks the grammar, so only the seal can tell
	for edit in 's/\tuser:jane/\tuser:eve/' 's/\tmail:/\tfuture:\tmail:/' \
	    's/\tgroup:Europe\tuser:jane/\tuser:jane\tgroup:Europe/' \
	    's/\tguid:/\tguid_b64:/' 's/rec:key/rec:cert/' \
	    's/rec:key/rec:other/' 's/\tuser:jane/\tuser_b64:amFuZQ==/'; do
		sed "2 $edit" good.kms | drops 2 "$seal" -P "${both[@]}"
	done
	sed '3 s/rec:cert/rec:key/' good.kms | drops 3 "$seal" -P "${both[@]}"
	line 4 good.kms | field seal >bob
	sed "2 s|\tseal:.*|\tseal:$(<bob)|" good.kms |
	    drops 2 "$seal" -P "${both[@]}"
	for edit in '' AAAA AAAAAAAAAAAAAAAAAAAAAA== '!' "$(<bob)=" "$(<bob)AAAA"; do
		sed "2 s|\tseal:.*|\tseal:$edit|" good.kms |
		    drops 2 "$seal" -P "${both[@]}"
	done
}

@test "cut: at every line" {
	local i

	for i in 1 2 3 4 5; do
		head -n "$i" good.kms | breaks $((i + 1)) "$cut" "${both[@]}"
		head -n "$i" good.kms | breaks $((i + 1)) "$cut" -C kms.pem
		head -n "$i" good.kms | accepts -P "${both[@]}"
	done
}

@test "cut: at bytes" {
	sed '2,3 d; s/\tn:3/\tn:1/; s/\tn:4/\tn:2/' good.open | seal >small
	cut_contract small kms-verify "${both[@]}"
}

@test "end: other counts, of the legitimate signer" {
	local label value bad i=0
	local -a counts

	for label in n keys certs faults; do
		value=$(line 6 good.kms | field "$label")
		for bad in 0 9 "0$value"; do
			counts+=("6 s/\t$label:/&$bad/")
		done
	done
	sealed_each "${counts[@]}"
	for label in n keys certs faults; do
		value=$(line 6 good.kms | field "$label")
		for bad in 1 2 3; do
			((++i))
			breaks 6 "in end, $label is not $value: records are missing or added: fetch it whole, or take what is there with -P" "${both[@]}" <$i.kms
			accepts -P "${both[@]}" <$i.kms
		done
	done
	sealed "6 s/sha256:/&$(printf '%064d' 0)/" >bad
	breaks 6 "$digest" "${both[@]}" <bad
	accepts -P "${both[@]}" <bad
}

@test "end: of another stream, or behind the end" {
	{ sed 6d good.kms; line 6 other.kms; } |
	    breaks 6 "$digest" "${both[@]}"
	{ sed 6d good.kms; line 6 self.kms; } |
	    breaks 6 "$impostor" "${both[@]}"
	{ sed 6d good.kms; line 6 self.kms; } |
	    breaks 6 "$impostor" -P "${both[@]}" -C ca.pem
	{ cat good.kms; line 2 good.kms; } | breaks 7 "$plain" "${both[@]}"
	{ cat good.kms; line 2 good.kms; } | breaks 7 "$plain" -P "${both[@]}"
	{ cat good.kms; line 6 other.kms; } | breaks 7 "$plain_end" "${both[@]}"
	# without a head no seal means anything, to nobody
	sed 1d good.kms >bad
	run_tool 2 kms-verify -P <bad
	says 'kms-verify: stdin:1: a sealed record outside its stream: the stream line before it is missing'
	nothing_out headless
}

# Trust --------------------------------------------------------------------

@test "trust: the signer is that of -k, or one of -C, and no other" {
	accepts -k ca.cred -C kms.pem <good.kms
	accepts -k ca.cred -C eve.pem -C kms.pem <good.kms
	cat eve.pem kms.pem >trusted.pem
	accepts -k ca.cred -C trusted.pem <good.kms
	accepts -k ca.cred -C eve.pem -C ca.pem <self.kms
	# -C alone says who is trusted
	breaks 1 "$untrusted" -k ca.cred -C eve.pem <self.kms
	breaks 1 "$untrusted" -k ca.cred <good.kms
	breaks 1 "$untrusted" -k ca.cred -C eve.pem <good.kms
	breaks 1 "$untrusted" -C ca.pem <good.kms
	# the same name and serial number, and even the same key, are not enough
	breaks 1 "$untrusted" -k ca.cred -C twin.pem <good.kms
	openssl req -x509 -key kms.key -days 1 -set_serial 4711 \
	    -subj '/O=Example/CN=kms' -out renewed.pem
	breaks 1 "$untrusted" -k ca.cred -C renewed.pem <good.kms
}

@test "trust: a certificate that is with the key of -k is not that of -k" {
	sealer seal ca.pem eve.pem eve.key <good.open >eves
	cat ca.cred eve.pem >chain
	breaks 1 "$untrusted" -k chain <eves
	cat eve.pem ca.cred >chain
	breaks 1 "$untrusted" -k chain <eves
	openssl pkcs12 -export -in ca.cred -certfile eve.pem -passout pass: \
	    -out chain
	breaks 1 "$untrusted" -k chain <eves
	accepts -k chain -C eve.pem <eves
	accepts -k chain <self.kms
}

@test "trust: no chain, no expiry, no use: the certificate was pinned" {
	# version 1, MD5, expired in 2016; keyEncipherment, expired in 2000
	for signer in "$ORG/kms" "$ORG/keys/jane-1999"; do
		sealer seal ca.pem "$signer.pem" "$signer.key" <good.open >old
		accepts -k ca.cred -C "$signer.pem" <old
		cat "$signer.pem" "$signer.key" >old.cred
		run_tool 0 kms-export -q -c ca.pem -S old.cred <bob.cred
		accepts -k ca.cred -C "$signer.pem" <"$OUT"
	done
}

@test "trust: the head signed by somebody else" {
	# eve signs the same line, with and without saying so
	sealer seal ca.pem eve.pem eve.key <good.open >eves
	breaks 1 "$untrusted" "${both[@]}" <eves
	put signer "$(line 1 good.kms | field signer)" <eves |
	    breaks 1 "$impostor" "${both[@]}"
	sed "1 s/signer:/&$(line 1 good.kms | field signer)/" good.open |
	    sealer seal ca.pem eve.pem eve.key |
	    breaks 1 "$impostor" "${both[@]}"
	# with her key, and a certificate that names kms
	sed "1 s/signer:/&$(line 1 good.kms | field signer)/" good.open |
	    sealer seal ca.pem twin.pem twin.key |
	    breaks 1 "$unfit" "${both[@]}"
	# head of the one, signature of the other
	{
		line 1 good.kms | put sig "$(line 1 other.kms | field sig)"
		sed 1d good.kms
	} | breaks 1 "$unfit" "${both[@]}"
}

@test "trust: the end signed by somebody else" {
	local who

	for who in twin eve; do
		line 6 good.kms | sed 's/\tsig:.*/\t/' | tr -d '\n' |
		    openssl cms -sign -binary -outform DER -md sha256 -nocerts \
		    -signer "$who.pem" -inkey "$who.key" |
		    base64 -w 0 >"$who.sig"
	done
	{ sed 6d good.kms; line 6 good.kms | put sig "$(<eve.sig)"; } >bad
	breaks 6 "$impostor" "${both[@]}" <bad
	# she is trusted, but did not sign this stream
	breaks 6 "$impostor" -P "${both[@]}" -C eve.pem <bad
	{ sed 6d good.kms; line 6 good.kms | put sig "$(<twin.sig)"; } |
	    breaks 6 "$unfit" "${both[@]}" -C twin.pem
}

@test "trust: the signature comes first, then the lockbox" {
	# neither is good: only the signature is spoken of
	sealer seal eve.pem eve.pem eve.key <good.open >bad
	breaks 1 "$untrusted" "${both[@]}" <bad
	put lockbox AAAA <good.kms | breaks 1 "$unfit" "${both[@]}"
	put lockbox "$(line 1 other.kms | field lockbox)" <good.kms |
	    breaks 1 "$unfit" "${both[@]}"
	put to "$(printf '%064d' 0)" <good.kms | breaks 1 "$unfit" "${both[@]}"
	# with a good signature it is the lockbox
	sealed '1 s/lockbox:/&AAAA/' |
	    breaks 1 'lockbox: does not open with this key' "${both[@]}"
	sealed '1 s/lockbox:/&A/' |
	    breaks 1 'lockbox is not base64' "${both[@]}"
}

@test "lockbox: of another stream, or of another certificate" {
	local to box size

	# it opens, but what it gives is no key of this stream
	box=$(line 1 other.kms | field lockbox)
	sealed "1 s|lockbox:|&$box|" >bad
	run_tool 1 kms-verify -q "${both[@]}" <bad
	says
	line 1 bad | cmp - "$OUT"

	to=$(openssl x509 -in eve.pem -outform DER | sha256sum)
	sealer seal eve.pem kms.pem kms.key <good.open >bad
	breaks 1 "sealed to another certificate than that of -k (SHA-256 ${to%% *})" "${both[@]}" <bad
	# who may not open it can still check it
	accepts -C kms.pem <bad

	# `to' says ca, and is not
	to=$(line 1 good.kms | field to)
	sed "1 s/\tto:/&$to/" good.open |
	    sealer seal eve.pem kms.pem kms.key |
	    breaks 1 'lockbox: does not open with this key' "${both[@]}"
	# a certificate of -k without its key
	cat ca.cred eve.pem >chain
	sealer seal eve.pem kms.pem kms.key <good.open |
	    breaks 1 "sealed to another certificate than that of -k (SHA-256 $(openssl x509 -in eve.pem -outform DER | sha256sum | cut -c -64))" -k chain -C kms.pem
	sealed '1 s/\tto:/&x/' | breaks 1 'to is not a SHA-256' "${both[@]}"
	# something behind it, and content that is no key
	line 1 good.kms | field lockbox | base64 -d >box
	echo >>box
	sealed "1 s|lockbox:|&$(base64 -w 0 box)|" |
	    breaks 1 'lockbox: does not open with this key' "${both[@]}"
	for size in 0 31 33; do
		head -c "$size" /dev/zero | openssl cms -encrypt -binary \
		    -aes-256-cbc -outform DER -recip ca.pem |
		    base64 -w 0 >box.$size
	done
	sealed_each "1 s|lockbox:|&$(<box.0)|" "1 s|lockbox:|&$(<box.31)|" \
	    "1 s|lockbox:|&$(<box.33)|"
	for size in 1 2 3; do
		breaks 1 'lockbox: does not open with this key' "${both[@]}" <$size.kms
	done
}

@test "signature: one signer, SHA-256 or better, detached" {
	local where line

	for where in head end; do
		line=1
		[[ $where == head ]] || line=6
		for how in '-md sha384' '-md sha512' -noattr -keyid; do
			# shellcheck disable=SC2086 # arguments
			sealed '' "-$where" $how | accepts "${both[@]}"
		done
		for hash in sha1 sha224; do
			sealed '' "-$where" -md "$hash" | breaks "$line" \
			    'signature: hash weaker than SHA-256' "${both[@]}"
		done
		sealed '' "-$where" -signer eve.pem -inkey eve.key |
		    breaks "$line" 'signature: 2 signers instead of one' \
		    "${both[@]}" -C eve.pem
		sealed '' "-$where" -nodetach | breaks "$line" \
		    'signature: not a detached signature of data' "${both[@]}"
		sealed '' "-$where" -econtent_type 1.2.3.4 | breaks "$line" \
		    'signature: not a detached signature of data' "${both[@]}"
	done
	sealer seal ca.pem "$ORG/machine.pem" "$ORG/machine.key" \
	    -head -keyopt rsa_padding_mode:pss -end -keyopt \
	    rsa_padding_mode:pss <good.open | accepts -k ca.cred \
	    -C "$ORG/machine.pem"
}

@test "signature: something else in its place" {
	local at sig not='signature: not a CMS SignedData (RFC 5652 section 5.1)'

	openssl crl2pkcs7 -nocrl -certfile kms.pem -outform DER |
	    base64 -w 0 >certs
	openssl x509 -in kms.pem -outform DER | base64 -w 0 >cert
	line 1 good.kms | field lockbox | tr -d '\n' >box
	for at in 1 6; do
		line "$at" good.kms | field sig | base64 -d >der
		echo >>der
		for sig in AAAA "$(<box)" "$(<cert)" "$(base64 -w 0 der)"; do
			sed "$at s|\tsig:.*|\tsig:$sig|" good.kms |
			    breaks "$at" "$not" "${both[@]}"
		done
		sed "$at s|\tsig:.*|\tsig:$(<certs)|" good.kms |
		    breaks "$at" 'signature: 0 signers instead of one' "${both[@]}"
		for sig in '' AAA '!' "$(<certs) "; do
			sed "$at s|\tsig:.*|\tsig:$sig|" good.kms |
			    breaks "$at" 'no signature' "${both[@]}"
		done
		sed "$at s|\tsig:|\tsig_b64:|" good.kms |
		    breaks "$at" 'sig is not the last field' "${both[@]}"
	done
}

@test "head: version, id, signer" {
	local i id

	sealed '1 s/\tv:1/\tv:2/' | breaks 1 'stream version is not 1: a newer kms2ca is needed' "${both[@]}"
	sealed '1 s/\tv:1/\tv:01/' | breaks 1 'stream version is not 1: a newer kms2ca is needed' "${both[@]}"
	sealed_each '1 s/\tid:/&00/' "1 s/\tid:/&$(printf '%030d' 0)/" \
	    "1 s/\tid:/&$(printf '%034d' 0)/" \
	    '1 s/\tid:/&ABCDEFABCDEFABCDEFABCDEFABCDEFAB/'
	for i in 1 2 3 4; do
		breaks 1 'id or signer is not hex of its size' "${both[@]}" <$i.kms
	done
	id=$(line 1 good.kms | field signer)
	put signer "${id^^}" <good.kms |
	    breaks 1 'id or signer is not hex of its size' "${both[@]}"
	put signer '' <good.kms |
	    breaks 1 'id or signer is not hex of its size' "${both[@]}"
	# unknown fields are covered by the signature, and kept
	sealed '1 s/\tto:/\tfuture:x&/; 6 s/\tkeys:/\tfuture:y&/' |
	    accepts "${both[@]}"
}

@test "without -k and -C: consistent at best, says who signed, exit 1" {
	local hex

	hex=$(openssl x509 -in kms.pem -outform DER | sha256sum)
	run_tool 1 kms-verify <good.kms
	says "kms-verify: signed by CN=kms,O=Example, SHA-256 ${hex%% *}" \
	    'kms-verify: consistent, but not proven: nobody was named to trust (give -k or -C)'
	cmp good.kms "$OUT"
	# -q does not silence that
	cp "$ERR" said
	run_tool 1 kms-verify -q <good.kms
	cmp said "$ERR"
	# and it is not consistent when it was altered
	sed '2 s/jane/eve/' good.kms >bad
	run_tool 2 kms-verify <bad
	says "kms-verify: signed by CN=kms,O=Example, SHA-256 ${hex%% *}" \
	    "kms-verify: stdin:6: $digest"
	put time 2005-01-19T10:00:00Z <good.kms | breaks 1 "$unfit"
	sealed '' -head -nocerts | breaks 1 "signature: the signature does not carry the signer's certificate"
	put signer "$(printf '%064d' 0)" <good.kms |
	    breaks 1 "signature: the signature does not carry the signer's certificate"
}

@test "with -C alone: seals stay closed, the end proves the whole" {
	local part='consistent, but not proven: only -k opens the seals that'

	part+=' prove the records of a part'
	accepts -C kms.pem <good.kms
	sed '2 s/\tseal:.*/\tseal:AAAA/' good.kms >bad
	run_tool 2 kms-verify -C kms.pem <bad
	says "kms-verify: stdin:6: $digest"
	# a part has no such end: nothing proves what is in it
	run_tool 1 kms-verify -P -C kms.pem <bad
	says "kms-verify: $part"
	run_tool 1 kms-verify -P -C kms.pem <good.kms
	says "kms-verify: $part"
	run_tool 1 kms-verify -Pw -C kms.pem <good.kms
	says "kms-verify: $part"
	nothing_out '-Pw -C'
	breaks 1 "$untrusted" -P -C eve.pem <good.kms
}

# Plain, among what is sealed ------------------------------------------------

# slipped TRUST...: plain records and ends, before, inside and behind a sealed
# stream that these options accept, with -P too.
slipped()
{
	local stream=$1 i part

	shift
	for part in '' -P; do
		for i in 1 2 3 4; do
			{ line "$i" plain.kms; cat "$stream"; } |
			    breaks 1 "$plain" ${part:+"$part"} "$@"
			{ cat "$stream"; line "$i" plain.kms; } |
			    breaks 7 "$plain" ${part:+"$part"} "$@"
			# in the place of the sealed one
			{
				head -n "$i" "$stream"
				line "$i" plain.kms
				tail -n +$((i + 2)) "$stream"
			} | breaks $((i + 1)) "$bare" ${part:+"$part"} "$@"
		done
		{ line 5 plain.kms; cat "$stream"; } |
		    breaks 1 "$plain_end" ${part:+"$part"} "$@"
		{ cat "$stream"; line 5 plain.kms; } |
		    breaks 7 "$plain_end" ${part:+"$part"} "$@"
		{ head -n 3 "$stream"; line 5 plain.kms; tail -n +4 "$stream"; } |
		    breaks 4 'no signature' ${part:+"$part"} "$@"
		{ cat plain.kms "$stream"; } |
		    breaks 1 "$plain" ${part:+"$part"} "$@"
		{ cat "$stream" plain.kms; } |
		    breaks 7 "$plain" ${part:+"$part"} "$@"
		{ echo rec:note; cat "$stream"; } |
		    breaks 1 "$plain" ${part:+"$part"} "$@"
		{ cat "$stream"; echo rec:note; } |
		    breaks 7 "$plain" ${part:+"$part"} "$@"
		{ head -n 1 "$stream"; echo rec:note; } |
		    breaks 2 'no number n' ${part:+"$part"} "$@"
		breaks 1 "$plain" ${part:+"$part"} "$@" <plain.kms
		tail -n 1 plain.kms | breaks 1 "$plain_end" ${part:+"$part"} "$@"
	done
}

@test "plain: nothing slips in with -k" {
	slipped self.kms -k ca.cred
}

@test "plain: nothing slips in with -C" {
	# -P and -C alone prove nothing, but let nothing plain in either
	slipped self.kms -C ca.pem
}

@test "plain: nothing slips in with both" {
	slipped good.kms "${both[@]}"
}

@test "plain: behind the end of a part" {
	# where no `end' closed the part, a plain record stands inside it
	{ head -n 3 good.kms; line 1 plain.kms; } |
	    breaks 4 'n 1 appears twice' -P "${both[@]}"
	{ head -n 3 good.kms; line 3 plain.kms; } |
	    breaks 4 "$bare" -P "${both[@]}"
	{ head -n 3 good.kms; tail -n 1 plain.kms; } |
	    breaks 4 'no signature' -P "${both[@]}"
}

@test "seal and sig end their line, and no key stands clear beside a seal" {
	local key

	key=$(line 1 plain.kms | field key)
	sed '2 s/$/\tx:/' good.kms | breaks 2 "$bare" "${both[@]}"
	sed "2 s|\$|\tkey:$key|" good.kms | breaks 2 "$bare" "${both[@]}"
	sed '3 s/$/\tseal_b64:/' good.kms | breaks 3 'seal appears twice' "${both[@]}"
	sed '2 s/\tcert:\([^\t]*\)\t\(seal:.*\)/\t\2\tcert:\1/' good.kms |
	    breaks 2 "$bare" "${both[@]}"
	sed '2 s/\tseal:/\tseal_b64:/' good.kms | breaks 2 "$bare" "${both[@]}"
	sed '2 s/\tseal:.*//' good.kms | breaks 2 "$bare" "${both[@]}"
	sed '1 s/$/\tx:/' good.kms |
	    breaks 1 'sig is not the last field' "${both[@]}"
	sed '6 s/$/\tx:/' good.kms |
	    breaks 6 'sig is not the last field' "${both[@]}"
	# sealed by the legitimate signer, and still not taken
	sealed "2 s|\tcert:|\tkey:$key\tcert:|" | breaks 2 "$bare" "${both[@]}"
	sealed "3 s|\tcert:|\tkey:\tcert:|" | breaks 3 "$bare" "${both[@]}"
	sealed "2 s|\topen:|\tkey:|" | breaks 2 "$bare" "${both[@]}"
}

@test "unknown types are sealed too, or break the stream" {
	sealed '3 s/rec:cert/rec:future/' >future
	accepts "${both[@]}" <future
	sed '3 s/\tuser:carol/\tuser:eve/' future | drops 3 "$seal" -P "${both[@]}"
	# it may hold something, that is nobody's business
	sealed '3 s/rec:cert/rec:future/; 3 s/open:/&QUJD/' | accepts "${both[@]}"
	sealed '3 s/.*/rec:future\tn:2\topen:/' | accepts "${both[@]}"
	sealed '3 s/.*/rec:future\topen:/; 3 s/\t/\tn:2&/' | accepts "${both[@]}"
	sed '3 s/.*/rec:future\tseal:AAAA/' good.kms |
	    breaks 3 'no number n' "${both[@]}"
	sed '3 s/.*/rec:future\tn:2/' good.kms | breaks 3 "$bare" "${both[@]}"
}

# What the legitimate signer sealed, and is wrong all the same ---------------

@test "key: of another certificate" {
	local bob

	bob=$(line 4 good.open | field open)
	sealed "2 s|open:.*|open:$bob|" | drops 2 'private key does not belong to the certificate' "${both[@]}"
	# another certificate, and all that is said of it is right
	sealer record key 1 Europe jane "$ORG/keys/erin-1999.pem" \
	    "$ORG/keys/jane-1999.key" >line.2
	sed -e '2 {' -e 'r line.2' -e 'd' -e '}' good.open | seal |
	    drops 2 'private key does not belong to the certificate' "${both[@]}"
}

@test "key: not whole" {
	local i who
	local -a edits

	# the last but one: all of erin's, but for the modulus, which is jane's
	{
		sealer dent "$ORG/keys/jane-1999.key" d p q dp dq qi n e
		sealer dent "$ORG/keys/erin-1999.key" "$ORG/keys/jane-1999.key"
		sealer dent "$ORG/keys/jane-1999.key" none
	} >dented
	while read -r i; do
		edits+=("2 s|open:.*|open:$i|")
	done <dented
	sealed_each "${edits[@]}"
	for i in 1 2 3 4 5 6 7 8 9; do
		drops 2 'private key is not whole (RFC 8017 section 3.2)' \
		    "${both[@]}" <$i.kms
	done
	# the other way to write a key is not at fault
	[[ $(line 10 dented) == "$(line 2 good.open | field open)" ]]
	accepts "${both[@]}" <10.kms
	# half of bob, half of eve: the number of one, the point of the other
	for who in bob eve; do
		openssl pkcs8 -topk8 -nocrypt -in "$who.key" -outform DER \
		    -out "$who.p8"
	done
	{ head -c 36 bob.p8; tail -c +37 eve.p8 | head -c 32; tail -c +69 bob.p8; } |
	    base64 -w 0 >chimera
	sealed "4 s|open:.*|open:$(<chimera)|" |
	    drops 4 'private key does not fit its public key' "${both[@]}"
}

@test "key: none, or nothing that could be one" {
	local i no='not a PKCS#8 private key (RFC 5208 section 5)'

	sealed '2 s/open:.*/open:/' | drops 2 'holds no key' "${both[@]}"
	openssl pkey -in bob.key -traditional -outform DER | base64 -w 0 >sec1
	line 4 good.open | field open | base64 -d >p8
	echo >>p8
	sealed_each '4 s/open:.*/open:QUJD/' "4 s|open:.*|open:$(<sec1)|" \
	    "4 s|open:.*|open:$(base64 -w 0 p8)|" \
	    "4 s|open:.*|open:$(head -c 100 p8 | base64 -w 0)|"
	for i in 1 2 3 4; do
		drops 4 "$no" "${both[@]}" <$i.kms
	done
}

@test "key: where there must be none" {
	local key at

	key=$(line 4 good.open | field open)
	for at in 3 5; do
		sealed "$at s|open:|&$key|" | drops "$at" \
		    'holds a key that it must not hold' "${both[@]}"
	done
}

@test "certificate: does not parse" {
	local at i no='not a DER certificate (RFC 5280 section 4.1)'

	for at in 2 3; do
		line "$at" good.open | field cert | base64 -d >der
		echo >>der
		sealed_each "$at s|\tcert:[^\t]*|\tcert:|" \
		    "$at s|\tcert:[^\t]*|\tcert:AAAA|" \
		    "$at s|\tcert:[^\t]*|\tcert:$(base64 -w 0 der)|" \
		    "$at s|\tcert:[^\t]*|\tcert:$(head -c 300 der | base64 -w 0)|" \
		    "$at s|\tcert:|&=|" "$at s|\tcert:[^\t]*|\tcert_b64:|"
		for i in 1 2 3 4; do
			drops "$at" "$no" "${both[@]}" <$i.kms
		done
		for i in 5 6; do
			drops "$at" 'cert is not base64' "${both[@]}" <$i.kms
		done
	done
}

@test "certificate: the record says something else of it" {
	local at i label value
	local -a lies

	for at in 2 3; do
		lies=()
		for label in sha1 sha256 spki serial; do
			# one digit more, one less, none, and upper case
			value=$(line "$at" good.open | field "$label")
			lies+=("$at s/\t$label:/&0/" "$at s/\t$label:./\t$label:/"
			    "$at s/\t$label:[^\t]*/\t$label:/"
			    "$at s/\t$label:[^\t]*/\t$label:A${value:1}/")
		done
		sealed_each "${lies[@]}"
		i=0
		for label in sha1 sha256 spki serial; do
			for _ in 1 2 3 4; do
				((++i))
				drops "$at" "$label is not that of the certificate in the record" "${both[@]}" <$i.kms
			done
		done
	done
	sealed '2 s/\tsha1:/\tsha1_b64:/' | drops 2 \
	    'sha1 is not that of the certificate in the record' "${both[@]}"
	# it is seen without -k as well
	sealed '3 s/\tsha1:/&0/' | drops 3 \
	    'sha1 is not that of the certificate in the record' -C kms.pem
}

# Parts ----------------------------------------------------------------------

@test "part: any records, in any order, with or without end" {
	local edit

	for edit in 2d 3d 2,4d 2,5d '5d; 6d' '2,6d' '6d'; do
		sed "$edit" good.kms >part
		accepts -P "${both[@]}" <part
		run_tool 2 kms-verify "${both[@]}" <part
	done
	accepts -P "${both[@]}" <good.kms
	{ line 1 good.kms; sed '1d; 6d' good.kms | tac; } >part
	accepts -P "${both[@]}" <part
	breaks 2 "n is 4, not 1: $order" "${both[@]}" <part
	{ cat part; line 6 good.kms; } | accepts -P "${both[@]}"
}

@test "part: each record at most once" {
	local i

	for i in 2 3 4 5; do
		{ head -n 5 good.kms; line "$i" good.kms; } |
		    breaks 6 "n $((i - 1)) appears twice" -P "${both[@]}"
	done
	# once more in another part of the stream is another matter
	cat good.kms good.kms | accepts -P "${both[@]}"
}

@test "part: several, of one stream and of others" {
	{
		head -n 3 good.kms
		line 1 good.kms
		sed -n '4,$ p' good.kms
		sed 3d self.kms
		head -n 1 other.kms
		cat good.kms
		sed 6d self.kms
	} >parts
	accepts -P "${both[@]}" -C ca.pem <parts
	breaks 4 'a stream starts before the end of the one before: it was cut, or is a part (-P)' "${both[@]}" <parts
	# each part has its own signer, and its own key
	{ head -n 3 good.kms; sed 1d self.kms | tail -n 3; } >parts
	run_tool 2 kms-verify -P "${both[@]}" <parts
	says "kms-verify: stdin:4: $(named 4 parts): $seal" \
	    "kms-verify: stdin:5: $(named 5 parts): $seal" \
	    "kms-verify: stdin:6: $impostor"
	head -n 3 parts | cmp - "$OUT"
	{
		sed 6d good.kms
		sealer seal ca.pem eve.pem eve.key <good.open
	} | breaks 6 "$untrusted" -P "${both[@]}"
}

@test "part: head and end are signed, records are sealed" {
	sed '1 s/2004/2005/' good.kms | breaks 1 "$unfit" -P "${both[@]}"
	sed '6 s/\tkeys:2/\tkeys:3/' good.kms |
	    breaks 6 "$unfit" -P "${both[@]}"
	sed '6 s/\tsig:.*/\tsig:/' good.kms |
	    breaks 6 'no signature' -P "${both[@]}"
	sed '4 s/bob/eve/' good.kms | drops 4 "$seal" -P "${both[@]}"
	sed 1d good.kms | breaks 1 "$plain" -P "${both[@]}"
}

@test "-k: a certificate that does not parse is refused, though its hashes fit" {
	/usr/bin/python3 - good.open >odd.open <<-'END'
	import base64, hashlib, sys

	for line in open(sys.argv[1]):
	    f = line.rstrip('\n').split('\t')
	    if f[0] == 'rec:cert':
	        at = [x.split(':')[0] for x in f].index('cert')
	        der = base64.b64decode(f[at][5:])
	        der = der.replace(b'\x17\x0d', b'\x1b\x0d', 1)
	        f[at] = 'cert:' + base64.b64encode(der).decode()
	        for i, x in enumerate(f):
	            for h in 'sha1', 'sha256':
	                if x.startswith(h + ':'):
	                    f[i] = h + ':' + hashlib.new(h, der).hexdigest()
	    print('\t'.join(f))
	END
	not cmp -s good.open odd.open
	seal <odd.open >odd.kms
	run_tool 1 kms-verify "${both[@]}" -r <odd.kms
	grep -q $'^rec:verdict\tn:2\t.*\tstatus:bad\treason:certificate' "$OUT"
	run_tool 1 kms-verify "${both[@]}" -j 2 <odd.kms
	[[ $(grep -c '^rec:cert' "$OUT") == 0 ]]
}

@test "-r: a user whose name fills the line is left out of the verdict" {
	awk 'BEGIN { printf "rec:x\tuser:"; for (i = 0; i < 262133; i++) printf "u"
	    print "" }' >long
	run_tool 2 kms-verify -r <long
	grep -q $'^rec:verdict\t.*\tuser:\t' "$OUT"
	not grep -q Success "$ERR"
}

@test "-P: numbers that were chosen to meet cost no more, and there is a ceiling" {
	# of the multiplication by which numbers were hashed once
	head -n 1 good.kms >many
	/usr/bin/python3 - >>many <<-'END'
	g = pow(0x9e3779b97f4a7c15, -1, 1 << 64)
	n, x, out = 0, 0, []
	while n < 2097153:
	    x += 1
	    at = ((x >> 20) << 42 | x & 0xfffff) * g & 0xffffffffffffffff
	    if 0 < at < 1 << 57:
	        n += 1
	        out.append('rec:x\tn:%d\tseal:\n' % (at << 6))
	print(''.join(out), end='')
	END
	run_tool 2 timeout 300 kms-verify -q -P "${both[@]}" <many
	says 'kms-verify: stdin:2097154: more than 2097152 scattered numbers n, the ceiling of a part: give it in several'
}
