-- akv-ekm: from the installed library to an encrypted database. Replace what is in <>, run it as sysadmin. README.md and
-- docs/admin.md of the project explain each step; docs/errors.md each "Provider error code".
USE master;
EXEC sp_configure 'show advanced options', 1;  RECONFIGURE;
EXEC sp_configure 'EKM provider enabled', 1;   RECONFIGURE;
GO
CREATE CRYPTOGRAPHIC PROVIDER AkvEkm FROM FILE = '@library@';
GO
CREATE CREDENTIAL tde_cred
    WITH IDENTITY = '<vault name, or host of a Managed HSM>',
    SECRET = '<client ID without hyphens><client secret>'
FOR CRYPTOGRAPHIC PROVIDER AkvEkm;
ALTER LOGIN [<your login>] ADD CREDENTIAL tde_cred;
GO
CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm
    WITH PROVIDER_KEY_NAME = '<key name>', CREATION_DISPOSITION = OPEN_EXISTING;
CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;
ALTER LOGIN [<your login>] DROP CREDENTIAL tde_cred;
ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;
GO
USE [<database>];
CREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256 ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;
ALTER DATABASE [<database>] SET ENCRYPTION ON;
GO
