SELECT name, state_desc, is_encrypted FROM sys.databases WHERE name = 'DemoTde';
GO
USE DemoTde;
SELECT * FROM people;
GO
