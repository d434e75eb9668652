#!/bin/sh
# A TLS server of libmicrohttpd resumes no session, whatever the client offers, and has no option for it.
#
# Packages: libmicrohttpd12 and libmicrohttpd-dev 0.9.75-6 of Debian 12 (over GnuTLS 3.7.9), asked by Python's ssl (OpenSSL).
# Behaviour: with MHD_USE_TLS the server sends no session ticket in TLS 1.3, and neither a ticket nor a session to remember in
#   TLS 1.2: the second connection of a client that kept its session is a full handshake. One call of gnutls_session_ticket_enable_server
#   for each connection, in MHD_OPTION_NOTIFY_CONNECTION, changes that: the library hands out the GnuTLS session there.
# The wrong guess: TLS servers resume unless that is switched off, as those over OpenSSL do; so a stand-in server shows what
#   resumption saves a client. GnuTLS has both kinds off until the program brings a key or a store, and libmicrohttpd brings none.
# Effect here: vaultsim enables tickets by that call (tests/vaultsim/tls.c); before, no client could be seen to resume.
#
# No network but the installation: server and client are this script's own, on the loopback. Exit 0: as described. Exit 1: it
# has changed.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq -o APT::Sandbox::User=root download libmicrohttpd12=0.9.75-6 libmicrohttpd-dev=0.9.75-6 libgnutls28-dev libgnutls30 >/dev/null
for package in ./*.deb; do
    dpkg -x "$package" root
done
arch=$(ls root/usr/lib)
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null

cat >server.c <<'END'
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gnutls_datum_t key;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(2, (void *)"ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* Only in the second server. */
static void notify(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        gnutls_session_ticket_enable_server(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session, &key);
    }
}

static char *whole(const char *name)
{
    static char text[2][8192];
    static int used;
    FILE *in = fopen(name, "r");
    text[used][fread(text[used], 1, sizeof text[used] - 1, in)] = 0;
    fclose(in);
    return text[used++];
}

int main(void)
{
    char *certificate = whole("cert.pem"), *private_key = whole("key.pem");
    gnutls_session_ticket_key_generate(&key);
    for (int tickets = 0; tickets < 2; tickets++) {
        struct MHD_Daemon *daemon = MHD_start_daemon(
            MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_HTTPS_MEM_CERT,
            certificate, MHD_OPTION_HTTPS_MEM_KEY, private_key, tickets ? MHD_OPTION_NOTIFY_CONNECTION : MHD_OPTION_END,
            notify, NULL, MHD_OPTION_END);
        if (daemon == NULL) {
            return 1;
        }
        printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    }
    fflush(stdout);
    sleep(100);
    return 0;
}
END
cc -w -Iroot/usr/include -I"root/usr/include/$arch" server.c -o server "root/usr/lib/$arch/libmicrohttpd.so.12" \
    "root/usr/lib/$arch/libgnutls.so.30"
LD_LIBRARY_PATH=$folder/root/usr/lib/$arch ./server >ports &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(wc -l <ports)" = 2 ] && break
    sleep 0.5
done

python3 - $(cat ports) <<'END'
import socket
import ssl
import sys


def resumes(port, version):
    """Whether the second connection of a client that kept its session continues it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations("cert.pem")
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost",
                                 session=session) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while tls.recv(4096):
                pass
            session, reused = tls.session, tls.session_reused
    return reused


seen = [[resumes(int(port), version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        for port in sys.argv[1:]]
print(f"libmicrohttpd as it is: TLS 1.2 resumed {seen[0][0]}, TLS 1.3 resumed {seen[0][1]}")
print(f"with tickets enabled for each connection: TLS 1.2 resumed {seen[1][0]}, TLS 1.3 resumed {seen[1][1]}")
sys.exit(seen != [[False, False], [True, True]])
END
