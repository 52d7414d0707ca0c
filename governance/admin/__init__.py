"""The registry in the admin, and the desk's own pages.

`pages`: route below /admin/, view, name; the site puts them behind a log-in, as it does for the ledger.
"""

from governance.admin import adapters, asof, desk, registering, registry, usecases

pages = (
    ("desk/requests/", desk.requests, "desk_requests"),
    ("desk/requests/new/", registering.request_new, "desk_request_new"),
    ("desk/requests/<uuid:request_id>/", desk.review, "desk_review"),
    ("desk/requests/<uuid:request_id>/withdraw/", desk.withdraw, "desk_withdraw"),
    ("desk/deployments/<uuid:deployment_id>/", desk.deployment, "desk_deployment"),
    ("desk/adapters/new/", adapters.adapter_new, "desk_adapter_new"),
    ("desk/adapters/<uuid:adapter_id>/", adapters.adapter, "desk_adapter"),
    ("desk/use-cases/new/", registering.use_case_new, "desk_use_case_new"),
    ("desk/use-cases/<uuid:use_case_id>/", usecases.use_case, "desk_use_case"),
    ("desk/use-cases/<uuid:use_case_id>/classify/", usecases.classify, "desk_use_case_classify"),
    ("desk/registry/<str:kind>/", asof.registry_list, "desk_registry"),
    ("desk/registry/<str:kind>/<uuid:subject_id>/", asof.registry_object, "desk_registry_object"),
    ("desk/search/", asof.search, "desk_search"),
    ("desk/models/new/", registering.model_new, "desk_model_new"),
    ("desk/pools/new/", registering.pool_new, "desk_pool_new"),
)

__all__ = ["pages", "registry"]
