/* SECRET: which form it is, who signs in by it, and what is refused before anything is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/sign_in.h"

#define HEX   "AAAAAAAABBBBCCCCDDDDEEEEEEEEEEEE"
#define GUID  "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define OTHER "11111111-2222-4333-8444-555555555555"
#define RESOURCE                                                                                   \
    "/subscriptions/" OTHER                                                                        \
    "/resourceGroups/r_(1).x/providers/Microsoft.ManagedIdentity/userAssignedIdentities/sql"

static struct config config;
static struct call call;

static int set_up(void **state)
{
    (void)state;
    config_defaults(&config);
    call_begin(&call, "Test", &config);
    return 0;
}

static void test_every_form_is_read(void **state)
{
    static const struct {
        const char *secret;
        enum sign_in_form form;
        enum identity_selector selector;
        const char *client_id, *name;
        bool needs_tenant;
    } rows[] = {
        {HEX "x", SIGN_IN_SECRET, IDENTITY_OF_MACHINE, GUID, "", true},
        {GUID "x", SIGN_IN_SECRET, IDENTITY_OF_MACHINE, GUID, "", true},
        {"certificate:" GUID ":sql_1.x-y", SIGN_IN_CERTIFICATE, IDENTITY_OF_MACHINE, GUID,
         "sql_1.x-y", true},
        {"Certificate:" HEX ":A", SIGN_IN_CERTIFICATE, IDENTITY_OF_MACHINE, GUID, "A", true},
        {"managed-identity", SIGN_IN_MANAGED_IDENTITY, IDENTITY_OF_MACHINE, "", "", false},
        {"MANAGED-IDENTITY:" HEX, SIGN_IN_MANAGED_IDENTITY, IDENTITY_BY_CLIENT_ID, "", GUID, false},
        {"managed-identity:Object:" GUID, SIGN_IN_MANAGED_IDENTITY, IDENTITY_BY_OBJECT_ID, "", GUID,
         false},
        {"managed-identity:resource:" RESOURCE, SIGN_IN_MANAGED_IDENTITY, IDENTITY_BY_RESOURCE_ID,
         "", RESOURCE, false},
        {"workload-identity", SIGN_IN_WORKLOAD_IDENTITY, IDENTITY_OF_MACHINE, "", "", false},
        {"workload-identity:" GUID, SIGN_IN_WORKLOAD_IDENTITY, IDENTITY_OF_MACHINE, GUID, "",
         false},
        {"federated-identity:" GUID, SIGN_IN_FEDERATED_IDENTITY, IDENTITY_OF_MACHINE, GUID, "",
         true},
        {"federated-identity:" GUID ":" OTHER, SIGN_IN_FEDERATED_IDENTITY, IDENTITY_BY_CLIENT_ID,
         GUID, OTHER, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sign_in who;
        enum ekm_rc rc = sign_in_parse(&call, rows[i].secret, strlen(rows[i].secret), &who);
        if (rc != EKM_OK) {
            fail_msg("%s: %s", rows[i].secret, ekm_name(rc));
        }
        assert_int_equal(who.form, rows[i].form);
        assert_int_equal(who.selector, rows[i].selector);
        assert_string_equal(who.client_id, rows[i].client_id);
        assert_string_equal(who.name, rows[i].name);
        assert_int_equal(sign_in_needs_tenant(&who), rows[i].needs_tenant);
        assert_int_equal(sign_in_has_word(rows[i].secret, strlen(rows[i].secret)),
                         who.form != SIGN_IN_SECRET);
    }
}

static void test_what_is_malformed_is_refused(void **state)
{
    static const struct {
        const char *secret;
        enum ekm_rc rc;
    } rows[] = {
        {"", EKM_SECRET_TOO_SHORT},
        {HEX, EKM_SECRET_TOO_SHORT},
        {GUID, EKM_SECRET_TOO_SHORT},
        {"g1111111222243338444555555555555x", EKM_BAD_CREDENTIALS},
        {"certificate", EKM_SIGN_IN_MALFORMED},
        {"certificate:", EKM_SIGN_IN_MALFORMED},
        {"certificates", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID, EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":a/b", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":a\\b", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":a:b", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":a ", EKM_SIGN_IN_MALFORMED},
        {"certificate:" GUID ":0123456789012345678901234567890123456789012345678901234567890123x",
         EKM_SIGN_IN_MALFORMED},
        {"certificate:sql:" GUID, EKM_SIGN_IN_MALFORMED},
        {"managed-identity ", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:x", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:" GUID "x", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:" GUID ":" GUID, EKM_SIGN_IN_MALFORMED},
        {"managed-identity:object", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:object:", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:object:x", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:resource:", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:resource:/subscriptions/", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:resource:/subscriptions/a&client_id=b", EKM_SIGN_IN_MALFORMED},
        {"managed-identity:resource:sql", EKM_SIGN_IN_MALFORMED},
        {"workload-identity:", EKM_SIGN_IN_MALFORMED},
        {"workload-identity:" GUID ":", EKM_SIGN_IN_MALFORMED},
        {"federated-identity", EKM_SIGN_IN_MALFORMED},
        {"federated-identity:" GUID ":", EKM_SIGN_IN_MALFORMED},
        {"federated-identity:" GUID ":x", EKM_SIGN_IN_MALFORMED},
        {"federated-identity:" GUID ":" GUID ":", EKM_SIGN_IN_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sign_in who;
        enum ekm_rc rc = sign_in_parse(&call, rows[i].secret, strlen(rows[i].secret), &who);
        if (rc != rows[i].rc) {
            fail_msg("'%s': %s", rows[i].secret, ekm_name(rc));
        }
        assert_int_equal(call.error.rc, rc);
    }
}

static void test_the_setting_limits_the_forms(void **state)
{
    struct sign_in who;
    (void)state;
    config.sign_in.forms = 1u << SIGN_IN_CERTIFICATE;
    assert_int_equal(sign_in_parse(&call, "managed-identity", 16, &who), EKM_SIGN_IN_NOT_ALLOWED);
    assert_non_null(strstr(call.error.note, "managed-identity"));
    assert_int_equal(sign_in_managed(&call, &who), EKM_SIGN_IN_NOT_ALLOWED);
    assert_int_equal(sign_in_parse(&call, HEX "x", 33, &who), EKM_SIGN_IN_NOT_ALLOWED);
    assert_int_equal(sign_in_parse(&call, "certificate:" HEX ":x", 46, &who), EKM_OK);
    config.sign_in.forms = 0;
    assert_int_equal(sign_in_parse(&call, "certificate:" HEX ":x", 46, &who),
                     EKM_SIGN_IN_NOT_ALLOWED);
}

static void test_the_vendors_identity(void **state)
{
    bool blank = false;
    (void)state;
    assert_true(sign_in_is_managed("Managed Identity", &blank) && blank);
    assert_true(sign_in_is_managed("MANAGED IDENTITY", &blank) && blank);
    assert_true(sign_in_is_managed("managedidentity", &blank) && !blank);
    assert_false(sign_in_is_managed("Managed  Identity", &blank));
    assert_false(sign_in_is_managed("Managed Identity x", &blank));
    assert_false(sign_in_is_managed("", &blank));
}

static void test_descriptions(void **state)
{
    struct sign_in who;
    char text[160];
    (void)state;
    assert_int_equal(sign_in_parse(&call, HEX "Secret", 38, &who), EKM_OK);
    sign_in_describe(&who, "", text, sizeof text);
    assert_string_equal(text, "secret");
    assert_int_equal(sign_in_parse(&call, "managed-identity:" GUID, 53, &who), EKM_OK);
    sign_in_describe(&who, "source=imds", text, sizeof text);
    assert_string_equal(text, "managed-identity source=imds client_id=" GUID);
    assert_int_equal(sign_in_parse(&call, "certificate:" HEX ":sql", 48, &who), EKM_OK);
    sign_in_describe(&who, "thumbprint=AB", text, sizeof text);
    assert_string_equal(text, "certificate thumbprint=AB name=sql");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_form_is_read, set_up),
        cmocka_unit_test_setup(test_what_is_malformed_is_refused, set_up),
        cmocka_unit_test_setup(test_the_setting_limits_the_forms, set_up),
        cmocka_unit_test_setup(test_the_vendors_identity, set_up),
        cmocka_unit_test_setup(test_descriptions, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
