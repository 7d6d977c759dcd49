# What `cmake --install` gives to people who write clients in C++: libanel.a, its headers under include/anel, and what
# find_package(anel) and pkg-config need. Nothing else of the tree is for them.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
find_package(tl-expected REQUIRED)

# In the tree a header is included by its path from the root, which would be a name like any other on a user's machine
# (common/result.hpp); installed, it is <anel/result.hpp>. A header that includes one that is not installed is an error.
set(public_headers client/client.hpp client/options.hpp client/outcome.hpp client/timing.hpp
                   common/ids.hpp common/result.hpp common/strong.hpp)
set(installed_headers)
foreach(header ${public_headers})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${header})
  file(READ ${CMAKE_SOURCE_DIR}/${header} text)
  foreach(other ${public_headers})
    get_filename_component(name ${other} NAME)
    string(REPLACE "#include \"${other}\"" "#include <anel/${name}>" text "${text}")
  endforeach()
  if(text MATCHES "#include \"([^\"]*)\"")
    message(FATAL_ERROR "${header} is installed and includes ${CMAKE_MATCH_1}, which is not (client/install.cmake)")
  endif()
  get_filename_component(name ${header} NAME)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/include/anel/${name} CONTENT "${text}" @ONLY)
  list(APPEND installed_headers ${CMAKE_CURRENT_BINARY_DIR}/include/anel/${name})
endforeach()

# One archive: whoever links it need not know that the client protocol is a library of its own here.
add_library(anel_library STATIC $<TARGET_OBJECTS:anel_client> $<TARGET_OBJECTS:common>)
# It may become part of somebody's shared library. Nothing in it is there to be replaced at run time.
set_target_properties(anel_client common PROPERTIES POSITION_INDEPENDENT_CODE ON)
foreach(target anel_client common)
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endforeach()
set_target_properties(anel_library PROPERTIES OUTPUT_NAME anel EXPORT_NAME client LINKER_LANGUAGE CXX)
target_compile_features(anel_library INTERFACE cxx_std_20)
target_link_libraries(anel_library INTERFACE PkgConfig::zmq fmt::fmt tl::expected Threads::Threads)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/anel)
install(TARGETS anel_library EXPORT anel ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${installed_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/anel COMPONENT development)
install(EXPORT anel NAMESPACE anel:: FILE anelTargets.cmake DESTINATION ${config_folder} COMPONENT development)
configure_package_config_file(anelConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/anelConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
# Before 1.0.0 a new minor version may change everything (CHANGELOG.md).
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/anelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/anelConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/anelConfigVersion.cmake
        DESTINATION ${config_folder} COMPONENT development)

# The prefix is where the file lies, so an installation can be moved.
file(RELATIVE_PATH up_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(anel.pc.in ${CMAKE_CURRENT_BINARY_DIR}/anel.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/anel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
