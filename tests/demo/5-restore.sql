-- R71: the backup from before the rotation still needs, and finds, the first version.
USE master;
GO
ALTER DATABASE DemoTde SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
DROP DATABASE DemoTde;
GO
RESTORE DATABASE DemoTde FROM DISK = '$(BACKUP)';
GO
USE DemoTde;
SELECT * FROM people;
GO
