"""Builds the dataset of a report from the ledger at one tree size, and the bundle that proves it.

Nothing is read from registry tables: what a report says is what the entries below its tree size say, so a changed
row can neither add to it nor hide from it. Only names of people come from their (erasable) profiles.
"""

from reports.collect.material import CollectError, Material, material

__all__ = ["CollectError", "Material", "material"]
"""`material(report, renderer)` is the whole interface."""
