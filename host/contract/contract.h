/// The contract that every provider passes, as checks that run against any account: the simulated
/// and real services of the tests, and a person's own account by `calhost provider check`. A check
/// writes events of its own, some weeks ahead, and deletes them again.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "contract/front.h"
#include "plugin/provider.h"

namespace calhost::contract {

enum class Verdict { ok, failed, not_offered };

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string why;  ///< a sentence, unless it is ok
};

/// What only the service's owner can do; each is empty where nobody can, and the checks that need
/// it are not offered then.
struct Stage {
    std::function<void()> expire_cursors;
    /// Invites the guest to the event, without mail.
    std::function<void(const std::string& event_id)> invite_guest;
    std::function<std::size_t()> count_mails;  ///< those that this provider caused
    /// The owner deletes what the provider will not touch.
    std::function<void(const std::string& event_id)> remove_event;
    /// An invitation that the owner of the calendar declined.
    std::function<void(const calendar::Event&)> add_declined;
    std::string channel_url;  ///< that the service would send notifications to
};

/// Pages of the provider that is to show how it pages.
inline constexpr int kSmallPage = 3;

/// The source again, with `can.max_page` small, which a provider looks at with every call.
plugin::ProviderSource with_small_pages(plugin::ProviderSource source);

/// What is checked. Both providers go out through `front`.
struct Subject {
    plugin::Provider& provider;
    plugin::Provider& paging;  ///< the same with small pages
    FrontTransport& front;
    plugin::Access& access;
    const Clock& clock;
    std::string calendar_id;
    std::string run;  ///< of letters and digits, another one each time; in titles and keys
    Stage stage = {};
    std::vector<std::string> made = {};  ///< what is to be deleted
    int count = 0;                       ///< of keys
};

struct Check {
    std::string_view name;  ///< what holds, as a sentence without its end
    Task<Finding> (*run)(Subject& subject);
};

/// In the order in which they make sense.
const std::vector<Check>& checks();

/// Runs one check, and deletes what it made. *Errors*: none: what goes wrong is its finding.
Task<Finding> run_check(const Check& check, Subject& subject);

std::string_view to_string(Verdict verdict);

// --- for the files of checks ------------------------------------------------------------------

std::vector<Check> account_checks();
std::vector<Check> write_checks();
std::vector<Check> field_checks();
std::vector<Check> feed_checks();
std::vector<Check> series_checks();
std::vector<Check> day_checks();
std::vector<Check> busy_checks();
std::vector<Check> fault_checks();

}  // namespace calhost::contract
