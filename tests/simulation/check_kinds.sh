#!/bin/sh
# Every kind of fault that the simulator counts has a row in docs/TESTING.md, and every row there has such a kind.
set -eu
page=$(dirname "$0")/../../docs/TESTING.md
rows=$(sed -n '/^| fault (its counter)/,/^$/p' "$page" | sed '1,2d; /^$/d; s/^| //; s/ |.*//' | sort)
kinds=$("$1" --kinds | sort)
[ "$rows" = "$kinds" ] && exit 0
echo "docs/TESTING.md and simulate --kinds name different faults:"
printf '%s\n' "$rows" >rows.$$
printf '%s\n' "$kinds" >kinds.$$
diff rows.$$ kinds.$$ || true
rm -f rows.$$ kinds.$$
exit 1
