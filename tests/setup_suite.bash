# shellcheck shell=bash
#
# Run once by bats, before the first test: the organisation of 1999 that the
# tests read.  Its files, $ORG/expected and $ORG/ledger are described in
# org.bash.  Tests never write there.  With KMS2CA_ORG they are kept in that
# folder from one run to the next.

setup_suite()
{
	export ORG=${KMS2CA_ORG:-$BATS_SUITE_TMPDIR/org}
	# what the server of pg.bash ends with
	export SUITE_PID=$$

	# bats waits for whoever holds its descriptor 3.
	[[ -e $ORG/ledger ]] ||
		bash "$(dirname "${BASH_SOURCE[0]}")/org.bash" "$ORG" 3>&-
}
