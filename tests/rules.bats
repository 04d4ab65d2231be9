#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash
#
# The rules of a Windows CA, ca-db(5): each row of the table has a test here,
# `rule: ' and its name.

load common
load ca
load p12

# new.db has both agents and takes foreign certificates; full.db has all of both
# backups.
setup_file()
{
	export MADE=$BATS_FILE_TMPDIR
	cd "$MADE" || return
	org_archive .
	mv ca.db full.db
	new_archive new.db
	cat "$ORG/ca.pem" "$ORG/ca.key" >ca-key.pem
}

setup()
{
	common_setup
	cp "$MADE/new.db" ca.db
}

# reasons FILE: status and reason of each result.
reasons()
{
	only result <"$1" | awk -F '\t' '{ sub(/^status:/, "", $3)
	    sub(/^reason:/, "", $9); print $3 ": " $9 }'
}

# imports STATUS ARG...: the records on stdin, closed.
imports()
{
	closed >in.rec
	run_tool "$1" ca-import -d ca.db "${@:2}" <in.rec
}

# full SQL: what full.db says.
full()
{
	rows "$MADE/full.db" "$1"
}

# envelope DB ID: the archived key of that row.
envelope()
{
	rows "$1" "SELECT hex(RawArchivedKey) FROM request
	    WHERE RequestID = $2" | xxd -r -p
}

# recovery: the recovery blob of the only row.
recovery()
{
	ca-export -d ca.db -k "$MADE/ca-key.pem" 2>log |
	    field recovery | base64 -d
}

@test 'each rule of the page has its test, and each test its rule' {
	# shellcheck disable=SC2154 # common.bash sets it
	awk '/^\.Ss Rules/ { on = 1; next } /^\.S[hs]/ { on = 0 }
	    on && /^\.It / { print substr($0, 5) }' "$root/man/ca-db.5" |
	    sort >rules
	[[ $(wc -l <rules) -ge 30 ]]
	sed -n "s/^@test 'rule: \(.*\)' {\$/\1/p" "$BATS_TEST_FILENAME" |
	    sort | diff rules -
	# and says whether it is followed
	awk '/^\.Ss Rules/ { on = 1; next } /^\.S[hs]/ { on = 0 }
	    on && want && !/^(Followed|Departed|Not said there)/ { bad = 1 }
	    on { want = /^\.It / } END { exit bad }' "$root/man/ca-db.5"
}

# ImportCertificate -----------------------------------------------------------

@test 'rule: DER certificate' {
	{
		user 1 bob-1999 | sed 's/cert:MII/cert:AAA/'
		user 2 bob-1999 | sed 's/\tcert:[^\t]*/\tcert:MAA=/'
	} | imports 1 -f
	reasons "$OUT" | sort -u | diff - <(echo 'refused: not a DER certificate (RFC 5280 section 4.1) (ERROR_INVALID_DATA 0x8007000D)')
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 0 ]]
}

@test 'rule: signature of the CA' {
	# another key under the name of the CA, as after a renewal
	openssl req -x509 -newkey rsa:1024 -noenc -days 30 -keyout older.key \
	    -subj '/O=Example/CN=Example CA' -out older.pem 2>log
	openssl x509 -new -CA older.pem -CAkey older.key -subj /CN=older \
	    -force_pubkey <(openssl pkey -in "$ORG/keys/bob-1999.key" -pubout) \
	    -out signed.pem
	{
		user 1 judy-2003
		record 2 older signed.pem "$ORG/keys/bob-1999.key"
	} | imports 0 -f
	[[ $(rows ca.db 'SELECT group_concat(Disposition) FROM request') == \
	    20,12 ]]
	diff <(full "SELECT count(*) FROM request WHERE Disposition = 20") \
	    <(awk -F '\t' '$2 == "key" && $10 == "ca"' "$ORG/ledger" | wc -l)
}

@test 'rule: serial number' {
	# a CA that gives one number twice
	openssl x509 -in "$ORG/keys/judy-2003.pem" -noout -serial >serial
	openssl x509 -new -CA "$ORG/ca.pem" -CAkey "$ORG/ca.key" \
	    -force_pubkey <(openssl pkey -in "$ORG/keys/bob-1999.key" -pubout) \
	    -set_serial "0x$(sed 's/.*=//' serial)" -subj /CN=twin -out twin.pem
	# and another CA that gives it, too
	openssl x509 -new -CA "$ORG/kms.pem" -CAkey "$ORG/kms.key" \
	    -force_pubkey <(openssl pkey -in "$ORG/keys/bob-1999.key" -pubout) \
	    -set_serial "0x$(sed 's/.*=//' serial)" -subj /CN=other \
	    -out other.pem
	{
		user 1 judy-2003
		record 2 twin twin.pem "$ORG/keys/bob-1999.key"
		record 3 other other.pem "$ORG/keys/bob-1999.key"
		user 4 judy-2003
	} | closed >four.rec
	run_tool 1 ca-import -f -d ca.db <four.rec
	reasons "$OUT" | diff - <(cat <<-'END'
	imported: 
	refused: row 1 has another certificate of this CA with this serial number (ERROR_OBJECT_ALREADY_EXISTS 0x80071392)
	imported: 
	present: 
	END
	)
	[[ $(rows ca.db 'SELECT count(*), count(DISTINCT SerialNumber)
	    FROM certificate') == '2|1' ]]
	whole ca.db
}

@test 'a serial number of somebody else under the name of the CA' {
	openssl x509 -in "$ORG/keys/judy-2003.pem" -noout -serial >serial
	openssl req -x509 -newkey rsa:1024 -noenc -days 30 -keyout false.key \
	    -subj '/O=Example/CN=Example CA' -out false.pem 2>log
	openssl x509 -new -CA false.pem -CAkey false.key -subj /CN=false \
	    -force_pubkey <(openssl pkey -in "$ORG/keys/bob-1999.key" -pubout) \
	    -set_serial "0x$(sed 's/.*=//' serial)" -out signed.pem
	{
		record 1 false signed.pem "$ORG/keys/bob-1999.key"
		user 2 judy-2003
	} | imports 0 -f
	[[ $(rows ca.db 'SELECT count(*), count(DISTINCT IssuerName ||
	    SerialNumber), group_concat(Disposition) FROM certificate
	    JOIN request USING (RequestID)') == '2|1|12,20' ]]
}

@test 'rule: repeated import' {
	user 1 judy-2003 | imports 0
	contents ca.db >before
	{ user 1 judy-2003; record 2 judy "$ORG/keys/judy-2003.pem"; } |
	    imports 0
	[[ $(statuses "$OUT" | xargs) == 'present 1 present 1' ]]
	contents ca.db | cmp before -
}

@test 'rule: ICF_EXISTINGROW' {
	record 1 judy "$ORG/keys/judy-2003.pem" | imports 0
	user 1 judy-2003 | imports 0
	[[ $(statuses "$OUT") == 'updated 1' ]]
	[[ $(rows ca.db 'SELECT count(*), count(RawArchivedKey)
	    FROM request') == '1|1' ]]
}

@test 'rule: foreign certificate' {
	user 1 bob-1999 | imports 1
	reasons "$OUT" | diff - <(echo 'refused: not issued by the CA of the archive: -f imports foreign certificates (CERT_E_ISSUERCHAINING 0x800B0107)')
	user 1 bob-1999 | imports 0 -f
	[[ $(rows ca.db 'SELECT Disposition FROM request') == 12 ]]
	user 1 bob-1999 | imports 0
	[[ $(statuses "$OUT") == 'present 1' ]]
}

@test 'rule: KRAF_ENABLEFOREIGN' {
	ca-setflag -d ca.db KRAFlags -KRAF_ENABLEFOREIGN >log 2>&1
	user 1 bob-1999 | imports 1 -f
	reasons "$OUT" | diff - <(echo 'refused: not issued by the CA of the archive, and KRAF_ENABLEFOREIGN is not set: run ca-setflag -d DB KRAFlags +KRAF_ENABLEFOREIGN (CERT_E_ISSUERCHAINING 0x800B0107)')
	ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >log 2>&1
	user 1 bob-1999 | imports 0 -f
}

@test 'rule: foreign look-up' {
	local name

	# two CAs that gave the number 7
	for name in one two; do
		openssl req -x509 -key "$ORG/keys/bob-1999.key" -days 30 \
		    -subj "/CN=$name" -set_serial 7 -out "$name.pem"
	done
	{
		record 1 one one.pem "$ORG/keys/bob-1999.key"
		record 2 two two.pem "$ORG/keys/bob-1999.key"
		record 3 one one.pem "$ORG/keys/bob-1999.key"
	} | imports 0 -f
	[[ $(statuses "$OUT" | xargs) == 'imported 1 imported 2 present 1' ]]
}

@test 'rule: columns of request' {
	local id

	openssl req -x509 -key "$ORG/keys/bob-1999.key" -days 30 -out mail.pem \
	    -subj '/O=Org/OU=Unit/L=City/CN=Name/emailAddress=old@example.com'
	{
		user 1 judy-2003
		record 2 mail mail.pem "$ORG/keys/bob-1999.key"
	} | imports 0 -f -R 'DOMAIN\asker'
	for id in 1 2; do
		rows ca.db "SELECT StatusCode, Disposition, RequesterName,
		    CallerName, CommonName, OrgUnit, Organization, EMail,
		    DistinguishedName, SubmittedWhen = ResolvedWhen
		    FROM request WHERE RequestID = $id"
	done | diff - <(cat <<-END
	0|20|DOMAIN\\asker|$(id -un)|judy|Europe|Example|judy@example.com|CN=judy,CN=Recipients,OU=Europe,O=Example|1
	0|12|DOMAIN\\asker|$(id -un)|Name|Unit|Org|old@example.com|emailAddress=old@example.com,CN=Name,L=City,OU=Unit,O=Org|1
	END
	)
	# in sequence
	full 'SELECT RequestID FROM request ORDER BY CertAudit, RequestID' |
	    awk '$1 != NR { exit 1 }'
}

@test 'rule: columns of certificate' {
	local der=judy.der pub ski

	user 1 judy-2003 | imports 0
	openssl x509 -in "$ORG/keys/judy-2003.pem" -outform DER -out "$der"
	openssl x509 -in "$ORG/keys/judy-2003.pem" -noout -pubkey |
	    openssl pkey -pubin -outform DER >spki
	# openssl's words for the same
	pub=$(openssl asn1parse -inform DER -in spki -strparse 19 -noout \
	    -out - | xxd -p -c 0)
	ski=$(openssl x509 -in "$ORG/keys/judy-2003.pem" -noout \
	    -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :\n')
	[[ -n $ski ]] ||
	    ski=$(xxd -r -p <<<"$pub" | sha1sum | cut -c -40)
	rows ca.db 'SELECT lower(hex(RawCertificate)), CertificateHash,
	    SerialNumber, NotBefore, NotAfter, lower(hex(RawPublicKey)),
	    PublicKeyLength, PublicKeyAlgorithm,
	    lower(hex(RawPublicKeyAlgorithmParameters)), SubjectKeyIdentifier
	    FROM certificate' | tr '|' '\n' | diff - <(cat <<-END
	$(xxd -p -c 0 "$der")
	$(sha1sum <"$der" | cut -c -40)
	$(openssl x509 -in "$ORG/keys/judy-2003.pem" -noout -serial |
	    sed 's/.*=//' | tr A-F a-f)
	2003-07-01T00:00:00Z
	2005-01-01T00:00:00Z
	$pub
	2048
	1.2.840.113549.1.1.1
	0500
	${ski,,}
	END
	)
}

# big SIZE: a certificate of the key of bob, of so many bytes, in big.pem.
big()
{
	local n=$(($1 - 700)) size

	while :; do
		openssl req -x509 -key "$ORG/keys/bob-1999.key" -subj /CN=big \
		    -addext "nsComment=$(printf "%${n}s" | tr ' ' x)" \
		    -set_serial 77 -days 30 -out big.pem
		size=$(openssl x509 -in big.pem -outform DER | wc -c)
		((size != $1)) || break
		((n += $1 - size))
	done
}

@test 'rule: size of a certificate' {
	big 16384
	record 1 big big.pem "$ORG/keys/bob-1999.key" | closed >most.rec
	run_tool 0 ca-import -f -d ca.db <most.rec
	[[ $(rows ca.db 'SELECT length(RawCertificate) FROM certificate') == \
	    16384 ]]
	big 16385
	rm "$BATS_FILE_TMPDIR/big.pem" # what `record' noted of the other
	record 1 big2 big.pem "$ORG/keys/bob-1999.key" | closed >more.rec
	run_tool 1 ca-import -f -d ca.db <more.rec
	reasons "$OUT" | diff - <(echo 'refused: a certificate of 16385 bytes, and a CA keeps 16384 (ERROR_INVALID_DATA 0x8007000D)')
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 1 ]]
}

# ImportKey -------------------------------------------------------------------

@test 'rule: key and certificate' {
	openssl rsa -in "$ORG/keys/bob-1999.key" -outform DER -traditional \
	    -out whole 2>log
	# the last byte of q^-1 mod p
	p8 "$ORG/keys/bob-1999.key" | head -c -1 >dented
	printf '\x01' >>dented
	{
		record 1 bob "$ORG/keys/bob-1999.pem" "$ORG/keys/judy-2003.key"
		record 2 bob "$ORG/keys/bob-1999.pem" dented
	} | imports 1 -f
	reasons "$OUT" | diff - <(cat <<-'END'
	refused: private key does not belong to the certificate (ERROR_INVALID_PARAMETER 0x80070057)
	refused: private key is not whole (RFC 8017 section 3.2) (ERROR_INVALID_PARAMETER 0x80070057)
	END
	)
}

@test 'rule: row of a key' {
	# certificate and key of a row are of one commit, but where it was there
	[[ $(full 'SELECT count(*) FROM request WHERE CertAudit <> KeyAudit') == 0 ]]
	[[ $(full 'SELECT count(*) FROM request WHERE KeyAudit IS NOT NULL') == 23 ]]
}

@test 'rule: IKF_OVERWRITE' {
	local option

	user 1 bob-1999 | imports 0 -f
	contents ca.db >before
	for option in -f -fv -fn; do
		user 1 bob-1999 | imports 0 "$option"
		[[ $(statuses "$OUT") == 'present 1' ]]
	done
	contents ca.db | cmp before -
}

@test 'rule: envelope to the CA' {
	grep -m 1 ^rec:key "$MADE/export.kms" >line
	field seal <line | base64 -d >sealed
	not openssl cms -cmsout -inform DER -in sealed -noout 2>log
	# the lockbox is to the machine, which is no exchange certificate
	field lockbox <"$MADE/export.kms" | head -n 1 | base64 -d |
	    openssl cms -decrypt -binary -inform DER -recip "$ORG/machine.pem" \
	    -inkey "$ORG/machine.key" -out key
	[[ $(stat -c %s key) == 32 ]]
}

@test 'rule: signing keys' {
	user 1 carol-1999s | imports 0 -f
	reasons "$OUT" | diff - <(echo 'ignored: signing certificate: only encryption keys are archived')
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 0 ]]
	[[ $(full "SELECT count(*) FROM certificate WHERE CertificateHash IN
	    ('$(awk -F '\t' '$2 == "sign" { print $3 }' "$ORG/ledger" |
	    paste -s -d x | sed "s/x/','/g")')") == 0 ]]
}

# Archiving -------------------------------------------------------------------

@test 'rule: no agent' {
	user 1 carol-1999 | closed >two.rec
	rows ca.db 'DELETE FROM kra'
	refuses_import 'the archive has no KRA: store one with ca-init (CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED 0x8009400A)'
}

# refuses_import PATTERN: two.rec stops it with this message, and nothing changes.
refuses_import()
{
	contents ca.db >before
	run_tool 2 ca-import -f -d ca.db <two.rec
	nothing_out ca-import
	tail -n 1 "$ERR" | grep -x "ca-import: $1"
	contents ca.db | cmp before -
}

@test 'rule: number of agents' {
	user 1 carol-1999 | closed >two.rec
	ca-setflag -d ca.db KRACertCount 2 >log 2>&1
	rows ca.db 'DELETE FROM kra WHERE KraID = 2'
	refuses_import 'KRACertCount is 2, and the archive has 1 KRAs: run ca-setflag -d DB KRACertCount 0 (CERTSRV_E_NO_VALID_KRA 0x8009400B)'
	ca-setflag -d ca.db KRACertCount 0 >log 2>&1
	run_tool 0 ca-import -f -d ca.db <two.rec
	# 0 is all of them, 1 is one
	cp "$MADE/new.db" ca.db
	run_tool 0 ca-import -f -d ca.db <two.rec
	ca-setflag -d ca.db KRACertCount 1 >log 2>&1
	user 1 judy-2003 | imports 0
	[[ $(rows ca.db "SELECT length(KeyRecoveryHashes) FROM request
	    ORDER BY RequestID" | xargs) == '119 59' ]]
}

@test 'rule: choice of agents' {
	local kra1 kra2

	ca-setflag -d ca.db KRACertCount 1 >log 2>&1
	{
		user 1 judy-2003
		user 2 carol-2003
		user 3 grace-2003
	} | imports 0
	kra1=$(openssl x509 -in "$ORG/kra1.pem" -outform DER | sha1sum |
	    cut -c -40)
	kra2=$(openssl x509 -in "$ORG/kra2.pem" -outform DER | sha1sum |
	    cut -c -40)
	only result <"$OUT" | field kra | diff - <(printf '%s\n' "$kra1" \
	    "$kra2" "$kra1")
}

@test 'rule: agents that are not valid' {
	load org
	org_setup old
	cp "$ORG"/ca.{pem,key} old
	org_issue expired 2048 3 ca 20030101 20040101 ca_kra /CN=expired
	refuses 1 'ca-init: KRA CN=expired: expired (-f accepts it all the same); nothing was written (CERTSRV_E_NO_VALID_KRA 0x8009400B)' \
	    ca-init -d old.db -c "$ORG/ca.pem" <old/keys/expired.pem
	ca-init -f -d ca.db <old/keys/expired.pem >log 2>&1
	user 1 judy-2003 | imports 0
	grep -qx 'ca-import: warning: KRA CN=expired, forced: expired' "$ERR"
	[[ $(only result <"$OUT" | field kra | wc -w) == 3 ]]
	# unless it is pinned
	user 1 carol-2003 | imports 2 -t "$(openssl x509 -in "$ORG/kra1.pem" \
	    -outform DER | sha1sum | cut -c -40)"
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 1 ]]
}

@test 'rule: recipients' {
	envelope "$MADE/full.db" 1 >env.p7
	openssl cms -cmsout -print -noout -inform DER -in env.p7 >print
	grep -c 'd.issuerAndSerialNumber' print | grep -qx 2
	not grep -q subjectKeyIdentifier print
	grep -A 1 keyEncryptionAlgorithm print | grep -c 'rsaEncryption' |
	    grep -qx 2
}

@test 'rule: cipher' {
	envelope "$MADE/full.db" 1 >env.p7
	openssl cms -cmsout -print -noout -inform DER -in env.p7 |
	    grep -A 1 contentEncryptionAlgorithm | grep -q aes-256-cbc
}

@test 'rule: content' {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -subj /CN=ec -days 30 -keyout ec.key -out ec.pem 2>log
	{ user 1 judy-2003; record 2 ec ec.pem ec.key; } | imports 0 -f
	[[ $(rows ca.db 'SELECT group_concat(KeyFormat) FROM request') == \
	    MSBLOB,PKCS8 ]]
	for id in 1 2; do
		envelope ca.db "$id" | openssl cms -decrypt -binary \
		    -inform DER -recip "$ORG/kra1.pem" -inkey "$ORG/kra1.key" \
		    -out "content.$id"
	done
	# PRIVATEKEYBLOB, version 2, CALG_RSA_KEYX
	[[ $(xxd -p -l 8 content.1) == 0702000000a40000 ]]
	openssl pkey -inform DER -in content.2 -noout
}

@test 'rule: KeyRecoveryHashes' {
	for pem in "$ORG"/kra[12].pem; do
		openssl x509 -in "$pem" -noout -fingerprint -sha1 |
		    sed 's/.*=//; s/:/ /g' | tr A-F a-f
	done | head -c -1 >want
	full "SELECT hex(KeyRecoveryHashes) FROM request WHERE RequestID = 1" |
	    xxd -r -p | cmp - want
}

# agents N: the archive has so many more, all of them agent.pem.
agents()
{
	rows ca.db "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL
	    SELECT i + 1 FROM n WHERE i < $1) INSERT INTO kra
	    (CertificateHash, Sha256, RawCertificate, AddedWhen, AuditID)
	    SELECT i, hex(randomblob(32)), x'$(openssl x509 -in agent.pem -outform DER |
	    xxd -p -c 0)', '', 1 FROM n"
}

@test 'rule: size of an archived key' {
	local ou

	cp "$ORG/kra1.pem" agent.pem
	agents 66
	user 1 bob-1999 | closed >one.rec
	user 1 carol-1999 | closed >two.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	[[ $(rows ca.db 'SELECT length(KeyRecoveryHashes) FROM request') == \
	    $((68 * 60 - 1)) ]]
	agents 1
	refuses_import 'a key for 69 KRAs, and a CA keeps 68 hashes: run ca-setflag -d DB KRACertCount 68'
	# agents of a CA with a very long name
	cp "$MADE/new.db" ca.db
	ou=$(printf "/OU=%060d" {1..13} | tr -d '\n')
	openssl req -x509 -key "$ORG/kra1.key" -subj "$ou" -days 30 \
	    -out agent.pem
	run_tool 0 ca-init -f -d ca.db <agent.pem
	agents 59
	refuses_import 'stdin:1: an archived key of [0-9]* bytes, and a CA keeps 65536: encrypt it to fewer KRAs (ca-setflag -d DB KRACertCount N)'
	ca-setflag -d ca.db KRACertCount 40 >log 2>&1
	run_tool 0 ca-import -f -d ca.db <two.rec
	(($(rows ca.db 'SELECT length(RawArchivedKey) FROM request') < 65536))
}

# One record must not keep the others out, run after run.
@test 'a key with attributes that are larger than an archived key' {
	local p8

	openssl pkey -in "$BATS_TEST_DIRNAME/data/rsa-unlike.pem" -out unlike.key
	openssl req -x509 -key unlike.key -days 30 -subj /CN=unlike \
	    -out unlike.pem
	p8 unlike.key >unlike.p8
	# its length, version, algorithm and key, then [0] of friendlyName
	p8=$(tail -c +5 unlike.p8 | xxd -p -c 0)
	tlv 30 "$p8" "$(tlv a0 "$(name "$(printf '%0140000d' 0)")")" |
	    xxd -r -p >large.p8
	{
		user 1 judy-2003
		record 2 unlike unlike.pem large.p8
		user 3 carol-2003
		record 4 unlike unlike.pem unlike.key
	} | closed >four.rec
	run_tool 1 ca-import -f -d ca.db <four.rec
	reasons "$OUT" | diff - <(cat <<-END
	imported: 
	refused: a private key of $(stat -c %s large.p8) bytes, for which there is no BLOB, and the ceiling is 16384: are they attributes of PKCS#8? openssl pkcs8 leaves them out
	imported: 
	imported: 
	END
	)
	openssl pkcs8 -topk8 -nocrypt -inform DER -in large.p8 -outform DER |
	    cmp - unlike.p8
}

# GetArchivedKey --------------------------------------------------------------

@test 'rule: disposition' {
	{ user 1 judy-2003; user 2 bob-1999; } | imports 0 -f
	run_tool 0 ca-export -d ca.db -k "$MADE/ca-key.pem"
	cp "$OUT" both.rec
	[[ $(only archived <both.rec | field disposition | xargs) == '20 12' ]]
	run_tool 0 ca-recover -C "$ORG/ca.pem" -k "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw" <both.rec
	[[ $(only key <"$OUT" | wc -l) == 2 ]]
}

@test 'rule: no archived key' {
	record 1 judy "$ORG/keys/judy-2003.pem" | imports 0
	run_tool 0 ca-export -d ca.db -k "$MADE/ca-key.pem"
	cp "$OUT" none.rec
	run_tool 1 ca-recover -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    <none.rec
	says 'ca-recover: stdin:1: record 1, user judy: no archived key in this row (CERTSRV_E_PROPERTY_EMPTY 0x80094004)'
}

@test 'rule: signed data' {
	user 1 judy-2003 | imports 0
	recovery >rec.p7
	openssl cms -verify -binary -inform DER -in rec.p7 -noverify -nointern \
	    -certfile "$ORG/ca.pem" -out content 2>log
	envelope ca.db 1 | cmp - content
	openssl cms -cmsout -print -noout -inform DER -in rec.p7 >print
	grep -A 2 encapContentInfo print |
	    grep -q 'eContentType: pkcs7-envelopedData'
	sed -n '/signerInfos/,$p' print >signers
	[[ $(grep -c 'd.issuerAndSerialNumber' signers) == 1 ]]
}

@test 'rule: certificates' {
	user 1 bob-1999 | imports 0 -f
	cat "$MADE/ca-key.pem" "$ORG/kms.pem" "$ORG/machine.pem" >chain.pem
	ca-export -d ca.db -k chain.pem 2>log | field recovery | base64 -d |
	    openssl cms -verify -binary -inform DER -noverify -out env \
	    -certsout certs.pem 2>log
	openssl crl2pkcs7 -nocrl -certfile certs.pem | subjects |
	    sed 's/.*CN=//' | sort | diff - <(printf '%s\n' 'Example CA' \
	    'KMS CA' 'Recovery Agent 1' 'Recovery Agent 2' bob)
}

@test 'rule: name of the certificate' {
	user 1 judy-2003 | imports 0
	recovery | openssl asn1parse -inform DER |
	    grep -A 2 ':1\.3\.6\.1\.4\.1\.311\.21\.16$' | tail -n 1 >attr
	grep -q "prim: OCTET STRING      \[HEX DUMP\]:$(openssl x509 \
	    -in "$ORG/keys/judy-2003.pem" -outform DER | sha1sum |
	    cut -c -40 | tr a-f A-F)\$" attr
}

@test 'rule: officers' {
	user 1 judy-2003 | imports 0
	chmod 640 ca.db
	refuses 2 "ca-export: $(pwd -P)/ca.db: others can read or write it: run chmod 600 on it" \
	    ca-export -d ca.db
	chmod 600 ca.db
	run_tool 0 ca-export -d ca.db
	[[ $(rows ca.db "SELECT Action, Detail FROM audit
	    ORDER BY AuditID DESC LIMIT 1") == 'export|rows=1 last=1' ]]
}

@test 'rule: deletion' {
	local tool

	# no statement of ours deletes a row
	for tool in ca-import ca-export ca-setflag ca-init; do
		grep -qai 'insert into request' "$(command -v "$tool")"
		not grep -qaiE 'delete from (request|certificate|kra|audit)' \
		    "$(command -v "$tool")"
	done
	user 1 judy-2003 | imports 0
	head=$(last_head ca.db)
	rows ca.db 'DELETE FROM certificate; DELETE FROM request'
	run_tool 1 ca-audit -A "$head" -d ca.db
}
