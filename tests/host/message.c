#include "message.h"

#include <stdio.h>
#include <string.h>

#include "provider_info.h"

struct message {
    int number, severity, state;
    const char *text;
};

#define SUFFIX " Provider error code: "

/* failure_set_provider completes a template that ends in SUFFIX. The severity is that of an error.
 */
static const struct message messages[] = {
    {102, 15, 1, "Incorrect syntax near '%s'."},
    {105, 15, 1, "Unclosed quotation mark after the character string '%s'."},
    {113, 15, 1, "Missing end comment mark '*/'.%s"},
    {137, 15, 2, "Must declare the scalar variable \"%s\"."},
    {134, 15, 2, "The variable name '%s' has already been declared in this batch."},
    {156, 15, 1, "Incorrect syntax near the keyword '%s'."},
    {195, 15, 10, "'%s' is not a recognized built-in function name."},
    {206, 16, 2, "Operand type clash: %s is incompatible with %s."},
    {207, 16, 1, "Invalid column name '%s'."},
    {208, 16, 1, "Invalid object name '%s'."},
    {213, 16, 1, "Column name or number of supplied values does not match table definition."},
    {243, 16, 1, "Type %s is not a defined system type."},
    {245, 16, 1, "Conversion failed when converting the value '%s' to data type int."},
    {911, 16, 1, "Database '%s' does not exist. Make sure that the name is entered correctly."},
    {922, 14, 1, "Database '%s' is being recovered. Waiting until recovery is finished."},
    {924, 14, 1, "Database '%s' is already open and can only have one user at a time."},
    {926, 14, 1, "Database '%s' cannot be opened: its recovery is pending. See the error log."},
    {942, 14, 4, "Database '%s' cannot be opened because it is offline."},
    {1801, 16, 3, "Database '%s' already exists. Choose a different database name."},
    {2714, 16, 6, "There is already an object named '%s' in the database."},
    {2592, 10, 1, "CHECKDB found 0 allocation errors and 0 consistency errors in database '%s'."},
    {3013, 16, 1, "%s is terminating abnormally."},
    {3014, 0, 1, "%s successfully processed %d pages."},
    {3101, 16, 1, "Exclusive access could not be obtained because the database '%s' is in use."},
    {3117, 16, 1,
     "The log or differential backup cannot be restored: no file is ready to roll forward.%s"},
    {3154, 16, 4,
     "The backup set holds a backup of a database other than the existing '%s' database."},
    {3159, 16, 1,
     "The tail of the log of database \"%s\" has not been backed up; use WITH REPLACE."},
    {3201, 16, 2, "Cannot open backup device '%s'. %s"},
    {3241, 16, 0, "The media family on device '%s' is incorrectly formed and cannot be processed."},
    {3701, 11, 1,
     "Cannot drop the %s '%s', because it does not exist or you do not have permission."},
    {3702, 16, 3, "Cannot drop database \"%s\" because it is currently in use."},
    {3708, 16, 1, "Cannot drop the database '%s' because it is a system database."},
    {3906, 16, 1, "Failed to update database \"%s\" because the database is read-only."},
    {5011, 14, 5,
     "User cannot alter database '%s', it does not exist, or it cannot be altered now."},
    {5058, 16, 1, "Option '%s' cannot be set in database '%s'."},
    {5069, 16, 1, "ALTER DATABASE statement failed.%s"},
    {5120, 16, 101, "Unable to open the physical file \"%s\". %s"},
    {5123, 16, 1, "CREATE FILE failed for the physical file '%s'. %s"},
    {5171, 16, 1, "%s is not a primary database file."},
    {5181, 16, 5, "Could not restart database \"%s\". Reverting to the previous status."},
    {5701, 10, 2, "Changed database context to '%s'."},
    {15025, 16, 1, "The server principal '%s' already exists."},
    {15123, 16, 1,
     "The configuration option '%s' does not exist, or it may be an advanced option."},
    {15129, 16, 1, "'%d' is not a valid value for configuration option '%s'."},
    {15151, 16, 1,
     "Cannot %s the %s '%s', because it does not exist or you do not have permission."},
    {15187, 16, 1, "The %s cannot be dropped because it is used by one or more %s(s)."},
    {15209, 16, 1, "An error occurred during encryption." SUFFIX},
    {15282, 16, 1,
     "A key with name '%s' already exists or you do not have permissions to create it."},
    {15288, 16, 1, "Please specify one decryptor to decrypt a key.%s"},
    {15313, 16, 1, "The key is not encrypted using the specified decryptor.%s"},
    {15314, 16, 1, "Either no algorithm has been given or it is not available: '%s'."},
    {15315, 16, 1, "The key '%s' is not open. Please open the key before using it."},
    {15352, 16, 1, "The %s cannot be dropped because one or more entities are encrypted using it."},
    {15396, 16, 1,
     "An asymmetric key with name '%s' already exists or this asymmetric key already has been "
     "added to the database."},
    {15434, 16, 1, "Could not drop login '%s' as the user is currently logged in."},
    {15457, 10, 1,
     "Configuration option '%s' changed from %d to %d. Run the RECONFIGURE statement to install."},
    {15466, 16, 1, "An error occurred during decryption." SUFFIX},
    {15530, 16, 1, "The %s with name \"%s\" already exists."},
    {15600, 15, 1, "An invalid parameter or option was specified for procedure '%s'."},
    {33022, 16, 1, "Cannot obtain cryptographic provider properties." SUFFIX},
    {33023, 16, 1, "The %s is too long. Maximum allowed length is %d bytes."},
    {33024, 16, 1,
     "Cryptographic provider guid '%s' in the library is different from the guid recorded in the "
     "system catalog for provider with id %d."},
    {33025, 16, 1, "Invalid cryptographic provider property: %s."},
    {33026, 16, 1, "Cryptographic provider with guid '%s' already exists."},
    {33027, 16, 1, "Cannot load library '%s'. %s"},
    {33028, 16, 1, "Cannot open session for %s '%s'." SUFFIX},
    {33029, 16, 1, "Cannot initialize cryptographic provider." SUFFIX},
    {33030, 16, 1, "Cryptographic provider is not available.%s"},
    {33031, 16, 1, "Cryptographic provider '%s' is disabled."},
    {33032, 16, 1,
     "SQL Crypto API version '%02d.%02d' implemented by the provider is not supported. Supported "
     "version is '%02d.%02d'."},
    {33033, 16, 1, "Specified key type or option '%s' is not supported by the provider."},
    {33034, 16, 1, "Cannot specify algorithm for existing key.%s"},
    {33035, 16, 1, "Cannot create key '%s' in the provider." SUFFIX},
    {33036, 10, 1, "Cannot drop the key with thumbprint '%s' in the provider." SUFFIX},
    {33037, 16, 1, "Cannot export %s from the provider." SUFFIX},
    {33038, 16, 1, "The type of the provider's key does not allow this operation.%s"},
    {33039, 16, 1, "Invalid algorithm '%s'." SUFFIX},
    {33040, 16, 1, "A key of a provider takes no further encryption, by password or key.%s"},
    {33042, 16, 1, "Cannot add the credential: it is already mapped to a login.%s"},
    {33043, 16, 1,
     "Cannot add credential '%s' because there is already a credential of provider '%s' specified "
     "for the login."},
    {33044, 16, 1, "Cannot drop %s because there is %s referencing this provider."},
    {33045, 16, 1, "Cannot drop credential '%s' because it is not mapped to this login."},
    {33046, 16, 1,
     "Server principal '%s' has no credential associated with cryptographic provider '%s'."},
    {33047, 16, 1, "Fail to obtain or decrypt secret for credential '%s'."},
    {33048, 16, 1, "The %s cannot be used while another security context is impersonated."},
    {33049, 16, 2, "Key with %s '%s' does not exist in the provider or access is denied." SUFFIX},
    {33050, 16, 1,
     "Cannot create key '%s' in the provider. The provider does not allow specifying key names."},
    {33051, 16, 1, "Invalid algorithm id %d." SUFFIX},
    {33052, 16, 1, "A key of a provider cannot be a temporary key.%s"},
    {33053, 16, 4,
     "Extensible Key Management is disabled. Use sp_configure 'EKM provider enabled' to enable "
     "it.%s"},
    {33054, 16, 1, "This edition has no Extensible Key Management.%s"},
    {33055, 16, 1, "An exception was raised inside a cryptographic provider.%s"},
    {33056, 16, 1, "Cannot impersonate login '%s' to reach the cryptographic provider '%s'."},
    {33057, 10, 1,
     "Cryptographic provider is now disabled. However users who have an open session with the "
     "provider can still use it. Restart the server to disable the provider for all users.%s"},
    {33058, 10, 1,
     "Cryptographic provider is now dropped. However users who have an open session with the "
     "provider can still use it. Restart the server to drop the provider for all users.%s"},
    {33071, 16, 1, "This command requires %s to be disabled. Disable it and rerun this command."},
    {33080, 10, 1, "The library '%s' of a cryptographic provider is now in memory."},
    {33081, 10, 1, "The library '%s' was not loaded: its signature or its path is not valid."},
    {33082, 16, 1, "There is no library for the cryptographic provider with guid '%s'."},
    {33083, 16, 1, "Cannot create the %s '%s': the cryptographic provider '%s' has no such keys."},
    {33084, 16, 1,
     "OPEN SYMMETRIC KEY does not take a key of a provider, which is open to whoever may use the "
     "provider.%s"},
    {33085, 10, 1,
     "One or more methods cannot be found in the cryptographic provider library '%s'."},
    {33087, 16, 1, "%s property of the key returned by the provider is not the expected one."},
    {33088, 16, 1, "The algorithm '%s' is not supported for EKM operations by this engine."},
    {33089, 16, 1, "Key validation failed: no algorithm info for that key." SUFFIX},
    {33090, 10, 1, "The library '%s' of a cryptographic provider is about to be loaded."},
    {33102, 16, 1, "Cannot encrypt a system database: '%s'."},
    {33103, 16, 1, "A database encryption key already exists for this database.%s"},
    {33104, 16, 1, "A database encryption key does not exist for this database.%s"},
    {33105, 16, 1,
     "Cannot drop the database encryption key because it is currently in use. Turn database "
     "encryption off first.%s"},
    {33106, 16, 1,
     "Cannot change database encryption state because no database encryption key is set.%s"},
    {33107, 16, 1, "Cannot enable database encryption because it is already enabled.%s"},
    {33108, 16, 1, "Cannot disable database encryption because it is already disabled.%s"},
    {33111, 16, 3, "Cannot find server asymmetric key with thumbprint '0x%s'."},
    {33118, 16, 1, "Cannot change database encryption of '%s': it is not online."},
    {33120, 16, 1,
     "In order to encrypt the database encryption key with an asymmetric key, please use one that "
     "resides on an extensible key management provider.%s"},
    {33121, 16, 1,
     "The asymmetric key '%s' does not have a login associated with it. Create a login and "
     "credential for this key to automatically access the extensible key management provider "
     "'%s'."},
    {33122, 16, 1,
     "Database '%s' has changes of an earlier encryption scan that wait for a log backup: back the "
     "log up and try again."},
    {33123, 16, 1,
     "The database encryption key is in use on a mirror or secondary replica, and cannot be "
     "altered or dropped.%s"},
    {33126, 16, 1, "Database encryption key is corrupted and cannot be read.%s"},
    {33127, 16, 1,
     "The %s cannot be dropped because it is used by one or more databases to encrypt a Database "
     "Encryption Key."},
    {33140, 16, 1,
     "The login '%s' could not be created because a login is already associated with '%s'."},
    {37563, 16, 1, "The server has no primary identity.%s"},
    {37576, 16, 1,
     "This version of the connector for Azure Key Vault knows no managed identity.%s"},
    {50000, 16, 1, "%s"},
};

static const struct message *find_message(int number)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (messages[i].number == number)
            return &messages[i];
    }
    return &messages[sizeof messages / sizeof *messages - 1];
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are the table's */
bool failure_set_list(struct failure *failure, int number, int state, va_list arguments)
{
    const struct message *message = find_message(number);
    failure->number = number;
    failure->severity = message->severity;
    failure->state = state ? state : message->state;
    failure->provider_code = -1;
    failure->notice[0] = 0;
    failure->ends_batch = number < 300 || number == 911 || number == 50000;
    vsnprintf(failure->text, sizeof failure->text, message->text, arguments);
    return false;
}
#pragma GCC diagnostic pop

bool failure_set(struct failure *failure, int number, int state, ...)
{
    va_list arguments;
    va_start(arguments, state);
    failure_set_list(failure, number, state, arguments);
    va_end(arguments);
    return false;
}

bool failure_set_provider(struct failure *failure, int number, int code, ...)
{
    va_list arguments;
    if (code == PROVIDER_EXCEPTION)
        return failure_set(failure, 33055, 0, "");
    va_start(arguments, code);
    failure_set_list(failure, number, 0, arguments);
    va_end(arguments);
    failure->provider_code = code;
    size_t used = strlen(failure->text);
    snprintf(failure->text + used, sizeof failure->text - used, "%d. (%s)", code,
             message_provider_text(code));
    return false;
}

int message_number(int number, int engine)
{
    static const int twins[][2] = {{33028, 37549}, {33029, 37550}, {33035, 37551}, {33037, 37552},
                                   {33039, 37553}, {33049, 37554}, {33051, 37555}, {33089, 37556}};
    for (size_t i = 0; engine >= 2025 && i < sizeof twins / sizeof *twins; i++) {
        if (twins[i][0] == number)
            return twins[i][1];
    }
    return number;
}

const char *message_provider_text(int code)
{
    static const char *const texts[] = {"Success",
                                        "Failure",
                                        "Insufficient Buffer",
                                        "Not Supported",
                                        "Object Not Found",
                                        "Authentication Failure",
                                        "Invalid Argument",
                                        "Provider Error: the library raised an exception"};
    if (code >= 0 && (size_t)code < sizeof texts / sizeof *texts)
        return texts[code];
    return "Provider Error - no explanation is available, consult your EKM provider for details";
}
