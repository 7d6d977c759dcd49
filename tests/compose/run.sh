#!/usr/bin/env bash
# The demo in containers, from `up` to `up` again: healthy nodes, a right output.txt with the right owner, a stop
# within seconds with exit code 0, and a file that is continued.
#
#   run.sh BIN_DIR               the programs of BIN_DIR put into the image (target `prebuilt`)
#   run.sh --from-sources        the image as people build it (target `runtime`)
#   run.sh BIN_DIR --chaos ARGS  chaos alone, with these arguments of tests/chaos/chaos.py
#
# Exit code 77: no engine answers and we may not start one. Takes down whatever it started, and only that.
set -euo pipefail

[ $# -eq 1 ] || [ "${2:-}" = --chaos ] || { echo "usage: run.sh BIN_DIR [--chaos ARGS] | --from-sources" >&2; exit 2; }
# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

rounds_within=60
stop_within=10
full_rounds=4 # in the first run, and half of them in the second
nodes=(cluster_sync_1 cluster_sync_2 cluster_sync_3 cluster_sync_4 cluster_sync_5)
clients=(client_1 client_2 client_3 client_4 client_5)

output=$ANEL_SHARED_DATA/output.txt

# Rounds with one message of each client. Containers start one after another, so the first rounds are smaller.
count_full_rounds() {
    awk -v clients=${#clients[@]} '/^Mensagem/ { messages++; speaks[$3] }
        /^#+$/ { full += messages == clients && length(speaks) == clients; messages = 0; delete speaks }
        END { print full + 0 }' "$output" 2>/dev/null || true
}
has_full_rounds() { local now; now=$(count_full_rounds); [ "${now:-0}" -ge "$1" ]; }

start() {
    up
    wait_until "$healthy_within" "not all nodes are healthy" healthy "${nodes[@]}"
    say "all nodes are healthy"
}

# Stops the ring as people do; each container must leave by itself, in time, with exit code 0, at its first attempt.
stop() {
    local before=$EPOCHREALTIME spent wrong
    ring stop >"$stage/stop.log" 2>&1 || { cat "$stage/stop.log"; fail "stop"; }
    spent=$(((${EPOCHREALTIME/[.,]/} - ${before/[.,]/}) / 1000))
    say "stopped in $spent ms"
    wrong=$(state '{{.Name}} {{.State.ExitCode}} restarts={{.RestartCount}}' shared_data_owner "${nodes[@]}" "${clients[@]}" |
        grep -v ' 0 restarts=0$' || true)
    [ -z "$wrong" ] || fail "exit codes: $wrong"
    [ "$spent" -le $((stop_within * 1000)) ] || fail "stopping took more than $stop_within s"
}

check_output() { "$here/check_output.py" "$output" --nodes ${#nodes[@]} --clients ${#clients[@]} "$@" || fail "output"; }

owner() {
    local found
    found=$(stat -c %u:%g "$output")
    [ "$found" = "$ANEL_UID:$ANEL_GID" ] || fail "$output belongs to $found, not to $ANEL_UID:$ANEL_GID"
}

# chaos ARGS: faults from a seed on a new ring, without the demo's clients. A failing run keeps its folder.
chaos() {
    rm -rf --one-file-system "$ANEL_SHARED_DATA"
    mkdir "$ANEL_SHARED_DATA"
    # Known ones: with "any free port" each start of a container would get another.
    read -r ANEL_HOST_PORT_{1,2,3,4,5} < <(
        PYTHONPATH=$root/tests/interop /usr/bin/python3 -c 'import ring; print(*ring.free_ports(5))')
    files+=(-f "$here/chaos.yml")
    up "${nodes[@]}"
    /usr/bin/python3 "$root/tests/chaos/chaos.py" "$programs" --project "$project" --folder "$stage" "$@" || {
        touch "$stage/keep"
        ring logs --no-color -t >"$stage/nodes.log" 2>&1 || true
        fail "chaos; the run's folder is kept: $stage"
    }
    down
}

# ---- the image ---------------------------------------------------------------------------------------------

programs=$1
shift
engine_start
build_image "$programs"

if [ "${1:-}" = --chaos ]; then
    shift
    chaos "$@"
    exit
fi

# ---- the ring ----------------------------------------------------------------------------------------------

start
wait_until "$rounds_within" "less than $full_rounds full rounds in output.txt" has_full_rounds "$full_rounds"
owner
stop
check_output --min-full-rounds "$full_rounds"
down

cp "$output" "$stage/first-run.txt"
start
full_rounds=$(($(count_full_rounds) + full_rounds / 2))
wait_until "$rounds_within" "less than $full_rounds full rounds after the second run" has_full_rounds "$full_rounds"
stop
check_output --runs 2 --min-full-rounds "$full_rounds" --begins-with "$stage/first-run.txt"
owner

# By the program in the image: it runs as the owner of the files, and where no host can see them as well.
docker run --rm -v "$ANEL_SHARED_DATA:/shared_data:ro" -u "$ANEL_UID:$ANEL_GID" "$ANEL_IMAGE" anel verify /shared_data ||
    fail "anel verify finds a difference"
say "passed"
