#!/bin/sh
# setup.sh BUILD: what akv-ekm setup makes, with which rights, that it does nothing twice, and the T-SQL that it prints. As root,
# who may give folders away.
. "$(dirname -- "$0")/tool.sh"
[ "$(id -u)" = 0 ] || { echo 'needs root: skipped'; exit 77; }
service=nobody
group=$(id -gn "$service")
mkdir "$folder/vault" "$folder/place"
{
    printf 'keymap_file = %s/place/akv-ekm/keymap\n' "$folder"
    printf 'certificate_folder = %s/etc/akv-ekm/certificates\n' "$folder"
} >"$AKVEKM_CONFIG"
mkdir "$folder/etc"
chmod 755 "$folder" "$folder/vault"
map=$folder/place/akv-ekm

rights() {
    stat -c '%U:%G %a' "$1"
}

tool 0 setup --user "$service" --dry-run
says "^-- would do +folder of the map $map of $service, 700"
[ ! -e "$map" ] || fail '--dry-run makes a folder'
tool 0 setup --user "$service"
says "^-- done +folder of the map $map of $service, 700"
[ "$(rights "$map")" = "$service:$group 700" ] || fail "the folder is $(rights "$map")"
tool 0 setup --user "$service"
says "^-- there already +folder of the map"
chmod 755 "$map"
tool 0 setup --user "$service"
says '^-- done .*its rights'
[ "$(rights "$map")" = "$service:$group 700" ] || fail "the rights stay $(rights "$map")"

# The service can work there: as its account, and a file that the tool makes is its own.
tool 0 map --user "$service" list
tool 0 setup --user "$service" --identity contoso-vault --key TdeKey0 --sign-in certificate
[ "$(rights "$folder/etc/akv-ekm")" = 'root:root 755' ] || fail "$(rights "$folder/etc/akv-ekm")"
[ "$(rights "$folder/etc/akv-ekm/certificates")" = "root:$group 750" ] || fail "$(rights "$folder/etc/akv-ekm/certificates")"
says "WITH IDENTITY = 'contoso-vault',"
says "SECRET = 'certificate:<client ID>:<name of the certificate>'"
says "PROVIDER_KEY_NAME = 'TdeKey0'"
says "FROM FILE = '/opt/akv-ekm/current/libakvekm.so'"
for form in secret managed-identity workload-identity federated-identity; do
    tool 0 setup --user "$service" --sign-in "$form"
done
tool 2 setup --user "$service" --sign-in password
tool 2 setup --user "$service" --identity nothing.example.com
says '5002'
tool 2 setup --user "$service" --key "x'; DROP"
says '3110'
tool 0 setup --user "$service" --library "/opt/it's/lib.so"
says "FROM FILE = '/opt/it''s/lib.so'"

# What is no folder is left alone, and nobody is made an account.
rmdir "$map"
ln -s "$folder/etc" "$map"
tool 1 setup --user "$service"
says '^-- FAILED +.*it is no folder'
[ "$(rights "$folder/etc")" = 'root:root 755' ] || fail 'setup follows a link'
tool 1 setup --user no-such-account
says '^-- FAILED +no account .no-such-account'

# What is printed runs: the stand-in for SQL Server takes it, with its places filled in.
rm -r "$map" "$folder/vault"
start_vault
tool 0 setup --user "$service" --dry-run --identity contoso-vault --key TdeKey0 --library "$build/libakvekm.so"
{
    printf 'CREATE DATABASE Sales;\nGO\n'
    sed -e "s/<client ID without hyphens><client secret>/$client$secret/" -e 's/<your login>/CONTOSO\\dba/' -e 's/<database>/Sales/' \
        "$folder/out"
} >"$folder/setup.sql"
"$build/ekmhost" --data "$folder/server" "$folder/setup.sql" >"$folder/out" 2>&1 || fail 'the printed T-SQL fails'
grep -q ', 0 errors$' "$folder/out" || fail 'the printed T-SQL has errors'
echo done
