#include "vault/aadsts.h"

#include <stddef.h>

#define PASSES EKM_TOKEN_UNAVAILABLE

static const struct aadsts numbers[] = {
    {7000215, EKM_OK, "the client secret is wrong; often its ID was used instead of its value"},
    {7000222, EKM_OK, "the client secret expired"},
    {7000218, EKM_OK, "Entra saw neither secret nor assertion"},
    {700016, EKM_OK, "no such application in this tenant"},
    {7000112, EKM_OK, "the application is disabled"},
    {70001, EKM_OK, "the application is disabled or unknown in this tenant"},
    {90002, EKM_OK, "no such tenant"},
    {900023, EKM_OK, "the tenant's ID is not valid"},
    {50001, EKM_OK, "the tenant does not know Key Vault's resource: wrong cloud?"},
    {500011, EKM_OK, "the tenant does not know Key Vault's resource: wrong cloud?"},
    {700027, EKM_OK, "the application does not know the certificate that signed"},
    {700024, EKM_BAD_CREDENTIALS,
     "the assertion has expired or is not yet valid: a wrong clock, or a token "
     "file that nobody renews"},
    {700030, EKM_OK, "the certificate's subject and issuer are not authorised"},
    {50012, EKM_OK, "the certificate or assertion is not accepted"},
    {50013, EKM_OK, "the assertion's signature or content is not accepted"},
    {700025, EKM_OK, "a public client has neither secret nor assertion"},
    {700021, EKM_OK,
     "the assertion's issuer or subject is not the client, or its audience is wrong"},
    {70021, EKM_FEDERATED_NONE, "no federated credential has this issuer, subject and audience"},
    {700211, EKM_FEDERATED_ISSUER, "the issuer of the assertion differs"},
    {700212, EKM_FEDERATED_AUDIENCE, "the audience of the assertion differs"},
    {700213, EKM_FEDERATED_SUBJECT,
     "the subject of the assertion differs; upper and lower case differ"},
    {7002381, EKM_OK, "a policy of the tenant demands more claims from the issuer"},
    {700222, EKM_OK, "this token of Entra cannot be an assertion here: wrong kind or audience"},
    {700227, EKM_OK, "this token of Entra cannot be an assertion here: wrong kind or audience"},
    {700229, EKM_OK, "only a token for the identity itself may be the assertion"},
    {7002121, EKM_OK, "not a token of a managed identity of this tenant"},
    {90061, PASSES, "Entra could not reach the OIDC issuer"},
    {53003, EKM_OK, "blocked by Conditional Access"},
    {530032, EKM_OK, "blocked by a security policy of the tenant"},
    {530035, EKM_OK, "blocked by the security defaults of the tenant"},
    {900382, EKM_OK, "the tenant is in another cloud"},
    {900432, EKM_OK, "the tenant is in another cloud"},
    {90038, EKM_OK, "the tenant is in another cloud"},
    {100007, EKM_OK, "a regional login host does not serve this application"},
    {90006, PASSES, "Entra has a transient fault"},
    {90012, PASSES, "Entra ran out of time"},
    {90024, PASSES, "Entra asks to try again"},
    {90033, PASSES, "Entra has a transient fault"},
    {90055, PASSES, "the tenant throttles"},
    {90090, PASSES, "Entra has a transient fault"},
    {90091, PASSES, "Entra has a transient fault"},
};

const struct aadsts *aadsts_find(uint32_t number)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].number == number) {
            return &numbers[i];
        }
    }
    return NULL;
}
