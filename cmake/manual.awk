# Of a page's text, what a manual page takes: for manual.sh and manual_tool.sh.
function plain(text) {
    gsub(/\\\|/, "|", text)
    gsub(/`/, "", text)
    text = strip_links(text)
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[ \t]+/, "", text)
    sub(/[ \t]+$/, "", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}
# [text](target) is its text.
function strip_links(text,   start, middle, end) {
    while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        middle = substr(text, RSTART + 1, RLENGTH - 1)
        end = RSTART + RLENGTH
        start = substr(text, 1, RSTART - 1)
        sub(/\].*/, "", middle)
        text = start middle substr(text, end)
    }
    return text
}
