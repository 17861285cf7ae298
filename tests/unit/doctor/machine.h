#pragma once
// A machine as its files tell of it, laid in a temporary directory.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/doctor/examine.h"

namespace millrace::test {

class Machine : public ::testing::Test {
  protected:
    Machine() { std::filesystem::create_directories(root_); }
    ~Machine() override { std::filesystem::remove_all(root_); }

    void say(const std::string& path, const std::string& text) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << '\n';
    }
    void link(const std::string& path, const std::string& target) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::filesystem::create_symlink(target, root_ / path);
    }
    void forget(const std::string& path) { std::filesystem::remove_all(root_ / path); }

    const std::filesystem::path root_ =
        std::filesystem::temp_directory_path() / ("doctor-" + std::to_string(::getpid()));
    const doctor::MachineFiles files{root_};
};

}  // namespace millrace::test
