#pragma once
// A function that is compiled once for each SIMD target (Google Highway), as the one for this machine. It is
// chosen before main() and called through one pointer: HWY_DYNAMIC_DISPATCH asks the library at every call,
// and what has to be saved for that costs as much as a short payload.

#include <hwy/targets.h>

namespace millrace::simd {

class AnyKernel {
  public:
    AnyKernel(const AnyKernel&) = delete;
    AnyKernel& operator=(const AnyKernel&) = delete;

    // Chooses all of them anew, for a test that has told Highway what it may choose from.
    static void choose_all() {
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        for (AnyKernel* kernel = all_; kernel != nullptr; kernel = kernel->next_)
            kernel->choose();
    }

  protected:
    AnyKernel() : next_(all_) { all_ = this; }
    ~AnyKernel() = default;

  private:
    virtual void choose() = 0;

    static inline AnyKernel* all_ = nullptr;
    AnyKernel* next_;
};

// An object of static storage duration.
template <class Function>
class Kernel final : AnyKernel {
  public:
    // `choice` says which is right for the target that Highway has chosen:
    // [] { return &HWY_DYNAMIC_DISPATCH(function); }
    explicit Kernel(Function* (*choice)()) : choice_(choice) {
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        choose();
    }

    template <class... Args>
    auto operator()(Args&&... args) const {
        return chosen_(static_cast<Args&&>(args)...);
    }

  private:
    void choose() override { chosen_ = choice_(); }

    Function* chosen_ = nullptr;
    Function* (*choice_)();
};

}  // namespace millrace::simd
