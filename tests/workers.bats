#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root of common.bash
#
# common/base/workers.c: processes with several jobs in hand each.  What the tools make of it
# is in kms-export.bats, kms-verify.bats and ca-import.bats.

load common

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
	local bad text='the process that read it died of signal 9 (Killed)'

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
# reads the archive.
export_two()
{
	cat "$ORG"/machine.{pem,key} >cred.pem
	mkfifo in
	kms-export -j 2 -c cred.pem <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	children=()
	until ((${#children[@]} == 3)); do
		kill -0 "$pid"
		mapfile -t children < <(pgrep -P "$pid" | sort -n)
	done
	# each shuts itself in once it is what it is to be
	until [[ $(grep -h '^Seccomp:' /proc/{"${children[1]}","${children[2]}"}/status |
	    sort -u) == $'Seccomp:\t2' ]]; do
		kill -0 "$pid"
	done
}

@test "workers: whoever is killed from outside loses nothing: others read it" {
	local pid children

	many 8 >backup.tar
	export_two
	kill -SEGV "${children[@]:1}"
	cat backup.tar >&9
	exec 9>&-
	wait "$pid"
	[[ $(grep -c '^rec:key' "$OUT") == 8 ]]
	[[ $(grep -c '^rec:fault' "$OUT") == 0 ]]
}

@test "workers: a parser that crashes is a fault of its file, and of no other" {
	cat >crash.c <<-'EOF'
	#include <signal.h>
	#include <string.h>
	void *memmem(const void *p, size_t n, const void *s, size_t m)
	{
		const char *q = p;
		if (n > 8 && strncmp(q, "crash it", 8) == 0)
			raise(SIGSEGV);
		for (; n >= m; n--, q++)
			if (memcmp(q, s, m) == 0)
				return (void *)q;
		return NULL;
	}
	EOF
	cc -D_GNU_SOURCE -fPIC -shared -o crash.so crash.c
	many 8 >backup.tar
	echo 'crash it' >files/u4.pem
	tar -cf backup.tar files
	cat "$ORG"/machine.{pem,key} >cred.pem
	run -1 --separate-stderr env LD_PRELOAD="$PWD/crash.so" \
	    kms-export -j 2 -c cred.pem <backup.tar
	[[ $(grep -c '^rec:key' <<<"$output") == 8 ]]
	[[ $(grep -c '^rec:fault' <<<"$output") == 1 ]]
	grep -q $'^rec:fault\t.*u4.pem.*\treason:reader\t' <<<"$output"
	grep -q 'died of signal 11 (Segmentation fault): the file is hostile' \
	    <<<"$stderr"
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
