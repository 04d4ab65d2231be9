#!/usr/bin/env bash
#
# cover.bash BUILD [-u]: lines and branches of tools/ and common/ that ran, of
# a build with --coverage in BUILD: a line for each file, and the total.  With
# -u, each line that did not run.

set -euo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
ln -s "$PWD/common" "$PWD/tools" "$work" # where gcov looks for the sources
(
	cd "$work"
	find "$build" -name '*.gcno' ! -path '*/fuzz/*' -print0 |
	    xargs -0 gcov -b -p >summary 2>errors
)
# gcov prints File, Lines, Branches, Taken, Calls and an empty line for each
awk -F "[':% ]+" '
function of(n, p) { return int(n * p / 100 + 0.5) }
/^File/		{ file = $2; lines = branches = hit = taken = 0 }
/^Lines/	{ lines = $NF; hit = of(lines, $3) }
/^Branches/	{ branches = $NF }
/^Taken/	{ taken = of($NF, $5) }
/^$/ && file ~ /^(tools|common)\/.*\.c$/ && !seen[file]++ {
	printf "%s\t%d\t%d\t%d\t%d\n", file, hit, lines, taken, branches
}' "$work/summary" | sort >"$work/table"
awk -F '\t' '
function row(name, a, b, c, d) {
	printf "%-24s %5d of %5d %6.1f %%   %5d of %5d %6.1f %%\n", name, a, b,
	    b ? 100 * a / b : 100, c, d, d ? 100 * c / d : 100
}
BEGIN { printf "%-24s %23s %24s\n", "", "lines", "branches" }
{ row($1, $2, $3, $4, $5); a += $2; b += $3; c += $4; d += $5 }
END { row("total", a, b, c, d) }' "$work/table"
if [[ ${2-} == -u ]]; then
	(cd "$work" && grep -H '^ *#####:' ./*.c.gcov) |
	    sed 's/^.*#\([^#]*\)\.gcov: *#####:  */\1:/; s/:  */:/'
fi
