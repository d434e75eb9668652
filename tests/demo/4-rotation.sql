-- R64 to R67: the vault key has a new version; a second asymmetric key takes it by the same name.
USE master;
GO
CREATE CREDENTIAL tde_cred2 WITH IDENTITY = '$(VAULT)',
    SECRET = '$(SECRET)' FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred2;
CREATE ASYMMETRIC KEY TDE_Key2 FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login2 FROM ASYMMETRIC KEY TDE_Key2;
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred2;
ALTER LOGIN TDE_Login2 ADD CREDENTIAL tde_cred2;
GO
USE DemoTde;
GO
ALTER DATABASE ENCRYPTION KEY ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key2;
GO
-- R68
SELECT encryptor_type, encryption_state_desc, encryptor_thumbprint
FROM sys.dm_database_encryption_keys WHERE database_id = DB_ID('DemoTde');
GO
