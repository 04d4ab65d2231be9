# The last lines of `make check', behind what bats prints as TAP: how many passed,
# and, once, how many tests the missing ../shared leaves out.
{ print; fflush() }
/^1\.\.[0-9]+$/ { plan += substr($0, 4) }
/^ok / {
	if (!/ # skip/)
		passed++
	else {
		skipped++
		shared += / # skip no [^ ]*\/shared/
	}
}
/^not ok / { failed++ }
END {
	if (shared > 0)
		printf "%d tests need ../shared, which is not here\n", shared
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	if (passed + failed + skipped != plan) {
		printf "%d did not run\n", plan - passed - failed - skipped
		exit 1
	}
}
