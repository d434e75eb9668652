/*
 * The token endpoint of App Service, Functions and Container Apps, and that of Windows container
 * groups.
 *
 * Call app_service_rotate once at the start; any thread. The secret of the header is only in
 * memory.
 */
#ifndef VAULTSIM_APP_SERVICE_H
#define VAULTSIM_APP_SERVICE_H

#include "answer.h"
#include "request.h"

#define APP_SERVICE_PATH "/msi/token"
#define APP_SERVICE_ACI  "/aci/token"

/* A new secret; the former one is refused from now on. */
void app_service_rotate(void);
void app_service_secret(char out[33]);
void app_service_serve(const struct request *request, struct answer *answer);
/* {"statusCode","message","correlationId"} */
void app_service_refuse(const struct request *request, struct answer *answer, unsigned status,
                        const char *text);

#endif
