#include "fault.h"

/* Sets of operations, by the request that meets the fault. */
#define BIT(operation) (1u << (operation))
#define OPEN           BIT(OPEN_SESSION)
#define PINNED         (BIT(BY_THUMB) | BIT(EXPORT) | BIT(COLD))
#define SEEN           (BIT(BY_NAME) | BIT(LISTED) | BIT(LOOK))
#define MADE           BIT(CREATE)
#define BUNDLE         (PINNED | SEEN | MADE)
#define LISTS          BIT(LIST)
#define WRAPS          BIT(ENCRYPT)
#define UNWRAPS        BIT(DECRYPT)
#define BODIES         (BUNDLE | LISTS | WRAPS | UNWRAPS)
#define ALL            (OPEN | BODIES)
/* Before the first request of their own, these two make one that others make, too. */
#define FIRST (ALL & ~(MADE | BIT(LISTED)))

#define ASKED(name, spec)        name, IN_REQUEST, spec, NETWORK_RIGHT, FOREIGN_HOST
#define TOKEN(name, spec)        name, IN_TOKEN, spec, NETWORK_RIGHT, FOREIGN_HOST
#define VAULT(name, network)     name, TO_VAULT, NULL, network, FOREIGN_HOST
#define LOGIN(name, network)     name, TO_LOGIN, NULL, network, FOREIGN_HOST
#define VAULT_IS(name, listener) name, TO_VAULT, NULL, NETWORK_LISTENER, listener
#define LOGIN_IS(name, listener) name, TO_LOGIN, NULL, NETWORK_LISTENER, listener
#define LASTS                    true
#define ONCE                     false
#define NOT_JSON                                                                                   \
    {                                                                                              \
        {LISTS | BUNDLE, 3404}, {WRAPS, 3607},                                                     \
        {                                                                                          \
            UNWRAPS, 3707                                                                          \
        }                                                                                          \
    }
#define STATUS(number)           "'action':'status','status':" #number
#define STATUS_AND(number, rest) STATUS(number) "," rest
#define EDIT(path, value)        "'action':'edit','path_in_body':'" path "','value':" value
#define SPLICE(after, bytes)     "'action':'splice','after':'`" after "`:`','bytes':'" bytes "'"
#define BODY(text)               "'action':'body','body':'" text "'"
#define CHALLENGE(text)          STATUS_AND(401, "'www_authenticate':'" text "'")
#define TENANT                   "72f988bf-0000-4000-8000-2d7cd011db47"
#define LOGIN_AT(url)            "Bearer authorization=`" url "`, resource=`https://vault.azure.net`"
#define TOKEN_FOR(resource)                                                                        \
    "Bearer authorization=`https://login.microsoftonline.com/t`, resource=`" resource "`"
#define ENTRA_SAYS(status, error, number)                                                          \
    STATUS_AND(status, "'body':'{`error`:`" error "`,`error_description`:`AADSTS" #number          \
                       ": no.`,`error_codes`:[" #number "]}'")
#define TOKEN_IS(value) BODY("{`token_type`:`Bearer`,`expires_in`:3599,`access_token`:" value "}")
#define ELSEWHERE       "'location':'https://www.example.com/keys'"

/* clang-format off */
static const struct fault faults[] = {
    /* A minute each: first. */
    {VAULT("the vault's name is unknown", NETWORK_NO_NAME), FIRST, 3900, LASTS, {{0}}},
    {VAULT("the vault's name hangs", NETWORK_NAME_HANGS), FIRST, 3900, LASTS, {{0}}},
    {LOGIN("the login host's name is unknown", NETWORK_NO_NAME), OPEN | UNWRAPS, 3102, LASTS, {{0}}},
    {LOGIN("the login host's name hangs", NETWORK_NAME_HANGS), OPEN | UNWRAPS, 3102, LASTS, {{0}}},

    /* The login service fails for a while. */
    {TOKEN("token hangs", "'action':'hang'"), FIRST, 3107, LASTS, {{0}}},
    {TOKEN("token hangs within", "'action':'hang_body'"), FIRST, 3107, LASTS, {{0}}},
    {TOKEN("token drips", "'action':'slow','delay_ms':50"), FIRST, 3107, LASTS, {{0}}},
    {TOKEN("token cut", "'action':'cut'"), FIRST, 3119, LASTS, {{0}}},
    {TOKEN("token cut within", "'action':'cut_body'"), FIRST, 3119, LASTS, {{0}}},
    {TOKEN("token 408", STATUS(408)), FIRST, 3304, LASTS, {{0}}},
    {TOKEN("token 429", STATUS(429)), FIRST, 3304, LASTS, {{0}}},
    {TOKEN("token 500", STATUS(500)), FIRST, 3304, LASTS, {{0}}},
    {TOKEN("token 503", STATUS(503)), FIRST, 3304, LASTS, {{0}}},
    {LOGIN("login refuses connections", NETWORK_REFUSED), FIRST, 3102, LASTS, {{0}}},
    {LOGIN("login unreachable", NETWORK_UNREACHABLE), FIRST, 3102, LASTS, {{0}}},
    {LOGIN("login silent", NETWORK_SILENT), FIRST, 3102, LASTS, {{0}}},
    {LOGIN_IS("login breaks the handshake", BROKEN_HANDSHAKE), FIRST, 3106, LASTS, {{0}}},
    {TOKEN("temporarily unavailable", ENTRA_SAYS(400, "temporarily_unavailable", 90033)), FIRST, 3304, LASTS, {{0}}},
    {TOKEN("transient number", ENTRA_SAYS(401, "invalid_client", 90024)), FIRST, 3304, LASTS, {{0}}},
    {TOKEN("refused in HTML", STATUS_AND(400, "'body':'<html>'")), FIRST, 3304, LASTS, {{0}}},
    {LOGIN_IS("login of old TLS", OLD_PROTOCOL), FIRST, 3106, LASTS, {{0}}},

    /* The vault fails for a while. */
    {VAULT("refused", NETWORK_REFUSED), FIRST, 3102, LASTS, {{0}}},
    {VAULT("unreachable", NETWORK_UNREACHABLE), FIRST, 3102, LASTS, {{0}}},
    {VAULT("silent", NETWORK_SILENT), FIRST, 3102, LASTS, {{0}}},
    {VAULT_IS("no handshake", NO_HANDSHAKE), FIRST, 3102, LASTS, {{0}}},
    {VAULT_IS("broken handshake", BROKEN_HANDSHAKE), FIRST, 3106, LASTS, {{0}}},
    {VAULT_IS("old TLS", OLD_PROTOCOL), FIRST, 3106, LASTS, {{0}}},
    {VAULT_IS("no TLS", NO_TLS), FIRST, 3106, LASTS, {{0}}},
    {VAULT_IS("certificate of tomorrow", FUTURE_CERTIFICATE), FIRST, 3106, LASTS, {{0}}},
    {VAULT_IS("no HTTP", NO_HTTP), FIRST, 3119, LASTS, {{0}}},
    {VAULT_IS("cut in the header", CUT_HEADER), FIRST, 3119, LASTS, {{0}}},
    {VAULT_IS("slow header", SLOW_HEADER), FIRST, 3107, LASTS, {{0}}},
    {VAULT_IS("bad chunks", BAD_CHUNKS), FIRST, 3119, LASTS, {{0}}},
    {VAULT_IS("bad length", BAD_LENGTH), FIRST, 3119, LASTS, {{0}}},
    {ASKED("hang", "'action':'hang'"), ALL, 3107, LASTS, {{0}}},
    {ASKED("hang within", "'action':'hang_body'"), ALL, 3107, LASTS, {{0}}},
    {ASKED("drip", "'action':'slow','delay_ms':50"), ALL, 3107, LASTS, {{0}}},
    {ASKED("cut", "'action':'cut'"), ALL, 3119, LASTS, {{0}}},
    {ASKED("cut within", "'action':'cut_body'"), ALL, 3119, LASTS, {{0}}},
    {ASKED("408", STATUS(408)), ALL, 3110, LASTS, {{0}}},
    {ASKED("429", STATUS(429)), ALL, 3109, LASTS, {{0}}},
    {ASKED("429, retry at once", STATUS_AND(429, "'retry_after':'0'")), ALL, 3109, LASTS, {{0}}},
    {ASKED("500", STATUS(500)), ALL, 3111, LASTS, {{0}}},
    {ASKED("502 in HTML", STATUS_AND(502, "'body':'<html>'")), ALL, 5014, LASTS, {{0}}},
    {ASKED("502 without a body", STATUS_AND(502, "'body':''")), ALL, 3111, LASTS, {{0}}},
    {ASKED("503", STATUS(503)), ALL, 3111, LASTS, {{0}}},
    {ASKED("504", STATUS_AND(504, "'body':''")), ALL, 3111, LASTS, {{0}}},
    {ASKED("400 in HTML", STATUS_AND(400, "'body':'<HTML><h2>Bad Request</h2>'")), ALL, 5014, LASTS, {{0}}},
    {ASKED("409 while the key is recovered", STATUS_AND(409, "'inner':'ObjectIsBeingRecovered'")), ALL, 3110, LASTS, {{0}}},
    {ASKED("401 to a good token", "'action':'expired_token'"), ALL, 3305, LASTS, {{OPEN, 0}}},
    {ASKED("401 AKV10046 to a good token", STATUS_AND(401, "'message':'AKV10046: Unable to resolve the key.','www_authenticate':'" LOGIN_AT("https://login.microsoftonline.com/" TENANT) "'")), ALL, 3305, LASTS, {{OPEN, 0}}},

    /* The vault cannot prove who it is, or speaks no HTTP. */
    {VAULT_IS("certificate expired", EXPIRED_CERTIFICATE), FIRST, 3106, ONCE, {{0}}},
    {VAULT_IS("certificate of another host", OTHER_HOST), FIRST, 3106, ONCE, {{0}}},
    {VAULT_IS("certificate not trusted", OTHER_AUTHORITY), FIRST, 3106, ONCE, {{0}}},
    {VAULT_IS("long header line", LONG_HEADER_LINE), FIRST, 3119, ONCE, {{0}}},
    {VAULT_IS("long header", LONG_HEADER), FIRST, 3119, ONCE, {{0}}},
    {VAULT_IS("endless interim answers", ENDLESS_INTERIM), FIRST, 3119, ONCE, {{0}}},
    {VAULT_IS("zero in the header", ZERO_IN_HEADER), FIRST, 3119, LASTS, {{0}}},
    {LOGIN_IS("login's certificate expired", EXPIRED_CERTIFICATE), FIRST, 3106, ONCE, {{0}}},
    {LOGIN_IS("login's certificate of another host", OTHER_HOST), FIRST, 3106, ONCE, {{0}}},
    {LOGIN_IS("login's certificate not trusted", OTHER_AUTHORITY), FIRST, 3106, ONCE, {{0}}},
    {LOGIN_IS("login's long header line", LONG_HEADER_LINE), FIRST, 3119, ONCE, {{0}}},
    {LOGIN_IS("login's long header", LONG_HEADER), FIRST, 3119, ONCE, {{0}}},

    /* Statuses. */
    {ASKED("201", STATUS(201)), ALL, 3001, ONCE, {{OPEN, 3203}}},
    {ASKED("204", STATUS_AND(204, "'body':''")), ALL, 3001, ONCE, {{OPEN, 3203}}},
    {ASKED("206", STATUS(206)), ALL, 3001, ONCE, {{OPEN, 3203}}},
    {ASKED("301", STATUS_AND(301, ELSEWHERE)), ALL, 5014, ONCE, {{0}}},
    {ASKED("302", STATUS_AND(302, ELSEWHERE)), ALL, 5014, ONCE, {{0}}},
    {ASKED("304", STATUS_AND(304, "'body':''")), ALL, 5014, ONCE, {{0}}},
    {ASKED("307", STATUS_AND(307, ELSEWHERE)), ALL, 5014, ONCE, {{0}}},
    {ASKED("308", STATUS_AND(308, ELSEWHERE)), ALL, 5014, ONCE, {{0}}},
    {ASKED("400", STATUS(400)), ALL, 3110, ONCE, {{UNWRAPS, 5010}}},
    {ASKED("403", STATUS(403)), ALL, 3113, ONCE, {{0}}},
    {ASKED("403 in HTML", STATUS_AND(403, "'body':'<html>'")), ALL, 5014, ONCE, {{0}}},
    {ASKED("403 without a body", STATUS_AND(403, "'body':''")), ALL, 5014, ONCE, {{0}}},
    {ASKED("403 of another service", STATUS_AND(403, "'body':'{`message`:`blocked`}'")), ALL, 5014, ONCE, {{0}}},
    {ASKED("403 ForbiddenByPolicy", STATUS_AND(403, "'inner':'ForbiddenByPolicy'")), ALL, 3113, ONCE, {{0}}},
    {ASKED("403 ForbiddenByRbac", STATUS_AND(403, "'inner':'ForbiddenByRbac'")), ALL, 3113, ONCE, {{0}}},
    {ASKED("403 AccessDenied", STATUS_AND(403, "'code':'AccessDenied'")), ALL, 3113, ONCE, {{0}}},
    {ASKED("403 KeyDisabled", STATUS_AND(403, "'inner':'KeyDisabled'")), ALL, 5004, ONCE, {{BIT(LISTED) | BIT(LOOK), 0}}},
    {ASKED("403 ForbiddenByFirewall", STATUS_AND(403, "'inner':'ForbiddenByFirewall'")), ALL, 5011, ONCE, {{0}}},
    {ASKED("403 ForbiddenByNsp", STATUS_AND(403, "'inner':'ForbiddenByNsp'")), ALL, 5011, ONCE, {{0}}},
    {ASKED("403 ForbiddenByConnection", STATUS_AND(403, "'inner':'ForbiddenByConnection'")), ALL, 5011, ONCE, {{0}}},
    {ASKED("403 KeyOperationForbidden", STATUS_AND(403, "'inner':'KeyOperationForbidden'")), ALL, 5012, ONCE, {{0}}},
    {ASKED("404", STATUS(404)), ALL, 3112, ONCE, {{PINNED | WRAPS | UNWRAPS, 4}, {BIT(LOOK) | BIT(LISTED), 0}}},
    {ASKED("404 in HTML", STATUS_AND(404, "'body':'<html>'")), ALL, 5014, ONCE, {{0}}},
    {ASKED("404 without a body", STATUS_AND(404, "'body':''")), ALL, 5014, ONCE, {{0}}},
    {ASKED("405", STATUS(405)), ALL, 3110, ONCE, {{0}}},
    {ASKED("409", STATUS_AND(409, "'inner':'ObjectIsDeletedButRecoverable'")), ALL, 3110, ONCE, {{0}}},
    {ASKED("410", STATUS(410)), ALL, 3110, ONCE, {{0}}},
    {ASKED("429, come back in ten minutes", STATUS_AND(429, "'retry_after':'600'")), ALL, 3109, ONCE, {{0}}},
    {ASKED("429, come back in another year", STATUS_AND(429, "'retry_after':'Fri, 31 Dec 2100 23:59:59 GMT'")), ALL, 3109, ONCE, {{0}}},
    {ASKED("501", STATUS(501)), ALL, 3111, ONCE, {{0}}},
    {ASKED("503, come back in ten minutes", STATUS_AND(503, "'retry_after':600")), ALL, 3111, ONCE, {{0}}},
    {ASKED("505", STATUS(505)), ALL, 3111, ONCE, {{0}}},

    /* Challenges. */
    {ASKED("401 without a challenge", STATUS(401)), ALL, 3108, ONCE, {{OPEN, 3203}}},
    {ASKED("401 in HTML", STATUS_AND(401, "'body':'<html>'")), ALL, 5014, ONCE, {{0}}},
    {ASKED("401 AKV10032", STATUS_AND(401, "'message':'AKV10032: Invalid issuer.','www_authenticate':'" LOGIN_AT("https://login.microsoftonline.com/" TENANT) "'")), ALL, 3305, ONCE, {{OPEN, 0}}},
    {ASKED("401 Negotiate", CHALLENGE("Negotiate")), ALL, 3108, ONCE, {{OPEN, 3203}}},
    {ASKED("401 unreadable", CHALLENGE("Bearer authorization=`https://login.microsoftonline.com/t")), ALL, 3108, ONCE, {{OPEN, 3203}}},
    {ASKED("401 without authority", CHALLENGE("Bearer resource=`https://vault.azure.net`")), ALL, 3108, ONCE, {{OPEN, 3203}}},
    {ASKED("401 without resource", CHALLENGE("Bearer authorization=`https://login.microsoftonline.com/t`")), ALL, 3108, ONCE, {{OPEN, 3206}}},
    {ASKED("401 for claims", CHALLENGE("Bearer authorization_uri=`https://login.microsoftonline.com/common/oauth2/authorize`, error=`insufficient_claims`, claims=`e30=`")), ALL, 3108, ONCE, {{OPEN, 3206}}},
    {ASKED("foreign authority", CHALLENGE(LOGIN_AT("https://login.example.com/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority of another cloud", CHALLENGE(LOGIN_AT("https://login.partner.microsoftonline.cn/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority of a sovereign cloud", CHALLENGE(LOGIN_AT("https://login.sovcloud-identity.fr/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority below a foreign one", CHALLENGE(LOGIN_AT("https://login.microsoftonline.com.example.com/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority as a user", CHALLENGE(LOGIN_AT("https://login.microsoftonline.com@login.example.com/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority at a port", CHALLENGE(LOGIN_AT("https://login.microsoftonline.com:8443/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority without TLS", CHALLENGE(LOGIN_AT("http://login.microsoftonline.com/t"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("authority without tenant", CHALLENGE(LOGIN_AT("https://login.microsoftonline.com/"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource of another service", CHALLENGE(TOKEN_FOR("https://graph.microsoft.com"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource of a Managed HSM", CHALLENGE(TOKEN_FOR("https://managedhsm.azure.net"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource of another cloud", CHALLENGE(TOKEN_FOR("https://vault.azure.cn"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource below a foreign one", CHALLENGE(TOKEN_FOR("https://vault.azure.net.example.com"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource that only ends so", CHALLENGE(TOKEN_FOR("https://evil-vault.azure.net"))), ALL, 5006, ONCE, {{0}}},
    {ASKED("resource without TLS", CHALLENGE(TOKEN_FOR("http://vault.azure.net"))), ALL, 5006, ONCE, {{0}}},

    /* Bodies: any kind. */
    {ASKED("garbage", "'action':'garbage'"), ALL, 0, ONCE, {{OPEN, 3203}, {LISTS | BUNDLE, 3404}, {WRAPS, 3607}, {UNWRAPS, 3707}}},
    {ASKED("empty", BODY("")), ALL, 3404, ONCE, {{OPEN, 3203}, {WRAPS, 3609}, {UNWRAPS, 3709}}},
    {ASKED("an array", BODY("[]")), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("two documents", BODY("{}{}")), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("truncated", "'action':'truncate'"), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("nested deeply", "'action':'nest','depth':100000"), ALL, 0, ONCE, NOT_JSON},
    {ASKED("nested a little", "'action':'nest','depth':50"), ALL, 0, ONCE, {{0}}},
    {ASKED("oversized", "'action':'oversized'"), ALL, 3119, ONCE, {{0}}},
    {ASKED("zero byte in kid", SPLICE("kid", "00")), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("zero character in kid", SPLICE("kid", "5c7530303030")), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("half a surrogate in kid", SPLICE("kid", "5c7564383030")), BODIES, 0, ONCE, NOT_JSON},
    {ASKED("invalid UTF-8 in kid", SPLICE("kid", "fffe")), BODIES, 3412, ONCE, {{WRAPS | UNWRAPS, 5008}}},
    {ASKED("another key", "'action':'wrong_kid'"), BUNDLE | WRAPS | UNWRAPS, 5008, ONCE, {{0}}},

    /* Bodies: a key. */
    {ASKED("no key", EDIT("key", "null")), BUNDLE, 3405, ONCE, {{0}}},
    {ASKED("key is a text", EDIT("key", "'x'")), BUNDLE, 3405, ONCE, {{0}}},
    {ASKED("key is a list", EDIT("key", "[]")), BUNDLE, 3405, ONCE, {{0}}},
    {ASKED("no kid", EDIT("key.kid", "null")), BUNDLE, 3406, ONCE, {{0}}},
    {ASKED("kid is a number", EDIT("key.kid", "17")), BUNDLE, 3406, ONCE, {{0}}},
    {ASKED("kid is no key URI", EDIT("key.kid", "'https://'")), BUNDLE, 3412, ONCE, {{0}}},
    {ASKED("kid without TLS", EDIT("key.kid", "'http://" SIM_VAULT "/keys/a/b'")), BUNDLE, 3412, ONCE, {{0}}},
    {ASKED("kid of a foreign host", EDIT("key.kid", "'https://www.example.com/keys/by-name/0123'")), BUNDLE, 5008, ONCE, {{0}}},
    {ASKED("kid of another vault", EDIT("key.kid", "'https://second-vault.vault.azure.net/keys/by-name/0123'")), BUNDLE, 5008, ONCE, {{0}}},
    {ASKED("no kty", EDIT("key.kty", "null")), BUNDLE, 3407, ONCE, {{0}}},
    {ASKED("kty is an object", EDIT("key.kty", "{}")), BUNDLE, 3407, ONCE, {{0}}},
    {ASKED("kty EC", EDIT("key.kty", "'EC'")), BUNDLE, 3, ONCE, {{BIT(LISTED) | BIT(LOOK), 0}}},
    {ASKED("no n", EDIT("key.n", "null")), BUNDLE, 3408, ONCE, {{0}}},
    {ASKED("n is a list", EDIT("key.n", "[1]")), BUNDLE, 3408, ONCE, {{0}}},
    {ASKED("n is no base64", EDIT("key.n", "'!!'")), BUNDLE, 3409, ONCE, {{0}}},
    {ASKED("n is empty", EDIT("key.n", "''")), BUNDLE, 3409, ONCE, {{0}}},
    {ASKED("invalid UTF-8 in n", SPLICE("n", "ff")), BUNDLE, 3409, ONCE, {{0}}},
    {ASKED("n is short", EDIT("key.n", "'AQAB'")), BUNDLE, 3, ONCE, {{BIT(LISTED) | BIT(LOOK), 0}}},
    {ASKED("no e", EDIT("key.e", "null")), BUNDLE, 3410, ONCE, {{0}}},
    {ASKED("e is true", EDIT("key.e", "true")), BUNDLE, 3410, ONCE, {{0}}},
    {ASKED("e is no base64", EDIT("key.e", "'!!'")), BUNDLE, 3411, ONCE, {{0}}},
    {ASKED("e is empty", EDIT("key.e", "''")), BUNDLE, 3411, ONCE, {{0}}},
    {ASKED("disabled", EDIT("attributes.enabled", "false")), SEEN | PINNED, 0, ONCE, {{BIT(BY_NAME), 5004}}},
    {ASKED("no wrapping", EDIT("key.key_ops", "['sign']")), SEEN | PINNED, 0, ONCE, {{BIT(BY_NAME), 5012}}},
    {ASKED("attributes are a text", EDIT("attributes", "'x'")), BUNDLE, 0, ONCE, {{0}}},

    /* Bodies: a list. */
    {ASKED("list is a text", EDIT("value", "'x'")), LISTS, 3404, ONCE, {{0}}},
    {ASKED("list is an object", EDIT("value", "{}")), LISTS, 3404, ONCE, {{0}}},
    {ASKED("item is a number", EDIT("value", "[17]")), LISTS, 3406, ONCE, {{0}}},
    {ASKED("item without kid", EDIT("value.0.kid", "null")), LISTS, 3406, ONCE, {{0}}},
    {ASKED("item's kid is a number", EDIT("value.0.kid", "17")), LISTS, 3406, ONCE, {{0}}},
    {ASKED("item of a foreign host", EDIT("value.0.kid", "'https://www.example.com/keys/a'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink to a foreign host", EDIT("nextLink", "'https://www.example.com/keys?x=y'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink to another vault", EDIT("nextLink", "'https://second-vault.vault.azure.net/keys?x=y'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink below a foreign host", EDIT("nextLink", "'https://" SIM_VAULT ".example.com/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink with a user", EDIT("nextLink", "'https://" SIM_VAULT "@www.example.com/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink with a password", EDIT("nextLink", "'https://" SIM_VAULT ":443@www.example.com/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink to a port", EDIT("nextLink", "'https://" SIM_VAULT ":8443/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink with backslash", EDIT("nextLink", "'https://" SIM_VAULT "\\\\@www.example.com/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink without TLS", EDIT("nextLink", "'http://" SIM_VAULT "/keys'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("nextLink without host", EDIT("nextLink", "'/keys?x=y'")), LISTS, 5008, ONCE, {{0}}},
    {ASKED("endless pages", EDIT("nextLink", "'https://" SIM_VAULT "/keys?maxresults=25&api-version=7.4'")), LISTS, 3119, ONCE, {{0}}},
    {ASKED("nextLink is a number", EDIT("nextLink", "17")), LISTS, 0, ONCE, {{0}}},

    /* Bodies: wrap and unwrap. */
    {ASKED("no value", EDIT("value", "null")), WRAPS | UNWRAPS, 3608, ONCE, {{UNWRAPS, 3708}}},
    {ASKED("value is a number", EDIT("value", "17")), WRAPS | UNWRAPS, 3608, ONCE, {{UNWRAPS, 3708}}},
    {ASKED("value is an object", EDIT("value", "{}")), WRAPS | UNWRAPS, 3608, ONCE, {{UNWRAPS, 3708}}},
    {ASKED("value is no base64", EDIT("value", "'!!'")), WRAPS | UNWRAPS, 3606, ONCE, {{UNWRAPS, 3706}}},
    {ASKED("invalid UTF-8 in value", SPLICE("value", "ff")), WRAPS | UNWRAPS, 3606, ONCE, {{UNWRAPS, 3706}}},
    {ASKED("value is empty", EDIT("value", "''")), WRAPS | UNWRAPS, 3608, ONCE, {{UNWRAPS, 3708}}},
    {ASKED("value is padding alone", EDIT("value", "'='")), WRAPS | UNWRAPS, 3606, ONCE, {{UNWRAPS, 3706}}},
    {ASKED("value is short", EDIT("value", "'AQAB'")), WRAPS, 3606, ONCE, {{0}}},
    {ASKED("no worker", EDIT("kid", "null")), WRAPS | UNWRAPS, 5008, ONCE, {{0}}},
    {ASKED("worker is a list", EDIT("kid", "[]")), WRAPS | UNWRAPS, 5008, ONCE, {{0}}},
    {ASKED("worker of a foreign host", EDIT("kid", "'https://www.example.com/keys/decrypt/0123'")), WRAPS | UNWRAPS, 5008, ONCE, {{0}}},

    /* The login service refuses. */
    {TOKEN("wrong secret", ENTRA_SAYS(401, "invalid_client", 7000215)), FIRST, 3303, ONCE, {{0}}},
    {TOKEN("secret expired", ENTRA_SAYS(401, "invalid_client", 7000222)), FIRST, 3303, ONCE, {{0}}},
    {TOKEN("application unknown", ENTRA_SAYS(400, "unauthorized_client", 700016)), FIRST, 3303, ONCE, {{0}}},
    {TOKEN("grant refused", ENTRA_SAYS(400, "invalid_grant", 53003)), FIRST, 3303, ONCE, {{0}}},
    {TOKEN("tenant unknown", ENTRA_SAYS(400, "invalid_request", 90002)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("resource unknown", ENTRA_SAYS(400, "invalid_resource", 500011)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("scope refused", ENTRA_SAYS(400, "invalid_scope", 70011)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("conditional access", ENTRA_SAYS(400, "access_denied", 530032)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("refused without a body", STATUS_AND(403, "'body':''")), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("refused with wrong types", STATUS_AND(400, "'body':'{`error`:17,`error_codes`:`x`,`error_description`:[]}'")), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 404", STATUS(404)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 201", STATUS(201)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 204", STATUS_AND(204, "'body':''")), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 302", STATUS_AND(302, ELSEWHERE)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 307", STATUS_AND(307, ELSEWHERE)), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 429 for ten minutes", STATUS_AND(429, "'retry_after':'600'")), FIRST, 3304, ONCE, {{0}}},
    {TOKEN("token 501", STATUS(501)), FIRST, 3304, ONCE, {{0}}},

    /* The login service's answer. */
    {TOKEN("no token", BODY("{`token_type`:`Bearer`}")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token is null", TOKEN_IS("null")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token is a number", TOKEN_IS("17")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token is empty", TOKEN_IS("``")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token with a blank", TOKEN_IS("`a b`")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token with a line break", TOKEN_IS("`a\\\\r\\\\nX-Injected: b`")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("invalid UTF-8 in the token", SPLICE("access_token", "ff")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token of another type", EDIT("token_type", "'pop'")), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token of 400 KB", "'action':'long_token','body_bytes':400000"), FIRST, 3306, ONCE, {{0}}},
    {TOKEN("token of 4 MB", "'action':'long_token','body_bytes':4000000"), FIRST, 3119, ONCE, {{0}}},
    {TOKEN("token answer oversized", "'action':'oversized'"), FIRST, 3119, ONCE, {{0}}},
    {TOKEN("token answer empty", BODY("")), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("token answer no JSON", "'action':'garbage'"), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("token answer truncated", "'action':'truncate'"), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("token answer nested deeply", "'action':'nest','depth':100000"), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("token answer a list", BODY("[]")), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("zero byte in the token", SPLICE("access_token", "00")), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("zero character in the token", SPLICE("access_token", "5c7530303030")), FIRST, 3307, ONCE, {{0}}},
    {TOKEN("life is a text", EDIT("expires_in", "'soon'")), FIRST, 0, ONCE, {{0}}},
    {TOKEN("life is negative", EDIT("expires_in", "-1")), FIRST, 0, ONCE, {{0}}},
    {TOKEN("life is huge", EDIT("expires_in", "1e300")), FIRST, 0, ONCE, {{0}}},
};
/* clang-format on */

size_t fault_count(void)
{
    return sizeof faults / sizeof faults[0];
}

const struct fault *fault_at(size_t index)
{
    return &faults[index];
}

SqlCpError fault_code(const struct fault *fault, enum operation operation)
{
    for (size_t i = 0; i < sizeof fault->but / sizeof fault->but[0]; i++) {
        if ((fault->but[i].operations & BIT(operation)) != 0) {
            return fault->but[i].code;
        }
    }
    return fault->code;
}

bool fault_is_of_names(const struct fault *fault)
{
    return fault->network == NETWORK_NO_NAME || fault->network == NETWORK_NAME_HANGS;
}
