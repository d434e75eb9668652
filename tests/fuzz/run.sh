#!/bin/sh
# run.sh BUILD FUZZ_FOLDER EFFORT: runs every fuzzer of the build folder in turn, EFFORT seconds each, or EFFORT executions
# each if it ends in x (100000x). Begins with the seeds and what earlier runs found (BUILD/corpus). One line a target; what
# ends a fuzzer is kept in BUILD/found and makes the script fail: once mended, it belongs into seeds/.
set -eu

build=$1
folder=$2
effort=$3
case $effort in
    *x) bound=-runs=${effort%x} ;;
    *) bound=-max_total_time=$effort ;;
esac
failed=0
total=0

# Lines that ran, of those of the sources that the target aims at (a folder stands for all of its sources).
covered() {
    llvm-profdata merge -sparse -o "$build/profile/$1.data" "$build/profile/$1".*.raw
    aims=$(sed -n 's|^// aims: ||p' "$folder/fuzz_$1.c" | tr '\n' ' ')
    llvm-cov export -format=lcov -instr-profile="$build/profile/$1.data" "$build/fuzz_$1" |
        awk -v aims="$aims" '
            BEGIN { count = split(aims, aim, " ") }
            /^SF:/ {
                wanted = 0
                for (i = 1; i <= count; i++) wanted = wanted || index($0, "/" aim[i])
                wanted = wanted && $0 ~ /\.c$/
            }
            /^LF:/ && wanted { lines += substr($0, 4) }
            /^LH:/ && wanted { hit += substr($0, 4) }
            END { printf "%.1f %% of %d lines", (lines > 0 ? 100 * hit / lines : 0), lines }'
}

mkdir -p "$build/found" "$build/profile"
rm -f "$build/profile"/*
for program in "$build"/fuzz_*; do
    name=${program##*/fuzz_}
    corpus=$build/corpus/$name
    log=$build/found/$name.log
    mkdir -p "$corpus"
    status=0
    # shellcheck disable=SC2012 # names of ours
    before=$(ls "$corpus" | wc -l)
    LLVM_PROFILE_FILE=$build/profile/$name.%p.raw "$program" "$bound" -timeout=300 -print_final_stats=1 \
        "-dict=$folder/words" "-artifact_prefix=$build/found/$name-" "$corpus" "$folder/seeds/$name" \
        >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ "$status" -ne 0 ] || [ -z "$runs" ]; then
        printf '%-10s FAILED, exit %s: %s\n' "$name" "$status" "$log"
        tail -n 40 "$log"
        failed=1
        continue
    fi
    total=$((total + runs))
    # shellcheck disable=SC2012 # names of ours
    printf '%-10s %10d executions, %5d new inputs, reached %s\n' "$name" "$runs" \
        $(($(ls "$corpus" | wc -l) - before)) "$(covered "$name")"
done
printf '%-10s %10d executions\n' total "$total"
exit "$failed"
