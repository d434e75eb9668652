#!/bin/sh
# tool.sh SOURCE_DIR PAGE: docs/tool.md, the manual page and the completion have each command and option of akv-ekm, and groff
# formats the page without a warning.
set -eu
failed=0
complain() {
    printf '%s\n' "$*"
    failed=1
}
commands=$(sed -nE 's/^    \{"([a-z]+)", ?.*/\1/p' "$1/src/tool/commands.c")
options=$(grep -oE '\{"--[a-z-]+"' "$1/src/tool/tool_main.c" | tr -d '{"' | sort -u)
[ "$(printf '%s\n' "$commands" | wc -l)" -ge 6 ] || complain "tool.sh finds no commands in commands.c"
[ "$(printf '%s\n' "$options" | wc -l)" -ge 8 ] || complain "tool.sh finds no options in tool_main.c"
for command in $commands; do
    grep -q "^| \`akv-ekm $command[ \`]" "$1/docs/tool.md" || complain "docs/tool.md: no row of $command"
    grep -q "^\.B akv\\\\-ekm $command" "$2" || complain "$2: no paragraph of $command"
    grep -qE "doctor setup .*$command|'doctor $command|'$command " "$1/src/tool/akv-ekm.bash" ||
        complain "akv-ekm.bash: $command is not completed"
done
for option in $options; do
    grep -q -- "$option" "$1/docs/tool.md" || complain "docs/tool.md does not name $option"
    grep -q -- "$option" "$1/src/tool/akv-ekm.bash" || complain "akv-ekm.bash does not complete $option"
done
bash -n "$1/src/tool/akv-ekm.bash" || failed=1
if command -v groff >/dev/null 2>&1; then
    warnings=$(groff -man -ww -z "$2" 2>&1)
    [ -z "$warnings" ] || complain "$warnings"
fi
exit "$failed"
