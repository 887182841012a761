/// One connected account as the matrix of faults sees it: a provider, an access, a calendar of its
/// own, and a wire that breaks.
#pragma once

#include <memory>

#include "calendar/zone.h"
#include "faults/wire.h"
#include "plugin/provider.h"

namespace calhost::test {

class Bed {
  public:
    virtual ~Bed() = default;
    virtual plugin::Provider& provider() = 0;
    virtual plugin::Access& access() = 0;
    [[nodiscard]] virtual std::string calendar() const = 0;
    [[nodiscard]] virtual Timestamp now() const = 0;
    /// What this provider answers when it refuses with `status`; `word` is its own name for why.
    [[nodiscard]] virtual net::ClientResponse refusal(int status, std::string_view word) const = 0;
    /// Long enough for every Retry-After to be over.
    virtual void let_time_pass() = 0;

    template <class T>
    T wait(Task<T> task) {
        std::optional<T> value;
        run(take(std::move(task), value));
        return std::move(*value);
    }

    Wire wire;

  protected:
    virtual void run(Task<> task) = 0;

  private:
    template <class T>
    static Task<> take(Task<T> task, std::optional<T>& into) {
        into = co_await std::move(task);
    }
};

std::unique_ptr<Bed> make_google_bed();
std::unique_ptr<Bed> make_outlook_bed();
/// The real Radicale; one server for all beds of a test program.
std::unique_ptr<Bed> make_caldav_bed();

}  // namespace calhost::test
