# What an installation has beside the programs: manual pages, completion and the unit; and the Debian package:
#   cpack --config build/release/CPackConfig.cmake
# Pages and completion are printed by the programs, from the tables of their help.

set(printed ${CMAKE_BINARY_DIR}/printed)
# printed_file(<name below printed/> <program> <argument>…)
function(printed_file name program)
    get_filename_component(folder ${printed}/${name} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${printed}/${name}
        COMMAND ${program} ${ARGN} > ${printed}/${name}
        DEPENDS ${program} VERBATIM)
    set(printed_files ${printed_files} ${printed}/${name} PARENT_SCOPE)
endfunction()

# printed_manual(<section> <name> <program> <argument>…)
function(printed_manual section name program)
    set(page ${printed}/${name}.${section})
    file(MAKE_DIRECTORY ${printed})
    add_custom_command(OUTPUT ${page}.gz
        COMMAND ${program} ${ARGN} > ${page}
        COMMAND gzip -9nf ${page}
        DEPENDS ${program} VERBATIM)
    set(printed_files ${printed_files} ${page}.gz PARENT_SCOPE)
    install(FILES ${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()

if(NOT CMAKE_CROSSCOMPILING AND NOT BEDROCK_SANITIZE AND NOT BEDROCK_FUZZ)
    printed_manual(1 bedrock-worker bedrock-worker reference --man 1)
    printed_manual(5 bedrock-worker.yaml bedrock-worker reference --man 5)
    printed_manual(1 bedrock-sim bedrock-sim --man)
    printed_file(bash/bedrock-worker bedrock-worker reference --completion bash)
    printed_file(zsh/_bedrock-worker bedrock-worker reference --completion zsh)
    add_custom_target(printed ALL DEPENDS ${printed_files})
    install(FILES ${printed}/bash/bedrock-worker DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${printed}/zsh/_bedrock-worker DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endif()

# The settings and the unit. A prefix of /usr has its settings in /etc; the unit names the paths of this installation.
# A settings file that is there is its operator's: installing again leaves it alone.
install(CODE "
    set(settings \"${CMAKE_INSTALL_SYSCONFDIR}\")
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
        set(settings /etc)
    elseif(NOT IS_ABSOLUTE \"\${settings}\")
        set(settings \"\${CMAKE_INSTALL_PREFIX}/\${settings}\")
    endif()
    foreach(name worker.yaml prices.yaml)
        if(NOT EXISTS \"\$ENV{DESTDIR}\${settings}/bedrock-worker/\${name}\")
            file(INSTALL \"${CMAKE_SOURCE_DIR}/config/\${name}\" DESTINATION \"\${settings}/bedrock-worker\")
        endif()
    endforeach()
    file(READ \"${CMAKE_SOURCE_DIR}/deploy/bedrock-worker.service\" unit)
    string(REPLACE /usr/local/etc \"\${settings}\" unit \"\${unit}\")
    string(REPLACE /usr/local/bin \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\" unit \"\${unit}\")
    file(WRITE \"${CMAKE_BINARY_DIR}/installed/bedrock-worker.service\" \"\${unit}\")
    file(INSTALL \"${CMAKE_BINARY_DIR}/installed/bedrock-worker.service\"
        DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/kubernetes DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)

# The package. Its version has a revision, so that a package of the same sources can follow it.
set(BEDROCK_PACKAGER "bedrock-worker <root@localhost>" CACHE STRING "Who makes the Debian package: name <address>")
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
set(changelog ${CMAKE_BINARY_DIR}/installed/changelog.Debian)
configure_file(${debian}/changelog.in ${changelog} @ONLY)
add_custom_command(OUTPUT ${changelog}.gz
    COMMAND gzip -9nkf ${changelog}
    DEPENDS ${changelog} VERBATIM)
add_custom_target(changelog ALL DEPENDS ${changelog}.gz)
install(FILES ${changelog}.gz ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bedrock-worker)
set(CPACK_PACKAGE_VENDOR "bedrock-worker")
set(CPACK_PACKAGE_CONTACT ${BEDROCK_PACKAGER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "chat requests from Kafka through Amazon Bedrock and back")
set(CPACK_PACKAGE_DESCRIPTION "A worker that takes chat requests from Kafka topics, calls the models of Amazon
Bedrock, and publishes answers, usage and errors exactly once. bedrock-sim is
a local Amazon Bedrock Runtime for development and tests.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
include(CPack)
