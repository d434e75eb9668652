#!/bin/sh
# A server whose program gives rights to whoever runs it, as file capabilities do for containers without root: the
# system calls that secure execution (AT_SECURE), and much of the C library then leaves the environment unread. What
# AKVEKM_CONFIG names counts all the same, or the provider does not start. Needs root, to make such a program.
. "$(dirname -- "$0")/scenario.sh"

if [ "$(id -u)" != 0 ]; then
    echo 'scenario_capabilities: skipped: needs root'
    exit 0
fi
set_up
cp "$build/ekmhost" "$folder/sqlservr"
cp "$library" "$folder/libakvekm.so"
chown -R 4242:4242 "$folder"
chown 4242:4343 "$folder/sqlservr"
chmod 2755 "$folder/sqlservr"

ekmhost() {
    data=$1
    shift
    setpriv --reuid 4242 --regid 4242 --clear-groups timeout 100 "$folder/sqlservr" --data "$data" "$@"
}

# The library lies where this account can read it, under the provider's registered path.
sql_as() {
    run "$1" <<'SQL'
USE DemoTde;
SELECT name FROM people WHERE id = 1;
SQL
}
PROVIDER=$folder/libakvekm.so run 0 <<'SQL'
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm DISABLE;
GO
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '$(PROVIDER)';
GO
ALTER CRYPTOGRAPHIC PROVIDER AkvEkm ENABLE;
GO
SQL
: >"$folder/vault/akv-ekm.log"
sql_as 0
has '^Ada Lovelace$'
grep -q "Initialize .*config=\"$config\"" "$folder/vault/akv-ekm.log" || fail 'AKVEKM_CONFIG was not read'

# It is judged as ever, by its owner and rights.
chown 4343 "$config"
sql_as 1
chown 4242 "$config"
AKVEKM_CONFIG=$folder/none.conf
sql_as 1
AKVEKM_CONFIG=akv-ekm.conf
sql_as 1
