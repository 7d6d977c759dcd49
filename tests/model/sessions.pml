/* One client id, two instances, and what a session knows of them: client_requests, clients and round_builder.
 *
 * A decided round is one step here (ledger.pml is about that); nodes apply rounds late. Instances are not clever: each
 * pushes any of its client sequences to any node that welcomed it, in any order, again and again, and believes every ack.
 * Each number of each instance is a message of its own. Hellos that name no birth may come late at any time: they slept in
 * the socket of a frozen node. What an instance does remember is the birth under which it pushed; it pushes under no other.
 *
 * With WAKES a node may send a copy of a push ahead, with a wake: a round may take it at any later time, again and again.
 *
 * Sizes:   NODES, SEQS, ROUNDS, CUTS, BYES, WAKES
 * Breaks:  REPEAT_ACKED   a push at or below `inherited` is acked as a repeat
 *          NO_BIRTH       rounds and nodes do not compare births
 *          NO_BIRTH_TOLD  instances do not know the birth under which they pushed
 *          EARLY_WELCOME  a hello is welcomed before the session's round is durable
 *          EARLY_ACK      a push is acked before its round is durable
 *          NO_GAP_CHECK   a round takes what comes behind a missing client sequence
 */
#ifndef NODES
#define NODES 2
#endif
#ifndef SEQS
#define SEQS 2
#endif
#ifndef ROUNDS
#define ROUNDS 4
#endif
#ifndef CUTS
#define CUTS 0
#endif
#ifndef BYES
#define BYES 0
#endif
#ifndef WAKES
#define WAKES 0
#endif
#define HELLO 9
#define BYE 8

typedef Session { byte instance; byte birth; byte last; byte inherited; byte round }   /* instance 0: there is none */

Session now, kept;             /* after the last decided round; after the last durable one */
byte round, kept_round;
Session seen[NODES];           /* each node's table, and how far it applied */
byte seen_round[NODES];
byte welcomed[NODES * 2];      /* the birth under which this node serves this instance; 0: it does not */
byte bid[NODES * 2];           /* what waits at this node of this instance: client sequence, HELLO or BYE; 0: nothing */
byte bid_birth[NODES * 2];
#if WAKES
byte copy[NODES * 2], copy_birth[NODES * 2];   /* a copy of a push that is under way with a wake; 0: none */
#endif
byte written, written_kept;    /* ghosts, sets of messages: in the output; and durable */
byte acked;
byte cuts, byes;
bool over[2];                  /* this instance said bye: it pushes no more */
byte pushed_under[2];          /* the birth under which this instance pushed; 0: it pushed nothing */
hidden byte i, s, q;

#define MESSAGE(instance, sequence) (1 << ((instance) * SEQS + (sequence) - 1))
#define COPY(to, from) to.instance = from.instance; to.birth = from.birth; to.last = from.last; \
    to.inherited = from.inherited; to.round = from.round

inline ack_up_to(who, low, high) {
    q = low + 1;
    do
    :: q <= high ->
        assert(written & MESSAGE(who, q));                    /* S2: an ack is for this instance's message */
        acked = acked | MESSAGE(who, q);
        q++
    :: else -> break
    od;
    assert((acked & ~written) == 0)
}

#ifdef NO_BIRTH
#define SAME_BIRTH(a, b) true
#else
#define SAME_BIRTH(a, b) ((a) == (b))
#endif
#define BIRTH_FITS(session, entry_birth) SAME_BIRTH(session.birth, entry_birth)
#ifdef NO_BIRTH_TOLD
#define GOES_ON(k, w) true
#else
#define GOES_ON(k, w) (pushed_under[w] == 0 || pushed_under[w] == welcomed[(k) * 2 + (w)])
#endif
#ifdef REPEAT_ACKED
#define NOT_INHERITED(session) true
#else
#define NOT_INHERITED(session) (s > session.inherited)
#endif
#ifdef NO_GAP_CHECK
#define CONTINUES (s > now.last)
#else
#define CONTINUES (s == now.last + 1)
#endif
#ifdef EARLY_ACK
#define DURABLE(k) true
#else
#define DURABLE(k) (kept_round >= seen[k].round)
#endif
#ifdef EARLY_WELCOME
#define MAY_WELCOME(k) true
#else
#define MAY_WELCOME(k) (kept_round >= seen[k].round)
#endif

/* A round that takes what waits at a node of instance w, or what came of it with a wake. */
inline settle(entry, entry_birth, w) {
    s = entry;
    if
    :: s == HELLO ->
        if
        :: now.instance == 0 ->
            round++; now.instance = w + 1; now.birth = round; now.last = 0; now.inherited = 0; now.round = round
        :: now.instance != 0 && now.instance != w + 1 ->
            round++; now.instance = w + 1; now.birth = round; now.inherited = now.last; now.round = round
        :: else
        fi
    :: s == BYE ->
        if
        :: now.instance == w + 1 && now.birth == entry_birth ->
            round++; now.instance = 0; now.birth = 0; now.last = 0; now.inherited = 0; now.round = 0
        :: else
        fi
    :: else ->
        if
        :: now.instance == w + 1 && BIRTH_FITS(now, entry_birth) && NOT_INHERITED(now) && CONTINUES ->
            round++; now.last = s; now.round = round;
            assert((written & MESSAGE(w, s)) == 0);           /* S3 */
            assert(now.instance == w + 1);                    /* only the present instance writes */
            i = now.inherited + 1;
            do :: i < s -> assert(written & MESSAGE(w, i)); i++ :: else -> break od;   /* S4 */
            written = written | MESSAGE(w, s)
        :: else
        fi
    fi
}

/* Node k: is the waiting entry of instance w covered by its table? Then it is acked, else refused. */
inline resolve(k, w) {
    s = bid[k * 2 + w];
    if
    :: s != HELLO && s != BYE && seen[k].instance != 0 && seen[k].last >= s &&
       BIRTH_FITS(seen[k], bid_birth[k * 2 + w]) && NOT_INHERITED(seen[k]) -> ack_up_to(w, (s - 1), s)
    :: else
    fi;
    bid[k * 2 + w] = 0; bid_birth[k * 2 + w] = 0
}

proctype node(byte k) {
    byte w;
    do
    :: w = 1 - w
    /* a hello comes: judged by a fresh table */
    :: atomic { bid[k * 2 + w] == 0 && seen_round[k] == round &&
                (seen[k].birth == 0 || welcomed[k * 2 + w] != seen[k].birth) ->
            if
            :: seen[k].instance == w + 1 ->
                if
                :: MAY_WELCOME(k) ->
                    welcomed[k * 2 + w] = seen[k].birth;
                    if
                    :: BYES == 0 -> ack_up_to(w, seen[k].inherited, seen[k].last)   /* the welcome says what is written */
                    :: else
                    fi
                :: else
                fi
            :: seen[k].instance != w + 1 && round < ROUNDS -> bid[k * 2 + w] = HELLO
            :: else
            fi }
    /* a push or a bye comes from an instance that was welcomed here */
    :: atomic { bid[k * 2 + w] == 0 && welcomed[k * 2 + w] != 0 && !over[w] && GOES_ON(k, w) ->
            if :: s = 1 :: SEQS > 1 -> s = 2 :: BYES > byes -> s = BYE; byes++; over[w] = 1 fi;
            if :: s != BYE -> pushed_under[w] = welcomed[k * 2 + w] :: else fi;
            if
            :: s == BYE -> bid[k * 2 + w] = s; bid_birth[k * 2 + w] = welcomed[k * 2 + w]
            :: s != BYE && !SAME_BIRTH(seen[k].birth, welcomed[k * 2 + w]) -> skip      /* conflict, or retired */
            :: s != BYE && SAME_BIRTH(seen[k].birth, welcomed[k * 2 + w]) && !NOT_INHERITED(seen[k]) -> skip   /* conflict */
            :: s != BYE && SAME_BIRTH(seen[k].birth, welcomed[k * 2 + w]) && NOT_INHERITED(seen[k]) && s <= seen[k].last ->
                if                                                                       /* a repeat: acked again */
                :: DURABLE(k) -> ack_up_to(w, (s - 1), s)
                :: else
                fi
            :: s != BYE && SAME_BIRTH(seen[k].birth, welcomed[k * 2 + w]) && s > seen[k].last && round < ROUNDS ->
                bid[k * 2 + w] = s; bid_birth[k * 2 + w] = welcomed[k * 2 + w]
            :: else
            fi;
            s = 0 }
    /* the round with this node's bid is decided */
    :: atomic { bid[k * 2 + w] != 0 && round < ROUNDS -> settle(bid[k * 2 + w], bid_birth[k * 2 + w], w) }
#if WAKES
    :: atomic { bid[k * 2 + w] != 0 && bid[k * 2 + w] < BYE && copy[k * 2 + w] == 0 ->
            copy[k * 2 + w] = bid[k * 2 + w]; copy_birth[k * 2 + w] = bid_birth[k * 2 + w] }
    :: atomic { copy[k * 2 + w] != 0 && round < ROUNDS -> settle(copy[k * 2 + w], copy_birth[k * 2 + w], w) }
#endif
    /* results are applied; what waits is acked when durable, or refused */
    :: atomic { seen_round[k] < round -> COPY(seen[k], now); seen_round[k] = round }
    :: atomic { bid[k * 2 + w] != 0 && seen_round[k] == round && DURABLE(k) -> resolve(k, w) }
    /* ends and starts again */
    :: atomic { welcomed[k * 2] + welcomed[k * 2 + 1] != 0 ->
            welcomed[k * 2] = 0; welcomed[k * 2 + 1] = 0; bid[k * 2] = 0; bid[k * 2 + 1] = 0;
            bid_birth[k * 2] = 0; bid_birth[k * 2 + 1] = 0 }
    od
}

proctype disk() {
    byte k;
    do
    :: atomic { kept_round < round -> COPY(kept, now); kept_round = round; written_kept = written }
    :: atomic { cuts < CUTS && kept_round < round ->               /* all that is not durable is lost */
            cuts++;
            COPY(now, kept); round = kept_round; written = written_kept;
            assert((acked & ~written) == 0);                       /* S2 */
            k = 0;
            do
            :: k < NODES ->
                COPY(seen[k], kept); seen_round[k] = round;
                welcomed[k * 2] = 0; welcomed[k * 2 + 1] = 0; bid[k * 2] = 0; bid[k * 2 + 1] = 0;
                bid_birth[k * 2] = 0; bid_birth[k * 2 + 1] = 0;
                k++
            :: else -> break
            od;
            k = 0 }
    od
}

init { atomic { i = 0; do :: i < NODES -> run node(i); i++ :: else -> break od; run disk() } }
