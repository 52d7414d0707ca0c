"""What a measured value means under the thresholds that were set: exact decimals, and the stricter one wins.

Pure: arguments only. A threshold says which values fail; what passes is an interval, and thresholds that apply together
leave the intersection of theirs.
"""

from governance.evaluation.numbers import NUMBER, NumberRefused, number_text
from governance.evaluation.thresholds import (
    SHAPES,
    Passing,
    Shape,
    Status,
    Threshold,
    ThresholdRefused,
    Verdict,
    judge,
    overall,
    threshold,
)
from governance.evaluation.variants import QUANTISED_FROM, is_quantised

__all__ = [
    "NUMBER",
    "QUANTISED_FROM",
    "SHAPES",
    "NumberRefused",
    "Passing",
    "Shape",
    "Status",
    "Threshold",
    "ThresholdRefused",
    "Verdict",
    "is_quantised",
    "judge",
    "number_text",
    "overall",
    "threshold",
]
