#include "net/curl_format.h"

#include <curl/mprintf.h>
#include <stdbool.h>
#include <string.h>

static bool curl_format_is_plain(const char *format)
{
    for (const char *at = format; (at = strchr(at, '%')) != NULL; at += 2) {
        if (at[1] != 's') {
            return false;
        }
    }
    return true;
}

/* Appends nothing if len is 0, so that the string stays unallocated, as with curl's own. */
static bool curl_format_add(struct dynbuf *out, const char *text, size_t len)
{
    return len == 0 || AKVEKM_CURL_ADDN(out, text, len) == CURLE_OK;
}

int AKVEKM_CURL_WRAP(struct dynbuf *out, const char *format, va_list arguments)
{
    if (!curl_format_is_plain(format)) {
        return AKVEKM_CURL_REAL(out, format, arguments);
    }
    for (;;) {
        size_t len = strcspn(format, "%");
        if (!curl_format_add(out, format, len)) {
            return 1;
        }
        if (format[len] == '\0') {
            return 0;
        }
        const char *text = va_arg(arguments, const char *);
        text = text != NULL ? text : "(nil)"; /* as curl writes it */
        if (!curl_format_add(out, text, strlen(text))) {
            return 1;
        }
        format += len + 2;
    }
}

/* Returns the length of the formatted text, and writes the text to `out` unless that is NULL. */
static size_t curl_format_write(char *out, const char *format, va_list arguments)
{
    size_t total = 0;
    for (;;) {
        size_t len = strcspn(format, "%");
        if (out != NULL) {
            memcpy(out + total, format, len);
        }
        total += len;
        if (format[len] == '\0') {
            return total;
        }
        const char *text = va_arg(arguments, const char *);
        text = text != NULL ? text : "(nil)";
        size_t text_len = strlen(text);
        if (out != NULL) {
            memcpy(out + total, text, text_len);
        }
        total += text_len;
        format += len + 2;
    }
}

char *__wrap_curl_maprintf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (!curl_format_is_plain(format)) {
        text = curl_mvaprintf(format, arguments);
    } else {
        va_list again;
        va_copy(again, arguments);
        size_t len = curl_format_write(NULL, format, arguments);
        text = Curl_cmalloc(len + 1);
        if (text != NULL) {
            text[curl_format_write(text, format, again)] = '\0';
        }
        va_end(again);
    }
    va_end(arguments);
    return text;
}
