/* The ledger under fencing, recovery, checkpoints and power cuts: what ring/ledger does, seen by a few nodes.
 *
 * A frozen process is one that Spin does not schedule; STEP marks the places where it can freeze or end. Anybody may
 * become candidate at any moment and views arrive at any time: no majority, no time-outs, so that nothing here leans on
 * them. A file is told apart from its name: `name` maps a segment's number to a file, and a file that lost its name
 * lives on for those who have it open. The epoch is called by its first file.
 *
 * Sizes:   NODES, MSGS, SEGS (numbers of segments), CRASHES, CUTS (power cuts), CKPTS (checkpoints), ROTATE,
 *          ANY_ORDER (any message may be bid first)
 * Breaks:  LATE_TRUNCATE NO_CATCHUP NO_RELINK_CHECK NO_FOLDER_SYNC NO_FILL WORD_TRUST LIVE_TAIL EARLY_ACK
 *          NO_REWRITE TRIM_BEFORE_SYNC LATE_FOLDER_SYNC; README.md says what each of them is
 */
#ifndef NODES
#define NODES 2
#endif
#ifndef MSGS
#define MSGS 2
#endif
#ifndef SEGS
#define SEGS 3
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef CUTS
#define CUTS 0
#endif
#ifndef CKPTS
#define CKPTS 0
#endif
#define SLOTS MSGS
#define ALL ((1 << MSGS) - 1)
#if CKPTS > 0
#define FILES (SEGS + 1)   /* one more: a number that was free again */
#else
#define FILES SEGS
#endif
#define PLACES (2 * MSGS + 1)
#define NONE 15
#define BLANK 255
#define BIT(v) (v == BLANK -> 0 : (v & 3 -> 1 << ((v & 3) - 1) : 0))   /* the message of a record, as a set */

/* --- the volume --- */
byte name[SEGS];                            /* 1 + the file of this number, 0 if there is none */
bool name_synced[SEGS];
byte files = 1;
byte number[FILES];                         /* header: number, boot, slots of the segment before, */
byte boot_of[FILES];
byte before[FILES];
byte gap[FILES]; byte base[FILES];          /*         first place of the gap, first place of round 1 */
bool sealed[FILES]; byte decided[FILES];    /* word 0 */
byte durable[FILES];                        /* word 1 */
byte rec[FILES * SLOTS]; bool rec_synced[FILES * SLOTS];
byte out[PLACES]; byte out_synced;          /* output.txt, one place a round */
byte mark_seg; byte mark_end; byte mark_set; bool mark_synced; byte marks;   /* the newest checkpoint */
/* --- the epochs, by first file: token and what it carries; was the view told --- */
byte token[FILES]; byte t_file[FILES]; byte t_slots[FILES]; byte t_set[FILES]; bool told[FILES];
byte boot; byte crashes;
/* --- ghosts: what was decided where, how far it was acked --- */
byte truth[PLACES]; byte truth_set; byte acked;
hidden byte i, j, k, x, y, top_file;

#define STEP(action) atomic { if \
    :: mb != boot -> goto reborn \
    :: mb == boot && crashes < CRASHES -> crashes++; goto reborn \
    :: mb == boot -> action fi }

inline newest_file(f) {
    i = SEGS - 1;
    do :: name[i] != 0 -> break :: else -> i-- od;
    f = name[i] - 1
}

inline valid_records(f, count) {
    count = 0;
    do :: count < SLOTS && rec[f * SLOTS + count] != 0 -> count++ :: else -> break od
}

/* How many slots file f has: by its successor's header, by its word, or, after a reboot, by its records. */
inline slots_of(f, count) {
    if
#ifndef LIVE_TAIL
    :: number[f] + 1 < SEGS && name[number[f] + 1] != 0 && name[number[f]] == f + 1 ->
        count = before[name[number[f] + 1] - 1]
    :: else ->
#else
    :: number[f] + 1 < SEGS && name[number[f] + 1] != 0 && name[number[f]] == f + 1 -> valid_records(f, count)
    :: else ->
#endif
        if
#ifndef WORD_TRUST
        :: boot_of[f] != boot -> valid_records(f, count)
#endif
        :: else -> count = decided[f]
        fi
    fi
}

/* The set of messages that the checkpoint and the journal name. */
inline read_all(set) {
    set = mark_set;
    j = mark_seg;
    do
    :: j < SEGS && name[j] != 0 ->
        x = name[j] - 1;
        slots_of(x, y);
        k = 0;
        do :: k < y -> set = set | BIT(rec[x * SLOTS + k]); k++ :: else -> break od;
        j++
    :: else -> break
    od
}

inline write_place(p, value) {
    assert(truth[p] == value);                                /* S1: only decided bytes are written */
    assert(out[p] == 0 || out[p] == value || value == BLANK); /* S5 */
    out[p] = value
}

inline sync_file(f, count) {
    k = 0;
    do :: k < SLOTS -> rec_synced[f * SLOTS + k] = (rec[f * SLOTS + k] != 0); k++ :: else -> break od;
    if :: durable[f] < count -> durable[f] = count :: else fi
}

/* After a reboot: every round since the checkpoint is written once more, except the very last. */
inline rewrite_all() {
    j = mark_seg;
    do
    :: j < SEGS && name[j] != 0 ->
        x = name[j] - 1;
        k = gap[x];
        do :: k < base[x] -> write_place(k, BLANK); k++ :: else -> break od;
        slots_of(x, y);
        k = 0;
        do
        :: k < y && !(x == e && k + 1 == y) ->
            if :: base[x] + k >= mark_end -> write_place(base[x] + k, rec[x * SLOTS + k]) :: else fi;
            k++
        :: else -> break
        od;
        j++
    :: else -> break
    od
}

proctype node(byte self) {
    byte mb = boot;        /* the boot this process belongs to */
    byte ep = NONE;        /* its epoch, by first file; NONE when it seeks */
    byte hi = 0;           /* the highest number of an epoch's first file it knows */
    byte f, n;             /* present segment, its slots known here */
    byte set;              /* its session table: which messages are written */
    byte v, e, c, size, g; /* of the step at hand */
    bool rotates;
    if :: self == 0 || told[0] -> ep = 0 fi;
top:
    do
    /* --- holder --- */
    :: atomic { mb == boot && ep != NONE && token[ep] == self && (set | t_set[ep]) != ALL ->
            set = set | t_set[ep];
            f = t_file[ep];
            n = t_slots[ep] };
        if
        :: STEP(token[ep] = (self + 1) % NODES)              /* nothing to write just now */
#ifdef ROTATE
        :: atomic { mb == boot && number[f] < SEGS - 1 ->
                if
                :: !sealed[f] && decided[f] == n -> sealed[f] = 1; rotates = 1; e = f; goto sealed_it
                :: else -> ep = NONE
                fi }
#endif
        :: n < SLOTS ->
            STEP(if
                :: (set & 1) == 0 -> v = 1
#ifdef ANY_ORDER
                :: (set & 2) == 0 -> v = 2
#else
                :: (set & 3) == 1 -> v = 2
#endif
#if MSGS > 2
                :: (set & 7) == 3 -> v = 3
#endif
                fi;
                v = v + ((self + 1) << 2) + (f << 4);
                rec[f * SLOTS + n] = v;
                rec_synced[f * SLOTS + n] = 0);
            STEP(if                                            /* the compare-and-set */
                :: !sealed[f] && decided[f] == n ->
                    decided[f] = n + 1;
                    newest_file(top_file);
                    assert(top_file == f);                     /* S1: the newest segment alone */
                    assert(truth[base[f] + n] == 0);           /* one value for a place */
                    assert(rec[f * SLOTS + n] == v);
                    assert((truth_set & BIT(v)) == 0);         /* S3 */
                    truth[base[f] + n] = v;
                    truth_set = truth_set | BIT(v)
                :: else -> ep = NONE; v = 0                    /* fenced */
                fi);
            if
            :: v == 0 -> skip
            :: v != 0 ->
                STEP(write_place(base[f] + n, v);
                     assert(base[f] + n == 0 || out[base[f] + n - 1] != 0));   /* a reader sees no hole */
                STEP(set = set | BIT(v); n++; v = 0;
                     t_set[ep] = set; t_slots[ep] = n; t_file[ep] = f; token[ep] = (self + 1) % NODES)
            fi
        fi
    /* --- member: a view that was told; any view that is newer than all it knows --- */
    :: atomic { mb == boot -> e = 1;
            do
            :: e < FILES && told[e] && number[e] > hi -> break
            :: e < FILES -> e++
            :: e == FILES -> break
            od;
            if
            :: e < FILES ->
                hi = number[e]; ep = e; f = e; n = 0; e = 0;
#ifndef NO_CATCHUP
                read_all(set);
                assert((set & ~truth_set) == 0);               /* nothing undecided is taken for written */
                assert((set | truth_set) == set);              /* and nothing decided is missed */
#endif
            :: else -> e = 0
            fi }
#if CUTS > 0
    /* --- the sync thread, and the acks that follow it --- */
    :: atomic { mb == boot && ep != NONE && boot_of[t_file[ep]] == boot && durable[t_file[ep]] < decided[t_file[ep]] ->
            x = t_file[ep];
            y = decided[x];
#ifdef EARLY_ACK
            durable[x] = y;
#else
            sync_file(x, y);
#endif
            if :: acked < base[x] + y -> acked = base[x] + y :: else fi }
#endif
#if CKPTS > 0
    /* --- a checkpoint of what this node knows --- */
    :: atomic { mb == boot && ep != NONE && marks < CKPTS && !rotates && v == 0 && n > 0 && t_file[ep] == f ->
            k = 0; x = 0;
            do :: k < base[f] + n -> x = x | BIT(truth[k]); k++ :: else -> break od;
            if
            :: x == set && boot_of[f] == boot -> marks++
            :: else -> goto top
            fi };
        STEP(sync_file(f, n);
#ifndef LATE_FOLDER_SYNC
             k = 0;
             do :: k < SEGS -> name_synced[k] = (name[k] != 0); k++ :: else -> break od;
#endif
             e = number[f]; c = base[f] + n;
             write_place(c - 1, rec[f * SLOTS + n - 1]);
             if :: e + 1 < SEGS && name[e + 1] != 0 && before[name[e + 1] - 1] == n -> e++ :: else fi;
             if :: out_synced < c -> out_synced = c :: else fi;
             k = 0;
             do :: k < c -> assert(out[k] == truth[k]); k++ :: else -> break od;
             size = set);
        STEP(if
            :: c > mark_end -> mark_end = c; mark_seg = e; mark_set = size; mark_synced = 0;
            :: else -> e = 0
            fi;
            c = 0; size = 0);
        STEP(
#ifndef TRIM_BEFORE_SYNC
            mark_synced = 1;
#ifndef UNORDERED_NAMES
            k = 0;                                             /* the file system's own journal is in order */
            do :: k < SEGS -> name_synced[k] = (name[k] != 0); k++ :: else -> break od;
#endif
#endif
            k = 0;
            do :: k < e -> name[k] = 0; name_synced[k] = 0; k++ :: else -> break od;
            e = 0)
#endif
    /* --- candidate --- */
    :: atomic { mb == boot && !rotates -> newest_file(e);
            if
            :: number[e] < SEGS - 1 && number[e] >= hi -> goto seal
            :: else -> e = 0
            fi }
    :: atomic { mb != boot -> goto reborn }
    od;
seal:
    STEP(slots_of(e, c);                                       /* seal */
         if :: boot_of[e] != boot -> decided[e] = c :: else -> c = decided[e] fi;
         sealed[e] = 1);
sealed_it:
    STEP(slots_of(e, c);                                       /* make it durable; after a reboot rewrite all */
         sync_file(e, c);
#ifndef LATE_FOLDER_SYNC
         name_synced[number[e]] = 1;
#endif
#if CUTS > 0
#ifndef NO_REWRITE
         if :: boot_of[e] != boot -> rewrite_all() :: else fi
#endif
#endif
    );
    STEP(if                                                    /* its last round once more, whoever wrote it */
         :: c > 0 -> write_place(base[e] + c - 1, rec[e * SLOTS + c - 1])
         :: else -> k = gap[e]; do :: k < base[e] -> write_place(k, BLANK); k++ :: else -> break od
         fi;
         size = base[e] + c;
#ifndef NO_FILL
         if
         :: boot_of[e] != boot ->
            k = size;
            do :: k < PLACES -> if :: out[k] != 0 -> size = k + 1 :: else fi; k++ :: else -> break od
         :: else
         fi
#endif
    );
    STEP(if                                                    /* link */
         :: name[number[e] + 1] != 0 || files == FILES ->
            if :: rotates -> ep = NONE :: else fi;
            rotates = 0; e = 0; c = 0; size = 0; goto top
         :: else ->
            g = files; files++;
            x = number[e] + 1;
            name[x] = g + 1;
            name_synced[x] = 0;
            number[g] = x; boot_of[g] = boot; before[g] = c;
            gap[g] = base[e] + c; base[g] = size;
            if
            :: mark_seg > x -> skip                            /* a number that was free again */
            :: else ->
                k = 0;
                do
                :: k < PLACES ->
                    assert((truth[k] != 0) == (k < gap[g]));   /* exactly what was decided lies below */
                    assert(k >= gap[g] || out[k] == truth[k]); /* and all of it is in the output */
                    if :: k >= gap[g] && k < base[g] -> assert(k >= acked); truth[k] = BLANK :: else fi;
                    k++
                :: else -> break
                od
            fi
         fi);
    STEP(
#ifndef NO_FOLDER_SYNC
         k = 0;
         do :: k < SEGS -> name_synced[k] = (name[k] != 0); k++ :: else -> break od;
#endif
#ifndef NO_RELINK_CHECK
         if
         :: mark_seg > number[g] ->
            if :: name[number[g]] == g + 1 -> name[number[g]] = 0 :: else fi;
            ep = (rotates -> NONE : ep); rotates = 0; e = 0; c = 0; size = 0; g = 0; goto top
         :: else
         fi
#endif
    );
    STEP(if :: mark_seg <= number[g] -> k = gap[g]; do :: k < base[g] -> write_place(k, BLANK); k++ :: else -> break od
            :: else fi);
#ifdef LATE_TRUNCATE
    STEP(k = base[g]; do :: k < PLACES -> assert(truth[k] == 0 || out[k] == 0); out[k] = 0; k++ :: else -> break od);
#endif
    STEP(f = g; n = 0;
         if
         :: rotates -> t_file[ep] = g; t_slots[ep] = 0; rotates = 0
         :: else ->
            ep = g; hi = number[g]; told[g] = 1;
            token[g] = self; t_file[g] = g; t_slots[g] = 0;
            read_all(set);
#ifndef NO_RELINK_CHECK
            assert((set & ~truth_set) == 0);
#endif
            t_set[g] = 0                                       /* results of this epoch; the rest is in the ledger */
         fi;
         e = 0; c = 0; size = 0; g = 0);
    goto top;
reborn:
    atomic {
        mb = boot; ep = NONE; set = 0; f = 0; n = 0; v = 0; e = 0; c = 0; size = 0; g = 0; rotates = 0;
        newest_file(hi);
        hi = number[hi];
        goto top
    }
}

#if CUTS > 0
/* All that was not synced survives or not, piece by piece. */
proctype power() {
    byte a, b, cuts;
    do
    :: atomic { cuts < CUTS ->
        cuts++;
        if :: !mark_synced && mark_end > 0 -> mark_end = 0; mark_seg = 0; mark_set = 0 :: skip fi;
#ifndef UNORDERED_NAMES
        if :: mark_end > 0 -> a = 0; do :: a <= mark_seg -> name_synced[a] = (name[a] != 0); a++ :: else -> break od
           :: else fi;
#endif
        mark_synced = 1;
        a = 0; b = 1;                                      /* b: no name was lost yet */
        do
        :: a < SEGS ->
            if
            :: name[a] != 0 && !name_synced[a] -> name[a] = 0; b = 0
#ifdef UNORDERED_NAMES
            :: name[a] != 0
#else
            :: name[a] != 0 && b
#endif
                -> name_synced[a] = 1
            :: name[a] == 0
            fi;
            a++
        :: else -> break
        od;
        a = 0;
        do
        :: a < FILES ->
            if :: decided[a] > 0 -> decided[a] = durable[a] :: skip fi;   /* the page with the words */
            b = 0;
            do
            :: b < SLOTS ->
                if
                :: rec[a * SLOTS + b] != 0 && !rec_synced[a * SLOTS + b] -> rec[a * SLOTS + b] = 0
                :: rec[a * SLOTS + b] != 0 -> rec_synced[a * SLOTS + b] = 1
                :: rec[a * SLOTS + b] == 0
                fi;
                b++
            :: else -> break
            od;
            token[a] = NONE; t_file[a] = 0; t_slots[a] = 0; t_set[a] = 0; told[a] = 0;
            a++
        :: else -> break
        od;
        a = out_synced;
        do :: a < PLACES -> if :: out[a] != 0 -> out[a] = 0 :: skip fi; a++ :: else -> break od;
        boot++;
        /* what is decided now, by the ledger's own rules; S2: nothing that was acked is missing */
        newest_file(a);
        assert(mark_seg <= number[a]);
        k = number[a];
        do
        :: k > mark_seg ->
            k--;
            assert(name[k] != 0);                          /* no segment is missing in between */
            x = name[k] - 1; y = 0;
            do
            :: y < before[name[k + 1] - 1] -> assert(rec[x * SLOTS + y] == truth[base[x] + y]); y++
            :: else -> break
            od
        :: else -> break
        od;
        valid_records(a, b);
        assert(b >= durable[a]);
        k = 0;
        do
        :: k < PLACES ->
            if
            :: k >= base[a] && k < base[a] + b ->
                assert(k >= acked || truth[k] == rec[a * SLOTS + k - base[a]]);
                truth[k] = rec[a * SLOTS + k - base[a]]
            :: k >= base[a] + b -> assert(k >= acked); truth[k] = 0
            :: else
            fi;
            k++
        :: else -> break
        od;
        truth_set = 0;
        k = 0;
        do :: k < PLACES -> truth_set = truth_set | BIT(truth[k]); k++ :: else -> break od;
        a = 0; b = 0 }
    :: atomic { cuts == CUTS -> break }
    od
}
#endif

init {
    atomic {
        name[0] = 1; name_synced[0] = 1; told[0] = 1;
        i = 1;
        do :: i < FILES -> token[i] = NONE; i++ :: else -> break od;
        i = 0;
        do :: i < NODES -> run node(i); i++ :: else -> break od;
#if CUTS > 0
        run power()
#endif
    }
}
