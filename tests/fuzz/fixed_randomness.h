#pragma once

namespace millrace::fuzz {

// OpenSSL's randomness becomes a fixed sequence, or begins it anew: an input does the same in every run.
void fix_randomness();

}  // namespace millrace::fuzz
