#!/usr/bin/env bash
# The Debian package of a build, in a container: installed by dpkg beside nothing but what it depends on, run as its unit
# says, upgraded, removed, purged, and installed again on the ledger that stayed.
#
#   run.sh BUILD_DIR
#
# Exit code 77: no engine answers and we may not start one. Takes down whatever it started, and only that.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: run.sh BUILD_DIR" >&2; exit 2; }
build=$(readlink -f "$1")
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=../compose/engine.sh
. "$root/tests/compose/engine.sh"

name=anel-package-$$-$RANDOM
stage=$(mktemp -d "${TMPDIR:-/tmp}/anel-package.XXXXXX")

say() { printf 'package test: %s\n' "$*"; }
fail() { say "FAILED: $*"; exit 1; }

clean_up() {
    local result=$?
    trap - EXIT
    trap '' INT TERM
    docker rm -f "$name" >/dev/null 2>&1 || true
    # --no-prune: the layer with the libraries stays, for the next time.
    docker rmi --no-prune "$name" >/dev/null 2>&1 || true
    engine_stop || true
    rm -rf --one-file-system "$stage"
    exit "$result"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# ---- the file --------------------------------------------------------------------------------------------------

field() { dpkg-deb -f "$package" "$1"; }

# What is in it belongs to root, and nothing in it can be written by anybody else.
check_content() {
    local list=$stage/list wanted strange
    dpkg-deb -c "$package" >"$list"
    for wanted in ./usr/bin/aneld ./usr/bin/anel ./usr/share/man/man1/anel.1.gz ./usr/share/man/man8/aneld.8.gz \
        ./usr/share/bash-completion/completions/anel ./usr/share/zsh/vendor-completions/_anel \
        ./usr/lib/systemd/system/aneld@.service ./etc/anel/aneld.env ./usr/share/doc/anel/copyright \
        ./usr/share/doc/anel/changelog.gz; do
        grep -q " $wanted\$" "$list" || fail "$wanted is not in the package"
    done
    strange=$(grep -vE '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ' "$list" || true)
    [ -z "$strange" ] || fail "owners or modes: $strange"
    strange=$(sed -n '/^-/s,.* \./,/,p' "$list" | grep -vE '^/(usr/(bin|share|lib/systemd)/|etc/anel/)' || true)
    [ -z "$strange" ] || fail "outside of its folders: $strange"
}

check_fields() {
    [ "$(field Package)" = anel ] || fail "its name is $(field Package)"
    [[ $(field Maintainer) =~ ^[^\<]+\ \<[^@]+@[^@]+\>$ ]] || fail "Maintainer: $(field Maintainer)"
    [[ $(field Depends) == *"libzmq5 (>= "* ]] || fail "Depends: $(field Depends)"
}

# Each code that a node ends with by its own decision is one after which it is not started again.
check_exit_codes() {
    local told unit
    told=$(sed -n '/^\.SH EXIT STATUS/,/^\.TE/s/^\([0-9]*\)|.*/\1/p' "$root/docs/manual/aneld.8.prose" | grep -vx 0 | xargs)
    unit=$(sed -n 's/^RestartPreventExitStatus=//p' "$root/ring/package/debian/aneld@.service")
    [ "$told" = "$unit" ] || fail "RestartPreventExitStatus is '$unit', aneld(8) has '$told'"
}

(cd "$build" && cpack -B "$stage/cpack") >"$stage/cpack.log" 2>&1 || { cat "$stage/cpack.log"; fail "cpack"; }
package=$(ls "$stage"/cpack/anel_*.deb)
check_content
check_fields
check_exit_codes
say "$(basename "$package"), $(stat -c %s "$package" | numfmt --to=iec); it needs $(field Depends)"

# ---- in a container ----------------------------------------------------------------------------------------------

engine_start
needs=$(field Depends | tr , '\n' | sed 's/^ *\([^ ]*\).*/\1/' | xargs)
docker build -q -t "$name" --build-arg "NEEDS=$needs" - <"$here/Dockerfile" >"$stage/build.log" 2>&1 ||
    { cat "$stage/build.log"; fail "build of the image"; }
# As process 1 a systemd of its own, which needs more rights than a container has by itself. An engine that may not give
# them runs the rest.
docker run -d --name "$name" --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
    --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup --tmpfs /run --tmpfs /run/lock \
    "$name" /lib/systemd/systemd >"$stage/systemd.log" 2>&1 || {
    say "no systemd as process 1: $(tail -n 1 "$stage/systemd.log")"
    docker rm -f "$name" >/dev/null 2>&1 || true
    docker run -d --name "$name" --init "$name" sleep infinity >/dev/null
}
docker cp "$package" "$name:/anel.deb" >/dev/null
docker cp "$here/inside.sh" "$name:/inside.sh" >/dev/null
timeout --foreground 240 docker exec "$name" /inside.sh /anel.deb || fail "in the container"
say "passed"
