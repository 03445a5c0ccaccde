# SPDX-License-Identifier: MIT
# lines.awk -- whether the lines of a text are another's, one after another; a line "..." stands for any number of
# them, also none. Prints the first that is not there, and nothing where all are.
#
#   awk -f lines.awk FILE TEXT           TEXT: what is expected. start=1, end=1: from the first line, to the last
FNR == 1 {files++}
files == 1 {line[++lines] = $0; next}
{wanted[++count] = $0}
function fits(first, at,   i) { # the run of wanted lines from `first` on, as lines from `at` on
    for (i = first; i <= count && wanted[i] !~ /^[ \t]*\.\.\.$/; i++)
        if (line[at + i - first] != wanted[i])
            return 0
    return 1
}
END {
    if (files < 2)
        count = 0
    from = 1
    loose = !start
    for (i = 1; i <= count; i = j + 1) {
        for (j = i; j <= count && wanted[j] !~ /^[ \t]*\.\.\.$/; j++)
            continue
        if (j > i) {
            if (j > count && end && (i > 1 || loose))
                from = lines - (j - i) + 1 > from ? lines - (j - i) + 1 : from
            for (at = from; loose && at < lines && !fits(i, at); at++)
                continue
            if (!fits(i, at) || at + j - i - 1 > lines) {
                print wanted[i] == line[at] ? wanted[i + 1] : wanted[i]
                exit
            }
            from = at + j - i
            if (j > count && end && from <= lines) {
                print "nothing more, got " line[from]
                exit
            }
        }
        loose = 1
    }
}
