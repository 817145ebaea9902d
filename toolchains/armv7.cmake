# Cross build for 32-bit ARM (ARMv7-A, hard float, VFPv4 for its fused multiply-add), against the sysroot that
# toolchains/sysroot.sh makes; programs run through qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=vfpv4 -mfloat-abi=hard")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
set(ip_sysroot armv7)
set(ip_emulators qemu-arm qemu-arm-static)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
