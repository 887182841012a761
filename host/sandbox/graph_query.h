/// $select, $expand, $filter and $orderby, as far as a calendar needs them.
#pragma once

#include "sandbox/graph_item.h"

namespace calhost::sandbox::graph {

struct QueryOptions {
    std::vector<std::string> select;        ///< empty: all
    std::vector<std::string> expand_marks;  ///< ids of extended properties
    bool expands_exceptions = false;
};
/// *Errors*: 400, for an expansion that is not known.
Answer<QueryOptions> read_options(const Call& call);

/// Applies $select and $expand to what `present` gave.
boost::json::object project(boost::json::object shown, const Item& item, const Calendar& home,
                            const QueryOptions& options, const Prefer& prefer);

/// Keeps what $filter wants and sorts as $orderby says. *Errors*: 400.
Answer<> filter_and_sort(const Call& call, std::vector<Item>& items);

}  // namespace calhost::sandbox::graph
