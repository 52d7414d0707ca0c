"""Pages of the ledger in the admin. `pages`: route below /admin/, view, name; the site puts them behind a log-in."""

from audit.admin.ledger import ledger_bundle, ledger_entry, ledger_list, ledger_receipt

pages = (
    ("ledger/", ledger_list, "ledger_list"),
    ("ledger/<int:index>/", ledger_entry, "ledger_entry"),
    ("ledger/<int:index>/receipt/", ledger_receipt, "ledger_receipt"),
    ("ledger/<int:index>/bundle/", ledger_bundle, "ledger_bundle"),
)
