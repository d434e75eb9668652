#!/bin/sh
# The recording of the calls (trace_file), what it says about the assumptions, and a stand-in that behaves as one showed.
. "$(dirname -- "$0")/scenario.sh"

recording=$folder/recording
report=$folder/report

# verdict NUMBER WORDS
verdict() {
    "$build/ekmtrace" "$recording" "$report" || fail 'no report'
    grep -q "^$1 *$2" "$report" || { cat "$report" >&2; fail "$1 is not '$2'"; }
}

# record [OPTION]...: a second key, a rotation, and all that asks a running database's provider, recorded
record() {
    rm -f "$recording" "$report"
    run 0 --record "$recording" "$@" <<'SQL'
SELECT key_name FROM sys.dm_cryptographic_provider_keys(65536);
USE DemoTde;
CHECKPOINT;
BACKUP LOG DemoTde TO DISK = '$(BACKUPS)/log.bak';
DBCC CHECKDB;
SELECT name FROM people WHERE id = 1;
SQL
    has '^Ada Lovelace$'
    has '^TdeKey0$'
}

set_up
record
[ "$(head -n 1 "$recording" | cut -c 1-22)" = '# akv-ekm recording 1,' ] || fail 'the first line'
[ "$(stat -c %a "$recording")" = 640 ] || [ "$(stat -c %a "$recording")" = 600 ] || fail 'rights of the recording'
# Every call that the stand-in says it made is there, and none else.
for function in InitializeProvider GetProviderInfo GetNextAlgorithmId GetAlgorithmInfo OpenSession CloseSession GetNextKeyId \
    GetKeyInfoByKeyId Decrypt FreeProvider; do
    made=$(grep -c "^trace: SqlCrypt$function = " "$folder/err" || :)
    there=$(awk -v name="$function" '$3 == name' "$recording" | wc -l)
    [ "$made" -gt 0 ] && [ "$made" = "$there" ] || fail "$function: $made calls, $there lines"
done
# Sizes, but nothing of what is secret: SECRET, rows, key material, the identity.
grep -q ' Decrypt session=[0-9]* thumb=20p:[0-9A-F]\{40\} final=1 params=0n in=256p out=[0-9]*p gives=32 rc=0 us=[0-9]*$' "$recording" ||
    fail 'no whole line of Decrypt'
if grep -qiF -e "$client_secret" -e 'Ada Lovelace' -e contoso "$recording"; then
    fail 'a secret, a row or the identity is in the recording'
fi
for number in A4 A8 A27 A28 A30 A31 A10; do
    verdict "$number" confirmed
done
verdict A14 'says nothing'
verdict A20 'says nothing.*cannot see it'
if grep -qE "$(thumbprint_of TDE_Key)|TdeKey0" "$report"; then
    fail 'the report names a key'
fi
"$build/ekmtrace" "$folder/none" 2>"$folder/usage" && fail 'a recording that is not there'

# A rotation, recorded: the move asks nothing more.
new_key TdeKey0 >/dev/null
rm -f "$recording"
run 0 --record "$recording" <<'SQL'
CREATE ASYMMETRIC KEY TDE_Key2 FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login2 FROM ASYMMETRIC KEY TDE_Key2;
CREATE CREDENTIAL cred2 WITH IDENTITY = '$(VAULT)', SECRET = '$(SECRET)' FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN TDE_Login2 ADD CREDENTIAL cred2;
USE DemoTde;
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key2;
SQL
grep -q ' GetKeyInfoByName session=[0-9]* name=14p:"TdeKey0" out=0n out2=0n gives=14 gives2=20 rc=2 ' "$recording" ||
    fail 'no size query by name'
verdict A19 confirmed
verdict A29 confirmed

# An engine that does otherwise: no enumeration, buffers at once, abort, reloads. The stand-in follows, and its own recording says so.
cp "$recording" "$folder/other"
{
    grep -v -e ' GetNextAlgorithmId ' "$folder/other" | sed 's/ abort=0 / abort=1 /; s/ out=0n / out=512p /'
    tail -n 4 "$folder/other" | grep ' OpenSession ' || grep -m 1 ' OpenSession ' "$folder/other"
    grep -m 1 ' InitializeProvider ' "$folder/other"
} >"$folder/seen"
record --as "$folder/seen"
for number in A4 A8 A27 A30; do
    grep -q "^as: $number is contradicted\$" "$folder/err" || fail "$number is not played"
    verdict "$number" contradicted
done
calls SqlCryptGetNextAlgorithmId 0
[ "$(grep -c '^conformance: ' "$folder/err")" = 0 ] || fail 'the library breaks a rule then'
database_opens

# A link is not followed, and the server goes on without.
ln -s "$folder/elsewhere" "$folder/link"
configure "trace_file = $folder/link"
database_opens
[ ! -e "$folder/elsewhere" ] || fail 'a link was followed'
grep -q 'trace_file is not used' "$folder/vault/akv-ekm.log" || fail 'the log does not say why'
