# The fuzz harnesses over their seeds, without clang's fuzzer: each seed was a
# finding once, or reaches what nothing else does.

load common
# shellcheck source=tests/fuzz/seeds.bash
source "$BATS_TEST_DIRNAME/fuzz/seeds.bash"

# replay NAME: the harness over all of its seeds, within a minute.
replay()
{
	local bin=${KMS2CA_BIN:-$root/build/bin} n

	seeds "$1" >list
	n=$(wc -l <list)
	((n > 0))
	timeout -k 1 60 xargs -d '\n' "${bin%/bin}/fuzz/$1" <list >"$OUT"
	# xargs may need more than one run
	[[ $(awk '{ n += $1 } END { print n }' "$OUT") == "$n" ]]
}

@test "every harness has a seed, and every seed a harness" {
	local name

	for name in "${harnesses[@]}"; do
		[[ -f $fuzz/$name.c && -n $(find "$fuzz/seeds/$name" -type f) ]]
	done
	diff <(printf '%s\n' "${harnesses[@]}" | sort) <(ls "$fuzz/seeds")
	diff <(printf '%s.c\n' "${harnesses[@]}" fuzz replay | sort) \
	    <(find "$fuzz" -name '*.c' -printf '%f\n' | sort)
}

@test "key derivations are those of OpenSSL" {
	local bin=${KMS2CA_BIN:-$root/build/bin}

	replay kdf
	# inputs by lot, but the same each time
	openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 -in /dev/zero 2>/dev/null |
	    head -c 60000 >lot
	split -b 300 lot lot.a
	head -c 3000 lot | split -b 30 - lot.b
	[[ $("${bin%/bin}/fuzz/kdf" lot.*) == 300 ]]
}

@test "replay: records, streams, reports, maps, settings" {
	replay read
	replay stream
	replay report
	replay pathmap
	replay setting
}

@test "replay: PKCS#12, recovery blobs" {
	replay p12
	replay blob_open
}

@test "replay: members, profiles, databases, carving" {
	replay ese
	replay file
	replay epf
	replay carve
}

@test "replay: what the archive reader sends" {
	replay unpack
}
