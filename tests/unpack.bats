#!/usr/bin/env bats
#
# How kms-export(1) reads archives: formats, damage, ceilings, hostile input,
# and the child process that does it.
#
#	KMS2CA_SWEEP=all	all archives of the corpora, not every tenth
#
# shellcheck disable=SC2030,SC2031 # each test has its own pid

load common
load p12
load backup

# From common.bash and take.
: "${shared=}" "${members=}"

setup()
{
	common_setup
	cat "$ORG/machine.pem" "$ORG/machine.key" >cred.pem
	archives=$shared/corpora/archives
}

# A test that starts kms-export behind its back ends it.
teardown()
{
	if [[ -n ${pid-} ]]; then
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	fi
}

# some: a small backup in G and H, and its members in $some: a pair in two
# files, a pair in one, a certificate.
some()
{
	mkdir -p G/U G/V H/W
	cp "$ORG/keys/erin-1998.pem" G/U/c
	cp "$ORG/keys/erin-1998.key" G/U/k
	cat "$ORG"/keys/karl-1997.{key,pem} >G/V/b
	cp "$ORG/keys/judy-1998.pem" H/W/d
	some=(G/U/c G/U/k G/V/b H/W/d)
}

piped='ceiling: a zip that is larger than -L memory=, from a pipe: what is damaged in it may go unseen: feed it in as a file, or raise that'

# bundles N...: files of that name with a key and its certificate each, made
# once for all tests of this file.
bundles()
{
	local name

	for name; do
		[[ -e $BATS_FILE_TMPDIR/$name ]] || (
			cd "$BATS_FILE_TMPDIR" || exit
			openssl req -x509 -newkey rsa:512 -noenc -days 9 \
			    -subj "/CN=$name" -keyout "$$.key" -out "$$.pem" \
			    2>/dev/null
			cat "$$.key" "$$.pem" >"$$.tmp"
			rm "$$.key" "$$.pem"
			mv "$$.tmp" "$name"
		)
		cp "$BATS_FILE_TMPDIR/$name" .
	done
}

# rpm_of FILE...: a package: a lead, two empty headers, a cpio.
rpm_of()
{
	local i

	printf '\355\253\356\333\3\0\0\0'
	head -c 88 /dev/zero
	for i in 1 2; do
		printf '\216\255\350\1'
		head -c 12 /dev/zero
	done
	printf '%s\n' "$@" | cpio -o -H newc --quiet | gzip
}

# names: the users of the keys in $OUT.
names()
{
	only key <"$OUT" | field user | paste -sd ' '
}

# both STATUS ARG...: take it from the file a, and from a pipe, with the same
# result.
both()
{
	take "$@" <a || return
	records <"$OUT" >"$BATS_TEST_TMPDIR/file"
	take "$@" < <(cat a) || return
	diff "$BATS_TEST_TMPDIR/file" <(records <"$OUT") >&2
}

# sanitized: the tools are built with AddressSanitizer, which maps terabytes.
sanitized()
{
	grep -q __asan_init "$(command -v kms-export)"
}

# until COMMAND...: wait for it to succeed, a minute at most.
until_true()
{
	local end=$((SECONDS + 60))

	until "$@"; do
		if ((SECONDS > end)); then
			echo "never came true: $*" >&2
			return 1
		fi
	done
}

# start ARG...: kms-export in the background, as $pid, on a fifo that we write
# to as descriptor 9; its child is $child.
start()
{
	mkfifo in
	kms-export -c cred.pem "$@" <in >"$OUT" 2>"$ERR" 3>&- &
	pid=$!
	exec 9>in
	until_true has_child
}

has_child()
{
	child=$(<"/proc/$pid/task/$pid/children")
	child=${child%% *} # those of -j come later
	[[ -n $child ]]
}

# waiting: the child has read all there is, and wants more.
waiting()
{
	[[ $(<"/proc/$child/syscall") == "0 0x3 "* ]]
}

# need_proc: skip where processes are not ours to look at, as under a user that
# is not root: the tools are not dumpable.
need_proc()
{
	cat "/proc/$pid/environ" "/proc/$child/syscall" >/dev/null 2>&1 ||
	    skip 'cannot look into /proc'
}

# finish: close the fifo and wait; $status is the exit status.
finish()
{
	exec 9>&-
	status=0
	wait "$pid" || status=$?
	pid=
}

@test "formats and filters: the same from a file and from a pipe" {
	local how n=0

	some
	tar -cf a "${some[@]}"
	both 0
	found 2 1 0
	came_to 4 2 2 0 0
	said
	records <"$OUT" >want
	while read -r how; do
		rm -f a
		eval "$how" >log 2>&1 || {
			cat log >&2
			return 1
		}
		both 0 || {
			echo "$how" >&2
			return 1
		}
		diff want <(records <"$OUT") >&2
		came_to 4 2 2 0 0
		said
		((n += 1))
	done <<'HOW'
tar --format=ustar -cf a "${some[@]}"
tar --format=pax -cf a "${some[@]}"
tar --format=v7 -cf a "${some[@]}"
tar -czf a "${some[@]}"
tar -cjf a "${some[@]}"
tar -cJf a "${some[@]}"
tar -c "${some[@]}" | zstd >a
bsdtar --lz4 -cf a "${some[@]}"
bsdtar --lzma -cf a "${some[@]}"
bsdtar --lzip -cf a "${some[@]}"
rpm_of "${some[@]}" >a
bsdtar -Zcf a "${some[@]}"
bsdtar --uuencode -cf a "${some[@]}"
bsdtar --b64encode -cf a "${some[@]}"
tar -c "${some[@]}" | gzip | xz | gzip >a
zip a.zip "${some[@]}"; mv a.zip a
zip -0 a.zip "${some[@]}"; mv a.zip a
zip -Z bzip2 a.zip "${some[@]}"; mv a.zip a
zip -q - "${some[@]}" 2>/dev/null | cat >b.zip; mv b.zip a
bsdtar --format zip -cf a "${some[@]}"
7z a -bd a.7z G H; mv a.7z a
7z a -bd -m0=PPMd a.7z G H; mv a.7z a
bsdtar --format 7zip -cf a "${some[@]}"
gcab -c a.cab "${some[@]}"; mv a.cab a
gcab -cz a.cab "${some[@]}"; mv a.cab a
printf '%s\n' "${some[@]}" | cpio -o -H newc >a
printf '%s\n' "${some[@]}" | cpio -o -H crc >a
printf '%s\n' "${some[@]}" | cpio -o -H odc >a
printf '%s\n' "${some[@]}" | cpio -o -H bin >a
bsdtar --format iso9660 -cf a "${some[@]}"
bsdtar --format warc -cf a "${some[@]}"
HOW
	((n == 31))
	bsdtar --format arbsd -cf a "${some[@]}"
	both 0
	diff <(printf '%s\n' b d k) <(field source <"$OUT" | sort) >&2
}

# The input in pieces of 97 bytes, each written by a program of its own.
@test "archives one behind the other" {
	bundles x y z
	tar -cf 1.tar x
	tar -cf 2.tar y z
	cat 1.tar 2.tar >a
	both 0
	[[ $(names) == 'x y z' ]]
	{ gzip -c 1.tar; gzip -c 2.tar; } >a
	both 0
	[[ $(names) == 'x y z' ]]
	{ cat 1.tar; head -c 2000 2.tar; } >a
	both 1
	[[ $(names) == 'x y' ]]
	only fault <"$OUT" | field reason | grep -qx cut
}

# more WHERE WHAT CMD [OF]: what is said of what stands there.
more()
{
	echo "unsupported: there is more $1 the $2, and it is not read: feed in by itself what $3 gives of it${4-}"
}

@test "archives joined end to end: what is not read is a fault" {
	local kind at n=0

	bundles x y z
	for kind in 1 2; do
		[[ $kind == 1 ]] && all=(x y) || all=(z)
		zip -qX "$kind.zip" "${all[@]}"
		7z a -bd "$kind.7z" "${all[@]}" >/dev/null
		gcab -c "$kind.cab" "${all[@]}"
		printf '%s\n' "${all[@]}" | cpio -o -H newc --quiet >"$kind.cpio"
	done
	for kind in 7z cab cpio; do
		at=$(($(stat -c %s "1.$kind") + 1))
		cat "1.$kind" "2.$kind" >a
		both 1
		[[ $(names) == 'x y' ]]
		faults "stdin: $(more 'behind the end of' archive "tail -c +$at")"
		# as it says
		take 0 < <(tail -c "+$at" a)
		[[ $(names) == z ]]
		tar -cf b a
		mv b a
		both 1
		faults "a: $(more 'behind the end of' archive "tail -c +$at")"
		[[ $kind == 7z ]] || {
			cat "1.$kind" "2.$kind" | gzip >a
			both 1
			faults "stdin: $(more 'behind the end of' archive \
			    "tail -c +$at" ', unpacked')"
			cat <(gzip -c "1.$kind") <(gzip -c "2.$kind") >a
			both 1
			faults "stdin: $(more 'behind the end of' archive \
			    "tail -c +$at" ', unpacked')"
		}
		((n += 1))
	done
	((n == 3))
	# of joined zips libarchive reads the last one
	at=$(stat -c %s 1.zip)
	cat 1.zip 2.zip >a
	both 1
	[[ $(names) == z ]]
	faults "stdin: $(more 'in front of' zip "head -c $at")"
	take 0 < <(head -c "$at" a)
	[[ $(names) == 'x y' ]]
	# and the first one, where it cannot seek
	gzip <a >a.gz
	take 1 <a.gz
	[[ $(names) == 'x y' ]]
	faults "stdin: $(more 'behind the end of' archive "tail -c +$((at + 1))" \
	    ', unpacked')"
	take 1 -L memory=1K < <(cat a)
	[[ $(names) == 'x y' ]]
	faults "stdin: $piped" \
	    "stdin: $(more 'behind the end of' archive "tail -c +$((at + 1))")"
	# of different kinds
	cat 1.zip 2.cpio >a
	both 1
	[[ $(names) == 'x y' ]]
	faults "stdin: $(more 'behind the end of' archive "tail -c +$((at + 1))")"
	{ cat 1.zip; head -c 70000 /dev/zero; cat 2.cpio; } >a
	both 1
	faults 'stdin: cut: no directory at the end of the zip: it was cut, or other data stand behind it: fetch it again'
	at=$(stat -c %s 1.cpio)
	{ cat 1.cpio; head -c 5000 /dev/zero; echo text; } >a
	both 1
	faults "stdin: $(more 'behind the end of' archive "tail -c +$((at + 5001))")"
	# in one large block, of which the last bytes are padding
	{ cat 1.cpio 2.cpio; head -c 200000 /dev/zero; } | lz4 -qB7 >a
	both 1
	faults "stdin: $(more 'behind the end of' archive "tail -c +$((at + 1))" \
	    ', unpacked')"
}

@test "uu behind a letter, from a file too" {
	bundles x
	{ seq 20000; cat x; } >long
	{ echo 'Dear all,'; bsdtar --uuencode -cf - long; echo Bye; } >a
	both 0
	[[ $(names) == x ]]
}

@test "data behind the end of what is compressed: a fault; padding: none" {
	local zip at n=0

	bundles x y z
	tar -cf 1.tar x
	tar -cf 2.tar y z
	for zip in gzip bzip2 lz4; do
		"$zip" -c 1.tar >1.z
		"$zip" -c 2.tar >2.z
		at=$(($(stat -c %s 1.z) + 1))
		# several of them are read
		cat 1.z 2.z >a
		both 0
		[[ $(names) == 'x y z' ]]
		{ cat 1.z; head -c 100000 /dev/zero; } >a
		both 0
		cat 1.z z >a
		both 1
		[[ $(names) == x ]]
		faults "stdin: $(more 'behind the end of' "$zip" "tail -c +$at")"
		take 0 < <(tail -c "+$at" a)
		[[ $(names) == z ]]
		tar -cf b a y
		mv b a
		both 1
		[[ $(names) == 'x y' ]]
		faults "a: $(more 'behind the end of' "$zip" "tail -c +$at")"
		# of one file, not of an archive; and the rest by the byte
		{ "$zip" -c x; echo "$zip" rocks; } >a
		at=$(("$(stat -c %s a)" - 6 - ${#zip}))
		both 1
		[[ $(names) == x ]]
		faults "stdin: $(more 'behind the end of' "$zip" "tail -c +$at")"
		take 1 < <(while IFS= read -r -d '' -n 1 byte; do
			[[ -n $byte ]] && printf %s "$byte" || printf '\0'
		done <a)
		faults "stdin: $(more 'behind the end of' "$zip" "tail -c +$at")"
		((n += 1))
	done
	((n == 3))
	# others read on by themselves, and say it
	for zip in xz zstd; do
		{ "$zip" -c 1.tar; echo more; } >a
		both 1
		found 0 0 1
	done
}

@test "a large zip (zip64), joined or not" {
	/usr/bin/python3 - <<-'PYTHON'
		import zipfile
		with zipfile.ZipFile('a', 'w') as z:
		    for i in range(66000):
		        z.writestr('d%d/' % i, '')
		    z.writestr('t', 'text')
	PYTHON
	take 1 <a
	faults 't: format: not a format that is read here: if it holds keys, get them out as PKCS#12'
	# libarchive reads the first one, by its place in the last one
	cat a a >b
	take 1 <b
	faults 't: format: not a format that is read here: if it holds keys, get them out as PKCS#12' \
	    "stdin: $(more 'in front of' zip "head -c $(stat -c %s a)")"
}

@test "archives past the memory ceiling leave no file open" {
	local n

	bundles x y z
	7z a -bd -mx0 a.7z x y z >/dev/null
	for n in {1..60}; do
		ln a.7z "$n.7z"
	done
	tar --hard-dereference -cf a {1..60}.7z
	ulimit -n 40
	take 1 -L memory=1K <a
	[[ $(only fault <"$OUT" | field reason | uniq -c | tr -s ' ') == \
	    ' 60 ceiling' ]]
}

@test "padding, signatures and programs in front are no archives" {
	local kind pad n=0

	bundles x
	zip -qX a.zip x
	zip -qXz b.zip x <<<'a comment'
	# the longest comment; one with the magic of the end; zip64
	head -c 65535 /dev/zero | tr '\0' c | zip -qXz c.zip x
	printf 'PK\5\6%050d' 1 | zip -qXz d.zip x
	zip -qX -fz e.zip x
	7z a -bd a.7z x >/dev/null
	gcab -c a.cab x
	echo x | cpio -o -H newc --quiet >a.cpio
	echo x | cpio -o -H odc -C 10240 --quiet >b.cpio
	gzip -k a.cpio
	for kind in ?.zip a.7z a.cab a.cpio b.cpio a.cpio.gz; do
		for pad in 1 511 65536 100000; do
			{ cat "$kind"; head -c "$pad" /dev/zero; } >a
			take 0 <a
			((n += 1))
		done
		both 0
	done
	((n == 40))
	# a signature behind a cabinet
	openssl cms -sign -signer "$ORG/machine.pem" -inkey "$ORG/machine.key" \
	    -in x -outform DER -out sig
	cat a.cab sig >a
	both 0
	# a program that unpacks itself, signed
	for kind in a.zip b.zip; do
		cat "$(type -P true)" "$kind" sig >a
		take 0 <a
		[[ $(names) == x ]]
	done
}

@test "a slow pipe" {
	local kind

	some
	tar -cf a.tar "${some[@]}"
	zip -q a.zip "${some[@]}"
	7z a -bd a.7z G H >/dev/null
	gzip -k a.tar
	for kind in tar.gz zip 7z; do
		take 0 <"a.$kind"
		records <"$OUT" >want
		take 0 < <(
			while dd bs=97 count=1 2>log && grep -q '^[01]+[01].* in$' log &&
			    ! grep -q '^0+0.* in$' log; do
				:
			done <"a.$kind"
		)
		diff want <(records <"$OUT") >&2
	done
}

@test "formats that nobody writes any more, from the corpora" {
	local file want n=0

	need_shared corpora/archives
	while IFS='|' read -r file want; do
		cp "$archives/libarchive/$file" a
		both 1
		diff <(echo "$want") <(field source <"$OUT" | paste -sd ' ') >&2
		[[ $(field reason <"$OUT" | sort -u) == format ]]
		((n += 1))
	done <<'FILES'
test_read_format_rar.rar|test.txt testdir/test.txt
test_read_format_rar5_stored_manyfiles.rar|make_uue.tcl cebula.txt test.bin
test_read_format_lha_lh6.lzh|file1 file2
test_read_format_lha_header1.lzh|file1 file2
test_read_format_zip_zip64a.zip|-
FILES
	((n == 5))
}

@test "a volume of a RAR set in which no file begins" {
	local part n=0

	need_shared corpora/archives
	for part in 02 05 07; do
		cp "$archives/libarchive/test_read_format_rar5_multiarchive.part$part.rar" a
		both 1
		faults 'stdin: unsupported: no file begins in this RAR archive, or volume of a set: unpack it with its own tool and feed the files in'
		((n += 1))
	done
	((n == 3))
}

@test "what libarchive would open local files or run programs for" {
	local file n=0

	cp "$ORG/keys/erin-1998.pem" secret
	printf '#mtree\n./x type=file contents=%s\n' "$PWD/secret" >a
	both 1
	faults 'stdin: format: not a format that is read here: if it holds keys, get them out as PKCS#12'
	need_shared corpora/archives
	for file in cpio/test_extract.cpio.lrz tar/test_extract.tar.grz \
	    tar/test_extract.tar.lzo; do
		cp "$archives/$file" a
		both 1
		faults 'stdin: format: not a format that is read here: if it holds keys, get them out as PKCS#12'
		((n += 1))
	done
	((n == 3))
}

# sources: the sources of the records on stdin, sorted, each once.
sources()
{
	field source | sort -u
}

@test "an archive inside the archive is opened: all kinds, in all kinds" {
	local inner outer n=0
	local -a all=(in.tar in.v7 in.tar.gz in.tar.bz2 in.tar.xz in.tar.zst
	    in.tar.lzma in.tar.lz in.rpm in.tar.lz4 in.tar.Z in.zip in.7z in.cab in.cpio in.odc in.bin
	    in.iso in.warc)

	some
	tar -cf in.tar "${some[@]}"
	tar --format=v7 -cf in.v7 "${some[@]}"
	gzip -k in.tar
	bzip2 -k in.tar
	xz -k in.tar
	zstd -q in.tar
	bsdtar --lz4 -cf in.tar.lz4 "${some[@]}"
	bsdtar --lzma -cf in.tar.lzma "${some[@]}"
	bsdtar --lzip -cf in.tar.lz "${some[@]}"
	rpm_of "${some[@]}" >in.rpm
	bsdtar -Zcf in.tar.Z "${some[@]}"
	zip -q in.zip "${some[@]}"
	7z a -bd in.7z G H >/dev/null
	gcab -c in.cab "${some[@]}"
	printf '%s\n' "${some[@]}" | cpio -o -H newc --quiet >in.cpio
	printf '%s\n' "${some[@]}" | cpio -o -H odc --quiet >in.odc
	printf '%s\n' "${some[@]}" | cpio -o -H bin --quiet >in.bin
	bsdtar --format iso9660 -cf in.iso "${some[@]}"
	bsdtar --format warc -cf in.warc "${some[@]}"
	tar -cf a "${some[@]}"
	take 0 <a
	sources <"$OUT" >want
	for inner in "${all[@]}"; do
		tar -cf a "$inner"
		both 0 || {
			echo "$inner" >&2
			return 1
		}
		said
		came_to 4 2 2 0 0
		diff <(sed "s|^|$inner/|" want) <(sources <"$OUT" | sed 's|ISO/||') >&2
		((n += 1))
	done
	((n == 19))
	bundles x
	for outer in 'zip -q0 -' 'zip -q -' 'bsdtar --format 7zip -cf -' \
	    'bsdtar -czf -' 'bsdtar --format iso9660 -cf -' \
	    'bsdtar --format newc -cf -'; do
		for inner in in.tar.gz in.zip in.7z; do
			$outer "$inner" x >a
			both 0 || {
				echo "$inner in $outer" >&2
				return 1
			}
			came_to 5 3 2 0 0
			diff <(sed "s|^|$inner/|" want; echo x) <(sources <"$OUT") >&2
			((n += 1))
		done
	done
	((n == 37))
}

@test "a compressed member keeps its path" {
	bundles x
	openssl pkcs12 -export -in x -out bundle.pfx -passout pass:
	mkdir -p G/U
	gzip -c bundle.pfx >G/U/bundle.pfx.gz
	xz -c x >G/U/x
	tar -cf a G
	both 0
	came_to 2 2 0 0 0
	diff <(printf '%s\n' G/U/bundle.pfx.gz G/U/x) <(sources <"$OUT") >&2
	# of a file that has no keys
	echo text | gzip >t.gz
	tar -cf a t.gz x
	both 1
	faults 't.gz: format: not a format that is read here: if it holds keys, get them out as PKCS#12'
	came_to 2 1 0 1 0
}

@test "an archive two levels down is a fault that says so" {
	bundles x y
	tar -cf in.tar x
	zip -q in.zip in.tar y
	tar -cf a in.zip x
	both 1
	faults 'in.zip/in.tar: unsupported: tar archive: unpack it and feed in what it holds'
	came_to 3 2 0 1 0
	# too large to be read, but not to be named
	both 1 -L member=2K
	faults 'in.zip/in.tar: unsupported: tar archive: unpack it and feed in what it holds'
	gzip -c in.zip >in.zip.gz
	tar -cf a in.zip.gz x
	both 1
	faults 'in.zip.gz/in.tar: unsupported: tar archive: unpack it and feed in what it holds'
	came_to 3 2 0 1 0
}

@test "an archive inside that is cut, damaged, empty or a bomb" {
	local what='the archive is cut or damaged here: fetch it again'

	bundles x y z
	tar -b 1 -cf in.tar x y
	head -c -1600 in.tar >cut.tar
	tar -cf a cut.tar z
	both 1
	[[ $(names) == 'x z' ]]
	faults "cut.tar/y: cut: Truncated tar archive: $what" \
	    'cut.tar: cut: the archive cannot be read any further'
	came_to 4 2 0 2 0
	7z a -bd in.7z x y >/dev/null
	head -c 200 in.7z >cut.7z
	zip -q in.zip x y
	printf 'PK\3\4 and so on' >no.zip
	mkdir d
	tar -cf empty.tar.d d
	: | gzip >empty.gz
	tar -cf a cut.7z no.zip empty.tar.d empty.gz z
	both 1
	[[ $(names) == z ]]
	diff <(printf '%s\n' cut.7z empty.gz empty.tar.d no.zip) \
	    <(only fault <"$OUT" | sources) >&2
	grep -qx 'kms-export: empty.tar.d: tar archive with nothing in it' "$ERR"
	grep -qx 'kms-export: empty.gz: gzip archive with nothing in it' "$ERR"
	# the outer one is cut inside the inner one
	tar -b 1 -cf o.tar z in.tar
	head -c -1800 o.tar >a
	both 1
	only fault <"$OUT" | field source | grep -qx in.tar
	[[ $(only fault <"$OUT" | field source | tail -n 1) == stdin ]]
	[[ $(names) == z* ]]
	# two hundred megabytes
	head -c 200M /dev/zero | tr '\0' x | gzip -1 >bomb.gz
	tar -cf a bomb.gz x
	take 1 <a
	faults 'bomb.gz: ceiling: larger than 16777216 bytes, the ceiling of a member: raise it with -L member='
	[[ $(names) == x ]]
	take 1 -L total=100M <a
	faults 'bomb.gz: ceiling: larger than 16777216 bytes, the ceiling of a member: raise it with -L member=' \
	    'stdin: ceiling: the archive passes the ceiling total=104857600: raise it with -L total='
}

@test "-L members, member, memory with an archive inside" {
	bundles x y z
	zip -q in.zip x y
	tar -cf a in.zip z
	both 0 -L members=3
	both 1 -L members=2
	[[ $(names) == 'x y' ]]
	faults 'stdin: ceiling: the archive passes the ceiling members=2: raise it with -L members='
	# not for the container
	head -c 40000 /dev/urandom >r
	zip -q big.zip r x
	tar -cf a big.zip z
	both 1 -L member=20K
	faults 'big.zip/r: ceiling: larger than 20480 bytes, the ceiling of a member: raise it with -L member='
	[[ $(names) == 'x z' ]]
	# what must seek
	7z a -bd in.7z x y r >/dev/null
	tar -cf a in.7z z
	both 1 -L memory=9K
	faults 'in.7z: ceiling: the archive passes the ceiling memory=9216: raise it with -L memory='
	[[ $(names) == z ]]
}

@test "what is no archive is not taken for one" {
	local -a all=(k1 k2 k3 k4)

	bundles x
	{ echo 'BZhello, this is'; cat x; } >k1
	{ echo '!<arch> of a bridge'; cat x; } >k2
	{ echo 'WARC/1 in text'; cat x; } >k3
	{ echo 'MSCF'; head -c 600 /dev/zero | tr '\0' '0'; echo; cat x; } >k4
	tar -cf a "${all[@]}"
	both 0
	came_to 4 4 0 0 0
	echo 070707 is a number >k
	tar -cf a k
	both 1
	[[ $(only fault <"$OUT" | field reason) == format ]]
}

@test "links, directories and devices are no members" {
	bundles x
	mkdir d
	ln -s ../x d/soft
	ln x hard
	mkfifo fifo
	tar -cf a d x hard fifo
	both 0 -v
	[[ $(names) == x ]]
	came_to 1 1 0 0 0
	grep -qx 'kms-export: d/soft: a link: not followed' "$ERR"
	grep -qx 'kms-export: hard: a link: not followed' "$ERR"
	tar -cf a d hard
	both 0
	[[ $(only key <"$OUT" | field source) == hard ]]
	# cpio has the data of a file with the last of its names
	printf '%s\n' x hard | cpio -o -H newc --quiet >a
	both 1
	[[ $(only key <"$OUT" | field source) == hard ]]
	faults 'x: empty: empty file: fetch it again'
}

@test "a name is a name: nothing is written anywhere" {
	local before

	bundles x
	mkdir elsewhere
	tar -P -cf a --transform "s|.*|$PWD/elsewhere/abs|" x
	tar -P -rf a --transform 's|.*|../elsewhere/rel|' x
	tar -P -rf a --transform 's|.*|elsewhere/../../up|' x
	before=$(files)
	take 0 <a
	same_files "$before" kms-export
	diff <(printf '%s\n' "$PWD/elsewhere/abs" ../elsewhere/rel \
	    elsewhere/../../up) <(field source <"$OUT") >&2
	[[ -z $(find elsewhere -mindepth 1) ]]
}

@test "the writer of a pipe is heard out" {
	local i

	bundles x
	mkdir many
	for i in {1..900}; do
		printf 'many/%0200d\n' "$i"
	done >names
	while read -r name; do
		: >"$name"
	done <names
	# a directory of 240 KB behind the last member
	zip -q a.zip x -@ <names
	take 1 -q < <(cat a.zip; echo $? >cat.status)
	until_true test -s cat.status
	[[ $(<cat.status) == 0 && $(names) == x ]]
	take 0 < <(tar -b 2048 -c x; echo $? >tar.status)
	until_true test -s tar.status
	[[ $(<tar.status) == 0 ]]
}

# cuts_of FILE: where a tar of one-block records could be cut, with how many
# members are whole before: in headers, data and padding, and on every border.
cuts_of()
{
	local i size at=0 whole=0

	for i in "${@:2}"; do
		size=$(stat -c %s "$i")
		printf '%d %d\n' $((at + 1)) "$whole" $((at + 511)) "$whole" \
		    $((at + 512)) "$whole" $((at + 512 + size / 2)) "$whole" \
		    $((at + 512 + size - 1)) "$whole"
		((whole += 1))
		printf '%d %d\n' $((at + 512 + size)) "$whole" \
		    $((at + 512 + (size + 511) / 512 * 512 - 1)) "$whole" \
		    $((at + 512 + (size + 511) / 512 * 512)) "$whole"
		((at += 512 + (size + 511) / 512 * 512))
	done
	printf '%d %d\n' $((at + 100)) "$whole" $((at + 511)) "$whole"
}

@test "a tar that is cut: what was whole is exported, and the cut is a fault" {
	local at whole n=0
	local -a all=(x y z)

	bundles "${all[@]}"
	# no padding may end on a border by itself
	echo >>y
	tar -b 1 -cf a.tar "${all[@]}"
	while read -r at whole; do
		# before the first header is whole it is no tar
		((at >= 512)) || continue
		head -c "$at" a.tar >a
		take 1 <a || {
			echo "at $at" >&2
			return 1
		}
		diff <(echo "$at: ${all[*]:0:whole}") \
		    <(echo "$at: $(names)") >&2
		only fault <"$OUT" | field reason | grep -qx cut
		[[ $(only fault <"$OUT" | field source | tail -n 1) == stdin ]]
		((n += 1))
	done < <(cuts_of a.tar "${all[@]}")
	((n == 24))
	# behind the end marker nothing is missing
	head -c -512 a.tar >a
	both 0
	head -c 2000 a.tar >a
	both 1
	for at in 1 100 511; do
		head -c "$at" a.tar >a
		both 1
		found 0 0 1
	done
}

@test "a tar that is cut behind a directory, a link, a member too large" {
	local last

	bundles x
	mkdir d
	ln -s x soft
	head -c 3000 /dev/zero >large
	for last in d soft large; do
		tar -b 1 -cf a.tar x "$last"
		head -c -1024 a.tar >a
		both 1 -L member=2K
		[[ $(names) == x ]]
		only fault <"$OUT" | field reason | grep -qx cut
		take 1 -L member=2K -u x <a
		only fault <"$OUT" | field reason | grep -qx cut
		tar -b 1 -cf a x "$last"
		both "$([[ $last == large ]] && echo 1 || echo 0)" -L member=2K
		only fault <"$OUT" | field reason | not grep -qx cut
	done
}

@test "a tar that is cut in the compressed layer" {
	local zip at n=0

	bundles x y z
	head -c 100000 /dev/urandom >r1
	head -c 100000 /dev/urandom >r2
	tar -cf a.tar x r1 y r2 z
	for zip in gzip bzip2 xz zstd lz4; do
		if [[ $zip == lz4 ]]; then
			bsdtar --lz4 -cf a.z x r1 y r2 z
		else
			"$zip" -c a.tar >a.z
		fi
		# behind y; libarchive loses up to a block of what it unpacked
		head -c $(($(stat -c %s a.z) * 3 / 4)) a.z >a
		both 1
		case $zip in
		bzip2 | lz4)	[[ $(names) == '' ]] ;; # larger blocks
		*)		[[ $(names) == 'x y' ]] ;;
		esac
		only fault <"$OUT" | field reason | grep -qx 'cut\|damaged'
		[[ $(only fault <"$OUT" | field source | tail -n 1) == stdin ]]
		head -c 100 a.z >a
		both 1
		found 0 0 1
		((n += 1))
	done
	((n == 5))
	# unpacked before, not one member is lost
	gzip -c a.tar >a.gz
	head -c $(($(stat -c %s a.gz) - 600)) a.gz >cut.gz
	take 1 < <(gzip -dc cut.gz 2>log)
	[[ $(names) == 'x y' ]]
}

@test "a zip that is cut" {
	local at n=0 size whole

	bundles x y z
	zip -q a.zip x y z
	size=$(stat -c %s a.zip)
	# where the local headers and the directory begin
	mapfile -t at < <(LC_ALL=C grep -abo $'PK\x03\x04' a.zip | cut -d : -f 1)
	at[3]=$(LC_ALL=C grep -abo $'PK\x01\x02' a.zip | head -n 1 | cut -d : -f 1)
	for whole in 0 1 2; do
		for cut in "${at[whole]}" $((at[whole] + 2)) \
		    $((at[whole] + 20)) $((at[whole] + 100)) \
		    $((at[whole + 1] - 1)); do
			((cut >= 30)) || continue
			head -c "$cut" a.zip >a
			both 1
			diff <(echo "$cut: $(printf '%s\n' x y z |
			    head -n "$whole" | paste -sd ' ')") \
			    <(echo "$cut: $(names)") >&2
			only fault <"$OUT" | field reason | grep -qx cut
			[[ $(only fault <"$OUT" | field source | tail -n 1) == \
			    stdin ]]
			((n += 1))
		done
	done
	((n == 12))
	# in the directory: all members are there
	for cut in "${at[3]}" $((at[3] + 10)) $((size - 10)); do
		head -c "$cut" a.zip >a
		both 1
		[[ $(names) == 'x y z' ]]
		only fault <"$OUT" | field reason | grep -qx cut
	done
}

@test "7z, cab and cpio that are cut" {
	local kind size cut n=0

	bundles x y z
	7z a -bd a.7z x y z >/dev/null
	gcab -c a.cab x y z
	printf '%s\n' x y z | cpio -o -H newc --quiet >a.cpio
	for kind in 7z cab cpio; do
		size=$(stat -c %s "a.$kind")
		# cpio has padding behind its last entry
		[[ $kind != cpio ]] ||
		    size=$(LC_ALL=C grep -abo TRAILER a.cpio | cut -d : -f 1)
		for cut in 6 32 $((size / 3)) $((size * 2 / 3)) $((size - 1)); do
			head -c "$cut" "a.$kind" >a
			both 1
			((n += 1))
			[[ $kind != 7z ]] || found 0 0 1
		done
		# of the last one, all but what was cut
		[[ $kind != cab ]] || [[ $(names) == 'x y' ]]
		[[ $kind != cpio ]] || [[ $(names) == 'x y z' ]]
	done
	((n == 15))
}

@test "damage in the middle: the rest is spoken for" {
	local at

	bundles x y z
	zip -qX a.zip x y z
	at=$(LC_ALL=C grep -abo $'PK\x03\x04' a.zip | sed -n '2s/:.*//p')
	cp a.zip a
	head -c 40 /dev/zero | tr '\0' '\377' |
	    dd of=a bs=1 seek=$((at + 40)) conv=notrunc 2>log
	both 1
	[[ $(names) == x ]]
	faults 'y: damaged: ZIP decompression failed (-3): the archive is cut or damaged here: fetch it again' \
	    'stdin: damaged: the archive cannot be read any further'
	came_to 2 1 0 1 0
	# a checksum is wrong: that member only
	zip -0 -q b.zip x y z
	at=$(LC_ALL=C grep -abo 'BEGIN CERTIFICATE' b.zip | sed -n '2s/:.*//p')
	mv b.zip a
	printf '!' | dd of=a bs=1 seek=$((at + 50)) conv=notrunc 2>log
	both 1
	[[ $(names) == 'x z' ]]
	[[ $(only fault <"$OUT" | cut -f 3-5) == \
	    $'source:y\treason:damaged\tdetail:ZIP bad CRC: '* ]]
	came_to 3 2 0 1 0
}

# passwords N PASSWORD...: a file $pws of N wrong ones, then these.
passwords()
{
	pws=$PWD/pws
	seq -f 'wrong-%.0f' "$1" >"$pws"
	printf '%s\n' "${@:2}" >>"$pws"
	chmod 600 "$pws"
}

# unlucky ZIP MEMBER...: two wrong passwords for each that seem right to
# ZipCrypto, as one in 256 does.
unlucky()
{
	/usr/bin/python3 - "$@" <<-'PYTHON'
		import itertools
		import sys
		import zipfile

		def seems_right(z, name, word):
		    try:
		        z.open(name, pwd=word.encode()).close()
		    except RuntimeError:
		        return False
		    return True

		z = zipfile.ZipFile(sys.argv[1])
		for name in sys.argv[2:]:
		    words = ('unlucky-%d' % i for i in itertools.count())
		    print(*itertools.islice(
		        (w for w in words if seems_right(z, name, w)), 2), sep='\n')
	PYTHON
}

@test "an encrypted zip: each password is tried" {
	local kind n=0
	local -a all

	bundles x y z w
	zip -qP one stream.zip x y
	zip -q stream.zip w
	zip -qP two stream.zip z
	zip -q0P one stored.zip x y
	zip -q0P two stored.zip z
	zip -q0 stored.zip w
	mapfile -t all < <(unlucky stream.zip x y z
	    unlucky stored.zip x y z)
	((${#all[@]} == 12))
	passwords 100 "${all[@]}" one two
	7z a -bd -tzip -mem=AES256 -pone aes.zip x y >/dev/null
	7z a -bd -tzip -mem=AES256 -ptwo aes.zip z >/dev/null
	7z a -bd -tzip aes.zip w >/dev/null
	for kind in stream stored aes; do
		cp "$kind.zip" a
		both 0 -p "list:$pws"
		[[ $(names | tr ' ' '\n' | sort | paste -sd ' ') == 'w x y z' ]]
		came_to 4 4 0 0 0
		said 'x: encrypted by the archive: the process that reads it is given the passwords'
		tar -cf a "$kind.zip"
		both 0 -p "list:$pws"
		came_to 4 4 0 0 0
		((n += 1))
	done
	((n == 3))
}

@test "an encrypted member past its ceiling: each password is tried" {
	local none='big: password: encrypted by the archive: no password opens it (wrong password or damaged file): give its password with -p, or unpack it with its own tool and feed the files in'
	local what='big: ceiling: larger than 20480 bytes, the ceiling of a member: raise it with -L member='
	local -a all limits=(-L member=20K)

	pair a /CN=a rsa:512
	{ head -c 40000 /dev/urandom; cat a.der a.p8; } >big
	zip -q0P one a.zip big
	mapfile -t all < <(unlucky a.zip big)
	((${#all[@]} == 2))
	passwords 3 "${all[@]}" one
	mv a.zip a
	both 1 -x "${limits[@]}" -p "list:$pws"
	faults "$what; searched (-x): whole certificates 1, keys 1"
	found 1 0 1
	came_to 1 1 0 0 0
	both 1 "${limits[@]}" -p "list:$pws"
	faults "$what"
	# and none of them is damage
	passwords 3 "${all[@]}"
	both 1 -x "${limits[@]}" -p "list:$pws"
	faults "$none"
	both 1 "${limits[@]}" -p "list:$pws"
	faults "$none"
	# what cannot be read twice is searched as it seems to be
	take 1 -x "${limits[@]}" -L memory=30K -p "list:$pws" < <(cat a)
	only fault <"$OUT" | field reason | not grep -qx damaged
	only fault <"$OUT" | field reason | grep -qx password
}

@test "an encrypted zip: the password of the map, of each its own" {
	bundles x y
	passwords 1 y-pass
	zip -qP x-pass a.zip x
	zip -qP y-pass a.zip y
	mv a.zip a
	printf 'path:x\tpass:x-pass\n' >map
	chmod 600 map
	both 0 -m map -p "list:$pws"
	[[ $(names) == 'x y' ]]
	both 1 -m map
	[[ $(names) == x ]]
	# in the archive, with the same password as the archive
	mkdir in
	openssl pkcs12 -export -in x -out in/x.pfx -passout pass:both
	rm a
	zip -qrP both a.zip in
	mv a.zip a
	printf 'path:in/*\tpass:both\n' >map
	both 0 -m map
	came_to 1 1 0 0 0
}

# It seems right, so it is tried first, and once.
@test "an encrypted zip: the password of the map is a wrong one that seems right" {
	local -a all

	bundles x y
	passwords 1 pw
	zip -q0XP pw a.zip x y
	mapfile -t all < <(unlucky a.zip x y)
	((${#all[@]} == 4))
	(umask 077 && printf 'path:x\tpass:%s\npath:y\tpass:%s\n' \
	    "${all[0]}" "${all[2]}" >map)
	mv a.zip a
	both 0 -m map -p "list:$pws"
	[[ $(names) == 'x y' ]]
	# one that opens none does not end the search either
	both 1 -m map
	[[ -z $(names) ]]
	came_to 2 0 0 2 0
}

@test "the password of -c and -S is not for the archive child" {
	local none='x: password: encrypted by the archive: no password opens it (wrong password or damaged file): give its password with -p, or unpack it with its own tool and feed the files in'

	bundles x
	(umask 077 && cp "$ORG/machine.pw" same.pw && echo other >other.pw)
	zip -qP "$(cat same.pw)" a x
	mv a.zip a
	both 1 -S "$ORG/machine.p12" -p file:other.pw -p file:same.pw
	faults "$none"
	cp "$ORG/machine.p12" locked.p12
	both 1 -c locked.p12 -p file:same.pw
	faults 'x: password: encrypted by the archive: give its password with -p'
	# given twice, it is the archive's too; or as the map's
	both 0 -S "$ORG/machine.p12" -p file:same.pw -p file:same.pw
	[[ $(names) == x ]]
	(umask 077 && printf 'path:x\tpass:%s\n' "$(cat same.pw)" >map)
	both 0 -S "$ORG/machine.p12" -p file:same.pw -m map
	[[ $(names) == x ]]
}

@test "what the archive encrypts, without its password" {
	local own='encrypted by the archive: unpack it with its own tool and feed the files in'
	local give='encrypted by the archive: give its password with -p'
	local none='encrypted by the archive: no password opens it (wrong password or damaged file): give its password with -p, or unpack it with its own tool and feed the files in'
	local -a all

	bundles x y
	zip -qP pw a.zip x
	zip -q a.zip y
	mapfile -t all < <(unlucky a.zip x)
	((${#all[@]} == 2))
	passwords 30 "${all[@]}"
	mv a.zip a
	both 1
	[[ $(names) == y ]]
	faults "x: password: $give"
	came_to 2 1 0 1 0
	both 1 -p "list:$pws"
	faults "x: password: $none"
	7z a -bd -tzip -mem=AES256 -ppw aes.zip x >/dev/null
	mv aes.zip a
	both 1 -p "list:$pws"
	faults "x: password: $none"
	7z a -bd -ppw a.7z x y >/dev/null
	mv a.7z a
	both 1 -p "list:$pws"
	faults "x: password: $own" "y: password: $own"
	7z a -bd -ppw -mhe=on a.7z x y >/dev/null
	mv a.7z a
	both 1
	faults 'stdin: password: The archive header is encrypted, but currently not supported: unpack it with its own tool and feed the files in'
	need_shared corpora/archives
	cp "$archives/libarchive/test_read_format_zip_encryption_header.zip" a
	both 1
	faults 'stdin: password: its directory is encrypted: unpack it with its own tool and feed the files in'
}

@test "an encrypted zip that is cut says so" {
	local kind at cut n=0
	local what='the archive is cut or damaged here: fetch it again'
	local give='encrypted by the archive: give its password with -p'
	local wrong='encrypted by the archive: no password opens it (wrong password or damaged file): give its password with -p, or unpack it with its own tool and feed the files in'

	bundles x y z
	passwords 3 pw
	zip -qXP pw deflated.zip x y z
	zip -qX0P pw stored.zip x y z
	7z a -bd -tzip -mem=AES256 -ppw aes.zip x y z >/dev/null
	for kind in deflated stored aes; do
		mapfile -t at < <(LC_ALL=C grep -abo $'PK\x03\x04' "$kind.zip" |
		    cut -d : -f 1)
		# between two members, in a header, at the beginning of data
		for cut in "${at[2]}" $((at[2] + 10)) $((at[2] + 40)); do
			head -c "$cut" "$kind.zip" >a
			both 1 -p "list:$pws"
			# libarchive wants to see more behind y
			[[ $(names) == 'x y' || $(names) == x ]]
			[[ $(only fault <"$OUT" | field reason | sort -u) == cut ]]
			[[ $(only fault <"$OUT" | field source |
			    tail -n 1) == stdin ]]
			((n += 1))
		done
		# in data, where a wrong password looks the same
		head -c $((at[2] + 200)) "$kind.zip" >a
		both 1 -p "list:$pws"
		[[ $(names) == 'x y' ]]
		only fault <"$OUT" | field reason | tail -n 1 | grep -qx cut
	done
	((n == 9))
	# without the password, both
	head -c "${at[2]}" aes.zip >a
	both 1
	faults "x: password: $give" "y: password: $give" \
	    "stdin: cut: it ends early: $what"
	passwords 3
	both 1 -p "list:$pws"
	faults "x: password: $wrong" "y: password: $wrong" \
	    "stdin: cut: it ends early: $what"
}

@test "an encrypted member that is damaged ends, with any list" {
	local at

	bundles x y
	passwords 1000 pw
	zip -q0P pw a.zip x y
	at=$(LC_ALL=C grep -abo $'PK\x03\x04' a.zip | sed -n '2s/:.*//p')
	printf 'damaged' | dd of=a.zip bs=1 seek=$((at - 100)) conv=notrunc 2>log
	mv a.zip a
	both 1 -p "list:$pws"
	[[ $(names) == y ]]
	[[ $(only fault <"$OUT" | field reason) == password ]]
	only fault <"$OUT" | field detail | grep -q 'wrong password or damaged'
	came_to 2 1 0 1 0
}

@test "-L: what is no ceiling" {
	local limit n=0

	for limit in foo=1 =1 member '' member:1 Member=1 memberx=1; do
		refuses 2 "kms-export: -L $limit: not members=, member=, total=, cpu=, memory=, warnings=, wait=, kdf= or kdfs=" \
		    kms-export -c cred.pem -L "$limit" </dev/null
		((n += 1))
	done
	for limit in member= member=0 member=-1 member=+1 'member= 1' member=x \
	    member=1T member=1k member=1KK member=1.5 member=0x10 \
	    total=18446744073709551616 total=99999999999G; do
		refuses 2 "kms-export: -L $limit: not a number above 0, optionally followed by K, M or G" \
		    kms-export -c cred.pem -L "$limit" </dev/null
		((n += 1))
	done
	((n == 20))
}

@test "-L member: one fault, and the walk goes on" {
	local what='larger than 2048 bytes, the ceiling of a member: raise it with -L member='

	bundles x y z
	{ cat y; head -c 2048 /dev/zero | tr '\0' '\n'; } >large
	{ cat y; yes | head -c 2048; } | head -c 2048 >just
	tar -cf a x large just z
	both 1 -L member=2K
	faults "large: ceiling: $what"
	[[ $(names) == 'x y z' ]]
	came_to 4 3 0 1 0
	take 0 -L member=4K <a
	[[ $(names) == 'x y y z' ]]
	take 0 -L member=1K -L member=4K <a
	take 1 -L member=1 <a
	came_to 4 0 0 4 0
	# the default is 16 MiB; zeros pack well
	{ cat y; head -c 16M /dev/zero; } >large
	tar -czf a x large z
	take 1 <a
	faults 'large: ceiling: larger than 16777216 bytes, the ceiling of a member: raise it with -L member='
	[[ $(names) == 'x z' ]]
}

@test "-L members, total: the archive ends there" {
	bundles x y z
	tar -cf a x y z
	both 1 -L members=2
	faults 'stdin: ceiling: the archive passes the ceiling members=2: raise it with -L members='
	[[ $(names) == 'x y' ]]
	came_to 2 2 0 0 0
	both 0 -L members=3
	said
	both 1 -L total=2K
	faults 'stdin: ceiling: the archive passes the ceiling total=2048: raise it with -L total='
	[[ $(names) == x ]]
	both 0 -L total=1M
}

@test "-L memory: of a 7z from a pipe" {
	bundles x y
	7z a -bd a.7z x y >/dev/null
	take 0 -L memory=500 <a.7z
	take 1 -L memory=500 < <(cat a.7z)
	faults 'stdin: ceiling: the archive passes the ceiling memory=500: raise it with -L memory='
	found 0 0 1
	take 0 -L memory=1M < <(cat a.7z)
	[[ $(names) == 'x y' ]]
}

@test "-L memory: of the reader" {
	need_shared corpora/archives
	sanitized && skip 'no limit of memory under AddressSanitizer'
	cp "$archives/libarchive/test_read_format_iso_rockridge_ce_loop.iso.Z" a
	both 1 -L memory=64M
	faults 'stdin: ceiling: the archive passes the ceiling memory=67108864: raise it with -L memory='
	came_to 0 0 0 0 0
}

# It would loop for ever, or as long as there is memory.
@test "-L cpu" {
	need_shared corpora/archives
	sanitized && skip 'takes more memory than there may be'
	take 1 -L cpu=1 -L memory=64G \
	    <"$archives/libarchive/test_read_format_iso_rockridge_ce_loop.iso.Z"
	faults 'stdin: ceiling: the archive passes the ceiling cpu=1: raise it with -L cpu='
}

# large N: a zip of N bytes and more, of which x, y and z are the last.
large()
{
	bundles x y z
	head -c "$1" /dev/urandom >r
	zip -q0X a.zip r x y z
}

@test "-L memory: a larger zip from a pipe is read all the same, and said" {
	local at

	# larger than what is read at a time
	large 200000
	take 1 -L memory=100K < <(cat a.zip)
	[[ $(names) == 'x y z' ]]
	[[ $(only fault <"$OUT" | field source | paste -sd ' ') == 'stdin r' ]]
	only fault <"$OUT" | field detail | head -n 1 | grep -qxF "${piped#*: }"
	take 1 -L memory=1M < <(cat a.zip)
	[[ $(only fault <"$OUT" | field source) == r ]]
	# a local header that is damaged
	at=$(LC_ALL=C grep -abo $'PK\x03\x04' a.zip | tail -n 2 |
	    sed -n '1s/:.*//p')
	printf 'XX' | dd of=a.zip bs=1 seek="$at" conv=notrunc 2>log
	take 1 -q -L memory=100K < <(cat a.zip)
	only fault <"$OUT" | field detail | head -n 1 | grep -qxF "${piped#*: }"
	[[ $(only fault <"$OUT" | field reason | head -n 1) == ceiling ]]
}

@test "-L wait: a reader that does nothing, with more of the backup there" {
	bundles x
	tar -cf a.tar x
	mkfifo in
	timeout -k 1 60 kms-export -c cred.pem -L wait=1 <in >"$OUT" 2>"$ERR" \
	    3>&- &
	pid=$!
	exec 9>in
	until_true has_reader
	kill -STOP "$child"
	cat a.tar >&9
	exec 9>&-
	status=0
	wait "$pid" || status=$?
	pid=
	((status == 1))
	whole 1
	faults 'stdin: ceiling: the archive passes the ceiling wait=1: raise it with -L wait='
	until_true ended "$child"
}

# has_reader: that of a tool under timeout(1).
has_reader()
{
	local tool

	tool=$(<"/proc/$pid/task/$pid/children") && [[ -n $tool ]] &&
	    child=$(<"/proc/${tool% }/task/${tool% }/children") &&
	    child=${child%% *} && [[ -n $child ]]
}

@test "-L warnings" {
	local name

	bundles x
	for name in 1 2 3; do
		cp x "$(printf 'd\xfc%d' "$name")"
	done
	# pax is UTF-8, and this is not
	tar --format=pax -cf a d*
	both 0 -L warnings=3
	take 0 -v <a
	[[ $(grep -c "^kms-export: stdin: Pathname can't be converted" "$ERR") == 3 ]]
	both 1 -L warnings=2
	faults 'stdin: ceiling: the archive passes the ceiling warnings=2: raise it with -L warnings='
	found 2 0 1
}

@test "the reader dies: what came before is exported" {
	bundles x y
	tar -cf a.tar x y
	start
	need_proc
	# x, and half of y
	head -c 2700 a.tar >&9
	until_true waiting
	kill -ABRT "$child"
	finish
	((status == 1))
	whole 1
	[[ $(names) == x ]]
	faults 'stdin: reader: the archive reader was killed by signal 6 (Aborted): the archive is hostile, or libarchive has a fault'
}

@test "the reader holds no password and no file" {
	(umask 077 && echo from-a-file >pw)
	exec 8<pw
	PW=from-the-environment start -p env:PW -p fd:8
	exec 8<&-
	need_proc
	printf x >&9
	until_true waiting
	[[ -e /proc/$pid/fd/8 ]]
	not grep -q from-the-environment "/proc/$child/environ"
	# nor does the tool, once it has read it
	not grep -q from-the-environment "/proc/$pid/environ"
	# passwords, frames, nothing, the backup
	diff <(printf '%s\n' 0 1 2 3) <(cd "/proc/$child/fd" && ls) >&2
	sanitized || [[ $(readlink "/proc/$child/fd/2") == /dev/null ]]
	finish
	((status == 1))
}

@test "the reader does not outlive kms-export" {
	start
	need_proc
	printf x >&9
	until_true waiting
	kill -KILL "$pid"
	wait "$pid" || :
	pid=
	until_true ended "$child"
	exec 9>&-
}

# The member with the key waits for a certificate, in the temporary file: with more
# than is kept in memory before it is written.
@test "no temporary file holds a clear key" {
	local fd i key long

	pair a /CN=a rsa:512
	pair b /CN=b rsa:512
	head -c 100000 /dev/zero >rest
	long=$(printf '%0200d' 0)
	mkdir more
	for i in {1..300}; do
		cp b.pem "more/$i.$long"
	done
	tar -cf a.tar a.key b.pem more rest
	start
	need_proc
	head -c -60000 a.tar >&9
	until_true waiting
	fd=$(find "/proc/$pid/fd" -lname "$TMPDIR/*")
	[[ $(wc -l <<<"$fd") == 1 ]]
	[[ $(readlink "$fd") == *' (deleted)' ]]
	until_true in_file "$fd" "$(hex <b.der)"
	# RFC 8017 appendix A.1.2: the second half is all secrets
	key=$(hex <a.p8)
	key=${key:${#key} - 200:40}
	not in_file "$fd" "$key"
	hex <a.p8 | grep -q "$key"
	[[ -z $(find "$TMPDIR" -mindepth 1) ]]
	finish
	((status == 1))
}

# in_file FILE HEX: the file has these bytes.
in_file()
{
	hex <"$1" | grep -q "$2"
}

@test "no file is written, nothing is executed, nobody is called" {
	local kind
	local -a trace=(strace -f -qq -o log
	    -e 'trace=execve,execveat,open,openat,creat,socket,memfd_create,connect')

	export ASAN_OPTIONS+=:detect_leaks=0 # not under ptrace
	"${trace[@]}" true 2>/dev/null || skip 'no strace here'
	some
	tar -czf a.tgz "${some[@]}"
	7z a -bd a.7z G H >/dev/null
	for kind in tgz 7z; do
		"${trace[@]}" kms-export -q -c cred.pem < <(cat "a.$kind") \
		    >"$OUT" 2>"$ERR"
		whole 0
		# so that we know that it saw something, of the child too
		grep -q '"cred.pem", O_RDONLY' log
		[[ $(cut -d ' ' -f 1 log | sort -u | wc -l) -gt 1 ||
		    $kind == tgz ]]
		[[ $(grep -c 'execve' log) == 1 ]]
		grep 'O_WRONLY\|O_RDWR\|O_CREAT\|creat(' log |
		    grep -v '"/dev/null"' >written
		[[ $(wc -l <written) == 1 ]]
		grep -q "\"$TMPDIR\", O_RDWR|O_CLOEXEC|O_TMPFILE" written
		not grep -q 'socket(\|connect(' log
		[[ $(grep -c memfd_create log) == "$([[ $kind == 7z ]] &&
		    echo 1 || echo 0)" ]]
	done
}

# sweep HOW STEP OFFSET: kms-export ends and tells the truth on archives of the
# corpora, from a file or from a pipe.
sweep()
{
	local file status n=0 step=$2

	need_shared corpora/archives
	[[ ${KMS2CA_SWEEP-} != all ]] || step=1
	while read -r file; do
		# under AddressSanitizer it takes more memory than there is
		if [[ $file == *rockridge_ce_loop* ]] && sanitized; then
			continue
		fi
		echo "$file" >&2
		status=0
		if [[ $1 == file ]]; then
			timeout -k 1 60 kms-export -L cpu=9 -c cred.pem \
			    <"$archives/$file" >"$OUT" 2>"$ERR" || status=$?
		else
			timeout -k 1 60 kms-export -L cpu=9 -c cred.pem \
			    < <(cat "$archives/$file") \
			    >"$OUT" 2>"$ERR" || status=$?
		fi
		harmless "$file"
		((status <= 2))
		[[ -z $(find "$TMPDIR" -mindepth 1) ]]
		not grep -q 'reason:reader' "$OUT"
		if ((status == 2)); then
			nothing_out "$file"
		else
			whole "$status"
		fi
		((n += 1))
	done < <(awk -F '\t' -v "step=$step" -v "at=$3" \
	    'NR > 1 && (NR % step == at % step) { print $1 }' \
	    "$archives/manifest.tsv")
	((n >= 280 / step))
}

@test "sweep: archives of the corpora, from files" {
	sweep file 10 1
}

@test "sweep: archives of the corpora, from pipes" {
	sweep pipe 10 6
}

@test "sweep: all CMS and PKCS#12 files of the corpora in one backup" {
	need_shared corpora/pkcs12
	tar -C "$shared/corpora" -czf a cms pkcs12
	take 1 -q -g '*' <a
	[[ $members == "$(tar -tzf a | grep -vc '/$') "* ]]
	(($(only key <"$OUT" | wc -l) > 30))
	not grep -q -a -P '[\x00-\x08\x0b-\x1f\x7f]' "$OUT"
}

# To libarchive a block of zeros is a tar without members.
@test "an image of a disk that begins with zeros is no empty archive" {
	local input

	pair a /CN=a
	{ head -c 3000000 /dev/zero; cat a.der; head -c 999 /dev/zero
	    cat a.p8; } >image
	for input in image <(cat image); do
		take 1 <"$input"
		found 0 0 1
		faults 'stdin: format: not a format that is read here: if it holds keys, get them out as PKCS#12'
		came_to 1 0 0 1 0
	done
	for input in image <(cat image); do
		take 1 -x <"$input"
		found 1 0 1
		[[ $(only key <"$OUT" | field source) == "stdin@$((3000999 +
		    $(stat -c %s a.der)))" ]]
		came_to 1 1 0 0 0
	done
}
