-- R56: a database, its encryption key under the vault's key, encryption on.
CREATE DATABASE DemoTde;
GO
USE DemoTde;
CREATE TABLE people (id int, name varchar(40));
INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace');
GO
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256
ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
GO
ALTER DATABASE DemoTde SET ENCRYPTION ON;
GO
-- R57, R58
USE master;
SELECT name, algorithm_desc, thumbprint FROM sys.asymmetric_keys;
SELECT encryptor_type, encryption_state_desc, encryptor_thumbprint
FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
GO
BACKUP DATABASE DemoTde TO DISK = '$(BACKUP)';
GO
