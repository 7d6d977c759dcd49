# shellcheck shell=bash
# Sourced by `dev` and by the compose test: a Docker engine that answers, and the base image in it.
#
#   engine_start     uses the engine that answers; as root, installs and starts one if none does. 77: no engine.
#   engine_stop      ends the engine started by us, once nobody uses it and nothing runs in it
#   compose ARGS     `docker compose` or docker-compose 1.29, whichever this machine has; for $compose_limit seconds
#                    at most, if that is set
#
# An engine we start keeps its images in a folder of its own: the containers and settings of the machine's engine,
# should it have one that is stopped, are not ours to wake.

engine_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
engine_dir=${ANEL_ENGINE_DIR:-/var/cache/anel-engine}
engine_base=debian:bookworm-slim

engine_answers() { docker version >/dev/null 2>&1; }

compose() {
    if docker compose version >/dev/null 2>&1; then set -- docker compose "$@"; else set -- docker-compose "$@"; fi
    # Only then: `timeout` passes Ctrl-C on, and compose takes a second one as "kill" instead of "stop".
    if [ -n "${compose_limit:-}" ]; then set -- timeout --foreground "$compose_limit" "$@"; fi
    "$@"
}

# Everybody who uses an engine started here holds the lock `users` shared, so the last one can tell that it is.
engine_start() {
    if ! engine_answers && [ "$(id -u)" -ne 0 ]; then
        echo "engine: no Docker engine answers, and only root can start one" >&2
        return 77
    fi
    "$engine_root/dev" install engine || return
    if [ "$(id -u)" -eq 0 ]; then
        mkdir -p "$engine_dir" || return
        exec 8>"$engine_dir/start.lock" 9>"$engine_dir/users.lock"
        flock 8
        flock -s 9
        engine_answers || engine_run || { exec 8>&- 9>&-; return 1; }
    fi
    # The classic builder, where the client would look for a builder that is not installed.
    if ! docker buildx version >/dev/null 2>&1; then export DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0; fi
    local result=0
    engine_base_image || result=$?
    if [ "$(id -u)" -eq 0 ]; then exec 8>&-; fi
    return "$result"
}

# Starts dockerd and waits until it answers or is gone.
engine_run() {
    echo "engine: starting dockerd, its log is $engine_dir/dockerd.log"
    # In a session of its own, so that Ctrl-C at the terminal is not also for the engine; without our locks.
    setsid dockerd --data-root "$engine_dir/data" --pidfile "$engine_dir/dockerd.pid" \
        >"$engine_dir/dockerd.log" 2>&1 </dev/null 8>&- 9>&- &
    local pid=$! deadline=$((SECONDS + 60))
    until engine_answers; do
        if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            echo "engine: dockerd does not answer; the end of its log:" >&2
            tail -n 15 "$engine_dir/dockerd.log" >&2
            kill "$pid" 2>/dev/null
            return 1
        fi
        sleep 0.2
    done
    # Its presence says that the engine is ours to end, whoever is the last to use it.
    echo "$pid" >"$engine_dir/started.pid"
}

engine_stop() {
    [ "$(id -u)" -eq 0 ] && [ -f "$engine_dir/started.pid" ] || return 0
    exec 8>"$engine_dir/start.lock" 9>"$engine_dir/users.lock"
    flock 8
    # Somebody else still uses it, or containers were left running on purpose (`up -d`).
    if ! flock -n 9 || [ -n "$(docker ps -q 2>/dev/null)" ]; then
        exec 8>&- 9>&-
        return 0
    fi
    local pid
    pid=$(cat "$engine_dir/started.pid")
    rm -f "$engine_dir/started.pid"
    # Never a number alone: after a crash it may be another program's by now.
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
        kill "$pid"
        local deadline=$((SECONDS + 30))
        while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
    fi
    exec 8>&- 9>&-
}

# Debian's slim image: the published one, or, where no registry can be reached, one made from the machine's own mirror.
engine_base_image() {
    docker image inspect "$engine_base" >/dev/null 2>&1 && return 0
    echo "engine: fetching $engine_base"
    timeout 120 docker pull -q "$engine_base" && return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "engine: $engine_base cannot be pulled, and only root can make it with debootstrap" >&2
        return 1
    fi
    echo "engine: no registry answers; making $engine_base with debootstrap"
    "$engine_root/dev" install image || return
    local folder
    folder=$(mktemp -d "$engine_dir/image.XXXXXX") || return
    local result=0
    engine_bootstrap "$folder" || result=$?
    rm -rf --one-file-system "$folder"
    return "$result"
}

engine_bootstrap() {
    local folder=$1 sources mirror
    # apt itself knows where this machine gets its packages from, in whatever style that is written down.
    # shellcheck disable=SC2016  # apt fills these in
    sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        grep -E ' bookworm[^ ]* ' | sort -u)
    mirror=$(sed -n 's/^deb \([^ ]*\) bookworm main$/\1/p' <<<"$sources" | head -n 1)
    if [ -z "$mirror" ]; then
        echo "engine: this machine's apt has no Debian 12 (bookworm) source to make $engine_base from" >&2
        return 1
    fi
    local include=()
    if grep -q https: <<<"$sources"; then include=(--include=ca-certificates); fi
    debootstrap --variant=minbase "${include[@]}" bookworm "$folder" "$mirror" >"$engine_dir/debootstrap.log" 2>&1 || {
        echo "engine: debootstrap failed; the end of its log:" >&2
        tail -n 15 "$engine_dir/debootstrap.log" >&2
        return 1
    }
    # The same sources and proxies inside, as builds in the image install packages too.
    echo "$sources" >"$folder/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(.*[Pp]roxy|Check-)' >"$folder/etc/apt/apt.conf.d/90-as-outside" || true
    tar -C "$folder" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -c . |
        docker import --change 'CMD ["bash"]' - "$engine_base" >/dev/null
}
