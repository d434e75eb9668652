#include "net/tls_resume.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "platform/thread.h"

#define PEERS        32
#define PEER_MAX     512
#define LIFE_MS      3600000 /* how long a verification counts, also for resumed sessions */
#define NONE_MS      60000   /* no wait for a peer that gave or accepted no session */
#define NEAR_US      5000    /* for a farther peer the wait would cost more than it saves */
#define WAIT_MS      10      /* plus three times the time to connect */
#define WAIT_MOST_MS 50      /* all waits for one leader end after this time */
#define WAITERS_MS   4 /* handshakes of so many earlier waiters keep the processors busy for 1 ms */

/* The newest session of a peer. */
struct resume_slot {
    char peer[PEER_MAX]; /* host, port and the proxy to it; "": the slot is free */
    SSL_SESSION *session;
    X509_STORE *trust; /* the session was verified against it */
    uint64_t until_ms, used_ms, serial;
    const struct call *leader; /* its connection may bring the first session */
    uint64_t led_ms, none_until_ms;
    unsigned waiting;
};

/* The data of one connection. Its SSL_CTX keeps it. */
struct resume_link {
    char peer[PEER_MAX], host[256];
    bool has_begun, may_resume;
    uint64_t serial; /* of the session that was offered; 0: none */
    uint64_t end_ms; /* when the verification of that session ends */
};

static struct {
    struct plat_mutex mutex;
    struct plat_cond changed;
    struct resume_slot slots[PEERS];
    uint64_t serials;
    int index; /* OpenSSL's index of the link in an SSL_CTX; 0, OpenSSL's own: none yet */
} resume = {.mutex = PLAT_MUTEX_INIT, .changed = PLAT_COND_INIT};

static void resume_free_link(void *parent, void *link, CRYPTO_EX_DATA *data, int index, long number,
                             void *pointer)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)pointer;
    free(link);
}

/* The module stays mapped, so OpenSSL may keep the function for the life of the process. */
void tls_resume_start(void)
{
    if (resume.index <= 0) {
        resume.index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, resume_free_link);
    }
}

/* Under the lock: empties the slot. The caller frees the returned content without the lock. */
static struct resume_slot resume_empty_slot(struct resume_slot *slot)
{
    struct resume_slot former = *slot;
    slot->session = NULL;
    slot->trust = NULL;
    slot->serial = 0;
    return former;
}

static void resume_free_former(struct resume_slot *former)
{
    SSL_SESSION_free(former->session);
    X509_STORE_free(former->trust);
}

void tls_resume_forget(void)
{
    for (size_t i = 0; i < PEERS; i++) {
        plat_mutex_lock(&resume.mutex);
        struct resume_slot former = resume_empty_slot(&resume.slots[i]);
        plat_mutex_unlock(&resume.mutex);
        resume_free_former(&former);
    }
}

void tls_resume_stop(void)
{
    tls_resume_forget();
    plat_mutex_lock(&resume.mutex);
    memset(resume.slots, 0, sizeof resume.slots);
    plat_mutex_unlock(&resume.mutex);
}

/* Under the lock: the peer's slot, or NULL. */
static struct resume_slot *resume_find_slot(const char *peer)
{
    for (size_t i = 0; i < PEERS; i++) {
        if (strcmp(resume.slots[i].peer, peer) == 0) {
            return &resume.slots[i];
        }
    }
    return NULL;
}

/* Under the lock: the peer's slot. A new peer gets the least recently used slot, and that slot's
 * session goes to `former`. NULL: calls wait for the peers of all slots. */
static struct resume_slot *resume_take_slot(const char *peer, struct resume_slot *former)
{
    struct resume_slot *slot = resume_find_slot(peer);
    for (size_t i = 0; slot == NULL && i < PEERS; i++) {
        slot = resume.slots[i].waiting == 0 ? &resume.slots[i] : NULL;
    }
    if (slot == NULL || strcmp(slot->peer, peer) == 0) {
        return slot;
    }
    for (size_t i = 0; i < PEERS; i++) {
        const struct resume_slot *at = &resume.slots[i];
        slot = at->waiting == 0 && at->used_ms < slot->used_ms ? &resume.slots[i] : slot;
    }
    *former = resume_empty_slot(slot);
    memset(slot, 0, sizeof *slot);
    (void)text_copy(slot->peer, sizeof slot->peer, peer);
    slot->used_ms = plat_now_ms();
    return slot;
}

/* Returns a copy, because OpenSSL changes a session while a connection uses it. */
static SSL_SESSION *resume_take_session(struct resume_link *link, const X509_STORE *trust)
{
    uint64_t now_ms = plat_now_ms();
    SSL_SESSION *session = NULL;
    plat_mutex_lock(&resume.mutex);
    struct resume_slot *slot = resume_find_slot(link->peer);
    if (slot != NULL && slot->session != NULL && slot->trust == trust && now_ms < slot->until_ms) {
        session = slot->session;
        (void)SSL_SESSION_up_ref(session);
        slot->used_ms = now_ms;
        link->serial = slot->serial;
        link->end_ms = slot->until_ms;
    }
    plat_mutex_unlock(&resume.mutex);
    SSL_SESSION *copy = session != NULL ? SSL_SESSION_dup(session) : NULL;
    SSL_SESSION_free(session);
    return copy;
}

/* The peer did not resume the session, or ended the connection by an alert. It is not offered that
 * session again. */
static void resume_drop_session(const struct resume_link *link)
{
    struct resume_slot former = {.session = NULL};
    plat_mutex_lock(&resume.mutex);
    struct resume_slot *slot = resume_find_slot(link->peer);
    if (slot != NULL && link->serial != 0 && slot->serial == link->serial) {
        former = resume_empty_slot(slot);
        slot->none_until_ms = plat_now_ms() + NONE_MS;
    }
    plat_mutex_unlock(&resume.mutex);
    resume_free_former(&former);
}

/* Milliseconds until the first certificate of the verified chain expires, at most LIFE_MS. 0: one
 * has expired, or the time is not known. */
static uint64_t resume_chain_left_ms(const SSL *tls)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(tls);
    int64_t least_s = LIFE_MS / 1000;
    int count = chain != NULL ? sk_X509_num(chain) : 0;
    for (int i = 0; i < count; i++) {
        int days = 0, seconds = 0;
        if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(sk_X509_value(chain, i))) !=
            1) {
            return 0;
        }
        int64_t left_s = (int64_t)days * 86400 + seconds;
        least_s = left_s < least_s ? left_s : least_s;
    }
    return count > 0 && least_s > 0 ? (uint64_t)least_s * 1000 : 0;
}

/* Until when a session of this connection may be resumed; 0: not at all. The connection was
 * verified for the host. Or it resumed a session that was, and then that session's end counts.
 * OpenSSL's verify mode tells nothing: libcurl 8.23 leaves it off and reads the result of the
 * verification after the handshake. The verified chain tells that there was one. */
static uint64_t resume_end_ms(SSL *tls, const SSL_SESSION *session, const struct resume_link *link)
{
    uint64_t now_ms = plat_now_ms(), end_ms = link->end_ms;
    uint64_t hint_ms = (uint64_t)SSL_SESSION_get_ticket_lifetime_hint(session) * 1000;
    if (SSL_get_verify_result(tls) != X509_V_OK) {
        return 0;
    }
    if (SSL_session_reused(tls) != 1) {
        X509 *peer = SSL_get1_peer_certificate(tls);
        bool right = peer != NULL && X509_check_host(peer, link->host, 0, 0, NULL) == 1;
        end_ms = right ? now_ms + resume_chain_left_ms(tls) : 0;
        X509_free(peer);
    }
    if (hint_ms > 0 && end_ms > now_ms + hint_ms) {
        end_ms = now_ms + hint_ms;
    }
    return end_ms > now_ms ? end_ms : 0;
}

static struct resume_link *resume_link_of(const SSL *tls)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), resume.index);
}

/* Takes over session and store. No connection waits for the peer's first session any more. */
static void resume_keep_session(const struct resume_link *link, SSL_SESSION *session,
                                X509_STORE *trust, uint64_t end_ms)
{
    struct resume_slot former = {.session = NULL}, replaced = {.session = session, .trust = trust};
    plat_mutex_lock(&resume.mutex);
    struct resume_slot *slot = resume_take_slot(link->peer, &former);
    if (slot != NULL) {
        replaced = resume_empty_slot(slot);
        slot->session = session;
        slot->trust = trust;
        slot->until_ms = end_ms;
        slot->used_ms = plat_now_ms();
        slot->serial = ++resume.serials;
        slot->leader = NULL;
        plat_cond_broadcast(&resume.changed);
    }
    plat_mutex_unlock(&resume.mutex);
    resume_free_former(&former);
    resume_free_former(&replaced);
}

/* Keeps a copy of the session as it is now. If a connection ends without a close alert, OpenSSL
 * marks the session of that connection as not resumable. */
static int resume_on_session(SSL *tls, SSL_SESSION *session)
{
    const struct resume_link *link = resume_link_of(tls);
    uint64_t end_ms = link->has_begun ? resume_end_ms(tls, session, link) : 0;
    X509_STORE *trust = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(tls));
    SSL_SESSION *copy = end_ms > 0 ? SSL_SESSION_dup(session) : NULL;
    if (copy != NULL && X509_STORE_up_ref(trust) == 1) {
        resume_keep_session(link, copy, trust, end_ms);
    } else {
        SSL_SESSION_free(copy);
    }
    return 0;
}

/* Offers a session before the first byte of the handshake. The handshake with an HTTPS proxy names
 * another host and is ignored. */
static void resume_begin_handshake(SSL *tls, struct resume_link *link)
{
    const char *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    if (link->has_begun || name == NULL || strcmp(name, link->host) != 0) {
        return;
    }
    link->has_begun = true;
    SSL_SESSION *session = NULL;
    if (link->may_resume && SSL_get0_session(tls) == NULL) {
        session = resume_take_session(link, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(tls)));
    }
    if (session == NULL || SSL_set_session(tls, session) != 1) {
        link->serial = 0;
    }
    SSL_SESSION_free(session);
}

static void resume_on_state(const SSL *tls, int where, int value)
{
    struct resume_link *link = resume_link_of(tls);
    bool is_fatal = (where & SSL_CB_ALERT) != 0 && (value >> 8) == SSL3_AL_FATAL;
    if (where == SSL_CB_HANDSHAKE_START) {
        /* OpenSSL declares the connection const, but this callback may change it. */
        resume_begin_handshake((SSL *)(uintptr_t)tls, link);
    } else if (is_fatal || (where == SSL_CB_HANDSHAKE_DONE && SSL_session_reused(tls) != 1)) {
        resume_drop_session(link);
    }
}

/* False also if the proxy has the host's name: the two handshakes could not be told apart. */
static bool resume_name_peer(struct resume_link *link, const struct http_request *request,
                             const char *proxy)
{
    char peer[PEER_MAX];
    const char *at = strstr(request->url, "://");
    size_t len = at != NULL ? strcspn(at + 3, "/") : 0;
    return len > 0 && strstr(proxy, request->host) == NULL &&
           text_copy_n(peer, sizeof peer, at + 3, len) &&
           text_join(link->peer, sizeof link->peer,
                     (const char *const[]){peer, " ", proxy, NULL}) &&
           text_copy(link->host, sizeof link->host, request->host);
}

/* Under the lock: until when one more connection may wait for the leader. The round trips count, if
 * they are short. A connection behind other waiters may wait longer: it would find the processors
 * busy with their handshakes anyway. */
static uint64_t resume_wait_until(const struct resume_slot *slot, const struct tls_resume_way *way,
                                  uint64_t now_ms)
{
    uint64_t most_ms = slot->led_ms + WAIT_MOST_MS;
    uint64_t until_ms = now_ms + WAIT_MS + 3 * way->connect_us / 1000 + slot->waiting / WAITERS_MS;
    bool may_wait = way->alone && way->connect_us <= NEAR_US && now_ms >= slot->none_until_ms;
    return !may_wait ? 0 : until_ms < most_ms ? until_ms : most_ms;
}

/* The first connection to a peer leads. Other connections wait until it brings a session, fails or
 * takes too long. A thread that leads does not wait. True: this connection leads. */
static bool resume_wait_session(const struct resume_link *link, const struct call *call,
                                const struct tls_resume_way *way)
{
    struct resume_slot former = {.session = NULL};
    bool leads = false;
    plat_mutex_lock(&resume.mutex);
    struct resume_slot *slot = resume_take_slot(link->peer, &former);
    uint64_t now_ms = plat_now_ms();
    if (slot != NULL && slot->session == NULL && slot->leader == NULL) {
        leads = true;
        slot->leader = call;
        slot->led_ms = now_ms;
    } else if (slot != NULL && slot->leader != call) {
        uint64_t until_ms = resume_wait_until(slot, way, now_ms);
        slot->waiting++;
        while (slot->leader != NULL && now_ms < until_ms && !call_aborted(call)) {
            plat_cond_wait_until(&resume.changed, &resume.mutex, until_ms);
            now_ms = plat_now_ms();
        }
        slot->waiting--;
    }
    plat_mutex_unlock(&resume.mutex);
    resume_free_former(&former);
    return leads;
}

bool tls_resume_prepare(SSL_CTX *context, const struct call *call,
                        const struct http_request *request, const struct tls_resume_way *way)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(context, NULL);
    struct resume_link *link = resume.index > 0 ? calloc(1, sizeof *link) : NULL;
    if (link == NULL || !resume_name_peer(link, request, way->proxy) ||
        SSL_CTX_set_ex_data(context, resume.index, link) != 1) {
        free(link);
        return false;
    }
    link->may_resume = !request->new_connection;
    /* curl switches tickets off. Without them few servers resume a session of TLS 1.2. */
    (void)SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, resume_on_session);
    SSL_CTX_set_info_callback(context, resume_on_state);
    return link->may_resume && resume_wait_session(link, call, way);
}

void tls_resume_settle(const struct call *call)
{
    plat_mutex_lock(&resume.mutex);
    for (size_t i = 0; i < PEERS; i++) {
        struct resume_slot *slot = &resume.slots[i];
        if (slot->leader == call) {
            slot->leader = NULL;
            slot->none_until_ms = plat_now_ms() + NONE_MS;
        }
    }
    plat_cond_broadcast(&resume.changed);
    plat_mutex_unlock(&resume.mutex);
}
