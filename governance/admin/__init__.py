"""The registry in the admin, and the desk's own pages.

`pages`: route below /admin/, view, name; the site puts them behind a log-in, as it does for the ledger.
"""

from governance.admin import (
    adapters,
    agentlists,
    agents,
    desk,
    nodes,
    oversight,
    registering,
    registry,
    tools,
    usecases,
)

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

__all__ = ["agentlists", "pages", "registry"]
