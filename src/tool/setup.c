#include "tool/setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/sign_in_form.h"
#include "base/text.h"
#include "provider/key_lookup.h"
#include "tool/connection.h"
#include "vault/identity.h"
#include "vault/wire.h"

void setup_report(struct setup *setup, enum setup_outcome outcome, const char *format, ...)
{
    const char *did = setup->options->dry_run ? "would do" : "done";
    va_list arguments;
    (void)printf("-- %-14s ", outcome == SETUP_THERE  ? "there already"
                              : outcome == SETUP_DONE ? did
                                                      : "FAILED");
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    setup->done += outcome == SETUP_DONE;
    setup->failed += outcome == SETUP_FAILED;
}

/* Doubles the quotes, as a string of T-SQL needs. */
static void setup_quote(const char *text, char *out, size_t cap)
{
    size_t len = 0;
    for (; *text != '\0' && len + 3 < cap; text++) {
        if (*text == '\'') {
            out[len++] = '\'';
        }
        out[len++] = *text;
    }
    out[len] = '\0';
}

/* With placeholders, because setup asks for no secret. */
static const char *setup_secret(enum sign_in_form form)
{
    switch (form) {
    case SIGN_IN_CERTIFICATE:
        return "certificate:<client ID>:<name of the certificate>";
    case SIGN_IN_MANAGED_IDENTITY:
        return "managed-identity";
    case SIGN_IN_WORKLOAD_IDENTITY:
        return "workload-identity";
    case SIGN_IN_FEDERATED_IDENTITY:
        return "federated-identity:<client ID>";
    default:
        return "<client ID without hyphens><client secret>";
    }
}

static enum ekm_rc setup_read_names(struct call *call, const struct tool_options *options)
{
    struct vault_address address;
    struct key_id key;
    if (options->identity != NULL) {
        enum ekm_rc rc =
            identity_read(call, options->identity, strlen(options->identity), &address);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return options->key != NULL ? key_lookup_parse_name(call, options->key, &key) : EKM_OK;
}

static bool setup_check_names(const struct setup *setup)
{
    struct call call;
    char why[700];
    call_begin(&call, "Setup", setup->config);
    enum ekm_rc rc = setup_read_names(&call, setup->options);
    if (rc != EKM_OK) {
        connection_explain(&call, rc, why, sizeof why);
        (void)fprintf(stderr, "akv-ekm: %s\n", why);
        return false;
    }
    return true;
}

bool setup_print_statements(const struct setup *setup)
{
    const struct tool_options *options = setup->options;
    enum sign_in_form form = SIGN_IN_SECRET;
    char library[1100], identity[1100];
    const char *word = options->sign_in != NULL ? options->sign_in : "secret";
    if (!sign_in_form_find(word, strlen(word), &form)) {
        (void)tool_misuse("`%s` is no form of signing in", word);
        return false;
    }
    if (!setup_check_names(setup)) {
        return false;
    }
    setup_quote(setup->library, library, sizeof library);
    setup_quote(options->identity != NULL ? options->identity
                                          : "<vault name, or host of a Managed HSM>",
                identity, sizeof identity);
    const char *key = options->key != NULL ? options->key : "<key name>";
    (void)printf("\n-- Replace what is in <>, and run it as sysadmin.\nUSE master;\n"
                 "EXEC sp_configure 'show advanced options', 1;\nRECONFIGURE;\n"
                 "EXEC sp_configure 'EKM provider enabled', 1;\nRECONFIGURE;\nGO\n"
                 "CREATE CRYPTOGRAPHIC PROVIDER AkvEkm\nFROM FILE = '%s';\nGO\n"
                 "CREATE CREDENTIAL tde_cred\n    WITH IDENTITY = '%s',\n    SECRET = '%s'\n"
                 "FOR CRYPTOGRAPHIC PROVIDER AkvEkm;\n"
                 "ALTER LOGIN [<your login>] ADD CREDENTIAL tde_cred;\nGO\n",
                 library, identity, setup_secret(form));
    (void)printf("CREATE ASYMMETRIC KEY TDE_Key FROM PROVIDER AkvEkm\n"
                 "WITH PROVIDER_KEY_NAME = '%s', CREATION_DISPOSITION = OPEN_EXISTING;\nGO\n"
                 "CREATE LOGIN TDE_Login FROM ASYMMETRIC KEY TDE_Key;\n"
                 "ALTER LOGIN [<your login>] DROP CREDENTIAL tde_cred;\n"
                 "ALTER LOGIN TDE_Login ADD CREDENTIAL tde_cred;\nGO\n"
                 "USE [<database>];\nCREATE DATABASE ENCRYPTION KEY WITH ALGORITHM = AES_256\n"
                 "ENCRYPTION BY SERVER ASYMMETRIC KEY TDE_Key;\nGO\n"
                 "ALTER DATABASE [<database>] SET ENCRYPTION ON;\nGO\n",
                 key);
    return true;
}

int tool_setup(const struct tool_options *options)
{
    static struct config config;
    struct setup setup;
    char why[1600];
    memset(&setup, 0, sizeof setup);
    setup.options = options;
    setup.config = &config;
    if (options->word_count != 0) {
        return tool_misuse("setup takes options alone", "");
    }
    if (options->library != NULL) {
        (void)text_copy(setup.library, sizeof setup.library, options->library);
    } else {
        setup_default_library(setup.library, sizeof setup.library);
    }
    wire_start();
    enum ekm_rc rc = config_load(&config, why, sizeof why, NULL, NULL);
    if (rc != EKM_OK) {
        (void)fprintf(stderr, "akv-ekm: %d: %s: %s\n", (int)ekm_code(rc), ekm_text(rc), why);
        return TOOL_FAILED;
    }
    int status = TOOL_OK;
    if (!options->dry_run && !setup_may(&setup, why, sizeof why)) {
        (void)fprintf(stderr, "akv-ekm: %s; --dry-run says what would be done\n", why);
        status = TOOL_FAILED;
    } else {
        setup_machine(&setup);
        status = setup.failed > 0 ? TOOL_FAILED : TOOL_OK;
    }
    if (status == TOOL_OK && !setup_print_statements(&setup)) {
        status = TOOL_USAGE;
    }
    config_free(&config);
    return status;
}
