"""The registry in the admin, and the desk's own pages.

`pages`: route below /admin/, view, name; the site puts them behind a log-in, as it does for the ledger.
"""

from governance.admin import (
    acting,
    adapters,
    agentlists,
    agents,
    desk,
    editing,
    lineage,
    lineageadmin,
    models,
    nodes,
    oversight,
    registering,
    registry,
    standing,
    tools,
    usecases,
)
from governance.admin import data_lists as data_lists
from governance.admin import datasets as data
from governance.admin import evaluations as evaluating
from governance.admin import evidence as evidencing

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
    ("desk/standing/<str:subject_kind>/<uuid:subject_id>/", standing.standing, "desk_standing"),
    ("desk/edit/<str:subject_kind>/<uuid:subject_id>/", editing.edit, "desk_edit"),
    ("desk/models/<uuid:model_id>/", models.model, "desk_model"),
    ("desk/model-versions/<uuid:version_id>/", models.model_version, "desk_model_version"),
    ("desk/model-versions/<uuid:version_id>/files/new/", lineage.artefact_new, "desk_artefact_new"),
    ("desk/model-versions/<uuid:version_id>/made-from/new/", lineage.relation_new, "desk_relation_new"),
    ("desk/model-versions/<uuid:version_id>/quantisations/new/", lineage.quantisation_new, "desk_quantisation_new"),
    ("desk/pools/<uuid:pool_id>/", models.pool, "desk_pool"),
    ("desk/models/new/", registering.model_new, "desk_model_new"),
    ("desk/pools/new/", registering.pool_new, "desk_pool_new"),
    ("desk/agents/new/", agents.agent_new, "desk_agent_new"),
    ("desk/agents/<uuid:agent_id>/", agents.agent, "desk_agent"),
    ("desk/agents/<uuid:agent_id>/versions/new/", agents.version_new, "desk_agent_version_new"),
    ("desk/agents/<uuid:agent_id>/grants/new/", agents.grant_new, "desk_grant_new"),
    ("desk/agents/grants/<uuid:grant_id>/revoke/", agents.grant_revoke, "desk_grant_revoke"),
    ("desk/tools/new/", tools.tool_new, "desk_tool_new"),
    ("desk/tools/<uuid:tool_id>/", tools.tool, "desk_tool"),
    ("desk/tools/<uuid:tool_id>/change/", tools.tool_change, "desk_tool_change"),
    ("desk/tools/<uuid:tool_id>/versions/new/", tools.tool_version_new, "desk_tool_version_new"),
    ("desk/nodes/new/", nodes.node_new, "desk_node_new"),
    ("desk/nodes/<uuid:node_id>/", nodes.node, "desk_node"),
    ("desk/nodes/<uuid:node_id>/change/", nodes.node_change, "desk_node_change"),
    ("desk/nodes/<uuid:node_id>/cards/", nodes.node_cards, "desk_node_cards"),
    ("desk/nodes/<uuid:node_id>/pools/", nodes.node_pools, "desk_node_pools"),
    ("desk/oversight/", oversight.oversight, "desk_oversight"),
    ("desk/oversight/new/", oversight.oversight_new, "desk_oversight_new"),
    ("desk/oversight/<uuid:assignment_id>/end/", oversight.oversight_end, "desk_oversight_end"),
)

__all__ = ["agentlists", "lineageadmin", "pages", "registry"]
