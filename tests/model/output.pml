/* The name output.txt (ring/ledger/output_turn.cpp, and from grant.cpp what makes a segment with a new file).
 *
 * Each segment here begins a new file of the output, so segment k and file k are one number. A node follows the newest
 * segment, enters its file, decides, and makes the next one; it can freeze in front of any step, for ever or until all
 * others are three files further. Hidden names are known by their tags: each is given once.
 */
#ifndef NODES
#define NODES 3
#endif
#ifndef FILES
#define FILES 3
#endif
#define PLACES 8  /* more than FILES */
#define TAGS 16

byte newest = 1;           /* the segments that are linked */
byte tag_of[PLACES];    /* of file k, as the header of segment k says it */
bool sealed[PLACES];
bool whole[PLACES];     /* all that was decided in segment k is written: said by the link of the next one */
byte named = 1;            /* the file that output.txt is */
bool numbered[PLACES];  /* the file has its number as a name */
bool waiting[TAGS];        /* a file waits under this name */
byte tags = 0;

/* As Output::turn does. Each line of its own can be the last one for a long time. */
inline enter(s) {
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
                    assert(whole[s - 1]);
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
    assert(named >= s)
}

proctype node() {
    byte s;
    byte opened;
    byte tag;
    do
    :: newest < FILES ->
        s = newest;
        enter(s);
        /* A round is decided: the segment is not sealed, so its file is output.txt. */
        atomic {
            if
            :: !sealed[s] -> assert(named == s)
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
        atomic {
            if
            :: newest == s ->
                whole[s] = true;
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
}

init {
    byte k;
    atomic {
        for (k : 1 .. NODES) {
            run node()
        }
    }
}
