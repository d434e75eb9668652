# The table of load.sh, of its lines `WHAT CLIENT CPU_US WALL_US PEAK_KIB`: medians, and ratios to the client for Rust.
function median(list, count,    values, i, j, swap) {
    split(list, values, " ")
    for (i = 2; i <= count; i++) {
        for (j = i; j > 1 && values[j] + 0 < values[j - 1] + 0; j--) {
            swap = values[j]
            values[j] = values[j - 1]
            values[j - 1] = swap
        }
    }
    return count == 0 ? 0 : count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
}
function of(what, client, column) {
    return median(all[what, client, column], count[what, client])
}
function per_call(what, client, column) {
    return (of(what "_more", client, column) - of(what "_less", client, column)) / calls[client]
}
function ratio(value, client, rust) {
    return rust > 0 ? sprintf("%.2f", value / rust) : "-"
}
$1 == "calls" { calls[$2] = $3; next }
{
    count[$1, $2]++
    for (column = 3; column <= 5; column++) {
        all[$1, $2, column] = all[$1, $2, column] " " $column
    }
}
END {
    number = split(clients, names, " ")
    printf "%-11s %9s %9s %9s %9s %9s %9s %9s %9s   %s\n", "client", "cold_cpu", "cold_wall", "one_cpu", "one_wall", "eight_cpu", \
        "eight_wall", "one_mib", "eight_mib", "to Rust: cold one eight one_mib eight_mib"
    for (i = 1; i <= number; i++) {
        client = names[i]
        cold = of("cold", client, 3); one = per_call("one", client, 3); eight = per_call("eight", client, 3)
        one_kib = of("one_more", client, 5); eight_kib = of("eight_more", client, 5)
        printf "%-11s %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f   %s %s %s %s %s\n", client, cold / 1000, \
            of("cold", client, 4) / 1000, one, per_call("one", client, 4), eight, per_call("eight", client, 4), one_kib / 1024, \
            eight_kib / 1024, ratio(cold, client, of("cold", "rust", 3)), ratio(one, client, per_call("one", "rust", 3)), \
            ratio(eight, client, per_call("eight", "rust", 3)), ratio(one_kib, client, of("one_more", "rust", 5)), \
            ratio(eight_kib, client, of("eight_more", "rust", 5))
    }
    print "cold: ms from the start of a process to its first unwrapped key; one, eight: microseconds a call; mib: peak resident memory"
    for (i = 1; i <= number; i++) {
        client = names[i]
        if (count["cold_certificate", client] > 0) {
            printf "cold by other forms, processor ms: %-11s certificate %.1f (to Rust %s), workload identity %.1f (to Rust %s)\n", client, \
                of("cold_certificate", client, 3) / 1000, ratio(of("cold_certificate", client, 3), client, of("cold_certificate", "rust", 3)), \
                of("cold_workload", client, 3) / 1000, ratio(of("cold_workload", client, 3), client, of("cold_workload", "rust", 3))
        }
    }
}
