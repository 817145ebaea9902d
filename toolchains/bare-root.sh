#!/usr/bin/env bash
# A newcomer's way on a bare machine, from nothing to results: makes roots of a Debian release with debootstrap and does in
# them what the README and the pages of docs tell, word for word. To be run as root.
#
#   toolchains/bare-root.sh RELEASE [--tests] [--folder DIR] [--mirror URL] [--overlay DIR] [--source REPOSITORY] [--keep]
#
#   RELEASE     as debootstrap knows it: bookworm, trixie
#   --tests     also the second command of the README, all tests
#   --folder    where roots, their pristine tar and the logs go (~/.cache/infoplane/bare-root)
#   --mirror    of the distribution's packages (http://deb.debian.org/debian)
#   --overlay   files that this network needs in every root, laid over it: certificates in
#               usr/local/share/ca-certificates, etc/pip.conf, etc/apt, etc/hosts
#   --source    what is cloned (this tree); what is not committed does not come along
#   --keep      leaves the roots in the folder
#
# Four roots, each fresh from the tar: "build" has git, certificates and sudo, and a user who builds; "deb", "archive" and
# "wheel" have no compiler and get what was packed there. The mounts live in a namespace of each step and end with it.
# Exit status: 0 when all steps did well; the first that fails ends the trial with the end of its output.
set -euo pipefail
{ # Read as a whole before it begins: the tree may change while a trial runs.
say() { echo "toolchains/bare-root.sh: $*"; }
usage() {
    sed -n '5,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
release="" tests=no keep=no overlay="" mirror=http://deb.debian.org/debian source=$tree
folder=${XDG_CACHE_HOME:-${HOME:-/var}/.cache}/infoplane/bare-root
while [ $# -gt 0 ]; do
    case "$1" in
        --tests) tests=yes ;;
        --keep) keep=yes ;;
        --folder) folder=${2:-}; shift ;;
        --mirror) mirror=${2:-}; shift ;;
        --overlay) overlay=${2:-}; shift ;;
        --source) source=${2:-}; shift ;;
        -*) usage ;;
        *)
            [ -z "$release" ] || usage
            release=$1
            ;;
    esac
    shift || usage
done
[ -n "$release" ] && [ -n "$folder" ] && [ -n "$mirror" ] && [ -n "$source" ] || usage
[ -z "$overlay" ] || [ -d "$overlay" ] || { say "no folder $overlay"; exit 2; }
[ "$(id -u)" = 0 ] || { say "needs root: chroot and mounts"; exit 1; }
for tool in debootstrap unshare chroot git; do
    command -v $tool >/dev/null || { say "needs $tool: apt-get install debootstrap util-linux coreutils git"; exit 1; }
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
here=$folder/$release
logs=$here/logs
mkdir -p "$logs"
exec 9>"$here/lock"
flock -n 9 || { say "another trial is at work in $here"; exit 1; }
rm -f "$logs"/*.log

# fresh NAME: a pristine root of that name.
fresh() {
    rm -rf "${here:?}/$1"
    mkdir "$here/$1"
    tar -C "$here/$1" -xf "$here/pristine.tar"
    # It is thrown away: no need to wait for the disk after every package.
    echo force-unsafe-io >"$here/$1/etc/dpkg/dpkg.cfg.d/throw-away"
    [ -z "$overlay" ] || cp -a "$overlay/." "$here/$1/"
    [ -e "$here/$1/etc/hosts" ] || echo "127.0.0.1 localhost" >"$here/$1/etc/hosts"
}
finished() { [ $keep = yes ] || rm -rf "${here:?}/$1"; }

# inside ROOT USER COMMANDS: a shell in it, in the user's home, with the processes and mounts of this call alone.
inside() {
    local home=/home/$2
    [ "$2" != root ] || home=/root
    unshare --mount --pid --fork --kill-child bash -c '
        root=$1 user=$2 home=$3 commands=$4
        mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" &&
        exec env -i TERM=dumb LANG=C.UTF-8 HOME="$home" USER="$user" LOGNAME="$user" \
            ${http_proxy+http_proxy="$http_proxy"} ${https_proxy+https_proxy="$https_proxy"} ${no_proxy+no_proxy="$no_proxy"} \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            chroot --userspec="$user" "$root" bash -euc "cd; $commands"' - "$here/$1" "$2" "$home" "$3" 9>&-
}

# step WHAT LINES ROOT USER COMMANDS: runs them, shows the last LINES lines of what they print, and the time.
steps=0 summary=""
step() {
    local what=$1 lines=$2 root=$3 user=$4 commands=$5 start=$SECONDS status=0 log
    steps=$((steps + 1))
    log=$logs/$(printf %02d $steps)-$root.log
    echo
    echo "== $steps. $what ($user in the root \"$root\")"
    sed '/^$/d; s/^/   $ /' <<<"$commands"
    inside "$root" "$user" "$commands" >"$log" 2>&1 </dev/null || status=$?
    if [ $status != 0 ]; then
        tail -40 "$log"
        say "FAILED with status $status: $what; all of its output is in $log"
        exit 1
    fi
    tail -n "$lines" "$log" | sed 's/^/   | /'
    local time
    time=$(awk -v s=$((SECONDS - start)) 'BEGIN { printf "%.1f min", s / 60 }')
    echo "   well, $time"
    summary+=$(printf '%8s  %s' "$time" "$what")$'\n'
}

# -- the roots
if [ ! -e "$here/pristine.tar" ]; then
    say "debootstrap of $release from $mirror"
    rm -rf "${here:?}/pristine"
    debootstrap --variant=minbase "$release" "$here/pristine" "$mirror" >"$logs/debootstrap.log" 2>&1 ||
        { tail -5 "$logs/debootstrap.log"; say "debootstrap failed: $logs/debootstrap.log"; exit 1; }
    rm -f "$here"/pristine/var/cache/apt/archives/*.deb
    tar -C "$here/pristine" -cf "$here/pristine.tar.new" .
    mv "$here/pristine.tar.new" "$here/pristine.tar"
    rm -rf "${here:?}/pristine"
fi
fresh build
rm -rf "$here/infoplane.git"
git clone -q --bare "$source" "$here/infoplane.git"
commit=$(git -C "$here/infoplane.git" rev-parse --short HEAD)
page() { git -C "$here/infoplane.git" show "HEAD:$1"; }
cp -r "$here/infoplane.git" "$here/build/srv/infoplane.git"
say "Debian $(cat "$here/build/etc/debian_version") ($release), $(nproc) processors, infoplane at $commit"
began=$SECONDS

# What the README says, taken from it.
command_of() {
    local line
    line=$(page README.md | sed -n "s/^    \(toolchains\/setup\.sh && cmake --workflow --preset $1\)\$/\1/p")
    [ -n "$line" ] || { say "README.md has no command for $1" >&2; exit 1; }
    echo "$line"
}
demo=$(command_of demo) test=$(command_of test)
new_user='useradd -m -s /bin/bash user && chown -R user: /srv'

step "what a newcomer has" 1 build root "apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y git ca-certificates sudo
$new_user
echo 'user ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/user
echo \$(dpkg-query -W | wc -l) packages"
step "the tree" 1 build user "git clone /srv/infoplane.git
git -C infoplane log -1 --format='%h %s'"
step "the first command of the README" 4 build user "cd infoplane
$demo"
step "installed in the home; the program and an example of one's own" 3 build user 'cd infoplane
cmake --install build/release --prefix ~/.local
export PKG_CONFIG_PATH=~/.local/lib/pkgconfig LD_LIBRARY_PATH=~/.local/lib
~/.local/bin/infoplane --version
cc docs/examples/plane.c $(pkg-config --cflags --libs infoplane) -o ~/plane
~/plane ~/.local/share/infoplane/demo/demo.q8_0.gguf ~/.local/share/infoplane/demo/heldout.jsonl'
step "the packages" 2 build user 'cd infoplane/build/release
cpack
dpkg-deb -f packages/*.deb Package Version Depends'
# The first block of the page.
block=$(page docs/python.md | awk '/^    / { print substr($0, 5); seen = 1; next } seen { exit }')
step "docs/python.md: the wheel, installed from the tree and as a file" 1 build user "cd infoplane
$block
pip install build && python -m build --wheel python
git status --porcelain | { ! grep .; }
ls python/dist"
step "docs/boards.md: an archive for a board" 1 build user "cd infoplane
$(page docs/boards.md | awk '/^    toolchains\/sysroot.sh/ { on = 1 } on && !/^    / { exit } on { print substr($0, 5) }')"
mkdir -p "$here/packed"
rm -f "$here"/packed/*
cp "$here"/build/home/user/infoplane/build/release/packages/infoplane[_-]* \
    "$here"/build/home/user/infoplane/python/dist/*.whl "$here/packed/"

# -- the package
fresh deb
cp "$here"/packed/*.deb "$here/deb/srv/"
step "the .deb, in a root without compilers" 1 deb root "apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends /srv/*.deb
$new_user
echo \$(dpkg-query -W | wc -l) packages"
run_demo='infoplane cpu
infoplane analyze $demo/demo.q8_0.gguf $demo/heldout.jsonl --documents 200 --orders 4 --loss -o run
ls run'
step "its program" 8 deb user "demo=/usr/share/infoplane/demo
$run_demo"
tutorial=$(page docs/tutorial.md 2>/dev/null | awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' || true)
if [ -n "$tutorial" ]; then
    step "docs/tutorial.md" 12 deb user "export INFOPLANE_DEMO=/usr/share/infoplane/demo
mkdir tutorial && cd tutorial
$tutorial"
fi
step "docs/machines.md: what a package needs for several ranks" 1 deb root "apt-get install -q -y --no-install-recommends openmpi-bin
mpirun --version"
step "two ranks; the run that one process gave" 2 deb user 'demo=/usr/share/infoplane/demo
mpirun --oversubscribe -n 2 infoplane analyze $demo/demo.q8_0.gguf $demo/heldout.jsonl --documents 200 --orders 4 --loss -o ranks
cmp ranks/layers.csv run/layers.csv
cmp ranks/token-loss.npy run/token-loss.npy'
finished deb

# -- the archive
fresh archive
cp "$here"/packed/*.tar.zst "$here/archive/srv/"
step "the archive, where nothing but zstd is installed" 8 archive root "apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends zstd
tar -xf /srv/*.tar.zst
PATH=\$PATH:\$(echo ~/infoplane-*/bin)
demo=\$(echo ~/infoplane-*/share/infoplane/demo)
$run_demo"
finished archive

# -- the wheel
fresh wheel
cp "$here"/packed/*.whl "$here/wheel/srv/"
git -C "$here/infoplane.git" archive HEAD docs models/demo tests/python | tar -C "$here/wheel/srv" -xf -
step "Python" 1 wheel root "apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ca-certificates python3-venv
$new_user
python3 --version"
step "the wheel, in a root without compilers; the notebook prints what it shows" 2 wheel user 'python3 -m venv plane
plane/bin/pip install /srv/*.whl
plane/bin/python /srv/tests/python/notebook.py /srv/docs/plane.ipynb
plane/bin/python -c "import infoplane, numpy; print(\"infoplane\", infoplane.__version__, \"NumPy\", numpy.__version__)"'
finished wheel

# -- all tests, last because they take longest
if [ $tests = yes ]; then
    step "the second command of the README" 60 build user "cd infoplane
$test"
    passed=$(grep -E 'tests passed, .* out of' "$logs/$(printf %02d $steps)-build.log")
    summary+="          $passed, $(grep -c '(Skipped)$' "$logs/$(printf %02d $steps)-build.log" || true) skipped"$'\n'
fi
finished build
rm -rf "${here:?}/infoplane.git"

echo
say "Debian $release, infoplane at $commit, $(date +%F), $(nproc) processors, $(((SECONDS - began + 30) / 60)) minutes; all well"
printf %s "$summary"
exit 0
}
