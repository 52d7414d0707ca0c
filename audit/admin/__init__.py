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
from audit.admin.people import log_in, log_in_new, people, person, pool_change, pool_change_new
from audit.admin.tokens import service, service_new, token, token_revoke, token_rotate, tokens

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
    ("desk/people/", people, "people"),
    ("desk/people/new/", log_in_new, "log_in_new"),
    ("desk/people/changes/new/", pool_change_new, "pool_change_new"),
    ("desk/people/changes/<uuid:change_id>/", pool_change, "pool_change"),
    ("desk/people/log-ins/<int:account_id>/", log_in, "log_in"),
    ("desk/people/<uuid:person_id>/", person, "person"),
    ("desk/tokens/", tokens, "tokens"),
    ("desk/tokens/new/", service_new, "service_new"),
    ("desk/tokens/accounts/<uuid:service_id>/", service, "service"),
    ("desk/tokens/<uuid:token_id>/", token, "token"),
    ("desk/tokens/<uuid:token_id>/rotate/", token_rotate, "token_rotate"),
    ("desk/tokens/<uuid:token_id>/revoke/", token_revoke, "token_revoke"),
)
