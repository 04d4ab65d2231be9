# A slice of each part of torture.bash, which `make torture' runs in full.

load common
load torture

# Of every test: the fixtures of torture.bash, in $MADE.
setup_file()
{
	export MADE=$BATS_FILE_TMPDIR SEED=0

	start
}

# slice COMMAND...: in a directory of its own; nothing is found.
slice()
{
	export MADE

	MADE=$BATS_TEST_TMPDIR/made
	mkdir "$MADE"
	cp -r "$BATS_FILE_TMPDIR"/* "$MADE"
	"$@"
	if [[ -s $MADE/findings ]]; then
		cat "$MADE/findings" >&2
		return 1
	fi
	# it did something
	[[ -s $MADE/tally ]]
}

# each COMMAND SCENE... -- ARG...: the command for each scene.
each()
{
	local command=$1 name
	local -a names=()

	shift
	while [[ $1 != -- ]]; do
		names+=("$1")
		shift
	done
	shift
	for name in "${names[@]}"; do
		work "$command" "$name" "$@" || return
	done
}

# small: with small file systems, each in a name space of its own.
small()
{
	local line

	while read -r line; do
		# shellcheck disable=SC2086 # words
		unshare -m -- bash "$BATS_TEST_DIRNAME/torture.bash" --work \
		    on_full $line || return
	done <<-'END'
	ca-init db 24
	ca-import db 16
	p12-pack out 4
	kms-verify-w tmp 4
	kms-export tmp 4
	END
}

need_trace()
{
	strace -o /dev/null true 2>/dev/null || skip 'strace is not allowed here'
	! sanitized || skip 'the leak checker does not run under strace'
}

sanitized()
{
	grep -q -a __asan_init "$(command -v ca-import)"
}

@test "torture: ca-import killed at random" {
	slice each random ca-import -- 10
}

@test "torture: killed at a system call" {
	need_trace
	slice each killed ca-import ca-init -- 45
}

@test "torture: system calls that fail: the filters" {
	need_trace
	slice each faults kms-export kms-verify-w p12-extract epf-extract \
	    p12-pack ca-recover -- 45
}

@test "torture: system calls that fail: the archive" {
	need_trace
	slice each faults ca-init ca-setflag ca-import ca-export -- 80
}

@test "torture: allocations that fail: the filters" {
	! sanitized || skip 'a sanitizer has its own malloc'
	slice each allocations kms-export-zip kms-verify p12-extract-new \
	    epf-extract p12-pack-tar ca-recover-k -- 5
}

@test "torture: allocations that fail: the archive" {
	! sanitized || skip 'a sanitizer has its own malloc'
	slice each allocations ca-init ca-setflag ca-import ca-import-plain \
	    ca-export-k -- 5
}

@test "torture: full disks, by ulimit -f" {
	slice each limited ca-init kms-verify-w kms-export -- 16
}

@test "torture: full disks, by a small file system" {
	may_mount || skip 'no mount here'
	slice small
}

@test "torture: two importers at once" {
	slice work rounds 3
}

@test "torture: output that is lost" {
	slice each lost kms-export kms-verify-w p12-extract epf-extract \
	    p12-pack-zip ca-init ca-setflag ca-import ca-export ca-recover --
	work lost_later
	[[ ! -s $MADE/findings ]]
}
