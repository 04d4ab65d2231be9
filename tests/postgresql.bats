#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# shellcheck disable=SC2154 # arrays of ca.bash, variables of pg.bash
#
# The archive in PostgreSQL: what the tools do with a file, they do with it.

load common
load ca
load pg
load leak

setup_file()
{
	bats_require_minimum_version 1.5.0
	need_pg
	org_archive "$BATS_FILE_TMPDIR"
}

setup()
{
	common_setup
	made=$BATS_FILE_TMPDIR
	export PGTZ=UTC PGAPPNAME=
}

# pg_archive: as new_archive, in a database of its own.
pg_archive()
{
	pg_new && new_archive "$URL"
}

# pg_import: what was exported, into it.
pg_import()
{
	ca-import -f -d "$URL" "${machine[@]}" <"$made/export.kms"
}

# pg_head: the head of its chain, from the table.
pg_head()
{
	sql "select AuditID || ':' || Hash from audit order by AuditID desc limit 1"
}

# pg_whole: the chain fits the rows.
pg_whole()
{
	run_tool 0 ca-audit -A "$(pg_head)" -d "$URL" &&
	grep -q ': audit: the chain is whole' "$ERR"
}

# masked FILE: without what differs from one archive to another: times, hashes
# of the chain, names of the archive, digests of a stream, blobs; and numbers of
# commits, of which a slow machine makes more.
masked()
{
	sed -E "s,${URL/\?/\\?},DB,g; s,($PWD/)?ca\.db,DB,g; s/[0-9:-]{10}T[0-9:]{8}Z/TIME/g
	    /warning: .*: fsync is off/d
	    s/(audit head: |is now )[0-9]+:[0-9a-f]{64}/\1HEAD/
	    s/\t(audit|key_audit):[0-9]+/\t\1:N/g
	    s/\tsha256:[0-9a-f]{64}\tsig:/\tsha256:\tsig:/
	    s/\tblob:.+/\tblob:B/" "$1"
}

# both STATUS TOOL ARG...: the same on ca.db and in $URL, with our stdin; -d DB
# is added.  Both say and write the same.
both()
{
	local status=$1 tool=$2 store

	shift 2
	cat >both.in
	for store in ca.db "$URL"; do
		run_tool "$status" "$tool" -d "$store" "$@" <both.in || return
		masked "$OUT" >"both.out.${store%%:*}"
		masked "$ERR" >"both.err.${store%%:*}"
	done
	diff both.out.ca.db both.out.postgresql &&
	diff both.err.ca.db both.err.postgresql
}

@test 'postgresql: every tool does what it does with a file' {
	pg_new
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" | both 0 ca-init -c "$ORG/ca.pem"
	# again; and another CA
	both 0 ca-init <"$ORG/kra2.pem"
	both 2 ca-init -c "$ORG/kms.pem" <"$ORG/kra1.pem"
	both 0 ca-setflag </dev/null
	both 0 ca-setflag KRAFlags +KRAF_ENABLEFOREIGN </dev/null
	both 2 ca-setflag KRACertCount 3 </dev/null
	both 0 ca-setflag -n KRACertCount 1 </dev/null
	both 1 ca-export </dev/null
	both 1 ca-import -n "${machine[@]}" <"$made/export.kms"
	both 1 ca-import "${machine[@]}" <"$made/export.kms"
	both 0 ca-import -f "${machine[@]}" <"$made/export.kms"
	grep -q -x 'ca-import: read 28, imported 21 (keys 20), updated 0, present 3, ignored 2, refused 0, faults 2' \
	    "$ERR"
	both 0 ca-import -f "${machine[@]}" <"$made/export.kms"
	both 0 ca-export </dev/null
	both 0 ca-export -n </dev/null
	both 0 ca-export -s jane@example.com </dev/null
	pg_whole
	whole ca.db
	[[ $(sql 'select AuditID, Caller, Action, Detail from audit') == \
	    "$(rows ca.db 'select AuditID, Caller, Action, Detail from audit')" ]]
}

@test 'postgresql: every status' {
	local jane=$ORG/keys/jane-1999 bob=$ORG/keys/bob-1999

	pg_archive
	new_archive ca.db
	{
		record 1 jane "$jane.pem"
		record 2 jane "$jane.pem" "$jane.key"
		record 3 jane "$jane.pem" "$jane.key"
		record 4 jane "$jane.pem"
		user 5 carol-1999s
		record 6 bob "$bob.pem" "$jane.key"
		printf 'rec:fault\tn:7\tsource:x\treason:cut\tdetail:%s\n' \
		    'it ended'
		user 8 erin-1998
	} | closed | both 1 ca-import -f
	statuses "$OUT" | tr '\n' , | grep -x \
	    'imported 1,updated 1,present 1,present 1,ignored,refused,fault,imported 2,'
	pg_whole
	# a key of an earlier run, and one of a later
	record 1 bob "$bob.pem" | closed | both 0 ca-import -f
	record 1 bob "$bob.pem" "$bob.key" | closed | both 0 ca-import -f
	[[ $(statuses "$OUT") == 'updated 3' ]]
	both 0 ca-export -n </dev/null
	pg_whole
	# of a user who is not that of the row, asked for one by one and at once
	record 1 alice "$bob.pem" "$bob.key" | closed | both 0 ca-import -f
	mkdir -p kms/Staff/{alice,judy}
	cat "$ORG"/keys/judy-2003.{pem,key} | tee kms/Staff/alice/judy.pem \
	    >kms/Staff/judy/judy.pem
	tar -cf - --sort=name kms | kms-export -q -c "$ORG/machine.pem" \
	    -S "$ORG/machine.p12" -p "file:$ORG/machine.pw" 2>/dev/null |
	    both 0 ca-import "${machine[@]}"
	[[ $(only result <"$OUT" | field reason) == \
	    $'\nalready in row 4, for user alice: this name is kept as well' ]]
	both 0 ca-export -n -u judy </dev/null
	[[ $(only archived <"$OUT" | cut -f 3,7,8) == $'id:4\tgroup:Staff\tuser:judy' ]]
	both 0 ca-export -n -g Staff </dev/null
	both 0 ca-setname 4 name:0 user:älice </dev/null
	both 0 ca-export -n -s älice </dev/null
	both 0 ca-export -n -s former:alice </dev/null
	both 1 ca-setname 4 user:x </dev/null
	pg_whole
}

@test 'postgresql: the rows are those of a file' {
	local columns table

	pg_archive
	pg_import >import.log 2>/dev/null
	for table in request certificate kra config fault audit; do
		columns=$(rows "$made/ca.db" "SELECT group_concat(name, ', ')
		    FROM pragma_table_info('$table')")
		# what is encrypted, and when it was
		columns=$(sed -E "s/(RawArchivedKey)/length(\1)/
		    s/, (Submitted|Resolved|Added|Audit)When//g
		    s/, (Digest|Hash)//g" <<<"$columns")
		case $table in
		config) # of two types
			rows "$made/ca.db" "select Name, case typeof(Value) when
			    'integer' then Value end, case typeof(Value) when
			    'blob' then lower(hex(Value)) end, AuditID
			    from config order by 1" >want
			sql "select Name, Value, encode(Certificate, 'hex'),
			    AuditID from config order by 1" >got ;;
		*)
			rows "$made/ca.db" "select $(sed -E 's/Raw(Certi|Pub)[A-Za-z]*/lower(hex(&))/g' \
			    <<<"$columns") from $table order by 1" >want
			sql "select $(sed -E "s/Raw(Certi|Pub)[A-Za-z]*/encode(&, 'hex')/g" \
			    <<<"$columns") from $table order by 1" >got ;;
		esac
		[[ -s want ]]
		if [[ $table == audit ]]; then
			# there, two streams went through one pipe
			cut -d '|' -f 1-3 want >w && mv w want
			cut -d '|' -f 1-3 got >g && mv g got
		fi
		diff want got
	done
}

@test 'postgresql: an archived key opens with psql and openssl alone' {
	local id

	pg_archive
	pg_import >import.log 2>/dev/null
	PATH=/usr/bin:/bin
	not command -v ca-export
	id=$(sql "select RequestID from request where KmsUser = 'jane' limit 1")
	sql "select encode(RawArchivedKey, 'hex') from request
	    where RequestID = $id" | xxd -r -p >blob
	sql "select encode(RawCertificate, 'hex') from certificate
	    where RequestID = $id" | xxd -r -p >cer
	openssl cms -decrypt -binary -inform DER -in blob \
	    -recip "$ORG/kra2.pem" -inkey "$ORG/kra2.key" |
	    openssl rsa -inform MSBLOB -pubout 2>/dev/null >pub
	openssl x509 -inform DER -in cer -noout -pubkey | cmp - pub
}

@test 'postgresql: names that are no UTF-8, or have NUL, stay as they are' {
	local name n=0 hex

	pg_archive
	new_archive ca.db
	# Latin-1, NUL, U+FFFD itself and with digits behind it, backslashes,
	# half a character, the end of UTF-8, an empty one
	printf '%s\n' "$ORG"/keys/*[0-9].pem | head -n 10 >pems
	for hex in 4772fcdf65 6100620a ef bfbd efbfbd efbfbd3661 5c7866665c \
	    e282 f48fbfbfe2 ''; do
		((n += 1))
		name=$(sed -n "${n}p" pems)
		record "$n" x "$name" "${name%.pem}.key" |
		    sed "s|\tuser:x|\tuser_b64:$(xxd -r -p <<<"$hex" | base64)|"
	done | closed >names
	both 0 ca-import -f <names
	both 0 ca-export </dev/null
	[[ $(grep -c $'\tuser_b64:' "$OUT") -ge 4 ]]
	both 0 ca-export -n -s $'GR\xfc\xdfE' </dev/null
	[[ $(only archived <"$OUT" | wc -l) == 1 ]]
	both 1 ca-export -n -s 'Gr' </dev/null
	# and what is like it
	both 1 ca-export -n -s $'Gr\xc3\xbc\xc3\x9fe' </dev/null
	grep -F 'like it: user Gr\xfc\xdfe (row 1)' "$ERR"
	both 1 ca-export -n -s 'a' </dev/null
	both 0 ca-export -s $'\xef\xbf\xbd' </dev/null
	pg_whole
	[[ $(sql "select KmsUser from request where RequestID = 1") == \
	    $'Gr\xef\xbf\xbdfc\xef\xbf\xbddfe' ]]
}

@test 'postgresql: only two hexadecimal digits make a byte of a name' {
	local tail

	pg_archive
	record 1 x "$ORG/kra1.pem" | closed | ca-import -f -d "$URL" >/dev/null 2>&1
	for tail in ' f' +f 0x -1 6; do
		sql "update request set KmsUser = U&'\\FFFD$tail'"
		run_tool 0 ca-export -n -d "$URL"
		[[ $(only archived <"$OUT" | field user) == $'\xef\xbf\xbd'"$tail" ]]
	done
	sql "update request set KmsUser = U&'\\FFFD6a'"
	run_tool 0 ca-export -n -d "$URL"
	[[ $(only archived <"$OUT" | field user) == j ]]
}

@test 'postgresql: tokens find what they find in a file' {
	local token

	pg_archive
	pg_import >import.log 2>/dev/null
	cp "$made/ca.db" .
	ca-export -n -d ca.db 2>/dev/null | only archived | sed -n 3p >row
	for token in "$(field sha1 <row)" "serial:$(field serial <row)" \
	    "$(field sha256 <row | tr a-f A-F | sed 's/../& /g')" \
	    "$(field ski <row)" "$(field user <row)" JANE@EXAMPLE.COM \
	    "requester:$(id -un)" carol@example.com id:3; do
		both 0 ca-export -n -s "$token" </dev/null
	done
	both 0 ca-export -n -s jane -s erin </dev/null
	both 0 ca-export -u 'J*' -g 'north*' -b 1999 -e 2003-06 </dev/null
	for token in ja ane %25 '%' "' or 1=1 --" '{jane}' 'Ja:ne' \
	    $'jane\x1ferin' "$(id -un)" "$(field serial <row)"; do
		both 1 ca-export -n -s "$token" </dev/null
	done
}

# Audit -----------------------------------------------------------------------

# behind SQL: as one who may do all, past the triggers.
behind()
{
	sql "set session_replication_role = replica; $1"
}

# pg_copy: go on with a copy of the database.
pg_copy()
{
	psql -X -q -h "$PG" -U owner postgres -c 'set client_min_messages = error' \
	    -c "drop database if exists ${DB}c" \
	    -c "create database ${DB}c template $DB" || return
	DB+=c
	URL=$(pg_url owner)
}

# finds MESSAGE SQL: that edit of a copy of the archive is found.
finds()
{
	local head

	head=$(pg_head)
	pg_copy || return
	behind "$2" >/dev/null || return
	run_tool 1 ca-audit -A "$head" -d "$URL" || return
	grep -q $'\tstatus:altered\t' "$OUT" || return
	tells "$1" || {
		printf '%s\n%s\n' "$2" "$(<"$ERR")" >&2
		return 1
	}
	DB=${DB%c}
	URL=$(pg_url owner)
}

@test 'postgresql: what was altered is found' {
	local changed='ca-audit: audit: what audit row * recorded was changed*'
	local orphan='ca-audit: audit: * is not as the audited commits left it*'

	pg_archive
	pg_import >import.log 2>/dev/null
	pg_whole
	finds "$changed" "update request set RawArchivedKey =
	    set_byte(RawArchivedKey, 100, 0) where RequestID = 3"
	finds "$changed" "update certificate set UPN = 'x' where RequestID = 4"
	finds "$changed" "delete from request where RequestID = 24;
	    delete from certificate where RequestID = 24"
	finds "$changed" "update request a set RawArchivedKey =
	    b.RawArchivedKey from request b where a.RequestID in (1, 2)
	    and b.RequestID in (1, 2) and a.RequestID <> b.RequestID"
	finds "$orphan" "update config set Value = 3 where Name = 'KRAFlags'"
	finds "$orphan" "insert into request select RequestID + 1000, null,
	    null, StatusCode, Disposition, DispositionMessage, SubmittedWhen,
	    ResolvedWhen, RequesterName, CallerName, DistinguishedName,
	    CommonName, OrgUnit, Organization, EMail, null, KmsGroup, KmsUser,
	    KmsMail, MailboxGuid, Source, StreamId, 77, null from request
	    where RequestID = 1"
	finds 'ca-audit: audit: audit row 2 does not follow*' \
	    "update audit set Caller = 'x' where AuditID = 2"
	finds 'ca-audit: audit: the head * is not in the chain*' \
	    'delete from audit where AuditID = 3; delete from fault;
	    delete from certificate; delete from request'
	# not only what is in the chain counts: a row of kra that lies
	pg_copy
	behind "update kra set CertificateHash = 'x' where KraID = 1"
	run_tool 1 ca-audit -A "$(pg_head)" -d "$URL"
	grep -q 'what audit row 1 recorded was changed' "$ERR"
}

@test 'postgresql: a schema that was altered is found, and not written to' {
	local schema='ca-audit: audit: the schema is not that of ca-db(5)*'
	local edit undo head

	pg_archive
	head=$(pg_head)
	while IFS='|' read -r edit undo; do
		sql "$edit"
		run_tool 1 ca-audit -A "$head" -d "$URL"
		# shellcheck disable=SC2053 # a pattern
		[[ $(<"$ERR") == $schema ]] || {
			echo "$edit" >&2
			return 1
		}
		sql "$undo"
	done <<-'END'
	alter table audit disable trigger audit_append|alter table audit enable trigger audit_append
	create view v as select 1|drop view v
	create table kms2ca.t(a int)|drop table kms2ca.t
	create function f() returns int language sql as 'select 1'|drop function f
	create or replace function refuse() returns trigger language plpgsql set search_path = pg_catalog as 'begin return null; end'|create or replace function refuse() returns trigger language plpgsql set search_path = pg_catalog as 'begin raise exception ''%'', tg_argv[0]; end'
	create trigger t before insert on request for each row execute function refuse()|drop trigger t on request
	alter table request enable row level security|alter table request disable row level security
	alter table request alter KmsUser drop not null|alter table request alter KmsUser set not null
	drop index request_KeyAudit|create index request_KeyAudit on request(KeyAudit) where KeyAudit is not null
	create operator kms2ca.<> (leftarg = text, rightarg = text, function = textne)|drop operator kms2ca.<> (text, text)
	drop trigger request_once on request|create trigger request_once before update on request for each row when (old.KeyAudit is not null) execute function once()
	alter function key_of set search_path = public|alter function key_of set search_path = pg_catalog
	alter table request disable trigger request_stamp|alter table request enable trigger request_stamp
	alter table kra drop constraint kra_auditid_fkey|alter table kra add constraint kra_auditid_fkey foreign key (AuditID) references audit deferrable initially deferred
	alter function writer security invoker|alter function writer security definer
	END
	# all of it was undone; these leave something behind
	run_tool 0 ca-audit -A "$head" -d "$URL"
	grep -q 'the chain is whole' "$ERR"
	for edit in 'create rule r as on insert to request do instead nothing' \
	    'alter table request add x text' \
	    'create table other() inherits (audit)'; do
		finds "$schema" "$edit"
	done
	sql "$edit"
	run_tool 2 ca-import -f -d "$URL" "${machine[@]}" <"$made/export.kms"
	nothing_out ca-import
	masked "$ERR" | diff - <(echo "ca-import: DB: the schema is not that of ca-db(5): a trigger or view may change what is written or shown: go back to a copy, or drop it")
	[[ $(sql 'select count(*) from request') == 0 ]]
}

@test 'postgresql: append-only and written once hold for the owner too' {
	local edit

	pg_archive
	pg_import >import.log 2>/dev/null
	for edit in "update audit set Caller = 'x'" 'delete from audit' \
	    'truncate audit cascade'; do
		run sql "$edit"
		((status != 0))
		[[ $output == *'the audit table is append-only'* ]]
	done
	run sql "update request set RawArchivedKey = 'x' where RequestID = 1"
	((status != 0))
	[[ $output == *'an archived key is written once'* ]]
	pg_whole
}

# Roles -----------------------------------------------------------------------

# granted: the roles of the page, with what it grants to them.  Roles are the
# server's, not the database's.
granted()
{
	awk '/^\.Ss PostgreSQL/ { on = 1 } /^\.Sh/ { on = 0 } on' \
	    "$root/man/ca-db.5" | sed -n '/^create role lister/,/^\.Ed/p' |
	    grep -v '^\.Ed' >grants
	[[ $(grep -c ';$' grants) == 17 ]] || return
	sed "s/\<\(lister\|importer\|exporter\|setter\|namer\)\>/\1_$DB/g" grants | sql
}

# as ROLE: who names the archive from now on.
as()
{
	URL=$(pg_url "$1_$DB")
}

@test 'postgresql: each role can do its work, and no more' {
	local role

	pg_archive
	pg_import >import.log 2>/dev/null
	granted
	says_denied()
	{
		grep -q "permission denied for .* (ca-db(5) says what to grant to whom)" \
		    "$ERR" || { cat "$ERR" >&2; return 1; }
	}
	for role in importer exporter setter; do
		as "$role"
		run_tool 0 ca-export -n -d "$URL"
		run_tool 0 ca-setflag -d "$URL"
	done
	as importer
	user 1 judy-2003 | sed 's/judy-2003.pem/again/' | closed |
	    ca-import -f -d "$URL" >again.log
	record 1 new "$ORG/kra1.pem" | closed >cert.rec
	run_tool 0 ca-import -f -d "$URL" <cert.rec
	record 1 new "$ORG/kra1.pem" "$ORG/kra1.key" | closed >key.rec
	run_tool 0 ca-import -f -d "$URL" <key.rec
	[[ $(statuses "$OUT") == 'updated 25' ]]
	run_tool 2 ca-export -d "$URL"
	says_denied
	nothing_out ca-export
	run_tool 2 ca-audit -A "$(pg_head)" -d "$URL"
	says_denied
	run_tool 2 ca-setflag -d "$URL" KRAFlags 0
	says_denied
	for sql in 'select RawArchivedKey from request' \
	    'select * from request' 'delete from request' \
	    "update certificate set UPN = 'x'" 'delete from audit' \
	    'truncate request cascade' "insert into kra values (9, '', '', '', '', 1)" \
	    "update request set CertAudit = 9" 'create table kms2ca.t(x int)' \
	    'alter table audit disable trigger all'; do
		run sql "$sql"
		((status != 0))
		[[ $output == *'permission denied'* || $output == *'must be owner'* ]]
	done
	[[ -z $(sql 'select * from key_of(3)') ]]
	run sql "update request set RawArchivedKey = 'x', KeyAudit = null
	    where RequestID = 3"
	[[ $output == *'an archived key is written once'* ]]
	as exporter
	run_tool 0 ca-export -d "$URL"
	run_tool 0 ca-audit -A "$(pg_head)" -d "$URL"
	record 1 other "$ORG/kra2.pem" | closed >cert.rec
	run_tool 2 ca-import -f -d "$URL" <cert.rec
	says_denied
	nothing_out ca-import
	run_tool 2 ca-setflag -d "$URL" KRAFlags 0
	says_denied
	as setter
	run_tool 0 ca-setflag -d "$URL" KRAFlags 0
	for sql in "update config set Certificate = 'x'" \
	    "update config set Name = 'x'" \
	    "insert into config values ('x', 1, 'x', 1)"; do
		run sql "$sql"
		((status != 0))
		[[ $output == *'permission denied'* ]]
	done
	run_tool 2 ca-export -d "$URL"
	says_denied
	run_tool 2 ca-import -f -d "$URL" <cert.rec
	says_denied
	as namer
	run_tool 0 ca-setname -d "$URL" 1 user:'älice' </dev/null
	run_tool 0 ca-export -n -d "$URL" -u 'älice'
	run_tool 2 ca-export -d "$URL"
	says_denied
	run_tool 2 ca-import -f -d "$URL" <cert.rec
	says_denied
	run_tool 2 ca-setflag -d "$URL" KRAFlags 1
	says_denied
	for sql in 'delete from name' "update name set KmsUser = 'x'" \
	    "update request set KmsUser = 'x'"; do
		run sql "$sql"
		((status != 0))
		[[ $output == *'permission denied'* ]]
	done
	as setter
	run_tool 2 ca-setname -d "$URL" 1 user:x </dev/null
	says_denied
	# nobody else
	URL=$(pg_url owner)
	sql "create role nobody_$DB login"
	URL=$(pg_url "nobody_$DB")
	refuses 2 "ca-export: $URL: this role may not use the schema kms2ca (ca-db(5) says what to grant to whom)" \
	    ca-export -n -d "$URL"
	URL=$(pg_url owner)
	pg_whole
}

# agent NAME: one more, whom the CA has issued.
agent()
{
	printf '%s\n' extendedKeyUsage=1.3.6.1.4.1.311.21.6 \
	    keyUsage=critical,keyEncipherment >ext
	openssl req -newkey rsa:2048 -noenc -keyout "$1.key" -out csr \
	    -subj "/CN=$1" 2>/dev/null
	openssl x509 -req -in csr -CA "$ORG/ca.pem" -CAkey "$ORG/ca.key" \
	    -days 30 -extfile ext -out "$1.pem" 2>/dev/null
	cat "$1.pem" "$1.key" >"$1"
}

@test 'postgresql: faults, and what cures them' {
	pg_archive
	new_archive ca.db
	both 0 ca-import -f "${machine[@]}" <"$made/export.kms"
	both 0 ca-import -f "${machine[@]}" <"$made/export.kms"
	both 0 ca-export -an </dev/null
	[[ $(only fault <"$OUT" | wc -l) == 2 ]]
	both 0 ca-export -an -g north* -s 'source:North America/dave/1997.p12' </dev/null
	both 1 ca-export -an -s 'source:north' </dev/null
	# names that are no UTF-8; a source of 8192 bytes that no index could hold
	{
		printf 'rec:fault\tn:1\tsource_b64:%s\treason:cut\tdetail:x\tuser_b64:/0H/\n' \
		    "$(head -c 6144 /dev/urandom | base64 -w 0)"
		printf 'rec:fault\tn:2\tsource:bob-1999.pem\treason:cut\tdetail:x\n'
		printf 'rec:fault\tn:3\tsource:new\treason:cut\tdetail:%s\n' \
		    "$(printf 'x%.0s' {1..8193})"
	} | closed | both 1 ca-import
	openssl req -x509 -key "$ORG/keys/bob-1999.key" -subj /CN=new -days 9 \
	    -out bob-1999.pem
	record 1 bob bob-1999.pem "$ORG/keys/bob-1999.key" | closed |
	    both 0 ca-import -f
	both 0 ca-export -an -s source:bob-1999.pem </dev/null
	[[ $(only fault <"$OUT" | field cured) == 25 ]]
	[[ $(sql 'select * from cure') == "4|25|$(sql 'select max(AuditID) from audit')" ]]
	pg_whole
	whole ca.db
	copied "$URL"
	finds 'ca-audit: audit: what audit row 3 recorded was changed*' \
	    "update fault set KmsUser = 'x' where FaultID = 1"
	# who may import may do that, and no more
	granted
	as importer
	printf 'rec:fault\tn:1\tsource:other\treason:cut\tdetail:x\n' | closed |
	    ca-import -d "$URL" >log
	[[ $(sql "select count(*) from fault where Source = 'other'") == 1 ]]
	run_tool 0 ca-export -an -d "$URL"
	for sql in 'delete from fault' "update fault set Source = 'x'" \
	    'delete from cure' 'update cure set RequestID = 1'; do
		run sql "$sql"
		((status != 0))
		[[ $output == *'permission denied'* ]]
	done
	# whatever the client says, it is this commit's
	run sql "insert into fault values (99, 'x', '', '', '', '', '', '', 3)"
	[[ $output == *'violates foreign key constraint'* ]]
	URL=$(pg_url owner)
	pg_whole
}

@test 'postgresql: an agent leaves' {
	local sql kra3 kra2

	pg_archive
	new_archive ca.db
	both 0 ca-import -f "${machine[@]}" <"$made/export.kms"
	agent three
	kra3=$(openssl x509 -in three.pem -outform DER | sha1sum | cut -c -40)
	kra2=$(openssl x509 -in "$ORG/kra2.pem" -outform DER | sha1sum | cut -c -40)
	both 0 ca-init <three.pem
	both 0 ca-init -D <"$ORG/kra1.pem"
	both 1 ca-init -D <"$ORG/ca.pem"
	both 0 ca-export </dev/null
	ca-recover -q -k "$ORG/kra2.p12" -p "file:$ORG/kra2.pw" <"$OUT" \
	    >clear 2>/dev/null
	# who may import may not encrypt anew
	granted
	as importer
	run_tool 2 ca-import -E -d "$URL" <clear
	grep -q 'permission denied for .*keyversion' "$ERR"
	nothing_out ca-import
	run sql "insert into audit values (1, '', 'x', 'rekey', '', '', '')"
	[[ $output == *'permission denied for a commit: rekey'* ]]
	URL=$(pg_url owner)
	both 0 ca-import -E -t "$kra2" -t "$kra3" <clear
	[[ $(only result <"$OUT" | grep -c $'\tstatus:updated\t') == 23 ]]
	pg_whole
	both 0 ca-export -n </dev/null
	both 0 ca-export </dev/null
	ca-recover -k three <"$OUT" >opened 2>/dev/null
	only key <opened | sed 's/.*\tsha1:/sha1:/' |
	    cmp - <(only key <clear | sed 's/.*\tsha1:/sha1:/')
	both 0 ca-export </dev/null
	ca-recover -r -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" <"$OUT" >verdicts \
	    2>/dev/null || :
	[[ $(grep -c $'\tstatus:ok\t' verdicts) == 0 ]]
	# written once
	for sql in "update keyversion set RawArchivedKey = 'x' where RequestID = 1" \
	    "update keyversion set RawArchivedKey = sha256(RawArchivedKey),
	    KeyFormat = 'x' where RequestID = 1" \
	    "update request set RawArchivedKey = sha256(RawArchivedKey),
	    KmsUser = 'x' where RequestID = 1"; do
		run sql "$sql"
		[[ $output == *'an archived key is written once'* ]]
	done
	as importer
	run sql 'update request set RawArchivedKey = sha256(RawArchivedKey)
	    where RequestID = 1'
	((status != 0))
	URL=$(pg_url owner)
	finds 'ca-audit: audit: what audit row * recorded was changed*' \
	    "update keyversion set KeyFormat = 'x' where RequestID = 1"
	finds 'ca-audit: audit: 1 versions of keys are gone, and the commits say that 0 were dropped*' \
	    'update request set RawArchivedKey = sha256(RawArchivedKey)
	    where RequestID = 1'
	both 0 ca-import -D -t "$kra2" -t "$kra3" <clear
	grep -qx 'ca-import: older versions of keys dropped: 23' "$ERR"
	pg_whole
	whole ca.db
	copied "$URL"
	as exporter
	run_tool 0 ca-export -d "$URL"
	ca-recover -k three <"$OUT" >again 2>/dev/null
	cmp again opened
}

@test 'postgresql: no role writes for another, or under another name' {
	local head last

	pg_archive
	pg_import >import.log 2>/dev/null
	granted
	as setter
	# one such row stopped all imports for good
	sql "insert into audit values (9223372036854775807, '1999', 'me', 'flag',
	    'KRAFlags=9', encode(sha256(''), 'hex'), 'x')"
	last=$(sql 'select max(AuditID) from audit')
	[[ $(sql "select Caller, AuditWhen > '2026' from audit
	    order by AuditID desc limit 1") == "me (setter_$DB)|t" ]]
	for action in init kra import; do
		run sql "insert into audit values (9, '', 'me', '$action', '',
		    encode(sha256(''), 'hex'), '')"
		[[ $output == *"permission denied for a commit: $action"* ]]
	done
	run sql "insert into audit values (9, '', 'me', 'flag', '', 'x', '')"
	[[ $output == *'permission denied for a commit: flag'* ]]
	# the Hash is that of the page, of bytes that are not UTF-8 too
	sql "insert into audit values (9, '', U&'a\FFFDfcb\FFFDEFc', 'flag', '',
	    encode(sha256(''), 'hex'), '')"
	head=$(pg_head)
	as importer
	# not with the number of another commit, nor without one
	run sql "insert into request select 99, null, null, 0, 12, '', '', '',
	    '', '', '', '', '', '', '', null, '', '', '', '', '', '', 1, null"
	[[ $output == *'violates foreign key constraint "request_certaudit_fkey"'* ]]
	run sql "insert into certificate select 99, RawCertificate, '', 'x', '',
	    '', '', '', '', null, 1, '', null, '', '', '', '', '', '', ''
	    from certificate limit 1"
	((status != 0))
	record 1 new "$ORG/kra1.pem" | closed |
	    ca-import -f -d "$URL" >new.log 2>/dev/null
	[[ $(statuses new.log) == imported\ * ]]
	[[ $(sql "select Caller from audit order by AuditID desc limit 1") == \
	    "$(id -un) (importer_$DB)" ]]
	URL=$(pg_url owner)
	run_tool 1 ca-audit -A "$head" -d "$URL"
	# the flag that the setter did not set; it is his name that stands there
	grep -q 'setting KRAFlags is not as the audited commits left it' "$ERR"
	ca-setflag -d "$URL" KRAFlags 0 >/dev/null 2>&1
	pg_whole
	((last == 4))
}

@test 'postgresql: no login holds the writers, no setting of a role locks them out' {
	pg_archive
	pg_import >import.log 2>/dev/null
	# what anybody may do who may connect
	psql -X -q -d "$URL" -c 'select pg_advisory_lock(118117828289377)' \
	    -c '\! mkfifo held; cat held' >/dev/null &
	until [[ -p held ]]; do kill -0 "$!"; done
	run_tool 0 timeout 20 ca-setflag -d "$URL" KRACertCount 1
	echo >held
	wait
	sql "alter database $DB set quote_all_identifiers = on"
	run_tool 0 ca-setflag -d "$URL" KRACertCount 2
	pg_whole
}

@test 'postgresql: rows that would not survive are refused' {
	local want

	pg_archive
	want="$URL: fsync is off on this server: a result would not survive a power failure: switch it on (PGOPTIONS='-c kms2ca.unsafe=on' takes it as it is)"
	refuses 2 "ca-setflag: $want" env -u PGOPTIONS ca-setflag -d "$URL" KRAFlags 0
	user 1 jane-1999 | closed >one.rec
	run_tool 2 env -u PGOPTIONS ca-import -f -d "$URL" <one.rec
	says "ca-import: $want"
	# nothing is promised by who only reads
	run_tool 0 env -u PGOPTIONS ca-setflag -d "$URL"
}

@test 'postgresql: an archive of the version before is named, and can be read out' {
	pg_new
	psql -X -q -d "$URL" -f "$root/tests/data/archive-0.1.pg.sql" >/dev/null
	refuses 2 "ca-export: $URL: an archive of version 2, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca-export -n -d "$URL"
	run_tool 0 ca-dump -d "$URL"
	[[ $(cut -f 1 "$OUT" | sort | uniq -c | xargs) == \
	    '2 rec:agent 3 rec:archived 5 rec:audit 1 rec:end 4 rec:setting' ]]
	pg_new b
	psql -X -q -d "$URL" -f "$root/tests/data/archive-0.2.pg.sql" >/dev/null
	refuses 2 "ca-export: $URL: an archive of version 3, this kms2ca has 4: bring it over to a new one: ca-dump -d OLD | ca-load -d NEW" \
	    ca-export -n -d "$URL"
	run_tool 0 ca-dump -d "$URL"
	cp "$OUT" old.dump
	pg_new c
	ca-init -f -d "$URL" </dev/null >/dev/null 2>&1
	run_tool 0 ca-load -d "$URL" <old.dump
	run_tool 0 ca-dump -d "$URL"
	cmp "$OUT" old.dump
}

# Many, and crashes -----------------------------------------------------------

@test 'postgresql: four importers at once, and a reader beside' {
	local n pids=() status

	pg_archive
	for n in 1 2 3 4; do
		pg_import >"log.$n" 2>"err.$n" &
		pids+=($!)
	done
	for n in 1 2 3; do
		# 1: there are no rows yet
		ca-audit -A "$(pg_head)" -d "$URL" >"$OUT" 2>"$ERR" ||
			(($? == 1))
		grep -q 'the chain is whole' "$ERR"
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	# each key once, and all say the same of it
	[[ $(cat log.? | grep -c status:imported) == 24 ]]
	[[ $(cat log.? | grep -c status:present) == 72 ]]
	for n in 1 2 3 4; do
		only result <"log.$n" | cut -f 4,5 | grep -v $'id:\t'
	done | sort -u | wc -l | grep -x 24
	[[ $(sql 'select count(*), count(distinct Sha256) from certificate') \
	    == '24|24' ]]
	pg_whole
}

# answered FILE N: waits until it has N results.
answered()
{
	while (($(grep -c ^rec:result "$1") < $2)); do
		kill -0 "$3" 2>/dev/null || return
	done
}

@test 'postgresql: kill -9 of the server in mid-import, and again' {
	local pid status=0 lines server children promised

	need_pg
	# a server of its own, which others do not need
	PG=$(mktemp -d /tmp/kms2ca-pg.XXXXXX)
	pg_keep "$PG"
	pg_start "$PG" -c fsync=off
	DB=crash
	createdb -h "$PG" -U owner crash
	URL=$(pg_url owner)
	new_archive "$URL"
	lines=$(wc -l <"$made/export.kms")
	mkfifo pipe && : >log
	ca-import -f -d "$URL" "${machine[@]}" <pipe >log 2>err &
	pid=$!
	exec {to}>pipe
	head -n 9 "$made/export.kms" >&"$to"
	answered log 8 "$pid"
	# in the middle of a line, with a transaction behind and one before it
	server=$(head -n 1 "$PG/data/postmaster.pid")
	mapfile -t children < <(pgrep -P "$server")
	kill -9 "$server" "${children[@]}"
	tail -n +10 "$made/export.kms" >&"$to" || true
	exec {to}>&-
	wait "$pid" || status=$?
	((status == 2))
	grep -q '(run again when the server is up: what had a result is safe)$' err
	for pid in "$server" "${children[@]}"; do
		until ended "$pid"; do :; done
	done
	# to the next server one that nobody asked for is still there
	rm -f "$PG"/data/postmaster.pid "$PG"/.s.PGSQL.*
	pg_start "$PG" -c fsync=off
	promised=$(grep -c $'status:imported\t' log)
	((promised >= 6))
	[[ $(sql 'select count(*) from request') == "$promised" ]]
	run_tool 0 ca-import -f -d "$URL" "${machine[@]}" <"$made/export.kms"
	[[ $(grep -c $'status:present\t' "$OUT") == "$promised" ]]
	[[ $(sql 'select count(*) from request') == 24 ]]
	pg_whole
	pg_stop "$PG" immediate
	rm -rf "$PG"
}

@test 'postgresql: the connection is lost in a commit' {
	local pid status=0

	pg_archive
	mkfifo pipe && : >log
	ca-import -f -d "$URL" "${machine[@]}" <pipe >log 2>err &
	pid=$!
	exec {to}>pipe
	head -n 2 "$made/export.kms" >&"$to"
	answered log 1 "$pid"
	# it has compared the schema: what is planted now runs in its commits
	sql "create function bye() returns trigger language plpgsql as
	    'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'"
	sql 'create constraint trigger bye after insert on audit
	    deferrable initially deferred for each row execute function bye()'
	sed -n 3p "$made/export.kms" >&"$to"
	exec {to}>&-
	wait "$pid" || status=$?
	((status == 2))
	[[ $(grep -c ^rec:result log) == 1 ]]
	tail -n 1 err | grep -q -x -F "ca-import: $URL: the connection was lost in a commit, which may have been done or not: run again: what was done is \`present'" ||
	    tail -n 1 err | grep -q 'terminating connection'
	sql 'drop trigger bye on audit; drop function bye'
	run_tool 0 ca-import -f -d "$URL" "${machine[@]}" <"$made/export.kms"
	[[ $(grep -c status:present "$OUT") == 1 ]]
	pg_whole
}

@test 'postgresql: no row without a word where a trigger keeps it out' {
	local pid status=0 table

	for table in request certificate audit; do
		pg_new "$table" && new_archive "$URL"
		rm -f pipe
		mkfifo pipe && : >log
		ca-import -f -d "$URL" "${machine[@]}" <pipe >log 2>err &
		pid=$!
		exec {to}>pipe
		head -n 2 "$made/export.kms" >&"$to"
		answered log 1 "$pid"
		sql "create function no() returns trigger language plpgsql as
		    'begin return null; end'"
		sql "create trigger no before insert on $table for each row
		    execute function no()"
		sed -n 3p "$made/export.kms" >&"$to"
		exec {to}>&-
		status=0
		wait "$pid" || status=$?
		((status == 2))
		[[ $(grep -c ^rec:result log) == 1 ]]
		grep -q 'a row was not written\|violates foreign key' err
		sql "drop trigger no on $table; drop function no"
		pg_whole
	done
}

@test 'postgresql: past the sandbox only what is open is spoken to' {
	need_strace
	not sanitized || skip 'a sanitizer opens files at the end'
	pg_archive
	"${traced[@]}" -qq -y -o calls ca-import -f -d "$URL" "${machine[@]}" \
	    <"$made/export.kms" >"$OUT" 2>"$ERR"
	awk '/ seccomp\(SECCOMP_SET_MODE_FILTER/ { on[$1] = 1; next } on[$1]' \
	    calls >after
	grep -q ' sendto(' after
	not grep -E ' (open|openat|openat2|creat|execve|execveat|socket|connect|ptrace|fork|vfork|clone|clone3)\(' \
	    after
	not grep -E ' = -1 E(PERM|ACCES)' after
	# and without a server no libpq
	"${traced[@]}" -qq -o calls ca-export -n -d "$made/ca.db" >"$OUT" 2>"$ERR"
	not grep -q libpq calls
}

@test 'postgresql: a build or a system without libpq says what to install' {
	local remedy='install libpq 14 or later (libpq5 on Debian); if kms2ca was built without, install libpq-dev and build again'

	# of a build without libpq there is no plugin beside the tool
	cp "$(command -v ca-export)" .
	run_tool 2 ./ca-export -d postgresql:///keys
	says "ca-export: -d: no PostgreSQL here: kms2ca-pg.so: cannot open shared object file: No such file or directory: $remedy"
	not sanitized || skip 'a sanitizer does not load it'
	# one that is too old
	cc -shared -o libpq.so.5 -x c /dev/null
	run_tool 2 env LD_LIBRARY_PATH=. ca-export -d postgresql:///keys
	says "ca-export: -d: no PostgreSQL here: $(dirname \
	    "$(command -v ca-export)")/../lib/kms2ca/kms2ca-pg.so: undefined symbol: $(sed -n 's/.*symbol: \([A-Za-z]*\):.*/\1/p' "$ERR"): $remedy"
}

@test 'postgresql: what is in the way is named' {
	pg_new
	refuses 2 "ca-export: $URL: no archive in this database (ca-init makes one)" \
	    ca-export -n -d "$URL"
	sql 'create schema kms2ca; create table kms2ca.t(x int)'
	refuses 2 "ca-export: $URL: its schema kms2ca is not that of this kms2ca, but: something else" \
	    ca-export -n -d "$URL"
	# an empty schema is taken, but not one that another role owns
	sql "drop table kms2ca.t; create role mallory_$DB;
	    alter schema kms2ca owner to mallory_$DB"
	run_tool 2 ca-init -c "$ORG/ca.pem" -d "$URL" <"$ORG/kra1.pem"
	says "ca-init: warning: $URL: fsync is off on this server: rows do not survive a power failure, whatever the results promise" \
	    "ca-init: $URL: the schema kms2ca belongs to another role, who could change all that is put there: drop it, or run as that role"
	sql 'alter schema kms2ca owner to owner'
	new_archive "$URL"
	sql "comment on schema kms2ca is 'kms2ca archive, version 9'"
	refuses 2 "ca-export: $URL: an archive of version 9, this kms2ca has 4: use the one that made it" \
	    ca-export -n -d "$URL"
	# nothing is left of one that is refused
	sql 'drop schema kms2ca cascade'
	run_tool 1 ca-init -c "$ORG/ca.pem" -d "$URL" <"$ORG/machine.pem"
	[[ $(sql "select count(*) from pg_namespace where nspname = 'kms2ca'") == 0 ]]
	DB+=l
	psql -X -q -h "$PG" -U owner postgres -c "create database $DB
	    encoding latin1 locale 'C' template template0"
	URL=$(pg_url owner)
	run_tool 2 ca-init -c "$ORG/ca.pem" -d "$URL" <"$ORG/kra1.pem"
	says "ca-init: $URL: the encoding of this database is LATIN1: create it with encoding UTF8"
}

# lies LIE STATUS MESSAGE TOOL ARG...: what the tool makes of a server that lies.
lies()
{
	local lie=$1 status=$2 message=$3 pid

	shift 3
	timeout 60 /usr/bin/python3 "$root/tests/liar.py" "$PWD" "$lie" 3>&- &
	pid=$!
	while [[ ! -S .s.PGSQL.5432 ]]; do
		kill -0 "$pid" || return
	done
	URL="postgresql://me@/keys?host=$PWD"
	run_tool "$status" timeout 20 "$@" -d "$URL" || status=
	kill "$pid" 2>/dev/null || true
	wait "$pid" || true
	[[ -n $status ]] || return
	tail -n 1 "$ERR" | grep -q -x -F "$1: ${message//DB/"$URL"}" || {
		cat "$ERR" >&2
		return 1
	}
	not grep -q '[^ -~]' "$ERR"
}

@test 'postgresql: a server that lies' {
	local altered='(the archive was changed by another program: check it with ca-audit)'
	local head

	need_pg
	head=1:$(printf '0%.0s' {1..64})
	lies no-row 2 'DB: the encoding of this database is : create it with encoding UTF8' \
	    ca-export -n
	lies no-column 2 'DB: its schema kms2ca is not that of this kms2ca, but: something else' \
	    ca-export -n
	lies empty 2 "DB: cannot read: no row $altered" ca-export -n
	# no end of rows
	lies again 2 "DB: cannot read: the rows are not in order $altered" \
	    ca-export -n
	# past what a statement of ours has
	lies wide 2 "DB: cannot read: columns that nobody asked for $altered" \
	    ca-audit -A "$head"
	lies wide 2 "DB: cannot read: columns that nobody asked for $altered" \
	    ca-import
	# nothing that a terminal obeys
	lies error 2 "DB: cannot open: \\x1b[31mred\\xff $altered" ca-export -n
	lies notice 2 "DB: cannot read: no row $altered" ca-export -n -v
	[[ $(grep -c -F '\x1b[31mred\xff' "$ERR") == 2 ]]
}

@test 'postgresql: no password of a URL is in a message' {
	local url

	need_pg
	cc -shared -o libpq.so.5 -x c /dev/null
	for url in postgresql://me:secret@host/keys \
	    'postgresql://me:secret%zz@host/keys' \
	    'postgresql://me:secret@[::1/keys' \
	    'postgresql://host/keys?password=secret' \
	    'postgresql://host/keys?password=secret=x'; do
		run_tool 2 ca-export -n -d "$url"
		not grep secret "$ERR"
		run_tool 2 env LD_LIBRARY_PATH=. ca-export -n -d "$url"
		not grep secret "$ERR"
	done
}
