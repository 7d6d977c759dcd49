#!/bin/bash
# What run.sh does within its container, as root: a life of the package.
set -euo pipefail
package=$1
data=/var/lib/anel
unit=/usr/lib/systemd/system/aneld@.service
nodes=127.0.0.1:5000..5002
declare -A processes=()

say() { printf 'package test: %s\n' "$*"; }
fail() { say "FAILED: $*"; tail -n 5 /tmp/node-*.log 2>/dev/null || true; exit 1; }
wait_until() { # "WHAT" COMMAND...: fails with WHAT after a minute.
    local deadline=$((SECONDS + 60)) what=$1
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what"
        sleep 0.1
    done
}

# ---- nodes, as the unit says ---------------------------------------------------------------------------------------

of_unit() { sed -n "s/^$1=//p" "$unit" | sed "s/%i/$2/g"; }

# The environment of an instance, in systemd's order: Environment=, then the files, of which later ones win.
environment_of() {
    of_unit Environment "$1"
    local file
    for file in $(of_unit EnvironmentFile "$1"); do
        # With a minus in front of it a file may be missing.
        if [ "$file" != "${file#-}" ]; then file=${file#-}; [ -e "$file" ] || continue; fi
        grep -v '^#' "$file"
    done
}

# start_node ID [COMMAND...]: as the child of the command, if there is one.
start_node() {
    local id=$1 user words
    shift
    user=$(of_unit User "$id")
    read -ra words <<<"$(of_unit ExecStart "$id")"
    # shellcheck disable=SC2046  # words
    env -i PATH=/usr/bin:/bin $(environment_of "$id") "$@" \
        setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs --bounding-set=-all "${words[@]}" \
        2>>"/tmp/node-$id.log" &
    processes[$id]=$!
}
healthy() { anel status --nodes $nodes --healthy >/dev/null 2>&1; }
start_ring() {
    local id
    for id in 0 1 2; do start_node "$id"; done
    wait_until "the ring is not healthy" healthy
}
stop_ring() {
    local id code
    kill "${processes[@]}"
    for id in "${!processes[@]}"; do
        code=0
        wait "${processes[$id]}" || code=$?
        [ "$code" -eq 0 ] || fail "node $id left with $code"
    done
    processes=()
}
send() { anel send --nodes $nodes "$1" >/dev/null || fail "anel send"; }
messages() { grep -c '^Mensagem: ' "$data/output.txt"; }
owner() { stat -c %U:%G "$1"; }
quiet_dpkg() { dpkg "$@" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; fail "dpkg $*"; }; }

# ---- its life ---------------------------------------------------------------------------------------------------------

installed() {
    quiet_dpkg -i "$package"
    [ "$(owner $data)" = anel:anel ] || fail "$data belongs to $(owner $data)"
    [ "$(getent passwd anel | cut -d: -f7)" = /usr/sbin/nologin ] || fail "the user may log in: $(getent passwd anel)"
    systemd-analyze verify --man=no "$unit" 2>/tmp/verify.log || true
    [ ! -s /tmp/verify.log ] || { cat /tmp/verify.log; fail "systemd-analyze verify"; }
    start_ring
    send one
    [ "$(messages)" -eq 1 ] || fail "the message is not in the file"
    [ "$(owner $data/output.txt)" = anel:anel ] || fail "output.txt belongs to $(owner $data/output.txt)"
    say "installed and running as the unit says"
}

upgraded() {
    local before=${processes[0]}
    echo "# mine" >>/etc/anel/aneld.env
    quiet_dpkg --force-confold -i "$package"
    grep -q '^# mine$' /etc/anel/aneld.env || fail "an upgrade overwrites settings"
    grep -q 'restart them one after another' /tmp/dpkg.log || fail "an upgrade does not say what to do"
    kill -0 "$before" || fail "an upgrade stops nodes"
    send two
    say "upgraded under a running ring"
}

removed_and_purged() {
    stop_ring
    quiet_dpkg -r anel
    [ -f /etc/anel/aneld.env ] || fail "settings are gone before the purge"
    cp "$data/output.txt" /tmp/before
    echo PORT=5003 >/etc/anel/aneld-3.env
    quiet_dpkg -P anel
    grep -q "the ledger stays in $data" /tmp/dpkg.log || fail "a purge does not say where the ledger stays"
    [ ! -e /etc/anel ] || fail "settings are there after the purge"
    ! getent passwd anel || fail "the user is there after the purge"
    ! getent group anel || fail "the group is there after the purge"
    cmp /tmp/before "$data/output.txt" || fail "the output has changed"
    [ -f $data/.anel/ledger ] || fail "the ledger is gone"
    say "purged, and the ledger stays"
}

# Somebody else has the user's number by now.
installed_again() {
    adduser --quiet --system --group another
    quiet_dpkg -i "$package"
    [ "$(owner $data/.anel/ledger)" = anel:anel ] || fail "the ledger belongs to $(owner $data/.anel/ledger)"
    start_ring
    send three
    stop_ring
    [ "$(messages)" -eq 3 ] || fail "$(messages) messages, not 3"
    setpriv --reuid=anel --regid=anel --init-groups anel verify $data || fail "anel verify"
    say "installed again on the ledger that stayed"
}

# calls_of SET: the system calls of one of systemd's sets, of which some are made of others.
calls_of() {
    local name
    systemd-analyze --no-pager syscall-filter "$1" | sed '1d; s/^ *//; /^#/d; /^$/d' | while read -r name; do
        if [ "$name" != "${name#@}" ]; then calls_of "$name"; else echo "$name"; fi
    done
}

# Each system call of a node that forms a ring, writes, and leaves is one that the unit lets it make.
confined() {
    local strange
    start_node 1
    start_node 2
    # The node, not its tracer, is told to leave; the tracer ends as the node does.
    start_node 0 strace -f -qq -e signal=none -o /tmp/calls
    wait_until "the traced ring is not healthy" healthy
    send four
    pkill -TERM -P "${processes[0]}"
    wait "${processes[0]}" || fail "the traced node left with $?"
    unset 'processes[0]'
    stop_ring
    sed -nE 's/^[0-9]+ +(<\.\.\. )?([a-z_0-9]+)( resumed|\().*/\2/p' /tmp/calls | sort -u >/tmp/made
    [ "$(wc -l </tmp/made)" -gt 30 ] || fail "the trace has next to nothing"
    strange=$(calls_of "$(of_unit SystemCallFilter 0)" | sort -u | comm -13 - /tmp/made | xargs)
    [ -z "$strange" ] || fail "the unit would refuse: $strange"
    say "its $(wc -l </tmp/made) system calls are those of the unit"
}

# ---- as services ---------------------------------------------------------------------------------------------------

main_process() { systemctl show -P MainPID "aneld@$1"; }
has_another_process() { local now; now=$(main_process "$1"); [ "$now" != 0 ] && [ "$now" != "$2" ]; }
is_up() { systemctl is-system-running 2>/dev/null | grep -qE '^(running|degraded)$'; }

# The same unit under a real systemd: its sandbox, its restarts, and the package's own stop.
services() {
    if [ "$(cat /proc/1/comm)" != systemd ]; then
        say "no systemd runs here: services are left out"
        return
    fi
    local before told
    told=$(messages)
    wait_until "systemd is not up" is_up
    systemctl --quiet enable --now aneld@0 aneld@1 aneld@2
    wait_until "the services form no ring" healthy
    send five
    [ "$(messages)" -eq $((told + 1)) ] || fail "the message is not in the file"

    before=$(main_process 1)
    kill -KILL "$before"
    wait_until "a killed node is not started again" has_another_process 1 "$before"
    wait_until "the ring of services is not healthy" healthy

    # A node that says why it ends would say the same at once.
    systemctl stop aneld@2
    cp /etc/anel/aneld-2.env /tmp/aneld-2.env
    echo PORT=nonsense >>/etc/anel/aneld-2.env
    systemctl start aneld@2 2>/dev/null || true
    wait_until "a wrong setting does not end the service" systemctl --quiet is-failed aneld@2
    [ "$(systemctl show -P ExecMainStatus aneld@2)" = 2 ] || fail "it left with $(systemctl show -P ExecMainStatus aneld@2)"
    [ "$(systemctl show -P NRestarts aneld@2)" = 0 ] || fail "a node with a wrong setting was started again"
    journalctl --quiet -u aneld@2 | grep -q 'port = "nonsense" (from environment): allowed is' ||
        fail "the journal does not say what is wrong"
    cp /tmp/aneld-2.env /etc/anel/aneld-2.env
    systemctl start aneld@2
    wait_until "the mended service does not join" healthy

    before=$(main_process 0)
    quiet_dpkg -i "$package"
    [ "$(main_process 0)" = "$before" ] || fail "an upgrade restarts nodes"
    quiet_dpkg -r anel
    [ -z "$(pgrep -x aneld)" ] || fail "nodes run on without the package"
    journalctl --quiet -u aneld@0 | grep -q 'left the ring' || fail "the package does not let nodes leave the ring"
    quiet_dpkg -i "$package"
    say "the same as services: started again where that helps, and told to leave"
}

# Without a ledger nothing stays.
purged_unused() {
    rm -rf "${data:?}"/* "$data/.anel"
    quiet_dpkg -P anel
    [ ! -e $data ] || fail "an empty $data is left"
}

installed
upgraded
removed_and_purged
installed_again
confined
services
purged_unused
