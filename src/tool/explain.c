#include "tool/explain.h"

#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "tool/tool.h"

static const struct explain_row rows[] = {
#include "explain_rows.inc"
};

const struct explain_row *explain_find(int32_t code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *explain_todo(int32_t code)
{
    const struct explain_row *row = explain_find(code);
    return row != NULL ? row->todo : "";
}

/* Several causes may share a code. */
static void explain_show_causes(int32_t code)
{
    for (int i = 0; i < EKM_RC_COUNT; i++) {
        enum ekm_rc rc = (enum ekm_rc)i;
        if (ekm_code(rc) == code) {
            (void)printf("  %s%s\n", ekm_text(rc),
                         ekm_retryable(rc) ? " (repeated to the end of the call's time)" : "");
        }
    }
}

int tool_explain(const struct tool_options *options)
{
    uint64_t code = 0;
    if (options->word_count != 1 || !text_to_u64(options->words[0], INT32_MAX, &code)) {
        return tool_misuse("explain takes one code, the number behind `Provider error code:`", "");
    }
    const struct explain_row *row = explain_find((int32_t)code);
    if (row == NULL) {
        (void)printf("%u is no code of this library.\n", (unsigned)code);
        return TOOL_FAILED;
    }
    (void)printf("%d\n\nIn the log, text= is one of:\n", (int)row->code);
    explain_show_causes(row->code);
    (void)printf("\nWhat happened: %s\n\nWhat to do: %s\n", row->what, row->todo);
    return TOOL_OK;
}
