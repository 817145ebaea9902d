#!/usr/bin/env bash
# The Python wheel: built from the tree as a user builds it, installed into an empty environment, type-checked, and run
# through tests/python with the build out of its sight; the same wheel imported by every other Python that is there.
# What comes from PyPI is kept in build/<preset>/python, so that later runs need no network. Without the network the
# first time, and without Python, the test is skipped.
set -euo pipefail
root=$INFOPLANE_ROOT
home=$INFOPLANE_BUILD/python
mkdir -p "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
pass() { passed=$((passed + 1)); }
fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "SKIPPED: $*"; exit 77; }
# quietly WHAT COMMAND...: shows the output only when the command fails.
quietly() {
    local what=$1
    shift
    "$@" >"$work/log" 2>&1 || fail "$what: $(tail -30 "$work/log")"
}

command -v python3 >/dev/null || skip "no python3: the wheel is not built"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || skip "python3 is older than 3.9"
python3 -c 'import ensurepip, venv' 2>/dev/null || skip "no python3-venv: the wheel is not built (toolchains/setup.sh)"

# environment NAME PYTHON PACKAGE...: a virtual environment that has these; made again when the Python under it is gone.
environment() {
    local place=$home/$1 interpreter=$2
    shift 2
    "$place/bin/python" -c pass 2>/dev/null || { rm -rf "$place"; "$interpreter" -m venv "$place" >"$work/log" 2>&1; } ||
        return 1
    local wanted="$*"
    [ "$(cat "$place/wanted" 2>/dev/null)" = "$wanted" ] && return 0
    "$place/bin/python" -m pip install -q --disable-pip-version-check --retries 1 --timeout 20 "$@" >"$work/log" 2>&1 ||
        return 1
    echo "$wanted" >"$place/wanted"
}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
environment tools python3 "build" "scikit-build-core>=0.10" "cffi>=1.15" mypy typing_extensions numpy ||
    skip "cannot get what builds the wheel: $(grep -m1 -i error "$work/log" || tail -1 "$work/log")"
tools=$home/tools/bin

# -- built from the tree, in a folder that keeps the objects for the next time
quietly "building the wheel" "$tools/python" -m build --wheel --no-isolation "$root/python" -o "$work/dist" \
    -Cbuild-dir="$home/objects"
wheel=$(echo "$work"/dist/*.whl)
case "$(basename "$wheel")" in
    infoplane-*-py3-none-*.whl) pass ;;
    *) fail "$(basename "$wheel"): one wheel for all Pythons is wanted" ;;
esac
# It holds its libraries, each once, and no more of them than are asked for.
"$tools/python" -m zipfile -l "$wheel" | awk 'NR > 1 { print $1 }' >"$work/names"
grep -q '^infoplane/lib/libinfoplane\.' "$work/names" && grep -q '^infoplane/lib/libsleef\.' "$work/names" ||
    fail "libraries are missing: $(cat "$work/names")"
grep -qE 'libc\.so|libm\.so|ld-linux' "$work/names" && fail "the system's own libraries are in the wheel"
git -C "$root" status --porcelain python 2>/dev/null | grep . && fail "building has left files in the tree"
pass

# -- installed, alone
environment test python3 numpy "cffi>=1.15" || skip "cannot get numpy and cffi: $(tail -1 "$work/log")"
python=$home/test/bin/python
quietly "installing" "$python" -m pip install -q --force-reinstall --no-deps --no-index "$wheel"
place=$(cd / && "$python" -c 'import infoplane, os; print(os.path.dirname(infoplane.__file__))')
if command -v readelf >/dev/null; then
    readelf -d "$place/lib/libinfoplane.so" | grep -q 'R.*PATH.*\[$ORIGIN\]' || fail "libinfoplane does not look beside it"
    ldd "$place/lib/libinfoplane.so" | awk -v place="$place" '/sleef|jansson|pcre2|zstd|utf8proc|lapack|blas|gfortran/ && index($3, place) != 1' |
        grep . && fail "a library comes from the machine"
fi
pass

# -- types: the package itself, and a user's file
cp -r "$place" "$work/infoplane"
(cd "$work" && quietly "mypy" "$tools/mypy" --config-file "$root/python/pyproject.toml" infoplane)
cat >"$work/user.py" <<'PYTHON'
import infoplane
import numpy as np

run: infoplane.Run = infoplane.analyze("m.gguf", ["a.txt"], documents=3, orders=2)
x: float = run.layers[0].X[0].corrected
h: infoplane.Entropy = infoplane.entropy(np.ones((3, 4)), {"a": np.arange(3)}, bins=50)
infoplane.entropy(np.ones((3, 4)), bins="fifty")
infoplane.analyze("m.gguf", "a.txt", colour="red")
PYTHON
(cd "$work" && "$tools/mypy" --config-file "$root/python/pyproject.toml" user.py >"$work/log" 2>&1) || true
[ "$(grep -c 'user.py:.*error' "$work/log")" = 2 ] || fail "a user's mistakes: $(cat "$work/log")"
pass

# -- what makes more of the tests run: each may be missing, the tests that need it then say so
for optional in pandas tqdm "scipy" "--no-deps soft-entropy==0.1.5"; do
    mark=$home/test/have-${optional##* }
    [ -e "$mark" ] || { "$python" -m pip install -q --retries 1 --timeout 20 $optional >/dev/null 2>&1 && touch "$mark"; } ||
        echo "SKIPPED: cannot get ${optional##* }"
done
(cd "$root/tests/python" && PYTHONDONTWRITEBYTECODE=1 timeout 600 "$python" -m unittest 2>&1) | tee "$work/log"
grep -q '^OK' "$work/log" || fail "tests/python"
pass

# -- the same file under every other Python that is there
for other in ${INFOPLANE_PYTHONS:-python3.9 python3.10 python3.11 python3.12 python3.13 python3.14}; do
    version=$("$other" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    [ "$version" = "$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" ] && continue
    environment "python$version" "$other" numpy "cffi>=1.15" || { echo "SKIPPED: no numpy and cffi for Python $version"; continue; }
    quietly "installing under $version" "$home/python$version/bin/python" -m pip install -q --force-reinstall --no-deps \
        --no-index "$wheel"
    (cd "$root/tests/python" && PYTHONDONTWRITEBYTECODE=1 timeout 600 "$home/python$version/bin/python" -m unittest test_soft \
        test_engine.Errors test_engine.Entropy) >"$work/log" 2>&1 || fail "Python $version: $(tail -30 "$work/log")"
    echo "Python $version: passed"
    pass
done
echo "$passed passed"
