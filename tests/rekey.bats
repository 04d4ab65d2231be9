#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2030,SC2031,SC2094 # arrays of ca.bash; files read twice
#
# An agent leaves: archived keys are encrypted to another, in their rows.

load common
load ca

# $MADE: ca.db, the archive of the migration; kra3, an agent more.
setup_file()
{
	export MADE=$BATS_FILE_TMPDIR
	org_archive "$MADE"
	cd "$MADE" || return
	printf '%s\n' extendedKeyUsage=1.3.6.1.4.1.311.21.6 \
	    keyUsage=critical,keyEncipherment >ext
	openssl req -newkey rsa:2048 -noenc -keyout kra3.key -out csr \
	    -subj '/CN=Recovery Agent 3' 2>/dev/null
	openssl x509 -req -in csr -CA "$ORG/ca.pem" -CAkey "$ORG/ca.key" \
	    -days 30 -extfile ext -out kra3.pem 2>/dev/null
	cat kra3.pem kra3.key >kra3
}

setup()
{
	common_setup
	cp "$MADE/ca.db" .
	kra1=(-k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw")
	kra2=(-k "$ORG/kra2.p12" -p "file:$ORG/kra2.pw")
	kra3=(-k "$MADE/kra3")
	pins=(-t "$(sha1_of "$ORG/kra2.pem")" -t "$(sha1_of "$MADE/kra3.pem")")
}

sha1_of()
{
	openssl x509 -in "$1" -outform DER | sha1sum | cut -c -40
}

# opened DB AGENT...: the keys of the archive, as ca-recover gives them.
opened()
{
	ca-export -qd "$1" 2>/dev/null | ca-recover -q "${@:2}" 2>/dev/null
}

# changed: the agent 1 of ca.db leaves, 3 comes.
changed()
{
	ca-init -d ca.db <"$MADE/kra3.pem" >/dev/null 2>&1 &&
	    ca-init -D -d ca.db <"$ORG/kra1.pem" >/dev/null 2>&1
}

# rekeyed: and all keys are encrypted to 2 and 3.
rekeyed()
{
	changed &&
	    opened ca.db "${kra2[@]}" >clear &&
	    ca-import -Eq "${pins[@]}" -d ca.db <clear >rekey.log 2>&1
}

# keys: what the records on stdin have for keys, by certificate.
keys()
{
	only key | sed 's/.*\tsha1:\([0-9a-f]*\)\t.*\tkey:/\1 /' | sort
}

@test 'ca-init -D: nothing is encrypted any more to an agent that left' {
	local head one=$ORG/keys/jane-1999

	run_tool 0 ca-init -D -d ca.db <"$ORG/kra1.pem"
	[[ $(only kra <"$OUT" | field status) == left ]]
	tells "ca-init: warning: one agent: *"
	[[ $(rows ca.db 'SELECT Detail FROM audit ORDER BY AuditID DESC LIMIT 1') == \
	    "kras=0 left=$(sha1_of "$ORG/kra1.pem")" ]]
	whole ca.db
	# once is enough, and he is in the archive for what he could open
	head=$(last_head ca.db)
	run_tool 0 ca-init -D -d ca.db <"$ORG/kra1.pem"
	[[ $(last_head ca.db) == "$head" ]]
	opened ca.db "${kra1[@]}" | keys >one
	opened "$MADE/ca.db" "${kra1[@]}" | keys | cmp - one
	# what comes now is for the others
	openssl req -x509 -key "$one.key" -subj /CN=new -days 9 -out new.pem
	record 1 jane new.pem "$one.key" | closed >new.rec
	refuses 2 "$(printf '%s\n' 'ca-import: KRA CN=Recovery Agent 2,O=Example, SHA-1 '"$(sha1_of "$ORG/kra2.pem")" \
	    "ca-import: -t $(sha1_of "$ORG/kra1.pem"): the archive has no such KRA: nothing is imported")" \
	    ca-import -f -t "$(sha1_of "$ORG/kra1.pem")" \
	    -t "$(sha1_of "$ORG/kra2.pem")" -d ca.db <new.rec
	run_tool 0 ca-import -f -t "$(sha1_of "$ORG/kra2.pem")" -d ca.db <new.rec
	[[ $(only result <"$OUT" | field kra) == "$(sha1_of "$ORG/kra2.pem")" ]]
	# back again
	run_tool 0 ca-init -d ca.db <"$ORG/kra1.pem"
	[[ $(only kra <"$OUT" | field status) == back ]]
	[[ $(rows ca.db 'SELECT Detail FROM audit ORDER BY AuditID DESC LIMIT 1') == \
	    "kras=0 back=$(sha1_of "$ORG/kra1.pem")" ]]
	run_tool 0 ca-import -f -t "$(sha1_of "$ORG/kra1.pem")" \
	    -t "$(sha1_of "$ORG/kra2.pem")" -d ca.db <new.rec
	whole ca.db
}

@test 'ca-init -D: who is none, the last, and one too many for KRACertCount' {
	cp ca.db before
	run_tool 1 ca-init -D -d ca.db <"$ORG/ca.pem"
	says 'ca-init: KRA CN=Example CA,O=Example: no agent of this archive; nothing was written'
	cat "$ORG"/kra[12].pem >both
	refuses 2 'ca-init: no agent would stay: add another first; nothing was written' \
	    ca-init -D -d ca.db <both
	contents before | cmp - <(contents ca.db)
	ca-setflag -d ca.db KRACertCount 2 >/dev/null 2>&1
	refuses 2 'ca-init: 1 agents would stay, and KRACertCount is 2: give -N, too; nothing was written' \
	    ca-init -D -d ca.db <"$ORG/kra1.pem"
	run_tool 0 ca-init -D -N 1 -d ca.db <"$ORG/kra1.pem"
	refuses 2 "ca-init: $(pwd -P)/none.db: No such file or directory (ca-init makes an archive)" \
	    ca-init -D -d none.db <"$ORG/kra1.pem" || [[ ! -e none.db ]]
}

@test '-E: every key opens for the newcomer, all else stays' {
	local head

	cp ca.db before
	head=$(last_head ca.db)
	changed
	opened ca.db "${kra3[@]}" >none || :
	[[ $(keys <none | wc -l) == 0 ]]
	opened ca.db "${kra2[@]}" >clear
	run_tool 0 ca-import -E "${pins[@]}" -d ca.db <clear
	[[ $(statuses "$OUT" | cut -d ' ' -f 1 | sort | uniq -c) == *' 23 updated' ]]
	[[ $(only result <"$OUT" | field kra | sort -u) == \
	    "$(sha1_of "$ORG/kra2.pem") $(sha1_of "$MADE/kra3.pem")" ]]
	grep -q 'read 23, imported 0 (keys 0), updated 23, present 0, ignored 0, refused 0, faults 0' "$ERR"
	[[ $(rows ca.db 'SELECT Action FROM audit ORDER BY AuditID DESC LIMIT 1') == rekey ]]
	# the same keys, for him and for who stayed; not for who left
	keys <clear >want
	[[ $(wc -l <want) == 23 ]]
	opened ca.db "${kra3[@]}" | keys | cmp - want
	opened ca.db "${kra2[@]}" | keys | cmp - want
	opened ca.db "${kra1[@]}" >none || :
	[[ $(keys <none | wc -l) == 0 ]]
	# every row, those without a key too, with its sources and dates
	rows before 'SELECT * FROM request JOIN certificate USING (RequestID)' >rows
	rows ca.db 'SELECT * FROM request JOIN certificate USING (RequestID)' |
	    cmp - rows
	for db in before ca.db; do
		ca-export -nqd "$db" 2>/dev/null | only archived |
		    sed 's/\tkra:[^\t]*//; s/\tkey_audit:[0-9]*//' >"list.$db"
	done
	cmp list.before list.ca.db
	[[ $(wc -l <list.before) == 24 ]]
	# and the chain goes on
	whole ca.db
	run_tool 0 ca-audit -A "$head" -d ca.db
	grep -q ' rekey results=23 ' "$ERR"
}

@test '-E: openssl opens the new version alone' {
	local id

	rekeyed
	PATH=/usr/bin:/bin
	not command -v ca-recover
	for id in 1 7; do
		rows ca.db "SELECT writefile('7.p7', v.RawArchivedKey),
		    writefile('7.cer', RawCertificate) FROM keyversion v
		    JOIN certificate USING (RequestID)
		    WHERE RequestID = $id" >/dev/null
		openssl cms -decrypt -binary -inform DER -in 7.p7 \
		    -recip "$MADE/kra3.pem" -inkey "$MADE/kra3.key" |
		    openssl rsa -inform MSBLOB -pubout 2>/dev/null >pub
		openssl x509 -inform DER -in 7.cer -noout -pubkey | cmp - pub
	done
}

@test '-E: again it does what is left, and -n nothing' {
	changed
	opened ca.db "${kra2[@]}" >clear
	# as if it had been killed after a few
	{ only key <clear | head -n 5; } | closed >some
	run_tool 0 ca-import -Eq "${pins[@]}" -d ca.db <some
	contents ca.db >before
	run_tool 0 ca-import -Enq "${pins[@]}" -d ca.db <clear
	contents ca.db | cmp - before
	run_tool 0 ca-import -Eq "${pins[@]}" -d ca.db <clear
	[[ $(statuses "$OUT" | cut -d ' ' -f 1 | sort | uniq -c | xargs) == \
	    '5 present 18 updated' ]]
	contents ca.db >before
	run_tool 0 ca-import -Eq "${pins[@]}" -d ca.db <clear
	[[ $(statuses "$OUT" | cut -d ' ' -f 1 | sort -u) == present ]]
	contents ca.db | cmp - before
	[[ $(rows ca.db 'SELECT count(*) FROM keyversion') == 23 ]]
	whole ca.db
}

@test '-E: only a key that is proven, and is there' {
	local jane=$ORG/keys/jane-1999 bob=$ORG/keys/bob-1999

	changed
	openssl req -x509 -key "$jane.key" -subj /CN=new -days 9 -out new.pem
	contents ca.db >before
	{
		record 1 jane "$jane.pem" "$bob.key"
		record 2 jane new.pem "$jane.key"
		record 3 jane "$jane.pem"
		printf 'rec:fault\tn:4\tsource:x\treason:cut\tdetail:y\n'
	} | closed >hostile
	run_tool 1 ca-import -E "${pins[@]}" -d ca.db <hostile
	[[ $(statuses "$OUT" | xargs) == 'refused refused ignored fault' ]]
	tells 'ca-import: stdin:1: record 1, user jane: refused: private key does not belong to the certificate*' \
	    'ca-import: stdin:2: record 2, user jane: refused: no row has it: import it without -E'
	contents ca.db | cmp - before
	# a row that has no key
	new_archive one.db
	record 1 jane "$jane.pem" | closed | ca-import -f -d one.db >/dev/null 2>&1
	record 1 jane "$jane.pem" "$jane.key" | closed >key
	run_tool 1 ca-import -E -d one.db <key
	grep -q 'refused: its row has no key: import it without -E' "$ERR"
}

@test '-D: nothing is dropped for a version that is not what its commit left' {
	local was

	rekeyed
	was=$(rows ca.db 'SELECT sum(length(RawArchivedKey)) FROM request')
	rows ca.db 'UPDATE keyversion SET
	    RawArchivedKey = zeroblob(length(RawArchivedKey)) WHERE RequestID = 1'
	run_tool 2 ca-import -DEq "${pins[@]}" -d ca.db <clear
	grep -q 'the key of row 1 is not as audit row [0-9]* left it (the archive was changed' "$ERR"
	[[ $(rows ca.db 'SELECT sum(length(RawArchivedKey)) FROM request') == "$was" ]]
}

@test '-D: what the newcomer opened loses its older versions' {
	local head

	rekeyed
	opened ca.db "${kra3[@]}" >clear
	# what this run encrypts nobody has opened yet
	cp "$MADE/ca.db" other.db
	mv ca.db kept.db
	mv other.db ca.db
	changed
	run_tool 0 ca-import -Dq "${pins[@]}" -d ca.db <clear
	[[ $(rows ca.db 'SELECT count(*) FROM request WHERE length(RawArchivedKey) > 32') == 23 ]]
	mv kept.db ca.db
	head=$(last_head ca.db)
	{ only key <clear | head -n 3; } | closed >some
	run_tool 0 ca-import -D "${pins[@]}" -d ca.db <some
	says_too 'ca-import: older versions of keys dropped: 3'
	[[ $(rows ca.db 'SELECT Detail FROM audit ORDER BY AuditID DESC LIMIT 1') == *' dropped=3' ]]
	run_tool 0 ca-import -D "${pins[@]}" -d ca.db <clear
	says_too 'ca-import: older versions of keys dropped: 20'
	whole ca.db
	ca-audit -A "$head" -d ca.db >/dev/null 2>&1
	# nothing of them is in the file, and who left opens none
	rows "$MADE/ca.db" 'SELECT lower(hex(substr(RawArchivedKey, -64)))
	    FROM request WHERE RawArchivedKey IS NOT NULL' >old
	[[ $(wc -l <old) == 23 ]]
	xxd -p -c 0 "$MADE/ca.db" | grep -q -F -f old
	rows ca.db 'PRAGMA wal_checkpoint(truncate)' >/dev/null
	xxd -p -c 0 ca.db >hex
	not grep -q -F -f old hex
	ca-dump -qd ca.db 2>/dev/null | ca-recover -q "${kra1[@]}" >none 2>/dev/null || :
	[[ $(keys <none | wc -l) == 0 ]]
	opened ca.db "${kra2[@]}" | keys | cmp - <(keys <clear)
	# in the place of each stands its hash
	[[ $(rows ca.db 'SELECT lower(hex(RawArchivedKey)) FROM request WHERE RequestID = 1') == \
	    $(rows "$MADE/ca.db" 'SELECT lower(hex(RawArchivedKey)) FROM request WHERE RequestID = 1' |
	    xxd -r -p | sha256sum | cut -c -64) ]]
	run_tool 0 ca-import -D "${pins[@]}" -d ca.db <clear
	not grep -q dropped "$ERR"
}

# says_too LINE: it is one of the messages.
says_too()
{
	grep -qxF "$1" "$ERR"
}

@test 'one more agent later: the version in between goes too' {
	local id

	rekeyed
	pins=(-t "$(sha1_of "$MADE/kra3.pem")")
	ca-init -D -d ca.db <"$ORG/kra2.pem" >/dev/null 2>&1
	opened ca.db "${kra3[@]}" >clear
	run_tool 0 ca-import -Eq "${pins[@]}" -d ca.db <clear
	[[ $(rows ca.db 'SELECT count(*) FROM keyversion') == 46 ]]
	[[ $(rows ca.db 'SELECT count(*) FROM (SELECT DISTINCT AuditID FROM keyversion)') == 2 ]]
	opened ca.db "${kra3[@]}" | keys | cmp - <(keys <clear)
	opened ca.db "${kra2[@]}" >none || :
	[[ $(keys <none | wc -l) == 0 ]]
	run_tool 0 ca-import -D "${pins[@]}" -d ca.db <clear
	says_too 'ca-import: older versions of keys dropped: 46'
	whole ca.db
	opened ca.db "${kra3[@]}" | keys | cmp - <(keys <clear)
	# as another archive
	copied ca.db
	whole copy.db
}

@test 'a copy has every version, byte for byte' {
	rekeyed
	copied ca.db
	[[ $(only version <dump | wc -l) == 23 ]]
	contents ca.db | sort | cmp - <(contents copy.db | sort)
	whole copy.db
	run_tool 0 ca-load -d copy.db <dump
	ca-dump -qd copy.db 2>/dev/null | cmp - dump
	opened copy.db "${kra3[@]}" | keys | cmp - <(keys <clear)
	# the first version is there to go back to
	ca-recover -q "${kra1[@]}" <dump 2>/dev/null | keys | cmp - <(keys <clear)
	# one that is encrypted to somebody else
	awk -F '\t' 'BEGIN { OFS = FS } $1 == "rec:version" && !done {
	    sub(/kra:[0-9a-f]*/, "kra:" substr($5, 46, 40), $5); done = 1 } 1' \
	    dump >bad
	ca-init -f -d bad.db </dev/null >/dev/null 2>&1
	run_tool 2 ca-load -P -d bad.db <bad
}

@test 'what was planted, changed or taken away is found' {
	local edit n=0

	rekeyed
	opened ca.db "${kra3[@]}" >clear
	ca-import -Dq "${pins[@]}" -d ca.db <<<"$({ only key <clear | head -n 3; } | closed)" \
	    >/dev/null 2>&1
	whole ca.db
	while IFS= read -r edit; do
		cp ca.db edited.db
		rows edited.db "$edit"
		run_tool 1 ca-audit -A "$(last_head ca.db)" -d edited.db
		grep -q $'\tstatus:altered\t' "$OUT"
		((n += 1))
	done <<-'END'
	INSERT INTO keyversion SELECT RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat, 7 FROM keyversion LIMIT 1
	INSERT INTO keyversion SELECT RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat, 3 FROM request WHERE RequestID = 9
	INSERT INTO keyversion SELECT RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat, 99 FROM keyversion LIMIT 1
	UPDATE keyversion SET RawArchivedKey = zeroblob(length(RawArchivedKey)) WHERE RequestID = 9
	UPDATE keyversion SET KeyFormat = 'PKCS8' WHERE RequestID = 9
	UPDATE keyversion SET KeyRecoveryHashes = '00' WHERE RequestID = 9
	UPDATE keyversion SET RequestID = 19 WHERE RequestID = 9
	UPDATE keyversion SET AuditID = 3 WHERE RequestID = 9
	UPDATE keyversion SET RawArchivedKey = (SELECT RawArchivedKey FROM keyversion WHERE RequestID = 8) WHERE RequestID = 9
	DELETE FROM keyversion WHERE RequestID = 9
	DELETE FROM keyversion WHERE RequestID = 1
	UPDATE request SET RawArchivedKey = zeroblob(32) WHERE RequestID = 1
	UPDATE request SET RawArchivedKey = zeroblob(32) WHERE RequestID = 9
	UPDATE request SET RawArchivedKey = x'' WHERE RequestID = 9
	END
	((n == 14))
	# its own hash in the place of a key that nobody dropped
	rows ca.db "SELECT writefile('blob', RawArchivedKey) FROM request
	    WHERE RequestID = 9" >/dev/null
	rows ca.db "UPDATE request SET RawArchivedKey =
	    x'$(sha256sum <blob | cut -c -64)' WHERE RequestID = 9"
	run_tool 1 ca-audit -d ca.db
	says 'ca-audit: audit: 4 versions of keys are gone, and the commits say that 3 were dropped: compare with the results of ca-import, or go back to a copy'
}

@test 'no commit adopts a version that was planted with its number' {
	rekeyed
	rows ca.db "INSERT INTO keyversion SELECT RequestID, RawArchivedKey,
	    KeyRecoveryHashes, KeyFormat, (SELECT max(AuditID) + 1 FROM audit)
	    FROM keyversion WHERE RequestID = 9"
	run_tool 2 ca-export -s id:1 -d ca.db
	grep -q "altered: version of the key of row 9 says that audit row [0-9]* wrote it, which is not there yet" "$ERR"
	nothing_out ca-export
}

# old_chain DB: its digests and hashes as kms2ca 0.2 made them, over the keys
# themselves.
old_chain()
{
	local trigger

	trigger=$(rows "$1" "SELECT sql FROM sqlite_schema
	    WHERE name = 'audit_update'")
	rows "$1" 'DROP TRIGGER audit_update'
	/usr/bin/python3 - "$1" "$root/man/ca-db.5" <<-'END'
	import hashlib, re, sqlite3, sys

	db = sqlite3.connect(sys.argv[1])
	page = open(sys.argv[2]).read().replace('\\(aq', "'")
	page = page[page.index('?1 being'):]
	page = page[page.index('.Bd -literal') + 12:page.index('.Ed')]
	queries = re.split('^(?=SELECT)', page, flags=re.M)[1:]
	kinds = { int: 1, str: 3, bytes: 4, type(None): 5 }
	before = b''
	for id, when, caller, action, detail, digest, _ in list(db.execute(
	    'SELECT * FROM audit ORDER BY 1')):
	    md = hashlib.sha256()
	    for q in queries:
	        for row in db.execute(q, (id,)):
	            for v in row:
	                b = v if type(v) is bytes else b'' if v is None \
	                    else str(v).encode()
	                md.update(b'%d:%d:' % (kinds[type(v)], len(b)) + b)
	    chain = hashlib.sha256(before)
	    for v in str(id), when, caller, action, detail, md.hexdigest():
	        chain.update(b'%d:' % len(v.encode()) + v.encode())
	    before = chain.hexdigest().encode()
	    db.execute('UPDATE audit SET Digest = ?, Hash = ? WHERE AuditID = ?',
	        (md.hexdigest(), chain.hexdigest(), id))
	db.commit()
	END
	rows "$1" "$trigger"
}

@test '-D: what kms2ca 0.2 archived gets a version, and keeps the first' {
	old_chain ca.db
	[[ $(last_head ca.db) != "$(last_head "$MADE/ca.db")" ]]
	whole ca.db
	rekeyed
	whole ca.db
	opened ca.db "${kra3[@]}" >clear
	run_tool 0 ca-import -D "${pins[@]}" -d ca.db <clear
	tells 'ca-import: stdin:1: record 1, user *: present: an older version stays, which kms2ca 0.2 or before wrote: without it its audit row cannot be checked'
	[[ $(rows ca.db 'SELECT count(*) FROM request WHERE length(RawArchivedKey) > 32') == 23 ]]
	whole ca.db
	# neither way to hash it hides a change
	rows ca.db 'UPDATE request SET RawArchivedKey = (SELECT RawArchivedKey
	    FROM request WHERE RequestID = 2) WHERE RequestID = 1'
	run_tool 1 ca-audit -d ca.db
}

@test 'kill -9 anywhere: what was promised is there, the rest comes by another run' {
	local n after

	changed
	opened ca.db "${kra2[@]}" >clear
	cp ca.db before.db
	for n in 1 2 3 5 8; do
		cp before.db ca.db
		rm -f ca.db-wal ca.db-shm
		only key <clear | head -n 12 >some
		# the pipe stays open: it is killed in the middle
		{
			cat some
			until [[ $(grep -c '^rec:result' log) -ge $n ]]; do :; done
			kill -9 "$(<pid)"
		} | {
			echo "$BASHPID" >pid
			exec ca-import -Eq "${pins[@]}" -d ca.db
		} >log 2>/dev/null || :
		after=$(rows ca.db 'SELECT count(*) FROM keyversion')
		[[ $after -ge $(grep -c $'^rec:result.*\tstatus:updated' log) ]]
		whole ca.db
		run_tool 0 ca-import -Eq "${pins[@]}" -d ca.db <clear
		[[ $(rows ca.db 'SELECT count(*) FROM keyversion') == 23 ]]
		whole ca.db
	done
}
