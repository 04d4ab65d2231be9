# shellcheck shell=bash
#
# Run once by bats, before the first test: the organisation of 1999 that the
# tests read.  Its files, $ORG/expected and $ORG/ledger are described in
# org.bash.  Tests never write there.

setup_suite()
{
	export ORG=$BATS_SUITE_TMPDIR/org
	# what the server of pg.bash ends with
	export SUITE_PID=$$

	# bats waits for whoever holds its descriptor 3.
	bash "$(dirname "${BASH_SOURCE[0]}")/org.bash" "$ORG" 3>&-
}
