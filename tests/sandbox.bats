#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash, $root of common.bash
#
# What a tool can do no more once it reads its input.  sandbox_probe.c is shut
# in by the same function as they are, and tries; strace looks at the tools.

load common
load ca
load leak

setup_file()
{
	local -a seccomp=()

	bats_require_minimum_version 1.5.0
	common_setup
	if pkg-config --exists libseccomp; then
		seccomp=(-DHAVE_SECCOMP -lseccomp)
	fi
	cc -std=c11 -D_GNU_SOURCE -I"$root/common" \
	    -o "$BATS_FILE_TMPDIR/probe" "$root/tests/sandbox_probe.c" \
	    "$root"/common/base/{sandbox,msg,progress,text}.c "${seccomp[@]}"
	org_archive "$BATS_FILE_TMPDIR"
	ca-export -q -d "$BATS_FILE_TMPDIR/ca.db" >"$BATS_FILE_TMPDIR/archived" \
	    2>/dev/null
	ca-recover -q -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    <"$BATS_FILE_TMPDIR/archived" >"$BATS_FILE_TMPDIR/plain" \
	    2>/dev/null
}

setup()
{
	common_setup
	made=$BATS_FILE_TMPDIR
}

# probe [DIR]: what it tried, in $OUT; skips where the system has no means.
probe()
{
	"$made/probe" "$@" >"$OUT" 2>"$ERR"
	if grep 'notice: no' "$ERR"; then
		skip "$(<"$ERR")"
	fi
	[[ ! -s $ERR ]]
}

# refused N: of at least N calls all are refused, and some were not before.
refused()
{
	awk -v "least=$1" -F '\t' '$1 ~ /^[a-z0-9_]+$/ && NF == 3 { n++
		# before: let in, and told that the arguments are wrong
		if ($3 != "EPERM" || $2 == "done")
			bad[$0]
		if ($2 == "EPERM")
			closed++
	} END {
		for (i in bad)
			print i
		exit n < least || length(bad) > 0 || closed == n
	}' "$OUT"
}

@test 'sandbox: no call that a tool never makes' {
	probe
	refused 80
	grep $'^start a program\tdone\tEPERM$' "$OUT"
}

@test 'sandbox: the reader of an archive has only what it takes to read' {
	probe -r
	refused 100
	not grep -P '^(open|list|create|remove) .*\tdone$' "$OUT"
	grep $'^start a program\tdone\tEPERM$' "$OUT"
	grep $'^work\tdone$' "$OUT"
}

@test 'sandbox: no file at all, and work goes on' {
	local what

	probe
	for what in 'open /etc/passwd' 'open /proc/self/mem' 'list /' \
	    'create in /tmp' 'create here' 'open here' 'list here' \
	    'remove here'; do
		grep "^$what"$'\tdone\tEACCES$' "$OUT"
	done
	grep $'^work\tdone$' "$OUT"
}

@test 'sandbox: the directory of an archive, and nothing else' {
	local what

	mkdir dir
	probe dir
	for what in 'open /etc/passwd' 'open /proc/self/mem' 'list /' \
	    'create in /tmp'; do
		grep "^$what"$'\tdone\tEACCES$' "$OUT"
	done
	for what in 'create here' 'open here' 'list here' 'remove here'; do
		grep "^$what"$'\tdone\tdone$' "$OUT"
	done
	grep $'^work\tdone$' "$OUT"
	grep $'^start a program\tdone\tEPERM$' "$OUT"
}

# calls INPUT COMMAND...: the calls of a tool in $OUT.calls, a line each; and in
# $OUT.after those after it has shut itself in, if it did, with the time.
calls()
{
	local input=$1

	shift
	"${traced[@]}" -qq -y -o "$OUT.calls" "$@" <"$input" >"$OUT" 2>"$ERR" ||
		(($? == 1))
	awk '/ landlock_restrict_self\(/ { l[$1] = 1 }
	/ seccomp\(SECCOMP_SET_MODE_FILTER/ && l[$1] { on[$1] = 1; next }
	on[$1]' "$OUT.calls" >"$OUT.after"
	grep -q ' exit_group(' "$OUT.after"
	grep -q ' read([03]' "$OUT.after"
}

# shut INPUT COMMAND...: after that it opens nothing, asks for no program and no
# socket, and no call is refused.
shut()
{
	calls "$@"
	not grep -E ' (open|openat|openat2|creat|execve|execveat|socket|connect|ptrace|fork|vfork|clone|clone3)\(' \
	    "$OUT.after"
	not grep -E ' = -1 E(PERM|ACCES)' "$OUT.after"
}

@test 'sandbox: strace of the tools that need no file' {
	local -a pack=(-p "file:$ORG/jane.pw")

	need_strace
	not sanitized || skip 'a sanitizer opens files at the end'
	probe
	shut "$made/export.kms" kms-verify -j 1 "${machine[@]}"
	shut "$made/export.kms" kms-verify -j 3 "${machine[@]}"
	(($(cut -d ' ' -f 1 "$OUT.after" | sort -u | wc -l) == 4))
	shut "$made/export.kms" kms-verify -w "${machine[@]}"
	shut "$made/plain" kms-verify -r
	shut "$made/export.kms" kms-report
	shut "$made/archived" ca-recover -k "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw"
	shut "$made/plain" p12-pack "${pack[@]}"
	shut "$made/plain" p12-pack -F tar "${pack[@]}"
	shut "$made/plain" p12-pack -l -F zip "${pack[@]}"
	shut "$ORG/machine.p12" p12-extract -p "file:$ORG/machine.pw"
	shut "$ORG/machine.p12" epf-extract -p "file:$ORG/machine.pw"
}

@test 'sandbox: strace of kms-export and of its archive child' {
	local -a options=(-c "$ORG/machine.pem" -S "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws")
	local input

	need_strace
	not sanitized || skip 'a sanitizer opens files at the end'
	probe
	7z a -bd backup.7z "$ORG/tree/tar" >/dev/null
	for input in "$ORG"/kms-backup.{zip,tar.gz} backup.7z; do
		shut "$input" kms-export -j 1 "${options[@]}"
		# both: the parent ends last
		(($(cut -d ' ' -f 1 "$OUT.after" | sort -u | wc -l) == 2))
		shut "$input" kms-export -j 3 "${options[@]}"
		(($(cut -d ' ' -f 1 "$OUT.after" | sort -u | wc -l) == 5))
	done
}

# at_home INPUT COMMAND...: opens nothing but what is beside the archive, and
# the directory.
at_home()
{
	local here

	calls "$@"
	here=$(pwd)
	not grep -E ' (execve|execveat|socket|connect|ptrace|fork|vfork|clone|clone3)\(' \
	    "$OUT.after"
	not grep -v -F -e "\"$here/" -e "\"$here\"" \
	    <(grep -E ' (open|openat|openat2|creat)\(' "$OUT.after")
	grep -q -F "\"$here/" "$OUT.after"
}

@test 'sandbox: strace of the tools of the archive' {
	need_strace
	not sanitized || skip 'a sanitizer opens files at the end'
	probe
	cat "$ORG/kra1.pem" "$ORG/kra2.pem" >kras
	at_home kras ca-init -c "$ORG/ca.pem" -d ca.db
	echo $'rec:flag\tname:KRAFlags\told:\tnew:1\tset:' | closed >flags
	at_home flags ca-setflag -d ca.db -
	at_home "$made/export.kms" "${import[@]}" -j 1
	grep -q 'status:imported' "$OUT"
	ca-setflag -d ca.db KRACertCount 1 >/dev/null 2>&1
	at_home "$made/export.kms" "${import[@]}" -j 3
	(($(cut -d ' ' -f 1 "$OUT.after" | sort -u | wc -l) == 4))
}

@test 'sandbox: strace of ca-export' {
	need_strace
	not sanitized || skip 'a sanitizer opens files at the end'
	probe
	cp "$made/ca.db" .
	"${traced[@]}" -qq -o calls ca-export -d ca.db >"$OUT" 2>"$ERR"
	awk '/ seccomp\(SECCOMP_SET_MODE_FILTER/ { on = 1; next } on' \
	    calls >after
	grep -q ' write(1, "rec:archived' after
	not grep -E ' (execve|execveat|socket|connect|ptrace|fork|vfork|clone|clone3)\(' after
	not grep -v -F -e "\"$PWD/" -e "\"$PWD\"" <(grep -E ' (open|openat)\(' after)
}

@test 'sandbox: what the system lacks is said once, with -v only' {
	local -a options=(-q -c "$ORG/machine.pem" -S "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw")
	local -a lack=("${traced[@]}" -qq -o calls
	    
	    -e 'inject=landlock_create_ruleset,seccomp:error=ENOSYS'
	    -e 'inject=prctl:error=EINVAL')
	local what=landlock

	need_strace
	not sanitized || skip 'a sanitizer has limits of its own'
	if pkg-config --exists libseccomp; then
		what='landlock seccomp'
	fi
	"${lack[@]}" kms-export "${options[@]}" -v <"$ORG/kms-backup.tar.gz" \
	    >"$OUT" 2>"$ERR"
	[[ $(sed -n 's/^kms-export: notice: no \([a-z]*\).* here: .*/\1/p' \
	    "$ERR" | tr '\n' ' ') == "$what " ]]
	"${lack[@]}" kms-export "${options[@]}" <"$ORG/kms-backup.tar.gz" \
	    >"$OUT" 2>"$ERR"
	not grep notice "$ERR"
	tail -n 1 "$OUT" | only end | grep -q .
	"${lack[@]}" kms-verify -v "${machine[@]}" <"$made/export.kms" \
	    >"$OUT" 2>"$ERR"
	(($(grep -c notice "$ERR") == $(wc -w <<<"$what")))
	cmp "$OUT" "$made/export.kms"
}
