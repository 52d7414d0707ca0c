"""Which pools a log-in belongs to. Membership decides what a page offers; the domain checks it again."""

from audit.models import User

REQUESTERS, REVIEWERS, AUDITORS, OPERATORS = "Requesters", "Reviewers", "Auditors", "Operators"
DATA_PROTECTION = "Data protection"
"""Who decides erasures and releases holds (the database judges by the same names, migration 0007)."""

RISK_OWNERS, SECURITY, PRIVACY = "Risk owners", "Security reviewers", "Privacy reviewers"
COMPLIANCE = "Compliance officers"
"""Who decides stages of approvals beside the reviewers; compliance officers decide approval policies too."""


def roles_of(user_id: int) -> frozenset[str]:
    """Names of the groups of a log-in."""
    return frozenset(User.groups.through.objects.filter(user_id=user_id).values_list("group__name", flat=True))
