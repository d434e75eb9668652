#!/bin/sh
# The demo's scripts, natively and under Wine against the same vault: the same output but for paths; a restart with one
# unwrapKey; the rotation; the registry in the form of R47. The server's folders have names beyond ASCII.
. "$(dirname -- "$0")/../integration/scenario.sh"

demo=$cases/../demo
home=$folder/'Zoë Ωmega'
dll=$home/akvekm.dll

# natively SCRIPT / windowed SCRIPT: output in native.out and out
natively() {
    AKVEKM_CONFIG=$native_config LIBRARY=$build/libakvekm.so BACKUP=$folder/native.bak \
        timeout 100 "$build/ekmhost" --data "$folder/native" "$demo/$1" >"$folder/native.out" 2>"$folder/err" ||
        fail "$1 fails natively"
}
windowed() {
    wanted=0
    host "$home/server" "$(system_path "$demo/$1")"
}

# literal TEXT: for a pattern
literal() {
    printf '%s' "$1" | sed 's/[\\.]/\\&/g'
}

# both SCRIPT: on either; what differs after the paths are taken out must be nothing
both() {
    natively "$1"
    windowed "$1"
    for side in native.out out; do
        sed -e "s|$build/libakvekm.so|LIBRARY|; s|$folder/native.bak|BACKUP|" \
            -e "s|$(literal "$LIBRARY")|LIBRARY|; s|$(literal "$BACKUP")|BACKUP|" "$folder/$side" >"$folder/$side.cut"
    done
    diff "$folder/native.out.cut" "$folder/out.cut" >&2 || fail "$1: another output than natively"
}

begin
mkdir "$home"
chmod 700 "$home"
cp "$windows/akvekm.dll" "$dll"
cp "$config" "$home/Größe.conf"
AKVEKM_CONFIG=$(system_path "$home/Größe.conf")
LIBRARY=$(system_path "$dll")
BACKUP=$(system_path "$folder/DemoTde.bak")
export BACKUP
first=$(new_key TdeKey0)
both 1-setup.sql
both 2-encrypt.sql
if grep -rqa 'Grace' "$home/server" "$folder/DemoTde.bak"; then
    fail 'a row is readable on disk'
fi
natively 3-restart.sql
reset_counters
windowed 3-restart.sql
has '^1  *Ada$'
has '^DemoTde  *ONLINE  *1$'
expect_counter unwrapkey 1
calls SqlCryptDecrypt 1
second=$(new_key TdeKey0)
both 4-rotation.sql
# R68: the thumbprint shown is in the branch, and leads to the new version.
map_has "$(sed -n 's/.* 0x\([0-9A-F]\{40\}\)$/\1/p' "$folder/out" | tail -n 1)" "TdeKey0/$second"
both 3-restart.sql
both 5-restore.sql
both 6-cleanup.sql
# R60, R47: both entries outlive the keys, nothing else is in the branch.
[ "$(map_count)" = 2 ] || fail "$(map_count) entries in the branch"
map | grep -q "^ *KeyUri  *REG_SZ  *https://$vault/keys/TdeKey0/$first\$" || fail 'no entry of the first version'
map | grep '^SQL' | grep -vq "^SQL Server Cryptographic Provider\(\\\\Azure Key Vault\(\\\\https://$vault\(\\\\[0-9A-F]\{40\}\)\{0,1\}\)\{0,1\}\)\{0,1\}\$" &&
    fail 'other keys in the branch than those of R47'
expect_counter leaked_secrets 0
