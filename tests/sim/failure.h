#pragma once
// A property that does not hold. Thrown where it is seen; ends the simulation.

#include <string>

namespace millrace::sim {

struct Failure {
    std::string what;
};

inline void require(bool holds, const char* what) {
    if (!holds) throw Failure{what};
}

}  // namespace millrace::sim
