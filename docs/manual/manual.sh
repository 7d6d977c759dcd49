#!/bin/sh
# The man page of a program: prose from a file, its options and commands from the program's own --help, so that none can
# be missing. Usage: manual.sh PROGRAM PROSE > PAGE
set -eu
program=${1:?a program} prose=${2:?a file of prose}
here=$(dirname "$(readlink -f "$0")")
version=$("$program" --version)

# The names under "Subcommands:".
commands() { "$program" --help | sed -n '/^Subcommands:$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p'; }

options() {
    "$program" --help | awk -f "$here/manual.awk"
    for command in $(commands); do "$program" "$command" --help | awk -v HEADING=1 -f "$here/manual.awk"; done
}

while IFS= read -r line; do
    case $line in
    @OPTIONS@) options ;;
    *@VERSION@*) printf '%s%s%s\n' "${line%%@VERSION@*}" "$version" "${line#*@VERSION@}" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <"$prose"
