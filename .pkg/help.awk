# What -h says of a tool, from its page man/NAME.1: what it does, and for each
# option the first sentence that the page has on it.

# words(LINE): the text of a line of mdoc.
function words(line,	n, w, i, text, glue, shut) {
	if (line !~ /^\./)
		return line
	n = split(substr(line, 2), w, / /)
	for (i = 1; i <= n; i++) {
		if (w[i] ~ /^(Ar|Cm|Dq|Em|Ev|Ic|Li|Pa|Ql|Sy)$/)
			continue
		if (w[i] == "Ns") {
			glue = 1
			continue
		}
		if (w[i] == "Pq") {
			text = text (text == "" ? "" : " ") "("
			glue = shut = 1
			continue
		}
		if (w[i] == "Fl") {
			i++
			w[i] = "-" w[i]
		} else if (w[i] == "Xr") {
			w[i] = w[i + 1] "(" w[i + 2] ")"
			w[i + 2] = w[i]
			i += 2
		}
		sub(/^\\&/, "", w[i])
		text = text (text == "" || glue || w[i] ~ /^[.,;:)]$/ ? "" : " ") w[i]
		glue = 0
	}
	if (shut)
		sub(/[.,;:]?$/, ")&", text)
	return text
}

# say(HEAD, TEXT): an option and its text, in lines of 78.
function say(head, text,	n, w, i, line) {
	line = sprintf("  %-*s ", 15, head)
	n = split(text, w, / /)
	for (i = 1; i <= n; i++) {
		if (length(line " " w[i]) > 78) {
			print line
			line = sprintf("%18s", "")
		}
		line = line " " w[i]
	}
	print line
}

# end: of an entry; its first sentence, or what stands before a colon outside of
# parentheses.
function end() {
	if (head == "")
		return
	if (match(text, /[.;]( |$)|.........: /))
		text = substr(text, 1, RSTART + RLENGTH - 1)
	sub(/ \([^)]*$/, "", text)
	sub(/[.,:;]* *$/, "", text)
	gsub(/\\\(aq/, "'", text)
	say(head, tolower(substr(text, 1, 1)) substr(text, 2))
	head = text = ""
}

/^\.Nd / { print toupper(substr($0, 5, 1)) substr($0, 6) "." }
/^\.Dt / { page = tolower($2) "(" $3 ")" }
/^\.(It|El|Pp|Ss|Sh|Bl|Bd)/ { end() }
/^\.It Fl / {
	if (!seen++)
		print ""
	head = words("." substr($0, 5))
	next
}
head != "" && !/^\.\\"/ { text = text (text == "" ? "" : " ") words($0) }
END {
	say("-h, --help", "print this")
	print "\nThe page " page " says more; kms2ca(7) is on the whole."
}
