# plot.awk: draws one data file of docs/performance/ as SVG. plot.sh describes the file.
BEGIN {
    FS = "\t"
    width = 960; right = 90; top = 84
    split("#38761d #9a9a9a #1f5fa8 #b58900 #a61c00 #674ea7", colour, " ")
}
function fail(text) { print "plot.awk: " FILENAME ": " text >"/dev/stderr"; failed = 1; exit 1 }
function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); return text }
# The number at the start of a cell; "" if there is none.
function number(text) { gsub(/,/, "", text); return match(text, /^-?[0-9]+(\.[0-9]+)?/) ? substr(text, 1, RLENGTH) + 0 : "" }
function column(name) { if (!(name in place)) fail("no column " name); return place[name] }
function log10(value) { return log(value) / log(10) }
function floor(value, whole) { whole = int(value); return whole > value ? whole - 1 : whole }
# Where a value lies on an axis that is `length` long.
function position(value, least, most, scale, length_of) {
    if (scale == "log") return (log10(value) - log10(least)) / (log10(most) - log10(least)) * length_of
    return (value - least) / (most - least) * length_of
}
# 1, 2 or 5 times a power of ten: at most six steps up to `most`.
function step_of(most, step) {
    step = 10 ^ floor(log10(most / 6.01) + 1)
    if (most / step * 5 <= 6) return step / 5
    return most / step * 2 <= 6 ? step / 2 : step
}
function text(x, y, class, content) { printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, escaped(content) }
function line(x1, y1, x2, y2, class) { printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class }

/^#[a-z]/ { option[substr($1, 2)] = $2; next }
/^#/ || $0 == "" { next }
!columns { columns = NF; for (i = 1; i <= NF; i++) place[$i] = i; next }
{
    if (NF != columns) fail("line " FNR " has " NF " columns, not " columns)
    rows++
    for (i = 1; i <= NF; i++) cell[rows, i] = $i
}

function read_options(i, parts) {
    if (option["title"] == "" || option["series"] == "" || option["label"] == "") fail("#title, #label and #series are needed")
    if (option["kind"] != "bars" && option["kind"] != "lines") fail("#kind is bars or lines")
    series_count = split(option["series"], parts, ",")
    for (i = 1; i <= series_count; i++) {
        shown[i] = parts[i]
        if (index(parts[i], "=")) { shown[i] = substr(parts[i], index(parts[i], "=") + 1); sub(/=.*/, "", parts[i]) }
        series[i] = column(parts[i])
    }
    label_count = split(option["label"], parts, ",")
    for (i = 1; i <= label_count; i++) {
        pattern[i] = "%"
        if (index(parts[i], "=")) { pattern[i] = substr(parts[i], index(parts[i], "=") + 1); sub(/=.*/, "", parts[i]) }
        label[i] = column(parts[i])
    }
    if (option["only"] != "") { split(option["only"], parts, "="); only = column(parts[1]); only_text = parts[2] }
    if (option["scale"] == "") option["scale"] = "linear"
}

# The rows to draw, and the range of what is drawn.
function select_rows(i, s, value) {
    for (i = 1; i <= rows; i++) {
        if (only && cell[i, only] != only_text) continue
        drawn[++count] = i
        for (s = 1; s <= series_count; s++) {
            value = number(cell[i, series[s]])
            if (value == "") continue
            if (option["scale"] == "log" && value <= 0) fail("a log scale has no place for " value)
            if (!values++ || value > most) most = value
            if (values == 1 || value < least) least = value
        }
    }
    if (!values) fail("nothing to draw")
    if (option["scale"] == "linear") { least = 0; return }
    least = 10 ^ floor(log10(least * 0.999))
}

function row_name(row, i, part, name) {
    for (i = 1; i <= label_count; i++) {
        part = pattern[i]
        sub(/%/, cell[row, label[i]], part)
        name = name (i > 1 ? ", " : "") part
    }
    return name
}

function draw_top(height, s, x) {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", width, height, escaped(option["title"])
    print "<style>"
    print "text { font-family: Verdana, DejaVu Sans, sans-serif; font-size: 12px; fill: #222 }"
    print ".title { font-size: 15px; font-weight: bold } .name { text-anchor: end } .tick { text-anchor: middle; fill: #555 } .value, .point { font-size: 11px } .point { text-anchor: middle }"
    print ".grid { stroke: #ddd } .axis { stroke: #666 } .curve { fill: none; stroke-width: 2 }"
    print "</style>"
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, height
    text(20, 30, "title", option["title"])
    x = 20
    for (s = 1; s <= series_count; s++) {
        if (series_count > 1) {
            printf "<rect x=\"%d\" y=\"44\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x, colour[s]
            text(x + 18, 54, "legend", shown[s])
            x += 48 + 8 * length(shown[s])
        }
    }
    text(x, 54, "legend", option["unit"] (option["scale"] == "log" ? " (each step is ten times the one before)" : ""))
}

# Grid and figures of the values' axis: across for bars, upwards for lines.
function draw_ticks(across, from, length_of, other_from, other_to, tick, step, at) {
    step = step_of(most)
    for (tick = least; tick <= most * 1.0001; tick = option["scale"] == "log" ? tick * 10 : tick + step) {
        at = position(tick, least, most, option["scale"], length_of)
        if (across) {
            line(from + at, other_from, from + at, other_to, "grid")
            text(from + at, other_to + 16, "tick", tick "")
        } else {
            line(other_from, from - at, other_to, from - at, "grid")
            text(other_from - 6, from - at + 4, "name", tick "")
        }
    }
}

function draw_bars(i, s, left, y, bar, value, size, plot_height) {
    for (i = 1; i <= count; i++) if (length(row_name(drawn[i])) * 7.2 + 36 > left) left = length(row_name(drawn[i])) * 7.2 + 36
    bar = series_count > 2 ? 11 : 14
    plot_height = count * (series_count * bar + 10)
    draw_top(top + plot_height + 30)
    draw_ticks(1, left, width - left - right, top - 8, top + plot_height)
    y = top
    for (i = 1; i <= count; i++) {
        text(left - 8, y + series_count * bar / 2 + 4, "name", row_name(drawn[i]))
        for (s = 1; s <= series_count; s++) {
            value = number(cell[drawn[i], series[s]])
            if (value == "") { y += bar; continue }
            size = position(value, least, most, option["scale"], width - left - right)
            printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", left, y, size < 1 ? 1 : size, bar - 1, colour[s]
            text(left + size + 5, y + bar / 2 + 3.5, "value", cell[drawn[i], series[s]])
            y += bar
        }
        y += 10
    }
    line(left, top - 8, left, top + plot_height, "axis")
}

function draw_lines(i, s, left, height, x, y, value, path, far) {
    left = 80; height = 300
    draw_top(top + height + 50)
    draw_ticks(0, top + height, height, left, width - right)
    for (i = 1; i <= count; i++) if (number(cell[drawn[i], label[1]]) > far) far = number(cell[drawn[i], label[1]])
    for (s = 1; s <= series_count; s++) {
        path = ""
        for (i = 1; i <= count; i++) {
            value = number(cell[drawn[i], series[s]])
            if (value == "") continue
            x = left + number(cell[drawn[i], label[1]]) / far * (width - left - right)
            y = top + height - position(value, least, most, option["scale"], height)
            path = path (path == "" ? "M" : " L") sprintf("%.1f %.1f", x, y)
            printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, y, colour[s]
            text(x, y + (s % 2 ? -10 : 20), "point", cell[drawn[i], series[s]])
            if (s == 1) text(x, top + height + 18, "tick", cell[drawn[i], label[1]])
        }
        printf "<path d=\"%s\" class=\"curve\" stroke=\"%s\"/>\n", path, colour[s]
    }
    line(left, top + height, width - right, top + height, "axis")
    text((left + width - right) / 2, top + height + 38, "tick", names[label[1]])
}

END {
    if (failed) exit 1
    for (i in place) names[place[i]] = i
    read_options()
    select_rows()
    if (option["kind"] == "bars") draw_bars(); else draw_lines()
    print "</svg>"
}
