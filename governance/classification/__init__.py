"""What the EU AI Act makes of a use: a versioned decision tree, walked from recorded answers to a result.

Pure: files of this package and arguments only. A tree file never changes once it was used; a correction is a new
version, and a walk names the version and the SHA-256 of the file it followed.
"""

from governance.classification.load import TreeRefused, load_tree, newest, versions
from governance.classification.tree import TIERS, UNCLASSIFIED, UNSURE, Choice, Question, Result, Rule, Tree
from governance.classification.walk import (
    Answer,
    AnswersRefused,
    Classified,
    Step,
    Walk,
    classification_digest,
    classify,
    walk,
)

__all__ = [
    "TIERS",
    "UNCLASSIFIED",
    "UNSURE",
    "Answer",
    "AnswersRefused",
    "Choice",
    "Classified",
    "Question",
    "Result",
    "Rule",
    "Step",
    "Tree",
    "TreeRefused",
    "Walk",
    "classification_digest",
    "classify",
    "load_tree",
    "newest",
    "versions",
    "walk",
]
