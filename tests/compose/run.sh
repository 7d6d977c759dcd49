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

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -eq 1 ] || [ "${2:-}" = --chaos ] || { echo "usage: run.sh BIN_DIR [--chaos ARGS] | --from-sources" >&2; exit 2; }
# shellcheck source=engine.sh
. "$here/engine.sh"

# ctest kills what takes too long, and then nobody cleans up: so nothing here may hang.
# shellcheck disable=SC2034  # read by compose() of engine.sh
compose_limit=240
healthy_within=90 # seconds; the ring needs a few of them, a machine at its limits some more
rounds_within=60
stop_within=10
min_rounds=4
nodes=(cluster_sync_1 cluster_sync_2 cluster_sync_3 cluster_sync_4 cluster_sync_5)
clients=(client_1 client_2 client_3 client_4 client_5)

project=anel_test_$$_$RANDOM
stage=$(mktemp -d "${TMPDIR:-/tmp}/anel-compose.XXXXXX")
export ANEL_IMAGE=anel:$project
export ANEL_SHARED_DATA=$stage/shared_data
# Several rings fit on one machine when none of them asks for a certain port.
export ANEL_HOST_PORT_1=0 ANEL_HOST_PORT_2=0 ANEL_HOST_PORT_3=0 ANEL_HOST_PORT_4=0 ANEL_HOST_PORT_5=0
export ANEL_HOST_HTTP_PORT=0
export COMPOSE_HTTP_TIMEOUT=180
# Numbers that nobody has, to see that they are obeyed; who is not root can only clean up what is their own.
if [ "$(id -u)" -eq 0 ]; then export ANEL_UID=12345 ANEL_GID=12346; else
    ANEL_UID=$(id -u) ANEL_GID=$(id -g)
    export ANEL_UID ANEL_GID
fi
mkdir "$ANEL_SHARED_DATA"
output=$ANEL_SHARED_DATA/output.txt

say() { printf 'compose test: %s\n' "$*"; }
fail() { say "FAILED: $*"; exit 1; }
files=(-f "$stage/compose/docker-compose.yml")
ring() { compose -p "$project" "${files[@]}" "$@"; }

# On every way out, also that of a time-out's SIGTERM.
clean_up() {
    local result=$?
    trap - EXIT
    trap '' INT TERM
    if [ -f "$stage/up" ]; then
        if [ "$result" -ne 0 ]; then
            ring ps -a || true
            ring logs --no-color --tail 40 || true
            say "the nodes' last health checks:"
            state '{{.Name}} {{with .State.Health}}{{range .Log}}{{.ExitCode}} {{.Output}}{{end}}{{end}}' "${nodes[@]}" |
                cut -c1-300 || true
        fi
        ring down -v -t 5 >/dev/null 2>&1 || true
    fi
    # --no-prune: the layer with the libraries stays, for the next time.
    docker rmi --no-prune -f "$ANEL_IMAGE" >/dev/null 2>&1 || true
    engine_stop || true
    [ -f "$stage/keep" ] || rm -rf --one-file-system "$stage"
    exit "$result"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# wait_until SECONDS "WHAT" COMMAND...: asks again and again, and fails with WHAT.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what"
        sleep 0.3
    done
}

# state FORMAT SERVICE...: one line for each container of the services.
state() {
    local format=$1 ids
    shift
    ids=$(ring ps -a -q "$@" 2>/dev/null || true)
    # Docker-compose 1.29 prints nothing for services that have no container yet.
    # shellcheck disable=SC2086  # a list of ids
    [ -z "$ids" ] || docker inspect -f "$format" $ids
}

all_healthy() {
    local healthy
    healthy=$(state '{{.State.Health.Status}}' "${nodes[@]}" | grep -cx healthy || true)
    if [ -n "$(state '{{if not .State.Running}}stopped{{end}}' "${nodes[@]}" | grep . || true)" ]; then
        fail "a node stopped by itself"
    fi
    [ "$healthy" -eq ${#nodes[@]} ]
}

rounds() { grep -cx '#\{56\}' "$output" 2>/dev/null || true; }
has_rounds() { local now; now=$(rounds); [ "${now:-0}" -ge "$1" ]; }

# Rounds of as many messages as there are clients. Containers start one after another, so the first rounds are smaller.
full_rounds() {
    awk -v clients=${#clients[@]} '/^Mensagem/ { messages++ } /^#+$/ { full += messages == clients; messages = 0 }
        END { print full + 0 }' "$output" 2>/dev/null || true
}
has_full_rounds() { local now; now=$(full_rounds); [ "${now:-0}" -ge "$1" ]; }

start() {
    touch "$stage/up"
    # Builds once more, from the layers that are there: what people type does so as well.
    ring up -d >"$stage/up.log" 2>&1 || { cat "$stage/up.log"; fail "up"; }
    wait_until "$healthy_within" "not all nodes are healthy" all_healthy
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
    touch "$stage/up"
    ring up -d "${nodes[@]}" >"$stage/up.log" 2>&1 || { cat "$stage/up.log"; fail "up"; }
    /usr/bin/python3 "$root/tests/chaos/chaos.py" "$programs" --project "$project" --folder "$stage" "$@" || {
        touch "$stage/keep"
        ring logs --no-color -t >"$stage/nodes.log" 2>&1 || true
        fail "chaos; the run's folder is kept: $stage"
    }
    ring down >"$stage/down.log" 2>&1 || { cat "$stage/down.log"; fail "down"; }
}

# ---- the image ---------------------------------------------------------------------------------------------

programs=$1
shift
engine_start
# In a context of our own: the repository's files beside the given programs, and nothing that a developer left there.
mkdir "$stage/compose"
cp "$root/compose/Dockerfile" "$root/compose/docker-compose.yml" "$stage/compose/"
cp "$root/.dockerignore" "$root/LICENSE" "$stage/"
if [ "$programs" = --from-sources ]; then
    export ANEL_BUILD_TARGET=runtime
    cp -r "$root/CMakeLists.txt" "$root/CMakePresets.json" "$root/common" "$root/ring" "$root/client" "$stage/"
else
    export ANEL_BUILD_TARGET=prebuilt
    mkdir -p "$stage/build/release/bin"
    cp "$programs/aneld" "$programs/anel" "$stage/build/release/bin/"
fi

ring build >"$stage/build.log" 2>&1 || { tail -n 40 "$stage/build.log"; fail "build of the image"; }
docker run --rm "$ANEL_IMAGE" aneld --version || fail "aneld does not run in the image"
say "image of $(docker image inspect -f '{{.Size}}' "$ANEL_IMAGE" | numfmt --to=iec) built"

if [ "${1:-}" = --chaos ]; then
    shift
    chaos "$@"
    exit
fi

# ---- the ring ----------------------------------------------------------------------------------------------

start
wait_until "$rounds_within" "less than $min_rounds full rounds in output.txt" has_full_rounds "$min_rounds"
owner
stop
check_output --min-rounds "$min_rounds"
ring down >"$stage/down.log" 2>&1 || { cat "$stage/down.log"; fail "down"; }

cp "$output" "$stage/first-run.txt"
start
wait_until "$rounds_within" "the second run adds nothing" has_rounds $(($(rounds) + 2))
stop
check_output --runs 2 --begins-with "$stage/first-run.txt"
owner

# By the program in the image: it runs as the owner of the files, and where no host can see them as well.
docker run --rm -v "$ANEL_SHARED_DATA:/shared_data:ro" -u "$ANEL_UID:$ANEL_GID" "$ANEL_IMAGE" anel verify /shared_data ||
    fail "anel verify finds a difference"
say "passed"
