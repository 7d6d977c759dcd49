// Pushes messages and waits until each is durable. Usage: push NODES MESSAGE..., as in: push 127.0.0.1:5000 tea coffee
#include <anel/client.hpp>

#include <iostream>

int main(int argc, char** argv) {
    using namespace anel::client;
    if (argc < 3) {
        std::cerr << "usage: push NODES MESSAGE...\n";
        return 2;
    }
    Client client{{.nodes = parse_nodes(argv[1]).value()}};
    std::vector<std::future<Outcome>> outcomes;
    for (int index = 2; index < argc; ++index) outcomes.push_back(client.push(argv[index], index));
    for (auto& outcome : outcomes) {
        if (!std::holds_alternative<Durable>(outcome.get())) return 1;
    }
    std::cout << outcomes.size() << " durable\n";
    return client.close(std::chrono::seconds{10}, Farewell::bye) ? 0 : 1;
}
