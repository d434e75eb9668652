#include "discovery/discovery_search.h"

const char *discovery_search_client(const struct vault *vault)
{
    return vault->credential != NULL ? credential_client_id(vault->credential) : "";
}

enum ekm_rc discovery_search_judge(struct search *search, enum ekm_rc rc)
{
    bool refused = rc == EKM_FORBIDDEN || rc == EKM_KEY_DISABLED || rc == EKM_KEY_EXPIRED ||
                   rc == EKM_KEY_OPERATION;
    bool undecided = rc == EKM_UNWRAP_REFUSED;
    bool absent = rc == EKM_KEY_NOT_FOUND || rc == EKM_REQUEST_REFUSED;
    search->refused |= refused;
    search->undecided |= undecided;
    search->odd |= ekm_concerns_key(rc) && !refused && !undecided && !absent;
    return ekm_concerns_key(rc) ? EKM_NOT_FOUND : rc;
}
