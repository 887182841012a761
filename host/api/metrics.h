/// Counters for GET /metrics (Prometheus text).
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "storage/database.h"

namespace calhost::api {

/// *Thread*: any; one for the whole host.
class Metrics {
  public:
    Metrics();
    ~Metrics();

    void count_request(int status);
    void count_sync(bool is_good);
    /// The text form, with the store's numbers read now.
    std::string text(storage::Sql& sql);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace calhost::api
