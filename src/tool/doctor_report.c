#include "tool/doctor_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "tool/explain.h"
#include "tool/keys.h"
#include "vault/expiry.h"

void doctor_begin(struct doctor *doctor)
{
    doctor->began_ms = plat_now_ms();
}

/* A JSON string. Text that is not ASCII may not be UTF-8 either. */
static void doctor_print_json(const char *name, const char *text)
{
    (void)printf("\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)printf("\\%c", c);
        } else if (c < 0x20 || c == 0x7F) {
            (void)printf("\\u%04x", (unsigned)c);
        } else {
            (void)putchar(c < 0x80 ? c : '?');
        }
    }
    (void)putchar('"');
}

/* Control characters from elsewhere are not sent to the terminal. */
static void doctor_print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        (void)putchar(c < 0x20 || c == 0x7F ? '?' : c);
    }
}

void doctor_report(struct doctor *doctor, const char *step, enum doctor_outcome outcome,
                   const char *todo, const char *format, ...)
{
    static const char *const words[] = {"ok", "warning", "FAILED", "skipped"};
    static const char *const names[] = {"ok", "warning", "failed", "skipped"};
    char text[1800];
    unsigned long long ms = plat_now_ms() - doctor->began_ms;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bool advise = todo != NULL && todo[0] != '\0' && outcome != DOCTOR_OK;
    if (doctor->options->json) {
        (void)printf("%s\n{\"step\":\"%s\",\"outcome\":\"%s\",\"ms\":%llu,",
                     doctor->steps > 0 ? "," : "{\"steps\":[", step, names[outcome], ms);
        doctor_print_json("text", text);
        (void)putchar(',');
        doctor_print_json("todo", advise ? todo : "");
        (void)putchar('}');
    } else {
        (void)printf("%-8s %6llu ms  %-14s ", words[outcome], ms, step);
        doctor_print_text(text);
        if (advise) {
            (void)printf("\n%36s", "do: ");
            doctor_print_text(todo);
        }
        (void)putchar('\n');
    }
    (void)fflush(stdout);
    doctor->steps++;
    doctor->failed += outcome == DOCTOR_FAILED;
    doctor->warned += outcome == DOCTOR_WARNING;
    doctor_begin(doctor);
}

void doctor_report_failure(struct doctor *doctor, const char *step, enum ekm_rc rc)
{
    char text[900];
    connection_explain(&doctor->call, rc, text, sizeof text);
    doctor_report(doctor, step, DOCTOR_FAILED, explain_todo(ekm_code(rc)), "%s", text);
}

enum doctor_outcome doctor_judge_end(int64_t end_s, int64_t warn_days, char text[DOCTOR_END_MAX])
{
    char date[16];
    int64_t days = expiry_days_left(end_s);
    keys_date(end_s, date);
    (void)text_format(text, DOCTOR_END_MAX, "%s, %lld days", date, (long long)days);
    return days < warn_days ? DOCTOR_WARNING : DOCTOR_OK;
}

void doctor_report_opened(struct doctor *doctor, const char *step, const char *vault,
                          const uint8_t plain[DOCTOR_PLAIN_BYTES], const struct buf *opened,
                          const char *todo)
{
    bool same =
        opened->len == DOCTOR_PLAIN_BYTES && memcmp(opened->data, plain, DOCTOR_PLAIN_BYTES) == 0;
    if (same) {
        doctor_report(doctor, step, DOCTOR_OK, todo,
                      "%smay unwrap: random bytes came back as they were", vault);
    } else {
        doctor_report(doctor, step, DOCTOR_FAILED, todo, "what came back is NOT what was wrapped");
    }
}
