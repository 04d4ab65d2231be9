# Makes a table of C of each file of statements: `-- NAME' stands before each.

FNR == 1 {
	if (NR > 1)
		print ",\n};"
	gsub(/.*\/|\.sql/, "", FILENAME)
	print "const char *const " FILENAME "_sql[NSQL] = {"
	comma = ""
}
/^-- [A-Z_]+$/ {
	printf "%s\t[%s] =", comma, $2
	comma = ",\n"
	blank = ""
	next
}
/^--/ || /^$/ { next }
{
	gsub(/^[ \t]+/, "")
	gsub(/"/, "\\\"")
	printf "\n\t    \"%s%s\"", blank, $0
	blank = " "
}
BEGIN { print "#include \"store/driver.h\"\n" }
END { print ",\n};" }
