# Every example of every manual page runs, as it stands there.
#
# shellcheck disable=SC2154 # common.bash sets root

load common
load ca
load pg
load p12
load epf
load ese

# What the examples name: the organisation after its migration, and what lies
# beside it.  All passwords are one, so that whoever types it types the right one.
setup_file()
{
	local name

	cd "$BATS_FILE_TMPDIR" || return 1
	echo one >pw
	org_archive .
	cp -p "$ORG"/*.pem "$ORG"/*.key "$ORG"/*.eml "$ORG"/user.pws \
	    "$ORG"/kms-backup.* "$ORG"/keys/jane-1999.* .
	# one more agent
	printf '%s\n' extendedKeyUsage=1.3.6.1.4.1.311.21.6 \
	    keyUsage=critical,keyEncipherment >ext
	openssl req -newkey rsa:2048 -noenc -keyout kra3.key -out csr \
	    -subj '/CN=Recovery Agent 3' 2>/dev/null
	openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -days 30 \
	    -extfile ext -out kra3.pem 2>/dev/null
	for name in machine kra1 kra2 kra3 ca jane all; do
		cp pw "$name.pw"
	done
	for name in machine kra1 kra2 kra3 ca; do
		p12 "$name.p12" "$name"
	done
	p12 jane.p12 jane-1999
	mkdir -p mnt bin "KMSData/First Group/jane"
	cp jane.p12 "KMSData/First Group/jane"
	cp machine.pem exporter.pem
	cp old-mail.eml old.eml
	owner jane keyEncipherment
	profile 20 c2FsdCBhbmQgcGVwcGVy jane >jane.epf
	# certificates whole in a file of no known format
	{
		head -c 5000 /dev/zero
		cert_der jane-1999.pem
		head -c 5000 /dev/zero
	} >kmsmdb.edb
	kms-verify -r -k machine.p12 -p file:pw <export.kms >verdicts
	kms-report <export.kms >export.html
	head -n 1 export.kms >stream.1
	sed -n '2,/^rec:end/p' export.kms >>stream.1
	sqlite3 ca.db "select min(AuditID) || ':' || Hash from audit" \
	    >audit.head
	ca-audit -A "$(<audit.head)" -d ca.db >/dev/null 2>log
	sed -n 's/.*it is now \(.*\)/ca-import: audit head: \1/p' log >import.msg
	# on Windows it would be certutil that wrote it
	ca-export -d ca.db -k ca.p12 -p file:pw -s jane@example.com 2>log |
	    sed -n '/not_after:2000/s/.*	recovery://p' | base64 -d >jane.rec
	for name in kra1 kra2 kra3; do
		openssl x509 -in "$name.pem" -outform DER | sha1sum |
		    cut -c -40 >"$name.sha1"
	done
	cp ca.db mnt
	cp ca.db old.db
	cat kra1.pem kra2.pem >agents.pem
	cp jane-1999.key key.pem
	# a Windows CA
	mkdir DataBase
	cp pw out.pw
	if [[ -e $shared/ese ]]; then
		{
			ca-export -q -d ca.db 2>/dev/null
			printf 'rec:archived\tid:99\tdisposition:20\tcert:%s\tsha1:%s\n' \
			    "$(cert_der kra1.pem | base64 -w 0)" "$(<kra1.sha1)"
		} | ca_edb CA.edb
		cp CA.edb DataBase/CANAME.edb
	fi
	# the other machine
	printf '#!/bin/sh\nshift\nexec "$@"\n' >bin/ssh
	chmod +x bin/ssh
}

setup()
{
	common_setup
	command -v mlr >/dev/null || skip 'no mlr'
	cp -pR "$BATS_FILE_TMPDIR"/[!b]* "$BATS_FILE_TMPDIR"/bin .
	PATH=$PWD/bin:$PATH
	KRA1=$(<kra1.sha1)
	KRA2=$(<kra2.sha1)
	KRA3=$(<kra3.sha1)
	THUMB=$(openssl x509 -in machine.pem -outform DER | sha1sum | cut -c -8)
	SERIAL=$(only key <export.kms | head -n 1 | field serial)
	HEAD=$(last_head ca.db)
	export KRA1 KRA2 KRA3 THUMB SERIAL HEAD
}

# examples PAGE: those of the page, as example.1, example.2, ...: all blocks, but
# for the grammar, what spread.bats and postgresql.bats run, and what stands
# further in (indent-two), which a command prints; and single lines under EXAMPLES
# and behind.
examples()
{
	rm -f example.*
	awk '
	/^\.S[hs] /	{ on = !/SEVERAL MACHINES|Grammar|PostgreSQL/ }
	/^\.Sh EXAMPLES/	{ behind = 1 }
	!on		{ next }
	/^\.Bd -literal -offset indent$/	{ n++; show = 1; next }
	/^\.Ed/		{ show = 0 }
	behind && sub(/^\.Dl /, "")	{ n++; print >("example." n) }
	show		{ print >("example." n) }' "$root/man/$1"
	[[ -e example.1 ]] || return
	# the escapes of mdoc; and what lies elsewhere lies here
	not grep '\\[^e(-]' example.*
	sed -i "s/\\\\(aq/'/g; s/\\\\(ha/^/g; s/\\\\-/-/g; s/\\\\e/\\\\/g
	    s|/mnt/|$PWD/mnt/|" example.*
}

# server FILE: put a database of the suite's own server in place of the one it
# names.  Returns 1 where there is no server.
server()
{
	local text

	[[ -n $pg_bin ]] && pkg-config --exists libpq || return
	pg_server && pg_new || return
	text=$(<"$1")
	printf '%s\n' "${text//'postgresql://db.example.com/keys'/"$URL"}" >"$1"
}

# no_database FILE: whether it names an ESE database that could not be made here.
no_database()
{
	local name

	name=$(grep -o '[A-Za-z/]*\.edb' "$1") && [[ ! -e ${name%%$'\n'*} ]]
}

# runs PAGE: every example of it, one after the other.
runs()
{
	local n=1 status
	local -a typist

	examples "$1"
	while [[ -e example.$n ]]; do
		if grep -q postgresql: "example.$n" && ! server "example.$n" ||
		    no_database "example.$n"; then
			((n += 1))
			continue
		fi
		typist=()
		if grep -q -e '-p tty' "example.$n"; then
			typist=(/usr/bin/python3 "$root/tests/typist.py" one)
		fi
		status=0
		"${typist[@]}" timeout -k 1 60 bash -c \
		    "exec bash example.$n >out.$n 2>err.$n" </dev/null || status=$?
		if ((status)) || grep -E \
		    '^usage:|not found|No such file|syntax error|: line [0-9]+:' \
		    "err.$n"; then
			echo "$1, example $n, exits $status:" >&2
			cat "example.$n" "err.$n" >&2
			return 1
		fi
		((n += 1))
	done
	# every page has some, and each has run
	[[ $(find . -name 'example.*' | wc -l) == $((n - 1)) ]]
}

@test 'ca-db.5' {
	runs ca-db.5
	# the two hashes that it says are the same
	hashes=$(grep -l 'sha256sum' example.* | sed 's/example/out/')
	[[ $(wc -l <"$hashes") == 2 && $(uniq "$hashes" | wc -l) == 1 ]]
	ca-dump -d old.db 2>log | cmp - <(ca-dump -d new.db 2>log)
}

@test 'ca-audit.1' {
	runs ca-audit.1
	ca-audit -d new.db 2>log | grep -q $'\tstatus:whole\t'
	diff <(ca-export -n -d ca.db 2>log | grep $'\tkra:[^\t]' | field sha1 | sort) \
	    <(ca-export -n -d new.db 2>log | field sha1 | sort)
}

@test 'ca-dump.1' {
	runs ca-dump.1
}

@test 'ca-load.1' {
	runs ca-load.1
}

@test 'ca-setname.1' {
	ca-setname -d ca.db 7 $'user:j\xc3\x83\xc2\xb6rg' >out 2>log
	printf '%s\t%s\n' erin érin >names.tsv
	runs ca-setname.1
	ca-export -n -d ca.db -u jörg >out 2>log
}

@test 'edb-extract.1' {
	need_shared ese
	other_db
	mv other.edb kmsmdb.edb
	runs edb-extract.1
}

@test 'ca-export.1' {
	runs ca-export.1
}

@test 'ca-import.1' {
	runs ca-import.1
}

@test 'ca-init.1' {
	runs ca-init.1
}

@test 'ca-recover.1' {
	runs ca-recover.1
}

@test 'ca-setflag.1' {
	runs ca-setflag.1
}

@test 'epf-extract.1' {
	runs epf-extract.1
}

@test 'kms-export.1' {
	runs kms-export.1
	grep -q $'^user:jane\t' out.2
	[[ $(only key <first.kms | field user) == jane ]]
}

@test 'kms-record.5' {
	runs kms-record.5
}

@test 'kms-migrate.1' {
	runs kms-migrate.1
	sha256sum -c --quiet kms-migrate.*/backup.sha256
}

@test 'kms-report.1' {
	runs kms-report.1
	grep -q 'All 23 exported keys are in the archive' report.html
}

@test 'kms-verify.1' {
	runs kms-verify.1
}

@test 'kms2ca-setup.7' {
	runs kms2ca-setup.7
	run_tool 0 kms-verify -k machine.p12 -p file:machine.pw <folder.kms
	[[ $(only key <"$OUT" | field user) == jane ]]
}

@test 'kms2ca-runbook.7' {
	# all of it from its beginning
	rm -f ca.db* export.kms import.* audit.head ./*.verdicts
	runs kms2ca-runbook.7
	not grep -v ^rec: import.log
	[[ $(only result <import.log | field status | sort | uniq -c |
	    tr -s ' \n' ' ') == *' imported '* ]]
}

@test 'kms2ca-runbook.7: keys for another agent' {
	examples kms2ca-runbook.7
	only key <export.kms | field sha1 | sort >want
	run_tool 0 bash -e "$(grep -l 'ca-init -D' example.*)"
	# each key, in its row, for the newcomer and who stayed, and nobody else
	ca-export -d ca.db >rows 2>log
	[[ $(only archived <rows | wc -l) == 24 ]]
	for name in kra2 kra3; do
		run_tool 0 ca-recover -qr -k $name.p12 -p file:pw <rows
		grep $'\tstatus:ok\t' "$OUT" | field sha1 | sort | cmp - want
	done
	ca-dump -d ca.db 2>log | cat rows - >all
	run_tool 1 ca-recover -qr -k kra1.p12 -p file:pw <all
	not grep -q $'\tstatus:ok\t' "$OUT"
	whole ca.db
}

@test 'kms2ca-runbook.7: the drop folder' {
	examples kms2ca-runbook.7
	cp "$(grep -l archive-drop example.*)" archive-drop
	chmod +x archive-drop
	# good, in capitals, locked, no file, empty, and no key at all
	mkdir drop work
	mv jane.p12 "drop/a b.p12"
	openssl pkcs12 -export -inkey jane-1999.key -in jane-1999.pem \
	    -passout file:pw -out drop/UPPER.PFX
	mkfifo drop/fifo.pfx
	ln -s ../user.pws drop/link.epf
	: >drop/empty.p12
	openssl pkcs12 -export -inkey kra1.key -in kra1.pem -passout pass:lost \
	    -out drop/locked.pfx
	echo hello >work/left
	# whatever its name; not one that is being written
	cat jane-1999.key jane-1999.pem >drop/jane
	cat jane-1999.key jane-1999.pem >drop/more.pem.part
	echo hello >drop/notes.jks
	rm ca.db* import.*
	new_archive
	run_tool 1 ./archive-drop
	# each that is held, and why, is mailed; the reason is what is first
	[[ $(cut -d : -f 1,2 "$ERR" | paste -s -d ' ') == 'archive-drop: work/empty.p12 archive-drop: work/fifo.pfx archive-drop: work/left archive-drop: work/link.epf archive-drop: work/locked.pfx archive-drop: work/notes.jks' ]]
	grep -q '^archive-drop: work/locked.pfx: .*wrong password' "$ERR"
	head -n 1 held/locked.pfx.why | grep -q 'wrong password'
	[[ $(find drop work ! -type d) == drop/more.pem.part ]]
	[[ $(cd 'done' && echo *) == 'UPPER.PFX a b.p12 jane' ]]
	[[ $(cd held && echo *) == 'empty.p12 empty.p12.why fifo.pfx fifo.pfx.why left left.why link.epf link.epf.why locked.pfx locked.pfx.why notes.jks notes.jks.why' ]]
	grep -q 'wrong password' held/locked.pfx.why
	[[ $(rows ca.db 'SELECT count(RawArchivedKey) FROM request') == 1 ]]
	cp -p 'done/a b.p12' drop
	run_tool 0 ./archive-drop
	[[ $(cd 'done' && echo *) == 'UPPER.PFX a b.p12 a b.p12.~1~ jane' ]]
	[[ $(field status <import.log | sort | uniq -c | tr -s ' \n' ' ') == \
	    *' 1 imported 3 present ' ]]
	# refused
	ca-setflag -q -d ca.db KRAFlags -KRAF_ENABLEFOREIGN >/dev/null 2>&1
	openssl pkcs12 -export -inkey "$ORG/keys/bob-1999.key" \
	    -in "$ORG/keys/bob-1999.pem" -passout file:pw -out drop/bob.p12
	run_tool 1 ./archive-drop
	grep -q 'KRAF_ENABLEFOREIGN is not set' held/bob.p12.why
	# what cannot be done now is done later
	cp -p 'done/a b.p12' drop/c.p12
	mv machine.p12 away
	run_tool 1 ./archive-drop
	[[ -e work/c.p12 ]]
	grep -q '^archive-drop: work/c.p12: .*machine.p12: No such file' "$ERR"
	grep -q 'machine.p12: No such file' import.msg
	mv away machine.p12
	run_tool 0 ./archive-drop
	[[ -z $(ls work) && -e done/c.p12 ]]
}

@test 'p12-extract.1' {
	runs p12-extract.1
}

@test 'p12-pack.1' {
	runs p12-pack.1
	tr -d "\r" <out.3 | cmp - "$ORG/old-mail.txt"
}

@test 'every page that shows commands is run here' {
	local page name

	for page in "$root"/man/*; do
		name=${page##*/}
		examples "$name" || continue
		grep -q "^	runs $name\$" "$BATS_TEST_FILENAME" || {
			echo "$name: its examples are not run" >&2
			return 1
		}
	done
}

# advice PAGE: the commands that it names in its text and in its messages, one a
# line, with the names of this test in the place of its own.
advice()
{
	awk '
	sub(/^\.(It |Pq )?Ic /, "") {
		gsub(/ Ns (Ic )?/, "")
		gsub(/ , make /, " ")
		gsub(/(^| )(Ar|Ic|Cm|Pa) /, " ")
		sub(/( [.,:;)])+$/, "")
		print
	}
	/^\.It "/ {
		while (match($0, /(run (chmod|chown) [^ ]+ on it|(ca|kms|p12|edb|epf)-[a-z]+ [^":)]*|mlr [^")]*)/)) {
			line = substr($0, RSTART, RLENGTH)
			$0 = substr($0, RSTART + RLENGTH)
			sub(/^run /, "", line)
			print line
		}
	}' "$root/man/$1" |
	    sed 's/\\(aq/'\''/g; s/\\(dq/"/g; s/\\(ha/^/g; s/\\&//g; s/\\e/\\/g
	    s/^ *//; s/ \(DB\|db\)\>/ ca.db/; s/\<DIR\>/./; s/\<PATH\>/ca.db/
	    s/\<N\>/2/; s/ on it$//; s/ at it$//'
}

# mentioned COMMAND: a tool and some options, of many that it needs.  Each is one
# of its options.
mentioned()
{
	local word
	local -a words

	read -ra words <<<"$1"
	for word in "${words[@]:1}"; do
		[[ $word == -[A-Za-z]* ]] || break
		"${words[0]}" -h | grep -q "^  ${word:0:2} " || return
	done
}

@test 'every command that a page advises in its text runs' {
	local page command count=0

	printf 'path,user\nx,jane\n' >map.csv
	sha256sum kms-backup.* >backup.sha256
	p8 jane-1999.key >key.der
	for page in "$root"/man/*; do
		advice "${page##*/}" | sort -u >commands
		while IFS= read -r command; do
			case $command in
			# of Windows, of SQL, or a word alone
			certutil* | esentutl* | VACUUM* | [!a-z]* | kill*) continue ;;
			ca-* | kms-* | p12-* | edb-* | epf-*)
				if [[ $command != *' -d '* ]]; then
					mentioned "$command" || {
						echo "${page##*/}: $command" >&2
						return 1
					}
					continue
				fi ;;
			make\ *)
				for command in ${command#make }; do
					grep -q "^$command:" "$root/Makefile"
				done
				continue ;;
			man\ *) command="cd '$root' && mandoc ${command#man -l }" ;;
			mlr\ *) command+=' <map.csv' ;;
			sha256sum\ -c) command+=' backup.sha256' ;;
			tar\ tf) command+=' kms-backup.tar.gz' ;;
			'tar -h'*) command+=' -cf archive.tar KMSData' ;;
			'openssl pkey'*) command+=' -noout <key.der' ;;
			chmod*) command+=' key.der' ;;
			bc\ *) command -v bc >/dev/null || continue ;;
			'openssl cms') command+=' -help' ;;
			*' '*) ;;
			*) continue ;;
			esac
			((count += 1))
			bash -c "$command" </dev/null >"$OUT" 2>"$ERR" || {
				echo "${page##*/} advises: $command" >&2
				cat "$ERR" >&2
				return 1
			}
		done <commands
	done
	((count > 25))
}

# remedies PAGE: of each entry under DIAGNOSTICS the options that it names, in its
# message or below it, and the tools: the page's own, and those that it names.
remedies()
{
	awk -v "own=${1%.1}" '
	function done(	o) {
		for (o in options)
			print o, own tools
		split("", options)
		tools = ""
	}
	/^\.Sh /	{ done(); on = $2 == "DIAGNOSTICS" }
	/^\.Bd/		{ block = 1 }
	/^\.Ed/		{ block = 0 }
	!on || block	{ next }
	/^\.It /	{ done() }
	{
		n = split($0, word, /[ ().,:;="]+/)
		for (i = 1; i <= n; i++)
			if (word[i] ~ /^-[A-Za-z]$/ && word[i - 1] != "iconv" ||
			    i > 1 && word[i - 1] ~ /Fl$/ && length(word[i]) == 1)
				options[substr(word[i], length(word[i]))]
		while (match($0, /(ca|kms|p12|epf|edb)-[a-z]+/)) {
			tools = tools " " substr($0, RSTART, RLENGTH)
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "$root/man/$1" | sort -u
}

@test 'every option that a remedy names is one of its tool' {
	local page option tool tools count=0

	for page in "$root"/man/*.1; do
		remedies "${page##*/}" >named
		while read -r option tools; do
			for tool in $tools; do
				command -v "$tool" >/dev/null || continue
				"$tool" -h | grep -q "^  -$option\>" && continue 2
			done
			echo "${page##*/}: no -$option of $tools" >&2
			return 1
		done <named
		((count += $(wc -l <named)))
	done
	((count > 40))
}
