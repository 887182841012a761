/// The base of everything that must hold, whatever goes wrong.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/knowledge.h"
#include "simulation/people.h"
#include "simulation/trace.h"

namespace calhost::simulation {

/// A request of the host's to the provider.
struct Sent {
    std::string method, path;
    std::string access_token;   ///< of the Authorization field
    std::string refresh_token;  ///< of a refresh
    std::string revoked_token;  ///< of a revocation
    /// The connection whose stored token it carries, and its state at that moment.
    std::optional<StoredConnection> connection;
    Timestamp time{};
};

/// A request of a person's to the host, answered.
struct Called {
    std::string what;  ///< "ada GET /api/calendar/status"
    bool wants_json = true;
    const net::Response& response;
};

/// What the invariants look at. *Ownership*: refers to the parts of the world.
struct Scene {
    std::unique_ptr<test::TestHost> host;
    Knowledge known;
    People people;
    std::vector<std::string> findings;  ///< what was violated
};

/// One thing that must hold; looks on and never acts. *Thread*: one.
class Invariant {
  public:
    explicit Invariant(Scene& scene) : scene_(&scene) {}
    virtual ~Invariant() = default;

    /// A request leaves the host.
    virtual void sent(const Sent& /*request*/) {}
    /// An answer arrives there.
    virtual void answered(const Sent& /*request*/, const net::ClientResponse& /*answer*/) {}
    /// Nobody waits for this request any more: it is answered, cut or given up.
    virtual void ended(const Sent& /*request*/) {}
    /// A person got an answer.
    virtual void called(const Called& /*call*/) {}
    /// Between two steps.
    virtual void looked() {}
    /// The host crashed; its store is open again, nothing ran yet.
    virtual void restarted() {}
    /// Everything has come to rest, or a day was not enough for it.
    virtual void at_rest() {}

  protected:
    void violated(std::string sentence) { scene_->findings.push_back(std::move(sentence)); }
    [[nodiscard]] test::TestHost& host() const { return *scene_->host; }
    Scene* scene_;
};

using Invariants = std::vector<std::unique_ptr<Invariant>>;

/// All of them (invariants/).
Invariants make_invariants(Scene& scene);

}  // namespace calhost::simulation
