#include "control_identity.h"

#include <stdlib.h>

#include "app_service.h"
#include "environment.h"
#include "identities.h"
#include "oidc.h"
#include "state.h"

static void control_identity_finish(const char *problem, unsigned status, struct answer *answer)
{
    if (problem != NULL) {
        answer_error(answer, status, "BadRequest", NULL, "%s", problem);
        return;
    }
    state_save();
    answer_json(answer, 200, cJSON_CreateObject());
}

void control_identity_list(struct answer *answer)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "identities", identities_to_json());
    answer_json(answer, 200, json);
}

void control_identity_change(const cJSON *json, struct answer *answer)
{
    control_identity_finish(identities_change(json), 400, answer);
}

void control_identity_remove(const char *client_id, struct answer *answer)
{
    control_identity_finish(identities_remove(client_id) ? NULL : "no such identity", 404, answer);
}

void control_identity_rotate(struct answer *answer)
{
    app_service_rotate();
    control_identity_finish(environment_write() ? NULL : "the environment files cannot be written",
                            500, answer);
}

void control_identity_mint(const cJSON *json, struct answer *answer)
{
    char *path = NULL;
    const char *problem = oidc_mint(json, &path);
    if (problem != NULL) {
        control_identity_finish(problem, 400, answer);
    } else {
        cJSON *result = cJSON_CreateObject();
        cJSON_AddStringToObject(result, "file", path);
        answer_json(answer, 200, result);
    }
    free(path);
}
