#!/bin/bash
#
# kms-migrate(1): the pipeline of a migration, as kms2ca-runbook(7) has it, in
# one command.  All that it leaves is in one new folder.  It is meant to be
# read, and changed.

set -u -o pipefail
umask 077
export LC_ALL=C # so that @Q leaves no byte that a terminal obeys
usage='[-fnqVv] [-g group]... [-i charset] [-m map] [-p secret]...
    [-u user]... -d db -k cred -t thumb... backup'

die()
{
	printf 'kms-migrate: %s\n' "$1" >&2
	exit 2
}

misused()
{
	[[ -z ${1-} ]] || printf 'kms-migrate: %s\n' "$1" >&2
	printf 'usage: kms-migrate %s\n' "$usage" >&2
	exit 2
}

help()
{
	printf 'usage: kms-migrate %s\n' "$usage"
	cat <<'END'
@HELP@
END
}

db='' cred='' folder=kms-migrate.$(date -u +%Y-%m-%dT%H%M%SZ) dry=0
all=() secrets=() select=() agents=() import=()
case ${1-} in
--help)	set -- -h ;;
--version) set -- -V ;;
esac
while getopts :d:fg:hi:k:m:np:qt:u:Vv option; do
	case $option in
	d) db=$OPTARG ;;
	f) import+=(-f) ;;
	g | i | m | u) select+=("-$option" "$OPTARG") ;;
	h) help && exit ;;
	k) cred=$OPTARG ;;
	n) dry=1 ;;
	p) secrets+=(-p "$OPTARG") ;;
	q | v) all+=("-$option") ;;
	t) agents+=(-t "$OPTARG") ;;
	V) echo 'kms-migrate (kms2ca) @VERSION@' && exit ;;
	:) misused "option requires an argument -- ${OPTARG@Q}" ;;
	*) misused "invalid option -- ${OPTARG@Q}" ;;
	esac
done
shift $((OPTIND - 1))
[[ -n $db && -n $cred ]] || misused '-d db or -k cred is missing'
(($# == 1)) || misused 'name one backup: a folder, or a file'
((${#agents[@]})) || misused 'name the agents: -t and a thumbprint for each'
backup=$1
out=$(printf %q "$folder")

# quoted WORD...: as a shell takes them.
quoted()
{
	printf '%q ' "$@"
}

# step TEXT COMMAND: what the command says goes to standard error and to the
# file messages.  With -n the command is shown instead.  Exits where the
# status is past 1; 1 is remembered.
status=0
step()
{
	local rc=0

	if ((dry)); then
		printf '# %s\n%s\n' "$1" "$2"
		return
	fi
	eval "{ $2; } 2>&1 >&3 3>&- | tee -a $out/messages >&2" 3>&1 || rc=$?
	((rc <= 1)) || die "$1: it ended with status $rc, see above: \
mend that and run the same again; nothing is imported twice"
	((status |= rc))
}

if [[ -d $backup ]]; then
	tar="tar -chf - --hard-dereference -C $(quoted "$backup"). | "
	from=
	sums="find -L $(quoted "$backup")-type f -print0 | sort -z |
    xargs -0 -r sha256sum"
elif [[ -f $backup && -r $backup ]]; then
	tar='' from="<$(quoted "$backup")"
	sums="sha256sum $(quoted "$backup")"
else
	die "${backup@Q}: no folder and no file that can be read"
fi
if ((dry)); then
	echo "mkdir $out"
else
	mkdir "$folder" || die 'run it where a new folder can be made'
fi

step 'what the backup is' "$sums >$out/backup.sha256"
step 'export' "$tar$(quoted kms-export "${all[@]}" -c "$cred" \
	"${secrets[@]}" "${select[@]}")$from >$out/export.kms"
step 'import' "$(quoted kms-verify "${all[@]}" -k "$cred" \
	"${secrets[@]}")<$out/export.kms |
    $(quoted ca-import "${all[@]}" "${import[@]}" -d "$db" -k "$cred" \
	"${secrets[@]}" "${agents[@]}")>$out/import.log"
step 'the chain of the archive' "$(quoted ca-audit -d "$db")>$out/audited"
step 'the rows of the archive' "$(quoted ca-export -n -d "$db")>$out/rows"
step 'the report' "cat $out/{export.kms,import.log,audited,rows} |
    $(quoted kms-report -P)>$out/report.html"
((!dry)) || exit 0

# each exported key, and its row
awk -F '\t' -v OFS='\t' '
function value(label,	i) {
	for (i = 2; i <= NF; i++)
		if (index($i, label ":") == 1)
			return substr($i, length(label) + 2)
}
function name(label,	coded) {
	coded = value(label "_b64")
	return coded == "" ? value(label) : "base64:" coded
}
{ sha1 = value("sha1") }
/^rec:archived\t/ && value("kra") != "" { row[sha1] = value("id") }
/^rec:key\t/ {
	print sha1, name("group"), name("user"), name("mail"), value("serial"),
	    sha1 in row ? row[sha1] : "missing"
}' "$folder"/{rows,export.kms} >"$folder/ledger"
sed -n 's/.*\thead:\([^\t]*\).*/\1/p' "$folder/audited" >"$folder/audit.head"
missing=$(grep -c $'\tmissing$' "$folder/ledger")
((missing == 0)) || status=1
printf 'kms-migrate: keys %s, of them not in the archive %s, faults %s\n' \
    "$(wc -l <"$folder/ledger")" "$missing" \
    "$(grep -c ^rec:fault "$folder/export.kms")" >&2
printf 'kms-migrate: see %s/report.html; keep %s/audit.head elsewhere\n' \
    "$folder" "$folder" >&2
((status == 0)) ||
	printf 'kms-migrate: status 1: not all could be done: see above, or %s/messages\n' \
	    "$folder" >&2
exit "$status"
