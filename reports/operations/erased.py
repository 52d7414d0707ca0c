"""Whether a finished file still holds what was erased from the ledger since it was made."""

from audit.models import Erasure
from audit.tlog.bundleformat import BundleError, read_bundle
from audit.tlog.pdf import FACTS, split
from audit.tlog.pdfshape import ShapeError, read_attachment
from reports.models import Report


def holds_erased(report: Report, data: bytes) -> bool:
    """Whether a section of an entry in the register of the file `data` was erased after the file was made.

    The attached bundle has every entry that the report cites, and says of each section that was gone by then. A file
    that cannot be read counts as holding it.
    """
    # Nothing erased since that tree size costs one query; otherwise the file itself says exactly.
    later = Erasure.objects.filter(erased_by__gte=report.tree_size)
    if not later.exists():
        return False
    try:
        bundle = read_bundle(read_attachment(data, split(data)[0], FACTS))
    except (BundleError, ShapeError):
        return True
    gone_then = {entry.index: entry.erased for entry in bundle.entries}
    erased = later.filter(entry_index__in=list(gone_then)).values_list("entry_index", "name")
    return any(name not in gone_then[index] for index, name in erased)
