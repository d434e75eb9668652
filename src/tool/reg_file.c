#include "tool/reg_file.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keymap/keymap_entry.h"

#define PIECE     4096
#define URI_VALUE "\"KeyUri\"="

static enum ekm_rc reg_read_raw(const char *path, struct buf *out)
{
    uint8_t piece[PIECE];
    enum ekm_rc rc = EKM_OK;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return EKM_FAILURE;
    }
    for (size_t len; (len = fread(piece, 1, sizeof piece, file)) > 0;) {
        rc = buf_append(out, piece, len);
        if (rc != EKM_OK) {
            goto out;
        }
    }
    if (ferror(file) != 0) {
        rc = EKM_FAILURE;
    }
out:
    (void)fclose(file);
    return rc;
}

static bool reg_is_utf16(const struct buf *raw)
{
    return raw->len >= 2 && raw->data[0] == 0xFF && raw->data[1] == 0xFE;
}

/* Little-endian, like both systems; no alignment is assumed. */
static enum ekm_rc reg_append_utf16(const struct buf *raw, struct buf *out)
{
    for (size_t i = 2; i + 1 < raw->len;) {
        uint16_t units[PIECE];
        size_t count = 0;
        for (; count < PIECE - 1 && i + 1 < raw->len; i += 2) {
            units[count++] = (uint16_t)(raw->data[i] | raw->data[i + 1] << 8);
        }
        if (count > 0 && (units[count - 1] & 0xFC00) == 0xD800 && i + 1 < raw->len) {
            i -= 2; /* its other half comes with the next piece */
            count--;
        }
        enum ekm_rc rc = text_from_utf16(units, count, out);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return EKM_OK;
}

static enum ekm_rc reg_append_utf8(const struct buf *raw, struct buf *out)
{
    size_t mark = text_mark_len(buf_text(raw), raw->len);
    return buf_append(out, buf_text(raw) + mark, raw->len - mark);
}

enum ekm_rc reg_file_read(const char *path, struct buf *out)
{
    struct buf raw = BUF_EMPTY(REG_FILE_MAX);
    enum ekm_rc rc = reg_read_raw(path, &raw);
    if (rc != EKM_OK) {
        goto out;
    }
    rc = reg_is_utf16(&raw) ? reg_append_utf16(&raw, out) : reg_append_utf8(&raw, out);
    if (rc != EKM_OK) {
        goto out;
    }
    if (strlen(buf_text(out)) != out->len) {
        rc = EKM_INVALID_ARGUMENT;
    }
out:
    buf_free(&raw);
    return rc;
}

/* Host, thumbprint and KeyUri as people wrote them; they may be changed. */
static void reg_fill(struct reg_entry *entry, char *host, const char *thumbprint, const char *uri)
{
    const char *read = keymap_read_host(host);
    if (read == NULL || !text_copy(entry->host, sizeof entry->host, read)) {
        entry->wrong = "the vault's host is not one";
        return;
    }
    text_lower(entry->host);
    if (!keymap_read_thumbprint(thumbprint, &entry->thumbprint)) {
        entry->wrong = "the thumbprint is not 1 to 32 bytes of hex";
    } else if (!key_uri_parse(uri, entry->host, &entry->key)) {
        entry->wrong = "KeyUri is no key of that vault";
    } else if (entry->key.version[0] == '\0') {
        entry->wrong = "KeyUri names no version";
    }
}

/* In place: the text between the quotes, without its escapes; NULL if it is no text. */
static char *reg_unquote(char *text)
{
    char *out = text;
    if (*text++ != '"') {
        return NULL;
    }
    char *start = out;
    for (; *text != '\0' && *text != '"'; text++) {
        if (*text == '\\' && text[1] != '\0') {
            text++;
        }
        *out++ = *text;
    }
    bool closed = *text == '"';
    *out = '\0';
    return closed ? start : NULL;
}

/* A value of the key `path`, which ends in \HOST\THUMBPRINT. */
static void reg_read_value(struct reg_entry *entry, const char *path, char *value)
{
    char copy[600];
    char *uri = reg_unquote(value);
    if (uri == NULL || !text_copy(copy, sizeof copy, path)) {
        entry->wrong = "KeyUri is no text";
        return;
    }
    char *thumbprint = strrchr(copy, '\\');
    if (thumbprint != NULL) {
        *thumbprint++ = '\0';
    }
    char *host = strrchr(copy, '\\');
    if (thumbprint == NULL || host == NULL) {
        entry->wrong = "KeyUri is not below a key of a vault and a thumbprint";
        return;
    }
    reg_fill(entry, host + 1, thumbprint, uri);
}

/* HOST<TAB>THUMBPRINT<TAB>KeyUri */
static void reg_read_line(struct reg_entry *entry, char *line)
{
    char *thumbprint = strchr(line, '\t');
    char *uri = thumbprint != NULL ? strchr(thumbprint + 1, '\t') : NULL;
    if (uri == NULL) {
        entry->wrong = "a line has host, thumbprint and KeyUri, with a tab between";
        return;
    }
    *thumbprint++ = *uri++ = '\0';
    reg_fill(entry, line, thumbprint, uri);
}

static bool reg_is_export(const char *text)
{
    static const char *const heads[] = {"Windows Registry Editor", "REGEDIT"};
    text += strspn(text, " \t\r\n");
    return strncmp(text, heads[0], strlen(heads[0])) == 0 ||
           strncmp(text, heads[1], strlen(heads[1])) == 0;
}

void reg_file_visit(char *text, reg_visitor *visit, void *context)
{
    bool is_export = reg_is_export(text);
    char path[600] = "";
    struct reg_entry entry = {.line = 0};
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        bool last = text[len] == '\0';
        text[len] = '\0';
        size_t end = len > 0 && text[len - 1] == '\r' ? len - 1 : len;
        text[end] = '\0';
        size_t line = entry.line + 1;
        memset(&entry, 0, sizeof entry);
        entry.line = line;
        bool told = true;
        if (is_export && text[0] == '[' && end > 2 && text[end - 1] == ']') {
            told = !text_copy_n(path, sizeof path, text[1] == '-' ? "" : text + 1,
                                text[1] == '-' ? 0 : end - 2);
            entry.wrong = "the key's path is too long";
        } else if (is_export && text_equal_nocase_n(text, URI_VALUE, sizeof URI_VALUE - 1)) {
            reg_read_value(&entry, path, text + sizeof URI_VALUE - 1);
        } else if (!is_export && end > 0 && text[0] != '#') {
            reg_read_line(&entry, text);
        } else {
            told = false;
        }
        if (told) {
            visit(context, &entry);
        }
        text += last ? len : len + 1;
    }
}
