// The contract, kept by providers/caldav with the real Radicale and Xandikos.
#include "contract/backend.h"
#include "plugin/caldav_world.h"

using namespace calhost;
using namespace calhost::test;

namespace {

using Kind = CaldavServer::Kind;

void expect_of(Kind kind, const std::set<std::string>& not_offered) {
    CaldavWorld world(kind);
    world.discover();
    Contract contract{source_of("caldav"),
                      {*world.transport, world.clock, world.timers, world.random},
                      world.access,
                      world.calendar};
    expect_contract(
        contract.subject,
        [&](const contract::Check& check, contract::Subject& subject) {
            return world.wait(contract::run_check(check, subject));
        },
        not_offered);
}

const std::set<std::string> kNotOffered{"a channel opens, is renewed and closes",
                                        "faults while opening a channel have their codes",
                                        "nobody gets mail, and guests stay"};

TEST_CASE("contract: caldav keeps it with Radicale") { expect_of(Kind::radicale, kNotOffered); }

TEST_CASE("contract: caldav keeps it with Xandikos") { expect_of(Kind::xandikos, kNotOffered); }

}  // namespace
