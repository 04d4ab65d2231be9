#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash
#
# The rules of a Windows CA, ca-db(5): each row of the table has a test here,
# `rule: ' and its name.

load common
load ca

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	new_archive new.db
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR/new.db" ca.db
}

# reasons FILE: status and reason of each result.
reasons()
{
	only result <"$1" | awk -F '\t' '{ sub(/^status:/, "", $3)
	    sub(/^reason:/, "", $9); print $3 ": " $9 }'
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
	cp "$BATS_FILE_TMPDIR/new.db" ca.db
	ou=$(printf "/OU=%060d" {1..13} | tr -d '\n')
	openssl req -x509 -key "$ORG/kra1.key" -subj "$ou" -days 30 \
	    -out agent.pem
	agents 60
	refuses_import 'an archived key of [0-9]* bytes, and a CA keeps 65536: encrypt it to fewer KRAs (ca-setflag -d DB KRACertCount N)'
	ca-setflag -d ca.db KRACertCount 40 >log 2>&1
	run_tool 0 ca-import -f -d ca.db <two.rec
	(($(rows ca.db 'SELECT length(RawArchivedKey) FROM request') < 65536))
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
}

@test 'an archive of version 1, raised as the page says' {
	rows ca.db 'DROP INDEX certificate_SerialNumber; PRAGMA user_version = 1'
	run_tool 2 ca-export -n -d ca.db
	# shellcheck disable=SC2154 # common.bash sets it
	awk '/^Version 1 lacked/ { on = 1; next } on && /^\.Ed/ { exit }
	    on && !/^\./' "$root/man/ca-db.5" | sed 's/\\(aq/\x27/g' >raise
	bash -e raise
	user 1 judy-2003 | closed >one.rec
	run_tool 0 ca-import -d ca.db <one.rec
	whole ca.db
}
