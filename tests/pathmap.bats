#!/usr/bin/env bats
#
# common/export/pathmap.c: a map that a spreadsheet wrote, what a line of it does to the
# members that match, and lines that match none.  More of -m is in
# kms-export.bats.

load common
load p12
load backup

# From take.
: "${members=}"

mlr='mlr --icsv --odkvp --ofs tab --ops : cat'
hint="(a map is LTSV, path:GLOB and user:NAME apart by a TAB; from CSV: $mlr)"

setup_file()
{
	(
		cd "$BATS_FILE_TMPDIR" || exit 1
		pair a /CN=a
	)
}

setup()
{
	common_setup
	umask 077
	cp "$BATS_FILE_TMPDIR"/a.* .
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
}

# members_of DIRECTORY...: a.tar with a PKCS#12 in each; its password is the
# name of the directory.
members_of()
{
	local dir

	for dir; do
		mkdir -p "$dir"
		printf '%s\n' "${dir##*/}" >pw
		p12 "$dir/key.p12" a -iter 1
	done
	tar -cf a.tar "$@"
}

# excel FILE: plain.csv in a way that Excel saves it.
excel()
{
	case $1 in
	plain)	cat plain.csv ;;
	bom)	printf '\xef\xbb\xbf'; cat plain.csv ;;
	semi)	tr , ';' <plain.csv ;;
	bomsemi) printf '\xef\xbb\xbf'; tr , ';' <plain.csv ;;
	tab)	tr , '\t' <plain.csv ;;
	utf16)	printf '\xff\xfe'; tr , '\t' <plain.csv |
		    iconv -f UTF-8 -t UTF-16LE ;;
	utf16be) printf '\xfe\xff'; iconv -f UTF-8 -t UTF-16BE plain.csv ;;
	unix)	tr -d '\r' <plain.csv ;;
	utf16unix) printf '\xff\xfe'; tr -d '\r' <plain.csv |
		    iconv -f UTF-8 -t UTF-16LE ;;
	semiquoted) sed 's/,/","/g; s/\r$/"\r/; s/^/"/' plain.csv ;;
	esac
}

@test "CSV of Excel is refused, and the message says what makes a map of it" {
	local how n=0

	members_of G/U
	printf 'path,group,user,pass\r\nG/*,Büro,Jürgen,U\r\n' >plain.csv
	for how in plain bom semi bomsemi tab utf16 utf16be unix utf16unix \
	    semiquoted; do
		excel "$how" >a.csv
		[[ -s a.csv ]]
		run_tool 2 kms-export -c cred.pem -m a.csv <a.tar
		nothing_out "a map in CSV: $how"
		[[ $(wc -l <"$ERR") == 1 ]]
		grep -q '^kms-export: -m: a.csv: line 1: ' "$ERR"
		[[ $(<"$ERR") == *" $hint" ]]
		((n += 1))
	done
	((n == 10))
}

# What the message says, on what it says it of; a CSV with semicolons stays
# none.
@test "the mlr line makes a map of CSV, with a byte order mark and without" {
	local how

	members_of G/U
	printf 'path,group,user,mail,pass\r\nG/*,Büro,"Müller, Jürgen",j@example.com,U\r\n' \
	    >plain.csv
	printf 'H/*,x,y,z,w\r\n' >>plain.csv
	for how in plain bom unix; do
		excel "$how" >a.csv
		$mlr a.csv >map
		take 0 -m map <a.tar
		found 1 0 0
		diff <(printf 'group:Büro\tuser:Müller, Jürgen\tmail:j@example.com\n') \
		    <(only key <"$OUT" | cut -f 3-5) >&2
		said '-m: H/* matches no member'
	done
	printf 'path,group,user\r\nG/*,Büro,Jürgen\r\n' >plain.csv
	for how in semi bomsemi; do
		excel "$how" >a.csv
		$mlr a.csv >map
		contract 2 kms-export -c cred.pem -m map <a.tar
		[[ $(<"$ERR") == *" $hint" ]]
	done
}

@test "pass: of the members that match, and of no others" {
	members_of G/one G/two H/three
	printf '%s\n' $'path:G/one/*\tpass:one' $'path:G/*\tpass:two' \
	    $'path:H/*\tpass:three' >map
	take 0 -m map <a.tar
	found 3 0 0
	said
	# the first line that matches holds, also for the password
	printf '%s\n' $'path:G/*\tpass:two' $'path:G/one/*\tpass:one' \
	    $'path:H/*\tpass:three' >map
	take 1 -m map <a.tar
	found 2 0 1
	faults 'G/one/key.p12: password: integrity check failed (wrong password or damaged file)'
	said 'G/one/key.p12: integrity check failed (wrong password or damaged file)' \
	    '-m: G/one/* matches no member'
	# a password of one member is not tried on the next
	printf '%s\n' $'path:G/one/*\tpass:two' $'path:G/two/*\tpass:one' \
	    $'path:H/*\tuser:x' >map
	take 1 -m map <a.tar
	found 0 0 3
	# those of -p are tried too
	PW=three take 1 -p env:PW -m map <a.tar
	found 1 0 2
}

@test "lines that match nothing are warned about, all of them, also with -q" {
	members_of G/U
	printf 'U\n' >pw
	printf '%s\n' $'path:G\tuser:a' $'path:g/*\tuser:b' \
	    $'path:*/key.p12\tuser:c' $'path:*\tuser:d' >map
	take 0 -q -p file:pw -m map <a.tar
	said '-m: G matches no member' '-m: g/* matches no member' \
	    '-m: * matches no member'
	[[ $(only key <"$OUT" | field user) == c ]]
}

@test "a map of many lines costs no more than one; the first line that matches counts" {
	local n=20000

	pair jane /CN=jane
	seq $n -1 1 | sed 's|.*|path:First/u&/k.pem\tuser:u&|' >map
	sed -i '1s/.*/path:First\/u1\/*\tuser:first/' map
	/usr/bin/python3 - <<-'PY'
	import io, tarfile
	pem = open('jane.pem', 'rb').read()
	with tarfile.open('a.tar', 'w') as t:
	    for i in range(1, 5001):
	        m = tarfile.TarInfo('First/u%d/k.pem' % i)
	        m.size = len(pem)
	        t.addfile(m, io.BytesIO(pem))
	PY
	ulimit -t 5
	take 0 -q -m map <a.tar
	[[ $(only cert <"$OUT" | field user) == first ]]
}
