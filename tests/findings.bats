#!/usr/bin/env bats
#
# common/file/findings.c: more keys in one file than the secure heap holds.

load common
load p12
load backup

# More than the secure heap of 1 MiB can hold at once: about 1,100 of EC.
@test "1,200 keys of one file: all come out, and each is its own" {
	local n=1200

	(umask 077 && echo secret >pw)
	/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" many "$n" >many.p12
	run_tool 0 p12-extract -p file:pw <many.p12
	says
	cp "$OUT" many.rec
	openssl pkcs12 -in many.p12 -noenc -passin pass: -out judge
	diff <(pem_blocks 'PRIVATE KEY' <judge | sort) \
	    <(field key <many.rec | sort) >&2
	diff <(seq 0 $((n - 1))) \
	    <(field user <many.rec | sed 's/^user//' | sort -n) >&2
	run_tool 0 p12-pack -fl -p file:pw <many.rec
	cp "$OUT" many.p12
	run_tool 0 p12-extract -p file:pw <many.p12
	cmp many.rec "$OUT"
	/usr/bin/python3 "$BATS_TEST_DIRNAME/p12forms.py" many "$n" >many.p12
	take 0 <many.p12
	found "$n" 0 0
	came_to 1 1 0 0 0
	diff <(seq 0 $((n - 1))) \
	    <(only key <"$OUT" | field user | sed 's/^user//' | sort -n) >&2
}
