#pragma once
// LoadShard: its making, its loop and its orders.

#include "bench/load/shard.h"

namespace millrace::bench {

template <class C>
Expected<std::unique_ptr<LoadShard<C>>> LoadShard<C>::create(C& carrier, const LoadPlan& plan, unsigned index,
                                                             LoadDesk& desk) {
    std::unique_ptr<LoadShard> shard(new LoadShard(carrier, plan, index, desk));
    auto endpoint =
        EndpointType::create(carrier, plan.options.endpoint, app(route("", LoadClient<C>(*shard))));
    if (!endpoint) return tl::unexpected(endpoint.error());
    shard->endpoint_ = std::move(*endpoint);
    ClientTarget target = plan.target;
    if (plan.options.url.secure) {
        tls::ClientConfig config = plan.options.tls;
        config.host = plan.options.url.host;
        auto context = tls::ClientContext::create(config);
        if (!context) return tl::unexpected(context.error());
        target.tls = std::move(*context);
    }
    shard->target_ = shard->endpoint_->template add_target<LoadClient<C>>(std::move(target));
    return shard;
}

template <class C>
void LoadShard<C>::iterate() {
    const Time now = clock_.now();
    if (desk_.mailbox.has_new()) [[unlikely]]
        obey(now);
    polls_.turn(now, idle_);
    const auto events = carrier_.poll(now);
    idle_ = events.empty();
    endpoint_->handle(events, now);
    if (order_ != LoadOrder::kServe && tick(now)) {
        order_ = LoadOrder::kServe;
        desk_.mailbox.done();
    }
    endpoint_->tick(now);
    carrier_.flush(now);
}

template <class C>
void LoadShard<C>::obey(Time now) {
    const LoadOrder order = desk_.mailbox.take();
    if (order == LoadOrder::kStop) return stop(now);
    order_ = order;
    idle_ = false;
    if (order_ == LoadOrder::kOpen) begin_opening(now);
    if (order_ == LoadOrder::kTalk) begin_talking(now);
    if (order_ == LoadOrder::kClose) {
        endpoint_->drain(ws::CloseCode::kNormal, now);
        patience_.begin(now, stopped_ ? kStopPatience : Patience::kTime);
    }
}

// The stage that is on ends as soon as it can; when it is over already there is nothing to do.
template <class C>
void LoadShard<C>::stop(Time now) {
    stopped_ = true;
    recorder_.end(now);
    if (order_ == LoadOrder::kServe) desk_.mailbox.done();
}

// True when the stage is over.
template <class C>
bool LoadShard<C>::tick(Time now) {
    switch (order_) {
        case LoadOrder::kOpen:
            return go_on_opening(now);
        case LoadOrder::kTalk:
            return go_on_talking(now);
        case LoadOrder::kClose:
            return endpoint_->drained() || patience_.is_over(carrier_.connections(), now);
        case LoadOrder::kServe:
        case LoadOrder::kStop:
            break;
    }
    return true;
}

}  // namespace millrace::bench
