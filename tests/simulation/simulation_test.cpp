// Worlds from seeds. CALHOST_SEEDS=n tries n of them, CALHOST_SEED=n only that one, with its trace.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "simulation/kept_seeds.h"
#include "simulation/world.h"

namespace calhost::simulation {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Outcome run(std::uint64_t seed) { return World(seed).run(); }

void check(std::uint64_t seed, std::string_view what = {}) {
    const auto outcome = run(seed);
    for (const auto& finding : outcome.findings)
        FAIL_CHECK(fmt::format("seed {} {}: {}", seed, what, finding));
}

TEST_CASE("simulation: whatever goes wrong, what must hold holds") {
    if (const auto seed = number_from("CALHOST_SEED", 0); seed != 0) {
        const auto outcome = run(seed);
        std::cerr << outcome.tail;
        for (const auto& finding : outcome.findings) FAIL_CHECK(finding);
        return;
    }
    for (const auto& [seed, what] : kKeptSeeds) check(seed, what);
    const auto count = number_from("CALHOST_SEEDS", 200);
    for (std::uint64_t seed = 1; seed <= count; ++seed) check(seed);
}

TEST_CASE("simulation: the same seed gives the same world") {
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        const auto first = run(seed);
        const auto second = run(seed);
        INFO("seed " << seed);
        CHECK(first.hash == second.hash);
        CHECK(first.tail == second.tail);
    }
    CHECK(run(1).hash != run(2).hash);
}

}  // namespace
}  // namespace calhost::simulation
