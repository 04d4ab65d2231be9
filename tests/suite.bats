# The rules that nobody should have to remember: what each tool has, and what
# is the same in all of them.

load common

setup()
{
	local file

	common_setup
	tools=()
	# shellcheck disable=SC2154 # common.bash sets it
	for file in "$root"/tools/*.{c,sh}; do
		file=${file##*/}
		tools+=("${file%.*}")
	done
	((${#tools[@]} >= 10))
}

need_mandoc()
{
	command -v mandoc >/dev/null || skip 'no mandoc'
}

# usage_of TOOL: what follows its name in its usage, on one line.
usage_of()
{
	"$1" -: 2>&1 >/dev/null | sed -n '/^usage: /,$p' | tr '\n\t' '  ' |
	    sed -E "s/^usage: $1 //; s/ +/ /g; s/ $//"
}

# letters_of TOOL: the options of its usage, one a line: letter and operand.
letters_of()
{
	usage_of "$1" | grep -oE -e '-[A-Za-z]+( [a-z=]+)?' | awk '{
		if ($2 != "" || length($1) == 2)
			print substr($1, 2), $2
		else
			for (i = 2; i <= length($1); i++)
				print substr($1, i, 1)
	}' | sed 's/ $//'
}

# getopt_of TOOL: the options that its source asks getopt(3) for, or getopts, but
# for -h.
getopt_of()
{
	sed -n -e 's/.*tool_option(argc, argv, "\([^"]*\)".*/\1qVv/p' \
	    -e 's/^while getopts :\(.*\)h\([^ ]*\) .*/\1\2/p' "$root/tools/$1".*
}

# section NAME FILE: the lines of that section of a page.
section()
{
	awk -v "name=$1" '
	/^\.Sh/ { on = substr($0, 5) == name; next }
	on' "$2"
}

# option_letters: those of kms2ca(7): letter, operands, meaning, apart by TABs.
option_letters()
{
	section 'OPTION LETTERS' "$root/man/kms2ca.7" |
	    sed -n 's/ Ns //g; s/ , / /g; s/\<Ar //g; s/ *\\& */ /
	    s/^\.It Fl \([A-Za-z]\) Ta *\(.*\) *Ta \(.*\)/\1\t\2\t\3/p' |
	    sed 's/ *\t */\t/g'
}

# rooms: those of README's table, from the top, each with what it may include.
rooms()
{
	awk '/^    room .* may include$/ { at = index($0, "may include"); next }
	at && !NF { exit }
	at { print $1, substr($0, at) }' "$root/README"
}

# edges: which file of common/ uses which, by its include lines and its object.
edges()
{
	local file
	local objects=${KMS2CA_BIN-$root/build/bin}/../common

	for file in "$root"/common/*/*.[ch]; do
		sed -n 's/^#include "\(.*\)\.h"$/\1/p' "$file" |
		    file=${file#"$root/common/"} awk '{
			sub(/\.[ch]$/, "", ENVIRON["file"])
			print ENVIRON["file"], $0
		}'
	done
	# an undefined symbol uses the object that defines it
	(cd "$objects" && nm -A -g --defined-only -- */*.o) |
	    sed -E 's/\.o:[^ ]* [TBDRGS] / /; t; d' >defined
	(cd "$objects" && nm -A -u -- */*.o) |
	    sed -E 's/\.o: +U / /' | awk '
	    NR == FNR { by[$2] = $1; next }
	    $2 in by { print $1, by[$2] }' defined -
}

@test 'a file of common/ lies in a room, and uses only that and those under it' {
	rooms >table
	# none flat, none beside the table
	[[ -z $(compgen -G "$root/common/*.*") ]]
	(cd "$root/common" && printf '%s\n' *) | diff - <(cut -d ' ' -f 1 table |
	    sort)
	# and what a line of the table names is under it
	awk '{ above[$1]; for (i = 2; i <= NF; i++) if ($i in above) {
		print $1 " may include " $i ", which is above it"
		bad = 1
	} }
	END { exit bad }' table >&2
	command -v nm >/dev/null || skip 'no nm'
	edges | sort -u >arrows
	(($(wc -l <defined) > 300 && $(wc -l <arrows) > 300))
	awk 'NR == FNR { for (i = 1; i <= NF; i++) may[$1, $i]; next }
	{
		split($1, from, "/")
		split($2, to, "/")
		if (!((from[1], to[1]) in may)) {
			print $1 " may not use " $2
			bad = 1
		}
	}
	END { exit bad }' table arrows >&2
}

@test 'there is no circle among the files of common/' {
	command -v nm >/dev/null || skip 'no nm'
	edges | awk '$1 != $2' | sort -u >arrows
	tsort arrows >"$OUT" 2>"$ERR" || true
	says
}

@test 'every tool has a page and a test file, and no page is of no tool' {
	local tool page

	for tool in "${tools[@]}"; do
		[[ -s $root/man/$tool.1 && -s $root/tests/$tool.bats ]] || {
			echo "no page or no test: $tool" >&2
			return 1
		}
		[[ -x $(command -v "$tool") ]]
	done
	for page in "$root"/man/*.1; do
		page=${page##*/}
		[[ " ${tools[*]} " == *" ${page%.1} "* ]]
	done
}

@test 'README is a front page, kms2ca(7) an overview; both name every tool' {
	local tool

	for tool in "${tools[@]}"; do
		grep -q "^    $tool  " "$root/README"
		grep -q "^\.It Xr $tool 1 Ta " "$root/man/kms2ca.7"
	done
	[[ $(grep -c '^\.It Xr .* 1 Ta ' "$root/man/kms2ca.7") == \
	    "${#tools[@]}" ]]
	(($(sed '/^Licence$/,$d' "$root/README" | wc -l) <= 150))
	(($(wc -l <"$root/man/kms2ca.7") < 300))
}

@test 'usage is the SYNOPSIS' {
	local tool usage

	need_mandoc
	for tool in "${tools[@]}"; do
		usage=$(usage_of "$tool")
		[[ -n $usage ]]
		mandoc -T ascii -O width=1000 "$root/man/$tool.1" | col -bx |
		    sed -n '/^SYNOPSIS/,/^$/s/^ *'"$tool"' //p' |
		    diff -u - <(echo "$usage")
	done
}

@test '-h has each option in a line, with the first sentence of the page' {
	local tool letter

	for tool in "${tools[@]}"; do
		run_tool 0 "$tool" -h
		[[ ! -s $ERR ]]
		mv "$OUT" help
		[[ $(awk 'length($0) > 78 && !/^usage/' help) == '' ]]
		for letter in $(letters_of "$tool" | cut -c 1) h; do
			grep -q -E "^  -$letter( [a-z=]+|, --help)? +[A-Za-z]" help
		done
		# no macro of mdoc, no half sentence
		not grep -q -E '^\.|\\| (Ar|Fl|Xr|Ns) |[:(]$' help
		tail -n 1 help | grep -q -F "The page $tool(1) says more"
		run_tool 0 "$tool" --help
		cmp help "$OUT"
		run_tool 0 "$tool" --version
		[[ $(<"$OUT") == "$tool (kms2ca) "[0-9]* ]]
		run_tool 2 "$tool" --helpless
		grep -q "^$tool: invalid option " "$ERR"
	done
	ca-export -h | grep -q -x -e \
	    '  -g group         only users in administrative groups of the KMS that match'
}

@test 'the options of usage, getopt() and page are the same' {
	local tool

	for tool in "${tools[@]}"; do
		letters_of "$tool" | cut -c 1 | sort >usage
		[[ -s usage ]]
		getopt_of "$tool" | grep -o '[A-Za-z]' | sort |
		    diff usage -
		sed -n 's/^\.It Fl \([A-Za-z]\)\( .*\)\?$/\1/p' \
		    "$root/man/$tool.1" | sort | diff usage -
		# and those with an operand have one everywhere
		letters_of "$tool" | sed -n 's/ .*//p' | sort >usage
		getopt_of "$tool" | grep -o '[A-Za-z]:' | tr -d : |
		    sort | diff usage -
		sed -n 's/^\.It Fl \([A-Za-z]\) Ar .*/\1/p' \
		    "$root/man/$tool.1" | sort | diff usage -
	done
}

@test 'an option letter means the same in all tools, as kms2ca(7) says' {
	local tool letter

	option_letters >letters
	cut -f 1 letters | LC_ALL=C sort -u | diff - <(cut -f 1 letters)
	for tool in "${tools[@]}"; do
		letters_of "$tool" >used
		awk -v "tool=$tool" '
		# the words of a text that say something, cut to their stem
		function stems(text, set,	i, n, w) {
			n = split(tolower(text), w, /[^A-Za-z0-9]+/)
			for (i = 1; i <= n; i++)
				if (length(w[i]) > 3 && w[i] !~ few)
					set[substr(w[i], 1, 4)]
		}
		function wrong(what) {
			print tool ": -" $1 ": " what
			bad = 1
		}
		BEGIN { few = "^(what|this|only|that|with|otherwise|from|each)$" }
		FILENAME == "letters" {
			split($0, f, "\t")
			operands[f[1]] = " " f[2] " "
			meaning[f[1]] = f[3]
			next
		}
		FILENAME != "used" {
			if (/^\.(It|El|Sh)/)
				on = /^\.It Fl [A-Za-z]( |$)/ ? $3 : ""
			else if (on != "")
				said[on] = said[on] " " $0
			next
		}
		!($1 in meaning) {
			wrong("is not in kms2ca(7)")
			next
		}
		!index(operands[$1], " " $2 " ") {
			wrong("has another operand there than " $2)
		}
		{
			split("", is); stems(meaning[$1], is)
			split("", says); stems(said[$1], says)
			same = 0
			for (w in is)
				same += w in says
			if (!same)
				wrong("says nothing of: " meaning[$1])
		}
		END { exit bad }' letters "$root/man/$tool.1" used >&2
		# these are everywhere
		for letter in q V v; do
			cut -c 1 used | grep -qx "$letter"
		done
	done
}

@test 'exit status: what all have in kms2ca(7), on each page its own cases' {
	local page

	section 'EXIT STATUS' "$root/man/kms2ca.7" >common
	[[ $(grep -c '^\.It [012]$' common) == 3 ]]
	for page in "$root"/man/*.1; do
		section 'EXIT STATUS' "$page" >own
		head -n 3 own | diff - <(printf '%s\n' 'As in' '.Xr kms2ca 7 ,' \
		    'and here:')
		grep -q '^\.It 1$' own
		# no line of one is a line of the other
		grep -v '^\.' common | not grep -xFf - own
	done
}

@test 'every page has its sections, in order' {
	local page

	for page in "$root"/man/*.1; do
		sed -n 's/^\.Sh //p' "$page" | diff - <(printf '%s\n' NAME \
		    SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES DIAGNOSTICS \
		    'SEE ALSO' STANDARDS CAVEATS)
	done
	for page in "$root"/man/*.[57]; do
		sed -n 's/^\.Sh //p' "$page" >sections
		head -n 2 sections | diff - <(printf '%s\n' NAME DESCRIPTION)
		tail -n 3 sections | diff - <(printf '%s\n' 'SEE ALSO' \
		    STANDARDS CAVEATS)
	done
}

@test 'pages are clean' {
	need_mandoc
	mandoc -T lint -W warning "$root"/man/*.[157]
}

@test 'pages fit a terminal of 80 columns, as man of groff shows them' {
	command -v groff >/dev/null || skip 'no groff'
	groff -mandoc -Tutf8 -rLL=78n "$root"/man/*.[157] >"$OUT" 2>"$ERR"
	says
}

@test 'pages refer to pages that are there' {
	local name number

	while read -r _ name number; do
		case $name in
		cat | cut | join | sort | bash | cron | openssl* | sqlite3 | \
		libarchive | nice | shred)
			continue ;;
		esac
		[[ -e $root/man/$name.$number ]] || {
			echo "no page: $name($number)" >&2
			return 1
		}
	done < <(grep -hoE 'Xr [a-z0-9-]+ [0-9]' "$root"/man/*)
}

# wild: numbers and place holders of pages and of printf(3) alike.
wild()
{
	sed -E 's/%[-0-9.*lz]*[a-z]/X/g; s/\b([A-Z][A-Z0-9_]*|[0-9]+)\b/X/g
	    s/X(:X)+/X/g'
}

@test 'each message under DIAGNOSTICS is one of the tool' {
	local tool

	command -v strings >/dev/null || skip 'no strings'
	for tool in "${tools[@]}"; do
		strings -n 3 "$(command -v "$tool")" | wild >messages
		section DIAGNOSTICS "$root/man/$tool.1" |
		    sed -n 's/^\.It "\(.*\)"$/\1/p' | wild >items
		[[ -s items ]]
		awk -v "tool=$tool" '
		# a part of one, or one into which another is printed
		function known(item,	m, at) {
			for (m in said) {
				at = index(m, "X")
				if (index(m, item) > 0 || at > 20 &&
				    index(item, substr(m, 1, at - 1)) == 1 ||
				    said[m] != "" && item ~ said[m])
					return 1
			}
			return 0
		}
		NR == FNR {
			words = re = $0
			gsub(/[][\\.^$*+?(){}|]/, "\\\\&", re)
			gsub(/X/, ".+", re)
			gsub(/[^a-z]/, "", words)
			said[$0] = length(words) < 10 ? "" : re
			next
		}
		{
			# what is in front tells where it went wrong
			item = $0
			while (!known(item) && sub(/^[^:]*: /, "", item))
				continue
			if (length(item) >= 6 && known(item))
				next
			print tool " never says: " $0
			wrong = 1
		}
		END { exit wrong }' messages items >&2
	done
}

# bytes VALUE: a value of the page, such as 64 KiB or 10,000,000, as a number.
bytes()
{
	local -A factor=([KiB]=1024 [MiB]=1048576 [GiB]=1073741824)
	local number unit

	read -r number unit <<<"${1//,/}"
	echo $((number * ${factor[${unit:-none}]-1}))
}

# ceiling ROW: that of the page, by its name or its word for -L, as a number.
ceiling()
{
	local value

	value=$(section CEILINGS "$root/man/kms-record.5" | row=$1 awk -F ' Ta ' '
	    $1 == ".It " ENVIRON["row"] || $3 == "Fl L Cm " ENVIRON["row"] {
		print $2
	    }')
	[[ -n $value ]] || {
		echo "kms-record(5) has no ceiling: $1" >&2
		return 1
	}
	bytes "$value"
}

@test 'every ceiling is in kms-record(5), with its value' {
	local name value row

	cat >rows <<-'ROWS'
	AGREE_PROOFS_MAX	signatures of issuers to pair by
	AUDIT_FINDINGS_MAX	findings of an audit
	CATALOG_COLUMNS_MAX	ESE database, columns
	CATALOG_TABLES_MAX	ESE database, tables
	CARVE_P12_MAX	carved PKCS#12
	CARVE_TRIES_MAX	carved places that only look right
	COUNT_MAX	certificates, or users, of a report
	CRED_FILE_MAX	credential or recovery blob, file
	DER_SIGNED_MAX	SignedData nesting
	EDB_LEFT_MAX	ESE database, rows out of order
	EPF_COUNTS_MAX	profile, iteration counts to try
	EPF_LOCKED_MAX	profile, encrypted values
	EPF_SALTS_MAX	profile, salts to try
	EPF_WORK_MAX	iterations, all of a profile (.epf)
	EPF_VALUE_MAX	profile (.epf), one value
	ESE_SWEEPS_MAX	ESE database, tables to search
	SETTING_RECORDS_MAX	flag records to read
	FRIENDLY_MAX	PKCS#12 friendlyName
	FINDING_BYTES_MAX	key or certificate
	JOBS_MAX	processes of -j
	FINDINGS_MAX	keys and certificates per member
	KDF_KEY_MAX	derived key
	KDF_ROUNDS_MAX	key derivation iterations
	KDF_WORK_MAX	iterations, all of a file
	LONGVALUE_MAX	ESE database, one value
	NAMES_MAX	names of a row
	FAULTS_MAX	faults of an import
	KRA_HASHES_MAX	recovery agents per key
	LISTING_MAX	rows of a list of a report
	LISTING_FILE_MAX	rows of its CSV file
	PATHMAP_FILE_MAX	map, file
	PKCS8_MAX	key to archive as PKCS#8
	P12_DEPTH_MAX	PKCS#12 nesting
	PATH_BYTES_MAX	path of a member
	REC_FIELDS_MAX	fields per record
	REC_LINE_MAX	line, without its LF
	REREAD_MAX	entries read again for a password
	RAW_ARCHIVED_KEY_MAX	archived key
	RAW_CERTIFICATE_MAX	archived certificate
	ROW_TEXT_MAX	name in an archived row
	RSA_BITS_MAX	RSA key
	SCRYPT_MAX	scrypt, N * r * p
	SCRYPT_MEMORY_MAX	scrypt, memory
	SECRETS_MAX	passwords to try
	SECRET_LIST_MAX	list of passwords, file
	SECRET_MAX	password
	SMALL_KEY_MAX	key of another kind
	TREE_DEPTH_MAX	ESE database, levels of a tree
	TREE_LOST_MAX	ESE database, lost pages
	STORE_STEPS_MAX	steps of a look-up, in millions
	STORE_VALUE_MAX	value in an archive
	STREAM_PART_MAX	numbers of a part, by 64
	TALLY_MAX	names in a table of a report
	ROWS
	# these are no ceilings: sizes of what we write ourselves
	sed -nE 's/^#define[ \t]+([A-Z0-9_]+_MAX)[ \t]+([^\/]*).*/\1\t\2/p' \
	    "$root"/common/*/*.[ch] | grep -vE '^(AUDIT_HEAD|LANES|TEXT)_MAX' >defines
	diff <(cut -f 1 defines | sort) <(cut -f 1 rows | sort)
	while IFS=$'\t' read -r name value; do
		row=$(sed -n "s/^$name\t//p" rows)
		[[ $(ceiling "$row") == $((value)) ]] || {
			echo "$name is $((value)), kms-record(5) differs" >&2
			return 1
		}
	done <defines
	# those that -L raises
	sed -n '/^const struct unpack_limits unpack_defaults/,/^};/s/^\t\.\([a-z]*\) = \(.*\),$/\1 \2/p' \
	    "$root/common/unpack/unpack.c" | tr -d UL >defines
	[[ $(wc -l <defines) == 9 ]]
	while read -r name value; do
		[[ $(ceiling "$name") == $((value)) ]]
	done <defines
	# and every row is one of these
	[[ $(section CEILINGS "$root/man/kms-record.5" | grep -c '^\.It ') == \
	    $(($(wc -l <rows) + 9 + 1)) ]]
}

@test 'a tool is less than 300 lines' {
	local file

	for file in "$root"/tools/*; do
		(($(wc -l <"$file") < 300)) || {
			echo "$file: $(wc -l <"$file") lines" >&2
			return 1
		}
	done
}

@test 'all tools are of one version' {
	local tool

	for tool in "${tools[@]}"; do
		run_tool 0 "$tool" -V
		sed "s/^$tool /TOOL /" "$OUT"
	done | uniq -c | grep -qE "^ *${#tools[@]} TOOL \(kms2ca\) [0-9.]+\$"
}

@test "the README's commands are in the Makefile" {
	local word targets=0

	while read -r word; do
		[[ -n $word && $word != *=* ]] || continue
		grep -qE "^$word:" "$root/Makefile"
		make -C "$root" -n B="$PWD/none" "$word" >"$OUT"
		((targets += 1))
	done < <(sed -n 's/^    make\>//p' "$root/README" | tr ' ' '\n')
	((targets >= 4))
	grep -qx '    make deps demo' "$root/README"
	grep -qx '    make deps check' "$root/README"
	# the demo is the first command of all
	grep -E '^    [^ ]' "$root/README" | head -n 1 |
	    grep -qx '    make deps demo'
}

@test 'a build leaves nothing in the tree but build/' {
	command -v git >/dev/null || skip 'no git'
	mkdir tree
	cp -R "$root"/{.gitignore,.pkg,README,Makefile,man,tools,common,tests} tree
	cd tree
	git init -q .
	git add -A .
	git -c user.name=x -c user.email=x -c commit.gpgsign=false \
	    commit -qm x
	# to compile it is for the build itself
	make -j 2 CC='cc -E' >"$OUT" 2>"$ERR"
	git status --porcelain --ignored | diff - <(echo '!! build/')
	[[ $(find build/bin -type f | wc -l) == "${#tools[@]}" ]]
	# what is built stays, what is made again is nothing
	make CC='cc -E' | grep -q 'Nothing to be done'
	make clean >"$OUT"
	[[ -z $(git status --porcelain --ignored) ]]
}

@test 'no password on any command line that we show' {
	local word

	# -p and its value, of our tools; certutil wants its own
	cat "$root"/man/*.[157] "$root/README" "$root/tests/demo.bash" |
	    grep -v -e certutil -e mkdir | grep -oE -e ' -p +[^ ]+' | sort -u >values
	[[ $(wc -l <values) -ge 4 ]]
	while read -r _ word; do
		[[ $word =~ ^\"?(env:[A-Z]+|(file|list):[a-z0-9.]+|fd:[0-9]|tty)\"?$ ]]
	done < <(sed 's/\\(aq$//' values)
	# openssl's
	not grep -hE 'pass(in|out)? +[^ ]*pass:' "$root"/man/*.[157] \
	    "$root/README" "$root"/tests/demo.bash
}

# Without -t a key goes to whoever is in the archive.
@test 'every import that we show pins the agents' {
	sed -e 's/\\e$/\\/' "$root"/man/*.[157] "$root/README" |
	    sed -e ':more' -e '/\\$/ { N; s/\\\n//; b more' -e '}' |
	    grep -o 'ca-import -[^|]* -d [^|]*' | grep -v ' \.\.\.' >shown
	(($(wc -l <shown) > 10))
	not grep -v -e ' -t ' -e '^ca-import -.*\[' shown
}

@test 'a password in place of its source is refused, and not repeated' {
	local tool count=0
	local -a base

	ca-init -q -c "$ORG/ca.pem" -d ca.db <"$ORG/kra1.pem" >"$OUT" 2>"$ERR"
	for tool in "${tools[@]}"; do
		# it hands them to others
		[[ $tool != kms-migrate ]] || continue
		letters_of "$tool" | grep -qx 'p secret' || continue
		((count += 1))
		base=()
		[[ $tool != kms-export ]] || base=(-c "$ORG/machine.pem")
		case $tool in
		ca-init) base=(-d ca.db) ;;
		ca-recover) base=(-k "$ORG/kra1.pem") ;;
		ca-export | ca-import) base=(-d ca.db -k "$ORG/machine.pem") ;;
		esac
		refuses 2 "$tool: -p: expected env:VAR, file:PATH, list:PATH, fd:N or tty" \
		    "$tool" "${base[@]}" -p 'hunter 2' <"$ORG/kms-backup.zip"
	done
	# ca-audit, ca-dump, ca-load, ca-setflag, ca-setname, edb-extract and
	# kms-report open nothing
	((count == ${#tools[@]} - 8))
}

@test 'messages show nothing that a terminal obeys' {
	local hostile=$'x\e[31m\r\a\x7f\x9b\xff\xe2\x80\xae' tool letter status
	local -a base

	ca-init -q -c "$ORG/ca.pem" -d ca.db <"$ORG/kra1.pem" >"$OUT" 2>"$ERR"
	# heard STDIN COMMAND...: it fails, and says so in plain text
	heard()
	{
		status=0
		EMPTY='' timeout -k 1 60 "${@:2}" <"$1" >"$OUT" 2>"$ERR" ||
			status=$?
		complained '[12]' "$status" "${*:2}"
		# bytes past ASCII: UTF-8, and no format character
		not grep -qaP '\x9b|\xff|\xe2\x80\xae' "$ERR"
	}
	printf 'rec:%s\n' "$hostile" >record
	printf '%s\n' "$hostile" >text
	printf 'rec:key\tn:1\t%s:1\n' "$hostile" >label
	printf 'rec:fault\tn:1\tsource:%s\n' "$hostile" >value
	for tool in "${tools[@]}"; do
		base=(-d ca.db)
		case $tool in
		kms-export)	base=(-c "$ORG/machine.p12"
				    -p "file:$ORG/machine.pw") ;;
		kms-report | kms-verify | p12-extract | epf-extract)
				base=() ;;
		p12-pack)	base=(-p env:EMPTY) ;;
		ca-recover)	base=(-k "$ORG/kra1.p12"
				    -p "file:$ORG/kra1.pw") ;;
		esac
		heard /dev/null "$tool" $'-\e'
		heard /dev/null "$tool" $'-\xe2\x80\xae'
		heard /dev/null "$tool" "${base[@]}" "$hostile" "$hostile"
		# a name that somebody else gave it
		ln -s "$(command -v "$tool")" "$hostile"
		heard /dev/null "./$hostile" -:
		rm "$hostile"
		for letter in $(letters_of "$tool" | sed -n 's/ .*//p'); do
			# any text is a token, or a requester
			[[ $letter != s && $letter != R ]] || continue
			heard /dev/null "$tool" "${base[@]}" \
			    "-$letter" "$hostile"
			[[ $letter != p ]] || heard /dev/null "$tool" \
			    "${base[@]}" -p "file:$hostile"
		done
		# ca-audit, ca-dump and ca-export read no standard input
		[[ $tool != ca-@(audit|dump|export) ]] || continue
		for input in record text label value; do
			[[ $tool != ca-setflag ]] || base=(-d ca.db -)
			heard "$input" "$tool" "${base[@]}"
		done
	done
}

@test 'what proves something is compared in constant time' {
	# digests, names and identities are public; a MAC is not
	not grep -n -i -E '\b(memcmp|strcmp|strncmp|bcmp)\(.*(mac|tag|hmac|want)' \
	    "$root"/common/{lock/{p12mac,pbe,box},file/{p12,epf},record/seal}.c
	grep -q 'CRYPTO_memcmp(got, ASN1_STRING_get0_data(m->want)' "$root/common/lock/p12mac.c"
	# the tag of a seal is for libcrypto to check
	grep -q EVP_CTRL_AEAD_SET_TAG "$root/common/lock/box.c"
	not grep -n -w memcmp "$root"/common/{lock/{p12mac,box},record/seal}.c
}
