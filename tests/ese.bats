#!/usr/bin/env bats
# shellcheck disable=SC2154 # $root, $shared of common.bash
#
# common/ese: databases read to the last value.  eseread.py is the second judge;
# edb-extract.bats has what the tool makes of them.

load common
load ese

setup_file()
{
	common_setup
	cc -O -std=c11 -D_GNU_SOURCE -I"$root/common" \
	    -o "$BATS_FILE_TMPDIR/probe" "$root/tests/ese_probe.c" \
	    "$root"/common/{base,ese}/*.c -lcrypto
	[[ -e $shared/ese ]] || return 0
	/usr/bin/python3 "$root/tests/ese_spec.py" >"$BATS_FILE_TMPDIR/spec"
	mkese -r 0x14 "$BATS_FILE_TMPDIR/spec" "$BATS_FILE_TMPDIR/db"
	mkese -r 0x11 -p 16384 "$BATS_FILE_TMPDIR/spec" \
	    "$BATS_FILE_TMPDIR/large"
}

setup()
{
	common_setup
	need_shared ese
	probe=$BATS_FILE_TMPDIR/probe
	db=$BATS_FILE_TMPDIR/db
}

# same FILE: the same values as eseread.py, and nothing lost; says how many.
same()
{
	"$probe" <"$1" >"$OUT" 2>"$ERR" || { cat "$ERR" >&2; return 1; }
	/usr/bin/python3 "$root/tests/ese_values.py" "$1" | cmp - "$OUT" ||
		return
	says && wc -l <"$OUT"
}

# all_of FILE...: all values are there, in whatever order.
all_of()
{
	"$probe" <"$db" | sort >want
	sort "$OUT" | cmp want -
}

@test "ese: each value of each database that Windows wrote, as eseread.py reads it" {
	local file n=0 count

	need_shared corpora/ese
	for file in "$shared"/corpora/ese/*.edb "$shared"/ese/samples/*; do
		[[ $file != *.tsv ]] || continue
		count=$(same "$file")
		((n += count))
	done
	echo "# $n values" >&3
	((n == 128011))
}

@test "ese: each value of 20 kinds of files, from Exchange 5.5 to Windows 11" {
	local n=0 count args

	while read -r args; do
		# shellcheck disable=SC2086 # several
		mkese $args "$BATS_FILE_TMPDIR/spec" db
		count=$(same db)
		((n += count))
	done < <(variants)
	echo "# $n values" >&3
	((n > 200000))
}

@test "ese: a file of 50 GB, in 64 MiB of address space" {
	cp "$db" big
	truncate -s 50G big
	(ulimit -v 65536 && "$probe" <big >"$OUT")
	"$probe" <"$db" | cmp - "$OUT"
}

@test "ese: from a place within a file" {
	{ head -c 1000 /dev/zero; cat "$db"; } >behind
	"$probe" <"$db" >want
	{ head -c 1000 >/dev/null; "$probe" >"$OUT"; } <behind
	cmp want "$OUT"
}

@test "ese: what a damaged branch led to is found" {
	local page

	for page in Deep Kinds Kinds.lv 4; do
		damage "$db" x break "$page"
		run_tool 1 "$probe" <x
		grep "page [0-9]* has a wrong checksum" "$ERR"
		all_of
		damage "$db" x zero "$page"
		run_tool 1 "$probe" <x
		grep "page [0-9]* is empty" "$ERR"
		all_of
	done
}

@test "ese: a damaged leaf is a fault of its rows alone" {
	local page

	damage "$db" x break Deep.5
	run_tool 1 "$probe" <x
	page=$(damage "$db" - Deep.5)
	says "Deep: damaged: page $page has a wrong checksum: it is not read"
	grep -c '^Deep' "$OUT" >have
	"$probe" <"$db" | sort >want
	(($(<have) > $(grep -c '^Deep' want) * 9 / 10))
	# no other value, and all of the others
	[[ -z $(grep -v '^Deep' "$OUT" | sort | comm -3 - <(grep -v '^Deep' want)) ]]
	[[ -z $(grep '^Deep' "$OUT" | cut -f 3- | sort |
	    comm -23 - <(grep '^Deep' want | cut -f 3- | sort)) ]]
}

@test "ese: a value whose chunks are damaged is a fault, never empty or short" {
	damage "$db" x break Kinds.lv.2.7
	run_tool 1 "$probe" <x
	grep -E '^(Blob|Tight|Many): damaged: ' "$ERR"
	"$probe" <"$db" | sort >want
	[[ -z $(sort "$OUT" | comm -23 - want) ]]
	# each is there or is spoken about
	[[ $(wc -l <want) == $(($(wc -l <"$OUT") + $(grep -cE \
	    '^(Blob|Tight|Many|Note): damaged: ' "$ERR"))) ]]
}

@test "ese: the copy of the header, and of the catalog" {
	{ head -c 4096 /dev/zero; tail -c +4097 "$db"; } >x
	run_tool 1 "$probe" <x
	says ': damaged: the header is damaged: its copy is read'
	all_of
	{ head -c 8192 /dev/zero; tail -c +8193 "$db"; } >x
	run_tool 2 "$probe" <x
	says 'format: not an ESE database'
	damage "$db" x break 4
	run_tool 1 "$probe" <x
	all_of
}

@test "ese: what is no database that is read here" {
	damage "$db" x header 8 00040000
	run_tool 2 "$probe" <x
	says 'unsupported: of format version 0x400: the engine of 1996 and later, which is read here, writes 0x620'
	damage "$db" x header 12 01000000
	run_tool 2 "$probe" <x
	says 'unsupported: the streaming file of an Exchange store: it has no tables: read the .edb beside it'
	damage "$db" x header 236 00300000
	run_tool 2 "$probe" <x
	says 'damaged: the header and its copy are damaged: fetch it again'
}

@test "ese: a file that was cut" {
	local size n

	size=$(stat -c %s "$db")
	for n in 4 100 667 4096 8192 20000 100000 $((size / 2)) $((size - 1)); do
		head -c "$n" "$db" >x
		not "$probe" <x >"$OUT" 2>"$ERR"
		grep -E 'fetch it again|is damaged' "$ERR"
		harmless cut
	done
}

@test "ese: branches that lead in a circle, up, astray or past the end" {
	local top page to

	top=$(damage "$db" - Deep)
	page=$(damage "$db" - Kinds.0)
	# the data of the first branch is the four bytes behind an empty key
	/usr/bin/python3 - "$db" "$top" >offset <<-'PYTHON'
	import sys
	d = open(sys.argv[1], "rb").read()
	p = d[(int(sys.argv[2]) + 1) * 4096:][:4096]
	o = int.from_bytes(p[-6:-4], "little") & 0x1fff
	n = int.from_bytes(p[-8:-6], "little") & 0x1fff
	print(40 + o + n - 4)
	PYTHON
	for to in "$top" "$page" 0 4294967295 999999; do
		damage "$db" x set Deep "$(<offset)" \
		    "$(printf '%08x' "$to" | fold -w 2 | tac | tr -d '\n')"
		run_tool 1 "$probe" <x
		grep -E '^Deep: (damaged|cut): ' "$ERR"
		[[ $("$probe" <"$db" | grep -c '^Deep') == \
		    $(grep -c '^Deep' "$OUT") ]]
	done
}

@test "ese: mutants of each kind of file, in time and memory" {
	"$root/tests/ese_mutants.bash" 200 >said
	sed 's/^/# /' said >&3
	grep -x '4000 mutants, at most [0-9]* MiB' said
}

# hostile OUT WHAT: the database with something in it that no engine writes, under
# checksums that are right.
hostile()
{
	/usr/bin/python3 - "$root/tests" "$db" "$2" >edits <<-'PYTHON'
	import os, struct, sys
	shared = os.environ.get("KMS2CA_SHARED", sys.argv[1] + "/../../shared")
	sys.path.insert(0, shared + "/ese")
	sys.dont_write_bytecode = True
	import eseread
	db, what = eseread.ESE(sys.argv[2]), sys.argv[3]
	def child(page, i):
	    return struct.unpack_from("<I", db.nodes(page)[1][i][2])[0]
	def raw(page):
	    return open(sys.argv[2], "rb").read()[(page + 1) * db.ps:][:db.ps]
	def put(page, at, b):
	    print("set", page, at, b.hex())
	leaf = what in ("branch", "tags", "count") and child(db.tables["Deep"].root, 3)
	if what == "branch":
	    flags = struct.unpack_from("<I", raw(leaf), 36)[0]
	    put(leaf, 36, struct.pack("<I", flags & ~2))
	elif what == "leaf":
	    root = db.tables["Deep"].root
	    flags = struct.unpack_from("<I", raw(root), 36)[0]
	    put(root, 36, struct.pack("<I", flags | 2))
	elif what == "tags":
	    put(leaf, db.ps - 12, struct.pack("<HH", 0x1fff, 0x1ff0))
	elif what == "count":
	    put(leaf, 34, b"\xff\xff")
	elif what == "long":
	    # the first value: its number is the key, references and size the data
	    page = db.tables["Kinds"].lv
	    while not struct.unpack_from("<I", raw(page), 36)[0] & 2:
	        page = child(page, 0)
	    data = db.nodes(page)[1][0][2]
	    at = raw(page).index(data[:8], 40)
	    put(page, at + 4, b"\xff\xff\xff\xff")
	else:
	    # an entry of the catalog: its name is behind its fixed columns
	    for page in range(1, 40):
	        b = raw(page)
	        i = b.find(b"Deep" if what == "twice" else b"Guid")
	        if struct.unpack_from("<I", b, 24)[0] != 2 or i < 0:
	            continue
	        if what == "twice":
	            put(page, i, b"Copy")
	        else:
	            fixed = b.rfind(struct.pack("<H", 2), 0, i)
	            put(page, fixed + 2, struct.pack("<I", 10 ** 9))
	PYTHON
	[[ -s edits ]]
	# shellcheck disable=SC2046 # words
	damage "$db" "$1" $(<edits)
}

@test "ese: branches as leaves, tags past the page, values of 4 GB, 10^9 columns" {
	local what

	for what in branch leaf tags count long columns; do
		hostile x "$what"
		run_tool 1 timeout 10 "$probe" <x
		"$probe" <"$db" | sort >want
		case $what in
		long)
			grep 'it has 4294967295 bytes, the ceiling is 1048576' "$ERR"
			;;
		columns)
			grep -q $'^Deep\t' "$OUT"
			;;
		*)
			grep -E '^Deep: (damaged|cut): ' "$ERR"
			# all other tables are whole
			grep -v ^Deep want | cmp - <(grep -v ^Deep "$OUT" | sort)
			;;
		esac
	done
}

@test "ese: a catalog that has a table twice: one is a fault, the others are read" {
	cat >spec <<-'SPEC'
	{"tables": [{"name": "Deep", "columns": [["A", "long"]],
	    "rows": [{"A": 1}]},
	{"name": "Copy", "columns": [["A", "long"]], "rows": [{"A": 2}]},
	{"name": "Else", "columns": [["A", "long"]], "rows": [{"A": 3}]}]}
	SPEC
	mkese spec twice
	db=twice
	hostile x twice
	run_tool 1 "$probe" <x
	grep -c 'the catalog has this table twice' "$ERR"
	cut -f 1,4 "$OUT" | grep -v ^MSys >got
	[[ $(grep -c ^Copy got) == 1 ]]
	grep -x $'Else\t03000000' got
}

@test "ese: a table of thousands of columns with defaults, of rows that say nothing" {
	/usr/bin/python3 -c '
import json
print(json.dumps({"tables": [{"name": "T",
    "columns": [["C%d" % i, "longbinary"] for i in range(3000)],
    "rows": [{"C%d" % (i % 3000): {"hex": "01"}} for i in range(3000)]}]}))' >spec
	mkese spec wide
	timeout 10 "$probe" <wide | grep -c $'^T\t' | grep -x 3000
}
