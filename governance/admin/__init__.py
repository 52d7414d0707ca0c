"""The registry in the admin, and the desk's own pages.

`pages`: route below /admin/, view, name; the site puts them behind a log-in, as it does for the ledger.
"""

from governance.admin import acting, adapters, desk, registering, registry, usecases
from governance.admin import data_lists as data_lists
from governance.admin import datasets as data
from governance.admin import evaluations as evaluating
from governance.admin import evidence as evidencing
from governance.admin import notices as noticing
from governance.admin import webhooks as hooking

pages = (
    ("desk/requests/", desk.requests, "desk_requests"),
    ("desk/requests/new/", registering.request_new, "desk_request_new"),
    ("desk/requests/<uuid:request_id>/", desk.review, "desk_review"),
    ("desk/requests/<uuid:request_id>/withdraw/", acting.withdraw, "desk_withdraw"),
    ("desk/requests/<uuid:request_id>/revoke/", acting.revoke, "desk_revoke"),
    ("desk/requests/<uuid:request_id>/conditions/<int:number>/", acting.meet, "desk_condition_met"),
    ("desk/deployments/<uuid:deployment_id>/", desk.deployment, "desk_deployment"),
    ("desk/adapters/new/", adapters.adapter_new, "desk_adapter_new"),
    ("desk/adapters/<uuid:adapter_id>/", adapters.adapter, "desk_adapter"),
    ("desk/use-cases/new/", registering.use_case_new, "desk_use_case_new"),
    ("desk/use-cases/<uuid:use_case_id>/", usecases.use_case, "desk_use_case"),
    ("desk/use-cases/<uuid:use_case_id>/classify/", usecases.classify, "desk_use_case_classify"),
    ("desk/datasets/new/", data.dataset_new, "desk_dataset_new"),
    ("desk/datasets/<uuid:dataset_id>/", data.dataset, "desk_dataset"),
    ("desk/datasets/<uuid:dataset_id>/change/", data.dataset_change, "desk_dataset_change"),
    ("desk/datasets/<uuid:dataset_id>/versions/new/", data.dataset_version_new, "desk_dataset_version_new"),
    ("desk/datasets/<uuid:dataset_id>/uses/new/", data.dataset_use_new, "desk_dataset_use_new"),
    ("desk/evaluations/new/", evaluating.evaluation_new, "desk_evaluation_new"),
    ("desk/evaluations/thresholds/new/", evaluating.threshold_new, "desk_threshold_new"),
    ("desk/evaluations/<uuid:evaluation_id>/", evaluating.evaluation, "desk_evaluation"),
    (
        "desk/evaluations/models/<uuid:evaluated_version_id>/",
        evaluating.model_evaluations,
        "desk_model_evaluations",
    ),
    ("desk/evidence/", evidencing.evidence_list, "desk_evidence_list"),
    ("desk/evidence/new/", evidencing.evidence_new, "desk_evidence_new"),
    ("desk/evidence/gaps/", evidencing.gaps, "desk_evidence_gaps"),
    ("desk/evidence/<uuid:evidence_id>/", evidencing.evidence, "desk_evidence"),
    ("desk/evidence/<uuid:evidence_id>/revoke/", evidencing.evidence_revoke, "desk_evidence_revoke"),
    ("desk/models/new/", registering.model_new, "desk_model_new"),
    ("desk/pools/new/", registering.pool_new, "desk_pool_new"),
    ("desk/notifications/", noticing.notifications, "desk_notifications"),
    ("desk/notifications/read/", noticing.notifications_read, "desk_notifications_read"),
    ("desk/notifications/preferences/", noticing.preferences, "desk_notification_preferences"),
    ("desk/webhooks/", hooking.webhooks, "desk_webhooks"),
    ("desk/webhooks/new/", hooking.webhook_new, "desk_webhook_new"),
    ("desk/webhooks/<uuid:webhook_id>/", hooking.webhook, "desk_webhook"),
    ("desk/webhooks/<uuid:webhook_id>/change/", hooking.webhook_change, "desk_webhook_change"),
    ("desk/webhooks/<uuid:webhook_id>/rotate/", hooking.webhook_rotate, "desk_webhook_rotate"),
    ("desk/webhooks/<uuid:webhook_id>/test/", hooking.webhook_test, "desk_webhook_test"),
    ("desk/webhooks/deliveries/<uuid:delivery_id>/again/", hooking.delivery_again, "desk_delivery_again"),
)

__all__ = ["pages", "registry"]
