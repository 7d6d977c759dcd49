/* One epoch: the token between its members, as ring/core/passage does it.
 *
 * A link loses, repeats, delays and reorders (more than a PAIR socket does). A hop is sent again until it is acked; the
 * ack may be lost. An open round gathers votes; its opener closes it at once or, while the token rests there, later;
 * decides it in the next slot, puts the result on the token, mostly with the next open round, and takes it off after one lap. A member may end and start again: the new incarnation is in no view.
 *
 * Sizes:   NODES, HOPS (the epoch ends there), RESTARTS; HOLDERS_ALONE checks only that there is one holder
 * Breaks:  NO_HOP_FILTER   a hop that was seen is taken again
 *          NO_INCARNATION  a restarted member takes what comes to its old link address
 *          EARLY_RESULT_OFF  the writer takes a result off before its lap is over
 *          NO_VOTE_CHECK   a holder that is not the opener closes the round as well
 */
#ifndef NODES
#define NODES 3
#endif
#ifndef HOPS
#define HOPS 9
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifdef HOLDERS_ALONE   /* looks for two holders only, not for what follows from it */
#define CHECK(what) skip
#else
#define CHECK(what) assert(what)
#endif
#define NOBODY 7
#define VOTES ((1 << NODES) - 1)

typedef Token { byte hop; byte opener; byte votes; byte result[NODES] }

chan link[NODES] = [2] of { byte, byte, byte, byte, byte, byte };   /* link[k] leads to k: hop, opener, votes, results */
Token held[NODES], sent[NODES];   /* hop 0: none */
byte last_hop[NODES];
byte tip[NODES];                  /* rounds this node has applied */
bool member[NODES];               /* the process that the view names */
byte restarts;
byte decided;                     /* the segment's word */
byte voted;                       /* ghost: who really voted in the open round */
hidden byte i, held_by;

#if NODES == 2
#define R2(t) 0
#define SET_R2(t, value) skip
#else
#define R2(t) t.result[2]
#define SET_R2(t, value) t.result[2] = value
#endif

inline clear(t) { t.hop = 0; t.opener = 0; t.votes = 0; t.result[0] = 0; t.result[1] = 0; SET_R2(t, 0) }

inline one_holder() {
    i = 0; held_by = 0;
    do :: i < NODES -> held_by = held_by + (held[i].hop != 0 -> 1 : 0); i++ :: else -> break od;
    assert(held_by <= 1)
}

inline forward(k) {
    sent[k].hop = held[k].hop + 1; sent[k].opener = held[k].opener; sent[k].votes = held[k].votes;
    sent[k].result[0] = held[k].result[0]; sent[k].result[1] = held[k].result[1];
    SET_R2(sent[k], R2(held[k]));
    clear(held[k])
}

proctype node(byte k) {
    byte hop, opener, votes, r0, r1, r2;
    bool deciding;
    byte to = (k + 1) % NODES;
    do
    /* send, or send again */
    :: atomic { sent[k].hop != 0 && nfull(link[to]) && hop == 0 ->
            link[to]!sent[k].hop, sent[k].opener, sent[k].votes, sent[k].result[0], sent[k].result[1], R2(sent[k]) }
    /* the network loses, or brings any of those on their way */
    :: atomic { nempty(link[k]) && !deciding ->
            if
            :: link[k]?hop, opener, votes, r0, r1, r2
            :: len(link[k]) > 1 -> link[k]?hop, opener, votes, r0, r1, r2;
               link[k]!hop, opener, votes, r0, r1, r2; link[k]?hop, opener, votes, r0, r1, r2
            fi;
            if
            :: true                                                 /* lost */
#ifdef NO_INCARNATION
            :: true ->
#else
            :: member[k] ->
#endif
                if :: sent[(k + NODES - 1) % NODES].hop == hop -> clear(sent[(k + NODES - 1) % NODES]) :: true fi;   /* ack, perhaps lost */
#ifdef NO_HOP_FILTER
                if
                :: held[k].hop == 0 ->
#else
                if
                :: hop > last_hop[k] && held[k].hop == 0 ->
#endif
                    last_hop[k] = hop;
                    clear(sent[k]);
                    held[k].hop = hop; held[k].opener = opener; held[k].votes = votes;
                    held[k].result[0] = r0; held[k].result[1] = r1; SET_R2(held[k], r2);
                    one_holder();                                   /* S1 within the epoch */
                    held[k].result[k] = 0;                          /* made its lap */
                    i = 0;
                    do
                    :: i < NODES ->
                        CHECK(held[k].result[i] <= tip[k] + 1 || !member[k] ||
                               held[k].result[(i + 1) % NODES] == tip[k] + 1 ||
                               held[k].result[(i + 2) % NODES] == tip[k] + 1);   /* no result is missed */
                        i++
                    :: else -> break
                    od;
                    i = 0;
                    do :: i < NODES -> if :: held[k].result[i] > tip[k] -> tip[k] = held[k].result[i] :: else fi; i++ :: else -> break od
                :: else
                fi
            fi;
            hop = 0; opener = 0; votes = 0; r0 = 0; r1 = 0; r2 = 0 }
    /* serve */
    :: atomic { held[k].hop != 0 && held[k].hop < HOPS && !deciding ->
            if
            :: held[k].opener == NOBODY ->
                if
                :: held[k].opener = k; voted = 0; forward(k)        /* open a round */
                :: forward(k)
                fi
#ifdef NO_VOTE_CHECK
            :: held[k].opener != NOBODY && held[k].opener != k ->
                held[k].votes = held[k].votes | (1 << k); voted = voted | (1 << k); deciding = 1
#endif
            :: held[k].opener != NOBODY && held[k].opener != k ->
                held[k].votes = held[k].votes | (1 << k); voted = voted | (1 << k);
                forward(k)
            :: held[k].opener == k ->
                held[k].votes = held[k].votes | (1 << k); voted = voted | (1 << k);
                deciding = 1
            fi }
    /* close the round: all members voted */
    :: atomic { deciding && held[k].hop != 0 ->
            CHECK(voted == VOTES && held[k].votes == VOTES);
            if
            :: CHECK(decided == tip[k]);                            /* nobody else used the slot */
               decided++;
               tip[k]++;
               held[k].result[k] = decided
            :: true                                                 /* nothing new: no slot */
            fi;
            held[k].votes = 0;
            if
            :: held[k].opener = NOBODY                              /* somebody found no room: another opens */
            :: held[k].opener = k; voted = 0                        /* the lap of the result gathers the next votes */
            fi;
            deciding = 0;
#ifdef EARLY_RESULT_OFF
            held[k].result[k] = 0;
#endif
            forward(k) }
    /* ends and starts again */
    :: atomic { restarts < RESTARTS && member[k] ->
            restarts++; member[k] = 0;
            clear(held[k]); clear(sent[k]); last_hop[k] = 0; deciding = 0;
            tip[k] = decided }
    od
}

init {
    atomic {
        i = 0;
        do :: i < NODES -> member[i] = 1; i++ :: else -> break od;
        held[0].hop = 1; held[0].opener = 0; last_hop[0] = 1; voted = 0;
        forward(0);                                                 /* the first round may be empty */
        i = 0;
        do :: i < NODES -> run node(i); i++ :: else -> break od
    }
}
