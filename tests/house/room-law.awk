# Checks one tree's #include lines and build flags against the room law; prints one line per violation.
# Input: the source files' paths relative to the root, one per line, with `root` set to the tree.
#
#   base (core/base) <- arch <- models <- core <- cli (core/cli); tests and bench stand above all.
#
# Within core, from below: numbers, output, input, ngrams, forward, estimators, bound, run, preference, correlate,
# series, report, and the commands beside them. The public header may be included by all.

function room_of(path) {
    if (path ~ /^core\/base\//) return 1
    if (path ~ /^arch\//) return 2
    if (path ~ /^models\//) return 3
    if (path ~ /^core\/mpi\//) return 6
    if (path ~ /^core\/cli\//) return 5
    if (path ~ /^core\//) return 4
    return 9 # tests, bench
}

# The height of a folder of core; what stands beside the folders (one file per command) is above them.
function height(path,    parts) {
    split(path, parts, "/")
    return parts[2] in floor ? floor[parts[2]] : floors + 1
}

function violation(text) { printf "%s:%d: %s\n", file, line, text }

# Two files of one room that include the same library are two doors.
function door(room, header,    key) {
    key = room SUBSEP header
    if (key in doors && doors[key] != file)
        violation(header " already has its door in this room: " doors[key])
    else
        doors[key] = file
}

function check_quoted(header, room,    target) {
    if (header !~ /\//) {
        violation("\"" header "\" is not written from the root of the tree")
        return
    }
    target = room_of(header)
    if (target == 9) {
        if (room != 9) violation(names[room] " includes \"" header "\", which is in no room")
        return
    }
    if (room == 5 && header != "core/infoplane.h" && header !~ /^core\/cli\//)
        violation("the program includes \"" header "\"; it may see core/infoplane.h and core/cli/ only")
    else if (room == 6 && target != 1)
        violation("core/mpi includes \"" header "\"; it may see core/base only")
    else if (target > room)
        violation(names[room] " includes \"" header "\" of the higher room " names[target])
    else if (room == 4 && target == 4 && header != "core/infoplane.h" && height(header) > height(file))
        violation("a lower folder of core includes \"" header "\" of a higher one")
}

function check_system(header, room,    isa) {
    if (header ~ /^(immintrin|x86intrin|emmintrin|avx.*intrin|arm_neon|arm_sve|arm_bf16)\.h$/) {
        if (file !~ /^arch\/(avx2|avx512|neon|sve)[^\/]*\//)
            violation("<" header "> outside the folder of an instruction set")
    } else if (header == "sleef.h") {
        if (file != "arch/vmath.h") violation("<sleef.h> has one door: arch/vmath.h")
    } else if (header == "mpi.h") {
        if (file !~ /^core\/mpi\//) violation("<mpi.h> has one door: core/mpi/")
    } else if (header ~ /^(xxhash|pcre2|jansson|zlib|zstd|mimalloc.*|utf8proc)\.h$/ && room != 9) {
        door(room, header)
    } else if (header ~ /^criterion\// && file !~ /^tests\/unit\//) {
        violation("<" header "> outside tests/unit")
    }
}

BEGIN { split("base arch models core cli", names, " "); names[6] = "mpi"; names[9] = "tests" }
BEGIN {
    floors = split("numbers output input ngrams forward estimators bound run preference correlate series report", list, " ")
    for (i = 1; i <= floors; i++) floor[list[i]] = i
}

{
    file = $0
    line = 0
    room = room_of(file)
    path = root "/" file
    while ((getline text < path) > 0) {
        line++
        if (file ~ /\.[ch]$|\.cpp$|\.def$|\.inc$/) {
            if (match(text, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/)) {
                split(text, parts, "\"")
                check_quoted(parts[2], room)
            } else if (match(text, /^[ \t]*#[ \t]*include[ \t]*<[^>]*>/)) {
                header = text
                sub(/^[^<]*</, "", header)
                sub(/>.*/, "", header)
                check_system(header, room)
            }
            # Intrinsics may also come without their header, through another one. The door to SLEEF names vector types.
            if (room == 2 && file != "arch/vmath.h" && file !~ /^arch\/(avx2|avx512|neon|sve)[^\/]*\// && text !~ /^[ \t]*(\*|\/\*|\/\/)/ &&
                text ~ /(^|[^A-Za-z0-9_])(_mm(256|512)?_[a-z]|__m(128|256|512)|float32x4_t|v[a-z]+q_[fsu](8|16|32|64)\()/)
                violation("intrinsics outside the folder of an instruction set")
            if (text ~ /#[ \t]*pragma.*(fast-math|Ofast|associative-math|reciprocal-math)/)
                violation("fast arithmetic")
        } else if (text !~ /^[ \t]*#/ && text ~ /-ffast-math|-Ofast|-funsafe-math|-fassociative-math|-freciprocal-math|-ffp-contract=(fast|on)/) {
            violation("fast arithmetic in a build file")
        }
    }
    close(path)
}
