"""How many bits a stored value takes, scales and zero points included.

Sources: layouts of bitsandbytes, AutoAWQ, GPTQ, DeepSeek-V3 block FP8 and gpt-oss MXFP4; whole-file bits per
weight of GGUF mixes as printed in llama.cpp `tools/quantize/README.md` for Llama-3.1-8B. Bits are exact
fractions: a float would round the bytes of a large model.
"""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from governance.capacity.facts import FactsRefused


@dataclass(frozen=True, slots=True)
class WeightDtype:
    """Bits of one weight.

    Attributes:
        bits: bits per quantised parameter.
        whole_file: True when `bits` is the average over a whole file with embeddings and norms; otherwise
            embeddings, head and norms stay at 16 bit.
        experts_only: only expert weights are quantised.
    """

    bits: Fraction
    whole_file: bool = False
    experts_only: bool = False


_INT4_GROUP_128: Final = WeightDtype(Fraction(4) + Fraction(16 + 4, 128))
_INT8_GROUP_128: Final = WeightDtype(Fraction(8) + Fraction(16 + 8, 128))

WEIGHT_DTYPES: Final = MappingProxyType(
    {
        "fp32": WeightDtype(Fraction(32), whole_file=True),
        "bf16": WeightDtype(Fraction(16), whole_file=True),
        "fp16": WeightDtype(Fraction(16), whole_file=True),
        "fp8": WeightDtype(Fraction(801, 100)),
        "fp8-block": WeightDtype(Fraction(8) + Fraction(32, 128 * 128)),
        "int8": WeightDtype(Fraction(802, 100)),
        "awq": _INT4_GROUP_128,
        "gptq-int4": _INT4_GROUP_128,
        "gptq-int8": _INT8_GROUP_128,
        "nf4": WeightDtype(Fraction(9, 2)),
        "nf4-double": WeightDtype(Fraction(4) + Fraction(8, 64) + Fraction(32, 64 * 256)),
        "mxfp4": WeightDtype(Fraction(17, 4), experts_only=True),
        "gguf-q4_k_m": WeightDtype(Fraction("4.894"), whole_file=True),
        "gguf-q5_k_m": WeightDtype(Fraction("5.704"), whole_file=True),
        "gguf-q6_k": WeightDtype(Fraction("6.563"), whole_file=True),
        "gguf-q8_0": WeightDtype(Fraction("8.501"), whole_file=True),
    }
)

AS_STORED: Final = "as-stored"
"""The form that the files of a model have, whatever that is: its bytes are those that were read from them."""

KV_DTYPES: Final = MappingProxyType(
    {
        "bf16": Fraction(2),
        "fp16": Fraction(2),
        "fp8": Fraction(1),
        "nvfp4": Fraction(9, 16),
        "q8_0": Fraction(17, 16),
        "q4_0": Fraction(9, 16),
    }
)


def weight_dtype(name: str) -> WeightDtype:
    """The stored form named `name`.

    Raises:
        FactsRefused: nobody has measured such a form here; no guess is made from "4-bit".
    """
    if name not in WEIGHT_DTYPES:
        raise FactsRefused("weight_dtype", f"{name!r} is not one of {', '.join(sorted(WEIGHT_DTYPES))}.")
    return WEIGHT_DTYPES[name]


def kv_bytes(name: str) -> Fraction:
    """Bytes of one cached value, scales included.

    Raises:
        FactsRefused: an unknown form.
    """
    if name not in KV_DTYPES:
        raise FactsRefused("kv_dtype", f"{name!r} is not one of {', '.join(sorted(KV_DTYPES))}.")
    return KV_DTYPES[name]


def whole_bytes(bits: Fraction) -> int:
    """Bits as bytes, rounded up."""
    return -(-bits.numerator // (8 * bits.denominator))
