#include "net/trust_index.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/codec.h"
#include "platform/file.h"

#define INDEX_FILE_MAX ((size_t)4 * 1024 * 1024)
#define BEGIN          "-----BEGIN "
#define LABEL          "CERTIFICATE-----"
#define LABEL_OLD      "X509 CERTIFICATE-----"
#define ENTRIES_FIRST  128

/* `name` is OpenSSL's hash of the subject's canonical form: equal names have equal hashes. */
struct trust_entry {
    unsigned long name;
    size_t at, len;
};

struct trust_index {
    X509_LOOKUP_METHOD *method;
    struct buf der; /* all certificates, one after the other */
    struct trust_entry *entries;
    size_t count, cap;
};

static void trust_index_free(struct trust_index *index)
{
    if (index != NULL) {
        X509_LOOKUP_meth_free(index->method);
        buf_free(&index->der);
        free(index->entries);
        free(index);
    }
}

struct trust_index *trust_index_new(size_t max_bytes)
{
    const struct buf der = BUF_EMPTY(max_bytes);
    struct trust_index *index = calloc(1, sizeof *index);
    if (index != NULL) {
        index->der = der;
    }
    return index;
}

/* Enters or skips one DER element and moves *at behind its header or its end. */
static bool der_step(const uint8_t **at, const uint8_t *end, bool enter, int *tag, int *class)
{
    const uint8_t *element = *at;
    long len = 0;
    int form = ASN1_get_object(&element, &len, tag, class, (long)(end - *at));
    if (*at >= end || (form & 0x80) != 0 || (form & 1) != 0) {
        return false;
    }
    *at = enter ? element : element + len;
    return true;
}

/* Certificate { TBSCertificate { [0] version, serial, algorithm, issuer, validity, subject */
static bool der_find_subject(const uint8_t *der, size_t len, const uint8_t **subject,
                             size_t *subject_len)
{
    const uint8_t *at = der, *end = der + len;
    int tag = 0, class = 0;
    if (!der_step(&at, end, true, &tag, &class) || !der_step(&at, end, true, &tag, &class)) {
        return false;
    }
    const uint8_t *first = at;
    if (!der_step(&at, end, false, &tag, &class)) {
        return false;
    }
    if (class != V_ASN1_CONTEXT_SPECIFIC) {
        at = first; /* version 1: no [0] */
    }
    for (int i = 0; i < 4; i++) {
        if (!der_step(&at, end, false, &tag, &class)) {
            return false;
        }
    }
    *subject = at;
    bool right = der_step(&at, end, false, &tag, &class) && tag == V_ASN1_SEQUENCE;
    *subject_len = (size_t)(at - *subject);
    return right;
}

static bool trust_name_hash(const X509_NAME *name, unsigned long *out)
{
    int right = 0;
    *out = name != NULL ? X509_NAME_hash_ex(name, NULL, NULL, &right) : 0;
    return right == 1;
}

static bool trust_subject_hash(const uint8_t *der, size_t len, unsigned long *out)
{
    const uint8_t *subject = NULL;
    size_t subject_len = 0;
    if (!der_find_subject(der, len, &subject, &subject_len)) {
        return false;
    }
    X509_NAME *name = d2i_X509_NAME(NULL, &subject, (long)subject_len);
    bool right = trust_name_hash(name, out);
    X509_NAME_free(name);
    return right;
}

static bool trust_index_grow(struct trust_index *index)
{
    if (index->count < index->cap) {
        return true;
    }
    size_t cap = index->cap > 0 ? 2 * index->cap : ENTRIES_FIRST;
    struct trust_entry *grown = realloc(index->entries, cap * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    index->entries = grown;
    index->cap = cap;
    return true;
}

/* The last `len` bytes of the buffer become an entry. */
static bool trust_index_note(struct trust_index *index, size_t len)
{
    struct trust_entry entry = {0, index->der.len - len, len};
    bool right =
        trust_subject_hash(index->der.data + entry.at, len, &entry.name) && trust_index_grow(index);
    if (!right) {
        index->der.len -= len;
        return false;
    }
    index->entries[index->count++] = entry;
    return true;
}

bool trust_index_add(struct trust_index *index, const uint8_t *der, size_t len)
{
    bool right =
        len > 0 && buf_append(&index->der, der, len) == EKM_OK && trust_index_note(index, len);
    ERR_clear_error();
    return right;
}

static bool trust_index_put(const struct trust_index *index, const struct trust_entry *entry,
                            X509_STORE *store)
{
    const unsigned char *der = index->der.data + entry->at;
    X509 *certificate = d2i_X509(NULL, &der, (long)entry->len);
    bool put = certificate != NULL && X509_STORE_add_cert(store, certificate) == 1;
    X509_free(certificate);
    return put;
}

/* Puts all certificates of this name into the store, because a name may have several keys. Another
 * thread may put the same ones. */
static bool trust_index_put_named(const struct trust_index *index, unsigned long name,
                                  X509_STORE *store)
{
    bool put = false;
    for (size_t i = 0; i < index->count; i++) {
        if (index->entries[i].name == name) {
            put = trust_index_put(index, &index->entries[i], store) || put;
        }
    }
    return put;
}

/* Returns the result without a reference of its own, as X509_LOOKUP_meth_new(3) requires. The store
 * keeps its certificates for as long as it lives. */
static int trust_index_look_up(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                               X509_OBJECT *result)
{
    const struct trust_index *index = X509_LOOKUP_get_method_data(lookup);
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    unsigned long hash = 0;
    if (type != X509_LU_X509 || !trust_name_hash(name, &hash) ||
        !trust_index_put_named(index, hash, store)) {
        return 0;
    }
    (void)X509_STORE_lock(store);
    X509_OBJECT *found =
        X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name);
    X509 *certificate = found != NULL ? X509_OBJECT_get0_X509(found) : NULL;
    (void)X509_STORE_unlock(store);
    if (certificate == NULL || X509_OBJECT_set1_X509(result, certificate) != 1) {
        return 0;
    }
    X509_free(certificate);
    return 1;
}

static void trust_index_end(X509_LOOKUP *lookup)
{
    trust_index_free(X509_LOOKUP_get_method_data(lookup));
}

/* OpenSSL searches the store before its lookups. So if the store has one certificate of a name, it
 * must have all of that name. */
static bool trust_index_complete(const struct trust_index *index, X509_STORE *store)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    int count = sk_X509_OBJECT_num(objects), known = 0;
    unsigned long *names = malloc((size_t)(count > 0 ? count : 1) * sizeof *names);
    for (int i = 0; names != NULL && i < count; i++) {
        const X509 *held = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        known += held != NULL && trust_name_hash(X509_get_subject_name(held), &names[known]);
    }
    for (int i = 0; names != NULL && i < known; i++) {
        (void)trust_index_put_named(index, names[i], store);
    }
    free(names);
    return names != NULL;
}

bool trust_index_attach(struct trust_index *index, X509_STORE *store)
{
    if (index == NULL || index->count == 0) {
        trust_index_free(index);
        return false;
    }
    index->method = X509_LOOKUP_meth_new("akv-ekm");
    bool right = index->method != NULL && trust_index_complete(index, store) &&
                 X509_LOOKUP_meth_set_get_by_subject(index->method, trust_index_look_up) == 1 &&
                 X509_LOOKUP_meth_set_free(index->method, trust_index_end) == 1;
    X509_LOOKUP *lookup = right ? X509_STORE_add_lookup(store, index->method) : NULL;
    if (lookup == NULL) {
        trust_index_free(index);
    } else {
        (void)X509_LOOKUP_set_method_data(lookup, index);
    }
    ERR_clear_error();
    return lookup != NULL;
}

static bool text_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Adds the certificate between the lines BEGIN and END. `digits` has room for its base64 text. */
static void trust_index_take_piece(struct trust_index *index, const char *body, char *digits)
{
    size_t len = 0, before = index->der.len;
    for (; *body != '\0' && *body != '-'; body++) {
        digits[len] = *body;
        len += (unsigned char)*body > ' ';
    }
    if (len > 0 && base64_decode(digits, len, &index->der) == EKM_OK) {
        (void)trust_index_note(index, index->der.len - before);
    }
}

/* False: the text contains a PEM block that is not a plain certificate. */
static bool trust_index_take_text(struct trust_index *index, const char *text, char *digits)
{
    for (const char *at = text; (at = strstr(at, BEGIN)) != NULL;) {
        at += sizeof BEGIN - 1;
        if (!text_begins(at, LABEL) && !text_begins(at, LABEL_OLD)) {
            return false;
        }
        at = strchr(at, '\n');
        if (at == NULL) {
            break;
        }
        trust_index_take_piece(index, at, digits);
    }
    return true;
}

static struct trust_index *trust_index_read(const char *path)
{
    struct plat_file_state state;
    struct trust_index *index = NULL;
    struct buf text = BUF_EMPTY(INDEX_FILE_MAX);
    char *digits = NULL;
    size_t len = 0;
    int handle = -1;
    if (plat_file_open(path, PLAT_TRUST_ANY_LINKED, &handle, &state) == PLAT_IO_OK &&
        state.size > 0 && state.size < INDEX_FILE_MAX &&
        buf_reserve(&text, (size_t)state.size) == EKM_OK &&
        plat_file_read(handle, text.data, (size_t)state.size, &len) == PLAT_IO_OK) {
        text.data[len] = 0;
        digits = malloc(len + 1);
        index = trust_index_new(INDEX_FILE_MAX);
    }
    plat_file_close(&handle);
    if (index != NULL && (digits == NULL || buf_reserve(&index->der, len / 4 * 3) != EKM_OK ||
                          !trust_index_take_text(index, buf_text(&text), digits))) {
        trust_index_free(index);
        index = NULL;
    }
    free(digits);
    buf_free(&text);
    return index;
}

bool trust_index_load_file(X509_STORE *store, const char *path)
{
    struct trust_index *index = trust_index_read(path);
    bool loaded =
        index != NULL ? trust_index_attach(index, store) : X509_STORE_load_file(store, path) == 1;
    ERR_clear_error();
    return loaded;
}
