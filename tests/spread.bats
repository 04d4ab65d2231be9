#!/usr/bin/env bats
# shellcheck disable=SC2154 # arrays of ca.bash, variables of pg.bash
#
# The filters spread over cores and machines: the commands of
# kms2ca-runbook(7), SEVERAL MACHINES, word for word.

load common
load ca
load pg

setup_file()
{
	bats_require_minimum_version 1.5.0
	need_pg
	cd "$BATS_FILE_TMPDIR" || return
	kms-export -q -c "$ORG/machine.pem" -S "$ORG/machine.p12" \
	    -p "file:$ORG/machine.pw" -p "list:$ORG/user.pws" \
	    <"$ORG/kms-backup.zip" >stream.1 2>/dev/null || (($? == 1))
	# block N: the Nth block of commands there
	awk '/^\.Sh / { on = /SEVERAL MACHINES/ }
	on && /^\.Ed/ { block = 0 }
	on && block { print >"block." n }
	on && /^\.Bd/ { block = 1; n++ }' "$root/man/kms2ca-runbook.7"
	sed -i "s/\\\\(aq/'/g; s/\\\\(ha/^/g; s/\\\\e/\\\\/g" block.*
}

setup()
{
	common_setup
	made=$BATS_FILE_TMPDIR
	cp "$made/stream.1" "$ORG"/machine.{p12,pw} .
	keys=$(only key <stream.1 | wc -l)
	pg_new
	new_archive "$URL"
	export DB=$URL KRA1 KRA2
	KRA1=$(openssl x509 -in "$ORG/kra1.pem" -outform DER | sha1sum | cut -c -40)
	KRA2=$(openssl x509 -in "$ORG/kra2.pem" -outform DER | sha1sum | cut -c -40)
	# no file of whoever runs the tests
	export HOME=$PWD PARALLEL_HOME=$PWD/parallel
	mkdir -p "$PARALLEL_HOME"
	: >"$PARALLEL_HOME/will-cite"
}

# block N [SED]: runs it, with blocks of a few records.
block()
{
	sed "s/--block 4M/--block 9k/; s/-l 1000/-l 4/; ${2-}" "$made/block.$1" \
	    >commands
	run_tool 0 bash -e -o pipefail commands
}

# ledger: what ca-export(1) proves; the keys without a row, in missing.
ledger()
{
	export HEAD
	HEAD=$(sql "select AuditID || ':' || Hash from kms2ca.audit
	    order by AuditID desc limit 1")
	cp stream.1 export.kms
	sed -n '/^set -o pipefail/,/^\.Ed/p' "$root/man/ca-export.1" |
	    awk '/^kms-verify/ { on = 1 } /^\.Ed/ { on = 0 } on' |
	    sed "s/\\\\e/\\\\/g; s,-d ca.db,-d '$URL'," >ledger.bash
	grep -q 'join -t' ledger.bash
	bash -e -o pipefail ledger.bash >counts 2>"$ERR" && 
	[[ $(wc -l <want) == "$keys" ]]
}

# complete: every key is there once, and was promised once.
complete()
{
	local promised rows

	promised=$(grep -c $'\tstatus:imported\t.*\tkra:.' import.log) || true
	rows=$(sql 'select count(KeyAudit) from request')
	if ledger && ((promised == keys && rows == keys)) && [[ ! -s missing ]]; then
		return
	fi
	echo "$keys keys, $promised promised, $rows rows; missing:"
	cat missing counts "$ERR" import.log
	return 1
}

@test 'spread: parallel --pipe --header over cores' {
	block 1
	(($(grep -c ^rec:end import.log) > 2))
	not grep -q '[(]ha' "$made/block.1"
	complete
	# and once more: nothing new
	block 1
	[[ $(grep -c $'\tstatus:present\t' import.log) == "$(($(only key \
	    <stream.1 | wc -l) + $(only cert <stream.1 | grep -c "use:[be]")))" ]]
}

@test 'spread: parallel --sshlogin over machines' {
	# plain processes stand in for them: ssh OPTION... HOST COMMAND; as sshd
	# does, it sets SHELL, without which parallel runs nothing and exits 0
	mkdir ssh db1 db2
	cp machine.* db1
	cp machine.* db2
	cat >ssh/ssh <<-'END'
	#!/bin/bash
	while [[ $1 == -* ]]; do shift; done
	echo "$1" >>"$HOSTS"
	cd "$ROOT/$1" && shift
	export SHELL=/bin/bash
	[[ $1 != -- ]] || shift
	exec bash -c "$*"
	END
	chmod +x ssh/ssh
	export HOSTS=$PWD/hosts ROOT=$PWD
	PATH=$PWD/ssh:$PATH
	block 2
	[[ $(sort -u hosts | xargs) == 'db1 db2' ]]
	complete
}

@test 'spread: split and cron, and the ledger names the part that is lost' {
	local part

	mkdir spool "done"
	block 3
	(($(find spool -name '*.kms' | wc -l) > 3))
	[[ -z $(find spool ! -name '*.kms' -type f) ]]
	# each is proven by itself
	for part in spool/*.kms; do
		run_tool 0 kms-verify -P "${machine[@]}" <"$part"
		cmp "$OUT" "$part"
	done
	part=$(grep -l ^rec:key spool/*.kms | head -n 1)
	mv "$part" lost
	block 4
	[[ -z $(ls spool) ]]
	ledger
	only key <lost | cut -f 4,16 | sort >want
	sort missing | diff - want
	mv lost "$part"
	block 4
	complete
	# a part that was altered stays, and is told
	mkdir -p spool
	sed '2s/\tgroup:/\tgroup:x/' "done/${part##*/}" >"$part"
	cp "$made/block.4" commands
	run bash -o pipefail commands
	((status == 1))
	[[ -e $part ]]
	grep -q status:refused import.log
}
