"""Loops that NumPy would have to walk many times over, compiled once and kept beside the source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])
_WORD, _LANE = ir.IntType(64), ir.IntType(32)
_BYTES, _LANES = ir.VectorType(ir.IntType(8), 64), ir.VectorType(_LANE, 64)
# Without _nrt=False arrays would be counted on every call inside a loop, which costs ten times the work itself;
# so these functions can make no arrays: they fill the ones they are given.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


# What compiled functions of any file may use: this, and what is `inlined` there.
SHARED = (Path(__file__), Path(__file__).parent / "identity" / "siphash.py")
_SHARED_TEXT = hashlib.sha256(b"".join(path.read_bytes() for path in SHARED)).hexdigest()


def compiled(function: F) -> F:
    """Compile on the first call for each kind of arguments; later processes load the result from disk.

    The compiler's cache looks only at the file a function stands in; here also at the shared ones. Compiled functions
    use none of other files.
    """
    loop = numba.njit(cache=True, **_OPTIONS)(function)
    index = loop._cache._cache_file
    index._source_stamp = (index._source_stamp, _SHARED_TEXT)
    return cast(F, loop)


def inlined(function: F) -> F:
    """Put the function's text into every compiled caller: a call with arrays costs more than what these do."""
    return cast(F, numba.njit(inline="always", **_OPTIONS)(function))


@intrinsic
def word_at(typing_context: Any, octets: Any, index: Any) -> Any:
    """The eight bytes of an array from `index` as a little-endian number; not checked against its end."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, _WORD.as_pointer()), align=1)

    return types.uint64(octets, types.int64), generate


@intrinsic
def byte_at(typing_context: Any, octets: Any, index: Any) -> Any:
    """One byte of an array as an int64; not checked against its ends."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.zext(builder.load(builder.gep(array.data, [arguments[1]])), _WORD)

    return types.int64(octets, types.int64), generate


def _compared(how: str) -> Callable[..., Any]:
    """An intrinsic: which of the 64 bytes of an array from `index` compare so with one, the first as the lowest bit.

    Not checked against the array's end.
    """

    @intrinsic
    def compare(typing_context: Any, octets: Any, index: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.bitcast(builder.gep(array.data, [arguments[1]]), _BYTES.as_pointer())
            one = builder.insert_element(ir.Constant(_BYTES, ir.Undefined), arguments[2], _LANE(0))
            every = builder.shuffle_vector(one, ir.Constant(_BYTES, ir.Undefined), ir.Constant(_LANES, None))
            return builder.bitcast(builder.icmp_unsigned(how, builder.load(place, align=1), every), _WORD)

        return types.uint64(octets, types.int64, types.uint8), generate

    return cast(Callable[..., Any], compare)


equal_bytes = _compared("==")
lower_bytes = _compared("<")


@intrinsic
def first_bit(typing_context: Any, word: Any) -> Any:
    """The place of the lowest bit set of a word that is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def first_byte(typing_context: Any, word: Any) -> Any:
    """Which byte of a word, from the lowest, is the first with a bit set; the word is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.lshr(zeros, ir.Constant(_WORD, 3))

    return types.int64(types.uint64), generate


@intrinsic
def fetch_ahead(typing_context: Any, octets: Any, index: Any) -> Any:
    """Have the bytes around `index` of an array brought near; the place may be any, and nothing waits for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        number = ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [place.type],
            ir.FunctionType(ir.VoidType(), [place.type, number, number, number]),
        )
        builder.call(prefetch, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(octets, types.int64), generate
