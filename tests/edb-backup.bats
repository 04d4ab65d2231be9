#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root, $shared of common.bash
#
# ESE databases in a backup, as kms-export meets them: the process that reads the
# archive opens them.  edb-extract.bats has what one alone is.

load common
load ca
load backup
load ese

setup_file()
{
	common_setup
	[[ -e $shared/ese ]] || return 0
	cd "$BATS_FILE_TMPDIR" || return
	other_db -r 0x14
	# a certificate whose row is gone, in a page that no table has
	openssl x509 -in "$ORG/kra2.pem" -outform DER -out gone.cer
	{ cat other.edb; head -c 1000 /dev/zero; cat gone.cer; } >more.edb
	truncate -s %4096 more.edb
}

setup()
{
	common_setup
	need_shared ese
	made=$BATS_FILE_TMPDIR
	mkdir Sales Sales/jane
}

# what: type, group, user, subject and source of what $OUT has, sorted.
what()
{
	awk -F '\t' '$1 == "rec:key" || $1 == "rec:cert" {
		print $1, $3, $4, $18
	}' "$OUT" | sort
}

# of_it: what becomes of other.edb as $1.
of_it()
{
	cat <<-IT
	rec:cert group:$2 user:$4 source:$1/Keys/3/Blob
	rec:key group:$2 user:$3 source:$1/Keys/2/Blob
	IT
}

says_what='ESE database (version 0x620 revision 0x14, Windows 8 to 10, Server 2012 to 2019; page size 4096, clean shutdown): how a KMS stores keys is not public: export PFX per user on Windows and feed those in; rows of its tables: Keys 3; in its values: certificates 2, keys 1'

@test "edb in a backup: keys and certificates of its values, however it comes" {
	local option

	cp "$made/other.edb" Sales/jane/kmsmdb.edb
	tar -cf a.tar Sales
	gzip -k a.tar
	(cd Sales && zip -q ../inner.zip jane/kmsmdb.edb && cd .. &&
	    tar -cf nested.tar inner.zip)
	# from memory, from a copy of it, from the file itself
	for option in '-j 1' '-j 2' '-L member=64K' '-x'; do
		# shellcheck disable=SC2086 # several
		{
			take 1 $option <a.tar
			what | diff <(of_it Sales/jane/kmsmdb.edb Sales jane jane) -
			take 1 $option < <(cat a.tar.gz)
			what | diff <(of_it Sales/jane/kmsmdb.edb Sales jane jane) -
			came_to 1 1 0 0 0
			[[ $(only fault <"$OUT" | field detail) == "$says_what"* ]]
			[[ $(only fault <"$OUT" | field source) == Sales/jane/kmsmdb.edb ]]
			take 1 $option <nested.tar
			what | diff <(of_it inner.zip/jane/kmsmdb.edb jane \
			    jane bob) -
			take 1 $option <"$made/other.edb"
			what | diff <(of_it stdin 'North America' jane bob) -
			take 1 $option < <(cat "$made/other.edb")
			what | diff <(of_it stdin 'North America' jane bob) -
			only fault <"$OUT" | field reason | grep -x unsupported
		}
	done
	only key <"$OUT" | field cert | base64 -d | cmp - "$made/jane-1999.cer"
}

@test "edb in a backup: -x finds what no value holds too, and nothing twice" {
	local option

	for option in '' '-L member=64K'; do
		# shellcheck disable=SC2086 # several
		{
			take 1 $option <"$made/more.edb"
			found 1 1 1
			take 1 -x $option <"$made/more.edb"
			found 1 2 1
			what | grep -x "rec:cert group:.* source:stdin@$(($(stat \
			    -c %s "$made/other.edb") + 1000))"
			only fault <"$OUT" | field detail |
			    grep -q 'in its values: certificates 2, keys 1; searched (-x): whole certificates 1, keys 1$'
		}
	done
}

@test "edb in a backup: past the ceiling of memory it is named, and -x searches it" {
	tar -cf a.tar -C "$made" other.edb
	take 1 -L member=64K -L memory=100K < <(cat a.tar)
	found 0 0 1
	only fault <"$OUT" | field detail | \
	    grep -q '^ESE database (version 0x620 revision 0x14, page size 4096): it is not read here: give it to edb-extract as <file$'
	take 1 -x -L member=64K -L memory=100K < <(cat a.tar)
	only fault <"$OUT" | field detail | grep -q 'searched (-x): whole certificates 0, keys 1$'
}

@test "edb in a backup: the map and -g go by the path of the database" {
	cp "$made/other.edb" Sales/jane/kmsmdb.edb
	(umask 077 && printf 'path:%s\tgroup:G\tuser:carol\n' \
	    Sales/jane/kmsmdb.edb >map)
	tar -cf a.tar Sales
	take 1 -m map <a.tar
	what | diff <(of_it Sales/jane/kmsmdb.edb G carol carol) -
	take 1 -g Sales <a.tar
	found 1 1 1
	take 1 -g Other <a.tar
	found 0 0 0
	grep 'do not want 1 faults' "$ERR"
	came_to 1 0 0 0 1
}

@test "edb in a backup: a PKCS#12 in a value, opened by -p or a map" {
	cp "$ORG/keys/jane-1999.key" jane.key
	(umask 077 && echo secret >pw && printf 'path:stdin\tpass:secret\n' >map)
	openssl pkcs12 -export -inkey jane.key -in "$ORG/keys/jane-1999.pem" \
	    -passout file:pw -out jane.p12
	cat >spec <<-'SPEC'
	{"tables": [{"name": "Users", "columns": [["Pfx", "longbinary"]],
	    "rows": [{"Pfx": {"file": "jane.p12"}}]}]}
	SPEC
	mkese -r 0x11 spec p12.edb
	take 1 <p12.edb
	found 0 0 2
	[[ $(only fault <"$OUT" | cut -f 3,4 | head -n 1) == \
	    $'source:stdin/Users/1/Pfx\treason:password' ]]
	take 1 -p file:pw <p12.edb
	found 1 0 1
	take 1 -m map <p12.edb
	found 1 0 1
	[[ $(only key <"$OUT" | field source) == stdin/Users/1/Pfx ]]
}

@test "edb in a backup: nobody gets a key with a certificate beside the database" {
	cat >spec <<-'SPEC'
	{"tables": [{"name": "Keys", "columns": [["C", "longbinary"],
	    ["K", "longbinary"]], "rows": [{"C": {"file": "jane.cer"},
	    "K": {"file": "jane.p8"}}]}]}
	SPEC
	cp "$made/jane-1999.cer" jane.cer
	cp "$made/jane-1999.p8" jane.p8
	mkese spec Sales/kmsmdb.edb
	openssl pkey -in jane.p8 -inform DER -pubout -out jane.pub
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -keyout evil.key -out evil.pem -days 9 -subj /CN=evil 2>log
	openssl req -new -key evil.key -subj /CN=mallory -out csr
	openssl x509 -req -in csr -CA evil.pem -CAkey evil.key -days 9 \
	    -force_pubkey jane.pub -out Sales/mallory.pem 2>log
	tar -cf a.tar Sales
	for option in -v -x; do
		take 1 "$option" <a.tar
		only key <"$OUT" | field cert | base64 -d | cmp jane.cer -
		found 1 0 2
		only fault <"$OUT" | field source |
		    grep -x Sales/mallory.pem
	done
}

@test "edb in a backup: the folder of certutil -backup, each member accounted for" {
	local n

	org_archive .
	ca-export -q -d ca.db >archived 2>/dev/null
	mkdir -p Backup/DataBase
	ca_edb -s 2 Backup/DataBase/KMSCA.edb <archived
	(umask 077 && echo secret >pw)
	openssl pkcs12 -export -inkey "$ORG/ca.key" -in "$ORG/ca.pem" \
	    -passout file:pw -out Backup/KMSCA.p12
	head -c 100000 /dev/urandom >Backup/DataBase/edb00005.log
	head -c 300 /dev/urandom >Backup/DataBase/certbkxp.dat
	tar -cf a.tar Backup
	take 1 -p file:pw <a.tar
	found 0 1 4
	came_to 4 0 1 3 0
	only fault <"$OUT" | cut -f 3-5 | sort >got
	diff - <(cut -f 1,2 got) <<-FAULTS
	source:Backup/DataBase/KMSCA.edb	reason:cut
	source:Backup/DataBase/KMSCA.edb	reason:unsupported
	source:Backup/DataBase/certbkxp.dat	reason:format
	source:Backup/DataBase/edb00005.log	reason:format
	FAULTS
	sed -n 1p got | grep 'dirty shutdown: .*(edb00005.log to edb00007.log)'
	sed -n 2p got | grep "detail:a Windows CA's ESE database (.*): edb-extract writes its archived keys as records; rows of its tables: .*Requests $n"
	sed -n 3p got | grep 'by its name the list of files that certutil -backup leaves'
	sed -n 4p got | grep 'by its name a log of an ESE database: .* esentutl /r edb'
	# what -x found in it before it still finds
	take 1 -x -p file:pw <a.tar
	kms-export -q -x -c cred.pem <Backup/DataBase/KMSCA.edb >alone 2>/dev/null ||
	    (($? == 1))
	(($(grep -c ^rec:cert alone) > 10))
	only cert <"$OUT" | field sha1 | sort >have
	only cert <alone | field sha1 | sort | comm -23 - have >lost
	[[ ! -s lost ]]
}

@test "edb in a backup: what is damaged is a fault of its row, up to a ceiling" {
	local row

	for row in $(seq 300); do
		echo "{\"Id\": $row, \"Blob\": {\"hex\": \"$(printf '%03000x' "$row")\"}}"
	done | paste -sd , >rows
	echo "{\"tables\": [{\"name\": \"T\", \"columns\": [[\"Id\", \"long\"],
	    [\"Blob\", \"longbinary\"]], \"rows\": [$(<rows)]}]}" >spec
	mkese -r 0x14 spec whole.edb
	damage whole.edb Sales/x.edb break T.lv.1
	tar -cf a.tar Sales
	take 1 <a.tar
	only fault <"$OUT" | field source | sort -u >sources
	grep -x 'Sales/x.edb/T/[0-9]*/Blob' sources >rows
	(($(wc -l <rows) > 1))
	grep -x Sales/x.edb/T sources
	came_to 1 0 0 1 0
	take 1 -L warnings=2 <a.tar
	found 0 0 3
	only fault <"$OUT" | field detail |
	    grep -q "; $(($(wc -l <sources) - 3)) faults more in it"
	# the other members follow
	cp "$ORG/keys/jane-1999.pem" Sales/zz.pem
	tar -rf a.tar Sales/zz.pem
	take 1 -L warnings=2 <a.tar
	found 0 1 3
}

@test "edb in a backup: cut anywhere, it is a fault, and the stream is whole" {
	local n

	for n in 100 300 700 9000 60000 200000; do
		head -c "$n" "$made/other.edb" >x
		take 1 <x
		only fault <"$OUT" | field detail | grep -q 'fetch it again'
		take 1 -L member=64K < <(cat x)
		only fault <"$OUT" | field detail | grep -q 'fetch it again'
	done
}
