#!/usr/bin/env bash
#
# torture.bash [PART]...: kill the tools, and let whatever they ask of the
# system go wrong, for as long as TORTURE_TIME seconds (1800) allow; then say
# what was done.  Parts are kills, faults, allocations, full, two, output; all
# of them without.  Exit 1 if there is a finding.  `make torture' calls it;
# torture.bats sources it, for a slice of each part.
#
#	KMS2CA_BIN	directory of the tools, if not build/bin
#	TORTURE_SEED	what is drawn by lot, if not the clock
#	TORTURE_ALLOCS	allocations to fail for each scene, if not 150
#
# A scene is a tool with its input.  It is run undisturbed first; a run that is
# disturbed must exit 2 and say why, or do all that the undisturbed one did.  A
# filter may also exit 1 if a record of its output says what was lost, and the
# archive must be whole in any case, and complete once the scene is run again.

# shellcheck source=tests/common.bash
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# Scenes ----------------------------------------------------------------------

scenes=(kms-export kms-export-zip kms-verify kms-verify-w kms-verify-r
    p12-extract p12-extract-new epf-extract p12-pack p12-pack-tar p12-pack-zip
    ca-init ca-setflag ca-import ca-import-plain ca-export ca-export-k
    ca-export-n ca-recover ca-recover-k)

# made: what the scenes read, in $MADE.  Needs $ORG.
made()
{
	# shellcheck source=tests/ca.bash
	source "$root/tests/ca.bash"
	cd "$MADE" || return
	new_archive new.db || return
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >both.pem
	(umask 077 && cat "$ORG/ca.pem" "$ORG/ca.key" >ca.both)
	export_org "$ORG/kms-backup.zip" -u jane >jane.kms || return
	mkdir -p back/Staff/erin back/Staff/jane || return
	cp "$ORG/tree/zip/North America/jane/1998.p12" back/Staff/jane &&
	cp "$ORG/tree/tar/North America/erin/1998.key" \
	    "$ORG/tree/tar/North America/erin/1998.pem" back/Staff/erin &&
	tar -C back --owner=kms:0 --group=kms:0 -czf back.tar.gz \
	    Staff/jane/1998.p12 Staff/erin/1998.key Staff/erin/1998.pem &&
	(cd back && zip -q -X -r -P 'zip pw' ../back.zip Staff) || return
	(umask 077 && echo 'zip pw' >zip.pw && head -n 4 "$ORG/user.pws" |
	    tail -n 1 >rc2.pw && echo secret >pw) || return
	cp back/Staff/jane/1998.p12 rc2.p12 &&
	openssl pkcs12 -export -out new.p12 -inkey "$ORG/keys/bob-1999.key" \
	    -in "$ORG/keys/bob-1999.pem" -passout file:pw -name bob &&
	profile_of jane-1999 >jane.epf || return
	cp new.db ca.db &&
	ca-import -fq -d ca.db "${machine[@]}" <jane.kms >jane.log 2>/dev/null &&
	mv ca.db full.db &&
	cp full.db ca.db &&
	ca-export -d ca.db >jane.archived 2>/dev/null &&
	ca-export -d ca.db -k "$MADE/ca.both" >jane.recovery 2>/dev/null ||
		return
	ca-recover -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    <jane.archived >jane.rec 2>/dev/null &&
	rm -f ca.db*
}

# export_org FILE ARG...: a sealed stream out of a backup of the organisation.
export_org()
{
	local file=$1

	shift
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws" "$@" \
	    <"$file" 2>/dev/null
}

# profile_of NAME: an .epf of one key, in the variant that is described.
profile_of()
{
	local der p8

	der=$(openssl x509 -in "$ORG/keys/$1.pem" -outform DER | base64 -w 0)
	p8=$(openssl pkcs8 -topk8 -nocrypt -in "$ORG/keys/$1.key" -outform DER |
	    /usr/bin/python3 -W ignore "$root/tests/epf.py" lock sha1 20 \
	    cast-128 QUJDREVGR0g= pkcs7) || return
	printf '[Settings]\nVersion=beta\nRounds=20\nSpice=QUJDREVGR0g=\n'
	printf '[Papers]\none=%s\n[Locked]\none=%s\n' "$der" "$p8"
}

# scene NAME: sets cmd, input, db (what ca.db is at its start; new if it is
# made, none) and norm, a filter that leaves out what differs between two runs.
scene()
{
	local -a machine=(-k "$ORG/machine.p12" -p "file:$ORG/machine.pw")

	norm=(cat)
	db=none
	input=/dev/null
	case $1 in
	kms-export*)
		cmd=(kms-export -c "$ORG/machine.pem" -S "$ORG/machine.p12"
		    -p "file:$ORG/machine.pw" -p "file:$MADE/rc2.pw"
		    -p "file:$MADE/zip.pw")
		input=$MADE/back.tar.gz
		[[ $1 != *-zip ]] || input=$MADE/back.zip
		norm=(sed -E
		    's/\t(id|time|lockbox|seal|sha256|sig):[^\t]*//g') ;;
	kms-verify*)
		cmd=(kms-verify "${machine[@]}")
		[[ $1 != *-? ]] || cmd=(kms-verify "-${1##*-}" "${machine[@]}")
		input=$MADE/jane.kms ;;
	p12-extract)
		cmd=(p12-extract -p "file:$MADE/rc2.pw")
		input=$MADE/rc2.p12 ;;
	p12-extract-new)
		cmd=(p12-extract -p "file:$MADE/pw")
		input=$MADE/new.p12 ;;
	epf-extract)
		cmd=(epf-extract -p "file:$MADE/pw")
		input=$MADE/jane.epf ;;
	p12-pack)
		cmd=(p12-pack -p "file:$MADE/pw")
		input=$MADE/jane.rec
		norm=(unpacked) ;;
	p12-pack-*)
		cmd=(p12-pack -p "file:$MADE/pw" -F "${1##*-}")
		input=$MADE/jane.rec
		norm=(listed) ;;
	ca-init)
		cmd=(ca-init -c "$ORG/ca.pem" -d ca.db)
		input=$MADE/both.pem
		db=new ;;
	ca-setflag)
		cmd=(ca-setflag -d ca.db KRAFlags +KRAF_SAVEBADREQUESTKEY)
		db=$MADE/new.db ;;
	ca-import)
		cmd=(ca-import -f -d ca.db "${machine[@]}")
		input=$MADE/jane.kms
		db=$MADE/new.db ;;
	ca-import-plain)
		cmd=(ca-import -f -d ca.db)
		input=$MADE/jane.rec
		db=$MADE/new.db ;;
	ca-export*)
		cmd=(ca-export -d ca.db)
		db=$MADE/full.db
		norm=(sed -E 's/\t(recovery|sha256):[^\t]*//g')
		case $1 in
		*-k)	cmd+=(-k "$MADE/ca.both") ;;
		*-n)	cmd+=(-n) ;;
		esac ;;
	ca-recover)
		cmd=(ca-recover -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw")
		input=$MADE/jane.archived ;;
	ca-recover-k)
		cmd=(ca-recover -C "$ORG/ca.pem" -k "$ORG/kra1.p12"
		    -p "file:$ORG/kra1.pw")
		input=$MADE/jane.recovery ;;
	esac
	name=$1
	base=$MADE/base/$1
}

# unpacked: the text of a PKCS#12 on stdin.
unpacked()
{
	openssl pkcs12 -passin "file:$MADE/pw" -nodes 2>/dev/null
}

# listed: what is in an archive on stdin, and import.cmd.
listed()
{
	cat >archive
	bsdtar -tf archive
	bsdtar -xOf archive import.cmd
	bsdtar -xOf archive '*.p12' | unpacked
}

# fresh: ca.db as it is at the start of the scene.
fresh()
{
	rm -rf -- ca.db*
	[[ $db != /* ]] || cp "$db" ca.db
}

# attempt WORD...: the scene, with these words before the command; sets status.
attempt()
{
	status=0
	# bash itself says who was killed
	{
		timeout -k 1 60 "$@" "${cmd[@]}" <"$input" >out 2>err ||
			status=$?
	} 2>/dev/null
}

# undisturbed NAME: what the scene does, in $base; once.
undisturbed()
{
	scene "$1"
	[[ ! -e $base/rows ]] || return 0
	mkdir -p "$base"
	fresh
	attempt
	if ((status != 0)); then
		echo "exit $status undisturbed: ${cmd[*]}" >&2
		cat err >&2
		return 1
	fi
	"${norm[@]}" <out >"$base/out"
	state >"$base/rows"
}

# state: the keys and settings of ca.db, without times and digests.
state()
{
	[[ $db != none ]] || return 0
	judge "SELECT c.Sha256, RawArchivedKey IS NOT NULL, Disposition, KmsUser,
	    KeyFormat, KeyRecoveryHashes, CallerName, Source FROM request
	    JOIN certificate c USING (RequestID) ORDER BY 1;
	    SELECT Sha256 FROM kra ORDER BY 1;
	    SELECT Name, Value FROM config WHERE Name <> 'CACertificate'
	    ORDER BY 1"
}

# judge SQL: of ca.db.
judge()
{
	sqlite3 -batch -cmd '.timeout 60000' ca.db "$1"
}

# What is found ---------------------------------------------------------------

# finding WHAT: something is wrong with the run at hand; keeps its messages.
finding()
{
	printf '%s: %s: exit %s: %s\n' "$name" "$what" "$status" "$1" \
	    >>"$MADE/findings"
	sed 's/^/    | /' err | head -n 4 >>"$MADE/findings"
	[[ ! -s out ]] || only fault <out | cut -f 1-4 | sed 's/^/    > /' |
	    head -n 2 >>"$MADE/findings"
}

# tally WHAT [N]: counts what was done.
tally()
{
	((${2-1} == 0)) || printf '%s\t%d\n' "$1" "${2-1}" >>"$MADE/tally"
}

# About a key, these would be untrue.
lies='wrong password|damaged|altered|fetch it again|alg:unknown'
lies+='|not a (DER|CMS|whole|key|PKCS|kms|format|two-prime)|does not (open|fit|decrypt|belong|parse)'
lies+='|is not whole|unsupported|does not have here|restore it from a backup'
lies+='|cannot be read \(|no key|not base64|not known here|malformed|not trusted'

# complete: did the run at hand do all that the undisturbed one did?
complete()
{
	((status == 0)) && "${norm[@]}" <out 2>/dev/null | cmp -s - "$base/out"
}

# right REASON: the run at hand ended as it must; REASON is the pattern that
# the message of exit 2 has.
right()
{
	local said

	((status != 0)) || complete || finding 'other output'
	case $status in
	0)	return ;;
	1)
		said=$(only fault <out | field detail | grep -v -E "$1" || :)
		if [[ $name != kms-export* || -n $said ||
		    $(only fault <out | wc -l) == 0 ]]; then
			finding 'a loss that is not said'
		fi ;;
	2)
		said=$(tail -n 1 err)
		if [[ $said != "${cmd[0]}: "* ]]; then
			finding 'no message'
		elif ! grep -q -E "$1" err || grep -q -E "$lies" err; then
			finding 'another message'
		fi
		[[ $name != p12-* || $name == p12-extract* || ! -s out ||
		    $what == *write* || $what == *close* || $what == *full* ]] ||
			finding 'output in spite of failure' ;;
	*)
		finding 'died' ;;
	esac
}

# sound: the archive is no worse for it, and complete once the scene is run
# again.  ODD: SQLite looks at it before, else the tool is the first.
sound()
{
	[[ $db != none ]] || return 0
	if [[ $db == new && ! -e ca.db ]]; then
		[[ -z $(compgen -G 'ca.db*') || $status == 137 ]] ||
			finding "left behind: $(echo ca.db*)"
	elif ((ODD)); then
		[[ $(judge 'PRAGMA integrity_check') == ok ]] ||
			finding 'not whole'
		promised || finding 'a result is no row'
	fi
	# half of a new one, under its other name
	[[ -e ca.db ]] || rm -f ca.db.*
	ca_again || finding "again: $(tail -n 1 err.again)"
	[[ $(judge 'PRAGMA integrity_check') == ok ]] || finding 'not whole'
	promised || finding 'a result is no row'
	state | cmp -s - "$base/rows" || finding 'other rows, run again'
}

ca_again()
{
	timeout -k 1 60 "${cmd[@]}" <"$input" >out.again 2>err.again
}

# promised: each whole result of the run is a row, with a key if KRAs are named.
promised()
{
	local want

	[[ $name == ca-import* ]] || return 0
	want=$(awk -F '\t' '$1 == "rec:result" && NF == 9 &&
	    $3 ~ /:(imported|updated)$/ {
		sub(/^sha1:/, "", $5)
		printf ", (\047%s\047, %d)", $5, $8 != "kra:"
	    }' out | cut -c 3-)
	[[ -z $want || -z $(judge "WITH want(sha1, k) AS (VALUES $want)
	    SELECT * FROM want WHERE NOT EXISTS (SELECT 1 FROM certificate
	    JOIN request USING (RequestID) WHERE CertificateHash = sha1
	    AND (NOT k OR RawArchivedKey IS NOT NULL))") ]]
}

# System calls ----------------------------------------------------------------

# The first call of every tool that the loader does not make.
marker='^fcntl[(]2.*, F_GETFD[)]'

# calls: "NAME BEFORE ALL PIPES" for each system call that the scene makes: how
# often the loader does, and in all; and which of them, as ,3,8, close a pipe.
calls()
{
	fresh
	attempt strace -qq -y -o trace
	awk -v "marker=$marker" '{
		name = $0
		sub(/\(.*/, "", name)
		all[name]++
		if (on)
			ours[name]++
		if (/^close\([0-9]+<pipe:/)
			pipes = pipes "," all[name]
	}
	$0 ~ marker { on = 1 }
	END {
		for (name in ours)
			print name, all[name] - ours[name], all[name], pipes ","
	}' trace | grep -v -E '^(exit_group|rt_sig|set_|futex|umask|get.*id |seccomp|prlimit64|madvise|munmap|brk|sched_|socket|connect|rseq|arch_prctl|clock_|[+-])' |
	    sort
}

# errors CALL: how it may fail.
errors()
{
	case $1 in
	write | writev | pwrite64)	echo ENOSPC EIO EINTR ;;
	ftruncate | link | renameat2)	echo ENOSPC EIO ;;
	read | pread64)			echo EIO EINTR ;;
	mmap | mremap | mprotect | mlock2 | clone*)
					echo ENOMEM ;;
	open* | pipe2)			echo EMFILE ;;
	fcntl)	;; # SQLite cannot go on where it cannot unlock
	*)				echo EIO ;;
	esac
}

# What a message says of an error that strace made.
io='as could be read|Input/output error|No space left|Interrupted|disk I/O|database or disk is full'
io+='|Cannot allocate memory|out of memory|secure memory|Too many open files'
io+='|unable to open database|make the file and its directory writable'
io+='|C.UTF-8|legacy provider|standard (input|output) is closed'
# without random bytes CMS_encrypt() keeps the cause to itself
io+='|was moved or replaced|cannot encrypt to the KRAs: cms lib|cannot pack|locking protocol|attempt to write a readonly'

# inject CALL WHEN HOW [ARG]...: the scene with that, as strace says it.
inject()
{
	what=$1:$3:when=$2
	fresh
	attempt strace -qq -o trace "${@:4}" -e "trace=$1" \
	    -e "inject=$1:$3:when=$2"
	ODD=$(($2 % 2))
}

# faults SCENE STEP [ARG]...: every STEPth call fails, in each way.
faults()
{
	local call before all pipes n error done=0 i=${SEED-0}

	undisturbed "$1" || return
	while read -r call before all pipes <&3; do
		for error in $(errors "$call"); do
			for ((n = before + 1; n <= all; n++)); do
				((i++ % $2 == 0)) || continue
				# strace would leave it open, Linux never does; with
				# -f the number is that of another process
				[[ $call != close ||
				    ($# == 2 && $pipes != *",$n,"*) ]] || continue
				inject "$call" "$n" "error=$error" "${@:3}"
				grep -q -a INJECTED trace || continue
				right "$io"
				sound
				((done++))
			done
		done
	done 3< <(calls)
	tally "system calls that failed" "$done"
}

# killed SCENE STEP: SIGKILL at every STEPth call that touches the archive, its
# log, or standard output.
killed()
{
	local call before all pipes n done=0 i=${SEED-0}

	undisturbed "$1" || return
	while read -r call before all pipes <&3; do
		case $call in
		write | pwrite64 | pread64 | fdatasync | fsync | ftruncate | \
		    fcntl | unlink | link | renameat2 | openat | close | fchown | mmap)
			;;
		*)	continue ;;
		esac
		for ((n = before + 1; n <= all; n++)); do
			((i++ % $2 == 0)) || continue
			inject "$call" "$n" signal=KILL
			((status == 137 || status == 265)) || continue
			status=137
			dead
			((done++))
		done
	done 3< <(calls)
	tally 'kills at a system call' "$done"
}

# dead: after a kill: what was promised is there, the chain of the audit table
# holds the head that was printed last, and two more runs complete it.
dead()
{
	local head

	# a last line that was cut is no promise
	[[ -z $(tail -c 1 out | tr '\0' x) ]] || sed -i '$d' out
	sound
	[[ $name == ca-import* ]] || return 0
	ca_again || finding "second run: $(tail -n 1 err.again)"
	[[ $(grep -c $'\tstatus:present\t' out.again) == 3 ]] ||
		finding 'second run: not all are present'
	head=$(sed -n 's/^ca-import: audit head: //p' err)
	for head in ${head:-$(cat "$MADE/chain")}; do
		ca-audit -q -A "$head" -d ca.db >/dev/null 2>err.again ||
			finding "$(grep audit: err.again)"
	done
}

# Kills by the clock ----------------------------------------------------------

# stepwise: the scene, on a record at a time, the next when the result of the
# one before is there; into out.
stepwise()
{
	local line result to from

	rm -f to from
	mkfifo to from
	: >out
	timeout -s KILL "$1" "${cmd[@]}" <to >from 2>err 3>&- &
	exec {to}>to {from}<from
	while IFS= read -r line; do
		printf '%s\n' "$line" >&"$to" || break
		case $line in
		rec:stream* | rec:end*)	continue ;;
		esac
		IFS= read -r result <&"$from" || break
		printf '%s\n' "$result" >>out
	done <"$input" 2>/dev/null
	exec {to}>&-
	while IFS= read -r result <&"$from"; do
		printf '%s\n' "$result" >>out
	done
	exec {from}<&-
	status=0
	wait $! 2>/dev/null || status=$?
}

# clock COMMAND...: how long it takes, in microseconds.
clock()
{
	local start=${EPOCHREALTIME/./}

	"$@"
	took=$((${EPOCHREALTIME/./} - start))
}

# random SCENE N: N kills at any instant, half of them while it waits for the
# next record.
random()
{
	local n took at done=0 fast slow

	undisturbed "$1" || return
	fresh
	clock attempt
	fast=$took
	fresh
	clock stepwise 20
	slow=$took
	trap '' PIPE
	for ((n = 0; n < $2; n++)); do
		fresh
		if ((n % 2)); then
			at=$(((RANDOM * 32768 + RANDOM) % slow))
			what="kill, a record at a time, after $at us"
			stepwise "$(printf '%d.%06d' $((at / 1000000)) \
			    $((at % 1000000 + 1)))"
		else
			at=$(((RANDOM * 32768 + RANDOM) % fast))
			what="kill after $at us"
			attempt timeout -s KILL "$(printf '%d.%06d' \
			    $((at / 1000000)) $((at % 1000000 + 1)))"
		fi
		ODD=$((n / 2 % 2))
		case $status in
		137)	((done++)) ;;
		0)	;;
		*)	finding 'died' ;;
		esac
		dead
	done
	trap - PIPE
	tally 'kills at random' "$done"
}

# Allocations -----------------------------------------------------------------

# nomem LIBRARY: build it.
nomem()
{
	cc -O2 -Wall -Wextra -shared -fPIC -o "$1" "$root/tests/nomem.c" -ldl
}

# may_preload: an address sanitizer has an allocator of its own.
may_preload()
{
	! grep -q -a __asan_init "$(command -v "${cmd[0]}")"
}

# starve N [VARIABLE]...: the scene, with allocation N failing; sets asked, the
# allocations made, and failed.
starve()
{
	truncate -s 24 mem
	attempt env "${@:2}" NOMEM="$PWD/mem" NOMEM_AT="$1" \
	    LD_PRELOAD="$MADE/nomem.so"
	read -r asked failed <mem
	asked=$((10#$asked))
	failed=$((10#$failed))
}

# allocations SCENE N [VARIABLE]...: N allocations fail, at equal distances or,
# with FROM, all from that one on.
allocations()
{
	local all n step asked failed done=0

	undisturbed "$1" || return
	may_preload || return 0
	fresh
	starve 0 "${@:3}"
	all=$asked
	step=$((all / $2 + 1))
	for ((n = 1 + ${SEED-0} % step; n <= all; n += step)); do
		fresh
		starve "$n" "${@:3}"
		((failed)) || continue
		what="allocation $n of $all${3+ ($3)}"
		ODD=$((n % 2))
		right 'memory|libarchive has a fault|as could be read'
		sound
		((done++))
	done
	tally 'allocations that failed' "$done"
}

# No room ---------------------------------------------------------------------

# limited SCENE STEP: ulimit -f, from nothing up to enough, in steps of KiB.
limited()
{
	local kib status=2 done=0

	undisturbed "$1" || return
	for ((kib = 0; kib < 1024; kib += $2)); do
		what="full: ulimit -f $kib"
		fresh
		# a pipe, for the messages shall have room
		(
			ulimit -f "$kib"
			timeout -k 1 60 "${cmd[@]}" <"$input" 2>&1 >out
		) | cat >err
		status=${PIPESTATUS[0]}
		right 'File too large|ulimit -f|disk'
		ODD=$((kib / $2 % 2))
		sound
		((done++))
		! complete || break
	done
	complete || finding 'never complete'
	tally 'disks that were full' "$done"
}

# on_full SCENE WHERE STEP: a small file system, with room for 0, STEP, ... KiB,
# for the archive (db), standard output (out) or TMPDIR (tmp).
on_full()
{
	local kib tries done=0 full=$PWD/disk where=$2 here=$PWD

	undisturbed "$1" || return
	mkdir -p "$full"
	for ((kib = 4; kib < 2048; kib += $3)); do
		what="full: $where has $kib KiB"
		mount -t tmpfs -o "mode=700,size=${kib}k" kms2ca "$full" || return
		ODD=$((kib / $3 % 2))
		status=0
		case $where in
		db)
			cd "$full" || return
			[[ $db != /* ]] || cp "$db" ca.db 2>/dev/null || status=1
			((status)) || timeout -k 1 60 "${cmd[@]}" <"$input" \
			    >"$here/out" 2>"$here/err" || status=$?
			cd "$here" || return ;;
		out)
			fresh
			timeout -k 1 60 "${cmd[@]}" <"$input" >"$full/out" \
			    2>err || status=$?
			cp "$full/out" out ;;
		tmp)
			fresh
			TMPDIR=$full attempt ;;
		esac
		if [[ $where == db ]]; then
			rm -f ca.db*
			cp "$full"/ca.db* . 2>/dev/null || :
		fi
		# what a tool has started dies with it, but a little later
		for ((tries = 0; tries < 2000; tries++)); do
			! umount "$full" 2>/dev/null || break
		done
		! mountpoint -q "$full" || return
		# no room for the archive that was there before
		[[ $where != db || $db == new || $status != 1 ]] || continue
		right 'No space left|make room|is full|look at the disk'
		sound
		((done++))
		! complete || break
	done
	complete || finding 'never complete'
	tally 'disks that were full' "$done"
}

# may_mount: try it, in a name space of our own.
may_mount()
{
	unshare -m bash -c "mount -t tmpfs none '$MADE'" 2>/dev/null
}

# Two at once -----------------------------------------------------------------

# rounds N: two importers on the same stream or on overlapping ones, a reader
# of ours and SQLite's beside them.
rounds()
{
	local n i seen last bad

	undisturbed ca-import || return
	[[ -e $MADE/second.kms ]] || return
	for ((n = 0; n < $1; n++)); do
		what="two at once, round $n"
		fresh
		: >err
		{
			local -a pid=()
			for i in 1 2; do
				ca-import -fPq -d ca.db -k "$ORG/machine.p12" \
				    -p "file:$ORG/machine.pw" >"got.$i" \
				    2>"err.$i" <"$(stream_of "$n" "$i")" &
				pid+=($!)
			done
		}
		last=0
		bad=
		while kill -0 "${pid[@]}" 2>/dev/null; do
			ca-export -n -d ca.db >seen 2>err.reader ||
				(($? == 1)) || bad="reader: $(cat err.reader)"
			seen=$(only archived <seen | wc -l)
			((seen >= last)) || bad="rows went: $last, $seen"
			last=$seen
			judge 'SELECT count(*) FROM request' >seen 2>err.reader ||
				bad="sqlite3: $(cat err.reader)"
		done
		status=0
		for i in 0 1; do
			wait "${pid[i]}" || status=$?
		done
		cat err.1 err.2 >err
		((status == 0)) || finding 'an importer failed'
		[[ -z $bad ]] || finding "$bad"
		! grep -q -i locked err || finding 'locked'
		cat got.1 got.2 >out
		promised || finding 'a result is no row'
		[[ $(field status <out | grep -c -x imported) == \
		    "$(judge 'SELECT count(*) FROM request')" ]] ||
			finding 'imported twice, or lost'
		[[ $(judge "SELECT count(*) - count(DISTINCT Sha256)
		    FROM certificate; PRAGMA integrity_check") == $'0\nok' ]] ||
			finding 'double rows, or not whole'
		[[ $(judge 'SELECT Sha256 FROM certificate' | sort) == \
		    "$(cat "$(stream_of "$n" 1)" "$(stream_of "$n" 2)" |
		    grep -v $'\tuse:sign\t' | grep -E '^rec:(key|cert)' |
		    field sha256 | sort -u)" ]] || finding 'other rows'
		ca-audit -q -A "$(judge "SELECT AuditID || ':' || Hash
		    FROM audit ORDER BY AuditID DESC LIMIT 1")" -d ca.db \
		    >/dev/null 2>err || finding 'the audit chain is broken'
		tally 'rounds of two importers'
	done
}

# stream_of ROUND IMPORTER: the same, or overlapping, or turned.
stream_of()
{
	case $(($1 % 3)),$2 in
	0,* | *,1)	echo "$MADE/first.kms" ;;
	1,2)		echo "$MADE/second.kms" ;;
	2,2)		echo "$MADE/turned.kms" ;;
	esac
}

# streams: what the rounds read: a head, and keys of the organisation.
streams()
{
	local n

	cd "$MADE" || return
	export_org "$ORG/kms-backup.tar.gz" >all.kms || return
	n=$(wc -l <all.kms)
	head -n $((n * 2 / 3)) all.kms >first.kms
	{ head -n 1 all.kms; sed "1d; \$d" all.kms | tail -n $((n * 2 / 3)); } \
	    >second.kms
	{ head -n 1 all.kms; sed "1d; \$d" all.kms | tac; } >turned.kms
}

# Output that is lost ---------------------------------------------------------

# lost SCENE: /dev/full, a closed pipe with SIGPIPE as it comes, ignored and
# blocked, and a reader that goes after a part, are exit 2.
lost()
{
	local sig pipe gone

	undisturbed "$1" || return
	what='output: /dev/full'
	fresh
	status=0
	timeout -k 1 60 "${cmd[@]}" <"$input" >/dev/full 2>err || status=$?
	: >out
	right 'cannot write standard output|cannot write the archive' && sound
	((status == 2)) || finding 'lost'
	rm -f pipe
	mkfifo pipe
	for sig in --default-signal=PIPE --ignore-signal=PIPE \
	    --block-signal=PIPE; do
		what="output: closed pipe, $sig"
		fresh
		exec {gone}<>pipe
		exec {pipe}>pipe {gone}>&-
		status=0
		timeout -k 1 60 env "$sig" "${cmd[@]}" <"$input" 2>err \
		    1>&"$pipe" || status=$?
		exec {pipe}>&-
		ODD=1
		# what changes no archive leaves the word to the reader
		[[ ${cmd[0]} != ca-import && $status == 2 ]] ||
			right 'Broken pipe|cannot write the archive'
		sound
		((status == 2)) || finding 'lost'
		tally 'lost outputs'
	done
	tally 'lost outputs'
}

# lost_later: what is longer than a pipe holds, and the reader goes after a part.
lost_later()
{
	local bytes n

	scene kms-verify
	for n in {0..9}; do
		cat "$MADE/all.kms"
	done >long.kms
	for bytes in 1 4096 65536 65537 131072; do
		what="output: the reader goes after $bytes bytes"
		timeout -k 1 60 "${cmd[@]}" <long.kms 2>err |
		    head -c "$bytes" >out
		status=${PIPESTATUS[0]}
		((status == 2)) || finding 'lost'
		not grep -q 'Broken pipe' err || finding 'another message'
		tally 'lost outputs'
	done
}

# The whole -------------------------------------------------------------------

# start: fixtures for all that follows, in $MADE.
start()
{
	(
		made && streams &&
		sqlite3 new.db "SELECT AuditID || ':' || Hash FROM audit
		    ORDER BY AuditID DESC LIMIT 1" >chain &&
		nomem nomem.so
	)
}

# work COMMAND...: in a directory of its own.
work()
{
	local dir

	export TMPDIR
	dir=$(mktemp -d "$MADE/work.XXXXXX") || return
	TMPDIR=$dir/tmp
	mkdir "$TMPDIR"
	# 1: what was left over from another run looks as if it were ours
	(cd "$dir" && ODD=1 && what=undisturbed && "$@") || {
		echo "torture: $*: exit $?" >>"$MADE/findings"
		return 1
	}
	rm -rf "$dir"
}

# plan PART...: the jobs, one a line.
plan()
{
	local part name

	for part; do
		case $part in
		kills)
			printf '%s\n' 'killed ca-import 1' 'random ca-import 100' \
			    'random ca-import 100' 'killed ca-import-plain 1' \
			    'killed ca-init 1' 'killed ca-setflag 1' \
			    'killed ca-export 1' 'random ca-import-plain 40' ;;
		faults)
			printf 'faults %s 1\n' "${scenes[@]}"
			printf 'faults %s 1 -f\n' kms-export kms-export-zip ;;
		allocations)
			printf "allocations %s ${TORTURE_ALLOCS-150}\n" \
			    "${scenes[@]}"
			printf 'allocations %s 40 NOMEM_ON=1\n' "${scenes[@]}"
			printf 'allocations %s 150 NOMEM_CHILD=1\n' \
			    kms-export kms-export-zip ;;
		full)
			for name in "${scenes[@]}"; do
				echo "limited $name 1"
				echo "on_full $name out 4"
			done
			for name in ca-init ca-setflag ca-import ca-export; do
				echo "on_full $name db 4"
			done
			for name in kms-export kms-verify-w; do
				echo "on_full $name tmp 4"
			done ;;
		two)
			printf 'rounds %d\n' 25 25 ;;
		output)
			printf 'lost %s\n' "${scenes[@]}"
			echo lost_later ;;
		*)
			echo "usage: torture.bash [kills | faults |" \
			    "allocations | full | two | output]..." >&2
			return 2 ;;
		esac
	done
}

# job WORD...: one line of the plan, unless the time is over.
job()
{
	RANDOM=$((SEED + $$))
	if ((EPOCHSECONDS > TORTURE_END)); then
		tally 'jobs left out, for want of time'
		echo "left out: $*" >>"$MADE/left"
	elif [[ $1 == on_full ]]; then
		unshare -m -- bash "$0" --work "$@"
	else
		work "$@"
	fi
}

# report: what was done.
report()
{
	echo "seed $SEED"
	sort "$MADE/tally" | awk -F '\t' '
	{ n[$1] += $2 }
	END { for (what in n) printf "%6d %s\n", n[what], what }' | sort -rn
	cat "$MADE/left" 2>/dev/null
	cat "$MADE/findings" 2>/dev/null
	echo "$(grep -c -v '^    ' "$MADE/findings" 2>/dev/null || :) findings"
	[[ ! -s $MADE/findings ]]
}

torture()
{
	local -a jobs

	(($#)) || set -- kills faults allocations two output full
	jobs=$(plan "$@") || return
	export MADE ORG SEED TORTURE_END
	MADE=$(mktemp -d)
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$MADE'" EXIT
	trap 'exit 130' INT TERM
	ORG=$MADE/org
	bash "$root/tests/org.bash" "$ORG" || return
	strace -o /dev/null true || return
	start || return
	if ! may_mount; then
		echo 'no mount here: no small file systems'
		jobs=$(grep -v ^on_full <<<"$jobs")
	fi
	SEED=${TORTURE_SEED-$EPOCHSECONDS}
	TORTURE_END=$((EPOCHSECONDS + ${TORTURE_TIME-1800}))
	# whatever the time allows, it is some of each part
	shuf --random-source=<(yes "$SEED") <<<"$jobs" |
	    xargs -P "$(nproc)" -L 1 bash "$0" --job
	report
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
	case ${1-} in
	--job)	shift; job "$@" ;;
	--work)	shift; work "$@" ;;
	*)	torture "$@" ;;
	esac
	# what follows if somebody edits this file meanwhile is not read
	exit
fi
