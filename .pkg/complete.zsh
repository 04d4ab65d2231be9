#compdef @TOOLS@
# Completion of the kms2ca tools for zsh.

_kms2ca_secret()
{
	if compset -P 1 '(file|list):'; then
		_files
	elif compset -P 1 env:; then
		_parameters -g '*export*'
	else
		compadd -S '' - env: fd: file: list: tty
	fi
}

_kms2ca()
{
	local -A table
	local -a specs
	local tool options option action

	while read -r tool options; do
		table[$tool]=$options
	done <<'TABLE'
@TABLE@
TABLE
	for option in ${=table[${service:-${words[1]:t}}]}; do
		case ${option#*:} in
		cert|cred|cacert|cacred|map|db|file)	action=_files ;;
		secret)	action=_kms2ca_secret ;;
		format)	action='(tar zip)' ;;
		*)	action=' ' ;;
		esac
		if [[ $option == *:* ]]; then
			specs+=("*-${option%%:*}[${option#*:}]:${option#*:}:$action")
		else
			specs+=("-$option")
		fi
	done
	_arguments -s -S $specs
}

_kms2ca "$@"
