#!/bin/sh
# manual.sh CONFIGURATION_MD VERSION: writes the manual page akv-ekm.conf(5) to standard output. Its settings are the rows of
# the page's tables, so that a setting is described once.
set -eu
LC_ALL=C
export LC_ALL
page=$1
version=$2

cat <<TOP
.TH AKV-EKM.CONF 5 "" "akv-ekm $version" "SQL Server provider for Azure Key Vault"
.SH NAME
akv-ekm.conf \\- settings of the SQL Server provider for Azure Key Vault
.SH SYNOPSIS
.nf
\\fB/etc/akv-ekm.conf\\fR
\\fB/var/opt/mssql/akv-ekm/akv-ekm.conf\\fR
.fi
.SH DESCRIPTION
The provider reads one file when SQL Server initializes it: the one that the environment variable
.B AKVEKM_CONFIG
names, else the first of the files above that exists. No file is needed: every default is the strict one.
.PP
The file has one
.I key = value
a line. A line that begins with # is a comment. Lists are separated by commas. Keys and values are compared exactly.
An unknown key is reported in the log and ignored. With a bad value, a key that is there twice, or unsafe rights of the file the
provider does not start (code 5003); the system log says why.
TOP

# A row: | `key` | type | range | default | trust | what it does |. An escaped bar is part of its cell.
awk "$(cat "$(dirname "$0")/manual.awk")"'
    /^## / { heading = toupper(substr($0, 4)) }
    /^\| `/ {
        line = $0
        gsub(/ \(\[how\]\([^)]*\)\)/, "", line)
        gsub(/\\\|/, "\001", line)
        count = split(line, cell, "|")
        for (i = 1; i <= count; i++) gsub("\001", "\\|", cell[i])
        if (heading != "") { printf ".SH \"%s\"\n", plain(heading); heading = "" }
        range = plain(cell[4])
        printf ".TP\n.B %s\n%s%s; default: %s.%s\n.br\n%s\n", plain(cell[2]), plain(cell[3]), range == "" ? "" : " (" range ")",
            plain(cell[5]), plain(cell[6]) == "yes" ? " Widens trust: each start logs it." : "", plain(cell[7])
    }' "$page"

cat <<'BOTTOM'
.SH FILES
.TP
.I /var/opt/mssql/akv\-ekm/keymap
The map from thumbprints to key versions. Back it up.
.TP
.I /var/opt/mssql/log/akv\-ekm.log
The log, where its folder exists.
.SH "SEE ALSO"
The documentation of akv\-ekm: configuration.md, admin.md, errors.md.
BOTTOM
