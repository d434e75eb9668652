/* The rows of err.h: X(name, code, retryable, of_key, text). Each cause has a name; several causes
 * may share a code. of_key: the error concerns only this key. It is false for a response that is
 * not JSON, because that says nothing about a key. It is also false for a response that is too big,
 * because curl's code for that also means a lack of memory. */
#ifndef AKVEKM_BASE_ERR_TABLE_H
#define AKVEKM_BASE_ERR_TABLE_H

/* clang-format off */
#define EKM_ERRORS(X) \
    X(EKM_OK,                       0, false, false, "success") \
    X(EKM_FAILURE,                  1, false, false, "refused; the log line before says why") \
    X(EKM_INSUFFICIENT_BUFFER,      2, false, false, "the caller's buffer is too small") \
    X(EKM_NOT_SUPPORTED,            3, false, false, "not supported by this provider") \
    X(EKM_NOT_FOUND,                4, false, false, "no such key or algorithm") \
    X(EKM_INVALID_ARGUMENT,         6, false, false, "bad parameter") \
    X(EKM_NAME_TOO_LONG,         2049, false, false, "the key name is longer than max_key_name_length") \
    X(EKM_SECRET_TOO_SHORT,      2050, false, false, "SECRET must be the client ID followed by the client secret") \
    X(EKM_OUT_OF_MEMORY,         2051, false, false, "out of memory") \
    X(EKM_MAP_FAILED,            2058, false, false, "the durable thumbprint map could not be read or written") \
    X(EKM_UNEXPECTED_STATUS,     3001, false, true,  "the vault answered with an unexpected success status") \
    X(EKM_CONNECT_FAILED,        3102, true,  false, "connection refused, unreachable or timed out") \
    X(EKM_TLS_FAILED,            3106, true,  false, "TLS handshake or sending failed") \
    X(EKM_CERTIFICATE_REFUSED,   3106, false, false, "the server's certificate is not trusted") \
    X(EKM_CERTIFICATE_EARLY,     3106, true,  false, "the server's certificate is not valid yet: is the clock behind?") \
    X(EKM_NO_ANSWER,             3107, true,  false, "no response within try_timeout_ms") \
    X(EKM_UNAUTHORIZED,          3108, false, false, "the vault refused the token and sent no usable challenge") \
    X(EKM_THROTTLED,             3109, true,  false, "the vault throttles (429)") \
    X(EKM_REQUEST_REFUSED,       3110, false, true,  "the request was rejected as malformed, mostly an illegal key name") \
    X(EKM_REQUEST_LATE,          3110, true,  false, "the service waited too long for the request (408)") \
    X(EKM_KEY_BUSY,              3110, true,  false, "the vault is deleting or recovering this key") \
    X(EKM_SERVER_ERROR,          3111, true,  false, "the vault failed with a 5xx status") \
    X(EKM_SERVER_REFUSED,        3111, false, false, "the vault cannot do what was asked (5xx)") \
    X(EKM_KEY_NOT_FOUND,         3112, false, true,  "the vault holds no such key or version") \
    X(EKM_FORBIDDEN,             3113, false, true,  "the application lacks the permission for this operation") \
    X(EKM_CONNECTION_BROKEN,     3119, true,  false, "the connection broke while reading the response") \
    X(EKM_ANSWER_TOO_BIG,        3119, false, false, "the response is larger than its limit") \
    X(EKM_CHALLENGE_MALFORMED,   3203, false, false, "the vault's challenge is absent or malformed") \
    X(EKM_CHALLENGE_NO_RESOURCE, 3206, false, false, "the vault's challenge names no resource") \
    X(EKM_BAD_CREDENTIALS,       3303, false, false, "Entra rejects the client ID or its secret") \
    X(EKM_TOKEN_FAILED,          3304, false, false, "Entra gave no token") \
    X(EKM_TOKEN_UNAVAILABLE,     3304, true,  false, "Entra is throttling or failing") \
    X(EKM_TOKEN_REJECTED,        3305, false, false, "the vault refused a token issued a moment ago") \
    X(EKM_TOKEN_MISSING,         3306, false, false, "Entra's response has no token") \
    X(EKM_TOKEN_NOT_JSON,        3307, false, false, "Entra's response is not JSON") \
    X(EKM_KEY_NOT_JSON,          3404, false, false, "the key response is not JSON") \
    X(EKM_KEY_NO_NODE,           3405, false, true,  "the key response lacks its key object") \
    X(EKM_KEY_NO_ID,             3406, false, true,  "the key response lacks the key identifier") \
    X(EKM_KEY_NO_TYPE,           3407, false, true,  "the key response lacks the key type") \
    X(EKM_KEY_NO_N,              3408, false, true,  "the key response lacks the modulus") \
    X(EKM_KEY_BAD_N,             3409, false, true,  "the modulus is not valid base64url") \
    X(EKM_KEY_NO_E,              3410, false, true,  "the key response lacks the public exponent") \
    X(EKM_KEY_BAD_E,             3411, false, true,  "the public exponent is not valid base64url") \
    X(EKM_KEY_BAD_ID,            3412, false, true,  "the key identifier is not a key URI") \
    X(EKM_WRAP_BAD_VALUE,        3606, false, false, "the wrapped value is not valid base64url") \
    X(EKM_WRAP_NOT_JSON,         3607, false, false, "the wrap response is not JSON") \
    X(EKM_WRAP_NO_VALUE,         3608, false, false, "the wrap response lacks its value") \
    X(EKM_WRAP_EMPTY,            3609, false, false, "the wrap response is empty") \
    X(EKM_UNWRAP_BAD_VALUE,      3706, false, true,  "the unwrapped value is not valid base64url") \
    X(EKM_UNWRAP_NOT_JSON,       3707, false, false, "the unwrap response is not JSON") \
    X(EKM_UNWRAP_NO_VALUE,       3708, false, true,  "the unwrap response lacks its value") \
    X(EKM_UNWRAP_EMPTY,          3709, false, true,  "the unwrap response is empty") \
    X(EKM_HOST_NOT_RESOLVED,     3900, true,  false, "the vault's host name does not resolve") \
    X(EKM_DEADLINE,              5001, false, false, "call_timeout_ms passed") \
    X(EKM_VAULT_NOT_ALLOWED,     5002, false, false, "IDENTITY is not a vault of a known cloud") \
    X(EKM_CONFIGURATION,         5003, false, false, "the configuration is invalid or unsafe") \
    X(EKM_KEY_DISABLED,          5004, false, true,  "the key is disabled") \
    X(EKM_KEY_EXPIRED,           5005, false, true,  "the key is expired or not yet valid") \
    X(EKM_CHALLENGE_FOREIGN,     5006, false, false, "the vault's challenge names a host outside the vault's cloud") \
    X(EKM_CLOSING,               5007, false, false, "the provider is closed or closing, or the session was aborted") \
    X(EKM_OTHER_KEY,             5008, false, true,  "the response or the map names another key") \
    X(EKM_INTERNAL,              5009, false, false, "internal fault, please report") \
    X(EKM_UNWRAP_REFUSED,        5010, false, true,  "this key cannot open this wrapped key: wrong key or damaged") \
    X(EKM_FIREWALL,              5011, false, false, "the vault's network rules refuse this machine") \
    X(EKM_KEY_OPERATION,         5012, false, true,  "the key's operations do not include wrapKey and unwrapKey") \
    X(EKM_SESSIONS_FULL,         5015, false, false, "too many sessions are open; 65536 is the limit") \
    X(EKM_PROXY,                 5013, false, false, "the proxy cannot be used") \
    X(EKM_PROXY_UNREACHABLE,     5013, true,  false, "the proxy does not resolve or answer") \
    X(EKM_NOT_VAULT,             5014, false, false, "the response is not the vault's: a device on the way sent it") \
    X(EKM_NOT_VAULT_PASSING,     5014, true,  false, "the response is not the vault's, but a page of a device on the way") \
    X(EKM_SIGN_IN_MALFORMED,     5016, false, false, "SECRET begins with the word of a form, but the rest is malformed") \
    X(EKM_SIGN_IN_NOT_ALLOWED,   5017, false, false, "the setting sign_in does not allow this form of SECRET") \
    X(EKM_IDENTITY_NO_SOURCE,    5018, true,  false, "no source of managed identities on this machine") \
    X(EKM_IDENTITY_REFUSED,      5019, false, false, "the source of managed identities refuses: no such identity") \
    X(EKM_IDENTITY_UNAVAILABLE,  5020, true,  false, "the source of managed identities throttles or fails") \
    X(EKM_IDENTITY_OTHER,        5021, false, false, "the source of managed identities gave a token of another identity") \
    X(EKM_ARC_ATTACK,            5022, false, false, "the challenge of the Azure Arc agent is not genuine") \
    X(EKM_ARC_KEY_UNREADABLE,    5023, false, false, "the key file of the Azure Arc agent cannot be read") \
    X(EKM_CERTIFICATE_UNUSABLE,  5024, false, false, "the application's certificate or its key cannot be used") \
    X(EKM_CERTIFICATE_DATES,     5025, false, false, "the application's certificate is expired or not yet valid") \
    X(EKM_CERTIFICATE_PAIR,      5026, false, false, "the application's certificate and the key beside it are not a pair") \
    X(EKM_TOKEN_FILE_UNUSABLE,   5027, false, false, "the federated token file cannot be used") \
    X(EKM_WORKLOAD_SETTINGS,     5028, false, false, "a setting of the workload identity is missing or wrong") \
    X(EKM_FEDERATED_NONE,        5029, false, false, "no federated credential of the application matches the token") \
    X(EKM_FEDERATED_ISSUER,      5030, false, false, "no federated credential of the application has the token's issuer") \
    X(EKM_FEDERATED_AUDIENCE,    5031, false, false, "no federated credential of the application has the token's audience") \
    X(EKM_FEDERATED_SUBJECT,     5032, false, false, "no federated credential of the application has the token's subject")
/* clang-format on */

#endif
