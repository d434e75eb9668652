-- R48: let the instance load cryptographic providers, then register this one.
USE master;
GO
EXEC sp_configure 'show advanced options', 1;
GO
RECONFIGURE;
GO
EXEC sp_configure 'EKM provider enabled', 1;
GO
RECONFIGURE;
GO
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm
FROM FILE = '$(LIBRARY)';
GO
SELECT name, version, is_enabled FROM sys.cryptographic_providers;
GO
-- R49 to R52: the credential, mapped to the administrator.
CREATE CREDENTIAL tde_cred
    WITH IDENTITY = '$(VAULT)',
    SECRET = '$(SECRET)'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [CONTOSO\dba] ADD CREDENTIAL tde_cred;
GO
-- R53, R54: open the vault's key.
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
WITH PROVIDER_KEY_NAME = 'TdeKey0', CREATION_DISPOSITION = OPEN_EXISTING;
GO
-- R55: the engine's own login takes the credential over.
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
ALTER LOGIN [CONTOSO\dba] DROP CREDENTIAL tde_cred;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
GO
