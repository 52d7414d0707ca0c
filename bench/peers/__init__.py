"""Other ways to keep an audit trail in Django, on the same events and the same server.

`compare` is ours; everything else here runs in an environment of its own (requirements-bench.txt) that has no
Assay in it, as `python -m bench.peers.measure PEER ROWS`.
"""
