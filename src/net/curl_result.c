#include "net/curl_result.h"

#include <curl/curl.h>
#include <stddef.h>

/* Listed by number, because the headers of the oldest libcurl lack some names. Gaps are codes of
 * other protocols and codes that are no longer used. */
static const enum ekm_rc meanings[] = {
    [1] = EKM_CONNECTION_BROKEN,    /* UNSUPPORTED_PROTOCOL: what came is no HTTP */
    [2] = EKM_CONNECT_FAILED,       /* FAILED_INIT: a resource is short, as a thread to resolve */
    [3] = EKM_INTERNAL,             /* URL_MALFORMAT */
    [4] = EKM_INTERNAL,             /* NOT_BUILT_IN */
    [5] = EKM_PROXY_UNREACHABLE,    /* COULDNT_RESOLVE_PROXY */
    [6] = EKM_HOST_NOT_RESOLVED,    /* COULDNT_RESOLVE_HOST */
    [7] = EKM_CONNECT_FAILED,       /* COULDNT_CONNECT */
    [8] = EKM_CONNECTION_BROKEN,    /* WEIRD_SERVER_REPLY */
    [16] = EKM_CONNECTION_BROKEN,   /* HTTP2 */
    [18] = EKM_CONNECTION_BROKEN,   /* PARTIAL_FILE */
    [22] = EKM_CONNECTION_BROKEN,   /* HTTP_RETURNED_ERROR */
    [23] = EKM_ANSWER_TOO_BIG,      /* WRITE_ERROR: our callback takes no more */
    [26] = EKM_CONNECTION_BROKEN,   /* READ_ERROR */
    [27] = EKM_OUT_OF_MEMORY,       /* OUT_OF_MEMORY */
    [28] = EKM_NO_ANSWER,           /* OPERATION_TIMEDOUT */
    [35] = EKM_TLS_FAILED,          /* SSL_CONNECT_ERROR */
    [42] = EKM_CLOSING,             /* ABORTED_BY_CALLBACK */
    [43] = EKM_INTERNAL,            /* BAD_FUNCTION_ARGUMENT */
    [45] = EKM_CONNECT_FAILED,      /* INTERFACE_FAILED */
    [48] = EKM_INTERNAL,            /* UNKNOWN_OPTION */
    [49] = EKM_INTERNAL,            /* SETOPT_OPTION_SYNTAX */
    [52] = EKM_CONNECTION_BROKEN,   /* GOT_NOTHING */
    [53] = EKM_TLS_FAILED,          /* SSL_ENGINE_NOTFOUND */
    [54] = EKM_TLS_FAILED,          /* SSL_ENGINE_SETFAILED */
    [55] = EKM_TLS_FAILED,          /* SEND_ERROR */
    [56] = EKM_CONNECTION_BROKEN,   /* RECV_ERROR */
    [58] = EKM_TLS_FAILED,          /* SSL_CERTPROBLEM: of a certificate of our own */
    [59] = EKM_TLS_FAILED,          /* SSL_CIPHER */
    [60] = EKM_CERTIFICATE_REFUSED, /* PEER_FAILED_VERIFICATION */
    [61] = EKM_CONNECTION_BROKEN,   /* BAD_CONTENT_ENCODING */
    [63] = EKM_ANSWER_TOO_BIG,      /* FILESIZE_EXCEEDED: as announced, none of it was read */
    [64] = EKM_TLS_FAILED,          /* USE_SSL_FAILED */
    [65] = EKM_TLS_FAILED,          /* SEND_FAIL_REWIND */
    [66] = EKM_TLS_FAILED,          /* SSL_ENGINE_INITFAILED */
    [67] = EKM_PROXY,               /* LOGIN_DENIED: only a proxy may ask curl itself */
    [77] = EKM_CERTIFICATE_REFUSED, /* SSL_CACERT_BADFILE: nothing to trust could be read */
    [80] = EKM_TLS_FAILED,          /* SSL_SHUTDOWN_FAILED */
    [81] = EKM_CONNECTION_BROKEN,   /* AGAIN */
    [82] = EKM_CERTIFICATE_REFUSED, /* SSL_CRL_BADFILE */
    [83] = EKM_CERTIFICATE_REFUSED, /* SSL_ISSUER_ERROR */
    [89] = EKM_CONNECT_FAILED,      /* NO_CONNECTION_AVAILABLE */
    [90] = EKM_CERTIFICATE_REFUSED, /* SSL_PINNEDPUBKEYNOTMATCH */
    [91] = EKM_CERTIFICATE_REFUSED, /* SSL_INVALIDCERTSTATUS */
    [92] = EKM_CONNECTION_BROKEN,   /* HTTP2_STREAM */
    [93] = EKM_INTERNAL,            /* RECURSIVE_API_CALL */
    [94] = EKM_PROXY,               /* AUTH_ERROR */
    [95] = EKM_CONNECTION_BROKEN,   /* HTTP3 */
    [96] = EKM_CONNECT_FAILED,      /* QUIC_CONNECT_ERROR */
    [97] = EKM_PROXY,               /* PROXY */
    [98] = EKM_TLS_FAILED,          /* SSL_CLIENTCERT: the server wants one of ours */
    [99] = EKM_CONNECTION_BROKEN,   /* UNRECOVERABLE_POLL */
    [100] = EKM_ANSWER_TOO_BIG,     /* TOO_LARGE */
    [101] = EKM_TLS_FAILED,         /* ECH_REQUIRED */
};

enum ekm_rc curl_result_meaning(int result)
{
    size_t known = sizeof meanings / sizeof meanings[0];
    enum ekm_rc rc =
        result > 0 && (size_t)result < known ? meanings[result] : EKM_CONNECTION_BROKEN;
    return rc != EKM_OK ? rc : EKM_CONNECTION_BROKEN;
}

enum ekm_rc curl_result_proxy(long detail)
{
#if LIBCURL_VERSION_NUM >= 0x074900
    switch (detail) {
    case CURLPX_CLOSED:
    case CURLPX_RECV_ADDRESS:
    case CURLPX_RECV_AUTH:
    case CURLPX_RECV_CONNECT:
    case CURLPX_RECV_REQACK:
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
    case CURLPX_REPLY_HOST_UNREACHABLE:
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
    case CURLPX_REPLY_CONNECTION_REFUSED:
    case CURLPX_REPLY_TTL_EXPIRED:
    case CURLPX_REQUEST_FAILED:
    case CURLPX_RESOLVE_HOST:
    case CURLPX_SEND_AUTH:
    case CURLPX_SEND_CONNECT:
    case CURLPX_SEND_REQUEST:
    case CURLPX_UNKNOWN_FAIL:
        return EKM_PROXY_UNREACHABLE;
    default:
        return EKM_PROXY;
    }
#else
    (void)detail;
    return EKM_PROXY;
#endif
}
