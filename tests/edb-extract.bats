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

@test "edb-extract: what every filter keeps" {
	filter_contract edb-extract <"$shared/ese/samples/dissect-default.edb"
}
