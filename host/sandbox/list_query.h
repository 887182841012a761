/// The parameters of events.list, and the tokens that carry them on.
#pragma once

#include <set>

#include "sandbox/calendar_api.h"

namespace calhost::sandbox {

struct ListQuery {
    int max_results = 250;
    bool is_expanded = false;  ///< singleEvents
    bool shows_deleted = false;
    std::string order;  ///< "", "startTime", "updated"
    std::optional<Timestamp> time_min;
    std::optional<Timestamp> time_max;
    std::optional<Timestamp> updated_min;
    std::string uid;
    std::string text;  ///< lower case
    std::vector<std::pair<std::string, std::string>> private_properties;
    std::vector<std::pair<std::string, std::string>> shared_properties;
    std::set<std::string> types;
    View view;

    // What a token brings.
    bool is_incremental = false;
    std::uint64_t since = 0;     ///< changes behind this position
    std::uint64_t snapshot = 0;  ///< where the next sync begins
    std::optional<std::pair<std::int64_t, std::string>>
        after;  ///< the last item of the page before

    /// False when a filter is set that a sync token cannot remember.
    [[nodiscard]] bool gives_sync_token() const {
        return order.empty() && !updated_min && uid.empty() && text.empty() &&
               private_properties.empty() && shared_properties.empty();
    }
};

/// Reads parameters and tokens. *Errors*: 400, and 410 for a token that has ended.
Answer<ListQuery> read_list_query(const Call& call);
std::string make_sync_token(const Call& call, const ListQuery& query);
std::string make_page_token(const Call& call, const ListQuery& query, std::int64_t key,
                            std::string_view id);

}  // namespace calhost::sandbox
