"""Exporters of the demo organisation: one small process that serves metrics pages whose counters move and reset.

No Django and no database: it stands for machines elsewhere. Every page is a function of the start and of the time.
"""
