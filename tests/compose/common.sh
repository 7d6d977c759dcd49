# shellcheck shell=bash
# Sourced by the tests of the compose files: an image of this tree's programs, projects of our own, and their end.
#
# Sets $stage (a folder, removed at the end), $project, and the variables of the compose files, so that several tests
# fit on one machine: no fixed ports, a user that nobody is.

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=engine.sh
. "$here/engine.sh"

# ctest kills what takes too long, and then nobody cleans up: so nothing here may hang.
# shellcheck disable=SC2034  # read by compose() of engine.sh
compose_limit=240
healthy_within=90 # seconds; the ring needs a few of them, a machine at its limits some more

project=anel_test_$$_$RANDOM
stage=$(mktemp -d "${TMPDIR:-/tmp}/anel-compose.XXXXXX")
export ANEL_IMAGE=anel:$project
export ANEL_SHARED_DATA=$stage/shared_data ANEL_EXPORTS=$stage/exports
# Several rings fit on one machine when none of them asks for a certain port.
export ANEL_HOST_PORT_1=0 ANEL_HOST_PORT_2=0 ANEL_HOST_PORT_3=0 ANEL_HOST_PORT_4=0 ANEL_HOST_PORT_5=0
export ANEL_HOST_HTTP_PORT=0 ANEL_HOST_FEED_PORT=0
export COMPOSE_HTTP_TIMEOUT=180
# Numbers that nobody has, to see that they are obeyed; who is not root can only clean up what is their own.
if [ "$(id -u)" -eq 0 ]; then export ANEL_UID=12345 ANEL_GID=12346; else
    ANEL_UID=$(id -u) ANEL_GID=$(id -g)
    export ANEL_UID ANEL_GID
fi
mkdir "$ANEL_SHARED_DATA"

say() { printf 'compose test: %s\n' "$*"; }
fail() { say "FAILED: $*"; exit 1; }

# ring ARGS: compose, on the project of $project with the files of $files.
files=(-f "$stage/compose/docker-compose.yml")
ring() { compose -p "$project" "${files[@]}" "$@"; }
# up SERVICE...: starts them (all, if none is named), and remembers to take them down.
up() {
    touch "$stage/up"
    # Builds once more, from the layers that are there: what people type does so as well.
    ring up -d "$@" >"$stage/up.log" 2>&1 || { cat "$stage/up.log"; fail "up"; }
}
down() {
    ring down -v -t 5 >"$stage/down.log" 2>&1 || { cat "$stage/down.log"; fail "down"; }
    rm -f "$stage/up"
}

# On every way out, also that of a time-out's SIGTERM.
clean_up() {
    local result=$?
    trap - EXIT
    trap '' INT TERM
    if [ -f "$stage/up" ]; then
        if [ "$result" -ne 0 ]; then
            ring ps -a || true
            ring logs --no-color --tail 40 || true
            say "the last health checks:"
            state '{{.Name}} {{with .State.Health}}{{range .Log}}{{.ExitCode}} {{.Output}}{{end}}{{end}}' |
                cut -c1-300 || true
        fi
        ring down -v -t 5 >/dev/null 2>&1 || true
    fi
    # A container of the engine alone has this name.
    docker rm -f "$project" >/dev/null 2>&1 || true
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

# state FORMAT SERVICE...: one line for each container of the services (of all, if none is named).
state() {
    local format=$1 ids
    shift
    ids=$(ring ps -a -q "$@" 2>/dev/null || true)
    # Docker-compose 1.29 prints nothing for services that have no container yet.
    # shellcheck disable=SC2086  # a list of ids
    [ -z "$ids" ] || docker inspect -f "$format" $ids
}

# healthy SERVICE...: all of them are; one that ended by itself fails the test.
healthy() {
    local found
    found=$(state '{{.State.Health.Status}}' "$@" | grep -cx healthy || true)
    if [ -n "$(state '{{if not .State.Running}}stopped{{end}}' "$@" | grep . || true)" ]; then
        fail "a node stopped by itself"
    fi
    [ "$found" -eq $# ]
}

# build_image FOLDER_OF_PROGRAMS | --from-sources: the image, in a context of our own: the repository's files beside the
# given programs, and nothing that a developer left there.
build_image() {
    mkdir "$stage/compose"
    cp -r "$root/compose/Dockerfile" "$root/compose/docker-compose.yml" "$root/compose/share" "$stage/compose/"
    cp "$root/.dockerignore" "$root/LICENSE" "$stage/"
    if [ "$1" = --from-sources ]; then
        export ANEL_BUILD_TARGET=runtime
        cp -r "$root/CMakeLists.txt" "$root/CMakePresets.json" "$root/common" "$root/ring" "$root/client" "$stage/"
    else
        export ANEL_BUILD_TARGET=prebuilt
        mkdir -p "$stage/build/release/bin"
        cp "$1/aneld" "$1/anel" "$stage/build/release/bin/"
    fi
    ring build >"$stage/build.log" 2>&1 || { tail -n 40 "$stage/build.log"; fail "build of the image"; }
    docker run --rm "$ANEL_IMAGE" aneld --version || fail "aneld does not run in the image"
    say "image of $(docker image inspect -f '{{.Size}}' "$ANEL_IMAGE" | numfmt --to=iec) built"
}
