# shellcheck shell=bash
# Completion of the kms2ca tools for bash.

# Sourced within a function, as bash-completion does it, it must stay.
declare -gA _kms2ca_options
_kms2ca_load()
{
	local tool options

	while read -r tool options; do
		_kms2ca_options[$tool]=$options
	done
}
_kms2ca_load <<'TABLE'
@TABLE@
TABLE
unset -f _kms2ca_load

_kms2ca()
{
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local option options=${_kms2ca_options[${COMP_WORDS[0]##*/}]} operand=

	# bash takes file:PATH for three words
	if [[ $cur == : ]]; then
		operand=$before: cur=
	elif [[ $before == : ]]; then
		operand=${COMP_WORDS[COMP_CWORD - 2]}:
	elif [[ $before == -[A-Za-z]* ]]; then
		for option in $options; do
			[[ $option != "${before: -1}":* ]] || operand=${option#*:}
		done
	fi
	COMPREPLY=()
	case $operand in
	cert | cred | cacert | cacred | map | db | file | file: | list:)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	env:)	mapfile -t COMPREPLY < <(compgen -e -- "$cur") ;;
	secret)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W \
		    'env: fd: file: list: tty' -- "$cur") ;;
	format)	mapfile -t COMPREPLY < <(compgen -W 'tar zip' -- "$cur") ;;
	'')
		for option in $options; do
			[[ -${option%%:*} != "$cur"* ]] ||
				COMPREPLY+=("-${option%%:*}")
		done ;;
	esac
}
# where it has nothing to say, such as behind <, names of files
complete -o bashdefault -o default -F _kms2ca "${!_kms2ca_options[@]}"
