#!/bin/bash
# Checks the models with Spin: exhaustively, one after the other, in a folder of its own.
#
#   run.sh           the small sizes: nothing may be found
#   run.sh breaks    each known break: it must be found, and by the assertion that is meant
#   run.sh large     bigger sizes, minutes and gigabytes
#   run.sh all       small and breaks
#   run.sh NAME ...  single runs by their names; with TRAIL=1 also the schedule of what was found
#
# One line a run: name, states, seconds, result. Exit code 1 if any result is not the expected one.
set -u
here=$(cd "$(dirname "$0")" && pwd)
for tool in spin gcc; do
    command -v "$tool" >/dev/null || { echo "run.sh: $tool is not installed" >&2; exit 2; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# group | name | model | switches | what the finding must look like; empty: nothing may be found
runs() { cat <<'RUNS'
small|ledger.fencing|ledger|-DANY_ORDER|
small|ledger.three_rounds|ledger|-DMSGS=3|
small|ledger.crash|ledger|-DCRASHES=1|
small|ledger.rotation|ledger|-DROTATE -DCRASHES=1|
small|ledger.trimming|ledger|-DCKPTS=1 -DCRASHES=1|
small|ledger.power_cut|ledger|-DSEGS=2 -DCUTS=1 -DROTATE|
small|ledger.power_cut_and_trimming|ledger|-DSEGS=2 -DCUTS=1 -DCKPTS=1|
small|token.two|token|-DNODES=2 -DHOPS=10|
small|token.three|token||
small|bids.one_life|bids|-DPROCESSES=1|
small|bids.two_lives|bids|-DBIDS=2|
small|sessions.instances|sessions|-DCUTS=1 -DROUNDS=3|
small|sessions.bye|sessions|-DBYES=1 -DSEQS=1|
small|sessions.births|sessions|-DNODES=1 -DBYES=1 -DSEQS=1 -DROUNDS=6|
small|sessions.wakes|sessions|-DWAKES=1 -DROUNDS=3 -DSEQS=1|
small|output.two|output|-DNODES=2|
small|output.power_cut|output|-DNODES=2 -DFILES=2 -DCUTS=1|
small|progress|progress||
breaks|late_truncation|ledger|-DLATE_TRUNCATE|out[k]==0
breaks|no_catch_up|ledger|-DNO_CATCHUP|truth_set&
breaks|relink_unchecked|ledger|-DCKPTS=1 -DNO_RELINK_CHECK|top_file==f
breaks|trim_before_folder_sync|ledger|-DSEGS=3 -DCUTS=1 -DCKPTS=1 -DTRIM_BEFORE_SYNC|name[k]!=0
breaks|no_folder_sync|ledger|-DCUTS=1 -DNO_FOLDER_SYNC|k>=acked
breaks|no_fill|ledger|-DCUTS=1 -DNO_FILL|out[(base[f]+n)]
breaks|no_rewrite_after_reboot|ledger|-DCUTS=1 -DNO_REWRITE|out[k]==truth[k]
breaks|word_trusted_after_reboot|ledger|-DCUTS=1 -DWORD_TRUST|truth[k]!=0
breaks|live_tail|ledger|-DLIVE_TAIL|truth_set
breaks|ack_before_sync|ledger|-DSEGS=2 -DCUTS=1 -DEARLY_ACK|durable[a]
breaks|names_out_of_order|ledger|-DCUTS=1 -DUNORDERED_NAMES -DLATE_FOLDER_SYNC|name[k]!=0
breaks|mark_outlives_name|ledger|-DSEGS=2 -DCUTS=1 -DCKPTS=1 -DUNORDERED_NAMES -DLATE_FOLDER_SYNC|mark_seg<=number[a]
breaks|two_holders|token|-DNO_HOP_FILTER -DHOLDERS_ALONE|held_by<=1
breaks|restarted_member_taken|token|-DNO_INCARNATION -DHOLDERS_ALONE|held_by<=1
breaks|result_off_too_early|token|-DEARLY_RESULT_OFF|decided==tip
breaks|closed_without_votes|token|-DNO_VOTE_CHECK|voted==
breaks|no_hash|bids|-DSPOILS=0 -DNO_HASH|first==bid
breaks|overwritten_while_open|bids|-DPROCESSES=1 -DSPOILS=0 -DOPEN_OVERWRITE|self!=epoch
breaks|mapped_bid|bids|-DSPOILS=0 -DMAPPED|first==bid
breaks|record_refers_to_bid|bids|-DSPOILS=0 -DRECORD_REFERS|record[0]==decided
breaks|instance_acked_as_repeat|sessions|-DREPEAT_ACKED|written&
breaks|no_birth|sessions|-DBYES=1 -DSEQS=1 -DNO_BIRTH|written&
breaks|birth_not_told|sessions|-DNODES=1 -DBYES=1 -DSEQS=1 -DROUNDS=6 -DNO_BIRTH_TOLD|written&
breaks|gap_taken|sessions|-DNO_GAP_CHECK|written&
breaks|welcome_before_sync|sessions|-DCUTS=1 -DEARLY_WELCOME|acked&
breaks|push_acked_before_sync|sessions|-DCUTS=1 -DEARLY_ACK|acked&
breaks|name_renamed_over|output|-DRENAME_OVER|named<=s
breaks|hidden_name_used_twice|output|-DSHARED_NAME|(s-1)
breaks|number_behind_the_name|output|-DNUMBER_LATE|numbered[
breaks|torn_file_loses_its_name|output|-DNODES=2 -DCUTS=1 -DNO_REWRITE|torn[
breaks|client_sends_once|progress|-DNO_RESEND|acceptance cycle
breaks|no_takeover|progress|-DNO_TAKEOVER|acceptance cycle
breaks|all_must_answer|progress|-DALL_ANSWER|acceptance cycle
breaks|lock|progress|-DLOCK|acceptance cycle
large|ledger.three_nodes|ledger|-DNODES=3|
large|ledger.three_nodes_crash|ledger|-DNODES=3 -DSEGS=2 -DCRASHES=1|
large|ledger.three_segments_cut|ledger|-DCUTS=1|
large|ledger.cut_crash|ledger|-DSEGS=2 -DCUTS=1 -DCRASHES=1 -DCKPTS=1|
large|ledger.two_cuts|ledger|-DCUTS=2 -DMSGS=1|
large|ledger.names_synced_before_use|ledger|-DCUTS=1 -DUNORDERED_NAMES|
large|ledger.marks_synced_before_use|ledger|-DSEGS=2 -DCUTS=1 -DCKPTS=1 -DUNORDERED_NAMES|
large|token.more_hops|token|-DHOPS=13 -DRESTARTS=2|
large|bids.three_bids|bids||
large|sessions.cut_four_rounds|sessions|-DCUTS=1|
large|sessions.bye_two_messages|sessions|-DBYES=1|
large|sessions.wakes_two_messages|sessions|-DWAKES=1 -DROUNDS=3|
large|sessions.wakes_and_bye|sessions|-DWAKES=1 -DBYES=1 -DSEQS=1|
large|output.three|output||
large|output.power_cut_three_files|output|-DNODES=2 -DCUTS=1|
large|progress.two_freezes|progress|-DFREEZES=2|
RUNS
}

failed=0
check() {   # name model switches pattern
    local name=$1 model=$2 switches=$3 pattern=$4 started=$SECONDS
    local folder="$work/$name" as="-DSAFETY" how="-E" optimize=-O1
    [ "$model" = progress ] && as="-DNFAIR=3" how="-a -f"
    [ -n "$pattern" ] && optimize=-O0
    mkdir -p "$folder" && cp "$here/$model.pml" "$folder" && cd "$folder" || exit 2
    # shellcheck disable=SC2086
    if ! spin $switches -a "$model.pml" >spin.txt 2>&1 || ! nice gcc $optimize -w $as -DCOLLAPSE -DMEMLIM="${MEMORY:-6000}" -o pan pan.c 2>gcc.txt; then
        cat spin.txt gcc.txt 2>/dev/null
        printf '%-32s does not compile: NOT AS EXPECTED\n' "$name"; failed=1; return
    fi
    # shellcheck disable=SC2086
    nice timeout "${LIMIT:-1800}" ./pan $how -m200000 -w24 >pan.txt 2>&1
    local states found verdict
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.txt)
    found=$(sed -n 's/^pan:1: //p' pan.txt | head -n 1)
    if grep -qE 'not completed|too small|out of memory|reached -DMEMLIM' pan.txt && [ -z "$found" ] || [ -z "$states" ]; then
        verdict="not finished: NOT AS EXPECTED"; failed=1
    elif [ -z "$pattern" ] && [ -z "$found" ] && grep -q 'errors: 0' pan.txt; then
        verdict="nothing found, as expected"
    elif [ -n "$pattern" ] && [[ "$found" == *"$pattern"* ]]; then
        verdict="found, as expected"
    elif [ -n "$pattern" ] && [ -z "$found" ]; then
        verdict="nothing found: NOT AS EXPECTED"; failed=1
    else
        verdict="found ${found:-something}: NOT AS EXPECTED"; failed=1
    fi
    printf '%-32s %10s states %4d s  %s\n' "$name" "${states:-?}" $((SECONDS - started)) "$verdict"
    # shellcheck disable=SC2086
    [ -n "${TRAIL:-}" ] && [ -f "$model.pml.trail" ] && spin $switches -t -p -g -l "$model.pml"
    cd "$here" && rm -rf "$folder"
}

[ $# -gt 0 ] || set -- small
ran=0
while IFS='|' read -r group name model switches pattern; do
    for wanted in "$@"; do
        if [ "$wanted" = "$group" ] || [ "$wanted" = "$name" ] || { [ "$wanted" = all ] && [ "$group" != large ]; }; then
            check "$name" "$model" "$switches" "$pattern" </dev/null
            ran=$((ran + 1))
            break
        fi
    done
done < <(runs)
[ "$ran" -gt 0 ] || { echo "run.sh: no such run: $*" >&2; exit 2; }
exit $failed
