"""Pages of other programs, read strictly and without a network."""

from audit.formats.metrics import PageRefused, Sample, read_page, scaled, whole

__all__ = ["PageRefused", "Sample", "read_page", "scaled", "whole"]
