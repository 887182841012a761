/// Watch channels: who wants to hear that a calendar changed.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "net/message.h"
#include "sandbox/answer.h"

namespace calhost::sandbox {

struct Channel {
    std::string id;
    std::string resource_id;  ///< stable for a calendar, opaque to the receiver
    std::string resource_uri;
    std::string account;
    std::string calendar;
    std::string token;
    std::string address;
    Timestamp expiration;
    std::uint64_t messages = 0;
};

/// *Thread*: one.
class Channels {
  public:
    /// *Errors*: 400 `channelIdNotUnique`.
    Answer<Channel*> open(Channel channel, Timestamp now);
    /// *Errors*: 404, for a channel that is not there or belongs to somebody else.
    Answer<> stop(std::string_view id, std::string_view resource_id, std::string_view account);
    /// The channels of a calendar that have not expired.
    std::vector<Channel*> of(std::string_view account, std::string_view calendar, Timestamp now);
    void clear() { channels_.clear(); }

  private:
    void drop_expired(Timestamp now);
    std::vector<std::unique_ptr<Channel>> channels_;
};

/// The message that Google would POST: an empty body, everything in the headers. `state` is "sync"
/// or "exists".
net::ClientRequest make_notification(Channel& channel, std::string_view state);

}  // namespace calhost::sandbox
