#include "net/environment.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "platform/system.h"

#define RESOLVER "the C library reads it when it resolves names"
#define OPENSSL  "OpenSSL reads it, except in a process with raised rights"
#define UNUSED   "not used"

static const struct {
    const char *name, *effect;
} variables[] = {
    {"SSLKEYLOGFILE", "no TLS key is written: libcurl may create the file, which stays empty"},
    {"SSL_CERT_FILE", UNUSED ": the system's certificates count, and ca_file"},
    {"SSL_CERT_DIR", UNUSED ": the system's certificates count, and ca_file"},
    {"CURL_CA_BUNDLE", UNUSED ": the system's certificates count, and ca_file"},
#ifndef _WIN32
    /* On Windows OpenSSL is inside the DLL, and built without its configuration. */
    {"OPENSSL_CONF", OPENSSL},
    {"OPENSSL_CONF_INCLUDE", OPENSSL},
    {"OPENSSL_MODULES", OPENSSL},
    {"OPENSSL_ENGINES", OPENSSL},
    {"CTLOG_FILE", UNUSED},
    {"RES_OPTIONS", RESOLVER},
    {"LOCALDOMAIN", RESOLVER},
    {"HOSTALIASES", RESOLVER ", only for names without a dot"},
    {"RESOLV_HOST_CONF", RESOLVER},
#endif
    {"OPENSSL_ia32cap", "OpenSSL does not use the processor instructions that it masks"},
    {"CURL_SSL_BACKEND", "libcurl reads it if it has several TLS libraries"},
};

void environment_visit(environment_visitor *visit, void *context)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        char value[1024];
        if (plat_environment(variables[i].name, value, sizeof value) > 0) {
            visit(context, variables[i].name, value, variables[i].effect);
        }
    }
}

static void environment_log(void *context, const char *name, const char *value, const char *effect)
{
    const enum log_level *level = context;
    struct log_line line;
    log_begin(&line, *level, 0, "Initialize");
    log_pair(&line, "environment", name);
    log_pair(&line, "value", value);
    log_pair(&line, "note", effect);
    log_write(&line);
}

void environment_report(void)
{
    /* Some of these variables can redirect connections. So they are logged even if only errors
     * are. */
    enum log_level level = log_wanted(LEVEL_INFO) ? LEVEL_INFO : LEVEL_ERROR;
    environment_visit(environment_log, &level);
}
