#!/usr/bin/env bats
#
# Where -p takes passwords from: env:, file:, list:, fd: and tty, as kms2ca(7)
# has them.  p12-extract stands for all tools; its file takes one round of key
# derivation, so that ten thousand passwords are tried in a moment.
#
# shellcheck disable=SC2030,SC2031 # each test has its own environment

load common
load p12

setup()
{
	common_setup
	umask 077
	pair a /CN=a
	locked secret
}

# locked PASSWORD: a.p12 under this one.
locked()
{
	printf '%s\n' "$1" >pw
	p12 a.p12 a -iter 1
}

# opens ARG...: these passwords open a.p12.
opens()
{
	run_tool 0 p12-extract "$@" <a.p12 && says
}

# stays_shut ARG...: they are taken, but none is right.
stays_shut()
{
	run_tool 1 p12-extract "$@" <a.p12 &&
	    says "p12-extract: stdin: integrity check failed (wrong password or damaged file)"
}

# denied SOURCE WHAT: the source is refused, before anything is read.
denied()
{
	# shellcheck disable=SC2094 # read twice
	{
		refuses 2 "p12-extract: -p: $2" p12-extract -p "$1" &&
		    cmp - a.p12
	} <a.p12
}

# long N: that many characters.
long()
{
	printf '%*s' "$1" '' | tr ' ' x
}

@test "what is no source is refused, and not repeated" {
	local source n=0

	for source in secret '' env file: file pass:secret ENV:PW File:pw tty: \
	    ttyS0 'env PW' stdin - fd list; do
		[[ $source == file: ]] && continue
		refuses 2 'p12-extract: -p: expected env:VAR, file:PATH, list:PATH, fd:N or tty' \
		    p12-extract -p "$source" <a.p12
		((n += 1))
	done
	((n == 14))
}

@test "env: a variable" {
	export PW=secret
	opens -p env:PW
	PW=wrong stays_shut -p env:PW
	PW='' stays_shut -p env:PW
	PW=$'secret\n' stays_shut -p env:PW
	unset PW
	denied env:PW 'PW is not in the environment'
	denied env: ' is not in the environment'
	denied "env:$(printf 'A\x1b[31mB')" 'A\x1b[31mB is not in the environment'
}

@test "file: the first line, without its CR" {
	local content n=0

	while IFS= read -r content; do
		printf %b "$content" >f
		opens -p file:f
		((n += 1))
	done <<'OPEN'
secret\n
secret
secret\r\n
secret\r
secret\nwrong\n
secret\n\n\n
secret\n\x00\n
OPEN
	((n == 7))
	while IFS= read -r content; do
		printf %b "$content" >f
		stays_shut -p file:f
		((n += 1))
	done <<'SHUT'
\nsecret\n
 secret\n
secret \n
secret\r\r\n
wrong\nsecret\n
\r\n
SHUT
	((n == 13))
}

@test "file: what cannot be read" {
	denied file:nothing 'nothing: No such file or directory: make it, for you alone (umask 077), with the password as a line'
	denied file: ': No such file or directory: make it, for you alone (umask 077), with the password as a line'
	denied file:. '.: Is a directory'
	: >f
	denied file:f 'f: empty: expected a password'
	printf 'secret\0more\n' >f
	denied file:f 'f: holds a NUL byte'
	long 1025 >f
	denied file:f 'f: longer than 1024 bytes'
	# 2 MB without a newline
	head -c 2000000 /dev/zero | tr '\0' x >f
	denied file:f 'f: 1048576 bytes or more'
}

@test "file: and list: only for the owner" {
	local mode kind n=0

	printf 'secret\n' >f
	for kind in file list; do
		for mode in 640 604 660 606 644 610 601 620 602; do
			chmod "$mode" f
			denied "$kind:f" 'f: others can read it: run chmod 600 on it'
			((n += 1))
		done
		for mode in 600 400 700; do
			chmod "$mode" f
			opens -p "$kind:f"
			((n += 1))
		done
	done
	((n == 24))
	# the link is not what counts
	ln -s f link
	opens -p file:link
	chmod 644 f
	denied file:link 'link: others can read it: run chmod 600 on it'
	# what is no file is in nobody else's hands
	opens -p file:<(echo secret)
	opens -p list:<(printf '%s\n' wrong secret)
}

@test "list: each line" {
	local content n=0

	while IFS= read -r content; do
		printf %b "$content" >l
		opens -p list:l
		((n += 1))
	done <<'OPEN'
secret
secret\n
wrong\nsecret\nother\n
wrong\r\nsecret\r\nother\r\n
\n\nwrong\n\n\nsecret
\r\nsecret\r
OPEN
	((n == 6))
	while IFS= read -r content; do
		printf %b "$content" >l
		stays_shut -p list:l
		((n += 1))
	done <<'SHUT'
wrong\nSecret\n secret\n
SHUT
	((n == 7))
	echo >l
	denied list:l 'l: empty: expected a password'
	: >l
	denied list:l 'l: empty: expected a password'
	printf 'wrong\nse\0cret\nsecret\n' >l
	denied list:l 'l: holds a NUL byte'
	printf 'secret\n%s\n' "$(long 1025)" >l
	denied list:l 'l: longer than 1024 bytes'
	denied list:nothing 'nothing: No such file or directory: make it, for you alone (umask 077), with the password as a line'
	denied list:. '.: Is a directory'
}

@test "list: an empty line is no password, the empty password is tried all the same" {
	locked ''
	p12 a.p12 a -iter 1 -passout pass:
	printf 'wrong\n\n' >l
	opens -p list:l
	printf 'wrong\n' >l
	opens -p list:l
	opens
}

@test "ceilings: 1,024 bytes, 10,000 passwords, 1 MiB" {
	local long

	long=$(long 1024)
	# openssl would take but 1,023 from a file
	printf '%s\n' "$long" >pw
	LONG=$long p12 a.p12 a -iter 1 -passout env:LONG
	opens -p file:pw
	opens -p list:pw
	PW=$long opens -p env:PW
	PW=${long}x denied env:PW 'longer than 1024 bytes'
	locked secret
	{ seq 9999; echo secret; } >l
	opens -p list:l
	denied_more l 'l: more than 10000 passwords'
	# of several sources together
	seq 9999 >l
	opens -p list:l -p file:pw
	refuses 2 'p12-extract: -p: pw: more than 10000 passwords' \
	    p12-extract -p list:l -p file:pw -p file:pw <a.p12
	# as many bytes as fit, but one
	{ head -c 1048574 /dev/zero | tr '\0' '\n'; printf x; } >l
	stays_shut -p list:l
	echo >>l
	denied list:l 'l: 1048576 bytes or more'
	yes "$(long 1000)" | head -c 1048575 >l
	stays_shut -p list:l
}

# denied_more LIST WHAT: with one line more than it has.
denied_more()
{
	echo more >>"$1"
	denied "list:$1" "$2"
}

@test "fd: one line of a descriptor, and no byte more" {
	opens -p fd:5 5<pw
	printf '%s\n' wrong secret other >l
	opens -p fd:5 -p fd:5 5<l
	stays_shut -p fd:5 5<l
	{
		opens -p fd:5 -p fd:5
		diff <(echo other) - <&5
	} 5<l
	opens -p fd:5 5< <(printf 'secret\r\n')
	opens -p fd:5 5< <(printf secret)
	opens -p fd:05 5<pw
	# others may read it: who has it open was let in
	chmod 644 pw
	opens -p fd:5 5<pw
}

@test "fd: what is no descriptor" {
	local number n=0

	for number in '' x -1 +5 ' 5' 5x 0x5 99999 1025 99999999999999999999; do
		denied "fd:$number" "fd:$number: not a descriptor"
		((n += 1))
	done
	((n == 10))
	denied fd:987 'fd:987: not open'
	refuses 2 'p12-extract: -p: fd:5: empty: expected a password' \
	    p12-extract -p fd:5 <a.p12 5</dev/null
	refuses 2 'p12-extract: -p: fd:5: Is a directory' p12-extract -p fd:5 \
	    <a.p12 5<.
	refuses 2 'p12-extract: -p: fd:5: Bad file descriptor' p12-extract -p fd:5 \
	    <a.p12 5>>out
}

@test "several -p: each is tried, whichever comes first" {
	printf '%s\n' wrong also-wrong >l
	export PW=wrong
	opens -p env:PW -p list:l -p file:pw
	opens -p file:pw -p env:PW -p list:l
	opens -p list:l -p file:pw -p env:PW
	opens -p file:pw -p file:pw
	stays_shut -p env:PW -p list:l
	refuses 2 'p12-extract: -p: nothing: No such file or directory: make it, for you alone (umask 077), with the password as a line' \
	    p12-extract -p file:pw -p file:nothing <a.p12
}

@test "several members, each with a password of its own, again and again" {
	local i

	mkdir G
	for i in {1..12}; do
		locked "secret $((i % 5))"
		mv a.p12 "G/$i.p12"
	done
	printf 'secret %d\n' {0..9} >l
	tar -cf a.tar G
	cat "$ORG"/machine.{pem,key} >cred.pem
	run_tool 0 kms-export -c cred.pem -p list:l <a.tar
	[[ $(only key <"$OUT" | wc -l) == 12 ]]
	sed -i '/3/d' l
	run_tool 1 kms-export -c cred.pem -p list:l <a.tar
	[[ $(only key <"$OUT" | wc -l) == 10 ]]
	[[ $(only fault <"$OUT" | field reason | sort | uniq -c) == *' 2 password' ]]
}

@test "passwords of any bytes" {
	local n=0

	while IFS= read -r pw; do
		pw=$(printf %b "$pw")
		locked "$pw"
		opens -p file:pw
		opens -p list:pw
		PW=$pw opens -p env:PW
		((n += 1))
	done <<'PASSWORDS'
Gr\xc3\xbc\xc3\x9fe-1999
\xce\xad\xce\xbd\xce\xb1 \xce\xb4\xcf\x8d\xce\xbf
\x01\x1b[31m\x7f
a:b"c\\d'e$f`g
env:PW
 
Gr\xfc\xdfe
PASSWORDS
	((n == 7))
}

@test "no password is in a message, whatever goes wrong" {
	locked hunter2
	cat "$ORG"/machine.{pem,key} >cred.pem
	printf 'wrong\nhunter3\n' >l
	PW=hunter3 run_tool 1 p12-extract -v -p env:PW -p list:l <a.p12
	not grep -q hunter "$ERR" "$OUT"
	run_tool 1 kms-export -v -c cred.pem -p list:l <a.p12
	not grep -q hunter "$ERR" "$OUT"
	run_tool 2 p12-extract -p hunter2 <a.p12
	not grep -q hunter "$ERR" "$OUT"
}

# under_tty COMMAND: start it on a terminal of its own, which we are: what it
# shows comes from ${tty[0]}, what we type goes to ${tty[1]}.
under_tty()
{
	# a shell starts what is behind & with signals ignored
	coproc tty { exec env --default-signal timeout --foreground -k 1 60 \
	    script -qec "$1" /dev/null 2>&1 3>&-; }
	script=${tty_PID?}
}

# prompted PROMPT: read what the terminal shows, up to this at its end.
prompted()
{
	local c shown=

	while [[ $shown != *"$1" ]]; do
		IFS= read -r -d '' -n 1 -t 20 -u "${tty[0]}" c || {
			printf 'no prompt %q, but %q\n' "$1" "$shown" >&2
			return 1
		}
		shown+=$c
	done
	printf %s "$shown" >>shown
}

# hang_up: read the rest of it, and wait; the exit status is in $status.
hang_up()
{
	local from=${tty[0]}

	cat <&"$from" >>shown || :
	status=0
	wait "$script" || status=$?
}

@test "tty: ^C ends the tool, and the terminal shows again what is typed" {
	local status script

	command -v script >/dev/null || skip 'no script(1)'
	under_tty 'trap : INT; p12-extract -p tty <a.p12 >out 2>err; echo "status $?"; stty -a'
	prompted 'p12-extract: password: '
	printf '\003' >&"${tty[1]}"
	hang_up
	grep -q 'status 130' shown
	grep -qE '(^| )echo ' shown
	[[ ! -s out ]]
}

@test "memory is locked as far as the system lets us" {
	local pid caps locked

	grep -q __asan_init "$(command -v p12-extract)" &&
		skip 'AddressSanitizer locks nothing'
	caps=$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)
	[[ $(ulimit -l) == unlimited ]] || ((0x$caps >> 14 & 1)) ||
		skip 'no right to lock all memory'
	mkfifo in
	p12-extract <in >out 2>err 3>&- &
	pid=$!
	exec 9>in
	until grep -q $'^Seccomp:\t2' "/proc/$pid/status"; do
		kill -0 "$pid"
	done
	locked=$(awk '$1 == "VmLck:" { print $2 }' "/proc/$pid/status")
	exec 9>&-
	wait "$pid" || :
	# the secure heap alone has 4 MiB
	((locked > 5000))
}

@test "tty: asked for on the terminal, and not shown" {
	local status script

	command -v script >/dev/null || skip 'no script(1)'
	under_tty 'p12-extract -p tty <a.p12 >out 2>err'
	prompted 'p12-extract: password: '
	echo secret >&"${tty[1]}"
	hang_up
	((status == 0))
	[[ $(only key <out | wc -l) == 1 ]]
	diff <(echo 'p12-extract: password: ') <(tr -d '\r' <shown) >&2
	[[ ! -s err ]]
}

@test "tty: a wrong one, an empty one" {
	local typed status script

	command -v script >/dev/null || skip 'no script(1)'
	for typed in wrong ''; do
		under_tty 'p12-extract -p tty <a.p12 >out 2>err'
		prompted 'password: '
		echo "$typed" >&"${tty[1]}"
		hang_up
		((status == 1))
		[[ $(<err) == 'p12-extract: stdin: integrity check failed (wrong password or damaged file)' ]]
	done
}

@test "tty: the file of -k is named, and there are three tries" {
	local n wrong='ca-recover: a.p12: integrity check failed (wrong password or damaged file)'
	local ask='ca-recover: password for a.p12: ' status script

	command -v script >/dev/null || skip 'no script(1)'
	echo 'rec:end	n:0	keys:0	certs:0	faults:0	sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855	sig:' >none
	echo other >other.pw
	chmod 600 other.pw
	for n in 1 2 3; do
		: >shown
		under_tty 'ca-recover -r -k a.p12 -p tty -p file:other.pw <none >out 2>err'
		for ((i = 1; i < n; i++)); do
			prompted "$ask"
			echo wrong >&"${tty[1]}"
		done
		prompted "$ask"
		# the third try is the last
		if ((n < 3)); then
			echo secret >&"${tty[1]}"
		else
			echo wrong >&"${tty[1]}"
		fi
		hang_up
		if ((n < 3)); then
			not grep -q password err
		else
			((status == 2))
			[[ $(<err) == "ca-recover: -k: ${wrong#ca-recover: }" ]]
		fi
		diff <(for ((i = 1; i < n; i++)); do
			printf '%s\n%s\n' "$ask" "$wrong"
		done; printf '%s\n' "$ask") <(tr -d '\r' <shown) >&2
	done
}

@test "tty: the tools of a pipeline ask in turn" {
	local status script

	command -v script >/dev/null || skip 'no script(1)'
	cp a.p12 b.p12
	locked other
	# shellcheck disable=SC2016 # for the inner shell
	under_tty 'p12-extract -p tty <a.p12 >a.out 2>a.err &
	    p12-extract -p tty <b.p12 >b.out 2>b.err; wait $!'
	prompted 'password: '
	# which of the two asks first is not known
	echo secret >&"${tty[1]}"
	prompted 'password: '
	echo other >&"${tty[1]}"
	hang_up
	diff <(printf 'p12-extract: password: \n%.0s' 1 2) \
	    <(tr -d '\r' <shown) >&2
	# each got one of them
	cat a.out b.out | only key | wc -l | grep -qx '[02]'
	[[ $(cat a.err b.err | grep -c 'integrity check failed') == \
	    $((2 - $(cat a.out b.out | only key | wc -l))) ]]
}

@test "tty: nobody else can keep the prompt back" {
	local status script

	command -v script >/dev/null || skip 'no script(1)'
	under_tty 'exec 9</dev/tty; flock -n 9; p12-extract -p tty <a.p12 >out 2>err'
	prompted 'p12-extract: password: '
	echo secret >&"${tty[1]}"
	hang_up
	[[ $status == 0 && -s out ]]
}

@test "tty: the echo is back afterwards" {
	local status script

	command -v script >/dev/null || skip 'no script(1)'
	under_tty 'stty -a >before; p12-extract -p tty <a.p12 >out; stty -a >after'
	prompted 'password: '
	echo secret >&"${tty[1]}"
	hang_up
	cmp before after
	grep -q ' echo ' after
}

@test "tty: what locks something asks twice" {
	local again status script

	command -v script >/dev/null || skip 'no script(1)'
	run_tool 0 p12-extract -p file:pw <a.p12
	cp "$OUT" a.rec
	for again in new nwe ne newer ''; do
		under_tty 'p12-pack -p tty <a.rec >out 2>err'
		prompted 'p12-pack: password: '
		echo new >&"${tty[1]}"
		prompted 'p12-pack: the same password again: '
		echo "$again" >&"${tty[1]}"
		hang_up
		if [[ $again == new ]]; then
			((status == 0))
			openssl pkcs12 -in out -passin pass:new -noout
		else
			((status == 2))
			[[ ! -s out && $(<err) == 'p12-pack: -p: the two are not the same: run again' ]]
		fi
	done
}

@test "tty: without a terminal" {
	command -v setsid >/dev/null || skip 'no setsid(1)'
	run_tool 2 setsid -w p12-extract -p tty <a.p12
	says 'p12-extract: -p: /dev/tty: No such device or address: there is no terminal to ask at: give the password as -p file:PATH'
	nothing_out 'no terminal'
}
