#include "http_fixture.h"

#include "base/text.h"

void http_fixture_configure(struct config *config, const char *ca_path, char **connect_item)
{
    config_defaults(config);
    (void)text_copy(config->ca_file, sizeof config->ca_file, ca_path);
    config->has_proxy = config->has_no_proxy = true;
    config->connect_to.items = connect_item;
    config->connect_to.count = 1;
}
