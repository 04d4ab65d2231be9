# ca-recover(1): any one of the agents, damaged and swapped blobs, whose
# signature counts, recovery blobs of Windows.

load common
load ca

setup_file()
{
	local pem

	cd "$BATS_FILE_TMPDIR" || return 1
	org_archive .
	{
		for pem in "$ORG"/keys/*.pem; do
			printf '%s %s\n' "$(openssl x509 -in "$pem" \
			    -outform DER | sha1sum | cut -c -40)" "$pem"
		done
	} >pems
	cat "$ORG/ca.pem" "$ORG/ca.key" >ca-key.pem
	{
		ca-export -d ca.db >all.rec
		ca-export -d ca.db -s carol >carol.rec
		ca-export -d ca.db -k ca-key.pem -s carol >signed.rec
	} 2>>log
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/*.rec .
	kra1=(-k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw")
	kra2=(-k "$ORG/kra2.p12" -p "file:$ORG/kra2.pw")
}

# right COUNT: $OUT has as many keys; each is that of its certificate, and the
# one that org.bash made; openssl says so.
right()
{
	local sha1 pem n=0

	only key <"$OUT" >keys
	while read -r sha1; do
		((n += 1))
		sed -n "${n}p" keys | field key | base64 -d >key.der
		sed -n "${n}p" keys | field cert | base64 -d >cert.der
		pem=$(sed -n "s/^$sha1 //p" "$BATS_FILE_TMPDIR/pems")
		openssl x509 -in "$pem" -outform DER | cmp - cert.der || return
		openssl pkcs8 -topk8 -nocrypt -in "${pem%.pem}.key" \
		    -outform DER | cmp - key.der || return
	done < <(field sha1 <keys)
	((n == $1)) || {
		echo "$n keys, not $1" >&2
		return 1
	}
}

# row N: that record of all.rec, as a stream of its own, n put right.
row()
{
	sed -n "$1p" all.rec | sed 's/\tn:[0-9]*/\tn:1/'
}

# replaced LABEL FILE: the last field of the record on stdin.
replaced()
{
	sed "s|\t$1:.*|\t$1:$(base64 -w 0 <"$2")|"
}

# flip FILE OFFSET: change one bit.
flip()
{
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" |
	    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# fails N REASON ARG...: ca-recover refuses record N of stdin, the only one, of
# carol, for this reason, with exit 1; what comes out is a whole, empty stream.
fails()
{
	local n=$1 reason=$2

	shift 2
	run_tool 1 ca-recover "$@"
	says "ca-recover: stdin:$n: record $n, user carol: $reason"
	empty_stream
}

# empty_stream: in $OUT there is an `end' record only, and a right one.
empty_stream()
{
	diff <(closed </dev/null) "$OUT"
}

@test 'keeps the contract of filters' {
	filter_contract ca-recover "${kra1[@]}" <carol.rec
}

@test 'keeps it with signed records, too' {
	row 1 >one
	filter_contract ca-recover -C "$ORG/ca.pem" "${kra1[@]}" <signed.rec
}

@test 'usage: no key, an operand' {
	local usage='usage: ca-recover [-PqrVv] [-C cert]... -k cred'

	usage+=' [-p secret]...'
	refuses 2 "ca-recover: -k cred is missing: the key of a recovery agent
$usage" ca-recover <carol.rec
	refuses 2 "ca-recover: a.rec: no operand is expected (a file is given as <FILE)
$usage" ca-recover "${kra1[@]}" a.rec <carol.rec
}

@test 'a credential that is none' {
	refuses 2 "ca-recover: -k: $ORG/kra1.pem: no certificate with its \
private key in it" ca-recover -k "$ORG/kra1.pem" <carol.rec
	refuses 2 "ca-recover: -k: $ORG/kra1.p12: integrity check failed \
(wrong password or damaged file)" \
	    ca-recover -k "$ORG/kra1.p12" -p "file:$ORG/kra2.pw" <carol.rec
	refuses 2 'ca-recover: -k: no.p12: No such file or directory' \
	    ca-recover -k no.p12 <carol.rec
	refuses 2 'ca-recover: -C: no.pem: No such file or directory' \
	    ca-recover -C no.pem "${kra1[@]}" <carol.rec
	refuses 2 'ca-recover: -p: expected env:VAR, file:PATH, list:PATH, fd:N or tty' \
	    ca-recover -k "$ORG/kra1.p12" -p 'first agent' <carol.rec
}

@test 'any one of the agents recovers every key' {
	local at

	run_tool 0 ca-recover "${kra1[@]}" <all.rec
	right 23
	cp "$OUT" one
	run_tool 0 ca-recover "${kra2[@]}" <all.rec
	cmp one "$OUT"
	# from PEM, and both agents in one file
	cat "$ORG"/kra[12].{key,pem} >both.pem
	run_tool 0 ca-recover -k both.pem <all.rec
	cmp one "$OUT"
	# one row is that of a certificate without a key: no failure
	at=$(grep -n $'\tblob:$' all.rec | cut -d : -f 1)
	says "ca-recover: stdin:$at: \
record $at, user janet: no archived key in this row (CERTSRV_E_PROPERTY_EMPTY 0x80094004)"
}

@test 'the record is as in kms-record(5), the person as in the row' {
	local want='rec n group user mail guid serial issuer subject'

	want+=' not_before not_after version alg use spki sha1 sha256 source'
	want+=' cert key'
	sqlite3 "$BATS_FILE_TMPDIR/ca.db" '.backup ca.db'
	chmod 600 ca.db
	sqlite3 ca.db "update request set KmsGroup = 'another',
	    KmsUser = char(0x202e) || 'x', MailboxGuid = '{12-34}',
	    KmsMail = 'b' || char(92) where RequestID = 3"
	ca-export -d ca.db -s heidi 2>"$ERR" | sed 2,3d | closed >heidi.rec
	run_tool 0 ca-recover "${kra1[@]}" <heidi.rec
	only key <"$OUT" >recovered
	[[ $(tr '\t' '\n' <recovered | sed 's/:.*//; s/_b64$//' | paste -s -d ' ') == \
	    "$want" ]]
	diff - <(cut -f 3-6 recovered | tr '\t' '\n') <<-WANT
	group:another
	user_b64:$(printf '\xe2\x80\xaex' | base64)
	mail:b\\\\
	guid:{12-34}
	WANT
	[[ $(field source <recovered) == 'request 3' ]]
	[[ $(field version <recovered) == 1 && $(field use <recovered) == both &&
	    $(field alg <recovered) == RSA-768 ]]
	sed '$d' "$OUT" | closed | cmp - "$OUT"
}

@test 'an agent to whom nothing was encrypted' {
	local agents

	run_tool 1 ca-recover -k "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
	    <carol.rec
	# whose key would open them, the row says
	agents=$(field kra <carol.rec | head -n 1)
	[[ $agents == *"$(openssl x509 -in "$ORG/kra1.pem" -outform DER |
	    sha1sum | cut -c -40)"* ]]
	says "ca-recover: stdin:1: record 1, user carol: not encrypted to the KRA of -k: try another KRA (CRYPT_E_RECIPIENT_NOT_FOUND 0x8009100B): it is encrypted to $agents" \
	    "ca-recover: stdin:2: record 2, user carol: not encrypted to the KRA of -k: try another KRA (CRYPT_E_RECIPIENT_NOT_FOUND 0x8009100B): it is encrypted to $agents"
	empty_stream
	run_tool 1 ca-recover -q -k "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" <carol.rec
	says
	# the certificate of an agent with a key of another
	cat "$ORG/kra1.pem" "$ORG/kra2.key" >wrong.pem
	refuses 2 'ca-recover: -k: wrong.pem: no certificate with its private key in it' \
	    ca-recover -k wrong.pem <carol.rec
}

# one_agent_each: one.rec, rows whose agents take turns.
one_agent_each()
{
	cat "$ORG"/kra[12].pem |
	    ca-init -q -N 1 -c "$ORG/ca.pem" -d one.db >log 2>"$ERR"
	ca-setflag -d one.db KRAFlags 1 >log 2>"$ERR"
	ca-import -f -d one.db -k "$ORG/machine.p12" -p "file:$ORG/machine.pw" \
	    <"$BATS_FILE_TMPDIR/export.kms" >log 2>"$ERR"
	ca-export -d one.db >one.rec 2>"$ERR"
}

@test 'with KRACertCount 1 each key has one agent only' {
	local sum=0 n

	one_agent_each
	for n in 1 2; do
		run_tool 1 ca-recover -k "$ORG/kra$n.p12" \
		    -p "file:$ORG/kra$n.pw" <one.rec
		right "$(only key <"$OUT" | wc -l)"
		# that of `kra', and no other
		field sha1 <keys >got
		openssl x509 -in "$ORG/kra$n.pem" -outform DER | sha1sum |
		    cut -c -40 >kra
		grep -F $'\tkra:'"$(<kra)"$'\t' one.rec | field sha1 | cmp - got
		((sum += $(wc -l <got)))
	done
	((sum == 23))
}

# verdicts STATUS: those in $OUT, each as its count.
verdicts()
{
	only verdict <"$OUT" | field status | sort | uniq -c |
	    awk '{ print $1, $2 }' | paste -s -d ' '
}

@test '-r: a verdict for each row and agent, and no key' {
	local label n

	one_agent_each
	# in turn: what is for the other agent is no failure
	run_tool 0 ca-recover -qr "${kra1[@]}" <one.rec
	not grep -qE $'^rec:key|\tkey:' "$OUT"
	n=$(grep -c $'\tkra:'"$(openssl x509 -in "$ORG/kra1.pem" -outform DER |
	    sha1sum | cut -c -40)" one.rec)
	((n > 5 && n < 23))
	[[ $(verdicts) == "$((24 - n)) none $n ok" ]]
	diff "$ERR" - <<-SUM
	ca-recover: opened $n, not opened 0, no key for this agent $((24 - n))
	SUM
	# the fields of kms-record(5), and those of the row
	only verdict <"$OUT" | tr '\t' '\n' | sed 's/:.*//' | head -n 8 |
	    paste -s -d ' ' | diff - <(echo rec n user sha1 status reason id kra)
	for label in n id user sha1; do
		diff <(only verdict <"$OUT" | field "$label") \
		    <(only archived <one.rec | field "$label")
	done
	tail -n 1 "$OUT" | grep -q ^rec:end
	cp "$OUT" first.verdicts
	run_tool 0 ca-recover -qr "${kra2[@]}" <one.rec
	[[ $(verdicts) == "$((n + 1)) none $((23 - n)) ok" ]]
	# the report adds up
	{ ca-export -n -d one.db; cat first.verdicts "$OUT"; } 2>"$ERR" |
	    kms-report >page.html 2>"$ERR"
	grep -q '23 of 23, each key with each agent' page.html
	# one who is no agent of it opens nothing
	run_tool 1 ca-recover -qr -k "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" <one.rec
	[[ $(verdicts) == '24 none' ]]
}

@test '-r: what does not open is bad, and why' {
	run_tool 0 ca-recover -qr "${kra1[@]}" <all.rec
	[[ $(verdicts) == '1 none 23 ok' ]]
	# the blob of another row
	blob=$(sed -n 2p all.rec | field blob)
	{ sed -n 1p all.rec | sed "s|\tblob:.*|\tblob:$blob|"
	  sed -n 2p all.rec; } | closed >swapped
	run_tool 1 ca-recover -r "${kra1[@]}" <swapped
	[[ $(verdicts) == '1 bad 1 ok' ]]
	only verdict <"$OUT" | head -n 1 | field reason | grep -q 'does not decrypt'
	grep -qx 'ca-recover: opened 1, not opened 1, no key for this agent 0' "$ERR"
	# the row says that it is for this agent, and it is not
	sed -n 2p all.rec | sed "s/\tn:2/\tn:1/
	    s/\tkra:[^\t]*/\tkra:$(openssl x509 -in "$ORG/machine.pem" \
	    -outform DER | sha1sum | cut -c -40)/" | closed >liar
	run_tool 1 ca-recover -r -k "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" <liar
	[[ $(verdicts) == '1 bad' ]]
	refuses 2 'ca-recover: stdin: not archived records: -r tells of rows of an archive' \
	    ca-recover -r "${kra1[@]}" <"$ORG/kra1.pem"
}

@test 'it sums up: opened, not opened, without a key' {
	run_tool 0 ca-recover -q "${kra1[@]}" <all.rec
	diff "$ERR" <(echo 'ca-recover: opened 23, not opened 0, without an archived key 1')
	{ sed -n 1p all.rec | sed 's|\tblob:.*|\tblob:AAAA|'
	  sed -n 2p all.rec; } | closed >swapped
	run_tool 1 ca-recover -q "${kra1[@]}" <swapped
	diff "$ERR" <(echo 'ca-recover: opened 1, not opened 1, without an archived key 0')
}

@test 'a row without a key is said, the others come' {
	{ row 1; sed -n '/\tblob:$/s/\tn:[0-9]*/\tn:2/p' all.rec; row 2 |
	    sed 's/\tn:1/\tn:3/'; } | closed >mixed
	run_tool 0 ca-recover "${kra1[@]}" <mixed
	says 'ca-recover: stdin:2: record 2, user janet: no archived key in this row (CERTSRV_E_PROPERTY_EMPTY 0x80094004)'
	right 2
	# the list of ca-export -n has none at all
	sed '$d; s/\tblob:.*/\tblob:/' carol.rec | closed >list
	run_tool 1 ca-recover "${kra1[@]}" <list
	empty_stream
}

@test "another row's blob, swapped in, is not believed" {
	local n

	sed '$d' carol.rec | field blob >blobs
	for n in 1 2; do
		sed -n "$((3 - n))p" blobs | base64 -d >blob
		sed -n "${n}p" carol.rec | sed 's/\tn:2/\tn:1/' |
		    replaced blob blob | closed >swapped
		fails 1 'the archived key does not decrypt' "${kra1[@]}" \
		    <swapped
	done
	# all of the rest of that row, too, but not its certificate
	n=$(sed -n 2p carol.rec | sed 's/\tn:2/\tn:1/; s/\tcert:.*//')
	printf '%s\tcert:%s\tblob:%s\n' "$n" \
	    "$(sed -n 1p carol.rec | field cert)" "$(sed -n 2p blobs)" |
	    closed >swapped
	fails 1 'the archived key does not decrypt' "${kra1[@]}" <swapped
}

@test "another row's signed blob, swapped in, is not believed" {
	sed -n 2p signed.rec | field recovery | base64 -d >blob
	sed -n 1p signed.rec | replaced recovery blob | closed >swapped
	fails 1 'the recovery blob is of another certificate than the record' \
	    "${kra1[@]}" <swapped
	fails 1 'the recovery blob is of another certificate than the record' \
	    -C "$ORG/ca.pem" "${kra1[@]}" <swapped
}

@test 'padding, content and session key fail with one message' {
	local size at

	sed -n 2p carol.rec | field blob | base64 -d >envelope
	size=$(stat -c %s envelope)
	# the session key for the first agent: the first of 256 bytes
	openssl asn1parse -inform DER -in envelope | grep 'l= 256 prim: OCTET' |
	    head -n 1 | cut -d : -f 1 >offset
	for at in $((size - 1)) $((size - 16)) $((size - 17)) $((size - 300)) \
	    $((size - 1000)) $(($(<offset) + 4)) $(($(<offset) + 100)); do
		cp envelope bad
		flip bad "$at"
		sed -n 2p carol.rec | sed 's/\tn:2/\tn:1/' |
		    replaced blob bad | closed >damaged
		fails 1 'the archived key does not decrypt' "${kra1[@]}" \
		    <damaged
	done
	# the other agent's part is of no concern to this one
	run_tool 0 ca-recover "${kra2[@]}" < <(cp envelope bad
	    flip bad $(($(<offset) + 4)) && sed -n 2p carol.rec |
	    sed 's/\tn:2/\tn:1/' | replaced blob bad | closed)
	right 1
}

@test 'a wrong key under the right name fails with the same words' {
	local serial n

	# what the CA said of the agent, of another key
	serial=$(openssl x509 -in "$ORG/kra1.pem" -noout -serial)
	openssl req -new -newkey rsa:2048 -noenc -keyout twin.key \
	    -subj '/O=Example/CN=Recovery Agent 1' -out twin.csr 2>log
	openssl x509 -req -in twin.csr -CA "$ORG/ca.pem" \
	    -CAkey "$ORG/ca.key" -set_serial "0x${serial#*=}" \
	    -out twin.pem 2>log
	cat twin.pem twin.key >twin.cred
	sed -n 1p carol.rec | closed >one.rec
	# what is decrypted is random: now its padding is bad, now its content
	for n in 1 2 3 4 5; do
		fails 1 'the archived key does not decrypt' -k twin.cred <one.rec
	done
	sed -n 1p signed.rec | closed >one.rec
	fails 1 'the archived key does not decrypt' -k twin.cred <one.rec
}

@test 'a blob that is no EnvelopedData' {
	local wrong='not a CMS EnvelopedData (RFC 5652 section 6.1)'

	sed -n 1p carol.rec | field blob | base64 -d >envelope
	head -c -1 envelope >short
	{ cat envelope; echo; } >longer
	sed -n 1p signed.rec | field recovery | base64 -d >signed
	cp "$ORG/kra1.key" text
	for bad in short longer signed text; do
		sed -n 1p carol.rec | replaced blob "$bad" | closed >damaged
		fails 1 "$wrong" "${kra1[@]}" <damaged
	done
}

@test 'a record whose certificate is none' {
	sed -n 1p carol.rec | sed 's/\tcert:[^\t]*/\tcert:/' | closed >damaged
	fails 1 'no certificate in the record' "${kra1[@]}" <damaged
	sed -n 1p carol.rec | sed 's/\tcert:[^\t]*/\tcert:!/' | closed >damaged
	fails 1 'no certificate in the record' "${kra1[@]}" <damaged
}

@test 'a key that no BLOB holds is archived as PKCS#8, and comes back' {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -config <(printf '[req]\ndistinguished_name = dn\n[dn]\n') \
	    -subj /CN=ec -addext keyUsage=keyAgreement \
	    -keyout ec.key -out ec.pem 2>/dev/null
	new_archive
	record 1 ec ec.pem ec.key | sed 's/alg:RSA-512/alg:P-256/' | closed |
	    ca-import -fq -d ca.db >log 2>"$ERR"
	[[ $(rows ca.db 'select KeyFormat from request') == PKCS8 ]]
	ca-export -d ca.db >ec.rec 2>"$ERR"
	run_tool 0 ca-recover "${kra1[@]}" <ec.rec
	only key <"$OUT" | field key | base64 -d |
	    cmp - <(openssl pkcs8 -topk8 -nocrypt -in ec.key -outform DER)
}

@test '-C takes what the CA has signed' {
	run_tool 0 ca-recover -C "$ORG/ca.pem" "${kra1[@]}" <signed.rec
	right 2
	cp "$OUT" want
	run_tool 0 ca-recover -C "$ORG/kms.pem" -C "$ORG/ca.pem" "${kra1[@]}" \
	    <signed.rec
	cmp want "$OUT"
	# without -C the signature must still be right
	run_tool 0 ca-recover "${kra1[@]}" <signed.rec
	cmp want "$OUT"
}

@test '-C refuses what somebody else has signed' {
	sed -n 1p signed.rec | closed >one.rec
	fails 1 'the signature of the recovery blob is not right, or not of a certificate of -C' \
	    -C "$ORG/machine.pem" "${kra1[@]}" <one.rec
	# the same content, signed by the machine: without -C it is believed
	sed -n 1p one.rec | field recovery | base64 -d |
	    openssl cms -verify -binary -inform DER -noverify -out env \
	    2>/dev/null
	sed -n 1p one.rec | field cert | base64 -d |
	    openssl x509 -inform DER -out user.pem
	openssl cms -sign -binary -nodetach -nosmimecap -in env -outform DER \
	    -econtent_type pkcs7-envelopedData -signer "$ORG/machine.pem" \
	    -inkey "$ORG/machine.key" -certfile user.pem -out forged
	sed -n 1p one.rec | replaced recovery forged | closed >forged.rec
	fails 1 'the signature of the recovery blob is not right, or not of a certificate of -C' \
	    -C "$ORG/ca.pem" "${kra1[@]}" <forged.rec
	run_tool 0 ca-recover "${kra1[@]}" <forged.rec
	right 1
}

@test '-C believes no name that nobody has signed' {
	sed -n 1p signed.rec | sed 's/\tuser:[^\t]*/\tuser:mallory/
	    s/\tmail:[^\t]*/\tmail:mallory@example.com/' | closed >other.rec
	run_tool 0 ca-recover -C "$ORG/ca.pem" "${kra1[@]}" <other.rec
	right 1
	not grep -q mallory "$OUT"
	[[ $(only key <"$OUT" | field user) == "$(only key <"$OUT" |
	    field subject | sed 's/^CN=//; s/,.*//')" ]]
	# without -C it is as the record says
	run_tool 0 ca-recover "${kra1[@]}" <other.rec
	[[ $(only key <"$OUT" | field user) == mallory ]]
}

@test '-C: a blob that does not name its certificate has one of that CA' {
	local no="the recovery blob does not name the user's certificate, and opens with none that a CA of -C has issued: without -C it may"

	grep -m 1 'disposition:20' signed.rec >one
	field recovery <one | base64 -d | openssl cms -verify -binary \
	    -inform DER -noverify -out env 2>/dev/null
	field cert <one | base64 -d | openssl x509 -inform DER -out user.pem
	openssl x509 -in user.pem -noout -pubkey >pub.pem
	openssl req -x509 -newkey rsa:2048 -noenc -keyout x.key -subj /CN=x \
	    -out x.pem 2>/dev/null
	openssl x509 -new -CA x.pem -CAkey x.key -force_pubkey pub.pem \
	    -subj /CN=mallory -out mallory.pem
	for cert in user mallory; do
		openssl cms -sign -binary -nodetach -nosmimecap -in env \
		    -outform DER -econtent_type pkcs7-envelopedData \
		    -signer "$ORG/ca.pem" -inkey "$ORG/ca.key" \
		    -certfile "$cert.pem" -out "$cert.p7"
	done
	run_tool 0 ca-recover -C "$ORG/ca.pem" "${kra1[@]}" <user.p7
	right 1
	run_tool 1 ca-recover -C "$ORG/ca.pem" "${kra1[@]}" <mallory.p7
	says "ca-recover: stdin: $no"
	run_tool 0 ca-recover "${kra1[@]}" <mallory.p7
	[[ $(only key <"$OUT" | field user) == mallory ]]
}

@test '-C refuses what nobody has signed' {
	sed -n 1p carol.rec | closed >one.rec
	fails 1 'not signed, and -C wants that: export it with ca-export -k' \
	    -C "$ORG/ca.pem" "${kra1[@]}" <one.rec
}

@test 'signed data without a signer is not signed' {
	local wrong='the signature of the recovery blob is not right'

	openssl asn1parse -noout -out unsigned -genconf <(
		cat <<-CONF
		asn1 = SEQUENCE:info
		[info]
		type = OID:pkcs7-signedData
		content = EXPLICIT:0, SEQUENCE:signed
		[signed]
		version = INTEGER:3
		digests = SET:digests
		content = SEQUENCE:content
		signers = SET
		[digests]
		digest = SEQUENCE:digest
		[digest]
		name = OID:sha256
		[content]
		type = OID:pkcs7-envelopedData
		content = EXPLICIT:0, FORMAT:HEX, OCTETSTRING:$(sed -n 1p \
		    carol.rec | field blob | base64 -d | basenc -w 0 --base16)
		CONF
	)
	openssl cms -cmsout -inform DER -in unsigned -noout
	sed -n 1p signed.rec | replaced recovery unsigned | closed >one.rec
	fails 1 "$wrong" "${kra1[@]}" <one.rec
	fails 1 "$wrong, or not of a certificate of -C" -C "$ORG/ca.pem" \
	    "${kra1[@]}" <one.rec
}

@test 'a signed blob that was altered' {
	local size at

	sed -n 1p signed.rec | field recovery | base64 -d >blob
	size=$(stat -c %s blob)
	# in the signature, in the signed attributes, in the content
	openssl cms -verify -binary -inform DER -in blob -noverify \
	    -out env 2>/dev/null
	openssl asn1parse -inform DER -in blob |
	    grep -A 2 ':1\.3\.6\.1\.4\.1\.311\.21\.16$' | tail -n 1 |
	    cut -d : -f 1 >attr
	for at in $((size - 1)) $(($(<attr) + 2)) 500; do
		cp blob bad
		flip bad "$at"
		sed -n 1p signed.rec | replaced recovery bad | closed >damaged
		fails 1 'the signature of the recovery blob is not right' \
		    "${kra1[@]}" <damaged
	done
	cp env bad
	sed -n 1p signed.rec | replaced recovery bad | closed >damaged
	fails 1 'not a recovery blob: CMS SignedData (RFC 5652 section 5.1) around the archived key' \
	    "${kra1[@]}" <damaged
}

@test 'a selection needs -P' {
	grep -E $'^rec:end|\tuser:jane\t' all.rec >part
	refuses 2 'ca-recover: stdin:1: n is 11, not 1: records are missing, repeated or out of order (or this is a part: -P)' \
	    ca-recover "${kra1[@]}" <part
	run_tool 0 ca-recover -P "${kra1[@]}" <part
	right 4
	only key <"$OUT" | field n | diff <(seq 4) -
	# without end, in any order
	sed '$d' part | tac >part2
	run_tool 0 ca-recover -P "${kra1[@]}" <part2
	right 4
	run_tool 2 ca-recover "${kra1[@]}" < <(sed '$d' carol.rec)
	says 'ca-recover: stdin:3: no end record: the stream was cut: fetch it whole, or take what is there with -P'
	# what came before was whole, but is not said to be all
	right 2
	not grep -q ^rec:end "$OUT"
}

@test 'streams one after the other' {
	cat carol.rec signed.rec carol.rec >three
	run_tool 0 ca-recover "${kra1[@]}" <three
	right 6
	only key <"$OUT" | field n | diff <(seq 6) -
	[[ $(grep -c ^rec:end "$OUT") == 1 ]]
}

@test 'unknown labels and types do no harm' {
	sed '$d; s/$/\tnew:field/' carol.rec |
	    sed '1i\rec:later\tx:y' | sed '2s/\tn:1/\tn:2/; 3s/\tn:2/\tn:3/' |
	    closed >later
	run_tool 0 ca-recover "${kra1[@]}" <later
	right 2
}

@test 'refuses a terminal before it reads' {
	mkfifo fifo
	exec 8<>fifo
	# nothing will ever come from there
	run_tool 2 script -qec "ca-recover ${kra1[*]} <&8" /dev/null </dev/null
	sed 's,\r,,g; s,\x1b\[K,,' "$OUT" | diff - <(echo "ca-recover: standard output is a \
terminal and would show clear keys: send it to a file or a pipe")
	run_tool 0 script -qec "ca-recover ${kra1[*]} <carol.rec >here" \
	    /dev/null </dev/null
	tr -d '\r' <"$OUT" |
	    diff - <(echo 'ca-recover: opened 2, not opened 0, without an archived key 0')
	run_tool 0 ca-recover "${kra1[@]}" <carol.rec
	cmp here "$OUT"
	# a file that others can read is warned of
	(umask 022 && ca-recover "${kra1[@]}" <carol.rec >open 2>"$ERR")
	says 'ca-recover: warning: standard output holds clear keys, and others can read it: run chmod 600 on it (umask 077)'
	cmp open "$OUT"
}

@test 'what is neither a stream nor a blob' {
	local none='ca-recover: stdin: not a recovery blob: CMS SignedData'

	none+=' (RFC 5652 section 5.1) around the archived key'
	printf 'hello\n' >text
	head -c 5000 /dev/zero >zero
	head -c 100000 "$(command -v ca-recover)" >binary
	printf 0 >short
	openssl x509 -in "$ORG/ca.pem" -outform DER -out cert.der
	for file in text zero binary short cert.der "$ORG/kra1.key" \
	    "$ORG/ca.pem" "$ORG/kms-backup.zip"; do
		run_tool 1 ca-recover "${kra1[@]}" <"$file"
		says "$none"
		empty_stream
	done
	refuses 2 'ca-recover: stdin: empty input: expected archived records or a recovery blob' \
	    ca-recover "${kra1[@]}" </dev/null
}

@test 'our own recovery blob, bare, DER and PEM' {
	sed -n 2p signed.rec | field recovery | base64 -d >der
	openssl cms -cmsout -inform DER -in der -outform PEM -out pem
	{
		echo 'From: the certificate manager'
		sed 's/ CMS-/ PKCS7-/' pem
	} >pem7
	for file in der pem pem7; do
		run_tool 0 ca-recover -C "$ORG/ca.pem" "${kra2[@]}" <"$file"
		says
		right 1
		[[ $(only key <"$OUT" | field source) == stdin ]]
		[[ $(only key <"$OUT" | cut -f 3-6) == \
		    $'group:North America\tuser:carol\tmail:carol@example.com\tguid:' ]]
	done
	# several in one file, as cat makes it
	cat pem pem7 pem >three
	run_tool 0 ca-recover "${kra2[@]}" <three
	right 3
	{ cat pem; head -n 9 pem; } >half
	run_tool 1 ca-recover "${kra2[@]}" <half
	says 'ca-recover: stdin: PEM block 2 is damaged'
	right 1
}

# synthetic: the corpus, with the credentials of its agents.
synthetic()
{
	local n

	need_shared corpora/synthetic-ca
	# shellcheck disable=SC2154 # common.bash sets it
	syn=$shared/corpora/synthetic-ca
	for n in 1 2; do
		cat "$syn/kra$n.crt" "$syn/kra$n.key" >"syn$n.pem"
	done
}

@test 'recovery blobs of the documented Windows shape' {
	local file n count=0

	synthetic
	openssl pkey -in "$syn/user.key" -outform DER >want
	for file in "$syn"/recovery-blob.*.p7; do
		((count += 1))
		openssl cms -cmsout -inform DER -in "$file" -outform PEM -out pem
		for n in 1 2; do
			run_tool 0 ca-recover -C "$syn/ca.crt" -k "syn$n.pem" \
			    <"$file"
			says
			cp "$OUT" out
			[[ $(only key <out | wc -l) == 1 ]]
			only key <out | field key | base64 -d |
			    openssl pkey -inform DER -outform DER | cmp - want
			only key <out | field cert | base64 -d |
			    cmp - <(openssl x509 -in "$syn/user.crt" -outform DER)
			run_tool 0 ca-recover -k "syn$n.pem" <pem
			cmp out "$OUT"
		done
	done
	((count == 4))
}

@test 'a Windows blob: signed by somebody else, not for us, cut anywhere' {
	local file

	synthetic
	file=$syn/recovery-blob.msblob.aes256.p7
	run_tool 1 ca-recover -C "$syn/user.crt" -k syn1.pem <"$file"
	says 'ca-recover: stdin: the signature of the recovery blob is not right, or not of a certificate of -C'
	empty_stream
	run_tool 1 ca-recover -C "$syn/ca.crt" "${kra1[@]}" <"$file"
	says 'ca-recover: stdin: not encrypted to the KRA of -k: try another KRA (CRYPT_E_RECIPIENT_NOT_FOUND 0x8009100B)'
	empty_stream
	# what is inside, without its signature
	run_tool 1 ca-recover -k syn1.pem <"$syn/raw-archived-key.msblob.des3.env"
	says 'ca-recover: stdin: not a recovery blob: CMS SignedData (RFC 5652 section 5.1) around the archived key'
	empty_stream
	cut_contract "$file" ca-recover -k syn1.pem
}
