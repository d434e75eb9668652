#include "tls.h"

#include <gnutls/gnutls.h>
#include <pthread.h>

#include "settings.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gnutls_datum_t ticket_key;

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL ? info->tls_session : NULL;
}

/* Under the lock. */
static void forget_key(void)
{
    if (ticket_key.data != NULL) {
        gnutls_memset(ticket_key.data, 0, ticket_key.size);
        gnutls_free(ticket_key.data);
        ticket_key.data = NULL;
    }
}

void tls_begin(struct MHD_Connection *connection)
{
    struct settings settings = settings_get();
    gnutls_session_t session = session_of(connection);
    if (session == NULL) {
        return;
    }
    if (settings.tls_1_2) {
        gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL);
    }
    pthread_mutex_lock(&lock);
    if (!settings.tls_tickets) {
        forget_key();
    } else if (ticket_key.data != NULL || gnutls_session_ticket_key_generate(&ticket_key) == 0) {
        gnutls_session_ticket_enable_server(session, &ticket_key);
    }
    pthread_mutex_unlock(&lock);
}

bool tls_is_resumed(struct MHD_Connection *connection)
{
    gnutls_session_t session = session_of(connection);
    return session != NULL && gnutls_session_is_resumed(session) != 0;
}
