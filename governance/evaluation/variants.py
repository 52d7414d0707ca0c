"""Which stored forms of weights are quantised, and so need an evaluation of their own (OWASP AISVS 3.2.2)."""

from typing import Final

QUANTISED_FROM: Final = ("fp32", "bf16", "fp16")
"""Forms that nothing was quantised for; every other one was."""


def is_quantised(weight_dtype: str) -> bool:
    """Whether weights stored so answer differently from those that were trained."""
    return weight_dtype not in QUANTISED_FROM
