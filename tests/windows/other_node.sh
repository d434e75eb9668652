#!/bin/sh
# R46: the branch, exported on one node and imported on another that never saw the vault, opens the databases there.
. "$(dirname -- "$0")/../integration/scenario.sh"

set_up
thumbprint=$(thumbprint_of TDE_Key)
wine reg export "$provider_key" "$(system_path "$folder/branch.reg")" /y >/dev/null
[ -s "$folder/branch.reg" ] || fail 'nothing was exported'

# The other node: a prefix of its own, made here and thrown away.
drop_branch
(
    export WINEPREFIX="$folder/node"
    finish_node() {
        status=$?
        wine --end
        exit "$status"
    }
    trap finish_node EXIT
    wine --begin
    wine reg query "$provider_key" >/dev/null 2>&1 && fail 'the fresh prefix has a branch'
    wine reg import "$(system_path "$folder/branch.reg")" >/dev/null || fail 'reg import'
    map_has "$thumbprint" "TdeKey0/$version"
    reset_counters
    database_opens
    expect_counter list_keys 0
    expect_counter list_versions 0
    expect_counter unwrapkey 1
)
