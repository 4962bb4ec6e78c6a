// The images that a command line names: files, folders, patterns, and lists of files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "effdet/detect_images.h"

namespace effdet::cli {

/// In order: files as given, the images of folders by name, what lists in braces and patterns stand for that the shell
/// did not expand, and then the lines of the lists; of tar files the images in them. Pictures have no names yet. Throws
/// Error(kUsage) for a folder without images and a pattern without matches, and as read_list() and images_of_tar().
/// recursive: also what is in folders within folders. "-" is an image in standard input, which is read here;
/// addresses (http, https) are images, or tar files that are refused.
std::vector<ListedImage> listed_images(const std::vector<std::string>& arguments, const std::vector<std::string>& lists,
                                       bool recursive = false);

/// What --list is, for --help.
std::string list_help();

/// Whether an argument of listed_images() stands for files, and not for one folder or for nothing that is there.
bool names_files(const std::string& argument);

/// ".tar", and what is told apart by its content: ".tar.gz", ".tgz".
bool is_tar(const std::filesystem::path& path);

/// The paths in a text file, or in standard input ("-"), one a line; empty lines are left out. A line ends in "\n" or
/// "\r\n". Throws Error(kIo), Error(kBadInput) for a line with a NUL byte, and Error(kUsage) where no path is there.
std::vector<std::string> read_list(const std::string& list);

/// Gives each picture a name after its image; images of one name get numbers. Throws Error(kUsage) where a picture in
/// the folder would replace an image.
void name_pictures(std::vector<ListedImage>& images, const std::filesystem::path& folder);

}  // namespace effdet::cli
