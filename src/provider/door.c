#include "provider/door.h"

#include <openssl/err.h>

#include "base/text.h"
#include "provider/provider.h"

void door_keep_host_state(struct door_host_state *host)
{
    plat_errors_save(&host->errors);
    (void)ERR_set_mark();
}

void door_restore_host_state(const struct door_host_state *host)
{
    (void)ERR_pop_to_mark();
    plat_errors_restore(&host->errors);
}

enum ekm_rc door_enter(struct door *door, const char *operation)
{
    const struct config *config = NULL;
    door_keep_host_state(&door->host);
    door->session = NULL;
    enum ekm_rc rc = provider_enter(&config);
    door->inside = rc == EKM_OK;
    if (door->inside) {
        call_begin(&door->call, operation, config);
        door->call.session_aborted = provider_closing();
    }
    return rc;
}

enum ekm_rc door_enter_session(struct door *door, const char *operation, const SqlCpSession *handle)
{
    enum ekm_rc rc = door_enter(door, operation);
    if (rc != EKM_OK) {
        return rc;
    }
    door->session = session_get(handle);
    if (door->session == NULL) {
        return call_fail(&door->call, EKM_INVALID_ARGUMENT, "the session is not open");
    }
    const struct vault *vault = &door->session->vault;
    door->call.session_aborted = &door->session->aborted;
    (void)text_copy(door->call.vault, sizeof door->call.vault, vault->address.host);
    (void)text_copy(door->call.client_id, sizeof door->call.client_id,
                    credential_client_id(vault->credential));
    return call_check(&door->call);
}

SqlCpError door_leave(struct door *door, enum ekm_rc rc)
{
    SqlCpError code = ekm_code(rc);
    if (door->inside) {
        code = call_end(&door->call, rc);
        session_put(door->session);
        provider_leave();
    }
    door_restore_host_state(&door->host);
    return code;
}
