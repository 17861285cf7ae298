#pragma once
// Where a server's publications come from besides its publishers: read by a thread of its own, and handed to
// the first shard by a ring. While the ring is full the thread waits, and what it reads from notices.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "engine/fanout/feed.h"
#include "engine/mold/feed.h"

namespace millrace {

class Source {
  public:
    // `url`: mold://...; null for an empty one.
    static Expected<std::unique_ptr<Source>> start(const std::string& url,
                                                   std::shared_ptr<fanout::FeedGround> ground);
    ~Source();
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

  private:
    Source(mold::Feed feed, std::shared_ptr<fanout::FeedGround> ground);

    void run();
    bool hand_over(const publish::Item& item);
    void say_end() const;

    mold::Feed feed_;
    std::shared_ptr<fanout::FeedGround> ground_;
    std::uint64_t handed_over_ = 0;
    std::atomic<bool> over_{false};
    std::thread thread_;
};

}  // namespace millrace
