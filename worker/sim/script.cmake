# The shipped settings are built in, so that bedrock-sim and the demo need no file beside them.
set(sim_script ${CMAKE_SOURCE_DIR}/config/sim.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sim_script})
file(READ ${sim_script} sim_script_bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," sim_script_bytes "${sim_script_bytes}")
string(REPLACE "0x0a," "0x0a,\n" sim_script_bytes "${sim_script_bytes}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/sim_script.c CONTENT
"#include \"sim/settings.h\"
const unsigned char SIM_SCRIPT[] = {@sim_script_bytes@};
const unsigned long SIM_SCRIPT_LEN = sizeof SIM_SCRIPT;
" @ONLY)
target_sources(sim PRIVATE ${CMAKE_BINARY_DIR}/sim_script.c)
