#pragma once
// EAL reports set-up errors by printing: usage pages to standard output, reasons to standard error. This
// catches both while it lives, so that one clear sentence can be made of them.

#include <string>

namespace millrace::net {

class CapturedOutput {
  public:
    CapturedOutput();
    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;
    ~CapturedOutput() { restore(); }

    // Gives the streams back; returns what was written meanwhile.
    std::string restore();

  private:
    int file_ = -1;
    int saved_out_ = -1;
    int saved_err_ = -1;
};

// Of all that EAL printed, the line that says most: the first that reports an error, without its prefix.
std::string first_complaint(const std::string& output);

}  // namespace millrace::net
