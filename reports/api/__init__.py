"""REST interface of reports, below /api/v1/, and the short-lived address of a file."""
