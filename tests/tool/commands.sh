#!/bin/sh
# commands.sh BUILD: every command of akv-ekm but doctor: what it says, its exit status, and what it leaves in the map.
. "$(dirname -- "$0")/tool.sh"
start_vault
map=$folder/vault/keymap
tab=$(printf '\t')

# --- usage ---
tool 0 help
says '^usage: akv-ekm COMMAND'
tool 2 nonsense
tool 2
tool 2 keys --identity
tool 2 keys --key x
says 'does not take .--key'
tool 2 map
tool 2 map list more
tool 2 explain
tool 2 explain x
tool 2 keys --secret=abc
says 'a secret is no argument'
! grep -q abc "$folder/out" || fail 'what may be a secret is shown'

tool 0 version
says '^akv-ekm [0-9]+\.'
says '^openssl 3'
says '^curl [0-9]'
says '^cjson [0-9]'

# --- explain ---
tool 0 explain 3113
says '^What happened: 403 in the vault'
says '^What to do: .*Crypto Service Encryption User'
says 'the application lacks the permission'
tool 1 explain 42
says 'no code of this library'
for code in $(sed -nE 's/^    X\(EKM_[A-Z0-9_]+, *([0-9]+),.*/\1/p' "$2/src/base/err_table.h" | sort -un); do
    tool 0 explain "$code"
    says '^What to do: .'
    ! grep -qE '<(bar|semicolon|left|right|slash|quote)>|`' "$folder/out" || fail "explain $code keeps marks"
done

# --- trace ---
line='2026-11-29T03:04:05.678Z 7/9'
{
    printf '# akv-ekm recording 1, version 1.0.0, on Linux 6.1.0 x86_64\n%s InitializeProvider rc=0 us=9\n' "$line"
    printf '%s GetNextAlgorithmId alg=0 gives=1 rc=0 us=1\n%s OpenSession auth=1 identity=26p secret=1 session=1 rc=0 us=7\n' "$line" "$line"
    printf '%s GetKeyInfoByName session=1 name=14p:"TdeKey0" out=64p out2=20p gives=14 gives2=20 rc=0 us=5\n%s Decr' "$line" "$line"
} >"$folder/recording"
tool 0 trace "$folder/recording"
says '^akv-ekm recording 1, version 1.0.0'
says '^4 calls from 2026-11-29T03:04:05.678Z to .* in 1 processes, 1 other lines'
says '^A4 +confirmed +\(1 for, 0 against\): '
says '^A27 +contradicted \(0 for, 1 against\): '
says '^A20 +says nothing: .*cannot see it'
! grep -q TdeKey0 "$folder/out" || fail 'the report names a key'
cp "$folder/out" "$folder/shown"
tool 0 trace "$folder/recording" "$folder/report"
cmp -s "$folder/report" "$folder/shown" || fail 'the report in a file is another one'
tool 1 trace "$folder/recording" "$folder/recording"
says 'is a recording, and stays'
tool 0 trace "$folder/recording"
tool 1 trace "$folder/nowhere"
says 'nowhere cannot be read'
tool 1 trace "$folder/report"
says 'holds no call'
tool 1 trace "$folder/recording" "$folder/nowhere/report"
says 'cannot be written'
tool 2 trace
tool 2 trace "$folder/recording" a b
# 700,000 calls, 70 MB
awk -v line="$line" 'BEGIN { for (i = 1; i <= 700000; i++) printf "%s Decrypt session=%d thumb=4p:0A0B0C0D final=1 params=0n in=256p out=32p gives=32 rc=%d us=1\n", line, i, i % 100 }' >"$folder/huge"
tool 0 trace "$folder/huge"
says '^A28 +confirmed +\(700000 for, 0 against\): '
[ "$(grep -c '^ *[0-9]* Decrypt ' "$folder/out")" = 25 ] || fail 'the table of results has no end'
rm "$folder/huge"

# --- keys ---
tool 0 keys --user "$user" --identity contoso-vault
says "^TdeKey0${tab}enabled"
given_secret=${client}wrong
tool 1 keys --user "$user" --identity contoso-vault
says '3303: .*AADSTS7000215'
unset given_secret

# --- map ---
tool 0 map --user "$user" list
[ ! -s "$folder/out" ] || fail 'an empty map has entries'
tool 0 map --user "$user" --dry-run add contoso-vault TdeKey0
[ ! -s "$map" ] || fail '--dry-run writes'
tool 0 map --user "$user" add contoso-vault TdeKey0
says "^$host${tab}[0-9A-F]{40}${tab}https://$host/keys/TdeKey0/[0-9a-f]{32}\$"
cp "$folder/out" "$folder/added"
tool 0 map --user "$user" list
cmp -s "$folder/added" "$folder/out" || fail 'list is not what was added'
tool 1 map --user "$user" add contoso-vault Missing
says '3112'
tool 0 map --user "$user" check --identity contoso-vault
says '1 entries, 1 asked of the vault, 0 wrong'

# An export of Microsoft's connector: UTF-16LE with a mark, CR LF, its own spelling of host and thumbprint.
cat >"$folder/export.txt" <<REG
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault]

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault\\Log]
"Level"=dword:00000001

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SQL Server Cryptographic Provider\\Azure Key Vault\\https://Second-Vault.vault.azure.net:443/\\0xaabbccddeeff00112233445566778899aabbccdd]
"KeyUri"="https://second-vault.vault.azure.net:443/keys/Old/0123456789abcdef0123456789abcdef"

REG
awk '{ printf "%s\r\n", $0 }' "$folder/export.txt" >"$folder/crlf.txt"
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$folder/crlf.txt"; } >"$folder/export.reg"
tool 0 map --user "$user" --dry-run import "$folder/export.reg"
says '1 would be added, 0 were there, 0 not imported'
tool 0 map --user "$user" import "$folder/export.reg"
says '1 added, 0 were there, 0 not imported'
tool 0 map --user "$user" import "$folder/crlf.txt"
says '0 added, 1 were there, 0 not imported'
tool 0 map --user "$user" list
says "^second-vault.vault.azure.net${tab}AABBCCDDEEFF00112233445566778899AABBCCDD${tab}https://second-vault.vault.azure.net(:443)?/keys/Old/0123456789abcdef0123456789abcdef\$"

# Entries of the map stay. A line that is no entry is named, and does not affect the others.
sed 's|keys/Old/0123|keys/Old/9999|' "$folder/export.txt" >"$folder/other.reg"
tool 1 map --user "$user" import "$folder/other.reg"
says 'line 9: not imported: 5008: .*Old/0123456789abcdef0123456789abcdef'
{
    printf '# a comment\nno entry\n%s\tXY\thttps://%s/keys/a/b\n' "$host" "$host"
    printf '%s\t0x11\thttps://%s/keys/a\n%s\t11\thttps://other.vault.azure.net/keys/a/b\n' "$host" "$host" "$host"
    printf '%s\t1111111111111111111111111111111111111111\thttps://%s/keys/Fine/0123456789abcdef0123456789abcdef' "$host" "$host"
} >"$folder/lines"
tool 1 map --user "$user" import "$folder/lines"
says 'line 2: not imported: a line has host'
says 'line 3: not imported: the thumbprint'
says 'line 4: not imported: KeyUri names no version'
says 'line 5: not imported: KeyUri is no key of that vault'
says '1 added, 0 were there, 4 not imported'
tool 1 map --user "$user" import "$folder/nowhere"
says 'cannot be read'

# What export prints can be imported again, in either form.
tool 0 map --user "$user" list
sort "$folder/out" >"$folder/all"
for form in '' reg; do
    # shellcheck disable=SC2086 # a word or none
    tool 0 map --user "$user" export $form
    cp "$folder/out" "$folder/exported"
    rm -f "$map"
    tool 0 map --user "$user" import "$folder/exported"
    tool 0 map --user "$user" list
    sort "$folder/out" | cmp -s - "$folder/all" || fail "export '$form' and import lose something"
done

# check names each entry that is wrong, and asks that vault alone which is signed in to.
printf 'nonsense\n' >>"$map"
tool 1 map --user "$user" check
says '^WRONG.*line 4 is no entry'
says '3 entries, 0 asked of the vault, 1 wrong'
tool 1 map --user "$user" check --identity contoso-vault
says '^WRONG.*3112'
says '3 entries, 2 asked of the vault, 2 wrong'

configure log_level=everything
tool 1 map --user "$user" list
says '5003: .*log_level'
echo done
