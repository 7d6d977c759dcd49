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
bool left[EPOCHS];               /* somebody left it, so it will not go on */
bool locked;

#define IN(set, k) (((set) >> (k)) & 1)
#define MEMBER_DEAD(e) ((dead[0] && IN(members[e], 0)) || (dead[1] && IN(members[e], 1)) || (dead[2] && IN(members[e], 2)))
#define SEEKS(k) (in_epoch[k] == NOBODY && !dead[k])

inline pass_on(e, k) {
    token[e] = (k + 1) % NODES;
    if :: !IN(members[e], token[e]) -> token[e] = (token[e] + 1) % NODES :: else fi
}

#define BROKEN(e) (left[e] || MEMBER_DEAD(e))
#define ACKS(k) (written && !acked && IN(waiting, k))
#ifdef NO_TAKEOVER
#define LEAVES(k) (in_epoch[k] != NOBODY && in_epoch[k] < newest)
#else
#define LEAVES(k) (in_epoch[k] != NOBODY && (in_epoch[k] < newest || BROKEN(in_epoch[k])))
#endif
#define HOLDS(k) (in_epoch[k] != NOBODY && token[in_epoch[k]] == k)
#define ENTERS(k) (SEEKS(k) && IN(members[newest], k) && !sealed[newest] && !BROKEN(newest))
#ifdef ALL_ANSWER
#define ENOUGH (SEEKS(0) + SEEKS(1) + SEEKS(2) == 3)
#else
#define ENOUGH (SEEKS(0) + SEEKS(1) + SEEKS(2) >= 2)
#endif
#define CALLS(k) (SEEKS(k) && newest < EPOCHS - 1 && (BROKEN(newest) || sealed[newest]) && ENOUGH)

/* One useful thing after the other, in this order: fairness is to processes, not to what they might do. */
proctype node(byte k) {
    byte e, answered;
next:
    do
    :: atomic { dead[k] || deaths < DEATHS -> if :: dead[k] :: else -> deaths++; dead[k] = 1 fi; break }
    :: atomic { freezes < FREEZES && in_epoch[k] != NOBODY ->               /* suspects falsely */
            freezes++; left[in_epoch[k]] = 1; in_epoch[k] = NOBODY }
    :: atomic { !dead[k] && ACKS(k) -> acked = 1 }
    :: atomic { !dead[k] && !ACKS(k) && LEAVES(k) -> in_epoch[k] = NOBODY }
    :: atomic { !dead[k] && !ACKS(k) && !LEAVES(k) && HOLDS(k) ->
            e = in_epoch[k];
            if
            :: sealed[e] -> in_epoch[k] = NOBODY; left[e] = 1; e = 0; goto next   /* fenced: tells the members */
            :: !sealed[e] && (waiting == 0 || written) -> pass_on(e, k); e = 0; goto next
            :: !sealed[e] && waiting != 0 && !written -> skip
            fi };
#ifdef LOCK
        atomic { !locked || dead[k] -> if :: dead[k] -> break :: else -> locked = 1 fi };
        if
        :: atomic { deaths < DEATHS -> deaths++; dead[k] = 1; break }
        :: true
        fi;
#endif
        atomic {                                                            /* the compare-and-set, perhaps much later */
            if
            :: !sealed[e] -> written = 1; pass_on(e, k)
            :: else -> in_epoch[k] = NOBODY; left[e] = 1
            fi;
            locked = 0; e = 0 }
    :: atomic { !dead[k] && !ACKS(k) && ENTERS(k) -> in_epoch[k] = newest }
    :: atomic { !dead[k] && !ACKS(k) && CALLS(k) ->
            e = newest; sealed[e] = 1; answered = SEEKS(0) + (SEEKS(1) << 1) + (SEEKS(2) << 2) };
        if
        :: atomic { deaths < DEATHS -> deaths++; dead[k] = 1; break }
        :: atomic { newest == e ->
            newest = e + 1;
            members[newest] = answered;
            token[newest] = k; in_epoch[k] = newest; e = 0; answered = 0 }
        :: atomic { newest != e -> e = 0; answered = 0 }
        fi
    od
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
