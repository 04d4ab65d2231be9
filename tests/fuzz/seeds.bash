# shellcheck shell=bash
#
# What the harnesses start from: the files of seeds/NAME, each of which was a
# finding once or reaches what nothing else does, and the corpora, where they
# are.

fuzz=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
corpora=${KMS2CA_SHARED:-$fuzz/../../../shared}/corpora

# Each has a file NAME.c here.
# shellcheck disable=SC2034 # for who sources it
harnesses=(ese kdf read stream p12 epf file carve pathmap unpack child export blob_open setting report)

# seeds NAME: the paths of its seeds, a line each.
seeds()
{
	local dirs=()

	case $1 in
	p12)
		dirs=("$corpora/pkcs12")
		;;
	file | carve)
		dirs=("$corpora/cms")
		;;
	blob_open)
		dirs=("$corpora/synthetic-ca" "$corpora/cms")
		;;
	esac
	[[ $1 != child ]] || dirs=("$corpora/archives")
	[[ $1 != file ]] || dirs+=("$corpora/archives/tar")
	find "$fuzz/seeds/$1" "${dirs[@]}" -type f -size -32k \
	    ! -name '*.tsv' 2>/dev/null | sort
}
