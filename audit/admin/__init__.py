"""Pages of the ledger in the admin. `pages`: route below /admin/, view, name; the site puts them behind a log-in."""

from audit.admin.checkpoints import ledger_checkpoint, ledger_checkpoints
from audit.admin.erasures import (
    erasure_detail,
    erasure_list,
    erasure_new,
    hold_detail,
    hold_list,
    hold_release,
)
from audit.admin.exports import checkpoints_export, erasures_export, holds_export, ledger_export
from audit.admin.ledger import ledger_bundle, ledger_entry, ledger_leaf, ledger_list, ledger_receipt

pages = (
    ("ledger/export/", ledger_export, "ledger_export"),
    ("ledger/checkpoints/export/", checkpoints_export, "ledger_checkpoints_export"),
    ("erasures/export/", erasures_export, "erasures_export"),
    ("erasures/holds/export/", holds_export, "holds_export"),
    ("ledger/", ledger_list, "ledger_list"),
    ("ledger/checkpoints/", ledger_checkpoints, "ledger_checkpoints"),
    ("ledger/checkpoints/<int:size>/", ledger_checkpoint, "ledger_checkpoint"),
    ("ledger/<int:index>/", ledger_entry, "ledger_entry"),
    ("ledger/<int:index>/leaf/", ledger_leaf, "ledger_leaf"),
    ("ledger/<int:index>/receipt/", ledger_receipt, "ledger_receipt"),
    ("ledger/<int:index>/bundle/", ledger_bundle, "ledger_bundle"),
    ("erasures/", erasure_list, "erasures"),
    ("erasures/new/", erasure_new, "erasure_new"),
    ("erasures/holds/", hold_list, "holds"),
    ("erasures/holds/<uuid:hold_id>/", hold_detail, "hold"),
    ("erasures/holds/<uuid:hold_id>/release/", hold_release, "hold_release"),
    ("erasures/<uuid:request_id>/", erasure_detail, "erasure"),
)
