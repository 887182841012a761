/// One simulated world: a host, people, a provider, and everything that goes wrong between them.
#pragma once

#include "simulation/caller.h"
#include "simulation/editor.h"
#include "simulation/network.h"

namespace calhost::simulation {

struct Outcome {
    std::uint64_t hash = 0;             ///< of the trace
    std::vector<std::string> findings;  ///< what was violated; empty: all is well
    std::string tail;                   ///< the end of the trace
    int crashes = 0;
};

/// Phase one: two hours of faults, edits and crashes. Phase two: no more of them, and the host has
/// a day to come to rest. *Thread*: one; uses nothing but the seed.
class World {
  public:
    explicit World(std::uint64_t seed);
    /// The host first: what waits in it looks at all the rest.
    ~World() { scene_.host.reset(); }
    World(const World&) = delete;

    Outcome run();

  private:
    void open_accounts();
    void open_shop();
    void run_trouble();
    void come_to_rest();
    void act();
    void act_at_provider(Person& person);
    void act_for(Person& person);
    void act_for_shop();
    void reconnect_what_broke(Person& person);
    void start(Task<> task);
    void advance(milliseconds duration);
    void crash();
    void tamper();
    [[nodiscard]] bool is_at_rest();
    [[nodiscard]] bool is_well() const { return scene_.findings.empty(); }
    test::TestHost& host() { return *scene_.host; }

    Dice dice_;
    Invariants invariants_;
    Scene scene_;
    Trace trace_;
    Faults faults_;
    Network network_;
    Caller caller_;
    Editor editor_;
    bool is_trouble_ = true;
    int crashes_ = 0;
};

}  // namespace calhost::simulation
