"""What policy forbids, by name, each with its category; what it knows to be harmless."""

from __future__ import annotations

from sigil_eval.rust.names import Path
from sigil_eval.rust.vocabulary import INTEGER_TYPES, words

# Where the standard library reaches outside the program, by path below its root. The longest
# matching prefix decides.
_STD_PATHS: dict[Path, str] = {
    ("fs",): "filesystem",
    ("path",): "filesystem",
    ("net",): "network",
    ("process",): "process",
    ("env",): "environment",
    ("os",): "filesystem",
    ("os", "raw"): "ffi",
    ("os", "unix", "net"): "network",
    ("os", "linux", "net"): "network",
    ("os", "unix", "process"): "process",
    ("os", "unix", "thread"): "process",
    ("os", "linux", "process"): "process",
    ("arch",): "unsafe",
    ("arch", "asm"): "inline_asm",
    ("arch", "global_asm"): "inline_asm",
    ("arch", "naked_asm"): "inline_asm",
    ("intrinsics",): "unsafe",
    ("alloc", "System"): "ffi",
    ("alloc", "GlobalAlloc"): "ffi",
}
GUARDED_STD_MODULES = frozenset({path[0] for path in _STD_PATHS})
# The rest of the standard library's modules: to name one without an import is a slip.
_HARMLESS_STD_MODULES = INTEGER_TYPES | words(
    """any array ascii borrow boxed cell char clone cmp collections convert default error f32 f64
    ffi fmt future hash hint io iter marker mem num ops option panic pin prelude primitive ptr rc
    result slice str string sync task thread time vec backtrace"""
)
# Types that only forbidden modules have: to name one without an import is the same attempt.
_STD_TYPES = {
    "File": "filesystem",
    "OpenOptions": "filesystem",
    "DirBuilder": "filesystem",
    "Path": "filesystem",
    "PathBuf": "filesystem",
    "Command": "process",
    "TcpStream": "network",
    "TcpListener": "network",
    "UdpSocket": "network",
    "UnixStream": "network",
    "UnixListener": "network",
}
MACROS = {
    "include": "compile_time_io",
    "include_str": "compile_time_io",
    "include_bytes": "compile_time_io",
    "env": "compile_time_io",
    "option_env": "compile_time_io",
    "asm": "inline_asm",
    "global_asm": "inline_asm",
    "naked_asm": "inline_asm",
    "llvm_asm": "inline_asm",
}
_FFI_ATTRIBUTES = words(
    """no_mangle export_name link_section link link_name link_ordinal link_args linkage used
    global_allocator no_link naked no_builtins"""
)
# They change the language, or are for the compiler's own use.
_LANGUAGE_ATTRIBUTES = words(
    """feature no_std no_core no_main crate_type crate_name no_implicit_prelude lang start
    panic_handler alloc_error_handler needs_allocator panic_runtime plugin proc_macro
    proc_macro_derive proc_macro_attribute compiler_builtins fundamental prelude_import
    test_runner register_tool allow_internal_unsafe allow_internal_unstable"""
)
ATTRIBUTES = {
    "path": "compile_time_io",
    **dict.fromkeys(_FFI_ATTRIBUTES, "ffi"),
    **dict.fromkeys(_LANGUAGE_ATTRIBUTES, "attribute"),
}
# Those that no program uses as an ordinary word in the input of a macro.
UNMISTAKABLE_ATTRIBUTES = {"no_mangle", "export_name", "link_section", "global_allocator"}
# What paths in attributes begin with.
_ATTRIBUTE_TOOLS = {"rustfmt", "clippy", "diagnostic", "miri", "rust_analyzer", "rustdoc"}
_NETWORK_CRATES = words(
    """reqwest ureq hyper isahc surf curl attohttpc awc actix_web axum warp socket2 mio quinn
    tungstenite tokio_tungstenite hickory_resolver trust_dns_resolver"""
)
_FFI_CRATES = {"libc", "nix", "rustix", "winapi", "windows", "windows_sys", "errno", "syscalls"}

# Without one of these, no path into the standard library and no macro is forbidden.
FORBIDDEN_WORDS = (
    GUARDED_STD_MODULES | {*_STD_TYPES, *MACROS, "global_allocator"} | _NETWORK_CRATES | _FFI_CRATES
)


def std_category(path: Path) -> str | None:
    """The category of a path below the standard library's root."""
    if path[-1:] == ("global_allocator",):
        return "ffi"
    for length in range(len(path), 0, -1):
        if path[:length] in _STD_PATHS:
            return _STD_PATHS[path[:length]]
    return MACROS.get(path[-1]) if path else None


def outside_category(path: Path) -> str | None:
    """The category of a path that begins with a name which its source doesn't define."""
    head = path[0]
    if head in _ATTRIBUTE_TOOLS:
        return None
    if head in GUARDED_STD_MODULES:
        return std_category(path)
    if head in _STD_TYPES:
        return _STD_TYPES[head]
    if head in _NETWORK_CRATES or path[1:2] == ("net",):
        return "network"
    if head in _FFI_CRATES:
        return "ffi"
    if head in _HARMLESS_STD_MODULES or head[:1].isupper() or head in ("", "_"):
        return None
    return "external_crate"


def attribute_category(name: str) -> str | None:
    """The category of an attribute, by the last segment of its path."""
    return "attribute" if name.startswith("rustc_") else ATTRIBUTES.get(name)
