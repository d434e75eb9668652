#!/bin/sh
# The main job, start to end: demo.sh BUILD_FOLDER. A vault of its own, a server of its own, the article's T-SQL.
set -eu

build=$(CDPATH='' cd -- "$1" && pwd)
scripts=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$(mktemp -d)
vault_pid=

finish() {
    [ -z "$vault_pid" ] || kill "$vault_pid" 2>/dev/null || :
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() {
    printf '\n== %s\n' "$*"
}

ctl() {
    "$build/vaultsim" ctl --state "$folder/vault" "$@"
}

statements=0
errors=0
# run SCRIPT: one start of the server that executes one script.
run() {
    result=0
    "$build/ekmhost" --data "$folder/server" "$scripts/$1" 2>"$folder/closing" || result=$?
    closing=$(grep '^ekmhost: ' "$folder/closing" || :)
    grep -v '^ekmhost: ' "$folder/closing" >&2 || :
    printf '%s\n' "$closing"
    statements=$((statements + $(printf '%s\n' "$closing" | sed -n 's/^ekmhost: \([0-9]*\) statements.*/\1/p')))
    errors=$((errors + $(printf '%s\n' "$closing" | sed -n 's/.* \([0-9]*\) errors.*/\1/p')))
    if [ "$result" -ne 0 ]; then
        printf 'demo: %s ended with %s\n' "$1" "$result"
        cat "$folder/server/errorlog" "$folder/vault/akv-ekm.log" 2>/dev/null || :
        exit 1
    fi
}

say 'start the embedded vault: Key Vault and Entra in one process, TLS, RSA'
"$build/vaultsim" --state "$folder/vault" >"$folder/ready" &
vault_pid=$!
for _ in $(seq 100); do
    ! grep -q '^vaultsim: ready' "$folder/ready" || break
    kill -0 "$vault_pid"
    sleep 0.1
done
sed 's/,.*//' "$folder/ready"
ctl POST /keys '{"vault":"contoso-vault.vault.azure.net","name":"TdeKey0","kty":"RSA","key_size":2048}' >/dev/null
echo 'key TdeKey0 (RSA 2048) in contoso-vault'

AKVEKM_CONFIG=$folder/vault/akv-ekm.conf
LIBRARY=${DEMO_LIBRARY:-$build/libakvekm.so} # the installed one, for the packages
VAULT=contoso-vault
SECRET='11111111222243338444555555555555Sim~Secret-0.with_hyphens-1'
BACKUP=$folder/DemoTde.bak
export AKVEKM_CONFIG LIBRARY VAULT SECRET BACKUP

say 'register the provider, credential, key and login (R48 to R55)'
run 1-setup.sql
say 'encrypt a database and look at it (R56 to R58)'
run 2-encrypt.sql
if grep -rqa 'Grace' "$folder/server" "$BACKUP"; then
    echo 'demo: a row is readable on disk'
    exit 1
fi
echo 'no row can be read in the files on disk'
say 'restart: the database opens with one unwrapKey at the vault'
ctl DELETE /counters >/dev/null
run 3-restart.sql
ctl GET /counters
say 'a new version of the key in the vault, and rotation (R64 to R68)'
ctl POST /keys '{"vault":"contoso-vault.vault.azure.net","name":"TdeKey0","kty":"RSA","key_size":2048}' >/dev/null
run 4-rotation.sql
say 'the durable map: thumbprint to key version (R47)'
cat "$folder/vault/keymap"
say 'restart after the rotation'
run 3-restart.sql
say 'restore the backup made before the rotation (R71)'
run 5-restore.sql
say 'clean up in the order of the article (R59)'
run 6-cleanup.sql

printf '\ndemo: %s statements, %s errors\n' "$statements" "$errors"
