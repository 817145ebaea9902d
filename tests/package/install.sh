#!/usr/bin/env bash
# The installed tree: moved away from where it was installed and with the build out of sight, the program runs; the
# example compiles against the header and both libraries, by pkg-config and by CMake, and prints the program's figures;
# the shared library shows the functions of the header and nothing else; man pages and completions are well-formed.
set -euo pipefail
root=$INFOPLANE_ROOT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
pass() { passed=$((passed + 1)); }
fail() { echo "FAIL: $*" >&2; exit 1; }

"${CMAKE_COMMAND:-cmake}" --install "$INFOPLANE_BUILD" --prefix "$work/first" >"$work/log" || fail "$(cat "$work/log")"
mv "$work/first" "$work/tree"
tree=$work/tree
program=$tree/bin/infoplane
model=$tree/share/infoplane/demo/demo.q8_0.gguf text=$tree/share/infoplane/demo/heldout.jsonl

# -- the program, from an empty folder, with nothing of the build in its environment or its binary
mkdir "$work/empty"
(cd "$work/empty" && env -i PATH=/usr/bin:/bin "$program" analyze "$model" "$text" --documents 50 --orders 2 --json \
    --quiet >"$work/run.json") || fail "the installed program does not run"
pass
# No run path but to the folder that an archive brings its libraries in.
readelf -d "$program" "$tree"/lib*/libinfoplane.so 2>/dev/null | sed -n 's/.*R[UN]*PATH.*\[\(.*\)\]$/\1/p' >"$work/log"
[ "$(wc -l <"$work/log")" = 2 ] && ! grep -vE '^\$ORIGIN/(\.\./lib[a-z0-9_/-]*/)?infoplane$' "$work/log" ||
    fail "run paths: $(cat "$work/log")"
pass

# -- the example, four ways
libdir=$(dirname "$(find "$tree" -name infoplane.pc)")
export PKG_CONFIG_PATH=$libdir
flags() { pkg-config "$@" infoplane; }
example=$root/docs/examples/plane.c
cc -std=c99 -Wall -Wextra -Werror "$example" $(flags --cflags --libs) -o "$work/shared" || fail "shared library"
cc -std=c17 -Wall -Wextra -Werror "$example" $(flags --cflags) "$(dirname "$libdir")/libinfoplane.a" \
    $(flags --static --libs-only-l | sed 's/-linfoplane//') -o "$work/static" || fail "static library"
printf '#include <infoplane.h>\nint main() { ip_settings s; ip_settings_default(&s); return s.orders != 3; }\n' \
    >"$work/plus.cpp"
c++ -Wall -Werror "$work/plus.cpp" $(flags --cflags --libs) -o "$work/plus" || fail "the header in C++"
mkdir "$work/project"
cp "$example" "$work/project/"
cat >"$work/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(example C)
find_package(infoplane 0.1 REQUIRED)
add_executable(plane plane.c)
target_link_libraries(plane infoplane::infoplane)
add_executable(plane_static plane.c)
target_link_libraries(plane_static infoplane::static)
CMAKE
generator=Ninja
command -v ninja >/dev/null || generator="Unix Makefiles"
"${CMAKE_COMMAND:-cmake}" -G "$generator" -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$tree" >"$work/log" 2>&1 &&
    "${CMAKE_COMMAND:-cmake}" --build "$work/project/build" >"$work/log" 2>&1 || fail "CMake package: $(cat "$work/log")"
LD_LIBRARY_PATH=$(dirname "$libdir")
export LD_LIBRARY_PATH
"$work/plus" || fail "the library's defaults"
for one in shared static project/build/plane project/build/plane_static; do
    "$work/$one" "$model" "$text" >"$work/out" 2>/dev/null || fail "$one does not run"
    # The figures of the first layer as the program gives them.
    wanted=$(sed -n 's/.*"layer": 1, .*"X": \[{"I": \([0-9.]*\),.*"Y": \[{"I": \([0-9.]*\),.*/\1 \2/p' "$work/run.json" |
        awk '{ printf "layer  1  I(X;Z) %.4f  I(Y;Z) %.4f", $1, $2 }')
    [ -n "$wanted" ] && grep -qF "$wanted" "$work/out" || fail "$one: not the program's figures: $wanted"
    pass
done
status=0
"$work/shared" "$work/nothing.gguf" "$text" >"$work/out" 2>"$work/err" || status=$?
[ $status = 3 ] && grep -q nothing.gguf "$work/err" || fail "the example's error: $status"
pass

# -- what the shared library shows
nm -D --defined-only "$(dirname "$libdir")/libinfoplane.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
    sort >"$work/shown"
grep -v '^static inline' "$tree"/include/infoplane.h | grep -oE '\bip_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$work/declared"
diff "$work/declared" "$work/shown" >"$work/log" || fail "declared (<) and shown (>) differ: $(cat "$work/log")"
pass

# -- pages and completions name every command and every option of --help
for command in $("$program" --help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    page=$tree/share/man/man1/infoplane-$command.1
    [ -s "$page" ] || fail "no man page of $command"
    for option in $("$program" $command --help | sed -n '/^options/,$s/^  \(-[-a-z]*\) .*/\1/p'); do
        grep -qF "\\fB${option//-/\\-}\\fR" "$page" || fail "$page lacks $option"
        grep -q -- " $option\b" "$tree/share/bash-completion/completions/infoplane" || fail "bash lacks $option"
        grep -q -- "'$option\[" "$tree/share/zsh/site-functions/_infoplane" || fail "zsh lacks $option"
        grep -qE -- "seen_subcommand_from $command' -(l|s) ${option##*-}|${option#--} " \
            "$tree/share/fish/vendor_completions.d/infoplane.fish" || fail "fish lacks $option"
    done
    if command -v man >/dev/null; then
        man --warnings -l "$page" 2>&1 >/dev/null | grep . && fail "$page: the formatter complains"
    fi
    pass
done
bash -n "$tree/share/bash-completion/completions/infoplane" || fail "bash completion"
completed=$(bash -c "source '$tree/share/bash-completion/completions/infoplane'
    COMP_WORDS=(infoplane analyze --calib) COMP_CWORD=2; _infoplane; echo \"\${COMPREPLY[*]}\"")
[ "$completed" = --calibration ] || fail "bash completes --calib to '$completed'"
pass
echo "$passed passed"
