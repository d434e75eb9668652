# Helpers of the tables of faults, sourced after tool.sh: a fault, and the words in which doctor must name it.
# shellcheck shell=sh
# shellcheck disable=SC2154 # of tool.sh
key=TdeKey0
identity=contoso-vault
cases=0

# fault NAME STATUS OUTCOME STEP WORDS: a run of doctor in which that step says these words (an extended pattern).
fault() {
    tool "$2" doctor --user "$user" --identity "$identity" --key "$key"
    says "^$3 +[0-9]+ ms  $4 +.*$5" || fail "$1"
    cases=$((cases + 1))
    printf '%-24s %-8s %-12s %s\n' "$1" "$3" "$4" "$5"
}

faults() { # a fault of vaultsim that lasts
    ctl DELETE /faults
    [ $# -eq 0 ] || ctl POST /faults "{\"times\":0,$1}"
}

permissions() {
    ctl POST /clients "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"permissions\":[$1],\"rbac\":${2-true}}"
}

all='"get","list","wrapKey","unwrapKey"'

