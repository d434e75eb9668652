#!/bin/sh
# manual_tool.sh TOOL_MD VERSION: writes the manual page akv-ekm(1) to standard output, out of docs/tool.md: rows of tables
# become tagged paragraphs, headings sections.
set -eu
LC_ALL=C
export LC_ALL
cat <<TOP
.TH AKV-EKM 1 "" "akv-ekm $2" "SQL Server provider for Azure Key Vault"
.SH NAME
akv-ekm \\- tool of the SQL Server provider for Azure Key Vault
.SH SYNOPSIS
.B akv-ekm
.I COMMAND
[OPTION ...]
.SH DESCRIPTION
TOP
awk "$(cat "$(dirname "$0")/manual.awk")"'
    { gsub(/\*/, "") }
    /^# / || /^\|---/ || /^\| (command|step) \|/ { next }
    /^## / { printf ".SH \"%s\"\n", toupper(plain(substr($0, 4))); fresh = 1; next }
    /^\| / {
        split($0, cell, / \| /)
        sub(/^\| /, "", cell[1])
        sub(/ \|$/, "", cell[2])
        printf ".TP\n.B %s\n%s\n", plain(cell[1]), plain(cell[2])
        next
    }
    /^    / { printf ".PP\n.nf\n%s\n.fi\n", plain($0); next }
    /^$/ { if (!fresh) blank = 1; next }
    { if (blank) print ".PP"; blank = fresh = 0; print plain($0) }' "$1"
cat <<'BOTTOM'
.SH "SEE ALSO"
.BR akv-ekm.conf (5)
BOTTOM
