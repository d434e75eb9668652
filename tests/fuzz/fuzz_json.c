/* cJSON parses a text that the scan accepted completely; only a lack of memory makes it fail. */
#include "fuzz.h"

// aims: src/vault/json.c src/vault/json_scan.c

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "vault/json_scan.h"

/* Written out by cJSON, it is still let pass and reads as the same. */
static void check_again(const cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    FUZZ_CHECK(text != NULL);
    FUZZ_CHECK(json_scan(text, strlen(text)));
    cJSON *again = cJSON_Parse(text);
    FUZZ_CHECK(again != NULL);
    cJSON_Delete(again);
    cJSON_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = NULL;
    struct fuzz_input input = {data, size};
    char *text = fuzz_rest(&input);
    cJSON *json = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    if (json_scan(text, size)) {
        FUZZ_CHECK(json != NULL && cJSON_IsObject(json));
        FUZZ_CHECK(strspn(end, " \t\r\n") == (size_t)(text + size - end));
        check_again(json);
    }
    cJSON_Delete(json);
    free(text);
    return 0;
}
