# The pipelines: from a backup to an archive to a mail, in parts and in pieces,
# and what is heard when one of them breaks.
#
# shellcheck disable=SC2030,SC2031 # each test has a head of its own

load common
load ca
load p12

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	org_archive .
}

# Everything of the organisation, under the names of the README, and the
# archive of setup_file.
setup()
{
	common_setup
	cp -p "$ORG"/*.{pem,p12,pw,pws,zip,gz,eml,txt} "$ORG"/{ca,machine}.key .
	cp -p "$BATS_FILE_TMPDIR"/{ca.db,export.kms,import.log} .
	set -o pipefail
	machine=(-k machine.p12 -p file:machine.pw)
	kra1=(-k kra1.p12 -p file:kra1.pw)
	kra2=(-k kra2.p12 -p file:kra2.pw)
}

# keys_in FILE: SHA-256 of every private key of the PKCS#12, password jane.pw.
keys_in()
{
	openssl pkcs12 -in "$1" -passin file:jane.pw -nocerts -nodes |
	    csplit -sz -f pem. - '/^-----BEGIN/' '{*}'
	for pem in pem.*; do
		# what csplit puts before the first key holds none
		grep -q ^-----BEGIN "$pem" || continue
		openssl pkcs8 -topk8 -nocrypt -in "$pem" -outform DER |
		    sha256sum
	done | sort
	rm pem.*
}

# keys_of NAME...: the same of keys that org.bash made.
keys_of()
{
	local name

	for name; do
		openssl pkcs8 -topk8 -nocrypt -in "$ORG/keys/$name.key" \
		    -outform DER | sha256sum
	done | sort
}

# made USER: the keys of this user that went into the two archives.
made()
{
	awk -F '\t' -v "user=$1" '$2 == "key" && $5 == user {
		year = $13
		sub(/.*\//, "", year)
		sub(/\..*/, "", year)
		print user "-" year
	}' "$ORG/ledger"
}

# fresh: an archive that is empty, in place of the full one.
fresh()
{
	rm ca.db
	new_archive
}

@test "DESIGN's migration" {
	rm ca.db export.kms import.log
	cat kra1.pem kra2.pem | ca-init -d ca.db -c ca.pem >kras 2>"$ERR"
	ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >flags 2>"$ERR"
	kms-export -c machine.pem -S machine.p12 -p file:machine.pw -p list:user.pws \
	    <kms-backup.tar.gz >export.kms 2>"$ERR"
	kms-verify -k machine.p12 -p file:machine.pw <export.kms 2>"$ERR" |
	    ca-import -f -d ca.db -k machine.p12 -p file:machine.pw >import.log 2>"$ERR"
	# shellcheck disable=SC1091
	source "$ORG/expected"
	# shellcheck disable=SC2154
	((tar_keys == 10 && tar_certs == 2 && tar_signing == 1))
	only kra <kras | wc -l | grep -qx 2
	only flag <flags | field new | grep -qx 1
	[[ $(only key <export.kms | wc -l) == "$tar_keys" ]]
	[[ $(grep -c $'\tstatus:imported\t' import.log) == \
	    $((tar_keys + tar_certs - tar_signing)) ]]
	[[ $(grep -c $'\tstatus:ignored\t' import.log) == "$tar_signing" ]]
	[[ $(rows ca.db 'select count(*) from request
	    where RawArchivedKey is not null') == "$tar_keys" ]]
}

@test "DESIGN's recovery" {
	ca-export -d ca.db -s jane@example.com 2>"$ERR" |
	    ca-recover -k kra1.p12 -p file:kra1.pw |
	    p12-pack -p file:jane.pw >jane.p12
	keys_in jane.p12 | diff <(keys_of jane-1998 jane-1999 jane-2000) -
}

@test 'every key comes out as it went in, with every agent' {
	local agent user

	awk -F '\t' '$2 == "key" { print $5 }' "$ORG/ledger" | sort -u >users
	[[ $(wc -l <users) == 12 ]]
	for agent in kra1 kra2; do
		ca-export -d ca.db 2>"$ERR" | grep -v $'\tblob:$' |
		    ca-recover -P -k "$agent.p12" -p "file:$agent.pw" |
		    p12-pack -F zip -p file:jane.pw >all.zip
		mkdir "$agent"
		bsdtar -C "$agent" -xf all.zip
		[[ $(find "$agent" -name '*.p12' | wc -l) == 12 ]]
		while read -r user; do
			# shellcheck disable=SC2046 # names of files
			keys_in "$agent"/*/"$user.p12" |
			    diff <(keys_of $(made "$user")) -
		done <users
	done
}

@test 'a key with a certificate of version 1' {
	local serial

	serial=$(openssl x509 -in "$ORG/keys/bob-1997.pem" -noout -serial)
	openssl x509 -in "$ORG/keys/bob-1997.pem" -noout -text |
	    grep -q 'Version: 1 '
	ca-export -d ca.db -s "serial:${serial#serial=}" 2>"$ERR" |
	    ca-recover "${kra1[@]}" >v1
	[[ $(only key <v1 | field version) == 1 ]]
	p12-pack -p file:jane.pw <v1 >v1.p12
	keys_in v1.p12 | diff <(keys_of bob-1997) -
}

@test 'the mail of 1999, with the key that the mail names' {
	local serial

	recipe p12-pack.1 'A mail client that has imported'
	bash -o pipefail recipe 2>"$ERR" | tr -d '\r' >mail
	cmp old-mail.txt mail
	# certificates of the sender may stand before the recipients
	openssl cms -cmsout -outform DER -in old-mail.eml | hex >body
	sed 's/^.*06092a864886f70d010703a082....3082....020100//' body >rest
	not cmp -s body rest
	tlv 30 06092a864886f70d010703 "$(tlv a0 "$(tlv 30 020102 "$(tlv a0 \
	    "$(tlv a0 "$(cert_der ca.pem | hex)")")" "$(<rest)")")" | unhex |
	    openssl cms -cmsout -inform DER -out mail
	mv mail old-mail.eml
	bash -o pipefail recipe 2>"$ERR" | tr -d '\r' >mail
	cmp old-mail.txt mail
	# and with no other
	serial=$(openssl x509 -in "$ORG/keys/jane-2000.pem" -noout -serial)
	ca-export -d ca.db -s "serial:${serial#*=}" 2>"$ERR" |
	    ca-recover "${kra2[@]}" | p12-pack -p file:jane.pw |
	    openssl pkcs12 -passin file:jane.pw -nodes -out other.pem
	openssl cms -decrypt -in old-mail.eml -inkey other.pem \
	    -recip other.pem -out mail 2>"$ERR" || :
	not cmp -s old-mail.txt <(tr -d '\r' <mail)
}

# blocks PAGE SECTION: the commands of each literal block there, a line `---'
# behind each.
blocks()
{
	# shellcheck disable=SC2154 # common.bash sets it
	awk -v "want=.Ss $2" '/^\.S[hs]/ { on = $0 == want }
	    on && /^\.Ed/ { print "---"; block = 0 }
	    on && block
	    on && /^\.Bd/ { block = 1 }' "$root/man/$1" |
	    sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g; s/\\\\(ha/^/g"
}

@test 'old mail: RC2, DES and 3DES, with the recovered PKCS#12, as kms2ca-runbook(7) shows' {
	local cipher serial n=0

	ca-export -d ca.db -s jane 2>"$ERR" | ca-recover -q "${kra1[@]}" |
	    p12-pack -l -p file:jane.pw >jane.p12
	blocks kms2ca-runbook.7 'Old mail' >commands
	awk '/^---$/ { exit } 1' commands >show
	awk '/^---$/ { n++; next } n == 1' commands >decrypt
	grep -q 'openssl cms -decrypt' decrypt
	[[ $(keys_in jane.p12 | wc -l) == 4 ]]
	for cipher in -rc2-40 -rc2-64 -rc2-128 -des -des3 -aes128 -aes256; do
		for name in 1996 1998 1999 2000; do
			# one mail for each cipher, the key in turn
			((n++ % 4 == name % 4)) || continue
			openssl cms -encrypt -provider legacy \
			    -provider default "$cipher" -in old-mail.txt \
			    -out old.eml "$ORG/keys/jane-$name.pem"
			rm -f old.txt
			bash -e decrypt 2>"$ERR"
			tr -d '\r' <old.txt | cmp - old-mail.txt
			echo "$cipher" >>seen
		done
	done
	[[ $(sort -u seen | wc -l) == 7 ]]
	# the serial number in the mail is among those that are listed
	bash -e show >shown
	serial=$(sed -n 1p shown)
	[[ $serial == 0x* ]] || serial=$(printf %x "$serial")
	grep -qi "serial:0*${serial#0x}"$'\t' shown
	[[ $(grep -c ^n: shown) == 0 && $(grep -c $'^user:jane\t' shown) == 4 ]]
}

@test 'old mail: to somebody else' {
	ca-export -d ca.db -s jane 2>"$ERR" | ca-recover -q "${kra1[@]}" |
	    p12-pack -p file:jane.pw >jane.p12
	openssl cms -encrypt -des3 -in old-mail.txt -out old.eml \
	    "$ORG/keys/bob-1999.pem"
	blocks kms2ca-runbook.7 'Old mail' |
	    awk '/^---$/ { n++; next } n == 1' >decrypt
	not bash decrypt
	[[ ! -s old.txt ]]
}

@test 'a mail that names its recipient by key id, and one to an EC key' {
	local name ski

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -subj /CN=eve -keyout ec.key -out ec.pem 2>"$ERR"
	openssl pkcs12 -export -inkey ec.key -in ec.pem \
	    -passout file:jane.pw -out ec.p12
	p12-extract -p file:jane.pw <ec.p12 |
	    ca-import -f -d ca.db >log 2>"$ERR"
	cp "$ORG/keys/judy-2003.pem" judy.pem
	# by serial number, EC too
	openssl cms -encrypt -aes256 -in old-mail.txt -out old-mail.eml ec.pem
	recipe p12-pack.1 'A mail client that has imported'
	bash -o pipefail recipe 2>"$ERR" | tr -d '\r' >mail
	cmp old-mail.txt mail
	for name in ec judy; do
		openssl cms -encrypt -keyid -aes256 -in old-mail.txt \
		    -out old-mail.eml "$name.pem"
		# no serial, which is said
		not bash -o pipefail recipe >"$OUT" 2>"$ERR"
		[[ ! -s $OUT ]]
		# as it is shown: hex, a dash, and what may stand for text
		ski=$(openssl cms -cmsout -noout -print -in old-mail.eml |
		    sed -n '/ubjectKeyIdentifier/,/^ *[a-z]*: /p' |
		    sed -nE 's/^ *[0-9a-f]{4} - (([0-9a-f]{2}[- ])*[0-9a-f]{2}) .*/\1/p' |
		    tr -d ' \n-')
		[[ ${#ski} == 40 ]]
		{
			echo "ski=$ski"
			sed -n '/^ca-export/,$p' recipe |
			    sed "s/serial:.serial/ski:\$ski/"
		} >byid
		bash -o pipefail byid 2>"$ERR" | tr -d '\r' >mail
		cmp old-mail.txt mail
	done
}

@test 'a copy of the archive is private, or refused' {
	# shellcheck disable=SC2154 # common.bash sets it
	grep -q 'umask 077 ,$' "$root/man/ca-db.5"
	(umask 022 && sqlite3 ca.db ".backup copy.db")
	run_tool 2 ca-export -n -d copy.db
	grep -q 'others can read or write it: run chmod 600 on it' "$ERR"
	rm copy.db
	(umask 077 && sqlite3 ca.db ".backup copy.db")
	run_tool 0 ca-export -n -d copy.db
	[[ $(only archived <"$OUT" | wc -l) == 24 ]]
}

@test 'no lock-in: sqlite3 and openssl open a key, as ca-db(5) shows' {
	local id

	id=$(rows ca.db "SELECT r.RequestID FROM request r
	    JOIN certificate c USING (RequestID) WHERE 'judy@example.com'
	    IN (c.EMail, c.UPN, KmsMail) AND KeyFormat = 'MSBLOB'
	    AND PublicKeyLength = 2048")
	sqlite3 -readonly ca.db "SELECT writefile('7.p7', RawArchivedKey),
	    writefile('7.cer', RawCertificate)
	    FROM request JOIN certificate USING (RequestID)
	    WHERE RequestID = $id" >"$OUT"
	openssl pkcs12 -in kra1.p12 -passin file:kra1.pw -nocerts -nodes \
	    -out kra1.key
	openssl cms -decrypt -binary -inform DER -in 7.p7 \
	    -recip kra1.pem -inkey kra1.key |
	    openssl rsa -inform MSBLOB -out 7.key 2>"$ERR"
	[[ $(openssl pkey -in 7.key -pubout -outform DER | sha256sum) == \
	    $(openssl x509 -inform DER -in 7.cer -noout -pubkey |
	    openssl pkey -pubin -outform DER | sha256sum) ]]
	openssl pkcs8 -topk8 -nocrypt -in 7.key -outform DER | sha256sum |
	    diff <(keys_of judy-2003) -
}

@test 'streams one after the other, in any order, twice' {
	local n

	fresh
	awk '/^rec:stream\t/ { n++ } { print >"stream." n }' export.kms
	cat stream.2 stream.1 |
	    kms-verify "${machine[@]}" 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	n=$(grep -c $'\tstatus:imported\t' import.log)
	((n == 24))
	[[ $(grep -c $'\tstatus:imported\t' log) == "$n" ]]
	cat stream.1 stream.2 stream.1 |
	    kms-verify "${machine[@]}" 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	not grep -q $'\tstatus:imported\t' log
	[[ $(grep -c $'\tstatus:present\t' log) == \
	    $((n + $(only key <stream.1 | wc -l))) ]]
}

@test 'a selection with grep goes through the whole chain with -P' {
	fresh
	# kms-record(5): one user, as a part that still verifies
	grep -E $'^rec:(stream|end)\t|\tmail:jane@' export.kms |
	    kms-verify -P -k machine.p12 -p file:machine.pw >jane.kms 2>"$ERR"
	[[ $(only key <jane.kms | wc -l) == 3 ]]
	ca-import -P -f -d ca.db "${machine[@]}" <jane.kms >log 2>"$ERR"
	[[ $(rows ca.db 'select group_concat(distinct EMail), count(*)
	    from certificate') == 'jane@example.com|3' ]]
	ca-export -d ca.db 2>"$ERR" | awk -F '\t' '$15 < "not_after:2000"' |
	    ca-recover -P "${kra2[@]}" | grep ^rec:key |
	    p12-pack -P -p file:jane.pw >jane.p12
	keys_in jane.p12 | diff <(keys_of jane-1998) -
	# the rest later: nothing twice
	kms-verify "${machine[@]}" <export.kms 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	[[ $(grep -c $'\tstatus:present\t' log) == 3 ]]
	[[ $(rows ca.db 'select count(*) from request') == 24 ]]
}

@test 'without -P a selection stops each tool, and the chain' {
	fresh
	grep -E $'^rec:(stream|end)\t|\tmail:jane@' export.kms >part
	run_tool 2 kms-verify "${machine[@]}" <part
	run_tool 2 ca-import -f -d ca.db "${machine[@]}" <part
	[[ $(rows ca.db 'select count(*) from request') == 0 ]]
	ca-export -n -d "$BATS_FILE_TMPDIR/ca.db" 2>"$ERR" |
	    grep $'\tuser:jane\t' >rows
	run_tool 2 ca-recover "${kra1[@]}" <rows
	[[ ! -s $OUT ]]
}

# recipe PAGE WORDS: the commands of the first example after the line of a page
# that begins with these words, in the file recipe.
recipe()
{
	# shellcheck disable=SC2154 # common.bash sets it
	words=$2 awk '
	index($0, ENVIRON["words"]) == 1 { here = 1 }
	on && /^\.Ed/	{ exit }
	on
	here && /^\.Bd/	{ on = 1 }' "$root/man/$1" |
	    sed 's/\\(aq/'\''/g; s/\\(ha/^/g; s/\\e/\\/g' >recipe
	[[ -s recipe ]]
}

# head: the audit head that the import of setup_file printed.
head=
read_head()
{
	head=$(head_of <"$BATS_FILE_TMPDIR/log" | tail -n 1)
	[[ $head == *:* ]]
}

# missing: the keys of export.kms that are not in the archive, as ca-export(1)
# has it: runs that page's commands.  What is left of an earlier run is gone.
missing()
{
	recipe ca-export.1 'Is every key of an export'
	rm -f want have missing
	HEAD=$head bash recipe >"$OUT" 2>"$ERR"
}

# unproven COMMAND...: it fails, in one way or another.
unproven()
{
	not "$@" && [[ ! -e missing ]]
}

@test 'the ledger: every key of the export is in the archive' {
	local sha1

	read_head
	# nothing is missing, of as many as there are
	missing
	diff -w - "$OUT" <<-'COUNTS'
		23 want
		0 missing
		23 total
	COUNTS
	[[ $(only end <export.kms | field keys | paste -s -d +) == 13+10 ]]
	not grep -q $'\tkey:' want

	# a row that was deleted, as if it had never been imported
	cp ca.db full.db
	fresh
	sha1=$(openssl x509 -in "$ORG/keys/karl-1999.pem" -outform DER |
	    sha1sum | cut -c -40)
	grep -v "sha1:$sha1" export.kms |
	    ca-import -P -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	head=$(head_of <"$ERR")
	missing
	diff missing <(printf 'user:karl\tsha1:%s\n' "$sha1")

	# and a key that was not: its certificate alone is archived
	fresh
	sed '/\tuser:heidi\t/s/^rec:key/rec:cert/; s/\tkey:[^\t]*$//' \
	    <(ca-recover "${kra1[@]}" < <(ca-export -d full.db \
	    2>/dev/null) 2>/dev/null) | sed '/\tuser:heidi\t/!d' | awk -F '\t' \
	    -v OFS='\t' '{ $2 = "n:" NR; print }' | closed >certs
	[[ $(only cert <certs | wc -l) == 2 ]]
	ca-import -f -d ca.db <certs >log 2>"$ERR"
	grep -v $'^rec:key.*\tuser:heidi\t' export.kms |
	    ca-import -P -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	head=$(head_of <"$ERR")
	missing
	cut -f 1 missing | diff - <(printf 'user:heidi\n%.0s' 1 2)

	# the import again brings back what has no key
	kms-verify "${machine[@]}" <export.kms 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	[[ $(grep -c $'\tstatus:updated\t' log) == 2 ]]
	missing
	[[ -e missing && ! -s missing ]]
}

@test 'the ledger proves nothing when a part of it fails' {
	local old

	read_head
	old=$head
	# a password, and files
	cp machine.pw right.pw
	echo wrong >machine.pw
	unproven missing
	mv right.pw machine.pw
	mv export.kms kept.kms
	unproven missing
	: >export.kms
	unproven missing
	# a record that was altered
	sed '3s/\tuser:[a-z]*\t/\tuser:eve\t/' kept.kms >export.kms
	not cmp -s kept.kms export.kms
	unproven missing
	# an export that was cut: in a line, after one, at its last
	head -c 20000 kept.kms >export.kms
	unproven missing
	head -n 5 kept.kms >export.kms
	unproven missing
	sed '$d' kept.kms >export.kms
	unproven missing
	# a record that was taken out
	sed 4d kept.kms >export.kms
	unproven missing
	cp kept.kms export.kms
	# no head, and one of another archive
	head=
	unproven missing
	head=1:$(printf %064d 0)
	unproven missing
	head=$old
	# an archive that is not there, is empty, was changed
	mv ca.db kept.db
	unproven missing
	new_archive
	unproven missing
	rm ca.db
	cp kept.db ca.db
	sqlite3 ca.db "update request set KmsUser = 'eve' where KmsUser = 'karl'"
	unproven missing
	rm ca.db
	cp kept.db ca.db
	# an archive cannot lose a key that -A does not miss
	sqlite3 ca.db "update request set RawArchivedKey = null,
	    KeyRecoveryHashes = null where KmsUser = 'heidi'"
	unproven missing
	rm ca.db
	mv kept.db ca.db
	missing
	[[ -e missing && ! -s missing ]]
}

# agree: what the import promised is what the archive has, as ca-db(5) has it.
agree()
{
	recipe ca-db.5 'Check the heads with'
	HEAD=$head bash recipe >"$OUT" 2>"$ERR"
}

@test 'the ledger: the log and the archive agree' {
	local n

	read_head
	cp ca.db kept.db
	cp import.log kept.log
	n=$(grep -c $'\tkra:[^\t]' import.log)
	((n == 23))
	agree
	[[ ! -s $OUT && $(wc -l <promised) == "$n" ]]
	# a log that was appended to, and a line that was cut
	# shellcheck disable=SC2129 # as the pages do
	kms-verify "${machine[@]}" <export.kms 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >>import.log 2>"$ERR"
	head -c 100 kept.log >>import.log
	echo >>import.log
	agree
	[[ ! -s $OUT ]]
	# a key that nobody promised, and one that is not there
	grep -v "user:erin" kept.log >import.log
	agree
	[[ $(wc -l <"$OUT") == 2 ]]
	not grep -v $'^\tid:' "$OUT"
	cp kept.log import.log
	sed '/\tuser:erin\t/s/\tid:/&9/' kept.log >import.log
	agree
	[[ $(grep -c ^id:9 "$OUT") == 2 && $(wc -l <"$OUT") == 4 ]]
	cp kept.log import.log
	# what fails proves nothing
	sqlite3 ca.db "update request set KeyRecoveryHashes = '00'
	    where RequestID = 1"
	not agree
	rm ca.db
	not agree
	cp kept.db ca.db
	head=1:$(printf %064d 0)
	not agree
	read_head
	mv import.log no.log
	not agree
}

@test 'who can open how many keys, and what -t keeps out' {
	local sql sha1 sha256

	pinned=(-t "$(openssl x509 -in kra1.pem -outform DER | sha1sum |
	    cut -c -40)" -t "$(openssl x509 -in kra2.pem -outform DER |
	    sha1sum | cut -c -40)")
	fresh
	# who can write the database swaps an agent for another that the CA
	# certified, whom nobody stored
	cp ca.db before.db
	printf '%s\n' keyUsage=critical,keyEncipherment \
	    extendedKeyUsage=1.3.6.1.4.1.311.21.6 >agent.cnf
	openssl x509 -req -in <(openssl req -new -key machine.key -subj /CN=eve) \
	    -CA "$ORG/ca.pem" -CAkey "$ORG/ca.key" -days 30 -extfile agent.cnf \
	    -outform DER -out eve.cer 2>/dev/null
	sha1=$(sha1sum <eve.cer | cut -c -40)
	sha256=$(sha256sum <eve.cer | cut -c -64)
	sql="attach 'before.db' as b; update kra set
	    (CertificateHash, Sha256, RawCertificate) = (select
	    CertificateHash, Sha256, RawCertificate from b.kra
	    where KraID = 2) where KraID = 2"
	sqlite3 ca.db "update kra set CertificateHash = '$sha1',
	    Sha256 = '$sha256', RawCertificate = readfile('eve.cer')
	    where KraID = 2"
	# -t sees it, and without it
	refuses_import "${pinned[@]}"
	ca-import -f -d ca.db "${machine[@]}" <export.kms >log 2>"$ERR"
	sqlite3 ca.db "$sql"
	# so does -A, afterwards
	run_tool 1 ca-audit -A "$(last_head before.db)" -d ca.db
	grep -q 'the key of row 1 was encrypted to an agent that is not in the archive' \
	    "$ERR"
	# and the count
	recipe ca-db.5 'Who can open how many keys'
	bash -o pipefail recipe >"$OUT" 2>"$ERR"
	awk '{ print $1, $2 }' "$OUT" | diff - <({
		echo '1 '
		echo "23 $sha1"
		echo "23 ${pinned[1]}"
	} | sort -k 2)
}

# refuses_import ARG...: ca-import takes nothing.
refuses_import()
{
	run_tool 2 ca-import -f -d ca.db "${machine[@]}" "$@" <export.kms
	grep -q 'nothing is imported' "$ERR" && [[ ! -s $OUT ]]
}

@test 'the last step of a migration: every key opens, with every agent' {
	local agent

	recipe ca-recover.1 'Prove that all keys open'
	bash recipe 2>"$ERR"
	sed 's/kra1/kra2/g' recipe >other
	bash other 2>"$ERR"
	# both are in kms2ca-runbook(7), one after the other
	recipe kms2ca-runbook.7 'The last step of a migration'
	diff recipe <(tail -n 2 recipe | sed 's/kra2/kra1/g'
	    tail -n 2 recipe)
	bash -e -o pipefail recipe 2>"$ERR"
	recipe ca-recover.1 'Prove that all keys open'
	# a blob that was damaged, or is that of another key; no agent
	cp ca.db kept.db
	sqlite3 ca.db "update request set RawArchivedKey = (select
	    RawArchivedKey from request where RequestID = 2)
	    where RequestID = 1"
	not bash recipe 2>"$ERR"
	grep -q 'stdin:1: record 1, user [a-z]*: ' "$ERR"
	rm ca.db
	not bash recipe 2>"$ERR"
	cp kept.db ca.db
	cp kra2.p12 kra1.p12
	cp kra2.pw kra1.pw
	bash recipe 2>"$ERR"
	cp machine.p12 kra1.p12
	cp machine.pw kra1.pw
	not bash recipe 2>"$ERR"
	cp "$ORG"/kra1.p* .
	# agents that take turns
	rm ca.db
	cat kra1.pem kra2.pem | ca-init -N 1 -c ca.pem -d ca.db >kras \
	    2>"$ERR"
	ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >flags 2>"$ERR"
	ca-import -f -d ca.db "${machine[@]}" <export.kms >log 2>"$ERR"
	for agent in kra1 kra2; do
		sed "s/kra1\./$agent./g" recipe >turn
		bash -e turn 2>"$ERR"
		grep $'\tstatus:ok\t' "$agent.verdicts" | field sha1
	done | sort | diff - <(field sha1 <export.kms | sort |
	    comm -12 - <(awk -F '\t' '$2 == "key" { print $3 }' \
	    "$ORG/ledger" | sort))
}

@test 'a log that was cut by a full disk is mended, and appended to' {
	need_writes
	local n status=0

	fresh
	rm import.log
	# one block of 1024 bytes, and no more
	(
		ulimit -f 800
		yes | head -c $((800 * 1024 - 1500)) | tr '\n' '#' >import.log
		echo >>import.log
		exec ca-import -f -d ca.db "${machine[@]}" <export.kms \
		    >>import.log
	) 2>"$ERR" || status=$?
	complained 2 "$status" 'a full disk'
	grep -q ': cannot write standard output: ' "$ERR"
	[[ -n $(tail -c 1 import.log) ]]
	sed -i 1d import.log
	recipe kms2ca-runbook.7 'Drop that line'
	mv recipe runbook
	recipe ca-import.1 'The last line may be cut'
	cmp recipe runbook
	bash recipe
	[[ -z $(tail -c 1 import.log) ]]
	# and a log that is whole stays
	cp import.log mended
	bash recipe
	cmp import.log mended
	ca-import -f -d ca.db "${machine[@]}" <export.kms >>import.log \
	    2>"$ERR"
	# no line is of two, and each row has one
	not grep -v '^rec:' import.log
	not grep '..rec:result' import.log
	n=$(grep '^rec:result' import.log |
	    grep -E $'\tstatus:(imported|present)\t.*\treason:' |
	    field sha1 | sort -u | wc -l)
	[[ $n == 24 && $(rows ca.db 'select count(*) from request') == 24 ]]
}

@test 'the audit head: saved, checked, replaced' {
	recipe kms2ca-runbook.7 'The head of the audit chain is in'
	# the first is that of ca-init
	fresh
	last_head ca.db >audit.head
	ca-import -f -d ca.db "${machine[@]}" <export.kms >log 2>>import.msg
	bash -o pipefail recipe >"$OUT" 2>"$ERR"
	diff audit.head <(last_head ca.db)
	# as ca-db(5) reads it
	cp recipe save
	recipe ca-db.5 'The current head'
	bash recipe | diff - audit.head
	# the next, and none that was checked against another archive
	ca-import -f -d ca.db "${machine[@]}" <export.kms >log 2>>import.msg
	bash -o pipefail save >"$OUT" 2>"$ERR"
	diff audit.head <(last_head ca.db)
	cp audit.head good
	fresh
	ca-import -f -d ca.db "${machine[@]}" <export.kms >log 2>>import.msg
	not bash -o pipefail save >"$OUT" 2>"$ERR"
	cmp good audit.head
	# nor is one replaced by none
	rm import.msg
	last_head ca.db >audit.head
	cp audit.head good
	not bash -o pipefail save >"$OUT" 2>"$ERR"
	: >import.msg
	not bash -o pipefail save >"$OUT" 2>"$ERR"
	cmp good audit.head
	rm audit.head
	not bash -o pipefail save >"$OUT" 2>"$ERR"
	[[ ! -e audit.head ]]
}

@test 'what is missing, and what is no loss' {
	recipe kms2ca-runbook.7 'What is missing'
	# that of a CA, as it may lie beside the keys
	record 1 kms "$ORG/ca.pem" | closed | ca-import -d ca.db >log 2>"$ERR"
	grep -q $'\tstatus:ignored\t' log
	bash recipe >"$OUT" 2>"$ERR"
	# shellcheck disable=SC1091
	source "$ORG/expected"
	# shellcheck disable=SC2154
	{
		((all_certs - all_signing == $(grep -c ^group: "$OUT")))
		((all_faults == $(grep -c ^n: "$OUT")))
		(($(wc -l <"$OUT") == all_certs - all_signing + all_faults))
	}
	awk -F '\t' '$2 == "cert" { print "user:" $5 }' "$ORG/ledger" >want
	grep ^group: "$OUT" | cut -f 2 | diff want -
	grep -q 'source:.*reason:password' "$OUT"
}

@test 'what kms2ca-setup(7) makes with openssl is what a migration needs' {
	rm ./*
	echo 'for the CA' >ca.pw
	echo 'for the machine' >machine.pw
	echo 'for an agent' >kra1.pw
	awk '
	/^\.Sh /		{ on = /THE (CA|MACHINE|AGENTS)$/ }
	/^\.Ed/		{ code = 0 }
	on && code
	/^\.Bd -literal/	{ code = 1 }' "$root/man/kms2ca-setup.7" |
	    sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g" >commands
	[[ $(grep -c '^openssl' commands) == 8 ]]
	bash -e -o pipefail commands >"$OUT" 2>"$ERR"
	# no key in the clear is left
	not grep -l -e '-----BEGIN PRIVATE KEY-----' ./*
	[[ ! -e machine.key && ! -e kra1.key ]]
	cp "$ORG"/{user.pws,jane.pw,kms-backup.tar.gz} .
	ca-init -c ca.pem -d ca.db <kra1.pem >kras 2>"$ERR"
	grep warning "$ERR" >warnings
	not grep -v 'one agent: if its key is lost' warnings
	ca-setflag -d ca.db KRAFlags +KRAF_ENABLEFOREIGN >flags 2>"$ERR"
	kms-export -c machine.pem -S machine.p12 -p file:machine.pw \
	    <kms-backup.tar.gz >export.kms 2>"$ERR"
	kms-verify "${machine[@]}" <export.kms |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>"$ERR"
	ca-export -d ca.db -s jane@example.com 2>"$ERR" |
	    ca-recover "${kra1[@]}" | p12-pack -p file:jane.pw >jane.p12
	keys_in jane.p12 | diff <(keys_of jane-2000) -
}

@test 'the list of ca-export matches the log of ca-import' {
	diff <(grep $'\tstatus:imported\t' import.log | field sha1 | sort) \
	    <(ca-export -n -d ca.db 2>"$ERR" | field sha1 | sort)
	diff <(grep $'\tstatus:imported\t' import.log | field kra) \
	    <(ca-export -n -d ca.db 2>"$ERR" | field kra)
}

@test 'an earlier tool that fails is heard, and nothing is written' {
	local -a status

	set +o pipefail
	ca-export -d no.db 2>"$ERR" | ca-recover "${kra1[@]}" 2>>"$ERR" |
	    p12-pack -p file:jane.pw >"$OUT" 2>>"$ERR" &&
		false || status=("${PIPESTATUS[@]}")
	[[ ${status[*]} == '2 2 2' && ! -s $OUT ]]
	# the second one: half of the records, then a broken line
	ca-export -d ca.db 2>"$ERR" | head -c 50000 |
	    ca-recover "${kra1[@]}" 2>>"$ERR" |
	    p12-pack -p file:jane.pw >"$OUT" 2>>"$ERR" &&
		false || status=("${PIPESTATUS[@]}")
	[[ ${status[*]:2} == '2 2' && ! -s $OUT ]]
	grep -q '^p12-pack: stdin:[0-9]*: no end record' "$ERR"
	# and one that finds nothing
	ca-export -d ca.db -s nobody 2>"$ERR" |
	    ca-recover "${kra1[@]}" 2>>"$ERR" |
	    p12-pack -p file:jane.pw >"$OUT" 2>>"$ERR" &&
		false || status=("${PIPESTATUS[@]}")
	[[ ${status[*]} == '1 1 1' && ! -s $OUT ]]
}

@test 'a record that was altered leaves a part, which says so' {
	local -a status

	fresh
	# one seal of the first stream does not open
	awk '/^rec:stream\t/ { n++ } { print >"stream." n }' export.kms
	sed '3s/\tuser:[a-z]*\t/\tuser:eve\t/' stream.1 >altered
	set +o pipefail
	kms-verify "${machine[@]}" <altered 2>"$ERR" |
	    ca-import -f -d ca.db "${machine[@]}" >log 2>>"$ERR" &&
		false || status=("${PIPESTATUS[@]}")
	[[ ${status[*]} == '2 2' ]]
	grep -q '^kms-verify: stdin:3: record 2, user eve: the seal does not open' "$ERR"
	grep -q '^ca-import: stdin:3: n is 3, not 2: ' "$ERR"
	[[ $(rows ca.db "select count(*) from request where KmsUser = 'eve'") == 0 ]]
	# the whole one completes it
	run_tool 0 ca-import -f -d ca.db "${machine[@]}" <stream.1
	[[ $(rows ca.db 'select count(*) from request where RawArchivedKey
	    is not null') == 13 ]]
}

@test 'output that nobody reads is never exit 0' {
	local -a export=(kms-export -c machine.pem -S machine.p12
	    -p file:machine.pw -p list:user.pws)
	local tool

	ca-export -d ca.db -s carol >carol.rec 2>"$ERR"
	ca-recover "${kra1[@]}" <carol.rec >carol.keys
	p12-pack -p file:jane.pw <carol.keys >carol.p12
	cat kra1.pem >kra.in
	# a pipe whose reader is gone
	exec 7> >(exec true)
	wait "$!"
	# unread INPUT COMMAND...: what changes an archive says that output is lost,
	# the others leave the last word to whoever has ended.
	unread()
	{
		local status=0

		timeout -k 1 60 "${@:2}" <"$1" >&7 2>"$ERR" || status=$?
		if grep -q tool_changes "$root/tools/$2.c"; then
			complained 2 "$status" "${*:2}"
			grep -qx "$2: cannot write [a-z ]*: Broken pipe" "$ERR"
		else
			((status == 2))
			not grep -q 'Broken pipe' "$ERR"
		fi
	}
	unread kms-backup.tar.gz "${export[@]}"
	unread export.kms kms-verify "${machine[@]}"
	unread export.kms kms-verify -w "${machine[@]}"
	unread export.kms kms-verify -r "${machine[@]}"
	unread carol.p12 p12-extract -p file:jane.pw
	unread kra.in ca-init -c ca.pem -d new.db
	unread /dev/null ca-setflag -d ca.db
	unread export.kms ca-import -f -d ca.db "${machine[@]}"
	unread /dev/null ca-export -d ca.db -s carol
	unread carol.rec ca-recover "${kra1[@]}"
	unread carol.keys p12-pack -p file:jane.pw
	unread carol.keys p12-pack -F tar -p file:jane.pw
	unread carol.keys p12-pack -F zip -p file:jane.pw
	# shellcheck disable=SC2154 # common.bash sets it
	for tool in "$root"/tools/*.c; do
		tool=${tool##*/}
		unread /dev/null "${tool%.c}" -V
	done
}

@test 'a disk that is full is never exit 0' {
	need_writes
	run_tool 0 ca-recover "${kra1[@]}" < <(ca-export -d ca.db -s carol \
	    2>"$ERR")
	cp "$OUT" keys
	# a file may grow to as many blocks of 1024 bytes, no more
	full()
	{
		local status=0

		(
			ulimit -f "$1"
			exec "${@:2}" >full.out
		) 2>"$ERR" || status=$?
		complained 2 "$status" "${*:2}"
	}
	full 1 p12-pack -p file:jane.pw <keys
	full 1 ca-recover "${kra1[@]}" < <(ca-export -d ca.db -s carol \
	    2>/dev/null)
	full 16 kms-verify "${machine[@]}" <export.kms
}

@test 'the demo adds up, and leaves nothing behind' {
	mkdir tree
	cp -R "$root"/{README,Makefile,man,tools,common,tests} tree
	find tree -type f -exec sha256sum {} + | sort >before
	KMS2CA_BIN=$(dirname "$(command -v kms-export)") \
	    run_tool 0 tree/tests/demo.bash
	tail -n 1 "$OUT" | grep -qx 'It adds up.'
	not grep -q WRONG "$OUT"
	find tree -type f -exec sha256sum {} + | sort | cmp before -
	[[ -z $(ls -A "$TMPDIR") ]]
	# the README's commands were printed, each before its output
	awk '
	/^-+$/		{ on = last ~ /^A (migration|recovery)$/ }
	on && /^    /	{ print substr($0, 5) }
	{ last = $0 }' "$root/README" >commands
	[[ $(wc -l <commands) -ge 10 ]]
	while IFS= read -r line; do
		grep -qxF -e "\$ $line" -e "$line" "$OUT"
	done <commands
}

@test 'the demo fails when a tool does' {
	mkdir bin tree
	cp -R "$root"/{README,tests} tree
	# the organisation is there already
	echo "cp -R '$ORG/.' \"\$1\"" >tree/tests/org.bash
	for tool in "$root"/tools/*.c; do
		tool=${tool##*/} tool=${tool%.c}
		ln -s "$(command -v "$tool")" "bin/$tool"
	done
	# it loses a record, and says nothing
	rm bin/ca-import
	cat >bin/ca-import <<-SH
	#!/bin/bash
	"$(command -v ca-import)" "\$@" | sed '/\tuser:erin\t/d'
	SH
	chmod +x bin/ca-import
	KMS2CA_BIN=$PWD/bin run_tool 1 tree/tests/demo.bash
	grep -q WRONG "$OUT"
	says 'demo: it does not add up'
	[[ -z $(ls -A "$TMPDIR") ]]
}
