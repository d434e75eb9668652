/* badnet: faults of the network between a server and its vault, for the scenarios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "relay.h"

static int main_usage(void)
{
    (void)fprintf(stderr, "usage: badnet relay PORT [LATER-PORT]\n"
                          "       badnet names ADDRESS answer|silent|unknown|broken\n");
    return 2;
}

int main(int argc, char **argv)
{
    static const char *const manners[] = {"answer", "silent", "unknown", "broken"};
    if (argc >= 3 && strcmp(argv[1], "relay") == 0) {
        return relay_run(atoi(argv[2]), atoi(argv[argc - 1]));
    }
    for (int i = 0; argc == 4 && strcmp(argv[1], "names") == 0 && i < 4; i++) {
        if (strcmp(argv[3], manners[i]) == 0) {
            return names_run(argv[2], (enum names_manner)i);
        }
    }
    return main_usage();
}
