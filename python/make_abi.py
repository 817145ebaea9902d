"""Makes the binding from the public header, at build time: python make_abi.py HEADER FOLDER

Writes FOLDER/_abi.py (cffi's own compact form of the declarations, ABI mode: struct layouts are worked out where the wheel
runs) and FOLDER/_settings.py (the settings of the header as a typed dictionary, for editors and type checkers). Nothing of
the header is written down by hand, so nothing can go out of step with the library.
"""
import os
import re
import sys

from cffi import FFI

# What the binding takes from the C library, to have the engine's writers write into memory.
C_LIBRARY = """
FILE *open_memstream(char **text, size_t *size);
int fclose(FILE *file);
void free(void *memory);
"""


def declarations(header):
    """The header without comments, directives, what only C++ sees, and functions that are no part of the library."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif\n", "", text, flags=re.S | re.M)
    text = re.sub(r"^#define IP_PRINTF.*$", "", text, flags=re.M)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    text = re.sub(r"^static inline [^;{]*\{.*?^\}\n", "", text, flags=re.S | re.M)
    return re.sub(r"\bIP_PRINTF\([^)]*\)", "", text)


def python_type(field):
    kind = field.type.kind
    if kind == "primitive":
        name = field.type.cname
        return "bool" if name == "_Bool" else "float" if name in ("double", "float") else "int"
    if kind == "pointer" and field.type.item.cname in ("char", "char const"):
        return "Optional[Union[str, os.PathLike[str]]]"
    return None


# Parameters of functions in their own right, not keywords: anchors may be an array; documents mean two things.
PARAMETERS = ("anchors",)
CORPUS_ONLY = ("documents",)


def settings(ffi):
    kinds = [(name, python_type(field)) for name, field in ffi.typeof("ip_settings").fields if name not in PARAMETERS]
    kinds = [(name, kind) for name, kind in kinds if kind]
    lines = ['"""Made from the public header: what analyze, entropy and the others take as keywords."""',
             "from __future__ import annotations", "", "import os", "from typing import Optional, TypedDict, Union", "", "",
             "class EntropySettings(TypedDict, total=False):",
             '    """The engine\'s settings (core/infoplane.h says what each is); what is left out has its default."""', ""]
    lines += [f"    {name}: {kind}" for name, kind in kinds if name not in CORPUS_ONLY]
    lines += ["", "", "class Settings(EntropySettings, total=False):",
              '    """And those of a corpus that is read."""', ""]
    lines += [f"    {name}: {kind}" for name, kind in kinds if name in CORPUS_ONLY]
    return "\n".join(lines) + "\n"


def main(header, folder):
    with open(header, encoding="utf-8") as file:
        text = file.read()
    os.makedirs(folder, exist_ok=True)
    ffi = FFI()
    ffi.cdef(declarations(text) + C_LIBRARY)
    ffi.set_source("_abi", None)
    ffi.emit_python_code(os.path.join(folder, "_abi.py"))
    version = re.search(r'#define INFOPLANE_VERSION "([0-9.]+)"', text).group(1)
    with open(os.path.join(folder, "_settings.py"), "w", encoding="utf-8") as file:
        file.write(settings(ffi) + f'\n\nVERSION = "{version}"\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
