/*
 * Reads entries of a map from a registry export of Microsoft's connector, or from lines as in
 * the map's file.
 *
 * Pure, but for the file that is read whole. One thread.
 */
#ifndef AKVEKM_TOOL_REG_FILE_H
#define AKVEKM_TOOL_REG_FILE_H

#include "base/buf.h"
#include "base/text.h"
#include "vault/key.h"

#define REG_FILE_MAX ((size_t)64 * 1024 * 1024)

struct reg_entry {
    size_t line;
    char host[TEXT_HOST_CAP];
    struct thumbprint thumbprint;
    struct key_id key; /* versioned */
    const char *wrong; /* NULL: none; else what is wrong, and only `line` is valid */
};

typedef void reg_visitor(void *context, const struct reg_entry *entry);

/* UTF-8, with or without its mark, or UTF-16LE: as UTF-8. EKM_INVALID_ARGUMENT, EKM_ANSWER_TOO_BIG,
 * EKM_FAILURE if it cannot be read. */
enum ekm_rc reg_file_read(const char *path, struct buf *out) EKM_MUST_CHECK;

/* Visits each entry, and each line that should have been one. Changes the text. */
void reg_file_visit(char *text, reg_visitor *visit, void *context);

#endif
