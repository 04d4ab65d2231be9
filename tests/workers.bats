#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root of common.bash
#
# common/base/workers.c: processes with several jobs in hand each.  What the tools make of it
# is in kms-export.bats, kms-verify.bats and ca-import.bats.

load common
load leak

setup_file()
{
	common_setup
	cc -O -std=c11 -D_GNU_SOURCE -I"$root/common" \
	    -o "$BATS_FILE_TMPDIR/probe" "$root/tests/workers_probe.c" \
	    "$root"/common/base/*.c -lcrypto
}

setup()
{
	common_setup
	probe=$BATS_FILE_TMPDIR/probe
}

@test "workers: answers come in the order of the jobs, whatever their size" {
	"$probe" >"$OUT"
	seq 0 63 | cmp - "$OUT"
}

@test "workers: a process that dies loses the job that it was at, no other" {
	local bad text='the process that read it was killed by signal 9 (Killed)'

	for bad in 0 1 '20 21' '3 4 5 6 7' 63; do
		# shellcheck disable=SC2086 # numbers
		"$probe" $bad >"$OUT"
		seq 0 63 | awk -v bad=" $bad " -v text="$text" '{
			print index(bad, " " $1 " ") ? $1 ": " text \
			    ": the file is hostile, or a library has a fault" : $1
		}' | cmp - "$OUT"
	done
}

# many N: a tar of N files in PKCS#12 format, of a key each.
many()
{
	local i

	mkdir files
	for ((i = 0; i < $1; i++)); do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		    -noenc -keyout k -out c -days 1 -subj "/O=Example/CN=u$i" \
		    2>/dev/null
		openssl pkcs12 -export -in c -inkey k -passout pass: \
		    -out "files/u$i.p12"
	done
	tar -cf - files
}

# export_two: start kms-export with two processes, on the fifo `in'; the pids of
# its children in the order of their start are in $children, the first of them
# reads the archive, the last starts others.
export_two()
{
	cat "$ORG"/machine.{pem,key} >cred.pem
	mkfifo in
	kms-export -j 2 -c cred.pem <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	children=()
	until ((${#children[@]} == 4)); do
		kill -0 "$pid"
		mapfile -t children < <(pgrep -P "$pid" | sort -n)
	done
	# each shuts itself in once it is what it is to be
	until [[ $(grep -h '^Seccomp:' /proc/{"${children[1]}","${children[2]}"}/status |
	    sort -u) == $'Seccomp:\t2' ]]; do
		kill -0 "$pid"
	done
}

# what_is_in: the records of a stream on stdin, without what differs between runs.
what_is_in()
{
	sed -E 's/\t(id|time|lockbox|seal|sha256|sig):[^\t]*//g'
}

@test "workers: processes that are killed from outside lose no member" {
	local pid children

	many 40 >backup.tar
	export_two
	kill -SEGV "${children[@]:1:2}"
	cat backup.tar >&9
	exec 9>&-
	wait "$pid"
	what_is_in <"$OUT" >got
	kms-export -j 1 -c cred.pem <backup.tar 2>"$ERR" | what_is_in | cmp - got
	[[ $(only key <got | wc -l) == 40 ]]
	[[ $(only fault <got | wc -l) == 0 ]]
}

@test "workers: a parser that crashes is a fault of its file, and of no other" {
	local jobs name

	not sanitized || skip 'a sanitizer wants to be loaded first'
	cc -D_GNU_SOURCE -fPIC -shared -o crash.so "$root/tests/crash.c"
	many 40 >whole.tar
	# the first, two side by side, in the middle, and the last
	for name in a u20 u20a u3 zz; do
		echo 'crash it' >"files/$name.txt"
	done
	(cd files && printf 'files/%s\n' * | LC_ALL=C sort) >names
	tar -cf backup.tar -T names
	cat "$ORG"/machine.{pem,key} >cred.pem
	run_tool 1 kms-export -j 1 -c cred.pem <backup.tar
	what_is_in <"$OUT" | sed -E '/\.txt\t/s/\t(reason|detail):[^\t]*//g' >want
	[[ $(only key <want | wc -l) == 40 && $(only fault <want | wc -l) == 5 ]]
	for jobs in 2 3; do
		run_tool 1 env LD_PRELOAD="$PWD/crash.so" \
		    kms-export -j "$jobs" -c cred.pem <backup.tar
		what_is_in <"$OUT" >got
		for name in a u20 u20a u3 zz; do
			grep -qx "kms-export: files/$name.txt: the process that read it was killed by signal 11 (Segmentation fault): the file is hostile, or a library has a fault" \
			    "$ERR"
			only fault <got | grep -q $'\t'"source:files/$name.txt"$'\treason:reader\tdetail:the process that read it was killed by signal 11 '
		done
		grep -qx 'kms-export: members 45 = keys 40 + certificates 0 + faulted 5 + skipped 0' \
		    "$ERR"
		sed -E '/\.txt\t/s/\t(reason|detail):[^\t]*//g' got | cmp - want
	done
}

@test "workers: SIGUSR1 to every process of an export kills none" {
	local pid children status=0

	many 3 >backup.tar
	export_two
	kill -USR1 "$pid" "${children[@]}"
	cat backup.tar >&9
	exec 9>&-
	wait "$pid" || status=$?
	((status == 0))
	[[ $(grep -c '^rec:key' "$OUT") == 3 ]]
	not grep -q signal "$ERR"
}
