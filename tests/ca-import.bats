#!/usr/bin/env bats
# shellcheck disable=SC1083,SC2086,SC2093 # {to[1]} is a descriptor's place
# shellcheck disable=SC2094 # what is read before it is written
# shellcheck disable=SC2154 # arrays of ca.bash

load common
load ca

# Of every test: new.db, an archive with both agents that takes foreign
# certificates; export.kms, what both backups hold; jane.kms, of jane only.
setup_file()
{
	export MADE=$BATS_FILE_TMPDIR

	cd "$MADE" || return
	org_archive "$MADE"
	mv ca.db full.db
	new_archive new.db
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws" -u jane \
	    <"$ORG/kms-backup.zip" >jane.kms 2>/dev/null
	[[ $(only key <jane.kms | wc -l) == 3 ]]
}

setup()
{
	common_setup
	cp "$MADE/new.db" ca.db
	kra1=$(openssl x509 -in "$ORG/kra1.pem" -outform DER | sha1sum)
	kra2=$(openssl x509 -in "$ORG/kra2.pem" -outform DER | sha1sum)
	kra1=${kra1%% *}
	kra2=${kra2%% *}
	kras=("ca-import: KRA CN=Recovery Agent 1,O=Example, SHA-1 $kra1"
	    "ca-import: KRA CN=Recovery Agent 2,O=Example, SHA-1 $kra2")
}

# not_pinned: what is said without -t.
not_pinned='ca-import: agents not pinned: with -t THUMBPRINT of each, nothing is encrypted to another'

# summary READ IMPORTED KEYS UPDATED PRESENT IGNORED REFUSED FAULTS
summary()
{
	echo "ca-import: read $1, imported $2 (keys $3), updated $4, present $5, ignored $6, refused $7, faults $8"
}

audit_head()
{
	echo "ca-import: audit head: $(last_head ca.db)"
}

# count STATUS FILE: the results of that status.
count()
{
	only result <"$2" | field status | grep -c -x "$1" || :
}

# ledger KIND: certificates of this kind that org.bash made, by thumbprint.
ledger()
{
	awk -F '\t' -v kind="$1" '$2 == kind { print $3 }' "$ORG/ledger" | sort
}

# thumbprints STATUS FILE: of the results of that status.
thumbprints()
{
	only result <"$2" | grep $'\tstatus:'"$1"$'\t' | field sha1 | sort
}

# Contract --------------------------------------------------------------------

@test "ca-import: filter contract, sealed" {
	filter_contract ca-import -f -q -d ca.db "${machine[@]}" \
	    <"$MADE/jane.kms"
	whole ca.db
}

@test "ca-import: filter contract, plain" {
	user 1 judy-2003 | closed >plain.rec
	filter_contract ca-import -d ca.db <plain.rec
	whole ca.db
}

@test "ca-import: usage" {
	local usage='usage: ca-import [-DEfnPqVv] [-C cert]... -d db [-j jobs] [-k cred] [-p secret]...'

	usage+=$'\n\t[-R requester] [-t thumb]...'
	refuses 2 "ca-import: -d db is missing: the archive
$usage" ca-import </dev/null
	refuses 2 "ca-import: operand: no operand is expected (a file is given as <FILE)
$usage" ca-import -d ca.db operand </dev/null
}

@test "ca-import: an archive that is not there" {
	refuses 2 "ca-import: $(pwd -P)/none.db: No such file or directory (ca-init makes an archive)" \
	    ca-import -d none.db </dev/null
}

# The whole export ------------------------------------------------------------

@test "ca-import: all that was in the backup" {
	# shellcheck source=/dev/null
	source "$ORG/expected"
	local new=$((all_keys + all_certs - all_signing)) all

	all=$((all_keys + all_certs + all_faults))
	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	says "${kras[@]}" \
	    'ca-import: stdin:6: record 5, user ivan: fault: Europe/ivan/1998.p12: not a whole PFX, version 3 (RFC 7292 section 4): fetch the file again, it is cut or damaged' \
	    'ca-import: stdin:11: record 10, user carol: ignored: signing certificate: only encryption keys are archived' \
	    'ca-import: stdin:13: record 12, user dave: fault: North America/dave/1997.p12: integrity check failed (wrong password or damaged file)' \
	    'ca-import: stdin:26: record 7, user janet: ignored: signing certificate: only encryption keys are archived' \
	    "$not_pinned" "$(summary $all $new "$all_keys" 0 0 "$all_signing" 0 "$all_faults")" \
	    "$(audit_head)"
	diff <(ledger key; ledger cert) <(
		thumbprints imported "$OUT" | join - <(ledger key)
		thumbprints imported "$OUT" | join - <(ledger cert)
	)
	[[ $(count imported "$OUT") == "$new" ]]
	diff <(ledger sign) <(thumbprints ignored "$OUT")
	[[ $(only result <"$OUT" | wc -l) == "$all" ]]
	[[ $(rows ca.db 'SELECT count(*), count(RawArchivedKey) FROM request') \
	    == "$new|$all_keys" ]]
	kept ca.db "$OUT"
	whole ca.db
}

@test "ca-import: results have the fields of the page, and an end" {
	local thumb serial

	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	only result <"$OUT" | closed | cmp - "$OUT"
	thumb=$(field sha1 <"$MADE/jane.kms" | sed -n 2p)
	serial=$(field serial <"$MADE/jane.kms" | sed -n 2p)
	[[ $(sed -n 2p "$OUT") == "$(printf '%s\t' rec:result n:2 \
	    status:imported id:2 "sha1:$thumb" "serial:$serial" user:jane \
	    "kra:$kra1 $kra2")reason:" ]]
}

@test "ca-import: 20 is what the CA has issued, 12 what it has not" {
	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	diff <(awk -F '\t' '$2 == "key" || $2 == "cert" {
	    text = "|12|foreign certificate imported"
	    if ($10 == "ca")
		text = "|20|certificate imported"
	    print $3 text }' "$ORG/ledger" | sort) \
	    <(rows ca.db 'SELECT CertificateHash, Disposition,
	    DispositionMessage FROM request JOIN certificate
	    USING (RequestID)' | sort)
}

@test "ca-import: who names the CA without its signature is foreign" {
	load org
	org_setup forger
	org_openssl req -x509 -newkey rsa:1024 -noenc -days 365 \
	    -subj '/O=Example/CN=Example CA' -keyout forger/false.key \
	    -out forger/false.pem
	org_issue mallory 512 3 false 20030101 20491231 ca_encrypt \
	    /O=Example/CN=mallory mallory@example.com
	record 1 mallory forger/keys/mallory.{pem,key} | closed >one.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	[[ $(rows ca.db 'SELECT Disposition, IssuerName FROM request
	    JOIN certificate USING (RequestID)') == \
	    '12|CN=Example CA,O=Example' ]]
}

@test "ca-import: a certificate with another's public key" {
	# the name of bob, under what CA calls itself so, over the key of jane
	openssl req -x509 -newkey rsa:1024 -noenc -days 365 -keyout false.key \
	    -subj '/O=Example/CN=Example CA' -out false.pem 2>log
	openssl pkey -in "$ORG/keys/jane-1999.key" -pubout -out jane.pub
	openssl req -new -newkey rsa:1024 -noenc -keyout own.key \
	    -subj '/O=Example/CN=bob' -out forged.csr 2>log
	openssl x509 -req -in forged.csr -CA false.pem -CAkey false.key \
	    -set_serial 7 -force_pubkey jane.pub -out forged.pem 2>log
	new_archive
	record 1 bob forged.pem "$ORG/keys/bob-1999.key" | closed >one.rec
	run_tool 1 ca-import -f -d ca.db <one.rec
	[[ $(only result <"$OUT" | cut -f 3,9) == \
	    $'status:refused\treason:private key does not belong to the certificate (ERROR_INVALID_PARAMETER 0x80070057)' ]]
	# with the key itself it is one more certificate of it, and not the CA's
	record 1 bob forged.pem "$ORG/keys/jane-1999.key" | closed >one.rec
	run_tool 1 ca-import -d ca.db <one.rec
	[[ $(statuses "$OUT") == refused ]]
	run_tool 0 ca-import -f -d ca.db <one.rec
	[[ $(rows ca.db 'SELECT Disposition FROM request') == 12 ]]
}

@test "ca-import: without -c of ca-init everything is foreign" {
	ca-init -d no.db <"$ORG/kra1.pem" >/dev/null 2>&1
	user 1 judy-2003 | closed >own.rec
	run_tool 1 ca-import -d no.db <own.rec
	ca-setflag -d no.db KRAFlags 1 >/dev/null 2>&1
	run_tool 0 ca-import -f -d no.db <own.rec
	[[ $(rows no.db 'SELECT Disposition FROM request') == 12 ]]
}

@test "ca-import: foreign certificates need -f and KRAF_ENABLEFOREIGN" {
	local no_f='not issued by the CA of the archive: -f imports foreign certificates (CERT_E_ISSUERCHAINING 0x800B0107)'
	local no_flag='not issued by the CA of the archive, and KRAF_ENABLEFOREIGN is not set: run ca-setflag -d DB KRAFlags +KRAF_ENABLEFOREIGN (CERT_E_ISSUERCHAINING 0x800B0107)'
	local flag args want

	{
		user 1 judy-2003
		user 2 jane-1999
		user 3 grace-2003
	} | closed >three.rec
	for flag in 0 1; do
		for args in -q -fq; do
			cp "$MADE/new.db" ca.db
			ca-setflag -d ca.db KRAFlags "$flag" >/dev/null 2>&1
			case $flag$args in
			?-q)	want=$no_f ;;
			0-fq)	want=$no_flag ;;
			1-fq)	want= ;;
			esac
			if [[ -z $want ]]; then
				run_tool 0 ca-import "$args" -d ca.db <three.rec
				continue
			fi
			run_tool 1 ca-import "$args" -d ca.db <three.rec
			[[ $(statuses "$OUT" | xargs) == \
			    'imported 1 refused imported 2' ]]
			[[ $(only result <"$OUT" | field reason | xargs) == \
			    "$want" ]]
			[[ $(rows ca.db 'SELECT DISTINCT Disposition
			    FROM request') == 20 ]]
		done
	done
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 3 ]]
}

# Statuses --------------------------------------------------------------------

# dent KEY NUMBER: PKCS#8 DER of an RSA key, the last byte of that number of its
# RSAPrivateKey altered: 0 version, n, e, d, p, q, dp, dq, 8 qinv.
dent()
{
	local inner outer at byte

	openssl rsa -in "$1" -traditional -outform DER >dent.inner 2>/dev/null
	p8 "$1" >dent.der
	inner=$(stat -c %s dent.inner)
	outer=$(stat -c %s dent.der)
	at=$(openssl asn1parse -inform DER -in dent.inner |
	    awk -v "n=$2" '/INTEGER/ && n-- == 0 {
		split($0, f, /[:= ]+/)
		sub(/^ */, ""); off = $0; sub(/:.*/, "", off)
		hl = $0; sub(/.*hl=/, "", hl); sub(/[^0-9].*/, "", hl)
		l = $0; sub(/.* l= */, "", l); sub(/[^0-9].*/, "", l)
		print off + hl + l - 1
	    }')
	((at += outer - inner))
	byte=$(xxd -p -s "$at" -l 1 dent.der)
	printf '%08x: %02x' "$at" $((16#$byte ^ 2)) | xxd -r - dent.der
	cat dent.der
}

@test "ca-import: every status, and the rest goes on" {
	local jane=$ORG/keys/jane-1999 bob=$ORG/keys/bob-1999

	dent "$bob.key" 8 >dented
	{
		record 1 jane "$jane.pem"
		record 2 jane "$jane.pem" "$jane.key"
		record 3 jane "$jane.pem" "$jane.key"
		record 4 jane "$jane.pem"
		user 5 carol-1999s
		record 6 bob "$bob.pem" "$jane.key"
		record 7 bob "$bob.pem" dented
		record 8 bob "$bob.pem" "$bob.key" | sed 's/cert:MII/cert:AAA/'
		record 9 bob "$bob.pem" "$bob.key" | sed 's/cert:MII/cert:%%%/'
		record 10 bob "$bob.pem" "$bob.key" |
		    sed 's/sha1:[0-9a-f]*/sha1:'"$kra1/"
		record 11 bob "$bob.pem" "$bob.key" | sed 's/sha256:./sha256:g/'
		record 12 bob "$bob.pem" "$bob.key" | sed 's/spki:./spki:g/'
		record 13 bob "$bob.pem" "$bob.key" |
		    sed 's/serial:[0-9a-f]*/serial:1234/'
		printf 'rec:fault\tn:14\tsource:x\treason:cut\tdetail:%s\n' \
		    'it ended'
		printf 'rec:note\tn:15\ttext:of a later version\n'
		record 16 carol "$ORG/keys/carol-1999s.pem"
		user 17 erin-1998
	} | closed >all.rec
	run_tool 1 ca-import -f -d ca.db <all.rec
	only result <"$OUT" | closed | cmp - "$OUT"
	statuses "$OUT" >status
	diff - status <<-END
	imported 1
	updated 1
	present 1
	present 1
	ignored
	refused
	refused
	refused
	refused
	refused
	refused
	refused
	refused
	fault
	ignored
	ignored
	imported 2
	END
	only result <"$OUT" | field reason >reason
	diff - reason <<-END




	signing certificate: only encryption keys are archived
	private key does not belong to the certificate (ERROR_INVALID_PARAMETER 0x80070057)
	private key is not whole (RFC 8017 section 3.2) (ERROR_INVALID_PARAMETER 0x80070057)
	not a DER certificate (RFC 5280 section 4.1) (ERROR_INVALID_DATA 0x8007000D)
	cert is not base64 (ERROR_INVALID_DATA 0x8007000D)
	sha1 is not that of the certificate in the record (ERROR_INVALID_DATA 0x8007000D)
	sha256 is not that of the certificate in the record (ERROR_INVALID_DATA 0x8007000D)
	spki is not that of the certificate in the record (ERROR_INVALID_DATA 0x8007000D)
	serial is not that of the certificate in the record (ERROR_INVALID_DATA 0x8007000D)
	x: it ended
	not a record of keys or certificates
	signing certificate: only encryption keys are archived

	END
	# the messages say the same, with line and number
	grep -F ': record ' "$ERR" | sed -E 's/.*stdin:([0-9]*): record (\1|0)(, user [a-z0-9-]+)?: //' |
	    cmp - <(paste -d : <(cut -d ' ' -f 1 status) <(sed 's/^/ /' reason) |
	    grep -v ': $')
	grep -q -x "$(summary 17 2 1 1 2 3 8 1)" "$ERR"
	[[ $(rows ca.db 'SELECT count(*), count(RawArchivedKey)
	    FROM request') == '2|2' ]]
	kept ca.db "$OUT"
	whole ca.db
}

@test "ca-import: a key that is damaged anywhere is refused" {
	local part n=0 key=$ORG/keys/bob-1999.key

	for part in 0 1 2 3 4 5 6 7 8; do
		dent "$key" "$part" >"dent.$part"
		not cmp -s "dent.$part" <(p8 "$key")
		record $((n += 1)) bob "$ORG/keys/bob-1999.pem" "dent.$part"
	done >body
	{
		p8 "$key"
		printf x
	} >longer
	p8 "$key" | head -c -1 >shorter
	openssl x509 -in "$ORG/keys/bob-1999.pem" -outform DER >cer
	for part in longer shorter cer; do
		record $((n += 1)) bob "$ORG/keys/bob-1999.pem" "$part"
	done >>body
	closed <body >all.rec
	run_tool 1 ca-import -f -q -d ca.db <all.rec
	[[ $(statuses "$OUT" | sort -u) == refused ]]
	[[ $(statuses "$OUT" | wc -l) == "$n" ]]
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 0 ]]
	only result <"$OUT" | field reason >reason
	[[ $(sed -n 1p reason) == \
	    'not a two-prime RSA private key of at most 16384 bits (RFC 8017 appendix A.1.2) (ERROR_INVALID_PARAMETER 0x80070057)' ]]
	[[ $(sed -n 2,9p reason | sort -u) == \
	    'private key is not whole (RFC 8017 section 3.2) (ERROR_INVALID_PARAMETER 0x80070057)' ]]
	[[ $(sed -n 10,12p reason | sort -u) == \
	    'not a PKCS#8 private key (RFC 5208 section 5) (ERROR_INVALID_PARAMETER 0x80070057)' ]]
	# nothing but the key was wrong
	user 1 bob-1999 | closed >one.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
}

@test "ca-import: EC keys are proven too" {
	local name

	for name in one two; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		    -noenc -days 365 -subj "/CN=$name" -keyout "$name.key" \
		    -out "$name.pem" 2>/dev/null
	done
	{
		record 1 one one.pem one.key
		record 2 two two.pem one.key
		record 3 two two.pem two.key
	} | closed >ec.rec
	run_tool 1 ca-import -f -d ca.db <ec.rec
	[[ $(statuses "$OUT" | xargs) == 'imported 1 refused imported 2' ]]
	[[ $(rows ca.db "SELECT group_concat(KeyFormat) FROM request") == \
	    PKCS8,PKCS8 ]]
}

@test "ca-import: a certificate first, its key in a later run" {
	local jane=$ORG/keys/jane-1999

	record 1 jane "$jane.pem" | closed >cert.rec
	record 1 jane "$jane.pem" "$jane.key" | closed >key.rec
	run_tool 0 ca-import -f -R first -d ca.db <cert.rec
	[[ $(statuses "$OUT") == 'imported 1' ]]
	[[ -z $(only result <"$OUT" | field kra) ]]
	[[ $(rows ca.db 'SELECT RawArchivedKey, KeyFormat, KeyRecoveryHashes
	    FROM request') == '||' ]]
	rows ca.db 'SELECT * FROM certificate' >before
	run_tool 0 ca-import -f -R second -d ca.db <key.rec
	[[ $(statuses "$OUT") == 'updated 1' ]]
	[[ $(only result <"$OUT" | field kra) == "$kra1 $kra2" ]]
	[[ $(rows ca.db "SELECT RawArchivedKey IS NOT NULL, KeyFormat,
	    RequesterName FROM request") == '1|MSBLOB|first' ]]
	rows ca.db 'SELECT * FROM certificate' | cmp before -
	# what is there is there, also without -f
	for file in cert key; do
		for force in -f -v; do
			run_tool 0 ca-import "$force" -d ca.db <"$file.rec"
			[[ $(statuses "$OUT") == 'present 1' ]]
		done
	done
	whole ca.db
}

@test "ca-import: a key that is there is not replaced, not even with -f" {
	user 1 jane-1999 | closed >one.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	contents ca.db >before
	run_tool 0 ca-import -f -R other -d ca.db <one.rec
	[[ $(statuses "$OUT") == 'present 1' ]]
	contents ca.db | cmp before -
}

@test "ca-import: again: present, and nothing changes" {
	local n

	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	contents ca.db >before
	n=$(count imported "$OUT")
	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	[[ $(count present "$OUT") == "$n" && $(count imported "$OUT") == 0 ]]
	contents ca.db | cmp before -
	kept ca.db "$OUT"
	whole ca.db
}

@test "ca-import: -n writes nothing, and shows what would happen" {
	local dry='(-n: nothing was written)'

	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	grep ^rec:result "$OUT" >real
	cp "$MADE/new.db" ca.db
	run_tool 0 "${import[@]}" -n <"$MADE/export.kms"
	only result <"$OUT" | closed | cmp - "$OUT"
	grep ^rec:result "$OUT" >dry
	# the same, but nothing that looks like a promise
	sed -E 's/\t(id|kra):[^\t]*/\t\1:/g; s/\treason:$/&not written (-n)/' \
	    real | cmp - dry
	[[ $(tail -n 1 "$ERR") == "$(summary 28 24 23 0 0 2 0 2) $dry" ]]
	not grep -q 'audit head' "$ERR"
	cmp "$MADE/new.db" ca.db
	{
		user 1 jane-1999
		record 2 bob "$ORG/keys/bob-1999.pem" "$ORG/keys/jane-1999.key"
	} | closed >bad.rec
	run_tool 1 ca-import -nf -d ca.db <bad.rec
	cmp "$MADE/new.db" ca.db
	[[ $(ls) == $'bad.rec\nca.db\ndry\nreal' ]]
	# what is there is known
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	run_tool 0 "${import[@]}" -n <"$MADE/jane.kms"
	[[ $(statuses "$OUT" | xargs) == 'present 1 present 2 present 3' ]]
}

@test "ca-import: a key that is there under another user" {
	local bob=$ORG/keys/bob-1999

	{
		user 1 jane-1999
		record 2 '' "$ORG/keys/jane-1999.pem" "$ORG/keys/jane-1999.key"
		record 3 alice "$ORG/keys/jane-1999.pem"
		record 4 bob "$bob.pem"
		record 5 team "$bob.pem" "$bob.key"
		record 6 '' "$ORG/keys/erin-1998.pem" "$ORG/keys/erin-1998.key"
		user 7 erin-1998
	} | closed >same.rec
	# the same where the row is of this batch, and of an earlier run
	run_tool 0 ca-import -f -d ca.db <same.rec
	[[ $(statuses "$OUT" | xargs) == 'imported 1 present 1 present 1 imported 2 updated 2 imported 3 present 3' ]]
	only result <"$OUT" | field reason | diff - <(cat <<-END


	already in row 1, for user jane-1999

	already in row 2, for user bob: this name takes the place of that

	already in row 3, without a user: this name takes the place of that
	END
	)
	grep -q -x 'ca-import: stdin:3: record 3, user alice: present: already in row 1, for user jane-1999' "$ERR"
	run_tool 0 ca-import -f -d ca.db <same.rec
	# now it is found by these names
	[[ $(only result <"$OUT" | field reason | grep .) == \
	    'already in row 1, for user jane-1999' ]]
	whole ca.db
}

# named N NAME GROUP USER MAIL: the record of that key under this name.
named()
{
	user "$1" "$2" |
	    sed "s/\tgroup:Staff\tuser:[^\t]*\tmail:/\tgroup:$3\tuser:$4\tmail:$5/"
}

# names: the table, without what stands in every row of it.
names()
{
	rows ca.db "SELECT NameID, RequestID, KmsGroup, KmsUser, KmsMail, Source,
	    Replaces, AuditID FROM name ORDER BY 1"
}

@test "ca-import: a row has every name under which its key was seen" {
	{
		named 1 jane-1999 Europe jane ''
		named 2 jane-1999 Europe jane jane@example.com
		named 3 jane-1999 Staff jane ''
		named 4 jane-1999 '' jane ''
		named 5 bob-1999 Europe bob ''
		named 6 bob-1999 Europe jane ''
		record 7 mallory "$ORG/keys/bob-1999.pem"
	} | closed >names.rec
	run_tool 0 ca-import -f -d ca.db <names.rec
	[[ $(statuses "$OUT" | xargs) == 'imported 1 present 1 present 1 present 1 imported 2 present 2 present 2' ]]
	tells 'ca-import: read 7, imported 2 (keys 2), updated 0, present 5, ignored 0, refused 0, faults 0, names 3'
	tells 'ca-import: stdin:3: record 3, user jane: present: already in row 1, under another name: this name is kept as well'
	# one that says more takes the place of one that says less
	names >want
	diff - want <<-'END'
	1|1|Europe|jane|jane@example.com|jane-1999.pem|0|3
	2|1|Staff|jane||jane-1999.pem||3
	3|2|Europe|jane||bob-1999.pem||3
	END
	# again: nothing new, and what is not written is not kept
	run_tool 0 ca-import -f -d ca.db <names.rec
	tells 'ca-import: read 7, imported 0 (keys 0), updated 0, present 7, ignored 0, refused 0, faults 0'
	named 1 bob-1999 Staff bob '' | closed >more.rec
	run_tool 0 ca-import -n -f -d ca.db <more.rec
	names | diff want -
	whole ca.db
	# in one batch or another, it is the same
	new_archive other.db
	while IFS= read -r line; do
		echo "$line" | ca-import -Pfq -d other.db >>log 2>&1
	done < <(grep -v ^rec:end names.rec)
	[[ $(rows other.db "SELECT count(*), sum(Replaces = 0) FROM name") == '3|1' ]]
	whole other.db
}

@test "ca-import: who has but the certificate of another gets no name, and no key later" {
	record 1 mallory "$ORG/keys/bob-1999.pem" | closed |
	    ca-import -f -d ca.db >log 2>&1
	named 1 bob-1999 Europe bob '' | closed >bob.rec
	run_tool 0 ca-import -f -d ca.db <bob.rec
	[[ $(statuses "$OUT") == 'updated 1' ]]
	[[ $(only result <"$OUT" | field reason) == \
	    'already in row 1, for user mallory: this name takes the place of that' ]]
	record 1 mallory "$ORG/keys/bob-1999.pem" | closed >cert.rec
	run_tool 0 ca-import -f -d ca.db <cert.rec
	[[ $(names) == '1|1|Europe|bob||bob-1999.pem|0|4' ]]
	run_tool 1 ca-export -d ca.db -u mallory
	tells 'ca-export: -u mallory: like it: former mallory (row 1)'
	run_tool 0 ca-export -d ca.db -u bob
	whole ca.db
}

@test "ca-import: names have an end" {
	local i

	named 1 jane-1999 Europe jane '' >body
	for ((i = 2; i <= 1005; i++)); do
		sed "1!d; s/\tn:1\t/\tn:$i\t/; s/user:jane/user:jane$i/" body
	done >others
	cat body others | closed >many.rec
	run_tool 0 ca-import -fq -d ca.db <many.rec
	[[ $(rows ca.db 'SELECT count(*) FROM name') == 999 ]]
	[[ $(only result <"$OUT" | tail -n 1 | field reason) == \
	    'already in row 1, for user jane, and as many names as a row may have' ]]
	run_tool 0 ca-export -n -d ca.db
	[[ $(only archived <"$OUT" | wc -l) == 1000 ]]
	whole ca.db
}

@test "ca-import: -n of more than one batch" {
	user 1 jane-1999 >body
	many 1100 <body | closed >many.rec
	run_tool 0 ca-import -n -f -q -d ca.db <many.rec
	[[ $(only result <"$OUT" | wc -l) == 1100 ]]
	[[ $(count imported "$OUT") -ge 1 && $(count refused "$OUT") == 0 ]]
	[[ -z $(only result <"$OUT" | grep imported | field id) ]]
	cmp "$MADE/new.db" ca.db
}

# many NUMBER: the record on stdin so many times, numbered.
many()
{
	awk -v "max=$1" '{ for (n = 1; n <= max; n++) {
	    sub(/\tn:[0-9]*\t/, "\tn:" n "\t"); print } }'
}

@test "ca-import: a result that would be too long is cut, not lost" {
	local size

	# a note whose line has just the size that a line may have
	printf 'rec:note\tn:1\tuser:' >body
	size=$((256 * 1024 - $(stat -c %s body)))
	head -c "$size" /dev/zero | tr '\0' x >>body
	echo >>body
	closed <body >long.rec
	run_tool 0 ca-import -q -d ca.db <long.rec
	[[ $(statuses "$OUT") == ignored ]]
	only result <"$OUT" | closed | cmp - "$OUT"
	[[ $(only result <"$OUT" | field user) == '' ]]
	# and one that fits
	sed 's/x\{100\}$//' body | closed >long.rec
	run_tool 0 ca-import -q -d ca.db <long.rec
	[[ $(only result <"$OUT" | field user | tr -d 'x\n' | wc -c) == 0 ]]
	[[ $(only result <"$OUT" | field user | wc -c) == $((size - 99)) ]]
}

@test "ca-import: nothing in it is exit 1" {
	closed </dev/null >empty.rec
	run_tool 1 ca-import -d ca.db <empty.rec
	closed </dev/null | cmp - "$OUT"
	says "${kras[@]}" "$not_pinned" "$(summary 0 0 0 0 0 0 0 0)"
	cmp "$MADE/new.db" ca.db
}

@test "ca-import: -R names the requester, the login name is the default" {
	local strange=$'Rec\tords\n\\ \e[2J \xff "; DROP TABLE request; --'

	user 1 jane-1999 | closed >one.rec
	user 1 bob-1999 | closed >two.rec
	user 1 erin-1998 | closed >three.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	run_tool 0 ca-import -f -R 'EXAMPLE\records' -d ca.db <two.rec
	run_tool 0 ca-import -f -R "$strange" -d ca.db <three.rec
	[[ $(rows ca.db 'SELECT RequesterName, CallerName FROM request
	    WHERE RequestID < 3 ORDER BY 1') == "$(printf '%s\n' \
	    "$(id -un)|$(id -un)" "EXAMPLE\\records|$(id -un)" | sort)" ]]
	[[ $(rows ca.db 'SELECT hex(RequesterName) FROM request
	    WHERE RequestID = 3') == \
	    "$(printf %s "$strange" | xxd -p -u -c 0)" ]]
	whole ca.db
}

@test "ca-import: hostile names are stored as they are, and shown harmless" {
	local raw=$'\e]0;x\a\xe2\x80\xae\xff\'); DROP TABLE request; --\t\n\\'

	{
		user 1 jane-1999 | sed "s|\tuser:[^\t]*|\tuser_b64:$(printf %s \
		    "$raw" | base64 -w 0)|; s|\tgroup:Staff|\tgroup:a\\\\tb\\\\\\\\c\\\\n|"
		user 2 carol-1999s | sed "s|\tuser:[^\t]*|\tuser_b64:$(printf %s \
		    "$raw" | base64 -w 0)|"
		user 3 carol-1999s | sed "s|\tuser:[^\t]*|\tuser:$(printf %09000d 0)|"
	} | closed >one.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	grep -q -x -F "ca-import: stdin:2: record 2, user \\x1b]0;x\\x07\\xe2\\x80\\xae\\xff'); DROP TABLE request; --\\x09\\x0a\\: ignored: signing certificate: only encryption keys are archived" \
	    "$ERR"
	# a long one leaves room for what is wrong
	grep -q -x 'ca-import: stdin:3: record 3, user 0\{252\}\.\.\.: ignored: signing .* archived' \
	    "$ERR"
	[[ $(rows ca.db 'SELECT hex(KmsUser), hex(KmsGroup) FROM request') == \
	    "$(printf %s "$raw" | xxd -p -u -c 0)|$(printf 'a\tb\\c\n' |
	    xxd -p -u -c 0)" ]]
	[[ $(field user_b64 <"$OUT") == "$(field user_b64 <one.rec)" ]]
	not grep -q -a -P '[\x00-\x08\x0b-\x1f\x7f]' "$OUT"
	# and back
	run_tool 0 ca-export -n -d ca.db
	[[ $(field user_b64 <"$OUT") == "$(field user_b64 <one.rec |
	    head -n 1)" ]]
	[[ $(field group <"$OUT") == 'a\tb\\c\n' ]]
}

@test "ca-import: -q drops the messages of records only" {
	run_tool 0 "${import[@]}" -q <"$MADE/export.kms"
	says "${kras[@]}" "$not_pinned" "$(summary 28 24 23 0 0 2 0 2)" \
	    "$(audit_head)"
	[[ $(count fault "$OUT") == 2 ]]
}

# Input -----------------------------------------------------------------------

@test "ca-import: plain input from p12-extract" {
	p12-extract -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/North America/jane/1999.p12" >jane.rec
	run_tool 0 ca-import -f -d ca.db <jane.rec
	[[ $(thumbprints imported "$OUT") == \
	    "$(field sha1 <jane.rec)" ]]
	[[ $(rows ca.db "SELECT StreamId, KmsUser FROM request") == \
	    "|$(field user <jane.rec)" ]]
}

@test "ca-import: streams one after another" {
	{
		user 1 jane-1999 | closed
		closed </dev/null
		{
			user 1 bob-1999
			user 2 erin-1998
		} | closed
	} >three.rec
	run_tool 0 ca-import -f -d ca.db <three.rec
	[[ $(statuses "$OUT" | xargs) == 'imported 1 imported 2 imported 3' ]]
	[[ $(only result <"$OUT" | field n | xargs) == '1 1 2' ]]
	only result <"$OUT" | closed | cmp - "$OUT"
}

@test "ca-import: a sealed stream needs -k" {
	run_tool 2 ca-import -f -d ca.db <"$MADE/jane.kms"
	says "${kras[@]}" \
	    'ca-import: stdin:1: a sealed stream: -k must name the credential that opens it'
	nothing_out ca-import
	cmp "$MADE/new.db" ca.db
	# a key that opens nothing
	run_tool 2 ca-import -f -d ca.db -k "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw" -C "$ORG/machine.pem" <"$MADE/jane.kms"
	says "${kras[@]}" "$not_pinned" "$(summary 0 0 0 0 0 0 0 0)" "ca-import: stdin:1: sealed to another certificate than that of -k (SHA-256 $(
	    openssl x509 -in "$ORG/machine.pem" -outform DER | sha256sum |
	    cut -c -64))"
	nothing_out ca-import
	cmp "$MADE/new.db" ca.db
}

@test "ca-import: with -k no plain record slips in" {
	user 1 judy-2003 | closed >plain.rec
	run_tool 2 "${import[@]}" <plain.rec
	[[ $(tail -n 1 "$ERR") == \
	    'ca-import: stdin:1: a plain record where only sealed ones are trusted (-k or -C)' ]]
	cmp "$MADE/new.db" ca.db
	# nor behind a sealed stream, which stays
	cat "$MADE/jane.kms" plain.rec >both
	run_tool 2 "${import[@]}" <both
	[[ $(tail -n 1 "$ERR") == \
	    "ca-import: stdin:$(($(wc -l <"$MADE/jane.kms") + 1)): a plain record where only sealed ones are trusted (-k or -C)" ]]
	[[ $(rows ca.db "SELECT group_concat(DISTINCT KmsUser)
	    FROM request") == jane ]]
	whole ca.db
}

@test "ca-import: the signer must be the certificate of -k or of -C" {
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw" -p "list:$ORG/user.pws" -u jane \
	    <"$ORG/kms-backup.zip" >other.kms 2>/dev/null
	run_tool 2 "${import[@]}" <other.kms
	grep -q '^ca-import: stdin:1: signature: ' "$ERR"
	nothing_out ca-import
	cmp "$MADE/new.db" ca.db
	run_tool 0 "${import[@]}" -C "$ORG/kra1.pem" <other.kms
	[[ $(count imported "$OUT") == 3 ]]
}

@test "ca-import: a stream that breaks: what came before stays" {
	local n

	head -n 3 "$MADE/jane.kms" >broken.kms
	run_tool 2 "${import[@]}" <broken.kms
	# in the file itself: who copies it now has them
	[[ $(ls) == $'broken.kms\nca.db' ]]
	says "${kras[@]}" "$not_pinned" "$(summary 2 2 2 0 0 0 0 0)" \
	    "$(audit_head)" \
	    'ca-import: stdin:4: no end record: the stream was cut: fetch it whole, or take what is there with -P'
	[[ $(statuses "$OUT" | xargs) == 'imported 1 imported 2' ]]
	not grep -q ^rec:end "$OUT"
	kept ca.db "$OUT"
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	[[ $(statuses "$OUT" | xargs) == 'present 1 present 2 imported 3' ]]
	# in the middle of a line, by another record, by other bytes
	cp "$MADE/new.db" ca.db
	n=$(head -n 3 "$MADE/jane.kms" | wc -c)
	head -c $((n + 1000)) "$MADE/jane.kms" >broken.kms
	run_tool 2 "${import[@]}" <broken.kms
	[[ $(statuses "$OUT" | xargs) == 'imported 1 imported 2' ]]
	sed 3d "$MADE/jane.kms" >broken.kms
	run_tool 2 "${import[@]}" <broken.kms
	[[ $(statuses "$OUT" | xargs) == 'present 1' ]]
	{
		head -n 3 "$MADE/jane.kms"
		echo rubbish
	} >broken.kms
	run_tool 2 "${import[@]}" <broken.kms
	[[ $(statuses "$OUT" | xargs) == 'present 1 present 2' ]]
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	[[ $(statuses "$OUT" | xargs) == 'present 1 present 2 imported 3' ]]
	whole ca.db
}

@test "ca-import: a sealed record that was altered is refused" {
	sed '3s/\tuser:jane\t/\tuser:eve\t/' "$MADE/jane.kms" >altered.kms
	not cmp -s "$MADE/jane.kms" altered.kms
	run_tool 2 "${import[@]}" <altered.kms
	[[ $(statuses "$OUT" | xargs) == 'imported 1 refused imported 2' ]]
	[[ $(tail -n 1 "$ERR") == \
	    'ca-import: stdin:5: the digest of the stream differs: it was altered' ]]
	run_tool 1 "${import[@]}" -P <altered.kms
	[[ $(statuses "$OUT" | xargs) == 'present 1 refused present 2' ]]
	[[ $(only result <"$OUT" | sed -n 2p | field reason) == \
	    'the seal does not open: the record was altered, or is of another place or stream' ]]
	[[ -z $(rows ca.db "SELECT * FROM request WHERE KmsUser = 'eve'") ]]
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	[[ $(statuses "$OUT" | xargs) == 'present 1 imported 3 present 2' ]]
}

@test "ca-import: -P takes parts, the whole stream completes them" {
	awk '/^rec:stream/ { n++ } n == 2' "$MADE/export.kms" |
	    grep -E $'^rec:(stream|end)\t|\tuser:erin\t' >part
	[[ $(wc -l <part) == 4 ]]
	run_tool 2 "${import[@]}" <part
	grep -q '(or this is a part: -P)$' "$ERR"
	run_tool 0 "${import[@]}" -P <part
	[[ $(statuses "$OUT" | xargs) == 'imported 1 imported 2' ]]
	{
		head -n 1 part
		grep ^rec:key part | tac
	} >reversed
	run_tool 0 "${import[@]}" -P <reversed
	[[ $(statuses "$OUT" | xargs) == 'present 2 present 1' ]]
	run_tool 0 "${import[@]}" <"$MADE/export.kms"
	[[ $(count present "$OUT") == 2 && $(count imported "$OUT") == 22 ]]
	whole ca.db
}

# Recovery agents -------------------------------------------------------------

@test "ca-import: -t with all agents, however they are typed" {
	local two

	two=$(openssl x509 -in "$ORG/kra2.pem" -noout -fingerprint -sha256)
	run_tool 0 "${import[@]}" -t "${kra1^^}" -t "${two#*=}" \
	    <"$MADE/jane.kms"
	says "${kras[@]}" "$(summary 3 3 3 0 0 0 0 0)" "$(audit_head)"
	run_tool 0 "${import[@]}" -t "$kra2" -t "${kra1,,}" \
	    <"$MADE/jane.kms"
	# the same agent twice is once
	run_tool 0 "${import[@]}" -t "$kra1" -t "$kra2" -t "${two#*=}" \
	    <"$MADE/jane.kms"
}

# pinned MESSAGE ARG...: stops before it reads, and nothing is written.
pinned()
{
	local status=0

	{
		timeout 60 "${import[@]}" "${@:2}" >"$OUT" 2>"$ERR" ||
		    status=$?
		cmp - "$MADE/jane.kms" || return
	} <"$MADE/jane.kms"
	((status == 2)) || return
	nothing_out "$*" || return
	[[ $(tail -n 1 "$ERR") == "ca-import: $1" ]] || return
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 0 ]]
}

@test "ca-import: -t stops at an agent that was not typed" {
	local thumb

	pinned 'KRA CN=Recovery Agent 2,O=Example was not given with -t: nothing is imported' \
	    -t "$kra1"
	pinned 'KRA CN=Recovery Agent 1,O=Example was not given with -t: nothing is imported' \
	    -t "$kra2"
	# what is too short, too long, or nothing, is no agent's
	for thumb in "${kra1:0:39}" "${kra1}0" ''; do
		pinned "-t $thumb: give all digits of the thumbprint: 40 (SHA-1) or 64 (SHA-256)" \
		    -t "$thumb" -t "$kra2"
	done
}

@test "ca-import: -t stops when a typed agent is not there" {
	local other=0123456789012345678901234567890123456789

	pinned "-t $other: the archive has no such KRA: nothing is imported" \
	    -t "$kra1" -t "$kra2" -t "$other"
}

@test "ca-import: a planted agent is shown, and stopped by -t" {
	local der thumb

	openssl req -x509 -newkey rsa:2048 -noenc -days 365 -keyout /dev/null \
	    -subj $'/O=Example/CN=Recovery Agent 3\e[1A' -out planted.pem \
	    2>/dev/null
	der=$(openssl x509 -in planted.pem -outform DER | xxd -p -c 0)
	thumb=$(xxd -r -p <<<"$der" | sha1sum | cut -c -40)
	sqlite3 ca.db "INSERT INTO kra SELECT 3, '$thumb', 'x', x'$der',
	    AddedWhen, AuditID FROM kra LIMIT 1"
	pinned 'KRA CN=Recovery Agent 3\1B[1A,O=Example was not given with -t: nothing is imported' \
	    -t "$kra1" -t "$kra2"
	grep -q -x -F "ca-import: KRA CN=Recovery Agent 3\\1B[1A,O=Example, SHA-1 $thumb" \
	    "$ERR"
	harmless ca-import
	# without -t too: it is not of our CA, and nobody has forced it in
	run_tool 2 "${import[@]}" <"$MADE/jane.kms"
	nothing_out ca-import
	grep -q -x -F "ca-import: KRA CN=Recovery Agent 3\\1B[1A,O=Example, SHA-1 $thumb" \
	    "$ERR"
	grep -q '^ca-import: KRA CN=Recovery Agent 3.*: not issued by the CA of the archive: nothing is imported (ca-init -f takes its certificate all the same)$' \
	    "$ERR"
	harmless ca-import
}

@test "ca-import: a planted trigger keeps no row out" {
	local -a pid to from
	local schema='the schema is not that of ca-db(5): a trigger or view may change what is written or shown: go back to a copy, or drop it'
	local status=0 sql

	while read -r sql; do
		rm ca.db
		cp "$MADE/new.db" ca.db
		sqlite3 ca.db "CREATE TRIGGER x $sql END"
		refuses 2 "ca-import: $(pwd -P)/ca.db: $schema" "${import[@]}" \
		    <"$MADE/jane.kms"
	done <<-'SQL'
	AFTER INSERT ON audit BEGIN DELETE FROM request;
	BEFORE INSERT ON certificate BEGIN SELECT raise(ignore);
	SQL
	# planted while it runs
	cp "$MADE/new.db" ca.db
	start 1
	connect 1
	send 1 1,2
	[[ $(result 1) == 'imported 1' ]]
	rows ca.db 'CREATE TRIGGER x BEFORE INSERT ON certificate
	    BEGIN SELECT raise(ignore); END'
	send 1 3
	exec {to[1]}>&-
	wait "${pid[1]}" || status=$?
	((status == 2))
	[[ $(tail -n 1 err.1) == "ca-import: $(pwd -P)/ca.db: a row was not written (the archive was changed by another program: check it with ca-audit)" ]]
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 1 ]]
}

@test "ca-import: what another program wrote into the archive is said" {
	local altered='(the archive was changed by another program: check it with ca-audit)'
	local whose name sql here

	here=$(pwd -P)
	while IFS='|' read -r whose sql; do
		cp "$MADE/new.db" ca.db
		rows ca.db "$sql"
		refuses 2 "ca-import: $here/ca.db: the certificate of $whose in it does not parse $altered" \
		    "${import[@]}" <"$MADE/jane.kms"
	done <<-'SQL'
	the CA|UPDATE config SET Value = '' WHERE Name = 'CACertificate'
	the CA|UPDATE config SET Value = x'3000' WHERE Name = 'CACertificate'
	the CA|UPDATE config SET Value = CAST(Value || x'00' AS BLOB) WHERE Name = 'CACertificate'
	a KRA|UPDATE kra SET RawCertificate = x''
	a KRA|UPDATE kra SET RawCertificate = CAST(RawCertificate || x'00ff' AS BLOB) WHERE KraID = 2
	SQL
	# bytes behind it, for the others too
	cp "$MADE/new.db" ca.db
	rows ca.db "UPDATE config SET Value = CAST(Value || x'00' AS BLOB)
	    WHERE Name = 'CACertificate'"
	refuses 2 "ca-init: $here/ca.db: the certificate of the CA in it does not parse $altered" \
	    ca-init -d ca.db <"$ORG/kra1.pem"
	# a version that there is not
	cp "$MADE/new.db" ca.db
	rows ca.db "UPDATE kra SET RawCertificate = CAST(replace(RawCertificate,
	    x'a003020102', x'a003020105') AS BLOB)"
	run_tool 2 "${import[@]}" <"$MADE/jane.kms"
	[[ $(<"$ERR") == "ca-import: a KRA certificate of the archive: "*" $altered" ]]
	nothing_out ca-import
	# rows that are half gone
	cp "$MADE/new.db" ca.db
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	rows ca.db 'PRAGMA foreign_keys = off; DELETE FROM request'
	run_tool 2 "${import[@]}" <"$MADE/jane.kms"
	grep -q -F "UNIQUE constraint failed: certificate.RequestID $altered" \
	    "$ERR"
}

@test "ca-import: settings that are no numbers" {
	local value name tool

	user 1 jane-1999 | closed >plain.rec

	for value in -1 4294967296 "'abc'" "'1'" 1.5 "x'01'" NULL; do
		for name in KRAFlags KRACertCount; do
			cp "$MADE/new.db" ca.db
			rows ca.db "UPDATE config SET Value = $value
			    WHERE Name = '$name'"
			for tool in 'ca-import -f' 'ca-setflag -n'; do
				# shellcheck disable=SC2086 # words
				run_tool 2 $tool -d ca.db <plain.rec
				[[ $(tail -n 1 "$ERR") == "${tool% *}: $(pwd -P)/ca.db: the value of $name is not a number of 32 bits (the archive was changed by another program: check it with ca-audit)" ]]
			done
		done
	done
	# the largest there is
	cp "$MADE/new.db" ca.db
	rows ca.db "UPDATE config SET Value = 4294967295
	    WHERE Name = 'RoleSeparationEnabled'"
	run_tool 0 ca-setflag -d ca.db RoleSeparationEnabled
	[[ $(only flag <"$OUT" | field old) == 4294967295 ]]
}

@test "ca-import: an archive without agents takes nothing" {
	sqlite3 ca.db 'DELETE FROM kra'
	run_tool 2 "${import[@]}" <"$MADE/jane.kms"
	says 'ca-import: the archive has no KRA: store one with ca-init (CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED 0x8009400A)'
	nothing_out ca-import
}

# opens ID NAME: that agent's key, and openssl, open the key of that row.
opens()
{
	rows ca.db "SELECT hex(RawArchivedKey) FROM request
	    WHERE RequestID = $1" | xxd -r -p >blob
	openssl cms -decrypt -binary -inform DER -in blob \
	    -recip "$ORG/$2.pem" -inkey "$ORG/$2.key" 2>/dev/null |
	    openssl rsa -inform MSBLOB -noout 2>/dev/null
}

# blob_of AGENT: what is in the file blob.
blob_of()
{
	openssl cms -decrypt -binary -inform DER -in blob \
	    -recip "$ORG/$1.pem" -inkey "$ORG/$1.key"
}

# form_of FILE: its ASN.1, without what is random.
form_of()
{
	openssl asn1parse -inform DER -in "$1" | sed 's/\[HEX DUMP\].*//'
}

@test "ca-import: KRACertCount takes the agents in turn" {
	local id

	ca-setflag -d ca.db KRACertCount 1 >/dev/null 2>&1
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	[[ $(only result <"$OUT" | field kra | xargs) == \
	    "$kra1 $kra2 $kra1" ]]
	for id in 1 3; do
		opens "$id" kra1
		not opens "$id" kra2
	done
	opens 2 kra2
	not opens 2 kra1
	# from the next import on, both
	ca-setflag -d ca.db KRACertCount 2 >/dev/null 2>&1
	user 1 bob-1999 | closed >one.rec
	run_tool 0 ca-import -f -d ca.db <one.rec
	[[ $(only result <"$OUT" | field kra | xargs -n 1 | sort) == \
	    "$(printf '%s\n' "$kra1" "$kra2" | sort)" ]]
	opens 4 kra1
	opens 4 kra2
	whole ca.db
}

@test "ca-import: -N of ca-init, with three agents and two of them each" {
	local kra3 id n=0

	openssl req -x509 -newkey rsa:3072 -noenc -days 365 -keyout kra3.key \
	    -subj '/CN=third' -out kra3.pem 2>/dev/null
	kra3=$(openssl x509 -in kra3.pem -outform DER | sha1sum | cut -c -40)
	rm ca.db
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" kra3.pem |
	    ca-init -f -N 2 -c "$ORG/ca.pem" -d ca.db >/dev/null 2>&1
	ca-setflag -d ca.db KRAFlags 1 >/dev/null 2>&1
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	diff - <(only result <"$OUT" | field kra) <<-END
	$kra1 $kra2
	$kra3 $kra1
	$kra2 $kra3
	END
	diff - <(rows ca.db "SELECT replace(replace(KeyRecoveryHashes, ' ', ''),
	    char(10), ' ') FROM request ORDER BY RequestID") <<-END
	$kra1 $kra2
	$kra3 $kra1
	$kra2 $kra3
	END
	opens 1 kra1
	opens 1 kra2
	ORG=$PWD not opens 1 kra3
	ORG=$PWD opens 3 kra3
	opens 3 kra2
	not opens 3 kra1
	opens 2 kra1
	ORG=$PWD opens 2 kra3
	# a message is made from the last one to the same agents, of a key of the
	# same length or not
	"${import[@]}" <"$MADE/export.kms" >out 2>err
	for id in $(rows ca.db 'SELECT RequestID FROM request
	    WHERE RequestID > 3 AND RawArchivedKey IS NOT NULL'); do
		((n += 1))
		case $((id % 3)) in
		1)	opens "$id" kra1
			opens "$id" kra2 ;;
		2)	ORG=$PWD opens "$id" kra3
			opens "$id" kra1 ;;
		0)	opens "$id" kra2
			ORG=$PWD opens "$id" kra3 ;;
		esac
	done
	((n > 18))
	# what openssl makes for the same agents has the same form
	opens 2 kra1
	head -c "$(blob_of kra1 | wc -c)" /dev/zero |
	    openssl cms -encrypt -binary -aes-256-cbc -outform DER -out openssl \
	    kra3.pem "$ORG/kra1.pem"
	diff <(form_of openssl) <(form_of blob)
}

# Side by side ----------------------------------------------------------------

# but_random DB: its rows, without what is random or of the moment.
but_random()
{
	rows "$1" "SELECT RequestID, length(RawArchivedKey), KeyRecoveryHashes,
	    KeyFormat, StatusCode, Disposition, DispositionMessage, KmsGroup,
	    KmsUser, KmsMail, MailboxGuid, Source, StreamId, certificate.*
	    FROM request JOIN certificate USING (RequestID)"
}

@test "ca-import: -j: the same rows, numbers, results and messages" {
	local jobs count

	sed '20s/\tuser:/&not /' "$MADE/export.kms" >altered.kms
	for count in 2 1; do
		for jobs in 1 2 5; do
			cp "$MADE/new.db" ca.db
			ca-setflag -d ca.db KRACertCount "$count" >/dev/null 2>&1
			run_tool 1 "${import[@]}" -P -j "$jobs" <altered.kms
			mv "$OUT" "out.$jobs"
			grep -v 'audit head' "$ERR" >"err.$jobs"
			but_random ca.db >"rows.$jobs"
			cmp out.1 "out.$jobs"
			cmp err.1 "err.$jobs"
			cmp rows.1 "rows.$jobs"
			whole ca.db
		done
	done
	[[ $(count imported out.5) == 23 && $(count refused out.5) == 1 ]]
	# of the last, with one agent a row: it opens a row, and no other does
	opens 1 kra1
	not opens 1 kra2
	opens 2 kra2
	not opens 2 kra1
	# no two processes made the same random numbers: the last block of the
	# content goes by key, IV and content, those of the agents by the key
	[[ $(rows ca.db "SELECT count(*) - count(DISTINCT substr(RawArchivedKey,
	    1, 500)) FROM request WHERE RawArchivedKey IS NOT NULL") == 0 ]]
	run_tool 1 "${import[@]}" -P -j 3 <altered.kms
	[[ $(count present "$OUT") == 23 ]]
}

@test "ca-import: -j: an agent whose key is not RSA" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -subj /CN=ec -keyout ec.key -out ec.pem 2>/dev/null
	cat "$ORG/kra1.pem" ec.pem | ca-init -f -c "$ORG/ca.pem" -d ec.db \
	    >/dev/null 2>&1
	ca-setflag -d ec.db KRAFlags 1 >/dev/null 2>&1
	run_tool 0 ca-import -f -d ec.db -j 4 "${machine[@]}" <"$MADE/jane.kms"
	[[ $(count imported "$OUT") == 3 ]]
	rows ec.db "SELECT hex(RawArchivedKey) FROM request
	    WHERE RequestID = 2" | xxd -r -p >blob
	ORG=$PWD blob_of ec >one
	blob_of kra1 | cmp - one
	openssl rsa -in one -inform MSBLOB -check -noout
}

@test "ca-import: -j: a process that is killed is exit 2, what is promised stays" {
	local pid status=0
	local -a crew

	[[ -r /proc/self/task/$$/children ]] || skip 'no list of children here'
	mkfifo in
	"${import[@]}" -j 2 <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	cat "$MADE/jane.kms" >&9
	until (($(only result <"$OUT" | wc -l) == 3)); do
		kill -0 "$pid"
	done
	read -r -a crew <"/proc/$pid/task/$pid/children" || :
	((${#crew[@]} == 2))
	kill -KILL "${crew[@]}"
	cat "$MADE/export.kms" >&9 2>/dev/null || :
	exec 9>&-
	wait "$pid" || status=$?
	((status == 2))
	grep -qxF 'ca-import: a process of -j: the process that read it was killed by signal 9 (Killed): the file is hostile, or a library has a fault' "$ERR"
	# nothing lies beside the archive
	[[ $(echo ca.db*) == ca.db ]]
	whole ca.db
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 3 ]]
	run_tool 0 "${import[@]}" -j 2 <"$MADE/export.kms"
	[[ $(count present "$OUT") == 3 && $(count imported "$OUT") == 21 ]]
}

# A result is a promise -------------------------------------------------------

@test "ca-import: results leave after the log is synced, never before" {
	need_strace
	user 1 jane-1999 >body
	# more than one commit: a result for each, in three batches
	many 2100 <body | closed >many.rec
	run_tool 0 "${traced[@]}" -qq -s 12 -o trace \
	    -e trace=openat,pwrite64,write,fdatasync,fsync \
	    ca-import -f -q -d ca.db <many.rec
	[[ $(count present "$OUT") == 2099 ]]
	# they are not dumpable, so only root sees what they write where
	if (($(id -u) != 0)) && ! grep -q -e '-wal"' trace; then
		skip 'strace sees no strings of the tools'
	fi
	awk '
	/openat\(.*-wal"/	{ wal = $NF }
	{ call = $0; sub(/^[0-9]+ +/, "", call) }
	index(call, "pwrite64(" wal ",") == 1	{ dirty = 1; writes++ }
	index(call, "fdatasync(" wal ")") == 1	{ if (dirty) synced = 1; dirty = 0 }
	index(call, "fsync(" wal ")") == 1	{ if (dirty) synced = 1; dirty = 0 }
	call ~ /^write\(1, "rec:/ {
		# the end may share the write of the last results, or follow it
		if (/"rec:result/ && (dirty || !synced)) {
			print "too early: " $0
			exit 1
		}
		if (/"rec:result/)
			batches++
		synced = 0
	}
	END { if (batches != 3 || !writes) { print "batches: " batches; exit 1 } }
	' trace
	[[ $(rows ca.db "SELECT count(*) FROM audit WHERE Action = 'import'") \
	    == 3 ]]
}

# start NUMBER [ARG...]: an importer that reads in.NUMBER and writes
# out.NUMBER, both pipes; its process is pid[NUMBER].
start()
{
	mkfifo "in.$1" "out.$1"
	"${import[@]}" -q "${@:2}" <"in.$1" >"out.$1" 2>"err.$1" 3>&- &
	pid[$1]=$!
}

# connect NUMBER: open both pipes, once all importers are started.
connect()
{
	exec {to[$1]}>"in.$1" {from[$1]}<"out.$1"
}

# send NUMBER LINES: these lines of the stream, as sed counts them.
send()
{
	sed -n "$2p" "$MADE/export.kms" >&"${to[$1]}"
}

# result NUMBER: the next result, which is in the archive.
result()
{
	local line

	read -r -t 60 line <&"${from[$1]}" || return
	echo "$line" >>"got.$1"
	echo "$line" >one
	kept ca.db one || return
	statuses one
}

@test "ca-import: a result comes as soon as its record is in" {
	local -a pid to from

	umask 0
	start 1
	connect 1
	send 1 1,2
	[[ $(result 1) == 'imported 1' ]]
	# while nothing more comes
	[[ $(stat -c '%n %a' ca.db*) == \
	    $'ca.db 600\nca.db-shm 600\nca.db-wal 600' ]]
	send 1 3
	[[ $(result 1) == 'imported 2' ]]
	# a setting holds at once
	ca-setflag -d ca.db KRAFlags 0 >/dev/null 2>&1
	send 1 4
	[[ $(result 1) == refused ]]
	ca-setflag -d ca.db KRAFlags 1 >/dev/null 2>&1
	ca-setflag -d ca.db KRACertCount 1 >/dev/null 2>&1
	send 1 5
	[[ $(result 1) == 'imported 3' ]]
	[[ $(tail -n 1 got.1 | field kra | wc -w) == 1 ]]
	exec {to[1]}>&-
	local status=0
	wait "${pid[1]}" || status=$?
	((status == 2))
	[[ $(tail -n 1 err.1) == 'ca-import: stdin:6: no end record: the stream was cut: fetch it whole, or take what is there with -P' ]]
	whole ca.db
}

@test "ca-import: half a line holds nobody up" {
	local -a pid to from
	local n status=0

	start 1
	connect 1
	# two records and most of the third at once, and no more for now
	sed -n 1,4p "$MADE/export.kms" >lines
	head -c -100 lines >&"${to[1]}"
	[[ $(result 1) == 'imported 1' ]]
	[[ $(result 1) == 'imported 2' ]]
	run_tool 0 timeout 20 "${import[@]}" <"$MADE/jane.kms"
	[[ $(count imported "$OUT") == 3 ]]
	tail -c 100 lines >&"${to[1]}"
	[[ $(result 1) == 'imported 6' ]]
	# nor does one before the first record of a batch
	sed -n 5p "$MADE/export.kms" | head -c 100 >&"${to[1]}"
	run_tool 0 timeout 20 "${import[@]}" <"$MADE/export.kms"
	sed -n 5p "$MADE/export.kms" | tail -c +101 >&"${to[1]}"
	[[ $(result 1) == present* ]]
	exec {to[1]}>&-
	wait "${pid[1]}" || status=$?
	((status == 2))
	whole ca.db
}

@test "ca-import: kill -9 in the middle keeps what was promised" {
	need_writes
	local -a pid to from
	local status=0 n

	start 1
	connect 1
	send 1 1,4
	for n in 1 2 3; do
		[[ $(result 1) == "imported $n" ]]
	done
	# of these nothing was promised yet
	send 1 5,8
	kill -KILL "${pid[1]}"
	wait "${pid[1]}" || status=$?
	((status == 137))
	cat <&"${from[1]}" >>got.1
	kept ca.db got.1
	[[ $(rows ca.db 'PRAGMA integrity_check') == ok ]]
	whole ca.db
	run_tool 0 "${import[@]}" -q <"$MADE/export.kms"
	head -n 3 "$OUT" | statuses /dev/stdin >first
	diff first <(printf 'present %d\n' 1 2 3)
	kept ca.db "$OUT"
	[[ $(rows ca.db 'SELECT count(*) FROM request') == 24 ]]
	whole ca.db
}

# faulty KIND STEP: let the Nth write to the archive, and those after it, go
# wrong, for every STEPth N until an import comes through.  KIND is of strace.
faulty()
{
	local n=1 status kind=$1 done=

	# the name of the call, and what is done to it
	while [[ -z $done ]]; do
		rm -f ca.db*
		cp "$MADE/new.db" ca.db
		status=0
		"${traced[@]}" -qq -o trace -e trace=pwrite64,fdatasync \
		    -e "inject=$kind:when=$n${3-}" \
		    ca-import -f -q -d ca.db "${machine[@]}" \
		    <"$MADE/jane.kms" >"$OUT" 2>"$ERR" || status=$?
		grep -q -E 'INJECTED|KILL' trace || done=1
		kept ca.db "$OUT" && whole ca.db || return
		case $kind,$status in
		*,0)
			# it was all in the log before, or nothing went wrong
			[[ $(count imported "$OUT") == 3 ]] || return ;;
		*signal*,137 | *signal*,265)
			;;
		*error*,2)
			nothing_out import || return
			grep -q -E '\((make room on the disk|look at the disk and at ulimit -f,) and run again\)$' \
			    "$ERR" || return ;;
		*)
			echo "exit $status: $kind, $n" >&2
			cat "$ERR" >&2
			return 1 ;;
		esac
		ca-import -f -q -d ca.db "${machine[@]}" <"$MADE/jane.kms" \
		    >"$OUT" 2>"$ERR" || return
		kept ca.db "$OUT" || return
		[[ $(rows ca.db 'SELECT count(RawArchivedKey)
		    FROM request') == 3 ]] || return
		((n += $2))
	done
	((n > 1 + $2))
}

@test "ca-import: kill -9 at any write to the archive" {
	need_writes
	need_strace
	faulty pwrite64:signal=SIGKILL 3
	faulty fdatasync:signal=SIGKILL 1
}

@test "ca-import: a disk that is full from any write on" {
	need_writes
	need_strace
	faulty pwrite64:error=ENOSPC 5 +
}

@test "ca-import: a disk that does not sync" {
	need_strace
	faulty fdatasync:error=EIO 1
}

@test "ca-import: no room for the archive (ulimit -f)" {
	need_writes
	local blocks said status rows done=

	for blocks in 1 4 16 32 33 36 40 41 44 48 52 56 64 96 128; do
		rm -f ca.db*
		cp "$MADE/new.db" ca.db
		status=0
		said=$(ulimit -f "$blocks" && "${import[@]}" -q \
		    <"$MADE/jane.kms" 2>&1 >"$OUT") || status=$?
		kept ca.db "$OUT"
		whole ca.db
		if ((status == 0)); then
			done=1
			break
		fi
		((status == 2))
		[[ $said == *'(look at the disk and at ulimit -f, and run again)' ]]
		# what has no result is not there, what is there has one
		rows=$(rows ca.db 'SELECT count(*) FROM request')
		[[ $(count imported "$OUT") == "$rows" ]]
		run_tool 0 "${import[@]}" <"$MADE/jane.kms"
		[[ $(count imported "$OUT") == $((3 - rows)) ]]
	done
	[[ -n $done ]]
}

@test "ca-import: output that is lost: the rows stay" {
	local status=0

	"${import[@]}" -q <"$MADE/jane.kms" >/dev/full 2>"$ERR" || status=$?
	((status == 2))
	grep -q -x 'ca-import: cannot write standard output: No space left on device' \
	    "$ERR"
	# what was committed is told, and its head comes last
	tail -n 2 "$ERR" | cmp - <(summary 3 3 3 0 0 0 0 0; audit_head)
	[[ $(ls) == ca.db ]]
	whole ca.db
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	[[ $(count present "$OUT") == 3 ]]
}

@test "ca-import: a reader that goes away" {
	local -a pid to from
	local status=0

	start 1
	connect 1
	send 1 1,2
	[[ $(result 1) == 'imported 1' ]]
	exec {from[1]}<&-
	send 1 3
	wait "${pid[1]}" || status=$?
	exec {to[1]}>&-
	((status == 2))
	grep -q -x 'ca-import: cannot write standard output: Broken pipe' err.1
	tail -n 1 err.1 | grep -q '^ca-import: audit head: '
	whole ca.db
	run_tool 0 "${import[@]}" -q <"$MADE/export.kms"
	[[ $(count present "$OUT") == 2 ]]
}

@test "ca-import: an archive that cannot be written" {
	need_unprivileged
	mkdir ro
	mv ca.db ro
	chmod 555 ro
	run_tool 2 "${unprivileged[@]}" ca-import -f -d ro/ca.db \
	    "${machine[@]}" <"$MADE/jane.kms"
	grep -q '(make the file and its directory writable)$' "$ERR"
	nothing_out ca-import
	cmp "$MADE/new.db" ro/ca.db
	chmod 755 ro
}

@test "ca-import: an archive that is moved away: nothing more is promised" {
	local -a pid to from
	local how status

	for how in 'mv ca.db else.db' 'rm ca.db' \
	    "mv ca.db else.db; cp '$MADE/new.db' ca.db" \
	    'rm ca.db-wal' 'cp ca.db-wal x; mv x ca.db-wal'; do
		rm -f ./*
		cp "$MADE/new.db" ca.db
		start 1
		connect 1
		send 1 1,2
		[[ $(result 1) == 'imported 1' ]]
		eval "$how"
		send 1 3
		exec {to[1]}>&-
		cat <&"${from[1]}" >rest
		exec {from[1]}<&-
		status=0
		wait "${pid[1]}" || status=$?
		((status == 2))
		[[ $(<err.1) == *"ca-import: $(pwd -P)/ca.db: was moved or replaced while in use: put it back, with what lies beside it, and run again" ]]
		[[ ! -s rest ]]
	done
}

# More than one ---------------------------------------------------------------

@test "ca-import: two at once, in step, and readers beside" {
	local -a pid to from
	local line status n total

	total=$(wc -l <"$MADE/export.kms")
	start 1
	start 2
	connect 1
	connect 2
	# the second stream, both importers waiting for each other's commits
	line=$(grep -n ^rec:end "$MADE/export.kms" | head -n 1)
	for ((line = ${line%%:*} + 1; line <= total; line++)); do
		send 1 "$line"
		send 2 "$line"
		case $(sed -n "${line}p" "$MADE/export.kms") in
		rec:stream* | rec:end*)	continue ;;
		esac
		result 1 >first
		result 2 >second
		case $(<first),$(<second) in
		imported\ *,present\ *)
			[[ $(cut -d ' ' -f 2 first) == \
			    $(cut -d ' ' -f 2 second) ]] ;;
		present\ *,imported\ *)
			[[ $(cut -d ' ' -f 2 first) == \
			    $(cut -d ' ' -f 2 second) ]] ;;
		fault,fault | ignored,ignored)
			;;
		*)
			echo "line $line: $(<first), $(<second)" >&2
			return 1 ;;
		esac
		((line % 4)) && continue
		ca-export -n -d ca.db 2>/dev/null | only archived | wc -l >seen
		[[ $(<seen) == "$(rows ca.db 'SELECT count(*)
		    FROM request')" ]]
	done
	exec {to[1]}>&- {to[2]}>&-
	cat <&"${from[1]}" >rest
	grep -q ^rec:end rest
	cat <&"${from[2]}" >rest
	for n in 1 2; do
		status=0
		wait "${pid[n]}" || status=$?
		((status == 0))
	done
	[[ $(rows ca.db 'SELECT count(*), count(DISTINCT CertificateHash),
	    count(RawArchivedKey) FROM request JOIN certificate
	    USING (RequestID)') == '11|11|10' ]]
	[[ $(cat got.1 got.2 | field status | grep -c -x imported) == 11 ]]
	whole ca.db
}

@test "ca-import: four at once, as fast as they can" {
	local -a pid
	local n first status

	awk '/^rec:stream/ { n++ } { print >"stream." n }' "$MADE/export.kms"
	cat stream.2 stream.1 >turned.kms
	for n in 1 2 3 4; do
		first=$MADE/export.kms
		((n % 2)) || first=turned.kms
		"${import[@]}" -q <"$first" >"got.$n" 2>"err.$n" 3>&- &
		pid[n]=$!
	done
	for n in 1 2 3 4; do
		status=0
		wait "${pid[n]}" || status=$?
		((status == 0)) || {
			cat "err.$n" >&2
			return 1
		}
		kept ca.db "got.$n"
	done
	[[ $(rows ca.db 'SELECT count(*), count(DISTINCT CertificateHash)
	    FROM request JOIN certificate USING (RequestID)') == '24|24' ]]
	[[ $(cat got.? | field status | grep -c -x imported) == 24 ]]
	[[ $(cat got.? | field status | grep -c -x present) == 72 ]]
	whole ca.db
}

@test "ca-import: a name that no archived record could hold is refused" {
	local long

	long=$(printf 'a%.0s' {1..8193})
	for label in user group source; do
		user 1 jane-1999 | sed "s/\t$label:[^\t]*/\t$label:$long/" |
		    closed >long.rec
		run_tool 1 ca-import -f -d ca.db <long.rec
		[[ $(statuses "$OUT") == refused* ]]
		grep -q "refused: $label of 8193 bytes, and a row keeps 8192\$" \
		    "$ERR"
		sed "s/\t$label:a/\t$label:/" long.rec | sed '$d' | closed >fits.rec
		cp "$MADE/new.db" fits.db
		run_tool 0 ca-import -f -d fits.db <fits.rec
		run_tool 0 ca-export -d fits.db
		[[ $(only archived <"$OUT" | wc -l) == 1 ]]
	done
	run_tool 2 ca-import -f -R "$(printf 'r%.0s' {1..2049})" -d ca.db <fits.rec
	says 'ca-import: -R: 2049 bytes, and RequesterName keeps 2048'
}

@test "ca-import: an agent that has expired stops it, unless ca-init is told" {
	openssl req -x509 -newkey rsa:2048 -noenc -days 1 -keyout /dev/null \
	    -subj /CN=odd -out odd.pem 2>/dev/null
	ca-init -f -d ca.db <odd.pem >kra 2>/dev/null
	[[ $(only kra <kra | field status) == forced ]]
	rows ca.db "SELECT Detail FROM audit ORDER BY AuditID DESC LIMIT 1" |
	    grep -q "kras=1 forced=$(only kra <kra | field sha1)"
	run_tool 0 "${import[@]}" <"$MADE/jane.kms"
	grep -q -x 'ca-import: warning: KRA CN=odd, forced: not issued by the CA of the archive' \
	    "$ERR"
	# given again, it stays as it is
	cp ca.db before.db
	run_tool 0 ca-init -f -d ca.db <odd.pem
	[[ $(only kra <"$OUT" | field status) == present ]]
	[[ $(last_head ca.db) == "$(last_head before.db)" ]]
}

# Ours is the library that talks to a network: no key and no password is there
# before it has done so.
@test "ca-import: a server is asked before a key is opened" {
	pkg-config --exists libpq || skip 'no libpq here'
	run_tool 2 ca-import -f -d "postgresql:///kms2ca?host=$PWD" \
	    -k "$ORG/machine.p12" -p env:NOT_THERE <"$MADE/jane.kms"
	grep -q 'connection to server' "$ERR"
	not grep -q NOT_THERE "$ERR"
}

@test "ca-import: a look-up in a tree without end is given up" {
	openssl req -x509 -newkey rsa:2048 -noenc -days 1 -keyout /dev/null \
	    -subj /CN=odd -out odd.pem 2>/dev/null
	ca-init -f -d ca.db <odd.pem >kra 2>/dev/null
	/usr/bin/python3 "$root/tests/wide_tree.py" ca.db audit
	run_tool 2 timeout 120 ca-import -f -d ca.db <"$MADE/jane.kms"
	nothing_out ca-import
	grep -q 'ca.db: cannot read: interrupted (the archive was changed by another program: check it with ca-audit)$' "$ERR"
}

@test "ca-import: a writer that dribbles holds back no result" {
	head -n 3 "$MADE/jane.kms" >lines
	run_tool 0 /usr/bin/python3 "$root/tests/dribble.py" ca-import -f \
	    -d ca.db "${machine[@]}" <lines
	[[ $(only result <"$OUT" | field status) == imported ]]
	# the writer was still at its line, and nobody waited for that
	read -r given _ all < <(tail -n 1 "$OUT")
	((given < all - 1))
}
