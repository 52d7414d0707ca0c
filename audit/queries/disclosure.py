"""Who may open what: the one rule that pages, lists and REST share.

What Assay itself records in `facts` is for everybody who works here. What a pipeline sends may hold anything, so its
content, and every section beside `facts`, is for auditors, for tokens that were given `log:read`, and for the source.
"""


def is_open_to_all(source: str, section: str) -> bool:
    """Whether everybody with a log-in may read this section of an entry of `source`."""
    return section == "facts" and not source.startswith("source:")
