#!/bin/sh
# The core is pure, and dependencies point one way: common <- ring/core <- ring/{ledger,transport,ops} <- ring/daemon,
# and ring/feed <- aneld; client needs common alone; nobody includes tests/. System headers are visible without linking,
# so a grep has to say so.
# Usage: check_arrows.sh ROOT
set -u
cd "${1:?the root of the repository}" || exit 2
bad=0

sources() { # folders that exist, their C++ files
    for folder in "$@"; do
        if [ -d "$folder" ]; then find "$folder" -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' \); fi
    done
}

# refuse WHY PATTERN FOLDER...: no line of the code there, comments aside, matches the extended regular expression;
# a file named in $except is passed over.
except=
refuse() {
    why=$1 pattern=$2
    shift 2
    # One process for all files: a busy machine forks slowly.
    found=$(sources "$@" | grep -vxF "${except:-none}" | sort | xargs -r grep -nE "$pattern" /dev/null |
        sed 's,//.*,,' | grep -E "^[^:]*:[0-9]+:.*($pattern)")
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$why" "$found"
        bad=1
    fi
}

refuse 'the core knows no socket, file, clock, thread, logger, environment or randomness of its own' \
    'zmq|fstream|<thread>|::now\(|random_device|getenv|mutex|<atomic>|<future>|<filesystem>|<iostream>|<unistd|<fcntl|<sys/|spdlog|[^_]rand\(|fopen|std::thread|sleep_for|CLOCK_|(^|[^_[:alnum:]])time\(' \
    ring/core
refuse 'common is words: no socket, thread or clock in it' 'zmq|<thread>|::now\(|random_device|getenv|<mutex>|spdlog' common

includes() { printf '#[[:space:]]*include[[:space:]]*"(%s)' "$1"; }
refuse 'common includes nothing but common' "$(includes 'ring/|client/|tests/')" common
refuse 'ring/core includes common alone' "$(includes 'ring/(ledger|transport|ops|feed|daemon)|client/|tests/')" ring/core
refuse 'ring/ledger includes common and ring/core alone' "$(includes 'ring/(transport|ops|feed|daemon)|client/|tests/')" ring/ledger
refuse 'ring/transport includes common and ring/core alone' "$(includes 'ring/(ledger|ops|feed|daemon)|client/|tests/')" ring/transport
refuse 'ring/ops includes common and ring/core alone' "$(includes 'ring/(ledger|transport|feed|daemon)|client/|tests/')" ring/ops
refuse 'ring/feed includes common, ring/core, ring/ledger and ring/transport alone' "$(includes 'ring/(ops|daemon)|client/|tests/')" ring/feed
refuse 'ring/daemon wires the ring together and includes no client' "$(includes 'client/|tests/')" ring/daemon
# The commands that read a ledger's folder need it, and the doctor a node's settings and ports; the library does not
# know that there are any.
except='client/backup.cpp
client/command/bench/thinning.cpp
client/command/export/pieces.cpp
client/command/followed.cpp
client/doctor/command.cpp
client/doctor/network.cpp
client/doctor/network.hpp
client/doctor/ports.cpp
client/doctor/ports.hpp
client/doctor/volume.cpp
client/doctor/volume.hpp
client/repair.cpp
client/report_json.hpp
client/verify.cpp'
refuse 'client includes common alone' "$(includes 'ring/|tests/')" client
except=
refuse 'nobody includes tests/' "$(includes 'tests/')" common ring client
# "../x.hpp" and "x.hpp" would hide an arrow from the rules above.
refuse 'includes name the path from the root' '#[[:space:]]*include[[:space:]]*"([^/"]*"|\.)' common ring client
exit $bad
