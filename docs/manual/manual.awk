# One --help of CLI11 as man page source. PART: "usage" (the line of arguments), "options" or "footer"; all, without one.
# HEADING: what stands above, a .SS with the usage line; none: nothing does.
function safe(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}
function end_option() {
    if (left == "") return
    print ".TP"
    print ".B " safe(left)
    print safe(right == "" ? "(no description)" : right)
    left = right = ""
}
function end_block() {
    if (literal) print ".fi\n.RE"
    literal = 0
}
NR == 1 { description = $0 }
/^Usage: / { usage = substr($0, 8); next }
/^(Positionals|Options|Settings|Subcommands):$/ {
    end_option()
    section = $0
    if (!begun++) {
        if (HEADING) print ".SS " safe(usage)
        if (HEADING) print safe(description) "."
    }
    next
}
section != "" && section != "footer" && /^$/ { end_option(); blank = 1; next }
section != "" && section != "footer" && !/^  / { end_option(); section = "footer" }
# A flag or an argument begins at the second column, what it means at the thirtieth; a long one has a line of its own.
section != "" && section != "footer" && section != "Subcommands:" {
    if ($0 ~ /^  [^ ]/) {
        end_option()
        left = substr($0, 3, 28)
        if (substr($0, 31) != "" && substr($0, 30, 1) == " ") right = substr($0, 31)
        else left = substr($0, 3)
        sub(/ +$/, "", left)
        next
    }
    more = $0
    sub(/^ +/, "", more)
    right = right == "" ? more : right " " more
    next
}
section == "footer" {
    if ($0 == "") { end_block(); print ".PP"; next }
    if ($0 ~ /^  /) {
        if (!literal) print ".RS\n.nf"
        literal = 1
        print safe(substr($0, 3))
        next
    }
    end_block()
    if (blank) print ".PP"
    blank = 0
    print safe($0)
}
END { end_option(); end_block() }
