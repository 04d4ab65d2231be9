#!/usr/bin/env bash
#
# demo.bash: make the organisation of 1999 in a scratch directory, run the
# README's pipelines there word for word, import again, read the old mail, and
# add up.  `make demo' calls it.  Exit 1 if anything is missing.  The numbers to
# reach come from org.bash; those reached are counted in the records, with awk.
#
# KMS2CA_BIN names the directory of the tools, if not build/bin.

set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${KMS2CA_BIN:-$root/build/bin}
wrong=0

die()
{
	echo "demo: $*" >&2
	exit 1
}

# pipelines: print the indented blocks of two sections of the README.
pipelines()
{
	awk '
	/^-+$/		{ on = last ~ /^A (migration|recovery)$/ }
	on && /^    /	{ print substr($0, 5) }
	{ last = $0 }' "$root/README"
}

# run STATUS COMMAND: print the command, then its output, shortened; it must
# exit with this status.
run()
{
	local want=$1 command=$2 status=0

	printf '\n$ %s\n' "$command"
	bash -o pipefail -c "$command" </dev/null 2>&1 |
	    sed -u -E 's/^(.{96}).{4,}$/\1.../' || status=$?
	((status == 0)) || echo "[exit $status]"
	((status == want)) || die "exit $status, but $want was expected"
}

# expected_status COMMAND: the zip holds two members that nobody can read.
expected_status()
{
	case $1 in
	*'<kms-backup.zip'*)	echo 1 ;;
	*)			echo 0 ;;
	esac
}

# pin: the thumbprints of the agents, by openssl, where the README has them.
pin()
{
	KRA1=$(openssl x509 -in kra1.pem -outform DER | sha1sum | cut -c -40)
	KRA2=$(openssl x509 -in kra2.pem -outform DER | sha1sum | cut -c -40)
	export KRA1 KRA2
}

# run_readme: every command of the README; one that ends in a backslash or a
# bar goes on in the next line.  Keeps the import for later.
run_readme()
{
	local line command='' count=0

	while IFS= read -r line; do
		command+=$line
		case $line in
		*\\ | *\|)	command+=$'\n'; continue ;;
		esac
		run "$(expected_status "$command")" "$command"
		case $command in
		*'ca-import -f'*)	import=$command ;;
		esac
		((count += 1))
		command=
	done < <(pipelines)
	if ((count < 6)) || [[ -n $command || -z $import ]]; then
		die 'README: no pipelines found'
	fi
}

# read_mail FILE: decrypt the mail with whatever key of jane.p12 it is for.
read_mail()
{
	local key cert

	openssl pkcs12 -in jane.p12 -passin file:jane.pw -nodes |
	    awk '/^-----BEGIN/ { file = sprintf("jane%02d%s", ++n,
	        /CERTIFICATE/ ? ".crt" : ".key") }
	    file { print >file }
	    /^-----END/ { close(file); file = "" }'
	for key in jane*.key; do
		for cert in jane*.crt; do
			[[ $(openssl pkey -in "$key" -pubout) == \
			    "$(openssl x509 -in "$cert" -noout -pubkey)" ]] ||
				continue
			openssl cms -decrypt -in old-mail.eml -inkey "$key" \
			    -recip "$cert" 2>/dev/null | tr -d '\r' >"$1" &&
				return 0
		done
	done
	die 'no key in jane.p12 opens old-mail.eml'
}

# found FILE ARG...: the keys that ca-export lists for these options.
found()
{
	ca-export -n -q -d ca.db "${@:2}" >"$1" 2>>late.err
	count "$1" rec:archived
}

# late_backup: what turns up later: another jane, of another group; a user whose
# name is not ASCII; and a key of heidi in the folder of somebody else.
late_backup()
{
	local user

	mkdir -p late/Asia/{jane,jörg,pool}
	for user in jane jörg; do
		openssl req -x509 -utf8 -newkey rsa:1024 -noenc -days 30 \
		    -subj "/O=Example/CN=$user" -keyout late.key \
		    -out late.pem 2>>late.err
		cat late.pem late.key >"late/Asia/$user/2001.pem"
	done
	cat keys/heidi-1999.{pem,key} >late/Asia/pool/1999.pem
	tar -C late -czf late.tar.gz Asia
	run 0 'kms-export -c machine.pem -S machine.p12 -p file:machine.pw <late.tar.gz >late.kms'
	# shellcheck disable=SC2016 # for the shell that runs it
	run 0 'ca-import -f -d ca.db -k machine.p12 -p file:machine.pw -t "$KRA1" -t "$KRA2" <late.kms >late.log'
}

# having FILE FIELD...: the records of FILE that have all these fields.
having()
{
	local file=$1

	shift
	fields=$(printf '%s\n' "$@") awk -F '\t' '
	BEGIN { n = split(ENVIRON["fields"], want, "\n") }
	{
		found = 0
		for (i = 1; i <= n; i++)
			for (f = 1; f <= NF; f++)
				found += $f == want[i]
	}
	found == n' "$file"
}

# count FILE FIELD...: how many.
count()
{
	having "$@" | wc -l
}

# known KIND FILE FIELD...: how many certificates of this kind that org.bash
# made are in these records, by their SHA-1.
known()
{
	local kind=$1

	shift
	comm -12 <(ledger "$kind") <(having "$@" | awk -F '\t' '{
		for (f = 1; f <= NF; f++)
			if (sub(/^sha1:/, "", $f))
				print $f
	}' | sort -u) | wc -l
}

# ledger KIND: SHA-1 of the certificates of this kind that org.bash made.
ledger()
{
	awk -F '\t' -v "kind=$1" '$2 == kind { print $3 }' ledger | sort
}

# total WHAT IN OUT: a line of the balance.
total()
{
	printf '  %-50s %5d %5d' "$1" "$2" "$3"
	if (($2 != $3)); then
		printf '  WRONG'
		wrong=1
	fi
	printf '\n'
}

# balance: what went in and what came out.
balance()
{
	# shellcheck source=/dev/null
	source ./expected
	printf '\n  %-50s %5s %5s\n' '' in out
	# shellcheck disable=SC2154 # they come from the file
	{
		total 'keys exported' "$all_keys" \
		    "$(known key export.kms rec:key)"
		total '  and no other record has a key' "$all_keys" \
		    "$(count export.kms rec:key)"
		total '  of them with a version 1 certificate' "$all_v1" \
		    "$(count export.kms rec:key version:1)"
		total 'signing keys held back' "$all_signing" \
		    "$(known sign export.kms rec:cert use:sign)"
		total 'certificates without a key, with those' "$all_certs" \
		    "$(count export.kms rec:cert)"
		total 'members faulted' "$all_faults" \
		    "$(count export.kms rec:fault)"
		total '  the one with a lost password' 1 \
		    "$(count export.kms rec:fault "source:$lost_path")"
		total '  the damaged one' 1 \
		    "$(count export.kms rec:fault "source:$damaged_path")"
		total 'keys imported' "$all_keys" \
		    "$(known key import.log status:imported)"
		total 'signing certificates ignored' "$all_signing" \
		    "$(known sign import.log status:ignored)"
		total 'refused' 0 "$(count import.log status:refused)"
		total 'keys present when imported again' "$all_keys" \
		    "$(known key again.log status:present)"
		total '  imported twice' 0 "$(count again.log status:imported)"
		total 'keys recovered for jane' "$all_jane_all" \
		    "$(find . -name 'jane[0-9]*.key' | wc -l)"
		total 'the other jane, of the same name: her keys' 1 \
		    "$(found other -g Asia -u jane)"
		total '  and those of the first, as before' "$all_jane_all" \
		    "$(found first -g 'North America' -u jane)"
		total 'a key in two folders: rows' 1 \
		    "$(count late.log status:present)"
		total '  found by the second' 1 "$(found pool -u pool)"
		total '  and by the first, the same one' 1 \
		    "$(found heidi -u heidi -s "sha1:$(sed -n 's/.*\tsha1:\([0-9a-f]*\).*/\1/p' pool)")"
		total 'a name that is not ASCII: found by it' 1 \
		    "$(found joerg -u jörg)"
		total 'mail read' 1 \
		    "$(cmp -s old-mail.txt mail && echo 1 || echo 0)"
	}
}

[[ -x $bin/kms-export ]] || die "$bin/kms-export: not built; run make"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
umask 077
PATH=$bin:$PATH
import=

echo 'An organisation of 1999, in a scratch directory; long lines are cut here.'
bash "$root/tests/org.bash" "$scratch"
cd "$scratch"

pin
run_readme

printf '\nThe same import again:\n'
run 0 "${import/>import.log/>again.log}"

printf '\nWhat turned up later:\n'
late_backup

printf '\nThe mail of 1999, with the key that expired in 2000:\n\n'
read_mail mail
sed 's/^/    /' mail

balance
if ((wrong)); then
	die 'it does not add up'
fi
printf '\nIt adds up.\n'
