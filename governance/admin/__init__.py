"""The registry in the admin, and the desk's own pages.

`pages`: route below /admin/, view, name; the site puts them behind a log-in, as it does for the ledger.
"""

from governance.admin import desk, registering, registry

pages = (
    ("desk/requests/", desk.requests, "desk_requests"),
    ("desk/requests/new/", registering.request_new, "desk_request_new"),
    ("desk/requests/<uuid:request_id>/", desk.review, "desk_review"),
    ("desk/requests/<uuid:request_id>/withdraw/", desk.withdraw, "desk_withdraw"),
    ("desk/deployments/<uuid:deployment_id>/", desk.deployment, "desk_deployment"),
    ("desk/models/new/", registering.model_new, "desk_model_new"),
    ("desk/pools/new/", registering.pool_new, "desk_pool_new"),
)

__all__ = ["pages", "registry"]
