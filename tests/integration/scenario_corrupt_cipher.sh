#!/bin/sh
# One corrupt cipher must not spoil the next good one, least of all where a wrong RSA1_5 unwrap "succeeds" with random
# bytes (implicit rejection).
. "$(dirname -- "$0")/scenario.sh"

# 256 bytes that are no cipher of anybody, smaller than any modulus.
BAD=0x00$(printf '%0510d' 0 | tr 0 7)
export BAD

# round_trip: corrupt, good, corrupt, good in one process; what the corrupt ones give is of no interest
round_trip() {
    sql <<'SQL'
USE Shop;
DECLARE @good varbinary(512);
SELECT @good = ENCRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), 'a good word');
DECLARE @bad varbinary(512) = DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), $(BAD));
SELECT CONVERT(varchar(40), DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), @good)) AS first;
SET @bad = DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), $(BAD));
SELECT CONVERT(varchar(40), DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), @good)) AS second;
SQL
    [ "$(grep -c '^a good word$' "$folder/out")" = 2 ] || fail "$1: a good cipher did not open after a corrupt one"
}

set_up
new_key ColKey >/dev/null
sql <<'SQL'
CREATE DATABASE Second;
GO
USE Second;
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
ALTER DATABASE Second SET ENCRYPTION ON;
GO
CREATE DATABASE Shop;
GO
USE Shop;
CREATE ASYMMETRIC KEY ColKey FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'ColKey', CREATION_DISPOSITION = OPEN_EXISTING;
SQL

# An honest vault: the corrupt one is refused with its own code, and a cipher of the wrong length before it is sent.
run 1 <<'SQL'
USE Shop;
SELECT DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), $(BAD));
SQL
msg 15466 5010
reset_counters
run 1 <<'SQL'
USE Shop;
SELECT DECRYPTBYASYMKEY(ASYMKEY_ID('ColKey'), 0x0102030405);
SQL
msg 15466 6
expect_counter unwrapkey 2

ctl POST /settings '{"implicit_rejection":true}' >/dev/null
for algorithm in auto RSA-OAEP-256 RSA-OAEP RSA1_5; do
    configure "wrap_algorithm = $algorithm"
    round_trip "$algorithm"
done
configure 'wrap_algorithm = auto'

# A database whose wrapped key is damaged stays pending alone; those after it open.
cp "$server/DemoTde.mdf" "$folder/saved.mdf"
LC_ALL=C sed -i '1,/wrapped_key/s/\("wrapped_key":[^"]*"..\)......../\10F0F0F0F/' "$server/DemoTde.mdf"
! cmp -s "$server/DemoTde.mdf" "$folder/saved.mdf" || fail 'the wrapped key was not damaged'
run 0 --sessions 1 <<'SQL'
SELECT name, state_desc FROM sys.databases WHERE name = 'DemoTde';
SELECT name, state_desc FROM sys.databases WHERE name = 'Second';
SQL
has '^DemoTde  *RECOVERY_PENDING$'
has '^Second  *ONLINE$'
cp "$folder/saved.mdf" "$server/DemoTde.mdf"
database_opens
