"""Lists and documents that are handed out as files: what went out, and to whom, is an entry."""

from audit.exports.lists import MOST_ROWS, ExportRefused, Listing, export_list
from audit.exports.made import Made, hand_out

__all__ = ["MOST_ROWS", "ExportRefused", "Listing", "Made", "export_list", "hand_out"]
