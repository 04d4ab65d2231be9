# p12-pack(1): what openssl, GnuTLS and NSS read of it, one file a user, names
# from hostile input, and nothing at all when the stream is not whole.

load common
load ca

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	org_archive .
	ca-export -d ca.db 2>>log | sed '/\tblob:$/d' | only archived |
	    awk -F '\t' -v OFS='\t' '{ $2 = "n:" NR } 1' | closed |
	    ca-recover -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" >all.rec
	{ user 1 carol-2003; user 2 jane-1999; } | closed >two.rec
}

setup()
{
	common_setup
	cp "$BATS_FILE_TMPDIR"/*.rec .
	export LC_ALL=C.UTF-8 # for bsdtar
	umask 077
	echo 'pack me' >pw
	pw=(-p file:pw)
	all=(-f "${pw[@]}") # whoever's keys they are
}

# openssl_p12 FILE ARG...: openssl pkcs12 on it.
openssl_p12()
{
	openssl pkcs12 -in "$1" -passin file:pw "${@:2}"
}

# as USER GROUP [N]: the records on stdin, of that person, both as raw fields;
# numbered from N.
as()
{
	user=$1 group=$2 awk -F '\t' -v OFS='\t' -v "n=${3-1}" '
	/^rec:end/ { next }
	{
		$2 = "n:" n++
		$3 = ENVIRON["group"]
		$4 = ENVIRON["user"]
		print
	}'
}

# one NAME: the record of a key of the organisation, from all.rec.
one()
{
	local sha1

	sha1=$(openssl x509 -in "$ORG/keys/$1.pem" -outform DER | sha1sum)
	grep -F $'\tsha1:'"${sha1%% *}" "$BATS_FILE_TMPDIR/all.rec"
}

# held FILE: SHA-256 of every private key in the PKCS#12, sorted.
held()
{
	openssl_p12 "$1" -nocerts -nodes | awk '
	/^-----BEGIN/ { on = 1 }
	on { print }
	/^-----END/ { print "" }' >pem
	split_pem pem | sort
}

# split_pem FILE: SHA-256 of each key in it, as PKCS#8 DER.
split_pem()
{
	csplit -sz -f key. -b %03d "$1" '/^-----BEGIN/' '{*}'
	for key in key.[0-9][0-9][0-9]; do
		openssl pkcs8 -topk8 -nocrypt -in "$key" -outform DER |
		    sha256sum
		rm "$key"
	done
}

# wanted: the same of the records on stdin.
wanted()
{
	field key | while read -r key; do
		base64 -d <<<"$key" | sha256sum
	done | sort
}

@test 'keeps the contract of filters, and nothing comes of a cut stream' {
	CUT_EMPTY=1 filter_contract p12-pack "${all[@]}" <two.rec
}

@test 'keeps it with -F tar and -F zip' {
	CUT_EMPTY=1 filter_contract p12-pack -F tar "${pw[@]}" <two.rec
	INPUT=two.rec output_contract p12-pack -F zip "${pw[@]}"
}

@test 'usage: no password, an operand' {
	local usage='usage: p12-pack [-flPqVv] [-F format] [-o file] [-p secret]'

	refuses 2 "p12-pack: -p secret is missing: the password to write with
$usage" p12-pack <two.rec
	refuses 2 "p12-pack: file: no operand is expected (a file is given as <FILE)
$usage" p12-pack "${all[@]}" file <two.rec
	: >none
	refuses 2 'p12-pack: -p: none: empty: expected a password' \
	    p12-pack -p list:none <two.rec
}

@test 'takes exactly one password' {
	echo other >pw2
	refuses 2 'p12-pack: -p: exactly one password is needed to write, not 2' \
	    p12-pack "${all[@]}" -p file:pw2 <two.rec
	cat pw pw2 >pws
	refuses 2 'p12-pack: -p: exactly one password is needed to write, not 2' \
	    p12-pack -p list:pws <two.rec
	run_tool 0 p12-pack -f -p list:pw <two.rec
	openssl_p12 "$OUT" -noout
	chmod 644 pw
	refuses 2 'p12-pack: -p: pw: others can read it: run chmod 600 on it' \
	    p12-pack "${all[@]}" <two.rec
	refuses 2 'p12-pack: -p: expected env:VAR, file:PATH, list:PATH, fd:N or tty' \
	    p12-pack -p 'pack me' <two.rec
}

@test 'a format that it does not write' {
	refuses 2 'p12-pack: -F cab: not tar or zip' \
	    p12-pack -F cab "${pw[@]}" <two.rec
}

@test 'openssl reads it' {
	run_tool 0 p12-pack "${all[@]}" <two.rec
	says
	held "$OUT" | diff <(wanted <two.rec) -
	openssl_p12 "$OUT" -nokeys | grep -c BEGIN | grep -qx 2
	not openssl pkcs12 -in "$OUT" -passin pass:wrong -noout 2>"$ERR"
}

@test 'GnuTLS and NSS read it, modern and with -l' {
	local option

	for option in -q -l; do
		run_tool 0 p12-pack "$option" "${all[@]}" <two.rec
		certtool --p12-info --inder --password "$(<pw)" <"$OUT" \
		    >info 2>"$ERR"
		grep -c 'BEGIN CERTIFICATE' info | grep -qx 2
		grep -c 'BEGIN ENCRYPTED PRIVATE KEY' info | grep -qx 2
		pk12util -l "$OUT" -w pw >list
		grep -c '^Certificate(has private key):' list | grep -qx 2
		mkdir "nss$option"
		certutil -N -d "sql:nss$option" --empty-password
		pk12util -i "$OUT" -d "sql:nss$option" -w pw >import
		grep -qx 'pk12util: PKCS12 IMPORT SUCCESSFUL' import
		certutil -K -d "sql:nss$option" | grep -c '> rsa ' | grep -qx 2
	done
}

@test 'modern algorithms: AES-256, PBKDF2 with SHA-256, SHA-256 MAC' {
	local bag='PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF'

	bag+=' hmacWithSHA256'
	run_tool 0 p12-pack "${all[@]}" <two.rec
	openssl_p12 "$OUT" -info -noout 2>&1 | sed 's/, salt length: .*//' |
	    diff - <(cat <<-INFO
	MAC: sha256, Iteration 10000
	MAC length: 32
	PKCS7 Encrypted data: $bag
	Certificate bag
	Certificate bag
	PKCS7 Data
	Shrouded Keybag: $bag
	Shrouded Keybag: $bag
	INFO
	)
}

@test '-l: 3DES and SHA-1' {
	local bag='pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2000'

	run_tool 0 p12-pack -l "${all[@]}" <two.rec
	openssl_p12 "$OUT" -info -noout 2>&1 | sed 's/, salt length: .*//' |
	    diff - <(cat <<-INFO
	MAC: sha1, Iteration 2000
	MAC length: 20
	PKCS7 Encrypted data: $bag
	Certificate bag
	Certificate bag
	PKCS7 Data
	Shrouded Keybag: $bag
	Shrouded Keybag: $bag
	INFO
	)
	held "$OUT" | diff <(wanted <two.rec) -
}

@test 'salts and keys are new each time' {
	p12-pack "${all[@]}" <two.rec >one.p12
	p12-pack "${all[@]}" <two.rec >other.p12
	not cmp -s one.p12 other.p12
}

@test 'key and certificate are joined by name and id' {
	run_tool 0 p12-pack "${all[@]}" <two.rec
	openssl_p12 "$OUT" -nodes >pem
	grep -A 1 '^Bag Attributes' pem | grep friendlyName | sort |
	    uniq -c | sed 's/^ *//; s/  */ /g' >names
	diff - names <<-'NAMES'
	2 friendlyName: carol-2003
	2 friendlyName: jane-1999
	NAMES
	grep localKeyID pem | tr -d ' ' | sort | uniq -c | sed 's/^ *//' >ids
	field sha1 <two.rec | tr a-f A-F | sort |
	    sed 's/\(..\)/\1/g; s/^/2 localKeyID:/' | diff - ids
}

@test 'p12-extract gives back what went in' {
	local option

	for option in -q -l; do
		p12-pack "$option" "${all[@]}" <all.rec >all.p12
		run_tool 0 p12-extract "${pw[@]}" <all.p12
		for label in cert key sha1 alg version use serial; do
			diff <(only key <all.rec | field "$label" | sort) \
			    <(only key <"$OUT" | field "$label" | sort)
		done
		# every key still with its own certificate
		diff <(only key <all.rec | cut -f 16,20 | sort) \
		    <(only key <"$OUT" | cut -f 16,20 | sort)
	done
}

@test 'EC keys, too' {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	    -config <(printf '[req]\ndistinguished_name = dn\n[dn]\n') \
	    -subj /CN=ec -keyout ec.key -out ec.pem 2>/dev/null
	record 1 ec ec.pem ec.key | closed >ec.rec
	run_tool 0 p12-pack "${all[@]}" <ec.rec
	held "$OUT" | diff <(wanted <ec.rec) -
}

@test 'all keys of a user, and streams one after the other, in one file' {
	grep $'\tuser:jane\t' all.rec >jane
	[[ $(wc -l <jane) == 4 ]]
	cat <(as user:jane group:x <jane | closed) two.rec >both.rec
	run_tool 0 p12-pack "${all[@]}" <both.rec
	held "$OUT" | diff <(wanted <both.rec) -
	openssl_p12 "$OUT" -nokeys | grep -c BEGIN | grep -qx 6
}

# strangers PERSON...: nothing is written of these persons' keys together.
strangers()
{
	run_tool 1 p12-pack -p file:pw <in
	says "${@/#/p12-pack: keys of }" \
	    "p12-pack: $# persons: nothing is written: select one by group and user, take -F tar for a file each, or -f for one of all"
	[[ ! -s $OUT ]]
	# told to, and a file each: as ever
	run_tool 0 p12-pack "${all[@]}" <in
	says
	held "$OUT" | diff <(wanted <in) -
	run_tool 0 p12-pack -F tar -p file:pw <in
	says
}

@test 'keys of more than one person are not put into one file unasked' {
	cp two.rec in
	strangers 'carol-2003 of group Staff' 'jane-1999 of group Staff'
	# one name, two groups: the other Jane
	{ one jane-1998 | as user:jane group:A; one jane-1999 | as user:jane group:B 2; } | closed >in
	strangers 'jane of group A' 'jane of group B'
	# one group, two names; what a name holds does no harm
	{ one jane-1998 | as user:jane group:A; one jane-1999 | as "user_b64:$(printf 'j\e[2J' | base64)" group:A 2; } | closed >in
	strangers 'jane of group A' 'j\x1b[2J of group A'
	# one user's keys, and a certificate of somebody that has none
	{
		one jane-1998 | as user:jane group:A
		one jane-1999 | as user:jane group:A 2
		record 3 lone "$ORG/keys/janet-1997.pem"
	} | closed >in
	run_tool 0 p12-pack -p file:pw <in
	says
	held "$OUT" | diff <(wanted <in) -
}

@test '-o: a password for each file, in a new file that nobody else can read' {
	local file pass n=0

	refuses 2 'p12-pack: -o: with -F, and instead of -p: each file gets a password of its own' \
	    p12-pack -o pws <two.rec
	refuses 2 'p12-pack: -o: with -F, and instead of -p: each file gets a password of its own' \
	    p12-pack -F zip -o pws -p file:pw <two.rec
	[[ ! -e pws ]]
	run_tool 0 p12-pack -F tar -o pws <all.rec
	says
	[[ $(stat -c %a pws) == 600 ]]
	bsdtar -xf "$OUT"
	[[ ! -e import.cmd ]]
	while IFS=$'\t' read -r file pass; do
		[[ $pass =~ ^([a-z2-9]{5}-){3}[a-z2-9]{5}$ ]]
		printf '%s\n' "$pass" >pw
		held "$file" >got
		diff <(awk -F '\t' -v "f=$file" '$1 == f && $8 == "yes"' \
		    index.tsv | wc -l) <(wc -l <got)
		((n += 1))
	done <pws
	find . -name '*.p12' | wc -l | grep -qx "$n"
	[[ $n == 12 && $(cut -f 2 pws | sort -u | wc -l) == 12 ]]
	refuses 2 'p12-pack: -o pws: it is there already: name a new file' \
	    p12-pack -F tar -o pws <two.rec
	# and nothing is packed whose password is not on the disk
	run_tool 2 p12-pack -F tar -o /dev/full <two.rec
	[[ ! -s $OUT ]]
}

@test 'index.tsv: whose is which, by group, user, mail, serial and time' {
	local cyrillic=$'\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd'

	{
		one jane-1998 | as user:jane group:A 1
		one jane-1999 | as user:jane group:B 2
		one bob-1999 | as "user:$cyrillic" 'group:a\tb' 3
	} | closed >in
	run_tool 0 p12-pack -F zip "${pw[@]}" <in
	says
	bsdtar -tf "$OUT" | diff <(printf '%s\n' A/jane.p12 B/jane.p12 \
	    "a_b/$cyrillic.p12" index.tsv import.cmd) -
	unzip -Z1 "$OUT" | grep -qx "a_b/$cyrillic.p12"
	bsdtar -xOf "$OUT" index.tsv >index
	head -n 1 index | grep -qx $'file\tgroup\tuser\tmail\tserial\tnot_before\tnot_after\tkey'
	sed 1d index | cut -f 2-7 | diff <(only key <in | awk -F '\t' -v OFS='\t' '{
		for (i = 1; i <= NF; i++) {
			l = $i
			sub(/:.*/, "", l)
			v[l] = substr($i, length(l) + 2)
		}
		sub(/\\t/, "\\x09", v["group"])
		print v["group"], v["user"], v["mail"], v["serial"],
		    v["not_before"], v["not_after"]
	}') -
	sed 1d index | cut -f 1,8 | diff <(printf '%s\tyes\n' A/jane.p12 \
	    B/jane.p12 "a_b/$cyrillic.p12") -
}

@test 'certificates without a key come along, joined to none' {
	{ user 1 carol-2003; record 2 lone "$ORG/keys/janet-1997.pem"; } |
	    closed >lone.rec
	run_tool 0 p12-pack "${all[@]}" <lone.rec
	openssl_p12 "$OUT" -nokeys >pem
	grep -c BEGIN pem | grep -qx 2
	held "$OUT" | diff <(wanted <lone.rec) -
	# -clcerts gives those of a key only
	openssl_p12 "$OUT" -nokeys -clcerts | openssl x509 -noout -subject \
	    -nameopt RFC2253 | grep -q '^subject=CN=carol,'
	openssl_p12 "$OUT" -nokeys -clcerts | grep -c BEGIN | grep -qx 1
	cp "$OUT" lone.p12
	run_tool 0 p12-extract -a "${pw[@]}" <lone.p12
	diff <(field cert <lone.rec | sort) <(field cert <"$OUT" | sort)
	# a file without a key is in the archive, but not imported
	run_tool 0 p12-pack -F tar "${pw[@]}" <lone.rec
	bsdtar -tf "$OUT" | diff <(printf '%s\n' Staff/carol-2003.p12 Staff/lone.p12 \
	    index.tsv import.cmd) -
	bsdtar -xOf "$OUT" import.cmd >cmd
	grep -q carol-2003.p12 cmd
	not grep -q lone.p12 cmd
}

@test 'passwords beyond ASCII, the empty one, and CR at the end' {
	printf 'Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac\r\n' >pw
	run_tool 0 p12-pack "${all[@]}" <two.rec
	printf 'Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac\n' >pw
	held "$OUT" | diff <(wanted <two.rec) -
	certtool --p12-info --inder --password "$(<pw)" <"$OUT" >info 2>"$ERR"
	grep -c 'BEGIN ENCRYPTED PRIVATE KEY' info | grep -qx 2
	NO='' run_tool 0 p12-pack -f -p env:NO <two.rec
	echo >pw
	held "$OUT" | diff <(wanted <two.rec) -
}

@test '-F tar and zip: one file a user, index.tsv, import.cmd, nothing else' {
	local format

	only key <all.rec | cut -f 3,4 | sort -u >users
	[[ $(wc -l <users) == 12 ]]
	for format in tar zip; do
		run_tool 0 p12-pack -F "$format" "${pw[@]}" <all.rec
		bsdtar -tvf "$OUT" >list
		[[ $(grep -c '^-rw------- ' list) == 14 ]]
		bsdtar -tf "$OUT" | sort >names
		{
			sed 's/group://; s/\tuser:/\//; s/ /_/g; s/$/.p12/' users
			printf '%s\n' index.tsv import.cmd
		} | sort | diff - names
		mkdir "$format"
		bsdtar -C "$format" -xf "$OUT"
		for user in bob carol heidi jane karl; do
			held "$format"/*/"$user.p12" | diff <(grep \
			    $'\tuser:'"$user"$'\t' all.rec | wanted) -
		done
	done
	cmp tar/import.cmd zip/import.cmd
	unzip -tq "$OUT"
	tar tf <(p12-pack -F tar "${pw[@]}" <all.rec) | sort | diff names -
}

@test '-F -l writes old files' {
	p12-pack -l -F tar "${pw[@]}" <two.rec | bsdtar -xf -
	openssl_p12 Staff/carol-2003.p12 -info -noout 2>&1 |
	    grep -qx 'MAC: sha1, Iteration 2000'
}

@test 'import.cmd: for Windows, without the password' {
	p12-pack -F zip "${pw[@]}" <two.rec >two.zip
	unzip -p two.zip import.cmd >cmd
	sed 's/$/\r/' <<-'CMD' | diff - cmd
	@echo off
	rem Imports these keys into the archive of this CA, as its manager.
	setlocal EnableExtensions DisableDelayedExpansion
	pushd "%~dp0"
	if errorlevel 1 exit /b 1
	set "PW="
	set /p "PW=Password of the files: "
	cls
	setlocal EnableDelayedExpansion
	certutil -setreg ca\KRAFlags +KRAF_ENABLEFOREIGN
	if not !errorlevel! == 0 goto failed
	net stop certsvc
	net start certsvc
	if not !errorlevel! == 0 goto failed
	certutil -f -p "!PW!" -importKMS "Staff\carol-2003.p12"
	if not !errorlevel! == 0 goto failed
	certutil -f -p "!PW!" -importKMS "Staff\jane-1999.p12"
	if not !errorlevel! == 0 goto failed
	echo All files are imported.
	popd
	exit /b 0
	:failed
	echo Stopped: see the message above.  Files before that one are imported:
	echo take their lines out of import.cmd and run it again.
	popd
	exit /b 1
	CMD
	not grep -qF "$(<pw)" cmd
	not grep -qaF "$(<pw)" two.zip
}

@test 'import.cmd: a password that cmd.exe and certutil would mistake' {
	local awkward

	for awkward in 'a"b' '*' $'ends in \\'; do
		echo "$awkward" >pw
		run_tool 0 p12-pack -F zip "${pw[@]}" <two.rec
		says 'p12-pack: warning: import.cmd cannot give certutil a password that is *, has " in it or ends in \: take another'
		run_tool 0 p12-pack "${all[@]}" <two.rec
		says
	done
	# these are taken as they are
	echo '%PATH% & ^| !x! C:\d *' >pw
	run_tool 0 p12-pack -F zip "${pw[@]}" <two.rec
	says
}

@test 'names of hostile users are safe names' {
	local name names n=0

	mapfile -t names <<'NAMES'
user:../../etc/passwd
user:/etc/passwd
user:..
user:.
user:.bashrc
user:-rf
user:C:\\Windows\\x
user:a" & del *.* & rem
user:%PATH%
user:!PW!
user:^& (x) | >y
user:%~dp0
user:a\tb\nc
user:con
user:NUL
user:Aux.txt
user:lpt1
user:com9.p12
user:
user:import.cmd
user:IMPORT.CMD
user:jane
user:Jane
user:JANE
user:jane-2
user:J\u00fcrgen
NAMES
	names+=("user_b64:$(printf 'J\xfcrgen' | base64)"
	    "user_b64:$(printf 'x\xe2\x80\xaemoc' | base64)"
	    "user_b64:$(printf 'e\e[2Jsc' | base64)"
	    "user_b64:$(printf 'nul\0byte' | base64)"
	    "user:$(printf 'long%.0s' {1..2000})")
	names=("${names[@]/'\u00fc'/$'\xc3\xbc'}")
	one jane-1999 >key
	for name in "${names[@]}"; do
		((n += 1))
		as "$name" "group:g" "$n" <key
	done | closed >hostile.rec
	n=${#names[@]}
	run_tool 0 p12-pack -F zip "${pw[@]}" <hostile.rec
	says
	bsdtar -tf "$OUT" >list
	[[ $(wc -l <list) == $((n + 2)) ]]
	# letters and these characters; no dot, no dash in front
	not grep -vP '^g/[\p{L}0-9_][\p{L}0-9_.-]{0,103}\.p12$|^(import\.cmd|index\.tsv)$' list
	grep -qx $'g/J\xc3\xbcrgen.p12' list
	not grep -iE '(^|/)(con|prn|aux|nul|com[0-9]|lpt[0-9])\.' list
	# no two are one file on Windows
	[[ $(sort -uf list | wc -l) == $((n + 2)) ]]
	# all are where they are unpacked
	mkdir here
	unzip -q "$OUT" -d here
	find here -mindepth 1 -type f -printf '%P\n' | sort |
	    diff <(sort list) -
	[[ $(find here -mindepth 1 -type f | wc -l) == $((n + 2)) ]]
	# import.cmd says these, and nothing that a name brought in
	p12-pack -F tar "${pw[@]}" <two.rec | bsdtar -xOf - import.cmd |
	    sort -u | grep -v importKMS >rest
	grep -vE '^certutil -f -p "!PW!" -importKMS "g\\[^"%!^&<>|/\\]+\.p12"'$'\r''$' \
	    here/import.cmd | sort -u | cmp rest -
	grep -c importKMS here/import.cmd | grep -qx "$n"
	# each can be opened
	for name in here/g/*.p12; do
		openssl_p12 "$name" -noout
	done
}

@test 'two users of one name stay two, in whatever groups' {
	{
		one carol-2003 | as user:sam group:a 1
		one jane-1999 | as user:sam group:b 2
		one bob-1999 | as user:sam group:a 3
		# the two would be one if they were only put together
		one judy-2003 | as 'user:b/c' group:a 4
		one karl-1999 | as user:c 'group:a/b' 5
		# nor does a NUL end a name
		one erin-1998 | as "user_b64:$(printf 'sam\0x' | base64)" group:a 6
	} | closed >sams.rec
	run_tool 0 p12-pack -F tar "${pw[@]}" <sams.rec
	bsdtar -tf "$OUT" | diff <(printf '%s\n' a/sam.p12 b/sam.p12 a/b_c.p12 \
	    a_b/c.p12 a/sam_x.p12 index.tsv import.cmd) -
	bsdtar -xf "$OUT"
	held a/sam.p12 | diff <(sed -n '1p;3p' sams.rec | wanted) -
	held b/sam.p12 | diff <(sed -n 2p sams.rec | wanted) -
	held a/b_c.p12 | diff <(sed -n 4p sams.rec | wanted) -
	held a_b/c.p12 | diff <(sed -n 5p sams.rec | wanted) -
	held a/sam_x.p12 | diff <(sed -n 6p sams.rec | wanted) -
}

@test 'keys of one name: each has a friendlyName of its own, and NSS takes them' {
	local sha1 day

	# unlike subjects under one nickname are what NSS refuses
	{ one jane-1999 | as user:sam group: 1
	    one carol-2003 | as user:sam group: 2
	    one bob-1999 | as user:sam group: 3; } | closed >sam.rec
	run_tool 0 p12-pack "${all[@]}" <sam.rec
	says
	openssl_p12 "$OUT" -nodes >pem
	{
		echo 'friendlyName: sam'
		for n in 2 3; do
			sha1=$(only key <sam.rec | field sha1 | sed -n "${n}p")
			day=$(only key <sam.rec | field not_after | sed -n "${n}p")
			echo "friendlyName: sam ${day%T*} ${sha1:0:8}"
		done
	} | sort >want
	grep -o 'friendlyName: .*' pem | sort -u | diff want -
	mkdir nss
	certutil -N -d sql:nss --empty-password
	pk12util -i "$OUT" -d sql:nss -w pw >import
	grep -qx 'pk12util: PKCS12 IMPORT SUCCESSFUL' import
	[[ $(certutil -K -d sql:nss | grep -c rsa) == 3 ]]
	held "$OUT" | diff <(wanted <sam.rec) -
}

@test 'faults in the input are said, and are not in the output' {
	{ user 1 jane-1999; printf 'rec:fault\tn:2\tsource:x\treason:cut\tdetail:y\n'
	    } | closed >faulty.rec
	run_tool 0 p12-pack "${all[@]}" <faulty.rec
	says 'p12-pack: stdin:2: record 2: a fault: what it names is not in the output'
}

@test 'it sums up: keys, certificates, faults, refused, persons' {
	{
		one jane-1998 | as user:jane group:A
		one jane-1999 | as user:jane group:A 2
		one bob-1999 | as user:bob group:A 3
		record 4 lone "$ORG/keys/janet-1997.pem"
		printf 'rec:fault\tn:5\tsource:x\treason:cut\tdetail:y\n'
		one carol-2003 | as user:carol group:A 6 |
		    sed 's/\tsha256:./\tsha256:g/'
	} | closed >mixed
	run_tool 1 p12-pack -q -F zip -p file:pw <mixed
	diff "$ERR" <(echo 'p12-pack: keys 3, certificates 1, faults 1, refused 1, persons 2')
	# nothing was packed, and that is said instead
	run_tool 1 p12-pack -q -p file:pw <mixed
	not grep -q 'persons 2' "$ERR"
}

@test 'a name that no friendlyName can hold loses no key' {
	local name

	for name in "user_b64:$(printf 'J\xfcrgen' | base64)" \
	    $'user:\xf0\x9f\x98\x80' "user_b64:$(printf 'x\e[2J' | base64)" \
	    "user_b64:$(printf '\xff\xfe\0\0' | base64)" user: \
	    "user:$(printf 'long%.0s' {1..2000})"; do
		one jane-1999 | as "$name" group: | closed >named.rec
		run_tool 0 p12-pack "${all[@]}" <named.rec
		says
		held "$OUT" | diff <(wanted <named.rec) -
		# what it is called is harmless
		openssl_p12 "$OUT" -nokeys >shown
		not grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' shown
	done
	one jane-1999 | as $'user:Gr\xc3\xb6\xc3\x9fe' group: | closed >named.rec
	p12-pack "${all[@]}" <named.rec >named.p12
	p12-extract "${pw[@]}" <named.p12 >back
	openssl_p12 named.p12 -nokeys | grep -q 'friendlyName: Gr'
}

@test 'nothing is written of a stream that is not whole' {
	local end

	sed 1d two.rec >gap
	refuses 2 'p12-pack: stdin:1: n is 2, not 1: records are missing, repeated or out of order (or this is a part: -P)' \
	    p12-pack "${all[@]}" <gap
	sed '$d' two.rec >noend
	refuses 2 'p12-pack: stdin:3: no end record: the stream was cut: fetch it whole, or take what is there with -P' \
	    p12-pack "${all[@]}" <noend
	sed '1s/\tmail:/\tmail:x/' two.rec >altered
	refuses 2 'p12-pack: stdin:3: the digest of the stream differs: it was altered' \
	    p12-pack "${all[@]}" <altered
	sed '$s/\tkeys:2/\tkeys:3/' two.rec >counts
	end=$(p12-pack "${all[@]}" <counts 2>&1 >/dev/null || :)
	refuses 2 "$end" p12-pack "${all[@]}" <counts
	[[ $end == 'p12-pack: stdin:3: in end, keys is not 2'* ]]
	# the second stream is broken, the first is not
	cat two.rec noend >second
	refuses 2 'p12-pack: stdin:6: no end record: the stream was cut: fetch it whole, or take what is there with -P' \
	    p12-pack "${all[@]}" <second
	for format in tar zip; do
		refuses 2 'p12-pack: stdin:3: no end record: the stream was cut: fetch it whole, or take what is there with -P' \
		    p12-pack -F "$format" "${pw[@]}" <noend
	done
	printf 'hello\n' >text
	run_tool 2 p12-pack "${all[@]}" <text
	[[ ! -s $OUT ]]
	grep -q 'stdin:1: not a kms-record stream; ' "$ERR"
}

@test '-P takes a selection, with end or without' {
	grep -E $'^rec:end|\tuser:jane\t' all.rec >jane
	run_tool 0 p12-pack -P "${all[@]}" <jane
	held "$OUT" | diff <(wanted <jane) -
	sed '$d' jane | tac >jane2
	run_tool 0 p12-pack -P "${all[@]}" <jane2
	held "$OUT" | diff <(wanted <jane) -
	# a part, but not of a line
	run_tool 2 p12-pack -P "${all[@]}" < <(head -c -1 jane)
	[[ ! -s $OUT ]]
}

@test 'a key that is not that of its certificate is left out, and said' {
	{
		user 1 carol-2003
		record 2 mixed "$ORG/keys/jane-1999.pem" "$ORG/keys/bob-1999.key"
		user 3 judy-2003
	} | closed >mixed.rec
	run_tool 1 p12-pack "${all[@]}" <mixed.rec
	says 'p12-pack: stdin:2: record 2, user mixed: private key does not belong to the certificate'
	held "$OUT" | diff <(sed 2d mixed.rec | wanted) -
	run_tool 1 p12-pack -q "${all[@]}" <mixed.rec
	says
	# what the record says of the certificate must be so, too
	sed '1s/\tserial:[^\t]*/\tserial:00/' two.rec | sed '$d' | closed >wrong
	run_tool 1 p12-pack "${all[@]}" <wrong
	says 'p12-pack: stdin:1: record 1, user carol-2003: serial is not that of the certificate in the record'
	held "$OUT" | diff <(sed -n 2p two.rec | wanted) -
}

@test 'no key at all: exit 1, nothing written' {
	closed </dev/null >empty.rec
	refuses 1 'p12-pack: no key in the input: nothing is written' \
	    p12-pack "${all[@]}" <empty.rec
	record 1 lone "$ORG/keys/janet-1997.pem" | closed >lone.rec
	refuses 1 'p12-pack: no key in the input: nothing is written' \
	    p12-pack -F tar "${pw[@]}" <lone.rec
}

@test 'a sealed stream is refused' {
	refuses 2 'p12-pack: stdin:2: a sealed stream: open it with ca-import, and recover from there' \
	    p12-pack "${all[@]}" <"$BATS_FILE_TMPDIR/export.kms"
	# its records in a plain one, too
	grep ^rec:key "$BATS_FILE_TMPDIR/export.kms" | head -n 1 >sealed
	refuses 2 'p12-pack: stdin:1: a sealed record outside its stream: the stream line before it is missing' \
	    p12-pack -P "${all[@]}" <sealed
}

@test 'refuses a terminal before it reads' {
	mkfifo fifo
	exec 8<>fifo
	run_tool 2 script -qec 'p12-pack -p file:pw <&8' /dev/null </dev/null
	sed 's,\r,,g; s,\x1b\[K,,' "$OUT" | diff - <(echo "p12-pack: standard output is a \
terminal and would show binary data: send it to a file or a pipe")
}
