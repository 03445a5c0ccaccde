# SPDX-License-Identifier: MIT
# blocks.awk -- takes Markdown apart, for tests/suite_book.sh: to FOLDER/N.MARK a fenced block that a comment
# <!-- MARK WHAT --> stands before, its first line WHAT; prints for each "N MARK LINE".
#
#   awk -v to=FOLDER -f blocks.awk FILE.md
match($0, /^<!-- (quote|run|exercise) ?.* -->$/) {
    mark = $2
    what = $0
    sub(/^<!-- [a-z]+ ?/, "", what)
    sub(/ ?-->$/, "", what)
    next
}
/^```/ {
    inside = !inside
    if (inside && mark != "") {
        file = to "/" ++count "." mark
        print what >file
        print count, mark, NR
    } else if (!inside) {
        if (file != "")
            close(file)
        file = mark = ""
    }
    next
}
inside && file != "" {print >file}
!inside && NF {mark = ""}
