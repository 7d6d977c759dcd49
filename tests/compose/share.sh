#!/usr/bin/env bash
# The ways to share a ring's output (compose/README.md), each on a real engine: readers of a named volume and without it,
# two rings and a reader of both, finished files made into rows, and what a node says of a folder that it may not write.
#
#   share.sh BIN_DIR    the programs of BIN_DIR put into the image
#
# Exit code 77: no engine answers and we may not start one. Takes down whatever it started, and only that.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: share.sh BIN_DIR" >&2; exit 2; }
# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

read_within=60

# What a service has said so far, byte for byte.
said() { docker logs "$(ring ps -q "$1")" 2>/dev/null; }

# ---- readers of a named volume, and one without it ------------------------------------------------------------

the_file() { ring exec -T cluster_sync_1 cat /shared_data/output.txt; }
has_read_all() { cmp -s <(the_file) <(said "$1"); }
rows_said() { [ "$(said log_sidecar | grep -c '"message":"shared')" -eq "$1" ]; }

readers() {
    local nodes=(cluster_sync_1 cluster_sync_2 cluster_sync_3) reader port
    export ANEL_SHARED_DATA=ring_data
    files=(-f "$stage/compose/docker-compose.yml" -f "$stage/compose/share/named-volume.yml" -f "$stage/compose/share/readers.yml")
    # Three nodes of five are a majority, and quicker to start.
    up "${nodes[@]}" reader_tail log_sidecar feed_reader
    wait_until "$healthy_within" "not all nodes are healthy" healthy "${nodes[@]}"
    ring exec -T cluster_sync_2 anel send --nodes 127.0.0.1:5001 "shared one" "shared, \"two\"" "shared three" >/dev/null ||
        fail "anel send"
    wait_until "$read_within" "the sidecar does not have three messages" rows_said 3
    for reader in reader_tail feed_reader; do
        wait_until "$read_within" "$reader has not read the whole file" has_read_all "$reader"
    done
    if ring exec -T reader_tail sh -c 'echo forged >>/shared_data/output.txt' 2>/dev/null; then
        fail "a reader may write"
    fi
    port=$(ring port cluster_sync_1 7000)
    "$programs/anel" watch "tcp://$port" --from start --until-end >"$stage/from-outside" || fail "the feed does not answer the host"
    cmp "$stage/from-outside" <(the_file) || fail "the feed gave other bytes to the host"
    down
    say "named volume: tail, sidecar and feed have the same, and cannot write"
}

# ---- two rings ---------------------------------------------------------------------------------------------------

of_both() {
    local lines
    lines=$(said reader)
    grep -q '^{"ring":"a","container":0,"message":"client 0 ' <<<"$lines" &&
        grep -q '^{"ring":"b","container":0,"message":"client 1 ' <<<"$lines"
}

two_rings() {
    files=(-f "$stage/compose/share/two-rings.yml")
    up
    wait_until "$healthy_within" "not both rings are healthy" healthy ring_a ring_b
    wait_until "$read_within" "the reader does not have messages of both rings" of_both
    if said reader | grep -E '"ring":"a".*client 1 |"ring":"b".*client 0 '; then fail "the rings mix"; fi
    down
    say "two rings: one reader has both"
}

# ---- finished files, as rows --------------------------------------------------------------------------------------

# Of the ring's finished files alone: their messages in order, as they stand there and as rows.
messages_finished() { cat "$ANEL_SHARED_DATA"/output.0*.txt 2>/dev/null | sed -n 's/^Mensagem: //p'; }
rows_exported() { # The header says what is where; the messages of this test need no quotes.
    local file
    for file in "$ANEL_EXPORTS"/output.0*.csv; do
        [ -f "$file" ] || return 0
        [ "$(head -n 1 "$file" | tr -d '\r')" = piece,row,round,container,message ] || fail "the header of $file"
        tail -n +2 "$file" | tr -d '\r' | cut -d, -f5-
    done
}
has_exported() { # COUNT: at least so many messages, and all that are finished
    local finished
    finished=$(messages_finished)
    [ "$(wc -l <<<"$finished")" -ge "$1" ] && [ "$(rows_exported)" = "$finished" ]
}
push_each() { # SERVICE FIRST LAST PORT: each in a round of its own
    local number
    for number in $(seq "$2" "$3"); do
        ring exec -T "$1" anel send --nodes 127.0.0.1:"$4" "order $number" >/dev/null || fail "anel send"
    done
}

# The ring goes on in a new file every two rounds; one of its nodes is killed in between.
exports() {
    local nodes=(cluster_sync_1 cluster_sync_2 cluster_sync_3 cluster_sync_4)  # without one, still a majority
    export ANEL_SHARED_DATA=$stage/rotating ANEL_OUTPUT_ROUNDS=2
    files=(-f "$stage/compose/docker-compose.yml" -f "$stage/compose/share/readers.yml")
    mkdir "$ANEL_SHARED_DATA" "$ANEL_EXPORTS"
    up "${nodes[@]}" exporter
    wait_until "$healthy_within" "not all nodes are healthy" healthy "${nodes[@]}"
    push_each cluster_sync_2 1 5 5001
    wait_until "$read_within" "what the ring finished is not exported" has_exported 4
    ring kill cluster_sync_1 >"$stage/kill.log" 2>&1 || { cat "$stage/kill.log"; fail "kill"; }
    push_each cluster_sync_3 6 9 5002
    wait_until "$read_within" "what the ring finished behind a kill is not exported" has_exported 8
    [ "$(rows_exported)" = "$(printf 'order %s\n' $(seq "$(rows_exported | wc -l)"))" ] || fail "rows: $(rows_exported)"
    [ "$(stat -c %u:%g "$ANEL_EXPORTS/output.000001.csv")" = "$ANEL_UID:$ANEL_GID" ] || fail "the rows have another owner"
    ring stop exporter >"$stage/stop.log" 2>&1 || { cat "$stage/stop.log"; fail "stop"; }
    [ "$(state '{{.State.ExitCode}}' exporter)" = 0 ] || fail "the exporter does not end with 0 when told to stop"
    down
    unset ANEL_OUTPUT_ROUNDS
    say "exporter: finished files of the ring are rows, also behind a kill"
}

# ---- folders that a node may not write ----------------------------------------------------------------------------

# node_on FOLDER[:ro] USER: a ring of one. It ends by itself where it refuses the folder.
node_on() { timeout 60 docker run --rm -u "$2" -v "$1:/shared_data${3:-}" -e ANEL_PEERS=0=127.0.0.1:6000 "$ANEL_IMAGE" aneld 2>&1; }
refuses() { # WHAT FOLDER USER [:ro]
    local said code=0
    said=$(node_on "$2" "$3" "${4:-}") || code=$?
    [ "$code" -eq 12 ] || fail "exit code $code, not 12: $said"
    grep -qF "$1" <<<"$said" || fail "it should say '$1', and says: $said"
}

node_answers() { docker exec "$project" anel status --nodes 127.0.0.1:5000 --healthy >/dev/null 2>&1; }

unfit_folders() {
    local folder=$stage/unfit
    mkdir "$folder"
    refuses "data folder /shared_data is mounted read-only: mount it writable" "$folder" "$(stat -c %u:%g "$folder")" :ro
    # Only root can give a folder away.
    if [ "$(id -u)" -ne 0 ]; then return; fi
    refuses "(owner uid 0, mode 755) cannot be written by uid 12345: chown -R 12345:12346 /shared_data" "$folder" 12345:12346
    chown 4711:4712 "$folder"
    refuses "or run every node as its owner (with Docker: --user 4711:4712)" "$folder" 12345:12346
    # Both ways out lead out.
    for user in 4711:4712 12345:12346; do
        chown -R "$user" "$folder"
        docker run -d --name "$project" -u "$user" -v "$folder:/shared_data" "$ANEL_IMAGE" >/dev/null
        wait_until "$healthy_within" "a node of the right user does not start" \
            node_answers
        docker rm -f "$project" >/dev/null
    done
    say "folders of others and read-only ones are refused with the way out, and that leads out"
}

# ---------------------------------------------------------------------------------------------------------------------

programs=$1
engine_start
build_image "$programs"
readers
two_rings
exports
unfit_folders
say "passed"
