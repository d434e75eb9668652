#include "ctl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

struct ctl {
    const char *folder, *method, *path, *json;
};

static int read_port(const char *folder)
{
    int port = 0;
    char *path = format_text("%s/control", folder);
    FILE *in = fopen(path, "re");
    free(path);
    if (in == NULL) {
        return 0;
    }
    char line[16] = "";
    if (fgets(line, sizeof line, in) != NULL) {
        port = atoi(line);
    }
    fclose(in);
    return port;
}

static size_t print_part(char *data, size_t size, size_t count, void *last)
{
    if (count > 0) {
        *(char *)last = data[size * count - 1];
    }
    return fwrite(data, size, count, stdout);
}

static int ctl_perform(const struct ctl *ctl, int port)
{
    long status = 0;
    char last = '\n';
    CURL *curl = must(curl_easy_init());
    char *url = format_text("http://127.0.0.1:%d%s", port, ctl->path);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ctl->method);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, print_part);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &last);
    if (ctl->json != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ctl->json);
    }
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK) {
        fprintf(stderr, "vaultsim: ctl: %s\n", curl_easy_strerror(rc));
    } else if (last != '\n') {
        putchar('\n');
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(url);
    return rc == CURLE_OK && status >= 200 && status < 300 ? 0 : 1;
}

int ctl_main(int argc, char **argv)
{
    struct ctl ctl = {NULL, NULL, NULL, NULL};
    const char **places[] = {&ctl.method, &ctl.path, &ctl.json};
    size_t place = 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--state") == 0 && i + 1 < argc) {
            ctl.folder = argv[++i];
        } else if (place < 3) {
            *places[place++] = argv[i];
        } else {
            place = 4;
            break;
        }
    }
    if (ctl.folder == NULL || place < 2 || place > 3 || ctl.path[0] != '/') {
        fputs("usage: vaultsim ctl --state DIR METHOD /PATH [JSON]\n", stderr);
        return 2;
    }
    int port = read_port(ctl.folder);
    if (port <= 0) {
        fprintf(stderr, "vaultsim: ctl: no vaultsim runs on %s\n", ctl.folder);
        return 1;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int rc = ctl_perform(&ctl, port);
    curl_global_cleanup();
    return rc;
}
