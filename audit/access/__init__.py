"""Who may write and who may look: people, sources, service accounts and bearer tokens."""
