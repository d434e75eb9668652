#include "net/trust_bundle.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/log.h"
#include "base/text.h"

#define BEGIN      "-----BEGIN "
#define END        "-----END "
#define SAID_MOST  20 /* lines of the log for one file */
#define LABEL_SIZE 40

struct bundle {
    X509_STORE *store;
    const char *name;
    bool say;
    size_t count, left_out;
};

static void bundle_say(struct bundle *bundle, unsigned line, const char *what)
{
    bundle->left_out++;
    if (bundle->say && bundle->left_out <= SAID_MOST) {
        log_text(LEVEL_ERROR, 0, "trust", "%s:%u: %s", bundle->name, line, what);
    }
}

/* The caller cleared OpenSSL's queue before, so the error is that of this certificate. */
static void bundle_say_why(struct bundle *bundle, unsigned line)
{
    char text[200];
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    (void)text_format(text, sizeof text, "this certificate cannot be read and is left out: %s",
                      why != NULL ? why : "it is malformed");
    bundle_say(bundle, line, text);
}

static bool bundle_has_expired(const X509 *certificate)
{
    return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

/* Leaves out an expired authority. It verifies nothing, but would hide its successor of the same
 * name, because OpenSSL looks for an issuer among the trusted certificates first. */
static enum ekm_rc bundle_add_one(struct bundle *bundle, const char *piece, size_t len,
                                  unsigned line)
{
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(piece, (int)len);
    if (bio == NULL) {
        return EKM_OUT_OF_MEMORY;
    }
    enum ekm_rc rc = EKM_OK;
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    if (certificate == NULL) {
        bundle_say_why(bundle, line);
    } else if (bundle_has_expired(certificate)) {
        bundle->count++;
        bundle_say(bundle, line, "this certificate has expired and is left out");
    } else {
        bundle->count++;
        rc = X509_STORE_add_cert(bundle->store, certificate) == 1 ? EKM_OK : EKM_OUT_OF_MEMORY;
    }
    X509_free(certificate);
    BIO_free(bio);
    return rc;
}

static bool bundle_is_certificate(const char *label)
{
    return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0 ||
           strcmp(label, "TRUSTED CERTIFICATE") == 0;
}

/* The start of the next line. */
static const char *bundle_next_line(const char *at)
{
    at += strcspn(at, "\n");
    return *at == '\n' ? at + 1 : at;
}

/* OpenSSL ignores an indented BEGIN. A certificate pasted from YAML may have one. */
static void bundle_say_indented(struct bundle *bundle, const char *at, unsigned line)
{
    size_t blanks = strspn(at, " \t");
    if (blanks > 0 && strncmp(at + blanks, BEGIN, sizeof BEGIN - 1) == 0) {
        bundle_say(bundle, line, "this BEGIN is indented; it is left out");
    }
}

/* Reads from "-----BEGIN " to the end of the line of its "-----END ". If another BEGIN or the end
 * of the text comes first, reads up to there and leaves the piece out. */
static enum ekm_rc bundle_take_piece(struct bundle *bundle, const char **at, unsigned *line)
{
    char label[LABEL_SIZE];
    const char *begin = *at, *name = begin + sizeof BEGIN - 1;
    unsigned first = *line;
    (void)text_copy_n(label, sizeof label, name, strcspn(name, "-\r\n"));
    do {
        *at = bundle_next_line(*at);
        ++*line;
    } while (**at != '\0' && strncmp(*at, END, sizeof END - 1) != 0 &&
             strncmp(*at, BEGIN, sizeof BEGIN - 1) != 0);
    if (strncmp(*at, END, sizeof END - 1) != 0) {
        bundle_say(bundle, first, "this BEGIN has no END; it is left out");
        return EKM_OK;
    }
    *at = bundle_next_line(*at);
    ++*line;
    if (!bundle_is_certificate(label)) {
        bundle_say(bundle, first, "this is not a certificate; it is left out");
        return EKM_OK;
    }
    return bundle_add_one(bundle, begin, (size_t)(*at - begin), first);
}

enum ekm_rc trust_bundle_add(X509_STORE *store, const char *text, const char *name, bool say,
                             size_t *count)
{
    struct bundle bundle = {store, name, say, 0, 0};
    enum ekm_rc rc = EKM_OK;
    const char *at = text + text_mark_len(text, strlen(text));
    for (unsigned line = 1; *at != '\0';) {
        if (strncmp(at, BEGIN, sizeof BEGIN - 1) == 0) {
            rc = bundle_take_piece(&bundle, &at, &line);
            if (rc != EKM_OK) {
                break;
            }
        } else {
            bundle_say_indented(&bundle, at, line);
            at = bundle_next_line(at);
            line++;
        }
    }
    if (say && bundle.left_out > SAID_MOST) {
        log_text(LEVEL_ERROR, 0, "trust", "%s: %zu certificates are left out in total", name,
                 bundle.left_out);
    }
    *count = bundle.count;
    ERR_clear_error();
    return rc;
}
