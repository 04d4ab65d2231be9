#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test has its own environment
# shellcheck disable=SC2154 # arrays of ca.bash, processes of leak.bash
#
# Clear keys and passwords: where they must not be.

load common
load ca
load p12
load epf
load leak

# What is looked for: the keys of the backup that is read, and the passwords.
setup_file()
{
	local line

	bats_require_minimum_version 1.5.0
	common_setup
	org_archive "$BATS_FILE_TMPDIR"
	cd "$BATS_FILE_TMPDIR" || return 1
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" <"$ORG/kms-backup.tar.gz" \
	    >tar.kms 2>/dev/null
	ca-export -q -d ca.db >archived 2>/dev/null
	ca-recover -q -k "$ORG/kra1.p12" -p "file:$ORG/kra1.pw" \
	    <archived >plain 2>/dev/null
	gzip -d <"$ORG/kms-backup.tar.gz" >backup.tar
	org_secret_file
	while IFS= read -r line; do
		echo "$ORG/keys/$line.key"
	done < <(awk -F '\t' '$1 == "tar" && $2 != "cert" {
		sub(/.*\//, "", $13)
		sub(/\..*/, "", $13)
		print $5 "-" $13 }' "$ORG/ledger") >keys
}

# pack.pw: the password for what is packed.
org_secret_file()
{
	(umask 077 && echo 'for what is packed' >pack.pw)
}

setup()
{
	common_setup
	mapfile -t keys <"$BATS_FILE_TMPDIR/keys"
	made=$BATS_FILE_TMPDIR
	export_options=(-q -c "$ORG/machine.pem" -S "$ORG/machine.p12"
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws")
}

teardown()
{
	exec 7>&-
	wait
}

# passed N: so many keys, or more, have gone through already.
passed()
{
	(($(only key <"$OUT" | wc -l) >= $1))
}

# packed CIPHER: the key of jane in CIPHER.p12.
packed()
{
	local -a how=()

	case $1 in
	rc2)	how=(-legacy) ;;
	3des)	how=(-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1) ;;
	esac
	openssl pkcs12 -export "${how[@]}" -passout file:pw -out "$1.p12" \
	    -inkey "$ORG/keys/jane-1999.key" -in "$ORG/keys/jane-1999.pem"
}

# The judge -------------------------------------------------------------------

@test 'leak: what is looked for is found, in any form' {
	local key=$ORG/keys/jane-1999.key form found

	((${#keys[@]} == 11))
	openssl pkey -in "$key" -outform DER -out key.der
	openssl rsa -in "$key" -outform MSBLOB -out key.blob 2>/dev/null
	xxd -p -c 10000 key.der | tr -d '\n' >key.hex
	tr a-f A-F <key.hex >key.HEX
	base64 -w 0 key.der >key.0
	{ printf x && cat key.der; } | base64 -w 0 >key.1
	{ printf xx && cat key.der; } | base64 -w 0 >key.2
	for form in "$key" key.*; do
		found=$(secrets_in "$form" "$key" | awk '{ print $3 }' |
		    sort -u | tr '\n' ' ')
		[[ $found == 'd p q ' ]] || {
			echo "$form: $found"
			return 1
		}
	done
	none_in key.der "$ORG/keys/bob-1999.key"
	for form in UTF-8 UTF-16LE UTF-16BE; do
		{ echo && iconv -t "$form" "$ORG/machine.pw"; } >pw
		secrets_in pw "file:$ORG/machine.pw" |
		    grep -q "^0x1 password $form\$"
	done
	found=$(secrets_in "$made/plain" "${keys[@]}" |
	    awk '{ print $2, $3 }' | sort -u | wc -l)
	# all but the one that signs
	((found == 3 * (${#keys[@]} - 1)))
}

# Cores ------------------------------------------------------------------------

@test 'leak: kms-export, after the last member: memory, arguments, environment, files' {
	local p hold

	need_ptrace
	export LEAK='machine of 2003' MORE='HZGYYHACWLQACTI'
	hold_export "$made/backup.tar" -v -c "$ORG/machine.pem" \
	    -S "$ORG/machine.p12" -p env:LEAK -p env:MORE
	passed 5 # the others wait on the shelf
	cores "$pid" parent
	cores "$child" child
	cores "${crew[0]}" crew0
	cores "${crew[1]}" crew1
	for p in "$pid" "$child" "${crew[@]}"; do
		tr '\0' '\n' <"/proc/$p/cmdline" >"cmdline.$p"
		tr '\0' '\n' <"/proc/$p/environ" >"environ.$p"
		none_in "cmdline.$p" text:"$LEAK" text:"$MORE"
	done
	# that of the child is empty
	cat environ."$pid" environ."${crew[0]}" environ."${crew[1]}" \
	    <(echo .) >environ
	none_in environ text:"$LEAK" text:"$MORE"
	[[ ! -s environ.$child || -z $(tr -d '\n' <"environ.$child") ]]
	# keys that wait for their certificate are in memory, up to 64 KiB of them, and
	# in the file beyond that, where unpack.bats looks for them
	hold=$(fd_of "$pid" w "$TMPDIR/*")
	cat "/proc/$pid/fd/$hold" >held
	let_go 0
	[[ ! -s held ]] || none_in held "${keys[@]}" text:"$LEAK" text:"$MORE"
	none_in "$ERR" "${keys[@]}" text:"$LEAK" text:"$MORE"
	none_in "$OUT" "${keys[@]}" text:"$LEAK" text:"$MORE"
	for p in parent crew0 crew1; do
		heap_only "$p" text:"$MORE" "${keys[@]}"
	done
	gone child "${keys[@]}" text:"$LEAK" text:"$MORE"
}

@test 'leak: kms-export, PKCS#12 with passwords of users' {
	local p

	need_ptrace
	tar -C "$ORG/tree/zip" -cf zip.tar .
	some=("$ORG"/keys/{jane-1996,jane-1999,carol-2003,grace-1999}.key)
	hold_export zip.tar "${export_options[@]}"
	passed 10
	cores "$pid" parent
	cores "$child" child
	cores "${crew[0]}" crew0
	cores "${crew[1]}" crew1
	let_go 1
	for p in parent crew0 crew1; do
		heap_only "$p" 'text:HZGYYHACWLQACTI' "${some[@]}"
	done
	gone child "${some[@]}" 'text:HZGYYHACWLQACTI'
}

@test 'leak: the archive child keeps what the library does, and no more' {
	local far

	need_ptrace
	# a key, and two MiB of something else behind it
	mkdir -p a
	cat "$ORG"/keys/jane-1999.{pem,key} >a/1.pem
	yes '# nothing' | head -c 2097152 >a/4.cfg
	openssl rand -base64 2097152 >a/5.cfg
	tar -cf - a/1.pem a/4.cfg a/5.cfg | gzip -1 >far.tgz
	far=$ORG/keys/jane-1999.key
	hold_export far.tgz "${export_options[@]}"
	passed 1
	cores "$child" child
	let_go 1
	gone child "$far"
}

@test 'leak: kms-verify -k, after the last record' {
	need_ptrace
	hold "$made/tar.kms" kms-verify -j 1 "${machine[@]}"
	passed 10
	cores "$pid" core
	let_go 0
	gone core "${keys[@]}" "file:$ORG/machine.pw"
}

# workers_gone: no key of the stream is in the process or in those of -j.
workers_gone()
{
	local p

	for p in "$pid" "${crew[@]}"; do
		cores "$p" "core.$p"
	done
	let_go 0
	for p in "$pid" "${crew[@]}"; do
		gone "core.$p" "${keys[@]}" "file:$ORG/machine.pw"
	done
}

@test 'leak: kms-verify -j, after the last record' {
	need_ptrace
	hold_workers "$made/tar.kms" kms-verify -j 2 "${machine[@]}"
	passed 10
	workers_gone
}

@test 'leak: kms-verify of a plain stream, after the last record' {
	need_ptrace
	hold "$made/plain" kms-verify
	passed 10
	cores "$pid" core
	let_go 1
	gone core "${keys[@]}"
}

@test 'leak: ca-import, after the last record' {
	need_ptrace
	new_archive
	hold "$made/tar.kms" "${import[@]}" -j 1
	grep -q 'status:imported' "$OUT"
	cores "$pid" core
	let_go 0
	gone core "${keys[@]}" "file:$ORG/machine.pw"
}

@test 'leak: ca-import -j, after the last record' {
	need_ptrace
	new_archive
	hold_workers "$made/tar.kms" "${import[@]}" -j 2
	grep -q 'status:imported' "$OUT"
	workers_gone
}

@test 'leak: ca-recover, after the last record' {
	need_ptrace
	hold "$made/archived" ca-recover -q -k "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw"
	passed 10
	cores "$pid" core
	let_go 0
	gone core "${keys[@]}" "file:$ORG/kra1.pw"
}

@test 'leak: p12-pack, before the end' {
	need_ptrace
	grep -v '^rec:end' "$made/plain" >records
	for option in '' -l; do
		hold records p12-pack -f ${option:+"$option"} -P \
		    -p "file:$made/pack.pw"
		cores "$pid" "core$option"
		let_go 0
		heap_only "core$option" "file:$made/pack.pw" "${keys[@]}"
	done
}

@test 'leak: p12-pack, at its end' {
	need_ptrace
	cores_at_end core "$made/plain" p12-pack -f -p "file:$made/pack.pw"
	[[ -s $OUT ]]
	gone core "${keys[@]}" "file:$made/pack.pw"
}

@test 'leak: ca-recover, at its end' {
	need_ptrace
	cores_at_end core "$made/archived" ca-recover -q -k "$ORG/kra1.p12" \
	    -p "file:$ORG/kra1.pw"
	[[ -s $OUT ]]
	gone core "${keys[@]}" "file:$ORG/kra1.pw"
}

@test 'leak: p12-extract, after its output' {
	local cipher

	need_ptrace
	(umask 077 && echo 'a long password' >pw)
	for cipher in rc2 3des new; do
		packed "$cipher"
		cores_at_end "$cipher" "$cipher.p12" p12-extract -p file:pw
		only key <"$OUT" | grep -q .
		gone "$cipher" "$ORG/keys/jane-1999.key" file:pw
	done
}

@test 'leak: epf-extract, after its output' {
	need_ptrace
	owner jane keyEncipherment rsa -pkeyopt rsa_keygen_bits:1024
	(umask 077 && echo 'a long password' >pw)
	profile 1000 AAAAAAAAAAA= jane >jane.epf
	cores_at_end core jane.epf epf-extract -p file:pw
	only key <"$OUT" | grep -q .
	gone core jane.p8 file:pw
}

# Elsewhere --------------------------------------------------------------------

@test 'leak: a password of the environment, asked for twice' {
	export LEAK='machine of 2003'
	(umask 077 && echo other >other)
	run_tool 0 kms-verify -r -k "$ORG/machine.p12" -p env:LEAK \
	    -p file:other -p env:LEAK <"$made/tar.kms"
	run_tool 0 p12-pack -f -p env:LEAK <"$made/plain"
	openssl pkcs12 -in "$OUT" -passin env:LEAK -noenc >/dev/null
}

@test 'leak: a password that stands in the environment twice' {
	[[ -r /proc/self/environ ]] || skip 'no /proc here'
	cc -o twice -x c - <<-'END'
	#include <unistd.h>
	int
	main(int argc, char *argv[])
	{
		static char *const env[] = { "LEAK=machine of 2003", "A=b",
			"LEAK=machine of 2004", NULL };

		return argc > 1 ? execve(argv[1], argv + 1, env) : 2;
	}
	END
	hold "$made/tar.kms" ./twice "$(command -v kms-verify)" \
	    -k "$ORG/machine.p12" -p env:LEAK
	tr '\0' '\n' <"/proc/$pid/environ" >environ
	let_go
	grep -qx 'A=b' environ
	not grep -q machine environ
}

@test 'leak: the archive and its log, while it is written' {
	local file

	need_ptrace
	new_archive
	hold "$made/tar.kms" "${import[@]}"
	[[ -s ca.db-wal ]]
	for file in ca.db ca.db-wal ca.db-shm "$OUT" "$ERR"; do
		[[ ! -s $file ]] || none_in "$file" "${keys[@]}" \
		    "file:$ORG/machine.pw"
	done
	let_go 0
}

@test 'leak: kms-verify -w keeps sealed lines only, in a file without a name' {
	local hold

	need_ptrace
	hold "$made/tar.kms" kms-verify -w "${machine[@]}"
	[[ -z $(ls "$TMPDIR") && ! -s $OUT ]]
	hold=$(fd_of "$pid" w "$TMPDIR/*")
	cat "/proc/$pid/fd/$hold" >held
	let_go 0
	cmp "$made/tar.kms" "$OUT"
	if [[ -s held ]]; then
		none_in held "${keys[@]}"
	fi
}

@test 'leak: the temporary file is private whatever the umask, and new' {
	local fd file

	need_ptrace
	need_strace
	umask 0
	hold_export "$made/backup.tar" "${export_options[@]}"
	fd=$(fd_of "$pid" w "$TMPDIR/*")
	[[ $(stat -L -c '%a %h' "/proc/$pid/fd/$fd") == '600 0' ]]
	let_go 0
	# where a file cannot be without a name from the start
	"${traced[@]}" -o calls -e trace=openat kms-verify -w "${machine[@]}" \
	    <"$made/tar.kms" >"$OUT"
	fd=$(grep openat calls | grep -n O_TMPFILE | cut -d : -f 1)
	"${traced[@]}" -o calls -e "inject=openat:error=EOPNOTSUPP:when=$fd" \
	    kms-verify -w "${machine[@]}" <"$made/tar.kms" >"$OUT"
	cmp "$made/tar.kms" "$OUT"
	grep -F "$TMPDIR/kms2ca." calls | grep -F 'O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600'
	file=$(grep -F 'unlink(' calls | cut -d '"' -f 2)
	[[ $file == "$TMPDIR"/kms2ca.?????? ]]
	[[ -z $(ls "$TMPDIR") ]]
}

@test 'leak: no core dump, whatever the limit, and locked memory' {
	local p

	need_ptrace
	ulimit -c unlimited 2>/dev/null || :
	hold_export "$made/backup.tar" "${export_options[@]}"
	for p in "$pid" "$child" "${crew[@]}"; do
		grep -q '^Max core file size  *0  *0 ' "/proc/$p/limits"
	done
	# the secure heap is locked; the child has none
	for p in "$pid" "${crew[@]}"; do
		(($(awk '/^VmLck/ { print $2 }' "/proc/$p/status") >= 4096))
	done
	let_go 0
}

@test 'leak: its own user cannot look into it' {
	local tool
	local -a nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

	need_ptrace
	"${nobody[@]}" true 2>/dev/null || skip 'setpriv cannot change the user'
	mkfifo fifo
	exec 7<>fifo
	for tool in cat kms-verify p12-extract; do
		"${nobody[@]}" "$(command -v "$tool")" <fifo >"$OUT" 2>"$ERR" \
		    3>&- 7>&- &
		pid=$!
		waits "$pid" 0
		"${nobody[@]}" gdb -nx -batch -p "$pid" >log 2>&1 || :
		if [[ $tool == cat ]]; then
			"${nobody[@]}" head -c 1 "/proc/$pid/environ" >/dev/null
			not grep 'Operation not permitted' log
		else
			not "${nobody[@]}" head -c 1 "/proc/$pid/environ"
			not "${nobody[@]}" head -c 1 "/proc/$pid/mem"
			grep -q 'Operation not permitted' log
		fi
		kill "$pid"
		wait "$pid" || :
	done
}
