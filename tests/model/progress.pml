/* Does a message of a client that keeps resending get written and acked at last? Under weak fairness: whoever can go on
 * for ever does go on at last.
 *
 * Three nodes, a majority is two. False suspicions (freezes, lost messages, wrong time-outs) are a budget, FREEZES: they
 * end. One node may end for good (DEATHS), at any step, also as the holder. After that only real trouble is suspected: a
 * member of the epoch is dead, or this node knows of a newer epoch, or decided too late.
 *
 * Breaks:  NO_RESEND   the client sends once
 *          NO_TAKEOVER nobody suspects a dead member
 *          ALL_ANSWER  a candidate waits for all nodes instead of a majority
 *          LOCK        the holder decides under a lock that nobody takes from a dead one
 */
#ifndef FREEZES
#define FREEZES 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define NODES 3
#define EPOCHS (FREEZES + DEATHS + 3)
#define NOBODY 7

byte newest;                     /* the newest segment, and so the newest epoch */
bool sealed[EPOCHS];
byte members[EPOCHS];            /* the view, a set; 0: not told yet */
byte token[EPOCHS];              /* where it is */
byte in_epoch[NODES];            /* NOBODY: seeking */
bool dead[NODES];
byte deaths, freezes;
byte waiting;                    /* set of nodes where the client's message waits */
bool written, acked, sent;
bool locked; byte lock_of;

#define IN(set, k) (((set) >> (k)) & 1)
#define ALIVE(k) (!dead[k])
#define MEMBER_DEAD(e) ((dead[0] && IN(members[e], 0)) || (dead[1] && IN(members[e], 1)) || (dead[2] && IN(members[e], 2)))
#define SEEKS(k) (in_epoch[k] == NOBODY && !dead[k])

inline pass_on(e, k) {
    token[e] = (k + 1) % NODES;
    if :: !IN(members[e], token[e]) -> token[e] = (token[e] + 1) % NODES :: else fi
}

proctype node(byte k) {
    byte e;
    do
    :: atomic { dead[k] -> break }
    :: atomic { !dead[k] && deaths < DEATHS -> deaths++; dead[k] = 1; break }
    /* holder: decides, writes, passes on */
    :: atomic { !dead[k] && in_epoch[k] != NOBODY && token[in_epoch[k]] == k ->
            e = in_epoch[k];
            if
#ifdef LOCK
            :: locked && lock_of != k -> skip
            :: (!locked || lock_of == k) && waiting != 0 && !written && !locked -> locked = 1; lock_of = k; goto under_lock
#endif
            :: waiting != 0 && !written && !sealed[e] -> written = 1; pass_on(e, k)
            :: sealed[e] -> in_epoch[k] = NOBODY                            /* fenced */
            :: !sealed[e] && (waiting == 0 || written) -> pass_on(e, k)
            fi;
            e = 0 }
    /* acks what it knows to be durable */
    :: atomic { !dead[k] && written && !acked && IN(waiting, k) -> acked = 1 }
    /* suspects: for a reason, or falsely as long as freezes last */
#ifndef NO_TAKEOVER
    :: atomic { !dead[k] && in_epoch[k] != NOBODY && MEMBER_DEAD(in_epoch[k]) -> in_epoch[k] = NOBODY }
#endif
    :: atomic { !dead[k] && in_epoch[k] != NOBODY && in_epoch[k] < newest -> in_epoch[k] = NOBODY }
    :: atomic { !dead[k] && in_epoch[k] != NOBODY && freezes < FREEZES -> freezes++; in_epoch[k] = NOBODY }
    /* joins: a seeking node makes the coordinator end an epoch that has not got it */
    :: atomic { SEEKS(k) && members[newest] != 0 && !IN(members[newest], k) && freezes < FREEZES ->
            freezes++; sealed[newest] = sealed[newest] }
    /* a member told of the newest epoch enters it */
    :: atomic { SEEKS(k) && IN(members[newest], k) && !sealed[newest] && !MEMBER_DEAD(newest) -> in_epoch[k] = newest }
    /* candidate: a majority seeks, or is in an epoch that has ended; granted: seal, link, view */
    :: atomic { SEEKS(k) && newest < EPOCHS - 1 && (MEMBER_DEAD(newest) || sealed[newest] || members[newest] == 0 || freezes < FREEZES) &&
#ifdef ALL_ANSWER
                SEEKS(0) && SEEKS(1) && SEEKS(2) ->
#else
                (SEEKS(0) + SEEKS(1) + SEEKS(2) >= 2) ->
#endif
            if :: MEMBER_DEAD(newest) || sealed[newest] || members[newest] == 0 :: else -> freezes++ fi;
            e = newest; sealed[e] = 1 };
        atomic {
            if
            :: dead[k] -> break
            :: !dead[k] && newest == e ->
                newest = e + 1;
                members[newest] = SEEKS(0) + (SEEKS(1) << 1) + (SEEKS(2) << 2);
                token[newest] = k; in_epoch[k] = newest
            :: !dead[k] && newest != e
            fi;
            e = 0 }
    od;
    goto done;
#ifdef LOCK
under_lock:
    if
    :: atomic { !dead[k] && !sealed[e] -> written = 1; locked = 0; pass_on(e, k) }
    :: atomic { !dead[k] && sealed[e] -> locked = 0; in_epoch[k] = NOBODY }
    :: atomic { deaths < DEATHS && !dead[k] -> deaths++; dead[k] = 1; goto done }
    fi;
    goto done;
#endif
done:
    skip
}

/* Sends its message to one node after the other until it is acked. What waited at a dead node is lost with it. */
proctype client() {
    byte to;
    do
    :: atomic { acked -> break }
#ifdef NO_RESEND
    :: atomic { !acked && !sent ->
#else
    :: atomic { !acked ->
#endif
            sent = 1;
            if :: !dead[to] -> waiting = waiting | (1 << to) :: else fi;
            to = (to + 1) % NODES }
    :: atomic { (dead[0] && IN(waiting, 0)) || (dead[1] && IN(waiting, 1)) || (dead[2] && IN(waiting, 2)) ->
            waiting = waiting & ~(dead[0] + (dead[1] << 1) + (dead[2] << 2)) }
    od
}

init { atomic { members[0] = 7; token[0] = 0; run node(0); run node(1); run node(2); run client() } }

ltl acked_at_last { <> (written && acked) }
