#include "base/err.h"

int32_t ekm_code(enum ekm_rc rc)
{
    switch (rc) {
#define EKM_CASE(name, code, again, text)                                                          \
    case name:                                                                                     \
        return code;
        EKM_ERRORS(EKM_CASE)
#undef EKM_CASE
    case EKM_RC_COUNT:
        break;
    }
    return 5009;
}

const char *ekm_name(enum ekm_rc rc)
{
    switch (rc) {
#define EKM_CASE(name, code, again, text)                                                          \
    case name:                                                                                     \
        return #name;
        EKM_ERRORS(EKM_CASE)
#undef EKM_CASE
    case EKM_RC_COUNT:
        break;
    }
    return "EKM_INTERNAL";
}

const char *ekm_text(enum ekm_rc rc)
{
    switch (rc) {
#define EKM_CASE(name, code, again, text)                                                          \
    case name:                                                                                     \
        return text;
        EKM_ERRORS(EKM_CASE)
#undef EKM_CASE
    case EKM_RC_COUNT:
        break;
    }
    return "internal fault, please report";
}

bool ekm_retryable(enum ekm_rc rc)
{
    switch (rc) {
#define EKM_CASE(name, code, again, text)                                                          \
    case name:                                                                                     \
        return again;
        EKM_ERRORS(EKM_CASE)
#undef EKM_CASE
    case EKM_RC_COUNT:
        break;
    }
    return false;
}
