// The images that a command line names: files, folders, patterns, and lists of files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "effdet/detect_images.h"

namespace effdet::cli {

/// In order: files as given, the images of folders by name, what patterns match that the shell did not expand, and then
/// the lines of the lists. Throws Error(kUsage) for a folder without images and a pattern without matches, and as
/// read_list().
std::vector<std::string> listed_files(const std::vector<std::string>& arguments, const std::vector<std::string>& lists);

/// The paths in a text file, or in standard input ("-"), one a line; empty lines are left out. A line ends in "\n" or
/// "\r\n". Throws Error(kIo), Error(kBadInput) for a line with a NUL byte, and Error(kUsage) where no path is there.
std::vector<std::string> read_list(const std::string& list);

/// With a name for each picture, after its image; images of one name get numbers. Throws Error(kUsage) where a picture
/// in the folder would replace its image; an empty folder stands for no pictures.
std::vector<ListedImage> name_pictures(const std::vector<std::string>& files, const std::filesystem::path& folder);

}  // namespace effdet::cli
