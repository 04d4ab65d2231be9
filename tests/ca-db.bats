#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# shellcheck disable=SC2094 # what is read before it is written
# shellcheck disable=SC2154 # arrays of ca.bash
#
# The archive as others see it: sqlite3 and openssl, and whoever alters it.

load common
load ca

# full.db has all of both backups, $HEADS its audit heads as they were printed;
# odd.db has the keys and names that the organisation lacks.
setup_file()
{
	local name n=0

	export MADE=$BATS_FILE_TMPDIR
	cd "$MADE" || return
	org_archive "$MADE"
	mv ca.db full.db
	export HEADS
	HEADS=$(sed -n 's/.*audit head: //p' log)
	odd_certificates
	new_archive odd.db
	for name in odd/*.pem; do
		record $((n += 1)) "$(basename "$name" .pem)" "$name" \
		    "${name%.pem}.key"
	done | closed | ca-import -f -d odd.db >odd.log 2>&1
}

# odd_certificates: keys that are not like the others, and hard names.
odd_certificates()
{
	local -a new=(openssl req -x509 -utf8 -days 30 -subj /CN=odd)
	local bits

	mkdir odd
	for bits in 520 1000 1001 1030; do
		"${new[@]}" -newkey "rsa:$bits" -noenc -sha1 \
		    -keyout "odd/rsa-$bits.key" -out "odd/rsa-$bits.pem"
	done
	"${new[@]}" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -keyout odd/ec.key -out odd/ec.pem
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 \
	    -pkeyopt rsa_keygen_pubexp:4294967297 -out odd/exponent.key
	openssl pkey -in "$BATS_TEST_DIRNAME/data/rsa-unlike.pem" \
	    -out odd/unlike.key
	for bits in exponent unlike; do
		"${new[@]}" -key "odd/$bits.key" -out "odd/$bits.pem"
	done
	printf '%s\n' '[req]' 'distinguished_name = dn' 'string_mask = utf8only' \
	    '[dn]' '[ext]' 'subjectKeyIdentifier = 0123456789abcdef' \
	    'subjectAltName = @san' '[san]' 'email.1 = first@example.com' \
	    'email.2 = second@example.com' \
	    'otherName = 1.3.6.1.4.1.311.20.2.3;FORMAT:UTF8,UTF8:grüße@example.com' \
	    >odd/cnf
	openssl req -x509 -config odd/cnf -extensions ext -utf8 -days 30 \
	    -newkey rsa:512 -noenc -set_serial 0x00f0e1d2c3b4a59687 \
	    -subj '/O=Exämple, "Ltd" \\ Co+OU=a=b/OU=#1; <x>/CN=Recipients/CN= Müller\, Jörg /emailAddress=old@example.com' \
	    -keyout odd/names.key -out odd/names.pem
} 2>/dev/null

# blob DB ID: the archived key of that row.
blob()
{
	rows "$1" "SELECT hex(RawArchivedKey) FROM request
	    WHERE RequestID = $2" | xxd -r -p
}

# key_file SHA1: where org.bash put the key of that certificate.
key_file()
{
	awk -F '\t' -v "sha1=$1" -v "keys=$ORG/keys" '$3 == sha1 {
		year = $13
		sub(/.*\//, "", year)
		sub(/\..*/, "", year)
		print keys "/" $5 "-" year ".key"
	}' "$ORG/ledger"
}

# recovered DB ID AGENT: what that agent and openssl get out of that row.
recovered()
{
	blob "$1" "$2" | openssl cms -decrypt -binary -inform DER \
	    -recip "$ORG/$3.pem" -inkey "$ORG/$3.key"
}

# judge: no tool of ours can be in what follows.
judge()
{
	PATH=/usr/bin:/bin
	not command -v ca-export
}

# No lock-in ------------------------------------------------------------------

@test "ca-db: every key opens with openssl alone, with either agent" {
	local id sha1 agent n=0

	judge
	rows "$MADE/full.db" 'SELECT RequestID, CertificateHash FROM request
	    JOIN certificate USING (RequestID)
	    WHERE RawArchivedKey IS NOT NULL' >list
	while IFS='|' read -r id sha1; do
		p8 "$(key_file "$sha1")" >want
		for agent in kra1 kra2; do
			recovered "$MADE/full.db" "$id" "$agent" |
			    openssl rsa -inform MSBLOB 2>/dev/null |
			    openssl pkcs8 -topk8 -nocrypt -outform DER |
			    cmp - want
		done
		((n += 1))
	done <list
	# shellcheck source=/dev/null
	source "$ORG/expected"
	((n == all_keys))
}

@test "ca-db: the commands of the page, word for word" {
	local count

	judge
	cp "$MADE/full.db" ca.db
	cp "$ORG"/kra1.{pem,p12,pw} .
	[[ $(rows ca.db 'SELECT KeyFormat FROM request WHERE RequestID = 7') \
	    == MSBLOB ]]
	awk '/^\.Sh/ { on = $2 == "EXAMPLES" }
	    on && /^\.Ed/ { print "echo ---"; block = 0 }
	    on && block { print }
	    on && /^\.Bd/ { block = 1 }' "$root/man/ca-db.5" |
	    sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g; s,/mnt/,$PWD/," >commands
	count=$(grep -c '^echo ---$' commands)
	((count == 5))
	bash -e -o pipefail commands >out
	grep -q 'jane\|[0-9]|MSBLOB|' out
	cmp <(openssl pkcs8 -topk8 -nocrypt -in 7.key -outform DER) \
	    <(p8 "$(key_file "$(sha1sum <7.cer | cut -c -40)")")
	awk '/^---$/ { n++; next } n == 3' out >hashes
	[[ $(wc -l <hashes) == 2 && $(sort -u hashes | wc -l) == 1 ]]
	[[ $(tail -n 2 out | head -n 1) == 24 ]]
}

@test "ca-db: the BLOB is that of MS-WCCE, byte for byte" {
	local id sha1 bits half len modulus

	rows "$MADE/full.db" 'SELECT RequestID, CertificateHash FROM request
	    JOIN certificate USING (RequestID) WHERE KeyFormat IS NOT NULL
	    GROUP BY PublicKeyLength' >list
	[[ $(wc -l <list) == 4 ]]
	while IFS='|' read -r id sha1; do
		recovered "$MADE/full.db" "$id" kra1 | xxd -p -c 0 >hex
		openssl rsa -in "$(key_file "$sha1")" -noout -modulus \
		    2>/dev/null >modulus
		modulus=$(sed 's/Modulus=//' modulus)
		bits=$((${#modulus} * 4))
		half=$((bits / 16))
		# version 2, CALG_RSA_KEYX, RSA2, bits, 65537
		[[ $(head -c 40 hex) == "0702000000a4000052534132$(printf %08x \
		    "$bits" | turned)01000100" ]]
		[[ $(tail -c +41 hex | head -c "${#modulus}") == \
		    "$(turned <<<"${modulus,,}")" ]]
		len=$(($(wc -c <hex) / 2))
		((len == 20 + bits / 4 + 5 * half))
	done <list
}

# turned: a line of hex, its bytes in the other order.
turned()
{
	turned_lines | tr -d '\n'
}

@test "ca-db: what the BLOB cannot hold is PKCS#8" {
	local name format id

	judge
	for name in ec exponent unlike rsa-520 rsa-1000 rsa-1001 rsa-1030 names
	do
		case $name in
		rsa-* | names)	format=MSBLOB ;;
		*)		format=PKCS8 ;;
		esac
		rows "$MADE/odd.db" "SELECT RequestID, KeyFormat FROM request
		    WHERE KmsUser = '$name'" >row
		id=$(cut -d '|' -f 1 row)
		[[ $(<row) == *"|$format" ]]
		if [[ $format == MSBLOB ]]; then
			recovered "$MADE/odd.db" "$id" kra2 |
			    openssl rsa -inform MSBLOB 2>/dev/null >got.pem
		else
			recovered "$MADE/odd.db" "$id" kra2 |
			    openssl pkey -inform DER >got.pem
		fi
		cmp <(openssl pkcs8 -topk8 -nocrypt -in got.pem -outform DER) \
		    <(p8 "$MADE/odd/$name.key")
	done
}

@test "ca-db: CMS EnvelopedData, AES-256-CBC, recipients by issuer and serial" {
	local id agent serial

	for id in 1 9; do
		blob "$MADE/full.db" "$id" >blob
		openssl cms -cmsout -print -inform DER -in blob >print
		[[ $(sed -n 's/ *contentType: \(.*\) (.*/\1/p' print | xargs) == \
		    'pkcs7-envelopedData pkcs7-data' ]]
		# version 0: neither key identifiers nor attributes
		[[ $(grep -c '^ *version: 0$' print) == 3 ]]
		[[ $(grep -c 'd\.ktri:' print) == 2 ]]
		[[ $(grep -c 'd\.issuerAndSerialNumber:' print) == 2 ]]
		[[ $(grep -c '^ *issuer: *O=Example, CN=Example CA$' print) == 2 ]]
		for agent in kra1 kra2; do
			serial=$(openssl x509 -in "$ORG/$agent.pem" -noout \
			    -serial)
			grep -q "^ *serialNumber: $((16#${serial#*=}))\$" print
		done
		[[ $(sed -n 's/ *algorithm: \(.*\) (.*/\1/p' print | xargs) == \
		    'rsaEncryption rsaEncryption aes-256-cbc' ]]
		openssl asn1parse -inform DER -in blob >/dev/null
		[[ $(openssl asn1parse -inform DER -in blob | head -n 1) == \
		    *"hl=4 l=$(printf %4d $(($(stat -c %s blob) - 4))) cons: SEQUENCE"* ]]
	done
}

@test "ca-db: no two rows share a content key or an IV" {
	rows "$MADE/full.db" 'SELECT hex(substr(RawArchivedKey, -64))
	    FROM request WHERE RawArchivedKey IS NOT NULL' >ends
	[[ $(wc -l <ends) == 23 && -z $(sort ends | uniq -d) ]]
	for id in 1 2 3 4 5; do
		blob "$MADE/full.db" "$id" |
		    openssl asn1parse -inform DER |
		    grep -A 1 aes-256-cbc | tail -n 1
	done >ivs
	[[ $(wc -l <ivs) == 5 ]]
	[[ -z $(sed 's/.*DUMP\]://' ivs | sort | uniq -d) ]]
}

@test "ca-db: KeyRecoveryHashes, as MS-WCCE writes them" {
	local pem want=

	for pem in "$ORG/kra1.pem" "$ORG/kra2.pem"; do
		want+=$(openssl x509 -in "$pem" -noout -fingerprint -sha1 |
		    sed 's/.*=//; s/:/ /g' | tr A-F a-f)$'\n'
	done
	[[ $(rows "$MADE/full.db" 'SELECT DISTINCT KeyRecoveryHashes
	    FROM request WHERE RawArchivedKey IS NOT NULL') == "${want%$'\n'}" ]]
	[[ $(rows "$MADE/full.db" "SELECT length(KeyRecoveryHashes) FROM request
	    WHERE RawArchivedKey IS NOT NULL LIMIT 1") == 119 ]]
	[[ $(rows "$MADE/full.db" 'SELECT count(*) FROM request
	    WHERE RawArchivedKey IS NULL AND KeyRecoveryHashes IS NULL
	    AND KeyFormat IS NULL AND KeyAudit IS NULL') == 1 ]]
}

# Columns ---------------------------------------------------------------------

# says_openssl: what openssl says of cer, a line a column.
says_openssl()
{
	local ski

	openssl x509 -inform DER -in cer -noout -serial -issuer -subject \
	    -startdate -enddate -nameopt RFC2253,-esc_msb -dateopt iso_8601 |
	    sed 's/^[A-Za-z]*=//; 1s/.*/\L&/; 4,5s/ /T/'
	openssl x509 -inform DER -in cer -noout -pubkey |
	    openssl pkey -pubin -outform DER >spki
	# the key bits: behind the last header of the SPKI
	openssl asn1parse -inform DER -in spki |
	    sed -n 's/.*l= *\([0-9]*\) prim: BIT STRING.*/\1/p' >len
	tail -c "$(<len)" spki | tail -c +2 >bits
	openssl x509 -inform DER -in cer -noout -text >text
	ski=$(grep -A 1 'X509v3 Subject Key Identifier' text | tail -n 1 |
	    tr -d ' :\n' | tr A-F a-f)
	[[ -n $ski ]] || ski=$(sha1sum <bits | cut -c -40)
	echo "$ski"
	xxd -p -c 0 bits
	sed -n 's/.*Public-Key: (\([0-9]*\) bit.*/\1/p' text
	sha1sum <cer | cut -c -40
	sha256sum <cer | cut -c -64
	sha256sum <spki | cut -c -64
}

# same_columns DB: every column of every certificate is what openssl says.
same_columns()
{
	local id

	rows "$1" 'SELECT RequestID FROM certificate' >ids
	[[ -s ids ]] || return
	while read -r id; do
		rows "$1" "SELECT hex(RawCertificate) FROM certificate
		    WHERE RequestID = $id" | xxd -r -p >cer
		sqlite3 -separator $'\n' "$1" "SELECT SerialNumber, IssuerName, DistinguishedName,
		    NotBefore, NotAfter, SubjectKeyIdentifier,
		    lower(hex(RawPublicKey)), PublicKeyLength, CertificateHash,
		    Sha256, SpkiHash FROM certificate
		    WHERE RequestID = $id" >got
		says_openssl | diff - got || return
	done <ids
}

@test "ca-db: the columns of a certificate are what openssl says" {
	same_columns "$MADE/full.db"
}

@test "ca-db: so they are with hard names, EC, v1 and odd sizes" {
	same_columns "$MADE/odd.db"
}

@test "ca-db: algorithm and parameters of the public key" {
	[[ $(rows "$MADE/odd.db" "SELECT KmsUser, PublicKeyAlgorithm,
	    hex(RawPublicKeyAlgorithmParameters) FROM request
	    JOIN certificate USING (RequestID)
	    WHERE KmsUser IN ('ec', 'rsa-1000') ORDER BY 1") == \
	    $'ec|1.2.840.10045.2.1|06082A8648CE3D030107\nrsa-1000|1.2.840.113549.1.1.1|0500' ]]
}

@test "ca-db: the parts of a name, mail and UPN" {
	local table

	for table in r c; do
		rows "$MADE/odd.db" "SELECT $table.CommonName, $table.OrgUnit,
		    $table.Organization, $table.EMail FROM request r
		    JOIN certificate c USING (RequestID)
		    WHERE KmsUser = 'names'" >got
		diff - got <<-'END'
		 Müller, Jörg |#1; <x>|Exämple, "Ltd" \ Co|first@example.com
		END
	done
	[[ $(rows "$MADE/odd.db" "SELECT UPN, SubjectKeyIdentifier, SerialNumber
	    FROM certificate JOIN request USING (RequestID)
	    WHERE KmsUser = 'names'") == \
	    'grüße@example.com|0123456789abcdef|f0e1d2c3b4a59687' ]]
	# a certificate of the KMS names its user last
	[[ $(rows "$MADE/full.db" "SELECT DISTINCT r.CommonName, r.OrgUnit,
	    r.Organization, r.EMail, UPN FROM request r JOIN certificate
	    USING (RequestID) WHERE KmsUser = 'erin'") == \
	    'erin|North America|Example|erin@example.com|' ]]
	[[ $(rows "$MADE/full.db" "SELECT r.EMail, UPN FROM request r
	    JOIN certificate USING (RequestID)
	    WHERE KmsUser = 'carol' AND Disposition = 20") == \
	    'carol@example.com|carol@example.com' ]]
}

@test "ca-db: what the KMS knew, and who imported it when" {
	local before after

	# from the stream, unchanged
	grep -E $'^rec:(stream|key|cert)\t' "$MADE/export.kms" |
	    awk -F '\t' '
	    function value(i) { return substr($i, index($i, ":") + 1) }
	    $1 == "rec:stream" { id = value(3); next }
	    $14 != "use:sign" { print value(16) "|" value(3) "|" value(4) \
	        "|" value(5) "|" value(6) "|" value(18) "|" id }' | sort >want
	rows "$MADE/full.db" 'SELECT CertificateHash, KmsGroup, KmsUser,
	    KmsMail, MailboxGuid, Source, StreamId FROM request
	    JOIN certificate USING (RequestID)' | sort >got
	diff want got
	[[ $(wc -l <got) == 24 ]]
	[[ $(rows "$MADE/full.db" 'SELECT DISTINCT StatusCode, RequesterName,
	    CallerName FROM request') == "0|$(id -un)|$(id -un)" ]]
	before=$(date -u +%FT%TZ)
	new_archive ca.db
	user 1 jane-1999 | closed | ca-import -f -d ca.db >/dev/null 2>&1
	after=$(date -u +%FT%TZ)
	[[ $(rows ca.db "SELECT SubmittedWhen = ResolvedWhen,
	    SubmittedWhen BETWEEN '$before' AND '$after',
	    (SELECT min(AddedWhen) FROM kra) BETWEEN '$before' AND '$after',
	    (SELECT min(AuditWhen) FROM audit) BETWEEN '$before' AND '$after',
	    CertAudit, KeyAudit FROM request") == '1|1|1|1|3|3' ]]
}

# page SECTION: the literal text there of ca-db(5).
page()
{
	awk -v "want=$1" '/^\.S[hs]/ { on = index($0, want) > 0 }
	    /^\.Ed/ { block = 0 }
	    on && block
	    /^\.Bd/ { block = 1 }' "$root/man/ca-db.5" |
	    sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g"
}

@test "ca-db: the schema is that of the page, and of the file that makes it" {
	local db sql

	page Schema >schema
	[[ $(wc -l <schema) -gt 40 ]]
	sqlite3 page.db <schema
	sed -n '/^-- SCHEMA$/,/^$/p' "$root/common/store/sqlite.sql" |
	    sqlite3 file.db
	sql="SELECT type, name, tbl_name, replace(replace(replace(replace(sql,
	    char(10), ''), ' ', ''), '\"', ''), char(9), '')
	    FROM sqlite_master ORDER BY name"
	for db in page.db file.db "$MADE/full.db"; do
		rows "$db" "$sql" >"got.${db##*/}"
		rows "$db" "SELECT m.name, p.* FROM sqlite_master m,
		    pragma_table_info(m.name) p ORDER BY 1, 2" >>"got.${db##*/}"
	done
	[[ $(wc -l <got.full.db) -gt 60 ]]
	diff got.page.db got.full.db
	diff got.file.db got.full.db
}

# Secrets ---------------------------------------------------------------------

# numbers KEY: the INTEGERs of an RSA key, hex, one a line.
numbers()
{
	openssl rsa -in "$1" -traditional -outform DER 2>/dev/null |
	    openssl asn1parse -inform DER |
	    sed -n 's/.*INTEGER *:\([0-9A-F]\{32,\}\)$/\L\1/p'
}

@test "ca-db: no key, no prime and no password is in the file" {
	local name n=0

	cp "$MADE/full.db" ca.db
	# the plain way in, and a log that was not merged yet
	p12-extract -p "list:$ORG/user.pws" \
	    <"$ORG/tree/zip/North America/jane/1999.p12" >jane.rec
	new_archive plain.db
	run_tool 0 ca-import -f -d plain.db <jane.rec
	sqlite3 -batch plain.db 'PRAGMA wal_checkpoint' '.shell cat plain.db* >both' \
	    >/dev/null
	cat "$MADE/full.db" both | xxd -p -c 0 >hex
	: >secrets
	: >public
	for name in "$ORG"/keys/*.key; do
		numbers "$name" >list
		[[ $(wc -l <list) == 7 ]]
		head -n 1 list >>public
		tail -n +2 list >>secrets
		((n += 1))
	done
	((n == 28))
	turned_lines <secrets >>secrets.le
	turned_lines <public >public.le
	not grep -q -F -f secrets hex
	not grep -q -F -f secrets.le hex
	# the search finds what is there: each modulus that was archived
	rows ca.db 'SELECT lower(hex(RawPublicKey)) FROM certificate' >keys
	[[ $(grep -o -F -f public keys | sort -u | wc -l) == 24 ]]
	grep -q -F -f public hex
	not grep -q -F -f public.le hex
	recovered ca.db 1 kra1 | xxd -p -c 0 >opened
	grep -q -F -f secrets.le opened
	# passwords, as text and as Windows writes them
	cat "$ORG"/*.pws "$ORG"/*.pw | grep -v -x -e 'for jane' -e password \
	    >passwords
	not grep -q -a -F -f passwords ca.db
	iconv -f UTF-8 -t UTF-16LE passwords | xxd -p -c 0 | sed 's/0a00/\n/g' |
	    grep . >wide
	[[ $(wc -l <wide) == "$(wc -l <passwords)" ]]
	not grep -q -F -f wide hex
}

# turned_lines: each line of hex, its bytes in the other order.
turned_lines()
{
	awk '{
		for (i = length($0) - 1; i > 0; i -= 2)
			printf "%s", substr($0, i, 2)
		print ""
	}'
}

@test "ca-db: no tool leaves rows in a log beside the file" {
	cp "$MADE/full.db" ca.db
	run_tool 0 ca-export -n -d ca.db
	run_tool 0 ca-export -d ca.db
	run_tool 1 ca-export -d ca.db -s 'nobody at all'
	run_tool 0 ca-setflag -d ca.db
	run_tool 0 ca-setflag -d ca.db KRACertCount 1
	run_tool 2 ca-setflag -d ca.db KRACertCount x
	run_tool 2 ca-import -f -d ca.db "${machine[@]}" <"$ORG/jane.pw"
	run_tool 0 ca-init -d ca.db <"$ORG/kra1.pem"
	[[ $(ls) == ca.db ]]
}

@test "ca-db: a copy and a backup are archives too" {
	cp "$MADE/full.db" ca.db
	sqlite3 ca.db '.backup copy.db'
	chmod 600 copy.db
	whole copy.db
	ca-export -n -d ca.db >one 2>/dev/null
	ca-export -n -d copy.db >two 2>/dev/null
	cmp one two
	run_tool 0 ca-import -f -d copy.db "${machine[@]}" <"$MADE/export.kms"
	[[ $(only result <"$OUT" | field status | grep -c -x present) == 24 ]]
}

@test "ca-db: a backup by VACUUM INTO becomes an archive with a log" {
	# pages of another size, as in an archive of an older version, do no harm
	sqlite3 "$MADE/full.db" "PRAGMA page_size = 4096; VACUUM INTO 'ca.db'"
	[[ $(rows ca.db 'PRAGMA journal_mode') == delete ]]
	[[ $(rows ca.db 'PRAGMA page_size') == 4096 ]]
	run_tool 0 ca-export -n -d ca.db
	run_tool 0 ca-setflag -d ca.db KRACertCount 1
	[[ $(rows ca.db 'PRAGMA journal_mode') == wal ]]
	whole ca.db
}

# Audit -----------------------------------------------------------------------

# checks HEAD [DB]: ca-audit -A accepts the chain.
checks()
{
	run_tool 0 ca-audit -A "$1" -d "${2:-ca.db}" || return
	grep -q '^ca-audit: audit: the chain is whole' "$ERR"
}

# finds MESSAGE SQL: after this, ca-audit finds that something was changed,
# and says what to do; MESSAGE is a pattern.
finds()
{
	local want

	cp "$MADE/full.db" ca.db
	# whoever insists takes the triggers away, and puts them back
	[[ -e triggers ]] || rows ca.db "SELECT sql || ';' FROM sqlite_schema
	    WHERE type = 'trigger'" >triggers
	rows ca.db "DROP TRIGGER audit_update; DROP TRIGGER audit_delete;
	    DROP TRIGGER audit_insert; DROP TRIGGER name_update;
	    DROP TRIGGER name_delete; $2;
	    $(<triggers)" || return
	run_tool 1 ca-audit -A "$head" -d ca.db || return
	grep -q $'\tstatus:altered\t' "$OUT" || return
	want="ca-audit: audit: $1: $go_back"
	tells "$want" || {
		echo "$2" >&2
		cat "$ERR" >&2
		return 1
	}
}

chain='audit row * does not follow from the one before it: rows were edited, deleted or moved'
altered="what audit row * recorded was changed since: rows were edited, added or deleted (* of $(id -un), 20*Z, wrote to *)"
go_back='compare with the results of ca-import, or go back to a copy'
nul='audit row with a column that is empty or holds a NUL'

# latest: the head that was printed last.
latest()
{
	tail -n 1 <<<"$HEADS"
}

@test "ca-db: the whole chain is accepted, with each head there was" {
	local one

	[[ $(wc -l <<<"$HEADS") == 3 ]]
	for one in $HEADS; do
		checks "$one" "$MADE/full.db"
	done
	[[ $(rows "$MADE/full.db" "SELECT group_concat(AuditID || ':' || Hash,
	    char(10)) FROM audit") == "$HEADS" ]]
	# and when the archive has gone on
	cp "$MADE/full.db" ca.db
	ca-setflag -d ca.db KRAFlags 0 >/dev/null 2>&1
	ca-setflag -d ca.db KRAFlags 1 >/dev/null 2>&1
	ca-export -d ca.db >/dev/null 2>&1
	ca-import -f -d ca.db "${machine[@]}" <"$MADE/export.kms" \
	    >/dev/null 2>&1
	ca-init -f -N 1 -d ca.db <"$ORG/ca.pem" >/dev/null 2>&1
	[[ $(rows ca.db "SELECT group_concat(Action, ' ') FROM audit") == \
	    'init flag import flag flag export import kra' ]]
	for one in $HEADS $(last_head ca.db); do
		checks "$one"
	done
	[[ $(<"$ERR") == *"it is now $(last_head ca.db)"* ]]
}

@test "ca-db: the chain follows from the page" {
	local before='' id when caller action detail digest hash

	rows "$MADE/full.db" 'SELECT * FROM audit ORDER BY AuditID' >chain
	[[ $(wc -l <chain) == 3 ]]
	while IFS='|' read -r id when caller action detail digest hash; do
		for field in "$id" "$when" "$caller" "$action" "$detail" \
		    "$digest"; do
			printf '%d:%s' "${#field}" "$field"
		done >fields
		[[ $( (printf %s "$before"; cat fields) | sha256sum) == "$hash "* ]]
		before=$hash
	done <chain
}

# hexed NUMBER: SQL for the bytes that Digest takes of columns c1, c2...
hexed()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		printf "%s hex(CAST(CASE typeof(c%d) WHEN 'integer' THEN 1
		    WHEN 'text' THEN 3 WHEN 'blob' THEN 4 ELSE 5 END || ':' ||
		    coalesce(length(CAST(c%d AS BLOB)), 0) || ':' AS BLOB)) ||
		    hex(c%d)" "$( ((i == 1)) || echo '||')" "$i" "$i" "$i"
	done
}

# keyed DB QUERY: the same of archived keys, which stand as their SHA-256.
keyed()
{
	local id blob hashes format

	rows "$1" "SELECT RequestID, hex(RawArchivedKey),
	    hex(KeyRecoveryHashes), hex(KeyFormat) FROM ($2)" |
	    while IFS='|' read -r id blob hashes format; do
		printf '1:%d:%s4:32:' "${#id}" "$id" | xxd -p
		xxd -r -p <<<"$blob" | sha256sum | cut -c -64
		printf '3:%d:' $((${#hashes} / 2)) | xxd -p
		echo "$hashes"
		printf '3:%d:' $((${#format} / 2)) | xxd -p
		echo "$format"
	done
}

@test "ca-db: every Digest follows from the queries of the page" {
	local id n db query columns=(39 0 0 9 8 2 5 2)

	page audit >queries
	[[ $(grep -c ^SELECT queries) == "${#columns[@]}" ]]
	cp "$MADE"/{full,odd}.db .
	run_tool 0 ca-setflag -d odd.db KRACertCount 1
	for db in full odd; do
		rows "$db.db" 'SELECT AuditID, Digest FROM audit' >want
		[[ $(wc -l <want) -ge 3 ]]
		while IFS='|' read -r id _; do
			for ((n = 1; n <= ${#columns[@]}; n++)); do
				query=$(awk -v "n=$n" '/^SELECT/ { i++ }
				    i == n' queries)
				if ((columns[n - 1] == 0)); then
					keyed "$db.db" "${query//\?1/$id}"
					continue
				fi
				rows "$db.db" "WITH v($(seq -s , -f c%g \
				    "${columns[n - 1]}")) AS (${query//\?1/$id})
				    SELECT $(hexed "${columns[n - 1]}") FROM v"
			done | xxd -r -p | sha256sum |
			    sed "s/^/$id|/; s/  -//"
		done <want | diff want -
	done
}

@test "ca-db: a head that is none" {
	local head one zeros

	head=$(latest)
	zeros=$(printf '0%.0s' {1..64})
	for one in '' x 1 3: :x 3:abc "${head#*:}" "${head%?}" "${head}0" \
	    "0$head" " $head" "$head " "$head"$'\n' "-$head" "3:${zeros%0}g" \
	    "12345678901234567890:$zeros" $'3:\e[2J'; do
		refuses 2 'ca-audit: -A: not ID:HEX (is a variable of the script not set?)' \
		    ca-audit -A "$one" -d "$MADE/full.db"
	done
	for one in "1:${head#*:}" "3:$zeros" "99:${head#*:}" \
	    "1234567890123456789:$zeros"; do
		run_tool 1 ca-audit -A "$one" -d "$MADE/full.db"
		says "ca-audit: audit: the head $one is not in the chain: it was cut or written anew: $go_back"
		grep -q $'\tstatus:altered\t' "$OUT"
	done
	# as it may be typed
	checks "${head^^}" "$MADE/full.db"
}

@test "ca-db: -A says what was done since that head" {
	local one
	local -a heads

	cp "$MADE/full.db" ca.db
	ca-setflag -d ca.db KRAFlags 0 >/dev/null 2>&1
	ca-export -d ca.db >/dev/null 2>&1
	ca-import -f -d ca.db "${machine[@]}" <"$MADE/export.kms" \
	    >/dev/null 2>&1
	ca-init -f -d ca.db <"$ORG/ca.pem" >/dev/null 2>&1
	mapfile -t heads < <(rows ca.db "SELECT AuditID || ':' || Hash FROM audit")
	rows ca.db "SELECT 'ca-audit: since then: ' || AuditID || ' ' ||
	    AuditWhen || ' ' || Caller || ' ' || Action || ' ' || Detail
	    FROM audit WHERE Action IN ('flag', 'kra') ORDER BY AuditID" >all
	[[ $(wc -l <all) == 3 ]]
	for one in 0:3 1:2 2:2 3:1 4:1 5:1 6:0; do
		checks "${heads[${one%:*}]}"
		grep 'since then' "$ERR" >got || :
		tail -n "${one#*:}" all | cmp - got
	done
}

@test "ca-db: a key that was encrypted to an agent that is gone is found" {
	new_archive ca.db
	# there for an import, taken away after it
	openssl req -x509 -newkey rsa:1024 -noenc -days 3 -subj /CN=odd \
	    -keyout /dev/null -out odd.pem 2>/dev/null
	ca-init -f -d ca.db <odd.pem >/dev/null 2>&1
	user 1 jane-1999 | closed | ca-import -f -d ca.db >/dev/null 2>&1
	rows ca.db 'DELETE FROM kra WHERE KraID = 3'
	run_tool 1 ca-audit -A "$(last_head ca.db)" -d ca.db
	grep -qxF 'ca-audit: audit: the key of row 1 was encrypted to an agent that is not in the archive: find out whose SHA-1 is in kra of ca-export -n' "$ERR"
	grep -q $'\tstatus:altered\t' "$OUT"
}

@test "ca-db: an edit of any column of any table is found" {
	local head table column row n=0

	head=$(latest)
	rows "$MADE/full.db" "SELECT m.name, p.name FROM sqlite_master m,
	    pragma_table_info(m.name) p WHERE m.type = 'table'
	    AND m.name NOT IN ('audit', 'name')" >columns
	while IFS='|' read -r table column; do
		# rekey.bats and faults.bats have archives with something in these
		[[ $table != @(keyversion|cure) ]] || continue
		row="rowid = (SELECT max(rowid) FROM $table)"
		[[ $table != config ]] || row="Name = 'KRAFlags'"
		finds '*' "UPDATE $table SET $column = CASE typeof($column)
		    WHEN 'integer' THEN $column + 7
		    WHEN 'blob' THEN zeroblob(length($column))
		    WHEN 'null' THEN 'x' ELSE $column || ' ' END WHERE $row"
		((n += 1))
	done <columns
	((n >= 50))
}

@test "ca-db: so is an edit that leaves the same bytes" {
	local head

	head=$(latest)
	finds "$altered" 'UPDATE request SET KmsUser = CAST(KmsUser AS BLOB)
	    WHERE RequestID = 3'
	finds "$altered" 'UPDATE certificate SET RawCertificate =
	    CAST(RawCertificate AS TEXT) WHERE RequestID = 3'
	finds "$nul" "UPDATE audit SET Detail = Detail || char(0) || 'x'
	    WHERE AuditID = 2"
}

@test "ca-db: an edit of the audit table is found" {
	local head column id

	head=$(latest)
	for id in 1 2 3; do
		for column in AuditWhen Caller Action Detail Digest Hash; do
			finds "$chain" "UPDATE audit
			    SET $column = $column || '0' WHERE AuditID = $id"
		done
	done
	finds '*' 'UPDATE audit SET AuditID = 9 WHERE AuditID = 3'
	finds "$chain" "UPDATE audit SET Hash = upper(Hash) WHERE AuditID = 3"
	# moved
	finds '*' 'UPDATE audit SET AuditID = 9 WHERE AuditID = 2;
	    UPDATE audit SET AuditID = 2 WHERE AuditID = 3;
	    UPDATE audit SET AuditID = 3 WHERE AuditID = 9'
}

@test "ca-db: rows that were deleted are found" {
	local head id

	head=$(latest)
	finds "$altered" 'DELETE FROM request WHERE RequestID = 5;
	    DELETE FROM certificate WHERE RequestID = 5'
	finds "$altered" 'DELETE FROM request WHERE RequestID = 5'
	finds "$altered" 'DELETE FROM certificate WHERE RequestID = 5'
	finds "$altered" 'DELETE FROM request; DELETE FROM certificate'
	finds "$altered" 'UPDATE request SET RawArchivedKey = NULL,
	    KeyRecoveryHashes = NULL, KeyFormat = NULL, KeyAudit = NULL
	    WHERE RequestID = 5'
	finds "$altered" 'DELETE FROM kra WHERE KraID = 2'
	finds "$altered" "DELETE FROM config WHERE Name = 'CACertificate'"
	for id in KRAFlags KRACertCount RoleSeparationEnabled; do
		finds "setting $id is not as the audited commits left it" \
		    "DELETE FROM config WHERE Name = '$id'"
	done
	for id in 1 2; do
		finds "$chain" "DELETE FROM audit WHERE AuditID = $id"
	done
	finds 'row * is not as the audited commits left it' \
	    'DELETE FROM audit WHERE AuditID = 3'
	finds '*' 'DELETE FROM audit'
}

@test "ca-db: rows that were moved or swapped are found" {
	local head

	head=$(latest)
	finds "$altered" 'UPDATE request SET RawArchivedKey = (SELECT
	    RawArchivedKey FROM request WHERE RequestID = 2)
	    WHERE RequestID = 1'
	finds "$altered" 'UPDATE certificate SET RequestID = 99
	    WHERE RequestID = 1;
	    UPDATE certificate SET RequestID = 1 WHERE RequestID = 2;
	    UPDATE certificate SET RequestID = 2 WHERE RequestID = 99'
	finds "$altered" 'UPDATE request SET RequestID = 99 WHERE RequestID = 1;
	    UPDATE certificate SET RequestID = 99 WHERE RequestID = 1'
	finds "$altered" 'UPDATE request SET CertAudit = 2 WHERE RequestID = 1'
	finds "$altered" 'UPDATE request SET KeyAudit = 2 WHERE RequestID = 1'
	finds "$altered" 'UPDATE kra SET AuditID = 2'
}

@test "ca-db: what was planted is found" {
	local head audit message row name replaces

	head=$(latest)
	row='INSERT INTO request SELECT 99, RawArchivedKey, KeyRecoveryHashes,
	    StatusCode, Disposition, DispositionMessage, SubmittedWhen,
	    ResolvedWhen, RequesterName, CallerName, DistinguishedName,
	    CommonName, OrgUnit, Organization, EMail, KeyFormat, KmsGroup,
	    KmsUser, KmsMail, MailboxGuid, Source, StreamId'
	for audit in 3 9 -1; do
		message='row 99 is not as the audited commits left it'
		[[ $audit != 3 ]] || message=$altered
		finds "$message" "$row, $audit, $audit FROM request LIMIT 1"
		[[ $audit == 3 ]] || message='KRA 3 is not as the audited commits left it'
		finds "$message" "INSERT INTO kra SELECT 3, 'a', 'b',
		    RawCertificate, AddedWhen, $audit FROM kra LIMIT 1"
	done
	finds 'certificate 99 is not as the audited commits left it' \
	    "INSERT INTO certificate SELECT 99, RawCertificate, CertificateHash,
	    'x', SerialNumber, IssuerName, NotBefore, NotAfter,
	    SubjectKeyIdentifier, RawPublicKey, PublicKeyLength,
	    PublicKeyAlgorithm, RawPublicKeyAlgorithmParameters, SpkiHash, UPN,
	    DistinguishedName, CommonName, OrgUnit, Organization, EMail
	    FROM certificate LIMIT 1"
	# a key for the certificate that has none
	finds '*' "UPDATE request SET RawArchivedKey = x'30', KeyAudit = 3
	    WHERE RawArchivedKey IS NULL"
	finds 'row * is not as the audited commits left it' \
	    "UPDATE request SET RawArchivedKey = x'30'
	    WHERE RawArchivedKey IS NULL"
	finds 'row * is not as the audited commits left it' \
	    "UPDATE request SET KeyFormat = 'PKCS8'
	    WHERE RawArchivedKey IS NULL"
	# a name, whoever vouches for it
	for row in '3, 1, NULL' '9, 1, NULL' '3, 99, NULL' '3, 1, 7'; do
		IFS=', ' read -r audit name replaces <<<"$row"
		message='name 1 is not as the audited commits left it'
		[[ $row != '3, 1, NULL' ]] || message=$altered
		finds "$message" "INSERT INTO name VALUES (1, $name, '',
		    'mallory', '', '', '', '', $replaces, $audit)"
	done
	finds 'setting Password is not as the audited commits left it' \
	    "INSERT INTO config VALUES ('Password', 1, 2)"
}

@test "ca-db: a schema that was changed is found" {
	local schema='the schema is not that of ca-db(5): a trigger or view may change what is written or shown: go back to a copy, or drop it'
	local sql head n=0

	head=$(latest)
	while IFS= read -r sql; do
		cp "$MADE/full.db" ca.db
		sqlite3 ca.db "$sql"
		run_tool 1 ca-audit -A "$head" -d ca.db
		says "ca-audit: audit: the schema is not that of ca-db(5): a table, index, view or trigger was added, dropped or changed: $go_back"
		# and nothing is written to it
		refuses 2 "ca-export: $(pwd -P)/ca.db: $schema" \
		    ca-export -d ca.db
		refuses 2 "ca-setflag: $(pwd -P)/ca.db: $schema" \
		    ca-setflag -d ca.db KRAFlags 0
		# nor shown
		refuses 2 "ca-export: $(pwd -P)/ca.db: $schema" \
		    ca-export -n -d ca.db
		refuses 2 "ca-setflag: $(pwd -P)/ca.db: $schema" \
		    ca-setflag -d ca.db
		((n += 1))
	done <<-'SQL'
	CREATE TRIGGER x AFTER INSERT ON request BEGIN DELETE FROM kra; END
	CREATE VIEW x AS SELECT 1
	CREATE TABLE x(y)
	CREATE INDEX x ON request(KmsUser)
	DROP TRIGGER audit_update
	DROP TRIGGER audit_insert
	DROP INDEX request_CertAudit
	DROP TRIGGER name_delete
	ALTER TABLE request ADD COLUMN x
	SQL
	((n == 9))
	# what SQLite itself keeps is no change
	cp "$MADE/full.db" ca.db
	sqlite3 ca.db 'ANALYZE; VACUUM'
	run_tool 0 ca-audit -A "$head" -d ca.db
}

# insists MESSAGE: after the SQL on stdin, with all that SQLite lets those do who
# insist, -A finds that something was changed; MESSAGE is a pattern.
insists()
{
	local want

	cp "${2-$MADE/full.db}" ca.db
	{ echo '.dbconfig defensive off'; cat; } | sqlite3 ca.db >insisted
	grep -q 'defensive off' insisted
	run_tool 1 ca-audit -A "$head" -d ca.db || return
	grep -q $'\tstatus:altered\t' "$OUT" || return
	want="ca-audit: audit: $1: $go_back"
	tells "$want" || {
		cat "$ERR" >&2
		return 1
	}
}

@test "ca-db: the type of a column of the audit table counts" {
	local head column trigger

	cp "$MADE/full.db" old.db
	run_tool 0 ca-setflag -d old.db KRAFlags 0
	head=$(last_head old.db)
	trigger=$(rows old.db "SELECT sql FROM sqlite_schema
	    WHERE name = 'audit_update'")
	# a flag comes back, the commit that took it away is not seen
	insists 'audit row with a column of another type' old.db <<-SQL
	DROP TRIGGER audit_update;
	UPDATE audit SET Action = CAST(Action AS BLOB) WHERE AuditID = 4;
	$trigger;
	UPDATE config SET Value = 1, AuditID = 2 WHERE Name = 'KRAFlags';
	SQL
	for column in AuditWhen Caller Action Detail Digest Hash; do
		insists 'audit row with a column of another type' old.db <<-SQL
		DROP TRIGGER audit_update;
		UPDATE audit SET $column = CAST($column AS BLOB);
		$trigger;
		SQL
	done
}

@test "ca-db: a row that is in no index is found" {
	local head index

	head=$(latest)
	index="name IN ('request_CertAudit', 'request_KeyAudit')"
	insists 'the file is damaged: * index request_*' <<-SQL
	PRAGMA writable_schema = on;
	CREATE TEMP TABLE s AS SELECT * FROM sqlite_schema WHERE $index;
	DELETE FROM sqlite_schema WHERE $index;
	PRAGMA writable_schema = reset;
	CREATE TEMP TABLE r AS SELECT * FROM request WHERE RequestID = 1;
	CREATE TEMP TABLE c AS SELECT * FROM certificate WHERE RequestID = 1;
	UPDATE r SET RequestID = 99;
	UPDATE c SET RequestID = 99, Sha256 = 'x';
	INSERT INTO request SELECT * FROM r;
	INSERT INTO certificate SELECT * FROM c;
	PRAGMA writable_schema = on;
	INSERT INTO sqlite_schema SELECT * FROM s;
	PRAGMA writable_schema = reset;
	SQL
}

@test "ca-db: a NULL where none may be is found" {
	local head

	head=$(latest)
	insists 'the file is damaged: NULL value in kra.AuditID' <<-'SQL'
	PRAGMA writable_schema = on;
	UPDATE sqlite_schema SET sql = replace(sql, 'AuditID integer not null',
	    'AuditID integer') WHERE name = 'kra';
	PRAGMA writable_schema = reset;
	INSERT INTO kra SELECT 3, 'a', 'b', RawCertificate, AddedWhen, NULL
	    FROM kra LIMIT 1;
	PRAGMA writable_schema = on;
	UPDATE sqlite_schema SET sql = replace(sql, 'AuditID integer)',
	    'AuditID integer not null)') WHERE name = 'kra';
	SQL
}

@test "ca-db: a name that SQLite keeps for itself hides nothing" {
	local head name

	head=$(latest)
	for name in sqlite_x sqlite_stat1 sqlite_sequence; do
		insists 'the schema is not that of ca-db(5)*' <<-SQL
		CREATE TRIGGER x AFTER UPDATE OF RawArchivedKey ON request
		    BEGIN UPDATE request SET RawArchivedKey = x'00'; END;
		PRAGMA writable_schema = on;
		UPDATE sqlite_schema SET name = '$name',
		    sql = replace(sql, 'R x', 'R $name') WHERE name = 'x';
		SQL
	done
}

@test "ca-db: settings that are none are found" {
	local head

	head=$(latest)
	finds 'setting imported is not as the audited commits left it' \
	    "INSERT INTO config VALUES ('imported', 24, 3)"
	finds 'setting kras is not as the audited commits left it' \
	    "INSERT INTO config VALUES ('kras', 2, 1)"
	finds 'setting KRAFlags is not as the audited commits left it' \
	    "UPDATE config SET Value = '1' WHERE Name = 'KRAFlags'"
}

@test "ca-db: nothing follows an audit row that is none" {
	local id triggers

	triggers=$(rows "$MADE/full.db" "SELECT sql || ';' FROM sqlite_schema
	    WHERE type = 'trigger' AND tbl_name = 'audit'")
	for id in 9223372036854775807 0 -1 -9223372036854775808; do
		cp "$MADE/full.db" ca.db
		sqlite3 ca.db <<-SQL
		DROP TRIGGER audit_delete;
		DELETE FROM audit WHERE AuditID > 1;
		DROP TRIGGER audit_update;
		DROP TRIGGER audit_insert;
		UPDATE audit SET AuditID = $id;
		$triggers
		SQL
		refuses 2 "ca-setflag: $(pwd -P)/ca.db: no audit row can follow row $id (the archive was changed by another program: check it with ca-audit)" \
		    ca-setflag -d ca.db KRAFlags 0
	done
}

@test "ca-db: a flag that was set behind our back is found" {
	local head

	head=$(latest)
	finds 'setting KRAFlags is not as the audited commits left it' \
	    "UPDATE config SET Value = 3 WHERE Name = 'KRAFlags'"
	finds 'setting KRACertCount is not as the audited commits left it' \
	    "UPDATE config SET Value = 1 WHERE Name = 'KRACertCount'"
	# its value of an earlier commit, with the number of that commit
	finds 'setting KRAFlags is not as the audited commits left it' \
	    "UPDATE config SET Value = 0, AuditID = 1 WHERE Name = 'KRAFlags'"
	finds 'setting KRAFlags is not as the audited commits left it' \
	    "INSERT INTO audit SELECT 9, AuditWhen, Caller, 'export',
	    'KRAFlags=3', Digest, Hash FROM audit WHERE AuditID = 3;
	    UPDATE config SET Value = 3, AuditID = 9 WHERE Name = 'KRAFlags';
	    DELETE FROM audit WHERE AuditID = 9"
}

@test "ca-db: a token of ca-export cannot pass for a setting" {
	local head

	cp "$MADE/full.db" ca.db
	run_tool 0 ca-export -d ca.db -s 'x KRAFlags=3 y' -s erin
	checks "$(latest)"
	rows ca.db "UPDATE config SET Value = 3, AuditID = 4
	    WHERE Name = 'KRAFlags'"
	run_tool 1 ca-audit -A "$(latest)" -d ca.db
	says "ca-audit: audit: setting KRAFlags is not as the audited commits left it: $go_back"
}

@test "ca-db: a chain that was cut back, or written anew, lacks the head" {
	local head cut='the head * is not in the chain: it was cut or written anew'

	head=$(latest)
	# back to the commit before, without a trace
	finds "$cut" 'DELETE FROM audit WHERE AuditID = 3;
	    DELETE FROM request; DELETE FROM certificate; DELETE FROM fault'
	# an archive that is right by itself
	new_archive ca.db
	ca-import -f -d ca.db "${machine[@]}" <"$MADE/export.kms" \
	    >/dev/null 2>&1
	checks "$(last_head ca.db)"
	run_tool 1 ca-audit -A "$head" -d ca.db
	grep -q $'\tstatus:altered\t' "$OUT"
	says "ca-audit: audit: the head $head is not in the chain: it was cut or written anew: $go_back"
}

@test "ca-db: the audit table is append-only to those who do not insist" {
	cp "$MADE/full.db" ca.db
	for sql in 'UPDATE audit SET Caller = 1' 'DELETE FROM audit' \
	    "INSERT OR REPLACE INTO audit SELECT AuditID, AuditWhen, 'x',
	    Action, Detail, Digest, Hash FROM audit WHERE AuditID = 2" \
	    "REPLACE INTO audit SELECT 1, AuditWhen, 'x', Action, Detail,
	    Digest, Hash FROM audit"; do
		run sqlite3 ca.db "$sql"
		((status != 0))
		[[ $output == *'the audit table is append-only'* ]]
	done
	rows ca.db .dump | cmp - <(rows "$MADE/full.db" .dump)
}

# What believes nobody --------------------------------------------------------

# planted WHAT NUMBER: SQL that puts it into the archive, as of that commit.
planted()
{
	case $1 in
	KRA)	echo "INSERT INTO kra SELECT 3, 'a', 'b', RawCertificate,
		    AddedWhen, $2 FROM kra LIMIT 1" ;;
	row)	echo "INSERT INTO request SELECT 99, NULL, NULL, StatusCode,
		    Disposition, DispositionMessage, SubmittedWhen,
		    ResolvedWhen, RequesterName, CallerName, DistinguishedName,
		    CommonName, OrgUnit, Organization, EMail, NULL, KmsGroup,
		    KmsUser, KmsMail, MailboxGuid, Source, StreamId, $2, NULL
		    FROM request LIMIT 1" ;;
	name)	echo "INSERT INTO name VALUES (1, 1, '', 'mallory', '', '', '',
		    '', 0, $2)" ;;
	setting) echo "UPDATE config SET Value = 3, AuditID = $2
		    WHERE Name = 'KRAFlags'" ;;
	esac
}

@test "ca-db: no commit adopts what was planted with its number, or a later" {
	local what next head before

	head=$(latest)
	next=$((${head%%:*} + 1))
	user 1 judy-2003 | closed >one.rec
	for what in KRA row setting name; do
		for at in "$next" $((next + 5)); do
			cp "$MADE/full.db" ca.db
			rows ca.db "$(planted "$what" "$at")"
			before=$(rows ca.db .dump)
			run_tool 2 ca-import -f -d ca.db <one.rec
			nothing_out ca-import
			grep -q "^ca-import: $(pwd -P)/ca.db: altered: $what [A-Za-z0-9]* says that audit row $at wrote it, which is not there yet: " "$ERR"
			run_tool 2 ca-export -s erin -d ca.db
			nothing_out ca-export
			run_tool 2 ca-setflag -d ca.db KRACertCount 1
			run_tool 2 ca-init -f -d ca.db <"$ORG/ca.pem"
			[[ $(rows ca.db .dump) == "$before" ]]
			run_tool 1 ca-audit -A "$head" -d ca.db
		done
	done
}

@test "ca-db: a commit that adopted something is found, with a head from before" {
	local head id when caller action detail digest before query field

	cp "$MADE/full.db" ca.db
	ca-export -s erin -d ca.db >/dev/null 2>&1
	head=$(latest)
	# what the next commit of a tool of before did: it hashed it in
	rows ca.db "$(planted KRA 4)"
	page audit >queries
	query=$(awk '/^SELECT KraID/ { on = 1 } /^SELECT Name/ { on = 0 }
	    on' queries)
	digest=$(rows ca.db "WITH v(c1, c2, c3, c4, c5) AS (${query//\?1/4})
	    SELECT $(hexed 5) FROM v" | xxd -r -p | sha256sum)
	digest=${digest%% *}
	before=$(rows ca.db 'SELECT Hash FROM audit WHERE AuditID = 3')
	IFS='|' read -r id when caller action detail _ < <(rows ca.db \
	    'SELECT * FROM audit WHERE AuditID = 4')
	for field in "$id" "$when" "$caller" "$action" "$detail" "$digest"; do
		printf '%d:%s' "${#field}" "$field"
	done >fields
	rows ca.db "SELECT sql || ';' FROM sqlite_schema
	    WHERE name = 'audit_update'" >trigger
	rows ca.db "DROP TRIGGER audit_update; UPDATE audit SET
	    Digest = '$digest', Hash = '$( (printf %s "$before"; cat fields) |
	    sha256sum | cut -c -64)' WHERE AuditID = 4; $(<trigger)"
	run_tool 1 ca-audit -A "$head" -d ca.db
	tells "ca-audit: audit: audit row 4 vouches for what was planted before it: export of $caller, $when, writes to audit only, and not more than it counts: $go_back"
}

@test "ca-db: an archive that is hostile takes neither time nor memory" {
	local sql schema

	schema="$(pwd -P)/ca.db: the schema is not that of ca-db(5): a trigger or view may change what is written or shown: go back to a copy, or drop it"
	for sql in 'DROP TABLE certificate; CREATE VIEW certificate AS
	    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
	    SELECT x RequestID, x RawCertificate FROM n' \
	    'DROP TABLE kra; CREATE VIEW kra AS SELECT 1 KraID,
	    zeroblob(900000000) RawCertificate, 1 AuditID' \
	    "ALTER TABLE request RENAME TO r; CREATE VIEW request AS SELECT
	    *, 'me' KmsUser FROM r"; do
		cp "$MADE/full.db" ca.db
		sqlite3 ca.db "PRAGMA foreign_keys = off; $sql"
		refuses 2 "ca-export: $schema" timeout 20 ca-export -n -d ca.db
		refuses 2 "ca-setflag: $schema" timeout 20 ca-setflag -d ca.db
	done
	# what fits no row is not read, whatever its column
	cp "$MADE/full.db" ca.db
	rows ca.db 'UPDATE request SET KmsUser = zeroblob(100000000)
	    WHERE RequestID = 1'
	run_tool 2 ca-export -n -d ca.db
	grep -q -x "ca-export: $(pwd -P)/ca.db: cannot read: string or blob too big (the archive was changed .*" "$ERR"
}

@test "ca-db: who owns a directory above the archive can replace it" {
	((EUID == 0)) || skip 'only root can give a directory away'
	mkdir -p above/dir
	chmod 700 above above/dir
	cp "$MADE/full.db" above/dir/ca.db
	run_tool 0 ca-export -n -d above/dir/ca.db
	for dir in above/dir above; do
		chown nobody "$dir"
		refuses 2 "ca-export: $(pwd -P)/$dir: this directory belongs to another user, who can replace the archive: run chown on it, or give the archive one of its own" \
		    ca-export -n -d above/dir/ca.db
		chown 0 "$dir"
	done
	chmod 777 above
	refuses 2 "ca-export: $(pwd -P)/above: others can write this directory, and replace the archive: run chmod go-w on it, or give the archive one of its own" \
	    ca-export -n -d above/dir/ca.db
	# as in /tmp: nobody else can rename what is ours
	chmod 1777 above
	run_tool 0 ca-export -n -d above/dir/ca.db
}

@test "ca-db: a server that is named in words is no file, and its password is not shown" {
	local name

	for name in 'host=db password=secret' 'password=secret' \
	    'dbname=keys user=me password=secret'; do
		refuses 2 'ca-export: -d: name a server by a URL, postgresql://..., or a file (ca-db(5) shows some); if there was a password, change it: others can see a command line' \
		    ca-export -n -d "$name"
	done
}

@test "ca-db: an archive of 0.2 is named, and brought over" {
	old_archive old.db 0.2
	refuses 2 "ca-export: $(pwd -P)/old.db: an archive of version 3, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca-export -n -d old.db
	run_tool 0 ca-dump -d old.db
	cp "$OUT" old.dump
	ca-init -f -d over.db </dev/null >/dev/null
	run_tool 0 ca-load -d over.db <old.dump
	run_tool 0 ca-dump -d over.db
	cmp "$OUT" old.dump
	whole over.db
	[[ $(last_head over.db) == "$(last_head old.db)" ]]
}

@test "ca-db: an archive of the version before is named, and can be read out" {
	old_archive old.db
	refuses 2 "ca-import: $(pwd -P)/old.db: an archive of version 2, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca-import -d old.db </dev/null
	refuses 2 "ca-export: $(pwd -P)/old.db: an archive of version 2, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca-export -n -d old.db
	run_tool 0 ca-dump -d old.db
	[[ $(cut -f 1 "$OUT" | sort | uniq -c | xargs) == \
	    '2 rec:agent 3 rec:archived 5 rec:audit 1 rec:end 4 rec:setting' ]]
	cp "$OUT" old.dump
	# and that is how it is brought over
	ca-init -f -d over.db </dev/null >/dev/null
	run_tool 0 ca-load -d over.db <old.dump
	run_tool 0 ca-dump -d over.db
	cmp "$OUT" old.dump
	# but its schema is compared as well
	sqlite3 old.db 'CREATE VIEW v AS SELECT 1'
	run_tool 2 ca-dump -d old.db
	grep -q 'the schema is not that of ca-db(5)' "$ERR"
	cp "$MADE/full.db" new.db
	sqlite3 new.db 'PRAGMA user_version = 5'
	refuses 2 "ca-export: $(pwd -P)/new.db: an archive of version 5, this kms2ca has 4: use the one that made it" \
	    ca-export -n -d new.db
}

# blamed CALL WHEN ERROR [ARG]...: sets said to what ca-setflag says of ca.db where
# that call of the system fails.
blamed()
{
	need_strace
	run_tool 2 "${traced[@]}" -qq -o trace "${@:4}" \
	    -e "inject=$1:error=$3:when=$2" ca-setflag -d ca.db \
	    KRACertCount 1
	grep -q INJECTED trace
	said=$(<"$ERR")
	said=${said#"ca-setflag: $(pwd -P)/ca.db: "}
}

@test "ca-db: a disk that does not read is no damaged archive" {
	local n

	for n in 6 8 11; do
		cp "$MADE/odd.db" ca.db
		blamed pread64 "$n" EIO -e trace=pread64
		[[ $said == 'cannot read: Input/output error (look at the disk, and run again)' ]]
	done
}

@test "ca-db: a damaged archive is no want of memory" {
	cp "$MADE/odd.db" ca.db
	head -c 2000 /dev/zero |
	    dd of=ca.db bs=1 seek=110 conv=notrunc status=none
	# SQLite asks for a log: that this fails means that there is none
	blamed newfstatat 3 ENOMEM -P "$(pwd -P)/ca.db-wal"
	[[ $said == 'cannot open: '*' (restore it from a backup)' ]]
}

@test "ca-db: what has no order among the settings or versions has an end" {
	local sql

	for sql in "UPDATE config SET Name = CAST(Name AS BLOB) WHERE Name = 'KRAFlags'" \
	    "INSERT INTO config VALUES (printf('%.300c', 'x'), 1, 1)" \
	    "PRAGMA foreign_keys = off; INSERT INTO keyversion
	    SELECT 'abc', RawArchivedKey, 'x', 'x', 2 FROM request LIMIT 1" \
	    "PRAGMA foreign_keys = off; INSERT INTO keyversion
	    SELECT 9e30, RawArchivedKey, 'x', 'x', 2 FROM request LIMIT 1"; do
		cp "$MADE/full.db" ca.db
		rows ca.db "$sql"
		run_tool 1 timeout 60 ca-audit -q -d ca.db
		run_tool 2 timeout 60 ca-dump -q -d ca.db
		grep -q 'the archive was changed by another program' "$ERR"
	done
}
