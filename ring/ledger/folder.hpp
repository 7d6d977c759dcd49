// The data folder: may we use it, and is its file system one the ledger can keep its promises on.
#pragma once

#include <filesystem>
#include <optional>

#include "ring/ledger/files.hpp"

namespace anel {

/// Descriptors of the folders of one ledger.
struct Folders {
    std::filesystem::path path;
    Descriptor data;
    Descriptor anel;
    Descriptor journal;
    Descriptor checkpoint;
};

/// Opens the data folder. `folder_unusable` with one line about what is wrong and what to do.
/// @param magic  taken for the file system's type instead of what statfs says (a test's)
[[nodiscard]] Result<Folders> open_data_folder(const std::filesystem::path& path, std::optional<long> magic);

/// Opens `.anel` and what is in it, making each folder that is missing and making it durable.
[[nodiscard]] Result<void> make_inner_folders(FileSystem& files, Folders& folders);

/// Opens the data folder for one who only looks.
[[nodiscard]] Result<Folders> open_folder_to_read(const std::filesystem::path& path);

/// Opens one folder inside another, making it and its name durable where it is missing.
[[nodiscard]] Result<Descriptor> make_folder(FileSystem& files, const Folders& folders, int parent, const char* name);

/// Opens `.anel` and those of its folders that are there. False: there is no `.anel`.
[[nodiscard]] Result<bool> open_inner_folders(FileSystem& files, Folders& folders);

/// Tries what the ledger needs: files without a name that get one, shared maps, reserved space, fsync.
/// A full disk says nothing about that and is passed over.
[[nodiscard]] Result<void> try_file_system(FileSystem& files, const Folders& folders);

/// The same error as one of the folder, for whom may not write here (uid and owner), a read-only or a full one.
[[nodiscard]] Error explain(const Folders& folders, Error error, int error_number);

}  // namespace anel
