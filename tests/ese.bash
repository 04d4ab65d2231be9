# shellcheck shell=bash
#
# For the bats files of ESE databases, after common.bash: `load ese'.

# mkese ARG...: write a database; see there.
mkese()
{
	/usr/bin/python3 "$shared/ese/mkese.py" "$@"
}

# damage IN OUT EDIT...: what ese_edit.py says.
damage()
{
	/usr/bin/python3 "$root/tests/ese_edit.py" "$@"
}

# variants: the options of mkese for each kind of file that there is.
variants()
{
	cat <<-'VARIANTS'
	-r 2
	-r 2 -z
	-r 2 -p 8192
	-r 9
	-r 9 -p 2048
	-r 9 -m old
	-r 9 -m mixed
	-r 9 -m mixed -D -p 8192
	-r 0x0b
	-r 0x0b -p 8192
	-r 0x0c -D
	-r 0x11
	-r 0x11 -p 16384
	-r 0x11 -p 32768
	-r 0x14
	-r 0x14 -s 2
	-r 0x14 -p 8192 -D
	-r 0x6e -p 16384 -6
	-r 0xc8 -p 32768 -6 -s 2
	-r 0x122 -D -6
	VARIANTS
}
