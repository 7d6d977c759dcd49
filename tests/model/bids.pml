/* One node's bids on the volume: placed_bids, bid_files, and of passage who bids when, and who reads.
 *
 * A bid is a number here, and its bytes are that number in both halves of the file: a process can be stopped between two
 * halves, of a write and of a read. Each epoch has its holder, which closes the rounds with this node's bids; it can sleep
 * at any step and go on when epochs are over. Two processes have the node's id and the same file; the second starts at any
 * time, and from then on either of them may be the one in the next view, or wake up and finish what it was writing. The
 * token brings a bid's number, which stands for its length and hash; it comes late, and again and again.
 *
 * Asserted: what is decided under a bid, and then written to the output, are the bytes that were placed for it. No bid is
 * decided twice. Where one process has the id and nobody spoils the file, no bid is lost in its own epoch.
 *
 * Sizes:   BIDS, EPOCHS, PROCESSES, SPOILS (bytes of the file go: a power cut, people; the rest of it stays)
 * Breaks:  NO_HASH         the holder takes what it reads
 *          OPEN_OVERWRITE  a node places its next bid while the round with the one before is open
 *          MAPPED          the holder checks the bytes in the file, and takes them from there again
 *          RECORD_REFERS   a record does not hold the bytes: whoever writes the output reads the file
 */
#ifndef BIDS
#define BIDS 3
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef SPOILS
#define SPOILS 1
#endif

byte file[2];                  /* the node's place: two halves */
byte epoch = 1;                /* the newest one; who decides in another is fenced */
byte member[EPOCHS + 1];       /* which process of the node is in this epoch */
byte on_token[EPOCHS + 1];     /* the bid that came with this epoch's token last */
bool travels[BIDS + 1];        /* its bytes are on the token: there was no room on the volume */
byte closed[EPOCHS + 1];       /* the last bid whose round is closed in this epoch */
byte bids;                     /* numbers given so far */
byte decided;                  /* the last bid that was; its record holds two halves */
byte record[2];
bool written;                  /* it is in the output */
byte started = 1, spoils;
byte decided_ever;             /* ghost, a set */

#ifdef NO_HASH
#define IS(bid) true
#else
#define IS(bid) (first == (bid) && second == (bid))
#endif
#ifdef OPEN_OVERWRITE
#define MAY_BID true
#else
#define MAY_BID (mine == 0 || closed[at] == mine)
#endif

/* Whoever writes the output: the holder, or a candidate behind one that ended. Repeating it does no harm. */
inline write_output() {
    atomic {
        if
        :: decided != 0 && !written ->
#ifdef RECORD_REFERS
            if :: !travels[decided] -> record[0] = file[0]; record[1] = file[1] :: else fi;
#endif
            assert(record[0] == decided && record[1] == decided);   /* the output has what was placed */
            written = true
        :: else
        fi
    }
}

/* A process of the node. */
proctype bidder(byte self) {
    byte at, mine;             /* the epoch it is in, and its last bid there */
    do
    :: atomic { at < epoch && member[epoch] == self -> at = epoch; mine = 0 }
    :: atomic { at != 0 && MAY_BID && bids < BIDS -> bids++; mine = bids };
        if
        :: file[0] = mine;
            if
            :: file[1] = mine
            :: travels[mine] = true          /* the write fell short */
            fi
        :: travels[mine] = true
        fi;
        on_token[at] = mine
    :: atomic { mine != 0 && !travels[mine] && closed[at] != mine -> file[0] = mine };   /* the hop is sent again */
        file[1] = mine
    od
}

/* Who closes the rounds with this node's bids in an epoch. */
proctype holder(byte self) {
    byte bid, first, second;
    do
    :: atomic { on_token[self] > bid -> bid = on_token[self] };   /* a hop that came before is dropped */
        if
        :: travels[bid] -> atomic { first = bid; second = bid }
        :: else -> first = file[0]; second = file[1]
        fi;
        if
        :: !IS(bid) ->
            assert(self != epoch || started > 1 || spoils > 0);   /* lost: the epoch ends */
            break
        :: else
        fi;
#ifdef MAPPED
        if :: !travels[bid] -> atomic { first = file[0]; second = file[1] } :: else fi;
#endif
        atomic {
            if
            :: self == epoch ->
                assert((decided_ever & (1 << bid)) == 0);
                assert(first == bid && second == bid);            /* a record has what was placed for its bid */
                decided = bid; decided_ever = decided_ever | (1 << bid);
                record[0] = first; record[1] = second; written = false
            :: else -> break                                      /* fenced */
            fi
        };
        if
        :: write_output(); closed[self] = bid
        :: break                                                  /* it ends before a word of it is told */
        fi
    od
}

/* Epochs end at any time: before the next one has a token, the last round is in the output. */
proctype world() {
    do
    :: atomic { started < PROCESSES -> run bidder(started); started++ }
    :: atomic { epoch < EPOCHS ->
            write_output();
            epoch++;
            if :: member[epoch] = 0 :: started > 1 -> member[epoch] = 1 fi;
            run holder(epoch) }
    :: atomic { spoils < SPOILS -> spoils++; if :: file[0] = 0 :: file[1] = 0 fi }
    od
}

init { atomic { run bidder(0); run holder(1); run world() } }
