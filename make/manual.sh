#!/bin/sh
# SPDX-License-Identifier: MIT
# Man pages and shell completion, made from what the program says of itself (phoenix --help, and that of
# each command), so from the tables by which it reads its command line.
#
#   sh make/manual.sh PROGRAM FOLDER     FOLDER/phoenix.1, phoenix-COMMAND.1; phoenix.bash, phoenix.zsh, phoenix.fish
set -eu
phoenix=$1 to=$2
mkdir -p "$to"
version=$("$phoenix" --version)
"$phoenix" --help >"$to/help"
commands=$(sed -n 's/^  phoenix \([a-z]*\) .*/\1/p' "$to/help")
# Each option, and the usage, on one line.
for command in $commands; do
    COLUMNS=100 "$phoenix" "$command" --help all | awk '
        /^  --/ {options = 1}
        line != "" && (options ? /^ +[^ -]/ : NF && /^ /) {sub(/^ +/, ""); line = line " " $0; next}
        {if (NR > 1) print line; line = $0}
        NF == 0 {line = ""}
        END {print line}' >"$to/help.$command"
done
about() { sed -n "s/^  phoenix $1 *//p" "$to/help"; }

# ---- man pages ----

roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"; }

# page NAME ABOUT: its head.
page() {
    echo ".TH $(echo "$1" | tr a-z A-Z | roff) 1 \"\" \"$version\" \"phoenix\""
    echo ".SH NAME"
    echo "$1 - $2" | roff | sed 's/ \\- / \\- /'
    echo ".SH SYNOPSIS"
}
for command in $commands; do
    {
        page "phoenix-$command" "$(about "$command")"
        roff <"$to/help.$command" | awk '
            NR == 1 {print ".B " $0; print ".SH DESCRIPTION"; next}
            /^[a-z][^.]*:$/ {sub(/:$/, ""); print ".SH " toupper($0); options = 1; next}
            options && /^  \\-\\-/ {
                name = $1
                sub(/^ *[^ ]+ +/, "")
                print ".TP\n.B " name "\n" $0
                next
            }
            /^ *$/ {if (!options && NR > 2) print ".PP"; next}
            /^ / && !options {print ".br"}
            {sub(/^ +/, ""); print}'
        echo ".SH SEE ALSO"
        echo ".BR phoenix (1)"
    } >"$to/phoenix-$command.1"
done
{
    page phoenix "$(sed -n '1s/^phoenix: //p' "$to/help")"
    echo '.B phoenix COMMAND'
    echo '[arguments] [options]'
    echo '.SH COMMANDS'
    for command in $commands; do
        printf '.TP\n.BR phoenix\\-%s (1)\n' "$command"
        about "$command" | roff
    done
    echo '.SH EXIT STATUS'
    sed -n 's/^exit codes: //p' "$to/help" | roff
    echo '.SH SEE ALSO'
    echo "$commands" | sed -e '$!s/.*/.BR phoenix\\-& (1),/' -e '$s/.*/.BR phoenix\\-& (1)/'
} >"$to/phoenix.1"

# ---- completion ----

# One line an option: COMMAND, NAME, what it is for, and the words that it may be followed by.
for command in $commands; do
    awk -v c="$command" -v OFS='\t' '
        /^  --/ {
            name = $1
            sub(/^ *[^ ]+ +/, "")
            words = ""
            if (match($0, /\([a-z0-9_-]+(, [a-z0-9_-]+)*; default [a-z0-9_-]+\)$/)) {
                words = substr($0, RSTART + 1, RLENGTH - 2)
                sub(/; default.*/, "", words)
            }
            gsub(/,/, "", words)
            sub(/ \([^()]*\)$/, "")
            print c, name, $0, words
        }' "$to/help.$command"
done >"$to/options"
{
    echo "_phoenix() {"
    echo '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}'
    echo '    case "$COMP_CWORD ${COMP_WORDS[1]} $before" in'
    echo "    1*) COMPREPLY=(\$(compgen -W '$(echo "$commands" | tr '\n' ' ')--help --version' -- \"\$word\")); return ;;"
    awk -F '\t' '$4 != "" {printf "    *\" %s %s\") COMPREPLY=($(compgen -W \047%s\047 -- \"$word\")); return ;;\n", $1, $2, $4}' "$to/options"
    echo '    esac'
    echo '    [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }'
    echo '    case ${COMP_WORDS[1]} in'
    awk -F '\t' '
        $1 != was {if (was) print "\047 -- \"$word\")) ;;"; printf "    %s) COMPREPLY=($(compgen -W \047", was = $1}
        {printf "%s ", $2}
        END {print "\047 -- \"$word\")) ;;"}' "$to/options"
    echo '    esac'
    echo '}'
    echo 'complete -o filenames -F _phoenix phoenix'
} >"$to/phoenix.bash"
{
    echo "#compdef phoenix"
    echo "if ((CURRENT == 2)); then"
    echo "    local -a commands=("
    for command in $commands; do echo "'$command:$(about "$command" | sed 's/:/\\:/g')'"; done
    echo "    )"
    echo "    _describe command commands"
    echo "    return"
    echo "fi"
    echo 'local command=$words[2]'
    echo 'shift words'
    echo '((CURRENT--))'
    echo 'case $command in'
    awk -F '\t' '
        $1 != was {if (was) print " \047*:file:_files\047 ;;"; printf "%s) _arguments", was = $1}
        {
            gsub(/[]:\047[]/, " ", $3)
            printf " \\\n    \047%s[%s]%s\047", $2, $3, $4 == "" ? "" : ":value:(" $4 ")"
        }
        END {print " \047*:file:_files\047 ;;"}' "$to/options"
    echo 'esac'
} >"$to/phoenix.zsh"
{
    for command in $commands; do
        echo "complete -c phoenix -n __fish_use_subcommand -f -a $command -d '$(about "$command" | sed "s/'/ /g")'"
    done
    awk -F '\t' '{
        gsub(/\047/, " ", $3)
        sub(/^--/, "", $2)
        printf "complete -c phoenix -n \047__fish_seen_subcommand_from %s\047 -l %s%s -d \047%s\047\n",
            $1, $2, $4 == "" ? "" : " -x -a \047" $4 "\047", $3
    }' "$to/options"
} >"$to/phoenix.fish"
rm -f "$to"/help* "$to/options"
