# The options of each tool, from its usage in tools/NAME.c or .sh, a line a tool:
# `p12-pack l P q V v F:format p:secret'.
FNR == 1 {
	tool = FILENAME
	gsub(/.*\/|\.(c|sh)$/, "", tool)
}
/^static const char usage\[\] =/ { on = 1; usage = "" }
on {
	line = $0
	while (match(line, /"[^"]*"/)) {
		usage = usage substr(line, RSTART + 1, RLENGTH - 2)
		line = substr(line, RSTART + RLENGTH)
	}
}
/^usage=\047/ { quoted = 1; usage = "" }
quoted { usage = usage " " $0 }
on && /;$/ || quoted && /\047$/ {
	on = quoted = 0
	gsub(/\\[nt]/, " ", usage)
	out = tool
	while (match(usage, /-[A-Za-z]+( [a-z=]+)?/)) {
		option = substr(usage, RSTART + 1, RLENGTH - 1)
		usage = substr(usage, RSTART + RLENGTH)
		if (sub(/ /, ":", option))
			out = out " " option
		else
			for (i = 1; i <= length(option); i++)
				out = out " " substr(option, i, 1)
	}
	print out
}
