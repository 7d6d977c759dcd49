/* The name output.txt (ring/ledger/output_turn.cpp, and from grant.cpp what makes a segment with a new file).
 *
 * Each segment here begins a new file of the output, so segment k and file k are one number. A node follows the newest
 * segment, enters its file, decides, and makes the next one; it can freeze in front of any step, for ever or until all
 * others are three files further. Hidden names are known by their tags: each is given once. A power cut ends all nodes,
 * tears what no checkpoint covers, and may take back a rename and a number that were not synced; they start again.
 */
#ifndef NODES
#define NODES 3
#endif
#ifndef FILES
#define FILES 3
#endif
#ifndef CUTS
#define CUTS 0
#endif
#define PLACES 8  /* more than FILES */
#define TAGS 16

byte newest = 1;        /* the segments that are linked */
byte tag_of[PLACES];    /* of file k, as the header of segment k says it */
byte boot_of[PLACES];   /* of the machine that linked segment k */
bool sealed[PLACES];
bool whole[PLACES];     /* all that was decided in segment k is written: said by the link of the next one */
bool torn[PLACES];      /* but a power cut took some of it */
byte named = 1;         /* the file that output.txt is */
byte synced = 1;        /* the one that it is at least behind a power cut */
bool numbered[PLACES];  /* the file has its number as a name */
bool waiting[TAGS];     /* a file waits under this name */
byte tags = 0;
byte boot = 0;

/* As FileLedger::finish_output and Output::turn do. Each line of its own can be the last one for a long time. */
inline enter(s) {
    if
    :: s > 1 && boot_of[s] != boot ->
#ifndef NO_REWRITE
        torn[s - 1] = false;
#endif
        skip
    :: else
    fi;
    if
    :: s > 1 && waiting[tag_of[s]] ->
        opened = named;
        if
        :: waiting[tag_of[s]] ->  /* still: so what was opened is the file before */
            assert(opened == s - 1);
#ifndef NUMBER_LATE
            numbered[opened] = true;
#endif
            skip;
            atomic {
#ifdef RENAME_OVER
                assert(named <= s);
                named = s;
                waiting[tag_of[s]] = false
#else
                if
                :: waiting[tag_of[s]] ->
                    assert(named == s - 1);
                    assert(whole[s - 1] && !torn[s - 1]);
                    assert(numbered[s - 1]);
                    waiting[tag_of[s]] = false;
                    named = s
                :: else  /* nothing to rename: somebody was first */
                fi
#endif
            }
#ifdef NUMBER_LATE
            numbered[opened] = true
#endif
        :: else
        fi
    :: else
    fi;
    atomic {
        assert(named >= s);
        synced = named
    }
}

proctype node() {
    byte s;
    byte opened;
    byte tag;
    byte mine;
again:
    mine = boot;
    tag = 0;
    {
    do
    :: newest < FILES ->
        s = newest;
        enter(s);
        /* A round is decided: the segment is not sealed, so its file is output.txt. */
        atomic {
            if
            :: !sealed[s] && boot_of[s] == boot -> assert(named == s && synced == s)
            :: else
            fi
        }
#ifdef SHARED_NAME
        tag = s + 1;
#else
        atomic { tags++; tag = tags }
#endif
        waiting[tag] = true;
        sealed[s] = true;
        torn[s] = false;
        atomic {
            if
            :: newest == s ->
                whole[s] = true;
                boot_of[s + 1] = boot;
                newest = s + 1;
                tag_of[s + 1] = tag;
                tag = 0
            :: else
            fi
        }
        if
        :: tag != 0 -> waiting[tag] = false  /* another one was first: the name was ours alone */
        :: else
        fi
    :: else -> break
    od;
    s = newest;
    enter(s)
    } unless {
        boot != mine -> goto again
    }
}

/* The power goes. */
proctype cut() {
    byte k;
    do
    :: boot < CUTS ->
        atomic {
            boot++;
            for (k : 1 .. FILES) {
                torn[k] = true
            }
            if
            :: named > synced && waiting[tag_of[named]] == false ->
                waiting[tag_of[named]] = true;
                named = synced
            :: true
            fi;
            if
            :: numbered[named] = false
            :: true
            fi;
            synced = named
        }
    :: break
    od
}

init {
    byte k;
    atomic {
        for (k : 1 .. NODES) {
            run node()
        }
        run cut()
    }
}
