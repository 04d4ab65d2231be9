#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root, $shared of common.bash
#
# edb-extract: the database of a Windows CA, and others.  ese.bats has the reader
# beneath.

load common
load ca
load ese

setup_file()
{
	common_setup
	[[ -e $shared/ese ]] || return 0
	org_archive "$BATS_FILE_TMPDIR"
	ca-export -q -d "$BATS_FILE_TMPDIR/ca.db" \
	    >"$BATS_FILE_TMPDIR/archived" 2>/dev/null
	ca_edb "$BATS_FILE_TMPDIR/CA.edb" <"$BATS_FILE_TMPDIR/archived"
}

setup()
{
	common_setup
	need_shared ese
	made=$BATS_FILE_TMPDIR
	db=$made/CA.edb
}

# kept: of `archived' records those fields that a CA's database has.
kept()
{
	only archived | tr '\t' '\n' | grep -E '^(id|disposition|submitted|requester|serial|issuer|subject|not_before|not_after|alg|spki|ski|sha1|sha256|kra|caller|cert|blob):'
}

@test "edb-extract: the rows of a CA are those that ca-export wrote" {
	run_tool 0 edb-extract <"$db"
	kept <"$made/archived" >want
	kept <"$OUT" | diff want -
	(($(grep -c '^blob:.' want) > 20))
	(($(grep -c '^blob:$' want) > 0))
	says "edb-extract: rows $(grep -c ^id: want), with a key $(grep -c \
	    '^blob:.' want); 0 requests were never issued"
}

@test "edb-extract: from an old CA's database and one agent to the users' keys" {
	local revision n sha1

	for revision in 9 0x0c 0x11 0x14; do
		ca_edb -r "$revision" CA.edb <"$made/archived"
		edb-extract -q <CA.edb 2>/dev/null >rows
		run_tool 0 ca-recover -k "$ORG/kra1.p12" \
		    -p "file:$ORG/kra1.pw" <rows
		n=$(grep -c $'\tblob:.' rows)
		[[ $(grep -c ^rec:key "$OUT") == "$n" ]]
		only key <"$OUT" >keys
		# each key, byte for byte, against what org.bash made
		while IFS=$'\t' read -r sha1 key; do
			key_of "$sha1" | cmp - <(base64 -d <<<"$key")
		done < <(paste <(field sha1 <keys) <(field key <keys))
		# openssl opens the blobs as they lie in the file
		only archived <rows | grep $'\tblob:.' | head -n 3 >three
		while IFS= read -r row; do
			field blob <<<"$row" | base64 -d |
			    openssl cms -decrypt -inform DER \
			    -inkey "$ORG/kra1.key" -recip "$ORG/kra1.pem" \
			    -out plain
			sha1=$(field sha1 <<<"$row")
			key_of "$sha1" >key.p8
			cmp -s plain key.p8 || {
				openssl rsa -in key.p8 -inform DER -outform \
				    "MS PRIVATEKEYBLOB" -out key.blob \
				    2>/dev/null
				cmp plain key.blob
			}
		done <three
		PW=out p12-pack -q -F zip -p env:PW <"$OUT" >all.zip
		[[ -s all.zip ]]
	done
}

@test "edb-extract: its rows on the page of kms-report, and kms-verify -r" {
	local by file keys n

	keys=$(grep -c $'\tblob:.' "$made/archived")
	sed $'s/\tkra:[^\t]*/\tkra:/' "$made/archived" | ca_edb bare.edb
	# agents by their hashes, or as the keys themselves name them
	for file in "$db" bare.edb; do
		edb-extract -q <"$file" 2>/dev/null >rows
		run_tool 0 kms-report <rows
		/usr/bin/python3 "$root/tests/page.py" "$OUT" >shown
		grep -qxF "keys in rows of the archive"$'\t'"$keys" shown
		grep -qxF "certificates without their key"$'\t'"$(grep -c \
		    $'\tblob:$' rows)" shown
		by=$([[ $file == bare.edb ]] && echo -serial || echo -fingerprint)
		for n in 1 2; do
			openssl x509 -in "$ORG/kra$n.pem" -noout "$by" |
			    sed 's/.*=//; s/://g' | tr A-F a-f >name
			[[ $(grep -F "$(<name)" shown) == \
			    *$'\t'"$keys"$'\t'* ]]
		done
		run_tool 1 kms-verify -r <rows
		says 'kms-verify: consistent, but not proven: nobody was named to trust (give -k or -C)'
		[[ $(grep -c $'^rec:verdict.*\tstatus:ok\t' "$OUT") == \
		    $(grep -c ^rec:archived rows) ]]
	done
	# of one the serial number is not that of its certificate
	sed $'1s/\tserial:[^\t]*/\tserial:99/; /^rec:end/d' rows | closed >wrong
	run_tool 1 kms-verify -r <wrong
	[[ $(grep -c $'^rec:verdict.*\tstatus:bad\t' "$OUT") == 1 ]]
}

@test "edb-extract: what every filter keeps" {
	filter_contract edb-extract <"$shared/ese/samples/dissect-default.edb"
}

@test "edb-extract: certificates and keys in the values of any other database" {
	local args

	for args in '-r 2' '-r 0x14' '-r 0x11 -p 16384'; do
		# shellcheck disable=SC2086 # several
		other_db $args
		run_tool 0 edb-extract <other.edb
		says 'edb-extract: keys 1, certificates 1'
		[[ $(only key <"$OUT" | field source) == Keys/2/Blob ]]
		only key <"$OUT" | field key | base64 -d | cmp jane-1999.p8 -
		[[ $(only cert <"$OUT" | field source) == Keys/3/Blob ]]
		only cert <"$OUT" | field cert | base64 -d | cmp bob-1999.cer -
	done
	run_tool 1 edb-extract <"$shared/ese/samples/dissect-default.edb"
	says 'edb-extract: keys 0, certificates 0'
	run_tool 0 edb-extract -v <other.edb
	grep -x 'Keys: 3 rows' "$ERR"
	grep -x '    Blob' "$ERR"
}

@test "edb-extract: a certificate of somebody else over a key that lies in a row" {
	other_db
	openssl pkey -in "$ORG/keys/jane-1999.key" -pubout -out jane.pub
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -keyout evil.key -out evil.pem -days 9 -subj /CN=evil 2>log
	openssl req -new -key evil.key -subj /CN=mallory -out csr
	openssl x509 -req -in csr -CA evil.pem -CAkey evil.key -days 9 \
	    -force_pubkey jane.pub -outform DER -out mallory.cer 2>log
	sed -i 's/"Id": 2,/"Id": 2, "Other": {"file": "jane-1999.cer"},/
	    s/"Id": 1, "Blob": {"file": "long"}/"Id": 1, "Blob": {"file": "mallory.cer"}/
	    s/\["Id", "long"\],/&["Other", "longbinary", {"compressed": true}],/' spec
	mkese spec other.edb
	run_tool 1 edb-extract <other.edb
	only key <"$OUT" | field cert | base64 -d | cmp jane-1999.cer -
	[[ $(only fault <"$OUT" | cut -f 3,4) == \
	    $'source:Keys/1/Blob\treason:certificate' ]]
}

@test "edb-extract: what a damaged page takes with it is a fault by request and column" {
	local page n

	# a row of the table of certificates is gone: what has a key says so
	for page in Requests.lv.1 Certificates.1; do
		damage "$db" x break "$page"
		run_tool 1 edb-extract <x
		n=$(only fault <"$OUT" | field source |
		    grep -cE '^Requests/[0-9]+(/RawArchivedKey)?$')
		[[ $(kept <"$made/archived" | grep -c ^id:) == \
		    $(($(only archived <"$OUT" | wc -l) + n)) ]]
	done
	# what is left is right
	kept <"$OUT" | grep -E '^(id|cert|blob):' | paste - - - | sort >have
	kept <"$made/archived" | grep -E '^(id|cert|blob):' | paste - - - |
	    sort >want
	[[ -z $(comm -23 have want) ]]
	# branches alone
	for page in Requests Certificates Requests.lv; do
		damage "$db" x break "$page"
		run_tool 1 edb-extract <x
		kept <"$OUT" | grep -E '^(id|cert|blob):' | paste - - - |
		    sort | cmp want -
	done
}

@test "edb-extract: rows that do not fit, and those that come twice" {
	local row

	row=$(only archived <"$made/archived" | grep $'\tblob:.' | head -n 1)
	{
		# no certificate; another's hash; no CMS; no hashes of agents
		sed -E 's/\tid:[0-9]+/\tid:1/; s/\tcert:[^\t]*/\tcert:/' <<<"$row"
		sed -E 's/\tid:[0-9]+/\tid:2/; s/\tsha1:[0-9a-f]{2}/\tsha1:00/' <<<"$row"
		sed -E 's/\tid:[0-9]+/\tid:3/; s/\tblob:[^\t]{16}/\tblob:AAAAAAAAAAAAAAAA/' <<<"$row"
		sed -E 's/\tid:[0-9]+/\tid:4/; s/\tkra:[^\t]*/\tkra:/' <<<"$row"
		# twice
		sed -E 's/\tid:[0-9]+/\tid:5/' <<<"$row"
		sed -E 's/\tid:[0-9]+/\tid:5/' <<<"$row"
		# denied
		sed -E 's/\tid:[0-9]+/\tid:6/; s/\tblob:[^\t]*/\tblob:/
		    s/\tcert:[^\t]*/\tcert:/; s/\tdisposition:[0-9]+/\tdisposition:31/' <<<"$row"
	} | ca_edb some.edb
	run_tool 1 edb-extract <some.edb
	[[ $(only archived <"$OUT" | field id | xargs) == '4 5' ]]
	only fault <"$OUT" | cut -f 3-5 | sort >faults
	diff faults - <<-FAULTS
	source:Certificates/2/RawCertificate	reason:certificate	detail:the SHA-1 of the certificate is $(field sha1 <<<"$row"), not what the row says
	source:Certificates/5	reason:damaged	detail:a second row with this RequestID: it is not read
	source:Requests/1	reason:no-certificate	detail:an archived key without its certificate
	source:Requests/3/RawArchivedKey	reason:damaged	detail:not CMS EnvelopedData, as an archived key is
	source:Requests/5	reason:damaged	detail:a second row with this RequestID: it is not read
	FAULTS
	grep 'rows 2, with a key 2; 1 requests were never issued' "$ERR"
	# who can open it is in the blob itself
	only archived <"$OUT" | head -n 1 | field recipients >can-open
	for pem in "$ORG"/kra[12].pem; do
		openssl x509 -in "$pem" -noout -serial | sed 's/serial=//' |
		    tr 'A-F' 'a-f'
	done | sort >serials
	sed 's/\\n/\n/g' can-open | cut -d ' ' -f 1 | sort | cmp - serials
}

@test "edb-extract: a dirty file is read, and says what it lacks" {
	ca_edb -s 2 CA.edb <"$made/archived"
	run_tool 1 edb-extract <CA.edb
	kept <"$OUT" >have
	kept <"$made/archived" | cmp - have
	head -n 1 "$OUT" | grep -P '^rec:fault\tn:1\tsource:stdin\treason:cut\tdetail:dirty shutdown: .* generation 5 to 7 \(edb00005.log to edb00007.log\)'
}

@test "edb-extract: through a pipe, up to a ceiling" {
	edb-extract -q < <(cat "$db") 2>/dev/null | cmp - <(edb-extract -q <"$db" 2>/dev/null)
	{ cat "$db"; head -c 34M /dev/zero; } >large
	run_tool 2 edb-extract < <(cat large)
	[[ ! -s $OUT ]]
	says 'edb-extract: stdin: more than 32 MiB through a pipe: give it as <file'
}
