#!/bin/sh
# A check that finds nothing must be able to find something: breaks each rule once in a copy and expects a refusal.
set -eu
check=$(dirname "$(readlink -f "$0")")/check_arrows.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/common" "$root/ring/core" "$root/ring/ledger" "$root/ring/transport" "$root/ring/ops" "$root/client"
echo '#include "common/ids.hpp"  // no zmq, no mutex here' > "$root/ring/core/good.cpp"
"$check" "$root"
breaks() { # FILE LINE
    echo "$2" > "$root/$1"
    if "$check" "$root" > /dev/null; then
        echo "not found: $2 in $1"
        exit 1
    fi
    rm "$root/$1"
}
breaks ring/core/bad.cpp '#include <zmq.hpp>'
breaks ring/core/bad.cpp '#include <fstream>'
breaks ring/core/bad.cpp '#include <thread>'
breaks ring/core/bad.cpp 'auto now = std::chrono::steady_clock::now();'
breaks ring/core/bad.cpp 'auto now = Clock::now();'
breaks ring/core/bad.hpp 'std::random_device device;'
breaks ring/core/bad.cpp 'auto home = std::getenv("HOME");'
breaks ring/core/bad.cpp '#include <mutex>'
breaks ring/core/bad.cpp '#include <spdlog/spdlog.h>'
breaks ring/core/bad.cpp '#include "ring/ledger/record.hpp"'
breaks ring/core/bad.cpp '#include "ring/transport/link.hpp"'
breaks common/bad.hpp '#include "ring/core/node.hpp"'
breaks ring/ledger/bad.cpp '#include "ring/transport/link.hpp"'
breaks ring/transport/bad.cpp '#include "ring/ledger/record.hpp"'
breaks ring/ops/bad.cpp '#include "ring/daemon/settings.hpp"'
breaks client/bad.cpp '#include "ring/core/messages.hpp"'
breaks client/bad.cpp '#include "tests/unit/common/seed.hpp"'
breaks ring/core/bad.cpp '#include "../ledger/record.hpp"'
