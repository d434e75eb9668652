# Completion of akv-ekm for bash. Commands and options are those of `akv-ekm help`.
_akv_ekm()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words=
    case $before in
    --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$word")
        return
        ;;
    --library | import | trace)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --sign-in) words='secret certificate managed-identity workload-identity federated-identity' ;;
    --identity | --key | --instance) return ;;
    *)
        if [ "$COMP_CWORD" -eq 1 ]; then
            words='doctor setup explain map keys trace version help'
        else
            case $command in
            doctor) words='--identity --key --user --json' ;;
            setup) words='--identity --key --sign-in --instance --library --user --dry-run' ;;
            keys) words='--identity --user' ;;
            map)
                words='--identity --user --dry-run'
                [ "$COMP_CWORD" -ne 2 ] || words='list check import export add'
                [ "$before" != export ] || words='reg'
                ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _akv_ekm akv-ekm
