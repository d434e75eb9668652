#include "discovery/discovery_search.h"

const char *discovery_search_client(const struct vault *vault)
{
    return vault->credential != NULL ? credential_client_id(vault->credential) : "";
}

enum ekm_rc discovery_search_judge(struct search *search, enum ekm_rc rc)
{
    bool refused = rc == EKM_FORBIDDEN || rc == EKM_KEY_DISABLED || rc == EKM_KEY_OPERATION;
    /* Not EKM_ANSWER_TOO_BIG, because curl returns the same code if memory fails within a
     * header. */
    /* Nor a response that is not JSON: a page of another server says nothing about a key. */
    bool odd = rc == EKM_OTHER_KEY || rc == EKM_UNEXPECTED_STATUS ||
               (rc > EKM_KEY_NOT_JSON && rc <= EKM_KEY_BAD_ID) || rc == EKM_UNWRAP_BAD_VALUE ||
               rc == EKM_UNWRAP_NO_VALUE || rc == EKM_UNWRAP_EMPTY;
    search->refused |= refused;
    search->odd |= odd;
    search->undecided |= rc == EKM_UNWRAP_REFUSED;
    bool next = refused || odd || rc == EKM_UNWRAP_REFUSED || rc == EKM_KEY_NOT_FOUND ||
                rc == EKM_REQUEST_REFUSED;
    return next ? EKM_NOT_FOUND : rc;
}
