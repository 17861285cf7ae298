#pragma once
// The files of a directory as pages of a server (--www). All are read once, at the start: a shard never opens
// a file, and a request's path is only ever compared with those that exist, so that none leads out of the
// directory.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/endpoint/routes.h"
#include "netstack/base/error.h"

namespace millrace {

// A page for each file under `directory`, by its path there; `index.html` for its folder, and a redirection
// to a folder for its name without the slash. Hidden names, but for `.well-known`, and links that lead out
// are left out. Fails when there is none, or a file or all together are longer than `most_file` and `most`
// bytes.
Expected<std::vector<Page>> load_pages(const std::string& directory, std::size_t most_file, std::size_t most);

}  // namespace millrace
